"""Fourier transforms along the last axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INTS, enum
from sable.ir.native import NativeKernel, pieces_of_batch
from sable.ir.op import LINEAR, Shape, Traits, defop

from .fft_lowering import hermitian_weights, lower_fft
from .rules import floats, sample

#: Numbers of a piece for a core: some 100 us.
PIECE = 1 << 16
#: dtypes of results by those of operands
_COMPLEX = {np.dtype(r): np.dtype(c) for r, c in (("float32", "complex64"), ("float64", "complex128"))}
_REAL = {c: r for r, c in _COMPLEX.items()}


def _fft_type(x: Aval, fft_type: str, fft_length: tuple[int, ...]) -> Aval:
    n, rank = tuple(fft_length), len(fft_length)
    if not 1 <= rank <= 3:
        raise ValueError(f"FFT rank must be between 1 and 3, got fft_lengths {n}.")
    if rank > x.ndim:
        raise ValueError(f"FFT input shape {x.shape} must have at least as many input dimensions as fft_lengths {n}.")
    given, known = x.shape[-rank:], _REAL
    if fft_type == "IRFFT":
        fits = given[:-1] == n[:-1] and (given[-1] == n[-1] // 2 + 1 or (not given[-1] and not n[-1]))
        wanted = f"{n[:-1]}, then {n[-1]} // 2 + 1, for"
    else:
        fits, wanted = given == n, "equal to"
    if fft_type == "RFFT":
        known, accepted = _COMPLEX, "float32 or float64"
        fits = fits and n[-1] > 0
    else:
        accepted = "complex64 or complex128"
    name = fft_type if fft_type in ("RFFT", "IRFFT") else "FFT"
    if x.dtype not in known:
        raise ValueError(f"{name} input must be {accepted}, got {x.dtype.name}")
    if not fits:
        raise ValueError(f"{name} input shape {x.shape}: its minor dimensions must be {wanted} fft_lengths {n}")
    if fft_type == "RFFT":
        return aval((*x.shape[:-1], n[-1] // 2 + 1), _COMPLEX[x.dtype], x.weak_type)
    if fft_type == "IRFFT":
        return aval((*x.shape[:-1], n[-1]), _REAL[x.dtype], x.weak_type)
    return x


def _fft_ref(x: np.ndarray, fft_type: str, fft_length: tuple[int, ...]) -> np.ndarray:
    out = _fft_type(aval(x.shape, x.dtype), fft_type, fft_length)
    if not out.size or not x.size:
        return np.zeros(out.shape, out.dtype)
    transform = {"FFT": np.fft.fftn, "IFFT": np.fft.ifftn, "RFFT": np.fft.rfftn, "IRFFT": np.fft.irfftn}[fft_type]
    return transform(x, fft_length, range(x.ndim - len(fft_length), x.ndim)).astype(out.dtype, copy=False)


def _fft_transpose(b: Any, ct: Any, avals: Any, x: Any, fft_type: str, fft_length: tuple[int, ...]) -> Any:
    """The matrices of FFT and IFFT are symmetric; those of RFFT and IRFFT are each other's, transposed and weighted.

    With w_k how often a number of half a spectrum occurs in the whole one and N the product of the lengths,
    RFFT^T ct = N IRFFT(conj(ct) / w) and IRFFT^T ct = conj(w RFFT(ct)) / N.
    """
    if fft_type in ("FFT", "IFFT"):
        return b.fft(ct, fft_type=fft_type, fft_length=fft_length)
    count = math.prod(fft_length)
    weights = hermitian_weights(fft_length[-1])
    if fft_type == "RFFT":
        ct = _weighted(b, _conjugate(b, ct), count / weights)
        return b.fft(ct, fft_type="IRFFT", fft_length=fft_length)
    return _conjugate(b, _weighted(b, b.fft(ct, fft_type="RFFT", fft_length=fft_length), weights / count))


def _conjugate(b: Any, x: Any) -> Any:
    return b.complex(b.real(x), b.negate(b.imag(x)))


def _weighted(b: Any, x: Any, weights: np.ndarray) -> Any:
    """Complex numbers times real ones along the last axis."""
    a = b.aval(x)
    constant = b.literal(weights.astype(_REAL[a.dtype]))
    spread = b.broadcast_in_dim(constant, shape=a.shape, broadcast_dimensions=(a.ndim - 1,))
    return b.complex(b.multiply(b.real(x), spread), b.multiply(b.imag(x), spread))


def _fft_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, **params: Any) -> Any:
    return b.bind(op, operands[0], **params)


def _work(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """Some 5 n log2(n) operations for n complex numbers."""
    count = max(math.prod(operands[0]), math.prod(results[0]))
    length = math.prod(INTS.decode(attributes["fft_length"]))
    return math.ceil(5 * count * math.log2(max(length, 2)))


def _lengths(fft_type: str, fft_length: tuple[int, ...]) -> tuple[int, ...]:
    return (*[1] * (3 - len(fft_length)), *fft_length)


def _pieces(x: Aval, fft_type: str, fft_length: tuple[int, ...]) -> int:
    """Of whole transforms."""
    return pieces_of_batch(x, len(fft_length), PIECE)


def _fft_sample(kind: str, shape: tuple[int, ...], rank: int = 1, dtype: Any = np.float32, odd: int = 0, **more: Any):
    x = floats(shape, dtype=np.float64)
    if kind != "RFFT":
        x = x + 1j * floats(shape, dtype=np.float64, seed=1)
    lengths = list(shape[-rank:])
    if kind == "IRFFT":
        lengths[-1] = max(2 * (lengths[-1] - 1), 0) + odd
    dtype = dtype if kind == "RFFT" else _COMPLEX[np.dtype(dtype)]
    near = {"rtol": 1e-12, "atol": 1e-12} if np.dtype(dtype).name in ("float64", "complex128") else {"atol": 1e-5}
    return sample(x.astype(dtype), fft_type=kind, fft_length=tuple(lengths), **near, **more)


def _fft_samples() -> list:
    return [
        *[
            _fft_sample(kind, shape, rank, dtype)
            for kind in ("FFT", "IFFT", "RFFT", "IRFFT")
            for shape, rank, dtype in (((5,), 1, np.float32), ((2, 3, 4), 2, np.float64))
        ],
        _fft_sample("FFT", (3, 2, 3, 2), 3),
        _fft_sample("IRFFT", (3, 2, 3, 4), 3, odd=1),
        _fft_sample("RFFT", (2, 1)),
        _fft_sample("IRFFT", (2, 1), odd=1),
        _fft_sample("IRFFT", (2, 1), grad=False, why="empty"),
        _fft_sample("IFFT", (2, 0), grad=False, why="empty"),
        _fft_sample("RFFT", (0, 3), grad=False, why="empty"),
        _fft_sample("FFT", (67,), grad=False, why="a large prime"),
        _fft_sample("RFFT", (2, 96), grad=False, why="two stages"),
        _fft_sample("IRFFT", (2, 49), grad=False, why="two stages"),
    ]


fft = defop(
    "fft",
    operands=("operand",),
    params={"fft_type": enum("fft_type"), "fft_length": INTS},
    type=_fft_type,
    ref=_fft_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": _fft_transpose},
    batch=_fft_batch,
    samples=_fft_samples,
    lower=lower_fft,
    native=NativeKernel("sable_fft_{fft_type}", (0,), (0,), (*_COMPLEX, *_REAL), _lengths, _pieces),
    traits=Traits(work=_work, no_kernel="a library function"),
)
