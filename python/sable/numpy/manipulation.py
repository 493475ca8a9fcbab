"""Shapes and axes: reshape, transpose, broadcast, flip, roll, repeat, tile ..."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.concretization import concretization_error
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    broadcast_shape,
    convert,
    expand_to,
    filled,
    full_like,
    known_integer,
    normal_axes,
    normal_axis,
    reshape_to,
    shape_argument,
    sizes_argument,
    wrapped,
)
from sable.core.trace import Tracer
from sable.library.declare import library

from .indexing.selection import take
from .indexing.update import write

# ---- reshape -------------------------------------------------------------------------------------


def _new_shape(x: Value, shape: Any) -> tuple[int, ...]:
    """The shape with -1 replaced.

    Raises:
      TypeError: sizes do not match, or more than one is -1.
    """
    sizes = (shape,) if not isinstance(shape, Sequence) else tuple(shape)
    if isinstance(shape, (Value, np.ndarray)) and shape.ndim == 1:
        sizes = tuple(shape.tolist())
    sizes = sizes_argument(sizes)
    total = x.aval.size
    unknown = [i for i, n in enumerate(sizes) if n == -1]
    if len(unknown) > 1:
        raise TypeError(f"reshape: only one size may be -1, got {sizes}")
    if unknown:
        rest = math.prod(n for n in sizes if n != -1)
        if rest == 0 and total == 0:
            raise ValueError(f"reshape: cannot tell the size behind -1 of an empty array of shape {x.aval.shape}")
        if rest == 0 or total % rest:
            raise TypeError(f"cannot reshape array of shape {x.aval.shape} (size {total}) into shape {sizes}")
        sizes = tuple(total // rest if n == -1 else n for n in sizes)
    if math.prod(sizes) != total or any(n < 0 for n in sizes):
        raise TypeError(f"cannot reshape array of shape {x.aval.shape} (size {total}) into shape {sizes}")
    return sizes


@library(moves=("a",))
def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None, out_sharding: Any = None) -> Value:
    """The elements in another shape.

    Args:
      a: array.
      shape: an int or a sequence of ints, of which one may be -1: as many as there are.
      order: "C" (the last axis fastest) or "F" (the first).

    Raises:
      TypeError: the sizes do not match. ValueError: another order.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.reshape(jnp.arange(4), (2, -1))
      Array([[0, 1],
             [2, 3]], dtype=int32)
    """
    x = array_argument("reshape", a)
    sizes = _new_shape(x, shape)
    if order == "C":
        return reshape_to(x, sizes)
    if order == "F":
        return _reversed_axes(reshape_to(_reversed_axes(x), sizes[::-1]))
    if order == "A":
        raise NotImplementedError("np.reshape order=A is not implemented.")
    raise ValueError(f"Unexpected value for 'order' argument: {order}.")


def _reversed_axes(x: Value) -> Value:
    return permuted(x, tuple(range(x.aval.ndim))[::-1])


@library(moves=("a",))
def ravel(a: Any, order: str = "C", *, out_sharding: Any = None) -> Value:
    """The elements as a vector; `order` as of `reshape`."""
    if order == "K":
        raise NotImplementedError("Ravel not implemented for order='K'.")
    x = array_argument("ravel", a)
    return reshape(x, (x.aval.size,), order)


@library(moves=("a",))
def squeeze(a: Any, axis: Any = None) -> Value:
    """The array without axes of size 1.

    Args:
      axis: which to take away; None: all.

    Raises:
      ValueError: an axis of another size.
    """
    x = array_argument("squeeze", a)
    shape = x.aval.shape
    axes = [i for i, n in enumerate(shape) if n == 1] if axis is None else normal_axes(axis, len(shape))
    if any(shape[i] != 1 for i in axes):
        raise ValueError(
            f"cannot select an axis to squeeze out which has size not equal to one, got {shape=} and dimensions={axes}"
        )
    return reshape_to(x, tuple(n for i, n in enumerate(shape) if i not in axes))


@library(moves=("a",))
def expand_dims(a: Any, axis: Any) -> Value:
    """The array with new axes of size 1, at the positions that they have in the result."""
    x = array_argument("expand_dims", a)
    places = axis if isinstance(axis, (tuple, list)) else (axis,)
    places = tuple(known_integer(p, "expected a static index or sequence of indices.") for p in places)
    axes = normal_axes(places, x.aval.ndim + len(places), "repeated axis in expand_dims")
    rest = iter(x.aval.shape)
    return reshape_to(x, tuple(1 if i in axes else next(rest) for i in range(x.aval.ndim + len(axes))))


def _at_least(name: str, arys: Sequence[Any], grow: Any) -> Any:
    found = [reshape_to(x, grow(x.aval.shape)) for x in array_arguments(name, *arys)]
    return found[0] if len(found) == 1 else found


@library(moves=("arys",))
def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis; a list of them for several arguments."""
    return _at_least("atleast_1d", arys, lambda s: s or (1,))


@library(moves=("arys",))
def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front; a list of them for several arguments."""
    return _at_least("atleast_2d", arys, lambda s: (1,) * (2 - len(s)) + s)


@library(moves=("arys",))
def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes, (1, n, 1) of vectors; a list of them for several arguments."""

    def grow(s: tuple[int, ...]) -> tuple[int, ...]:
        return {0: (1, 1, 1), 1: (1, *s, 1), 2: (*s, 1)}.get(len(s), s)

    return _at_least("atleast_3d", arys, grow)


# ---- transpose -----------------------------------------------------------------------------------


def permuted(x: Value, order: tuple[int, ...]) -> Value:
    """x with its axes in that order."""
    return x if order == tuple(range(len(order))) else BIND.transpose(x, permutation=order)


@library(moves=("a",))
def transpose(a: Any, axes: Any = None) -> Value:
    """The array with its axes in another order.

    Args:
      axes: for each axis of the result that of the array; None: reversed.

    Raises:
      TypeError: a wrong number of axes, or an axis twice. ValueError: one is out of bounds.
    """
    x = array_argument("transpose", a)
    n = x.aval.ndim
    if axes is None:
        return permuted(x, tuple(range(n))[::-1])
    order = tuple([normal_axis(i, n) for i in axes])
    if sorted(order) != list(range(n)):
        raise TypeError(f"transpose permutation isn't a permutation of operand dimensions, got {axes} for {n} axes.")
    return permuted(x, order)


@library
def permute_dims(a: Any, /, axes: Any) -> Value:
    """The array with its axes in the order `axes`."""
    return transpose(a, axes)


@library(moves=("x",))
def matrix_transpose(x: Any, /) -> Value:
    """The last two axes exchanged.

    Raises:
      ValueError: less than two dimensions.
    """
    value = array_argument("matrix_transpose", x)
    if value.aval.ndim < 2:
        raise ValueError(f"x must be at least two-dimensional for matrix_transpose; got ndim={value.aval.ndim}")
    return swapaxes(value, -1, -2)


@library(moves=("a",))
def swapaxes(a: Any, axis1: int, axis2: int) -> Value:
    """Two axes exchanged."""
    x = array_argument("swapaxes", a)
    order = list(range(x.aval.ndim))
    i, j = normal_axis(axis1, x.aval.ndim), normal_axis(axis2, x.aval.ndim)
    order[i], order[j] = order[j], order[i]
    return permuted(x, tuple(order))


@library(moves=("a",))
def moveaxis(a: Any, source: Any, destination: Any) -> Value:
    """Axes moved to other positions; the others keep their order.

    Raises:
      ValueError: numbers of axes differ, or one is out of bounds.
    """
    x = array_argument("moveaxis", a)
    n = x.aval.ndim
    sources = normal_axes(_axis_tuple(source), n)
    targets = normal_axes(_axis_tuple(destination), n)
    if len(sources) != len(targets):
        raise ValueError(f"Inconsistent number of elements: {len(sources)} in source vs {len(targets)} in destination")
    order = [i for i in range(n) if i not in sources]
    for target, origin in sorted(zip(targets, sources)):
        order.insert(target, origin)
    return permuted(x, tuple(order))


def _axis_tuple(axis: Any) -> tuple:
    return tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)


@library(moves=("a",))
def rollaxis(a: Any, axis: int, start: int = 0) -> Value:
    """An axis moved in front of axis `start`."""
    x = array_argument("rollaxis", a)
    n = x.aval.ndim
    i, place = normal_axis(axis, n), normal_axis(start, n + 1)
    return moveaxis(x, i, place - 1 if i < place else place)


# ---- broadcast -----------------------------------------------------------------------------------


@library(moves=("array",))
def broadcast_to(array: Any, shape: Any, *, out_sharding: Any = None) -> Value:
    """The array repeated to a shape.

    Raises:
      ValueError: it does not broadcast to that shape.
    """
    x = array_argument("broadcast_to", array)
    sizes = shape_argument(shape)
    own = x.aval.shape
    if own == sizes:
        return x
    tail = sizes[len(sizes) - len(own) :] if len(own) <= len(sizes) else ()
    if len(own) > len(sizes):
        raise ValueError(f"Cannot broadcast to shape with fewer dimensions: arr_shape={own} shape={sizes}")
    if any(n not in (1, m) for n, m in zip(own, tail)):
        raise ValueError(
            f"Incompatible types for broadcasting: input type={x.aval.short()} and requested "
            f"type={x.aval.update(shape=sizes).short()}"
        )
    return expand_to(x, sizes)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape to which shapes (ints or sequences of ints) broadcast.

    Raises:
      ValueError: they do not.
    """
    return broadcast_shape(tuple(shape_argument(s) for s in shapes))


@library(moves=("args",))
def broadcast_arrays(*args: Any) -> list[Value]:
    """Arrays in the shape to which they broadcast, each in its own dtype."""
    values = array_arguments("broadcast_arrays", *args)
    if not values:
        return []
    shape = broadcast_shape(tuple(x.aval.shape for x in values))
    return [expand_to(x, shape) for x in values]


# ---- order of elements ---------------------------------------------------------------------------


@library(moves=("m",))
def flip(m: Any, axis: Any = None) -> Value:
    """The elements in reverse order along axes (None: all)."""
    x = array_argument("flip", m)
    axes = normal_axes(axis, x.aval.ndim)
    return BIND.reverse(x, dimensions=axes) if axes else x


@library
def fliplr(m: Any) -> Value:
    """The elements in reverse order along the second axis."""
    return flip(m, 1)


@library
def flipud(m: Any) -> Value:
    """The elements in reverse order along the first axis."""
    return flip(m, 0)


@library(moves=("m",))
def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Value:
    """The plane of two axes turned by k quarters, from the first towards the second.

    Raises:
      ValueError: the axes are the same.
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
    """
    x = array_argument("roll", a)
    if axis is None:
        return reshape_to(roll(reshape_to(x, (x.aval.size,)), shift, 0), x.aval.shape)
    axes = [normal_axis(i, x.aval.ndim) for i in _axis_tuple(axis)]
    shifts = _shifts(shift, len(axes))
    if len(shifts) != len(axes):
        axes = axes * len(shifts) if len(axes) == 1 else axes
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
      reps: repetitions along each axis; an int, or a sequence that may be longer than there are axes.
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
      ValueError: numbers of elements and of repetitions differ.
    """
    x = array_argument("repeat", a)
    if axis is None:
        x, axis = reshape_to(x, (x.aval.size,)), 0
    axis = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[axis]
    if type(repeats) is Tracer:
        return take(x, _traced_rows(repeats, n, total_repeat_length), axis=axis)
    counts = np.asarray(repeats)
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
        raise ValueError(f"repeats may not be negative, got {times}")
    shape = x.aval.shape
    whole = (*shape[: axis + 1], times, *shape[axis + 1 :])
    kept = tuple(i for i in range(len(whole)) if i != axis + 1)
    return reshape_to(
        BIND.broadcast_in_dim(x, shape=whole, broadcast_dimensions=kept),
        (*shape[:axis], shape[axis] * times, *shape[axis + 1 :]),
    )


@library(moves=("a",))
def resize(a: Any, new_shape: Any) -> Value:
    """The elements, repeated as often as needed, in another shape of any size."""
    x = array_argument("resize", a)
    shape = shape_argument(new_shape)
    wanted = math.prod(shape)
    flat = reshape_to(x, (x.aval.size,))
    if x.aval.size == 0:
        return filled(shape, x.aval.dtype, 0, x.aval.weak_type)
    flat = tile(flat, -(-wanted // x.aval.size))
    return reshape_to(slice_axis(flat, 0, 0, wanted), shape)
