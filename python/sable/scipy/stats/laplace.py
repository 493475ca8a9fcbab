"""The Laplace distribution, of the density e^-|y| / (2 scale), y = (x - loc) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method


@method
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`.

    >>> jax.scipy.stats.laplace.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.6931472, -0.6931472, -2.6931472], dtype=float32)
    """
    return -(jnp.abs(x - loc) / scale + jnp.log(2 * scale))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^-|y| / (2 scale), y = (x - loc) / scale.

    >>> jax.scipy.stats.laplace.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.18393971, 0.5       , 0.06766764], dtype=float32)
    """,
)


@method
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function: e^y / 2 up to y = (x - loc) / scale = 0, then 1 - e^-y / 2.

    >>> jax.scipy.stats.laplace.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.18393971, 0.5       , 0.93233234], dtype=float32)
    """
    y = (x - loc) / scale
    return jnp.where(y <= 0, 0.5 * jnp.exp(y), 1 - 0.5 * jnp.exp(-y))
