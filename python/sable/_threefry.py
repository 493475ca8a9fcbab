"""The Threefry-2x32 hash: native where it was built, NumPy otherwise.

J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011; 20 rounds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.pytree import registry as pytree

#: Makes a key of zeros harmless.
KEY_PARITY = 0x1BD11BDA
#: Distances of the rotations of four rounds; the two rows alternate.
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry2x32(k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[np.ndarray, np.ndarray]:
    """Hashes pairs of words under pairs of keys.

    Arguments:
      k0, k1: uint32, the key: scalars or arrays that broadcast against the words.
      x0, x1: uint32 arrays, the words to hash.

    Returns:
      two uint32 arrays of the common shape.

    Raises:
      TypeError: an argument is not of dtype uint32, nor a Python int.
      OverflowError: a Python int is out of range.
      ValueError: the shapes do not broadcast.

    >>> y0, y1 = threefry2x32(0, 0, np.zeros(1, np.uint32), np.zeros(1, np.uint32))
    >>> hex(y0[0]), hex(y1[0])  # the paper's known answer
    ('0x6b200159', '0x99ba4efe')
    """
    keys = _words(k0, "k0"), _words(k1, "k1")
    words = _words(x0, "x0"), _words(x1, "x1")
    shape = np.broadcast_shapes(*(array.shape for array in (*keys, *words)))
    if not pytree.native:
        return _threefry_numpy(*keys, *(np.broadcast_to(array, shape) for array in words))
    if not keys[0].size == keys[1].size == 1:
        keys = _expanded(keys[0], shape), _expanded(keys[1], shape)
    results = np.empty(shape, np.uint32), np.empty(shape, np.uint32)
    # Contiguous keys of size 1 serve any shape.
    operands = (*map(np.ascontiguousarray, keys), *(_expanded(array, shape) for array in words))
    pytree.implementation.threefry2x32_into(*operands, *results)
    return results


def _words(value: Any, name: str) -> np.ndarray:
    if isinstance(value, int):
        if not 0 <= value < 2**32:
            raise OverflowError(f"threefry2x32 takes {name} of 32 bits, got {value}")
        return np.array(value, np.uint32)
    array = np.asarray(value)
    if array.dtype != np.uint32:
        raise TypeError(f"threefry2x32 takes {name} of dtype uint32, got {array.dtype}")
    return array


def _expanded(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The array in that shape, contiguous and in native byte order."""
    return np.ascontiguousarray(np.broadcast_to(array, shape), np.uint32)


def _threefry_numpy(k0: np.ndarray, k1: np.ndarray, x0: np.ndarray, x1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # Arrays of rank 1 at least: arithmetic on NumPy scalars warns where it wraps.
    shape = np.broadcast_shapes(k0.shape, k1.shape, x0.shape, x1.shape)
    first, second = rounds(*map(np.atleast_1d, (k0, k1, x0, x1)))
    return first.reshape(shape), second.reshape(shape)


def rounds(k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """The hash of two words under a key of two: operands with +, ^, |, << and >> that compute with 32 bits."""
    keys = (k0, k1, k0 ^ k1 ^ KEY_PARITY)
    x0, x1 = x0 + k0, x1 + k1
    for block in range(5):
        for distance in ROTATIONS[block % 2]:
            x0 = x0 + x1
            x1 = x0 ^ (x1 << distance | x1 >> 32 - distance)
        x0 = x0 + keys[(block + 1) % 3]
        x1 = x1 + (keys[(block + 2) % 3] + (block + 1))
    return x0, x1
