"""Systems with tridiagonal matrices: tridiagonal_solve."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.native import NativeKernel, pieces_of_batch
from sable.ir.op import LINEAR, defop

from .compose import INT32, compare, index_constant, pad_axis, slice_axis, zeros
from .linear_algebra import LAPACK_DTYPES, LIBRARY, check_ranks, many_sides, stacked
from .linear_algebra_lowering import _size
from .rules import floats, sample, weak

_DIAGONALS = ("dl", "d", "du")


def _type(dl: Aval, d: Aval, du: Aval, b: Aval, perturb_singular: bool) -> Aval:
    check_ranks("tridiagonal_solve", (dl, d, du, b), (1, 1, 1, 2))
    if not dl.shape == d.shape == du.shape:
        raise TypeError("tridiagonal_solve requires that all diagonal arguments have the same shape.")
    if dl.shape != b.shape[:-1]:
        raise TypeError(
            "tridiagonal_solve requires that the leading ndim-1 dimensions of b equal the dimensions of the diagonal "
            "arguments."
        )
    return aval(b.shape, b.dtype, weak([dl, d, du, b]))


def _ref(dl: np.ndarray, d: np.ndarray, du: np.ndarray, b: np.ndarray, perturb_singular: bool) -> np.ndarray:
    """By a dense matrix; a singular one is moved by rounding errors with `perturb_singular`, else NaN."""
    n = d.shape[-1]
    x = np.full_like(b, complex(np.nan, np.nan) if b.dtype.kind == "c" else np.nan)
    for i in np.ndindex(d.shape[:-1]):
        a = np.diag(d[i]) + np.diag(dl[i][1:], -1) + np.diag(du[i][: n - 1], 1)
        if n == 0 or not np.isfinite(a).all():
            continue
        if perturb_singular and np.linalg.matrix_rank(a) < n:
            a = a + np.finfo(a.dtype).eps * np.abs(a).max() * np.eye(n, dtype=a.dtype)
        try:
            x[i] = np.linalg.solve(a, b[i])
        except np.linalg.LinAlgError:
            continue
    return x


def _product(b: Any, t: Any, x: Any, kind: str) -> Any:
    """What a tangent of one diagonal makes of x."""
    shape = b.aval(x).shape
    axis = len(shape) - 2
    along = b.broadcast_in_dim(t, shape=shape, broadcast_dimensions=tuple(range(len(shape) - 1)))
    n = shape[axis]
    if kind == "d" or n == 0:
        return b.multiply(along, x)
    first = (1, 0) if kind == "dl" else (0, 1)
    of_t, of_x = (slice_axis(b, y, axis, k, n - 1 + k) for y, k in zip((along, x), first))
    made = b.multiply(of_t, of_x)
    return pad_axis(b, made, axis, first[0], 1 - first[0], 0)


def _jvp(kind: str) -> Any:
    def rule(b: Any, t: Any, y: Any, dl: Any, d: Any, du: Any, rhs: Any, perturb_singular: bool) -> Any:
        """From A x = b: A dx = -dA x."""
        moved = b.negate(_product(b, t, y, kind))
        return b.tridiagonal_solve(dl, d, du, moved, perturb_singular=perturb_singular)

    return rule


def _transpose(b: Any, ct: Any, avals: Any, dl: Any, d: Any, du: Any, rhs: Any, perturb_singular: bool) -> Any:
    """The transposed matrix has the diagonals exchanged, each moved by one place."""
    axis = b.aval(d).ndim - 1
    n = b.aval(d).shape[axis]
    if n:
        below, above = slice_axis(b, du, axis, 0, n - 1), slice_axis(b, dl, axis, 1, n)
        dl, du = pad_axis(b, below, axis, 1, 0, 0), pad_axis(b, above, axis, 0, 1, 0)
    return b.tridiagonal_solve(dl, d, du, ct, perturb_singular=perturb_singular)


def _batch(b: Any, op: Any, size: int, operands: Sequence[Any], mapped: Sequence[bool], **params: Any) -> Any:
    """Right-hand sides of one matrix are further columns of one right-hand side."""
    if any(mapped[:3]):
        return stacked(b, op, size, operands, mapped, **params)
    *diagonals, rhs = operands
    return many_sides(b, op, diagonals, rhs, True, params)


# ---- as loops ----------------------------------------------------------------------------------------------------


def _lower(b: Any, dl: Any, d: Any, du: Any, rhs: Any, perturb_singular: bool) -> Any:
    """Elimination with exchanges of neighbouring rows (as LAPACK's gtsv), then substitution. A row of U has up to three
    numbers; pivots that are tiny beside the largest of all stand for that many units of rounding with `perturb_singular`.
    """
    whole = b.aval(rhs)
    if whole.size == 0:
        return rhs
    *batch, n, columns = whole.shape
    count = math.prod(batch)
    rhs = b.reshape(rhs, shape=(count, n, columns))
    below, diagonal, above = (b.reshape(x, shape=(count, n)) for x in (dl, d, du))
    above = pad_axis(b, slice_axis(b, above, 1, 0, n - 1), 1, 0, 1, 0)
    rows, sides = _eliminated(b, below, diagonal, above, rhs)
    pivots = rows[0]
    size = _size(b, pivots)
    nothing = compare(b, size, zeros(b, b.aval(size)), "EQ")
    if perturb_singular:
        rows = (_perturbed(b, rows), *rows[1:])
    x = _substituted(b, rows, sides)
    if not perturb_singular:
        found = b.reduce_max(b.select(nothing, b.full(b.aval(size), 1), zeros(b, b.aval(size))), dimensions=(1,))
        failed = compare(b, found, zeros(b, b.aval(found)), "GT")
        x = b.select(b.broadcast_in_dim(failed, shape=(count, n, columns), broadcast_dimensions=(0,)), _nan(b, x), x)
    return b.reshape(x, shape=whole.shape)


def _nan(b: Any, x: Any) -> Any:
    a = b.aval(x).update(weak_type=False)
    if a.dtype.kind != "c":
        return b.full(a, np.nan)
    real = b.full(b.aval(b.real(x)), np.nan)
    return b.complex(real, real)


def _at(b: Any, x: Any, i: Any) -> Any:
    """Number or row i of each, as (count, 1, columns)."""
    a = b.aval(x)
    zero = index_constant(b, 0, INT32)
    if a.ndim == 2:
        return b.reshape(b.dynamic_slice(x, zero, i, slice_sizes=(a.shape[0], 1)), shape=(a.shape[0], 1, 1))
    return b.dynamic_slice(x, zero, i, zero, slice_sizes=(a.shape[0], 1, a.shape[2]))


def _put(b: Any, x: Any, value: Any, i: Any) -> Any:
    a = b.aval(x)
    zero = index_constant(b, 0, INT32)
    if a.ndim == 2:
        return b.dynamic_update_slice(x, b.reshape(value, shape=(a.shape[0], 1)), zero, i)
    return b.dynamic_update_slice(x, value, zero, i, zero)


def _scaled(b: Any, factor: Any, x: Any) -> Any:
    shape = b.aval(x).shape
    return b.multiply(b.broadcast_in_dim(factor, shape=shape, broadcast_dimensions=(0, 1, 2)), x)


def _eliminated(b: Any, below: Any, diagonal: Any, above: Any, rhs: Any) -> tuple[tuple[Any, ...], Any]:
    """The three diagonals of U, (count, n) each, and the right-hand sides of U x."""
    count, n, columns = b.aval(rhs).shape
    dtype = b.aval(rhs).dtype
    one = index_constant(b, 1, INT32)
    none = zeros(b, aval((count, 1, 1), dtype))

    def eliminate(k: Any, carry: Any) -> list[Any]:
        *rows, sides, pivot, beside, side = carry
        i = b.add(k, one)
        other, other_beside, fill, other_side = (_at(b, x, i) for x in (below, diagonal, above, rhs))
        swap = compare(b, _size(b, other), _size(b, pivot), "GT")

        def either(x: Any, y: Any) -> tuple[Any, Any]:
            here = b.broadcast_in_dim(swap, shape=b.aval(x).shape, broadcast_dimensions=(0, 1, 2))
            return b.select(here, y, x), b.select(here, x, y)

        pairs = [either(*p) for p in ((pivot, other), (beside, other_beside), (none, fill), (side, other_side))]
        (pivot, other), (beside, other_beside), (behind, fill), (side, other_side) = pairs
        size = _size(b, pivot)
        nothing = compare(b, size, zeros(b, b.aval(size)), "EQ")
        factor = b.divide(other, b.select(nothing, b.full(b.aval(pivot), 1), pivot))
        rows = [_put(b, row, x, k) for row, x in zip(rows, (pivot, beside, behind))]
        return [
            *rows,
            _put(b, sides, side, k),
            b.subtract(other_beside, b.multiply(factor, beside)),
            b.subtract(fill, b.multiply(factor, behind)),
            b.subtract(other_side, _scaled(b, factor, side)),
        ]

    empty = zeros(b, aval((count, n), dtype))
    zero = index_constant(b, 0, INT32)
    first = [_at(b, x, zero) for x in (diagonal, above, rhs)]
    state = [empty, empty, empty, zeros(b, aval((count, n, columns), dtype)), *first]
    *rows, sides, pivot, beside, side = b.repeat(n - 1, state, eliminate) if n > 1 else state
    last = index_constant(b, n - 1, INT32)
    del beside
    return (_put(b, rows[0], pivot, last), *rows[1:]), _put(b, sides, side, last)


def _perturbed(b: Any, rows: Sequence[Any]) -> Any:
    sizes = [_size(b, row) for row in rows]
    a = b.aval(sizes[0])
    largest = b.maximum(b.maximum(*sizes[:2]), sizes[2])
    scale = b.reduce_max(largest, dimensions=(1,))
    least = b.multiply(b.broadcast_in_dim(scale, shape=a.shape, broadcast_dimensions=(0,)), b.full(a, _eps(a)))
    least = b.maximum(least, b.full(a, float(np.finfo(a.dtype).tiny)))
    pivots = rows[0]
    is_complex = b.aval(pivots).dtype.kind == "c"
    real = b.real(pivots) if is_complex else pivots
    instead = b.select(compare(b, real, zeros(b, a), "LT"), b.negate(least), least)
    instead = b.complex(instead, zeros(b, a)) if is_complex else instead
    return b.select(compare(b, sizes[0], least, "LT"), instead, pivots)


def _eps(a: Aval) -> float:
    return float(np.finfo(a.dtype).eps)


def _substituted(b: Any, rows: Sequence[Any], sides: Any) -> Any:
    count, n, columns = b.aval(sides).shape
    last = index_constant(b, n - 1, INT32)

    def substitute(k: Any, carry: Any) -> list[Any]:
        x, next_one, one_after = carry
        i = b.subtract(last, k)
        pivot, beside, behind = (_at(b, row, i) for row in rows)
        known = b.add(_scaled(b, beside, next_one), _scaled(b, behind, one_after))
        rest = b.subtract(_at(b, sides, i), known)
        found = b.divide(rest, b.broadcast_in_dim(pivot, shape=(count, 1, columns), broadcast_dimensions=(0, 1, 2)))
        return [_put(b, x, found, i), found, next_one]

    nothing = zeros(b, aval((count, 1, columns), b.aval(sides).dtype))
    return b.repeat(n, [zeros(b, b.aval(sides).update(weak_type=False)), nothing, nothing], substitute)[0]


# ---- the row -----------------------------------------------------------------------------------------------------


def _system(shape: tuple[int, ...], columns: int, dtype: Any, diagonal: float = 1.0) -> list[np.ndarray]:
    def numbers(shape: tuple[int, ...], seed: int) -> np.ndarray:
        re, im = floats((2, *shape), dtype=np.float64, seed=seed)
        return re + 1j * im if np.dtype(dtype).kind == "c" else re

    dl, d, du = (numbers(shape, k) for k in range(3))
    d = (d + 1.5) * diagonal
    dl[..., 0] = du[..., -1] = 0
    return [x.astype(dtype) for x in (dl, d, du, numbers((*shape, columns), 3))]


def _samples() -> list:
    close = {"rtol": 2e-4, "atol": 1e-4}
    singular = [np.float32(x) for x in ([0, 1, 1], [1, 1, 0], [1, 1, 0], [[1], [2], [3]])]
    singular[1][2] = 1  # rows (1, 1, 0), (1, 1, 1), (0, 1, 1): regular; the one beside it is not
    zero = [np.stack([x, 0 * x]) for x in singular[:3]] + [np.stack([singular[3]] * 2)]
    return [
        *[
            sample(*_system(shape, 2, dtype), perturb_singular=False, **close)
            for dtype, shape in zip(LAPACK_DTYPES, ((4,), (2, 5), (2, 3), (6,)))
        ],
        sample(*_system((5,), 1, np.complex128), perturb_singular=True, **close),
        sample(*_system((4,), 2, np.float32, 0.0), perturb_singular=False, **close),
        sample(*_system((2, 1), 2, np.float32), perturb_singular=False, **close),
        sample(*_system((2,), 2, np.float32), perturb_singular=True, **close),
        sample(*zero, perturb_singular=False, grad=False, why="singular", **close),
        sample(*_system((3,), 0, np.float32), perturb_singular=False, grad=False, why="empty"),
        sample(*_system((0, 3), 2, np.float32), perturb_singular=False, grad=False, why="empty"),
    ]


tridiagonal_solve = defop(
    "tridiagonal_solve",
    dialect="sable",
    operands=(*_DIAGONALS, "b"),
    params={"perturb_singular": BOOLEAN},
    type=_type,
    ref=_ref,
    jvp={**{name: _jvp(name) for name in _DIAGONALS}, "b": LINEAR},
    transpose={"b": _transpose},
    batch=_batch,
    samples=_samples,
    lower=_lower,
    native=NativeKernel(
        "sable_tridiagonal_solve",
        (1, 1, 1, 2),
        (2,),
        LAPACK_DTYPES,
        lambda perturb_singular: (perturb_singular,),
        lambda diagonal, *others, **params: pieces_of_batch(diagonal, 1),
    ),
    traits=LIBRARY,
)
