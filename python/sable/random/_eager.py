"""The short way where nothing is traced: NumPy itself, for the samples that everything else is made of.

The results are those of the ops, bit for bit; normal samples those of the compiled op, whose erf_inv is a polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable._threefry import threefry2x32
from sable.core.array import Array, from_numpy
from sable.core.dtypes import finfo
from sable.core.state import STATE

_UINT32 = np.dtype(np.uint32)
_ZERO = np.zeros((), _UINT32)
_FLOAT32 = np.dtype(np.float32)

#: Coefficients of erf_inv(x) / x in powers of w - 5/2 for w = -log(1 - x**2) < 5, and of sqrt(w) - 3 for larger w,
#: highest power first (M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2011, table 5).
_CENTRAL = np.float32(
    [
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    ]
)
_TAIL = np.float32(
    [
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    ]
)


def ready(words: Any) -> bool:
    """Whether the words of a key are known, on the CPU, bound to no device, and no program is being traced."""
    if not config.jax_threefry_partitionable or STATE.staged is not None:
        return False
    return type(words) is Array and words._device is None and not words.committed


def _hashed(words: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    size = math.prod(shape)
    counts = np.arange(size, dtype=_UINT32).reshape(shape) if shape else _ZERO
    return threefry2x32(words[0], words[1], _ZERO, counts)


def keys(words: Array, shape: tuple[int, ...]) -> Array:
    """The words of new keys."""
    out = np.empty((*shape, 2), _UINT32)
    out[..., 0], out[..., 1] = _hashed(words.numpy(), shape)
    return from_numpy(out)


def _bits(words: np.ndarray, width: int, shape: tuple[int, ...]) -> np.ndarray:
    """Unsigned integers of so many random bits, in an array that the caller may write to."""
    first, second = _hashed(words, shape)
    if width == 64:
        wide = first.astype(np.uint64)
        np.left_shift(wide, np.uint64(32), out=wide)
        return np.bitwise_or(wide, second, out=wide)
    found = np.bitwise_xor(first, second, out=first)
    return found if width == 32 else found.astype(f"uint{width}")


def bits(words: Array, width: int, shape: tuple[int, ...]) -> Array:
    """Unsigned integers of so many random bits."""
    return from_numpy(_bits(words.numpy(), width, shape))


def _unit(words: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    info = finfo(dtype)
    width = info.bits if info.nmant >= 8 else 8
    found = _bits(words, width, shape)
    own = np.dtype(f"uint{info.bits}")
    if found.dtype != own:
        found = found.astype(own)
    np.right_shift(found, own.type(width - info.nmant), out=found)
    np.bitwise_or(found, np.ones((), dtype).view(own), out=found)
    floats = found.view(dtype)
    return np.subtract(floats, np.ones((), dtype), out=floats)


def unit_floats(words: Array, shape: tuple[int, ...], dtype: np.dtype) -> Array:
    """Floats in [0, 1)."""
    return from_numpy(_unit(words.numpy(), shape, dtype))


def _polynomial(coefficients: Sequence[Any], x: np.ndarray) -> np.ndarray:
    total = np.full(x.shape, coefficients[0], _FLOAT32)
    for c in coefficients[1:]:
        np.multiply(total, x, out=total)
        np.add(total, c, out=total)
    return total


def _erf_inv(x: np.ndarray) -> np.ndarray:
    """The inverse of the error function for float32 in (-1, 1)."""
    # 1 - x**2 is exact where it is small, and where it is not its error does not matter
    w = np.multiply(x, x)
    np.subtract(np.float32(1), w, out=w)
    np.log(w, out=w)
    np.negative(w, out=w)
    far = w >= 5
    tail = np.sqrt(w[far]) - np.float32(3)
    found = _polynomial(_CENTRAL, np.subtract(w, np.float32(2.5), out=w))
    found[far] = _polynomial(_TAIL, tail)
    return np.multiply(found, x, out=found)


def normal(words: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal float32 samples."""
    u = _unit(words.numpy(), shape, _FLOAT32).reshape(shape or (1,))
    low = np.nextafter(np.float32(-1), np.float32(0))
    np.multiply(u, np.float32(1) - low, out=u)
    np.add(u, low, out=u)
    np.maximum(u, low, out=u)
    found = _erf_inv(u)
    return from_numpy(np.multiply(found, np.float32(math.sqrt(2)), out=found).reshape(shape))


def integers(words: Array, shape: tuple[int, ...], low: int, high: int, dtype: np.dtype) -> Array:
    """Integers in [low, high) for bounds that are known and in the dtype's range; see `_bits._between`."""
    width = 8 * dtype.itemsize
    own = np.dtype(f"uint{width}").type
    pair = np.stack(_hashed(words.numpy(), (2,)), axis=-1)
    upper, lower = _bits(pair[0], width, shape), _bits(pair[1], width, shape)
    count = max(high - low, 1)
    half = 2 ** (width // 2) % count
    factor = own(half * half % 2**width % count)  # the square wraps around, here as in the ops
    span = own(count)
    np.remainder(upper, span, out=upper)
    np.multiply(upper, factor, out=upper)
    np.remainder(lower, span, out=lower)
    np.add(upper, lower, out=upper)
    np.remainder(upper, span, out=upper)
    found = upper.view(dtype)
    return from_numpy(np.add(found, dtype.type(low), out=found))
