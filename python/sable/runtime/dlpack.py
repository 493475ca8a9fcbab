"""DLPack: arrays that share memory with those of other libraries on the CPU.

Source: https://dmlc.github.io/dlpack/latest/c_api.html (`DLTensor`).
"""

from __future__ import annotations

import ctypes
from typing import Any

import ml_dtypes
import numpy as np

from .buffers import writable

CPU = (1, 0)
#: the oldest version that consumers may ask for
_OLDEST_VERSION = (0, 5)
_NAME = b"dltensor"
#: letters of NumPy's kinds by DLPack's code of a type
_KINDS = {0: "i", 1: "u", 2: "f", 5: "c", 6: "b"}
#: DLPack's code of the types that NumPy's own capsules don't have
_CODES: dict[np.dtype, int] = {
    np.dtype(getattr(ml_dtypes, name)): code
    for name, code in {
        "bfloat16": 4,
        "float8_e3m4": 7,
        "float8_e4m3": 8,
        "float8_e4m3b11fnuz": 9,
        "float8_e4m3fn": 10,
        "float8_e4m3fnuz": 11,
        "float8_e5m2": 12,
        "float8_e5m2fnuz": 13,
        "float8_e8m0fnu": 14,
    }.items()
}
_DTYPES = {code: dtype for dtype, code in _CODES.items()}


class _DataType(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16))


class _Tensor(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dtype", _DataType),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    )


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


def _tensor(capsule: Any) -> _Tensor:
    return _Tensor.from_address(_pointer(capsule, _NAME))


def type_code(capsule: Any) -> int:
    """DLPack's code of the type of a capsule's elements."""
    return _tensor(capsule).dtype.code


class _Memory:
    """The memory of a capsule, which lives as long as the capsule does, as NumPy reads it."""

    __slots__ = ("__array_interface__", "capsule")

    def __init__(self, capsule: Any, interface: dict[str, Any]):
        self.capsule = capsule
        self.__array_interface__ = interface


def capsule_of(array: np.ndarray) -> Any:
    """A capsule with an array's memory; what it is given to must not write there."""
    code = _CODES.get(array.dtype)
    bits = array if code is None else array.view(f"u{array.dtype.itemsize}")
    made = (bits if bits.flags.writeable else writable(bits)).__dlpack__()
    if code is not None:
        _tensor(made).dtype.code = code
    return made


def check_request(stream: Any, max_version: tuple[int, int] | None, dl_device: tuple[int, int] | None) -> None:
    """Raise for a request that capsules of ours do not meet: RuntimeError for streams, else BufferError."""
    if stream is not None:
        raise RuntimeError(f"arrays on the CPU are handed over on no stream, but stream={stream!r} was requested")
    if max_version is not None and tuple(max_version) < _OLDEST_VERSION:
        raise BufferError(f"no version of DLPack below {_OLDEST_VERSION} is supported, but {max_version} was requested")
    if dl_device is not None and (int(dl_device[0]), int(dl_device[1])) != CPU:
        raise BufferError(f"DLPack hands over arrays on the CPU, {CPU}, only: {tuple(dl_device)} was requested")


def array_of(capsule: Any) -> np.ndarray:
    """An array in the memory of a capsule that lies on the CPU.

    Raises:
      TypeError: it holds no numbers that arrays can have.
    """
    t = _tensor(capsule)
    known = _DTYPES.get(t.dtype.code)
    kind = _KINDS.get(t.dtype.code) if known is None else "u"
    if kind is None or t.dtype.lanes != 1 or t.dtype.bits % 8:
        raise TypeError(
            f"a DLPack tensor of type code {t.dtype.code}, {t.dtype.bits} bits and {t.dtype.lanes} lanes is no array of numbers"
        )
    dtype = np.dtype(f"{kind}{t.dtype.bits // 8}")
    shape = tuple(t.shape[: t.ndim])
    if 0 in shape:
        return np.zeros(shape, known or dtype)
    strides = tuple(n * dtype.itemsize for n in t.strides[: t.ndim]) if t.strides else None
    address = (t.data + t.byte_offset, False)
    interface = {"version": 3, "data": address, "shape": shape, "strides": strides, "typestr": dtype.str}
    found = np.asarray(_Memory(capsule, interface))
    return found if known is None else found.view(known)
