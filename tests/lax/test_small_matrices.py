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


def eigenvectors(matrices):
    return [(*jnp.linalg.eig(a), jnp.linalg.eigvals(a)) for a in matrices]


def check_eigenvectors(a: np.ndarray, found, dtype: type) -> None:
    """A v = v w, beside the sums of what is added; unit length; real beside real; conjugates beside each other."""
    w, v, alone = map(np.asarray, found)
    bound = np.abs(a) @ np.abs(v) + np.abs(v) * np.abs(w)[:, None]
    error = np.abs(a.astype(np.float64) @ v - v * w[:, None])
    limits = np.finfo(dtype)
    least = (
        100 * limits.tiny / limits.eps * np.abs(a).max((1, 2), keepdims=True)[:, 0]
    )  # what equal eigenvalues are apart
    assert (error.max(1) <= 10 * ERROR[dtype] * bound.max(1) + least).all()
    near(np.linalg.norm(v, axis=1), np.ones(w.shape), dtype)
    real = w.imag == 0
    assert (v.swapaxes(1, 2)[real].imag == 0).all() and not np.signbit(w.imag[real]).any()
    for i, k in zip(*np.nonzero(w.imag > 0)):
        assert w[i, k + 1] == w[i, k].conj() and (v[i, :, k + 1] == v[i, :, k].conj()).all()
        size = np.abs(v[i, :, k])
        assert (v[i, size >= size.max() * (1 - 10 * ERROR[dtype]), k].imag == 0).any()  # of the largest, one is real
    near(alone, w, dtype)


def values_near(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    """Each of one set close to one of the other, for each matrix beside its largest."""
    distance = np.abs(found[:, :, None] - wanted[:, None, :])
    error = np.maximum(distance.min(1).max(1), distance.min(2).max(1)) / np.abs(wanted).max(1)
    assert error.max() <= tolerance, error.max()


@DTYPES
def test_eig(dtype: type) -> None:
    matrices = [draw(batch, n, n, dtype) for n in range(1, 17) for batch in BATCHES]
    for a, found in zip(matrices, eigenvectors(matrices)):
        check_eigenvectors(a, found, dtype)
        w, back = np.linalg.eig(a.astype(np.float64))
        condition = np.linalg.cond(back).max()  # F. Bauer, C. Fike, "Norms and exclusion theorems", 1960
        values_near(np.asarray(found[0]), w, 20 * ERROR[dtype] * condition)


def special_matrices(n: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Matrices and their eigenvalues."""
    one, above, rng = np.eye(n), np.eye(n, k=1), np.random.default_rng(n)
    cycle, order = np.roll(one, 1, 0), rng.permutation(n)
    roots = np.exp(2j * np.pi * np.arange(n) / n)
    upper = np.triu(rng.normal(size=(n, n)))
    angle = np.cos(0.3) + 1j * np.sin(0.3)
    turns = np.kron(np.eye(n // 2), [[angle.real, -angle.imag], [angle.imag, angle.real]])
    polynomial = np.poly(roots + 0.25).real  # (x - 1/4)^n - 1
    companion = np.eye(n, k=-1)
    companion[0] = -polynomial[1:]
    return {
        "zero": (0 * one, np.zeros(n)),
        "equal": (3 * one, np.full(n, 3.0)),
        "diagonal": (np.diag(np.arange(n) - 1.0), np.arange(n) - 1.0),
        "upper": (upper, np.diag(upper)),
        "lower": (upper.T, np.diag(upper)),
        "permuted": (upper[order][:, order], np.diag(upper)),
        "nilpotent": (np.triu(np.ones((n, n)), 1)[order][:, order], np.zeros(n)),
        "block of Jordan's": (one / 2 + above, np.full(n, 0.5)),
        "its transpose": (one / 2 + above.T, np.full(n, 0.5)),
        "cycle": (cycle, roots),
        "turns": (turns, np.repeat([angle, angle.conj()], n // 2)),
        "companion": (companion, roots + 0.25),
        "ones": (np.ones((n, n)), np.array([n] + [0] * (n - 1))),
    }


@DTYPES
def test_eig_of_special_matrices(dtype: type) -> None:
    cases = {(n, name): x for n in (2, 4, 10) for name, x in special_matrices(n).items()}
    matrices = [np.stack([a] * 8).astype(dtype) for a, _ in cases.values()]
    exact = {
        "zero",
        "equal",
        "diagonal",
        "upper",
        "lower",
        "permuted",
        "nilpotent",
        "block of Jordan's",
        "its transpose",
    }
    for ((_, name), (_, wanted)), a, found in zip(cases.items(), matrices, eigenvectors(matrices)):
        check_eigenvectors(a, found, dtype)
        w = np.asarray(found[0])
        if name in exact:
            np.testing.assert_array_equal(np.sort(w[0]), np.sort(wanted.astype(dtype)), name)
        else:
            values_near(w, wanted[None], 40 * ERROR[dtype])


@DTYPES
def test_eig_of_bad_scales(dtype: type) -> None:
    """Rows and columns of different units change no eigenvalue; nor does what is beside a matrix in its vector."""
    rng, limits = np.random.default_rng(7), np.finfo(dtype)
    plain, numbers = draw(16, 6, 6, dtype), draw(16, 6, 6, dtype)
    units = np.exp2(rng.integers(-18, 18, (16, 6)))
    scaled = (plain * units[:, :, None] / units[:, None]).astype(dtype)
    numbers[3, 1, 2], numbers[9, 0, 0] = np.nan, -np.inf
    scales = [float(limits.tiny) * 1e4, 1e-30, 1e30, float(limits.max) / 16]
    found = eigenvectors([scaled, plain, numbers, *(plain * dtype(scale) for scale in scales)])
    check_eigenvectors(scaled, found[0], dtype)
    wanted, back = np.linalg.eig(plain.astype(np.float64))
    tolerance = 20 * ERROR[dtype] * np.linalg.cond(back).max()
    for (w, *_), scale in zip((found[0], *found[3:]), (1, *scales)):
        values_near(np.asarray(w) / scale, wanted, tolerance)
    good = np.delete(np.arange(16), [3, 9])
    for ours, others in zip(found[2], eigenvectors([np.where(np.isfinite(numbers), numbers, 0)])[0]):
        assert np.isnan(np.asarray(ours)[[3, 9]]).all()
        np.testing.assert_array_equal(np.asarray(ours)[good], np.asarray(others)[good])


@DTYPES
def test_eig_is_each_matrix_s_own(dtype: type) -> None:
    """In whatever company a matrix is, its numbers are the same to the bit."""
    a = np.concatenate([np.stack([x for x, _ in special_matrices(6).values()]), draw(19, 6, 6, np.float64)])
    order = np.random.default_rng(3).permutation(32)
    (whole, permuted) = eigenvectors([a.astype(dtype), a[order].astype(dtype)])
    for x, y in zip(whole, permuted):
        assert np.asarray(x)[order].tobytes() == np.asarray(y).tobytes()


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
                *(jnp.linalg.eig(x), jnp.linalg.eigvals(x)),
                lax.linalg.triangular_solve(a, x, left_side=True),
            )
            for x, a in operands
        ]

    def forms(operands):
        diagonals = [x[:, 0].repeat(9, 0) for x, _ in operands]
        return [
            (
                *(lax.linalg.hessenberg(x), lax.linalg.tridiagonal(a), lax.linalg.schur(x)),
                *(lax.linalg.qr(x, pivoting=True), lax.linalg.ormqr(x, x[:, 0] / 16, a)),
                *(
                    []
                    if x.dtype.kind == "c"
                    else [jax.vmap(lax.linalg.cholesky_update)(lax.linalg.cholesky(a).mT, x[:, 0])]
                ),
                lax.linalg.tridiagonal_solve(d, d + 3, d, d[..., None]),
            )
            for (x, a), d in zip(operands, diagonals)
        ]

    def both(operands):
        return factors(operands), forms(operands)

    for eager, compiled in zip(*[jax.tree.leaves(f(operands)) for f in (both, jax.jit(both))]):
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
