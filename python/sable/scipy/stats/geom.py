"""The geometric distribution: the number of trials with the probability p up to the first success."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import xlog1py
from ._families import composed, method


@method
def logpmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`; -inf where k - loc <= 0.

    Args:
      p: the probability of a success.

    >>> jax.scipy.stats.geom.logpmf(jnp.arange(3), 0.25)
    Array([      -inf, -1.3862944, -1.6739764], dtype=float32)
    """
    n = k - loc
    return jnp.where(n <= 0, -jnp.inf, xlog1py(n - 1, -p) + jnp.log(p))


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability (1 - p)^(n - 1) p of n = k - loc; p as of `geom.logpmf`.

    >>> jax.scipy.stats.geom.pmf(jnp.arange(3), 0.25)
    Array([0.    , 0.25  , 0.1875], dtype=float32)
    """,
)
