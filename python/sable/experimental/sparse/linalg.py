"""Linear algebra with sparse matrices (the interface of `jax.experimental.sparse.linalg`)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import _absent, lax
from sable.core.array import AnyArray, Value
from sable.core.values import as_value

from ._matrices import CSR

__all__ = ["lobpcg_standard", "spsolve"]

_absent.explain(__name__)


def spsolve(
    data: AnyArray, indices: AnyArray, indptr: AnyArray, b: AnyArray, tol: float = 1e-6, reorder: int = 1
) -> Value:
    """The solution of a sparse linear system.

    The matrix is factored with its zeros, in n^2 numbers: for matrices whose zeros do not fit into memory there is
    `sable.scipy.sparse.linalg`.

    Args:
      data, indices, indptr: of a square CSR matrix of n rows.
      b: right-hand side of shape (n,).
      tol, reorder: without effect: for the factors of sparse matrices.

    Returns:
      Array of shape (n,), of the dtype of b.

    Raises:
      ValueError: arrays of other numbers of dimensions, of other lengths.

    Example:
      >>> import sable.numpy as jnp
      >>> spsolve(jnp.array([2.0, 4.0]), jnp.array([0, 1]), jnp.array([0, 1, 2]), jnp.ones(2))
      Array([0.5 , 0.25], dtype=float32)
    """
    values = [as_value(x) for x in (data, indices, indptr, b)]
    shapes = [x.aval.shape for x in values]
    if any(len(s) != 1 for s in shapes):
        raise ValueError(f"spsolve takes arrays of one dimension, got data, indices, indptr and b of shapes {shapes}")
    (n,) = shapes[3]
    if shapes[0] != shapes[1] or shapes[2] != (n + 1,):
        raise ValueError(f"spsolve: data, indices, indptr and b of shapes {shapes} are no square system")
    matrix = CSR((values[0], values[1], values[2]), shape=(n, n)).todense()
    return jnp.linalg.solve(matrix, values[3]).astype(values[3].aval.dtype)


class _State(NamedTuple):
    """Of LOBPCG: approximate eigenvalues and vectors, the directions of the last step, residuals' sizes, steps."""

    theta: Value
    x: Value
    p: Value
    unconverged: Value
    step: Value


def lobpcg_standard(
    A: AnyArray | Callable[[Value], Value], X: AnyArray, m: int = 100, tol: AnyArray | float | None = None
) -> tuple[Value, Value, Value]:
    """The largest eigenvalues of a symmetric matrix, by products with it alone (LOBPCG).

    Args:
      A: matrix of shape (n, n), or the function of its product with matrices of shape (n, k).
      X: where to begin: k independent vectors, as columns, shape (n, k), 5 k < n.
      m: the largest number of steps.
      tol: of residuals, beside the norms of A and of the eigenvalues; by default the dtype's precision.

    Returns:
      The k largest eigenvalues, from the largest; their vectors, shape (n, k); the number of steps.

    Raises:
      ValueError: shapes or dtypes that do not fit; too many vectors for the matrix.

    Source: Knyazev, Toward the Optimal Preconditioned Eigensolver (2001), without preconditioning; bases made orthonormal as in
      Duersch, Shao, Yang, Gu, A Robust and Efficient Implementation of LOBPCG (2018).

    Example:
      >>> import sable.numpy as jnp
      >>> values, vectors, steps = lobpcg_standard(jnp.diag(jnp.arange(1.0, 12.0)), jnp.ones((11, 1)))
      >>> print(values.round(3))
      [11.]
    """
    x = as_value(X)
    if x.aval.ndim != 2:
        raise ValueError(f"lobpcg_standard: X must have shape (n, k), got {x.aval.shape}")
    n, k = x.aval.shape
    if k * 5 >= n:
        raise ValueError(f"expected search dim * 5 < matrix dim (got {k * 5}, {n})")
    steps = operator.index(m)
    apply = _product(A)
    found = apply(x)
    if found.aval.shape != (n, k):
        raise ValueError(f"A must be ({n}, {n}) matrix A, got output {found.aval.shape}")
    if found.aval.dtype != x.aval.dtype or x.aval.dtype.kind != "f":
        raise ValueError(f"A, X must have same dtypes of floats (were {found.aval.dtype}, {x.aval.dtype})")
    eps = float(np.finfo(x.aval.dtype).eps)
    tol = eps if tol is None else tol
    theta, x, _ = _projected(apply, _orthonormal(x, k), k)
    start = _State(theta, x, jnp.zeros_like(x), jnp.asarray(k), jnp.zeros((), np.int32))

    def goes_on(s: _State) -> Value:
        return (s.step < steps) & (s.unconverged > 0)

    def step(s: _State) -> _State:
        residual = apply(s.x) - s.x * s.theta[None]
        basis = jnp.concatenate([s.x, s.p, _against(s.x, residual)], axis=1)
        basis = jnp.concatenate([s.x, _orthonormal(_against(s.x, basis[:, k:]), 2 * k, within=s.x)], axis=1)
        theta, x, weights = _projected(apply, basis, k)
        p = jnp.matmul(basis[:, k:], weights[k:], precision="highest")
        after = apply(x) - x * theta[None]
        # ||A v - theta v|| beside (||A|| + |theta|) ||v||, as of backward stable methods; ||A|| is about the largest of theta
        size = jnp.linalg.norm(after, axis=0)
        scale = (jnp.max(jnp.abs(theta)) + jnp.abs(theta)) * 10.0 * n * tol
        return _State(theta, x, p, jnp.sum(size > scale), s.step + 1)

    last = lax.while_loop(goes_on, step, start)
    return last.theta, last.x, last.step


def _product(A: Any) -> Callable[[Value], Value]:
    if callable(A):
        return lambda v: as_value(A(v))
    matrix = as_value(A)
    if matrix.aval.ndim != 2:
        raise ValueError(
            f"lobpcg_standard: A must be a matrix or a function, got an array of shape {matrix.aval.shape}"
        )
    return lambda v: jnp.matmul(matrix, v, precision="highest")


def _against(x: Value, v: Value) -> Value:
    """Vectors without their parts in the span of x, whose columns are orthonormal; twice, since once leaves rounding errors."""
    for _ in range(2):
        v = v - jnp.matmul(x, jnp.matmul(x.T, v, precision="highest"), precision="highest")
    return v


def _orthonormal(v: Value, k: int, within: Value | None = None) -> Value:
    """An orthonormal basis of the span of v; zeros in the place of directions that are not there.

    By eigenvectors of the Gram matrix of the normed columns: V^T V = Q D Q^T, then V Q D^-1/2 is orthonormal.
    """
    eps = float(np.finfo(v.aval.dtype).eps)
    for _ in range(2):
        norm = jnp.linalg.norm(v, axis=0)
        v = v / jnp.where(norm > 0, norm, 1)[None]
        gram = jnp.matmul(v.T, v, precision="highest")
        d, q = jnp.linalg.eigh(gram, symmetrize_input=False)
        there = d > jnp.max(d) * eps * k
        v = jnp.matmul(v, q, precision="highest") * jnp.where(there, lax.rsqrt(jnp.where(there, d, 1)), 0)[None]
        if within is not None:
            v = _against(within, v)
    return v


def _projected(apply: Callable[[Value], Value], basis: Value, k: int) -> tuple[Value, Value, Value]:
    """Rayleigh-Ritz: the k largest eigenvalues of A in the span of a basis, their vectors, and these by the basis.

    Columns of zeros, of which a basis may have some, must not be taken for eigenvectors to the value 0: they get the lowest.
    """
    small = jnp.matmul(basis.T, apply(basis), precision="highest")
    size = jnp.linalg.norm(basis, axis=0)
    bound = 2 * jnp.max(jnp.sum(jnp.abs(small), axis=1)) + 1
    small = small - jnp.diag(jnp.where(size > 0.5, 0, bound).astype(small.dtype))
    values, vectors = jnp.linalg.eigh(small, symmetrize_input=False)
    weights = vectors[:, ::-1][:, :k]
    return values[::-1][:k], jnp.matmul(basis, weights, precision="highest"), weights
