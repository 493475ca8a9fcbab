"""Loading executables leaves no open files, temporary files or threads behind."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from sable.compiler import Target, compile_module
from sable.ir.aval import aval
from sable.runtime import Executable, ExecutionError, devices

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self")

LOADS = 300
TEXT = b"""
func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = stablehlo.add %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}"""
RESULTS = [aval((4,), np.dtype(np.float32))]


def count(folder):
    return len(os.listdir(folder))


@pytest.mark.parametrize("threaded", [False, True])
def test_loads_leave_nothing_behind(tmp_path, monkeypatch, threaded):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    cpu = devices("cpu")[0]
    vmfb = compile_module(TEXT, Target()).vmfb  # linked by the system's linker, as all programs are
    kept = Executable(vmfb, cpu, results=RESULTS, threaded=threaded)
    before = count("/proc/self/fd"), count("/proc/self/task"), count(tmp_path)
    for _ in range(LOADS):
        executable = Executable(vmfb, cpu, results=RESULTS, threaded=threaded)
    np.testing.assert_array_equal(executable.run(np.ones(4, np.float32))[0], np.full(4, 2, np.float32))
    assert (count("/proc/self/fd"), count("/proc/self/task"), count(tmp_path)) == before
    assert not list(tmp_path.glob("iree_*"))
    np.testing.assert_array_equal(kept.run(np.ones(4, np.float32))[0], np.full(4, 2, np.float32))


def test_empty_files_of_others_stay_open(tmp_path):
    path = tmp_path / "empty"
    with open(path, "wb") as file, tempfile.NamedTemporaryFile(prefix="iree_dylib_", dir=tmp_path) as ours:
        ours.write(b"not empty")
        ours.flush()
        Executable(compile_module(TEXT, Target()).vmfb, devices("cpu")[0], results=RESULTS)
        os.fstat(file.fileno()), os.fstat(ours.fileno())
        assert path.exists() and Path(ours.name).exists()


def test_a_load_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    cpu = devices("cpu")[0]
    cpu.hal()
    vmfb = bytearray(compile_module(TEXT, Target()).vmfb)
    start = vmfb.index(b"\x7fELF")
    vmfb[start : start + 4] = b"none"
    before = count("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(ExecutionError):
            Executable(bytes(vmfb), cpu, results=RESULTS)
    assert count("/proc/self/fd") == before and not list(tmp_path.glob("iree_dylib_*"))
