"""The Bernoulli distribution: 1 with probability p, else 0."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import xlog1py, xlogy
from ._families import composed, method, where_probability


@method
def logpmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`; -inf where k - loc < 0 or > 1.

    Args:
      p: the probability of 1.

    >>> jax.scipy.stats.bernoulli.logpmf(jnp.array([0, 1, 2]), 0.25)
    Array([-0.28768206, -1.3862944 ,        -inf], dtype=float32)
    """
    n = k - loc
    return jnp.where((n < 0) | (n > 1), -jnp.inf, xlogy(n, p) + xlog1py(1 - n, -p))


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability p^n (1 - p)^(1 - n) of n = k - loc; p as of `bernoulli.logpmf`.

    >>> jax.scipy.stats.bernoulli.pmf(jnp.array([0, 1, 2]), 0.25)
    Array([0.75, 0.25, 0.  ], dtype=float32)
    """,
)


@method
def cdf(k: Any, p: Any) -> Any:
    """The probability of k or less: 0 below 0, 1 - p below 1, then 1; NaN where p is no probability.

    Args:
      p: the probability of 1.

    >>> jax.scipy.stats.bernoulli.cdf(jnp.array([-1, 0, 1]), 0.25)
    Array([0.  , 0.75, 1.  ], dtype=float32)
    """
    wrong = jnp.isnan(k) | jnp.isnan(p) | (p < 0) | (p > 1)
    return jnp.where(wrong, jnp.nan, jnp.where(k < 0, 0, jnp.where(k < 1, 1 - p, 1)))


@method
def ppf(q: Any, p: Any) -> Any:
    """The inverse of `cdf`: 0 up to 1 - p, then 1; NaN where q or p is no probability.

    Args:
      p: the probability of 1.

    >>> jax.scipy.stats.bernoulli.ppf(jnp.array([0.5, 0.75, 0.9]), 0.25)
    Array([0., 0., 1.], dtype=float32)
    """
    return where_probability(q, where_probability(p, jnp.where(q <= 1 - p, jnp.zeros_like(q), jnp.ones_like(q))))
