"""`linear_call`: a linear function whose transpose the user gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INT, SYMBOLS
from sable.ir.function_rules import FunctionRules
from sable.ir.op import defop

from .functions import check_operands, counts, function_of, need, returns, run, split, takes, there
from .rules import expand, floats, sample

_NAME = "sable.linear_call"


class LinearCallRules(FunctionRules):
    """The functions (f, its transpose), each of the first operands, in which they need not be linear, and of the others."""

    def linearize(self, passes, two, node, xs, tangents):
        out = two.inner.bind(node.op, *xs, **node.params)
        n = node.params["num_residuals"]
        moving = self._moving(two.linear, [two.inner.aval(x) for x in xs], tangents, n)
        return out, two.linear.bind(node.op, *[two.residual(x) for x in xs[:n]], *moving, **node.params)

    def jvp(self, passes, b, node, xs, tangents):
        out = b.bind(node.op, *xs, **node.params)
        n = node.params["num_residuals"]
        moving = self._moving(b, [b.aval(x) for x in xs], tangents, n)
        return out, b.bind(node.op, *xs[:n], *moving, **node.params)

    def _moving(self, b: Any, avals: Any, tangents: Any, n: int) -> list[Any]:
        if there(tangents[:n]):
            raise NotImplementedError("linear_call has no derivative with respect to its residual arguments")
        return [b.full(a, 0) if t is None else t for a, t in zip(avals[n:], tangents[n:])]

    def transpose(self, passes, b, node, on, xs, cotangents):
        n, (forward, backward) = node.params["num_residuals"], node.params["functions"]
        if any(on[:n]):
            raise NotImplementedError("linear_call is not linear in its residual arguments")
        cts = [b.full(a, 0) if c is None else c for a, c in zip(forward.out_avals, cotangents)]
        found = b.bind(node.op, *xs[:n], *cts, functions=(backward, forward), num_residuals=n)
        return [*[None] * n, *found]

    def batch(self, passes, b, node, size, xs, on, axis_name):
        n = node.params["num_residuals"]
        made = []
        for f in node.params["functions"]:
            wide = (*on[:n], *[True] * (len(f.in_avals) - n))
            made.append(passes.batch_function(f, wide, size, axis_name, (True,) * len(f.out_avals))[0])
        linear = [x if m else expand(b, x, size) for x, m in zip(xs[n:], on[n:])]
        out = b.bind(node.op, *xs[:n], *linear, functions=tuple(made), num_residuals=n)
        return out, [True] * len(out)

    def lower(self, b, *operands, functions, num_residuals):
        return tuple(b.inline(functions[0], operands))

    def evaluate(self, core, op, values, params):
        return tuple(core.run(params["functions"][0], values))

    def verify(self, operands, functions, num_residuals):
        need(len(functions) == 2, f"{_NAME}: expected 2 functions, got {len(functions)}")
        counts(_NAME, operands, num_residuals=num_residuals)
        residuals, linear = split(operands, num_residuals)
        takes(_NAME, "the function", functions[0], operands)
        takes(_NAME, "the transpose", functions[1], [*residuals, *functions[0].out_avals])
        returns(_NAME, "the transpose", functions[1], linear)

    def samples(self):
        a = aval((3,), np.dtype(np.float64))
        double = function_of(lambda b, k, x: [b.add(b.multiply(b.convert(k, dtype=a.dtype), x), x)], _COUNT, a)
        x = floats((3,), dtype=np.float64)
        return [sample(np.int32([1, 2, 3]), x, functions=(double, double), num_residuals=1)]


_COUNT = aval((3,), np.dtype(np.int32))


def _type(*avals: Aval, functions: Any, num_residuals: int) -> tuple[Aval, ...]:
    check_operands("linear_call", functions[0].in_avals, avals)
    return tuple(functions[0].out_avals)


linear_call = defop(
    "linear_call",
    dialect="sable",
    operands=("*operands",),
    params={"functions": SYMBOLS, "num_residuals": INT},
    type=_type,
    ref=lambda *operands, functions, num_residuals: tuple(run(functions[0], operands)),
    functions=LinearCallRules(),
    multiple_results=True,
)
