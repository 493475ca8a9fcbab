"""What is determined of forms whose phases are free: products, orthogonality, zeros. Second derivatives, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp
from sable.lax import linalg
from sable.scipy import linalg as sla

RNG = np.random.default_rng(0)


def matrix(dtype: str, *shape: int) -> np.ndarray:
    x = RNG.normal(size=shape)
    return (x + 1j * RNG.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def adjoint(x: np.ndarray) -> np.ndarray:
    return x.conj().swapaxes(-1, -2)


CASES = {
    "several": lambda d: matrix(d, 2, 6, 6),
    "one": lambda d: matrix(d, 1, 1),
    "equal eigenvalues": lambda d: np.eye(4, k=1).astype(d) + np.eye(4).astype(d),
    "no rank": lambda d: np.zeros((3, 3), d),
    "huge": lambda d: 1e18 * matrix(d, 4, 4),
    "tiny": lambda d: 1e-18 * matrix(d, 4, 4),
    "strided": lambda d: matrix(d, 5, 10)[:, ::2].T,
    "none": lambda d: np.zeros((0, 3, 3), d),
}


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
@pytest.mark.parametrize("case", CASES)
def test_reductions_are_unitary_and_of_their_form(case: str, dtype: str) -> None:
    a = CASES[case](dtype)
    n, size = a.shape[-1], max(np.abs(a).max(initial=0), 1e-30)
    unit = np.broadcast_to(np.eye(n), a.shape)
    h, q = map(np.asarray, sla.hessenberg(a, calc_q=True))
    t, z = map(np.asarray, linalg.schur(a))
    for form, vectors, below in ((h, q, 2), (t, z, 2 if np.dtype(dtype).kind == "f" else 1)):
        assert not np.tril(form, -below).any()
        np.testing.assert_allclose(adjoint(vectors) @ vectors, unit, atol=1e-5)
        np.testing.assert_allclose(vectors @ form @ adjoint(vectors) / size, a / size, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_pivoted_qr_shows_the_rank(dtype: str) -> None:
    a = matrix(dtype, 6, 2) @ matrix(dtype, 2, 4)
    q, r, order = map(np.asarray, sla.qr(a, pivoting=True))
    np.testing.assert_allclose(q @ r, a[:, order], atol=2e-5)
    assert sorted(order) == [0, 1, 2, 3]
    diagonal = np.abs(np.diag(r))
    assert (diagonal[:-1] >= diagonal[1:]).all()
    assert diagonal[2:].max() < 1e-5 * diagonal[0]


def test_vmap_is_the_stack() -> None:
    a = matrix("float32", 3, 4, 4)
    for one in (linalg.hessenberg, linalg.schur, linalg.tridiagonal):
        for x, y in zip(jax.vmap(one)(a), one(a)):
            np.testing.assert_array_equal(x, y)


def test_singular_systems() -> None:
    d = jnp.array([1.0, 1.0])
    args = jnp.array([0.0, 1.0]), d, jnp.array([1.0, 0.0]), jnp.array([[1.0], [2.0]])
    assert np.isnan(linalg.tridiagonal_solve(*args)).all()
    assert np.isfinite(linalg.tridiagonal_solve(*args, perturb_singular=True)).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: linalg.tridiagonal_solve(x[0], 3 + x[1], x[2], x[:, :2]),
        lambda x: sla.expm(x),
        lambda x: linalg.qr(x, pivoting=True, full_matrices=False)[1],
    ],
    ids=["tridiagonal_solve", "expm", "pivoted qr"],
)
def test_second_order(function) -> None:
    with jax.enable_x64(True):
        x = jnp.asarray(matrix("float64", 3, 3) * [1.0, 0.5, 0.2])
        t = jnp.asarray(matrix("float64", 3, 3))

        def total(x):
            y = function(x)
            return jnp.sum(jnp.sin(y) * jnp.arange(1.0, 1.0 + y.size).reshape(y.shape))

        gradient = jax.grad(total)
        step = 1e-5
        slope = (total(x + step * t) - total(x - step * t)) / (2 * step)
        np.testing.assert_allclose(jnp.vdot(gradient(x), t), slope, rtol=1e-6)
        turn = (gradient(x + step * t) - gradient(x - step * t)) / (2 * step)
        np.testing.assert_allclose(jax.jvp(gradient, (x,), (t,))[1], turn, rtol=1e-5, atol=1e-6)


def test_many_threads() -> None:
    stacks = [matrix("complex64", 20, 12, 12) for _ in range(8)]

    def decompose(a: np.ndarray) -> list[np.ndarray]:
        made = [*linalg.schur(a), *linalg.hessenberg(a), *linalg.qr(a, pivoting=True), *linalg.tridiagonal(a)]
        return [np.asarray(x) for x in made]

    alone = [decompose(a) for a in stacks]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(decompose, stacks))
    for xs, ys in zip(alone, together):
        for x, y in zip(xs, ys):
            np.testing.assert_array_equal(x, y)
