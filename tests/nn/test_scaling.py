"""Products of operands rounded by blocks: JAX has them on GPUs only, so NumPy and ml_dtypes say what they give."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp

MODES = {"mxfp8": (32, ml_dtypes.float8_e4m3fn), "nvfp4": (16, ml_dtypes.float4_e2m1fn)}
DIMENSIONS = (((2,), (2,)), ((0,), (0,)))


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) * np.exp2(rng.integers(-4, 8, (*shape[:-1], 1)))).astype(np.float32)


def rounded(x: np.ndarray, mode: str, factor: float = 1.0) -> np.ndarray:
    """What an array is rounded to, by blocks along its last axis."""
    size, dtype = MODES[mode]
    largest = np.float32(ml_dtypes.finfo(dtype).max)
    blocks = x.reshape(*x.shape[:-1], -1, size) / np.float32(factor)
    scales = np.abs(blocks).max(-1, keepdims=True) / largest
    if mode == "mxfp8":
        scales = np.exp2(np.ceil(np.log2(scales.astype(np.float64)))).astype(np.float32)
    else:
        scales = np.clip(scales, 0, 448).astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
    elements = np.clip(blocks / scales, -largest, largest).astype(dtype).astype(np.float32)
    return (elements * scales * np.float32(factor)).reshape(x.shape)


def configs(mode: str, factor: float = 1.0) -> list:
    scale = jnp.full((1,), factor, jnp.float32) if mode == "nvfp4" else None
    return [jax.nn.get_scaled_dot_general_config(mode, scale)] * 3


@pytest.mark.parametrize("mode", MODES)
def test_operands_are_rounded_by_blocks(mode: str) -> None:
    a, b = draw(2, 3, 64), draw(2, 5, 64, seed=1)
    wanted = rounded(a, mode) @ rounded(b, mode).swapaxes(1, 2)
    f = lambda a, b: jax.nn.scaled_dot_general(a, b, DIMENSIONS, configs=configs(mode))  # noqa: E731
    for made in (f(a, b), jax.jit(f)(a, b), jax.vmap(f)(a[None], b[None])[0]):
        np.testing.assert_allclose(made, wanted, rtol=1e-5, atol=1e-6 * np.abs(wanted).max())


def test_other_dimensions() -> None:
    a, b = draw(64, 2, 3, 4), draw(5, 64, 2, seed=1)
    made = jax.nn.scaled_dot_general(a, b, (((0,), (1,)), ((1,), (2,))), jnp.bfloat16, configs("mxfp8"))
    left, right = rounded(a.transpose(1, 2, 3, 0), "mxfp8"), rounded(b.transpose(2, 0, 1), "mxfp8")
    wanted = np.einsum("bijk,bnk->bijn", left, right).astype(ml_dtypes.bfloat16)
    assert made.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(made, np.float32), wanted.astype(np.float32), rtol=1e-2)


def test_derivatives_pass_through_the_rounding() -> None:
    a, b, weights = draw(1, 32, 64), draw(1, 32, 64, seed=1), draw(1, 32, 32, seed=2)

    def gradients(mode: str, factor: float = 1.0):
        f = lambda a, b: (jax.nn.scaled_dot_general(a, b, DIMENSIONS, configs=configs(mode, factor)) * weights).sum()  # noqa: E731
        return [np.asarray(x) for x in jax.jit(jax.grad(f, (0, 1)))(a, b)]

    turned = weights.swapaxes(1, 2)
    for found, w, other in zip(gradients("mxfp8"), (weights, turned), (b, a)):
        columns = rounded(np.ascontiguousarray(other.swapaxes(1, 2)), "mxfp8")
        wanted = rounded(np.ascontiguousarray(w), "mxfp8") @ columns.swapaxes(1, 2)
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    for found, x, w, other in zip(gradients("nvfp4", 1e-3), (a, b), (weights, turned), (b, a)):
        # beyond 6 * 448 times the factor nothing is passed on
        wanted = np.where(np.abs(x) <= 6 * 448e-3, w @ other, 0)
        assert (wanted == 0).any() and (wanted != 0).any()
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def test_scaled_matmul() -> None:
    rng = np.random.default_rng(0)
    a, b = (draw(2, n, 8).astype(ml_dtypes.float8_e4m3fn) for n in (3, 4))
    s, t = (np.exp2(rng.integers(-3, 3, (2, n, 2))).astype(ml_dtypes.float8_e8m0fnu) for n in (3, 4))
    wide = [x.astype(np.float32) * np.repeat(y.astype(np.float32), 4, -1) for x, y in ((a, s), (b, t))]
    found = jax.jit(jax.nn.scaled_matmul)(a, b, s, t)
    np.testing.assert_allclose(found, wide[0] @ wide[1].swapaxes(1, 2), rtol=1e-5)
    assert jax.nn.scaled_matmul(a, b, s, t, jnp.float16).dtype == jnp.float16


@pytest.mark.parametrize(
    "shapes",
    [
        ((3, 8), (4, 8), (3, 2), (4, 2)),
        ((2, 3, 8), (2, 4, 6), (2, 3, 2), (2, 4, 2)),
        ((2, 3, 8), (2, 4, 8), (2, 3, 2), (2, 4, 1)),
        ((2, 3, 8), (2, 4, 8), (2, 2, 2), (2, 4, 2)),
        ((2, 3, 8), (2, 4, 8), (2, 3, 3), (2, 4, 3)),
    ],
)
def test_shapes_that_do_not_fit(shapes: tuple) -> None:
    with pytest.raises(ValueError, match="scaled_matmul requires"):
        jax.nn.scaled_matmul(*[np.ones(shape, np.float32) for shape in shapes])


def test_refusals() -> None:
    a = np.ones((1, 2, 33), np.float32)
    with pytest.raises(ValueError, match="of size 33, is no multiple of 32, the block size of mxfp8"):
        jax.nn.scaled_dot_general(a, a, DIMENSIONS, configs=configs("mxfp8"))
    with pytest.raises(TypeError, match="Only support preferred_element_type"):
        jax.nn.scaled_dot_general(a, a, DIMENSIONS, jnp.int32, configs("mxfp8"))
    with pytest.raises(ValueError, match="Unsupported mode: int8"):
        jax.nn.get_scaled_dot_general_config("int8")
    with pytest.warns(DeprecationWarning, match="ignored"):
        jax.nn.scaled_dot_general(a, a, DIMENSIONS, implementation="cudnn")
