"""Special functions. Arguments broadcast; integers and booleans are converted to the default floating dtype."""

from sable import _absent
from sable.nn.normalization import logsumexp

from ._basic import (
    boxcox,
    boxcox1p,
    digamma,
    entr,
    erf,
    erfc,
    erfinv,
    expit,
    gammaln,
    i0,
    i0e,
    i1,
    i1e,
    kl_div,
    log_softmax,
    logit,
    rel_entr,
    softmax,
    xlog1py,
    xlogy,
)
from ._error import dawsn, erfcx, log_ndtr, ndtr, ndtri, owens_t, wofz
from ._gamma import beta, betainc, betaln, factorial, gamma, gammainc, gammaincc, gammasgn, loggamma, multigammaln, poch
from ._harmonics import bessel_jn, sph_harm_y
from ._hypergeometric import hyp1f1, hyp2f1
from ._integrals import exp1, expi, expn, fresnel, sici, spence
from ._zeta import bernoulli, comb, polygamma, zeta

_absent.explain(__name__)

__all__ = [
    "bernoulli",
    "bessel_jn",
    "beta",
    "betainc",
    "betaln",
    "boxcox",
    "boxcox1p",
    "comb",
    "dawsn",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp1",
    "expi",
    "expit",
    "expn",
    "factorial",
    "fresnel",
    "gamma",
    "gammainc",
    "gammaincc",
    "gammaln",
    "gammasgn",
    "hyp1f1",
    "hyp2f1",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "kl_div",
    "log_ndtr",
    "log_softmax",
    "loggamma",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "owens_t",
    "poch",
    "polygamma",
    "rel_entr",
    "sici",
    "softmax",
    "spence",
    "sph_harm_y",
    "wofz",
    "xlog1py",
    "xlogy",
    "zeta",
]
