"""Arrays of other libraries' arrays, in the same memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import ELEMENT_TYPES, bfloat16
from sable.runtime import dlpack

from .array import Value, copy_of, cpu_device, from_numpy
from .destinations import to_device
from .dtypes import canonicalize_dtype
from .sharding import SingleDeviceSharding


def is_supported_dtype(dtype: Any) -> bool:
    """Whether arrays of a dtype can be exchanged by DLPack.

    Args:
      dtype: a dtype.

    Raises:
      TypeError: no dtype.

    Example:
      >>> jax.dlpack.is_supported_dtype(np.float32), jax.dlpack.is_supported_dtype(jax.numpy.int4)
      (True, False)
    """
    if dtype is None:
        raise TypeError(f"Expected a string or dtype-like object; got dtype={dtype!r}")
    found = np.dtype(dtype)
    return found == bfloat16 or (found in ELEMENT_TYPES and found.isbuiltin == 1)


def from_dlpack(external_array: Any, device: Any = None, copy: bool | None = None) -> Value:
    """An array in the memory of another library's array on the CPU, which must not be written to any more.

    Args:
      external_array: an array with `__dlpack__` and `__dlpack_device__`: NumPy's, PyTorch's ...
      device: where the array shall be: a device or a sharding; None: where it is.
      copy: whether to copy; None: where it must be: to another device, to a dtype that arrays can have, out of memory in
        which rows do not follow each other.

    Raises:
      TypeError: no such array, another device than the CPU, no numbers.
      ValueError: `copy=False` where a copy must be made.
      BufferError: the library does not hand over its array.

    Example:
      >>> memory = np.arange(3, dtype=np.float32)
      >>> jax.dlpack.from_dlpack(memory) + 1
      Array([1., 2., 3.], dtype=float32)
    """
    if not hasattr(external_array, "__dlpack__") or not hasattr(external_array, "__dlpack_device__"):
        raise TypeError("The array passed to from_dlpack must have __dlpack__ and __dlpack_device__ methods.")
    place = tuple(map(int, external_array.__dlpack_device__()))
    if place != dlpack.CPU:
        raise TypeError(
            f"Array passed to from_dlpack is on unsupported device type: expected the CPU, {dlpack.CPU}, got {place}"
        )
    target = device.device if isinstance(device, SingleDeviceSharding) else device
    if copy is False and target is not None and target is not cpu_device():
        raise ValueError(f"Specified device={device!r} which requires a copy, however copy=False.")
    given = dlpack.array_of(external_array.__dlpack__())
    value = np.ascontiguousarray(given, canonicalize_dtype(given.dtype)).reshape(given.shape)
    if copy is False and not np.shares_memory(value, given) and given.size:
        raise ValueError(
            f"Specified input which requires a copy, since its strides are {given.strides} and its dtype {given.dtype}. "
            "However copy=False. Set copy=True or copy=None."
        )
    made = from_numpy(value)
    return to_device(copy_of(made) if copy and np.shares_memory(value, given) else made, target or cpu_device())
