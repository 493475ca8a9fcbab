"""batch: a function of one example to a function of many along axis 0 (DESIGN, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sable.dialects.ops.rules import expand
from sable.ir.function import Function, FunctionBuilder

from .transforms import TRANSFORMS, transform


def batch(
    function: Function, args: Sequence[Any], mapped: Sequence[bool], size: int, b: Any, axis_name: Any = None
) -> tuple[list[Any], list[bool]]:
    """Evaluate a function for a whole batch with builder b; what does not depend on mapped arguments stays unmapped.

    Args:
      function: a finished function of one example.
      args: values of b; mapped ones have the batch axis at 0.
      size: number of examples.
      axis_name: the name under which collectives know this axis.

    Returns:
      results, and which of them are mapped (batch axis at 0).
    """
    env = dict(zip(function.arguments, zip(args, mapped)))
    outer = b.location
    for node in function.nodes():
        b.at(node.location)
        xs = [env[v][0] for v in node.operands]
        on = [env[v][1] for v in node.operands]
        op = node.op
        if op.collective is not None and axis_name is not None and axis_name in node.params["axes"]:
            out, mark = op.collective(b, op, axis_name, size, xs, on, **node.params)
            ys, marks = (out, [mark] * len(out)) if op.multiple_results else ((out,), [mark])
        elif op.functions and (any(on) or axis_name is not None):
            ys, marks = op.rules.batch(TRANSFORMS, b, node, size, xs, on, axis_name)
        elif any(on):
            out = op.batch(b, op, size, xs, on, **node.params)
            ys = out if op.multiple_results else (out,)
            marks = [True] * len(ys)
        else:
            out = b.bind(op, *xs, **node.params)
            ys = out if op.multiple_results else (out,)
            marks = [False] * len(ys)
        env.update(zip(node.results, zip(ys, marks)))
    b.at(outer)
    return [env[v][0] for v in function.outputs], [env[v][1] for v in function.outputs]


@transform
def batch_function(
    function: Function,
    mapped: tuple[bool, ...],
    size: int,
    axis_name: Any = None,
    force: tuple[bool, ...] | None = None,
) -> tuple[Function, list[bool]]:
    """`batch` with the function builder, memoised. `force`: results that are to be mapped even if equal for all."""
    key = ("batch", mapped, size, axis_name, force)
    if key not in function.memo:
        avals = [a.update(shape=(size, *a.shape)) if on else a for a, on in zip(function.in_avals, mapped)]
        made = Function(avals, f"{function.name}_batched")
        b = FunctionBuilder(made)
        outs, marks = batch(function, made.arguments, mapped, size, b, axis_name)
        if force is not None:
            outs = [expand(b, x, size) if f and not m else x for x, m, f in zip(outs, marks, force)]
            marks = [m or f for m, f in zip(marks, force)]
        out_avals = [a.update(shape=(size, *a.shape)) if m else a for a, m in zip(function.out_avals, marks)]
        made.finish(outs, out_avals)
        function.memo[key] = made, marks
    return function.memo[key]
