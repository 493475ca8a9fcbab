"""Linear algebra and Fourier transforms: JAX, NumPy or SciPy and Sable side by side in one run.

`python benchmarks/linear_algebra.py` rewrites benchmarks/linear_algebra.md; how it measures stands in run.py.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.fft
import scipy.linalg
from run import Benchmark, measure, normal, ready, row

HERE = Path(__file__).parent
#: (size, how many at once)
SIZES = ((4, 10_000), (8, 10_000), (16, 10_000), (64, 1), (200, 1), (1000, 1))
#: the largest size of those that take long
LARGEST = {"svd": 200, "eig": 200}


def stack(n: int, count: int, definite: bool = False) -> np.ndarray:
    x = normal(*((count, n, n) if count > 1 else (n, n)))
    return (x @ x.swapaxes(-1, -2) + n * np.eye(n)).astype(np.float32) if definite else x


def on(function: Callable, *arrays: np.ndarray) -> Callable[[Any], Callable[[], Any]]:
    """A benchmark of a jitted function of `jax` and these arrays."""

    def make(j: Any) -> Callable[[], Any]:
        xs = [j.numpy.asarray(x) for x in arrays]
        f = j.jit(lambda *a: function(j, *a))
        return lambda: ready(f(*xs))

    return make


def by_numpy(function: Callable, *arrays: np.ndarray) -> Callable[[], Callable[[], Any]]:
    return lambda: lambda: function(*arrays)


def factors() -> Iterator[Benchmark]:
    for n, count in SIZES:
        of = f"{n}×{n}" + (f", {count:,} of them" if count > 1 else "")
        target = "≤ 0.5" if count > 1 else "≤ 1"
        definite, any_, sides = stack(n, count, True), stack(n, count), stack(n, count)[..., :1]
        for name in ("cholesky", "inv", "qr", "svd", "eigh", "eig", "det"):
            if n > LARGEST.get(name, n) or (name == "eig" and count > 1 and n > 4):
                continue
            x = definite if name in ("cholesky", "eigh") else any_
            f = getattr(np.linalg, name)
            yield Benchmark(
                f"{name} {of}", on(lambda j, x, f=name: getattr(j.numpy.linalg, f)(x), x), by_numpy(f, x), target
            )
        solve = on(lambda j, a, b: j.numpy.linalg.solve(a, b), any_, sides)
        yield Benchmark(f"solve {of}", solve, by_numpy(np.linalg.solve, any_, sides), target)
        lu = by_numpy(scipy.linalg.lu_factor, any_) if count == 1 else None
        yield Benchmark(f"lu {of}", on(lambda j, a: j.scipy.linalg.lu_factor(a), any_), lu, target)


def spectra() -> Iterator[Benchmark]:
    lengths = [2**k for k in range(4, 23, 2)] + [997, 10_007, 100_003]
    for n in lengths:
        of = f"2^{int(math.log2(n))}" if n & (n - 1) == 0 else f"{n:,}"
        z = (normal(n) + 1j * normal(n, seed=1)).astype(np.complex64)
        yield Benchmark(f"fft {of}", on(lambda j, x: j.numpy.fft.fft(x), z), by_numpy(scipy.fft.fft, z), "≤ 1")
    for name, shape in (("fft", (1000, 256)), ("fft", (10_000, 16)), ("fft2", (512, 512))):
        z = (normal(*shape) + 1j * normal(*shape, seed=1)).astype(np.complex64)
        of = "×".join(map(str, shape))
        f = getattr(scipy.fft, name)
        yield Benchmark(f"{name} {of}", on(lambda j, x, f=name: getattr(j.numpy.fft, f)(x), z), by_numpy(f, z), "≤ 1")
    for name, shape in (("rfft", (2**16,)), ("rfft", (256, 1024)), ("rfft2", (512, 512))):
        x = normal(*shape)
        of = "×".join(map(str, shape))
        f = getattr(scipy.fft, name)
        yield Benchmark(f"{name} {of}", on(lambda j, x, f=name: getattr(j.numpy.fft, f)(x), x), by_numpy(f, x), "≤ 1")
    z = np.fft.rfft(normal(256, 1024)).astype(np.complex64)
    yield Benchmark("irfft 256×1024", on(lambda j, x: j.numpy.fft.irfft(x), z), by_numpy(scipy.fft.irfft, z), "≤ 1")


def likelihood(j: Any, p: Any, x: Any, y: Any) -> Any:
    """Of a Gaussian process with a squared exponential kernel, and its gradient."""
    jnp = j.numpy

    def negative_log(p: Any) -> Any:
        distance = x[:, None] - x[None]
        kernel = p[0] ** 2 * jnp.exp(-0.5 * (distance / p[1]) ** 2) + (p[2] ** 2 + 1e-3) * jnp.eye(
            x.size, dtype=x.dtype
        )
        low = jnp.linalg.cholesky(kernel)
        return 0.5 * y @ j.scipy.linalg.cho_solve((low, True), y) + jnp.log(jnp.diag(low)).sum()

    return j.value_and_grad(negative_log)(p)


def programs() -> Iterator[Benchmark]:
    definite, tall, side = stack(200, 1, True), normal(200, 20), normal(200)
    logdet = on(lambda j, a: j.grad(lambda a: j.numpy.linalg.slogdet(a)[1])(a), definite)
    yield Benchmark("gradient of log|A|, 200×200", logdet, None, "≤ 1")
    least = by_numpy(lambda a, b: np.linalg.lstsq(a, b)[0], tall, side)
    yield Benchmark("lstsq 200×20", on(lambda j, a, b: j.numpy.linalg.lstsq(a, b)[0], tall, side), least, "≤ 1")
    x = np.linspace(0, 10, 500, dtype=np.float32)
    p = np.float32([1, 1, 0.3])
    yield Benchmark(
        "likelihood of a Gaussian process, 500 points, with gradient", on(likelihood, p, x, np.sin(x)), None, "≤ 1"
    )
    small = normal(64, 64) / 8
    exp = on(lambda j, a: j.scipy.linalg.expm(a), small)
    yield Benchmark("expm 64×64", exp, by_numpy(scipy.linalg.expm, small), "≤ 1")

    def poisson(j: Any, b: Any) -> Any:
        def laplace(u: Any) -> Any:
            v = j.numpy.pad(u, 1)
            return 4 * u - v[:-2, 1:-1] - v[2:, 1:-1] - v[1:-1, :-2] - v[1:-1, 2:]

        return j.scipy.sparse.linalg.cg(laplace, b, maxiter=100)[0]

    yield Benchmark("cg, 100 steps, Laplacian of 128×128 without a matrix", on(poisson, normal(128, 128)), None, "≤ 1")


def main() -> None:
    import jax
    import scipy

    import sable

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="programs whose name contains this; nothing is written then")
    chosen = parser.parse_args().only
    lines, ratios = [], []
    for b in (*factors(), *spectra(), *programs()):
        if chosen not in b.name:
            continue
        functions = {"sable": b.make(sable), "jax": b.make(jax)}
        if b.numpy is not None:
            functions["numpy"] = b.numpy()
        times = measure(functions)
        ratios.append(times["sable"] / times["jax"])
        lines.append(row(b.name, times["sable"], times["jax"], times.get("numpy"), b.target))
        print(lines[-1], flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"geometric mean of {len(ratios)}: {mean:.2f} of JAX's time")
    if not chosen:
        head = (
            "# Linear algebra and Fourier transforms\n\n`python benchmarks/linear_algebra.py` rewrites this table. f32 and\n"
            f"complex64, compiled. JAX {jax.__version__}, NumPy {np.__version__}, SciPy {scipy.__version__}, {platform.machine()}, "
            f"{os.cpu_count()} cores, one run.\nGeometric mean of the ratios to JAX: {mean:.2f}.\n\n"
            "| program | Sable | JAX | NumPy, SciPy | Sable/JAX | Sable/NumPy | target (of JAX) |\n|---|---|---|---|---|---|---|\n"
        )
        (HERE / "linear_algebra.md").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
