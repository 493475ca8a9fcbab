"""Running deployed modules: a .vmfb file, NumPy in and out, without a compiler."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.runtime import _iree
from sable.runtime.buffers import aligned_empty
from sable.runtime.devices import Device, default_device
from sable.runtime.errors import ExecutionError
from sable.runtime.executable import Executable
from sable.runtime.host_calls import HostFunction, aval_text
from sable.runtime.signature import Signature, TensorType, parse_declaration


class LoadedFunction:
    """A function of a deployed module.

    Attributes:
      signature: the types of its arguments and results.
      executable: what runs it, for callers that keep buffers on the device.
    """

    def __init__(self, executable: Executable, signature: Signature, path: Path):
        self.executable = executable
        self.signature = signature
        self._path = path

    def __call__(self, *arguments: Any) -> Any:
        """Runs the function.

        Args:
          arguments: NumPy arrays of the declared dtypes and shapes; lists and Python scalars are converted.

        Returns:
          A read-only NumPy array; for several results a tuple of them, for none None.

        Raises:
          TypeError: wrong number of arguments, or an array of another dtype.
          ValueError: an array of another shape.
          ExecutionError: the program failed.
        """
        wanted = self.signature.arguments
        if len(arguments) != len(wanted):
            raise TypeError(f"{self!r} takes {len(wanted)} argument(s), got {len(arguments)}")
        device = self.executable.device
        arrays = [_argument(i, value, type_) for i, (value, type_) in enumerate(zip(arguments, wanted))]
        buffers = self.executable.invoke([device.put(array) for array in arrays])
        results = tuple(_result(device, buffer, t) for buffer, t in zip(buffers, self.signature.results))
        if not results:
            return None
        return results[0] if len(results) == 1 else results

    def __repr__(self) -> str:
        arguments = ", ".join(t.short() for t in self.signature.arguments)
        results = ", ".join(t.short() for t in self.signature.results)
        return f"<{self._path.name}:{self.executable.entry}({arguments}) -> ({results})>"


def load(
    path: str | os.PathLike,
    device: Device | None = None,
    *,
    entry: str = "main",
    threaded: bool = False,
    parameters: Mapping[str, Any] | None = None,
    host_functions: Mapping[str, HostFunction] | None = None,
) -> LoadedFunction:
    """Loads a compiled module from a file; needs iree-base-runtime, not the compiler.

    Args:
      path: a .vmfb file.
      device: where to run it; the CPU if None. It must be what the module was compiled for.
      entry: the exported function.
      threaded, parameters, host_functions: as for `Executable`.

    Returns:
      A callable: NumPy arrays in, NumPy arrays out.

    Raises:
      OSError: the file cannot be read.
      ExecutionError: it is no module for this device, or has no such function of tensors.

    >>> predict = load("digits.vmfb")                                  # doctest: +SKIP
    >>> predict(image)                                                 # doctest: +SKIP
    """
    path = Path(path)
    options = {
        "entry": entry,
        "threaded": threaded,
        "parameters": parameters,
        "host_functions": host_functions,
    }
    vmfb = _read_aligned(path)
    target = default_device() if device is None else device
    declaration = Executable(vmfb, target, results=(), **options).declaration
    if not declaration:
        raise ExecutionError(f"{path}: function {entry!r} does not state its signature")
    signature = parse_declaration(declaration)
    executable = Executable(vmfb, target, results=[_bound(t) for t in signature.results], **options)
    return LoadedFunction(executable, signature, path)


def _read_aligned(path: Path) -> np.ndarray:
    """The file's bytes where IREE can use them in place. Not mapped: others may overwrite the file."""
    with open(path, "rb") as file:
        data = aligned_empty((os.fstat(file.fileno()).st_size,), np.dtype(np.uint8))
        file.readinto(data.data)
    return data


def _bound(type_: TensorType) -> Aval:
    """An aval with dynamic dimensions taken as 1: it sizes the bookkeeping of memory only."""
    return aval(tuple(1 if n is None else n for n in type_.shape), type_.dtype)


def _argument(index: int, value: Any, type_: TensorType) -> np.ndarray:
    array = value if isinstance(value, (np.ndarray, np.generic)) else np.asarray(value, type_.dtype)
    array = np.asarray(array)
    if array.dtype != type_.dtype:
        raise TypeError(f"argument {index} must be {type_.short()}, got {aval_text(array)}")
    if not type_.admits(array.shape):
        raise ValueError(f"argument {index} must be {type_.short()}, got {aval_text(array)}")
    return array


def _result(device: Device, buffer: _iree.Buffer, type_: TensorType) -> np.ndarray:
    shape = tuple(n for n in type_.shape if n is not None)
    if len(shape) < len(type_.shape):
        shape = tuple(_iree.as_view(buffer).shape)
    return device.get(buffer, shape, type_.dtype)
