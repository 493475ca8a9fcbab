"""Eigenvalues and singular values of matrices, and what is made of them."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.dtypes import finfo, to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    filled,
    kind,
    known_values,
    promote_dtypes,
    truth,
)
from sable.lax import linalg as lax_linalg
from sable.library.declare import library

from . import reductions
from .arrays import asarray
from .indexing.selection import take_along_axis
from .ordering import argsort, sort
from .products import matmul as _matmul
from .rearrangement import flip
from .ufuncs import multiply
from .ufuncs_logic import greater, greater_equal, less, logical_and, where


class EighResult(NamedTuple):
    """What `eigh` gives."""

    eigenvalues: Any
    eigenvectors: Any


def _inexact(name: str, x: Any) -> Value:
    value = array_argument(name, x)
    return convert(value, to_inexact_dtype(value.aval.dtype), value.aval.weak_type)


@library
def eigh(a: Any, UPLO: str | None = None, symmetrize_input: bool = True) -> EighResult:
    """Eigenvalues and eigenvectors of Hermitian matrices.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.
      UPLO: the triangle that is read without `symmetrize_input`: "L" (the default) or "U".
      symmetrize_input: decompose (a + a^H) / 2.

    Returns:
      `eigenvalues` (..., n), real, ascending, and `eigenvectors` (..., n, n), the columns; NaN for a matrix with an element
      that is not finite.

    Raises:
      ValueError: another `UPLO`; without `symmetrize_input`, the matrices are not square.
      TypeError: half precision, or the matrices are not square.

    Example:
      >>> w, v = jnp.linalg.eigh(jnp.array([[2.0, 1.0], [1.0, 2.0]]))
      >>> jnp.round(w, 3), jnp.round(jnp.abs(v), 3)  # signs of vectors are not determined
      (Array([1., 3.], dtype=float32), Array([[0.707, 0.707],
             [0.707, 0.707]], dtype=float32))
    """
    if UPLO not in (None, "L", "U"):
        raise ValueError(f"UPLO must be one of None, 'L', or 'U', got {UPLO}")
    v, w = lax_linalg.eigh(_inexact("jnp.linalg.eigh", a), lower=UPLO != "U", symmetrize_input=symmetrize_input)
    return EighResult(w, v)


@library
def eigvalsh(a: Any, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Value:
    """Eigenvalues of Hermitian matrices, ascending; arguments and errors as of `eigh`.

    Example:
      >>> jnp.round(jnp.linalg.eigvalsh(jnp.array([[2.0, 1.0], [1.0, 2.0]])), 3)
      Array([1., 3.], dtype=float32)
    """
    return eigh(a, UPLO, symmetrize_input).eigenvalues


class EigResult(NamedTuple):
    """What `eig` gives."""

    eigenvalues: Any
    eigenvectors: Any


@library
def eig(a: Any) -> EigResult:
    """Eigenvalues and eigenvectors of square matrices.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.

    Returns:
      `eigenvalues` (..., n), in no order, and `eigenvectors` (..., n, n), the columns, of length 1: complex; NaN for a matrix
      with an element that is not finite.

    Raises:
      TypeError: half precision, or no matrices. ValueError: they are not square.
      NotImplementedError: derivatives of eigenvectors, for which see `jax.lax.linalg.eig`.

    Example:
      >>> w, v = jnp.linalg.eig(jnp.array([[0.0, -1.0], [1.0, 0.0]]))  # a rotation
      >>> jnp.sort_complex(jnp.round(w, 3)), w.dtype == v.dtype
      (Array([0.-1.j, 0.+1.j], dtype=complex64), True)
    """
    return EigResult(*lax_linalg.eig(_inexact("jnp.linalg.eig", a), compute_left_eigenvectors=False))


@library
def eigvals(a: Any) -> Value:
    """Eigenvalues (..., n) of square matrices, complex, in no order; arguments and errors as of `eig`.

    Example:
      >>> jnp.sort_complex(jnp.round(jnp.linalg.eigvals(jnp.array([[2.0, 1.0], [0.0, 3.0]])), 3))
      Array([2.+0.j, 3.+0.j], dtype=complex64)
    """
    x = _inexact("jnp.linalg.eigvals", a)
    return lax_linalg.eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False)[0]


class SVDResult(NamedTuple):
    """What `svd` gives."""

    U: Any
    S: Any
    Vh: Any


@library
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Any:
    """Singular values and vectors of matrices, a = U diag(S) Vh.

    Args:
      a: (..., m, n); integers are converted to the default floating dtype.
      full_matrices: square U and Vh; otherwise (..., m, k) and (..., k, n) with k = min(m, n).
      compute_uv: (U, S, Vh); otherwise S alone.
      hermitian: the matrices are Hermitian: by `eigh`.
      subset_by_index: None or (0, k).

    Returns:
      S (..., k), real, descending, and vectors; NaN for a matrix with an element that is not finite.

    Raises:
      TypeError: half precision; no matrices, or none that are square with `hermitian`.
      NotImplementedError: another subset.

    Example:
      >>> u, s, vh = jnp.linalg.svd(jnp.array([[3.0, 0.0], [0.0, -2.0], [0.0, 0.0]]), full_matrices=False)
      >>> u.shape, jnp.round(s, 3), vh.shape
      ((3, 2), Array([3., 2.], dtype=float32), (2, 2))
    """
    x = _inexact("jnp.linalg.svd", a)
    if not hermitian:
        options = {"full_matrices": full_matrices, "compute_uv": compute_uv, "subset_by_index": subset_by_index}
        return SVDResult(*lax_linalg.svd(x, **options)) if compute_uv else lax_linalg.svd(x, **options)
    v, w = lax_linalg.eigh(x, subset_by_index=subset_by_index)
    s = BIND.abs(w)
    if not compute_uv:
        return flip(sort(s, axis=-1), -1)
    order = flip(argsort(s, axis=-1), -1)
    s, sign = take_along_axis(s, order, -1), take_along_axis(BIND.sign(w), order, -1)
    u = take_along_axis(v, order[..., None, :], -1)
    return SVDResult(u, s, lax_linalg.adjoint(multiply(u, sign[..., None, :])))


@library
def svdvals(x: Any, /) -> Value:
    """Singular values of matrices (..., m, n), descending; errors as of `svd`.

    Args:
      x: (..., m, n); integers are converted to the default floating dtype.

    Example:
      >>> jnp.round(jnp.linalg.svdvals(jnp.array([[3.0, 0.0], [0.0, -2.0]])), 3)
      Array([3., 2.], dtype=float32)
    """
    return svd(x, compute_uv=False)


@library
def pinv(a: Any, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Value:
    """Pseudo-inverses of matrices by their singular values.

    Args:
      a: (..., m, n); integers are converted to the default floating dtype.
      rtol: singular values up to this part of the largest count as zero, by default 10 max(m, n) times the dtype's epsilon;
        a number or (...).
      hermitian: the matrices are Hermitian.
      rcond: the same as `rtol`.

    Returns:
      (..., n, m), of the dtype of a.

    Raises:
      ValueError: both `rtol` and `rcond`.

    Example:
      >>> jnp.round(jnp.linalg.pinv(jnp.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])), 3)
      Array([[1. , 0. , 0. ],
             [0. , 0.5, 0. ]], dtype=float32)
    """
    if rcond is not None and rtol is not None:
        raise ValueError("pinv: only one of rtol and rcond may be specified.")
    x = _inexact("jnp.linalg.pinv", a)
    *batch, m, n = x.aval.shape
    if m == 0 or n == 0:
        return filled((*batch, n, m), x.aval.dtype, 0)
    if rtol is None:
        rtol = 10.0 * max(m, n) * float(finfo(x.aval.dtype).eps) if rcond is None else rcond
    return _pinv(x, rtol, hermitian)


@functools.partial(custom_jvp, nondiff_argnums=(1, 2))
def _pinv(x: Any, rtol: Any, hermitian: bool) -> Any:
    u, s, vh = svd(x, full_matrices=False, hermitian=hermitian)
    limit = array_argument("pinv", rtol)[..., None]
    limit = limit.reshape((1,) * (s.aval.ndim - limit.aval.ndim) + limit.aval.shape)
    least = multiply(convert(limit, s.aval.dtype, limit.aval.weak_type), s[..., 0:1])
    inverse = BIND.divide(BIND.full(s.aval, 1), where(greater(s, least), s, np.inf))
    return _product(lax_linalg.adjoint(vh), multiply(convert(inverse, u.aval.dtype)[..., None], lax_linalg.adjoint(u)))


@_pinv.defjvp
def _pinv_jvp(rtol: Any, hermitian: bool, primals: tuple, tangents: tuple) -> tuple:
    """dp = -p da p + p p^H da^H (1 - a p) + (1 - p a) da^H p^H p.

    G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose variables
    separate", SIAM J. Numer. Anal. 10 (1973), equation 4.12.
    """
    (a,), (t,) = primals, tangents
    p = _pinv(a, rtol, hermitian)
    if hermitian:
        a, t = (lax_linalg.hermitian_part("pinv", x) for x in (a, t))
    adjoint = lax_linalg.adjoint
    right = _product(_product(p, adjoint(p)), adjoint(t))
    left = _product(adjoint(t), _product(adjoint(p), p))
    right = right - _product(_product(right, a), p)
    left = left - _product(p, _product(a, left))
    return p, right + left - _product(_product(p, t), p)


def _product(x: Any, y: Any) -> Value:
    return _matmul(x, y, precision="highest")


@library
def matrix_rank(M: Any, rtol: Any = None, *, hermitian: bool = False, tol: Any = None) -> Value:
    """How many singular values of matrices are above a tolerance.

    Args:
      M: (..., m, n); of vectors and scalars, whether there is an element that is not zero.
      rtol, tol: the tolerance, of which one may be given: a number or (...). By default the largest singular value times
        max(m, n) times the dtype's epsilon.
      hermitian: the matrices are Hermitian.

    Returns:
      Integers (...).

    Raises:
      ValueError: both `rtol` and `tol`.

    Example:
      >>> jnp.linalg.matrix_rank(jnp.array([[1.0, 2.0], [2.0, 4.0]]))
      Array(1, dtype=int32)
    """
    if rtol is not None and tol is not None:
        raise ValueError("matrix_rank: only one of tol or rtol may be specified.")
    x = _inexact("jnp.linalg.matrix_rank", M)
    if x.aval.ndim < 2:
        return convert(reductions.any(truth(x)), np.dtype(np.int32))
    s = svd(x, full_matrices=False, compute_uv=False, hermitian=hermitian)
    least = tol if rtol is None else rtol
    if least is None:
        least = reductions.max(s, -1) * (max(x.aval.shape[-2:]) * float(finfo(s.aval.dtype).eps))
    return reductions.sum(greater(s, array_argument("matrix_rank", least)[..., None]), -1)


@library
def lstsq(a: Any, b: Any, rcond: Any = None, *, numpy_resid: bool = False) -> tuple[Value, Value, Value, Value]:
    """Least-squares solutions of a x = b, of all the shortest.

    Args:
      a: (m, n).
      b: (m,) or (m, k).
      rcond: singular values below this part of the largest count as zero; by default, as for negative numbers, max(m, n)
        times, or once, the dtype's epsilon.
      numpy_resid: no residuals unless n < m is the rank, as in NumPy; looks at the values.

    Returns:
      x, (n,) or (n, k); the sums of squares of b - a x, (k,); the rank of a; its singular values.

    Raises:
      ValueError: as many rows are not in both. TypeError: other numbers of dimensions.

    Example:
      >>> a = jnp.array([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])  # a line through three points
      >>> x, residuals, rank, s = jnp.linalg.lstsq(a, jnp.array([1.0, 3.0, 5.0]))
      >>> jnp.round(x, 3), rank
      (Array([1., 2.], dtype=float32), Array(2, dtype=int32))
    """
    x, y = promote_dtypes(array_arguments("jnp.linalg.lstsq", a, b), "inexact")
    if x.aval.shape[0] != y.aval.shape[0]:
        raise ValueError("Leading dimensions of input arrays must match")
    single = y.aval.ndim == 1
    y = y[:, None] if single else y
    for value, what in ((x, "two"), (y, "one or two")):
        if value.aval.ndim != 2:
            raise TypeError(f"{value.aval.ndim}-dimensional array given. Array must be {what}-dimensional")
    m, n = x.aval.shape
    if x.aval.size == 0:
        s, rank = filled((0,), x.aval.dtype, 0), asarray(0, dtype=int)
        made = filled((n, y.aval.shape[1]), x.aval.dtype, 0)
    else:
        made, rank, s = _shortest(x, y, rcond)
    if numpy_resid and (
        m <= n or int(known_values(rank, "numpy_resid=True of jnp.linalg.lstsq looks at the rank")) < n
    ):
        residuals = filled((0,), np.dtype(np.float32), 0)
    else:
        residuals = _sum_of_squares(y - _product(x, made))
    return (made[:, 0] if single else made), residuals, rank, s


def _shortest(a: Value, b: Value, rcond: Any) -> tuple[Value, Value, Value]:
    """Solution, rank, singular values."""
    eps = float(finfo(a.aval.dtype).eps)
    u, s, vh = svd(a, full_matrices=False)
    least = eps * max(a.aval.shape) if rcond is None else where(less(rcond, 0), eps, rcond)
    least = convert(array_argument("lstsq", least), s.aval.dtype, False)
    used = logical_and(greater(s, 0), greater_equal(s, multiply(least, s[0])))
    inverse = where(used, BIND.divide(BIND.full(s.aval, 1), where(used, s, 1)), 0)
    parts = multiply(convert(inverse, u.aval.dtype)[:, None], _product(lax_linalg.adjoint(u), b))
    return _product(lax_linalg.adjoint(vh), parts), reductions.sum(used), s


def _sum_of_squares(x: Value) -> Value:
    """Of the elements of columns."""
    parts = [x] if kind(x) != "c" else [BIND.real(x), BIND.imag(x)]
    sums = [reductions.sum(multiply(part, part), 0) for part in parts]
    return sums[0] if len(sums) == 1 else BIND.add(*sums)
