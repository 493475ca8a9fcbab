"""Arithmetic, comparison, logic and bits, element by element."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND, OPS
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    broadcast_shape,
    compare,
    compare_to,
    compare_to_zero,
    convert,
    expand_to,
    filled,
    full_like,
    integer_pow,
    kind,
    logical,
    promote,
    promote_dtypes,
    reshape_to,
    select,
    truth,
)
from sable.core.values import concrete, retype
from sable.library.declare import library, registered
from sable.library.words import all_words, any_words

from . import reductions
from ._table import binary, by_kind, several, single, unary
from .arrays import asarray
from .cumulative import cumprod, cumsum
from .indexing.positions import nonzero
from .indexing.update import write
from .ufunc_objects import ufunc

# ---- ufuncs --------------------------------------------------------------------------------------


def ufunc_of(declared: Any, identity: Any = None, nin: int = 2, **ways: Any) -> ufunc:
    """A function of the table as a ufunc; `ways` are those of `ufunc` to reduce, accumulate and update."""
    function = declared.__wrapped__
    return registered(ufunc(function, nin, 1, call=function, identity=identity, **ways))


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


def _bits(mnemonic: str, truth_only: bool = False) -> Callable:
    return functools.partial(reductions.reduce_bits, mnemonic, truth_only)


# ---- arithmetic ----------------------------------------------------------------------------------

add = ufunc_of(
    binary("add", "x1 + x2; `or` of booleans.", by_kind(b="or", other="add")),
    identity=0,
    reduce=reductions.sum,
    accumulate=cumsum,
    at=_updating("scatter_add"),
)
subtract = ufunc_of(binary("subtract", "x1 - x2.", single("subtract")), at=_subtract_at)
multiply = ufunc_of(
    binary("multiply", "x1 * x2; `and` of booleans.", by_kind(b="and", other="multiply")),
    identity=1,
    reduce=reductions.prod,
    accumulate=cumprod,
    at=_updating("scatter_mul"),
)
divide = true_divide = binary("true_divide", "x1 / x2.", single("divide"), "inexact")
negative = ufunc_of(unary("negative", "-x.", single("negate"), "same"), nin=1)
positive = unary("positive", "x itself.", several, "same", lambda x: x)
arctan2 = atan2 = binary(
    "arctan2", "Angle of the point (x2, x1) from the first axis, in radians.", single("atan2"), "inexact"
)
maximum = ufunc_of(
    binary("maximum", "The larger of x1 and x2; NaN if one of them is.", single("maximum")),
    reduce=_extreme(reductions.max),
)
minimum = ufunc_of(
    binary("minimum", "The smaller of x1 and x2; NaN if one of them is.", single("minimum")),
    reduce=_extreme(reductions.min),
)
fmod = binary(
    "fmod",
    "Remainder of x1 / x2 with the sign of x1; of integers by 0 it is 0.",
    by_kind(f="remainder", other=None),
    "numeric",
    lambda x, y: select(compare_to(y, 0, "EQ"), full_like(x, 0), BIND.remainder(x, y)),
)
float_power = binary("float_power", "x1 ** x2, always in floats.", single("power"), "inexact")
nextafter = binary("nextafter", "The float next to x1 on the way to x2.", single("next_after"), "inexact")

absolute = abs = unary(
    "absolute",
    "Absolute value; of a complex number its (real) modulus.",
    by_kind(b=None, u=None, other="abs"),
    "same",
    lambda x: x,
)


def _sign_unsigned(x: Value) -> Value:
    return BIND.minimum(x, full_like(x, 1))


sign = unary(
    "sign",
    "-1, 0 or 1 by the sign; z / |z| of complex numbers.",
    by_kind(u=None, other="sign"),
    "same",
    _sign_unsigned,
)
square = unary("square", "x * x.", by_kind(c="square", other=None), "numeric", lambda x: integer_pow(x, 2))
reciprocal = unary("reciprocal", "1 / x.", several, "inexact", lambda x: integer_pow(x, -1))


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


remainder = mod = binary("remainder", "x1 modulo x2, with the sign of x2.", several, "numeric", _remainder)
floor_divide = binary("floor_divide", "The largest integer not above x1 / x2.", several, "numeric", _floor_divide)


@library
def divmod(x1: Any, x2: Any, /) -> tuple[Value, Value]:
    """The pair (x1 // x2, x1 % x2) of arrays that broadcast.

    Raises:
      TypeError: an argument is no array, or is complex.
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


_power = binary("power", "x1 ** x2.", single("power"))


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
      >>> import sable.numpy as jnp
      >>> jnp.power(jnp.array([1.0, 2.0, 3.0]), 2)
      Array([1., 4., 9.], dtype=float32)
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
    """The larger of x1 and x2; where one of them is NaN, the other one."""
    return where(logical_or(greater(x1, x2), isnan(x2)), x1, x2)


@library
def fmin(x1: Any, x2: Any) -> Value:
    """The smaller of x1 and x2; where one of them is NaN, the other one."""
    return where(logical_or(less(x1, x2), isnan(x2)), x1, x2)


@library
def clip(arr: Any = None, /, min: Any = None, max: Any = None) -> Value:
    """Values limited to an interval.

    Args:
      arr: array.
      min, max: bounds, which broadcast against it; None for no bound.

    Raises:
      ValueError: complex arguments, which have no order.
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


equal = binary("equal", "x1 == x2, as booleans.", single("compare", comparison_direction="EQ"), join=all_words)
not_equal = binary("not_equal", "x1 != x2, as booleans.", single("compare", comparison_direction="NE"), join=any_words)
less = binary("less", "x1 < x2, as booleans.", *_ordering("LT"))
less_equal = binary("less_equal", "x1 <= x2, as booleans.", *_ordering("LE"))
greater = binary("greater", "x1 > x2, as booleans.", *_ordering("GT"))
greater_equal = binary("greater_equal", "x1 >= x2, as booleans.", *_ordering("GE"))

# ---- logic and bits ------------------------------------------------------------------------------


def _logic(mnemonic: str) -> Any:
    def body(*xs: Value) -> Value:
        return logical(mnemonic, *map(truth, xs))

    return by_kind(b=mnemonic, other=None), "same", body, True


logical_and = ufunc_of(
    binary("logical_and", "Both x1 and x2 are not zero, as booleans.", *_logic("and")),
    True,
    reduce=_bits("and", truth_only=True),
)
logical_or = ufunc_of(
    binary("logical_or", "x1 or x2 is not zero, as booleans.", *_logic("or")),
    False,
    reduce=_bits("or", truth_only=True),
)
logical_xor = ufunc_of(
    binary("logical_xor", "Just one of x1 and x2 is not zero, as booleans.", *_logic("xor")),
    False,
    reduce=_bits("xor", truth_only=True),
)
logical_not = unary(
    "logical_not",
    "x is zero, as booleans.",
    by_kind(b="not", other=None),
    "same",
    lambda x: compare_to_zero(x, "EQ"),
)
bitwise_and = ufunc_of(
    binary("bitwise_and", "`and` of the bits of integers or of booleans.", single("and")), -1, reduce=_bits("and")
)
bitwise_or = ufunc_of(
    binary("bitwise_or", "`or` of the bits of integers or of booleans.", single("or")), 0, reduce=_bits("or")
)
bitwise_xor = ufunc_of(
    binary("bitwise_xor", "`xor` of the bits of integers or of booleans.", single("xor")), 0, reduce=_bits("xor")
)
invert = bitwise_not = bitwise_invert = unary(
    "invert", "All bits of integers or booleans inverted.", single("not"), "same"
)
left_shift = bitwise_left_shift = binary(
    "left_shift", "The bits of x1 moved up by x2.", single("shift_left"), "numeric"
)
right_shift = bitwise_right_shift = binary(
    "right_shift",
    "The bits of x1 moved down by x2; the sign of signed integers stays.",
    by_kind(u="shift_right_logical", other="shift_right_arithmetic"),
    "numeric",
)


@library(operands=("x",), promotion="numeric")
def bitwise_count(x: Any, /) -> Value:
    """Number of bits that are 1 in the absolute values of integers, as uint8."""
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
)
isinf = unary("isinf", "Infinite, as booleans.", several, "same", _infinite, any_words)
isnan = unary("isnan", "NaN, as booleans.", several, "same", lambda x: compare(x, x, "NE"), any_words)


def _signed_infinity(name: str, x: Any, bound: float) -> Value:
    value = array_argument(name, x)
    if kind(value) == "c":
        raise ValueError("isposinf/isneginf are not well defined for complex types")
    if kind(value) != "f":
        return _none_true(value)
    return BIND.convert(compare_to(value, bound, "EQ"), dtype=np.dtype(np.bool_))


@library(operands=("x",), moves=("x",), join=any_words)
def isposinf(x: Any, /, out: None = None) -> Value:
    """Positive infinity, as booleans."""
    return _signed_infinity("isposinf", x, np.inf)


@library(operands=("x",), moves=("x",), join=any_words)
def isneginf(x: Any, /, out: None = None) -> Value:
    """Negative infinity, as booleans."""
    return _signed_infinity("isneginf", x, -np.inf)


@library(operands=("x",))
def signbit(x: Any, /) -> Value:
    """The sign bit is set, as booleans: also for -0.0.

    Raises:
      ValueError: complex numbers.
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
