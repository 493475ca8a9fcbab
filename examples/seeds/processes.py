"""A Gaussian process: its likelihood by Cholesky factors, whose gradient finds the kernel's parameters, and what it predicts.

C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006, algorithm 2.1 and equation 5.9.

python examples/seeds/processes.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from shared import best_time, chart, run

import sable as jax
import sable.numpy as jnp
from sable.scipy.linalg import cho_solve
from sable.scipy.optimize import minimize

RNG = np.random.default_rng(11)
X = np.sort(RNG.uniform(0, 10, 40))
NOISE = 0.1
Y = np.sin(X) * np.exp(-X / 10) + NOISE * RNG.normal(size=40)


def kernel(log_parameters, x, y):
    """Covariances of the process at x and at y: squared exponential."""
    height, length = jnp.exp(log_parameters[:2])
    return height**2 * jnp.exp(-(((x[:, None] - y) / length) ** 2) / 2)


def factor(log_parameters, x):
    """The Cholesky factor of the covariance of noisy values at x."""
    noise = jnp.exp(log_parameters[2])
    return jnp.linalg.cholesky(kernel(log_parameters, x, x) + noise**2 * jnp.eye(len(x)))


def misfit(log_parameters, x, y):
    """Minus the logarithm of the marginal likelihood."""
    lower = factor(log_parameters, x)
    weights = cho_solve((lower, True), y)
    return y @ weights / 2 + jnp.sum(jnp.log(jnp.diag(lower))) + len(x) * math.log(2 * math.pi) / 2


def by_traces(log_parameters, x, y):
    """The gradient of `misfit` by the formula: tr((K^-1 - a a^T) dK) / 2 with a = K^-1 y."""

    def covariance(p):
        return kernel(p, x, x) + jnp.exp(p[2]) ** 2 * jnp.eye(len(x))

    inverse = jnp.linalg.inv(covariance(log_parameters))
    weights = inverse @ y
    return jnp.einsum("ij,jik->k", inverse - jnp.outer(weights, weights), jax.jacfwd(covariance)(log_parameters)) / 2


def predict(log_parameters, x, y, at):
    """Mean and standard deviation of the process elsewhere."""
    lower, across = factor(log_parameters, x), kernel(log_parameters, x, at)
    mean = across.T @ cho_solve((lower, True), y)
    whitened = jax.scipy.linalg.solve_triangular(lower, across, lower=True)
    return mean, jnp.sqrt(jnp.exp(log_parameters[0]) ** 2 - jnp.sum(whitened**2, axis=0))


def main(folder: Path | None = None) -> None:
    """All of it, in 64 bits."""
    with jax.enable_x64(True):
        start = jnp.log(jnp.array([1.0, 1.0, 0.3]))
        gradient = jax.jit(jax.grad(misfit))
        print(
            "gradient as by the formula:", bool(jnp.allclose(gradient(start, X, Y), by_traces(start, X, Y), rtol=1e-8))
        )
        print(f"a gradient takes {best_time(lambda: gradient(start, X, Y)) * 1e6:.0f} us")
        search = jax.jit(lambda p, x, y: minimize(misfit, p, (x, y), method="BFGS"))
        found = search(start, X, Y)
        height, length, noise = jnp.exp(found.x)
        print("converged:", bool(found.success), " likelier than before:", bool(found.fun < misfit(start, X, Y)))
        print(f"height {height:.1f}, length {length:.1f}, noise {noise:.2f}")
        at = np.linspace(0, 10, 101)
        mean, deviation = jax.jit(predict)(found.x, X, Y, at)
        within = jnp.mean(jnp.abs(mean - np.sin(at) * np.exp(-at / 10)) < 2 * deviation)
        print("within two standard deviations of the truth:", bool(within > 0.9))
        if folder is not None:
            curves = [
                (at, mean, "mean"),
                (at, mean + 2 * deviation, "+ 2 sigma"),
                (at, mean - 2 * deviation, "- 2 sigma"),
            ]
            chart(folder / "process.png", "Gaussian process", curves, (X, Y))


if __name__ == "__main__":
    run(main, __doc__)
