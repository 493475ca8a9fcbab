"""Control flow whose decision is known beforehand, folded away.

IREE's canonicaliser never ends on unreachable loops such as `x = x + 1` (iree.md, E): a loop that never runs or a
branch never taken must be gone before IREE sees it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from sable.ir.bindings import ir

from ..ir_tools import CONTROL_FLOW, operations, owner, terminator
from .scalar_carries import constant_integer, direction_of, scalar_integer_type

_ORDER: dict[str, Callable] = {
    "EQ": operator.eq,
    "NE": operator.ne,
    "LT": operator.lt,
    "LE": operator.le,
    "GT": operator.gt,
    "GE": operator.ge,
}

#: Integer ops whose results are wrapped to their width; booleans are 0 and 1, and their `add` is `or`.
_INTEGER: dict[str, Callable] = {
    "stablehlo.add": operator.add,
    "stablehlo.subtract": operator.sub,
    "stablehlo.multiply": operator.mul,
    "stablehlo.minimum": min,
    "stablehlo.maximum": max,
    "stablehlo.and": operator.and_,
    "stablehlo.or": operator.or_,
    "stablehlo.xor": operator.xor,
    "stablehlo.negate": operator.neg,
    "stablehlo.not": operator.invert,
    "stablehlo.reshape": lambda x: x,
    "stablehlo.broadcast_in_dim": lambda x: x,
    "stablehlo.select": lambda predicate, x, y: x if predicate else y,
    "stablehlo.clamp": lambda low, x, high: max(low, min(x, high)),
}
_BOOLEAN = _INTEGER | {
    "stablehlo.add": operator.or_,
    "stablehlo.subtract": operator.xor,
    "stablehlo.multiply": operator.and_,
    "stablehlo.not": lambda x: 1 - x,
}
del _BOOLEAN["stablehlo.negate"]
_COMPUTED = frozenset((*_INTEGER, "stablehlo.compare", "stablehlo.convert", "stablehlo.remainder"))


def fold_known_control_flow(block: ir.Block) -> None:
    """Removes loops that never run and branches whose choice is known, in a block and the regions in it."""
    pending = [op for op in operations(block) if len(op.regions)]
    while pending:
        op = pending.pop()
        if op.name == "stablehlo.while" and never_runs(op):
            _replace(op, list(op.operands))
            continue
        if op.name in ("stablehlo.if", "stablehlo.case"):
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
    if op is None or op.name not in _COMPUTED or scalar_integer_type(value) is None:
        return []
    return list(op.operands)


def _known_result(value: ir.Value, operands: list[int | None]) -> int | None:
    """The value from those of its op's operands."""
    type, op = scalar_integer_type(value), owner(value)
    if type is None or op is None:
        return None
    boolean = type.width == 1
    if op.name == "stablehlo.constant":
        number = constant_integer(op)
        return number & 1 if boolean else number
    if op.name not in _COMPUTED:
        return None
    if boolean and op.name == "stablehlo.and" and 0 in operands:
        return 0
    if boolean and op.name == "stablehlo.or" and 1 in operands:
        return 1
    if None in operands:
        return None
    if op.name == "stablehlo.compare":
        return int(_ORDER[direction_of(op)](*operands))
    if op.name == "stablehlo.convert":
        return int(operands[0] != 0) if boolean else _wrap(operands[0], type.width)
    if op.name == "stablehlo.remainder":
        return _remainder(*operands)
    table = _BOOLEAN if boolean else _INTEGER
    if op.name not in table:
        return None
    number = table[op.name](*operands)
    return number if boolean else _wrap(number, type.width)


def _remainder(dividend: int, divisor: int) -> int | None:
    """With the sign of the dividend."""
    if divisor == 0:
        return None
    rest = abs(dividend) % abs(divisor)
    return -rest if dividend < 0 else rest


def _wrap(value: int, width: int) -> int:
    half = 1 << (width - 1)
    return (value + half) % (2 * half) - half


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
