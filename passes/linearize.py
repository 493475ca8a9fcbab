"""linearize: values of a function now, its derivative as a linear function for later (DESIGN, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.ir.aval import Aval
from sable.ir.function import Function, FunctionBuilder, Node
from sable.ir.op import Builder, Linear, Op, interpret

from .transforms import TRANSFORMS, transform


class Known:
    """Marks a value that does not depend on tangents, in a two-stage build. `x` is a value of the inner builder."""

    __slots__ = ("x",)

    def __init__(self, x: Any):
        self.x = x


class Linearized(NamedTuple):
    """Result of `linearize`.

    Attributes:
      outs: the function's results, values of the inner builder.
      linear: Function from the tangents of the active arguments, then the residuals, to those of the active results.
      residuals: values of the inner builder which the linear function needs.
      active: for every result whether it has a tangent.
    """

    outs: list[Any]
    linear: Function
    residuals: list[Any]
    active: list[bool]


class TwoStageBuilder(Builder):
    """Sends ops among known values to the inner builder, and whatever touches a tangent into a linear function.

    Args:
      inner: the builder of known values.
      linear: the function to be filled.
      keep: a policy `(op, *avals, **params) -> bool` for every known value that the linear function needs: whether it
        becomes a residual, or is computed again there from what does. None keeps all. The inner builder is then one
        of a function, which knows what made its values.
    """

    def __init__(self, inner: Any, linear: Function, keep: Callable[..., bool] | None = None):
        self.inner = inner
        self.runs_rules = inner.runs_rules
        self.keep = keep
        self.linear = FunctionBuilder(linear)
        self.residuals: list[Any] = []
        self._places: dict[Any, Any] = {}
        self._anew: dict[Any, tuple[Sequence[Any], Callable]] = {}
        self._alive: list[Any] = []  # a key of the inner builder is only good as long as its value lives

    @property
    def location(self) -> Any:
        return self.inner.location

    def at(self, location: Any) -> None:
        self.inner.at(location)
        self.linear.at(location)

    def to_linear(self, v: Any) -> Any:
        """A value of the linear function; a known value becomes a constant or a residual there, each once."""
        if type(v) is not Known:
            return v
        key = self.inner.key(v.x)
        if key not in self._places:
            if self.keep is None:
                return self.kept(v.x)
            self._place(v.x)
        return self._places[key]

    def _kept(self, x: Any) -> Any:
        literal = self.inner.literal_of(x)
        if literal is not None and literal.is_splat:
            return self.linear.constant(value=literal)
        self.residuals.append(x)
        return self.linear.function.add_argument(self.inner.aval(x))

    def _place(self, x: Any) -> None:
        """Give x a place in the linear function: what the policy does not keep, with what it is made of, is made anew."""
        location = self.linear.location
        todo = [x]
        while todo:
            x = todo[-1]
            if x in self._places:
                todo.pop()
                continue
            if x in self._anew:
                self.anew(*self._anew[x])
                continue
            node = self._made_anew(x)
            if node is None:
                self._places[x] = self._kept(x)
                continue
            missing = [v for v in node.operands if v not in self._places]
            todo += missing
            if not missing:
                self.linear.at(node.location)
                out = self.linear.bind(node.op, *[self._places[v] for v in node.operands], **node.params)
                self._places.update(zip(node.results, out if node.op.multiple_results else (out,)))
        self.linear.at(location)

    def _made_anew(self, x: Any) -> Node | None:
        """What makes x, where that is to be done again; what has no operands (constants) always is."""
        node = self.inner.producer(x)
        if node is None or node.op.effects:
            return None
        if not node.operands and not node.op.functions:
            return node
        assert self.keep is not None
        answer = self.keep(node.op, *[self.inner.aval(v) for v in node.operands], **node.params)
        if not isinstance(answer, (bool, np.bool_)):
            raise TypeError(
                f"the checkpoint policy {self.keep} returned {answer!r} for {node.op}: expected True (keep the value) or "
                "False (compute it again); values cannot be moved to another memory"
            )
        return None if answer else node

    def known(self, x: Any) -> Known:
        """A value of the inner builder as a value of this one."""
        return Known(x)

    def kept(self, x: Any) -> Any:
        """`residual`, of a value that is kept without asking the policy."""
        key = self.inner.key(x)
        if key not in self._places:
            self._places[key] = self._kept(x)
        return self._places[key]

    def anew(self, values: Sequence[Any], write: Callable[[], Sequence[Any]]) -> list[Any]:
        """Known values computed again in the linear function by `write() -> them, then others`; the others."""
        made = list(write())
        self._places.update(zip(values, made))
        return made[len(values) :]

    def anew_if_needed(self, values: Sequence[Any], write: Callable[[], Sequence[Any]]) -> None:
        """`anew`, when one of the values is first needed."""
        self._anew.update((v, (values, write)) for v in values)

    def residual(self, x: Any) -> Any:
        """The value of the linear function that stands for a value of the inner builder."""
        return self.to_linear(Known(x))

    def bind(self, op: Op, *values: Any, **params: Any) -> Any:
        for v in values:
            if type(v) is not Known:
                return self.linear.bind(op, *[self.to_linear(v) for v in values], **params)
        out = self.inner.bind(op, *[v.x for v in values], **params)
        return tuple([Known(y) for y in out]) if op.multiple_results else Known(out)

    def run_rule(self, rule: Any, values: Sequence[Any]) -> Sequence[Any]:
        if not (rule.immediate and self.runs_rules):
            return interpret(rule.get(), values, self)
        moving = [v for v in values if type(v) is not Known]
        function, captures = rule.partial([v.x if type(v) is Known else self.linear.aval(v) for v in values])
        self._alive += captures
        return interpret(function, [*moving, *[Known(x) for x in captures]], self)

    def full(self, aval: Aval, value: Any) -> Any:
        return Known(self.inner.full(aval, value))

    def literal(self, array: Any) -> Any:
        return Known(self.inner.literal(array))

    def aval(self, v: Any) -> Aval:
        return self.inner.aval(v.x) if type(v) is Known else self.linear.aval(v)


def add(b: Any, x: Any, y: Any) -> Any:
    """x + y where None is zero."""
    return y if x is None else x if y is None else b.add(x, y)


def add_all(b: Any, x: Any, y: Any) -> Any:
    """`add` of tangents of all results: tuples for ops with several."""
    if isinstance(x, tuple) and isinstance(y, tuple):
        return tuple(add(b, i, j) for i, j in zip(x, y))
    return add(b, x, y)


def tangent(b: Any, op: Op, tangents: Sequence[Any], y: Any, operands: Sequence[Any], params: dict) -> Any:
    """Tangent of an op's result (a tuple for several) from those of its operands; None where zero.

    Raises:
      NotImplementedError: the op has no rule for an operand with a tangent of floating-point results.
    """
    rules = op.jvp
    if rules is None:
        return None
    if callable(rules):
        return rules(b, list(tangents), y, *operands, **params)
    total = None
    joint = False
    last = len(op.operands) - 1
    for i, t in enumerate(tangents):
        rule = rules.get(op.operands[min(i, last)]) if t is not None else None
        if rule is None:
            continue
        if not isinstance(rule, Linear):
            part = rule(b, t, y, *operands, **params)
        elif rule.jointly:
            joint = True
            continue
        elif rule.rule is not None:
            part = rule.rule(b, t, y, *operands, **params)
        else:
            part = b.bind(op, *operands[:i], t, *operands[i + 1 :], **params)
        total = add_all(b, total, part)
    if joint:
        total = add_all(b, total, _joint(b, op, rules, tangents, operands, params))
    return total


def _joint(b: Any, op: Op, rules: Any, tangents: Sequence[Any], operands: Sequence[Any], params: dict) -> Any:
    """The op applied to the tangents of its jointly linear operands, zeros standing for those without."""
    values = []
    for i, (t, x) in enumerate(zip(tangents, operands)):
        rule = rules.get(op.operand_name(i))
        jointly = isinstance(rule, Linear) and rule.jointly
        values.append(x if not jointly else b.full(b.aval(x), 0) if t is None else t)
    return b.bind(op, *values, **params)


def linearize(
    function: Function,
    args: Sequence[Any],
    active: Sequence[bool],
    b: Any,
    known: dict | None = None,
    instantiate: Sequence[bool] | None = None,
    keep: Callable[..., bool] | None = None,
) -> Linearized:
    """Evaluate a function with builder b and record its derivative with respect to the active arguments.

    Args:
      function: a finished function.
      args: values of b, one for each argument.
      active: for each argument whether it has a tangent.
      b: the builder for everything that does not depend on tangents.
      known: variable -> Array, for results that are computed already (eager derivatives).
      instantiate: results which shall have a tangent even if it is zero.
      keep: which residuals are kept, see `TwoStageBuilder`.
    """
    linear = Function([a for a, on in zip(function.in_avals, active) if on], f"{function.name}_linear")
    two = TwoStageBuilder(b, linear, keep)
    outer = b.location
    env: dict[Any, Any] = {v: Known(x) for v, x in zip(function.arguments, args)}
    tangents = dict(zip([v for v, on in zip(function.arguments, active) if on], list(linear.arguments)))
    for node in function.nodes():
        two.at(node.location)
        operands = [env[v] for v in node.operands]
        ts = [tangents.get(v) for v in node.operands]
        if node.op.functions and any(t is not None for t in ts):
            outs, dys = node.op.rules.linearize(TRANSFORMS, two, node, [v.x for v in operands], ts)
            ys = [Known(y) for y in outs]
        else:
            ys = _primal(b, node, operands, known)
            dys = _tangents(two, node, ts, ys, operands)
        env.update(zip(node.results, ys))
        tangents.update((v, t) for v, t in zip(node.results, dys) if t is not None and type(t) is not Known)
    two.at(outer)
    dys = [tangents.get(v) for v in function.outputs]
    if instantiate is not None:
        zero = two.linear.full
        dys = [zero(a, 0) if t is None and on else t for t, on, a in zip(dys, instantiate, function.out_avals)]
    linear.finish([t for t in dys if t is not None])
    outs = [env[v].x for v in function.outputs]
    return Linearized(outs, linear, two.residuals, [t is not None for t in dys])


def _primal(b: Any, node: Node, operands: Sequence[Known], known: dict | None) -> list[Known]:
    xs = [v.x for v in operands]
    have = None if known is None else [known.get(r) for r in node.results]
    if have is not None and have and all(y is not None for y in have):
        out = b.bind_known(node.op, xs, node.params, have)
    else:
        out = b.bind(node.op, *xs, **node.params)
    return [Known(y) for y in (out if node.op.multiple_results else (out,))]


def _tangents(b: Any, node: Node, ts: Sequence[Any], ys: Sequence[Any], operands: Sequence[Any]) -> Sequence[Any]:
    if all(t is None for t in ts):
        return [None] * len(ys)
    many = node.op.multiple_results
    t = tangent(b, node.op, ts, tuple(ys) if many else ys[0], operands, node.params)
    if t is None:
        return [None] * len(ys)
    return t if many else [t]


class LinearizedFunction(NamedTuple):
    """`linearize_function`: forward computes results and then residuals; linear as in `Linearized`."""

    forward: Function
    linear: Function
    residuals: int
    active: list[bool]


@transform
def linearize_function(
    function: Function,
    active: tuple[bool, ...],
    instantiate: tuple[bool, ...] | None = None,
    keep: Callable[..., bool] | None = None,
) -> LinearizedFunction:
    """`linearize` with the function builder, memoised: for callees, loops and branches."""
    key = ("linearize", active, instantiate, keep)
    if key not in function.memo:
        forward = Function(function.in_avals, f"{function.name}_forward")
        b = FunctionBuilder(forward)
        made = linearize(function, forward.arguments, active, b, instantiate=instantiate, keep=keep)
        avals = [b.aval(r) for r in made.residuals]
        forward.finish([*made.outs, *made.residuals], [*function.out_avals, *avals])
        function.memo[key] = LinearizedFunction(forward, made.linear, len(made.residuals), made.active)
    return function.memo[key]
