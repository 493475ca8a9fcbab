"""The wrapped Cauchy distribution of angles in [0, 2 pi], of the density (1 - c^2) / (2 pi (1 + c^2 - 2 c cos x))."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, method


@method(weak=True)
def logpdf(x: Any, c: Any) -> Any:
    """The logarithm of `pdf`: -inf outside of 0 <= x <= 2 pi, NaN outside of 0 < c < 1.

    Args:
      x: angles in radians.
      c: the concentration, between 0 and 1.

    >>> jax.scipy.stats.wrapcauchy.logpdf(jnp.array([-1.0, 0.0, 2.0]), 0.5)
    Array([       -inf, -0.73926497, -2.636073  ], dtype=float32)
    """
    inside = jnp.log(1 - c * c) - jnp.log(2 * jnp.pi) - jnp.log(1 + c * c - 2 * c * jnp.cos(x))
    found = jnp.where((x >= 0) & (x <= 2 * jnp.pi), inside, -jnp.inf)
    return jnp.where((c > 0) & (c < 1), found, jnp.nan)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density (1 - c^2) / (2 pi (1 + c^2 - 2 c cos x)); x and c as of `wrapcauchy.logpdf`.

    >>> jax.scipy.stats.wrapcauchy.pdf(jnp.array([-1.0, 0.0, 2.0]), 0.5)
    Array([0.        , 0.47746477, 0.07164205], dtype=float32)
    """,
)
