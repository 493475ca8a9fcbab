"""Gamma and beta functions."""

from __future__ import annotations

import functools
import math
from typing import Any

import sable.numpy as jnp
from sable import lax
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_arguments, known_integer, promote_dtypes, scalar
from sable.library.declare import library

from ._basic import digamma, gammaln, in_single, refuse_complex, series_of


@library(operands=("x",), promotion="inexact")
def gammasgn(x: Any) -> Any:
    """The sign of the gamma function: 1 or -1, that of zeros at zeros, NaN at the other poles.

    Args:
      x: floating numbers; integers become them.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.gammasgn(jnp.array([-1.5, -0.5, 2.0]))
      Array([ 1., -1.,  1.], dtype=float32)
    """
    refuse_complex("gammasgn", x)
    whole, negative = jnp.floor(x), x < 0
    one = x.dtype.type(1)
    below = (negative & (whole % 2 != 0)) | ((x == 0) & jnp.signbit(x))
    pole = (negative & (x == whole)) | jnp.isnan(x)
    return jnp.where(pole, x.dtype.type(math.nan), jnp.where(below, -one, one))


@library(operands=("x",), promotion="inexact")
def gamma(x: Any) -> Any:
    """The gamma function; NaN at the poles of complex numbers.

    Args:
      x: floating or complex numbers; integers become floating ones.

    Sources: DLMF 5.5.3, 5.11.3.

    Example:
      >>> jax.scipy.special.gamma(jnp.array([0.5, 5.0]))
      Array([ 1.7724538, 24.       ], dtype=float32)
    """
    if x.dtype.kind == "c":
        return jnp.exp(_loggamma(x))
    return gamma_of_real(x).astype(x.dtype)


def gamma_of_real(x: Any) -> Any:
    """As weak as x, which `gamma` is not."""
    return in_single(_gamma, x)


@library(operands=("x",), promotion="inexact")
def loggamma(x: Any) -> Any:
    """The principal branch of the logarithm of the gamma function: continuous but for the negative real axis.

    Args:
      x: floating numbers, for which it is NaN where they are not positive, or complex ones; integers become floating ones.

    Sources: DLMF 5.5.1, 5.5.3, 5.11.1; D. Hare, "Computing the principal branch of log-Gamma", 1997.

    Example:
      >>> jax.scipy.special.loggamma(jnp.array([-0.5, 5.0]))
      Array([      nan, 3.1780539], dtype=float32)
      >>> jax.scipy.special.loggamma(jnp.array(-0.5 + 1j))
      Array(-0.7643616-2.9894516j, dtype=complex64)
    """
    if x.dtype.kind == "c":
        return _loggamma(x)
    return jnp.where(x > 0, gammaln(x), jnp.nan)


#: B_2k / (2k (2k - 1)): of 1 / z^(2k - 1) in Stirling's series, which from |z| = 10 on is exact to f64.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_FROM = 10
#: numbers whose gamma function is infinite, by their bytes
_OVERFLOWN = {4: 40.0, 8: 200.0}


def _stirling(x: Any) -> Any:
    """log gamma(x) - (x - 1/2) log x + x - log(2 pi) / 2."""
    inverse = 1 / x
    return inverse * series_of(inverse * inverse, _STIRLING)


@custom_jvp
def _gamma(x: Any) -> Any:
    """Not the exponential of its logarithm, which would lose digits as that grows."""
    reflected = x < 0.5
    found = _gamma_right(jnp.where(reflected, 1 - x, x))
    # sin(pi x) of what is left of x beside the nearest whole number, which is exact
    nearest = jnp.round(x)
    sine = jnp.sin(math.pi * (x - nearest)) * jnp.where(nearest % 2 == 0, 1.0, -1.0)
    mirrored = math.pi / jnp.where(reflected, sine, 1) / found
    pole = (x < 0) & (x == nearest)
    found = jnp.where(x == 0, 1 / x, jnp.where(reflected, mirrored, found))
    return jnp.where(pole, jnp.nan, jnp.where(x == nearest, jnp.round(found), found))


@_gamma.defjvp
def _gamma_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d gamma(x) = gamma(x) digamma(x) dx."""
    (x,) = primals
    y = _gamma(x)
    return y, tangents[0] * (y * digamma(x))


def _gamma_right(x: Any) -> Any:
    """For x >= 1/2: e^-y y^(y - 1/2) sqrt(2 pi) e^(1 / (12 y) - ...), of y = x + `_FROM` below that."""
    small = x < _FROM
    near = jnp.where(small, x, 1)
    product = functools.reduce(lambda total, k: total * (near + k), range(1, _FROM), near)
    y = jnp.minimum(jnp.where(small, x + _FROM, x), _OVERFLOWN[x.dtype.itemsize])
    # what the sum has lost moves gamma(y) by log y
    lost = jnp.where(small, x - (y - _FROM), 0)
    # in two factors, each in the range
    root = y ** (0.5 * y - 0.25)
    found = math.sqrt(2 * math.pi) * root * (jnp.exp(-y) * root) * jnp.exp(_stirling(y))
    return jnp.where(small, found * (1 + lost * jnp.log(y)) / product, found)


def _loggamma(z: Any) -> Any:
    """Of complex numbers; NaN at the poles."""
    x, y = jnp.real(z), jnp.imag(z)
    reflected = x < 0.5
    found = _loggamma_right(jnp.where(reflected, 1 - z, z))
    # in the upper half plane log sin(pi z) = -i pi z + i pi / 2 - log 2 + log(1 - exp(2 pi i z)), continuous; below conjugate
    lower = jnp.signbit(y)
    up = lax.complex(x, jnp.abs(y))
    turn = lax.complex(jnp.zeros_like(x), jnp.full_like(x, math.pi))
    rest = jnp.log(-jnp.expm1(2 * turn * (up - jnp.round(x).astype(z.dtype))))
    sine = -turn * up + turn / 2 - math.log(2) + rest
    mirrored = math.log(math.pi) - jnp.where(lower, jnp.conj(sine), sine) - found
    found = jnp.where(reflected, mirrored, found)
    pole = (y == 0) & (x <= 0) & (x == jnp.round(x))
    return jnp.where(pole, complex(math.nan, math.nan), found)


def _loggamma_right(z: Any) -> Any:
    """Of a positive real part: Stirling's series, of small numbers behind a shift by `_FROM`."""
    small = jnp.abs(z) < _FROM
    logarithms = sum((jnp.log(jnp.where(small, z + k, 1)) for k in range(1, _FROM)), jnp.log(jnp.where(small, z, 1)))
    far = jnp.where(small, z + _FROM, z)
    return (far - 0.5) * jnp.log(far) - far + 0.5 * math.log(2 * math.pi) + _stirling(far) - logarithms


@library(operands=("n",), promotion="inexact")
def factorial(n: Any, exact: bool = False) -> Any:
    """gamma(n + 1), 0 for negative n.

    Args:
      n: floating numbers; integers become them.
      exact: False.

    Raises:
      NotImplementedError: exact=True, integers of any size.

    Example:
      >>> jax.scipy.special.factorial(jnp.array([-1, 0, 5]))
      Array([  0.      ,   1.      , 120.000015], dtype=float32)
    """
    if exact:
        raise NotImplementedError("factorial with exact=True")
    return jnp.where(n < 0, 0, gamma_of_real(n + 1))


#: Coefficients of log gamma(b) - log gamma(a + b) in powers of 1/b^2 (A. DiDonato and A. Morris, "Algorithm 708", ACM TOMS 18,
#: 1992, function ALGDIV), lowest first.
_GAMMA_RATIO = (
    0.833333333333333e-01,
    -0.277777777760991e-02,
    0.793650666825390e-03,
    -0.595202931351870e-03,
    0.837308034031215e-03,
    -0.165322962780713e-02,
)


def _log_gamma_ratio(a: Any, b: Any) -> Any:
    """log(gamma(b) / gamma(a + b)) for a <= b, b >= 8."""
    h = a / b
    x = 1 / (1 + h)
    square = x * x
    # sums (1 - x^n) / (1 - x) for n = 1, 3, 5 ...
    sums = [1.0]
    for _ in _GAMMA_RATIO[1:]:
        sums.append(1.0 + (x + square * sums[-1]))
    t = (1.0 / b) ** 2
    w = _GAMMA_RATIO[-1] * sums[-1]
    for c, s in list(zip(_GAMMA_RATIO, sums))[-2::-1]:
        w = w * t + c * s
    w = w * (h * x / b)
    u = (b + (a - 0.5)) * jnp.log1p(h)
    v = a * (jnp.log(b) - 1.0)
    return jnp.where(u <= v, (w - v) - u, (w - u) - v)


@library(operands=("a", "b"), promotion="inexact")
def betaln(a: Any, b: Any) -> Any:
    """The logarithm of the absolute value of the beta function, accurate for large arguments.

    Args:
      a, b: positive floating numbers; they broadcast.

    Example:
      >>> jax.scipy.special.betaln(1e-3, jnp.array([1.0, 1e8]))
      Array([6.9077554, 6.888758 ], dtype=float32)
    """
    a, b = jnp.minimum(a, b), jnp.maximum(a, b)
    plain = gammaln(a) + (gammaln(b) - gammaln(a + b))
    return jnp.where(b < 8, plain, gammaln(a) + _log_gamma_ratio(a, b))


@library(operands=("a", "b"), promotion="inexact")
def beta(a: Any, b: Any) -> Any:
    """The beta function gamma(a) gamma(b) / gamma(a + b).

    Args:
      a, b: floating numbers; they broadcast.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.beta(2.0, jnp.array([1.0, 3.0]))
      Array([0.5       , 0.08333334], dtype=float32)
    """
    refuse_complex("beta", a, b)
    sign = gammasgn(a) * gammasgn(b) * gammasgn(a + b)
    return sign * jnp.exp(betaln(a, b))


@library(operands=("a", "b", "x"), promotion="inexact")
def betainc(a: Any, b: Any, x: Any) -> Any:
    """The regularized incomplete beta function; its derivative is in x only.

    Args:
      a, b: positive floating numbers.
      x: from 0 to 1; all three broadcast.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.betainc(0.5, 0.5, jnp.array([0.0, 0.25, 1.0]))
      Array([0.        , 0.33333334, 1.        ], dtype=float32)
    """
    refuse_complex("betainc", a, b, x)
    return BIND.betainc(*jnp.broadcast_arrays(a, b, x))


@library(operands=("a", "x"), promotion="inexact")
def gammainc(a: Any, x: Any) -> Any:
    """The regularized lower incomplete gamma function.

    Args:
      a: positive floating numbers.
      x: not negative; both broadcast.

    Example:
      >>> jax.scipy.special.gammainc(2.0, jnp.array([0.0, 1.0, jnp.inf]))
      Array([0.        , 0.26424113, 1.        ], dtype=float32)
    """
    return BIND.igamma(*jnp.broadcast_arrays(a, x))


@library(operands=("a", "x"), promotion="inexact")
def gammaincc(a: Any, x: Any) -> Any:
    """1 - gammainc(a, x), accurate for large x.

    Args:
      a: positive floating numbers.
      x: not negative; both broadcast.

    Example:
      >>> jax.scipy.special.gammaincc(2.0, jnp.array([0.0, 1.0, 50.0]))
      Array([1.000000e+00, 7.357589e-01, 9.836624e-21], dtype=float32)
    """
    return BIND.igammac(*jnp.broadcast_arrays(a, x))


@library(operands=("a",), promotion="inexact")
def multigammaln(a: Any, d: Any) -> Any:
    """The logarithm of the multivariate gamma function of dimension d, a known integer.

    Args:
      a: floating numbers above (d - 1) / 2.
      d: the dimension.

    Raises:
      ConcretizationTypeError: d is traced.

    Example:
      >>> jax.scipy.special.multigammaln(jnp.array([2.0, 5.0]), 3)
      Array([1.5963126, 9.140644 ], dtype=float32)
    """
    count = known_integer(d, "d argument of multigammaln")
    size = scalar(count, a.dtype)
    constant = (0.25 * size) * (size - 1) * jnp.log(scalar(math.pi, a.dtype))
    steps = jnp.expand_dims(jnp.arange(count, dtype=a.dtype) / 2, tuple(range(a.ndim)))
    return jnp.sum(gammaln(a[..., None] - steps), axis=-1) + constant


@library(operands=("z", "m"))
def poch(z: Any, m: Any) -> Any:
    """The Pochhammer symbol gamma(z + m) / gamma(z), 1 at m = 0.

    Args:
      z, m: floating numbers; they broadcast.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jax.scipy.special.poch(jnp.array([2.0, 0.5]), 3)
      Array([24.       ,  1.8750001], dtype=float32)
    """
    values = promote_dtypes(array_arguments("poch", z, m), "inexact")
    refuse_complex("poch", *values)
    return _poch(*jnp.broadcast_arrays(*values))


@custom_jvp
def _poch(z: Any, m: Any) -> Any:
    return jnp.where(m == 0.0, jnp.array(1, dtype=z.dtype), gamma(z + m) / gamma(z))


@_poch.defjvp
def _poch_jvp(primals: tuple, tangents: tuple) -> tuple:
    """By the digamma function: that of gamma(z + m), and less that of gamma(z) for z."""
    z, m = primals
    y = _poch(z, m)
    upper = digamma(z + m)
    return y, (upper - digamma(z)) * y * tangents[0] + upper * y * tangents[1]
