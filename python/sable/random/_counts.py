"""Distributions of counts by rejection: all elements draw of one key, until the last of them is done."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable import lax
from sable import numpy as jnp
from sable.core import dtypes
from sable.core.array import Value
from sable.core.operands import (
    array_argument,
    array_arguments,
    convert,
    expand_to,
    filled,
    promote_dtypes,
    scalar,
    sizes_argument,
)
from sable.library.declare import library

from ._bits import float_dtype, shape_argument, uniform_words
from ._generators import THREEFRY
from ._key_array import KeyArray
from ._keys import new_keys, two_keys, words_of

_FLOAT32, _INT32 = np.dtype(np.float32), np.dtype(np.int32)
#: From this mean on Poisson samples are drawn by rejection, beyond it binomial ones.
_REJECTION_FROM = 10.0
#: Parameters that stand for those of the other method: any for which both end soon.
_OTHER_RATE = 1e5
_OTHER_COUNT, _OTHER_PROBABILITY = 1e4, 0.5


# ---- poisson -----------------------------------------------------------------------------------------------------


def _poisson_by_products(words: KeyArray, rate: Value, dtype: np.dtype, limit: int) -> Value:
    """How many uniform samples can be multiplied before the product is below e^-rate (D. Knuth, TAOCP 3.4.1)."""
    shape = rate.shape

    def more(carry: tuple) -> Value:
        i, _, _, log = carry
        return jnp.any(log > -rate) & (i < limit)

    def draw(carry: tuple) -> tuple:
        i, k, key, log = carry
        key, own = two_keys(type(words)(key))
        k = lax.select(log > -rate, k + 1, k)
        return i + 1, k, key._base_array, log + lax.log(uniform_words(own, shape, _FLOAT32))

    first = (scalar(0, dtype), filled(shape, dtype, 0), words._base_array, filled(shape, _FLOAT32, 0))
    return lax.while_loop(more, draw, first)[1] - 1


def _poisson_by_rejection(words: KeyArray, rate: Value, dtype: np.dtype, limit: int) -> Value:
    """Transformed rejection (W. Hormann, "The transformed rejection method for generating Poisson random variables",
    Insurance: Mathematics and Economics 12, 1993)."""
    shape = rate.shape
    log_rate = lax.log(rate)
    b = 0.931 + 2.53 * lax.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_below = 0.9277 - 3.6224 / (b - 2)

    def more(carry: tuple) -> Value:
        i, _, done, _ = carry
        return jnp.any(~done) & (i < limit)

    def draw(carry: tuple) -> tuple:
        i, found, done, key = carry
        key, of_u, of_v = new_keys(type(words)(key), 3)
        u = uniform_words(of_u, shape, _FLOAT32) - 0.5
        v = uniform_words(of_v, shape, _FLOAT32)
        left = 0.5 - abs(u)
        k = lax.floor((2 * a / left + b) * u + rate + 0.43)
        s = lax.log(v * inverse_alpha / (a / (left * left) + b))
        t = -rate + k * log_rate - lax.lgamma(k + 1)
        outside = (k < 0) | ((left < 0.013) & (v > left))
        accepted = ((left >= 0.07) & (v <= v_below)) | (~outside & (s <= t))
        return i + 1, lax.select(accepted, k, found), done | accepted, key._base_array

    first = (scalar(0, dtype), filled(shape, _FLOAT32, -1), filled(shape, np.dtype(bool), False), words._base_array)
    return convert(lax.while_loop(more, draw, first)[1], dtype)


@library(operands=("lam",))
def poisson(key: Any, lam: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Poisson distribution.

    Args:
      key: a random key, of the generator threefry2x32.
      lam: the mean, not negative.
      shape: the result's, into which lam broadcasts; by default that of lam.
      dtype: an integer dtype; int32 by default (int64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; lam does not broadcast; an array of keys.
      NotImplementedError: a key of another generator.
      TypeError: not a key.

    Example:
      >>> jax.random.poisson(jax.random.key(0), 4., (4,))
      Array([0, 1, 5, 5], dtype=int32)
    """
    words, _ = words_of("poisson", key)
    found = dtypes.user_dtype(int if dtype is None else dtype, "poisson")
    if words._impl is not THREEFRY:
        raise NotImplementedError(f"`poisson` is only implemented for the threefry2x32 RNG, not {words._impl.name}")
    rate = array_argument("poisson", lam)
    sizes = rate.aval.shape if shape is None else sizes_argument(shape)
    rate = convert(jnp.broadcast_to(rate, sizes), _FLOAT32)
    # as many steps as the dtype counts to, or the counter of steps
    limit = min(int(dtypes.iinfo(x).max) for x in (found, dtypes.default_int_dtype()))
    by_products = (rate != rate) | (rate < _REJECTION_FROM)
    small = lax.select(by_products, rate, jnp.zeros_like(rate))
    large = lax.select(by_products, jnp.full_like(rate, _OTHER_RATE), rate)
    samples = lax.select(
        by_products,
        _poisson_by_products(words, small, found, limit),
        _poisson_by_rejection(words, large, found, limit),
    )
    return lax.select(rate == 0, jnp.zeros_like(samples), samples)


# ---- binomial ----------------------------------------------------------------------------------------------------

#: log k! - (the first terms of Stirling's series for it) for k = 0, 1, ..., 9
_STIRLING_TAILS = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)


def _stirling_tail(k: Value) -> Value:
    """What Stirling's series lacks of log k!; from 10 on the series 1/(12 n) - 1/(360 n^3) + 1/(1260 n^5), which JAX takes at
    n = 10 for all of them."""
    small = k <= 9
    k = jnp.clip(k, 0.0, 9.0)
    square = (k + 1) * (k + 1)
    rest = (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)
    table = jnp.asarray(np.array(_STIRLING_TAILS), dtype=k.dtype)
    return lax.select(small, table[convert(lax.floor(k), _INT32)], rest)


def _binomial_by_waiting(words: KeyArray, count: Value, p: Value, limit: int) -> Value:
    """How many successes there are before the waiting times for them, geometric samples, add up to more than count."""
    shape, dtype = p.shape, p.dtype
    log_failure = lax.log1p(-p)

    def more(carry: tuple) -> Value:
        i, _, total, _ = carry
        return jnp.any(total <= count) & (i < limit)

    def draw(carry: tuple) -> tuple:
        i, successes, total, key = carry
        own, key = two_keys(type(words)(key))
        successes = lax.select(total <= count, successes + 1, successes)
        wait = lax.ceil(lax.log(uniform_words(own, shape, dtype)) / log_failure)
        return i + 1, successes, total + wait, key._base_array

    zero = filled(shape, dtype, 0)
    return lax.while_loop(more, draw, (scalar(0, _INT32), zero, zero, words._base_array))[1] - 1


def _binomial_by_rejection(words: KeyArray, count: Value, p: Value, limit: int) -> Value:
    """Transformed rejection with squeeze, BTRS (W. Hormann, "The generation of binomial random variates", Journal of
    Statistical Computation and Simulation 46, 1993)."""
    shape, dtype = p.shape, p.dtype
    deviation = lax.sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = count * p + 0.5
    v_below = 0.92 - 4.2 / b
    odds = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = lax.floor((count + 1) * p)

    def more(carry: tuple) -> Value:
        i, _, done, _ = carry
        return jnp.any(~done) & (i < limit)

    def draw(carry: tuple) -> tuple:
        i, found, done, key = carry
        key, of_u, of_v = new_keys(type(words)(key), 3)
        u = uniform_words(of_u, shape, dtype) - 0.5
        v = uniform_words(of_v, shape, dtype)
        left = 0.5 - abs(u)
        squeezed = (left >= 0.07) & (v <= v_below)
        k = lax.floor((2 * a / left + b) * u + c)
        outside = (k < 0) | (k > count)
        height = lax.log(v * alpha / (a / (left * left) + b))
        bound = (
            (mode + 0.5) * lax.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * lax.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * lax.log(odds * (count - k + 1) / (k + 1))
            + _stirling_tail(mode)
            + _stirling_tail(count - mode)
            - _stirling_tail(k)
            - _stirling_tail(count - k)
        )
        accepted = squeezed | (~outside & (height <= bound))
        return i + 1, lax.select(accepted, k, found), done | accepted, key._base_array

    first = (scalar(0, _INT32), filled(shape, dtype, -1), filled(shape, np.dtype(bool), False), words._base_array)
    return lax.while_loop(more, draw, first)[1]


def _binomial_words(words: KeyArray, n: Value, p: Value, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    (p,) = promote_dtypes([p], "inexact")
    count, p = expand_to(convert(n, p.dtype), shape), expand_to(p, shape)
    rare = p < 0.5
    q = lax.select(rare, p, 1.0 - p)
    no_count, endless = (count != count) | (count < 0), jnp.isinf(count)
    no_number, negative = q != q, q < 0
    q = lax.select(no_number | negative, jnp.full_like(q, 0.01), q)
    waiting = no_count | (count * q <= _REJECTION_FROM)
    count = lax.floor(count)
    limit = int(min(float(dtypes.finfo(dtype).max), np.iinfo(np.int32).max))
    few = lax.select(waiting, count, jnp.zeros_like(count))
    many = lax.select(waiting, jnp.full_like(count, _OTHER_COUNT), count)
    even = lax.select(waiting, jnp.full_like(q, _OTHER_PROBABILITY), q)
    samples = lax.select(
        waiting,
        convert(_binomial_by_waiting(words, few, q, limit), dtype),
        convert(_binomial_by_rejection(words, many, even, limit), dtype),
    )
    invalid = negative | no_number | no_count
    samples = lax.select(invalid, jnp.full_like(samples, math.nan), samples)
    samples = lax.select(endless & ~invalid, jnp.full_like(samples, math.inf), samples)
    return lax.select(rare | no_count | no_number | endless, samples, convert(count, dtype) - samples)


@library(operands=("n", "p"))
def binomial(key: Any, n: Any, p: Any, shape: Any = None, dtype: Any = None) -> Value:
    """Samples of the binomial distribution, as floats.

    Args:
      key: a random key.
      n: the number of trials; NaN where it is negative, infinite where it is.
      p: the probability of each; NaN outside of [0, 1].
      shape: the result's, into which they broadcast; by default what they broadcast to.
      dtype: a float dtype; float32 by default (float64 with x64).

    Raises:
      ValueError: another dtype; the parameters do not broadcast; an array of keys.
      TypeError: not a key; parameters that are no arrays.

    Example:
      >>> jax.random.binomial(jax.random.key(0), 10, 0.5, (4,))
      Array([6., 7., 5., 6.], dtype=float32)
    """
    words, _ = words_of("binomial", key)
    count, probability = array_arguments("binomial", n, p)
    found = float_dtype("binomial", dtype)
    sizes = shape_argument("binomial", shape, count.aval.shape, probability.aval.shape)
    return _binomial_words(words, count, probability, sizes, found)


@library(operands=("n", "p"))
def multinomial(key: Any, n: Any, p: Any, *, shape: Any = None, dtype: Any = None, unroll: int | bool = 1) -> Value:
    """Samples of the multinomial distribution, as floats: binomial samples, each of what the ones before have left.

    Args:
      key: a random key.
      n: the number of trials.
      p: the probabilities of the outcomes along the last axis.
      shape: the result's, into which p broadcasts; by default that of p. n broadcasts into it without the last dimension.
      dtype: of the result; float32 by default (float64 with x64).
      unroll: see `lax.scan`.

    Raises:
      ValueError: the parameters do not broadcast; an array of keys.
      TypeError: not a key; parameters that are no arrays.

    Example:
      >>> jax.random.multinomial(jax.random.key(0), 10, jnp.array([0.2, 0.3, 0.5]))
      Array([1., 1., 8.], dtype=float32)
    """
    words, _ = words_of("multinomial", key)
    count, probability = promote_dtypes(array_arguments("multinomial", n, p), "inexact")
    sizes = probability.aval.shape if shape is None else sizes_argument(shape)
    count, probability = jnp.broadcast_to(count, sizes[:-1]), jnp.broadcast_to(probability, sizes)

    def draw(left: Value, row: tuple) -> tuple:
        ratio, key = row
        own = type(words)(key)
        taken = _binomial_words(own, left, jnp.clip(ratio, 0, 1), left.shape, left.dtype)
        return left - taken, taken

    outcomes = jnp.moveaxis(probability, -1, 0)
    rest = lax.cumsum(outcomes, 0, reverse=True)
    ratios = outcomes / jnp.where(rest == 0, 1, rest)
    keys = words._impl.split(words._base_array, (sizes[-1],))
    _, counts = lax.scan(draw, count, (ratios, keys), unroll=unroll)
    found = dtypes.user_dtype(float if dtype is None else dtype, "multinomial")
    return convert(jnp.moveaxis(counts, 0, -1), found)
