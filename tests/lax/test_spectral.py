"""Spectral decompositions against JAX: values, derivatives, batches, other dtypes, failures."""

from __future__ import annotations

import numpy as np
import pytest

import sable as jax
import sable.numpy as jnp

from ..numpy.oracle import check

RNG = np.random.default_rng(1)
CLOSE = {"rtol": 1e-4, "atol": 2e-5}


def any_matrix(*shape: int, dtype=np.float32) -> np.ndarray:
    x = RNG.uniform(-1, 1, shape) + (1j * RNG.uniform(-1, 1, shape) if np.dtype(dtype).kind == "c" else 0)
    return x.astype(dtype)


def hermitian(*shape: int, dtype=np.float32) -> np.ndarray:
    """With eigenvalues that are well apart."""
    x = any_matrix(*shape, dtype=dtype)
    return (x + x.conj().swapaxes(-1, -2)) / 2 + np.diag(np.arange(0.0, 2 * shape[-1], 2)).astype(dtype)


A, C, S = hermitian(4, 4), hermitian(4, 4, dtype=np.complex64), hermitian(2, 3, 3, 3)
BAD = S.copy()
BAD[0, 1, 1, 0] = BAD[1, 2, 2, 2] = np.nan

G, H = (any_matrix(4, 4, dtype=d) + np.diag([0, 3, 6, 9]).astype(np.float32) for d in (np.float32, np.complex64))
M, K = any_matrix(4, 3), any_matrix(3, 4, dtype=np.complex64)


def squares(results):
    """Without the signs of vectors."""
    return [x * x for x in results]


def with_derivatives(j, a, **vectors):
    return squares(j.lax.linalg.eig(a, enable_eigvec_derivs=True, **vectors))


FUNCTIONS = {
    "eigh": (lambda j, a: j.lax.linalg.eigh(a), A),
    "complex": (lambda j, a: j.numpy.linalg.eigh(a), C),
    "lower": (lambda j, a: j.lax.linalg.eigh(a + j.numpy.triu(a, 1), symmetrize_input=False), A),
    "upper": (lambda j, a: j.numpy.linalg.eigh(a + j.numpy.tril(a, -1), "U", symmetrize_input=False), C),
    "stack": (lambda j, a: j.numpy.linalg.eigvalsh(a), S),
    "integers": (lambda j, a: j.numpy.linalg.eigh(a.astype("int32")), A),
    "not finite": (lambda j, a: j.numpy.linalg.eigh(a), BAD),
    "empty": (lambda j, a: j.lax.linalg.eigh(a[..., :0, :0]), S),
    "not square": (lambda j, a: j.numpy.linalg.eigh(a[:2], symmetrize_input=False), A),
    "svd": (lambda j, a: j.lax.linalg.svd(a), M),
    "svd reduced": (lambda j, a: j.lax.linalg.svd(a, full_matrices=False), K),
    "svd of a stack": (lambda j, a: j.numpy.linalg.svdvals(a), S),
    "svd not finite": (lambda j, a: [j.numpy.abs(x) for x in j.numpy.linalg.svd(a)], BAD),
    "svd of nothing": (lambda j, a: j.lax.linalg.svd(a[:0]), M),
    "svd by name": (lambda j, a: j.lax.linalg.svd(a, compute_uv=False, algorithm=j.lax.linalg.SvdAlgorithm.QR), M),
    "svd elsewhere": (lambda j, a: j.lax.linalg.svd(a, algorithm=j.lax.linalg.SvdAlgorithm.JACOBI), M),
    "svd subset": (lambda j, a: j.lax.linalg.svd(a, full_matrices=False, subset_by_index=(0, 2)), M),
    "eig": (lambda j, a: squares(j.numpy.linalg.eig(a)), G),
    "eig of reals with complex eigenvalues": (lambda j, a: squares(j.lax.linalg.eig(a)), any_matrix(2, 4, 4)),
    "complex eig": (lambda j, a: squares(j.lax.linalg.eig(a)), H),
    "left eigenvectors": (lambda j, a: squares(j.lax.linalg.eig(a, compute_right_eigenvectors=False)), G),
    "eig not finite": (lambda j, a: j.lax.linalg.eig(a)[1:], BAD[1]),
    "eig of nothing": (lambda j, a: j.lax.linalg.eig(a[:, :0, :0]), S[0]),
    "eig elsewhere": (
        lambda j, a: j.lax.linalg.eig(a, implementation=j.lax.linalg.EigImplementation.MAGMA),
        G,
    ),
    "no derivative": (lambda j, a: j.grad(lambda x: j.numpy.abs(j.numpy.linalg.eig(x)[1]).sum())(a), G),
    "subset": (lambda j, a: j.lax.linalg.eigh(a, subset_by_index=(0, 2)), A),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    function, *arguments = FUNCTIONS[name]
    check(function, *arguments, **CLOSE)


def total(function):
    """A real scalar that depends on all results, each with a weight of its own."""

    def scalar(j, x):
        results = j.tree.leaves(function(j, x))
        return sum((j.numpy.abs(y * (1 + j.numpy.arange(y.size).reshape(y.shape)))).sum() for y in results)

    return scalar


#: What no sign changes, of complex vectors no phase but that which JAX holds, too.
DIFFERENTIABLE = {
    "eigvalsh": (lambda j, a: j.numpy.linalg.eigvalsh(a), A),
    "eigh": (lambda j, a: j.numpy.linalg.eigh(a)[1] ** 2, A),
    "eigh of a stack": (lambda j, a: j.numpy.linalg.eigh(a)[1] ** 2, S),
    "svd": (lambda j, a: [x**2 for x in j.numpy.linalg.svd(a, full_matrices=False)], M),
    "svd of wide": (lambda j, a: [x**2 for x in j.numpy.linalg.svd(a.T, full_matrices=False)], M),
    "complex svd": (lambda j, a: [j.numpy.abs(x) for x in j.numpy.linalg.svd(a, full_matrices=False)], K),
    "phases": (lambda j, a: j.numpy.real(j.numpy.linalg.svd(a, full_matrices=False)[0]), K),
    "full svd": (lambda j, a: j.numpy.linalg.svd(a)[0] ** 2, M),
    "pinv": (lambda j, a: j.numpy.linalg.pinv(a), K),
    "pinv of the identity": (lambda j, a: j.numpy.linalg.pinv(a * 0 + j.numpy.eye(4, 3)), M),
    "lstsq": (lambda j, a: j.numpy.linalg.lstsq(a, a[:, 0] * a[:, 1])[0], M),
    "eigvals": (lambda j, a: j.numpy.real(j.numpy.linalg.eigvals(a)), G),
    "eig": (with_derivatives, G),
    "complex eig": (with_derivatives, H),
    "right eigenvectors": (lambda j, a: with_derivatives(j, a, compute_left_eigenvectors=False)[1], G),
    "complex eigh": (lambda j, a: j.numpy.abs(j.numpy.linalg.eigh(a)[1]), C),
}


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name: str) -> None:
    function, a = DIFFERENTIABLE[name]
    check(lambda j, x: j.grad(lambda y: total(function)(j, y))(x), a, rtol=1e-3, atol=1e-3)
    check(lambda j, x: j.jvp(lambda y: function(j, y), (x,), (x * x,)), a, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["eigh", "svd", "pinv", "right eigenvectors"])
def test_second_order(name: str) -> None:
    function, a = DIFFERENTIABLE[name]

    def program(j, x):
        gradient = j.grad(lambda y: total(function)(j, y))
        return j.jvp(gradient, (x,), (x * 0.5,))[1]

    check(program, a, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_double_precision_and_jit(dtype: type) -> None:
    import sable

    def programs(x):
        return sable.numpy.linalg.eigh(x)

    with sable.enable_x64(True):
        x = sable.numpy.asarray(hermitian(5, 5, dtype=dtype))
        eager, jitted = programs(x), sable.jit(sable.vmap(programs))(x[None])
        for y, z in zip(sable.tree.leaves(eager), sable.tree.leaves(jitted)):
            np.testing.assert_array_equal(np.asarray(y), np.asarray(z)[0])
        w, v = (np.asarray(y) for y in eager)
        np.testing.assert_allclose((v * w) @ v.conj().T, np.asarray(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(v.conj().T @ v, np.eye(5), atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.complex64])
def test_large_matrices(dtype: type) -> None:
    """Those for which LAPACK runs threads of its own; eager and compiled calls are one function."""
    n = 410
    rng = np.random.default_rng(0)
    a = rng.normal(size=(n, n)) + (1j * rng.normal(size=(n, n)) if dtype is np.complex64 else 0)
    a = a.astype(dtype)
    hermitian = a + a.conj().T
    eager = jnp.linalg.eigh(hermitian), jnp.linalg.svd(a)
    compiled = jax.jit(lambda h, a: (jnp.linalg.eigh(h), jnp.linalg.svd(a)))(hermitian, a)
    for x, y in zip(jax.tree.leaves(eager), jax.tree.leaves(compiled)):
        np.testing.assert_array_equal(x, y)
    (w, v), (u, s, vt) = (map(np.asarray, found) for found in eager)
    np.testing.assert_allclose((v * w) @ v.conj().T, hermitian, atol=2e-4)
    np.testing.assert_allclose((u * s) @ vt, a, atol=2e-4)
