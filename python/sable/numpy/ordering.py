"""Sorting, order statistics, search in sorted arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS, bind
from sable.core.dtypes import default_dtype, to_complex_dtype
from sable.core.operands import (
    array_argument,
    array_arguments,
    compare,
    compare_to,
    convert,
    dtype_argument,
    expand_to,
    full_like,
    kind,
    logical,
    normal_axis,
    promote_dtypes,
    reshape_to,
    select,
)
from sable.core.values import retype
from sable.library.declare import library

from .indexing.selection import take, take_along_axis
from .joining import stack, unstack
from .manipulation import moveaxis
from .rearrangement import slice_axis
from .reductions import any as any_true
from .reductions import computed_in, reduced_axes
from .ufuncs_logic import greater_equal

# ---- sort ------------------------------------------------------------------------------------------


def _prepared(name: str, a: Any, axis: Any, kind_argument: Any, order: Any) -> tuple[Value, int]:
    if order is not None:
        raise TypeError(f"'order' argument to {name} is not supported.")
    if kind_argument is not None:
        raise TypeError(f"'kind' argument to {name} is not supported. Use stable=True or stable=False.")
    x = array_argument(name, a)
    if axis is None:
        return reshape_to(x, (x.aval.size,)), 0
    return x, normal_axis(axis, x.aval.ndim)


@library
def sort(
    a: Any, axis: Any = -1, *, kind: None = None, order: None = None, stable: bool = True, descending: bool = False
) -> Value:
    """The elements in ascending order along an axis, NaN last.

    Args:
      a: array.
      axis: None: of the array as a vector.
      kind, order: must be None.
      stable: equal elements keep their order.
      descending: in reverse.

    Raises:
      ValueError: the axis is out of bounds. TypeError: `kind` or `order` is given.

    Example:
      >>> jnp.sort(jnp.array([3.0, jnp.nan, 1.0])), jnp.sort(jnp.array([3, 1, 2]), descending=True)
      (Array([ 1.,  3., nan], dtype=float32), Array([3, 2, 1], dtype=int32))
    """
    x, place = _prepared("sort", a, axis, kind, order)
    (made,) = bind(OPS["sort"], x, dimension=place, num_keys=1, is_stable=stable)
    return BIND.reverse(made, dimensions=(place,)) if descending else made


@library
def argsort(
    a: Any, axis: Any = -1, *, kind: None = None, order: None = None, stable: bool = True,
    descending: bool = False, dtype: Any = None,
) -> Value:  # fmt: skip
    """The positions of the elements in ascending order along an axis; arguments as of `sort`.

    Args:
      dtype: of the positions; None: the default integer dtype.

    Example:
      >>> x = jnp.array([30, 10, 20])
      >>> jnp.argsort(x), x[jnp.argsort(x)]
      (Array([1, 2, 0], dtype=int32), Array([10, 20, 30], dtype=int32))
    """
    x, place = _prepared("argsort", a, axis, kind, order)
    wanted = dtype_argument(dtype, "argsort") or default_dtype("i")
    where = BIND.iota(shape=x.aval.shape, dtype=wanted, iota_dimension=place)
    if descending:  # both reversed, before and behind: so equal elements keep their order
        x, where = (BIND.reverse(v, dimensions=(place,)) for v in (x, where))
    _, made = bind(OPS["sort"], x, where, dimension=place, num_keys=1, is_stable=stable)
    return BIND.reverse(made, dimensions=(place,)) if descending else made


@library
def lexsort(keys: Any, axis: int = -1) -> Value:
    """The positions in the order of several keys, the last one first.

    Args:
      keys: sequence of arrays of one shape, or an array of them.
      axis: the axis along which is sorted.

    Raises:
      TypeError: there are no keys. ValueError: shapes differ.

    Example:
      >>> jnp.lexsort([jnp.array([1, 3, 2]), jnp.array([7, 5, 7])])  # by the 5 and the 7s, these by 1 and 2
      Array([1, 0, 2], dtype=int32)
    """
    if isinstance(keys, (Value, np.ndarray)):
        keys = unstack(keys)
    values = array_arguments("lexsort", *keys)
    if not values:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    if len({x.aval.shape for x in values}) > 1:
        raise ValueError("all keys need to be the same shape")
    if values[0].aval.ndim == 0:
        return BIND.full(values[0].aval.update(dtype=default_dtype("i"), weak_type=False), 0)
    place = normal_axis(axis, values[0].aval.ndim)
    where = BIND.iota(shape=values[0].aval.shape, dtype=default_dtype("i"), iota_dimension=place)
    operands = [*values[::-1], where]
    return bind(OPS["sort"], *operands, dimension=place, num_keys=len(values), is_stable=True)[-1]


@library
def sort_complex(a: Any) -> Value:
    """The elements in ascending order along the last axis, as complex numbers.

    Args:
      a: array.

    Example:
      >>> jnp.sort_complex(jnp.array([2 + 1j, 1 + 5j, 2 - 1j]))
      Array([1.+5.j, 2.-1.j, 2.+1.j], dtype=complex64)
    """
    made = sort(a)
    return convert(made, to_complex_dtype(made.aval.dtype))


def _real(name: str, a: Any) -> Value:
    x = array_argument(name, a)
    if x.aval.dtype.kind == "c":
        raise NotImplementedError(f"jnp.{name} of complex numbers, which have no order here, got {x.aval.short()}")
    return x


@library
def partition(a: Any, kth: int, axis: int = -1) -> Value:
    """The elements with the k-th in its place, smaller ones before and larger ones behind it: here sorted.

    Args:
      a: array.
      kth: the position, which may be negative.
      axis: the axis.

    Raises:
      ValueError: `kth` or the axis is out of bounds.

    Example:
      >>> jnp.partition(jnp.array([3, 9, 1, 7]), 1)[1]  # the second smallest
      Array(3, dtype=int32)
    """
    x = _real("partition", a)
    normal_axis(kth, x.aval.shape[normal_axis(axis, x.aval.ndim)])
    return sort(x, axis)


@library
def argpartition(a: Any, kth: int, axis: int = -1) -> Value:
    """The positions of the elements in the order of `partition`.

    Args:
      a, kth, axis: as of `partition`.

    Example:
      >>> x = jnp.array([3, 9, 1, 7])
      >>> jnp.argpartition(x, 1)[:2]  # where the two smallest are
      Array([2, 0], dtype=int32)
    """
    x = _real("argpartition", a)
    normal_axis(kth, x.aval.shape[normal_axis(axis, x.aval.ndim)])
    return convert(argsort(x, axis), np.dtype(np.int32))  # whatever default integers are


# ---- order statistics ------------------------------------------------------------------------------


def _flattened(x: Value, axis: Any, keepdims: bool) -> tuple[Value, tuple[int, ...]]:
    """The reduced axes as one last axis, and the shape of the result."""
    axes = reduced_axes(x, axis)
    rest = tuple(i for i in range(x.aval.ndim) if i not in axes)
    moved = moveaxis(x, axes, tuple(range(len(rest), x.aval.ndim))) if axes else x
    shape = tuple(x.aval.shape[i] for i in rest)
    n = math.prod(x.aval.shape[i] for i in axes)
    kept = tuple(1 if i in axes else m for i, m in enumerate(x.aval.shape)) if keepdims else shape
    return reshape_to(moved, (*shape, n)), kept


_METHODS = ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf")
#: Bytes of half precision, which cannot tell the places of long arrays.
_HALF = 2


def _quantile(
    name: str, a: Any, q: Any, axis: Any, method: str, keepdims: bool, skip_nan: bool, scale: float = 1.0,
    weights: Any = None,
) -> Value:  # fmt: skip
    weights = _weights_argument(name, method, weights)
    (x,) = promote_dtypes([array_argument(name, a)], "inexact")
    if kind(x) == "c":
        raise ValueError("quantile does not support complex input, as the operation is poorly defined.")
    x, quotients = retype(x, False), _quotients(name, q, scale, computed_in(x.aval.dtype))
    rows, kept = _flattened(x, axis, keepdims)
    unknown = compare(rows, rows, "NE")
    counts = _counts(rows, unknown, skip_nan)
    nan = compare_to(counts, 0, "EQ") if skip_nan else any_true(unknown, -1)
    if method == "inverted_cdf":
        heights = full_like(rows, 1) if weights is None else _weight_rows(x, weights, axis, rows.aval.dtype)
        fit = compare_to(heights, 0, "GE")
        nan = logical("or", nan, any_true(logical("not", fit), -1))
        heights = select(logical("or", unknown, logical("not", fit)), full_like(heights, 0), heights)
        order = argsort(rows, -1)
        rows, heights = (take_along_axis(v, order, axis=-1) for v in (rows, heights))
        heights = BIND.cumsum(heights, axis=heights.aval.ndim - 1, reverse=False)
        made = [_at_height(rows, part, heights) for part in _entries(quotients)]
    else:
        rows = sort(rows, -1)
        made = [_at_quantile(rows, part, counts, method) for part in _entries(quotients)]
    made = [reshape_to(select(nan, full_like(m, np.nan), m), kept) for m in made]
    if quotients.aval.ndim == 0:
        return made[0]
    return stack(made) if made else BIND.full(x.aval.update(shape=(0, *kept)), 0)


def _weights_argument(name: str, method: str, weights: Any) -> Value | None:
    """The weights, if these and the method go together."""
    if method not in _METHODS:
        raise ValueError(
            f"method can only be {', '.join(map(repr, _METHODS[:-1]))} or {_METHODS[-1]!r}, got {method!r}"
        )
    if weights is None:
        return None
    found = array_argument(name, weights)
    if kind(found) == "c":
        raise ValueError("Weights cannot be complex types.")
    if method != "inverted_cdf":
        raise NotImplementedError(f"{method} doesn't support weights. Only method 'inverted_cdf' supports weights.")
    return found


def _quotients(name: str, q: Any, scale: float, dtype: np.dtype) -> Value:
    """What part of the elements lies below: q / scale."""
    found = array_argument(name, q, 1)
    if found.aval.ndim > 1:
        raise ValueError(f"q must be have rank <= 1, got shape {found.aval.shape}")
    if scale == 1.0:
        if kind(found) != "f":
            raise TypeError(f"{name}: q must be a float or an array of floats, got {found.aval.short()}")
        return retype(convert(found, dtype), False)
    found = retype(convert(found, dtype), False)
    return BIND.divide(found, full_like(found, scale))


def _weight_rows(x: Value, weights: Value, axis: Any, dtype: np.dtype) -> Value:
    """Weights in the array's shape, or a vector for the one axis, laid out as `_flattened` does."""
    w = convert(weights, dtype)
    if w.aval.shape != x.aval.shape:
        axes = reduced_axes(x, axis)
        if w.aval.ndim != 1 or len(axes) != 1 or w.aval.size != x.aval.shape[axes[0]]:
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        w = BIND.broadcast_in_dim(w, shape=x.aval.shape, broadcast_dimensions=axes)
    return retype(_flattened(w, axis, False)[0], False)


def _at_height(rows: Value, q: Value, heights: Value) -> Value:
    """The first element at which the running sum of the weights reaches q of the whole."""
    n = rows.aval.shape[-1]
    whole = slice_axis(heights, heights.aval.ndim - 1, n - 1, n)
    wanted = BIND.multiply(expand_to(q, whole.aval.shape), whole)
    below = convert(compare(heights, expand_to(wanted, heights.aval.shape), "LT"), np.dtype(np.int32))
    place = BIND.reduce_sum(below, dimensions=(below.aval.ndim - 1,))
    place = BIND.minimum(place, full_like(place, n - 1))
    return reshape_to(take_along_axis(rows, reshape_to(place, whole.aval.shape), axis=-1), place.aval.shape)


def _entries(x: Value) -> list[Value]:
    """The elements of a scalar or vector, as scalars."""
    if x.aval.ndim == 0:
        return [x]
    return [reshape_to(slice_axis(x, 0, i, i + 1), ()) for i in range(x.aval.shape[0])]


def _counts(rows: Value, unknown: Value, skip_nan: bool) -> Value:
    """How many elements of each row count, as floats: float32 of half precision, which cannot count them."""
    shape, n = rows.aval.shape[:-1], rows.aval.shape[-1]
    dtype = np.dtype(np.float32) if rows.aval.dtype.itemsize == _HALF else rows.aval.dtype
    if not skip_nan:
        return BIND.full(rows.aval.update(shape=shape, dtype=dtype), n)
    known = convert(logical("not", unknown), dtype)
    return BIND.reduce_sum(known, dimensions=(len(shape),))


def _at_quantile(rows: Value, q: Value, counts: Value, method: str) -> Value:
    shape = counts.aval.shape
    top = BIND.maximum(BIND.subtract(counts, full_like(counts, 1)), full_like(counts, 0))
    place = BIND.multiply(expand_to(convert(q, counts.aval.dtype), shape), top)
    low, high = BIND.floor(place), BIND.ceil(place)
    weight = convert(BIND.subtract(place, low), rows.aval.dtype)

    def taken(where: Value) -> Value:
        inside = BIND.minimum(BIND.maximum(where, full_like(where, 0)), top)
        numbers = reshape_to(convert(inside, np.dtype(np.int32)), (*shape, 1))
        return reshape_to(take_along_axis(rows, numbers, axis=-1), shape)

    if method == "lower":
        return taken(low)
    if method == "higher":
        return taken(high)
    first, second = taken(low), taken(high)
    if method == "nearest":
        return select(compare(weight, full_like(weight, 0.5), "LE"), first, second)
    if method == "midpoint":
        return BIND.multiply(BIND.add(first, second), full_like(first, 0.5))
    rest = BIND.subtract(full_like(weight, 1), weight)
    return BIND.add(BIND.multiply(first, rest), BIND.multiply(second, weight))


def _no_overwriting(name: str, overwrite_input: bool, out: Any) -> None:
    if overwrite_input or out is not None:
        raise ValueError(f"jax.numpy.{name} does not support overwrite_input=True or out != None")


@library
def quantile(
    a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Value:  # fmt: skip
    """Quantiles of the elements along axes; NaN if there is one.

    Args:
      a: array.
      q: scalar or vector of numbers between 0 and 1; those of a vector make the result's first axis.
      axis: an axis or several; None: all.
      overwrite_input: must be False.
      method: between two elements "linear", "lower", "higher", "nearest" or "midpoint"; with weights "inverted_cdf".
      keepdims: leave axes of size 1.
      weights: what each element counts, in the array's shape or a vector for the axis.

    Raises:
      ValueError: complex elements; another method; `overwrite_input` or `out`.

    Example:
      >>> x = jnp.array([1.0, 2.0, 3.0, 10.0])
      >>> jnp.quantile(x, jnp.array([0.25, 0.5])), jnp.quantile(x, 0.5, method="lower")
      (Array([1.75, 2.5 ], dtype=float32), Array(2., dtype=float32))
    """
    _no_overwriting("quantile", overwrite_input, out)
    return _quantile("quantile", a, q, axis, method, keepdims, False, weights=weights)


@library
def nanquantile(
    a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Value:  # fmt: skip
    """Quantiles along axes of what is not NaN; arguments as of `quantile`.

    Example:
      >>> jnp.nanquantile(jnp.array([1.0, jnp.nan, 3.0]), 0.5)
      Array(2., dtype=float32)
    """
    _no_overwriting("nanquantile", overwrite_input, out)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True, weights=weights)


@library
def percentile(
    a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Value:  # fmt: skip
    """`quantile` with q between 0 and 100.

    Args:
      q: scalar or vector of numbers between 0 and 100.
      a, axis, overwrite_input, method, keepdims, weights: as of `quantile`.

    Example:
      >>> jnp.percentile(jnp.array([1.0, 2.0, 3.0, 10.0]), 25)
      Array(1.75, dtype=float32)
    """
    _no_overwriting("percentile", overwrite_input, out)
    return _quantile("percentile", a, q, axis, method, keepdims, False, 100.0, weights=weights)


@library
def nanpercentile(
    a: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, method: str = "linear",
    keepdims: bool = False, *, weights: Any = None,
) -> Value:  # fmt: skip
    """`nanquantile` with q between 0 and 100.

    Args:
      q: scalar or vector of numbers between 0 and 100.
      a, axis, overwrite_input, method, keepdims, weights: as of `quantile`.

    Example:
      >>> jnp.nanpercentile(jnp.array([1.0, jnp.nan, 3.0]), 50)
      Array(2., dtype=float32)
    """
    _no_overwriting("nanpercentile", overwrite_input, out)
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True, 100.0, weights=weights)


@library
def median(a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Value:
    """The middle of the elements along axes (of two middle ones their mean); NaN if there is one.

    Args:
      a, axis, overwrite_input, keepdims: as of `quantile`.

    Example:
      >>> jnp.median(jnp.array([[1, 2], [3, 10]])), jnp.median(jnp.array([[1, 2], [3, 10]]), axis=0)
      (Array(2.5, dtype=float32), Array([2., 6.], dtype=float32))
    """
    return quantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


@library
def nanmedian(
    a: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False
) -> Value:
    """The middle along axes of what is not NaN.

    Args:
      a, axis, overwrite_input, keepdims: as of `quantile`.

    Example:
      >>> jnp.nanmedian(jnp.array([1.0, jnp.nan, 3.0]))
      Array(2., dtype=float32)
    """
    return nanquantile(a, 0.5, axis, out, overwrite_input, "midpoint", keepdims)


# ---- search ----------------------------------------------------------------------------------------


def _before(x: Value, y: Value) -> Value:
    """x < y with NaN behind all numbers."""
    if kind(x) == "c":  # by the real parts, then by the imaginary ones
        (a, b), (c, d) = [(BIND.real(v), BIND.imag(v)) for v in (x, y)]
        less = logical("or", compare(a, c, "LT"), logical("and", compare(a, c, "EQ"), compare(b, d, "LT")))
    else:
        less = compare(x, y, "LT")
    if kind(x) not in "fc":
        return less
    return logical("and", compare(x, x, "EQ"), logical("or", less, compare(y, y, "NE")))


def _position_dtype(n: int) -> np.dtype:
    """The dtype of positions among n, with or without 64-bit dtypes."""
    return np.dtype(np.int32 if n < 2**31 else np.int64)


@library(operands=("v",))
def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan") -> Value:
    """Where values belong in a sorted vector.

    Args:
      a: vector in ascending order.
      v: the values.
      side: "left": before equal elements; "right": behind them.
      sorter: positions that sort `a`, where it is not sorted.
      method: accepted: "scan", "scan_unrolled", "sort", "compare_all", "default".

    Returns:
      Integers in the shape of `v`.

    Raises:
      ValueError: another side or method; `a` is no vector.

    Example:
      >>> a = jnp.array([1, 3, 3, 5])
      >>> jnp.searchsorted(a, 3), jnp.searchsorted(a, 3, side="right"), jnp.searchsorted(a, jnp.array([0, 9]))
      (Array(1, dtype=int32), Array(3, dtype=int32), Array([0, 4], dtype=int32))
    """
    if side not in ("left", "right"):
        raise ValueError(f"{side!r} is an invalid value for keyword 'side'. Expected one of ['left', 'right'].")
    if method not in ("scan", "scan_unrolled", "sort", "compare_all", "default"):
        raise ValueError(f"{method!r} is an invalid value for keyword 'method'.")
    line, values = promote_dtypes(array_arguments("searchsorted", a, v))
    if line.aval.ndim != 1:
        raise ValueError("a should be 1-dimensional")
    if sorter is not None:
        line = take(line, sorter)
    line, values = retype(line, False), retype(values, False)
    n, shape = line.aval.shape[0], values.aval.shape
    index = _position_dtype(n)
    low = BIND.full(values.aval.update(dtype=index), 0)
    high = full_like(low, n)
    # bisection: `low` elements are known to lie before the value, and those from `high` on are not
    for _ in range(n.bit_length()):
        middle = BIND.shift_right_logical(BIND.add(low, high), full_like(low, 1))
        found = take(line, reshape_to(middle, shape), mode="clip")
        onward = _before(found, values) if side == "left" else logical("not", _before(values, found))
        onward = logical("and", onward, compare(low, high, "LT"))
        low = select(onward, BIND.add(middle, full_like(low, 1)), low)
        high = select(onward, high, middle)
    return low


@library
def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Value:
    """Number of the interval between neighbouring bins that each value lies in.

    Args:
      x: array.
      bins: vector of n numbers, ascending or descending.
      right: intervals have their right ends, not their left ones.
      method: as of `searchsorted`.

    Returns:
      Integers in the shape of `x`: 0 before the first bin, n behind the last one.

    Raises:
      ValueError: `bins` is no vector.

    Example:
      >>> bins = jnp.array([0.0, 1.0, 2.0])
      >>> jnp.digitize(jnp.array([-5.0, 0.0, 1.0, 1.5]), bins), jnp.digitize(1.0, bins, right=True)
      (Array([0, 1, 2, 2], dtype=int32), Array(1, dtype=int32))
    """
    value, edges = array_arguments("digitize", x, bins)
    if edges.aval.ndim != 1:
        raise ValueError(f"digitize: bins must be a 1-dimensional array; got bins={bins}")
    n = edges.aval.shape[0]
    if n == 0:
        return BIND.full(value.aval.update(dtype=_position_dtype(n), weak_type=False), 0)
    side = "left" if right else "right"
    up = searchsorted(edges, value, side)
    down = searchsorted(BIND.reverse(edges, dimensions=(0,)), value, side)
    ascending = greater_equal(edges[-1], edges[0])
    return select(ascending, up, BIND.subtract(full_like(down, n), down))
