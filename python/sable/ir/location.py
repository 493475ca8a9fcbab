"""Where in the user's program an op comes from: the innermost frame outside of Sable, as an MLIR location."""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from pathlib import Path
from types import CodeType, FrameType

from .bindings import CONTEXT, UNKNOWN, ir

#: Where frames are never the user's: Sable itself, and the decorators of the standard library.
_folders = [functools.__file__]
for _name in ("sable", "sable.dialects", "sable.passes", "sable.tools"):
    # in an editable installation the packages lie in several folders, and search locations name the repository too
    _spec = importlib.util.find_spec(_name)
    _places = [Path(p).resolve() for p in (_spec.submodule_search_locations or ())] if _spec else []
    _folders += [str(p) + os.sep for p in _places if (p / "__init__.py").exists()]

_INTERNAL_PREFIXES = tuple(_folders)

_INTERNAL: dict[CodeType, bool] = {}
_LOCATIONS: dict[tuple[str, int], ir.Location] = {}

#: Bound of both memos: code objects made anew all the time (exec, lambdas in loops) must not pile up.
_MEMO_SIZE = 100_000


def _is_internal(code: CodeType) -> bool:
    found = _INTERNAL.get(code)
    if found is None:
        if len(_INTERNAL) > _MEMO_SIZE:
            _INTERNAL.clear()
        found = _INTERNAL[code] = code.co_filename.startswith(_INTERNAL_PREFIXES)
    return found


def user_frame() -> FrameType | None:
    """The innermost frame that is not Sable's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_internal(frame.f_code):
        frame = frame.f_back
    return frame


def user_location() -> ir.Location:
    """MLIR location (file and line) of the user's code that is running."""
    frame = user_frame()
    if frame is None:
        return UNKNOWN
    key = (frame.f_code.co_filename, frame.f_lineno)
    found = _LOCATIONS.get(key)
    if found is None:
        if len(_LOCATIONS) > _MEMO_SIZE:
            _LOCATIONS.clear()
        found = _LOCATIONS[key] = ir.Location.file(key[0], key[1], 0, context=CONTEXT)
    return found


def user_line() -> str:
    """`file.py:12 (function)` of the user's code that is running, for messages."""
    frame = user_frame()
    if frame is None:
        return "<unknown>"
    return f"{frame.f_code.co_filename}:{frame.f_lineno} ({frame.f_code.co_name})"
