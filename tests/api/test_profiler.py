"""`jax.profiler`: spans of tracing, compiling and running in a file, and what memory arrays take."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable._config import config


def events(folder: Path) -> list[dict]:
    (file,) = folder.rglob("*.trace.json.gz")
    assert file.relative_to(folder).parts[:2] == ("plugins", "profile")
    return json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]


def test_a_trace_shows_what_ran(tmp_path: Path) -> None:
    def doubled(x):
        return jnp.sin(x) * 2.718  # a program of no other test, whose code would be there already

    jitted = jax.jit(doubled)
    x = jnp.ones(7)
    with jax.profiler.trace(tmp_path, create_perfetto_trace=True):
        with jax.profiler.StepTraceAnnotation("step", step_num=3):
            jitted(x)
            jitted(x)
        jax.profiler.annotate_function(jnp.exp, name="my exp")(x)
        thread = threading.Thread(target=lambda: jitted(x), name="another thread")
        thread.start()
        thread.join()
    found = events(tmp_path)
    spans = [(e["cat"], e["name"]) for e in found if e["ph"] == "X"]
    for kind in ("trace", "lower", "compile"):
        assert spans.count((kind, "doubled")) == 1
    assert spans.count(("run", "doubled")) == 3
    assert ("annotation", "my exp") in spans and ("library", "exp") in spans and ("op", "exponential") in spans
    by_name = {e["name"]: e for e in found if e["ph"] == "X"}
    step = by_name["step"]
    assert step["args"] == {"step_num": 3} and step["cat"] == "step"
    inside = [
        e for e in found if e["ph"] == "X" and step["ts"] <= e["ts"] and e["ts"] + e["dur"] <= step["ts"] + step["dur"]
    ]
    assert [e["cat"] for e in inside if e["name"] == "doubled"] == ["trace", "lower", "compile", "run", "run"]
    assert "another thread" in [e["args"]["name"] for e in found if e["ph"] == "M"]
    assert len(list(tmp_path.rglob("perfetto_trace.json.gz"))) == 1
    assert config.eager_key is not None  # nothing is watched any more


def test_traces_begin_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No profile started"):
        jax.profiler.stop_trace()
    with jax.profiler.trace(tmp_path), pytest.raises(RuntimeError, match="already been started"):
        jax.profiler.start_trace(tmp_path)
    with pytest.raises(NotImplementedError, match=r"ui\.perfetto\.dev"):
        jax.profiler.start_trace(tmp_path, create_perfetto_link=True)
    assert events(tmp_path) == []


def test_errors_end_spans(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), jax.profiler.trace(tmp_path), jax.profiler.TraceAnnotation("broken"):
        1 / 0  # noqa: B018
    assert [e["name"] for e in events(tmp_path) if e["ph"] == "X"] == ["broken"]


def fields(data: bytes) -> list[tuple[int, bytes | int]]:
    """The fields of a protocol buffer's message."""
    found: list[tuple[int, bytes | int]] = []

    def number() -> int:
        nonlocal place
        n = shift = 0
        while True:
            byte = data[place]
            place += 1
            n |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return n

    place = 0
    while place < len(data):
        field, kind = divmod(number(), 8)
        value: bytes | int = number()
        if kind == 2:
            assert isinstance(value, int)
            place, value = place + value, data[place : place + value]
        found.append((field, value))
    return found


def test_memory_of_arrays_is_a_profile(tmp_path: Path) -> None:
    kept = [jnp.asarray(np.zeros((3, 1234), np.float32)) + i for i in range(2)]
    jax.profiler.save_device_memory_profile(tmp_path / "memory.prof")
    message = fields(gzip.decompress((tmp_path / "memory.prof").read_bytes()))
    texts = [text.decode() for field, text in message if field == 6]
    assert texts[:5] == ["", "allocations", "count", "space", "bytes"]
    named = {dict(fields(f))[1]: texts[dict(fields(f))[2]] for field, f in message if field == 5}
    samples = {named[dict(fields(s))[1]]: [v for n, v in fields(s) if n == 2] for field, s in message if field == 2}
    (name,) = [n for n in samples if n.startswith("float32[3,1234]")]
    count, size = samples[name]
    assert count == len(kept) and size == len(kept) * 3 * 1234 * 4
