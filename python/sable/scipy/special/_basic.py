"""Logarithms and powers, modified Bessel functions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.library.declare import library
from sable.nn import normalization as nn


def _unary(name: str, op: str, text: str, example: str) -> Callable[[Any], Any]:
    whole = f"{text}\n\nArgs:\n  x: floating numbers; integers become them."

    @library(operands=("x",), promotion="inexact", name=name, text=whole, example=example)
    def function(x: Any) -> Any:
        return getattr(BIND, op)(x)

    return function


erf = _unary(
    "erf",
    "erf",
    "The error function.",
    """>>> jax.scipy.special.erf(jnp.array([-1.0, 0.0, 0.5]))
Array([-0.8427008,  0.       ,  0.5204999], dtype=float32)""",
)
erfc = _unary(
    "erfc",
    "erfc",
    "1 - erf(x), accurate for large x.",
    """>>> jax.scipy.special.erfc(jnp.array([0.0, 9.0]))
Array([1.0000000e+00, 4.1370317e-37], dtype=float32)""",
)
erfinv = _unary(
    "erfinv",
    "erf_inv",
    "The inverse of the error function.",
    """>>> jax.scipy.special.erfinv(jnp.array([-1.0, 0.5, 2.0]))
Array([      -inf, 0.47693628,        nan], dtype=float32)""",
)
gammaln = _unary(
    "gammaln",
    "lgamma",
    "The logarithm of the absolute value of the gamma function.",
    """>>> jax.scipy.special.gammaln(jnp.array([-0.5, 1.0, 100.0]))
Array([  1.2655121,   0.       , 359.13422  ], dtype=float32)""",
)
digamma = _unary(
    "digamma",
    "digamma",
    "The derivative of the logarithm of the gamma function.",
    """>>> jax.scipy.special.digamma(jnp.array([0.0, 1.0, 10.0]))
Array([       nan, -0.5772157,  2.2517526], dtype=float32)""",
)
expit = _unary(
    "expit",
    "logistic",
    "1 / (1 + e**-x), the inverse of `logit`.",
    """>>> jax.scipy.special.expit(jnp.array([-200.0, 0.0, 3.0]))
Array([0.        , 0.5       , 0.95257413], dtype=float32)""",
)


@library(operands=("x",))
def softmax(x: Any, /, *, axis: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along an axis (an int or a tuple of ints), by default over everything.

    Example:
      >>> jax.scipy.special.softmax(jnp.array([1000.0, 1001.0]))
      Array([0.2689414, 0.7310586], dtype=float32)
    """
    return nn.softmax(x, axis)


@library(operands=("x",))
def log_softmax(x: Any, /, *, axis: Any = None) -> Any:
    """log(softmax(x)) along an axis (an int or a tuple of ints), by default over everything.

    Example:
      >>> jax.scipy.special.log_softmax(jnp.array([1000.0, 1001.0]))
      Array([-1.3132616 , -0.31326166], dtype=float32)
    """
    return nn.log_softmax(x, axis)


@library(operands=("x",), promotion="inexact")
def logit(x: Any) -> Any:
    """log(x / (1 - x)).

    Args:
      x: floating numbers; integers become them.

    Example:
      >>> jax.scipy.special.logit(jnp.array([0.0, 0.25, 1.0]))
      Array([      -inf, -1.0986123,        inf], dtype=float32)
    """
    return _logit(x)


@custom_jvp
def _logit(x: Any) -> Any:
    # beside 1/2 the quotient is all but 1, and its rounding errors would be the logarithm's
    beside = (x > 0.3) & (x < 0.65)
    double = 2 * (jnp.where(beside, x, 0.5) - 0.5)
    return jnp.where(beside, jnp.log1p(double) - jnp.log1p(-double), jnp.log(x / (1 - x)))


@_logit.defjvp
def _logit_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d logit x = dx / (x (1 - x)), infinite at 0 and 1."""
    (x,) = primals
    return _logit(x), tangents[0] / (x * (1 - x))


@library(operands=("x", "y"), promotion="inexact")
def xlogy(x: Any, y: Any) -> Any:
    """x log(y), 0 where x is 0 (NaN where y is NaN).

    Args:
      x, y: numbers; they broadcast.

    Example:
      >>> jax.scipy.special.xlogy(jnp.array([0.0, 2.0]), jnp.array([0.0, 3.0]))
      Array([0.       , 2.1972246], dtype=float32)
    """
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
    """x log(1 + y), 0 where x is 0 (NaN where y is NaN).

    Args:
      x, y: numbers; they broadcast.

    Example:
      >>> jax.scipy.special.xlog1py(jnp.array([0.0, 2.0]), jnp.array([-1.0, 1e-9]))
      Array([0.e+00, 2.e-09], dtype=float32)
    """
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
    """-x log(x), 0 at 0, -inf for negative x.

    Args:
      x: floating numbers; integers become them.

    Example:
      >>> jax.scipy.special.entr(jnp.array([-1.0, 0.0, 0.5]))
      Array([      -inf, -0.       ,  0.3465736], dtype=float32)
    """
    return jnp.where(x < 0, -jnp.inf, -_entropy(x))


@custom_jvp
def _entropy(x: Any) -> Any:
    return _no_product_at_zero(x, x, jnp.log(x))


@_entropy.defjvp
def _entropy_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d x log x = (log x + 1) dx; by that of x log y it would be 0/0 at 0."""
    (x,) = primals
    return _entropy(x), tangents[0] * (jnp.log(x) + 1)


def refuse_complex(name: str, *xs: Any) -> None:
    if any(x.dtype.kind == "c" for x in xs):
        raise ValueError(f"{name} does not support complex-valued inputs.")


def series_of(x: Any, coefficients: Sequence[float]) -> Any:
    """coefficients[0] + coefficients[1] x + ..., as weak as x."""
    return functools.reduce(lambda total, c: total * x + c, reversed(coefficients), jnp.zeros_like(x))


def in_single(function: Callable, x: Any) -> Any:
    """The function of half precision by way of float32."""
    return function(x.astype(np.float32)).astype(x.dtype) if x.dtype.itemsize == 2 else function(x)


def need_single_or_double(name: str, x: Any) -> None:
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"x.dtype={x.dtype} is not supported by {name}: expected float32 or float64")


# ---- Bessel functions --------------------------------------------------------------------------------------------

i0e = _unary(
    "i0e",
    "bessel_i0e",
    "e**-|x| times the modified Bessel function of order 0.",
    """>>> jax.scipy.special.i0e(jnp.array([0.0, 500.0]))
Array([1.        , 0.01784571], dtype=float32)""",
)
i1e = _unary(
    "i1e",
    "bessel_i1e",
    "e**-|x| times the modified Bessel function of order 1.",
    """>>> jax.scipy.special.i1e(jnp.array([-1.0, 500.0]))
Array([-0.20791042,  0.01782785], dtype=float32)""",
)


@library(operands=("x",), promotion="inexact")
def i0(x: Any) -> Any:
    """The modified Bessel function of order 0.

    Args:
      x: floating numbers; integers become them.

    Example:
      >>> jax.scipy.special.i0(jnp.array([0.0, 1.0]))
      Array([1.      , 1.266066], dtype=float32)
    """
    return jnp.exp(jnp.abs(x)) * i0e(x)


@library(operands=("x",), promotion="inexact")
def i1(x: Any) -> Any:
    """The modified Bessel function of order 1.

    Args:
      x: floating numbers; integers become them.

    Example:
      >>> jax.scipy.special.i1(jnp.array([-1.0, 1.0]))
      Array([-0.56515914,  0.56515914], dtype=float32)
    """
    return jnp.exp(jnp.abs(x)) * i1e(x)


# ---- entropies and powers ----------------------------------------------------------------------------------------


@library(operands=("p", "q"), promotion="inexact")
def rel_entr(p: Any, q: Any) -> Any:
    """p log(p / q), 0 at p = 0 <= q, infinite elsewhere outside of p, q > 0.

    Args:
      p, q: floating numbers; they broadcast.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.rel_entr(jnp.array([0.0, 0.5, 0.5]), jnp.array([0.0, 0.25, 0.0]))
      Array([0.       , 0.3465736,       inf], dtype=float32)
    """
    refuse_complex("rel_entr", p, q)
    return _divergence(p, q, _relative_entropy)


def _divergence(p: Any, q: Any, function: Callable) -> Any:
    """The function of positive numbers and its limits; they broadcast."""
    inside, at_zero = (p > 0) & (q > 0), (p == 0) & (q >= 0)
    found = function(jnp.where(inside, p, 1), jnp.where(inside, q, 1))
    return jnp.where(inside, found, jnp.where(at_zero, 0.0, jnp.inf))


def _near(p: Any, q: Any) -> tuple[Any, Any]:
    """Whether the numbers differ by less than half of the first, and if so by which part of it."""
    near = jnp.abs(q - p) < 0.5 * p
    return near, jnp.where(near, (q - p) / p, 0)


def _relative_entropy(p: Any, q: Any) -> Any:
    """p log(p / q), also of neighbours."""
    near, change = _near(p, q)
    return jnp.where(near, -p * jnp.log1p(change), xlogy(p, p) - xlogy(p, q))


@library(operands=("p", "q"), promotion="inexact")
def kl_div(p: Any, q: Any) -> Any:
    """rel_entr(p, q) - p + q.

    Args:
      p, q: floating numbers; they broadcast.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.kl_div(jnp.array([0.0, 0.5]), jnp.array([0.5, 0.25]))
      Array([0.5       , 0.09657359], dtype=float32)
    """
    refuse_complex("kl_div", p, q)
    near, change = _near(p, q)
    found = rel_entr(p, q) - p + q
    return jnp.where(near & (q > 0), -p * _log1p_minus(change), found)


#: terms of the series of `_log1p_minus`, by the bytes of a number
_LOGARITHM_TERMS = {2: 4, 4: 8, 8: 17}


@custom_jvp
def _log1p_minus(x: Any) -> Any:
    """log(1 + x) - x for |x| <= 1/2: 2 artanh(s) - x, s = x / (2 + x) (DLMF 4.6.4), where 2 s - x = -s x."""
    s = x / (2 + x)
    square = jnp.square(s)
    series = [1 / (2 * k + 3) for k in range(_LOGARITHM_TERMS[x.dtype.itemsize])]
    return s * (2 * square * series_of(square, series) - x)


@_log1p_minus.defjvp
def _log1p_minus_jvp(primals: tuple, tangents: tuple) -> tuple:
    """-x / (1 + x) dx."""
    (x,) = primals
    return _log1p_minus(x), -tangents[0] * (x / (1 + x))


def _box_cox(log: Any, exponent: Any) -> Any:
    """(e^(exponent log) - 1) / exponent, the logarithm itself at 0."""
    zero = exponent == 0
    safe = jnp.where(zero, jnp.ones_like(exponent), exponent)
    return jnp.where(zero, log, jnp.expm1(safe * log) / safe)


@library(operands=("x", "lmbda"), promotion="inexact")
def boxcox(x: Any, lmbda: Any) -> Any:
    """The Box-Cox transformation (x**lmbda - 1) / lmbda, log(x) at lmbda = 0.

    Args:
      x: positive floating numbers.
      lmbda: the exponent; both broadcast.

    Example:
      >>> jax.scipy.special.boxcox(2.0, jnp.array([0.0, 0.5, 1.0]))
      Array([0.6931472 , 0.82842714, 1.        ], dtype=float32)
    """
    return _box_cox(jnp.log(x), lmbda)


@library(operands=("x", "lmbda"), promotion="inexact")
def boxcox1p(x: Any, lmbda: Any) -> Any:
    """The Box-Cox transformation of 1 + x, accurate for small x.

    Args:
      x: floating numbers above -1.
      lmbda: the exponent; both broadcast.

    Example:
      >>> jax.scipy.special.boxcox1p(1e-6, jnp.array([0.0, 2.0]))
      Array([9.9999954e-07, 1.0000006e-06], dtype=float32)
    """
    return _box_cox(jnp.log1p(x), lmbda)
