"""Contractions on CPUs: large ones by BLAS, where programs may call it, others so that their sums do not drift.

BLAS needs no compiling, and gets a few hundred products at a time; IREE's own code for a matmul adds one after the other
(1.3e-5 off for 1,000 equal products) and is quick for some sizes only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.long_sums import wider
from sable.ir.aval import Aval
from sable.ir.bindings import ir
from sable.ir.codec import DotDimensions
from sable.ir.native import NativeKernel
from sable.ir.op import OPS

from .bounded_loops import dot_in_pieces
from .rules import in_shape, legalize

#: Products from which a matmul with no side as thin as that is called; the same where its sums would drift.
_CALLED, _THIN = 1 << 19, 8
_CALLED_LONG, _THIN_LONG = 1 << 15, 2
#: Products, and rows or columns, of one piece for a core: some 100 us. How many there are does not depend on the cores, so
#: that results do not either.
_PIECE, _PIECE_SIZE = 1 << 23, 128
#: A contraction whose results have so few rows and columns, or one of either, waits for memory: from so many products on
#: it is of f64. IREE fails on f64 from 32 x 32 on.
_FEW, _FEW_PRODUCTS = 16, 1024
#: Others of up to so many results go in pieces from so many products on, 0.5 to 1.5 times as quick. Larger ones would be
#: twice as slow in pieces, and are 5e-6 off at 5,000 random products.
_RESULTS, _PRODUCTS, _AT_A_TIME = 1 << 16, 4096, 256


def _transposes(transpose_a: bool, transpose_b: bool) -> tuple[int, int]:
    return transpose_a, transpose_b


_MATMUL = NativeKernel(
    "sable_matmul", (2, 2), (2,), tuple(np.dtype(t) for t in ("f4", "f8", "c8", "c16")), options=_transposes
)


@legalize("dot_general", "cpu")
def dot_general(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """By BLAS, by f64 or in pieces, whichever is quick."""
    dims: DotDimensions = params["dot_dimension_numbers"]
    left, right = b.aval(lhs), b.aval(rhs)
    out = OPS["dot_general"].type(left, right, **params)
    if not out.size or {left.dtype, right.dtype} != {out.dtype}:
        return NotImplemented
    products = math.prod(left.shape[d] for d in dims.lhs_contracting_dimensions)
    batch = math.prod(left.shape[d] for d in dims.lhs_batching_dimensions)
    rows, columns = (a.size // (batch * products) if products else 0 for a in (left, right))
    wide = wider(out.dtype, products)
    few = min(rows, columns) == 1 or max(rows, columns) <= _FEW
    if b.native and out.dtype in _MATMUL.dtypes and not (few and products > _FEW_PRODUCTS):
        called, thin = (_CALLED, _THIN) if wide is None else (_CALLED_LONG, _THIN_LONG)
        if min(rows, columns, products) >= thin and batch * rows * columns * products >= called:
            return _by_blas(b, lhs, rhs, dims, (batch, rows, columns, products), out)
    if wide is None:
        return NotImplemented
    if few:
        if products <= _FEW_PRODUCTS:
            return NotImplemented
        sides = [b.convert(x, dtype=wide) for x in (lhs, rhs)]
        found = b.bind(OPS["dot_general"], *sides, **{**params, "preferred_element_type": wide})
        return b.convert(found, dtype=out.dtype)
    if products <= _PRODUCTS or rows * columns > _RESULTS:
        return NotImplemented
    return dot_in_pieces(b, lhs, rhs, _AT_A_TIME, params)


def _by_blas(b: Any, lhs: Any, rhs: Any, dims: DotDimensions, sizes: tuple[int, int, int, int], out: Aval) -> Any:
    """`sizes`: matrices, rows, columns, and products of each sum."""
    count, rows, columns, _ = sizes
    left, transpose_a = _matrices(b, lhs, dims.lhs_batching_dimensions, dims.lhs_contracting_dimensions, False)
    right, transpose_b = _matrices(b, rhs, dims.rhs_batching_dimensions, dims.rhs_contracting_dimensions, True)
    total = math.prod(sizes)
    pieces = max(1, min(total // _PIECE, max(count, rows // _PIECE_SIZE, columns // _PIECE_SIZE)))
    stack = out.update(shape=(count, rows, columns), weak_type=False)
    transposes = {"transpose_a": transpose_a, "transpose_b": transpose_b}
    (found,) = b.call_native(_MATMUL, (left, right), (stack,), transposes, 2 * total, pieces)
    return in_shape(b, found, out.shape)


def _matrices(
    b: Any, x: Any, batch: Sequence[int], contracted: Sequence[int], contracted_first: bool
) -> tuple[Any, bool]:
    """x as a stack of matrices, whose rows are what is contracted or its columns; whether they are given transposed.

    Where x is the transpose of an array, it is that array that is taken.
    """
    ndim = b.aval(x).ndim
    order: Sequence[int] = range(ndim)
    if not isinstance(x, ir.BlockArgument) and x.owner.name == "stablehlo.transpose":
        order = list(ir.DenseI64ArrayAttr(x.owner.attributes["permutation"]))
        x = x.owner.operands[0]
    shape, usual = b.aval(x).shape, list(range(ndim))
    free = [d for d in range(ndim) if d not in batch and d not in contracted]
    sides = (contracted, free) if contracted_first else (free, contracted)
    stack, rows, columns = ([order[d] for d in dimensions] for dimensions in (batch, *sides))
    is_transposed = [*stack, *columns, *rows] == usual and [*stack, *rows, *columns] != usual
    if is_transposed:
        rows, columns = columns, rows
    if [*stack, *rows, *columns] != usual:
        x = b.transpose(x, permutation=(*stack, *rows, *columns))
    return in_shape(b, x, tuple(math.prod(shape[d] for d in part) for part in (stack, rows, columns))), is_transposed
