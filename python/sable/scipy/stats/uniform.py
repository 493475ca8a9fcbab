"""The uniform distribution on [loc, loc + scale]; all arguments broadcast."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import _inexact


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Logarithm of the density: -log(scale) inside, -inf outside."""
    x, loc, scale = _inexact(x, loc, scale)
    outside = (x > loc + scale) | (x < loc)
    return jnp.where(outside, -jnp.inf, -jnp.log(scale))


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """Density."""
    return jnp.exp(logpdf(x, loc, scale))
