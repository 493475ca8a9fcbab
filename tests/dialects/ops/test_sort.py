"""Compiled sorts of rows long enough for the radix sort, against the reference, which NumPy sorts."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp

DTYPES = [
    "bool",
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
]


def keys(dtype: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random values with ties; for floats zeros of both signs, infinities and NaN among them."""
    rng = np.random.default_rng(seed)
    kind = jnp.dtype(dtype)
    if dtype == "bool" or kind.kind in "iu":
        bits = rng.integers(0, 256, (*shape, kind.itemsize), dtype=np.uint8)
        bits[..., 1:] *= rng.integers(0, 2, (*shape, 1), dtype=np.uint8)
        return (bits[..., 0] < 128) if dtype == "bool" else bits.view(kind)[..., 0]
    values = rng.standard_normal(shape).round(1)
    special = rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-3], shape)
    values = np.where(rng.uniform(size=shape) < 0.2, special, values)
    return (values + 1j * rng.integers(-1, 2, shape) if kind.kind == "c" else values).astype(kind)


def assert_equal(ours, reference) -> None:
    for x, y in zip(ours, reference, strict=True):
        assert x.dtype == y.dtype
        if x.dtype == jnp.bfloat16:  # of which NumPy does not know that NaN is NaN
            x, y = x.astype(jnp.float32), y.astype(jnp.float32)
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("length", [65, 300])
def test_every_dtype(length):
    with jax.enable_x64(True):
        given = [keys(dtype, (length,)) for dtype in DTYPES]

        def both(arrays):
            return [y for x in arrays for y in (jnp.sort(x), jnp.argsort(x))]

        assert_equal(jax.jit(both)(given), both([jnp.asarray(x) for x in given]))


@pytest.mark.parametrize("shape", [(3, 100), (100, 3), (2, 70, 2), (70, 1)], ids=str)
def test_rows_along_every_axis(shape):
    x = keys("float32", shape)

    def f(x):
        return [jnp.argsort(x, axis=axis) for axis in range(len(shape))] + [jnp.sort(x, axis=0)]

    assert_equal(jax.jit(f)(x), f(jnp.asarray(x)))


def test_several_keys_and_payloads():
    arrays = [keys("int8", (200,)), keys("float32", (200,), 1), np.arange(200), keys("float32", (200,), 2)]

    def f(a, b, c, d):
        return [*jax.lax.sort((a, b, c, d), num_keys=2), jnp.lexsort((c, b, a))]

    assert_equal(jax.jit(f)(*arrays), f(*map(jnp.asarray, arrays)))


def test_in_loops_and_maps_and_gradients():
    x = np.random.default_rng(0).standard_normal((4, 90)).astype(np.float32)

    def weighted(v):
        return jnp.sum(jnp.sort(v) * jnp.arange(v.size))

    def repeated(v):
        return jax.lax.fori_loop(0, 3, lambda i, u: jnp.sort(jnp.sin(u * 7)), v)

    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(weighted)))(x), jax.vmap(jax.grad(weighted))(x), rtol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.vmap(repeated))(x), jax.vmap(repeated)(jnp.asarray(x)), atol=1e-5)


def test_a_large_array_does_not_take_forever():
    x = np.random.default_rng(0).standard_normal(300_000).astype(np.float32)
    np.testing.assert_array_equal(jax.jit(jnp.sort)(x), np.sort(x))


def test_gradient_of_a_transposed_cube():
    """The scatter of the gradient with what comes before it is more than IREE's stack holds."""
    x = np.random.default_rng(0).standard_normal((33, 31, 17)).astype(np.float32)

    def f(x):
        return jnp.sum(jnp.sort(jnp.transpose(x, (0, 2, 1)), axis=2) ** 2)

    np.testing.assert_allclose(jax.jit(jax.grad(f))(x), 2 * x, rtol=1e-6)
