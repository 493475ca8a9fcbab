"""`vectorize` against JAX: loop dimensions, signatures, what is left out, errors."""

from __future__ import annotations

import pytest

import sable as jax
import sable.numpy as jnp

from .expressions import compare, table


@table(
    """
    jnp.vectorize(lambda a, b: a * b + 1)(f, f[0])
    jnp.vectorize(lambda a, b: a * b)(f[:, None], 2)
    jnp.vectorize(lambda a: (a, a > 0))(t)
    jnp.vectorize(lambda a: jnp.stack([a, a]))(v)
    jnp.vectorize(lambda a, b: jnp.dot(a, b), signature="(n),(n)->()")(t, t[0, 0])
    jnp.vectorize(jnp.matmul, signature="(n,m),(m,k)->(n,k)")(t, jnp.ones((1, 4, 2)))
    jnp.vectorize(lambda a: (a.sum(), a + 1), signature="(n)->(),(n)")(f)
    jnp.vectorize(lambda a, b: a[b], excluded={0})(v, k)
    jnp.vectorize(lambda a, n, b: a + b if n == 2 else a, excluded=(1,))(f, 2, f)
    jnp.vectorize(lambda a, scale=1: a * scale, excluded={"scale"})(f, scale=3)
    jnp.vectorize(lambda a, b: a if b is None else a + b)(f, None)
    jnp.vectorize(lambda a: a)(e)
    jnp.vectorize(lambda a: a, excluded={-1})
    jnp.vectorize(lambda a: a, excluded={1.5})
    jnp.vectorize(lambda a: a, signature="n->n")(f)
    jnp.vectorize(lambda a: a, signature="(n)->()")(f)
    jnp.vectorize(lambda a: a, signature="(n)->(n),(n)")(f)
    jnp.vectorize(lambda a: (a, a), signature="(n)->(n)")(f)
    jnp.vectorize(lambda a: a, signature="(n,n)->(n,n)")(f)
    jnp.vectorize(lambda a: a, signature="(n)->(n)")(s)
    jnp.vectorize(lambda a: a, signature="(n),(n)->(n)")(f)
    jnp.vectorize(lambda a, b: a, signature="(n),(n)->(n)")(f, None)
    jnp.vectorize(lambda a, b: a + b)(f, v)
    """
)
def test_vectorize(text: str) -> None:
    compare(text)


def test_arguments_given_by_name_must_be_excluded() -> None:
    with pytest.raises(TypeError, match=r"\['scale'\].*exclude them"):
        jnp.vectorize(lambda a, scale: a * scale)(jnp.ones(3), scale=2)


def test_examples_are_differentiated() -> None:
    inner = jnp.vectorize(lambda a, b: jnp.sum(a * b**2), signature="(n),(n)->()")
    found = jax.grad(lambda b: inner(jnp.ones((2, 3)), b).sum())(jnp.arange(3.0))
    assert found.tolist() == [0.0, 4.0, 8.0]


def test_ranks_are_compared_if_asked_for() -> None:
    with jax.numpy_rank_promotion("raise"), pytest.raises(ValueError, match="require rank promotion"):
        jnp.vectorize(lambda a, b: a)(jnp.ones((2, 3)), jnp.ones(3))
