"""verify: checks of the `sable` operations of a module, in our terms; MLIR knows them as unregistered operations only.

Symbols resolve, the functions they name take and return what the operation says, attributes are there and of their
kind. StableHLO and the rest is verified by MLIR.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sable.dialects.ops.functions import listed, same_types
from sable.ir import codec as codecs
from sable.ir.aval import Aval
from sable.ir.bindings import CONTEXT, aval_of_type, ir
from sable.ir.op import OPS, Op

from .assemble import symbols
from .diagnostics import PROGRAM_ERRORS, Diagnostic, PassError, place_of
from .importer import ModuleImportError, is_declaration, signature
from .ir_tools import walk_module

NAMESPACE = "sable"


class VerificationError(ValueError):
    """One thing that is wrong with an operation."""


@dataclass(frozen=True)
class Signature:
    """What an operation sees of a function that it names; ops' `type` take it for the function."""

    name: str
    in_avals: list[Aval]
    out_avals: list[Aval]
    declared: bool


def verify(module: ir.Module, unregistered: bool = True) -> None:
    """Check a whole module, MLIR's own verification included.

    Args:
      module: the module.
      unregistered: whether operations of unknown dialects are allowed.

    Raises:
      PassError: with a diagnostic for everything that is wrong.
    """
    found = list(problems(module, unregistered))
    if found:
        raise PassError(*found)
    module.operation.verify()


def problems(module: ir.Module, unregistered: bool = True) -> Iterator[Diagnostic]:
    """A diagnostic for every operation of the module that is wrong."""
    functions = symbols(module)
    for operation in walk_module(module):
        dialect = operation.name.split(".", 1)[0]
        try:
            if dialect == NAMESPACE:
                verify_operation(operation, functions)
            elif not unregistered and not CONTEXT.is_registered_operation(operation.name):
                raise VerificationError(
                    f"unknown operation {operation.name}: no dialect defines it (--allow-unregistered-dialect lets "
                    "it pass)"
                )
        except VerificationError as error:
            yield Diagnostic(str(error), place_of(operation.location))


def verify_operation(operation: Any, functions: Mapping[str, Any]) -> None:
    """Check one operation of the sable dialect.

    Args:
      operation: the operation.
      functions: the module's symbols.

    Raises:
      VerificationError: names the operation and what is wrong with it.
    """
    op = _row(operation.name)
    name = operation.name
    if not op.variadic and len(operation.operands) != len(op.operands):
        raise VerificationError(
            f"{name}: expected {len(op.operands)} operands ({', '.join(op.operands) or 'none'}), got "
            f"{len(operation.operands)}"
        )
    try:
        operands = [aval_of_type(v.type) for v in operation.operands]
        results = [aval_of_type(r.type) for r in operation.results]
    except TypeError as error:
        raise VerificationError(f"{name}: {error}") from None
    params = _params(operation, op)
    for p in op.functions:
        codec = op.params[p]
        symbols_of = params[p] if codec.many else (params[p],)
        found = [_resolve(name, p, s, functions, codec.role == "host") for s in symbols_of]
        params[p] = tuple(found) if codec.many else found[0]
    if op.rules is not None:
        try:
            op.rules.verify(operands, **params)
        except ValueError as error:
            raise VerificationError(str(error)) from None
    _check_types(op, operands, results, params)


def _row(name: str) -> Op:
    for op in OPS.values():
        if op.mlir_name == name:
            return op
    known = sorted(op.mlir_name for op in OPS.values() if op.mlir_name.startswith(f"{NAMESPACE}."))
    close = difflib.get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    raise VerificationError(f"unknown operation {name}: the op table has none of that name{hint}")


def _check_types(op: Op, operands: list[Aval], results: list[Aval], params: dict) -> None:
    try:
        wanted = op.type(*operands, **params)
    except PROGRAM_ERRORS as error:
        message = str(error)
        raise VerificationError(message if message.startswith(op.name) else f"{op.mlir_name}: {message}") from None
    wanted = list(wanted) if op.multiple_results else [wanted]
    if not same_types(wanted, results):
        raise VerificationError(f"{op.mlir_name}: expected results ({listed(wanted)}), got ({listed(results)})")


def optional(op: Op) -> set[str]:
    """Parameters which may be left out: those that some sample of the row gives as None."""
    found = set()
    for sample in op.samples():
        found.update(p for p, v in sample.params.items() if v is None)
    return found


def _params(operation: Any, op: Op) -> dict[str, Any]:
    """The parameters, each attribute checked by its codec; the symbols still as strings."""
    attributes = operation.attributes
    name, params, known = operation.name, {}, set()
    for p, codec in op.params.items():
        if not isinstance(codec, codecs.Codec):
            params[p] = codec.read(aval_of_type(operation.results[0].type)) if len(operation.results) else None
            continue
        key = codec.name or p
        known.add(key)
        if key not in attributes:
            if p not in optional(op):
                raise VerificationError(f"{name}: attribute '{key}' is missing, expected {codec.kind}")
            params[p] = None
            continue
        try:
            params[p] = codec.decode(attributes[key])
        except (ValueError, TypeError):
            raise VerificationError(f"{name}: attribute '{key}' is {attributes[key]}, expected {codec.kind}") from None
    for key in attributes:
        if key not in known and "." not in key:
            names = ", ".join(sorted(known)) or "none"
            raise VerificationError(f"{name}: unknown attribute '{key}'; it takes: {names}")
    return params


def _resolve(name: str, parameter: str, symbol: str, functions: Mapping[str, Any], host: bool) -> Signature:
    operation = functions.get(symbol)
    if operation is None or operation.name != "func.func":
        raise VerificationError(f"{name}: {parameter} names @{symbol}, but the module has no such function")
    try:
        ins, outs = signature(operation)
    except ModuleImportError as error:
        raise VerificationError(f"{name}: {parameter} @{symbol}: {str(error).splitlines()[0]}") from None
    found = Signature(f"@{symbol}", ins, outs, is_declaration(operation))
    if host and not found.declared:
        raise VerificationError(f"{name}: {parameter} @{symbol} must be a declaration: the host supplies its body")
    if not host and found.declared:
        raise VerificationError(f"{name}: {parameter} @{symbol} is only declared: expected a function with a body")
    return found
