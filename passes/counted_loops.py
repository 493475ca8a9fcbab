"""Loops of known length: a `stablehlo.while` that counts from one constant to another, as scans and fori_loops arrive.

Such a loop is a `sable.scan` and has a reverse derivative; a loop that nobody knows the length of has none.
"""

from __future__ import annotations

from typing import Any

from sable.ir.bindings import ir

from .ir_tools import owner, terminator
from .legalize.scalar_carries import constant_integer, direction_of, scalar_integer_type


def trip_count(loop: ir.Operation) -> int | None:
    """How often a `stablehlo.while` runs, if it is `while i < n: ...; i += 1` from one constant to another."""
    condition, body = loop.regions[0].blocks[0], loop.regions[1].blocks[0]
    test = owner(terminator(condition).operands[0])
    if test is None or test.name != "stablehlo.compare" or direction_of(test) != "LT":
        return None
    counter, bound = test.operands
    if not isinstance(counter, ir.BlockArgument) or counter.owner != condition:
        return None
    k = counter.arg_number
    start, stop = _constant(loop.operands[k]), _constant(bound)
    if start is None or stop is None or not _counts_by_one(body, k):
        return None
    return max(0, stop - start)


def _counts_by_one(body: ir.Block, k: int) -> bool:
    step = owner(terminator(body).operands[k])
    if step is None or step.name != "stablehlo.add":
        return False
    left, right = step.operands
    argument = body.arguments[k]
    return (left == argument and _constant(right) == 1) or (right == argument and _constant(left) == 1)


def _constant(value: Any) -> int | None:
    """The value of a scalar integer constant of the program."""
    operation = owner(value)
    if operation is None or operation.name != "stablehlo.constant" or scalar_integer_type(value) is None:
        return None
    return constant_integer(operation)
