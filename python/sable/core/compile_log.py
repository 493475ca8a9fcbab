"""What is told about tracing and compiling: log lines with times, dumped programs, warnings about captured arrays."""

from __future__ import annotations

import logging
import os
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from sable import monitoring
from sable._config import config
from sable._config.logs import log_compiles_level
from sable._forks import new_lock
from sable.compiler import Keeping
from sable.ir.function import Function, Variable
from sable.passes.assemble import assemble
from sable.passes.verify import verify

from .array import Array

_LOG = logging.getLogger(__name__)
_FILE_NUMBERS = count()
_FILE_LOCK = new_lock()


@contextmanager
def timed(what: str, event: str, name: str) -> Iterator[None]:
    """Tell those who listen the seconds that the block took; log them where `jax_log_compiles` is on or level DEBUG is wanted.

    Args:
      what: is done, for the log.
      event: the last part of the event's name: `jaxpr_trace_duration`.
      name: of the function.
    """
    start = time.perf_counter()
    yield
    seconds = time.perf_counter() - start
    monitoring.record_event_duration_secs(f"/jax/core/compile/{event}", seconds, fun_name=name)
    level = log_compiles_level()
    if _LOG.isEnabledFor(level):
        _LOG.log(level, "%s in %.9f sec", what, seconds)


def log_compile(name: str, avals: Sequence[Any]) -> None:
    """Log that a program is going to be compiled, with the types of its arguments."""
    level = log_compiles_level()
    if _LOG.isEnabledFor(level):
        types = ", ".join(a.short() for a in avals)
        _LOG.log(level, "Compiling jit(%s) with global shapes and types (%s).", name, types)


def keeping() -> Keeping:
    """What the options say about the disk cache."""
    return Keeping(
        enabled=config.jax_enable_compilation_cache,
        directory=config.jax_compilation_cache_dir,
        limit=config.jax_compilation_cache_max_size,
        min_seconds=config.jax_persistent_cache_min_compile_time_secs,
        min_bytes=config.jax_persistent_cache_min_entry_size_bytes,
        strict=config.jax_raise_persistent_cache_errors,
    )


def dump(function: Function, module: Any) -> None:
    """Write a program that is going to be compiled to the folder `jax_dump_ir_to`, if there is one.

    Args:
      function: as it was traced and transformed.
      module: as it was lowered.
    """
    if not config.jax_dump_ir_to:
        return
    folder = Path(config.jax_dump_ir_to).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    with _FILE_LOCK:
        number = next(_FILE_NUMBERS)
    stem = f"jax_ir{number}_jit_{re.sub(r'[^A-Za-z0-9_.-]', '_', function.name)}_{os.getpid()}"
    modes = {word.strip() for word in config.jax_dump_ir_modes.split(",")}
    debug_info = config.jax_include_debug_info_in_dumps
    for mode, operation in (("stablehlo", module.operation), ("jaxpr", None)):
        if mode in modes:
            shown = operation if operation is not None else assemble(function).operation
            text = shown.get_asm(enable_debug_info=debug_info)
            (folder / f"{stem}_{mode}.mlir").write_text(text)


def check(function: Function, module: Any) -> None:
    """Verify a function, and the module that lowering made of it, where `jax_enable_checks` is on.

    Raises:
      PassError: what is wrong, and where.
    """
    if config.jax_enable_checks:
        verify(assemble(function))
        verify(module)


def warn_of_captures(name: str, captures: Sequence[Any], function: Function) -> None:
    """Warn where a function closes over arrays of more bytes than `jax_captured_constants_warn_bytes`."""
    limit = config.jax_captured_constants_warn_bytes
    arrays = [(x, v) for x, v in zip(captures, function.arguments[-len(captures) :]) if type(x) is Array]
    total = sum(x.nbytes for x, _ in arrays)
    if limit < 0 or total < limit:
        return
    frames = config.jax_captured_constants_report_frames
    message = (
        f"A large amount of constants was captured by {name} ({_size(total)} in all): arrays that it closes over. If this is "
        "intended, set jax_captured_constants_warn_bytes to -1, or pass them as arguments. "
    )
    if frames == 0:
        message += "jax_captured_constants_report_frames=-1 shows where they are used."
    else:
        for x, v in sorted(arrays, key=lambda pair: -pair[0].nbytes):
            places = _places(function, v) if frames < 0 else _places(function, v)[:frames]
            message += f"\n  {x.aval.short()}, {_size(x.nbytes)}, used at:" + "".join(f"\n    {p}" for p in places)
    warnings.warn(message, UserWarning, stacklevel=2)


_PLACE = re.compile(r'"((?:[^"\\]|\\.)+)":(\d+)')


def _places(function: Function, value: Variable) -> list[str]:
    """Where the first op that uses a value comes from, innermost first."""
    first = next((node for node in function.nodes() if value in node.operands), None)
    return [] if first is None else [f"{f}:{n}" for f, n in _PLACE.findall(str(first.location))]


def _size(n: int) -> str:
    for unit in ("B", "KB", "MB"):
        if n < 1000:
            return f"{n:.3g}{unit}"
        n /= 1000  # type: ignore[assignment]
    return f"{n:.3g}GB"


__all__ = ["check", "dump", "keeping", "log_compile", "timed", "warn_of_captures"]
