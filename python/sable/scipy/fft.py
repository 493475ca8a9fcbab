"""`jax.scipy.fft`: cosine transforms of the second type."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import sable.numpy as jnp
from sable import _absent, lax
from sable.core.array import Value
from sable.core.operands import array_argument, convert, kind, normal_axes, normal_axis, promote_dtypes
from sable.library.declare import library

_absent.explain(__name__)

__all__ = ["dct", "dctn", "idct", "idctn"]


def _check(name: str, type: Any, norm: Any) -> None:
    if type != 2:
        raise NotImplementedError("Only DCT type 2 is implemented.")
    if norm not in (None, "backward", "ortho"):
        raise ValueError(f"jax.scipy.fft.{name}: norm={norm!r} is not implemented")


def _by_parts(function: Callable[[Value], Value], x: Value) -> Value:
    """A linear function of real numbers on complex ones."""
    return lax.complex(function(jnp.real(x)), function(jnp.imag(x))) if kind(x) == "c" else function(x)


def _sized(x: Value, axes: Sequence[int], sizes: Sequence[int]) -> Value:
    """x cut, or filled with zeros, to these sizes along axes."""
    wanted = dict(zip(axes, map(operator.index, sizes)))
    ends = [(0, wanted.get(i, size) - size, 0) for i, size in enumerate(x.aval.shape)]
    return lax.pad(x, jnp.zeros((), x.aval.dtype), ends)


def _along(x: Value, axis: int, vector: Any) -> Value:
    """A vector laid along an axis of x."""
    return jnp.reshape(vector, [-1 if i == axis else 1 for i in range(x.aval.ndim)])


def _scaled(x: Value, axis: int) -> Value:
    """x divided by what makes the transform orthogonal."""
    n = x.aval.shape[axis]
    factor = jnp.where(jnp.arange(n) == 0, 4, 2).astype(x.aval.dtype) * n
    return x / _along(x, axis, jnp.sqrt(factor))


def _turn(n: int, dtype: Any) -> tuple[Value, Value]:
    """Cosine and sine of pi k / (2 n)."""
    angle = jnp.arange(n, dtype=dtype) * (math.pi / (2 * n))
    return jnp.cos(angle), jnp.sin(angle)


def _forward(x: Value, axis: int, norm: str | None) -> Value:
    """By one Fourier transform of the even elements, and the odd ones from behind.

    J. Makhoul, "A fast cosine transform in one and two dimensions", 1980.
    """
    n = x.aval.shape[axis]
    even = lax.slice_in_dim(x, 0, None, 2, axis)
    odd = lax.slice_in_dim(x, 1, None, 2, axis) if n > 1 else lax.slice_in_dim(x, 0, 0, 1, axis)
    z = jnp.fft.fft(lax.concatenate([even, jnp.flip(odd, axis)], axis), axis=axis)
    re, im = jnp.real(z), jnp.imag(z)
    cos, sin = (_along(x, axis, each) for each in _turn(n, re.aval.dtype))
    made = 2 * (re * cos + im * sin)
    return _scaled(made, axis) if norm == "ortho" else made


def _backward(x: Value, axis: int, norm: str | None) -> Value:
    n = x.aval.shape[axis]
    x = _scaled(x, axis)
    if norm != "ortho":
        x = _scaled(x, axis)
    real = jnp.float64 if x.aval.dtype == jnp.float64 else jnp.float32
    x = convert(x, jnp.dtype(real)) * (2 * n)
    cos, sin = (_along(x, axis, each) for each in _turn(n, real))
    z = jnp.real(jnp.fft.ifft(lax.complex(x * cos, x * sin), axis=axis))
    return _interleaved(z, axis, n)


def _interleaved(x: Value, axis: int, n: int) -> Value:
    """The first half, and from behind the second one between its elements."""
    half = -(-n // 2)
    even, odd = lax.slice_in_dim(x, 0, half, 1, axis), jnp.flip(lax.slice_in_dim(x, half, n, 1, axis), axis)
    pairs = jnp.stack([even, _sized(odd, (axis,), (half,))], axis + 1)
    shape = x.aval.shape
    return lax.slice_in_dim(jnp.reshape(pairs, (*shape[:axis], 2 * half, *shape[axis + 1 :])), 0, n, 1, axis)


def _sizes(s: Any, ndim: int) -> list[int] | None:
    if s is None:
        return None
    found = [operator.index(n) for n in s] if hasattr(s, "__iter__") else [operator.index(s)]
    if len(found) > ndim:
        raise ValueError(f"s must have at most x.ndim ({ndim}) elements, got {len(found)}")
    return found


def _many(name: str, one: Callable, x: Any, s: Any, axes: Any, norm: str | None) -> Value:
    """The transform along one axis after the other."""
    value = array_argument(name, x)
    ndim = value.aval.ndim
    sizes = _sizes(s, ndim)
    if axes is None and sizes is not None:
        axes = tuple(range(ndim - len(sizes), ndim))
    places = normal_axes(axes, ndim)

    def transform(part: Value) -> Value:
        part = part if sizes is None else _sized(part, places, sizes)
        for axis in places:
            part = one(part, axis, norm)
        return part

    return _by_parts(transform, value)


@library
def dct(x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The cosine transform 2 sum_j x_j cos(pi k (2 j + 1) / (2 n)) along an axis.

    Args:
      x: array; the parts of complex numbers are transformed each by itself.
      type: 2, the only one there is.
      n: the size to which the axis is cut or filled with zeros; None: as it is.
      axis: of the transform.
      norm: None, "backward", or "ortho", with which the matrix of the transform is orthogonal.

    Returns:
      f32 or f64 (complex numbers of these for complex numbers), in the shape of x but for n.

    Raises:
      NotImplementedError: another type. ValueError: another `norm`, or there is no such axis.

    Example:
      >>> jax.scipy.fft.dct(jnp.arange(4.0)).round(4)
      Array([12.    , -6.3086,  0.    , -0.4483], dtype=float32)
    """
    _check("dct", type, norm)
    value = array_argument("dct", x)
    place = normal_axis(axis, value.aval.ndim)
    value = value if n is None else _sized(value, (place,), (n,))
    return _by_parts(lambda part: _forward(part, place, norm), value)


@library
def idct(x: Any, type: int = 2, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The inverse of `dct`; arguments, result and errors as there.

    Args:
      x, type, n, axis, norm: as of `dct`.

    Example:
      >>> jax.scipy.fft.idct(jax.scipy.fft.dct(jnp.arange(4.0))).round(4)
      Array([0., 1., 2., 3.], dtype=float32)
    """
    _check("idct", type, norm)
    (value,) = promote_dtypes([array_argument("idct", x)], "inexact")
    place = normal_axis(axis, value.aval.ndim)
    value = value if n is None else _sized(value, (place,), (n,))
    return _by_parts(lambda part: _backward(part, place, norm), value)


@library
def dctn(x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """`dct` along several axes.

    Args:
      x, type, norm: as of `dct`.
      s: sizes along the axes, to which the array is cut or filled with zeros.
      axes: of the transform; None: the last `len(s)` ones, or all.

    Raises:
      NotImplementedError, ValueError: as of `dct`; more sizes than the array has axes.

    Example:
      >>> jax.scipy.fft.dctn(jnp.ones((2, 3)), norm="ortho").round(4)
      Array([[2.4495, 0.    , 0.    ],
             [0.    , 0.    , 0.    ]], dtype=float32)
    """
    _check("dctn", type, norm)
    return _many("dctn", _forward, x, s, axes, norm)


@library
def idctn(x: Any, type: int = 2, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """The inverse of `dctn`; arguments and errors as there.

    Args:
      x, type, s, axes, norm: as of `dctn`.

    Example:
      >>> jax.scipy.fft.idctn(jax.scipy.fft.dctn(jnp.ones((2, 2)))).round(4)
      Array([[1., 1.],
             [1., 1.]], dtype=float32)
    """
    _check("idctn", type, norm)
    (value,) = promote_dtypes([array_argument("idctn", x)], "inexact")
    return _many("idctn", _backward, value, s, axes, norm)
