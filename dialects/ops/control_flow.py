"""Ops that name functions: calls, loops, branches, custom derivatives, host calls. Their rules are in `sable.passes`.

A function is a parameter: in MLIR a symbol (`body = @c0`), in rules a `Function`. So that passes transform functions,
and printing, parsing and symbol-dce work with the ops unregistered, none of them has a region.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval
from sable.ir.codec import BOOL, INT, SYMBOL, SYMBOLS
from sable.ir.form import OperationForm
from sable.ir.op import NumpyBuilder, defop, interpret

_NUMPY = NumpyBuilder()


def _run(function: Any, values: Any) -> list[np.ndarray]:
    return interpret(function, [np.asarray(v) for v in values], _NUMPY)


def _by_pass(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("ops that name functions are transformed by sable.passes.control_flow")


def _no_samples() -> list:
    # their samples need traced functions: tests/passes/test_control_flow.py
    return []


def _row(name: str, params: dict, type: Any, ref: Any, effects: bool = False, form: Any = None) -> Any:
    return defop(
        name,
        dialect="sable",
        operands=("*operands",),
        params=params,
        type=type,
        ref=ref,
        jvp=_by_pass,
        transpose={},
        batch=_by_pass,
        samples=_no_samples,
        multiple_results=True,
        effects=effects,
        form=form,
    )


def check_operands(name: str, wanted: list[Aval], given: tuple[Aval, ...]) -> None:
    """A callee's argument types must be those of the operands.

    Raises:
      TypeError: naming the op and both lists of types.
    """
    if len(wanted) != len(given) or any(w.shape != g.shape or w.dtype != g.dtype for w, g in zip(wanted, given)):
        w, g = (", ".join(a.short() for a in avals) for avals in (wanted, given))
        raise TypeError(f"{name}: the function takes ({w}) but is applied to ({g})")


def _call_type(*avals: Aval, callee: Any) -> tuple[Aval, ...]:
    check_operands("call", callee.in_avals, avals)
    return tuple(callee.out_avals)


call = _row(
    "call",
    {"callee": SYMBOL},
    _call_type,
    lambda *xs, callee: tuple(_run(callee, xs)),
    form=OperationForm("func.call", {"callee": SYMBOL}),
)


def _scan_type(
    *avals: Aval, body: Any, num_consts: int, num_carry: int, length: int, reverse: bool
) -> tuple[Aval, ...]:
    fixed = num_consts + num_carry
    sliced = [a.update(shape=a.shape[1:]) for a in avals[fixed:]]
    check_operands("scan", body.in_avals, (*avals[:fixed], *sliced))
    ys = body.out_avals[num_carry:]
    return (*body.out_avals[:num_carry], *[a.update(shape=(length, *a.shape)) for a in ys])


def _scan_ref(*operands: Any, body: Any, num_consts: int, num_carry: int, length: int, reverse: bool) -> tuple:
    consts, carry = operands[:num_consts], list(operands[num_consts : num_consts + num_carry])
    xs = operands[num_consts + num_carry :]
    ys = [np.zeros((length, *a.shape), a.dtype) for a in body.out_avals[num_carry:]]
    for i in range(length)[:: -1 if reverse else 1]:
        outs = _run(body, [*consts, *carry, *[x[i] for x in xs]])
        carry = outs[:num_carry]
        for y, value in zip(ys, outs[num_carry:]):
            y[i] = value
    return (*carry, *ys)


scan = _row(
    "scan",
    {"body": SYMBOL, "num_consts": INT, "num_carry": INT, "length": INT, "reverse": BOOL},
    _scan_type,
    _scan_ref,
)


def _while_type(*avals: Aval, cond: Any, body: Any, cond_consts: int, body_consts: int) -> tuple[Aval, ...]:
    carry = avals[cond_consts + body_consts :]
    check_operands("while", body.in_avals, (*avals[cond_consts : cond_consts + body_consts], *carry))
    check_operands("while", cond.in_avals, (*avals[:cond_consts], *carry))
    return tuple(body.out_avals)


def _while_ref(*operands: Any, cond: Any, body: Any, cond_consts: int, body_consts: int) -> tuple:
    cs, bs = operands[:cond_consts], operands[cond_consts : cond_consts + body_consts]
    carry = list(operands[cond_consts + body_consts :])
    while _run(cond, [*cs, *carry])[0]:
        carry = _run(body, [*bs, *carry])
    return tuple(carry)


while_loop = _row(
    "while", {"cond": SYMBOL, "body": SYMBOL, "cond_consts": INT, "body_consts": INT}, _while_type, _while_ref
)


def _case_type(index: Aval, *avals: Aval, branches: Any) -> tuple[Aval, ...]:
    for branch in branches:
        check_operands("case", branch.in_avals, avals)
    first = branches[0].out_avals
    weak = [all(f.out_avals[i].weak_type for f in branches) for i in range(len(first))]
    return tuple(a.update(weak_type=w) for a, w in zip(first, weak))


def _case_ref(index: Any, *operands: Any, branches: Any) -> tuple:
    """Any index out of range is the last branch: what stablehlo.case says."""
    k = int(index)
    return tuple(_run(branches[k if 0 <= k < len(branches) else -1], operands))


case = _row("case", {"branches": SYMBOLS}, _case_type, _case_ref)


def _custom_type(*avals: Aval, callee: Any, **rules: Any) -> tuple[Aval, ...]:
    return _call_type(*avals, callee=callee)


custom_jvp_call = _row(
    "custom_jvp_call",
    {"callee": SYMBOL, "rule": SYMBOL},
    _custom_type,
    lambda *xs, callee, rule: tuple(_run(callee, xs)),
)

custom_vjp_call = _row(
    "custom_vjp_call",
    {"callee": SYMBOL, "forward": SYMBOL, "backward": SYMBOL},
    _custom_type,
    lambda *xs, callee, forward, backward: tuple(_run(callee, xs)),
)


def _custom_vjp_linear_type(*avals: Aval, callee: Any, backward: Any, num_residuals: int) -> tuple[Aval, ...]:
    return tuple(a for a in callee.out_avals if is_inexact(a))


def is_inexact(a: Aval) -> bool:
    """True for dtypes that have tangents: floating point and complex."""
    return a.dtype.kind in "fcV"


def _not_evaluated(*args: Any, **params: Any) -> Any:
    raise TypeError("can't apply forward-mode differentiation (jvp) to a custom_vjp function.")


#: The tangent map of a custom_vjp_call: (residuals, tangents of the inexact arguments) -> tangents of the inexact
#: results. Only its transpose, `backward`, is known.
custom_vjp_linear = _row(
    "custom_vjp_linear",
    {"callee": SYMBOL, "backward": SYMBOL, "num_residuals": INT},
    _custom_vjp_linear_type,
    _not_evaluated,
)


def _host_type(*avals: Aval, callback: Any) -> tuple[Aval, ...]:
    return tuple(callback.out_avals)


def _host_ref(*operands: Any, callback: Any) -> tuple:
    return tuple(callback(*operands))


host_call = _row("host_call", {"callback": SYMBOL}, _host_type, _host_ref)
host_effect = _row("host_effect", {"callback": SYMBOL}, _host_type, _host_ref, effects=True)
