"""Generated from the op table: second derivatives of every op through the passes, forward and reverse over forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable as jax
import sable.numpy as jnp
from sable.core.bind import bind
from sable.ir.op import Op

from .test_table import (
    STEP,
    derivative,
    differentiable,
    every_differentiable_sample,
    is_inexact,
    pair,
    random_like,
    wide_sample,
)

#: Tolerance, relative to the largest second derivative (and the first, whose rounding central differences amplify).
TOLERANCE = 2e-5

#: Operands in which an op can be differentiated once.
ONCE = {("igamma", "a"), ("igammac", "a")}


def inexact(values: Sequence[Any]) -> list[Any]:
    return [y for y in values if is_inexact(y)]


def first_derivative(op: Op, operands: list, params: dict, active: list[int], ts: list) -> Callable:
    """The derivative along ts, as a function of the active operands, by `jvp`."""

    def function(*xs: Any) -> list[Any]:
        full = [jnp.asarray(x) for x in operands]
        for k, x in zip(active, xs):
            full[k] = x
        out = bind(op, *full, **params)
        return inexact(out if op.multiple_results else [out])

    return lambda *xs: jax.jvp(function, xs, tuple(ts))[1]


def moved(operands: list, active: list[int], us: list, step: float) -> list:
    found = list(operands)
    for k, u in zip(active, us):
        found[k] = np.asarray(found[k] + step * u)
    return found


@every_differentiable_sample
def test_second_order(op: Op, i: int) -> None:
    operands, params = wide_sample(op, i)
    active = [k for k in differentiable(op, operands) if (op.name, op.operand_name(k)) not in ONCE]
    ts, us = ([random_like(operands[k], seed + k) for k in active] for seed in (30, 60))
    along = [ts[active.index(k)] if k in active else None for k in range(len(operands))]
    plus, minus = (inexact(derivative(op, moved(operands, active, us, step), params, along)) for step in (STEP, -STEP))
    want = [np.asarray((p - m) / (2 * STEP)) for p, m in zip(plus, minus)]
    with jax.enable_x64(True):
        first = first_derivative(op, operands, params, active, [jnp.asarray(t) for t in ts])
        xs = [jnp.asarray(operands[k]) for k in active]
        values, forward = jax.jvp(first, xs, [jnp.asarray(u) for u in us])
        _, pull = jax.vjp(first, *xs)
        cts = [random_like(np.asarray(y), 90 + j) for j, y in enumerate(values)]
        backward = [np.asarray(x) for x in pull([jnp.asarray(c) for c in cts])]
    for got, y, wanted in zip(map(np.asarray, forward), values, want, strict=True):
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        scale = max(1.0, np.abs(wanted).max(initial=0), np.abs(np.asarray(y)).max(initial=0))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE * scale)
    paired = pair(cts, [np.asarray(f) for f in forward])
    np.testing.assert_allclose(pair(backward, us), paired, rtol=1e-8, atol=1e-8 * max(1.0, abs(paired)))
