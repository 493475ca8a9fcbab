"""`while_loop` with a bound: reverse derivatives, and how little they keep."""

import jax
import numpy as np
import pytest

import sable
from sable import lax
from sable import numpy as jnp
from sable.ad_checkpoint import saved_residuals


def bounded(x, n, max_steps):
    def step(s):
        return s[0] + 1, jnp.sin(s[1] * x) + s[1]

    return lax.while_loop(lambda s: s[0] < n, step, (0, x), max_steps=max_steps)[1]


def unrolled(x, n):
    return jax.lax.fori_loop(0, n, lambda i, c: jax.numpy.sin(c * x) + c, x)


@pytest.mark.parametrize(("n", "max_steps"), [(5, 21), (30, 21), (3, 0), (1, 1)])
def test_values_and_derivatives(n, max_steps):
    x, steps = np.float32(0.3), min(n, max_steps)
    np.testing.assert_allclose(bounded(x, n, max_steps), unrolled(x, steps), rtol=1e-5)
    found = sable.value_and_grad(bounded)(x, n, max_steps)
    np.testing.assert_allclose(found, jax.value_and_grad(unrolled)(x, steps), rtol=1e-4)


def test_what_is_kept_grows_with_the_logarithm():
    kept = {m: sum(a.size for a, _ in saved_residuals(lambda x, m=m: bounded(x, 3, m), 0.3)) for m in (16, 1024)}
    assert kept[1024] <= 2 * kept[16] + 16


def test_bad_bounds():
    with pytest.raises(ValueError, match="negative"):
        bounded(1.0, 1, -1)
    with pytest.raises(TypeError):
        bounded(1.0, 1, 2.5)
