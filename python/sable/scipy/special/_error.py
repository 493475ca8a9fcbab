"""Functions about e^(-x^2) and its integral: those of complex and large arguments, quantiles of the normal distribution."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_arguments, promote_dtypes
from sable.library.declare import library

from ._basic import in_single, need_single_or_double, refuse_complex

#: Rational functions of M. Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics
#: 37, 1988 (PPND16): numerator and denominator, lowest power first, for the middle, the tails and the far tails.
_QUANTILE = (
    (
        (
            3.3871328727963666080e0,
            1.3314166789178437745e2,
            1.9715909503065514427e3,
            1.3731693765509461125e4,
            4.5921953931549871457e4,
            6.7265770927008700853e4,
            3.3430575583588128105e4,
            2.5090809287301226727e3,
        ),
        (
            1.0,
            4.2313330701600911252e1,
            6.8718700749205790830e2,
            5.3941960214247511077e3,
            2.1213794301586595867e4,
            3.9307895800092710610e4,
            2.8729085735721942674e4,
            5.2264952788528545610e3,
        ),
    ),
    (
        (
            1.42343711074968357734e0,
            4.63033784615654529590e0,
            5.76949722146069140550e0,
            3.64784832476320460504e0,
            1.27045825245236838258e0,
            2.41780725177450611770e-1,
            2.27238449892691845833e-2,
            7.74545014278341407640e-4,
        ),
        (
            1.0,
            2.05319162663775882187e0,
            1.67638483018380384940e0,
            6.89767334985100004550e-1,
            1.48103976427480074590e-1,
            1.51986665636164571966e-2,
            5.47593808499534494600e-4,
            1.05075007164441684324e-9,
        ),
    ),
    (
        (
            6.65790464350110377720e0,
            5.46378491116411436990e0,
            1.78482653991729133580e0,
            2.96560571828504891230e-1,
            2.65321895265761230930e-2,
            1.24266094738807843860e-3,
            2.71155556874348757815e-5,
            2.01033439929228813265e-7,
        ),
        (
            1.0,
            5.99832206555887937690e-1,
            1.36929880922735805310e-1,
            1.48753612908506148525e-2,
            7.86869131145613259100e-4,
            1.84631831751005468180e-5,
            1.42151175831644588870e-7,
            2.04426310338993978564e-15,
        ),
    ),
)


def _ratio(x: Any, numerator: tuple, denominator: tuple) -> Any:
    """A rational function; coefficients of the lowest powers first."""
    p, q = (jnp.polyval(np.array(c[::-1], x.dtype), x) for c in (numerator, denominator))
    return p / q


# ---- the normal distribution -------------------------------------------------------------------------------------

_ROOT_HALF = math.sqrt(0.5)


@library(operands=("x",))
def ndtr(x: Any) -> Any:
    """The distribution function of the standard normal, by erf near 0 and erfc elsewhere.

    Args:
      x: float32 or float64.

    Raises:
      TypeError: neither float32 nor float64.

    Example:
      >>> jax.scipy.special.ndtr(jnp.array([-9.0, 0.0, 1.0]))
      Array([1.128588e-19, 5.000000e-01, 8.413447e-01], dtype=float32)
    """
    (value,) = array_arguments("ndtr", x)
    need_single_or_double("ndtr", value)
    return _ndtr(value)


def _bell(x: Any) -> Any:
    """e^(-x^2 / 2); the square of what is left of x when it is cut to sixteenths has no rounding error."""
    cut = jnp.round(16 * jnp.clip(x, -64, 64)) / 16
    return jnp.exp(-0.5 * cut * cut) * jnp.exp(-0.5 * (x - cut) * (x + cut))


@custom_jvp
def _ndtr(x: Any) -> Any:
    middle = 0.5 + 0.5 * BIND.erf(_ROOT_HALF * x)
    upper = 1 - 0.5 * BIND.erfc(_ROOT_HALF * x)
    lower = 0.5 * _erfcx(_ROOT_HALF * jnp.maximum(-x, 1)) * _bell(x)
    return jnp.where(x <= -1, lower, jnp.where(x < 1, middle, upper))


@_ndtr.defjvp
def _ndtr_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d ndtr(x) = e^(-x^2 / 2) / sqrt(2 pi) dx."""
    (x,) = primals
    return _ndtr(x), tangents[0] * (_bell(x) / math.sqrt(2 * math.pi))


@library(operands=("x",))
def log_ndtr(x: Any, series_order: int = 3) -> Any:
    """The logarithm of `ndtr`, accurate where that is tiny, and where it is all but 1.

    Args:
      x: float32 or float64.
      series_order: has no effect: no series is needed.

    Raises:
      TypeError: another dtype.
      ValueError: an order that is no integer from 0 to 30.

    Source: DLMF 7.2.3.

    Example:
      >>> jax.scipy.special.log_ndtr(jnp.array([-100.0, 0.0]))
      Array([-5.005524e+03, -6.931472e-01], dtype=float32)
    """
    if not 0 <= series_order <= 30:
        raise ValueError(f"series_order must be from 0 to 30, got {series_order}")
    (value,) = array_arguments("log_ndtr", x)
    need_single_or_double("log_ndtr", value)
    return _log_ndtr(value)


@custom_jvp
def _log_ndtr(x: Any) -> Any:
    scaled_tail = 0.5 * _erfcx(_ROOT_HALF * jnp.abs(x))
    lower = jnp.log(scaled_tail) - 0.5 * jnp.square(x)
    return jnp.where(x < 0, lower, jnp.log1p(-scaled_tail * _bell(x)))


@_log_ndtr.defjvp
def _log_ndtr_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d log ndtr(x) = e^(-x^2 / 2) / sqrt(2 pi) / ndtr(x) dx, where both vanish in terms of their quotient, erfcx."""
    (x,) = primals
    below = x < 0
    lower = 2 / _erfcx(-_ROOT_HALF * jnp.where(below, x, 0))
    slope = jnp.where(below, lower, _bell(x) / _ndtr(jnp.where(below, 0, x)))
    return _log_ndtr(x), tangents[0] * (slope / math.sqrt(2 * math.pi))


@library(operands=("p",))
def ndtri(p: Any) -> Any:
    """The inverse of `ndtr`: -inf and inf at 0 and 1, NaN outside.

    Args:
      p: float32 or float64.

    Raises:
      TypeError: another dtype.

    Source: M. Wichura, "Algorithm AS 241", Applied Statistics 37, 1988.

    >>> jax.scipy.special.ndtri(jnp.array([0.0, 0.025, 0.5]))
    Array([      -inf, -1.9599639,  0.       ], dtype=float32)
    """
    (value,) = array_arguments("ndtri", p)
    need_single_or_double("ndtri", value)
    return _ndtri(value)


@custom_jvp
def _ndtri(p: Any) -> Any:
    from_half = p - 0.5
    middle = from_half * _ratio(0.180625 - jnp.square(from_half), *_QUANTILE[0])
    r = jnp.sqrt(-jnp.log(jnp.where(from_half < 0, p, 1 - p)))
    tail = jnp.where(r <= 5, _ratio(r - 1.6, *_QUANTILE[1]), _ratio(r - 5, *_QUANTILE[2]))
    tail = jnp.where(r == jnp.inf, jnp.inf, tail)
    return jnp.where(jnp.abs(from_half) <= 0.425, middle, jnp.where(from_half < 0, -tail, tail))


@_ndtri.defjvp
def _ndtri_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d ndtri(p) = sqrt(2 pi) e^(y^2 / 2) dp, y = ndtri(p); 0 at 0 and 1, as in JAX."""
    y = _ndtri(*primals)
    slope = math.sqrt(2 * math.pi) * jnp.exp(jnp.square(y) / 2)
    return y, tangents[0] * jnp.where(jnp.isinf(y), 0, slope)


# ---- the error function of complex and large arguments -----------------------------------------------------------

_TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)
#: terms of the rational expansion for single and for double precision: 1e-8 and 2e-14 off
_TERMS = {4: 24, 8: 48}


@functools.cache
def _expansion(count: int) -> tuple[float, np.ndarray]:
    """L and the coefficients, highest power first, of w(z) in powers of (L + iz) / (L - iz).

    Source: J. A. C. Weideman, "Computation of the complex error function", SIAM J. Numer. Anal. 31, 1994.
    """
    points = 4 * count
    scale = math.sqrt(count / math.sqrt(2))
    t = scale * np.tan(np.arange(1 - points // 2, points // 2) * np.pi / points)
    samples = np.concatenate([[0.0], np.exp(-(t**2)) * (scale**2 + t**2)])
    coefficients = np.fft.fft(np.fft.fftshift(samples)).real / points
    return scale, coefficients[count:0:-1]


def _w(numerator: Any, denominator: Any, coefficients: np.ndarray) -> Any:
    """w of the upper half-plane, given L + iz and L - iz: real on the imaginary axis."""
    p = jnp.polyval(coefficients.astype(denominator.dtype), numerator / denominator)
    return 2 * p / (denominator * denominator) + (1 / math.sqrt(math.pi)) / denominator


@library(operands=("z",))
def wofz(z: Any) -> Any:
    """The Faddeeva function w(z) = e^(-z^2) erfc(-iz).

    Args:
      z: complex numbers, or what is converted to them.

    Sources: DLMF 7.2.3; J. A. C. Weideman, SIAM J. Numer. Anal. 31, 1994; below the real axis 7.4.3.

    >>> jax.scipy.special.wofz(jnp.array([0.5 + 1j, 0j]))
    Array([0.391234 +0.1272024j, 0.9999999+0.j       ], dtype=complex64)
    """
    (value,) = promote_dtypes(array_arguments("wofz", z), "inexact")
    if value.dtype.kind != "c":
        value = value.astype(np.complex128 if value.dtype == np.float64 else np.complex64)
    return _wofz(value)


@custom_jvp
def _wofz(z: Any) -> Any:
    scale, coefficients = _expansion(_TERMS[z.dtype.itemsize // 2])
    above = z.imag >= 0
    rotated = 1j * jnp.where(above, z, -z)
    upper = _w(scale + rotated, scale - rotated, coefficients)
    return jnp.where(above, upper, 2 * jnp.exp(-z * z) - upper)


@_wofz.defjvp
def _wofz_jvp(primals: tuple, tangents: tuple) -> tuple:
    """w'(z) = -2 z w(z) + 2i / sqrt(pi) (DLMF 7.10.2)."""
    (z,) = primals
    w = _wofz(z)
    return w, tangents[0] * (-2 * z * w + 1j * _TWO_OVER_SQRT_PI)


@library(operands=("x",), promotion="inexact")
def erfcx(x: Any) -> Any:
    """The scaled complementary error function e^(x^2) erfc(x), also of complex numbers.

    Args:
      x: numbers.

    Sources: DLMF 7.2.3, for w(ix) = erfcx(x); see `wofz`.

    >>> jax.scipy.special.erfcx(jnp.array([-1.0, 0.0, 100.0]))
    Array([5.0089803 , 0.9999999 , 0.00564161], dtype=float32)
    """
    return _wofz(1j * x) if x.dtype.kind == "c" else in_single(_erfcx, x)


@custom_jvp
def _erfcx(x: Any) -> Any:
    scale, coefficients = _expansion(_TERMS[x.dtype.itemsize])
    size = jnp.abs(x)
    finite = jnp.where(size == jnp.inf, 1, size)
    upper = jnp.where(size == jnp.inf, 0, _w(scale - finite, scale + finite, coefficients))
    return jnp.where(x < 0, 2 * jnp.exp(jnp.square(x)) - upper, upper)


@_erfcx.defjvp
def _erfcx_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d erfcx(x) = (2 x erfcx(x) - 2 / sqrt(pi)) dx."""
    (x,) = primals
    y = _erfcx(x)
    return y, tangents[0] * (2 * x * y - _TWO_OVER_SQRT_PI)


#: Up to this size Dawson's integral is its Taylor series, from the other on, upwards, its asymptotic one.
_DAWSON_BOUNDS = (0.5, 10.0)
#: (-2)^k / (2k + 1)!! (DLMF 7.6.3) and (2k - 1)!! (7.12.1), highest power first
_DAWSON_SERIES = np.cumprod([1.0, *(-2 / (2 * k + 1) for k in range(1, 14))])[::-1]
_DAWSON_TAIL = np.cumprod([1.0, *(2.0 * k - 1 for k in range(1, 13))])[::-1]
#: distance and number of Rybicki's points on each side; the error is e^-(pi / (2 distance))^2
_RYBICKI_STEP, _RYBICKI_COUNT = 0.25, 13


@library(operands=("x",), promotion="inexact")
def dawsn(x: Any) -> Any:
    """Dawson's integral e^(-x^2) times the integral of e^(t^2) from 0 to x.

    Args:
      x: real numbers.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 7.2.5, 7.6.3, 7.12.1; G. B. Rybicki, "Dawson's integral and the sampling theorem", Computers in Physics 3,
    1989.

    >>> jax.scipy.special.dawsn(jnp.array([-1.0, 0.0, 20.0]))
    Array([-0.53807944,  0.        ,  0.02503137], dtype=float32)
    """
    refuse_complex("dawsn", x)
    return in_single(_dawsn, x)


@custom_jvp
def _dawsn(x: Any) -> Any:
    low, high = _DAWSON_BOUNDS
    size = jnp.abs(x)
    series = size * jnp.polyval(_DAWSON_SERIES.astype(x.dtype), jnp.square(size))
    far = jnp.maximum(size, high)
    tail = jnp.polyval(_DAWSON_TAIL.astype(x.dtype), 0.5 / jnp.square(far)) * (0.5 / far)
    found = jnp.where(size < high, _rybicki(jnp.minimum(size, high)), tail)
    return jnp.copysign(jnp.where(size < low, series, found), x)


def _rybicki(x: Any) -> Any:
    """1/sqrt(pi) times the sum of e^-(x' - j h)^2 / (n + j) over odd j, where x' = x - n h and n is the next even number."""
    h = _RYBICKI_STEP
    n = 2 * jnp.round(x / (2 * h))
    rest = x - n * h
    up = jnp.exp(2 * h * rest)
    power, square = up, jnp.square(up)
    total = jnp.zeros_like(x)
    for j in range(1, 2 * _RYBICKI_COUNT, 2):
        total = total + math.exp(-((j * h) ** 2)) * (power / (n + j) + 1 / (power * (n - j)))
        power = power * square
    return total * jnp.exp(-jnp.square(rest)) / math.sqrt(math.pi)


@_dawsn.defjvp
def _dawsn_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d F(x) = (1 - 2 x F(x)) dx."""
    (x,) = primals
    y = _dawsn(x)
    return y, tangents[0] * (1 - 2 * x * y)


# ---- Owen's T function -------------------------------------------------------------------------------------------

#: The rule of Gauss and Legendre of twice so many points, of which it uses the positive ones, by the bytes of a number.
_POINTS = {2: 10, 4: 14, 8: 32}
#: h t up to which e^-(h t)^2 / 2 counts beside 1
_BELL_END = 8.7
#: h for which it is 0, whatever t
_BELL_GONE = 64.0


@library(operands=("h", "a"), promotion="inexact")
def owens_t(h: Any, a: Any) -> Any:
    """Owen's T function: 1 / (2 pi) times the integral of e^(-h^2 (1 + t^2) / 2) / (1 + t^2) from 0 to a.

    Args:
      h, a: real numbers.

    Sources: D. B. Owen, "Tables for computing bivariate normal probabilities", Ann. Math. Stat. 27, 1956, whose identities
    bring |a| below 1; there the rule of Gauss and Legendre (M. Patefield and D. Tandy, "Fast and accurate calculation of
    Owen's T function", J. Stat. Software 5, 2000, method T5), up to where the integrand ends.

    >>> jax.scipy.special.owens_t(jnp.array([0.0, 1.0]), 0.5)
    Array([0.07379181, 0.04306468], dtype=float32)
    """
    return _owens_t(*jnp.broadcast_arrays(h, a)).astype(h.dtype)


@custom_jvp
def _owens_t(h: Any, a: Any) -> Any:
    h, size = jnp.minimum(jnp.abs(h), _BELL_GONE), jnp.abs(a)
    large = size > 1
    product = jnp.minimum(jnp.where(h == 0, 0, size * h), _BELL_GONE)
    inner = _owens_integral(jnp.where(large, product, h), jnp.where(large, 1 / size, size))
    root = math.sqrt(0.5)
    near = 0.25 - 0.25 * BIND.erf(h * root) * BIND.erf(product * root)
    tail, far_tail = BIND.erfc(h * root), BIND.erfc(product * root)
    apart = jnp.where(product <= 0.67, near, 0.25 * (tail + far_tail - tail * far_tail))
    return jnp.sign(a) * jnp.where(large, apart - inner, inner)


def _owens_integral(h: Any, a: Any) -> Any:
    """T(h, a) for 0 <= a <= 1."""
    end = jnp.where(a * h > _BELL_END, _BELL_END / jnp.where(h > 0, h, 1), a)
    exponent = -0.5 * jnp.square(h * end)
    points = _POINTS[h.dtype.itemsize]
    nodes, weights = (part[points:].tolist() for part in np.polynomial.legendre.leggauss(2 * points))
    total = jnp.zeros_like(h)
    for node, weight in zip(nodes, weights):
        total = total + weight * jnp.exp(exponent * node**2) / (1 + jnp.square(end * node))
    return total * end * _bell(h) / (2 * math.pi)


@_owens_t.defjvp
def _owens_t_jvp(primals: tuple, tangents: tuple) -> tuple:
    """dT = -e^(-h^2 / 2) erf(a h / sqrt 2) / (2 sqrt(2 pi)) dh + e^(-h^2 (1 + a^2) / 2) / (2 pi (1 + a^2)) da."""
    h, a = primals
    spread = 1 + jnp.square(a)
    slope = -jnp.exp(-0.5 * jnp.square(h)) * BIND.erf(a * h * math.sqrt(0.5)) / (2 * math.sqrt(2 * math.pi))
    other = jnp.exp(-0.5 * jnp.square(h) * spread) / (2 * math.pi * spread)
    return _owens_t(h, a), tangents[0] * slope + tangents[1] * other
