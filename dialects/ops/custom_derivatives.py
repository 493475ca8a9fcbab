"""Calls whose derivative the user gives: `custom_jvp_call`, `custom_vjp_call`, and the latter's tangent map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL, INT, RULE, SYMBOL
from sable.ir.function import Deferred, DeferredByActivity
from sable.ir.function_rules import FunctionRules
from sable.ir.location import user_line
from sable.ir.op import OPS, defop

from .calls import CallRules, call_ref, call_type, checked_beside
from .functions import counts, function_of, listed, need, returns, same_types, spread, takes, there
from .rules import expand, floats, is_inexact, sample

_VECTOR = aval((3,), np.dtype(np.float64))


#: Under this name the memo of a rule's function holds which of its arguments are variables that the rule closes over,
#: though what they are a part of has ended.
CLOSED_OVER = "closed over"


def _check_closed_over(rule: Any, tangents: Sequence[Any]) -> None:
    """Refuse to lose derivatives: a rule says nothing of those by what it closes over."""
    if any(tangents[i] is not None for i in rule.get().memo.get(CLOSED_OVER, ())):
        raise UnexpectedTracerError(
            f"the derivative rule {rule.name} closes over a value that is differentiated itself, at {user_line()}; pass it as an "
            "argument"
        )


def _batched(rule: Any, batch: Callable[[Any], Any]) -> Deferred:
    """A rule of the whole batch, made when it is asked for."""
    if isinstance(rule, DeferredByActivity):
        return DeferredByActivity(lambda active: _batched(rule.of(active), batch), rule.name)

    def make() -> Any:
        made = batch(rule.get())
        made.memo[CLOSED_OVER] = rule.get().memo.get(CLOSED_OVER, ())
        return made

    return Deferred(make, rule.name)


def _of(rule: Any, active: Sequence[bool]) -> Any:
    """The rule where these arguments have (co)tangents."""
    return rule.of(tuple(active)) if isinstance(rule, DeferredByActivity) else rule


class _CustomRules(CallRules):
    def check(self, passes, b, node, xs, errors):
        """Of the function alone: the user's rules are not looked into."""
        return checked_beside(passes, b, node, xs, errors)

    def transpose(self, passes, b, node, on, xs, cotangents):
        """The call's: a function that is linear already has no use for the user's rules."""
        made = passes.transpose_function(node.params["callee"], tuple(on), tuple(c is not None for c in cotangents))
        known = [x for x, o in zip(xs, on) if not o]
        return spread(b.bind(OPS["call"], *known, *there(cotangents), callee=made), on)


class CustomJvpRules(_CustomRules):
    """The user's rule is a function of primals and tangents, run in place of the callee's own derivative."""

    def linearize(self, passes, two, node, xs, tangents):
        out = self._rule(two, node, [two.known(x) for x in xs], tangents)
        n = len(node.results)
        # a tangent which does not depend on the active ones is known, and zero, the rule being linear
        return [y.x for y in out[:n]], out[n:]

    def jvp(self, passes, b, node, xs, tangents):
        out = self._rule(b, node, xs, tangents)
        n = len(node.results)
        return out[:n], out[n:]

    def jet(self, passes, b, node, xs):
        """By the user's rule."""
        return None

    def _rule(self, b, node, xs, tangents):
        rule = _of(node.params["rule"], [t is not None for t in tangents])
        if not _runs(b, rule):
            _check_closed_over(rule, tangents)
        full = [b.full(b.aval(x), 0) if t is None else t for x, t in zip(xs, tangents)]
        return b.run_rule(rule, [*xs, *full])

    def batch(self, passes, b, node, size, xs, on, axis_name):
        callee, old = node.params["callee"], node.params["rule"]
        n = len(node.results)
        made, marks = passes.batch_function(callee, tuple(on), size, axis_name, (True,) * n)
        key = ("batched rule", tuple(on), size, axis_name, id(old))
        if key not in callee.memo:
            wide = (*on, *on)
            force = (True,) * (2 * n)
            made_rule = _batched(old, lambda rule: passes.batch_function(rule, wide, size, axis_name, force)[0])
            callee.memo[key] = made_rule, old
        return b.bind(node.op, *xs, callee=made, rule=callee.memo[key][0]), marks

    def verify(self, operands, callee, rule):
        name = "sable.custom_jvp_call"
        takes(name, "callee", callee, operands)
        takes(name, "rule", rule, [*operands, *operands])
        returns(name, "rule", rule, [*callee.out_avals, *callee.out_avals])

    def samples(self):
        callee = function_of(lambda b, x, y: [b.multiply(b.sine(x), y)], _VECTOR, _VECTOR, name="callee")

        def rule(b: Any, x: Any, y: Any, dx: Any, dy: Any) -> list:
            sine = b.sine(x)
            return [b.multiply(sine, y), b.add(b.multiply(b.multiply(b.cosine(x), y), dx), b.multiply(sine, dy))]

        made = Deferred(lambda: function_of(rule, *[_VECTOR] * 4, name="rule"))
        return [
            sample(floats((3,), dtype=np.float64), floats((3,), dtype=np.float64, seed=1), callee=callee, rule=made)
        ]


def _runs(b: Any, rule: Any) -> bool:
    return rule.immediate and b.runs_rules


def _called(b: Any, rule: Any, values: Sequence[Any]) -> Sequence[Any]:
    """A rule run on values where it can be, else called."""
    if _runs(b, rule):
        return b.run_rule(rule, values)
    return b.bind(OPS["call"], *values, callee=rule.get())


def _expand_all(b: Any, size: int, xs: Any, on: Any) -> list[Any]:
    return [x if m else expand(b, x, size) for x, m in zip(xs, on)]


def _whole_batch(passes: Any, function: Any, size: int, axis_name: Any) -> Any:
    """The function of a batch with every argument and every result mapped."""
    every, force = (True,) * len(function.in_avals), (True,) * len(function.out_avals)
    return passes.batch_function(function, every, size, axis_name, force)[0]


class CustomVjpRules(_CustomRules):
    """Reverse mode by the user's pair: forward gives results and residuals, backward the cotangents."""

    forward = False

    def linearize(self, passes, two, node, xs, tangents):
        p = node.params
        n = len(node.results)
        active = [t is not None for t in tangents]
        forward, backward = (_of(p[name], active) for name in ("forward", "backward"))
        if not _runs(two.inner, forward):
            _check_closed_over(forward, tangents)
        out = _called(two.inner, forward, xs)
        ys, residuals = out[:n], out[n:]
        if p["optimize_remat"] and two.keep is not None:
            # the residuals are made of the arguments again: the results need no more than the function
            ys = two.inner.bind(OPS["call"], *xs, callee=p["callee"])
        moving = [
            two.linear.full(two.inner.aval(x), 0) if t is None else t
            for x, t, a in zip(xs, tangents, p["callee"].in_avals)
            if is_inexact(a)
        ]
        saved = [two.residual(r) for r in residuals]
        dys = two.linear.bind(
            OPS["custom_vjp_linear"],
            *saved,
            *moving,
            callee=p["callee"],
            backward=backward,
            num_residuals=len(saved),
        )
        return ys, spread(dys, [is_inexact(a) for a in p["callee"].out_avals])

    def jvp(self, passes, b, node, xs, tangents):
        raise TypeError(
            "can't apply forward-mode autodiff (jvp) to a custom_vjp function.\n"
            f"  the function is called at {node.location}"
        )

    def batch(self, passes, b, node, size, xs, on, axis_name):
        p = node.params
        callee = p["callee"]
        key = ("batched custom_vjp", size, axis_name, id(p["forward"]))
        if key not in callee.memo:
            forward, backward = p["forward"], p["backward"]
            rules = {
                name: _batched(rule, lambda f: _whole_batch(passes, f, size, axis_name))
                for name, rule in (("forward", forward), ("backward", backward))
            }
            callee.memo[key] = _whole_batch(passes, callee, size, axis_name), rules, p
        made, rules, _ = callee.memo[key]
        values = _expand_all(b, size, xs, on)
        rules = {**rules, "optimize_remat": p["optimize_remat"]}
        return b.bind(node.op, *values, callee=made, **rules), [True] * len(node.results)

    def verify(self, operands, callee, forward, backward, optimize_remat):
        name = "sable.custom_vjp_call"
        takes(name, "callee", callee, operands)
        takes(name, "forward", forward, operands)
        n = len(callee.out_avals)
        ok = same_types(forward.out_avals[:n], callee.out_avals)
        outs, given = listed(callee.out_avals), listed(forward.out_avals)
        need(ok, f"{name}: forward {forward.name} must first return ({outs}), but returns ({given})")
        _verify_backward(name, callee, backward, forward.out_avals[n:])

    def samples(self):
        operands = floats((3,), dtype=np.float64), floats((3,), dtype=np.float64, seed=1)
        return [sample(*operands, **_product(), optimize_remat=False)]


def _product() -> dict[str, Any]:
    """x sin(y) with its pair of rules."""
    a = _VECTOR
    callee = function_of(lambda b, x, y: [b.multiply(x, b.sine(y))], a, a, name="callee")

    def forward(b: Any, x: Any, y: Any) -> list:
        return [b.multiply(x, b.sine(y)), b.sine(y), b.multiply(x, b.cosine(y))]

    def backward(b: Any, sine: Any, slope: Any, ct: Any) -> list:
        return [b.multiply(ct, sine), b.multiply(ct, slope)]

    return {
        "callee": callee,
        "forward": Deferred(lambda: function_of(forward, a, a, name="forward")),
        "backward": Deferred(lambda: function_of(backward, a, a, a, name="backward")),
    }


def _verify_backward(name: str, callee: Any, backward: Any, residuals: Sequence[Aval]) -> None:
    cotangents = [a for a in callee.out_avals if is_inexact(a)]
    takes(name, "backward", backward, [*residuals, *cotangents])
    returns(name, "backward", backward, [a for a in callee.in_avals if is_inexact(a)])


_NOT_FORWARD = "can't apply forward-mode autodiff (jvp) to a custom_vjp function."


class CustomVjpLinearRules(FunctionRules):
    """The linear map whose transpose is the user's backward function; nothing else is known of it."""

    forward = False

    def linearize(self, passes, two, node, xs, tangents):
        raise TypeError("the tangent map of a custom_vjp function cannot be differentiated before it is transposed")

    def jvp(self, passes, b, node, xs, tangents):
        raise TypeError(_NOT_FORWARD)

    def transpose(self, passes, b, node, on, xs, cotangents):
        p = node.params
        n = p["num_residuals"]
        avals = [a for a in p["callee"].out_avals if is_inexact(a)]
        cts = [b.full(a, 0) if c is None else c for c, a in zip(cotangents, avals)]
        found = _called(b, _of(p["backward"], [c is not None for c in cotangents]), [*xs[:n], *cts])
        return [*[None] * n, *[c if o else None for c, o in zip(found, on[n:])]]

    def batch(self, passes, b, node, size, xs, on, axis_name):
        p = node.params
        backward = p["backward"]
        values = _expand_all(b, size, xs, on)
        params = {
            "callee": _whole_batch(passes, p["callee"], size, axis_name),
            "backward": _batched(backward, lambda f: _whole_batch(passes, f, size, axis_name)),
            "num_residuals": p["num_residuals"],
        }
        return b.bind(node.op, *values, **params), [True] * len(node.results)

    def lower(self, b, *operands, callee, backward, num_residuals):
        raise TypeError(_NOT_FORWARD)

    def evaluate(self, core, op, values, params):
        raise TypeError(_NOT_FORWARD)

    def verify(self, operands, callee, backward, num_residuals):
        name = "sable.custom_vjp_linear"
        counts(name, operands, num_residuals=num_residuals)
        tangents = [a for a in callee.in_avals if is_inexact(a)]
        given = operands[num_residuals:]
        need(
            same_types(given, tangents),
            f"{name}: expected tangents ({listed(tangents)}) behind the residuals, got ({listed(given)})",
        )
        _verify_backward(name, callee, backward, operands[:num_residuals])

    def samples(self):
        rules = _product()
        params = {"callee": rules["callee"], "backward": rules["backward"], "num_residuals": 2}
        return [sample(*[floats((3,), dtype=np.float64, seed=k) for k in range(4)], **params)]


custom_jvp_call = defop(
    "custom_jvp_call",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "rule": RULE},
    type=call_type,
    ref=call_ref,
    functions=CustomJvpRules(),
    multiple_results=True,
)

custom_vjp_call = defop(
    "custom_vjp_call",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "forward": RULE, "backward": RULE, "optimize_remat": BOOL},
    type=call_type,
    ref=call_ref,
    functions=CustomVjpRules(),
    multiple_results=True,
)


def _tangent_map_type(*avals: Aval, callee: Any, backward: Any, num_residuals: int) -> tuple[Aval, ...]:
    return tuple(a for a in callee.out_avals if is_inexact(a))


def _tangent_map_ref(*operands: Any, callee: Any, backward: Any, num_residuals: int) -> Any:
    raise TypeError(_NOT_FORWARD)


#: The tangent map of a custom_vjp_call: (residuals, tangents of the inexact arguments) -> tangents of the inexact
#: results. Only its transpose, `backward`, is known.
custom_vjp_linear = defop(
    "custom_vjp_linear",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "backward": RULE, "num_residuals": INT},
    type=_tangent_map_type,
    ref=_tangent_map_ref,
    functions=CustomVjpLinearRules(),
    multiple_results=True,
)
