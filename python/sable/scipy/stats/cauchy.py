"""The Cauchy distribution, of the density 1 / (pi scale (1 + y^2)), y = (x - loc) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method


@method
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`.

    >>> jax.scipy.stats.cauchy.logpdf(jnp.array([-1.0, 0.0, 3.0]))
    Array([-1.8378772, -1.14473  , -3.4473152], dtype=float32)
    """
    return -(jnp.log(jnp.pi * scale) + jnp.log1p(jnp.square((x - loc) / scale)))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density 1 / (pi scale (1 + y^2)), y = (x - loc) / scale.

    >>> jax.scipy.stats.cauchy.pdf(jnp.array([-1.0, 0.0, 3.0]))
    Array([0.15915494, 0.31830987, 0.03183098], dtype=float32)
    """,
)


@method
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function 1/2 + arctan(y) / pi, as an angle between 0 and pi: accurate where it is tiny.

    >>> jax.scipy.stats.cauchy.cdf(jnp.array([-1.0, 0.0, 3.0]))
    Array([0.25     , 0.5      , 0.8975836], dtype=float32)
    """
    y = (loc - x) / scale
    return jnp.arctan2(jnp.ones_like(y), y) / jnp.pi


logcdf = composed(
    "logcdf",
    jnp.log,
    cdf,
    """The logarithm of `cdf`.

    >>> jax.scipy.stats.cauchy.logcdf(jnp.array([-1.0, 0.0, 3.0]))
    Array([-1.3862944 , -0.6931472 , -0.10804901], dtype=float32)
    """,
)


@method
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf, by symmetry.

    >>> jax.scipy.stats.cauchy.sf(jnp.array([-1.0, 0.0, 3.0]))
    Array([0.75      , 0.5       , 0.10241638], dtype=float32)
    """
    return cdf(-x, -loc, scale)


logsf = composed(
    "logsf",
    jnp.log,
    sf,
    """The logarithm of `sf`.

    >>> jax.scipy.stats.cauchy.logsf(jnp.array([-1.0, 0.0, 3.0]))
    Array([-0.2876821, -0.6931472, -2.2787087], dtype=float32)
    """,
)


@method
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc + scale tan(pi (q - 1/2)).

    >>> jax.scipy.stats.cauchy.ppf(jnp.array([0.25, 0.5, 0.75]))
    Array([-1.        ,  0.        ,  0.99999994], dtype=float32)
    """
    return loc + scale * jnp.tan(jnp.pi * q - jnp.pi / 2)


@method
def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`: loc + scale tan(pi (1/2 - q)).

    >>> jax.scipy.stats.cauchy.isf(jnp.array([0.25, 0.5, 0.75]))
    Array([ 1.        ,  0.        , -0.99999994], dtype=float32)
    """
    return loc + scale * jnp.tan(jnp.pi / 2 - jnp.pi * q)
