"""Collectives under vmap beyond what JAX has there: partial permutations, broadcasts, several axes; and errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def mapped(function: Any, x: Any = X) -> Any:
    return jax.vmap(function, axis_name="i")(x)


def test_who_is_sent_nothing_gets_zeros() -> None:
    send = lambda x: lax.ppermute(x, "i", [(0, 1), (1, 2)])  # noqa: E731
    np.testing.assert_array_equal(mapped(send), [np.zeros(4), X[0], X[1]])
    ct = jax.grad(lambda x: jnp.sum(mapped(send, x) * X))(X)
    np.testing.assert_array_equal(ct, [X[1], X[2], np.zeros(4)])


def test_a_broadcast_is_one_examples_value() -> None:
    np.testing.assert_array_equal(jax.jit(mapped, static_argnums=0)(lambda x: lax.pbroadcast(x, "i", 1)), [X[1]] * 3)
    with pytest.raises(IndexError):
        mapped(lambda x: lax.pbroadcast(x, "i", 3))


def test_several_axes_count_with_the_last_one_fastest() -> None:
    def each(x: Any) -> Any:
        parts = lax.psum_scatter(jnp.arange(6.0) * x, ("i", "j"))
        gathered = lax.all_gather(x, ("i", "j"))
        return parts, gathered[::-1], lax.ppermute(x, ("i", "j"), [(0, 5), (5, 0)])

    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    parts, gathered, sent = jax.vmap(jax.vmap(each, axis_name="j"), axis_name="i")(x)
    np.testing.assert_array_equal(parts, x * x.sum())
    np.testing.assert_array_equal(gathered[1, 2], np.arange(6)[::-1])
    np.testing.assert_array_equal(sent, [[5, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize("perm", [[(0, 3)], [(0, 1), (0, 2)], [(0, 1), (2, 1)]])
def test_permutations_that_are_none(perm: Any) -> None:
    with pytest.raises(ValueError, match="unique and below 3"):
        mapped(lambda x: lax.ppermute(x, "i", perm))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: lax.psum_scatter(x, "i"),
        lambda x: lax.psum_scatter(x, "i", tiled=True),
        lambda x: lax.all_to_all(x, "i", 0, 0),
    ],
)
def test_sizes_that_do_not_fit(function: Any) -> None:
    with pytest.raises(ValueError, match="size of the"):
        mapped(function)


def test_unbound_names() -> None:
    with pytest.raises(NameError, match="unbound axis name"):
        lax.ppermute(X, "i", [(0, 0)])


def test_values_are_cast_to_differ() -> None:
    np.testing.assert_array_equal(mapped(lambda x: lax.psum(lax.pcast(x, "i", to="varying"), "i")), [X.sum(0)] * 3)
    with pytest.raises(NameError):
        lax.pcast(1.0, "i", to="varying")
    with pytest.raises(ValueError, match="to="):
        mapped(lambda x: lax.pcast(x, "i", to="other"))
