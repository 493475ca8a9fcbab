"""Pytrees, call signatures and random words: Sable (native, pure Python) against JAX, in one run.

    python benchmarks/tree.py

Prints nanoseconds per call, the best of several repetitions, on the tree of a small network's parameters.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.random import threefry2x32_p

from sable import _native, _threefry, tree_util
from sable.pytree import pure

PARAMETERS = {"w1": 1.0, "b1": 2.0, "w2": 3.0, "b2": 4.0, "w3": 5.0, "b3": 6.0}
CALLS, REPETITIONS = 20_000, 7


class Array:
    """Stands for an array: `signature` reads its slot."""

    __slots__ = ("aval",)


def nanoseconds(function: Callable[[], object], calls: int = CALLS) -> float:
    """The best time of one call."""
    return min(timeit.repeat(function, number=calls, repeat=REPETITIONS)) / calls * 1e9


def tree_rows() -> list[tuple[str, float, float, float]]:
    """(name, native, pure Python, JAX) for each operation on trees."""
    registries = _native.PyTreeRegistry(), pure.PyTreeRegistry(), jax.tree_util.default_registry
    rows: dict[str, list[float]] = {}

    def measure(name: str, *functions: Callable[[], object]) -> None:
        rows[name] = [nanoseconds(function) for function in functions]

    measure("flatten", *(lambda r=r: r.flatten(PARAMETERS) for r in registries))
    measure("flatten a tuple", *(lambda r=r: r.flatten((1.0, 2.0, 3.0)) for r in registries))
    measure("flatten (args, kwargs)", *(lambda r=r: r.flatten(((PARAMETERS, 1.0), {})) for r in registries))
    flatten_call = [lambda r=r: r.flatten_call((PARAMETERS, 1.0), {}) for r in registries[:2]]
    measure("flatten_call", *flatten_call, lambda: registries[2].flatten(((PARAMETERS, 1.0), {})))
    trees = [r.flatten(PARAMETERS) for r in registries]
    again = [r.flatten(PARAMETERS)[1] for r in registries]
    measure("unflatten", *(lambda t=t: t[1].unflatten(t[0]) for t in trees))
    measure("flatten_up_to", *(lambda t=t: t[1].flatten_up_to(PARAMETERS) for t in trees))
    measure("hash a treedef", *(lambda t=t: hash(t[1]) for t in trees))
    measure("compare treedefs", *(lambda t=t, a=a: t[1] == a for t, a in zip(trees, again)))
    measure("flatten_with_path", *(lambda r=r: r.flatten_with_path(PARAMETERS) for r in registries))
    maps = [lambda r=r: r.map(float, PARAMETERS, (), None, None) for r in registries[:2]]
    measure("map", *maps, lambda: jax.tree_util.tree_map(float, PARAMETERS))
    return [(name, *values) for name, values in rows.items()]  # type: ignore[misc]


def signature_times() -> tuple[float, float]:
    """Native and pure Python, of six arrays."""
    arrays = [Array() for _ in range(6)]
    for array in arrays:
        array.aval = "f32"
    first, second = (nanoseconds(lambda m=m: m.signature(arrays, Array, {}, repr)) for m in (_native, pure))
    return first, second


def threefry_times(size: int = 1_000_000) -> tuple[float, float, float]:
    """Nanoseconds per pair of words: native, NumPy, JAX."""
    words = np.arange(size, dtype=np.uint32)
    keys = np.array(1, np.uint32), np.array(2, np.uint32)
    full_keys = [jnp.full(size, key) for key in keys]
    jitted, device_words = jax.jit(lambda *operands: threefry2x32_p.bind(*operands)), jnp.asarray(words)
    functions = (
        lambda: _threefry.threefry2x32(*keys, words, words),
        lambda: _threefry._threefry_numpy(*keys, words, words),
        lambda: jax.block_until_ready(jitted(*full_keys, device_words, device_words)),
    )
    native, fallback, oracle = (nanoseconds(function, 5) / size for function in functions)
    return native, fallback, oracle


def main() -> None:
    """Prints the tables."""
    print(f"{'':24}{'native':>10}{'pure':>10}{'JAX':>10}   ns")
    for name, *values in tree_rows():
        print(f"{name:24}" + "".join(f"{value:10.0f}" for value in values))
    native, pure = signature_times()
    print(f"{'signature of 6 arrays':24}{native:10.0f}{pure:10.0f}{'-':>10}")
    print(f"{'threefry, per pair':24}" + "".join(f"{value:10.2f}" for value in threefry_times()))
    public, oracle = (nanoseconds(lambda m=m: m.tree_flatten(PARAMETERS)) for m in (tree_util, jax.tree_util))
    print(f"{'tree_util.tree_flatten':24}{public:10.0f}{'-':>10}{oracle:10.0f}")


if __name__ == "__main__":
    main()
