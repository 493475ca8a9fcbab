"""`jax.profiler`: when functions are traced, lowered, compiled and run, as a file that browsers show; what memory arrays take.

While a trace is on, each op and call tells when it began and ended, so that short calls take longer than otherwise.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent, monitoring
from sable._config.state import observe
from sable._forks import new_lock
from sable.api.environment import live_arrays
from sable.core import watch

_absent.explain(__name__)

_MICROSECONDS = 1e6
#: What the events of `sable.monitoring` mean.
_KINDS = {
    "/jax/core/compile/jaxpr_trace_duration": "trace",
    "/jax/core/compile/jaxpr_to_mlir_module_duration": "lower",
    "/jax/core/compile/backend_compile_duration": "compile",
    watch.RUN: "run",
    watch.OP: "op",
    watch.LIBRARY: "library",
}


class _Session:
    """The trace that is being taken.

    Attributes:
      folder: where its file goes.
      events: of Chrome's trace-event format, as they came to their ends.
    """

    def __init__(self, folder: Path, perfetto: bool):
        self.folder, self.perfetto = folder, perfetto
        self.events: list[dict[str, Any]] = []
        self.threads: dict[int, str] = {}

    def add(self, name: str, kind: str, start: float, end: float, arguments: dict[str, Any]) -> None:
        """A span, in seconds."""
        thread = threading.current_thread()
        number = threading.get_native_id()
        self.threads[number] = thread.name
        event = {
            "name": name,
            "cat": kind,
            "ph": "X",
            "ts": start * _MICROSECONDS,
            "dur": (end - start) * _MICROSECONDS,
        }
        self.events.append({**event, "pid": os.getpid(), "tid": number, "args": arguments})

    def write(self) -> None:
        """The file, under JAX's name for it."""
        names = [
            {"name": "thread_name", "ph": "M", "pid": os.getpid(), "tid": n, "args": {"name": name}}
            for n, name in self.threads.items()
        ]
        text = json.dumps({"displayTimeUnit": "ms", "traceEvents": [*names, *self.events]}, default=str).encode()
        folder = self.folder / "plugins" / "profile" / time.strftime("%Y_%m_%d_%H_%M_%S")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{socket.gethostname()}.trace.json.gz").write_bytes(gzip.compress(text))
        if self.perfetto:
            (folder / "perfetto_trace.json.gz").write_bytes(gzip.compress(text))


_LOCK = new_lock()
_session: _Session | None = None
_listening = False


def _on_duration(event: str, duration: float, **arguments: Any) -> None:
    end = time.time()
    _on_span(event, end - duration, end, **arguments)


def _on_span(event: str, start: float, end: float, **arguments: Any) -> None:
    session, kind = _session, _KINDS.get(event)
    if session is not None and kind is not None:
        session.add(str(arguments.pop("fun_name", event)), kind, start, end, arguments)


def start_trace(
    log_dir: str | os.PathLike[str],
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: Any = None,
) -> None:
    """Begin to note when functions of all threads are traced, lowered, compiled and run, until `stop_trace`.

    Args:
      log_dir: the folder under which `plugins/profile/<time>/<host>.trace.json.gz` is written, in Chrome's trace-event format:
        https://ui.perfetto.dev and chrome://tracing open it.
      create_perfetto_link: must be False: nothing is served.
      create_perfetto_trace: write the same as `perfetto_trace.json.gz`, too.
      profiler_options: must be None: they are about XLA.

    Raises:
      RuntimeError: a trace has been started already.
      NotImplementedError: a link, or options.

    Source:
      Google, "Trace Event Format".

    Example:
      >>> import tempfile
      >>> folder = tempfile.mkdtemp()
      >>> jax.profiler.start_trace(folder)
      >>> _ = jax.jit(lambda x: x + 1)(1.0)
      >>> jax.profiler.stop_trace()
      >>> len(list(Path(folder).rglob("*.trace.json.gz")))
      1
    """
    global _session, _listening
    if create_perfetto_link or profiler_options is not None:
        raise NotImplementedError(
            "jax.profiler serves no links and has no options of XLA's profiler: open the file at https://ui.perfetto.dev"
        )
    with _LOCK:
        if _session is not None:
            raise RuntimeError("Profile has already been started. Only one profile may be run at a time.")
        if not _listening:
            monitoring.register_event_duration_secs_listener(_on_duration)
            monitoring.register_event_time_span_listener(_on_span)
            _listening = True
        _session = _Session(Path(log_dir), create_perfetto_trace)
    observe(True)


def stop_trace() -> None:
    """End the trace that `start_trace` has begun, and write its file.

    Raises:
      RuntimeError: there is none.

    Example:
      >>> jax.profiler.stop_trace()
      Traceback (most recent call last):
        ...
      RuntimeError: No profile started
    """
    global _session
    with _LOCK:
        session, _session = _session, None
    if session is None:
        raise RuntimeError("No profile started")
    observe(False)
    session.write()


@contextlib.contextmanager
def trace(
    log_dir: str | os.PathLike[str],
    create_perfetto_link: bool = False,
    create_perfetto_trace: bool = False,
    profiler_options: Any = None,
) -> Iterator[None]:
    """`start_trace` and `stop_trace` around a block.

    Args:
      log_dir, create_perfetto_link, create_perfetto_trace, profiler_options: as of `start_trace`.

    Example:
      >>> import tempfile
      >>> with jax.profiler.trace(tempfile.mkdtemp()):
      ...     y = jax.jit(lambda x: x + 1)(1.0)
    """
    start_trace(log_dir, create_perfetto_link, create_perfetto_trace, profiler_options)
    try:
        yield
    finally:
        stop_trace()


class TraceAnnotation(contextlib.ContextDecorator):
    """A block, or a function as its decorator, that stands in a trace by a name of its own.

    Args:
      name: of the span.
      kwargs: what else it shows.

    Example:
      >>> with jax.profiler.TraceAnnotation("prepare", size=3):
      ...     x = jnp.zeros(3)
    """

    _kind = "annotation"

    def __init__(self, name: str, **kwargs: Any):
        self._name, self._arguments = name, kwargs
        self._starts = threading.local()

    def __enter__(self) -> TraceAnnotation:
        self._starts.__dict__.setdefault("open", []).append(time.time())
        return self

    def __exit__(self, *exception: Any) -> None:
        start, session = self._starts.open.pop(), _session
        if session is not None:
            session.add(self._name, self._kind, start, time.time(), self._arguments)


class StepTraceAnnotation(TraceAnnotation):
    """A step of a training loop, for viewers that compare steps.

    Args:
      name: of the span.
      kwargs: what else it shows: `step_num`.

    Example:
      >>> for i in range(2):
      ...     with jax.profiler.StepTraceAnnotation("train", step_num=i):
      ...         x = jnp.zeros(3)
    """

    _kind = "step"


def annotate_function(func: Callable, name: str | None = None, **decorator_kwargs: Any) -> Callable:
    """The function with a `TraceAnnotation` around each call.

    Args:
      func: any function.
      name: of the spans; None: the function's.
      decorator_kwargs: what else they show.

    Example:
      >>> @jax.profiler.annotate_function
      ... def step(x):
      ...     return x + 1
      >>> step(1)
      2
    """

    @functools.wraps(func)
    def annotated(*args: Any, **kwargs: Any) -> Any:
        with TraceAnnotation(name or getattr(func, "__qualname__", repr(func)), **decorator_kwargs):
            return func(*args, **kwargs)

    return annotated


# ---- memory ------------------------------------------------------------------------------------------------------
# A profile of pprof's: messages of fields, each a number (kind 0) or bytes (kind 2).


def _varint(n: int) -> bytes:
    found = bytearray()
    while n >= 0x80:
        found.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes((*found, n))


def _number(field: int, n: int) -> bytes:
    return _varint(field << 3) + _varint(n)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _message(field: int, *parts: bytes) -> bytes:
    return _bytes(field, b"".join(parts))


def _profile(totals: Iterable[tuple[str, int, int]]) -> bytes:
    """A profile of (name, count, bytes)."""
    texts = ["", "allocations", "count", "space", "bytes"]
    parts = [_message(1, _number(1, 1), _number(2, 2)), _message(1, _number(1, 3), _number(2, 4))]
    for k, (name, count, size) in enumerate(totals, 1):
        texts.append(name)
        parts.append(_message(2, _number(1, k), _number(2, count), _number(2, size)))
        parts.append(_message(4, _number(1, k), _message(4, _number(1, k))))
        parts.append(_message(5, _number(1, k), _number(2, len(texts) - 1)))
    return b"".join([*parts, *(_bytes(6, text.encode()) for text in texts)])


def device_memory_profile(backend: str | None = None) -> bytes:
    """How many arrays of which types are alive, and what memory they take: a profile for `pprof`, compressed.

    Args:
      backend: the platform; None: all.

    Source:
      Google, pprof: profile.proto.

    Example:
      >>> len(jax.profiler.device_memory_profile()) > 0
      True
    """
    counts: dict[str, int] = collections.Counter()
    sizes: dict[str, int] = collections.Counter()
    for x in live_arrays(backend):
        name = f"{x.aval.short()} on {x.device}"
        counts[name] += 1
        sizes[name] += x.nbytes
    return gzip.compress(_profile((name, counts[name], sizes[name]) for name in sorted(counts)))


def save_device_memory_profile(filename: str | os.PathLike[str], backend: str | None = None) -> None:
    """Write `device_memory_profile` to a file.

    Args:
      filename: of the file; `pprof -top FILE` reads it.
      backend: as of `device_memory_profile`.

    Example:
      >>> import tempfile
      >>> jax.profiler.save_device_memory_profile(Path(tempfile.mkdtemp()) / "memory.prof")
    """
    Path(filename).write_bytes(device_memory_profile(backend))


__all__ = [
    "StepTraceAnnotation",
    "TraceAnnotation",
    "annotate_function",
    "device_memory_profile",
    "save_device_memory_profile",
    "start_trace",
    "stop_trace",
    "trace",
]
