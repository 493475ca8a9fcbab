"""`custom_linear_solve`: the solution of a linear equation by functions of the user's, and its derivatives as such."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import SYMBOLS
from sable.ir.function_rules import FunctionRules
from sable.ir.op import OPS, defop

from .functions import check_operands, function_of, need, returns, run, split, takes, there
from .rules import expand, floats, sample

_NAME = "sable.custom_linear_solve"
_NO_TRANSPOSE = "transpose_solve required for backwards mode automatic differentiation of custom_linear_solve"


def _parts(functions: Sequence[Any], operands: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What the functions close over, and the right-hand side."""
    closed, b = split(operands, len(operands) - len(functions[0].out_avals))
    return closed, b


class LinearSolveRules(FunctionRules):
    """A x = b with the functions (A, solve) or (A, solve, transpose of A, solve for that), all of what they close over and
    of a vector. Results of `solve` behind those of A have no derivatives.

    A dx = db - dA x, hence derivatives are solutions too, and their transposes those of the transposed equation.
    """

    def linearize(self, passes, two, node, xs, tangents):
        functions = node.params["functions"]
        out = two.inner.bind(node.op, *xs, **node.params)
        (closed, _), (moving, rhs) = _parts(functions, xs), _parts(functions, tangents)
        solution = out[: len(rhs)]
        if there(moving):
            made = passes.linearize_function(functions[0], (*[t is not None for t in moving], *[False] * len(rhs)))
            found = two.inner.bind(OPS["call"], *closed, *solution, callee=made.forward)
            residuals = [two.residual(r) for r in found[len(rhs) :]]
            dys = iter(two.linear.bind(OPS["call"], *there(moving), *residuals, callee=made.linear))
            rhs = _less(two.linear, rhs, [next(dys) if on else None for on in made.active])
        if not there(rhs):
            return out, [None] * len(out)
        rhs = [two.linear.full(two.inner.aval(x), 0) if t is None else t for x, t in zip(solution, rhs)]
        dx = two.linear.bind(node.op, *[two.residual(x) for x in closed], *rhs, **node.params)
        return out, [*dx[: len(rhs)], *[None] * (len(out) - len(rhs))]

    def jvp(self, passes, b, node, xs, tangents):
        functions = node.params["functions"]
        out = b.bind(node.op, *xs, **node.params)
        (closed, _), (moving, rhs) = _parts(functions, xs), _parts(functions, tangents)
        solution = out[: len(rhs)]
        if there(moving):
            made, active = passes.jvp_function(functions[0], (*[t is not None for t in moving], *[False] * len(rhs)))
            dys = iter(b.bind(OPS["call"], *closed, *solution, *there(moving), callee=made)[len(rhs) :])
            rhs = _less(b, rhs, [next(dys) if on else None for on in active])
        if not there(rhs):
            return out, [None] * len(out)
        rhs = [b.full(b.aval(x), 0) if t is None else t for x, t in zip(solution, rhs)]
        dx = b.bind(node.op, *closed, *rhs, **node.params)
        return out, [*dx[: len(rhs)], *[None] * (len(out) - len(rhs))]

    def transpose(self, passes, b, node, on, xs, cotangents):
        functions = node.params["functions"]
        if len(functions) == 2:
            raise TypeError(_NO_TRANSPOSE)
        (closed, _), (linear, _) = _parts(functions, xs), _parts(functions, on)
        if any(linear):
            raise NotImplementedError("custom_linear_solve is transposed with respect to the right-hand side alone")
        avals = functions[0].out_avals
        cts = [b.full(a, 0) if c is None else c for c, a in zip(cotangents, avals)]
        found = b.bind(node.op, *closed, *cts, functions=(*functions[2:], *functions[:2]))
        return [*[None] * len(closed), *found[: len(avals)]]

    def batch(self, passes, b, node, size, xs, on, axis_name):
        functions = node.params["functions"]
        (closed, rhs), (mapped, on_rhs) = _parts(functions, xs), _parts(functions, on)
        wide = (*mapped, *[True] * len(rhs))
        made = tuple(passes.batch_function(f, wide, size, axis_name, (True,) * len(f.out_avals))[0] for f in functions)
        rhs = [x if m else expand(b, x, size) for x, m in zip(rhs, on_rhs)]
        out = b.bind(node.op, *closed, *rhs, functions=made)
        return out, [True] * len(out)

    def lower(self, b, *operands, functions):
        return tuple(b.inline(functions[1], operands))

    def evaluate(self, core, op, values, params):
        return tuple(core.run(params["functions"][1], values))

    def verify(self, operands, functions):
        need(len(functions) in (2, 4), f"{_NAME}: expected 2 or 4 functions, got {len(functions)}")
        n = len(functions[0].out_avals)
        need(n <= len(operands), f"{_NAME}: {n} right-hand sides, but there are only {len(operands)} operands")
        types = functions[0].out_avals
        for k, f in enumerate(functions):
            takes(_NAME, f"function {k}", f, [*operands[: len(operands) - n], *types])
            if k % 2 == 0:
                returns(_NAME, f"function {k}", f, types)

    def samples(self):
        a = aval((3,), np.dtype(np.float64))
        scaled = function_of(lambda b, d, x: [b.multiply(d, _turned(b, x))], a, a, name="scaled")
        solve = function_of(lambda b, d, x: [_turned(b, b.divide(x, d)), b.full(a, 1.0)], a, a, name="solve")
        transposed = function_of(lambda b, d, x: [_turned(b, b.multiply(d, x))], a, a, name="transposed")
        solve_that = function_of(
            lambda b, d, x: [b.divide(_turned(b, x), d), b.full(a, 2.0)], a, a, name="solve_transposed"
        )
        d, x = np.array([2.0, -0.5, 1.5]), floats((3,), dtype=np.float64)
        return [sample(d, x, functions=(scaled, solve, transposed, solve_that))]


def _turned(b: Any, x: Any) -> Any:
    return b.reverse(x, dimensions=(0,))


def _less(b: Any, xs: Sequence[Any], ys: Sequence[Any]) -> list[Any]:
    """Differences, where None is zero."""
    return [x if y is None else b.negate(y) if x is None else b.subtract(x, y) for x, y in zip(xs, ys)]


def _type(*avals: Aval, functions: Any) -> tuple[Aval, ...]:
    check_operands("custom_linear_solve", functions[1].in_avals, avals)
    return tuple(functions[1].out_avals)


custom_linear_solve = defop(
    "custom_linear_solve",
    dialect="sable",
    operands=("*operands",),
    params={"functions": SYMBOLS},
    type=_type,
    ref=lambda *operands, functions: tuple(run(functions[1], operands)),
    functions=LinearSolveRules(),
    multiple_results=True,
)
