"""The gamma distribution, of the density y^(a - 1) e^-y / (gamma(a) scale), y = (x - loc) / scale, for x >= loc."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammainc, gammaincc, gammaln, xlogy
from ._families import composed, method


@method
def logpdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; -inf where x < loc.

    Args:
      a: the shape, positive.

    >>> jax.scipy.stats.gamma.logpdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([      -inf, -1.1931472, -1.3068528], dtype=float32)
    """
    inside = x >= loc
    y = jnp.where(inside, (x - loc) / scale, 1)
    return jnp.where(inside, xlogy(a - 1, y) - y - (gammaln(a) + jnp.log(scale)), -jnp.inf)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density y^(a - 1) e^-y / (gamma(a) scale), y = (x - loc) / scale; a as of `gamma.logpdf`.

    >>> jax.scipy.stats.gamma.pdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([0.        , 0.30326533, 0.27067056], dtype=float32)
    """,
)


@method
def cdf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function P(a, y), y = (x - loc) / scale (`gammainc`).

    Args:
      a: as of `gamma.logpdf`.

    >>> jax.scipy.stats.gamma.cdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([0.        , 0.09020401, 0.59399414], dtype=float32)
    """
    return gammainc(a, jnp.maximum((x - loc) / scale, 0))


logcdf = composed(
    "logcdf",
    jnp.log,
    cdf,
    """The logarithm of `cdf`; a as of `gamma.logpdf`.

    >>> jax.scipy.stats.gamma.logcdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([      -inf, -2.4056814, -0.5208858], dtype=float32)
    """,
)


@method(weak=True)
def sf(x: Any, a: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf: Q(a, y), y = (x - loc) / scale (`gammaincc`), accurate where it is tiny.

    Args:
      a: as of `gamma.logpdf`.

    >>> jax.scipy.stats.gamma.sf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([1.        , 0.909796  , 0.40600586], dtype=float32)
    """
    y = (x - loc) / scale
    return jnp.where(y < 0, 1, gammaincc(a, y))


logsf = composed(
    "logsf",
    jnp.log,
    sf,
    """The logarithm of `sf`; a as of `gamma.logpdf`.

    >>> jax.scipy.stats.gamma.logsf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([ 0.        , -0.09453488, -0.9013877 ], dtype=float32)
    """,
)
