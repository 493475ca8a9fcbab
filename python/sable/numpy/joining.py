"""Arrays put together and taken apart: concatenate, stack, split, append, pad ..."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    dtype_argument,
    known_integer,
    known_values,
    normal_axis,
    promote_dtypes,
    reshape_to,
)
from sable.core.trace import Tracer
from sable.library.declare import library

from .manipulation import atleast_1d, atleast_2d, atleast_3d, expand_dims, ravel
from .rearrangement import slice_axis

# ---- together ------------------------------------------------------------------------------------


def _rows(name: str, arrays: Any) -> list[Value]:
    """The arrays of a sequence, or those along the first axis of an array.

    Raises:
      TypeError: neither. ValueError: there are none.
    """
    if isinstance(arrays, (Value, np.ndarray)):
        x = array_argument(name, arrays)
        count = x.aval.shape[0] if x.aval.ndim else 0
        rows = [reshape_to(slice_axis(x, 0, i, i + 1), x.aval.shape[1:]) for i in range(count)]
    elif isinstance(arrays, Sequence) and not isinstance(arrays, str):
        rows = array_arguments(name, *arrays)
    else:
        raise TypeError(f"{name} requires a sequence of arrays, got {type(arrays)}")
    if not rows:
        raise ValueError("Need at least one array to concatenate.")
    return rows


def _typed(values: list[Value], dtype: Any, name: str) -> list[Value]:
    wanted = dtype_argument(dtype, name)
    return promote_dtypes(values) if wanted is None else [convert(x, wanted) for x in values]


def joined(values: list[Value], axis: int) -> Value:
    return values[0] if len(values) == 1 else BIND.concatenate(*values, dimension=axis)


@library(moves=("arrays",))
def concatenate(arrays: Any, axis: Any = 0, dtype: Any = None) -> Value:
    """Arrays put together along an axis that they have.

    Args:
      arrays: sequence of arrays with equal sizes of all other axes.
      axis: None: as vectors.
      dtype: None: that in which they meet.

    Raises:
      ValueError: there are none, or one has no dimension. TypeError: sizes differ.

    Example:
      >>> jnp.concatenate([jnp.zeros(1), jnp.ones(2)])
      Array([0., 1., 1.], dtype=float32)
      >>> jnp.concatenate([jnp.ones((1, 2)), jnp.zeros((1, 2))], axis=1)
      Array([[1., 1., 0., 0.]], dtype=float32)
    """
    values = _rows("concatenate", arrays)
    if axis is None:
        values, axis = [ravel(x) for x in values], 0
    if values[0].aval.ndim == 0:
        raise ValueError("Zero-dimensional arrays cannot be concatenated.")
    return joined(_typed(values, dtype, "concatenate"), normal_axis(axis, values[0].aval.ndim))


@library
def concat(arrays: Any, /, *, axis: Any = 0) -> Value:
    """`concatenate` under its newer name.

    Args:
      arrays, axis: as of `concatenate`.

    Example:
      >>> jnp.concat([jnp.array([1]), jnp.array([2.5])])
      Array([1. , 2.5], dtype=float32)
    """
    return concatenate(arrays, axis)


@library(moves=("arrays",))
def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Value:
    """Arrays of one shape put together along a new axis.

    Args:
      arrays: sequence of arrays.
      axis: where the new axis is in the result.
      dtype: None: that in which they meet.

    Raises:
      ValueError: there are none, or shapes differ.

    Example:
      >>> jnp.stack([jnp.array([1, 2]), jnp.array([3, 4])], axis=1)
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.stack is not supported.")
    values = _rows("stack", arrays)
    if any(x.aval.shape != values[0].aval.shape for x in values):
        raise ValueError(f"All input arrays must have the same shape, got {[x.aval.shape for x in values]}.")
    axis = normal_axis(axis, values[0].aval.ndim + 1)
    return joined([expand_dims(x, axis) for x in _typed(values, dtype, "stack")], axis)


@library(moves=("x",))
def unstack(x: Any, /, *, axis: int = 0) -> tuple[Value, ...]:
    """The arrays along an axis, as a tuple.

    Args:
      x: array.
      axis: the axis, which the arrays do not have.

    Raises:
      ValueError: a scalar.

    Example:
      >>> jnp.unstack(jnp.array([[1, 2], [3, 4]]), axis=1)
      (Array([1, 3], dtype=int32), Array([2, 4], dtype=int32))
    """
    value = array_argument("unstack", x)
    if value.aval.ndim == 0:
        raise ValueError("Unstack requires arrays with rank > 0, however a scalar array was passed.")
    axis = normal_axis(axis, value.aval.ndim)
    shape = value.aval.shape[:axis] + value.aval.shape[axis + 1 :]
    return tuple(reshape_to(slice_axis(value, axis, i, i + 1), shape) for i in range(value.aval.shape[axis]))


def _grown(name: str, tup: Any, grow: Callable) -> list[Value]:
    rows = [grow(x) for x in _rows(name, tup)]
    return rows


@library(moves=("tup",))
def vstack(tup: Any, dtype: Any = None) -> Value:
    """Rows (or matrices) put one below the other.

    Args:
      tup: sequence of arrays; a vector counts as one row.
      dtype: None: that in which they meet.

    Example:
      >>> jnp.vstack([jnp.array([1, 2]), jnp.array([[3, 4], [5, 6]])])
      Array([[1, 2],
             [3, 4],
             [5, 6]], dtype=int32)
    """
    return concatenate(_grown("vstack", tup, atleast_2d), 0, dtype)


@library(moves=("tup",))
def hstack(tup: Any, dtype: Any = None) -> Value:
    """Arrays put side by side: along the second axis, vectors along their only one.

    Args:
      tup: sequence of arrays.
      dtype: None: that in which they meet.

    Example:
      >>> jnp.hstack([jnp.array([1, 2]), jnp.array([3])])
      Array([1, 2, 3], dtype=int32)
      >>> jnp.hstack([jnp.array([[1], [2]]), jnp.array([[3], [4]])])
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """
    rows = _grown("hstack", tup, atleast_1d)
    return concatenate(rows, 0 if rows[0].aval.ndim == 1 else 1, dtype)


@library(moves=("tup",))
def dstack(tup: Any, dtype: Any = None) -> Value:
    """Arrays put together along the third axis.

    Args:
      tup: sequence of arrays; a vector counts as (1, n, 1), a matrix as (m, n, 1).
      dtype: None: that in which they meet.

    Example:
      >>> jnp.dstack([jnp.array([1, 2]), jnp.array([3, 4])])
      Array([[[1, 3],
              [2, 4]]], dtype=int32)
    """
    return concatenate(_grown("dstack", tup, atleast_3d), 2, dtype)


@library(moves=("tup",))
def column_stack(tup: Any) -> Value:
    """Vectors as the columns of a matrix; matrices side by side.

    Args:
      tup: sequence of vectors and matrices.

    Example:
      >>> jnp.column_stack([jnp.array([1, 2]), jnp.array([3, 4])])
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """

    def grow(x: Value) -> Value:
        return x if x.aval.ndim > 1 else reshape_to(x, (x.aval.size, 1))

    return concatenate(_grown("column_stack", tup, grow), 1)


@library(
    operands=("values",),
    moves=(
        "arr",
        "values",
    ),
)
def append(arr: Any, values: Any, axis: Any = None) -> Value:
    """`values` put behind `arr`, along an axis or (None) as vectors.

    Args:
      arr, values: arrays.
      axis: None: as vectors.

    Raises:
      TypeError: shapes do not fit.

    Example:
      >>> jnp.append(jnp.array([[1, 2]]), jnp.array([[3, 4]]))  # a vector: no axis was given
      Array([1, 2, 3, 4], dtype=int32)
      >>> jnp.append(jnp.array([[1, 2]]), jnp.array([[3, 4]]), axis=0)
      Array([[1, 2],
             [3, 4]], dtype=int32)
    """
    first, second = array_arguments("append", arr, values)
    if axis is None:
        return concatenate([ravel(first), ravel(second)], 0)
    return concatenate([first, second], axis)


@library(moves=("arrays",))
def block(arrays: Any) -> Value:
    """A matrix of blocks, given as nested lists: the innermost ones side by side, the outer ones below each other.

    Args:
      arrays: nested lists, all of one depth, of arrays and scalars.

    Raises:
      ValueError: lists of different depths, empty ones, tuples. TypeError: shapes that do not fit.

    Example:
      >>> jnp.block([[jnp.eye(2), jnp.zeros((2, 1))], [jnp.ones((1, 2)), 7]])
      Array([[1., 0., 0.],
             [0., 1., 0.],
             [1., 1., 7.]], dtype=float32)
    """
    found, _ = _block(arrays)
    return found


def _block(x: Any) -> tuple[Value, int]:
    if isinstance(x, tuple):
        raise ValueError("jnp.block takes lists and no tuples, which might be meant as indices or shapes")
    if not isinstance(x, list):
        return atleast_1d(array_argument("block", x)), 1
    if not x:
        raise ValueError("Arrays in jnp.block must not be empty lists")
    inner = [_block(e) for e in x]
    depth = inner[0][1]
    if any(d != depth for _, d in inner):
        raise ValueError("List depths are mismatched in jnp.block")
    rank = max(depth, *(e.aval.ndim for e, _ in inner))
    rows = [reshape_to(e, (1,) * (rank - e.aval.ndim) + e.aval.shape) for e, _ in inner]
    return concatenate(rows, -depth), depth + 1


# ---- apart ---------------------------------------------------------------------------------------


def _split(name: str, ary: Any, indices_or_sections: Any, axis: int, uneven: bool) -> list[Value]:
    x = array_argument(name, ary)
    axis = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[axis]
    what = f"in jax.numpy.{name} argument 1"
    if isinstance(indices_or_sections, (tuple, list)) or np.ndim(indices_or_sections) > 0:
        cuts = [0, *(known_integer(i, what) for i in indices_or_sections), n]
    else:
        sections = indices_or_sections
        parts = int(known_values(sections, what) if isinstance(sections, Tracer) else sections)
        if parts < 0:
            raise ValueError(f"{name}: the number of parts may not be negative, got {parts}")
        size, rest = divmod(n, parts)
        if rest and not uneven:
            raise ValueError(f"array split does not result in an equal division: {n} positions in {parts} parts")
        cuts = [i * size + min(i, rest) for i in range(parts + 1)]
    if any(b < a for a, b in itertools.pairwise(cuts)):
        raise ValueError(f"{name}: positions must ascend and lie inside, got {indices_or_sections} for {n} positions")
    return [slice_axis(x, axis, a, b) for a, b in itertools.pairwise(cuts)]


@library(moves=("ary",))
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """Parts along an axis.

    Args:
      ary: array.
      indices_or_sections: number of equal parts, of which the fraction is dropped, or the positions to cut at, integers.
      axis: the axis.

    Returns:
      A list of arrays.

    Raises:
      TypeError: a position is no integer, or is traced.
      ValueError: the parts would not be equal.

    Example:
      >>> jnp.split(jnp.arange(4), 2)  # two parts
      [Array([0, 1], dtype=int32), Array([2, 3], dtype=int32)]
      >>> jnp.split(jnp.arange(4), [2])  # cut in front of position 2
      [Array([0, 1], dtype=int32), Array([2, 3], dtype=int32)]
    """
    return _split("split", ary, indices_or_sections, axis, False)


@library(moves=("ary",))
def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """Like `split`; where parts cannot be equal, the first ones are larger by one.

    Args:
      ary, indices_or_sections, axis: as of `split`.

    Example:
      >>> jnp.array_split(jnp.arange(5), 3)
      [Array([0, 1], dtype=int32), Array([2, 3], dtype=int32), Array([4], dtype=int32)]
    """
    return _split("array_split", ary, indices_or_sections, axis, True)


@library(moves=("ary",))
def hsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the second axis; of vectors, along the only one.

    Args:
      ary, indices_or_sections: as of `split`.

    Example:
      >>> jnp.hsplit(jnp.array([[1, 2], [3, 4]]), 2)
      [Array([[1],
             [3]], dtype=int32), Array([[2],
             [4]], dtype=int32)]
    """
    x = array_argument("hsplit", ary)
    return _split("hsplit", x, indices_or_sections, 0 if x.aval.ndim == 1 else 1, False)


@library(moves=("ary",))
def vsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the first axis.

    Args:
      ary, indices_or_sections: as of `split`.

    Example:
      >>> jnp.vsplit(jnp.array([[1, 2], [3, 4]]), 2)
      [Array([[1, 2]], dtype=int32), Array([[3, 4]], dtype=int32)]
    """
    return _split("vsplit", ary, indices_or_sections, 0, False)


@library(moves=("ary",))
def dsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the third axis.

    Args:
      ary, indices_or_sections: as of `split`.

    Example:
      >>> [part.shape for part in jnp.dsplit(jnp.ones((2, 1, 4)), 2)]
      [(2, 1, 2), (2, 1, 2)]
    """
    return _split("dsplit", ary, indices_or_sections, 2, False)
