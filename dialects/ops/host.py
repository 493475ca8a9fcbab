"""Functions of the host that programs call: `host_call` for results; `host_effect` and `io_call`, never removed, for effects."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.callback import Callback
from sable.ir.codec import HOST
from sable.ir.function_rules import FunctionRules
from sable.ir.op import Op, defop

from .functions import takes
from .rules import floats, sample


class HostRules(FunctionRules):
    """Python functions called from a program: no derivatives; batched as their `vmap_method` says."""

    forward = reverse = False
    kind = "Pure"
    advice = "Please use `jax.custom_jvp` to use callbacks while taking gradients."

    def linearize(self, passes, two, node, xs, tangents):
        self._check(node)
        return two.inner.bind(node.op, *xs, **node.params), [None] * len(node.results)

    def jvp(self, passes, b, node, xs, tangents):
        self._check(node)
        return b.bind(node.op, *xs, **node.params), [None] * len(node.results)

    def _check(self, node):
        raise ValueError(
            f"{self.kind} callbacks do not support JVP. {self.advice}\n  the callback is called at {node.location}"
        )

    def transpose(self, passes, b, node, on, xs, cotangents):
        raise ValueError(f"{self.kind} callbacks do not support transpose. Please use `jax.custom_vjp`.")

    def batch(self, passes, b, node, size, xs, on, axis_name):
        if not any(on):
            out = b.bind(node.op, *xs, **node.params)
            return out, [False] * len(out)
        callback = node.params["callback"].batched(size, tuple(on), tuple(b.aval(x).shape for x in xs))
        out = b.bind(node.op, *xs, callback=callback)
        return out, [True] * len(out)

    def lower(self, b, *operands, callback):
        return tuple(b.host(callback, operands).results)

    def evaluate(self, core, op, values, params):
        return core.run_on_host(params["callback"], values)

    def verify(self, operands, callback):
        takes("sable.host_call", "callback", callback, operands)

    def samples(self):
        a = aval((3,), np.dtype(np.float64))
        callback = Callback(lambda x, y: [np.sin(x) * y, x + 1], [a, a], [a, a], "sine_times")
        return [sample(floats((3,), dtype=np.float64), floats((3,), dtype=np.float64, seed=1), callback=callback)]


class HostEffectRules(HostRules):
    """For the effect alone: there are no results, and hence no derivative that could be wrong."""

    forward = reverse = True

    def _check(self, node):
        """Printing a value does not need its tangent."""

    def verify(self, operands, callback):
        takes("sable.host_effect", "callback", callback, operands)

    def samples(self):
        a = aval((3,), np.dtype(np.float64))
        return [sample(floats((3,), dtype=np.float64), callback=Callback(lambda x: [], [a], [], "look"))]


class IoRules(HostRules):
    """For results and for the effect: a call for each example, none left out."""

    kind = "IO"

    def verify(self, operands, callback):
        takes("sable.io_call", "callback", callback, operands)

    def samples(self):
        a = aval((3,), np.dtype(np.float64))
        callback = Callback(lambda x: [np.cos(x)], [a], [a], "cosine")
        return [sample(floats((3,), dtype=np.float64), callback=callback)]


def _host_type(*avals: Aval, callback: Any) -> tuple[Aval, ...]:
    return tuple(callback.out_avals)


def _row(name: str, primitive: str, rules: HostRules, effects: bool) -> Op:
    return defop(
        name,
        primitive=primitive,
        dialect="sable",
        operands=("*operands",),
        params={"callback": HOST},
        type=_host_type,
        ref=lambda *operands, callback: tuple(callback(*operands)),
        functions=rules,
        multiple_results=True,
        effects=effects,
    )


host_call = _row("host_call", "pure_callback", HostRules(), effects=False)
host_effect = _row("host_effect", "debug_callback", HostEffectRules(), effects=True)
io_call = _row("io_call", "io_callback", IoRules(), effects=True)
