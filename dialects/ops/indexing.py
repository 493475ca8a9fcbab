"""gather, and how rules deal with start indices: clamp them, test them, do without batching dimensions.

A gather's windows that stick out are moved inside (StableHLO). Fill and drop modes are made of selects by the
library, with `fits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import BOOL as FLAG
from sable.ir.codec import GATHER, INTS, GatherDimensions, ScatterDimensions
from sable.ir.op import LINEAR, NumpyBuilder, defop

from .compose import BOOL, INT32, compare, convert, logical, small_constant, up, zeros
from .index_plan import gather_windows, plan_windows
from .rules import floats, integers, kind_of, sample

# ---- start indices -------------------------------------------------------------------------------


def index_components(shape: tuple[int, ...], vector_dim: int) -> int:
    """Number of components of an index vector; indices without a dimension for them have one."""
    return shape[vector_dim] if vector_dim < len(shape) else 1


def batch_shape(shape: tuple[int, ...], vector_dim: int) -> tuple[int, ...]:
    """Shape of start indices without the dimension of index vectors."""
    return tuple(n for i, n in enumerate(shape) if i != vector_dim)


def bounds_of(operand: Sequence[int], sizes: Sequence[int], index_map: Sequence[int]) -> tuple[int, ...]:
    """The last start at which a window fits, for each component of an index vector."""
    return tuple(operand[d] - sizes[d] for d in index_map)


def _bounds_array(b: Any, a: Aval, vector_dim: int, bounds: Sequence[int]) -> Any:
    limit = ml_dtypes.iinfo(a.dtype).max
    bounds = [min(n, limit) for n in bounds]
    if len(set(bounds)) == 1:
        return b.full(a, bounds[0])
    vector = small_constant(b, np.array(bounds, a.dtype))
    return b.broadcast_in_dim(vector, shape=a.shape, broadcast_dimensions=(vector_dim,))


def clamp_indices(b: Any, indices: Any, vector_dim: int, bounds: Sequence[int]) -> Any:
    """Start indices moved into [0, bound], for each component its own bound (not negative)."""
    a = b.aval(indices)
    if not bounds:
        return indices
    if a.dtype.kind != "u":
        indices = b.maximum(indices, zeros(b, a))
    return b.minimum(indices, _bounds_array(b, a, vector_dim, bounds))


def fits(b: Any, indices: Any, vector_dim: int, bounds: Sequence[int]) -> Any:
    """Whether each index vector is in [0, bound] in all components: booleans of the batch shape."""
    a = b.aval(indices)
    if not bounds:
        return b.full(aval(batch_shape(a.shape, vector_dim), BOOL), True)
    if min(bounds) < 0:
        return b.full(aval(batch_shape(a.shape, vector_dim), BOOL), False)
    inside = compare(b, indices, _bounds_array(b, a, vector_dim, bounds), "LE")
    if a.dtype.kind != "u":
        inside = logical(b, "and", inside, compare(b, indices, zeros(b, a), "GE"))
    return b.reduce_and(inside, dimensions=(vector_dim,)) if vector_dim < a.ndim else inside


def over_windows(b: Any, x: Any, offset_dims: Sequence[int], shape: tuple[int, ...]) -> Any:
    """A value for each index vector repeated over its window, in the shape of a gather's result."""
    kept = tuple(i for i in range(len(shape)) if i not in offset_dims)
    return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=kept)


def _with_batch_indices(
    b: Any, indices: Any, vector_dim: int, sizes: Sequence[int], batching: Sequence[int]
) -> tuple[Any, int]:
    """Index vectors with their positions along dimensions `batching` (of those sizes) in front."""
    a = b.aval(indices)
    dtype = a.dtype if ml_dtypes.iinfo(a.dtype).max >= max(sizes) else INT32
    indices = convert(b, indices, dtype)
    if vector_dim == a.ndim:
        indices = b.reshape(indices, shape=(*a.shape, 1))
    shape = list(b.aval(indices).shape)
    shape[vector_dim] = 1
    own = [b.iota(shape=tuple(shape), dtype=dtype, iota_dimension=d) for d in batching]
    return b.concatenate(*own, indices, dimension=vector_dim), vector_dim


def gather_without_batching_dims(
    b: Any,
    operand: Any,
    start_indices: Any,
    *,
    dimension_numbers: GatherDimensions,
    slice_sizes: tuple[int, ...],
    indices_are_sorted: bool = False,
) -> Any:
    """A gather with its batching dimensions turned into components of the index vectors."""
    n = dimension_numbers
    sorted_ = bool(indices_are_sorted) and not n.operand_batching_dims
    if n.operand_batching_dims:
        shape = b.aval(operand).shape
        start_indices, vector_dim = _with_batch_indices(
            b,
            start_indices,
            n.index_vector_dim,
            [shape[d] for d in n.operand_batching_dims],
            n.start_indices_batching_dims,
        )
        n = GatherDimensions(
            n.offset_dims,
            tuple(sorted((*n.collapsed_slice_dims, *n.operand_batching_dims))),
            (),
            (),
            (*n.operand_batching_dims, *n.start_index_map),
            vector_dim,
        )
    return b.gather(operand, start_indices, dimension_numbers=n, slice_sizes=slice_sizes, indices_are_sorted=sorted_)


def scatter_without_batching_dims(
    b: Any,
    op: Any,
    operand: Any,
    scatter_indices: Any,
    updates: Any,
    *,
    scatter_dimension_numbers: ScatterDimensions,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
) -> Any:
    """A scatter op with its batching dimensions turned into components of the index vectors."""
    n = scatter_dimension_numbers
    sorted_ = bool(indices_are_sorted) and not n.input_batching_dims
    if n.input_batching_dims:
        shape = b.aval(operand).shape
        scatter_indices, vector_dim = _with_batch_indices(
            b,
            scatter_indices,
            n.index_vector_dim,
            [shape[d] for d in n.input_batching_dims],
            n.scatter_indices_batching_dims,
        )
        n = ScatterDimensions(
            n.update_window_dims,
            tuple(sorted((*n.inserted_window_dims, *n.input_batching_dims))),
            (),
            (),
            (*n.input_batching_dims, *n.scatter_dims_to_operand_dims),
            vector_dim,
        )
    return b.bind(
        op,
        operand,
        scatter_indices,
        updates,
        scatter_dimension_numbers=n,
        indices_are_sorted=sorted_,
        unique_indices=unique_indices,
    )


# ---- type ----------------------------------------------------------------------------------------


def check_sorted(op: str, what: str, dims: Sequence[int], bound: int | None = None) -> None:
    """Dimension numbers must be ascending and without repetition, and below `bound`.

    Raises:
      TypeError: naming the op and the field.
    """
    if list(dims) != sorted(dims):
        raise TypeError(f"{what} in {op} op must be sorted; got {tuple(dims)}")
    check_unique(op, what, dims, bound)


def check_unique(op: str, what: str, dims: Sequence[int], bound: int | None = None) -> None:
    """Dimension numbers must not repeat, and be below `bound`; raises TypeError like `check_sorted`."""
    if len(set(dims)) != len(dims):
        raise TypeError(f"{what} in {op} op must not repeat; got: {tuple(dims)}.")
    for d in dims:
        if bound is not None and not 0 <= d < bound:
            raise TypeError(f"Invalid {what} set in {op} op; valid range is [0, {bound}); got: {d}.")


def check_integers(indices: Aval) -> None:
    """Start indices must be integers; raises ValueError."""
    if kind_of(indices.dtype) not in "iu":
        raise ValueError("indices must have an integer type")


def check_indices(op: str, indices: Aval, vector_dim: int, index_map: Sequence[int], name: str) -> None:
    """Start indices must have as many components as `index_map`.

    Raises:
      TypeError: naming the op.
    """
    if not 0 <= vector_dim <= indices.ndim:
        raise TypeError(
            f"{op} op's index_vector_dim must be within the rank of the indices, [0, {indices.ndim}]; got {vector_dim}."
        )
    components = index_components(indices.shape, vector_dim)
    if components != len(index_map):
        raise TypeError(
            f"{op} op has {len(index_map)} elements in {name} and the bound of dimension "
            f"index_vector_dim={vector_dim} of indices is {components}. These two numbers must be equal."
        )


def check_batching(
    op: str, x: Aval, indices: Aval, dims: Sequence[int], index_dims: Sequence[int], vector_dim: int,
    others: dict[str, Sequence[int]], index_name: str,
) -> None:  # fmt: skip
    """Batching dimensions of operand and indices must go together.

    Args:
      others: what the operand's batching dimensions must not share: the field's name and its dimensions.
      index_name: the field of the indices' batching dimensions.

    Raises:
      TypeError: naming the op and the dimensions.
    """
    name = op.lower()
    check_sorted(name, "operand_batching_dims", dims, x.ndim)
    for what, other in others.items():
        if set(other) & set(dims):
            raise TypeError(f"{what} and operand_batching_dims in {name} op must be disjoint; got {other} and {dims}.")
    check_unique(name, index_name, index_dims, indices.ndim)
    if vector_dim in index_dims:
        raise TypeError(f"{op} op cannot have the index vector dimension as a batching dimension; got {index_dims}.")
    if len(dims) != len(index_dims):
        raise TypeError(
            f"{op} op requires equal numbers of operand_batching_dims and {index_name}, "
            f"got operand_batching_dims={tuple(dims)} and {index_name}={tuple(index_dims)}."
        )
    sizes, index_sizes = tuple(x.shape[d] for d in dims), tuple(indices.shape[d] for d in index_dims)
    if sizes != index_sizes:
        raise TypeError(
            f"{op} op requires operand batching dimensions and indices batching dimensions to have the same "
            f"shape, got {sizes} and {index_sizes}."
        )


def _check_slice_sizes(x: Aval, n: GatherDimensions, slice_sizes: Sequence[int]) -> None:
    if len(slice_sizes) != x.ndim:
        raise TypeError(
            "Gather op must have one slice size for every input dimension; "
            f"got: len(slice_sizes)={len(slice_sizes)}, input_shape.rank={x.ndim}"
        )
    for i, (size, whole) in enumerate(zip(slice_sizes, x.shape)):
        if not 0 <= size <= whole:
            raise TypeError(
                f"Slice size at index {i} in gather op is out of range, must be within [0, {whole} + 1), got {size}."
            )
    if len(slice_sizes) != len(n.offset_dims) + len(n.collapsed_slice_dims) + len(n.operand_batching_dims):
        raise TypeError(
            "All components of the offset index in a gather op must either be a offset dimension or "
            f"explicitly collapsed/batching; got len(slice_sizes)={len(slice_sizes)}, "
            f"output_slice_sizes={n.offset_dims}, "
            f"collapsed_slice_dims={n.collapsed_slice_dims}, operand_batching_dims={n.operand_batching_dims}."
        )
    for what, dims in (
        ("collapse slice dims with bound 1", n.collapsed_slice_dims),
        ("have operand batching dims with bound 0/1", n.operand_batching_dims),
    ):
        for i, d in enumerate(dims):
            if slice_sizes[d] > 1:
                raise TypeError(
                    f"Gather op can only {what}, but bound is {slice_sizes[d]} for index {d} at position {i}."
                )


def _gather_type(x: Aval, indices: Aval, dimension_numbers: GatherDimensions, slice_sizes: tuple, indices_are_sorted):
    n = dimension_numbers
    check_integers(indices)
    check_sorted("gather", "offset_dims", n.offset_dims)
    batch = batch_shape(indices.shape, n.index_vector_dim)
    rank = len(batch) + len(n.offset_dims)
    for i, d in enumerate(n.offset_dims):
        if not 0 <= d < rank:
            raise TypeError(
                f"Offset dimension {i} in gather op is out of bounds; got {d}, but should have been in [0, {rank})"
            )
    check_indices("Gather", indices, n.index_vector_dim, n.start_index_map, "start_index_map")
    for i, d in enumerate(n.start_index_map):
        if not 0 <= d < x.ndim:
            raise TypeError(f"Invalid start_index_map; domain is [0, {x.ndim}), got: {i}->{d}.")
    check_unique("gather", "start_index_map", n.start_index_map)
    check_sorted("gather", "collapsed_slice_dims", n.collapsed_slice_dims, x.ndim)
    others = {"collapsed_slice_dims": n.collapsed_slice_dims, "start_index_map": n.start_index_map}
    check_batching(
        "Gather", x, indices, n.operand_batching_dims, n.start_indices_batching_dims, n.index_vector_dim, others,
        "start_indices_batching_dims",
    )  # fmt: skip
    _check_slice_sizes(x, n, slice_sizes)
    dropped = {*n.collapsed_slice_dims, *n.operand_batching_dims}
    windows = iter([size for d, size in enumerate(slice_sizes) if d not in dropped])
    batches = iter(batch)
    shape = tuple(next(windows) if i in n.offset_dims else next(batches) for i in range(rank))
    return aval(shape, x.dtype, x.weak_type)


# ---- gather --------------------------------------------------------------------------------------


def _gather_ref(operand, start_indices, dimension_numbers, slice_sizes, indices_are_sorted) -> np.ndarray:
    plan = plan_windows(operand.shape, start_indices.shape, dimension_numbers, slice_sizes)
    return gather_windows(plan, operand, start_indices)


def scatter_dimensions(n: GatherDimensions) -> ScatterDimensions:
    """The scatter that writes the windows which a gather reads."""
    return ScatterDimensions(
        n.offset_dims,
        n.collapsed_slice_dims,
        n.operand_batching_dims,
        n.start_indices_batching_dims,
        n.start_index_map,
        n.index_vector_dim,
    )


def gather_dimensions(n: ScatterDimensions) -> GatherDimensions:
    """The gather that reads the windows which a scatter writes."""
    return GatherDimensions(
        n.update_window_dims,
        n.inserted_window_dims,
        n.input_batching_dims,
        n.scatter_indices_batching_dims,
        n.scatter_dims_to_operand_dims,
        n.index_vector_dim,
    )


def _gather_transpose(
    b: Any,
    ct: Any,
    avals: Any,
    operand: Any,
    indices: Any,
    dimension_numbers,
    slice_sizes,
    indices_are_sorted,
) -> Any:
    # what a window outside was moved onto gets nothing, as JAX has it; who means the clamping (mode "clip", a dynamic
    # slice) clamps the indices first
    return b.scatter_add(
        zeros(b, avals[0]),
        indices,
        ct,
        scatter_dimension_numbers=scatter_dimensions(dimension_numbers),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=False,
    )


def _gather_batch(
    b: Any, op: Any, size: int, operands: Any, mapped: Any, dimension_numbers, slice_sizes, indices_are_sorted
) -> Any:
    n = dimension_numbers
    whole, rows = mapped
    offset_dims = up(n.offset_dims)
    if whole and not rows:
        offset_dims = (0, *offset_dims)
    slices = (size if not rows else min(1, size), *slice_sizes) if whole else slice_sizes
    both = (0,) if whole and rows else ()
    dims = GatherDimensions(
        offset_dims,
        up(n.collapsed_slice_dims) if whole else n.collapsed_slice_dims,
        (*both, *(up(n.operand_batching_dims) if whole else n.operand_batching_dims)),
        (*both, *(up(n.start_indices_batching_dims) if rows else n.start_indices_batching_dims)),
        up(n.start_index_map) if whole else n.start_index_map,
        n.index_vector_dim + rows,
    )
    return b.bind(
        op,
        *operands,
        dimension_numbers=dims,
        slice_sizes=tuple(slices),
        # sorted in every batch element is not sorted altogether
        indices_are_sorted=bool(indices_are_sorted) and not rows,
    )


def _gather(operand: np.ndarray, indices: Any, sizes: tuple, sorted_: bool = False, **dims: Any) -> Any:
    indices = indices if isinstance(indices, np.ndarray) else np.array(indices, np.int32)
    numbers = GatherDimensions(**dims)
    bounds = bounds_of(operand.shape, sizes, numbers.start_index_map)
    inside = bool(np.all(fits(NumpyBuilder(), indices, numbers.index_vector_dim, bounds)))
    return sample(
        operand,
        indices,
        grad=inside,
        why="" if inside else "moved inside, but nothing comes back from there",
        dimension_numbers=numbers,
        slice_sizes=sizes,
        indices_are_sorted=sorted_,
    )


def _gather_samples() -> list:
    rows = {"offset_dims": (1,), "collapsed_slice_dims": (0,), "start_index_map": (0,), "index_vector_dim": 1}
    cells = {"collapsed_slice_dims": (0, 1), "start_index_map": (1, 0), "index_vector_dim": 1}
    per_row = {
        "collapsed_slice_dims": (1,),
        "operand_batching_dims": (0,),
        "start_indices_batching_dims": (0,),
        "start_index_map": (1,),
        "index_vector_dim": 2,
    }
    windows = {"offset_dims": (0, 2), "start_index_map": (0, 1), "index_vector_dim": 0}
    turned = {
        "offset_dims": (1,),
        "collapsed_slice_dims": (1,),
        "operand_batching_dims": (0, 3),
        "start_indices_batching_dims": (2, 0),
        "start_index_map": (1,),
        "index_vector_dim": 1,
    }
    one: dict = {"collapsed_slice_dims": (0,), "start_index_map": (0,)}
    return [
        _gather(floats((4, 3)), [[1], [3], [1]], (1, 3), **rows),
        _gather(floats((4, 3)), [[-7], [9], [3]], (1, 3), **rows),
        _gather(floats((4, 3)), [[0], [0], [2]], (1, 2), True, **rows),
        _gather(floats((4, 3)), [[0, 1], [2, 3], [5, -1]], (1, 1), **cells),
        _gather(floats((2, 5)), [[[0], [4]], [[9], [2]]], (1, 1), **per_row),
        _gather(floats((4, 5)), [[1, 3], [4, 0]], (2, 3), **windows),
        _gather(floats((3, 4, 2, 5)), integers((5, 1, 3), -2, 6), (1, 1, 2, 1), **turned),
        _gather(floats((4,)), 2, (1,), index_vector_dim=0, **one),
        _gather(floats((4,)), [3], (1,), index_vector_dim=0, **one),
        _gather(floats((4,)), np.array([250, 1], np.uint8), (1,), index_vector_dim=1, **one),
        _gather(floats((4, 3)), np.zeros((0, 1), np.int32), (1, 3), **rows),
        _gather(floats((4, 0)), [[1], [2]], (1, 0), **rows),
        _gather(floats((2, 3)), np.zeros((2, 0), np.int32), (2, 3), offset_dims=(1, 2), index_vector_dim=1),
        _gather(integers((4, 3), dtype=np.int16), np.array([[1], [3]]), (1, 3), **rows),
        _gather(integers((4, 3), 0, 2, BOOL), [[1], [3]], (1, 3), **rows),
        _gather(floats((4, 3), dtype=bfloat16), [[1], [3]], (1, 3), **rows),
    ]


defop(
    "gather",
    operands=("operand", "start_indices"),
    params={"dimension_numbers": GATHER, "slice_sizes": INTS, "indices_are_sorted": FLAG},
    type=_gather_type,
    ref=_gather_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": _gather_transpose},
    batch=_gather_batch,
    samples=_gather_samples,
    moves=True,
)
