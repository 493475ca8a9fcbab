"""Distributions of floats: each a function of uniform or normal samples."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable import lax
from sable import numpy as jnp
from sable._config import config
from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import array_arguments, expand_to, logical, promote_dtypes, scalar
from sable.library.declare import library

from ._bits import both, float_dtype, own_shape, parameter, parameter_arguments, shape_argument, uniform_words
from ._key_array import KeyArray
from ._keys import random_bits, two_keys, words_of
from ._trials import rademacher

# ---- normal --------------------------------------------------------------------------------------------------


def normal_words(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    """Standard normal floats of the words of a key: sqrt(2) erf_inv(u) for u uniform in (-1, 1)."""
    low = np.nextafter(np.asarray(-1, dtype), np.asarray(0, dtype))
    u = uniform_words(words, shape, dtype, scalar(low, dtype), scalar(1, dtype))
    return both("multiply", scalar(math.sqrt(2), dtype), BIND.erf_inv(u))


@library
def normal(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Normal samples of mean 0 and variance 1 (complex ones have it as the sum of both parts').

    Args:
      key: a random key.
      shape: the result's.
      dtype: a float or complex dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.normal(jax.random.key(0), (2,)).round(4)
      Array([1.6226, 2.0253], dtype=float32)
      >>> 5 + 2 * jax.random.normal(jax.random.key(0), (2,)).round(4)
      Array([8.2452, 9.0506], dtype=float32)
    """
    words, _ = words_of("normal", key)
    found = dtypes.user_dtype(float if dtype is None else dtype, "normal")
    kind = dtypes.kind_of(found)
    if kind not in "fc":
        raise ValueError(f"dtype argument to `normal` must be a float or complex dtype, got {found}")
    sizes = shape_argument("normal", shape)
    if kind == "f":
        return normal_words(words, sizes, found)
    part = np.dtype(np.float32 if found.itemsize == 8 else np.float64)
    real, imag = (normal_words(k, sizes, part) for k in two_keys(words))
    whole = BIND.complex(real, imag)
    return both("divide", whole, scalar(math.sqrt(2), found))


@library(operands=("sigma",))
def lognormal(key: Any, sigma: Any = 1.0, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples whose logarithm is normal, of mean 0 and standard deviation sigma.

    Args:
      key: a random key.
      sigma: the standard deviation of the logarithm.
      shape: the result's, into which sigma broadcasts; by default that of sigma.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.lognormal(jax.random.key(0), 0.5, (3,)).round(3)
      Array([2.251, 2.753, 0.805], dtype=float32)
    """
    words, sizes, found, (deviation,) = parameter_arguments("lognormal", key, shape, dtype, sigma)
    scaled = both("multiply", normal_words(words, sizes, found), parameter(deviation, found, sizes))
    return BIND.exponential(scaled)


@library(operands=("mean", "cov"))
def multivariate_normal(
    key: Any,
    mean: Any,
    cov: Any,
    shape: Any = None,
    dtype: Any = None,
    method: str = "cholesky",
    *,
    out_sharding: Any = None,
) -> Value:
    """Normal samples of a mean and a covariance.

    Args:
      key: a random key.
      mean: (..., n).
      cov: (..., n, n), positive definite.
      shape: the result's without its last dimension, into which the leading dimensions of `mean` and `cov` broadcast; by
        default what they broadcast to.
      dtype: of the samples of variance 1; by default that of the parameters.
      method: by which decomposition the factor of `cov` is made: "cholesky", "eigh" or "svd".
      out_sharding: without effect.

    Raises:
      ValueError: another dtype or method; parameters that do not fit; an array of keys.
      TypeError: not a key.

    Example:
      >>> mean, cov = jnp.array([0., 10.]), jnp.array([[1., 0.5], [0.5, 1.]])
      >>> jax.random.multivariate_normal(jax.random.key(0), mean, cov, (2,)).round(3)
      Array([[ 1.623, 12.565],
             [-0.434,  9.715]], dtype=float32)
    """
    words, _ = words_of("multivariate_normal", key)
    centre, spread = promote_dtypes(array_arguments("multivariate_normal", mean, cov), "inexact")
    if method not in ("svd", "eigh", "cholesky"):
        raise ValueError("method must be one of {'svd', 'eigh', 'cholesky'}")
    found = float_dtype("multivariate_normal", centre.aval.dtype if dtype is None else dtype)
    for what, value, least in (("mean", centre, 1), ("cov", spread, 2)):
        if value.aval.ndim < least:
            raise ValueError(
                f"multivariate_normal requires {what}.ndim >= {least}, got {what}.ndim == {value.aval.ndim}"
            )
    n = centre.aval.shape[-1]
    if spread.aval.shape[-2:] != (n, n):
        raise ValueError(
            f"multivariate_normal requires cov.shape == (..., n, n) for n={n}, but got cov.shape == {spread.aval.shape}."
        )
    sizes = shape_argument("normal", shape, centre.aval.shape[:-1], spread.aval.shape[:-2])
    samples = normal_words(words, (*sizes, n), found)
    moved = jnp.einsum("...ij,...j->...i", _factor(spread, method), samples)
    return jnp.broadcast_to(centre, moved.aval.shape) + moved


def _factor(spread: Value, method: str) -> Value:
    """A matrix f with f f^T = spread."""
    if method == "cholesky":
        return jnp.linalg.cholesky(spread)
    if method == "eigh":
        variances, axes = jnp.linalg.eigh(spread)
    else:
        axes, variances, _ = jnp.linalg.svd(spread)
    return axes * jnp.sqrt(variances)[..., None, :]


@library
def orthogonal(
    key: Any, n: int, shape: Any = (), dtype: Any = None, m: int | None = None, *, out_sharding: Any = None
) -> Value:
    """Orthogonal matrices, or unitary ones, uniformly distributed; part of one where they are not square.

    Q of Q R for normal matrices, with columns turned so that R has a positive diagonal: F. Mezzadri, "How to generate random
    matrices from the classical compact groups", arXiv:math-ph/0609050.

    Args:
      key: a random key.
      n: rows.
      shape: of the stack of matrices.
      dtype: a float or complex dtype; float32 by default (float64 with x64).
      m: columns, by default n.
      out_sharding: without effect.

    Returns:
      (*shape, n, m), whose rows (n <= m) or columns are orthonormal.

    Raises:
      ValueError: another dtype; an array of keys. TypeError: not a key; n or m are no integers.

    Example:
      >>> q = jax.random.orthogonal(jax.random.key(0), 3)
      >>> (q @ q.T).round(4) + 0
      Array([[1., 0., 0.],
             [0., 1., 0.],
             [0., 0., 1.]], dtype=float32)
    """
    words_of("orthogonal", key)
    n, m = operator.index(n), operator.index(n if m is None else m)
    samples = normal(key, (*shape_argument("orthogonal", shape), max(n, m), min(n, m)), dtype)
    q, r = jnp.linalg.qr(samples)
    x = q * jnp.sign(jnp.linalg.diagonal(r))[..., None, :]
    return jnp.matrix_transpose(x) if n < m else x


@library(operands=("lower", "upper"))
def truncated_normal(
    key: Any, lower: Any, upper: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Value:
    """Standard normal samples between two bounds.

    Args:
      key: a random key.
      lower, upper: the bounds, exclusive.
      shape: the result's; by default what the bounds broadcast to.
      dtype: a float dtype.
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; bounds that do not broadcast; an array of keys.

    Example:
      >>> jax.random.truncated_normal(jax.random.key(0), 0., 1., (3,)).round(3)
      Array([0.929, 0.97 , 0.288], dtype=float32)
    """
    words, _ = words_of("truncated_normal", key)
    found = float_dtype("truncated_normal", dtype)
    sizes = shape_argument(
        "truncated_normal", shape, own_shape("truncated_normal", lower), own_shape("truncated_normal", upper)
    )
    root = scalar(math.sqrt(2), found)
    low, high = (parameter(x, found, sizes) for x in (lower, upper))
    # the bounds' places in the distribution function, up to a factor and a shift that erf_inv undoes
    first, last = (BIND.erf(both("divide", x, root)) for x in (low, high))
    u = uniform_words(words, sizes, found, first, last)
    out = both("multiply", root, BIND.erf_inv(u))
    low, high = (lax.stop_gradient(x) for x in (low, high))
    inner = [both("next_after", x, scalar(e, found)) for x, e in ((low, math.inf), (high, -math.inf))]
    return both("minimum", both("maximum", out, inner[0]), inner[1])


# ---- of one uniform sample -----------------------------------------------------------------------------------


def _simple(name: str, text: str, sample: Callable, example: str) -> Callable:
    """A distribution without parameters: `sample(words, shape, dtype)`."""

    text = f"""Samples of the {text}.

    Args:
      key: a random key.
      shape: the result's.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.
    """

    @library(name=name, text=text, example=example)
    def run(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
        words, _ = words_of(name, key)
        found = float_dtype(name, dtype)
        return sample(words, shape_argument(name, shape), found)

    return run


def _log_one_minus(u: Value) -> Value:
    return BIND.log_plus_one(BIND.negate(u))


def exponential_words(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    """-log(1 - u)."""
    return BIND.negate(_log_one_minus(uniform_words(words, shape, dtype)))


def _laplace(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    # sign(u) log(1 - |u|), u in (-1, 1)
    u = uniform_words(words, shape, dtype, float(dtypes.finfo(dtype).epsneg) - 1.0, 1.0)
    return BIND.multiply(BIND.sign(u), _log_one_minus(BIND.abs(u)))


def _logistic(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    # log(u / (1 - u))
    u = uniform_words(words, shape, dtype, float(dtypes.finfo(dtype).tiny), 1.0)
    return BIND.subtract(BIND.log(u), _log_one_minus(u))


def _cauchy(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    # tan(pi (u - 1/2))
    u = uniform_words(words, shape, dtype, float(dtypes.finfo(dtype).eps), 1.0)
    centred = BIND.subtract(u, BIND.full(u.aval, 0.5))
    return BIND.tan(BIND.multiply(BIND.full(u.aval, math.pi), centred))


def _maxwell(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype) -> Value:
    # the length of a normal vector of three components
    x = normal_words(words, (*shape, 3), dtype)
    return BIND.sqrt(BIND.reduce_sum(BIND.multiply(x, x), dimensions=(len(shape),)))


exponential = _simple(
    "exponential",
    "exponential distribution of mean 1",
    exponential_words,
    ">>> jax.random.exponential(jax.random.key(0), (3,)).round(3)\nArray([2.95 , 3.843, 0.404], dtype=float32)",
)
laplace = _simple(
    "laplace",
    "Laplace distribution of mean 0 and scale 1",
    _laplace,
    ">>> jax.random.laplace(jax.random.key(0), (3,)).round(3)\nArray([-2.257, -3.15 ,  0.409], dtype=float32)",
)
logistic = _simple(
    "logistic",
    "logistic distribution of mean 0 and scale 1",
    _logistic,
    ">>> jax.random.logistic(jax.random.key(0), (3,)).round(3)\nArray([ 2.896,  3.822, -0.698], dtype=float32)",
)
cauchy = _simple(
    "cauchy",
    "Cauchy distribution of location 0 and scale 1",
    _cauchy,
    ">>> jax.random.cauchy(jax.random.key(0), (3,)).round(3)\nArray([ 6.027, 14.838, -0.582], dtype=float32)",
)
maxwell = _simple(
    "maxwell",
    "one-sided Maxwell distribution of scale 1",
    _maxwell,
    ">>> jax.random.maxwell(jax.random.key(0), (3,)).round(3)\nArray([2.631, 0.991, 0.965], dtype=float32)",
)


def gumbel_words(words: KeyArray, shape: tuple[int, ...], dtype: np.dtype, mode: str | None) -> Value:
    """-log(-log u). In mode "high" a second uniform sample continues the first where that is below 1/2, in mode "highest" u has
    64 bits."""
    info = dtypes.finfo(dtype)
    if mode is None:
        mode = "high" if config.jax_high_dynamic_range_gumbel else "low"
    if mode == "low":
        u = uniform_words(words, shape, dtype, float(info.tiny), 1.0)
        return BIND.negate(BIND.log(BIND.negate(BIND.log(u))))
    if mode == "highest" and dtype == np.float32:
        x, is_low = _nearest_end(random_bits(words, 32, (2, *shape)))
        upper, lower = BIND.negate(_log_one_minus(x)), BIND.negate(BIND.log(x))
        return BIND.negate(BIND.log(BIND.select(is_low, upper, lower)))
    if mode not in ("high", "highest"):
        raise ValueError(f"Must provide valid mode for gumbel got: {mode}")
    u = uniform_words(words, (2, *shape), dtype)
    high, low = u[0], u[1]
    fine = both("multiply", scalar(2.0**-info.nmant, dtype), low)
    joined = both("add", BIND.add(high, fine), scalar(float(info.tiny), dtype))
    half = BIND.full(high.aval, 0.5)
    x = BIND.select(BIND.compare(high, half, comparison_direction="GE"), high, joined)
    return BIND.negate(BIND.log(BIND.negate(_log_one_minus(x))))


def _nearest_end(bits: Value) -> tuple[Value, Value]:
    """u in (0, 1) of 64 random bits, the first half of which comes first, as f32: (min(u, 1 - u), whether that is u).

    In fixed point the number is m / 2^64. Its 24 highest bits from the first 1 on are a float without rounding, whose exponent
    is the number z of zeros before them: x = 2^-(z + 24) t.
    """
    _, *shape = bits.aval.shape
    zeros, ones = (0,) * len(shape), (1,) * (1 + len(shape))
    cut = [((i, *zeros), (i + 1, *shape)) for i in (0, 1)]
    halves = [BIND.slice(bits, start_indices=low, limit_indices=high, strides=ones) for low, high in cut]
    high, low = (BIND.reshape(h, shape=tuple(shape)) for h in halves)

    def is_(x: Value, value: int, direction: str = "EQ") -> Value:
        return BIND.compare(x, BIND.full(x.aval, value), comparison_direction=direction)

    def minus(x: Value, value: int) -> Value:  # value - x
        return BIND.subtract(BIND.full(x.aval, value), x)

    is_low = is_(high, 2**31, "LT")
    # 2^64 - m: the complement, plus one
    carried = BIND.subtract(minus(high, 2**32 - 1), BIND.convert(is_(low, 0, "NE"), dtype=high.aval.dtype))
    other_high = BIND.add(carried, BIND.full(high.aval, 1))
    high, low = BIND.select(is_low, high, other_high), BIND.select(is_low, low, BIND.negate(low))
    before, more = BIND.count_leading_zeros(high), BIND.count_leading_zeros(low)
    rest = BIND.shift_right_logical(low, minus(before, 32))
    first = logical("or", BIND.shift_left(high, before), rest)
    in_low = is_(high, 0)
    top = BIND.select(in_low, BIND.shift_left(low, more), first)
    before = BIND.select(in_low, BIND.add(more, BIND.full(more.aval, 32)), before)
    top = logical("or", BIND.shift_right_logical(top, BIND.full(top.aval, 8)), BIND.full(top.aval, 2**23))
    power = BIND.shift_left(minus(before, 127 - 24), BIND.full(before.aval, 23))
    float32 = np.dtype(np.float32)
    return BIND.multiply(BIND.convert(top, dtype=float32), BIND.bitcast_convert(power, dtype=float32)), is_low


@library
def gumbel(key: Any, shape: Any = (), dtype: Any = None, mode: str | None = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Gumbel distribution of location 0 and scale 1.

    Args:
      key: a random key.
      shape: the result's.
      dtype: a float dtype.
      mode: "low" (the default), "high", which draws twice the bits for the upper tail, or "highest", which uses all of them (the
        same as "high" for other dtypes than float32).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype or mode; an array of keys.

    Example:
      >>> jax.random.gumbel(jax.random.key(0), (3,)).round(3)
      Array([ 2.923,  3.833, -0.097], dtype=float32)
    """
    words, _ = words_of("gumbel", key)
    found = float_dtype("gumbel", dtype)
    return gumbel_words(words, shape_argument("gumbel", shape), found, mode)


# ---- with parameters -----------------------------------------------------------------------------------------


@library(operands=("b",))
def pareto(key: Any, b: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Pareto distribution of shape parameter b and minimum 1.

    Args:
      key: a random key.
      b: the shape parameter, positive.
      shape: the result's, into which b broadcasts; by default that of b.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.pareto(jax.random.key(0), 2., (3,)).round(3)
      Array([4.371, 6.833, 1.224], dtype=float32)
    """
    words, sizes, found, (exponent,) = parameter_arguments("pareto", key, shape, dtype, b)
    sample = exponential_words(words, sizes, found)
    return BIND.exponential(both("divide", sample, parameter(exponent, found, sizes)))


@library(operands=("scale",))
def rayleigh(key: Any, scale: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Rayleigh distribution of a scale: scale sqrt(-2 log u).

    Args:
      key: a random key.
      scale: the scale.
      shape: the result's, into which the scale broadcasts; by default that of the scale.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.rayleigh(jax.random.key(0), 1., (3,)).round(3)
      Array([0.328, 0.208, 1.484], dtype=float32)
    """
    words, sizes, found, (factor,) = parameter_arguments("rayleigh", key, shape, dtype, scale)
    log = BIND.log(uniform_words(words, sizes, found))
    root = BIND.sqrt(both("multiply", log, scalar(-2, found)))
    return both("multiply", parameter(factor, found, sizes), root)


@library(operands=("scale", "concentration"))
def weibull_min(key: Any, scale: Any, concentration: Any, shape: Any = (), dtype: Any = None) -> Value:
    """Samples of the Weibull distribution: scale (-log(1 - u)) ** (1 / concentration).

    Args:
      key: a random key.
      scale, concentration: the scale and the exponent, which broadcast into the shape.
      shape: the result's.
      dtype: a float dtype; float32 by default (float64 with x64).

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.weibull_min(jax.random.key(0), 1., 2., (3,)).round(3)
      Array([1.718, 1.96 , 0.636], dtype=float32)
    """
    words, _ = words_of("weibull_min", key)
    found = float_dtype("weibull_min", dtype)
    sample = exponential_words(words, shape_argument("weibull_min", shape), found)
    return jnp.multiply(jnp.power(sample, jnp.divide(1.0, concentration)), scale)


@library(operands=("left", "mode", "right"))
def triangular(
    key: Any, left: Any, mode: Any, right: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None
) -> Value:
    """Samples of the triangular distribution over [left, right] with its peak at `mode`.

    Args:
      key: a random key.
      left, mode, right: the bounds and the peak.
      shape: the result's, into which they broadcast; by default what they broadcast to.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.triangular(jax.random.key(0), 0., 1., 4., (3,)).round(3)
      Array([3.208, 3.493, 1.169], dtype=float32)
    """
    words, sizes, found, corners = parameter_arguments("triangular", key, shape, dtype, left, mode, right)
    low, peak, high = (expand_to(x, sizes) for x in corners)
    u = uniform_words(words, sizes, found)
    width = high - low
    rising = low + jnp.sqrt(u * width * (peak - low))
    falling = high - jnp.sqrt((1 - u) * width * (high - peak))
    return jnp.where(u < (peak - low) / width, rising, falling)


@library(operands=("mean",))
def wald(key: Any, mean: Any, shape: Any = None, dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """Samples of the Wald (inverse Gaussian) distribution of scale 1.

    Args:
      key: a random key.
      mean: the mean, positive.
      shape: the result's, into which the mean broadcasts; by default that of the mean.
      dtype: a float dtype; float32 by default (float64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.wald(jax.random.key(0), 1., (3,)).round(3)
      Array([0.381, 0.416, 0.481], dtype=float32)

    Source: J. Michael, W. Schucany and R. Haas, The American Statistician 30, 1976.
    """
    words, sizes, found, (given,) = parameter_arguments("wald", key, shape, dtype, mean)
    first, second = two_keys(words)
    mu = expand_to(given, sizes)
    v, z = normal_words(first, sizes, found), uniform_words(second, sizes, found)
    y, square = v * v, mu * mu
    x = mu + square * y / 2 - mu / 2 * jnp.sqrt(4 * mu * y + square * (y * y))
    return jnp.where(z <= mu / (mu + x), x, square / x)


@library(operands=("loc", "scale"))
def double_sided_maxwell(key: Any, loc: Any, scale: Any, shape: Sequence[int] = (), dtype: Any = None) -> Value:
    """Samples of the two-sided Maxwell distribution of a location and a scale.

    Args:
      key: a random key.
      loc, scale: the location and the scale.
      shape: the result's, behind whose dimensions come those to which `loc` and `scale` broadcast.
      dtype: a float dtype; float32 by default (float64 with x64).

    Raises:
      ValueError: another dtype; an array of keys.
      TypeError: not a key.

    Example:
      >>> jax.random.double_sided_maxwell(jax.random.key(0), 0., 1., (3,)).round(3)
      Array([ 1.546,  1.574, -2.083], dtype=float32)
    """
    words, _ = words_of("double_sided_maxwell", key)
    found = float_dtype("double_sided_maxwell", dtype)
    own = lax.broadcast_shapes(own_shape("double_sided_maxwell", loc), own_shape("double_sided_maxwell", scale))
    sizes = (*(shape_argument("double_sided_maxwell", shape) or own), *own)
    first, second = two_keys(words)
    signs = rademacher(second, sizes, found)
    return signs * _maxwell(first, sizes, found) * scale + loc
