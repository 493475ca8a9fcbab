"""Fits by gradient descent, whose parameters are a dict, a list or a tuple of arrays.

python examples/seeds/fitting.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shared import chart, run

import sable as jax
import sable.numpy as jnp
from sable import lax


def containers() -> None:
    """What counts as one leaf: all that is no dict, list, tuple or None."""
    for tree in ({"a": 0, "b": (1, 2)}, (1, (2, 3), ()), [1, {"k": 2, "l": (3, 4)}, None], jnp.arange(3), ["text", 5]):
        leaves = jax.tree.leaves(tree)
        print(f"{tree!r} has {len(leaves)}: {leaves}")


@partial(jax.jit, static_argnames=("loss", "steps"))
def descend(loss, parameters, rates, steps: int):
    """Gradient descent with a rate for each parameter: the parameters, and the losses on the way."""

    def step(parameters, _):
        value, gradient = jax.value_and_grad(loss)(parameters)
        return jax.tree.map(lambda p, rate, g: p - rate * g, parameters, rates, gradient), value

    return lax.scan(step, parameters, length=steps)


def straight_line(folder: Path | None) -> None:
    """Slope and offset in a dict, with a step compiled by itself and called in a loop of Python."""
    x = jnp.linspace(-1, 1, 50)
    y = 2 * x + 10 + 0.3 * jax.random.normal(jax.random.key(0), x.shape)

    def loss(line, x, y):
        return jnp.mean((line["slope"] * x + line["offset"] - y) ** 2)

    @jax.jit
    def step(line, x, y):
        return jax.tree.map(lambda p, g: p - 0.1 * g, line, jax.grad(loss)(line, x, y))

    line = {"slope": jnp.array(1.0), "offset": jnp.array(0.0)}
    for _ in range(50):
        line = step(line, x, y)
    print(f"straight line: slope {line['slope']:.2f}, offset {line['offset']:.2f}")
    if folder is not None:
        chart(folder / "line.png", "straight line", [(x, line["slope"] * x + line["offset"], "fit")], (x, y))


def kinked(parameters, x):
    """Two half lines that meet at x = 0."""
    left, right, height = parameters
    return height + x * lax.cond(x < 0, lambda: left, lambda: right)


def kinked_line(folder: Path | None) -> None:
    """A model of one point with `cond` in it, mapped over the points; its parameters are a list."""
    x = jnp.linspace(-1, 1, 100)
    model = jax.vmap(kinked, in_axes=(None, 0))
    y = model([-0.5, 2.3, 1.0], x) + jax.random.uniform(jax.random.key(42), x.shape, minval=-0.2, maxval=0.2)
    start = [jnp.array(0.5), jnp.array(0.5), jnp.array(0.5)]
    fit, losses = descend(lambda p: jnp.sum((model(p, x) - y) ** 2), start, [0.005] * 3, 60)
    print("kinked line:", [round(float(p), 1) for p in fit], f"loss from {losses[0]:.1f} to {losses[-1]:.1f}")
    if folder is not None:
        chart(folder / "kink.png", "kinked line", [(x, model(start, x), "start"), (x, model(fit, x), "fit")], (x, y))


def lorentzian(x, centre, width):
    """A peak of height one."""
    return 1 / (1 + ((x - centre) / width) ** 2)


def peak(folder: Path | None) -> None:
    """The slopes of a peak lead uphill from either side; descent finds centre and width of a noisy one."""
    slope = jax.vmap(jax.grad(lorentzian), in_axes=(0, None, None))
    where = jnp.array([-5.0, -1.0, 1.0, 5.0])
    print("slopes of a peak:", jnp.round(slope(where, 0.0, 1.0), 4))
    x = jnp.linspace(-10, 10, 200)
    y = lorentzian(x, 1.5, 2.0) + 0.02 * jax.random.normal(jax.random.key(1), x.shape)
    fit, _ = descend(lambda p: jnp.mean((lorentzian(x, *p) - y) ** 2), (0.0, 1.0), (5.0, 5.0), 200)
    print(f"peak: centre {fit[0]:.2f}, width {fit[1]:.2f}")
    if folder is not None:
        curves = [(x, lorentzian(x, *fit), "fit"), (x, slope(x, *fit), "its slope")]
        chart(folder / "peak.png", "Lorentzian", curves, (x, y))


def decay(folder: Path | None) -> None:
    """Exponential decay with known errors: the likelihood's gradient beside finite differences, then a fit."""

    def model(x, height, log_length, floor):
        return height * jnp.exp(-x / jnp.exp(log_length)) + floor

    with jax.enable_x64(True):
        x = jnp.linspace(0.0, 1000.0, 15)
        y = model(x, 1.0, jnp.log(100.0), 5.0) + 0.1 * jax.random.normal(jax.random.key(5), x.shape)

        def misfit(parameters):
            return jnp.sum(0.5 * ((model(x, *parameters) - y) / 0.1) ** 2)

        at = jnp.array([2.0, 5.0, 6.0])
        gradient, small = jax.jacobian(misfit)(at), 1e-5 * jnp.eye(3)
        differences = jnp.array([(misfit(at + d) - misfit(at - d)) / 2e-5 for d in small])
        print("decay: gradient as by differences:", bool(jnp.allclose(gradient, differences, rtol=1e-6)))
        fit, losses = descend(misfit, tuple(at), (3e-4,) * 3, 3000)
        height, length, floor = fit[0], jnp.exp(fit[1]), fit[2]
        print(f"decay: height {height:.2f}, length {length:.0f}, floor {floor:.2f}, misfit {losses[-1]:.2f}")
        if folder is not None:
            chart(folder / "decay.png", "exponential decay", [(x, model(x, *fit), "fit")], (x, y))


def velocities() -> None:
    """Mean and spread of velocities that are measured with errors: the maximum of their posterior."""
    norm, uniform = jax.scipy.stats.norm, jax.scipy.stats.uniform
    first, second, third = jax.random.split(jax.random.key(150), 3)
    errors = 2 + 2 * jax.random.uniform(first, (1000,))
    measured = 150 + 20 * jax.random.normal(second, (1000,)) + errors * jax.random.normal(third, (1000,))

    def log_posterior(parameters):
        mean, spread = parameters
        prior = uniform.logpdf(mean, 0, 200) + uniform.logpdf(spread, 0, 100)
        return jnp.sum(norm.logpdf(measured, mean, jnp.sqrt(spread**2 + errors**2))) + prior

    print("velocities: outside of the prior", log_posterior((-5.0, 10.0)))
    fit, _ = descend(lambda p: -log_posterior(p) / 1000, (130.0, 10.0), (100.0, 50.0), 100)
    print(f"velocities: mean {fit[0]:.1f}, spread {fit[1]:.1f}")


def main(folder: Path | None = None) -> None:
    """All of it."""
    containers()
    straight_line(folder)
    kinked_line(folder)
    peak(folder)
    decay(folder)
    velocities()


if __name__ == "__main__":
    run(main, __doc__)
