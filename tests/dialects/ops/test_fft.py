"""fft for lengths of all kinds, by the expansion into products with small matrices and by the native kernel, against NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import runtime
from sable.core import preparation
from sable.core.bind import BIND
from sable.dialects.ops.fft_lowering import lower_fft
from sable.dialects.ops.functions import function_of
from sable.ir.aval import aval
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
    """Products of three factors, a prime, and both halves of a spectrum, in one program, as it is deployed."""
    calls = [
        ("FFT", 4096, "float32"),
        ("RFFT", 1000, "float32"),
        ("IRFFT", 1024, "float64"),
        ("IFFT", 10007, "float64"),
    ]
    xs = [signal(*each) for each in calls]
    function = function_of(
        lambda b, *xs: [b.fft(x, fft_type=k, fft_length=(n,)) for x, (k, n, _) in zip(xs, calls)],
        *[aval(x.shape, x.dtype) for x in xs],
    )
    prepared = preparation.prepare(function, "cpu", native=False)
    assert prepared.native_kernels == ()
    device = runtime.devices("cpu")[0]
    compiled = preparation.compile_prepared(prepared, preparation.target_of(device))
    results = runtime.Executable(compiled.vmfb, device, results=function.out_avals).run(*xs)
    for (kind, n, dtype), x, found in zip(calls, xs, results):
        check(kind, n, dtype, x, np.asarray(found))


@pytest.mark.parametrize("dtype", ERROR)
def test_native_kernel_agrees_with_numpy(dtype: str) -> None:
    """By stages, as a matrix, by chirps; of one signal, of fewer and of more than there are lanes."""
    with sable.enable_x64(True):
        for n in (*LENGTHS, 2047, 8192, 8193, 17 * 17 * 64, 20011, 1 << 17):
            for count in (1, 3, 8, 19) if n < 3000 else (1, 9):
                for kind in KINDS:
                    x = np.resize(signal(kind, n, dtype), (count, signal(kind, n, dtype).shape[-1]))
                    x = x * np.arange(1, count + 1, dtype=x.real.dtype)[:, None]
                    check(kind, n, dtype, x, np.asarray(BIND.fft(jnp.asarray(x), fft_type=kind, fft_length=(n,))))


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 16, 16), (2, 1, 9), (64, 33), (5, 3, 8, 17), (2, 7, 1, 1)])
def test_native_kernel_along_several_axes(shape: tuple[int, ...]) -> None:
    rank = min(len(shape), 3)
    lengths, axes = shape[-rank:], range(len(shape) - rank, len(shape))
    rng = np.random.default_rng(0)
    with sable.enable_x64(True):
        x = rng.normal(size=shape)
        spectrum = jnp.fft.rfftn(x, axes=axes)
        np.testing.assert_allclose(spectrum, np.fft.rfftn(x, axes=axes), atol=1e-12)
        np.testing.assert_allclose(jnp.fft.irfftn(spectrum, lengths, axes), x, atol=1e-13)
        z = x + 1j * rng.normal(size=shape)
        np.testing.assert_allclose(jnp.fft.fftn(z, axes=axes), np.fft.fftn(z, axes=axes), atol=1e-12)
        np.testing.assert_allclose(jnp.fft.ifftn(z, axes=axes), np.fft.ifftn(z, axes=axes), atol=1e-14)


def test_pieces_are_the_whole() -> None:
    """A batch that a program cuts for several cores gives what one eager call gives."""
    x = np.random.default_rng(0).normal(size=(301, 1024)).astype(np.float32)

    def transforms(x):
        return jnp.fft.fft(x), jnp.fft.rfft(x), jnp.fft.irfft(jnp.fft.rfft(x)), jnp.fft.rfft2(x.reshape(7, 43, 1024))

    for eager, compiled in zip(transforms(x), sable.jit(transforms)(x)):
        np.testing.assert_array_equal(eager, compiled)


@pytest.mark.parametrize("shape", [(300, 512), (2, 40, 1, 2050), (51, 53, 60)])
def test_axes_are_cut_for_several_cores(shape: tuple[int, ...]) -> None:
    """A program that calls a kernel for each axis gives what one eager call gives."""
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    axes = range(max(len(shape) - 3, 0), len(shape))

    def transforms(x):
        half, whole = jnp.fft.rfftn(x, axes=axes), jnp.fft.fftn(x, axes=axes)
        return half, whole, jnp.fft.ifftn(whole, axes=axes), jnp.fft.irfftn(half, x.shape[axes[0] :], axes)

    for eager, compiled in zip(transforms(x), sable.jit(transforms)(x)):
        np.testing.assert_array_equal(eager, compiled)


def test_numbers_that_lie_apart() -> None:
    """Operands that are every second number of an array, or a column of it, eagerly and inside of programs."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(6, 8)) + 1j * rng.normal(size=(6, 8))).astype(np.complex64)

    def transforms(j, x):
        fft = j.numpy.fft if j is not np else np.fft
        return [
            fft.fftn(x, s=(5, 1), axes=(0, 1)),
            fft.irfftn(x, s=(5, 1), axes=(0, 1)),
            fft.fft(x[0, ::2]),
            fft.fft(x[:, 3]),
            fft.ifft(x[::-1, 1]),
            fft.rfft(x.real[1, ::3]),
            fft.irfft(x[1::2, 2]),
        ]

    for eager, compiled, wanted in zip(
        transforms(sable, x), sable.jit(lambda x: transforms(sable, x))(x), transforms(np, x)
    ):
        np.testing.assert_array_equal(eager, compiled)
        np.testing.assert_allclose(eager, wanted, atol=2e-6)
