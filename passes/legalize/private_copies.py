"""Copies that keep IREE from updating in place what somebody else still reads (iree.md, "Loops and branches").

Bug C: IREE's copy-on-write does not see loops and branches. What a loop's body captures, or a constant in it, and
updates in place is overwritten, so that the second trip, or the caller's own argument, sees the first trip's
writes. A copy must not be folded away either: `stablehlo.select` on the loop's own predicate, which is true in
the body but which no pass can prove to be. (`util.optimization_barrier` does not help.)
"""

from __future__ import annotations

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, before, create, operations, owner, splat_zero

#: Ops which IREE does in place, with the number of leading operands that are overwritten; None: all of them.
IN_PLACE = {
    "stablehlo.dynamic_update_slice": 1,
    "stablehlo.scatter": 1,
    "stablehlo.sort": None,
    "stablehlo.fft": None,
}

#: Ops whose result may share the operand's buffer.
_ALIASES = (
    "stablehlo.reshape",
    "stablehlo.convert",
    "stablehlo.bitcast_convert",
    "stablehlo.optimization_barrier",
)


def copy_targets(block: ir.Block, fresh: set[ir.Value], predicate: ir.Value, holds: bool = True) -> None:
    """Copies what the ops of a block, and of regions in it, would overwrite, unless it is fresh.

    Args:
      block: a loop's body or a branch.
      fresh: values nobody outside can see changed (made anew on each trip); grows by what is made of them.
      predicate: a scalar boolean tensor ...
      holds: ... and its value whenever the block runs.
    """
    for op in operations(block):
        if op.name in CONTROL_FLOW:
            _enter_regions(op, fresh, predicate, holds)
        if op.name in IN_PLACE:
            for i in range(IN_PLACE[op.name] or len(op.operands)):
                if op.operands[i] not in fresh:
                    op.operands[i] = _copy(op, op.operands[i], predicate, holds)
            fresh.update(op.results)
        if op.name in CONTROL_FLOW or any(operand in fresh for operand in op.operands):
            fresh.update(op.results)


def _enter_regions(op: ir.Operation, fresh: set[ir.Value], predicate: ir.Value, holds: bool) -> None:
    for region in op.regions:
        for block in region.blocks:
            if op.name == "stablehlo.while":
                fresh.update(block.arguments)
            copy_targets(block, fresh, predicate, holds)


def _copy(op: ir.Operation, value: ir.Value, predicate: ir.Value, holds: bool) -> ir.Value:
    with op.location:
        zeros = create(
            "stablehlo.constant", [], [value.type], at=before(op), value=splat_zero(value.type)
        ).result
        choices = [value, zeros] if holds else [zeros, value]
        return create("stablehlo.select", [predicate, *choices], [value.type], at=before(op)).result


def own_to_branch(branch: ir.Region, arguments: set[ir.Value]) -> set[ir.Value]:
    """What a branch may overwrite: all that it reads but the function's own arguments and their aliases."""
    own: set[ir.Value] = set()
    for block in branch.blocks:
        for op in operations(block):
            own.update(value for value in op.operands if _root(value) not in arguments)
            for region in op.regions:
                own |= own_to_branch(region, arguments)
    return own


def _root(value: ir.Value) -> ir.Value:
    while (op := owner(value)) is not None and op.name in _ALIASES:
        value = op.operands[0]
    return value
