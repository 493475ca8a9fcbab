"""Random bits of a generator's state: `lax.rng_bit_generator`."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import shape_argument, value_of
from sable.library.declare import library
from sable.pytree import arrays

__all__ = ["RandomAlgorithm", "rng_bit_generator"]

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
