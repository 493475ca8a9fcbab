"""`case`: one of several functions, chosen by an index. Any index out of range is the last branch (StableHLO, case)."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.bindings import mlir_type
from sable.ir.codec import SYMBOLS
from sable.ir.function import Function, FunctionBuilder
from sable.ir.function_rules import FunctionRules
from sable.ir.op import OPS, defop, interpret

from .functions import check_operands, choose, function_of, need, returns, run, spread, takes, there, union
from .rules import expand, floats, is_inexact, sample


def _chosen(index: int, branches: Sequence[Any]) -> Any:
    return branches[index if 0 <= index < len(branches) else -1]


class CaseRules(FunctionRules):
    """Branches are transformed one by one and made to agree in what they return."""

    def linearize(self, passes, two, node, xs, tangents):
        branches = node.params["branches"]
        active = tuple(t is not None for t in tangents[1:])
        wanted = union([passes.linearize_function(f, active).active for f in branches])
        made = [passes.linearize_function(f, active, wanted) for f in branches]
        slots, places = _share_slots([list(m.forward.out_avals[len(node.results) :]) for m in made])
        n = len(node.results)
        forward = tuple(_with_slots(m.forward, n, slots, p) for m, p in zip(made, places))
        linear = tuple(_from_slots(m.linear, sum(active), slots, p) for m, p in zip(made, places))
        out = two.inner.bind(node.op, *xs, branches=forward)
        residuals = [two.residual(r) for r in out[n:]]
        index = two.residual(xs[0])
        dys = two.linear.bind(node.op, index, *there(tangents[1:]), *residuals, branches=linear)
        return out[:n], spread(dys, wanted)

    def jvp(self, passes, b, node, xs, tangents):
        branches = node.params["branches"]
        active = tuple(t is not None for t in tangents[1:])
        wanted = union([passes.jvp_function(f, active)[1] for f in branches])
        made = tuple(passes.jvp_function(f, active, wanted)[0] for f in branches)
        out = b.bind(node.op, *xs, *there(tangents[1:]), branches=made)
        n = len(node.results)
        return out[:n], spread(out[n:], wanted)

    def transpose(self, passes, b, node, on, xs, cotangents):
        nonzero = tuple(c is not None for c in cotangents)
        made = tuple(passes.transpose_function(f, tuple(on[1:]), nonzero) for f in node.params["branches"])
        known = [x for x, o in zip(xs[1:], on[1:]) if not o]
        found = b.bind(node.op, xs[0], *known, *there(cotangents), branches=made)
        return [None, *spread(found, on[1:])]

    def batch(self, passes, b, node, size, xs, on, axis_name):
        branches = node.params["branches"]
        if on[0]:
            return self._select(passes, b, node, size, xs, on, axis_name)
        wanted = union([passes.batch_function(f, tuple(on[1:]), size, axis_name)[1] for f in branches])
        made = tuple(passes.batch_function(f, tuple(on[1:]), size, axis_name, wanted)[0] for f in branches)
        return b.bind(node.op, *xs, branches=made), list(wanted)

    def _select(self, passes, b, node, size, xs, on, axis_name):
        """Every example may take its own branch: all are computed, and selected from.

        A branch that is not taken has derivatives too, which may be infinite or NaN where its results are not used, and
        0 * inf is NaN. So its operands are chosen as well, from themselves without a derivative: the cotangents of
        examples that took another branch end there.
        """
        call, branches, index = OPS["call"], node.params["branches"], xs[0]
        # any index out of range is the last branch
        numbers = [b.full(b.aval(index), k) for k in range(len(branches) - 1)]
        here = [b.compare(index, k, comparison_direction="EQ") for k in numbers]
        rest = [b.compare(index, k, comparison_direction="NE") for k in numbers]
        everywhere = aval((size,), np.dtype(np.bool_))
        here.append(functools.reduce(getattr(b, "and"), rest) if rest else b.full(everywhere, True))
        active = [is_inexact(b.aval(x)) for x in xs[1:]]
        whole = [x if m or not a else expand(b, x, size) for x, m, a in zip(xs[1:], on[1:], active)]
        mapped = tuple(m or a for m, a in zip(on[1:], active))
        force = (True,) * len(node.results)
        results = []
        for f, taken in zip(branches, here):
            made, _ = passes.batch_function(f, mapped, size, axis_name, force)
            operands = [choose(b, taken, x, b.stop_gradient(x)) if a else x for x, a in zip(whole, active)]
            results.append(b.bind(call, *operands, callee=made))
        chosen = list(results[-1])
        for taken, result in zip(reversed(here[:-1]), reversed(results[:-1])):
            chosen = [choose(b, taken, x, y) for x, y in zip(result, chosen)]
        return chosen, [True] * len(chosen)

    def check(self, passes, b, node, xs, errors):
        branches = node.params["branches"]
        made = [passes.checked_function(f, errors.kinds, errors.enabled) for f in branches]
        if not any(m.codes for m in made):
            return b.bind(node.op, *xs, **node.params)
        for m in made:
            errors.add(m.kinds)
        made = [passes.checked_function(f, errors.kinds, errors.enabled) for f in branches]
        out = b.bind(node.op, xs[0], *errors.flat(), *xs[1:], branches=tuple(m.function for m in made))
        for m in made[1:]:
            errors.codes.update(m.codes)
        return errors.take(made[0], out)

    def lower(self, b, index, *operands, branches):
        if len(branches) == 1:
            return tuple(b.inline(branches[0], operands))
        types = [mlir_type(a) for a in branches[0].out_avals]
        made = b.structured("stablehlo.case", [index], types, len(branches))
        for k, branch in enumerate(branches):
            b.region(made, k, [], lambda _, f=branch: b.inline(f, operands))
        return tuple(made.results)

    def evaluate(self, core, op, values, params):
        return tuple(core.run(_chosen(int(values[0].numpy()), params["branches"]), values[1:]))

    def verify(self, operands, branches):
        name = "sable.case"
        need(bool(branches), f"{name}: expected at least one branch")
        ok = bool(operands) and operands[0].short() == "int32[]"
        need(ok, f"{name}: the index must be int32[], got {operands[0].short() if operands else 'no operands'}")
        for k, branch in enumerate(branches):
            takes(name, f"branch {k}", branch, operands[1:])
            returns(name, f"branch {k}", branch, branches[0].out_avals)

    def samples(self):
        x, y = floats((3,), dtype=np.float64), floats((3,), dtype=np.float64, seed=1)
        a = aval((3,), np.dtype(np.float64))
        three = (
            function_of(lambda b, x, y: [b.multiply(x, y), x], a, a, name="product"),
            function_of(lambda b, x, y: [b.sine(y), b.full(a, 2.0)], a, a, name="sine_of_second"),
            function_of(lambda b, x, y: [b.exponential(x), b.multiply(x, x)], a, a, name="exponential"),
        )
        one = (function_of(lambda b, x: [b.cosine(x)], a, name="cosine"),)
        chosen = [sample(np.int32(k), x, y, branches=three) for k in (0, 1, 2, 3, -1)]
        return [*chosen, sample(np.int32(5), x, branches=one)]


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


def _case_type(index: Aval, *avals: Aval, branches: Any) -> tuple[Aval, ...]:
    for branch in branches:
        check_operands("case", branch.in_avals, avals)
    first = branches[0].out_avals
    weak = [all(f.out_avals[i].weak_type for f in branches) for i in range(len(first))]
    return tuple(a.update(weak_type=w) for a, w in zip(first, weak))


case = defop(
    "case",
    primitive="cond",
    dialect="sable",
    operands=("index", "*operands"),
    params={"branches": SYMBOLS},
    type=_case_type,
    ref=lambda index, *operands, branches: tuple(run(_chosen(int(index), branches), operands)),
    functions=CaseRules(),
    multiple_results=True,
)
