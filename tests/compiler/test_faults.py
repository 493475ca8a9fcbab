"""Faults while several compiles run: the next compile works, no process and no file is left, nothing in the cache is wrong."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sable.compiler import (
    CacheSettings,
    CompileOptions,
    Target,
    cache,
    client,
    compile_module,
    configure_cache,
    prestart,
)
from sable.compiler import server_pid as running_server

from .processes import ONES, PATIENCE, children, eventually, exists

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no compile server without fork")

PROGRAMS = 4


def server_pid() -> int:
    pid = running_server()
    assert pid is not None
    return pid


def compile_all(program):
    """Starts as many compiles; the function that gives their results."""
    pool = ThreadPoolExecutor(PROGRAMS)
    futures = [pool.submit(compile_module, program(float(k)), Target()) for k in range(PROGRAMS)]

    def results():
        with pool:
            return [future.result(PATIENCE) for future in futures]

    return results


def check(run, results):
    for k, compiled in enumerate(results):
        np.testing.assert_array_equal(run(compiled.vmfb, ONES)[0], (1 + k) * ONES)


def check_cache(run, program, directory):
    """All of it is on the disk, and whole."""
    assert not list(directory.rglob(".writing-*"))
    configure_cache(CacheSettings(directory))  # memory starts empty
    found = [compile_module(program(float(k)), Target()) for k in range(PROGRAMS)]
    assert {compiled.source for compiled in found} == {"disk"}
    check(run, found)


def test_the_server_is_killed(program, run, cache_directory):
    prestart()
    first = server_pid()
    results = compile_all(program)
    assert eventually(lambda: bool(children(first)))
    compiling = children(first)
    os.kill(first, signal.SIGKILL)
    check(run, results())
    second = server_pid()
    assert second != first and first not in children(os.getpid())  # reaped
    assert eventually(lambda: not any(map(exists, [first, *compiling])) and not children(second))
    check_cache(run, program, cache_directory)


def test_children_are_killed(program, run, cache_directory):
    """As by the kernel where memory runs out: the next setting is tried."""
    prestart()
    server = server_pid()
    results = compile_all(program)
    assert eventually(lambda: bool(children(server)))
    for child in children(server):
        os.kill(child, signal.SIGKILL)
    check(run, results())
    assert server_pid() == server and eventually(lambda: not children(server))
    check_cache(run, program, cache_directory)


def test_the_disk_is_full(program, run, cache_directory, monkeypatch):
    written, write = [], os.fdopen

    class FullDisk:
        def __init__(self, file):
            self._file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, data):
            written.append(self._file.write(data[: len(data) // 2]))
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        patch.setattr(cache.os, "fdopen", lambda *arguments: FullDisk(write(*arguments)))
        check(run, compile_all(program)())
    assert len(written) == PROGRAMS and len(caught) == 1 and "No space left" in str(caught[0].message)
    assert not [path for path in cache_directory.rglob("*") if path.is_file()]
    configure_cache(CacheSettings(cache_directory))
    check(run, compile_all(program)())
    check_cache(run, program, cache_directory)


def test_the_servers_folder_is_removed(program, run):
    prestart()
    server = client._running_server()
    assert eventually(lambda: os.path.isdir(server._scratch))
    shutil.rmtree(server._scratch)
    check(run, compile_all(program)())
    assert server_pid() == server.pid


def test_a_hang_beside_others(program, run):
    """The one that hangs is ended by its time; the others do not wait for it longer than for a turn."""
    prestart()
    assert eventually(lambda: not children(server_pid()))  # what earlier tests left ends by itself
    hang = CompileOptions(fault="hang@fast", use_cache=False)
    slow = threading.Thread(target=lambda: compile_module(program(9.0), Target(), timeout=10 * PATIENCE, options=hang))
    slow.start()
    assert eventually(lambda: bool(children(server_pid())))
    (child, *_) = children(server_pid())
    others = compile_all(program)
    if client.usable_processors() > 1:
        check(run, others())
    os.kill(child, signal.SIGKILL)
    check(run, others())
    slow.join(PATIENCE)
    assert not slow.is_alive() and eventually(lambda: not children(server_pid()))


CTRL_C = """
import signal, sys, threading
from dataclasses import replace
import sable as jax, sable.numpy as jnp
from sable.compiler import client, prestart, server_pid
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background of a shell
prestart()
original = client.compile_once
client.compile_once = lambda request, timeout: original(replace(request, fault="hang"), timeout)
x = jnp.arange(3.)
function, others = jax.jit(lambda x: x * 2 + 0.125), [jax.jit(lambda x, k=k: x - k) for k in range(2)]
print(server_pid(), flush=True)
try:
    function(x)
except KeyboardInterrupt:
    client.compile_once = original
    threads = [threading.Thread(target=other, args=(x,)) for other in others]
    for thread in threads:
        thread.start()
    print(server_pid(), function(x).tolist(), flush=True)
    for thread in threads:
        thread.join()
    print([other(x).tolist() for other in others], flush=True)
sys.stdin.read()
"""


def test_ctrl_c_in_the_users_program(scripts, cache_directory):
    environment = {**os.environ, "SABLE_CACHE_DIR": str(cache_directory)}
    user = subprocess.Popen(
        [sys.executable, scripts(CTRL_C)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert user.stdout is not None
    server = int(user.stdout.readline())
    assert eventually(lambda: len(children(server)) == 1)
    (child,) = children(server)
    user.send_signal(signal.SIGINT)
    assert user.stdout.readline() == f"{server} [0.125, 2.125, 4.125]\n"
    assert user.stdout.readline() == "[[0.0, 1.0, 2.0], [-1.0, 0.0, 1.0]]\n"
    assert not exists(child) and eventually(lambda: not children(server))
    user.communicate(timeout=PATIENCE)
    assert user.returncode == 0 and eventually(lambda: not exists(server))
    assert len(list(Path(cache_directory).rglob("*.vmfb"))) == 3
