"""Control flow whose decision is known beforehand, folded away.

IREE's canonicaliser never ends on unreachable loops such as `x = x + 1` (iree.md, E): a loop that never runs or a
branch never taken must be gone before IREE sees it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.ir.bindings import aval_of_type, ir
from sable.ir.op import Op
from sable.ir.reading import find_row

from ..ir_tools import BRANCHES, CONTROL_FLOW, operations, owner, terminator
from .scalar_carries import scalar_integer_type

#: Boolean ops that one operand decides, and its value.
_DECIDES = {"stablehlo.and": 0, "stablehlo.or": 1}


def fold_known_control_flow(block: ir.Block) -> None:
    """Removes loops that never run and branches whose choice is known, in a block and the regions in it."""
    pending = [op for op in operations(block) if len(op.regions)]
    while pending:
        op = pending.pop()
        if op.name == "stablehlo.while" and never_runs(op):
            _replace(op, list(op.operands))
            continue
        if op.name in BRANCHES:
            chosen = _chosen_branch(op)
            if chosen is not None:
                pending += _inline_region(op, op.regions[chosen])
                continue
        if op.name in CONTROL_FLOW:
            for region in op.regions:
                pending += [inner for inner in operations(region.blocks[0]) if len(inner.regions)]


def never_runs(loop: ir.Operation) -> bool:
    """Whether the condition is known to be false at the first test."""
    condition = loop.regions[0].blocks[0]
    start = {a: known_integer(value, {}) for a, value in zip(condition.arguments, loop.operands)}
    return known_integer(terminator(condition).operands[0], start) == 0


def known_integer(value: ir.Value, known: Mapping[ir.Value, int | None]) -> int | None:
    """The value of a scalar integer if constants alone decide it, else None. Booleans are 0 and 1.

    Each value is looked at once, and without recursion: chains of scalar ops are as long as programs.
    """
    found = dict(known)
    todo = [value]
    while todo:
        operands = _operands_to_know(todo[-1])
        missing = [v for v in operands if v not in found] if todo[-1] not in found else []
        if missing:
            todo += missing
            continue
        wanted = todo.pop()
        if wanted not in found:
            found[wanted] = _known_result(wanted, [found[v] for v in operands])
    return found[value]


def _operands_to_know(value: ir.Value) -> list[ir.Value]:
    """The operands of the op that makes a scalar integer, if it can be computed here."""
    op = owner(value)
    if op is None or scalar_integer_type(value) is None or _row(op) is None:
        return []
    return list(op.operands)


def _row(op: ir.Operation) -> Op | None:
    """The op of the table that one operation is; None for those without, and for those that name functions."""
    if len(op.regions) or len(op.results) != 1:
        return None
    try:
        row = find_row(op, op.name)
    except NotImplementedError:  # control flow and what other people's modules have
        return None
    return None if row.functions or row.effects else row


def _known_result(value: ir.Value, operands: list[int | None]) -> int | None:
    """The value from those of its op's operands, by the reference meaning of its row."""
    type, op = scalar_integer_type(value), owner(value)
    if type is None or op is None:
        return None
    decisive = _DECIDES.get(op.name)
    if type.width == 1 and decisive is not None and decisive in operands:
        return decisive
    row = _row(op)
    if row is None or None in operands or len(operands) != len(op.operands):
        return None
    _, params = row.form.decode(op, [aval_of_type(value.type)])
    values = [np.asarray(x, aval_of_type(v.type).dtype) for x, v in zip(operands, op.operands)]
    with np.errstate(all="ignore"):
        return int(row.ref(*values, **params))


def _chosen_branch(op: ir.Operation) -> int | None:
    index = known_integer(op.operands[0], {})
    if index is None:
        return None
    if op.name == "stablehlo.if":
        return 0 if index else 1
    last = len(op.regions) - 1
    return index if 0 <= index <= last else last  # out of range means the last one (StableHLO, case)


def _inline_region(op: ir.Operation, region: ir.Region) -> list[ir.Operation]:
    """Puts a region's ops in the op's place; returns those with regions."""
    *moved, end = operations(region.blocks[0])
    results = list(end.operands)
    for inner in moved:
        inner.move_before(op)
    _replace(op, results)
    return [inner for inner in moved if len(inner.regions)]


def _replace(op: ir.Operation, values: list[ir.Value]) -> None:
    for result, value in zip(op.results, values):
        result.replace_all_uses_with(value)
    op.erase()
