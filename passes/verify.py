"""verify: checks of the `sable` operations of a module, in our terms; MLIR knows them as unregistered operations only.

Symbols resolve, the functions they name take and return what the operation says, attributes are there and of their
kind. StableHLO and the rest is verified by MLIR.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sable.dialects.ops.control_flow import is_inexact
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
        many = isinstance(params[p], tuple)
        found = [_resolve(name, p, s, functions) for s in (params[p] if many else (params[p],))]
        params[p] = tuple(found) if many else found[0]
    check = _CHECKS.get(op.name)
    if check is not None:
        check(operands, **params)
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
    if not _same(wanted, results):
        raise VerificationError(f"{op.mlir_name}: expected results ({_list(wanted)}), got ({_list(results)})")


def _same(left: Sequence[Aval], right: Sequence[Aval]) -> bool:
    return len(left) == len(right) and all(a.shape == b.shape and a.dtype == b.dtype for a, b in zip(left, right))


def _list(avals: Sequence[Aval]) -> str:
    return ", ".join(a.short() for a in avals)


#: What an attribute of a codec should look like, for messages.
KINDS: dict[Callable, str] = {
    codecs.INTS._encode: "array<i64: ...>",
    codecs.INT._encode: "an i64",
    codecs.BOOL._encode: "true or false",
    codecs.STRING._encode: "a string",
    codecs.STRINGS._encode: "an array of strings",
    codecs.SYMBOL._encode: "a symbol",
    codecs.SYMBOLS._encode: "an array of symbols",
}


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
        kind = KINDS.get(codec._encode, "another kind")
        if key not in attributes:
            if p not in optional(op):
                raise VerificationError(f"{name}: attribute '{key}' is missing, expected {kind}")
            params[p] = None
            continue
        try:
            params[p] = codec.decode(attributes[key])
        except (ValueError, TypeError):
            raise VerificationError(f"{name}: attribute '{key}' is {attributes[key]}, expected {kind}") from None
    for key in attributes:
        if key not in known and "." not in key:
            names = ", ".join(sorted(known)) or "none"
            raise VerificationError(f"{name}: unknown attribute '{key}'; it takes: {names}")
    return params


def _resolve(name: str, parameter: str, symbol: str, functions: Mapping[str, Any]) -> Signature:
    operation = functions.get(symbol)
    if operation is None or operation.name != "func.func":
        raise VerificationError(f"{name}: {parameter} names @{symbol}, but the module has no such function")
    try:
        ins, outs = signature(operation)
    except ModuleImportError as error:
        raise VerificationError(f"{name}: {parameter} @{symbol}: {str(error).splitlines()[0]}") from None
    found = Signature(f"@{symbol}", ins, outs, is_declaration(operation))
    if parameter == "callback" and not found.declared:
        raise VerificationError(f"{name}: {parameter} @{symbol} must be a declaration: the host supplies its body")
    if parameter != "callback" and found.declared:
        raise VerificationError(f"{name}: {parameter} @{symbol} is only declared: expected a function with a body")
    return found


def _need(condition: bool, message: str) -> None:
    if not condition:
        raise VerificationError(message)


def _takes(name: str, role: str, f: Signature, wanted: Sequence[Aval]) -> None:
    _need(
        _same(f.in_avals, wanted),
        f"{name}: {role} {f.name} must take ({_list(wanted)}), but takes ({_list(f.in_avals)})",
    )


def _returns(name: str, role: str, f: Signature, wanted: Sequence[Aval]) -> None:
    _need(
        _same(f.out_avals, wanted),
        f"{name}: {role} {f.name} must return ({_list(wanted)}), but returns ({_list(f.out_avals)})",
    )


def _counts(name: str, operands: Sequence[Aval], **counts: int) -> None:
    for what, n in counts.items():
        _need(n >= 0, f"{name}: {what} must not be negative, got {n}")
    total = sum(counts.values())
    _need(
        total <= len(operands),
        f"{name}: {' + '.join(counts)} is {total}, but there are only {len(operands)} operands",
    )


def _scan(
    operands: list[Aval], *, body: Signature, num_consts: int, num_carry: int, length: int, reverse: bool
) -> None:
    name = "sable.scan"
    _counts(name, operands, num_consts=num_consts, num_carry=num_carry)
    _need(length >= 0, f"{name}: length must not be negative, got {length}")
    fixed = num_consts + num_carry
    for k, a in enumerate(operands[fixed:], fixed):
        ok = a.ndim > 0 and a.shape[0] == length
        _need(ok, f"{name}: operand {k} is scanned over and must have leading size {length}, got {a.short()}")
    rows = [a.update(shape=a.shape[1:]) for a in operands[fixed:]]
    _takes(name, "body", body, [*operands[:fixed], *rows])
    carry = operands[num_consts:fixed]
    _need(
        _same(body.out_avals[:num_carry], carry),
        f"{name}: body {body.name} must first return the carry ({_list(carry)}), but returns ({_list(body.out_avals)})",
    )


def _while(operands: list[Aval], *, cond: Signature, body: Signature, cond_consts: int, body_consts: int) -> None:
    name = "sable.while"
    _counts(name, operands, cond_consts=cond_consts, body_consts=body_consts)
    carry = operands[cond_consts + body_consts :]
    _takes(name, "cond", cond, [*operands[:cond_consts], *carry])
    ok = len(cond.out_avals) == 1 and cond.out_avals[0].short() == "bool[]"
    _need(ok, f"{name}: cond {cond.name} must return (bool[]), but returns ({_list(cond.out_avals)})")
    _takes(name, "body", body, [*operands[cond_consts : cond_consts + body_consts], *carry])
    _returns(name, "body", body, carry)


def _case(operands: list[Aval], *, branches: tuple[Signature, ...]) -> None:
    name = "sable.case"
    _need(bool(branches), f"{name}: expected at least one branch")
    ok = bool(operands) and operands[0].short() == "int32[]"
    _need(ok, f"{name}: the index must be int32[], got {operands[0].short() if operands else 'no operands'}")
    for k, branch in enumerate(branches):
        _takes(name, f"branch {k}", branch, operands[1:])
        _returns(name, f"branch {k}", branch, branches[0].out_avals)


def _custom_jvp_call(operands: list[Aval], *, callee: Signature, rule: Signature) -> None:
    name = "sable.custom_jvp_call"
    _takes(name, "callee", callee, operands)
    _takes(name, "rule", rule, [*operands, *operands])
    _returns(name, "rule", rule, [*callee.out_avals, *callee.out_avals])


def _backward(name: str, callee: Signature, backward: Signature, residuals: Sequence[Aval]) -> None:
    cotangents = [a for a in callee.out_avals if is_inexact(a)]
    _takes(name, "backward", backward, [*residuals, *cotangents])
    _returns(name, "backward", backward, [a for a in callee.in_avals if is_inexact(a)])


def _custom_vjp_call(operands: list[Aval], *, callee: Signature, forward: Signature, backward: Signature) -> None:
    name = "sable.custom_vjp_call"
    _takes(name, "callee", callee, operands)
    _takes(name, "forward", forward, operands)
    n = len(callee.out_avals)
    ok = _same(forward.out_avals[:n], callee.out_avals)
    outs = _list(callee.out_avals)
    _need(
        ok,
        f"{name}: forward {forward.name} must first return ({outs}), but returns ({_list(forward.out_avals)})",
    )
    _backward(name, callee, backward, forward.out_avals[n:])


def _custom_vjp_linear(operands: list[Aval], *, callee: Signature, backward: Signature, num_residuals: int) -> None:
    name = "sable.custom_vjp_linear"
    _counts(name, operands, num_residuals=num_residuals)
    tangents = [a for a in callee.in_avals if is_inexact(a)]
    given = operands[num_residuals:]
    _need(
        _same(given, tangents),
        f"{name}: expected tangents ({_list(tangents)}) behind the residuals, got ({_list(given)})",
    )
    _backward(name, callee, backward, operands[:num_residuals])


def _host(name: str) -> Callable[..., None]:
    def check(operands: list[Aval], *, callback: Signature) -> None:
        _takes(name, "callback", callback, operands)

    return check


def _collective(name: str) -> Callable[..., None]:
    def check(operands: list[Aval], *, axes: tuple[str, ...], **params: Any) -> None:
        _need(bool(axes), f"sable.{name}: axes must name at least one axis")

    return check


#: What `type` of the row does not check, since tracing cannot get it wrong.
_CHECKS: dict[str, Callable[..., None]] = {
    "scan": _scan,
    "while": _while,
    "case": _case,
    "custom_jvp_call": _custom_jvp_call,
    "custom_vjp_call": _custom_vjp_call,
    "custom_vjp_linear": _custom_vjp_linear,
    "host_call": _host("sable.host_call"),
    "host_effect": _host("sable.host_effect"),
    **{name: _collective(name) for name in ("psum", "pmax", "pmin", "axis_index", "all_gather")},
}
