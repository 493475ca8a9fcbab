"""What the options of `Option.watched` ask of each op and call: look for NaN and infinities, or do not run at all.

A program is one kernel to its caller, so that only its results can be looked at. Where they have what is looked for,
the function behind it is interpreted op by op with the ops' reference meanings, into calls, branches and the bodies of
loops, until an op gives it: the error names that op and the user's line.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from sable import monitoring
from sable._config import config
from sable.ir.function import Function, Node
from sable.ir.location import user_location
from sable.ir.op import NumpyBuilder, Op, interpret
from sable.passes.diagnostics import place_of
from sable.tree_util import tree_leaves

from .array import Array, Value
from .loading import load
from .state import STATE

#: Events of time spans: a compiled program, an op of its own, a library function on arrays.
RUN, OP, LIBRARY = "/sable/run", "/sable/op", "/sable/library"
_LOG = logging.getLogger(__name__)
#: Kinds of dtypes that have NaN and infinities; 'V' is that of bfloat16 and the like.
_INEXACT = "fcV"


def call_program(function: Function, device: Any, values: Sequence[Array]) -> list[Array]:
    """Call a function compiled for a device, under the watch of the options that are on.

    Raises:
      RuntimeError: `jax_no_execution` is on.
      FloatingPointError: `jax_debug_nans` or `jax_debug_infs` is on and a result has what they look for.
    """
    if config.eager_key is not None:
        return load(function, device)(values)
    refuse_execution(function.name)
    loaded = load(function, device)
    with span(RUN, function.name):
        results = loaded(values)
    found = _first_bad(results)
    if found is not None:
        _LOG.warning(
            "Invalid %s value in a result of the compiled function %s: running it op by op.", found, function.name
        )
        interpret(_Checked(function), [x.numpy() for x in values], _NUMPY)
        raise FloatingPointError(
            f"invalid value ({found}) encountered in a result of {function.name}. Run op by op, no op of it gives one: it "
            "comes from an argument or a constant, or from rounding that differs in the compiled program."
        )
    return results


@contextmanager
def span(event: str, name: str) -> Iterator[None]:
    """Tell when the block begins and ends, where somebody observes (`config.observed`).

    Args:
      event: RUN, OP or LIBRARY.
      name: of what runs.
    """
    if not config.observed:
        yield
        return
    start = time.time()
    try:
        yield
    finally:
        monitoring.record_event_time_span(event, start, time.time(), fun_name=name)


def check_op(op: Op, values: Sequence[Array], params: dict, results: Sequence[Array]) -> None:
    """Look at the results of an op that was evaluated by itself.

    Raises:
      FloatingPointError: a result has what `jax_debug_nans` and `jax_debug_infs` look for.
    """
    if STATE.whole or op.traits.constant:
        return
    found = _first_bad(results)
    if found is None:
        return
    location = STATE.location or user_location()
    arrays = [x.numpy() for x in values]
    if op.functions:
        _checked(op, location).ref(*arrays, **_with_checks(op, params))
    raise _error(found, op, location)


def as_whole(function: Callable, args: Sequence[Any], kwargs: dict) -> Any:
    """Call a library function whose results are looked at, and not what it computes on the way.

    A function may well make a NaN that it does not select. Where a result has one, the function is called again, with
    each op looked at.
    """
    if STATE.given is None and config.jax_transfer_guard_host_to_device not in (None, "allow"):
        STATE.given = frozenset(map(id, tree_leaves((args, kwargs))))
        try:
            return as_whole(function, args, kwargs)
        finally:
            STATE.given = None
    if STATE.whole or not (config.jax_debug_nans or config.jax_debug_infs):
        with span(LIBRARY, function.__name__):
            return function(*args, **kwargs)
    STATE.whole = True
    try:
        results = function(*args, **kwargs)
    finally:
        STATE.whole = False
    if _first_bad([y for x in tree_leaves(results) if (y := _value(x)) is not None]) is not None:
        return function(*args, **kwargs)
    return results


def _value(x: Any) -> Array | None:
    """The values of a result, where they are known."""
    return x.known_array() if isinstance(x, Value) else None


def refuse_execution(name: str) -> None:
    """Raise RuntimeError where `jax_no_execution` is on."""
    if config.jax_no_execution:
        raise RuntimeError(f"tried to execute {name}, but the option jax_no_execution is set")


def _first_bad(results: Sequence[Array]) -> str | None:
    """'nan' or 'inf' where the options look for it and a result has it."""
    if not (config.jax_debug_nans or config.jax_debug_infs):
        return None
    for x in results:
        found = _bad(x.numpy())
        if found is not None:
            return found
    return None


def _bad(x: np.ndarray) -> str | None:
    if x.dtype.kind not in _INEXACT:
        return None
    if config.jax_debug_nans and np.isnan(x).any():
        return "nan"
    if config.jax_debug_infs and np.isinf(x).any():
        return "inf"
    return None


def _error(found: str, op: Op, location: Any) -> FloatingPointError:
    place = place_of(location)
    where = "" if place is None else f"\n  at {place.file}:{place.line}"
    return FloatingPointError(f"invalid value ({found}) encountered in {op.name}{where}")


# ---- op by op ------------------------------------------------------------------------------------------------

_NUMPY = NumpyBuilder()


class _Checked:
    """A function for `interpret` whose every op looks at its own results."""

    __slots__ = ("_nodes", "arguments", "in_avals", "name", "out_avals", "outputs")

    def __init__(self, function: Function):
        self.name = function.name
        self.arguments, self.outputs = function.arguments, function.outputs
        self.in_avals, self.out_avals = function.in_avals, function.out_avals
        self._nodes = [
            Node(_checked(n.op, n.location), n.operands, n.results, _with_checks(n.op, n.params), n.location)
            for n in function.nodes()
        ]

    def nodes(self) -> Iterator[Node]:
        """The operations in order."""
        return iter(self._nodes)


def _with_checks(op: Op, params: dict) -> dict:
    """The parameters with each function that the op names checked."""
    found = dict(params)
    for name in op.functions:
        value = params[name]
        if isinstance(value, (tuple, list)):
            found[name] = tuple(_Checked(f) if isinstance(f, Function) else f for f in value)
        elif isinstance(value, Function):
            found[name] = _Checked(value)
    return found


def _checked(op: Op, location: Any) -> Op:
    """The op with a reference meaning that looks at its results."""

    def ref(*xs: Any, **params: Any) -> Any:
        results = op.ref(*xs, **params)
        for x in results if op.multiple_results else (results,):
            found = _bad(np.asarray(x))
            if found is not None:
                raise _error(found, op, location)
        return results

    return replace(op, ref=ref)


__all__ = ["as_whole", "call_program", "check_op", "refuse_execution"]
