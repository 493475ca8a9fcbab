"""Pytrees as vectors, against JAX."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.flatten_util import ravel_pytree

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
ravel_theirs = pytest.importorskip(
    "jax._src.flatten_util"
).ravel_pytree  # not jax.flatten_util: test_absent.py reads dir(jax)

ONE = np.float32([[1, 2, 3], [4, 5, 6]])
INTEGERS = np.int32([7, 8])


@pytest.mark.parametrize(
    "tree",
    [
        {"a": ONE, "b": [ONE[0], (ONE[0, 0],)]},
        (ONE, INTEGERS, np.bool_(True)),
        [np.float16([1]), np.complex64([2j])],
        {"a": 1.5, "b": 2},
        (2.5, 1.0),
        INTEGERS,
        (),
        {"a": None},
    ],
)
def test_there_and_back(tree: Any) -> None:
    flat, undo = ravel_pytree(tree)
    expected, theirs = ravel_theirs(tree)
    np.testing.assert_array_equal(np.asarray(flat), np.asarray(expected))
    assert flat.dtype == expected.dtype and flat.weak_type == expected.weak_type
    made, again = undo(flat), theirs(expected)
    assert str(sable.tree_util.tree_structure(made)) == str(jax.tree_util.tree_structure(again))
    for x, y in zip(sable.tree_util.tree_leaves(made), jax.tree_util.tree_leaves(again)):
        np.testing.assert_array_equal(np.asarray(x), np.asarray(y))
        assert x.dtype == y.dtype and x.weak_type == y.weak_type


def test_functions_of_equal_trees_are_equal() -> None:
    first, second, other = (ravel_pytree(t)[1] for t in ((ONE, ONE), (ONE + 1, ONE), (ONE[0], ONE)))
    assert first == second and hash(first) == hash(second) and first != other
    product = sable.jit(lambda undo, x: undo(x)[0] * 2, static_argnums=0)
    np.testing.assert_array_equal(np.asarray(product(first, jnp.arange(12.0))), 2 * np.arange(6).reshape(2, 3))


def test_vectors_that_do_not_fit() -> None:
    undo = ravel_pytree((ONE, ONE))[1]
    assert undo(jnp.arange(12))[0].dtype == np.int32  # any dtype where all have one
    with pytest.raises(ValueError):
        undo(jnp.arange(5.0))
    with pytest.raises(TypeError, match="dtype"):
        ravel_pytree((ONE, INTEGERS))[1](jnp.arange(8))
    with pytest.raises(TypeError):
        ravel_pytree({"a": "text"})


def test_gradients_pass() -> None:
    flat, undo = ravel_pytree({"a": ONE, "b": INTEGERS.astype(np.float32)})
    slopes = sable.grad(lambda v: (undo(v)["a"] ** 2).sum() + undo(v)["b"][0])(flat)
    np.testing.assert_array_equal(np.asarray(slopes), [2, 4, 6, 8, 10, 12, 1, 0])
