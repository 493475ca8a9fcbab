"""Distributions, each a module of functions, and statistics of samples.

The arguments of a distribution's functions broadcast, and so does their result, which is of the dtype in which they meet;
integers become the default floating dtype. `x` is where the density, the distribution function or its complement is
taken, `k` a number of events, `q` a probability. `loc` moves a distribution, `scale` stretches it. Complex numbers are
refused where an op refuses them.
"""

from sable import _absent

from . import (
    bernoulli,
    beta,
    betabinom,
    binom,
    cauchy,
    chi2,
    dirichlet,
    expon,
    gamma,
    gennorm,
    geom,
    gumbel_l,
    gumbel_r,
    laplace,
    logistic,
    multinomial,
    multivariate_normal,
    nbinom,
    norm,
    pareto,
    poisson,
    t,
    truncnorm,
    uniform,
    vonmises,
    wrapcauchy,
)
from ._kde import gaussian_kde
from ._ranks import mode, rankdata, sem

_absent.explain(__name__)

__all__ = [
    "bernoulli",
    "beta",
    "betabinom",
    "binom",
    "cauchy",
    "chi2",
    "dirichlet",
    "expon",
    "gamma",
    "gaussian_kde",
    "gennorm",
    "geom",
    "gumbel_l",
    "gumbel_r",
    "laplace",
    "logistic",
    "mode",
    "multinomial",
    "multivariate_normal",
    "nbinom",
    "norm",
    "pareto",
    "poisson",
    "rankdata",
    "sem",
    "t",
    "truncnorm",
    "uniform",
    "vonmises",
    "wrapcauchy",
]
