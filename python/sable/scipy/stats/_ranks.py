"""Ranks, most common values, standard errors: statistics of samples along an axis."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.dtypes import default_dtype
from sable.core.operands import array_argument, normal_axis, promote_dtypes
from sable.library.declare import library


class ModeResult(NamedTuple):
    """What `mode` gives: the most common values, and how often each occurs.

    >>> jax.scipy.stats.mode(jnp.array([2, 4, 4])).mode
    Array(4, dtype=int32)
    """

    mode: Value
    count: Value


def _need_propagate(name: str, nan_policy: str) -> None:
    if nan_policy not in ("propagate", "omit", "raise"):
        raise ValueError(f"Illegal nan_policy value {nan_policy!r}; expected one of 'propagate', 'omit', 'raise'")
    if nan_policy != "propagate":
        raise NotImplementedError(f"{name} with nan_policy={nan_policy!r}: the values of traced arrays are not known")


def _starts(ordered: Any) -> Any:
    """Where, along the first axis of sorted values, another value begins; NaNs are one value."""
    before, after = ordered[:-1], ordered[1:]
    first = jnp.ones((min(1, ordered.shape[0]), *ordered.shape[1:]), bool)
    return jnp.concatenate([first, (before != after) & ~(jnp.isnan(before) & jnp.isnan(after))])


def _positions(x: Any) -> Any:
    return lax.broadcasted_iota(default_dtype("i"), x.shape, 0)


@library(operands=("a",))
def mode(a: Any, axis: int | None = 0, nan_policy: str = "propagate", keepdims: bool = False) -> ModeResult:
    """The most common value along an axis, the least one of several, and how often it occurs.

    Args:
      a: an array; NaNs count as one value, the largest.
      axis: None is over all elements.
      nan_policy: only "propagate".
      keepdims: leave the axis, of size 1.

    Returns:
      A named tuple (mode, count) of arrays without the axis; NaN and 0 where there are no values.

    Raises:
      NotImplementedError: another policy. ValueError: one that SciPy does not have.

    >>> jax.scipy.stats.mode(jnp.array([[2, 4], [1, 4], [2, 3]])).count
    Array([2, 2], dtype=int32)
    """
    x = jnp.atleast_1d(array_argument("mode", a))
    _need_propagate("mode", nan_policy)
    if axis is None:
        kept, flat = (1,) * x.ndim, x.reshape(-1, 1)
        shape = kept if keepdims else ()
    else:
        axis = normal_axis(axis, x.ndim)
        rest = x.shape[:axis] + x.shape[axis + 1 :]
        shape = x.shape[:axis] + (1,) + x.shape[axis + 1 :] if keepdims else rest
        flat = jnp.moveaxis(x, axis, 0).reshape(x.shape[axis], math.prod(rest))
    values, counts = _modes(flat)
    return ModeResult(values.reshape(shape), counts.reshape(shape))


def _modes(x: Any) -> tuple[Any, Any]:
    """Mode and count of each column: the last element of the first longest run of sorted values."""
    if x.shape[0] == 0:
        empty = jnp.zeros(x.shape[1:], default_dtype("f"))
        return empty + jnp.nan, empty
    ordered = jnp.sort(x, axis=0)
    index = _positions(x)
    length = index - lax.cummax(jnp.where(_starts(ordered), index, 0), axis=0) + 1
    best = jnp.argmax(length, axis=0, keepdims=True)
    return jnp.take_along_axis(ordered, best, axis=0)[0], jnp.max(length, axis=0)


_METHODS = ("average", "min", "max", "dense", "ordinal")


@library(operands=("a",))
def rankdata(a: Any, method: str = "average", *, axis: int | None = None, nan_policy: str = "propagate") -> Value:
    """Ranks from 1 on.

    Args:
      a: an array.
      method: what equal values get: the "average", "min" or "max" of the ranks that they would have, the same, next one
        ("dense"), or in the order in which they stand ("ordinal").
      axis: along which they are ranked; None is over all elements.
      nan_policy: only "propagate": all is NaN where one value is.

    Returns:
      An array of the default floating dtype, of the shape of a; of one dimension if axis is None.

    Raises:
      NotImplementedError: another policy. ValueError: one that SciPy does not have, or another method.

    >>> jax.scipy.stats.rankdata(jnp.array([10, 30, 20, 30]))
    Array([1. , 3.5, 2. , 3.5], dtype=float32)
    """
    x = array_argument("rankdata", a)
    _need_propagate("rankdata", nan_policy)
    if method not in _METHODS:
        raise ValueError(f"unknown method '{method}'; expected one of {', '.join(_METHODS)}")
    if axis is None:
        return _ranks(jnp.ravel(x), method)
    axis = normal_axis(axis, x.ndim)
    return jnp.moveaxis(_ranks(jnp.moveaxis(x, axis, 0), method), 0, axis)


def _ranks(x: Any, method: str) -> Any:
    """Ranks along the first axis."""
    order = jnp.argsort(x, axis=0, stable=True)
    ordered = jnp.take_along_axis(x, order, axis=0)
    found = jnp.take_along_axis(_ranks_in_order(ordered, method), jnp.argsort(order, axis=0), axis=0)
    return jnp.where(jnp.any(jnp.isnan(x), axis=0), jnp.nan, found)


def _ranks_in_order(ordered: Any, method: str) -> Any:
    """Ranks of sorted values, as floats."""
    dtype = default_dtype("f")
    index, starts = _positions(ordered), _starts(ordered)
    if method == "ordinal":
        return (index + 1).astype(dtype)
    if method == "dense":
        return jnp.cumsum(starts, axis=0).astype(dtype)
    first = lax.cummax(jnp.where(starts, index, 0), axis=0)
    ends = jnp.concatenate([starts[1:], starts[:1]])
    last = lax.cummin(jnp.where(ends, index, ordered.shape[0] - 1), axis=0, reverse=True)
    low, high = (first + 1).astype(dtype), (last + 1).astype(dtype)
    return {"min": low, "max": high, "average": 0.5 * (low + high)}[method]


@library(operands=("a",))
def sem(a: Any, axis: int | None = 0, ddof: int = 1, nan_policy: str = "propagate", *, keepdims: bool = False) -> Value:
    """The standard error of the mean: the standard deviation over the square root of the number of samples.

    Args:
      a: an array; integers are converted to the default floating dtype.
      axis: None is over all elements.
      ddof: degrees of freedom that the deviation lacks.
      nan_policy: "propagate", or "omit": NaNs do not count.
      keepdims: leave the axis, of size 1.

    Raises:
      ValueError: another policy.

    >>> jax.scipy.stats.sem(jnp.array([2.0, 4.0, 1.0, 3.0]))
    Array(0.6454972, dtype=float32)
    """
    (x,) = promote_dtypes([array_argument("sem", a)], "inexact")
    if nan_policy == "propagate":
        size = x.size if axis is None else x.shape[axis]
        return jnp.std(x, axis, ddof=ddof, keepdims=keepdims) / jnp.sqrt(size).astype(x.dtype)
    if nan_policy != "omit":
        raise ValueError(f"{nan_policy} is not supported")
    count = jnp.sum(~jnp.isnan(x), axis, keepdims=keepdims)
    return jnp.nanstd(x, axis, ddof=ddof, keepdims=keepdims) / jnp.sqrt(count).astype(x.dtype)
