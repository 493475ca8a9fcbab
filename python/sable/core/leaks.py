"""Traced values that outlive their trace: `jax_check_tracer_leaks`."""

from __future__ import annotations

import gc
from types import FrameType, FunctionType, ModuleType
from typing import Any

from sable.errors import UnexpectedTracerError

from .trace import Trace, Tracer

#: How many holders a message names for one tracer, and how far it goes from holder to holder.
_HOLDERS = 3
_DEPTH = 3


def check_leaks(trace: Trace) -> None:
    """Raise where somebody still holds a tracer of a finished trace.

    Raises:
      UnexpectedTracerError: names the function, the tracers and who holds them.
    """
    if not any(type(x) is Tracer for x in gc.get_referrers(trace)):
        return
    gc.collect()  # cycles hold nothing
    leaked = [x for x in gc.get_referrers(trace) if type(x) is Tracer]
    if not leaked:
        return
    lines = [
        f"Leaked trace: {len(leaked)} traced value(s) outlived the function {trace.name} at {trace.place}, traced for "
        f"{trace.kind}. Return values from the function instead of storing them."
    ]
    for tracer in leaked:
        lines.append(f"{tracer!r}")
        lines += [f"  is referred to by {text}" for text in _holders(tracer, [leaked, lines], _DEPTH)]
    raise UnexpectedTracerError("\n".join(lines))


def _holders(value: Any, ignored: list[Any], depth: int) -> list[str]:
    """Who holds a value, in words: a global's name, an attribute, an element of a list that ...

    No expression here makes a closure, which would be one more holder.
    """
    found = []
    referrers = gc.get_referrers(value)
    ignored = [*ignored, referrers, ignored]
    ours = set(map(id, ignored))
    for holder in referrers:
        if isinstance(holder, (FrameType, Trace)) or id(holder) in ours:
            continue
        text = _described(holder, value)
        further = (
            _holders(holder, ignored, depth - 1) if depth > 1 and not isinstance(holder, (ModuleType, Tracer)) else []
        )
        found.append(text + (f", which is referred to by {further[0]}" if further else ""))
        if len(found) == _HOLDERS:
            break
    return found


def _described(holder: Any, value: Any) -> str:
    if isinstance(holder, dict):
        name = "?"
        for key, item in list(holder.items()):
            if item is value:
                name = key
        if "__name__" in holder and "__loader__" in holder:
            return f"the global {holder['__name__']}.{name}"
        return f"a dict, at {name!r}"
    if isinstance(holder, (list, tuple)):
        places = [i for i, held in enumerate(map(id, holder)) if held == id(value)]
        return f"a {type(holder).__name__}, at {places or '?'}"
    if isinstance(holder, FunctionType):
        return f"the function {holder.__qualname__}"
    if type(holder).__name__ == "cell":
        return "a variable of a closure"
    return f"an object of type {type(holder).__name__}"


__all__ = ["check_leaks"]
