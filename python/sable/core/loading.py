"""Functions to programs on a device: lowered, compiled, loaded once for each device."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sable import runtime
from sable._config import config
from sable.ir.aval import Aval
from sable.ir.function import Function

from . import compile_log
from .array import Array
from .placement import buffer_of, cpu_device
from .statistics import STATISTICS

#: Flags for programs that are mostly large matmuls; see `sable.passes.estimate`.
_TILING_FLAGS = (
    "--iree-dispatch-creation-data-tiling=true",
    "--iree-llvmcpu-enable-inner-tiled",
    "--iree-llvmcpu-enable-ukernels=none",
)

_LOCK = threading.RLock()


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
    """Let the compiler load in a process of its own meanwhile; it takes 0.15 s."""
    global _compiles_expected
    if _compiles_expected:
        return
    _compiles_expected = True
    from sable.compiler import prestart

    with contextlib.suppress(OSError):  # the first compile will say what is wrong
        prestart()


def load(function: Function, device: Any) -> Loaded:
    """The function compiled for a device, made once.

    Raises:
      CompilationError: the compiler failed; names the op and the user's line.
    """
    key = ("loaded", device)
    found = function.memo.get(key)
    if found is None:
        with _LOCK:
            found = function.memo.get(key)
            if found is None:
                found = function.memo[key] = _load(function, device)
    return found


def _load(function: Function, device: Any) -> Loaded:
    compile_log.log_compile(function.name, function.in_avals)
    start = time.perf_counter()
    with compile_log.timed(f"Finished lowering jit({function.name}) to StableHLO"):
        prepared = prepare(function, device.platform, native=device.native_kernels)
    STATISTICS.lower_seconds += time.perf_counter() - start
    start = time.perf_counter()
    with compile_log.timed(f"Finished compilation of jit({function.name})"):
        compiled = _compile(function, prepared, target_of(device))
    STATISTICS.compile_seconds += time.perf_counter() - start
    STATISTICS.count(compiled.source, function.name)
    hosts = {
        name.removeprefix("host."): runtime.HostFunction(c.checked, c.in_avals, c.out_avals)
        for name, c in prepared.hosts.items()
    }
    executable = runtime.Executable(
        compiled.vmfb,
        device,
        results=[a.update(weak_type=False) for a in function.out_avals],
        host_functions=hosts,
        threaded=prepared.tiled,
        native_kernels=prepared.native_kernels,
    )
    return Loaded(executable, device, function.out_avals, compiled.source)


def _compile(function: Function, prepared: Prepared, target: Any) -> Any:
    from sable.compiler import CompilationError

    try:
        return compile_prepared(prepared, target)
    except CompilationError as error:
        from .blame import with_culprit

        raise CompilationError(with_culprit(error.failure, function, target)) from None


def compile_prepared(prepared: Prepared, target: Any) -> Any:
    """Compile a prepared module; if it was to be tiled and the compiler fails on that, without tiling."""
    from sable.compiler import CompilationError, compile_module

    options = prepared.options
    if not prepared.tiled:
        return compile_module(prepared.text, target, options=options)
    try:
        flags = (*options.extra_flags, *_TILING_FLAGS)
        return compile_module(prepared.text, target, options=replace(options, extra_flags=flags))
    except CompilationError:
        return compile_module(prepared.text, target, options=options)


@dataclass(frozen=True)
class Prepared:
    """A module ready for the compiler; `tiled` where it is to be tiled and run on worker threads."""

    text: bytes
    hosts: dict[str, Any]
    native_kernels: tuple[str, ...]
    options: Any
    tiled: bool


def prepare(function: Function, platform: str, captures: Sequence[np.ndarray] = (), native: bool = False) -> Prepared:
    """Lower a function to StableHLO, as bytes. Its loops are lowered where a crash is survivable: by the compiler.

    Args:
      native: whether it may call native kernels, which are there in this process only; see `sable.passes.lower.lower`.
    """
    from sable.compiler import CompileOptions
    from sable.passes.estimate import estimate
    from sable.passes.legalize.loops import fold_control_flow
    from sable.passes.lower import lower

    lowered = lower(function, platform, captures=captures, native=native)
    compile_log.check(function, lowered.module)
    compile_log.dump(function, lowered.module)
    tiled = platform == "cpu" and not lowered.hosts and estimate(lowered.module).tiled
    has_loops = fold_control_flow(lowered.module)
    operation = lowered.module.operation
    # locations are no part of the cache key: moving a function in its file compiles nothing
    plain = operation.get_asm(binary=False, enable_debug_info=False).encode()
    text = operation.get_asm(binary=False, enable_debug_info=True).encode()
    options = CompileOptions(
        input_type="auto" if has_loops else "stablehlo",
        loops=platform if has_loops else "",
        distribute=tiled or platform != "cpu",
        fingerprint=None if config.jax_compilation_cache_include_metadata_in_key else hashlib.sha256(plain).digest(),
        keeping=compile_log.keeping(),
    )
    return Prepared(text, lowered.hosts, lowered.native_kernels, options, tiled)


def target_of(device: Any) -> Any:
    """The compiler's target for a device."""
    from sable.compiler import Target

    if device.platform == "vulkan":
        if device.compile_target is None:
            raise RuntimeError(
                f"IREE's target for {device.device_kind!r} ({device!r}) is not known. Name it by SABLE_VULKAN_TARGET, such "
                "as 'ampere', 'rdna3' or 'valhall' (flag --iree-vulkan-target of iree-compile)."
            )
        return Target(platform="vulkan", vulkan=device.compile_target)
    if device.platform == "cuda":
        return Target(platform="cuda")
    return Target(platform="cpu")


def _check_device(device: Any) -> None:
    from .device_check import check_device

    check_device(device)


for _platform in ("vulkan", "cuda"):
    runtime.register_self_test(_platform, _check_device)
