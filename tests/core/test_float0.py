"""Tangents of integers, arrays of float0, go in and out of traced functions as in JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

X = np.float32([1.0, 2.0])
NOTHING = np.zeros((), jax.dtypes.float0)


def _gradients(j: Any) -> Callable:
    return lambda x, i: j.grad(lambda x, i: j.numpy.sum(x**2) * i, (0, 1), allow_int=True)(x, i)


PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "jit": lambda j: j.jit(_gradients(j))(X, 1),
    "repeated jit": lambda j: [f(X, 1) for f in [j.jit(_gradients(j))] for _ in range(4)],
    "vmap": lambda j: j.vmap(_gradients(j), (0, None))(X[None], 1),
    "jit of vmap": lambda j: j.jit(j.vmap(_gradients(j)))(X[None], np.array([1])),
    "argument": lambda j: j.jit(lambda a, b: (a, b + 1))(NOTHING, 1.0),
    "jvp of integers": lambda j: j.jit(lambda i, t: j.jvp(lambda i: i * 2, (i,), (t,)))(1, NOTHING),
    "jvp": lambda j: j.jit(lambda x: j.jvp(lambda x: _gradients(j)(x, 2), (x,), (x,)))(X),
    "scan": lambda j: j.lax.scan(lambda c, i: (c, _gradients(j)(X, i)[0]), X, j.numpy.arange(3)),
    "cond": lambda j: j.lax.cond(True, lambda: _gradients(j)(X, 1), lambda: _gradients(j)(X, 2)),
    "checkpoint": lambda j: j.checkpoint(_gradients(j))(X, 1),
    "ahead of time": lambda j: j.jit(_gradients(j)).lower(X, 1).compile()(X, 1),
    "jacfwd of integers": lambda j: j.jacfwd(lambda x: x.astype(int))(X),
    "jacrev by integers": lambda j: j.jacrev(lambda i: i * 2.0, allow_int=True)(np.arange(2)),
    "jacrev by complex numbers": lambda j: j.jacrev(lambda z: j.numpy.abs(z).sum())(X + 1j),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_float0_is_what_it_is_in_jax(name: str) -> None:
    theirs, ours = jax.tree.leaves(PROGRAMS[name](jax)), sable.tree.leaves(PROGRAMS[name](sable))
    assert [(x.shape, x.dtype) for x in ours] == [(x.shape, x.dtype) for x in theirs]
    for x, y in zip(ours, theirs):
        if x.dtype != jax.dtypes.float0:
            np.testing.assert_allclose(x, y, rtol=1e-6)
