"""Discrete Fourier transforms, their frequencies, and shifts of these."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

from sable import _absent
from sable.core.array import Value
from sable.core.dtype_kinds import to_floating_dtype
from sable.core.dtypes import default_dtype
from sable.core.operands import array_argument, convert, dtype_argument, scalar
from sable.lax.fourier import FftType
from sable.lax.fourier import fft as lax_fft
from sable.library.declare import library

from .arrays import asarray
from .creation import arange
from .manipulation import moveaxis
from .padding import pad
from .rearrangement import roll, slice_axis
from .ufuncs import multiply, remainder, subtract, true_divide
from .ufuncs_float import conj

_absent.explain(__name__)

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]


# ---- any number of axes ------------------------------------------------------------------------------------------

_FFT, _IFFT, _RFFT, _IRFFT = FftType.FFT, FftType.IFFT, FftType.RFFT, FftType.IRFFT
#: axes of one transform, at most
_TOGETHER = 3


def _scale(name: str, norm: str, lengths: Sequence[int]) -> float:
    """What the transform is multiplied by, beyond the division by its size that inverse ones have already."""
    count = math.prod(lengths) or 1
    if norm not in ("backward", "ortho", "forward"):
        raise ValueError(f'Invalid norm value {norm}; should be "backward", "ortho" or "forward".')
    scale = {"backward": 1.0, "ortho": math.sqrt(count), "forward": float(count)}[norm]
    return scale if name.startswith("i") else 1 / scale


def _transform(name: str, kind: FftType, a: Any, s: Any, axes: Any, norm: str | None) -> Value:
    """The transform along these axes (None: the last ones, or all), cut or filled with zeros to the sizes `s`."""
    full_name = f"jax.numpy.fft.{name}"
    x = array_argument(full_name, a)
    ndim = x.aval.ndim
    if s is not None:
        s = tuple(map(operator.index, s))
        if any(n <= 0 for n in s):
            raise ValueError("Shape should be positive.")
        if axes is not None and len(s) != len(axes):
            raise ValueError("Shape and axes have different lengths.")
    given = tuple(range(ndim - (ndim if s is None else len(s)), ndim) if axes is None else axes)
    if len(given) != len(set(given)):
        raise ValueError(f"{full_name} does not support repeated axes. Got axes {axes}.")
    last = tuple(range(ndim - len(given), ndim))
    if axes is not None:
        x = moveaxis(x, given, last)
    if s is not None:
        x = _sized(x, last, (*s[:-1], s[-1] // 2 + 1) if kind is _IRFFT and s else s)
    lengths = tuple(x.aval.shape[i] for i in last) if s is None else s
    if s is None and kind is _IRFFT and lengths:
        lengths = (*lengths[:-1], max(0, 2 * (lengths[-1] - 1)))
    made = _along_last(x, kind, lengths)
    if norm is not None:
        made = multiply(made, scalar(_scale(name, norm, lengths), made.aval.dtype))
    return made if axes is None else moveaxis(made, last, given)


def _sized(x: Value, axes: Sequence[int], sizes: Sequence[int]) -> Value:
    """x cut, or filled with zeros, to these sizes along axes."""
    for axis, size in zip(axes, sizes):
        have = x.aval.shape[axis]
        if have > size:
            x = slice_axis(x, axis, 0, size)
        elif have < size:
            x = pad(x, [(0, size - have if i == axis % x.aval.ndim else 0) for i in range(x.aval.ndim)])
    return x


def _along_last(x: Value, kind: FftType, lengths: Sequence[int]) -> Value:
    """Three axes at a time: of real signals the last ones first, of half spectra last."""
    if len(lengths) <= _TOGETHER:
        return lax_fft(x, kind, lengths)
    ndim = x.aval.ndim
    first = tuple(range(ndim - len(lengths), ndim - _TOGETHER))
    behind = tuple(range(ndim - len(first), ndim))
    rest, inner = lengths[:-_TOGETHER], lengths[-_TOGETHER:]
    if kind in (_FFT, _RFFT):
        x = lax_fft(x, kind, inner)
        return moveaxis(_along_last(moveaxis(x, first, behind), _FFT, rest), behind, first)
    x = moveaxis(_along_last(moveaxis(x, first, behind), _IFFT, rest), behind, first)
    return lax_fft(x, kind, inner)


@library
def fftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """The discrete Fourier transform of an array along several axes.

    Args:
      a: array; real numbers are converted to complex ones.
      s: sizes along the axes, to which the array is cut or filled with zeros.
      axes: of the transform; None: the last `len(s)` ones, or all.
      norm: "backward" (as None; the inverse transform is divided by the number of elements), "forward" (this one is) or
        "ortho" (each is divided by its root).

    Returns:
      Complex numbers, in the shape of a but for `s`.

    Raises:
      ValueError: sizes that are not positive, or not as many as axes; repeated axes, or such as there are none; another
        `norm`.

    Example:
      >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
      >>> jnp.fft.fftn(x).real, jnp.fft.fftn(x, axes=(0,)).real
      (Array([[10., -2.],
             [-4.,  0.]], dtype=float32), Array([[ 4.,  6.],
             [-2., -2.]], dtype=float32))
    """
    return _transform("fftn", _FFT, a, s, axes, norm)


@library
def ifftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """The inverse of `fftn`.

    Args:
      a, s, axes, norm: as of `fftn`, result and errors too.

    Example:
      >>> x = jnp.array([[1.0, 2.0], [3.0, 4.0]])
      >>> jnp.fft.ifftn(jnp.fft.fftn(x)).real
      Array([[1., 2.],
             [3., 4.]], dtype=float32)
    """
    return _transform("ifftn", _IFFT, a, s, axes, norm)


@library
def rfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """`fftn` of real numbers: the numbers up to n // 2 along the last of the axes, since the others are conjugate to these.

    Args:
      a: array of f32 or f64; integers are converted.
      s, axes, norm: as of `fftn`.

    Raises:
      ValueError: as of `fftn`; complex numbers, half precision, an empty axis.

    Example:
      >>> jnp.fft.rfftn(jnp.ones((3, 4))).shape
      (3, 3)
    """
    return _transform("rfftn", _RFFT, a, s, axes, norm)


@library
def irfftn(a: Any, s: Any = None, axes: Any = None, norm: str | None = None) -> Value:
    """The inverse of `rfftn`: real numbers.

    Args:
      a: array, converted to complex numbers: of the last of the axes the first half.
      s: sizes of the result along the axes; None: those of a, of the last one n the even number 2 (n - 1).
      axes, norm, errors: as of `fftn`.

    Example:
      >>> x = jnp.ones((2, 3))
      >>> jnp.fft.irfftn(jnp.fft.rfftn(x)).shape, jnp.fft.irfftn(jnp.fft.rfftn(x), s=x.shape).shape
      ((2, 2), (2, 3))
    """
    return _transform("irfftn", _IRFFT, a, s, axes, norm)


# ---- one axis ----------------------------------------------------------------------------------------------------


def _check_axis(name: str, axis: Any) -> None:
    if isinstance(axis, (list, tuple)):
        full_name = f"jax.numpy.fft.{name}"
        raise ValueError(f"{full_name} does not support multiple axes. Please use {full_name}n. Got axis = {axis!r}.")


def _transform_1d(name: str, kind: FftType, a: Any, n: Any, axis: Any, norm: str | None) -> Value:
    _check_axis(name, axis)
    return _transform(name, kind, a, None if n is None else [n], None if axis is None else [axis], norm)


@library
def fft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The discrete Fourier transform sum_j a_j exp(-2 pi i j k / n) along an axis.

    Args:
      a: array; real numbers are converted to complex ones.
      n: the size to which the axis is cut or filled with zeros; None: as it is.
      axis: of the transform.
      norm: "backward", "forward" or "ortho", as of `fftn`.

    Returns:
      Complex numbers, in the shape of a but for n.

    Raises:
      ValueError: n is not positive; several axes, or one that there is not; another `norm`.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.fft.fft(jnp.array([1.0, 0.0, 0.0])).real
      Array([1., 1., 1.], dtype=float32)
    """
    return _transform_1d("fft", _FFT, a, n, axis, norm)


@library
def ifft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The inverse of `fft`.

    Args:
      a, n, axis, norm: as of `fft`, result and errors too.

    Example:
      >>> jnp.fft.ifft(jnp.fft.fft(jnp.array([1.0, 2.0]))).real
      Array([1., 2.], dtype=float32)
      >>> jnp.fft.ifft(jnp.array([4.0, 0.0])).real, jnp.fft.ifft(jnp.array([4.0, 0.0]), norm="forward").real
      (Array([2., 2.], dtype=float32), Array([4., 4.], dtype=float32))
    """
    return _transform_1d("ifft", _IFFT, a, n, axis, norm)


@library
def rfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """`fft` of real numbers: those up to n // 2, since the others are conjugate to these.

    Args:
      a: array of f32 or f64; integers are converted.
      n, axis, norm: as of `fft`.

    Raises:
      ValueError: as of `fft`; complex numbers, half precision, an empty axis.

    Example:
      >>> jnp.fft.rfft(jnp.array([1.0, 0.0, 0.0, 0.0])).real, jnp.fft.fft(jnp.ones(4)).shape
      (Array([1., 1., 1.], dtype=float32), (4,))
    """
    return _transform_1d("rfft", _RFFT, a, n, axis, norm)


@library
def irfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The inverse of `rfft`: real numbers.

    Args:
      a: array, converted to complex numbers: the first half of a spectrum.
      n: the size of the result along the axis; None: twice that of a but one.
      axis, norm, errors: as of `fft`.

    Example:
      >>> x = jnp.ones(3)
      >>> jnp.fft.irfft(jnp.fft.rfft(x)).shape, jnp.fft.irfft(jnp.fft.rfft(x), n=3).shape  # odd sizes must be given
      ((2,), (3,))
    """
    return _transform_1d("irfft", _IRFFT, a, n, axis, norm)


@library
def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The transform of a signal whose second half is conjugate to the first: a real spectrum.

    Args:
      a: array: the first half of the signal.
      n: the size of the result along the axis; None: twice that of a but one.
      axis, norm, errors: as of `fft`.

    Example:
      >>> jnp.fft.hfft(jnp.array([1.0, 0.0, 0.0]))
      Array([1., 1., 1., 1.], dtype=float32)
    """
    _check_axis("hfft", axis)
    x = conj(array_argument("conj", a))
    count = (x.aval.shape[axis] - 1) * 2 if n is None else n
    return multiply(_transform_1d("hfft", _IRFFT, x, n, axis, norm), count)


@library
def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Value:
    """The inverse of `hfft`: half a signal of a real spectrum.

    Args:
      a: array of f32 or f64; integers are converted.
      n, axis, norm: as of `fft`; errors as of `rfft`.

    Example:
      >>> jnp.fft.ihfft(jnp.ones(4)).real
      Array([1., 0., 0.], dtype=float32)
    """
    _check_axis("ihfft", axis)
    x = asarray(a)
    count = x.aval.shape[axis] if n is None else n
    return multiply(conj(_transform_1d("ihfft", _RFFT, x, n, axis, norm)), 1 / count)


# ---- two axes ----------------------------------------------------------------------------------------------------


def _transform_2d(name: str, kind: FftType, a: Any, s: Any, axes: Any, norm: str | None) -> Value:
    if len(axes) != 2:
        raise ValueError(f"jax.numpy.fft.{name} only supports 2 axes. Got axes = {axes!r}.")
    return _transform(name, kind, a, s, axes, norm)


@library
def fft2(a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Value:
    """`fftn` along two axes.

    Args:
      a, s, norm: as of `fftn`.
      axes: the two axes.

    Raises:
      ValueError: another number of axes; and as of `fftn`.

    Example:
      >>> jnp.fft.fft2(jnp.ones((3, 2, 2))).real[0]
      Array([[4., 0.],
             [0., 0.]], dtype=float32)
    """
    return _transform_2d("fft2", _FFT, a, s, axes, norm)


@library
def ifft2(a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Value:
    """`ifftn` along two axes.

    Args:
      a, s, axes, norm: as of `fft2`, errors too.

    Example:
      >>> jnp.fft.ifft2(jnp.fft.fft2(jnp.array([[1.0, 2.0], [3.0, 4.0]]))).real
      Array([[1., 2.],
             [3., 4.]], dtype=float32)
    """
    return _transform_2d("ifft2", _IFFT, a, s, axes, norm)


@library
def rfft2(a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Value:
    """`rfftn` along two axes.

    Args:
      a, s, norm: as of `rfftn`.
      axes: the two axes; the last one has half of the numbers.

    Raises:
      ValueError: another number of axes; and as of `rfftn`.

    Example:
      >>> jnp.fft.rfft2(jnp.ones((2, 4))).shape
      (2, 3)
    """
    return _transform_2d("rfft2", _RFFT, a, s, axes, norm)


@library
def irfft2(a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Value:
    """`irfftn` along two axes.

    Args:
      a, s, norm: as of `irfftn`.
      axes: the two axes.

    Raises:
      ValueError: another number of axes; and as of `irfftn`.

    Example:
      >>> jnp.fft.irfft2(jnp.fft.rfft2(jnp.array([[1.0, 2.0], [3.0, 4.0]])))
      Array([[1., 2.],
             [3., 4.]], dtype=float32)
    """
    return _transform_2d("irfft2", _IRFFT, a, s, axes, norm)


# ---- frequencies -------------------------------------------------------------------------------------------------


def _check_numbers(name: str, n: Any, d: Any) -> None:
    for what, x, wanted in (("n", n, "an int"), ("d", d, "a single value")):
        if isinstance(x, (list, tuple)):
            raise ValueError(
                f"The {what} argument of jax.numpy.fft.{name} only takes {wanted}. Got {what} = {list(x)}."
            )


@library
def fftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Value:
    """The frequencies of the numbers of `fft`: 0, 1, ... and then the negative ones up to -1, divided by n d.

    Args:
      n: number of samples.
      d: distance between two samples; a scalar.
      dtype: None: the default floating dtype.
      device: on which the result is.

    Raises:
      ValueError: n or d is a sequence. ConcretizationTypeError: n is traced.

    Example:
      >>> jnp.fft.fftfreq(4), jnp.fft.fftfreq(4, d=0.25)
      (Array([ 0.  ,  0.25, -0.5 , -0.25], dtype=float32), Array([ 0.,  1., -2., -1.], dtype=float32))
    """
    _check_numbers("fftfreq", n, d)
    wanted = dtype_argument(dtype, "fftfreq") or default_dtype("f")
    kind = to_floating_dtype(wanted)
    half = n // 2
    k = subtract(remainder(arange(n, dtype=kind, device=device) + half, n), half)
    return convert(true_divide(k, asarray(d * n, dtype=kind)), wanted)


@library
def rfftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Value:
    """The frequencies of the numbers of `rfft`: 0, 1, ... n // 2, divided by n d; arguments and errors as of `fftfreq`.

    Example:
      >>> jnp.fft.rfftfreq(4, d=0.25)
      Array([0., 1., 2.], dtype=float32)
    """
    _check_numbers("rfftfreq", n, d)
    wanted = dtype_argument(dtype, "rfftfreq") or default_dtype("f")
    k = arange(n // 2 + 1, dtype=wanted, device=device)
    return true_divide(k, asarray(d * n, dtype=wanted))


# ---- shifts ------------------------------------------------------------------------------------------------------


def _half_shifts(x: Value, axes: Any, sign: int) -> Value:
    shape = x.aval.shape
    places = range(len(shape)) if axes is None else (axes,) if isinstance(axes, int) else axes
    return roll(x, [sign * (shape[i] // 2) for i in places], tuple(places))


@library(moves=("x",))
def fftshift(x: Any, axes: Any = None) -> Value:
    """The elements rotated by half along axes, which puts frequency zero into the middle.

    Args:
      x: array.
      axes: an axis or several; None: all.

    Raises:
      IndexError: there is no such axis.

    Example:
      >>> jnp.fft.fftshift(jnp.fft.fftfreq(4, d=0.25))
      Array([-2., -1.,  0.,  1.], dtype=float32)
    """
    return _half_shifts(array_argument("fftshift", x), axes, 1)


@library(moves=("x",))
def ifftshift(x: Any, axes: Any = None) -> Value:
    """The inverse of `fftshift`.

    Args:
      x, axes: as of `fftshift`, errors too.

    Example:
      >>> x = jnp.arange(5)
      >>> jnp.fft.fftshift(x), jnp.fft.ifftshift(x), jnp.fft.ifftshift(jnp.fft.fftshift(x))
      (Array([3, 4, 0, 1, 2], dtype=int32), Array([2, 3, 4, 0, 1], dtype=int32), Array([0, 1, 2, 3, 4], dtype=int32))
    """
    return _half_shifts(array_argument("ifftshift", x), axes, -1)
