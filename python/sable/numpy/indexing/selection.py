"""Elements, lines and slices selected by number or by condition."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.operands import (
    INT32,
    array_arguments,
    convert,
    known_values,
    logical,
    normal_axis,
    position_of,
    truth,
    wrapped,
)
from sable.lax.gathering import GatherDimensionNumbers, GatherScatterMode, gather
from sable.lax.shapes import broadcast_shapes
from sable.library.declare import library

from .positions import first_numbers
from .read import getitem, read

# ---- take ------------------------------------------------------------------------------------------------------


@library(moves=("a",))
def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Value:
    """Elements, or slices along an axis, by number.

    Args:
      a: an array.
      indices: integers; negative ones count from the end.
      axis: the axis; None flattens the array first.
      mode: what numbers outside mean: "fill" (the default: NaN, or the least integer), "clip", "wrap".
      unique_indices, indices_are_sorted: promises about the indices.
      fill_value: elements for numbers outside in mode "fill".

    Returns:
      The array with the axis replaced by the indices' dimensions.

    Raises:
      ValueError: no such axis or mode; indices that are not integers.
      IndexError: an axis without elements.
      NotImplementedError: `out`, or mode "raise".

    Example:
      >>> import sable.numpy as jnp
      >>> take(jnp.array([10., 20., 30.]), jnp.array([2, 0, 5]))
      Array([30., 10., nan], dtype=float32)
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.take is not supported.")
    x, numbers = array_arguments("take", a, indices)
    if axis is None:
        x, place = BIND.reshape(x, shape=(x.aval.size,)), 0
    else:
        place = normal_axis(axis, x.aval.ndim)
    if numbers.aval.dtype == np.bool_:
        numbers = convert(numbers, INT32)
    if numbers.aval.dtype.kind not in "iu":
        raise ValueError("indices must have an integer type")
    size = x.aval.shape[place]
    if size == 0 and numbers.aval.size:
        raise IndexError("Cannot do a non-empty jnp.take() from an empty axis.")
    if size == 0:
        shape = (*x.aval.shape[:place], *numbers.aval.shape, *x.aval.shape[place + 1 :])
        return BIND.full(x.aval.update(shape=shape), 0)
    if mode == "wrap":
        numbers, mode = wrapped(numbers, size), "promise_in_bounds"
    elif mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.take is not supported.")
    elif not isinstance(mode, GatherScatterMode) and mode not in (None, "fill", "clip", "promise_in_bounds"):
        raise ValueError(f"Invalid mode '{mode}' for np.take")
    return read(
        x,
        (*[slice(None)] * place, numbers),
        mode="fill" if mode is None else mode,
        fill_value=fill_value,
        wrap_negative_indices=mode != "clip",
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )


def along_axis_arguments(arr: Any, indices: Any, axis: int | None, name: str) -> tuple[Value, Value, int]:
    x, numbers = array_arguments(name, arr, indices)
    if numbers.aval.dtype.kind not in "iu":
        raise TypeError(f"{name} indices must be of integer type, got {numbers.aval.dtype.name}")
    if axis is None:
        if numbers.aval.ndim != 1:
            raise ValueError(f"{name} indices must be 1D if axis=None, got shape {numbers.aval.shape}")
        return BIND.reshape(x, shape=(x.aval.size,)), numbers, 0
    if x.aval.ndim != numbers.aval.ndim:
        raise ValueError(
            f"indices and arr must have the same number of dimensions; {numbers.aval.ndim} vs. {x.aval.ndim}"
        )
    return x, numbers, normal_axis(axis, x.aval.ndim)


@library(moves=("arr",))
def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Value:
    """Along an axis, for each line of the array the elements that the line of indices numbers.

    Args:
      arr: an array.
      indices: integers, of the array's rank; other dimensions broadcast.
      axis: the axis; None flattens the array.
      mode: "fill" (the default), "clip" or "promise_in_bounds", for numbers outside.
      fill_value: elements for numbers outside in mode "fill".
      wrap_negative_indices: whether negative numbers count from the end; by default except in mode
        "promise_in_bounds".

    Raises:
      TypeError: indices that are not integers.
      ValueError: ranks or shapes disagree; no such axis or mode.

    Example:
      >>> x = jnp.array([[30, 10, 20]])
      >>> jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1)
      Array([[10, 20, 30]], dtype=int32)
      >>> jnp.take_along_axis(x, jnp.array([[7]]), axis=1)  # outside: no error, but the least integer
      Array([[-2147483648]], dtype=int32)
    """
    x, numbers, place = along_axis_arguments(arr, indices, axis, "take_along_axis")
    way = GatherScatterMode.from_any(mode)
    shape, own = x.aval.shape, numbers.aval.shape
    others = [s[:place] + (1,) + s[place + 1 :] for s in (shape, own)]
    broadcast = broadcast_shapes(*others)
    result = broadcast[:place] + (own[place],) + broadcast[place + 1 :]
    if 0 in result:
        return BIND.full(x.aval.update(shape=result), 0)
    if wrap_negative_indices is None:
        wrap_negative_indices = way is not GatherScatterMode.PROMISE_IN_BOUNDS
    if wrap_negative_indices:
        numbers = position_of(numbers, shape[place])
    elif numbers.aval.dtype != INT32 and numbers.aval.dtype.itemsize < 8:
        numbers = convert(numbers, INT32)
    # dimensions in which a line of indices serves a whole dimension of the array are windows
    windows = [d for d, (n, m) in enumerate(zip(shape, own)) if d != place and m == 1 and n != 1]
    batch = [d for d in range(len(shape)) if d not in windows]
    paired = [d for d in batch if d != place and shape[d] != 1]
    numbers = BIND.reshape(numbers, shape=(*[own[d] for d in batch], 1))
    dimension_numbers = GatherDimensionNumbers(
        tuple(windows),
        tuple(d for d in batch if d not in paired),
        (place,),
        tuple(paired),
        tuple(batch.index(d) for d in paired),
    )
    sizes = tuple(n if d in windows else 1 for d, n in enumerate(shape))
    return gather(x, numbers, dimension_numbers, sizes, mode=way, fill_value=fill_value)


@library(moves=("a",))
def compress(
    condition: Any, a: Any, axis: int | None = None, *, size: int | None = None, fill_value: Any = 0, out: None = None
) -> Value:
    """The slices along an axis for which a condition holds.

    Args:
      condition: a vector, not longer than the axis.
      a: an array.
      axis: the axis; None flattens the array.
      size: the number of slices, which traced conditions need.
      fill_value: what missing slices consist of.

    Raises:
      ValueError: the condition is no vector or too long; a size beyond the axis.
      NotImplementedError: `out`.

    Example:
      >>> x = jnp.array([[1, 2], [3, 4], [5, 6]])
      >>> jnp.compress(jnp.array([True, False, True]), x, axis=0)
      Array([[1, 2],
             [5, 6]], dtype=int32)
    """
    which, x = array_arguments("compress", condition, a)
    if which.aval.ndim != 1:
        raise ValueError("condition must be a 1D array")
    if out is not None:
        raise NotImplementedError("The 'out' argument is not supported.")
    if axis is None:
        x, place = BIND.reshape(x, shape=(x.aval.size,)), 0
    else:
        place = normal_axis(axis, x.aval.ndim)
    length = x.aval.shape[place]
    if size is not None and not 0 < size <= length:
        raise ValueError(
            "size must be positive and not greater than the size of the array axis; "
            f"got size={size} for a.shape[axis]={length}"
        )
    if size is None:
        outside = constant(np.arange(which.aval.size) >= length)
        if BIND.reduce_or(logical("and", truth(which), outside), dimensions=(0,)):
            raise ValueError("condition contains entries that are out of bounds")
        mask = known_values(which, "The condition of jnp.compress must be known.").astype(bool)
        return getitem(x, (*[slice(None)] * place, np.flatnonzero(mask)))
    short = min(which.aval.size, length)
    which = BIND.slice(which, start_indices=(0,), limit_indices=(short,), strides=(1,))
    flat, missing = first_numbers(truth(which), size)
    numbers = BIND.select(missing, BIND.full(flat.aval, length), flat)
    return take(x, numbers, axis=place, fill_value=fill_value)


@library(moves=("arr",))
def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Value:
    """The elements of the flattened array for which a condition holds.

    Args:
      condition: array of the array's size; what is not boolean is compared with zero.
      arr: an array.
      size, fill_value: as of `compress`.

    Example:
      >>> x = jnp.arange(6)
      >>> jnp.extract(x % 2 == 1, x)
      Array([1, 3, 5], dtype=int32)
    """
    which, x = array_arguments("extract", condition, arr)
    return compress(BIND.reshape(which, shape=(which.aval.size,)), x, size=size, fill_value=fill_value)
