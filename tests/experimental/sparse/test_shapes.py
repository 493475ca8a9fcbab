"""Sparse arrays in other shapes: values of every layout against NumPy's functions, what is stored against JAX."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable
from sable import lax
from sable.experimental import sparse

from .oracle import check_table, strict, values


def layouts(ndim: int) -> list[tuple[int, int]]:
    return [(n_batch, n_dense) for n_batch in range(ndim + 1) for n_dense in range(ndim + 1 - n_batch)]


def calls(shape: tuple[int, ...]) -> list[tuple[Any, Callable, Callable]]:
    """A label, what is done to a sparse array (of a module `sparse`), and to a dense one."""
    n = len(shape)
    found: list = []
    for p in itertools.permutations(range(n)):
        found.append(
            (("transpose", p), lambda s, x, p=p: s.bcoo_transpose(x, permutation=p), lambda d, p=p: d.transpose(p))
        )
    for r in range(1, n + 1):
        for axes in itertools.combinations(range(n), r):
            found.append((("sum", axes), lambda s, x, a=axes: s.bcoo_reduce_sum(x, axes=a), lambda d, a=axes: d.sum(a)))
            found.append((("rev", axes), lambda s, x, a=axes: s.bcoo_rev(x, a), lambda d, a=axes: np.flip(d, a)))
    start, limit = (1,) * n, tuple(k - (i % 2) for i, k in enumerate(shape))
    for step in (1, 2):
        options = {"start_indices": start, "limit_indices": limit, "strides": (step,) * n}
        part = tuple(slice(a, z, step) for a, z in zip(start, limit))
        found.append((("slice", step), lambda s, x, o=options: s.bcoo_slice(x, **o), lambda d, p=part: d[p]))
    sizes = tuple(max(k - 1, 1) for k in shape)
    part = tuple(slice(k - m, k) for k, m in zip(shape, sizes))
    found.append(("dynamic_slice", lambda s, x: s.bcoo_dynamic_slice(x, [9] * n, sizes), lambda d: d[part]))
    for k in range(n):
        found.append(
            (
                ("concatenate", k),
                lambda s, x, k=k: s.bcoo_concatenate([x, x], dimension=k),
                lambda d, k=k: np.concatenate([d, d], k),
            )
        )
    for k, size in itertools.product(range(n + 1), (1, 2)):
        new, to = (*shape[:k], size, *shape[k:]), tuple(i for i in range(n + 1) if i != k)
        found.append(
            (
                ("broadcast", new),
                lambda s, x, o=(new, to): s.bcoo_broadcast_in_dim(x, shape=o[0], broadcast_dimensions=o[1]),
                lambda d, new=new, k=k: np.broadcast_to(np.expand_dims(d, k), new),
            )
        )
    for new in {1: [(1, 3), (3, 1)], 2: [(12,), (2, 6), (3, 2, 2), (3, 1, 4)], 3: [(24,), (6, 4), (2, 12), (3, 2, 4)]}[
        n
    ]:
        found.append(
            (("reshape", new), lambda s, x, z=new: s.bcoo_reshape(x, new_sizes=z), lambda d, z=new: d.reshape(z))
        )
    return found


@pytest.mark.parametrize("shape", [(3,), (3, 4), (2, 3, 4)])
def test_values(shape: tuple[int, ...]) -> None:
    """What is refused is refused for the kinds of its dimensions; all else is right."""
    dense = values(shape)
    done = 0
    for n_batch, n_dense in layouts(len(shape)):
        x = sparse.BCOO.fromdense(dense, n_batch=n_batch, n_dense=n_dense)
        for label, of_sparse, of_dense in calls(shape):
            try:
                with strict():
                    got = of_sparse(sparse, x)
            except (NotImplementedError, ValueError) as error:
                assert "dimension" in str(error) or "axes" in str(error), label
                continue
            done += 1
            np.testing.assert_array_equal(
                np.asarray(got.todense()), of_dense(dense), err_msg=str((label, n_batch, n_dense))
            )
    assert done > {1: 25, 2: 90, 3: 200}[len(shape)]


def test_stored_as_by_jax() -> None:
    table: list = []
    for shape, b, d in [((3, 4), 0, 0), ((2, 3, 4), 1, 0), ((2, 3, 4), 1, 1)]:
        for label, of_sparse, _ in calls(shape):
            if label[0] == "reshape" and d:  # JAX fails for what it could do
                continue

            def run(m: Any, f: Callable = of_sparse, a: Any = (shape, b, d)) -> Any:
                return f(m.sparse, m.sparse.BCOO.fromdense(m.jnp.asarray(values(a[0])), n_batch=a[1], n_dense=a[2]))

            table.append(((label, shape, b, d), run))
    # each of JAX's is compiled: a part of them, another for each kind
    check_table(table[::4])


def test_convolutions_and_gathers() -> None:
    table: list = []
    for padding in ("SAME", "VALID", [(3, 2)]):
        for kinds in ((2, None), (None, 2), (2, 2)):

            def run(m: Any, padding: Any = padding, kinds: Any = kinds) -> Any:
                operands = [m.jnp.asarray(values((1, 1, n), seed=n)) for n in (6, 3)]
                given = [x if b is None else m.sparse.BCOO.fromdense(x, n_batch=b) for x, b in zip(operands, kinds)]
                return m.sparse.bcoo_conv_general_dilated(*given, window_strides=(1,), padding=padding)

            table.append(((padding, kinds), run))
    numbers = {"offset_dims": (1,), "collapsed_slice_dims": (0,), "start_index_map": (0,)}

    def gathered(m: Any) -> Any:
        x = m.sparse.BCOO.fromdense(m.jnp.asarray(values((3, 4))))
        return m.sparse.bcoo_gather(x, m.jnp.array([[0], [2]]), m.jax.lax.GatherDimensionNumbers(**numbers), (1, 4))

    table.append(("gather", gathered))
    check_table(table)
    x = sparse.BCOO.fromdense(values((1, 1, 6)), n_batch=2)
    for options in (
        {"window_strides": (2,)},
        {"lhs_dilation": (2,)},
        {"rhs_dilation": (2,)},
        {"feature_group_count": 2},
    ):
        with pytest.raises(NotImplementedError):
            sparse.bcoo_conv_general_dilated(x, x, **{"window_strides": (1,), "padding": [(0, 0)], **options})


def test_positions_that_are_not_known() -> None:
    dense = values((2, 3, 4))
    x = sparse.BCOO.fromdense(dense, n_batch=1)
    part = sable.jit(lambda x, i: sparse.bcoo_dynamic_slice(x, [i, i, -1], [1, 2, 2]))(x, 1)
    np.testing.assert_array_equal(
        np.asarray(part.todense()), np.asarray(lax.dynamic_slice(dense, (1, 1, 3), (1, 2, 2)))
    )
