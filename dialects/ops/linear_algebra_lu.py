"""Factors L U of matrices by elimination: lu, lu_pivots_to_permutation, lu_solve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.codec import INT
from sable.ir.native import NativeKernel, pieces_of_solve, pieces_of_stack
from sable.ir.op import LINEAR, Traits, defop

from .compose import INT32, zeros
from .linear_algebra import (
    LAPACK_DTYPES,
    LIBRARY,
    check_matrices,
    cubic,
    many_sides,
    matmul,
    stacked,
    substituted,
    triangle,
    where,
)
from .linear_algebra_lowering import lower_lu, lower_lu_pivots_to_permutation, lower_lu_solve, take_rows
from .rules import check_same, floats, integers, sample, weak


def matrices(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    """Matrices with pivots away from ties and zeros."""
    x = floats((2, *shape), seed=seed, dtype=np.float64)
    x = x[0] + 1j * x[1] if np.dtype(dtype).kind == "c" else x[0]
    return (x + 3 * np.roll(np.eye(*shape[-2:]), 1, -1)).astype(dtype)


# ---- lu ----------------------------------------------------------------------------------------------------------


def _lu_type(a: Aval) -> tuple[Aval, ...]:
    check_matrices("lu", a)
    if a.ndim < 2:
        raise TypeError(f"The input to lu must have rank at least 2, got shape {a.shape}.")
    *batch, m, n = a.shape
    w = weak([a])
    return (
        aval(a.shape, a.dtype, w),
        aval((*batch, min(m, n)), INT32, w),
        aval((*batch, m), INT32, w),
    )


def _lu_ref(a: np.ndarray) -> tuple[np.ndarray, ...]:
    """Column by column, each pivot the largest number that is left of its column: L's have magnitudes up to 1."""
    *batch, m, n = a.shape
    k = min(m, n)
    factors = np.array(a).reshape(math.prod(batch), m, n)
    pivots = np.zeros((len(factors), k), np.int32)
    for matrix, exchanged in zip(factors, pivots):
        for j in range(k):
            column = matrix[j:, j]
            exchanged[j] = p = j + np.argmax(np.abs(column.real) + np.abs(column.imag))
            matrix[[j, p]] = matrix[[p, j]]
            if matrix[j, j] != 0:
                matrix[j + 1 :, j] /= matrix[j, j]
            matrix[j + 1 :, j + 1 :] -= np.outer(matrix[j + 1 :, j], matrix[j, j + 1 :])
    pivots = pivots.reshape(*batch, k)
    return factors.reshape(a.shape), pivots, _permutation_ref(pivots, m)


def _lu_jvp(b: Any, t: Any, y: Any, a: Any) -> tuple[Any, None, None]:
    """With P a = L U and m = L^-1 P da U^-1: dL = L tril(m, -1), dU = triu(m) U.

    F. de Hoog, R. Anderssen, M. Lukas, "Differentiation of matrix functionals using triangular factorization",
    Mathematics of Computation 80 (2011). Of factors that are not square, L and U are made so by columns and rows of the
    unit matrix.
    """
    factors, _, permutation = y
    t = take_rows(b, t, permutation)
    lower, upper = _square_factors(b, factors)
    m = b.triangular_solve(lower, t, left_side=True, lower=True, unit_diagonal=True, transpose_a="NO_TRANSPOSE")
    m = b.triangular_solve(upper, m, left_side=False, lower=False, unit_diagonal=False, transpose_a="NO_TRANSPOSE")
    below = triangle(b, m, True, strict=True)
    moved = b.add(matmul(b, triangle(b, lower, True, strict=True), below), below)
    return b.add(moved, matmul(b, triangle(b, m, False), triangle(b, upper, False))), None, None


def _square_factors(b: Any, factors: Any) -> tuple[Any, Any]:
    """L and U in one triangle each of square matrices; L's diagonal is not stored."""
    m, n = b.aval(factors).shape[-2:]
    if m == n:
        return factors, factors
    if m < n:
        lower, upper = cut(b, factors, m, m), triangle(b, factors, False)
        return lower, _filled(b, upper, n)
    return _filled(b, triangle(b, factors, True, strict=True), m), cut(b, factors, n, n)


def cut(b: Any, x: Any, rows: int, columns: int) -> Any:
    """The first rows and columns of matrices."""
    shape = b.aval(x).shape
    limits = (*shape[:-2], rows, columns)
    return b.slice(x, start_indices=(0,) * len(shape), limit_indices=limits, strides=(1,) * len(shape))


def _filled(b: Any, x: Any, size: int) -> Any:
    """Square matrices of that size with x in their first corner, and ones on the diagonal behind it."""
    a = b.aval(x)
    *batch, m, n = a.shape
    rest = a.update(shape=(*batch, size - min(m, n), size - min(m, n)))
    unit = where(b, "EQ", b.full(rest, 1), zeros(b, rest))
    return b.add(padded(b, x, (0, 0), (size - m, size - n)), padded(b, unit, (min(m, n),) * 2, (0, 0)))


def padded(b: Any, x: Any, low: tuple[int, int], high: tuple[int, int]) -> Any:
    """Matrices with so many rows and columns of zeros before and behind."""
    a = b.aval(x)
    nothing = (0,) * (a.ndim - 2)
    return b.pad(
        x,
        b.full(aval((), a.dtype), 0),
        edge_padding_low=(*nothing, *low),
        edge_padding_high=(*nothing, *high),
        interior_padding=(0,) * a.ndim,
    )


def _lu_samples() -> list:
    close = {"rtol": 2e-5, "atol": 1e-5}
    # the pivot is the largest number by the sum of its parts' magnitudes
    parts = np.array([[5, 1, 0], [3 + 3j, 2, 5], [1, 4j, 2]], np.complex64)
    singular = np.array([[1, 2, 3], [2, 4, 6], [1, 1, 1]], np.float32)
    return [
        *[
            sample(matrices(shape, dtype), **close)
            for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 4), (2, 3, 3), (4, 3)))
        ],
        sample(matrices((2, 5, 3), np.float32), **close),
        sample(matrices((2, 3, 5), np.complex128), **close),
        sample(matrices((2, 1, 1, 1), np.float32), **close),
        sample(matrices((24, 20), np.float32), grad=False, why="long", rtol=2e-4, atol=1e-4),
        sample(parts, **close),
        sample(np.stack([singular, np.zeros_like(singular)]), grad=False, why="no inverse", **close),
        sample(np.zeros((0, 0), np.float32), grad=False, why="empty"),
        sample(np.zeros((2, 3, 0), np.float32), grad=False, why="empty"),
        sample(np.zeros((0, 3, 3), np.float32), grad=False, why="empty"),
    ]


lu = defop(
    "lu",
    dialect="sable",
    operands=("a",),
    type=_lu_type,
    ref=_lu_ref,
    jvp={"a": _lu_jvp},
    transpose={},
    batch=stacked,
    samples=_lu_samples,
    multiple_results=True,
    lower=lower_lu,
    native=NativeKernel("sable_lu", (2,), (2, 1, 1), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- lu_pivots_to_permutation ------------------------------------------------------------------------------------


def _permutation_type(pivots: Aval, permutation_size: int) -> Aval:
    if pivots.dtype != INT32:
        raise TypeError(f"lu_pivots_to_permutation does not accept dtype {pivots.dtype.name}; it takes int32.")
    if pivots.ndim < 1:
        raise TypeError("The input to lu_pivots_to_permutation must have rank at least 1, got a scalar.")
    if permutation_size < pivots.shape[-1]:
        raise ValueError(
            f"A permutation of size {permutation_size} is not made by {pivots.shape[-1]} pivots, which exchange as "
            "many rows."
        )
    return aval((*pivots.shape[:-1], permutation_size), INT32, weak([pivots]))


def _permutation_ref(pivots: np.ndarray, permutation_size: int) -> np.ndarray:
    *batch, k = pivots.shape
    made = np.tile(np.arange(permutation_size, dtype=np.int32), (*batch, 1))
    for i in range(k):
        other = np.clip(pivots[..., i, None], 0, permutation_size - 1)
        here = made[..., i, None].copy()
        made[..., i, None] = np.take_along_axis(made, other, -1)
        np.put_along_axis(made, other, here, -1)
    return made


lu_pivots_to_permutation = defop(
    "lu_pivots_to_permutation",
    dialect="sable",
    operands=("pivots",),
    params={"permutation_size": INT},
    type=_permutation_type,
    ref=_permutation_ref,
    jvp=None,
    transpose={},
    batch=stacked,
    samples=lambda: [
        sample(np.int32([2, 1, 2]), permutation_size=3),
        sample(np.maximum(integers((2, 3, 4), 0, 6), np.arange(4, dtype=np.int32)), permutation_size=6),
        sample(np.zeros((2, 0), np.int32), permutation_size=3),
        sample(np.zeros((0,), np.int32), permutation_size=0),
    ],
    lower=lower_lu_pivots_to_permutation,
    native=NativeKernel("sable_lu_pivots_to_permutation", (1,), (1,), (INT32,)),
    traits=LIBRARY,
)


# ---- lu_solve ----------------------------------------------------------------------------------------------------


def _solve_type(a: Aval, factors: Aval, permutation: Aval, b: Aval, transpose_a: bool) -> Aval:
    check_same("lu_solve", [a, factors])
    check_same("lu_solve", [a.update(shape=()), b.update(shape=())])
    check_matrices("lu_solve", a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ValueError(f"The first input to lu_solve must be a square matrix. Got shape {a.shape[-2:]}.")
    if permutation.dtype != INT32 or permutation.shape != a.shape[:-1]:
        raise TypeError(f"lu_solve requires a permutation of int32 for each matrix, got {permutation}.")
    if b.ndim != a.ndim or b.shape[:-1] != a.shape[:-1]:
        raise TypeError(f"lu_solve requires right-hand sides for matrices of shape {a.shape}, got shape {b.shape}.")
    return aval(b.shape, b.dtype, weak([a, b]))


def _solve_ref(
    a: np.ndarray, factors: np.ndarray, permutation: np.ndarray, b: np.ndarray, transpose_a: bool
) -> np.ndarray:
    order = permutation[..., None]
    if not transpose_a:
        x = np.take_along_axis(b, order, -2)
        x = substituted(factors, x, True, True, True, "NO_TRANSPOSE")
        return substituted(factors, x, True, False, False, "NO_TRANSPOSE")
    x = substituted(factors, b, True, False, False, "TRANSPOSE")
    x = substituted(factors, x, True, True, True, "TRANSPOSE")
    return np.take_along_axis(x, np.argsort(order, -2), -2)


def _solve_jvp_a(b: Any, t: Any, y: Any, a: Any, factors: Any, permutation: Any, rhs: Any, transpose_a: bool) -> Any:
    """From op(a) x = b: op(a) dx = -op(da) x. The factors are a's, so they move as a does and are not looked at."""
    product = matmul(b, t, y, (-2 if transpose_a else -1, -2))
    return b.lu_solve(a, factors, permutation, b.negate(product), transpose_a=transpose_a)


def _solve_transpose_b(
    b: Any, ct: Any, avals: Any, a: Any, factors: Any, permutation: Any, rhs: Any, transpose_a: bool
) -> Any:
    return b.lu_solve(a, factors, permutation, ct, transpose_a=not transpose_a)


def _solve_batch(b: Any, op: Any, size: int, operands: Sequence[Any], mapped: Sequence[bool], **params: Any) -> Any:
    """Right-hand sides of one matrix are further columns of one right-hand side."""
    if any(mapped[:3]):
        return stacked(b, op, size, operands, mapped, **params)
    *matrix, rhs = operands
    return many_sides(b, op, matrix, rhs, True, params)


def _solve_sample(shape: tuple, columns: int, dtype: Any, transpose_a: bool = False, **more: Any) -> Any:
    a = matrices(shape, dtype)
    factors, _, permutation = _lu_ref(a)
    b = matrices((*shape[:-1], columns), dtype, seed=1)
    why = {"grad": False, "why": "the factors move with the matrix; tests/lax/test_linalg.py", **more}
    return sample(a, factors, permutation, b, transpose_a=transpose_a, rtol=1e-4, atol=1e-4, **why)


lu_solve = defop(
    "lu_solve",
    dialect="sable",
    operands=("a", "factors", "permutation", "b"),
    params={"transpose_a": BOOLEAN},
    type=_solve_type,
    ref=_solve_ref,
    jvp={"a": _solve_jvp_a, "b": LINEAR},
    transpose={"b": _solve_transpose_b},
    batch=_solve_batch,
    samples=lambda: [
        *[
            _solve_sample(shape, 2, dtype, transpose_a)
            for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 4), (2, 3, 3), (4, 4)))
            for transpose_a in (False, True)
        ],
        _solve_sample((2, 1, 1, 1), 1, np.float32),
        _solve_sample((3, 3), 0, np.float32, why="empty"),
        _solve_sample((0, 3, 3), 2, np.float32, why="empty"),
    ],
    lower=lower_lu_solve,
    native=NativeKernel(
        "sable_lu_solve", (2, 2, 1, 2), (2,), LAPACK_DTYPES, lambda transpose_a: (transpose_a,), pieces_of_solve
    ),
    traits=Traits(work=lambda *shapes: 2 * cubic(*shapes), no_kernel="a library function"),
)
