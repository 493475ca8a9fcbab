"""Eager calls of functions that are made of several ops, without the ops' overhead.

When a function is called eagerly a second time with operands of the same abstract values and the same other arguments,
it is traced once and turned into straight Python code that calls the ops' NumPy meanings one after the other: no
checks, no type rules, no arrays in between.
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Array
from sable.core.state import STATE
from sable.core.trace import Trace, Tracer, tracing
from sable.core.watch import as_whole
from sable.dialects.ops.rules import elementwise
from sable.ir.aval import Aval
from sable.ir.function import Function, Node

#: plans of one function, and calls counted, at most
_SIZE = 2048
#: calls before a plan is made: tracing costs as much as some twenty calls
_CALLS = 3
#: programs longer than this gain little from it
_LENGTH = 64

#: elements of an array that is computed once and kept, at most
_KEPT = 65536

_PLAIN = frozenset((bool, int, float, complex, str, type(None), type(Ellipsis)))


class Unsuitable(Exception):
    """The function cannot be written as straight NumPy code."""


def _tolerant(node: Node) -> bool:
    """NumPy's meaning of the op broadcasts by itself."""
    return (node.op.batch is elementwise and node.op.name != "complex") or node.op.name in ("select", "clamp")


def _repeated(node: Node) -> bool:
    """The result repeats its operand as NumPy's broadcasting would, or is one repeated scalar."""
    if node.op.name == "constant":
        return node.params["value"].is_splat
    if node.op.name != "broadcast_in_dim":
        return False
    rank, dims = len(node.params["shape"]), node.params["broadcast_dimensions"]
    return dims == tuple(range(rank - len(dims), rank))


def _left_out(nodes: Sequence[Node], outputs: Sequence[Any]) -> set[int]:
    """Numbers of the broadcasts that may be left out: their users broadcast, by another operand of the full shape."""
    places = {v: i for i, node in enumerate(nodes) for v in node.results if _repeated(node)}
    kept = {places[v] for v in outputs if v in places}
    for node in nodes:
        used = [places[v] for v in node.operands if v in places]
        if used and not (_tolerant(node) and any(_whole(v, node, places) for v in node.operands)):
            kept.update(used)
    return set(places.values()) - kept


def _whole(v: Any, node: Node, places: dict) -> bool:
    return v not in places and list(v.type.shape) == list(node.results[0].type.shape)


def _foldable(node: Node) -> bool:
    """Small enough to be computed once and kept."""
    return not node.op.multiple_results and math.prod(node.results[0].type.shape) <= _KEPT


def numpy_code(function: Function, captures: Sequence[Any] = ()) -> Callable:
    """A function of NumPy arrays that does what a traced function says; a tuple of results.

    Raises:
      Unsuitable: it calls functions, has effects, or is long.
    """
    nodes = list(function.nodes())
    if len(nodes) > _LENGTH or any(n.op.functions or n.op.effects or n.op.collective for n in nodes):
        raise Unsuitable
    scope: dict[str, Any] = {}
    names: dict[Any, str] = {}
    count = len(function.arguments) - len(captures)
    for i, v in enumerate(function.arguments):
        names[v] = f"a{i}"
        if i >= count:
            scope[f"a{i}"] = captures[i - count]
    lines = []
    known: set[Any] = set()
    skipped = _left_out(nodes, function.outputs)
    for i, node in enumerate(nodes):
        if node.op.name == "constant":
            literal = node.params["value"]
            scope[f"v{i}"] = literal.data if i in skipped else literal.numpy()
            names[node.results[0]] = f"v{i}"
            known.add(node.results[0])
        elif i not in skipped and known.issuperset(node.operands) and _foldable(node):
            made = STATE.run(node.op.ref, *[scope[names[v]] for v in node.operands], **node.params)
            scope[f"v{i}"] = np.asarray(made)
            names[node.results[0]] = f"v{i}"
            known.add(node.results[0])
        elif i in skipped:
            names[node.results[0]] = names[node.operands[0]]
        else:
            scope[f"f{i}"] = functools.partial(node.op.ref, **node.params) if node.params else node.op.ref
            targets = [f"v{i}_{k}" for k in range(len(node.results))]
            names.update(zip(node.results, targets))
            left = f"({targets[0]},)" if node.op.multiple_results and len(targets) == 1 else ", ".join(targets)
            wrap = "" if node.op.multiple_results else "asarray"
            lines.append(f"    {left} = {wrap}(f{i}({', '.join(names[v] for v in node.operands)}))")
    scope["asarray"] = _as_array
    results = ", ".join(names[v] for v in function.outputs)
    arguments = ", ".join(f"a{i}" for i in range(count))
    source = "\n".join([f"def run({arguments}):", *lines, f"    return ({results},)"])
    exec(source, scope)  # made of op numbers only
    return scope["run"]


def _as_array(y: Any) -> np.ndarray:
    return y if type(y) is np.ndarray else np.asarray(y)


class Program:
    """A call turned into NumPy code: `run(*arrays)` gives a tuple of NumPy arrays, of abstract values `outs`."""

    __slots__ = ("many", "outs", "run")

    def __init__(self, run: Callable, outs: Sequence[Aval], many: type | None):
        self.run = run
        self.outs = tuple(outs)
        self.many = many


def program_of(call: Callable, avals: Sequence[Aval], name: str) -> Program:
    """Trace `call` on operands of those abstract values and turn it into NumPy code.

    Raises:
      Unsuitable: see `numpy_code`; or the result is no array nor a tuple or list of arrays.
    """
    trace = Trace(avals, True, name, "eager evaluation")
    arguments = list(trace.function.arguments)
    with tracing(trace):
        result = call(*[Tracer(a, v, trace) for a, v in zip(avals, arguments)])
        outs = list(result) if type(result) in (tuple, list) else [result]
        if not all(isinstance(x, (Array, Tracer)) for x in outs) or not outs:
            raise Unsuitable
        function = trace.finish(outs)
    if not all(type(x) is Array and x._device is None for x in trace.captures):
        raise Unsuitable
    run = numpy_code(function, [x.numpy() for x in trace.captures])  # type: ignore[attr-defined]
    return Program(run, [x.aval for x in outs], type(result) if type(result) in (tuple, list) else None)


class _Plans:
    """Programs of one function by the arguments' keys, and how often keys without a program have been seen."""

    __slots__ = ("lock", "programs", "seen")

    def __init__(self) -> None:
        self.programs: dict[Any, Program | None] = {}
        self.seen: dict[Any, int] = {}
        self.lock = threading.Lock()

    def renew(self) -> None:
        """Forget everything."""
        self.programs, self.seen = {}, {}


def _part(x: Any) -> Any:
    """What of an argument decides which program it takes: an abstract value, or the value itself."""
    kind = type(x)
    if kind is Array:
        return x.aval
    if kind in _PLAIN:
        return (kind, x) if x else (kind, repr(x))  # 0.0 == -0.0 == False
    if kind is tuple:
        return (kind, *map(_part, x))
    if kind is list:
        return (kind, *map(_part, x))
    hash(x)
    if isinstance(x, (np.generic, np.ndarray, Tracer)):
        raise TypeError
    return x


def _arrays(args: Sequence[Any], found: list) -> None:
    for x in args:
        kind = type(x)
        if kind is Array:
            if x._device is not None or x.committed:
                raise TypeError
            found.append(x)
        elif kind is list or kind is tuple:
            _arrays(x, found)


def fused(function: Callable) -> Callable:
    """Decorator: eager calls on arrays take the short way. The function has to be made of ops and to have no effects.

    Arrays may be among the positional arguments and in lists and tuples there; all else decides which program is used.
    """
    plans = _Plans()

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        settings = config.eager_key
        if STATE.staged is not None:
            return function(*args, **kwargs)
        if settings is None:
            return as_whole(function, args, kwargs)
        arrays: list[Array] = []
        try:
            key = (id(settings), *[x.aval if type(x) is Array else _part(x) for x in args])
            if kwargs:
                key = (key, *[(k, _part(x)) for k, x in kwargs.items()])
            _arrays(args, arrays)
            found = plans.programs.get(key, plans)
        except TypeError:  # tracers, NumPy arrays and other arguments that are no keys
            return function(*args, **kwargs)
        if found is plans:
            return _count(plans, key, function, args, kwargs, arrays)
        if found is None or not arrays:
            return function(*args, **kwargs)
        made = STATE.run(found.run, *[x.numpy() for x in arrays])  # type: ignore[union-attr]
        if found.many is None:  # type: ignore[union-attr]
            return Array(found.outs[0], made[0])  # type: ignore[union-attr]
        return found.many([Array(a, y) for a, y in zip(found.outs, made)])  # type: ignore[union-attr]

    return wrapper


def _count(plans: _Plans, key: Any, function: Callable, args: Any, kwargs: Any, arrays: list[Array]) -> Any:
    """A call for which there is no program yet."""
    made = function(*args, **kwargs)
    seen = plans.seen.get(key, 0) + 1
    if seen < _CALLS:
        if len(plans.seen) > _SIZE:
            plans.seen.clear()
        plans.seen[key] = seen
        return made
    with plans.lock:
        if len(plans.programs) > _SIZE:
            plans.renew()
        plans.seen.pop(key, None)
        plans.programs[key] = _try(function, args, kwargs, arrays)
    return made


def _try(function: Callable, args: Any, kwargs: Any, arrays: list[Array]) -> Program | None:
    if not arrays or _hold_arrays(kwargs):
        return None

    def call(*tracers: Any) -> Any:
        rest = iter(tracers)
        return function(*_replaced(args, rest), **kwargs)

    try:
        return program_of(call, [x.aval for x in arrays], function.__name__)
    except Exception:
        # the call itself went well: something in it looks at values, so it stays as it is
        return None


def _hold_arrays(kwargs: dict) -> bool:
    """Arrays given by keyword are not looked for: such calls go the general way."""
    found: list = []
    _arrays(list(kwargs.values()), found)
    return bool(found)


def _replaced(args: Any, tracers: Any) -> Any:
    return [
        next(tracers) if type(x) is Array else type(x)(_replaced(x, tracers)) if type(x) in (list, tuple) else x
        for x in args
    ]
