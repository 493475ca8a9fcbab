"""Programs of eager calls: a library function, traced once for given abstract values, as a straight line of ops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.dtypes import python_scalar_dtype
from sable.core.evaluation import meaning_of
from sable.core.state import STATE
from sable.core.trace import Trace, Tracer, tracing
from sable.errors import JAXIndexError, JAXTypeError
from sable.ir.aval import Aval, aval, aval_of
from sable.ir.function import Function, Node
from sable.ir.op import Op
from sable.pytree import arrays
from sable.pytree.arrays import WRAPPERS

#: programs longer than this gain little
_LENGTH = 160
#: elements of an array that is computed once and kept, at most
_KEPT = 65536
#: Python scalars among the operands, at most (the native module has room for so many)
_SCALARS = 16

#: types of Python scalars that may stand for arrays
SCALAR_TYPES = frozenset((bool, int, float, complex))


class Unplannable(Exception):
    """A call cannot be written as a straight line of ops that holds for all values; the message says why."""


@dataclass(frozen=True)
class Step:
    """One op: numbers of the values that it takes and of those that it makes."""

    op: Op
    params: dict[str, Any]
    operands: tuple[int, ...]
    results: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A straight line of ops on numbered values.

    Attributes:
      leaves: abstract values of the call's arrays and scalars, which are the first values.
      is_scalar: for each leaf whether it is a Python scalar.
      avals: of all values.
      constants: number -> array of values that do not depend on the leaves.
      steps: in the order of computation.
      outputs: numbers of the results; `out_avals` are theirs (with weak types).
      build: what the results are put into: None (one array), `tuple`, `list`, a function of the list of arrays.
    """

    leaves: tuple[Aval, ...]
    is_scalar: tuple[bool, ...]
    avals: list[Aval]
    constants: dict[int, np.ndarray]
    steps: list[Step]
    outputs: tuple[int, ...]
    out_avals: tuple[Aval, ...]
    build: Any


def is_operand_scalar(x: Any) -> bool:
    """Whether an operand is a Python scalar on whose value a program does not depend: an int of 32 bits, a float ...

    Of an int it may depend on the sign: unsigned operands have range errors.
    """
    return type(x) in SCALAR_TYPES and (type(x) is not int or -(2**31) <= x < 2**31)


class Call:
    """A call taken apart: leaves are arrays (also in tuples, lists and wrappers) and scalars given for operands."""

    def __init__(self, function: Callable, args: Sequence[Any], kwargs: dict[str, Any], is_operand: Any):
        self.function, self.args, self.kwargs, self.is_operand = function, args, kwargs, is_operand

    def _parts(self) -> Iterator[tuple[Any, bool]]:
        for i, x in enumerate(self.args):
            yield x, self.is_operand(i)
        for name, x in self.kwargs.items():
            yield x, self.is_operand(name)

    def leaves(self) -> list[Any]:
        """Arrays and scalars, in order."""
        found: list[Any] = []
        for x, operand in self._parts():
            if operand and is_operand_scalar(x):
                found.append(x)
            else:
                _collect(x, found)
        return found

    def with_leaves(self, leaves: Sequence[Any]) -> Any:
        """Call the function with others in their places."""
        rest = iter(leaves)
        made = [next(rest) if operand and is_operand_scalar(x) else _replaced(x, rest) for x, operand in self._parts()]
        positional, named = made[: len(self.args)], made[len(self.args) :]
        return self.function(*positional, **dict(zip(self.kwargs, named)))


def _collect(x: Any, found: list) -> None:
    kind = type(x)
    if kind is Array:
        found.append(x)
    elif kind is list or kind is tuple:
        for y in x:
            _collect(y, found)
    elif kind in WRAPPERS:
        _collect(getattr(x, WRAPPERS[kind]), found)


def _replaced(x: Any, rest: Iterator) -> Any:
    kind = type(x)
    if kind is Array:
        return next(rest)
    if kind is list or kind is tuple:
        return kind([_replaced(y, rest) for y in x])
    if kind in WRAPPERS:
        return kind(_replaced(getattr(x, WRAPPERS[kind]), rest))
    return x


def _leaf_aval(x: Any) -> Aval:
    if type(x) is Array:
        return x.aval
    return aval((), python_scalar_dtype(type(x), x), type(x) is not bool)


class _PlanTrace(Trace):
    """A trace whose arguments stand for all arrays of their types."""

    __slots__ = ()

    def asked(self) -> None:
        raise Unplannable("it asks whether a value is known")


def program_of(call: Call, name: str) -> Program:
    """Trace a call and write it as a program.

    Raises:
      Unplannable: the function looks at values, has effects, calls functions, is long, or does not return arrays.
    """
    leaves = call.leaves()
    avals = [_leaf_aval(x) for x in leaves]
    if sum(type(x) is not Array for x in leaves) > _SCALARS:
        raise Unplannable(f"more than {_SCALARS} Python scalars")
    trace = _PlanTrace(avals, True, name, "eager evaluation")
    arguments = list(trace.function.arguments)
    with tracing(trace):
        try:
            result = call.with_leaves([Tracer(a, v, trace) for a, v in zip(avals, arguments)])
        except (JAXTypeError, JAXIndexError) as error:
            raise Unplannable(f"it looks at values: {type(error).__name__}") from error
        outs, build = _results(result)
        function = trace.finish(outs)
    if not all(type(x) is Array and x._device is None for x in trace.captures):
        raise Unplannable("it holds an array that is not on the default device")
    captures = [x.numpy() for x in trace.captures]  # type: ignore[attr-defined]
    steps, constants, numbers, all_avals = _straight(function, captures)
    return Program(
        leaves=tuple(avals),
        is_scalar=tuple(type(x) is not Array for x in leaves),
        avals=all_avals,
        constants=constants,
        steps=steps,
        outputs=tuple(numbers[v] for v in function.outputs),
        out_avals=tuple(x.aval for x in outs),
        build=build,
    )


def _results(result: Any) -> tuple[list[Value], Any]:
    if isinstance(result, Value):
        return [result], None
    if type(result) in (tuple, list) and result and all(isinstance(x, Value) for x in result):
        return list(result), type(result)
    leaves, tree = arrays.flatten(result)
    if not leaves or not all(isinstance(x, Value) for x in leaves):
        kinds = sorted({type(x).__name__ for x in leaves if not isinstance(x, Value)})
        raise Unplannable(f"it returns {', '.join(kinds) or 'nothing'} and not only arrays")
    return leaves, lambda made: tree.unflatten(made)


def _check(nodes: Sequence[Node]) -> None:
    if len(nodes) > _LENGTH:
        raise Unplannable(f"it is long: {len(nodes)} ops")
    for n in nodes:
        if n.op.functions:
            raise Unplannable(f"it calls functions: {n.op.name}")
        if n.op.effects or n.op.collective:
            raise Unplannable(f"it has effects: {n.op.name}")


def _straight(
    function: Function, captures: Sequence[np.ndarray]
) -> tuple[list[Step], dict[int, np.ndarray], dict[Any, int], list[Aval]]:
    """The ops of a function that depend on its arguments; the others are computed now, unless they are large."""
    nodes = list(function.nodes())
    _check(nodes)
    numbers = {v: i for i, v in enumerate(function.arguments)}
    avals = list(function.in_avals)
    constants = dict(enumerate(captures, len(avals) - len(captures)))
    steps: list[Step] = []
    for node in nodes:
        outs = _types(node)
        results = tuple(range(len(avals), len(avals) + len(outs)))
        operands = tuple(numbers[v] for v in node.operands)
        if node.op.eager is not None and node.op.eager.is_long([avals[k] for k in operands], node.params):
            raise Unplannable(f"a compiled program is quicker: {node.op.name}")
        numbers.update(zip(node.results, results))
        avals += outs
        step = Step(node.op, node.params, operands, results)
        if all(k in constants for k in operands) and all(math.prod(a.shape) <= _KEPT for a in outs):
            constants.update(zip(results, evaluated(step, [constants[k] for k in operands])))
        else:
            steps.append(step)
    return steps, constants, numbers, avals


def _types(node: Node) -> list[Aval]:
    return [v.aval for v in node.results]


def evaluated(step: Step, operands: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The results of a step, as an eager op has them."""
    made = STATE.run(meaning_of(step.op, [aval_of(x) for x in operands], step.params), *operands)
    return [y if type(y) is np.ndarray else np.asarray(y) for y in (made if step.op.multiple_results else (made,))]
