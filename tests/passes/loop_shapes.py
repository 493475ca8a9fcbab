"""Loops over arrays of shapes that vectors of 16 do not fit: one element, columns, ragged ends.

Writes behind a buffer are found by the allocator that `test_loops.py` gives the workers.
"""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
from jax import lax

from .loop_programs import PROGRAMS, floats


def of_shape(*shape: int):
    """Iota along each axis, a transposition and a gather of columns, carried by a loop."""
    cells = int(np.prod(shape))

    def run(x, k):
        def step(i, c):
            x, k = c
            places = sum(lax.broadcasted_iota(jnp.int32, shape, axis) * (axis + 1) for axis in range(len(shape)))
            turned = jnp.transpose(x).reshape(shape) * 0.5
            columns = jnp.take(k, (jnp.arange(shape[-1]) ^ i) % shape[-1], axis=-1)
            chosen = jnp.where(columns > k, turned, x + places)
            return chosen, columns + places

        return lax.fori_loop(0, 5, step, (x, k))

    return run, (floats(*shape), np.arange(cells, dtype=np.int32).reshape(shape))


SHAPES = [(1, 4096), (4096, 1), (1, 1), (10, 40), (40, 10), (3, 1, 33), (17, 2, 1), (1, 16), (5, 5, 5), (300,), (1,)]
PROGRAMS |= {"shape_" + "x".join(map(str, shape)): of_shape(*shape) for shape in SHAPES}
