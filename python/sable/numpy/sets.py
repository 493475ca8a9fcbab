"""Arrays as sets: what values there are, and which of them two arrays have in common."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import default_dtype
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    compare,
    compare_to,
    convert,
    expand_to,
    filled,
    full_like,
    kind,
    known,
    known_integer,
    logical,
    normal_axis,
    promote_dtypes,
    reshape_to,
    select,
)
from sable.library.declare import library

from .cumulative import diff
from .indexing.positions import nonzero
from .indexing.read import getitem, read
from .indexing.update import write
from .joining import append, concatenate
from .manipulation import moveaxis
from .ordering import lexsort
from .rearrangement import slice_axis
from .reductions import any as any_true
from .ufuncs_logic import where

_BOOL = np.dtype(np.bool_)
_SIZE_HINT = "Pass a static `size`, how many elements the result shall have, to use it within JAX transformations."


def _vector(x: Value) -> Value:
    return reshape_to(x, (x.aval.size,))


def _at(x: Value, places: Value) -> Value:
    """Rows by their numbers, which lie inside."""
    return read(x, (places,), mode="promise_in_bounds", wrap_negative_indices=False)


def _count(mask: Value) -> Value:
    return BIND.reduce_sum(convert(mask, default_dtype("i")), dimensions=(0,))


def _has_entry(size: int, count: Value) -> Value:
    """For each of `size` places whether it is among the first `count`."""
    line = BIND.iota(shape=(size,), dtype=count.aval.dtype, iota_dimension=0)
    return compare(line, expand_to(count, (size,)), "LT")


# ---- the values of one array -----------------------------------------------------------------------------------------


def _differ(x: Value, y: Value, equal_nan: bool) -> Value:
    found = compare(x, y, "NE")
    if not equal_nan or kind(x) not in "fc":
        return found
    return logical("and", found, logical("not", logical("and", compare(x, x, "NE"), compare(y, y, "NE"))))


def _is_new(rows: Value, equal_nan: bool) -> Value:
    """Which of one row or more differ from the one before; the first does."""
    n = rows.aval.shape[0]
    found = _differ(slice_axis(rows, 0, 1, n), slice_axis(rows, 0, 0, n - 1), equal_nan)
    found = any_true(found, tuple(range(1, found.aval.ndim))) if found.aval.ndim > 1 else found
    return BIND.concatenate(filled((1,), _BOOL, True), found, dimension=0)


def _groups(x: Value, equal_nan: bool) -> tuple[Value, Value, Value]:
    """The rows in ascending order, which of them differ from the one before, and where they came from."""
    n, *rest = x.aval.shape
    integer = default_dtype("i")
    if kind(x) == "c":  # a number with NaN in either part is NaN
        x = select(compare(x, x, "NE"), full_like(x, np.nan), x)
    columns = math.prod(rest)
    if not columns:  # rows without elements are all the same
        return (
            BIND.full(x.aval.update(shape=(1, *rest)), 0),
            filled((1,), _BOOL, False),
            filled((1,), integer, 0),
        )
    flat = reshape_to(x, (n, columns))
    keys = [reshape_to(slice_axis(flat, 1, k, k + 1), (n,)) for k in reversed(range(columns))]
    order = lexsort(keys)
    if not n:
        return x, filled((0,), _BOOL, False), order
    rows = _at(x, order)
    return rows, _is_new(rows, equal_nan), order


def _inverse(first: Value, order: Value) -> Value:
    """For each row the number of its group."""
    ones = convert(first, order.aval.dtype)
    numbers = BIND.subtract(BIND.cumsum(ones, axis=0, reverse=False), full_like(ones, 1))
    return write("scatter", full_like(order, 0), order, numbers, unique_indices=True)


def _group_sizes(first: Value, size: int | None) -> Value:
    n = first.aval.size
    starts = nonzero(first, size=None if size is None else size + 1, fill_value=n)[0]
    return diff(append(starts, n) if size is None else starts)


@library
def unique(
    ar: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, *, equal_nan: bool = True, size: int | None = None, fill_value: Any = None,
    sorted: bool = True,
) -> Any:  # fmt: skip
    """The different elements of an array, or its different slices along an axis, in ascending order.

    Args:
      ar: array.
      return_index: also return where each of them stands first.
      return_inverse: also return for each element which of them it is: integers in the array's shape, or a vector if
        there is an axis.
      return_counts: also return how often each of them occurs.
      axis: None: elements.
      equal_nan: NaN is one element, however often it occurs.
      size: how many to return, which traced arrays need: others are left out, missing ones filled in.
      fill_value: what is filled in; None: the first of them.
      sorted: accepted; they always are.

    Returns:
      An array, or a tuple of it and what else was asked for, in the order of the arguments.

    Raises:
      ConcretizationTypeError: a traced array and no size.
      ValueError: no elements, a size and no fill_value; no such axis.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.unique(jnp.array([3, 1, 3]), return_counts=True)
      (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    x = array_argument("unique", ar)
    if size is None:
        x = known(x, f"The error arose for the first argument of jnp.unique(). {_SIZE_HINT}")
    else:
        size = known_integer(size, f"The error arose for the size argument of jnp.unique(). {_SIZE_HINT}")
    shape, place = x.aval.shape, 0
    if axis is None:
        x = _vector(x)
    else:
        place = normal_axis(axis, x.aval.ndim)
        x = moveaxis(x, place, 0)
    n = x.aval.shape[0]
    if not n and size and fill_value is None:
        raise ValueError("jnp.unique: an array without elements and a size other than 0 need a fill_value")
    rows, first, order = _groups(x, equal_nan)
    places = nonzero(first, size=size)[0] if rows.aval.size else None
    found = rows if places is None else _at(rows, places)
    if size is not None and fill_value is not None:
        found = _with_fill(found, _has_entry(size, _count(first)), fill_value)
    results = [moveaxis(found, 0, place)]
    if return_index:
        results.append(order if places is None else _at(order, places))
    if return_inverse:
        numbers = filled((n,), default_dtype("i"), 0) if places is None else _inverse(first, order)
        results.append(reshape_to(numbers, shape) if axis is None else numbers)
    if return_counts:
        empty = filled((1,) if n else (0,), default_dtype("i"), n)
        results.append(empty if places is None else _group_sizes(first, size))
    return results[0] if len(results) == 1 else tuple(results)


def _with_fill(rows: Value, there: Value, fill_value: Any) -> Value:
    fill = convert(array_argument("unique", fill_value), rows.aval.dtype)
    mask = reshape_to(there, (there.aval.size, *[1] * (rows.aval.ndim - 1)))
    return where(mask, rows if rows.aval.shape[0] else fill, fill)


class _UniqueAllResult(NamedTuple):
    """What `unique_all` returns."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class _UniqueCountsResult(NamedTuple):
    """What `unique_counts` returns."""

    values: Any
    counts: Any


class _UniqueInverseResult(NamedTuple):
    """What `unique_inverse` returns."""

    values: Any
    inverse_indices: Any


@library
def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueAllResult:
    """The different elements, where each stands first, which each element is, and how often each occurs.

    Each NaN counts as another element. Arguments and errors as of `unique`.

    Args:
      x: array.
      size, fill_value: as of `unique`.

    Returns:
      A named tuple (values, indices, inverse_indices, counts).

    Example:
      >>> found = jnp.unique_all(jnp.array([3, 1, 3]))
      >>> found.values, found.counts
      (Array([1, 3], dtype=int32), Array([1, 2], dtype=int32))
    """
    x = array_argument("unique_all", x)
    return _UniqueAllResult(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


@library
def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueCountsResult:
    """The different elements and how often each occurs; see `unique_all`.

    Args:
      x: array.
      size, fill_value: as of `unique`.

    Example:
      >>> jnp.unique_counts(jnp.array([3, 1, 3]))
      _UniqueCountsResult(values=Array([1, 3], dtype=int32), counts=Array([1, 2], dtype=int32))
    """
    x = array_argument("unique_counts", x)
    found = unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value)
    return _UniqueCountsResult(*found)


@library
def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> _UniqueInverseResult:
    """The different elements and for each element which of them it is; see `unique_all`.

    Args:
      x: array.
      size, fill_value: as of `unique`.

    Example:
      >>> found = jnp.unique_inverse(jnp.array([3, 1, 3]))
      >>> found.values[found.inverse_indices]
      Array([3, 1, 3], dtype=int32)
    """
    x = array_argument("unique_inverse", x)
    found = unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value)
    return _UniqueInverseResult(*found)


@library
def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The different elements; see `unique_all`.

    Args:
      x: array.
      size, fill_value: as of `unique`.

    Example:
      >>> jnp.unique_values(jnp.array([3.0, jnp.nan, jnp.nan])), jnp.unique(jnp.array([3.0, jnp.nan, jnp.nan]))
      (Array([ 3., nan, nan], dtype=float32), Array([ 3., nan], dtype=float32))
    """
    x = array_argument("unique_values", x)
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# ---- two arrays ------------------------------------------------------------------------------------------------------


def _places_in(x: Value, line: Value) -> tuple[Value, Value]:
    """For each element of a vector where it stands first in another one, and whether it is there."""
    n, count = line.aval.size, line.aval.size + x.aval.size
    integer = default_dtype("i")
    if not n or not x.aval.size:
        return filled(x.aval.shape, integer, 0), filled(x.aval.shape, _BOOL, False)
    both = BIND.concatenate(line, x, dimension=0)
    numbers = BIND.iota(shape=(count,), dtype=integer, iota_dimension=0)
    ascending, order = bind(OPS["sort"], both, numbers, dimension=0, num_keys=1, is_stable=True)
    # of equal elements those of the line come first, the first of them in front
    new = _is_new(ascending, equal_nan=False)
    starts = BIND.cummax(select(new, numbers, full_like(numbers, 0)), axis=0, reverse=False)
    first = write("scatter", full_like(numbers, 0), order, _at(order, starts), unique_indices=True)
    first = slice_axis(first, 0, n, count)
    return first, compare_to(first, n, "LT")


@library
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, method: str = "auto"
) -> Value:
    """For each element of an array whether another array has it, too. NaN is in none.

    Args:
      element: array.
      test_elements: the other array.
      assume_unique: accepted.
      invert: whether it has it not.
      method: "compare_all" or "auto": each element with each; "binary_search" or "sort": in the sorted array.

    Returns:
      Booleans in the shape of `element`.

    Raises:
      ValueError: another method.

    Example:
      >>> jnp.isin(jnp.array([1, 2, 3]), jnp.array([3, 1]))
      Array([ True, False,  True], dtype=bool)
    """
    x, line = promote_dtypes(array_arguments("isin", element, test_elements))
    shape = x.aval.shape
    x, line = _vector(x), _vector(line)
    if not x.aval.size or not line.aval.size:
        return filled(shape, _BOOL, invert)
    if method in ("auto", "compare_all"):
        both = (x.aval.size, line.aval.size)
        pairs = [BIND.broadcast_in_dim(v, shape=both, broadcast_dimensions=(k,)) for k, v in enumerate((x, line))]
        found = any_true(compare(*pairs, "EQ"), 1)
    elif method in ("binary_search", "sort"):
        found = _places_in(x, line)[1]
    else:
        raise ValueError(
            f"method={method!r} is not implemented; options are 'compare_all', 'binary_search', 'sort', and 'auto'"
        )
    return reshape_to(logical("not", found) if invert else found, shape)


class _Distinct(NamedTuple):
    """A vector in which only the elements count for which the mask is true: each of them once; and where it stood."""

    values: Value
    mask: Value
    places: Value


def _distinct(x: Value, assume_unique: bool) -> _Distinct:
    """The different elements of a vector; as they stand if they are said to be different."""
    if assume_unique:
        n = x.aval.size
        return _Distinct(
            x, filled((n,), _BOOL, True), BIND.iota(shape=(n,), dtype=default_dtype("i"), iota_dimension=0)
        )
    return _Distinct(*_groups(x, equal_nan=True))


def _ascending(values: Value, mask: Value, *others: Value) -> list[Value]:
    """The elements that count in ascending order, and behind them the others; those of other vectors in the same order."""
    order = lexsort((values, logical("not", mask)))
    return [_at(v, order) for v in (values, mask, *others)]


def _chosen(x: Value, mask: Value, size: int | None, fill_value: Any) -> Value:
    """The elements for which the mask is true, with a size as many as it says.

    Args:
      fill_value: of missing elements; None: the first element, or 0 if there is none.
    """
    if size is None:
        return getitem(x, mask)
    found = _at(x, nonzero(mask, size=size)[0]) if x.aval.size else BIND.full(x.aval.update(shape=(size,)), 0)
    count = _count(mask)
    if fill_value is None:
        head = slice_axis(found, 0, 0, min(size, 1))
        fill_value = select(expand_to(compare_to(count, 0, "GT"), head.aval.shape), head, full_like(head, 0))
    return where(_has_entry(size, count), found, fill_value)


def _known_sets(name: str, xs: list[Value], size: Any) -> tuple[list[Value], int | None]:
    """Arrays whose values decide how long a result is, known if there is no size."""
    what = f"The error arose in {name}(). {_SIZE_HINT}"
    return ([known(x, what) for x in xs], None) if size is None else (xs, known_integer(size, what))


@library
def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The different elements of two arrays, in ascending order.

    Args:
      ar1, ar2: arrays.
      size, fill_value: as of `unique`.

    Raises:
      ConcretizationTypeError: a traced array and no size.

    Example:
      >>> jnp.union1d(jnp.array([3, 1]), jnp.array([1, 2]))
      Array([1, 2, 3], dtype=int32)
    """
    both, size = _known_sets("union1d", array_arguments("union1d", ar1, ar2), size)
    return unique(concatenate(both, axis=None), size=size, fill_value=fill_value)


@library
def setdiff1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Value:
    """The different elements of an array that another one has not, in ascending order.

    Args:
      ar1, ar2: arrays.
      assume_unique: the elements of `ar1` are different; they stay in their order.
      size: how many to return, which traced arrays need: others are left out, missing ones filled in.
      fill_value: what is filled in; None: 0.

    Returns:
      A vector in the dtype of `ar1`.

    Raises:
      ConcretizationTypeError: a traced array and no size.

    Example:
      >>> jnp.setdiff1d(jnp.array([3, 1, 2, 1]), jnp.array([2]))
      Array([1, 3], dtype=int32)
    """
    x, other = array_arguments("setdiff1d", ar1, ar2)
    (x,), size = _known_sets("setdiff1d", [x], size)
    fill = convert(array_argument("setdiff1d", 0 if fill_value is None else fill_value), x.aval.dtype)
    if not x.aval.size:
        return expand_to(fill, (size or 0,))
    own = _distinct(_vector(x), assume_unique)
    is_there = _places_in(*promote_dtypes([own.values, _vector(other)]))[1]
    return _chosen(own.values, logical("and", own.mask, logical("not", is_there)), size, fill)


@library
def setxor1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Value:
    """The different elements that one of two arrays has and the other has not, in ascending order.

    Args:
      ar1, ar2: arrays.
      assume_unique: the elements of each are different.
      size: how many to return, which traced arrays need: others are left out, missing ones filled in.
      fill_value: what is filled in; None: the first of them, or 0.

    Returns:
      A vector.

    Raises:
      ConcretizationTypeError, IndexError: a traced array and no size.

    Example:
      >>> jnp.setxor1d(jnp.array([3, 1]), jnp.array([1, 2]))
      Array([2, 3], dtype=int32)
    """
    both = promote_dtypes([_vector(x) for x in array_arguments("setxor1d", ar1, ar2)])
    if not assume_unique:
        both, size = _known_sets("setxor1d", both, size)
    sets = [_distinct(x, assume_unique) for x in both]
    masks = [
        logical("and", own.mask, logical("not", _places_in(own.values, other)[1]))
        for own, other in zip(sets, reversed(both))
    ]
    values = BIND.concatenate(*[own.values for own in sets], dimension=0)
    values, mask = _ascending(values, BIND.concatenate(*masks, dimension=0))
    return _chosen(values, mask, size, fill_value)


@library
def intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False, *, size: int | None = None,
    fill_value: Any = None,
) -> Any:  # fmt: skip
    """The different elements that two arrays have in common, in ascending order.

    Args:
      ar1, ar2: arrays.
      assume_unique: the elements of each are different.
      return_indices: also return where they stand first in each of the two, as vectors.
      size: how many to return, which traced arrays need: others are left out, missing ones filled in.
      fill_value: what is filled in; None: the first of them, or 0. Missing positions are the arrays' sizes.

    Returns:
      A vector, or a tuple of it and two vectors of positions.

    Raises:
      ConcretizationTypeError, IndexError: a traced array and no size.

    Example:
      >>> jnp.intersect1d(jnp.array([3, 1, 2]), jnp.array([2, 3]), return_indices=True)
      (Array([2, 3], dtype=int32), Array([2, 0], dtype=int32), Array([0, 1], dtype=int32))
    """
    both = promote_dtypes([_vector(x) for x in array_arguments("intersect1d", ar1, ar2)])
    if not assume_unique:
        both, size = _known_sets("intersect1d", both, size)
    x, other = both
    own = _distinct(x, assume_unique)
    places, is_there = _places_in(own.values, other)
    mask = logical("and", own.mask, is_there)
    values, mask, *indices = _ascending(own.values, mask, own.places, places)
    common = _chosen(values, mask, size, fill_value)
    if not return_indices:
        return common
    dtype = INT32 if assume_unique and size is None else default_dtype("i")
    found = [_chosen(convert(i, dtype), mask, size, v.aval.size) for i, v in zip(indices, both)]
    return common, *found
