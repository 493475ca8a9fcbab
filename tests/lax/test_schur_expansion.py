"""eig and schur where there is no LAPACK, in deployed modules: matrices that are hard for a QR iteration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg as sla

import sable as jax
from sable import aot
from sable.runtime import load

N = 7
RNG = np.random.default_rng(0)
G = RNG.normal(size=(N, N)) + 1j * RNG.normal(size=(N, N))
PLACES = np.arange(N)

#: A double eigenvalue that rounding errors make real or not, and blocks that are nearly rotations.
ROUNDED = np.kron(np.eye(4), [[1 + 1e-9, 1], [-2.5e-19, 1 - 1e-9]])[:N, :N]
HARD = {
    "random": G,
    "unitary": np.linalg.qr(G)[0],
    "orthogonal": np.linalg.qr(G.real)[0],
    "zero": np.zeros((N, N)),
    "unit": np.eye(N),
    "ones": np.ones((N, N)),
    "defective": 2 * np.eye(N) + np.eye(N, k=-1),
    "nilpotent": np.eye(N, k=-1),
    "its own QR step": np.roll(np.eye(N), 1, 0),
    "two cycles": sla.block_diag(np.roll(np.eye(3), 1, 0), -np.roll(np.eye(4), 1, 0)),
    "companion": sla.companion(np.poly(1.0 + PLACES)),
    "companion of equal roots": sla.companion(np.poly(np.ones(N))),
    "huge": 1e30 * G,
    "tiny": 1e-30 * G,
    "descending rows": G * 10.0 ** -(3 * PLACES)[:, None],
    "ascending rows": G * 10.0 ** (3 * PLACES - 20)[:, None],
    "triangular": np.triu(G.real),
    "symmetric": G.real + G.real.T,
    "skew": G.real - G.real.T,
    "one rank": np.outer(G[0], G[1]),
    "equal rotations": np.kron(np.eye(4), [[0, 1], [-1, 0]])[:N, :N],
    "a defective double": np.kron(np.eye(4), [[3, 1], [-1, 1]])[:N, :N],
    "rounded": ROUNDED,
    "grcar": np.triu(np.tril(np.ones((N, N)), 3)) - np.eye(N, k=-1),
    "nan": np.where(np.eye(N) == 1, np.nan, G),
    "infinite": np.where(np.eye(N, k=-1) == 1, np.inf, G),
}


def matrices(dtype: type) -> np.ndarray:
    return np.stack([x if np.dtype(dtype).kind == "c" else x.real for x in HARD.values()]).astype(dtype)


def deployed(function: Callable, a: np.ndarray, folder: Path) -> list[np.ndarray]:
    return load(aot.save(function, (a,), folder / "module.vmfb"))(a)


def adjoint(x: np.ndarray) -> np.ndarray:
    return x.conj().swapaxes(-1, -2)


def check(what: str, found: np.ndarray, wanted: np.ndarray, size: np.ndarray, digits: float) -> None:
    """Matrices that are to be equal but for so many rounding errors of the given size."""
    errors = dict(zip(HARD, np.abs(found - wanted).max((-2, -1)) / size[:, 0, 0]))
    wrong = {name: error for name, error in errors.items() if not error <= digits and name not in ("nan", "infinite")}
    assert not wrong, f"{what}: {wrong}"


def wide(x: np.ndarray) -> np.ndarray:
    return np.asarray(x).astype(np.complex128)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_schur(dtype: type, tmp_path: Path) -> None:
    a = matrices(dtype)
    with jax.enable_x64(True):
        form, vectors = deployed(jax.lax.linalg.schur, a, tmp_path)
    assert form.dtype == vectors.dtype == dtype
    bad = [list(HARD).index(name) for name in ("nan", "infinite")]
    assert np.isnan(form[bad]).all() and np.isnan(vectors[bad]).all()
    digits = 40 * N * np.finfo(dtype).eps
    size = np.maximum(np.abs(a).max((1, 2), keepdims=True, initial=0), 1e-40).astype(np.float64)
    check("orthogonal", adjoint(wide(vectors)) @ wide(vectors), np.eye(N), np.ones_like(size), digits)
    with np.errstate(invalid="ignore"):
        check("product", wide(vectors) @ wide(form) @ adjoint(wide(vectors)), wide(a), size, digits)
    good = np.delete(form, bad, 0)
    assert not np.tril(good, -2 if np.dtype(dtype).kind == "f" else -1).any()
    diagonal, below = np.diagonal(good, 0, 1, 2), np.diagonal(good, -1, 1, 2)
    above = np.diagonal(good, 1, 1, 2)
    assert not (below[:, 1:] * below[:, :-1]).any()
    split = below != 0
    np.testing.assert_array_equal(diagonal[:, 1:][split], diagonal[:, :-1][split])
    assert (np.sign(below[split]) * np.sign(above[split]) < 0).all()


@pytest.mark.parametrize("dtype", [np.float64, np.complex64])
def test_eig(dtype: type, tmp_path: Path) -> None:
    a = matrices(dtype)
    with jax.enable_x64(True):
        w, left, right = deployed(jax.lax.linalg.eig, a, tmp_path)
    assert w.dtype == left.dtype == right.dtype == np.result_type(dtype, np.complex64)
    bad = [list(HARD).index(name) for name in ("nan", "infinite")]
    assert all(np.isnan(x[bad]).all() for x in (w, left, right))
    digits = 40 * N * np.finfo(dtype).eps
    size = np.maximum(np.abs(a).max((1, 2), keepdims=True, initial=0), 1e-40).astype(np.float64)
    a, w, left, right = map(wide, (a, w, left, right))
    with np.errstate(invalid="ignore"):
        check("right eigenvectors", a @ right, right * w[:, None, :], size, digits)
        check("left eigenvectors", adjoint(left) @ a, w[..., None] * adjoint(left), size, digits)
    for x in (left, right):
        check("length", np.linalg.norm(x, axis=-2, keepdims=True), 1.0, np.ones_like(size), digits)
    if np.dtype(dtype).kind == "f":  # conjugate pairs, the positive imaginary part first
        for values in np.delete(w, bad, 0):
            first = np.flatnonzero(values.imag > 0)
            np.testing.assert_array_equal(values[first + 1], values[first].conj())
            assert np.count_nonzero(values.imag) == 2 * len(first)
    for name in ("random", "orthogonal", "companion", "triangular", "skew", "grcar", "huge", "tiny"):
        k = list(HARD).index(name)
        wanted = np.linalg.eigvals(a[k])
        gaps = np.abs(w[k][:, None] - wanted).min(0) / np.abs(wanted).max()
        assert gaps.max() < 1e5 * digits, name
