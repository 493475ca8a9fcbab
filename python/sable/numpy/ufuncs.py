"""Arithmetic, element by element."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    compare,
    compare_to,
    convert,
    full_like,
    integer_pow,
    kind,
    logical,
    promote,
    promote_dtypes,
    select,
    truth,
)
from sable.core.values import concrete, retype
from sable.library.declare import library

from . import reductions
from ._table import binary, by_kind, several, single, unary
from .arrays import asarray
from .cumulative import cumprod, cumsum
from .indexing.update import write
from .ufunc_objects import ufunc_of
from .ufuncs_logic import greater, isnan, less, logical_or, where

# ---- ufuncs --------------------------------------------------------------------------------------


def _updating(mnemonic: str) -> Callable:
    """`at` by a scatter op; of booleans as in integers."""

    def at(a: Any, indices: Any, b: Any) -> Value:
        x, y = array_arguments("ufunc.at", a, b)
        if kind(x) != "b":
            return write(mnemonic, x, indices, y)
        counts = write(mnemonic, convert(x, INT32), indices, convert(truth(y), INT32))
        return truth(counts)

    return at


def _subtract_at(a: Any, indices: Any, b: Any) -> Value:
    x, y = array_arguments("subtract.at", a, b)
    return write("scatter_add", x, indices, BIND.negate(y))


def _extreme(reduce: Callable) -> Callable:
    def of(a: Any, dtype: Any, **options: Any) -> Value:
        return reduce(a if dtype is None else asarray(a).astype(dtype), **options)

    return of


# ---- arithmetic ----------------------------------------------------------------------------------

add = ufunc_of(
    binary("add", "x1 + x2; `or` of booleans.", by_kind(b="or", other="add")),
    identity=0,
    reduce=reductions.sum,
    accumulate=cumsum,
    at=_updating("scatter_add"),
)("""
    >>> jnp.add(jnp.array([1, 2]), 0.5)
    Array([1.5, 2.5], dtype=float32, weak_type=True)
    >>> jnp.add(jnp.uint8(200), jnp.uint8(100))  # integers wrap around
    Array(44, dtype=uint8)
    >>> jnp.add.reduce(jnp.array([[1, 2], [3, 4]]), axis=1)
    Array([3, 7], dtype=int32)
    """)
subtract = ufunc_of(binary("subtract", "x1 - x2.", single("subtract")), at=_subtract_at)("""
    >>> jnp.subtract(jnp.array([1, 2], dtype=jnp.uint8), jnp.uint8(2))  # integers wrap around
    Array([255,   0], dtype=uint8)
    """)
multiply = ufunc_of(
    binary("multiply", "x1 * x2; `and` of booleans.", by_kind(b="and", other="multiply")),
    identity=1,
    reduce=reductions.prod,
    accumulate=cumprod,
    at=_updating("scatter_mul"),
)("""
    >>> jnp.multiply(jnp.arange(2)[:, None], jnp.arange(3))
    Array([[0, 0, 0],
           [0, 1, 2]], dtype=int32)
    """)
divide = true_divide = binary("true_divide", "x1 / x2.", single("divide"), "inexact")("""
    >>> jnp.divide(jnp.array([7, -1, 0]), jnp.array([2, 0, 0]))
    Array([ 3.5, -inf,  nan], dtype=float32)
    """)
negative = ufunc_of(unary("negative", "-x.", single("negate"), "same"), nin=1)("""
    >>> jnp.negative(jnp.array([1, 2], dtype=jnp.uint8))  # modulo 256
    Array([255, 254], dtype=uint8)
    """)
positive = unary("positive", "x itself.", several, "same", lambda x: x)("""
    >>> jnp.positive(jnp.array([1, -2]))
    Array([ 1, -2], dtype=int32)
    """)
arctan2 = atan2 = binary(
    "arctan2", "Angle of the point (x2, x1) from the first axis, in radians.", single("atan2"), "inexact"
)("""
    >>> x1, x2 = jnp.array([1.0, -1.0]), jnp.array([-1.0, -1.0])
    >>> jnp.rad2deg(jnp.arctan2(x1, x2))  # not that of x1 / x2: the quadrant counts
    Array([ 135., -135.], dtype=float32)
    """)
maximum = ufunc_of(
    binary("maximum", "The larger of x1 and x2; NaN if one of them is.", single("maximum")),
    reduce=_extreme(reductions.max),
)("""
    >>> jnp.maximum(jnp.array([1.0, 3.0, jnp.nan]), 2)
    Array([ 2.,  3., nan], dtype=float32)
    """)
minimum = ufunc_of(
    binary("minimum", "The smaller of x1 and x2; NaN if one of them is.", single("minimum")),
    reduce=_extreme(reductions.min),
)("""
    >>> jnp.minimum(jnp.array([1.0, 3.0, jnp.nan]), 2)
    Array([ 1.,  2., nan], dtype=float32)
    """)
fmod = binary(
    "fmod",
    "Remainder of x1 / x2 with the sign of x1; of integers by 0 it is 0.",
    by_kind(f="remainder", other=None),
    "numeric",
    lambda x, y: select(compare_to(y, 0, "EQ"), full_like(x, 0), BIND.remainder(x, y)),
)("""
    >>> jnp.fmod(jnp.array([-7, 7]), 3), jnp.remainder(jnp.array([-7, 7]), 3)
    (Array([-1,  1], dtype=int32), Array([2, 1], dtype=int32))
    """)
float_power = binary("float_power", "x1 ** x2, always in floats.", single("power"), "inexact")("""
    >>> jnp.float_power(jnp.array([2, 4]), -1)  # `power` refuses integers and negative exponents
    Array([0.5 , 0.25], dtype=float32)
    """)
nextafter = binary("nextafter", "The float next to x1 on the way to x2.", single("next_after"), "inexact")("""
    >>> jnp.nextafter(jnp.float32(1), jnp.inf) - 1
    Array(1.1920929e-07, dtype=float32)
    """)

absolute = abs = unary(
    "absolute",
    "Absolute value; of a complex number its (real) modulus.",
    by_kind(b=None, u=None, other="abs"),
    "same",
    lambda x: x,
)("""
    >>> jnp.abs(jnp.array([3 + 4j, -1]))
    Array([5., 1.], dtype=float32)
    >>> jnp.abs(jnp.int8(-128))  # 128 is no int8
    Array(-128, dtype=int8)
    """)


def _sign_unsigned(x: Value) -> Value:
    return BIND.minimum(x, full_like(x, 1))


sign = unary(
    "sign",
    "-1, 0 or 1 by the sign; z / |z| of complex numbers.",
    by_kind(u=None, other="sign"),
    "same",
    _sign_unsigned,
)("""
    >>> jnp.sign(jnp.array([-2.0, 0.0, jnp.nan]))
    Array([-1.,  0., nan], dtype=float32)
    """)
square = unary("square", "x * x.", by_kind(c="square", other=None), "numeric", lambda x: integer_pow(x, 2))("""
    >>> jnp.square(jnp.array([2, 3 + 1j]))
    Array([4.+0.j, 8.+6.j], dtype=complex64)
    """)
reciprocal = unary("reciprocal", "1 / x.", several, "inexact", lambda x: integer_pow(x, -1))("""
    >>> jnp.reciprocal(jnp.array([2, 4]))  # of integers, too
    Array([0.5 , 0.25], dtype=float32)
    """)


def _refuse_complex(name: str, *xs: Value) -> None:
    if any(kind(x) == "c" for x in xs):
        raise TypeError(f"{name} does not support complex-valued inputs")


def _adjust(mod: Value, x2: Value) -> Value:
    """Where a remainder has another sign than the divisor."""
    nonzero = compare_to(mod, 0, "NE")
    return logical("and", logical("xor", compare_to(mod, 0, "LT"), compare_to(x2, 0, "LT")), nonzero)


def _remainder(x1: Value, x2: Value) -> Value:
    if kind(x1) in "iu":  # x % 0 = 0
        x2 = select(compare_to(x2, 0, "EQ"), full_like(x2, 1), x2)
    mod = BIND.remainder(x1, x2)
    return select(_adjust(mod, x2), BIND.add(mod, x2), mod)


def _floor_divide(x1: Value, x2: Value) -> Value:
    _refuse_complex("floor_divide", x1)
    k = kind(x1)
    if k == "u":
        return BIND.divide(x1, x2)
    if k == "f":
        return _float_divmod(x1, x2)[0]
    quotient = BIND.divide(x1, x2)
    uneven = compare_to(BIND.remainder(x1, x2), 0, "NE")
    opposite = compare(BIND.sign(x1), BIND.sign(x2), "NE")
    return select(logical("and", opposite, uneven), BIND.subtract(quotient, full_like(quotient, 1)), quotient)


def _float_divmod(x1: Value, x2: Value) -> tuple[Value, Value]:
    mod = BIND.remainder(x1, x2)
    div = BIND.divide(BIND.subtract(x1, mod), x2)
    other = _adjust(mod, x2)
    div = select(other, BIND.subtract(div, full_like(div, 1)), div)
    whole = BIND.round_nearest_even(div)
    # x / 0 is infinite (NaN for 0 / 0), though x % 0 is NaN
    whole = select(compare_to(x2, 0, "EQ"), BIND.divide(x1, x2), whole)
    return BIND.stop_gradient(whole), select(other, BIND.add(mod, x2), mod)


remainder = mod = binary("remainder", "x1 modulo x2, with the sign of x2.", several, "numeric", _remainder)("""
    >>> jnp.remainder(jnp.array([-7, 7]), 3), jnp.remainder(jnp.array([-7, 7]), -3)
    (Array([2, 1], dtype=int32), Array([-1, -2], dtype=int32))
    """)
floor_divide = binary("floor_divide", "The largest integer not above x1 / x2.", several, "numeric", _floor_divide)("""
    >>> jnp.floor_divide(jnp.array([-7, 7]), 2)
    Array([-4,  3], dtype=int32)
    >>> jnp.floor_divide(jnp.array([-7.0, 7.0]), 2)  # floats stay floats
    Array([-4.,  3.], dtype=float32)
    """)


@library
def divmod(x1: Any, x2: Any, /) -> tuple[Value, Value]:
    """The pair (x1 // x2, x1 % x2) of arrays that broadcast.

    Raises:
      TypeError: an argument is no array, or is complex.

    Args:
      x1, x2: real arrays or scalars.

    Returns:
      Two arrays in the common dtype (booleans count as int32); the remainders have the sign of x2.

    Example:
      >>> jnp.divmod(jnp.array([-7, 7]), 3)
      (Array([-3,  2], dtype=int32), Array([2, 1], dtype=int32))
    """
    a, b = promote("divmod", (x1, x2), "numeric")
    if kind(a) in "iu":
        return _floor_divide(a, b), _remainder(a, b)
    return _float_divmod(a, b)


def _static_exponent(x: Any) -> int | None:
    """The exponent as a Python int, where it is a scalar integer that is known."""
    if isinstance(x, (int, np.integer)):
        return int(x)
    known = concrete(x) if isinstance(x, Value) and kind(x) in "iu" and not x.aval.shape else None
    return None if known is None else operator.index(known)


_power = binary("power", "x1 ** x2.", single("power"))("")


@library
def _integer_power(x: Any, n: int) -> Value:
    (base,) = promote("power", (x,), "numeric")
    return integer_pow(base, n)


@library(operands=("x1",))
def power(x1: Any, x2: Any, /) -> Value:
    """x1 ** x2 of arrays that broadcast. A known integer exponent means repeated multiplication in x1's dtype.

    Args:
      x1, x2: arrays or scalars.

    Raises:
      TypeError: an argument is no array; integers and a known negative exponent.

    Example:
      >>> jnp.power(jnp.array([1.0, 2.0, 3.0]), 2)
      Array([1., 4., 9.], dtype=float32)
      >>> jnp.power(jnp.array([2, 3]), jnp.array([-1, 2]))  # exponents that are not known: 1 / 2 is cut
      Array([0, 9], dtype=int32)
    """
    n = _static_exponent(x2)
    if n is not None:
        return _integer_power(x1, n)
    base, exponent = array_arguments("power", x1, x2)
    kinds = kind(base) + kind(exponent)
    if kinds == "bb":
        base, exponent = promote_dtypes([base, exponent], "numeric")
    if kinds in ("fi", "fu", "ci", "cu"):
        # x**0 is 1 with derivative 0, also at 0, where y x**(y - 1) would be 0 * inf
        base = where(compare_to(exponent, 0, "EQ"), full_like(base, 1), base)
    found = _power(base, exponent)
    # floats to integer powers keep the floats' dtype, and are weakly typed only if both are (as in JAX)
    harden = kinds in ("fi", "fu", "ci", "cu") and not exponent.aval.weak_type
    return retype(found, False) if harden else found


pow = power


@library
def fmax(x1: Any, x2: Any) -> Value:
    """The larger of x1 and x2; where one of them is NaN, the other one.

    Args:
      x1, x2: arrays or scalars, which are promoted to one dtype.

    Example:
      >>> jnp.fmax(jnp.array([1.0, jnp.nan]), 0.5)
      Array([1. , 0.5], dtype=float32)
    """
    return where(logical_or(greater(x1, x2), isnan(x2)), x1, x2)


@library
def fmin(x1: Any, x2: Any) -> Value:
    """The smaller of x1 and x2; where one of them is NaN, the other one.

    Args:
      x1, x2: arrays or scalars, which are promoted to one dtype.

    Example:
      >>> jnp.fmin(jnp.array([1.0, jnp.nan]), 0.5)
      Array([0.5, 0.5], dtype=float32)
    """
    return where(logical_or(less(x1, x2), isnan(x2)), x1, x2)


@library
def clip(arr: Any = None, /, min: Any = None, max: Any = None) -> Value:
    """Values limited to an interval.

    Args:
      arr: array.
      min, max: bounds, which broadcast against it; None for no bound.

    Raises:
      ValueError: complex arguments, which have no order.

    Example:
      >>> jnp.clip(jnp.array([-2, 0, 7]), min=-1, max=jnp.array([3, 3, 5]))
      Array([-1,  0,  5], dtype=int32)
      >>> jnp.clip(jnp.array([1, 2]), 3, 0)  # where min > max: max
      Array([0, 0], dtype=int32)
    """
    if arr is None:
        raise ValueError("clip needs an array")
    x = array_argument("clip", arr)
    if any(b is not None and kind(array_argument("clip", b)) == "c" for b in (x, min, max)):
        raise ValueError(
            "Clip received a complex value either through the input or the min/max keywords. Complex values have no "
            "ordering and cannot be clipped: take their real or imaginary parts, jax.numpy.real/imag."
        )
    if min is not None:
        x = maximum(min, x)
    return x if max is None else minimum(max, x)
