"""What derivatives cost: operations against the primal's, what is kept of a run, what loops stack."""

import re

import jax
import jax.ad_checkpoint
import numpy as np
import pytest

import sable
from sable import lax
from sable import numpy as jnp
from sable.ad_checkpoint import checkpoint_name, print_saved_residuals, saved_residuals
from sable.experimental.ode import odeint


def ones(*shape):
    return np.full(shape, 0.3, np.float32)


def mlp(layers, x):
    for w, b in layers:
        x = jnp.tanh(x @ w + b)
    return (x**2).mean()


def normalized(x, scale, shift):
    centred = x - x.mean(-1, keepdims=True)
    return centred * lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * scale + shift


def transformer_block(p, x):
    h = normalized(x, *p["norm"])
    q, k, v = ((h @ p[n]).reshape(*h.shape[:-1], 2, 4).swapaxes(-2, -3) for n in "qkv")
    attended = sable.nn.softmax(q @ k.swapaxes(-1, -2) / 2.0) @ v
    x = x + attended.swapaxes(-2, -3).reshape(x.shape) @ p["out"]
    return ((x + sable.nn.gelu(normalized(x, *p["norm"]) @ p["up"]) @ p["down"]) ** 2).mean()


def rnn(p, xs):
    def step(h, x):
        h = jnp.tanh(h @ p["u"] + x @ p["w"] + p["b"])
        return h, h @ p["out"]

    return (lax.scan(step, jnp.zeros(4), xs)[1] ** 2).sum()


def runge_kutta(p, y):
    def step(y, _):
        k1 = jnp.tanh(p @ y)
        k2 = jnp.tanh(p @ (y + 0.05 * k1))
        k3 = jnp.tanh(p @ (y + 0.05 * k2))
        k4 = jnp.tanh(p @ (y + 0.1 * k3))
        return y + 0.1 / 6 * (k1 + 2 * k2 + 2 * k3 + k4), None

    return (lax.scan(step, y, None, length=50)[0] ** 2).sum()


def adaptive(p, y):
    return (odeint(lambda y, t, p: -p * y, y, jnp.array([0.0, 1.0]), p)[-1] ** 2).sum()


BLOCK = {n: ones(8, 8) for n in ("q", "k", "v", "out")}
BLOCK |= {"norm": (ones(8), ones(8)), "up": ones(8, 16), "down": ones(16, 8)}
PROGRAMS = {
    "mlp": (mlp, [(ones(4, 4), ones(4))] * 3, ones(8, 4)),
    "transformer_block": (transformer_block, BLOCK, ones(2, 5, 8)),
    "rnn": (rnn, {"u": ones(4, 4), "w": ones(3, 4), "b": ones(4), "out": ones(4, 2)}, ones(10, 3)),
    "runge_kutta": (runge_kutta, ones(4, 4), ones(4)),
    "odeint": (adaptive, ones(3), ones(3)),
}


def operations(f, *args):
    return len(re.findall(r"= \"?(?:stablehlo|chlo)\.(?!constant)", sable.jit(f).lower(*args).as_text()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_gradient_has_at_most_four_times_the_operations(name):
    f, *args = PROGRAMS[name]
    assert operations(sable.value_and_grad(f), *args) <= 4 * operations(f, *args)


def loop(steps):
    def f(w, scale, x):
        def step(c, x):
            return jnp.sin(c @ jnp.exp(w).T) * jnp.tanh(w[0]) * 2.0 + x * scale, c * 3.0

        carry, ys = lax.scan(step, x, jnp.ones((steps, 4)))
        return carry.sum() + ys.sum()

    return f


def test_a_loop_stacks_what_differs_between_steps():
    kept = [a.shape for a, _ in saved_residuals(loop(1000), ones(4, 4), np.float32(2), ones(4))]
    stacked = [s for s in kept if s and s[0] == 1000]
    # the carry, the cosine, the sine times the constant (or what it is made of); not exp(w), tanh(w[0]), 2 and 3
    assert sorted(stacked) == [(1000, 4)] * len(stacked)
    assert len(stacked) <= 4
    assert (4, 4) in kept


@pytest.mark.parametrize("policy", [None, "nothing", "dots"])
def test_gradients_with_hoisted_residuals(policy):
    f = loop(5)
    if policy is not None:
        names = {"nothing": "nothing_saveable", "dots": "dots_saveable"}
        f = sable.checkpoint(f, policy=getattr(sable.checkpoint_policies, names[policy]))

    def wanted(w, scale, x):
        def step(c, x):
            y = jax.numpy.sin(c @ jax.numpy.exp(w).T) * jax.numpy.tanh(w[0]) * 2.0 + x * scale
            return y, c * 3.0

        carry, ys = jax.lax.scan(step, x, jax.numpy.ones((5, 4)))
        return carry.sum() + ys.sum()

    random = np.random.default_rng(0)
    args = random.random((4, 4)), np.float64(0.7), random.random(4)
    with sable.enable_x64(True), jax.enable_x64(True):
        for x, y in zip(sable.grad(f, (0, 1, 2))(*args), jax.grad(wanted, (0, 1, 2))(*args)):
            np.testing.assert_allclose(x, y, rtol=1e-9)
        if policy is None:
            along = [(x, np.ones_like(x)) for x in args]
            found = sable.jvp(sable.grad(f), *zip(*along)), jax.jvp(jax.grad(wanted), *zip(*along))
            np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-8)


def named(np, name):
    def f(x, w):
        return np.sin(name(np.tanh(name(x @ w["a"], "a")), "b")).sum()

    return f


@pytest.mark.parametrize(
    "policy",
    [
        lambda p: p.nothing_saveable,
        lambda p: p.dots_saveable,
        lambda p: p.save_only_these_names("a"),
        lambda p: p.save_any_names_but_these("a"),
        lambda p: p.save_from_both_policies(p.save_only_these_names("a"), p.save_only_these_names("b")),
    ],
)
def test_saved_residuals_are_those_of_jax(policy, capsys):
    args = np.ones((2, 3), np.float32), {"a": np.ones((3, 3), np.float32)}
    f = sable.checkpoint(named(jnp, checkpoint_name), policy=policy(sable.checkpoint_policies))
    g = jax.checkpoint(named(jax.numpy, jax.ad_checkpoint.checkpoint_name), policy=policy(jax.checkpoint_policies))
    print_saved_residuals(f, *args)
    found = capsys.readouterr().out.splitlines()
    jax.ad_checkpoint.print_saved_residuals(g, *args)
    wanted = capsys.readouterr().out.splitlines()
    assert [line.split(" from /")[0] for line in found] == [line.split(" from /")[0] for line in wanted]
    assert all(f"from {__file__}:" in line for line in found if "argument" not in line)


def test_saved_residuals_of_calls_and_constants():
    table = jnp.arange(3.0)
    found = saved_residuals(sable.jit(lambda x, *, y: jnp.sin(x * table) * y), 2.0, y=3.0)
    texts = [text.split(" from /")[0] for _, text in found]
    assert "from a constant" in texts
    assert "output of sin" in texts
    assert "output of cos" in texts
    with pytest.raises(TypeError):
        saved_residuals(lambda x: x, "a")
