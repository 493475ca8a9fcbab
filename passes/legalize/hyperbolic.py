"""exp(x) - 1, log(1 + x), hyperbolic functions and their inverses.

IREE takes e^x - 1 and log(1 + x) of f64 literally, so that nothing is left near 0, and with them whatever CHLO expands to
them; its sinh and cosh are off by 12 ulp in f32 and by 250 in f64, since e^(x - log 2) rounds the exponent.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sable.dialects.ops.complex_functions import hyperbolic, is_negative
from sable.dialects.ops.formulas import Real, where
from sable.dialects.ops.rules import kind_of

from .rules import in_f32, is_narrow, legalize

#: Above it x^2 + 1 and x^2 - 1 are x^2 in f64, below it they are in range.
_LARGE = 2.0**28


def _of_reals(name: str, narrowest: int) -> Callable:
    """Decorator: the rule of an op on floats of at least so many bytes; half precision through f32 if f32 has it."""

    def register(formula: Callable[[Real], Real]) -> Callable:
        @legalize(name)
        def rule(b: Any, x: Any) -> Any:
            dtype = b.aval(x).dtype
            if kind_of(dtype) != "f" or max(dtype.itemsize, 4) < narrowest:
                return NotImplemented
            return in_f32(b, name, x) if is_narrow(dtype) else formula(Real(b, x)).value

        return formula

    return register


def _odd(formula: Callable[[Real], Real]) -> Callable[[Real], Real]:
    """The odd function that is so for x >= 0."""

    def of_both_signs(x: Real) -> Real:
        y = formula(abs(x))
        return where(is_negative(x), -y, y)

    return of_both_signs


@_of_reals("exponential_minus_one", 8)
def exponential_minus_one(x: Real) -> Real:
    """(u - 1) x / log u for u = e^x as it was rounded (W. Kahan; N. Higham, Accuracy and Stability, 1.14.1)."""
    u = x.of("exponential")
    difference = u - 1
    near = where(u == 1, x, difference * (x / u.of("log")))
    return where(abs(x) < 1, near, difference)


@_of_reals("log_plus_one", 8)
def log_plus_one(x: Real) -> Real:
    """log(u) x / (u - 1) for u = 1 + x as it was rounded (as above)."""
    u = 1 + x
    log = u.of("log")
    return where(abs(x) < 1, where(u == 1, x, log * (x / (u - 1))), log)


@_of_reals("sinh", 4)
def sinh(x: Real) -> Real:
    _, s, w = hyperbolic(x)
    return s * w


@_of_reals("cosh", 4)
def cosh(x: Real) -> Real:
    c, _, w = hyperbolic(x)
    return c * w


@_of_reals("asinh", 8)
@_odd
def asinh(x: Real) -> Real:
    """log(x + sqrt(1 + x^2)), by what it exceeds 1."""
    square = x * x
    near = (x + square / (1 + (1 + square).of("sqrt"))).of("log_plus_one")
    return where(x > _LARGE, x.of("log") + math.log(2), near)


@_of_reals("acosh", 8)
def acosh(x: Real) -> Real:
    """log(x + sqrt(x^2 - 1)), by what it exceeds 1."""
    t = x - 1
    near = (t + t.of("sqrt") * (2 + t).of("sqrt")).of("log_plus_one")  # two roots: NaN below 1
    return where(x > _LARGE, x.of("log") + math.log(2), near)


@_of_reals("atanh", 8)
@_odd
def atanh(x: Real) -> Real:
    """log((1 + x) / (1 - x)) / 2."""
    return 0.5 * (2 * x / (1 - x)).of("log_plus_one")
