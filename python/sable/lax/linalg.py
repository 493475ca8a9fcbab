"""`jax.lax.linalg`: linear algebra on stacks of matrices, without promotion of dtypes."""

from __future__ import annotations

import enum
import warnings
from typing import Any

from sable import _absent
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.operands import convert, value_of, values_of
from sable.core.primitives import primitives
from sable.dialects.ops import linear_algebra_lowering as rows
from sable.library.declare import library

from .autodiff import stop_gradient
from .linalg_forms import (
    cholesky_update,
    hessenberg,
    ormqr,
    schur,
    symmetric_product,
    tridiagonal,
    tridiagonal_solve,
)
from .polar import qdwh

_absent.explain(__name__)

__all__ = [
    "EigImplementation",
    "EighImplementation",
    "SvdAlgorithm",
    "cholesky",
    "cholesky_update",
    "eig",
    "eigh",
    "hessenberg",
    "householder_product",
    "lu",
    "lu_pivots_to_permutation",
    "ormqr",
    "qdwh",
    "qr",
    "schur",
    "svd",
    "symmetric_product",
    "triangular_solve",
    "tridiagonal",
    "tridiagonal_solve",
]

#: Functions that an op computes: `cholesky_p` ..., as equations of jaxprs have them.
_PRIMITIVES = [name for name in __all__ if name in primitives()]
globals().update({f"{name}_p": primitives()[name] for name in _PRIMITIVES})


def adjoint(x: Value) -> Value:
    """The conjugate transposes of a stack of matrices."""
    n = x.aval.ndim
    return _conjugate(BIND.transpose(x, permutation=(*range(n - 2), n - 1, n - 2)))


def _conjugate(x: Value) -> Value:
    return x if x.aval.dtype.kind != "c" else BIND.complex(BIND.real(x), BIND.negate(BIND.imag(x)))


@library
def cholesky(x: Any, *, symmetrize_input: bool = True) -> Value:
    """The lower triangular L of Hermitian positive definite matrices x = L L^H.

    Args:
      x: (..., n, n), f32, f64, c64 or c128.
      symmetrize_input: factor (x + x^H) / 2; otherwise only the lower triangle of x is read. The derivative is that for
        Hermitian tangents in either case.

    Returns:
      Lower triangular matrices of the shape and dtype of x; NaN in the triangle of a matrix that is not positive definite.

    Raises:
      TypeError: another dtype, or the matrices are not square.
      ValueError: the same without `symmetrize_input`.

    Example:
      >>> lax.linalg.cholesky(jnp.array([[4., 2.], [2., 5.]]))
      Array([[2., 0.],
             [1., 2.]], dtype=float32)
      >>> lax.linalg.cholesky(jnp.array([[1., 2.], [2., 1.]]))
      Array([[nan,  0.],
             [nan, nan]], dtype=float32)
    """
    value = value_of(x, "cholesky")
    return BIND.cholesky(hermitian_part("cholesky", value) if symmetrize_input else value, lower=True)


def hermitian_part(name: str, x: Value) -> Value:
    """(x + x^H) / 2; integers become floats."""
    shape = x.aval.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise TypeError(f"The input to {name} must be a square matrix. Got shape {shape[-2:]}.")
    x = convert(x, to_inexact_dtype(x.aval.dtype), x.aval.weak_type)
    return BIND.multiply(BIND.add(x, adjoint(x)), BIND.full(x.aval, 0.5))


@library
def triangular_solve(
    a: Any,
    b: Any,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Value:
    """x of op(a) x = b, or of x op(a) = b, for triangular matrices a.

    Args:
      a: (..., n, n), f32, f64, c64 or c128; the other triangle is not read.
      b: (..., n, m) with `left_side`, else (..., m, n); without that m, one right-hand side for each matrix.
      left_side: op(a) stands on the left of x.
      lower: which triangle of a it is.
      transpose_a, conjugate_a: what op does.
      unit_diagonal: take the diagonal of a for ones, without reading it.

    Returns:
      An array of the shape and dtype of b.

    Raises:
      TypeError: shapes or dtypes do not fit.

    Example:
      >>> a = jnp.array([[2., 0.], [1., 4.]])
      >>> lax.linalg.triangular_solve(a, jnp.array([2., 9.]), left_side=True, lower=True)
      Array([1., 2.], dtype=float32)
    """
    matrix, sides = values_of("triangular_solve", a, b)
    single = sides.aval.ndim == matrix.aval.ndim - 1
    shape = sides.aval.shape
    if single:
        sides = BIND.reshape(sides, shape=(*shape, 1) if left_side else (*shape[:-1], 1, *shape[-1:]))
    if conjugate_a and not transpose_a:
        matrix = _conjugate(matrix)
    operation = "NO_TRANSPOSE" if not transpose_a else "ADJOINT" if conjugate_a else "TRANSPOSE"
    x = BIND.triangular_solve(
        matrix,
        sides,
        left_side=bool(left_side),
        lower=bool(lower),
        unit_diagonal=bool(unit_diagonal),
        transpose_a=operation,
    )
    return BIND.reshape(x, shape=shape) if single else x


# ---- spectral decompositions -------------------------------------------------------------------------------------


class EighImplementation(enum.Enum):
    """Algorithms of `eigh`, of which there is `QR` here: LAPACK's by divide and conquer.

    Example:
      >>> lax.linalg.eigh(jnp.eye(2), implementation=lax.linalg.EighImplementation.QR)[1]
      Array([1., 1.], dtype=float32)
    """

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


def _check_subset(name: str, subset: tuple[int, int] | None, size: int) -> None:
    if subset is not None and tuple(subset) != (0, size):
        raise NotImplementedError(f"{name} gives all {size} values; it takes no other subset_by_index, got {subset}")


@library
def eigh(
    x: Any,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: EighImplementation | None = None,
) -> tuple[Value, Value]:
    """Eigenvectors v and eigenvalues w of Hermitian matrices, x = v diag(w) v^H.

    Args:
      x: (..., n, n), f32, f64, c64 or c128.
      lower: which triangle is read, without `symmetrize_input`.
      symmetrize_input: decompose (x + x^H) / 2. The derivative is that for Hermitian tangents in either case.
      sort_eigenvalues: without effect: they ascend.
      subset_by_index: None or (0, n).
      implementation: None or `EighImplementation.QR`.

    Returns:
      v, (..., n, n) of the dtype of x, whose columns are of length 1 and orthogonal; w, (..., n), real. NaN for a matrix with
      an element that is not finite. Derivatives of v are NaN or infinite where eigenvalues are equal.

    Raises:
      TypeError: another dtype, or the matrices are not square.
      ValueError: the same without `symmetrize_input`.
      NotImplementedError: another subset or algorithm.

    Example:
      >>> v, w = lax.linalg.eigh(jnp.array([[2., 1.], [1., 2.]]))
      >>> w.round(4)
      Array([1., 3.], dtype=float32)
      >>> (v * w @ v.T).round(4)
      Array([[2., 1.],
             [1., 2.]], dtype=float32)
    """
    del sort_eigenvalues
    value = value_of(x, "eigh")
    if symmetrize_input:
        value = hermitian_part("eigh", value)
    made = BIND.eigh(value, lower=bool(lower))
    _check_subset("eigh", subset_by_index, value.aval.shape[-1])
    if implementation not in (None, EighImplementation.QR):
        raise NotImplementedError(f"eigh by {implementation} is for other devices; there is EighImplementation.QR")
    return made


@library
def lu(x: Any) -> tuple[Value, Value, Value]:
    """Factors of matrices with their rows exchanged: x[permutation] = L U, by elimination with partial pivoting.

    Args:
      x: (..., m, n), f32, f64, c64 or c128.

    Returns:
      (factors, pivots, permutation): L below the diagonal, its own being ones, and U, in the shape and dtype of x; int32
      (..., min(m, n)), the row that each row was exchanged with, one after the other; int32 (..., m).

    Raises:
      TypeError: another dtype, or less than two dimensions.

    Example:
      >>> factors, pivots, permutation = lax.linalg.lu(jnp.array([[0., 2.], [4., 6.]]))
      >>> factors, pivots, permutation
      (Array([[4., 6.],
             [0., 2.]], dtype=float32), Array([1, 1], dtype=int32), Array([1, 0], dtype=int32))
    """
    return BIND.lu(value_of(x, "lu"))


@library
def lu_pivots_to_permutation(pivots: Any, permutation_size: int) -> Value:
    """The order in which rows are after exchanges.

    Args:
      pivots: int32 (..., k): row i was exchanged with row pivots[i], one after the other.
      permutation_size: of how many rows, k or more.

    Returns:
      int32 (..., permutation_size).

    Raises:
      TypeError: another dtype, or a scalar. ValueError: too few rows.

    Example:
      >>> lax.linalg.lu_pivots_to_permutation(jnp.array([2, 2]), 3)
      Array([2, 0, 1], dtype=int32)
    """
    value = value_of(pivots, "lu_pivots_to_permutation")
    return BIND.lu_pivots_to_permutation(value, permutation_size=int(permutation_size))


@library
def householder_product(a: Any, taus: Any) -> Value:
    """The first columns of products of Householder reflections I - tau v v^H.

    Args:
      a: (..., m, n), m >= n: the vectors v stand below the diagonal, and begin with 1 on it.
      taus: (..., k), k <= n, of a's dtype.

    Returns:
      Matrices with orthonormal columns, of the shape of a. They have no derivative; those of `qr` have.

    Raises:
      TypeError: dtypes or batch dimensions do not fit. ValueError: other shapes.

    Example:
      >>> v, tau = jnp.array([[1.], [1.]]), jnp.array([1.])
      >>> lax.linalg.householder_product(v, tau)
      Array([[ 0.],
             [-1.]], dtype=float32)
    """
    return BIND.householder_product(*values_of("householder_product", a, taus))


@library
def qr(
    x: Any, *, pivoting: bool = False, full_matrices: bool = True, use_magma: bool | None = None
) -> tuple[Value, ...]:
    """Factors of matrices x = Q R, where Q is unitary and R upper triangular with a real diagonal.

    Args:
      x: (..., m, n), f32, f64, c64 or c128.
      pivoting: x[..., order] = Q R, where the columns are exchanged so that the diagonal of R descends in magnitude.
      full_matrices: Q has m columns, else min(m, n).
      use_magma: without effect: it is for other devices.

    Returns:
      Q, (..., m, k), and R, (..., k, n); with `pivoting` the order, int32 (..., n).

    Raises:
      TypeError: another dtype, or less than two dimensions.

    Example:
      >>> q, r = lax.linalg.qr(jnp.array([[3., 1.], [4., 2.]]))
      >>> (q @ r).round(4)
      Array([[3., 1.],
             [4., 2.]], dtype=float32)
      >>> bool(r[1, 0] == 0)
      True
    """
    del use_magma
    return BIND.qr(value_of(x, "qr"), full_matrices=bool(full_matrices), pivoting=bool(pivoting))


def solve_by_lu(a: Value, b: Value) -> Value:
    """x of a x = b for a stack of right-hand sides (..., n, m); a (..., n, n) may lack batch dimensions or have ones.

    All derivatives are solutions by the same factors.
    """
    factors, _, permutation = BIND.lu(stop_gradient(a))
    batch = b.aval.shape[:-2]
    repeated = [_in_batch(x, batch, rank) for x, rank in ((a, 2), (factors, 2), (permutation, 1))]
    return BIND.lu_solve(*repeated, b, transpose_a=False)


def _in_batch(x: Value, batch: tuple[int, ...], rank: int) -> Value:
    shape = (*batch, *x.aval.shape[x.aval.ndim - rank :])
    if shape == x.aval.shape:
        return x
    first = len(shape) - x.aval.ndim
    kept = [i for i, n in enumerate(x.aval.shape) if n == shape[first + i]]
    x = BIND.reshape(x, shape=tuple(x.aval.shape[i] for i in kept))
    return BIND.broadcast_in_dim(x, shape=shape, broadcast_dimensions=tuple(first + i for i in kept))


def solve_by_factors(factors: Value, permutation: Value, b: Value, operation: str) -> Value:
    """x of op(a) x = b by the factors of a: stacks with the same batch dimensions."""
    return rows.solve_by_factors(BIND, factors, permutation, b, operation)


def take_rows(x: Value, order: Value) -> Value:
    """Rows of a stack of matrices in another order: int32 (..., n) with the batch dimensions of x."""
    return rows.take_rows(BIND, x, order)


class SvdAlgorithm(enum.Enum):
    """Algorithms of `svd`, of which there is LAPACK's by divide and conquer here, under all names that JAX has on CPUs.

    Example:
      >>> lax.linalg.svd(jnp.eye(2), compute_uv=False, algorithm=lax.linalg.SvdAlgorithm.QR)
      Array([1., 1.], dtype=float32)
    """

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


@library
def svd(
    x: Any,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: SvdAlgorithm | None = None,
) -> Any:
    """Singular values s and vectors of matrices, x = u diag(s) vt.

    Args:
      x: (..., m, n), f32, f64, c64 or c128.
      full_matrices: square u and vt, (..., m, m) and (..., n, n); otherwise (..., m, k) and (..., k, n) with
        k = min(m, n). The derivatives of u and vt are there without it, or of square matrices.
      compute_uv: (u, s, vt); otherwise s alone.
      subset_by_index: None or (0, k).
      algorithm: None, `DEFAULT`, `QR` or `DIVIDE_AND_CONQUER`, which is the same here.

    Returns:
      s (..., k), real, descending; u and vt of the dtype of x. NaN for a matrix with an element that is not finite.
      Derivatives of u and vt are NaN or infinite where singular values are equal.

    Raises:
      TypeError: another dtype, or no matrices. ValueError: a subset with `full_matrices`.
      NotImplementedError: another subset or algorithm.

    Example:
      >>> u, s, vt = lax.linalg.svd(jnp.array([[3., 0.], [0., -4.]]))
      >>> s
      Array([4., 3.], dtype=float32)
      >>> (u * s @ vt).round(4)
      Array([[ 3.,  0.],
             [ 0., -4.]], dtype=float32)
    """
    value = value_of(x, "svd")
    made = BIND.svd(value, full_matrices=bool(full_matrices), compute_uv=bool(compute_uv))
    rank = min(value.aval.shape[-2:])
    if full_matrices and subset_by_index not in (None, (0, rank)):
        raise ValueError("full_matrices and subset_by_index cannot both be set")
    _check_subset("svd", subset_by_index, rank)
    if algorithm in (SvdAlgorithm.JACOBI, SvdAlgorithm.POLAR):
        raise NotImplementedError(f"svd by {algorithm} is for other devices; there is DIVIDE_AND_CONQUER")
    return (made[1], made[0], made[2]) if compute_uv else made[0]


class EigImplementation(enum.Enum):
    """Implementations of `eig`, of which there is LAPACK's.

    Example:
      >>> lax.linalg.eig(jnp.eye(2), implementation=lax.linalg.EigImplementation.LAPACK)[0]
      Array([1.+0.j, 1.+0.j], dtype=complex64)
    """

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


@library
def eig(
    x: Any,
    *,
    compute_left_eigenvectors: bool = True,
    compute_right_eigenvectors: bool = True,
    enable_eigvec_derivs: bool = False,
    implementation: EigImplementation | None = None,
    use_magma: bool | None = None,
) -> list[Value]:
    """Eigenvalues and eigenvectors of square matrices: x v = v diag(w), u^H x = diag(w) u^H.

    Args:
      x: (..., n, n), f32, f64, c64 or c128.
      compute_left_eigenvectors, compute_right_eigenvectors: give u, give v.
      enable_eigvec_derivs: let the eigenvectors have derivatives, which are right where all eigenvalues are distinct and no
        eigenvector has two elements of largest magnitude.
      implementation: None or `EigImplementation.LAPACK`.
      use_magma: deprecated: None or False.

    Returns:
      [w, u, v], those that are asked for, complex: (..., n) and the columns of (..., n, n), of length 1 with a largest element
      that is real; NaN for a matrix with an element that is not finite.

    Raises:
      TypeError: another dtype, or no matrices. ValueError: they are not square; another implementation.
      NotImplementedError: derivatives of eigenvectors without `enable_eigvec_derivs`.

    Example:
      >>> w, v = lax.linalg.eig(jnp.array([[0., -1.], [1., 0.]]), compute_left_eigenvectors=False)
      >>> w.imag.round(4)
      Array([ 1., -1.], dtype=float32)
    """
    if use_magma is not None:
        warnings.warn("use_magma is deprecated; the argument is implementation", DeprecationWarning, stacklevel=2)
    made = BIND.eig(
        value_of(x, "eig"),
        compute_left_eigenvectors=bool(compute_left_eigenvectors),
        compute_right_eigenvectors=bool(compute_right_eigenvectors),
        enable_eigvec_derivs=bool(enable_eigvec_derivs),
    )
    if use_magma or implementation not in (None, EigImplementation.LAPACK):
        raise ValueError("Only the lapack implementation is supported on CPU.")
    return list(made)
