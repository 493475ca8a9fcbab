"""Random bits of a generator's state: `lax.rng_bit_generator`, `lax.rng_uniform`."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core import dtypes, operands
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import shape_argument, value_of
from sable.core.values import retype
from sable.library.declare import library
from sable.pytree import arrays

__all__ = ["RandomAlgorithm", "rng_bit_generator", "rng_uniform"]

_UINT32, _UINT64 = np.dtype(np.uint32), np.dtype(np.uint64)


class RandomAlgorithm(enum.IntEnum):
    """Generators of random bits; the default one is Philox.

    Example:
      >>> state = jnp.arange(4, dtype="uint32")
      >>> lax.rng_bit_generator(state, (2,), algorithm=lax.RandomAlgorithm.RNG_THREE_FRY)[1]
      Array([2689575991, 2205648888], dtype=uint32)
    """

    RNG_DEFAULT = 0
    RNG_THREE_FRY = 1
    RNG_PHILOX = 2

    def __str__(self) -> str:
        return self.name


def generate(state: Value, shape: tuple[int, ...], dtype: np.dtype, algorithm: str = "DEFAULT") -> tuple[Value, Value]:
    """The op on a state of four words of 32 bits, or of two of 64."""
    if state.aval.dtype != _UINT32 or state.aval.shape != (4,):
        return BIND.rng_bit_generator(state, shape=shape, dtype=dtype, algorithm=algorithm)
    wide = BIND.bitcast_convert(BIND.reshape(state, shape=(2, 2)), dtype=_UINT64)
    after, bits = BIND.rng_bit_generator(wide, shape=shape, dtype=dtype, algorithm=algorithm)
    return BIND.reshape(BIND.bitcast_convert(after, dtype=_UINT32), shape=(4,)), bits


@library
def rng_bit_generator(
    key: Any,
    shape: Any,
    dtype: Any = np.uint32,
    algorithm: Any = RandomAlgorithm.RNG_DEFAULT,
    *,
    out_sharding: Any = None,
) -> tuple[Any, Value]:
    """Random bits of a state, and the state that makes further ones.

    Under `vmap` all bits are made of the first state, and the others stay what they are.

    Args:
      key: uint32[4] or uint64[2], a key and a counter, low words first; or a typed key of the generator `rbg`.
      shape: of the bits.
      dtype: an unsigned integer dtype.
      algorithm: one of `RandomAlgorithm`.
      out_sharding: without effect.

    Returns:
      The new state, of the type of `key`, and the bits.

    Raises:
      TypeError: another state or dtype.
      ValueError: no such algorithm.

    Example:
      >>> import sable as jax
      >>> state, bits = rng_bit_generator(jax.numpy.arange(4, dtype="uint32"), (3,))
      >>> state
      Array([0, 1, 3, 3], dtype=uint32)

    Source: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    (words,), tree = arrays.flatten(key)
    found = dtypes.user_dtype(dtype, "rng_bit_generator")
    if dtypes.kind_of(found) != "u":
        raise TypeError(f"rng_bit_generator: unsupported dtype {found}")
    name = RandomAlgorithm(algorithm).name.removeprefix("RNG_")
    state, bits = generate(value_of(words, "rng_bit_generator"), shape_argument(shape), found, name)
    return tree.unflatten([state]), bits


#: What `rng_uniform` has drawn so far.
_DRAWS = itertools.count()


def rng_uniform(a: Any, b: Any, shape: Sequence[int]) -> Value:
    """Uniformly distributed random numbers, other ones at each call; `jax.random` has numbers that can be had again.

    Where it is traced, the draw is a part of the program: each run of that gives the same numbers.

    Args:
      a, b: scalars of one dtype, integers or floats: from a on, below b. Where b <= a, the result means nothing.
      shape: of the result.

    Returns:
      An array of the dtype of a and b.

    Raises:
      ValueError: a or b is no scalar, or their dtypes differ.
      TypeError: they are no integers or floats; a bad shape.

    Source:
      Bits of Philox 4x32, whose counter is the number of the call.

    Example:
      >>> x = lax.rng_uniform(jnp.float32(2.), jnp.float32(3.), (100,))
      >>> bool((x >= 2).all() and (x < 3).all())
      True
    """
    low, high = value_of(a, "rng_uniform", 0), value_of(b, "rng_uniform", 1)
    dtype = low.aval.dtype
    if dtype != high.aval.dtype:
        raise ValueError(
            f"Arguments to rng_uniform must have identical dtypes, got {dtype.name} and {high.aval.dtype.name}."
        )
    if low.aval.shape or high.aval.shape:
        raise ValueError(
            f"Arguments to rng_uniform must be scalars; got shapes {low.aval.shape} and {high.aval.shape}."
        )
    kind = dtypes.kind_of(dtype)
    if kind not in "iuf" or low.aval.narrow:
        raise TypeError(f"rng_uniform takes integers and floats, got {dtype.name}")
    sizes = shape_argument(shape)
    state = value_of(np.array([next(_DRAWS) % 2**32, 0, 0, 0], _UINT32), "rng_uniform")
    word = np.dtype(f"u{dtype.itemsize}") if kind == "f" else _UINT64
    _, bits = generate(state, sizes, word)
    low, high = (BIND.broadcast_in_dim(v, shape=sizes, broadcast_dimensions=()) for v in (low, high))
    found = _floats_between(bits, low, high) if kind == "f" else _integers_between(bits, low, high)
    return retype(found, low.aval.weak_type and high.aval.weak_type)


def _floats_between(bits: Value, low: Value, high: Value) -> Value:
    dtype = low.aval.dtype
    digits = dtypes.finfo(dtype).nmant  # as many steps below 1 as all floats from 1/2 on have
    kept = BIND.shift_right_logical(bits, operands.full_like(bits, 8 * dtype.itemsize - digits))
    steps = BIND.multiply(BIND.convert(kept, dtype=dtype), operands.full_like(low, 2.0**-digits))
    found = BIND.add(low, BIND.multiply(steps, BIND.subtract(high, low)))
    return operands.select(BIND.compare(found, high, comparison_direction="LT"), found, low)  # not rounded up to b


def _integers_between(bits: Value, low: Value, high: Value) -> Value:
    # floor(bits (b - a) / 2**64), which is even to (b - a) / 2**64; modulo 2**width, hence also where b - a overflows
    dtype = low.aval.dtype
    span = BIND.convert(BIND.subtract(high, low), dtype=np.dtype(f"u{dtype.itemsize}"))
    steps = BIND.mulhi(bits, BIND.convert(span, dtype=_UINT64))
    return BIND.add(low, BIND.convert(steps, dtype=dtype))
