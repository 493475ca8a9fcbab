"""The Pareto distribution, of the density b y^(-b - 1) / scale, y = (x - loc) / scale, for y >= 1."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method, where_probability


@method
def logpdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; -inf where x < loc + scale.

    Args:
      b: the exponent of the tail, positive.

    >>> jax.scipy.stats.pareto.logpdf(jnp.array([0.5, 1.0, 2.0]), 2.0)
    Array([      -inf,  0.6931472, -1.3862944], dtype=float32)
    """
    inside = -(jnp.log(scale / b) + (b + 1) * jnp.log((x - loc) / scale))
    return jnp.where(x < loc + scale, -jnp.inf, inside)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density b y^(-b - 1) / scale, y = (x - loc) / scale; b as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.pdf(jnp.array([0.5, 1.0, 2.0]), 2.0)
    Array([0.  , 2.  , 0.25], dtype=float32)
    """,
)


@method
def logsf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`: -b log(y), y = (x - loc) / scale, 0 where y < 1.

    Args:
      b: as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.logsf(jnp.array([0.5, 1.0, 2.0]), 2.0)
    Array([ 0.       , -0.       , -1.3862944], dtype=float32)
    """
    return jnp.where(x < loc + scale, 0, -(b * jnp.log((x - loc) / scale)))


sf = composed(
    "sf",
    jnp.exp,
    logsf,
    """1 - cdf: y^-b, y = (x - loc) / scale; b as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.sf(jnp.array([0.5, 1.0, 2.0]), 2.0)
    Array([1.  , 1.  , 0.25], dtype=float32)
    """,
)


@method
def cdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function 1 - y^-b, y = (x - loc) / scale, 0 where y < 1.

    Args:
      b: as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.cdf(jnp.array([0.5, 1.0, 2.0]), 2.0)
    Array([0.  , 0.  , 0.75], dtype=float32)
    """
    return jnp.where(x < loc + scale, 0, -jnp.expm1(-b * jnp.log((x - loc) / scale)))


@method(weak=True)
def logcdf(x: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`: log(1 - y^-b), y = (x - loc) / scale, -inf where y < 1.

    Args:
      b: as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.logcdf(jnp.array([0.5, 1.5, 2.0]), 2.0)
    Array([       -inf, -0.5877867 , -0.28768206], dtype=float32)
    """
    return jnp.where(x < loc + scale, -jnp.inf, jnp.log1p(-(((x - loc) / scale) ** -b)))


@method
def ppf(q: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc + scale (1 - q)^(-1/b); NaN where q is no probability.

    Args:
      b: as of `pareto.logpdf`.

    >>> jax.scipy.stats.pareto.ppf(jnp.array([0.0, 0.75, 1.5]), 2.0)
    Array([ 1.,  2., nan], dtype=float32)
    """
    return where_probability(q, loc + scale * (1 - q) ** (-1 / b))
