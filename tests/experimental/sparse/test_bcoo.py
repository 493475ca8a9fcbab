"""BCOO arrays: made of dense arrays, sorted, summed up, in other layouts; against JAX."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable.experimental import sparse

from .oracle import check_table, strict, values

LAYOUTS = [((3, 4), 0, 0), ((3, 4), 1, 0), ((2, 3, 4), 1, 1), ((), 0, 0)]
DUPLICATES = (
    np.array([1, 2, 0, 3, 5], np.float32),
    np.array([[0, 1], [0, 1], [2, 2], [9, 9], [0, 0]], np.int32),
)


def made(m: Any, shape: tuple, b: int, d: int, dtype: Any = np.float32, **options: Any) -> Any:
    return m.sparse.BCOO.fromdense(m.jnp.asarray(values(shape, dtype)), n_batch=b, n_dense=d, **options)


def duplicates(m: Any) -> Any:
    return m.sparse.BCOO(tuple(m.jnp.asarray(x) for x in DUPLICATES), shape=(3, 4))


def test_stored_as_by_jax() -> None:
    table = []
    for shape, b, d in LAYOUTS:
        label = (shape, b, d)
        make = partial(made, shape=shape, b=b, d=d)
        table += [
            (label, make),
            ((label, "nse"), partial(make, nse=2)),
            ((label, "sum"), lambda m, f=make: f(m).sum_duplicates()),
        ]
        table.append(((label, "indices"), lambda m, f=make: f(m).indices))
    for dtype in (np.float64, np.complex64, np.int32):
        table.append((dtype, partial(made, shape=(3, 4), b=0, d=0, dtype=dtype)))
    table.append(("index dtype", lambda m: made(m, (3, 4), 0, 0, index_dtype=m.jnp.int16).indices))
    for name, f in {
        "duplicates": lambda x: x.sum_duplicates(),
        "zeros": lambda x: x.sum_duplicates(remove_zeros=False),
        "fewer": lambda x: x.sum_duplicates(nse=1),
        "more": lambda x: x.sum_duplicates(nse=6),
        "sorted": lambda x: x.sort_indices().data,
        "dense": lambda x: x.todense(),
    }.items():
        table.append((name, lambda m, f=f: f(duplicates(m))))
    check_table(table)


def test_layouts() -> None:
    """From every layout to every other the values stay; what is stored is as with JAX for a few."""
    for shape in [(3, 4), (2, 3, 2)]:
        dense = values(shape)
        every = [(b, d) for b in range(len(shape) + 1) for d in range(len(shape) + 1 - b)]
        for b, d in every:
            x = sparse.BCOO.fromdense(dense, n_batch=b, n_dense=d)
            for new_b, new_d in every:
                with strict():
                    y = x.update_layout(n_batch=new_b, n_dense=new_d, on_inefficient=None)
                assert (y.n_batch, y.n_dense) == (new_b, new_d)
                np.testing.assert_array_equal(np.asarray(y.todense()), dense)
    table = []
    for old, new in [((1, 1), (0, 0)), ((0, 0), (1, 1)), ((1, 0), (0, 2)), ((0, 2), (2, 0))]:
        options = {"n_batch": new[0], "n_dense": new[1], "on_inefficient": None}
        table.append(((old, new), lambda m, a=old, o=options: made(m, (2, 3, 4), *a).update_layout(**o)))
    check_table(table)


def test_inefficient_layouts() -> None:
    x = sparse.BCOO.fromdense(values((3, 4)))
    for options in ({"n_batch": 1}, {"n_dense": 1}):
        with pytest.raises(sparse.SparseEfficiencyError, match="stores many more elements"):
            x.update_layout(**options)
        with pytest.warns(sparse.SparseEfficiencyWarning, match="stores many more elements"):
            x.update_layout(**options, on_inefficient="warn")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.update_layout(n_batch=0) is x
    for options in ({"n_batch": 2, "n_dense": 1}, {"n_batch": 1, "on_inefficient": "maybe"}, {"n_batch": -1}):
        with pytest.raises(ValueError):
            x.update_layout(**options)


def test_extract() -> None:
    table: list = []
    for unique in (True, False, None):
        table.append(
            (
                unique,
                lambda m, u=unique: (
                    m.sparse.bcoo_extract(duplicates(m), m.jnp.arange(12.0).reshape(3, 4), assume_unique=u).data
                ),
            )
        )
    table.append(("shapes", lambda m: m.sparse.bcoo_extract(duplicates(m), m.jnp.ones((3, 5)))))
    table.append(("dense", lambda m: m.sparse.bcoo_extract(m.jnp.ones(3), m.jnp.ones(3))))
    check_table(table)


def test_attributes_and_pytrees() -> None:
    x = sparse.BCOO.fromdense(values((2, 3, 4)), n_batch=1, n_dense=1)
    assert (x.shape, x.ndim, x.size, len(x), x.nse) == ((2, 3, 4), 3, 24, 2, x.data.shape[1])
    assert (x.n_batch, x.n_sparse, x.n_dense, x.dtype) == (1, 1, 1, np.float32)
    assert repr(x) == f"BCOO(float32[2, 3, 4], nse={x.nse}, n_batch=1, n_dense=1)"
    leaves, tree = sable.tree.flatten(x)
    assert leaves[0] is x.data and leaves[1] is x.indices
    assert repr(tree.unflatten([object(), object()])) == "BCOO(<invalid>)"
    again = tree.unflatten(leaves)
    assert (again.shape, again.indices_sorted, again.unique_indices) == (x.shape, True, True)
    assert x.block_until_ready() is x
    with pytest.raises(TypeError, match="unhashable"):
        hash(x)
    for args, shape in [
        (((3,), (2, 1)), (4,)),
        (((3,), (3, 2)), (4,)),
        (((2, 3), (3, 3, 1)), (2, 4)),
        (((3,), (3,)), (4,)),
    ]:
        with pytest.raises(ValueError):
            sparse.BCOO((jnp.ones(args[0]), jnp.zeros(args[1], int)), shape=shape)
    with pytest.raises(ValueError, match="indices must be integers"):
        sparse.BCOO((jnp.ones(3), jnp.ones((3, 1))), shape=(4,))


def test_sizes_that_are_not_known() -> None:
    x = sparse.BCOO.fromdense(values((3, 4)))
    with pytest.raises(sable.errors.ConcretizationTypeError, match="nse argument of bcoo_fromdense"):
        sable.jit(lambda m: sparse.BCOO.fromdense(m))(values((3, 4)))
    with pytest.raises(ValueError, match="nse must be given inside of jit"):
        sable.jit(lambda m: m.sum_duplicates())(x)
    # in derivatives they are known
    with strict():
        slope = sable.grad(lambda m: jnp.sum(sparse.BCOO.fromdense(m).sum_duplicates().todense() ** 2))(values((3, 4)))
    np.testing.assert_array_equal(np.asarray(slope), 2 * values((3, 4)))


def test_transformations() -> None:
    """Compiled, mapped along batch axes, differentiated forwards and backwards; arrays made inside and outside."""
    dense = values((2, 3, 4))
    x = sparse.BCOO.fromdense(dense, n_batch=1)

    @sable.jit
    def program(x: Any, dense: Any) -> Any:
        rows = sable.vmap(lambda r: r.todense())(x)
        inside = sable.vmap(lambda d: sparse.BCOO.fromdense(d, nse=8).sum_duplicates(nse=9))(dense)
        cube = lambda d: jnp.sum(sparse.BCOO.fromdense(d, nse=24).todense() ** 3)  # noqa: E731
        tangent = sable.jvp(lambda data: sparse.BCOO((data, x.indices), shape=x.shape).todense(), (x.data,), (x.data,))[
            1
        ]
        return (
            rows,
            inside,
            sable.grad(cube)(dense),
            tangent,
            sable.grad(lambda x: jnp.sum(x.todense() ** 2), allow_int=True)(x),
        )

    rows, inside, slope, tangent, sparse_slope = program(x, dense)
    np.testing.assert_array_equal(np.asarray(rows), dense)
    assert (inside.shape, inside.n_batch, inside.nse) == ((2, 3, 4), 1, 9)
    np.testing.assert_array_equal(np.asarray(inside.todense()), dense)
    np.testing.assert_array_equal(np.asarray(slope), 3 * dense**2)
    np.testing.assert_array_equal(np.asarray(tangent), dense)
    assert isinstance(sparse_slope, sparse.BCOO)
    np.testing.assert_array_equal(np.asarray(sparse_slope.data), 2 * np.asarray(x.data))


def test_scipy() -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    dense = values((3, 4))
    for kind in (scipy_sparse.csr_matrix, scipy_sparse.coo_array):
        for ours in (sparse.BCOO, sparse.BCSR):
            np.testing.assert_array_equal(np.asarray(ours.from_scipy_sparse(kind(dense)).todense()), dense)
    with pytest.raises(NotImplementedError):
        sparse.BCOO.from_scipy_sparse(scipy_sparse.csr_matrix(dense), n_batch=1)
