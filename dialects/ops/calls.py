"""`call`: a function applied to operands. The rules of all ops that mean a call of their function start here."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INT, STRING, SYMBOL
from sable.ir.form import OperationForm
from sable.ir.function import Function, FunctionBuilder, interpret
from sable.ir.function_rules import FunctionRules
from sable.ir.op import Op, defop

from .functions import check_operands, function_of, run, spread, there
from .rules import floats, sample


def call_type(*avals: Aval, callee: Any, **params: Any) -> tuple[Aval, ...]:
    """Type rule: the callee's results."""
    check_operands("call", callee.in_avals, avals)
    return tuple(callee.out_avals)


def call_ref(*operands: Any, callee: Any, **params: Any) -> tuple[np.ndarray, ...]:
    """Reference meaning: the callee's."""
    return tuple(run(callee, operands))


class CallRules(FunctionRules):
    """A call is transformed by calling the transformed callee, once for each pattern of activity.

    Parameters but `callee` are handed on to the transformed op as they are.
    """

    calls = "callee"

    def linearize(self, passes, two, node, xs, tangents):
        made = passes.linearize_function(node.params["callee"], tuple(t is not None for t in tangents))
        out = two.inner.bind(node.op, *xs, **{**node.params, "callee": made.forward})
        n = len(node.results)
        residuals = [two.residual(r) for r in out[n:]]
        dys = two.linear.bind(node.op, *there(tangents), *residuals, **{**node.params, "callee": made.linear})
        return out[:n], spread(dys, made.active)

    def jvp(self, passes, b, node, xs, tangents):
        made, active = passes.jvp_function(node.params["callee"], tuple(t is not None for t in tangents))
        out = b.bind(node.op, *xs, *there(tangents), **{**node.params, "callee": made})
        n = len(node.results)
        return out[:n], spread(out[n:], active)

    def transpose(self, passes, b, node, on, xs, cotangents):
        nonzero = tuple(c is not None for c in cotangents)
        made = passes.transpose_function(node.params["callee"], tuple(on), nonzero)
        known = [x for x, o in zip(xs, on) if not o]
        return spread(b.bind(node.op, *known, *there(cotangents), **{**node.params, "callee": made}), on)

    def batch(self, passes, b, node, size, xs, on, axis_name):
        made, marks = passes.batch_function(node.params["callee"], tuple(on), size, axis_name)
        return b.bind(node.op, *xs, **{**node.params, "callee": made}), marks

    def check(self, passes, b, node, xs, errors):
        made = passes.checked_function(node.params["callee"], errors.kinds, errors.enabled)
        if not made.codes:
            return b.bind(node.op, *xs, **node.params)
        return errors.take(made, b.bind(node.op, *errors.flat(), *xs, **{**node.params, "callee": made.function}))

    def jet(self, passes, b, node, xs):
        return passes.jet(node.params["callee"], xs, b)

    def lower(self, b, *operands, callee, **params):
        return tuple(b.inline(callee, operands))

    def evaluate(self, core, op, values, params):
        return tuple(core.run(params["callee"], values))

    def verify(self, operands, **params):
        """The type rule says all there is to say."""

    def samples(self):
        x, y = floats((2, 3), dtype=np.float64), floats((2, 3), dtype=np.float64, seed=1)
        product = function_of(lambda b, x, y: [b.multiply(b.sine(x), y), x], _MATRIX, _MATRIX, name="product")
        scaled = function_of(lambda b, x: [b.multiply(x, b.full(_MATRIX, 3.0))], _MATRIX, name="scaled")
        return [sample(x, y, callee=product), sample(x, callee=scaled)]


_MATRIX = aval((2, 3), np.dtype(np.float64))

call = defop(
    "call",
    primitive="jit",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL},
    type=call_type,
    ref=call_ref,
    functions=CallRules(),
    multiple_results=True,
    form=OperationForm("func.call", {"callee": SYMBOL}),
)


def checked_beside(passes: Any, b: Any, node: Any, xs: Any, errors: Any) -> Any:
    """`check` of a call with rules of its own: the checks stand in a second call, the function has none."""
    callee = node.params["callee"]
    made = passes.checked_function(callee, errors.kinds, errors.enabled)
    if not made.codes:
        return b.bind(node.op, *xs, **node.params)
    errors.take(made, b.bind(call, *errors.flat(), *xs, callee=made.function))
    plain = passes.checked_function(callee, (), frozenset()).function
    return b.bind(node.op, *xs, **{**node.params, "callee": plain})


class CompositeRules(CallRules):
    """A call of a function that stands for something with a name. Its derivatives are for the user to give."""

    forward = reverse = False

    def linearize(self, passes, two, node, xs, tangents):
        raise ValueError(_NOT_DIFFERENTIATED.format("JVP"))

    def jvp(self, passes, b, node, xs, tangents):
        raise ValueError(_NOT_DIFFERENTIATED.format("JVP"))

    def jet(self, passes, b, node, xs):
        return None

    def transpose(self, passes, b, node, on, xs, cotangents):
        raise ValueError(_NOT_DIFFERENTIATED.format("Transpose"))

    def samples(self):
        return [sample(*s.operands, name="my.op", version=1, **s.params) for s in super().samples()]


_NOT_DIFFERENTIATED = (
    "{} rule for composite not implemented. You can use `jax.custom_jvp` or `jax.custom_vjp` to add support."
)

composite = defop(
    "composite",
    dialect="sable",
    operands=("*operands",),
    params={"callee": SYMBOL, "name": STRING, "version": INT},
    type=call_type,
    ref=call_ref,
    functions=CompositeRules(),
    multiple_results=True,
)


#: Passes walk calls by recursion: a nest of n calls is made one of at most 32 log32(n).
_FLATTENED = 32


def shallow(function: Function) -> Function:
    """The function to be called for this one: itself, or with the calls below it inlined where they stand deep in each other.

    Every 32nd function of a nest has the 31 below inlined, every 1,024th has 1,023 inlined ...: what is made from the
    inside is copied once for each power.
    """
    depth, span = function.nesting, 1
    while depth and depth % (span * _FLATTENED) == 0:
        span *= _FLATTENED
    return inlined(function, depth - span + 1) if span > 1 else function


class _Inliner(FunctionBuilder):
    """Writes the bodies of plain calls in their places, of functions that are nested `deep` or more."""

    def __init__(self, function: Function, deep: int):
        super().__init__(function)
        self._deep = deep

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        if op is call and params["callee"].nesting >= self._deep:
            return tuple(interpret(params["callee"], operands, self))
        return super().bind(op, *operands, **params)


def inlined(function: Function, deep: int = 0) -> Function:
    """The function without plain calls (the policy of a checkpoint is asked about what is in them) of functions nested `deep`."""
    if all(node.op is not call or node.params["callee"].nesting < deep for node in function.nodes()):
        return function
    key = ("inlined", deep)
    if key not in function.memo:
        made = Function(function.in_avals, function.name)
        made.finish(interpret(function, made.arguments, _Inliner(made, deep)), function.out_avals)
        made.nesting = function.nesting
        function.memo[key] = made
    return function.memo[key]
