"""Functions to programs on a device: lowered, compiled, loaded once for each device."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sable import compiler, runtime
from sable._config import config
from sable._config.logs import log_compiles_level
from sable._once import Once
from sable.compiler import CompilationError, CompileOptions, Target
from sable.ir.aval import Aval
from sable.ir.bindings import CONTEXT, ir, passmanager
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
_STRIP_LOCATIONS = "builtin.module(strip-debuginfo)"
_LOG = logging.getLogger(__name__)

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
    """Let the compiler load in a process of its own meanwhile; it takes 0.15 s."""
    global _compiles_expected
    if _compiles_expected:
        return
    _compiles_expected = True
    with contextlib.suppress(OSError):  # the first compile will say what is wrong
        compiler.prestart()


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
    with compile_log.timed(f"Finished lowering jit({function.name}) to StableHLO"):
        prepared = prepare(function, device.platform, native=device.native_kernels)
    lowered = time.perf_counter()
    with compile_log.timed(f"Finished compilation of jit({function.name})"):
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
        threaded=prepared.tiled,
        native_kernels=prepared.native_kernels,
    )
    return Loaded(executable, device, function.out_avals, compiled.source)


def _compile(function: Function, prepared: Prepared, target: Any) -> Any:
    try:
        return compile_prepared(prepared, target)
    except CompilationError as error:
        from .blame import with_culprit

        raise CompilationError(with_culprit(error.failure, function, target)) from None


def compile_prepared(prepared: Prepared, target: Any) -> Any:
    """Compile a prepared module; if it was to be tiled and the compiler fails on that, without tiling."""
    options = prepared.options
    if not prepared.tiled:
        return compiler.compile_module(prepared.module, target, options=options)
    try:
        flags = (*options.extra_flags, *_TILING_FLAGS)
        return compiler.compile_module(prepared.module, target, options=replace(options, extra_flags=flags))
    except CompilationError as error:
        _LOG.log(log_compiles_level(), "Compiling without tiles after a failure with them: %s", error.failure.summary)
        return compiler.compile_module(prepared.module, target, options=options)


@dataclass(frozen=True)
class Prepared:
    """A module ready for the compiler, as bytecode; `tiled` where it is to be tiled and run on worker threads."""

    module: bytes
    hosts: dict[str, Any]
    native_kernels: tuple[str, ...]
    options: Any
    tiled: bool


def prepare(function: Function, platform: str, captures: Sequence[np.ndarray] = (), native: bool = False) -> Prepared:
    """Lower a function to StableHLO, as bytes. Its loops are lowered where a crash is survivable: by the compiler.

    Args:
      native: whether it may call native kernels, which are there in this process only; see `sable.passes.lower.lower`.
    """
    from sable.passes.estimate import estimate
    from sable.passes.legalize.loops import fold_control_flow
    from sable.passes.lower import lower

    lowered = lower(function, platform, captures=captures, native=native)
    compile_log.check(function, lowered.module)
    compile_log.dump(function, lowered.module)
    tiled = platform == "cpu" and not lowered.hosts and estimate(lowered.module).tiled
    has_loops = fold_control_flow(lowered.module)
    module, fingerprint = _written(lowered.module)
    options = CompileOptions(
        input_type="auto" if has_loops else "stablehlo",
        loops=platform if has_loops else "",
        distribute=tiled or platform != "cpu",
        fingerprint=None if config.jax_compilation_cache_include_metadata_in_key else fingerprint,
        keeping=compile_log.keeping(),
        printed=_printed,
    )
    return Prepared(module, lowered.hosts, lowered.native_kernels, options, tiled)


def _printed(module: bytes) -> bytes:
    with CONTEXT:
        operation = ir.Module.parse(module).operation
    return operation.get_asm(enable_debug_info=True, assume_verified=True).encode()


class _Hashed:
    """A file that keeps the hash of what is written to it."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.write = self._digest.update
        self.digest = self._digest.digest


def _written(module: ir.Module) -> tuple[bytes, bytes]:
    """The module as bytecode, and a hash of all but its locations, which the module loses.

    Locations are no part of the cache key: moving a function in its file compiles nothing. Bytecode numbers what it
    refers to in the order of the operations, so that the hash is the same in every process.
    """
    stream, hashed = io.BytesIO(), _Hashed()
    module.operation.write_bytecode(stream)
    with CONTEXT:
        strip = passmanager.PassManager.parse(_STRIP_LOCATIONS)
    strip.enable_verifier(False)
    strip.run(module.operation)
    module.operation.write_bytecode(hashed)
    return stream.getvalue(), hashed.digest()


def target_of(device: Any) -> Any:
    """The compiler's target for a device."""
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
