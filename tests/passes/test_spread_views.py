"""Elements picked one by one out of slices whose elements lie apart."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
from sable import lax
from sable import numpy as jnp
from sable.ir.bindings import CONTEXT, ir
from sable.passes.ir_tools import BARRIER
from sable.passes.legalize.spread_views import copy_spread_views

#: What is picked of a (40, 50) matrix `a`, also seen as (4, 10, 50) `b` and (2000,) `c`; positions `i` are below 4.
PICKED = [
    "a[:, 3][i]",
    "a[5:, 3][i]",
    "a[::2, 3][i]",
    "a[0, ::2][i]",
    "a[:, ::10][i, i]",
    "a[::2][:, 3][i]",
    "a[:, :1].reshape(4, 10)[i, 1]",
    "a.reshape(40, 50, 1)[:, :1][i]",
    "b[:, :, 0][i, i]",
    "b[1, :, 3][i]",
    "b[:, 0, ::2][i]",
    "c[::2][i]",
    "c[::2][:100][i]",
    "c[::-2]",
    "c[::-2][i]",
    "a[:, ::-3]",
    "lax.rev(a[::2, 0], (0,))",
    "lax.rev(a[5:, 3].reshape(5, 7), (0, 1))",
    "lax.rev(a[:, ::2], (0, 1))[i, i]",
    "lax.rev(lax.pad(b, jnp.zeros((), a.dtype), ((0, 0, 0), (0, 0, 0), (-1, -48, 0))), (1,))",
    "lax.pad(b, jnp.zeros((), a.dtype), ((0, 0, 0), (-2, 0, 0), (0, -49, 0)))[i, i, 0]",
    "lax.rev(lax.pad(c, jnp.zeros((), a.dtype), ((-3, 5, 0),)), (0,))[::3]",
    "lax.dynamic_index_in_dim(a, i[3], 1, False)[i]",
    "lax.dynamic_slice(b, (i[1], i[1], i[2]), (2, 4, 1))[:, :, 0][i % 2, i]",
    "jax.vmap(lambda row: row[::3][i])(a)",
    "lax.fori_loop(0, 3, lambda k, x: jnp.sort(x + c[::7][i + k]), c[:4])",
]


def picked(a: object, i: object) -> list:
    space = {"a": a, "b": a.reshape(4, 10, 50), "c": a.reshape(2000), "i": i, "jax": jax, "jnp": jnp, "lax": lax}
    return [eval(text, space) for text in PICKED]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bool", "uint32"])
def test_values(dtype):
    a, i = jnp.asarray(np.arange(2000).reshape(40, 50) % 251 % 7).astype(dtype), jnp.asarray(np.int32([3, 0, 2, 1]))
    for text, got, expected in zip(PICKED, jax.jit(picked)(a, i), picked(a, i), strict=True):
        np.testing.assert_array_equal(got, expected, err_msg=text)


def test_values_of_computed_arrays():
    """What is sliced was made by the same program, which also returns it."""

    def program(a, i):
        return a * 2, picked(a * 2, i)

    a, i = jnp.arange(2000.0).reshape(40, 50), jnp.asarray(np.int32([3, 0, 2, 1]))
    for text, got, expected in zip(PICKED, jax.jit(program)(a, i)[1], program(a, i)[1], strict=True):
        np.testing.assert_array_equal(got, expected, err_msg=text)


@pytest.mark.parametrize(
    ("platform", "slice", "barriers"),
    [("cpu", "0:40, 3:4", 0), ("cpu", "0:40:2, 3:4", 1), ("cpu", "0:40, 0:50", 0), ("vulkan", "0:40:2, 3:4", 0)],
)
def test_barriers_are_few(platform, slice, barriers):
    rows, columns = (20 if ":2," in slice else 40), (1 if "3:4" in slice else 50)
    text = f"""
    func.func public @main(%a: tensor<40x50xf32>) -> tensor<{rows * columns}xf32> {{
      %0 = stablehlo.slice %a [{slice}] : (tensor<40x50xf32>) -> tensor<{rows}x{columns}xf32>
      %1 = stablehlo.reshape %0 : (tensor<{rows}x{columns}xf32>) -> tensor<{rows * columns}xf32>
      %2 = stablehlo.reverse %1, dims = [0] : tensor<{rows * columns}xf32>
      return %2 : tensor<{rows * columns}xf32>
    }}"""
    with CONTEXT:
        module = ir.Module.parse(text)
        copy_spread_views(module, platform)
        module.operation.verify()
    assert str(module).count(BARRIER) == barriers
