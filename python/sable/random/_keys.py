"""Random keys: raw ones (uint32 arrays of two words) and typed ones, and how new keys are made of them."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core import dtypes, key_reuse, transfers
from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.operands import shape_argument
from sable.core.placement import default_device
from sable.core.state import STATE
from sable.core.values import as_value
from sable.ir.aval import aval
from sable.library.declare import library

from ._generators import GENERATORS, Generator, joined
from ._key_array import KEYS, KeyArray, KeyDType

_UINT32 = np.dtype(np.uint32)
#: Generators that JAX has and Sable lacks.
_OTHERS = ("philox2x32", "philox4x32", "threefry4x32")


# ---- checks --------------------------------------------------------------------------------------------------


def _generator_of(name: Any) -> Generator:
    """The generator of that name or dtype; the default one of None.

    Raises:
      TypeError: neither.
      ValueError: no generator has the name.
      NotImplementedError: one that Sable lacks.
    """
    if isinstance(name, KeyDType):
        return name.generator
    if name is None:
        name = config.jax_default_prng_impl
    if not isinstance(name, str):
        raise TypeError(f"unrecognized type {type(name)} for specifying PRNG implementation.")
    found = GENERATORS.get(name)
    if found is not None:
        return found
    known = ", ".join(f'"{generator.name}"' for generator in KEYS)
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
        data, typed, generator = as_value(key._base_array), True, key._impl
    elif isinstance(key, (Value, np.ndarray)):
        data, typed, generator = as_value(key), False, _generator_of(None)
    else:
        raise TypeError(
            f"{name} takes a random key: unexpected PRNG key type {type(key)}; jax.random.key(seed) makes one"
        )
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
    return KEYS[generator](data), typed


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


def new_keys(key: KeyArray, count: int) -> list[KeyArray]:
    """So many new keys."""
    size = key._impl.words
    whole = key._impl.split(key._base_array, (count,))
    parts = [BIND.slice(whole, start_indices=(i, 0), limit_indices=(i + 1, size), strides=(1, 1)) for i in range(count)]
    return [type(key)(BIND.reshape(x, shape=(size,))) for x in parts]


def two_keys(key: KeyArray) -> tuple[KeyArray, KeyArray]:
    """Two new keys."""
    first, second = new_keys(key, 2)
    return first, second


def random_bits(key: KeyArray, width: int, shape: tuple[int, ...]) -> Value:
    """Unsigned integers of 8, 16, 32 or 64 random bits."""
    return key._impl.bits(key._base_array, width, shape)


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
    return KEYS[generator](data) if config.jax_enable_custom_prng else data


@library
def key(seed: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """A typed random key of a seed; see `PRNGKey`.

    Args:
      seed: an integer scalar, of which 64 bits count.
      impl, dtype: the generator, by name or as a dtype of keys; not both. By default that of the option `jax_default_prng_impl`.

    Returns:
      A scalar array of a dtype such as `key<fry>`.

    Raises:
      TypeError: a seed that is no integer, or no scalar.
      ValueError: no such generator; both `impl` and `dtype`.

    Example:
      >>> jax.random.key(42)
      Array((), dtype=key<fry>) overlaying:
      [ 0 42]
      >>> jax.random.key(42, impl="rbg").dtype
      key<rbg>
    """
    if dtype is not None and impl is not None:
        raise ValueError("Cannot specify both `impl` and `dtype` arguments to jax.random.key")
    generator = _generator_of(impl if dtype is None else dtype)
    return KEYS[generator](generator.seed(_seed_words("key", seed)))


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

    Example:
      >>> key = jax.random.key(0)
      >>> key, subkey = jax.random.split(key)
      >>> jax.random.split(subkey, (2, 3)).shape
      (2, 3)
    """
    keys, typed = words_of("split", key)
    shape = (
        tuple(int(n) for n in num)
        if isinstance(num, (Sequence, np.ndarray)) and not isinstance(num, str)
        else (operator.index(num),)
    )
    found = keys._impl.split(keys._base_array, shape_argument(shape))
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

    Example:
      >>> key = jax.random.key(0)
      >>> [jax.random.randint(jax.random.fold_in(key, step), (), 0, 100).item() for step in range(3)]
      [91, 22, 59]
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
    found = keys._impl.fold_in(keys._base_array, low)
    return type(keys)(found) if typed else found


@library
def key_data(keys: Any) -> Value:
    """The words of keys: uint32, with a last dimension of the size of a key.

    Args:
      keys: a key, or an array of keys.

    Raises:
      TypeError: no keys.

    Example:
      >>> jax.random.key_data(jax.random.key(42))
      Array([ 0, 42], dtype=uint32)
    """
    return words_of("key_data", keys, batched=True, uses=False)[0]._base_array


@library
def wrap_key_data(key_bits_array: Any, *, impl: Any = None, dtype: Any = None) -> KeyArray:
    """Typed keys of given words.

    Args:
      key_bits_array: uint32, with a last dimension of the size of a key.
      impl, dtype: the generator, by name or as a dtype; not both.

    Raises:
      TypeError: other words.
      ValueError: both `impl` and `dtype`.

    Example:
      >>> jax.random.wrap_key_data(jnp.array([0, 42], dtype=jnp.uint32)) == jax.random.key(42)
      Array(True, dtype=bool)
    """
    if dtype is not None and impl is not None:
        raise ValueError("Cannot specify both `impl` and `dtype` arguments to jax.random.wrap_key_data")
    generator = _generator_of(impl if dtype is None else dtype)
    data = as_value(key_bits_array)
    _check_words(data, generator)
    return KEYS[generator](data)


def key_impl(keys: Any) -> str:
    """The name of the generator of keys.

    Args:
      keys: a key, or an array of keys.

    Raises:
      TypeError: no keys.

    Example:
      >>> jax.random.key_impl(jax.random.key(0))
      'threefry2x32'
    """
    return words_of("key_impl", keys, batched=True)[0]._impl.name


def key_dtype(impl_spec: Any = None) -> KeyDType:
    """The dtype of typed keys of a generator.

    Args:
      impl_spec: its name; by default that of the option `jax_default_prng_impl`.

    Raises:
      ValueError: no such generator.

    Example:
      >>> jax.random.key_dtype(), jax.random.key_dtype("rbg")
      (key<fry>, key<rbg>)
    """
    return KEYS[_generator_of(impl_spec)]._dtype


@library
def clone(key: Any) -> Any:
    """The same key, said to be used again on purpose.

    Args:
      key: a key, or an array of keys.

    Returns:
      The same keys, which the check for keys used twice (`jax_debug_key_reuse`) takes for new ones.

    Raises:
      TypeError: no key.

    Example:
      >>> key = jax.random.key(0)
      >>> bool(jax.random.uniform(key) == jax.random.uniform(jax.random.clone(key)))
      True
    """
    keys, typed = words_of("clone", key, batched=True, uses=False)
    return type(keys)(key_reuse.fresh(keys._base_array)) if typed else keys._base_array
