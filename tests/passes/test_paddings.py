"""Elements put somewhere in an array, twice: by paddings at edges and between elements, updates, scatters, joins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable as jax
from sable import lax
from sable import numpy as jnp

#: Of a vector `x` of 4 and a place `i` of 2.
FIRST = {
    "edges": "lax.pad(x, z, ((2, 1, 0),))",
    "gaps": "lax.pad(x, z, ((0, 0, 1),))",
    "update": "lax.dynamic_update_slice(jnp.zeros(8), x[:2], (i,))",
    "place": "jnp.zeros(7).at[i].set(x[0])",
    "join": "jnp.concatenate([jnp.zeros(3), x])",
    "double": "x * 2",
}
#: Of such a vector `y`.
SECOND = {
    "edges": "lax.pad(y, z, ((3, 1, 0),))",
    "gaps": "lax.pad(y, z, ((0, 0, 3),))",
    "other gaps": "lax.pad(y, jnp.float32(2), ((1, -2, 1),))",
    "cuts": "lax.pad(y, z, ((-1, -2, 0),))",
    "update": "lax.dynamic_update_slice(jnp.zeros(30), y, (i,))",
    "update beside": "lax.dynamic_update_slice(jnp.arange(30.0), y, (5,))",
    "every second": "jnp.zeros(30).at[1 : 1 + 2 * y.size : 2].set(y)",
    "rows": "jnp.zeros((3, 40)).at[i, 1 : 1 + 2 * y.size : 2].set(y)",
    "matrix": "lax.pad(jnp.stack([y, y]), z, ((0, 1, 1), (1, 0, 2)))",
    "shape": "lax.pad(y.reshape(1, -1, 1), z, ((0, 1, 0), (0, 0, 1), (1, 1, 0)))",
    "slope": "jax.grad(lambda u: (u[::2][i - 1] * u[1::3].sum()).sum())(y)",
}
PAIRS = [(f"{a}, then {b}", FIRST[a], SECOND[b]) for a in FIRST for b in SECOND]


def run(vectors: Any, i: Any) -> list[Any]:
    """Each pair has a vector of its own: nothing is shared, all that can be is fused."""
    space = {"i": i, "z": jnp.float32(0), "jax": jax, "jnp": jnp, "lax": lax}
    return [
        eval(second, {**space, "y": eval(first, {**space, "x": x})}) for x, (_, first, second) in zip(vectors, PAIRS)
    ]


@pytest.mark.parametrize("loop", [False, True], ids=["straight", "in a loop"])
def test_two_in_a_row(loop: bool) -> None:
    vectors, i = [jnp.arange(1.5, 5.5) + k for k in range(len(PAIRS))], jnp.int32(2)

    def program(vectors: Any, i: Any) -> Any:
        if not loop:
            return run(vectors, i)
        return lax.fori_loop(0, 2, lambda k, _: run([x + k for x in vectors], i), run(vectors, i))

    expected = run([x + loop for x in vectors], i)
    for (name, _, _), got, wanted in zip(PAIRS, jax.jit(program)(vectors, i), expected, strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)
