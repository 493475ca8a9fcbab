"""Factors Q R of matrices by Householder reflections: geqrf, geqp3, householder_product, ormqr, qr."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.native import NativeKernel, pieces_of_stack
from sable.ir.op import Refused, defop

from .compose import INT32, zeros
from .linear_algebra import (
    LAPACK_DTYPES,
    LIBRARY,
    check_matrices,
    check_ranks,
    conjugate,
    matmul,
    matrix_transpose,
    stacked,
    triangle,
    underivable,
    where,
)
from .linear_algebra_lowering import (
    lower_geqp3,
    lower_geqrf,
    lower_householder_product,
    lower_ormqr,
    lower_qr,
    take_columns,
)
from .linear_algebra_lu import cut, matrices, padded
from .rules import check_same, sample, weak


def _refused(name: str) -> Refused:
    return Refused(NotImplementedError, f"{name} has no derivative; that of qr is known.")


def _adjoint(b: Any, x: Any) -> Any:
    return conjugate(b, matrix_transpose(b, x))


def _check_rank(name: str, a: Aval) -> None:
    check_matrices(name, a)
    if a.ndim < 2:
        raise TypeError(f"The input to {name} must have rank at least 2, got shape {a.shape}.")


# ---- geqrf -------------------------------------------------------------------------------------------------------


def _geqrf_type(a: Aval) -> tuple[Aval, Aval]:
    _check_rank("geqrf", a)
    *batch, m, n = a.shape
    return aval(a.shape, a.dtype, weak([a])), aval((*batch, min(m, n)), a.dtype, weak([a]))


def _geqrf_ref(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    *batch, m, n = a.shape
    k = min(m, n)
    packed = np.array(a).reshape(math.prod(batch), m, n)
    taus = np.zeros((len(packed), k), a.dtype)
    for matrix, found in zip(packed, taus):
        for j in range(k):
            _reflect(matrix, found, j)
    return packed.reshape(a.shape), taus.reshape(*batch, k)


def _reflect(matrix: np.ndarray, taus: np.ndarray, j: int) -> None:
    """H = I - tau v v^H with H^H x = beta e for column j from its diagonal on; beta is real, v begins with 1."""
    alpha, below = matrix[j, j], matrix[j + 1 :, j]
    if not below.any() and alpha.imag == 0:
        return
    scale = np.abs(matrix[j:, j]).max()
    length = scale * np.linalg.norm(matrix[j:, j] / scale)
    beta = -length if alpha.real >= 0 else length
    taus[j] = tau = (beta - alpha) / beta
    below /= alpha - beta
    v = np.concatenate([np.ones(1, matrix.dtype), below])
    matrix[j:, j + 1 :] -= np.conj(tau) * np.outer(v, v.conj() @ matrix[j:, j + 1 :])
    matrix[j, j] = beta


def _geqrf_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5, "grad": False}
    # reflections that have nothing to do, and numbers whose squares overflow
    some = np.array([[2, 1, 3], [0, 0, 1], [0, 0, 5]], np.float32)
    return [
        *[
            sample(matrices(shape, dtype), why="no derivative", **close)
            for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 3), (2, 3, 4), (4, 3)))
        ],
        sample(np.stack([some, np.float32(1e25) * some.T]), why="no derivative", **{**close, "atol": 1e21}),
        sample(np.array([[1 + 2j]], np.complex64), why="no derivative", **close),
        sample(np.zeros((2, 3, 0), np.float32), why="empty", **close),
        sample(np.zeros((0, 3, 3), np.float32), why="empty", **close),
    ]


geqrf = defop(
    "geqrf",
    dialect="sable",
    operands=("a",),
    type=_geqrf_type,
    ref=_geqrf_ref,
    jvp={"a": _refused("geqrf")},
    transpose={},
    batch=stacked,
    samples=_geqrf_samples,
    multiple_results=True,
    lower=lower_geqrf,
    native=NativeKernel("sable_geqrf", (2,), (2, 1), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- geqp3 -------------------------------------------------------------------------------------------------------


def _geqp3_type(a: Aval) -> tuple[Aval, Aval, Aval]:
    packed, taus = _geqrf_type(a)
    return packed, aval((*a.shape[:-2], a.shape[-1]), INT32), taus


def _geqp3_ref(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The longest column, by what is left of it, is the next one."""
    *batch, m, n = a.shape
    k = min(m, n)
    packed = np.array(a).reshape(math.prod(batch), m, n)
    taus, order = np.zeros((len(packed), k), a.dtype), np.tile(np.arange(n, dtype=np.int32), (len(packed), 1))
    for matrix, found, columns in zip(packed, taus, order):
        for j in range(k):
            p = j + np.argmax(np.linalg.norm(matrix[j:, j:], axis=0))
            for x in (matrix, columns):
                x[..., [j, p]] = x[..., [p, j]]
            _reflect(matrix, found, j)
    return packed.reshape(a.shape), order.reshape(*batch, n), taus.reshape(*batch, k)


def _pivoted(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Matrices with columns of lengths far from each other, in another order."""
    lengths = np.roll(2.0 ** -np.arange(shape[-1]), 2)
    return (matrices(shape, dtype) * lengths).astype(dtype)


def _geqp3_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5, "grad": False, "why": "no derivative"}
    return [
        *[
            sample(_pivoted(shape, dtype), **close)
            for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 3), (2, 3, 4), (4, 3)))
        ],
        sample(np.zeros((0, 3, 3), np.float32), **{**close, "why": "empty"}),
    ]


geqp3 = defop(
    "geqp3",
    dialect="sable",
    operands=("a",),
    type=_geqp3_type,
    ref=_geqp3_ref,
    jvp={"a": _refused("geqp3")},
    transpose={},
    batch=stacked,
    samples=_geqp3_samples,
    multiple_results=True,
    lower=lower_geqp3,
    native=NativeKernel("sable_geqp3", (2,), (2, 1, 1), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- householder_product -----------------------------------------------------------------------------------------


def _product_type(a: Aval, taus: Aval) -> Aval:
    check_same("householder_product", [a.update(shape=()), taus.update(shape=())])
    _check_rank("householder_product", a)
    *batch, m, n = a.shape
    if taus.ndim != a.ndim - 1 or taus.shape[:-1] != tuple(batch):
        raise TypeError(
            f"householder_product requires taus for each matrix, got arrays of shape {a.shape} and {taus.shape}."
        )
    if m < n or taus.shape[-1] > n:
        raise ValueError(
            "householder_product requires matrices with as many rows as columns or more, and no more taus than columns, "
            f"got arrays of shape {a.shape} and {taus.shape}."
        )
    return aval(a.shape, a.dtype, weak([a, taus]))


def _product_ref(a: np.ndarray, taus: np.ndarray) -> np.ndarray:
    return _reflections_ref(a, taus, a.shape[-1])


def _reflections_ref(packed: np.ndarray, taus: np.ndarray, columns: int) -> np.ndarray:
    *batch, m, n = packed.shape
    made = np.tile(np.eye(m, columns, dtype=packed.dtype), (math.prod(batch), 1, 1))
    k = taus.shape[-1]
    for q, matrix, each in zip(made, packed.reshape(len(made), m, n), taus.reshape(len(made), k)):
        for j in reversed(range(k)):
            v = np.concatenate([np.ones(1, q.dtype), matrix[j + 1 :, j]])
            q[j:] -= each[j] * np.outer(v, v.conj() @ q[j:])
    return made.reshape(*batch, m, columns)


def _product_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5, "grad": False}
    made = []
    for dtype, shape, k in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 3), (2, 3, 3), (4, 3)), (3, 3, 3, 2)):
        packed, taus = _geqrf_ref(matrices(shape, dtype))
        made.append(sample(packed, taus[..., :k], why="no derivative", **close))
    return [
        *made,
        sample(np.zeros((2, 3, 0), np.float32), np.zeros((2, 0), np.float32), why="empty", **close),
        sample(matrices((3, 2), np.float32), np.zeros((0,), np.float32), why="none", **close),
    ]


householder_product = defop(
    "householder_product",
    dialect="sable",
    operands=("a", "taus"),
    type=_product_type,
    ref=_product_ref,
    jvp={"a": _refused("householder_product"), "taus": _refused("householder_product")},
    transpose={},
    batch=stacked,
    samples=_product_samples,
    lower=lower_householder_product,
    native=NativeKernel("sable_householder_product", (2, 1), (2,), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- ormqr -------------------------------------------------------------------------------------------------------


def _ormqr_type(a: Aval, taus: Aval, c: Aval, left: bool, transpose: bool) -> Aval:
    check_ranks("ormqr", (a, taus, c), (2, 1, 2))
    m, (rows, columns) = a.shape[-2], c.shape[-2:]
    if (rows if left else columns) != m:
        what = (
            "number of rows as the Householder matrix a"
            if left
            else "number of columns as the Householder matrix a has rows"
        )
        raise ValueError(
            f"ormqr with left={left} expects c to have the same {what}. Got a shape {a.shape[-2:]} and c shape "
            f"{c.shape[-2:]}."
        )
    if taus.shape[-1] > min(a.shape[-2:]):
        raise ValueError(f"ormqr takes no more taus than a has columns and rows, got {a.shape} and {taus.shape}.")
    return aval(c.shape, c.dtype, weak([a, taus, c]))


def _ormqr_ref(a: np.ndarray, taus: np.ndarray, c: np.ndarray, left: bool, transpose: bool) -> np.ndarray:
    q = _reflections_ref(a, taus, a.shape[-2])
    if transpose:
        q = q.conj().swapaxes(-1, -2)
    return q @ c if left else c @ q


def _ormqr_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5, "grad": False, "why": "no derivative"}
    made = []
    kinds = [(left, transpose) for left in (True, False) for transpose in (True, False)]
    for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 3), (2, 3, 4), (4, 3))):
        packed, taus = _geqrf_ref(matrices(shape, dtype))
        *batch, m, _ = shape
        for left, transpose in kinds:
            c = matrices((*batch, m, 2) if left else (*batch, 2, m), dtype, seed=1)
            made.append(sample(packed, taus, c, left=left, transpose=transpose, **close))
    nothing = np.zeros((3, 0), np.float32), np.zeros((0,), np.float32), matrices((3, 2), np.float32)
    return [*made, sample(*nothing, left=True, transpose=False, **{**close, "why": "none"})]


ormqr = defop(
    "ormqr",
    dialect="sable",
    operands=("a", "taus", "c"),
    params={"left": BOOLEAN, "transpose": BOOLEAN},
    type=_ormqr_type,
    ref=_ormqr_ref,
    jvp={name: underivable("ormqr") for name in ("a", "taus", "c")},
    transpose={},
    batch=stacked,
    samples=_ormqr_samples,
    lower=lower_ormqr,
    native=NativeKernel(
        "sable_ormqr", (2, 1, 2), (2,), LAPACK_DTYPES, lambda left, transpose: (left, transpose), pieces_of_stack
    ),
    traits=LIBRARY,
)


# ---- qr ----------------------------------------------------------------------------------------------------------


def _qr_type(a: Aval, full_matrices: bool, pivoting: bool) -> tuple[Aval, ...]:
    _check_rank("qr", a)
    *batch, m, n = a.shape
    k = m if full_matrices else min(m, n)
    order = (aval((*batch, n), INT32, weak([a])),) if pivoting else ()
    return aval((*batch, m, k), a.dtype, weak([a])), aval((*batch, k, n), a.dtype, weak([a])), *order


def _qr_ref(a: np.ndarray, full_matrices: bool, pivoting: bool) -> tuple[np.ndarray, ...]:
    m, n = a.shape[-2:]
    k = m if full_matrices else min(m, n)
    packed, *order, taus = _geqp3_ref(a) if pivoting else _geqrf_ref(a)
    return _reflections_ref(packed, taus, k), np.triu(packed[..., :k, :]), *order


def _qr_jvp(b: Any, t: Any, y: Any, a: Any, full_matrices: bool, pivoting: bool) -> tuple[Any, ...]:
    """With Q^H dQ = S, skew-Hermitian, and m = Q^H da R^-1 of the first columns: dR = Q^H da - S R, dQ = Q (S - m) + da R^-1.

    As dR is upper triangular, S has the triangle of m below the diagonal; as the diagonal of R is real, S has its imaginary
    part there. S. Walter, L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
    experimental design", arXiv:1001.1654.
    """
    q, r, *order = y
    if pivoting:  # of the columns in their order, which does not move
        t = take_columns(b, t, order[0])
    rows, columns = b.aval(a).shape[-2:]
    k = min(rows, columns)
    first_q, first_r = cut(b, q, rows, k), cut(b, r, k, columns)
    solved = b.triangular_solve(
        cut(b, r, k, k),
        cut(b, t, rows, k),
        left_side=False,
        lower=False,
        unit_diagonal=False,
        transpose_a="NO_TRANSPOSE",
    )
    adjoint = _adjoint(b, first_q)
    m = matmul(b, adjoint, solved)
    below = triangle(b, m, True, strict=True)
    turn = b.subtract(below, _adjoint(b, below))
    if b.aval(m).dtype.kind == "c":
        imag = b.imag(m)
        nothing = zeros(b, b.aval(imag))
        turn = b.add(turn, b.complex(nothing, where(b, "EQ", imag, nothing)))
    dq = b.add(matmul(b, first_q, b.subtract(turn, m)), solved)
    dr = triangle(b, b.subtract(matmul(b, adjoint, t), matmul(b, turn, first_r)), False)
    if full_matrices and rows > columns:
        dq = b.concatenate(dq, _rest_of_q(b, q, dq), dimension=b.aval(q).ndim - 1)
        dr = padded(b, dr, (0, 0), (rows - columns, 0))
    return dq, dr, *[None] * len(order)


def _rest_of_q(b: Any, q: Any, dq: Any) -> Any:
    """The tangent of the columns of Q that reflections add to the first ones, whose tangent is dq.

    With V the reflections' vectors in columns, V1 and V2 its rows on the diagonal and below, Q = I - V T V^H for a
    triangular T (R. Schreiber, C. Van Loan, "A storage-efficient WY representation for products of Householder
    transformations", 1989). So the first columns less those of the unit matrix are X = -V T V1^H, the others those of the
    unit matrix plus X z^H with z = V2 V1^-1 = X2 X1^-1, and dz = (dX2 - z dX1) X1^-1.
    """
    rows, columns = b.aval(dq).shape[-2:]
    x = b.subtract(cut(b, q, rows, columns), _unit(b, dq))
    first, second = cut(b, x, columns, columns), _below(b, x, columns)
    factors, _, permutation = b.lu(b.stop_gradient(first))

    def divided(y: Any) -> Any:
        """y X1^-1, transposed."""
        return b.lu_solve(first, factors, permutation, matrix_transpose(b, y), transpose_a=True)

    z = divided(second)
    moved = matmul(b, matrix_transpose(b, z), cut(b, dq, columns, columns))
    dz = divided(b.subtract(_below(b, dq, columns), moved))
    return b.add(matmul(b, dq, conjugate(b, z)), matmul(b, x, conjugate(b, dz)))


def _unit(b: Any, x: Any) -> Any:
    a = b.aval(x).update(weak_type=False)
    return where(b, "EQ", b.full(a, 1), zeros(b, a))


def _below(b: Any, x: Any, rows: int) -> Any:
    """Matrices without their first rows."""
    shape = b.aval(x).shape
    starts = (*[0] * (len(shape) - 2), rows, 0)
    return b.slice(x, start_indices=starts, limit_indices=shape, strides=(1,) * len(shape))


def _qr_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5}
    shapes = ((3, 3), (2, 4, 3), (2, 3, 4), (4, 2))
    return [
        *[
            sample(matrices(shape, dtype), full_matrices=full, pivoting=False, **close)
            for dtype, shape in zip(LAPACK_DTYPES, shapes)
            for full in (False, True)
        ],
        sample(matrices((2, 4, 2), np.float32), full_matrices=True, pivoting=False, **close),
        sample(matrices((2, 2, 4), np.float32), full_matrices=True, pivoting=False, **close),
        *[
            sample(_pivoted(shape, dtype), full_matrices=full, pivoting=True, **{**close, "rtol": 1e-3})
            for dtype, shape in zip(LAPACK_DTYPES, ((3, 3), (2, 4, 3), (2, 3, 4), (4, 2)))
            for full in (False, True)
        ],
        sample(
            matrices((40, 36), np.float32),
            full_matrices=False,
            pivoting=False,
            **{**close, "grad": False, "why": "long"},
        ),
        sample(np.zeros((2, 3, 0), np.float32), full_matrices=True, pivoting=False, grad=False, why="empty"),
        sample(np.zeros((0, 3), np.float32), full_matrices=False, pivoting=False, grad=False, why="empty"),
    ]


qr = defop(
    "qr",
    dialect="sable",
    operands=("a",),
    params={"full_matrices": BOOLEAN, "pivoting": BOOLEAN},
    type=_qr_type,
    ref=_qr_ref,
    jvp={"a": _qr_jvp},
    transpose={},
    batch=stacked,
    samples=_qr_samples,
    multiple_results=True,
    lower=lower_qr,
    native=NativeKernel("sable_qr_{pivoting}", (2,), (2, 2, 1), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)
