"""Functions: closed, in MLIR, owned by Python.

A `Function` owns a detached `func.func` operation, which is freed by reference count. A bare `ir.Value` kept apart from
its function is a dangling pointer: whoever holds one of its values holds the `Function` too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .aval import Aval
from .bindings import CONTEXT, UNKNOWN, Operation, aval_of_type, ir, mlir_type
from .form import constant_value
from .literal import Literal
from .op import OPS, Builder, Op, interpret

_RETURN = "func.return"


__all__ = ["Deferred", "Function", "FunctionBuilder", "Node", "find_row", "interpret"]


class Node(NamedTuple):
    """One operation of a function, read through the op table."""

    op: Op
    operands: list[ir.Value]
    results: list[ir.Value]
    params: dict[str, Any]
    location: ir.Location


class Function:
    """A closed function under construction (`emit`) or finished (`finish`).

    Attributes:
      name: what people call it; symbols in assembled modules start with it.
      in_avals, out_avals: abstract values, with weak types where tracing knew them.
      arguments, outputs: MLIR values of the entry block and of the return.
      callees: functions (or host functions) by the symbol that this function's operations use.
      memo: results of passes on this function, by pass and parameters.
    """

    __slots__ = (
        "__weakref__",
        "_symbols",
        "arguments",
        "block",
        "callees",
        "in_avals",
        "info",
        "ip",
        "memo",
        "name",
        "operation",
        "out_avals",
        "outputs",
    )

    def __init__(self, avals: Sequence[Aval], name: str = "main"):
        self.name = name
        self.in_avals = list(avals)
        self.out_avals: list[Aval] = []
        self.outputs: list[ir.Value] = []
        self.callees: dict[str, Any] = {}
        self._symbols: dict[int, str] = {}
        self.memo: dict[Any, Any] = {}
        self.info: Any = None
        types = [mlir_type(a) for a in avals]
        self.operation = Operation.create("func.func", attributes=_BLANK, regions=1, loc=UNKNOWN, ip=False)
        self.block = ir.Block.create_at_start(self.operation.regions[0], types, [UNKNOWN] * len(types))
        self.ip = ir.InsertionPoint(self.block)
        self.arguments: list[ir.Value] = list(self.block.arguments)

    def add_argument(self, a: Aval) -> ir.Value:
        """One more argument behind the others."""
        value = self.block.add_argument(mlir_type(a), UNKNOWN)
        self.in_avals.append(a)
        self.arguments.append(value)
        return value

    def symbol(self, callee: Any) -> str:
        """The local symbol of a callee. Local and counted, since new names for each trace would fill the context."""
        found = self._symbols.get(id(callee))
        if found is None:
            found = self._symbols[id(callee)] = f"c{len(self.callees)}"
            self.callees[found] = callee
        return found

    def emit(
        self,
        op: Op,
        values: Sequence[ir.Value],
        params: dict,
        out_avals: Sequence[Aval],
        location: Any,
        ip: Any = None,
    ) -> list[ir.Value]:
        """Append an operation; its results."""
        if op.functions:
            params = self._to_symbols(op, params)
        types = [a.mlir or mlir_type(a) for a in out_avals]
        return list(op.form.emit(values, params, types, ip or self.ip, location).results)

    def _to_symbols(self, op: Op, params: dict) -> dict:
        params = dict(params)
        for p in op.functions:
            f = params[p]
            params[p] = tuple(map(self.symbol, f)) if op.params[p].many else self.symbol(f)
        return params

    def _from_symbols(self, op: Op, params: dict) -> dict:
        for p in op.functions:
            s = params[p]
            params[p] = tuple(self.callees[i] for i in s) if op.params[p].many else self.callees[s]
        return params

    def finish(self, outputs: Sequence[ir.Value], out_avals: Sequence[Aval] | None = None) -> Function:
        """Append the return; `out_avals` where weak types are known."""
        self.outputs = list(outputs)
        self.out_avals = list(out_avals) if out_avals is not None else [aval_of_type(v.type) for v in outputs]
        Operation.create(_RETURN, operands=self.outputs, ip=self.ip, loc=UNKNOWN)
        with CONTEXT:
            type = ir.FunctionType.get([v.type for v in self.arguments], [v.type for v in outputs])
            self.operation.attributes["function_type"] = ir.TypeAttr.get(type)
        return self

    def nodes(self, block: ir.Block | None = None) -> Iterator[Node]:
        """The operations up to the return, read through the op table.

        Raises:
          NotImplementedError: for an operation that no row of the table accepts; names it and its location.
        """
        for view in (block or self.block).operations:
            operation = view.operation
            name = operation.name
            if name == _RETURN:
                return
            yield self.node(operation, name)

    def node(self, operation: ir.Operation, name: str) -> Node:
        """One operation of this function, of that name, read through the op table."""
        op = find_row(operation, name)
        results = list(operation.results)
        operands, params = op.form.decode(operation, [aval_of_type(r.type) for r in results])
        if op.functions:
            params = self._from_symbols(op, params)
        return Node(op, operands, results, params, operation.location)

    def __repr__(self) -> str:
        ins = ", ".join(a.short() for a in self.in_avals)
        outs = ", ".join(a.short() for a in self.out_avals)
        return f"<Function {self.name}({ins}) -> ({outs})>"


with CONTEXT:
    _BLANK = {
        "sym_name": ir.StringAttr.get("f"),
        "function_type": ir.TypeAttr.get(ir.FunctionType.get([], [])),
    }

_ROWS: dict[str, list[Op]] = {}


def find_row(operation: ir.Operation, name: str) -> Op:
    """The op of the table that this operation is."""
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


class FunctionBuilder(Builder):
    """Emits into a function; its values are MLIR values of that function."""

    def __init__(self, function: Function):
        self.function = function
        self.location = UNKNOWN
        self.ip = function.ip

    def bind(self, op: Op, *operands: ir.Value, **params: Any) -> Any:
        avals = op.type(*[aval_of_type(v.type) for v in operands], **params)
        outs = avals if op.multiple_results else (avals,)
        results = self.function.emit(op, operands, params, outs, self.location, self.ip)
        return tuple(results) if op.multiple_results else results[0]

    def aval(self, x: ir.Value) -> Aval:
        return aval_of_type(x.type)

    def key(self, x: ir.Value) -> Any:
        """Identity of a value, to use each residual once."""
        return x

    def at(self, location: Any) -> None:
        """Give that location to what is emitted from now on."""
        self.location = location or UNKNOWN

    def producer(self, x: ir.Value) -> Node | None:
        """The operation that makes x; None for arguments."""
        return None if isinstance(x, ir.BlockArgument) else self.function.node(x.owner, x.owner.name)

    def literal_of(self, x: ir.Value) -> Literal | None:
        """The literal that x is, if it is a constant of the program."""
        if isinstance(x, ir.BlockArgument) or x.owner.name != "stablehlo.constant":
            return None
        return constant_value(x.owner, aval_of_type(x.type))


class Deferred:
    """A function that is traced when a pass first asks for it (the rules of custom derivatives)."""

    __slots__ = ("_made", "_make", "name")

    def __init__(self, make: Any, name: str = "deferred"):
        self._make, self._made, self.name = make, None, name

    @property
    def made(self) -> bool:
        """Whether somebody has asked for it."""
        return self._made is not None

    def get(self) -> Function:
        """The function."""
        if self._made is None:
            assert self._make is not None, "a function that is traced while it is being traced"
            self._made = self._make()
            self._make = None
        return self._made
