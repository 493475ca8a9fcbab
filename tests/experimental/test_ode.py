"""`odeint` against JAX's, and against solutions known as formulas."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.experimental.ode import odeint

TIMES = np.linspace(0, 2, 5, dtype=np.float32)


def pendulum(np_: ModuleType) -> Any:
    def slope(state: dict, t: Any, lengths: list, turns: Any) -> dict:
        pull = 9.81 / lengths[0] * np_.sin(state["angle"]) * turns
        return {"angle": state["speed"], "speed": -lengths[1] * state["speed"] - pull + np_.cos(t)}

    return slope


def solved(jax: ModuleType, np_: ModuleType, integrate: Any) -> Any:
    """Values, and the gradient by all arguments: dictionaries, lists, closed-over values, times."""

    def value(start: dict, times: Any, lengths: list, wind: Any) -> Any:
        slope = pendulum(np_)
        blown = lambda s, t, *args: {**slope(s, t, *args), "angle": s["speed"] + wind * s["angle"]}  # noqa: E731
        states = integrate(blown, start, times, lengths, np_.ones(3), rtol=1e-6, atol=1e-6, hmax=0.2)
        return np_.sum(states["angle"] * np_.sin(states["speed"] + np_.arange(3.0))), states

    start = {"angle": np.array([0.5, 1.0, 2.0], np.float32), "speed": np.zeros(3, np.float32)}
    run = jax.jit(jax.grad(value, argnums=(0, 1, 2, 3), has_aux=True))
    return run(start, TIMES, [np.float32(2), np.float32(0.15)], np.float32(0.1))


def test_values_and_gradients_are_those_of_jax() -> None:
    jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    ode = pytest.importorskip("jax.experimental.ode")
    theirs = jax.tree.leaves(solved(jax, jax.numpy, ode.odeint))
    ours = sable.tree.leaves(solved(sable, jnp, odeint))
    for x, y in zip(ours, theirs, strict=True):
        assert x.dtype == y.dtype
        # two integrations to 1e-6, whose steps differ
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=2e-4, atol=2e-4)


def test_known_solutions() -> None:
    """Mapped over rates, complex numbers, a step that is too small, in 64 bits; by one program."""
    rates = np.array([0.5, 1.0, 2.0])

    def all_of_it(rates: Any, times: Any) -> tuple:
        decay = sable.vmap(lambda k: odeint(lambda y, t: -k * y, jnp.ones(2), times))(rates)
        turn = odeint(lambda z, t: 1j * z, jnp.ones((), complex), times)
        few = odeint(lambda y, t: jnp.cos(y), jnp.zeros(()), times, mxstep=1)
        # integers have no derivative
        slope = sable.grad(lambda k: odeint(lambda y, t, k, n: -n * k * y, 1.0, times, k, 2)[-1])(rates[0])
        return decay, turn, few, slope

    with sable.enable_x64(True):
        decay, turn, few, slope = sable.jit(all_of_it)(rates, TIMES.astype(float))
    expected = np.exp(-rates[:, None] * TIMES)[:, :, None] * np.ones(2)
    np.testing.assert_allclose(np.asarray(decay), expected, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(turn), np.exp(1j * TIMES), rtol=1e-6)
    np.testing.assert_allclose(float(slope), -4 * math.exp(-2), rtol=1e-6)
    gudermann = 2 * math.atan(math.tanh(1.0))
    assert few.shape == (5,) and abs(float(few[-1]) - gudermann) > 1e-3


def test_what_cannot_be_solved() -> None:
    with pytest.raises(TypeError, match=r"The contents of odeint \*args must be arrays or scalars, but got half"):
        odeint(lambda y, t, k: y, 1.0, jnp.arange(3.0), "half")
    with pytest.raises(TypeError, match="t must be an array of floats"):
        odeint(lambda y, t: y, 1.0, jnp.arange(3))
