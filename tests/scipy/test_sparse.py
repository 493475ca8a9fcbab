"""Linear systems whose vectors are pytrees and whose matrices are functions; matrices are in tests/library/rows/sparse.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.scipy.sparse import linalg

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

_N = 12
_B = {"u": np.linspace(-1, 1, _N).astype("f4"), "v": (np.ones((2, 2), np.float32), np.float32(0.5))}


def laplacian(m: Any, x: Any, stiffness: Any) -> Any:
    """Springs along a line, and weights of the rest: a symmetric positive definite function of a pytree."""
    np_ = m.numpy
    u = np_.pad(x["u"], 1)
    inner, scalar = x["v"]
    return {
        "u": stiffness * (2 * u[1:-1] - u[:-2] - u[2:]) + 0.5 * x["u"],
        "v": (3 * inner + 0.1 * scalar, 2 * scalar + 0.1 * inner.sum()),
    }


def solutions(m: Any, stiffness: Any, b: Any) -> Any:
    """By every method."""
    solvers = m.scipy.sparse.linalg

    def product(x: Any) -> Any:
        return laplacian(m, x, stiffness)

    halved = m.tree_util.Partial(lambda x: m.tree_util.tree_map(lambda leaf: leaf / 3, x))
    return [
        solvers.cg(product, b, tol=1e-6)[0],
        solvers.cg(product, b, b, tol=1e-6, M=halved)[0],
        solvers.bicgstab(product, b, tol=1e-6)[0],
        solvers.gmres(product, b, tol=1e-6, restart=8)[0],
        solvers.gmres(product, b, tol=1e-6, solve_method="incremental", M=halved)[0],
    ]


def total(m: Any, stiffness: Any, b: Any) -> Any:
    leaves = m.tree_util.tree_leaves(solutions(m, stiffness, b))
    return sum(m.numpy.sum(m.numpy.cos(leaf)) for leaf in leaves)


def test_pytrees_as_in_jax() -> None:
    import jax.scipy.sparse

    def both(m: Any) -> Any:
        return m.jit(lambda s, b: (solutions(m, s, b), m.grad(lambda *xs: total(m, *xs), (0, 1))(s, b)))

    ours, theirs = (sable.tree.leaves(both(m)(np.float32(1.5), _B)) for m in (sable, jax))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-3, atol=2e-4)


def test_mapped() -> None:
    """Each example has its own number of steps."""
    matrix = np.float32([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
    sides = np.float32([[1, 2, 3], [0, 0, 0], [-1, 50, 2]])
    found = sable.jit(sable.vmap(lambda b: linalg.cg(matrix, b)[0]))(sides)
    np.testing.assert_allclose(found, np.linalg.solve(matrix, sides.T).T, rtol=1e-4, atol=1e-5)


def test_large_systems() -> None:
    """A line of springs of many elements, against a dense solution."""
    n = 200
    rng = np.random.default_rng(3)
    b = rng.normal(size=n).astype("f4")
    dense = np.diag(np.full(n, 2.5)) - np.diag(np.ones(n - 1), 1) - np.diag(np.full(n - 1, 0.7), -1)
    expected = np.linalg.solve(dense, b)

    def product(x: Any) -> Any:
        padded = jnp.pad(x, 1)
        return 2.5 * x - padded[2:] - 0.7 * padded[:-2]

    for found, _ in (
        linalg.bicgstab(product, b, tol=1e-6),
        linalg.gmres(product, b, tol=1e-6, solve_method="incremental"),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert int(linalg.gmres(product, b, np.full(n, np.nan, np.float32), maxiter=2)[1]) == -1


class _Twice:
    """Something that knows `@`."""

    shape = (3, 3)

    def __matmul__(self, x: Any) -> Any:
        return 2 * x


def test_objects_with_products() -> None:
    np.testing.assert_allclose(linalg.cg(_Twice(), np.float32([2, 4, 6]))[0], [1, 2, 3], rtol=1e-6)


@pytest.mark.parametrize("solve", [linalg.cg, linalg.bicgstab, linalg.gmres])
def test_errors(solve: Any) -> None:
    b = np.ones(3, np.float32)
    with pytest.raises(TypeError, match="linear operator must be either a function or ndarray"):
        solve("A", b)
    with pytest.raises(ValueError, match=r"square matrix, but has shape: \(3, 2\)"):
        solve(np.ones((3, 2), np.float32), b)
    with pytest.raises(ValueError, match="matching tree structure"):
        solve(np.eye(3, dtype=np.float32), b, (b,))
    with pytest.raises(ValueError, match="matching shapes"):
        solve(np.eye(3, dtype=np.float32), b, b[:2])
