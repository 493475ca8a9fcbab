"""Loop programs for the tests, as JAX functions: JAX gives both the StableHLO text and the expected values."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

PROGRAMS: dict[str, tuple[Callable, tuple[np.ndarray, ...]]] = {}


def floats(*shape: int, seed: int = 0, dtype=np.float32) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


def program(*arguments):
    """Registers the decorated function with its arguments."""

    def register(function):
        PROGRAMS[function.__name__] = (function, tuple(np.asarray(a) for a in arguments))
        return function

    return register


def i32(value):
    return np.int32(value)


# -- counted loops, zero trips, dtypes


@program(floats(10))
def counted(x):
    return lax.fori_loop(0, 20, lambda i, v: jnp.sin(v) + 0.5, x)


@program(floats(10))
def counted_zero_trips(x):
    return lax.fori_loop(5, 5, lambda i, v: v * 2, x)


@program(floats(10), i32(0))
def dynamic_zero_trips(x, n):
    return lax.fori_loop(0, n, lambda i, v: v * 2, x)


@program(floats(10), i32(7))
def dynamic_trips(x, n):
    return lax.fori_loop(0, n, lambda i, v: v * 1.1 + i, x)


@program(floats(6, dtype=np.float64))
def counted_f64(x):
    return lax.fori_loop(0, 9, lambda i, v: jnp.cos(v) + 0.25 * v, x)


@program(floats(9).astype(jnp.bfloat16))
def counted_bf16(x):
    return lax.fori_loop(0, 5, lambda i, v: v * jnp.bfloat16(1.5) + jnp.bfloat16(0.25), x)


@program(floats(9).astype(np.float16))
def counted_f16(x):
    return lax.fori_loop(0, 5, lambda i, v: v * np.float16(1.5) + np.float16(0.25), x)


@program(np.arange(8, dtype=np.int32) - 3)
def counted_i32(x):
    return lax.fori_loop(0, 6, lambda i, v: v * 3 + i, x)


@program(np.arange(8, dtype=np.int64) - 3)
def counted_i64(x):
    return lax.fori_loop(0, 30, lambda i, v: v * 3 + i, x)


@program(np.arange(8, dtype=np.uint32), np.uint32(2654435761))
def unsigned_hash(x, k):
    def step(i, v):
        v = v ^ (v >> np.uint32(13))
        return v * k + i.astype(np.uint32)

    return lax.fori_loop(0, 10, step, x)


@program(np.arange(6, dtype=np.uint8) + 250)
def unsigned_bytes(x):
    return lax.fori_loop(0, 4, lambda i, v: jnp.where(v > 128, v // np.uint8(3), v + np.uint8(7)), x)


@program(np.uint32(7))
def unsigned_counter(n):
    def step(c):
        i, total = c
        return i + np.uint32(1), total * np.uint32(3) + i

    return lax.while_loop(lambda c: c[0] < n, step, (np.uint32(0), np.uint32(1)))


@program(np.array([True, False, True, True]))
def boolean_carry(flags):
    return lax.fori_loop(0, 5, lambda i, v: jnp.roll(v, 1) ^ flags, flags)


@program(np.bool_(True), np.bool_(False))
def boolean_scalars(a, b):
    return lax.fori_loop(0, 5, lambda i, c: (c[1], c[0] ^ (i % 2 == 0)), (a, b))


@program(floats(5), np.bool_(True))
def boolean_argument(x, negate):
    y = lax.fori_loop(0, 3, lambda i, v: jnp.where(negate, -v, v) + 1, x)
    return y, y > 0, negate


@program((floats(4) + 1j * floats(4, seed=1)).astype(np.complex64))
def complex_carry(z):
    return lax.fori_loop(0, 4, lambda i, v: v * v * 0.5 + z, z)


# -- conditions that depend on data


@program(np.float32(0.5))
def newton_root(a):
    def step(c):
        x, _ = c
        new = 0.5 * (x + a / x)
        return new, jnp.abs(new - x)

    return lax.while_loop(lambda c: c[1] > 1e-6, step, (jnp.float32(1.0), jnp.float32(1.0)))


@program(i32(27))
def collatz(n):
    def step(c):
        n, count = c
        return jnp.where(n % 2 == 0, n // 2, 3 * n + 1), count + 1

    return lax.while_loop(lambda c: c[0] != 1, step, (n, jnp.int32(0)))


@program(floats(8))
def flag_as_condition(x):
    def step(c):
        _, v, i = c
        v = v * 1.5
        return jnp.max(jnp.abs(v)) < 50.0, v, i + 1

    return lax.while_loop(lambda c: c[0], step, (jnp.bool_(True), x, jnp.int32(0)))


@program(i32(48), i32(18))
def greatest_common_divisor(a, b):
    return lax.while_loop(lambda c: c[1] != 0, lambda c: (c[1], c[0] % c[1]), (a, b))


@program(floats(12, 12), floats(12, seed=1))
def conjugate_gradient(m, b):
    a = m @ m.T + 12 * jnp.eye(12, dtype=m.dtype)

    def condition(c):
        _, _, _, rs, i = c
        return (rs > 1e-10) & (i < 50)

    def step(c):
        x, r, p, rs, i = c
        ap = a @ p
        alpha = rs / jnp.dot(p, ap)
        x, r = x + alpha * p, r - alpha * ap
        new = jnp.dot(r, r)
        return x, r, r + (new / rs) * p, new, i + 1

    x, _, _, _, _ = lax.while_loop(condition, step, (jnp.zeros_like(b), b, b, jnp.dot(b, b), 0))
    return x, jnp.max(jnp.abs(a @ x - b)) < 1e-3


@program(np.linspace(-2, 0.5, 24, dtype=np.float32).reshape(1, 24), np.linspace(-1, 1, 16, dtype=np.float32)[:, None])
def mandelbrot(re, im):
    cr, ci = jnp.broadcast_to(re, (16, 24)), jnp.broadcast_to(im, (16, 24))

    def step(c):
        i, zr, zi, n = c
        inside = zr * zr + zi * zi < 4
        zr, zi = jnp.where(inside, zr * zr - zi * zi + cr, zr), jnp.where(inside, 2 * zr * zi + ci, zi)
        return i + 1, zr, zi, n + inside

    def condition(c):
        i, zr, zi, _ = c
        return (i < 30) & jnp.any(zr * zr + zi * zi < 4)

    zero = jnp.zeros((16, 24), jnp.float32)
    return lax.while_loop(condition, step, (0, zero, zero, jnp.zeros((16, 24), jnp.int32)))[3]


@program(np.linspace(0.1, 3, 7, dtype=np.float32))
def batched_while(x):
    return jax.vmap(lambda v: lax.while_loop(lambda c: c < 10, lambda c: c * 1.7 + 0.1, v))(x)


@program(floats(8, 8), floats(8, seed=3))
def power_iteration(a, v):
    def step(c):
        v, _, i = c
        w = a @ v
        n = jnp.sqrt(jnp.sum(w * w))
        return w / n, n, i + 1

    return lax.while_loop(lambda c: c[2] < 25, step, (v, jnp.float32(0), 0))


# -- scans


@program(floats(17, 4))
def cumulative_scan(xs):
    return lax.scan(lambda c, x: (c + x, c * x), jnp.zeros(4, jnp.float32), xs)


@program(floats(17, 4))
def reverse_scan(xs):
    return lax.scan(lambda c, x: (0.9 * c + x, c - x), jnp.zeros(4, jnp.float32), xs, reverse=True)


def _rnn(w, u, h, xs):
    def step(h, x):
        h = jnp.tanh(w @ h + u @ x)
        return h, h * h

    return lax.scan(step, h, xs)


RNN = (0.3 * floats(8, 8), 0.3 * floats(8, 5, seed=1), floats(8, seed=2), floats(13, 5, seed=3))


@program(*RNN)
def rnn_forward(w, u, h, xs):
    return _rnn(w, u, h, xs)


@program(*RNN)
def rnn_gradient(w, u, h, xs):
    return jax.grad(lambda *a: jnp.sum(_rnn(*a)[1]), argnums=(0, 1, 2, 3))(w, u, h, xs)


@program(0.3 * floats(32, 32), 0.3 * floats(32, 16, seed=1), 0.3 * floats(32, 16, seed=2), floats(11, 4, 16, seed=3))
def lstm_like(w, u, v, xs):
    def step(c, x):
        h, s = c
        gate = jax.nn.sigmoid(x @ u.T + h @ w.T)
        s = gate * s + (1 - gate) * jnp.tanh(x @ v.T)
        return (gate * jnp.tanh(s), s), jnp.mean(s, axis=1)

    start = jnp.zeros((4, 32), jnp.float32)
    return lax.scan(step, (start, start), xs)


@program(floats(5, 6, 3))
def scan_of_scan(xs):
    def inner(c, x):
        return c * 0.5 + x, c

    def outer(c, x):
        c, ys = lax.scan(inner, c, x)
        return c, ys

    return lax.scan(outer, jnp.zeros(3, jnp.float32), xs)


@program(floats(5, 6, 3))
def scan_of_scan_gradient(xs):
    def total(xs):
        def inner(c, x):
            return jnp.sin(c) * 0.5 + x, c

        def outer(c, x):
            return lax.scan(inner, c, x)

        c, ys = lax.scan(outer, jnp.zeros(3, jnp.float32), xs)
        return jnp.sum(c) + jnp.sum(ys * ys)

    return jax.grad(total)(xs)


@program(floats(9, 3), np.arange(9, dtype=np.int32))
def scan_with_integers(xs, ks):
    def step(c, x):
        v, k = x
        return (c[0] + v, c[1] + k), (v * k, c[1] % 3 == 0)

    return lax.scan(step, (jnp.zeros(3, jnp.float32), jnp.int32(0)), (xs, ks))


@program(floats(9, 3))
def associative_and_scan(xs):
    y = lax.associative_scan(jnp.add, xs)
    return lax.scan(lambda c, x: (jnp.maximum(c, x), c), y[0], y)


@program(floats(40))
def checkpointed_scan_gradient(xs):
    step = jax.checkpoint(lambda c, x: (jnp.sin(c + x), c))
    return jax.grad(lambda xs: lax.scan(step, jnp.float32(0.3), xs)[0])(xs)


# -- captures, updates in place, swaps


@program(floats(10), floats(10, seed=1))
def fibonacci_swap(a, b):
    return lax.fori_loop(0, 7, lambda i, c: (c[1], c[0] * 0.5 + c[1]), (a, b))


@program(floats(4), floats(4, seed=1), floats(4, seed=2))
def rotate_three(a, b, c):
    return lax.fori_loop(0, 4, lambda i, v: (v[1], v[2], v[0]), (a, b, c))


@program(floats(8), floats(8, seed=1))
def swap_with_update(a, b):
    return lax.fori_loop(0, 5, lambda i, c: (c[1], c[0].at[i].set(7.0)), (a, b))


@program(floats(8))
def same_start_twice(a):
    def step(i, c):
        x, y = c
        return x.at[i].set(0.0), y + x

    return lax.fori_loop(0, 4, step, (a, a))


@program(floats(8))
def same_value_twice(a):
    def step(i, c):
        x, y = c
        z = x.at[i].add(1.0)
        return z, z.at[i + 1].set(y[i])

    def step2(i, c):
        x, y = step(i, c)
        return jnp.where(i == 1, y, x), jnp.where(i == 1, y, x)

    return lax.fori_loop(0, 5, step2, (a, a))


@program(floats(8), floats(8, seed=5))
def capture_updated(a, total):
    return lax.fori_loop(0, 6, lambda i, t: t + a.at[i].set(1.0), total)


@program(floats(8), floats(8, seed=5))
def capture_computed_updated(a, total):
    b = a * 2.0
    total = lax.fori_loop(0, 6, lambda i, t: t + b.at[i].set(1.0), total)
    return total, b


@program(floats(8))
def constant_updated(total):
    ones = jnp.arange(8, dtype=jnp.float32)
    return lax.fori_loop(0, 6, lambda i, t: t + ones.at[i].set(-3.0), total)


@program(floats(6, 6))
def argument_as_carry_updated(a):
    b = lax.fori_loop(0, 6, lambda i, m: m.at[i, i].set(0.0), a)
    return a - b


@program(floats(6, 6))
def result_updated_after_loop(a):
    b = lax.fori_loop(0, 3, lambda i, m: m * 0.5, a)
    c = b.at[0, 0].set(100.0)
    d = lax.fori_loop(0, 3, lambda i, m: m + c, b)
    return b, c, d


@program(floats(6), floats(6, seed=1))
def updated_then_loop_then_read(a, x):
    b = a + 1.0
    c = lax.dynamic_update_slice(b, x[:2], (1,))
    d = lax.fori_loop(0, 3, lambda i, v: v * 0.5 + c, x)
    return d + b, d


@program(floats(4, 8), floats(4, 8, seed=1))
def nested_capture_updated(a, t):
    def outer(i, t):
        row = t * 0.5
        return lax.fori_loop(0, 3, lambda j, s: s + row.at[i, j].set(2.0) + a.at[j].set(1.0), t)

    return lax.fori_loop(0, 4, outer, t)


@program(floats(8, 8))
def gaussian_elimination(a):
    a = a + 8 * jnp.eye(8, dtype=a.dtype)

    def column(k, m):
        pivot = lax.dynamic_slice(m, (k, 0), (1, 8))
        factors = lax.dynamic_slice(m, (0, k), (8, 1)) / lax.dynamic_slice(m, (k, k), (1, 1))
        below = (jnp.arange(8) > k)[:, None]
        return m - jnp.where(below, factors * pivot, 0.0)

    return lax.fori_loop(0, 8, column, a)


@program(floats(12))
def sieve_like(x):
    def mark(i, c):
        return lax.fori_loop(0, 3, lambda j, m: lax.dynamic_update_slice(m, x[:2] * j, (i * 2 + j,)), c)

    return lax.fori_loop(0, 4, mark, jnp.zeros(12, jnp.float32))


@program(floats(5, 4), i32(2))
def dynamic_row(a, row):
    def step(i, c):
        a, v = c
        v = v + lax.dynamic_index_in_dim(a, i, 0, keepdims=False)
        return lax.dynamic_update_index_in_dim(a, v, row, 0), v

    return lax.fori_loop(0, 5, step, (a, a[0]))


# -- branches


@program(floats(6), i32(1))
def branch(x, n):
    return lax.cond(n > 0, lambda v: v * 2, lambda v: v - 1, x)


@program(floats(6), np.bool_(False))
def branch_updates_argument(x, p):
    return lax.cond(p, lambda v: v, lambda v: v.at[2].set(9.0), x), x


@program(floats(6), np.bool_(True))
def branch_updates_value_read_later(x, p):
    y = x * 2
    z = lax.cond(p, lambda v: v.at[2].set(9.0), lambda v: v, y)
    return z + y


@program(floats(6), np.bool_(True))
def branch_updates_value_read_after_loop(x, p):
    y = x * 2
    z = lax.cond(p, lambda v: v.at[2].set(9.0), lambda v: v, y)
    w = lax.fori_loop(0, 3, lambda i, v: v + z, x)
    return w + y


@program(floats(6), i32(2))
def switch_four(x, k):
    return lax.switch(k, [lambda v: v, lambda v: v * 2, lambda v: v.at[1].set(5.0), lambda v: -v], x), x


@program(floats(6), i32(9))
def switch_out_of_range(x, k):
    return lax.switch(k, [lambda v: v, lambda v: v * 2, lambda v: v + 3], x)


@program(floats(6))
def branch_in_loop(x):
    def step(i, v):
        return lax.cond(i % 2 == 0, lambda v: v * 1.5, lambda v: v - 0.5, v)

    return lax.fori_loop(0, 9, step, x)


@program(floats(6))
def branch_with_update_in_loop(x):
    def step(i, c):
        v, t = c
        w = lax.cond(jnp.sum(v) > 0, lambda v: v.at[i].set(-2.0), lambda v: v + 1.0, v)
        return w, t + v

    return lax.fori_loop(0, 6, step, (x, x))


@program(floats(6), floats(6, seed=1))
def switch_in_loop(x, y):
    def step(i, v):
        return lax.switch(i % 3, [lambda v: v + y, lambda v: v * y, lambda v: y.at[i].set(0.0) + v], v)

    return lax.fori_loop(0, 6, step, x)


@program(floats(6), np.bool_(True))
def loop_in_branch(x, p):
    def long(v):
        return lax.fori_loop(0, 5, lambda i, w: w.at[i].set(w[i] * 2), v)

    return lax.cond(p, long, lambda v: v, x), x


@program(floats(6), i32(1))
def loops_in_switch(x, k):
    loops = [lambda v, n=n: lax.fori_loop(0, n, lambda i, w: w * 0.5 + i, v) for n in (0, 3, 6)]
    return lax.switch(k, loops, x)
