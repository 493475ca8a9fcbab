"""Positions and grids written as indices: `mgrid`, `r_`, `ix_` ...; positions of diagonals and triangles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import index_exp, s_

from sable._config.managers import numpy_dtype_promotion
from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import default_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    dtype_argument,
    filled,
    kind,
    known_integer,
    known_values,
    promote_dtypes,
    reshape_to,
    shape_argument,
)
from sable.core.trace import Tracer
from sable.library.declare import library

from .arrays import array
from .creation import arange, linspace, ones
from .indexing.positions import nonzero
from .joining import concatenate, stack
from .manipulation import expand_dims, transpose
from .matrices import meshgrid

__all__ = ["index_exp", "s_"]

# ---- grids ---------------------------------------------------------------------------------------------------------


def _line(bounds: slice, name: str) -> Value:
    """The numbers that a slice stands for: `arange`, or as many as an imaginary step says, the end among them."""
    for part in ("start", "stop", "step"):
        value = getattr(bounds, part)
        if isinstance(value, Tracer):
            known_values(value, f"slice {part} of jnp.{name}")
    start = 0 if bounds.start is None else bounds.start
    step = 1 if bounds.step is None else bounds.step
    if np.iscomplex(step):
        return linspace(start, bounds.stop, int(abs(step)))
    return arange(start, bounds.stop, step)


@dataclass(frozen=True)
class _Grid:
    """Slices as an index make a grid: `mgrid[0:3, 0:1:5j]`.

    A slice's step is a distance, its end is then left out; an imaginary one is a number of points, with the end. One slice
    gives a vector. Several give coordinates: `mgrid` one array with an axis for them in front, `ogrid` a list of arrays with
    axes of size 1.
    """

    name: str
    sparse: bool

    def __getitem__(self, key: slice | tuple[slice, ...]) -> Any:
        if isinstance(key, slice):
            return _line(key, self.name)
        with numpy_dtype_promotion("standard"):
            lines = promote_dtypes([_line(k, self.name) for k in key]) if key else []
        found = meshgrid(*lines, indexing="ij", sparse=self.sparse)
        if self.sparse:
            return found
        return stack(found) if found else arange(0)


mgrid = _Grid("mgrid", sparse=False)
ogrid = _Grid("ogrid", sparse=True)

# ---- arrays put together -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Concatenator:
    """Arrays, scalars and slices (as in `mgrid`) as an index are put together: `r_[1:4, 0, x]`.

    A text in front may be "axis", "axis,ndmin" or "axis,ndmin,trans1d": along which axis; how many dimensions the arrays
    have at least; where their own dimensions begin among these. "r" and "c" make a vector a row or a column of a matrix.
    """

    name: str
    axis: int
    ndmin: int
    trans1d: int

    def __getitem__(self, key: Any) -> Value:
        items = key if isinstance(key, tuple) else (key,)
        axis, ndmin, trans1d, matrix = self.axis, self.ndmin, self.trans1d, None
        if isinstance(items[0], str):
            directive, *items = items
            if directive in ("r", "c"):
                matrix = "rc".index(directive)
            else:
                axis, ndmin, trans1d = self._numbers(directive)
        made = concatenate([self._item(x, ndmin, trans1d) for x in items], axis=axis)
        return made if matrix is None or made.aval.ndim != 1 else expand_dims(made, matrix)

    def _numbers(self, directive: str) -> list[int]:
        given = directive.split(",")[:3]
        try:
            return [*map(int, given), *(self.axis, self.ndmin, self.trans1d)[len(given) :]]
        except ValueError:
            raise ValueError(
                f"could not understand directive {directive!r} of jnp.{self.name}: expected 'r', 'c' or up to three "
                "integers, 'axis,ndmin,trans1d'"
            ) from None

    def _item(self, x: Any, ndmin: int, trans1d: int) -> Value:
        if isinstance(x, str):
            raise ValueError(f"jnp.{self.name}: a string directive must be placed at the beginning")
        found = _line(x, self.name) if isinstance(x, slice) else array(x, copy=False)
        ndim = 0 if isinstance(x, slice) else found.aval.ndim
        found = array(found, copy=False, ndmin=ndmin)
        if trans1d == -1 or ndim >= ndmin:
            return found
        shift = abs(ndmin + trans1d + 1)
        return transpose(found, [(i - shift) % ndmin for i in range(ndmin)])

    def __len__(self) -> int:
        return 0


r_ = _Concatenator("r_", axis=0, ndmin=1, trans1d=-1)
c_ = _Concatenator("c_", axis=-1, ndmin=2, trans1d=0)


@library
def ix_(*args: Any) -> tuple[Value, ...]:
    """Vectors of positions as arrays that select all their combinations: `x[ix_([0, 2], [1, 3])]` is 2 by 2.

    Args:
      *args: n vectors of integers.

    Returns:
      n arrays with n dimensions, the i-th of which has size 1 but along axis i.

    Raises:
      ValueError: an argument is no vector. NotImplementedError: booleans.

    Example:
      >>> x = jnp.arange(12).reshape(3, 4)
      >>> x[jnp.ix_(jnp.array([0, 2]), jnp.array([1, 3]))]
      Array([[ 1,  3],
             [ 9, 11]], dtype=int32)
      >>> x[jnp.array([0, 2]), jnp.array([1, 3])]  # without it: two elements
      Array([ 1, 11], dtype=int32)
    """
    values = array_arguments("ix", *args)
    found = []
    for i, x in enumerate(values):
        if x.aval.ndim != 1:
            raise ValueError(f"Arguments to jax.numpy.ix_ must be 1-dimensional, got shape {x.aval.shape}")
        if kind(x) == "b":
            raise NotImplementedError("Boolean arguments to jax.numpy.ix_ are not implemented")
        shape = tuple(x.aval.size if d == i else 1 for d in range(len(values)))
        found.append(reshape_to(x, shape) if x.aval.size else filled(shape, default_dtype("i"), 0))
    return tuple(found)


# ---- diagonals and triangles ---------------------------------------------------------------------------------------


@library
def diag_indices(n: int, ndim: int = 2) -> tuple[Value, ...]:
    """The positions on the main diagonal of an array with `ndim` dimensions of size n, a vector for each dimension.

    Raises:
      ValueError: a negative argument. ConcretizationTypeError: a traced one.

    Args:
      n: size of each dimension.
      ndim: number of dimensions.

    Example:
      >>> jnp.zeros((3, 3)).at[jnp.diag_indices(3)].set(1.0)
      Array([[1., 0., 0.],
             [0., 1., 0.],
             [0., 0., 1.]], dtype=float32)
    """
    n = known_integer(n, "'n' argument of jnp.diag_indices()")
    ndim = known_integer(ndim, "'ndim' argument of jnp.diag_indices()")
    for name, value in (("n", n), ("ndim", ndim)):
        if value < 0:
            raise ValueError(f"{name} argument to diag_indices must be nonnegative, got {value}")
    return (BIND.iota(shape=(n,), dtype=default_dtype("i"), iota_dimension=0),) * ndim


@library
def diag_indices_from(arr: Any) -> tuple[Value, ...]:
    """The positions on the main diagonal of an array; see `diag_indices`.

    Raises:
      ValueError: less than two dimensions, or dimensions of different sizes.

    Args:
      arr: array whose dimensions have one size.

    Example:
      >>> jnp.diag_indices_from(jnp.ones((2, 2)))
      (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    shape = array_argument("diag_indices_from", arr).aval.shape
    if len(shape) < 2:
        raise ValueError("input array must be at least 2-d")
    if len(set(shape)) != 1:
        raise ValueError("All dimensions of input must be of equal length")
    return diag_indices(shape[0], len(shape))


@library
def indices(dimensions: Any, dtype: Any = None, sparse: bool = False) -> Value | tuple[Value, ...]:
    """The positions of all elements of an array.

    Args:
      dimensions: its shape.
      dtype: of the positions, by default that of integers.
      sparse: for each dimension an array that is 1 long along the others, which broadcast to all positions.

    Returns:
      An array of shape `(len(dimensions), *dimensions)`, or the tuple of arrays.

    Raises:
      ConcretizationTypeError: a dimension is traced.

    Example:
      >>> jnp.indices((2, 3), sparse=True)
      (Array([[0],
             [1]], dtype=int32), Array([[0, 1, 2]], dtype=int32))
    """
    wanted = default_dtype("i") if dtype is None else dtype_argument(dtype, "indices")
    shape = tuple(known_integer(d, "dimensions argument of jnp.indices") for d in dimensions)
    found = [constant(x) for x in np.indices(shape, wanted, sparse=True)]
    if sparse:
        return tuple(found)
    if not found:
        return constant(np.zeros(0, wanted))
    dense = [
        BIND.broadcast_in_dim(x, shape=(1, *shape), broadcast_dimensions=tuple(range(1, x.ndim + 1))) for x in found
    ]
    return BIND.concatenate(*dense, dimension=0)


def _triangle(name: str, n: Any, k: Any, m: Any, lower: bool) -> tuple[Value, ...]:
    rows, offset, columns = (known_integer(i, f"argument of jnp.{name}") for i in (n, k, n if m is None else m))
    below = np.tri(*shape_argument((rows, columns)), offset if lower else offset - 1, np.bool_)
    return tuple(constant(x.astype(default_dtype("i"))) for x in np.nonzero(below if lower else ~below))


@library
def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Value, ...]:
    """The positions on and below diagonal k of an n by m (n by n) matrix: row numbers and column numbers.

    Args:
      n, m: numbers of rows and columns; m is n by default.
      k: the last diagonal that is named: above the main one if positive.

    Example:
      >>> jnp.tril_indices(3, k=-1)
      (Array([1, 2, 2], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    return _triangle("tril_indices", n, k, m, lower=True)


@library
def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Value, ...]:
    """The positions on and above diagonal k of an n by m (n by n) matrix: row numbers and column numbers.

    Args:
      n, m: numbers of rows and columns; m is n by default.
      k: the first diagonal that is named: above the main one if positive.

    Example:
      >>> jnp.triu_indices(3, k=1)
      (Array([0, 0, 1], dtype=int32), Array([1, 2, 2], dtype=int32))
    """
    return _triangle("triu_indices", n, k, m, lower=False)


def _matrix_shape(name: str, arr: Any) -> tuple[int, ...]:
    shape = arr.shape if hasattr(arr, "shape") else array_argument(name, arr).aval.shape
    if len(shape) != 2:
        raise ValueError("Only 2-D inputs are accepted")
    return shape


@library
def tril_indices_from(arr: Any, k: int = 0) -> tuple[Value, ...]:
    """`tril_indices` for a matrix, or anything with its shape.

    Raises:
      ValueError: no matrix.

    Args:
      arr: matrix, of which only the shape is used.
      k: as of `tril_indices`.

    Example:
      >>> x = jnp.array([[1, 2], [3, 4]])
      >>> x[jnp.tril_indices_from(x)]
      Array([1, 3, 4], dtype=int32)
    """
    n, m = _matrix_shape("tril_indices_from", arr)
    return tril_indices(n, k, m)


@library
def triu_indices_from(arr: Any, k: int = 0) -> tuple[Value, ...]:
    """`triu_indices` for a matrix, or anything with its shape.

    Raises:
      ValueError: no matrix.

    Args:
      arr: matrix, of which only the shape is used.
      k: as of `triu_indices`.

    Example:
      >>> x = jnp.array([[1, 2], [3, 4]])
      >>> x[jnp.triu_indices_from(x)]
      Array([1, 2, 4], dtype=int32)
    """
    n, m = _matrix_shape("triu_indices_from", arr)
    return triu_indices(n, k, m)


def mask_indices(n: int, mask_func: Callable, k: int = 0, *, size: int | None = None) -> tuple[Value, ...]:
    """The positions that a function leaves of an n by n matrix of ones: `mask_indices(3, jnp.triu)`.

    Args:
      n: number of rows and columns.
      mask_func: `mask_func(matrix, k)`, a matrix with zeros where no position is wanted.
      k: what `mask_func` gets.
      size: the number of positions, which traced matrices need; see `nonzero`.

    Example:
      >>> jnp.mask_indices(3, jnp.triu, 1)
      (Array([0, 0, 1], dtype=int32), Array([1, 2, 2], dtype=int32))
    """
    return nonzero(mask_func(ones((n, n)), k), size=size)
