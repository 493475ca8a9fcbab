"""Functions: closed lists of nodes. `sable.ir.writing` makes MLIR of them, on demand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .aval import Aval
from .bindings import UNKNOWN
from .literal import Literal
from .op import Builder, Op, infer, interpret

__all__ = ["Deferred", "DeferredByActivity", "Function", "FunctionBuilder", "Node", "Variable", "interpret"]


class Variable:
    """A value of a function: an argument, or a result of a node.

    Variables refer to nothing, so that functions are no cycles and are freed by reference count.

    Attributes:
      aval: its (strong) abstract value.
      place: number of the node that makes it; -1 - k for argument k.
    """

    __slots__ = ("aval", "place")

    def __init__(self, aval: Aval, place: int):
        self.aval = aval
        self.place = place

    def __repr__(self) -> str:
        return f"<Variable {self.place}: {self.aval.short()}>"


class Node(NamedTuple):
    """One operation of a function.

    Attributes:
      params: by name; functions stand for themselves.
      location: an MLIR location.
    """

    op: Op
    operands: list[Variable]
    results: list[Variable]
    params: dict[str, Any]
    location: Any


def named(node: Node) -> list[Any]:
    """What an operation names: functions, rules (`Deferred`), host functions."""
    found: list[Any] = []
    for p in node.op.functions:
        found += node.params[p] if node.op.params[p].many else (node.params[p],)
    return found


class Function:
    """A closed function under construction (`emit`) or finished (`finish`).

    Attributes:
      name: what people call it; symbols in assembled modules start with it.
      in_avals, out_avals: abstract values, with weak types where tracing knew them.
      arguments, outputs: variables.
      memo: results of passes on this function, by pass and parameters.
      nesting: how deep functions that operations name stand in each other below this one; 0 where none is named.
      sources: operations of a module that was imported, by the number of their node: `sable.ir.writing` writes them again
        as they stand (`source.emit(source's operands, attributes, ip)`).
    """

    __slots__ = (
        "__weakref__",
        "_nodes",
        "arguments",
        "in_avals",
        "info",
        "memo",
        "name",
        "nesting",
        "out_avals",
        "outputs",
        "sources",
    )

    def __init__(self, avals: Sequence[Aval], name: str = "main"):
        self.name = name
        self.in_avals = list(avals)
        self.out_avals: list[Aval] = []
        self.arguments = [Variable(a.strong, -1 - k) for k, a in enumerate(avals)]
        self.outputs: list[Variable] = []
        self.memo: dict[Any, Any] = {}
        self.info: Any = None
        self.nesting = 0
        self.sources: dict[int, Any] = {}
        self._nodes: list[Node] = []

    def add_argument(self, a: Aval) -> Variable:
        """One more argument behind the others."""
        value = Variable(a.strong, -1 - len(self.arguments))
        self.in_avals.append(a)
        self.arguments.append(value)
        return value

    def emit(
        self, op: Op, operands: list[Variable], params: dict[str, Any], out_avals: Sequence[Aval], location: Any
    ) -> list[Variable]:
        """Append an operation; its results."""
        nodes = self._nodes
        place = len(nodes)
        results = [Variable(a.strong, place) for a in out_avals]
        if not operands and params:
            params = {name: p.strong() if type(p) is Literal else p for name, p in params.items()}
        node = Node(op, operands, results, params, location)
        nodes.append(node)
        if op.functions:
            self.nesting = max(self.nesting, *(1 + getattr(f, "nesting", 0) for f in named(node)), 0)
        return results

    def finish(self, outputs: Sequence[Variable], out_avals: Sequence[Aval] | None = None) -> Function:
        """Say what is returned; `out_avals` where weak types are known."""
        self.outputs = list(outputs)
        self.out_avals = list(out_avals) if out_avals is not None else [v.aval for v in outputs]
        return self

    def nodes(self) -> Sequence[Node]:
        """The operations in order."""
        return self._nodes

    def producer(self, x: Variable) -> Node | None:
        """The operation that makes a value; None for arguments."""
        return self._nodes[x.place] if x.place >= 0 else None

    @property
    def callees(self) -> list[Any]:
        """What the operations name (functions, rules, host functions), each once, in order of first use."""
        found = {}
        for node in self._nodes:
            if node.op.functions:
                found.update(dict.fromkeys(named(node)))
        return list(found)

    def __repr__(self) -> str:
        ins = ", ".join(a.short() for a in self.in_avals)
        outs = ", ".join(a.short() for a in self.out_avals)
        return f"<Function {self.name}({ins}) -> ({outs})>"


class FunctionBuilder(Builder):
    """Emits into a function; its values are variables of that function."""

    def __init__(self, function: Function):
        self.function = function
        self.location = UNKNOWN

    def bind(self, op: Op, *operands: Variable, **params: Any) -> Any:
        avals = infer(op, tuple([v.aval for v in operands]), params)
        outs = avals if op.multiple_results else (avals,)
        results = self.function.emit(op, list(operands), params, outs, self.location)
        return tuple(results) if op.multiple_results else results[0]

    def aval(self, x: Variable) -> Aval:
        return x.aval

    def key(self, x: Variable) -> Any:
        """Identity of a value, to use each residual once."""
        return x

    def at(self, location: Any) -> None:
        """Give that location to what is emitted from now on."""
        self.location = location or UNKNOWN

    def producer(self, x: Variable) -> Node | None:
        """The operation that makes x; None for arguments."""
        return self.function.producer(x)

    def literal_of(self, x: Variable) -> Literal | None:
        """The literal that x is, if it is a constant of the program, or a number of it in each place."""
        node = self.function.producer(x)
        if node is not None and node.op.name == "broadcast_in_dim":
            inner = self.literal_of(node.operands[0])
            return Literal(x.aval, inner.data) if inner is not None and inner.is_splat else None
        return node.params["value"] if node is not None and node.op.name == "constant" else None


class Deferred:
    """A function that is traced when a pass first asks for it (the rules of custom derivatives).

    Attributes:
      immediate: the function can also be run at once, by `run` and `partial` (see `core.custom_derivatives.UserRule`).
    """

    __slots__ = ("_made", "_make", "name")
    immediate = False

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


class DeferredByActivity(Deferred):
    """A rule that is another function for each set of arguments that have tangents; itself that of all of them.

    Args:
      make: `(active) -> Deferred`, one mark for each argument; None stands for all.
    """

    __slots__ = ("_make_rule", "_rules")

    def __init__(self, make: Any, name: str = "deferred"):
        super().__init__(lambda: self.of(None).get(), name)
        self._make_rule, self._rules = make, {}

    def of(self, active: tuple[bool, ...] | None) -> Deferred:
        """The rule where these arguments have tangents."""
        if active not in self._rules:
            self._rules[active] = self._make_rule(active)
        return self._rules[active]
