"""Programs of which only a part becomes a kernel, and updates in place without any loop."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from .loop_programs import floats, i32, program


@program(0.1 * floats(64, 64), floats(64, 64, seed=1), floats(64, seed=2))
def matmul_then_loop(a, b, v):
    m = jnp.tanh(a @ b)
    w = lax.fori_loop(0, 20, lambda i, u: jnp.sin(0.02 * (m @ u)) + v, v)
    return w, m @ b, (w > 0) & (v > 0)


@program(floats(9))
def kernel_in_host_loop(x):
    def outer(i, v):
        v = jnp.sort(v)
        return lax.fori_loop(0, 5, lambda j, w: jnp.cos(w) + x, v)

    return lax.fori_loop(0, 3, outer, x)


@program(0.1 * floats(64, 64), np.arange(64, dtype=np.uint32), np.arange(64) % 3 == 0)
def outlined_unsigned_and_boolean(a, k, flags):
    m = a @ a @ a

    def step(i, c):
        k, flags, v = c
        return k * np.uint32(1664525) + np.uint32(7), flags ^ (k > 99), v * 0.5 + m[i]

    return lax.fori_loop(0, 9, step, (k, flags, m[0]))


@program(floats(8), floats(2, seed=1))
def straight_update(a, b):
    return lax.dynamic_update_slice(a, b, (3,)), a


@program(floats(8), np.array([3, 3, 1], np.int32))
def straight_scatter(a, index):
    return a.at[index].add(1.0), jnp.sort(a)


@program(floats(6, 5), i32(9), i32(2))
def scatter_out_of_range(a, far, near):
    def step(i, m):
        m = m.at[far + i].set(3.0, mode="drop")
        return m.at[near, i].add(1.0).at[i, near].multiply(2.0)

    return lax.fori_loop(0, 5, step, a)


@program(floats(6, 5), np.array([[0, 1], [5, 4], [0, 1]], np.int32), floats(3))
def scatter_pairs(a, places, values):
    return lax.fori_loop(0, 3, lambda i, m: m.at[places[:, 0], places[:, 1]].add(values * i), a)


@program(floats(7, 5), np.array([1, 6, 1], np.int32), floats(3, 5))
def scatter_rows(a, rows, values):
    return lax.fori_loop(0, 3, lambda i, m: m.at[rows].set(values + i).at[:, rows[0]].min(0.1), a)
