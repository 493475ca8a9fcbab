"""Elements in another order, and more than once: `flip`, `roll`, `tile`, `repeat` ..."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.concretization import concretization_error
from sable.core.operands import (
    INT32,
    array_argument,
    convert,
    expand_to,
    filled,
    full_like,
    normal_axes,
    normal_axis,
    reshape_to,
    shape_argument,
    wrapped,
)
from sable.core.trace import Tracer
from sable.library.declare import library

from .indexing.selection import take
from .indexing.update import write
from .manipulation import axis_tuple, swapaxes

# ---- order of elements ---------------------------------------------------------------------------


@library(moves=("m",))
def flip(m: Any, axis: Any = None) -> Value:
    """The elements in reverse order along axes (None: all).

    Args:
      m: array.
      axis: an axis or several.

    Example:
      >>> jnp.flip(jnp.array([[1, 2], [3, 4]])), jnp.flip(jnp.array([1, 2, 3]), axis=0)
      (Array([[4, 3],
             [2, 1]], dtype=int32), Array([3, 2, 1], dtype=int32))
    """
    x = array_argument("flip", m)
    axes = normal_axes(axis, x.aval.ndim)
    return BIND.reverse(x, dimensions=axes) if axes else x


@library
def fliplr(m: Any) -> Value:
    """The elements in reverse order along the second axis.

    Args:
      m: array with two dimensions or more.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.fliplr(jnp.array([[1, 2], [3, 4]]))
      Array([[2, 1],
             [4, 3]], dtype=int32)
    """
    return flip(m, 1)


@library
def flipud(m: Any) -> Value:
    """The elements in reverse order along the first axis.

    Args:
      m: array with one dimension or more.

    Raises:
      ValueError: a scalar.

    Example:
      >>> jnp.flipud(jnp.array([[1, 2], [3, 4]]))
      Array([[3, 4],
             [1, 2]], dtype=int32)
    """
    return flip(m, 0)


@library(moves=("m",))
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Value:
    """The plane of two axes turned by k quarters, from the first towards the second.

    Args:
      m: array with two dimensions or more.
      k: number of quarters; negative ones turn back.
      axes: the two axes.

    Raises:
      ValueError: the axes are the same.

    Example:
      >>> jnp.rot90(jnp.array([[1, 2], [3, 4]]))  # counterclockwise
      Array([[2, 4],
             [1, 3]], dtype=int32)
    """
    x = array_argument("rot90", m)
    if x.aval.ndim < 2:
        raise ValueError(
            "rot90 requires its first argument to have ndim at least two, but got first argument of shape "
            f"{x.aval.shape}, which has ndim {x.aval.ndim}"
        )
    first, second = (normal_axis(i, x.aval.ndim) for i in axes)
    if first == second:
        raise ValueError("Axes must be different")
    k %= 4
    if k == 0:
        return x
    if k == 2:
        return flip(x, (first, second))
    if k == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second)


def slice_axis(x: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
    """x[start:stop:step] along an axis, with bounds that lie inside."""
    shape = x.aval.shape
    if start == 0 and stop == shape[axis] and step == 1:
        return x
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis], limits[axis], strides[axis] = start, max(start, stop), step
    return BIND.slice(x, start_indices=tuple(starts), limit_indices=tuple(limits), strides=tuple(strides))


@library(moves=("a",))
def roll(a: Any, shift: Any, axis: Any = None) -> Value:
    """The elements moved along axes; what leaves at the end comes in at the start.

    Args:
      a: array.
      shift: by how much: an int or one for each axis; it may be traced.
      axis: None: along the array as a vector.

    Example:
      >>> jnp.roll(jnp.array([1, 2, 3]), 1), jnp.roll(jnp.array([[1, 2], [3, 4]]), 1, axis=1)
      (Array([3, 1, 2], dtype=int32), Array([[2, 1],
             [4, 3]], dtype=int32))
    """
    x = array_argument("roll", a)
    if axis is None:
        return reshape_to(roll(reshape_to(x, (x.aval.size,)), shift, 0), x.aval.shape)
    axes = [normal_axis(i, x.aval.ndim) for i in axis_tuple(axis)]
    shifts = _shifts(shift, len(axes))
    if len(axes) == 1:
        axes = axes * len(shifts)
    if len(shifts) != len(axes):
        raise ValueError(f"roll takes as many shifts as axes, or one of either, got shift={shift} and axis={axis}")
    for s, i in zip(shifts, axes):
        x = _roll_axis(x, s, i)
    return x


def _shifts(shift: Any, n: int) -> list:
    if isinstance(shift, (tuple, list)):
        found = list(shift)
    elif isinstance(shift, (Value, np.ndarray)) and shift.ndim == 1:
        found = [shift[i] for i in range(shift.shape[0])]
    else:
        found = [shift]
    return found * n if len(found) == 1 else found


def _roll_axis(x: Value, shift: Any, axis: int) -> Value:
    n = x.aval.shape[axis]
    if n == 0:
        return x
    if isinstance(shift, (int, np.integer)):
        cut = -int(shift) % n
        if cut == 0:
            return x
        parts = slice_axis(x, axis, cut, n), slice_axis(x, axis, 0, cut)
        return BIND.concatenate(*parts, dimension=axis)
    # twice the array, and a window that starts at the shift
    start = wrapped(BIND.negate(array_argument("roll", shift, 1)), n)
    double = BIND.concatenate(x, x, dimension=axis)
    zero = full_like(start, 0)
    starts = [start if i == axis else zero for i in range(x.aval.ndim)]
    return BIND.dynamic_slice(double, *starts, slice_sizes=x.aval.shape)


# ---- repetition ----------------------------------------------------------------------------------


@library(moves=("A",))
def tile(A: Any, reps: Any) -> Value:
    """The array repeated as a whole along each axis.

    Args:
      A: array.
      reps: repetitions along each axis; an int, or a sequence that may be longer than there are axes.

    Example:
      >>> jnp.tile(jnp.array([1, 2]), 2), jnp.repeat(jnp.array([1, 2]), 2)
      (Array([1, 2, 1, 2], dtype=int32), Array([1, 1, 2, 2], dtype=int32))
      >>> jnp.tile(jnp.array([1, 2]), (2, 1))
      Array([[1, 2],
             [1, 2]], dtype=int32)
    """
    x = array_argument("tile", A)
    counts = shape_argument(reps)
    n = max(len(counts), x.aval.ndim)
    counts = (1,) * (n - len(counts)) + counts
    shape = (1,) * (n - x.aval.ndim) + x.aval.shape
    mixed = tuple(size for pair in zip(counts, shape) for size in pair)
    whole = BIND.broadcast_in_dim(reshape_to(x, shape), shape=mixed, broadcast_dimensions=tuple(range(1, 2 * n, 2)))
    return reshape_to(whole, tuple(c * s for c, s in zip(counts, shape)))


@library(moves=("a",))
def repeat(
    a: Any,
    repeats: Any,
    axis: Any = None,
    *,
    total_repeat_length: int | None = None,
    out_sharding: Any = None,
) -> Value:
    """Each element (or row along an axis) repeated.

    Args:
      a: array.
      repeats: how often: an int, or one for each element, known while tracing.
      axis: None: the array as a vector.
      total_repeat_length: length of the result, which is cut or filled up with the last element.

    Raises:
      TypeError: a number of repetitions, or the length, that is negative or no integer.
      ValueError: numbers of elements and of repetitions differ; one of several numbers is negative.

    Example:
      >>> jnp.repeat(jnp.array([[1, 2], [3, 4]]), 2, axis=1)
      Array([[1, 1, 2, 2],
             [3, 3, 4, 4]], dtype=int32)
      >>> repeat = jax.jit(lambda n: jnp.repeat(jnp.arange(3), n, total_repeat_length=4))
      >>> repeat(jnp.array([2, 0, 1]))  # traced numbers: the length must be given
      Array([0, 0, 2, 2], dtype=int32)
    """
    x = array_argument("repeat", a)
    if axis is None:
        x, axis = reshape_to(x, (x.aval.size,)), 0
    axis = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[axis]
    if total_repeat_length is not None and total_repeat_length < 0:
        raise TypeError(f"repeat takes no negative total_repeat_length, got {total_repeat_length}")
    if type(repeats) is Tracer:
        return take(x, _traced_rows(repeats, n, total_repeat_length), axis=axis)
    counts = np.asarray(repeats)
    if isinstance(repeats, (list, tuple, str)) or counts.dtype.kind not in "iub":
        raise TypeError(f"repeat takes repeats that are an integer or an array of integers, got {repeats!r}")
    if counts.ndim > 1:
        raise ValueError(f"repeats must be a scalar or a vector, got shape {counts.shape}")
    if total_repeat_length is None and counts.size == 1:
        return _repeat_each(x, int(counts.reshape(())), axis)
    if counts.size not in (1, n):
        raise ValueError(f"repeats has {counts.size} entries for an axis of size {n}")
    rows = np.repeat(np.arange(n), np.broadcast_to(counts.reshape(-1), (n,)))
    if total_repeat_length is not None:
        rows = np.concatenate([rows, np.full(max(0, total_repeat_length - len(rows)), n - 1)])[:total_repeat_length]
    return take(x, rows.astype(np.int32), axis=axis)


def _traced_rows(counts: Tracer, n: int, length: int | None) -> Value:
    """The number of the row that stands at each place of the result."""
    if length is None:
        raise concretization_error(
            counts,
            "When jit-compiling jnp.repeat, the total number of repeats must be static. To fix this, either specify a "
            "static value for `repeats`, or pass a static value to `total_repeat_length`.",
        )
    if counts.aval.ndim > 1 or counts.aval.size not in (1, n):
        raise ValueError(f"repeats must be a scalar or have one entry for each of {n} rows, got {counts.aval.short()}")
    each = expand_to(reshape_to(convert(counts, INT32), (counts.aval.size,)), (n,))
    starts = BIND.subtract(BIND.cumsum(each, axis=0, reverse=False), each)
    begun = write("scatter_add", filled((length,), INT32, 0), starts, 1)
    rows = BIND.subtract(BIND.cumsum(begun, axis=0, reverse=False), filled((length,), INT32, 1))
    return rows


def _repeat_each(x: Value, times: int, axis: int) -> Value:
    if times < 0:
        raise TypeError(f"repeats may not be negative, got {times}")
    shape = x.aval.shape
    whole = (*shape[: axis + 1], times, *shape[axis + 1 :])
    kept = tuple(i for i in range(len(whole)) if i != axis + 1)
    return reshape_to(
        BIND.broadcast_in_dim(x, shape=whole, broadcast_dimensions=kept),
        (*shape[:axis], shape[axis] * times, *shape[axis + 1 :]),
    )


@library(moves=("a",))
def resize(a: Any, new_shape: Any) -> Value:
    """The elements, repeated as often as needed, in another shape of any size.

    Args:
      a: array.
      new_shape: an int or a sequence of ints.

    Raises:
      TypeError: a negative size.

    Example:
      >>> jnp.resize(jnp.array([1, 2, 3]), (2, 2)), jnp.resize(jnp.array([1, 2]), 5)
      (Array([[1, 2],
             [3, 1]], dtype=int32), Array([1, 2, 1, 2, 1], dtype=int32))
    """
    x = array_argument("resize", a)
    shape = shape_argument(new_shape)
    wanted = math.prod(shape)
    flat = reshape_to(x, (x.aval.size,))
    if x.aval.size == 0:
        return filled(shape, x.aval.dtype, 0, x.aval.weak_type)
    flat = tile(flat, -(-wanted // x.aval.size))
    return reshape_to(slice_axis(flat, 0, 0, wanted), shape)
