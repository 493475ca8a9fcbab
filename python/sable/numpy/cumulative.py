"""Running sums and products, differences, integrals."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import default_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    convert,
    dtype_argument,
    expand_to,
    filled,
    kind,
    normal_axis,
    promote_dtypes,
    reshape_to,
)
from sable.core.values import retype
from sable.library.declare import library

from .joining import concatenate
from .manipulation import ravel
from .rearrangement import slice_axis
from .reductions import accumulator, no_out, reduced_axes, sum


def _running(name: str, mnemonic: str, a: Any, axis: Any, dtype: Any, out: Any) -> Value:
    no_out(name, out)
    x = array_argument(name, a)
    if axis is None or x.aval.ndim == 0:
        x, axis = reshape_to(x, (x.aval.size,)), 0
    axis = normal_axis(axis, x.aval.ndim)
    wanted = dtype_argument(dtype, name)
    if wanted is None and kind(x) == "b":
        wanted = default_dtype("i")
    x = convert(x, x.aval.dtype if wanted is None else wanted)
    if kind(x) == "b":  # asked for by dtype=bool: or, and
        counted = convert(x, np.dtype(np.int32))
        return convert(bind(OPS[mnemonic], counted, axis=axis, reverse=False), x.aval.dtype)
    return retype(bind(OPS[mnemonic], x, axis=axis, reverse=False), False)


@library
def cumsum(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Value:
    """Running sum along an axis.

    Args:
      a: array.
      axis: None: of the array as a vector.
      dtype: dtype in which the sum is taken; None: the array's, int32 of booleans.

    Example:
      >>> jnp.cumsum(jnp.array([[1, 2], [3, 4]])), jnp.cumsum(jnp.array([[1, 2], [3, 4]]), axis=0)[1]
      (Array([ 1,  3,  6, 10], dtype=int32), Array([4, 6], dtype=int32))
    """
    return _running("cumsum", "cumsum", a, axis, dtype, out)


@library
def cumprod(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Value:
    """Running product along an axis; arguments as of `cumsum`.

    Example:
      >>> jnp.cumprod(jnp.array([1, 2, 3, 4]))
      Array([ 1,  2,  6, 24], dtype=int32)
    """
    return _running("cumprod", "cumprod", a, axis, dtype, out)


def _standard(name: str, neutral: int, x: Any, axis: Any, dtype: Any, include_initial: bool) -> Value:
    value = array_argument(name, x)
    if axis is None:
        if value.aval.ndim > 1:
            raise ValueError(
                f"The input array has rank {value.aval.ndim}, however axis was not set to an explicit value. "
                "The axis argument is only optional for one-dimensional arrays."
            )
        axis = 0
    if value.aval.ndim == 0:
        raise ValueError("The input must be non-scalar to take a cumulative sum or product.")
    axis = normal_axis(axis, value.aval.ndim)
    wanted = dtype_argument(dtype, name)
    if name == "cumulative_sum":
        wanted = accumulator(value, wanted)
    made = _running(name, name.replace("ulative_", ""), value, axis, wanted, None)
    if not include_initial:
        return made
    shape = (*value.aval.shape[:axis], 1, *value.aval.shape[axis + 1 :])
    return BIND.concatenate(filled(shape, made.aval.dtype, neutral), made, dimension=axis)


@library
def cumulative_sum(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Value:
    """Running sum along an axis, in at least the default width of integers; with a leading 0 if asked for.

    Raises:
      ValueError: no axis for an array of several dimensions; a scalar.

    Args:
      x: array.
      axis: may be left out for vectors only.
      dtype: dtype in which the sum is taken.
      include_initial: put a 0 in front.

    Example:
      >>> jnp.cumulative_sum(jnp.array([1, 2, 3]), include_initial=True)
      Array([0, 1, 3, 6], dtype=int32)
    """
    return _standard("cumulative_sum", 0, x, axis, dtype, include_initial)


@library
def cumulative_prod(x: Any, /, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> Value:
    """Running product along an axis, in the dtype of the array (booleans: int32); with a leading 1 if asked for.

    Args:
      x: array.
      axis: may be left out for vectors only.
      dtype: dtype in which the product is taken.
      include_initial: put a 1 in front.

    Raises:
      ValueError: no axis for an array of several dimensions; a scalar.

    Example:
      >>> jnp.cumulative_prod(jnp.array([2, 3]), include_initial=True)
      Array([1, 2, 6], dtype=int32)
    """
    return _standard("cumulative_prod", 1, x, axis, dtype, include_initial)


# ---- differences -----------------------------------------------------------------------------------


def _end(x: Value, value: Any, axis: int) -> Value:
    found = array_argument("diff", value)
    if found.aval.ndim == 0:
        found = expand_to(found, (*x.aval.shape[:axis], 1, *x.aval.shape[axis + 1 :]))
    return found


@library
def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Value:
    """Differences of neighbours along an axis, n times over.

    Args:
      a: array.
      n: how often.
      axis: the axis.
      prepend, append: values to put before and behind first: scalars or arrays.

    Raises:
      ValueError: a scalar; negative n.

    Example:
      >>> jnp.diff(jnp.array([1, 4, 9, 16])), jnp.diff(jnp.array([1, 4, 9, 16]), n=2)
      (Array([3, 5, 7], dtype=int32), Array([2, 2], dtype=int32))
      >>> jnp.diff(jnp.array([1, 4, 9]), prepend=0)
      Array([1, 3, 5], dtype=int32)
    """
    x = array_argument("diff", a)
    n = operator.index(n)
    if n == 0:
        return x
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    if x.aval.ndim == 0:
        raise ValueError(f"diff requires input that is at least one dimensional; got {a}")
    axis = normal_axis(axis, x.aval.ndim)
    parts = [None if prepend is None else _end(x, prepend, axis), x, None if append is None else _end(x, append, axis)]
    x = concatenate([p for p in parts if p is not None], axis)
    for _ in range(n):
        size = x.aval.shape[axis]
        later, sooner = slice_axis(x, axis, min(1, size), size), slice_axis(x, axis, 0, max(0, size - 1))
        if kind(x) == "b":
            x = BIND.compare(later, sooner, comparison_direction="NE")
        else:
            x = BIND.subtract(later, sooner)
    return x


@library
def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Value:
    """Differences of neighbours of the array as a vector, with values put before and behind them.

    Args:
      ary: array.
      to_end, to_begin: scalars or arrays to put behind and before the differences.

    Example:
      >>> jnp.ediff1d(jnp.array([[1, 4], [9, 16]]), to_begin=0)
      Array([0, 3, 5, 7], dtype=int32)
    """
    values = diff(ravel(array_argument("ediff1d", ary)))
    parts = [values]
    for extra, before in ((to_begin, True), (to_end, False)):
        if extra is not None:
            part = convert(ravel(array_argument("ediff1d", extra)), values.aval.dtype)
            parts = [part, *parts] if before else [*parts, part]
    return concatenate(parts)


@library
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    """Integral along an axis by the trapezoidal rule.

    Args:
      y: values.
      x: where they were taken: in y's shape or a vector for the axis; None: `dx` apart.
      dx: distances of neighbouring points: a number, or an array that broadcasts with their values.

    Example:
      >>> jnp.trapezoid(jnp.array([1.0, 2.0, 3.0]), dx=0.5)
      Array(2., dtype=float32)
      >>> jnp.trapezoid(jnp.array([1.0, 2.0, 3.0]), x=jnp.array([0.0, 1.0, 3.0]))
      Array(6.5, dtype=float32)
    """
    if x is None:
        (values,) = promote_dtypes(array_arguments("trapezoid", y), "inexact")
        width = convert(array_argument("trapezoid", dx), values.aval.dtype)
    else:
        values, places = promote_dtypes(array_arguments("trapezoid", y, x), "inexact")
        width = diff(places) if places.aval.ndim == 1 else diff(places, axis=axis)
    place = normal_axis(axis, values.aval.ndim)
    behind = values.aval.ndim - 1 - place
    if x is not None and width.aval.ndim == 1:
        width = reshape_to(width, (*width.aval.shape, *(1,) * behind))
    n = values.aval.shape[place]
    pairs = BIND.add(slice_axis(values, place, min(1, n), n), slice_axis(values, place, 0, max(0, n - 1)))
    shape = broadcast_shape((pairs.aval.shape, width.aval.shape))
    each = BIND.multiply(expand_to(retype(width, False), shape), expand_to(retype(pairs, False), shape))
    total = sum(each, -1 - behind)
    return BIND.multiply(total, filled(total.aval.shape, total.aval.dtype, 0.5))


@library
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int | None = None) -> Any:
    """Derivatives along axes from values on an even grid: central differences, one-sided ones at the ends.

    Args:
      f: values.
      *varargs: distances: none (1), one for all axes, or one for each.
      axis: an axis or several; None: all.
      edge_order: must be None.

    Returns:
      An array for one axis, else a list of them.

    Raises:
      ValueError: less than two points along an axis. TypeError: a wrong number of distances.
      NotImplementedError: `edge_order`.

    Example:
      >>> jnp.gradient(jnp.array([1.0, 2.0, 4.0, 7.0])), jnp.gradient(jnp.array([1.0, 2.0, 4.0, 7.0]), 0.5)
      (Array([1. , 1.5, 2.5, 3. ], dtype=float32), Array([2., 3., 5., 6.], dtype=float32))
    """
    if edge_order is not None:
        raise NotImplementedError("The 'edge_order' argument to jnp.gradient is not supported.")
    x, *given = promote_dtypes(array_arguments("gradient", f, *varargs), "inexact")
    axes = reduced_axes(x, axis)
    if len(given) not in (0, 1, len(axes)):
        raise TypeError(f"Invalid number of spacing arguments {len(given)} for {axis=}")
    spacings = given * len(axes) if len(given) == 1 else given or [None] * len(axes)
    found = [_slope(x, i, h) for i, h in zip(axes, spacings)]
    return found[0] if len(found) == 1 else found


def _uneven_slopes(x: Value, axis: int, places: Value, at: Callable) -> list[Value]:
    """Slopes of the parabolas through neighbours, at the ends of lines, for given positions of the elements."""
    n = x.aval.shape[axis]
    if places.aval.shape != (n,):
        raise ValueError(f"positions must be a vector of {n} numbers, got shape {places.aval.shape}")
    step = BIND.subtract(slice_axis(places, 0, 1, n), slice_axis(places, 0, 0, n - 1))
    step = reshape_to(step, tuple(n - 1 if i == axis else 1 for i in range(x.aval.ndim)))
    rise = (at(1, n) - at(0, n - 1)) / step
    before, after = slice_axis(step, axis, 0, n - 2), slice_axis(step, axis, 1, n - 1)
    inner = slice_axis(rise, axis, 0, n - 2) * after + slice_axis(rise, axis, 1, n - 1) * before
    return [slice_axis(rise, axis, 0, 1), inner / (before + after), slice_axis(rise, axis, n - 2, n - 1)]


def _slope(x: Value, axis: int, spacing: Value | None) -> Value:
    n = x.aval.shape[axis]
    if n < 2:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, at least 2 elements are required."
        )

    def at(start: int, stop: int) -> Value:
        return slice_axis(x, axis, start, stop)

    if spacing is not None and spacing.aval.ndim > 0:
        return concatenate(_uneven_slopes(x, axis, spacing, at), axis)
    parts = [at(1, 2) - at(0, 1), (at(2, n) - at(0, n - 2)) * 0.5, at(n - 1, n) - at(n - 2, n - 1)]
    slopes = concatenate(parts, axis)
    return slopes if spacing is None else slopes / spacing
