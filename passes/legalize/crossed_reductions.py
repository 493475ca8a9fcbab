"""Barriers behind reductions whose results would be read in two places by one dispatch.

IREE 3.13 fuses what follows a reduction into its dispatch if it reads the result where it is made. It looks at one of the
operands only: of s[i] + s[j], with s a sum (squares, in pairwise distances), just one is where the dispatch is at, and the
other is read before it is written, without a word. Behind the barrier the result is an array of its own.
"""

from __future__ import annotations

from typing import Any

from sable.ir.bindings import ir

from ..ir_tools import behind_barrier, run_pipeline, walk_module

_REDUCTIONS = ("stablehlo.reduce", "stablehlo.reduce_window", "stablehlo.dot_general", "stablehlo.convolution")
#: Dialects of the operations that are fused; those of them that do not are none of the rules below.
_FUSED = ("stablehlo.", "chlo.")

#: Where the axes of a reduction's result lie in a value that is made of it.
_Axes = tuple[Any, ...]


def part_crossed_reductions(module: ir.Module) -> None:
    """Puts the barriers into a module that is free of structured control flow."""
    with module.context:
        if len(_reductions(module)) > 1:
            run_pipeline(module, "cse")  # as IREE does first of all: what is repeated is one reduction then
        for op in _reductions(module):
            for result in op.results:
                if _is_crossed(result):
                    with op.location:
                        uses = [(use.owner, use.operand_number) for use in result.uses]
                        barred = behind_barrier(result, ir.InsertionPoint.after(op))
                        for user, number in uses:
                            user.operands[number] = barred


def _reductions(module: ir.Module) -> list[ir.Operation]:
    return [op for op in walk_module(module) if op.name in _REDUCTIONS]


def _is_crossed(result: ir.Value) -> bool:
    """Whether an operation on elements at one place has operands with the result's elements at two."""
    known: dict[ir.Value, _Axes] = {result: tuple(range(len(result.type.shape)))}
    waiting = [result]
    while waiting:
        value = waiting.pop()
        for use in value.uses:
            op = use.owner
            axes = _after(op, value, known[value])
            if axes is None:
                continue
            for made in op.results:
                if made not in known:
                    known[made] = axes
                    waiting.append(made)
                elif known[made] != axes:
                    return True
    return False


def _after(op: ir.Operation, operand: ir.Value, axes: _Axes) -> _Axes | None:
    """Where the axes lie in the operation's results; None where it is not fused, or reads its operands elsewhere."""
    if not op.name.startswith(_FUSED) or not op.results:
        return None
    before, after = operand.type.shape, op.results[0].type.shape
    if op.name == "stablehlo.broadcast_in_dim":
        dimensions = list(op.attributes["broadcast_dimensions"])
        return tuple(dimensions[d] for d in axes)
    if op.name == "stablehlo.transpose":
        permutation = list(op.attributes["permutation"])
        return tuple(permutation.index(d) for d in axes)
    if op.name == "stablehlo.reshape":
        return _through_reshape(before, after, axes)
    on_elements = before == after and op.name not in _REDUCTIONS and not op.regions
    return axes if on_elements else None


def _through_reshape(before: list[int], after: list[int], axes: _Axes) -> _Axes | None:
    """Where only axes of one element come or go, not all axes: a scalar is at one place."""
    old, new = ([d for d, extent in enumerate(shape) if extent != 1] for shape in (before, after))
    if not after or [before[d] for d in old] != [after[d] for d in new]:
        return None
    moved = dict(zip(old, new))
    return tuple(moved.get(d, 0) for d in axes)
