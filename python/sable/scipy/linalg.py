"""`jax.scipy.linalg`: factorisations and solutions of linear systems. Integers become the default floating dtype."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import sable.numpy as jnp
from sable import _absent, lax
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_arguments, convert, promote_dtypes
from sable.lax import linalg
from sable.library.declare import library

from .matrix_functions import (
    expm,
    expm_frechet,
    funm,
    hessenberg,
    qr_multiply,
    rsf2csf,
    schur,
    solve_sylvester,
    sqrtm,
)
from .special_matrices import (
    block_diag,
    circulant,
    companion,
    convolution_matrix,
    dft,
    fiedler,
    fiedler_companion,
    hadamard,
    hankel,
    helmert,
    hilbert,
    invhilbert,
    invpascal,
    leslie,
    pascal,
    toeplitz,
)
from .tridiagonal import eigh_tridiagonal

_absent.explain(__name__)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "companion",
    "convolution_matrix",
    "det",
    "dft",
    "eigh",
    "eigh_tridiagonal",
    "expm",
    "expm_frechet",
    "fiedler",
    "fiedler_companion",
    "funm",
    "hadamard",
    "hankel",
    "helmert",
    "hessenberg",
    "hilbert",
    "inv",
    "invhilbert",
    "invpascal",
    "leslie",
    "lu",
    "lu_factor",
    "lu_solve",
    "pascal",
    "polar",
    "qr",
    "qr_multiply",
    "rsf2csf",
    "schur",
    "solve",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "toeplitz",
]

#: `trans` of `solve_triangular` -> (transpose_a, conjugate_a)
_OPERATIONS = {
    **dict.fromkeys((0, "N"), (False, False)),
    **dict.fromkeys((1, "T"), (True, False)),
    **dict.fromkeys((2, "C"), (True, True)),
}


@library(operands=("a",), promotion="inexact")
def cholesky(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Value:
    """The factor U of Hermitian positive definite matrices a = U^H U, or L of a = L L^H.

    Args:
      a: (..., n, n); the other triangle is not read.
      lower: L instead of U.
      overwrite_a, check_finite: without effect, as in JAX.

    Returns:
      Triangular matrices of the shape of a; NaN in the triangle of a matrix that is not positive definite.

    Example:
      >>> jax.scipy.linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
      Array([[2., 1.],
             [0., 2.]], dtype=float32)
    """
    del overwrite_a, check_finite
    return BIND.cholesky(a, lower=bool(lower))


@library
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Value, bool]:
    """`cholesky(a, lower)` and `lower`, for `cho_solve`.

    Args:
      a: (..., n, n).
      lower, overwrite_a, check_finite: as of `cholesky`.

    Example:
      >>> jax.scipy.linalg.cho_factor(jnp.array([[4.0, 2.0], [2.0, 5.0]]), lower=True)
      (Array([[2., 0.],
             [1., 2.]], dtype=float32), True)
    """
    return cholesky(a, lower, overwrite_a, check_finite), lower


@library
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> Value:
    """x of a x = b, given the factor of a.

    Args:
      c_and_lower: what `cho_factor(a)` gives; a is (..., n, n).
      b: (n,) or (..., n, m).
      overwrite_b, check_finite: without effect, as in JAX.

    Returns:
      An array of the shape of b, with the batch dimensions of both.

    Example:
      >>> factor = jax.scipy.linalg.cho_factor(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
      >>> jax.scipy.linalg.cho_solve(factor, jnp.array([6.0, 7.0])).round(4)
      Array([1., 1.], dtype=float32)
    """
    del overwrite_b, check_finite
    factor, lower = c_and_lower
    factor, b = promote_dtypes(array_arguments("cho_solve", factor, b), "inexact")
    first = "N" if lower else "C"
    second = "C" if lower else "N"
    y = _solve("cho_solve", factor, b, first, lower, False)
    return _solve("cho_solve", factor, y, second, lower, False)


@library
def solve_triangular(
    a: Any,
    b: Any,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Value:
    """x of op(a) x = b for triangular matrices a.

    Args:
      a: (..., n, n); the other triangle is not read.
      b: (n,) or (..., n, m).
      trans: op: 0 or "N" for a, 1 or "T" for its transpose, 2 or "C" for its conjugate transpose.
      lower: which triangle of a it is.
      unit_diagonal: take the diagonal of a for ones, without reading it.
      overwrite_b, debug, check_finite: without effect, as in JAX.

    Returns:
      An array of the shape of b, with the batch dimensions of both.

    Raises:
      ValueError: another `trans`.

    Example:
      >>> jax.scipy.linalg.solve_triangular(jnp.array([[2.0, 7.0], [1.0, 4.0]]), jnp.array([2.0, 5.0]), lower=True)
      Array([1., 1.], dtype=float32)
    """
    del overwrite_b, debug, check_finite
    return _solve("solve_triangular", a, b, trans, lower, unit_diagonal)


def _as_columns(name: str, matrix: Value, sides: Value) -> tuple[Value, bool]:
    """Right-hand sides as columns, and whether they were one for each matrix."""
    single = sides.ndim == 1
    if not single and matrix.ndim == sides.ndim + 1 and matrix.shape[-1] == sides.shape[-1]:
        warnings.warn(
            f"jax.scipy.linalg.{name}: one right-hand side for each of several matrices will be taken for a batch of "
            f"right-hand sides. Use {name}(..., b[..., None]).squeeze(-1) to avoid this warning.",
            category=FutureWarning,
            stacklevel=4,
        )
        single = True
    return sides[..., None] if single else sides, single


def _solve(name: str, a: Any, b: Any, trans: int | str, lower: bool, unit_diagonal: bool) -> Value:
    if trans not in _OPERATIONS:
        raise ValueError(f"Invalid 'trans' value {trans}")
    matrix, sides = promote_dtypes(array_arguments(name, a, b), "inexact")
    sides, single = _as_columns(name, matrix, sides)
    batch = jnp.broadcast_shapes(matrix.shape[:-2], sides.shape[:-2])
    transpose_a, conjugate_a = _OPERATIONS[trans]
    x = linalg.triangular_solve(
        jnp.broadcast_to(matrix, (*batch, *matrix.shape[-2:])),
        jnp.broadcast_to(sides, (*batch, *sides.shape[-2:])),
        left_side=True,
        lower=lower,
        transpose_a=transpose_a,
        conjugate_a=conjugate_a,
        unit_diagonal=unit_diagonal,
    )
    return x[..., 0] if single else x


@library
def eigh(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """Eigenvalues and eigenvectors of Hermitian matrices.

    Args:
      a: (..., n, n); (a + a^H) / 2 is decomposed.
      b, eigvals: None. type: 1.
      eigvals_only: without eigenvectors.
      lower, overwrite_a, overwrite_b, turbo, check_finite: without effect, as in JAX.

    Returns:
      Eigenvalues (..., n), real, ascending; with them eigenvectors (..., n, n), the columns, unless `eigvals_only`.

    Raises:
      NotImplementedError: a `b`, another `type`, some `eigvals`.

    Example:
      >>> w, v = jax.scipy.linalg.eigh(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
      >>> w.round(4)
      Array([2.4384, 6.5616], dtype=float32)
    """
    del overwrite_a, overwrite_b, turbo, check_finite
    if b is not None or type != 1 or eigvals is not None:
        raise NotImplementedError("eigh is there for b=None, type=1 and eigvals=None only")
    (value,) = promote_dtypes(array_arguments("eigh", a), "inexact")
    v, w = linalg.eigh(value, lower=lower)
    return w if eigvals_only else (w, v)


# ---- by factors L U ----------------------------------------------------------------------------------------------


@library
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Value:
    """Determinants of matrices (..., n, n), as of `jnp.linalg.det`; the flags have no effect, as in JAX.

    Args:
      a: (..., n, n).
      overwrite_a, check_finite: without effect, as in JAX.

    Example:
      >>> jax.scipy.linalg.det(jnp.array([[4.0, 2.0], [2.0, 5.0]])).round(4)
      Array(16., dtype=float32)
    """
    del overwrite_a, check_finite
    return jnp.linalg.det(a)


@library
def inv(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Value:
    """Inverses of matrices (..., n, n), as of `jnp.linalg.inv`; the flags have no effect, as in JAX.

    Args:
      a: (..., n, n).
      overwrite_a, check_finite: without effect, as in JAX.

    Example:
      >>> jax.scipy.linalg.inv(jnp.array([[4.0, 2.0], [2.0, 5.0]])).round(4)
      Array([[ 0.3125, -0.125 ],
             [-0.125 ,  0.25  ]], dtype=float32)
    """
    del overwrite_a, check_finite
    return jnp.linalg.inv(a)


@library(operands=("a",), promotion="inexact")
def lu(a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Value, ...]:
    """Factors of a matrix a = P L U, where P exchanges rows.

    Args:
      a: (m, n).
      permute_l: return P L and U.
      overwrite_a, check_finite: without effect, as in JAX.

    Returns:
      (P, L, U) of shapes (m, m), (m, k) and (k, n), where k = min(m, n); P is real.

    Raises:
      ValueError: other than two dimensions. TypeError: half precision.

    Example:
      >>> p, l, u = jax.scipy.linalg.lu(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
      >>> p, l, u
      (Array([[0., 1.],
             [1., 0.]], dtype=float32), Array([[1.  , 0.  ],
             [0.25, 1.  ]], dtype=float32), Array([[4., 4.],
             [0., 1.]], dtype=float32))
    """
    del overwrite_a, check_finite
    if a.ndim != 2:
        raise ValueError(f"lu takes one matrix, got an array of {a.ndim} dimensions")
    factors, _, permutation = linalg.lu(a)
    m, n = a.shape
    k = min(m, n)
    p = convert(permutation[None, :] == jnp.arange(m, dtype=permutation.dtype)[:, None], jnp.real(a).dtype)
    lower = jnp.tril(factors, -1)[:, :k] + jnp.eye(m, k, dtype=a.dtype)
    upper = jnp.triu(factors)[:k, :]
    return (jnp.matmul(p, lower, precision="highest"), upper) if permute_l else (p, lower, upper)


@library(operands=("a",), promotion="inexact")
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Value, Value]:
    """Factors of matrices for `lu_solve`; see `jax.lax.linalg.lu`.

    Args:
      a: (..., m, n).
      overwrite_a, check_finite: without effect, as in JAX.

    Returns:
      (factors, pivots): L and U in one (..., m, n), int32 (..., min(m, n)).

    Example:
      >>> jax.scipy.linalg.lu_factor(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
      (Array([[4.  , 4.  ],
             [0.25, 1.  ]], dtype=float32), Array([1, 1], dtype=int32))
    """
    del overwrite_a, check_finite
    factors, pivots, _ = linalg.lu(a)
    return factors, pivots


@library
def lu_solve(lu_and_piv: Any, b: Any, trans: int = 0, overwrite_b: bool = False, check_finite: bool = True) -> Value:
    """x of op(a) x = b, given the factors of a.

    Args:
      lu_and_piv: what `lu_factor(a)` gives; a is (..., n, n).
      b: (n,) or (..., n, m).
      trans: op: 0 for a, 1 for its transpose, 2 for its conjugate transpose.
      overwrite_b, check_finite: without effect, as in JAX.

    Returns:
      An array of the shape of b, with the batch dimensions of both.

    Raises:
      ValueError: shapes do not fit; another `trans`.

    Example:
      >>> factors = jax.scipy.linalg.lu_factor(jnp.array([[1.0, 2.0], [4.0, 4.0]]))
      >>> jax.scipy.linalg.lu_solve(factors, jnp.array([5.0, 12.0])).round(4)
      Array([1., 2.], dtype=float32)
    """
    del overwrite_b, check_finite
    (factors, sides), pivots = promote_dtypes(array_arguments("lu_solve", lu_and_piv[0], b), "inexact"), lu_and_piv[1]
    if trans not in (0, 1, 2):
        raise ValueError(f"'trans' value must be 0, 1, or 2, got {trans}")
    if factors.ndim < 2 or factors.shape[-1] != factors.shape[-2]:
        raise ValueError(f"lu_solve takes factors of square matrices, got shape {factors.shape}")
    n = factors.shape[-1]
    permutation = linalg.lu_pivots_to_permutation(pivots, n)
    sides, single = _as_columns("lu_solve", factors, sides)
    if sides.ndim < 2 or sides.shape[-2] != n:
        raise ValueError(f"lu_solve takes right-hand sides (n,) or (..., n, m) for n = {n}, got shape {b.shape}")
    batch = jnp.broadcast_shapes(factors.shape[:-2], permutation.shape[:-1], sides.shape[:-2])
    x = linalg.solve_by_factors(
        jnp.broadcast_to(factors, (*batch, n, n)),
        jnp.broadcast_to(permutation, (*batch, n)),
        jnp.broadcast_to(sides, (*batch, *sides.shape[-2:])),
        ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT")[trans],
    )
    return x[..., 0] if single else x


@library
def solve(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Value:
    """x of a x = b.

    Args:
      a: (..., n, n).
      b: (n,) or (..., n, m).
      lower: with "pos", which triangle of a is read.
      overwrite_a, overwrite_b, debug, check_finite: without effect, as in JAX.
      assume_a: what a is: "gen", "sym", "her", or "pos", Hermitian positive definite, which is solved by `cholesky`.

    Returns:
      An array of the shape of b, with the batch dimensions of both.

    Raises:
      ValueError: shapes do not fit; another `assume_a`.

    Example:
      >>> jax.scipy.linalg.solve(jnp.array([[4.0, 2.0], [2.0, 5.0]]), jnp.array([6.0, 7.0]), assume_a="pos").round(4)
      Array([1., 1.], dtype=float32)
    """
    del overwrite_a, overwrite_b, debug, check_finite
    known = ("gen", "sym", "her", "pos")
    if assume_a not in known:
        raise ValueError(f"Expected assume_a to be one of {known}; got {assume_a!r}")
    if assume_a != "pos":
        return jnp.linalg.solve(a, b)
    matrix, sides = promote_dtypes(array_arguments("solve", a, b), "inexact")
    n = matrix.ndim
    if (
        n < 2
        or not matrix.shape[-1] == matrix.shape[-2] == (*sides.shape, *[None] * n)[n - 2]
        or sides.ndim not in (n, n - 1)
    ):
        raise ValueError(f"solve takes (..., n, n) and (..., n) or (..., n, m), got {matrix.shape} and {sides.shape}")
    single = sides.ndim == n - 1
    factor = cholesky(lax.stop_gradient(matrix), lower)
    x = _solve_positive(matrix, factor, sides[..., None] if single else sides, bool(lower))
    return x[..., 0] if single else x


@functools.partial(custom_jvp, nondiff_argnums=(3,))
def _solve_positive(a: Any, factor: Any, b: Any, lower: bool) -> Value:
    return cho_solve((factor, lower), b)


@_solve_positive.defjvp
def _solve_positive_jvp(lower: bool, primals: tuple, tangents: tuple) -> tuple:
    """a dx = db - da x, whatever da; the factor moves as a does and is not looked at."""
    a, factor, b = primals
    x = _solve_positive(a, factor, b, lower)
    moved = tangents[2] - jnp.matmul(tangents[0], x, precision="highest")
    return x, _solve_positive(a, factor, moved, lower)


@library
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """Singular values and vectors of matrices, a = u diag(s) vh.

    Args:
      a: (..., m, n).
      full_matrices: square u and vh; otherwise (..., m, k) and (..., k, n) with k = min(m, n).
      compute_uv: (u, s, vh); otherwise s alone.
      overwrite_a, check_finite, lapack_driver: without effect, as in JAX.

    Returns:
      s (..., k), real, descending, and vectors; NaN for a matrix with an element that is not finite.

    Example:
      >>> jax.scipy.linalg.svd(jnp.array([[3.0, 0.0], [0.0, 4.0]]), compute_uv=False)
      Array([4., 3.], dtype=float32)
    """
    del overwrite_a, check_finite, lapack_driver
    (value,) = promote_dtypes(array_arguments("svd", a), "inexact")
    return linalg.svd(value, full_matrices=full_matrices, compute_uv=compute_uv)


@library
def polar(
    a: Any, side: str = "right", *, method: str = "qdwh", eps: float | None = None, max_iterations: int | None = None
) -> tuple[Value, Value]:
    """The factors of a = u p, or a = p u: u has orthogonal rows or columns of length 1, p is Hermitian and has no negative
    eigenvalue.

    Args:
      a: (..., m, n).
      side: of p: "right" or "left".
      method: "svd" or "qdwh", both by singular values here. The latter takes no more columns than rows with p on the right,
        more columns than rows with p on the left.
      eps, max_iterations: without effect.

    Returns:
      u, (..., m, n); p, (..., n, n) on the right, (..., m, m) on the left.

    Raises:
      ValueError: no matrices; another side or method. NotImplementedError: shapes that "qdwh" does not take.

    Example:
      >>> u, p = jax.scipy.linalg.polar(jnp.array([[0.0, -2.0], [3.0, 0.0]]))
      >>> u.round(4) + 0.0, p.round(4) + 0.0
      (Array([[ 0., -1.],
             [ 1.,  0.]], dtype=float32), Array([[3., 0.],
             [0., 2.]], dtype=float32))
    """
    del eps, max_iterations
    (value,) = promote_dtypes(array_arguments("polar", a), "inexact")
    if value.ndim < 2:
        raise ValueError("The input `a` must be at least a 2-D array.")
    if side not in ("right", "left"):
        raise ValueError("The argument `side` must be either 'right' or 'left'.")
    if method not in ("qdwh", "svd"):
        raise ValueError(f"Unknown polar decomposition method {method}.")
    m, n = value.shape[-2:]
    if method == "qdwh" and (m >= n) != (side == "right"):
        raise NotImplementedError(f"method='qdwh' takes no matrices of shape {(m, n)} with side={side!r}; 'svd' does")
    u, s, vh = linalg.svd(value, full_matrices=False)
    half = linalg.adjoint(vh) if side == "right" else u
    positive = jnp.matmul(half * convert(s, half.dtype)[..., None, :], linalg.adjoint(half), precision="highest")
    return jnp.matmul(u, vh, precision="highest"), positive


@library
def qr(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> tuple[Value, ...]:
    """Factors of matrices a = Q R, where Q is unitary and R upper triangular.

    Args:
      a: (..., m, n).
      mode: "full": Q is (..., m, m) and R (..., m, n); "economic": (..., m, k) and (..., k, n) for k = min(m, n); "r": (R,).
      pivoting: a[..., order] = Q R, where the diagonal of R descends in magnitude; the order is the last result.
      overwrite_a, lwork, check_finite: without effect, as in JAX.

    Raises:
      ValueError: another mode. TypeError: half precision.

    Example:
      >>> q, r = jax.scipy.linalg.qr(jnp.array([[3.0, 1.0], [4.0, 2.0]]))
      >>> r.round(4)
      Array([[-5. , -2.2],
             [ 0. ,  0.4]], dtype=float32)
    """
    del overwrite_a, lwork, check_finite
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"Unsupported QR decomposition mode '{mode}'")
    (x,) = promote_dtypes(array_arguments("qr", a), "inexact")
    q, r, *order = linalg.qr(x, pivoting=pivoting, full_matrices=mode != "economic")
    return (r, *order) if mode == "r" else (q, r, *order)
