"""The beta distribution, of the density y^(a - 1) (1 - y)^(b - 1) / (B(a, b) scale), y = (x - loc) / scale,."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import betainc, betaln, xlog1py, xlogy
from ._families import composed, method


@method
def logpdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`: -inf outside of the support, NaN where a, b or scale is not positive.

    Args:
      a, b: the exponents at both ends, positive.

    >>> jax.scipy.stats.beta.logpdf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([0.5232482 , 0.40546513,       -inf], dtype=float32)
    """
    y = (x - loc) / scale
    inside = xlogy(a - 1, y) + xlog1py(b - 1, -y) - betaln(a, b) - jnp.log(scale)
    found = jnp.where((x > loc + scale) | (x < loc), -jnp.inf, inside)
    return jnp.where((a <= 0) | (b <= 0) | (scale <= 0), jnp.nan, found)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density y^(a - 1) (1 - y)^(b - 1) / (B(a, b) scale), y = (x - loc) / scale; a and b as of `beta.logpdf`.

    >>> jax.scipy.stats.beta.pdf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([1.6875001, 1.5      , 0.       ], dtype=float32)
    """,
)


def _within(x: Any, loc: Any, scale: Any) -> Any:
    return jnp.clip((x - loc) / scale, 0, 1)


@method
def cdf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function I_y(a, b), y = (x - loc) / scale (`betainc`); derivatives in a and b are refused.

    Args:
      a, b: as of `beta.logpdf`.

    >>> jax.scipy.stats.beta.cdf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([0.26171875, 0.6875    , 1.        ], dtype=float32)
    """
    return betainc(a, b, _within(x, loc, scale))


logcdf = composed(
    "logcdf",
    jnp.log,
    cdf,
    """The logarithm of `cdf`; a and b as of `beta.logpdf`.

    >>> jax.scipy.stats.beta.logcdf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([-1.3404849 , -0.37469345,  0.        ], dtype=float32)
    """,
)


@method
def sf(x: Any, a: Any, b: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf, by symmetry I_(1 - y)(b, a), accurate where it is tiny.

    Args:
      a, b: as of `beta.logpdf`.

    >>> jax.scipy.stats.beta.sf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([0.73828125, 0.3125    , 0.        ], dtype=float32)
    """
    return betainc(b, a, 1 - _within(x, loc, scale))


logsf = composed(
    "logsf",
    jnp.log,
    sf,
    """The logarithm of `sf`; a and b as of `beta.logpdf`.

    >>> jax.scipy.stats.beta.logsf(jnp.array([0.25, 0.5, 2.0]), 2.0, 3.0)
    Array([-0.30343047, -1.1631508 ,        -inf], dtype=float32)
    """,
)
