"""What the current thread is doing: the traces that are open, the axes that have names."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np


class _State(threading.local):
    """Per-thread state.

    Attributes:
      depth: number of open traces.
      scope: the innermost open trace, staged or not, or None.
      staged: the innermost staged trace (`jit`, a body of control flow), or None.
      location: MLIR location to give to ops, in place of the user's frame, while a pass walks a function.
      axes: name -> size of the axes that `vmap(axis_name=)` has named.
      whole: the ops that run are parts of a library function, whose results are looked at (see `core.watch`).
      given: under a transfer guard the identities of what the user gave the library function that runs: its own constants
        are no transfers, as those of programs are none.
      used_keys: random keys that the function that is being traced has used up (see `core.key_reuse`), or None.
      axis_traces: name -> the trace in which one example along that axis is recorded.
      run: calls a function with NumPy's floating-point warnings off (a context of its own costs 60 ns, np.errstate 500).
    """

    depth: int = 0
    scope: Any = None
    staged: Any = None
    location: Any = None
    whole: bool = False
    given: frozenset[int] | None = None
    used_keys: list | None = None
    axes: dict[str, int]
    axis_traces: dict[str, Any]

    def __init__(self) -> None:
        self.axes = {}
        self.axis_traces = {}
        quiet = contextvars.Context()
        quiet.run(np.seterr, all="ignore")
        self.run = quiet.run

    def __reduce__(self) -> str:
        return "STATE"  # by name: wrapped functions that are pickled by value refer to it


STATE = _State()


@contextlib.contextmanager
def named_axes(axes: Iterable[tuple[Any, int]]) -> Iterator[None]:
    """Context in which axes have names and sizes, though nothing is mapped along them."""
    before = STATE.axes
    STATE.axes = {**before, **dict(axes)}
    try:
        yield
    finally:
        STATE.axes = before
