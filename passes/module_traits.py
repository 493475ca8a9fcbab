"""Traits of the operations of StableHLO modules: those of their rows; of what has no row, the one list."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.ir.bindings import ir
from sable.ir.op import OPS, Shape, Traits

_USUAL = Traits()


def _no_kernel(why: str, *names: str) -> dict[str, Traits]:
    return {name: Traits(no_kernel=why) for name in names}


def _dot(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """`stablehlo.dot`: a multiplication and an addition are two operations."""
    return 2 * math.prod(results[0]) * (operands[0][-1] if operands[0] else 1)


def _called(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """`stablehlo.custom_call`: calls of native kernels say it."""
    config = attributes.get("backend_config", None)
    return ir.IntegerAttr(config["work"]).value if isinstance(config, ir.DictAttr) and "work" in config else 0


_ELSEWHERE = "what it does is said elsewhere"

#: Operations that only foreign modules have, or that stand for parts of functions: no row describes them.
WITHOUT_ROW: dict[str, Traits] = {
    "stablehlo.dot": Traits(work=_dot, contraction=True),
    **_no_kernel("randomness with a state", "stablehlo.rng"),
    "stablehlo.custom_call": Traits(work=_called, no_kernel=_ELSEWHERE),
    **_no_kernel(_ELSEWHERE, "func.call", "stablehlo.composite", "stablehlo.map"),
    **_no_kernel(
        "IREE expands it for whole programs only",
        *("stablehlo.select_and_scatter", "stablehlo.uniform_quantize", "stablehlo.uniform_dequantize"),
        *("stablehlo.batch_norm_training", "stablehlo.batch_norm_inference", "stablehlo.batch_norm_grad"),
    ),
    **_no_kernel(
        "communication",
        *("stablehlo.all_reduce", "stablehlo.all_gather", "stablehlo.all_to_all", "stablehlo.reduce_scatter"),
        *("stablehlo.collective_permute", "stablehlo.collective_broadcast", "stablehlo.partition_id"),
        *("stablehlo.replica_id", "stablehlo.infeed", "stablehlo.outfeed", "stablehlo.send", "stablehlo.recv"),
    ),
    **_no_kernel(
        "shapes known when it runs",
        *("stablehlo.dynamic_reshape", "stablehlo.dynamic_gather", "stablehlo.dynamic_iota", "stablehlo.dynamic_pad"),
        *("stablehlo.dynamic_broadcast_in_dim", "stablehlo.real_dynamic_slice", "stablehlo.dynamic_conv"),
        "stablehlo.get_dimension_size",
    ),
    **_no_kernel("no array", "stablehlo.after_all", "stablehlo.tuple", "stablehlo.get_tuple_element"),
}


@functools.cache
def traits_of(name: str) -> Traits:
    """Traits of an operation by its MLIR name, `stablehlo.sine`.

    Several rows that are written as one operation (reductions, scatters) have the same; tests/passes/test_module_traits.py.
    """
    for op in OPS.values():
        if op.mlir_name == name and not name.startswith("func."):
            return op.traits
    return WITHOUT_ROW.get(name, _USUAL)


def work_of(operation: ir.Operation) -> int:
    """Machine operations of one execution, without those of regions; 0 where shapes are not known."""
    traits = traits_of(operation.name)
    shapes = [[_shape(v) for v in values] for values in (operation.operands, operation.results)]
    return traits.work_on(*shapes, operation.attributes)


def _shape(value: ir.Value) -> tuple[int, ...]:
    type = value.type
    known = isinstance(type, ir.RankedTensorType) and type.has_static_shape
    return tuple(type.shape) if known else (0,)
