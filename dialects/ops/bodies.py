"""What the ops whose bodies are functions of scalars share: bodies on whole arrays, rules by expansion, checks.

Such an op (`reduce`, `reduce_window`, `select_and_scatter`, `sort_by`) has an *expansion* into other ops in which the body
is applied to whole arrays. Derivatives are those of the expansion, and where IREE cannot do the op, it runs that.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from sable.ir.aval import Aval, aval
from sable.ir.function import Function
from sable.ir.function_rules import FunctionRules
from sable.ir.op import OPS

from .functions import function_of, listed, need, returns, takes
from .rules import expand


def on_arrays(passes: Any, b: Any, body: Function, operands: Sequence[Any]) -> list[Any]:
    """A function of scalars applied to every element of arrays of one shape."""
    call, shape = OPS["call"], b.aval(operands[0]).shape
    if not shape:
        return list(b.bind(call, *operands, callee=body))
    size = math.prod(shape)
    every = (True,) * len(operands)
    made, _ = passes.batch_function(body, every, size, None, (True,) * len(body.out_avals))
    flat = [b.reshape(x, shape=(size,)) for x in operands]
    return [b.reshape(y, shape=shape) for y in b.bind(call, *flat, callee=made)]


def combining(passes: Any, b: Any, body: Function) -> Callable[[Sequence[Any], Sequence[Any]], list[Any]]:
    """A body that combines scalars, on lists of arrays."""
    return lambda earlier, later: on_arrays(passes, b, body, [*earlier, *later])


def single_op(body: Function) -> str | None:
    """The op that a body of two arguments applies to them, in either order, and nothing else; None for others."""
    nodes = list(body.nodes())
    if len(nodes) != 1 or body.outputs != nodes[0].results or nodes[0].params:
        return None
    return nodes[0].op.name if nodes[0].operands in (body.arguments, body.arguments[::-1]) else None


class ExpandedRules(FunctionRules):
    """Rules of an op that has an expansion: derivatives are those of a call of it."""

    @abstractmethod
    def expand(self, passes: Any, b: Any, *operands: Any, **params: Any) -> Sequence[Any]:
        """The results by other ops."""

    @abstractmethod
    def batched(self, b: Any, node: Any, size: int, xs: Sequence[Any]) -> Sequence[Any] | None:
        """The op on whole batches where all of its arrays are mapped and none of its scalars."""

    def _as_call(self, passes: Any, node: Any, avals: Sequence[Aval]) -> Any:
        """The node as a call of the expansion."""
        memo = node.params[node.op.functions[0]].memo
        key = ("expansion", node.op, *[(a.shape, a.dtype) for a in avals], *node.params.values())
        if key not in memo:
            memo[key] = function_of(
                lambda b, *xs: self.expand(passes, b, *xs, **node.params),
                *[aval(a.shape, a.dtype) for a in avals],
                name=node.op.name,
            )
        return node._replace(op=OPS["call"], params={"callee": memo[key]})

    def linearize(self, passes, two, node, xs, tangents):
        call = self._as_call(passes, node, [two.inner.aval(x) for x in xs])
        return call.op.rules.linearize(passes, two, call, xs, tangents)

    def jvp(self, passes, b, node, xs, tangents):
        call = self._as_call(passes, node, [b.aval(x) for x in xs])
        return call.op.rules.jvp(passes, b, call, xs, tangents)

    def transpose(self, passes, b, node, on, xs, cotangents):
        call = self._as_call(passes, node, [v.aval for v in node.operands])
        return call.op.rules.transpose(passes, b, call, on, xs, cotangents)

    def batch(self, passes, b, node, size, xs, on, axis_name):
        if not any(on):
            out = b.bind(node.op, *xs, **node.params)
            return out, [False] * len(out)
        scalars = self.scalars(len(xs))
        if not any(on[i] for i in scalars):
            whole = [x if m or i in scalars else expand(b, x, size) for i, (x, m) in enumerate(zip(xs, on))]
            out = self.batched(b, node, size, whole)
            return out, [True] * len(out)
        shapes = [b.aval(x) for x in xs]
        single = [a.update(shape=a.shape[1:]) if m else a for a, m in zip(shapes, on)]
        call = self._as_call(passes, node, single)
        return call.op.rules.batch(passes, b, call, size, xs, on, axis_name)

    def scalars(self, count: int) -> Sequence[int]:
        """Which of so many operands are scalars: by default the second half, initial values."""
        return range(count // 2, count)

    def lower(self, b, *operands, **params):
        return b.with_regions(self.row(), operands, **params)

    @abstractmethod
    def row(self) -> Any:
        """The op with these rules."""

    def evaluate(self, core, op, values, params):
        return core.compiled(op, values, params)

    def verify(self, operands, **params):
        """The type rule says all there is to say."""


def arrays_and_inits(name: str, avals: Sequence[Aval]) -> tuple[list[Aval], list[Aval]]:
    """The operands: arrays of one shape, and as many scalars of their dtypes.

    Raises:
      TypeError: others.
    """
    n = len(avals) // 2
    arrays, inits = list(avals[:n]), list(avals[n:])
    if not n or len(avals) != 2 * n:
        raise TypeError(f"{name}: expected arrays and as many initial values, got ({listed(avals)})")
    if any(a.shape != arrays[0].shape for a in arrays):
        raise TypeError(f"{name}: expected arrays of one shape, got ({listed(arrays)})")
    if any(i.shape or i.dtype != a.dtype for a, i in zip(arrays, inits)):
        raise TypeError(
            f"{name}: expected initial values that are scalars of the arrays' dtypes, got ({listed(inits)})"
        )
    return arrays, inits


def check_body(name: str, role: str, body: Any, arrays: Sequence[Aval]) -> None:
    """A body combines two lots of scalars of the arrays' dtypes to one.

    Raises:
      ValueError: it takes or returns something else.
    """
    scalars = [aval((), a.dtype) for a in arrays]
    takes(name, role, body, [*scalars, *scalars])
    returns(name, role, body, scalars)


def check_predicate(name: str, role: str, body: Any, scalars: Sequence[Aval]) -> None:
    """A body that says yes or no of scalars.

    Raises:
      ValueError: it takes or returns something else.
    """
    takes(name, role, body, scalars)
    outs = body.out_avals
    one = len(outs) == 1 and outs[0].shape == () and outs[0].dtype.kind == "b"
    need(one, f"{name}: {role} {body.name} must return (bool[]), but returns ({listed(outs)})")


def spread_scalar(b: Any, x: Any, shape: Sequence[int]) -> Any:
    """A scalar as an array of that shape."""
    return b.broadcast_in_dim(x, shape=tuple(shape), broadcast_dimensions=()) if shape else x
