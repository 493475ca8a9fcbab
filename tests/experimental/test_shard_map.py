"""`jax.experimental.shard_map`: the old name."""

import numpy as np
import pytest

import sable as jax


def test_the_old_name_warns_and_maps() -> None:
    from sable.experimental.shard_map import shard_map

    mesh, spec = jax.make_mesh((1,), ("i",)), jax.P("i")
    with pytest.warns(DeprecationWarning, match=r"use `jax\.shard_map`"):
        mapped = shard_map(lambda x: jax.lax.psum(2 * x, "i"), mesh, (spec,), jax.P())
    np.testing.assert_array_equal(mapped(np.arange(3)), [0, 2, 4])
