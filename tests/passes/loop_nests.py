"""Several loops in a program, nests of loops, scalars and odd shapes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .loop_programs import floats, program


@program(floats(7, 5))
def two_loops(x):
    y = lax.fori_loop(0, 4, lambda i, v: jnp.sin(v), x)
    z = lax.fori_loop(0, 3, lambda i, v: v @ v.T @ v * 0.1, y)
    return y + z


@program(floats(7, 5))
def nested_three(x):
    def a(i, v):
        def b(j, w):
            return lax.fori_loop(0, 2, lambda k, u: u * 0.9 + k, w) + j

        return lax.fori_loop(0, i, b, v) * 0.5

    return lax.fori_loop(0, 4, a, x)


@program(floats(16))
def dead_outer_loop(x):
    def outer(i, v):
        return lax.while_loop(lambda w: jnp.sum(w) < 0, lambda w: w + 1, v)

    return lax.fori_loop(0, 0, outer, x) + 1


@program(floats(6, 7, 3))
def reductions_in_loop(x):
    def step(i, c):
        v, t = c
        m = jnp.max(v, axis=(0, 2), keepdims=True)
        return v - 0.1 * m, t + jnp.sum(v) + jnp.min(v)

    return lax.fori_loop(0, 5, step, (x, jnp.float32(0)))


@program(floats(8, 9))
def stencil(x):
    def step(i, v):
        inner = (v[:-2, 1:-1] + v[2:, 1:-1] + v[1:-1, :-2] + v[1:-1, 2:]) * 0.25
        return v.at[1:-1, 1:-1].set(inner)

    return lax.fori_loop(0, 10, step, x)


@program(floats(8, 9))
def reversed_and_strided(x):
    def step(i, v):
        return v[::-1] * 0.5 + jnp.flip(v, 1) * 0.25 + jnp.pad(v[::2], ((0, 4), (0, 0)))

    return lax.fori_loop(0, 4, step, x)


@program(floats(3, 4))
def concatenate_in_loop(x):
    def step(i, v):
        return jnp.concatenate([v[1:], v[:1] * 2], axis=0).T.reshape(3, 4)

    return lax.fori_loop(0, 5, step, x)


@program(floats(20), floats(3))
def convolution_in_loop(x, w):
    return lax.fori_loop(0, 3, lambda i, v: jnp.convolve(v, w, mode="same"), x)


@program(floats(10, 3), np.array([3, 1, 9, 0], np.int32))
def gather_in_loop(x, index):
    return lax.fori_loop(0, 3, lambda i, v: v.at[0].set(0.5) + x[(index + i) % 10].sum(0), x)


@program(floats(10), np.array([3, 1, 9, 3], np.int32))
def scatter_add_in_loop(x, index):
    return lax.fori_loop(0, 3, lambda i, v: v.at[index].add(1.0 + i), x)


@program(floats(9))
def sort_in_loop(x):
    return lax.fori_loop(0, 3, lambda i, v: jnp.sort(v)[::-1] * 0.5 + x, x)


@program(np.uint32(5))
def random_in_loop(seed):
    def step(i, c):
        key, total = c
        key, sub = jax.random.split(key)
        return key, total + jax.random.normal(sub, (4,))

    return lax.fori_loop(0, 3, step, (jax.random.PRNGKey(seed), jnp.zeros(4)))[1]


@program(0.1 * floats(6, 5), floats(20, 6, seed=1), floats(20, 5, seed=2))
def gradient_descent(w, x, y):
    def loss(w):
        return jnp.mean((jnp.tanh(x @ w) - y) ** 2)

    def step(i, c):
        w, m = c
        g = jax.grad(loss)(w)
        m = 0.9 * m + g
        return w - 0.1 * m, m

    w, _ = lax.fori_loop(0, 15, step, (w, jnp.zeros_like(w)))
    return w, loss(w)


@program(floats(0, 3))
def empty_scan(xs):
    return lax.scan(lambda c, x: (c + x, c), jnp.ones(3, jnp.float32), xs)


@program(floats(64))
def runge_kutta(y):
    def f(y):
        return jnp.roll(y, 1) - y * jnp.sin(y)

    def step(y, _):
        k1 = f(y)
        k2 = f(y + 0.05 * k1)
        k3 = f(y + 0.05 * k2)
        k4 = f(y + 0.1 * k3)
        return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4), jnp.mean(y)

    return lax.scan(step, y, None, length=20)
