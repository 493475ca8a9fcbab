"""Spectral decompositions of stacks of matrices: eigh, svd, eig."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.native import NativeKernel, pieces_of_stack
from sable.ir.op import defop

from .compose import INT32, compare, convert, zeros
from .linear_algebra import (
    LAPACK_DTYPES,
    LIBRARY,
    _positive,
    check_matrices,
    conjugate,
    matmul,
    matrix_transpose,
    where,
)
from .rules import floats, sample, weak
from .schur_lowering import lower_eig
from .spectral_lowering import lower_eigh, lower_svd

#: Rows and columns from which LAPACK runs threads of its own; eig gains nothing by them.
_LARGE = 400

# ---- matrices in rules -------------------------------------------------------------------------------------------


def real_dtype(dtype: np.dtype) -> np.dtype:
    """That of the parts of complex numbers."""
    return np.empty(0, dtype).real.dtype


def _adjoint(b: Any, x: Any) -> Any:
    return matrix_transpose(b, conjugate(b, x))


def _as(b: Any, x: Any, like: Any) -> Any:
    """Real numbers in the dtype of another value."""
    return b.complex(x, zeros(b, b.aval(x))) if b.aval(like).dtype.kind == "c" else x


def _real(b: Any, x: Any) -> Any:
    return b.real(x) if b.aval(x).dtype.kind == "c" else x


def _diagonal(b: Any, x: Any) -> Any:
    """(..., n) of (..., n, n)."""
    a = b.aval(x)
    return b.reduce_sum(where(b, "EQ", x, zeros(b, a)), dimensions=(a.ndim - 1,))


def _rows(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """Vectors (..., n) as every row of (..., m, n)."""
    axes = (*range(len(shape) - 2), len(shape) - 1)
    return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=axes)


def _columns(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """Vectors (..., m) as every column of (..., m, n)."""
    return b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=tuple(range(len(shape) - 1)))


def _inverse_off_diagonal(b: Any, x: Any) -> Any:
    """1 / x, zero on the diagonal."""
    a = b.aval(x)
    one = b.full(a, 1)
    return where(b, "EQ", zeros(b, a), b.divide(one, where(b, "EQ", one, x)))


def _as_it_is(b: Any, op: Any, size: int, operands: Any, mapped: Any, **params: Any) -> Any:
    return b.bind(op, *operands, **params)


def _check_rank(name: str, a: Aval) -> None:
    check_matrices(name, a)
    if a.ndim < 2:
        raise TypeError(f"{name} takes stacks of matrices, got shape {a.shape}.")


def _check_square(name: str, a: Aval) -> None:
    _check_rank(name, a)
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"The input to {name} must be a stack of square matrices. Got shape {a.shape}.")


def _each(function: Any, a: np.ndarray, outs: tuple[Aval, ...]) -> tuple[np.ndarray, ...]:
    """The results of a function of a matrix for each of a stack; NaN for matrices with elements that are not finite."""
    results = [np.full(o.shape, complex(np.nan, np.nan) if o.dtype.kind == "c" else np.nan, o.dtype) for o in outs]
    for index in np.ndindex(a.shape[:-2]):
        if np.isfinite(a[index]).all():
            for result, value in zip(results, function(a[index])):
                result[index] = value
    return tuple(results)


def _triangle(a: np.ndarray, lower: bool) -> np.ndarray:
    return np.tril(a) if lower else np.triu(a)


# ---- eigh --------------------------------------------------------------------------------------------------------


def _eigh_type(a: Aval, lower: bool) -> tuple[Aval, Aval]:
    _check_square("eigh", a)
    return aval(a.shape, a.dtype, weak([a])), aval(a.shape[:-1], real_dtype(a.dtype), weak([a]))


def _eigh_ref(a: np.ndarray, lower: bool) -> tuple[np.ndarray, ...]:
    def decompose(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w, v = np.linalg.eigh(matrix, "L" if lower else "U")
        return v, w

    return _each(decompose, _triangle(a, lower), _eigh_type(aval(a.shape, a.dtype), lower))


def _eigh_jvp(b: Any, t: Any, y: Any, a: Any, lower: bool) -> tuple[Any, Any]:
    """With a v_j = w_j v_j and m = v^H da v: dw_j = m_jj, dv = v (m_ij / (w_j - w_i)) off the diagonal.

    M. Giles, "An extended collection of matrix derivative results for forward and reverse mode automatic differentiation",
    Oxford 2008 (NA-08/01), 3.1. The phase of each vector is held. As a is Hermitian, so must da be: both its triangles are
    read, although of a only one is.
    """
    v, w = y
    shape = b.aval(a).shape
    m = matmul(b, matmul(b, _adjoint(b, v), t), v)
    gaps = b.subtract(_rows(b, w, shape), _columns(b, w, shape))
    dv = matmul(b, v, b.multiply(_as(b, _inverse_off_diagonal(b, gaps), m), m))
    return dv, _diagonal(b, _real(b, m))


_HERMITIAN = "the derivative is for Hermitian tangents; tests/lax/test_spectral.py"


def _symmetric(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    """Hermitian matrices with eigenvalues of both signs."""
    return (_positive(shape, dtype, seed) - 3 * np.eye(shape[-1])).astype(dtype)


def _with_infinite(dtype: Any) -> np.ndarray:
    """Matrices beside a good one with an element that is not finite."""
    stack = np.stack([np.eye(3) + np.diag([1, 2], 1) + np.diag([1, 2], -1)] * 3).astype(dtype)
    stack[1, 1, 1], stack[2, 2, 0], stack[2, 0, 2] = np.nan, np.inf, np.inf
    return stack


def _eigh_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5, "grad": False, "why": _HERMITIAN}
    one_triangle = np.tril(_symmetric((4, 4), np.complex64, 5)) + np.triu(np.full((4, 4), 7, np.complex64), 1)
    return [
        sample(_symmetric((3, 3), np.float32), lower=True, **close),
        sample(_symmetric((2, 4, 4), np.float64), lower=False, **close),
        sample(_symmetric((2, 4, 4), np.complex64), lower=False, **close),
        sample(_symmetric((3, 3), np.complex128), lower=True, **close),
        sample(_symmetric((2, 1, 1), np.float32), lower=True, **close),
        sample(_symmetric((9, 9), np.float32), lower=True, **close),
        sample(_with_infinite(np.float32), lower=True, **close),
        sample(one_triangle, lower=True, **{**close, "why": "the other triangle is not read"}),
        sample(np.zeros((0, 0), np.float32), lower=True, grad=False, why="empty"),
        sample(np.zeros((0, 3, 3), np.complex64), lower=True, grad=False, why="empty"),
    ]


eigh = defop(
    "eigh",
    dialect="sable",
    operands=("a",),
    params={"lower": BOOLEAN},
    type=_eigh_type,
    ref=_eigh_ref,
    jvp={"a": _eigh_jvp},
    transpose={},
    batch=_as_it_is,
    samples=_eigh_samples,
    multiple_results=True,
    lower=lower_eigh,
    native=NativeKernel("sable_eigh", (2,), (2, 1), LAPACK_DTYPES, lambda lower: (lower,), pieces_of_stack, _LARGE),
    traits=LIBRARY,
)


# ---- svd ---------------------------------------------------------------------------------------------------------


def _svd_type(a: Aval, full_matrices: bool, compute_uv: bool) -> tuple[Aval, ...]:
    _check_rank("svd", a)
    *batch, m, n = a.shape
    rank = min(m, n)
    s = aval((*batch, rank), real_dtype(a.dtype), weak([a]))
    if not compute_uv:
        return (s,)
    u, vt = (m, m if full_matrices else rank), (n if full_matrices else rank, n)
    return s, aval((*batch, *u), a.dtype, weak([a])), aval((*batch, *vt), a.dtype, weak([a]))


def _svd_ref(a: np.ndarray, full_matrices: bool, compute_uv: bool) -> tuple[np.ndarray, ...]:
    def decompose(matrix: np.ndarray) -> tuple[np.ndarray, ...]:
        if not compute_uv:
            return (np.linalg.svd(matrix, compute_uv=False),)
        u, s, vt = np.linalg.svd(matrix, full_matrices)
        return s, u, vt

    return _each(decompose, a, _svd_type(aval(a.shape, a.dtype), full_matrices, compute_uv))


def _svd_jvp(b: Any, t: Any, y: Any, a: Any, full_matrices: bool, compute_uv: bool) -> tuple[Any, ...]:
    """With a = u S v^H and m = u^H da v: ds = diag(Re m); du = u (f (m S + S m^H)), dv = v (f (S m + m^H S)).

    Here f_ij = 1 / (s_j^2 - s_i^2) off the diagonal; what da has outside of the spaces of u and v, divided by s, is added.
    J. Townsend, "Differentiating the singular value decomposition" (2016), equations 13 to 17. Of complex vectors, whose
    phases are free, v turns by no phase and u by (m - m^H) / (2 s) on the diagonal, as in JAX.
    """
    rows, columns = b.aval(a).shape[-2:]
    if compute_uv and full_matrices and rows != columns:
        raise NotImplementedError("svd has no derivative with full_matrices=True unless the matrices are square")
    s, u, vt = y if compute_uv else b.svd(a, full_matrices=False, compute_uv=True)
    uh, v = _adjoint(b, u), _adjoint(b, vt)
    m = matmul(b, matmul(b, uh, t), v)
    ds = _diagonal(b, _real(b, m))
    if not compute_uv:
        return (ds,)
    shape = b.aval(m).shape
    across, down = _rows(b, s, shape), _columns(b, s, shape)
    squares = b.multiply(b.add(across, down), b.subtract(across, down))
    f = _as(b, _inverse_off_diagonal(b, squares), m)
    right, left = b.multiply(_as(b, across, m), m), b.multiply(_as(b, down, m), m)
    turn = b.multiply(f, b.add(right, _adjoint(b, right)))
    if b.aval(m).dtype.kind == "c":
        turn = b.add(turn, _phases(b, m, across))
    du, dv = matmul(b, u, turn), matmul(b, v, b.multiply(f, b.add(left, _adjoint(b, left))))
    if rows > columns:
        du = b.add(du, _outside(b, matmul(b, t, v), u, uh, s))
    if rows < columns:
        dv = b.add(dv, _outside(b, matmul(b, _adjoint(b, t), u), v, vt, s))
    return ds, du, _adjoint(b, dv)


def _phases(b: Any, m: Any, s: Any) -> Any:
    """(m - m^H) / (2 s) on the diagonal, where s is not zero."""
    a = b.aval(s)
    positive = b.compare(s, zeros(b, a), comparison_direction="GT")
    half = b.select(positive, b.divide(b.full(a, 0.5), b.select(positive, s, b.full(a, 1))), zeros(b, a))
    turned = b.multiply(b.subtract(m, _adjoint(b, m)), _as(b, half, m))
    return where(b, "EQ", turned, zeros(b, b.aval(m)))


def _outside(b: Any, x: Any, u: Any, uh: Any, s: Any) -> Any:
    """(x - u u^H x) / s, by columns."""
    rest = b.subtract(x, matmul(b, u, matmul(b, uh, x)))
    return b.divide(rest, _as(b, _rows(b, s, b.aval(x).shape), x))


def _any_matrix(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    re, im = floats((2, *shape), dtype=np.float64)
    return (re + 1j * im if np.dtype(dtype).kind == "c" else re).astype(dtype)


def _svd_samples() -> list:
    close = {"rtol": 1e-4, "atol": 2e-5}
    reduced = {"full_matrices": False, "compute_uv": True, **close}
    values = {"full_matrices": False, "compute_uv": False, **close}
    full = {"full_matrices": True, "compute_uv": True, "grad": False, "why": "has no derivative", **close}
    phases = {"grad": False, "why": "LAPACK's phases move otherwise; tests/lax/test_spectral.py"}
    one_rank = np.float32([[1, 2, 0], [2, 4, 0], [3, 6, 0], [0, 0, 0]])
    return [
        sample(_any_matrix((3, 3), np.float32), **reduced),
        sample(_any_matrix((2, 4, 2), np.float64), **reduced),
        sample(_any_matrix((2, 5), np.float32), **reduced),
        sample(_any_matrix((4, 3), np.complex64), **reduced, **phases),
        sample(_any_matrix((2, 2, 3), np.complex128), **reduced, **phases),
        sample(_any_matrix((3, 4), np.complex64), **values),
        sample(_any_matrix((4, 2), np.float32), **full),
        sample(_any_matrix((2, 3), np.complex64), **full),
        sample(_with_infinite(np.float32), **{**full, "why": "not finite"}),
        sample(one_rank, **{**values, "grad": False, "why": "values that are equal"}),
        sample(np.zeros((0, 3), np.float32), **{**full, "why": "empty"}),
        sample(np.zeros((2, 0, 3, 2), np.complex64), **{**reduced, "grad": False, "why": "empty"}),
        sample(np.zeros((3, 0), np.float32), **{**values, "grad": False, "why": "empty"}),
    ]


svd = defop(
    "svd",
    dialect="sable",
    operands=("a",),
    params={"full_matrices": BOOLEAN, "compute_uv": BOOLEAN},
    type=_svd_type,
    ref=_svd_ref,
    jvp={"a": _svd_jvp},
    transpose={},
    batch=_as_it_is,
    samples=_svd_samples,
    multiple_results=True,
    lower=lower_svd,
    native=NativeKernel(
        "sable_svd_{compute_uv}",
        (2,),
        (1, 2, 2),
        LAPACK_DTYPES,
        lambda full_matrices, compute_uv: (full_matrices,),
        pieces_of_stack,
        _LARGE,
    ),
    traits=LIBRARY,
)


# ---- eig ---------------------------------------------------------------------------------------------------------


def _complex_dtype(dtype: np.dtype) -> np.dtype:
    return np.result_type(dtype, np.complex64)


def _eig_type(
    a: Aval, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, enable_eigvec_derivs: bool
) -> tuple[Aval, ...]:
    _check_square("eig", a)
    dtype = _complex_dtype(a.dtype)
    vectors = aval(a.shape, dtype, weak([a]))
    count = compute_left_eigenvectors + compute_right_eigenvectors
    return aval(a.shape[:-1], dtype, weak([a])), *[vectors] * count


def _eig_ref(
    a: np.ndarray, compute_left_eigenvectors: bool, compute_right_eigenvectors: bool, enable_eigvec_derivs: bool
) -> tuple[np.ndarray, ...]:
    """Left eigenvectors are the columns of v^-H, of length 1 and with a largest element that is positive."""

    def decompose(matrix: np.ndarray) -> list[np.ndarray]:
        if not matrix.size:
            return []
        if not compute_left_eigenvectors and not compute_right_eigenvectors:
            return [np.linalg.eigvals(matrix)]
        w, v = np.linalg.eig(matrix)
        made = [w]
        if compute_left_eigenvectors:
            u = np.linalg.inv(v).conj().T
            largest = np.take_along_axis(u, np.abs(u).argmax(0)[None], 0)
            u = u / (largest / np.abs(largest))
            made.append(u / np.linalg.norm(u, axis=0))
        return [*made, v] if compute_right_eigenvectors else made

    outs = _eig_type(
        aval(a.shape, a.dtype), compute_left_eigenvectors, compute_right_eigenvectors, enable_eigvec_derivs
    )
    return _each(decompose, a, outs)


def _eig_jvp(b: Any, t: Any, y: Any, a: Any, enable_eigvec_derivs: bool, **vectors: bool) -> tuple[Any, ...]:
    """With a v_j = w_j v_j and p = v^-1 da v: dw_j = p_jj, dv_j = sum_i v_i p_ij / (w_j - w_i) + c_j v_j; see `_turned`.

    M. Giles, "An extended collection of matrix derivative results for forward and reverse mode automatic differentiation",
    Oxford 2008 (NA-08/01), 3.1. Left eigenvectors are the right ones of a^H, whose eigenvalues are conjugate.
    """
    left, right = vectors["compute_left_eigenvectors"], vectors["compute_right_eigenvectors"]
    if (left or right) and not enable_eigvec_derivs:
        raise NotImplementedError(
            "eigenvectors of matrices that are not Hermitian have derivatives only where eigenvalues are distinct and no "
            "eigenvector has two largest elements: jax.lax.linalg.eig(..., enable_eigvec_derivs=True) says that it is so"
        )
    t = convert(b, t, b.aval(y[0]).dtype)
    w = y[0]
    if not left and not right:
        _, v = b.eig(
            a,
            compute_left_eigenvectors=False,
            compute_right_eigenvectors=True,
            enable_eigvec_derivs=enable_eigvec_derivs,
        )
        return (_diagonal(b, _in_basis(b, v, t)),)
    tangents = []
    if left:
        dw, du = _eigenvectors_jvp(b, conjugate(b, w), y[1], _adjoint(b, t))
        dw = conjugate(b, dw)
        tangents.append(du)
    if right:
        dw, dv = _eigenvectors_jvp(b, w, y[-1], t)
        tangents.append(dv)
    return dw, *tangents


def _in_basis(b: Any, v: Any, t: Any) -> Any:
    """v^-1 t v."""
    factors, _, permutation = b.lu(b.stop_gradient(v))
    return b.lu_solve(v, factors, permutation, matmul(b, t, v), transpose_a=False)


def _eigenvectors_jvp(b: Any, w: Any, v: Any, t: Any) -> tuple[Any, Any]:
    shape = b.aval(v).shape
    p = _in_basis(b, v, t)
    gaps = b.subtract(_rows(b, w, shape), _columns(b, w, shape))
    moved = matmul(b, v, b.multiply(_inverse_off_diagonal(b, gaps), p))
    return _diagonal(b, p), _turned(b, v, moved)


def _turned(b: Any, v: Any, t: Any) -> Any:
    """t_j + c_j v_j, where c_j holds the length of v_j at 1 and its largest element real, as LAPACK has them."""
    a = b.aval(v)
    axis = a.ndim - 2
    size = b.sqrt(b.add(b.multiply(b.real(v), b.real(v)), b.multiply(b.imag(v), b.imag(v))))
    place = _rows(b, b.argmax(size, axis=axis, index_dtype=INT32), a.shape)
    largest = compare(b, b.iota(shape=a.shape, dtype=INT32, iota_dimension=axis), place, "EQ")

    def chosen(x: Any) -> Any:
        return b.reduce_sum(b.select(largest, x, zeros(b, b.aval(x))), dimensions=(axis,))

    along = b.real(b.multiply(conjugate(b, v), t))
    c = b.complex(
        b.negate(b.reduce_sum(along, dimensions=(axis,))),
        b.negate(b.divide(chosen(b.imag(t)), chosen(b.real(v)))),
    )
    return b.add(t, b.multiply(v, _rows(b, c, a.shape)))


def _eig_samples() -> list:
    def params(right: bool, derivatives: bool = False, left: bool = False) -> dict[str, Any]:
        wanted = {"compute_left_eigenvectors": left, "compute_right_eigenvectors": right}
        more = {} if derivatives or not right else {"grad": False, "why": "is not asked for"}
        return {**wanted, "enable_eigvec_derivs": derivatives, "rtol": 2e-4, "atol": 5e-5, **more}

    return [
        sample(_any_matrix((4, 4), np.float32), **params(True, True)),
        sample(_any_matrix((2, 3, 3), np.complex128), **params(True, True, True)),
        sample(_any_matrix((3, 3), np.float64), **params(False, True)),
        sample(_any_matrix((2, 3, 3), np.complex64), **params(False, True)),
        sample(_any_matrix((2, 1, 1), np.float32), **params(True)),
        sample(_with_infinite(np.float32), **params(True)),
        sample(np.zeros((0, 3, 3), np.float32), **params(True)),
        sample(np.zeros((2, 0, 0), np.complex64), **{**params(True), "why": "empty"}),
    ]


eig = defop(
    "eig",
    dialect="sable",
    operands=("a",),
    params={
        "compute_left_eigenvectors": BOOLEAN,
        "compute_right_eigenvectors": BOOLEAN,
        "enable_eigvec_derivs": BOOLEAN,
    },
    type=_eig_type,
    ref=_eig_ref,
    jvp={"a": _eig_jvp},
    transpose={},
    batch=_as_it_is,
    samples=_eig_samples,
    multiple_results=True,
    lower=lower_eig,
    native=NativeKernel(
        "sable_eig_{compute_left_eigenvectors}_{compute_right_eigenvectors}",
        (2,),
        (1, 2, 2),
        LAPACK_DTYPES,
        pieces=pieces_of_stack,
    ),
    traits=LIBRARY,
)
