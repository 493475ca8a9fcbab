"""The gamma distribution by rejection, and what is made of it: each element has a key and a loop of its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable import lax
from sable import numpy as jnp
from sable.core import dtypes
from sable.core.array import Value
from sable.core.batching import batched_call
from sable.core.custom_batching import custom_vmap
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_argument, convert, expand_to, known_integer, scalar
from sable.core.primitives import Primitive
from sable.core.values import as_value
from sable.library.declare import library
from sable.pytree import arrays

from ._bits import float_dtype, own_shape, parameter_arguments, refuse_loss, shape_argument, uniform_words
from ._continuous import exponential_words, normal_words
from ._generators import THREEFRY, Generator
from ._key_array import KEYS, KeyArray
from ._keys import new_keys, two_keys, words_of
from ._trials import rademacher

# ---- one sample --------------------------------------------------------------------------------------------------


def _one(data: Value, a: Value, generator: Generator, in_logs: bool) -> Value:
    """A sample for a scalar parameter, or its logarithm.

    d v^3 for d = a - 1/3 and v = 1 + x / (3 sqrt d), where x is normal and drawn again until v > 0 and u passes a test
    (G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS 26, 2000). For a < 1 it is
    the sample for a + 1 times u^(1/a).
    """
    dtype = a.aval.dtype
    large = a >= 1
    d = lax.select(large, a, a + 1) - 1 / 3
    c = (1 / 3) / lax.sqrt(d)
    zero, one = scalar(0, dtype), scalar(1, dtype)

    def rejected(carry: tuple) -> Value:
        _, square, cube, u = carry
        simple = u >= 1 - 0.0331 * (square * square)
        return simple & (lax.log(u) >= square * 0.5 + d * ((1 - cube) + lax.log(cube)))

    def draw_normal(carry: tuple) -> tuple:
        key, own = two_keys(KEYS[generator](carry[0]))
        x = normal_words(own, (), dtype)
        return key._base_array, x, 1 + x * c

    def draw(carry: tuple) -> tuple:
        key, of_x, of_u = new_keys(KEYS[generator](carry[0]), 3)
        _, x, v = lax.while_loop(lambda kept: kept[2] <= 0, draw_normal, (of_x._base_array, zero, scalar(-1, dtype)))
        return key._base_array, x * x, (v * v) * v, uniform_words(of_u, (), dtype)

    key, rest = two_keys(KEYS[generator](data))
    # the first carry is rejected
    _, _, cube, _ = lax.while_loop(rejected, draw, (key._base_array, zero, one, scalar(2, dtype)))
    if in_logs:
        log_u = -exponential_words(rest, (), dtype)
        more = lax.select(large | (log_u == 0), zero, log_u * (1 / a))
        return (lax.log(d) + lax.log(cube)) + more
    power = lax.pow(1 - uniform_words(rest, (), dtype), 1 / a)
    return (d * cube) * lax.select(large, one, power)


@functools.partial(custom_jvp, nondiff_argnums=(2, 3))
def _samples(data: Value, a: Value, generator: Generator, in_logs: bool) -> Value:
    """Samples of the words of a key (or of several: see `_of_keys`), for an array of parameters."""
    if generator is THREEFRY:
        return _of_keys(data, a, generator, in_logs)
    return _drawn(generator, in_logs)(data, a)


@functools.cache
def _drawn(generator: Generator, in_logs: bool) -> custom_vmap:
    """Samples of keys whose bits are drawn in blocks: of many keys as of one, one loop over all samples.

    Blocks of bits are not drawn for many keys at once, hence the batch of a loop over samples would have other bits.
    """

    @custom_vmap
    def drawn(data: Value, a: Value) -> Value:
        return _of_keys(data, a, generator, in_logs)

    @drawn.def_vmap
    def _(size: int, mapped: list, data: Value, a: Value) -> tuple:
        rows = (x if is_mapped else lax.broadcast(x, (size,)) for x, is_mapped in zip((data, a), mapped))
        return drawn(*rows), True

    return drawn


def _of_keys(data: Value, a: Value, generator: Generator, in_logs: bool) -> Value:
    """Samples of the words (..., words) of keys, whose dimensions are the parameters' leading ones."""
    many = data.aval.shape[:-1]
    count = math.prod(a.aval.shape[len(many) :])

    def split(words: Value) -> Value:
        return generator.split(words, (count,))

    def one(words: Value, parameter: Value) -> Value:
        return _one(words, parameter, generator, in_logs)

    if many:
        size = math.prod(many)
        flat = [lax.reshape(data, (size, generator.words))]
        keys = batched_call(split, flat, arrays.flatten((tuple(flat), {}))[1], [0], size)
        keys = lax.reshape(keys, (a.size, generator.words))
    else:
        keys = split(data)
    rows = [keys, lax.reshape(a, (a.size,))]
    if generator is THREEFRY:
        found = batched_call(one, rows, arrays.flatten((tuple(rows), {}))[1], [0, 0], a.size)
    else:
        found = lax.map(lambda row: one(*row), tuple(rows))
    return lax.reshape(found, a.aval.shape)


@_samples.defjvp
def _samples_jvp(generator: Generator, in_logs: bool, primals: tuple, tangents: tuple) -> tuple:
    """Of the sample at a constant value of the distribution function: dx/da = -(dP/da) / (dP/dx)."""
    data, a = primals
    y = _samples(data, a, generator, in_logs)
    x = y
    if in_logs:
        x = lax.exp(y)
        x = jnp.where(x == 0, scalar(float(dtypes.finfo(x.dtype).tiny), x.dtype), x)
    slope = lax.random_gamma_grad(a, x)
    return y, tangents[1] * (slope / x if in_logs else slope)


def gamma_words(words: KeyArray, a: Any, shape: tuple[int, ...], dtype: np.dtype, in_logs: bool = False) -> Value:
    """Samples of the words of a key, for parameters that broadcast into the shape."""
    parameters = expand_to(convert(as_value(a), dtype), shape)
    return _samples(words._base_array, parameters, words._impl, in_logs)


class _RandomGamma(Primitive):
    """The primitive `random_gamma`, which draws what `gamma` and `loggamma` give."""

    def bind(self, key: KeyArray, a: Any, *, log_space: bool) -> Value:
        """Samples for parameters of their own dtype: `random_gamma_p.bind(key, a, log_space=False)`.

        Args:
          key: typed random keys.
          a: parameters, positive; the keys' dimensions are the leading ones, and each key draws all of the others.
          log_space: logarithms of the samples.

        Raises:
          TypeError: the key is not a typed one; a is not of a float dtype.
          ValueError: the leading dimensions of a are not the keys'.

        Example:
          >>> jax.random.random_gamma_p.bind(jax.random.key(0), jnp.array([2.]), log_space=False).round(3)
          Array([1.59], dtype=float32)
        """
        value = as_value(a)
        if not isinstance(key, KeyArray):
            raise TypeError(f"random_gamma takes a typed random key, got {type(key).__name__}")
        if dtypes.kind_of(value.aval.dtype) != "f":
            raise TypeError(f"random_gamma takes parameters of a float dtype, got {value.aval.dtype}")
        words, _ = words_of("random_gamma", key, batched=True)
        if value.aval.shape[: words.ndim] != words.shape:
            raise ValueError(
                f"random_gamma takes parameters whose leading dimensions are the keys', got parameters of shape "
                f"{value.aval.shape} for keys of shape {words.shape}"
            )
        return _samples(words._base_array, value, words._impl, log_space)


random_gamma_p = _RandomGamma("random_gamma", False)


# ---- the gamma distribution --------------------------------------------------------------------------------------


@library(operands=("a",))
def gamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the gamma distribution of shape parameter a and scale 1, differentiable in a.

    Args:
      key: a random key.
      a: the parameter, positive.
      shape: the result's, into which a broadcasts; by default that of a.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; a does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.gamma(jax.random.key(0), 2., (3,)).round(3)
      Array([1.59 , 1.76 , 1.129], dtype=float32)
    """
    words, _ = words_of("gamma", key)
    found = float_dtype("gamma", dtype)
    return gamma_words(words, a, shape_argument("gamma", shape, own_shape("gamma", a)), found)


@library(operands=("a",))
def loggamma(key: Any, a: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Logarithms of the samples of `gamma`, accurate where those are tiny.

    Args:
      key: a random key.
      a: the parameter, positive.
      shape: the result's, into which a broadcasts; by default that of a.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; a does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.loggamma(jax.random.key(0), 1e-3, (3,)).round(0)
      Array([ -111.,   -96., -1370.], dtype=float32)
      >>> jax.random.gamma(jax.random.key(0), 1e-3, (3,)) < 1e-38
      Array([ True,  True,  True], dtype=bool)
    """
    words, _ = words_of("loggamma", key)
    found = float_dtype("gamma", dtype)
    return gamma_words(words, a, shape_argument("gamma", shape, own_shape("loggamma", a)), found, in_logs=True)


# ---- of gamma samples --------------------------------------------------------------------------------------------


@library(operands=("a", "b"))
def beta(key: Any, a: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the beta distribution: x / (x + y) of gamma samples x and y.

    Args:
      key: a random key.
      a, b: the parameters, positive.
      shape: the result's, into which they broadcast; by default what they broadcast to.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype, or one that cannot hold the parameters; they do not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.beta(jax.random.key(0), 2., 3., (3,)).round(3)
      Array([0.236, 0.49 , 0.684], dtype=float32)
    """
    words, _ = words_of("beta", key)
    found = float_dtype("beta", dtype)
    refuse_loss("beta", found, a, b)
    sizes = shape_argument("beta", shape, own_shape("beta", a), own_shape("beta", b))
    x, y = (gamma_words(k, p, sizes, found, in_logs=True) for k, p in zip(two_keys(words), (a, b)))
    top = lax.max(x, y)
    x, y = lax.exp(x - top), lax.exp(y - top)
    return x / (x + y)


@library(operands=("alpha",))
def dirichlet(key: Any, alpha: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Dirichlet distribution: gamma samples divided by their sum.

    Args:
      key: a random key.
      alpha: the parameters along the last axis, positive.
      shape: the result's without its last dimension, into which the rest of alpha broadcasts.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; alpha is a scalar or does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> x = jax.random.dirichlet(jax.random.key(0), jnp.ones(3), (2,))
      >>> x.shape, x.sum(-1).round(4)
      ((2, 3), Array([1., 1.], dtype=float32))
    """
    words, _ = words_of("dirichlet", key)
    found = float_dtype("dirichlet", dtype)
    own = own_shape("dirichlet", alpha)
    if not own:
        raise ValueError("dirichlet requires alpha.ndim >= 1, got alpha.ndim == 0")
    sizes = shape_argument("dirichlet", shape, own[:-1])
    x = gamma_words(words, alpha, (*sizes, own[-1]), found, in_logs=True)
    top = lax.stop_gradient(jnp.max(x, axis=-1, keepdims=True, initial=-np.inf))
    x = lax.exp(x - top)
    return x / jnp.sum(x, axis=-1, keepdims=True)


def _chisquare_words(words: KeyArray, df: Value, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    return lax.exp(gamma_words(words, df / 2, shape, dtype, in_logs=True)) * 2


@library(operands=("df",))
def chisquare(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the chi-square distribution of df degrees of freedom.

    Args:
      key: a random key.
      df: the degrees of freedom, positive.
      shape: the result's, into which df broadcasts; by default that of df.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype, or one that cannot hold df; df does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.chisquare(jax.random.key(0), 2., (3,)).round(3)
      Array([1.237, 1.453, 0.702], dtype=float32)
    """
    words, sizes, found, (freedom,) = parameter_arguments("chisquare", key, shape, dtype, df)
    return _chisquare_words(words, freedom, sizes, found)


@library(operands=("dfnum", "dfden"))
def f(key: Any, dfnum: Any, dfden: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the F-distribution: the ratio of two chi-square samples, each divided by its degrees of freedom.

    Args:
      key: a random key.
      dfnum, dfden: the degrees of freedom of the numerator and the denominator, positive.
      shape: the result's, into which they broadcast; by default what they broadcast to.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype, or one that cannot hold the parameters; they do not broadcast; an array of keys.
      TypeError: not a key; parameters that are neither scalars nor of the result's rank.

    Example:
      >>> jax.random.f(jax.random.key(0), 5., 10., (3,)).round(3)
      Array([1.947, 0.341, 0.283], dtype=float32)
    """
    words, sizes, found, (over, under) = parameter_arguments("f", key, shape, dtype, dfnum, dfden)
    below, above = two_keys(words)
    top, bottom = (lax.div(_chisquare_words(k, df, sizes, found), df) for k, df in ((above, over), (below, under)))
    return lax.div(top, bottom)


@library(operands=("df",))
def t(key: Any, df: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of Student's t-distribution of df degrees of freedom.

    Args:
      key: a random key.
      df: the degrees of freedom, positive.
      shape: the result's, into which df broadcasts; by default that of df.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype, or one that cannot hold df; df does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.t(jax.random.key(0), 3., (3,)).round(3)
      Array([ 0.69 , -3.239, -1.675], dtype=float32)
    """
    words, sizes, found, (freedom,) = parameter_arguments("t", key, shape, dtype, df)
    of_normal, of_gamma = two_keys(words)
    half = freedom / 2
    return normal_words(of_normal, sizes, found) * jnp.sqrt(half / gamma_words(of_gamma, half, sizes, found))


# ---- balls -------------------------------------------------------------------------------------------------------


def _generalized_normal(words: KeyArray, p: Value, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    of_gamma, of_sign = two_keys(words)
    sizes = gamma_words(of_gamma, 1 / p, shape, dtype)
    return rademacher(of_sign, shape, dtype) * sizes ** (1 / p)


@library(operands=("p",))
def generalized_normal(
    key: Any, p: Any, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None
) -> Value:
    """Samples of the density in proportion to exp(-|x|^p).

    Args:
      key: a random key.
      p: the exponent, positive.
      shape: the result's.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; p does not broadcast; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.generalized_normal(jax.random.key(0), 2., (3,)).round(3)
      Array([ 0.954,  0.09 , -1.153], dtype=float32)
    """
    words, _ = words_of("generalized_normal", key)
    found = float_dtype("gamma", dtype)
    exponent = array_argument("generalized_normal", p)
    return _generalized_normal(words, exponent, shape_argument("gamma", shape, exponent.aval.shape), found)


@library(operands=("p",))
def ball(
    key: Any, d: Any, p: Any = 2, shape: Sequence[int] = (), dtype: Any = None, *, out_sharding: Any = None
) -> Value:
    """Points spread evenly over the unit ball of the p-norm.

    Args:
      key: a random key.
      d: the number of dimensions of the ball.
      p: the norm's exponent, positive.
      shape: how many points, in which shape.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Returns:
      An array of the shape (*shape, d).

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> points = jax.random.ball(jax.random.key(0), 3, shape=(5,))
      >>> points.shape, bool((jnp.linalg.norm(points, axis=1) <= 1).all())
      ((5, 3), True)

    Source: F. Barthe, O. Guedon, S. Mendelson and A. Naor, "A probabilistic approach to the geometry of the l_p^n-ball",
    arXiv:math/0503650.
    """
    words, _ = words_of("ball", key)
    found = float_dtype("gamma", dtype)
    sizes = shape_argument("ball", shape)
    count = known_integer(d, "The error occurred in jax.random.ball()")
    of_point, of_rest = two_keys(words)
    exponent = array_argument("ball", p)
    x = _generalized_normal(of_point, exponent, (*sizes, count), found)
    total = jnp.sum(jnp.abs(x) ** exponent, axis=-1) + exponential_words(of_rest, sizes, found)
    return x / (total ** (1 / exponent))[..., None]
