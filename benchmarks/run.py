"""JAX, NumPy and Sable side by side in one run; `python benchmarks/run.py` rewrites benchmarks/README.md.

Each figure is the best of several rounds in which the three take turns, so that a busy machine hits all of them alike.
Ratios are what counts: they are Sable's time over the other's (below 1: Sable is faster).
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROUNDS = 7
#: Seconds between turns: the other library's threads wait actively for more work (OpenBLAS's do), and take a core.
SETTLE = 0.08
#: seconds that one round of one program should take at least
ROUND_SECONDS = 0.05


@dataclass(frozen=True)
class Benchmark:
    """One program for each of the three; `make(jax)` returns a function without arguments that waits for its result."""

    name: str
    make: Callable[[Any], Callable[[], Any]]
    numpy: Callable[[], Callable[[], Any]] | None = None
    target: str = ""


def ready(x: Any) -> Any:
    """Wait for an array or a pytree of arrays."""
    for leaf in x if isinstance(x, (tuple, list)) else x.values() if isinstance(x, dict) else [x]:
        if hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()
    return x


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def eager_add(j: Any) -> Callable[[], Any]:
    x = j.numpy.asarray(normal(10))
    return lambda: ready(x + x)


def eager_scalar(j: Any) -> Callable[[], Any]:
    x = j.numpy.asarray(normal(10))
    return lambda: ready(x + 1.0)


def eager_chain(j: Any) -> Callable[[], Any]:
    x, sin = j.numpy.asarray(normal(1000)), j.numpy.sin
    return lambda: ready(sin(x * x + x) * x - x)


def eager_softmax(j: Any) -> Callable[[], Any]:
    x = j.numpy.asarray(normal(10))
    return lambda: ready(j.nn.softmax(x))


def eager_random(j: Any) -> Callable[[], Any]:
    key = j.random.key(0)
    return lambda: ready(j.random.normal(key, (10,)))


def eager_grad(j: Any) -> Callable[[], Any]:
    x = j.numpy.asarray(normal(10))
    g = j.grad(lambda v: (j.numpy.tanh(v) * v).sum())
    return lambda: ready(g(x))


def jitted(function: Callable, *shapes: tuple[int, ...]) -> Callable[[Any], Callable[[], Any]]:
    """A benchmark of a jitted function of `jax` and arrays."""

    def make(j: Any) -> Callable[[], Any]:
        xs = [j.numpy.asarray(normal(*s, seed=k)) for k, s in enumerate(shapes)]
        f = j.jit(lambda *a: function(j, *a))
        return lambda: ready(f(*xs))

    return make


def jit_tree(j: Any) -> Callable[[], Any]:
    tree = {c: j.numpy.asarray(normal(10)) for c in "abcdef"}
    f = j.jit(lambda t: {k: v + 1 for k, v in t.items()})
    return lambda: ready(f(tree))


def mlp_step(j: Any) -> Callable[[], Any]:
    jnp = j.numpy
    shapes = [(64, 256), (256,), (256, 256), (256,), (256, 10), (10,)]
    params = [jnp.asarray(normal(*s, seed=k)) * 0.05 for k, s in enumerate(shapes)]
    x, y = jnp.asarray(normal(128, 64)), jnp.asarray(normal(128, 10))

    def loss(p, x, y):
        h = jnp.tanh(x @ p[0] + p[1])
        h = jnp.tanh(h @ p[2] + p[3])
        return jnp.mean((h @ p[4] + p[5] - y) ** 2)

    @j.jit
    def step(p, x, y):
        return [w - 0.01 * g for w, g in zip(p, j.grad(loss)(p, x, y))]

    return lambda: ready(step(params, x, y))


def long_function(j: Any, steps: int = 1000) -> Callable[[Any], Any]:
    """Two ops a step; a new function object for each call, so that nothing is found in a cache of traces."""

    def f(x):
        for _ in range(steps):
            x = j.numpy.sin(x) * x
        return x

    return lambda v: f(v)


def trace_of(steps: int, transform: str = "") -> Callable[[Any], Callable[[], Any]]:
    """Tracing of a function, or of a transformation of it."""

    def make(j: Any) -> Callable[[], Any]:
        x = j.numpy.asarray(normal(10))

        def run() -> Any:
            f = long_function(j, steps)
            return j.make_jaxpr(j.grad(lambda v: f(v).sum()) if transform == "grad" else f)(x)

        return run

    return make


def lower_2000(j: Any) -> Callable[[], Any]:
    x = j.numpy.asarray(normal(10))
    return lambda: j.jit(long_function(j)).lower(x).as_text()


def numpy_of(function: Callable, *shapes: tuple[int, ...]) -> Callable[[], Callable[[], Any]]:
    def make() -> Callable[[], Any]:
        xs = [normal(*s, seed=k) for k, s in enumerate(shapes)]
        return lambda: function(*xs)

    return make


def numpy_softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


MILLION = (1_000_000,)
BENCHMARKS = [
    Benchmark("eager add, 10 floats", eager_add, numpy_of(lambda x: x + x, (10,)), "≤ 0.5"),
    Benchmark("eager add of a scalar, 10 floats", eager_scalar, numpy_of(lambda x: x + np.float32(1), (10,))),
    Benchmark("eager softmax, 10 floats", eager_softmax, numpy_of(numpy_softmax, (10,))),
    Benchmark("eager random.normal, 10 floats", eager_random),
    Benchmark(
        "eager chain of 5 ops, 1,000 floats",
        eager_chain,
        numpy_of(lambda x: np.sin(x * x + x) * x - x, (1000,)),
        "≤ 0.5",
    ),
    Benchmark("eager gradient of tanh(x)·x", eager_grad),
    Benchmark("jit call, one array of 10", jitted(lambda j, x: x + 1, (10,)), None, "≤ 1"),
    Benchmark("jit call, pytree of six arrays", jit_tree, None, "≤ 1"),
    Benchmark(
        "elementwise, 1e6",
        jitted(lambda j, x: j.numpy.sin(x) * j.numpy.exp(-x * x) + x, MILLION),
        numpy_of(lambda x: np.sin(x) * np.exp(-x * x) + x, MILLION),
    ),
    Benchmark("sum, 1e6", jitted(lambda j, x: x.sum(), MILLION), numpy_of(np.sum, MILLION)),
    Benchmark(
        "softmax, 1000×1000",
        jitted(lambda j, x: j.nn.softmax(x), (1000, 1000)),
        numpy_of(numpy_softmax, (1000, 1000)),
    ),
    Benchmark(
        "matmul 256",
        jitted(lambda j, a, b: a @ b, (256, 256), (256, 256)),
        numpy_of(np.matmul, (256, 256), (256, 256)),
    ),
    Benchmark(
        "matmul 1024",
        jitted(lambda j, a, b: a @ b, (1024, 1024), (1024, 1024)),
        numpy_of(np.matmul, (1024, 1024), (1024, 1024)),
    ),
    Benchmark("MLP training step, batch 128", mlp_step),
    Benchmark("trace of 2,000 ops", trace_of(1000), target="≤ 0.2"),
    Benchmark("trace of 20,000 ops", trace_of(10_000), target="≤ 0.2"),
    Benchmark("trace of the gradient of 2,000 ops", trace_of(1000, "grad"), target="≤ 0.2"),
    Benchmark("trace and lower 2,000 ops, as text", lower_2000, target="≤ 0.2"),
]


def repetitions(f: Callable[[], Any]) -> int:
    """How often f fits into a round; also warms up."""
    f()
    start = time.perf_counter()
    f()
    once = time.perf_counter() - start
    return max(1, min(20_000, int(ROUND_SECONDS / max(once, 1e-7))))


def measure(functions: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Seconds a call of each function, the best of rounds in which they take turns, another one first each time."""
    counts = {name: repetitions(f) for name, f in functions.items()}
    best = dict.fromkeys(functions, float("inf"))
    names = list(functions)
    for i in range(ROUNDS):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            time.sleep(SETTLE)
            start = time.perf_counter()
            for _ in range(counts[name]):
                functions[name]()
            best[name] = min(best[name], (time.perf_counter() - start) / counts[name])
    return best


FIRST_CALL = """
import time
start = time.perf_counter()
import {module} as jax
import {module}.numpy as jnp
imported = time.perf_counter()
params = [jnp.ones((64, 32)), jnp.ones(32), jnp.ones((32, 10))]
loss = lambda p, x: jnp.mean((jnp.tanh(x @ p[0] + p[1]) @ p[2]) ** 2)
step = jax.jit(lambda p, x: [w - 0.1 * g for w, g in zip(p, jax.grad(loss)(p, x))])
begin = time.perf_counter()
[x.block_until_ready() for x in step(params, jnp.ones((16, 64)))]
print(imported - start, time.perf_counter() - begin)
"""


def first_calls() -> list[tuple[str, float, float]]:
    """(what, Sable's seconds, JAX's seconds) of import and first call, each in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        kept = {"SABLE_CACHE_DIR": folder, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}

        def python(program: str) -> str:
            command = [sys.executable, "-c", program]
            return subprocess.run(
                command, env={**os.environ, **kept}, capture_output=True, text=True, check=True
            ).stdout

        def run(module: str) -> tuple[float, float]:
            imported, called = python(FIRST_CALL.format(module=module)).split()
            return float(imported), float(called)

        for module in ("sable", "jax"):
            python(f"import {module}.numpy")  # writes the bytecode of its modules
        cold, jax, disk = run("sable"), run("jax"), run("sable")
    return [
        ("import", min(cold[0], disk[0]), jax[0]),
        ("first call of a gradient step, cold", cold[1], jax[1]),
        ("first call of a gradient step, from the disk cache", disk[1], jax[1]),
    ]


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def row(name: str, ours: float, jax: float | None, numpy: float | None, target: str) -> str:
    def ratio(other: float | None) -> str:
        return "–" if other is None else f"{ours / other:.2f}"

    return f"| {name} | {duration(ours)} | {duration(jax)} | {duration(numpy)} | {ratio(jax)} | {ratio(numpy)} | {target} |"


def run_all(chosen: str) -> list[str]:
    import jax

    import sable

    lines = []
    for b in BENCHMARKS:
        if chosen not in b.name:
            continue
        functions = {"sable": b.make(sable), "jax": b.make(jax)}
        if b.numpy is not None:
            functions["numpy"] = b.numpy()
        times = measure(functions)
        lines.append(row(b.name, times["sable"], times["jax"], times.get("numpy"), b.target))
        print(lines[-1], flush=True)
    if not chosen:
        for name, ours, theirs in first_calls():
            lines.append(row(name, ours, theirs, None, ""))
            print(lines[-1], flush=True)
    return lines


def write(lines: list[str], notes: str) -> None:
    """Replace the table in benchmarks/README.md, keeping the notes behind it."""
    import jax

    head = textwrap.dedent(
        f"""\
        # Benchmarks

        `make bench` rewrites the table (`python benchmarks/run.py`). Ratios are Sable's time over the other's: below 1,
        Sable is faster. JAX {jax.__version__}, NumPy {np.__version__}, {platform.machine()}, {os.cpu_count()} cores, one run.

        | program | Sable | JAX | NumPy | Sable/JAX | Sable/NumPy | target (of JAX) |
        |---|---|---|---|---|---|---|
        """
    )
    (HERE / "README.md").write_text(head + "\n".join(lines) + "\n" + notes)


def kept_notes() -> str:
    """What stands in the README behind the table."""
    path = HERE / "README.md"
    if not path.exists():
        return "\n## Notes\n"
    text = path.read_text()
    return "\n" + text[text.index("## Notes") :] if "## Notes" in text else "\n## Notes\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="programs whose name contains this; nothing is written then")
    arguments = parser.parse_args()
    lines = run_all(arguments.only)
    if not arguments.only:
        write(lines, kept_notes())


if __name__ == "__main__":
    main()
