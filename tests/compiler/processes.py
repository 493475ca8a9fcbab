"""Looks at processes, for tests of the compile server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ONES = np.ones(4, np.float32)
#: Seconds after which something that takes milliseconds counts as not happening; a loaded machine takes seconds.
PATIENCE = 60.0


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def exists(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """The children of a process, dead ones that nobody has reaped included."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(word) for word in text.split()]
