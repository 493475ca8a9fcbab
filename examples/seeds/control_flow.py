"""Branches and loops under `jit`: what a traced value cannot decide, and the four ways round it.

python examples/seeds/control_flow.py
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from shared import error_of, run

import sable as jax
import sable.numpy as jnp
from sable import lax


def below_zero(x):
    """-|x|, by a branch of Python."""
    if x > 0:
        return -x
    return x


def branches() -> None:
    """A branch needs a value; a selection between two computed values does not."""
    print("called:", below_zero(4), below_zero(-4), " compiled:", error_of(lambda: jax.jit(below_zero)(4)))
    select = jax.jit(lambda x: jnp.where(x > 0, -x, x))
    print("selected:", select(4), select(-4))
    print("elements by a mask:", error_of(lambda: jax.jit(lambda x: x[x < 0])(jnp.arange(-2, 2))))


def count_up(start, steps):
    """A loop whose length is an argument."""
    for _ in range(steps):
        start = start + 1
    return start


def static_arguments() -> None:
    """A static argument is an ordinary Python value; the function is traced anew for each value."""
    print("length of a loop traced:", error_of(lambda: jax.jit(count_up)(5, 3)))
    compiled = jax.jit(count_up, static_argnums=1)
    print("static:", compiled(5, 3), compiled(5, 30))

    orders = []

    @partial(jax.jit, static_argnames="order")
    def size(vector, order):
        orders.append(order)
        if order == 1:
            return jnp.sum(jnp.abs(vector))
        return jnp.sqrt(jnp.sum(vector**2))

    vector = jnp.array([3.0, -4.0])
    print("sizes:", [float(size(vector, order=order)) for order in (1, 2, 1, 2)], "traced for", orders)


class Line:
    """A method compiled for each object: `self` is static, found by its identity."""

    def __init__(self, slope: float):
        self.slope = slope

    @partial(jax.jit, static_argnums=0)
    def at(self, x):
        """The height at x."""
        return self.slope * x


def loops() -> None:
    """Python's `while` is unrolled as it is traced; `while_loop` stays a loop, of any number of steps."""

    def halvings(x, limit):
        steps = 0
        while x > limit:
            x, steps = x / 2, steps + 1
        return steps

    def halvings_in_a_loop(x, limit):
        return lax.while_loop(lambda s: s[0] > limit, lambda s: (s[0] / 2, s[1] + 1), (x, 0))[1]

    print("while, traced:", error_of(lambda: jax.jit(halvings)(100.0, 1.0)))
    print("while, static:", jax.jit(lambda x: x + halvings(100.0, 1.0))(0))
    compiled = jax.jit(halvings_in_a_loop)
    print("while_loop:", compiled(100.0, 1.0), compiled(1e6, 1.0))


def main(folder: Path | None = None) -> None:
    """All of it."""
    branches()
    static_arguments()
    print("methods:", Line(2.0).at(3.0), Line(5.0).at(3.0))
    loops()


if __name__ == "__main__":
    run(main, __doc__)
