"""Elementwise functions that are ops: operands of one dtype and, scalars apart, of one rank."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.core import dtypes, operands
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.operands import broadcast_operands, value_in, value_of, values_of
from sable.core.values import retype
from sable.dialects.ops.selection import bitcast_refusal
from sable.ir.op import OPS
from sable.library.declare import library
from sable.library.words import all_words, any_words, refuse_conversion
from sable.pytree.arrays import WRAPPERS


def _unary(name: str, mnemonic: str, text: str) -> Callable:
    op = OPS[mnemonic]

    @library(
        operands=("x",),
        name=name,
        text=f"{text}, elementwise.\n\n    Raises:\n      TypeError: a dtype without it.\n    ",
    )
    def run(x: Any) -> Value:
        return bind(op, value_of(x, name))

    return run


class AccuracyMode(enum.Enum):
    """How exactly a function is computed, where there is a choice."""

    HIGHEST = 1
    DEFAULT = 2


class Tolerance:
    """How far off a function's result may be, where there is a choice.

    Args:
      atol, rtol: absolute and relative difference.
      ulps: units in the last place.

    Raises:
      ValueError: a negative one, or all are zero.
    """

    def __init__(self, atol: float = 0.0, rtol: float = 0.0, ulps: int = 0):
        if any(t < 0 for t in (atol, rtol, ulps)):
            raise ValueError("Tolerances must be non-negative.")
        if not (atol or rtol or ulps):
            raise ValueError("At least one of atol, rtol, or ulps must be set.")
        self.atol, self.rtol, self.ulps = atol, rtol, ulps


def _check_accuracy(accuracy: Any) -> None:
    if not (accuracy is None or isinstance(accuracy, (AccuracyMode, Tolerance))):
        raise NotImplementedError(f"Accuracy {accuracy} not supported: expected a Tolerance, an AccuracyMode or None")


def _accurate(name: str, mnemonic: str, text: str) -> Callable:
    op = OPS[mnemonic]

    text += ", elementwise.\n\n    Args:\n      x: floats or complex numbers.\n      accuracy: a Tolerance, an AccuracyMode or "
    text += "None; the result has the compiler's best accuracy.\n\n    Raises:\n      TypeError: another dtype.\n    "

    @library(operands=("x",), name=name, text=text)
    def run(x: Any, *, accuracy: Any = None) -> Value:
        _check_accuracy(accuracy)
        return bind(op, value_of(x, name))

    return run


def _binary(name: str, mnemonic: str, text: str) -> Callable:
    op = OPS[mnemonic]

    text += ", elementwise.\n\n    Args:\n      x, y: arrays of one dtype and rank; scalars are repeated."
    text += "\n\n    Raises:\n      TypeError: dtypes or shapes disagree, or the dtype has no such operation.\n    "

    moves, join = (("x", "y"), _JOINS[name]) if name in _JOINS else (None, None)

    @library(operands=("x", "y"), name=name, text=text, moves=moves, join=join)
    def run(x: Any, y: Any) -> Value:
        values = value_of(x, name, 0), value_of(y, name, 1)
        return bind(op, *broadcast_operands(values))

    return run


#: Comparisons of typed keys: how those of their words are put together.
_JOINS = {"eq": all_words, "ne": any_words}


def _comparison(name: str, text: str) -> Callable:
    direction, op = name.upper(), OPS["compare"]

    text += ", elementwise, as booleans.\n\n    Raises:\n      TypeError: dtypes or shapes disagree.\n    "

    moves, join = (("x", "y"), _JOINS[name]) if name in _JOINS else (None, None)

    @library(operands=("x", "y"), name=name, text=text, moves=moves, join=join)
    def run(x: Any, y: Any) -> Value:
        values = value_of(x, name, 0), value_of(y, name, 1)
        return bind(op, *broadcast_operands(values), comparison_direction=direction)

    return run


neg = _unary("neg", "negate", "-x")
abs = _unary("abs", "abs", "The absolute value; for complex numbers a real one")
floor = _unary("floor", "floor", "The largest whole number that is not above x")
ceil = _unary("ceil", "ceil", "The smallest whole number that is not below x")
is_finite = _unary("is_finite", "is_finite", "True where x is neither infinite nor NaN")
asin = _unary("asin", "asin", "The arc sine")
acos = _unary("acos", "acos", "The arc cosine")
atan = _unary("atan", "atan", "The arc tangent")
sinh = _unary("sinh", "sinh", "The hyperbolic sine")
cosh = _unary("cosh", "cosh", "The hyperbolic cosine")
asinh = _unary("asinh", "asinh", "The inverse hyperbolic sine")
acosh = _unary("acosh", "acosh", "The inverse hyperbolic cosine")
atanh = _unary("atanh", "atanh", "The inverse hyperbolic tangent")
erf = _unary("erf", "erf", "The error function")
erfc = _unary("erfc", "erfc", "1 - erf(x), accurate for large x")
erf_inv = _unary("erf_inv", "erf_inv", "The inverse of the error function")
lgamma = _unary("lgamma", "lgamma", "The logarithm of |gamma(x)|")
digamma = _unary("digamma", "digamma", "The derivative of the logarithm of the gamma function")
bessel_i0e = _unary("bessel_i0e", "bessel_i0e", "e**-|x| times the modified Bessel function of order 0")
bessel_i1e = _unary("bessel_i1e", "bessel_i1e", "e**-|x| times the modified Bessel function of order 1")
real = _unary("real", "real", "The real part of complex numbers")
imag = _unary("imag", "imag", "The imaginary part of complex numbers")
bitwise_not = _unary("bitwise_not", "not", "The bits inverted; for booleans the negation")
population_count = _unary("population_count", "popcnt", "The number of bits that are set")
clz = _unary("clz", "count_leading_zeros", "The number of leading zero bits")

sin = _accurate("sin", "sine", "The sine")
cos = _accurate("cos", "cosine", "The cosine")
tan = _accurate("tan", "tan", "The tangent")
tanh = _accurate("tanh", "tanh", "The hyperbolic tangent")
exp = _accurate("exp", "exponential", "e**x")
expm1 = _accurate("expm1", "exponential_minus_one", "e**x - 1, accurate near 0")
log = _accurate("log", "log", "The natural logarithm")
log1p = _accurate("log1p", "log_plus_one", "log(1 + x), accurate near 0")
logistic = _accurate("logistic", "logistic", "1 / (1 + e**-x)")
sqrt = _accurate("sqrt", "sqrt", "The square root")
rsqrt = _accurate("rsqrt", "rsqrt", "1 / sqrt(x)")
cbrt = _accurate("cbrt", "cbrt", "The cube root")

add = _binary("add", "add", "x + y")
sub = _binary("sub", "subtract", "x - y")
div = _binary("div", "divide", "x / y; for integers truncated towards zero")
rem = _binary("rem", "remainder", "The remainder of x / y, with the sign of x")
max = _binary("max", "maximum", "The larger of x and y; NaN where one is")
min = _binary("min", "minimum", "The smaller of x and y; NaN where one is")
atan2 = _binary("atan2", "atan2", "The angle of the point (y, x), whose ordinate comes first")
complex = _binary("complex", "complex", "x + i y")
bitwise_and = _binary("bitwise_and", "and", "x & y")
bitwise_or = _binary("bitwise_or", "or", "x | y")
bitwise_xor = _binary("bitwise_xor", "xor", "x ^ y")
shift_left = _binary("shift_left", "shift_left", "x shifted left by y bits")
shift_right_arithmetic = _binary(
    "shift_right_arithmetic", "shift_right_arithmetic", "x shifted right, filling in the sign"
)
shift_right_logical = _binary("shift_right_logical", "shift_right_logical", "x shifted right, filling in zeros")

eq = _comparison("eq", "x == y")
ne = _comparison("ne", "x != y")
lt = _comparison("lt", "x < y")
le = _comparison("le", "x <= y")
gt = _comparison("gt", "x > y")
ge = _comparison("ge", "x >= y")


@library(operands=("x1", "x2"))
def nextafter(x1: Any, x2: Any) -> Value:
    """The float next to x1 in the direction of x2, elementwise.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.next_after(*broadcast_operands(values_of("nextafter", x1, x2)))


@library(operands=("m", "x"))
def polygamma(m: Any, x: Any) -> Value:
    """The derivative of order m of `digamma`, at x, elementwise; both are floats of one dtype.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.polygamma(*broadcast_operands(values_of("polygamma", m, x)))


@library(operands=("x", "q"))
def zeta(x: Any, q: Any) -> Value:
    """The Hurwitz zeta function: the sum of (k + q)**-x over k = 0, 1, ..., elementwise.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.zeta(*broadcast_operands(values_of("zeta", x, q)))


@library(operands=("a", "x"))
def igamma(a: Any, x: Any) -> Value:
    """The regularized lower incomplete gamma function, the distribution function of the gamma distribution, elementwise.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.igamma(*broadcast_operands(values_of("igamma", a, x)))


@library(operands=("a", "x"))
def igammac(a: Any, x: Any) -> Value:
    """1 - igamma(a, x), accurate for large x, elementwise.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.igammac(*broadcast_operands(values_of("igammac", a, x)))


@library(operands=("a", "x"))
def igamma_grad_a(a: Any, x: Any) -> Value:
    """The derivative of igamma(a, x) in a, elementwise; it has none itself.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.igamma_grad_a(*broadcast_operands(values_of("igamma_grad_a", a, x)))


@library(operands=("a", "x"))
def random_gamma_grad(a: Any, x: Any) -> Value:
    """How a sample x of the gamma distribution moves with its parameter a: dx/da at constant igamma(a, x), elementwise.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.random_gamma_grad(*broadcast_operands(values_of("random_gamma_grad", a, x)))


@library(operands=("a", "b", "x"))
def betainc(a: Any, b: Any, x: Any) -> Value:
    """The regularized incomplete beta function, the distribution function of the beta distribution, elementwise.

    It has a derivative in x only.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.
    """
    return BIND.betainc(*broadcast_operands(values_of("regularized_incomplete_beta", a, b, x)))


@library(operands=("x", "y"))
def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Value:
    """x * y, elementwise.

    Args:
      x, y: arrays of one dtype and rank; scalars are repeated.
      out_dtype: convert the operands to this dtype first.

    Raises:
      TypeError: dtypes or shapes disagree, or booleans.
    """
    values = values_of("mul", x, y)
    if out_dtype is not None:
        values = [convert_element_type(v, out_dtype) for v in values]
    return BIND.multiply(*broadcast_operands(values))


@library(operands=("x", "y"))
def mulhi(x: Any, y: Any, /) -> Value:
    """The upper half of the bits of x * y, elementwise.

    Args:
      x, y: integers of one dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or are no integers.

    Example:
      >>> import sable.numpy as jnp
      >>> mulhi(jnp.uint8(200), jnp.uint8(100))
      Array(78, dtype=uint8)
    """
    values = values_of("mulhi", x, y)
    for i, value in enumerate(values):
        if value.aval.dtype.kind not in "iu":
            raise TypeError(
                f"mulhi does not accept dtype {value.aval.dtype.name} at position {i}. "
                f"Accepted dtypes at position {i} are subtypes of integer."
            )
    a, b = broadcast_operands(values)
    if a.aval.dtype != b.aval.dtype or a.aval.shape != b.aval.shape:
        raise TypeError(f"mulhi requires arguments of equal types, got {a.aval.short()} and {b.aval.short()}.")
    found = _upper_half_of_long(a, b) if a.aval.dtype.itemsize == 8 else _upper_half(a, b)
    return retype(found, all(v.aval.weak_type for v in values))


def _upper_half(a: Value, b: Value) -> Value:
    """By a product of integers twice as wide."""
    narrow = a.aval.dtype
    wide = np.dtype(f"{narrow.kind}{2 * narrow.itemsize}")
    product = BIND.multiply(BIND.convert(a, dtype=wide), BIND.convert(b, dtype=wide))
    shifted = BIND.shift_right_logical(product, operands.full_like(product, 8 * narrow.itemsize))
    return BIND.convert(shifted, dtype=narrow)


def _upper_half_of_long(a: Value, b: Value) -> Value:
    """By four products of 32-bit halves. A negative number is its bits as an unsigned one less 2**64, hence
    (a - 2**64 [a < 0]) (b - 2**64 [b < 0]) = a b - 2**64 (b [a < 0] + a [b < 0]) modulo 2**128."""
    dtype = a.aval.dtype
    unsigned = [BIND.convert(v, dtype=np.dtype(np.uint64)) for v in (a, b)]
    half, mask = operands.full_like(unsigned[0], 32), operands.full_like(unsigned[0], 2**32 - 1)
    low = [operands.logical("and", v, mask) for v in unsigned]
    high = [BIND.shift_right_logical(v, half) for v in unsigned]
    carry = BIND.shift_right_logical(BIND.multiply(*low), half)
    first = BIND.add(BIND.multiply(high[0], low[1]), carry)
    second = BIND.add(BIND.multiply(low[0], high[1]), operands.logical("and", first, mask))
    upper = [BIND.multiply(*high), BIND.shift_right_logical(first, half), BIND.shift_right_logical(second, half)]
    found = BIND.convert(functools.reduce(BIND.add, upper), dtype=dtype)
    if dtype.kind == "i":
        for x, y in ((a, b), (b, a)):
            found = BIND.subtract(found, operands.select(operands.compare_to(x, 0, "LT"), y, operands.full_like(y, 0)))
    return found


@library(operands=("x",))
def sign(x: Any) -> Value:
    """-1, 0 or 1 by the sign of x (NaN for NaN); x / |x| for complex numbers.

    Raises:
      TypeError: booleans.
    """
    value = value_of(x, "sign")
    if value.aval.dtype.kind == "u":
        return BIND.minimum(value, BIND.full(value.aval, 1))
    return BIND.sign(value)


@library(operands=("x",))
def exp2(x: Any, *, accuracy: Any = None) -> Value:
    """2**x, elementwise.

    Raises:
      TypeError: neither floats nor complex numbers.
    """
    _check_accuracy(accuracy)
    value = value_of(x, "exp2")
    if dtypes.kind_of(value.aval.dtype) not in "fc":
        raise TypeError(
            f"exp2 does not accept dtype {value.aval.dtype.name}. "
            "Accepted dtypes are subtypes of floating, complexfloating."
        )
    return operands.power_of_two(value)


@library(operands=("x",))
def square(x: Any) -> Value:
    """x * x, elementwise.

    Raises:
      TypeError: booleans.
    """
    value = value_of(x, "square")
    if value.aval.dtype.kind in "iu":
        return BIND.multiply(value, value)
    return BIND.square(value)


@library(operands=("x",))
def reciprocal(x: Any) -> Value:
    """1 / x, elementwise."""
    return integer_pow(x, -1)


@library(operands=("x",))
def integer_pow(x: Any, y: int) -> Value:
    """x**y for a Python integer y, by repeated squaring.

    Raises:
      TypeError: booleans; integers to a negative power.
    """
    value = value_of(x, "integer_pow")
    if value.aval.dtype == np.bool_:
        raise TypeError(
            "integer_pow does not accept dtype bool. "
            "Accepted dtypes are subtypes of integer, floating, complexfloating."
        )
    return operands.integer_pow(value, int(y))


@library(operands=("x",))
def pow(x: Any, y: Any) -> Value:
    """x**y, elementwise.

    Args:
      x: floats or complex numbers.
      y: the same dtype, or integers.

    Raises:
      TypeError: other dtypes; shapes that disagree.
    """
    if isinstance(y, int) and not isinstance(y, bool):
        kind = dtypes.kind_of(value_of(x, "pow").aval.dtype)
        if kind in "fc":
            return integer_pow(x, y)
    base, exponent = values_of("pow", x, y)
    kind = dtypes.kind_of(base.aval.dtype)
    if kind not in "fc":
        raise TypeError(
            f"pow does not accept dtype {base.aval.dtype.name} at position 0. "
            "Accepted dtypes at position 0 are subtypes of floating, complexfloating."
        )
    if exponent.aval.dtype.kind in "iu":
        base, exponent = broadcast_operands([base, exponent])
        if base.aval.shape == exponent.aval.shape:
            # x**0 is 1 with derivative 0, also at 0, where y x**(y - 1) would be 0 * inf
            none = operands.compare_to(exponent, 0, "EQ")
            base = operands.select(none, operands.full_like(base, 1), base)
        exponent = retype(BIND.convert(exponent, dtype=base.aval.dtype), exponent.aval.weak_type)
    return BIND.power(*broadcast_operands([base, exponent]))


class RoundingMethod(enum.IntEnum):
    """Where `round` sends numbers half way between two whole ones."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


@library(operands=("x",))
def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Value:
    """The nearest whole number, elementwise.

    Raises:
      TypeError: not floats.
    """
    value = value_of(x, "round")
    even = RoundingMethod(rounding_method) is RoundingMethod.TO_NEAREST_EVEN
    return BIND.round_nearest_even(value) if even else BIND.round_nearest_afz(value)


@library(operands=("x",))
def conj(x: Any) -> Value:
    """The complex conjugate; real numbers become complex."""
    value = value_of(x, "conj")
    if value.aval.dtype.kind != "c":
        return BIND.complex(value, BIND.full(value.aval, 0))
    return BIND.complex(BIND.real(value), BIND.negate(BIND.imag(value)))


@library(
    operands=("pred", "on_true", "on_false"),
    moves=(
        "on_true",
        "on_false",
    ),
)
def select(pred: Any, on_true: Any, on_false: Any) -> Value:
    """`on_true` where `pred` holds, else `on_false`.

    Args:
      pred: booleans (or int32, 0 and 1), of the cases' shape or a scalar.
      on_true, on_false: arrays of one shape and dtype.

    Raises:
      TypeError: shapes or dtypes disagree; `pred` is not boolean.
    """
    which, *cases = values_of("select", pred, on_true, on_false)
    if which.aval.dtype == np.int32:
        return select_n(which, cases[1], cases[0])
    return BIND.select(which, *cases)


@library(moves=("cases",))
def select_n(which: Any, *cases: Any) -> Value:
    """Elements of the case that `which` numbers.

    Args:
      which: booleans (two cases: False takes the first) or int32, of the cases' shape or a scalar.
      *cases: arrays of one shape and dtype.

    Raises:
      TypeError, ValueError: no cases; shapes or dtypes disagree; a `which` of another dtype.
    """
    if not cases:
        raise ValueError("select_n() must have at least one case")
    index, *values = values_of("select_n", which, *cases)
    dtype = index.aval.dtype
    if dtype == np.bool_:
        if len(values) > 2:
            raise TypeError(f"select with boolean `which` cannot have > 2 cases; got {len(values)}")
        return values[0] if len(values) == 1 else BIND.select(index, values[1], values[0])
    if dtype != np.int32:
        raise TypeError(f"select `which` must be boolean or int32 type, got {dtype.name}.")
    result = values[-1]
    for i in range(len(values) - 2, -1, -1):
        direction = "LE" if i == 0 else "EQ"  # a number below 0 means the first case
        here = BIND.compare(index, BIND.full(index.aval, i), comparison_direction=direction)
        result = BIND.select(here, values[i], result)
    return result


@library(operands=("min", "x", "max"))
def clamp(min: Any, x: Any, max: Any) -> Value:
    """x, raised to `min` and then lowered to `max`, elementwise.

    Args:
      min, max: scalars or arrays of x's shape, of x's dtype.

    Raises:
      TypeError: shapes or dtypes disagree.
    """
    return BIND.clamp(*values_of("clamp", min, x, max))


@library(operands=("operand",))
def convert_element_type(operand: Any, new_dtype: Any) -> Value:
    """The elements in another dtype; the result is strongly typed.

    Args:
      operand: an array.
      new_dtype: a dtype; Python's types mean the default dtypes.

    Raises:
      ValueError: no dtype; that of typed keys, or another one for typed keys.
      TypeError: a dtype that arrays cannot have.
    """
    dtype = dtypes.user_dtype(new_dtype, "convert_element_type")
    if dtypes.is_extended(dtype) or type(operand) in WRAPPERS:
        return _same_keys(operand, dtype)
    return value_in(dtype, operand, "convert_element_type")


def _same_keys(operand: Any, dtype: Any) -> Any:
    """Typed keys in a dtype, which must be theirs."""
    old = dtypes.dtype(operand)
    if old != dtype:
        refuse_conversion(old, dtype)
    return operand


@library
def bitcast_convert_type(operand: Any, new_dtype: Any) -> Value:
    """The bits of the elements, taken for another dtype.

    Between dtypes of different widths a last axis appears or disappears.

    Raises:
      TypeError, ValueError: booleans or complex numbers; a last axis of the wrong size.
    """
    dtype = dtypes.user_dtype(new_dtype, "bitcast_convert_type")
    x = value_of(operand, "bitcast_convert_type")
    if x.aval.dtype.kind == "c" and x.aval.dtype != dtype:
        raise bitcast_refusal(x.aval, dtype)
    return BIND.bitcast_convert(x, dtype=dtype)


@library
def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Value:
    """Floats rounded to a format of that many exponent and mantissa bits, in their own dtype.

    Raises:
      TypeError: not floats.
      ValueError: no such format.
    """
    value = value_of(operand, "reduce_precision")
    return BIND.reduce_precision(value, exponent_bits=int(exponent_bits), mantissa_bits=int(mantissa_bits))
