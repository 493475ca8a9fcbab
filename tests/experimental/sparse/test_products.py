"""Products of sparse arrays against JAX."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

import sable
import sable.numpy as jnp
from sable.experimental import sparse

from .oracle import check_table, strict, values

PRODUCTS = [
    ((3, 4), (4, 5), (((1,), (0,)), ((), ()))),
    ((4,), (4,), (((0,), (0,)), ((), ()))),
    ((3,), (4,), (((), ()), ((), ()))),
    ((3, 4), (3, 4), (((0, 1), (0, 1)), ((), ()))),
    ((2, 3, 4), (2, 4, 5), (((2,), (1,)), ((0,), (0,)))),
    ((2, 3, 4), (4, 5), (((2,), (0,)), ((), ()))),
    ((3, 4), (2, 4, 5), (((1,), (1,)), ((), ()))),
    ((2, 3), (2, 4), (((), ()), ((0,), (0,)))),
]


def subsets(of: Iterable[int]) -> Iterable[tuple[int, ...]]:
    every = list(of)
    return itertools.chain.from_iterable(itertools.combinations(every, n) for n in range(len(every) + 1))


def layouts(ndim: int) -> list[tuple[int, int]]:
    return [(n_batch, n_dense) for n_batch in range(ndim + 1) for n_dense in range(ndim + 1 - n_batch)]


def test_with_dense_arrays() -> None:
    """All layouts, contracted and batch dimensions of arrays of 1 to 3 dimensions, from both sides, against NumPy."""
    rng = np.random.default_rng(0)
    for shape in [(3,), (2, 3), (2, 3, 2)]:
        for b, d in layouts(len(shape)):
            left = values(shape)
            x = sparse.BCOO.fromdense(left, n_batch=b, n_dense=d)
            for batch in subsets(range(b)):
                for over in subsets(i for i in range(len(shape) - d) if i not in batch):
                    order = list(rng.permutation(len(shape)))
                    right = values([shape[p] for p in order], seed=1)
                    here, there = (over, [order.index(i) for i in over]), (batch, [order.index(i) for i in batch])
                    dims = ((here[0], here[1]), (there[0], there[1]))
                    with strict():
                        got = sparse.bcoo_dot_general(x, right, dimension_numbers=dims)
                    expected = np.asarray(sable.lax.dot_general(jnp.asarray(left), jnp.asarray(right), dims))
                    np.testing.assert_array_equal(np.asarray(got), expected)
                    dims = ((here[1], here[0]), (there[1], there[0]))
                    got = sparse.bcoo_dot_general(right, x, dimension_numbers=dims)
                    expected = np.asarray(sable.lax.dot_general(jnp.asarray(right), jnp.asarray(left), dims))
                    np.testing.assert_array_equal(np.asarray(got), expected)


def product(m: Any, left: tuple, right: tuple, dims: Any, dtype: Any = np.float32) -> Any:
    """Of sparse arrays; None for a dense one: (shape, n_batch, n_dense)."""
    operands = []
    for seed, (shape, b, d) in enumerate((left, right)):
        dense = m.jnp.asarray(values(shape, dtype, seed))
        operands.append(dense if b is None else m.sparse.BCOO.fromdense(dense, n_batch=b, n_dense=d))
    return m.sparse.bcoo_dot_general(*operands, dimension_numbers=dims)


def test_against_jax() -> None:
    table: list = []
    # JAX compiles for seconds: a few
    for k, b, c in ((0, 0, 0), (3, 0, 0), (4, 1, 1), (6, 0, 1), (6, 1, 0)):
        x, y, dims = PRODUCTS[k]
        table.append(((x, b, y, c, dims), partial(product, left=(x, b, 0), right=(y, c, 0), dims=dims)))
    matrix, vector = ((3, 4), 0, 0), ((4,), None, 0)
    for dtype in (np.float64, np.complex64, np.int32):
        table.append((dtype, partial(product, left=matrix, right=vector, dims=(((1,), (0,)), ((), ())), dtype=dtype)))
    for left, right, dims in [
        (((2, 3, 4), 0, 1), ((4, 5), None, 0), (((2,), (0,)), ((), ()))),
        (((2, 3, 4), 0, 0), ((2, 4, 5), None, 0), (((2,), (1,)), ((0,), (0,)))),
        (matrix, ((3,), None, 0), (((1,), (0,)), ((), ()))),
        (((3, 4), None, 0), ((4,), None, 0), (((1,), (0,)), ((), ()))),
    ]:
        table.append(((left, right, dims), partial(product, left=left, right=right, dims=dims)))
    check_table(table)


def test_of_sparse_arrays() -> None:
    for x, y, dims in PRODUCTS:
        left, right = values(x), values(y, seed=1)
        expected = np.asarray(sable.lax.dot_general(jnp.asarray(left), jnp.asarray(right), dims))
        n = len(dims[1][0])
        for b, c in ((n, n), (n + 1, n)):
            if b > len(x) or any(i < b for i in dims[0][0]):
                continue
            operands = sparse.BCOO.fromdense(left, n_batch=b), sparse.BCOO.fromdense(right, n_batch=c)
            with strict():
                got = sparse.bcoo_dot_general(*operands, dimension_numbers=dims)
            assert isinstance(got, sparse.BCOO) and got.n_batch == b + c - n
            np.testing.assert_array_equal(np.asarray(got.todense()), expected)


def test_elementwise() -> None:
    table: list = []
    pairs = [
        ((3, 4), (3, 4), 1, 0, 0),
        ((1, 4), (3, 4), 0, 0, 0),
        ((2, 3, 4), (2, 3, 4), 1, 1, 1),
        ((3, 4), (4,), 0, 0, 0),
    ]
    for x, y, b, c, d in pairs:

        def multiply(m: Any, x: tuple = x, y: tuple = y, b: int = b, c: int = c, d: int = d) -> Any:
            left = m.sparse.BCOO.fromdense(m.jnp.asarray(values(x)), n_batch=b, n_dense=d)
            right = m.sparse.BCOO.fromdense(m.jnp.asarray(values(y, seed=1)), n_batch=c, n_dense=d)
            return m.sparse.bcoo_multiply_sparse(left, right)

        table.append(((x, y, b, c, d), multiply))
    for shape in [(3, 4), (4,), (3, 1), (), (2, 3, 4)]:

        def by_dense(m: Any, shape: tuple = shape) -> Any:
            mat = m.sparse.BCOO.fromdense(m.jnp.asarray(values((3, 4))))
            return m.sparse.bcoo_multiply_dense(mat, m.jnp.asarray(values(shape, seed=1)))

        table.append((shape, by_dense))
    check_table(table)


def test_some_elements_of_a_product() -> None:
    for x, y, dims in PRODUCTS:
        left, right = jnp.asarray(values(x)), jnp.asarray(values(y, seed=1))
        whole = sable.lax.dot_general(left, right, dims)
        for b, d in layouts(whole.ndim):
            at = sparse.BCOO.fromdense(values(whole.shape, seed=2), n_batch=b, n_dense=d)
            with strict():
                got = sparse.bcoo_dot_general_sampled(left, right, at.indices, dimension_numbers=dims)
            expected = sparse.bcoo_extract(at, whole, assume_unique=True).data
            np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_padding_counts_as_zero() -> None:
    """Entries out of range hold numbers, also such that are none."""
    x = sparse.BCOO(([1.0, 2.0, np.nan, 100.0], [[1], [2], [5], [7]]), shape=(5,))
    y = sparse.BCOO(([3.0, 100.0], [[2], [5]]), shape=(5,))
    dense, other = np.array([0, 1, 2, 0, 0]), np.array([0, 0, 3, 0, 0])
    for got, expected in [
        (x.todense(), dense),
        (x.sum(), 3),
        (x @ other.astype(np.float32), 6),
        (other.astype(np.float32) @ x, 6),
        ((x @ y).todense(), 6),
        ((y * x).todense(), dense * other),
        ((x[1:4]).todense(), dense[1:4]),
        (x[None].todense(), dense[None]),
        (x.reshape(5, 1).todense(), dense[:, None]),
        (x[::-1].todense(), dense[::-1]),
        (sparse.bcoo_concatenate([x, y], dimension=0).todense(), np.concatenate([dense, other])),
        (x.update_layout(n_dense=1, on_inefficient=None).todense(), dense),
    ]:
        np.testing.assert_array_equal(np.asarray(got), expected)


def test_derivatives() -> None:
    """Of products by data and by dense arrays: those of the dense product; one program."""
    dense, other = values((2, 3, 4)), values((2, 4, 5), seed=1)
    x = sparse.BCOO.fromdense(dense, n_batch=1)
    dims = (((2,), (1,)), ((0,), (0,)))

    def loss(product: Any) -> Any:
        return jnp.sum(jnp.sin(product) ** 2)

    def of_sparse(data: Any, other: Any) -> Any:
        mat = sparse.BCOO((data, x.indices), shape=x.shape)
        return loss(sparse.bcoo_dot_general(mat, other, dimension_numbers=dims))

    def of_dense(data: Any, other: Any) -> Any:
        return loss(sable.lax.dot_general(sparse.BCOO((data, x.indices), shape=x.shape).todense(), other, dims))

    @sable.jit
    def both(data: Any, other: Any) -> Any:
        found = []
        for f in (of_sparse, of_dense):
            slope = sable.grad(f, argnums=(0, 1))
            curve = sable.jvp(slope, (data, other), (data, other))[1]
            found.append((slope(data, other), curve))
        return found

    ours, expected = both(x.data, other)
    for a, b in zip(sable.tree.leaves(ours), sable.tree.leaves(expected)):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=2e-4, atol=2e-4)
