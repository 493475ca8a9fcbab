"""Special functions. Arguments broadcast; integers and booleans are converted to the default floating dtype."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_arguments, convert
from sable.library.declare import library
from sable.nn import functions as nn
from sable.nn.functions import logsumexp

_absent.explain(__name__)

_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)
#: From here on, downwards, log_ndtr is its asymptotic series; from here on, upwards, -ndtr(-x).
_LOG_NDTR_BOUNDS = {np.dtype(np.float32): (-10.0, 5.0), np.dtype(np.float64): (-20.0, 8.0)}


def _unary(name: str, op: str, text: str) -> Callable[[Any], Any]:
    @library(operands=("x",), promotion="inexact", name=name, text=text)
    def function(x: Any) -> Any:
        return getattr(BIND, op)(x)

    return function


erf = _unary("erf", "erf", "The error function.")
erfc = _unary("erfc", "erfc", "1 - erf(x), accurate for large x.")
erfinv = _unary("erfinv", "erf_inv", "The inverse of the error function.")
gammaln = _unary("gammaln", "lgamma", "The logarithm of the absolute value of the gamma function.")
digamma = _unary("digamma", "digamma", "The derivative of the logarithm of the gamma function.")
expit = _unary("expit", "logistic", "1 / (1 + e**-x), the inverse of `logit`.")


@library(operands=("x",))
def softmax(x: Any, /, *, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along an axis (an int or a tuple of ints), by default over everything."""
    return nn.softmax(x, axis)


@library(operands=("x",))
def log_softmax(x: Any, /, *, axis: Any = None) -> Any:
    """log(softmax(x)) along an axis (an int or a tuple of ints), by default over everything."""
    return nn.log_softmax(x, axis)


@library(operands=("x",), promotion="inexact")
def logit(x: Any) -> Any:
    """log(x / (1 - x))."""
    return _logit(x)


@custom_jvp
def _logit(x: Any) -> Any:
    return jnp.log(x / (1 - x))


@_logit.defjvp
def _logit_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d logit x = dx / (x (1 - x)), infinite at 0 and 1."""
    (x,) = primals
    return _logit(x), tangents[0] / (x * (1 - x))


@library(operands=("x", "y"), promotion="inexact")
def xlogy(x: Any, y: Any) -> Any:
    """x log(y), 0 where x is 0 (NaN where y is NaN)."""
    return _xlogy(*jnp.broadcast_arrays(x, y))


@custom_jvp
def _xlogy(x: Any, y: Any) -> Any:
    return _no_product_at_zero(x, y, jnp.log(y))


@_xlogy.defjvp
def _xlogy_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d x log y = log y dx + x/y dy, also at x = 0."""
    x, y = primals
    return _xlogy(x, y), tangents[0] * jnp.log(y) + tangents[1] * (x / y)


def _no_product_at_zero(x: Any, y: Any, factor: Any) -> Any:
    """x factor, 0 where x is 0 and y is a number."""
    zero = jnp.logical_and(x == 0, jnp.logical_not(jnp.isnan(y)))
    return jnp.where(zero, jnp.zeros_like(x), x * factor)


@library(operands=("x", "y"), promotion="inexact")
def xlog1py(x: Any, y: Any) -> Any:
    """x log(1 + y), 0 where x is 0 (NaN where y is NaN)."""
    return _xlog1py(*jnp.broadcast_arrays(x, y))


@custom_jvp
def _xlog1py(x: Any, y: Any) -> Any:
    return _no_product_at_zero(x, y, jnp.log1p(y))


@_xlog1py.defjvp
def _xlog1py_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d x log(1 + y) = log(1 + y) dx + x/(1 + y) dy, also at x = 0."""
    x, y = primals
    return _xlog1py(x, y), tangents[0] * jnp.log1p(y) + tangents[1] * (x / (1 + y))


@library(operands=("x",), promotion="inexact")
def entr(x: Any) -> Any:
    """-x log(x), 0 at 0, -inf for negative x."""
    return jnp.where(x < 0, -jnp.inf, -_entropy(x))


@custom_jvp
def _entropy(x: Any) -> Any:
    return _no_product_at_zero(x, x, jnp.log(x))


@_entropy.defjvp
def _entropy_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d x log x = (log x + 1) dx; by that of x log y it would be 0/0 at 0."""
    (x,) = primals
    return _entropy(x), tangents[0] * (jnp.log(x) + 1)


def _need_single_or_double(name: str, x: Any) -> None:
    if x.dtype not in _LOG_NDTR_BOUNDS:
        raise TypeError(f"x.dtype={x.dtype} is not supported by {name}: expected float32 or float64")


@library(operands=("x",))
def ndtr(x: Any) -> Any:
    """The distribution function of the standard normal, by erf near 0 and erfc elsewhere.

    Raises:
      TypeError: neither float32 nor float64.
    """
    (value,) = array_arguments("ndtr", x)
    _need_single_or_double("ndtr", value)
    half = convert(jnp.asarray(0.5), value.dtype)
    scaled = value * convert(jnp.asarray(0.5**0.5), value.dtype)
    size = jnp.abs(scaled)
    tail = BIND.erfc(size)
    outer = jnp.where(scaled > 0, 2 - tail, tail)
    return half * jnp.where(size < half * math.sqrt(2), 1 + BIND.erf(scaled), outer)


@library(operands=("x",))
def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """The logarithm of `ndtr`, accurate where that is tiny.

    Args:
      x: float32 or float64.
      series_order: terms of the asymptotic series for large negative x.

    Raises:
      TypeError: another dtype.
      ValueError: an order that is no integer from 0 to 30.
    """
    if not 0 <= series_order <= 30:
        raise ValueError(f"series_order must be from 0 to 30, got {series_order}")
    (value,) = array_arguments("log_ndtr", x)
    _need_single_or_double("log_ndtr", value)
    return _log_ndtr(value, series_order)


@functools.partial(custom_jvp, nondiff_argnums=(1,))
def _log_ndtr(x: Any, series_order: int) -> Any:
    low, high = _LOG_NDTR_BOUNDS[x.dtype]
    upper = -ndtr(-jnp.maximum(x, high))
    middle = jnp.log(ndtr(jnp.clip(x, low, high)))
    far = jnp.minimum(x, low)
    # ndtr(x) = pdf(x) / -x (1 - 1/x**2 + 3/x**4 - 15/x**6 ...)
    term, total = jnp.ones_like(far), jnp.ones_like(far)
    inverse = 1 / jnp.square(far)
    for n in range(1, series_order + 1):
        term = -(2 * n - 1) * term * inverse
        total = total + term
    lower = -0.5 * jnp.square(far) - jnp.log(-far) - _HALF_LOG_TWO_PI + jnp.log(total)
    return jnp.where(x > high, upper, jnp.where(x > low, middle, lower))


@_log_ndtr.defjvp
def _log_ndtr_jvp(series_order: int, primals: tuple, tangents: tuple) -> tuple:
    """d log ndtr(x) = pdf(x) / ndtr(x) dx, by a difference of logarithms, since both vanish for small x."""
    (x,) = primals
    y = _log_ndtr(x, series_order)
    return y, tangents[0] * jnp.exp(-0.5 * jnp.square(x) - _HALF_LOG_TWO_PI - y)


__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "expit",
    "gammaln",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "ndtr",
    "softmax",
    "xlog1py",
    "xlogy",
]
