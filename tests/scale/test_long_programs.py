"""Programs of many thousand ops: no recursion over them."""

from __future__ import annotations

import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.core.preparation import prepare
from sable.ir.bindings import CONTEXT, ir
from sable.passes.ir_tools import walk_module


def branches(f):
    """The names of the branches that the compiler is given."""
    module = prepare(jax.jit(f).trace(jnp.float32(1)).jaxpr.function, "cpu").module
    operations = walk_module(ir.Module.parse(module, CONTEXT))
    return [op.name for op in operations if op.name in ("stablehlo.case", "stablehlo.if")]


def add_often(n):
    """x + n, one at a time."""

    def f(x):
        for _ in range(n):
            x = x + 1.0
        return x

    return f


def test_a_condition_on_a_value_computed_by_100_000_ops_after_a_call():
    n = 100_000
    call = jax.jit(lambda x: x * 0.5)

    def f(x):
        y = add_often(n)(call(x))
        return y * y if y > 0 else -y

    assert jax.grad(f)(0.0) == n  # d (x/2 + n)^2 = x/2 + n


def test_a_condition_on_values_of_enclosing_traces():
    def f(x):
        y = jax.jit(lambda v: v * 2.0)(x)

        def inner(z):
            w = z
            for _ in range(3_000):
                w = w + y * 0.0
            return w * y if w > 2 else w

        return jax.grad(inner)(x) + y

    assert jax.grad(f)(3.0) == 4.0


@pytest.mark.parametrize("factor", [1, 0])
def test_a_branch_decided_by_10_000_integer_ops(factor):
    def f(x):
        i = jnp.int32(factor)
        for _ in range(10_000):
            i = i + i
        return lax.cond(i == 0, lambda v: v + 1, lambda v: v - 1, x)

    # 2^10000 wraps to zero: in both cases the branch is known, and none is left
    assert branches(f) == []


def test_a_branch_behind_integer_ops_that_share_operands():
    def f(x):
        i, k = jnp.int32(1), jnp.int32(2)
        for _ in range(60):  # 2^60 paths lead back to the constants
            i, k = i + k, k - i
        return lax.cond(i > k, lambda v: v + 1, lambda v: v - 1, x)

    assert branches(f) == []
