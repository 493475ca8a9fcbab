"""Distributions of integers and booleans, permutations and choices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sable import lax
from sable import numpy as jnp
from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import array_argument, convert, known_integer, normal_axis
from sable.library.declare import library

from ._bits import both, float_dtype, parameter, randint, shape_argument, uniform_words
from ._continuous import gumbel_words
from ._key_array import KeyArray
from ._keys import clone, random_bits, two_keys, words_of


@library(operands=("p",))
def geometric(key: Any, p: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Numbers of trials up to the first success, each with the probability p: 1 + floor(log u / log(1 - p)).

    Args:
      key: a random key.
      p: the probability.
      shape: the result's, into which p broadcasts; by default that of p.
      dtype: an integer dtype; int32 by default (int64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.geometric(jax.random.key(0), 0.3, (4,))
      Array([1, 1, 4, 3], dtype=int32)
    """
    words, _ = words_of("geometric", key)
    found = dtypes.user_dtype(int if dtype is None else dtype, "geometric")
    if dtypes.kind_of(found) not in "iu":
        raise ValueError(f"dtype argument to `geometric` must be an int dtype, got {found}")
    probability = array_argument("geometric", p)
    kind = dtypes.to_inexact_dtype(probability.aval.dtype)
    sizes = shape_argument("geometric", shape, probability.aval.shape)
    probability = parameter(probability, kind, sizes)
    u = uniform_words(words, sizes, kind)
    zero = BIND.compare(u, BIND.full(u.aval, 0), comparison_direction="EQ")
    log_u = BIND.log(BIND.select(zero, BIND.full(u.aval, 1), u))
    steps = BIND.floor(both("divide", log_u, BIND.log_plus_one(BIND.negate(probability))))
    return convert(BIND.add(steps, BIND.full(steps.aval, 1)), found)


# ---- permutations --------------------------------------------------------------------------------------------


def _shuffled(words: KeyArray, x: Value, axis: int) -> Value:
    """Sorts by random numbers, so often that equal ones (which keep their order) hardly matter."""
    rounds = math.ceil(3 * math.log(max(1, x.aval.size)) / math.log(2**32 - 1))
    for _ in range(rounds):
        words, own = two_keys(words)
        numbers = random_bits(own, 32, x.aval.shape)
        x = BIND.sort(numbers, x, dimension=axis, num_keys=1, is_stable=True)[1]
    return x


@library(moves=("x",))
def permutation(key: Any, x: Any, axis: int = 0, independent: bool = False, *, out_sharding: Any = None) -> Value:
    """An array with its slices along an axis in random order.

    Args:
      key: a random key.
      x: an array, or n for `arange(n)`.
      axis: the axis.
      independent: whether each line along the axis has an order of its own.
      out_sharding: without effect.

    Raises:
      TypeError: x is neither an array nor an integer.
      ValueError: no such axis; an array of keys.

    Example:
      >>> jax.random.permutation(jax.random.key(0), 5)
      Array([0, 1, 4, 3, 2], dtype=int32)
      >>> jax.random.permutation(jax.random.key(1), jnp.arange(6).reshape(3, 2))
      Array([[4, 5],
             [0, 1],
             [2, 3]], dtype=int32)
    """
    words, _ = words_of("permutation", key)
    value = array_argument("permutation", x)
    place = normal_axis(axis, max(value.aval.ndim, 1))
    if value.aval.ndim == 0:
        if value.aval.dtype.kind not in "iu":
            raise TypeError("x must be an integer or at least 1-dimensional")
        count = known_integer(value, "argument x of jax.random.permutation()")
        return _shuffled(words, _range(count), 0)
    if independent or value.aval.ndim == 1:
        return _shuffled(words, value, place)
    order = _shuffled(words, _range(value.aval.shape[place]), 0)
    return jnp.take(value, order, axis=place, unique_indices=True)


def _range(n: int) -> Value:
    return BIND.iota(shape=(max(n, 0),), dtype=dtypes.default_int_dtype(), iota_dimension=0)


# ---- choices -------------------------------------------------------------------------------------------------


@library(moves=("a",))
def choice(
    key: Any,
    a: Any,
    shape: Any = (),
    replace: bool = True,
    p: Any = None,
    axis: int = 0,
    mode: str | None = None,
) -> Value:
    """Random elements (slices along an axis) of an array.

    Args:
      key: a random key.
      a: an array, or n for `arange(n)`.
      shape: how many, in which shape.
      replace: whether one may be chosen several times.
      p: the probabilities; equal ones by default.
      axis: the axis.
      mode: see `gumbel`, which choices without replacement use.

    Raises:
      TypeError: a shape that is no sequence.
      ValueError: more choices than elements without replacement; probabilities of another shape; an array of keys.

    Example:
      >>> jax.random.choice(jax.random.key(0), 5, (3,), replace=False)
      Array([0, 1, 4], dtype=int32)
      >>> jax.random.choice(jax.random.key(0), jnp.array([10, 20]), (3,), p=jnp.array([0.1, 0.9]))
      Array([10, 10, 20], dtype=int32)
    """
    words, _ = words_of("choice", key)
    if not isinstance(shape, Sequence):
        raise TypeError(f"shape argument of jax.random.choice must be a sequence, got {shape}")
    value = array_argument("choice", a)
    ndim = value.aval.ndim
    place = normal_axis(axis, ndim) if ndim else 0
    total = value.aval.shape[place] if ndim else known_integer(value, "The error occurred in jax.random.choice()")
    sizes = shape_argument("choice", shape)
    count = math.prod(sizes)
    if count == 0:
        return jnp.zeros(sizes, value.aval.dtype)
    if total <= 0:
        raise ValueError("a must be greater than 0 unless no samples are taken")
    if not replace and count > total:
        raise ValueError(
            f"Cannot take a larger sample (size {count}) than population (size {total}) when 'replace=False'"
        )
    if p is None and not replace:
        whole = permutation(clone(key), value if ndim else total, place)
        found = lax.slice_in_dim(whole, 0, count, axis=place)
    else:
        chosen = _chosen(key, words, total, sizes, count, p, replace, mode)
        found = chosen if ndim == 0 else jnp.take(value, chosen, axis=place)
    own = value.aval.shape
    return lax.reshape(found, sizes if ndim == 0 else (*own[:place], *sizes, *own[place + 1 :]))


def _chosen(
    key: Any, words: KeyArray, total: int, shape: tuple, count: int, p: Any, replace: bool, mode: str | None
) -> Value:
    """Numbers of the chosen elements."""
    if p is None:
        return randint(key, shape, 0, total)
    weights = array_argument("choice", p)
    weights = convert(weights, dtypes.to_inexact_dtype(weights.aval.dtype))
    if weights.aval.shape != (total,):
        raise ValueError(
            "p must be None or a 1D vector with the same size as a.shape[axis]. "
            f"p has shape {weights.aval.shape} and a.shape[axis] is {total}."
        )
    dtype = weights.aval.dtype
    whole = dtypes.default_int_dtype()
    if not replace:
        noise = gumbel_words(words, (total,), dtype, mode)
        return convert(lax.top_k(BIND.add(noise, BIND.log(weights)), count)[1], whole)
    cumulative = BIND.cumsum(weights, axis=0, reverse=False)
    u = uniform_words(words, shape, dtype)
    mark = both("multiply", cumulative[-1], BIND.subtract(BIND.full(u.aval, 1), u))
    return convert(jnp.searchsorted(cumulative, mark), whole)


@library
def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Any = None,
    replace: bool = True,
    mode: str | None = None,
    *,
    out_sharding: Any = None,
) -> Value:
    """Positions along an axis, chosen with probabilities proportional to e**logits.

    Args:
      key: a random key.
      logits: logarithms of the probabilities, up to a constant.
      axis: the axis, which goes.
      shape: the result's, which ends with that of the logits without the axis.
      replace: False chooses different positions for all samples of one distribution (the leading dimensions).
      mode: see `gumbel`.
      out_sharding: without effect.

    Raises:
      ValueError: a shape that does not fit; too many samples without replacement; an array of keys.

    Example:
      >>> jax.random.categorical(jax.random.key(0), jnp.log(jnp.array([0.1, 0.2, 0.7])), shape=(5,))
      Array([1, 2, 2, 1, 2], dtype=int32)
    """
    words, _ = words_of("categorical", key)
    weights = array_argument("categorical", logits)
    ndim = weights.aval.ndim
    place = normal_axis(axis, ndim)
    own = weights.aval.shape
    batch = own[:place] + own[place + 1 :]
    sizes = shape_argument("categorical", shape, batch)
    prefix = sizes[: len(sizes) - len(batch)]
    dtype = weights.aval.dtype
    float_dtype("gumbel", dtype)
    if not replace:
        return _without_replacement(words, weights, place, sizes, prefix, mode)
    tail = sizes[len(prefix) :]
    whole = (*prefix, *tail[:place], own[place], *tail[place:])
    noise = gumbel_words(words, whole, dtype, mode)
    total = both("add", noise, parameter(weights, dtype, whole))
    return BIND.argmax(total, axis=len(prefix) + place, index_dtype=dtypes.default_int_dtype())


def _without_replacement(
    words: KeyArray, weights: Value, axis: int, shape: tuple, prefix: tuple, mode: str | None
) -> Value:
    """The k largest of the logits with Gumbel noise (Kool, van Hoof and Welling, ICML 2019)."""
    noisy = BIND.add(weights, gumbel_words(words, weights.aval.shape, weights.aval.dtype, mode))
    count = math.prod(prefix)
    if count > weights.aval.shape[axis]:
        raise ValueError(
            f"Number of samples without replacement ({count}) cannot exceed number of categories "
            f"({weights.aval.shape[axis]})."
        )
    last = weights.aval.ndim - 1
    order = (*[d for d in range(last + 1) if d != axis], axis)
    found = lax.top_k(lax.transpose(noisy, order), count)[1]
    return lax.reshape(found, shape, (last, *range(last)))


__all__ = [
    "categorical",
    "choice",
    "geometric",
    "permutation",
]
