"""Traces kept on the functions that they were traced from."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

#: The attribute of functions that holds their traces.
ENTRIES_NAME = "_sable_traces"


class _Entries:
    """The traces of one function, by static options and then by signature; an attribute of that function.

    Kept there, and not in a table of ours, since entries may refer back to the function: only so can the garbage
    collector free both. `functools.wraps` copies attributes to other functions, hence the owner.
    """

    __slots__ = ("by_options", "owner")

    def __init__(self, owner: Any = None):
        self.owner = weakref.ref(owner) if owner is not None else None
        self.by_options: dict[tuple, dict] = {}

    def __reduce__(self) -> Any:
        """Nothing: a function that is pickled by value (cloudpickle) is traced anew where it comes to."""
        return _Entries, ()


def shared_entries(fun: Callable, options: tuple) -> dict:
    """The entries of a function, so that transforming it again does not trace it again."""
    found = getattr(fun, "__dict__", {}).get(ENTRIES_NAME)
    if found is None or found.owner is None or found.owner() is not fun:
        try:
            found = _Entries(fun)
            fun.__dict__[ENTRIES_NAME] = found  # type: ignore[attr-defined]
        except (AttributeError, TypeError):  # bound methods, builtins
            return {}
    return found.by_options.setdefault(options, {})


def clear_entries() -> None:
    """Forget all traces."""
    for x in gc.get_objects():
        if type(x) is _Entries:
            x.by_options.clear()
