"""Where errors leave the library: frames of its own are taken out of their tracebacks, as `jax_traceback_filtering` says."""

from __future__ import annotations

import builtins
import functools
import sys
import traceback
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any

from sable._config import config
from sable.ir.location import is_internal

from .state import STATE

_NOTE = "For simplicity, frames inside of Sable are left out of this traceback; JAX_TRACEBACK_FILTERING=off shows them."

#: Code of the functions on the stack at which errors leave the library: the outermost of them filters.
_BOUNDARIES: set[CodeType] = set()


class UnfilteredStackTrace(Exception):
    """The cause of an error whose traceback was filtered; its own traceback, and its text, are the whole one."""


def boundary(function: Callable) -> Callable:
    """Decorator of functions that users call and that call users' functions."""

    @boundary_by_itself
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        location = STATE.location
        try:
            return function(*args, **kwargs)
        except Exception as error:
            STATE.location = location  # a walk over a function was broken off
            leave(error)
            raise

    return wrapper


def boundary_by_itself(function: Callable) -> Callable:
    """Decorator of boundaries that call `leave` themselves: where each call counts, a wrapper takes too long."""
    _BOUNDARIES.add(function.__code__)
    return function


def leave(error: Exception) -> None:
    """Filter the traceback of an error, in the boundary that asks, if no boundary around it will.

    The boundary raises the error anew without naming it, which adds no frame.
    """
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code in _BOUNDARIES:
            return
        frame = frame.f_back
    _filter(error)
    if sys.version_info < (3, 11):
        raise error  # a bare raise would bring the old traceback back


def _filter(error: Exception) -> None:
    """Take the frames of the library out of an error's traceback, or mark them, as the option says."""
    mode = config.jax_traceback_filtering
    if mode == "auto":
        mode = "tracebackhide" if _in_ipython() else "quiet_remove_frames"
    if mode == "off":
        return
    if mode == "tracebackhide":
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if is_internal(frame.f_code):
                frame.f_locals["__tracebackhide__"] = True
        return
    kept = _users(error.__traceback__)
    if mode == "remove_frames":
        whole = UnfilteredStackTrace("".join(traceback.format_exception(error)))
        whole.__traceback__, whole.__cause__ = error.__traceback__, error.__cause__
        error.__cause__ = whole
    if mode == "quiet_remove_frames" and _NOTE not in getattr(error, "__notes__", ()) and hasattr(error, "add_note"):
        error.add_note(_NOTE)
    error.__traceback__ = kept


def _users(whole: TracebackType | None) -> TracebackType | None:
    """The traceback without the library's frames; None where no other is left."""
    frames: list[tuple[FrameType, int, int]] = []
    while whole is not None:
        if not is_internal(whole.tb_frame.f_code):
            frames.append((whole.tb_frame, whole.tb_lasti, whole.tb_lineno))
        whole = whole.tb_next
    kept: TracebackType | None = None
    for frame, instruction, line in reversed(frames):
        kept = TracebackType(kept, frame, instruction, line)
    return kept


def _in_ipython() -> bool:
    return hasattr(builtins, "__IPYTHON__")


__all__ = ["UnfilteredStackTrace", "boundary", "boundary_by_itself", "leave"]
