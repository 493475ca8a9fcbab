"""Where in the user's program an op comes from: the innermost frame outside of Sable, as an MLIR location."""

from __future__ import annotations

import functools
import os
import re
import sys
from types import CodeType, FrameType

from sable import _names
from sable._config import config
from sable.pytree import registry as pytree

from .bindings import CONTEXT, UNKNOWN, ir

#: Where frames are never the user's: Sable itself, and the decorators of the standard library.
_PACKAGES = ((), ("dialects",), ("passes",), ("tools",))  # in an editable installation they lie side by side
_INTERNAL_PREFIXES = (
    functools.__file__,
    *(f"{folder}{os.sep}" for parts in _PACKAGES for folder in _names.folders(*parts)),
)

_INTERNAL: dict[CodeType, bool] = {}

#: Bound of the memo: code objects made anew all the time (exec) must not pile up.
_MEMO_SIZE = 8192


def is_internal(code: CodeType) -> bool:
    """Whether a frame with that code is Sable's, or one of the standard library's decorators."""
    found = _INTERNAL.get(code)
    if found is None:
        if len(_INTERNAL) > _MEMO_SIZE:
            _INTERNAL.clear()
        found = _INTERNAL[code] = code.co_filename.startswith(_INTERNAL_PREFIXES)
    return found


def user_frame() -> FrameType | None:
    """The innermost frame that is not Sable's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_internal(frame.f_code):
        frame = frame.f_back
    return frame


@functools.lru_cache(_MEMO_SIZE)
def _line(file: str, line: int) -> ir.Location:
    return ir.Location.file(file, line, 0, context=CONTEXT)


def _plain_location() -> ir.Location | None:
    frame = user_frame()
    return None if frame is None else _line(frame.f_code.co_filename, frame.f_lineno)


if pytree.native:
    _plain_location = pytree.implementation.UserLocations(_INTERNAL_PREFIXES, _line)


def user_location() -> ir.Location:
    """MLIR location (file and line) of the user's code that is running."""
    pattern = config.jax_hlo_source_file_canonicalization_regex
    if pattern is None and not config.jax_include_full_tracebacks_in_locations:
        return _plain_location() or UNKNOWN
    frame = user_frame()
    return UNKNOWN if frame is None else _detailed_location(frame, pattern or "")


def _detailed_location(frame: FrameType, pattern: str) -> ir.Location:
    """The location of a frame, and of those that called it where the option asks for them.

    Args:
      pattern: what this regular expression matches is cut out of file names; '' for nothing.
    """
    limit = config.jax_traceback_in_locations_limit if config.jax_include_full_tracebacks_in_locations else 1
    found = []
    caller: FrameType | None = frame
    while caller is not None and (limit < 0 or len(found) < max(limit, 1)):
        if not is_internal(caller.f_code):
            name = caller.f_code.co_filename
            name = re.sub(pattern, "", name) if pattern else name
            found.append(ir.Location.file(name, caller.f_lineno, 0, context=CONTEXT))
        caller = caller.f_back
    return ir.Location.callsite(found[0], found[1:], context=CONTEXT) if len(found) > 1 else found[0]


def user_line() -> str:
    """`file.py:12 (function)` of the user's code that is running, for messages."""
    frame = user_frame()
    if frame is None:
        return "<unknown>"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_name})"
