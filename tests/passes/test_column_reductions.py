"""On Vulkan: reductions of columns and what is made of them, and all factorisations of sizes at which kernels have many threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable import lax
from sable.scipy.linalg import solve_triangular

from ..vulkan import vulkan_device

RNG = np.random.default_rng(4)
A = RNG.uniform(-1, 1, (40, 36)).astype(np.float32)
S = (A[:, :20].T @ A[:, :20] + np.eye(20)).astype(np.float32)
STACK = RNG.uniform(-1, 1, (3, 16, 16)).astype(np.float32)

REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": lambda a: a - jnp.sum(a, axis=-2, keepdims=True),
    "mean": lambda a: (a - a.mean(-2, keepdims=True)) / a.std(-2, keepdims=True),
    "max": lambda a: a / jnp.max(jnp.abs(a), axis=-2, keepdims=True),
    "argmax": lambda a: a + jnp.argmax(a, axis=-2, keepdims=True),
    "first axis": lambda a: a - jnp.prod(a, axis=0, keepdims=True),
    "product": lambda a: a - a[..., :1] * (jnp.swapaxes(a[..., :1], -1, -2) @ a),
    "matrix product": lambda a: a - a @ (jnp.swapaxes(a, -1, -2) @ a),
    "softmax": lambda a: jax.nn.softmax(a, axis=-2),
}


def on_vulkan(functions: list[Callable[..., Any]], *xs: np.ndarray) -> list[Any]:
    """The results of functions in one program."""
    device = vulkan_device()
    made = jax.jit(lambda *ys: [f(*ys) for f in functions])(*[jax.device_put(x, device) for x in xs])
    return jax.tree.map(np.asarray, made)


@pytest.mark.parametrize("x", [A, A[:16, :16], STACK, A[:7, :5]], ids=["40x36", "16x16", "stack", "7x5"])
def test_column_reductions(x: np.ndarray) -> None:
    for name, got, function in zip(REDUCTIONS, on_vulkan(list(REDUCTIONS.values()), x), REDUCTIONS.values()):
        np.testing.assert_allclose(got, function(jnp.asarray(x)), rtol=2e-5, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("a", [A, A[:8], STACK], ids=["tall", "wide", "stack"])
def test_qr(a: np.ndarray) -> None:
    q, r = on_vulkan([jnp.linalg.qr], a)[0]
    gram = np.swapaxes(q, -1, -2) @ q
    np.testing.assert_allclose(q @ r, a, atol=1e-5)
    np.testing.assert_allclose(gram, np.broadcast_to(np.eye(q.shape[-1]), gram.shape), atol=1e-5)


def test_svd() -> None:
    u, s, v = on_vulkan([lambda x: jnp.linalg.svd(x, full_matrices=False)], A)[0]
    np.testing.assert_allclose((u * s) @ v, A, atol=2e-5)
    np.testing.assert_allclose(s, np.linalg.svd(A, compute_uv=False), rtol=1e-4, atol=1e-5)


def test_square_matrices() -> None:
    functions = [
        jnp.linalg.cholesky,
        lambda s: lax.linalg.lu(s)[::2],
        jnp.linalg.eigh,
        jnp.linalg.slogdet,
        lambda s: jnp.linalg.solve(s, s[:, :2]),
        lambda s: solve_triangular(s, s[:, :2], lower=True),
        lambda s: lax.linalg.tridiagonal(s)[1:3],
        lambda s: lax.linalg.hessenberg(s)[0],
    ]
    made = on_vulkan(functions, S)
    factor, (lu, order), (w, v), slogdet, solved, substituted, (diagonal, beside), form = made
    np.testing.assert_allclose(factor @ factor.T, S, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((np.tril(lu, -1) + np.eye(20)) @ np.triu(lu), S[order], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose((v * w) @ v.T, S, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(slogdet, np.linalg.slogdet(S.astype(np.float64)), rtol=1e-5)
    np.testing.assert_allclose(solved, np.eye(20)[:, :2], atol=1e-4)
    np.testing.assert_allclose(np.tril(S) @ substituted, S[:, :2], rtol=1e-3, atol=1e-3)
    tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    values = np.linalg.eigvalsh(S.astype(np.float64))
    np.testing.assert_allclose(np.linalg.eigvalsh(tridiagonal.astype(np.float64)), values, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(np.sort(np.linalg.eigvals(np.triu(form, -1)).real), values, rtol=1e-3, atol=1e-3)
