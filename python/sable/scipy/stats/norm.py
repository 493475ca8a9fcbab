"""The normal distribution; `loc` is the mean, `scale` the standard deviation, all arguments broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp

from ..special import _inexact, ndtr


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density: -((x - loc)² / scale² + log(2 π scale²)) / 2."""
    x, loc, scale = _inexact(x, loc, scale)
    squared = jnp.square(scale)
    normalizer = jnp.log(jnp.asarray(2 * np.pi, x.dtype) * squared)
    return (normalizer + jnp.square(x - loc) / squared) / jnp.asarray(-2, x.dtype)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Density."""
    return jnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Cumulative distribution."""
    x, loc, scale = _inexact(x, loc, scale)
    return ndtr((x - loc) / scale)


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf."""
    return cdf(-jnp.asarray(x), -jnp.asarray(loc), scale)
