"""Slices put into arrays and left out of them: `insert`, `delete`, `trim_zeros`."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    counted_from_front,
    expand_to,
    full_like,
    kind,
    known_integer,
    known_values,
    normal_axes,
    normal_axis,
)
from sable.library.declare import library

from .arrays import array, asarray
from .creation import arange
from .indexing.selection import take
from .joining import concatenate
from .manipulation import moveaxis, ravel
from .ordering import argsort, sort
from .rearrangement import slice_axis
from .reductions import sum
from .ufuncs import clip


def _inside(numbers: Value, n: int) -> Value:
    """Numbers counted from the front, between 0 and n."""
    return clip(counted_from_front(numbers, n), 0, n)


@library
def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Value:
    """Values put in front of slices along an axis.

    Args:
      arr: array.
      obj: in front of which slices: an integer, a vector of integers, or a slice.
      values: a value for each number; with a single number any number of them. They broadcast, and are converted to the
        array's dtype.
      axis: None: the array as a vector.

    Raises:
      ValueError: `obj` has more than one dimension or no integers, shapes do not fit, the axis is out of bounds.

    Example:
      >>> jnp.insert(jnp.array([1, 2, 3]), 1, 9)
      Array([1, 9, 2, 3], dtype=int32)
      >>> jnp.insert(jnp.array([1, 2, 3]), jnp.array([0, 2]), 9)  # numbers count in the old array
      Array([9, 1, 2, 9, 3], dtype=int32)
    """
    x, _, new = array_arguments("insert", arr, 0 if isinstance(obj, slice) else obj, values)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normal_axis(known_integer(axis, "axis argument of jnp.insert()"), x.aval.ndim)
    n = x.aval.shape[axis]
    numbers = arange(*obj.indices(n)) if isinstance(obj, slice) else asarray(obj)
    if numbers.aval.ndim > 1:
        raise ValueError(f"jnp.insert(): obj must be a slice, a one-dimensional array, or a scalar; got {obj}")
    if kind(numbers) not in "iu":
        if numbers.aval.size or isinstance(obj, Value):
            raise ValueError(f"jnp.insert(): index array must be integer typed; got {obj}")
        numbers = convert(numbers, default_dtype("i"))
    new = array(new, ndmin=x.aval.ndim, dtype=x.aval.dtype, copy=False)
    if not numbers.aval.ndim:
        new = moveaxis(new, 0, axis)
    count = new.aval.shape[axis]
    numbers = ravel(numbers)
    if numbers.aval.size == 1:
        numbers = expand_to(numbers, (count,))
    elif count not in (1, numbers.aval.size):
        raise ValueError(f"jnp.insert(): {count} values for {numbers.aval.size} positions along axis {axis}")
    shape = tuple(numbers.aval.size if d == axis else m for d, m in enumerate(x.aval.shape))
    # slices keep their order, and what is inserted in front of slice k stands between k - 1 and k
    double = BIND.multiply(_inside(numbers, n), full_like(numbers, 2))
    own = arange(1, 2 * n + 1, 2, dtype=numbers.aval.dtype)
    order = argsort(concatenate([double, own]))
    return take(concatenate([expand_to(new, shape), x], axis), order, axis, mode="clip")


@library
def delete(arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False) -> Value:
    """The array without some slices along an axis.

    Args:
      arr: array.
      obj: which slices: an integer, a slice, an array of integers or a vector of booleans. Arrays must be known, unless
        they have integers and `assume_unique_indices` is True.
      axis: None: the array as a vector.
      assume_unique_indices: promises that no slice is named twice.

    Raises:
      ValueError: an axis or a number out of bounds; booleans of another length; neither integers nor booleans.
      ConcretizationTypeError: `obj` is traced, and not said to be unique.

    Example:
      >>> jnp.delete(jnp.array([10, 20, 30]), jnp.array([0, 2]))
      Array([20], dtype=int32)
      >>> jnp.delete(jnp.array([[1, 2], [3, 4]]), 0, axis=1)
      Array([[2],
             [4]], dtype=int32)
    """
    x = array_argument("delete", arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[axis]
    number = _as_integer(obj)
    if number is not None:
        k = normal_axis(number, n)
        return concatenate([slice_axis(x, axis, 0, k), slice_axis(x, axis, k + 1, n)], axis)
    if isinstance(obj, slice):
        return take(x, np.delete(np.arange(n, dtype=np.int32), obj), axis)
    numbers = array_arguments("delete", x, obj)[1]
    if assume_unique_indices and kind(numbers) in "iu":
        return take(x, _others(ravel(numbers), n), axis, mode="clip")
    known = known_values(numbers, "'obj' array argument of jnp.delete()")
    if known.dtype == np.bool_ and known.shape != (n,):
        raise ValueError(
            f"np.delete(arr, obj): boolean obj must be a vector as long as the axis, {n}, got shape {known.shape}"
        )
    if known.dtype.kind not in "biu":
        raise ValueError(f"np.delete(arr, obj): got obj.dtype={known.dtype}; must be integer or bool.")
    return take(x, np.delete(np.arange(n, dtype=np.int32), known), axis)


def _as_integer(x: Any) -> int | None:
    try:
        return operator.index(x)
    except TypeError:
        return None


def _others(numbers: Value, n: int) -> Value:
    """The numbers below n that are not among those given, of which none stands twice."""
    # the k-th that is left has as many removed ones before it as are at most k larger than their own number among them
    found = sort(_inside(numbers, n))
    found = BIND.subtract(found, arange(found.aval.size, dtype=found.aval.dtype))
    left = arange(n - found.aval.size, dtype=found.aval.dtype)
    shape = (found.aval.size, left.aval.size)
    before = BIND.compare(
        BIND.broadcast_in_dim(left, shape=shape, broadcast_dimensions=(1,)),
        BIND.broadcast_in_dim(found, shape=shape, broadcast_dimensions=(0,)),
        comparison_direction="GE",
    )
    return BIND.add(left, sum(before, 0, dtype=left.aval.dtype))


@library
def trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Value:
    """The array without the slices at its edges that have zeros only. Its values must be known.

    Args:
      filt: array.
      trim: "f" at the front, "b" at the back.
      axis: an axis or several; None: all.

    Raises:
      ConcretizationTypeError: a traced array. ValueError: an axis out of bounds.

    Example:
      >>> jnp.trim_zeros(jnp.array([0, 0, 1, 0, 2, 0]))
      Array([1, 0, 2], dtype=int32)
    """
    x = array_argument("trim_zeros", filt)
    known = known_values(x, "Error arose in the `filt` argument of trim_zeros()") != 0
    axes = normal_axes(axis, x.aval.ndim)
    ends = trim.lower()
    if "f" not in ends and "b" not in ends:
        return x
    for d in axes:
        (used,) = np.nonzero(known.any(axis=tuple(i for i in range(known.ndim) if i != d)))
        first = int(used[0]) if used.size and "f" in ends else 0
        stop = int(used[-1]) + 1 if used.size and "b" in ends else x.aval.shape[d]
        x = slice_axis(x, d, first, stop if used.size else 0)
    return x
