"""Batched compressed rows (BCSR)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.array import AnyArray, Value
from sable.core.values import as_value

from . import _entries
from ._base import JAXSparse, as_stored, known_shape, register_sparse, seen_shape
from ._bcoo import BCOO, bcoo_fromdense, bcoo_sort_indices, bcoo_sum_duplicates
from ._joins import bcoo_concatenate
from ._products import Dimensions, bcoo_dot_general
from ._shapes import bcoo_broadcast_in_dim


class BCSR(JAXSparse):
    """Sparse matrices by their rows, in batches and with dense dimensions.

    As `BCOO` with two sparse dimensions, whose elements stand row by row: those of row i are numbers `indptr[i]` to
    `indptr[i + 1]`. What stands behind the last row counts as zero.

    Args:
      args: data of shape batch + (nse,) + dense; indices, the columns, of shape batch + (nse,); indptr of shape
        batch + (rows + 1,).
      shape: of the array.
      indices_sorted: whether the columns of each row stand in order.
      unique_indices: whether each stands there once.

    Raises:
      ValueError: shapes that do not fit together.

    Example:
      >>> import sable.numpy as jnp
      >>> matrix = BCSR.fromdense(jnp.array([[0, 1], [2, 3]]))
      >>> matrix.indices, matrix.indptr
      (Array([1, 0, 1], dtype=int32), Array([0, 1, 3], dtype=int32))
    """

    _shape: tuple[int, ...]
    data: Any
    indices: Any
    indptr: Any
    indices_sorted: bool
    unique_indices: bool
    _ARRAYS = ("data", "indices", "indptr")

    def __init__(
        self,
        args: tuple[AnyArray, AnyArray, AnyArray],
        *,
        shape: Sequence[int],
        indices_sorted: bool = False,
        unique_indices: bool = False,
    ):
        self.data, self.indices, self.indptr = as_stored(args)
        super().__init__(args, shape=shape)
        self.indices_sorted, self.unique_indices = indices_sorted, unique_indices
        self._check()

    def _check(self) -> None:
        batch, (rows, _), dense = self._sizes
        n = len(batch)
        for name, x, own in (
            ("data", self.data, (self.nse, *dense)),
            ("indices", self.indices, (self.nse,)),
            ("indptr", self.indptr, (rows + 1,)),
        ):
            found = tuple(x.shape)
            if found[n:] != own or any(k not in (1, size) for k, size in zip(found, batch)):
                raise ValueError(f"{name} of shape {found} for BCSR of shape {self.shape}, nse={self.nse}, n_batch={n}")

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The sizes of the dimensions."""
        return seen_shape(self._shape, self.data, self.indices, self.n_batch, 2)

    @shape.setter
    def shape(self, sizes: tuple[int, ...]) -> None:
        self._shape = sizes

    @property
    def nse(self) -> int:
        """The number of stored elements of each example."""
        return self.indices.shape[-1]

    @property
    def n_batch(self) -> int:
        """The number of batch dimensions."""
        return self.indices.ndim - 1

    @property
    def n_sparse(self) -> int:
        """The number of sparse dimensions: 2."""
        return 2

    @property
    def n_dense(self) -> int:
        """The number of dense dimensions."""
        return self.data.ndim - 1 - self.n_batch

    @property
    def _sizes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        if len(self.shape) < self.n_batch + 2:
            raise ValueError(f"BCSR of shape {self.shape} with n_batch={self.n_batch} has no two sparse dimensions")
        return _entries.Layout(self.n_batch, 2, self.n_dense, self.nse).split(self.shape)

    def _says(self) -> str:
        parts = [f"nse={self.nse}"]
        parts += [f"{name}={n}" for name, n in (("n_batch", self.n_batch), ("n_dense", self.n_dense)) if n]
        return ", ".join(parts)

    def tree_flatten(self) -> tuple[tuple, dict[str, Any]]:
        """Data, columns and rows' ends; shape and flags."""
        flags = {"indices_sorted": self.indices_sorted, "unique_indices": self.unique_indices}
        return self._stored, {"shape": known_shape(self), **flags}

    @classmethod
    def fromdense(
        cls, mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32, n_dense: int = 0, n_batch: int = 0
    ) -> BCSR:
        """The elements of a dense array that are not zero: `bcsr_fromdense`."""
        return bcsr_fromdense(mat, nse=nse, index_dtype=index_dtype, n_dense=n_dense, n_batch=n_batch)

    @classmethod
    def from_bcoo(cls, arr: BCOO) -> BCSR:
        """The same array by rows.

        Raises:
          NotImplementedError: an array of other than two sparse dimensions.
        """
        if arr.n_sparse != 2:
            raise NotImplementedError(f"BSCR.from_bcoo requires n_sparse=2; got n_sparse={arr.n_sparse}")
        ordered = arr if arr.indices_sorted else bcoo_sort_indices(arr)
        rows, columns = arr._sizes[1]
        keep = _entries.in_range(ordered.indices, (rows, columns))
        # what does not count goes behind the last row
        order = jnp.argsort(~keep, axis=-1, stable=True)
        row = jnp.where(keep, ordered.indices[..., 0], np.asarray(rows, np.dtype(ordered.indices.dtype)))
        row, column = (jnp.take_along_axis(x, order, axis=-1) for x in (row, ordered.indices[..., 1]))
        data = _entries.rearranged(ordered.data, order)
        ends = starts_of(row, rows)
        flags = {"indices_sorted": True, "unique_indices": arr.unique_indices}
        return cls((data, column, ends), shape=arr.shape, **flags)

    @classmethod
    def from_scipy_sparse(cls, mat: Any, *, index_dtype: Any = None, n_dense: int = 0, n_batch: int = 0) -> BCSR:
        """A matrix of `scipy.sparse`, of any of its formats.

        Raises:
          NotImplementedError: batch or dense dimensions.
        """
        if n_dense or n_batch:
            raise NotImplementedError("BCSR from_scipy_sparse with nonzero n_dense/n_batch.")
        if mat.ndim != 2:
            raise ValueError(f"BCSR from_scipy_sparse requires 2D array; {mat.ndim}D is given.")
        found = mat.tocsr()
        dtype = index_dtype or np.int32
        arrays = (as_value(found.data), as_value(found.indices.astype(dtype)), as_value(found.indptr.astype(dtype)))
        return cls(arrays, shape=mat.shape)

    def to_bcoo(self) -> BCOO:
        """The same array by coordinates."""
        flags = {"indices_sorted": self.indices_sorted, "unique_indices": self.unique_indices}
        return BCOO((self.data, _coordinates(self.indices, self.indptr, self.shape)), shape=self.shape, **flags)

    def todense(self) -> Value:
        """The array with its zeros."""
        return bcsr_todense(self)

    def sum_duplicates(self, nse: int | None = None, remove_zeros: bool = True) -> BCSR:
        """The same array, each index once: as that of `BCOO`."""
        return BCSR.from_bcoo(self.to_bcoo().sum_duplicates(nse=nse, remove_zeros=remove_zeros))


register_sparse(BCSR)


def _counts_until(at: Value, size: int) -> Value:
    """How many of some numbers are at most 0, 1, ... size - 1."""
    n = at.ndim - 1
    own = tuple(_entries.along(i, k, n + 1) for i, k in enumerate(at.shape[:n]))
    ones = jnp.zeros((*at.shape[:n], size), at.dtype).at[(*own, at)].add(1, mode="drop")
    return jnp.cumsum(ones, axis=-1, dtype=at.dtype)


def starts_of(row: Value, rows: int) -> Value:
    """Where in sorted rows each begins, and the last ends."""
    return _counts_until(row + 1, rows + 1)


def rows_of(indptr: Value, nse: int) -> Value:
    """The row of each element; behind the last row, one that is not there."""
    return _counts_until(indptr[..., 1:], nse)


def _coordinates(columns: Value, indptr: Value, shape: Sequence[int]) -> Value:
    """Rows and columns: shape batch + (nse, 2). Behind the last row, the row is one that is not there."""
    n_batch = columns.ndim - 1
    batch = np.broadcast_shapes(columns.shape[:-1], indptr.shape[:-1])
    columns = jnp.broadcast_to(columns, (*batch, columns.shape[-1]))
    row = rows_of(indptr, columns.shape[-1]).astype(columns.dtype)
    row = jnp.broadcast_to(row, columns.shape)
    beyond = np.asarray(shape[n_batch + 1], np.dtype(columns.dtype))
    columns = jnp.where(row < shape[n_batch], columns, beyond)
    return jnp.stack([row, columns], axis=-1)


def bcsr_todense(mat: BCSR) -> Value:
    """A sparse array with its zeros.

    Args:
      mat: the array.

    Returns:
      Array of its shape and dtype.

    Example:
      >>> bcsr_todense(BCSR(([5], [1], [0, 1, 1]), shape=(2, 2)))
      Array([[0, 5],
             [0, 0]], dtype=int32)
    """
    return mat.to_bcoo().todense()


def bcsr_fromdense(
    mat: AnyArray, *, nse: int | None = None, n_batch: int = 0, n_dense: int = 0, index_dtype: Any = np.int32
) -> BCSR:
    """The elements of a dense array that are not zero.

    Args:
      mat: array of n_batch + 2 + n_dense dimensions.
      nse, n_batch, n_dense, index_dtype: as of `bcoo_fromdense`.

    Returns:
      BCSR array; its indices are unique and sorted.

    Raises:
      ConcretizationTypeError: nse is neither given nor known.
      ValueError: there are not two sparse dimensions.

    Example:
      >>> import sable.numpy as jnp
      >>> bcsr_fromdense(jnp.eye(2)).indptr
      Array([0, 1, 2], dtype=int32)
    """
    dense = as_stored([mat])[0]
    if dense.ndim - n_batch - n_dense != 2:
        raise ValueError(f"bcsr_fromdense: must have 2 sparse dimensions, got {dense.ndim - n_batch - n_dense}")
    return BCSR.from_bcoo(bcoo_fromdense(dense, nse=nse, n_batch=n_batch, n_dense=n_dense, index_dtype=index_dtype))


def bcsr_extract(indices: AnyArray, indptr: AnyArray, mat: AnyArray) -> Value:
    """The elements of a dense array where a BCSR array has entries.

    Args:
      indices, indptr: as of a BCSR array.
      mat: array.

    Returns:
      The data that go with them.

    Example:
      >>> import sable.numpy as jnp
      >>> bcsr_extract(jnp.array([1]), jnp.array([0, 0, 1]), jnp.array([[1, 2], [3, 4]]))
      Array([4], dtype=int32)
    """
    dense = as_value(mat)
    return _entries.taken(_coordinates(as_value(indices), as_value(indptr), dense.aval.shape), dense)


def bcsr_sum_duplicates(mat: BCSR, nse: int | None = None) -> BCSR:
    """The same array, each index once: as `bcoo_sum_duplicates`.

    Args:
      mat: the array.
      nse: how many elements are stored.

    Returns:
      BCSR array.

    Raises:
      ValueError: nse is neither given nor known.

    Example:
      >>> bcsr_sum_duplicates(BCSR(([1, 2], [1, 1], [0, 2]), shape=(1, 3))).data
      Array([3], dtype=int32)
    """
    return BCSR.from_bcoo(bcoo_sum_duplicates(mat.to_bcoo(), nse=nse))


def bcsr_dot_general(
    lhs: BCSR | AnyArray,
    rhs: AnyArray,
    *,
    dimension_numbers: Dimensions,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """A contraction with a BCSR array: as `bcoo_dot_general`.

    Args:
      lhs: BCSR or dense array.
      rhs: dense array.
      dimension_numbers, precision, preferred_element_type, out_sharding: as of `bcoo_dot_general`.

    Returns:
      Array.

    Raises:
      NotImplementedError: dimensions of the wrong kinds.

    Example:
      >>> import sable.numpy as jnp
      >>> matrix = BCSR.fromdense(jnp.array([[0.0, 2.0], [3.0, 0.0]]))
      >>> bcsr_dot_general(matrix, jnp.ones(2), dimension_numbers=(((1,), (0,)), ((), ())))
      Array([2., 3.], dtype=float32)
    """
    left, right = (x.to_bcoo() if isinstance(x, BCSR) else x for x in (lhs, rhs))
    return bcoo_dot_general(
        left,
        right,
        dimension_numbers=dimension_numbers,
        precision=precision,
        preferred_element_type=preferred_element_type,
        out_sharding=out_sharding,
    )


def bcsr_broadcast_in_dim(
    mat: BCSR, *, shape: Sequence[int], broadcast_dimensions: Sequence[int], sharding: Any = None
) -> BCSR:
    """A BCSR array with new batch or dense axes: as `bcoo_broadcast_in_dim`.

    Args:
      mat: the array.
      shape, broadcast_dimensions, sharding: as of `bcoo_broadcast_in_dim`.

    Returns:
      BCSR array.

    Raises:
      NotImplementedError: new axes among the sparse ones.

    Example:
      >>> import sable.numpy as jnp
      >>> bcsr_broadcast_in_dim(BCSR.fromdense(jnp.eye(2)), shape=(3, 2, 2), broadcast_dimensions=(1, 2))
      BCSR(float32[3, 2, 2], nse=2, n_batch=1)
    """
    found = bcoo_broadcast_in_dim(
        mat.to_bcoo(), shape=shape, broadcast_dimensions=broadcast_dimensions, sharding=sharding
    )
    return BCSR.from_bcoo(found)


def bcsr_concatenate(operands: Sequence[BCSR], *, dimension: int) -> BCSR:
    """BCSR arrays, joined along an axis: as `bcoo_concatenate`.

    Args:
      operands: the arrays.
      dimension: a batch or sparse axis.

    Returns:
      BCSR array.

    Raises:
      ValueError, TypeError, NotImplementedError: as of `bcoo_concatenate`.

    Example:
      >>> import sable.numpy as jnp
      >>> x = BCSR.fromdense(jnp.eye(2))
      >>> bcsr_concatenate([x, x], dimension=0)
      BCSR(float32[4, 2], nse=4)
    """
    return BCSR.from_bcoo(bcoo_concatenate([x.to_bcoo() for x in operands], dimension=dimension))
