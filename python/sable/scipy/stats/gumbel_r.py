"""The Gumbel distribution of maxima, of the density e^(y - e^y) / scale, y = (loc - x) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, log1mexp, method


def _where_positive(scale: Any, found: Any) -> Any:
    return jnp.where(scale > 0, found, jnp.nan)


@method(weak=True)
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; this and all others are NaN where scale is not positive.

    >>> jax.scipy.stats.gumbel_r.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.718282 , -1.       , -2.1353352], dtype=float32)
    """
    y = (loc - x) / scale
    return _where_positive(scale, y - jnp.exp(y) - jnp.log(scale))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^(y - e^y) / scale, y = (loc - x) / scale.

    >>> jax.scipy.stats.gumbel_r.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.17937404, 0.36787942, 0.11820496], dtype=float32)
    """,
)


@method(weak=True)
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`: -e^y, y = (loc - x) / scale.

    >>> jax.scipy.stats.gumbel_r.logcdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-2.718282  , -1.        , -0.13533528], dtype=float32)
    """
    return _where_positive(scale, -jnp.exp((loc - x) / scale))


cdf = composed(
    "cdf",
    jnp.exp,
    logcdf,
    """The distribution function: e^(-e^y), y = (loc - x) / scale.

    >>> jax.scipy.stats.gumbel_r.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.06598803, 0.36787942, 0.87342304], dtype=float32)
    """,
)


@method
def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf: 1 - e^(-e^y), y = (loc - x) / scale, accurate where it is tiny.

    >>> jax.scipy.stats.gumbel_r.sf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.934012  , 0.63212055, 0.12657697], dtype=float32)
    """
    return _where_positive(scale, -jnp.expm1(-jnp.exp((loc - x) / scale)))


@method(weak=True)
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`: log(1 - e^(-e^y)), y = (loc - x) / scale.

    >>> jax.scipy.stats.gumbel_r.logsf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-0.06826602, -0.45867512, -2.0669045 ], dtype=float32)
    """
    return _where_positive(scale, log1mexp(jnp.exp((loc - x) / scale)))


@method(weak=True)
def ppf(p: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc - scale log(-log(p)); NaN outside of 0 < p < 1.

    Args:
      p: probabilities.

    >>> jax.scipy.stats.gumbel_r.ppf(jnp.array([0.25, 0.5, 1.5]))
    Array([-0.32663426,  0.36651292,         nan], dtype=float32)
    """
    return jnp.where((p > 0) & (p < 1), loc - scale * jnp.log(-jnp.log(p)), jnp.nan)
