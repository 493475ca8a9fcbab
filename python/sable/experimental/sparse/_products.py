"""Products of BCOO arrays: contractions with dense and with sparse arrays, some elements of dense contractions, elementwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.api.abstract import ShapeDtypeStruct, eval_shape
from sable.core.array import AnyArray, Value
from sable.core.values import as_value

from . import _entries
from ._bcoo import BCOO, bcoo_sum_duplicates, bcoo_update_layout, with_data

#: ((lhs_contracting, rhs_contracting), (lhs_batch, rhs_batch)), as of `lax.dot_general`.
Dimensions = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _ints(
    dimension_numbers: Any,
) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[tuple[int, ...], tuple[int, ...]]]:
    (lc, rc), (lb, rb) = dimension_numbers
    return (tuple(map(int, lc)), tuple(map(int, rc))), (tuple(map(int, lb)), tuple(map(int, rb)))


def _type_of(lhs: Any, rhs: Any, dimension_numbers: Any, preferred: Any) -> Any:
    """Shape and dtype of the dense product, which checks the operands' too."""

    def product(x: Value, y: Value) -> Value:
        return lax.dot_general(x, y, dimension_numbers, preferred_element_type=preferred)

    return eval_shape(product, *(ShapeDtypeStruct(x.shape, x.dtype) for x in (lhs, rhs)))


def bcoo_dot_general(
    lhs: BCOO | AnyArray,
    rhs: BCOO | AnyArray,
    *,
    dimension_numbers: Dimensions,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Any:
    """A contraction of two arrays, at least one of which is sparse.

    Args:
      lhs, rhs: arrays.
      dimension_numbers: as of `lax.dot_general`. Dense dimensions are not contracted; batch dimensions are such of sparse
        arrays too.
      precision, preferred_element_type: as of `lax.dot_general`.
      out_sharding: must be None.

    Returns:
      An array where one of them is dense; a BCOO array, perhaps with duplicates, where both are sparse. If both are
      dense, `lax.dot_general`.

    Raises:
      NotImplementedError: dimensions of the wrong kinds.
      TypeError: shapes that do not fit together.

    Example:
      >>> import sable.numpy as jnp
      >>> matrix = BCOO(([2.0, 3.0], [[0, 1], [1, 0]]), shape=(2, 2))
      >>> bcoo_dot_general(matrix, jnp.ones(2), dimension_numbers=(((1,), (0,)), ((), ())))
      Array([2., 3.], dtype=float32)
    """
    if out_sharding is not None:
        raise NotImplementedError("out_sharding of products of sparse arrays")
    dims = _ints(dimension_numbers)
    if isinstance(lhs, BCOO) and isinstance(rhs, BCOO):
        return _sparse_product(lhs, rhs, dims, preferred_element_type)
    if isinstance(lhs, BCOO):
        return _dense_product(lhs, as_value(rhs), dims, precision, preferred_element_type)
    if not isinstance(rhs, BCOO):
        return lax.dot_general(lhs, rhs, dims, precision=precision, preferred_element_type=preferred_element_type)
    (lc, rc), (lb, rb) = dims
    found = _dense_product(rhs, as_value(lhs), ((rc, lc), (rb, lb)), precision, preferred_element_type)
    n_batch, n_left = len(lb), rhs.ndim - len(rc) - len(rb)
    order = [*range(n_batch), *range(n_batch + n_left, found.ndim), *range(n_batch, n_batch + n_left)]
    return found.transpose(order)


def _filled(x: Value, at: tuple) -> Value:
    """Elements of x, zeros where positions are out of range."""
    return x.at[at].get(mode="fill", fill_value=0)


def _rest(ndim: int, *used: Sequence[int]) -> list[int]:
    return [i for i in range(ndim) if not any(i in u for u in used)]


def _dense_product(lhs: BCOO, rhs: Value, dims: Any, precision: Any, preferred: Any) -> Value:
    """Sparse times dense: rows of rhs picked by the indices, times data, added where they belong.

    For an entry (i, k) with value v of a matrix, out[i] += v rhs[k]. Contracted sparse dimensions pick in rhs, the others say
    where to add; without others, it is a contraction over the entries.
    """
    (lc, rc), (lb, rb) = dims
    layout = lhs._layout
    n_batch, n_index = layout.n_batch, layout.n_batch + layout.n_sparse
    out = _type_of(lhs, rhs, dims, preferred)
    if any(i >= n_index for i in lc):
        raise NotImplementedError("bcoo_dot_general: contracting over dense dimensions.")
    if any(i >= n_batch for i in lb):
        raise NotImplementedError(
            "bcoo_dot_general batch dimensions must be among the batch dimensions in the sparse representation.\n"
            f"got lhs_batch={lb}, n_batch={n_batch}"
        )
    data = _entries.counted(lhs.data, lhs.indices, lhs._sizes[1]).astype(out.dtype)
    at = _entries.positions(lhs.indices, lhs.shape)
    rest = _rest(rhs.ndim, rc, rb)
    picked, letters = _picked(rhs.astype(out.dtype), dict(zip((*rc, *rb), (*lc, *lb))), rest, at, n_batch)
    free = [i for i in range(n_index) if i not in lc and i not in lb]
    dense = _LETTERS[n_batch + 1 : n_batch + 1 + layout.n_dense]
    others = _LETTERS[n_batch + 1 + layout.n_dense :][: len(rest)]
    own = _LETTERS[: n_batch + 1]
    letters = "".join(own[i] for i in letters) + others
    if all(i < n_batch for i in free):
        data = jnp.broadcast_to(data, (*lhs.shape[:n_batch], *data.shape[n_batch:]))
        kept = "".join(own[i] for i in (*lb, *free))
        spec = f"{own}{dense},{letters}->{kept}{dense}{others}"
        return jnp.einsum(spec, data, picked, precision=precision, preferred_element_type=out.dtype)
    full = f"{own}{dense}{others}"
    size = np.broadcast_shapes(lhs.indices.shape[:-1], lhs.shape[:n_batch] + (layout.nse,))
    data = jnp.broadcast_to(data, (*size, *data.shape[n_batch + 1 :]))
    terms = jnp.einsum(f"{own}{dense},{letters}->{full}", data, picked)
    where = tuple(jnp.broadcast_to(at[i], size) for i in (*lb, *free))
    return jnp.zeros(out.shape, out.dtype).at[where].add(terms, mode="drop")


def _picked(
    rhs: Value, partners: dict[int, int], rest: list[int], at: list[Value], n_batch: int
) -> tuple[Value, list[int]]:
    """The part of rhs that each entry is multiplied with.

    Args:
      partners: the dimension of the sparse array that each dimension of rhs runs along.
      rest: the other dimensions of rhs.
      at: positions of the entries.

    Returns:
      Array whose first axes are batch axes of the entries and perhaps theirs, before `rest`; which these are.
    """
    batch = sorted((p, d) for d, p in partners.items() if p < n_batch)
    sparse = [(p, d) for d, p in partners.items() if p >= n_batch]
    moved = rhs.transpose([d for _, d in batch] + [d for _, d in sparse] + rest)
    own = [p for p, _ in batch]
    if not sparse:
        return moved, own
    pick = [at[p] for p, _ in sparse]
    if all(n == 1 for x in pick for n in x.shape[:n_batch]):  # all examples share their indices
        keep = (slice(None),) * len(own)
        return _filled(moved, (*keep, *(x.reshape(-1) for x in pick))), [*own, n_batch]
    shape = np.broadcast_shapes(*(x.shape for x in pick), *(at[p].shape for p in own))
    found = _filled(moved, (*(at[p] for p in own), *pick))
    dropped = tuple(i for i in range(n_batch) if i not in own and shape[i] == 1)
    found = found.reshape((*(n for i, n in enumerate(shape) if i not in dropped), *found.shape[len(shape) :]))
    return found, [i for i in range(n_batch + 1) if i not in dropped]


def _sparse_product(lhs: BCOO, rhs: BCOO, dims: Any, preferred: Any) -> BCOO:
    """Sparse times sparse: all pairs of entries, of which those count whose contracted indices are equal."""
    (lc, rc), (lb, rb) = dims
    left, right = lhs._layout, rhs._layout
    out = _type_of(lhs, rhs, dims, preferred)
    if left.n_dense or right.n_dense:
        raise NotImplementedError("bcoo_dot_general: two sparse arrays with dense dimensions")
    if any(i >= left.n_batch for i in lb) or any(i >= right.n_batch for i in rb):
        raise NotImplementedError(
            "bcoo_dot_general: batch dimensions of two sparse arrays must be batch dimensions of both"
        )
    if any(i < left.n_batch for i in lc) or any(i < right.n_batch for i in rc):
        raise NotImplementedError("bcoo_dot_general: of two sparse arrays only sparse dimensions can be contracted")
    left_batch, right_batch = _rest(left.n_batch, lb), _rest(right.n_batch, rb)
    left_free = [i for i in _rest(lhs.ndim, lc, lb) if i >= left.n_batch]
    right_free = [i for i in _rest(rhs.ndim, rc, rb) if i >= right.n_batch]
    if left_free and right_batch:
        raise ValueError("bcoo_dot_general: sparse dimensions of lhs would stand before batch dimensions of rhs")
    x_data, x_at = _batches_first(lhs, [*lb, *left_batch], 0, len(right_batch), len(lb) + len(left_batch))
    y_data, y_at = _batches_first(rhs, [*rb, *right_batch], len(left_batch), 0, len(rb))
    data, match = _pairs(x_data.astype(out.dtype), y_data.astype(out.dtype), _counts(lhs, x_at), _counts(rhs, y_at))
    for i, j in zip(lc, rc):
        equal = x_at[..., :, None, i - left.n_batch] == y_at[..., None, :, j - right.n_batch]
        match = match & equal
    columns = [x_at[..., :, None, i - left.n_batch] for i in left_free]
    columns += [y_at[..., None, :, j - right.n_batch] for j in right_free]
    found = _of_pairs(data, match, columns, out.shape)
    size = math.prod(found._sizes[1])
    if columns and found.nse <= size:
        return found
    summed = bcoo_sum_duplicates(found, nse=size)
    return BCOO((summed.data, summed.indices), shape=found.shape)


def _batches_first(mat: BCOO, batch: list[int], before: int, after: int, at: int) -> tuple[Value, Value]:
    """Data and indices with their batch dimensions in this order, and new ones of length 1 among them."""
    found = []
    for x in (mat.data, mat.indices):
        x = x.transpose([*batch, *range(len(batch), x.ndim)])
        x = x.reshape((*x.shape[:at], *(1,) * (before + after), *x.shape[at:]))
        found.append(x)
    return found[0], found[1]


def _counts(mat: BCOO, indices: Value) -> Value:
    return _entries.in_range(indices, mat._sizes[1])


def _pairs(x: Value, y: Value, x_counts: Value, y_counts: Value) -> tuple[Value, Value]:
    """Products of all pairs of entries, and which of them count."""
    axis = x_counts.ndim
    return jnp.expand_dims(x, axis) * jnp.expand_dims(y, axis - 1), x_counts[..., :, None] & y_counts[..., None, :]


def _of_pairs(data: Value, match: Value, columns: list[Value], shape: Sequence[int]) -> BCOO:
    """Pairs of entries as entries: those that do not count are zero and out of range."""
    n_batch = match.ndim - 2
    data = jnp.where(_entries.trailing(match, data.ndim - match.ndim), data, jnp.zeros((), data.dtype))
    pairs = data.shape[n_batch : n_batch + 2]
    nse = math.prod(pairs)
    data = jnp.broadcast_to(data, (*shape[:n_batch], *data.shape[n_batch:]))
    data = data.reshape((*shape[:n_batch], nse, *data.shape[n_batch + 2 :]))
    if not columns:
        return BCOO((data, jnp.zeros((*shape[:n_batch], nse, 0), np.int32)), shape=shape)
    full = (*shape[:n_batch], *pairs)
    beyond = [np.asarray(n, np.dtype(c.dtype)) for n, c in zip(shape[n_batch:], columns)]
    columns = [
        jnp.broadcast_to(jnp.where(match, c, n), full).reshape((*full[:-2], nse)) for c, n in zip(columns, beyond)
    ]
    return BCOO((data, jnp.stack(columns, axis=-1)), shape=shape)


def bcoo_multiply_sparse(lhs: BCOO, rhs: BCOO) -> BCOO:
    """The product, element by element, of two sparse arrays.

    Args:
      lhs, rhs: arrays of as many dimensions, as many of them dense; dimensions of length 1 are repeated.

    Returns:
      BCOO array; it stores an element for each pair of stored elements.

    Raises:
      TypeError: numbers of dimensions differ.
      NotImplementedError: numbers of dense dimensions differ.

    Example:
      >>> x = BCOO(([2, 3], [[0], [2]]), shape=(4,))
      >>> y = BCOO(([5, 7], [[2], [3]]), shape=(4,))
      >>> bcoo_multiply_sparse(x, y).todense()
      Array([ 0,  0, 15,  0], dtype=int32)
    """
    if lhs.ndim != rhs.ndim:
        raise TypeError(
            f"bcoo_multiply_sparse: arrays must have same number of dimensions, got {lhs.shape}, {rhs.shape}"
        )
    if lhs.n_dense != rhs.n_dense:
        raise NotImplementedError(
            f"bcoo_multiply_sparse: arrays with differing numbers of dense dimensions: {lhs.n_dense} and {rhs.n_dense}"
        )
    n_batch = min(lhs.n_batch, rhs.n_batch)
    x, y = bcoo_update_layout(lhs, n_batch=n_batch), bcoo_update_layout(rhs, n_batch=n_batch)
    shape = np.broadcast_shapes(lhs.shape, rhs.shape)
    data, match = _pairs(x.data, y.data, _counts(x, x.indices), _counts(y, y.indices))
    columns = []
    for k, (m, n) in enumerate(zip(x._sizes[1], y._sizes[1])):
        i, j = x.indices[..., :, None, k], y.indices[..., None, :, k]
        if m == n:
            match = match & (i == j)
        columns.append(j if m == 1 else i)
    return _of_pairs(data, match, columns, shape)


def bcoo_multiply_dense(sp_mat: BCOO, v: AnyArray) -> Value:
    """The stored elements of the product, element by element, of a sparse and a dense array.

    Args:
      sp_mat: sparse array.
      v: array whose shape broadcasts to that of `sp_mat`.

    Returns:
      The product's data; its indices are those of `sp_mat`.

    Raises:
      NotImplementedError: the product is larger than `sp_mat`.

    Example:
      >>> import sable.numpy as jnp
      >>> bcoo_multiply_dense(BCOO(([2.0], [[1]]), shape=(3,)), jnp.arange(3.0))
      Array([2.], dtype=float32)
    """
    return multiplied(sp_mat, as_value(v))


def multiplied(mat: BCOO, v: Value, divide: bool = False) -> Value:
    """Data of the product or quotient of a sparse and a dense array."""
    apply = jnp.divide if divide else jnp.multiply
    if not v.ndim:
        return apply(mat.data, v)
    if v.ndim > mat.ndim or np.broadcast_shapes(v.shape, mat.shape) != mat.shape:
        raise NotImplementedError(
            "multiplication between sparse and dense is only implemented for cases where the output shape matches the sparse "
            f"matrix shape. Got shape={mat.shape}, v.shape={v.shape}"
        )
    v = v.reshape((*(1,) * (mat.ndim - v.ndim), *v.shape))
    layout = mat._layout
    n_index = layout.n_batch + layout.n_sparse
    if all(n == 1 for n in v.shape[layout.n_batch : n_index]):  # the same for all entries of an example
        return apply(mat.data, v.reshape((*v.shape[: layout.n_batch], 1, *v.shape[n_index:])))
    at = _entries.positions(mat.indices, mat.shape)
    zero = [jnp.zeros((1,) * (layout.n_batch + 1), np.int32)]
    at = [zero[0] if n == 1 else x for n, x in zip(v.shape, at)]
    found = v.at[tuple(at)].get(mode="fill", fill_value=1 if divide else 0)
    return apply(mat.data, found)


def times(mat: BCOO, v: Value, divide: bool = False) -> BCOO:
    """A sparse array times a dense one, or divided by it."""
    data = multiplied(mat, v, divide)
    return with_data(mat, data)


def bcoo_dot_general_sampled(A: AnyArray, B: AnyArray, indices: AnyArray, *, dimension_numbers: Dimensions) -> Value:
    """Some elements of a contraction of two dense arrays, which is not computed as a whole.

    Args:
      A, B: arrays.
      indices: of elements of the contraction, as those of a BCOO array: shape batch + (nse, n_sparse).
      dimension_numbers: as of `lax.dot_general`.

    Returns:
      The data that go with the indices: shape batch + (nse,) + dense.

    Raises:
      TypeError: shapes that do not fit together.
      ValueError: indices that do not fit the contraction's shape.

    Example:
      >>> import sable.numpy as jnp
      >>> x = jnp.arange(6.0).reshape(2, 3)
      >>> bcoo_dot_general_sampled(x, x.T, jnp.array([[0, 1]]), dimension_numbers=(((1,), (0,)), ((), ())))
      Array([14.], dtype=float32)
    """
    left, right, at = as_value(A), as_value(B), as_value(indices)
    (lc, rc), (lb, rb) = dims = _ints(dimension_numbers)
    out = _type_of(left, right, dims, None)
    n_batch, (nse, n_sparse) = at.ndim - 2, at.shape[-2:]
    if n_batch + n_sparse > len(out.shape):
        raise ValueError(f"indices of shape {at.shape} for a contraction of shape {out.shape}")
    layout = _entries.Layout(n_batch, n_sparse, len(out.shape) - n_batch - n_sparse, nse)
    batch, sparse, dense = layout.split(out.shape)
    if any(n not in (1, size) for n, size in zip(at.shape, batch)):
        raise ValueError(f"indices of shape {at.shape} for a contraction of shape {out.shape}")
    where = _entries.positions(at, out.shape)
    left_free, right_free = _rest(left.ndim, lc, lb), _rest(right.ndim, rc, rb)
    n_shared = len(lb)
    left_of = {d: k for k, d in enumerate([*lb, *left_free])}
    right_of = {d: k for k, d in enumerate(rb)}
    right_of.update({d: n_shared + len(left_free) + k for k, d in enumerate(right_free)})
    letters = _LETTERS[: len(out.shape) + 1]
    n_index = n_batch + n_sparse
    contracted = _LETTERS[len(out.shape) + 1 :][: len(lc)]
    specs, parts = [], []
    for x, of, over in ((left, left_of, lc), (right, right_of, rc)):
        index = {d: p for d, p in of.items() if p < n_index}
        kept = [d for d, p in sorted(of.items(), key=lambda item: item[1]) if p >= n_index]
        part, own = _picked(x, index, [*kept, *over], where, n_batch)
        # letters: batch, the entries, dense; then what is contracted
        spec = "".join(letters[i] for i in own) + "".join(letters[of[d] - n_sparse + 1] for d in kept) + contracted
        specs.append(spec)
        parts.append(part.astype(out.dtype))
    own = letters[: n_batch + 1 + len(dense)]
    missing = [i for i, c in enumerate(own) if not any(c in spec for spec in specs)]
    result = "".join(c for i, c in enumerate(own) if i not in missing)
    found = jnp.einsum(f"{specs[0]},{specs[1]}->{result}", *parts)
    found = jnp.expand_dims(found, tuple(missing))
    found = jnp.broadcast_to(found, (*batch, nse, *dense))
    return _entries.counted(found, at, sparse) if sparse else found
