"""Activations. Arguments are arrays of floating dtype (integers are converted); shapes are kept."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.bind import BIND
from sable.core.dtypes import to_inexact_dtype
from sable.core.operands import array_argument, convert
from sable.library.declare import library

#: constants of the self-normalising activation (Klambauer et al. 2017, arXiv:1706.02515, equation 14)
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def inexact(name: str, x: Any) -> Any:
    """x as an array of a float or complex dtype, weakly typed if x is."""
    value = array_argument(name, x)
    return convert(value, to_inexact_dtype(value.dtype), value.weak_type)


@library
def identity(x: Any) -> Any:
    """x itself, as an array.

    Args:
      x: an array.

    Example:
      >>> jax.nn.identity(1.5)
      Array(1.5, dtype=float32, weak_type=True)
    """
    return array_argument("identity", x)


@library
def tanh(x: Any, /) -> Any:
    """The hyperbolic tangent.

    Args:
      x: an array.

    Example:
      >>> jax.nn.tanh(jnp.array([-100., 0., 1.])).round(4)
      Array([-1.    ,  0.    ,  0.7616], dtype=float32)
    """
    return jnp.tanh(x)


# ---- piecewise linear ------------------------------------------------------------------------------------------


@library
def relu(x: Any) -> Any:
    """The rectifier max(x, 0), with derivative 0 at 0.

    Args:
      x: an array.

    Returns:
      An array of its shape.

    Example:
      >>> jax.nn.relu(jnp.array([-1., 2.]))
      Array([0., 2.], dtype=float32)
      >>> jax.grad(jax.nn.relu)(0.)
      Array(0., dtype=float32, weak_type=True)
    """
    value = array_argument("relu", x)
    # a choice and not a maximum, whose derivative at the tie is one half; NaN stays
    return jnp.where(value <= 0, 0, value)


@library
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6), with derivative 0 at both corners.

    Args:
      x: an array.

    Example:
      >>> jax.nn.relu6(jnp.array([-1., 2., 8.]))
      Array([0., 2., 6.], dtype=float32)
    """
    value = array_argument("relu6", x)
    return jnp.where(value >= 6, 6.0, jnp.where(value <= 0, 0.0, value))


@library
def leaky_relu(x: Any, negative_slope: Any = 1e-2) -> Any:
    """x where x >= 0, else negative_slope x.

    Args:
      x: an array.
      negative_slope: a scalar or an array.

    Example:
      >>> jax.nn.leaky_relu(jnp.array([-1., 2.]), 0.1)
      Array([-0.1,  2. ], dtype=float32)
    """
    value = array_argument("leaky_relu", x)
    return jnp.where(value >= 0, value, negative_slope * value)


@library
def hard_tanh(x: Any) -> Any:
    """x moved into [-1, 1].

    Args:
      x: an array.

    Example:
      >>> jax.nn.hard_tanh(jnp.array([-3., 0.5, 3.]))
      Array([-1. ,  0.5,  1. ], dtype=float32)
    """
    value = array_argument("hard_tanh", x)
    return jnp.where(value > 1, 1, jnp.where(value < -1, -1, value))


@library
def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6.

    Args:
      x: an array.

    Example:
      >>> jax.nn.hard_sigmoid(jnp.array([-3., 0., 3.]))
      Array([0. , 0.5, 1. ], dtype=float32)
    """
    return relu6(jnp.add(x, 3.0)) / 6.0


@library
def hard_silu(x: Any) -> Any:
    """x hard_sigmoid(x) (arXiv:1905.02244).

    Args:
      x: an array.

    Example:
      >>> jax.nn.hard_silu(jnp.array([-3., 0., 3.]))
      Array([-0.,  0.,  3.], dtype=float32)
    """
    value = array_argument("hard_silu", x)
    return jnp.multiply(value, hard_sigmoid(value))


hard_swish = hard_silu


@library
def sparse_plus(x: Any) -> Any:
    """0 below -1, x above 1, and (x + 1)**2 / 4 between (arXiv:1602.02068).

    Args:
      x: an array.

    Example:
      >>> jax.nn.sparse_plus(jnp.array([-1., 0., 2.]))
      Array([0.  , 0.25, 2.  ], dtype=float32)
    """
    value = array_argument("sparse_plus", x)
    return jnp.where(value <= -1, 0.0, jnp.where(value >= 1, value, (value + 1.0) ** 2 / 4))


@library
def sparse_sigmoid(x: Any) -> Any:
    """(x + 1) / 2 moved into [0, 1]: the derivative of `sparse_plus`.

    Args:
      x: an array.

    Example:
      >>> jax.nn.sparse_sigmoid(jnp.array([-2., 0., 2.]))
      Array([0. , 0.5, 1. ], dtype=float32)
    """
    return 0.5 * jnp.clip(jnp.add(x, 1.0), 0.0, 2.0)


# ---- smooth ----------------------------------------------------------------------------------------------------


@library
def sigmoid(x: Any) -> Any:
    """1 / (1 + e**-x).

    Args:
      x: an array.

    Raises:
      TypeError: neither floats nor complex numbers.

    Example:
      >>> jax.nn.sigmoid(jnp.array([-100., 0., 100.]))
      Array([0. , 0.5, 1. ], dtype=float32)
    """
    return lax.logistic(x)


@library
def softplus(x: Any) -> Any:
    """log(1 + e**x).

    Args:
      x: an array.

    Example:
      >>> jax.nn.softplus(jnp.array([-100., 0., 100.])).round(4)
      Array([  0.    ,   0.6931, 100.    ], dtype=float32)
    """
    return jnp.logaddexp(x, 0)


@library
def squareplus(x: Any, b: Any = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2 (arXiv:2112.11687).

    Args:
      x: an array.
      b: how far the corner is rounded; 0 gives relu.

    Example:
      >>> jax.nn.squareplus(jnp.array([-100., 0.])).round(2)
      Array([0.01, 1.  ], dtype=float32)
    """
    value = array_argument("squareplus", x)
    return (value + jnp.sqrt(jnp.square(value) + b)) / 2


@library
def soft_sign(x: Any) -> Any:
    """x / (|x| + 1).

    Args:
      x: an array.

    Example:
      >>> jax.nn.soft_sign(jnp.array([-1., 0., 3.]))
      Array([-0.5 ,  0.  ,  0.75], dtype=float32)
    """
    value = array_argument("soft_sign", x)
    return value / (jnp.abs(value) + 1)


@library
def silu(x: Any) -> Any:
    """x sigmoid(x), also called swish (arXiv:1606.08415).

    Args:
      x: an array.

    Raises:
      TypeError: neither floats nor complex numbers.

    Example:
      >>> jax.nn.silu(jnp.array([-1., 0., 1.])).round(4)
      Array([-0.2689,  0.    ,  0.7311], dtype=float32)
    """
    value = array_argument("silu", x)
    return value * sigmoid(value)


swish = silu


@library
def mish(x: Any) -> Any:
    """x tanh(softplus(x)) (arXiv:1908.08681).

    Args:
      x: an array.

    Example:
      >>> jax.nn.mish(jnp.array([-1., 0., 1.])).round(4)
      Array([-0.3034,  0.    ,  0.8651], dtype=float32)
    """
    value = array_argument("mish", x)
    return value * jnp.tanh(softplus(value))


@library
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)) = -softplus(-x).

    Args:
      x: an array.

    Example:
      >>> jax.nn.log_sigmoid(jnp.array([-100., 0.])).round(4)
      Array([-100.    ,   -0.6931], dtype=float32)
    """
    return jnp.negative(softplus(jnp.negative(array_argument("log_sigmoid", x))))


@library
def elu(x: Any, alpha: Any = 1.0) -> Any:
    """x where x > 0, else alpha (e**x - 1) (arXiv:1511.07289).

    Args:
      x: an array.
      alpha: a scalar or an array.

    Example:
      >>> jax.nn.elu(jnp.array([-100., 0., 1.]), 2.)
      Array([-2.,  0.,  1.], dtype=float32)
    """
    value = array_argument("elu", x)
    # e**x of what is not taken must not overflow: its derivative would be infinity times zero
    safe = jnp.where(value > 0, 0.0, value)
    return jnp.where(value > 0, value, alpha * jnp.expm1(safe))


@library
def celu(x: Any, alpha: Any = 1.0) -> Any:
    """max(x, 0) + min(0, alpha (e**(x / alpha) - 1)) (arXiv:1704.07483).

    Args:
      x: an array.
      alpha: a scalar or an array.

    Example:
      >>> jax.nn.celu(jnp.array([-100., 0., 1.]), 2.)
      Array([-2.,  0.,  1.], dtype=float32)
    """
    return jnp.maximum(x, 0.0) + alpha * jnp.expm1(jnp.minimum(x, 0.0) / alpha)


@library
def selu(x: Any) -> Any:
    """The scaled exponential linear unit, which keeps mean 0 and variance 1 (arXiv:1706.02515).

    Args:
      x: an array.

    Example:
      >>> jax.nn.selu(jnp.array([-1., 0., 1.])).round(4)
      Array([-1.1113,  0.    ,  1.0507], dtype=float32)
    """
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


@library
def gelu(x: Any, approximate: bool = True) -> Any:
    """x times the normal distribution function of x (arXiv:1606.08415).

    Args:
      x: an array.
      approximate: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x**3))) in place of the error function.

    Example:
      >>> jax.nn.gelu(jnp.array([-1., 0., 1.])).round(4)
      Array([-0.1588,  0.    ,  0.8412], dtype=float32)
      >>> jax.nn.gelu(jnp.array([-1., 0., 1.]), approximate=False).round(4)
      Array([-0.1587,  0.    ,  0.8413], dtype=float32)
    """
    value = inexact("gelu", x)
    if approximate:
        root = np.sqrt(2 / np.pi).astype(value.dtype)
        return value * (0.5 * (1.0 + jnp.tanh(root * (value + 0.044715 * (value**3)))))
    root = np.sqrt(0.5).astype(value.dtype)
    found = 0.5 * value * BIND.erfc(-value * root)
    return convert(found, value.dtype, found.weak_type)


@library
def glu(x: Any, axis: int = -1) -> Any:
    """The first half along an axis times the sigmoid of the second (arXiv:1612.08083).

    Args:
      x: an array.
      axis: the axis, of an even size.

    Raises:
      AssertionError: the axis has an odd size.

    Example:
      >>> jax.nn.glu(jnp.array([1., 2., 0., 100.]))
      Array([0.5, 2. ], dtype=float32)
    """
    value = array_argument("glu", x)
    size = value.shape[axis]
    if size % 2:
        raise AssertionError(f"axis size must be divisible by 2, got {size}")
    first, second = jnp.split(value, 2, axis)
    return first * sigmoid(second)


@library
def log1mexp(x: Any) -> Any:
    """log(1 - e**-x) for x > 0: by expm1 up to log 2, by log1p above (M. Maechler, Accurately computing
    log(1 - exp(-|a|)), 2012).

    Args:
      x: an array; NaN where it is negative.

    Example:
      >>> jax.nn.log1mexp(jnp.array([1e-8, 1., 100.])).round(4)
      Array([-18.4207,  -0.4587,  -0.    ], dtype=float32)
    """
    value = inexact("log1mexp", x)
    small = value <= math.log(2)
    # the branch that is not taken gets harmless values: its derivative must not be NaN
    near = jnp.log(-jnp.expm1(-jnp.where(small, value, 1.0)))
    return jnp.where(small, near, jnp.log1p(-jnp.exp(-jnp.where(small, 1.0, value))))
