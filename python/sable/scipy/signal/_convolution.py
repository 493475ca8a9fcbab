"""Convolutions and correlations of arrays of any dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.operands import array_argument, array_arguments, kind, normal_axes, promote_dtypes
from sable.library.declare import library

_MODES = ("full", "same", "valid")


def _check_mode(mode: Any) -> None:
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {list(_MODES)}")


def _reversed(x: Value) -> Value:
    return lax.rev(x, range(x.ndim))


def _fits(inner: Sequence[int], outer: Sequence[int]) -> bool:
    return all(n <= m for n, m in zip(inner, outer))


def _direct(x: Value, y: Value, mode: str, precision: Any) -> Value:
    _check_mode(mode)
    if x.ndim != y.ndim:
        raise ValueError("in1 and in2 must have the same number of dimensions")
    if not x.size or not y.size:
        raise ValueError(f"zero-size arrays not supported in convolutions, got shapes {x.shape} and {y.shape}.")
    x, y = promote_dtypes([x, y], "inexact")
    second = y.shape
    if _fits(x.shape, y.shape):
        x, y = y, x
    elif not _fits(y.shape, x.shape):
        raise ValueError("One input must be smaller than the other in every dimension.")
    paddings = {
        "valid": [(0, 0) for _ in y.shape],
        # the middle of the full convolution, as large as the first argument, be that the smaller one or not
        "same": [(n - 1 - (m - 1) // 2, n - m + (m - 1) // 2) for n, m in zip(y.shape, second)],
        "full": [(n - 1, n - 1) for n in y.shape],
    }
    window = (1,) * y.ndim
    return lax.conv_general_dilated(
        x[None, None], _reversed(y)[None, None], window, paddings[mode], precision=precision
    )[0, 0]


def _by_spectra(x: Value, y: Value, mode: str, axes: Sequence[int]) -> Value:
    """The product of Fourier transforms along axes; other axes go side by side."""
    shapes = [tuple(v.shape[axis] for axis in axes) for v in (x, y)]
    if mode == "valid":
        if _fits(*shapes):
            x, y, shapes = y, x, shapes[::-1]
        elif not _fits(*shapes[::-1]):
            raise ValueError("For 'valid' mode, One input must be at least as large as the other in every dimension.")
    full = [n + m - 1 for n, m in zip(*shapes)]
    if all(1 in pair for pair in zip(*shapes)):
        made = x * y
    else:
        forward, back = (jnp.fft.fftn, jnp.fft.ifftn) if kind(x) == "c" else (jnp.fft.rfftn, jnp.fft.irfftn)
        made = back(forward(x, full, axes) * forward(y, full, axes), full, axes)
    sizes = {"full": full, "same": shapes[0], "valid": [n - m + 1 for n, m in zip(*shapes)]}[mode]
    for axis, n, size in zip(axes, full, sizes):
        made = lax.slice_in_dim(made, (n - size) // 2, (n - size) // 2 + size, 1, axis)
    return made


@library
def fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Value:
    """The convolution of two arrays by Fourier transforms, for long ones.

    Args:
      in1, in2: arrays of n dimensions.
      mode: "full", all sums, N + M - 1 along each axis; "same", as many from the middle as in1 has elements; "valid", those
        in which the smaller array lies inside of the other.
      axes: along which to convolve; None: all. Along others the arrays have the same sizes.

    Returns:
      An array of floats or complex numbers.

    Raises:
      ValueError: other dimensions or sizes, another mode; with "valid", none of the arrays holds the other.

    Example:
      >>> jnp.round(fftconvolve(jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, -1.0])), 4)
      Array([ 1.,  1.,  1., -3.], dtype=float32)
    """
    x, y = promote_dtypes(array_arguments("fftconvolve", in1, in2), "inexact")
    if x.ndim != y.ndim:
        raise ValueError("in1 and in2 should have the same dimensionality")
    _check_mode(mode)
    places = normal_axes(axes, x.ndim)
    if any(n != m for i, (n, m) in enumerate(zip(x.shape, y.shape)) if i not in places):
        raise ValueError(f"mapped axes must have same shape; got in1.shape={x.shape} in2.shape={y.shape} {axes=}")
    return _by_spectra(x, y, mode, places)


@library
def convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None) -> Value:
    """The convolution of two arrays: sum_k in1[k] in2[i - k].

    Args:
      in1, in2: arrays of n dimensions, one of which is at least as large as the other along every axis.
      mode: "full", all sums, N + M - 1 along each axis; "same", as many from the middle as in1 has elements; "valid", those
        in which the smaller array lies inside of the other.
      method: "direct" or "auto", the sums themselves; "fft", see `fftconvolve`.
      precision: of the products, see `lax.conv_general_dilated`.

    Returns:
      An array of floats or complex numbers.

    Raises:
      ValueError: no such arrays, empty ones; another mode or method.

    Example:
      >>> convolve(jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, -1.0]), "same")
      Array([1., 1., 1.], dtype=float32)
    """
    if method == "fft":
        return fftconvolve(in1, in2, mode)
    if method not in ("direct", "auto"):
        raise ValueError(f"Got {method=}; expected 'auto', 'fft', or 'direct'.")
    return _direct(*array_arguments("convolve", in1, in2), mode, precision)


def _planes(name: str, in1: Any, in2: Any, boundary: str, fillvalue: Any) -> list[Value]:
    if boundary != "fill" or fillvalue != 0:
        raise NotImplementedError(f"{name}() only supports boundary='fill', fillvalue=0")
    values = array_arguments(name, in1, in2)
    if any(v.ndim != 2 for v in values):
        raise ValueError(f"{name}() only supports 2-dimensional inputs.")
    return values


@library
def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0, precision: Any = None
) -> Value:
    """`convolve` of two matrices.

    Args:
      in1, in2, mode, precision: as of `convolve`.
      boundary, fillvalue: "fill" and 0.

    Raises:
      NotImplementedError: another boundary. ValueError: no matrices; as of `convolve`.

    Example:
      >>> convolve2d(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[1.0, 1.0]]))
      Array([[1., 3., 2.],
             [3., 7., 4.]], dtype=float32)
    """
    return _direct(*_planes("convolve2d", in1, in2, boundary, fillvalue), mode, precision)


@library
def correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto", precision: Any = None) -> Value:
    """The correlation of two arrays: sum_k in1[k + i] conj(in2[k]); arguments, result and errors as of `convolve`.

    Example:
      >>> correlate(jnp.array([1.0, 2.0, 3.0]), jnp.array([1.0, -1.0]), "valid")
      Array([-1., -1.], dtype=float32)
    """
    return convolve(in1, _reversed(jnp.conj(array_argument("correlate", in2, 1))), mode, method, precision)


@library
def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0, precision: Any = None
) -> Value:
    """`correlate` of two matrices; arguments and errors as of `convolve2d`.

    Complex ones in mode "valid" of which the first is the smaller: the first one's conjugate is taken, as in SciPy.

    Example:
      >>> correlate2d(jnp.array([[1.0, 2.0], [3.0, 4.0]]), jnp.array([[0.0, 1.0]]), "valid")
      Array([[2.],
             [4.]], dtype=float32)
    """
    x, y = _planes("correlate2d", in1, in2, boundary, fillvalue)
    swapped = _fits(x.shape, y.shape) and (mode == "full" or (mode == "valid" and x.shape != y.shape))
    if not swapped:
        return _reversed(_direct(_reversed(x), jnp.conj(y), mode, precision))
    made = _direct(_reversed(y), jnp.conj(x), mode, precision)
    return jnp.conj(made) if mode == "full" else made
