"""OpViews of a dialect, made from the op table: the classes as which the bindings show its operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sable.ir.bindings import ir, register_operation
from sable.ir.op import OPS, Op


def _operand(i: int) -> property:
    return property(lambda view: view.operation.operands[i], doc=f"operand number {i}")


_OPERANDS = property(lambda view: tuple(view.operation.operands), doc="all operands")
_RESULT = property(lambda view: view.operation.result, doc="the one result")


def _view(mlir_name: str, ops: list[Op]) -> type:
    """An OpView class; operands have names where all rows of that operation agree on them."""
    members: dict[str, Any] = {"OPERATION_NAME": mlir_name, "_ODS_REGIONS": (0, False), "__slots__": ()}
    if all(op.operands == ops[0].operands and op.variadic == ops[0].variadic for op in ops):
        for i, name in enumerate(ops[0].operands):
            if not hasattr(ir.OpView, name):
                members[name] = _OPERANDS if ops[0].variadic else _operand(i)
    if not any(op.multiple_results for op in ops):
        members["result"] = _RESULT
    words = mlir_name.split(".", 1)[1].split("_")
    return type("".join(w.capitalize() for w in words) + "Op", (ir.OpView,), members)


def register_views(dialect: type, namespace: str) -> dict[str, type]:
    """Register a view for every operation of the namespace that a row is written as; the classes by name."""
    rows: dict[str, list[Op]] = {}
    for op in _rows(namespace):
        rows.setdefault(op.mlir_name, []).append(op)
    views = (_view(name, ops) for name, ops in rows.items())
    return {view.__name__: register_operation(dialect)(view) for view in views}


def _rows(namespace: str) -> Iterable[Op]:
    return (op for op in OPS.values() if op.mlir_name.startswith(f"{namespace}."))
