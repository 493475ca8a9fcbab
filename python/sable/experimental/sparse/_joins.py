"""Joins, sums, gathers and convolutions of BCOO arrays."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.api.batching import vmap
from sable.core.array import Value
from sable.core.values import as_value

from . import _entries
from ._bcoo import BCOO, bcoo_fromdense, bcoo_update_layout
from ._shapes import bcoo_dynamic_slice, bcoo_reshape, bcoo_squeeze


def bcoo_concatenate(operands: Sequence[BCOO], *, dimension: int) -> BCOO:
    """Sparse arrays, joined along an axis.

    Args:
      operands: arrays of one layout, whose other dimensions are equal.
      dimension: a batch or sparse axis.

    Returns:
      BCOO array with all their elements.

    Raises:
      ValueError: no arrays, or numbers of batch or dense dimensions differ.
      TypeError: other shapes do not fit.
      NotImplementedError: a dense axis.

    Example:
      >>> x = BCOO(([5], [[1]]), shape=(2,))
      >>> bcoo_concatenate([x, x], dimension=0).todense()
      Array([0, 5, 0, 5], dtype=int32)
    """
    arrays = list(operands)
    axis = operator.index(dimension)
    if not arrays:
        raise ValueError("bcoo_concatenate: operands must not be empty")
    shapes = [x.shape for x in arrays]
    if len({len(s) for s in shapes}) > 1:
        raise TypeError(f"Cannot concatenate arrays with different numbers of dimensions: got {shapes}.")
    if not 0 <= axis < len(shapes[0]):
        raise TypeError(f"concatenate dimension out of bounds: dimension {axis} for shapes {shapes}.")
    if len({(*s[:axis], *s[axis + 1 :]) for s in shapes}) > 1:
        raise TypeError(
            "Cannot concatenate arrays with shapes that differ in dimensions other than the one being concatenated: "
            f"concatenating along dimension {axis} for shapes {shapes}."
        )
    layout = arrays[0]._layout
    for name, numbers in (("batch", {x.n_batch for x in arrays}), ("dense", {x.n_dense for x in arrays})):
        if len(numbers) > 1:
            raise ValueError(f"bcoo_concatenate requires inputs to have matching {name} dimensions.")
    shape = [*shapes[0]]
    shape[axis] = sum(s[axis] for s in shapes)
    if axis >= layout.n_batch + layout.n_sparse:
        raise NotImplementedError("Concatenation along dense dimensions.")
    b = layout.n_batch
    if axis < b:
        return _joined_examples(arrays, axis, shape)
    offset, indices = 0, []
    for x in arrays:
        moved = _entries.sizes_as([offset if k == axis - b else 0 for k in range(layout.n_sparse)], x.indices)
        kept = _entries.in_range(x.indices, x._sizes[1])
        beyond = _entries.sizes_as(shape[b : b + layout.n_sparse], x.indices)
        indices.append(jnp.where(kept[..., None], x.indices + moved, beyond))
        offset += x.shape[axis]
    every = [np.broadcast_shapes(*(x.shape[:b] for x in group)) for group in ([x.data for x in arrays], indices)]
    data = jnp.concatenate([jnp.broadcast_to(x.data, (*every[0], *x.data.shape[b:])) for x in arrays], axis=b)
    return BCOO(
        (data, jnp.concatenate([jnp.broadcast_to(x, (*every[1], *x.shape[b:])) for x in indices], axis=b)), shape=shape
    )


def _joined_examples(arrays: Sequence[BCOO], axis: int, shape: Sequence[int]) -> BCOO:
    """Sparse arrays joined along a batch axis; those that store fewer elements are padded."""
    b, nse = arrays[0].n_batch, max(x.nse for x in arrays)
    sparse = arrays[0]._sizes[1]
    data, indices = [], []
    for x in arrays:
        more = nse - x.nse
        batch = x.shape[:b]
        d = jnp.broadcast_to(x.data, (*batch, *x.data.shape[b:]))
        i = jnp.broadcast_to(x.indices, (*batch, *x.indices.shape[b:]))
        if more:
            d = jnp.concatenate([d, jnp.zeros((*batch, more, *d.shape[b + 1 :]), d.dtype)], axis=b)
            beyond = jnp.asarray(_entries.sizes_as(sparse, i))
            i = jnp.concatenate([i, jnp.broadcast_to(beyond, (*batch, more, len(sparse)))], axis=b)
        data.append(d)
        indices.append(i)
    return BCOO((jnp.concatenate(data, axis=axis), jnp.concatenate(indices, axis=axis)), shape=shape)


def bcoo_reduce_sum(mat: BCOO, *, axes: Sequence[int]) -> BCOO:
    """The sum of a sparse array over axes.

    Args:
      mat: the array.
      axes: the axes, without those counted from the end.

    Returns:
      BCOO array, perhaps with duplicates.

    Raises:
      ValueError: an axis that is not there.

    Example:
      >>> x = BCOO(([5, 6], [[0, 1], [1, 1]]), shape=(2, 3))
      >>> bcoo_reduce_sum(x, axes=(0,)).todense()
      Array([ 0, 11,  0], dtype=int32)
    """
    over = sorted({operator.index(d) for d in axes})
    if any(not 0 <= d < mat.ndim for d in over):
        raise ValueError(f"bcoo_reduce_sum: axes {tuple(axes)} of an array of shape {mat.shape}")
    layout = mat._layout
    b, middle = layout.n_batch, layout.n_batch + layout.n_sparse
    data, indices = mat.data, mat.indices
    keep = [k for k in range(layout.n_sparse) if b + k not in over]
    if len(keep) < layout.n_sparse:
        data = _entries.counted(data, indices, mat._sizes[1])
        indices = jnp.stack([indices[..., k] for k in keep], axis=-1) if keep else indices[..., :0]
    data = jnp.sum(data, axis=tuple(d - layout.n_sparse + 1 for d in over if d >= middle), dtype=data.dtype)
    batch = [d for d in over if d < b]
    if batch:
        data, indices = _merged(data, mat.shape, batch, b), _merged(indices, mat.shape, batch, b)
    return BCOO((data, indices), shape=[n for d, n in enumerate(mat.shape) if d not in over])


def _merged(x: Value, shape: Sequence[int], batch: list[int], n_batch: int) -> Value:
    """Entries of all examples along batch axes one behind the other."""
    grown = [shape[d] if d in batch else x.shape[d] for d in range(n_batch)]
    x = jnp.broadcast_to(x, (*grown, *x.shape[n_batch:]))
    stay = [d for d in range(n_batch) if d not in batch]
    x = x.transpose([*stay, *batch, *range(n_batch, x.ndim)])
    nse = math.prod(x.shape[len(stay) : n_batch + 1])
    return x.reshape((*x.shape[: len(stay)], nse, *x.shape[n_batch + 1 :]))


def bcoo_gather(
    operand: BCOO,
    start_indices: Any,
    dimension_numbers: lax.GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: Any = None,
    fill_value: Any = None,
) -> BCOO:
    """Parts of a sparse array, one for each position: as `lax.gather`.

    Args:
      operand: the array.
      start_indices: positions, of shape batch + (number of indices,).
      dimension_numbers: as of `lax.gather`; the parts' axes follow those of the positions.
      slice_sizes: shape of a part.
      unique_indices, indices_are_sorted: without effect.
      mode: what happens to parts that reach beyond the end: None and "clip" move them back.
      fill_value: must be None.

    Returns:
      BCOO array; the axes of the positions are batch axes.

    Raises:
      NotImplementedError: another mode; batching dimensions; parts' axes before those of the positions.

    Example:
      >>> import sable.numpy as jnp
      >>> numbers = lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))
      >>> x = BCOO(([5, 6], [[0], [2]]), shape=(3,))
      >>> bcoo_gather(x, jnp.array([[2], [1]]), numbers, (1,)).todense()
      Array([6, 0], dtype=int32)
    """
    chosen = None if mode is None else lax.GatherScatterMode.from_any(mode)
    clips = (
        None,
        lax.GatherScatterMode.CLIP,
        lax.GatherScatterMode.PROMISE_IN_BOUNDS,
        lax.GatherScatterMode.FILL_OR_DROP,
    )
    if chosen not in clips or fill_value is not None:
        raise NotImplementedError(f"bcoo_gather with mode={mode}, fill_value={fill_value}")
    n = dimension_numbers
    at = as_value(start_indices)
    examples = at.aval.shape[:-1]
    offsets = tuple(range(len(examples), len(examples) + len(n.offset_dims)))
    if n.operand_batching_dims or n.start_indices_batching_dims:
        raise NotImplementedError("bcoo_gather with batching dimensions")
    if tuple(n.offset_dims) != offsets:
        raise NotImplementedError("bcoo_gather where axes of the parts stand before those of the positions")

    def part(index: Value) -> BCOO:
        start: list[Any] = [0] * operand.ndim
        for k, d in enumerate(n.start_index_map):
            start[d] = index[k]
        found = bcoo_dynamic_slice(operand, start, slice_sizes)
        return bcoo_squeeze(found, dimensions=n.collapsed_slice_dims)

    flat = at.reshape((math.prod(examples), at.shape[-1]))
    found = vmap(part)(flat)
    inner = tuple(size for d, size in enumerate(slice_sizes) if d not in n.collapsed_slice_dims)
    mat = BCOO((found.data, found.indices), shape=(flat.shape[0], *inner))
    return bcoo_reshape(mat, new_sizes=(*examples, *inner)) if len(examples) != 1 else mat


def bcoo_conv_general_dilated(
    lhs: Any,
    rhs: Any,
    *,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> BCOO:
    """A convolution along one axis, of one example and one channel: as `lax.conv_general_dilated`.

    Args:
      lhs, rhs: arrays of shape (1, 1, n), at least one of which is sparse.
      padding: "SAME", "VALID" or a pair of integers for the axis.
      window_strides, lhs_dilation, rhs_dilation, feature_group_count, batch_group_count: must be 1.
      dimension_numbers, precision, preferred_element_type: as of `lax.conv_general_dilated`.
      out_sharding: must be None.

    Returns:
      BCOO array with two batch axes and an element for each pair of stored elements.

    Raises:
      NotImplementedError: other shapes, strides, dilations, groups or layouts.

    Example:
      >>> import sable.numpy as jnp
      >>> x = BCOO.fromdense(jnp.array([[[0, 1, 0, 2]]]), n_batch=2)
      >>> bcoo_conv_general_dilated(x, jnp.array([[[1, 10]]]), window_strides=(1,), padding="VALID").todense()
      Array([[[10,  1, 20]]], dtype=int32)
    """
    if any(s != 1 for s in window_strides):
        raise NotImplementedError("bcoo convolution with non-unit window_strides.")
    for name, dilation in (("lhs_dilation", lhs_dilation), ("rhs_dilation", rhs_dilation)):
        if any(s != 1 for s in dilation or ()):
            raise NotImplementedError(f"bcoo convolution with non-unit {name}.")
    if feature_group_count != 1 or batch_group_count != 1 or out_sharding is not None:
        raise NotImplementedError("bcoo convolution with groups or shardings")
    x, w = (m if isinstance(m, BCOO) else bcoo_fromdense(m, nse=m.size, n_batch=0) for m in (lhs, rhs))
    numbers = lax.conv_dimension_numbers(x.shape, w.shape, dimension_numbers)
    plain = (tuple(range(x.ndim)),) * 3
    if (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec) != plain:
        raise NotImplementedError("bcoo convolution with other dimension_numbers than the default.")
    if x.ndim != 3 or x.shape[:2] != (1, 1) or w.shape[:2] != (1, 1):
        raise NotImplementedError("bcoo convolution of other shapes than (1, 1, n).")
    (low, high) = _padding(padding, w.shape[2])
    size = x.shape[2] + low + high - w.shape[2] + 1
    return _convolved(_row(x), _row(w), low, max(size, 0), preferred_element_type)


def _padding(padding: Any, window: int) -> tuple[int, int]:
    if isinstance(padding, str):
        total = window - 1 if padding.upper() in ("SAME", "SAME_LOWER") else 0
        low = (total + 1) // 2 if padding.upper() == "SAME_LOWER" else total // 2
        return low, total - low
    ((low, high),) = padding
    return operator.index(low), operator.index(high)


def _row(mat: BCOO) -> BCOO:
    """A sparse array of shape (1, 1, n) as one of shape (n,) without batch and dense dimensions."""
    return bcoo_squeeze(bcoo_update_layout(mat, n_batch=0, n_dense=0), dimensions=(0, 1))


def _convolved(x: BCOO, w: BCOO, low: int, size: int, preferred: Any) -> BCOO:
    """out[i] = sum_j x[i + j - low] w[j]: each pair of entries, at i and j, gives one at i - j + low."""
    dtype = preferred or jnp.result_type(x.dtype, w.dtype)
    x_counts, w_counts = _entries.in_range(x.indices, x.shape), _entries.in_range(w.indices, w.shape)
    at = (
        x.indices[:, None, 0]
        - w.indices[None, :, 0].astype(x.indices.dtype)
        + np.asarray(low, np.dtype(x.indices.dtype))
    )
    match = x_counts[:, None] & w_counts[None, :] & (at >= 0) & (at < size)
    data = jnp.where(match, x.data.astype(dtype)[:, None] * w.data.astype(dtype)[None, :], jnp.zeros((), dtype))
    indices = jnp.where(match, at, np.asarray(size, np.dtype(at.dtype)))
    nse = x.nse * w.nse
    return BCOO((data.reshape((1, 1, nse)), indices.reshape((1, 1, nse, 1))), shape=(1, 1, size))
