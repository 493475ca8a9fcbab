"""Random numbers from explicit keys, bit for bit those of JAX (threefry2x32, partitionable).

Source of the generator: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3" (threefry, 20 rounds).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import ExtendedDType, canonicalize_dtype, default_dtype, prng_key, user_dtype
from sable.core.values import as_value, is_array_like
from sable.ir.aval import aval
from sable.tree_util import register_pytree_node

_U32 = np.dtype(np.uint32)
_IMPL = "threefry2x32"


class KeyDType(ExtendedDType):
    """The dtype of key arrays."""

    type = prng_key
    name = "key<fry>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyDType)

    def __hash__(self) -> int:
        return hash("key<fry>")

    def __repr__(self) -> str:
        return "key<fry>"

    __str__ = __repr__


class KeyArray:
    """An array of random keys: a pytree of one leaf, uint32 data with a last axis of size 2."""

    __slots__ = ("data",)

    def __init__(self, data: Any):
        self.data = data

    dtype = KeyDType()
    shape = property(lambda self: tuple(self.data.shape[:-1]))
    ndim = property(lambda self: len(self.data.shape) - 1)
    size = property(lambda self: math.prod(self.data.shape[:-1]))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __getitem__(self, index: Any) -> KeyArray:
        index = index if isinstance(index, tuple) else (index,)
        index = index if Ellipsis in index else (*index, Ellipsis)
        return KeyArray(self.data[(*index, slice(None))])

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def reshape(self, *shape: Any) -> KeyArray:
        """The keys in another shape."""
        dims = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return KeyArray(self.data.reshape(*dims, 2))

    def block_until_ready(self) -> KeyArray:
        """Wait for the data."""
        self.data.block_until_ready()
        return self

    def __repr__(self) -> str:
        return f"Array({self.shape}, dtype=key<fry>) overlaying:\n{self.data}"


register_pytree_node(KeyArray, lambda k: ((k.data,), None), lambda _, c: KeyArray(c[0]))


def _check_impl(impl: Any) -> None:
    if impl not in (None, _IMPL, "threefry", "fry"):
        raise ValueError(f"unrecognized PRNG implementation {impl!r}: expected 'threefry2x32'")


def _seed(seed: Any) -> Value:
    """The two words of a key: the high and the low half of the seed."""
    value = seed
    if not isinstance(seed, (Value, np.ndarray, np.generic)):
        if not isinstance(seed, int):
            raise TypeError(f"PRNG key seed must be an integer; got {seed!r}")
        value = np.asarray(seed & (2**64 - 1), np.uint64).astype(np.int64)
        value = value.astype(canonicalize_dtype(np.dtype(np.int64)))
    value = as_value(value)
    if value.ndim:
        raise TypeError(f"PRNG key seed must be a scalar; got {seed!r}.")
    if value.dtype.kind not in "iu":
        raise TypeError(f"PRNG key seed must be an integer; got {value.dtype.name}")
    low = BIND.convert(value, dtype=_U32) if value.dtype.itemsize <= 4 else _low_word(value)
    high = jnp.zeros((), _U32) if value.dtype.itemsize <= 4 else _high_word(value)
    return jnp.stack([high, low])


def _low_word(value: Value) -> Value:
    mask = BIND.full(value.aval.update(weak_type=False), 0xFFFFFFFF)
    return BIND.convert(getattr(BIND, "and")(value, mask), dtype=_U32)


def _high_word(value: Value) -> Value:
    shift = BIND.full(value.aval.update(weak_type=False), 32)
    return BIND.convert(BIND.shift_right_logical(value, shift), dtype=_U32)


def PRNGKey(seed: Any, *, impl: str | None = None) -> Value:
    """A raw key: two uint32 words. `seed` is an integer."""
    _check_impl(impl)
    return _seed(seed)


def key(seed: Any, *, impl: str | None = None) -> KeyArray:
    """A typed key, of dtype `key<fry>`. `seed` is an integer."""
    _check_impl(impl)
    return KeyArray(_seed(seed))


def key_data(keys: Any) -> Value:
    """The uint32 words behind keys: shape (..., 2)."""
    return _words(keys)


def wrap_key_data(data: Any, *, impl: str | None = None) -> KeyArray:
    """Typed keys of uint32 words of shape (..., 2)."""
    _check_impl(impl)
    return KeyArray(_words(jnp.asarray(data)))


def key_impl(keys: Any) -> str:
    """The name of the generator."""
    _words(keys)
    return _IMPL


def clone(keys: Any) -> Any:
    """The same keys."""
    return keys


def _words(keys: Any) -> Value:
    """The uint32 words of a key or an array of keys.

    Raises:
      TypeError: not a key; says what came.
    """
    if isinstance(keys, KeyArray):
        return keys.data
    if not is_array_like(keys):
        raise TypeError(f"unexpected PRNG key type {type(keys)}")
    value = as_value(keys)
    if value.dtype != _U32:
        raise TypeError(f"JAX encountered invalid PRNG key data: expected key_data.dtype = uint32; got dtype={value.dtype.name}")
    if value.ndim < 1 or value.shape[-1] != 2:
        raise TypeError(f"JAX encountered invalid PRNG key data: expected key_data.shape to end with 2; got shape={value.shape}")
    return value


def _one_key(keys: Any, name: str) -> tuple[Value, Value]:
    """The two words of a single key."""
    words = _words(keys)
    if words.ndim != 1:
        raise ValueError(
            f"{name} accepts a single key, but was given a key array of shape {words.shape[:-1]} != (). Use jax.vmap for batching."
        )
    return words[0], words[1]


def _counters(shape: tuple[int, ...]) -> tuple[Value, Value]:
    """High and low words of the numbers of all elements, in row-major order."""
    n = math.prod(shape)
    if n >= 2**32:
        raise NotImplementedError(f"random bits for more than 2**32 elements: shape {shape}")
    low = BIND.reshape(BIND.iota(shape=(n,), dtype=_U32, iota_dimension=0), shape=shape)
    return BIND.full(aval(shape, _U32), 0), low


def _hash(words: tuple[Value, Value], high: Value, low: Value) -> tuple[Value, Value]:
    wide = [BIND.broadcast_in_dim(w, shape=low.shape, broadcast_dimensions=()) for w in words]
    return BIND.threefry2x32(*wide, high, low)


def _like(keys: Any, data: Value) -> Any:
    return KeyArray(data) if isinstance(keys, KeyArray) else data


def _shape(shape: Any) -> tuple[int, ...]:
    try:
        dims = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        dims = tuple(operator.index(d) for d in dims)
    except TypeError:
        raise TypeError(f"Shapes must be 1D sequences of concrete values of integer type, got {shape}.") from None
    if any(d < 0 for d in dims):
        raise ValueError(f"Shapes must be non-negative, got {dims}")
    return dims


def split(key: Any, num: int | Sequence[int] = 2) -> Any:
    """New keys from one: an array of shape `num` (an int or a tuple) of them."""
    words = _one_key(key, "split")
    shape = _shape(num)
    high, low = _hash(words, *_counters(shape))
    return _like(key, jnp.stack([high, low], axis=len(shape)))


def fold_in(key: Any, data: Any) -> Any:
    """A new key from a key and an integer."""
    words = _one_key(key, "fold_in")
    value = as_value(data)
    if value.ndim:
        raise TypeError(f"fold_in accepts a scalar, but was given an array of shape {value.shape}.")
    number = BIND.convert(value, dtype=_U32) if type(data) is not int else jnp.asarray(np.uint32(data & 0xFFFFFFFF))
    high, low = _hash(words, jnp.zeros((), _U32), number)
    return _like(key, jnp.stack([high, low]))


def _bits(words: tuple[Value, Value], width: int, shape: tuple[int, ...]) -> Value:
    high, low = _hash(words, *_counters(shape))
    if width == 64:
        u64 = np.dtype(np.uint64)
        high, low = BIND.convert(high, dtype=u64), BIND.convert(low, dtype=u64)
        return getattr(BIND, "or")(BIND.shift_left(high, BIND.full(high.aval, 32)), low)
    mixed = BIND.xor(high, low)
    return mixed if width == 32 else BIND.convert(mixed, dtype=np.dtype(f"u{width // 8}"))


def bits(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Uniform random unsigned integers."""
    dtype = canonicalize_dtype(np.dtype(np.uint64)) if dtype is None else user_dtype(dtype)
    if dtype.kind != "u":
        raise ValueError(f"dtype argument to `bits` must be an unsigned int dtype, got {dtype}")
    return _bits(_one_key(key, "bits"), 8 * dtype.itemsize, _shape(shape))


def _float_dtype(dtype: Any, name: str) -> np.dtype:
    found = default_dtype("f") if dtype is None else user_dtype(dtype)
    if found.kind not in "fV":
        raise ValueError(f"dtype argument to `{name}` must be a float dtype, got {found.name}")
    return found


def _cast(x: Any, dtype: np.dtype) -> Value:
    value = as_value(x)
    return BIND.convert(value, dtype=dtype) if value.dtype != dtype or value.aval.weak_type else value


def _spread(x: Value, shape: tuple[int, ...]) -> Value:
    return jnp.broadcast_to(x, shape)


def uniform(
    key: Any, shape: Any = (), dtype: Any = None, minval: Any = 0.0, maxval: Any = 1.0, *, out_sharding: Any = None
) -> Value:
    """Uniform floats in [minval, maxval).

    Args:
      key: a key.
      shape: of the result.
      dtype: a floating dtype; by default the default one.
      minval, maxval: bounds, broadcast against the shape.
    """
    dtype = _float_dtype(dtype, "uniform")
    return _uniform(_one_key(key, "uniform"), _shape(shape), dtype, minval, maxval)


def _uniform(words: tuple[Value, Value], shape: tuple[int, ...], dtype: np.dtype, minval: Any, maxval: Any) -> Value:
    info = jnp.finfo(dtype)
    width = 8 if info.nmant < 8 else info.bits
    unsigned = np.dtype(f"u{info.bits // 8}")
    raw = _bits(words, width, shape)
    if width != info.bits:
        raw = BIND.convert(raw, dtype=unsigned)
    # random mantissa, exponent of 1: a float in [1, 2)
    one = np.ones((), dtype).view(unsigned)
    mantissa = BIND.shift_right_logical(raw, BIND.full(raw.aval, width - info.nmant))
    floats = BIND.bitcast_convert(getattr(BIND, "or")(mantissa, BIND.full(raw.aval, int(one))), dtype=dtype)
    floats = BIND.subtract(floats, BIND.full(floats.aval, 1))
    low, high = (_spread(_cast(v, dtype), shape) for v in (minval, maxval))
    return BIND.maximum(low, BIND.add(BIND.multiply(floats, BIND.subtract(high, low)), low))


def normal(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Standard normal floats, or complex numbers with independent parts of variance 1/2."""
    dtype = default_dtype("f") if dtype is None else user_dtype(dtype)
    if dtype.kind == "c":
        part = np.dtype(f"f{dtype.itemsize // 2}")
        first, second = split(key)
        return BIND.complex(*(normal(k, shape, part) / np.sqrt(2).astype(part) for k in (first, second)))
    if dtype.kind not in "fV":
        raise ValueError(f"dtype argument to `normal` must be a float or complex dtype, got {dtype.name}")
    low = np.nextafter(np.array(-1.0, dtype), np.array(0.0, dtype), dtype=dtype)
    u = _uniform(_one_key(key, "normal"), _shape(shape), dtype, constant(low), 1.0)
    return BIND.multiply(BIND.full(u.aval, np.sqrt(2)), BIND.erf_inv(u))


def truncated_normal(key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None) -> Value:
    """Standard normal floats conditioned to lie in (lower, upper)."""
    dtype = _float_dtype(dtype, "truncated_normal")
    low, high = _cast(lower, dtype), _cast(upper, dtype)
    dims = jnp.broadcast_shapes(low.shape, high.shape) if shape is None else _shape(shape)
    root = jnp.asarray(np.sqrt(2).astype(dtype))
    u = uniform(key, dims, dtype, lax.erf(low / root), lax.erf(high / root))
    draw = root * lax.erf_inv(u)
    low, high = lax.stop_gradient(_spread(low, dims)), lax.stop_gradient(_spread(high, dims))
    return lax.clamp(
        lax.nextafter(low, jnp.full_like(low, np.inf)), draw, lax.nextafter(high, jnp.full_like(high, -np.inf))
    )


def randint(key: Any, shape: Any, minval: Any, maxval: Any, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Uniform integers in [minval, maxval)."""
    dtype = default_dtype("i") if dtype is None else user_dtype(dtype)
    if dtype.kind not in "iu":
        raise TypeError(f"randint only accepts integer dtypes, got {dtype.name}")
    dims = _shape(shape)
    for bound in (minval, maxval):
        if as_value(bound).dtype.kind not in "iu":
            raise TypeError(f"randint only accepts integer bounds, got {as_value(bound).dtype.name}")
    info = np.iinfo(dtype)
    beyond = type(maxval) is int and maxval == info.max + 1
    low, high = (
        _spread(_cast(np.clip(v, info.min, info.max) if type(v) is int else v, dtype), dims) for v in (minval, maxval)
    )
    unsigned = np.dtype(f"u{dtype.itemsize}")
    width = 8 * dtype.itemsize
    first, second = split(key)
    upper, lower = (_bits(_one_key(k, "randint"), width, dims) for k in (first, second))
    # the range as an unsigned number; an empty one counts as one element
    one = BIND.full(upper.aval, 1)
    span = BIND.convert(BIND.subtract(high, low), dtype=unsigned)
    span = BIND.select(BIND.compare(high, low, comparison_direction="LE"), one, span)
    if beyond:
        span = BIND.add(span, one)
    half = BIND.remainder(BIND.full(upper.aval, 2 ** (width // 2)), span)
    multiplier = BIND.remainder(BIND.multiply(half, half), span)
    offset = BIND.add(BIND.multiply(BIND.remainder(upper, span), multiplier), BIND.remainder(lower, span))
    offset = BIND.remainder(offset, span)
    return BIND.add(low, BIND.convert(offset, dtype=dtype))


def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low", *, out_sharding: Any = None) -> Value:
    """Booleans that are True with probability p."""
    chance = as_value(p)
    dtype = chance.dtype if chance.dtype.kind in "fV" else default_dtype("f")
    chance = _cast(chance, dtype)
    dims = chance.shape if shape is None else _shape(shape)
    return uniform(key, dims, dtype) < _spread(chance, dims)


def _shuffle(key: Any, x: Value, axis: int) -> Value:
    """Sort by random words, often enough that repeated words leave no trace (collisions below 1 / size³)."""
    rounds = math.ceil(3 * math.log(max(1, x.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        key, sub = split(key)
        _, x = lax.sort_key_val(_bits(_one_key(sub, "shuffle"), 32, x.shape), x, axis)
    return x


def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False, *, out_sharding: Any = None) -> Value:
    """A random permutation of range(x) for an int, else of an array's slices along an axis (of each by itself if
    `independent`)."""
    if not np.ndim(x) if isinstance(x, (int, np.integer)) else not jnp.ndim(x):
        if jnp.asarray(x).dtype.kind not in "iu":
            raise TypeError("x must be an integer or at least 1-dimensional")
        return _shuffle(key, jnp.arange(int(x)), 0)
    x = jnp.asarray(x)
    axis = axis % x.ndim
    if independent or x.ndim == 1:
        return _shuffle(key, x, axis)
    order = _shuffle(key, jnp.arange(x.shape[axis]), 0)
    return jnp.take(x, order, axis)


def choice(
    key: Any, a: Any, shape: Any = (), replace: bool = True, p: Any = None, axis: int = 0, mode: str | None = None
) -> Value:
    """Random elements of range(a) or of an array along an axis.

    Args:
      key: a key.
      a: an int, or an array.
      shape: of what is drawn.
      replace: whether an element may be drawn twice.
      p: probabilities; uniform by default.
    """
    dims = _shape(shape)
    whole = not jnp.ndim(a)
    count = int(a) if whole else jnp.asarray(a).shape[axis]
    draws = math.prod(dims)
    if draws and count <= 0:
        raise ValueError("a must be greater than 0 unless no samples are taken")
    if not replace and draws > count:
        raise ValueError(
            f"Cannot take a larger sample (size {draws}) than population (size {count}) when 'replace=False'"
        )
    if p is None:
        if replace:
            index = randint(key, dims, 0, count)
        else:
            return _first_of(permutation(key, a, axis), draws, dims, axis)
    else:
        index = _weighted(key, jnp.asarray(p), dims, draws, count, replace)
    return index if whole else jnp.take(jnp.asarray(a), index, axis)


def _first_of(shuffled: Value, draws: int, dims: tuple[int, ...], axis: int) -> Value:
    axis = axis % shuffled.ndim
    index = tuple(slice(draws) if d == axis else slice(None) for d in range(shuffled.ndim))
    shape = shuffled.shape
    return shuffled[index].reshape(*shape[:axis], *dims, *shape[axis + 1 :])


def _weighted(key: Any, p: Value, dims: tuple[int, ...], draws: int, count: int, replace: bool) -> Value:
    if p.shape != (count,):
        raise ValueError(f"p must be None or a 1D vector with the same size as a.shape[axis]. p has shape {p.shape} and a.shape[axis] is {count}.")
    p = p.astype(default_dtype("f")) if p.dtype.kind not in "fV" else p
    if replace:
        total = jnp.cumsum(p)
        r = total[-1] * (1 - uniform(key, dims, p.dtype))
        return jnp.searchsorted(total, r).astype(default_dtype("i"))
    # the largest of log p plus Gumbel noise are a sample without replacement
    order = jnp.argsort(-(gumbel(key, (count,), p.dtype) + jnp.log(p)))
    return order[:draws].reshape(dims)


def gumbel(key: Any, shape: Any = (), dtype: Any = None, mode: str | None = None, *, out_sharding: Any = None) -> Value:
    """Standard Gumbel floats: -log(-log(u))."""
    dtype = _float_dtype(dtype, "gumbel")
    tiny = constant(np.asarray(jnp.finfo(dtype).tiny, dtype))
    return -jnp.log(-jnp.log(uniform(key, shape, dtype, tiny, 1.0)))


def categorical(key: Any, logits: Any, axis: int = -1, shape: Any = None, replace: bool = True) -> Value:
    """Indices drawn with probabilities softmax(logits) along an axis."""
    logits = jnp.asarray(logits)
    axis = axis % logits.ndim
    batch = tuple(n for i, n in enumerate(logits.shape) if i != axis)
    dims = batch if shape is None else _shape(shape)
    prefix = dims[: len(dims) - len(batch)]
    wide = (*prefix, *logits.shape)
    noise = gumbel(key, wide, logits.dtype)
    return jnp.argmax(noise + jnp.broadcast_to(logits, wide), axis=axis + len(prefix))


def exponential(key: Any, shape: Any = (), dtype: Any = None) -> Value:
    """Exponential floats of rate 1."""
    dtype = _float_dtype(dtype, "exponential")
    return -jnp.log1p(-uniform(key, shape, dtype))


def laplace(key: Any, shape: Any = (), dtype: Any = None) -> Value:
    """Laplace floats of mean 0 and scale 1."""
    dtype = _float_dtype(dtype, "laplace")
    u = uniform(key, shape, dtype, -1.0 + float(jnp.finfo(dtype).epsneg), 1.0)
    return jnp.sign(u) * jnp.log1p(-jnp.abs(u))


def logistic(key: Any, shape: Any = (), dtype: Any = None) -> Value:
    """Logistic floats: log(u / (1 - u))."""
    dtype = _float_dtype(dtype, "logistic")
    x = uniform(key, shape, dtype, float(jnp.finfo(dtype).tiny), 1.0)
    return jnp.log(x / (1 - x))


def cauchy(key: Any, shape: Any = (), dtype: Any = None) -> Value:
    """Cauchy floats: tan(π (u - 1/2))."""
    dtype = _float_dtype(dtype, "cauchy")
    u = uniform(key, shape, dtype, float(jnp.finfo(dtype).eps), 1.0)
    return jnp.tan(jnp.asarray(np.pi, dtype) * (u - jnp.asarray(0.5, dtype)))


def rademacher(key: Any, shape: Any = (), dtype: Any = None) -> Value:
    """-1 or 1 with equal chances."""
    dtype = default_dtype("i") if dtype is None else user_dtype(dtype)
    return (2 * bernoulli(key, 0.5, shape) - 1).astype(dtype)


__all__ = [
    "KeyArray",
    "PRNGKey",
    "bernoulli",
    "bits",
    "categorical",
    "cauchy",
    "choice",
    "clone",
    "exponential",
    "fold_in",
    "gumbel",
    "key",
    "key_data",
    "key_impl",
    "laplace",
    "logistic",
    "normal",
    "permutation",
    "rademacher",
    "randint",
    "split",
    "truncated_normal",
    "uniform",
    "wrap_key_data",
]
