"""Initialisers of weights: functions `(key, shape, dtype) -> array`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import sable.numpy as jnp
from sable import _absent, lax, random
from sable.core.dtypes import default_float_dtype, kind_of
from sable.core.operands import sizes_argument
from sable.library.declare import library, with_example

_absent.explain(__name__)

#: standard deviation of a standard normal cut off at ±2, by which a truncated normal is widened
_TRUNCATED_DEVIATION = 0.87962566103423978

#: the same of a complex normal with modulus up to 2
_COMPLEX_TRUNCATED_DEVIATION = 0.95311164380491208

Initializer = Callable[..., Any]


def _dtype(dtype: Any) -> Any:
    return default_float_dtype() if dtype is None else dtype


@library
def zeros(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """All zeros; the key is not used.

    Args:
      key: a random key or anything else.
      shape: of the weights.
      dtype: of the weights; float32 by default.

    Example:
      >>> jax.nn.initializers.zeros(jax.random.key(0), (2,))
      Array([0., 0.], dtype=float32)
    """
    return jnp.zeros(shape, _dtype(dtype))


@library
def ones(key: Any, shape: Sequence[int], dtype: Any = None) -> Any:
    """All ones; the key is not used.

    Args:
      key: a random key or anything else.
      shape: of the weights.
      dtype: of the weights; float32 by default.

    Example:
      >>> jax.nn.initializers.ones(jax.random.key(0), (2,))
      Array([1., 1.], dtype=float32)
    """
    return jnp.ones(shape, _dtype(dtype))


def constant(value: Any, dtype: Any = None) -> Initializer:
    """An initialiser that gives one value everywhere.

    Args:
      value: a scalar, or an array that broadcasts into the weights.
      dtype: of the weights; float32 by default.

    Example:
      >>> jax.nn.initializers.constant(0.5)(jax.random.key(0), (2,))
      Array([0.5, 0.5], dtype=float32)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        return jnp.full(shape, value, dtype=_dtype(dtype))

    return init


def uniform(scale: Any = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser uniform on [0, scale).

    Args:
      scale: the bound.
      dtype: of the weights; float32 by default.

    Example:
      >>> jax.nn.initializers.uniform(10.)(jax.random.key(0), (2,)).round(3)
      Array([9.477, 9.786], dtype=float32)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        return random.uniform(key, shape, _dtype(dtype)) * jnp.array(scale, _dtype(dtype))

    return init


def normal(stddev: Any = 1e-2, dtype: Any = None) -> Initializer:
    """An initialiser normal with mean 0 and that standard deviation.

    Args:
      stddev: the standard deviation.
      dtype: of the weights; float32 by default.

    Example:
      >>> jax.nn.initializers.normal(10.)(jax.random.key(0), (2,)).round(3)
      Array([16.226, 20.253], dtype=float32)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        return random.normal(key, shape, _dtype(dtype)) * jnp.array(stddev, _dtype(dtype))

    return init


def truncated_normal(stddev: Any = 1e-2, dtype: Any = None, lower: float = -2.0, upper: float = 2.0) -> Initializer:
    """An initialiser normal within bounds.

    Args:
      stddev: the standard deviation, before the bounds.
      dtype: of the weights; float32 by default.
      lower, upper: the bounds, in standard deviations.

    Example:
      >>> jax.nn.initializers.truncated_normal(10.)(jax.random.key(0), (2,)).round(3)
      Array([14.56 , 17.147], dtype=float32)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        draw = random.truncated_normal(key, lower, upper, shape, _dtype(dtype))
        return draw * jnp.array(stddev, _dtype(dtype))

    return init


def _fans(shape: Sequence[int], in_axis: Any, out_axis: Any, batch_axis: Any) -> tuple[float, float]:
    """Sizes of the input and of the output of a layer with weights of that shape."""

    def product(axes: Any) -> int:
        return math.prod(shape[a] for a in ([axes] if isinstance(axes, int) else axes))

    if in_axis == -2 and len(shape) <= 1:
        raise ValueError(
            f"Can't compute input and output sizes of a {len(shape)}-dimensional weights tensor with default in_axis. "
            "Must be at least 2D or specify in_axis explicitly."
        )
    inputs, outputs = product(in_axis), product(out_axis)
    receptive = math.prod(shape) / inputs / outputs / product(batch_axis)
    return inputs * receptive, outputs * receptive


def _complex_uniform(key: Any, shape: Sequence[int], dtype: Any) -> Any:
    """Uniform in the unit disk."""
    first, second = random.split(key)
    part = jnp.zeros((), dtype).real.dtype
    radius = jnp.sqrt(random.uniform(first, shape, part))
    return _polar(radius, second, shape, part, dtype)


def _complex_truncated_normal(key: Any, upper: float, shape: Sequence[int], dtype: Any) -> Any:
    """Complex normal with modulus up to `upper`: its square is exponentially distributed."""
    first, second = random.split(key)
    part = jnp.zeros((), dtype).real.dtype
    share = (1 - jnp.exp(jnp.array(-(upper**2), part))) * random.uniform(first, shape, part)
    return _polar(jnp.sqrt(-jnp.log(1 - share)), second, shape, part, dtype)


def _polar(radius: Any, key: Any, shape: Sequence[int], part: Any, dtype: Any) -> Any:
    angle = 2 * jnp.pi * random.uniform(key, shape, part)
    return lax.complex(radius * jnp.cos(angle), radius * jnp.sin(angle)).astype(dtype)


def variance_scaling(
    scale: Any,
    mode: str,
    distribution: str,
    in_axis: Any = -2,
    out_axis: Any = -1,
    batch_axis: Any = (),
    dtype: Any = None,
) -> Initializer:
    """An initialiser with variance scale / n (He et al. 2015, arXiv:1502.01852; Glorot and Bengio 2010).

    Args:
      scale: see above.
      mode: n is 'fan_in', 'fan_out', 'fan_avg' or 'fan_geo_avg' of the layer's input and output sizes.
      distribution: 'normal', 'truncated_normal' or 'uniform'.
      in_axis, out_axis, batch_axis: which axes of the weights are which.
      dtype: of the weights; float32 by default.

    Raises:
      ValueError: an unknown mode or distribution; weights of fewer than two dimensions without `in_axis`.

    Example:
      >>> init = jax.nn.initializers.variance_scaling(2.0, "fan_in", "truncated_normal")
      >>> weights = init(jax.random.key(0), (1000, 10))
      >>> round(float(weights.var() * 1000), 1)
      2.0
    """
    averages = {
        "fan_in": lambda i, o: i,
        "fan_out": lambda i, o: o,
        "fan_avg": lambda i, o: (i + o) / 2,
        "fan_geo_avg": lambda i, o: (i * o) ** 0.5,
    }
    if mode not in averages:
        raise ValueError(f"invalid mode for variance scaling initializer: {mode}")
    if distribution not in ("normal", "truncated_normal", "uniform"):
        raise ValueError(f"invalid distribution for variance scaling initializer: {distribution}")

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        dtype, shape = _dtype(dtype), sizes_argument(shape)
        variance = jnp.array(scale / averages[mode](*_fans(shape, in_axis, out_axis, batch_axis)), dtype=dtype)
        if distribution == "normal":
            return random.normal(key, shape, dtype) * jnp.sqrt(variance)
        complex_ = kind_of(jnp.dtype(dtype)) == "c"
        if distribution == "uniform" and complex_:
            # the mean square of the modulus is one half
            return _complex_uniform(key, shape, dtype) * jnp.sqrt(2 * variance)
        if distribution == "uniform":
            return random.uniform(key, shape, dtype, -1) * jnp.sqrt(3 * variance)
        if complex_:
            deviation = jnp.sqrt(variance) / jnp.array(_COMPLEX_TRUNCATED_DEVIATION, dtype)
            return _complex_truncated_normal(key, 2, shape, dtype) * deviation
        deviation = jnp.sqrt(variance) / jnp.array(_TRUNCATED_DEVIATION, dtype)
        return random.truncated_normal(key, -2, 2, shape, dtype) * deviation

    return init


def orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initialiser that gives `scale` times a matrix with orthonormal columns or rows, whichever are fewer (Saxe et al.
    2014, arXiv:1312.6120).

    Args:
      scale: see above.
      column_axis: the axis of the columns; all others together are that of the rows.
      dtype: of the weights; float32 by default.

    Raises:
      ValueError: weights of fewer than two dimensions.

    Example:
      >>> weights = jax.nn.initializers.orthogonal()(jax.random.key(0), (3, 2))
      >>> (weights.T @ weights).round(3) + 0
      Array([[1., 0.],
             [0., 1.]], dtype=float32)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        dtype, shape = _dtype(dtype), sizes_argument(shape)
        if len(shape) < 2:
            raise ValueError(f"orthogonal weights have two dimensions or more, got shape {tuple(shape)}")
        if 0 in shape:
            return jnp.zeros(shape, dtype)
        rest = list(shape)
        columns = rest.pop(column_axis)
        matrix = random.orthogonal(key, math.prod(rest), (), dtype, columns)
        return jnp.array(scale, dtype) * jnp.moveaxis(jnp.reshape(matrix, (*rest, columns)), -1, column_axis)

    return init


def delta_orthogonal(scale: Any = 1.0, column_axis: int = -1, dtype: Any = None) -> Initializer:
    """An initialiser of convolutions with `orthogonal` weights at the centre and zeros elsewhere (Xiao et al. 2018,
    arXiv:1806.05393).

    Args:
      scale, column_axis, dtype: as of `orthogonal`.

    Raises:
      ValueError: weights of other than 3, 4 or 5 dimensions, or with more inputs (the last axis but one) than outputs.

    Example:
      >>> weights = jax.nn.initializers.delta_orthogonal()(jax.random.key(0), (3, 2, 2))
      >>> jnp.any(weights != 0, axis=(1, 2))
      Array([False,  True, False], dtype=bool)
    """

    def init(key: Any, shape: Sequence[int], dtype: Any = dtype) -> Any:
        dtype, shape = _dtype(dtype), sizes_argument(shape)
        if len(shape) not in (3, 4, 5):
            raise ValueError(f"delta_orthogonal weights have 3, 4 or 5 dimensions, got shape {tuple(shape)}")
        if shape[-1] < shape[-2]:
            raise ValueError(f"delta_orthogonal weights have no more inputs than outputs, got shape {tuple(shape)}")
        matrix = orthogonal(scale, column_axis, dtype)(key, shape[-2:])
        return jnp.zeros(shape, dtype).at[tuple((n - 1) // 2 for n in shape[:-2])].set(matrix)

    return init


def _named(scale: float, mode: str, distribution: str, text: str, example: str) -> Callable[..., Initializer]:
    def make(in_axis: Any = -2, out_axis: Any = -1, batch_axis: Any = (), dtype: Any = None) -> Initializer:
        return variance_scaling(scale, mode, distribution, in_axis, out_axis, batch_axis, dtype)

    named = f"""An initialiser, {text}: `variance_scaling` with variance {scale:g} / {mode}.

    Args:
      in_axis, out_axis, batch_axis: which axes of the weights are which.
      dtype: of the weights; float32 by default.

    Raises:
      ValueError: of the initialiser: weights of fewer than two dimensions without `in_axis`.
    """
    make.__doc__ = with_example(named, example)
    return make


lecun_normal = _named(
    1.0,
    "fan_in",
    "truncated_normal",
    "LeCun's (LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998), truncated normal",
    ">>> jax.nn.initializers.lecun_normal()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 1.655,  1.949, -0.469]], dtype=float32)",
)
lecun_uniform = _named(
    1.0,
    "fan_in",
    "uniform",
    "LeCun's (LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998), uniform",
    ">>> jax.nn.initializers.lecun_uniform()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 1.551,  1.658, -0.581]], dtype=float32)",
)
glorot_normal = _named(
    1.0,
    "fan_avg",
    "truncated_normal",
    "Glorot's (Glorot and Bengio, AISTATS 2010), truncated normal",
    ">>> jax.nn.initializers.glorot_normal()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 1.17 ,  1.378, -0.332]], dtype=float32)",
)
glorot_uniform = _named(
    1.0,
    "fan_avg",
    "uniform",
    "Glorot's (Glorot and Bengio, AISTATS 2010), uniform",
    ">>> jax.nn.initializers.glorot_uniform()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 1.097,  1.172, -0.411]], dtype=float32)",
)
he_normal = _named(
    2.0,
    "fan_in",
    "truncated_normal",
    "He's (arXiv:1502.01852), truncated normal",
    ">>> jax.nn.initializers.he_normal()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 2.341,  2.757, -0.663]], dtype=float32)",
)
he_uniform = _named(
    2.0,
    "fan_in",
    "uniform",
    "He's (arXiv:1502.01852), uniform",
    ">>> jax.nn.initializers.he_uniform()(jax.random.key(0), (1, 3)).round(3)\n"
    "Array([[ 2.193,  2.345, -0.822]], dtype=float32)",
)
xavier_normal, xavier_uniform = glorot_normal, glorot_uniform
kaiming_normal, kaiming_uniform = he_normal, he_uniform

__all__ = [
    "Initializer",
    "constant",
    "delta_orthogonal",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "kaiming_normal",
    "kaiming_uniform",
    "lecun_normal",
    "lecun_uniform",
    "normal",
    "ones",
    "orthogonal",
    "truncated_normal",
    "uniform",
    "variance_scaling",
    "xavier_normal",
    "xavier_uniform",
    "zeros",
]
