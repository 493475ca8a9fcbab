"""Long sums do not drift: equal and random numbers of f32, in every layout, against sums of f64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable as jax

jnp = jax.numpy
lax = jax.lax

#: Relative; sums of n numbers one after the other are off by up to n / 8 of f32's 1.2e-7.
CLOSE = 1e-6


def _numbers(kind: str, *shape: int) -> np.ndarray:
    if kind == "equal":
        return np.full(shape, 0.1, np.float32)
    return np.random.default_rng(7).random(shape, np.float32)


def _check(results: dict[str, Any], exact: dict[str, Any]) -> None:
    off = {name: np.max(np.abs(np.asarray(results[name], np.float64) / exact[name] - 1)) for name in exact}
    assert not {name: error for name, error in off.items() if error > CLOSE}


#: name: what is computed of x of shape (30000, 3), with jnp and with NumPy
LAYOUTS: dict[str, Callable[[Any, Any], Any]] = {
    "all": lambda np, x: np.sum(x),
    "first": lambda np, x: np.sum(x, axis=0),
    "last": lambda np, x: np.sum(x.reshape(3, 30000), axis=1),
    "last, transposed": lambda np, x: np.sum(x.T, axis=1),
    "first, transposed": lambda np, x: np.sum(x.reshape(3, 30000).T, axis=0),
    "middle": lambda np, x: np.sum(x.reshape(3, 10000, 3), axis=1),
    "outer two": lambda np, x: np.sum(x.reshape(300, 25, 12), axis=(0, 2)),
    "first two": lambda np, x: np.sum(x.reshape(3000, 10, 3), axis=(0, 1)),
    "strided": lambda np, x: np.sum(x[::2, ::2], axis=0),
    "reversed": lambda np, x: np.sum(x[::-1], axis=0),
    "columns of one row": lambda np, x: np.sum(x.reshape(1, 90000), axis=(0, 1)),
    "mean": lambda np, x: np.mean(x, axis=0),
    "squares": lambda np, x: np.sum(x * x, axis=0),
    "norm": lambda np, x: np.linalg.norm(x, axis=0),
    "second moment": lambda np, x: np.var(x + np.asarray([[-1], [1]] * 15000, x.dtype), axis=0),
    "dot": lambda np, x: np.dot(x[:, 0], x[:, 1]),
    "matrix by vector": lambda np, x: x.T @ x[:, 0],
    "vector by matrix": lambda np, x: x[:, 0] @ x,
    "thin matrices": lambda np, x: x.T @ x,
    "matrices": lambda np, x: x.reshape(30, 3000).repeat(2, 1) @ x.reshape(6000, 15).repeat(2, 1),
    "batches": lambda np, x: np.einsum("bki,bkj->bij", x.reshape(2, 15000, 3), x.reshape(2, 15000, 3)),
    "product": lambda np, x: np.prod(1 + np.ceil(x * 8) * 2**-17, axis=0),  # exact factors
}


@pytest.mark.parametrize("kind", ["equal", "random"])
def test_compiled_sums(kind):
    x = _numbers(kind, 30000, 3)
    results = jax.jit(lambda x: {name: f(jnp, x) for name, f in LAYOUTS.items()})(x)
    _check(results, {name: f(np, x.astype(np.float64)) for name, f in LAYOUTS.items()})


@pytest.mark.parametrize("kind", ["equal", "random"])
def test_eager_sums(kind):
    x = _numbers(kind, 30000, 3)
    exact = {name: f(np, x.astype(np.float64)) for name, f in LAYOUTS.items()}
    a = jnp.asarray(x)
    for _ in range(4):  # the later ones by plans
        _check({name: f(jnp, a) for name, f in LAYOUTS.items()}, exact)


@pytest.mark.parametrize("kind", ["equal", "random"])
@pytest.mark.parametrize("run", [jax.jit, lambda f: f], ids=["compiled", "eager"])
def test_cumulative_sums(kind, run):
    x = _numbers(kind, 10007, 3)

    def of(np, x):
        rows = x.reshape(3, 10007)
        sums = {"first": np.cumsum(x, 0), "last": np.cumsum(rows, 1), "transposed": np.cumsum(x.T, 1)}
        return sums | {"flat": np.cumsum(x), "backwards": np.cumsum(rows[:, ::-1], 1)[:, ::-1]}

    results = run(lambda x: of(jnp, x) | {"reverse": lax.cumsum(x, 0, reverse=True)})(jnp.asarray(x))
    exact = x.astype(np.float64)
    _check(results, of(np, exact) | {"reverse": np.cumsum(exact[::-1], 0)[::-1]})


@pytest.mark.parametrize("run", [jax.jit, lambda f: f], ids=["compiled", "eager"])
def test_sums_of_other_kinds(run):
    x = jnp.asarray(_numbers("equal", 20000, 2))
    exact = np.asarray(x, np.float64)

    def body(_, carry):
        total, v = carry
        return total + v.sum(0), v * 2

    def of(x):
        pool = lax.reduce_window(x, 0.0, lax.add, (5000, 1), (5000, 1), "VALID")
        return {
            "vmap": jax.vmap(jnp.sum, 1)(x),
            "gradient": jax.grad(lambda s: jnp.sum(x * s))(jnp.float32(1)),
            "loop": lax.fori_loop(0, 3, body, (jnp.zeros(2, jnp.float32), x))[0],
            "windows": pool,
            "scatter": jnp.zeros((2, 3), jnp.float32).at[:, np.arange(20000) % 3].add(x.T),
            "complex": jnp.abs(jnp.sum(x * jnp.complex64(1j), axis=0)),
            "half precision": jnp.sum(x.astype(jnp.bfloat16), axis=0).astype(jnp.float32),
        }

    # 0.1 is 0.10009765625 in bf16; the sum 2001.953125 is 2000 there
    _check(
        run(of)(x),
        {
            "vmap": exact.sum(0),
            "gradient": exact.sum(),
            "loop": exact.sum(0) * 7,
            "windows": exact.reshape(4, 5000, 2).sum(1),
            "scatter": np.stack([exact[k::3].sum(0) for k in range(3)], 1),
            "complex": exact.sum(0),
            "half precision": np.full(2, 2000.0),
        },
    )
