"""What was traced, as a jaxpr: JAX's primitives in JAX's order and notation."""

from __future__ import annotations

from typing import Any

import jax as jax_oracle
import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import lax

X = np.arange(3, dtype=np.float32)

#: Programs whose primitives are JAX's, one by one.
SAME = {
    "chain": (lambda jax: lambda x: jax.numpy.sin(x) * 2.0 - jax.lax.exp(x), X),
    "comparisons": (lambda jax: lambda x: ((x > 0), (x <= 1), jax.lax.max(x, 1 - x)), X),
    "dtypes": (lambda jax: lambda x: x.astype(np.int8), X),
    "reductions": (lambda jax: lambda x: (x.sum(), x.max()), X),
    "call": (lambda jax: lambda x: jax.jit(lambda y: y * 3 + 1)(x), X),
    "cond": (lambda jax: lambda x: jax.lax.cond(x > 0, jax.lax.sin, jax.lax.cos, x), X[0]),
    "while": (lambda jax: lambda x: jax.lax.while_loop(lambda c: c < 3, lambda c: c + 1, x), X[0]),
    "captures": (lambda jax: lambda x: x + X, X),
    "nothing": (lambda jax: lambda x: x, X),
}


def primitives(jaxpr: Any) -> list:
    """Names of primitives, with those of inner jaxprs behind them."""
    found: list = []
    for e in jaxpr.eqns:
        found.append(e.primitive.name)
        for value in e.params.values():
            for inner in value if isinstance(value, tuple) else (value,):
                if hasattr(inner, "jaxpr"):
                    found.append(sorted(map(str, primitives(inner.jaxpr))))
    return found


@pytest.mark.parametrize("name", SAME)
def test_the_primitives_are_jaxs(name: str) -> None:
    program, argument = SAME[name]
    ours = sable.make_jaxpr(program(sable))(argument)
    theirs = jax_oracle.make_jaxpr(program(jax_oracle))(argument)
    assert primitives(ours.jaxpr) == primitives(theirs.jaxpr)
    assert len(ours.consts) == len(theirs.consts) == len(ours.jaxpr.constvars)
    assert [a.shape for a in ours.in_avals] == [a.shape for a in theirs.in_avals]
    assert [a.dtype for a in ours.out_avals] == [a.dtype for a in theirs.out_avals]
    assert [str(a.aval.dtype) for a in ours.jaxpr.outvars] == [str(a.aval.dtype) for a in theirs.jaxpr.outvars]


@pytest.mark.parametrize("name", ["chain", "cond", "nothing"])
def test_the_text_is_jaxs(name: str) -> None:
    program, argument = SAME[name]
    ours, theirs = (str(jax.make_jaxpr(program(jax))(argument)) for jax in (sable, jax_oracle))
    plain = theirs.replace("[accuracy=None]", "")
    assert ours.split() == plain.split()


def test_equations() -> None:
    closed = sable.make_jaxpr(lambda x: (sable.numpy.sin(x) + 1.0).sum())(X)
    sine, add, total = closed.eqns
    assert closed.jaxpr.invars == sine.invars and sine.outvars == add.invars[:1]
    assert add.invars[1].val == 1.0 and add.invars[1].aval.shape == ()
    assert total.outvars == closed.jaxpr.outvars and total.params == {"dimensions": (0,)}
    assert __file__ in str(sine.source_info) and not closed.effects
    assert repr(sine) == "a:f32[3] = sin b" and "stablehlo.sine" in str(closed.as_mlir())


def test_what_has_an_effect_and_what_is_dropped() -> None:
    closed = sable.make_jaxpr(lambda x: sable.debug.print("{}", x) or sable.numpy.sin(x) * 0 + 1)(X)
    assert closed.effects == {"debug_callback"}
    closed = sable.make_jaxpr(lambda x: [sable.numpy.sin(x), 0][1])(X)
    assert "_:f32[3] = sin a" in str(closed)


def test_scans_and_switches() -> None:
    text = str(sable.make_jaxpr(lambda x: sable.lax.scan(lambda c, y: (c + y, c), 0.0, x))(X))
    assert "scan[" in text and "jaxpr={ lambda ; d:f32[] e:f32[]. let f:f32[] = add d e in (f, d) }" in text
    text = str(sable.make_jaxpr(lambda i: sable.lax.switch(i, [lambda: 1, lambda: 2]))(0))
    assert "branches=(" in text and text.count("lambda") == 3


def interpreted(jaxpr: Any, consts: Any, *arguments: Any) -> list:
    """A jaxpr run equation by equation, as a user's interpreter does."""
    known: dict = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *arguments)))

    def read(x: Any) -> Any:
        return x.val if hasattr(x, "val") else known[x]

    for e in jaxpr.eqns:
        results = e.primitive.bind(*map(read, e.invars), **e.params)
        known.update(zip(e.outvars, results if e.primitive.multiple_results else (results,)))
    return [read(x) for x in jaxpr.outvars]


INTERPRETED = {
    **{name: (program(sable), argument) for name, (program, argument) in SAME.items()},
    "products": (lambda x: jnp.einsum("i,ij->j", x, jnp.ones((3, 2)), precision="highest"), X),
    "indexing": (lambda x: jnp.asarray(x)[jnp.array([2, 0])] + jnp.asarray(x).at[1].add(3.0)[::-1][:2], X),
    "scan": (lambda x: lax.scan(lambda c, y: (c + y, c * y), 0.0, x), X),
    "sort": (lambda x: (jnp.sort(-x), jnp.argmax(x), jnp.cumsum(x)), X),
    "gradient": (sable.grad(lambda x: (jnp.tanh(x) ** 3).sum()), X),
    "window": (lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (2,), (1,), "VALID"), X),
}


@pytest.mark.parametrize("name", INTERPRETED)
def test_equations_can_be_run(name: str) -> None:
    program, argument = INTERPRETED[name]
    closed = sable.make_jaxpr(program)(argument)
    expected = sable.tree_util.tree_leaves(program(argument))
    for run in (interpreted, sable.jit(interpreted, static_argnums=0)):
        for x, y in zip(run(closed.jaxpr, closed.consts, argument), expected, strict=True):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(x, y, rtol=1e-6)


def test_primitives_of_lax_are_those_of_equations() -> None:
    closed = sable.make_jaxpr(lambda x: lax.sin(x) > 2)(1.0)
    assert [e.primitive for e in closed.eqns] == [lax.sin_p, lax.gt_p]
    assert lax.add_p.name == "add" and not lax.add_p.multiple_results and lax.sort_p.multiple_results
    assert lax.broadcast_in_dim_p.bind(1.0, shape=(2,), broadcast_dimensions=()).shape == (2,)
    with pytest.raises(TypeError, match="missing: \\['dimensions'\\]"):
        lax.reduce_sum_p.bind(X)
    with pytest.raises(TypeError, match="unknown: \\['axes'\\]"):
        lax.reduce_sum_p.bind(X, axes=(0,))


def test_linear_functions_show_what_they_do() -> None:
    kept = sable.checkpoint(sable.numpy.sin, policy=lambda primitive, *avals, **params: str(primitive) == "cos")
    for f, counts in ((sable.checkpoint(sable.numpy.sin), [0, 1]), (kept, [0, 0])):
        text = repr(sable.linearize(f, 1.0)[1])
        assert [text.count(f" {name} ") for name in ("sin", "cos")] == counts
