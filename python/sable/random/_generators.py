"""Generators: what the words of a key are, and how new keys and random bits are made of them.

| generator | words of a key | keys of it | bits |
|---|---|---|---|
| threefry2x32 | 2 | hashed numbers | hashed numbers |
| rbg | 4 | those of threefry2x32 for each half | `rng_bit_generator` |
| unsafe_rbg | 4 | every tenth of many blocks of `rng_bit_generator` | `rng_bit_generator` |
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import numpy as np

from sable._config import config
from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.state import STATE
from sable.lax.random_bits import generate

_UINT32 = np.dtype(np.uint32)
_UNSIGNED = {n: np.dtype(f"uint{n}") for n in (8, 16, 32, 64)}
_THREEFRY_WORDS = 2
#: elements that one word can number
_COUNTED = 2**32
_RBG_WORDS = 4
#: blocks of bits of which unsafe_rbg takes the words of one key, so that they do not follow each other
_BLOCKS = 10


# ---- hashing -------------------------------------------------------------------------------------------------


def key_words(data: Value) -> tuple[Value, Value]:
    """The two words of a single key, as scalars."""
    if type(data) is Array and data._device is None and not data.committed and STATE.staged is None:
        words = data.numpy()
        return _scalar(words[0]), _scalar(words[1])
    halves = [BIND.slice(data, start_indices=(i,), limit_indices=(i + 1,), strides=(1,)) for i in (0, 1)]
    return BIND.reshape(halves[0], shape=()), BIND.reshape(halves[1], shape=())


def _scalar(word: np.uint32) -> Array:
    made = constant(word)
    made.constant = False  # keys change from call to call: a program that has them as constants would not be used again
    return made


def hashed(data: Value, shape: tuple[int, ...]) -> tuple[Value, Value]:
    """Two words for each element of a shape: its number, hashed under a key."""
    size = math.prod(shape)
    high = constant(np.uint32(0))
    if size > _COUNTED:
        numbers = BIND.reshape(BIND.iota(shape=(size,), dtype=_UNSIGNED[64], iota_dimension=0), shape=shape)
        upper = BIND.shift_right_logical(numbers, BIND.full(numbers.aval, 32))
        high, low = (BIND.convert(x, dtype=_UINT32) for x in (upper, numbers))
    elif shape:
        low = BIND.iota(shape=(size,), dtype=_UINT32, iota_dimension=0)
        low = low if len(shape) == 1 else BIND.reshape(low, shape=shape)
    else:
        low = high
    return BIND.threefry2x32(*key_words(data), high, low)


def hashed_in_halves(data: Value, count: int) -> Value:
    """Words as they were made before `jax_threefry_partitionable`: the numbers up to `count`, hashed under a key.

    The two words of a hash are element i of the first half of the numbers and of the second, an odd count being filled up
    with a 0.
    """
    half = (count + 1) // 2
    numbers = BIND.iota(shape=(count,), dtype=_UINT32, iota_dimension=0)
    if count % 2:
        numbers = BIND.concatenate(numbers, constant(np.zeros(1, _UINT32)), dimension=0)
    parts = [BIND.slice(numbers, start_indices=(i,), limit_indices=(i + half,), strides=(1,)) for i in (0, half)]
    whole = BIND.concatenate(*BIND.threefry2x32(*key_words(data), *parts), dimension=0)
    return BIND.slice(whole, start_indices=(0,), limit_indices=(count,), strides=(1,)) if count % 2 else whole


def joined(first: Value, second: Value) -> Value:
    """Words as keys: a new last dimension."""
    shape = (*first.aval.shape, 1)
    parts = [BIND.reshape(w, shape=shape) for w in (first, second)]
    return BIND.concatenate(*parts, dimension=len(shape) - 1)


def split_words(data: Value, shape: tuple[int, ...] = (2,)) -> Value:
    """The words of new keys, of the shape (*shape, 2)."""
    if not config.jax_threefry_partitionable:
        return BIND.reshape(hashed_in_halves(data, 2 * math.prod(shape)), shape=(*shape, _THREEFRY_WORDS))
    return joined(*hashed(data, shape))


def _threefry_bits(words: Value, width: int, shape: tuple[int, ...]) -> Value:
    """Unsigned integers of 8, 16, 32 or 64 random bits, of the words of a key."""
    if not config.jax_threefry_partitionable:
        return _bits_in_halves(words, width, shape)
    first, second = hashed(words, shape)
    if width == 64:
        wide = _UNSIGNED[64]
        high = BIND.convert(first, dtype=wide)
        high = BIND.shift_left(high, BIND.full(high.aval, 32))
        return getattr(BIND, "or")(high, BIND.convert(second, dtype=wide))
    found = BIND.xor(first, second)
    return found if width == 32 else BIND.convert(found, dtype=_UNSIGNED[width])


def _bits_in_halves(words: Value, width: int, shape: tuple[int, ...]) -> Value:
    """`_threefry_bits` as they were before `jax_threefry_partitionable`.

    Words of 32 bits are cut into shorter ones from the lowest bit on; two of them, from either half, make one of 64.

    Raises:
      NotImplementedError: 2**32 - 1 words or more.
    """
    size = math.prod(shape)
    count = -(-width * size // 32)
    if count >= 2**32 - 1:
        raise NotImplementedError(f"random arrays of 2**32 words without jax_threefry_partitionable, got shape {shape}")
    found = hashed_in_halves(words, count)
    dtype = _UNSIGNED[width]
    if width == 64:
        high, low = (
            BIND.convert(BIND.slice(found, start_indices=(i,), limit_indices=(i + size,), strides=(1,)), dtype=dtype)
            for i in (0, size)
        )
        found = getattr(BIND, "or")(BIND.shift_left(high, BIND.full(high.aval, 32)), low)
    elif width < 32:
        per = 32 // width
        wide = BIND.broadcast_in_dim(found, shape=(count, per), broadcast_dimensions=(0,))
        place = BIND.iota(shape=(count, per), dtype=np.dtype(np.uint32), iota_dimension=1)
        shift = BIND.multiply(place, BIND.full(place.aval, width))
        parts = BIND.convert(BIND.shift_right_logical(wide, shift), dtype=dtype)
        parts = BIND.reshape(parts, shape=(count * per,))
        found = BIND.slice(parts, start_indices=(0,), limit_indices=(size,), strides=(1,))
    return BIND.reshape(found, shape=shape)


# ---- generators ----------------------------------------------------------------------------------------------


class Generator(ABC):
    """A way to make random bits of keys.

    Attributes:
      name: as users name it; `tag` is the short form, which dtypes show.
      words: of a key, of 32 bits each.
    """

    name: str
    tag: str
    words: int

    @property
    def key_shape(self) -> tuple[int]:
        """Shape of the words of a key."""
        return (self.words,)

    @abstractmethod
    def seed(self, words: Value) -> Value:
        """The key of a seed, which is two words."""

    @abstractmethod
    def split(self, data: Value, shape: tuple[int, ...] = (2,)) -> Value:
        """New keys of the shape (*shape, words) of a key."""

    @abstractmethod
    def fold_in(self, data: Value, number: Value) -> Value:
        """A new key of a key and a uint32 scalar."""

    @abstractmethod
    def bits(self, data: Value, width: int, shape: tuple[int, ...]) -> Value:
        """Unsigned integers of 8, 16, 32 or 64 random bits of a key."""


class Threefry(Generator):
    """Threefry-2x32: what is numbered is hashed under the key."""

    name, tag, words = "threefry2x32", "fry", _THREEFRY_WORDS

    def seed(self, words: Value) -> Value:
        return words

    def split(self, data: Value, shape: tuple[int, ...] = (2,)) -> Value:
        return split_words(data, shape)

    def fold_in(self, data: Value, number: Value) -> Value:
        return joined(*BIND.threefry2x32(*key_words(data), constant(np.uint32(0)), number))

    def bits(self, data: Value, width: int, shape: tuple[int, ...]) -> Value:
        return _threefry_bits(data, width, shape)


class _Blocks(Generator):
    """Generators whose bits are those of `rng_bit_generator`, and whose keys are its state."""

    words = _RBG_WORDS

    def seed(self, words: Value) -> Value:
        return BIND.concatenate(words, words, dimension=0)

    def bits(self, data: Value, width: int, shape: tuple[int, ...]) -> Value:
        return generate(data, shape, _UNSIGNED[width])[1]


def _part(x: Value, start: int, stop: int, axis: int = 0, step: int = 1) -> Value:
    sizes = x.aval.shape
    starts, limits = [0] * len(sizes), list(sizes)
    starts[axis], limits[axis] = start, stop
    strides = tuple(step if i == axis else 1 for i in range(len(sizes)))
    return BIND.slice(x, start_indices=tuple(starts), limit_indices=tuple(limits), strides=strides)


class Rbg(_Blocks):
    """Keys as threefry2x32 makes them of each half of a key, bits in blocks."""

    name, tag = "rbg", "rbg"

    def split(self, data: Value, shape: tuple[int, ...] = (2,)) -> Value:
        halves = [split_words(_part(data, i, i + 2), shape) for i in (0, 2)]
        return BIND.concatenate(*halves, dimension=len(shape))

    def fold_in(self, data: Value, number: Value) -> Value:
        halves = [THREEFRY.fold_in(_part(data, i, i + 2), number) for i in (0, 2)]
        return BIND.concatenate(*halves, dimension=0)


class UnsafeRbg(_Blocks):
    """Keys and bits in blocks: quick where many keys are made, with no promise that they are independent."""

    name, tag = "unsafe_rbg", "urbg"

    def split(self, data: Value, shape: tuple[int, ...] = (2,)) -> Value:
        count = math.prod(shape)
        blocks = generate(data, (_BLOCKS * count, _RBG_WORDS), _UINT32)[1]
        return BIND.reshape(_part(blocks, 0, _BLOCKS * count, step=_BLOCKS), shape=(*shape, _RBG_WORDS))

    def fold_in(self, data: Value, number: Value) -> Value:
        zero = BIND.full(number.aval, 0)
        blocks = generate(self.seed(joined(zero, number)), (_BLOCKS, _RBG_WORDS), _UINT32)[1]
        return BIND.xor(data, BIND.reshape(_part(blocks, _BLOCKS - 1, _BLOCKS), shape=(_RBG_WORDS,)))


THREEFRY = Threefry()
#: by name and by tag
GENERATORS: dict[str, Generator] = {x: g for g in (THREEFRY, Rbg(), UnsafeRbg()) for x in (g.name, g.tag)}
