"""The code in vector lanes, as each kind of processor runs it: a process each, since a process has one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CHECKS = """
import numpy as np
import sable as jax
import sable.numpy as jnp

jax.config.update("jax_enable_x64", True)
rng = np.random.default_rng(0)

def close(found, expected, dtype):
    np.testing.assert_allclose(found, expected, rtol=0, atol=(2e-4 if dtype in ("f4", "c8") else 1e-11) * np.abs(expected).max())

for dtype in ("c8", "c16"):
    for shape in ((1, 1), (3, 16), (17, 30), (37, 97), (33, 128), (5, 1155), (1, 4096), (1, 10007)):
        x = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
        for name in ("fft", "ifft"):
            for axis in (0, 1):
                close(getattr(jnp.fft, name)(x, axis=axis), getattr(np.fft, name)(x, axis=axis), dtype)
        close(jnp.fft.irfft(jnp.fft.rfft(x.real, n=shape[1] + 1), n=shape[1] + 1)[..., :-1], x.real, dtype)

for dtype in ("f4", "f8"):
    for n in (1, 2, 3, 5, 8, 13, 16):
        a = rng.normal(size=(37, n, n)).astype(dtype) + 2 * n * np.eye(n, dtype=dtype)
        symmetric, unit = a @ a.swapaxes(1, 2), np.broadcast_to(np.eye(n, dtype=dtype), a.shape)
        lower = jnp.linalg.cholesky(symmetric)
        close(lower @ lower.mT, symmetric, dtype)
        close(jnp.linalg.inv(a) @ a, unit, dtype)
        close(a @ jnp.linalg.solve(a, unit), unit, dtype)
        q, r = jnp.linalg.qr(a)
        close(q @ r, a, dtype)
        close(q.mT @ q, unit, dtype)
        w, v = jnp.linalg.eigh(symmetric)
        close(v * w[:, None] @ v.mT, symmetric, dtype)
        u, s, vt = jnp.linalg.svd(a)
        close(u * s[:, None] @ vt, a, dtype)
        w, v = jnp.linalg.eig(a)
        close(a @ v, v * w[:, None], dtype)
"""


@pytest.mark.parametrize("processor", ["plain", "avx2", "avx512"])
def test_each_kind_of_processor_computes_the_same(processor: str) -> None:
    """A kind that the processor at hand cannot do is the plain one here."""
    found = subprocess.run(
        [sys.executable, "-c", CHECKS],
        env={**os.environ, "SABLE_PROCESSOR": processor},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
