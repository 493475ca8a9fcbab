"""Arrays of a repeated element of eight bytes or more: written into beside other work, in loops, returned, reduced of nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.ir.bindings import CONTEXT, ir
from sable.passes.legalize.loops import lower_loops

WIDE = ["float64", "int64", "complex64", "complex128"]


@pytest.fixture(autouse=True)
def sixty_four_bits():
    with jax.enable_x64(True):
        yield


def padded(x: Any, k: int, i: Any) -> Any:
    return lax.pad(x, np.array(1, x.dtype), [(k, 0, 0)])


def updated(x: Any, k: int, i: Any) -> Any:
    return lax.dynamic_update_slice(jnp.ones(5, x.dtype), x, (i + k,))


def scattered(x: Any, k: int, i: Any) -> Any:
    return jnp.ones(5, x.dtype).at[k + jnp.arange(len(x)) + i].add(x)


@pytest.mark.parametrize("dtype", WIDE)
def test_two_that_are_written_into(dtype: str) -> None:
    """The second stands beside a multiplication that may run at the same time."""

    def both(x: Any, i: Any) -> list:
        found = []
        for step in (padded, updated, scattered):
            y = x * step(x[:-1], 1, i)
            found.append(y * step(y[:-2], 2, i))
        return found

    x = np.arange(2, 7).astype(dtype)
    y = x * np.array([1, *x[:-1]])
    moved = y * np.array([1, 1, *y[:-2]])
    y = x * np.array([1, *(x[:-1] + 1)])
    added = y * np.array([1, 1, *(y[:-2] + 1)])
    for got, want in zip(jax.jit(both)(x, np.int32(0)), (moved, moved, added)):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_paddings_of_every_kind() -> None:
    x = np.arange(6.0).reshape(2, 3)
    paddings = [((1, 2, 0), (0, 1, 0)), ((0, 0, 2), (1, 0, 1)), ((-1, 2, 0), (0, -1, 1)), ((0, 0, 0), (-1, 0, 0))]
    compiled = jax.jit(lambda x: [lax.pad(x, np.float64(7), p) for p in paddings])(x)
    for got, padding in zip(compiled, paddings):
        np.testing.assert_array_equal(got, lax.pad(x, np.float64(7), padding))
    empty = jax.jit(lambda x: lax.pad(x, np.float64(7), [(1, 2, 3)]))(np.zeros(0))
    np.testing.assert_array_equal(empty, [7, 7, 7])


@pytest.mark.parametrize("dtype", WIDE)
def test_prefixes(dtype: str) -> None:
    x = np.arange(2, 10).astype(dtype)
    np.testing.assert_allclose(jax.jit(lax.cumprod)(x), np.cumprod(x), rtol=1e-6)


def test_reductions_of_nothing_and_constants_are_returned() -> None:
    x = np.zeros((3, 0), np.complex128)

    def f(x: Any) -> tuple:
        return lax.reduce_sum(x, (1,)), lax.reduce_prod(x, (1,)), jnp.full(4, 2j), jnp.zeros(3, x.dtype)

    for got, want in zip(jax.jit(f)(x), (np.zeros(3), np.ones(3), np.full(4, 2j), np.zeros(3))):
        np.testing.assert_array_equal(got, want)


def test_narrow_fills_and_zeros_stay() -> None:
    text = """func.func @main(%%x: tensor<3x%s>, %%i: tensor<i32>) -> tensor<5x%s> {
      %%c = stablehlo.constant dense<%s> : tensor<5x%s>
      %%0 = stablehlo.dynamic_update_slice %%c, %%x, %%i : (tensor<5x%s>, tensor<3x%s>, tensor<i32>) -> tensor<5x%s>
      return %%0 : tensor<5x%s>
    }"""
    for element, value, rewritten in (("f32", "1.0", False), ("f64", "0.0", False), ("f64", "-0.0", True)):
        e = element
        with CONTEXT:
            module = ir.Module.parse(text % (e, e, value, e, e, e, e, e))
            lowered = lower_loops(module).module
        assert ("stablehlo.iota" in str(lowered)) == rewritten
