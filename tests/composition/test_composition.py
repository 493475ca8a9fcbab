"""Random programs of 1 to 30 ops under random nests of transformations, against JAX.

A program maps three numbers to three numbers, and so does everything that a transformation makes of it here, so that
any nest of them is a program again. `COMPOSITION_EXAMPLES` sets how many are drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

EXAMPLES = int(os.environ.get("COMPOSITION_EXAMPLES", "40"))
#: Relative to the largest element: derivatives of third order lose some digits in f32.
_TOLERANCE = 2e-3

_MATRIX = np.float32([[0.5, -0.2, 0.1], [0.3, 0.4, -0.6], [-0.1, 0.2, 0.7]])
_WEIGHTS = np.float32([0.7, -0.4, 1.1])
_TANGENT = np.float32([0.6, 1.0, -0.5])

#: name -> function of (jax, x, y): bounded, and smooth away from a few points
OPS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sin": lambda j, x, y: j.numpy.sin(x),
    "cos": lambda j, x, y: j.numpy.cos(x),
    "tanh": lambda j, x, y: j.numpy.tanh(x),
    "logistic": lambda j, x, y: j.nn.sigmoid(x),
    "log": lambda j, x, y: j.numpy.log(1.5 + x * x),
    "rsqrt": lambda j, x, y: j.lax.rsqrt(1 + y * y),
    "add": lambda j, x, y: x + 0.5 * y,
    "subtract": lambda j, x, y: x - y,
    "multiply": lambda j, x, y: j.numpy.tanh(x) * y,
    "divide": lambda j, x, y: x / (2 + j.numpy.sin(y)),
    "softmax": lambda j, x, y: j.nn.softmax(x),
    "center": lambda j, x, y: x - x.mean(),
    "matmul": lambda j, x, y: x @ _MATRIX,
    "flip": lambda j, x, y: x[::-1],
    "gather": lambda j, x, y: x[np.array([2, 0, 1])],
    "scatter": lambda j, x, y: x.at[1].add(0.3 * y[0]),
    "concatenate": lambda j, x, y: j.numpy.concatenate([x[1:], y[:1]]),
    "cumsum": lambda j, x, y: 0.5 * j.numpy.cumsum(x),
    "select": lambda j, x, y: j.numpy.where(np.array([True, False, True]), x, y),
    "scan": lambda j, x, y: j.lax.scan(lambda c, v: (j.numpy.sin(c + v), c), y, j.numpy.stack([x, y]))[0],
    "cond": lambda j, x, y: j.lax.cond(x[0] > 0.123, lambda a: j.numpy.sin(a), lambda a: 0.5 * a, y),
    "call": lambda j, x, y: j.jit(lambda a, b: a * j.numpy.cos(b))(x, y),
    "custom_jvp": lambda j, x, y: j.nn.relu(x - 0.321),
}

Step = tuple[str, int, int]
steps = st.lists(
    st.tuples(st.sampled_from(sorted(OPS)), st.integers(0, 29), st.integers(0, 29)), min_size=1, max_size=30
)
NESTS = ("jit", "grad", "jvp", "vmap", "checkpoint")


def program(j: Any, drawn: list[Step]) -> Callable:
    """The function of a list of steps: each applies an op to two earlier values, counted from the last one."""

    def run(x: Any) -> Any:
        values = [x]
        for name, left, right in drawn:
            values.append(OPS[name](j, values[-1 - left % len(values)], values[-1 - right % len(values)]))
        return values[-1]

    return run


def transformed(j: Any, f: Callable, nest: list[str]) -> Callable:
    """The function under transformations, innermost first."""
    for name in nest:
        f = _TRANSFORMS[name](j, f)
    return f


def _batched(j: Any, f: Callable) -> Callable:
    return lambda x: j.vmap(f)(j.numpy.stack([x, 0.5 * x, x * x])).mean(axis=0)


_TRANSFORMS: dict[str, Callable] = {
    "jit": lambda j, f: j.jit(f),
    "grad": lambda j, f: j.grad(lambda x: (f(x) * _WEIGHTS).sum()),
    "jvp": lambda j, f: lambda x: j.jvp(f, (x,), (j.numpy.asarray(_TANGENT),))[1],
    "vmap": _batched,
    "checkpoint": lambda j, f: j.checkpoint(f),
}


@given(steps, st.lists(st.sampled_from(NESTS), max_size=3))
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
@example([("scan", 0, 0)], ["checkpoint", "grad", "vmap"])
@example([("cond", 0, 0), ("call", 1, 0)], ["vmap", "grad", "jit"])
@example([("custom_jvp", 0, 0), ("scatter", 0, 1)], ["grad", "jvp", "jit"])
def test_same_as_jax(drawn: list[Step], nest: list[str]) -> None:
    x = np.float32([0.4, -0.9, 1.3])
    ours = np.asarray(transformed(sable, program(sable, drawn), nest)(sable.numpy.asarray(x)))
    theirs = np.asarray(jax.jit(transformed(jax, program(jax, drawn), nest))(x))
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    scale = max(1.0, float(np.abs(theirs).max()))
    np.testing.assert_allclose(ours, theirs, rtol=_TOLERANCE, atol=_TOLERANCE * scale)
