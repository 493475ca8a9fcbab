"""The normal distribution of mean loc and deviation scale, kept to loc + scale a <= x <= loc + scale b."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import log_ndtr, ndtr
from . import norm
from ._families import composed, log1mexp, method

#: From this log cdf on, upwards, it is computed from the log sf.
_NEAR_ONE = -0.1


def _log_mass(a: Any, b: Any) -> Any:
    """log(ndtr(b) - ndtr(a)): in the left tail as a difference of logarithms, in the right tail by symmetry."""
    right = a > 0
    lower, upper = log_ndtr(jnp.where(right, -b, a)), log_ndtr(jnp.where(right, -a, b))
    apart = jnp.where(lower == -jnp.inf, jnp.inf, upper - lower)
    central = jnp.log1p(-ndtr(a) - ndtr(-b))
    return jnp.where((b <= 0) | right, upper + log1mexp(apart), central)


@method
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`: -inf outside of the support, NaN where a >= b.

    Args:
      a, b: where it ends, in deviations from the mean.

    >>> jax.scipy.stats.truncnorm.logpdf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([       -inf, -0.30422354,        -inf], dtype=float32)
    """
    y = (x - loc) / scale
    inside = norm.logpdf(x, loc, scale) - _log_mass(a, b)
    found = jnp.where((y < a) | (y > b), -jnp.inf, inside)
    return jnp.where(a >= b, jnp.nan, found)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density norm.pdf(x, loc, scale) / (ndtr(b) - ndtr(a)); a and b as of `truncnorm.logpdf`.

    >>> jax.scipy.stats.truncnorm.pdf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([0.        , 0.73769593, 0.        ], dtype=float32)
    """,
)


@method
def logcdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`; a and b as of `truncnorm.logpdf`.

    >>> jax.scipy.stats.truncnorm.logcdf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([       -inf, -0.91334844,  0.        ], dtype=float32)
    """
    y = (x - loc) / scale
    whole = _log_mass(a, b)
    below, above = _log_mass(a, y) - whole, _log_mass(y, b) - whole
    found = jnp.where(below > _NEAR_ONE, jnp.log1p(-jnp.exp(above)), jnp.where(y > a, below, 0))
    found = jnp.where(y >= b, 0, jnp.where(y <= a, -jnp.inf, found))
    return jnp.where(a >= b, jnp.nan, found)


cdf = composed(
    "cdf",
    jnp.exp,
    logcdf,
    """The distribution function (ndtr(y) - ndtr(a)) / (ndtr(b) - ndtr(a)), y = (x - loc) / scale.

    a and b as of `truncnorm.logpdf`.

    >>> jax.scipy.stats.truncnorm.cdf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([0.        , 0.40117866, 1.        ], dtype=float32)
    """,
)


@method
def logsf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`, by symmetry; a and b as of `truncnorm.logpdf`.

    >>> jax.scipy.stats.truncnorm.logsf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([ 0.      , -0.512792,      -inf], dtype=float32)
    """
    jnp.broadcast_shapes(*map(jnp.shape, (x, a, b, loc, scale)))  # which says what does not fit
    return logcdf(-x, -b, -a, -loc, scale)


sf = composed(
    "sf",
    jnp.exp,
    logsf,
    """1 - cdf; a and b as of `truncnorm.logpdf`.

    >>> jax.scipy.stats.truncnorm.sf(jnp.array([-1.0, 0.5, 3.0]), 0.0, 2.0)
    Array([1.        , 0.59882134, 0.        ], dtype=float32)
    """,
)
