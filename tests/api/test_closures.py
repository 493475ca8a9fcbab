"""closure_convert and linear_call against JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

from ..numpy.oracle import Programs, check

X = np.array([0.5, 1.0, 2.0], np.float32)


def converted(j: Any) -> Callable:
    """x y + 0, 1, 2, with y among the arguments; and how many closed-over values became arguments."""

    def f(y: Any) -> Any:
        g, values = j.closure_convert(lambda t: t["x"] * y + j.numpy.arange(3.0), {"x": 1.0})
        return (g({"x": 3.0}, *values) ** 2).sum() * len(values)

    return f


def quotient(j: Any) -> Callable:
    """x / r, whose transpose is said to be 7 ct + r."""

    def f(r: Any, x: Any) -> Any:
        return j.custom_derivatives.linear_call(lambda r, x: x / r, lambda r, ct: 7 * ct * r, r, x)

    return f


def closing(j: Any, z: Any) -> Callable:
    return lambda x: j.custom_derivatives.linear_call(lambda r, x: x * z, lambda r, ct: ct * z * 2, (), x)


PROGRAMS: dict[str, Callable] = {
    "value": lambda j, x: converted(j)(2.0),
    "tangent": lambda j, x: j.jvp(converted(j), (2.0,), (1.0,)),
    "gradient": lambda j, x: j.grad(converted(j))(2.0),
    "compiled gradient": lambda j, x: j.jit(j.grad(converted(j)))(2.0),
    "batch": lambda j, x: j.vmap(converted(j))(x),
    "quotient": lambda j, x: quotient(j)(2.0, x),
    "tangent of the quotient": lambda j, x: j.jvp(lambda x: quotient(j)(2.0, x), (x,), (x,)),
    "gradient of the quotient": lambda j, x: j.grad(lambda x: quotient(j)(2.0, x).sum())(x),
    "compiled": lambda j, x: j.jit(j.grad(lambda x: quotient(j)(2.0, x).sum()))(x),
    "transpose": lambda j, x: j.linear_transpose(lambda x: quotient(j)(2.0, x), x)(x),
    "twice": lambda j, x: j.linear_transpose(lambda y: j.linear_transpose(lambda x: quotient(j)(2.0, x), x)(y)[0], x)(
        x
    ),
    "closed over": lambda j, x: j.jit(lambda z: j.grad(lambda x: closing(j, z)(x).sum())(x))(2.0),
}
ALL = Programs(PROGRAMS, (X,))


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str) -> None:
    ALL.check(name)


def test_a_batch_of_a_linear_call() -> None:
    slope = sable.vmap(sable.grad(lambda x, r: quotient(sable)(r, x)), (0, None))(X, 2.0)
    np.testing.assert_array_equal(slope, [14.0] * 3)


ERRORS = {
    "structure": lambda j: j.closure_convert(lambda x: x, 1.0)[0]([1.0]),
    "structure of the transpose": lambda j: j.grad(
        lambda x: j.custom_derivatives.linear_call(lambda r, x: x, lambda r, ct: (ct,), (), x)
    )(1.0),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name: str) -> None:
    check(ERRORS[name])


def test_refusals() -> None:
    with pytest.raises(NotImplementedError, match="residual"):
        sable.grad(lambda r: quotient(sable)(r, 1.0))(2.0)
    with pytest.raises(TypeError, match="transpose output must be"):
        sable.custom_derivatives.linear_call(lambda r, x: x, lambda r, ct: ct.astype(np.float16), (), 1.0)
