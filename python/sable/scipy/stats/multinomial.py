"""The multinomial distribution: how many of n trials have each of several outcomes."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.core.operands import array_arguments, convert, promote_dtypes
from sable.library.declare import library

from ..special import gammaln, xlogy
from ._families import composed


@library(operands=("x", "n", "p"))
def logpmf(x: Any, n: Any, p: Any) -> Any:
    """The logarithm of `pmf`; -inf where the counts do not sum to n.

    Args:
      x: (..., k) counts, integers.
      n: number of trials, an integer.
      p: (..., k) probabilities of the outcomes.

    Raises:
      ValueError: x or n is no integer.

    >>> jax.scipy.stats.multinomial.logpmf(jnp.array([1, 2]), 3, jnp.array([0.25, 0.75]))
    Array(-0.86304617, dtype=float32)
    """
    (p,) = promote_dtypes(array_arguments("multinomial.logpmf", p), "inexact")
    x, n = promote_dtypes(array_arguments("multinomial.logpmf", x, n), "numeric")
    if x.dtype.kind not in "iu":
        raise ValueError(f"x and n must be of integer type; got x.dtype={x.dtype}, n.dtype={n.dtype}")
    x, n = convert(x, p.dtype), convert(n, p.dtype)
    found = gammaln(n + 1) + jnp.sum(xlogy(x, p) - gammaln(x + 1), axis=-1)
    return jnp.where(jnp.sum(x) == n, found, -jnp.inf)


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability n! prod p_i^x_i / x_i!; x, n and p as of `multinomial.logpmf`.

    >>> jax.scipy.stats.multinomial.pmf(jnp.array([1, 2]), 3, jnp.array([0.25, 0.75]))
    Array(0.42187503, dtype=float32)
    """,
)
