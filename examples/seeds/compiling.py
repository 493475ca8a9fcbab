"""Compiled functions: how much quicker they are, and when a function is traced.

python examples/seeds/compiling.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import best_time, run

import sable as jax
import sable.numpy as jnp

ELEMENTS = 1_000_000


def dispersion(library, radius, central, scale):
    """Velocity dispersion in a Plummer sphere at a radius, computed by NumPy or by `sable.numpy`."""
    return library.sqrt(central**2 / library.sqrt(1 + (radius / scale) ** 2))


def selu(x, alpha=1.6733, scale=1.0507):
    """Scaled exponential linear unit."""
    return scale * jnp.where(x > 0, x, alpha * (jnp.exp(x) - 1))


def repetitive(x):
    """An expression in which e^x, x^2 and sin x occur more than once: compiled, each is computed once."""
    first = jnp.sin(x) + jnp.exp(x) * x**2
    second = jnp.cos(jnp.exp(x) + x**2) - jnp.sin(x)
    return first + 2 * second * (jnp.exp(x) + x**2)


def compare(name: str, call, *arguments) -> None:
    """Print the times of a function op by op and compiled, and how far the results are apart."""
    compiled = jax.jit(call)
    compiling = best_time(lambda: compiled(*arguments), repeats=1)
    apart = float(jnp.max(jnp.abs(call(*arguments) - compiled(*arguments))))
    one_by_one, at_once = best_time(lambda: call(*arguments)), best_time(lambda: compiled(*arguments))
    print(f"{name}: op by op {one_by_one * 1e3:.2f} ms, compiled {at_once * 1e3:.2f} ms", end=" ")
    print(f"(first call {compiling * 1e3:.0f} ms); largest difference {apart:.1e}")


def speeds() -> None:
    """Three functions of many elements."""
    radius = np.linspace(0, 1000, ELEMENTS, dtype=np.float32)
    print(f"Plummer sphere with NumPy: {best_time(lambda: dispersion(np, radius, 15, 200)) * 1e3:.2f} ms")
    compare("Plummer sphere", lambda r: dispersion(jnp, r, 15, 200), radius)
    compare("selu", selu, jnp.linspace(-3, 3, ELEMENTS // 10))
    compare("repetitive", repetitive, jnp.linspace(0, 1, ELEMENTS))


def traces() -> None:
    """Python's side effects happen while a function is traced: once for each combination of shapes and dtypes."""
    kept = []

    @jax.jit
    def octaves(ratio):
        kept.append(repr(ratio))
        return jnp.log2(ratio)

    results = [octaves(2.0), octaves(32.0), octaves(jnp.array([4.0, 8.0])), octaves(jnp.array([1.0, 0.5]))]
    print("octaves:", [r.tolist() for r in results])
    print("traced with:", kept)


def main(folder: Path | None = None) -> None:
    """All of it."""
    speeds()
    traces()


if __name__ == "__main__":
    run(main, __doc__)
