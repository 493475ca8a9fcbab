"""BCSR, COO, CSR, CSC, arrays made of nothing, gradients, linear algebra."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.experimental import sparse
from sable.experimental.sparse import linalg

from .oracle import check_table, strict, values

DENSE = values((3, 4))


def of(kind: str, m: Any, **options: Any) -> Any:
    return getattr(m.sparse, kind).fromdense(m.jnp.asarray(DENSE), **options)


def leaves(m: Any, x: Any) -> Any:
    return m.jnp.concatenate([leaf.astype(m.jnp.float32) for leaf in m.jax.tree.leaves(x)])


MATRICES: dict[str, Callable[[Any, Any], Any]] = {
    "stored": leaves,
    "todense": lambda m, x: x.todense(),
    "vector": lambda m, x: x @ m.jnp.arange(4.0),
    "transposed": lambda m, x: x.T @ m.jnp.arange(3.0),
    "matrix": lambda m, x: x @ m.jnp.arange(8.0).reshape(4, 2),
    "cube": lambda m, x: x @ m.jnp.ones((2, 4, 2)),
    "sparse": lambda m, x: x @ x.T,
    "sum": lambda m, x: x.sum(),
    "neg": lambda m, x: -x,
}


def test_matrices() -> None:
    table: list = []
    for kind in ("COO", "CSR", "CSC"):
        for name, f in MATRICES.items():
            table.append(((kind, name), lambda m, f=f, k=kind: f(m, of(k, m))))
        table.append(((kind, "nse"), lambda m, k=kind: leaves(m, of(k, m, nse=10))))
        table.append(((kind, "jit"), lambda m, k=kind: m.jax.jit(lambda d: getattr(m.sparse, k).fromdense(d))(DENSE)))
    for kind in ("coo", "csr"):
        for name, shape in (("matvec", (3,)), ("matmat", (3, 2))):

            def product(m: Any, kind: str = kind, name: str = name, shape: tuple = shape) -> Any:
                f = getattr(m.sparse, f"{kind}_{name}")
                return f(of(kind.upper(), m), m.jnp.asarray(values(shape)), transpose=True)

            table.append(((kind, name), product))
    check_table(table)


def test_by_rows() -> None:
    table: list = []
    for b, d, shape in ((0, 0, (3, 4)), (1, 0, (2, 3, 4)), (1, 1, (2, 3, 4, 2))):

        def make(m: Any, b: int = b, d: int = d, shape: tuple = shape) -> Any:
            return m.sparse.BCSR.fromdense(m.jnp.asarray(values(shape)), n_batch=b, n_dense=d)

        table += [((shape, "dense"), make), ((shape, "indptr"), lambda m, f=make: f(m).indptr)]
        table.append(((shape, "bcoo"), lambda m, f=make: f(m).to_bcoo()))
        table.append(
            ((shape, "extract"), lambda m, f=make: m.sparse.bcsr_extract(f(m).indices, f(m).indptr, f(m).todense()))
        )
    check_table(table)
    rows = sparse.BCSR.fromdense(values((2, 3, 4)), n_batch=1)
    with strict():
        mapped = sable.vmap(lambda x: x @ jnp.ones(4))(rows)
        again = sparse.BCSR.from_bcoo(rows.to_bcoo())
    np.testing.assert_array_equal(np.asarray(again.todense()), values((2, 3, 4)))
    np.testing.assert_array_equal(np.asarray(mapped), values((2, 3, 4)).sum(-1))
    back = sparse.BCSR.from_bcoo(sparse.BCOO(([1.0, 2.0, 5.0], [[2, 1], [0, 3], [3, 9]]), shape=(3, 4)))
    np.testing.assert_array_equal(np.asarray(back.indptr), [0, 1, 1, 2])
    for wrong in (((3,), (2,), (4,)), ((3,), (3,), (3,))):
        with pytest.raises(ValueError):
            sparse.BCSR((jnp.ones(wrong[0]), jnp.zeros(wrong[1], int), jnp.zeros(wrong[2], int)), shape=(3, 4))
    with pytest.raises(NotImplementedError):
        sparse.BCSR.from_bcoo(sparse.BCOO.fromdense(DENSE, n_batch=1))


def test_made_of_nothing() -> None:
    table: list = []
    for kind in ("bcoo", "coo", "csr", "csc"):
        table += [((kind, "empty"), lambda m, k=kind: m.sparse.empty((3, 4), sparse_format=k))]
        for options in ({"N": 3}, {"N": 3, "M": 4, "k": 1, "dtype": "int32"}, {"N": 3, "k": -1}, {"N": 3, "k": 7}):
            table.append(((kind, options), lambda m, k=kind, o=options: m.sparse.eye(sparse_format=k, **o)))
    for b, d in ((1, 0), (0, 1), (1, 1), (2, 0), (0, 2)):
        table.append((("eye", b, d), lambda m, b=b, d=d: m.sparse.eye(3, 4, 1, n_batch=b, n_dense=d)))
    table.append(("nse", lambda m: m.sparse.empty((2, 3, 4), n_batch=1, n_dense=1, nse=3)))
    table += [
        ("format", lambda m: m.sparse.empty((3, 4), sparse_format="x")),
        ("n_dense", lambda m: m.sparse.empty((3,), n_dense=2)),
    ]
    for options in (
        {},
        {"nse": 5, "unique_indices": False},
        {"n_dense": 1, "nse": 0.5},
        {"sorted_indices": True, "dtype": "float32"},
        {"nse": -1},
        {"nse": 100},
        {"n_batch": 3},
    ):
        table.append((options, lambda m, o=options: m.sparse.random_bcoo(m.jax.random.key(0), (4, 5), **o)))
    check_table(table, rtol=1e-6)
    x = sparse.random_bcoo(sable.random.key(0), (3, 4, 5), n_batch=1, nse=7, dtype="float32")
    assert all(len({tuple(i) for i in np.asarray(example)}) == 7 for example in x.indices)


def test_gradients() -> None:
    def loss(x: Any, v: Any) -> Any:
        return ((x @ v) ** 2).sum()

    table: list = []
    for kind in ("BCOO", "CSR"):
        table.append(((kind, "grad"), lambda m, k=kind: m.sparse.grad(loss)(of(k, m), m.jnp.arange(4.0))))
    for name in ("jacfwd", "jacrev", "jacobian"):
        table.append(
            (name, lambda m, n=name: getattr(m.sparse, n)(lambda x, v: x @ v)(of("BCOO", m), m.jnp.arange(4.0)))
        )
    table.append(("by v", lambda m: m.sparse.grad(loss, argnums=1)(of("BCOO", m), m.jnp.arange(4.0))))
    table.append(("value", lambda m: m.sparse.value_and_grad(loss)(of("BCOO", m), m.jnp.arange(4.0))[0]))
    check_table(table)
    x, v = of("BCOO", _OURS), jnp.arange(4.0)
    found, aux = sparse.grad(lambda d, k: (loss(d["x"], d["v"]) * k, "aux"), has_aux=True)({"x": x, "v": v}, 2.0)
    assert aux == "aux" and isinstance(found["x"], sparse.BCOO)
    both = sparse.jacrev(lambda x, v: {"a": x @ v, "b": v}, argnums=(0, 1))(x, v)
    assert both["a"][0].shape == (3, 3, 4) and both["b"][1].shape == (4, 4)
    with pytest.raises(ValueError, match="more positional arguments"):
        sparse.grad(loss, argnums=5)(x, v)


class _OURS:
    jnp, sparse = jnp, sparse


def test_solutions() -> None:
    dense = np.diag(np.arange(1.0, 6)) + np.diag(np.full(4, 0.5), 1)
    a, b = sparse.CSR.fromdense(jnp.asarray(dense)), jnp.arange(5.0)

    @sable.jit
    def program(data: Any, b: Any) -> Any:
        solve = lambda data, b: linalg.spsolve(data, a.indices, a.indptr, b)  # noqa: E731
        return solve(data, b), sable.grad(lambda *xs: jnp.sum(solve(*xs)), argnums=(0, 1))(data, b)

    with strict():
        x, (by_data, by_b) = program(a.data, b)
    np.testing.assert_allclose(np.asarray(x), np.linalg.solve(dense, np.arange(5.0)), rtol=1e-5, atol=1e-6)
    w = np.linalg.solve(dense.T, np.ones(5))
    np.testing.assert_allclose(np.asarray(by_b), w, rtol=1e-5)
    rows, columns = np.nonzero(dense)
    np.testing.assert_allclose(np.asarray(by_data), -w[rows] * np.asarray(x)[columns], rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="one dimension"):
        linalg.spsolve(a.data, a.indices, a.indptr, jnp.ones((5, 2)))
    with pytest.raises(ValueError, match="no square system"):
        linalg.spsolve(a.data, a.indices, a.indptr, jnp.ones(4))


def test_largest_eigenvalues() -> None:
    rng = np.random.default_rng(0)
    q = np.linalg.qr(rng.standard_normal((40, 40)))[0]
    spectrum = np.concatenate([np.linspace(-3, 3, 37), [8, 8, 10]])
    a = jnp.asarray((q * spectrum) @ q.T, np.float32)
    with strict():
        theta, x, steps = linalg.lobpcg_standard(a, jnp.asarray(rng.standard_normal((40, 3)), np.float32))
    np.testing.assert_allclose(np.asarray(theta), [10, 8, 8], rtol=1e-5)
    np.testing.assert_allclose(np.asarray(a @ x), np.asarray(x * theta), atol=2e-3)
    np.testing.assert_allclose(np.asarray(x.T @ x), np.eye(3), atol=1e-5)
    assert 0 < int(steps) < 100
    by_function, _, few = linalg.lobpcg_standard(lambda v: a @ v, x + 0.1, m=2)
    assert int(few) <= 2 and abs(float(by_function[0]) - 10) < 0.1
    for wrong in (jnp.ones((40, 8)), jnp.ones(40), jnp.ones((50, 1)), jnp.ones((40, 1), int)):
        with pytest.raises((ValueError, TypeError)):
            linalg.lobpcg_standard(a, wrong)
