"""Random bits, floats between given bounds and integers between given bounds: what all distributions are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import array_argument, array_arguments, broadcast_operands, convert, expand_to, sizes_argument
from sable.core.trace import Tracer
from sable.core.values import as_value
from sable.lax.shapes import broadcast_shapes
from sable.library.declare import library

from ._key_array import KeyArray
from ._keys import random_bits, two_keys, words_of

_UNSIGNED = {n: np.dtype(f"uint{n}") for n in (8, 16, 32, 64)}


def shape_argument(name: str, shape: Any, *parameters: Sequence[int]) -> tuple[int, ...]:
    """A `shape=` argument, into which the shapes of parameters broadcast (and whose default they are).

    Raises:
      TypeError: not a sequence of integers.
      ValueError: a parameter does not broadcast into it; a negative size.
    """
    if shape is None and parameters:
        return broadcast_shapes(*parameters)
    sizes = sizes_argument(shape)
    if any(n < 0 for n in sizes):
        raise ValueError(f"{name} requires a shape of nonnegative sizes, got {sizes}")
    if parameters and broadcast_shapes(sizes, *parameters) != sizes:
        raise ValueError(
            f"{name} parameter shapes must be broadcast-compatible with shape argument, and the result of broadcasting "
            f"the shapes must equal the shape argument, but got {broadcast_shapes(sizes, *parameters)} for shape "
            f"argument {sizes}."
        )
    return sizes


def float_dtype(name: str, dtype: Any, error: type[Exception] = ValueError) -> np.dtype:
    """A `dtype=` argument that has to be a float dtype; the default one for None."""
    found = dtypes.user_dtype(float if dtype is None else dtype, name)
    if dtypes.kind_of(found) != "f":
        raise error(f"dtype argument to `{name}` must be a float dtype, got {found}")
    return found


def parameter(x: Any, dtype: np.dtype, shape: tuple[int, ...]) -> Value:
    """A parameter of a distribution in the result's dtype and shape; scalars stay scalars."""
    value = convert(as_value(x), dtype)
    return expand_to(value, shape) if value.aval.shape else value


def both(mnemonic: str, x: Value, y: Value) -> Value:
    """An elementwise op on arrays of one shape or scalars."""
    return getattr(BIND, mnemonic)(*broadcast_operands([x, y]))


def own_shape(name: str, x: Any) -> tuple[int, ...]:
    """The shape of a parameter of the sampler of that name.

    Raises:
      TypeError: it is no array; names the sampler.
    """
    return array_argument(name, x).aval.shape


def refuse_loss(name: str, dtype: np.dtype, *parameters: Any) -> None:
    """Parameters must be convertible to the dtype without loss.

    Raises:
      TypePromotionError: one is not.
    """
    for x in parameters:
        if not dtypes.safe_to_cast(x, dtype):
            raise dtypes.TypePromotionError(
                f"In arguments to {name}, cannot safely cast argument of type {array_argument(name, x).aval.dtype} to {dtype}"
            )


def parameter_arguments(
    name: str, key: Any, shape: Any, dtype: Any, *parameters: Any
) -> tuple[KeyArray, tuple[int, ...], np.dtype, list[Value]]:
    """The key, the result's shape and dtype, and the parameters in that dtype.

    Raises:
      ValueError, TypeError: as the sampler of that name says.
    """
    words, _ = words_of(name, key)
    found = float_dtype(name, dtype)
    values = array_arguments(name, *parameters)
    sizes = shape_argument(name, shape, *(x.aval.shape for x in values))
    refuse_loss(name, found, *parameters)
    return words, sizes, found, [convert(x, found) for x in values]


# ---- bits ----------------------------------------------------------------------------------------------------


@library
def bits(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Random bits.

    Args:
      key: a random key.
      shape: the result's.
      dtype: an unsigned integer dtype; uint32 by default (uint64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.bits(jax.random.key(0), (2,), jnp.uint8)
      Array([167, 146], dtype=uint8)
    """
    words, _ = words_of("bits", key)
    found = dtypes.user_dtype(dtypes.default_uint_dtype() if dtype is None else dtype, "bits")
    if dtypes.kind_of(found) != "u":
        raise ValueError(f"dtype argument to `bits` must be an unsigned int dtype, got {found}")
    return random_bits(words, 8 * found.itemsize, shape_argument("bits", shape))


# ---- floats --------------------------------------------------------------------------------------------------


def unit_floats(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    """Floats in [0, 1): random bits as the mantissa of a float in [1, 2), less 1."""
    info = dtypes.finfo(dtype)
    width, mantissa = info.bits, info.nmant
    drawn = width if mantissa >= 8 else 8  # bfloat16 has 7 bits of mantissa: 8 random bits are enough
    own = _UNSIGNED[width]
    found = random_bits(words, drawn, shape)
    if drawn != width:
        found = BIND.convert(found, dtype=own)
    found = BIND.shift_right_logical(found, BIND.full(found.aval, drawn - mantissa))
    one = int(np.asarray(1, dtype).view(own))
    found = getattr(BIND, "or")(found, BIND.full(found.aval, one))
    floats = BIND.bitcast_convert(found, dtype=dtype)
    return BIND.subtract(floats, BIND.full(floats.aval, 1))


def uniform_words(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype, low: Any = 0.0, high: Any = 1.0) -> Value:
    """Floats in [low, high), of the words of a key; bounds of the dtype broadcast into the shape."""
    floats = unit_floats(words, shape, dtype)
    if type(low) is float and type(high) is float and (low, high) == (0.0, 1.0):
        return floats
    low, high = parameter(low, dtype, shape), parameter(high, dtype, shape)
    found = both("add", both("multiply", floats, both("subtract", high, low)), low)
    return both("maximum", low, found)  # rounding may have led below


@library
def uniform(
    key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0, *, out_sharding: Any = None
) -> Value:
    """Floats spread evenly over [minval, maxval).

    Args:
      key: a random key.
      shape: the result's, into which the bounds broadcast.
      dtype: a float dtype; float32 by default (float64 with x64).
      minval, maxval: the bounds.
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: bounds that do not broadcast into the shape; not a key. ValueError: bounds of more axes than the shape.

    Example:
      >>> jax.random.uniform(jax.random.key(0), (2,))
      Array([0.947667 , 0.9785799], dtype=float32)
    """
    words, _ = words_of("uniform", key)
    found = float_dtype("uniform", dtype)
    low, high = (x if isinstance(x, (float, int)) else array_argument("uniform", x) for x in (minval, maxval))
    shapes = [np.shape(x) if not isinstance(x, Value) else x.aval.shape for x in (low, high)]
    sizes = shape_argument("uniform", shape)
    if not all(_broadcasts(s, sizes) for s in shapes):
        error = ValueError if max(map(len, shapes)) > len(sizes) else TypeError
        raise error(f"uniform: bounds of shapes {shapes[0]} and {shapes[1]} do not broadcast to shape {sizes}")
    return uniform_words(words, sizes, found, *(float(x) if isinstance(x, int) else x for x in (low, high)))


def _broadcasts(shape: Sequence[int], target: Sequence[int]) -> bool:
    """Whether an array of a shape can be repeated to the target."""
    tail = target[len(target) - len(shape) :]
    return len(shape) <= len(target) and all(n in (1, m) for n, m in zip(shape, tail))


# ---- integers ------------------------------------------------------------------------------------------------


def _clipped(x: Value, dtype: np.dtype) -> Value:
    """Integers in another dtype, moved into its range."""
    mine, its = dtypes.iinfo(x.aval.dtype), dtypes.iinfo(dtype)
    low, high = max(mine.min, its.min), min(mine.max, its.max)
    if low > mine.min:
        x = BIND.maximum(x, BIND.full(x.aval, low))
    if high < mine.max:
        x = BIND.minimum(x, BIND.full(x.aval, high))
    return convert(x, dtype)


def _integer_bound(x: Any, narrow: np.dtype | None, extra: int) -> Value:
    """A bound as integers; for dtypes of less than 32 bits as int32 in the dtype's range (and `extra` above)."""
    value = array_argument("randint", x)
    if value.aval.dtype.kind not in "iu":
        value = convert(value, dtypes.default_int_dtype())
    if narrow is None:
        return value
    info = dtypes.iinfo(narrow)
    value = convert(value, np.dtype(np.int32))
    low, high = (BIND.full(value.aval, n) for n in (int(info.min), int(info.max) + extra))
    return BIND.minimum(BIND.maximum(value, low), high)


@library
def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Integers spread evenly over [minval, maxval).

    Args:
      key: a random key.
      shape: the result's, into which the bounds broadcast.
      minval, maxval: the bounds; where maxval is not above minval, all are minval.
      dtype: an integer dtype; int32 by default (int64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: bounds that do not broadcast; an array of keys.
      TypeError: another dtype; not a key.

    Example:
      >>> jax.random.randint(jax.random.key(0), (4,), 0, 10)
      Array([9, 0, 2, 3], dtype=int32)
    """
    words, _ = words_of("randint", key)
    wanted = dtypes.user_dtype(int if dtype is None else dtype, "randint")
    if dtypes.kind_of(wanted) not in "iu":
        raise TypeError(f"randint only accepts integer dtypes, got {wanted}")
    narrow = wanted if wanted.itemsize < 4 else None
    work = np.dtype(np.int32) if narrow is not None else wanted
    low, high = _integer_bound(minval, narrow, 0), _integer_bound(maxval, narrow, 1)
    sizes = shape_argument("randint", sizes_argument(shape), low.aval.shape, high.aval.shape)
    found = _between(words, sizes, low, high, work)
    return convert(found, wanted)


def _between(words: KeyArray, shape: tuple[int, ...], low: Value, high: Value, dtype: np.dtype) -> Value:
    """Integers in [low, high). Twice the bits that the dtype has are drawn, a two-word number, and its remainder by the
    number of values is taken: what is left of the bias of remainders is negligible."""
    top = min(dtypes.iinfo(dtype).max, dtypes.iinfo(high.aval.dtype).max)
    beyond = BIND.compare(high, BIND.full(high.aval, top), comparison_direction="GT")
    low, high = (parameter(_clipped(x, dtype), dtype, shape) for x in (low, high))
    low, high = broadcast_operands([low, high])
    unsigned, width = _UNSIGNED[8 * dtype.itemsize], 8 * dtype.itemsize
    upper, lower = (random_bits(k, width, shape) for k in two_keys(words))
    span = convert(BIND.subtract(high, low), unsigned)
    one = BIND.full(span.aval, 1)
    empty = BIND.compare(high, low, comparison_direction="LE")
    span = BIND.select(empty, one, span)
    if isinstance(beyond, Tracer) or beyond.numpy().any():  # type: ignore[attr-defined]
        # the bound lies one above the dtype's range and was clipped: one value more (0 means all of them)
        beyond = _spread_flags(beyond, span.aval.shape)
        more = getattr(BIND, "and")(beyond, getattr(BIND, "not")(empty))
        span = BIND.select(more, BIND.add(span, one), span)
    # (upper * 2**width + lower) % span, where 2**width % span = ((2**(width/2) % span)**2) % span
    factor = BIND.remainder(BIND.full(span.aval, 2 ** (width // 2)), span)
    factor = BIND.remainder(BIND.multiply(factor, factor), span)
    offset = both("multiply", both("remainder", upper, span), factor)
    offset = both("add", offset, both("remainder", lower, span))
    offset = both("remainder", offset, span)
    return both("add", low, convert(offset, dtype))


def _spread_flags(flags: Value, shape: tuple[int, ...]) -> Value:
    own = flags.aval.shape
    if own and len(own) < len(shape):
        dims = tuple(range(len(shape) - len(own), len(shape)))
        return BIND.broadcast_in_dim(flags, shape=shape, broadcast_dimensions=dims)
    return expand_to(flags, shape)
