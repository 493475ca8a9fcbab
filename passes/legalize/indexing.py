"""Gather and scatter: IREE neither clamps nor drops what is out of range (it crashes), and fails on batching dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.dialects.ops.indexing import (
    bounds_of,
    clamp_indices,
    fits,
    gather_without_batching_dims,
    over_windows,
    scatter_without_batching_dims,
)
from sable.dialects.ops.rules import kind_of
from sable.dialects.ops.scatter import window_sizes
from sable.ir.aval import Aval
from sable.ir.codec import GatherDimensions, ScatterDimensions
from sable.ir.op import OPS

from .rules import legalize


def _in_range(b: Any, indices: Any, bounds: tuple[int, ...], vector_dim: int) -> bool:
    """Whether the indices are constants that need no clamping."""
    literal = b.literal_of(indices)
    if literal is None:
        return False
    values = (
        np.moveaxis(literal.numpy(), vector_dim, -1) if vector_dim < literal.aval.ndim else literal.numpy()[..., None]
    )
    return bool(np.all((values >= 0) & (values <= np.array(bounds))))


@legalize("gather")
def gather(b: Any, operand: Any, start_indices: Any, **params: Any) -> Any:
    """Start indices are clamped as StableHLO says."""
    n: GatherDimensions = params["dimension_numbers"]
    if n.operand_batching_dims:
        return gather_without_batching_dims(b, operand, start_indices, **params)
    out = OPS["gather"].type(b.aval(operand), b.aval(start_indices), **params)
    if out.size == 0:
        return b.full(out, 0)
    bounds = bounds_of(b.aval(operand).shape, params["slice_sizes"], n.start_index_map)
    if not _in_range(b, start_indices, bounds, n.index_vector_dim):
        start_indices = clamp_indices(b, start_indices, n.index_vector_dim, bounds)
    return b.emit("gather", operand, start_indices, **params)


def _lowest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).min if kind_of(dtype) in "iu" else False if kind_of(dtype) == "b" else -np.inf


def _highest(dtype: np.dtype) -> Any:
    return np.iinfo(dtype).max if kind_of(dtype) in "iu" else True if kind_of(dtype) == "b" else np.inf


#: What an update that is dropped may be replaced by, where the operation has a neutral element.
_NEUTRAL = {
    "scatter_add": lambda dtype: 0,
    "scatter_mul": lambda dtype: 1,
    "scatter_max": _lowest,
    "scatter_min": _highest,
}


def _register(name: str) -> None:
    @legalize(name)
    def rule(b: Any, operand: Any, indices: Any, updates: Any, **params: Any) -> Any:
        n: ScatterDimensions = params["scatter_dimension_numbers"]
        if n.input_batching_dims:
            return scatter_without_batching_dims(b, OPS[name], operand, indices, updates, **params)
        shape, update = b.aval(operand).shape, b.aval(updates)
        if update.size == 0 or b.aval(operand).size == 0:
            return operand
        bounds = bounds_of(shape, window_sizes(shape, update.shape, n), n.scatter_dims_to_operand_dims)
        if name == "scatter_add" and update.dtype == np.bool_:  # IREE adds bits without carry
            return b.scatter_max(operand, indices, updates, **params)
        if _in_range(b, indices, bounds, n.index_vector_dim):
            return _emit(b, name, operand, indices, updates, params)
        inside = fits(b, indices, n.index_vector_dim, bounds)
        if name == "scatter":
            return _into_margin(b, operand, indices, updates, inside, params)
        wide = over_windows(b, inside, n.update_window_dims, update.shape)
        updates = b.emit("select", wide, updates, b.full(update, _NEUTRAL[name](update.dtype)))
        indices = clamp_indices(b, indices, n.index_vector_dim, bounds)
        return _emit(b, name, operand, indices, updates, params)


def _emit(b: Any, name: str, operand: Any, indices: Any, updates: Any, params: dict) -> Any:
    """The scatter itself. IREE takes windows only of whole dimensions: partial ones are written element by element.

    Every element of a partial window gets an index vector of its own: the window's start plus its place in it. So do
    windows in front of an indexed dimension where there are several of these: IREE takes the first ones for them.
    """
    n: ScatterDimensions = params["scatter_dimension_numbers"]
    shape = b.aval(operand).shape
    windows = [d for d in range(len(shape)) if d not in n.inserted_window_dims]
    sizes = window_sizes(shape, b.aval(updates).shape, n)
    moved = n.scatter_dims_to_operand_dims
    partial = [d for d in windows if d in moved or sizes[d] != shape[d]]
    indexed = {*n.inserted_window_dims, *partial}
    if len(indexed) > 1:
        partial = [d for d in windows if d in partial or d < max(indexed)]
    place = dict(zip(windows, n.update_window_dims))
    batch = [d for d in range(b.aval(updates).ndim) if d not in n.update_window_dims]
    rest = [d for d in windows if d not in partial]
    order = (*batch, *[place[d] for d in partial], *[place[d] for d in rest])
    rank = len(batch) + len(partial)
    grid = tuple(b.aval(updates).shape[d] for d in order[:rank])
    components = _components(b, indices, n.index_vector_dim, moved, partial, grid, len(batch))
    for d in n.inserted_window_dims:  # IREE wants an index for every inserted dimension
        if d not in components:
            components[d] = b.full(b.aval(indices).update(shape=(*grid, 1)), 0)
    components = dict(sorted(components.items()))
    indices = b.concatenate(*components.values(), dimension=rank)
    # one batch dimension and the index vectors last: the only arrangement that IREE takes at every rank
    count = math.prod(grid)
    updates = b.transpose(updates, permutation=order)
    updates = b.reshape(updates, shape=(count, *b.aval(updates).shape[rank:]))
    indices = b.reshape(indices, shape=(count, len(components)))
    numbers = ScatterDimensions(
        tuple(range(1, 1 + len(rest))),
        tuple(sorted((*n.inserted_window_dims, *partial))),
        (),
        (),
        tuple(components),
        1,
    )
    params = {**params, "scatter_dimension_numbers": numbers}
    if partial:
        params["indices_are_sorted"] = False
    # what IREE fuses with a scatter, it computes as a whole array on the stack
    updates, indices = b.emit("optimization_barrier", updates, indices)
    return b.emit(name, operand, indices, updates, **params)


def _components(
    b: Any,
    indices: Any,
    vector_dim: int,
    moved: tuple[int, ...],
    partial: list[int],
    grid: tuple[int, ...],
    batch: int,
) -> dict[int, Any]:
    """Operand dimension -> its index for every element of the partial windows: shape (*grid, 1)."""
    a = b.aval(indices)
    full = a.update(shape=(*grid, 1))
    if vector_dim == a.ndim:
        indices = b.reshape(indices, shape=(*a.shape, 1))
    found = {}
    for c, d in enumerate(moved):
        ndim = b.aval(indices).ndim
        low = tuple(c if i == vector_dim else 0 for i in range(ndim))
        high = tuple(c + 1 if i == vector_dim else s for i, s in enumerate(b.aval(indices).shape))
        one = b.slice(indices, start_indices=low, limit_indices=high, strides=(1,) * ndim)
        one = b.reshape(one, shape=grid[:batch])
        found[d] = b.broadcast_in_dim(one, shape=full.shape, broadcast_dimensions=tuple(range(batch)))
    for k, d in enumerate(partial):
        own = b.iota(shape=full.shape, dtype=a.dtype, iota_dimension=batch + k)
        found[d] = b.add(found[d], own) if d in found else own
    return found


def _into_margin(b: Any, operand: Any, indices: Any, updates: Any, inside: Any, params: dict) -> Any:
    """A set has no neutral update: what is dropped is written into a margin, which is cut off again."""
    n: ScatterDimensions = params["scatter_dimension_numbers"]
    a: Aval = b.aval(operand)
    sizes = window_sizes(a.shape, b.aval(updates).shape, n)
    moved = set(n.scatter_dims_to_operand_dims)
    margin = tuple(sizes[d] if d in moved else 0 for d in range(a.ndim))
    zeros = (0,) * a.ndim
    wide = b.pad(
        operand,
        b.full(a.update(shape=()), 0),
        edge_padding_low=zeros,
        edge_padding_high=margin,
        interior_padding=zeros,
    )
    index = b.aval(indices)
    away = np.array([a.shape[d] for d in n.scatter_dims_to_operand_dims], index.dtype)
    if n.index_vector_dim < index.ndim:
        kept = tuple(i for i in range(index.ndim) if i != n.index_vector_dim)
        inside = b.broadcast_in_dim(inside, shape=index.shape, broadcast_dimensions=kept)
        beyond = b.broadcast_in_dim(b.literal(away), shape=index.shape, broadcast_dimensions=(n.index_vector_dim,))
    else:
        beyond = b.full(index, int(away[0]))
    indices = b.emit("select", inside, indices, beyond)
    wide = _emit(b, "scatter", wide, indices, updates, params)
    return b.slice(wide, start_indices=zeros, limit_indices=a.shape, strides=(1,) * a.ndim)


@legalize("dynamic_slice")
def dynamic_slice(b: Any, x: Any, *starts: Any, **params: Any) -> Any:
    """Of a scalar: the scalar (StableHLO's text form cannot say "no sizes")."""
    return NotImplemented if starts else x


@legalize("dynamic_update_slice")
def dynamic_update_slice(b: Any, x: Any, update: Any, *starts: Any) -> Any:
    """Of a scalar: the update."""
    return NotImplemented if starts else update


for _name in ("scatter", *_NEUTRAL):
    _register(_name)
