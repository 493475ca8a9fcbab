"""Contractions that compiled programs leave to BLAS, against NumPy's in f64: layouts, dtypes, pieces, loops, batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable as jax
from sable.core import preparation
from sable.passes.legalize import contractions
from sable.runtime import native_kernels

jnp = jax.numpy

pytestmark = pytest.mark.skipif(not native_kernels.available(), reason="no native kernels here")


def numbers(*shape: int, dtype: Any = np.float32, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x = rng.random(shape)
    return (x + 1j * rng.random(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


#: name: the contraction, with jnp and with NumPy, and its operands' shapes
LAYOUTS: dict[str, tuple[Callable[[Any, Any, Any], Any], tuple[int, ...], tuple[int, ...]]] = {
    "plain": (lambda np, a, b: a @ b, (150, 130), (130, 70)),
    "left transposed": (lambda np, a, b: a.T @ b, (130, 150), (130, 70)),
    "right transposed": (lambda np, a, b: a @ b.T, (150, 130), (70, 130)),
    "both transposed": (lambda np, a, b: a.T @ b.T, (130, 150), (70, 130)),
    "batches": (lambda np, a, b: a @ b, (3, 110, 130), (3, 130, 70)),
    "batches of transposes": (lambda np, a, b: np.einsum("bki,bjk->bij", a, b), (3, 130, 110), (3, 70, 130)),
    "batches last": (lambda np, a, b: np.einsum("ikb,kjb->bij", a, b), (110, 130, 3), (130, 70, 3)),
    "several contracted": (lambda np, a, b: np.einsum("ikl,klj->ij", a, b), (110, 13, 10), (13, 10, 70)),
    "contracted crosswise": (lambda np, a, b: np.einsum("ikl,lkj->ij", a, b), (110, 13, 10), (10, 13, 70)),
    "contracted around": (lambda np, a, b: np.einsum("kil,kjl->ij", a, b), (13, 110, 10), (13, 70, 10)),
    "rank 5": (lambda np, a, b: np.einsum("abcde,cxb->adex", a, b), (4, 12, 11, 5, 6), (11, 9, 12)),
    "two rows": (lambda np, a, b: a @ b, (2, 3000), (3000, 20)),
    "long": (lambda np, a, b: a @ b, (20, 5000), (5000, 30)),
    "many results": (lambda np, a, b: a @ b, (300, 1000), (1000, 301)),
}


@pytest.mark.parametrize("kind", ["random", "equal"])
def test_layouts(kind: str) -> None:
    given = {name: tuple(numbers(*s, seed=k) for k, s in enumerate(shapes)) for name, (_, *shapes) in LAYOUTS.items()}
    if kind == "equal":
        given = {name: tuple(np.full_like(x, 0.1) for x in pair) for name, pair in given.items()}
    found = jax.jit(lambda given: {name: f(jnp, *given[name]) for name, (f, *_) in LAYOUTS.items()})(given)
    for name, (f, *_) in LAYOUTS.items():
        exact = f(np, *[x.astype(np.float64) for x in given[name]])
        np.testing.assert_allclose(np.asarray(found[name]), exact, rtol=2e-6, err_msg=name)


def test_dtypes() -> None:
    close = {
        "float16": 1e-3,
        "bfloat16": 8e-3,
        "float32": 2e-6,
        "float64": 1e-14,
        "complex64": 2e-6,
        "complex128": 1e-14,
    }
    with jax.enable_x64(True):
        given = {d: (numbers(90, 100, dtype=jnp.dtype(d)), numbers(100, 80, dtype=jnp.dtype(d), seed=1)) for d in close}
        found = jax.jit(lambda given: {d: a @ b for d, (a, b) in given.items()})(given)
        for d, (a, b) in given.items():
            wide = np.complex128 if d.startswith("complex") else np.float64
            assert found[d].dtype == d
            np.testing.assert_allclose(np.asarray(found[d], wide), a.astype(wide) @ b.astype(wide), rtol=close[d])


@pytest.mark.parametrize(
    "shapes", [((700, 300), (300, 90)), ((90, 300), (300, 700)), ((5, 200, 100), (5, 100, 200))], ids=str
)
def test_pieces_are_the_whole(shapes, monkeypatch) -> None:
    a, b = (numbers(*s, seed=k) for k, s in enumerate(shapes))
    exact = a.astype(np.float64) @ b
    monkeypatch.setattr(contractions, "_PIECE_SIZE", 1)
    for pieces in (1, 2, 3, 7):
        monkeypatch.setattr(contractions, "_PIECE", exact.size * a.shape[-1] // pieces)
        found = jax.jit(lambda a, b: a @ b)(a, b)
        np.testing.assert_allclose(np.asarray(found), exact, rtol=2e-6, err_msg=str(pieces))


def test_in_loops_and_batches() -> None:
    w, x = numbers(100, 100) / 60, numbers(80, 100, seed=1)

    def step(c, _):
        c = jnp.tanh(c @ w)
        return c, c.sum()

    def run(x):
        return jax.lax.scan(step, x, None, length=5)

    want = x.astype(np.float64)
    for _ in range(5):
        want = np.tanh(want @ w)
    np.testing.assert_allclose(np.asarray(jax.jit(run)(x)[0]), want, rtol=1e-5)
    both = jax.jit(jax.vmap(run))(np.stack([x, x]))[0]
    np.testing.assert_allclose(np.asarray(both), np.stack([want, want]), rtol=1e-5)
    slope = jax.jit(jax.grad(lambda w: jnp.sum(jnp.tanh(x @ w) ** 2)))(w)
    t = np.tanh(x.astype(np.float64) @ w)
    np.testing.assert_allclose(np.asarray(slope), x.T @ (2 * t * (1 - t * t)), rtol=1e-5)


def test_programs_of_large_matmuls_run_on_all_cores() -> None:
    def prepared(f, *shapes: tuple[int, ...]) -> preparation.Prepared:
        arguments = [jax.ShapeDtypeStruct(s, np.float32) for s in shapes]
        return preparation.prepare(jax.jit(f).trace(*arguments)._traced.function, "cpu", native=True)

    large = prepared(lambda a, b: jnp.maximum(a @ b, 0), (512, 512), (512, 512))
    assert large.threaded and not large.tiled and large.native_kernels == ("sable_matmul_float32",)
    assert not prepared(lambda a, b: a @ b, (100, 100), (100, 100)).threaded
    mixed = prepared(lambda a, b, c: (a @ b, jnp.sin(c)), (256, 256), (256, 256), (3000, 3000))
    assert not mixed.threaded and mixed.native_kernels
