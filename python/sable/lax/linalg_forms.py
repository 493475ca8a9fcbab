"""Simpler forms of square matrices, systems of three diagonals, products with reflections, updates: parts of `jax.lax.linalg`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import convert, value_of, values_of
from sable.dialects.ops.linear_algebra import matrix_transpose, triangle
from sable.ir.aval import bfloat16
from sable.library.declare import library


@library
def hessenberg(a: Any) -> list[Value]:
    """Hessenberg's form of square matrices, q^H a q: zero below the diagonal beside the main one.

    Args:
      a: (..., n, n), f32, f64, c64 or c128.

    Returns:
      [packed, taus]: the form, below which the vectors of Householder reflections stand in the shape of a; their factors,
      (..., n - 1). `householder_product(packed[..., 1:, :-1], taus)` is q without its first row and column.

    Raises:
      TypeError: another dtype, or less than two dimensions. ValueError: the matrices are empty or not square.
      NotImplementedError: derivatives.

    Example:
      >>> packed, taus = jax.lax.linalg.hessenberg(jnp.array([[4.0, 1.0, 2.0], [1.0, 3.0, 0.0], [2.0, 0.0, 5.0]]))
      >>> jnp.triu(packed, -1).shape, taus.shape
      ((3, 3), (2,))
    """
    return list(BIND.hessenberg(value_of(a, "hessenberg")))


@library
def tridiagonal(a: Any, *, lower: bool = True) -> list[Value]:
    """The tridiagonal form of Hermitian matrices, q^H a q.

    Args:
      a: (..., n, n), f32, f64, c64 or c128.
      lower: which triangle is read.

    Returns:
      [packed, d, e, taus]: the form and the vectors of reflections in that triangle, the other one as it was; the diagonal
      (..., n) and that beside it (..., n - 1), both real; the reflections' factors, (..., n - 1).

    Raises:
      TypeError: another dtype, or less than two dimensions. ValueError: the matrices are empty or not square.
      NotImplementedError: derivatives.

    Example:
      >>> _, d, e, _ = jax.lax.linalg.tridiagonal(jnp.array([[4.0, 1.0, 2.0], [1.0, 3.0, 0.0], [2.0, 0.0, 5.0]]))
      >>> jnp.sum(d).round(4), d.shape, e.shape
      (Array(12., dtype=float32), (3,), (2,))
    """
    return list(BIND.tridiagonal(value_of(a, "tridiagonal"), lower=bool(lower)))


@library
def schur(
    x: Any,
    *,
    compute_schur_vectors: bool = True,
    sort_eig_vals: bool = False,
    select_callable: Callable[..., Any] | None = None,
) -> list[Value]:
    """Schur's form of square matrices, x = z t z^H.

    Args:
      x: (..., n, n), f32, f64, c64 or c128.
      compute_schur_vectors: give z.
      sort_eig_vals: must be False. select_callable: without effect, as in JAX.

    Returns:
      [t, z], or [t], of the shape and dtype of x: z is unitary, t upper triangular; of real matrices t has blocks (2, 2) on the
      diagonal for eigenvalues that are not. NaN for a matrix with an element that is not finite.

    Raises:
      TypeError: another dtype, or less than two dimensions. ValueError: the matrices are not square.
      NotImplementedError: eigenvalues are to be sorted; derivatives.

    Example:
      >>> t, z = jax.lax.linalg.schur(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
      >>> jnp.diag(t).round(4), jnp.abs(z @ t @ z.T - jnp.array([[1.0, 2.0], [3.0, 4.0]])).max() < 1e-5
      (Array([-0.3723,  5.3723], dtype=float32), Array(True, dtype=bool))
    """
    del select_callable
    value = value_of(x, "schur")
    made = list(BIND.schur(value, compute_schur_vectors=bool(compute_schur_vectors)))
    if sort_eig_vals:
        raise NotImplementedError("schur gives eigenvalues in the order in which they are found: sort_eig_vals=False")
    return made


@library
def tridiagonal_solve(dl: Any, d: Any, du: Any, b: Any, *, perturb_singular: bool = False) -> Value:
    """x of a x = b for matrices of three diagonals, by elimination with exchanges of neighbouring rows.

    Args:
      dl, d, du: (..., n): a[i, i - 1], a[i, i] and a[i, i + 1]; dl[0] and du[n - 1] are not read.
      b: (..., n, m), of the same dtype: f32, f64, c64 or c128.
      perturb_singular: change singular matrices by rounding errors, so that x is finite.

    Returns:
      An array of the shape and dtype of b; NaN for a singular matrix.

    Raises:
      TypeError: shapes or dtypes do not fit.

    >>> lax.linalg.tridiagonal_solve(*(jnp.array(x) for x in ([0., 1.], [2., 2.], [1., 0.], [[3.], [3.]])))
    Array([[1.],
           [1.]], dtype=float32)
    """
    values = values_of("tridiagonal_solve", dl, d, du, b)
    return BIND.tridiagonal_solve(*values, perturb_singular=bool(perturb_singular))


@library
def ormqr(a: Any, taus: Any, c: Any, *, left: bool = True, transpose: bool = False) -> Value:
    """Products with the unitary q of reflections, which is not made for them: q c, q^H c, c q or c q^H.

    Args:
      a: (..., m, n): the reflections' vectors stand below the diagonal, and begin with 1 on it.
      taus: (..., k), k <= m and n, of a's dtype.
      c: (..., m, p) with `left`, else (..., p, m).
      left: q stands on the left. transpose: it is q^H.

    Returns:
      An array of the shape of c.

    Raises:
      TypeError: dtypes or batch dimensions do not fit. ValueError: other shapes. NotImplementedError: derivatives.

    Example:
      >>> taus = jnp.array([2.0])
      >>> jax.lax.linalg.ormqr(jnp.array([[1.0], [0.0]]), taus, jnp.eye(2))
      Array([[-1.,  0.],
             [ 0.,  1.]], dtype=float32)
    """
    return BIND.ormqr(*values_of("ormqr", a, taus, c), left=bool(left), transpose=bool(transpose))


@library
def cholesky_update(r_matrix: Any, w_vector: Any) -> Value:
    """The upper triangular factor of r^T r + w w^T, in the time of a product with a vector.

    Args:
      r_matrix: r, (n, n), upper triangular, f32 or f64.
      w_vector: w, (n,).

    Returns:
      (n, n).

    Raises:
      TypeError: another dtype or other numbers of dimensions. ValueError: sizes do not fit.
      NotImplementedError: derivatives.

    >>> lax.linalg.cholesky_update(jnp.array([[3.]]), jnp.array([4.]))
    Array([[5.]], dtype=float32)
    """
    r, w = values_of("cholesky_update", r_matrix, w_vector)
    for i, (x, rank) in enumerate(((r, 2), (w, 1))):
        if x.aval.ndim != rank:
            raise TypeError(
                f"Input {i} to cholesky_update must have a rank of exactly {rank}, but got shape={x.aval.shape}"
            )
    return _in_single(BIND.cholesky_update, r, w)


@library
def symmetric_product(
    a_matrix: Any, c_matrix: Any, *, alpha: float = 1.0, beta: float = 0.0, symmetrize_output: bool = False
) -> Value:
    """alpha a a^T + beta c.

    Args:
      a_matrix: (..., m, n), f32 or f64.
      c_matrix: (..., m, m), symmetric.
      alpha, beta: numbers.
      symmetrize_output: mirror the lower triangle.

    Returns:
      (..., m, m).

    Raises:
      TypeError: another dtype. ValueError: shapes do not fit. NotImplementedError: derivatives.

    >>> lax.linalg.symmetric_product(jnp.array([[1.], [2.]]), jnp.eye(2), beta=0.5)
    Array([[1.5, 2. ],
           [2. , 4.5]], dtype=float32)
    """
    a, c = values_of("symmetric_product", a_matrix, c_matrix)
    product = functools.partial(BIND.symmetric_product, alpha=float(alpha), beta=float(beta))
    made = _in_single(product, a, c)
    if not symmetrize_output:
        return made
    return BIND.add(triangle(BIND, made, True), matrix_transpose(BIND, triangle(BIND, made, True, strict=True)))


def _in_single(function: Callable, x: Value, y: Value) -> Value:
    """A function of two arrays of half precision is computed in f32, as by XLA."""
    half = x.aval.dtype
    if half != y.aval.dtype or half not in (np.float16, bfloat16):
        return function(x, y)
    return convert(function(*(convert(v, np.dtype(np.float32)) for v in (x, y))), half)


def pivoted_reflections(a: Value) -> tuple[Value, Value, Value]:
    """R with the reflections below it, the order of the columns, the reflections' factors: of a stack of matrices."""
    return BIND.geqp3(a)


def reflections(a: Value) -> tuple[Value, Value]:
    """R with the reflections below it, and their factors: of a stack of matrices."""
    return BIND.geqrf(a)
