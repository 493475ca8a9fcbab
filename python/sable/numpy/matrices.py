"""Identity, triangles, diagonals, powers of vectors as matrices; grids of coordinates."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.destinations import at_device
from sable.core.dtype_kinds import BOOL
from sable.core.dtypes import default_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    compare,
    convert,
    dtype_argument,
    expand_to,
    kind,
    known_integer,
    logical,
    normal_axis,
    reshape_to,
    scalar,
    select,
    shape_argument,
)
from sable.core.operands import full_like as constant_like
from sable.core.values import retype
from sable.library.declare import library

from .arrays import asarray
from .manipulation import moveaxis
from .ufuncs import power

_INT32 = np.dtype(np.int32)

# ---- identity, triangles, diagonals --------------------------------------------------------------


def _size(n: Any, what: str) -> int:
    try:
        size = operator.index(n)
    except TypeError as error:
        if type(error) is not TypeError:
            raise
        raise TypeError(f"expected an integer for {what}, got {n!r}") from None
    if size < 0:
        raise ValueError(f"negative dimensions are not allowed, got {size} for {what}")
    return size


def _offsets(rows: int, columns: int, k: Any) -> tuple[Value, Value]:
    """Row numbers plus k, and column numbers, each in the whole shape."""
    shape = (rows, columns)
    i = BIND.iota(shape=shape, dtype=_INT32, iota_dimension=0)
    if not (isinstance(k, int) and k == 0):
        k = max(-rows, min(k, columns)) if isinstance(k, int) else k
        k = convert(array_argument("eye", k), _INT32)
        i = BIND.add(i, expand_to(k, shape))
    return i, BIND.iota(shape=shape, dtype=_INT32, iota_dimension=1)


@library
def eye(N: Any, M: Any = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Value:
    """A matrix with ones on a diagonal and zeros elsewhere.

    Args:
      N, M: numbers of rows and columns; M is N by default.
      k: which diagonal: above the main one if positive.
      dtype: None: the default float dtype.

    Raises:
      TypeError: N or M is no known integer.

    Example:
      >>> jnp.eye(2, 3, k=1)
      Array([[0., 1., 0.],
             [0., 0., 1.]], dtype=float32)
    """
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, "eye")
    rows = _size(N, "N of eye")
    i, j = _offsets(rows, rows if M is None else _size(M, "M of eye"), k)
    made = convert(compare(i, j, "EQ"), wanted)
    return at_device(made, device)


@library
def identity(n: Any, dtype: Any = None) -> Value:
    """The n by n identity matrix.

    Args:
      n: number of rows and columns.
      dtype: None: the default float dtype.

    Example:
      >>> jnp.identity(2, dtype=int)
      Array([[1, 0],
             [0, 1]], dtype=int32)
    """
    return eye(n, dtype=dtype)


@library
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Value:
    """A matrix with ones on and below a diagonal; arguments as of `eye`.

    Example:
      >>> jnp.tri(2, 3, k=1)
      Array([[1., 1., 0.],
             [1., 1., 1.]], dtype=float32)
    """
    wanted = default_dtype("f") if dtype is None else dtype_argument(dtype, "tri")
    rows, columns = shape_argument((N, N if M is None else M))
    i, j = _offsets(rows, columns, k)
    return convert(compare(i, j, "GE"), wanted)


def _triangle(name: str, m: Any, k: int, lower: bool) -> Value:
    x = array_argument(name, m)
    a = x.aval
    if a.ndim < 2:
        raise ValueError(f"Argument to jax.numpy.{name} must be at least 2D")
    mask = tri(a.shape[-2], a.shape[-1], k if lower else k - 1, BOOL)
    mask = expand_to(mask if lower else logical("not", mask), a.shape)
    return select(mask, x, constant_like(x, 0))


@library(moves=("m",))
def tril(m: Any, k: int = 0) -> Value:
    """The lower triangles of matrices (the last two axes), with zeros above diagonal k.

    Args:
      m: (..., M, N).
      k: the last diagonal that is kept: above the main one if positive.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.tril(jnp.ones((2, 3), dtype=int), k=-1)
      Array([[0, 0, 0],
             [1, 0, 0]], dtype=int32)
    """
    return _triangle("tril", m, k, True)


@library(moves=("m",))
def triu(m: Any, k: int = 0) -> Value:
    """The upper triangles of matrices (the last two axes), with zeros below diagonal k.

    Args:
      m: (..., M, N).
      k: the first diagonal that is kept: above the main one if positive.

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.triu(jnp.ones((2, 3), dtype=int), k=1)
      Array([[0, 1, 1],
             [0, 0, 1]], dtype=int32)
    """
    return _triangle("triu", m, k, False)


@library
def diag(v: Any, k: int = 0) -> Value:
    """A vector as a diagonal of a matrix, or a diagonal of a matrix as a vector.

    Args:
      v: (n,) or (m, n).
      k: which diagonal: above the main one if positive. A matrix made of a vector has n + |k| rows.

    Raises:
      ValueError: neither a vector nor a matrix.

    Example:
      >>> jnp.diag(jnp.array([1, 2]), k=1)
      Array([[0, 1, 0],
             [0, 0, 2],
             [0, 0, 0]], dtype=int32)
      >>> jnp.diag(jnp.arange(6).reshape(2, 3))
      Array([0, 4], dtype=int32)
    """
    x = array_argument("diag", v)
    a = x.aval
    k = operator.index(k)
    if a.ndim == 2:
        return diagonal(x, k)
    if a.ndim != 1:
        raise ValueError("diag input must be 1d or 2d")
    n = a.shape[0] + (k if k >= 0 else -k)
    padded = BIND.pad(
        x,
        scalar(0, a.dtype, a.weak_type),
        edge_padding_low=(max(0, k),),
        edge_padding_high=(max(0, -k),),
        interior_padding=(0,),
    )
    whole = retype(expand_to(padded, (n, n)), a.weak_type)
    return select(eye(n, k=k, dtype=BOOL), whole, constant_like(whole, 0))


@library
def diagflat(v: Any, k: int = 0) -> Value:
    """The elements of an array as a diagonal of a matrix.

    Args:
      v: array of any shape.
      k: which diagonal: above the main one if positive.

    Example:
      >>> jnp.diagflat(jnp.array([[1], [2]]))
      Array([[1, 0],
             [0, 2]], dtype=int32)
    """
    x = array_argument("diagflat", v)
    return diag(reshape_to(x, (x.aval.size,)), k)


@library(moves=("a",))
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    """The diagonal of each matrix that lies along two axes; it becomes the last axis.

    Args:
      a: array with two dimensions or more.
      offset: which diagonal: above the main one if positive.
      axis1, axis2: the axes of rows and of columns.

    Raises:
      ValueError: less than two dimensions, or an axis twice.

    Example:
      >>> jnp.diagonal(jnp.arange(8).reshape(2, 2, 2), axis1=1, axis2=2)
      Array([[0, 3],
             [4, 7]], dtype=int32)
    """
    x = array_argument("diagonal", a)
    if x.aval.ndim < 2:
        raise ValueError("diagonal requires an array of at least two dimensions.")
    first, second = normal_axis(axis1, x.aval.ndim), normal_axis(axis2, x.aval.ndim)
    if first == second:
        raise ValueError(f"axis1 and axis2 can not be same: got {axis1} and {axis2}")
    x = moveaxis(x, (first, second), (-2, -1))
    offset = operator.index(offset)
    *lead, rows, columns = x.aval.shape
    top, left = max(0, -offset), max(0, offset)
    n = max(0, min(rows - top, columns - left))
    whole = (0,) * len(lead)
    block = BIND.slice(
        x,
        start_indices=(*whole, min(top, rows), min(left, columns)),
        limit_indices=(*lead, min(top, rows) + n, min(left, columns) + n),
        strides=(1,) * (len(lead) + 2),
    )
    # the diagonal of an n by n matrix is every (n + 1)-th element of its rows
    flat = reshape_to(block, (*lead, n * n))
    return BIND.slice(
        flat, start_indices=(*whole, 0), limit_indices=(*lead, n * n), strides=(1,) * len(lead) + (n + 1,)
    )


@library
def vander(x: Any, N: int | None = None, increasing: bool = False) -> Value:
    """Powers of a vector's elements as the columns of a matrix, the highest first unless `increasing`.

    Args:
      x: (n,).
      N: number of columns; None: n.
      increasing: the lowest power first.

    Raises:
      ValueError: no vector; N is negative.

    Example:
      >>> jnp.vander(jnp.array([2, 3]), 3)
      Array([[4, 2, 1],
             [9, 3, 1]], dtype=int32)
    """
    value = array_argument("vander", x)
    if value.aval.ndim != 1:
        raise ValueError("x must be a one-dimensional array")
    n = value.aval.shape[0]
    columns = n if N is None else known_integer(N, "N argument of jnp.vander")
    if columns < 0:
        raise ValueError("N must be nonnegative")
    if kind(value) == "b":
        raise TypeError("vander: the powers of booleans are not defined; convert them, x.astype(int)")
    exponents = np.arange(columns) if increasing else np.arange(columns)[::-1]
    return power(reshape_to(value, (n, 1)), asarray(exponents.reshape(1, columns), dtype=value.aval.dtype))


# ---- grids ---------------------------------------------------------------------------------------


@library(moves=("xi",))
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Value]:
    """Coordinate arrays of the grid that vectors span.

    Args:
      *xi: n vectors (or scalars).
      copy: must be True: arrays are no views.
      sparse: leave axes of size 1 where an array is constant.
      indexing: "xy" swaps the first two axes, "ij" does not.

    Returns:
      A list of n arrays with n dimensions.

    Raises:
      ValueError: an argument with more than one dimension; another `indexing`; `copy` is False.

    Example:
      >>> x, y = jnp.meshgrid(jnp.arange(3), jnp.arange(2))
      >>> y
      Array([[0, 0, 0],
             [1, 1, 1]], dtype=int32)
      >>> [z.shape for z in jnp.meshgrid(jnp.arange(3), jnp.arange(2), indexing="ij")]
      [(3, 2), (3, 2)]
    """
    values = array_arguments("meshgrid", *xi)
    if not copy:
        raise ValueError("meshgrid makes arrays of their own, never views: copy=False is not supported")
    if indexing not in ("xy", "ij"):
        raise ValueError(f"Valid values for indexing are 'xy' and 'ij', got {indexing}")
    if any(x.aval.ndim > 1 for x in values):
        raise ValueError(
            f"Arguments to jax.numpy.meshgrid must be at most 1D, got shapes {[x.aval.shape for x in values]}"
        )
    order = list(range(len(values)))
    if indexing == "xy" and len(values) > 1:
        order[0], order[1] = 1, 0
    sizes = [x.aval.size for x in values]
    shape = tuple(sizes[order[i]] for i in range(len(values)))
    found = []
    for x, axis in zip(values, order):
        own = tuple(n if i == axis else 1 for i, n in enumerate(shape))
        column = reshape_to(x, own)
        found.append(column if sparse else expand_to(column, shape))
    return found
