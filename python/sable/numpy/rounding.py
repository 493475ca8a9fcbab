"""Whole numbers near floats, and the parts of floats: `round`, `modf`, `frexp` ..., element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype, finfo, iinfo
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_values,
    compare_to,
    convert,
    full_like,
    kind,
    known_integer,
    logical,
    promote_dtypes,
    select,
)
from sable.core.values import retype
from sable.library.declare import library

from ._table import by_kind, unary
from .reductions import no_out


def _same(x: Value) -> Value:
    return x


floor = unary(
    "floor", "The largest integer not above x.", by_kind(b=None, i=None, u=None, other="floor"), "same", _same
)("""
    >>> jnp.floor(jnp.array([-1.5, 1.5])), jnp.floor(jnp.array([1, 2]))  # integers stay integers
    (Array([-2.,  1.], dtype=float32), Array([1, 2], dtype=int32))
    """)
ceil = unary("ceil", "The smallest integer not below x.", by_kind(b=None, i=None, u=None, other="ceil"), "same", _same)("""
    >>> jnp.ceil(jnp.array([-1.5, 1.5]))
    Array([-1.,  2.], dtype=float32)
    """)


@library(operands=("x",), promotion="same")
def trunc(x: Any) -> Value:
    """x without its fraction, in its dtype.

    Args:
      x: an array or scalar of real numbers.

    Example:
      >>> jnp.trunc(jnp.array([-1.5, 1.5])), jnp.floor(jnp.array([-1.5, 1.5]))
      (Array([-1.,  1.], dtype=float32), Array([-2.,  1.], dtype=float32))
    """
    if kind(x) in "biu":
        return x
    return select(compare_to(x, 0, "LT"), BIND.ceil(x), BIND.floor(x))


def _by_parts(f: Any, x: Value) -> Value:
    return BIND.complex(f(BIND.real(x)), f(BIND.imag(x)))


@library
def rint(x: Any, /) -> Value:
    """The nearest integers as floats; halves go to the even one.

    Args:
      x: an array or scalar; integers become floats, parts of complex numbers are rounded each.

    Example:
      >>> jnp.rint(jnp.array([0.5, 1.5, 2.5]))
      Array([0., 2., 2.], dtype=float32)
    """
    value = array_argument("rint", x)
    if kind(value) in "biu":
        return convert(value, default_dtype("f"))
    if kind(value) == "c":
        return retype(_by_parts(BIND.round_nearest_even, value), value.aval.weak_type)
    return BIND.round_nearest_even(value)


@library
def round(a: Any, decimals: int = 0, out: None = None) -> Value:
    """Values rounded to a number of decimals; halves go to the even neighbour.

    Args:
      a: array.
      decimals: digits behind the point; negative ones count before it.

    Raises:
      ValueError: booleans.
      NotImplementedError: integers and negative `decimals`; `out`.

    Example:
      >>> jnp.round(jnp.array([0.5, 1.5, 2.5]))
      Array([0., 2., 2.], dtype=float32)
      >>> jnp.round(jnp.array([1234.567, -0.26]), 1), jnp.round(1234.567, -2)
      (Array([ 1.2346e+03, -3.0000e-01], dtype=float32), Array(1200., dtype=float32, weak_type=True))
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.round is not supported.")
    x = array_argument("round", a)
    decimals = known_integer(decimals, "decimals argument of jnp.round")
    k = kind(x)
    if k == "b":
        raise ValueError("data type <class 'numpy.bool'> not inexact: booleans cannot be rounded")
    if k in "iu":
        if decimals < 0:
            raise NotImplementedError("integer np.round not implemented for decimals < 0")
        return x
    if k == "c":
        return retype(_by_parts(lambda part: _round(part, decimals), x), x.aval.weak_type)
    return _round(x, decimals)


around = round


def _round(x: Value, decimals: int) -> Value:
    if decimals == 0:
        return BIND.round_nearest_even(x)
    a = x.aval
    # a half precision would lose what is to be rounded
    widest = finfo(a.dtype if a.dtype.itemsize > 2 else np.dtype(np.float32)).max
    if decimals > math.log10(float(widest)):
        return x  # no such digits: 10**decimals is infinite
    wide = convert(x, np.dtype(np.float32), a.weak_type) if a.dtype.itemsize == 2 else x
    factor = full_like(wide, 10.0**decimals)
    made = BIND.divide(BIND.round_nearest_even(BIND.multiply(wide, factor)), factor)
    return convert(made, a.dtype, a.weak_type)


@library(operands=("x",), promotion="inexact")
def modf(x: Any, /, out: None = None) -> tuple[Value, Value]:
    """The pair (fraction, whole part), both with the sign of x.

    Args:
      x: an array or scalar of real numbers; integers become floats.

    Example:
      >>> jnp.modf(jnp.array([1.25, -1.25]))
      (Array([ 0.25, -0.25], dtype=float32), Array([ 1., -1.], dtype=float32))
    """
    no_out("modf", out)
    whole = trunc(x)
    return BIND.subtract(x, whole), whole


@library(operands=("x",), promotion="inexact")
def frexp(x: Any, /) -> tuple[Value, Value]:
    """The pair (m, e) with x = m * 2**e and 0.5 <= |m| < 1; e as int32.

    Raises:
      TypeError: complex numbers.

    Args:
      x: an array or scalar of real numbers; integers become floats.

    Example:
      >>> jnp.frexp(jnp.array([8.0, 0.1, 0.0]))
      (Array([0.5, 0.8, 0. ], dtype=float32), Array([ 4, -3,  0], dtype=int32))
    """
    if kind(x) == "c":
        raise TypeError("frexp does not support complex-valued inputs")
    a = x.aval
    bits, info = 8 * a.dtype.itemsize, finfo(a.dtype)
    word = np.dtype(f"i{a.dtype.itemsize}")
    mantissa, top = info.nmant, (1 << (bits - 1 - info.nmant)) - 1
    # denormals are scaled up first, by a power of two that makes them normal
    small = compare_to(BIND.abs(x), float(info.smallest_normal), "LT")
    scaled = select(small, BIND.multiply(x, full_like(x, float(2**mantissa))), x)
    raw = BIND.bitcast_convert(scaled, dtype=word)
    field = logical("and", BIND.shift_right_logical(raw, full_like(raw, mantissa)), full_like(raw, top))
    bias = top // 2 - 1
    exponent = BIND.subtract(field, select(small, full_like(raw, bias + mantissa), full_like(raw, bias)))
    kept = logical("and", raw, full_like(raw, ~(top << mantissa)))
    fraction = BIND.bitcast_convert(logical("or", kept, full_like(raw, bias << mantissa)), dtype=a.dtype)
    # bits have no derivative: that of x 2**-e comes with a difference that is 0
    special = logical("or", compare_to(x, 0, "EQ"), logical("not", BIND.is_finite(x)))
    ratio = BIND.stop_gradient(BIND.divide(fraction, scaled))
    smooth = BIND.multiply(scaled, select(special, full_like(x, 0), ratio))
    smooth = select(special, full_like(x, 0), smooth)
    fraction = BIND.add(fraction, BIND.subtract(smooth, BIND.stop_gradient(smooth)))
    exponent = select(special, full_like(exponent, 0), exponent)
    return retype(select(special, x, fraction), False), convert(exponent, np.dtype(np.int32))


@library
def ldexp(x1: Any, x2: Any, /) -> Value:
    """x1 * 2**x2 for integers x2.

    Raises:
      ValueError: x2 has no integers, or x1 is complex.

    Args:
      x1: real numbers; integers become floats.
      x2: integers, which broadcast against x1.

    Example:
      >>> jnp.ldexp(jnp.array([0.5, 2.0**-100]), jnp.array([4, 200]))  # 2**200 alone would be infinite
      Array([8.0000000e+00, 1.2676506e+30], dtype=float32)
    """
    a, b = array_arguments("ldexp", x1, x2)
    if kind(a) == "c" or kind(b) not in "biu":
        raise ValueError(f"ldexp not supported for input types ({a.aval.dtype!r}, {b.aval.dtype!r})")
    (a,) = promote_dtypes([a], "inexact")
    base, left = broadcast_values("ldexp", [convert(a, a.aval.dtype), b])
    info = finfo(base.aval.dtype)
    step, word = -int(info.minexp), np.dtype(f"i{base.aval.dtype.itemsize}")
    if kind(left) == "u":
        left = BIND.minimum(left, full_like(left, min(4 * step, iinfo(left.aval.dtype).max)))
    elif kind(left) == "i":
        bits = iinfo(left.aval.dtype)
        low, high = full_like(left, max(-4 * step, bits.min)), full_like(left, min(4 * step, bits.max))
        left = BIND.minimum(BIND.maximum(left, low), high)
    left = convert(left, word)
    # in three steps, since 2**x2 alone may overflow where the product does not: from the least denormal number to the
    # largest number and back it takes less than three times the exponent of the least normal number
    low, high = full_like(left, -step), full_like(left, step)
    for _ in range(3):
        part = BIND.minimum(BIND.maximum(left, low), high)
        # 2**part, by its bits
        biased = BIND.add(part, full_like(part, step + 1))
        bits_ = BIND.shift_left(biased, full_like(part, int(info.nmant)))
        base = BIND.multiply(base, BIND.bitcast_convert(bits_, dtype=base.aval.dtype))
        left = BIND.subtract(left, part)
    return base
