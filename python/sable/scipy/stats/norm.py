"""The normal distribution; `loc` is the mean, `scale` the standard deviation, all arguments broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp

from ..special import inexact, log_ndtr, ndtr


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density: -((x - loc)**2 / scale**2 + log(2 pi scale**2)) / 2."""
    x, loc, scale = inexact("norm.logpdf", x, loc, scale)
    squared = jnp.square(scale)
    normalizer = jnp.log(2 * np.pi * squared)
    return (normalizer + jnp.square(x - loc) / squared) / -2


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function."""
    x, loc, scale = inexact("norm.cdf", x, loc, scale)
    return ndtr((x - loc) / scale)


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the distribution function, accurate where that is tiny."""
    x, loc, scale = inexact("norm.logcdf", x, loc, scale)
    return log_ndtr((x - loc) / scale)


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf."""
    x, loc, scale = inexact("norm.sf", x, loc, scale)
    return cdf(-x, -loc, scale)


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    x, loc, scale = inexact("norm.logsf", x, loc, scale)
    return logcdf(-x, -loc, scale)
