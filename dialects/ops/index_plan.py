"""Gather and scatter in NumPy: a table of rows and a list of row numbers, planned once for given shapes."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from sable.ir.codec import GatherDimensions


class WindowPlan(NamedTuple):
    """Where the windows of a gather (or scatter) lie.

    The operand with its dimensions in `order` is a table of `rows` rows: dimensions of which a window has a
    part choose the row, those of which it has everything make up the row. Result element (batch, window, row
    element) is in row `starts @ strides + batching + offsets`.

    Attributes:
      order, shape: the operand's dimensions, those which choose rows first, and their sizes.
      rows, columns: size of the table.
      vector_dim: dimension of the start indices that has the index vectors.
      bounds: the last start at which a window fits, one for each component of an index vector.
      strides: rows from one position to the next, likewise.
      batching: row of each index vector's batch, or None.
      offsets: rows of a window relative to its start, or None for windows of one row.
      layout: shape (batch ..., window ..., row ...).
      permutation: dimensions of the result in terms of `layout`.
      order_back, permutation_back: the inverse permutations.
    """

    order: tuple[int, ...]
    shape: tuple[int, ...]
    rows: int
    columns: int
    vector_dim: int
    bounds: np.ndarray
    strides: np.ndarray
    batching: np.ndarray | None
    offsets: np.ndarray | None
    layout: tuple[int, ...]
    permutation: tuple[int, ...]
    order_back: tuple[int, ...]
    permutation_back: tuple[int, ...]


@lru_cache(maxsize=4096)
def plan_windows(
    operand: tuple[int, ...], indices: tuple[int, ...], dims: GatherDimensions, sizes: tuple[int, ...]
) -> WindowPlan:
    """The plan for an operand and start indices of these shapes, and windows of these sizes."""
    dropped = {*dims.collapsed_slice_dims, *dims.operand_batching_dims}
    kept = [d for d in range(len(operand)) if d not in dropped]
    whole = [d for d in kept if sizes[d] == operand[d]]
    parts = [d for d in kept if sizes[d] != operand[d]]
    choosing = [d for d in range(len(operand)) if d not in whole]
    stride, count = {}, 1
    for d in reversed(choosing):
        stride[d] = count
        count *= operand[d]
    batch = [n for i, n in enumerate(indices) if i != dims.index_vector_dim]
    order = (*choosing, *whole)
    names = [("batch", i) for i in range(len(batch))] + [("window", d) for d in (*parts, *whole)]
    permutation = tuple(names.index(name) for name in _result_names(dims, len(batch), kept))
    return WindowPlan(
        order,
        tuple(operand[d] for d in order),
        count,
        math.prod(operand[d] for d in whole),
        dims.index_vector_dim,
        np.array([operand[d] - sizes[d] for d in dims.start_index_map], np.int64),
        np.array([stride.get(d, 0) for d in dims.start_index_map], np.int64),
        _batching(dims, batch, stride),
        _offsets([(sizes[d], stride[d]) for d in parts]),
        (*batch, *(sizes[d] for d in (*parts, *whole))),
        permutation,
        _inverse(order),
        _inverse(permutation),
    )


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


def _batching(dims: GatherDimensions, batch: list[int], stride: dict[int, int]) -> np.ndarray | None:
    if not dims.operand_batching_dims:
        return None
    rows = np.zeros(batch, np.int64)
    for d, i in zip(dims.operand_batching_dims, dims.start_indices_batching_dims):
        axis = i - (i > dims.index_vector_dim)
        steps = np.arange(batch[axis]) * stride[d]
        rows += steps.reshape([-1 if k == axis else 1 for k in range(len(batch))])
    return rows.reshape(-1)


def _offsets(parts: list[tuple[int, int]]) -> np.ndarray | None:
    """Rows of all positions of a window, the last of its dimensions running fastest."""
    rows = np.zeros(1, np.int64)
    for size, stride in parts:
        rows = np.add.outer(rows, np.arange(size) * stride).reshape(-1)
    return rows if parts else None


def _result_names(dims: GatherDimensions, batch: int, kept: list[int]) -> list[tuple[str, int]]:
    windows, batches = iter(kept), iter(range(batch))
    n = batch + len(kept)
    return [("window", next(windows)) if i in dims.offset_dims else ("batch", next(batches)) for i in range(n)]


def index_vectors(plan: WindowPlan, indices: np.ndarray) -> np.ndarray:
    """The start indices as int64 (number of them, components)."""
    if indices.dtype == np.uint64:
        indices = np.minimum(indices, np.uint64(2**62))
    if plan.vector_dim < indices.ndim - 1:
        indices = np.moveaxis(indices, plan.vector_dim, -1)
    count = len(plan.bounds)
    size = indices.size // count if count else math.prod(indices.shape[:-1])
    return indices.reshape(size, count).astype(np.int64)


def row_numbers(plan: WindowPlan, vectors: np.ndarray, which: np.ndarray | None = None) -> np.ndarray:
    """Row numbers (index vectors, rows of a window); `which` selects index vectors."""
    rows = vectors[:, 0] * plan.strides[0] if len(plan.strides) == 1 else vectors @ plan.strides
    if plan.batching is not None:
        rows = rows + (plan.batching if which is None else plan.batching[which])
    return rows[:, None] if plan.offsets is None else np.add.outer(rows, plan.offsets)


def gather_windows(plan: WindowPlan, operand: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """All windows; one that sticks out is moved inside."""
    vectors = np.minimum(np.maximum(index_vectors(plan, indices), 0), plan.bounds)
    rows = row_numbers(plan, vectors).reshape(-1)
    table = operand.transpose(plan.order).reshape(plan.rows, plan.columns)
    if plan.rows == 0:
        return np.zeros(plan.layout, operand.dtype).transpose(plan.permutation)
    found = table.reshape(-1).take(rows) if plan.columns == 1 else table.take(rows, axis=0)
    return found.reshape(plan.layout).transpose(plan.permutation)


def scatter_windows(
    plan: WindowPlan, operand: np.ndarray, indices: np.ndarray, updates: np.ndarray, combine: np.ufunc | None
) -> np.ndarray:
    """The operand with all windows combined into it; one that sticks out is dropped.

    Without `combine` windows replace what was there, and the last one stays.
    """
    vectors = index_vectors(plan, indices)
    fits = np.all((vectors >= 0) & (vectors <= plan.bounds), axis=1)
    windows = 1 if plan.offsets is None else len(plan.offsets)
    parts = updates.transpose(plan.permutation_back).reshape(len(vectors), windows, plan.columns)
    which: np.ndarray | None = None
    if not fits.all():
        which, vectors, parts = fits, vectors[fits], parts[fits]
    rows = row_numbers(plan, vectors, which)
    table = np.array(operand.transpose(plan.order).reshape(plan.rows, plan.columns), copy=True, order="C")
    if combine is None:
        table[rows] = parts
    else:
        # ufunc.at is fast for flat arrays only
        places = np.add.outer(rows * plan.columns, np.arange(plan.columns))
        combine.at(table.reshape(-1), places.reshape(-1), parts.reshape(-1))
    return table.reshape(plan.shape).transpose(plan.order_back)
