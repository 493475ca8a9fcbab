"""The Dirichlet distribution of points whose coordinates are positive and sum to 1."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.core.operands import promote_dtypes
from sable.library.declare import library

from ..special import gammaln, xlogy
from ._families import composed

#: How far a sum may be from 1.
_TOLERANCE = 1e-6


@library(operands=("x", "alpha"))
def logpdf(x: Any, alpha: Any) -> Any:
    """The logarithm of `pdf`; -inf where x has a coordinate that is not positive, or they do not sum to 1.

    Args:
      x: (n, ...) coordinates, or (n - 1, ...), the last being what is left to 1.
      alpha: (n,) exponents, positive.

    Returns:
      An array of the shape of x without its first dimension.

    Raises:
      ValueError: alpha is no vector, or x does not have its length.

    >>> jax.scipy.stats.dirichlet.logpdf(jnp.array([0.25, 0.75]), jnp.array([2.0, 3.0]))
    Array(0.5232482, dtype=float32)
    """
    point, exponents = promote_dtypes([jnp.asarray(x), jnp.asarray(alpha)], "inexact")
    if exponents.ndim != 1:
        raise ValueError(f"`alpha` must be one-dimensional; got alpha.shape={exponents.shape}")
    n = exponents.shape[0]
    if point.shape[0] not in (n, n - 1):
        raise ValueError(
            f"`x` must have as many entries as `alpha`, or one fewer; got x.shape={point.shape}, "
            f"alpha.shape={exponents.shape}"
        )
    if point.shape[0] != n:
        point = jnp.concatenate([point, 1 - jnp.sum(point, axis=0, keepdims=True)])
    normalizer = jnp.sum(gammaln(exponents)) - gammaln(jnp.sum(exponents))
    exponents = exponents.reshape(n, *[1] * (point.ndim - 1))
    found = jnp.sum(xlogy(exponents - 1, point), axis=0) - normalizer
    inside = jnp.all(point > 0, axis=0) & (jnp.abs(jnp.sum(point, axis=0) - 1) < _TOLERANCE)
    return jnp.where(inside, found, -jnp.inf)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density gamma(sum alpha) prod x_i^(alpha_i - 1) / gamma(alpha_i); x and alpha as of `dirichlet.logpdf`.

    >>> jax.scipy.stats.dirichlet.pdf(jnp.array([0.25, 0.75]), jnp.array([2.0, 3.0]))
    Array(1.6875001, dtype=float32)
    """,
)
