"""`sparsify`, operators and methods of sparse arrays against JAX."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp
from sable import lax
from sable.experimental import sparse

from .oracle import check_table, values

DENSE = values((3, 4))

OPERATORS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "neg": lambda m, x, d: -x,
    "abs": lambda m, x, d: abs(x),
    "x + x": lambda m, x, d: x + x,
    "x + d": lambda m, x, d: x + d,
    "d + x": lambda m, x, d: d + x,
    "x + 1": lambda m, x, d: x + 1,
    "x - x": lambda m, x, d: x - x,
    "d - x": lambda m, x, d: d - x,
    "2 x": lambda m, x, d: 2 * x,
    "x * d": lambda m, x, d: x * d,
    "x * row": lambda m, x, d: x * d[0],
    "x * cube": lambda m, x, d: x * m.jnp.ones((2, 1, 1)),
    "x * x": lambda m, x, d: x * x,
    "x / 2": lambda m, x, d: x / 2,
    "2 / x": lambda m, x, d: 2 / x,
    "x / d": lambda m, x, d: x / (d + 5),
    "x**2": lambda m, x, d: x**2,
    "x**-1": lambda m, x, d: x**-1,
    "x**2.5": lambda m, x, d: x**2.5,
    "x == x": lambda m, x, d: x == x,
    "x @ matrix": lambda m, x, d: x @ d.T,
    "matrix @ x": lambda m, x, d: d.T @ x,
    "x @ x": lambda m, x, d: x @ x.T,
    "x @ short": lambda m, x, d: x @ d[:, 0],
    "sum": lambda m, x, d: x.sum(),
    "sum(0)": lambda m, x, d: x.sum(0),
    "keepdims": lambda m, x, d: x.sum(0, keepdims=True),
    "astype": lambda m, x, d: x.astype(m.jnp.int32),
    "reshape": lambda m, x, d: x.reshape(-1, 2),
    "reshape wrong": lambda m, x, d: x.reshape(5, 3),
    "T": lambda m, x, d: x.T,
    "x[0]": lambda m, x, d: x[0],
    "x[0, 1]": lambda m, x, d: x[0, 1],
    "x[:, 1:3]": lambda m, x, d: x[:, 1:3],
    "x[::2, None]": lambda m, x, d: x[::2, None],
    "x[..., ::-1]": lambda m, x, d: x[..., ::-1],
    "x[array]": lambda m, x, d: x[m.jnp.array([0, -1])],
    "iter": lambda m, x, d: list(x)[1],
}


def test_operators() -> None:
    def run(m: Any, f: Callable) -> Any:
        return f(m, m.sparse.BCOO.fromdense(m.jnp.asarray(DENSE)), m.jnp.asarray(values((3, 4), seed=1)))

    check_table([(name, lambda m, f=f: run(m, f)) for name, f in OPERATORS.items()], rtol=1e-6)


FUNCTIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "chain": lambda m, x, v: -m.jnp.sin(m.jnp.pi * x).T @ (v + 1),
    "jit": lambda m, x, v: m.jax.jit(lambda x: m.jnp.sum(x, 1))(x),
    "grad": lambda m, x, v: m.jax.grad(lambda x: m.jnp.sum(x**2))(x),
    "while": lambda m, x, v: m.jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, 2 * c[1]), (0, x))[1],
    "fori": lambda m, x, v: m.jax.lax.fori_loop(0, 2, lambda i, y: (x @ (x.T @ y)) / 4, v),
    "cond": lambda m, x, v: m.jax.lax.cond(False, lambda x: x, lambda x: 2 * x, x),
    "mismatch": lambda m, x, v: m.jax.lax.cond(False, lambda a: a[0], lambda a: a[1], (x, m.jnp.ones((3, 4)))),
    "stack": lambda m, x, v: m.jnp.stack([x, x]),
    "concatenate": lambda m, x, v: m.jnp.concatenate([x, x], 1),
    "dynamic_slice": lambda m, x, v: m.jax.lax.dynamic_slice(x, (0, 1), (2, 2)),
    "cos": lambda m, x, v: m.jnp.cos(x),
    "exp": lambda m, x, v: m.jnp.exp(x),
    "sqrt of square": lambda m, x, v: m.jnp.sqrt(x * x),
    "todense": lambda m, x, v: m.sparse.todense(x) + 1,
    "dense alone": lambda m, x, v: m.jnp.cos(v),
    "einsum": lambda m, x, v: m.jnp.einsum("ij,i->j", x, v),
}


@pytest.mark.parametrize("use_tracer", [False, True])
def test_functions(use_tracer: bool) -> None:
    def run(m: Any, f: Callable) -> Any:
        x = m.sparse.BCOO.fromdense(m.jnp.asarray(DENSE))
        return m.sparse.sparsify(lambda x, v: f(m, x, v), use_tracer=use_tracer)(x, m.jnp.arange(3.0))

    names = FUNCTIONS if not use_tracer else ("chain", "cos")
    check_table([(name, lambda m, f=FUNCTIONS[name]: run(m, f)) for name in names], rtol=1e-5, atol=1e-6)


def test_refusals_name_the_operation() -> None:
    x = sparse.BCOO.fromdense(values((4,)))
    with pytest.raises(
        NotImplementedError, match=r"^sparse rule for cos is not implemented because it would result in dense"
    ):
        sparse.sparsify(lax.cos)(x)
    with pytest.raises(NotImplementedError, match=r"^sparse rule for erf is not implemented\."):
        sparse.sparsify(lax.erf)(x)
    with pytest.raises(NotImplementedError, match=r"^sparse rule for complex is not implemented\."):
        sparse.sparsify(lax.complex)(x, sparse.BCOO.fromdense(values((4,), seed=1)))
    with pytest.raises(NotImplementedError, match="Addition between a sparse array X and a dense array Y is not impl"):
        x + 1.0
    with pytest.raises(NotImplementedError, match="of a function of CSR arrays"):
        sparse.sparsify(jnp.sin)(sparse.CSR.fromdense(values((3, 4))))
    seen: list = []
    for use in (True, False):
        sparse.sparsify(lambda x: seen.append(isinstance(x, sparse.SparseTracer)), use_tracer=use)(x)
    assert seen == [True, False]


def test_formats_and_pytrees() -> None:
    rows = sparse.BCSR.fromdense(DENSE)
    doubled = sparse.sparsify(lambda d: {"twice": 2 * d["x"], "same": d["y"]})({"x": rows, "y": 3})
    assert isinstance(doubled["twice"], sparse.BCSR) and doubled["same"] == 3
    np.testing.assert_array_equal(np.asarray(doubled["twice"].todense()), 2 * DENSE)
    assert isinstance(sparse.sparsify(jnp.concatenate)([rows, rows]), sparse.BCSR)
    # a large array times a number is not made dense on the way
    huge = sparse.BCOO(([1.0, 2.0], [[0, 5], [10**6, 3]]), shape=(10**7, 10**7))
    assert float((3 * huge.T * 2).sum()) == 18.0
    assert (huge @ sparse.BCOO(([1.0], [[3]]), shape=(10**7,))).nse == 2


def test_transformed() -> None:
    """Operators compiled, mapped and differentiated, in one program; loops over batches."""
    x = sparse.BCOO.fromdense(values((2, 3, 4)), n_batch=1)
    other = jnp.asarray(values((4,), seed=1))

    @sable.jit
    def program(x: Any, other: Any) -> Any:
        mapped = sable.vmap(lambda r: (2 * r.T).T @ other)(x)
        total = lambda data: jnp.sum((sparse.BCOO((data, x.indices), shape=x.shape) * 3 @ other) ** 2)  # noqa: E731
        scanned = sparse.sparsify(lambda x: lax.scan(lambda c, r: (c + r @ other, r.sum()), jnp.zeros(3), x))(x)
        return mapped, sable.grad(total)(x.data), scanned

    mapped, slope, (last, sums) = program(x, other)
    dense, v = values((2, 3, 4)), np.asarray(other)
    np.testing.assert_array_equal(np.asarray(mapped), 2 * dense @ v)
    expected = 18 * (dense @ v)[:, :, None] * v
    at = np.asarray(x.indices)
    there = at[..., 0] < 3
    picked = expected[np.arange(2)[:, None], np.minimum(at[..., 0], 2), np.minimum(at[..., 1], 3)]
    np.testing.assert_array_equal(np.asarray(slope), np.where(there, picked, 0))
    np.testing.assert_array_equal(np.asarray(last), (dense @ v).sum(0))
    np.testing.assert_array_equal(np.asarray(sums), dense.sum((1, 2)))


def test_functions_that_are_not_linear_sum_duplicates_first() -> None:
    data, indices = [1.0, 2.0, -1.0, 4.0], [[0, 1], [0, 1], [1, 0], [1, 0]]
    x = sparse.BCOO((data, indices), shape=(2, 2))
    dense = x.todense()
    for f in (
        jnp.sin,
        jnp.abs,
        jnp.sign,
        jnp.expm1,
        jnp.tanh,
        lambda v: v * v,
        lambda v: v**3,
        lambda v: v.astype(int),
    ):
        got = sparse.sparsify(f)(x)
        np.testing.assert_allclose(np.asarray(got.todense()), np.asarray(f(dense)), rtol=1e-6)
    for f in (operator.neg, jnp.real, jnp.copy):
        assert sparse.sparsify(f)(x).nse == 4
