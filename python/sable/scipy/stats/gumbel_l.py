"""The Gumbel distribution of minima, of the density e^(y - e^y) / scale, y = (x - loc) / scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ._families import composed, log1mexp, method


def _where_positive(scale: Any, found: Any) -> Any:
    return jnp.where(scale > 0, found, jnp.nan)


@method(weak=True)
def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; this and all others are NaN where scale is not positive.

    >>> jax.scipy.stats.gumbel_l.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.3678794, -1.       , -5.3890557], dtype=float32)
    """
    y = (x - loc) / scale
    return _where_positive(scale, y - jnp.exp(y) - jnp.log(scale))


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density e^(y - e^y) / scale, y = (x - loc) / scale.

    >>> jax.scipy.stats.gumbel_l.pdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.2546464 , 0.36787942, 0.00456628], dtype=float32)
    """,
)


@method(weak=True)
def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`: -e^y, y = (x - loc) / scale.

    >>> jax.scipy.stats.gumbel_l.logsf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-0.36787942, -1.        , -7.3890557 ], dtype=float32)
    """
    return _where_positive(scale, -jnp.exp((x - loc) / scale))


sf = composed(
    "sf",
    jnp.exp,
    logsf,
    """1 - cdf: e^(-e^y), y = (x - loc) / scale.

    >>> jax.scipy.stats.gumbel_l.sf(jnp.array([-1.0, 0.0, 2.0]))
    Array([6.9220066e-01, 3.6787942e-01, 6.1797921e-04], dtype=float32)
    """,
)


@method(weak=True)
def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function: 1 - e^(-e^y), y = (x - loc) / scale, accurate where it is tiny.

    >>> jax.scipy.stats.gumbel_l.cdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([0.30779934, 0.63212055, 0.999382  ], dtype=float32)
    """
    return _where_positive(scale, -jnp.expm1(-jnp.exp((x - loc) / scale)))


@method(weak=True)
def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`: log(1 - e^(-e^y)), y = (x - loc) / scale.

    >>> jax.scipy.stats.gumbel_l.logcdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-1.1783072e+00, -4.5867512e-01, -6.1817025e-04], dtype=float32)
    """
    return _where_positive(scale, log1mexp(jnp.exp((x - loc) / scale)))


@method(weak=True)
def ppf(p: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`: loc + scale log(-log(1 - p)); NaN outside of 0 < p < 1.

    Args:
      p: probabilities.

    >>> jax.scipy.stats.gumbel_l.ppf(jnp.array([0.25, 0.5, 1.5]))
    Array([-1.2458994 , -0.36651292,         nan], dtype=float32)
    """
    return jnp.where((p > 0) & (p < 1), loc + scale * jnp.log(-jnp.log1p(-p)), jnp.nan)
