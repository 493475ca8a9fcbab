"""Roots and linear equations by the user's solvers, composites, branches by platform: against JAX."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable
from sable import lax

from ..numpy.oracle import Programs, check

A = np.array([[4, 1, 0], [2, 5, 1], [0, 1, 3]], np.float32)
B = np.array([1, 2, 3], np.float32)


def richardson(j: Any, step: float) -> Callable:
    """x + step (b - A x), again and again: not to be differentiated in reverse."""

    def solve(matvec: Any, b: Any) -> Any:
        return j.lax.while_loop(
            lambda state: state[0] < 90,
            lambda state: (state[0] + 1, state[1] + step * (b - matvec(state[1]))),
            (0, j.numpy.zeros_like(b)),
        )[1]

    return solve


def solution(j: Any, a: Any, b: Any) -> Any:
    solve = richardson(j, 0.15)
    return j.lax.custom_linear_solve(lambda x: a @ x, b, solve, solve)


def symmetric(j: Any, a: Any, b: Any) -> Any:
    return j.lax.custom_linear_solve(lambda x: (a + a.T) @ x, b, richardson(j, 0.07), symmetric=True)


def with_aux(j: Any, a: Any, b: Any) -> Any:
    def solve(matvec: Any, b: Any) -> Any:
        return richardson(j, 0.15)(matvec, b), {"norm": b.sum()}

    return j.lax.custom_linear_solve(lambda x: a @ x, b, solve, solve, has_aux=True)


def without_transpose(j: Any, a: Any, b: Any) -> Any:
    return j.lax.custom_linear_solve(lambda x: a @ x, b, richardson(j, 0.15))


def root(j: Any, a: Any) -> Any:
    def newton(f: Any, x: Any) -> Any:
        return j.lax.fori_loop(0, 30, lambda _, x: x - f(x) / (3 * x * x), x)

    return j.lax.custom_root(
        lambda x: x * x * x - a, j.numpy.ones_like(a), newton, lambda g, y: y / g(j.numpy.ones_like(y))
    )


def square(f: Callable) -> Callable:
    """The sum of squares of the leaves of the result."""
    return lambda j, *xs: sum((y * y).sum() for y in j.tree_util.tree_leaves(f(j, *xs)))


def grad(f: Callable) -> Callable:
    return lambda j, *xs: j.grad(functools.partial(square(f), j), tuple(range(len(xs))))(*xs)


def mapped(f: Callable, axes: Any = 0) -> Callable:
    def run(j: Any, *xs: Any) -> Any:
        on = axes if isinstance(axes, tuple) else (axes,) * len(xs)
        both = [j.numpy.stack([x, x * 1.1]) if a == 0 else x for x, a in zip(xs, on)]
        return j.vmap(functools.partial(f, j), on)(*both)

    return run


def first(f: Callable) -> Callable:
    return lambda j, *xs: f(j, *xs)[0]


EQUATIONS = {
    "solution": solution,
    "gradients": grad(solution),
    "tangent": lambda j, a, b: j.jvp(functools.partial(solution, j), (a, b), (a * 0.1, b)),
    "tangent of one": lambda j, a, b: j.jvp(lambda b: solution(j, a, b), (b,), (b,)),
    "second order": lambda j, a, b: j.hessian(lambda b: square(solution)(j, a * b[0], b))(b),
    "batch": mapped(solution),
    "batch of right-hand sides": mapped(solution, (None, 0)),
    "gradients of a batch": mapped(grad(solution), (0, None)),
    "symmetric": lambda j, a, b: (symmetric(j, a, b), grad(symmetric)(j, a, b)),
    "auxiliary output": with_aux,
    "batch of auxiliary output": mapped(with_aux),
    "gradients beside auxiliary output": grad(first(with_aux)),
    "forward mode needs no transpose": lambda j, a, b: j.jvp(functools.partial(without_transpose, j), (a, b), (a, b)),
    "weak": lambda j, a, b: j.lax.custom_linear_solve(lambda x: 2 * x, 3.0, lambda f, y: y / f(1.0)),
    "composite": lambda j, a, b: j.lax.composite(lambda x, *, k: j.numpy.sin(x) * k, "my.sine")(b, k=2.0),
    "platform": lambda j, a, b: j.lax.platform_dependent(b, cpu=lambda x: 2 * x, default=lambda x: x),
    "other platform": lambda j, a, b: j.lax.platform_dependent(b, tpu=lambda x: 2 * x, default=lambda x: -x),
}
LINEAR = Programs(EQUATIONS, (A, B))


@pytest.mark.parametrize("name", EQUATIONS)
def test_linear_equations(name: str) -> None:
    LINEAR.check(name, rtol=1e-4, atol=1e-4)


def test_compiled() -> None:
    names = ["gradients", "batch", "tangent", "platform", "other platform", "composite"]
    programs = {name: functools.partial(EQUATIONS[name], sable) for name in names}
    compiled = sable.jit(lambda a, b: {name: run(a, b) for name, run in programs.items()})(A, B)
    for name, run in programs.items():
        for x, y in zip(sable.tree_util.tree_leaves(compiled[name]), sable.tree_util.tree_leaves(run(A, B))):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


ROOTS = {
    "root": root,
    "gradient": grad(root),
    "second derivative": lambda j, a: j.grad(j.grad(lambda a: root(j, a)))(a[0]),
    "tangent": lambda j, a: j.jvp(functools.partial(root, j), (a,), (a,)),
    "batch": lambda j, a: j.vmap(functools.partial(grad(root), j))(a),
}
CUBES = Programs(ROOTS, (np.array([8, 27], np.float32),))


@pytest.mark.parametrize("name", ROOTS)
def test_roots(name: str) -> None:
    CUBES.check(name, rtol=1e-4, atol=1e-5)


def test_auxiliary_integers_of_roots_have_no_derivative() -> None:
    def f(a: Any) -> Any:
        found = lax.custom_root(lambda x: x - a, 1.0, lambda f, x: (x - f(x), {"n": 4}), lambda g, y: y, has_aux=True)
        return found[0] * a, found[1]

    slope, aux = sable.grad(f, has_aux=True)(3.0)
    assert (slope, aux["n"]) == (6.0, 4)


ERRORS = {
    "shape": lambda j: j.lax.custom_linear_solve(lambda x: x, B, lambda f, y: y[:2]),
    "structure": lambda j: j.lax.custom_linear_solve(lambda x: x, B, lambda f, y: (y,)),
    "no auxiliary output": lambda j: j.lax.custom_linear_solve(lambda x: x, B, lambda f, y: y, has_aux=True),
    "no transpose": lambda j: j.grad(lambda b: without_transpose(j, A, b).sum())(B),
    "f": lambda j: j.lax.custom_root(lambda x: (x,), 1.0, lambda f, x: x, lambda g, y: y),
    "solve": lambda j: j.lax.custom_root(lambda x: x, 1.0, lambda f, x: (x,), lambda g, y: y),
    "tangent_solve": lambda j: j.lax.custom_root(lambda x: x, 1.0, lambda f, x: x, lambda g, y: (y,)),
    "no pair": lambda j: j.lax.custom_root(lambda x: x, 1.0, lambda f, x: x, lambda g, y: y, has_aux=True),
    "gradient of a composite": lambda j: j.grad(j.lax.composite(lambda x: x * x, "my.square"))(1.0),
    "composite of a tracer": lambda j: j.jit(lambda x: j.lax.composite(lambda y: x * y, "n")(2.0))(1.0),
    "attribute": lambda j: j.jit(lambda x: j.lax.composite(lambda y, *, k: k * y, "n")(2.0, k=x))(1.0),
    "no platform": lambda j: j.lax.platform_dependent(3.0, tpu=lambda x: x),
    "gpu": lambda j: j.lax.platform_dependent(3.0, gpu=lambda x: x),
    "no function": lambda j: j.lax.platform_dependent(3.0, cpu=1),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    check(ERRORS[name])


def test_a_program_for_no_platform_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="no branch for 'cpu'"):
        sable.jit(lambda x: lax.platform_dependent(x, tpu=lambda x: x))(1.0)
