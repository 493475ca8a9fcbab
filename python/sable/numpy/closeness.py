"""Whether arrays are close or equal, and numbers for NaN and infinities."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import finfo
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    compare,
    compare_to,
    convert,
    expand_to,
    kind,
    logical,
    promote,
    scalar,
)
from sable.core.values import retype
from sable.library.declare import library
from sable.library.words import all_words
from sable.pytree.arrays import WRAPPERS

from . import reductions
from .arrays import asarray
from .ufuncs import absolute
from .ufuncs_logic import choose, equal, isnan, less_equal, logical_and, logical_or


@library
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Value:
    """|a - b| <= atol + rtol |b|, or both the same infinity; as booleans.

    Args:
      a, b: arrays that broadcast.
      rtol, atol: relative and absolute tolerance.
      equal_nan: whether NaN is close to NaN.

    Example:
      >>> jnp.isclose(jnp.array([1.0, 1.0]), jnp.array([1.000001, 1.001]))
      Array([ True, False], dtype=bool)
      >>> jnp.isclose(1e-9, 2e-9)  # small numbers: set atol to 0
      Array(True, dtype=bool)
    """
    if type(a) in WRAPPERS and type(b) in WRAPPERS:  # close words say nothing of keys
        return equal(a, b)
    x, y = promote("isclose", (a, b))
    same = compare(x, y, "EQ")
    if kind(x) in "fc":
        bound = atol + rtol * absolute(y)
        near = less_equal(absolute(BIND.subtract(x, y)), bound)
        finite = logical("and", _finite(x), _finite(y))
        same = logical_or(logical_and(near, finite), same)
    elif kind(x) in "iu":
        wide = np.dtype(np.float32)
        u, v = convert(x, wide), convert(y, wide)
        same = logical_or(less_equal(absolute(u - v), atol + rtol * absolute(v)), same)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return retype(same, False)


@library
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Value:
    """True if all elements are close; arguments as of `isclose`.

    Returns:
      A boolean scalar array.

    Example:
      >>> jnp.allclose(jnp.array([0.1 + 0.2]), 0.3), jnp.allclose(jnp.nan, jnp.nan, equal_nan=True)
      (Array(True, dtype=bool), Array(True, dtype=bool))
    """
    return reductions.all(isclose(a, b, rtol, atol, equal_nan))


@library(moves=("a1", "a2"), join=all_words)
def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Value:
    """True if two arrays (or nested lists) have one shape and equal elements.

    Args:
      equal_nan: whether NaN is equal to NaN.

    Args:
      a1, a2: arrays, scalars or nested lists.

    Example:
      >>> jnp.array_equal(jnp.array([1, 2]), [1.0, 2.0]), jnp.array_equal(jnp.ones(1), jnp.ones((1, 1)))
      (Array(True, dtype=bool), Array(False, dtype=bool))
    """
    x, y = _read(a1), _read(a2)
    if x is None or y is None or x.aval.shape != y.aval.shape:
        return scalar(False, np.dtype(np.bool_))
    return _all_equal(x, y, equal_nan)


@library
def array_equiv(a1: Any, a2: Any) -> Value:
    """True if two arrays (or nested lists) broadcast and their elements are equal.

    Args:
      a1, a2: arrays, scalars or nested lists.

    Example:
      >>> jnp.array_equiv(jnp.ones(1), jnp.ones((2, 2)))
      Array(True, dtype=bool)
    """
    x, y = _read(a1), _read(a2)
    try:
        shape = broadcast_shape((x.aval.shape, y.aval.shape))  # type: ignore[union-attr]
    except (ValueError, AttributeError):
        return scalar(False, np.dtype(np.bool_))
    return _all_equal(expand_to(x, shape), expand_to(y, shape), False)  # type: ignore[arg-type]


def _read(a: Any) -> Value | None:
    """An array, or None of what cannot be read as one."""
    try:
        return asarray(a)
    except (TypeError, ValueError):
        return None


def _all_equal(x: Any, y: Any, equal_nan: bool) -> Value:
    same = equal(x, y)
    if equal_nan:
        same = logical_or(same, logical_and(isnan(x), isnan(y)))
    return reductions.all(same)


def _finite(x: Value) -> Value:
    if kind(x) == "c":
        return logical("and", BIND.is_finite(BIND.real(x)), BIND.is_finite(BIND.imag(x)))
    return BIND.is_finite(x)


@library
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Value:
    """NaN and infinities replaced by numbers.

    Args:
      x: array.
      copy: accepted; arrays never change.
      nan: what stands for NaN.
      posinf, neginf: what stands for the infinities; None: the largest and the smallest finite number.

    Example:
      >>> jnp.nan_to_num(jnp.array([jnp.nan, jnp.inf, 1.0]), posinf=9.0)
      Array([0., 9., 1.], dtype=float32)
    """
    value = array_argument("nan_to_num", x)
    a = value.aval
    if kind(value) == "c":
        parts = [nan_to_num(part, copy, nan, posinf, neginf) for part in (BIND.real(value), BIND.imag(value))]
        return BIND.complex(*parts)
    if kind(value) != "f":
        return value
    value = retype(value, False)
    info = finfo(a.dtype)
    high, low = (
        (float(info.max) if posinf is None else posinf),
        (float(info.min) if neginf is None else neginf),
    )

    def replaced(test: Value, by: Any) -> Value:
        (by,) = array_arguments("nan_to_num", by)
        return choose(test, convert(by, a.dtype), value)

    value = replaced(compare(value, value, "NE"), nan)
    value = replaced(compare_to(value, np.inf, "EQ"), high)
    return replaced(compare_to(value, -np.inf, "EQ"), low)
