"""checkpoint: what each policy keeps and computes again, the barrier, arguments; values are in test_control_flow."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.ad_checkpoint import checkpoint_name
from sable.core.tracing import trace_flat
from sable.core.values import as_value
from sable.dialects.ops.functions import run
from sable.ir.function import Function
from sable.passes import linearize_function

POLICIES = jax.checkpoint_policies
X = np.float32([[0.5, 0.25], [1.0, -0.5]])
W = np.float32([[0.75, -0.5], [0.125, 1.5]])


def network(x, w):
    hidden = checkpoint_name(jnp.tanh(x @ w), "hidden")
    scores = hidden[:, :, None] @ hidden[:, None, :]
    output = checkpoint_name(jnp.exp(hidden * hidden), "output")
    return jnp.sin(output) * scores.sum(2)


def traced(f, *args) -> Function:
    values = [as_value(x) for x in args]
    return trace_flat(lambda xs: f(*xs), [x.aval for x in values], fun=f, kind="test", staged=True).function


def linear_function(f) -> tuple[int, list[str]]:
    """Residuals of the derivative, and the nonlinear operations that it does again."""
    made = linearize_function(traced(f, X, W), (True, True))
    (node,) = [n for n in made.linear.nodes() if n.op.name == "checkpoint"]
    assert node.params["differentiated"]
    body = node.params["callee"]
    moving = set(body.arguments[:2])
    again = []
    for n in body.nodes():
        if any(v in moving for v in n.operands):
            moving.update(n.results)
        else:
            again.append(n.op.name)
    return made.residuals, again


def operations(names: list[str]) -> dict[str, int]:
    looked_at = ("dot_general", "tanh", "exponential", "sine", "cosine")
    return {n: names.count(n) for n in looked_at if n in names}


#: policy -> residuals (the two arguments, and what is kept), and operations done again
EXPECTED = {
    # sin and cos of the output, exp for the output, tanh and the dot for the hidden values, the scores
    "nothing": (POLICIES.nothing_saveable, 2, {"dot_general", "tanh", "exponential", "sine", "cosine"}),
    "default": (None, 2, {"dot_general", "tanh", "exponential", "sine", "cosine"}),
    "dots": (POLICIES.dots_saveable, 4, {"tanh", "exponential", "sine", "cosine"}),
    # the scores are a contraction with a batch dimension
    "unbatched dots": (
        POLICIES.dots_with_no_batch_dims_saveable,
        3,
        {"dot_general", "tanh", "exponential", "sine", "cosine"},
    ),
    # tanh's derivative is one of its result before it gets its name
    "a name": (POLICIES.save_only_these_names("hidden"), 3, {"dot_general", "tanh", "exponential", "sine", "cosine"}),
    "names but one": (POLICIES.save_any_names_but_these("hidden"), 3, None),
    "offloaded names": (
        POLICIES.save_and_offload_only_these_names(
            names_which_can_be_saved=["output"],
            names_which_can_be_offloaded=["hidden"],
            offload_src="device",
            offload_dst="pinned_host",
        ),
        4,
        None,
    ),
    "offloaded dots": (
        POLICIES.offload_dot_with_no_batch_dims("device", "pinned_host"),
        3,
        {"dot_general", "tanh", "exponential", "sine", "cosine"},
    ),
    "both": (
        POLICIES.save_from_both_policies(POLICIES.dots_saveable, POLICIES.save_only_these_names("output")),
        5,
        {"tanh", "exponential", "sine", "cosine"},
    ),
    "own": (lambda op, *avals, **params: op.name == "tanh", 3, {"dot_general", "exponential", "sine", "cosine"}),
    "of either": (
        POLICIES.save_from_both_policies(POLICIES.dots_saveable, lambda op, *avals, **params: op == jax.lax.tanh_p),
        4,
        {"exponential", "sine", "cosine"},
    ),
    "through another": (
        lambda *args, **params: POLICIES.dots_saveable(*args, **params),
        4,
        {"tanh", "exponential", "sine", "cosine"},
    ),
    "by text": (lambda op, *avals, **params: str(op) == "exp", 3, {"dot_general", "tanh", "sine", "cosine"}),
}


@pytest.mark.parametrize("case", EXPECTED)
def test_residuals_are_what_the_policy_says(case) -> None:
    policy, count, again = EXPECTED[case]
    residuals, names = linear_function(jax.checkpoint(network, policy=policy))
    assert residuals == count
    if again is not None:
        assert set(operations(names)) == again


def test_everything_is_as_without_checkpoint() -> None:
    plain = linearize_function(traced(network, X, W), (True, True))
    residuals, names = linear_function(jax.checkpoint(network, policy=POLICIES.everything_saveable))
    assert residuals == plain.residuals
    assert operations(names) == {}


def test_unnamed_values_are_kept_by_save_anything_except() -> None:
    residuals, names = linear_function(
        jax.checkpoint(network, policy=POLICIES.save_anything_except_these_names("hidden"))
    )
    assert "dot_general" not in names and "tanh" not in names
    assert residuals > 2


@pytest.mark.parametrize(("prevent", "barriers"), [(True, 1), (False, 0), ((False, True), 1), ((False, False), 0)])
def test_the_barrier(prevent, barriers) -> None:
    f = jax.checkpoint(network, prevent_cse=prevent)
    gradient = jax.jit(jax.grad(lambda x, w: f(x, w).sum()))
    text = gradient.lower(X, W).as_text()
    assert text.count("optimization_barrier") == barriers
    assert text.count("stablehlo.tanh") == 2
    assert "optimization_barrier" not in jax.jit(f).lower(X, W).as_text()


def test_second_derivatives_keep_to_the_policy() -> None:
    """The derivative of a checkpoint is one again: no residual but its operands."""
    f = jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)))
    made = linearize_function(traced(jax.grad(f), np.float32(0.5)), (True,))
    assert made.residuals == 1
    np.testing.assert_allclose(
        jax.grad(jax.grad(f))(0.5), jax.grad(jax.grad(lambda x: jnp.sin(jnp.sin(x))))(0.5), rtol=1e-6
    )


def test_arguments() -> None:
    """Pytrees, keywords, static arguments, captured arrays."""
    scale = jnp.asarray(W)

    def f(tree, flag, *, power, bias):
        return (tree["x"] * scale) ** power + bias if flag else tree["x"]

    g = jax.checkpoint(f, static_argnums=1, static_argnames="power")
    got = jax.grad(lambda x: g({"x": x}, True, power=3, bias=jnp.float32(1)).sum())(jnp.asarray(X))
    np.testing.assert_allclose(got, 3 * X**2 * W**3, rtol=1e-5)
    assert g({"x": jnp.asarray(X)}, False, power=3, bias=0.0).shape == (2, 2)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match="expects a function"):
        jax.checkpoint(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="policy must be a function"):
        jax.checkpoint(network, policy="dots")  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="static_argnums"):
        jax.checkpoint(network, concrete=True)
    with pytest.raises(TypeError, match="not a valid JAX type"):
        jax.checkpoint(lambda x, mode: x)(X, "fast")
    with pytest.raises(ValueError, match="given for both: a"):
        POLICIES.save_and_offload_only_these_names(
            names_which_can_be_saved=["a", "b"],
            names_which_can_be_offloaded=["c", "a"],
            offload_src="device",
            offload_dst="pinned_host",
        )
    with pytest.raises(TypeError, match="must be a string"):
        checkpoint_name(X, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"returned 'host' for cosine: expected True"):
        jax.grad(jax.checkpoint(jnp.sin, policy=lambda op, *avals, **params: "host"))(1.0)


def test_names_of_jax() -> None:
    assert jax.remat is jax.checkpoint is jax.ad_checkpoint.checkpoint is jax.ad_checkpoint.remat
    assert jax.ad_checkpoint.checkpoint_policies is POLICIES
    theirs = pytest.importorskip("jax").checkpoint_policies
    assert {n for n in dir(theirs) if not n.startswith("_")} == set(POLICIES.__all__)


# ---- loops ---------------------------------------------------------------------------------------------------


def layers(ws, x):
    def layer(x, w):
        hidden = checkpoint_name(jnp.sin(x @ w), "hidden")
        return jnp.tanh(hidden * hidden), hidden.sum()

    out, sums = jax.lax.scan(layer, x, ws)
    return (out**2).sum() + (sums * sums).sum()


WS = np.stack([W, W.T, W + 0.25])
STACK = (3, 2, 2)


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        (None, 0),
        (POLICIES.dots_saveable, 1),
        (POLICIES.save_only_these_names("hidden"), 1),
        (POLICIES.save_from_both_policies(POLICIES.dots_saveable, POLICIES.save_only_these_names("hidden")), 2),
    ],
    ids=["nothing", "dots", "names", "both"],
)
def test_policies_reach_into_scans(policy, kept) -> None:
    """What is kept of each step is stacked; the carry of the steps is computed again from it, by a loop of its own."""
    function = traced(jax.checkpoint(layers, policy=policy), WS, X)
    made = linearize_function(function, (True, True))
    (forward,) = [n for n in made.forward.nodes() if n.op.name == "checkpoint"]
    stacked = [v for v in forward.results if tuple(v.aval.shape) == STACK]
    assert len(stacked) == kept
    (linear,) = [n for n in made.linear.nodes() if n.op.name == "checkpoint"]
    loops = [n.params["body"] for n in linear.params["callee"].nodes() if n.op.name == "scan"]
    assert len(loops) == 2
    names = [n.op.name for n in loops[0].nodes()]
    assert ("dot_general" in names) == (kept == 0) and "cosine" not in names


@pytest.mark.parametrize("policy", [None, POLICIES.dots_saveable, POLICIES.save_only_these_names("hidden")])
def test_gradients_of_scans(policy) -> None:
    """First and second order, around the loop and in its body."""

    def inside(ws, x):
        body = jax.checkpoint(lambda x, w: (jnp.tanh(checkpoint_name(jnp.sin(x @ w), "hidden") ** 2), x), policy=policy)
        out, rows = jax.lax.scan(body, x, ws, reverse=True)
        return (out**2).sum() + jnp.sin(rows).sum()

    def outside(ws, x):
        def body(x, w):
            return jnp.tanh(checkpoint_name(jnp.sin(x @ w), "hidden") ** 2), x

        out, rows = jax.lax.scan(body, x, ws, reverse=True)
        return (out**2).sum() + jnp.sin(rows).sum()

    def second(f):
        return lambda ws, x: jax.grad(lambda ws, x: (jax.grad(f, 1)(ws, x) ** 2).sum(), (0, 1))(ws, x)

    def values(f):
        return run(traced(f, WS, X), [WS, X])

    gradient = values(jax.grad(outside, (0, 1)))
    curvature = values(second(outside))
    for f in (inside, jax.checkpoint(outside, policy=policy), jax.checkpoint(inside, policy=policy)):
        for found, wanted in ((jax.grad(f, (0, 1)), gradient), (second(f), curvature)):
            for x, y in zip(values(found), wanted):
                np.testing.assert_allclose(x, y, rtol=2e-4, atol=1e-5)
    mapped = jax.vmap(jax.grad(jax.checkpoint(outside, policy=policy)), (None, 0))
    (rows,) = run(traced(mapped, WS, np.stack([X, X])), [WS, np.stack([X, X])])
    np.testing.assert_allclose(rows[1], gradient[0], rtol=2e-4, atol=1e-5)


def test_gradients_of_scans_compiled() -> None:
    f = jax.checkpoint(layers, policy=POLICIES.dots_saveable)
    for x, y in zip(jax.jit(jax.grad(f, (0, 1)))(WS, X), run(traced(jax.grad(layers, (0, 1)), WS, X), [WS, X])):
        np.testing.assert_allclose(x, y, rtol=2e-4, atol=1e-5)


# ---- once ----------------------------------------------------------------------------------------------------


def test_a_function_is_traced_once() -> None:
    calls = []

    def f(x, w):
        calls.append(1)
        return x @ w

    for _ in range(3):
        jax.checkpoint(f)(X, W)
    assert len(calls) == 1
    jax.checkpoint(f)(X[:1], W)
    assert len(calls) == 2


def test_a_policy_lives_as_long_as_its_programs() -> None:
    def make():
        def policy(op, *avals, **params):
            return op.name == "sin"

        return jax.jit(jax.checkpoint(lambda x: jnp.sin(jnp.sin(x)), policy=policy)), weakref.ref(policy)

    f, policy = make()
    f(1.0)
    gc.collect()
    np.testing.assert_allclose(jax.grad(f)(1.0), np.cos(np.sin(1.0)) * np.cos(1.0), rtol=1e-6)
    del f
    gc.collect()
    assert policy() is None
