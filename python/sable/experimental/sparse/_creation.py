"""Sparse arrays made of nothing: empty, of a diagonal, random."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import random
from sable.core.array import AnyArray, Value
from sable.core.dtypes import canonicalize_dtype

from . import _entries
from ._base import JAXSparse
from ._bcoo import BCOO, bcoo_sort_indices
from ._bcsr import BCSR
from ._matrices import COO, CSC, CSR

_FORMATS: dict[str, Any] = {"bcsr": BCSR, "bcoo": BCOO, "coo": COO, "csr": CSR, "csc": CSC}


def empty(
    shape: Sequence[int], dtype: Any = None, index_dtype: Any = "int32", sparse_format: str = "bcoo", **kwds: Any
) -> JAXSparse:
    """A sparse array without elements.

    Args:
      shape: of the array.
      dtype, index_dtype: of elements and of indices.
      sparse_format: "bcoo", "bcsr", "coo", "csr" or "csc".
      kwds: of "bcoo" and "bcsr" also `n_batch`, `n_dense` and `nse`, the number of zeros that are stored.

    Returns:
      Sparse array.

    Raises:
      ValueError: another format; a shape that does not fit it.

    Example:
      >>> empty((2, 3))
      BCOO(float32[2, 3], nse=0)
    """
    if sparse_format not in _FORMATS:
        raise ValueError(f"sparse_format={sparse_format!r} not recognized; must be one of {[*_FORMATS]}")
    sizes = tuple(operator.index(n) for n in shape)
    if sparse_format == "bcoo":
        return _empty_bcoo(sizes, dtype, index_dtype, **kwds)
    if sparse_format == "bcsr":
        return _empty_bcsr(sizes, dtype, index_dtype, **kwds)
    return _FORMATS[sparse_format]._empty(sizes, dtype=dtype, index_dtype=index_dtype, **kwds)


def _split(shape: tuple[int, ...], n_batch: int, n_dense: int, nse: int) -> tuple:
    """The sizes of batch, sparse and dense dimensions."""
    n_sparse = len(shape) - n_batch - n_dense
    if min(n_sparse, n_batch, n_dense, nse) < 0:
        raise ValueError(f"Invalid inputs: shape={shape}, n_dense={n_dense}, n_batch={n_batch}, nse={nse}")
    return _entries.Layout(n_batch, n_sparse, n_dense, nse).split(shape)


def _empty_bcoo(
    shape: tuple[int, ...], dtype: Any, index_dtype: Any, n_dense: int = 0, n_batch: int = 0, nse: int = 0
) -> BCOO:
    batch, sparse, dense = _split(shape, n_batch, n_dense, nse)
    beyond = jnp.asarray(np.asarray(sparse, canonicalize_dtype(index_dtype)))
    indices = jnp.broadcast_to(beyond, (*batch, nse, len(sparse)))
    data = jnp.zeros((*batch, nse, *dense), dtype)
    return BCOO((data, indices), shape=shape, indices_sorted=True, unique_indices=True)


def _empty_bcsr(
    shape: tuple[int, ...], dtype: Any, index_dtype: Any, n_dense: int = 0, n_batch: int = 0, nse: int = 0
) -> BCSR:
    batch, sparse, dense = _split(shape, n_batch, n_dense, nse)
    if len(sparse) != 2:
        raise ValueError(f"BCSR arrays have two sparse dimensions, got {len(sparse)}")
    data = jnp.zeros((*batch, nse, *dense), dtype)
    columns = jnp.full((*batch, nse), sparse[1], index_dtype)
    return BCSR((data, columns, jnp.zeros((*batch, sparse[0] + 1), index_dtype)), shape=shape)


def eye(
    N: int,
    M: int | None = None,
    k: int = 0,
    dtype: Any = None,
    index_dtype: Any = "int32",
    sparse_format: str = "bcoo",
    **kwds: Any,
) -> JAXSparse:
    """A sparse matrix with ones on a diagonal.

    Args:
      N, M: numbers of rows and columns; without M, as many columns as rows.
      k: which diagonal: above the main one for k > 0.
      dtype, index_dtype: of elements and of indices.
      sparse_format: "bcoo", "coo", "csr" or "csc"; "bcsr" also.
      kwds: of "bcoo" also `n_batch` and `n_dense`.

    Returns:
      Sparse matrix.

    Raises:
      ValueError: another format; more batch and dense dimensions than two.

    Example:
      >>> eye(2).todense()
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """
    if sparse_format not in _FORMATS:
        raise ValueError(f"sparse_format={sparse_format!r} not recognized; must be one of {[*_FORMATS]}")
    n = operator.index(N)
    m, k = n if M is None else operator.index(M), operator.index(k)
    if sparse_format == "bcoo":
        return _eye_bcoo(n, m, k, dtype, index_dtype, **kwds)
    if sparse_format == "bcsr":
        return BCSR.from_bcoo(_eye_bcoo(n, m, k, dtype, index_dtype, **kwds))
    return _FORMATS[sparse_format]._eye(n, m, k, dtype=dtype, index_dtype=index_dtype, **kwds)


def _eye_bcoo(n: int, m: int, k: int, dtype: Any, index_dtype: Any, n_batch: int = 0, n_dense: int = 0) -> BCOO:
    batch, sparse, dense = _split((n, m), n_batch, n_dense, 0)
    columns = np.arange(n) + k
    there = (columns >= 0) & (columns < m)
    kind = canonicalize_dtype(index_dtype)
    flags = {"shape": (n, m), "indices_sorted": True, "unique_indices": True}
    if len(sparse) == 2:
        indices = np.stack([np.arange(n)[there], columns[there]], axis=-1).astype(kind)
        return BCOO((jnp.ones(len(indices), dtype), jnp.asarray(indices)), **flags)
    if n_batch + n_dense == 2:  # one element of each example, a row at most
        nse = int(there.any())
        full = jnp.eye(n, m, k, dtype=dtype)
        data = full.reshape((*batch, 1, *dense)) if nse else jnp.zeros((*batch, 0, *dense), full.dtype)
        return BCOO((data, jnp.zeros((*batch, nse, 0), kind)), **flags)
    if n_batch:
        nse = int(there.any())
        indices = np.where(there, columns, m).reshape(n, 1, 1).astype(kind)[:, :nse]
        return BCOO(
            (jnp.asarray(there.reshape(n, 1)[:, :nse]).astype(jnp.ones((), dtype).dtype), jnp.asarray(indices)), **flags
        )
    rows = jnp.eye(n, m, k, dtype=dtype)[np.flatnonzero(there)]
    return BCOO((rows, jnp.asarray(np.flatnonzero(there)[:, None].astype(kind))), **flags)


def random_bcoo(
    key: AnyArray,
    shape: Sequence[int],
    *,
    dtype: Any = np.float64,
    indices_dtype: Any = None,
    nse: int | float = 0.2,
    n_batch: int = 0,
    n_dense: int = 0,
    unique_indices: bool = True,
    sorted_indices: bool = False,
    generator: Callable[..., Value] = random.uniform,
    **kwds: Any,
) -> BCOO:
    """A random sparse array.

    Args:
      key: random key.
      shape: of the array.
      dtype: of the elements.
      indices_dtype: of the indices; by default integers of the default size.
      nse: how many elements of each example are stored; below 1, which part of them.
      n_batch, n_dense: numbers of batch and of dense dimensions.
      unique_indices: whether each index is there once.
      sorted_indices: whether the indices stand in order.
      generator: function `(key, shape, dtype, **kwds)` of the elements.
      kwds: for the generator.

    Returns:
      BCOO array.

    Raises:
      ValueError: more elements than there are; more dimensions than there are.

    Example:
      >>> random_bcoo(jax.random.key(0), (10, 10), dtype="float32", nse=3)
      BCOO(float32[10, 10], nse=3)
    """
    sizes = tuple(operator.index(n) for n in shape)
    n_sparse = len(sizes) - n_batch - n_dense
    if min(n_sparse, n_batch, n_dense) < 0:
        raise ValueError(f"Invalid n_batch={n_batch}, n_dense={n_dense} for shape={sizes}")
    batch, sparse, dense = _entries.Layout(n_batch, n_sparse, n_dense, 0).split(sizes)
    size = math.prod(sparse)
    if not 0 <= nse <= size and not 0 <= nse < 1:
        raise ValueError(f"got nse={nse}, expected to be between 0 and {size}")
    count = math.ceil(nse * size) if 0 < nse < 1 else int(nse)
    kind = canonicalize_dtype(indices_dtype or int)
    values_key, places_key = random.split(key)

    if not sparse:
        indices = jnp.zeros((*batch, count, 0), kind)
    else:
        if unique_indices:
            every = jnp.broadcast_to(jnp.arange(size), (*batch, size))
            flat = random.permutation(places_key, every, axis=-1, independent=True)[..., :count]
        else:
            flat = random.choice(places_key, size, (*batch, count))
        indices = jnp.stack(jnp.unravel_index(flat, sparse), axis=-1).astype(kind)
    data = generator(values_key, (*batch, count, *dense), dtype=dtype, **kwds)
    found = BCOO((data, indices), shape=sizes)
    return bcoo_sort_indices(found) if sorted_indices else found
