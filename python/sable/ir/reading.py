"""MLIR operations read through the op table."""

from __future__ import annotations

from typing import Any

from .bindings import aval_of_type, ir
from .op import OPS, Op

_ROWS: dict[str, list[Op]] = {}


def find_row(operation: ir.Operation, name: str) -> Op:
    """The op of the table that this operation is.

    Raises:
      NotImplementedError: there is none; names the operation and its location.
    """
    rows = _ROWS.get(name)
    if rows is None:
        rows = _ROWS[name] = [op for op in OPS.values() if op.form.mlir_name == name]
    if len(rows) == 1 and rows[0].form.accepts(operation):
        return rows[0]
    for op in rows:
        if op.form.accepts(operation):
            return op
    why = "its body or attributes have a form that the op table lacks" if rows else "the op table has no such op"
    raise NotImplementedError(f"operation {name} cannot be transformed: {why}.\n  at {operation.location}")


def decode(op: Op, operation: ir.Operation) -> tuple[list[ir.Value], dict[str, Any]]:
    """Operands and parameters of an operation that is this op; functions are named by symbols."""
    return op.form.decode(operation, [aval_of_type(r.type) for r in operation.results])


__all__ = ["decode", "find_row"]
