"""Barriers behind reductions along columns, on Vulkan.

IREE 3.13 fuses what follows a reduction into its dispatch, where every thread of a workgroup needs the results of all. Where
rows are reduced they have been exchanged by then; where columns are, the threads read some that are not yet written, without
a word. Behind the barrier the results are an array of their own.
"""

from __future__ import annotations

from sable.ir.bindings import ir

from ..ir_tools import behind_barrier, walk_module

_REDUCTION, _CONTRACTION = "stablehlo.reduce", "stablehlo.dot_general"


def part_column_reductions(module: ir.Module, platform: str) -> None:
    """Puts the barriers into a module that is free of structured control flow."""
    if platform != "vulkan":
        return
    with module.context:
        for op in walk_module(module):
            if op.name == _CONTRACTION or (op.name == _REDUCTION and not _is_of_rows(op)):
                with op.location:
                    for result in op.results:
                        _part(result, op)


def _is_of_rows(op: ir.Operation) -> bool:
    """Whether the last axis with more than one element is reduced."""
    shape, reduced = op.operands[0].type.shape, set(op.attributes["dimensions"])
    last = max((d for d, extent in enumerate(shape) if extent > 1), default=None)
    return last is None or last in reduced


def _part(result: ir.Value, op: ir.Operation) -> None:
    """What uses the result uses it through a barrier."""
    uses = [(use.owner, use.operand_number) for use in result.uses]
    if all(user.name == "func.return" for user, _ in uses):
        return
    barred = behind_barrier(result, ir.InsertionPoint.after(op))
    for user, number in uses:
        user.operands[number] = barred
