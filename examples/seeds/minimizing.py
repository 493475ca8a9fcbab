"""Minima: SciPy's `minimize` with derivatives of ours, and `jax.scipy.optimize.minimize`, one compiled program.

python examples/seeds/minimizing.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import scipy.optimize
from shared import best_time, chart, run

import sable as jax
import sable.numpy as jnp
from sable.scipy.optimize import minimize

START = np.array([5.0, 200.0, 10.0])
X = np.linspace(0.0, 1000.0, 15)
Y = np.exp(-X / 100.0) + 5 + 0.1 * np.random.default_rng(4).normal(size=15)
ERROR = 0.1


def decay(x, height, length, floor):
    """Exponential decay towards a floor."""
    return height * jnp.exp(-x / length) + floor


def misfit(parameters, x, y):
    """Half the sum of squares: minus the logarithm of the likelihood."""
    return jnp.sum(((decay(x, *parameters) - y) / ERROR) ** 2) / 2


def with_scipy() -> np.ndarray:
    """SciPy gets values by themselves, with the gradient, and with the Hessian too: ever fewer evaluations."""
    value, slope, curvature = (jax.jit(f) for f in (misfit, jax.jacobian(misfit), jax.hessian(misfit)))
    ways = {
        "values only": {},
        "with the gradient": {"jac": slope},
        "with the Hessian": {"jac": slope, "hess": curvature, "method": "trust-exact"},
    }
    found = {
        name: scipy.optimize.minimize(value, START, (X, Y), tol=1e-7, **derivatives)
        for name, derivatives in ways.items()
    }
    for name, each in found.items():
        height, length, floor = each.x
        print(
            f"{name}: height {height:.2f}, length {length:.0f}, floor {floor:.2f}; {each.nfev} values, {each.nit} steps"
        )
    counts = [each.nfev for each in found.values()]
    print("fewer values with each derivative:", counts == sorted(counts, reverse=True) and len(set(counts)) == 3)
    return found["with the Hessian"].x


def speeds() -> None:
    """The same search with the function op by op, and compiled."""
    ways = [(misfit, jax.grad(misfit)), (jax.jit(misfit), jax.jit(jax.grad(misfit)))]
    times = [
        best_time(lambda f=f, g=g: scipy.optimize.minimize(f, START, (X, Y), jac=g, tol=1e-7).x, repeats=2)
        for f, g in ways
    ]
    print(f"SciPy's search: op by op {times[0] * 1e3:.1f} ms, compiled {times[1] * 1e3:.1f} ms")


def as_one_program(expected: np.ndarray) -> None:
    """The whole search compiled, and mapped over many measurements."""
    scale = jnp.asarray(START)

    @jax.jit
    def search(y):
        found = minimize(lambda p: misfit(p * scale, X, y), jnp.ones(3), method="BFGS", tol=1e-6)
        return found.x * scale

    print("compiled search, the same minimum:", bool(jnp.allclose(search(Y), expected, rtol=1e-3)))
    print(f"compiled search: {best_time(lambda: search(Y)) * 1e3:.2f} ms")
    noise = ERROR / 5 * np.random.default_rng(5).normal(size=(200, 15))
    lengths = jax.vmap(search)(np.exp(-X / 100.0) + 5 + noise)[:, 1]
    print(f"two hundred measurements: median length {jnp.median(lengths):.0f}")


def main(folder: Path | None = None) -> None:
    """All of it, in 64 bits, as SciPy computes."""
    with jax.enable_x64(True):
        best = with_scipy()
        speeds()
        as_one_program(best)
        if folder is not None:
            chart(folder / "decay_fit.png", "exponential decay", [(X, decay(X, *best), "fit")], (X, Y))


if __name__ == "__main__":
    run(main, __doc__)
