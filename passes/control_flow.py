"""Calls and branches under the transformations; loops are in `loops`, custom derivatives in `custom`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import expand
from sable.ir.aval import Aval, aval
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.op import OPS

from .batch import batch_function
from .functions import rules_for
from .jvp import jvp_function
from .linearize import Known, linearize_function
from .transpose import transpose_function


def spread(values: Sequence[Any], on: Sequence[bool]) -> list[Any]:
    """Values put where `on` says, None elsewhere."""
    rest = iter(values)
    return [next(rest) if o else None for o in on]


def there(values: Sequence[Any]) -> list[Any]:
    """The values that are not None."""
    return [v for v in values if v is not None]


@rules_for("call")
class CallRules:
    """A call is transformed by calling the transformed callee, once for each pattern of activity."""

    def linearize(self, two, node, operands, tangents):
        made = linearize_function(node.params["callee"], tuple(t is not None for t in tangents))
        out = two.inner.bind(node.op, *[v.x for v in operands], callee=made.forward)
        ys, residuals = out[: len(node.results)], out[len(node.results) :]
        linear = [*there(tangents), *[two.to_linear(Known(r)) for r in residuals]]
        dys = two.linear.bind(node.op, *linear, callee=made.linear)
        return [Known(y) for y in ys], spread(dys, made.active)

    def jvp(self, b, node, xs, tangents):
        made, active = jvp_function(node.params["callee"], tuple(t is not None for t in tangents))
        out = b.bind(node.op, *xs, *there(tangents), callee=made)
        n = len(node.results)
        return out[:n], spread(out[n:], active)

    def transpose(self, b, node, on, xs, cotangents):
        made = transpose_function(node.params["callee"], tuple(on), tuple(c is not None for c in cotangents))
        known = [x for x, o in zip(xs, on) if not o]
        return spread(b.bind(node.op, *known, *there(cotangents), callee=made), on)

    def batch(self, b, node, size, xs, on, axis_name):
        made, marks = batch_function(node.params["callee"], tuple(on), size, axis_name)
        return b.bind(node.op, *xs, callee=made), marks


@rules_for("case")
class CaseRules:
    """Branches are transformed one by one and made to agree in what they return."""

    def linearize(self, two, node, operands, tangents):
        branches = node.params["branches"]
        active = tuple(t is not None for t in tangents[1:])
        wanted = _union([linearize_function(f, active).active for f in branches])
        made = [linearize_function(f, active, wanted) for f in branches]
        slots, places = _share_slots([list(m.forward.out_avals[len(node.results) :]) for m in made])
        n = len(node.results)
        forward = tuple(_with_slots(m.forward, n, slots, p) for m, p in zip(made, places))
        linear = tuple(_from_slots(m.linear, sum(active), slots, p) for m, p in zip(made, places))
        out = two.inner.bind(node.op, *[v.x for v in operands], branches=forward)
        residuals = [two.to_linear(Known(r)) for r in out[n:]]
        index = two.to_linear(operands[0])
        dys = two.linear.bind(node.op, index, *there(tangents[1:]), *residuals, branches=linear)
        return [Known(y) for y in out[:n]], spread(dys, wanted)

    def jvp(self, b, node, xs, tangents):
        branches = node.params["branches"]
        active = tuple(t is not None for t in tangents[1:])
        wanted = _union([jvp_function(f, active)[1] for f in branches])
        made = tuple(jvp_function(f, active, wanted)[0] for f in branches)
        out = b.bind(node.op, *xs, *there(tangents[1:]), branches=made)
        n = len(node.results)
        return out[:n], spread(out[n:], wanted)

    def transpose(self, b, node, on, xs, cotangents):
        nonzero = tuple(c is not None for c in cotangents)
        made = tuple(transpose_function(f, tuple(on[1:]), nonzero) for f in node.params["branches"])
        known = [x for x, o in zip(xs[1:], on[1:]) if not o]
        found = b.bind(node.op, xs[0], *known, *there(cotangents), branches=made)
        return [None, *spread(found, on[1:])]

    def batch(self, b, node, size, xs, on, axis_name):
        branches = node.params["branches"]
        if on[0]:
            return self._select(b, node, size, xs, on, axis_name)
        wanted = _union([batch_function(f, tuple(on[1:]), size, axis_name)[1] for f in branches])
        made = tuple(batch_function(f, tuple(on[1:]), size, axis_name, wanted)[0] for f in branches)
        return b.bind(node.op, *xs, branches=made), list(wanted)

    def _select(self, b, node, size, xs, on, axis_name):
        """Every example may take its own branch: all are computed, and selected from."""
        call, branches = OPS["call"], node.params["branches"]
        force = (True,) * len(node.results)
        results = []
        for f in branches:
            made, _ = batch_function(f, tuple(on[1:]), size, axis_name, force)
            results.append(b.bind(call, *xs[1:], callee=made))
        chosen = list(results[-1])
        index = xs[0]
        for k in reversed(range(len(branches) - 1)):
            here = b.compare(index, b.full(b.aval(index), k), comparison_direction="EQ")
            chosen = [_choose(b, here, x, y) for x, y in zip(results[k], chosen)]
        return chosen, [True] * len(chosen)


def _choose(b: Any, pred: Any, x: Any, y: Any) -> Any:
    """`select` with a predicate along axis 0."""
    shape = b.aval(x).shape
    if len(shape) > 1:
        pred = b.broadcast_in_dim(pred, shape=shape, broadcast_dimensions=(0,))
    return b.select(pred, x, y)


def _union(flags: Sequence[Sequence[bool]]) -> tuple[bool, ...]:
    return tuple(any(f) for f in zip(*flags))


def _share_slots(residuals: Sequence[Sequence[Aval]]) -> tuple[list[Aval], list[list[int]]]:
    """Slots that hold any branch's residuals (equal types share), and for each branch the slots of its residuals."""
    slots: list[Aval] = []
    places = []
    for avals in residuals:
        free = list(range(len(slots)))
        taken = []
        for a in avals:
            a = aval(a.shape, a.dtype)
            k = next((i for i in free if slots[i] is a), None)
            if k is None:
                k = len(slots)
                slots.append(a)
            else:
                free.remove(k)
            taken.append(k)
        places.append(taken)
    return slots, places


def _with_slots(forward: Function, n: int, slots: list[Aval], places: list[int]) -> Function:
    """The forward function with its residuals in the shared slots, zeros in the slots that it does not use."""
    made = Function(forward.in_avals, forward.name)
    b = FunctionBuilder(made)
    outs = interpret(forward, made.arguments, b)
    found = dict(zip(places, outs[n:]))
    filled = [found[i] if i in found else b.full(a, np.zeros((), a.dtype)) for i, a in enumerate(slots)]
    return made.finish([*outs[:n], *filled], [*forward.out_avals[:n], *slots])


def _from_slots(linear: Function, n: int, slots: list[Aval], places: list[int]) -> Function:
    """The linear function taking all slots, of which it uses its own."""
    made = Function([*linear.in_avals[:n], *slots], linear.name)
    tangents, given = made.arguments[:n], made.arguments[n:]
    return made.finish(interpret(linear, [*tangents, *[given[i] for i in places]], FunctionBuilder(made)))


__all__ = ["CallRules", "CaseRules", "expand", "spread", "there"]
