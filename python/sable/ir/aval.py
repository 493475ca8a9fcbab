"""Abstract values: shape, dtype and weak type of an array, interned so that identity is equality."""

from __future__ import annotations

import math
import weakref
from typing import Any

import ml_dtypes
import numpy as np

from sable._forks import new_lock

bfloat16 = np.dtype(ml_dtypes.bfloat16)

#: Those of narrow dtypes, which are computed in wider ones (see `sable.ir.narrow`).
NARROW_TYPES: dict[np.dtype, str] = {
    np.dtype(ml_dtypes.int2): "i2",
    np.dtype(ml_dtypes.int4): "i4",
    np.dtype(ml_dtypes.uint2): "ui2",
    np.dtype(ml_dtypes.uint4): "ui4",
    np.dtype(ml_dtypes.float4_e2m1fn): "f4E2M1FN",
    np.dtype(ml_dtypes.float6_e2m3fn): "f6E2M3FN",
    np.dtype(ml_dtypes.float6_e3m2fn): "f6E3M2FN",
    np.dtype(ml_dtypes.float8_e3m4): "f8E3M4",
    np.dtype(ml_dtypes.float8_e4m3): "f8E4M3",
    np.dtype(ml_dtypes.float8_e4m3b11fnuz): "f8E4M3B11FNUZ",
    np.dtype(ml_dtypes.float8_e4m3fn): "f8E4M3FN",
    np.dtype(ml_dtypes.float8_e4m3fnuz): "f8E4M3FNUZ",
    np.dtype(ml_dtypes.float8_e5m2): "f8E5M2",
    np.dtype(ml_dtypes.float8_e5m2fnuz): "f8E5M2FNUZ",
    np.dtype(ml_dtypes.float8_e8m0fnu): "f8E8M0FNU",
}
#: NumPy dtype -> MLIR element type, for every dtype that Sable computes with.
ELEMENT_TYPES: dict[np.dtype, str] = {
    **NARROW_TYPES,
    np.dtype(np.bool_): "i1",
    np.dtype(np.int8): "i8",
    np.dtype(np.int16): "i16",
    np.dtype(np.int32): "i32",
    np.dtype(np.int64): "i64",
    np.dtype(np.uint8): "ui8",
    np.dtype(np.uint16): "ui16",
    np.dtype(np.uint32): "ui32",
    np.dtype(np.uint64): "ui64",
    np.dtype(np.float16): "f16",
    bfloat16: "bf16",
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
    np.dtype(np.complex64): "complex<f32>",
    np.dtype(np.complex128): "complex<f64>",
}
DTYPES: dict[str, np.dtype] = {text: dtype for dtype, text in ELEMENT_TYPES.items()}

#: float0, the tangent dtype of integer and boolean values (as in JAX: a structured dtype of no bytes).
float0 = np.dtype([("float0", np.void, 0)])


class Aval:
    """Shape, dtype and weak type. Made by `aval(...)` only: equal avals are the same object.

    Attributes:
      shape: tuple of ints.
      dtype: a NumPy dtype of `ELEMENT_TYPES`.
      weak_type: True where the dtype came from a Python scalar and gives way in promotion.
      narrow: whether the dtype is one of `NARROW_TYPES`.
      mlir: cache for the MLIR tensor type, owned by `sable.ir.bindings`.
      strong: the aval without weak type.
    """

    __slots__ = ("__weakref__", "dtype", "mlir", "narrow", "ndim", "shape", "size", "strong", "weak_type")

    shape: tuple[int, ...]
    dtype: np.dtype
    weak_type: bool
    ndim: int
    size: int
    narrow: bool
    mlir: Any
    strong: Aval

    def __repr__(self) -> str:
        weak = ", weak_type=True" if self.weak_type else ""
        return f"ShapedArray({self.short()}{weak})"

    def short(self) -> str:
        """`float32[2,3]`."""
        return f"{self.dtype.name}[{','.join(map(str, self.shape))}]"

    def update(self, shape: tuple[int, ...] | None = None, dtype: Any = None, weak_type: bool | None = None) -> Aval:
        """The same aval with some attributes replaced."""
        return aval(
            self.shape if shape is None else shape,
            self.dtype if dtype is None else np.dtype(dtype),
            self.weak_type if weak_type is None else weak_type,
        )

    def __reduce__(self):
        return aval, (self.shape, self.dtype, self.weak_type)


#: By shape, dtype and weak type, as long as somebody holds them.
_INTERNED: weakref.WeakValueDictionary[tuple, Aval] = weakref.WeakValueDictionary()
_LOCK = new_lock(reentrant=True)


def aval(shape: tuple[int, ...], dtype: np.dtype, weak_type: bool = False) -> Aval:
    """The abstract value of that shape (a tuple), dtype (an `np.dtype`) and weak type."""
    key = (shape, dtype, weak_type)
    found = _INTERNED.get(key)
    if found is None:
        if dtype not in ELEMENT_TYPES and dtype != float0:
            raise TypeError(
                f"dtype {dtype} is not supported: expected one of {', '.join(d.name for d in ELEMENT_TYPES)}"
            )
        found = _intern(tuple(int(n) for n in shape), dtype, weak_type)
    return found


def _intern(shape: tuple[int, ...], dtype: np.dtype, weak_type: bool) -> Aval:
    key = (shape, dtype, weak_type)
    with _LOCK:  # two threads must not get two
        found = _INTERNED.get(key)
        if found is None:
            found = Aval()
            found.shape, found.dtype, found.weak_type = key
            found.ndim = len(shape)
            found.size = math.prod(shape)
            found.mlir = None
            found.narrow = dtype in NARROW_TYPES
            found.strong = aval(shape, dtype) if weak_type else found
            _INTERNED[key] = found
    return found


def aval_of(array: np.ndarray) -> Aval:
    """The (strong) aval of a NumPy array."""
    return aval(array.shape, array.dtype)
