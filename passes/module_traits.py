"""Traits of the operations of StableHLO modules: those of their rows; of what has no row, the one list."""

from __future__ import annotations

import functools

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.ir.op import OPS, Traits

_USUAL = Traits()


def _no_kernel(why: str, *names: str) -> dict[str, Traits]:
    return {name: Traits(no_kernel=why) for name in names}


#: Operations that only foreign modules have, or that stand for parts of functions: no row describes them.
WITHOUT_ROW: dict[str, Traits] = {
    "stablehlo.fft": Traits(in_place=True, no_kernel="a library function"),
    **_no_kernel("randomness with a state", "stablehlo.rng", "stablehlo.rng_bit_generator"),
    **_no_kernel(
        "what it does is said elsewhere", "func.call", "stablehlo.custom_call", "stablehlo.composite", "stablehlo.map"
    ),
    **_no_kernel(
        "IREE expands it for whole programs only",
        *("stablehlo.select_and_scatter", "stablehlo.uniform_quantize", "stablehlo.uniform_dequantize"),
        *("stablehlo.batch_norm_training", "stablehlo.batch_norm_inference", "stablehlo.batch_norm_grad"),
        "chlo.top_k",
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
