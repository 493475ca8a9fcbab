"""Devices, buffers and calls of compiled programs; runs deployed modules with iree-base-runtime and NumPy
alone.

device = devices()[0]
executable = Executable(vmfb, device, results=[aval])
[result] = executable([put(device, array)])
get(device, result, aval.shape, aval.dtype)
"""

from __future__ import annotations

import numpy as np

from sable.runtime._iree import Buffer
from sable.runtime.buffers import aligned_empty
from sable.runtime.deployed import LoadedFunction, load
from sable.runtime.devices import Device, default_device, devices, register_self_test
from sable.runtime.errors import ExecutionError
from sable.runtime.executable import Executable
from sable.runtime.host_calls import HostFunction
from sable.runtime.signature import Signature, TensorType

__all__ = [
    "Buffer",
    "Device",
    "Executable",
    "ExecutionError",
    "HostFunction",
    "LoadedFunction",
    "Signature",
    "TensorType",
    "aligned_empty",
    "default_device",
    "devices",
    "get",
    "load",
    "put",
    "register_self_test",
]


def put(device: Device, array: np.ndarray, share: bool = True) -> Buffer:
    """Brings an array to a device.

    Args:
      device: where to.
      array: any shape; a dtype of `sable.ir.aval.ELEMENT_TYPES`.
      share: let a CPU buffer be the array's own memory where that is quicker (64 KiB or more, contiguous,
        64-byte aligned, as `aligned_empty` makes it); the array lives on with the buffer, and must not be
        changed. False always copies.

    Returns:
      A buffer, usable by all executables of that device.

    Raises:
      TypeError: a dtype that devices do not compute with.
    """
    return device.put(array, share)


def get(device: Device, buffer: Buffer, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The contents of a buffer.

    Args:
      device: where the buffer is.
      buffer: from `put` or an executable.
      shape, dtype: what it holds.

    Returns:
      A read-only array: on the CPU a view that keeps the buffer alive, elsewhere a copy.
    """
    return device.get(buffer, shape, dtype)
