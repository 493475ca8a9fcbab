"""The beta-binomial distribution: of n trials, whose probability has the beta distribution of a and b."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import betaln
from ._families import composed, method


@method
def logpmf(k: Any, n: Any, a: Any, b: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`: -inf outside of the support, NaN where n is negative or a or b not positive.

    Args:
      n: the number of trials.
      a, b: the exponents of the beta distribution, positive.

    >>> jax.scipy.stats.betabinom.logpmf(jnp.arange(4), 3, 2.0, 1.0)
    Array([-2.3025851 , -1.609438  , -1.2039728 , -0.91629076], dtype=float32)
    """
    y = jnp.floor(k) - loc
    # log binomial(n, y) = -log(n + 1) - log B(n - y + 1, y + 1)
    binomial = -(jnp.log1p(n) + betaln(n - y + 1, y + 1))
    inside = binomial + betaln(y + a, n - y + b) - betaln(a, b)
    inside = jnp.where((y == 0) & (n == 0), 0.0, inside)
    found = jnp.where((y < -loc) | (y > n) | (y + a <= 0), -jnp.inf, inside)
    return jnp.where((n < 0) | (a <= 0) | (b <= 0), jnp.nan, found)


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability binomial(n, y) B(y + a, n - y + b) / B(a, b) of y = floor(k) - loc; n, a, b as of `betabinom.logpmf`.

    >>> jax.scipy.stats.betabinom.pmf(jnp.arange(4), 3, 2.0, 1.0)
    Array([0.09999999, 0.19999999, 0.29999998, 0.39999998], dtype=float32)
    """,
)
