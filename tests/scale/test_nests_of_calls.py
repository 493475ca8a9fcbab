"""Calls that stand deep in each other: no recursion as deep, and no more copies than a few of each op."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.ir.bindings import CONTEXT, ir
from sable.ir.function import Function, interpret
from sable.ir.op import NumpyBuilder
from sable.passes.assemble import assemble
from sable.passes.importer import Importer
from sable.passes.jvp import jvp_function
from sable.passes.linearize import linearize_function
from sable.passes.lower import lower

DEPTH = 2000
X = jnp.float32(0.5)


@pytest.fixture(scope="module")
def nest():
    """sin(x) + DEPTH / 1000, each addition a call around the others, traced from the inside."""
    f = jax.jit(jnp.sin)
    f.trace(X)
    for _ in range(DEPTH):
        f = jax.jit(lambda x, g=f: g(x) + 0.001)
        f.trace(X)
    return f


VALUE, SLOPE = math.sin(0.5) + DEPTH / 1000, math.cos(0.5)

TRANSFORMED = {
    "call": (lambda f: f(X), VALUE),
    "jit": (lambda f: jax.jit(lambda x: f(x) * 2)(X), 2 * VALUE),
    "jvp": (lambda f: jax.jit(lambda x: jax.jvp(f, (x,), (x,)))(X), (VALUE, SLOPE / 2)),
    "grad": (lambda f: jax.jit(jax.grad(f))(X), SLOPE),
    "second": (lambda f: jax.jit(jax.grad(jax.grad(f)))(X), -math.sin(0.5)),
    "vmap": (lambda f: jax.jit(jax.vmap(f))(jnp.full(3, X)), np.full(3, VALUE)),
    "checkpoint": (lambda f: jax.jit(jax.grad(jax.checkpoint(f)))(X), SLOPE),
    "scan": (lambda f: jax.lax.fori_loop(0, 2, lambda _, x: f(x) - jnp.float32(VALUE) + X, X), 0.5),
    "cond": (lambda f: jax.jit(lambda x: jax.lax.cond(x > 0, f, lambda x: x, x))(X), VALUE),
}


@pytest.mark.parametrize("name", TRANSFORMED)
def test_two_thousand_calls_in_each_other(nest, name):
    run, expected = TRANSFORMED[name]
    np.testing.assert_allclose(run(nest), expected, rtol=1e-4)


def test_an_eager_derivative(nest):
    np.testing.assert_allclose(jax.grad(nest)(X), SLOPE, rtol=1e-5)


def size(function: Function) -> int:
    """The ops of a function and of all it calls, each function once."""
    seen: dict[Function, None] = {}
    todo = [function]
    while todo:
        f = todo.pop()
        if f not in seen:
            seen[f] = None
            todo += f.callees
    return sum(len(f.nodes()) for f in seen)


def test_copies_are_few(nest):
    own = 2 * DEPTH + 1  # an addition and its constant each
    assert size(nest.trace(X).jaxpr.function) < 1.5 * own


def module_of_calls(n: int) -> str:
    """A module of n functions, each of which negates what the next returns; the last is sine."""
    call = """
func.func private @f{k}(%x: tensor<f32>) -> tensor<f32> {{
  %0 = func.call @f{next}(%x) : (tensor<f32>) -> tensor<f32>
  %1 = stablehlo.negate %0 : tensor<f32>
  func.return %1 : tensor<f32>
}}"""
    last = f"""
func.func private @f{n}(%x: tensor<f32>) -> tensor<f32> {{
  %0 = stablehlo.sine %x : tensor<f32>
  func.return %0 : tensor<f32>
}}"""
    main = """
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  %0 = func.call @f0(%x) : (tensor<f32>) -> tensor<f32>
  func.return %0 : tensor<f32>
}"""
    return "\n".join([main, *(call.format(k=k, next=k + 1) for k in range(n)), last])


def test_a_module_of_two_thousand_calls_in_each_other():
    function = Importer(ir.Module.parse(module_of_calls(DEPTH), CONTEXT)).function("main")
    x, numpy = np.float32(0.5), NumpyBuilder()
    np.testing.assert_allclose(interpret(function, [x], numpy), [math.sin(0.5)], rtol=1e-6)
    made, _ = jvp_function(function, (True,))
    np.testing.assert_allclose(interpret(made, [x, x], numpy)[1], SLOPE / 2, rtol=1e-6)
    assert linearize_function(function, (True,)).residuals
    assert lower(function, "any").module.operation.verify()
    assert assemble(function).operation.verify()
