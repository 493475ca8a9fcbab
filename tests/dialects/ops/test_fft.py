"""The expansion of fft into products with small matrices, for lengths of all kinds, against NumPy in f64."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sable
from sable.core.bind import BIND
from sable.dialects.ops.fft_lowering import lower_fft
from sable.ir.op import NumpyBuilder

#: small ones, primes beyond the largest matrix, products of two and three factors, a large table of roots
LENGTHS = (*range(1, 71), 97, 128, 210, 1000, 1024, 4096, 10007, 3 << 14)
#: error beside the largest result, in terms of log2(n)
ERROR = {"float32": 2e-7, "float64": 1e-15}
KINDS = {"FFT": np.fft.fft, "IFFT": np.fft.ifft, "RFFT": np.fft.rfft, "IRFFT": np.fft.irfft}


def signal(kind: str, n: int, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(n)
    if kind == "RFFT":
        return rng.normal(size=(2, n)).astype(dtype)
    z = rng.normal(size=(2, 2, n // 2 + 1 if kind == "IRFFT" else n))
    return (z[0] + 1j * z[1]).astype(np.result_type(dtype, np.complex64))


def check(kind: str, n: int, dtype: str, x: np.ndarray, found: np.ndarray) -> None:
    wide = x.astype(np.result_type(x, np.float64))
    expected = KINDS[kind](wide, n)
    assert found.shape == expected.shape
    assert found.dtype == np.result_type(dtype, np.complex64 if expected.dtype.kind == "c" else dtype)
    error = np.abs(found - expected).max() / np.abs(expected).max()
    assert error <= ERROR[dtype] * max(1, math.log2(n)), (kind, n, dtype, error)


@pytest.mark.parametrize("dtype", ERROR)
def test_expansion_agrees_with_numpy(dtype: str) -> None:
    builder = NumpyBuilder()
    for n in LENGTHS:
        for kind in KINDS:
            x = signal(kind, n, dtype)
            check(kind, n, dtype, x, np.asarray(lower_fft(builder, x, kind, (n,))))


def test_compiled_expansion_agrees_with_numpy() -> None:
    """Products of three factors, a prime, and both halves of a spectrum, in one program."""
    calls = [
        ("FFT", 4096, "float32"),
        ("RFFT", 1000, "float32"),
        ("IRFFT", 1024, "float64"),
        ("IFFT", 10007, "float64"),
    ]

    with sable.enable_x64(True):
        xs = [signal(*each) for each in calls]
        program = sable.jit(lambda xs: [BIND.fft(x, fft_type=k, fft_length=(n,)) for x, (k, n, _) in zip(xs, calls)])
        for (kind, n, dtype), x, found in zip(calls, xs, program(xs)):
            check(kind, n, dtype, x, np.asarray(found))
