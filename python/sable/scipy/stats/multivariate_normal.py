"""The normal distribution of vectors."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.core.operands import promote_dtypes
from sable.lax import linalg
from sable.library.declare import library


@library(operands=("x", "mean", "cov"))
def logpdf(x: Any, mean: Any, cov: Any, allow_singular: None = None) -> Any:
    """The logarithm of `pdf`; NaN where cov is not positive definite.

    Args:
      x: (..., n); of a scalar mean of any shape.
      mean: (..., n), or a scalar.
      cov: (..., n, n) covariances, or a scalar: the variance of each component.
      allow_singular: must be None.

    Returns:
      An array of the batch dimensions.

    Raises:
      ValueError: cov is neither a scalar nor (..., n, n).
      NotImplementedError: allow_singular is given.

    >>> jax.scipy.stats.multivariate_normal.logpdf(jnp.array([0.5, -1.0]), jnp.zeros(2), jnp.eye(2))
    Array(-2.4628773, dtype=float32)
    """
    if allow_singular is not None:
        raise NotImplementedError("allow_singular argument of multivariate_normal.logpdf")
    x, mean, cov = promote_dtypes([jnp.asarray(v) for v in (x, mean, cov)], "inexact")
    if mean.ndim == 0:
        return -0.5 * jnp.square(x - mean) / cov - 0.5 * (jnp.log(2 * jnp.pi) + jnp.log(cov))
    n = mean.shape[-1]
    difference = x - mean
    if cov.ndim == 0:
        return -0.5 * _square(difference) / cov - n / 2 * (jnp.log(2 * jnp.pi) + jnp.log(cov))
    if cov.ndim < 2 or cov.shape[-2:] != (n, n):
        raise ValueError("multivariate_normal.logpdf got incompatible shapes")
    factor = linalg.cholesky(cov)
    whitened = _whitened(factor, difference)
    log_root = jnp.sum(jnp.log(jnp.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)
    return -0.5 * _square(whitened) - n / 2 * jnp.log(2 * jnp.pi) - log_root


def _square(v: Any) -> Any:
    return jnp.sum(v * v, axis=-1)


def _whitened(factor: Any, v: Any) -> Any:
    """L^-1 v of triangular matrices L and vectors, whose batch dimensions meet."""
    batch = jnp.broadcast_shapes(factor.shape[:-2], v.shape[:-1])
    factor = jnp.broadcast_to(factor, batch + factor.shape[-2:])
    v = jnp.broadcast_to(v, batch + v.shape[-1:])
    return linalg.triangular_solve(factor, v[..., None], left_side=True, lower=True)[..., 0]


@library(operands=("x", "mean", "cov"))
def pdf(x: Any, mean: Any, cov: Any) -> Any:
    """The density e^(-|L^-1 (x - mean)|^2 / 2) / ((2 pi)^(n/2) |L|), L the Cholesky factor of cov.

    Args:
      x, mean, cov: as of `multivariate_normal.logpdf`.

    >>> jax.scipy.stats.multivariate_normal.pdf(jnp.array([0.5, -1.0]), jnp.zeros(2), jnp.eye(2))
    Array(0.08518948, dtype=float32)
    """
    return jnp.exp(logpdf(x, mean, cov))
