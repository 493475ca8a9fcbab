"""The chi-squared distribution of df degrees of freedom: the gamma distribution of the shape df/2 and twice the scale."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammainc, gammaincc, gammaln
from ._families import composed, method


@method
def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `pdf`; -inf where x < loc.

    Args:
      df: degrees of freedom, positive.

    >>> jax.scipy.stats.chi2.logpdf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([      -inf, -1.5155121, -1.5723649], dtype=float32)
    """
    y, half = (x - loc) / scale, df / 2
    normalizer = gammaln(half) + half * jnp.log(2.0) + jnp.log(scale)
    return jnp.where(x < loc, -jnp.inf, (half - 1) * jnp.log(y) - y / 2 - normalizer)


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density (y/2)^(df/2 - 1) e^(-y/2) / (2 gamma(df/2) scale), y = (x - loc) / scale; df as of `chi2.logpdf`.

    >>> jax.scipy.stats.chi2.pdf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([0.        , 0.21969566, 0.20755374], dtype=float32)
    """,
)


def _half(x: Any, loc: Any, scale: Any) -> Any:
    return jnp.maximum((x - loc) / (2 * scale), 0)


@method
def cdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The distribution function P(df/2, y/2), y = (x - loc) / scale (`gammainc`).

    Args:
      df: as of `chi2.logpdf`.

    >>> jax.scipy.stats.chi2.cdf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([0.        , 0.08110859, 0.4275933 ], dtype=float32)
    """
    return gammainc(df / 2, _half(x, loc, scale))


logcdf = composed(
    "logcdf",
    jnp.log,
    cdf,
    """The logarithm of `cdf`; df as of `chi2.logpdf`.

    >>> jax.scipy.stats.chi2.logcdf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([      -inf, -2.5119665, -0.8495828], dtype=float32)
    """,
)


@method
def sf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """1 - cdf: Q(df/2, y/2), y = (x - loc) / scale (`gammaincc`), accurate where it is tiny.

    Args:
      df: as of `chi2.logpdf`.

    >>> jax.scipy.stats.chi2.sf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([1.        , 0.91889143, 0.5724067 ], dtype=float32)
    """
    return gammaincc(df / 2, _half(x, loc, scale))


logsf = composed(
    "logsf",
    jnp.log,
    sf,
    """The logarithm of `sf`; df as of `chi2.logpdf`.

    >>> jax.scipy.stats.chi2.logsf(jnp.array([-1.0, 0.5, 2.0]), 3.0)
    Array([ 0.        , -0.08458731, -0.5579055 ], dtype=float32)
    """,
)
