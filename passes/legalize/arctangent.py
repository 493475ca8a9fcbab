"""atan2, atan, asin and acos in all quadrants, in f32 to 2 ulp."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval

from .rules import compare, in_f32, is_narrow, is_negative, legalize, negated_if, polynomial

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)


#: (atan(t) - t) / t^3 as a polynomial in t^2 for |t| <= tan(pi/8) (S. Moshier, Cephes, atanf; 2e-7 relative).
_ARCTANGENT = (-3.33329491539e-1, 1.99777106478e-1, -1.38776856032e-1, 8.05374449538e-2)


@legalize("atan2")
def atan2(b: Any, y: Any, x: Any) -> Any:
    """IREE's atan2 is right in the first quadrant only, away from 0/0 and inf/inf: reduced to it by the signs.

    atan2(y, x) = ±a, or ±(π - a) for negative x, with a = atan2(|y|, |x|) and the sign of y.
    """
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "atan2", y, x)
    infinity, one, zero = (b.full(a, v) for v in (np.inf, 1, 0))
    up, right = b.abs(y), b.abs(x)
    both = b.emit("and", compare(b, up, infinity, "EQ"), compare(b, right, infinity, "EQ"))
    up, right = (b.emit("select", both, one, v) for v in (up, right))
    right = b.emit("select", compare(b, up, zero, "EQ"), one, right)  # 0/0 and 0/x alike: angle 0
    angle = _angle(b, up, right, a)
    angle = b.emit("select", is_negative(b, x), b.subtract(b.full(a, np.pi), angle), angle)
    angle = negated_if(b, is_negative(b, y), angle)
    return b.emit("select", b.emit("and", compare(b, x, x, "EQ"), compare(b, y, y, "EQ")), angle, b.full(a, np.nan))


def _angle(b: Any, up: Any, right: Any, a: Aval) -> Any:
    """atan2 of two numbers of at least 0, not both 0 or infinite. IREE's own for f32 is exact to 40 ulp."""
    if a.dtype != _F32:
        return b.emit("atan2", up, right)
    steep = compare(b, up, right, "GT")
    slope = b.divide(b.emit("select", steep, right, up), b.emit("select", steep, up, right))
    flat = _angle_of_slope(b, slope, a)
    return b.emit("select", steep, b.subtract(b.full(a, np.pi / 2), flat), flat)


def _angle_of_slope(b: Any, slope: Any, a: Aval) -> Any:
    """atan of f32 in [0, 1]: beyond tan(pi/8) it is pi/4 + atan((slope - 1) / (slope + 1))."""
    one = b.full(a, 1.0)
    middle = compare(b, slope, b.full(a, np.tan(np.pi / 8)), "GT")
    turned = b.divide(b.subtract(slope, one), b.add(slope, one))
    t = b.emit("select", middle, turned, slope)
    square = b.multiply(t, t)
    series = b.multiply(b.multiply(t, square), polynomial(b, square, _ARCTANGENT, a))
    return b.add(b.emit("select", middle, b.full(a, np.pi / 4), b.full(a, 0.0)), b.add(t, series))


@legalize("atan")
def atan(b: Any, x: Any) -> Any:
    """f32 by the above; the sign of zero stays."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "atan", x)
    if a.dtype != _F32:
        return NotImplemented
    angle = _angle(b, b.abs(x), b.full(a, 1.0), a)
    return negated_if(b, is_negative(b, x), angle)


def _cosine_of_asin(b: Any, x: Any, a: Aval) -> Any:
    """sqrt(1 - x^2), without cancellation."""
    one = b.full(a, 1.0)
    return b.sqrt(b.multiply(b.subtract(one, x), b.add(one, x)))


@legalize("asin")
def asin(b: Any, x: Any) -> Any:
    """f32 as 2 atan2(x, 1 + sqrt(1 - x^2))."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f" or a.dtype == _F64:
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "asin", x)
    return b.multiply(b.full(a, 2.0), b.atan2(x, b.add(b.full(a, 1.0), _cosine_of_asin(b, x, a))))


@legalize("acos")
def acos(b: Any, x: Any) -> Any:
    """f32 as 2 atan2(sqrt(1 - x^2), 1 + x)."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f" or a.dtype == _F64:
        return NotImplemented
    if is_narrow(a.dtype):
        return in_f32(b, "acos", x)
    angle = b.multiply(b.full(a, 2.0), b.atan2(_cosine_of_asin(b, x, a), b.add(b.full(a, 1.0), x)))
    return b.emit("select", compare(b, x, b.full(a, -1.0), "EQ"), b.full(a, np.pi), angle)
