"""`scan` and `while` under the transformations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sable.dialects.ops.rules import expand
from sable.ir.aval import Aval
from sable.ir.function import Function, FunctionBuilder, interpret

from .batch import batch_function
from .control_flow import spread, there
from .functions import rules_for
from .jvp import jvp_function
from .linearize import Known, linearize_function
from .transpose import transpose_function


def split(values: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """Consecutive parts of the given sizes, and the rest."""
    parts, at = [], 0
    for n in sizes:
        parts.append(list(values[at : at + n]))
        at += n
    return [*parts, list(values[at:])]


def _flags(values: Sequence[Any]) -> list[bool]:
    return [v is not None for v in values]


def _rearranged(function: Function, arguments: Sequence[int], outputs: Sequence[int]) -> Function:
    """A copy of a function whose arguments are `function`'s in another order, returning some outputs in some order."""
    key = ("rearranged", tuple(arguments), tuple(outputs))
    if key not in function.memo:
        made = Function([function.in_avals[i] for i in arguments], function.name)
        place = dict(zip(arguments, made.arguments))
        outs = interpret(function, [place[i] for i in range(len(function.in_avals))], FunctionBuilder(made))
        function.memo[key] = made.finish([outs[i] for i in outputs], [function.out_avals[i] for i in outputs])
    return function.memo[key]


@rules_for("scan")
class ScanRules:
    """A loop of known length with stacked inputs and outputs."""

    def _active_carry(self, node, flags: list[bool], results) -> list[bool]:
        """Grow the set of active carries until the body maps it into itself. `results(flags)`: active results."""
        nc, nk = node.params["num_consts"], node.params["num_carry"]
        flags = list(flags)
        while True:
            out = results(tuple(flags))[:nk]
            grown = [a or o for a, o in zip(flags[nc : nc + nk], out)]
            if grown == flags[nc : nc + nk]:
                return flags
            flags[nc : nc + nk] = grown

    def linearize(self, two, node, operands, tangents):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        flags = self._active_carry(node, _flags(tangents), lambda f: linearize_function(body, f).active)
        consts_on, carry_on, _ = split(flags, nc, nk)
        wanted = (*carry_on, *[False] * (n - nk))
        made = linearize_function(body, tuple(flags), wanted)
        outs, invariant, stacked = self._residuals(made, n, nc)
        forward = _rearranged(made.forward, range(len(body.in_avals)), [*range(n), *[n + i for i in stacked]])
        out = two.inner.bind(node.op, *[v.x for v in operands], **{**p, "body": forward})
        ys, saved = list(out[:n]), out[n:]
        consts = [two.to_linear(operands[outs[i]]) for i in invariant]
        xs = [two.to_linear(Known(r)) for r in saved]
        m = sum(flags)
        k, c = sum(carry_on), sum(consts_on)
        order = [*range(c), *[m + i for i in invariant], *range(c, m), *[m + i for i in stacked]]
        linear = _rearranged(made.linear, order, range(len(made.linear.out_avals)))
        ct, kt, xt = split(tangents, nc, nk)
        carry = [
            two.linear.full(body.out_avals[i], 0) if t is None else t
            for i, (t, on) in enumerate(zip(kt, carry_on))
            if on
        ]
        values = [*there(ct), *consts, *carry, *there(xt), *xs]
        params = {**p, "body": linear, "num_consts": c + len(consts), "num_carry": k}
        dys = two.linear.bind(node.op, *values, **params)
        return [Known(y) for y in ys], spread(dys, made.active)

    def _residuals(self, made, n: int, nc: int) -> tuple[dict[int, int], list[int], list[int]]:
        """Residuals that are constants of the loop (with the operand they are), and those that must be stacked."""
        place = {v: i for i, v in enumerate(made.forward.arguments[:nc])}
        found = {i: place[v] for i, v in enumerate(made.forward.outputs[n:]) if v in place}
        return found, list(found), [i for i in range(made.residuals) if i not in found]

    def jvp(self, b, node, xs, tangents):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        flags = self._active_carry(node, _flags(tangents), lambda f: jvp_function(body, f)[1])
        consts_on, carry_on, _ = split(flags, nc, nk)
        made, active = jvp_function(body, tuple(flags), (*carry_on, *[False] * (n - nk)))
        m, c, k = len(body.in_avals), sum(consts_on), sum(carry_on)
        t = [m + i for i in range(sum(flags))]
        arguments = [*range(nc), *t[:c], *range(nc, nc + nk), *t[c : c + k], *range(nc + nk, m), *t[c + k :]]
        d = [n + i for i in range(sum(active))]
        outputs = [*range(nk), *d[:k], *range(nk, n), *d[k:]]
        new = _rearranged(made, arguments, outputs)
        cs, ks, rest = split(xs, nc, nk)
        ct, kt, xt = split(tangents, nc, nk)
        kt = [b.full(b.aval(x), 0) if t is None else t for t, x, on in zip(kt, ks, carry_on) if on]
        values = [*cs, *there(ct), *ks, *kt, *rest, *there(xt)]
        params = {**p, "body": new, "num_consts": nc + c, "num_carry": nk + k}
        carry, dcarry, ys, dys = split(b.bind(node.op, *values, **params), nk, k, n - nk)
        return [*carry, *ys], spread([*dcarry, *dys], active)

    def transpose(self, b, node, on, xs, cotangents):
        p, body = node.params, node.params["body"]
        nc, nk = p["num_consts"], p["num_carry"]
        consts_on, carry_on, xs_on = split(on, nc, nk)
        # a carry that starts from a constant is linear all the same: in a linear function that constant is zero
        if any(a.dtype.kind not in "fcV" for a in body.out_avals[:nk]):
            raise NotImplementedError(f"the transpose of a scan with an integer carry\n  at {node.location}")
        linear = (*consts_on, *[True] * nk, *xs_on)
        ct_carry = [b.full(a, 0) if c is None else c for c, a in zip(cotangents[:nk], body.out_avals[:nk])]
        ct_ys = there(cotangents[nk:])
        nonzero = (*[True] * nk, *_flags(cotangents[nk:]))
        made = transpose_function(body, linear, nonzero)
        step = self._backward(made, body, linear, nc, nk, len(ct_ys))
        known_consts = [x for x, o in zip(xs[:nc], consts_on) if not o]
        known_xs = [x for x, o in zip(xs[nc + nk :], xs_on) if not o]
        sums = [b.full(a, 0) for a, o in zip(body.in_avals[:nc], consts_on) if o]
        out = b.bind(
            node.op,
            *known_consts,
            *ct_carry,
            *sums,
            *ct_ys,
            *known_xs,
            body=step,
            num_consts=len(known_consts),
            num_carry=nk + len(sums),
            length=p["length"],
            reverse=not p["reverse"],
        )
        carry, sums, dxs = split(out, nk, len(sums))
        carry = [c if o else None for c, o in zip(carry, carry_on)]
        return [*spread(sums, consts_on), *carry, *spread(dxs, xs_on)]

    def _backward(self, made: Function, body: Function, on: Sequence[bool], nc: int, nk: int, ny: int) -> Function:
        """One step backwards: constants known, carry = cotangents of the carry and sums for the constants."""
        key = ("backward", nc, nk)
        if key in made.memo:
            return made.memo[key]
        consts_on, _, xs_on = split(on, nc, nk)
        linear_consts = [a for a, o in zip(body.in_avals[:nc], consts_on) if o]
        known_consts = [a for a, o in zip(body.in_avals[:nc], consts_on) if not o]
        known_xs = [a for a, o in zip(body.in_avals[nc + nk :], xs_on) if not o]
        carry = body.out_avals[:nk]
        ct_ys = made.in_avals[len(made.in_avals) - ny :] if ny else []
        step = Function([*known_consts, *carry, *linear_consts, *ct_ys, *known_xs], made.name)
        b = FunctionBuilder(step)
        consts, cts, sums, ys, xs = split(step.arguments, len(known_consts), nk, len(linear_consts), ny)
        found = interpret(made, [*consts, *xs, *cts, *ys], b)
        d_consts, d_carry, d_xs = split(found, len(sums), nk)
        made.memo[key] = step.finish([*d_carry, *[b.add(s, d) for s, d in zip(sums, d_consts)], *d_xs])
        return step

    def batch(self, b, node, size, xs, on, axis_name):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        flags = self._active_carry(node, on, lambda f: batch_function(body, f, size, axis_name)[1])
        force = (*flags[nc : nc + nk], *[False] * (n - nk))
        made, marks = batch_function(body, tuple(flags), size, axis_name, force)
        values = []
        for i, (x, was, now) in enumerate(zip(xs, on, flags)):
            if now and not was:
                x = expand(b, x, size)
            values.append(_swap(b, x) if now and i >= nc + nk else x)
        out = b.bind(node.op, *values, **{**p, "body": made})
        return [_swap(b, y) if m and i >= nk else y for i, (y, m) in enumerate(zip(out, marks))], marks


def _swap(b: Any, x: Any) -> Any:
    """Exchange axes 0 and 1: the batch axis and the loop's."""
    rank = len(b.aval(x).shape)
    return b.transpose(x, permutation=(1, 0, *range(2, rank)))


@rules_for("while")
class WhileRules:
    """A loop whose length is not known: no reverse mode."""

    def _parts(self, node, values):
        return split(values, node.params["cond_consts"], node.params["body_consts"])

    def _jvp_op(self, b, node, xs, tangents, avals: Sequence[Aval]):
        p, body = node.params, node.params["body"]
        _, consts_t, carry_t = self._parts(node, tangents)
        flags = [*_flags(consts_t), *_flags(carry_t)]
        nb = p["body_consts"]
        while True:
            _, active = jvp_function(body, tuple(flags))
            grown = [a or o for a, o in zip(flags[nb:], active)]
            if grown == flags[nb:]:
                break
            flags[nb:] = grown
        made, active = jvp_function(body, tuple(flags), tuple(flags[nb:]))
        m, c = len(body.in_avals), sum(flags[:nb])
        arguments = [*range(nb), *range(m, m + c), *range(nb, m), *range(m + c, m + sum(flags))]
        new = _rearranged(made, arguments, range(len(made.out_avals)))
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

    def jvp(self, b, node, xs, tangents):
        avals = node.params["body"].out_avals
        out, active = self._jvp_op(b, node, xs, tangents, avals)
        n = len(node.results)
        return out[:n], spread(out[n:], active)

    def linearize(self, two, node, operands, tangents):
        # the number of steps is unknown, so nothing can be saved for each: the linear function runs the loop again
        ys = two.inner.bind(node.op, *[v.x for v in operands], **node.params)
        xs = [two.to_linear(v) for v in operands]
        out, active = self._jvp_op(two.linear, node, xs, tangents, node.params["body"].out_avals)
        return [Known(y) for y in ys], spread(out[len(node.results) :], active)

    def transpose(self, b, node, on, xs, cotangents):
        raise ValueError(
            "Reverse-mode differentiation does not work for lax.while_loop or lax.fori_loop with dynamic start/stop "
            "values. Try using lax.scan, or using fori_loop with static start/stop.\n"
            f"  the loop is at {node.location}"
        )

    def batch(self, b, node, size, xs, on, axis_name):
        cond, body = node.params["cond"], node.params["body"]
        conds_on, consts_on, carry_on = self._parts(node, on)
        while True:
            _, marks = batch_function(body, (*consts_on, *carry_on), size, axis_name)
            _, pred_on = batch_function(cond, (*conds_on, *carry_on), size, axis_name)
            grown = [c or m or pred_on[0] for c, m in zip(carry_on, marks)]
            if grown == carry_on:
                break
            carry_on = grown
        force = tuple(carry_on)
        new_body, _ = batch_function(body, (*consts_on, *carry_on), size, axis_name, force)
        new_cond, pred_on = batch_function(cond, (*conds_on, *carry_on), size, axis_name)
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
        from .control_flow import _choose

        key = ("masked", nc, nb)
        if key not in body.memo:
            made = Function([*cond.in_avals[:nc], *body.in_avals], body.name)
            b = FunctionBuilder(made)
            cs, bs, carry = split(made.arguments, nc, nb)
            (pred,) = interpret(cond, [*cs, *carry], b)
            outs = interpret(body, [*bs, *carry], b)
            new = [_choose(b, pred, y, x) for x, y in zip(carry, outs)]
            body.memo[key] = made.finish(new, body.out_avals)
        return body.memo[key]
