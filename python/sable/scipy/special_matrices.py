"""Matrices of a known structure, of a few numbers or of their size alone: parts of `jax.scipy.linalg`."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.dtypes import default_complex_dtype, default_float_dtype, user_dtype
from sable.core.operands import array_argument, array_arguments, promote_dtypes
from sable.library.declare import library

# ---- of given numbers --------------------------------------------------------------------------------------------


@library
def block_diag(*arrs: Any) -> Value:
    """A matrix with given ones along its diagonal, and zeros elsewhere.

    Args:
      arrs: matrices; vectors are rows, numbers matrices of one element. Their dtypes meet.

    Returns:
      (sum of rows, sum of columns); (1, 0) of no matrices.

    Raises:
      TypeError: one is no array. ValueError: one has more than two dimensions.

    >>> jax.scipy.linalg.block_diag(jnp.array([[1, 2]]), 3)
    Array([[1, 2, 0],
           [0, 0, 3]], dtype=int32)
    """
    if not arrs:
        return jnp.zeros((1, 0))
    values = promote_dtypes(array_arguments("block_diag", *arrs))
    for i, x in enumerate(values):
        if x.ndim > 2:
            raise ValueError(
                f"Arguments to jax.scipy.linalg.block_diag must have at most 2 dimensions, got {x} at argument {i}."
            )
    blocks = [jnp.atleast_2d(x) for x in values]
    columns = sum(x.shape[1] for x in blocks)
    before, rows = 0, []
    for x in blocks:
        rows.append(jnp.pad(x, ((0, 0), (before, columns - before - x.shape[1]))))
        before += x.shape[1]
    return jnp.concatenate(rows)


def _along_diagonals(below: Value, above: Value, index: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Value:
    """Elements index(i, j) of the first vector and, behind it, the second one without its first element."""
    batch = jnp.broadcast_shapes(below.shape[:-1], above.shape[:-1])
    rows, columns = below.shape[-1], above.shape[-1]
    below, above = promote_dtypes([below, above])
    below, above = (jnp.broadcast_to(x, (*batch, x.shape[-1])) for x in (below, above))
    if 0 in (rows, columns):
        return jnp.zeros((*batch, rows, columns), below.dtype)
    elements = jnp.concatenate([below, above[..., 1:]], axis=-1)
    return elements[..., index(*np.ogrid[:rows, :columns])]


@library
def toeplitz(c: Any, r: Any = None) -> Value:
    """Matrices that are constant along diagonals: element i, j is c[i - j], or r[j - i] above the diagonal.

    Args:
      c: (..., m), the first column; numbers are vectors of one element.
      r: (..., n), the first row, of which element 0 is not read; the conjugate of c by default.

    Returns:
      (..., m, n).

    >>> jax.scipy.linalg.toeplitz(jnp.array([1, 2, 3]), jnp.array([0, 4]))
    Array([[1, 4],
           [2, 1],
           [3, 2]], dtype=int32)
    """
    values = array_arguments("toeplitz", c) if r is None else array_arguments("toeplitz", c, r)
    column, *given = [jnp.atleast_1d(x.astype(x.dtype)) for x in values]
    row = jnp.conjugate(column) if r is None else given[0]
    last = column.shape[-1] - 1
    return _along_diagonals(column[..., ::-1], row, lambda i, j: last - i + j)


@library
def hankel(c: Any, r: Any = None) -> Value:
    """Matrices that are constant along antidiagonals: element i, j is c[i + j], behind it of the last row.

    Args:
      c: (..., m), the first column.
      r: (..., n), the last row, of which element 0 is not read; zeros by default.

    Returns:
      (..., m, n).

    Raises:
      ValueError: a scalar.

    >>> jax.scipy.linalg.hankel(jnp.array([1, 2, 3]), jnp.array([0, 4]))
    Array([[1, 2],
           [2, 3],
           [3, 4]], dtype=int32)
    """
    values = array_arguments("hankel", c) if r is None else array_arguments("hankel", c, r)
    column = values[0]
    row = jnp.zeros_like(column) if r is None else values[1]
    for name, x in (("c", column), ("r", row)):
        if x.ndim == 0:
            raise ValueError(f"hankel: {name} must be at least 1-dimensional, got a scalar.")
    return _along_diagonals(jnp.asarray(column), jnp.asarray(row), lambda i, j: i + j)


@library
def circulant(c: Any) -> Value:
    """Matrices whose columns are the first one, turned by one place more each.

    Args:
      c: (..., n); a number is a vector of one element.

    Returns:
      (..., n, n).

    >>> jax.scipy.linalg.circulant(jnp.array([1, 2, 3]))
    Array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]], dtype=int32)
    """
    x = jnp.atleast_1d(array_argument("circulant", c))
    n = x.shape[-1]
    if n == 0:
        return jnp.zeros((*x.shape, 0), x.dtype)
    i, j = np.ogrid[:n, :n]
    return x[..., (i - j) % n]


def _with_first_row(row: Value, below: Value) -> Value:
    """(..., n) above (..., n - 1, n)."""
    return jnp.concatenate([row[..., None, :], below], axis=-2)


@library
def leslie(f: Any, s: Any) -> Value:
    """Leslie matrices: fecundities in the first row, survivals below the diagonal.

    Args:
      f: (..., n), n >= 2. s: (..., n - 1).

    Returns:
      (..., n, n).

    Raises:
      ValueError: other lengths.

    >>> jax.scipy.linalg.leslie(jnp.array([1., 2.]), jnp.array([0.5]))
    Array([[1. , 2. ],
           [0.5, 0. ]], dtype=float32)
    """
    first, survival = (jnp.atleast_1d(x) for x in array_arguments("leslie", f, s))
    if first.shape[-1] < 2:
        raise ValueError(f"The length of f along the last axis must be at least 2; got shape {first.shape}.")
    if survival.shape[-1] != first.shape[-1] - 1:
        raise ValueError(
            "Incorrect lengths for f and s. The length of s along the last axis must be one less than the length of f; got f "
            f"shape {first.shape} and s shape {survival.shape}."
        )
    first, survival = promote_dtypes([first, survival])
    batch = jnp.broadcast_shapes(first.shape[:-1], survival.shape[:-1])
    n = first.shape[-1]
    below = jnp.where(np.eye(n - 1, n, dtype=bool), survival[..., :, None], 0)
    below, first = jnp.broadcast_to(below, (*batch, n - 1, n)), jnp.broadcast_to(first, (*batch, n))
    return _with_first_row(first, below.astype(first.dtype))


@library(operands=("a",), promotion="inexact")
def companion(a: Any) -> Value:
    """Companion matrices of polynomials, whose eigenvalues are the roots.

    Args:
      a: (..., n), n >= 2: coefficients, that of the highest power first. Integers become floats.

    Returns:
      (..., n - 1, n - 1).

    Raises:
      ValueError: fewer coefficients.

    >>> jax.scipy.linalg.companion(jnp.array([1., -3., 2.]))
    Array([[ 3., -2.],
           [ 1.,  0.]], dtype=float32)
    """
    a = jnp.atleast_1d(a)
    if a.shape[-1] < 2:
        raise ValueError(f"The length of `a` along the last axis must be at least 2; got shape {a.shape}.")
    first = -a[..., 1:] / a[..., :1]
    n = first.shape[-1]
    return _with_first_row(first, jnp.broadcast_to(jnp.eye(n - 1, n, dtype=first.dtype), (*a.shape[:-1], n - 1, n)))


@library
def fiedler(a: Any) -> Value:
    """Fiedler's matrices |a[i] - a[j]|, (..., n, n), of vectors (..., n).

    >>> jax.scipy.linalg.fiedler(jnp.array([1, 4]))
    Array([[0, 3],
           [3, 0]], dtype=int32)
    """
    x = jnp.atleast_1d(array_argument("fiedler", a))
    return jnp.abs(x[..., None] - x[..., None, :])


@library(operands=("a",), promotion="inexact")
def fiedler_companion(a: Any) -> Value:
    """Fiedler's companion matrices of polynomials: of five diagonals, with the roots for eigenvalues.

    Args:
      a: (..., n), n >= 1: coefficients, that of the highest power first. Integers become floats.

    Returns:
      (..., n - 1, n - 1).

    Raises:
      ValueError: no coefficients.

    Source: M. Fiedler, "A note on companion matrices", Linear Algebra and its Applications 372 (2003).

    Example:
      >>> jax.scipy.linalg.fiedler_companion(jnp.array([1.0, -3.0, 2.0]))
      Array([[ 3., -2.],
             [ 1.,  0.]], dtype=float32)
    """
    a = jnp.atleast_1d(a)
    if a.shape[-1] == 0:
        raise ValueError(
            "fiedler_companion requires the last axis of 'a' to have nonzero length, but got an array of shape "
            f"{a.shape}."
        )
    n = a.shape[-1] - 1
    if n == 0:
        return jnp.zeros_like(a, shape=(*a.shape[:-1], 0, 0))
    coefficients = -a[..., 1:] / a[..., :1]
    number, ones = _fiedler_places(n)
    return jnp.where(number >= 0, coefficients[..., np.maximum(number, 0)], ones.astype(a.dtype))


def _fiedler_places(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Which coefficient stands where, or -1, and where ones stand: the transposed product of the elementary factors with even
    numbers and that of those with odd ones, whose blocks are [[c_k, 1], [1, 0]].
    """
    number, ones = np.full((n, n), -1), np.zeros((n, n))
    number[0, 0] = 0
    if n > 1:
        ones[1, 0] = 1
    for i in range(n):
        if i % 2 == 0:
            if i + 1 < n:
                number[i, i + 1] = i + 1
            if i + 2 < n:
                ones[i, i + 2] = 1
            if i >= 2:
                number[i, i - 1] = i
        elif i >= 3:
            ones[i, i - 2] = 1
    return number, ones


@library
def convolution_matrix(a: Any, n: int, mode: str = "full") -> Value:
    """The matrix of a convolution: its product with a vector of n elements is that vector's convolution with a.

    Args:
      a: (..., m).
      n: of how many elements the vector is.
      mode: "full", "valid" or "same", as of `convolve`.

    Returns:
      (..., m + n - 1, n), or fewer rows.

    Raises:
      ValueError: an empty a, n < 1, another mode.

    >>> jax.scipy.linalg.convolution_matrix(jnp.array([1, 2]), 2)
    Array([[1, 0],
           [2, 1],
           [0, 2]], dtype=int32)
    """
    n = operator.index(n)
    if n <= 0:
        raise ValueError(f"n must be a positive integer; got {n}.")
    x = jnp.asarray(array_argument("convolution_matrix", a))
    if x.ndim == 0:
        raise ValueError("convolution_matrix: a must be at least 1-dimensional, got a scalar.")
    m = x.shape[-1]
    if m < 1:
        raise ValueError(f"len(a) must be at least 1; got shape {x.shape}.")
    if mode not in ("full", "valid", "same"):
        raise ValueError(f"mode must be one of 'full', 'valid', 'same'; got {mode!r}.")
    cut = 0 if mode == "full" else min(n, m) - 1
    first = cut // 2 if mode == "same" else cut
    i, j = np.ogrid[first : m + n - 1 - (cut - first if mode == "same" else cut), :n]
    padded = jnp.pad(x, [*[(0, 0)] * (x.ndim - 1), (n - 1, n - 1)])
    return padded[..., i - j + n - 1]


# ---- of their size -----------------------------------------------------------------------------------------------


def _number(x: int) -> float:
    try:
        return float(x)
    except OverflowError:
        return math.copysign(math.inf, x)


def _of_integers(n: int, element: Callable[[int, int], int], dtype: np.dtype) -> Value:
    """Exact whole numbers, rounded once."""
    rows = [[_number(element(i, j)) for j in range(n)] for i in range(n)]
    with np.errstate(over="ignore"):
        return jnp.asarray(np.array(rows, np.float64).reshape(n, n).astype(dtype))


@library
def hilbert(n: int) -> Value:
    """Hilbert's matrix (n, n), 1 / (i + j + 1).

    >>> jax.scipy.linalg.hilbert(2)
    Array([[1.        , 0.5       ],
           [0.5       , 0.33333334]], dtype=float32)
    """
    row = lax.broadcasted_iota(float, (n, 1), 0)
    return 1 / (row + row.T + 1)


@library
def invhilbert(n: int) -> Value:
    """The inverse of Hilbert's matrix, (n, n), whose elements are whole numbers, each rounded once.

    >>> jax.scipy.linalg.invhilbert(2)
    Array([[ 4., -6.],
           [-6., 12.]], dtype=float32)
    """

    def element(i: int, j: int) -> int:
        products = math.comb(n + i, n - j - 1) * math.comb(n + j, n - i - 1) * math.comb(i + j, i) ** 2
        return (-1) ** (i + j) * (i + j + 1) * products

    return _of_integers(operator.index(n), element, default_float_dtype())


_KINDS = ["symmetric", "lower", "upper"]


@library
def pascal(n: int, kind: str | None = None) -> Value:
    """Pascal's matrix (n, n) of binomial coefficients, float32: i + j over i, or i over j in one triangle.

    Args:
      kind: "symmetric", the default, "lower" or "upper".

    Raises:
      ValueError: another kind.

    >>> jax.scipy.linalg.pascal(3)
    Array([[1., 1., 1.],
           [1., 2., 3.],
           [1., 3., 6.]], dtype=float32)
    """
    kind = "symmetric" if kind is None else kind
    if kind not in _KINDS:
        raise ValueError(f"Expected kind to be on of: {_KINDS}; got {kind}")
    elements = {
        "symmetric": lambda i, j: math.comb(i + j, i),
        "lower": math.comb,
        "upper": lambda i, j: math.comb(j, i),
    }
    return _of_integers(operator.index(n), elements[kind], np.dtype(np.float32))


@library
def invpascal(n: int, kind: str | None = None) -> Value:
    """The inverse of Pascal's matrix, (n, n), whose elements are whole numbers, each rounded once.

    Args:
      kind: "symmetric", the default, "lower" or "upper".

    Raises:
      ValueError: another kind.

    >>> jax.scipy.linalg.invpascal(2)
    Array([[ 2., -1.],
           [-1.,  1.]], dtype=float32)
    """
    kind = "symmetric" if kind is None else kind
    if kind not in _KINDS:
        raise ValueError(f"Expected kind to be one of: {_KINDS}; got {kind}")

    def symmetric(i: int, j: int) -> int:
        return (-1) ** (i + j) * sum(math.comb(k, i) * math.comb(k, j) for k in range(max(i, j), n))

    elements = {
        "symmetric": symmetric,
        "lower": lambda i, j: (-1) ** (i + j) * math.comb(i, j),
        "upper": lambda i, j: (-1) ** (i + j) * math.comb(j, i),
    }
    return _of_integers(operator.index(n), elements[kind], default_float_dtype())


@library
def helmert(n: int, full: bool = False) -> Value:
    """Helmert's matrix (n - 1, n): orthonormal rows, orthogonal to ones, row i with i + 1 equal elements before -(i + 1).

    Args:
      n: columns, at least 1.
      full: with a first row of equal elements, (n, n).

    Raises:
      ValueError: n < 1.

    Example:
      >>> jax.scipy.linalg.helmert(2).round(4)
      Array([[ 0.7071, -0.7071]], dtype=float32)
    """
    if n < 1:
        raise ValueError(f"n must be a positive integer; got {n}.")
    k = np.arange(1.0, n)[:, None]
    places = np.arange(n)[None, :]
    rows = np.where(places < k, 1.0, np.where(places == k, -k, 0.0)) / np.sqrt(k * (k + 1))
    if full:
        rows = np.concatenate([np.full((1, n), 1 / math.sqrt(n)), rows])
    return jnp.asarray(rows.astype(default_float_dtype()))


@library
def hadamard(n: int, dtype: Any = int) -> Value:
    """Hadamard's matrix (n, n) by Sylvester's construction: 1 and -1 in orthogonal rows.

    Args:
      n: a power of 2.

    Raises:
      ValueError: another n. TypeError: booleans.

    >>> jax.scipy.linalg.hadamard(2)
    Array([[ 1,  1],
           [ 1, -1]], dtype=int32)
    """
    if n < 1 or n & (n - 1):
        raise ValueError(f"n must be a positive power of 2; got {n}.")
    made = jnp.ones((1, 1), dtype=dtype)
    for _ in range(n.bit_length() - 1):
        made = jnp.concatenate([jnp.concatenate([made, made], 1), jnp.concatenate([made, -made], 1)])
    return made


@library
def dft(n: int, scale: str | None = None, *, dtype: Any = None) -> Value:
    """The matrix (n, n) of the discrete Fourier transform, exp(-2 pi i j k / n).

    Args:
      scale: None, "sqrtn" or "n": divided by the root of n, or by n.
      dtype: a complex one.

    Raises:
      ValueError: another scale, or a real dtype.

    Example:
      >>> jax.scipy.linalg.dft(2).real.round(4)
      Array([[ 1.,  1.],
             [ 1., -1.]], dtype=float32)
    """
    if scale not in (None, "sqrtn", "n"):
        raise ValueError(f"scale must be None, 'sqrtn', or 'n'; got {scale!r}.")
    wanted = default_complex_dtype() if dtype is None else user_dtype(dtype, "dft")
    if not jnp.issubdtype(wanted, np.complexfloating):
        raise ValueError(f"dtype must be a complex floating-point type; got {wanted}.")
    k = np.arange(n)
    turns = np.outer(k, k) % max(n, 1) / max(n, 1)  # whole turns leave no rounding errors
    divisor = {None: 1.0, "sqrtn": math.sqrt(n), "n": float(n)}[scale]
    return jnp.asarray((np.exp(-2j * np.pi * turns) / (divisor or 1.0)).astype(wanted))
