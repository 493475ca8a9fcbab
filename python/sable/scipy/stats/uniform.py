"""The uniform distribution on [loc, loc + scale]; all arguments broadcast."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.library.declare import library


@library(operands=("x", "loc", "scale"), promotion="inexact")
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density: -log(scale) inside, -inf outside."""
    outside = (x > loc + scale) | (x < loc)
    return jnp.where(outside, -jnp.inf, -jnp.log(scale))


@library(operands=("x", "loc", "scale"))
def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return jnp.exp(logpdf(x, loc, scale))


@library(operands=("x", "loc", "scale"), promotion="inexact")
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function."""
    inner = (x - loc) / scale
    return jnp.where(x <= loc, 0.0, jnp.where(x >= loc + scale, 1.0, inner))


@library(operands=("q", "loc", "scale"), promotion="inexact")
def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`; NaN outside of [0, 1]."""
    return jnp.where((q < 0) | (q > 1), jnp.nan, q * scale + loc)
