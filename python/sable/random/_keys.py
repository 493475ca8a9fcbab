"""Random keys: raw ones (uint32 arrays of two words) and typed ones, and how new keys are made of them."""

from __future__ import annotations

import math
import operator
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core import dtypes, key_reuse, transfers
from sable.core.array import ArrayType, Value
from sable.core.bind import BIND, constant
from sable.core.operands import shape_argument
from sable.core.placement import default_device
from sable.core.state import STATE
from sable.core.values import as_value
from sable.ir.aval import aval
from sable.library.declare import library, wrapper_type
from sable.library.words import join_words, word_of
from sable.numpy.indexing.read import getitem
from sable.numpy.ufuncs import equal
from sable.tree_util import register_pytree_with_keys

from ._generators import GENERATORS, Generator, joined

_UINT32 = np.dtype(np.uint32)
#: Generators that JAX has and Sable lacks.
_OTHERS = ("philox2x32", "philox4x32", "threefry4x32")


class KeyDType(dtypes.ExtendedDType):
    """The dtype of typed keys of a generator, printed `key<fry>`."""

    type = dtypes.prng_key

    def __init__(self, generator: Generator):
        self._generator = generator
        self.name = f"key<{generator.tag}>"
        self.itemsize = generator.words * _UINT32.itemsize

    def __repr__(self) -> str:
        return self.name

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyDType) and other._generator is self._generator

    def __hash__(self) -> int:
        return hash(self._generator)


class KeyArray:
    """An array of typed random keys. For transformations it is a container of its words, a uint32 array.

    There is a subclass for each generator, so that the type of a container says of which its keys are.

    Attributes:
      shape: of the array of keys: that of the words without their last dimension.
    """

    __slots__ = ("_data",)
    _generator: Generator
    _dtype: KeyDType
    __hash__ = None  # type: ignore[assignment]
    __array_priority__ = 100

    def __init__(self, data: Any):
        self._data = data

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the dimensions."""
        return tuple(self._data.shape[:-1])

    @property
    def dtype(self) -> KeyDType:
        """`key<fry>`, of another generator another one."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of keys."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of one key."""
        return self._dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all keys."""
        return self.size * self.itemsize

    @property
    def T(self) -> KeyArray:
        """The keys with their dimensions in reverse order."""
        return self.transpose()

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[KeyArray]:
        if not self.shape:
            raise TypeError("iteration over a 0-d key array")
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> KeyArray:
        parts = index if isinstance(index, tuple) else (index,)
        whole = parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)
        return self._forwarded(getitem(as_value(self._data), (*whole, slice(None))))

    def _forwarded(self, words: Value) -> KeyArray:
        """A key array of words made of these by moving them."""
        key_reuse.forward(self._data, words)
        return type(self)(words)

    def reshape(self, *shape: Any) -> KeyArray:
        """The keys, in row-major order, in another shape."""
        sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], Sequence) else shape
        if -1 in sizes:
            rest = -math.prod(sizes)
            sizes = tuple(self.size // rest if n == -1 else n for n in sizes)
        return self._forwarded(BIND.reshape(as_value(self._data), shape=(*map(int, sizes), self._generator.words)))

    def ravel(self) -> KeyArray:
        """The keys as a vector."""
        return self.reshape(self.size)

    flatten = ravel

    def transpose(self, *axes: Any) -> KeyArray:
        """The keys with their dimensions in another order (by default the reverse)."""
        order = tuple(axes[0]) if len(axes) == 1 and isinstance(axes[0], Sequence) else axes
        order = order or tuple(range(self.ndim))[::-1]
        return self._forwarded(BIND.transpose(as_value(self._data), permutation=(*order, self.ndim)))

    @property
    def at(self) -> _KeysAt:
        """`keys.at[index]`: a place, whose `set` and `get` are those of arrays."""
        return _KeysAt(self)

    def _equal(self, other: Any, direction: str) -> Any:
        if not isinstance(other, KeyArray):
            return NotImplemented
        if other._generator is not self._generator:
            raise TypeError(f"equal does not accept dtypes {self.dtype}, {other.dtype}.")
        same = equal(self._data, other._data)
        last = (same.ndim - 1,)
        if direction == "EQ":
            return BIND.reduce_and(same, dimensions=last)
        return BIND.reduce_or(getattr(BIND, "not")(same), dimensions=last)

    def __eq__(self, other: object) -> Any:
        return self._equal(other, "EQ")

    def __ne__(self, other: object) -> Any:
        return self._equal(other, "NE")

    def __bool__(self) -> bool:
        raise TypeError("key array cannot be converted to boolean.")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            "JAX array with PRNGKey dtype cannot be converted to a NumPy array. Use jax.random.key_data(arr) if you "
            "wish to extract the underlying integer array."
        )

    def __repr__(self) -> str:
        return f"Array({self.shape}, dtype={self.dtype.name}) overlaying:\n{self._data}"

    def block_until_ready(self) -> KeyArray:
        """Wait until the words are there; returns the array itself."""
        self._data.block_until_ready()
        return self

    def devices(self) -> set:
        """The devices that hold the words."""
        return self._data.devices()

    def copy(self) -> KeyArray:
        """The same keys."""
        return type(self)(self._data)

    def __reduce__(self) -> Any:
        return _keys_of_words, (self._generator.name, self._data)


class _KeysAt:
    """`keys.at`, and with an index `keys.at[index]`."""

    __slots__ = ("index", "keys")

    def __init__(self, keys: KeyArray, index: Any = None):
        self.keys, self.index = keys, index

    def __getitem__(self, index: Any) -> _KeysAt:
        return _KeysAt(self.keys, index)

    def _each(self, change: Any) -> KeyArray:
        parts = [change(word_of(self.keys, k).at[self.index], k) for k in range(self.keys._generator.words)]
        return type(self.keys)(join_words(parts))

    def get(self, **options: Any) -> KeyArray:
        """The keys there."""
        return self._each(lambda place, k: place.get(**options))

    def set(self, values: Any, **options: Any) -> KeyArray:
        """A copy of the keys in which those there are replaced by other keys."""
        if not isinstance(values, KeyArray):
            raise TypeError(f"keys can only be replaced by keys, got {type(values)}")
        if values._generator is not self.keys._generator:
            raise ValueError(f"keys of {self.keys.dtype} cannot be replaced by keys of {values.dtype}")
        return self._each(lambda place, k: place.set(word_of(values, k), **options))

    def __getattr__(self, name: str) -> Any:
        raise TypeError(f"{name} does not accept dtype {self.keys.dtype} at position 0: keys are no numbers")


ArrayType.others += (KeyArray,)


def _keys_of(generator: Generator) -> type[KeyArray]:
    """The class of the typed keys of a generator."""
    members = {"__slots__": (), "_generator": generator, "_dtype": KeyDType(generator), "__hash__": None}
    made = type("KeyArray", (KeyArray,), {**members, "__module__": __name__, "__doc__": KeyArray.__doc__})
    wrapper_type(made, "_data")
    register_pytree_with_keys(made, lambda keys: (((None, keys._data),), None), lambda _, children: made(children[0]))
    return made


_KEYS = {generator: _keys_of(generator) for generator in GENERATORS.values()}


def _keys_of_words(name: str, words: Any) -> KeyArray:
    return _KEYS[GENERATORS[name]](words)


# ---- checks --------------------------------------------------------------------------------------------------


def _generator_of(name: Any) -> Generator:
    """The generator of that name or dtype; the default one of None.

    Raises:
      TypeError: neither.
      ValueError: no generator has the name.
      NotImplementedError: one that Sable lacks.
    """
    if isinstance(name, KeyDType):
        return name._generator
    if name is None:
        name = config.jax_default_prng_impl
    if not isinstance(name, str):
        raise TypeError(f"unrecognized type {type(name)} for specifying PRNG implementation.")
    found = GENERATORS.get(name)
    if found is not None:
        return found
    known = ", ".join(f'"{generator.name}"' for generator in _KEYS)
    if name in _OTHERS:
        raise NotImplementedError(f"Sable has the generators {known}, not {name!r}")
    raise ValueError(f'unrecognized PRNG implementation "{name}". Did you mean one of: {known}?')


def _check_words(data: Any, generator: Generator) -> None:
    """Words of keys: uint32, the last dimension of the size that the generator's keys have."""
    start = "JAX encountered invalid PRNG key data: expected"
    if data.ndim < 1:
        raise TypeError(f"{start} key_data.ndim >= 1; got ndim={data.ndim}")
    if data.shape[-1] != generator.words:
        raise TypeError(
            f"{start} key_data.shape to end with ({generator.words},); got shape={tuple(data.shape)} "
            f"for impl={generator.name}"
        )
    if data.dtype != _UINT32:
        raise TypeError(f"{start} key_data.dtype = uint32; got dtype={data.dtype}")


def words_of(name: str, key: Any, batched: bool = False, uses: bool = True) -> tuple[KeyArray, bool]:
    """A key as a typed one, and whether it was; raw keys are those of the default generator.

    Args:
      name: the function that got the key, for messages.
      key: typed or raw.
      batched: whether an array of keys will do.
      uses: whether the function uses the key up.

    Raises:
      TypeError: not a key.
      ValueError: an array of keys.
      KeyReuseError: a typed key was used up before, and `jax_debug_key_reuse` is on.
    """
    if isinstance(key, KeyArray):
        data, typed, generator = as_value(key._data), True, key._generator
    elif isinstance(key, (Value, np.ndarray)):
        data, typed, generator = as_value(key), False, _generator_of(None)
    else:
        raise TypeError(f"unexpected PRNG key type {type(key)}")
    _check_words(data, generator)
    if not typed:
        _check_legacy()
    if not batched and data.aval.ndim > 1:
        shape = data.aval.shape[:-1] if typed else data.aval.shape
        raise ValueError(
            f"{name} accepts a single key, but was given a key array of shape {shape} != (). Use jax.vmap for batching."
        )
    if typed and uses:
        key_reuse.use(data, name)
    return _KEYS[generator](data), typed


def _check_legacy() -> None:
    policy = config.jax_legacy_prng_key
    if policy == "allow":
        return
    message = (
        "Legacy uint32 key array passed as key to jax.random function. Please create keys using jax.random.key(). "
        'If use of a raw key array was intended, set jax_legacy_prng_key="allow".'
    )
    if policy == "error":
        raise ValueError(message)
    warnings.warn(message, stacklevel=4)


# ---- keys and bits of keys -----------------------------------------------------------------------------------


def two_keys(key: KeyArray) -> tuple[KeyArray, KeyArray]:
    """Two new keys."""
    size = key._generator.words
    both = key._generator.split(key._data)
    parts = [BIND.slice(both, start_indices=(i, 0), limit_indices=(i + 1, size), strides=(1, 1)) for i in (0, 1)]
    first, second = (type(key)(BIND.reshape(x, shape=(size,))) for x in parts)
    return first, second


def random_bits(key: KeyArray, width: int, shape: tuple[int, ...]) -> Value:
    """Unsigned integers of 8, 16, 32 or 64 random bits."""
    return key._generator.bits(key._data, width, shape)


# ---- the functions -------------------------------------------------------------------------------------------


def _seed_words(name: str, seed: Any) -> Value:
    if isinstance(seed, KeyArray):
        raise TypeError(f"{name} accepts a scalar seed, but was given a PRNG key.")
    if np.ndim(seed) if not isinstance(seed, Value) else seed.aval.ndim:
        raise TypeError(
            f"{name} accepts a scalar seed, but was given an array of shape {np.shape(seed)} != (). "
            "Use jax.vmap for batching"
        )
    offset = config.jax_random_seed_offset
    if isinstance(seed, int):
        if config.eager_key is None and STATE.staged is None:
            transfers.guard(transfers.HOST_TO_DEVICE, aval((), dtypes.default_dtype("i"), True), default_device())
        whole = int(np.int64(seed + offset))
        high = (whole >> 32) & 0xFFFFFFFF if config.jax_enable_x64 else 0
        made = constant(np.array([high, whole & 0xFFFFFFFF], _UINT32))
        made.constant = False
        return made
    value = as_value(seed)
    if value.aval.dtype.kind not in "iu":
        raise TypeError(f"PRNG key seed must be an integer; got {seed!r}")
    if offset:
        value = BIND.add(value, BIND.full(value.aval, offset))
    low = BIND.convert(value, dtype=_UINT32)
    high = constant(np.uint32(0))
    if value.aval.dtype.itemsize == 8:
        shifted = BIND.shift_right_logical(value, BIND.full(value.aval, 32))
        high = BIND.convert(shifted, dtype=_UINT32)  # type: ignore[assignment]
    return joined(high, low)


@library
def PRNGKey(seed: Any, *, impl: Any = None) -> Any:
    """A raw random key of a seed.

    Args:
      seed: an integer scalar.
      impl: the generator, "threefry2x32", "rbg" or "unsafe_rbg"; by default `jax_default_prng_impl`.

    Returns:
      uint32[2] (of other generators uint32[4]), the words of the key; a typed key if `jax_enable_custom_prng` is on.

    Raises:
      TypeError: the seed is no integer scalar.
      ValueError, NotImplementedError: another generator.
      OverflowError: a seed beyond 64 bits.

    Example:
      >>> PRNGKey(42)
      Array([ 0, 42], dtype=uint32)
    """
    generator = _generator_of(impl)
    data = generator.seed(_seed_words("PRNGKey", seed))
    return _KEYS[generator](data) if config.jax_enable_custom_prng else data


@library
def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """A typed random key of a seed; see `PRNGKey`.

    Returns:
      A scalar array of a dtype such as `key<fry>`.
    """
    if dtype is not None and impl is not None:
        raise ValueError("Cannot specify both `impl` and `dtype` arguments to jax.random.key")
    generator = _generator_of(impl if dtype is None else dtype)
    return _KEYS[generator](generator.seed(_seed_words("key", seed)))


@library
def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """New keys, independent of each other and of what else is made of the key.

    Args:
      key: a key, which must not be used again.
      num: how many, or a shape.

    Returns:
      An array of keys, typed if the key is; raw keys have the shape (num, words of a key).

    Raises:
      TypeError: not a key.
      ValueError: an array of keys.
    """
    keys, typed = words_of("split", key)
    shape = tuple(int(n) for n in num) if isinstance(num, (Sequence, np.ndarray)) else (operator.index(num),)
    found = keys._generator.split(keys._data, shape_argument(shape))
    return type(keys)(found) if typed else found


@library(operands=("data",))
def fold_in(key: Any, data: Any) -> Any:
    """A new key made of a key and an integer.

    Args:
      key: a key.
      data: an integer scalar, as uint32.

    Returns:
      A key, typed if `key` is.

    Raises:
      TypeError: not a key; not a scalar.
      OverflowError: a Python integer that uint32 cannot hold.
      ValueError: an array of keys.
    """
    keys, typed = words_of("fold_in", key, uses=False)
    if isinstance(data, int) and not 0 <= data < 2**32:
        raise OverflowError(f"Python integer {data} out of bounds for uint32")
    value = constant(np.uint32(data)) if isinstance(data, int) else as_value(data)
    if value.aval.ndim:
        raise TypeError(
            f"fold_in accepts a scalar, but was given an array of shape {value.aval.shape} != (). "
            "Use jax.vmap for batching."
        )
    low = value if value.aval.dtype == _UINT32 else BIND.convert(value, dtype=_UINT32)
    found = keys._generator.fold_in(keys._data, low)
    return type(keys)(found) if typed else found


@library
def key_data(keys: Any) -> Value:
    """The words of keys: uint32, with a last dimension of the size of a key."""
    return words_of("key_data", keys, batched=True, uses=False)[0]._data


@library
def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """Typed keys of given words.

    Args:
      key_bits_array: uint32, with a last dimension of the size of a key.
      impl, dtype: the generator, by name or as a dtype; not both.

    Raises:
      TypeError: other words.
      ValueError: both `impl` and `dtype`.
    """
    if dtype is not None and impl is not None:
        raise ValueError("Cannot specify both `impl` and `dtype` arguments to jax.random.wrap_key_data")
    generator = _generator_of(impl if dtype is None else dtype)
    data = as_value(key_bits_array)
    _check_words(data, generator)
    return _KEYS[generator](data)


def key_impl(keys: Any) -> str:
    """The name of the generator of keys."""
    return words_of("key_impl", keys, batched=True)[0]._generator.name


def key_dtype(impl_spec: Any = None) -> KeyDType:
    """The dtype of typed keys of a generator."""
    return _KEYS[_generator_of(impl_spec)]._dtype


@library
def clone(key: Any) -> Any:
    """The same key, said to be used again on purpose."""
    keys, typed = words_of("clone", key, batched=True, uses=False)
    return type(keys)(key_reuse.fresh(keys._data)) if typed else keys._data
