"""`jax.image`: images of other sizes."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent
from sable.core.array import Value
from sable.core.dtypes import to_inexact_dtype
from sable.core.operands import convert, integers, normal_axis, value_of, values_of
from sable.core.precision import Precision
from sable.library.declare import library

_absent.explain(__name__)

#: Sums of weights that are no larger are of pixels which lie outside of the image.
_NEGLIGIBLE = 1000 * float(np.finfo(np.float32).eps)


class ResizeMethod(enum.Enum):
    """How pixels between those of an image are made.

    NEAREST takes the nearest one; LINEAR interpolates; CUBIC by Keys' kernel, CUBIC_PYTORCH (without antialias) by one that
    overshoots more, repeating the edges; LANCZOS3 and LANCZOS5 by windowed sines of that radius; AREA takes the mean of what
    a pixel of the result covers.

    Example:
      >>> jax.image.resize(jnp.array([0., 4.]), (4,), jax.image.ResizeMethod.NEAREST)
      Array([0., 0., 4., 4.], dtype=float32)
      >>> jax.image.resize(jnp.array([0., 4.]), (4,), "linear")
      Array([0., 1., 3., 4.], dtype=float32)
    """

    NEAREST = 0
    LINEAR = 1
    LANCZOS3 = 2
    LANCZOS5 = 3
    CUBIC = 4
    CUBIC_PYTORCH = 5
    AREA = 6

    @staticmethod
    def from_string(s: str) -> ResizeMethod:
        """A method from its name.

        Raises:
          ValueError: there is none of that name.
        """
        if s not in _NAMES:
            raise ValueError(f'Unknown resize method "{s}": expected one of {", ".join(sorted(_NAMES))}')
        return _NAMES[s]


_NAMES = {
    "nearest": ResizeMethod.NEAREST,
    **dict.fromkeys(("linear", "bilinear", "trilinear", "triangle"), ResizeMethod.LINEAR),
    "lanczos3": ResizeMethod.LANCZOS3,
    "lanczos5": ResizeMethod.LANCZOS5,
    **dict.fromkeys(("cubic", "bicubic", "tricubic"), ResizeMethod.CUBIC),
    **dict.fromkeys(("cubic-pytorch", "bicubic-pytorch"), ResizeMethod.CUBIC_PYTORCH),
    "area": ResizeMethod.AREA,
}

# ---- weights -------------------------------------------------------------------------------------------------
# kernels: functions of the distance between the centres of pixels


def _triangle(x: Any) -> Any:
    return jnp.maximum(0, 1 - x)


def _lanczos(radius: float, x: Any) -> Any:
    """sinc(x) sinc(x / radius) within the radius."""
    product = radius * jnp.sin(np.pi * x) * jnp.sin(np.pi * x / radius)
    found = jnp.where(x > 1e-3, product / jnp.where(x != 0, np.pi**2 * x**2, 1), 1)
    return jnp.where(x > radius, 0.0, found)


def _cubic(a: float, x: Any) -> Any:
    """Cubic convolution with the parameter a (Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1981)."""
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return jnp.where(x >= 2, 0.0, jnp.where(x >= 1, far, near))


_KERNELS: dict[ResizeMethod, Callable] = {
    ResizeMethod.LINEAR: _triangle,
    ResizeMethod.LANCZOS3: functools.partial(_lanczos, 3.0),
    ResizeMethod.LANCZOS5: functools.partial(_lanczos, 5.0),
    ResizeMethod.CUBIC: functools.partial(_cubic, -0.5),
    ResizeMethod.CUBIC_PYTORCH: functools.partial(_cubic, -0.75),
}
#: Pixels that a kernel which repeats the edges looks at beyond them.
_REPEATED = 2


def _overlaps(size: int, target: int, inverse: Any, shift: Any, dtype: Any) -> Any:
    """How much of pixel i of the image pixel j of the result covers."""
    left = (jnp.arange(target, dtype=dtype) * inverse - shift * inverse)[None, :]
    own = jnp.arange(size, dtype=dtype)[:, None]
    return jnp.maximum(0.0, jnp.minimum(left + inverse, own + 1.0) - jnp.maximum(left, own))


def _weights(size: int, target: int, scale: Any, shift: Any, method: ResizeMethod, antialias: bool) -> Any:
    """(size, target): of which pixels of the image those of the result are made."""
    dtype = jnp.result_type(scale, shift)
    inverse = 1.0 / scale
    centres = (jnp.arange(target, dtype=dtype) + 0.5) * inverse - shift * inverse - 0.5
    repeated = method is ResizeMethod.CUBIC_PYTORCH
    if method is ResizeMethod.AREA:
        weights = _overlaps(size, target, inverse, shift, dtype)
    else:
        edge = _REPEATED if repeated else 0
        places = jnp.arange(-edge, size + edge, dtype=dtype)
        distances = jnp.abs(centres[None, :] - places[:, None])
        # smaller images are filtered too: the kernel is as wide as their pixels
        weights = _KERNELS[method](distances / (jnp.maximum(inverse, 1.0) if antialias else 1.0))
    if repeated:
        rows = jnp.clip(jnp.arange(-_REPEATED, size + _REPEATED), 0, size - 1)
        weights = jnp.zeros((size, target), dtype).at[rows].add(weights)
    total = jnp.sum(weights, axis=0, keepdims=True)
    weights = jnp.where(jnp.abs(total) > _NEGLIGIBLE, weights / jnp.where(total != 0, total, 1), 0)
    if repeated:
        return weights
    inside = (centres >= -0.5) & (centres <= size - 0.5)
    return jnp.where(inside[None, :], weights, 0)


def _resampled(
    x: Value,
    shape: Sequence[int],
    dims: Sequence[int],
    scale: Any,
    shift: Any,
    method: ResizeMethod,
    antialias: bool,
    precision: Any,
) -> Any:
    if method is ResizeMethod.CUBIC_PYTORCH and antialias:
        method = ResizeMethod.CUBIC
    rank, factors, out = x.ndim, [], list(range(x.ndim))
    for k, d in enumerate(dims):
        place = normal_axis(d, rank)
        weights = _weights(x.shape[place], shape[place], scale[k], shift[k], method, antialias)
        factors += [weights.astype(x.dtype), [place, rank + k]]
        out[place] = rank + k
    return jnp.einsum(x, list(range(rank)), *factors, out, precision=precision) if factors else x


def _method(method: str | ResizeMethod) -> ResizeMethod:
    return ResizeMethod.from_string(method) if isinstance(method, str) else ResizeMethod(method)


def _check_rank(x: Value, shape: Sequence[int]) -> None:
    if len(shape) != x.ndim:
        raise ValueError(f"shape must have length equal to the number of dimensions of x;  {tuple(shape)} vs {x.shape}")


def _inexact(x: Value) -> Value:
    return convert(x, to_inexact_dtype(x.dtype), x.aval.weak_type)


# ---- images --------------------------------------------------------------------------------------------------


@library
def resize(
    image: Any,
    shape: Sequence[int],
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = Precision.HIGHEST,
) -> Any:
    """An image of another size.

    Args:
      image: an array of n dimensions.
      shape: n sizes; dimensions whose size stays (batches, channels) are left alone.
      method: a `ResizeMethod`, or its name: "nearest", "linear", "cubic", "cubic-pytorch", "lanczos3", "lanczos5", "area",
        and synonyms.
      antialias: whether smaller images are filtered so that no patterns arise.
      precision: of the products.

    Returns:
      An array of that shape, of the image's dtype for "nearest", else of a floating-point or complex one.

    Raises:
      ValueError: an unknown method; a shape of another length.

    Example:
      >>> resize(jnp.arange(3.0), (6,), "linear")
      Array([0.  , 0.25, 0.75, 1.25, 1.75, 2.  ], dtype=float32)
    """
    x, sizes = value_of(image, "resize"), integers(shape if np.ndim(shape) else (shape,))
    _check_rank(x, sizes)
    chosen = _method(method)
    dims = [d for d, (n, m) in enumerate(zip(sizes, x.shape)) if n != m]
    if chosen is ResizeMethod.NEAREST:
        return _nearest(x, sizes, dims)
    scale = [sizes[d] / x.shape[d] if sizes[d] else 1.0 for d in dims]
    return _resampled(_inexact(x), sizes, dims, scale, [0.0] * len(dims), chosen, antialias, precision)


def _nearest(x: Any, shape: Sequence[int], dims: Sequence[int]) -> Any:
    for d in dims:
        places = (jnp.arange(shape[d], dtype=np.float32) + 0.5) * x.shape[d] / shape[d]
        x = jnp.take(x, jnp.floor(places).astype(np.int32), axis=d)
    return x


@library
def scale_and_translate(
    image: Any,
    shape: Sequence[int],
    spatial_dims: Sequence[int],
    scale: Any,
    translation: Any,
    method: str | ResizeMethod,
    antialias: bool = True,
    precision: Any = Precision.HIGHEST,
) -> Any:
    """An image scaled and moved: what is at x of it comes to `x * scale + translation`, pixel i reaching from i to i + 1.

    Args:
      image: an array of n dimensions.
      shape: n sizes of the result.
      spatial_dims: k dimensions.
      scale, translation: k numbers each, by which there are derivatives.
      method, antialias, precision: as for `resize`, but for "nearest".

    Returns:
      An array of that shape; pixels from outside of the image are zero.

    Raises:
      ValueError: an unknown method, or "nearest"; a shape of another length.

    Example:
      >>> scale_and_translate(jnp.arange(4.0), (4,), (0,), jnp.ones(1), jnp.array([1.0]), "linear")
      Array([0., 0., 1., 2.], dtype=float32)
    """
    x, sizes = value_of(image, "scale_and_translate"), integers(shape)
    _check_rank(x, sizes)
    chosen = _method(method)
    if chosen is ResizeMethod.NEAREST:
        raise ValueError("Nearest neighbor resampling is not currently supported for scale_and_translate.")
    factors, shifts = values_of("scale_and_translate", scale, translation)
    dtype = to_inexact_dtype(jnp.result_type(factors, shifts))
    factors, shifts = (convert(v, dtype) for v in (factors, shifts))
    dims = integers(spatial_dims)
    return _resampled(_inexact(x), sizes, dims, factors, shifts, chosen, antialias, precision)


__all__ = ["ResizeMethod", "resize", "scale_and_translate"]
