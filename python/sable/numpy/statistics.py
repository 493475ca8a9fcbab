"""Counts and histograms, covariance and correlation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype, issubdtype, to_inexact_dtype, user_dtype
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    compare,
    compare_to_zero,
    convert,
    filled,
    full_like,
    kind,
    known_integer,
    known_values,
    promote_dtypes,
    reshape_to,
    select,
)
from sable.library.declare import library

from .arrays import asarray
from .creation import linspace
from .cumulative import diff
from .indexing.positions import ravel_multi_index
from .indexing.read import getitem
from .indexing.update import write
from .joining import concatenate
from .manipulation import atleast_2d, matrix_transpose, squeeze
from .matrices import diag
from .ordering import searchsorted
from .products import dot
from .rearrangement import slice_axis
from .reductions import average
from .reductions import max as greatest
from .reductions import min as least
from .reductions import sum as total
from .ufuncs import absolute, clip, divide, multiply, subtract
from .ufuncs_float import conjugate, imag, real, sqrt

# ---- counts ----------------------------------------------------------------------------------------------------------


@library
def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Value:
    """How often each number from 0 on occurs in a vector of integers, or the sums of weights; negative ones count as 0.

    Args:
      x: vector of integers or booleans.
      weights: what each element adds, in the shape of `x`; None: 1.
      minlength: the least length of the result.
      length: the length of the result, which traced vectors need: numbers beyond are left out. None: as long as it
        takes.

    Returns:
      A vector of integers, or in the dtype of the weights.

    Raises:
      TypeError: no integers. ValueError: no vector; weights of another shape.
      ConcretizationTypeError: a traced vector and no length.

    Example:
      >>> jnp.bincount(jnp.array([1, 3, 1])), jnp.bincount(jnp.array([1, 3, 1]), length=2)
      (Array([0, 2, 0, 1], dtype=int32), Array([0, 2], dtype=int32))
      >>> jnp.bincount(jnp.array([0, 1, 1]), weights=jnp.array([0.5, 1.0, 2.0]))
      Array([0.5, 3. ], dtype=float32)
    """
    numbers = array_argument("bincount", x)
    if kind(numbers) == "b":
        numbers = convert(numbers, INT32)
    if kind(numbers) not in "iu":
        raise TypeError(f"x argument to bincount must have an integer type; got {numbers.aval.dtype}")
    if numbers.aval.ndim != 1:
        raise ValueError("only 1-dimensional input supported.")
    minlength = known_integer(minlength, "The error occurred because of argument 'minlength' of jnp.bincount.")
    if length is None:
        values = known_values(
            numbers,
            "The error occurred because of argument 'x' of jnp.bincount. Pass a static `length` to avoid it.",
        )
        length = max(minlength, int(values.max(initial=-1)) + 1)
    else:
        length = known_integer(length, "The error occurred because of argument 'length' of jnp.bincount.")
    if weights is None:
        added = filled((), default_dtype("i"), 1)
    else:
        added = array_argument("bincount", weights, 1)
        if added.aval.shape != numbers.aval.shape:
            raise ValueError(
                f"weights must have the shape of x: got x={numbers.aval.short()} and weights={added.aval.short()}"
            )
    sums = filled((length,), added.aval.dtype, 0)
    return write("scatter_add", sums, BIND.maximum(numbers, full_like(numbers, 0)), added, mode="drop")


@library
def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Value:
    """The edges of the intervals of a histogram.

    Args:
      a: array.
      bins: how many intervals of one width, or a vector of edges.
      range: first and last edge; None: the least and the greatest element.
      weights: not used.

    Returns:
      A vector of floats, one longer than there are intervals.

    Raises:
      NotImplementedError: names of methods for `bins`. ValueError: `range` is no pair.
      TypeError: `bins` is no integer. ConcretizationTypeError: it is traced.

    Example:
      >>> jnp.histogram_bin_edges(jnp.array([0.0, 1.0, 4.0]), bins=2)
      Array([0., 2., 4.], dtype=float32)
    """
    if isinstance(bins, str):
        raise NotImplementedError("string values for `bins` not implemented.")
    x, edges = array_arguments("histogram_bin_edges", a, bins)
    dtype = to_inexact_dtype(x.aval.dtype)
    if edges.aval.ndim == 1:
        return convert(edges, dtype)
    count = known_integer(bins, "bins argument of histogram_bin_edges")
    ends = asarray([least(x), greatest(x)] if range is None else range, dtype)
    if ends.aval.shape != (2,):
        raise ValueError(f"`range` must be either None or a sequence of scalars, got {range}")
    low, high = (reshape_to(slice_axis(ends, 0, k, k + 1), ()) for k in (0, 1))
    same = compare_to_zero(subtract(high, low), "EQ")
    half = full_like(low, 0.5)
    low, high = select(same, subtract(low, half), low), select(same, BIND.add(high, half), high)
    return linspace(low, high, count + 1, dtype=dtype)


def _interval(edges: Value, x: Value) -> Value:
    """How many edges are not above each element; the last edge belongs to the interval before it."""
    n = edges.aval.shape[0]
    found = searchsorted(edges, x, "right")
    last = reshape_to(slice_axis(edges, 0, n - 1, n), ())
    is_last = compare(
        *promote_dtypes([x, BIND.broadcast_in_dim(last, shape=x.aval.shape, broadcast_dimensions=())]), "EQ"
    )
    return select(is_last, full_like(found, n - 1), found)


@library
def histogram(a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None) -> Any:
    """How many elements of an array lie in each of several intervals.

    Args:
      a: array.
      bins, range: see `histogram_bin_edges`.
      weights: what each element counts, in the shape of `a`; None: 1.
      density: whether counts are divided by the widths and by their sum.

    Returns:
      (counts, edges), floats.

    Raises:
      ValueError: weights of another shape; and as `histogram_bin_edges`.

    Example:
      >>> jnp.histogram(jnp.array([1, 2, 2, 4]), bins=3)  # the last interval has its right end, too
      (Array([1., 2., 1.], dtype=float32), Array([1., 2., 3., 4.], dtype=float32))
    """
    if weights is None:
        x, _ = array_arguments("histogram", a, bins)
        (x,) = promote_dtypes([x], "inexact")
        added = filled(x.aval.shape, x.aval.dtype, 1)
    else:
        x, _, added = array_arguments("histogram", a, bins, weights)
        if x.aval.shape != added.aval.shape:
            raise ValueError("weights should have the same shape as a.")
        x, added = promote_dtypes([x, added], "inexact")
    edges = histogram_bin_edges(x, bins, range)
    n = edges.aval.shape[0]
    counts = write("scatter_add", filled((n,), added.aval.dtype, 0), _interval(edges, x), added)
    counts = slice_axis(counts, 0, 1, n)
    if density:
        counts = divide(divide(counts, diff(edges)), total(counts))
    return counts, edges


@library
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> Any:
    """How many points of a plane lie in each of several rectangles.

    Args:
      x, y: vectors of coordinates.
      bins: intervals of both axes (a number, or a vector of edges), or a pair of these.
      range, weights, density: see `histogramdd`.

    Returns:
      (counts, edges of x, edges of y).

    Example:
      >>> counts, _, _ = jnp.histogram2d(jnp.array([0.0, 1.0, 1.0]), jnp.array([0.0, 0.0, 1.0]), bins=2)
      >>> counts
      Array([[1, 0],
             [1, 1]], dtype=int32)
    """
    both = array_arguments("histogram2d", x, y)
    try:
        pair = len(bins)
    except TypeError:
        pair = 1
    if pair not in (1, 2):
        bins = [asarray(bins)] * 2
    counts, edges = histogramdd(matrix_transpose(asarray(both)), bins, range, weights, density)
    return counts, edges[0], edges[1]


@library
def histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> Any:
    """How many points lie in each of several boxes.

    Args:
      sample: matrix, a row a point.
      bins: intervals of all axes (a number), or a sequence: for each axis a number or a vector of edges.
      range: for each axis first and last edge, or None.
      weights: what each point counts; None: 1.
      density: whether counts are divided by the boxes' volumes and by their sum.

    Returns:
      (counts, list of each axis' edges); counts are integers without weights.

    Raises:
      ValueError: no matrix; as many bins or ranges as there are no axes; weights of another length.

    Example:
      >>> counts, edges = jnp.histogramdd(jnp.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), bins=(2, 1))
      >>> counts, [e.size for e in edges]
      (Array([[1],
             [2]], dtype=int32), [3, 2])
    """
    if weights is None:
        (points,) = promote_dtypes([array_argument("histogramdd", sample)], "inexact")
    else:
        points, added = array_arguments("histogramdd", sample, weights)
        if added.aval.shape != points.aval.shape[:1]:
            raise ValueError("should have one weight for each sample.")
        points, weights = promote_dtypes([points, added], "inexact")
    if points.aval.ndim != 2:
        raise ValueError(f"histogramdd: the sample must be a matrix of points and axes, got shape {points.aval.shape}")
    n, axes = points.aval.shape
    if range is not None and (len(range) != axes or any(r is not None and np.shape(r)[0] != 2 for r in range)):
        raise ValueError(
            f"For sample.shape={(n, axes)}, range must be a sequence of {axes} pairs or Nones; got range={range!r}"
        )
    try:
        each = list(bins)
    except TypeError:
        each = [bins] * axes
    if len(each) != axes:
        raise ValueError("should be a bin for each dimension.")
    columns = [reshape_to(slice_axis(points, 1, k, k + 1), (n,)) for k, _ in enumerate(each)]
    edges = [
        histogram_bin_edges(x, b, None if range is None else range[k]) for k, (x, b) in enumerate(zip(columns, each))
    ]
    # the intervals below the first edge and above the last one are counted, too, and cut off in the end
    sizes = tuple(e.aval.shape[0] + 1 for e in edges)
    places = ravel_multi_index(tuple(_interval(e, x) for e, x in zip(edges, columns)), sizes, mode="clip")
    counts = reshape_to(bincount(places, weights, length=math.prod(sizes)), sizes)
    counts = getitem(counts, (slice(1, -1),) * axes)
    if density:
        counts = convert(counts, points.aval.dtype)
        counts = divide(counts, total(counts))
        for k, e in enumerate(edges):
            widths = diff(e)
            counts = divide(counts, reshape_to(widths, _along(k, widths.aval.size, axes)))
    return counts, edges


def _along(axis: int, size: int, rank: int) -> tuple[int, ...]:
    return (*[1] * axis, size, *[1] * (rank - axis - 1))


# ---- covariance ------------------------------------------------------------------------------------------------------


def _weights(name: str, given: Any, count: int) -> Value:
    found = array_argument("cov", given)
    if found.aval.ndim > 1:
        raise RuntimeError(f"cannot handle multidimensional {name}")
    if found.aval.shape != (count,):
        raise RuntimeError(f"incompatible numbers of samples and {name}")
    if name == "fweights" and kind(found) not in "iu":
        raise TypeError("fweights must be integer.")
    return absolute(found)


def _float_argument(name: str, dtype: Any) -> Any:
    if dtype is not None and not issubdtype(dtype, np.inexact):
        raise ValueError(f"{name}: dtype must be a subclass of float or complex; got dtype={dtype!r}")
    return None if dtype is None else user_dtype(dtype, name)


@library
def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None, fweights: Any = None,
    aweights: Any = None, dtype: Any = None,
) -> Value:  # fmt: skip
    """The covariances of several variables.

    Args:
      m: matrix of variables and observations, or a vector: observations of one variable.
      y: more variables, likewise.
      rowvar: rows are variables; else columns are.
      bias: divide by the number of observations n, not by n - 1.
      ddof: divide by n - ddof instead.
      fweights: how often each observation was made, integers.
      aweights: how much each observation weighs.
      dtype: of the result, a float or complex dtype.

    Returns:
      The matrix of covariances, a scalar for one variable; NaN without observations.

    Raises:
      ValueError: more than two dimensions; a dtype of integers.
      RuntimeError: weights do not fit the observations. TypeError: frequencies that are no integers.

    Example:
      >>> jnp.cov(jnp.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))  # two variables, three observations
      Array([[1., 2.],
             [2., 4.]], dtype=float32)
    """
    given = promote_dtypes(array_arguments("cov", *([m] if y is None else [m, y])), "inexact")
    for name, x in zip("ym" if y is not None else "m", reversed(given)):
        if x.aval.ndim > 2:
            raise ValueError(f"{name} has more than 2 dimensions")
    wanted = _float_argument("cov", dtype)
    x = atleast_2d(given[0])
    if not rowvar and given[0].aval.ndim != 1:
        x = matrix_transpose(x)
    if not x.aval.shape[0]:
        return filled((0, 0), default_dtype("f"), 0)
    if y is not None:
        other = atleast_2d(given[1])
        if not rowvar and other.aval.shape[0] != 1:
            other = matrix_transpose(other)
        x = concatenate((x, other), axis=0)
    variables, n = x.aval.shape
    if not n:
        return filled(() if variables == 1 else (variables, variables), x.aval.dtype, np.nan)
    frequencies = None if fweights is None else _weights("fweights", fweights, n)
    importances = None if aweights is None else _weights("aweights", aweights, n)
    weights = _product(frequencies, importances)
    if wanted is not None:
        x = convert(x, wanted)
        weights = None if weights is None else convert(weights, wanted)
    means, sums = average(x, axis=1, weights=weights, returned=True)
    freedom = _freedom(n, (0 if bias else 1) if ddof is None else ddof, weights, importances, sums)
    x = subtract(x, reshape_to(means, (variables, 1)))
    weighted = x if weights is None else multiply(x, reshape_to(weights, (1, n)))
    return squeeze(divide(dot(x, conjugate(matrix_transpose(weighted))), freedom))


def _product(x: Value | None, y: Value | None) -> Value | None:
    return y if x is None else x if y is None else multiply(x, y)


def _freedom(n: int, ddof: int, weights: Value | None, importances: Value | None, sums: Value) -> Any:
    """What sums of products are divided by."""
    if weights is None:
        return n - ddof
    whole = reshape_to(slice_axis(sums, 0, 0, 1), ())
    if not ddof:
        return whole
    if importances is None:
        return subtract(whole, ddof)
    return subtract(whole, divide(multiply(total(multiply(weights, importances)), ddof), whole))


@library
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, dtype: Any = None) -> Value:
    """The correlation coefficients of several variables, between -1 and 1; arguments and errors as of `cov`.

    Args:
      x: matrix of variables and observations, or a vector: observations of one variable.

    Example:
      >>> jnp.round(jnp.corrcoef(jnp.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])), 3)
      Array([[ 1., -1.],
             [-1.,  1.]], dtype=float32)
    """
    array_argument("corrcoef", x)
    _float_argument("corrcoef", dtype)
    c = cov(x, y, rowvar, dtype=dtype)
    if not c.aval.ndim:
        return divide(c, c)
    n = c.aval.shape[0]
    deviations = convert(sqrt(real(diag(c))), c.aval.dtype)
    c = divide(divide(c, reshape_to(deviations, (n, 1))), reshape_to(deviations, (1, n)))
    parts = [clip(part(c), -1, 1) for part in ((real, imag) if kind(c) == "c" else (real,))]
    return BIND.complex(*parts) if len(parts) > 1 else parts[0]
