"""Exponentials, trigonometry, rounding, complex parts and what is computed from them, element by element."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype, finfo, iinfo
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    broadcast_values,
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
    scalar,
    select,
)
from sable.core.values import retype
from sable.library.declare import library
from sable.library.words import all_words
from sable.pytree.arrays import WRAPPERS

from . import reductions
from ._table import binary, by_kind, several, single, unary
from .arrays import asarray
from .ufuncs import absolute, choose, equal, isnan, less_equal, logical_and, logical_or, signbit, ufunc_of

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


exp = unary("exp", "e ** x.", single("exponential"))
exp2 = unary("exp2", "2 ** x.", body=power_of_two)
expm1 = unary("expm1", "e ** x - 1, accurate near 0.", single("exponential_minus_one"))
log = unary("log", "Natural logarithm.", single("log"))
log2 = unary("log2", "Logarithm to base 2.", body=_log_of_base(2))
log10 = unary("log10", "Logarithm to base 10.", body=_log_of_base(10))
log1p = unary("log1p", "log(1 + x), accurate near 0.", single("log_plus_one"))
sqrt = unary("sqrt", "Square root.", single("sqrt"))
cbrt = unary("cbrt", "Cube root.", single("cbrt"))


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
)
logaddexp2 = ufunc_of(
    binary("logaddexp2", "log2(2**x1 + 2**x2), without overflow.", rule="inexact", body=_logaddexp2, hardens=True),
    -np.inf,
    reduce=_reduce_logaddexp2,
)

# ---- trigonometry --------------------------------------------------------------------------------

sin = unary("sin", "Sine of angles in radians.", single("sine"))
cos = unary("cos", "Cosine of angles in radians.", single("cosine"))
tan = unary("tan", "Tangent of angles in radians.", single("tan"))
arcsin = asin = unary("arcsin", "Inverse sine, in radians.", single("asin"))
arccos = acos = unary("arccos", "Inverse cosine, in radians.", single("acos"))
arctan = atan = unary("arctan", "Inverse tangent, in radians.", single("atan"))
sinh = unary("sinh", "Hyperbolic sine.", single("sinh"))
cosh = unary("cosh", "Hyperbolic cosine.", single("cosh"))
tanh = unary("tanh", "Hyperbolic tangent.", single("tanh"))
arcsinh = asinh = unary("arcsinh", "Inverse hyperbolic sine.", single("asinh"))
arccosh = acosh = unary("arccosh", "Inverse hyperbolic cosine.", single("acosh"))
arctanh = atanh = unary("arctanh", "Inverse hyperbolic tangent.", single("atanh"))
deg2rad = radians = unary("deg2rad", "Degrees to radians.", body=lambda x: _times(x, math.pi / 180))
rad2deg = degrees = unary("rad2deg", "Radians to degrees.", body=lambda x: _times(x, 180 / math.pi))


def _sinc(x: Value) -> Value:
    # at 0 a Taylor polynomial, for the derivatives there
    zero = compare_to(x, 0, "EQ")
    y = _times(x, math.pi)
    safe = select(zero, full_like(y, 1), y)
    z = BIND.multiply(y, y)
    series = BIND.add(full_like(y, 1), BIND.multiply(z, BIND.add(full_like(y, -1 / 6), _times(z, 1 / 120))))
    return select(zero, series, BIND.divide(BIND.sine(safe), safe))


sinc = unary("sinc", "sin(pi x) / (pi x).", body=_sinc)


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


hypot = binary("hypot", "sqrt(x1**2 + x2**2), without overflow.", rule="inexact", body=_hypot, hardens=True)

# ---- rounding ------------------------------------------------------------------------------------


def _same(x: Value) -> Value:
    return x


floor = unary(
    "floor", "The largest integer not above x.", by_kind(b=None, i=None, u=None, other="floor"), "same", _same
)
ceil = unary("ceil", "The smallest integer not below x.", by_kind(b=None, i=None, u=None, other="ceil"), "same", _same)


@library(operands=("x",), promotion="same")
def trunc(x: Any) -> Value:
    """x without its fraction, in its dtype."""
    if kind(x) in "biu":
        return x
    return select(compare_to(x, 0, "LT"), BIND.ceil(x), BIND.floor(x))


def _by_parts(f: Any, x: Value) -> Value:
    return BIND.complex(f(BIND.real(x)), f(BIND.imag(x)))


@library
def rint(x: Any, /) -> Value:
    """The nearest integers as floats; halves go to the even one."""
    value = array_argument("rint", x)
    if kind(value) in "biu":
        return convert(value, default_dtype("f"))
    if kind(value) == "c":
        return retype(_by_parts(BIND.round_nearest_even, value), value.aval.weak_type)
    return BIND.round_nearest_even(value)


@library
def round(a: Any, decimals: int = 0, out: None = None) -> Value:
    """Values rounded to a number of decimals; halves go to the even neighbour.

    Args:
      a: array.
      decimals: digits behind the point; negative ones count before it.

    Raises:
      ValueError: booleans.
      NotImplementedError: integers and negative `decimals`; `out`.
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.round is not supported.")
    x = array_argument("round", a)
    k = kind(x)
    if k == "b":
        raise ValueError("data type <class 'numpy.bool'> not inexact: booleans cannot be rounded")
    if k in "iu":
        if decimals < 0:
            raise NotImplementedError("integer np.round not implemented for decimals < 0")
        return x
    if k == "c":
        return retype(_by_parts(lambda part: _round(part, decimals), x), x.aval.weak_type)
    return _round(x, decimals)


around = round


def _round(x: Value, decimals: int) -> Value:
    if decimals == 0:
        return BIND.round_nearest_even(x)
    a = x.aval
    # a half precision would lose what is to be rounded
    widest = finfo(a.dtype if a.dtype.itemsize > 2 else np.dtype(np.float32)).max
    if decimals > math.log10(float(widest)):
        return x  # no such digits: 10**decimals is infinite
    wide = convert(x, np.dtype(np.float32), a.weak_type) if a.dtype.itemsize == 2 else x
    factor = full_like(wide, 10.0**decimals)
    made = BIND.divide(BIND.round_nearest_even(BIND.multiply(wide, factor)), factor)
    return convert(made, a.dtype, a.weak_type)


@library(operands=("x",), promotion="inexact")
def modf(x: Any, /, out: None = None) -> tuple[Value, Value]:
    """The pair (fraction, whole part), both with the sign of x."""
    whole = trunc(x)
    return BIND.subtract(x, whole), whole


@library(operands=("x",), promotion="inexact")
def frexp(x: Any, /) -> tuple[Value, Value]:
    """The pair (m, e) with x = m * 2**e and 0.5 <= |m| < 1; e as int32.

    Raises:
      TypeError: complex numbers.
    """
    if kind(x) == "c":
        raise TypeError("frexp does not support complex-valued inputs")
    a = x.aval
    bits, info = 8 * a.dtype.itemsize, finfo(a.dtype)
    word = np.dtype(f"i{a.dtype.itemsize}")
    mantissa, top = info.nmant, (1 << (bits - 1 - info.nmant)) - 1
    # denormals are scaled up first, by a power of two that makes them normal
    small = compare_to(BIND.abs(x), float(info.smallest_normal), "LT")
    scaled = select(small, _times(x, float(2**mantissa)), x)
    raw = BIND.bitcast_convert(scaled, dtype=word)
    field = logical("and", BIND.shift_right_logical(raw, full_like(raw, mantissa)), full_like(raw, top))
    bias = top // 2 - 1
    exponent = BIND.subtract(field, select(small, full_like(raw, bias + mantissa), full_like(raw, bias)))
    kept = logical("and", raw, full_like(raw, ~(top << mantissa)))
    fraction = BIND.bitcast_convert(logical("or", kept, full_like(raw, bias << mantissa)), dtype=a.dtype)
    # bits have no derivative: that of x 2**-e comes with a difference that is 0
    special = logical("or", compare_to(x, 0, "EQ"), logical("not", BIND.is_finite(x)))
    ratio = BIND.stop_gradient(BIND.divide(fraction, scaled))
    smooth = BIND.multiply(scaled, select(special, full_like(x, 0), ratio))
    smooth = select(special, full_like(x, 0), smooth)
    fraction = BIND.add(fraction, BIND.subtract(smooth, BIND.stop_gradient(smooth)))
    exponent = select(special, full_like(exponent, 0), exponent)
    return retype(select(special, x, fraction), False), convert(exponent, np.dtype(np.int32))


@library
def ldexp(x1: Any, x2: Any, /) -> Value:
    """x1 * 2**x2 for integers x2.

    Raises:
      ValueError: x2 has no integers, or x1 is complex.
    """
    a, b = array_arguments("ldexp", x1, x2)
    if kind(a) == "c" or kind(b) not in "biu":
        raise ValueError(f"ldexp not supported for input types ({a.aval.dtype!r}, {b.aval.dtype!r})")
    (a,) = promote_dtypes([a], "inexact")
    base, left = broadcast_values("ldexp", [convert(a, a.aval.dtype), b])
    info = finfo(base.aval.dtype)
    step, word = -int(info.minexp), np.dtype(f"i{base.aval.dtype.itemsize}")
    if kind(left) == "u":
        left = BIND.minimum(left, full_like(left, min(4 * step, iinfo(left.aval.dtype).max)))
    elif kind(left) == "i":
        bits = iinfo(left.aval.dtype)
        low, high = full_like(left, max(-4 * step, bits.min)), full_like(left, min(4 * step, bits.max))
        left = BIND.minimum(BIND.maximum(left, low), high)
    left = convert(left, word)
    # in three steps, since 2**x2 alone may overflow where the product does not: from the least denormal number to the
    # largest number and back it takes less than three times the exponent of the least normal number
    low, high = full_like(left, -step), full_like(left, step)
    for _ in range(3):
        part = BIND.minimum(BIND.maximum(left, low), high)
        # 2**part, by its bits
        biased = BIND.add(part, full_like(part, step + 1))
        bits_ = BIND.shift_left(biased, full_like(part, int(info.nmant)))
        base = BIND.multiply(base, BIND.bitcast_convert(bits_, dtype=base.aval.dtype))
        left = BIND.subtract(left, part)
    return base


# ---- signs and complex parts ---------------------------------------------------------------------

real = unary("real", "Real part; real arrays are their own.", by_kind(c="real", other=None), "same", _same)
imag = unary(
    "imag",
    "Imaginary part; zeros for real arrays.",
    by_kind(c="imag", other=None),
    "same",
    lambda x: full_like(x, 0),
)


def _conjugate(x: Value) -> Value:
    if kind(x) != "c":
        return x
    return retype(BIND.complex(BIND.real(x), BIND.negate(BIND.imag(x))), x.aval.weak_type)


conjugate = conj = unary("conjugate", "Complex conjugate; real arrays are their own.", several, "same", _conjugate)


@library(operands=("x",), promotion="inexact")
def fabs(x: Any, /) -> Value:
    """Absolute value as floats.

    Raises:
      TypeError: complex numbers.
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
)

# ---- closeness -----------------------------------------------------------------------------------


@library
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Value:
    """|a - b| <= atol + rtol |b|, or both the same infinity; as booleans.

    Args:
      a, b: arrays that broadcast.
      rtol, atol: relative and absolute tolerance.
      equal_nan: whether NaN is close to NaN.
    """
    if type(a) in WRAPPERS and type(b) in WRAPPERS:  # close words say nothing of keys
        return equal(a, b)
    x, y = promote("isclose", (a, b))
    same = compare(x, y, "EQ")
    if kind(x) in "fc":
        bound = atol + rtol * absolute(y)
        near = less_equal(absolute(BIND.subtract(x, y)), bound)
        finite = logical("and", _finite(x), _finite(y))
        same = logical_or(logical_and(near, finite), same)
    elif kind(x) in "iu":
        wide = np.dtype(np.float32)
        u, v = convert(x, wide), convert(y, wide)
        same = logical_or(less_equal(absolute(u - v), atol + rtol * absolute(v)), same)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return retype(same, False)


@library
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Value:
    """True if all elements are close; arguments as of `isclose`."""
    return reductions.all(isclose(a, b, rtol, atol, equal_nan))


@library(moves=("a1", "a2"), join=all_words)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Value:
    """True if two arrays (or nested lists) have one shape and equal elements.

    Args:
      equal_nan: whether NaN is equal to NaN.
    """
    x, y = _read(a1), _read(a2)
    if x is None or y is None or x.aval.shape != y.aval.shape:
        return scalar(False, np.dtype(np.bool_))
    return _all_equal(x, y, equal_nan)


@library
def array_equiv(a1: Any, a2: Any) -> Value:
    """True if two arrays (or nested lists) broadcast and their elements are equal."""
    x, y = _read(a1), _read(a2)
    try:
        shape = broadcast_shape((x.aval.shape, y.aval.shape))  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        return scalar(False, np.dtype(np.bool_))
    return _all_equal(expand_to(x, shape), expand_to(y, shape), False)  # type: ignore[arg-type]


def _read(a: Any) -> Value | None:
    """An array, or None of what cannot be read as one."""
    try:
        return asarray(a)
    except (TypeError, ValueError):
        return None


def _all_equal(x: Any, y: Any, equal_nan: bool) -> Value:
    same = equal(x, y)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return reductions.all(same)


def _finite(x: Value) -> Value:
    if kind(x) == "c":
        return logical("and", BIND.is_finite(BIND.real(x)), BIND.is_finite(BIND.imag(x)))
    return BIND.is_finite(x)


@library
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Value:
    """NaN and infinities replaced by numbers.

    Args:
      x: array.
      nan: what stands for NaN.
      posinf, neginf: what stands for the infinities; None: the largest and the smallest finite number.
    """
    value = array_argument("nan_to_num", x)
    a = value.aval
    if kind(value) == "c":
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (BIND.real(value), BIND.imag(value))]
        return BIND.complex(*parts)
    if kind(value) != "f":
        return value
    value = retype(value, False)
    info = finfo(a.dtype)
    high, low = (
        (float(info.max) if posinf is None else posinf),
        (float(info.min) if neginf is None else neginf),
    )

    def replaced(test: Value, by: Any) -> Value:
        (by,) = array_arguments("nan_to_num", by)
        return choose(test, convert(by, a.dtype), value)

    value = replaced(compare(value, value, "NE"), nan)
    value = replaced(compare_to(value, np.inf, "EQ"), high)
    return replaced(compare_to(value, -np.inf, "EQ"), low)


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
    """
    if kind(x) != "f":
        raise ValueError(f"Unsupported input type to jax.numpy.i0: {x.aval.dtype}")
    if x.aval.dtype.itemsize < 4:
        return convert(_i0(convert(x, np.dtype(np.float32))), x.aval.dtype, x.aval.weak_type)
    return _i0(x)
