"""Functions as MLIR: written whole (`write_function`), or op by op at an insertion point (`OperationBuilder`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .aval import Aval
from .bindings import CONTEXT, UNKNOWN, Operation, aval_of_type, ir, mlir_type
from .form import constant_value
from .function import Function
from .literal import Literal
from .op import Builder, Op, infer

_RETURN = "func.return"

with CONTEXT:
    _BLANK = {
        "sym_name": ir.StringAttr.get("f"),
        "function_type": ir.TypeAttr.get(ir.FunctionType.get([], [])),
    }


class FunctionOperation:
    """A `func.func` under construction.

    Attributes:
      operation: detached, hence freed by reference count, unless it is made at an insertion point. A bare `ir.Value`
        kept apart from it is a dangling pointer: whoever holds one of its values holds the operation too.
      arguments: of its one block.
      ip: the end of that block.
    """

    def __init__(self, avals: Sequence[Aval], ip: Any = False):
        types = [mlir_type(a) for a in avals]
        self.operation = Operation.create("func.func", attributes=_BLANK, regions=1, loc=UNKNOWN, ip=ip)
        block = ir.Block.create_at_start(self.operation.regions[0], types, [UNKNOWN] * len(types))
        self.ip = ir.InsertionPoint(block)
        self.arguments: list[ir.Value] = list(block.arguments)

    def finish(self, outputs: Sequence[ir.Value]) -> Any:
        """Append the return; the operation."""
        Operation.create(_RETURN, operands=list(outputs), ip=self.ip, loc=UNKNOWN)
        with CONTEXT:
            type = ir.FunctionType.get([v.type for v in self.arguments], [v.type for v in outputs])
            self.operation.attributes["function_type"] = ir.TypeAttr.get(type)
        return self.operation


def write_function(function: Function, symbols: Mapping[Any, str], ip: Any = False) -> Any:
    """A finished function as a `func.func` operation.

    Args:
      symbols: of all that its operations name.
      ip: where; detached by default.
    """
    made = FunctionOperation(function.in_avals, ip)
    env = dict(zip(function.arguments, made.arguments))
    for place, node in enumerate(function.nodes()):
        op, source = node.op, function.sources.get(place)
        params = with_symbols(op, node.params, symbols.__getitem__) if op.functions else node.params
        if source is not None:
            named = {p: op.params[p].encode(params[p]) for p in op.functions}
            written = source.emit([env[v] for v in source.operands], named, made.ip)
        else:
            types = [a.mlir or mlir_type(a) for a in [v.aval for v in node.results]]
            written = op.form.emit([env[v] for v in node.operands], params, types, made.ip, node.location)
        env.update(zip(node.results, written.results))
    return made.finish([env[v] for v in function.outputs])


def with_symbols(op: Op, params: dict[str, Any], symbol: Callable[[Any], str]) -> dict[str, Any]:
    """The parameters with symbols in the place of functions."""
    found = dict(params)
    for p in op.functions:
        f = params[p]
        found[p] = tuple(map(symbol, f)) if op.params[p].many else symbol(f)
    return found


class OperationBuilder(Builder):
    """Emits MLIR operations of ops that name no functions; its values are MLIR values.

    Attributes:
      ip: where the next operation goes.
    """

    def __init__(self, ip: Any):
        self.ip = ip
        self.location = UNKNOWN

    def bind(self, op: Op, *operands: ir.Value, **params: Any) -> Any:
        avals = infer(op, tuple([aval_of_type(v.type) for v in operands]), params)
        return self.write(op, operands, params, avals if op.multiple_results else (avals,))

    def write(self, op: Op, operands: Sequence[ir.Value], params: Mapping[str, Any], outs: Sequence[Aval]) -> Any:
        """The operation that an op is written as; its results."""
        types = [a.mlir or mlir_type(a) for a in outs]
        results = op.form.emit(operands, params, types, self.ip, self.location).results
        return tuple(results) if op.multiple_results else results[0]

    def aval(self, x: ir.Value) -> Aval:
        return aval_of_type(x.type)

    def at(self, location: Any) -> None:
        """Give that location to what is emitted from now on."""
        self.location = location or UNKNOWN

    def literal_of(self, x: ir.Value) -> Literal | None:
        """The literal that x is, if it is a constant of the program."""
        if isinstance(x, ir.BlockArgument) or x.owner.name != "stablehlo.constant":
            return None
        return constant_value(x.owner, aval_of_type(x.type))


__all__ = ["FunctionOperation", "OperationBuilder", "with_symbols", "write_function"]
