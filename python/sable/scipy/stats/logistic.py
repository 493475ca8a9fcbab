"""The logistic distribution, of the density e^-y / (scale (1 + e^-y)^2), y = (x - loc) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import expit, logit
from ._families import composed, method


@method
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`.

    >>> jax.scipy.stats.logistic.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.6265234, -1.3862944, -2.253856 ], dtype=float32)
    """
    half = (x - loc) / scale / 2
    return -2 * jnp.logaddexp(half, -half) - jnp.log(scale)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^-y / (scale (1 + e^-y)^2), y = (x - loc) / scale.

    >>> jax.scipy.stats.logistic.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.19661194, 0.25      , 0.10499359], dtype=float32)
    """,
)


@method(weak=True)
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function 1 / (1 + e^-y), y = (x - loc) / scale.

    >>> jax.scipy.stats.logistic.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.2689414, 0.5      , 0.880797 ], dtype=float32)
    """
    return expit((x - loc) / scale)


@method(weak=True)
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf: 1 / (1 + e^y), y = (x - loc) / scale.

    >>> jax.scipy.stats.logistic.sf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.7310586 , 0.5       , 0.11920293], dtype=float32)
    """
    return expit(-((x - loc) / scale))


@method
def ppf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc + scale log(x / (1 - x)), x a probability.

    >>> jax.scipy.stats.logistic.ppf(jnp.array([0.25, 0.5, 1.0]))
    Array([-1.0986123,  0.       ,        inf], dtype=float32)
    """
    return logit(x) * scale + loc


@method
def isf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`: loc - scale log(x / (1 - x)), x a probability.

    >>> jax.scipy.stats.logistic.isf(jnp.array([0.25, 0.5, 1.0]))
    Array([1.0986123, 0.       ,      -inf], dtype=float32)
    """
    return -logit(x) * scale + loc
