"""jvp: results and their tangents in one go, by the same rules as `linearize` with one stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sable.ir.function import Function, FunctionBuilder

from .linearize import tangent
from .transforms import TRANSFORMS, transform


def jvp(
    function: Function, args: Sequence[Any], tangents: Sequence[Any], b: Any, known: dict | None = None
) -> tuple[list[Any], list[Any]]:
    """Evaluate a function and its directional derivative with builder b.

    Args:
      function: a finished function.
      args: values of b, one for each argument.
      tangents: values of b, or None where zero.
      known: as for `linearize`.

    Returns:
      results, and their tangents (None where zero).
    """
    env = dict(zip(function.arguments, args))
    outer = b.location
    moving = {v: t for v, t in zip(function.arguments, tangents) if t is not None}
    for node in function.nodes():
        b.at(node.location)
        xs = [env[v] for v in node.operands]
        ts = [moving.get(v) for v in node.operands]
        active = any(t is not None for t in ts)
        if node.op.functions and active:
            ys, dys = node.op.rules.jvp(TRANSFORMS, b, node, xs, ts)
        else:
            have = None if known is None else [known.get(r) for r in node.results]
            if have and all(y is not None for y in have):
                out = b.bind_known(node.op, xs, node.params, have)
            else:
                out = b.bind(node.op, *xs, **node.params)
            ys = out if node.op.multiple_results else (out,)
            dy = tangent(b, node.op, ts, out, xs, node.params) if active else None
            dys = [None] * len(ys) if dy is None else dy if node.op.multiple_results else (dy,)
        env.update(zip(node.results, ys))
        moving.update((v, t) for v, t in zip(node.results, dys) if t is not None)
    b.at(outer)
    return [env[v] for v in function.outputs], [moving.get(v) for v in function.outputs]


@transform
def jvp_function(
    function: Function, active: tuple[bool, ...], instantiate: tuple[bool, ...] | None = None
) -> tuple[Function, list[bool]]:
    """A function of the arguments and then the active tangents to the results and then the tangents that there are.

    instantiate: results whose tangent is wanted even if zero.
    """
    key = ("jvp", active, instantiate)
    if key not in function.memo:
        moving = [a for a, on in zip(function.in_avals, active) if on]
        made = Function([*function.in_avals, *moving], f"{function.name}_jvp")
        b = FunctionBuilder(made)
        n = len(function.in_avals)
        rest = iter(made.arguments[n:])
        ts = [next(rest) if on else None for on in active]
        outs, dys = jvp(function, made.arguments[:n], ts, b)
        if instantiate is not None:
            dys = [b.full(a, 0) if t is None and on else t for t, on, a in zip(dys, instantiate, function.out_avals)]
        there = [t is not None for t in dys]
        tangent_avals = [a for a, on in zip(function.out_avals, there) if on]
        made.finish([*outs, *[t for t in dys if t is not None]], [*function.out_avals, *tangent_avals])
        function.memo[key] = made, there
    return function.memo[key]
