"""estimate: how much work a StableHLO module is, and how it is therefore best compiled and run on a CPU.

Measured on two cores with AVX-512 (benchmarks/README.md, notes): spreading row-wise reductions over threads keeps IREE
from vectorising them (softmax 1000x1000: 1.7 ms inline, 56 ms threaded), elementwise programs and small matmuls do not
gain, large matmuls do; and these want their operands packed into tiles (1024: 54 ms plain, 13 tiled, 7 tiled and
threaded), which in turn spoils matrix-vector products and bf16. Sizes that are no multiple of the vectors gain sooner
(us, plain and tiled with threads: 200 180 127, 256 162 187, 300 662 308, 384 556 547, 500 3108 1078, 512 1433 1061).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sable.ir.bindings import ir
from sable.ir.codec import DOT

from .kernels import is_native_call, pieces_of
from .module_traits import work_of

#: Products from which a matmul is tiled: where all its sizes are multiples of VECTOR, and else.
TILED_EVEN = 10**8
TILED_RAGGED = 6 * 10**6
VECTOR = 16
#: Share of a module's work that large matmuls must have: the others pay for the tiling. Two operations to a product:
#: at most one operation of something else to four products.
TILED_SHARE = 8 / 9
#: Share of calls in several pieces from which a module runs on worker threads: there each dispatch takes some 20 us more.
CALLED_SHARE = 1 / 2


@dataclass(frozen=True)
class Estimate:
    """Work of a module, in machine operations.

    Attributes:
      total: all of it; a loop counts one iteration, since its length is not known.
      large_matmuls: the part of f32 matmuls that gain by tiling and threads.
      in_pieces: the part of native calls that are cut into pieces.
    """

    total: int
    large_matmuls: int
    in_pieces: int

    @property
    def tiled(self) -> bool:
        """Whether to tile matmuls, and to spread all that IREE compiles over threads."""
        return self.large_matmuls > TILED_SHARE * self.total

    @property
    def threaded(self) -> bool:
        """Whether to run on worker threads."""
        return self.tiled or self.in_pieces > CALLED_SHARE * self.total


def estimate(module: ir.Module) -> Estimate:
    """Estimate the work of a StableHLO module."""
    total = large = in_pieces = 0
    for operation in _operations(module.body):
        work = work_of(operation)
        total += work
        large += work if _gains(operation) else 0
        in_pieces += work if is_native_call(operation) and pieces_of(operation) > 1 else 0
    return Estimate(total, large, in_pieces)


def _operations(block: Any) -> Iterator[Any]:
    for view in block.operations:
        yield view.operation
        for region in view.operation.regions:
            for inner in region.blocks:
                yield from _operations(inner)


def _gains(operation: Any) -> bool:
    """Whether this is a large f32 matmul: (batch, rows, k) by (batch, k, columns)."""
    if "dot_dimension_numbers" not in operation.attributes:
        return False
    dims = DOT.decode(operation.attributes["dot_dimension_numbers"])
    lhs, rhs = (ir.RankedTensorType(v.type) for v in operation.operands)
    if not (lhs.has_static_shape and rhs.has_static_shape and str(lhs.element_type) == "f32"):
        return False
    batch = math.prod(lhs.shape[d] for d in dims.lhs_batching_dimensions)
    k = math.prod(lhs.shape[d] for d in dims.lhs_contracting_dimensions)
    if not batch * k:
        return False
    rows, columns = (math.prod(t.shape) // (batch * k) for t in (lhs, rhs))
    sizes = (rows, columns, k)
    least = TILED_RAGGED if any(size % VECTOR for size in sizes) else TILED_EVEN
    return min(sizes) >= VECTOR and rows * columns * k >= least
