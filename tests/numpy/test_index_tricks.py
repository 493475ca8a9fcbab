"""Grids and concatenations written as indices, against JAX."""

from __future__ import annotations

import numpy as np
import pytest

import sable
import sable.numpy as jnp

from .expressions import compare, table


@table(
    """
    jnp.mgrid[0:4]
    jnp.mgrid[0:3, 0:1:5j]
    jnp.mgrid[:2, 1:2:0.25, 1:4:2]
    jnp.mgrid[()]
    jnp.ogrid[0:1:3j]
    jnp.ogrid[0:3, 0:1:5j]
    jnp.r_[1:4, 0, 4]
    jnp.r_[v, 0:1:3j, v]
    jnp.r_["1", i, i]
    jnp.r_["0,2", j, k]
    jnp.r_["1,2,0", j, k]
    jnp.r_["0,3,1", j, i]
    jnp.r_["r", 1:3]
    jnp.r_["c", 1:3]
    jnp.r_["other", 1:3]
    jnp.r_[1:3, "r"]
    jnp.r_[2.5, w]
    jnp.c_[j, k]
    jnp.c_[i, i]
    jnp.c_[j, 1:5]
    jnp.c_["1,3,0", j, k]
    i[jnp.ix_(jnp.array([1, 0]), jnp.array([2, 0]))]
    f[jnp.s_[0, ::2]]
    f[jnp.index_exp[..., 1]]
    len(jnp.r_)
    """
)
def test_index_tricks(text: str) -> None:
    compare(text)


def test_traced_bounds_are_refused() -> None:
    with pytest.raises(sable.errors.ConcretizationTypeError, match=r"slice stop of jnp\.mgrid"):
        sable.jit(lambda n: jnp.mgrid[0:n])(3)


def test_triangles_are_those_of_numpy() -> None:
    for k in (-3, -1, 0, 2, 5):
        for ours, theirs in ((jnp.tril_indices, np.tril_indices), (jnp.triu_indices, np.triu_indices)):
            for x, y in zip(ours(3, k, 4), theirs(3, k, 4)):
                np.testing.assert_array_equal(x, y)
