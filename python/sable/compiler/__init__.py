"""From MLIR to executables: bytes of a module in, bytes of an IREE module out, crash-safe, warm and cached.

The compiler lives in a process of its own (`client.py`, `_server.py`), tries settings from fast to safe
(`ladder.py`), and what it makes is kept in memory and on disk (`cache.py`).
"""

from .cache import CacheSettings, Keeping
from .client import prestart, server_pid, shutdown
from .errors import CompilationError, Failure
from .ladder import Rung, ladder
from .options import CompileOptions
from .service import (
    CacheInfo,
    Compiled,
    cache_clear,
    cache_info,
    compile_module,
    configure_cache,
)
from .target import Target

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
