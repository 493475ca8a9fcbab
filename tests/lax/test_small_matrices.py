"""Many small matrices at once, which are factored side by side (python/native/small_matrices_lanes.cpp): against NumPy in f64,
and their edges. Batches that fill the lanes, leave some empty, are too few, are cut for several cores."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

import sable as jax
import sable.numpy as jnp
from sable import lax

#: error beside the largest number that goes in or comes out
ERROR = {np.float32: 2e-6, np.float64: 4e-15}
SIZES = (1, 2, 3, 5, 8, 9, 16)
BATCHES = (3, 8, 13)
DTYPES = pytest.mark.parametrize("dtype", ERROR)


@pytest.fixture(autouse=True)
def _x64():
    with jax.enable_x64(True):
        yield


def draw(batch: int, rows: int, columns: int, dtype: type) -> np.ndarray:
    return np.random.default_rng(rows * 100 + columns).normal(size=(batch, rows, columns)).astype(dtype)


def near(found: np.ndarray, wanted: np.ndarray, dtype: type, scale: float = 1.0) -> None:
    error = np.abs(found - wanted).max() / max(scale, np.abs(wanted).max())
    assert error <= 10 * ERROR[dtype], error


def orthonormal(q: np.ndarray, dtype: type) -> None:
    near(q.swapaxes(1, 2) @ q, np.broadcast_to(np.eye(q.shape[2]), (len(q), q.shape[2], q.shape[2])), dtype)


def shapes() -> list[tuple[int, int, int]]:
    return [(b, m, n) for n in SIZES for b in BATCHES for m in {n, min(16, n + 3), max(1, n - 2)}]


@DTYPES
def test_cholesky(dtype: type) -> None:
    for n in SIZES:
        for batch in BATCHES:
            x = draw(batch, n, n, dtype)
            a = x @ x.swapaxes(1, 2) + np.eye(n, dtype=dtype)
            low, up = np.asarray(lax.linalg.cholesky(a)), np.asarray(jax.scipy.linalg.cholesky(np.triu(a) + 0))
            near(low @ low.swapaxes(1, 2), a, dtype)
            near(up, low.swapaxes(1, 2), dtype)


@DTYPES
def test_lu_is_lapack_s(dtype: type) -> None:
    for batch, m, n in shapes():
        a = draw(batch, m, n, dtype)
        factors, pivots, permutation = map(np.asarray, lax.linalg.lu(a))
        for k in range(batch):
            exchanged = scipy.linalg.lapack.dgetrf(a[k])[1]
            np.testing.assert_array_equal(pivots[k], exchanged)
            low = np.tril(factors[k], -1)[:, : min(m, n)] + np.eye(m, min(m, n))
            near(low @ np.triu(factors[k])[: min(m, n)], a[k][permutation[k]], dtype)


@DTYPES
def test_solutions(dtype: type) -> None:
    for n in SIZES:
        for batch in BATCHES:
            a, b = draw(batch, n, n, dtype) + 4 * np.eye(n, dtype=dtype), draw(batch, n, 3, dtype)
            for transposed in (False, True):
                solved = jax.vmap(jax.scipy.linalg.lu_solve, (0, 0, None))(
                    jax.scipy.linalg.lu_factor(a), b, int(transposed)
                )
                x = np.asarray(solved)
                near((a.swapaxes(1, 2) if transposed else a) @ x, b, dtype, 10 * np.abs(x).max())
                for lower in (False, True):
                    triangle = np.tril(a) if lower else np.triu(a)
                    triangle = triangle.swapaxes(1, 2) if transposed else triangle
                    options = {"lower": lower, "transpose_a": transposed}
                    x = np.asarray(lax.linalg.triangular_solve(a, b, left_side=True, **options))
                    near(triangle @ x, b, dtype, 10 * np.abs(x).max())
                    x = np.asarray(lax.linalg.triangular_solve(a, b.swapaxes(1, 2), left_side=False, **options))
                    near(x @ triangle, b.swapaxes(1, 2), dtype, 10 * np.abs(x).max())


@DTYPES
def test_qr(dtype: type) -> None:
    for batch, m, n in shapes():
        a = draw(batch, m, n, dtype)
        for mode in ("reduced", "complete"):
            q, r = map(np.asarray, jnp.linalg.qr(a, mode))
            near(q @ r, a, dtype)
            orthonormal(q, dtype)
            near(r, np.linalg.qr(a.astype(np.float64), mode)[1], dtype)


@DTYPES
def test_eigh(dtype: type) -> None:
    for n in SIZES:
        for batch in BATCHES:
            x = draw(batch, n, n, dtype)
            a = x + x.swapaxes(1, 2)
            for triangle, lower in ((np.tril(a), True), (np.triu(a), False)):
                v, w = map(np.asarray, lax.linalg.eigh(triangle, lower=lower, symmetrize_input=False))
                near(v * w[:, None] @ v.swapaxes(1, 2), a, dtype)
                orthonormal(v, dtype)
                near(w, np.linalg.eigvalsh(a.astype(np.float64)), dtype)


@DTYPES
def test_svd(dtype: type) -> None:
    for batch, m, n in shapes():
        a = draw(batch, m, n, dtype)
        u, s, vt = map(np.asarray, jnp.linalg.svd(a, full_matrices=False))
        near(u * s[:, None] @ vt, a, dtype)
        orthonormal(u, dtype)
        orthonormal(vt.swapaxes(1, 2), dtype)
        near(s, np.linalg.svd(a.astype(np.float64), compute_uv=False), dtype)
        near(np.asarray(jnp.linalg.svd(a, compute_uv=False)), s, dtype)


@DTYPES
def test_singular_equal_and_no_numbers(dtype: type) -> None:
    a = np.zeros((6, 4, 4), dtype)
    a[1], a[2], a[3], a[4, 0, 0] = 1, np.eye(4), np.nan, np.inf
    a[5, :, 1] = [1, 2, 3, 4]
    a = np.concatenate([a, a])  # enough to fill the lanes
    u, s, vt = map(np.asarray, jnp.linalg.svd(a))
    v, w = map(np.asarray, lax.linalg.eigh(a, symmetrize_input=True))
    bad, good = [3, 4, 9, 10], [0, 1, 2, 5, 6, 7, 8, 11]
    for each in (u, s, vt, v, w):
        assert np.isnan(each[bad]).all() and np.isfinite(each[good]).all()
    near(u[good] * s[good][:, None] @ vt[good], a[good], dtype)
    orthonormal(u[good], dtype)
    orthonormal(v[good], dtype)
    q, r = map(np.asarray, jnp.linalg.qr(a))
    near(q[good] @ r[good], a[good], dtype)
    orthonormal(q[good], dtype)
    assert np.isnan(q[bad]).all()
    factors, pivots, _ = map(np.asarray, lax.linalg.lu(a[good]))
    assert np.isfinite(factors).all() and (pivots[0] == np.arange(4)).all()
    assert np.isnan(np.asarray(lax.linalg.cholesky(-np.stack([np.eye(3, dtype=dtype)] * 4)))[:, 2, 2]).all()


@DTYPES
def test_large_and_small_scales(dtype: type) -> None:
    plain = np.eye(4) * np.arange(1, 5) + 1
    values, upper = np.linalg.eigvalsh(plain), np.linalg.qr(plain)[1]
    limits = np.finfo(dtype)
    for scale in (float(limits.tiny), 1e-30, 1e30, float(limits.max) / 16):
        a = np.stack([plain * scale] * 4).astype(dtype)
        near(np.asarray(jnp.linalg.eigvalsh(a))[0] / scale, values, dtype)
        near(np.asarray(jnp.linalg.svd(a, compute_uv=False))[0] / scale, values[::-1], dtype)
        near(np.asarray(jnp.linalg.qr(a)[1])[0] / scale, upper, dtype)


def test_pieces_are_the_whole() -> None:
    """What a program cuts for several cores is what an eager call gives, of LAPACK's kernels as well."""
    small, large = draw(600, 12, 12, np.float32), draw(9, 60, 60, np.float32)
    operands = []
    for x in (small, small + 1j * small.swapaxes(1, 2), large):
        operands.append((x, (x @ x.conj().swapaxes(1, 2) + np.eye(x.shape[1], dtype=x.dtype)).astype(x.dtype)))

    def factors(operands):
        return [
            (
                *(lax.linalg.cholesky(a), lax.linalg.eigh(a, symmetrize_input=False)),
                *(jnp.linalg.qr(x), lax.linalg.svd(x), lax.linalg.lu(x), lax.linalg.eig(x)),
                lax.linalg.triangular_solve(a, x, left_side=True),
            )
            for x, a in operands
        ]

    for eager, compiled in zip(*[jax.tree.leaves(f(operands)) for f in (factors, jax.jit(factors))]):
        np.testing.assert_array_equal(eager, compiled)


@pytest.mark.parametrize("sides", [241, 600])
def test_right_hand_sides_are_cut(sides: int) -> None:
    """Solves with few matrices are cut for several cores between their right-hand sides: rows of x a = b, else columns."""
    rng = np.random.default_rng(1)
    a = (rng.normal(size=(2, 200, 200)) + 200 * np.eye(200)).astype(np.float32)
    b = rng.normal(size=(2, 200, sides)).astype(np.float32)

    def solutions(a, b):
        left, right = {"left_side": True, "lower": True}, {"left_side": False, "transpose_a": True}
        return (
            jnp.linalg.solve(a, b),
            lax.linalg.triangular_solve(a, b, **left),
            lax.linalg.triangular_solve(a, b.mT, **right),
        )

    eager, compiled = solutions(a, b), jax.jit(solutions)(a, b)
    wanted = np.linalg.solve(a, b), np.linalg.solve(np.tril(a), b), np.linalg.solve(np.triu(a), b).swapaxes(1, 2)
    for x, y, z in zip(eager, compiled, wanted):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_allclose(x, z, rtol=1e-3, atol=2e-7)
