"""Operands that many rows use. Values are away from kinks, ties and poles, so that derivatives can be compared."""

from __future__ import annotations

import ml_dtypes
import numpy as np

_RNG = np.random.default_rng(20)


def normal(*shape: int, dtype: str = "f4") -> np.ndarray:
    """Normal samples, rounded so that they are printed short."""
    return np.round(_RNG.normal(size=shape), 2).astype(dtype) + np.asarray(0.003, dtype)


def within(low: float, high: float, *shape: int) -> np.ndarray:
    """Uniform f32 samples."""
    return _RNG.uniform(low, high, size=shape).astype("f4")


V = normal(5)
W = normal(5)
P = within(0.3, 3.0, 5)
U = within(-0.9, 0.9, 5)
M = normal(3, 4)
M2 = normal(4, 3)
S = normal(4, 4)
T = normal(2, 3, 4)
E = np.zeros((0, 3), np.float32)
SCALAR = np.float32(0.7).reshape(())
H = normal(6).astype(np.float16)
BF = normal(6).astype(ml_dtypes.bfloat16)
C = (normal(5) + 1j * normal(5)).astype(np.complex64)
C2 = (normal(5) + 1j * normal(5)).astype(np.complex64)
I = np.array([3, -1, 4, 1, -5], np.int32)
J = np.array([2, 7, 1, 8, 2], np.int32)
I8 = np.array([1, -128, 127, 0], np.int8)
U8 = np.array([0, 1, 200, 255], np.uint8)
U32 = np.array([0, 1, 7, 2**31], np.uint32)
IM = np.arange(12, dtype=np.int32).reshape(3, 4) % 5
B = np.array([True, False, True, True, False])
BM = np.arange(12).reshape(3, 4) % 3 == 0
SPECIAL = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan], np.float32)
NAN = np.array([[1.5, np.nan, 3.25], [np.nan, -1.5, 0.5]], np.float32)

#: why gradients are left out where values tie or jump
KINK = "values at kinks: any subgradient will do"
