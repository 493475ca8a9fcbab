"""gather and scatter, with the modes that say what happens to indices that lie outside."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, bind, constant
from sable.core.dtypes import iinfo, kind_of
from sable.core.operands import compare_to, convert, expand_to, full_like, integers, select, value_in, value_of
from sable.core.values import retype
from sable.dialects.ops.indexing import bounds_of, clamp_indices, fits, over_windows
from sable.dialects.ops.scatter import window_sizes
from sable.ir.codec import GatherDimensions, ScatterDimensions
from sable.ir.op import OPS
from sable.library.declare import library

from .control_flow import while_loop


class GatherScatterMode(enum.Enum):
    """What becomes of indices that lie outside of the array.

    CLIP moves them to the nearest position inside; FILL_OR_DROP gives a fill value when reading and does nothing when
    writing; PROMISE_IN_BOUNDS says that there are none.

    Example:
      >>> jnp.array([1, 2, 3]).at[7].get(mode=lax.GatherScatterMode.CLIP)
      Array(3, dtype=int32)
      >>> jnp.array([1., 2., 3.]).at[7].get(mode=lax.GatherScatterMode.FILL_OR_DROP)
      Array(nan, dtype=float32)
    """

    CLIP = enum.auto()
    FILL_OR_DROP = enum.auto()
    PROMISE_IN_BOUNDS = enum.auto()
    ONE_HOT = enum.auto()

    @staticmethod
    def from_any(mode: Any) -> GatherScatterMode:
        """A mode from itself or from "clip", "fill", "drop", "promise_in_bounds"; None is fill or drop.

        Raises:
          ValueError: no such mode.
        """
        if isinstance(mode, GatherScatterMode):
            return mode
        found = _MODES.get(mode)
        if found is None:
            raise ValueError(f'Unknown gather mode "{mode}"')
        return found


_MODES = {
    None: GatherScatterMode.FILL_OR_DROP,
    "clip": GatherScatterMode.CLIP,
    "fill": GatherScatterMode.FILL_OR_DROP,
    "drop": GatherScatterMode.FILL_OR_DROP,
    "promise_in_bounds": GatherScatterMode.PROMISE_IN_BOUNDS,
    "one_hot": GatherScatterMode.ONE_HOT,
}


class GatherDimensionNumbers(NamedTuple):
    """Which dimensions of a gather's operand, indices and result belong together.

    Attributes:
      offset_dims: dimensions of the result that are a window's.
      collapsed_slice_dims: dimensions of the operand (of window size 1) that the result lacks.
      start_index_map: dimension of the operand for each component of an index vector.
      operand_batching_dims, start_indices_batching_dims: dimensions that go together one to one.

    Example:
      >>> columns = lax.GatherDimensionNumbers(offset_dims=(0,), collapsed_slice_dims=(1,), start_index_map=(1,))
      >>> lax.gather(jnp.arange(6).reshape(2, 3), jnp.array([[2], [0]]), columns, (2, 1))
      Array([[2, 0],
             [5, 3]], dtype=int32)
    """

    offset_dims: tuple[int, ...]
    collapsed_slice_dims: tuple[int, ...]
    start_index_map: tuple[int, ...]
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()


class ScatterDimensionNumbers(NamedTuple):
    """Which dimensions of a scatter's operand, indices and updates belong together.

    Attributes:
      update_window_dims: dimensions of the updates that are a window's.
      inserted_window_dims: dimensions of the operand (of window size 1) that the updates lack.
      scatter_dims_to_operand_dims: dimension of the operand for each component of an index vector.
      operand_batching_dims, scatter_indices_batching_dims: dimensions that go together one to one.

    Example:
      >>> rows = lax.ScatterDimensionNumbers((1,), (0,), (0,))
      >>> lax.scatter_add(jnp.zeros((2, 2)), jnp.array([[0], [0]]), jnp.ones((2, 2)), rows)
      Array([[2., 2.],
             [0., 0.]], dtype=float32)
    """

    update_window_dims: Sequence[int]
    inserted_window_dims: Sequence[int]
    scatter_dims_to_operand_dims: Sequence[int]
    operand_batching_dims: Sequence[int] = ()
    scatter_indices_batching_dims: Sequence[int] = ()


# ---- gather --------------------------------------------------------------------------------------------------


def default_fill(dtype: np.dtype) -> Any:
    """What reading outside gives: NaN, the smallest signed or the largest unsigned integer, True."""
    kind = kind_of(dtype)
    if kind in "fc":
        return np.nan
    if kind == "b":
        return True
    info = iinfo(dtype)
    return info.min if kind == "i" else info.max


def all_inside(indices: Value, bounds: Sequence[int]) -> bool:
    """True where the index vectors (along the last dimension) are known and all of them lie inside."""
    if type(indices) is not Array or indices._device is not None:
        return False
    found = indices.numpy()
    if found.size == 0 or not bounds:
        return True
    return bool((found >= 0).all() and (found <= np.array(bounds)).all())


@library(moves=("operand",))
def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: Any = None,
    fill_value: Any = None,
) -> Value:
    """Windows of an array at many positions.

    Args:
      operand: an array.
      start_indices: integers; the last dimension has the components of an index vector.
      dimension_numbers: which dimensions belong together.
      slice_sizes: a window's size in each dimension of the operand.
      unique_indices, indices_are_sorted: promises about the indices.
      mode: "clip", "fill", "promise_in_bounds" (the default; windows that stick out are moved inside nevertheless)
        or a GatherScatterMode.
      fill_value: what windows that stick out consist of in mode "fill"; by default NaN, the smallest signed or the
        largest unsigned integer, True.

    Returns:
      An array of the indices' dimensions but the last, with the windows' dimensions where `offset_dims` says.

    Raises:
      TypeError, ValueError: dimension numbers or sizes that make no sense; an unknown mode.

    Example:
      >>> numbers = lax.GatherDimensionNumbers((), (0,), (0,))
      >>> lax.gather(jnp.array([1, 2, 3]), jnp.array([[0], [9]]), numbers, (1,), mode="clip")
      Array([1, 3], dtype=int32)
      >>> lax.gather(jnp.array([1, 2, 3]), jnp.array([[0], [9]]), numbers, (1,), mode="fill", fill_value=-1)
      Array([ 1, -1], dtype=int32)
    """
    x, indices = value_of(operand, "gather"), value_of(start_indices, "gather", 1)
    way = GatherScatterMode.PROMISE_IN_BOUNDS if mode is None else GatherScatterMode.from_any(mode)
    numbers = GatherDimensions(
        integers(dimension_numbers.offset_dims),
        integers(dimension_numbers.collapsed_slice_dims),
        integers(dimension_numbers.operand_batching_dims),
        integers(dimension_numbers.start_indices_batching_dims),
        integers(dimension_numbers.start_index_map),
        max(indices.aval.ndim - 1, 0),
    )
    sizes = integers(slice_sizes)
    if way is GatherScatterMode.CLIP:
        bounds = bounds_of(x.aval.shape, sizes, numbers.start_index_map)
        if not all_inside(indices, bounds):
            indices = clamp_indices(BIND, indices, numbers.index_vector_dim, bounds)
    found = BIND.gather(
        x, indices, dimension_numbers=numbers, slice_sizes=sizes, indices_are_sorted=bool(indices_are_sorted)
    )
    if way is not GatherScatterMode.FILL_OR_DROP:
        return found
    bounds = bounds_of(x.aval.shape, sizes, numbers.start_index_map)
    if all_inside(indices, bounds):
        return found
    inside = fits(BIND, indices, numbers.index_vector_dim, bounds)
    shape = found.aval.shape
    fill = default_fill(x.aval.dtype) if fill_value is None else fill_value
    filling = expand_to(retype(value_in(x.aval.dtype, fill, "gather"), x.aval.weak_type), shape)
    return BIND.select(over_windows(BIND, inside, numbers.offset_dims, shape), found, filling)


@library
def index_take(src: Any, idxs: Any, axes: Sequence[int]) -> Value:
    """Slices of an array at many positions along some axes, which go.

    Args:
      src: an array of n dimensions.
      idxs: for each axis a vector of m integers, which count modulo the axis's size.
      axes: as many axes.

    Returns:
      An array of m and then of the other n - len(axes) dimensions.

    Raises:
      TypeError: indices that are no integers of one dtype.

    Example:
      >>> lax.index_take(jnp.arange(6).reshape(2, 3), (jnp.array([1, 0]), jnp.array([2, -1])), (0, 1))
      Array([5, 2], dtype=int32)
    """
    x, places = value_of(src, "index_take"), integers(axes)
    columns = []
    for index, axis in zip(idxs, places):
        i = value_of(index, "index_take", 1)
        size = full_like(i, x.aval.shape[axis])
        rest = BIND.remainder(i, size)
        rest = select(compare_to(rest, 0, "LT"), BIND.add(rest, size), rest) if i.aval.dtype.kind == "i" else rest
        columns.append(BIND.reshape(rest, shape=(*i.aval.shape, 1)))
    indices = BIND.concatenate(*columns, dimension=1)
    sizes = [1 if i in places else n for i, n in enumerate(x.aval.shape)]
    offsets = tuple(range(1, x.aval.ndim - len(places) + 1))
    numbers = GatherDimensionNumbers(offset_dims=offsets, collapsed_slice_dims=places, start_index_map=places)
    return gather(x, indices, numbers, sizes)


# ---- scatter -------------------------------------------------------------------------------------------------


def scatter_with(
    mnemonic: str,
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    dimension_numbers: ScatterDimensionNumbers,
    indices_are_sorted: bool,
    unique_indices: bool,
    mode: Any,
) -> Value:
    """One of the scatter ops."""
    x, indices = value_of(operand, mnemonic), value_of(scatter_indices, mnemonic, 1)
    new = value_of(updates, mnemonic, 2)
    way = GatherScatterMode.from_any(mode)
    numbers = ScatterDimensions(
        integers(dimension_numbers.update_window_dims),
        integers(dimension_numbers.inserted_window_dims),
        integers(dimension_numbers.operand_batching_dims),
        integers(dimension_numbers.scatter_indices_batching_dims),
        integers(dimension_numbers.scatter_dims_to_operand_dims),
        max(indices.aval.ndim - 1, 0),
    )
    if way is GatherScatterMode.CLIP:
        sizes = window_sizes(x.aval.shape, new.aval.shape, numbers)
        bounds = bounds_of(x.aval.shape, sizes, numbers.scatter_dims_to_operand_dims)
        if not all_inside(indices, bounds):
            indices = clamp_indices(BIND, indices, numbers.index_vector_dim, bounds)
    return bind(
        OPS[mnemonic],
        x,
        indices,
        new,
        scatter_dimension_numbers=numbers,
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
    )


def _scatter(name: str, mnemonic: str, text: str, example: str, negated: bool = False) -> Callable:
    text = f"""A copy of an array with windows {text}.

    Args:
      operand: an array.
      scatter_indices: integers; the last dimension has the components of an index vector.
      updates: an array of the same dtype, a window for each index vector.
      dimension_numbers: which dimensions belong together.
      indices_are_sorted, unique_indices: promises about the indices.
      mode: "drop" (the default), "clip", "promise_in_bounds" or a GatherScatterMode.

    Returns:
      An array of the operand's shape and dtype.

    Raises:
      TypeError, ValueError: shapes, dtypes or dimension numbers that make no sense; an unknown mode.
    """

    @library(name=name, text=text, example=example)
    def run(
        operand: Any,
        scatter_indices: Any,
        updates: Any,
        dimension_numbers: ScatterDimensionNumbers,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: Any = None,
    ) -> Value:
        new = BIND.negate(value_of(updates, name, 2)) if negated else updates
        return scatter_with(
            mnemonic,
            operand,
            scatter_indices,
            new,
            dimension_numbers,
            indices_are_sorted,
            unique_indices,
            mode,
        )

    return run


scatter = _scatter(
    "scatter",
    "scatter",
    "replaced; where windows meet, one of them wins",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([5, 2, 1], dtype=int32)""",
)
scatter_add = _scatter(
    "scatter_add",
    "scatter_add",
    "added to",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter_add(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([7, 2, 3], dtype=int32)""",
)
scatter_mul = _scatter(
    "scatter_mul",
    "scatter_mul",
    "multiplied",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter_mul(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([10,  2,  2], dtype=int32)""",
)
scatter_min = _scatter(
    "scatter_min",
    "scatter_min",
    "lowered to the minimum",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter_min(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([2, 2, 1], dtype=int32)""",
)
scatter_max = _scatter(
    "scatter_max",
    "scatter_max",
    "raised to the maximum",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter_max(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([5, 2, 2], dtype=int32)""",
)
scatter_sub = _scatter(
    "scatter_sub",
    "scatter_add",
    "subtracted from",
    """>>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
>>> lax.scatter_sub(jnp.array([2, 2, 2]), jnp.array([[0], [2], [9]]), jnp.array([5, 1, 7]), numbers)
Array([-3,  2,  1], dtype=int32)""",
    negated=True,
)


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
) -> Value:
    """A copy of an array with a function applied to windows, as often as an index names them.

    Args:
      operand, scatter_indices, dimension_numbers, indices_are_sorted, mode: as for `scatter`.
      func: an elementwise function of an array.
      update_shape: what the shape of updates would be.
      unique_indices: a promise that no window is named twice.

    Raises:
      TypeError: the function changes shape or dtype.

    Example:
      >>> numbers = lax.ScatterDimensionNumbers((), (0,), (0,))
      >>> places = jnp.array([[0], [2], [2]])
      >>> lax.scatter_apply(jnp.array([2, 3, 4]), places, jnp.square, numbers, update_shape=(3,))
      Array([  4,   3, 256], dtype=int32)
    """
    x, indices = value_of(operand, "scatter_apply"), value_of(scatter_indices, "scatter_apply", 1)
    count_type = x.aval.update(dtype=np.dtype(np.int32), weak_type=False)
    ones = BIND.full(count_type.update(shape=integers(update_shape)), 1)
    options = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices, "mode": mode}
    counts = scatter_add(BIND.full(count_type, 0), indices, ones, dimension_numbers, **options)
    if unique_indices:
        return _apply_where(func, x, counts, constant(np.int32(0)))
    if type(counts) is Array:
        for i in range(int(counts.numpy().max(initial=0))):
            x = _apply_where(func, x, counts, constant(np.int32(i)))
        return x
    most = BIND.reduce_max(counts, dimensions=tuple(range(counts.aval.ndim)))
    step = constant(np.int32(1))

    def body(carry: Any) -> Any:
        i, value = carry
        return BIND.add(i, step), _apply_where(func, value, counts, i)

    def goes_on(carry: Any) -> Any:
        return BIND.compare(carry[0], most, comparison_direction="LT")

    return while_loop(goes_on, body, (constant(np.int32(0)), x))[1]


def _apply_where(func: Callable, x: Value, counts: Value, i: Value) -> Value:
    """func(x) where counts > i, else x."""
    applied = value_of(func(x), "scatter_apply")
    if applied.aval.shape != x.aval.shape:
        raise TypeError(f"scatter_apply: the function must keep the shape {x.aval.shape}, got {applied.aval.shape}")
    more = BIND.compare(counts, expand_to(i, counts.aval.shape), comparison_direction="GT")
    return BIND.select(more, convert(applied, x.aval.dtype, x.aval.weak_type), x)
