"""The normal distribution; `loc` is the mean, `scale` the standard deviation, all arguments broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.library.declare import library

from ..special import log_ndtr, ndtr


@library(operands=("x", "loc", "scale"), promotion="inexact")
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density: -((x - loc)**2 / scale**2 + log(2 pi scale**2)) / 2."""
    squared = jnp.square(scale)
    normalizer = jnp.log(2 * np.pi * squared)
    return (normalizer + jnp.square(x - loc) / squared) / -2


@library(operands=("x", "loc", "scale"))
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))


@library(operands=("x", "loc", "scale"), promotion="inexact")
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function."""
    return ndtr((x - loc) / scale)


@library(operands=("x", "loc", "scale"), promotion="inexact")
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the distribution function, accurate where that is tiny."""
    return log_ndtr((x - loc) / scale)


@library(operands=("x", "loc", "scale"), promotion="inexact")
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf."""
    return cdf(-x, -loc, scale)


@library(operands=("x", "loc", "scale"), promotion="inexact")
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return logcdf(-x, -loc, scale)
