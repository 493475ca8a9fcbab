"""No long loop in a kernel for Vulkan: lavapipe ends a shader's loops after 65,535 turns in all, and says nothing.

(Mesa, gallivm/lp_bld_limits.h: LP_MAX_TGSI_LOOP_ITERATIONS. A sum of 65,536 ones was 65,535.) So long reductions and
contractions go in two stages, which other devices run quicker too, and scatters that IREE makes one loop go in pieces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.bodies import combining
from sable.dialects.ops.reduce import as_lines, halved
from sable.dialects.ops.reduce_window import Window
from sable.dialects.ops.windows import fold, pad
from sable.ir.aval import aval
from sable.ir.codec import DotDimensions
from sable.ir.op import OPS

from .rules import is_narrow, legalize

#: Elements that one reduction may run over: a sixteenth of the bound, as IREE may let one invocation do several.
_REDUCED = 4096
#: The same for contractions, which IREE tiles, and for scatters, whose updates are one loop.
_CONTRACTED = 16384
_SCATTERED = 16384
#: Pieces of a scatter that are written out; more become a loop on the host.
_UNROLLED = 8

_I32 = np.dtype(np.int32)


# ---- reductions ----------------------------------------------------------------------------------------------


def _pieces(n: int, limit: int) -> tuple[int, int]:
    """Number and length of equal pieces of at most `limit`; what is left over is shorter than a piece."""
    for length in range(limit, limit // 2, -1):
        if n % length == 0:
            return n // length, length
    return n // limit, limit


def _slice(b: Any, x: Any, axis: int, start: int, stop: int) -> Any:
    shape = b.aval(x).shape
    low = tuple(start if d == axis else 0 for d in range(len(shape)))
    high = tuple(stop if d == axis else n for d, n in enumerate(shape))
    return b.slice(x, start_indices=low, limit_indices=high, strides=(1,) * len(shape))


def _in_two_stages(b: Any, reduce: Any, operands: Sequence[Any], axis: int) -> tuple:
    """`reduce(operands, axis) -> results` of each piece, then of the pieces' results, in their order."""
    shape = b.aval(operands[0]).shape
    count, length = _pieces(shape[axis], _REDUCED)
    whole = count * length
    split = (*shape[:axis], count, length, *shape[axis + 1 :])
    partial = reduce([b.reshape(_slice(b, x, axis, 0, whole), shape=split) for x in operands], axis + 1)
    if whole < shape[axis]:
        rest = reduce([_slice(b, x, axis, whole, shape[axis]) for x in operands], axis)
        one = (*shape[:axis], 1, *shape[axis + 1 :])
        partial = [b.concatenate(p, b.reshape(r, shape=one), dimension=axis) for p, r in zip(partial, rest)]
    return tuple(reduce(partial, axis))


def _bound_reduction(name: str) -> None:
    @legalize(name, "vulkan")
    def rule(b: Any, operand: Any, dimensions: tuple[int, ...]) -> Any:
        a = b.aval(operand)
        if a.size == 0 or math.prod(a.shape[d] for d in dimensions) <= _REDUCED:
            return NotImplemented
        if is_narrow(a.dtype) and name in ("reduce_sum", "reduce_prod"):
            return NotImplemented  # the rule for all platforms comes back here with f32
        if len(dimensions) > 1:  # the last one first: the others keep their numbers
            *others, last = sorted(dimensions)
            partial = b.bind(OPS[name], operand, dimensions=(last,))
            return b.bind(OPS[name], partial, dimensions=tuple(others))
        axis = next(iter(dimensions))

        def reduce(operands: Sequence[Any], over: int) -> tuple:
            return (b.bind(OPS[name], *operands, dimensions=(over,)),)

        return _in_two_stages(b, reduce, [operand], axis)[0]


for _name in ("sum", "prod", "max", "min", "and", "or", "xor"):
    _bound_reduction(f"reduce_{_name}")


def _bound_search(name: str) -> None:
    @legalize(name, "vulkan")
    def rule(b: Any, operand: Any, index: Any, axis: int) -> Any:
        a = b.aval(operand)
        if a.size == 0 or a.shape[axis] <= _REDUCED:
            return NotImplemented
        return _in_two_stages(b, lambda xs, over: b.bind(OPS[name], *xs, axis=over), [operand, index], axis)


_bound_search("reduce_argmax")
_bound_search("reduce_argmin")


# ---- reductions by any function, and windows -------------------------------------------------------------------


@legalize("reduce", "vulkan")
def reduce_by(b: Any, *operands: Any, body: Any, dimensions: tuple[int, ...]) -> Any:
    """Neighbours are put together until few are left."""
    n, a = len(operands) // 2, b.aval(operands[0])
    if a.size == 0 or math.prod(a.shape[d] for d in dimensions) <= _REDUCED:
        return NotImplemented
    lines = halved(b, as_lines(b, operands[:n], dimensions), combining(b.passes, b, body), _REDUCED)
    return b.bind(OPS["reduce"], *lines, *operands[n:], body=body, dimensions=(0,))


@legalize("reduce_window", "vulkan")
def reduce_window_by(b: Any, *operands: Any, **params: Any) -> Any:
    """Large windows by doubling."""
    if math.prod(params["window_dimensions"]) <= _REDUCED:
        return NotImplemented
    return tuple(OPS["reduce_window"].rules.expand(b.passes, b, *operands, **params))


def _bound_window(name: str) -> None:
    op = OPS[name]
    combined = OPS[op.form.combine.removeprefix("stablehlo.")]

    @legalize(name, "vulkan")
    def rule(b: Any, x: Any, **params: Any) -> Any:
        a, w = b.aval(x), Window(**params)
        out = op.type(a, **params)
        if math.prod(w.window_dimensions) <= _REDUCED or out.size == 0:
            return NotImplemented
        if is_narrow(a.dtype) and name == "reduce_window_sum":
            return NotImplemented  # to be summed in f32: the rule for all platforms comes back here
        fill = b.full(a.update(shape=(), weak_type=False), op.form.neutral(a.dtype))

        def combine(left: Sequence[Any], right: Sequence[Any]) -> tuple:
            return (b.bind(combined, left[0], right[0]),)

        whole = pad(b, x, fill, w.padding, w.base_dilations)
        return fold(b, [whole], combine, w.window_dimensions, w.window_strides, w.window_dilations)[0]


for _name in ("reduce_window_sum", "reduce_window_max", "reduce_window_min"):
    _bound_window(_name)


# ---- contractions --------------------------------------------------------------------------------------------


@legalize("dot_general", "vulkan")
def dot_general(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """A sum over the pieces of the longest contracted dimension, which become a batch dimension."""
    dims: DotDimensions = params["dot_dimension_numbers"]
    sizes = [b.aval(lhs).shape[d] for d in dims.lhs_contracting_dimensions]
    dtype = OPS["dot_general"].type(b.aval(lhs), b.aval(rhs), **params).dtype
    if 0 in (b.aval(lhs).size, b.aval(rhs).size) or is_narrow(dtype):
        return NotImplemented  # empty, or to be summed in f32: the rule for all platforms comes back here
    if math.prod(sizes) <= _CONTRACTED:
        return _aligned_dot(b, lhs, rhs, params)
    return dot_in_pieces(b, lhs, rhs, _CONTRACTED, params)


def dot_in_pieces(b: Any, lhs: Any, rhs: Any, limit: int, params: dict) -> Any:
    """A contraction as the sum of contractions of at most `limit` products each."""
    dims: DotDimensions = params["dot_dimension_numbers"]
    sizes = [b.aval(lhs).shape[d] for d in dims.lhs_contracting_dimensions]
    chosen = int(np.argmax(sizes))
    at, to = dims.lhs_contracting_dimensions[chosen], dims.rhs_contracting_dimensions[chosen]
    n = sizes[chosen]
    count, length = _pieces(n, max(1, limit * n // math.prod(sizes)))
    whole = count * length
    out = _batched_dot(b, lhs, rhs, (at, to), (count, length), params)
    if whole < n:
        rest = (_slice(b, lhs, at, whole, n), _slice(b, rhs, to, whole, n))
        out = b.add(out, b.dot_general(*rest, **params))
    return out


#: Batches of matrices whose sizes are no multiples of this become one loop over the batch in one invocation (IREE 3.13).
_ALIGNED = 4


def _aligned_dot(b: Any, lhs: Any, rhs: Any, params: dict) -> Any:
    """Batches of matrices padded with zeros; NotImplemented where there is no need."""
    dims: DotDimensions = params["dot_dimension_numbers"]
    shape = b.aval(lhs).shape
    if math.prod(shape[d] for d in dims.lhs_batching_dimensions) == 1:
        return NotImplemented
    sides = []
    for x, batching, contracting in (
        (lhs, dims.lhs_batching_dimensions, dims.lhs_contracting_dimensions),
        (rhs, dims.rhs_batching_dimensions, dims.rhs_contracting_dimensions),
    ):
        sizes = b.aval(x).shape
        free = [d for d in range(len(sizes)) if d not in (*batching, *contracting)]
        sides.append((x, batching, free, contracting, math.prod(sizes[d] for d in free)))
    rows, columns = sides[0][-1], sides[1][-1]
    if (rows % _ALIGNED == 0 and columns % _ALIGNED == 0) or rows == columns == 1:
        return NotImplemented
    left, right = (_as_matrices(b, *side) for side in sides)
    # the barriers keep padding and slicing out of the kernel, which would be 17 times slower
    matrices = b.optimization_barrier(left, b.transpose(right, permutation=(0, 2, 1)))
    plain = DotDimensions((0,), (0,), (2,), (1,))
    out = b.emit("dot_general", *matrices, **{**params, "dot_dimension_numbers": plain})
    (out,) = b.optimization_barrier(out)
    kept = _slice(b, _slice(b, out, 1, 0, rows), 2, 0, columns)
    return b.reshape(kept, shape=OPS["dot_general"].type(b.aval(lhs), b.aval(rhs), **params).shape)


def _as_matrices(b: Any, x: Any, batching: Sequence, free: Sequence, contracting: Sequence, rows: int) -> Any:
    """(batch, rows padded, contracted)."""
    shape = b.aval(x).shape
    moved = b.transpose(x, permutation=(*batching, *free, *contracting))
    size = math.prod(shape[d] for d in batching)
    matrices = b.reshape(moved, shape=(size, rows, math.prod(shape[d] for d in contracting)))
    missing = -rows % _ALIGNED
    if not missing:
        return matrices
    zero = b.full(b.aval(x).update(shape=(), weak_type=False), 0)
    none = (0, 0, 0)
    return b.pad(matrices, zero, edge_padding_low=none, edge_padding_high=(0, missing, 0), interior_padding=none)


def _batched_dot(b: Any, lhs: Any, rhs: Any, axes: tuple, pieces: tuple[int, int], params: dict) -> Any:
    count, length = pieces
    split = []
    for x, axis in zip((lhs, rhs), axes):
        shape = b.aval(x).shape
        x = _slice(b, x, axis, 0, count * length)
        split.append(b.reshape(x, shape=(*shape[:axis], count, length, *shape[axis + 1 :])))
    dims: DotDimensions = params["dot_dimension_numbers"]
    moved = [
        tuple(d + (d >= axis) for d in numbers)
        for numbers, axis in (
            (dims.lhs_batching_dimensions, axes[0]),
            (dims.rhs_batching_dimensions, axes[1]),
            (dims.lhs_contracting_dimensions, axes[0]),
            (dims.rhs_contracting_dimensions, axes[1]),
        )
    ]
    batched = DotDimensions((axes[0], *moved[0]), (axes[1], *moved[1]), moved[2], moved[3])
    products = b.dot_general(*split, **{**params, "dot_dimension_numbers": batched})
    return b.reduce_sum(products, dimensions=(0,))


# ---- scatter -------------------------------------------------------------------------------------------------


def _bound_scatter(name: str) -> None:
    @legalize(name, "vulkan")
    def rule(b: Any, operand: Any, indices: Any, updates: Any, **params: Any) -> Any:
        """Piece after piece of the updates, along their longest dimension."""
        n = params["scatter_dimension_numbers"]
        shape = b.aval(indices).shape
        axes = [d for d in range(len(shape)) if d != n.index_vector_dim and d not in n.scatter_indices_batching_dims]
        total = math.prod(shape[d] for d in axes)
        if params["unique_indices"] or total <= _SCATTERED or b.aval(updates).size == 0:
            return NotImplemented
        axis = max(axes, key=lambda d: shape[d])
        length = max(1, _SCATTERED * shape[axis] // total)
        in_indices = [d for d in range(len(shape)) if d != n.index_vector_dim]
        in_updates = [d for d in range(b.aval(updates).ndim) if d not in n.update_window_dims]
        pieces = _Pieces(name, params, indices, updates, axis, in_updates[in_indices.index(axis)], length)
        return pieces.scatter(b, operand, shape[axis])


class _Pieces:
    """The updates of a scatter, to be applied in pieces along one dimension."""

    def __init__(self, name: str, params: dict, indices: Any, updates: Any, axis: int, to: int, length: int):
        self.op, self.params = OPS[name], params
        self.sources = ((indices, axis), (updates, to))
        self.length = length

    def scatter(self, b: Any, operand: Any, n: int) -> Any:
        """All n of them."""
        count = n // self.length
        if count <= _UNROLLED:
            for k in range(count):
                operand = self._known(b, operand, k * self.length, (k + 1) * self.length)
        else:
            operand = self._loop(b, operand, count)
        return operand if count * self.length == n else self._known(b, operand, count * self.length, n)

    def _known(self, b: Any, operand: Any, start: int, stop: int) -> Any:
        return b.bind(self.op, operand, *[_slice(b, x, axis, start, stop) for x, axis in self.sources], **self.params)

    def _loop(self, b: Any, operand: Any, count: int) -> Any:
        def body(i: Any, carry: list) -> list:
            start = b.multiply(i, b.full(aval((), _I32), self.length))
            pieces = [self._at(b, x, axis, start) for x, axis in self.sources]
            return [b.bind(self.op, carry[0], *pieces, **self.params)]

        return b.repeat(count, [operand], body)[0]

    def _at(self, b: Any, x: Any, axis: int, start: Any) -> Any:
        shape = b.aval(x).shape
        zero = b.full(aval((), _I32), 0)
        starts = [start if d == axis else zero for d in range(len(shape))]
        sizes = tuple(self.length if d == axis else n for d, n in enumerate(shape))
        return b.emit("dynamic_slice", x, *starts, slice_sizes=sizes)


for _name in ("scatter", "scatter_add", "scatter_mul", "scatter_min", "scatter_max"):
    _bound_scatter(_name)
