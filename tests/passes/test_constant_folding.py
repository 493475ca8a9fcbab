"""What is computed from constants while a program is lowered, and what is not."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.passes.ir_tools import walk_module
from sable.passes.lower import lower

X = np.linspace(0.5, 2, 5, dtype=np.float32)


def names(f, *arguments, platform="cpu"):
    """The operations that lowering a function gives, in order, without constants and what holds the others."""
    module = lower(jax.jit(f).trace(*arguments).jaxpr.function, platform).module
    inert = ("stablehlo.constant", "func.func", "func.return", "stablehlo.return", "stablehlo.iota")
    return [op.name.removeprefix("stablehlo.") for op in walk_module(module) if op.name not in inert]


CONSTANT = {
    "power": lambda: jnp.logspace(0, 2, 5),
    "half precision": lambda: jnp.exp(jnp.full((3,), 0.3, jnp.bfloat16)),
    "unsigned": lambda: jnp.full((4,), 200, jnp.uint8) + jnp.arange(4, dtype=jnp.uint8) * 30,
    "booleans": lambda: jnp.eye(3) @ jnp.ones((3, 2)) > 0.5,
    "division by zero": lambda: jnp.full((2,), 7) // jnp.zeros((2,), jnp.int32),
    "out of range": lambda: lax.convert_element_type(jnp.full((2,), 3e10), jnp.int32),
    "shift by all bits": lambda: lax.shift_left(jnp.full((2,), 5), jnp.arange(2) + 31),
    "nan": lambda: jnp.maximum(jnp.full((2,), jnp.nan), jnp.arange(2.0)),
    "reduction": lambda: jnp.arange(16.0).reshape(4, 4).sum(0),
    "bits of wider ones": lambda: lax.bitcast_convert_type(jnp.full((3, 2), 7, jnp.uint16), jnp.uint32),
    "bits of narrower ones": lambda: lax.bitcast_convert_type(jnp.full((3,), 300, jnp.uint16), jnp.uint8),
    "splat": lambda: jnp.sqrt(jnp.full((100, 100), 2.0) + 7.0),
}


@pytest.mark.parametrize("name", CONSTANT)
def test_constants_are_what_eager_ops_give(name):
    f = CONSTANT[name]
    assert names(f) == []
    compiled, eager = jax.jit(f)(), f()
    assert compiled.dtype == eager.dtype
    np.testing.assert_array_equal(np.asarray(compiled), np.asarray(eager))


def test_part_of_a_program():
    assert "log" not in names(lambda x: x * jnp.log(2.0), X)
    assert names(lambda x: x * jnp.log(2.0), X) == ["multiply"]


def test_plain_stablehlo_stays_as_it_was_written():
    assert "log" in names(lambda x: x * jnp.log(jnp.float32(2.0)), X, platform="any")


@pytest.mark.parametrize(
    "f, kept",
    [
        (lambda x: x + jnp.sqrt(jnp.arange(1000.0)).sum(), "sqrt"),
        (lambda x: lax.optimization_barrier(jnp.float32(2.0)) + x, "optimization_barrier"),
        (lambda x: lax.fori_loop(0, 3, lambda i, c: c * 2, jnp.float32(1.0)) + x, "while"),
    ],
    ids=["large", "barrier", "loop"],
)
def test_what_is_not_folded(f, kept):
    assert kept in names(f, X)
    np.testing.assert_allclose(jax.jit(f)(X), f(jnp.asarray(X)), rtol=1e-5)
