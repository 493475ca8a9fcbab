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

from .module_traits import traits_of

#: Products from which a matmul is tiled: where all its sizes are multiples of VECTOR, and else.
TILED_EVEN = 10**8
TILED_RAGGED = 6 * 10**6
VECTOR = 16
#: Share of a module's work that large matmuls must have: the others pay for the tiling.
TILED_SHARE = 0.8


@dataclass(frozen=True)
class Estimate:
    """Work of a module, in machine operations.

    Attributes:
      total: all of it; a loop counts one iteration, since its length is not known.
      large_matmuls: the part of f32 matmuls that gain by tiling and threads.
    """

    total: int
    large_matmuls: int

    @property
    def tiled(self) -> bool:
        """Whether to tile matmuls and to run on worker threads."""
        return self.large_matmuls > TILED_SHARE * self.total


def estimate(module: ir.Module) -> Estimate:
    """Estimate the work of a StableHLO module."""
    total = large = 0
    for operation in _operations(module.body):
        if operation.name == "stablehlo.dot_general":
            products, gains = _dot(operation)
            total += products
            large += products if gains else 0
        else:
            total += _cost(operation)
    return Estimate(total, large)


def _operations(block: Any) -> Iterator[Any]:
    for view in block.operations:
        yield view.operation
        for region in view.operation.regions:
            for inner in region.blocks:
                yield from _operations(inner)


def _size(value: ir.Value) -> int:
    type = value.type
    return math.prod(type.shape) if isinstance(type, ir.RankedTensorType) and type.has_static_shape else 0


def _cost(operation: Any) -> int:
    if operation.name == "stablehlo.reduce":
        return _size(operation.operands[0])
    return sum(map(_size, operation.results)) * traits_of(operation.name).cost


def _dot(operation: Any) -> tuple[int, bool]:
    """Products of a dot_general, and whether it is a large f32 matmul.

    With b, m, n, k the sizes of batch, rows, columns and contraction: lhs = bmk, rhs = bkn, result = bmn.
    """
    lhs, rhs = operation.operands
    a, c, out = _size(lhs), _size(rhs), _size(operation.results[0])
    if not (a and c and out):
        return 0, False
    batch = math.prod(_batch_sizes(operation))
    k = math.isqrt(a * c // (out * batch) or 1)
    products = out * k
    rows, columns = a // (batch * k), c // (batch * k)
    f32 = str(ir.RankedTensorType(lhs.type).element_type) == "f32"
    sizes = (rows, columns, k)
    least = TILED_RAGGED if any(size % VECTOR for size in sizes) else TILED_EVEN
    return products, f32 and min(sizes) >= VECTOR and products // batch >= least


def _batch_sizes(operation: Any) -> list[int]:
    dims = DOT.decode(operation.attributes["dot_dimension_numbers"]).lhs_batching_dimensions
    return [operation.operands[0].type.shape[d] for d in dims]
