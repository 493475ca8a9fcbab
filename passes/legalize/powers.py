"""Powers and cube roots with the values and the exactness of the C library."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from sable.dialects.ops.formulas import Real, where
from sable.dialects.ops.formulas import polynomial as formula
from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval

from .rules import ROUNDER, compare, in_f32, is_narrow, is_negative, legalize, polynomial

_F32, _F64, _I64 = np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int64)


@legalize("cbrt")
def cbrt(b: Any, x: Any) -> Any:
    """IREE has no cbrt. sign(x) exp(log|x| / 3), then one step of Newton: y - (y - |x| / y^2) / 3."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "cbrt", x)
    magnitude = b.abs(x)
    third = b.full(a, 1.0 / 3.0)
    y = b.exponential(b.multiply(b.log(magnitude), third))
    better = b.subtract(y, b.multiply(b.subtract(y, b.divide(magnitude, b.multiply(y, y))), third))
    # at 0, infinity and NaN the step is not a number, and the argument is the answer
    finite = b.emit("and", b.is_finite(better), compare(b, magnitude, b.full(a, 0), "GT"))
    return b.emit("select", finite, b.multiply(b.sign(x), better), x)


@legalize("power")
def power(b: Any, x: Any, y: Any) -> Any:
    """IREE's power is exp(y log x): NaN for negative bases, 0**0 and 1**inf. Cases of IEEE 754-2019, 9.2.1 (pow)."""
    a = b.aval(x)
    if kind_of(a.dtype) in "iu":
        return _integer_power(b, x, y)
    if a.dtype == np.complex64 and b.platform == "cpu":  # the exponent's rounding errors grow with its size
        wide = [b.convert(v, dtype=np.dtype(np.complex128)) for v in (x, y)]
        return b.convert(b.power(*wide), dtype=a.dtype)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "power", x, y)
    zero, one = b.full(a, 0), b.full(a, 1)
    magnitude = _power_of_positive(b, b.abs(x), y, a)
    whole = compare(b, b.floor(y), y, "EQ")
    odd = b.emit("and", whole, compare(b, b.remainder(b.abs(y), b.full(a, 2)), one, "EQ"))
    signed = b.emit("select", b.emit("and", is_negative(b, x), odd), b.negate(magnitude), magnitude)
    # a finite negative base has no real power that is not whole
    no_root = b.emit("and", b.emit("and", compare(b, x, zero, "LT"), b.is_finite(x)), b.emit("not", whole))
    signed = b.emit("select", no_root, b.full(a, np.nan), signed)
    to_infinity = b.emit("and", compare(b, b.abs(x), one, "EQ"), compare(b, b.abs(y), b.full(a, np.inf), "EQ"))
    is_one = b.emit("or", b.emit("or", compare(b, y, zero, "EQ"), compare(b, x, one, "EQ")), to_infinity)
    return b.emit("select", is_one, one, signed)


def _integer_power(b: Any, x: Any, y: Any) -> Any:
    """By squaring, over all bits of the exponent (IREE stops at six). Negative exponents: 1 / x**-y rounded to zero."""
    a = b.aval(x)
    zero, one = b.full(a, 0), b.full(a, 1)
    bits = 8 * a.dtype.itemsize - (a.dtype.kind == "i")
    result, square = one, x
    for k in range(bits):
        bit = b.emit("and", y, b.full(a, 1 << k))
        result = b.emit("select", compare(b, bit, zero, "NE"), b.multiply(result, square), result)
        if k < bits - 1:
            square = b.multiply(square, square)
    if a.dtype.kind == "u":
        return result
    minus = b.full(a, -1)
    odd = compare(b, b.emit("and", y, one), zero, "NE")
    of_minus = b.emit("select", odd, minus, one)
    unit = b.emit("select", compare(b, x, minus, "EQ"), of_minus, zero)
    unit = b.emit("select", compare(b, x, one, "EQ"), one, unit)
    return b.emit("select", compare(b, y, zero, "LT"), unit, result)


#: ln(m) = 2 s (1 + s^2/3 + s^4/5 ...) with s = (m - 1) / (m + 1): for m in [1/sqrt(2), sqrt(2)], s^2 <= 0.0295.
_LOG_SERIES = tuple(2.0 / (2 * k + 1) for k in range(9))
#: exp(r) for |r| <= ln(2) / 2.
_EXP_SERIES = tuple(1.0 / math.factorial(k) for k in range(11))


def _power_of_positive(b: Any, x: Any, y: Any, a: Aval) -> Any:
    """x**y for x >= 0. On CPUs f32 goes through f64: in f32 exp(y log x) has lost 6 bits at 1e30, in f64 it would 9 at 1e300."""
    if a.dtype == _F64 and b.platform == "cpu":
        return _power_in_pairs(b, x, y, a)
    if a.dtype != _F32 or b.platform != "cpu":
        return b.emit("power", x, y)
    wide = a.update(dtype=_F64, weak_type=False)
    exponent, significand = _split(b, b.emit("convert", x, dtype=_F64), wide)
    one = b.full(wide, 1.0)
    s = b.divide(b.subtract(significand, one), b.add(significand, one))
    log = b.multiply(s, polynomial(b, b.multiply(s, s), _LOG_SERIES, wide))
    log2 = b.add(exponent, b.multiply(log, b.full(wide, 1 / math.log(2))))
    product = b.multiply(b.emit("convert", y, dtype=_F64), log2)
    # beyond these bounds f32 is 0 or infinite whatever the result; NaN stays
    bounded = b.emit("clamp", b.full(wide, -300.0), product, b.full(wide, 300.0))
    shifted = b.add(bounded, b.full(wide, ROUNDER))
    whole = b.subtract(shifted, b.full(wide, ROUNDER))
    rest = b.multiply(b.subtract(bounded, whole), b.full(wide, math.log(2)))
    bits = wide.update(dtype=_I64)
    scale = b.emit("shift_left", b.bitcast_convert(shifted, dtype=_I64), b.full(bits, 52))
    scale = b.bitcast_convert(b.emit("add", scale, b.full(bits, 1023 << 52)), dtype=_F64)
    result = b.emit("convert", b.multiply(polynomial(b, rest, _EXP_SERIES, wide), scale), dtype=_F32)
    return _at_the_ends(b, x, y, result, a)


#: 2/3 and log 2 as sums of two numbers; 2/5, 2/7 ... for what `_LOG_SERIES` has behind 2/3, to f64.
_TWO_THIRDS = (2 / 3, (2 - 3 * Fraction(2 / 3)) / 3)
_LOG_TWO = (0.6931471805599453, 2.3190468138462996e-17)
_LOG_TAIL = tuple(2.0 / (2 * k + 5) for k in range(9))
#: |y| from which on a power is 0, 1 or infinite, whatever the base.
_LARGEST_EXPONENT = 2.0**64


def _power_in_pairs(b: Any, x: Any, y: Any, a: Aval) -> Any:
    """x**y for x >= 0 in f64: y log(x) is the exponential's argument, up to 709, so it is made as a sum of two numbers.

    Sources: T. Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18, 1971.
    """
    wide = a.update(weak_type=False)
    exponent, significand = (Real(b, v) for v in _split(b, x, wide))
    # log(m) = 2 s + s^3 (2/3 + s^2 (2/5 + ...)), s = (m - 1) / (m + 1)
    above, below = significand - 1, significand + 1
    lost = significand - (below - 1)
    s = above / below
    product, error = _product(s, below)
    rest = ((above - product) - error - s * lost) / below
    square, square_error = _product(s, s)
    square_error = square_error + 2 * s * rest
    third, third_error = _quick_sum(s.constant(_TWO_THIRDS[0]), square * formula(square, _LOG_TAIL))
    third_error = third_error + float(_TWO_THIRDS[1])
    cube, cube_error = _product(square, s)
    cube_error = cube_error + square_error * s + square * rest
    log, log_error = _product(cube, third)
    log_error = log_error + cube * third_error + cube_error * third
    log, error = _quick_sum(2 * s, log)
    log_error = log_error + error + 2 * rest
    # exponent * (upper part of log 2) is not exact, as the product of the lower one need not be
    whole, whole_error = _product(exponent, exponent.constant(_LOG_TWO[0]))
    log, error = _sum(whole, log)
    log_error = log_error + error + whole_error + exponent * _LOG_TWO[1]
    power = Real(b, b.emit("clamp", b.full(wide, -_LARGEST_EXPONENT), y, b.full(wide, _LARGEST_EXPONENT)))
    argument, error = _product(power, log)
    found = argument.of("exponential")
    found = where(found == math.inf, found, found + found * (error + power * log_error))
    return _at_the_ends(b, x, y, found.value, a)


def _sum(x: Real, y: Real) -> tuple[Real, Real]:
    """x + y, and what it has lost."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part)


def _quick_sum(x: Real, y: Real) -> tuple[Real, Real]:
    """`_sum` for |x| >= |y|."""
    total = x + y
    return total, y - (total - x)


def _product(x: Real, y: Real) -> tuple[Real, Real]:
    """x y, and what it has lost: f64 in halves of 26 bits, whose products are exact."""
    total = x * y
    (x1, x2), (y1, y2) = _halves(x), _halves(y)
    return total, ((x1 * y1 - total) + x1 * y2 + x2 * y1) + x2 * y2


def _halves(x: Real) -> tuple[Real, Real]:
    scaled = x * (2.0**27 + 1)
    upper = scaled - (scaled - x)
    return upper, x - upper


def _split(b: Any, x: Any, wide: Aval) -> tuple[Any, Any]:
    """x as 2^exponent * significand with significand in [1/sqrt(2), sqrt(2)), both f64; x is normal and above 0."""
    bits = wide.update(dtype=_I64)
    word = b.bitcast_convert(x, dtype=_I64)
    # the upper half of the significands counts to the next exponent
    shifted = b.emit("add", word, b.full(bits, (1 << 52) - _SQRT_HALF_FRACTION))
    exponent = b.emit("subtract", b.emit("shift_right_logical", shifted, b.full(bits, 52)), b.full(bits, 1023))
    rest = b.emit("subtract", word, b.emit("shift_left", exponent, b.full(bits, 52)))
    return b.emit("convert", exponent, dtype=_F64), b.bitcast_convert(rest, dtype=_F64)


#: The fraction bits of sqrt(2) as an f64.
_SQRT_HALF_FRACTION = int(np.float64(math.sqrt(2.0)).view(np.int64)) & ((1 << 52) - 1)


def _at_the_ends(b: Any, x: Any, y: Any, result: Any, a: Aval) -> Any:
    """The result for x > 0 finite, completed for x zero or infinite, and NaN."""
    zero, infinity, nan = (b.full(a, v) for v in (0.0, np.inf, np.nan))
    rises = compare(b, y, zero, "GT")
    of_zero, of_infinity = b.emit("select", rises, zero, infinity), b.emit("select", rises, infinity, zero)
    result = b.emit("select", compare(b, x, zero, "EQ"), of_zero, result)
    result = b.emit("select", compare(b, x, infinity, "EQ"), of_infinity, result)
    is_number = b.emit("and", compare(b, x, x, "EQ"), compare(b, y, y, "EQ"))
    return b.emit("select", is_number, result, nan)
