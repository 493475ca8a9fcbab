"""Entries of sparse arrays: arrays of values and of positions, of shapes

    data:     batch + (nse,) + dense
    indices:  batch + (nse, n_sparse)

where dimensions of `batch` may be 1: then all examples share them. An entry one of whose indices is out of range counts as
zero; such entries fill up what is longer than it needs to be. Entries at the same position are added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value


class Layout(NamedTuple):
    """How many dimensions of a sparse array are of which kind, in this order, and how many elements are stored."""

    n_batch: int
    n_sparse: int
    n_dense: int
    nse: int

    def split(self, shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The sizes of the dimensions of each kind."""
        middle = self.n_batch + self.n_sparse
        return tuple(shape[: self.n_batch]), tuple(shape[self.n_batch : middle]), tuple(shape[middle:])


def layout_of(data: Any, indices: Any, shape: Sequence[int]) -> Layout:
    """The layout of entries.

    Raises:
      ValueError: shapes that do not fit together.
    """
    if indices.ndim < 2:
        raise ValueError(f"indices must have at least two dimensions (nse, n_sparse), got shape {indices.shape}")
    *batch, nse, n_sparse = indices.shape
    n_batch = len(batch)
    n_dense = len(shape) - n_batch - n_sparse
    if n_dense < 0:
        raise ValueError(
            f"indices of shape {tuple(indices.shape)} stand for more dimensions than shape {tuple(shape)} has"
        )
    fits = all(n in (1, size) for n, size in zip(batch, shape))
    if not fits:
        raise ValueError(
            f"indices batch dimensions not compatible for indices.shape={tuple(indices.shape)}, shape={tuple(shape)}"
        )
    dense = tuple(shape[n_batch + n_sparse :])
    found = tuple(data.shape)
    fits = len(found) == n_batch + 1 + n_dense and all(n in (1, size) for n, size in zip(found, shape[:n_batch]))
    if not fits or found[n_batch:] != (nse, *dense):
        raise ValueError(f"Invalid data.shape={found} for nse={nse}, n_batch={n_batch}, n_dense={n_dense}")
    return Layout(n_batch, n_sparse, n_dense, nse)


def along(axis: int, size: int, ndim: int) -> Value:
    """0 ... size - 1 along one of so many axes."""
    return jnp.arange(size).reshape([size if i == axis else 1 for i in range(ndim)])


def positions(indices: Value, shape: Sequence[int]) -> list[Value]:
    """For each batch and sparse dimension the entries' positions, as arrays that broadcast to batch + (nse,)."""
    n_batch, n_sparse = indices.ndim - 2, indices.shape[-1]
    batch = [along(i, shape[i], n_batch + 1) for i in range(n_batch)]
    return [*batch, *(indices[..., k] for k in range(n_sparse))]


def sizes_as(sizes: Sequence[int], indices: Value) -> np.ndarray:
    """Sizes of sparse dimensions, in the dtype of indices and with as many dimensions."""
    return np.asarray(sizes, np.dtype(indices.dtype)).reshape((*(1,) * (indices.ndim - 1), len(sizes)))


def in_range(indices: Value, sparse: Sequence[int]) -> Value:
    """Which entries count: bool of shape batch + (nse,)."""
    return jnp.all(indices < sizes_as(sparse, indices), axis=-1)


def trailing(x: Value, n: int) -> Value:
    """x with n axes of length 1 behind its own."""
    return x.reshape((*x.shape, *(1,) * n))


def counted(data: Value, indices: Value, sparse: Sequence[int]) -> Value:
    """The data, with zeros where entries do not count."""
    if not sparse:
        return data
    keep = in_range(indices, sparse)
    return jnp.where(trailing(keep, data.ndim - keep.ndim), data, jnp.zeros((), data.dtype))


def scattered(data: Value, indices: Value, shape: Sequence[int]) -> Value:
    """The dense array."""
    layout = layout_of(data, indices, shape)
    if not layout.n_sparse:
        total = jnp.sum(data, axis=layout.n_batch, dtype=data.dtype)
        return jnp.broadcast_to(total, tuple(shape))
    at = positions(indices, shape)
    return jnp.zeros(tuple(shape), data.dtype).at[tuple(at)].add(data, mode="drop")


def taken(indices: Value, dense: Value, unique: bool = True) -> Value:
    """The elements of a dense array at the entries' positions; 0 where they are out of range.

    Args:
      unique: whether positions stand there once; else the later ones of equals get 0.
    """
    n_batch, n_sparse = indices.ndim - 2, indices.shape[-1]
    nse = indices.shape[-2]
    if n_sparse:
        found = dense.at[tuple(positions(indices, dense.shape))].get(mode="fill", fill_value=0)
    else:
        shape = (*dense.shape[:n_batch], nse, *dense.shape[n_batch:])
        found = jnp.broadcast_to(jnp.expand_dims(dense, n_batch), shape)
    if unique:
        return found
    first = firsts(indices)
    return jnp.where(trailing(first, found.ndim - first.ndim), found, jnp.zeros((), found.dtype))


def order(indices: Value) -> tuple[Value, Value]:
    """Sorted indices, and for each entry which of the given it was: ints of shape batch + (nse,)."""
    n_sparse = indices.shape[-1]
    number = lax.broadcasted_iota(jnp.int32, indices.shape[:-1], indices.ndim - 2)
    if not n_sparse:
        return indices, number
    columns = [indices[..., k] for k in range(n_sparse)]
    *columns, number = lax.sort((*columns, number), dimension=-1, num_keys=n_sparse)
    return jnp.stack(columns, axis=-1), number


def rearranged(data: Value, number: Value) -> Value:
    """Data in the order of `order`."""
    axis = number.ndim - 1
    shape = (*np.broadcast_shapes(data.shape[:axis], number.shape[:axis]), *data.shape[axis:])
    at = jnp.broadcast_to(number, (*shape[:axis], number.shape[-1]))
    return jnp.take_along_axis(jnp.broadcast_to(data, shape), trailing(at, data.ndim - axis - 1), axis=axis)


def starts(ordered: Value) -> Value:
    """Which of sorted entries are at another position than the one before."""
    first = jnp.equal(lax.broadcasted_iota(jnp.int32, ordered.shape[:-1], ordered.ndim - 2), 0)
    if not ordered.shape[-1] or not ordered.shape[-2]:
        return first
    differs = jnp.any(ordered[..., 1:, :] != ordered[..., :-1, :], axis=-1)
    return first | jnp.concatenate([first[..., :1], differs], axis=-1)


def firsts(indices: Value) -> Value:
    """Which entries are the first at their position."""
    ordered, number = order(indices)
    batch = number.ndim - 1
    at = tuple(along(i, number.shape[i], batch + 1) for i in range(batch))
    return jnp.zeros(number.shape, bool).at[(*at, number)].set(starts(ordered), unique_indices=True)


def clamped(indices: Value, sparse: Sequence[int]) -> Value:
    """Indices, in which all of an entry that does not count are one beyond the end."""
    keep = in_range(indices, sparse)
    return jnp.where(keep[..., None], indices, sizes_as(sparse, indices))


class Groups(NamedTuple):
    """Entries in order, those at one position beside each other.

    Attributes:
      indices: sorted; those out of range are last.
      number: see `order`.
      group: which position it is, counted from 0; of those out of range, more than there are groups.
      count: how many positions there are.
    """

    indices: Value
    number: Value
    group: Value
    count: Value


def grouped(indices: Value, sparse: Sequence[int]) -> Groups:
    """Entries by their positions."""
    ordered, number = order(clamped(indices, sparse))
    keep = in_range(ordered, sparse)
    new = starts(ordered) & keep
    group = jnp.cumsum(new, axis=-1, dtype=jnp.int32) - 1
    return Groups(ordered, number, jnp.where(keep, group, np.iinfo(np.int32).max), jnp.sum(new, axis=-1))


def summed(data: Value, groups: Groups, sparse: Sequence[int], nse: int) -> tuple[Value, Value]:
    """Entries, those at one position added; so many: the first ones, or padded."""
    axis = groups.number.ndim - 1
    data = rearranged(data, groups.number)
    own = tuple(along(i, n, axis + 1) for i, n in enumerate(groups.number.shape[:axis]))
    beyond = jnp.asarray(sizes_as(sparse, groups.indices))
    empty = jnp.broadcast_to(beyond, (*groups.number.shape[:axis], nse, len(sparse)))
    indices = empty.at[(*own, groups.group)].set(groups.indices, mode="drop")
    every = tuple(along(i, n, axis + 1) for i, n in enumerate(data.shape[:axis]))
    zeros = jnp.zeros((*data.shape[:axis], nse, *data.shape[axis + 1 :]), data.dtype)
    return zeros.at[(*every, groups.group)].add(data, mode="drop"), indices


def selected(mask: Value, n_batch: int, nse: int, dtype: Any) -> Value:
    """The positions of the first nse true elements of each example, in order; behind them positions out of range.

    Args:
      mask: bool of shape batch + sparse.

    Returns:
      Indices of shape batch + (nse, n_sparse).
    """
    batch, sparse = mask.shape[:n_batch], mask.shape[n_batch:]
    size = math.prod(sparse)
    if not sparse:
        return jnp.zeros((*batch, nse, 0), dtype)
    flat = mask.reshape((*batch, size))
    place = jnp.where(flat, jnp.cumsum(flat, axis=-1, dtype=jnp.int32) - 1, nse)
    own = tuple(along(i, n, n_batch + 1) for i, n in enumerate(batch))
    every = jnp.broadcast_to(jnp.arange(size, dtype=jnp.int32), flat.shape)
    at = jnp.full((*batch, nse), size, jnp.int32).at[(*own, place)].set(every, mode="drop")
    strides = [math.prod(sparse[k + 1 :]) for k in range(len(sparse))]
    columns = [at // max(stride, 1) % max(n, 1) for stride, n in zip(strides, sparse)]
    columns = [jnp.where(at < size, c, n).astype(dtype) for c, n in zip(columns, sparse)]
    return jnp.stack(columns, axis=-1)
