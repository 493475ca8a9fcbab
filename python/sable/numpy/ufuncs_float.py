"""Exponentials, trigonometry, signs, complex parts and Bessel functions, element by element."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    array_argument,
    compare,
    compare_to,
    convert,
    dtype_argument,
    expand_to,
    full_like,
    kind,
    logical,
    power_of_two,
    promote,
    promote_dtypes,
    select,
)
from sable.core.values import retype
from sable.library.declare import library

from . import reductions
from ._table import binary, by_kind, several, single, unary
from .arrays import asarray
from .ufunc_objects import ufunc_of
from .ufuncs_logic import signbit

# ---- exponentials and logarithms -----------------------------------------------------------------


def _times(x: Value, factor: float) -> Value:
    return BIND.multiply(x, full_like(x, factor))


def _log_of_base(base: float) -> Any:
    def log_of_base(x: Value) -> Value:
        y = BIND.log(x)
        # each part by itself: as a quotient of complex numbers an infinite real part makes the angle NaN
        parts = [y] if kind(x) != "c" else [BIND.real(y), BIND.imag(y)]
        parts = [BIND.divide(part, BIND.log(full_like(part, base))) for part in parts]
        # never weakly typed, as in JAX
        return retype(BIND.complex(*parts) if len(parts) == 2 else parts[0], False)

    return log_of_base


exp = unary("exp", "e ** x.", single("exponential"))("""
    >>> jnp.exp(jnp.array([0, 100, -jnp.inf]))  # f32 ends at 3.4e38
    Array([ 1., inf,  0.], dtype=float32)
    """)
exp2 = unary("exp2", "2 ** x.", body=power_of_two)("""
    >>> jnp.exp2(jnp.array([-1, 0, 10]))
    Array([5.000e-01, 1.000e+00, 1.024e+03], dtype=float32)
    """)
expm1 = unary("expm1", "e ** x - 1, accurate near 0.", single("exponential_minus_one"))("""
    >>> x = jnp.float32(1e-8)
    >>> jnp.expm1(x), jnp.exp(x) - 1  # the difference has lost all digits
    (Array(1.e-08, dtype=float32), Array(0., dtype=float32))
    """)
log = unary("log", "Natural logarithm.", single("log"))("""
    >>> jnp.log(jnp.array([1, 0, -1]))
    Array([  0., -inf,  nan], dtype=float32)
    >>> jnp.log(jnp.array(-1 + 0j))
    Array(0.+3.1415927j, dtype=complex64, weak_type=True)
    """)
log2 = unary("log2", "Logarithm to base 2.", body=_log_of_base(2))("""
    >>> jnp.log2(jnp.array([1, 8, 0.5]))
    Array([ 0.,  3., -1.], dtype=float32)
    """)
log10 = unary("log10", "Logarithm to base 10.", body=_log_of_base(10))("""
    >>> jnp.log10(jnp.array([1, 1000]))
    Array([0., 3.], dtype=float32)
    """)
log1p = unary("log1p", "log(1 + x), accurate near 0.", single("log_plus_one"))("""
    >>> x = jnp.float32(1e-8)
    >>> jnp.log1p(x), jnp.log(1 + x)
    (Array(1.e-08, dtype=float32), Array(0., dtype=float32))
    """)
sqrt = unary("sqrt", "Square root.", single("sqrt"))("""
    >>> jnp.sqrt(jnp.array([4, 2, -1])), jnp.sqrt(jnp.array(-1 + 0j))
    (Array([2.       , 1.4142135,       nan], dtype=float32), Array(0.+1.j, dtype=complex64, weak_type=True))
    """)
cbrt = unary("cbrt", "Cube root.", single("cbrt"))("""
    >>> jnp.cbrt(jnp.array([-27, 8])), jnp.power(-27.0, 1 / 3)
    (Array([-3.,  2.], dtype=float32), Array(nan, dtype=float32, weak_type=True))
    """)


def _logaddexp(x1: Value, x2: Value) -> Value:
    # hi + log(1 + e**(lo - hi)), by selection and not by maximum and abs: so the derivative is right at ties too
    if kind(x1) == "c":
        return _logaddexp_complex(x1, x2)
    swap = compare(x1, x2, "LT")
    hi, lo = select(swap, x2, x1), select(swap, x1, x2)
    infinite = compare_to(BIND.abs(hi), np.inf, "EQ")
    delta = select(infinite, full_like(hi, 0), BIND.subtract(lo, hi))
    found = BIND.add(hi, BIND.log_plus_one(BIND.exponential(delta)))
    unknown = logical("or", compare(x1, x1, "NE"), compare(x2, x2, "NE"))
    # by a product, so that the derivatives are NaN too
    return BIND.multiply(found, select(unknown, full_like(found, np.nan), full_like(found, 1)))


def _logaddexp_complex(x1: Value, x2: Value) -> Value:
    swap = compare(BIND.real(x1), BIND.real(x2), "LT")
    hi, lo = select(swap, x2, x1), select(swap, x1, x2)
    found = BIND.add(hi, BIND.log_plus_one(BIND.exponential(BIND.subtract(lo, hi))))
    # the imaginary part is an angle: brought into (-pi, pi]
    angle_ = BIND.imag(found)
    turn = full_like(angle_, 2 * math.pi)
    turns = BIND.ceil(BIND.divide(BIND.subtract(angle_, full_like(angle_, math.pi)), turn))
    return BIND.complex(BIND.real(found), BIND.subtract(angle_, BIND.multiply(turns, turn)))


def _logaddexp2(x1: Value, x2: Value) -> Value:
    factor = math.log(2)
    return BIND.divide(_logaddexp(_times(x1, factor), _times(x2, factor)), full_like(x1, factor))


def _reduce_logaddexp(a: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Value:
    dtype_argument(dtype, "logaddexp.reduce")  # without effect, as in JAX
    (x,) = promote_dtypes([array_argument("logaddexp.reduce", a)], "inexact")
    axes = reductions.reduced_axes(x, axis)
    magnitudes = BIND.real(x) if kind(x) == "c" else x
    top = reductions.max(magnitudes, axes, keepdims=True, initial=-np.inf, where=where)
    top = BIND.stop_gradient(select(BIND.is_finite(top), top, full_like(top, 0)))
    top = convert(top, x.aval.dtype)
    terms = BIND.exponential(BIND.subtract(x, expand_to(top, x.aval.shape)))
    found = BIND.add(BIND.log(reductions.sum(terms, axes, keepdims=True, where=where)), top)
    found = reductions.squeezed(found, axes, keepdims)
    return found if initial is None else logaddexp(initial, found)


def _reduce_logaddexp2(a: Any, initial: Any, **options: Any) -> Value:
    start = None if initial is None else initial * math.log(2)
    return _reduce_logaddexp(asarray(a) * math.log(2), initial=start, **options) / math.log(2)


logaddexp = ufunc_of(
    binary("logaddexp", "log(e**x1 + e**x2), without overflow.", rule="inexact", body=_logaddexp),
    -np.inf,
    reduce=_reduce_logaddexp,
)("""
    >>> x = jnp.array([-1000.0, 0.0])
    >>> jnp.logaddexp(x, x), jnp.log(jnp.exp(x) + jnp.exp(x))
    (Array([-9.993068e+02,  6.931472e-01], dtype=float32), Array([     -inf, 0.6931472], dtype=float32))
    >>> jnp.logaddexp.reduce(jnp.array([-1000.0, -1000.0, -1000.0]))
    Array(-998.90137, dtype=float32)
    """)
logaddexp2 = ufunc_of(
    binary("logaddexp2", "log2(2**x1 + 2**x2), without overflow.", rule="inexact", body=_logaddexp2, hardens=True),
    -np.inf,
    reduce=_reduce_logaddexp2,
)("""
    >>> jnp.round(jnp.logaddexp2(jnp.array([3.0, 500.0]), jnp.array([3.0, 500.0])), 2)
    Array([  4., 501.], dtype=float32)
    """)

# ---- trigonometry --------------------------------------------------------------------------------

sin = unary("sin", "Sine of angles in radians.", single("sine"))("""
    >>> jnp.sin(jnp.array([0, 0.5 * jnp.pi, jnp.pi]))  # pi is rounded to f32
    Array([ 0.000000e+00,  1.000000e+00, -8.742278e-08], dtype=float32)
    """)
cos = unary("cos", "Cosine of angles in radians.", single("cosine"))("""
    >>> jnp.cos(jnp.array([0, 0.5 * jnp.pi, jnp.pi]))
    Array([ 1.000000e+00, -4.371139e-08, -1.000000e+00], dtype=float32)
    """)
tan = unary("tan", "Tangent of angles in radians.", single("tan"))("""
    >>> jnp.tan(jnp.array([0, 0.25 * jnp.pi, 0.5 * jnp.pi]))  # pi / 2 is rounded: finite
    Array([ 0.0000000e+00,  1.0000000e+00, -2.2877334e+07], dtype=float32)
    """)
arcsin = asin = unary("arcsin", "Inverse sine, in radians.", single("asin"))("""
    >>> jnp.round(jnp.arcsin(jnp.array([0.5, 1, 2])), 4)
    Array([0.5236, 1.5708,    nan], dtype=float32)
    """)
arccos = acos = unary("arccos", "Inverse cosine, in radians.", single("acos"))("""
    >>> jnp.round(jnp.arccos(jnp.array([0.5, -1, 2])), 4)
    Array([1.0472, 3.1416,    nan], dtype=float32)
    """)
arctan = atan = unary("arctan", "Inverse tangent, in radians.", single("atan"))("""
    >>> jnp.arctan(jnp.array([-jnp.inf, 0, jnp.inf]))
    Array([-1.5707964,  0.       ,  1.5707964], dtype=float32)
    """)
sinh = unary("sinh", "Hyperbolic sine.", single("sinh"))("""
    >>> jnp.round(jnp.sinh(jnp.array([0, 1])), 4)
    Array([0.    , 1.1752], dtype=float32)
    """)
cosh = unary("cosh", "Hyperbolic cosine.", single("cosh"))("""
    >>> jnp.round(jnp.cosh(jnp.array([0, 1])), 4)
    Array([1.    , 1.5431], dtype=float32)
    """)
tanh = unary("tanh", "Hyperbolic tangent.", single("tanh"))("""
    >>> jnp.round(jnp.tanh(jnp.array([0, 1, 20])), 4)
    Array([0.    , 0.7616, 1.    ], dtype=float32)
    """)
arcsinh = asinh = unary("arcsinh", "Inverse hyperbolic sine.", single("asinh"))("""
    >>> jnp.round(jnp.arcsinh(jnp.array([-1, 0, 1e30])), 4)
    Array([-0.8814,  0.    , 69.7707], dtype=float32)
    """)
arccosh = acosh = unary("arccosh", "Inverse hyperbolic cosine.", single("acosh"))("""
    >>> jnp.round(jnp.arccosh(jnp.array([1, 2, 0.5])), 4)
    Array([0.   , 1.317,   nan], dtype=float32)
    """)
arctanh = atanh = unary("arctanh", "Inverse hyperbolic tangent.", single("atanh"))("""
    >>> jnp.round(jnp.arctanh(jnp.array([0.5, 1, 2])), 4)
    Array([0.5493,    inf,    nan], dtype=float32)
    """)
deg2rad = radians = unary("deg2rad", "Degrees to radians.", body=lambda x: _times(x, math.pi / 180))("""
    >>> jnp.deg2rad(jnp.array([90, 180]))
    Array([1.5707964, 3.1415927], dtype=float32)
    """)
rad2deg = degrees = unary("rad2deg", "Radians to degrees.", body=lambda x: _times(x, 180 / math.pi))("""
    >>> jnp.rad2deg(jnp.array([0.5 * jnp.pi, jnp.pi]))
    Array([ 90., 180.], dtype=float32)
    """)


def _sinc(x: Value) -> Value:
    # at 0 a Taylor polynomial, for the derivatives there
    zero = compare_to(x, 0, "EQ")
    y = _times(x, math.pi)
    safe = select(zero, full_like(y, 1), y)
    z = BIND.multiply(y, y)
    series = BIND.add(full_like(y, 1), BIND.multiply(z, BIND.add(full_like(y, -1 / 6), _times(z, 1 / 120))))
    return select(zero, series, BIND.divide(BIND.sine(safe), safe))


sinc = unary("sinc", "sin(pi x) / (pi x).", body=_sinc)("""
    >>> jnp.round(jnp.sinc(jnp.array([0, 0.5, 1])), 4)
    Array([ 1.    ,  0.6366, -0.    ], dtype=float32)
    """)


def _hypot(a: Value, b: Value) -> Value:
    if kind(a) == "c":
        raise ValueError(
            "jnp.hypot is not well defined for complex-valued inputs. "
            "Please convert to real values first, such as by using abs(x)"
        )
    a, b = BIND.abs(a), BIND.abs(b)
    infinite = logical("or", compare_to(a, np.inf, "EQ"), compare_to(b, np.inf, "EQ"))
    high, low = BIND.maximum(a, b), BIND.minimum(a, b)
    zero, one = compare_to(high, 0, "EQ"), full_like(high, 1)
    ratio = BIND.divide(low, select(zero, one, high))
    root = BIND.sqrt(BIND.add(one, BIND.multiply(ratio, ratio)))
    found = select(zero, high, BIND.multiply(high, root))
    return select(infinite, full_like(high, np.inf), found)


hypot = binary("hypot", "sqrt(x1**2 + x2**2), without overflow.", rule="inexact", body=_hypot, hardens=True)("""
    >>> jnp.hypot(jnp.array([3.0, 3e30]), jnp.array([4.0, 4e30]))
    Array([5.e+00, 5.e+30], dtype=float32)
    """)

# ---- signs and complex parts ---------------------------------------------------------------------

real = unary("real", "Real part; real arrays are their own.", by_kind(c="real", other=None), "same", lambda x: x)("""
    >>> jnp.real(jnp.array([1 + 2j, 3])), jnp.real(jnp.array([1, 2]))
    (Array([1., 3.], dtype=float32), Array([1, 2], dtype=int32))
    """)
imag = unary(
    "imag",
    "Imaginary part; zeros for real arrays.",
    by_kind(c="imag", other=None),
    "same",
    lambda x: full_like(x, 0),
)("""
    >>> jnp.imag(jnp.array([1 + 2j, 3])), jnp.imag(jnp.array([1, 2]))
    (Array([2., 0.], dtype=float32), Array([0, 0], dtype=int32))
    """)


def _conjugate(x: Value) -> Value:
    if kind(x) != "c":
        return x
    return retype(BIND.complex(BIND.real(x), BIND.negate(BIND.imag(x))), x.aval.weak_type)


conjugate = conj = unary("conjugate", "Complex conjugate; real arrays are their own.", several, "same", _conjugate)("""
    >>> jnp.conjugate(jnp.array([1 + 2j, 3]))
    Array([1.-2.j, 3.-0.j], dtype=complex64)
    """)


@library(operands=("x",), promotion="inexact")
def fabs(x: Any, /) -> Value:
    """Absolute value as floats.

    Raises:
      TypeError: complex numbers.

    Args:
      x: an array or scalar of real numbers.

    Example:
      >>> jnp.fabs(jnp.array([-1, 2])), jnp.abs(jnp.array([-1, 2]))
      (Array([1., 2.], dtype=float32), Array([1, 2], dtype=int32))
    """
    if kind(x) == "c":
        raise TypeError("ufunc 'fabs' does not support complex dtypes")
    return BIND.abs(x)


@library
def angle(z: Any, deg: bool = False) -> Value:
    """Angle of complex numbers from the positive real axis; 0 or pi for real ones.

    Args:
      z: array.
      deg: in degrees and not in radians.

    Returns:
      Floats in (-pi, pi], or (-180, 180].

    Example:
      >>> jnp.angle(jnp.array([1j, -1, 1 - 1j]), deg=True)
      Array([ 90., 180., -45.], dtype=float32)
    """
    value = array_argument("angle", z)
    if kind(value) == "c":
        found = BIND.atan2(BIND.imag(value), BIND.real(value))
    else:
        (value,) = promote_dtypes([value], "inexact")
        value = retype(value, False)
        found = BIND.atan2(full_like(value, 0), value)
    return rad2deg(found) if deg else found


@library
def copysign(x1: Any, x2: Any, /) -> Value:
    """|x1| with the sign of x2, as floats; the arrays broadcast.

    Raises:
      TypeError: complex arguments.

    Args:
      x1, x2: real arrays or scalars; integers become floats.

    Example:
      >>> jnp.copysign(jnp.array([1, -2]), jnp.array([-0.0, 0.0]))
      Array([-1.,  2.], dtype=float32)
    """
    a, b = promote("copysign", (x1, x2), "inexact")
    if kind(a) == "c":
        raise TypeError("copysign does not support complex-valued inputs")
    size = BIND.abs(a)
    return select(signbit(b), BIND.negate(size), size)


def _heaviside(x1: Value, x2: Value) -> Value:
    zero, one = full_like(x1, 0), full_like(x1, 1)
    middle = select(compare_to(x1, 0, "GT"), one, x2)
    found = select(compare_to(x1, 0, "LT"), zero, middle)
    return select(compare(x1, x1, "NE"), x1, found)


heaviside = binary(
    "heaviside", "0 for x1 < 0, x2 for x1 = 0, 1 for x1 > 0.", rule="inexact", body=_heaviside, hardens=True
)("""
    >>> jnp.heaviside(jnp.array([-1.0, 0.0, 2.0, jnp.nan]), 0.5)
    Array([0. , 0.5, 1. , nan], dtype=float32)
    """)

# ---- Bessel functions ------------------------------------------------------------------------------------------

#: Where the power series of `i0` ends and the one in 1 / x begins.
_SERIES_END = 8.0


@functools.cache
def _i0_coefficients(dtype: np.dtype) -> tuple[list[float], list[float]]:
    """Of (x / 4)**2 in the power series of I0(x), and of 2 * 8 / x - 1 in sqrt(x) e**-x I0(x) for x > 8: as many as count.

    The latter come from an interpolation at Chebyshev's points. I0(x) is the mean of e**(x cos t) over the circle, which
    a sum over n equal steps gives to all digits once n exceeds some 7 sqrt(x).
    """
    cosines = np.cos(np.arange(4096) * (2 * math.pi / 4096))

    def scaled(u: np.ndarray) -> np.ndarray:
        x = 2 * _SERIES_END / (u + 1)
        return np.sqrt(x) * np.exp(x[:, None] * (cosines - 1)).mean(axis=1)

    powers = [4.0**k / math.factorial(k) ** 2 for k in range(40)]
    chebyshev = np.polynomial.chebyshev.chebinterpolate(scaled, 30).tolist()
    least = float(np.finfo(dtype).eps) / 2
    used = [c for k, c in enumerate(powers) if c * (_SERIES_END / 4) ** (2 * k) > least]
    terms = max(k for k, c in enumerate(chebyshev) if math.fabs(c) > least) + 1
    return used, np.polynomial.chebyshev.cheb2poly(chebyshev[:terms]).tolist()


def _horner(x: Value, coefficients: list[float]) -> Value:
    """The polynomial with these coefficients, that of the constant term first."""
    found = full_like(x, coefficients[-1])
    for c in coefficients[-2::-1]:
        found = BIND.add(BIND.multiply(found, x), full_like(x, c))
    return found


def _i0(x: Value) -> Value:
    powers, inverse = _i0_coefficients(x.aval.dtype)
    magnitude = BIND.abs(x)
    near = compare_to(magnitude, _SERIES_END, "LE")
    # each of the two sees only what it is for, so that derivatives of the other one are finite
    quarter = _times(select(near, x, full_like(x, 0)), 0.25)
    far = select(near, full_like(x, _SERIES_END), magnitude)
    u = BIND.subtract(BIND.divide(full_like(x, 2 * _SERIES_END), far), full_like(x, 1))
    return select(
        near,
        _horner(BIND.multiply(quarter, quarter), powers),
        BIND.multiply(BIND.exponential(far), BIND.divide(_horner(u, inverse), BIND.sqrt(far))),
    )


@library(operands=("x",), promotion="inexact")
def i0(x: Any) -> Value:
    """Modified Bessel function of the first kind, of order 0: the mean of e**(x cos t) over all angles t.

    Raises:
      ValueError: complex numbers.

    Args:
      x: an array or scalar of real numbers; integers become floats.

    Example:
      >>> jnp.round(jnp.i0(jnp.array([0, 1, 3])), 4)
      Array([1.    , 1.2661, 4.8808], dtype=float32)
    """
    if kind(x) != "f":
        raise ValueError(f"Unsupported input type to jax.numpy.i0: {x.aval.dtype}")
    if x.aval.dtype.itemsize < 4:
        return convert(_i0(convert(x, np.dtype(np.float32))), x.aval.dtype, x.aval.weak_type)
    return _i0(x)
