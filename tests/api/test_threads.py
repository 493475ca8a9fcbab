"""Several threads at once: the same jitted function, eager gradients, tracing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import sable as jax
import sable.numpy as jnp

THREADS = 8


def test_eight_threads_call_the_same_jitted_function() -> None:
    @jax.jit
    def f(x, y):
        return jnp.sin(x) * y + jnp.sum(x)

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(200):
            x, y = rng.normal(size=(2, 10)).astype(np.float32)
            np.testing.assert_allclose(f(x, y), np.sin(x) * y + x.sum(), rtol=1e-4, atol=1e-4)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert f._cache_size() == 1


def test_threads_trace_and_differentiate_independently() -> None:
    def work(seed: int) -> None:
        x = np.float32(seed + 1)
        for _ in range(50):
            gradient = jax.grad(lambda v: v**3 if v > 0 else -v)(x)
            assert np.isclose(gradient, 3 * x**2)
            batch = jax.vmap(jax.grad(jnp.sin))(np.full(3, x, np.float32))
            np.testing.assert_allclose(batch, np.cos(np.full(3, x)), rtol=1e-5)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
