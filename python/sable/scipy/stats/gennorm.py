"""The generalized normal distribution, of the density beta e^(-|x|^beta) / (2 gamma(1 / beta))."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp

from ..special import gammainc, gammaln
from ._families import composed, method


@method(weak=True)
def logpdf(x: Any, beta: Any) -> Any:
    """The logarithm of `pdf`.

    Args:
      beta: the exponent, positive: 1 is the Laplace distribution, 2 a normal one.

    >>> jax.scipy.stats.gennorm.logpdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([-1.5799556, -0.5799556, -8.579956 ], dtype=float32)
    """
    return jnp.log(0.5 * beta) - gammaln(1 / beta) - jnp.abs(x) ** beta


pdf = composed(
    "pdf",
    jnp.exp,
    logpdf,
    """The density beta e^(-|x|^beta) / (2 gamma(1 / beta)); beta as of `gennorm.logpdf`.

    >>> jax.scipy.stats.gennorm.pdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([2.0598425e-01, 5.5992323e-01, 1.8783321e-04], dtype=float32)
    """,
)


@method(weak=True)
def cdf(x: Any, beta: Any) -> Any:
    """The distribution function (1 + sign(x) P(1 / beta, |x|^beta)) / 2 (`gammainc`).

    Args:
      beta: as of `gennorm.logpdf`.

    >>> jax.scipy.stats.gennorm.cdf(jnp.array([-1.0, 0.0, 2.0]), 3.0)
    Array([0.04785571, 0.5       , 0.99998546], dtype=float32)
    """
    return 0.5 * (1 + jnp.sign(x) * gammainc(1 / beta, jnp.abs(x) ** beta))
