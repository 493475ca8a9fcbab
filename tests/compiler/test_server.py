"""What may happen to the compiler, and must not happen to the user's process."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sable.compiler import (
    CompilationError,
    CompileOptions,
    Target,
    client,
    compile_module,
    prestart,
    server_pid,
)

from .processes import ONES, PATIENCE, children, eventually, exists

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no compile server without fork")


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("abort", "crash", "SIGABRT"),
        ("segfault", "crash", "SIGSEGV"),
        ("hang", "timeout", "had not finished"),
        ("fail", "error", "asked for by a test"),
    ],
)
def test_a_fault_is_an_error_and_the_next_compile_works(program, run, fault, kind, words):
    timeout = 0.5 if fault == "hang" else PATIENCE
    with pytest.raises(CompilationError, match=words) as caught:
        compile_module(program(1.0), Target(), timeout=timeout, options=CompileOptions(fault=fault))
    assert caught.value.kind == kind
    server = server_pid()
    assert server is not None
    np.testing.assert_array_equal(run(compile_module(program(1.0), Target()).vmfb, ONES)[0], 2 * ONES)
    assert server_pid() == server  # it survived
    assert eventually(lambda: not children(server))  # and left no zombie


def test_the_server_has_a_single_thread(program):
    compile_module(program(1.0), Target())
    time.sleep(0.5)  # s; by then it is warm, if it was started by this test
    # a fork copies one thread only: whatever lock another one held would stay locked in the child
    assert len(os.listdir(f"/proc/{server_pid()}/task")) == 1


def test_error_can_be_pickled(program):
    with pytest.raises(CompilationError) as caught:
        compile_module(program(1.0), Target(), options=CompileOptions(fault="abort", rungs=("fast",)))
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value) and again.failure == caught.value.failure


def test_a_killed_server_is_replaced(program, run):
    prestart()
    first = server_pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    compiled = compile_module(program(3.0), Target())
    np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], 4 * ONES)
    assert server_pid() not in (None, first)


def test_a_server_killed_during_a_compile_takes_its_children_along(program):
    prestart()
    server = server_pid()
    assert server is not None
    options = CompileOptions(fault="hang", rungs=("fast",))
    outcome: list[BaseException] = []

    def compile_and_hang() -> None:
        try:
            compile_module(program(1.0), Target(), timeout=1.0, options=options)
        except CompilationError as error:
            outcome.append(error)

    thread = threading.Thread(target=compile_and_hang)
    thread.start()
    assert eventually(lambda: len(children(server)) == 1)
    (child,) = children(server)
    os.kill(server, signal.SIGKILL)
    assert eventually(lambda: not exists(child))
    thread.join(PATIENCE)  # the request went to the next server, where it hung as well
    assert [error.kind for error in outcome if isinstance(error, CompilationError)] == ["timeout"]


def test_server_that_dies_twice_is_an_error(program, monkeypatch):
    def die(*_: object) -> client.Reply:
        raise client.ServerDied("its last words")

    monkeypatch.setattr(client.CompileServer, "compile", die)
    with pytest.raises(CompilationError, match="died twice: its last words") as caught:
        compile_module(program(1.0), Target())
    assert caught.value.kind == "crash"


def test_a_timeout_kills_the_child(program):
    with pytest.raises(CompilationError):
        compile_module(program(1.0), Target(), timeout=0.2, options=CompileOptions(fault="hang"))
    server = server_pid()
    assert server is not None and eventually(lambda: not children(server))


def test_threads_compile_at_a_time(program, run):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda i: compile_module(program(float(i)), Target()), range(8)))
    for index, compiled in enumerate(results):
        np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], (1 + index) * ONES)


def test_threads_that_want_the_same_share_a_compile(program):
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: compile_module(program(1.0), Target()), range(8)))
    assert [compiled.source for compiled in results].count("compiled") == 1
    assert len({compiled.vmfb for compiled in results}) == 1


def test_a_large_module_gets_through(run):
    # 4 MiB of constant: more than the buffers of a socket hold
    values = np.arange(1 << 20, dtype=np.float32)
    module = f"""
    func.func public @main(%x: tensor<f32>) -> tensor<{values.size}xf32> {{
      %c = stablehlo.constant dense<"0x{values.tobytes().hex()}"> : tensor<{values.size}xf32>
      %b = stablehlo.broadcast_in_dim %x, dims = [] : (tensor<f32>) -> tensor<{values.size}xf32>
      %0 = stablehlo.add %b, %c : tensor<{values.size}xf32>
      return %0 : tensor<{values.size}xf32>
    }}""".encode()
    (result,) = run(compile_module(module, Target()).vmfb, np.array(1, np.float32))
    np.testing.assert_array_equal(result, values + 1)


def test_without_a_server(program, run, monkeypatch):
    monkeypatch.setenv("SABLE_COMPILE_SERVER", "0")
    np.testing.assert_array_equal(run(compile_module(program(1.0), Target()).vmfb, ONES)[0], 2 * ONES)
    for fault, kind in [("abort", "crash"), ("hang", "timeout")]:
        options = CompileOptions(fault=fault, rungs=("fast",))
        with pytest.raises(CompilationError) as caught:
            compile_module(program(1.0), Target(), timeout=2.0, options=options)
        assert caught.value.kind == kind


START = """
import os, sys, threading, time
from sable.compiler import *
forks = []
os.register_at_fork(before=lambda: forks.append(1))
configure_cache(CacheSettings(None))
program = b"func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> { return %x : tensor<4xf32> }"
"""


def python(script: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)


def test_the_users_process_does_not_fork_and_leaves_no_orphan(scripts):
    script = scripts(START + "compile_module(program, Target()); print(len(forks), server_pid())")
    output = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    forks, server = output.stdout.split()
    assert forks == "0" and output.stderr == ""
    assert not exists(int(server))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_user_leaves_no_orphan_and_no_files(scripts, tmp_path, monkeypatch, how):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    script = scripts(
        START
        + """
hang = CompileOptions(fault="hang")
threading.Thread(target=lambda: compile_module(program, Target(), options=hang), daemon=True).start()
while server_pid() is None: time.sleep(0.01)
print(server_pid(), flush=True)
time.sleep(100)
"""
    )
    user = python(script)
    assert user.stdout is not None
    server = int(user.stdout.readline())
    assert eventually(lambda: len(children(server)) == 1)
    (child,) = children(server)
    assert list(tmp_path.glob("sable-compile-*"))
    user.send_signal(how)
    user.wait(PATIENCE)
    user.stdout.close()
    assert eventually(lambda: not exists(server) and not exists(child))
    assert eventually(lambda: not list(tmp_path.glob("sable-compile-*")))


def test_a_forked_user_gets_a_server_of_its_own(scripts):
    script = scripts(
        START
        + """
compile_module(program, Target())
mine = server_pid()
child = os.fork()
if child == 0:
    assert server_pid() is None
    compile_module(program, Target())
    assert server_pid() not in (None, mine)
    shutdown()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
compile_module(program, Target(), options=CompileOptions(use_cache=False))
assert server_pid() == mine
shutdown()
assert server_pid() is None
print("done")
"""
    )
    output = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert output.stdout == "done\n", output.stderr


def test_ctrl_c_interrupts_the_compile_only(scripts):
    script = scripts(
        START
        + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
prestart()
print(server_pid(), flush=True)
try:
    compile_module(program, Target(), options=CompileOptions(fault="hang"))
except KeyboardInterrupt:
    compile_module(program, Target())
    print(server_pid(), flush=True)
"""
    )
    user = python(script)
    assert user.stdout is not None
    server = int(user.stdout.readline())
    assert eventually(lambda: len(children(server)) == 1)
    user.send_signal(signal.SIGINT)
    assert user.communicate(timeout=PATIENCE)[0] == f"{server}\n"
