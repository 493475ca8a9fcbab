"""Which op of a function the compiler fails on, found by compiling its ops one by one: a crash names no line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sable import compiler
from sable.compiler import CompilationError
from sable.compiler.errors import Failure
from sable.ir.function import Function, Node
from sable.passes.diagnostics import place_of

from .preparation import op_function, prepare

#: Seconds for the search, and for one op of it.
_SEARCH_SECONDS = 20.0
_OP_SECONDS = 5.0


def with_culprit(failure: Failure, function: Function, target: Any) -> Failure:
    """The failure with the op and the user's line added, where the compiler did not name them and one op fails alone."""
    if failure.location is not None or failure.stage in ("flags", "server", "killed"):
        return failure
    found = _culprit(function, target, time.monotonic() + _SEARCH_SECONDS)
    if found is None:
        return replace(failure, program=function.name, program_location=_first_line(function))
    return replace(failure, program=function.name, op=found.op.name, location=_line(found))


def _culprit(function: Function, target: Any, deadline: float) -> Node | None:
    """The first node, the innermost of those in each other, that does not compile by itself."""
    tried = set()
    for node in _nodes(function):
        key = (node.op, tuple(v.aval for v in node.operands), *node.params.values())
        if key in tried or (node.op.traits.constant and not node.operands):
            continue
        tried.add(key)
        if time.monotonic() > deadline:
            return None
        if not _compiles(node, target):
            inner = (node.params[name] for name in node.op.functions)
            bodies = [
                f for x in inner for f in (x if isinstance(x, (tuple, list)) else (x,)) if isinstance(f, Function)
            ]
            return next((n for f in bodies if (n := _culprit(f, target, deadline)) is not None), node)
    return None


def _nodes(function: Function) -> Iterator[Node]:
    """The nodes of a function, those of the functions that it calls in the place of the calls."""
    for node in function.nodes():
        if node.op.rules is not None and node.op.rules.calls is not None:
            yield from _nodes(node.params[node.op.rules.calls])
        else:
            yield node


def _compiles(node: Node, target: Any) -> bool:
    """False where the compiler fails on the op for the op's own sake."""
    if node.op.calls_host:
        return True
    function = op_function(node.op, tuple(v.aval for v in node.operands), dict(node.params))
    prepared = prepare(function, target.platform)
    options = replace(prepared.options, use_cache=False, rungs=())
    try:
        compiler.compile_module(prepared.module, target, options=options, timeout=_OP_SECONDS)
    except CompilationError as error:
        # an op that was slow, or had no memory, may well be innocent
        return error.kind == "timeout" or error.failure.stage in ("server", "killed")
    return True


def _first_line(function: Function) -> tuple[str, int] | None:
    return next((line for node in _nodes(function) if (line := _line(node)) is not None), None)


def _line(node: Node) -> tuple[str, int] | None:
    place = place_of(node.location)
    return None if place is None else (place.file, place.line)


__all__ = ["with_culprit"]
