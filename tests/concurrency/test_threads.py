"""Many threads trace, differentiate, compile and call at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.compiler import client
from sable.core.statistics import STATISTICS

PATIENCE = 120.0  # s
THREADS = 8


def at_once(function, arguments):
    """The results of the function, called by a thread for each argument, all of which begin together."""
    start = threading.Barrier(len(arguments))

    def call(argument):
        start.wait(PATIENCE)
        return function(argument)

    with ThreadPoolExecutor(len(arguments)) as pool:
        return list(pool.map(call, arguments))


def test_traces_in_many_threads_are_those_of_one():
    def text(seed):
        def loss(w, x):
            y = x
            for _ in range(seed % 3 + 2):
                y = jnp.tanh(y @ w) + seed
            total, _ = jax.lax.scan(lambda c, row: (c + jnp.sum(row**2), c), 0.0, y)
            return jnp.where(total > 0, total, -total)

        shape = (2 + seed % 4, 3)
        function = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))
        return function.lower(jnp.ones((3, 3)), jnp.ones((5, *shape))).as_text()

    seeds = list(range(4 * THREADS))
    expected = [text(seed) for seed in seeds]
    for _ in range(2):
        assert at_once(lambda part: [text(seed) for seed in seeds[part::THREADS]], range(THREADS)) == [
            expected[part::THREADS] for part in range(THREADS)
        ]


def test_one_function_is_traced_and_compiled_once():
    traces = []

    @jax.jit
    def function(x):
        traces.append(threading.get_ident())
        return jnp.sin(x) * 3 + 0.125

    x = jnp.arange(5.0)
    STATISTICS.reset()
    results = at_once(lambda _: function(x).tolist(), range(THREADS))
    assert len(traces) == 1 and STATISTICS.names.count("function") == 1
    np.testing.assert_allclose(results, [np.sin(np.arange(5.0)) * 3 + 0.125] * THREADS, rtol=1e-6)


def test_different_functions_compile_at_a_time(monkeypatch):
    """Each compile is answered only when the other has been asked for."""
    both, compile_once = threading.Barrier(2), client.compile_once

    def meet(request, timeout):
        both.wait(PATIENCE)
        return compile_once(request, timeout)

    monkeypatch.setattr(client, "compile_once", meet)
    x = jnp.arange(4.0)
    functions = [jax.jit(lambda x: x * 1.25 + 0.5), jax.jit(lambda x: x - 7.75)]
    first, second = at_once(lambda function: function(x), functions)
    np.testing.assert_array_equal(first, np.arange(4.0) * 1.25 + 0.5)
    np.testing.assert_array_equal(second, np.arange(4.0) - 7.75)


def test_an_error_of_the_traced_function_reaches_every_thread():
    @jax.jit
    def function(x):
        raise KeyError("the user's")

    def call(_):
        with pytest.raises(KeyError, match="the user's"):
            function(jnp.ones(3))

    at_once(call, range(4))


def test_gradients_and_calls_of_many_threads():
    @jax.jit
    def loss(w, x):
        return jnp.mean(jnp.tanh(x @ w) ** 2)

    rng = np.random.default_rng(0)
    w = jnp.asarray(rng.normal(size=(4, 3)), jnp.float32)
    xs = [jnp.asarray(rng.normal(size=(n, 4)), jnp.float32) for n in (2, 3)]
    expected = [jax.grad(loss)(w, x) for x in xs]

    def work(k):
        for _ in range(5):
            np.testing.assert_allclose(jax.grad(loss)(w, xs[k % 2]), expected[k % 2], rtol=1e-5)
            np.testing.assert_allclose(jax.jit(jax.grad(loss))(w, xs[k % 2]), expected[k % 2], rtol=1e-5)
            hessian = jax.jacfwd(jax.grad(lambda v: jnp.sum(jnp.sin(v) ** 2)))(xs[0][0])
            assert hessian.shape == (4, 4)

    at_once(work, range(THREADS))
