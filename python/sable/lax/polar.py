"""`jax.lax.linalg.qdwh`: the polar decomposition by Halley's iteration with dynamic weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import finfo
from sable.core.operands import convert, value_of
from sable.dialects.ops.linear_algebra import conjugate, matmul, matrix_transpose, where
from sable.library.declare import library

from .control_flow import fori_loop, while_loop

#: Weights beyond which a step goes by factors Q R, since the condition of what Cholesky would factor grows with them.
_LARGEST_WEIGHT = 100.0


@library
def qdwh(
    x: Any,
    *,
    is_hermitian: bool = False,
    max_iterations: int | None = None,
    eps: float | None = None,
    dynamic_shape: tuple[int, int] | None = None,
) -> tuple[Value, Value, Value, Value]:
    """The factors of a matrix x = u h: u has orthonormal columns, h is Hermitian and has no negative eigenvalue.

    Args:
      x: (m, n), m >= n, of full rank; f32, f64, c64 or c128.
      is_hermitian: without effect, as in JAX.
      max_iterations: 10 by default.
      eps: the relative error of u, and the smallest singular value that is thought of beside the largest; the dtype's by
        default.
      dynamic_shape: rows and columns that count; the others are taken for zeros.

    Returns:
      (u, h, number of iterations, whether they have converged).

    Raises:
      ValueError: another shape, or integers.

    Source: Y. Nakatsukasa, Z. Bai, F. Gygi, "Optimizing Halley's iteration for computing the matrix polar decomposition",
    SIAM J. Matrix Anal. Appl. 31 (2010); Y. Nakatsukasa, N. Higham, SIAM J. Sci. Comput. 35 (2013).

    Example:
      >>> u, h, count, converged = jax.lax.linalg.qdwh(jnp.array([[0.0, -2.0], [3.0, 0.0]]))
      >>> jnp.abs(u.round(4)), h.round(4), bool(converged)
      (Array([[0., 1.],
             [1., 0.]], dtype=float32), Array([[ 3., -0.],
             [-0.,  2.]], dtype=float32), True)
    """
    del is_hermitian
    value = value_of(x, "qdwh")
    if len(value.aval.shape) != 2:
        raise ValueError(f"qdwh takes one matrix, got an array of {len(value.aval.shape)} dimensions")
    rows, columns = value.aval.shape
    if rows < columns:
        raise ValueError("The input matrix of shape M x N must have M >= N.")
    if dynamic_shape is not None:
        value = _masked(value, dynamic_shape)
    precision = float(finfo(value.aval.dtype).eps) if eps is None else float(eps)
    return _iterated(value, 10 if max_iterations is None else int(max_iterations), precision)


def _masked(x: Value, shape: Sequence[int]) -> Value:
    """Zeros beyond these rows and columns."""
    for axis, size in enumerate(shape):
        place = BIND.iota(shape=x.aval.shape, dtype=np.dtype(np.int32), iota_dimension=axis)
        limit = BIND.broadcast_in_dim(value_of(np.int32(size), "qdwh"), shape=x.aval.shape, broadcast_dimensions=())
        x = BIND.select(BIND.compare(place, limit, comparison_direction="LT"), x, BIND.full(x.aval, 0))
    return x


def _weights(eps: float, most: int) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """(a - b / c, c, b / c) of each step u (a + b u^H u) / (1 + c u^H u): of those by Q R, and of those by Cholesky.

    `least` is a bound from below of u's singular values, whose best weights these are (equations 3.15 to 3.17 of the first paper).
    """
    by_qr, by_cholesky = [], []
    least = eps
    while least + 5 * eps < 1 and len(by_qr) + len(by_cholesky) < most:
        square = least * least
        d = (4 * (1 / square - 1) / square) ** (1 / 3)
        root = math.sqrt(1 + d)
        a = root + math.sqrt(2 - d + 2 * (2 - square) / (square * root))
        b = (a - 1) ** 2 / 4
        c = a + b - 1
        least *= (a + b * square) / (1 + c * square)
        (by_qr if c > _LARGEST_WEIGHT else by_cholesky).append((a - b / c, c, b / c))
    return by_qr, by_cholesky


def _iterated(x: Value, most: int, eps: float) -> tuple[Value, Value, Value, Value]:
    by_qr, by_cholesky = _weights(eps, most)
    tolerance = (5 * eps) ** (1 / 3)
    u = _scaled_to_one(x)
    not_converged: Any = value_of(np.bool_(True), "qdwh")
    if by_qr:
        u = fori_loop(0, len(by_qr), lambda k, u: _step_by_qr(u, *_chosen(by_qr, k, x)), u)

    def step(u: Value, weights: Sequence[Any]) -> tuple[Value, Value]:
        made = _step_by_cholesky(u, *weights)
        moved = BIND.sqrt(_sum_of_squares(BIND.subtract(made, u)))
        return made, BIND.compare(moved, BIND.full(moved.aval, tolerance), comparison_direction="GT")

    if by_cholesky:
        steps = len(by_cholesky)
        u, not_converged = fori_loop(
            0, steps, lambda k, state: step(state[0], _chosen(by_cholesky, k, x)), (u, not_converged)
        )
    halley = _chosen([(3 - 1 / 3, 3.0, 1 / 3)], 0, x)
    done, u, not_converged = while_loop(
        lambda state: state[2] & (state[0] < most),
        lambda state: (state[0] + 1, *step(state[1], halley)),
        (len(by_qr) + len(by_cholesky), u, not_converged),
    )
    u = _refined(u)
    h = matmul(BIND, _adjoint(u), x)
    h = BIND.multiply(BIND.add(h, _adjoint(h)), BIND.full(h.aval, 0.5))
    return u, h, done, BIND.compare(not_converged, BIND.full(not_converged.aval, False), comparison_direction="EQ")


def _adjoint(x: Value) -> Value:
    return conjugate(BIND, matrix_transpose(BIND, x))


def _scaled_to_one(x: Value) -> Value:
    """x divided by a bound of its largest singular value: the root of the product of the 1-norm and the infinity norm."""
    size = BIND.abs(x)
    if 0 in x.aval.shape:
        return x
    norms = [BIND.reduce_max(BIND.reduce_sum(size, dimensions=(axis,)), dimensions=(0,)) for axis in (0, 1)]
    scale = BIND.multiply(*[BIND.rsqrt(n) for n in norms])
    nothing = BIND.compare(norms[0], BIND.full(scale.aval, 0), comparison_direction="EQ")
    scale = BIND.select(nothing, BIND.full(scale.aval, 1), scale)
    return BIND.multiply(x, _repeated(convert(scale, x.aval.dtype), x))


def _repeated(number: Value, like: Value) -> Value:
    return BIND.broadcast_in_dim(number, shape=like.aval.shape, broadcast_dimensions=())


def _chosen(weights: Sequence[Sequence[float]], k: Any, x: Value) -> list[Value]:
    """Weights number k as scalars of x's dtype."""
    dtype = x.aval.dtype
    table = np.array(weights, np.float64).astype(dtype)
    if isinstance(k, int):
        return [constant(table[k, i]) for i in range(3)]
    row = value_of(table, "qdwh")
    index = convert(value_of(k, "qdwh"), np.dtype(np.int32))
    row = BIND.dynamic_slice(row, index, value_of(np.int32(0), "qdwh"), slice_sizes=(1, 3))
    return [
        BIND.reshape(BIND.slice(row, start_indices=(0, i), limit_indices=(1, i + 1), strides=(1, 1)), shape=())
        for i in range(3)
    ]


def _step_by_qr(u: Value, more: Value, c: Value, same: Value) -> Value:
    """e u + (a - e) / sqrt(c) Q1 Q2^H with the factor Q of sqrt(c) u above the unit matrix."""
    rows, columns = u.aval.shape
    root = BIND.sqrt(c)
    below = BIND.full(u.aval.update(shape=(columns, columns), weak_type=False), 1)
    below = where(BIND, "EQ", below, BIND.full(below.aval, 0))
    stacked = BIND.concatenate(BIND.multiply(_repeated(root, u), u), below, dimension=0)
    q, _ = BIND.qr(stacked, full_matrices=False, pivoting=False)
    first, second = (
        BIND.slice(q, start_indices=(start, 0), limit_indices=(stop, columns), strides=(1, 1))
        for start, stop in ((0, rows), (rows, rows + columns))
    )
    product = matmul(BIND, first, _adjoint(second))
    moved = BIND.multiply(_repeated(BIND.divide(more, root), u), product)
    return BIND.add(BIND.multiply(_repeated(same, u), u), moved)


def _step_by_cholesky(u: Value, more: Value, c: Value, same: Value) -> Value:
    """e u + (a - e) u (1 + c u^H u)^-1."""
    gram = matmul(BIND, _adjoint(u), u)
    one = where(BIND, "EQ", BIND.full(gram.aval, 1), BIND.full(gram.aval, 0))
    factor = BIND.cholesky(BIND.add(BIND.multiply(_repeated(c, gram), gram), one), lower=True)
    solve = {"left_side": False, "lower": True, "unit_diagonal": False}
    z = BIND.triangular_solve(factor, u, transpose_a="ADJOINT", **solve)
    z = BIND.triangular_solve(factor, z, transpose_a="NO_TRANSPOSE", **solve)
    return BIND.add(BIND.multiply(_repeated(same, u), u), BIND.multiply(_repeated(more, u), z))


def _refined(u: Value) -> Value:
    """A step of Newton and Schulz, 3/2 u - 1/2 u u^H u."""
    cubed = matmul(BIND, u, matmul(BIND, _adjoint(u), u))
    return BIND.subtract(BIND.multiply(BIND.full(u.aval, 1.5), u), BIND.multiply(BIND.full(u.aval, 0.5), cubed))


def _sum_of_squares(x: Value) -> Value:
    size = BIND.abs(x)
    return BIND.reduce_sum(BIND.multiply(size, size), dimensions=(0, 1))
