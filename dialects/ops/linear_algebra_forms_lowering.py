"""Hessenberg and tridiagonal forms in terms of StableHLO ops: a reflection of rows and columns a trip of a loop over the batch."""

from __future__ import annotations

import math
from typing import Any

from sable.ir.aval import aval

from .compose import INT32, compare, convert, index_constant, zeros
from .linear_algebra_lowering import _as_stack, _conjugate, _spread, _times, _transposed, _zero, reflected, reflection


def lower_hessenberg(b: Any, a: Any) -> tuple[Any, Any]:
    """Trip j reflects column j from below its diagonal element on to a multiple of the unit vector, and the space likewise.

    G. Golub and C. Van Loan, "Matrix Computations", 7.4.2; the reflections are LAPACK's.
    """
    whole = b.aval(a)
    *batch, n, _ = whole.shape
    if whole.size == 0 or n == 1:
        return a, zeros(b, aval((*batch, n - 1), whole.dtype))
    packed, taus = _reduced(b, _as_stack(b, a))
    return b.reshape(packed, shape=whole.shape), b.reshape(taus, shape=(*batch, n - 1))


def _reduced(b: Any, stack: Any) -> tuple[Any, Any]:
    """Stacks with the reflections' vectors below the diagonal beside the main one; taus."""
    a = b.aval(stack)
    count, n, _ = a.shape
    row, column = (b.iota(shape=a.shape, dtype=INT32, iota_dimension=i) for i in (1, 2))

    def reflect(j: Any, carry: Any) -> list[Any]:
        matrix, taus = carry
        below = b.add(j, index_constant(b, 1, INT32))
        here, there = (b.broadcast_in_dim(x, shape=a.shape, broadcast_dimensions=()) for x in (j, below))
        v, beta, tau = reflection(b, matrix, below, j)
        turned = reflected(b, matrix, v, _conjugate(b, tau))
        turned = _reflected_columns(b, b.select(compare(b, column, here, "GT"), turned, matrix), v, tau)
        v, beta = (b.broadcast_in_dim(x, shape=a.shape, broadcast_dimensions=(0, 1, 2)) for x in (v, beta))
        own = b.select(compare(b, row, there, "EQ"), beta, b.select(compare(b, row, there, "GT"), v, matrix))
        kept = b.select(compare(b, column, here, "EQ"), own, matrix)
        matrix = b.select(compare(b, column, here, "GT"), turned, kept)
        return [matrix, b.dynamic_update_slice(taus, b.reshape(tau, shape=(count, 1)), _zero(b), j)]

    packed, taus = b.repeat(n - 1, [stack, zeros(b, aval((count, n - 1), a.dtype))], reflect)
    return packed, taus


def _reflected_columns(b: Any, matrix: Any, v: Any, tau: Any) -> Any:
    """matrix (I - tau v v^H)."""
    shape = b.aval(matrix).shape
    along = _times(b, matrix, v, (2, 1))
    along = b.multiply(along, _spread(b, tau, b.aval(along).shape))
    turned = _transposed(b, _conjugate(b, v))
    along, turned = (b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=(0, 1, 2)) for x in (along, turned))
    return b.subtract(matrix, b.multiply(along, turned))


def lower_tridiagonal(b: Any, a: Any, lower: bool) -> tuple[Any, ...]:
    """The Hessenberg form of the Hermitian matrix. From the upper triangle LAPACK begins with the last column: it is the lower
    one of the matrix with rows and columns in reverse order.
    """
    whole = b.aval(a)
    *batch, n, _ = whole.shape
    if whole.size == 0:
        real = b.aval(_real(b, a)).dtype
        shapes = ((*batch, n), real), ((*batch, n - 1), real), ((*batch, n - 1), whole.dtype)
        return a, *[zeros(b, aval(shape, dtype)) for shape, dtype in shapes]
    stack = _as_stack(b, a)
    given = stack if lower else b.reverse(stack, dimensions=(1, 2))
    count = math.prod(batch)
    taus = zeros(b, aval((count, n - 1), whole.dtype))
    packed = _hermitian(b, given)
    if n > 1:
        packed, taus = _reduced(b, packed)
    diagonal = _real(b, _diagonal_from(b, packed, 0))
    beside = _real(b, _diagonal_from(b, packed, 1))
    packed = _where(b, "GE", packed, given)
    if not lower:
        packed = b.reverse(packed, dimensions=(1, 2))
        diagonal, beside, taus = (b.reverse(x, dimensions=(1,)) for x in (diagonal, beside, taus))
    shapes = whole.shape, (*batch, n), (*batch, n - 1), (*batch, n - 1)
    return tuple(b.reshape(x, shape=shape) for x, shape in zip((packed, diagonal, beside, taus), shapes))


def _real(b: Any, x: Any) -> Any:
    return b.real(x) if b.aval(x).dtype.kind == "c" else x


def _where(b: Any, direction: str, x: Any, otherwise: Any) -> Any:
    shape = b.aval(x).shape
    row, column = (b.iota(shape=shape, dtype=INT32, iota_dimension=i) for i in (1, 2))
    return b.select(compare(b, row, column, direction), x, otherwise)


def _hermitian(b: Any, x: Any) -> Any:
    """The matrix of which the lower triangle is given; its diagonal is real."""
    mirrored = _where(b, "GT", x, _transposed(b, _conjugate(b, x)))
    return _where(b, "EQ", convert(b, _real(b, x), b.aval(x).dtype), mirrored)


def _diagonal_from(b: Any, x: Any, below: int) -> Any:
    """The diagonal that begins so many rows below the first one, (count, n - below)."""
    count, n, _ = b.aval(x).shape
    part = b.slice(x, start_indices=(0, below, 0), limit_indices=(count, n, n - below), strides=(1, 1, 1))
    return b.reduce_sum(_where(b, "EQ", part, zeros(b, b.aval(part))), dimensions=(2,))
