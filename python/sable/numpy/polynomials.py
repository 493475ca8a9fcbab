"""Polynomials as vectors of their coefficients, that of the highest power first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import finfo, to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    expand_to,
    filled,
    known_integer,
    known_values,
    promote_dtypes,
    reshape_to,
    scalar,
)
from sable.core.values import retype
from sable.lax.control_flow import scan
from sable.lax.convolution import conv_general_dilated
from sable.library.declare import library

from .arrays import asarray
from .creation import arange
from .creation import full as full_array
from .insertion import trim_zeros
from .joining import concatenate, stack
from .linear_systems import inv
from .manipulation import atleast_1d
from .matrices import eye, vander
from .ordering import argsort
from .products import dot, outer
from .rearrangement import flip, roll, slice_axis
from .reductions import all as all_of
from .reductions import argmin
from .reductions import sum as sum_of
from .spectral import eigvals, lstsq
from .ufuncs_float import sqrt
from .ufuncs_logic import where

# ---- sums and products ---------------------------------------------------------------------------------------------


def _padded(x: Value, low: int, high: int) -> Value:
    """x with zeros in front of its rows and behind them."""
    rest = (0,) * (x.aval.ndim - 1)
    zero = scalar(0, x.aval.dtype, x.aval.weak_type)
    low_edge, high_edge = (low, *rest), (high, *rest)
    return BIND.pad(x, zero, edge_padding_low=low_edge, edge_padding_high=high_edge, interior_padding=(0, *rest))


@library
def polyadd(a1: Any, a2: Any) -> Value:
    """The sum of two polynomials.

    Args:
      a1, a2: vectors of coefficients.

    Returns:
      A vector as long as the longer one, in the dtype in which they meet.

    Raises:
      TypeError: an argument is no array. IndexError: a scalar.

    Example:
      >>> jnp.polyadd(jnp.array([1, 2, 3]), jnp.array([10]))  # x**2 + 2 x + 3 and 10
      Array([ 1,  2, 13], dtype=int32)
    """
    values = promote_dtypes(array_arguments("polyadd", a1, a2))
    lengths = [x.aval.shape[0] for x in values]
    x, y = (_padded(x, max(lengths) - n, 0) if n < max(lengths) else x for x, n in zip(values, lengths))
    return x + y


@library
def polysub(a1: Any, a2: Any) -> Value:
    """The difference of two polynomials; arguments as of `polyadd`.

    Example:
      >>> jnp.polysub(jnp.array([1, 2, 3]), jnp.array([10]))
      Array([ 1,  2, -7], dtype=int32)
    """
    x, y = promote_dtypes(array_arguments("polysub", a1, a2))
    return polyadd(x, -y)


def _trimmed(values: list[Value], trim: bool) -> list[Value]:
    """Polynomials without leading zeros if asked for; an empty one is the constant 0."""
    if trim and any(x.aval.shape[0] > 1 for x in values):
        values = [trim_zeros(x, "f") for x in values]
    return [x if x.aval.shape[0] else filled((1,), x.aval.dtype, 0) for x in values]


@library
def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Value:
    """The product of two polynomials.

    Args:
      a1, a2: vectors of coefficients.
      trim_leading_zeros: leave out leading zeros first, for which the values must be known.

    Returns:
      A vector of floats or complex numbers, of length len(a1) + len(a2) - 1.

    Raises:
      TypeError: an argument is no array. ValueError: one is no vector.
      ConcretizationTypeError: traced arguments whose zeros are to be left out.

    Example:
      >>> jnp.polymul(jnp.array([1, 1]), jnp.array([1, -1]))  # (x + 1) (x - 1)
      Array([ 1.,  0., -1.], dtype=float32)
    """
    values = promote_dtypes(array_arguments("polymul", a1, a2), "inexact")
    x, y = _trimmed(values, trim_leading_zeros)
    if x.aval.ndim != 1 or y.aval.ndim != 1:
        raise ValueError(f"polymul only supports 1-dimensional inputs, got shapes {x.aval.shape} and {y.aval.shape}")
    if x.aval.size < y.aval.size:
        x, y = y, x
    around = y.aval.size - 1
    made = conv_general_dilated(x[None, None], flip(y)[None, None], (1,), [(around, around)])
    return made[0, 0]


@library
def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Value, Value]:
    """The quotient of two polynomials and the remainder.

    Args:
      u, v: vectors of coefficients; the first one of v is not 0.
      trim_leading_zeros: leave out the remainder's leading coefficients that are nearly 0, for which the values must be
        known.

    Returns:
      The quotient, of length max(len(u) - len(v) + 1, 1), and the remainder, as long as u unless zeros are left out.

    Raises:
      TypeError: an argument is no array. ValueError: one is no vector.
      ConcretizationTypeError: traced arguments whose zeros are to be left out.

    Example:
      >>> jnp.polydiv(jnp.array([1.0, 0.0, 1.0]), jnp.array([1.0, 1.0]))  # x**2 + 1 = (x - 1) (x + 1) + 2
      (Array([ 1., -1.], dtype=float32), Array([0., 0., 2.], dtype=float32))
    """
    rest, divisor = promote_dtypes(array_arguments("polydiv", u, v), "inexact")
    if rest.ndim != 1 or divisor.ndim != 1:
        raise ValueError(f"polydiv only supports 1-dimensional inputs, got shapes {rest.shape} and {divisor.shape}")
    steps = len(rest) - len(divisor) + 1
    scale = 1.0 / divisor[0]
    quotient = []
    for k in range(steps):
        quotient.append(scale * rest[k])
        rest = rest - _padded(quotient[-1] * divisor, k, steps - 1 - k)
    found = stack(quotient) if quotient else filled((1,), rest.aval.dtype, 0)
    return retype(found, False), _without_small(rest) if trim_leading_zeros else rest


def _without_small(x: Value) -> Value:
    """x without the leading elements that are small for its dtype."""
    known = known_values(x, "trim_leading_zeros=True of jnp.polydiv looks at the values of the remainder")
    (large,) = np.nonzero(np.abs(known) >= math.sqrt(finfo(x.aval.dtype).eps))
    return slice_axis(x, 0, int(large[0]) if large.size else x.aval.size, x.aval.size)


@library
def poly(seq_of_zeros: Any) -> Value:
    """The coefficients of the polynomial with these roots, the first of which is 1.

    Args:
      seq_of_zeros: n roots, or a square matrix (n, n), whose eigenvalues they are.

    Returns:
      A vector of n + 1 floats or complex numbers; a scalar 1 if there are no roots.

    Raises:
      ValueError: neither a vector nor a square matrix.

    Example:
      >>> jnp.poly(jnp.array([1.0, 2.0]))  # (x - 1) (x - 2)
      Array([ 1., -3.,  2.], dtype=float32)
    """
    (x,) = promote_dtypes([array_argument("poly", seq_of_zeros)], "inexact")
    x = atleast_1d(x)
    shape = x.aval.shape
    if len(shape) == 2 and shape[0] == shape[1] and shape[0]:
        x = eigvals(x)
        shape = x.aval.shape
    if len(shape) != 1:
        raise ValueError("input must be 1d or non-empty square 2d array.")
    if not shape[0]:
        return filled((), x.aval.dtype, 1)
    made = filled((1,), x.aval.dtype, 1)
    for k in range(shape[0]):
        made = _padded(made, 0, 1) - x[k] * _padded(made, 1, 0)
    return retype(made, False)


# ---- values --------------------------------------------------------------------------------------------------------


@library
def polyval(p: Any, x: Any, *, unroll: int = 16) -> Value:
    """The values of a polynomial, by Horner's rule.

    Args:
      p: coefficients, along the first axis; further axes hold several polynomials.
      x: where; it broadcasts against the further axes of p.
      unroll: how many steps of a loop are written out.

    Returns:
      An array of the dtype in which p and x meet.

    Raises:
      TypeError: an argument is no array. ValueError: shapes do not broadcast.

    Example:
      >>> jnp.polyval(jnp.array([1, 0, 2]), jnp.array([0, 3]))  # x**2 + 2
      Array([ 2, 11], dtype=int32)
    """
    coefficients, at = promote_dtypes(array_arguments("polyval", p, x))
    a = coefficients.aval
    shape = broadcast_shape((a.shape[1:], at.aval.shape))
    at = expand_to(at, shape)
    value = filled(shape, a.dtype, 0)

    def step(y: Value, c: Value) -> Value:
        return retype(y * at + expand_to(c, shape), False)

    if a.shape[0] > unroll:
        return scan(lambda y, c: (step(y, c), None), value, coefficients, unroll=unroll)[0]
    for k in range(a.shape[0]):
        value = step(value, coefficients[k])
    return value


# ---- calculus ------------------------------------------------------------------------------------------------------


def _order(name: str, m: Any, what: str) -> int:
    m = known_integer(m, f"'m' argument of jnp.{name}")
    if m < 0:
        raise ValueError(f"Order of {what} must be positive, got {m}")
    return m


@library
def polyder(p: Any, m: int = 1) -> Value:
    """The coefficients of the m-th derivative of a polynomial, as floats or complex numbers.

    Raises:
      TypeError: p is no array. ValueError: m is negative.

    Args:
      p: coefficients, that of the highest power first.
      m: how often to derive.

    Example:
      >>> jnp.polyder(jnp.array([1, 2, 3]))
      Array([2., 2.], dtype=float32)
    """
    (x,) = promote_dtypes([array_argument("polyder", p)], "inexact")
    m = _order("polyder", m, "derivative")
    if m == 0:
        return x
    powers = range(len(x) - 1, m - 1, -1)  # of the terms that stay
    factors = constant(np.array([math.perm(q, m) for q in powers], x.aval.dtype))
    return x[:-m] * factors


@library
def polyint(p: Any, m: int = 1, k: Any = None) -> Value:
    """The coefficients of the m-th integral of a polynomial, as floats or complex numbers.

    Args:
      p: coefficients.
      m: how often to integrate.
      k: the constants of integration, that of the first integral first: m of them, or one for all; 0 by default.

    Raises:
      TypeError: an argument is no array. ValueError: m is negative, or another number of constants.

    Example:
      >>> jnp.polyint(jnp.array([2, 2]), k=5)
      Array([1., 2., 5.], dtype=float32)
    """
    m = known_integer(m, "'m' argument of jnp.polyint")
    x, constants = promote_dtypes(array_arguments("polyint", p, 0 if k is None else k), "inexact")
    _order("polyint", m, "integral")
    constants = atleast_1d(constants)
    if constants.aval.shape == (1,):
        constants = full_array((m,), constants[0])
    if constants.aval.shape != (m,):
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or m.")
    if m == 0:
        return x
    powers = range(len(x) + m - 1, -1, -1)
    factors = constant(np.array([math.perm(q, min(q, m)) for q in powers], x.aval.dtype))
    return concatenate([x, constants]) / factors


# ---- roots ---------------------------------------------------------------------------------------------------------


@library
def roots(p: Any, *, strip_zeros: bool = True) -> Value:
    """The roots of a polynomial: the eigenvalues of its companion matrix.

    Args:
      p: coefficients (n + 1,), that of the highest power first.
      strip_zeros: leave leading zeros out, which looks at the values; otherwise there are n roots in any case, of which as
        many as there are leading zeros are NaN.

    Returns:
      A complex vector of n elements, less those left out.

    Raises:
      ValueError: no vector. ConcretizationTypeError: `strip_zeros` of values that are not known.

    Example:
      >>> jnp.sort(jnp.round(jnp.roots(jnp.array([1.0, -3.0, 2.0])), 3))
      Array([1.+0.j, 2.+0.j], dtype=complex64)
    """
    (x,) = promote_dtypes([array_argument("roots", p)], "inexact")
    x = atleast_1d(x)
    if x.ndim != 1:
        raise ValueError("Input must be a rank-1 array.")
    n = x.size
    if n < 2:
        return filled((0,), np.result_type(x.dtype, np.complex64), 0)
    if strip_zeros:
        known = known_values(x, "strip_zeros=True of jnp.roots looks at the coefficients; strip_zeros=False does not")
        first = next((i for i, value in enumerate(known) if value != 0), n)
        return _roots(slice_axis(x, 0, first, n))
    zeros = where(all_of(x == 0), n, argmin(x == 0))
    found = _roots(roll(where(zeros == n, 1.0, x), -zeros))
    found = found[argsort(found == 0)]
    return where(arange(n - 1) < n - 1 - zeros, found, complex(np.nan, np.nan))


def _roots(p: Value) -> Value:
    n = p.size - 1
    if n < 1:
        return filled((0,), np.result_type(p.dtype, np.complex64), 0)
    return eigvals(concatenate([reshape_to(p[1:] / -p[0], (1, n)), eye(n - 1, n, dtype=p.dtype)]))


# ---- fits ----------------------------------------------------------------------------------------------------------


@library
def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: bool | str = False
) -> Any:
    """The polynomial that fits points best, by least squares.

    Args:
      x: m abscissas.
      y: ordinates, (m,), or (m, k) of k polynomials.
      deg: the degree.
      rcond: singular values below this part of the largest count as zero, by default m times the dtype's epsilon.
      full: give the residuals, rank, singular values and `rcond`, too.
      w: (m,) weights of the residuals, not of their squares.
      cov: give the covariances of the coefficients, too: scaled by the residuals, or "unscaled".

    Returns:
      Coefficients (deg + 1,) or (deg + 1, k), that of the highest power first; with `full` (coefficients, residuals, rank,
      singular values, rcond), with `cov` (coefficients, covariances (deg + 1, deg + 1) or (deg + 1, deg + 1, k)).

    Raises:
      ValueError: a negative degree; with `cov`, no more points than coefficients.
      TypeError: arguments of other shapes.

    Example:
      >>> x = jnp.array([0.0, 1.0, 2.0, 3.0])
      >>> jnp.round(jnp.polyfit(x, 2 * x + 1, 1), 3)
      Array([2., 1.], dtype=float32)
    """
    weights = () if w is None else (w,)
    places, heights, *weights = array_arguments("polyfit", x, y, *weights)
    deg = known_integer(deg, "deg must be int")
    if deg < 0:
        raise ValueError("expected deg >= 0")
    if places.ndim != 1 or places.size == 0:
        raise TypeError("expected a vector for x that is not empty")
    if heights.ndim not in (1, 2):
        raise TypeError("expected 1D or 2D array for y")
    count, order = places.shape[0], deg + 1
    if heights.shape[0] != count:
        raise TypeError("expected x and y to have same length")
    if rcond is None:
        rcond = count * float(finfo(to_inexact_dtype(places.aval.dtype)).eps)
    matrix, sides = vander(places, order), heights
    if weights:
        (factors,) = promote_dtypes(weights, "inexact")
        if factors.ndim != 1 or factors.shape[0] != count:
            raise TypeError("expected a 1-d array for weights, as long as y")
        matrix, sides = matrix * factors[:, None], sides * (factors[:, None] if sides.ndim == 2 else factors)
    scale = sqrt(sum_of(matrix * matrix, axis=0))
    matrix = matrix / scale[None]
    found, residuals, rank, s = lstsq(matrix, sides, rcond)
    found = found / (scale[:, None] if found.ndim == 2 else scale)
    if full:
        return found, residuals, rank, s, asarray(rcond)
    if not cov:
        return found
    base = inv(dot(matrix.T, matrix)) / outer(scale, scale)
    if cov != "unscaled":
        if count <= order:
            raise ValueError("the number of data points must exceed order to scale the covariance matrix")
        residuals = residuals / (count - order)
    else:
        residuals = asarray(1.0)
    residuals = atleast_1d(residuals)
    return found, base * residuals[None] if heights.ndim == 1 else base[:, :, None] * residuals[None, None]
