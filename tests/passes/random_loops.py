"""Random programs of loops, branches and updates in place over a few arrays: what IREE's copy-on-write gets wrong."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import lax

SIZE = 8
ARRAYS = 3


def random_program(seed: int) -> tuple[Callable, tuple[np.ndarray, ...]]:
    """A function of three arrays and an integer which gives three arrays."""
    plan = _plan_block(np.random.default_rng(seed), depth=0)

    def function(a, b, c, n):
        return tuple(_run_block(plan, (a, b, c), n, jnp.int32(1)))

    generator = np.random.default_rng(1000 + seed)
    arrays = tuple(generator.standard_normal(SIZE).astype(np.float32) for _ in range(ARRAYS))
    return function, (*arrays, np.int32(generator.integers(0, 4)))


def _plan_block(rng: np.random.Generator, depth: int) -> list[tuple]:
    kinds = ["set", "slice", "mix", "swap", "capture", "row"] + ["for", "while", "if", "switch"] * (depth < 3)
    return [_plan(rng, str(rng.choice(kinds)), depth) for _ in range(rng.integers(2, 5))]


def _plan(rng: np.random.Generator, kind: str, depth: int) -> tuple:
    numbers = tuple(int(k) for k in rng.integers(0, ARRAYS, 3))
    offset = int(rng.integers(0, SIZE - 2))
    count = {"for": 1, "while": 1, "if": 2, "switch": 3}.get(kind, 0)
    blocks = tuple(_plan_block(rng, depth + 1) for _ in range(count))
    return kind, numbers, offset, blocks, int(rng.integers(0, 4))


def _run_block(plan: list[tuple], state, n, i):
    for step in plan:
        state = _STEPS[step[0]](step, tuple(state), n, i)
    return tuple(state)


def _replace(state, k, value):
    return (*state[:k], value, *state[k + 1 :])


def _set(step, state, n, i):
    _, (x, y, _), offset, _, _ = step
    return _replace(state, x, state[x].at[(i + offset) % SIZE].set(state[y][offset] * 0.5))


def _slice(step, state, n, i):
    _, (x, y, z), offset, _, _ = step
    return _replace(state, x, lax.dynamic_update_slice(state[y], state[z][1:3] + 0.25, (offset,)))


def _mix(step, state, n, i):
    _, (x, y, z), _, _, _ = step
    return _replace(state, x, state[y] * 0.5 - jnp.tanh(state[z]))


def _swap(step, state, n, i):
    _, (x, y, z), _, _, _ = step
    return state[x], state[y], state[z]


def _capture(step, state, n, i):
    """A loop which overwrites a copy of something from outside."""
    _, (x, y, z), offset, _, trips = step
    outside = state[y]

    def body(j, total):
        return total * 0.5 + lax.dynamic_update_slice(outside, total[:2], (j + offset - trips,))

    return _replace(state, x, lax.fori_loop(0, trips, body, state[z]))


def _row(step, state, n, i):
    _, (x, y, _), offset, _, _ = step
    return _replace(state, x, state[x] + lax.dynamic_slice(state[y], ((i + offset) % SIZE,), (1,)))


def _for(step, state, n, i):
    _, _, _, (body,), trips = step
    upper = n if trips == 3 else trips
    return lax.fori_loop(0, upper, lambda j, s: _run_block(body, s, n, j + i), state)


def _while(step, state, n, i):
    _, (x, _, _), _, (body,), trips = step

    def condition(c):
        return (c[0] < trips + 1) & (jnp.sum(c[1][x]) < 30.0)

    return lax.while_loop(condition, lambda c: (c[0] + 1, _run_block(body, c[1], n, c[0])), (jnp.int32(0), state))[1]


def _if(step, state, n, i):
    _, (x, _, _), offset, (then, otherwise), kind = step
    predicate = jnp.sum(state[x]) > 0 if kind % 2 else (i + n + offset) % 2 == 0
    return lax.cond(predicate, lambda s: _run_block(then, s, n, i), lambda s: _run_block(otherwise, s, n, i), state)


def _switch(step, state, n, i):
    _, _, offset, blocks, _ = step
    return lax.switch((i + n + offset) % 4, [lambda s, b=b: _run_block(b, s, n, i) for b in blocks], state)


_STEPS = {
    "set": _set,
    "slice": _slice,
    "mix": _mix,
    "swap": _swap,
    "capture": _capture,
    "row": _row,
    "for": _for,
    "while": _while,
    "if": _if,
    "switch": _switch,
}
