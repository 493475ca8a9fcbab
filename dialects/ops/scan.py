"""`scan`: a loop of known length with stacked inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL, INT, SYMBOL
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.function_rules import FunctionRules
from sable.ir.op import defop

from .calls import inlined
from .functions import (
    check_operands,
    counts,
    function_of,
    invariant,
    listed,
    need,
    present,
    rearranged,
    replayed,
    run,
    same_types,
    split,
    spread,
    takes,
    there,
)
from .rules import expand, floats, is_inexact, sample

_INDEX = aval((), np.dtype(np.int32))


class _Saved(NamedTuple):
    """Residuals of a linearised body, by number.

    Attributes:
      consts, inputs: those that are an argument, constant or scanned over: with the number of the loop's operand.
      carries: those that are the carry and are to be computed again.
      hoisted: those that are made of constant arguments alone, the same in each step.
      rows: the others, which the loop stacks.
    """

    consts: dict[int, int]
    inputs: dict[int, int]
    carries: list[int]
    hoisted: list[int]
    rows: list[int]

    @classmethod
    def of(cls, made: Any, n: int, nc: int, nk: int, carry: bool) -> _Saved:
        """Of a body with n results; `carry`: the loop stacks its carry."""
        place = {v: k for k, v in enumerate(made.forward.arguments)}
        found = [place.get(v) for v in made.forward.outputs[n:]]
        consts = {i: k for i, k in enumerate(found) if k is not None and k < nc}
        inputs = {i: k for i, k in enumerate(found) if k is not None and k >= nc + nk}
        carries = [i for i, k in enumerate(found) if k is not None and nc <= k < nc + nk and not carry]
        same = invariant(made.forward, nc)
        hoisted = [i for i, v in enumerate(made.forward.outputs[n:]) if v in same and i not in consts]
        others = {*consts, *inputs, *carries, *hoisted}
        return cls(consts, inputs, carries, hoisted, [i for i in range(made.residuals) if i not in others])


class ScanRules(FunctionRules):
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

    def linearize(self, passes, two, node, xs, tangents):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        keep = two.keep
        if keep is not None and keep(node.op, *[two.inner.aval(x) for x in xs], **p):
            keep = None  # the loop's results are kept: so is all that its derivative needs
        if keep is not None:
            body = inlined(body)
        flags = self._active_carry(node, present(tangents), lambda f: passes.linearize_function(body, f).active)
        consts_on, carry_on, _ = split(flags, nc, nk)
        made = passes.linearize_function(body, tuple(flags), (*carry_on, *[False] * (n - nk)), keep)
        saved = _Saved.of(made, n, nc, nk, carry=keep is None)
        forward = rearranged(made.forward, range(len(body.in_avals)), [*range(n), *[n + i for i in saved.rows]])
        out = two.inner.bind(node.op, *xs, **{**p, "body": forward})
        ys = list(out[:n])
        residuals = {i: two.residual(xs[k]) for i, k in (saved.consts | saved.inputs).items()}
        save = two.kept if keep else two.residual
        residuals |= {i: save(r) for i, r in zip(saved.rows, out[n:])}
        residuals |= {i: save(r) for i, r in zip(saved.hoisted, self._hoisted(two.inner, made.forward, saved, xs, n))}
        if keep is not None:
            again = self._again(two, node, xs, made.forward, saved, residuals)
            if saved.carries:
                residuals |= dict(zip(saved.carries, two.anew(ys, again)))
            else:
                two.anew_if_needed(ys, again)
        m, c, k = sum(flags), sum(consts_on), sum(carry_on)
        fixed = [*saved.consts, *saved.hoisted]
        stacked = [i for i in range(made.residuals) if i not in fixed]
        order = [*range(c), *[m + i for i in fixed], *range(c, m), *[m + i for i in stacked]]
        linear = rearranged(made.linear, order, range(len(made.linear.out_avals)))
        ct, kt, xt = split(tangents, nc, nk)
        carry = [
            two.linear.full(body.out_avals[i], 0) if t is None else t
            for i, (t, on) in enumerate(zip(kt, carry_on))
            if on
        ]
        consts = [residuals[i] for i in fixed]
        values = [*there(ct), *consts, *carry, *there(xt), *[residuals[i] for i in stacked]]
        params = {**p, "body": linear, "num_consts": c + len(consts), "num_carry": k}
        dys = two.linear.bind(node.op, *values, **params)
        return ys, spread(dys, made.active)

    def _hoisted(self, b, forward, saved, xs, n) -> Sequence[Any]:
        """The residuals that are the same in each step, computed once, by the builder of known values."""
        key = ("hoisted", tuple(saved.hoisted))
        if key not in forward.memo:
            forward.memo[key] = replayed(forward, [], [forward.outputs[n + i] for i in saved.hoisted])
        return interpret(forward.memo[key], xs, b) if saved.hoisted else []

    def _again(self, two, node, xs, forward, saved, residuals) -> Callable[[], Sequence[Any]]:
        """Writes the loop into the linear function once more, with the rows that are kept: results and carries of steps."""
        n = len(node.results)
        key = ("again", tuple(saved.rows), tuple(saved.carries))
        if key not in forward.memo:
            rows = [forward.outputs[n + i] for i in saved.rows]
            outputs = [*forward.outputs[:n], *[forward.outputs[n + i] for i in saved.carries]]
            forward.memo[key] = replayed(forward, rows, outputs)
        rows = [residuals[i] for i in saved.rows]

        def write() -> Sequence[Any]:
            values = [two.residual(x) for x in xs]
            return two.linear.bind(node.op, *values, *rows, **{**node.params, "body": forward.memo[key]})

        return write

    def jvp(self, passes, b, node, xs, tangents):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        flags = self._active_carry(node, present(tangents), lambda f: passes.jvp_function(body, f)[1])
        consts_on, carry_on, _ = split(flags, nc, nk)
        made, active = passes.jvp_function(body, tuple(flags), (*carry_on, *[False] * (n - nk)))
        m, c, k = len(body.in_avals), sum(consts_on), sum(carry_on)
        t = [m + i for i in range(sum(flags))]
        arguments = [*range(nc), *t[:c], *range(nc, nc + nk), *t[c : c + k], *range(nc + nk, m), *t[c + k :]]
        d = [n + i for i in range(sum(active))]
        outputs = [*range(nk), *d[:k], *range(nk, n), *d[k:]]
        new = rearranged(made, arguments, outputs)
        cs, ks, rest = split(xs, nc, nk)
        ct, kt, xt = split(tangents, nc, nk)
        kt = [b.full(b.aval(x), 0) if t is None else t for t, x, on in zip(kt, ks, carry_on) if on]
        values = [*cs, *there(ct), *ks, *kt, *rest, *there(xt)]
        params = {**p, "body": new, "num_consts": nc + c, "num_carry": nk + k}
        carry, dcarry, ys, dys = split(b.bind(node.op, *values, **params), nk, k, n - nk)
        return [*carry, *ys], spread([*dcarry, *dys], active)

    def transpose(self, passes, b, node, on, xs, cotangents):
        p, body = node.params, node.params["body"]
        nc, nk = p["num_consts"], p["num_carry"]
        consts_on, carry_on, xs_on = split(on, nc, nk)
        # a carry that starts from a constant is linear all the same: in a linear function that constant is zero
        if not all(map(is_inexact, body.out_avals[:nk])):
            raise NotImplementedError(f"the transpose of a scan with an integer carry\n  at {node.location}")
        linear = (*consts_on, *[True] * nk, *xs_on)
        ct_carry = [b.full(a, 0) if c is None else c for c, a in zip(cotangents[:nk], body.out_avals[:nk])]
        ct_ys = there(cotangents[nk:])
        nonzero = (*[True] * nk, *present(cotangents[nk:]))
        made = passes.transpose_function(body, linear, nonzero)
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

    def batch(self, passes, b, node, size, xs, on, axis_name):
        p, body = node.params, node.params["body"]
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        flags = self._active_carry(node, on, lambda f: passes.batch_function(body, f, size, axis_name)[1])
        force = (*flags[nc : nc + nk], *[False] * (n - nk))
        made, marks = passes.batch_function(body, tuple(flags), size, axis_name, force)
        values = []
        for i, (x, was, now) in enumerate(zip(xs, on, flags)):
            if now and not was:
                x = expand(b, x, size)
            values.append(_swap(b, x) if now and i >= nc + nk else x)
        out = b.bind(node.op, *values, **{**p, "body": made})
        return [_swap(b, y) if m and i >= nk else y for i, (y, m) in enumerate(zip(out, marks))], marks

    def jet(self, passes, b, node, xs):
        """As `jvp`, with all coefficients in the place of a tangent."""
        if not b.whole:
            return None
        p, body, order = node.params, node.params["body"], b.order
        nc, nk, n = p["num_consts"], p["num_carry"], len(node.results)
        given = [not x.constant for x in xs]
        flags = self._active_carry(node, given, lambda f: passes.jet_function(body, f, order)[1])
        consts_on, carry_on, _ = split(flags, nc, nk)
        made, there = passes.jet_function(body, tuple(flags), order, (*carry_on, *[False] * (n - nk)))
        m, c, k = len(body.in_avals), order * sum(consts_on), order * sum(carry_on)
        t = range(m, len(made.in_avals))
        arguments = [*range(nc), *t[:c], *range(nc, nc + nk), *t[c : c + k], *range(nc + nk, m), *t[c + k :]]
        d = range(n, len(made.out_avals))
        new = rearranged(made, arguments, [*range(nk), *d[:k], *range(nk, n), *d[k:]])
        terms = [b.terms(x) for x, on in zip(xs, flags) if on]
        cs, ks, rest = split([x[0] for x in xs], nc, nk)
        ct, kt, xt = split([t for each in terms for t in each], c, k)
        params = {**p, "body": new, "num_consts": nc + c, "num_carry": nk + k}
        found = b.inner.bind(node.op, *cs, *ct, *ks, *kt, *rest, *xt, **params)
        carry, carry_terms, ys, ys_terms = split(found, nk, k, n - nk)
        return b.with_terms([*carry, *ys], [*carry_terms, *ys_terms], there)

    def check(self, passes, b, node, xs, errors):
        p, body = node.params, node.params["body"]
        made = passes.checked_function(body, errors.kinds, errors.enabled)
        if not made.codes:
            return b.bind(node.op, *xs, **p)
        errors.add(made.kinds)
        made = passes.checked_function(body, errors.kinds, errors.enabled)
        k, m, nc = len(errors.flat()), len(made.function.in_avals), p["num_consts"]
        step = rearranged(
            made.function, [*range(k, k + nc), *range(k), *range(k + nc, m)], range(len(made.function.out_avals))
        )
        consts, rest = split(xs, nc)
        params = {**p, "body": step, "num_carry": k + p["num_carry"]}
        return errors.take(made, b.bind(node.op, *consts, *errors.flat(), *rest, **params))

    def lower(self, b, *operands, body, num_consts, num_carry, length, reverse):
        """A counted while: inputs read by dynamic_slice, outputs written by dynamic_update_slice."""
        consts, carry, xs = split(operands, num_consts, num_carry)
        stacked = [aval((length, *a.shape), a.dtype) for a in body.out_avals[num_carry:]]
        if length == 0:
            return (*carry, *[b.full(a, 0) for a in stacked])
        init = [b.full(_INDEX, 0), *carry, *[b.full(a, 0) for a in stacked]]
        types = [v.type for v in init]
        loop = b.structured("stablehlo.while", init, types, 2)

        def condition(state: list) -> list:
            return [b.compare(state[0], b.full(_INDEX, length), comparison_direction="LT")]

        def step(state: list) -> list:
            i = state[0]
            at = b.subtract(b.full(_INDEX, length - 1), i) if reverse else i
            rows = [_row(b, x, at) for x in xs]
            outs = b.inline(body, [*consts, *state[1 : 1 + num_carry], *rows])
            ys = [_write(b, y, at, value) for y, value in zip(state[1 + num_carry :], outs[num_carry:])]
            return [b.add(i, b.full(_INDEX, 1)), *outs[:num_carry], *ys]

        b.region(loop, 0, types, condition)
        b.region(loop, 1, types, step)
        return tuple(loop.results)[1:]

    def evaluate(self, core, op, values, params):
        return core.compiled(op, values, params)

    def verify(self, operands, body, num_consts, num_carry, length, reverse):
        name = "sable.scan"
        counts(name, operands, num_consts=num_consts, num_carry=num_carry)
        need(length >= 0, f"{name}: length must not be negative, got {length}")
        fixed = num_consts + num_carry
        for k, a in enumerate(operands[fixed:], fixed):
            ok = a.ndim > 0 and a.shape[0] == length
            need(ok, f"{name}: operand {k} is scanned over and must have leading size {length}, got {a.short()}")
        rows = [a.update(shape=a.shape[1:]) for a in operands[fixed:]]
        takes(name, "body", body, [*operands[:fixed], *rows])
        carry, given = operands[num_consts:fixed], listed(body.out_avals)
        need(
            same_types(body.out_avals[:num_carry], carry),
            f"{name}: body {body.name} must first return the carry ({listed(carry)}), but returns ({given})",
        )

    def samples(self):
        a = aval((2,), np.dtype(np.float64))

        def both(b: Any, w: Any, c: Any, x: Any) -> list:
            return [b.sine(b.add(b.multiply(w, c), x)), b.multiply(c, x)]

        body = function_of(both, a, a, a, name="body")
        w, c, xs = (
            floats((2,), dtype=np.float64),
            floats((2,), dtype=np.float64, seed=1),
            floats((3, 2), dtype=np.float64, seed=2),
        )
        counter = function_of(
            lambda b, i, c: [b.add(i, b.full(_INDEX, 1)), b.multiply(c, c)], _INDEX, a, name="counter"
        )
        found = [
            sample(w, c, xs[:n], body=body, num_consts=1, num_carry=1, length=n, reverse=reverse)
            for n, reverse in ((3, False), (3, True), (0, False))
        ]
        only_carry = {"body": counter, "num_consts": 0, "num_carry": 2, "length": 2, "reverse": False}
        return [*found, sample(np.int32(0), c, **only_carry)]


def _swap(b: Any, x: Any) -> Any:
    """Exchange axes 0 and 1: the batch axis and the loop's."""
    rank = len(b.aval(x).shape)
    return b.transpose(x, permutation=(1, 0, *range(2, rank)))


def _starts(b: Any, at: Any, rank: int) -> list[Any]:
    return [at, *[b.full(_INDEX, 0) for _ in range(rank - 1)]]


def _row(b: Any, x: Any, at: Any) -> Any:
    shape = b.aval(x).shape
    row = b.emit("dynamic_slice", x, *_starts(b, at, len(shape)), slice_sizes=(1, *shape[1:]))
    return b.reshape(row, shape=shape[1:])


def _write(b: Any, y: Any, at: Any, value: Any) -> Any:
    shape = b.aval(value).shape
    row = b.reshape(value, shape=(1, *shape))
    return b.emit("dynamic_update_slice", y, row, *_starts(b, at, len(shape) + 1))


def _scan_type(
    *avals: Aval, body: Any, num_consts: int, num_carry: int, length: int, reverse: bool
) -> tuple[Aval, ...]:
    fixed = num_consts + num_carry
    sliced = [a.update(shape=a.shape[1:]) for a in avals[fixed:]]
    check_operands("scan", body.in_avals, (*avals[:fixed], *sliced))
    ys = body.out_avals[num_carry:]
    return (*body.out_avals[:num_carry], *[a.update(shape=(length, *a.shape)) for a in ys])


def _scan_ref(*operands: Any, body: Any, num_consts: int, num_carry: int, length: int, reverse: bool) -> tuple:
    consts, carry, xs = split(operands, num_consts, num_carry)
    ys = [np.zeros((length, *a.shape), a.dtype) for a in body.out_avals[num_carry:]]
    for i in range(length)[:: -1 if reverse else 1]:
        outs = run(body, [*consts, *carry, *[x[i] for x in xs]])
        carry = outs[:num_carry]
        for y, value in zip(ys, outs[num_carry:]):
            y[i] = value
    return (*carry, *ys)


scan = defop(
    "scan",
    dialect="sable",
    operands=("*operands",),
    params={"body": SYMBOL, "num_consts": INT, "num_carry": INT, "length": INT, "reverse": BOOL},
    type=_scan_type,
    ref=_scan_ref,
    functions=ScanRules(),
    multiple_results=True,
)
