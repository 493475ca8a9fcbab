"""Traced functions as jaxprs: equations of primitives by JAX's names, to look at and to print.

They are views, made when asked for: what is transformed and compiled is the `Function`.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from sable.core.array import Value
from sable.core.extended import ExtendedAval, seen_avals
from sable.core.primitives import Primitive, primitive_of, shown_name, shown_value
from sable.dialects.ops.rules import elementwise
from sable.ir.aval import Aval
from sable.ir.function import Function, Node, Variable
from sable.ir.literal import Literal as Constant
from sable.passes.assemble import assemble

#: Columns of a line.
_WIDTH = 100
#: Short names of dtypes: f32, i8, u16, c64.
_KINDS = {"float": "f", "int": "i", "uint": "u", "complex": "c", "bfloat": "bf"}


def type_text(a: Any) -> str:
    """`f32[2,3]`."""
    name = a.dtype.name
    letters = name.rstrip(string.digits)
    return f"{_KINDS.get(letters, letters)}{name[len(letters) :]}[{','.join(map(str, a.shape))}]"


class Var:
    """A value of a jaxpr: an argument, a constant, or a result of an equation.

    Attributes:
      aval: its abstract value.
    """

    def __init__(self, aval: Any):
        self.aval = aval

    def __repr__(self) -> str:
        return f"Var(id={id(self)}):{type_text(self.aval)}"


class DropVar(Var):
    """A result that nothing uses."""

    def __repr__(self) -> str:
        return "_"


class Literal:
    """A number that stands in an equation.

    Attributes:
      val: a NumPy scalar.
      aval: its abstract value, a scalar's.
    """

    def __init__(self, val: Any, aval: Aval):
        self.val, self.aval = val, aval

    def __repr__(self) -> str:
        return f"{self.val}:{type_text(self.aval)}"


class JaxprEqn:
    """One operation.

    Attributes:
      primitive: a `Primitive`.
      invars: `Var`s and `Literal`s. outvars: `Var`s.
      params: by name; functions are `ClosedJaxpr`s.
      source_info: the user's line, as an MLIR location.
      effects: what it does besides computing results, a set of names.
    """

    def __init__(self, primitive: Primitive, invars: list, outvars: list, params: dict, location: Any, effects: set):
        self.primitive, self.invars, self.outvars = primitive, invars, outvars
        self.params, self.source_info, self.effects = params, location, effects

    @classmethod
    def of_node(cls, node: Node, invars: list, outvars: list) -> JaxprEqn:
        """That of a node."""
        primitive = primitive_of(node.op, node.params)
        effects = {primitive.name} if node.op.effects else set()
        return cls(primitive, invars, outvars, dict(_parameters(node)), node.location, effects)

    def __repr__(self) -> str:
        return "\n".join(_Printer().equation(self))


def _parameters(node: Node) -> Iterator[tuple[str, Any]]:
    op = node.op
    for name, value in node.params.items():
        if f"{{{name}}}" in op.primitive:
            continue
        shown = shown_name(op, name)
        if name in op.functions:
            if shown == "jaxpr" and name == "callee":
                yield "name", getattr(value, "name", "")
            yield shown, tuple(_closed(f) for f in value) if op.params[name].many else _closed(value)
        elif name == "preferred_element_type":
            yield name, value or node.results[0].aval.dtype
        else:
            yield shown, shown_value(name, value)
            if op.name == "convert":
                yield "weak_type", False


def _closed(f: Any) -> Any:
    """A function that an equation names as a jaxpr; rules that were not asked for yet and host functions stay."""
    return ClosedJaxpr(f, ()) if isinstance(f, Function) else f


class Jaxpr:
    """The equations of a function.

    Attributes:
      constvars: `Var`s of captured arrays. invars: of arguments. outvars: `Var`s and `Literal`s that are returned.
      eqns: `JaxprEqn`s in order.
      effects: those of the equations.
    """

    def __init__(self, function: Function, captures: int, in_avals: Sequence[Any], out_avals: Sequence[Any]):
        arguments = [Var(a) for a in (*in_avals, *function.in_avals[len(in_avals) :])]
        self._keys = {x: v for x, v in zip(function.arguments, arguments) if isinstance(v.aval, ExtendedAval)}
        self._values: dict[Variable, Var | Literal] = {
            x: v for x, v in zip(function.arguments, arguments) if x not in self._keys
        }
        kept = len(arguments) - captures
        self.invars, self.constvars = arguments[:kept], arguments[kept:]
        users = _users(function)
        self.eqns: list[JaxprEqn] = []
        for node in function.nodes():
            number = _number(node, self._values, users)
            if number is not None:
                self._values[node.results[0]] = number
                continue
            operands = [self._read(x) for x in node.operands]
            results = [Var(x.aval) if x in users else DropVar(x.aval) for x in node.results]
            self._values.update(zip(node.results, results))
            self.eqns.append(JaxprEqn.of_node(node, operands, results))
        self.outvars = [self._output(x, a) for x, a in zip(function.outputs, out_avals)]
        self.effects = set().union(*(e.effects for e in self.eqns))

    def _read(self, x: Variable) -> Var | Literal:
        """What stands for a value; of typed keys the words, by an equation of their own."""
        if x not in self._values:
            self._values[x] = self._convert("random_unwrap", self._keys[x], x.aval, {})
        return self._values[x]

    def _output(self, x: Variable, a: Any) -> Var | Literal:
        if not isinstance(a, ExtendedAval):
            return self._read(x)
        if x not in self._keys:
            self._keys[x] = self._convert("random_wrap", self._read(x), a, {"impl": a.dtype.tag})
        return self._keys[x]

    def _convert(self, name: str, x: Var | Literal, a: Any, params: dict) -> Var:
        made = Var(a)
        self.eqns.append(JaxprEqn(Primitive(name, False), [x], [made], params, None, set()))
        return made

    def __repr__(self) -> str:
        return "\n".join(_Printer().jaxpr(self))


def _users(function: Function) -> dict[Variable, list[Node | None]]:
    """The nodes that use each value; None for the function that returns it."""
    found: dict[Variable, list[Node | None]] = {}
    for node in function.nodes():
        for x in node.operands:
            found.setdefault(x, []).append(node)
    for x in function.outputs:
        found.setdefault(x, []).append(None)
    return found


def _number(
    node: Node, values: Mapping[Variable, Any], users: Mapping[Variable, Sequence[Node | None]]
) -> Literal | None:
    """What a node makes, if it is one number that the equations of its users can hold."""
    if not node.op.traits.constant or not _fits(node.results[0], users):
        return None
    if node.operands:  # repeats what is there
        source = values.get(node.operands[0])
        return source if isinstance(source, Literal) else None
    value = node.params["value"]
    return Literal(value.data[()], value.aval.update(shape=())) if value.is_splat else None


def _fits(x: Variable, users: Mapping[Variable, Sequence[Node | None]]) -> bool:
    """Whether a number can stand for an array: where elements are computed one by one, or only repeated."""
    if x.aval.shape == ():
        return True
    return all(user is not None and user.op.batch is elementwise for user in users.get(x, ()))


class ClosedJaxpr:
    """A traced function with the arrays that it captured; its text is a jaxpr.

    Attributes:
      function: the `Function`.
      consts: captured values, the last arguments of the function.
      in_avals, out_avals: types of the arguments (without captures) and results, as users see them where their structures
        (see `pytree.arrays`) are given.
      jaxpr: its equations. eqns, effects: those of the jaxpr.
    """

    def __init__(self, function: Function, captures: Sequence[Value], in_tree: Any = None, out_tree: Any = None):
        self.function = function
        self.consts = list(captures)
        own = function.in_avals[: len(function.in_avals) - len(captures)]
        self.in_avals = own if in_tree is None else seen_avals(in_tree, own)
        self.out_avals = function.out_avals if out_tree is None else seen_avals(out_tree, function.out_avals)

    literals = property(lambda self: self.consts)
    eqns = property(lambda self: self.jaxpr.eqns)
    effects = property(lambda self: self.jaxpr.effects)

    @cached_property
    def jaxpr(self) -> Jaxpr:
        return Jaxpr(self.function, len(self.consts), self.in_avals, self.out_avals)

    def as_mlir(self) -> Any:
        """The function as an MLIR module of StableHLO and the sable dialect, as passes see it."""
        return assemble(self.function)

    def __repr__(self) -> str:
        return repr(self.jaxpr)


# ---- text ----------------------------------------------------------------------------------------------------


def _names() -> Iterator[str]:
    """a, b ... z, ba, bb ...: numbers to the base of 26."""
    letters = string.ascii_lowercase
    yield from letters
    for length in itertools.count(2):
        yield from map("".join, itertools.product(letters[1:], *[letters] * (length - 1)))


class _Printer:
    """Gives variables names in the order in which they appear; texts are lists of lines."""

    def __init__(self) -> None:
        self._fresh = _names()
        self._known: dict[Var, str] = {}

    def _name(self, x: Var | Literal) -> str:
        if isinstance(x, Literal):
            return repr(x)
        if isinstance(x, DropVar):
            return "_"
        if x not in self._known:
            self._known[x] = next(self._fresh)
        return self._known[x]

    def _typed(self, variables: Iterable[Var]) -> str:
        return " ".join(f"{self._name(x)}:{type_text(x.aval)}" for x in variables)

    def jaxpr(self, jaxpr: Jaxpr) -> list[str]:
        head = f"{{ lambda {self._typed(jaxpr.constvars)}; {self._typed(jaxpr.invars)}"
        equations = [self.equation(e) for e in jaxpr.eqns]
        outs = [self._name(x) for x in jaxpr.outvars]
        tail = f"in ({', '.join(outs)}{',' if len(outs) == 1 else ''}) }}"
        line = f"{head}. let {'; '.join(e[0] for e in equations)} {tail}"
        if len(equations) <= 1 and all(len(e) == 1 for e in equations) and len(line) <= _WIDTH:
            return [line]
        body = [f"    {line}" for e in equations for line in e]
        return [f"{head}. let", *body, f"  {tail}"]

    def equation(self, e: JaxprEqn) -> list[str]:
        results = f"{self._typed(e.outvars)} = " if e.outvars else ""
        parameters = [self._parameter(name, value) for name, value in e.params.items()]
        operands = "".join(f" {self._name(x)}" for x in e.invars)
        line = " ".join(p[0] for p in parameters)
        if all(len(p) == 1 for p in parameters) and len(line) <= _WIDTH:
            return [f"{results}{e.primitive}{f'[{line}]' if parameters else ''}{operands}"]
        return [f"{results}{e.primitive}[", *(f"  {line}" for p in parameters for line in p), f"]{operands}"]

    def _parameter(self, name: str, value: Any) -> list[str]:
        if isinstance(value, ClosedJaxpr):
            first, *rest = self.jaxpr(value.jaxpr)
            return [f"{name}={first}", *rest]
        if isinstance(value, tuple) and value and isinstance(value[0], ClosedJaxpr):
            return [f"{name}=(", *(f"  {line}" for v in value for line in self.jaxpr(v.jaxpr)), ")"]
        return [f"{name}={_plain(value)}"]


def _plain(value: Any) -> str:
    if isinstance(value, Constant):
        return str(value.numpy()).replace("\n", "")
    if isinstance(value, str):
        return value
    return getattr(value, "name", None) or repr(value)
