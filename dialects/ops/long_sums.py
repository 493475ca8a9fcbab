"""Long sums by NumPy that do not drift, as its own do but along the axis that lies densest in memory.

There np.add.reduce adds pairwise; along others it adds one element after the other, each time with a rounding. So do
np.add.accumulate and the sums of windows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Additions in a row up to which f32 is left alone: 2e-6 off on equal numbers, 5e-7 on random ones.
CHAIN = 128
#: Rows that are added in f32, and numbers that such a row should have: NumPy takes some 10 ns for each row besides.
_ROWS, _WIDTH = 64, 2048
#: From so many products on, where it costs less than it takes, BLAS gets these many at a time for a matrix of few results,
#: as it adds them in few chains.
_PRODUCTS, _AT_A_TIME, _FEW = 2048, 256, 1024
#: A place's updates to the mean number.
_UNEVEN = 8
#: Numbers that a cumulative sum adds in a row before what stands before them.
_PIECE = 64

_WIDER = {np.dtype(np.float32): np.dtype(np.float64), np.dtype(np.complex64): np.dtype(np.complex128)}


def wider(dtype: np.dtype, steps: int) -> np.dtype | None:
    """The dtype for so many additions or products in a row; None where the numbers' own will do."""
    return _WIDER.get(dtype) if steps > CHAIN else None


def updates_in_a_row(places: int, updates: int) -> int:
    """How many additions to one place a scatter is taken to have: some places get several times as many as others."""
    return _UNEVEN * updates // max(places, 1)


def is_long(x: np.ndarray, dimensions: Sequence[int]) -> bool:
    """Whether a product over these dimensions should be of a wider dtype."""
    return x.size > CHAIN and wider(x.dtype, math.prod([x.shape[d] for d in dimensions])) is not None


def drifts(x: np.ndarray, dimensions: Sequence[int]) -> bool:
    """Whether NumPy's own sum over these dimensions has long chains of additions."""
    if not is_long(x, dimensions):
        return False
    total = math.prod([x.shape[d] for d in dimensions])
    pairwise, apart = 1, x.itemsize
    for d in _densest_first(x):
        if d not in dimensions or abs(x.strides[d]) != apart * pairwise:
            break
        pairwise *= x.shape[d]
    return total > CHAIN * pairwise


def _densest_first(x: np.ndarray) -> list[int]:
    """Dimensions of more than one element."""
    return sorted([d for d in range(x.ndim) if x.shape[d] > 1], key=lambda d: (abs(x.strides[d]), -d))


def long_product(x: np.ndarray, dimensions: tuple[int, ...]) -> Any:
    """The product over dimensions, of f32 or complex64."""
    return np.multiply.reduce(x, axis=dimensions, dtype=_WIDER[x.dtype]).astype(x.dtype)


def long_sum(x: np.ndarray, dimensions: Sequence[int]) -> Any:
    """The sum over dimensions, of f32 or complex64: dense ones pairwise, others rows by rows."""
    order = _densest_first(x)[::-1]
    kept = [d for d in range(x.ndim) if d not in dimensions]
    found = np.ascontiguousarray(x.transpose([*[d for d in range(x.ndim) if x.shape[d] == 1], *order]))
    found = found.reshape([x.shape[d] for d in order])
    for axis in reversed(range(len(order))):
        if order[axis] in dimensions:
            found = _summed(found, axis)
    left = [d for d in order if d not in dimensions]
    back = [left.index(d) for d in kept if d in left]
    return found.transpose(back).reshape([x.shape[d] for d in kept]).astype(x.dtype)


def _summed(x: np.ndarray, axis: int) -> np.ndarray:
    """One dimension of a dense array."""
    shape = x.shape
    width = math.prod(shape[axis + 1 :])
    if width == 1:
        return np.add.reduce(x.reshape(shape[: axis + 1]), axis=axis)
    columns = x.reshape(math.prod(shape[:axis]), shape[axis], width)
    return _rows_summed(columns).reshape(*shape[:axis], *shape[axis + 1 :])


def _rows_summed(x: np.ndarray) -> np.ndarray:
    """(stack, rows, columns) over the rows: each _ROWS of them, several side by side, then the rest in a wider dtype."""
    stack, rows, columns = x.shape
    if rows <= _ROWS:
        return np.add.reduce(x, axis=1)
    beside = max(1, min(rows // _ROWS, _WIDTH // columns))
    whole = rows // (_ROWS * beside) * _ROWS * beside
    blocks = x[:, :whole].reshape(stack, -1, _ROWS, beside * columns)
    sums = np.add.reduce(blocks, axis=2).reshape(stack, -1, columns)
    found = _rows_summed(sums.astype(_WIDER.get(x.dtype, x.dtype)))
    return found if whole == rows else found + _rows_summed(x[:, whole:])


def long_cumulative_sum(x: np.ndarray, axis: int) -> np.ndarray:
    """np.cumsum of f32 or complex64: in a wider dtype, or where the axis is the last by pieces, which is as quick as f32."""
    wide = _WIDER[x.dtype]
    if axis < x.ndim - 1:
        return np.add.accumulate(x, axis, dtype=wide).astype(x.dtype)
    out = np.empty(x.shape, x.dtype)
    whole = x.shape[axis] // _PIECE * _PIECE
    pieces = out[..., :whole].reshape(*x.shape[:-1], -1, _PIECE)
    np.add.accumulate(x[..., :whole].reshape(pieces.shape), axis=-1, out=pieces)
    np.add.accumulate(x[..., whole:], axis=-1, out=out[..., whole:])
    before = np.add.accumulate(pieces[..., -1], axis=-1, dtype=wide).astype(x.dtype)
    pieces[..., 1:, :] += before[..., :-1, None]
    out[..., whole:] += before[..., -1:]
    return out


def matmul(lhs: np.ndarray, rhs: np.ndarray) -> Any:
    """np.matmul: a long one with few rows or columns in pieces; for others BLAS has pieces of its own."""
    products = lhs.shape[-1]
    if (lhs.ndim == 1 or lhs.shape[-2] == 1) and (rhs.ndim == 1 or rhs.shape[-1] == 1):
        # BLAS rounds a dot product of elements that are apart otherwise, and which are depends on what made them
        lhs, rhs = np.ascontiguousarray(lhs), np.ascontiguousarray(rhs)
    if products <= _PRODUCTS or lhs.dtype not in _WIDER:
        return np.matmul(lhs, rhs)
    left = lhs if lhs.ndim > 1 else lhs[None]
    right = rhs if rhs.ndim > 1 else rhs[:, None]
    rows, columns = left.shape[-2], right.shape[-1]
    if min(rows, columns) > 1 and rows * columns > _FEW:
        return np.matmul(lhs, rhs)
    whole = products // _AT_A_TIME * _AT_A_TIME
    lefts = left[..., :whole].reshape(*left.shape[:-1], -1, _AT_A_TIME).swapaxes(-3, -2)
    rights = right[..., :whole, :].reshape(*right.shape[:-2], -1, _AT_A_TIME, columns)
    found = np.add.reduce(np.matmul(lefts, rights), axis=-3, dtype=_WIDER[lhs.dtype])
    if whole < products:
        found += np.matmul(left[..., whole:], right[..., whole:, :])
    kept = (*found.shape[:-2], *([rows] if lhs.ndim > 1 else []), *([columns] if rhs.ndim > 1 else []))
    return found.reshape(kept).astype(lhs.dtype)
