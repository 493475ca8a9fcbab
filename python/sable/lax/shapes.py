"""Shapes: broadcasts, reshapes, transposes, concatenations, padding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    broadcast_shape,
    integers,
    normal_axes,
    normal_axis,
    sizes_argument,
    value_of,
    values_of,
)
from sable.library.declare import library

# ---- broadcasting --------------------------------------------------------------------------------------------


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape to which arrays of these shapes broadcast, by NumPy's rules.

    Raises:
      TypeError: no shapes.
      ValueError: there is none.

    Example:
      >>> broadcast_shapes((2, 1), (3,))
      (2, 3)
    """
    sizes = tuple(map(sizes_argument, shapes))
    for s in sizes:
        if any(n < 0 for n in s):
            raise TypeError(
                f"Only non-negative indices are allowed when broadcasting static shapes, but got shape {s}."
            )
    return broadcast_shape(sizes)


@library(moves=("operand",))
def broadcast(operand: Any, sizes: Sequence[int], *, out_sharding: Any = None) -> Value:
    """The array repeated along new leading dimensions of these sizes.

    Args:
      operand: an array of shape s.
      sizes: of the new dimensions.
      out_sharding: without effect.

    Returns:
      An array of shape (*sizes, *s).

    Raises:
      ValueError: a negative size.

    Example:
      >>> lax.broadcast(jnp.array([1, 2]), (2,))
      Array([[1, 2],
             [1, 2]], dtype=int32)
    """
    x = value_of(operand, "broadcast")
    new = integers(sizes)
    dims = tuple(range(len(new), len(new) + x.aval.ndim))
    return BIND.broadcast_in_dim(x, shape=new + x.aval.shape, broadcast_dimensions=dims) if new else x


@library(moves=("operand",))
def broadcast_in_dim(
    operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int], *, out_sharding: Any = None
) -> Value:
    """The array repeated to a shape, its dimension i becoming dimension `broadcast_dimensions[i]`.

    Args:
      operand: an array of n dimensions.
      shape: of the result.
      broadcast_dimensions: n dimensions of the result.
      out_sharding: without effect.

    Raises:
      TypeError: a size is neither 1 nor the result's; dimensions are out of range or twice there.

    Example:
      >>> lax.broadcast_in_dim(jnp.array([1, 2]), (2, 3), (0,))
      Array([[1, 1, 1],
             [2, 2, 2]], dtype=int32)
      >>> lax.broadcast_in_dim(jnp.array([1, 2]), (3, 2), (1,))
      Array([[1, 2],
             [1, 2],
             [1, 2]], dtype=int32)
    """
    x = value_of(operand, "broadcast_in_dim")
    sizes, dims = integers(shape), integers(broadcast_dimensions)
    if sizes == x.aval.shape and dims == tuple(range(len(sizes))):
        return x
    return BIND.broadcast_in_dim(x, shape=sizes, broadcast_dimensions=dims)


@library(moves=("x",))
def broadcast_to_rank(x: Any, rank: int) -> Value:
    """The array with leading dimensions of size 1 up to a rank.

    Args:
      x: an array.
      rank: of the result; not below the array's own, which stays as it is.

    Example:
      >>> lax.broadcast_to_rank(jnp.ones(3), 3).shape
      (1, 1, 3)
    """
    value = value_of(x, "broadcast_to_rank")
    missing = rank - value.aval.ndim
    return BIND.reshape(value, shape=(1,) * missing + value.aval.shape) if missing > 0 else value


@library(moves=("arr",))
def broadcast_like(arr: Any, like_arr: Any) -> Value:
    """A scalar or array repeated to another array's shape.

    Args:
      arr: an array whose dimensions are the last ones of the other.
      like_arr: the other array; its dtype does not matter.

    Raises:
      TypeError: the shapes do not fit.

    Example:
      >>> lax.broadcast_like(1., jnp.array([1, 2]))
      Array([1., 1.], dtype=float32, weak_type=True)
    """
    x, like = values_of("broadcast_like", arr, like_arr)
    shape = like.aval.shape
    dims = tuple(range(len(shape) - x.aval.ndim, len(shape)))
    return broadcast_in_dim(x, shape, dims)


# ---- one array -----------------------------------------------------------------------------------------------


@library(moves=("operand",))
def reshape(
    operand: Any, new_sizes: Any, dimensions: Sequence[int] | None = None, *, out_sharding: Any = None
) -> Value:
    """The elements, in row-major order (after transposing to the order `dimensions`), in another shape.

    Args:
      operand: an array.
      new_sizes: the shape of the result; no size is left to be computed.
      dimensions: an order of the operand's dimensions.
      out_sharding: without effect.

    Raises:
      TypeError: the number of elements differs, or a size is negative.

    Example:
      >>> lax.reshape(jnp.arange(6), (2, 3))
      Array([[0, 1, 2],
             [3, 4, 5]], dtype=int32)
      >>> lax.reshape(jnp.arange(4).reshape(2, 2), (4,), dimensions=(1, 0))
      Array([0, 2, 1, 3], dtype=int32)
    """
    x = value_of(operand, "reshape")
    if dimensions is not None and integers(dimensions) != tuple(range(x.aval.ndim)):
        x = BIND.transpose(x, permutation=integers(dimensions))
    shape = sizes_argument(new_sizes)
    if any(n < 0 for n in shape):
        raise TypeError(f"reshape new_sizes must all be positive, got {shape}.")
    return x if shape == x.aval.shape else BIND.reshape(x, shape=shape)


@library(moves=("operand",))
def transpose(operand: Any, permutation: Sequence[int]) -> Value:
    """The array with its dimensions in another order.

    Args:
      operand: an array of n dimensions.
      permutation: of 0 to n - 1: dimension i of the result is dimension permutation[i] of the operand.

    Raises:
      TypeError: not a permutation of the dimensions.

    Example:
      >>> lax.transpose(jnp.ones((2, 3, 4)), (2, 0, 1)).shape
      (4, 2, 3)
    """
    x = value_of(operand, "transpose")
    order = integers(permutation)
    return x if order == tuple(range(x.aval.ndim)) else BIND.transpose(x, permutation=order)


@library(moves=("array",))
def expand_dims(array: Any, dimensions: Sequence[int]) -> Value:
    """The array with dimensions of size 1 at these places of the result.

    Args:
      array: an array.
      dimensions: where the new dimensions are in the result; negative ones count from its end.

    Raises:
      ValueError: a place is out of bounds or there twice.

    Example:
      >>> lax.expand_dims(jnp.ones((2, 3)), (0, -1)).shape
      (1, 2, 3, 1)
    """
    x = value_of(array, "expand_dims")
    wanted = integers(dimensions)
    ndim = x.aval.ndim + len(wanted)
    places = normal_axes(wanted, ndim, "repeated axis in lax.expand_dims")
    sizes = iter(x.aval.shape)
    shape = tuple(1 if i in places else next(sizes) for i in range(ndim))
    return BIND.reshape(x, shape=shape) if places else x


@library(moves=("array",))
def squeeze(array: Any, dimensions: Sequence[int]) -> Value:
    """The array without these dimensions, which have size 1.

    Args:
      array: an array.
      dimensions: those that go; negative ones count from the end.

    Raises:
      ValueError: a dimension of another size, out of bounds, or there twice.

    Example:
      >>> lax.squeeze(jnp.ones((1, 3, 1)), (0,)).shape
      (3, 1)
    """
    x = value_of(array, "squeeze")
    shape = x.aval.shape
    gone = [normal_axis(d, len(shape)) for d in integers(dimensions)]
    if len(set(gone)) != len(gone):
        raise ValueError(f"dimensions are not unique: {tuple(gone)}")
    if any(shape[d] != 1 for d in gone):
        raise ValueError(
            "cannot select an axis to squeeze out which has size not equal to one, "
            f"got shape={shape} and dimensions={tuple(sorted(gone))}"
        )
    if not gone:
        return x
    return BIND.reshape(x, shape=tuple(n for i, n in enumerate(shape) if i not in gone))


@library(moves=("operand",))
def collapse(operand: Any, start_dimension: int, stop_dimension: int | None = None) -> Value:
    """Dimensions from start to stop (exclusive) made one.

    Args:
      operand: an array.
      start_dimension: the first of those that become one.
      stop_dimension: the first that does not; by default none.

    Raises:
      ValueError: a dimension out of bounds, or the stop before the start.

    Example:
      >>> lax.collapse(jnp.ones((2, 3, 4)), 0, 2).shape
      (6, 4)
    """
    x = value_of(operand, "collapse")
    shape = x.aval.shape
    start, stop, _ = slice_type(start_dimension, stop_dimension, 1).indices(len(shape))
    if stop < start:
        raise ValueError(f"Invalid dimension range passed to collapse: {shape}[{start}:{stop}]")
    return reshape(x, (*shape[:start], math.prod(shape[start:stop]), *shape[stop:]))


#: the builtin, whose name the package gives to its own function
slice_type = slice


@library(moves=("operand",))
def rev(operand: Any, dimensions: Sequence[int]) -> Value:
    """The array backwards along these dimensions.

    Args:
      operand: an array.
      dimensions: not negative.

    Raises:
      TypeError: a dimension is out of bounds or there twice.

    Example:
      >>> lax.rev(jnp.array([[1, 2], [3, 4]]), (1,))
      Array([[2, 1],
             [4, 3]], dtype=int32)
    """
    return BIND.reverse(value_of(operand, "rev"), dimensions=integers(dimensions))


@library(operands=("padding_value",))
def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Value:
    """The array with copies of a value around and between its elements.

    Args:
      operand: an array.
      padding_value: a scalar of its dtype.
      padding_config: for each dimension (low, high, interior); negative low and high cut elements off.

    Raises:
      TypeError: dtypes disagree.
      ValueError: no such configuration for the array's rank.

    Example:
      >>> lax.pad(jnp.array([1, 2, 3]), 0, [(1, 0, 1)])
      Array([0, 1, 0, 2, 0, 3], dtype=int32)
      >>> lax.pad(jnp.array([1, 2, 3]), 0, [(-1, 2, 0)])
      Array([2, 3, 0, 0], dtype=int32)
    """
    x, value = values_of("pad", operand, padding_value)
    if x.aval.dtype != value.aval.dtype:
        raise TypeError(
            f"pad operand and padding_value must be same dtype: got {x.aval.dtype.name} and {value.aval.dtype.name}."
        )
    config = [integers(c) for c in padding_config]
    low, high, interior = zip(*config) if config else ((), (), ())
    return BIND.pad(x, value, edge_padding_low=low, edge_padding_high=high, interior_padding=interior)


@library(moves=("operand",))
def tile(operand: Any, reps: Sequence[int]) -> Value:
    """The array repeated `reps[i]` times along dimension i.

    Args:
      operand: an array of n dimensions.
      reps: n numbers.

    Raises:
      TypeError: not one number for each dimension.

    Example:
      >>> lax.tile(jnp.array([1, 2]), (2,))
      Array([1, 2, 1, 2], dtype=int32)
    """
    x = value_of(operand, "tile")
    counts = integers(reps)
    shape = x.aval.shape
    if len(counts) != len(shape):
        raise TypeError(f"tile reps must have one entry for each dimension, got {counts} for shape {shape}")
    pairs = [m for c, n in zip(counts, shape) for m in (c, n)]
    dims = tuple(range(1, 2 * len(shape), 2))
    wide = BIND.broadcast_in_dim(x, shape=tuple(pairs), broadcast_dimensions=dims)
    return BIND.reshape(wide, shape=tuple(c * n for c, n in zip(counts, shape)))


# ---- several arrays ------------------------------------------------------------------------------------------


@library(moves=("operands",))
def concatenate(operands: Any, dimension: int) -> Value:
    """Arrays joined along a dimension.

    Args:
      operands: arrays of one dtype and rank, or one array (its rows are joined).
      dimension: not negative.

    Raises:
      ValueError: no arrays.
      TypeError: dtypes, ranks or the other sizes disagree; no such dimension.

    Example:
      >>> lax.concatenate([jnp.array([1, 2]), jnp.array([3])], 0)
      Array([1, 2, 3], dtype=int32)
    """
    if isinstance(operands, Value):
        operands = unstack(operands)
    if len(operands) == 0:
        raise ValueError("concatenate requires a non-empty sequences of arrays")
    values = values_of("concatenate", *operands)
    if len(values) == 1 and 0 <= dimension < values[0].aval.ndim:
        return values[0]
    return BIND.concatenate(*values, dimension=int(dimension))


@library(moves=("operands",))
def stack(operands: Sequence[Any], axis: int = 0) -> Value:
    """Arrays of one shape joined along a new dimension.

    Args:
      operands: arrays of one shape and dtype.
      axis: where the new dimension is in the result; negative ones count from its end.

    Raises:
      ValueError: no arrays, or no such dimension.
      TypeError: shapes or dtypes disagree.

    Example:
      >>> lax.stack([jnp.array([1, 2]), jnp.array([3, 4])], axis=1)
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """
    if len(operands) == 0:
        raise ValueError("stack requires a non-empty sequences of arrays")
    values = values_of("stack", *operands)
    place = normal_axis(axis, values[0].aval.ndim + 1)
    return BIND.concatenate(*[expand_dims(v, (place,)) for v in values], dimension=place)


@library(moves=("x",))
def unstack(x: Any, axis: int = 0) -> tuple[Value, ...]:
    """The slices of an array along a dimension, which they lose.

    Args:
      x: an array.
      axis: the dimension that goes.

    Raises:
      ValueError: a scalar, or no such dimension.

    Example:
      >>> lax.unstack(jnp.array([[1, 2], [3, 4]]), axis=1)
      (Array([1, 3], dtype=int32), Array([2, 4], dtype=int32))
    """
    value = value_of(x, "unstack")
    place = normal_axis(axis, value.aval.ndim)
    return tuple(squeeze(part, (place,)) for part in split(value, (1,) * value.aval.shape[place], place))


@library(moves=("operand",))
def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Value]:
    """The array cut along a dimension into pieces of these sizes.

    Args:
      operand: an array.
      sizes: of the pieces; their sum is the dimension's size.
      axis: the dimension.

    Raises:
      ValueError: the sizes do not add up, or there is no such dimension.

    Example:
      >>> lax.split(jnp.arange(5), (2, 3))
      [Array([0, 1], dtype=int32), Array([2, 3, 4], dtype=int32)]
    """
    x = value_of(operand, "split")
    shape, pieces = x.aval.shape, integers(sizes)
    place = normal_axis(axis, len(shape))
    if any(n < 0 for n in pieces):
        raise ValueError(f"Sizes passed to split must be nonnegative, got {list(pieces)}")
    if sum(pieces) != shape[place]:
        raise ValueError(
            f"Sum of sizes {sum(pieces)} must be equal to dimension {place} of the operand shape {list(shape)}"
        )
    found, start = [], 0
    ones = (1,) * len(shape)
    for n in pieces:
        low, high = [0] * len(shape), list(shape)
        low[place], high[place] = start, start + n
        found.append(BIND.slice(x, start_indices=tuple(low), limit_indices=tuple(high), strides=ones))
        start += n
    return found
