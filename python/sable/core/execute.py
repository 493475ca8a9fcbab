"""Functions on concrete arrays: lowered, compiled, loaded once for each device, then called."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sable import runtime
from sable._config import config
from sable.dialects.op import OPS, Op
from sable.ir.aval import Aval
from sable.ir.bindings import UNKNOWN
from sable.ir.function import Function
from sable.ir.location import user_location

from .array import Array
from .state import STATE

#: Flags for programs that are mostly large matmuls; see `sable.passes.estimate`.
_TILING_FLAGS = (
    "--iree-dispatch-creation-data-tiling=true",
    "--iree-llvmcpu-enable-inner-tiled",
    "--iree-llvmcpu-enable-ukernels=none",
)


@dataclass
class Statistics:
    """What has been compiled, where it came from and how long it took (seconds), since the start or `reset`."""

    compiled: int = 0
    from_disk: int = 0
    from_memory: int = 0
    lower_seconds: float = 0.0
    compile_seconds: float = 0.0
    names: list[str] = field(default_factory=list)

    def reset(self) -> None:
        """Start counting anew."""
        self.__init__()  # type: ignore[misc]


STATISTICS = Statistics()
_LOCK = threading.RLock()


def default_device() -> Any:
    """The device of uncommitted arrays: `config.jax_default_device`, else the first CPU device."""
    chosen = config.jax_default_device
    if chosen is None:
        return runtime.default_device()
    return runtime.devices(chosen)[0] if isinstance(chosen, str) else chosen


def cpu_device() -> Any:
    """The CPU device that arrays without a device of their own are on."""
    return runtime.devices("cpu")[0]


def device_of(x: Array) -> Any:
    """The device that holds an array."""
    return x._device or cpu_device()


def fetch(x: Array) -> np.ndarray:
    """The values behind a device buffer."""
    return device_of(x).get(x._buffer, x.aval.shape, x.aval.dtype)


def buffer_of(x: Array, device: Any) -> Any:
    """The array's buffer on a device, made and kept if it is the array's own device."""
    own = x._device or cpu_device()
    if own is device:
        if x._buffer is None:
            x._buffer = device.put(x.numpy())
        return x._buffer
    return device.put(x.numpy())


def home() -> Any:
    """The `_device` of arrays that are made now and named no device: None for the CPU."""
    if config.jax_default_device is None:
        return None
    device = default_device()
    return None if device is cpu_device() else device


def common_device(values: Sequence[Array], name: str = "a function") -> Any:
    """The device where a program on these arrays runs: that of the committed ones, else the default device.

    Args:
      values: the arguments.
      name: of the program, for messages.

    Raises:
      ValueError: arrays are committed to different devices.
    """
    first: int | None = None
    for k, x in enumerate(values):
        if not x.committed:
            continue
        if first is None:
            first = k
        elif x._device is not values[first]._device:
            raise ValueError(
                f"Received incompatible devices for jitted computation. Got {_argument(first, values[first], name)} and "
                f"{_argument(k, x, name)}. Move one of them with device_put."
            )
    return default_device() if first is None else device_of(values[first])


def _argument(k: int, x: Array, name: str) -> str:
    device = device_of(x)
    return (
        f"argument {k} of {name} with shape {x.aval.short()} and with device ids [{device.id}] on platform "
        f"{device.platform.upper()}"
    )


def put(x: Array, device: Any, committed: bool) -> Array:
    """The array on a device (the same object if it is there already)."""
    target = None if device is cpu_device() else device
    if x._device is target and x.committed == committed:
        return x
    if x._device is target:
        made = Array(x.aval, x._value, x._buffer, target)
    elif target is None:
        made = Array(x.aval, x.numpy())
    else:
        made = Array(x.aval, None, device.put(x.numpy()), target)
    made.committed = committed
    return made


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
    start = time.perf_counter()
    prepared = prepare(function, device.platform)
    STATISTICS.lower_seconds += time.perf_counter() - start
    start = time.perf_counter()
    compiled = _compile(function, prepared, target_of(device))
    STATISTICS.compile_seconds += time.perf_counter() - start
    _count(compiled.source, function.name)
    hosts = {name.removeprefix("host."): c.for_runtime() for name, c in prepared.hosts.items()}
    executable = runtime.Executable(
        compiled.vmfb,
        device,
        results=[a.update(weak_type=False) for a in function.out_avals],
        host_functions=hosts,
        threaded=prepared.tiled,
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


def _count(source: str, name: str) -> None:
    STATISTICS.names.append(name)
    if source == "memory":
        STATISTICS.from_memory += 1
    elif source == "disk":
        STATISTICS.from_disk += 1
    else:
        STATISTICS.compiled += 1


@dataclass(frozen=True)
class Prepared:
    """A module ready for the compiler; `tiled` where it is to be tiled and run on worker threads."""

    text: bytes
    hosts: dict[str, Any]
    options: Any
    tiled: bool


def prepare(function: Function, platform: str, captures: Sequence[np.ndarray] = ()) -> Prepared:
    """Lower a function to StableHLO, as bytes. Its loops are lowered where a crash is survivable: by the compiler."""
    from sable.compiler import CompileOptions
    from sable.passes.estimate import estimate
    from sable.passes.legalize.loops import fold_control_flow
    from sable.passes.lower import lower

    lowered = lower(function, platform, captures=captures)
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
        fingerprint=hashlib.sha256(plain).digest(),
    )
    return Prepared(text, lowered.hosts, options, tiled)


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


# ---- ops that cannot be evaluated by NumPy --------------------------------------------------------------------

#: One-op functions by (op, avals, params), for eager ops on other devices.
_OP_FUNCTIONS: dict[tuple, Function] = {}
_OP_FUNCTIONS_SIZE = 4096


def run_op(op: Op, values: Sequence[Array], params: dict) -> Any:
    """An op on arrays by compiling it: eager ops elsewhere than on the CPU, calls, loops, branches."""
    if op.name in ("host_call", "host_effect"):
        return _run_host(params["callback"], values)
    if op.name in ("call", "custom_jvp_call", "custom_vjp_call"):
        return tuple(run(params["callee"], values))
    if op.name == "case":
        branches = params["branches"]
        k = min(max(int(values[0].numpy()), 0), len(branches) - 1)
        return tuple(run(branches[k], values[1:]))
    function = op_function(op, tuple(x.aval for x in values), params)
    out = run(function, values)
    return tuple(out) if op.multiple_results else out[0]


def _run_host(callback: Any, values: Sequence[Array]) -> tuple:
    device = common_device(values, "a host callback")
    arrays = callback.checked([x.numpy() for x in values])
    own = None if device is cpu_device() else device
    results = tuple(Array(a, y, None, own) for a, y in zip(callback.out_avals, arrays))
    for y in results:
        y.committed = any(x.committed for x in values)
    return results


def op_function(op: Op, avals: tuple[Aval, ...], params: dict) -> Function:
    key: Any = (op, avals, *params.values())
    # a loop's wrapper lives as long as its body
    memo = params[op.functions[0]].memo if op.functions else _OP_FUNCTIONS
    found = memo.get(key)
    if found is None:
        out = op.type(*avals, **params)
        outs = list(out) if op.multiple_results else [out]
        function = Function(avals, op.name)
        results = function.emit(op, function.arguments, params, outs, _location())
        found = function.finish(results, outs)
        if len(_OP_FUNCTIONS) > _OP_FUNCTIONS_SIZE:
            _OP_FUNCTIONS.clear()
        memo[key] = found
    return found


def _location() -> Any:
    """The location that a compiled eager op gets: the user's line."""
    return STATE.location or user_location() or UNKNOWN


def run(function: Function, values: Sequence[Array]) -> list[Array]:
    """Call a function on concrete arrays."""
    return load(function, common_device(values, function.name))(values)


def _check_device(device: Any) -> None:
    from .device_check import check_device

    check_device(device)


for _platform in ("vulkan", "cuda"):
    runtime.register_self_test(_platform, _check_device)


__all__ = [
    "OPS",
    "STATISTICS",
    "Callable",
    "Loaded",
    "common_device",
    "load",
    "prepare",
    "put",
    "run",
    "run_op",
]
