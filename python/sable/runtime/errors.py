"""Errors of the runtime."""

from __future__ import annotations


class ExecutionError(RuntimeError):
    """A compiled program could not be loaded, or failed while it ran.

    The message says which program and why; IREE's own status text is the `__cause__`.
    """
