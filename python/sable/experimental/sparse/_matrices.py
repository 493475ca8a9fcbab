"""Sparse matrices without batches: coordinates (COO), compressed rows (CSR) and columns (CSC)."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.array import AnyArray, Value
from sable.core.dtypes import canonicalize_dtype
from sable.core.values import as_value

from ._base import JAXSparse, as_stored, known_size, register_sparse
from ._bcoo import BCOO
from ._bcsr import rows_of, starts_of
from ._products import bcoo_dot_general
from ._shapes import bcoo_transpose


class _Matrix(JAXSparse):
    """What the three formats share: products, by way of BCOO."""

    def _coordinates(self) -> tuple[Value, Value]:
        """Row and column of each stored element."""
        raise NotImplementedError(type(self).__name__)

    def _as_bcoo(self) -> BCOO:
        if any(x.ndim != 1 for x in self._stored):
            raise NotImplementedError(
                f"{type(self).__name__} arrays in batches, as under vmap; BCOO and BCSR have them"
            )
        return BCOO((self.data, jnp.stack(self._coordinates(), axis=-1)), shape=self.shape)

    def todense(self) -> Value:
        """The matrix with its zeros."""
        return self._as_bcoo().todense()

    def tree_flatten(self) -> tuple[tuple, dict[str, Any]]:
        """The arrays it is stored in; the shape."""
        return self._stored, {"shape": self.shape}

    def __matmul__(self, other: Any) -> Value:
        if isinstance(other, JAXSparse):
            raise NotImplementedError("matmul between two sparse objects.")
        dense = as_value(other)
        if dense.aval.ndim not in (1, 2):
            raise NotImplementedError(f"matmul with object of shape {dense.aval.shape}")
        return _product(self._as_bcoo(), dense)

    @classmethod
    def _of_sizes(cls, shape: Sequence[int]) -> tuple[int, int]:
        sizes = tuple(operator.index(n) for n in shape)
        if len(sizes) != 2:
            raise ValueError(f"{cls.__name__} must have ndim=2; got shape={sizes}")
        return sizes


def _product(mat: BCOO, dense: Value) -> Value:
    """A matrix times a vector or matrix."""
    return bcoo_dot_general(mat, dense, dimension_numbers=(((1,), (0,)), ((), ())))


def _entries_of(mat: Any, nse: int | None, index_dtype: Any, what: str) -> tuple[Value, Value, Value, Value]:
    """Data, rows, columns of the elements that are not zero, row by row; and which of them there are. Padding is at 0, 0."""
    dense = as_value(mat)
    if dense.aval.ndim != 2:
        raise ValueError(f"{what}: mat must have two dimensions, got shape {dense.aval.shape}")
    count = jnp.sum(dense != 0)
    nse = known_size(count if nse is None else nse, f"The problem arose with the nse argument of {what}.")
    row, column = (x.astype(canonicalize_dtype(index_dtype)) for x in jnp.nonzero(dense != 0, size=nse, fill_value=0))
    there = jnp.arange(nse) < count
    return jnp.where(there, dense[row, column], jnp.zeros((), dense.aval.dtype)), row, column, there


def _diagonal(n: int, m: int, k: int, dtype: Any, index_dtype: Any) -> tuple[Value, Value, Value]:
    """Ones, rows and columns of a diagonal."""
    size = max(min(n, m - k) if k >= 0 else min(n + k, m), 0)
    at = jnp.arange(size, dtype=index_dtype)
    return jnp.ones(size, dtype), at + np.asarray(max(-k, 0), at.dtype), at + np.asarray(max(k, 0), at.dtype)


class COO(_Matrix):
    """A sparse matrix by its elements, their rows and their columns.

    Args:
      args: data, rows and columns, of shape (nse,).
      shape: of the matrix.
      rows_sorted, cols_sorted: whether the elements stand in the order of rows (of columns).

    Example:
      >>> import sable.numpy as jnp
      >>> COO.fromdense(jnp.array([[0.0, 2.0], [3.0, 0.0]])) @ jnp.ones(2)
      Array([2., 3.], dtype=float32)
    """

    row: Any
    col: Any
    _ARRAYS = ("data", "row", "col")

    def __init__(
        self,
        args: tuple[AnyArray, AnyArray, AnyArray],
        *,
        shape: Sequence[int],
        rows_sorted: bool = False,
        cols_sorted: bool = False,
    ):
        self.data, self.row, self.col = as_stored(args)
        self._rows_sorted, self._cols_sorted = rows_sorted, cols_sorted
        super().__init__(args, shape=self._of_sizes(shape))

    def _coordinates(self) -> tuple[Value, Value]:
        return self.row, self.col

    def tree_flatten(self) -> tuple[tuple, dict[str, Any]]:
        """Data, rows and columns; shape and flags."""
        flags = {"_rows_sorted": self._rows_sorted, "_cols_sorted": self._cols_sorted}
        return self._stored, {"shape": self.shape, **flags}

    @classmethod
    def fromdense(cls, mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32) -> COO:
        """The elements of a matrix that are not zero: `coo_fromdense`."""
        return coo_fromdense(mat, nse=nse, index_dtype=index_dtype)

    def transpose(self, axes: Sequence[int] | None = None) -> COO:
        """The transposed matrix.

        Raises:
          NotImplementedError: axes are given.
        """
        if axes is not None:
            raise NotImplementedError("axes argument to transpose()")
        flags = {"rows_sorted": self._cols_sorted, "cols_sorted": self._rows_sorted}
        return COO((self.data, self.col, self.row), shape=self.shape[::-1], **flags)

    @classmethod
    def _empty(cls, shape: Sequence[int], *, dtype: Any = None, index_dtype: Any = "int32") -> COO:
        none = jnp.empty(0, index_dtype)
        return cls((jnp.empty(0, dtype), none, none), shape=cls._of_sizes(shape), rows_sorted=True, cols_sorted=True)

    @classmethod
    def _eye(cls, N: int, M: int, k: int, *, dtype: Any = None, index_dtype: Any = "int32") -> COO:
        return cls(_diagonal(N, M, k, dtype, index_dtype), shape=(N, M), rows_sorted=True, cols_sorted=True)


class _Compressed(_Matrix):
    """What CSR and CSC share."""

    indices: Any
    indptr: Any
    _ARRAYS = ("data", "indices", "indptr")

    def __init__(self, args: tuple[AnyArray, AnyArray, AnyArray], *, shape: Sequence[int]):
        self.data, self.indices, self.indptr = as_stored(args)
        super().__init__(args, shape=self._of_sizes(shape))

    @classmethod
    def _empty(cls, shape: Sequence[int], *, dtype: Any = None, index_dtype: Any = "int32") -> Any:
        sizes = cls._of_sizes(shape)
        ends = jnp.zeros(sizes[cls._MAJOR] + 1, index_dtype)
        return cls((jnp.empty(0, dtype), jnp.empty(0, index_dtype), ends), shape=sizes)

    @classmethod
    def _eye(cls, N: int, M: int, k: int, *, dtype: Any = None, index_dtype: Any = "int32") -> Any:
        data, *at = _diagonal(N, M, k, dtype, index_dtype)
        return cls((data, at[1 - cls._MAJOR], starts_of(at[cls._MAJOR], (N, M)[cls._MAJOR])), shape=(N, M))

    #: The axis whose elements stand together.
    _MAJOR = 0

    def _coordinates(self) -> tuple[Value, Value]:
        major = rows_of(self.indptr, self.indices.shape[-1]).astype(self.indices.dtype)
        return (major, self.indices) if self._MAJOR == 0 else (self.indices, major)


class CSR(_Compressed):
    """A sparse matrix by its rows.

    Args:
      args: data and columns, of shape (nse,), and where each row begins, of shape (rows + 1,).
      shape: of the matrix.

    Example:
      >>> import sable.numpy as jnp
      >>> CSR.fromdense(jnp.array([[0.0, 2.0], [3.0, 0.0]])).indptr
      Array([0, 1, 2], dtype=int32)
    """

    @classmethod
    def fromdense(cls, mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32) -> CSR:
        """The elements of a matrix that are not zero: `csr_fromdense`."""
        return csr_fromdense(mat, nse=nse, index_dtype=index_dtype)

    def transpose(self, axes: Sequence[int] | None = None) -> CSC:
        """The transposed matrix, by columns.

        Raises:
          NotImplementedError: axes are given.
        """
        if axes is not None:
            raise NotImplementedError("axes argument to transpose()")
        return CSC(self._stored, shape=self.shape[::-1])


class CSC(_Compressed):
    """A sparse matrix by its columns.

    Args:
      args: data and rows, of shape (nse,), and where each column begins, of shape (columns + 1,).
      shape: of the matrix.

    Example:
      >>> import sable.numpy as jnp
      >>> CSC.fromdense(jnp.array([[0.0, 2.0], [3.0, 0.0]])).data
      Array([3., 2.], dtype=float32)
    """

    _MAJOR = 1

    @classmethod
    def fromdense(cls, mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32) -> CSC:
        """The elements of a matrix that are not zero, column by column; arguments as of `csr_fromdense`."""
        return csr_fromdense(as_value(mat).T, nse=nse, index_dtype=index_dtype).T

    def transpose(self, axes: Sequence[int] | None = None) -> CSR:
        """The transposed matrix, by rows.

        Raises:
          NotImplementedError: axes are given.
        """
        if axes is not None:
            raise NotImplementedError("axes argument to transpose()")
        return CSR(self._stored, shape=self.shape[::-1])


for _cls in (COO, CSR, CSC):
    register_sparse(_cls)


def _times(mat: _Matrix, dense: Any, ndim: int, transpose: bool, what: str) -> Value:
    value = as_value(dense)
    if value.aval.ndim != ndim:
        raise ValueError(f"{what} takes an array of {ndim} dimensions, got shape {value.aval.shape}")
    found = mat._as_bcoo()
    return _product(bcoo_transpose(found, permutation=(1, 0)) if transpose else found, value)


def coo_fromdense(mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32) -> COO:
    """The elements of a matrix that are not zero.

    Args:
      mat: matrix.
      nse: how many are stored: the first ones, or padded; without, as many as there are. Inside of `jit` it must be said.
      index_dtype: of rows and columns.

    Returns:
      COO matrix.

    Raises:
      ConcretizationTypeError: nse is neither given nor known.
      ValueError: mat is no matrix.

    Example:
      >>> import sable.numpy as jnp
      >>> coo_fromdense(jnp.eye(2)).row
      Array([0, 1], dtype=int32)
    """
    data, row, column, _ = _entries_of(mat, nse, index_dtype, "coo_fromdense")
    return COO((data, row, column), shape=as_value(mat).aval.shape, rows_sorted=True)


def coo_todense(mat: COO) -> Value:
    """A COO matrix with its zeros.

    Args:
      mat: the matrix.

    Returns:
      Array.

    Example:
      >>> coo_todense(COO(([5], [0], [1]), shape=(2, 2)))
      Array([[0, 5],
             [0, 0]], dtype=int32)
    """
    return mat.todense()


def coo_matvec(mat: COO, v: AnyArray, transpose: bool = False) -> Value:
    """A COO matrix times a vector.

    Args:
      mat: the matrix.
      v: vector.
      transpose: whether the transposed matrix is meant.

    Returns:
      Vector.

    Raises:
      ValueError: v is no vector.
      TypeError: it has another length.

    Example:
      >>> import sable.numpy as jnp
      >>> coo_matvec(COO(([5.0], [0], [1]), shape=(2, 2)), jnp.ones(2))
      Array([5., 0.], dtype=float32)
    """
    return _times(mat, v, 1, transpose, "coo_matvec")


def coo_matmat(mat: COO, B: AnyArray, *, transpose: bool = False) -> Value:
    """A COO matrix times a matrix.

    Args:
      mat: the sparse matrix.
      B: matrix.
      transpose: whether the transposed sparse matrix is meant.

    Returns:
      Matrix.

    Raises:
      ValueError: B is no matrix.
      TypeError: it has another number of rows.

    Example:
      >>> import sable.numpy as jnp
      >>> coo_matmat(COO(([5.0], [0], [1]), shape=(2, 2)), jnp.eye(2), transpose=True)
      Array([[0., 0.],
             [5., 0.]], dtype=float32)
    """
    return _times(mat, B, 2, transpose, "coo_matmat")


def csr_fromdense(mat: AnyArray, *, nse: int | None = None, index_dtype: Any = np.int32) -> CSR:
    """The elements of a matrix that are not zero, row by row.

    Args:
      mat: matrix.
      nse: how many are stored: the first ones, or padded; without, as many as there are. Inside of `jit` it must be said.
      index_dtype: of columns and rows' ends.

    Returns:
      CSR matrix.

    Raises:
      ConcretizationTypeError: nse is neither given nor known.
      ValueError: mat is no matrix.

    Example:
      >>> import sable.numpy as jnp
      >>> csr_fromdense(jnp.eye(2)).indices
      Array([0, 1], dtype=int32)
    """
    data, row, column, there = _entries_of(mat, nse, index_dtype, "csr_fromdense")
    shape = as_value(mat).aval.shape
    row = jnp.where(there, row, np.asarray(shape[0], np.dtype(row.dtype)))
    return CSR((data, column, starts_of(row, shape[0])), shape=shape)


def csr_todense(mat: CSR) -> Value:
    """A CSR matrix with its zeros.

    Args:
      mat: the matrix.

    Returns:
      Array.

    Example:
      >>> csr_todense(CSR(([5], [1], [0, 1, 1]), shape=(2, 2)))
      Array([[0, 5],
             [0, 0]], dtype=int32)
    """
    return mat.todense()


def csr_matvec(mat: CSR, v: AnyArray, transpose: bool = False) -> Value:
    """A CSR matrix times a vector.

    Args:
      mat: the matrix.
      v: vector.
      transpose: whether the transposed matrix is meant.

    Returns:
      Vector.

    Raises:
      ValueError: v is no vector.
      TypeError: it has another length.

    Example:
      >>> import sable.numpy as jnp
      >>> csr_matvec(CSR(([5.0], [1], [0, 1, 1]), shape=(2, 2)), jnp.ones(2))
      Array([5., 0.], dtype=float32)
    """
    return _times(mat, v, 1, transpose, "csr_matvec")


def csr_matmat(mat: CSR, B: AnyArray, *, transpose: bool = False) -> Value:
    """A CSR matrix times a matrix.

    Args:
      mat: the sparse matrix.
      B: matrix.
      transpose: whether the transposed sparse matrix is meant.

    Returns:
      Matrix.

    Raises:
      ValueError: B is no matrix.
      TypeError: it has another number of rows.

    Example:
      >>> import sable.numpy as jnp
      >>> csr_matmat(CSR(([5.0], [1], [0, 1, 1]), shape=(2, 2)), jnp.eye(2))
      Array([[0., 5.],
             [0., 0.]], dtype=float32)
    """
    return _times(mat, B, 2, transpose, "csr_matmat")
