"""`jax.scipy.linalg`: factorisations and solutions of linear systems. Integers become the default floating dtype."""

from __future__ import annotations

import warnings
from typing import Any

import sable.numpy as jnp
from sable import _absent
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import array_arguments, promote_dtypes
from sable.lax import linalg
from sable.library.declare import library

_absent.explain(__name__)

__all__ = ["cho_factor", "cho_solve", "cholesky", "eigh", "solve_triangular"]

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
    """
    del overwrite_a, check_finite
    return BIND.cholesky(a, lower=bool(lower))


@library
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> tuple[Value, bool]:
    """`cholesky(a, lower)` and `lower`, for `cho_solve`."""
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
    """
    del overwrite_b, debug, check_finite
    return _solve("solve_triangular", a, b, trans, lower, unit_diagonal)


def _solve(name: str, a: Any, b: Any, trans: int | str, lower: bool, unit_diagonal: bool) -> Value:
    if trans not in _OPERATIONS:
        raise ValueError(f"Invalid 'trans' value {trans}")
    matrix, sides = promote_dtypes(array_arguments(name, a, b), "inexact")
    single = sides.ndim == 1
    if not single and matrix.ndim == sides.ndim + 1 and matrix.shape[-1] == sides.shape[-1]:
        warnings.warn(
            f"jax.scipy.linalg.{name}: one right-hand side for each of several matrices will be taken for a batch of "
            f"right-hand sides. Use {name}(..., b[..., None]).squeeze(-1) to avoid this warning.",
            category=FutureWarning,
            stacklevel=3,
        )
        single = True
    if single:
        sides = sides[..., None]
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
    """
    del overwrite_a, overwrite_b, turbo, check_finite
    if b is not None or type != 1 or eigvals is not None:
        raise NotImplementedError("eigh is there for b=None, type=1 and eigvals=None only")
    (value,) = promote_dtypes(array_arguments("eigh", a), "inexact")
    v, w = linalg.eigh(value, lower=lower)
    return w if eigvals_only else (w, v)
