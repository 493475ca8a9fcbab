"""Dtypes by name: `jnp.float32` is a dtype and, called, makes an array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from ._table import example_section
from .arrays import array


class ScalarType(type):
    """Type of `jnp.float32` and its like: equal to NumPy's scalar type and dtype, usable as a dtype, and callable.

    Attributes:
      dtype: the NumPy dtype.
    """

    dtype: np.dtype

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __eq__(cls, other: object) -> bool:
        return other is cls or cls.dtype.type == other

    def __ne__(cls, other: object) -> bool:
        return not cls == other

    def __call__(cls, x: Any) -> Any:
        return array(x, dtype=cls.dtype)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.dtype.type)


def _scalar_type(name: str, numpy_type: type) -> Callable[[str], Any]:
    """What makes the type, given an example."""
    dtype = np.dtype(numpy_type)

    def make(example: str) -> Any:
        text = f"The dtype {dtype.name}; `jnp.{name}(x)` is an array of that dtype made of x."
        text += f"\n\n    {example_section(example)}\n"
        return ScalarType(name, (), {"dtype": dtype, "__doc__": text, "__module__": "sable.numpy"})

    return make


bool_ = _scalar_type("bool", np.bool_)("""
    >>> jnp.bool_(jnp.array([0, 2]))
    Array([False,  True], dtype=bool)
    """)
int8 = _scalar_type("int8", np.int8)("""
    >>> jnp.int8(127) + jnp.int8(1)  # wraps around
    Array(-128, dtype=int8)
    """)
int16 = _scalar_type("int16", np.int16)("""
    >>> jnp.int16(300) + 1, jnp.int16(1) + jnp.int8(1)
    (Array(301, dtype=int16), Array(2, dtype=int16))
    """)
int32 = _scalar_type("int32", np.int32)("""
    >>> jnp.int32(jnp.array([-1.7, 1.7]))  # towards zero
    Array([-1,  1], dtype=int32)
    >>> jnp.int32 == np.int32, jnp.int32.dtype
    (True, dtype('int32'))
    """)
int64 = _scalar_type("int64", np.int64)("""
    >>> with jax.enable_x64(True):  # int32 without it, and a warning
    ...     jnp.int64(2**40)
    Array(1099511627776, dtype=int64)
    """)
uint8 = _scalar_type("uint8", np.uint8)("""
    >>> jnp.uint8(200) + jnp.uint8(100)  # wraps around
    Array(44, dtype=uint8)
    """)
uint16 = _scalar_type("uint16", np.uint16)("""
    >>> jnp.uint16(1) - jnp.uint16(2)
    Array(65535, dtype=uint16)
    """)
uint32 = _scalar_type("uint32", np.uint32)("""
    >>> jnp.uint32(2**32 - 1) + jnp.uint32(1)
    Array(0, dtype=uint32)
    """)
uint64 = _scalar_type("uint64", np.uint64)("""
    >>> with jax.enable_x64(True):  # uint32 without it, and a warning
    ...     jnp.uint64(2**63)
    Array(9223372036854775808, dtype=uint64)
    """)
float16 = _scalar_type("float16", np.float16)("""
    >>> jnp.float16(jnp.array([1.001, 70000.0]))  # 11 bits, up to 65504
    Array([1.001,   inf], dtype=float16)
    """)
bfloat16 = _scalar_type("bfloat16", ml_dtypes.bfloat16)("""
    >>> jnp.bfloat16(jnp.array([1.001, 70000.0]))  # 8 bits, up to 3.4e38
    Array([1, 70144], dtype=bfloat16)
    """)
float32 = single = _scalar_type("float32", np.float32)("""
    >>> jnp.float32(2**24) + 1  # 24 bits
    Array(1.6777216e+07, dtype=float32)
    """)
float64 = double = _scalar_type("float64", np.float64)("""
    >>> with jax.enable_x64(True):  # float32 without it, and a warning
    ...     jnp.float64(2**24) + 1
    Array(16777217., dtype=float64)
    """)
complex64 = csingle = _scalar_type("complex64", np.complex64)("""
    >>> jnp.complex64(jnp.array([1, 2]))
    Array([1.+0.j, 2.+0.j], dtype=complex64)
    """)
complex128 = cdouble = _scalar_type("complex128", np.complex128)("""
    >>> with jax.enable_x64(True):  # complex64 without it, and a warning
    ...     jnp.complex128(1.5)
    Array(1.5+0.j, dtype=complex128)
    """)
int2 = _scalar_type("int2", ml_dtypes.int2)("""
    >>> jnp.array([1, -2], dtype=jnp.int2)
    Array([1, -2], dtype=int2)
    """)
int4 = _scalar_type("int4", ml_dtypes.int4)("""
    >>> jnp.array([7, -8], dtype=jnp.int4)
    Array([7, -8], dtype=int4)
    """)
uint2 = _scalar_type("uint2", ml_dtypes.uint2)("""
    >>> jnp.array([0, 3], dtype=jnp.uint2)
    Array([0, 3], dtype=uint2)
    """)
uint4 = _scalar_type("uint4", ml_dtypes.uint4)("""
    >>> jnp.array([0, 15], dtype=jnp.uint4)
    Array([0, 15], dtype=uint4)
    """)
float4_e2m1fn = _scalar_type("float4_e2m1fn", ml_dtypes.float4_e2m1fn)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float4_e2m1fn)
    Array([0.5, 1, 6], dtype=float4_e2m1fn)
    """)
float6_e2m3fn = _scalar_type("float6_e2m3fn", ml_dtypes.float6_e2m3fn)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float6_e2m3fn)
    Array([0.25, 1.125, 7.5], dtype=float6_e2m3fn)
    """)
float6_e3m2fn = _scalar_type("float6_e3m2fn", ml_dtypes.float6_e3m2fn)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float6_e3m2fn)
    Array([0.3125, 1, 28], dtype=float6_e3m2fn)
    """)
float8_e3m4 = _scalar_type("float8_e3m4", ml_dtypes.float8_e3m4)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e3m4)
    Array([0.296875, 1.125, inf], dtype=float8_e3m4)
    """)
float8_e4m3 = _scalar_type("float8_e4m3", ml_dtypes.float8_e4m3)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e4m3)
    Array([0.3125, 1.125, inf], dtype=float8_e4m3)
    """)
float8_e4m3b11fnuz = _scalar_type("float8_e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e4m3b11fnuz)
    Array([0.3125, 1.125, nan], dtype=float8_e4m3b11fnuz)
    """)
float8_e4m3fn = _scalar_type("float8_e4m3fn", ml_dtypes.float8_e4m3fn)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e4m3fn)
    Array([0.3125, 1.125, nan], dtype=float8_e4m3fn)
    """)
float8_e4m3fnuz = _scalar_type("float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e4m3fnuz)
    Array([0.3125, 1.125, nan], dtype=float8_e4m3fnuz)
    """)
float8_e5m2 = _scalar_type("float8_e5m2", ml_dtypes.float8_e5m2)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e5m2)
    Array([0.3125, 1, 1024], dtype=float8_e5m2)
    """)
float8_e5m2fnuz = _scalar_type("float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e5m2fnuz)
    Array([0.3125, 1, 1024], dtype=float8_e5m2fnuz)
    """)
float8_e8m0fnu = _scalar_type("float8_e8m0fnu", ml_dtypes.float8_e8m0fnu)("""
    >>> jnp.array([0.3, 1.1, 1000.0], dtype=jnp.float8_e8m0fnu)
    Array([0.25, 1, 1024], dtype=float8_e8m0fnu)
    """)
int_, uint, float_, complex_ = int64, uint64, float64, complex128
