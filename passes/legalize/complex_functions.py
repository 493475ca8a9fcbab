"""Functions of complex numbers by those of their parts.

IREE expands those of complex64 itself, past our rules for sine and cosine (1e-2 off at 1e4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .rules import compare, legalize

_C64 = np.dtype(np.complex64)


def _of_parts(name: str) -> Callable:
    """Decorator: the rule of an op from its real and imaginary part as functions of those of the argument."""

    def register(parts: Callable) -> Callable:
        @legalize(name)
        def rule(b: Any, z: Any) -> Any:
            if b.aval(z).dtype != _C64:
                return NotImplemented
            return b.complex(*parts(b, b.real(z), b.imag(z)))

        return parts

    return register


@_of_parts("exponential")
def exponential(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """e^x (cos y + i sin y), real where y is 0 (also for infinite x)."""
    scale = b.exponential(x)
    is_real = compare(b, y, b.full(b.aval(y), 0), "EQ")
    return b.multiply(scale, b.cosine(y)), b.emit("select", is_real, y, b.multiply(scale, b.sine(y)))


@_of_parts("sine")
def sine(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return b.multiply(b.sine(x), b.cosh(y)), b.multiply(b.cosine(x), b.sinh(y))


@_of_parts("cosine")
def cosine(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return b.multiply(b.cosine(x), b.cosh(y)), b.negate(b.multiply(b.sine(x), b.sinh(y)))


@_of_parts("sinh")
def sinh(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return b.multiply(b.sinh(x), b.cosine(y)), b.multiply(b.cosh(x), b.sine(y))


@_of_parts("cosh")
def cosh(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    return b.multiply(b.cosh(x), b.cosine(y)), b.multiply(b.sinh(x), b.sine(y))


@_of_parts("tan")
def tan(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """With t = tan x, h = tanh y: (t (1 - h^2) + i h (1 + t^2)) / (1 + t^2 h^2), where 1 - h^2 = 1 / cosh^2 y."""
    one = b.full(b.aval(x), 1)
    t, h, c = b.tan(x), b.tanh(y), b.cosh(y)
    product = b.multiply(t, h)
    below = b.add(one, b.multiply(product, product))
    real = b.divide(b.divide(b.divide(t, c), c), below)
    return real, b.divide(b.multiply(h, b.add(one, b.multiply(t, t))), below)


# ---- order, modulus, logarithm: of both widths -----------------------------------------------------------------------


def _choice(name: str, direction: str) -> None:
    """The larger or smaller of two complex numbers in lexicographic order; IREE looks at real parts only."""

    @legalize(name)
    def rule(b: Any, x: Any, y: Any) -> Any:
        if b.aval(x).dtype.kind != "c":
            return NotImplemented
        (a, c), (d, e) = (b.real(x), b.imag(x)), (b.real(y), b.imag(y))
        further = b.emit("and", compare(b, a, d, "EQ"), compare(b, c, e, direction))
        first = b.emit("or", compare(b, a, d, direction), further)
        # a number with NaN in it wins
        known = b.emit("and", compare(b, d, d, "EQ"), compare(b, e, e, "EQ"))
        unknown = b.emit("or", compare(b, a, a, "NE"), compare(b, c, c, "NE"))
        wins = b.emit("or", unknown, b.emit("and", first, known))
        return b.complex(b.emit("select", wins, a, d), b.emit("select", wins, c, e))


_choice("maximum", "GT")
_choice("minimum", "LT")


@legalize("abs")
def modulus(b: Any, z: Any) -> Any:
    """high sqrt(1 + (low / high)^2), whose squares stay in range."""
    if b.aval(z).dtype.kind != "c":
        return NotImplemented
    x, y = b.emit("abs", b.real(z)), b.emit("abs", b.imag(z))
    high, low = b.emit("maximum", x, y), b.emit("minimum", x, y)
    a = b.aval(high)
    one, infinity = b.full(a, 1), b.full(a, np.inf)
    ratio = b.divide(low, b.emit("select", compare(b, high, b.full(a, 0), "EQ"), one, high))
    found = b.multiply(high, b.emit("sqrt", b.add(one, b.multiply(ratio, ratio))))
    infinite = b.emit("or", compare(b, x, infinity, "EQ"), compare(b, y, infinity, "EQ"))
    return b.emit("select", infinite, infinity, found)
