"""Functions of complex numbers by real functions of their parts: to a few units in the last place at all magnitudes.

Each takes the two parts and gives the two parts of the result. It is the function's lowering, and its meaning on NumPy
arrays wherever a part is zero or not finite: signs of zeros, infinities, NaN and cuts are XLA's, not those of C99's
annex G. Elsewhere NumPy's own functions are as exact and quicker.

Sources: W. Kahan, "Branch cuts for complex elementary functions", 1987 (roots, inverse sines and tangents); R. L. Smith,
"Algorithm 116: complex division", 1962, with denominators scaled as by M. Baudin and R. L. Smith, "A robust complex
division in Scilab", 2012.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.ir.native_form import loop_of, loops
from sable.ir.op import NumpyBuilder

from .formulas import Real, polynomial, where

Parts = tuple[Real, Real]


# ---- as rows have them -------------------------------------------------------------------------------------


def expansion(function: Callable) -> Callable:
    """The lowering of a row whose function of complex numbers this is; the real ones stay as they are."""

    @functools.wraps(function)
    def lower(b: Any, *operands: Any) -> Any:
        if b.aval(operands[0]).dtype.kind != "c":
            return NotImplemented
        parts = [Real(b, part) for z in operands for part in (b.real(z), b.imag(z))]
        found = function(*parts)
        return found.value if isinstance(found, Real) else b.complex(*[part.value for part in found])

    return lower


def reference(function: Callable, lower: Callable, largest: float = math.inf) -> Callable:
    """The meaning of such a row: NumPy's function, the expansion where a part is zero or not finite.

    Args:
      function: of arrays of all dtypes.
      lower: the row's lowering.
      largest: where a part is larger, or smaller than its inverse, the expansion too.
    """

    @loops(lambda *dtypes, **params: None if dtypes[0].kind == "c" else loop_of(function, list(dtypes), params))
    def ref(*operands: np.ndarray) -> np.ndarray:
        found = function(*operands)
        if operands[0].dtype.kind != "c":
            return found
        special = ~np.isfinite(found)
        for part in [part for z in operands for part in (z.real, z.imag)]:
            size = np.abs(part)
            special |= ~((size < largest) & (size > 1 / largest))
        if not special.any():
            return found
        found = np.array(found)
        found[special] = lower(NUMPY, *[z[special] for z in operands])
        return found

    return ref


NUMPY = NumpyBuilder()


# ---- magnitudes --------------------------------------------------------------------------------------------


def _ordered(x: Real, y: Real) -> tuple[Real, Real, Real]:
    """high, ratio, root with |x + iy| = high root: root = sqrt(1 + ratio^2), ratio = low / high <= 1."""
    x, y = abs(x), abs(y)
    high, low = x.of("maximum", y), x.of("minimum", y)
    ratio = where(low == high, 1, low / high)  # also for 0/0 and inf/inf
    return high, ratio, (ratio * ratio + 1).of("sqrt")


def _infinite(x: Real) -> Real:
    return abs(x) == math.inf


def _unsigned_zero(x: Real) -> Real:
    """+0 for -0."""
    return where(x == 0, 0, x)


def _with_sign_of(size: Real, x: Real) -> Real:
    """size, negated for x < 0: -0 is as 0."""
    return where(x < 0, -size, size)


@expansion
def modulus(x: Real, y: Real) -> Real:
    """high sqrt(1 + ratio^2), whose squares stay in range."""
    high, _, root = _ordered(x, y)
    return high * root


@expansion
def sign(x: Real, y: Real) -> Parts:
    """z / |z|, and z at 0."""
    high, _, root = _ordered(x, y)
    zero = high == 0
    return tuple(where(zero, part, part / high / root) for part in (x, y))  # type: ignore[return-value]


# ---- order -------------------------------------------------------------------------------------------------


@expansion
def maximum(a: Real, b: Real, c: Real, d: Real) -> Parts:
    """The first if its real part is larger or, where those are equal, its imaginary part; else the second, also at NaN."""
    first = where(a == c, b > d, a > c)
    return where(first, a, c), where(first, b, d)


@expansion
def minimum(a: Real, b: Real, c: Real, d: Real) -> Parts:
    """As `maximum`, for smaller ones."""
    first = where(a == c, b < d, a < c)
    return where(first, a, c), where(first, b, d)


# ---- products and quotients --------------------------------------------------------------------------------


@expansion
def square(x: Real, y: Real) -> Parts:
    """(|x| - |y|) (|x| + |y|) + 2 i x y: +0 where |x| = |y|, also where the sum leaves the range."""
    x_size, y_size = abs(x), abs(y)
    difference = x_size - y_size
    return where(x_size == y_size, difference, difference * (x_size + y_size)), 2 * (x * y)


def _inverse_power_of_two(x: Real) -> Real:
    """A power of two s with 1/8 <= s x < 1/4, for finite x > 0 that are not among the largest or smallest."""
    info = np.finfo(x.dtype)
    bits, shift = np.dtype(f"i{x.dtype.itemsize}"), info.nmant
    field = ((1 << info.bits - 1 - shift) - 1) << shift
    bias = (1 << info.bits - 2 - shift) - 1
    least = 1 << shift
    exponent = x.bits(bits).of("and", field)
    found = ((2 * bias - 3) << shift) - exponent
    return found.of("maximum", least).bits(x.dtype)


@expansion
def divide(a: Real, b: Real, c: Real, d: Real) -> Parts:
    """Smith's quotient, by numbers scaled so that neither the denominator nor a sum leaves the range.

    Of an infinite denominator only the infinite part counts. By zero, and by a real or imaginary number where both parts
    of the other are infinite, each part is divided by itself: the mixed terms would be NaN.
    """
    high, low = _infinite(d), _infinite(c)
    flat = (abs(c) < abs(d)) | high
    p, q, u, v = where(flat, d, c), where(flat, c, d), where(flat, b, a), where(flat, a, b)
    scale = _inverse_power_of_two(abs(p))
    p, q, u, v = p * scale, where(high | low, 0, q * scale), u * scale, v * scale
    r = q / p
    undefined = where(p == 0, math.inf, abs(u).of("minimum", abs(v)))
    alone = where(q == 0, undefined, 0) == math.inf
    mixed, crossed = where(alone, 0, v * r), where(alone, 0, u * r)
    below = where(alone, p, p + q * r)
    return (u + mixed) / below, where(flat, crossed - v, v - crossed) / below


def is_negative(x: Real) -> Real:
    """Whether the sign bit is set."""
    return x.bits(np.dtype(f"i{x.dtype.itemsize}")) < 0


def _unit(x: Real) -> Real:
    """1 for infinite, else 0, with the sign of x."""
    size = where(_infinite(x), x.constant(1), 0)
    return where(is_negative(x), -size, size)


# ---- roots -------------------------------------------------------------------------------------------------


def _root(x: Real, y: Real) -> tuple[Real, Real, Real, Real]:
    """Real part and size of the imaginary part of sqrt(|x| + iy), |z|'s high and root.

    sqrt((|x| + |z|) / 2) = sqrt(high) sqrt((|x| / high + root) / 2), where |x| / high is 1 or the ratio.
    """
    high, ratio, root = _ordered(x, y)
    steep = abs(y) > abs(x)
    major = high.of("sqrt") * ((where(steep, ratio, 1) + root) * 0.5).of("sqrt")
    minor = where(high == 0, 0, abs(y) / (2 * major))
    return major, minor, high, root


@expansion
def sqrt(x: Real, y: Real) -> Parts:
    """The root in the right half plane; that of x < 0 is on the positive imaginary axis, beside a -0 too."""
    major, minor, _, _ = _root(x, y)
    left, endless = x < 0, _infinite(y) & (x == x)
    real = where(endless, math.inf, where(left, minor, major))
    return real, _with_sign_of(where(endless, math.inf, where(left, major, minor)), y)


@expansion
def rsqrt(x: Real, y: Real) -> Parts:
    """conj(sqrt(z)) / |z|; below the cut beside a -0."""
    major, minor, high, root = _root(x, y)
    left, zero, endless = x < 0, high == 0, _infinite(x) | _infinite(y)
    real, imag = (where(left, p, q) / high / root for p, q in ((minor, major), (major, minor)))
    real = where(endless, 0, where(zero, math.inf, real))
    imag = where(endless, 0, where(zero, math.nan, imag))
    return real, where(is_negative(y), imag, -imag)


# ---- exponentials ------------------------------------------------------------------------------------------


def _exponential(x: Real, y: Real) -> Parts:
    """e^x (cos y + i sin y), as (w cos y) w with w = e^(x/2): e^x itself may be infinite. Real where y is 0."""
    w = (x * 0.5).of("exponential")
    return w * y.of("cosine") * w, where(y == 0, 0, w * y.of("sine") * w)


exponential = expansion(_exponential)


@expansion
def exponential_minus_one(x: Real, y: Real) -> Parts:
    """For x < 1 the real part is (e^x - 1) cos y - (1 - cos y), where 1 - cos y = sin^2 y / (1 + cos y)."""
    real, imag = _exponential(x, y)
    s, c = y.of("sine"), y.of("cosine")
    versine = where(c > 0, s * s / (1 + c), 1 - c)
    near = x.of("exponential_minus_one") * c - versine
    return where(x < 1, _unsigned_zero(near), real - 1), imag


def _log(x: Real, y: Real) -> Real:
    """log |z| = log high + log(1 + ratio^2) / 2, where the sum of terms of two signs is below the angle."""
    high, ratio, _ = _ordered(x, y)
    return high.of("log") + 0.5 * (ratio * ratio).of("log_plus_one")


@expansion
def log(x: Real, y: Real) -> Parts:
    return _log(x, y), y.of("atan2", x)


@expansion
def log_plus_one(x: Real, y: Real) -> Parts:
    """log(1 + z): log |1 + x|, if that is the higher of the two, from x itself."""
    over = 1 + x
    high, ratio, _ = _ordered(over, y)
    of_real = where(x < -1, -2 - x, x).of("log_plus_one")
    size = where(abs(y) > abs(over), high.of("log"), of_real)
    return size + 0.5 * (ratio * ratio).of("log_plus_one"), y.of("atan2", over)


@expansion
def power(a: Real, b: Real, c: Real, d: Real) -> Parts:
    """e^((c + id) log(a + ib)); real powers of 0 and of infinity, and those that are 1, by the rules of real numbers."""
    size, angle = _log(a, b), b.of("atan2", a)
    w = (0.5 * (c * size - d * angle)).of("exponential")
    turn = d * size + c * angle
    real, imag = w * turn.of("cosine") * w, w * turn.of("sine") * w
    of_reals = (b == 0) & (d == 0)
    one = (c == 0) & (d == 0) | (a == 1) & (b == 0)
    zero = of_reals & ((a == 0) & (c > 0) | (a == math.inf) & (c < 0))
    endless = of_reals & (a == math.inf) & (c > 0)
    real = where(one, 1, where(zero, 0, where(endless, math.inf, real)))
    return real, where(one | zero | endless, 0, imag)


def _decay(x: Real) -> tuple[Real, Real]:
    """q = e^-x and 1 - q for x >= 0: 1 - e^-x = 2 e^(-x/2) sinh(x/2)."""
    v = (x * -0.5).of("exponential")
    q = v * v
    return q, where(x < 1, 2 * v * sinh_near_zero(x * 0.5), 1 - q)


#: Coefficients in x^2 of sinh(x) / x by bytes of the dtype: below 1 the rest is less than an ulp.
_SINH = {size: [1 / math.factorial(2 * k + 1) for k in range(terms)] for size, terms in ((4, 6), (8, 10))}


def sinh_near_zero(x: Real) -> Real:
    """sinh for |x| <= 1, by its series."""
    return x * polynomial(x * x, _SINH[x.dtype.itemsize])


def _bell(x: Real, y: Real) -> tuple[Real, Real, Real, Real, Real]:
    """q = e^-|x|, m = 1 - q, sine and cosine of y, and |1 + q e^2iy|^2 = m^2 + 4 q cos^2 y, without cancellation."""
    q, m = _decay(abs(x))
    s, c = where(y == 0, 0, y.of("sine")), y.of("cosine")
    return q, m, s, c, m * m + 4 * (q * (c * c))


@expansion
def logistic(x: Real, y: Real) -> Parts:
    """1 / (1 + e^-z), with e^-|x| as the only exponential."""
    q, m, s, c, below = _bell(x, y * 0.5)
    c2 = 2 * (c * c)
    real = where(x < 0, q * (c2 - m), m + q * c2)
    return real / below, 2 * (q * (s * c)) / below


def _tanh(x: Real, y: Real) -> Parts:
    """(1 - q^2 + 2 i q sin 2y) / |1 + q e^2iy|^2 with q = e^-2|x|, and the sign of x; 1 at infinity, whatever y."""
    q, m, s, c, below = _bell(2 * x, where(_infinite(x) & ~y.of("is_finite"), 0, y))
    real = m * (2 - m) / below
    return where(is_negative(x), -real, real), where(y == 0, 0, 4 * (q * (s * c)) / below)


tanh = expansion(_tanh)


@expansion
def tan(x: Real, y: Real) -> Parts:
    """-i tanh(iz)."""
    imag, real = _tanh(y, x)
    return real, imag


# ---- sines -------------------------------------------------------------------------------------------------


def hyperbolic(x: Real) -> tuple[Real, Real, Real]:
    """c, s, w with cosh x = c w and sinh x = s w, none of which overflows where a product with them need not."""
    size = abs(x)
    w = (size * 0.5).of("exponential")
    v = 1 / w
    falling, rising = 0.5 * (v * v * v), 0.5 * w
    s = where(size < 1, sinh_near_zero(size) * v, rising - falling)
    return rising + falling, where(is_negative(x), -s, s), w


def _sine(x: Real, y: Real) -> Parts:
    """sin x cosh y + i cos x sinh y."""
    c, s, w = hyperbolic(y)
    return where(x == 0, 0, x.of("sine") * c * w), x.of("cosine") * s * w


sine = expansion(_sine)


@expansion
def sinh(x: Real, y: Real) -> Parts:
    """-i sin(iz)."""
    imag, real = _sine(y, x)
    return _unsigned_zero(real), imag


@expansion
def cosine(x: Real, y: Real) -> Parts:
    """cos x cosh y - i sin x sinh y."""
    c, s, w = hyperbolic(y)
    return x.of("cosine") * c * w, where(x == 0, 0, -(x.of("sine") * s * w))


@expansion
def cosh(x: Real, y: Real) -> Parts:
    """cos(iz)."""
    c, s, w = hyperbolic(x)
    return y.of("cosine") * c * w, where(y == 0, 0, _unsigned_zero(y.of("sine") * s * w))


# ---- their inverses ----------------------------------------------------------------------------------------


def _arcs(x: Real, y: Real) -> tuple[Real, Real, Real]:
    """Kahan's: Re asin z, Re acos z and the size of their imaginary parts, by roots of 1 - z and 1 + z.

    Above `huge`, where z^2 - 1 is z^2, z is scaled down and the logarithm of the factor added.
    """
    huge, factor = (2.0**60, 2.0**-40) if x.dtype.itemsize == 4 else (2.0**500, 2.0**-400)
    endless = _infinite(x) | _infinite(y)
    # an infinite part beside a finite one is all
    x, y = (where(endless, where(_infinite(t), _unit(t) * (2 * huge), t * 0), t) for t in (x, y))
    far = (abs(x) > huge) | (abs(y) > huge)
    scale = where(far, x.constant(factor), 1)
    x, y = x * scale, y * scale
    low = _half_plane_root(1 - x, y)
    high = _half_plane_root(1 + x, y)
    # the imaginary parts of the two roots have opposite signs: no sum cancels
    angle = x.of("atan2", low[0] * high[0] + low[1] * high[1])
    size = (low[0] * high[1] + low[1] * high[0]).of("asinh")
    size = size + where(far, x.constant(-math.log(factor)), 0)
    return angle, 2 * low[0].of("atan2", high[0]), where(endless, math.inf, size)


def _half_plane_root(x: Real, y: Real) -> Parts:
    """Real part and size of the imaginary part of sqrt(z)."""
    major, minor, _, _ = _root(x, y)
    left = x < 0
    return where(left, minor, major), where(left, major, minor)


@expansion
def asin(x: Real, y: Real) -> Parts:
    angle, _, size = _arcs(x, y)
    return angle, _with_sign_of(size, y)


@expansion
def acos(x: Real, y: Real) -> Parts:
    _, angle, size = _arcs(x, y)
    return angle, -_with_sign_of(size, y)


@expansion
def asinh(x: Real, y: Real) -> Parts:
    """-i asin(iz)."""
    angle, _, size = _arcs(y, x)
    return _with_sign_of(size, x), angle


@expansion
def acosh(x: Real, y: Real) -> Parts:
    """i acos z above the real axis, -i acos z below."""
    _, angle, size = _arcs(x, y)
    return size, _with_sign_of(angle, y)


def _atanh(x: Real, y: Real) -> Parts:
    """log(1 + 4|x| / |1 - z|^2) / 4 with the sign of x, and atan2(2 y, (1 - |x|) (1 + |x|) - y^2) / 2."""
    size = abs(x)
    high, _, root = _ordered(1 - size, y)
    # beside the pole the quotient may be infinite, but not its logarithm's terms
    near = high < 2.0**-40
    ratio = where(near, 4 * size / (root * root) - 1, 4 * (size / high) / (high * (root * root)))
    real = 0.25 * ratio.of("log_plus_one") - where(near, 0.5 * high.of("log"), 0)
    real = where(_infinite(x) | _infinite(y), 0, real)
    angle = (2 * y).of("atan2", (1 - size) * (1 + size) - y * y)
    far = (size > _FAR) | (abs(y) > _FAR) | (angle != angle)
    angle = 0.5 * where(far, where(y >= 0, y.constant(math.pi), -math.pi), angle)
    return where(x >= 0, real, -real), angle


#: Beyond it atanh is i pi/2 to all digits, and squares stay in range below.
_FAR = 2.0**60


atanh = expansion(_atanh)


@expansion
def atan(x: Real, y: Real) -> Parts:
    """-i atanh(iz)."""
    imag, real = _atanh(-y, x)
    return real, -imag
