"""The two levels of the cache, and what files may suffer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from sable.compiler import (
    CacheSettings,
    CompileOptions,
    Target,
    cache_clear,
    cache_info,
    compile_module,
    configure_cache,
)
from sable.compiler.cache import DiskCache, Entry, MemoryCache
from sable.compiler.target import host_identity

ONES = np.ones(4, np.float32)


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("v*/*/*"))


def forget_memory(directory: Path) -> None:
    configure_cache(CacheSettings(directory))


def test_levels(program, cache_directory):
    sources = [compile_module(program(1.0), Target()).source for _ in range(2)]
    forget_memory(cache_directory)
    sources += [compile_module(program(1.0), Target()).source for _ in range(2)]
    assert sources == ["compiled", "memory", "disk", "memory"]
    info = cache_info()
    assert (info.memory_entries, info.disk_entries, info.memory_hits, info.disk_hits) == (1, 1, 1, 1)
    assert info.directory == cache_directory and info.disk_bytes > info.memory_bytes > 0


def test_clear(program, cache_directory):
    compile_module(program(1.0), Target())
    cache_clear(disk=False)
    assert compile_module(program(1.0), Target()).source == "disk"
    cache_clear()
    assert (cache_info().memory_entries, cache_info().disk_entries, files(cache_directory)) == (0, 0, [])
    assert compile_module(program(1.0), Target()).source == "compiled"


def test_without_cache(program, cache_directory):
    options = CompileOptions(use_cache=False)
    assert [compile_module(program(1.0), Target(), options=options).source for _ in range(2)] == ["compiled"] * 2
    assert not files(cache_directory)


def test_key_depends_on_what_decides_the_code(program):
    options = [CompileOptions(), CompileOptions(distribute=False), CompileOptions(linking="embedded")]
    keys = {compile_module(program(1.0), Target(), options=option).key for option in options}
    keys.add(compile_module(program(1.0), Target(cpu="generic")).key)
    assert len(keys) == 4
    assert host_identity() in Target().identity()
    assert host_identity() not in Target(cpu="generic", triple="aarch64-unknown-linux-gnu").identity()


def test_fingerprint_stands_for_the_module(program):
    options = CompileOptions(fingerprint=b"the same")
    compile_module(program(1.0), Target(), options=options)
    with_comment = b"// a comment\n" + program(1.0)
    assert compile_module(with_comment, Target(), options=options).source == "memory"


def torn(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


def of_another_key(data: bytes) -> bytes:
    line, _, rest = data.partition(b"\n")
    return json.dumps(json.loads(line) | {"key": "0" * 64}).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "damage",
    [torn, flipped, of_another_key, lambda _: b"", lambda _: b"[1, 2]\nhello", lambda _: b"\xff\x00" * 100],
)
def test_damaged_file_is_compiled_anew(tmp_path, damage):
    cache = DiskCache(tmp_path, 1 << 20)
    key = "ab" * 32
    cache.put(key, Entry(b"code" * 100, "fast"))
    (path,) = files(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get(key) is None
    assert not path.exists()
    cache.put(key, Entry(b"code" * 100, "fast"))
    assert cache.get(key) == Entry(b"code" * 100, "fast")


def test_damaged_file_end_to_end(program, run, cache_directory):
    compile_module(program(1.0), Target())
    (path,) = files(cache_directory)
    path.write_bytes(torn(path.read_bytes()))
    forget_memory(cache_directory)
    compiled = compile_module(program(1.0), Target())
    assert compiled.source == "compiled"
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 2 * ONES)


def test_disk_bound_evicts_what_was_not_used(tmp_path):
    cache = DiskCache(tmp_path, 5000)
    for index in range(4):
        cache.put(f"{index:064d}", Entry(bytes(1000), "fast"))
        path = next(path for path in files(tmp_path) if f"{index:062d}" in path.name)
        os.utime(path, (time.time() - 100 + index,) * 2)
    assert cache.get(f"{0:064d}") is not None  # used now, so 1 is the oldest
    cache.put(f"{4:064d}", Entry(bytes(1000), "fast"))
    assert [cache.get(f"{index:064d}") is not None for index in range(5)] == [True, False, False, True, True]
    assert cache.usage()[1] <= 5000


def test_disk_bound_counts_other_processes_files(tmp_path):
    first, second = DiskCache(tmp_path, 20_000), DiskCache(tmp_path, 20_000)
    for index in range(200):
        (first if index % 2 else second).put(f"{index:064d}", Entry(bytes(1000), "fast"))
    first.put("f" * 64, Entry(bytes(1000), "fast"))
    assert cache_bytes(tmp_path) <= 2 * 20_000  # each measures the folder when its own count is full


def cache_bytes(directory: Path) -> int:
    return sum(path.stat().st_size for path in files(directory))


def test_too_large_for_the_bound_is_not_kept(tmp_path):
    cache = DiskCache(tmp_path, 1000)
    cache.put("a" * 64, Entry(bytes(2000), "fast"))
    assert not files(tmp_path)


def test_stale_temporary_files_go(tmp_path):
    cache = DiskCache(tmp_path, 1 << 20)
    folder = tmp_path / "v1" / "ab"
    folder.mkdir(parents=True)
    old, new = folder / ".writing-old", folder / ".writing-new"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    cache.put("ab" * 32, Entry(b"code", "fast"))
    assert not old.exists() and new.exists()


def test_memory_bound():
    cache = MemoryCache(3000)
    for name in "abc":
        cache.put(name, Entry(bytes(1000), "fast"))
    cache.get("a")
    cache.put("d", Entry(bytes(1000), "fast"))
    cache.put("huge", Entry(bytes(4000), "fast"))
    assert [cache.get(name) is not None for name in "abcd"] == [True, False, True, True]
    cache.put("a", Entry(bytes(500), "fast"))
    assert cache.usage() == (3, 2500)


def test_unwritable_folder_warns_once_and_works(program, run, tmp_path):
    (tmp_path / "file").touch()
    configure_cache(CacheSettings(tmp_path / "file" / "cache"))  # root may write anywhere but into a file
    with pytest.warns(RuntimeWarning, match="SABLE_CACHE_DIR"):
        compiled = compile_module(program(1.0), Target())
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 2 * ONES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_module(program(2.0), Target())


@pytest.mark.parametrize("value", ["", "off", " OFF "])
def test_environment_disables(monkeypatch, value):
    monkeypatch.setenv("SABLE_CACHE_DIR", value)
    assert CacheSettings.from_environment().directory is None


def test_environment(monkeypatch, tmp_path, program):
    monkeypatch.setenv("SABLE_CACHE_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SABLE_CACHE_SIZE", "123456")
    configure_cache(None)
    compile_module(program(1.0), Target())
    assert len(files(tmp_path / "elsewhere")) == 1
    assert CacheSettings.from_environment().disk_bytes == 123456
    monkeypatch.setenv("SABLE_CACHE_SIZE", "2 GB")
    with pytest.raises(ValueError, match="SABLE_CACHE_SIZE"):
        CacheSettings.from_environment()


def test_default_folder(monkeypatch):
    monkeypatch.delenv("SABLE_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert CacheSettings.from_environment().directory == Path("/home/somebody/.cache/sable")


WRITER = """
import sys
from pathlib import Path
from sable.compiler.cache import DiskCache, Entry
cache = DiskCache(Path(sys.argv[1]), 50_000)
payloads = {f"{i:064d}": bytes([i]) * 5000 for i in range(16)}
for turn in range(20):
    for key, payload in payloads.items():
        found = cache.get(key)
        assert found is None or found.vmfb == payload, key
        cache.put(key, Entry(payload, "fast"))
"""


def test_processes_share_the_folder(scripts, tmp_path):
    script = scripts(WRITER)
    writers = [
        subprocess.Popen([sys.executable, "-W", "error", script, tmp_path / "shared"], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for writer in writers:
        _, problems = writer.communicate(timeout=60)
        assert writer.returncode == 0, problems.decode()
    assert not list((tmp_path / "shared").glob("v*/*/.writing-*"))
