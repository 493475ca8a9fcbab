"""importer: anyone's StableHLO module to `Function`s that the passes take; `assemble` is the way back.

Regions of `stablehlo.while`, `if` and `case` become functions by symbol (`sable.while`, `sable.case`; `sable.scan`
where the number of steps is known), and what they use from outside becomes arguments. Regions of reductions, windows and
sorts that no row of the table knows become functions too (`sable.reduce` ...). Everything else is taken over as
it stands, attributes and locations included.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.calls import shallow
from sable.ir.aval import Aval
from sable.ir.bindings import aval_of_type, ir
from sable.ir.form import OperationForm, RegionsForm
from sable.ir.function import Deferred, Function, FunctionBuilder
from sable.ir.op import OPS, Op
from sable.ir.reading import decode, find_row

from .assemble import symbols
from .counted_loops import trip_count
from .foreign_forms import FORMS, is_tuple
from .ir_tools import owner, walk

_TERMINATORS = ("func.return", "stablehlo.return")


class ModuleImportError(ValueError):
    """A module that cannot be imported; the message names the operation and its location."""


class HostDeclaration:
    """A host function of which a module says only the name and the types.

    Attributes:
      name: its symbol in the module.
      in_avals, out_avals: types of its arguments and results.
    """

    def __init__(self, name: str, in_avals: Sequence[Aval], out_avals: Sequence[Aval]):
        self.name, self.in_avals, self.out_avals = name, tuple(in_avals), tuple(out_avals)
        self._batched: dict[Any, HostDeclaration] = {}

    def __call__(self, *arrays: Any) -> Any:
        raise TypeError(f"the host function @{self.name} is only declared in this module: it cannot be run here")

    def batched(self, size: int, mapped: tuple[bool, ...], shapes: Sequence[tuple[int, ...]]) -> HostDeclaration:
        """The declaration of `<name>_batched`, which takes a whole batch at once (batch axis at 0)."""
        key = (size, mapped, tuple(shapes))
        if key not in self._batched:
            ins = [a.update(shape=tuple(s)) for a, s in zip(self.in_avals, shapes)]
            outs = [a.update(shape=(size, *a.shape)) for a in self.out_avals]
            self._batched[key] = HostDeclaration(f"{self.name}_batched", ins, outs)
        return self._batched[key]


class Importer:
    """Imports functions of one module, each once.

    Args:
      module: is not changed.
      check: refuse operations that the op table does not have. Without, they are taken over, and the passes refuse
        them when they meet them.
    """

    def __init__(self, module: ir.Module, check: bool = True):
        self.check = check
        self.module = _copied(module)  # the operations below live as long as it does
        self.operations = {n: op for n, op in symbols(self.module).items() if op.name == "func.func"}
        self._made: dict[str, Function] = {}
        self._hosts: dict[str, HostDeclaration] = {}
        self._rules: dict[str, Deferred] = {}
        self._open: list[str] = []

    @property
    def known(self) -> dict[Any, str]:
        """The symbols of all functions imported so far, for `assemble.append`."""
        return {f: name for made in (self._made, self._hosts, self._rules) for name, f in made.items()}

    def function(self, name: str) -> Function:
        """The function of that symbol.

        Raises:
          ModuleImportError: there is none, it calls itself, or it contains what the passes cannot take.
        """
        for n in self._order(name):
            if n not in self._made:
                self._import(n)
        return self._made[name]

    def _order(self, name: str) -> list[str]:
        """The function and all that it calls, what is called first: imported so, deep nests of calls are no recursion."""
        order: list[str] = []
        seen, todo = {name}, [(name, iter(self._calls(name)))]
        while todo:
            name, rest = todo[-1]
            callee = next((n for n in rest if n not in seen), None)
            if callee is None:
                order.append(name)
                todo.pop()
            else:
                seen.add(callee)
                todo.append((callee, iter(self._calls(callee))))
        return order

    def _calls(self, name: str) -> list[str]:
        """The functions with a body, not imported yet, that a function calls; those that it names otherwise may be left out."""
        operation = self._operation_of(name)
        found = []
        for region in operation.regions:
            for block in region.blocks:
                for op in walk(block):
                    if op.name == "func.call":
                        callee = ir.FlatSymbolRefAttr(op.attributes["callee"]).value
                        if callee not in self._made and callee in self.operations and not self.is_host(callee):
                            found.append(callee)
        return found

    def _import(self, name: str) -> None:
        operation = self._operation_of(name)
        if is_declaration(operation):
            raise _error(operation, f"@{name} is only declared: an external function cannot be transformed")
        if len(operation.regions[0].blocks) != 1:
            raise _error(operation, f"@{name} has several blocks: control flow must be stablehlo.while, if or case")
        if name in self._open:
            raise _error(operation, f"@{name} calls itself: recursion cannot be transformed")
        self._open.append(name)
        try:
            block = operation.regions[0].blocks[0]
            function = Function(_avals(block.arguments, operation), name)
            scope = _Scope(self, function, dict(zip(block.arguments, function.arguments)))
            self._made[name] = function.finish(scope.fill(block))
        finally:
            self._open.pop()

    def callee(self, role: str, name: str) -> Any:
        """What a symbol of an op that names functions stands for, by the function's role (see `SymbolCodec`)."""
        if role == "host":
            return self.host(name)
        if role == "rule":
            self._operation_of(name)
            return self._rules.setdefault(name, Deferred(lambda: self.function(name), name))
        return self.function(name)

    def host(self, name: str) -> HostDeclaration:
        """The host function declared as that symbol."""
        if name not in self._hosts:
            operation = self._operation_of(name)
            if not is_declaration(operation):
                raise _error(operation, f"@{name} is called as a function of the host but has a body")
            self._hosts[name] = HostDeclaration(name, *signature(operation))
        return self._hosts[name]

    def is_host(self, name: str) -> bool:
        """Whether the module only declares that function."""
        return name in self.operations and is_declaration(self.operations[name])

    def _operation_of(self, name: str) -> Any:
        operation = self.operations.get(name)
        if operation is None:
            names = ", ".join(f"@{n}" for n in self.operations) or "none at all"
            raise ModuleImportError(f"the module has no function @{name}; it has {names}")
        return operation


def _copied(module: ir.Module) -> ir.Module:
    with module.context, module.operation.location:
        copy = ir.Module.create()
        ip = ir.InsertionPoint(copy.body)
        for view in module.body.operations:
            view.operation.clone(ip=ip)
    return copy


def is_declaration(operation: Any) -> bool:
    """Whether a `func.func` has no body."""
    return not len(operation.regions[0].blocks)


def signature(operation: Any) -> tuple[list[Aval], list[Aval]]:
    """Types of arguments and results of a `func.func`.

    Raises:
      ModuleImportError: a type that no array has.
    """
    type = ir.FunctionType(ir.TypeAttr(operation.attributes["function_type"]).value)
    try:
        return [aval_of_type(t) for t in type.inputs], [aval_of_type(t) for t in type.results]
    except TypeError as error:
        raise _error(operation, str(error)) from None


def _error(operation: Any, message: str) -> ModuleImportError:
    return ModuleImportError(f"{message}\n  at {operation.location}")


def _avals(values: Iterable[ir.Value], operation: Any) -> list[Aval]:
    try:
        return [aval_of_type(v.type) for v in values]
    except TypeError as error:
        raise _error(operation, str(error)) from None


class _OtherType:
    """Stands for an abstract value where a type is no array's; such values can be written again, and nothing else."""

    def __init__(self, type: ir.Type):
        self.mlir, self.strong = type, self

    def short(self) -> str:
        """The type in MLIR."""
        return str(self.mlir)


def _type_of(value: ir.Value) -> Any:
    try:
        return aval_of_type(value.type)
    except TypeError:
        return _OtherType(value.type)


class _Scope:
    """One function that is being filled: `env` has its values by those of the module."""

    def __init__(self, importer: Importer, function: Function, env: dict):
        self.importer, self.function, self.env = importer, function, env
        self.b = FunctionBuilder(function)

    def fill(self, block: Any) -> list[Any]:
        """Take over the operations of a block; the values that its terminator returns."""
        for view in block.operations:
            operation = view.operation
            self.b.at(operation.location)
            if operation.name in _TERMINATORS:
                return [self.env[v] for v in operation.operands]
            take = _SPECIAL.get(operation.name, _Scope.take)
            self.env.update(zip(operation.results, take(self, operation)))
        raise ModuleImportError("a block without a return")

    def take(self, operation: Any) -> Sequence[Any]:
        """Any operation but those with regions of control flow; the results."""
        plain = _with_constants_inside(operation)
        try:
            op = find_row(plain, plain.name)
        except NotImplementedError as error:
            if not self.importer.check:
                return self.emit(operation, _unknown(operation, str(error)), operation.operands, {})
            other = FORMS.get(operation.name)
            if other is not None:
                _avals([v for v in operation.results if not is_tuple(v)], operation)
                return other(self, operation)
            outlined = _outlined().get(operation.name)
            if outlined is not None:
                return self.outline(operation, outlined)
            raise ModuleImportError(str(error)) from None
        _avals(operation.results, operation)
        operands, params = decode(op, plain)
        params.update({p: self.named(operation, op.params[p], params[p]) for p in op.functions})
        return self.emit(operation, op, operands, params)

    def emit(self, operation: Any, op: Op, operands: Iterable[Any], params: dict[str, Any]) -> Sequence[Any]:
        """A node which is written as the operation stands."""
        outs = [_type_of(v) for v in operation.results]
        source = Source(self.importer.module, operation, self.env)
        self.function.sources[len(self.function.nodes())] = source
        return self.function.emit(op, [self.env[v] for v in operands], params, outs, operation.location)

    def outline(self, operation: Any, op: Op) -> Sequence[Any]:
        """An operation whose regions are no row's, its regions as functions.

        Raises:
          ModuleImportError: a region uses a value from outside (there is no operand to lift it to), or returns what the
            operation does not take.
        """
        _avals((*operation.operands, *operation.results), operation)
        params = op.form.plain.decode(operation, [aval_of_type(r.type) for r in operation.results])[1]
        for region, parameter in zip(operation.regions, op.form.regions):
            block = region.blocks[0]
            outside = captures(block)
            if outside:
                raise _error(
                    operation, f"{operation.name}: its {parameter} uses a value from outside, of type {outside[0].type}"
                )
            params[parameter] = self.region(block, (), parameter)
        try:
            return self.b.bind(op, *[self.env[v] for v in operation.operands], **params)
        except (TypeError, ValueError) as error:
            raise _error(operation, str(error)) from None

    def named(self, operation: Any, codec: Any, names: Any) -> Any:
        """What the symbols of an attribute stand for."""
        try:
            found = [self.importer.callee(codec.role, n) for n in (names if codec.many else (names,))]
        except ModuleImportError as error:
            raise error if " at loc(" in str(error) else _error(operation, str(error)) from None
        return tuple(found) if codec.many else found[0]

    def region(self, block: Any, captured: Sequence[Any], kind: str) -> Function:
        """A region's block as a function of those outer values and then its arguments."""
        types = _avals((*captured, *block.arguments), block.owner)
        function = Function(types, f"{self.function.name}_{kind}")
        env = dict(zip((*captured, *block.arguments), function.arguments))
        scope = _Scope(self.importer, function, env)
        for v in filter(_is_constant, free_values(block)):
            (scope.env[v],) = scope.take(v.owner.operation)
        return function.finish(scope.fill(block))


def _with_constants_inside(operation: Any) -> Any:
    """The operation, its regions without constants from outside: in a copy where there are any.

    A canonicaliser moves constants out of bodies of reductions and sorts; the op table expects them there.
    """
    blocks = [block for region in operation.regions for block in region.blocks]
    outside = [v for v in free_values(*blocks) if _is_constant(v)] if blocks else []
    if not outside:
        return operation
    copy = operation.clone(ip=False)
    for region in copy.regions:
        _move_inside(region, outside)
    return copy


def _move_inside(region: Any, constants: Sequence[Any]) -> None:
    for block in region.blocks:
        inside = {}
        start = ir.InsertionPoint.at_block_begin(block)
        for op in list(walk(block)):
            for i, v in enumerate(op.operands):
                if v in constants:
                    if v not in inside:
                        inside[v] = v.owner.operation.clone(ip=start).result
                    op.operands[i] = inside[v]


class Source:
    """Writes an operation of a module again, attributes, regions and location included.

    Attributes:
      operands: variables for the operation's operands, and for what its regions use from outside.
    """

    def __init__(self, module: ir.Module, operation: Any, env: dict):
        self._module, self._operation = module, operation  # the operation lives as long as its module
        blocks = [block for region in operation.regions for block in region.blocks]
        self._outside = captures(*blocks)
        self.operands = [env[v] for v in (*operation.operands, *self._outside)]

    def emit(self, values: Sequence[Any], attributes: dict[str, Any], ip: Any) -> Any:
        """A copy with these operands and attributes."""
        made = _with_constants_inside(self._operation).clone(ip=ip)
        count = len(made.operands)
        for i, v in enumerate(values[:count]):
            made.operands[i] = v
        if self._outside:
            for region in made.regions:
                _replace(region, dict(zip(self._outside, values[count:])))
        for name, attribute in attributes.items():
            made.attributes[name] = attribute
        return made


def _replace(region: Any, values: dict) -> None:
    for block in region.blocks:
        for op in walk(block):
            for i, v in enumerate(op.operands):
                if v in values:
                    op.operands[i] = values[v]


def _unknown(operation: Any, why: str) -> Op:
    """A row for an operation that the table lacks: it can be written again, and nothing else."""

    def refuse(*operands: Any, **params: Any) -> Any:
        raise NotImplementedError(why)

    dialect, _, name = operation.name.partition(".")
    form = OperationForm(operation.name, {})
    return Op(name, dialect, (), True, {}, refuse, refuse, None, {}, refuse, list, form=form)


@functools.cache
def _outlined() -> dict[str, Op]:
    """StableHLO operation -> the op that names its regions as functions."""
    return {op.form.twin: op for op in OPS.values() if isinstance(op.form, RegionsForm)}


def _is_constant(value: Any) -> bool:
    operation = owner(value)
    return operation is not None and operation.name == "stablehlo.constant"


def captures(*blocks: Any) -> list[Any]:
    """What the functions of these blocks get as arguments: all they use from outside but constants.

    Constants are copied into the functions: rows of the table may look for them, and nothing is gained by passing them.
    """
    return [v for v in free_values(*blocks) if not _is_constant(v)]


def free_values(*blocks: Any) -> list[Any]:
    """Values which blocks and the regions in them use from outside, each once, in order of use."""
    own: set = set()
    used: dict = {}
    for block in blocks:
        own.update(block.arguments)
        for operation in walk(block):
            used.update(dict.fromkeys(operation.operands))
            own.update(operation.results)
            for region in operation.regions:
                for nested in region.blocks:
                    own.update(nested.arguments)
    return [v for v in used if v not in own]


def _while(scope: _Scope, operation: Any) -> Sequence[Any]:
    length = trip_count(operation) if len(operation.operands) else None
    if length is not None:
        return _scan(scope, operation, length)
    blocks = [region.blocks[0] for region in operation.regions]
    captured = [captures(block) for block in blocks]
    cond, body = (scope.region(k, c, n) for k, c, n in zip(blocks, captured, ("while_cond", "while_body")))
    values = [*captured[0], *captured[1], *operation.operands]
    params = {"cond": cond, "body": body, "cond_consts": len(captured[0]), "body_consts": len(captured[1])}
    return scope.b.bind(OPS["while"], *[scope.env[v] for v in values], **params)


def _scan(scope: _Scope, operation: Any, length: int) -> Sequence[Any]:
    block = operation.regions[1].blocks[0]
    captured = captures(block)
    params = {
        "body": scope.region(block, captured, "scan_body"),
        "num_consts": len(captured),
        "num_carry": len(operation.operands),
        "length": length,
        "reverse": False,
    }
    values = [*captured, *operation.operands]
    return scope.b.bind(OPS["scan"], *[scope.env[v] for v in values], **params)


def _branches(scope: _Scope, operation: Any, index: Any, order: Iterable[int]) -> Sequence[Any]:
    blocks = [operation.regions[k].blocks[0] for k in order]
    captured = captures(*blocks)
    made = tuple(scope.region(block, captured, f"branch{k}") for k, block in enumerate(blocks))
    return scope.b.bind(OPS["case"], index, *[scope.env[v] for v in captured], branches=made)


def _if(scope: _Scope, operation: Any) -> Sequence[Any]:
    index = scope.b.convert(scope.env[operation.operands[0]], dtype=np.dtype(np.int32))
    return _branches(scope, operation, index, (1, 0))


def _case(scope: _Scope, operation: Any) -> Sequence[Any]:
    return _branches(scope, operation, scope.env[operation.operands[0]], range(len(operation.regions)))


def _call(scope: _Scope, operation: Any) -> Sequence[Any]:
    """A call of a declared function is one of the host; without results it can only be there for its effect."""
    name = ir.FlatSymbolRefAttr(operation.attributes["callee"]).value
    if not scope.importer.is_host(name):
        callee = scope.importer.function(name) if name in scope.importer.operations else None
        if callee is None or shallow(callee) is callee:
            return scope.take(operation)
        return scope.b.bind(OPS["call"], *[scope.env[v] for v in operation.operands], callee=shallow(callee))
    op = OPS["host_call" if len(operation.results) else "host_effect"]
    return scope.b.bind(op, *[scope.env[v] for v in operation.operands], callback=scope.importer.host(name))


#: Operations that become ops of ours which name functions: their regions use values from outside, as no form of a row does.
_SPECIAL: dict[str, Any] = {
    "stablehlo.while": _while,
    "stablehlo.if": _if,
    "stablehlo.case": _case,
    "func.call": _call,
}
