"""How a module's loops and branches reach IREE: as kernels where that is allowed and pays, else as cf blocks."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from sable.ir.bindings import CONTEXT, ir

from ..ir_tools import CONTROL_FLOW, copy_module, functions_with_body, inline_calls, walk_module
from ..kernels import FLAGS, KernelLimits, NotAKernel, dispatch_native_calls, has_native_calls, kernels_for_loops
from .column_reductions import part_column_reductions
from .crossed_reductions import part_crossed_reductions
from .known_branches import fold_known_control_flow
from .loops_to_blocks import blocks_of_control_flow
from .private_copies import copy_update_targets
from .spread_views import copy_spread_views
from .wide_fills import make_wide_fills
from .wide_fusions import split_wide_fusions

#: What `LoopOptions.route` may be.
ROUTES = ("auto", "blocks", "kernel")


@dataclass(frozen=True)
class LoopOptions:
    """Options of `lower_loops`.

    Attributes:
      target_platform: "cpu", "vulkan", "cuda" ...: only CPUs have loop kernels.
      route: "auto"; "blocks" for no kernels; "kernel" for the whole program as one kernel, or NotAKernel.
      limits: how much work a kernel may hold.
    """

    target_platform: str = "cpu"
    route: str = "auto"
    limits: KernelLimits = field(default_factory=KernelLimits)


@dataclass(frozen=True)
class LoweredLoops:
    """A module without structured control flow, and what IREE must be told to compile it.

    Attributes:
      module: a new module.
      route: "none" (no control flow), "blocks", "kernel" (no loop is left outside of kernels), "mixed".
      input_type: for `--iree-input-type`.
      extra_flags: for the compiler, besides those of the target.
      reason: why not everything is a kernel; for people.
    """

    module: ir.Module
    route: str
    input_type: str = "auto"
    extra_flags: tuple[str, ...] = ()
    reason: str = ""


def fold_control_flow(module: ir.Module, platform: str) -> bool:
    """Inlines calls, takes branches that are known, copies what IREE would wrongly update in place in straight code.

    Args:
      module: StableHLO with one public function; changed in place.
      platform: see `LoopOptions`.

    Returns:
      Whether there is something left that is `lower_loops`' to lower: control flow, or calls of native kernels.
    """
    with module.context, ir.Location.unknown():
        inline_calls(module)
        for function in functions_with_body(module):
            fold_known_control_flow(function.regions[0].blocks[0])
        if _has_control_flow(module) or has_native_calls(module):
            return True
        # not only loops: IREE overwrites the caller's array by an update in place in straight code too
        copy_update_targets(module)
        _part_dispatches(module, platform)
        return False


def lower_loops(module: ir.Module, options: LoopOptions = LoopOptions()) -> LoweredLoops:
    """Removes all structured control flow and calls of native kernels, and copies what IREE would wrongly update in place.

    Run it where a compiler crash is survivable: the kernel route runs many of MLIR's passes.

    Args:
      module: StableHLO with one public function; it is left as it is.
      options: target and route.

    Raises:
      NotAKernel: if `options.route` is "kernel" and the program cannot be one.
    """
    module = copy_module(module)
    if not fold_control_flow(module, options.target_platform):
        return LoweredLoops(module, "none", "stablehlo")
    with module.context, ir.Location.unknown():
        return _lower(module, options)


def lower_bytes(module: bytes, platform: str, route: str) -> tuple[bytes, tuple[str, ...], str]:
    """`lower_loops` in the compiler's own process, which knows bytes.

    Args:
      module: text or bytecode.
      platform, route: see `LoopOptions`.

    Returns:
      The new module as bytecode, flags for the compiler, and the reason of `LoweredLoops`.
    """
    with CONTEXT:
        lowered = lower_loops(ir.Module.parse(module), LoopOptions(target_platform=platform, route=route))
    stream = io.BytesIO()
    lowered.module.operation.write_bytecode(stream)
    return stream.getvalue(), lowered.extra_flags, lowered.reason


def _lower(module: ir.Module, options: LoopOptions) -> LoweredLoops:
    if options.route == "blocks" or options.target_platform != "cpu":
        blocks_of_control_flow(module)
        _part_dispatches(module, options.target_platform)
        dispatch_native_calls(module)
        return LoweredLoops(module, "blocks", reason="asked for" if options.route == "blocks" else "no CPU")
    outcome = kernels_for_loops(module, options.limits)
    reason = "; ".join(outcome.refused)
    if options.route == "kernel" and not outcome.whole:
        raise NotAKernel(reason)
    complete = not _has_control_flow(module)
    blocks_of_control_flow(module)
    _part_dispatches(module, options.target_platform)
    dispatch_native_calls(module)
    if not outcome.kernels:
        return LoweredLoops(module, "blocks", reason=reason)
    return LoweredLoops(module, "kernel" if complete else "mixed", extra_flags=FLAGS, reason=reason)


def _part_dispatches(module: ir.Module, platform: str) -> None:
    """Fills and barriers where IREE's own dispatches go wrong; nothing may come behind that changes what is fused."""
    make_wide_fills(module)
    copy_spread_views(module, platform)
    part_column_reductions(module, platform)
    part_crossed_reductions(module)
    split_wide_fusions(module, platform)


def _has_control_flow(module: ir.Module) -> bool:
    return any(op.name in CONTROL_FLOW for op in walk_module(module))
