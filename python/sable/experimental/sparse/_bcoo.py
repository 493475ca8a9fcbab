"""Batched coordinate lists (BCOO): the class, its way from and to dense arrays, and its layouts."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import AnyArray, Value
from sable.core.dtypes import canonicalize_dtype
from sable.core.trace import Tracer
from sable.core.values import as_value

from . import _entries
from ._base import (
    JAXSparse,
    SparseEfficiencyError,
    SparseEfficiencyWarning,
    as_numpy,
    as_stored,
    known_shape,
    known_size,
    register_sparse,
    seen_shape,
)


class BCOO(JAXSparse):
    """A sparse array by its elements and their indices, in batches and with dense dimensions.

    Its dimensions are first `n_batch` batch, then `n_sparse` sparse, then `n_dense` dense ones. Of each example so many elements,
    `nse`, are stored; those whose indices are out of range count as zero, those at the same indices are added.

    Args:
      args: data of shape batch + (nse,) + dense, indices of shape batch + (nse, n_sparse), where batch dimensions may be 1.
      shape: of the array.
      indices_sorted: whether the indices of each example stand in order.
      unique_indices: whether each stands there once.

    Raises:
      ValueError: shapes that do not fit together.

    Example:
      >>> import sable.numpy as jnp
      >>> matrix = BCOO((jnp.array([3.0, 4.0]), jnp.array([[0, 1], [1, 2]])), shape=(2, 3))
      >>> matrix
      BCOO(float32[2, 3], nse=2)
      >>> matrix @ jnp.ones(3)
      Array([3., 4.], dtype=float32)
    """

    _shape: tuple[int, ...]
    data: Any
    indices: Any
    indices_sorted: bool
    unique_indices: bool
    _ARRAYS = ("data", "indices")

    def __init__(
        self,
        args: tuple[AnyArray, AnyArray],
        *,
        shape: Sequence[int],
        indices_sorted: bool = False,
        unique_indices: bool = False,
    ):
        data, indices = as_stored(args)
        super().__init__((data, indices), shape=shape)
        self.data, self.indices = data, indices
        self.indices_sorted, self.unique_indices = indices_sorted, unique_indices
        if not np.issubdtype(indices.aval.dtype, np.integer):
            raise ValueError(f"indices must be integers, got {indices.aval.dtype}")
        self._layout  # noqa: B018  (it is checked)

    @property
    def _layout(self) -> _entries.Layout:
        return _entries.layout_of(self.data, self.indices, self.shape)

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The sizes of the dimensions."""
        return seen_shape(self._shape, self.data, self.indices, self.n_batch, self.n_sparse)

    @shape.setter
    def shape(self, sizes: tuple[int, ...]) -> None:
        self._shape = sizes

    @property
    def nse(self) -> int:
        """The number of stored elements of each example."""
        return self.indices.shape[-2]

    @property
    def n_batch(self) -> int:
        """The number of batch dimensions."""
        return self.indices.ndim - 2

    @property
    def n_sparse(self) -> int:
        """The number of sparse dimensions."""
        return self.indices.shape[-1]

    @property
    def n_dense(self) -> int:
        """The number of dense dimensions."""
        return self.data.ndim - 1 - self.n_batch

    @property
    def _sizes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """The sizes of batch, sparse and dense dimensions."""
        return self._layout.split(self.shape)

    def _says(self) -> str:
        layout = self._layout
        parts = [f"nse={layout.nse}"]
        parts += [f"{name}={n}" for name, n in (("n_batch", layout.n_batch), ("n_dense", layout.n_dense)) if n]
        return ", ".join(parts)

    def tree_flatten(self) -> tuple[tuple, dict[str, Any]]:
        """Data and indices; shape and flags."""
        flags = {"indices_sorted": self.indices_sorted, "unique_indices": self.unique_indices}
        return (self.data, self.indices), {"shape": known_shape(self), **flags}

    @classmethod
    def fromdense(
        cls,
        mat: AnyArray,
        *,
        nse: int | None = None,
        index_dtype: Any = np.int32,
        n_dense: int = 0,
        n_batch: int = 0,
    ) -> BCOO:
        """The elements of a dense array that are not zero: `bcoo_fromdense`."""
        return bcoo_fromdense(mat, nse=nse, index_dtype=index_dtype, n_dense=n_dense, n_batch=n_batch)

    @classmethod
    def from_scipy_sparse(cls, mat: Any, *, index_dtype: Any = None, n_dense: int = 0, n_batch: int = 0) -> BCOO:
        """A matrix of `scipy.sparse`, of any of its formats.

        Raises:
          NotImplementedError: batch or dense dimensions.
        """
        if n_dense or n_batch:
            raise NotImplementedError("from_scipy_sparse with batch or dense dimensions")
        found = mat.tocoo()
        dtype = canonicalize_dtype(index_dtype or np.int32)
        indices = np.stack([found.row, found.col], axis=1).astype(dtype)
        return cls((as_value(found.data), as_value(indices)), shape=mat.shape)

    def todense(self) -> Value:
        """The array with its zeros."""
        return bcoo_todense(self)

    def sort_indices(self) -> BCOO:
        """The same array, its indices in order: `bcoo_sort_indices`."""
        return bcoo_sort_indices(self)

    def sum_duplicates(self, nse: int | None = None, remove_zeros: bool = True) -> BCOO:
        """The same array, each index once.

        Args:
          nse: how many elements are stored; without, as many as there are. Inside of `jit` it must be said.
          remove_zeros: whether stored zeros are left out.

        Raises:
          ValueError: nse is not given and not known.
        """
        if not remove_zeros:
            return bcoo_sum_duplicates(self, nse=nse)
        return bcoo_sum_duplicates(_without_zeros(self), nse=nse)

    def update_layout(
        self, *, n_batch: int | None = None, n_dense: int | None = None, on_inefficient: str | None = "error"
    ) -> BCOO:
        """The same array with other numbers of batch and dense dimensions: `bcoo_update_layout`."""
        return bcoo_update_layout(self, n_batch=n_batch, n_dense=n_dense, on_inefficient=on_inefficient)


register_sparse(BCOO)


def _described(x: Any, what: str) -> BCOO:
    if not isinstance(x, BCOO):
        raise TypeError(f"{what} takes a BCOO array, got {type(x)}")
    return x


def bcoo_todense(mat: BCOO) -> Value:
    """A sparse array with its zeros.

    Args:
      mat: the array.

    Returns:
      Array of its shape and dtype.

    Example:
      >>> bcoo_todense(BCOO(([5], [[1]]), shape=(3,)))
      Array([0, 5, 0], dtype=int32)
    """
    return _entries.scattered(mat.data, mat.indices, mat.shape)


def bcoo_fromdense(
    mat: AnyArray, *, nse: int | None = None, n_batch: int = 0, n_dense: int = 0, index_dtype: Any = np.int32
) -> BCOO:
    """The elements of a dense array that are not zero.

    Args:
      mat: array of at least n_batch + n_dense dimensions.
      nse: how many elements of each example are stored: the first ones, or padded; without, as many as the fullest
        example has. Inside of `jit` it must be said.
      n_batch, n_dense: numbers of leading and of trailing dimensions that are not sparse. What is stored then are arrays of the
        dense dimensions, those in which not all is zero.
      index_dtype: of the indices.

    Returns:
      BCOO array; its indices are unique and sorted.

    Raises:
      ConcretizationTypeError: nse is neither given nor known.
      ValueError: more batch and dense dimensions than there are.

    Example:
      >>> import sable.numpy as jnp
      >>> found = bcoo_fromdense(jnp.array([[0, 7, 0], [0, 0, 9]]))
      >>> found.data, found.indices
      (Array([7, 9], dtype=int32), Array([[0, 1],
             [1, 2]], dtype=int32))
    """
    dense = as_stored([as_numpy(mat) if isinstance(mat, (list, tuple)) else mat])[0]
    if min(n_batch, n_dense) < 0 or n_batch + n_dense > dense.ndim:
        raise ValueError(f"{n_batch=} and {n_dense=} do not fit an array of shape {dense.shape}")
    n_sparse = dense.ndim - n_batch - n_dense
    mask = jnp.any(dense != 0, axis=tuple(range(n_batch + n_sparse, dense.ndim)))
    if nse is None:
        nse = _fullest(jnp.sum(mask, axis=tuple(range(n_batch, n_batch + n_sparse))))
    else:
        nse = known_size(nse, _FROMDENSE)
    indices = _entries.selected(mask, n_batch, nse, canonicalize_dtype(index_dtype))
    data = _entries.taken(indices, dense)
    if not n_sparse:  # one entry, and where more are asked for, zeros
        first = _entries.along(n_batch, nse, n_batch + 1) == 0
        data = jnp.where(_entries.trailing(first, n_dense), data, jnp.zeros((), data.dtype))
    return BCOO((data, indices), shape=dense.shape, indices_sorted=True, unique_indices=True)


_FROMDENSE = (
    "The error arose for the nse argument of bcoo_fromdense: the number of stored elements is a part of the type. Inside of "
    "compiled functions it must be given: BCOO.fromdense(mat, nse=...)."
)


def _fullest(counts: Value) -> int:
    return known_size(jnp.max(counts, initial=0), _FROMDENSE)


def bcoo_extract(sparr: BCOO, arr: AnyArray, *, assume_unique: bool | None = None) -> BCOO:
    """The elements of a dense array where a sparse array has entries.

    Args:
      sparr: sparse array.
      arr: array of its shape.
      assume_unique: whether entries at the same indices get each the whole element; else the first gets it and the others 0.
        By default what is known of the indices.

    Returns:
      BCOO array with the indices of `sparr`, and zeros where they are out of range.

    Raises:
      TypeError: the first argument is no BCOO array.
      ValueError: shapes differ.

    Example:
      >>> import sable.numpy as jnp
      >>> bcoo_extract(BCOO(([1], [[2]]), shape=(4,)), jnp.arange(4.0)).data
      Array([2.], dtype=float32)
    """
    sparse, dense = _described(sparr, "bcoo_extract"), as_value(arr)
    if sparse.shape != dense.aval.shape:
        raise ValueError(f"shape mismatch: sparr.shape={sparse.shape} a.shape={dense.aval.shape}")
    unique = sparse.unique_indices if assume_unique is None else assume_unique
    return with_data(sparse, _entries.taken(sparse.indices, dense, unique))


def with_data(mat: BCOO, data: Value) -> BCOO:
    """Other values at the same indices."""
    flags = {"indices_sorted": mat.indices_sorted, "unique_indices": mat.unique_indices}
    return BCOO((data, mat.indices), shape=mat.shape, **flags)


def bcoo_sort_indices(mat: BCOO) -> BCOO:
    """The same array, the indices of each example in order.

    Args:
      mat: the array.

    Returns:
      BCOO array with `indices_sorted`.

    Example:
      >>> bcoo_sort_indices(BCOO(([1, 2], [[3], [0]]), shape=(4,))).data
      Array([2, 1], dtype=int32)
    """
    indices, number = _entries.order(mat.indices)
    data = _entries.rearranged(mat.data, number)
    return BCOO((data, indices), shape=mat.shape, indices_sorted=True, unique_indices=mat.unique_indices)


def bcoo_sum_duplicates(mat: BCOO, nse: int | None = None) -> BCOO:
    """The same array, each index once, in order.

    Args:
      mat: the array.
      nse: how many elements of each example are stored: the first ones, or padded; without, as many as there are.

    Returns:
      BCOO array with `indices_sorted` and `unique_indices`.

    Raises:
      ValueError: nse is neither given nor known, as inside of `jit` and `vmap`.

    Example:
      >>> bcoo_sum_duplicates(BCOO(([1, 2, 3], [[2], [0], [2]]), shape=(4,))).data
      Array([2, 4], dtype=int32)
    """
    sparse = mat._sizes[1]
    groups = _entries.grouped(mat.indices, sparse)
    if nse is None and not sparse:
        nse = 1
    if nse is None:
        most = jnp.max(groups.count, initial=0)
        if isinstance(most, Tracer) and (not most.owner.live or most.owner.evaluate(most.value) is None):
            raise ValueError(
                "bcoo_sum_duplicates: nse must be given inside of jit, vmap and other transformations: how many indices "
                "there are is not known while tracing"
            )
        nse = int(most)
    data, indices = _entries.summed(mat.data, groups, sparse, nse)
    return BCOO((data, indices), shape=mat.shape, indices_sorted=True, unique_indices=True)


def _without_zeros(mat: BCOO) -> BCOO:
    """The same array, stored zeros out of range."""
    layout = mat._layout
    zero = jnp.all(mat.data == 0, axis=tuple(range(layout.n_batch + 1, mat.data.ndim)))
    shared = tuple(i for i in range(layout.n_batch) if mat.indices.shape[i] == 1)
    zero = jnp.all(zero, axis=shared, keepdims=True)
    sparse = _entries.sizes_as(mat._sizes[1], mat.indices)
    # without a barrier the choice is made again for each comparison of the sort that follows: seconds for 8,000 entries
    indices = lax.optimization_barrier(jnp.where(zero[..., None], sparse, mat.indices))
    return BCOO((mat.data, indices), shape=mat.shape)


def bcoo_update_layout(
    mat: BCOO, *, n_batch: int | None = None, n_dense: int | None = None, on_inefficient: str | None = "error"
) -> BCOO:
    """The same array with other numbers of batch and dense dimensions.

    Args:
      mat: the array.
      n_batch, n_dense: the numbers; by default as they are.
      on_inefficient: what happens where a number grows, so that more is stored: "error", "warn", or None for nothing.

    Returns:
      BCOO array.

    Raises:
      SparseEfficiencyError: a number grows.
      ValueError: more dimensions than there are; another text for `on_inefficient`.

    Example:
      >>> import sable.numpy as jnp
      >>> rows = BCOO.fromdense(jnp.eye(3), n_batch=1)
      >>> bcoo_update_layout(rows, n_batch=0)
      BCOO(float32[3, 3], nse=3)
    """
    layout = mat._layout
    batch = layout.n_batch if n_batch is None else operator.index(n_batch)
    dense = layout.n_dense if n_dense is None else operator.index(n_dense)
    if (batch, dense) == (layout.n_batch, layout.n_dense):
        return mat
    if min(batch, dense) < 0:
        raise ValueError(f"n_batch and n_dense must not be negative, got {batch} and {dense}")
    if batch + dense > mat.ndim:
        raise ValueError(f"sum of n_batch={batch} and n_dense={dense} cannot be larger than mat.ndim={mat.ndim}.")
    if on_inefficient not in ("error", "warn", None):
        raise ValueError(f"on_inefficient must be 'error', 'warn' or None, got {on_inefficient!r}")
    for name, new, old in (("n_dense", dense, layout.n_dense), ("n_batch", batch, layout.n_batch)):
        if new > old and on_inefficient is not None:
            text = f"matrix of shape {mat.shape}: {name} = {new} in the place of {old} stores many more elements"
            if on_inefficient == "error":
                raise SparseEfficiencyError(f"{text}, which on_inefficient='warn' or None allows")
            warnings.warn(text, SparseEfficiencyWarning, stacklevel=2)
    data, indices = mat.data, mat.indices
    while indices.ndim - 2 > batch:
        data, indices = _batch_to_sparse(data, indices, mat.shape)
    for _ in range(layout.n_dense - dense):
        data, indices = _dense_to_sparse(data, indices)
    for _ in range(dense - layout.n_dense):
        data, indices = _sparse_to_dense(data, indices, mat.shape)
    while indices.ndim - 2 < batch:
        data, indices = _sparse_to_batch(data, indices, mat.shape)
    return BCOO((data, indices), shape=mat.shape)


def _batch_to_sparse(data: Value, indices: Value, shape: Sequence[int]) -> tuple[Value, Value]:
    """The last batch dimension as the first sparse one: its examples' entries one behind the other."""
    axis = indices.ndim - 3
    size, nse = shape[axis], indices.shape[-2]
    data = jnp.broadcast_to(data, (*data.shape[:axis], size, *data.shape[axis + 1 :]))
    data = data.reshape((*data.shape[:axis], size * nse, *data.shape[axis + 2 :]))
    own = _entries.along(axis, size, axis + 3).astype(indices.dtype)
    indices = jnp.broadcast_to(indices, (*indices.shape[:axis], size, *indices.shape[axis + 1 :]))
    own = jnp.broadcast_to(own, (*indices.shape[:-1], 1))
    indices = jnp.concatenate([own, indices], axis=-1)
    return data, indices.reshape((*indices.shape[:axis], size * nse, indices.shape[-1]))


def _dense_to_sparse(data: Value, indices: Value) -> tuple[Value, Value]:
    """The first dense dimension as the last sparse one."""
    axis = indices.ndim - 2
    nse, size = data.shape[axis : axis + 2]
    data = data.reshape((*data.shape[:axis], nse * size, *data.shape[axis + 2 :]))
    own = _entries.along(axis + 1, size, axis + 3).astype(indices.dtype)
    shape = (*indices.shape[:-1], size)
    own = jnp.broadcast_to(own, (*shape, 1))
    every = jnp.broadcast_to(indices[..., None, :], (*shape, indices.shape[-1]))
    both = jnp.concatenate([every, own], axis=-1)
    return data, both.reshape((*shape[:axis], nse * size, both.shape[-1]))


def _sparse_to_dense(data: Value, indices: Value, shape: Sequence[int]) -> tuple[Value, Value]:
    """The last sparse dimension as the first dense one: all of it for each entry."""
    axis, k = indices.ndim - 2, indices.shape[-1] - 1
    size = shape[axis + k]
    hit = indices[..., k, None] == _entries.along(axis + 1, size, axis + 2).astype(indices.dtype)
    rest = data.ndim - axis - 1
    data = jnp.where(_entries.trailing(hit, rest), jnp.expand_dims(data, axis + 1), jnp.zeros((), data.dtype))
    return data, indices[..., :k]


def _sparse_to_batch(data: Value, indices: Value, shape: Sequence[int]) -> tuple[Value, Value]:
    """The first sparse dimension as the last batch one: each example has all entries, zeros where they are others'."""
    axis = indices.ndim - 2
    size = shape[axis]
    hit = jnp.expand_dims(indices[..., 0], axis) == _entries.along(axis, size, axis + 2).astype(indices.dtype)
    rest = data.ndim - axis - 1
    data = jnp.where(_entries.trailing(hit, rest), jnp.expand_dims(data, axis), jnp.zeros((), data.dtype))
    rest_of = jnp.expand_dims(indices[..., 1:], axis)
    beyond = _entries.sizes_as(shape[axis + 1 : axis + indices.shape[-1]], rest_of)
    return data, jnp.where(hit[..., None], rest_of, beyond)
