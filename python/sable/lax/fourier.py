"""Fourier transforms: `lax.fft`."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import to_complex_dtype, to_inexact_dtype
from sable.core.operands import convert, integers, value_of
from sable.library.declare import library

__all__ = ["FftType", "fft"]


class FftType(enum.IntEnum):
    """Kinds of Fourier transforms: of complex numbers, of real ones to half a spectrum, and their inverses.

    Example:
      >>> lax.fft(jnp.array([1., 0., 0., 0.]), lax.FftType.RFFT, (4,)).real
      Array([1., 1., 1.], dtype=float32)
    """

    FFT = 0
    IFFT = 1
    RFFT = 2
    IRFFT = 3


def _kind(fft_type: Any) -> FftType:
    if isinstance(fft_type, FftType):
        return fft_type
    if not isinstance(fft_type, str):
        raise TypeError(f"Unknown FFT type value '{fft_type}'")
    if fft_type not in (*FftType.__members__, *map(str.lower, FftType.__members__)):
        raise ValueError(f"Unknown FFT type '{fft_type}'")
    return FftType[fft_type.upper()]


@library
def fft(x: Any, fft_type: Any, fft_lengths: Sequence[int]) -> Value:
    """The discrete Fourier transform along the last one to three axes.

    Args:
      x: (..., lengths): real for RFFT, else converted to complex numbers; for IRFFT the last axis holds the first
        n // 2 + 1 numbers of a spectrum of length n whose second half is conjugate to the first.
      fft_type: a `FftType`, or its name.
      fft_lengths: of the axes of the signal, none of them changes anything but the dtype.

    Returns:
      Complex numbers in the shape of x, the last axis of size n // 2 + 1 for RFFT; for IRFFT real numbers, the last axis of
      size n. Inverse transforms are divided by the product of the lengths.

    Raises:
      TypeError: `fft_type` is neither.
      ValueError: an unknown name; complex numbers or half precision for RFFT; shapes that do not fit; more than three axes.

    Example:
      >>> lax.fft(jnp.array([1., 2., 3., 4.]), "FFT", (4,)).real
      Array([10., -2., -2., -2.], dtype=float32)
      >>> lax.fft(jnp.array([1., 2., 3., 4.]), "rfft", (4,)).shape
      (3,)
    """
    kind = _kind(fft_type)
    value = value_of(x, "fft")
    dtype = value.aval.dtype
    if kind is FftType.RFFT and dtype.kind == "c":
        raise ValueError("only real valued inputs supported for rfft")
    value = convert(value, to_inexact_dtype(dtype) if kind is FftType.RFFT else to_complex_dtype(dtype))
    lengths = integers(fft_lengths)
    return BIND.fft(value, fft_type=kind.name, fft_length=lengths) if lengths else value
