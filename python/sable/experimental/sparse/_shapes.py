"""BCOO arrays in other shapes: axes and slices."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.values import as_value

from . import _entries
from ._bcoo import BCOO, bcoo_sum_duplicates


def bcoo_transpose(mat: BCOO, *, permutation: Sequence[int]) -> BCOO:
    """A sparse array with its axes in another order; batch, sparse and dense ones each stay together.

    Args:
      mat: the array.
      permutation: for each axis of the result which it was.

    Returns:
      BCOO array.

    Raises:
      TypeError: no permutation of the axes.
      NotImplementedError: axes of different kinds change places.

    Example:
      >>> bcoo_transpose(BCOO(([5], [[0, 2]]), shape=(2, 3)), permutation=(1, 0)).indices
      Array([[2, 0]], dtype=int32)
    """
    order = [operator.index(i) for i in permutation]
    if sorted(order) != list(range(mat.ndim)):
        raise TypeError(
            f"transpose permutation isn't a permutation of operand dimensions, got permutation {tuple(permutation)} for "
            f"shape {mat.shape}."
        )
    layout = mat._layout
    b, middle = layout.n_batch, layout.n_batch + layout.n_sparse
    for name, cut in (("batch axes with non-batch", b), ("dense axes with non-dense", middle)):
        if sorted(order[:cut]) != list(range(cut)):
            raise NotImplementedError(
                f"transpose permutation cannot permute {name} axes; got permutation {tuple(order)}, with n_batch={b}, "
                f"n_dense={layout.n_dense}."
            )
    batch, sparse, dense = order[:b], [i - b for i in order[b:middle]], order[middle:]
    data = mat.data.transpose([*batch, b, *(i - layout.n_sparse + 1 for i in dense)])
    indices = mat.indices.transpose([*batch, b, b + 1])
    in_place = sparse == sorted(sparse)
    if not in_place:
        indices = jnp.stack([indices[..., k] for k in sparse], axis=-1)
    return BCOO(
        (data, indices),
        shape=[mat.shape[i] for i in order],
        indices_sorted=mat.indices_sorted and in_place and bool(sparse),
        unique_indices=mat.unique_indices,
    )


def bcoo_broadcast_in_dim(
    mat: BCOO, *, shape: Sequence[int], broadcast_dimensions: Sequence[int], sharding: Any = None
) -> BCOO:
    """A sparse array with new axes: as `lax.broadcast_in_dim`.

    New axes before a batch axis, and those before all others, become batch axes, those behind a dense one dense axes; new
    axes among sparse ones have length 1.

    Args:
      mat: the array.
      shape: of the result.
      broadcast_dimensions: for each axis of `mat` which it is in the result.
      sharding: must be None.

    Returns:
      BCOO array.

    Raises:
      ValueError: dimensions that do not fit the shape.
      NotImplementedError: new sparse axes of other lengths.

    Example:
      >>> x = BCOO(([5], [[1]]), shape=(3,))
      >>> bcoo_broadcast_in_dim(x, shape=(2, 3), broadcast_dimensions=(1,))
      BCOO(int32[2, 3], nse=1, n_batch=1)
    """
    if sharding is not None:
        raise NotImplementedError("sharding of sparse arrays")
    sizes, to = tuple(operator.index(n) for n in shape), [operator.index(d) for d in broadcast_dimensions]
    fits = len(to) == mat.ndim and to == sorted(set(to)) and all(0 <= d < len(sizes) for d in to)
    if not fits or any(n not in (1, sizes[d]) for n, d in zip(mat.shape, to)):
        raise ValueError(f"broadcast_dimensions {tuple(to)} do not take shape {mat.shape} to {sizes}")
    layout = mat._layout
    middle = layout.n_batch + layout.n_sparse
    batch_to, sparse_to, dense_to = to[: layout.n_batch], to[layout.n_batch : middle], to[middle:]
    end = dense_to[0] if dense_to else len(sizes)
    n_batch = sparse_to[0] if sparse_to else end
    new_sparse = [d for d in range(n_batch, end) if d not in sparse_to]
    if any(sizes[d] != 1 for d in new_sparse) or any(
        mat.shape[layout.n_batch + k] != sizes[d] for k, d in enumerate(sparse_to)
    ):
        raise NotImplementedError("Adding sparse dimensions with lengths != 1")
    data, indices = mat.data, mat.indices
    grown_batch = [data.shape[batch_to.index(d)] if d in batch_to else sizes[d] for d in range(n_batch)]
    dense_shape = [mat.shape[to.index(d)] if d in dense_to else 1 for d in range(end, len(sizes))]
    ones = [data.shape[batch_to.index(d)] if d in batch_to else 1 for d in range(n_batch)]
    data = data.reshape((*ones, layout.nse, *dense_shape))
    data = jnp.broadcast_to(data, (*grown_batch, layout.nse, *sizes[end:]))
    ones = [indices.shape[batch_to.index(d)] if d in batch_to else 1 for d in range(n_batch)]
    grown = [indices.shape[batch_to.index(d)] if d in batch_to else sizes[d] for d in range(n_batch)]
    indices = jnp.broadcast_to(
        indices.reshape((*ones, layout.nse, layout.n_sparse)), (*grown, layout.nse, layout.n_sparse)
    )
    if new_sparse:
        zero = jnp.zeros(indices.shape[:-1], indices.dtype)
        columns = [indices[..., sparse_to.index(d)] if d in sparse_to else zero for d in range(n_batch, end)]
        indices = jnp.stack(columns, axis=-1)
    return BCOO((data, indices), shape=sizes)


def bcoo_squeeze(arr: BCOO, *, dimensions: Sequence[int]) -> BCOO:
    """A sparse array without some axes of length 1.

    Args:
      arr: the array.
      dimensions: the axes.

    Returns:
      BCOO array.

    Raises:
      ValueError: an axis of another length.

    Example:
      >>> bcoo_squeeze(BCOO(([5], [[0, 2]]), shape=(1, 3)), dimensions=(0,))
      BCOO(int32[3], nse=1)
    """
    gone = sorted({operator.index(d) % max(arr.ndim, 1) for d in dimensions})
    if any(arr.shape[d] != 1 for d in gone):
        raise ValueError(
            "cannot select an axis to squeeze out which has size not equal to one, got "
            f"shape={arr.shape} and dimensions={tuple(dimensions)}"
        )
    layout = arr._layout
    b, middle = layout.n_batch, layout.n_batch + layout.n_sparse
    data, indices = arr.data, arr.indices
    keep = [k for k in range(layout.n_sparse) if b + k not in gone]
    if len(keep) < layout.n_sparse:
        data = _entries.counted(data, indices, arr._sizes[1])  # those out of range along an axis that goes
        indices = jnp.stack([indices[..., k] for k in keep], axis=-1) if keep else indices[..., :0]
    batch = [d for d in gone if d < b]
    data = lax.squeeze(data, [*batch, *(d - layout.n_sparse + 1 for d in gone if d >= middle)])
    return BCOO(
        (data, lax.squeeze(indices, batch)),
        shape=[n for d, n in enumerate(arr.shape) if d not in gone],
        indices_sorted=arr.indices_sorted,
        unique_indices=arr.unique_indices,
    )


def bcoo_reshape(
    mat: BCOO, *, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None, sharding: Any = None
) -> BCOO:
    """A sparse array in another shape; batch, sparse and dense dimensions each keep their number of elements.

    Args:
      mat: the array.
      new_sizes: the shape.
      dimensions: order of the axes in which the elements are read: the array is transposed first.
      sharding: must be None.

    Returns:
      BCOO array.

    Raises:
      TypeError: another number of elements.
      ValueError: dimensions of different kinds would mix.

    Example:
      >>> bcoo_reshape(BCOO(([5], [[1, 2]]), shape=(2, 3)), new_sizes=(6,)).indices
      Array([[5]], dtype=int32)
    """
    if sharding is not None:
        raise NotImplementedError("sharding of sparse arrays")
    sizes = tuple(operator.index(n) for n in new_sizes)
    if dimensions is not None:
        mat = bcoo_transpose(mat, permutation=dimensions)
    if math.prod(sizes) != mat.size:
        raise TypeError(
            f"cannot reshape array of shape {mat.shape} (size {mat.size}) into shape {sizes} (size {math.prod(sizes)})"
        )
    batch, sparse, dense = mat._sizes
    if sizes == mat.shape:
        return BCOO((mat.data, mat.indices), shape=sizes)
    end = len(sizes) - _cut(sizes[::-1], dense[::-1], "sparse and dense", mat)
    cut = _cut(sizes[:end], batch, "batch and sparse", mat, most=True)
    layout = mat._layout
    new_batch, new_sparse, new_dense = sizes[:cut], sizes[cut:end], sizes[end:]
    if math.prod(new_sparse) != math.prod(sparse) and mat.size:
        raise ValueError(
            f"bcoo_reshape: new shape cannot mix sparse and dense dimensions; got {mat.shape=} new_shape={sizes}"
        )
    data, indices = mat.data, mat.indices
    b = layout.n_batch
    if new_batch != batch:
        data = jnp.broadcast_to(data, (*batch, *data.shape[b:]))
        indices = jnp.broadcast_to(indices, (*batch, *indices.shape[b:]))
        data = data.reshape((*new_batch, *data.shape[b:]))
        indices = indices.reshape((*new_batch, *indices.shape[b:]))
    data = data.reshape((*data.shape[: cut + 1], *new_dense))
    if new_sparse != sparse:
        indices = _renumbered(indices, sparse, new_sparse)
    return BCOO((data, indices), shape=sizes)


def _cut(sizes: Sequence[int], old: Sequence[int], what: str, mat: BCOO, most: bool = False) -> int:
    """How many of the new sizes make up the old ones; ones beside them go with them or not."""
    total = math.prod(old)
    fits = [k for k in range(len(sizes) + 1) if math.prod(sizes[:k]) == total]
    fits = [k for k in fits if (k > 0) == (len(old) > 0) or (most and k > 0)]
    if not fits:
        raise ValueError(
            f"bcoo_reshape: new shape cannot mix {what} dimensions; got shape={mat.shape} new_shape={tuple(sizes)} with "
            f"n_batch={mat.n_batch}, n_dense={mat.n_dense}"
        )
    if not most and tuple(sizes[: len(old)]) == tuple(old):
        return len(old)
    return fits[-1] if most else fits[0]


def _renumbered(indices: Value, old: Sequence[int], new: Sequence[int]) -> Value:
    """Indices of the same elements in another shape; those out of range stay so."""
    if not new:
        return indices[..., :0]
    dtype = np.dtype(indices.dtype)
    if not old:
        return jnp.zeros((*indices.shape[:-1], len(new)), dtype)
    keep = _entries.in_range(indices, old)
    strides = [math.prod(new[k + 1 :]) for k in range(len(new))]
    flat = jnp.zeros((), dtype)
    for k, size in enumerate(old):
        flat = flat * np.asarray(size, dtype) + indices[..., k]
    columns = [flat // np.asarray(max(s, 1), dtype) % np.asarray(max(n, 1), dtype) for s, n in zip(strides, new)]
    columns = [jnp.where(keep, c, np.asarray(n, dtype)) for c, n in zip(columns, new)]
    return jnp.stack(columns, axis=-1)


def bcoo_rev(operand: BCOO, dimensions: Sequence[int]) -> BCOO:
    """A sparse array, reversed along some axes.

    Args:
      operand: the array.
      dimensions: the axes.

    Returns:
      BCOO array.

    Raises:
      ValueError: an axis twice, or one that is not there.

    Example:
      >>> bcoo_rev(BCOO(([5], [[0]]), shape=(3,)), (0,)).indices
      Array([[2]], dtype=int32)
    """
    over = [operator.index(d) for d in dimensions]
    if len(set(over)) < len(over) or any(not 0 <= d < operand.ndim for d in over):
        raise ValueError(f"rev dimensions {tuple(over)} of an array of shape {operand.shape}")
    layout = operand._layout
    b, middle = layout.n_batch, layout.n_batch + layout.n_sparse
    data, indices = operand.data, operand.indices
    batch = [d for d in over if d < b]
    data = lax.rev(
        data, [*(d for d in batch if data.shape[d] > 1), *(d - layout.n_sparse + 1 for d in over if d >= middle)]
    )
    indices = lax.rev(indices, [d for d in batch if indices.shape[d] > 1])
    along = [d - b for d in over if b <= d < middle]
    if along:
        keep = _entries.in_range(indices, operand._sizes[1])
        columns = []
        for k, n in enumerate(operand._sizes[1]):
            column = indices[..., k]
            last = np.asarray(n - 1, np.dtype(indices.dtype))
            columns.append(jnp.where(keep, last - column, column) if k in along else column)
        indices = jnp.stack(columns, axis=-1)
    return BCOO((data, indices), shape=operand.shape)


def bcoo_slice(
    mat: BCOO, *, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> BCOO:
    """A part of a sparse array: as `lax.slice`.

    Args:
      mat: the array.
      start_indices, limit_indices, strides: for each axis; without strides, 1.

    Returns:
      BCOO array; it stores as many elements as `mat`, or as many as it has if those are fewer.

    Raises:
      ValueError: indices that are not there.

    Example:
      >>> x = BCOO(([5, 6, 7], [[0], [2], [3]]), shape=(4,))
      >>> bcoo_slice(x, start_indices=(1,), limit_indices=(4,)).todense()
      Array([0, 6, 7], dtype=int32)
    """
    start, limit = [operator.index(i) for i in start_indices], [operator.index(i) for i in limit_indices]
    step = [1] * mat.ndim if strides is None else [operator.index(i) for i in strides]
    if not len(start) == len(limit) == len(step) == mat.ndim:
        raise ValueError(f"bcoo_slice: indices and strides must be {mat.ndim} each, for shape {mat.shape}")
    inside = all(0 <= a <= z <= n for a, z, n in zip(start, limit, mat.shape))
    if not inside or any(s <= 0 for s in step):
        raise ValueError(
            f"bcoo_slice: invalid indices. Got start_indices={start}, limit_indices={limit} and shape={mat.shape}, strides={step}"
        )
    sizes = [-(-(z - a) // s) for a, z, s in zip(start, limit, step)]

    def moved(index: Value, k: int) -> tuple[Value, Value]:
        shifted = index - np.asarray(start[k], np.dtype(index.dtype))
        by = np.asarray(step[k], np.dtype(index.dtype))
        hit = (shifted >= 0) & (index < limit[k]) & (index < mat.shape[k])
        return shifted // by, hit & (shifted % by == 0) if step[k] > 1 else hit

    def cut(x: Value, axes: Sequence[int]) -> Value:
        return lax.slice(
            x,
            [start[d] if d is not None else 0 for d in axes],
            [limit[d] if d is not None else n for d, n in zip(axes, x.shape)],
            [step[d] if d is not None else 1 for d in axes],
        )

    return _part(mat, sizes, moved, cut)


def _part(mat: BCOO, sizes: Sequence[int], moved: Any, cut: Any) -> BCOO:
    """A part of a sparse array.

    Args:
      moved: (index, axis) -> the index in the part, and whether it is in it.
      cut: (array, for each of its axes which of `mat` it is or None) -> the part of it.
    """
    layout = mat._layout
    b, middle = layout.n_batch, layout.n_batch + layout.n_sparse

    dense = [d if mat.shape[d] != sizes[d] else None for d in range(middle, mat.ndim)]
    data = cut(mat.data, [*_axes(mat.data, mat, b), None, *dense])
    indices = cut(mat.indices, [*_axes(mat.indices, mat, b), None, None])
    if layout.n_sparse:
        parts = [moved(indices[..., k], b + k) for k in range(layout.n_sparse)]
        columns, hits = zip(*parts)
        keep = functools.reduce(operator.and_, hits)
        indices = jnp.where(keep[..., None], jnp.stack(columns, axis=-1), _entries.sizes_as(sizes[b:middle], indices))
        data = jnp.where(_entries.trailing(keep, data.ndim - keep.ndim), data, jnp.zeros((), data.dtype))
    found = BCOO((data, indices), shape=sizes)
    room = math.prod(sizes[b:middle])
    if layout.n_sparse and layout.nse > room:
        summed = bcoo_sum_duplicates(found, nse=room)
        return BCOO((summed.data, summed.indices), shape=sizes)
    return found


def _axes(x: Value, mat: BCOO, n_batch: int) -> list[int | None]:
    """The batch axes along which stored arrays are cut: not those that all examples share."""
    return [None if x.shape[d] == 1 and mat.shape[d] != 1 else d for d in range(n_batch)]


def bcoo_dynamic_slice(mat: BCOO, start_indices: Sequence[Any], slice_sizes: Sequence[int]) -> BCOO:
    """A part of a sparse array whose place need not be known: as `lax.dynamic_slice`.

    Args:
      mat: the array.
      start_indices: an integer array of shape () for each axis; where the part would reach beyond the end, it is moved back.
      slice_sizes: the part's shape.

    Returns:
      BCOO array; it stores as many elements as `mat`, or as many as it has if those are fewer.

    Raises:
      TypeError: the part is larger than the array.
      ValueError: the numbers of indices, sizes and axes differ.

    Example:
      >>> x = BCOO(([5, 6, 7], [[0], [2], [3]]), shape=(4,))
      >>> bcoo_dynamic_slice(x, [2], [2]).todense()
      Array([6, 7], dtype=int32)
    """
    sizes = [operator.index(n) for n in slice_sizes]
    if not len(start_indices) == len(sizes) == mat.ndim:
        raise ValueError(f"bcoo_dynamic_slice: indices and sizes must be {mat.ndim} each, for shape {mat.shape}")
    if any(size > n for size, n in zip(sizes, mat.shape)):
        raise TypeError(
            "slice slice_sizes must be less than or equal to operand shape, got slice_sizes "
            f"{tuple(sizes)} for operand shape {mat.shape}"
        )
    dtype = np.dtype(mat.indices.dtype)
    start = [jnp.clip(_wrapped(i, n), 0, n - size) for i, n, size in zip(start_indices, mat.shape, sizes)]

    def moved(index: Value, k: int) -> tuple[Value, Value]:
        shifted = index - start[k].astype(dtype)
        return shifted, (shifted >= 0) & (shifted < sizes[k]) & (index < mat.shape[k])

    def cut(x: Value, axes: Sequence[int | None]) -> Value:
        if all(d is None for d in axes):
            return x
        at = [0 if d is None else start[d] for d in axes]
        return lax.dynamic_slice(x, at, [n if d is None else sizes[d] for d, n in zip(axes, x.shape)])

    return _part(mat, sizes, moved, cut)


def _wrapped(i: Any, n: int) -> Value:
    """An index, counted from the end if it is negative."""
    at = as_value(i)
    return jnp.where(at < 0, at + np.asarray(n, at.aval.dtype), at)
