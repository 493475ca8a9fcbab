"""In which dtype sums and products are accumulated: a wider one than their operand's, where that would drift.

IREE adds one element after the other, in vectors where the last dimension is summed. f16 and bf16 are rounded after each
element (2% off after 3,000 of bf16), so they go through f32. f32 is off by a unit in the last place for each eight
additions in a row of equal numbers (a mean over 1e6 rows by 1e-2), so long ones go through f64 on CPUs, which reads
memory as often and costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sable.dialects.ops.long_sums import updates_in_a_row, wider
from sable.ir.aval import Aval
from sable.ir.codec import DotDimensions
from sable.ir.op import OPS

from .bounded_loops import dot_in_pieces
from .rules import in_f32, is_narrow, legalize

#: A contraction whose results have so few rows and columns, or one of either, waits for memory: from so many products on
#: it is of f64. IREE fails on f64 from 32 x 32 on.
_THIN, _THIN_PRODUCTS = 16, 1024
#: Others of up to so many results go in pieces from so many products on, 0.5 to 1.5 times as quick. Larger ones would be
#: twice as slow in pieces, and are 5e-6 off at 5,000 random products.
_RESULTS, _PRODUCTS, _PIECE = 1 << 16, 4096, 256
#: Numbers that IREE adds side by side along the last dimension: a vector of AVX-512.
_LANES = 16


def _narrow(name: str) -> None:
    @legalize(name)
    def rule(b: Any, x: Any, **params: Any) -> Any:
        return in_f32(b, name, x, **params) if is_narrow(b.aval(x).dtype) else NotImplemented


for _name in ("reduce_sum", "reduce_prod", "cumsum", "cumprod", "cumlogsumexp"):
    _narrow(_name)


def _long(name: str, in_a_row: Callable[..., int]) -> None:
    """`in_a_row(*avals, **params)`: how many of the op's additions follow one another."""

    @legalize(name, "cpu")
    def rule(b: Any, *operands: Any, **params: Any) -> Any:
        avals = [b.aval(x) for x in operands]
        dtype = avals[0].dtype
        wide = wider(dtype, in_a_row(*avals, **params))
        if wide is None:
            return NotImplemented
        widened = [b.convert(x, dtype=wide) if a.dtype == dtype else x for x, a in zip(operands, avals)]
        return b.convert(b.bind(OPS[name], *widened, **params), dtype=dtype)


def _reduced(a: Aval, dimensions: tuple[int, ...]) -> int:
    extent = math.prod(a.shape[d] for d in dimensions)
    return extent // min(a.shape[-1], _LANES) if a.ndim - 1 in dimensions and extent else extent


def _windowed(a: Aval, window_dimensions: tuple[int, ...], **_: Any) -> int:
    return math.prod(window_dimensions)


def _updated(operand: Aval, indices: Aval, updates: Aval, **_: Any) -> int:
    return updates_in_a_row(operand.size, updates.size)


_long("reduce_sum", _reduced)
_long("reduce_prod", _reduced)
_long("reduce_window_sum", _windowed)
_long("scatter_add", _updated)


@legalize("dot_general", "cpu")
def dot_general(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """By f64 or in pieces, whichever is as quick."""
    dims: DotDimensions = params["dot_dimension_numbers"]
    left, right = b.aval(lhs), b.aval(rhs)
    out = OPS["dot_general"].type(left, right, **params)
    products = math.prod(left.shape[d] for d in dims.lhs_contracting_dimensions)
    wide = wider(out.dtype, products)
    if wide is None or not out.size or {left.dtype, right.dtype} != {out.dtype}:
        return NotImplemented
    batch = math.prod(left.shape[d] for d in dims.lhs_batching_dimensions)
    rows, columns = (a.size // (batch * products) for a in (left, right))
    if min(rows, columns) == 1 or max(rows, columns) <= _THIN:
        if products <= _THIN_PRODUCTS:
            return NotImplemented
        sides = [b.convert(x, dtype=wide) for x in (lhs, rhs)]
        found = b.bind(OPS["dot_general"], *sides, **{**params, "preferred_element_type": wide})
        return b.convert(found, dtype=out.dtype)
    if products <= _PRODUCTS or rows * columns > _RESULTS:
        return NotImplemented
    return dot_in_pieces(b, lhs, rhs, _PIECE, params)
