"""Memory stays flat over many eager gradients, calls and retraces (each in a process of its own, for a clean count)."""

from __future__ import annotations

import gc
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp

#: MiB that the resident set may grow after warming up, which is allocator noise.
ALLOWED_GROWTH = 8.0
#: Blocks of Python's own allocator that may be more than after warming up, a step: one small object kept in ten steps.
ALLOWED_BLOCKS = 0.1

PROGRAMS = {
    "eager gradients": (
        """
        g = jax.grad(lambda x: (jnp.tanh(x) * x).sum())
        x = jnp.ones(10)
        def step(i): g(x)
        """,
        10_000,
    ),
    "jit calls": (
        """
        f = jax.jit(lambda x: jnp.tanh(x) * x)
        x = jnp.ones(10)
        def step(i): f(x)
        """,
        100_000,
    ),
    "retraces": (
        """
        def step(i):
            i = i % 400  # arrays of Python's numbers are kept, 1,024 of them
            jax.make_jaxpr(lambda x: jnp.where(x > 0, jnp.sin(x) * 2.0, x).sum())(x)
            jax.jit(jax.grad(lambda x: (x * i % 7).sum())).trace(x)
        x = jnp.ones(10)
        """,
        2_000,
    ),
}

#: Ever new shapes and constants: what is kept of types and numbers is bounded. Some 200 MiB without bounds.
NEW_SHAPES = """
import numpy as np
def step(i):
    shape = jax.ShapeDtypeStruct((i % 997 + 1, i // 997 + 1), np.float32)
    lowered = jax.jit(lambda x: (jnp.sin(x) * (i + 0.5)).sum(0)).lower(shape)
    if i % 4 == 0:  # of each, 0.3 KiB stay in the context of MLIR: 20 MiB when all are written
        lowered.compiler_ir()
"""
NEW_SHAPES_COUNT = 50_000
NEW_SHAPES_GROWTH = 15.0

HARNESS = """
import gc, os, sys
import sable as jax, sable.numpy as jnp
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
{setup}
count = {count}
for i in range(count // {warming}):
    step(i)
gc.collect()
before, blocks = resident(), sys.getallocatedblocks()
for i in range(count):
    step(i)
gc.collect()
print(resident() - before, sys.getallocatedblocks() - blocks)
"""


def measure(setup: str, count: int, warming: int = 4) -> tuple[float, float]:
    """Growth of the resident set in MiB and of Python's blocks, over so many steps.

    Args:
      warming: one part in so many of the steps is taken before it is measured.
    """
    program = HARNESS.format(setup=textwrap.dedent(setup), count=count, warming=warming)
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=1500)
    assert made.returncode == 0, made.stderr
    growth, blocks = map(float, made.stdout.split())
    return growth, blocks


on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the resident set is read from /proc")


@on_linux
@pytest.mark.parametrize("name", PROGRAMS)
def test_memory_stays_flat(name: str) -> None:
    setup, count = PROGRAMS[name]
    growth, blocks = measure(setup, count)
    assert growth < ALLOWED_GROWTH, f"{name}: {growth:.1f} MiB over {count} steps"
    assert blocks < ALLOWED_BLOCKS * count, f"{name}: {blocks:.0f} blocks over {count} steps"


@on_linux
def test_ever_new_programs() -> None:
    growth, _ = measure(NEW_SHAPES, NEW_SHAPES_COUNT, warming=100)
    assert growth < NEW_SHAPES_GROWTH


@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "float8_e5m2", "bool"])
def test_arrays_keep_the_memory_of_results(dtype: str) -> None:
    f = jax.jit(lambda x: jnp.flip(x, 0))
    x = jnp.asarray(np.random.default_rng(0).integers(0, 2, (20, 20))).astype(dtype)
    kept = [np.asarray(f(x)) for _ in range(50)]  # nobody else has the results
    gc.collect()
    others = [f(jnp.ones_like(x)) for _ in range(500)]  # where freed memory would go
    want = np.flip(np.asarray(x), 0).tobytes()
    assert [y.tobytes() == want for y in kept] == [True] * len(kept)
    del others
