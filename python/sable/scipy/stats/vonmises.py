"""The von Mises distribution of angles, of the density e^(kappa cos x) / (2 pi I_0(kappa))."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import i0e
from ._families import composed, method


@method(weak=True)
def logpdf(x: Any, kappa: Any) -> Any:
    """The logarithm of `pdf`; NaN where kappa is not positive.

    Args:
      x: angles in radians.
      kappa: the concentration.

    >>> jax.scipy.stats.vonmises.logpdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([-1.8022779 , -0.42318475, -4.671625  ], dtype=float32)
    """
    found = kappa * (jnp.cos(x) - 1) - jnp.log(2 * jnp.pi * i0e(kappa))
    return jnp.where(kappa > 0, found, jnp.nan)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^(kappa cos x) / (2 pi I_0(kappa)); x and kappa as of `vonmises.logpdf`.

    >>> jax.scipy.stats.vonmises.pdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([0.16492277, 0.6549576 , 0.00935705], dtype=float32)
    """,
)
