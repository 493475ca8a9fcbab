"""Functions of scalars that users give to reductions and windows, traced; and which of them are known."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable._config import config
from sable.core.array import Array, Value
from sable.core.operands import convert, value_of
from sable.core.tracing import Traced, trace_flat
from sable.core.values import as_value, concrete
from sable.dialects.ops.reduction import highest, lowest
from sable.ir.aval import Aval, aval
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.tree_util import tree_flatten, tree_unflatten

#: traced bodies by the function that they are traced from, and then by structure and types
_BODIES: weakref.WeakKeyDictionary[Callable, dict] = weakref.WeakKeyDictionary()


class Operands(NamedTuple):
    """What is reduced: arrays, their initial values (scalars of the same dtypes) and the structure of both."""

    values: list[Value]
    inits: list[Value]
    tree: Any


def operands_of(name: str, operands: Any, init_values: Any) -> Operands:
    """Arrays of one shape with their initial values.

    Raises:
      ValueError: structures or shapes disagree, there is no array, initial values that are not scalars.
      TypeError: initial values of another dtype.
    """
    leaves, tree = tree_flatten(operands)
    starts, starts_tree = tree_flatten(init_values)
    if tree != starts_tree:
        raise ValueError(f"Operands must have the same tree structure as init_values: {tree} vs. {starts_tree}")
    if not leaves:
        raise ValueError(f"{name} requires at least one operand")
    values = [value_of(x, name, i) for i, x in enumerate(leaves)]
    if any(v.aval.shape != values[0].aval.shape for v in values):
        raise ValueError(f"{name} requires operands of one shape, got {', '.join(v.aval.short() for v in values)}")
    return Operands(values, [_initial(name, s, v) for s, v in zip(starts, values)], tree)


def _initial(name: str, start: Any, x: Value) -> Value:
    value = as_value(start)
    if value.aval.shape and name == "reduce":
        raise ValueError(f"reduce found non-scalar initial value: {value.aval.short()}")
    if value.aval.shape:
        raise TypeError(f"{name} expected init_values to be scalars but init_values have shapes [{value.aval.shape}].")
    if value.aval.dtype != x.aval.dtype and not value.aval.weak_type:
        raise TypeError(
            f"{name} operands and initial values must have the same dtypes, got {x.aval.dtype.name} "
            f"and {value.aval.dtype.name}."
        )
    return convert(value, x.aval.dtype)


def combiner(name: str, computation: Callable, found: Operands) -> Function:
    """`computation` as a function of two lots of scalars to one.

    Raises:
      ValueError: it returns another structure.
      TypeError: it returns other types.
    """
    scalars = [aval((), v.aval.dtype) for v in found.values]
    body, out_tree = traced_body(name, computation, found.tree, scalars)
    if out_tree != found.tree:
        raise ValueError(
            f"{name} output must have the same tree structure as the operands: the computation returned {out_tree} for operands "
            f"{found.tree}"
        )
    for out, wanted in zip(body.out_avals, scalars):
        if out.shape or out.dtype != wanted.dtype:
            raise TypeError(f"{name}: the computation returned {out.short()} for operands {wanted.short()}")
    return body


def traced_body(name: str, computation: Callable, tree: Any, scalars: Sequence[Aval]) -> tuple[Function, Any]:
    """A function of two pytrees of scalars as a closed function of their leaves, and its result's structure.

    It may close over concrete arrays, which become constants of it.

    Raises:
      NotImplementedError: it closes over traced values.
    """
    key = (name, tree, tuple(scalars), config.jax_enable_x64)
    try:
        known = _BODIES.setdefault(computation, {})
    except TypeError:  # a callable that takes no weak reference
        known = {}
    if key not in known:
        n = len(scalars)

        def call(tracers: list) -> Any:
            return computation(tree_unflatten(tree, tracers[:n]), tree_unflatten(tree, tracers[n:]))

        traced = trace_flat(call, [*scalars, *scalars], fun=computation, kind=name, staged=True)
        body = _closed(name, traced)
        if traced.captures:
            return body, traced.out_tree  # what it closes over may be another the next time
        known[key] = body, traced.out_tree
    return known[key]


def _closed(name: str, traced: Traced) -> Function:
    captures, function = traced.captures, traced.function
    if not captures:
        return function
    if not all(type(x) is Array for x in captures):
        raise NotImplementedError(
            f"{name}: the computation closes over a traced value. Reductions take functions of their operands alone: "
            "give the value as an operand, or use lax.scan."
        )
    count = len(function.in_avals) - len(captures)
    made = Function(function.in_avals[:count], function.name)
    b = FunctionBuilder(made)
    constants = [b.literal(x.numpy()) for x in captures]  # type: ignore[union-attr]
    return made.finish(interpret(function, [*made.arguments, *constants], b), function.out_avals)


def _all_bits(dtype: np.dtype) -> Any:
    return True if dtype.kind == "b" else ~np.zeros((), dtype)


#: op -> its neutral element
NEUTRAL: dict[str, Callable[[np.dtype], Any]] = {
    "add": lambda dtype: 0,
    "multiply": lambda dtype: 1,
    "maximum": lowest,
    "minimum": highest,
    "and": _all_bits,
    "or": lambda dtype: 0,
    "xor": lambda dtype: 0,
}


def is_neutral(op_name: str, start: Value) -> bool:
    """Whether an initial value is known to be the op's neutral element."""
    dtype, known = start.aval.dtype, concrete(start)
    return known is not None and bool(known.numpy() == np.asarray(NEUTRAL[op_name](dtype), dtype))
