"""Exponential, sine, cosine and Fresnel integrals, and the dilogarithm.

Beside the origin they are series; elsewhere continued fractions, from the last term backwards. How many terms are
enough is a matter of the dtype and of the nearest point, where they converge least.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.custom_derivatives import custom_jvp
from sable.core.dtypes import finfo
from sable.core.operands import array_arguments, promote_dtypes
from sable.library.declare import library

from ._basic import need_single_or_double, refuse_complex

#: steps of a continued fraction and terms of a series, by the bytes of a number
_STEPS = {2: 15, 4: 30, 8: 95}
_TERMS = {2: 8, 4: 12, 8: 22}


def _loop(count: int, first: int, step: Callable[[Any, Any], Any], start: Any, like: Any) -> Any:
    """step(k, state) for k = first, first + 1 ... count numbers, as floats of the dtype of `like`."""
    return lax.fori_loop(0, count, lambda i, state: step((first + i).astype(like.dtype), state), start)


# ---- exponential integrals ---------------------------------------------------------------------------------------


@library(operands=("n", "x"))
def expn(n: Any, x: Any) -> Any:
    """The exponential integral E_n(x), the integral of e^(-x t) / t^n from 1 to infinity; the derivative is in x only.

    Args:
      n: integers, not negative.
      x: real numbers, not negative; elsewhere it is NaN.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 8.19.8 for x <= 1, 8.19.17 elsewhere, 8.19.13 for the derivative.

    >>> jax.scipy.special.expn(2, jnp.array([0.0, 0.5, 3.0]))
    Array([1.        , 0.32664382, 0.01064192], dtype=float32)
    """
    n, x = promote_dtypes(array_arguments("expn", n, x), "inexact")
    refuse_complex("expn", x)
    return _expn(*jnp.broadcast_arrays(n, x))


@custom_jvp
def _expn(n: Any, x: Any) -> Any:
    small = x <= 1
    near = _expn_series(n, jnp.where(small & (x > 0), x, 1))
    found = jnp.where(small, near, _expn_fraction(n, jnp.maximum(x, 1)))
    found = jnp.where(n == 0, jnp.exp(-x) / x, found)
    at_zero = jnp.where(n < 2, jnp.inf, 1 / (jnp.maximum(n, 2) - 1))
    found = jnp.where(x == 0, at_zero, jnp.where(x == jnp.inf, 0, found))
    return jnp.where((n < 0) | (n != jnp.floor(n)) | (x < 0) | jnp.isnan(x), jnp.nan, found)


@_expn.defjvp
def _expn_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d E_n(x) = -E_(n - 1)(x) dx."""
    n, x = primals
    return _expn(n, x), -tangents[1] * _expn(n - 1, x)


def _expn_series(n: Any, x: Any) -> Any:
    """(-x)^(n - 1) (psi(n) - log x) / (n - 1)! less the sum of (-x)^k / (k! (1 - n + k)) over k != n - 1."""
    safe = jnp.maximum(n, 1)

    def step(k: Any, state: tuple) -> tuple:
        term, total = state
        distance = 1 - safe + k
        at_pole = distance == 0
        total = total - jnp.where(at_pole, 0, term / jnp.where(at_pole, 1, distance))
        return term * -x / (k + 1), total

    _, total = _loop(_TERMS[x.dtype.itemsize], 0, step, (jnp.ones_like(x), jnp.zeros_like(x)), x)
    sign = jnp.where(safe % 2 == 1, 1, -1).astype(x.dtype)
    power = jnp.exp((safe - 1) * jnp.log(x) - lax.lgamma(safe))
    return sign * power * (lax.digamma(safe) - jnp.log(x)) + total


def _expn_fraction(n: Any, x: Any) -> Any:
    """e^-x / (x + n - 1 n / (x + n + 2 - 2 (n + 1) / (x + n + 4 - ...)))."""
    count = _STEPS[x.dtype.itemsize]

    def step(j: Any, tail: Any) -> Any:
        k = count - j
        return k * (n + k - 1) / (x + n + 2 * k - tail)

    return jnp.exp(-x) / (x + n - _loop(count, 0, step, jnp.zeros_like(x), x))


@library(operands=("x",), promotion="inexact")
def exp1(x: Any) -> Any:
    """The exponential integral E_1(x), that of e^-t / t from x to infinity.

    Args:
      x: real numbers, not negative; elsewhere it is NaN.

    Raises:
      ValueError: complex numbers.

    Source: as of `expn`.

    >>> jax.scipy.special.exp1(jnp.array([0.0, 0.5, 3.0]))
    Array([       inf, 0.5597736 , 0.01304838], dtype=float32)
    """
    refuse_complex("exp1", x)
    return _expn(jnp.ones_like(x), x)


#: From here on, upwards, Ei is its asymptotic series of so many terms; below it is the other one, of so many.
_EI_BOUND = {2: (8.0, 8, 40), 4: (20.0, 20, 75), 8: (40.0, 41, 140)}


@library(operands=("x",), promotion="inexact")
def expi(x: Any) -> Any:
    """The exponential integral Ei(x), the principal value of that of e^t / t from -infinity to x.

    Args:
      x: real numbers.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 6.2.5, 6.6.2, 6.12.2.

    >>> jax.scipy.special.expi(jnp.array([-1.0, 0.5, 3.0]))
    Array([-0.21938396,  0.45421994,  9.933833  ], dtype=float32)
    """
    refuse_complex("expi", x)
    return _expi(x)


@custom_jvp
def _expi(x: Any) -> Any:
    bound, far_count, count = _EI_BOUND[x.dtype.itemsize]
    far = jnp.maximum(x, bound)
    inverse = 1 / far
    tail = _loop(far_count, 1, lambda k, t: 1 + (far_count + 1 - k) * inverse * t, jnp.ones_like(x), x)
    near = jnp.clip(x, 0, bound)

    def step(k: Any, state: tuple) -> tuple:
        term = state[0] * near / k
        return term, state[1] + term / k

    _, total = _loop(count, 1, step, (jnp.ones_like(x), jnp.zeros_like(x)), x)
    found = jnp.where(x < bound, np.euler_gamma + jnp.log(near) + total, jnp.exp(far) * inverse * tail)
    found = jnp.where(x < 0, -_expn(jnp.ones_like(x), jnp.abs(x)), found)
    return jnp.where(x == jnp.inf, jnp.inf, jnp.where(jnp.isnan(x), jnp.nan, found))


@_expi.defjvp
def _expi_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d Ei(x) = e^x / x dx."""
    (x,) = primals
    return _expi(x), tangents[0] * (jnp.exp(x) / x)


# ---- sine, cosine and Fresnel integrals --------------------------------------------------------------------------


def _complex_fraction(real: Any, imaginary: Any, term: Callable[[Any], tuple], count: int) -> tuple[Any, Any]:
    """1 / (z - a_1 / (b_1 + z - a_2 / (b_2 + z - ...))) in its parts; term(k) gives a_k and b_k."""

    def quotient(a: Any, x: Any, y: Any) -> tuple[Any, Any]:
        scaled = a / (x * x + y * y)
        return x * scaled, -y * scaled

    def step(j: Any, tail: tuple) -> tuple:
        a, b = term(count - j)
        return quotient(a, real + b - tail[0], imaginary - tail[1])

    start = (jnp.zeros_like(imaginary), jnp.zeros_like(imaginary))
    tail = _loop(count, 0, step, start, imaginary)
    return quotient(1, real - tail[0], imaginary - tail[1])


#: Up to this size Si and Ci are their series.
_SICI_BOUND = 2.0
#: |x| from which on only the first term counts
_SICI_FAR = 1e9


@library(operands=("x",), promotion="inexact")
def sici(x: Any) -> tuple[Value, Value]:
    """The sine and cosine integrals: Si(x), of sin(t) / t from 0 to x, and Ci(|x|), of -cos(t) / t from |x| on.

    Args:
      x: real numbers.

    Returns:
      (Si, Ci); the latter is NaN at -inf.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 6.6.5, 6.6.6; beyond 2 the continued fraction 6.9.1 of E_1(ix) = -Ci(x) + i (Si(x) - pi/2).

    >>> jax.scipy.special.sici(jnp.array([0.5, 3.0]))
    (Array([0.4931074, 1.8486526], dtype=float32), Array([-0.17778407,  0.11962979], dtype=float32))
    """
    if x.dtype.kind == "c":
        raise ValueError(f"Argument `x` to sici must be real-valued. Got dtype {x.dtype}.")
    return _sici(x)


@custom_jvp
def _sici(x: Any) -> tuple[Any, Any]:
    size = jnp.abs(x)
    near = jnp.minimum(size, _SICI_BOUND)
    # sums of (-1)^k x^(2k + 1) / ((2k + 1) (2k + 1)!) and (-1)^k x^(2k) / (2k (2k)!)
    odd = [(-1) ** k / ((2 * k + 1) * math.factorial(2 * k + 1)) for k in range(12)]
    even = [(-1) ** k / (2 * k * math.factorial(2 * k)) for k in range(1, 13)]
    square = jnp.square(near)
    sine = near * _polynomial(odd, square)
    cosine = np.euler_gamma + jnp.log(near) + square * _polynomial(even, square)
    far = jnp.clip(size, _SICI_BOUND, _SICI_FAR)
    u, v = _complex_fraction(1.0, far, lambda k: (k * k, 2 * k), _STEPS[x.dtype.itemsize])
    angle = jnp.where(size == jnp.inf, 0, jnp.maximum(size, _SICI_BOUND))
    c, s = jnp.cos(angle), jnp.sin(angle)
    outer_sine = math.pi / 2 + (v * c - u * s)
    outer_cosine = -(u * c + v * s)
    beyond = size > _SICI_FAR
    outer_sine = jnp.where(beyond, math.pi / 2 - c / size, outer_sine)
    outer_cosine = jnp.where(beyond, s / size, outer_cosine)
    small = size <= _SICI_BOUND
    si = jnp.sign(x) * jnp.where(small, sine, outer_sine)
    ci = jnp.where(x == -jnp.inf, jnp.nan, jnp.where(small, cosine, outer_cosine))
    return si, ci


@_sici.defjvp
def _sici_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d Si(x) = sin(x) / x dx, d Ci(x) = cos(x) / x dx."""
    (x,) = primals
    return _sici(x), (tangents[0] * jnp.sinc(x / math.pi), tangents[0] * (jnp.cos(x) / x))


def _polynomial(coefficients: list[float], x: Any) -> Any:
    """Lowest powers first."""
    return jnp.polyval(np.array(coefficients[::-1], x.dtype), x)


#: Up to this size the Fresnel integrals are their series; beyond it the fraction's steps, by the bytes of a number.
_FRESNEL_BOUND = 1.5
_FRESNEL_STEPS = {2: 25, 4: 50, 8: 170}
#: 2^n + 1, by which a number of so many bytes is cut in halves
_CUTS = {2: 2.0**6 + 1, 4: 2.0**12 + 1, 8: 2.0**27 + 1}


def _square_modulo_four(x: Any) -> Any:
    """x^2 - 4 n for some whole n: the squares of halves of a number, and twice their product, have no rounding errors."""
    cut = x * _CUTS[x.dtype.itemsize]
    upper = cut - (cut - x)
    lower = x - upper
    return jnp.fmod(upper * upper, 4) + jnp.fmod(2 * upper * lower, 4) + jnp.fmod(lower * lower, 4)


@library(operands=("x",), promotion="inexact")
def fresnel(x: Any) -> tuple[Value, Value]:
    """The Fresnel integrals: S(x) and C(x), of sin(pi t^2 / 2) and cos(pi t^2 / 2) from 0 to x.

    Args:
      x: real numbers.

    Returns:
      (S, C).

    Raises:
      NotImplementedError: complex numbers.

    Sources: DLMF 7.6.4, 7.6.6; beyond 1.5 by 7.5.8 and the continued fraction 7.9.1 (its even part) of erfc.

    >>> jax.scipy.special.fresnel(jnp.array([0.5, 3.0]))
    (Array([0.06473243, 0.496313  ], dtype=float32), Array([0.49234423, 0.6057208 ], dtype=float32))
    """
    if x.dtype.kind == "c":
        raise NotImplementedError("fresnel of complex numbers")
    return _fresnel(x)


@custom_jvp
def _fresnel(x: Any) -> tuple[Any, Any]:
    size = jnp.abs(x)
    near = jnp.minimum(size, _FRESNEL_BOUND)
    angle = math.pi / 2 * jnp.square(near)
    square = jnp.square(angle)
    sines = [(-1) ** k / ((4 * k + 3) * math.factorial(2 * k + 1)) for k in range(16)]
    cosines = [(-1) ** k / ((4 * k + 1) * math.factorial(2 * k)) for k in range(16)]
    sine, cosine = near * angle * _polynomial(sines, square), near * _polynomial(cosines, square)
    end = size > 4 / finfo(x.dtype).eps
    far = jnp.where(end, _FRESNEL_BOUND, jnp.maximum(size, _FRESNEL_BOUND))
    z = -math.pi * jnp.square(far)
    u, v = _complex_fraction(1.0, z, lambda k: ((2 * k - 1) * (2 * k), 4 * k), _FRESNEL_STEPS[x.dtype.itemsize])
    # C + iS = (1 + i)/2 (1 - e^(i pi x^2 / 2) x (1 - i) (u + iv))
    quarters = math.pi / 2 * _square_modulo_four(far)
    c, s = jnp.cos(quarters), jnp.sin(quarters)
    p, q = far * (u * c - v * s), far * (u * s + v * c)
    small = size <= _FRESNEL_BOUND
    s_integral = jnp.where(small, sine, 0.5 - q)
    c_integral = jnp.where(small, cosine, 0.5 - p)
    found = [jnp.sign(x) * jnp.where(end, 0.5, y) for y in (s_integral, c_integral)]
    return found[0], found[1]


@_fresnel.defjvp
def _fresnel_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d S(x) = sin(pi x^2 / 2) dx, d C(x) = cos(pi x^2 / 2) dx."""
    (x,) = primals
    angle = math.pi / 2 * _square_modulo_four(x)
    return _fresnel(x), (tangents[0] * jnp.sin(angle), tangents[0] * jnp.cos(angle))


# ---- dilogarithm -------------------------------------------------------------------------------------------------

#: B_2k / (2k + 1)!, k = 1, 2 ...
_DEBYE = [
    b / math.factorial(2 * k + 3)
    for k, b in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798))
]


@library(operands=("x",))
def spence(x: Any) -> Any:
    """Spence's function, the dilogarithm Li_2(1 - x): the integral of log(t) / (1 - t) from 1 to x; NaN for x < 0.

    Args:
      x: float32 or float64.

    Raises:
      TypeError: another dtype.

    Sources: DLMF 25.12.2 to 25.12.6; between 1/2 and 2 the series in the logarithm and Bernoulli numbers of D. Zagier, "The
    dilogarithm function", 2007, part I, section 1.

    >>> jax.scipy.special.spence(jnp.array([0.0, 0.5, 3.0]))
    Array([ 1.644934 ,  0.5822405, -1.4367462], dtype=float32)
    """
    value = jnp.asarray(x)
    need_single_or_double("spence", value)
    return _spence(value)


@custom_jvp
def _spence(x: Any) -> Any:
    above = x > 2
    t = jnp.where(above, 1 / x, x)
    below = t < 0.5
    u = -jnp.log(jnp.where(below, 1 - t, t))
    square = jnp.square(u)
    y = u * (1 - u / 4 + square * _polynomial(_DEBYE, square))
    safe = jnp.where(below & (t > 0), t, 0.25)
    reflected = math.pi**2 / 6 - jnp.where(t > 0, jnp.log(safe) * jnp.log1p(-safe), 0) - y
    y = jnp.where(below, reflected, y)
    found = jnp.where(above, -0.5 * jnp.square(jnp.log(x)) - y, y)
    return jnp.where(x < 0, jnp.nan, found)


@_spence.defjvp
def _spence_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d spence(x) = log(x) / (1 - x) dx, -1 at 1."""
    (x,) = primals
    one = x == 1
    slope = jnp.where(one, -1, jnp.log(x) / jnp.where(one, 1, 1 - x))
    return _spence(x), tangents[0] * slope
