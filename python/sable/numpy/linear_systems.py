"""Solutions of linear systems, inverses and determinants, all by factors L U."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    kind,
    known_integer,
    promote_dtypes,
    reshape_to,
)
from sable.lax import linalg as lax_linalg
from sable.library.declare import library

from . import reductions
from .cumulative import cumprod
from .joining import concatenate
from .manipulation import broadcast_shapes, broadcast_to, moveaxis
from .matrices import diagonal, eye
from .products import matmul, trace
from .ufuncs import absolute
from .ufuncs import sign as sign_of
from .ufuncs_float import exp, log
from .ufuncs_logic import where


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Any
    logabsdet: Any


def _check_square(name: str, x: Value) -> None:
    shape = x.aval.shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(f"{name} takes arrays of shape (..., n, n), got shape {shape}")


# ---- solutions ---------------------------------------------------------------------------------------------------


@library
def solve(a: Any, b: Any) -> Value:
    """x of a x = b.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.
      b: (n,) or (..., n, m).

    Returns:
      (..., n) for one right-hand side, else (..., n, m), with the batch dimensions of both; infinite or NaN where a matrix
      has no inverse.

    Raises:
      ValueError: shapes do not fit, or the matrices are not square.
      TypeError: half precision.

    Example:
      >>> a = jnp.array([[2.0, 0.0], [0.0, 4.0]])
      >>> jnp.linalg.solve(a, jnp.array([2.0, 8.0]))
      Array([1., 2.], dtype=float32)
      >>> jnp.linalg.solve(jnp.zeros((2, 2)), jnp.ones(2))  # singular: no error
      Array([nan, inf], dtype=float32)
    """
    matrix, sides = promote_dtypes(array_arguments("solve", a, b), "inexact")
    _check_square("solve", matrix)
    shape, n = sides.aval.shape, matrix.aval.shape[-1]
    single = len(shape) == 1
    if len(shape) == 0 or shape[0 if single else -2] != n:
        raise ValueError(f"solve takes right-hand sides (n,) or (..., n, m) for n = {n}, got shape {shape}")
    if single:
        sides = reshape_to(sides, (n, 1))
    batch = broadcast_shapes(matrix.aval.shape[:-2], sides.aval.shape[:-2])
    x = lax_linalg.solve_by_lu(matrix, broadcast_to(sides, (*batch, *sides.aval.shape[-2:])))
    return reshape_to(x, x.aval.shape[:-1]) if single else x


@library
def inv(a: Any) -> Value:
    """Inverses of matrices (..., n, n); infinite or NaN where there is none.

    Raises:
      ValueError: the matrices are not square. TypeError: half precision.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.

    Example:
      >>> jnp.linalg.inv(jnp.array([[2, 0], [0, 4]]))
      Array([[0.5 , 0.  ],
             [0.  , 0.25]], dtype=float32)
    """
    x = array_argument("inv", a)
    _check_square("inv", x)
    return solve(x, broadcast_to(eye(x.aval.shape[-1], dtype=x.aval.dtype), x.aval.shape))


@library
def tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Value:
    """x of tensordot(a, x, x.ndim) = b.

    Args:
      a: its leading dimensions are those of b, the others those of the result; there are as many elements of both.
      b: an array.
      axes: dimensions of a that are moved to its end first.

    Raises:
      ValueError: other shapes.

    Example:
      >>> a = 2 * jnp.eye(4).reshape(2, 2, 2, 2)
      >>> jnp.linalg.tensorsolve(a, jnp.ones((2, 2)))
      Array([[0.5, 0.5],
             [0.5, 0.5]], dtype=float32)
    """
    x, y = array_arguments("tensorsolve", a, b)
    if axes is not None:
        x = moveaxis(x, axes, range(-len(axes), 0))
    leading, out = x.aval.shape[: y.aval.ndim], x.aval.shape[y.aval.ndim :]
    if leading != y.aval.shape or math.prod(out) != y.aval.size:
        raise ValueError(
            f"tensorsolve takes an array whose leading dimensions are {y.aval.shape}, with as many elements in the others, "
            f"got shape {x.aval.shape}"
        )
    size = y.aval.size
    return reshape_to(solve(reshape_to(x, (size, size)), reshape_to(y, (size,))), out)


@library
def tensorinv(a: Any, ind: int = 2) -> Value:
    """The array of shape a.shape[ind:] + a.shape[:ind] that is the inverse of a for `tensordot` over `ind` axes.

    Raises:
      ValueError: ind is not positive; the first `ind` dimensions have not as many elements as the others.

    Example:
      >>> jnp.linalg.tensorinv(2 * jnp.eye(4).reshape(2, 2, 4)).shape
      (4, 2, 2)
    """
    x = array_argument("tensorinv", a)
    ind = operator.index(ind)
    if ind <= 0:
        raise ValueError(f"tensorinv takes a positive ind, got {ind}")
    rows, columns = x.aval.shape[:ind], x.aval.shape[ind:]
    if math.prod(rows) != math.prod(columns):
        raise ValueError(f"tensorinv takes as many elements before dimension {ind} as behind, got shape {x.aval.shape}")
    inverse = inv(reshape_to(x, (math.prod(rows), math.prod(columns))))
    return reshape_to(inverse, (*columns, *rows))


# ---- determinants ------------------------------------------------------------------------------------------------


@library(operands=("a",), promotion="inexact")
def det(a: Any) -> Value:
    """Determinants of matrices (..., n, n); the derivative holds for singular matrices, too.

    Raises:
      ValueError: the matrices are not square. TypeError: half precision beyond n = 3.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.

    Example:
      >>> jnp.linalg.det(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
      Array(-2., dtype=float32)
    """
    _check_square("det", a)
    n = a.aval.shape[-1]
    if n == 2:
        return _det_2(a)
    if n == 3:
        return _det_3(a)
    return _det(a)


def _det_2(a: Value) -> Value:
    return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]


def _det_3(a: Value) -> Value:
    """By Sarrus' rule."""
    products = [a[..., 0, i] * a[..., 1, (i + s) % 3] * a[..., 2, (i + 2 * s) % 3] for s in (1, 2) for i in range(3)]
    return products[0] + products[1] + products[2] - products[3] - products[4] - products[5]


@custom_jvp
def _det(a: Value) -> Value:
    sign, logarithm = slogdet(a)
    return sign * convert(exp(logarithm), sign.aval.dtype)


@_det.defjvp
def _det_jvp(primals: tuple, tangents: tuple) -> tuple:
    """Jacobi's formula: d det a = tr(adj(a) da)."""
    determinant, moved = _times_adjugate(primals[0], tangents[0])
    return determinant, trace(moved, axis1=-1, axis2=-2)


def _times_adjugate(a: Value, x: Value) -> tuple[Value, Value]:
    """det a and adj(a) x = det(a) a^-1 x without a division by u, the last pivot: the others are not 0 if a has rank n - 1.

    With L U y = P x, where L z = P x: y_n = z_n / u, and the rows before solve U' y' = z' - y_n u'. Times det a = p u, where
    p is the product of the other pivots with P's sign, these are p z_n and U' y' = p u z' - p z_n u'. That is what a U with
    1 / p in place of u gives. Of matrices of less rank the adjugate is 0.
    """
    n = a.aval.shape[-1]
    if n == 1:
        return a[..., 0, 0], x
    factors, pivots, permutation = lax_linalg.lu(a)
    products = cumprod(diagonal(factors, axis1=-2, axis2=-1), axis=-1) * _permutation_sign(pivots, a)[..., None]
    determinant = products[..., -1]
    factors = factors.at[..., -1, -1].set(1 / products[..., -2])
    upper = {"left_side": True, "lower": False}
    of_ones = lax_linalg.triangular_solve(factors, BIND.full(a.aval.update(shape=a.aval.shape[:-1]), 1), **upper)
    less_rank = reductions.any(where(absolute(of_ones) < np.inf, False, True), axis=-1)[..., None, None]
    x = where(less_rank, 0, x)
    z = lax_linalg.triangular_solve(
        factors, lax_linalg.take_rows(x, permutation), left_side=True, lower=True, unit_diagonal=True
    )
    z = concatenate([z[..., :-1, :] * determinant[..., None, None], z[..., -1:, :]], axis=-2)
    return determinant, where(less_rank, 0, lax_linalg.triangular_solve(factors, z, **upper))


def _permutation_sign(pivots: Value, a: Value) -> Value:
    """1 or -1 in a's dtype: each exchange of two rows changes the sign."""
    return convert(1 - 2 * (_exchanges(pivots) % 2), a.aval.dtype)


def _exchanges(pivots: Value) -> Value:
    own = BIND.iota(shape=pivots.aval.shape, dtype=pivots.aval.dtype, iota_dimension=pivots.aval.ndim - 1)
    return reductions.count_nonzero(pivots != own, axis=-1)


@library
def slogdet(a: Any, *, method: str | None = None) -> SlogdetResult:
    """Sign and logarithm of the magnitude of determinants.

    Args:
      a: (..., n, n).
      method: "lu", the default, or "qr", for real matrices, whose sign of singular ones need not be 0.

    Returns:
      `sign` in a's dtype (of complex matrices a number of magnitude 1, 0 of singular ones) and the real `logabsdet`, -inf
      for singular matrices.

    Raises:
      ValueError: the matrices are not square; another method. TypeError: half precision beyond n = 2.
      NotImplementedError: "qr" of complex matrices.

    Example:
      >>> x = 1e20 * jnp.eye(4)
      >>> jnp.linalg.slogdet(x).sign, jnp.linalg.det(x)  # the determinant itself is no f32
      (Array(1., dtype=float32), Array(inf, dtype=float32))
    """
    (x,) = promote_dtypes(array_arguments("slogdet", a), "inexact")
    _check_square("slogdet", x)
    if method == "qr":
        return SlogdetResult(*_slogdet_qr(x))
    if method not in (None, "lu"):
        raise ValueError(f"Unknown slogdet method '{method}'. Supported methods are 'lu' (`None`), and 'qr'.")
    return SlogdetResult(*(_slogdet_small(x) if x.aval.shape[-1] in (1, 2) else _slogdet_lu(x)))


def _small_det(a: Value) -> Value:
    return a[..., 0, 0] if a.aval.shape[-1] == 1 else _det_2(a)


@custom_jvp
def _slogdet_small(a: Value) -> tuple[Value, Value]:
    determinant = _small_det(a)
    return sign_of(determinant), log(absolute(determinant))


@_slogdet_small.defjvp
def _slogdet_small_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d log det a = (d det a) / det a."""
    (a,), (t,) = primals, tangents
    if a.aval.shape[-1] == 1:
        moved = t[..., 0, 0]
    else:
        moved = t[..., 0, 0] * a[..., 1, 1] - t[..., 0, 1] * a[..., 1, 0]
        moved = moved - t[..., 1, 0] * a[..., 0, 1] + t[..., 1, 1] * a[..., 0, 0]
    return _with_tangents(_slogdet_small(a), moved / _small_det(a))


@custom_jvp
def _slogdet_lu(a: Value) -> tuple[Value, Value]:
    factors, pivots, _ = lax_linalg.lu(a)
    pivot = diagonal(factors, axis1=-2, axis2=-1)
    size = absolute(pivot)
    if kind(a) == "c":
        sign = reductions.prod(pivot / convert(size, pivot.aval.dtype), axis=-1) * _permutation_sign(pivots, a)
    else:
        changes = _exchanges(pivots) + reductions.count_nonzero(pivot < 0, axis=-1)
        sign = convert(1 - 2 * (changes % 2), a.aval.dtype)
    singular = reductions.any(pivot == 0, axis=-1)
    return where(singular, 0, sign), where(singular, -np.inf, reductions.sum(log(size), axis=-1))


@custom_jvp
def _slogdet_qr(a: Value) -> tuple[Value, Value]:
    """Each reflection changes the sign, unless it has nothing to do."""
    if kind(a) == "c":
        raise NotImplementedError("slogdet by the method 'qr' takes real matrices")
    packed, taus = BIND.geqrf(a)
    factors = diagonal(packed, axis1=-2, axis2=-1)
    turned = convert(where(taus != 0, -1, 1), a.aval.dtype)
    sign = reductions.prod(sign_of(factors) * turned, axis=-1)
    return sign, reductions.sum(log(absolute(factors)), axis=-1)


def _slogdet_jvp(function: Any) -> Any:
    """d log det a = tr(a^-1 da)."""

    def jvp(primals: tuple, tangents: tuple) -> tuple:
        (a,), (t,) = primals, tangents
        return _with_tangents(function(a), trace(solve(a, t), axis1=-1, axis2=-2))

    return jvp


for _function in (_slogdet_lu, _slogdet_qr):
    _function.defjvp(_slogdet_jvp(_function))


def _with_tangents(found: tuple[Value, Value], moved: Value) -> tuple:
    """Tangents of the sign and the logarithm from that of the logarithm of the determinant, whose imaginary part turns it."""
    sign, _ = found
    if kind(sign) != "c":
        return found, (BIND.full(sign.aval, 0), moved)
    real = BIND.real(moved)
    return found, (BIND.complex(BIND.full(real.aval, 0), BIND.imag(moved)) * sign, real)


# ---- powers ------------------------------------------------------------------------------------------------------


@library
def matrix_power(a: Any, n: int) -> Value:
    """Powers of square matrices (the last two axes) by repeated products; of their inverses where n is negative.

    Raises:
      TypeError: n is no int, or the matrices are not square.

    Args:
      a: (..., n, n).
      n: a known integer.

    Example:
      >>> a = jnp.array([[1, 1], [0, 1]])
      >>> jnp.linalg.matrix_power(a, 5), a**5
      (Array([[1, 5],
             [0, 1]], dtype=int32), Array([[1, 1],
             [0, 1]], dtype=int32))
    """
    x = array_argument("matrix_power", a)
    if x.aval.ndim < 2 or x.aval.shape[-1] != x.aval.shape[-2]:
        raise TypeError(f"Last 2 dimensions of the array must be square, got shape {x.aval.shape}")
    try:
        n = known_integer(n, "exponent argument of jnp.linalg.matrix_power")
    except TypeError as error:
        if type(error) is not TypeError:  # a traced one
            raise
        raise TypeError(f"exponent must be an integer, got {n}") from None
    if n == 0:
        return broadcast_to(eye(x.aval.shape[-1], dtype=x.aval.dtype), x.aval.shape)
    if n < 0:
        x, n = inv(x), -n
    made = None
    while n:
        if n & 1:
            made = x if made is None else matmul(made, x)
        n >>= 1
        if n:
            x = matmul(x, x)
    return made  # type: ignore[return-value]
