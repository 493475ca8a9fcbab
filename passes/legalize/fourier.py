"""Fourier transforms along several axes, on CPUs where programs may call kernels: one call for each axis, cut for all cores.

One call for all axes is cut by the batch alone, which is often one.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.dialects.ops.fft import PIECE
from sable.ir.native import NativeKernel, pieces_of_batch
from sable.ir.op import OPS

from .rules import legalize

#: Pieces of the batch that are enough for all cores.
_ENOUGH = 16
#: Columns of a piece, at least.
_COLUMNS = 8


def _sizes(fft_type: str, length: int, inner: int) -> tuple[int, int]:
    return length, inner


_ALONG_COLUMNS = NativeKernel(
    "sable_fft_columns_{fft_type}", (0,), (0,), (np.dtype(np.complex64), np.dtype(np.complex128)), options=_sizes
)


@legalize("fft", "cpu")
def fft(b: Any, x: Any, fft_type: str, fft_length: tuple[int, ...]) -> Any:
    """Along the last axis, then along the one before it, and so on; real results of spectra in the opposite order."""
    a = b.aval(x)
    op = OPS["fft"]
    few = pieces_of_batch(a, len(fft_length), PIECE) < _ENOUGH
    if not (b.native and few and len(fft_length) > 1 and a.size > PIECE and math.prod(fft_length)):
        return NotImplemented
    last = {"fft_type": fft_type, "fft_length": fft_length[-1:]}
    if fft_type == "IRFFT":
        return b.bind(op, _along_others(b, x, "IFFT", fft_length[:-1]), **last)
    return _along_others(b, b.bind(op, x, **last), "IFFT" if fft_type == "IFFT" else "FFT", fft_length[:-1])


def _along_others(b: Any, x: Any, fft_type: str, lengths: tuple[int, ...]) -> Any:
    """Along the axes of these lengths, which stand before the last one: that of them first that is next to it."""
    a = b.aval(x)
    inner = a.shape[-1]
    for length in reversed(lengths):
        pieces = max(1, min(inner // _COLUMNS, a.size // PIECE))
        sizes = {"fft_type": fft_type, "length": length, "inner": inner}
        work = math.ceil(5 * a.size * math.log2(max(length, 2)))
        (x,) = b.call_native(_ALONG_COLUMNS, (x,), (a,), sizes, work, pieces)
        inner *= length
    return x
