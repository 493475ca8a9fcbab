"""A module in, an executable out: caches, ladder, compile server and errors put together."""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from sable._config.logs import log_compiles_level
from sable._forks import in_child, new_lock
from sable._once import Once

from . import cache, client
from . import messages as diagnostics
from .errors import CompilationError, Failure
from .ladder import PROCESS_FLAGS, Rung, iree_version, ladder
from .options import CompileOptions
from .target import Target

#: Seconds for a compile, all rungs together. A GPT block's training step takes 10, a chain of 5,000 ops 7.
DEFAULT_TIMEOUT_SECONDS = 600.0
#: Share of the time that is left which a rung may use if others follow: enough for what is merely slow, while
#: a compiler that hangs on the first rung leaves time for the next.
_SHARE = 0.6
#: Stages in which settings make no difference.
_HOPELESS_STAGES = ("flags", "parse", "server", "internal")
#: Named, so that programs can listen to it.
_LOG = logging.getLogger("sable.compiler")

_DEFAULT_OPTIONS = CompileOptions()


@dataclass(frozen=True)
class Compiled:
    """An executable.

    Attributes:
      vmfb: the bytes of the module for IREE's runtime.
      source: where it came from: 'memory', 'disk' or 'compiled'.
      seconds: what it took to get it.
      rung: name of the settings it was compiled with.
      key: its key in the caches, equal for equal modules, options, targets and versions.
    """

    vmfb: bytes
    source: Literal["memory", "disk", "compiled"]
    seconds: float
    rung: str
    key: str


@dataclass(frozen=True)
class CacheInfo:
    """What the caches hold, and how often they served this process.

    Attributes:
      memory_entries, memory_bytes: modules kept in memory.
      disk_entries, disk_bytes: files of all processes.
      directory: folder of the files, or None.
      memory_hits, disk_hits, compiled: where the modules of this process came from.
    """

    memory_entries: int
    memory_bytes: int
    disk_entries: int
    disk_bytes: int
    directory: Path | None
    memory_hits: int
    disk_hits: int
    compiled: int


class _Caches:
    """Both levels, and the compiles under way."""

    def __init__(self, settings: cache.CacheSettings) -> None:
        self.settings = settings
        self.memory = cache.MemoryCache(settings.memory_bytes)
        self._disks: dict[tuple, cache.DiskCache] = {}
        self.disk = self.disk_for(cache.Keeping())
        self.under_way: Once[Compiled] = Once(lasting=(CompilationError,))
        self._lock = new_lock()
        self.counts = {"memory": 0, "disk": 0, "compiled": 0}

    def count(self, source: str) -> None:
        """One more module that came from there."""
        with self._lock:
            self.counts[source] += 1

    def disk_for(self, keeping: cache.Keeping) -> cache.DiskCache | None:
        """The files that a compile may use, None for none."""
        directory = self.settings.directory if keeping.directory is None else Path(keeping.directory).expanduser()
        if not keeping.enabled or directory is None or keeping.limit == 0:
            return None
        limit = keeping.limit if keeping.limit > 0 else self.settings.disk_bytes
        key = (directory, limit, keeping.strict)
        return self._disks.setdefault(key, cache.DiskCache(*key))

    def find(self, key: str, keeping: cache.Keeping) -> tuple[cache.Entry, Literal["memory", "disk"]] | None:
        """The entry of that key and the level that has it."""
        entry = self.memory.get(key)
        if entry is not None:
            return entry, "memory"
        disk = self.disk_for(keeping)
        entry = disk.get(key) if disk is not None else None
        if entry is None:
            return None
        self.memory.put(key, entry)
        return entry, "disk"

    def keep(self, key: str, entry: cache.Entry, seconds: float, keeping: cache.Keeping) -> None:
        """Put the entry, which took so long to compile, into both levels."""
        self.memory.put(key, entry)
        disk = self.disk_for(keeping)
        if disk is not None and seconds >= keeping.min_seconds and len(entry.vmfb) >= keeping.min_bytes:
            disk.put(key, entry)


_caches: _Caches | None = None
_configuration_lock = new_lock()


def configure_cache(settings: cache.CacheSettings | None = None) -> None:
    """Use these settings from now on; None reads them from the environment again. Memory starts empty."""
    global _caches
    with _configuration_lock:
        _caches = None if settings is None else _Caches(settings)


def cache_info() -> CacheInfo:
    """What the caches hold, and how often they served this process."""
    caches = _current_caches()
    disk = (0, 0) if caches.disk is None else caches.disk.usage()
    counts = caches.counts
    return CacheInfo(
        *caches.memory.usage(),
        *disk,
        caches.settings.directory,
        counts["memory"],
        counts["disk"],
        counts["compiled"],
    )


def cache_clear(*, memory: bool = True, disk: bool = True) -> None:
    """Empty the caches: this process's memory, and the files, which all processes of the user share."""
    caches = _current_caches()
    if memory:
        caches.memory.clear()
    if disk and caches.disk is not None:
        caches.disk.clear()


def compile_module(
    module: bytes,
    target: Target,
    *,
    timeout: float | None = None,
    options: CompileOptions = _DEFAULT_OPTIONS,
) -> Compiled:
    """Compile a module for a device, or take it from a cache.

    Threads may compile at a time, as many as there are processors; two that want the same module share one
    compile.

    Args:
      module: MLIR text (UTF-8) or bytecode.
      target: what to compile for.
      timeout: seconds, all rungs together, not counting the wait for other compiles; None takes
        SABLE_COMPILE_TIMEOUT, else 600.
      options: what is out of the ordinary.

    Returns:
      The executable.

    Raises:
      CompilationError: no rung compiled it, with the user's line where the compiler told it.
      ValueError: SABLE_COMPILE_TIMEOUT is no positive number, or `options.rungs` names no rung there is.

    >>> text = b"func.func public @main(%a: tensor<4xf32>) -> tensor<4xf32> { return %a : tensor<4xf32> }"
    >>> compile_module(text, Target()).vmfb[:2]
    b'PK'
    """
    seconds = _timeout(timeout)
    rungs = ladder(target, options)
    work = _Work(module, target, options, rungs, _key(module, target, options, rungs))
    if not options.use_cache or options.fault:
        return work.climb(seconds)
    return _cached(work, seconds)


def _cached(work: _Work, seconds: float) -> Compiled:
    """From a cache, else from another thread that compiles the same, else from the compiler."""
    began = time.perf_counter()
    caches = _current_caches()
    mine: list[Compiled] = []

    def find() -> Compiled | None:
        found = caches.find(work.key, work.options.keeping)
        if found is None:
            return None
        entry, source = found
        caches.count(source)
        mine.append(Compiled(entry.vmfb, source, time.perf_counter() - began, entry.rung, work.key))
        return mine[0]

    def make() -> Compiled:
        compiled = work.climb(seconds)
        caches.count("compiled")
        caches.keep(work.key, cache.Entry(compiled.vmfb, compiled.rung), compiled.seconds, work.options.keeping)
        mine.append(compiled)
        return compiled

    compiled = caches.under_way.get(work.key, find, make)
    if mine:
        return compiled
    return replace(compiled, source="memory", seconds=time.perf_counter() - began)


def _current_caches() -> _Caches:
    global _caches
    with _configuration_lock:
        if _caches is None:
            _caches = _Caches(cache.CacheSettings.from_environment())
        return _caches


def _timeout(seconds: float | None) -> float:
    if seconds is not None:
        return seconds
    text = os.environ.get("SABLE_COMPILE_TIMEOUT", str(DEFAULT_TIMEOUT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise ValueError(f"expected SABLE_COMPILE_TIMEOUT as a positive number of seconds, got {text!r}")
    return seconds


def _key(module: bytes, target: Target, options: CompileOptions, rungs: tuple[Rung, ...]) -> str:
    digest = hashlib.sha256()
    parts = [str(cache.FORMAT), iree_version(), target.identity(), options.source_name, *PROCESS_FLAGS]
    parts += [flag for rung in rungs for flag in (rung.name, *rung.settings)]
    if options.loops:
        parts += [options.loops, client.lowering_identity()]
    for part in parts:
        digest.update(part.encode() + b"\0")
    digest.update(module if options.fingerprint is None else options.fingerprint)
    return digest.hexdigest()


@dataclass(frozen=True)
class _Work:
    """A module, and all that decides what becomes of it."""

    module: bytes
    target: Target
    options: CompileOptions
    rungs: tuple[Rung, ...]
    key: str

    def climb(self, seconds: float) -> Compiled:
        """Try the rungs in order until one compiles, within so many seconds."""
        began = time.perf_counter()
        failures: list[Failure] = []
        for index, rung in enumerate(self.rungs):
            left = max(0.0, seconds - (time.perf_counter() - began))
            share = _SHARE if index + 1 < len(self.rungs) else 1.0
            outcome = self._attempt(rung, left * share, failures)
            if isinstance(outcome, bytes):
                return Compiled(outcome, "compiled", time.perf_counter() - began, rung.name, self.key)
            failures.append(outcome)
            self._log("The settings %r failed (%s): %s", rung.name, outcome.stage or outcome.kind, outcome.summary)
            if outcome.kind == "error" and outcome.stage in _HOPELESS_STAGES:
                break
        raise CompilationError(self._explain(failures))

    def _attempt(self, rung: Rung, seconds: float, before: Sequence[Failure]) -> bytes | Failure:
        """The executable by one rung, after those failures. The first goes without checks between the passes."""
        request = client.Request(
            self.module,
            rung.flags(),
            self.options.source_name,
            self._loops(rung, before),
            bool(before),
            self.options.fault_on(rung.name),
        )
        try:
            reply = client.compile_once(request, seconds)
        except client.ServerDied as died:
            text = str(died).strip()
            summary = "the compile server died twice" + (f": {text[-200:]}" if text else "")
            return Failure("crash", summary, diagnostics=text, rung=rung.name)
        if reply.refused:
            self._log("Not all loops of the program are kernels: %s", reply.refused)
        if reply.kind == "ok":
            return reply.vmfb
        if reply.kind == "timeout":
            return Failure("timeout", f"the compiler had not finished after {seconds:.3g} s", rung=rung.name)
        text = reply.diagnostics
        is_killed = reply.kind == "crash" and reply.code == -signal.SIGKILL
        return Failure(
            "crash" if reply.kind == "crash" else "error",
            diagnostics.summary(text, reply.kind, reply.stage, reply.code),
            diagnostics.op(text),
            diagnostics.location(text),
            text,
            "killed" if is_killed else reply.stage,
            rung.name,
        )

    def _loops(self, rung: Rung, before: Sequence[Failure]) -> tuple[str, ...]:
        """Platform and route of the lowering of loops, by that rung after those failures.

        The last of several rungs takes the route with fewer passes, and so does each after that lowering has failed.
        """
        if not self.options.loops:
            return ()
        is_last_resort = rung is self.rungs[-1] and len(self.rungs) > 1
        failed = any(failure.stage == "loops" for failure in before)
        return self.options.loops, "blocks" if is_last_resort or failed else "auto"

    def _log(self, message: str, *values: object) -> None:
        _LOG.log(log_compiles_level(), message + " (module %s)", *values, self.key[:16])

    def _explain(self, failures: list[Failure]) -> Failure:
        """The failure to report: the first that names a line of the user's, else the first."""
        told = next((failure for failure in failures if failure.location is not None), failures[0])
        tried = tuple(failure.rung for failure in failures)
        disk = _current_caches().disk_for(self.options.keeping) if self.options.use_cache else None
        kept = [] if disk is None else disk.keep_reproducer(self.key, self._reproducer(failures))
        return replace(told, tried=tried, target=str(self.target), reproducer=str(kept[0]) if kept else None)

    def _reproducer(self, failures: list[Failure]) -> dict[str, bytes]:
        """The module as it was, and beside it how to compile it and what came of that."""
        report = [
            f"== {failure.rung}: {failure.kind} {failure.stage}: {failure.summary}\n"
            f"{self._command(rung, failures[:index])}\n\n{failure.diagnostics}\n"
            for index, (rung, failure) in enumerate(zip(self.rungs, failures))
        ]
        printed = self.options.printed
        return {".mlir": self.module if printed is None else printed(self.module), ".txt": "\n".join(report).encode()}

    def _command(self, rung: Rung, before: Sequence[Failure]) -> str:
        """What does the same in a shell."""
        compile = f"iree-compile {shlex.join((*PROCESS_FLAGS, *rung.flags()))}"
        if not self.options.loops:
            return f"{compile} FILE"
        platform, route = self._loops(rung, before)
        return f"sable-opt --lower-loops='platform={platform} route={route}' FILE | {compile} -"


@in_child
def _renew_caches() -> None:
    """In a forked process: a thread may have been in the middle of changing them."""
    global _caches
    if _caches is not None:
        _caches = _Caches(_caches.settings)
