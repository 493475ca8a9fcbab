"""The only module that imports `iree.runtime`: what Sable uses of it, under names that state what they do.

Measured with IREE 3.13 (benchmarks/runtime_call.py prints the figures of your machine):

* A `VmRef` is the cheapest handle of a device buffer (0.07 µs to take from a result list, against 0.21 µs for
  a `HalBufferView`), so it is what callers of `sable.runtime` hold, as an opaque `Buffer`.
* DLPack is the only import of host memory with a native release: `import_host_allocation` keeps the array
  alive through a Python object only, and a program that returns its argument outlives that object. DLPack is
  also the quickest way out (0.5 µs, against 1.2 µs for `map().asarray`), and refuses memory that is not
  64-byte aligned, which compiled code would read with aligned vector loads, hence with a segmentation fault.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import iree.runtime
import numpy as np
from iree.runtime import HalDevice, VmContext, VmInstance, VmModule
from iree.runtime import VmRef as Buffer
from iree.runtime import VmVariantList as VariantList

from sable._forks import in_child, new_lock
from sable.ir.aval import NARROW_TYPES, bfloat16

#: IREE types that pass through; the rest of the module is used by qualified name.
__all__ = ["Buffer", "HalDevice", "VariantList"]

# Untyped: IREE's stubs disagree with its binaries in places.
rt: Any = iree.runtime

# Buffers and contexts are released in any order when the interpreter ends; nanobind
# would report each as a leak.
rt._binding.disable_leak_checker()

_ELEMENT = rt.HalElementType
#: NumPy dtype -> HAL element type.
ELEMENT_TYPES: dict[np.dtype, int] = {
    np.dtype(np.bool_): int(_ELEMENT.BOOL_8),
    np.dtype(np.int8): int(_ELEMENT.SINT_8),
    np.dtype(np.int16): int(_ELEMENT.SINT_16),
    np.dtype(np.int32): int(_ELEMENT.SINT_32),
    np.dtype(np.int64): int(_ELEMENT.SINT_64),
    np.dtype(np.uint8): int(_ELEMENT.UINT_8),
    np.dtype(np.uint16): int(_ELEMENT.UINT_16),
    np.dtype(np.uint32): int(_ELEMENT.UINT_32),
    np.dtype(np.uint64): int(_ELEMENT.UINT_64),
    np.dtype(np.float16): int(_ELEMENT.FLOAT_16),
    bfloat16: int(_ELEMENT.BFLOAT_16),
    np.dtype(np.float32): int(_ELEMENT.FLOAT_32),
    np.dtype(np.float64): int(_ELEMENT.FLOAT_64),
    np.dtype(np.complex64): int(_ELEMENT.COMPLEX_64),
    np.dtype(np.complex128): int(_ELEMENT.COMPLEX_128),
    **{dtype: int(_ELEMENT.SINT_8 if dtype.name.startswith("int") else _ELEMENT.UINT_8) for dtype in NARROW_TYPES},
}
#: HAL element type -> NumPy dtype; signless integers, which programs produce too, read as signed.
DTYPES: dict[int, np.dtype] = {
    **{element_type: dtype for dtype, element_type in ELEMENT_TYPES.items() if dtype not in NARROW_TYPES},
    int(_ELEMENT.INT_8): np.dtype(np.int8),
    int(_ELEMENT.INT_16): np.dtype(np.int16),
    int(_ELEMENT.INT_32): np.dtype(np.int32),
    int(_ELEMENT.INT_64): np.dtype(np.int64),
}

DEVICE_LOCAL = int(rt.MemoryType.DEVICE_LOCAL)
HOST_STAGING = int(rt.MemoryType.HOST_LOCAL | rt.MemoryType.DEVICE_VISIBLE)
USAGE_DEFAULT = int(rt.BufferUsage.DEFAULT)
USAGE_MAPPED = int(rt.BufferUsage.DEFAULT | rt.BufferUsage.MAPPING)
USAGE_READ_BACK = int(rt.BufferUsage.TRANSFER_TARGET | rt.BufferUsage.MAPPING_SCOPED)

#: `VmRef -> HalBufferView`; 0.06 µs, against 0.18 µs for `ref.deref(HalBufferView)`.
as_view: Callable[[Buffer], Any] = rt.HalBufferView.__iree_vm_cast__
make_view = rt.HalBufferView

# HAL types are registered process-wide without a lock when an instance is made (iree-org/iree #24615), so
# there is one instance, made under a lock.
_LOCK = new_lock()
_INSTANCE: VmInstance | None = None
_DRIVERS: dict[str, Any] = {}


def instance() -> VmInstance:
    """The process's VM instance."""
    global _INSTANCE
    with _LOCK:
        if _INSTANCE is None:
            _INSTANCE = VmInstance()
        return _INSTANCE


def keep_forever(thing: Any) -> None:
    """No reference that is dropped, not even when the interpreter ends, destroys the thing."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _driver(name: str) -> Any:
    """A driver of this process, and not of the process that forked it: its threads must be here.

    A driver waits for its threads when it is destroyed, so it never is.
    """
    instance()
    with _LOCK:
        if name not in _DRIVERS:
            _DRIVERS[name] = made = rt._binding.create_hal_driver(name)  # `get_driver` gives the parent's
            keep_forever(made)
        return _DRIVERS[name]


in_child(_DRIVERS.clear)


def driver_devices(driver: str) -> list[dict[str, Any]]:
    """The devices that a driver reports (`device_id`, `path`, `name`).

    Raises:
      RuntimeError: the driver or the library beneath it is missing or does not start.
    """
    try:
        return list(_driver(driver).query_available_devices())
    except (RuntimeError, ValueError, OSError) as error:
        raise RuntimeError(status_message(error)) from error


def describe_device(driver: str, device_id: int) -> str:
    """The driver's own description of a device: several lines of text, different for each driver."""
    return _driver(driver).dump_device_info(device_id)


_VULKAN = "libvulkan.so.1"


def prepare_vulkan_driver(library: str) -> None:
    """Has IREE reach Vulkan through a library that repairs its driver's races; before the driver is made.

    Where there is no Vulkan, or not under this name, IREE looks for it by itself and says what it misses.

    Args:
      library: the native module (python/native/vulkan.cpp).
    """
    with contextlib.suppress(OSError):
        ctypes.CDLL(_VULKAN)
        rt.flags.parse_flags(f"--vulkan_libvulkan_search_path={library}")


#: Bytes of a worker's stack on local-task, whose default of 128 KiB is little for LAPACK.
_WORKER_STACK = 8 << 20


@functools.cache
def prepare_cpu_drivers(plugin: str | None) -> None:
    """What IREE's CPU drivers must know before they are made.

    Args:
      plugin: the shared library that resolves the imports of executables, if there is one.
    """
    rt.flags.parse_flags(f"--task_worker_stack_size={_WORKER_STACK}")
    if plugin is not None:
        rt.flags.parse_flags(f"--executable_plugin={plugin}")


def create_device(driver: str, device_id: int, caching: bool) -> HalDevice:
    """Opens a device, which then lives as long as the process.

    Buffers release their memory into their device's allocator without holding it, and interpreter shutdown
    drops references in no useful order: a device that dies first is a segmentation fault. So devices are
    immortal.
    """
    options = {"allocators": ["caching"]} if caching else {}
    device = _driver(driver).create_device(device_id, **options)
    keep_forever(device)
    return device


def hal_module(device: HalDevice) -> VmModule:
    """The VM module through which programs reach the device."""
    return rt.create_hal_module(instance(), device)


def program_module(vmfb: Any) -> VmModule:
    """A compiled program from its bytes, which it keeps, or keeps a 64-byte aligned copy of."""
    return VmModule.from_buffer(instance(), vmfb, warn_if_copy=False)


def make_context(modules: Sequence[VmModule]) -> VmContext:
    """Links modules, in order of dependency, and runs their initialisers."""
    try:
        return VmContext(instance(), modules=list(modules))
    finally:
        remove_leftovers()


#: Where Linux lists what this process has open.
_DESCRIPTORS = "/proc/self/fd"
_LEFTOVER = "/iree_dylib_"


def remove_leftovers() -> None:
    """Closes and removes what IREE's loader leaves of each system-linked executable: an empty temporary file, still open.

    It is made for its name only, to which the library's own file adds a suffix, so that nobody reads or writes it.
    """
    if not os.path.isdir(_DESCRIPTORS):  # not Linux
        return
    with _LOCK:  # between the look and the closing the number must not come to mean another file
        for name in os.listdir(_DESCRIPTORS):
            with contextlib.suppress(FileNotFoundError):  # closed or removed meanwhile
                path = os.readlink(f"{_DESCRIPTORS}/{name}")
                if _LEFTOVER in path and os.fstat(int(name)).st_size == 0:
                    os.close(int(name))
                    os.unlink(path)


def host_module(name: str, exports: Mapping[str, tuple[str, Callable]], state: Callable[[], Any]) -> VmModule:
    """A VM module of Python functions.

    Args:
      name: its name as programs spell it (`host`).
      exports: function name -> (calling convention, callable of the context's state and the arguments).
      state: makes the state of a context that links the module.
    """
    interface = rt.PyModuleInterface(name, lambda _: state())
    for export, (convention, function) in exports.items():
        interface.export(export, convention, function)
    return interface.create()


def parameters_module(parameters: Mapping[str, Any]) -> tuple[VmModule, list[Any]]:
    """A module that provides parameters to programs that name them.

    Args:
      parameters: scope -> path of a .safetensors, .irpa or .gguf file, or a mapping of key -> NumPy array.

    Returns:
      The module, and what must stay alive as long as contexts are made with it: a context copies the
      parameters it names when it is made, from memory that no native object owns.
    """
    providers = []
    sources = []
    for scope, source in parameters.items():
        index = rt.ParameterIndex()
        if isinstance(source, Mapping):
            for key, array in source.items():
                data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
                index.add_buffer(key, data)
                sources.append(data)
        else:
            index.load(str(Path(source)))
        sources.append(index)
        providers.append(index.create_provider(scope=scope))
    return rt.create_io_parameters_module(instance(), *providers), sources


_STATUS = re.compile(r"\S+\.(?:c|cc|h):\d+: (?P<code>[A-Z_]+)(?:; (?P<detail>.*))?", re.DOTALL)
# What the VM adds on its way out: native frames, and a back trace of byte offsets.
_FRAMES = re.compile(r"; while (?:invoking native function|calling import)\b[^;]*|\n\[ *\d+\].*", re.DOTALL)


def status_message(error: BaseException) -> str:
    """What an IREE status says, without positions in IREE's sources and bytecode: `<detail> (<CODE>)`."""
    found = _STATUS.search(str(error))
    if found is None:
        return str(error)
    detail = _FRAMES.sub("", found["detail"] or "no detail given").strip("; \n")
    return f"{detail} ({found['code']})"
