"""What is made of one reduction's results in two places: sums of s[i] and s[j], symmetric parts, pairwise distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.ir.bindings import CONTEXT, ir
from sable.passes.ir_tools import BARRIER, walk_module
from sable.passes.legalize.crossed_reductions import part_crossed_reductions

from ..vulkan import vulkan_device

RNG = np.random.default_rng(5)
B = RNG.normal(size=(40, 40)).astype(np.float32)
R = RNG.normal(size=(40, 17)).astype(np.float32)
T = RNG.normal(size=(12, 12, 12)).astype(np.float32)


def _outer(s: Any) -> Any:
    return s[None] + s[:, None]


#: each a program of its own: IREE fuses what stands beside it, too
PROGRAMS: dict[str, tuple[Callable[..., Any], np.ndarray]] = {
    "rows": (lambda m, x: _outer(m.sum(x, 1)), B),
    "columns": (lambda m, x: _outer(m.max(x, 0)), B),
    "functions": (lambda m, x: (lambda s: m.exp(s[None] / 9) + m.tanh(s)[:, None])(m.sum(x, 1)), B),
    "with the operand": (lambda m, x: (lambda s: x + s[:, None] * s[None])(m.sum(x, 1)), B),
    "symmetric part": (lambda m, x: (lambda y: y + y.T)(x - m.sum(x, 0)), B),
    "reduced again": (lambda m, x: (lambda s: m.sum(s[None] * s[:, None] * x, 1))(m.sum(x, 1)), B),
    "places": (lambda m, x: m.argmax(x, 1)[None] - m.argmax(x, 1)[:, None], B),
    "contraction": (lambda m, x: _outer(x @ x[0]), B),
    "distances": (lambda m, x: _outer((x * x).sum(1)) - 2 * x @ x.T, R),
    "distances of batches": (
        lambda m, x: (lambda s: s[:, None] + s[:, :, None] - 2 * x @ x.swapaxes(1, 2))((x * x).sum(-1)),
        T,
    ),
    "three places": (lambda m, x: (lambda s: _outer(s)[None] + s[:, None, None])(m.sum(x, (1, 2))), T),
    "ranks": (lambda m, x: (lambda s: (s[None] < s[:, None]).sum(0))(m.max(x, 1)), B),
    "reshaped": (lambda m, x: (lambda s: s.reshape(1, 40) + s.reshape(40, 1))(x.sum(1)), B),
    "of one element": (lambda m, x: (lambda s: s.reshape(()) * x + m.exp(-s * s))(x[:1].max(1)), B),
    "in a sum": (lambda m, x: (x * x.sum(1)).sum(0)[None, :, None] * x.sum(1)[:, None, None], B),
    "in a chain": (lambda m, x: (lambda s: (x * s[:, None]).sum(1)[:, None] + s[None])(m.sum(x, 1)), B),
}


def _near(name: str, got: Any) -> None:
    function, x = PROGRAMS[name]
    wanted = np.asarray(function(np, x))
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiled(name: str) -> None:
    function, x = PROGRAMS[name]
    _near(name, jax.jit(lambda x: function(jnp, x))(x))


@pytest.mark.parametrize("name", ["rows", "columns", "distances"])
def test_on_vulkan(name: str) -> None:
    function, x = PROGRAMS[name]
    _near(name, jax.jit(lambda x: function(jnp, x))(jax.device_put(x, vulkan_device())))


@pytest.mark.parametrize(
    ("function", "count"),
    [
        (lambda x: jax.nn.softmax(x, axis=1), 0),
        (lambda x: (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), 0),
        (lambda x: _outer(x.sum(1)), 1),
        (lambda x: x.sum(1)[None] + x.sum(1)[:, None], 1),  # one reduction, said twice
        (lambda x: x.sum(1)[None] + x.sum(0)[:, None], 0),
        (
            lambda x: (x * x.sum(1)).sum(0)[None, :, None] * x.sum(1)[:, None, None],
            0,
        ),  # a sum of what is made of another
    ],
)
def test_only_what_is_crossed_is_parted(function: Callable, count: int) -> None:
    text = jax.jit(function).lower(B).as_text()
    with CONTEXT:
        module = ir.Module.parse(text)
    part_crossed_reductions(module)
    assert sum(op.name == BARRIER for op in walk_module(module)) == count
