"""From MLIR to executables: bytes of a module in, bytes of an IREE module out, crash-safe, warm and cached.

The compiler lives in a process of its own (`client.py`, `_server.py`), tries settings from fast to safe
(`ladder.py`), and what it makes is kept in memory and on disk (`cache.py`). What talks to that process is imported when
first asked for: a session that compiles nothing does without.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .cache import CacheSettings, Keeping
from .errors import CompilationError, Failure
from .ladder import Rung, ladder
from .options import CompileOptions
from .target import Target

if TYPE_CHECKING:
    from .client import prestart, server_pid, shutdown
    from .service import CacheInfo, Compiled, cache_clear, cache_info, compile_module, configure_cache

_LATER = {
    **dict.fromkeys(("prestart", "server_pid", "shutdown"), "client"),
    **dict.fromkeys(
        ("CacheInfo", "Compiled", "cache_clear", "cache_info", "compile_module", "configure_cache"), "service"
    ),
}


def __getattr__(name: str) -> Any:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


__all__ = [
    "CacheInfo",
    "CacheSettings",
    "CompilationError",
    "CompileOptions",
    "Compiled",
    "Failure",
    "Keeping",
    "Rung",
    "Target",
    "cache_clear",
    "cache_info",
    "compile_module",
    "configure_cache",
    "ladder",
    "prestart",
    "server_pid",
    "shutdown",
]
