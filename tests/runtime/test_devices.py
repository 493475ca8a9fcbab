"""Devices: identity, names, errors, lazy start, self-tests."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest

from sable.runtime import Device, devices, register_self_test
from sable.runtime.devices import _SELF_TESTS


def test_cpu_is_the_default_and_always_the_same_object():
    [device] = devices()
    assert devices("cpu") == [device]
    assert (device.platform, device.id, device.device_kind, device.process_index) == ("cpu", 0, "cpu", 0)
    assert repr(device) == "CpuDevice(id=0)"
    assert str(device) == "cpu:0"
    assert devices() is not devices()


def test_copies_of_a_device_are_the_device(cpu):
    assert copy.deepcopy(cpu) is cpu
    assert copy.copy(cpu) is cpu
    assert pickle.loads(pickle.dumps(cpu)) is cpu


def test_unknown_platform():
    with pytest.raises(RuntimeError, match=r"Unknown backend abacus\. Available backends are"):
        devices("abacus")


def test_missing_driver_names_the_reason(monkeypatch):
    from sable.runtime import _iree
    from sable.runtime.devices import _DEVICES, _FAILURES

    def fails(driver):
        raise RuntimeError("no such library")

    monkeypatch.setattr(_iree, "driver_devices", fails)
    monkeypatch.delitem(_DEVICES, "cuda", raising=False)
    monkeypatch.setitem(_FAILURES, "cuda", "")
    with pytest.raises(RuntimeError, match=r"'cuda' requested.*Platforms present are: .*cuda: no such library"):
        devices("cuda")
    monkeypatch.delitem(_DEVICES, "cuda")


def test_the_inline_driver_starts_first_and_workers_only_on_request():
    code = """
import threading, numpy as np
from sable.runtime import devices, put
device = devices()[0]
assert device.memory_stats() == {}, device.memory_stats()
put(device, np.zeros(3, np.float32))
assert list(device.memory_stats()) == ["local-sync"]
device.hal(threaded=True)
assert sorted(device.memory_stats()) == ["local-sync", "local-task"]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_runtime_needs_no_compiler():
    code = """
import sys
class NoCompiler:
    def find_spec(self, name, path=None, target=None):
        if name == "iree.compiler" or name.startswith("iree.compiler."):
            raise ImportError(name)
sys.meta_path.insert(0, NoCompiler())
import sable.runtime
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_self_test_runs_once_before_first_use():
    calls = []
    outcomes = [RuntimeError("the device computes 1 + 1 = 3"), None]

    def check(device):
        calls.append(device)
        device.hal()  # a self-test uses its device
        outcome = outcomes.pop(0)
        if outcome is not None:
            raise outcome

    device = Device("cpu", 7, "cpu")
    register_self_test("cpu", check)
    try:
        with pytest.raises(RuntimeError, match="1 \\+ 1 = 3"):
            device.hal()
        device.hal()
        device.hal()
    finally:
        del _SELF_TESTS["cpu"]
    assert calls == [device, device]


def test_self_tests_are_for_known_platforms():
    with pytest.raises(ValueError, match="expected a platform"):
        register_self_test("abacus", print)
