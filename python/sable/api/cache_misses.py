"""Why a call of a jitted function has to be traced: what `jax_explain_cache_misses` logs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sable._config import config
from sable._config.state import differences
from sable.core.extended import seen_avals
from sable.core.tracing import function_name, function_place
from sable.ir.aval import Aval
from sable.ir.location import user_line
from sable.pytree import arrays

from .jaxpr import type_text

_LOG = logging.getLogger(__name__)
#: Where functions were defined that have been explained.
_SEEN: set[str] = set()


class Key(NamedTuple):
    """By what a jitted function's traces are looked up.

    Attributes:
      tree: structure of the dynamic arguments.
      avals: types of their leaves.
      static: key of the static arguments; None where there are none.
      settings: `config.trace_key`.
      axes: names and sizes of the axes of the enclosing `vmap`s.
    """

    tree: Any
    avals: tuple[Aval, ...]
    static: tuple | None
    settings: tuple
    axes: tuple | None


def explain(fun: Callable, key: Key, known: Iterable[Key], names: Callable[[], Sequence[str]]) -> None:
    """Log why none of the known keys serves: at WARNING where the option is on, else at DEBUG.

    Args:
      names: gives a name for each leaf.
    """
    level = logging.WARNING if config.jax_explain_cache_misses else logging.DEBUG
    if not _LOG.isEnabledFor(level):
        return
    known = list(known)
    lines = [f"TRACING CACHE MISS at {user_line()}:"]
    if not known:
        place = function_place(fun)
        lines += ["  never seen function:", f"    {function_name(fun)} id={id(fun)} defined at {place}"]
        if place in _SEEN:
            lines += [
                "  but seen another function defined on the same line: one that is made anew for each call is traced anew"
            ]
    else:
        closest = max(reversed(known), key=lambda other: _likeness(key, other))
        lines += [f"  for {function_name(fun)} defined at {function_place(fun)}"]
        lines += ["  all previously seen cache keys differ. For the closest previous key:"]
        lines += [f"  {line}" for line in _differences(key, closest, names)]
    _SEEN.add(function_place(fun))
    _LOG.log(level, "\n".join(lines))


def _likeness(key: Key, other: Key) -> tuple[int, int]:
    """How many parts are equal, and how many types."""
    return sum(a == b for a, b in zip(key, other)), sum(a is b for a, b in zip(key.avals, other.avals))


def _differences(key: Key, other: Key, names: Callable[[], Sequence[str]]) -> list[str]:
    lines = []
    trees = arrays.seen(key.tree), arrays.seen(other.tree)
    types = seen_avals(key.tree, key.avals), seen_avals(other.tree, other.avals)
    if trees[0] != trees[1]:
        lines += ["different input pytree:", f"* now {trees[0]}", f"* and before {trees[1]}"]
    elif types[0] != types[1]:
        lines.append("different input types:")
        for name, now, before in zip(names(), *types):
            if now != before:
                lines.append(f"* at {name}, now {_type(now, before)} and before {_type(before, now)}")
        if any(now.weak_type != before.weak_type for now, before in zip(key.avals, other.avals)):
            lines.append("On weak types see https://docs.jax.dev/en/latest/type_promotion.html#weak-types")
    if key.static != other.static:
        lines += ["different static arguments:", f"* now {_static(key)} and before {_static(other)}"]
    if key.settings != other.settings:
        lines.append("Tracing context doesn't match, due to config or a context manager.")
        for name, now, before in differences(key.settings, other.settings):
            lines.append(f"* {name} differs: now {now} and before {before}")
    if key.axes != other.axes:
        lines.append(f"different axis names: now {dict(key.axes or ())} and before {dict(other.axes or ())}")
    return lines


def _type(a: Any, other: Any) -> str:
    return type_text(a) + (f"{{weak_type={a.weak_type}}}" if a.weak_type != other.weak_type else "")


def _static(key: Key) -> str:
    if key.static is None:
        return "none"
    _, positional, named, _ = key.static
    return ", ".join([f"argument {i} = {v!r}" for i, v in positional] + [f"{k}={v!r}" for k, v in named]) or "none"


__all__ = ["Key", "explain"]
