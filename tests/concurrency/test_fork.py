"""Processes that the user's process forks: each has devices, threads and a compile server of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sable._forks import in_child, new_lock
from sable.runtime.devices import Device

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

#: Seconds after which a process hangs; a loaded machine takes some ten.
PATIENCE = 120

START = f"""
import os, signal, sys, threading
import numpy as np
import sable as jax, sable.numpy as jnp
from sable.compiler import server_pid

def fork(work, leave=os._exit):
    child = os.fork()
    if child == 0:
        signal.alarm({PATIENCE})  # a hang ends as a signal
        work()
        leave(0)
    return os.waitpid(child, 0)[1]
"""

PROGRAMS = """
square = jax.jit(lambda x: x @ x)
wave = jax.jit(lambda x: jnp.sin(x) + 1)
x, t = jnp.ones((600, 600)), jnp.arange(5.)
y, z = square(x), wave(t)  # kept on their devices

def use():
    assert float(y[0, 0]) == 600 and z[0] == 1
    assert float(square(x)[0, 0]) == 600 and float(square(y)[1, 1]) == 600.**3
    np.testing.assert_allclose(wave(t), np.sin(np.arange(5.)) + 1, rtol=1e-6)
    assert (jax.grad(lambda v: (v**2).sum())(t) == 2 * t).all()
"""


def run(text: str, cache: Path, *arguments: str) -> str:
    environment = {**os.environ, "SABLE_CACHE_DIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, env=environment, timeout=2 * PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_calls_gradients_compiles_and_threaded_programs_work_in_forked_processes(tmp_path):
    text = """
    assert square.lower(x).compile() is not None
    threads = len(os.listdir("/proc/self/task"))
    server = server_pid()

    def compile():
        assert server_pid() is None
        scaled = jax.jit(jax.grad(lambda v: (v**3).sum() * SCALE))
        np.testing.assert_allclose(scaled(t), 3 * SCALE * np.arange(5.)**2, rtol=1e-6)
        assert server_pid() not in (None, server)

    def work():
        use()
        compile()
        assert len(os.listdir("/proc/self/task")) == threads - 1  # but the one that IREE's import makes

    SCALE = 0.75
    print(fork(work), fork(use, sys.exit), fork(lambda: fork(use) == 0 or os._exit(1)))
    use()
    assert server_pid() == server
    SCALE = 0.25
    assert float(jax.jit(lambda v: (v * SCALE).sum())(t)) == 2.5
    """
    lines = "\n".join(line.removeprefix("    ") for line in text.splitlines())
    assert run(START + PROGRAMS + lines, tmp_path).split() == ["0", "0", "0"]


def test_a_fork_while_other_threads_run_and_compile(tmp_path):
    text = """
stop = threading.Event()

def run():
    while not stop.is_set():
        square(x), wave(t)

def compile():
    while not stop.is_set():
        jax.jit(lambda v: v + 1)(t)

threads = [threading.Thread(target=work) for work in (run, compile)]
for thread in threads:
    thread.start()
print({fork(use) for _ in range(6)})
stop.set()
for thread in threads:
    thread.join()
"""
    assert run(START + PROGRAMS + text, tmp_path) == "{0}\n"


def test_a_fork_in_a_function_that_a_program_calls(tmp_path):
    text = """
def forked(v):
    global child
    child = os.fork()
    return np.asarray(v) + 1

function = jax.jit(lambda v: jax.pure_callback(forked, v, v) * 2)
assert (function(t) == 2 * (t + 1)).all()
use()
assert child == 0 or os.waitpid(child, 0)[1] == 0
"""
    run(START + PROGRAMS + text, tmp_path)


def test_devices_other_than_the_cpu_stay_with_the_process_that_opened_them():
    opened, untouched, cpu = Device("vulkan", 0, "a GPU"), Device("vulkan", 1, "a GPU"), Device("cpu", 0, "cpu")
    opened._opened["vulkan"] = object()
    for device in (opened, untouched, cpu):
        device.leave_to_parent()
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"VulkanDevice\(id=0\) was opened before os.fork"):
            opened.hal()
        opened.leave_to_parent()  # a fork of the fork
    assert not untouched._is_parents and cpu.hal() is not None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of Python 3.12 and newer: there are other threads
def test_locks_are_free_in_the_child():
    locks = [new_lock(), new_lock(reentrant=True)]
    repaired = []
    in_child(lambda: repaired.append(1))
    for lock in locks:
        lock.acquire()
    child = os.fork()
    if child == 0:
        os._exit(0 if repaired and all(lock.acquire(timeout=0) for lock in locks) else 1)
    assert os.waitpid(child, 0)[1] == 0 and not repaired
