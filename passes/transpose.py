"""transpose: a linear function walked backwards, cotangents of its results to cotangents of its arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sable.ir.function import Function, FunctionBuilder, Node

from .linearize import add
from .transforms import TRANSFORMS, transform


def transpose(
    function: Function, linear: Sequence[bool], args: Sequence[Any], cotangents: Sequence[Any], b: Any
) -> list[Any]:
    """Cotangents of the linear arguments (None for the others and where zero).

    Args:
      function: linear in the arguments which `linear` marks.
      args: values of b for the other arguments; None for the linear ones.
      cotangents: values of b for the results; None where zero.
    """
    env = {v: x for v, x, on in zip(function.arguments, args, linear) if not on}
    moving = {v for v, on in zip(function.arguments, linear) if on}
    nodes: list[tuple[Node, list[bool]]] = []
    outer = b.location
    for node in function.nodes():
        on = [v in moving for v in node.operands]
        if True in on:
            moving.update(node.results)
            nodes.append((node, on))
        else:
            b.at(node.location)
            out = b.bind(node.op, *[env[v] for v in node.operands], **node.params)
            env.update(zip(node.results, out if node.op.multiple_results else (out,)))
    ct: dict[Any, Any] = {}
    for v, c in zip(function.outputs, cotangents):
        if c is not None and v in moving:
            ct[v] = add(b, ct.get(v), c)
    for node, on in reversed(nodes):
        cts = [ct.pop(v, None) for v in node.results]
        if not [c for c in cts if c is not None]:
            continue
        b.at(node.location)
        xs = [None if m else env[v] for v, m in zip(node.operands, on)]
        for v, c in zip(node.operands, _pull(b, node, on, xs, cts)):
            if c is not None:
                ct[v] = add(b, ct.get(v), c)
    b.at(outer)
    return [ct.get(v) if on else None for v, on in zip(function.arguments, linear)]


def _pull(b: Any, node: Node, on: Sequence[bool], xs: Sequence[Any], cts: Sequence[Any]) -> Sequence[Any]:
    """Cotangents of a node's operands."""
    try:
        return _pulled(b, node, on, xs, cts)
    except (AttributeError, TypeError) as error:
        if sum(on) < 2:
            raise
        # a rule has used an operand that is not known
        raise NotImplementedError(
            f"Transpose rule (for reverse-mode differentiation) for '{node.op.name}' is not defined for several operands at "
            f"once: the op is not linear in all of them together.\n  at {node.location}"
        ) from error


def _pulled(b: Any, node: Node, on: Sequence[bool], xs: Sequence[Any], cts: Sequence[Any]) -> Sequence[Any]:
    op = node.op
    if op.functions:
        return op.rules.transpose(TRANSFORMS, b, node, on, xs, cts)
    avals = [v.aval for v in node.operands]
    ct = tuple(cts) if op.multiple_results else cts[0]
    found: list[Any] = [None] * len(on)
    last = len(op.operands) - 1
    for i, m in enumerate(on):
        if m:
            rule = op.transpose.get(op.operands[min(i, last)])
            if rule is None:
                raise NotImplementedError(
                    f"Transpose rule (for reverse-mode differentiation) for '{op.name}', operand {op.operand_name(i)}, is "
                    f"not defined: the op is not linear in it.\n  at {node.location}"
                )
            if op.variadic or (i >= last and len(on) > last + 1):
                found[i] = rule(b, ct, avals, *xs, index=i, **node.params)
            else:
                found[i] = rule(b, ct, avals, *xs, **node.params)
    return found


@transform
def transpose_function(function: Function, linear: tuple[bool, ...], nonzero: tuple[bool, ...]) -> Function:
    """A function of the non-linear arguments and then the non-zero cotangents to cotangents of the linear arguments."""
    key = ("transpose", linear, nonzero)
    if key not in function.memo:
        known = [a for a, on in zip(function.in_avals, linear) if not on]
        cts = [a for a, on in zip(function.out_avals, nonzero) if on]
        made = Function([*known, *cts], f"{function.name}_transpose")
        b = FunctionBuilder(made)
        values = iter(made.arguments)
        args = [None if on else next(values) for on in linear]
        given = [next(values) if on else None for on in nonzero]
        found = transpose(function, linear, args, given, b)
        avals = [a for a, on in zip(function.in_avals, linear) if on]
        outs = [c for c, on in zip(found, linear) if on]
        made.finish([b.full(a, 0) if c is None else c for c, a in zip(outs, avals)])
        function.memo[key] = made
    return function.memo[key]
