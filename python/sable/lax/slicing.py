"""Slices: at positions that are known, and at positions that are computed."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import iinfo, kind_of
from sable.core.operands import INT32, counted_from_front, integers, normal_axis, value_of
from sable.core.trace import Tracer
from sable.core.values import concrete
from sable.library.declare import library

# ---- static --------------------------------------------------------------------------------------------------


@library(moves=("operand",))
def slice(
    operand: Any, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> Value:
    """`operand[start:limit:stride]` in every dimension, with bounds that lie inside.

    Args:
      operand: an array of n dimensions.
      start_indices, limit_indices: n bounds, not negative, the limits exclusive.
      strides: n steps; ones by default.

    Raises:
      TypeError: bounds outside of the array, a limit before its start, strides that are not positive.

    Example:
      >>> lax.slice(jnp.arange(6).reshape(2, 3), (0, 1), (2, 3))
      Array([[1, 2],
             [4, 5]], dtype=int32)
      >>> lax.slice(jnp.arange(6), (0,), (7,))
      Traceback (most recent call last):
          ...
      TypeError: slice limit_indices must be less than or equal to operand shape, got limit_indices (7,) ...
    """
    x = value_of(operand, "slice")
    starts, limits = integers(start_indices), integers(limit_indices)
    steps = (1,) * len(starts) if strides is None else integers(strides)
    if starts == (0,) * len(starts) and limits == x.aval.shape and steps == (1,) * x.aval.ndim:
        return x
    return BIND.slice(x, start_indices=starts, limit_indices=limits, strides=steps)


@library(moves=("operand",))
def slice_in_dim(
    operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0
) -> Value:
    """`operand[start:limit:stride]` along one axis; negative bounds count from the end.

    Args:
      operand: an array.
      start_index, limit_index: bounds; None is the axis's end.
      stride: the step.
      axis: along which.

    Raises:
      TypeError, ValueError: bounds outside of the array; no such axis.

    Example:
      >>> lax.slice_in_dim(jnp.arange(6), 1, -1, stride=2)
      Array([1, 3], dtype=int32)
    """
    x = value_of(operand, "slice_in_dim")
    place = normal_axis(axis, x.aval.ndim)
    size = x.aval.shape[place]
    starts, limits, strides = [0] * x.aval.ndim, list(x.aval.shape), [1] * x.aval.ndim
    start = 0 if start_index is None else operator.index(start_index)
    limit = size if limit_index is None else operator.index(limit_index)
    starts[place] = start + size if start < 0 else start
    limits[place] = limit + size if limit < 0 else limit
    strides[place] = int(stride)
    return slice(x, starts, limits, strides)


@library(moves=("operand",))
def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Value:
    """The slice number `index` along an axis, which stays with size 1 or goes.

    Args:
      operand: an array.
      index: a Python integer; negative ones count from the end.
      axis: along which.
      keepdims: whether the axis stays.

    Raises:
      IndexError: no such slice.
      ValueError: no such axis.

    Example:
      >>> lax.index_in_dim(jnp.array([[1, 2], [3, 4]]), -1)
      Array([[3, 4]], dtype=int32)
    """
    x = value_of(operand, "index_in_dim")
    place = normal_axis(axis, x.aval.ndim)
    size, number = x.aval.shape[place], operator.index(index)
    if not -size <= number < size:
        raise IndexError(f"index {number} is out of bounds for axis {place} with size {size}")
    start = number % size
    found = slice_in_dim(x, start, start + 1, 1, place)
    return found if keepdims else _without(found, place)


def _without(x: Value, axis: int) -> Value:
    shape = x.aval.shape
    return BIND.reshape(x, shape=shape[:axis] + shape[axis + 1 :])


# ---- dynamic -------------------------------------------------------------------------------------------------


def _starts(name: str, x: Value, indices: Any, allow_negative: Any) -> list[Value]:
    """Start indices as scalars, negative ones counted from the end where that is allowed."""
    found = _components(name, indices)
    if len(found) != x.aval.ndim:
        raise ValueError(
            f"Length of slice indices must match number of operand dimensions ({len(found)} vs {x.aval.shape})"
        )
    if isinstance(allow_negative, (bool, np.bool_)):
        allow_negative = [allow_negative] * len(found)
    for i, n, allowed in zip(found, x.aval.shape, allow_negative):
        known = None if allowed else concrete(i)
        if known is not None and known.constant and not i.aval.shape and known.numpy() < 0:
            raise ValueError(f"Index {i} is out of bounds for dimension {n} if allow_negative_indices=False")
    found = _wide_enough(found, x.aval.shape)
    # the op says what is wrong with start indices that are no scalars
    return [
        counted_from_front(i, n) if allowed and not i.aval.shape else i
        for i, n, allowed in zip(found, x.aval.shape, allow_negative)
    ]


def _wide_enough(indices: list[Value], shape: Sequence[int]) -> list[Value]:
    """Indices of 8 or 16 bits as int32, where the size of a dimension is beyond their dtype."""
    dtypes = {i.aval.dtype for i in indices}
    narrow = all(kind_of(dtype) in "iu" and dtype.itemsize < 4 for dtype in dtypes)
    if len(dtypes) != 1 or not narrow or max(shape) <= iinfo(dtypes.pop()).max:
        return indices
    return [BIND.convert(i, dtype=INT32) for i in indices]


def _components(name: str, indices: Any) -> list[Value]:
    if isinstance(indices, (Value, np.ndarray)):
        vector = value_of(indices, name)
        if vector.aval.ndim != 1:
            raise TypeError(
                f"start_indices arguments to {name} must be a sequence of scalars or a vector, "
                f"got shape {vector.aval.shape}"
            )
        return [index_in_dim(vector, i, keepdims=False) for i in range(vector.aval.shape[0])]
    len(indices)  # anything but a sequence is a TypeError
    return [value_of(i, name, position) for position, i in enumerate(indices)]


@library(moves=("operand",))
def dynamic_slice(
    operand: Any, start_indices: Any, slice_sizes: Sequence[int], *, allow_negative_indices: Any = True
) -> Value:
    """A window at a position that is computed; one that sticks out is moved inside.

    Args:
      operand: an array of n dimensions.
      start_indices: n integer scalars of one dtype, or a vector of n integers.
      slice_sizes: n sizes.
      allow_negative_indices: whether negative starts count from the end.

    Raises:
      TypeError, ValueError: the wrong number or dtype of indices; a window larger than the array.

    Example:
      >>> import sable.numpy as jnp
      >>> dynamic_slice(jnp.arange(5), (3,), (2,))
      Array([3, 4], dtype=int32)
    """
    x = value_of(operand, "dynamic_slice")
    starts = _starts("dynamic_slice", x, start_indices, allow_negative_indices)
    return BIND.dynamic_slice(x, *starts, slice_sizes=integers(slice_sizes))


@library(
    moves=(
        "operand",
        "update",
    )
)
def dynamic_update_slice(operand: Any, update: Any, start_indices: Any, *, allow_negative_indices: Any = True) -> Value:
    """A copy of an array with a window at a computed position replaced; one that sticks out is moved inside.

    Args:
      operand: an array of n dimensions.
      update: the window's new contents, of the same dtype and rank.
      start_indices: n integer scalars of one dtype, or a vector of n integers.
      allow_negative_indices: whether negative starts count from the end.

    Raises:
      TypeError, ValueError: dtypes or ranks disagree; the wrong number of indices; a window larger than the array.

    Example:
      >>> lax.dynamic_update_slice(jnp.zeros(4), jnp.ones(2), (1,))
      Array([0., 1., 1., 0.], dtype=float32)
      >>> lax.dynamic_update_slice(jnp.zeros(4), jnp.ones(2), (9,))
      Array([0., 0., 1., 1.], dtype=float32)
    """
    x, new = value_of(operand, "dynamic_update_slice"), value_of(update, "dynamic_update_slice", 1)
    starts = _starts("dynamic_update_slice", x, start_indices, allow_negative_indices)
    return BIND.dynamic_update_slice(x, new, *starts)


def _along(x: Value, axis: int, index: Any) -> list[Any]:
    """Start indices: zero but along one axis, all of the index's dtype."""
    value = value_of(index, "dynamic_slice")
    zero = BIND.full(value.aval.update(shape=()), 0) if isinstance(value, Tracer) else np.zeros((), value.aval.dtype)
    starts: list[Any] = [zero] * x.aval.ndim
    starts[axis] = value
    return starts


@library(operands=("start_index",), moves=("operand",))
def dynamic_slice_in_dim(
    operand: Any, start_index: Any, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Value:
    """`dynamic_slice` along one axis.

    Args:
      operand: an array.
      start_index: an integer scalar.
      slice_size: the window's size, a Python integer.
      axis: along which; all of the other axes is taken.
      allow_negative_indices: whether a negative start counts from the end.

    Raises:
      TypeError, ValueError: no such axis, a window larger than the array, an index that is no integer.

    Example:
      >>> lax.dynamic_slice_in_dim(jnp.arange(5), 4, 3)
      Array([2, 3, 4], dtype=int32)
    """
    x = value_of(operand, "dynamic_slice")
    place = normal_axis(axis, x.aval.ndim)
    sizes = list(x.aval.shape)
    sizes[place] = operator.index(slice_size)
    return dynamic_slice(x, _along(x, place, start_index), sizes, allow_negative_indices=allow_negative_indices)


@library(operands=("index",), moves=("operand",))
def dynamic_index_in_dim(
    operand: Any, index: Any, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Value:
    """The slice at a computed index along an axis, which stays with size 1 or goes.

    Args:
      operand: an array.
      index: an integer scalar; one outside of the array is the nearest inside.
      axis: along which.
      keepdims: whether the axis stays.
      allow_negative_indices: whether a negative index counts from the end.

    Raises:
      TypeError, ValueError: no such axis; an index that is no integer.

    Example:
      >>> lax.dynamic_index_in_dim(jnp.array([1, 2, 3]), 7, keepdims=False)
      Array(3, dtype=int32)
    """
    x = value_of(operand, "dynamic_slice")
    place = normal_axis(axis, x.aval.ndim)
    found = dynamic_slice_in_dim(x, index, 1, place, allow_negative_indices=allow_negative_indices)
    return found if keepdims else _without(found, place)


@library(operands=("start_index",), moves=("operand", "update"))
def dynamic_update_slice_in_dim(
    operand: Any, update: Any, start_index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Value:
    """`dynamic_update_slice` along one axis.

    Args:
      operand: an array.
      update: the window's new contents, of the same dtype and rank.
      start_index: an integer scalar.
      axis: along which; in the other axes the window starts at 0.
      allow_negative_indices: whether a negative start counts from the end.

    Raises:
      TypeError, ValueError: as for `dynamic_update_slice`.

    Example:
      >>> lax.dynamic_update_slice_in_dim(jnp.zeros(4), jnp.ones(2), -2, axis=0)
      Array([0., 0., 1., 1.], dtype=float32)
    """
    x = value_of(operand, "dynamic_update_slice")
    starts = _along(x, normal_axis(axis, x.aval.ndim), start_index)
    return dynamic_update_slice(x, update, starts, allow_negative_indices=allow_negative_indices)


@library(operands=("index", "update"), moves=("operand", "update"))
def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Value:
    """A copy of an array with the slice at a computed index replaced.

    Args:
      operand: an array.
      update: the new slice, with or without the axis (of size 1).
      index: an integer scalar; one outside of the array is the nearest inside.
      axis: along which.
      allow_negative_indices: whether a negative index counts from the end.

    Raises:
      AssertionError: a slice of another rank.
      TypeError, ValueError: as for `dynamic_update_slice`.

    Example:
      >>> lax.dynamic_update_index_in_dim(jnp.zeros((2, 2)), jnp.ones(2), 1, axis=0)
      Array([[0., 0.],
             [1., 1.]], dtype=float32)
    """
    x, new = value_of(operand, "dynamic_update_slice"), value_of(update, "dynamic_update_slice", 1)
    place = normal_axis(axis, x.aval.ndim)
    if new.aval.ndim != x.aval.ndim:
        if new.aval.ndim != x.aval.ndim - 1:
            raise AssertionError(
                f"the update must have {x.aval.ndim} or {x.aval.ndim - 1} dimensions, got {new.aval.ndim}"
            )
        shape = new.aval.shape
        new = BIND.reshape(new, shape=(*shape[:place], 1, *shape[place:]))
    return dynamic_update_slice_in_dim(x, new, index, place, allow_negative_indices=allow_negative_indices)


__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "index_in_dim",
    "slice",
    "slice_in_dim",
]
