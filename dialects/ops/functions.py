"""Pieces that the rows of ops which name functions share: activity, rearranged functions, checks, samples.

A function is a parameter: in MLIR a symbol (`body = @c0`), in rules a `Function`. So that passes transform functions,
and printing, parsing and symbol-dce work with the ops unregistered, none of these ops has a region.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import NumpyBuilder, interpret

_NUMPY = NumpyBuilder()


def run(function: Any, values: Sequence[Any]) -> list[np.ndarray]:
    """The reference meaning of a function."""
    return interpret(function, [np.asarray(v) for v in values], _NUMPY)


# ---- lists of values -----------------------------------------------------------------------------------------


def spread(values: Sequence[Any], on: Sequence[bool]) -> list[Any]:
    """Values put where `on` says, None elsewhere."""
    rest = iter(values)
    return [next(rest) if o else None for o in on]


def there(values: Sequence[Any]) -> list[Any]:
    """The values that are not None."""
    return [v for v in values if v is not None]


def present(values: Sequence[Any]) -> list[bool]:
    """Which values are not None."""
    return [v is not None for v in values]


def union(marks: Sequence[Sequence[bool]]) -> tuple[bool, ...]:
    """What any of them marks."""
    return tuple(any(m) for m in zip(*marks))


def split(values: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """Consecutive parts of the given sizes, and the rest."""
    parts, at = [], 0
    for n in sizes:
        parts.append(list(values[at : at + n]))
        at += n
    return [*parts, list(values[at:])]


def choose(b: Any, pred: Any, x: Any, y: Any) -> Any:
    """`select` with a predicate along axis 0."""
    shape = b.aval(x).shape
    if len(shape) > 1:
        pred = b.broadcast_in_dim(pred, shape=shape, broadcast_dimensions=(0,))
    return b.select(pred, x, y)


# ---- functions -----------------------------------------------------------------------------------------------


def function_of(rule: Callable[..., Sequence[Any]], *avals: Aval, name: str = "f") -> Function:
    """The function that `rule(b, *arguments) -> results` writes."""
    made = Function(avals, name)
    return made.finish(list(rule(FunctionBuilder(made), *made.arguments)))


def rearranged(function: Function, arguments: Sequence[int], outputs: Sequence[int]) -> Function:
    """A copy of a function whose arguments are `function`'s in another order, returning some outputs in some order."""
    key = ("rearranged", tuple(arguments), tuple(outputs))
    if key not in function.memo:
        made = Function([function.in_avals[i] for i in arguments], function.name)
        place = dict(zip(arguments, made.arguments))
        outs = interpret(function, [place[i] for i in range(len(function.in_avals))], FunctionBuilder(made))
        function.memo[key] = made.finish([outs[i] for i in outputs], [function.out_avals[i] for i in outputs])
    return function.memo[key]


def replayed(function: Function, given: Sequence[Any], outputs: Sequence[Any]) -> Function:
    """Some values of a function from its arguments and further arguments, which stand for the values `given`."""
    made = Function([*function.in_avals, *[v.aval for v in given]], function.name)
    env = dict(zip([*function.arguments, *given], made.arguments))
    nodes, todo, needed = list(function.nodes()), [v for v in outputs if v not in env], set()
    maker = {v: node for node in nodes for v in node.results}
    while todo:
        v = todo.pop()
        if v not in needed:
            needed.update(maker[v].results)
            todo += [x for x in maker[v].operands if x not in env]
    b = FunctionBuilder(made)
    for node in nodes:
        if any(v in needed for v in node.results):
            b.at(node.location)
            out = b.bind(node.op, *[env[v] for v in node.operands], **node.params)
            for v, y in zip(node.results, out if node.op.multiple_results else (out,)):
                env.setdefault(v, y)
    return made.finish([env[v] for v in outputs])


def invariant(function: Function, n: int) -> set[Any]:
    """The values that are made of the first n arguments alone, by ops without effects or functions."""
    found = set(function.arguments[:n])
    for node in function.nodes():
        if not (node.op.effects or node.op.functions) and all(v in found for v in node.operands):
            found.update(node.results)
    return found


# ---- checks --------------------------------------------------------------------------------------------------


def same_types(left: Sequence[Aval], right: Sequence[Aval]) -> bool:
    """Equal in number, shapes and dtypes."""
    return len(left) == len(right) and all(a.shape == b.shape and a.dtype == b.dtype for a, b in zip(left, right))


def listed(avals: Sequence[Aval]) -> str:
    """Abstract values for a message."""
    return ", ".join(a.short() for a in avals)


def check_operands(name: str, wanted: Sequence[Aval], given: Sequence[Aval]) -> None:
    """A callee's argument types must be those of the operands.

    Raises:
      TypeError: naming the op and both lists of types.
    """
    if not same_types(wanted, given):
        raise TypeError(f"{name}: the function takes ({listed(wanted)}) but is applied to ({listed(given)})")


def need(condition: bool, message: str) -> None:
    """Raises ValueError with the message where the condition does not hold."""
    if not condition:
        raise ValueError(message)


def takes(name: str, role: str, f: Any, wanted: Sequence[Aval]) -> None:
    """Raises ValueError where the function takes something else."""
    need(
        same_types(f.in_avals, wanted),
        f"{name}: {role} {f.name} must take ({listed(wanted)}), but takes ({listed(f.in_avals)})",
    )


def returns(name: str, role: str, f: Any, wanted: Sequence[Aval]) -> None:
    """Raises ValueError where the function returns something else."""
    need(
        same_types(f.out_avals, wanted),
        f"{name}: {role} {f.name} must return ({listed(wanted)}), but returns ({listed(f.out_avals)})",
    )


def counts(name: str, operands: Sequence[Aval], **numbers: int) -> None:
    """Raises ValueError where numbers of operands are negative or more than there are."""
    for what, n in numbers.items():
        need(n >= 0, f"{name}: {what} must not be negative, got {n}")
    total = sum(numbers.values())
    need(
        total <= len(operands),
        f"{name}: {' + '.join(numbers)} is {total}, but there are only {len(operands)} operands",
    )
