"""Programs for CUDA, compiled and not run: no such device is at hand, but the compiler's verdict is."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.compiler import Target
from sable.core.preparation import compile_prepared, prepare

HIDDEN = 128
BATCH = 64


def loss(params, images, labels):
    """That of examples/digits.py."""
    hidden = jax.nn.relu(images @ params["w1"] + params["b1"])
    scores = jax.nn.log_softmax(hidden @ params["w2"] + params["b2"])
    return -jnp.mean(jnp.take_along_axis(scores, labels[:, None], axis=1))


def train_step(params, images, labels):
    value, gradient = jax.value_and_grad(loss)(params, images, labels)
    return jax.tree.map(lambda p, g: p - 0.1 * g, params, gradient), value


def rnn(w, xs):
    def step(h, x):
        h = jnp.tanh(w @ h + x)
        return h, h.sum()

    return jax.lax.scan(step, jnp.zeros(w.shape[0]), xs)


def f32(*shape):
    return jax.ShapeDtypeStruct(shape, np.float32)


PARAMS = {"w1": f32(64, HIDDEN), "b1": f32(HIDDEN), "w2": f32(HIDDEN, 10), "b2": f32(10)}

PROGRAMS = {
    "digits": (train_step, PARAMS, f32(BATCH, 64), jax.ShapeDtypeStruct((BATCH,), np.int32)),
    "gradient of scan": (jax.grad(lambda w, xs: rnn(w, xs)[1].sum()), f32(8, 8), f32(5, 8)),
    "while": (lambda x: jax.lax.while_loop(lambda v: v.sum() < 100, lambda v: v * 2 + 1, x), f32(3)),
    "sort": (lambda x: (jnp.sort(x), jnp.argsort(x)), f32(100)),
    "random": (lambda seed: jax.random.normal(jax.random.key(seed), (5,)), jax.ShapeDtypeStruct((), np.uint32)),
    "scatter": (lambda x: x.at[jnp.array([0, 0, 2])].add(1.0), f32(5)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiles_for_sm_80(name):
    function, *arguments = PROGRAMS[name]
    traced = jax.jit(function).trace(*arguments)
    prepared = prepare(traced.jaxpr.function, "cuda")
    compiled = compile_prepared(prepared, Target(platform="cuda", cuda="sm_80"))
    assert compiled.vmfb[:2] == b"PK"
