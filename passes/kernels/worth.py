"""Which loops pay as kernels: small trips, where IREE's cost per dispatch is more than the work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, operations
from ..module_traits import traits_of
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
        if op.name == "stablehlo.while" or op.name == "stablehlo.constant":
            continue
        if op.name in CONTROL_FLOW:
            total += max(straight_work(region.blocks[0], limits) for region in op.regions)
            continue
        work = _work(op)
        if work > limits.contraction and _wants_tiling(op, work):
            raise NotAKernel(f"{op.name} of {work} operations, more than {limits.contraction}")
        total += work
    return total


def _wants_tiling(op: ir.Operation, work: int) -> bool:
    if op.name not in ("stablehlo.dot_general", "stablehlo.dot", "stablehlo.convolution"):
        return False
    return work > _MEMORY_BOUND * sum(_size(value) for value in (*op.operands, *op.results))


def _size(value: ir.Value) -> int:
    return math.prod(ir.RankedTensorType(value.type).shape)


def _work(op: ir.Operation) -> int:
    if op.name == "stablehlo.dynamic_update_slice":  # in place
        return _size(op.operands[1])
    if op.name == "stablehlo.scatter":
        return _size(op.operands[-1])
    results = sum(_size(result) for result in op.results if isinstance(result.type, ir.RankedTensorType))
    if op.name in ("stablehlo.dot_general", "stablehlo.dot"):
        return 2 * _contracted(op)
    if op.name == "stablehlo.convolution":
        return 2 * results * _size(op.operands[1])
    if op.name == "stablehlo.reduce":
        return max(results, sum(_size(operand) for operand in op.operands))
    return results * traits_of(op.name).cost


def _contracted(dot: ir.Operation) -> int:
    """Multiplications of a contraction: sqrt(left * right * result) for a matmul, times sqrt(batch) with batches."""
    left, right = (_size(operand) for operand in dot.operands[:2])
    result = _size(dot.results[0])
    batch = _batch_size(dot)
    return math.isqrt(left * right * result // batch) or 1


def _batch_size(dot: ir.Operation) -> int:
    if "dot_dimension_numbers" not in dot.attributes:
        return 1
    text = str(dot.attributes["dot_dimension_numbers"])
    if "lhs_batching_dimensions = [" not in text:
        return 1
    dimensions = text.split("lhs_batching_dimensions = [")[1].split("]")[0]
    shape = ir.RankedTensorType(dot.operands[0].type).shape
    return math.prod(shape[int(d)] for d in dimensions.split(","))
