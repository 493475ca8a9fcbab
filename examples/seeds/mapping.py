"""Functions of one example applied to many: `vmap`, its axes, and what it composes with.

python examples/seeds/mapping.py
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from shared import best_time, run

import sable as jax
import sable.numpy as jnp


def summary(sample):
    """Mean and standard deviation of one sample."""
    return jnp.mean(sample), jnp.std(sample)


def statistics() -> None:
    """The statistics of forty samples: in a loop of Python, and mapped."""
    noise = np.random.default_rng(3).normal(size=(40, 500)).astype(np.float32)
    samples = jnp.asarray(noise + np.arange(40, dtype=np.float32)[:, None])
    mapped = jax.vmap(summary)
    in_a_loop = jnp.array([summary(sample) for sample in samples])
    print("mapped as looped:", bool(jnp.allclose(jnp.stack(mapped(samples), axis=1), in_a_loop, rtol=1e-5)))
    loop, at_once = best_time(lambda: [summary(s) for s in samples]), best_time(lambda: mapped(samples))
    print(f"looped {loop * 1e3:.2f} ms, mapped {at_once * 1e3:.2f} ms")


def axes() -> None:
    """`in_axes` says along which axis of each argument the function is mapped, `out_axes` where the new axis goes."""

    def edge(row):
        return jnp.array([row[0], row[-1]])

    table = jnp.arange(12).reshape(3, 4)
    for inner, outer in ((0, 0), (0, 1), (1, 0), (1, 1)):
        result = jax.vmap(edge, in_axes=inner, out_axes=outer)(table)
        print(f"in_axes={inner}, out_axes={outer}: shape {result.shape}, {result.tolist()}")
    sums = jax.vmap(jnp.add, in_axes=(0, None), out_axes=1)(jnp.arange(4), jnp.array([40, 50]))
    print("every sum:", sums.tolist())


def matrices() -> None:
    """A function of one matrix, mapped over a stack of them along its first and along its last axis."""

    def skewness(matrix):
        return jnp.sum(jnp.abs(matrix - matrix.T)) / jnp.sum(jnp.abs(matrix))

    stack = jnp.array([[[1.0, 0.0], [0.0, 100.0]], [[1.0, 1.0], [-1.0, 1.0]]])
    print("stacked first:", jax.vmap(skewness)(stack), " last:", jax.vmap(skewness, in_axes=2)(stack))
    one_by_one = jnp.array([skewness(stack[:, :, i]) for i in range(stack.shape[2])])
    print("as in a loop:", bool(jnp.all(one_by_one == jax.vmap(skewness, in_axes=2)(stack))))


def energies() -> None:
    """Kinetic energy of three bodies along a trajectory: the states are mapped over, the masses are not."""

    def kinetic(state, masses):
        speeds = state[9:].reshape(3, 3)
        return jnp.sum(masses * jnp.sum(speeds**2, axis=1)) / 2

    trajectory = jax.random.uniform(jax.random.key(42), (100, 18))
    along = jax.vmap(kinetic, in_axes=(0, None))(trajectory, jnp.array([1.0, 1.0, 1.0]))
    print(f"energies: {along.shape}, from {along.min():.3f} to {along.max():.3f}")


def density(x, parameters):
    """The normal distribution's density at one point."""
    mean, deviation = parameters
    return jnp.exp(-(((x - mean) / deviation) ** 2) / 2) / (deviation * math.sqrt(2 * math.pi))


def densities() -> None:
    """Each `vmap` adds one axis: two of them take a function of a point to a matrix of points."""
    of_vector = jax.vmap(density, in_axes=(0, None))
    of_matrix = jax.vmap(of_vector, in_axes=(0, None))
    parameters = jnp.array([0.5, 2.0])
    points = jax.random.uniform(jax.random.key(7), (30, 30))
    expected = jax.scipy.stats.norm.pdf(points, 0.5, 2.0)
    print("densities:", of_vector(points[0], parameters).shape, of_matrix(points, parameters).shape, end=" ")
    print("as scipy.stats.norm:", bool(jnp.allclose(of_matrix(points, parameters), expected)))


def moving_means() -> None:
    """A convolution of one signal with a window, mapped over the columns of a table; results stay columns."""
    window = jnp.full(3, 1 / 3)

    def by_products(signal, window):
        return jnp.array([jnp.dot(signal[i : i + 3], window) for i in range(len(signal) - 2)])

    def by_convolution(signal, window):
        return jnp.convolve(signal, window, mode="valid")

    wave = jnp.array([3.0, 0.0, -3.0, 0.0, 3.0])
    table = jnp.stack([jnp.zeros(5), wave, jnp.ones(5)], axis=1)
    products, convolved = (
        jax.vmap(smooth, in_axes=(1, None), out_axes=1)(table, window) for smooth in (by_products, by_convolution)
    )
    print(
        "moving means:",
        (jnp.round(convolved, 4) + 0.0).tolist(),  # zeros without a sign
        "by products:",
        bool(jnp.allclose(products, convolved, atol=1e-6)),
    )


def main(folder: Path | None = None) -> None:
    """All of it."""
    statistics()
    axes()
    matrices()
    energies()
    densities()
    moving_means()


if __name__ == "__main__":
    run(main, __doc__)
