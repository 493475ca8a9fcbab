"""What arrays, keys and traced values look like when they are printed, beside JAX."""

from typing import Any

import jax
import numpy as np
import pytest

import sable


def _arrays(j: Any) -> Any:
    jnp = j.numpy
    for shape in ((0,), (0, 3), (3, 0), (), (3, 30), (2, 2, 2), (40, 50)):
        yield jnp.ones(shape)
    for length in (1, 5, 10, 11, 12, 13, 14, 15, 16, 17, 100, 2000):
        for dtype in ("float32", "bfloat16", "uint8"):
            yield jnp.arange(length).astype(dtype)
    yield from (jnp.asarray(1.5), jnp.asarray(3), jnp.full(7, 1 + 2j), jnp.arange(9) > 3)


def _narrow(j: Any) -> Any:
    # at once: of two generators the second would put back what the first had set
    with np.printoptions(linewidth=40, precision=3, threshold=10):
        return [repr(j.numpy.arange(length) / 7) for length in (3, 7, 20)]


def _traced(j: Any) -> Any:
    seen: list[str] = []

    def look(x: Any) -> Any:
        seen.append(repr(x))
        return x

    j.jit(look)(np.ones(3, np.float32))
    j.jit(look)(2.0)
    j.jit(look)(2)
    j.jit(look)(j.random.key(0))
    j.lax.scan(lambda c, x: (look(c), x), np.float32(0), np.ones((2, 3), np.float32))
    return seen


@pytest.mark.parametrize("printed", [_arrays, _narrow, _traced])
def test_what_is_printed(printed):
    for theirs, ours in zip(printed(jax), printed(sable), strict=True):
        assert (repr(ours), str(ours), f"{ours}") == (repr(theirs), str(theirs), f"{theirs}")


def test_values_of_other_transformations_name_them():
    seen: list[str] = []

    def look(x: Any) -> Any:
        seen.append(repr(x))
        return x * 1.0

    one = np.float32(1)
    sable.grad(look)(2.0)
    sable.jvp(look, (one,), (one,))
    sable.vmap(look)(np.ones(3, np.float32))
    assert seen == ["GradTracer(~float32[])", "JVPTracer(float32[])", "VmapTracer(float32[])"]
