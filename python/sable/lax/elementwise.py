"""Elementwise functions with rules of their own: special functions, powers, selection, conversions.

Operands are of one dtype and, scalars apart, of one rank."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.core import dtypes, operands
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import broadcast_operands, known_integer, value_in, value_of, values_of
from sable.core.values import retype
from sable.dialects.ops.selection import bitcast_refusal
from sable.library.declare import library
from sable.library.words import refuse_conversion
from sable.pytree.arrays import WRAPPERS

from .arithmetic import check_accuracy


@library(operands=("x1", "x2"))
def nextafter(x1: Any, x2: Any) -> Value:
    """The float next to x1 in the direction of x2, elementwise.

    Args:
      x1, x2: floats of one dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> float(lax.nextafter(jnp.float32(1.), jnp.float32(2.))) - 1
      1.1920928955078125e-07
    """
    return BIND.next_after(*broadcast_operands(values_of("nextafter", x1, x2)))


@library(operands=("m", "x"))
def polygamma(m: Any, x: Any) -> Value:
    """The derivative of order m of `digamma` at x, elementwise.

    Args:
      m: the orders, whole numbers that are not negative.
      x: floats of the same dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.polygamma(1., 1.).round(4)
      Array(1.6449, dtype=float32, weak_type=True)
    """
    return BIND.polygamma(*broadcast_operands(values_of("polygamma", m, x)))


@library(operands=("x", "q"))
def zeta(x: Any, q: Any) -> Value:
    """The Hurwitz zeta function: the sum of (k + q)**-x over k = 0, 1, ..., elementwise.

    Args:
      x, q: floats of one dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.zeta(2., 1.).round(4)
      Array(1.6449, dtype=float32, weak_type=True)
    """
    return BIND.zeta(*broadcast_operands(values_of("zeta", x, q)))


@library(operands=("a", "x"))
def igamma(a: Any, x: Any) -> Value:
    """The regularized lower incomplete gamma function, the distribution function of the gamma distribution, elementwise.

    Args:
      a, x: floats of one dtype and rank, a positive and x not negative; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.igamma(1., jnp.array([0., 1., 100.])).round(4)
      Array([0.    , 0.6321, 1.    ], dtype=float32)
    """
    return BIND.igamma(*broadcast_operands(values_of("igamma", a, x)))


@library(operands=("a", "x"))
def igammac(a: Any, x: Any) -> Value:
    """1 - igamma(a, x), accurate for large x, elementwise.

    Args:
      a, x: floats of one dtype and rank, a positive and x not negative; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.igammac(1., 30.) > 0, 1 - lax.igamma(1., 30.) > 0
      (Array(True, dtype=bool, weak_type=True), Array(False, dtype=bool, weak_type=True))
    """
    return BIND.igammac(*broadcast_operands(values_of("igammac", a, x)))


@library(operands=("a", "x"))
def igamma_grad_a(a: Any, x: Any) -> Value:
    """The derivative of igamma(a, x) in a, elementwise; it has none itself.

    Args:
      a, x: floats of one dtype and rank, both positive; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.igamma_grad_a(1., 1.).round(4)
      Array(-0.4317, dtype=float32, weak_type=True)
    """
    return BIND.igamma_grad_a(*broadcast_operands(values_of("igamma_grad_a", a, x)))


@library(operands=("a", "x"))
def random_gamma_grad(a: Any, x: Any) -> Value:
    """How a sample x of the gamma distribution moves with its parameter a: dx/da at constant igamma(a, x), elementwise.

    Args:
      a, x: floats of one dtype and rank, both positive; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.random_gamma_grad(1., 1.).round(4)
      Array(1.1736, dtype=float32, weak_type=True)
    """
    return BIND.random_gamma_grad(*broadcast_operands(values_of("random_gamma_grad", a, x)))


@library(operands=("a", "b", "x"))
def betainc(a: Any, b: Any, x: Any) -> Value:
    """The regularized incomplete beta function, the distribution function of the beta distribution, elementwise.

    It has a derivative in x only.

    Args:
      a, b: floats, both positive.
      x: floats from 0 to 1, of the same dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or no floats.

    Example:
      >>> lax.betainc(1., 2., jnp.array([0., 0.5, 1.])).round(4)
      Array([0.  , 0.75, 1.  ], dtype=float32)
    """
    return BIND.betainc(*broadcast_operands(values_of("regularized_incomplete_beta", a, b, x)))


@library(operands=("x", "y"))
def mul(x: Any, y: Any, *, out_dtype: Any = None) -> Value:
    """x * y, elementwise.

    Args:
      x, y: arrays of one dtype and rank; scalars are repeated.
      out_dtype: convert the operands to this dtype first.

    Raises:
      TypeError: dtypes or shapes disagree, or booleans.

    Example:
      >>> lax.mul(jnp.uint8([16, 3]), jnp.uint8(16))
      Array([ 0, 48], dtype=uint8)
      >>> lax.mul(jnp.uint8([16, 3]), jnp.uint8(16), out_dtype=jnp.int32)
      Array([256,  48], dtype=int32)
    """
    values = values_of("mul", x, y)
    if out_dtype is not None:
        values = [convert_element_type(v, out_dtype) for v in values]
    return BIND.multiply(*broadcast_operands(values))


@library(operands=("x", "y"))
def mulhi(x: Any, y: Any, /) -> Value:
    """The upper half of the bits of x * y, elementwise.

    Args:
      x, y: integers of one dtype and rank; scalars are repeated.

    Raises:
      TypeError: dtypes or shapes disagree, or are no integers.

    Example:
      >>> lax.mulhi(jnp.uint8(200), jnp.uint8(100))
      Array(78, dtype=uint8)
    """
    return BIND.mulhi(*broadcast_operands(values_of("mulhi", x, y)))


@library(operands=("x",))
def sign(x: Any) -> Value:
    """-1, 0 or 1 by the sign of x (NaN for NaN); x / |x| for complex numbers.

    Args:
      x: integers, floats or complex numbers.

    Raises:
      TypeError: booleans.

    Example:
      >>> lax.sign(jnp.array([-2., 0., jnp.nan])), lax.sign(3 + 4j)
      (Array([-1.,  0., nan], dtype=float32), Array(0.6+0.8j, dtype=complex64, weak_type=True))
    """
    value = value_of(x, "sign")
    if dtypes.kind_of(value.aval.dtype) == "u":
        return BIND.minimum(value, BIND.full(value.aval, 1))
    return BIND.sign(value)


@library(operands=("x",))
def exp2(x: Any, *, accuracy: Any = None) -> Value:
    """2**x, elementwise.

    Args:
      x: floats or complex numbers.
      accuracy: a Tolerance, an AccuracyMode or None; the result has the compiler's best accuracy.

    Raises:
      TypeError: neither floats nor complex numbers.

    Example:
      >>> lax.exp2(jnp.array([0., 3.]))
      Array([1., 8.], dtype=float32)
    """
    check_accuracy(accuracy)
    value = value_of(x, "exp2")
    if dtypes.kind_of(value.aval.dtype) not in "fc":
        raise TypeError(
            f"exp2 does not accept dtype {value.aval.dtype.name}. "
            "Accepted dtypes are subtypes of floating, complexfloating."
        )
    return operands.power_of_two(value)


@library(operands=("x",))
def square(x: Any) -> Value:
    """x * x, elementwise.

    Args:
      x: integers, floats or complex numbers.

    Raises:
      TypeError: booleans.

    Example:
      >>> lax.square(jnp.array([2., -3.])), lax.square(1j)
      (Array([4., 9.], dtype=float32), Array(-1.+0.j, dtype=complex64, weak_type=True))
    """
    value = value_of(x, "square")
    if value.aval.dtype.kind in "iu":
        return BIND.multiply(value, value)
    return BIND.square(value)


@library(operands=("x",))
def reciprocal(x: Any) -> Value:
    """1 / x, elementwise.

    Args:
      x: floats or complex numbers.

    Raises:
      TypeError: another dtype.

    Example:
      >>> lax.reciprocal(jnp.array([4., 0.]))
      Array([0.25,  inf], dtype=float32)
    """
    return integer_pow(x, -1)


@library(operands=("x",))
def integer_pow(x: Any, y: int) -> Value:
    """x**y for a Python integer y, by repeated squaring.

    Args:
      x: integers, floats or complex numbers.
      y: the exponent.

    Raises:
      TypeError: booleans; integers to a negative power.

    Example:
      >>> lax.integer_pow(jnp.array([2, -3]), 3)
      Array([  8, -27], dtype=int32)
      >>> lax.integer_pow(2., -2)
      Array(0.25, dtype=float32, weak_type=True)
    """
    y = known_integer(y, "exponent of lax.integer_pow") if not isinstance(y, float) or not y.is_integer() else int(y)
    value = value_of(x, "integer_pow")
    if value.aval.dtype == np.bool_:
        raise TypeError(
            "integer_pow does not accept dtype bool. "
            "Accepted dtypes are subtypes of integer, floating, complexfloating."
        )
    return operands.integer_pow(value, int(y))


@library(operands=("x",))
def pow(x: Any, y: Any) -> Value:
    """x**y, elementwise.

    Args:
      x: floats or complex numbers.
      y: the same dtype, or integers.

    Raises:
      TypeError: other dtypes; shapes that disagree.

    Example:
      >>> lax.pow(jnp.array([4., -8.]), jnp.array([0.5, 1 / 3])), lax.pow(jnp.array([-8.]), 3)
      (Array([ 2., nan], dtype=float32), Array([-512.], dtype=float32))
    """
    if isinstance(y, int) and not isinstance(y, bool):
        kind = dtypes.kind_of(value_of(x, "pow").aval.dtype)
        if kind in "fc":
            return integer_pow(x, y)
    base, exponent = values_of("pow", x, y)
    kind = dtypes.kind_of(base.aval.dtype)
    if kind not in "fc":
        raise TypeError(
            f"pow does not accept dtype {base.aval.dtype.name} at position 0. "
            "Accepted dtypes at position 0 are subtypes of floating, complexfloating."
        )
    if exponent.aval.dtype.kind in "iu":
        base, exponent = broadcast_operands([base, exponent])
        if base.aval.shape == exponent.aval.shape:
            # x**0 is 1 with derivative 0, also at 0, where y x**(y - 1) would be 0 * inf
            none = operands.compare_to(exponent, 0, "EQ")
            base = operands.select(none, operands.full_like(base, 1), base)
        exponent = retype(BIND.convert(exponent, dtype=base.aval.dtype), exponent.aval.weak_type)
    return BIND.power(*broadcast_operands([base, exponent]))


class RoundingMethod(enum.IntEnum):
    """Where `round` sends numbers half way between two whole ones.

    Example:
      >>> lax.round(jnp.array([0.5, 2.5]), lax.RoundingMethod.TO_NEAREST_EVEN)
      Array([0., 2.], dtype=float32)
    """

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


@library(operands=("x",))
def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Value:
    """The nearest whole number, elementwise.

    Args:
      x: floats.
      rounding_method: where numbers half way between two whole ones go; unlike in `jnp.round`, away from zero by default.

    Raises:
      TypeError: not floats.

    Example:
      >>> lax.round(jnp.array([0.5, -2.5])), jnp.round(jnp.array([0.5, -2.5]))
      (Array([ 1., -3.], dtype=float32), Array([ 0., -2.], dtype=float32))
    """
    value = value_of(x, "round")
    even = RoundingMethod(rounding_method) is RoundingMethod.TO_NEAREST_EVEN
    return BIND.round_nearest_even(value) if even else BIND.round_nearest_afz(value)


@library(operands=("x",))
def conj(x: Any) -> Value:
    """The complex conjugate; real numbers become complex.

    Args:
      x: floats or complex numbers.

    Raises:
      TypeError: another dtype.

    Example:
      >>> lax.conj(jnp.array([3 + 4j])), lax.conj(jnp.array([3.]))
      (Array([3.-4.j], dtype=complex64), Array([3.+0.j], dtype=complex64))
    """
    value = value_of(x, "conj")
    if value.aval.dtype.kind != "c":
        return BIND.complex(value, BIND.full(value.aval, 0))
    return BIND.complex(BIND.real(value), BIND.negate(BIND.imag(value)))


@library(
    operands=("pred", "on_true", "on_false"),
    moves=(
        "on_true",
        "on_false",
    ),
)
def select(pred: Any, on_true: Any, on_false: Any) -> Value:
    """`on_true` where `pred` holds, else `on_false`.

    Args:
      pred: booleans (or int32, 0 and 1), of the cases' shape or a scalar.
      on_true, on_false: arrays of one shape and dtype.

    Raises:
      TypeError: shapes or dtypes disagree; `pred` is not boolean.

    Example:
      >>> lax.select(jnp.array([True, False]), jnp.array([1, 2]), jnp.array([10, 20]))
      Array([ 1, 20], dtype=int32)
    """
    which, *cases = values_of("select", pred, on_true, on_false)
    if which.aval.dtype == np.int32:
        return select_n(which, cases[1], cases[0])
    return BIND.select(which, *cases)


@library(moves=("cases",))
def select_n(which: Any, *cases: Any) -> Value:
    """Elements of the case that `which` numbers.

    Args:
      which: booleans (two cases: False takes the first) or int32, of the cases' shape or a scalar.
      *cases: arrays of one shape and dtype.

    Raises:
      TypeError, ValueError: no cases; shapes or dtypes disagree; a `which` of another dtype.

    Example:
      >>> lax.select_n(jnp.array([True, False]), jnp.array([1, 2]), jnp.array([10, 20]))
      Array([10,  2], dtype=int32)
      >>> lax.select_n(jnp.array([2, 0]), jnp.array([1, 2]), jnp.array([10, 20]), jnp.array([100, 200]))
      Array([100,   2], dtype=int32)
    """
    if not cases:
        raise ValueError("select_n() must have at least one case")
    index, *values = values_of("select_n", which, *cases)
    dtype = index.aval.dtype
    if dtype == np.bool_:
        if len(values) > 2:
            raise TypeError(f"select with boolean `which` cannot have > 2 cases; got {len(values)}")
        return values[0] if len(values) == 1 else BIND.select(index, values[1], values[0])
    if dtype != np.int32:
        raise TypeError(f"select `which` must be boolean or int32 type, got {dtype.name}.")
    result = values[-1]
    for i in range(len(values) - 2, -1, -1):
        direction = "LE" if i == 0 else "EQ"  # a number below 0 means the first case
        here = BIND.compare(index, BIND.full(index.aval, i), comparison_direction=direction)
        result = BIND.select(here, values[i], result)
    return result


@library(operands=("min", "x", "max"))
def clamp(min: Any, x: Any, max: Any) -> Value:
    """x, raised to `min` and then lowered to `max`, elementwise.

    Args:
      min, max: scalars or arrays of x's shape, of x's dtype.
      x: an array.

    Raises:
      TypeError: shapes or dtypes disagree.

    Example:
      >>> lax.clamp(0., jnp.array([-1., 0.5, 2.]), 1.)
      Array([0. , 0.5, 1. ], dtype=float32)
      >>> lax.clamp(0, jnp.array([-1., 0.5]), 1.)
      Traceback (most recent call last):
          ...
      TypeError: lax.clamp requires arguments to have the same dtypes, got int32, float32, float32.
    """
    return BIND.clamp(*values_of("clamp", min, x, max))


@library(operands=("operand",))
def convert_element_type(operand: Any, new_dtype: Any) -> Value:
    """The elements in another dtype; the result is strongly typed.

    Args:
      operand: an array.
      new_dtype: a dtype; Python's types mean the default dtypes.

    Raises:
      ValueError: no dtype; that of typed keys, or another one for typed keys.
      TypeError: a dtype that arrays cannot have.

    Example:
      >>> lax.convert_element_type(jnp.array([1.7, -1.7]), jnp.int32)
      Array([ 1, -1], dtype=int32)
      >>> lax.convert_element_type(300, jnp.uint8)
      Array(44, dtype=uint8)
    """
    dtype = dtypes.user_dtype(new_dtype, "convert_element_type")
    if dtypes.is_extended(dtype) or type(operand) in WRAPPERS:
        return _same_keys(operand, dtype)
    return value_in(dtype, operand, "convert_element_type")


def _same_keys(operand: Any, dtype: Any) -> Any:
    """Typed keys in a dtype, which must be theirs."""
    old = dtypes.dtype(operand)
    if old != dtype:
        refuse_conversion(old, dtype)
    return operand


@library
def bitcast_convert_type(operand: Any, new_dtype: Any) -> Value:
    """The bits of the elements, taken for another dtype.

    Between dtypes of different widths a last axis appears or disappears.

    Args:
      operand: an array.
      new_dtype: a dtype.

    Raises:
      TypeError, ValueError: booleans or complex numbers; a last axis of the wrong size.

    Example:
      >>> lax.bitcast_convert_type(jnp.array([1., -0.]), jnp.uint32)
      Array([1065353216, 2147483648], dtype=uint32)
      >>> lax.bitcast_convert_type(jnp.array([1.]), jnp.uint8)
      Array([[  0,   0, 128,  63]], dtype=uint8)
    """
    dtype = dtypes.user_dtype(new_dtype, "bitcast_convert_type")
    x = value_of(operand, "bitcast_convert_type")
    if x.aval.dtype.kind == "c" and x.aval.dtype != dtype:
        raise bitcast_refusal(x.aval, dtype)
    return BIND.bitcast_convert(x, dtype=dtype)


@library
def reduce_precision(operand: Any, exponent_bits: int, mantissa_bits: int) -> Value:
    """Floats rounded to a format of that many exponent and mantissa bits, in their own dtype.

    Args:
      operand: floats.
      exponent_bits, mantissa_bits: the format's; a mantissa's leading one is not counted.

    Raises:
      TypeError: not floats.
      ValueError: no such format.

    Example:
      >>> lax.reduce_precision(jnp.array([1.01, 1e10]), exponent_bits=5, mantissa_bits=3)
      Array([ 1., inf], dtype=float32)
    """
    value = value_of(operand, "reduce_precision")
    return BIND.reduce_precision(value, exponent_bits=int(exponent_bits), mantissa_bits=int(mantissa_bits))
