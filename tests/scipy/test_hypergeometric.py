"""Gauss's function against SciPy in all regions of x, its derivatives against differences, where it has poles and ends."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.special

import sable as jax
import sable.numpy as jnp
from sable.scipy.special import hyp2f1

PARAMETERS = [-2.0, -0.5, 0.3, 1.0, 1.5, 2.0, 3.25]
C = [-2.5, -3.0, 0.5, 1.0, 2.0, 4.5]
X = [-1e4, -9.5, -3.0, -1.0, -0.4, 0.0, 0.2, 0.7, 0.89, 0.91, 0.99, 0.9999, 1.0, 1.5]


@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-3)])
def test_values(dtype: type, rtol: float) -> None:
    a, b, c, x = (np.array(v) for v in zip(*itertools.product(PARAMETERS, PARAMETERS, C, X)))
    x = x.astype(dtype).astype(np.float64)  # the number meant
    wanted = scipy.special.hyp2f1(a, b, c, x)
    with jax.enable_x64(True):
        found = np.asarray(jax.jit(hyp2f1)(*(jnp.asarray(v, dtype) for v in (a, b, c, x))))
    assert found.dtype == dtype
    near_range = np.isfinite(wanted) & (np.abs(wanted) > 1e30)  # of f32
    np.testing.assert_array_equal(np.isinf(found[~near_range]), np.isinf(wanted[~near_range]))
    finite = np.isfinite(wanted) & ~near_range
    np.testing.assert_allclose(found[finite], wanted[finite], rtol=rtol, atol=1e-8 if dtype == np.float64 else 3e-4)


def test_known_values() -> None:
    """DLMF 15.4: logarithm, arcsine, powers; a series that ends and is long past 1."""
    with jax.enable_x64(True):
        x = np.array([-30.0, -0.7, 0.3, 0.95])
        np.testing.assert_allclose(hyp2f1(1.0, 1.0, 2.0, x), -np.log1p(-x) / x, rtol=1e-13)
        np.testing.assert_allclose(hyp2f1(0.5, 0.5, 1.5, x[1:] ** 2), np.arcsin(x[1:]) / x[1:], rtol=1e-12)
        np.testing.assert_allclose(hyp2f1(0.7, 2.5, 2.5, x), (1 - x) ** -0.7, rtol=1e-14)
        np.testing.assert_allclose(hyp2f1(-3.0, 1.0, -5.0, 4.0), 1 + 3 / 5 * 4 + 6 / 20 * 16 + 6 / 60 * 64, rtol=1e-14)
        assert np.isnan(hyp2f1(1.0, 1.0, 2.0, np.nan))


def test_derivatives() -> None:
    """In x to second order, in the parameters to first, where JAX's series, which has only |x| < 1, does not go, too."""
    a, b, c = 0.7, 1.6, 2.25
    x = np.array([-4.0, -0.8, -0.3, 0.4, 0.8])
    with jax.enable_x64(True):
        gradient = jax.grad(lambda *v: jnp.sum(hyp2f1(*v)), argnums=(0, 1, 2, 3))
        found = gradient(*(jnp.full(x.shape, v) for v in (a, b, c)), jnp.asarray(x))
        second = jax.vmap(jax.grad(jax.grad(lambda z: hyp2f1(a, b, c, z))))(jnp.asarray(x))
        beside = np.asarray(jax.grad(hyp2f1)(0.0, 1.5, 2.5, 0.5))
    h = 1e-6
    for i, got in enumerate(found):
        shift = h * np.eye(4)[i]
        ends = [
            scipy.special.hyp2f1(a + s * shift[0], b + s * shift[1], c + s * shift[2], x + s * shift[3])
            for s in (1, -1)
        ]
        np.testing.assert_allclose(got, (ends[0] - ends[1]) / (2 * h), rtol=1e-7)
    f = scipy.special.hyp2f1(a + 2, b + 2, c + 2, x)
    np.testing.assert_allclose(second, a * (a + 1) * b * (b + 1) / (c * (c + 1)) * f, rtol=1e-12)
    ends = [scipy.special.hyp2f1(s * h, 1.5, 2.5, 0.5) for s in (1, -1)]
    np.testing.assert_allclose(beside, (ends[0] - ends[1]) / (2 * h), rtol=1e-7)
