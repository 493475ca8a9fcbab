"""The binomial distribution: of n trials with the probability p."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammaln, xlog1py, xlogy
from ._families import composed, method


@method(weak=True)
def logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`; -inf outside of loc <= k <= loc + n.

    Args:
      n: the number of trials.
      p: the probability of a success.

    >>> jax.scipy.stats.binom.logpmf(jnp.arange(4), 3, 0.25)
    Array([-0.86304617, -0.86304617, -1.9616585 , -4.158883  ],      dtype=float32, weak_type=True)
    """
    y = k - loc
    powers = xlogy(y, p) + xlog1py(n - y, -p)
    inside = gammaln(n + 1) - (gammaln(y + 1) + gammaln(n - y + 1)) + powers
    sure = ((y == 0) & (n == 0)) | (powers == 0)
    return jnp.where((k >= loc) & (k < loc + n + 1), jnp.where(sure, 0.0, inside), -jnp.inf)


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability binomial(n, y) p^y (1 - p)^(n - y) of y = k - loc; n and p as of `binom.logpmf`.

    >>> jax.scipy.stats.binom.pmf(jnp.arange(4), 3, 0.25)
    Array([0.42187503, 0.42187503, 0.140625  , 0.015625  ],      dtype=float32, weak_type=True)
    """,
)
