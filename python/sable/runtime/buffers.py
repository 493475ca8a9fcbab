"""Moving arrays between NumPy and devices.

A `Buffer` is opaque: a shape, an element type and memory of a device, alive as long as somebody holds it. The
two CPU drivers use each other's buffers freely (both address host memory), so a CPU buffer belongs to the
CPU, not to a driver.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import NARROW_TYPES, bfloat16
from sable.runtime import _iree
from sable.runtime._iree import DEVICE_LOCAL, USAGE_MAPPED, Buffer

#: Below this many bytes a copy (0.3 µs, and 0.1 µs for every 2 KiB) is quicker than to find that memory
#: cannot be shared (a failed import costs 3.3 µs).
SHARE_AT_LEAST_BYTES = 64 << 10
#: IREE's code reads its arguments with aligned vector instructions; it aligns its own memory so.
ALIGNMENT_BYTES = 64

_KINDS = _iree.ELEMENT_TYPES
#: dtypes that the buffer protocol does not know -> the integers that their bits are
_BITS: dict[np.dtype, np.dtype] = {bfloat16: np.dtype(np.uint16), **dict.fromkeys(NARROW_TYPES, np.dtype(np.uint8))}
_DLPACK_CPU = 1


def aligned_empty(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An uninitialised array whose memory `put` can share: 64-byte aligned, contiguous, writable."""
    dtype = np.dtype(dtype)
    count = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.empty(count + ALIGNMENT_BYTES, np.uint8)
    start = -memory.__array_interface__["data"][0] % ALIGNMENT_BYTES
    return memory[start : start + count].view(dtype).reshape(shape)


def element_type(dtype: np.dtype) -> int:
    """The HAL element type of a NumPy dtype.

    Raises:
      TypeError: no device computes with that dtype (or byte order).
    """
    try:
        return _KINDS[dtype]
    except KeyError:
        names = ", ".join(known.name for known in _KINDS)
        raise TypeError(f"expected an array of dtype {names} in native byte order, got {dtype!r}") from None


class _Exported:
    """Hands a DLPack capsule to `numpy.from_dlpack`."""

    __slots__ = ("capsule",)

    def __init__(self, capsule: Any):
        self.capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return _DLPACK_CPU, 0


def _uploadable(array: np.ndarray) -> np.ndarray:
    """The array as C-contiguous memory that the buffer protocol can describe (bfloat16 and narrow dtypes go as their bits)."""
    if not array.flags.c_contiguous:
        array = array.copy(order="C")
    bits = _BITS.get(array.dtype)
    return array if bits is None else array.view(bits)


class _Writable:
    """A read-only array's memory as writable, as DLPack export wants it; programs only read arguments."""

    __slots__ = ("__array_interface__", "owner")

    def __init__(self, array: np.ndarray):
        interface = array.__array_interface__
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
        self.owner = array


def writable(array: np.ndarray) -> np.ndarray:
    """A read-only array's memory as writable, for those who only read it."""
    return np.asarray(_Writable(array))


class HostMemory:
    """Transfers for the CPU, where devices address host memory.

    Attributes:
      put: `(array, share=True) -> Buffer`.
      get: `(buffer, shape, dtype) -> array`, a read-only view that keeps the memory alive.
    """

    def __init__(self, hal: Any):
        self._hal = hal
        self._upload = hal.allocator.allocate_buffer_copy

    def put(self, array: np.ndarray, share: bool = True) -> Buffer:
        kind = _KINDS.get(array.dtype) or element_type(array.dtype)
        if share and array.nbytes >= SHARE_AT_LEAST_BYTES:
            shared = self._share(array, kind)
            if shared is not None:
                return shared
        if array.dtype in _BITS or not array.flags.c_contiguous:
            array = _uploadable(array)
        return self._upload(DEVICE_LOCAL, USAGE_MAPPED, self._hal, array, kind).ref

    def _share(self, array: np.ndarray, kind: int) -> Buffer | None:
        """A buffer in the array's own memory, or None where its layout or alignment forbids."""
        if not array.flags.c_contiguous:
            return None
        bits = _uploadable(array)
        if not array.flags.writeable:
            bits = writable(bits)
        try:
            view = self._hal.from_dlpack_capsule(bits.__dlpack__())
        except IndexError:  # OUT_OF_RANGE: not 64-byte aligned
            return None
        if view.element_type == kind:
            return view.ref
        return _iree.make_view(view.get_buffer(), array.shape, kind).ref

    def get(self, buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        view = _iree.as_view(buffer)
        if dtype == bfloat16:  # which DLPack has and NumPy's DLPack has not: as its bits
            view = _iree.make_view(view.get_buffer(), shape, _KINDS[_BITS[dtype]])
        array = np.from_dlpack(_Exported(self._hal.create_dlpack_capsule(view, _DLPACK_CPU, 0)))
        if array.dtype is not dtype:
            array = array.view(dtype)
        return array if array.shape == shape else array.reshape(shape)


class DeviceMemory:
    """Transfers for devices with memory of their own: Vulkan, CUDA. Both ways copy."""

    def __init__(self, hal: Any):
        self._hal = hal
        self._allocator = hal.allocator

    def put(self, array: np.ndarray, share: bool = True) -> Buffer:
        del share  # nothing to share
        kind = element_type(array.dtype)
        data = _uploadable(array)
        return self._allocator.allocate_buffer_copy(DEVICE_LOCAL, _iree.USAGE_DEFAULT, self._hal, data, kind).ref

    def get(self, buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Through a staging buffer: device memory may be invisible, or not mappable there (lavapipe)."""
        source = _iree.as_view(buffer).get_buffer()
        count = source.byte_length()
        array = np.empty(shape, dtype)
        if count:
            staging = self._allocator.allocate_buffer(_iree.HOST_STAGING, _iree.USAGE_READ_BACK, count)
            done = self._hal.create_semaphore(0)
            self._hal.queue_copy(source, staging, [], [(done, 1)])
            done.wait(1)
            mapped = staging.map()  # whose arrays do not keep it
            array[...] = mapped.asarray(shape, dtype)
        array.setflags(write=False)
        return array
