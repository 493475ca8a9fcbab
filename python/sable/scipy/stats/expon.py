"""The exponential distribution, of the density e^-y / scale, y = (x - loc) / scale, for x >= loc."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method, where_probability


@method(weak=True)
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; -inf where x < loc.

    >>> jax.scipy.stats.expon.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-inf,  -0.,  -2.], dtype=float32)
    """
    return jnp.where(x < loc, -jnp.inf, -((x - loc) / scale + jnp.log(scale)))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^-y / scale, y = (x - loc) / scale.

    >>> jax.scipy.stats.expon.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.        , 1.        , 0.13533528], dtype=float32)
    """,
)


@method(weak=True)
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function 1 - e^-y, y = (x - loc) / scale.

    >>> jax.scipy.stats.expon.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([ 0.        , -0.        ,  0.86466473], dtype=float32)
    """
    return jnp.where(x < loc, 0, -jnp.expm1((loc - x) / scale))


@method(weak=True)
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`: (loc - x) / scale, 0 where x < loc.

    >>> jax.scipy.stats.expon.logsf(jnp.array([-1.0, 0.0, 2.0]))
    Array([ 0.,  0., -2.], dtype=float32)
    """
    return jnp.where(x < loc, 0, (loc - x) / scale)


sf = composed(
    "sf",
    jnp.exp,
    logsf,
    """1 - cdf: e^-y, y = (x - loc) / scale.

    >>> jax.scipy.stats.expon.sf(jnp.array([-1.0, 0.0, 2.0]))
    Array([1.        , 1.        , 0.13533528], dtype=float32)
    """,
)

logcdf = composed(
    "logcdf",
    lambda tail: jnp.log1p(-tail),
    sf,
    """The logarithm of `cdf`.

    >>> jax.scipy.stats.expon.logcdf(jnp.array([-1.0, 0.5, 2.0]))
    Array([       -inf, -0.93275213, -0.14541346], dtype=float32)
    """,
)


@method(weak=True)
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc - scale log(1 - q); NaN where q is no probability.

    >>> jax.scipy.stats.expon.ppf(jnp.array([0.25, 0.5, 1.5]))
    Array([0.28768206, 0.6931472 ,        nan], dtype=float32)
    """
    return where_probability(q, loc - scale * jnp.log1p(-q))
