"""`while`: a loop whose length is not known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INT, SYMBOL
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.function_rules import FunctionRules
from sable.ir.op import defop

from .functions import (
    check_operands,
    choose,
    counts,
    function_of,
    listed,
    need,
    present,
    rearranged,
    returns,
    run,
    split,
    spread,
    takes,
    there,
)
from .rules import expand, floats, sample


class WhileRules(FunctionRules):
    """A loop whose length is not known: no reverse mode."""

    reverse = False

    def _parts(self, node, values):
        return split(values, node.params["cond_consts"], node.params["body_consts"])

    def _jvp_op(self, passes, b, node, xs, tangents, avals: Sequence[Aval]):
        p, body = node.params, node.params["body"]
        _, consts_t, carry_t = self._parts(node, tangents)
        flags = [*present(consts_t), *present(carry_t)]
        nb = p["body_consts"]
        while True:
            _, active = passes.jvp_function(body, tuple(flags))
            grown = [a or o for a, o in zip(flags[nb:], active)]
            if grown == flags[nb:]:
                break
            flags[nb:] = grown
        made, active = passes.jvp_function(body, tuple(flags), tuple(flags[nb:]))
        m, c = len(body.in_avals), sum(flags[:nb])
        arguments = [*range(nb), *range(m, m + c), *range(nb, m), *range(m + c, m + sum(flags))]
        new = rearranged(made, arguments, range(len(made.out_avals)))
        cs, bs, carry = self._parts(node, xs)
        moving = [b.full(a, 0) if t is None else t for t, a, on in zip(carry_t, avals, flags[nb:]) if on]
        cond = self._wider_condition(p["cond"], p["cond_consts"], [a for a, on in zip(avals, flags[nb:]) if on])
        values = [*cs, *bs, *there(consts_t), *carry, *moving]
        params = {"cond": cond, "body": new, "cond_consts": len(cs), "body_consts": nb + c}
        return b.bind(node.op, *values, **params), active

    def _wider_condition(self, cond: Function, consts: int, more: Sequence[Aval]) -> Function:
        """The condition, which does not look at the tangents that are carried along."""
        key = ("wider", tuple(more))
        if key not in cond.memo:
            made = Function([*cond.in_avals, *more], cond.name)
            outs = interpret(cond, made.arguments[: len(cond.in_avals)], FunctionBuilder(made))
            cond.memo[key] = made.finish(outs)
        return cond.memo[key]

    def jvp(self, passes, b, node, xs, tangents):
        avals = node.params["body"].out_avals
        out, active = self._jvp_op(passes, b, node, xs, tangents, avals)
        n = len(node.results)
        return out[:n], spread(out[n:], active)

    def linearize(self, passes, two, node, xs, tangents):
        # the number of steps is unknown, so nothing can be saved for each: the linear function runs the loop again
        ys = two.inner.bind(node.op, *xs, **node.params)
        again = [two.residual(x) for x in xs]
        out, active = self._jvp_op(passes, two.linear, node, again, tangents, node.params["body"].out_avals)
        return ys, spread(out[len(node.results) :], active)

    def transpose(self, passes, b, node, on, xs, cotangents):
        raise ValueError(
            "Reverse-mode differentiation does not work for lax.while_loop or lax.fori_loop with dynamic start/stop "
            "values. Try using lax.scan, or using fori_loop with static start/stop.\n"
            f"  the loop is at {node.location}"
        )

    def batch(self, passes, b, node, size, xs, on, axis_name):
        cond, body = node.params["cond"], node.params["body"]
        conds_on, consts_on, carry_on = self._parts(node, on)
        start = node.params["body_consts"]
        constant = [y is x for y, x in zip(body.outputs, body.arguments[start:])]
        while True:
            _, marks = passes.batch_function(body, (*consts_on, *carry_on), size, axis_name)
            _, pred_on = passes.batch_function(cond, (*conds_on, *carry_on), size, axis_name)
            grown = [c or m or (pred_on[0] and not k) for c, m, k in zip(carry_on, marks, constant)]
            if grown == carry_on:
                break
            carry_on = grown
        force = tuple(carry_on)
        new_body, _ = passes.batch_function(body, (*consts_on, *carry_on), size, axis_name, force)
        new_cond, pred_on = passes.batch_function(cond, (*conds_on, *carry_on), size, axis_name)
        cs, bs, carry = self._parts(node, xs)
        now = self._parts(node, on)[2]
        carry = [expand(b, x, size) if f and not o else x for x, o, f in zip(carry, now, force)]
        if pred_on[0]:
            new_body = self._masked(new_cond, new_body, len(cs), len(bs))
            new_cond = self._any(new_cond)
            bs = [*cs, *bs]
        params = {"cond": new_cond, "body": new_body, "cond_consts": len(cs), "body_consts": len(bs)}
        return b.bind(node.op, *cs, *bs, *carry, **params), list(force)

    def _any(self, cond: Function) -> Function:
        """Go on while any example does."""
        if "any" not in cond.memo:
            made = Function(cond.in_avals, cond.name)
            b = FunctionBuilder(made)
            (pred,) = interpret(cond, made.arguments, b)
            cond.memo["any"] = made.finish([b.reduce_or(pred, dimensions=(0,))])
        return cond.memo["any"]

    def _masked(self, cond: Function, body: Function, nc: int, nb: int) -> Function:
        """The body, leaving examples alone which are done."""
        key = ("masked", cond, nc, nb)
        if key not in body.memo:
            made = Function([*cond.in_avals[:nc], *body.in_avals], body.name)
            b = FunctionBuilder(made)
            cs, bs, carry = split(made.arguments, nc, nb)
            (pred,) = interpret(cond, [*cs, *carry], b)
            outs = interpret(body, [*bs, *carry], b)
            new = [y if y is x else choose(b, pred, y, x) for x, y in zip(carry, outs)]
            body.memo[key] = made.finish(new, body.out_avals)
        return body.memo[key]

    def check(self, passes, b, node, xs, errors):
        """The condition is checked before the loop and after each step, so that the body's errors are all there are."""
        cond, body = node.params["cond"], node.params["body"]
        cs, bs, carry = self._parts(node, xs)
        whole = self._step_and_condition(cond, body, len(cs), len(bs))
        before = passes.checked_function(cond, errors.kinds, errors.enabled)
        if not before.codes and not passes.checked_function(whole, errors.kinds, errors.enabled).codes:
            return b.bind(node.op, *xs, **node.params)
        errors.take(before, b.call(*errors.flat(), *cs, *carry, callee=before.function))
        errors.add(passes.checked_function(whole, errors.kinds, errors.enabled).kinds)
        made = passes.checked_function(whole, errors.kinds, errors.enabled)
        k, c, m = len(errors.flat()), len(cs) + len(bs), len(made.function.in_avals)
        step = rearranged(
            made.function, [*range(k, k + c), *range(k), *range(k + c, m)], range(len(made.function.out_avals))
        )
        plain = passes.checked_function(cond, (), frozenset()).function
        wide = self._behind(plain, len(cs), made.function.in_avals[:k])
        params = {"cond": wide, "body": step, "cond_consts": len(cs), "body_consts": c}
        return errors.take(made, b.bind(node.op, *cs, *cs, *bs, *errors.flat(), *carry, **params))

    def _step_and_condition(self, cond: Function, body: Function, nc: int, nb: int) -> Function:
        """The body, and then the condition, whose result is dropped: of constants of both and the carry."""
        key = ("and condition", cond, nc, nb)
        if key not in body.memo:
            made = Function([*cond.in_avals[:nc], *body.in_avals], body.name)
            b = FunctionBuilder(made)
            cs, rest = split(made.arguments, nc)
            outs = interpret(body, rest, b)
            interpret(cond, [*cs, *outs], b)
            body.memo[key] = made.finish(outs, body.out_avals)
        return body.memo[key]

    def _behind(self, cond: Function, consts: int, more: Sequence[Aval]) -> Function:
        """The condition, which does not look at values that stand before the carry."""
        made = Function([*cond.in_avals[:consts], *more, *cond.in_avals[consts:]], cond.name)
        args = [*made.arguments[:consts], *made.arguments[consts + len(more) :]]
        return made.finish(interpret(cond, args, FunctionBuilder(made)))

    def lower(self, b, *operands, cond, body, cond_consts, body_consts):
        cs, bs, carry = split(operands, cond_consts, body_consts)
        types = [v.type for v in carry]
        loop = b.structured("stablehlo.while", carry, types, 2)
        b.region(loop, 0, types, lambda xs: b.inline(cond, [*cs, *xs]))
        b.region(loop, 1, types, lambda xs: b.inline(body, [*bs, *xs]))
        return tuple(loop.results)

    def evaluate(self, core, op, values, params):
        return core.compiled(op, values, params)

    def verify(self, operands, cond, body, cond_consts, body_consts):
        name = "sable.while"
        counts(name, operands, cond_consts=cond_consts, body_consts=body_consts)
        cs, bs, carry = split(operands, cond_consts, body_consts)
        takes(name, "cond", cond, [*cs, *carry])
        ok = len(cond.out_avals) == 1 and cond.out_avals[0].short() == "bool[]"
        need(ok, f"{name}: cond {cond.name} must return (bool[]), but returns ({listed(cond.out_avals)})")
        takes(name, "body", body, [*bs, *carry])
        returns(name, "body", body, carry)

    def samples(self):
        scalar = aval((), np.dtype(np.float64))
        vector = aval((2,), np.dtype(np.float64))
        cond = function_of(
            lambda b, top, i, x: [b.compare(i, top, comparison_direction="LT")], scalar, scalar, vector, name="cond"
        )
        body = function_of(
            lambda b, w, i, x: [b.add(i, b.full(scalar, 1.0)), b.add(b.sine(x), w)],
            vector, scalar, vector, name="body",
        )  # fmt: skip
        w, x = floats((2,), dtype=np.float64), floats((2,), dtype=np.float64, seed=1)
        params = {"cond": cond, "body": body, "cond_consts": 1, "body_consts": 1}
        alone = function_of(
            lambda b, x: [b.compare(x, b.full(scalar, 9.0), comparison_direction="LT")], scalar, name="small"
        )
        grown = function_of(lambda b, x: [b.multiply(x, b.full(scalar, 2.5))], scalar, name="grown")
        doubling = {"cond": alone, "body": grown, "cond_consts": 0, "body_consts": 0}
        return [
            sample(np.float64(2.5), w, np.float64(0.25), x, **params),
            sample(np.float64(-1.0), w, np.float64(0.25), x, **params),
            sample(np.float64(0.75), **doubling),
        ]


def _while_type(*avals: Aval, cond: Any, body: Any, cond_consts: int, body_consts: int) -> tuple[Aval, ...]:
    cs, bs, carry = split(avals, cond_consts, body_consts)
    check_operands("while", body.in_avals, (*bs, *carry))
    check_operands("while", cond.in_avals, (*cs, *carry))
    return tuple(body.out_avals)


def _while_ref(*operands: Any, cond: Any, body: Any, cond_consts: int, body_consts: int) -> tuple:
    cs, bs, carry = split(operands, cond_consts, body_consts)
    while run(cond, [*cs, *carry])[0]:
        carry = run(body, [*bs, *carry])
    return tuple(np.asarray(x) for x in carry)


while_loop = defop(
    "while",
    dialect="sable",
    operands=("*operands",),
    params={"cond": SYMBOL, "body": SYMBOL, "cond_consts": INT, "body_consts": INT},
    type=_while_type,
    ref=_while_ref,
    functions=WhileRules(),
    multiple_results=True,
)
