"""Matrices plus products of others with their transposes: cholesky_update, symmetric_product."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import FLOAT
from sable.ir.native import NativeKernel, pieces_of_stack
from sable.ir.op import defop

from .compose import INT32, compare, index_constant, zeros
from .linear_algebra import LAPACK_DTYPES, LIBRARY, check_ranks, matmul, stacked, underivable
from .rules import floats, sample, weak

_REAL = tuple(dtype for dtype in LAPACK_DTYPES if dtype.kind == "f")


def _check_real(name: str, avals: tuple[Aval, ...]) -> None:
    for i, a in enumerate(avals):
        if a.dtype not in _REAL:
            names = " and ".join(d.name for d in _REAL)
            raise TypeError(f"{name} does not accept dtype {a.dtype.name} at position {i}; it takes {names}.")


# ---- cholesky_update ---------------------------------------------------------------------------------------------


def _update_type(r: Aval, w: Aval) -> Aval:
    check_ranks("cholesky_update", (r, w), (2, 1))
    _check_real("cholesky_update", (r, w))
    if r.shape[-1] != r.shape[-2] or w.shape[-1] != r.shape[-1]:
        raise ValueError(
            "Rank-1 update to Cholesky decomposition takes a square matrix and a vector of the same size as input. Got "
            f"shapes {r.shape} and {w.shape} instead"
        )
    return aval(r.shape, r.dtype, weak([r, w]))


def _update_ref(r: np.ndarray, w: np.ndarray) -> np.ndarray:
    made, rest = np.array(r), np.array(w)
    for k in range(r.shape[-1]):
        x, y = made[..., k, k, None], rest[..., k, None]
        length = np.where(y == 0, 1, np.hypot(x, y))
        cosine, sine = np.where(y == 0, 1, x / length), y / length
        made[..., k, :], rest = cosine * made[..., k, :] + sine * rest, cosine * rest - sine * made[..., k, :]
    return made


def _lower_update(b: Any, r: Any, w: Any) -> Any:
    """Trip k rotates row k and what is left of w, so that element k of the latter vanishes.

    G. Golub and C. Van Loan, "Matrix Computations", 6.5.4. Where it is zero the row stays as it is.
    """
    whole = b.aval(r)
    if whole.size == 0:
        return r
    n = whole.shape[-1]
    stack = b.reshape(r, shape=(-1 if not whole.size else whole.size // (n * n), n, n))
    count = b.aval(stack).shape[0]
    zero = index_constant(b, 0, INT32)

    def rotate(k: Any, carry: Any) -> list[Any]:
        made, rest = carry
        row = b.dynamic_slice(made, zero, k, zero, slice_sizes=(count, 1, n))
        x = b.dynamic_slice(row, zero, zero, k, slice_sizes=(count, 1, 1))
        y = b.dynamic_slice(rest, zero, zero, k, slice_sizes=(count, 1, 1))
        cosine, sine = (
            b.broadcast_in_dim(z, shape=(count, 1, n), broadcast_dimensions=(0, 1, 2)) for z in _turn(b, x, y)
        )
        turned = b.add(b.multiply(cosine, row), b.multiply(sine, rest))
        rest = b.subtract(b.multiply(cosine, rest), b.multiply(sine, row))
        return [b.dynamic_update_slice(made, turned, zero, k, zero), rest]

    made, _ = b.repeat(n, [stack, b.reshape(w, shape=(count, 1, n))], rotate)
    return b.reshape(made, shape=whole.shape)


def _turn(b: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """Cosine and sine of the rotation that takes (x, y) to (length, 0), without overflow; 1 and 0 where y is 0."""
    a = b.aval(x).update(weak_type=False)
    one, nothing = b.full(a, 1), compare(b, y, zeros(b, a), "EQ")
    scale = b.select(nothing, one, b.maximum(b.abs(x), b.abs(y)))
    x, y = b.divide(x, scale), b.divide(y, scale)
    length = b.sqrt(b.add(b.multiply(x, x), b.multiply(y, y)))
    length = b.select(nothing, one, length)
    return b.select(nothing, one, b.divide(x, length)), b.select(nothing, zeros(b, a), b.divide(y, length))


def _factor(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    return np.triu(floats(shape, dtype=np.float64) + 2 * np.eye(shape[-1])).astype(dtype)


cholesky_update = defop(
    "cholesky_update",
    dialect="sable",
    operands=("r", "w"),
    type=_update_type,
    ref=_update_ref,
    jvp={"r": underivable("cholesky_update"), "w": underivable("cholesky_update")},
    transpose={},
    batch=stacked,
    samples=lambda: [
        sample(_factor((4, 4), np.float32), np.float32([1, 0, -2, 0.5]), grad=False, why="no derivative"),
        sample(_factor((2, 3, 3), np.float64), floats((2, 3), dtype=np.float64), grad=False, why="no derivative"),
        sample(np.float32([[2]]), np.float32([1]), grad=False, why="no derivative"),
        sample(np.zeros((0, 0), np.float32), np.zeros((0,), np.float32), grad=False, why="empty"),
    ],
    lower=_lower_update,
    native=NativeKernel("sable_cholesky_update", (2, 1), (2,), _REAL, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- symmetric_product -------------------------------------------------------------------------------------------


def _product_type(a: Aval, c: Aval, alpha: float, beta: float) -> Aval:
    check_ranks("symmetric_product", (a, c), (2, 2))
    _check_real("symmetric_product", (a, c))
    if a.shape[-2] != c.shape[-1] or c.shape[-2] != c.shape[-1]:
        raise ValueError(
            "symmetric_update expects a rectangular matrix of shape (m, n) and a square matrix of shape (n, n). Got shapes "
            f"{a.shape[-2:]} and {c.shape[-2:]}."
        )
    return aval(c.shape, c.dtype, weak([a, c]))


def _product_ref(a: np.ndarray, c: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    return (alpha * (a @ a.swapaxes(-1, -2)) + beta * c).astype(c.dtype)


def _lower_product(b: Any, a: Any, c: Any, alpha: float, beta: float) -> Any:
    whole = b.aval(c).update(weak_type=False)
    product = matmul(b, a, a, (-1, -1))
    return b.add(b.multiply(b.full(whole, alpha), product), b.multiply(b.full(whole, beta), c))


symmetric_product = defop(
    "symmetric_product",
    dialect="sable",
    operands=("a", "c"),
    params={"alpha": FLOAT, "beta": FLOAT},
    type=_product_type,
    ref=_product_ref,
    jvp={"a": underivable("symmetric_product"), "c": underivable("symmetric_product")},
    transpose={},
    batch=stacked,
    samples=lambda: [
        sample(floats((3, 2)), floats((3, 3)), alpha=1.0, beta=0.0, grad=False, why="no derivative"),
        sample(
            floats((2, 2, 4), dtype=np.float64),
            floats((2, 2, 2), dtype=np.float64),
            alpha=-0.5,
            beta=2.0,
            grad=False,
            why="no derivative",
        ),
        sample(np.zeros((3, 0), np.float32), floats((3, 3)), alpha=1.0, beta=0.5, grad=False, why="empty"),
    ],
    lower=_lower_product,
)
