"""Sequences: convolution, interpolation, phases."""

from __future__ import annotations

import math
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import finfo
from sable.core.operands import (
    array_argument,
    array_arguments,
    dtype_argument,
    full_like,
    kind,
    normal_axis,
    promote_dtypes,
    reshape_to,
    scalar_like,
)
from sable.lax.convolution import conv_general_dilated
from sable.library.declare import library

from .cumulative import cumsum, diff
from .indexing.selection import take
from .ordering import searchsorted
from .rearrangement import slice_axis
from .ufuncs import absolute, add, clip, divide, floor_divide, multiply, negative, remainder, subtract
from .ufuncs_float import conjugate
from .ufuncs_logic import equal, greater, less, less_equal, logical_and, where

# ---- convolution -----------------------------------------------------------------------------------------------------


def _slid(name: str, a: Any, v: Any, mode: str, precision: Any, preferred: Any) -> Value:
    """Sums of products of a vector with the other one laid over it at every place."""
    x, y = array_arguments(name, a, v)
    if x.aval.ndim != 1 or y.aval.ndim != 1:
        raise ValueError(f"{name}() only support 1-dimensional inputs.")
    x, y = promote_dtypes([x, y], "inexact" if preferred is None else "same")
    if not x.aval.size or not y.aval.size:
        raise ValueError(f"{name}: inputs cannot be empty, got shapes {x.aval.shape} and {y.aval.shape}.")
    is_shorter = x.aval.size < y.aval.size
    if name == "correlate":
        y = conjugate(y)
    if is_shorter:
        x, y = y, x
    if name == "convolve":
        y = BIND.reverse(y, dimensions=(0,))
    n = y.aval.size
    paddings = {"valid": (0, 0), "same": (n // 2, n - n // 2 - 1), "full": (n - 1, n - 1)}
    if mode not in paddings:
        raise ValueError("mode must be one of ['full', 'same', 'valid']")
    lines = [reshape_to(line, (1, 1, line.aval.size)) for line in (x, y)]
    made = conv_general_dilated(
        *lines,
        (1,),
        [paddings[mode]],
        precision=precision,
        preferred_element_type=dtype_argument(preferred, name),
    )
    made = reshape_to(made, (made.aval.size,))
    return BIND.reverse(made, dimensions=(0,)) if is_shorter and name == "correlate" else made


@library
def convolve(a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None) -> Value:
    """The convolution of two vectors: the coefficients of the product of two polynomials.

    Args:
      a, v: vectors.
      mode: "full": all n + m - 1 sums; "same": as many of the middle as the longer vector has elements; "valid": those
        for which the shorter vector lies inside of the longer one.
      precision: see `lax.conv_general_dilated`.
      preferred_element_type: dtype of the result.

    Returns:
      A vector of floats or complex numbers; integers stay what they are where a dtype is preferred.

    Raises:
      ValueError: no vectors, empty ones, another mode.

    Example:
      >>> jnp.convolve(jnp.array([1, 2, 3]), jnp.array([1, 10]))
      Array([ 1., 12., 23., 30.], dtype=float32)
      >>> jnp.convolve(jnp.array([1, 2, 3]), jnp.array([1, 10]), mode="valid")
      Array([12., 23.], dtype=float32)
    """
    return _slid("convolve", a, v, mode, precision, preferred_element_type)


@library
def correlate(
    a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None
) -> Value:
    """The correlation of two vectors: products with the conjugates of `v`, summed; arguments as of `convolve`.

    Example:
      >>> jnp.correlate(jnp.array([1, 2, 3]), jnp.array([1, 10]))  # `convolve` turns the second vector around
      Array([21., 32.], dtype=float32)
    """
    return _slid("correlate", a, v, mode, precision, preferred_element_type)


# ---- interpolation ---------------------------------------------------------------------------------------------------


def _extrapolates(side: str, value: Any) -> bool:
    if isinstance(value, str) and value != "extrapolate":
        raise ValueError(f"the only valid string value of `{side}` is 'extrapolate', but got: {value!r}")
    return isinstance(value, str)


def _periodic(x: Value, xp: Value, fp: Value, period: Any) -> tuple[Value, Value, Value]:
    """All in one period, the points in ascending order and one more on each side."""
    length = array_argument("interp", period)
    if length.aval.ndim:
        raise ValueError(f"period must be a scalar; got {period}")
    length = absolute(length)
    x, xp = remainder(x, length), remainder(xp, length)
    xp, fp = bind(OPS["sort"], xp, fp, dimension=0, num_keys=1, is_stable=True)
    n = xp.aval.size
    before, behind = subtract(slice_axis(xp, 0, n - 1, n), length), add(slice_axis(xp, 0, 0, 1), length)
    xp = BIND.concatenate(*promote_dtypes([before, xp, behind]), dimension=0)
    return x, xp, BIND.concatenate(slice_axis(fp, 0, n - 1, n), fp, slice_axis(fp, 0, 0, 1), dimension=0)


@library
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Value:
    """Linear interpolation between points.

    Args:
      x: where to interpolate: array.
      xp: the points' places, a vector in ascending order (in any order with a period).
      fp: the points' values, a vector.
      left, right: values before the first and behind the last point; None: those of these points; "extrapolate": on the
        line through the nearest two points.
      period: of a periodic function.

    Returns:
      Floats or complex numbers in the shape of `x`.

    Raises:
      ValueError: `xp` and `fp` are no vectors of one length; complex `x`; another text; a period that is no scalar.

    Example:
      >>> jnp.interp(jnp.array([0.5, 2.5, 9.0]), jnp.array([0.0, 1.0, 3.0]), jnp.array([0.0, 10.0, 30.0]))
      Array([ 5., 25., 30.], dtype=float32)
    """
    at, places, values = array_arguments("interp", x, xp, fp)
    if places.aval.shape != values.aval.shape or places.aval.ndim != 1:
        raise ValueError("xp and fp must be one-dimensional arrays of equal size")
    at, places = promote_dtypes([at, places], "inexact")
    (values,) = promote_dtypes([values], "inexact")
    beyond = _extrapolates("left", left), _extrapolates("right", right)
    if kind(at) == "c":
        raise ValueError("jnp.interp: complex x values not supported.")
    if period is not None:
        at, places, values = _periodic(at, places, values, period)
    n = places.aval.size
    number = clip(searchsorted(places, at, "right"), 1, n - 1)
    low = subtract(number, 1)
    (x0, x1), (y0, y1) = [[take(line, i, mode="clip") for i in (low, number)] for line in (places, values)]
    width = subtract(x1, x0)
    narrow = less_equal(absolute(width), scalar_like(width, float(finfo(width.aval.dtype).eps) ** 2))
    slope = multiply(divide(subtract(at, x0), where(narrow, full_like(width, 1), width)), subtract(y1, y0))
    found = where(narrow, y0, add(y0, slope))
    if period is not None:
        return found
    ends = [[reshape_to(slice_axis(line, 0, k, k + 1), ()) for k in (0, n - 1)] for line in (places, values)]
    (first, last), (first_value, last_value) = ends
    if not beyond[0]:
        found = where(less(at, first), first_value if left is None else left, found)
    if not beyond[1]:
        found = where(greater(at, last), last_value if right is None else right, found)
    return found


@library
def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Value:
    """Phases without jumps: multiples of the period are added so that neighbours differ by at most half of it.

    Args:
      p: array of real numbers.
      discont: the least difference that counts as a jump; None: half of the period.
      axis: the axis along which phases follow each other.
      period: of the phases.

    Raises:
      ValueError: complex numbers; no such axis.

    Example:
      >>> jnp.unwrap(jnp.array([170.0, 190.0, -150.0]), period=360)
      Array([170., 190., 210.], dtype=float32)
    """
    x, length = promote_dtypes(array_arguments("unwrap", p, period))
    if kind(x) == "c":
        raise ValueError("jnp.unwrap does not support complex inputs.")
    place = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[place]
    if not n:
        return x
    if discont is None:
        discont = divide(length, 2)
    half = floor_divide(length, 2) if kind(x) in "iu" else divide(length, 2)
    step = diff(x, axis=place)
    small = subtract(remainder(add(step, half), length), half)
    small = where(logical_and(equal(small, negative(half)), greater(step, 0)), half, small)
    correction = where(less(absolute(step), discont), 0, subtract(small, step))
    rest = add(slice_axis(x, place, 1, n), cumsum(correction, axis=place))
    return BIND.concatenate(*promote_dtypes([slice_axis(x, place, 0, 1), rest]), dimension=place)
