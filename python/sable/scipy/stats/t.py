"""Student's t distribution of df degrees of freedom, of a density proportional to (1 + y^2 / df)^(-(df + 1) / 2)."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammaln
from ._families import composed, method


@method
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`.

    Args:
      df: degrees of freedom, positive.

    >>> jax.scipy.stats.t.logpdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([-1.5762529, -1.0008888, -2.6954846], dtype=float32)
    """
    half = (df + 1) / 2
    normalizer = gammaln(df / 2) - gammaln(half) + jnp.log(jnp.pi * df * jnp.square(scale)) / 2
    return -(normalizer + half * jnp.log1p(jnp.square((x - loc) / scale) / df))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density gamma((df + 1)/2) / (gamma(df/2) sqrt(pi df) scale) (1 + y^2/df)^(-(df + 1)/2), y = (x - loc) / scale.

    df as of `t.logpdf`.

    >>> jax.scipy.stats.t.pdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([0.20674834, 0.36755258, 0.06750966], dtype=float32)
    """,
)
