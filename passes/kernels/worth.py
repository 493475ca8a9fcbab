"""Which loops pay as kernels: small trips, where IREE's cost per dispatch is more than the work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, operations
from ..module_traits import traits_of, work_of
from .not_a_kernel import NotAKernel


@dataclass(frozen=True)
class KernelLimits:
    """Limits in scalar operations, of code outside of inner loops.

    A kernel runs on one core, and its matmuls are plain vectorised loops; as blocks a trip costs 2-8 us and as much
    again for each further dispatch, but has all cores and IREE's tiled matmul. Measured on two AVX-512 cores, kernel
    against blocks: elementwise 1.2e6 operations a trip 0.5, matrix * vector of 512 0.6, matmul 48 0.6, 64 1.4, 128 3.

    Attributes:
      trip: of one trip of a loop: about 200 us of one core.
      contraction: of one matmul or convolution: beyond it IREE's code wins although it is dispatched.
      around: of what stands outside of loops for a whole function to be one kernel: about 5 us.
    """

    trip: int = 1 << 21
    contraction: int = 1 << 18
    around: int = 1 << 14


#: Operations to an element read or written up to which a contraction is bound by memory: tiling it gains nothing.
_MEMORY_BOUND = 4


def check_trip(loop: ir.Operation, limits: KernelLimits) -> None:
    """Raises NotAKernel if a trip of the loop, or of one inside it, is too much work for a kernel."""
    for region in loop.regions:
        work = straight_work(region.blocks[0], limits)
        if work > limits.trip:
            raise NotAKernel(f"a trip is about {work} operations, more than {limits.trip}")
        for inner in inner_loops(region.blocks[0]):
            check_trip(inner, limits)


def inner_loops(block: ir.Block) -> list[ir.Operation]:
    """The outermost loops in a block, also those in branches."""
    found = []
    for op in operations(block):
        if op.name == "stablehlo.while":
            found.append(op)
        elif op.name in CONTROL_FLOW:
            for region in op.regions:
                found += inner_loops(region.blocks[0])
    return found


def straight_work(block: ir.Block, limits: KernelLimits) -> int:
    """Scalar operations of a block and of its branches, without its loops.

    Raises:
      NotAKernel: if one contraction is too large by itself.
    """
    total = 0
    for op in operations(block):
        if op.name == "stablehlo.while":
            continue
        if op.name in CONTROL_FLOW:
            total += max(straight_work(region.blocks[0], limits) for region in op.regions)
            continue
        work = work_of(op)
        if work > limits.contraction and _wants_tiling(op, work):
            raise NotAKernel(f"{op.name} of {work} operations, more than {limits.contraction}")
        total += work
    return total


def _wants_tiling(op: ir.Operation, work: int) -> bool:
    return traits_of(op.name).contraction and work > _MEMORY_BOUND * sum(map(_size, (*op.operands, *op.results)))


def _size(value: ir.Value) -> int:
    return math.prod(ir.RankedTensorType(value.type).shape)
