"""Functions to programs on a device: lowered, compiled, loaded once for each device."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from typing import Any

from sable import compiler, runtime
from sable._once import Once
from sable.compiler import CompilationError
from sable.ir.aval import Aval
from sable.ir.function import Function

from . import compile_log
from .array import Array, cpu_device
from .blame import with_culprit
from .device_check import check_device
from .placement import buffer_of
from .preparation import Prepared, compile_prepared, prepare, target_of
from .statistics import STATISTICS

_LOADING: Once[Loaded] = Once(lasting=(CompilationError,))


class Loaded:
    """A compiled function on a device. Call it with arrays."""

    __slots__ = ("_avals", "_device", "_invoke", "_own", "executable", "source")

    def __init__(self, executable: Any, device: Any, avals: Sequence[Aval], source: str):
        self.executable = executable
        self.source = source
        self._device = device
        self._own = None if device is cpu_device() else device
        self._avals = tuple(avals)
        self._invoke = executable.invoke

    def __call__(self, values: Sequence[Array]) -> list[Array]:
        own, device = self._own, self._device
        buffers = []
        committed = False
        for x in values:
            buffer = x._buffer if x._device is own else None
            buffers.append(buffer if buffer is not None else buffer_of(x, device))
            committed = committed or x.committed
        results = [Array(a, None, r, own) for a, r in zip(self._avals, self._invoke(buffers))]
        if committed:
            for y in results:
                y.committed = True
        return results


_compiles_expected = False


def expect_compiles() -> None:
    """Let the compiler load in a process of its own meanwhile; it takes 0.15 s.

    Not in workers of `multiprocessing`: there are many, and what they run has mostly been compiled by others.
    """
    global _compiles_expected
    if _compiles_expected or _is_worker():
        return
    _compiles_expected = True
    with contextlib.suppress(OSError):  # the first compile will say what is wrong
        compiler.prestart()


def _is_worker() -> bool:
    processes = sys.modules.get("multiprocessing.process")  # every worker has it, and its name before it imports more
    return processes is not None and processes.current_process().name != "MainProcess"


def load(function: Function, device: Any) -> Loaded:
    """The function compiled for a device, made once; threads that load different functions do not wait for each other.

    Raises:
      CompilationError: the compiler failed; names the op and the user's line.
    """
    key = ("loaded", device)
    found = function.memo.get(key)
    if found is not None:
        return found

    def make() -> Loaded:
        made = function.memo[key] = _load(function, device)
        return made

    return _LOADING.get((function, device), lambda: function.memo.get(key), make)


def _load(function: Function, device: Any) -> Loaded:
    compile_log.log_compile(function.name, function.in_avals)
    start = time.perf_counter()
    with compile_log.timed(
        f"Finished lowering jit({function.name}) to StableHLO", "jaxpr_to_mlir_module_duration", function.name
    ):
        prepared = prepare(function, device.platform, native=device.native_kernels)
    lowered = time.perf_counter()
    with compile_log.timed(f"Finished compilation of jit({function.name})", "backend_compile_duration", function.name):
        compiled = _compile(function, prepared, target_of(device))
    STATISTICS.count(compiled.source, function.name, lowered - start, time.perf_counter() - lowered)
    hosts = {
        name.removeprefix("host."): runtime.HostFunction(c.checked, c.in_avals, c.out_avals)
        for name, c in prepared.hosts.items()
    }
    executable = runtime.Executable(
        compiled.vmfb,
        device,
        results=[a.update(weak_type=False) for a in function.out_avals],
        host_functions=hosts,
        threaded=prepared.threaded,
        native_kernels=prepared.native_kernels,
        name=function.name,
    )
    return Loaded(executable, device, function.out_avals, compiled.source)


def _compile(function: Function, prepared: Prepared, target: Any) -> Any:
    try:
        return compile_prepared(prepared, target)
    except CompilationError as error:
        raise CompilationError(with_culprit(error.failure, function, target)) from None


for _platform in ("vulkan", "cuda"):
    runtime.register_self_test(_platform, check_device)
