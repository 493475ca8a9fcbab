"""`bind`: an op on values is evaluated at once, or recorded in the trace that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval_of
from sable.ir.function import Function
from sable.ir.literal import Literal
from sable.ir.op import OPS, Builder, Op, infer

from .array import Array, Value
from .evaluation import evaluate, out_of_memory
from .placement import home
from .state import STATE
from .trace import Trace, Tracer, deepest, emit


def bind(op: Op, *values: Value, **params: Any) -> Any:
    """Apply an op to arrays and tracers (already promoted; nothing else).

    Returns:
      An Array where nothing is being traced, else a Tracer; a tuple of them for ops with several results.
    """
    trace = STATE.staged
    for x in values:
        if type(x) is Tracer and (trace is None or x.owner.depth > trace.depth):
            trace = x.owner
    if op.collective is not None:
        trace = _axis_trace(trace, params["axes"])
    elif op.functions and STATE.axis_traces:
        trace = _axis_trace(trace, named_axes(op, params))
    if trace is None:
        return evaluate(op, values, params)
    return record(trace, op, values, params, None)


def named_axes(op: Op, params: dict) -> tuple[str, ...]:
    """The axes that collectives in the functions of an op are about."""
    found: dict[str, None] = {}
    for name in op.functions:
        for f in params[name] if op.params[name].many else (params[name],):
            if type(f) is not Function:
                continue
            if "axes" not in f.memo:
                inner: dict[str, None] = {}
                for node in f.nodes():
                    inner.update(dict.fromkeys(node.params["axes"] if node.op.collective else ()))
                    if node.op.functions:
                        inner.update(dict.fromkeys(named_axes(node.op, node.params)))
                f.memo["axes"] = tuple(inner)
            found.update(dict.fromkeys(f.memo["axes"]))
    return tuple(found)


def _axis_trace(trace: Trace | None, axes: Sequence[str]) -> Trace | None:
    """A collective belongs to the trace of its axis, even if its operands are equal for all examples."""
    for name in axes:
        found = STATE.axis_traces.get(name)
        if found is not None and (trace is None or found.depth > trace.depth):
            trace = found
    return trace


def record(trace: Trace, op: Op, values: Sequence[Value], params: dict, known: Any) -> Any:
    """Record an op in a trace; in an unstaged one also compute it, where its operands are known.

    known: the results as arrays, where somebody has computed them already.
    """
    out = infer(op, tuple([x.aval for x in values]), params)
    many = op.multiple_results
    if op.effects and not trace.staged and _all_known(trace, values):
        # effects happen now; what has results is recorded besides, since it may have no derivative
        known = evaluate(op, [_known(trace, x) for x in values], params)
        if not known:
            return known
    results = emit(trace, op, values, params, out if many else (out,))
    if not trace.staged:
        if known is not None:
            for r, y in zip(results, known):
                trace.known[r.value] = y
        else:
            _compute(trace, op, values, params, results)
    return tuple(results) if many else results[0]


def _all_known(trace: Trace, values: Sequence[Value]) -> bool:
    return all(_known(trace, x) is not None for x in values)


def _known(trace: Trace, x: Value) -> Array | None:
    return trace.evaluate(trace.lift(x))


def _compute(trace: Trace, op: Op, values: Sequence[Value], params: dict, results: list[Tracer]) -> None:
    if op.collective is not None or (op.functions and STATE.axis_traces and named_axes(op, params)):
        return
    arrays = []
    later = bool(op.functions)  # calls and loops are computed when somebody asks
    for x in values:
        v = trace.lift(x)
        found = trace.known.get(v)
        if found is None:
            if v not in trace.knowable:
                return
            later = True
        arrays.append(found)
    if later:
        trace.knowable.update(r.value for r in results)
        return
    made = evaluate(op, arrays, params)
    for r, y in zip(results, made if op.multiple_results else (made,)):
        trace.known[r.value] = y


class BindBuilder(Builder):
    """The builder of rules that evaluate at once or emit into whatever is being traced."""

    runs_rules = True
    bind = staticmethod(bind)  # type: ignore[assignment]

    def run_rule(self, rule: Any, values: Sequence[Value]) -> Sequence[Value]:
        return rule.run(values) if rule.immediate else super().run_rule(rule, values)

    def bind_known(self, op: Op, values: Sequence[Value], params: dict, known: Any) -> Any:
        """`bind` where the results (a tuple of arrays) have been computed already."""
        trace = deepest(values)
        if trace is None:
            return known if op.multiple_results else known[0]
        return record(trace, op, values, params, known)

    def aval(self, x: Value) -> Aval:
        return x.aval

    def key(self, x: Value) -> Any:
        """Identity of a value, to use each residual once."""
        return id(x)

    @property
    def location(self) -> Any:
        return STATE.location

    def at(self, location: Any) -> None:
        """Give that location to what is recorded from now on."""
        STATE.location = location

    def literal_of(self, x: Value) -> Literal | None:
        """The literal that x is, if it is a constant of the staged program."""
        return Literal(x.aval, x.numpy()) if type(x) is Array and x.constant and STATE.staged is not None else None

    def literal(self, array: np.ndarray) -> Any:
        """A constant from a NumPy array: scalars are written into a staged program, arrays are captured by it."""
        return constant(array)

    def full(self, aval: Aval, value: Any) -> Any:
        if STATE.staged is None:
            try:
                return Array(aval, np.full(aval.shape, value, aval.dtype), None, home())
            except MemoryError as error:
                raise out_of_memory("full", error) from error
        return super().full(aval, value)


def constant(array: np.ndarray, weak_type: bool = False) -> Array:
    """An Array of a NumPy array or scalar; a scalar becomes a constant of the staged program that uses it."""
    array = np.asarray(array)
    a = aval_of(array)
    made = Array(a.update(weak_type=True) if weak_type else a, array)
    made.constant = array.ndim == 0
    if array.ndim:  # scalars are uncommitted, follow their partners, and are written into programs
        made._device = home()
    return made


BIND = BindBuilder()

__all__ = ["BIND", "OPS", "BindBuilder", "bind", "constant", "evaluate", "record"]
