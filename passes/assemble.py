"""assemble: `Function`s to MLIR modules; symbols in the order of first use, so that equal programs print equally."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sable.ir.aval import Aval
from sable.ir.bindings import CONTEXT, UNKNOWN, Operation, ir, mlir_type
from sable.ir.function import Deferred, Function
from sable.ir.writing import write_function


def assemble(function: Function, name: str = "main", rules: bool = False) -> ir.Module:
    """A module of a function and all it refers to.

    Args:
      function: a finished function.
      name: its symbol.
      rules: also those rules of custom derivatives which nobody has asked for yet; they are traced now.
    """
    return assemble_all({name: function}, rules)


def assemble_all(functions: Mapping[str, Function], rules: bool = False) -> ir.Module:
    """A module of several public functions, by symbol, and all they refer to."""
    with CONTEXT, UNKNOWN:
        module = ir.Module.create()
    append(module, functions, rules=rules)
    return module


def append(
    module: ir.Module, functions: Mapping[str, Function], known: Mapping[Any, str] | None = None, rules: bool = True
) -> None:
    """Append functions and all they refer to to a module, which keeps everything that it has.

    Args:
      module: changed in place.
      functions: by the symbols they get, which the module must not have yet.
      known: symbols of functions (and host functions) that the module has already.
      rules: as for `assemble`.
    """
    assembler = Assembler(module, known or {}, rules)
    for name, function in functions.items():
        assembler.add(name, function)
    assembler.run()


class Assembler:
    """Writes functions into one module.

    Args:
      module: changed in place.
      known: symbols of callees that the module has already.
      rules: as for `assemble`.
    """

    def __init__(self, module: ir.Module, known: Mapping[Any, str], rules: bool = True):
        self.module, self.rules = module, rules
        self.names: dict[Any, str] = dict(known)
        self._taken = set(symbols(module))
        self._todo: list[Function] = []

    def add(self, name: str, function: Function, like: ir.Operation | None = None) -> None:
        """Write a public function at the end, or in the place of `like`, whose symbol and attributes it takes over.

        Raises:
          ValueError: the module has that symbol already.
        """
        if like is None and name in self._taken:
            raise ValueError(f"the module already has a symbol @{name}")
        self._taken.add(name)
        self.names.setdefault(function, name)
        self._write(function, name, None if like is None else like)

    def run(self) -> None:
        """Write the callees of all that was added, and theirs."""
        for function in self._todo:
            self._write(function, self.names[function], None, private=True)
        self._todo.clear()

    def _write(self, function: Function, name: str, like: ir.Operation | None, private: bool = False) -> None:
        callees = {callee: self._name(callee) for callee in function.callees}
        with CONTEXT, UNKNOWN:
            ip = ir.InsertionPoint(self.module.body) if like is None else ir.InsertionPoint(like)
            written = write_function(function, callees, ip)
            if like is not None:
                take_over(written, like)
                like.erase()
            written.attributes["sym_name"] = ir.StringAttr.get(name)
            if private:
                written.attributes["sym_visibility"] = ir.StringAttr.get("private")

    def _name(self, callee: Any) -> str:
        if callee not in self.names and isinstance(callee, Deferred) and (self.rules or callee.made):
            callee = callee.get()
        found = self.names.get(callee)
        if found is None:
            found = self.names[callee] = self._fresh(getattr(callee, "name", "f"))
            if isinstance(callee, Function):
                self._todo.append(callee)
            elif not isinstance(callee, Deferred):
                with CONTEXT, UNKNOWN:
                    declare(found, callee.in_avals, callee.out_avals, ir.InsertionPoint(self.module.body))
        return found

    def _fresh(self, base: str) -> str:
        base = "".join(c if c.isalnum() or c == "_" else "_" for c in base).strip("_") or "f"
        k, name = 0, base
        while name in self._taken:
            k += 1
            name = f"{base}_{k}"
        self._taken.add(name)
        return name


def declare(name: str, in_avals: Sequence[Aval], out_avals: Sequence[Aval], ip: ir.InsertionPoint) -> ir.Operation:
    """A private function without a body: one that the host supplies."""
    type = ir.FunctionType.get([mlir_type(a) for a in in_avals], [mlir_type(a) for a in out_avals])
    attributes = {
        "sym_name": ir.StringAttr.get(name),
        "function_type": ir.TypeAttr.get(type),
        "sym_visibility": ir.StringAttr.get("private"),
    }
    return Operation.create("func.func", attributes=attributes, regions=1, ip=ip)


def symbols(module: ir.Module) -> dict[str, ir.Operation]:
    """The operations of a module's body that define symbols, by name."""
    found = {}
    for view in module.body.operations:
        operation = view.operation
        if "sym_name" in operation.attributes:
            found[ir.StringAttr(operation.attributes["sym_name"]).value] = operation
    return found


def symbol_uses(operation: ir.Operation) -> set[str]:
    """The symbols that an operation and everything in it refer to."""
    found: set[str] = set()
    todo = [operation]
    for op in todo:
        for attribute in op.attributes:
            found.update(_symbols_in(op.attributes[attribute]))
        todo += [view.operation for region in op.regions for block in region.blocks for view in block.operations]
    return found


def drop_unused(module: ir.Module, candidates: Iterable[str]) -> None:
    """Erase those candidates that nothing in the module refers to any more, and what only they referred to."""
    left = set(candidates)
    while True:
        found = symbols(module)
        used = set().union(*(symbol_uses(operation) for operation in found.values()))
        unused = [name for name in found if name in left and name not in used]
        if not unused:
            return
        for name in unused:
            found[name].erase()
            left.discard(name)


def _symbols_in(attribute: Any) -> Iterable[str]:
    if isinstance(attribute, ir.FlatSymbolRefAttr):
        return [attribute.value]
    if isinstance(attribute, ir.SymbolRefAttr):
        return attribute.value[:1]
    if isinstance(attribute, ir.ArrayAttr):
        return [s for a in attribute for s in _symbols_in(a)]
    return []


def take_over(made: ir.Operation, like: ir.Operation) -> None:
    """The attributes of the operation that is replaced, but for its type."""
    for name in like.attributes:
        if name != "function_type":
            made.attributes[name] = like.attributes[name]
