"""cholesky and triangular_solve in terms of StableHLO ops: one column, or row, a trip of a loop over the batch.

A trip is a product of the part that is known with one of its rows, so the work is that of the textbook and half of it
multiplies zeros.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import aval
from sable.ir.codec import DotDimensions

from .compose import INT32, compare, index_constant, zeros


def _as_stack(b: Any, x: Any) -> Any:
    shape = b.aval(x).shape
    return b.reshape(x, shape=(math.prod(shape[:-2]), *shape[-2:]))


def _transposed(b: Any, x: Any) -> Any:
    return b.transpose(x, permutation=(0, 2, 1))


def _conjugate(b: Any, x: Any) -> Any:
    return x if b.aval(x).dtype.kind != "c" else b.complex(b.real(x), b.negate(b.imag(x)))


def _slice(b: Any, x: Any, sizes: tuple[int, int], row: Any, column: Any) -> Any:
    """(batch, *sizes) of a stack, from there on."""
    return b.dynamic_slice(x, _zero(b), row, column, slice_sizes=(b.aval(x).shape[0], *sizes))


def _zero(b: Any) -> Any:
    return index_constant(b, 0, INT32)


def _times(b: Any, x: Any, y: Any, contract: tuple[int, int]) -> Any:
    a = b.aval(x)
    return b.dot_general(
        x,
        y,
        dot_dimension_numbers=DotDimensions((0,), (0,), contract[:1], contract[1:]),
        precision_config=("HIGHEST", "HIGHEST"),
        preferred_element_type=a.dtype,
    )


def _spread(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """A stack of single elements repeated to a shape."""
    flat = b.reshape(x, shape=(shape[0],))
    return b.broadcast_in_dim(flat, shape=shape, broadcast_dimensions=(0,))


def lower_cholesky(b: Any, a: Any, lower: bool) -> Any:
    """Column j is (a_j - L l_j^H) / sqrt(its element j), where l_j is row j of the columns before.

    G. Golub and C. Van Loan, "Matrix Computations", 4.2.5 (by gaxpy). A pivot that is not positive is NaN, and so are all
    after it: the last one tells whether there is a factor.
    """
    whole = b.aval(a)
    if whole.size == 0:
        return a
    stack = _as_stack(b, a)
    if not lower:
        stack = _transposed(b, _conjugate(b, stack))
    count, n, _ = b.aval(stack).shape

    def column(j: Any, carry: Any) -> list[Any]:
        (factor,) = carry
        row = _conjugate(b, _slice(b, factor, (1, n), j, _zero(b)))
        known = _times(b, factor, row, (2, 2))
        rest = b.subtract(_slice(b, stack, (n, 1), _zero(b), j), known)
        places = b.iota(shape=(count, n, 1), dtype=INT32, iota_dimension=1)
        here = b.broadcast_in_dim(j, shape=(count, n, 1), broadcast_dimensions=())
        root = _positive_root(b, _slice(b, rest, (1, 1), j, _zero(b)))
        below = b.divide(rest, _spread(b, root, (count, n, 1)))
        made = b.select(compare(b, places, here, "EQ"), _spread(b, root, (count, n, 1)), below)
        made = b.select(compare(b, places, here, "GE"), made, zeros(b, b.aval(made)))
        return [b.dynamic_update_slice(factor, made, _zero(b), _zero(b), j)]

    (factor,) = b.repeat(n, [zeros(b, b.aval(stack).update(weak_type=False))], column)
    factor = _without_failures(b, factor)
    if not lower:
        factor = _transposed(b, _conjugate(b, factor))
    return b.reshape(factor, shape=whole.shape)


def _positive_root(b: Any, x: Any) -> Any:
    """The root of the real part; NaN where that is not positive."""
    a = b.aval(x)
    is_complex = a.dtype.kind == "c"
    real = b.real(x) if is_complex else x
    r = b.aval(real)
    root = b.select(compare(b, real, zeros(b, r), "GT"), b.sqrt(real), b.full(r, np.nan))
    return b.complex(root, zeros(b, r)) if is_complex else root


def _without_failures(b: Any, factor: Any) -> Any:
    """The lower triangle of NaN where the last pivot is NaN."""
    a = b.aval(factor)
    n = a.shape[1]
    last = b.slice(factor, start_indices=(0, n - 1, n - 1), limit_indices=a.shape, strides=(1, 1, 1))
    last = b.real(last) if a.dtype.kind == "c" else last
    failed = _spread(b, compare(b, last, last, "NE"), a.shape)
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    real = b.aval(last).update(shape=a.shape)
    nothing = b.select(compare(b, row, column, "GE"), b.full(real, np.nan), zeros(b, real))
    return b.select(failed, b.complex(nothing, nothing) if a.dtype.kind == "c" else nothing, factor)


def lower_triangular_solve(
    b: Any, a: Any, rhs: Any, left_side: bool, lower: bool, unit_diagonal: bool, transpose_a: str
) -> Any:
    """Substitution: row i of x is (b_i - (row i of a's strict triangle) x) / a_ii, where rows to come are zero."""
    whole = b.aval(rhs)
    if whole.size == 0:
        return rhs
    matrix, sides = _as_stack(b, a), _as_stack(b, rhs)
    if transpose_a == "ADJOINT":
        matrix = _conjugate(b, matrix)
    # x op(a) = b is op(a)' x' = b'
    if left_side == (transpose_a != "NO_TRANSPOSE"):
        matrix, lower = _transposed(b, matrix), not lower
    if not left_side:
        sides = _transposed(b, sides)
    x = _substitute(b, matrix, sides, lower, unit_diagonal)
    return b.reshape(x if left_side else _transposed(b, x), shape=whole.shape)


def _substitute(b: Any, matrix: Any, sides: Any, lower: bool, unit_diagonal: bool) -> Any:
    a = b.aval(matrix)
    count, n, columns = b.aval(sides).shape
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=k) for k in (1, 2))
    strict = b.select(compare(b, row, column, "GT" if lower else "LT"), matrix, zeros(b, a))

    def solve_row(k: Any, carry: Any) -> list[Any]:
        (x,) = carry
        i = k if lower else b.subtract(index_constant(b, n - 1, INT32), k)
        known = _times(b, _slice(b, strict, (1, n), i, _zero(b)), x, (2, 1))
        made = b.subtract(_slice(b, sides, (1, columns), i, _zero(b)), known)
        if not unit_diagonal:
            made = b.divide(made, _spread(b, _slice(b, matrix, (1, 1), i, i), (count, 1, columns)))
        return [b.dynamic_update_slice(x, made, _zero(b), i, _zero(b))]

    (x,) = b.repeat(n, [zeros(b, aval((count, n, columns), a.dtype))], solve_row)
    return x
