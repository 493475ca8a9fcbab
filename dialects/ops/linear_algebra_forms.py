"""Unitary transformations of square matrices to simpler forms: hessenberg, tridiagonal, schur."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as BOOLEAN
from sable.ir.native import NativeKernel, pieces_of_stack
from sable.ir.op import defop

from .linear_algebra import LAPACK_DTYPES, LIBRARY, check_ranks, stacked, underivable
from .linear_algebra_forms_lowering import lower_hessenberg, lower_tridiagonal
from .rules import floats, sample, weak
from .schur_lowering import lower_schur
from .spectral import real_dtype

_NO_DERIVATIVE = {"grad": False, "why": "no derivative"}


def _each(function: Callable, a: np.ndarray, outs: tuple[Aval, ...]) -> tuple[np.ndarray, ...]:
    """The results of a function of one matrix for a stack of them."""
    results = [np.zeros(o.shape, o.dtype) for o in outs]
    for index in np.ndindex(a.shape[:-2]):
        for result, value in zip(results, function(a[index])):
            result[index] = value
    return tuple(results)


def _lapack(name: str, a: np.ndarray) -> Any:
    from scipy.linalg.lapack import get_lapack_funcs  # 0.1 s: only when wanted

    return get_lapack_funcs(name, (a,))


def _matrices(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    re, im = floats((2, *shape), dtype=np.float64)
    return (re + 1j * im if np.dtype(dtype).kind == "c" else re).astype(dtype)


def _hermitian(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    a = _matrices(shape, dtype)
    return a + a.conj().swapaxes(-1, -2)


# ---- hessenberg --------------------------------------------------------------------------------------------------


def _hessenberg_type(a: Aval) -> tuple[Aval, Aval]:
    check_ranks("hessenberg", (a,), (2,))
    *batch, n, columns = a.shape
    if n != columns or n == 0:
        raise ValueError(f"Argument to Hessenberg reduction must have shape [..., n, n], got shape {a.shape[-2:]}")
    return aval(a.shape, a.dtype, weak([a])), aval((*batch, n - 1), a.dtype, weak([a]))


def _hessenberg_ref(a: np.ndarray) -> tuple[np.ndarray, ...]:
    def reduce(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _lapack("gehrd", matrix)(matrix)[:2]

    return _each(reduce, a, _hessenberg_type(aval(a.shape, a.dtype)))


hessenberg = defop(
    "hessenberg",
    dialect="sable",
    operands=("a",),
    type=_hessenberg_type,
    ref=_hessenberg_ref,
    jvp={"a": underivable("hessenberg")},
    transpose={},
    batch=stacked,
    samples=lambda: [
        *[
            sample(_matrices(shape, dtype), rtol=1e-4, atol=2e-5, **_NO_DERIVATIVE)
            for dtype, shape in zip(LAPACK_DTYPES, ((4, 4), (2, 5, 5), (2, 3, 3), (4, 4)))
        ],
        sample(np.triu(_matrices((4, 4), np.float32)), **_NO_DERIVATIVE),
        sample(_matrices((2, 2), np.complex64), **_NO_DERIVATIVE),
        sample(_matrices((2, 1, 1), np.complex64), **_NO_DERIVATIVE),
        sample(np.zeros((0, 3, 3), np.float32), **_NO_DERIVATIVE),
    ],
    multiple_results=True,
    lower=lower_hessenberg,
    native=NativeKernel("sable_hessenberg", (2,), (2, 1), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)


# ---- tridiagonal -------------------------------------------------------------------------------------------------


def _tridiagonal_type(a: Aval, lower: bool) -> tuple[Aval, ...]:
    check_ranks("tridiagonal", (a,), (2,))
    *batch, n, columns = a.shape
    if n != columns or n == 0:
        raise ValueError(f"The input to tridiagonal must be a square matrix. Got shape {a.shape[-2:]}.")
    w, real = weak([a]), real_dtype(a.dtype)
    return (
        aval(a.shape, a.dtype, w),
        aval((*batch, n), real, w),
        aval((*batch, n - 1), real, w),
        aval((*batch, n - 1), a.dtype, w),
    )


def _tridiagonal_ref(a: np.ndarray, lower: bool) -> tuple[np.ndarray, ...]:
    def reduce(matrix: np.ndarray) -> tuple[np.ndarray, ...]:
        if len(matrix) == 1:  # which SciPy's refuses
            return matrix, matrix[0].real, matrix[0, 1:].real, matrix[0, 1:]
        name = "hetrd" if matrix.dtype.kind == "c" else "sytrd"
        return _lapack(name, matrix)(matrix, lower=lower)[:4]

    return _each(reduce, a, _tridiagonal_type(aval(a.shape, a.dtype), lower))


tridiagonal = defop(
    "tridiagonal",
    dialect="sable",
    operands=("a",),
    params={"lower": BOOLEAN},
    type=_tridiagonal_type,
    ref=_tridiagonal_ref,
    jvp={"a": underivable("tridiagonal")},
    transpose={},
    batch=stacked,
    samples=lambda: [
        *[
            sample(_hermitian(shape, dtype), lower=lower, rtol=1e-4, atol=5e-5, **_NO_DERIVATIVE)
            for dtype, shape in zip(LAPACK_DTYPES, ((4, 4), (2, 5, 5), (2, 3, 3), (4, 4)))
            for lower in (True, False)
        ],
        sample(_matrices((3, 3), np.float32), lower=False, rtol=1e-4, atol=5e-5, **_NO_DERIVATIVE),
        sample(_hermitian((2, 2), np.complex64), lower=True, **_NO_DERIVATIVE),
        sample(_hermitian((2, 1, 1), np.complex64), lower=True, **_NO_DERIVATIVE),
        sample(np.zeros((0, 3, 3), np.complex64), lower=True, **_NO_DERIVATIVE),
    ],
    multiple_results=True,
    lower=lower_tridiagonal,
    native=NativeKernel(
        "sable_tridiagonal", (2,), (2, 1, 1, 1), LAPACK_DTYPES, lambda lower: (lower,), pieces_of_stack
    ),
    traits=LIBRARY,
)


# ---- schur -------------------------------------------------------------------------------------------------------


def _schur_type(a: Aval, compute_schur_vectors: bool) -> tuple[Aval, ...]:
    check_ranks("schur", (a,), (2,))
    if a.shape[-1] != a.shape[-2]:
        raise ValueError(f"The input to schur must be a square matrix. Got shape {a.shape[-2:]}.")
    return (aval(a.shape, a.dtype, weak([a])),) * (1 + compute_schur_vectors)


def _schur_ref(a: np.ndarray, compute_schur_vectors: bool) -> tuple[np.ndarray, ...]:
    def decompose(matrix: np.ndarray) -> Any:
        if not np.isfinite(matrix).all():
            nan = np.full_like(matrix, complex(np.nan, np.nan) if matrix.dtype.kind == "c" else np.nan)
            return nan, nan
        import scipy.linalg  # 0.1 s: only when wanted

        return scipy.linalg.schur(matrix) if matrix.size else (matrix, matrix)

    return _each(decompose, a, _schur_type(aval(a.shape, a.dtype), compute_schur_vectors))


def _schur_samples() -> list:
    close = {"rtol": 1e-4, "atol": 5e-5, **_NO_DERIVATIVE}
    several = _matrices((3, 4, 4), np.float32)
    several[1] = np.kron(np.eye(2), [[0, 1], [-1, 0]])  # eigenvalues that are not real, and equal
    several[2, 3, 0] = np.nan
    return [
        sample(several, compute_schur_vectors=True, **close),
        sample(_matrices((2, 5, 5), np.float64), compute_schur_vectors=False, **close),
        sample(_matrices((2, 3, 3), np.complex64), compute_schur_vectors=False, **close),
        sample(_matrices((4, 4), np.complex128), compute_schur_vectors=True, **close),
        sample(_matrices((2, 1, 1), np.complex64), compute_schur_vectors=True, **close),
        sample(np.zeros((2, 0, 0), np.complex64), compute_schur_vectors=True, **close),
        sample(np.zeros((0, 3, 3), np.float32), compute_schur_vectors=True, **close),
    ]


schur = defop(
    "schur",
    dialect="sable",
    operands=("a",),
    params={"compute_schur_vectors": BOOLEAN},
    type=_schur_type,
    ref=_schur_ref,
    jvp={"a": underivable("schur")},
    transpose={},
    batch=stacked,
    samples=_schur_samples,
    multiple_results=True,
    lower=lower_schur,
    native=NativeKernel("sable_schur_{compute_schur_vectors}", (2,), (2, 2), LAPACK_DTYPES, pieces=pieces_of_stack),
    traits=LIBRARY,
)
