"""What library functions do with their operands, once for all libraries: values of anything, dtypes and shapes in which
they meet, axes, indices, constants, powers.

`sable.lax` takes operands as they are: one dtype, one rank (`value_of`, `broadcast_operands`). `sable.numpy` and what
stands on it take NumPy's liberties: dtypes meet, ranks differ (`array_argument`, `promote`, `broadcast_values`).
"""

from __future__ import annotations

import functools
import math
import operator
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable._config import config
from sable.errors import TracerIntegerConversionError
from sable.ir.aval import ELEMENT_TYPES, Aval, aval
from sable.pytree.arrays import WRAPPERS

from .array import Array, Value
from .bind import BIND, OPS, bind, constant
from .concretization import concretization_error, shape_error
from .dtype_kinds import BOOL
from .dtypes import dtype as dtype_of
from .dtypes import iinfo, kind_of, promote_avals, to_inexact_dtype, to_numeric_dtype, user_dtype
from .state import STATE
from .trace import Tracer
from .values import as_value, converted, is_array_like, retype

INT32 = np.dtype(np.int32)
_SCALARS = (bool, int, float, complex)
_CONVERT, _BROADCAST, _RESHAPE = OPS["convert"], OPS["broadcast_in_dim"], OPS["reshape"]

# ---- arguments -----------------------------------------------------------------------------------


def array_argument(name: str, x: Any, position: int = 0, operands: Sequence[Any] = ()) -> Value:
    """x as a value; `operands` are all that the function got, for messages.

    Raises:
      TypeError: x is neither an array nor a scalar (lists are not converted, as that would be slow); names the
        function and the argument's position.
    """
    if type(x) is Tracer or type(x) is Array:
        return x
    if is_array_like(x):
        return as_value(converted(x))
    if type(x) in WRAPPERS:
        raise _not_of(name, x, position, operands)
    raise TypeError(f"{name} requires ndarray or scalar arguments, got {type(x)} at position {position}.")


def array_arguments(name: str, *xs: Any) -> list[Value]:
    """All arguments as values; see `array_argument`."""
    return [array_argument(name, x, i, xs) for i, x in enumerate(xs)]


#: Functions that JAX calls otherwise in messages about the dtype of all their operands: by its primitives.
_PRIMITIVES = {
    "negative": "neg",
    "subtract": "sub",
    "multiply": "mul",
    "true_divide": "div",
    "divide": "div",
    "remainder": "rem",
    "invert": "not",
    "bitwise_and": "and",
    "bitwise_or": "or",
    "bitwise_xor": "xor",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}


def _not_of(name: str, x: Any, position: int, operands: Sequence[Any]) -> TypeError:
    """The error about an operand of a dtype that is not NumPy's, among others."""
    names = [dtype_of(y).name for y in operands if type(y) in WRAPPERS or is_array_like(y)]
    if len(set(names)) > 1:
        return TypeError(f"{name} does not accept dtypes {', '.join(names)}.")
    where = f" at position {position}" if len(operands) > 1 else ""
    return TypeError(f"{_PRIMITIVES.get(name, name)} does not accept dtype {x.dtype.name}{where}.")


def value_of(x: Any, name: str, position: int = 0) -> Value:
    """x as a value.

    Raises:
      TypeError: x is no array; names the function and the position.
    """
    kind = type(x)
    if kind is Array or kind is Tracer:
        return x
    try:
        return as_value(x)
    except TypeError as error:
        if kind in WRAPPERS:
            raise TypeError(f"{name} does not accept dtype {x.dtype.name} at position {position}.") from None
        raise TypeError(
            f"Error interpreting argument to {name} as a JAX value. The problematic value is of type {kind} "
            f"and was passed to {name} at position {position}. {error}"
        ) from None


def value_in(dtype: np.dtype, x: Any, name: str, position: int = 0) -> Value:
    """x as a strongly typed value of a dtype. A Python int need not fit the default one, only (modulo its size) this one.

    Raises:
      TypeError: x is no array; names the function and the position.
    """
    try:
        return convert(value_of(x, name, position), dtype)
    except OverflowError:
        return constant(np.asarray(x).astype(dtype))


def values_of(name: str, *xs: Any) -> list[Value]:
    """Several operands as values."""
    return [value_of(x, name, i) for i, x in enumerate(xs)]


# ---- axes ----------------------------------------------------------------------------------------


def normal_axis(axis: Any, ndim: int) -> int:
    """An axis between 0 and ndim.

    Raises:
      AxisError: it is out of bounds; NumPy's class, a ValueError and an IndexError.
    """
    i = operator.index(axis)
    if not -ndim <= i < ndim:
        raise np.exceptions.AxisError(i, ndim)
    return i + ndim if i < 0 else i


def normal_axes(axis: Any, ndim: int, repeated: str = "duplicate value in 'axis'") -> tuple[int, ...]:
    """Axes given as None (all), an int or a sequence, in the given order.

    Args:
      repeated: what the error says of an axis that is given twice.

    Raises:
      ValueError: one is out of bounds or given twice.
    """
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, Sequence) else (axis,)
    found = tuple(normal_axis(a, ndim) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"{repeated}: {axis}")
    return found


# ---- sizes ---------------------------------------------------------------------------------------


def integers(values: Any) -> tuple[int, ...]:
    """A tuple of Python ints of a sequence of integers (sizes, axes, starts).

    Raises:
      TypeError: not iterable, or an element is no integer.
    """
    return tuple([n if type(n) is int else operator.index(n) for n in values])


def sizes_argument(shape: Any) -> tuple[int, ...]:
    """Sizes given as an int or a sequence of ints.

    Raises:
      TypeError: something else, or a traced value.
    """
    try:
        return (operator.index(shape),)
    except TypeError:
        if isinstance(shape, Value) and not shape.aval.shape:
            shape = (shape,)
    message = f"Shapes must be 1D sequences of concrete values of integer type, got {shape}."
    try:
        return integers(shape)
    except TracerIntegerConversionError:
        traced = next(n for n in (shape if isinstance(shape, (tuple, list)) else [shape]) if isinstance(n, Tracer))
        raise shape_error(traced, message) from None
    except TypeError:
        raise TypeError(message) from None


def shape_argument(shape: Any) -> tuple[int, ...]:
    """A shape given as an int or a sequence of ints.

    Raises:
      TypeError: something else, a traced value, or a negative size.
    """
    found = sizes_argument(shape)
    if any(n < 0 for n in found):
        raise TypeError(f"broadcast_in_dim shape must have every element be nonnegative, got {found}.")
    return found


def dtype_argument(dtype: Any, name: str) -> Any:
    """A `dtype=` argument in canonical form; None stays None."""
    return None if dtype is None else user_dtype(dtype, name)


# ---- dtypes --------------------------------------------------------------------------------------


def convert(x: Value, dtype: np.dtype, weak_type: bool = False) -> Value:
    """x in a (canonical) dtype and weak type; x itself where nothing changes; constants stay constants."""
    if x.aval.dtype == dtype:
        return retype(x, weak_type)
    if type(x) is Array and x.constant and x._device is None:
        return constant(np.asarray(STATE.run(_CONVERT.ref, x.numpy(), dtype)), weak_type)
    return retype(bind(_CONVERT, x, dtype=dtype), weak_type)


def _same(dtype: np.dtype) -> np.dtype:
    return dtype


@functools.cache
def _inexact(dtype: np.dtype) -> np.dtype:
    return to_inexact_dtype(dtype)


#: how the dtype in which operands meet is changed before the op: "same", "numeric" (no bool), "inexact" (floats)
RULES: dict[str, Callable[[np.dtype], np.dtype]] = {
    "same": _same,
    "numeric": to_numeric_dtype,
    "inexact": _inexact,
    "inexact, strong beside arrays": _inexact,
}


#: the dtypes that a rule does not change
_KEPT = {rule: frozenset(d for d in ELEMENT_TYPES if change(d) == d) for rule, change in RULES.items()}


def promoted_type(avals: tuple[Aval, ...], rule: str = "same") -> tuple[np.dtype, bool]:
    """Dtype and weak type in which operands meet."""
    dtype, weak = promote_avals(avals)
    if weak and rule == "inexact, strong beside arrays":
        weak = all(a.weak_type for a in avals)
    return RULES[rule](dtype), weak and dtype != BOOL


def promote_dtypes(values: Sequence[Value], rule: str = "same") -> list[Value]:
    """Values in the dtype in which they meet."""
    dtype, weak = promoted_type(tuple([x.aval for x in values]), rule)
    return [convert(x, dtype, weak) for x in values]


def promote(name: str, xs: Sequence[Any], rule: str = "same") -> list[Value]:
    """Arguments of an elementwise function as values of one dtype and one shape.

    Raises:
      TypeError: an argument is no array; operands of one rank do not broadcast.
      ValueError: operands of different rank do not broadcast.
    """
    if _are_alike(xs, rule):
        return list(xs)
    values = promote_dtypes(array_arguments(name, *xs), rule)
    return broadcast_values(name, values) if len(values) > 1 else values


def _are_alike(xs: Sequence[Any], rule: str) -> bool:
    """Whether the operands are values of one strong type that they keep: the usual case."""
    first = xs[0]
    if type(first) is not Tracer and type(first) is not Array:
        return False
    a = first.aval
    if a.weak_type or a.dtype not in _KEPT[rule]:
        return False
    for x in xs[1:]:  # noqa: SIM110 (a generator takes several times as long)
        if (type(x) is not Tracer and type(x) is not Array) or x.aval is not a:
            return False
    return True


# ---- shapes --------------------------------------------------------------------------------------


@functools.lru_cache(8192)
def broadcast_shape(shapes: tuple[tuple[int, ...], ...]) -> tuple[int, ...]:
    """The shape to which shapes broadcast.

    Raises:
      ValueError: they do not.
    """
    rank = max(map(len, shapes), default=0)
    found = []
    for axis in range(-rank, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1:
            raise ValueError(f"Incompatible shapes for broadcasting: shapes={list(shapes)}")
        found.append(sizes.pop() if sizes else 1)
    return tuple(found)


def check_ranks(name: str, shapes: Sequence[tuple[int, ...]]) -> None:
    """Warn or raise where operands that are no scalars differ in rank, if `jax_numpy_rank_promotion` says so."""
    policy = config.jax_numpy_rank_promotion
    if policy == "allow" or len({len(s) for s in shapes if s}) < 2:
        return
    shown = " ".join(map(str, shapes))
    mend = "Reshape the operands to one rank, for example x[:, None]"
    if policy == "raise":
        raise ValueError(
            f"Operands could not be broadcast together for {name} on shapes {shown} and with the config option "
            f"jax_numpy_rank_promotion='raise'. {mend}."
        )
    warnings.warn(
        f"Following NumPy automatic rank promotion for {name} on shapes {shown}. {mend}, or set jax_numpy_rank_promotion "
        "to 'allow'.",
        UserWarning,
        stacklevel=4,
    )


def broadcast_values(name: str, values: Sequence[Value]) -> list[Value]:
    """Values in the shape to which they broadcast."""
    first = values[0].aval.shape
    if all(x.aval.shape == first for x in values):
        return list(values)
    shapes = tuple([x.aval.shape for x in values])
    check_ranks(name, shapes)
    try:
        shape = broadcast_shape(shapes)
    except ValueError:
        if len({len(s) for s in shapes if s}) > 1:
            raise
        shown = ", ".join(map(str, shapes))
        raise TypeError(f"{name} got incompatible shapes for broadcasting: {shown}.") from None
    return [expand_to(x, shape) for x in values]


def broadcast_operands(values: Sequence[Value]) -> Sequence[Value]:
    """Values of one shape: scalars and dimensions of size 1 are repeated.

    Operands that do not fit are returned as they are: the op's type rule says what is wrong with them.
    """
    shape = values[0].aval.shape
    if all(x.aval.shape == shape for x in values):
        return values
    shapes = [x.aval.shape for x in values if x.aval.shape]
    rank = len(shapes[0])
    if any(len(s) != rank for s in shapes):
        return values
    target = tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*shapes))
    if any(n not in (1, m) for s in shapes for n, m in zip(s, target)):
        return values
    return [expand_to(x, target) for x in values]


def expand_to(x: Value, shape: tuple[int, ...]) -> Value:
    """x broadcast to a shape that it is known to broadcast to."""
    a = x.aval
    if a.shape == shape:
        return x
    lead = len(shape) - a.ndim
    return bind(_BROADCAST, x, shape=shape, broadcast_dimensions=tuple(range(lead, len(shape))))


def reshape_to(x: Value, shape: tuple[int, ...]) -> Value:
    """x in another shape of the same size."""
    return x if x.aval.shape == shape else bind(_RESHAPE, x, shape=shape)


# ---- constants -----------------------------------------------------------------------------------


def scalar(value: Any, dtype: np.dtype, weak_type: bool = False) -> Value:
    """A constant scalar."""
    return constant(np.asarray(value, dtype), weak_type)


def scalar_like(x: Value, value: Any) -> Value:
    """A constant scalar of x's dtype and weak type."""
    return constant(np.asarray(value, x.aval.dtype), x.aval.weak_type)


def full_like(x: Value, value: Any) -> Value:
    """A constant of x's shape, dtype and weak type."""
    return BIND.full(x.aval, value)


def filled(shape: tuple[int, ...], dtype: np.dtype, value: Any, weak_type: bool = False) -> Value:
    """A constant array of one repeated scalar."""
    return BIND.full(aval(shape, dtype, weak_type), value)


def compare(x: Value, y: Value, direction: str) -> Value:
    """`x < y` etc. of values of the same dtype and shape: EQ, NE, LT, LE, GT, GE."""
    return bind(OPS["compare"], x, y, comparison_direction=direction)


def compare_to(x: Value, value: Any, direction: str) -> Value:
    """Comparison with a Python scalar."""
    return compare(x, full_like(x, value), direction)


def compare_to_zero(x: Value, direction: str) -> Value:
    """Comparison with zero, which is weakly typed like x as a scalar only, as in JAX."""
    return retype(compare_to(x, 0, direction), x.aval.weak_type and x.aval.ndim == 0)


def select(pred: Value, x: Value, y: Value) -> Value:
    """x where pred, else y."""
    return bind(OPS["select"], pred, x, y)


def truth(x: Value) -> Value:
    """x != 0."""
    return x if kind(x) == "b" else compare_to_zero(x, "NE")


def logical(mnemonic: str, *xs: Value) -> Value:
    """`and`, `or`, `xor`, `not`, whose mnemonics are Python keywords."""
    return bind(OPS[mnemonic], *xs)


def kind(x: Value) -> str:
    """Kind of x's dtype: b, i, u, f, c."""
    return kind_of(x.aval.dtype)


# ---- powers --------------------------------------------------------------------------------------


def power_of_two(x: Value) -> Value:
    """2**x of floats or complex numbers."""
    if kind(x) == "c":
        return BIND.exponential(BIND.multiply(x, full_like(x, math.log(2))))
    return BIND.power(full_like(x, 2), x)  # exact for whole numbers


def integer_pow(x: Value, n: int) -> Value:
    """x**n by repeated multiplication, with the right derivative at 0.

    Raises:
      TypeError: n is negative and x has integers.
    """
    if n < 0:
        if kind(x) in "iu":
            raise TypeError(f"Integers cannot be raised to negative powers, got integer_pow({x.aval.short()}, {n})")
        # 1 / x has a row of its own, with a native form
        return BIND.divide(full_like(x, 1), x) if n == -1 else BIND.integer_pow(x, y=n)
    if n == 0:
        return full_like(x, 1)
    found = None
    while n:
        if n & 1:
            found = x if found is None else BIND.multiply(found, x)
        n >>= 1
        if n:
            x = BIND.multiply(x, x)
    return found  # type: ignore[return-value]


# ---- indices -------------------------------------------------------------------------------------


def wrapped(indices: Value, size: int) -> Value:
    """Indices modulo a size, with the sign of the size."""
    n = full_like(indices, size)
    found = BIND.remainder(indices, n)
    return select(compare_to(found, 0, "LT"), BIND.add(found, n), found)


def counted_from_front(i: Value, size: int) -> Value:
    """i, or i + size where i is negative, in i's dtype."""
    a = i.aval
    if a.dtype.kind != "i":
        return i
    if type(i) is Array and i.constant and not a.shape:
        value = int(i.numpy())
        return i if value >= 0 else constant(np.asarray(value + size, a.dtype), a.weak_type)
    n = BIND.full(a, min(size, iinfo(a.dtype).max))
    return select(compare_to(i, 0, "LT"), BIND.add(i, n), i)


def position_of(i: Value, size: int, wrap: bool = True) -> Value:
    """Integers as positions: int32 (int64 if they have 64 bits), negative ones counted from the front if `wrap`."""
    width, unsigned = i.aval.dtype.itemsize, i.aval.dtype.kind == "u"
    if unsigned and width == 4:
        i = BIND.minimum(i, full_like(i, 2**31 - 1))
    i = convert(i, np.dtype(np.int64) if width == 8 else INT32)
    return counted_from_front(i, size) if wrap and not unsigned else i


def known_integer(x: Any, what: str) -> int:
    """An integer argument that must be known while tracing.

    Raises:
      ConcretizationTypeError: it is traced; the message has `what`, where it came from.
      TypeError: it is no integer.
    """
    if isinstance(x, Tracer):
        x = known_values(x, what)
    return operator.index(x)


def known(x: Value, what: str) -> Value:
    """The array behind a value whose elements decide a result's shape.

    Raises:
      ConcretizationTypeError: they are not known; the message has `what`, where that was asked.
    """
    if isinstance(x, Tracer):
        found = x.owner.evaluate(x.value) if x.owner.live else None
        if found is None:
            raise concretization_error(x, what)
        return found
    return x


def known_values(x: Value, what: str) -> np.ndarray:
    """The elements themselves; see `known`."""
    return known(x, what).numpy()  # type: ignore[attr-defined]
