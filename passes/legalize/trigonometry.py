"""sine, cosine and tan of f32 for Vulkan, whose own are exact to 2^-11 within [-pi, pi] and to nothing beyond.

x = (4 k + q) pi/2 + r with |r| <= pi/4; q and r come from the product of x's significand with those bits of 1/(2 pi)
that matter for x's exponent, in integers (M. Payne, R. Hanek, "Radian reduction for trigonometric functions", 1983). On
|r| <= pi/4 the Taylor polynomials below are exact to 1.3e-9 relative to the result.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval

from .rules import legalize

_F32, _I32, _I64 = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.int64)
_U32, _U64 = np.dtype(np.uint32), np.dtype(np.uint64)

#: The first 192 bits of 1/(2 pi) after the point, most significant word first: a whole number is four quadrants.
_ONE_OVER_TWO_PI = (0x28BE60DB, 0x9391054A, 0x7F09D5F4, 0x7D4D3770, 0x36D8A566, 0x4F10E410)
#: Coefficients in r^2 of sin(r) / r and of cos(r), up to r^10.
_SINE = tuple((-1.0) ** k / math.factorial(2 * k + 1) for k in range(6))
_COSINE = tuple((-1.0) ** k / math.factorial(2 * k) for k in range(6))


def _compare(b: Any, x: Any, y: Any, direction: str) -> Any:
    return b.emit("compare", x, y, comparison_direction=direction)


def _reduced(b: Any, x: Any, a: Aval) -> tuple[Any, Any]:
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
    small = _compare(b, b.bitcast_convert(bits, dtype=_I32), b.full(signed, 0x3F000000), "LT")
    rest = b.emit("select", small, b.abs(x), rest)
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
        found = b.emit("select", _compare(b, index, b.full(word, k), "EQ"), b.full(word, table[k]), found)
    return found


def _product(b: Any, significand: Any, high: Any, middle: Any, low: Any, a: Aval) -> Any:
    """Bits 32 to 95 of significand * (high 2^64 + middle 2^32 + low)."""
    wide = a.update(dtype=_U64, weak_type=False)
    s, h, m, n = (b.emit("convert", v, dtype=_U64) for v in (significand, high, middle, low))
    half = b.full(wide, 32)
    lowest = b.emit("shift_right_logical", b.emit("multiply", s, n), half)
    sum_of_two = b.emit("add", b.emit("multiply", s, m), lowest)
    return b.emit("add", b.emit("shift_left", b.emit("multiply", s, h), half), sum_of_two)


def _polynomial(b: Any, x: Any, coefficients: Sequence[float], a: Aval) -> Any:
    result = b.full(a, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = b.add(b.multiply(result, x), b.full(a, c))
    return result


def _sine_and_cosine(b: Any, x: Any, a: Aval) -> tuple[Any, Any, Any]:
    """sin(r), cos(r) and q, for |x|."""
    r, q = _reduced(b, x, a)
    square = b.multiply(r, r)
    return b.multiply(r, _polynomial(b, square, _SINE, a)), _polynomial(b, square, _COSINE, a), q


def _bit(b: Any, q: Any, mask: int) -> Any:
    word = b.aval(q)
    return _compare(b, b.emit("and", q, b.full(word, mask)), b.full(word, 0), "NE")


def _negated_if(b: Any, condition: Any, x: Any) -> Any:
    return b.emit("select", condition, b.negate(x), x)


def _finite_or_nan(b: Any, x: Any, y: Any, a: Aval) -> Any:
    return b.emit("select", b.is_finite(x), y, b.full(a, np.nan))


def _is_negative(b: Any, x: Any, a: Aval) -> Any:
    """The sign bit: -0 too."""
    return _compare(b, b.bitcast_convert(x, dtype=_I32), b.full(a.update(dtype=_I32, weak_type=False), 0), "LT")


def _sine(b: Any, x: Any, a: Aval) -> Any:
    s, c, q = _sine_and_cosine(b, x, a)
    y = _negated_if(b, _bit(b, q, 2), b.emit("select", _bit(b, q, 1), c, s))
    return _negated_if(b, _is_negative(b, x, a), y)


def _cosine(b: Any, x: Any, a: Aval) -> Any:
    s, c, q = _sine_and_cosine(b, x, a)
    y = b.emit("select", _bit(b, q, 1), s, c)
    return _negated_if(b, _bit(b, b.emit("add", q, b.full(b.aval(q), 1)), 2), y)  # minus in quadrants 1 and 2


def _tan(b: Any, x: Any, a: Aval) -> Any:
    s, c, q = _sine_and_cosine(b, x, a)
    odd = _bit(b, q, 1)
    y = b.divide(b.emit("select", odd, b.negate(c), s), b.emit("select", odd, s, c))
    return _negated_if(b, _is_negative(b, x, a), y)


def _register(name: str, compute: Any) -> None:
    from .vulkan import refuse

    @legalize(name, "vulkan")
    def rule(b: Any, x: Any) -> Any:
        a = b.aval(x)
        refuse(b, name, [a])
        if kind_of(a.dtype) != "f":
            return NotImplemented
        if a.dtype != _F32:
            return b.convert(rule(b, b.convert(x, dtype=_F32)), dtype=a.dtype)
        return _finite_or_nan(b, x, compute(b, x, a.update(weak_type=False)), a)


_register("sine", _sine)
_register("cosine", _cosine)
_register("tan", _tan)
