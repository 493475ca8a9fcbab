"""The Poisson distribution of the mean mu."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable.core.operands import array_arguments, promote_dtypes
from sable.library.declare import library

from ..special import entr, gammaincc, gammaln, xlogy
from ._families import composed, method

#: Up to these means the entropy is a sum over so many counts, and beyond the mean so many deviations.
_SMALL, _SMALL_COUNTS = 10, 35
_MEDIUM, _MEDIUM_COUNTS = 100, 250


@method(weak=True)
def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The logarithm of `pmf`; -inf where k is no integer or less than loc.

    Args:
      mu: the mean.

    >>> jax.scipy.stats.poisson.logpmf(jnp.array([0.0, 0.5, 2.0]), 1.5)
    Array([-1.5      ,       -inf, -1.3822169], dtype=float32)
    """
    n = k - loc
    return jnp.where((n < 0) | (jnp.round(k) != k), -jnp.inf, xlogy(n, mu) - gammaln(n + 1) - mu)


pmf = composed(
    "pmf",
    jnp.exp,
    logpmf,
    """The probability mu^n e^-mu / n! of n = k - loc; mu as of `poisson.logpmf`.

    >>> jax.scipy.stats.poisson.pmf(jnp.array([0.0, 0.5, 2.0]), 1.5)
    Array([0.22313015, 0.        , 0.25102144], dtype=float32)
    """,
)


@method
def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of k or less: Q(floor(k - loc) + 1, mu) (`gammaincc`).

    Args:
      mu: as of `poisson.logpmf`.

    >>> jax.scipy.stats.poisson.cdf(jnp.array([-1.0, 0.0, 2.0]), 1.5)
    Array([0.        , 0.22313017, 0.80884683], dtype=float32)
    """
    n = k - loc
    return jnp.where(n < 0, 0, gammaincc(jnp.floor(1 + n), mu))


@library(operands=("mu", "loc"))
def entropy(mu: Any, loc: Any = 0) -> Any:
    """The entropy -sum p log p in nats.

    Up to a mean of 100 a sum of its terms, beyond log(2 pi e mu) / 2 - 1 / (12 mu).

    Args:
      mu: the mean.
      loc: without effect but for its shape.

    Source: R. Evans, J. Boersma, N. Blachman, A. Jagers, "The entropy of a Poisson distribution", SIAM Review 30, 1988.

    >>> jax.scipy.stats.poisson.entropy(jnp.array([0.0, 1.0, 200.0]))
    Array([0.       , 1.304842 , 4.0676804], dtype=float32)
    """
    mu, loc = promote_dtypes(array_arguments("poisson.entropy", mu, loc), "inexact")
    large = 0.5 * jnp.log(2 * jnp.pi * jnp.e * mu) - 1 / (12 * mu)
    medium = jnp.where(mu < _MEDIUM, _sum_of_terms(mu, mu + 10 * jnp.sqrt(mu) + 20, _MEDIUM_COUNTS), large)
    found = jnp.where(mu == 0, 0, jnp.where(mu < _SMALL, _sum_of_terms(mu, mu + 20, _SMALL_COUNTS), medium))
    return jnp.broadcast_to(found, jnp.broadcast_shapes(mu.shape, loc.shape))


def _sum_of_terms(mu: Any, bound: Any, counts: int) -> Any:
    """The sum of -p log p over the numbers below a bound and `counts`."""
    k = jnp.arange(counts, dtype=mu.dtype).reshape(counts, *[1] * mu.ndim)
    return jnp.sum(entr(jnp.where(k < jnp.ceil(bound), pmf(k, mu, 0), 0)), axis=0)
