"""Comparison, logic, bits, choice and tests of floats, element by element."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    compare,
    compare_to,
    compare_to_zero,
    convert,
    expand_to,
    filled,
    kind,
    logical,
    promote_dtypes,
    reshape_to,
    select,
    truth,
)
from sable.library.declare import library
from sable.library.words import all_words, any_words

from . import reductions
from ._table import binary, by_kind, several, single, unary
from .indexing.positions import nonzero
from .ufunc_objects import ufunc_of


def _bits(mnemonic: str, truth_only: bool = False) -> Callable:
    return functools.partial(reductions.reduce_bits, mnemonic, truth_only)


# ---- comparison ----------------------------------------------------------------------------------


def _ordering(direction: str) -> Any:
    def choose(dtype: np.dtype) -> Any:
        # complex numbers are ordered by their real parts, then by their imaginary ones
        return None if dtype.kind == "c" else (OPS["compare"], {"comparison_direction": direction})

    def body(x1: Value, x2: Value) -> Value:
        r1, r2 = BIND.real(x1), BIND.real(x2)
        imaginary = compare(BIND.imag(x1), BIND.imag(x2), direction)
        return select(compare(r1, r2, "EQ"), imaginary, compare(r1, r2, direction))

    return choose, "same", body


equal = binary("equal", "x1 == x2, as booleans.", single("compare", comparison_direction="EQ"), join=all_words)("""
    >>> jnp.equal(jnp.array([1.0, jnp.nan]), jnp.array([1.0, jnp.nan]))
    Array([ True, False], dtype=bool)
    """)
not_equal = binary("not_equal", "x1 != x2, as booleans.", single("compare", comparison_direction="NE"), join=any_words)("""
    >>> jnp.not_equal(jnp.array([1.0, jnp.nan]), jnp.array([1.0, jnp.nan]))
    Array([False,  True], dtype=bool)
    """)
less = binary("less", "x1 < x2, as booleans.", *_ordering("LT"))("""
    >>> jnp.less(jnp.array([1.0, 2.0, jnp.nan]), 2)
    Array([ True, False, False], dtype=bool)
    >>> jnp.less(1 + 5j, 2 + 0j)  # complex numbers by their real parts first
    Array(True, dtype=bool, weak_type=True)
    """)
less_equal = binary("less_equal", "x1 <= x2, as booleans.", *_ordering("LE"))("""
    >>> jnp.less_equal(jnp.array([1.0, 2.0, jnp.nan]), 2)
    Array([ True,  True, False], dtype=bool)
    """)
greater = binary("greater", "x1 > x2, as booleans.", *_ordering("GT"))("""
    >>> jnp.greater(jnp.array([1.0, 2.0, jnp.nan]), 1)
    Array([False,  True, False], dtype=bool)
    """)
greater_equal = binary("greater_equal", "x1 >= x2, as booleans.", *_ordering("GE"))("""
    >>> jnp.greater_equal(jnp.arange(3), jnp.arange(3)[:, None])
    Array([[ True,  True,  True],
           [False,  True,  True],
           [False, False,  True]], dtype=bool)
    """)

# ---- logic and bits ------------------------------------------------------------------------------


def _logic(mnemonic: str) -> Any:
    def body(*xs: Value) -> Value:
        return logical(mnemonic, *map(truth, xs))

    return by_kind(b=mnemonic, other=None), "same", body, True


logical_and = ufunc_of(
    binary("logical_and", "Both x1 and x2 are not zero, as booleans.", *_logic("and")),
    True,
    reduce=_bits("and", truth_only=True),
)("""
    >>> jnp.logical_and(jnp.array([0, 1, 2]), jnp.array([1, 1, 1]))  # 2 and 1 are both true
    Array([False,  True,  True], dtype=bool)
    >>> jnp.logical_and.reduce(jnp.array([[True, False], [True, True]]), axis=1)
    Array([False,  True], dtype=bool)
    """)
logical_or = ufunc_of(
    binary("logical_or", "x1 or x2 is not zero, as booleans.", *_logic("or")),
    False,
    reduce=_bits("or", truth_only=True),
)("""
    >>> jnp.logical_or(jnp.array([0, 0, 2]), jnp.array([0, 1, 1]))
    Array([False,  True,  True], dtype=bool)
    """)
logical_xor = ufunc_of(
    binary("logical_xor", "Just one of x1 and x2 is not zero, as booleans.", *_logic("xor")),
    False,
    reduce=_bits("xor", truth_only=True),
)("""
    >>> jnp.logical_xor(jnp.array([0, 1, 2]), 1)
    Array([ True, False, False], dtype=bool)
    """)
logical_not = unary(
    "logical_not",
    "x is zero, as booleans.",
    by_kind(b="not", other=None),
    "same",
    lambda x: compare_to_zero(x, "EQ"),
)("""
    >>> jnp.logical_not(jnp.array([0, 1, 2])), ~jnp.array([0, 1, 2])  # `~` inverts bits
    (Array([ True, False, False], dtype=bool), Array([-1, -2, -3], dtype=int32))
    """)
bitwise_and = ufunc_of(
    binary("bitwise_and", "`and` of the bits of integers or of booleans.", single("and")), -1, reduce=_bits("and")
)("""
    >>> jnp.bitwise_and(jnp.array([12, 10]), 6)
    Array([4, 2], dtype=int32)
    >>> jnp.bitwise_and.reduce(jnp.array([7, 14, 6]))
    Array(6, dtype=int32)
    """)
bitwise_or = ufunc_of(
    binary("bitwise_or", "`or` of the bits of integers or of booleans.", single("or")), 0, reduce=_bits("or")
)("""
    >>> jnp.bitwise_or(jnp.array([12, 10]), 6)
    Array([14, 14], dtype=int32)
    """)
bitwise_xor = ufunc_of(
    binary("bitwise_xor", "`xor` of the bits of integers or of booleans.", single("xor")), 0, reduce=_bits("xor")
)("""
    >>> jnp.bitwise_xor(jnp.array([12, 10]), 6)
    Array([10, 12], dtype=int32)
    """)
invert = bitwise_not = bitwise_invert = unary(
    "invert", "All bits of integers or booleans inverted.", single("not"), "same"
)("""
    >>> jnp.invert(jnp.array([0, 1])), jnp.invert(jnp.array([False, True]))
    (Array([-1, -2], dtype=int32), Array([ True, False], dtype=bool))
    >>> jnp.invert(jnp.uint8(1))
    Array(254, dtype=uint8)
    """)
left_shift = bitwise_left_shift = binary(
    "left_shift", "The bits of x1 moved up by x2.", single("shift_left"), "numeric"
)("""
    >>> jnp.left_shift(jnp.array([1, 3]), 4)
    Array([16, 48], dtype=int32)
    >>> jnp.left_shift(jnp.uint8(255), 1)
    Array(254, dtype=uint8)
    """)
right_shift = bitwise_right_shift = binary(
    "right_shift",
    "The bits of x1 moved down by x2; the sign of signed integers stays.",
    by_kind(u="shift_right_logical", other="shift_right_arithmetic"),
    "numeric",
)("""
    >>> jnp.right_shift(jnp.int8(-8), 1), jnp.right_shift(jnp.uint8(248), 1)  # of the same bits
    (Array(-4, dtype=int8), Array(124, dtype=uint8))
    """)


@library(operands=("x",), promotion="numeric")
def bitwise_count(x: Any, /) -> Value:
    """Number of bits that are 1 in the absolute values of integers, as uint8.

    Args:
      x: an array or scalar of integers or booleans.

    Raises:
      TypeError: floats, complex numbers.

    Example:
      >>> jnp.bitwise_count(jnp.array([0, 7, -7]))
      Array([0, 3, 3], dtype=uint8)
    """
    if kind(x) == "i":
        x = BIND.abs(x)
    return convert(BIND.popcnt(x), np.dtype(np.uint8))


# ---- where ---------------------------------------------------------------------------------------


@library(
    moves=(
        "x",
        "y",
    )
)
def where(condition: Any, x: Any = None, y: Any = None, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """x where the condition is true, else y; with the condition alone, the indices where it is true.

    Args:
      condition: array; what is not boolean is compared with zero.
      x, y: arrays or scalars, which are promoted to one dtype; all three broadcast.
      size, fill_value: for the form with one argument, see `nonzero`.

    Raises:
      TypeError: an argument is no array. ValueError: shapes do not broadcast.

    Example:
      >>> import sable.numpy as jnp
      >>> x = jnp.array([-1.0, 2.0])
      >>> jnp.where(x > 0, x, 0.0)
      Array([0., 2.], dtype=float32)
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if size is not None or fill_value is not None:
        raise ValueError("size and fill_value arguments cannot be used in three-term where function.")
    predicate, *cases = array_arguments("where", condition, x, y)
    return choose(truth(predicate), *promote_dtypes(cases))


def choose(predicate: Value, x: Value, y: Value) -> Value:
    """`select` of values of one dtype that broadcast, whatever their ranks."""
    rest = [x, y] if predicate.aval.shape == () else [predicate, x, y]
    shape = broadcast_shape(tuple([v.aval.shape for v in rest]))
    return select(
        predicate if len(rest) == 2 else expand_to(predicate, shape), expand_to(x, shape), expand_to(y, shape)
    )


# ---- tests of floats -----------------------------------------------------------------------------


def _all_true(x: Value) -> Value:
    return filled(x.aval.shape, np.dtype(np.bool_), True)


def _none_true(x: Value) -> Value:
    return filled(x.aval.shape, np.dtype(np.bool_), False)


def _finite_parts(x: Value) -> Value:
    if kind(x) != "c":
        return _all_true(x)
    return logical("and", BIND.is_finite(BIND.real(x)), BIND.is_finite(BIND.imag(x)))


def _infinite(x: Value) -> Value:
    k = kind(x)
    if k == "f":
        found = compare_to(BIND.abs(x), np.inf, "EQ")
        return BIND.convert(found, dtype=np.dtype(np.bool_))  # never weakly typed, as in JAX
    if k != "c":
        return _none_true(x)
    return logical("or", _infinite(BIND.real(x)), _infinite(BIND.imag(x)))


isfinite = unary(
    "isfinite",
    "Neither infinite nor NaN, as booleans.",
    by_kind(f="is_finite", other=None),
    "same",
    _finite_parts,
    all_words,
)("""
    >>> jnp.isfinite(jnp.array([1.0, jnp.inf, jnp.nan]))
    Array([ True, False, False], dtype=bool)
    """)
isinf = unary("isinf", "Infinite, as booleans.", several, "same", _infinite, any_words)("""
    >>> jnp.isinf(jnp.array([-jnp.inf, 1.0, jnp.nan]))
    Array([ True, False, False], dtype=bool)
    """)
isnan = unary("isnan", "NaN, as booleans.", several, "same", lambda x: compare(x, x, "NE"), any_words)("""
    >>> jnp.isnan(jnp.array([jnp.nan, jnp.inf, 1.0]))
    Array([ True, False, False], dtype=bool)
    """)


def _signed_infinity(name: str, x: Any, bound: float) -> Value:
    value = array_argument(name, x)
    if kind(value) == "c":
        raise ValueError("isposinf/isneginf are not well defined for complex types")
    if kind(value) != "f":
        return _none_true(value)
    return BIND.convert(compare_to(value, bound, "EQ"), dtype=np.dtype(np.bool_))


@library(operands=("x",), moves=("x",), join=any_words)
def isposinf(x: Any, /, out: None = None) -> Value:
    """Positive infinity, as booleans.

    Args:
      x: an array or scalar of real numbers; integers are never infinite.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jnp.isposinf(jnp.array([jnp.inf, -jnp.inf, jnp.nan]))
      Array([ True, False, False], dtype=bool)
    """
    reductions.no_out("isposinf", out)
    return _signed_infinity("isposinf", x, np.inf)


@library(operands=("x",), moves=("x",), join=any_words)
def isneginf(x: Any, /, out: None = None) -> Value:
    """Negative infinity, as booleans.

    Args:
      x: an array or scalar of real numbers; integers are never infinite.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jnp.isneginf(jnp.array([jnp.inf, -jnp.inf, jnp.nan]))
      Array([False,  True, False], dtype=bool)
    """
    reductions.no_out("isneginf", out)
    return _signed_infinity("isneginf", x, -np.inf)


@library(operands=("x",))
def signbit(x: Any, /) -> Value:
    """The sign bit is set, as booleans: also for -0.0.

    Args:
      x: an array or scalar of real numbers.

    Raises:
      ValueError: complex numbers.

    Example:
      >>> jnp.signbit(jnp.array([-0.0, 0.0, -1.0]))
      Array([ True, False,  True], dtype=bool)
    """
    value = array_argument("signbit", x)
    k = kind(value)
    if k == "c":
        raise ValueError(f"jax.numpy.signbit is not well defined for {value.aval.dtype.name}")
    if k in "bu":
        return _none_true(value)
    if k == "f":
        word = np.dtype(f"i{value.aval.dtype.itemsize}")
        value = BIND.bitcast_convert(value, dtype=word)
    return BIND.convert(compare_to(value, 0, "LT"), dtype=np.dtype(np.bool_))


def scalar_of(x: Value) -> Value:
    """An array of one element as a scalar."""
    return reshape_to(x, ())
