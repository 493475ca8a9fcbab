"""The uniform distribution on [loc, loc + scale]."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method, where_probability


@method(weak=True)
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`: -log(scale) inside, -inf outside.

    >>> jax.scipy.stats.uniform.logpdf(jnp.array([-1.0, 0.0, 1.5]), 0.0, 2.0)
    Array([      -inf, -0.6931472, -0.6931472], dtype=float32)
    """
    return jnp.where((x > loc + scale) | (x < loc), -jnp.inf, -jnp.log(scale))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density 1 / scale.

    >>> jax.scipy.stats.uniform.pdf(jnp.array([-1.0, 0.0, 1.5]), 0.0, 2.0)
    Array([0. , 0.5, 0.5], dtype=float32)
    """,
)


@method
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function (x - loc) / scale, 0 below and 1 above.

    >>> jax.scipy.stats.uniform.cdf(jnp.array([-1.0, 0.0, 1.5]), 0.0, 2.0)
    Array([0.  , 0.  , 0.75], dtype=float32)
    """
    end = loc + scale
    inside = (x >= loc) & (x <= end)
    return jnp.where(x < loc, 0, jnp.where(x > end, 1, jnp.where(inside, (x - loc) / scale, 0)))


@method(weak=True)
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc + scale q; NaN where q is no probability.

    >>> jax.scipy.stats.uniform.ppf(jnp.array([0.25, 0.5, 1.5]), 0.0, 2.0)
    Array([0.5, 1. , nan], dtype=float32)
    """
    return where_probability(q, loc + scale * q)
