"""Reductions that leave NaN out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.operands import (
    array_argument,
    broadcast_shape,
    compare,
    convert,
    dtype_argument,
    expand_to,
    full_like,
    kind,
    logical,
    select,
)
from sable.core.values import retype
from sable.library.declare import library

from . import reductions
from .cumulative import cumprod, cumsum
from .reductions import computed_in, mask_argument, no_out


def _known(x: Value) -> Value:
    """What is not NaN."""
    return retype(compare(x, x, "EQ"), False)


def _filled(name: str, a: Any, value: float) -> Value:
    x = array_argument(name, a)
    return x if kind(x) not in "fc" else select(_known(x), x, full_like(x, value))


@library
def nansum(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = None,
) -> Value:  # fmt: skip
    """Sum along axes, NaN counted as 0; arguments as of `sum`.

    Example:
      >>> jnp.nansum(jnp.array([1.0, jnp.nan, 3.0])), jnp.nansum(jnp.array([jnp.nan]))
      (Array(4., dtype=float32), Array(0., dtype=float32))
    """
    mask = mask_argument("nansum", where)
    return reductions.sum(_filled("nansum", a, 0), axis, dtype, out, keepdims, initial, mask)


@library
def nanprod(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, initial: Any = None,
    where: Any = None,
) -> Value:  # fmt: skip
    """Product along axes, NaN counted as 1; arguments as of `prod`.

    Example:
      >>> jnp.nanprod(jnp.array([2.0, jnp.nan, 3.0]))
      Array(6., dtype=float32)
    """
    mask = mask_argument("nanprod", where)
    return reductions.prod(_filled("nanprod", a, 1), axis, dtype, out, keepdims, initial, mask)


def _extreme(
    name: str, reduce: Callable, bound: float, a: Any, axis: Any, out: Any, keepdims: bool, initial: Any, where: Any
) -> Value:
    no_out(name, out)
    x, mask = array_argument(name, a), mask_argument(name, where)
    if kind(x) not in "fc":
        return reduce(x, axis, None, keepdims, initial, mask)
    known = _known(x)
    made = reduce(select(known, x, full_like(x, bound)), axis, None, keepdims, initial, mask)
    if initial is not None:
        return made
    none = logical("not", reductions.any(known, axis, keepdims=keepdims))
    return select(none, full_like(made, np.nan), made)


@library
def nanmax(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Value:
    """The largest element along axes that is not NaN (NaN if there is none); arguments as of `max`.

    Example:
      >>> jnp.nanmax(jnp.array([[1.0, jnp.nan], [jnp.nan, jnp.nan]]), axis=1)
      Array([ 1., nan], dtype=float32)
    """
    return _extreme("nanmax", reductions.max, -np.inf, a, axis, out, keepdims, initial, where)


@library
def nanmin(
    a: Any, axis: Any = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Value:
    """The smallest element along axes that is not NaN (NaN if there is none); arguments as of `min`.

    Example:
      >>> jnp.nanmin(jnp.array([1.0, jnp.nan, 3.0]))
      Array(1., dtype=float32)
    """
    return _extreme("nanmin", reductions.min, np.inf, a, axis, out, keepdims, initial, where)


def _arg_extreme(reduce: Callable, bound: float, name: str, a: Any, axis: Any, out: Any, keepdims: Any) -> Value:
    no_out(name, out)
    x = array_argument(name, a)
    if kind(x) not in "fc":
        return reduce(x, axis, None, keepdims)
    known = _known(x)
    made = reduce(select(known, x, full_like(x, bound)), axis, None, keepdims)
    none = logical("not", reductions.any(known, axis, keepdims=bool(keepdims)))
    return select(none, full_like(made, -1), made)


@library
def nanargmax(a: Any, axis: Any = None, out: None = None, keepdims: bool | None = None) -> Value:
    """Position of the largest element that is not NaN, -1 if there is none; arguments as of `argmax`.

    Example:
      >>> jnp.nanargmax(jnp.array([1.0, jnp.nan, 3.0])), jnp.argmax(jnp.array([1.0, jnp.nan, 3.0]))
      (Array(2, dtype=int32), Array(1, dtype=int32))
    """
    return _arg_extreme(reductions.argmax, -np.inf, "nanargmax", a, axis, out, keepdims)


@library
def nanargmin(a: Any, axis: Any = None, out: None = None, keepdims: bool | None = None) -> Value:
    """Position of the smallest element that is not NaN, -1 if there is none; arguments as of `argmin`.

    Example:
      >>> jnp.nanargmin(jnp.array([[jnp.nan, 1.0], [jnp.nan, jnp.nan]]), axis=1)
      Array([ 1, -1], dtype=int32)
    """
    return _arg_extreme(reductions.argmin, np.inf, "nanargmin", a, axis, out, keepdims)


def _both(mask: Value | None, known: Value) -> Value:
    if mask is None:
        return known
    shape = broadcast_shape((mask.aval.shape, known.aval.shape))
    return logical("and", expand_to(mask, shape), expand_to(known, shape))


@library
def nanmean(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, where: Any = None
) -> Value:
    """Mean along axes of what is not NaN; arguments as of `mean`.

    Example:
      >>> jnp.nanmean(jnp.array([1.0, jnp.nan, 3.0]))  # of two elements
      Array(2., dtype=float32)
    """
    x, mask = array_argument("nanmean", a), mask_argument("nanmean", where)
    if kind(x) not in "fc":
        return reductions.mean(x, axis, dtype, out, keepdims, where=mask)
    return reductions.mean(x, axis, dtype, out, keepdims, where=_both(mask, _known(x)))


@library
def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None,
) -> Value:  # fmt: skip
    """Variance along axes of what is not NaN; arguments as of `var`.

    Example:
      >>> jnp.nanvar(jnp.array([1.0, jnp.nan, 3.0]))
      Array(1., dtype=float32)
    """
    no_out("nanvar", out)
    return _variance("nanvar", a, axis, dtype, ddof, keepdims, where, mean)


def _variance(
    name: str, a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: bool, where: Any, mean: Any
) -> Value:  # fmt: skip
    x, mask = array_argument(name, a), mask_argument(name, where)
    if kind(x) not in "fc":
        return reductions.variance(name, x, axis, dtype, ddof, keepdims, mask, mean, None)
    mask = _both(mask, _known(x))
    # what is left out is 0 and not NaN, which would reach the derivatives
    x = _filled(name, x, 0)
    wanted = dtype_argument(dtype, name)
    reductions.check_variance_dtype(x, wanted)
    x = convert(x, computed_in(to_inexact_dtype(x.aval.dtype)))
    made = reductions.variance(name, x, axis, None, ddof, keepdims, mask, mean, None)
    source = array_argument(name, a).aval.dtype
    result = wanted if wanted is not None else reductions._real_of(to_inexact_dtype(source))
    return convert(made, result)


@library
def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: bool = False,
    where: Any = None, mean: Any = None,
) -> Value:  # fmt: skip
    """Standard deviation along axes of what is not NaN; arguments as of `var`.

    Example:
      >>> jnp.nanstd(jnp.array([1.0, jnp.nan, 3.0]), ddof=1)
      Array(1.4142135, dtype=float32)
    """
    no_out("nanstd", out)
    return BIND.sqrt(_variance("nanstd", a, axis, dtype, ddof, keepdims, where, mean))


@library
def nancumsum(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Value:
    """Running sum along an axis, NaN counted as 0; arguments as of `cumsum`.

    Example:
      >>> jnp.nancumsum(jnp.array([1.0, jnp.nan, 3.0]))
      Array([1., 1., 4.], dtype=float32)
    """
    return cumsum(_filled("nancumsum", a, 0), axis, dtype, out)


@library
def nancumprod(a: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Value:
    """Running product along an axis, NaN counted as 1; arguments as of `cumprod`.

    Example:
      >>> jnp.nancumprod(jnp.array([2.0, jnp.nan, 3.0]))
      Array([2., 2., 6.], dtype=float32)
    """
    return cumprod(_filled("nancumprod", a, 1), axis, dtype, out)
