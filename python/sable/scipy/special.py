"""Special functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sable.numpy as jnp
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.values import as_value
from sable.nn.functions import log_softmax, logsumexp, softmax
from sable.nn.functions import sigmoid as expit


def _unary(op: str, text: str) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        value = as_value(x)
        return getattr(BIND, op)(value.astype(to_inexact_dtype(value.dtype)))

    function.__name__ = op
    function.__doc__ = text
    return function


erf = _unary("erf", "Error function.")
erfc = _unary("erfc", "1 - erf(x), accurate for large x.")
erfinv = _unary("erf_inv", "Inverse of the error function.")
gammaln = _unary("lgamma", "Logarithm of the absolute value of the gamma function.")
digamma = _unary("digamma", "Derivative of the logarithm of the gamma function.")


def logit(x: Any) -> Any:
    """log(x / (1 - x))."""
    value = jnp.asarray(x)
    return jnp.log(value / (1 - value))


def xlogy(x: Any, y: Any) -> Any:
    """x · log(y), zero where x is zero."""
    x, y = jnp.broadcast_arrays(*_inexact(x, y))
    zero = x == 0
    return jnp.where(zero, jnp.zeros_like(x), x * jnp.log(jnp.where(zero, jnp.ones_like(y), y)))


def xlog1py(x: Any, y: Any) -> Any:
    """x · log(1 + y), zero where x is zero."""
    x, y = jnp.broadcast_arrays(*_inexact(x, y))
    zero = x == 0
    return jnp.where(zero, jnp.zeros_like(x), x * jnp.log1p(jnp.where(zero, jnp.zeros_like(y), y)))


def entr(x: Any) -> Any:
    """-x · log(x), 0 at 0, -inf for negative x."""
    (value,) = _inexact(x)
    return jnp.where(value < 0, -jnp.inf, -xlogy(value, value))


def ndtr(x: Any) -> Any:
    """Cumulative distribution of the standard normal."""
    (value,) = _inexact(x)
    return 0.5 * erfc(-value * jnp.asarray(0.5**0.5, value.dtype))


def _inexact(*xs: Any) -> list[Any]:
    dtype = to_inexact_dtype(jnp.result_type(*xs))
    return [jnp.asarray(x).astype(dtype) for x in xs]


__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammaln",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "softmax",
    "xlog1py",
    "xlogy",
]
