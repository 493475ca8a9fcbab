"""What a process that `os.fork` makes of ours must put right: it has the forking thread only, and shares open files.

Locks are made by `new_lock`; what else held on to other threads, to their processes or to devices registers a function.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_LOCKS: weakref.WeakSet = weakref.WeakSet()
_REPAIRS: list[Callable[[], None]] = []


def new_lock(reentrant: bool = False) -> Any:
    """A `threading.Lock` (or `RLock`) which in a forked process is free, whoever held it."""
    lock = threading.RLock() if reentrant else threading.Lock()
    _LOCKS.add(lock)
    return lock


def in_child(repair: Callable[[], None]) -> Callable[[], None]:
    """Have a function called in each forked process, after locks are free again, in the order of registration."""
    _REPAIRS.append(repair)
    return repair


def _after_fork() -> None:
    for lock in _LOCKS:
        lock._at_fork_reinit()
    for repair in _REPAIRS:
        repair()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
