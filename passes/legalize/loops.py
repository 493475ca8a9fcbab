"""How a module's loops and branches reach IREE: as kernels where that is allowed and pays, else as cf blocks."""

from __future__ import annotations

from dataclasses import dataclass

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, copy_module, inline_calls, walk_module
from .loops_to_blocks import loops_to_blocks
from .private_copies import copy_update_targets


@dataclass(frozen=True)
class LoopOptions:
    """Options of `lower_loops`.

    Attributes:
      target_platform: "cpu", "vulkan", "cuda" ...: only CPUs have loop kernels.
      route: "auto", or "kernel" or "blocks" to insist on one.
    """

    target_platform: str = "cpu"
    route: str = "auto"


@dataclass(frozen=True)
class LoweredLoops:
    """A module without structured control flow, and what IREE must be told to compile it."""

    module: ir.Module
    route: str
    input_type: str = "auto"
    extra_flags: tuple[str, ...] = ()
    reason: str = ""


def lower_loops(module: ir.Module, options: LoopOptions = LoopOptions()) -> LoweredLoops:
    if not any(op.name in CONTROL_FLOW for op in walk_module(module)):
        straight = copy_module(module)
        inline_calls(straight)
        copy_update_targets(straight)
        return LoweredLoops(straight, "none", "stablehlo")
    blocks = copy_module(module)
    loops_to_blocks(blocks)
    return LoweredLoops(blocks, "blocks")
