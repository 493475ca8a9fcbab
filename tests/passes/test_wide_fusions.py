"""Programs of more arrays than a dispatch of IREE's takes: of arguments, carries, captures, results; against NumPy."""

from __future__ import annotations

import functools
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.compiler import service
from sable.ir.bindings import CONTEXT, ir
from sable.passes.ir_tools import BARRIER
from sable.passes.legalize.loops import LoopOptions, lower_loops
from sable.passes.legalize.wide_fusions import split_wide_fusions

from ..vulkan import vulkan_device

#: Around what IREE's runtime and its loader let a dispatch take, and far beyond (where many results take long to compile).
COUNTS = (31, 32, 33, 64, 65)
MANY = 500
TYPES = ("bool", "int8", "uint8", "uint16", "int32", "uint32", "float16", "bfloat16", "complex64")


def arrays(n: int, shape: tuple[int, ...] = (5,)) -> list[np.ndarray]:
    return list(np.random.default_rng(n).uniform(0.5, 1.5, (n, *shape)).astype(np.float32))


def agree(got: Any, want: Any) -> None:
    got, want = jax.tree_util.tree_leaves(got), jax.tree_util.tree_leaves(want)
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_allclose(np.asarray(g), w, rtol=2e-5)


@pytest.fixture(params=["kernel", "blocks"])
def route(request, monkeypatch):
    """Loops by one route and the other."""
    if request.param == "blocks":
        monkeypatch.setattr(service._Work, "_loops", lambda work, *_: (work.options.loops, "blocks"))
        monkeypatch.setattr(service, "_key", lambda *args, key=service._key: "blocks" + key(*args))
    return request.param


@pytest.mark.parametrize("n", COUNTS)
def test_arguments_and_results(n):
    def program(*a):
        total = sum(a)
        running = [a[0]]
        for x in a[1:]:
            running.append(running[-1] + x)
        scaled = [x / total for x in a]
        return (
            total,
            total / jnp.sum(total),
            running,
            scaled,
            jnp.stack(running),
            jnp.concatenate(scaled),
            a[0][None] * total[:, None],
        )

    values = arrays(n)
    total, running = np.sum(values, 0), np.cumsum(values, 0)
    scaled = np.array(values) / total
    want = (
        total,
        total / total.sum(),
        list(running),
        list(scaled),
        running,
        scaled.reshape(-1),
        np.outer(total, values[0]),
    )
    agree(jax.jit(program)(*values), want)


def test_sums_of_all_types():
    """Barriers stand between integers of either kind, booleans, complex numbers, half precision."""
    dtypes = [np.uint32, np.uint8, np.int8, np.bool_, np.complex64, np.float16, ml_dtypes.bfloat16]
    values = [[np.arange(k, k + 5).astype(dtype) for k in range(40)] for dtype in dtypes]
    got = jax.jit(lambda all: [sum(a[1:], a[0]) for a in all])(values)
    for x, a in zip(got, values):
        want = np.any(a, axis=0) if a[0].dtype == np.bool_ else np.sum(np.asarray(a, np.complex128), axis=0)
        wide = want if a[0].dtype.kind not in "iu" else want.real.astype(np.int64).astype(a[0].dtype)
        assert x.dtype == a[0].dtype
        np.testing.assert_allclose(np.asarray(x).astype(np.complex128), wide.astype(np.complex128), rtol=0.1)


@pytest.mark.parametrize("n", COUNTS)
def test_scalars(n):
    def program(x, *a):
        total = sum(a)
        running = [a[0]]
        for y in a[1:]:
            running.append(running[-1] * 0.5 + y)
        return total, running, [y / total for y in a], sum(x * r for r in running), jnp.stack(a)

    x, *values = arrays(n + 1, ())
    vector = np.arange(3, dtype=np.float32) + x
    running = [values[0]]
    for y in values[1:]:
        running.append(running[-1] * np.float32(0.5) + y)
    total = np.sum(values)
    want = total, running, [y / total for y in values], sum(vector * r for r in running), np.stack(values)
    agree(jax.jit(program)(vector, *values), want)


@pytest.mark.parametrize("n", COUNTS)
def test_gathered_scalars(n):
    """Two arguments are enough: the one dispatch of all scalars writes each by itself."""
    factors = np.arange(1, n + 1, dtype=np.float32)
    x = np.float32(0.1)
    got = jax.jit(lambda x, v: (jnp.stack([x * k for k in factors]) + 1, jnp.stack([v[k % 5] + x for k in range(n)])))
    v = arrays(1)[0]
    agree(got(x, v), (x * factors + 1, v[np.arange(n) % 5] + x))


@pytest.mark.parametrize("n", (*COUNTS, MANY))
def test_gradients(n):
    values = arrays(n)
    total = np.sum(values, 0)
    agree(jax.jit(jax.grad(lambda *a: jnp.sum(sum(a) ** 2) / 2, range(n)))(*values), [total] * n)
    agree(jax.grad(lambda *a: jnp.sum(sum(a) ** 2) / 2, range(n))(*values), [total] * n)


@pytest.mark.parametrize("n", [16, *COUNTS])
def test_carries_and_captures(n, route):
    """As many carries, captures and stacked results in one loop, the body's sum being over all of them."""

    def program(carried, captured):
        def step(carry, x):
            total = sum(carry) + sum(captured) * x
            return [c * 0.5 + total / n for c in carry], [total * y for y in captured]

        return lax.scan(step, carried, jnp.arange(3.0))

    carried, captured = arrays(n), arrays(n + 1)[:n]
    stacks, state = [], np.array(carried)
    for x in range(3):
        total = state.sum(0) + np.sum(captured, 0) * x
        stacks.append(total * np.array(captured))
        state = state * 0.5 + total / n
    agree(jax.jit(program)(carried, captured), (list(state), list(np.stack(stacks, 1))))


@pytest.mark.parametrize("n", [11, 27, 40, 65])
def test_operations_of_many_arrays(n):
    xs = [np.arange(5, dtype=np.float32) + k for k in range(n)]
    zeros = tuple(np.float32(0) for _ in xs)

    def add(x, y):
        return tuple(p + q for p, q in zip(x, y))

    def all_of(*xs):
        return (
            jax.lax.reduce(xs, zeros, add, (0,)),
            jax.lax.reduce_window(xs, zeros, add, (2,), (1,), "VALID"),
            jax.lax.associative_scan(add, xs),
        )

    sums, windows, running = jax.jit(all_of)(*xs)
    np.testing.assert_array_equal(np.stack(sums), np.sum(xs, axis=1))
    np.testing.assert_array_equal(np.stack(windows), np.stack(xs)[:, 1:] + np.stack(xs)[:, :-1])
    np.testing.assert_array_equal(np.stack(running), np.cumsum(xs, axis=1))


@pytest.mark.parametrize("n", COUNTS)
def test_branches(n, route):
    values = arrays(n)
    program = jax.jit(lambda *a: lax.cond(a[0][0] > 0, lambda *b: [x + sum(b) for x in b], lambda *b: list(b), *a))
    agree(program(*values), [x + np.sum(values, 0) for x in values])


def test_hundreds_of_captures(route):
    values = arrays(MANY)
    got = jax.jit(lambda *a: lax.fori_loop(0, 3, lambda i, c: c * 0.5 + sum(a), a[0]))(*values)
    agree(got, values[0] / 8 + np.sum(values, 0) * 1.75)


def test_hundreds_of_carries():
    values = arrays(MANY)
    got = jax.jit(lambda *a: lax.fori_loop(0, 3, lambda i, c: [*c[1:], c[0] + c[1]], list(a)))(*values)
    agree(got, [*values[3:], *(x + y for x, y in zip(values[:3], values[1:4]))])


def test_gradients_of_loops(route):
    n = 33
    values = arrays(n)

    def loss(carried):
        def step(carry, x):
            return [c * x + sum(carry) for c in carry], None

        return sum(jnp.sum(c) for c in lax.scan(step, carried, jnp.arange(3.0))[0])

    # each step multiplies by x I + 1 1^T, which has the column sums x + n
    agree(jax.jit(jax.grad(loss))(values), [np.full(5, np.prod([x + n for x in range(3)]), np.float32)] * n)


def test_all_types_are_divided():
    """The maxima of 40 arrays and of 40 scalars of each type."""
    kinds = [ml_dtypes.bfloat16 if t == "bfloat16" else np.dtype(t) for t in TYPES]
    values = [[np.roll(np.arange(4), k).astype(kind) for k in range(40)] for kind in kinds]

    def program(values):
        scalars = [[x[k % 4] for k, x in enumerate(v)] for v in values]
        return [[functools.reduce(jnp.maximum, v) for v in some] for some in (values, scalars)]

    for kind, array, scalar in zip(kinds, *jax.jit(program)(values)):
        assert np.array_equal(np.asarray(array), np.full(4, 3).astype(kind)) and array.dtype == kind
        assert np.asarray(scalar) == np.asarray(0).astype(kind)  # element k of what was rolled by k is the first


@pytest.mark.parametrize("dtype", TYPES)
def test_all_types_are_packed(dtype):
    """40 carries, which rotate: arrays of every type lie in a kernel's common buffer."""
    n, steps = 40, 3
    values = [(np.arange(3) * 7 + k).astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype) for k in range(n)]
    mixed = [np.float32(k) for k in range(n)]

    def step(_, carry):
        values, mixed = carry
        return [*values[1:], values[0]], [*mixed[1:], mixed[0]]

    got = jax.jit(lambda v, m: lax.fori_loop(0, steps, step, (v, m)))(values, mixed)
    for g, w in zip(jax.tree_util.tree_leaves(got), [*values[steps:], *values[:steps], *mixed[steps:], *mixed[:steps]]):
        assert np.array_equal(np.asarray(g), w)


@pytest.mark.parametrize("n", [33, 65])
def test_vulkan(n):
    """There what a dispatch reads has push constants too, which are few."""
    device = vulkan_device()
    values = arrays(n)

    def program(*a):
        _, stacks = lax.scan(lambda c, x: (c + 1, [y * c for y in x]), 1.0, list(a))
        return sum(a), stacks

    got = jax.jit(program)(*(jax.device_put(x, device) for x in values))
    agree(got, (np.sum(values, 0), [x * np.arange(1, 6, dtype=np.float32) for x in values]))


def test_small_programs_stay_as_they_are():
    text = """
    func.func public @main(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
      %0 = stablehlo.add %a, %b : tensor<4xf32>
      %1 = stablehlo.add %a, %b : tensor<4xf32>
      %2 = stablehlo.multiply %0, %1 : tensor<4xf32>
      return %2 : tensor<4xf32>
    }"""
    with CONTEXT:
        module = ir.Module.parse(text)
        before = str(module)
        split_wide_fusions(module, "cpu")
        assert str(module) == before


@pytest.mark.parametrize("n", [26, 28, 60, 500])
def test_barriers_are_few(n):
    """27 arrays are fused: the first, or 26 and what came before, which lies behind a barrier; the result is one."""
    sums = [f"%s{k} = stablehlo.add %s{k - 1}, %a{k} : tensor<4xf32>" for k in range(1, n)]
    arguments = ", ".join(["%s0: tensor<4xf32>", *(f"%a{k}: tensor<4xf32>" for k in range(1, n))])
    body = "\n".join([*sums, f"return %s{n - 1} : tensor<4xf32>"])
    with CONTEXT:
        module = ir.Module.parse(f"func.func public @main({arguments}) -> tensor<4xf32> {{ {body} }}")
        split_wide_fusions(module, "cpu")
        module.operation.verify()
        text = str(module)
        assert text.count(BARRIER) == math.ceil((n - 26) / 26)
        split_wide_fusions(module, "cpu")
        assert str(module) == text


def test_a_loop_of_many_arrays_is_a_kernel():
    traced = jax.jit(lambda *a: lax.fori_loop(0, 9, lambda i, c: [x + sum(c) for x in c], list(a)))
    module = traced.lower(*arrays(65)).compiler_ir()
    assert lower_loops(module, LoopOptions(route="kernel")).route == "kernel"
