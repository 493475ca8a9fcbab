"""Derivatives: of expressions, through branches of Python, of several arguments and orders, with what else is returned.

python examples/seeds/derivatives.py [FOLDER FOR CHARTS]
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from shared import chart, error_of, run

import sable as jax
import sable.numpy as jnp


def against_the_formula(folder: Path | None) -> None:
    """`grad` differentiates a function of a scalar; mapped, it gives the derivative at many points."""
    x = jnp.linspace(0.1, 10, 400)

    def f(x):
        return jnp.sin(x) + jnp.log(x)

    slopes = jax.vmap(jax.grad(f))(x)
    print("sin x + log x: as the formula:", bool(jnp.allclose(slopes, jnp.cos(x) + 1 / x)))
    if folder is not None:
        chart(folder / "slopes.png", "sin x + log x", [(x, f(x), "f"), (x, slopes, "f'")])


def piecewise(x, y):
    """Three formulas; which one holds is decided by Python."""
    if x <= 5:
        return jnp.sin(x) * y
    if x < 10:
        return x**2 + y**2
    return jnp.sqrt(x) + jnp.exp(y)


def through_branches(folder: Path | None) -> None:
    """Outside of `jit` a derivative knows its argument's value, and Python's branches work."""
    for x in (1.0, 7.0, 16.0):
        print(f"piecewise at {x}: {piecewise(x, 3.0):.4f}, slope {jax.grad(piecewise)(x, 3.0):.4f}")
    print("compiled:", error_of(lambda: jax.jit(piecewise)(1.0, 3.0)))
    if folder is not None:
        x = np.linspace(0, 15, 120)
        values, slopes = [piecewise(v, 3.0) for v in x], [jax.grad(piecewise)(v, 3.0) for v in x]
        chart(folder / "piecewise.png", "through branches", [(x, values, "f"), (x, slopes, "f'")])


def chebyshev(degree: int):
    """The polynomial of a degree, by its definition cos(n arccos x)."""
    return lambda x: jnp.cos(degree * jnp.arccos(x))


def chebyshev_slopes(folder: Path | None) -> None:
    """Slopes against those of the polynomials written out; at the ends of the interval arccos has none."""
    x = jnp.linspace(-0.99, 0.99, 100)
    written = {2: 4 * x, 3: 12 * x**2 - 3, 4: 32 * x**3 - 16 * x}
    slopes = {degree: jax.vmap(jax.grad(chebyshev(degree)))(x) for degree in written}
    for degree, expected in written.items():
        one = jax.grad(chebyshev(degree))(x[0])
        error = float(jnp.max(jnp.abs(slopes[degree] - expected)))
        print(f"T{degree}' at {x[0]:.2f}: {one:.3f}; largest error {error:.0e}")
    ends = jnp.linspace(-1.0, 1.0, 4)
    print("from end to end:", jax.vmap(jax.grad(chebyshev(2)))(ends))
    with jax.debug_nans(True):
        print("where NaN is an error:", error_of(lambda: jax.vmap(jax.grad(chebyshev(2)))(ends)))
    if folder is not None:
        curves = [(x, slope, f"T{degree}'") for degree, slope in slopes.items()]
        chart(folder / "chebyshev.png", "slopes of Chebyshev polynomials", curves)


def arguments() -> None:
    """The first argument, or those that `argnums` names; arrays as well as scalars, but no integers, and no NumPy."""

    def f(x, y, z):
        return x**2 * y + z**3

    print("by x:", jax.grad(f)(2.0, 3.0, 4.0), " by y:", jax.grad(f, argnums=1)(2.0, 3.0, 4.0))
    print("by x and z:", jax.grad(f, argnums=(0, 2))(2.0, 3.0, 4.0))
    print("by an array:", jax.grad(lambda x, y: jnp.sum(x**3 * y))(jnp.ones((2, 2)), jnp.arange(2.0)).tolist())
    print("of integers:", error_of(lambda: jax.grad(f)(2, 3, 4)))
    print("of a vector:", error_of(lambda: jax.grad(jnp.sin)(jnp.ones(3))))
    print("of NumPy's cosine:", error_of(lambda: jax.grad(lambda x: np.cos(2 * x))(1.0)))


def higher_orders() -> None:
    """Derivatives of derivatives, products with Jacobians, and a Hessian, forward over reverse and compiled."""

    def total(x):
        return jnp.sum(1 / (1 + jnp.exp(-x)))

    x = jnp.arange(3.0)
    print("second derivative of x^3 at 2:", jax.grad(jax.grad(lambda x: x**3))(2.0))
    slopes, along = jax.grad(total)(x), jax.jvp(total, (x,), (jnp.ones(3),))[1]
    (back,) = jax.vjp(total, x)[1](1.0)
    print("gradient:", jnp.round(slopes, 4), f"by vjp: {bool(jnp.allclose(back, slopes))}, along ones: {along:.4f}")
    hessian = jax.jit(jax.jacfwd(jax.jacrev(total)))(x)
    print("diagonal of the Hessian:", jnp.round(jnp.diagonal(hessian), 4), "beside it:", float(jnp.abs(hessian[0, 1])))


GRAVITY = 9.81


def action(state, mass):
    """The Lagrangian of a body that falls, beside its kinetic and its potential energy."""
    kinetic = mass * jnp.sum(state[3:] ** 2) / 2
    potential = mass * GRAVITY * state[2]
    return kinetic - potential, (kinetic, potential)


def more_results() -> None:
    """`has_aux` passes on what is returned beside the value, `value_and_grad` the value too."""
    state = jnp.array([2.0, 3.0, 4.0, 1.0, 2.0, 3.0])
    gradient, (kinetic, potential) = jax.grad(action, has_aux=True)(state, 1.0)
    print(f"energies {kinetic:.2f} and {potential:.2f}, gradient", gradient)
    (value, _), again = jax.value_and_grad(action, has_aux=True)(state, 1.0)
    print(f"action {value:.2f}, the same gradient: {bool(jnp.all(gradient == again))}")


def main(folder: Path | None = None) -> None:
    """All of it."""
    against_the_formula(folder)
    through_branches(folder)
    chebyshev_slopes(folder)
    arguments()
    higher_orders()
    more_results()


if __name__ == "__main__":
    run(main, __doc__)
