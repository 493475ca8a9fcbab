"""custom_vmap and sequential_vmap against JAX: values, what rules are asked, derivatives, errors."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

from ..numpy.oracle import Programs, check

X = np.array([0.5, 1.0, 2.0], np.float32)


def product(j: Any, asked: list | None = None) -> Any:
    """sin(x) y, and cos(x) y of batches."""

    @j.custom_batching.custom_vmap
    def f(x: Any, y: Any) -> Any:
        return j.numpy.sin(x) * y

    @f.def_vmap
    def rule(size: int, batched: list, x: Any, y: Any) -> Any:
        if asked is not None:
            asked.append((size, batched, x.shape, y.shape))
        return j.numpy.cos(x) * y, any(batched)

    return f


def of_tree(j: Any) -> Any:
    @j.custom_batching.custom_vmap
    def f(t: Any) -> Any:
        return {"a": t["x"] * 2, "b": t["y"]}

    @f.def_vmap
    def rule(size: int, batched: list, t: Any) -> Any:
        return {"a": t["x"] * 3, "b": t["y"]}, {"a": True, "b": batched[0]["y"]}

    return f


def closing(j: Any, z: Any) -> Any:
    f = j.custom_batching.custom_vmap(lambda x: x + z)
    f.def_vmap(lambda size, batched, x: (x * z, True))
    return f


def with_derivative(j: Any) -> Any:
    @j.custom_vjp
    @j.custom_batching.custom_vmap
    def f(x: Any, y: Any) -> Any:
        return j.numpy.sin(x) * y

    f.def_vmap(lambda size, batched, x, y: (j.numpy.cos(x) * y, True))
    f.defvjp(lambda x, y: (f(x, y), y), lambda y, ct: (ct * y, 2 * ct))
    return f


def pushed(f: Callable, *moving: Any) -> Callable:
    """The tangent along the arguments themselves."""
    return lambda j, x: j.vmap(lambda a: j.jvp(functools.partial(f, j), (a,), moving or (a,)))(x)


PROGRAMS: dict[str, Callable] = {
    "call": lambda j, x: product(j)(x, x),
    "batch": lambda j, x: j.vmap(product(j))(x, x),
    "one argument is mapped": lambda j, x: j.vmap(product(j), (0, None))(x, 2.0),
    "none is mapped": lambda j, x: j.vmap(lambda z: product(j)(1.0, 2.0) + z)(x),
    "compiled batch": lambda j, x: j.jit(j.vmap(product(j)))(x, x),
    "batch of compiled": lambda j, x: j.vmap(j.jit(product(j)), (None, 0))(2.0, x),
    "nested": lambda j, x: j.vmap(j.vmap(product(j), (0, None)), (None, 0))(x, x),
    "tangent": lambda j, x: j.jvp(product(j), (x, x), (x, x)),
    "tangent of a batch": lambda j, x: j.jvp(j.vmap(product(j)), (x, x), (x, x)),
    "batch of tangents": pushed(lambda j, a: product(j)(a, a)),
    "batch of tangents that are one": pushed(lambda j, a: product(j)(a, a), 1.0),
    "tangent of a batch of tangents": lambda j, x: j.jvp(
        lambda x: pushed(lambda j, a: product(j)(a, a))(j, x), (x,), (x,)
    ),
    "gradient of a batch": lambda j, x: j.grad(lambda x: j.vmap(product(j))(x, x).sum())(x),
    "by name": lambda j, x: j.vmap(lambda x: product(j)(x, y=x))(x),
    "tree": lambda j, x: j.vmap(of_tree(j))({"x": x, "y": x}),
    "part of a tree": lambda j, x: j.vmap(of_tree(j), ({"x": 0, "y": None},))({"x": x, "y": 1.0}),
    "closed over": lambda j, x: j.jit(lambda z: j.vmap(closing(j, z))(x))(2.0),
    "closed over and compiled": lambda j, x: j.jit(lambda z: j.vmap(j.jit(closing(j, z)))(x))(2.0),
    "tangent of what is closed over": lambda j, x: j.jvp(lambda z: j.vmap(closing(j, z))(x), (2.0,), (1.0,)),
    "with a derivative": lambda j, x: (j.vmap(with_derivative(j))(x, x), j.grad(with_derivative(j))(0.0, 1.0)),
    "loop": lambda j, x: j.vmap(j.custom_batching.sequential_vmap(lambda x, y: (x + y, y)), (0, None))(x, 1.0),
    "loop in a loop": lambda j, x: j.vmap(j.vmap(j.custom_batching.sequential_vmap(lambda x: x * x)))(x[None]),
}
ALL = Programs(PROGRAMS, (X,))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    ALL.check(name)


def test_what_rules_are_asked() -> None:
    asked: list = []
    f = product(sable, asked)
    sable.vmap(f, (None, 0))(1.0, X)
    sable.vmap(lambda x: sable.jvp(lambda x: f(x, 2.0), (x,), (1.0,)))(X)  # the derivative of the rule for one example
    assert asked == [(3, [False, True], (), (3,)), (3, [False, False], (), ())]


def test_a_tangent_beside_an_operand_that_is_mapped_alone() -> None:
    """x and its tangent are mapped, y alone: the rule is asked for a batch of both."""
    f = product(sable)
    out, tangent = sable.vmap(lambda x, y: sable.jvp(f, (x, y), (x, 1.0)))(X, X)
    np.testing.assert_allclose(out, np.cos(X) * X, rtol=1e-6)
    np.testing.assert_allclose(tangent, -np.sin(X) * X * X + np.cos(X), rtol=1e-6)


def bad(result: Any) -> Callable:
    def program(j: Any) -> Any:
        f = j.custom_batching.custom_vmap(lambda x: x)
        f.def_vmap(lambda size, batched, x: result)
        return j.vmap(f)(X)

    return program


ERRORS = {
    "no rule": lambda j: j.custom_batching.custom_vmap(lambda x: x)(1.0),
    "gradient": lambda j: j.grad(product(j))(1.0, 2.0),
    "linearize": lambda j: j.linearize(product(j), 1.0, 2.0),
    "unknown argument": lambda j: product(j)(1.0, z=2.0),
    "structure of marks": bad((X, [True])),
    "structure of results": bad(((X,), (True,))),
    "no pair": bad(X),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    check(ERRORS[name])


def test_types_that_rules_must_return() -> None:
    with pytest.raises(ValueError, match=r"must return float32\[3\]"):
        bad((np.zeros(7, np.float32), True))(sable)
