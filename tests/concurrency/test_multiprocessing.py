"""Pools of processes, made in each way there is: functions go to them by pickle, arrays both ways."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys

import pytest

#: Seconds after which a process hangs.
PATIENCE = 240

SCRIPT = """
import multiprocessing, sys
import numpy as np
import sable as jax, sable.numpy as jnp
from sable.compiler import server_pid
from sable.core.statistics import STATISTICS

@jax.jit
def decorated(x):
    return jnp.sin(x) * 2

def plain(x):
    return x * 3

@jax.grad
def gradient(x):
    return jnp.sum(decorated(x))

def matmul(x):
    return float(jax.jit(jnp.matmul)(x, x)[0, 0])

def compiled(_):
    return STATISTICS.compiled, server_pid()

if __name__ == "__main__":
    method = sys.argv[1]
    xs = [jnp.arange(4.) + k for k in range(4)]
    square = jnp.ones((600, 600), jnp.float32)
    expected = list(map(decorated, xs)), list(map(jax.jit(plain), xs)), list(map(gradient, xs)), matmul(square)
    with multiprocessing.get_context(method).Pool(2) as pool:
        before = STATISTICS.compiled if method == "fork" else 0
        for function, results in zip((decorated, jax.jit(plain), gradient), expected):
            found = pool.map(function, xs)
            assert all(type(y) is type(xs[0]) and y.dtype == xs[0].dtype for y in found)
            np.testing.assert_array_equal(found, results)
        assert pool.map(matmul, [square] * 2) == [expected[3]] * 2
        print({(count - before, server) for count, server in pool.map(compiled, range(4))})
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    return tmp_path_factory.mktemp("programs")


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_pool(method, programs, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    environment = {**os.environ, "SABLE_CACHE_DIR": str(programs)}
    done = subprocess.run(
        [sys.executable, script, method], capture_output=True, text=True, env=environment, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "{(0, None)}\n"  # all came from the disk, where the parent had put it: no compile server
