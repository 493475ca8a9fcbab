"""The compiler as a library user meets it: crashes and hangs are exceptions, lines are the user's, eager compiles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.compiler import CompilationError, CompileOptions, client
from sable.core.statistics import STATISTICS
from sable.ir.bindings import CONTEXT, ir


def inject(monkeypatch, name: str) -> None:
    """Make the compiler's process 'abort', 'segfault', 'hang' or 'fail' from now on."""
    monkeypatch.setattr(CompileOptions, "fault_on", lambda self, rung: name)


def fresh(body):
    """A jitted function that no cache has seen: its constant is random."""
    salt = float(np.frombuffer(os.urandom(4), np.uint32)[0])
    return jax.jit(lambda x: body(x) + salt)


BODIES = {
    "straight": jnp.sin,
    "loop": lambda x: jax.lax.fori_loop(0, 5, lambda i, v: jnp.sin(v) * i, x),
    "gradient of a loop": jax.grad(lambda x: jax.lax.scan(lambda c, _: (jnp.sin(c), c), x, None, length=4)[1].sum()),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", ["abort", "segfault"])
def test_a_crash_is_an_exception_and_the_session_lives_on(monkeypatch, name, body):
    f = fresh(BODIES[body])
    with monkeypatch.context() as broken:
        inject(broken, name)
        with pytest.raises(CompilationError, match=r"died of SIG(ABRT|SEGV)") as caught:
            f(1.0)
    assert caught.value.kind == "crash"
    assert np.isfinite(float(f(1.0)))  # no poisoned cache: the same function compiles now


def test_a_hang_ends(monkeypatch):
    inject(monkeypatch, "hang")
    monkeypatch.setenv("SABLE_COMPILE_TIMEOUT", "1")
    with pytest.raises(CompilationError, match="had not finished") as caught:
        fresh(jnp.cos)(1.0)
    assert caught.value.kind == "timeout"


def test_a_killed_server_is_replaced():
    fresh(jnp.tanh)(1.0)
    os.kill(client.server_pid(), 9)
    assert np.isfinite(float(fresh(jnp.tanh)(1.0)))


def test_loops_are_lowered_outside_of_this_process(monkeypatch):
    from sable.passes import kernels
    from sable.passes.legalize import loops

    def die(*_: object) -> None:
        raise AssertionError("MLIR's passes over loops run in the user's process")

    for module, function in ((loops, "kernels_for_loops"), (loops, "blocks_of_control_flow"), (kernels, "make_kernel")):
        monkeypatch.setattr(module, function, die)
    assert float(fresh(BODIES["loop"])(1.0)) is not None


def test_kernels_that_kill_the_compiler_are_done_without(monkeypatch):
    """The last rung of the ladder makes no kernels of loops."""
    monkeypatch.setattr(CompileOptions, "fault_on", lambda self, rung: "abort" if rung != "embedded" else "")
    f = jax.jit(lambda x: jax.lax.fori_loop(0, 5, lambda i, v: v * 2 + i, x) + 0.123)
    np.testing.assert_allclose(f(1.0), 32 + 26 + 0.123, rtol=1e-6)


def text_of(bytecode: bytes) -> str:
    with CONTEXT:
        return str(ir.Module.parse(bytecode))


def die_of(monkeypatch, op: str) -> None:
    """Make the compiler's process abort on modules that hold an op."""
    compile_once = client.compile_once

    def compile_or_die(request, timeout):
        return compile_once(replace(request, fault="abort" if op in text_of(request.module) else ""), timeout)

    monkeypatch.setattr(client, "compile_once", compile_or_die)


def test_a_crash_names_the_op_and_the_line_of_the_user(monkeypatch):
    die_of(monkeypatch, "stablehlo.exponential")

    def step(i, v):
        return jnp.tanh(v) + jnp.exp(v)

    f = fresh(lambda x: jnp.sin(jax.lax.fori_loop(0, 3, step, x)))
    with pytest.raises(CompilationError, match="died of SIGABRT") as caught:
        f(np.ones(3, np.float32))
    assert caught.value.op == "exponential"
    assert caught.value.location == (__file__, step.__code__.co_firstlineno + 1)
    assert f"{__file__}:{step.__code__.co_firstlineno + 1}" in str(caught.value)
    assert Path(caught.value.reproducer).read_bytes().startswith((b"module", b"#loc"))


def test_a_crash_on_everything_names_the_function(monkeypatch):
    die_of(monkeypatch, "stablehlo.multiply %0, %1")  # no op alone prints so

    def product(x):
        return jnp.tanh(x) * jnp.exp(x)

    with pytest.raises(CompilationError, match="The function product could not be compiled") as caught:
        jax.jit(product)(np.float32(0.25))
    assert caught.value.location is None and f"{__file__}:{product.__code__.co_firstlineno + 1}" in str(caught.value)


def test_eager_code_and_eager_gradients_compile_nothing():
    code = """
import sys
import sable as jax, sable.numpy as jnp
from sable.core.statistics import STATISTICS

def f(w, x):
    h = jnp.tanh(x @ w)
    return jnp.sum(h ** 2) if h.sum() > 0 else jnp.sum(h)

w, x = jnp.ones((3, 3)), jnp.ones((2, 3))
value, grads = jax.value_and_grad(f, argnums=(0, 1))(w, x)
jax.jvp(f, (w, x), (w, x)); jax.hessian(f)(w, x)
jax.vmap(jax.grad(lambda w, x: jnp.sum(jnp.tanh(w @ x))), (None, 0))(w, x)
assert not STATISTICS.names, STATISTICS.names
assert "sable.compiler.service" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_second_process_finds_programs_on_disk(tmp_path):
    code = """
import sable as jax, sable.numpy as jnp
from sable.core.statistics import STATISTICS
f = jax.jit(lambda x: jax.lax.fori_loop(0, 3, lambda i, v: v * 2.5 + i, jnp.sin(x)))
f(1.0)
print(STATISTICS.compiled, STATISTICS.from_disk)
"""
    environment = {**os.environ, "SABLE_CACHE_DIR": str(tmp_path)}
    run = lambda text: subprocess.run(  # noqa: E731
        [sys.executable, "-c", text], check=True, timeout=120, env=environment, capture_output=True, text=True
    ).stdout.split()
    assert run(code) == ["1", "0"]
    assert run("# moved by a line\n" + code) == ["0", "1"]


def test_an_equal_program_of_another_function_comes_from_memory():
    def make():
        return jax.jit(lambda x: jnp.cos(x) * 1.2345)

    make()(1.0)
    before = STATISTICS.from_memory
    make()(1.0)
    assert STATISTICS.from_memory == before + 1
