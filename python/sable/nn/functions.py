"""Activations, softmax and its kin. Arguments are arrays of floating dtype (integers are converted); shapes are kept."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.values import as_value
from sable.lax.autodiff import stop_gradient

#: constants of the self-normalising activation (Klambauer et al. 2017, arXiv:1706.02515, equation 14)
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _inexact(x: Any) -> Any:
    value = as_value(x)
    dtype = to_inexact_dtype(value.dtype)
    return value if value.dtype == dtype else value.astype(dtype)


def identity(x: Any) -> Any:
    """x itself."""
    return jnp.asarray(x)


def relu(x: Any) -> Any:
    """max(x, 0), with derivative 0 at 0."""
    value = as_value(x)
    # as a choice and not a maximum, whose derivative at the tie is one half
    return jnp.where(value > 0, value, jnp.zeros_like(value))


def relu6(x: Any) -> Any:
    """min(max(x, 0), 6)."""
    return jnp.minimum(jnp.maximum(x, 0), 6.0)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x))."""
    return BIND.logistic(_inexact(x))


def softplus(x: Any) -> Any:
    """log(1 + exp(x))."""
    return jnp.logaddexp(x, 0)


def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + sqrt(x² + b)) / 2."""
    value = jnp.asarray(x)
    return (value + jnp.sqrt(jnp.square(value) + b)) / 2


def soft_sign(x: Any) -> Any:
    """x / (|x| + 1)."""
    value = jnp.asarray(x)
    return value / (jnp.abs(value) + 1)


def silu(x: Any) -> Any:
    """x · sigmoid(x)."""
    value = _inexact(x)
    return value * sigmoid(value)


swish = silu


def mish(x: Any) -> Any:
    """x · tanh(softplus(x))."""
    value = _inexact(x)
    return value * jnp.tanh(softplus(value))


def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x))."""
    return -softplus(-_inexact(x))


def tanh(x: Any) -> Any:
    """Hyperbolic tangent."""
    return jnp.tanh(x)


def hard_tanh(x: Any) -> Any:
    """x clipped to [-1, 1], with derivative 0 at the edges."""
    value = jnp.asarray(x)
    return jnp.where(value > 1, 1, jnp.where(value < -1, -1, value))


def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6."""
    return relu6(x + 3.0) / 6.0


def hard_silu(x: Any) -> Any:
    """x · hard_sigmoid(x)."""
    value = _inexact(x)
    return value * hard_sigmoid(value)


hard_swish = hard_silu


def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """x where x >= 0, else negative_slope · x."""
    value = jnp.asarray(x)
    return jnp.where(value >= 0, value, negative_slope * value)


def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where x > 0, else alpha · (exp(x) - 1)."""
    value = jnp.asarray(x)
    # exp of what is not taken must not overflow: its derivative would be infinity times zero
    safe = jnp.where(value > 0, 0.0, value)
    return jnp.where(value > 0, value, alpha * jnp.expm1(safe))


def celu(x: Any, alpha: Any = 1.0) -> Any:
    """max(x, 0) + min(0, alpha · (exp(x / alpha) - 1))."""
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


def selu(x: Any) -> Any:
    """The scaled exponential linear unit, which keeps mean 0 and variance 1 (arXiv:1706.02515)."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def gelu(x: Any, approximate: bool = True) -> Any:
    """x Φ(x) with the normal distribution's Φ (arXiv:1606.08415); by default with tanh in its place.

    Args:
      x: array.
      approximate: 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))) instead of the error function.
    """
    value = _inexact(x)
    if approximate:
        root = np.sqrt(2 / np.pi).astype(value.dtype)
        cdf = 0.5 * (1.0 + jnp.tanh(root * (value + 0.044715 * (value**3))))
        return value * cdf
    root = np.sqrt(0.5).astype(value.dtype)
    return (0.5 * value * BIND.erfc(-value * root)).astype(value.dtype)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second.

    Raises:
      ValueError: the axis has an odd size.
    """
    value = jnp.asarray(x)
    size = value.shape[axis]
    if size % 2:
        raise ValueError(f"glu: the axis size must be divisible by 2, got {size}")
    first, second = jnp.split(value, 2, axis)
    return first * sigmoid(second)


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
    """
    a = _inexact(a)
    if b is not None:
        a, b = jnp.broadcast_arrays(a, jnp.asarray(b).astype(a.dtype))
        a = jnp.where(b != 0, a, -jnp.inf)
    peak = stop_gradient(jnp.max(a, axis=axis, keepdims=True, where=where, initial=-jnp.inf))
    peak = jnp.where(jnp.isfinite(peak), peak, jnp.zeros_like(peak))
    terms = jnp.exp(a - peak)
    if b is not None:
        terms = b * terms
    total = jnp.sum(terms, axis=axis, keepdims=keepdims, where=where)
    shift = peak if keepdims else peak.reshape(total.shape)
    sign = jnp.sign(total)
    if return_sign:
        return jnp.log(jnp.abs(total)) + shift, sign
    if b is not None:
        total = jnp.where(sign < 0, jnp.nan, total)
    return jnp.log(total) + shift


def softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """exp(x) / sum(exp(x)) along an axis (an int or a tuple of ints); what `where` leaves out is 0."""
    value = _inexact(x)
    peak = jnp.max(value, axis, where=where, initial=-jnp.inf, keepdims=True)
    shifted = value - stop_gradient(peak)
    if where is not None:
        shifted = jnp.where(where, shifted, -jnp.inf)
    terms = jnp.exp(shifted)
    result = terms / jnp.sum(terms, axis, where=where, keepdims=True)
    return result if where is None else jnp.where(where, result, 0)


def log_softmax(x: Any, axis: Any = -1, where: Any = None) -> Any:
    """log(softmax(x)) along an axis; what `where` leaves out is -inf."""
    value = _inexact(x)
    peak = jnp.max(value, axis, where=where, initial=-jnp.inf, keepdims=True)
    shifted = value - stop_gradient(peak)
    total = jnp.log(jnp.sum(jnp.exp(shifted), axis, where=where, keepdims=True))
    result = shifted - total
    return result if where is None else jnp.where(where, result, -jnp.inf)


def standardize(
    x: Any, axis: Any = -1, mean: Any = None, variance: Any = None, epsilon: Any = 1e-5, where: Any = None
) -> Any:
    """(x - mean) / sqrt(variance + epsilon) along an axis; mean and variance are computed unless given."""
    value = _inexact(x)
    if mean is None:
        mean = jnp.mean(value, axis, keepdims=True, where=where)
    if variance is None:
        # mean of squares less square of the mean; rounding may make it negative
        variance = jnp.mean(jnp.square(value), axis, keepdims=True, where=where) - jnp.square(mean)
        variance = jnp.maximum(variance, 0)
    return (value - mean) * BIND.rsqrt(_inexact(jnp.asarray(variance) + epsilon))


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
    index = jnp.asarray(x)
    place = axis % (index.ndim + 1)
    shape = [1] * (index.ndim + 1)
    shape[place] = num_classes
    classes = jnp.arange(num_classes, dtype=index.dtype).reshape(shape)
    found = jnp.expand_dims(index, place) == classes
    return found.astype(jnp.zeros(0).dtype if dtype is None else dtype)
