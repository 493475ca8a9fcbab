"""Functions made ready for the compiler: lowered to StableHLO, written as bytecode; functions of one op."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sable import compiler
from sable._config import config
from sable._config.logs import log_compiles_level
from sable.compiler import CompilationError, CompileOptions, Target
from sable.ir.aval import Aval
from sable.ir.bindings import CONTEXT, UNKNOWN, ir, passmanager
from sable.ir.function import Function
from sable.ir.location import user_location
from sable.ir.op import Op

from . import compile_log
from .state import STATE

#: Flags for programs that are mostly large matmuls; see `sable.passes.estimate`.
_TILING_FLAGS = (
    "--iree-dispatch-creation-data-tiling=true",
    "--iree-llvmcpu-enable-inner-tiled",
    "--iree-llvmcpu-enable-ukernels=none",
)
_STRIP_LOCATIONS = "builtin.module(strip-debuginfo)"
_LOG = logging.getLogger(__name__)
#: One-op functions by (op, avals, params), for eager ops on other devices.
_OP_FUNCTIONS: dict[tuple, Function] = {}
_OP_FUNCTIONS_SIZE = 4096


def op_function(op: Op, avals: tuple[Aval, ...], params: dict) -> Function:
    key: Any = (op, avals, *params.values())
    # a loop's wrapper lives as long as its body
    memo = params[op.functions[0]].memo if op.functions else _OP_FUNCTIONS
    found = memo.get(key)
    if found is None:
        out = op.type(*avals, **params)
        outs = list(out) if op.multiple_results else [out]
        function = Function(avals, op.name)
        results = function.emit(op, list(function.arguments), params, outs, _location())
        found = function.finish(results, outs)
        if len(_OP_FUNCTIONS) > _OP_FUNCTIONS_SIZE:
            _OP_FUNCTIONS.clear()
        memo[key] = found
    return found


def _location() -> Any:
    """The location that a compiled eager op gets: the user's line."""
    return STATE.location or user_location() or UNKNOWN


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
    """A module ready for the compiler, as bytecode; how it is to be compiled (`tiled`) and run (`threaded`).

    See `sable.passes.estimate`.
    """

    module: bytes
    hosts: dict[str, Any]
    native_kernels: tuple[str, ...]
    options: Any
    tiled: bool
    threaded: bool


def prepare(function: Function, platform: str, captures: Sequence[np.ndarray] = (), native: bool = False) -> Prepared:
    """Lower a function to StableHLO, as bytes. Its loops are lowered where a crash is survivable: by the compiler.

    Args:
      native: whether it may call native kernels, which are there in this process only; see `sable.passes.lower.lower`.
    """
    # 0.06 s: only when something is lowered
    from sable.passes.estimate import estimate
    from sable.passes.legalize.loops import fold_control_flow
    from sable.passes.lower import lower

    lowered = lower(function, platform, captures=captures, native=native)
    compile_log.check(function, lowered.module)
    compile_log.dump(function, lowered.module)
    may_thread = platform == "cpu" and not lowered.hosts
    estimated = estimate(lowered.module) if may_thread else None
    tiled, threaded = (estimated.tiled, estimated.threaded) if estimated else (False, False)
    has_loops = fold_control_flow(lowered.module, platform)
    module, fingerprint = _written(lowered.module)
    options = CompileOptions(
        input_type="auto" if has_loops else "stablehlo",
        loops=platform if has_loops else "",
        distribute=tiled or platform != "cpu",
        fingerprint=None if config.jax_compilation_cache_include_metadata_in_key else fingerprint,
        keeping=compile_log.keeping(),
        printed=_printed,
    )
    return Prepared(module, lowered.hosts, lowered.native_kernels, options, tiled, threaded)


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
