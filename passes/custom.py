"""Custom derivatives and host calls under the transformations."""

from __future__ import annotations

from typing import Any

from sable.dialects.ops.control_flow import is_inexact
from sable.dialects.ops.rules import expand
from sable.ir.function import Deferred, interpret
from sable.ir.op import OPS

from .batch import batch_function
from .control_flow import CallRules, there
from .functions import rules_for
from .linearize import Known


@rules_for("custom_jvp_call")
class CustomJvpRules(CallRules):
    """The user's rule is a function of primals and tangents, run in place of the callee's own derivative."""

    def linearize(self, two, node, operands, tangents):
        out = self._rule(two, node, operands, tangents)
        n = len(node.results)
        ys = out[:n]
        # a tangent which does not depend on the active ones is zero, the rule being linear
        return ys, [None if type(t) is Known else t for t in out[n:]]

    def jvp(self, b, node, xs, tangents):
        out = self._rule(b, node, xs, tangents)
        n = len(node.results)
        return out[:n], out[n:]

    def _rule(self, b, node, xs, tangents):
        rule = node.params["rule"].get()
        full = [b.full(b.aval(x), 0) if t is None else t for x, t in zip(xs, tangents)]
        return interpret(rule, [*xs, *full], b)

    def batch(self, b, node, size, xs, on, axis_name):
        callee, old = node.params["callee"], node.params["rule"]
        n = len(node.results)
        made, marks = batch_function(callee, tuple(on), size, axis_name, (True,) * n)
        key = ("batched rule", tuple(on), size, axis_name, id(old))
        if key not in callee.memo:
            wide = (*on, *on)
            force = (True,) * (2 * n)
            callee.memo[key] = (
                Deferred(lambda: batch_function(old.get(), wide, size, axis_name, force)[0]),
                old,
            )
        return b.bind(node.op, *xs, callee=made, rule=callee.memo[key][0]), marks


def _expand_all(b: Any, size: int, xs: Any, on: Any) -> list[Any]:
    return [x if m else expand(b, x, size) for x, m in zip(xs, on)]


@rules_for("custom_vjp_call")
class CustomVjpRules(CallRules):
    """Reverse mode by the user's pair: forward gives results and residuals, backward the cotangents."""

    def linearize(self, two, node, operands, tangents):
        p = node.params
        forward = p["forward"].get()
        n = len(node.results)
        out = two.inner.bind(OPS["call"], *[v.x for v in operands], callee=forward)
        ys, residuals = out[:n], out[n:]
        moving = []
        for x, t, a in zip(operands, tangents, p["callee"].in_avals):
            if is_inexact(a):
                moving.append(two.to_linear(two.full(two.aval(x), 0)) if t is None else t)
        saved = [two.to_linear(Known(r)) for r in residuals]
        dys = two.linear.bind(
            OPS["custom_vjp_linear"],
            *saved,
            *moving,
            callee=p["callee"],
            backward=p["backward"],
            num_residuals=len(saved),
        )
        rest = iter(dys)
        return [Known(y) for y in ys], [next(rest) if is_inexact(a) else None for a in p["callee"].out_avals]

    def jvp(self, b, node, xs, tangents):
        raise TypeError(
            "can't apply forward-mode differentiation (jvp) to a custom_vjp function.\n"
            f"  the function is called at {node.location}"
        )

    def batch(self, b, node, size, xs, on, axis_name):
        p = node.params
        callee = p["callee"]
        key = ("batched custom_vjp", size, axis_name, id(p["forward"]))
        if key not in callee.memo:
            every = (True,) * len(callee.in_avals)
            made, _ = batch_function(callee, every, size, axis_name, (True,) * len(callee.out_avals))
            forward, backward = p["forward"], p["backward"]

            def batched(rule: Any) -> Any:
                f = rule.get()
                return batch_function(f, (True,) * len(f.in_avals), size, axis_name, (True,) * len(f.out_avals))[0]

            rules = {
                "forward": Deferred(lambda: batched(forward)),
                "backward": Deferred(lambda: batched(backward)),
            }
            callee.memo[key] = made, rules, p
        made, rules, _ = callee.memo[key]
        values = _expand_all(b, size, xs, on)
        return b.bind(node.op, *values, callee=made, **rules), [True] * len(node.results)


@rules_for("custom_vjp_linear")
class CustomVjpLinearRules:
    """The linear map whose transpose is the user's backward function; nothing else is known of it."""

    def linearize(self, two, node, operands, tangents):
        raise TypeError("the tangent map of a custom_vjp function cannot be differentiated before it is transposed")

    def jvp(self, b, node, xs, tangents):
        raise TypeError("can't apply forward-mode differentiation (jvp) to a custom_vjp function.")

    def transpose(self, b, node, on, xs, cotangents):
        p = node.params
        n = p["num_residuals"]
        avals = [a for a in p["callee"].out_avals if is_inexact(a)]
        cts = [b.full(a, 0) if c is None else c for c, a in zip(cotangents, avals)]
        found = b.bind(OPS["call"], *xs[:n], *cts, callee=p["backward"].get())
        return [*[None] * n, *[c if o else None for c, o in zip(found, on[n:])]]

    def batch(self, b, node, size, xs, on, axis_name):
        p = node.params
        backward, callee = p["backward"], p["callee"]

        def batched() -> Any:
            f = backward.get()
            return batch_function(f, (True,) * len(f.in_avals), size, axis_name, (True,) * len(f.out_avals))[0]

        every = (True,) * len(callee.in_avals)
        made, _ = batch_function(callee, every, size, axis_name, (True,) * len(callee.out_avals))
        values = _expand_all(b, size, xs, on)
        params = {"callee": made, "backward": Deferred(batched), "num_residuals": p["num_residuals"]}
        return b.bind(node.op, *values, **params), [True] * len(node.results)


@rules_for("host_call", "host_effect")
class HostRules:
    """Python functions called from a program: no derivatives; batched as their `vmap_method` says."""

    def linearize(self, two, node, operands, tangents):
        self._check(node)
        out = two.inner.bind(node.op, *[v.x for v in operands], **node.params)
        return [Known(y) for y in out], [None] * len(node.results)

    def jvp(self, b, node, xs, tangents):
        self._check(node)
        return b.bind(node.op, *xs, **node.params), [None] * len(node.results)

    def _check(self, node):
        if node.op.effects:
            return  # printing a value does not need its tangent
        raise ValueError(
            "Pure callbacks do not support JVP. Please use `jax.custom_jvp` to use callbacks while taking gradients.\n"
            f"  the callback is called at {node.location}"
        )

    def transpose(self, b, node, on, xs, cotangents):
        raise ValueError("Pure callbacks do not support transpose. Please use `jax.custom_vjp`.")

    def batch(self, b, node, size, xs, on, axis_name):
        if not any(on):
            out = b.bind(node.op, *xs, **node.params)
            return out, [False] * len(out)
        callback = node.params["callback"].batched(size, tuple(on), tuple(b.aval(x).shape for x in xs))
        out = b.bind(node.op, *xs, callback=callback)
        return out, [True] * len(out)


__all__ = ["CustomJvpRules", "CustomVjpLinearRules", "CustomVjpRules", "HostRules", "there"]
