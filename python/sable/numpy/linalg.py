"""Linear algebra: factorisations, and what is made of other functions: norms, products, powers.

`out_sharding` of products is accepted and without effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sable import _absent
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    kind,
    normal_axis,
    promote_dtypes,
    reshape_to,
    truth,
)
from sable.core.values import retype
from sable.lax import linalg as lax_linalg
from sable.library.declare import library

from . import reductions
from .einsum import einsum
from .linear_systems import det, inv, matrix_power, slogdet, solve, tensorinv, tensorsolve
from .manipulation import expand_dims, matrix_transpose, moveaxis
from .matrices import diagonal as _diagonal
from .products import cross as _cross
from .products import matmul as _matmul
from .products import tensordot as _tensordot
from .products import trace as _trace
from .products import vecdot
from .spectral import eig, eigh, eigvals, eigvalsh, lstsq, matrix_rank, pinv, svd, svdvals
from .ufuncs import absolute, multiply, power
from .ufuncs_logic import isnan, logical_and, logical_not, where

_absent.explain(__name__)

__all__ = [
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]


@library
def cholesky(a: Any, *, upper: bool = False, symmetrize_input: bool = True) -> Value:
    """The factor L of Hermitian positive definite matrices a = L L^H, or U of a = U^H U.

    Args:
      a: (..., n, n); integers are converted to the default floating dtype.
      upper: U instead of L.
      symmetrize_input: factor (a + a^H) / 2; otherwise only the lower triangle is read.

    Returns:
      Triangular matrices of the shape of a; NaN in the triangle of a matrix that is not positive definite.

    Raises:
      TypeError: half precision, or the matrices are not square.
      ValueError: the same without `symmetrize_input`.

    Example:
      >>> jnp.linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
      Array([[2., 0.],
             [1., 2.]], dtype=float32)
      >>> jnp.linalg.cholesky(jnp.array([[1.0, 2.0], [2.0, 1.0]]))  # not positive definite: no error
      Array([[nan,  0.],
             [nan, nan]], dtype=float32)
    """
    x = array_argument("jnp.linalg.cholesky", a)
    x = convert(x, to_inexact_dtype(x.aval.dtype), x.aval.weak_type)
    factor = lax_linalg.cholesky(x, symmetrize_input=symmetrize_input)
    return lax_linalg.adjoint(factor) if upper else factor


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Any
    R: Any


@library
def qr(a: Any, mode: str = "reduced") -> Any:
    """Factors of matrices a = Q R, where Q is unitary and R upper triangular.

    Args:
      a: (..., m, n); integers are converted to the default floating dtype.
      mode: "reduced": Q has k = min(m, n) columns; "complete": m; "r": R alone; "raw": LAPACK's reflections.

    Returns:
      (Q, R) of shapes (..., m, k) and (..., k, n); with "r" only R; with "raw" (h, tau): (..., n, m), below whose diagonal,
      transposed, are the vectors of Householder reflections, and (..., min(m, n)).

    Raises:
      ValueError: another mode. TypeError: half precision, or less than two dimensions.

    Example:
      >>> q, r = jnp.linalg.qr(jnp.array([[3.0, 1.0], [4.0, 2.0], [0.0, 0.0]]))
      >>> q.shape, r.shape, jnp.allclose(q.T @ q, jnp.eye(2), atol=1e-6)
      ((3, 2), (2, 2), Array(True, dtype=bool))
    """
    (x,) = promote_dtypes(array_arguments("qr", a), "inexact")
    if mode == "raw":
        packed, taus = BIND.geqrf(x)
        return QRResult(matrix_transpose(packed), taus)
    if mode not in ("reduced", "r", "full", "complete"):
        raise ValueError(f"Unsupported QR decomposition mode '{mode}'")
    q, r = lax_linalg.qr(x, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def _squares(x: Value) -> Value:
    """|x|**2 without a root."""
    if kind(x) != "c":
        return BIND.multiply(x, x)
    re, im = BIND.real(x), BIND.imag(x)
    return BIND.add(BIND.multiply(re, re), BIND.multiply(im, im))


def _norm_of_vectors(x: Value, order: Any, axes: Any, keepdims: bool) -> Value:
    if order is None or order == 2:
        return BIND.sqrt(reductions.sum(_squares(x), axes, keepdims=keepdims))
    if order == np.inf:
        return reductions.max(absolute(x), axes, keepdims=keepdims, initial=0)
    if order == -np.inf:
        return reductions.min(absolute(x), axes, keepdims=keepdims, initial=np.inf)
    if order == 0:
        nonzero = convert(truth(x), reductions._real_of(x.aval.dtype))
        return reductions.sum(nonzero, axes, keepdims=keepdims)
    if order == 1:
        return reductions.sum(absolute(x), axes, keepdims=keepdims)
    if isinstance(order, str):
        raise ValueError(f"Invalid order '{order}' for vector norm.")
    total = reductions.sum(power(absolute(x), order), axes, keepdims=keepdims)
    return power(total, 1.0 / order)


def _norm_of_matrices(x: Value, order: Any, axes: tuple[int, int], keepdims: bool) -> Value:
    rows, columns = axes
    if order in (None, "f", "fro"):
        return BIND.sqrt(reductions.sum(_squares(x), axes, keepdims=keepdims))
    if order in (1, -1):
        sums = reductions.sum(absolute(x), rows, keepdims=True)
        choose = reductions.max if order == 1 else reductions.min
    elif order in (np.inf, -np.inf):
        sums = reductions.sum(absolute(x), columns, keepdims=True)
        choose = reductions.max if order == np.inf else reductions.min
    elif order in (2, -2, "nuc"):
        s = svdvals(moveaxis(x, axes, (-2, -1)))
        if order == 2:
            found = reductions.max(s, -1, initial=0)
        else:
            found = reductions.min(s, -1) if order == -2 else reductions.sum(s, -1)
        return expand_dims(found, axes) if keepdims else found
    else:
        raise ValueError(f"Invalid order '{order}' for matrix norm.")
    return reductions.squeezed(choose(sums, axes, keepdims=True), axes, keepdims)


@library
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Value:
    """Norm of vectors or matrices.

    Args:
      x: array.
      ord: of vectors a number p, inf, -inf or 0 (how many are not zero), by default 2; of matrices "fro" (the
        default), "nuc", 1, -1, 2, -2, inf or -inf.
      axis: the axis of the vectors or the two axes of the matrices; None: the whole array, as a vector if `ord` is
        None.
      keepdims: leave axes of size 1.

    Raises:
      ValueError: such an `ord` is not known; with it, an array of other than one or two dimensions.

    Example:
      >>> x = jnp.array([[3.0, 4.0], [0.0, 0.0]])
      >>> jnp.linalg.norm(x), jnp.linalg.norm(x, axis=0), jnp.linalg.norm(x, ord=1)
      (Array(5., dtype=float32), Array([3., 4.], dtype=float32), Array(4., dtype=float32))
    """
    (value,) = promote_dtypes(array_arguments("norm", x), "inexact")
    value = retype(value, False)
    n = value.aval.ndim
    if axis is None:
        if ord is None:
            return _norm_of_vectors(value, 2, tuple(range(n)), keepdims)
        if n not in (1, 2):
            raise ValueError(f"Improper number of axes for norm: {n} with ord={ord}")
        axes = tuple(range(n))
    else:
        axes = tuple(normal_axis(i, n) for i in (axis if isinstance(axis, Sequence) else (axis,)))
    if len(axes) == 1:
        return _norm_of_vectors(value, ord, axes, keepdims)
    if len(axes) == 2:
        return _norm_of_matrices(value, ord, axes, keepdims)
    raise ValueError(f"Improper number of axes for norm: {axes}")


@library
def cond(x: Any, p: Any = None) -> Value:
    """Condition numbers of matrices: how much larger they make some vectors than others.

    Args:
      x: (..., m, n), not empty.
      p: 2 or None: the quotient of the largest singular value and the smallest; -2: its inverse; another order of `norm`: the
        norm of square matrices times that of their inverses.

    Returns:
      Real numbers (...), infinite for singular matrices.

    Raises:
      ValueError: no matrices; empty ones; such an order for matrices that are not square.

    Example:
      >>> jnp.round(jnp.linalg.cond(jnp.array([[1.0, 0.0], [0.0, 100.0]])), 2)
      Array(100., dtype=float32)
    """
    value = array_argument("cond", x)
    shape = value.aval.shape
    if len(shape) < 2:
        raise ValueError(f"jnp.linalg.cond: input array must be at least 2D; got shape {shape}")
    if 0 in shape[-2:]:
        raise ValueError(f"jnp.linalg.cond: input array must not be empty; got shape {shape}")
    if p in (None, 2):
        s = svdvals(value)
        return BIND.divide(s[..., 0], s[..., -1])
    if p == -2:
        s = svdvals(value)
        found = BIND.divide(s[..., -1], s[..., 0])
    elif shape[-1] != shape[-2]:
        raise ValueError(f"jnp.linalg.cond: for p={p}, array must be square; got shape {shape}")
    else:
        found = multiply(norm(value, ord=p, axis=(-2, -1)), norm(inv(value), ord=p, axis=(-2, -1)))
    known = logical_not(reductions.any(isnan(value), axis=(-2, -1)))
    return where(logical_and(isnan(found), known), np.inf, found)


@library
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Value:
    """Norm of vectors along an axis or several (None: all); `ord` as of `norm`.

    Args:
      x: array.
      axis: an axis or several; None: all.
      keepdims: leave axes of size 1.

    Raises:
      ValueError: such an `ord` is not known.

    Example:
      >>> x = jnp.array([[3.0, 4.0], [0.0, 0.0]])
      >>> jnp.linalg.vector_norm(x, ord=1), jnp.linalg.norm(x, ord=1)  # all elements; columns
      (Array(7., dtype=float32), Array(4., dtype=float32))
    """
    (value,) = promote_dtypes(array_arguments("vector_norm", x), "inexact")
    value = retype(value, False)
    return _norm_of_vectors(value, ord, reductions.reduced_axes(value, axis), keepdims)


@library
def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Value:
    """Norm of the matrices along the last two axes; `ord` as of `norm`.

    Args:
      x: (..., m, n).
      keepdims: leave axes of size 1.

    Raises:
      ValueError: less than two dimensions; such an `ord` is not known.

    Example:
      >>> jnp.linalg.matrix_norm(jnp.array([[3.0, 4.0], [0.0, 0.0]]))
      Array(5., dtype=float32)
    """
    (value,) = promote_dtypes(array_arguments("matrix_norm", x), "inexact")
    n = value.aval.ndim
    if n < 2:
        raise ValueError(f"matrix_norm needs an array of at least two dimensions, got shape {value.aval.shape}")
    return _norm_of_matrices(retype(value, False), ord, (n - 2, n - 1), keepdims)


@library
def multi_dot(arrays: Sequence[Any], *, precision: Any = None) -> Value:
    """Product of matrices (the first and the last may be vectors), in the cheapest order.

    Args:
      arrays: sequence of matrices.
      precision: precision of the products on accelerators.

    Raises:
      ValueError: shapes do not fit.

    Example:
      >>> jnp.linalg.multi_dot([jnp.ones((2, 100)), jnp.ones((100, 100)), jnp.ones(100)])
      Array([10000., 10000.], dtype=float32)
    """
    values = array_arguments("multi_dot", *arrays)
    if len(values) < 2:
        raise ValueError(f"multi_dot requires at least two arrays, got {len(values)}")
    last = len(values) - 1
    labels = []
    for i, x in enumerate(values):
        if x.aval.ndim not in ((1, 2) if i in (0, last) else (2,)):
            raise ValueError(f"multi_dot takes matrices, at the ends also vectors; got shape {x.aval.shape}")
        labels.append([i + 1] if x.aval.ndim == 1 and i == 0 else [i] if x.aval.ndim == 1 else [i, i + 1])
    out = [label for label in (0, last + 1) if any(label in part for part in labels)]
    interleaved = [part for pair in zip(values, labels) for part in pair]
    return einsum(*interleaved, out, precision=precision)


@library
def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Value:
    """Vector products of vectors of three elements.

    Raises:
      ValueError: vectors of another size.

    Args:
      x1, x2: arrays whose other axes broadcast.
      axis: the axis of the vectors.

    Example:
      >>> jnp.linalg.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0]))
      Array([0, 0, 1], dtype=int32)
    """
    x, y = array_arguments("cross", x1, x2)
    sizes = x.aval.shape[axis], y.aval.shape[axis]
    if sizes != (3, 3):
        raise ValueError(f"Both input arrays must be (arrays of) 3-dimensional vectors, got sizes {sizes}.")
    return _cross(x, y, axis=axis)


@library
def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Value:
    """Sum of a diagonal of the matrices along the last two axes.

    Args:
      x: (..., m, n).
      offset: which diagonal: above the main one if positive.
      dtype: dtype in which the sum is taken.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.linalg.trace(jnp.arange(8).reshape(2, 2, 2)), jnp.trace(jnp.arange(8).reshape(2, 2, 2))
      (Array([ 3, 11], dtype=int32), Array([6, 8], dtype=int32))
    """
    return _trace(x, offset, -2, -1, dtype)


@library(moves=("x",))
def diagonal(x: Any, /, *, offset: int = 0) -> Value:
    """A diagonal of the matrices along the last two axes.

    Args:
      x: (..., m, n).
      offset: which diagonal: above the main one if positive.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.linalg.diagonal(jnp.array([[1, 2], [3, 4]]), offset=1)
      Array([2], dtype=int32)
    """
    return _diagonal(x, offset, -2, -1)


# ---- products: those of `sable.numpy`, as the array API has them ------------------------------------------------------


@library
def matmul(x1: Any, x2: Any, /, *, precision: Any = None, preferred_element_type: Any = None) -> Value:
    """Products of matrices.

    Args:
      x1, x2: (..., m, n) and (..., n, k); a vector is a row on the left and a column on the right.
      precision, preferred_element_type: as of `jax.numpy.matmul`.

    Raises:
      ValueError: a scalar; stacks that do not broadcast. TypeError: inner sizes differ.

    Example:
      >>> jnp.linalg.matmul(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 10]))
      Array([21, 43], dtype=int32)
    """
    return _matmul(x1, x2, precision=precision, preferred_element_type=preferred_element_type)


@library
def tensordot(
    x1: Any,
    x2: Any,
    /,
    *,
    axes: Any = 2,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """Sum over pairs of axes.

    Args:
      x1, x2: arrays.
      axes, precision, preferred_element_type: as of `jax.numpy.tensordot`.

    Raises:
      TypeError: `axes` does not fit, or sizes differ.

    Example:
      >>> jnp.linalg.tensordot(jnp.ones((2, 3)), jnp.ones((2, 4)), axes=([0], [0])).shape
      (3, 4)
    """
    return _tensordot(x1, x2, axes, precision=precision, preferred_element_type=preferred_element_type)


@library
def outer(x1: Any, x2: Any, /) -> Value:
    """All products of the elements of two vectors: a matrix.

    Raises:
      ValueError: not vectors.

    Args:
      x1, x2: vectors.

    Example:
      >>> jnp.linalg.outer(jnp.array([1, 2]), jnp.array([1, 10, 100]))
      Array([[  1,  10, 100],
             [  2,  20, 200]], dtype=int32)
    """
    x, y = array_arguments("outer", x1, x2)
    if x.aval.ndim != 1 or y.aval.ndim != 1:
        raise ValueError(f"outer takes vectors, got arrays of {x.aval.ndim} and {y.aval.ndim} dimensions")
    return multiply(reshape_to(x, (x.aval.size, 1)), reshape_to(y, (1, y.aval.size)))
