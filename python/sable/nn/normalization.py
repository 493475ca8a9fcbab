"""Sums of exponentials, softmax, standardization, one-hot vectors."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable._config import config
from sable.core.bind import BIND
from sable.core.custom_derivatives import custom_jvp
from sable.core.operands import array_argument, known_integer, normal_axis, promote
from sable.lax.autodiff import stop_gradient
from sable.library.declare import library

from .functions import inexact


@library
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False, where: Any = None
) -> Any:
    """log(sum(b · exp(a))) without overflow.

    Args:
      a: array.
      axis: int, tuple of ints, or None for all.
      b: weights, broadcast against a.
      keepdims: keep reduced axes with size 1.
      return_sign: also return the sign of the sum (for weights that may be negative).
      where: which elements count.

    Returns:
      An array, or with return_sign a pair.

    Example:
      >>> jax.nn.logsumexp(jnp.array([1000., 1000.])).round(2)
      Array(1000.69, dtype=float32)
      >>> value, sign = jax.nn.logsumexp(jnp.array([1., 1.]), b=jnp.array([1., -3.]), return_sign=True)
      >>> value.round(3), sign
      (Array(1.693, dtype=float32), Array(-1., dtype=float32))
    """
    if b is None:
        a = inexact("logsumexp", a)
    else:
        a, b = promote("logsumexp", (a, b), "inexact")
        a = jnp.where(b != 0, a, -jnp.inf)
    peak = stop_gradient(jnp.max(jnp.real(a), axis=axis, keepdims=True, where=where, initial=-jnp.inf))
    peak = jnp.where(jnp.isfinite(peak), peak, jnp.zeros_like(peak))
    shifted = a - peak.astype(a.dtype)
    if where is not None:  # e**x may overflow where it does not count, and its derivative with it
        shifted = jnp.where(where, shifted, -jnp.inf)
    terms = jnp.exp(shifted)
    if b is not None:
        terms = b * terms
    total = jnp.sum(terms, axis=axis, keepdims=keepdims, where=where)
    shift = peak if keepdims else peak.reshape(total.shape)
    sign = jnp.sign(total)
    if return_sign:
        return jnp.log(jnp.abs(total)) + shift, sign
    if b is not None and not jnp.iscomplexobj(total):
        total = jnp.where(sign < 0, jnp.nan, total)
    return jnp.log(total) + shift.astype(total.dtype)


@library
def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> Any:
    """log(mean(exp(x))) over axes, without overflow; see `logsumexp`.

    Args:
      x: an array.
      axis, where, keepdims: as of `logsumexp`.

    Example:
      >>> jax.nn.logmeanexp(jnp.array([1000., 1000.]))
      Array(1000., dtype=float32)
    """
    value = inexact("logmeanexp", x)
    total = logsumexp(value, axis=axis, where=where, keepdims=keepdims)
    ones = jnp.ones_like(value) if where is None else jnp.broadcast_to(where, value.shape)
    count = jnp.sum(ones, axis=axis, keepdims=keepdims, dtype=value.dtype)
    return total - jnp.log(count)


def _number(name: str, x: Any) -> Any:
    """x as an array of a float or complex dtype.

    Raises:
      TypeError: x is of booleans.
    """
    if array_argument(name, x).dtype == bool:
        raise TypeError(f"{name} does not accept dtype bool; it takes numbers: x.astype(float)")
    return inexact(name, x)


@library
def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """exp(x) / sum(exp(x)), without overflow.

    Args:
      x: an array.
      axis: an int, a tuple of ints, or None for all.
      where: which elements count; the others become 0.

    Returns:
      An array of x's shape whose sums along the axis are 1.

    Raises:
      ValueError: there is no such axis.
      TypeError: booleans.

    Example:
      >>> jax.nn.softmax(jnp.array([1000., 1000., -1.]))
      Array([0.5, 0.5, 0. ], dtype=float32)
      >>> jax.nn.softmax(jnp.array([1., 1., 1.]), where=jnp.array([True, True, False]))
      Array([0.5, 0.5, 0. ], dtype=float32)
    """
    value = _number("softmax", x)
    if config.jax_softmax_custom_jvp:
        return _softmax(value, axis, where)
    return _plain_softmax(value, axis, where)


def _plain_softmax(value: Any, axis: Any, where: Any) -> Any:
    peak = jnp.max(value, axis, where=where, initial=-jnp.inf, keepdims=True)
    shifted = value - stop_gradient(peak)
    if where is not None:
        shifted = jnp.where(where, shifted, -jnp.inf)
    terms = jnp.exp(shifted)
    result = terms / jnp.sum(terms, axis, where=where, keepdims=True)
    return result if where is None else jnp.where(where, result, 0)


@functools.partial(custom_jvp, nondiff_argnums=(1, 2))
def _softmax(value: Any, axis: Any, where: Any) -> Any:
    return _plain_softmax(value, axis, where)


@_softmax.defjvp
def _softmax_jvp(axis: Any, where: Any, primals: tuple, tangents: tuple) -> tuple:
    """d y = y (t - sum(y t))."""
    (x,), (t,) = primals, tangents
    y = _softmax(x, axis, where)
    return y, y * (t - jnp.sum(y * t, axis, where=where, keepdims=True))


@library
def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """log(softmax(x)) along an axis; what `where` leaves out is -inf.

    Args:
      x: an array.
      axis, where: as of `softmax`.

    Example:
      >>> jax.nn.log_softmax(jnp.array([0., 1000.]))
      Array([-1000.,     0.], dtype=float32)
    """
    value = _number("log_softmax", x)
    peak = jnp.max(value, axis, where=where, initial=-jnp.inf, keepdims=True)
    shifted = value - stop_gradient(peak)
    if where is not None:
        shifted = jnp.where(where, shifted, -jnp.inf)
    total = jnp.log(jnp.sum(jnp.exp(shifted), axis, where=where, keepdims=True))
    result = shifted - total
    return result if where is None else jnp.where(where, result, -jnp.inf)


@library
def standardize(
    x: Any,
    axis: Any = -1,
    mean: Any = None,
    variance: Any = None,
    epsilon: Any = 1e-5,
    where: Any = None,
    *,
    algorithm: str = "fast",
) -> Any:
    """(x - mean) / sqrt(variance + epsilon).

    Args:
      x: an array.
      axis: an int, a tuple of ints, or None for all.
      mean, variance: computed along the axis unless given.
      epsilon: keeps the root away from 0.
      where: which elements count for mean and variance.
      algorithm: "fast" takes the mean of squares less the squared mean, "stable" the mean of squared differences.

    Raises:
      ValueError: another algorithm; a complex array.

    Example:
      >>> jax.nn.standardize(jnp.array([1., 2., 3.])).round(3)
      Array([-1.225,  0.   ,  1.225], dtype=float32)
    """
    if algorithm not in ("fast", "stable"):
        raise ValueError(f"algorithm must be 'fast' or 'stable', got {algorithm!r}")
    value = inexact("standardize", x)
    if value.dtype.kind == "c":
        raise ValueError("standardize: x is complex; take its parts, x.real and x.imag")
    if mean is None:
        mean = jnp.mean(value, axis, keepdims=True, where=where)
    if variance is None and algorithm == "stable":
        variance = jnp.mean(jnp.square(value - mean), axis, keepdims=True, where=where)
    if variance is None:
        # mean of squares less square of the mean; rounding may make it negative
        variance = jnp.mean(jnp.square(value), axis, keepdims=True, where=where) - jnp.square(mean)
        variance = jnp.maximum(variance, 0)
    return (value - mean) * BIND.rsqrt(inexact("standardize", jnp.asarray(variance) + epsilon))


@library
def one_hot(x: Any, num_classes: int, *, dtype: Any = None, axis: int = -1) -> Any:
    """Vectors with a one at the index given; indices out of range give zeros.

    Args:
      x: integer array of indices.
      num_classes: size of the new axis.
      dtype: of the result; by default the default floating dtype.
      axis: where the new axis is.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.nn.one_hot(jnp.array([0, 2]), 3)
      Array([[1., 0., 0.],
             [0., 0., 1.]], dtype=float32)
    """
    num_classes = known_integer(num_classes, "The error arose in jax.nn.one_hot argument `num_classes`.")
    index = jnp.asarray(x)
    if not isinstance(index.dtype, np.dtype):
        raise TypeError(f"one_hot takes integers, got dtype {index.dtype}")
    if index.dtype.kind not in "iub":
        message = f"jax.nn.one_hot input should be integer-typed; got dtype={index.dtype}"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
    if num_classes < 0:
        raise TypeError(f"one_hot: num_classes must be nonnegative, got {num_classes}")
    place = normal_axis(axis, index.ndim + 1)
    shape = [1] * (index.ndim + 1)
    shape[place] = num_classes
    classes = jnp.arange(num_classes, dtype=index.dtype).reshape(shape)
    found = jnp.expand_dims(index, place) == classes
    return found.astype(jnp.zeros(0).dtype if dtype is None else dtype)
