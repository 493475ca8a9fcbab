"""Derivative rules in Python: what they close over, how they are traced and run after the call that they belong to."""

from __future__ import annotations

import contextlib
import functools
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sable._config import config, managers
from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval
from sable.ir.function import Deferred, Function, FunctionBuilder, interpret
from sable.ir.location import user_line
from sable.pytree import arrays

from .array import Value
from .state import STATE
from .trace import Trace, Tracer
from .tracing import Traced, function_name, trace_flat


def closed_over(things: Sequence[Any]) -> list[Tracer]:
    """The tracers that functions close over, or that are leaves of other things; each once."""
    found: dict[int, Tracer] = {}
    seen: set[int] = set()
    todo = list(things)
    while todo:
        x = todo.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if type(x) is Tracer:
            if x.owner.live:
                found[id(x)] = x
        elif isinstance(x, functools.partial):
            todo += [x.func, *x.args, *x.keywords.values()]
        elif callable(x):
            todo += [c.cell_contents for c in getattr(x, "__closure__", None) or () if c != _EMPTY]
            todo += [getattr(x, name, None) for name in ("__func__", "__self__", "__wrapped__", "__defaults__")]
        elif not isinstance(x, Value):
            leaves = arrays.leaves(x)
            todo += [leaf for leaf in leaves if leaf is not x]
    return list(found.values())


#: A cell whose variable has no value yet.
_EMPTY = types.CellType()


class UserRule(Deferred):
    """A rule in Python: traced where a function is transformed, run at once where values are at hand.

    Whenever that is, the options on which traces depend are those of the call.

    Args:
      make: traces it, to a function of all that the op says a rule takes.
      run: the rule on values: a list of values.
    """

    __slots__ = ("_options", "_run", "fun")
    immediate = True

    def __init__(self, make: Callable[[], Function], run: Callable[[Sequence[Value]], list[Value]], fun: Callable):
        super().__init__(make, function_name(fun))
        self._run, self.fun, self._options = run, fun, config.trace_key

    def get(self) -> Function:
        """The function."""
        with managers.options_of(self._options):
            return super().get()

    def run(self, values: Sequence[Value]) -> list[Value]:
        """The rule on values."""
        with managers.options_of(self._options):
            return self._run(values)

    def partial(self, values: Sequence[Value | Aval]) -> tuple[Function, Sequence[Any]]:
        """The rule with some values given, as a function of those of which only the aval is, and of captures."""
        avals = [x for x in values if isinstance(x, Aval)]

        def call(tracers: list) -> list[Value]:
            rest = iter(tracers)
            return self.run([next(rest) if isinstance(x, Aval) else x for x in values])

        traced = trace_flat(call, avals, fun=self.fun, kind="custom rule", staged=False)
        return traced.function, traced.captures


def trace_rule(
    call: Callable, avals: Sequence[Aval], captures: Sequence[Value], fun: Callable, kind: str
) -> tuple[Traced, list[int]]:
    """Trace a rule, which may use the callee's captures although the traces that these belong to have ended.

    Returns:
      The traced rule, and the numbers of the captures that it uses in such a way.
    """
    ended = {id(x): i for i, x in enumerate(captures) if type(x) is Tracer and not x.owner.live}
    with _revived([captures[i].owner for i in ended.values()]):  # type: ignore[union-attr]
        traced = trace_flat(call, avals, fun=fun, kind=kind, staged=True)
    return traced, [ended[id(x)] for x in traced.captures if id(x) in ended]


@contextlib.contextmanager
def _revived(traces: Sequence[Trace]) -> Iterator[None]:
    """Context in which traces that have ended count as open, below the one that comes next."""
    depth = STATE.depth
    STATE.depth = max([depth, *[t.depth for t in traces]])
    for t in traces:
        t.live = True
    try:
        yield
    finally:
        STATE.depth = depth
        for t in traces:
            t.live = False


def with_captures(traced: Traced, captures: Sequence[Value], n: int) -> Function:
    """The traced rule taking the callee's captures behind its n own arguments, its own captures as constants of these.

    Raises:
      UnexpectedTracerError: the rule uses a tracer that was not found among what it closes over.
    """
    f = traced.function
    made = Function([*f.in_avals[:n], *[x.aval for x in captures]], f.name)
    place = {id(x): v for x, v in zip(captures, made.arguments[n:])}
    b = FunctionBuilder(made)
    args = [*made.arguments[:n], *captured(traced, place, b)]
    return made.finish(interpret(f, args, b), f.out_avals)


def captured(rule: Traced, place: dict[int, Any], b: FunctionBuilder) -> list[Any]:
    """What stands for the captures of a rule: the variable in `place` by id, a constant."""
    found = []
    for x in rule.captures:
        if id(x) in place:
            found.append(place[id(x)])
        elif isinstance(x, Tracer):
            raise UnexpectedTracerError(
                f"the derivative rule {rule.function.name} uses a traced value that is neither an argument nor a variable "
                f"that it closes over, at {user_line()}; pass it as an argument"
            )
        else:
            found.append(b.literal(x.numpy()))  # type: ignore[attr-defined]
    return found


__all__ = ["UserRule", "captured", "closed_over", "trace_rule", "with_captures"]
