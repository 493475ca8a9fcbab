"""sine, cosine and tan of f32 which are right for arguments of all magnitudes.

IREE's own reduce x by one f32 value of pi/2 on CPUs (an error of 3e-3 at 1e5, and no right digit beside the zeros), and
on Vulkan are exact to 2^-11 within [-pi, pi] and to nothing beyond. Here |x| = (4 k + q) pi/2 + r with |r| <= pi/4, in
two ways:

- on CPUs in f64, vectorised: |x| times 2/pi modulo 4, which is given in three parts of 29 bits so that the products
  with x's 24 bits are exact. For |x| >= 2^51 x is a whole multiple of 2^28, so that the factor is reduced modulo 4
  ahead: a window of bits of 2/pi for every 28 powers of two (M. Payne, R. Hanek, "Radian reduction for trigonometric
  functions", 1983).
- on Vulkan, where f64 is slow or missing, by the same idea in integers.

On |r| <= pi/4 the Taylor polynomials below are exact to 1.3e-9 relative to the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval

from .rules import ROUNDER, compare, in_f32, is_negative, legalize, negated_if, polynomial
from .vulkan import refuse

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_I32, _I64 = np.dtype(np.int32), np.dtype(np.int64)
_U32, _U64 = np.dtype(np.uint32), np.dtype(np.uint64)

#: The first 192 bits of 1/(2 pi) after the point, most significant word first: a whole number is four quadrants.
_ONE_OVER_TWO_PI = (0x28BE60DB, 0x9391054A, 0x7F09D5F4, 0x7D4D3770, 0x36D8A566, 0x4F10E410)
#: Coefficients in r^2 of (sin(r) - r) / r^3 and of (cos(r) - 1) / r^2, up to r^8.
_SINE = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(1, 6))
_COSINE = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(1, 6))

#: Where the windows begin (the first at 0), and what x is multiplied with in each, so that it stays a whole number.
_WINDOW_BEGINS = (2.0**51, 2.0**79, 2.0**107)
_WINDOW_SCALES = (1.0, 2.0**-28, 2.0**-56, 2.0**-84)


def _parts(window: int) -> tuple[float, float, float]:
    """2/pi times the inverse of the window's scale, modulo 4, as a sum: 29 bits, 29 bits, the rest."""
    bits = sum(word << 32 * (5 - k) for k, word in enumerate(_ONE_OVER_TWO_PI))
    value = Fraction(4 * bits, 1 << 192) * Fraction(1 << 28 * window) % 4
    first = Fraction(int(value * (1 << 27)), 1 << 27)
    second = Fraction(int((value - first) * (1 << 56)), 1 << 56)
    return float(first), float(second), float(value - first - second)


_TWO_OVER_PI = tuple(_parts(window) for window in range(4))


def _reduced_in_doubles(b: Any, x: Any, a: Aval) -> tuple[Any, Any]:
    """r (f32, of |x|) and q (i32, modulo 4)."""
    wide = a.update(dtype=_F64, weak_type=False)
    x = b.abs(b.emit("convert", x, dtype=_F64))
    beyond = [compare(b, x, b.full(wide, begin), "GE") for begin in _WINDOW_BEGINS]

    def of_window(values: Sequence[float]) -> Any:
        found = b.full(wide, values[0])
        for is_beyond, value in zip(beyond, values[1:]):
            found = b.emit("select", is_beyond, b.full(wide, value), found)
        return found

    whole = b.multiply(x, of_window(_WINDOW_SCALES))
    first, second, rest = (b.multiply(whole, of_window(values)) for values in zip(*_TWO_OVER_PI))
    turns = b.add(b.add(_modulo_4(b, first, wide), _modulo_4(b, second, wide)), rest)
    shifted = b.add(turns, b.full(wide, ROUNDER))
    fraction = b.subtract(turns, b.subtract(shifted, b.full(wide, ROUNDER)))
    r = b.emit("convert", b.multiply(fraction, b.full(wide, math.pi / 2)), dtype=_F32)
    return r, b.emit("convert", b.bitcast_convert(shifted, dtype=_I64), dtype=_I32)


def _modulo_4(b: Any, x: Any, wide: Aval) -> Any:
    """x less the nearest multiple of 4; exact."""
    shifted = b.add(b.multiply(x, b.full(wide, 0.25)), b.full(wide, ROUNDER))
    return b.subtract(x, b.multiply(b.subtract(shifted, b.full(wide, ROUNDER)), b.full(wide, 4.0)))


def _reduced_in_integers(b: Any, x: Any, a: Aval) -> tuple[Any, Any]:
    """r (f32, of |x|) and q (ui32, modulo 4)."""
    word, signed = a.update(dtype=_U32, weak_type=False), a.update(dtype=_I32, weak_type=False)
    bits = b.bitcast_convert(b.abs(x), dtype=_U32)
    exponent = b.emit("subtract", b.emit("shift_right_logical", bits, b.full(word, 23)), b.full(word, 126))
    fraction = b.emit("and", bits, b.full(word, 0x7FFFFF))
    significand = b.emit("shift_left", b.emit("or", fraction, b.full(word, 0x800000)), b.full(word, 8))
    high, middle, low = _window(b, exponent, word)
    product = _product(b, significand, high, middle, low, a)
    # the two upper bits count quadrants, the rest is a fraction of one; from 1/2 on the next quadrant is nearer
    wide = a.update(dtype=_U64, weak_type=False)
    rounded = b.emit("add", product, b.full(wide, 1 << 61))
    quadrant = b.emit("convert", b.emit("shift_right_logical", rounded, b.full(wide, 62)), dtype=_U32)
    shifted = b.bitcast_convert(b.emit("shift_left", product, b.full(wide, 2)), dtype=_I64)
    rest = b.multiply(b.emit("convert", shifted, dtype=_F32), b.full(a, math.pi / 2 * 2.0**-64))
    # |x| < 1/2 is its own rest, and has no bits in the window
    small = compare(b, b.bitcast_convert(bits, dtype=_I32), b.full(signed, 0x3F000000), "LT")
    rest = b.emit("select", small, b.abs(x), rest)
    rest = b.emit("select", b.is_finite(x), rest, b.full(a, np.nan))
    return rest, b.emit("select", small, b.full(word, 0), quadrant)


def _window(b: Any, exponent: Any, word: Aval) -> list[Any]:
    """96 bits of 1/(2 pi) from the bit 32 before the exponent on, as three words."""
    index = b.emit("shift_right_logical", exponent, b.full(word, 5))
    shift = b.emit("and", exponent, b.full(word, 31))
    table = (0, *_ONE_OVER_TWO_PI, 0)
    words = [_chosen(b, index, table[k:], word) for k in range(4)]
    back = b.emit("subtract", b.full(word, 31), shift)
    found = []
    for first, second in zip(words, words[1:]):
        upper = b.emit("shift_left", first, shift)
        lower = b.emit("shift_right_logical", b.emit("shift_right_logical", second, b.full(word, 1)), back)
        found.append(b.emit("or", upper, lower))
    return found


def _chosen(b: Any, index: Any, table: Sequence[int], word: Aval) -> Any:
    """table[index], for the indices 0 to 4 that exponents of f32 have."""
    found = b.full(word, table[0])
    for k in range(1, 5):
        found = b.emit("select", compare(b, index, b.full(word, k), "EQ"), b.full(word, table[k]), found)
    return found


def _product(b: Any, significand: Any, high: Any, middle: Any, low: Any, a: Aval) -> Any:
    """Bits 32 to 95 of significand * (high 2^64 + middle 2^32 + low)."""
    wide = a.update(dtype=_U64, weak_type=False)
    s, h, m, n = (b.emit("convert", v, dtype=_U64) for v in (significand, high, middle, low))
    half = b.full(wide, 32)
    lowest = b.emit("shift_right_logical", b.emit("multiply", s, n), half)
    sum_of_two = b.emit("add", b.emit("multiply", s, m), lowest)
    return b.emit("add", b.emit("shift_left", b.emit("multiply", s, h), half), sum_of_two)


def _sine_and_cosine(b: Any, r: Any, a: Aval) -> tuple[Any, Any]:
    square = b.multiply(r, r)
    sine = b.add(r, b.multiply(b.multiply(r, square), polynomial(b, square, _SINE, a)))
    return sine, b.add(b.full(a, 1.0), b.multiply(square, polynomial(b, square, _COSINE, a)))


def _bit(b: Any, q: Any, mask: int) -> Any:
    word = b.aval(q)
    return compare(b, b.emit("and", q, b.full(word, mask)), b.full(word, 0), "NE")


def _sine(b: Any, x: Any, q: Any, s: Any, c: Any, a: Aval) -> Any:
    y = negated_if(b, _bit(b, q, 2), b.emit("select", _bit(b, q, 1), c, s))
    return negated_if(b, is_negative(b, x), y)


def _cosine(b: Any, x: Any, q: Any, s: Any, c: Any, a: Aval) -> Any:
    y = b.emit("select", _bit(b, q, 1), s, c)
    return negated_if(b, _bit(b, b.emit("add", q, b.full(b.aval(q), 1)), 2), y)  # minus in quadrants 1 and 2


def _tan(b: Any, x: Any, q: Any, s: Any, c: Any, a: Aval) -> Any:
    odd = _bit(b, q, 1)
    y = b.divide(b.emit("select", odd, b.negate(c), s), b.emit("select", odd, s, c))
    return negated_if(b, is_negative(b, x), y)


def _register(name: str, compute: Callable, platform: str, reduce: Callable) -> None:
    @legalize(name, platform)
    def rule(b: Any, x: Any) -> Any:
        a = b.aval(x)
        if platform == "vulkan":
            refuse(b, name, [a])
        if kind_of(a.dtype) != "f" or a.dtype == _F64:  # CPUs have libm for f64
            return NotImplemented
        if a.dtype != _F32:
            return in_f32(b, name, x)
        a = a.update(weak_type=False)
        r, q = reduce(b, x, a)
        return compute(b, x, q, *_sine_and_cosine(b, r, a), a)


for _name, _compute in (("sine", _sine), ("cosine", _cosine), ("tan", _tan)):
    _register(_name, _compute, "cpu", _reduced_in_doubles)
    _register(_name, _compute, "vulkan", _reduced_in_integers)
