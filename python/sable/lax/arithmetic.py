"""Arithmetic, comparisons, bits and standard functions of one or two operands: each a row that names its op."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.core.array import Value
from sable.core.bind import bind
from sable.core.operands import broadcast_operands, value_of
from sable.ir.op import OPS
from sable.library.declare import library
from sable.library.words import all_words, any_words

# what operands may be
_ALL = "of any dtype"
_BITS = "booleans or integers"
_COMPLEX = "complex numbers"
_FLOATS = "floats"
_INEXACT = "floats or complex numbers"
_INTEGERS = "integers"
_NUMBERS = "integers, floats or complex numbers"
_ORDERED = "booleans, integers or floats"
_REAL = "integers or floats"
_SIGNED = "signed integers, floats or complex numbers"


def _text(meaning: str, arguments: str, errors: str) -> str:
    return f"""{meaning}

    Args:
      {arguments}

    Raises:
      TypeError: {errors}
    """


def _unary(name: str, mnemonic: str, meaning: str, takes: str, example: str) -> Callable:
    op, text = OPS[mnemonic], _text(f"{meaning}, elementwise.", f"x: {takes}.", "another dtype.")

    @library(operands=("x",), name=name, text=text, example=example)
    def run(x: Any) -> Value:
        return bind(op, value_of(x, name))

    return run


class AccuracyMode(enum.Enum):
    """How exactly a function is computed, where there is a choice: as exactly as the device can, or as it does by default.

    Example:
      >>> lax.exp(jnp.array([0.]), accuracy=lax.AccuracyMode.HIGHEST)
      Array([1.], dtype=float32)
    """

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """How far off a function's result may be, where there is a choice.

    Args:
      atol, rtol: absolute and relative difference.
      ulps: units in the last place.

    Raises:
      ValueError: a negative one, or all are zero.

    Example:
      >>> lax.exp(jnp.array([0.]), accuracy=lax.Tolerance(rtol=1e-3))
      Array([1.], dtype=float32)
      >>> lax.Tolerance()
      Traceback (most recent call last):
          ...
      ValueError: At least one of atol, rtol, or ulps must be set.
    """

    def __init__(self, atol: float = 0.0, rtol: float = 0.0, ulps: int = 0):
        if any(t < 0 for t in (atol, rtol, ulps)):
            raise ValueError("Tolerances must be non-negative.")
        if not (atol or rtol or ulps):
            raise ValueError("At least one of atol, rtol, or ulps must be set.")
        self.atol, self.rtol, self.ulps = atol, rtol, ulps


def check_accuracy(accuracy: Any) -> None:
    if not (accuracy is None or isinstance(accuracy, (AccuracyMode, Tolerance))):
        raise NotImplementedError(f"Accuracy {accuracy} not supported: expected a Tolerance, an AccuracyMode or None")


def _accurate(name: str, mnemonic: str, meaning: str, takes: str, example: str) -> Callable:
    arguments = f"x: {takes}.\n      accuracy: a Tolerance, an AccuracyMode or None; the result has the compiler's best accuracy."
    op, text = OPS[mnemonic], _text(f"{meaning}, elementwise.", arguments, "another dtype.")

    @library(operands=("x",), name=name, text=text, example=example)
    def run(x: Any, *, accuracy: Any = None) -> Value:
        check_accuracy(accuracy)
        return bind(op, value_of(x, name))

    return run


#: Comparisons of typed keys: how those of their words are put together.
_JOINS = {"eq": all_words, "ne": any_words}


def _pair(name: str, meaning: str, takes: str, example: str) -> dict[str, Any]:
    """What a function of two operands is declared with."""
    arguments = f"x, y: {takes}, both of one dtype and rank; scalars are repeated."
    text = _text(meaning, arguments, "dtypes or shapes disagree, or another dtype.")
    moves, join = (("x", "y"), _JOINS[name]) if name in _JOINS else (None, None)
    return {"operands": ("x", "y"), "name": name, "text": text, "example": example, "moves": moves, "join": join}


def _binary(name: str, mnemonic: str, meaning: str, takes: str, example: str) -> Callable:
    op = OPS[mnemonic]

    @library(**_pair(name, f"{meaning}, elementwise.", takes, example))
    def run(x: Any, y: Any) -> Value:
        values = value_of(x, name, 0), value_of(y, name, 1)
        return bind(op, *broadcast_operands(values))

    return run


def _comparison(name: str, meaning: str, takes: str, example: str) -> Callable:
    direction, op = name.upper(), OPS["compare"]

    @library(**_pair(name, f"{meaning}, elementwise, as booleans.", takes, example))
    def run(x: Any, y: Any) -> Value:
        values = value_of(x, name, 0), value_of(y, name, 1)
        return bind(op, *broadcast_operands(values), comparison_direction=direction)

    return run


neg = _unary("neg", "negate", "-x", _NUMBERS, ">>> lax.neg(jnp.array([1., -2.]))\nArray([-1.,  2.], dtype=float32)")
abs = _unary(
    "abs",
    "abs",
    "The absolute value; for complex numbers a real one",
    _SIGNED,
    ">>> lax.abs(jnp.array([3 + 4j]))\nArray([5.], dtype=float32)",
)
floor = _unary(
    "floor",
    "floor",
    "The largest whole number that is not above x",
    _FLOATS,
    ">>> lax.floor(jnp.array([-1.5, 1.5]))\nArray([-2.,  1.], dtype=float32)",
)
ceil = _unary(
    "ceil",
    "ceil",
    "The smallest whole number that is not below x",
    _FLOATS,
    ">>> lax.ceil(jnp.array([-1.5, 1.5]))\nArray([-1.,  2.], dtype=float32)",
)
is_finite = _unary(
    "is_finite",
    "is_finite",
    "True where x is neither infinite nor NaN",
    _FLOATS,
    ">>> lax.is_finite(jnp.array([1., jnp.inf, jnp.nan]))\nArray([ True, False, False], dtype=bool)",
)
asin = _unary(
    "asin",
    "asin",
    "The arc sine",
    _INEXACT,
    ">>> lax.asin(jnp.array([0., 1.])).round(4)\nArray([0.    , 1.5708], dtype=float32)",
)
acos = _unary(
    "acos",
    "acos",
    "The arc cosine",
    _INEXACT,
    ">>> lax.acos(jnp.array([1., 2.])).round(4)\nArray([ 0., nan], dtype=float32)",
)
atan = _unary(
    "atan",
    "atan",
    "The arc tangent",
    _INEXACT,
    ">>> lax.atan(jnp.array([0., 1.])).round(4)\nArray([0.    , 0.7854], dtype=float32)",
)
sinh = _unary(
    "sinh",
    "sinh",
    "The hyperbolic sine",
    _INEXACT,
    ">>> lax.sinh(jnp.array([0., 1.])).round(4)\nArray([0.    , 1.1752], dtype=float32)",
)
cosh = _unary(
    "cosh",
    "cosh",
    "The hyperbolic cosine",
    _INEXACT,
    ">>> lax.cosh(jnp.array([0., 1.])).round(4)\nArray([1.    , 1.5431], dtype=float32)",
)
asinh = _unary(
    "asinh",
    "asinh",
    "The inverse hyperbolic sine",
    _INEXACT,
    ">>> lax.asinh(jnp.array([0., 1.])).round(4)\nArray([0.    , 0.8814], dtype=float32)",
)
acosh = _unary(
    "acosh",
    "acosh",
    "The inverse hyperbolic cosine",
    _INEXACT,
    ">>> lax.acosh(jnp.array([1., 2.])).round(4)\nArray([0.   , 1.317], dtype=float32)",
)
atanh = _unary(
    "atanh",
    "atanh",
    "The inverse hyperbolic tangent",
    _INEXACT,
    ">>> lax.atanh(jnp.array([0., 1.])).round(4)\nArray([ 0., inf], dtype=float32)",
)
erf = _unary(
    "erf",
    "erf",
    "The error function",
    _FLOATS,
    ">>> lax.erf(jnp.array([0., 1.])).round(4)\nArray([0.    , 0.8427], dtype=float32)",
)
erfc = _unary(
    "erfc",
    "erfc",
    "1 - erf(x), accurate for large x",
    _FLOATS,
    ">>> [bool(y > 0) for y in (lax.erfc(9.), 1 - lax.erf(9.))]\n[True, False]",
)
erf_inv = _unary(
    "erf_inv",
    "erf_inv",
    "The inverse of the error function",
    _FLOATS,
    ">>> lax.erf_inv(jnp.array([0., 0.5, 1.])).round(4)\nArray([0.    , 0.4769,    inf], dtype=float32)",
)
lgamma = _unary(
    "lgamma",
    "lgamma",
    "The logarithm of |gamma(x)|",
    _FLOATS,
    ">>> lax.lgamma(jnp.array([5., 100.])).round(4)\nArray([  3.1781, 359.1342], dtype=float32)",
)
digamma = _unary(
    "digamma",
    "digamma",
    "The derivative of the logarithm of the gamma function",
    _FLOATS,
    ">>> lax.digamma(jnp.array([1., 10.])).round(4)\nArray([-0.5772,  2.2518], dtype=float32)",
)
bessel_i0e = _unary(
    "bessel_i0e",
    "bessel_i0e",
    "e**-|x| times the modified Bessel function of order 0",
    _FLOATS,
    ">>> lax.bessel_i0e(jnp.array([0., 100.])).round(4)\nArray([1.    , 0.0399], dtype=float32)",
)
bessel_i1e = _unary(
    "bessel_i1e",
    "bessel_i1e",
    "e**-|x| times the modified Bessel function of order 1",
    _FLOATS,
    ">>> lax.bessel_i1e(jnp.array([0., 100.])).round(4)\nArray([0.    , 0.0397], dtype=float32)",
)
real = _unary(
    "real",
    "real",
    "The real part of complex numbers",
    _COMPLEX,
    ">>> lax.real(jnp.array([3 + 4j]))\nArray([3.], dtype=float32)",
)
imag = _unary(
    "imag",
    "imag",
    "The imaginary part of complex numbers",
    _COMPLEX,
    ">>> lax.imag(jnp.array([3 + 4j]))\nArray([4.], dtype=float32)",
)
bitwise_not = _unary(
    "bitwise_not",
    "not",
    "The bits inverted; for booleans the negation",
    _BITS,
    ">>> lax.bitwise_not(jnp.array([0, 5])), lax.bitwise_not(True)\n(Array([-1, -6], dtype=int32), Array(False, dtype=bool))",
)
population_count = _unary(
    "population_count",
    "popcnt",
    "The number of bits that are set",
    _INTEGERS,
    ">>> lax.population_count(jnp.uint8([0, 7, 255]))\nArray([0, 3, 8], dtype=uint8)",
)
clz = _unary(
    "clz",
    "count_leading_zeros",
    "The number of leading zero bits",
    _INTEGERS,
    ">>> lax.clz(jnp.uint8([0, 1, 255]))\nArray([8, 7, 0], dtype=uint8)",
)

sin = _accurate(
    "sin",
    "sine",
    "The sine",
    _INEXACT,
    ">>> lax.sin(jnp.array([0., 1.])).round(4)\nArray([0.    , 0.8415], dtype=float32)",
)
cos = _accurate(
    "cos",
    "cosine",
    "The cosine",
    _INEXACT,
    ">>> lax.cos(jnp.array([0., 1.])).round(4)\nArray([1.    , 0.5403], dtype=float32)",
)
tan = _accurate(
    "tan",
    "tan",
    "The tangent",
    _INEXACT,
    ">>> lax.tan(jnp.array([0., 1.])).round(4)\nArray([0.    , 1.5574], dtype=float32)",
)
tanh = _accurate(
    "tanh",
    "tanh",
    "The hyperbolic tangent",
    _INEXACT,
    ">>> lax.tanh(jnp.array([0., 1.])).round(4)\nArray([0.    , 0.7616], dtype=float32)",
)
exp = _accurate(
    "exp",
    "exponential",
    "e**x",
    _INEXACT,
    ">>> lax.exp(jnp.array([0., 1.])).round(4)\nArray([1.    , 2.7183], dtype=float32)",
)
expm1 = _accurate(
    "expm1",
    "exponential_minus_one",
    "e**x - 1, accurate near 0",
    _INEXACT,
    ">>> lax.expm1(jnp.array([1e-10])), lax.exp(jnp.array([1e-10])) - 1\n"
    "(Array([1.e-10], dtype=float32), Array([0.], dtype=float32))",
)
log = _accurate(
    "log",
    "log",
    "The natural logarithm",
    _INEXACT,
    ">>> lax.log(jnp.array([0., 1., -1.]))\nArray([-inf,   0.,  nan], dtype=float32)",
)
log1p = _accurate(
    "log1p",
    "log_plus_one",
    "log(1 + x), accurate near 0",
    _INEXACT,
    ">>> lax.log1p(jnp.array([1e-10])), lax.log(1 + jnp.array([1e-10]))\n"
    "(Array([1.e-10], dtype=float32), Array([0.], dtype=float32))",
)
logistic = _accurate(
    "logistic",
    "logistic",
    "1 / (1 + e**-x)",
    _INEXACT,
    ">>> lax.logistic(jnp.array([-100., 0., 1.])).round(4)\nArray([0.    , 0.5   , 0.7311], dtype=float32)",
)
sqrt = _accurate(
    "sqrt",
    "sqrt",
    "The square root",
    _INEXACT,
    ">>> lax.sqrt(jnp.array([4., -1.])), lax.sqrt(-1 + 0j)\n"
    "(Array([ 2., nan], dtype=float32), Array(0.+1.j, dtype=complex64, weak_type=True))",
)
rsqrt = _accurate(
    "rsqrt", "rsqrt", "1 / sqrt(x)", _INEXACT, ">>> lax.rsqrt(jnp.array([4., 0.]))\nArray([0.5, inf], dtype=float32)"
)
cbrt = _accurate(
    "cbrt",
    "cbrt",
    "The cube root",
    _FLOATS,
    ">>> lax.cbrt(jnp.array([-8., 27.])).round(4)\nArray([-2.,  3.], dtype=float32)",
)

add = _binary("add", "add", "x + y", _NUMBERS, ">>> lax.add(jnp.array([1, 2]), 3)\nArray([4, 5], dtype=int32)")
sub = _binary(
    "sub", "subtract", "x - y", _NUMBERS, ">>> lax.sub(jnp.uint8([1, 2]), jnp.uint8(2))\nArray([255,   0], dtype=uint8)"
)
div = _binary(
    "div",
    "divide",
    "x / y; for integers truncated towards zero",
    _NUMBERS,
    ">>> lax.div(jnp.array([-7, 7]), 2)\nArray([-3,  3], dtype=int32)",
)
rem = _binary(
    "rem",
    "remainder",
    "The remainder of x / y, with the sign of x",
    _REAL,
    ">>> lax.rem(jnp.array([-7, 7]), 3), jnp.array([-7, 7]) % 3\n(Array([-1,  1], dtype=int32), Array([2, 1], dtype=int32))",
)
max = _binary(
    "max",
    "maximum",
    "The larger of x and y; NaN where one is",
    _ALL,
    ">>> lax.max(jnp.array([1., 3., jnp.nan]), 2.)\nArray([ 2.,  3., nan], dtype=float32)",
)
min = _binary(
    "min",
    "minimum",
    "The smaller of x and y; NaN where one is",
    _ALL,
    ">>> lax.min(jnp.array([1., 3., jnp.nan]), 2.)\nArray([ 1.,  2., nan], dtype=float32)",
)
atan2 = _binary(
    "atan2",
    "atan2",
    "The angle of the point (y, x), whose ordinate comes first",
    _INEXACT,
    ">>> lax.atan2(1., -1.) / jnp.pi\nArray(0.75, dtype=float32, weak_type=True)",
)
complex = _binary(
    "complex",
    "complex",
    "x + i y",
    _FLOATS,
    ">>> lax.complex(jnp.array([1., 2.]), 0.5)\nArray([1.+0.5j, 2.+0.5j], dtype=complex64)",
)
bitwise_and = _binary(
    "bitwise_and", "and", "x & y", _BITS, ">>> lax.bitwise_and(jnp.array([12, 5]), 6)\nArray([4, 4], dtype=int32)"
)
bitwise_or = _binary(
    "bitwise_or", "or", "x | y", _BITS, ">>> lax.bitwise_or(jnp.array([12, 5]), 6)\nArray([14,  7], dtype=int32)"
)
bitwise_xor = _binary(
    "bitwise_xor", "xor", "x ^ y", _BITS, ">>> lax.bitwise_xor(jnp.array([12, 5]), 6)\nArray([10,  3], dtype=int32)"
)
shift_left = _binary(
    "shift_left",
    "shift_left",
    "x shifted left by y bits",
    _INTEGERS,
    ">>> lax.shift_left(jnp.uint8([1, 255]), jnp.uint8(4))\nArray([ 16, 240], dtype=uint8)",
)
shift_right_arithmetic = _binary(
    "shift_right_arithmetic",
    "shift_right_arithmetic",
    "x shifted right, filling in the sign",
    _INTEGERS,
    ">>> lax.shift_right_arithmetic(jnp.int8([-16, 16]), jnp.int8(2))\nArray([-4,  4], dtype=int8)",
)
shift_right_logical = _binary(
    "shift_right_logical",
    "shift_right_logical",
    "x shifted right, filling in zeros",
    _INTEGERS,
    ">>> lax.shift_right_logical(jnp.int8([-16, 16]), jnp.int8(2))\nArray([60,  4], dtype=int8)",
)

eq = _comparison(
    "eq",
    "x == y",
    _ALL,
    ">>> lax.eq(jnp.array([1., jnp.nan]), jnp.array([1., jnp.nan]))\nArray([ True, False], dtype=bool)",
)
ne = _comparison(
    "ne",
    "x != y",
    _ALL,
    ">>> lax.ne(jnp.array([1., jnp.nan]), jnp.array([1., jnp.nan]))\nArray([False,  True], dtype=bool)",
)
lt = _comparison(
    "lt", "x < y", _ORDERED, ">>> lax.lt(jnp.array([1, 2, 3]), 2)\nArray([ True, False, False], dtype=bool)"
)
le = _comparison(
    "le", "x <= y", _ORDERED, ">>> lax.le(jnp.array([1, 2, 3]), 2)\nArray([ True,  True, False], dtype=bool)"
)
gt = _comparison(
    "gt", "x > y", _ORDERED, ">>> lax.gt(jnp.array([1, 2, 3]), 2)\nArray([False, False,  True], dtype=bool)"
)
ge = _comparison(
    "ge", "x >= y", _ORDERED, ">>> lax.ge(jnp.array([1, 2, 3]), 2)\nArray([False,  True,  True], dtype=bool)"
)
