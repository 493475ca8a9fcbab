"""checkpoint: what each policy keeps and computes again, the barrier, arguments; values are in test_control_flow."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.ad_checkpoint import checkpoint_name
from sable.core.tracing import trace_flat
from sable.core.values import as_value
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
    "both": (
        POLICIES.save_from_both_policies(POLICIES.dots_saveable, POLICIES.save_only_these_names("output")),
        5,
        {"tanh", "exponential", "sine", "cosine"},
    ),
    "own": (lambda op, *avals, **params: op.name == "tanh", 3, {"dot_general", "exponential", "sine", "cosine"}),
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
    with pytest.raises(TypeError, match="must be a string"):
        checkpoint_name(X, 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"returned 'host' for cosine: expected True"):
        jax.grad(jax.checkpoint(jnp.sin, policy=lambda op, *avals, **params: "host"))(1.0)


def test_names_of_jax() -> None:
    assert jax.remat is jax.checkpoint is jax.ad_checkpoint.checkpoint is jax.ad_checkpoint.remat
    assert jax.ad_checkpoint.checkpoint_policies is POLICIES
    theirs = pytest.importorskip("jax").checkpoint_policies
    offload = {"offload_dot_with_no_batch_dims", "save_and_offload_only_these_names"}
    assert {n for n in dir(theirs) if not n.startswith("_")} - offload == set(POLICIES.__all__)
