"""The negative binomial distribution: failures of trials with the probability p before the n-th success."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammaln, xlogy
from ._families import composed, method


@method
def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`; -inf where k < loc.

    Args:
      n: the number of successes.
      p: the probability of a success.

    >>> jax.scipy.stats.nbinom.logpmf(jnp.arange(-1, 3), 2, 0.25)
    Array([      -inf, -2.7725887, -2.3671236, -2.2493405], dtype=float32)
    """
    y = k - loc
    binomial = gammaln(y + n) - gammaln(n) - gammaln(y + 1)
    return jnp.where(k < loc, -jnp.inf, binomial + (xlogy(n, p) + xlogy(y, 1 - p)))


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability binomial(y + n - 1, y) p^n (1 - p)^y of y = k - loc; n and p as of `nbinom.logpmf`.

    >>> jax.scipy.stats.nbinom.pmf(jnp.arange(-1, 3), 2, 0.25)
    Array([0.        , 0.0625    , 0.09375   , 0.10546876], dtype=float32)
    """,
)
