"""The normal distribution, of the density e^(-y^2 / 2) / (scale sqrt(2 pi)), y = (x - loc) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.core.dtypes import default_dtype
from sable.library.declare import library

from ..special import log_ndtr, ndtr, ndtri
from ._families import composed, method


@method
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`: -((x - loc)^2 / scale^2 + log(2 pi scale^2)) / 2.

    >>> jax.scipy.stats.norm.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.4189386, -0.9189386, -2.9189386], dtype=float32)
    """
    variance = jnp.square(scale)
    return (jnp.log(2 * jnp.pi * variance) + jnp.square(x - loc) / variance) / -2


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^(-y^2 / 2) / (scale sqrt(2 pi)), y = (x - loc) / scale.

    >>> jax.scipy.stats.norm.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.2419707 , 0.39894223, 0.05399096], dtype=float32)
    """,
)


@method
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function (`ndtr`).

    >>> jax.scipy.stats.norm.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.15865526, 0.5       , 0.97724986], dtype=float32)
    """
    return ndtr((x - loc) / scale)


@method
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`, accurate where that is tiny (`log_ndtr`).

    >>> jax.scipy.stats.norm.logcdf(jnp.array([-30.0, 0.0, 2.0]))
    Array([-4.5432123e+02, -6.9314718e-01, -2.3012916e-02], dtype=float32)
    """
    return log_ndtr((x - loc) / scale)


@method
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf, by symmetry.

    >>> jax.scipy.stats.norm.sf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.8413447 , 0.5       , 0.02275013], dtype=float32)
    """
    return cdf(-x, -loc, scale)


@method
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`.

    >>> jax.scipy.stats.norm.logsf(jnp.array([-1.0, 0.0, 30.0]))
    Array([-1.7275383e-01, -6.9314718e-01, -4.5432123e+02], dtype=float32)
    """
    return logcdf(-x, -loc, scale)


@library(operands=("q", "loc", "scale"))
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf` (`ndtri`); NaN where q is no probability, -inf and inf at 0 and 1.

    Returns:
      An array of the default floating dtype.

    Raises:
      TypeError: q is neither float32 nor float64.

    >>> jax.scipy.stats.norm.ppf(jnp.array([0.25, 0.5, 1.5]))
    Array([-0.6744896,  0.       ,        nan], dtype=float32)
    """
    return jnp.asarray(ndtri(q) * scale + loc, dtype=default_dtype("f"))


@library(operands=("q", "loc", "scale"))
def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`: ppf(1 - q).

    >>> jax.scipy.stats.norm.isf(jnp.array([0.25, 0.5, 1.5]))
    Array([0.6744896, 0.       ,       nan], dtype=float32)
    """
    return ppf(1 - jnp.asarray(q), loc, scale)
