"""Unsigned integers and booleans that feed contractions, alone, in loops and under vmap: never extended by a sign."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax

WIDER = ("float32", "float64", "int32", "int64", "uint32", "float16", "bfloat16")
SOURCES = ("bool", "uint8", "uint16", "uint32")


def matrix(source: str, shape: tuple[int, ...]) -> np.ndarray:
    rng = np.random.default_rng(0)
    if source == "bool":
        return rng.integers(0, 2, shape).astype(bool)
    top = np.iinfo(source).max
    return rng.choice(np.array([top, top - 1, top // 2 + 1, 3, 1, 0], source), shape)


def contractions(u, w):
    """Of matrices (3, 4) and (4, 5) of one dtype."""
    column = w[:, 0]
    return (
        u @ w,
        u @ column,
        column @ column,
        jnp.ones((2, 3), u.dtype) @ u,
        jnp.einsum("ij,kj->ik", u, u),
        (u * column).sum(),
        jax.vmap(lambda row: row @ column)(u),
        lax.fori_loop(0, 2, lambda i, c: (u @ w).astype(c.dtype), jnp.zeros((3, 5), u.dtype)),
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of sums beyond the range of half precision
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_widened_keeps_its_sign(source):
    u, w = matrix(source, (3, 4)), matrix(source, (4, 5))
    with jax.enable_x64(True):
        made = jax.jit(lambda u, w: [contractions(u.astype(d), w.astype(d)) for d in WIDER])(u, w)
        for dtype, found in zip(WIDER, made):
            wide = np.float64 if "float" in dtype else dtype
            u_, w_ = (x.astype(jnp.dtype(dtype)).astype(wide) for x in (u, w))
            column, product = w_[:, 0], u_ @ w_
            wanted = (product, u_ @ column, column @ column, u_.sum(0), u_ @ u_.T, (u_ * column).sum(), u_ @ column)
            for got, want in zip(found, (*wanted, product)):
                want = np.broadcast_to(want, got.shape).astype(got.dtype).astype(wide)
                rtol = {"float16": 2e-3, "bfloat16": 1e-2, "float32": 1e-6}.get(dtype, 1e-14)
                np.testing.assert_allclose(np.asarray(got).astype(wide), want, rtol=rtol, err_msg=dtype)


@pytest.mark.parametrize("source", ["uint8", "uint16"])
def test_sums_of_a_wider_dtype(source):
    u, w = matrix(source, (3, 4)), matrix(source, (4, 5))
    image, kernel = matrix(source, (1, 2, 6, 6)), matrix(source, (3, 2, 2, 2))
    wanted = u.astype(np.int64) @ w.astype(np.int64)
    with jax.enable_x64(True):
        dots, images = jax.jit(
            lambda u, w, x, k: [
                [f(d) for d in ("float64", "int64")]
                for f in (
                    lambda d: lax.dot(u, w, preferred_element_type=d),
                    lambda d: lax.conv_general_dilated(x, k, (1, 1), "VALID", preferred_element_type=d),
                )
            ]
        )(u, w, image, kernel)
        patches = np.lib.stride_tricks.sliding_window_view(image[0].astype(np.int64), (2, 2), (1, 2))
        convolved = np.einsum("cyxab,ocab->oyx", patches, kernel.astype(np.int64))
        for dot, convolution in zip(dots, images):
            np.testing.assert_array_equal(np.asarray(dot), wanted)
            np.testing.assert_array_equal(np.asarray(convolution)[0], convolved)


def test_conversions_of_large_unsigned_numbers():
    """Rounded once, to nearest, ties to even: by exact arithmetic."""
    values = [
        0,
        1,
        2**24 + 1,
        2**25 + 2,
        2**31,
        2**32 - 1,
        2**53 + 1,
        2**63,
        2**63 + 1024,
        2**64 - 1,
        2**63 + 2**39 + 1,
    ]
    with jax.enable_x64(True):
        for dtype in ("uint32", "uint64"):
            x = np.array([v for v in values if v <= np.iinfo(dtype).max], dtype)
            single, double = jax.jit(lambda x: (x.astype(jnp.float32), x.astype(jnp.float64)))(x)
            np.testing.assert_array_equal(np.asarray(single), x.astype(np.float32))
            np.testing.assert_array_equal(np.asarray(double), x.astype(np.float64))
