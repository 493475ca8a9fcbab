"""Cholesky factors and triangular systems against JAX: values, derivatives, batches, loops, errors."""

from __future__ import annotations

import numpy as np
import pytest

from ..numpy.oracle import check

RNG = np.random.default_rng(0)


def real(*shape: int) -> np.ndarray:
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def hermitian(*shape: int, dtype=np.float32) -> np.ndarray:
    x = RNG.uniform(-1, 1, shape) + (1j * RNG.uniform(-1, 1, shape) if np.dtype(dtype).kind == "c" else 0)
    return (x @ x.conj().swapaxes(-1, -2) + 2 * np.eye(shape[-1])).astype(dtype)


A, C, S, W = hermitian(4, 4), hermitian(4, 4, dtype=np.complex64), hermitian(2, 3, 4, 4), real(4, 4)
T = np.tril(W).astype(np.float32) + 2 * np.eye(4, dtype=np.float32)
V, B = real(4), real(4, 3)
CLOSE = {"rtol": 2e-5, "atol": 2e-5}

FUNCTIONS = {
    "cholesky": (lambda j, a: j.numpy.linalg.cholesky(a), A),
    "upper": (lambda j, a: j.numpy.linalg.cholesky(a, upper=True), A),
    "as it is": (lambda j, a: j.numpy.linalg.cholesky(a + j.numpy.triu(a), symmetrize_input=False), A),
    "complex": (lambda j, a: j.numpy.linalg.cholesky(a), C),
    "complex upper": (lambda j, a: j.scipy.linalg.cholesky(a), C),
    "integers": (lambda j, a: j.numpy.linalg.cholesky(a.astype("int32")), 9 * np.eye(3, dtype=np.float32)),
    "stack": (lambda j, a: j.lax.linalg.cholesky(a), S),
    "no factor": (lambda j, a: j.numpy.linalg.cholesky(-a), S),
    "empty": (lambda j, a: j.numpy.linalg.cholesky(a[:0]), S),
    "empty matrices": (lambda j, a: j.numpy.linalg.cholesky(a[..., :0, :0]), S),
    "not square": (lambda j, a: j.numpy.linalg.cholesky(a[:2]), A),
    "lax integers": (lambda j, a: j.lax.linalg.cholesky(a.astype("int32")), A),
    "scipy": (lambda j, a: j.scipy.linalg.cholesky(a, lower=True), A),
    "cho_solve": (lambda j, a, b: j.scipy.linalg.cho_solve(j.scipy.linalg.cho_factor(a), b), A, V),
    "cho_solve lower": (lambda j, a, b: j.scipy.linalg.cho_solve(j.scipy.linalg.cho_factor(a, lower=True), b), A, B),
    "cho_solve batch": (lambda j, a, b: j.scipy.linalg.cho_solve(j.scipy.linalg.cho_factor(a), b), S, B),
    "solve": (lambda j, a, b: j.scipy.linalg.solve_triangular(a, b, lower=True), T, B),
    "solve vector": (lambda j, a, b: j.scipy.linalg.solve_triangular(a, b, trans=1, lower=True), T, V),
    "solve trans": (lambda j, a, b: j.scipy.linalg.solve_triangular(a, b, trans="C", unit_diagonal=True), T.T, B),
    "solve trans 3": (lambda j, a, b: j.scipy.linalg.solve_triangular(a, b, trans=3), T, B),
    "conjugate": (
        lambda j, a, b: j.lax.linalg.triangular_solve(a, b + 1j, left_side=True, conjugate_a=True),
        C,
        B.astype(np.complex64),
    ),
    "right": (lambda j, a, b: j.lax.linalg.triangular_solve(a, b), T.T, B.T),
    "right vector": (lambda j, a, b: j.lax.linalg.triangular_solve(a, b, transpose_a=True), T.T, V),
    "lu": (lambda j, a: j.lax.linalg.lu(a)[0], W),
    "det": (lambda j, a: j.numpy.linalg.det(a), W),
    "det of rank 3": (lambda j, a: j.numpy.linalg.det(a * j.numpy.arange(4.0)), W),
    "det of rank 2": (lambda j, a: j.numpy.linalg.det(a * j.numpy.array([1.0, 0, 0, 2])), W),
    "slogdet": (lambda j, a: j.numpy.linalg.slogdet(a)[1], W),
    "linear system": (lambda j, a, b: j.numpy.linalg.solve(a, b), W, V),
    "linear systems": (lambda j, a, b: j.numpy.linalg.solve(a, b), S, B),
    "complex system": (lambda j, a, b: j.numpy.linalg.solve(a, b), C, B),
    "no inverse": (lambda j, a: j.numpy.linalg.inv(a * 0), W),
    "positive": (lambda j, a, b: j.scipy.linalg.solve(a, b, assume_a="pos"), A, B),
    "qr": (lambda j, a: j.numpy.linalg.qr(a)[0], W),
    "qr of many rows": (lambda j, a: j.numpy.linalg.qr(a, mode="complete")[0], B),
    "other dtypes": (lambda j, a, b: j.lax.linalg.triangular_solve(a, b.astype("int32")), T, B.T),
    "other shapes": (lambda j, a, b: j.lax.linalg.triangular_solve(a, b), T, B),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    function, *arguments = FUNCTIONS[name]
    check(function, *arguments, **CLOSE)


def total(function):
    """A real scalar that depends on all results, each with a weight of its own."""

    def scalar(j, *xs):
        y = function(j, *xs)
        weights = j.numpy.arange(1.0, 1.0 + y.size).reshape(y.shape)
        return j.numpy.sum(j.numpy.sin(j.numpy.abs(y) * weights)) if y.dtype.kind == "c" else (y * weights).sum()

    return scalar


DIFFERENTIABLE = [
    "cholesky",
    "upper",
    "as it is",
    "complex",
    "complex upper",
    "stack",
    "scipy",
    "cho_solve",
    "cho_solve batch",
    "solve vector",
    "solve trans",
    "conjugate",
    "right",
    "linear systems",
    "complex system",
    "det of rank 3",
    "det of rank 2",
    "positive",
]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name: str) -> None:
    function, *arguments = FUNCTIONS[name]
    every = tuple(range(len(arguments)))
    for k in every:
        check(lambda j, *xs, k=k: j.grad(lambda *ys: total(function)(j, *ys), k)(*xs), *arguments, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    "name", ["cholesky", "cho_solve", "solve vector", "right", "lu", "det", "slogdet", "linear system"]
)
def test_second_order(name: str) -> None:
    function, *arguments = FUNCTIONS[name]

    def forward_over_reverse(j, *xs):
        gradient = j.grad(lambda x: total(function)(j, x, *xs[1:]))
        return j.jvp(gradient, (xs[0],), (xs[0] * 0.5,))

    def reverse_over_forward(j, *xs):
        return j.grad(lambda x: j.jvp(lambda y: total(function)(j, y, *xs[1:]), (x,), (x * 0.5,))[1])(xs[0])

    for program in (forward_over_reverse, reverse_over_forward):
        check(lambda j, *xs, p=program: j.tree.leaves(p(j, *xs)), *arguments, rtol=1e-3, atol=1e-3)


def in_scan(j, a, b):
    """A product, a factor and a solution in each step of a loop."""

    def step(c, x):
        factor = j.numpy.linalg.cholesky(a + c)
        y = j.scipy.linalg.solve_triangular(factor, b * x, lower=True)
        return c + j.numpy.eye(4), y

    return j.lax.scan(step, a * 0, j.numpy.arange(1.0, 4.0))[1]


def in_while(j, a, b):
    """Until the solution is small."""

    def small(state):
        return j.numpy.abs(state[1]).max() > 0.05

    def step(state):
        k, x = state
        return k + 1, j.scipy.linalg.cho_solve(j.scipy.linalg.cho_factor(a), x)

    k, x = j.lax.while_loop(small, step, (0, b))
    return k + x


def sliced(j, a, b):
    """A stack that is written in a loop and read through views with strides."""

    def step(i, out):
        x = j.lax.linalg.triangular_solve(a, out[i].T, left_side=True, lower=True)
        return out.at[i].set(x.T)

    return j.lax.fori_loop(0, 3, step, j.numpy.stack([b.T, 2 * b.T, 3 * b.T]))


LOOPS = {"scan": (in_scan, A, B), "while": (in_while, A, B), "slices": (sliced, T, B)}


@pytest.mark.parametrize("name", LOOPS)
def test_in_loops(name: str) -> None:
    program, *arguments = LOOPS[name]
    check(lambda j, *xs: j.jit(lambda *ys: program(j, *ys))(*xs), *arguments, rtol=2e-4, atol=2e-5)


def test_gradient_through_a_loop() -> None:
    check(lambda j, a, b: j.jit(j.grad(lambda x: in_scan(j, x, b).sum()))(a), A, B, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
def test_vmap(axes: tuple) -> None:
    def solve(j, a, b):
        return j.lax.linalg.triangular_solve(j.numpy.linalg.cholesky(a), b, left_side=True, lower=True)

    a = S[0] if axes[0] == 0 else A
    b = real(3, 4, 2) if axes[1] == 0 else real(4, 2)
    check(lambda j, *xs: j.vmap(lambda *ys: solve(j, *ys), axes)(*xs), a, b, **CLOSE)
    check(lambda j, *xs: j.jit(j.vmap(lambda *ys: solve(j, *ys), axes))(*xs), a, b, **CLOSE)
    right = b.swapaxes(-1, -2)
    check(lambda j, *xs: j.vmap(lambda *ys: j.lax.linalg.triangular_solve(*ys), axes)(*xs), a, right, **CLOSE)


@pytest.mark.parametrize("axes", [(0, None), (None, 0), (0, 0)])
def test_vmap_of_linear_systems(axes: tuple) -> None:
    def both(j, a, b):
        return j.value_and_grad(lambda a, b: (j.numpy.linalg.solve(a, b) ** 2).sum(), (0, 1))(a, b)

    a, b = (S[0] if axes[0] == 0 else A), (real(3, 4, 2) if axes[1] == 0 else real(4, 2))
    check(lambda j, *xs: j.jit(j.vmap(lambda *ys: both(j, *ys), axes))(*xs), a, b, rtol=2e-4, atol=2e-4)


def test_solutions_have_the_residual_of_lapack() -> None:
    """Sizes beyond LAPACK's blocks, eager and compiled."""
    import sable

    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(150, 150)), rng.normal(size=(150, 3))
    with sable.enable_x64(True):
        eager, compiled = sable.numpy.linalg.solve(a, b), sable.jit(sable.numpy.linalg.solve)(a, b)
        factors, _, order = sable.lax.linalg.lu(sable.numpy.asarray(a[:, :90]))
    np.testing.assert_array_equal(np.asarray(eager), np.asarray(compiled))
    np.testing.assert_allclose(a @ np.asarray(eager), b, rtol=0, atol=1e-11)
    lower, upper = np.tril(factors, -1) + np.eye(150, 90), np.triu(factors)[:90]
    np.testing.assert_allclose(lower @ upper, a[np.asarray(order), :90], rtol=0, atol=1e-12)


def test_double_precision() -> None:
    for dtype in (np.float64, np.complex128):
        a = hermitian(5, 5, dtype=dtype)

        def program(j, a):
            with j.enable_x64(True):
                x = j.numpy.asarray(a)
                factor = j.jit(j.numpy.linalg.cholesky)(x)
                return factor, j.numpy.linalg.cholesky(x)

        import jax

        import sable

        for got, want in zip(program(sable, a), program(jax, a)):
            assert got.dtype == want.dtype == dtype
            np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-12, atol=1e-13)
