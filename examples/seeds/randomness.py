"""Random numbers: keys are values, each used once; samplers are functions of a key, and are mapped like any other.

python examples/seeds/randomness.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import error_of, run

import sable as jax
import sable.numpy as jnp
from sable import random


def keys() -> None:
    """A key is made of a seed, and split into as many new ones as are needed."""
    key = random.PRNGKey(42)
    print("key", key, "split into", random.split(key).tolist())
    typed, draw = random.split(random.key(42))
    print("typed:", typed.dtype, "with the same words:", bool(jnp.all(random.key_data(draw) == random.split(key)[1])))
    same = random.uniform(draw, (3,)) == random.uniform(draw, (3,))
    print("one key twice gives the same numbers:", bool(jnp.all(same)))
    key, vector_key, *matrix_keys = random.split(typed, 12)
    matrices = [random.normal(k, (20, 20)) for k in matrix_keys]
    print("a vector", random.uniform(vector_key, (3,)).shape, "and", len(matrices), "matrices, all different:", end=" ")
    print(len({float(m[0, 0]) for m in matrices}) == len(matrices))


def one_by_one() -> None:
    """NumPy's generator gives the same numbers one by one and at once; numbers of split keys are others."""
    single, many = np.random.default_rng(0), np.random.default_rng(0)
    print("NumPy:", np.array_equal([single.uniform() for _ in range(3)], many.uniform(size=3)))
    each = jnp.stack([random.normal(key) for key in random.split(random.PRNGKey(42), 3)])
    at_once = random.normal(random.PRNGKey(42), (3,))
    print("one by one:", each, " at once:", at_once)


def mapped() -> None:
    """A sampler mapped over keys, and over its parameter with one key."""
    over_keys = jax.vmap(random.normal)(random.split(random.PRNGKey(42), 3))
    print("over keys:", over_keys)
    rates = jnp.array([0.1, 10.0])
    counts = jax.vmap(lambda key, rate: random.bernoulli(key, rate / 20, (1000,)).sum(), in_axes=(None, 0))
    print("over a parameter:", counts(random.key(1), rates))
    freedoms = jnp.array([1, 2, 50])
    tails = jax.vmap(lambda key, freedom: random.t(key, freedom, (1000,)), in_axes=(None, 0))(random.key(42), freedoms)
    print("Student's t beyond 3, with", freedoms, "degrees of freedom:", jnp.sum(jnp.abs(tails) > 3, axis=1))
    print("over a list:", error_of(lambda: jax.vmap(random.bernoulli, in_axes=(None, 0))(random.key(1), [0.1, 0.9])))


def main(folder: Path | None = None) -> None:
    """All of it."""
    keys()
    one_by_one()
    mapped()


if __name__ == "__main__":
    run(main, __doc__)
