"""Ufunc objects against JAX: which there are, their attributes, methods, refusals; those of a user's function."""

from __future__ import annotations

import inspect

import numpy as np

import sable
import sable.numpy as jnp

from .expressions import compare, table
from .oracle import jax


def test_the_same_functions_are_ufuncs() -> None:
    for name in jnp.__all__:
        theirs = getattr(jax.numpy, name, None)
        ours = getattr(jnp, name)
        assert isinstance(ours, jnp.ufunc) == isinstance(theirs, jax.numpy.ufunc), name
        if isinstance(ours, jnp.ufunc):
            for attribute in ("nin", "nout", "nargs", "identity", "__name__"):
                assert getattr(ours, attribute) == getattr(theirs, attribute), (name, attribute)
            assert repr(ours) == repr(theirs)
            assert list(inspect.signature(ours).parameters) == ["args", "out", "where"]


def test_equal_ones_are_one_key() -> None:
    def f(x, y):
        return x + y

    a, b = jnp.frompyfunc(f, 2, 1), jnp.frompyfunc(f, 2, 1)
    assert a == b and hash(a) == hash(b) and a != jnp.frompyfunc(f, 2, 1, identity=0) and a != f
    assert jnp.ufunc(f, 2, 1, name="other", nargs=3).nargs == 3


def test_calls_are_planned() -> None:
    x = jnp.arange(3.0)
    f = jnp.frompyfunc(lambda a, b: a * b + 1, 2, 1)
    for _ in range(4):
        assert f(x, 2).tolist() == [1.0, 3.0, 5.0]
    assert f.plan_counts() == (1, 0)
    assert type(jnp.add).__flags__ & (1 << 11), "calls of ufuncs go by Python's vectorcall"


def test_methods_are_traced() -> None:
    x = jnp.asarray(np.float32([[1.5, 2.0], [0.5, -1.0]]))
    f = jnp.frompyfunc(lambda a, b: a * b, 2, 1)
    assert np.allclose(sable.grad(lambda x: f.reduce(x).sum())(x), sable.grad(lambda x: jnp.prod(x, 0).sum())(x))
    assert np.allclose(sable.jit(sable.vmap(lambda r: jnp.add.accumulate(r)))(x), np.add.accumulate(x, 1))


@table(
    """
    jnp.add(f, f, where=b)
    jnp.add(f, f, out=f)
    jnp.add([1], f)
    jnp.add(f)
    jnp.maximum(f, i, where=None)
    # reduce
    jnp.add.reduce(i)
    jnp.add.reduce(f, axis=None, keepdims=True)
    jnp.add.reduce(f, axis=(0, 1), initial=2.0)
    jnp.add.reduce(f, where=b)
    jnp.multiply.reduce(i8, axis=1, dtype=jnp.float32)
    jnp.maximum.reduce(f, axis=1)
    jnp.maximum.reduce(f, where=b)
    jnp.maximum.reduce(f, where=b, initial=-5)
    jnp.minimum.reduce(i8, axis=-1, dtype=jnp.int32)
    jnp.minimum.reduce(e)
    jnp.bitwise_and.reduce(i, axis=1)
    jnp.bitwise_or.reduce(u8, initial=4)
    jnp.bitwise_xor.reduce(i, keepdims=True, where=b)
    jnp.bitwise_or.reduce(f)
    jnp.logical_and.reduce(i, axis=None)
    jnp.logical_or.reduce(c)
    jnp.logical_xor.reduce(i, axis=1, where=b)
    jnp.logical_xor.reduce(f, initial=True)
    jnp.logaddexp.reduce(f)
    jnp.logaddexp.reduce(i, axis=1, keepdims=True, where=b)
    jnp.logaddexp.reduce(f, axis=None, initial=2.0)
    jnp.logaddexp.reduce(c, axis=1)
    jnp.logaddexp2.reduce(f, axis=1)
    jnp.subtract.reduce(f, axis=1)
    jnp.subtract.reduce(t, axis=1, keepdims=True)
    jnp.subtract.reduce(f, axis=None)
    jnp.subtract.reduce(f, initial=1, where=b)
    jnp.subtract.reduce(e)
    jnp.subtract.reduce(f, axis=(0, 1))
    jnp.subtract.reduce(f, where=b)
    jnp.negative.reduce(f)
    jnp.add.reduce(f, where=i)
    # accumulate
    jnp.add.accumulate(i8, axis=1)
    jnp.multiply.accumulate(f, dtype=jnp.float16)
    jnp.maximum.accumulate(f, axis=1)
    jnp.subtract.accumulate(t, axis=-2)
    jnp.subtract.accumulate(e)
    jnp.logical_xor.accumulate(i)
    jnp.subtract.accumulate(f, axis=None)
    jnp.negative.accumulate(f)
    jnp.add.accumulate(f, out=f)
    # at
    jnp.add.at(v, j[:3] % 3, 1.5, inplace=False)
    jnp.add.at(b, (0, 1), True, inplace=False)
    jnp.multiply.at(f, (j[:2] % 2, 0), f[:, 0], inplace=False)
    jnp.subtract.at(v, jnp.array([1, 1, -1]), 2, inplace=False)
    jnp.maximum.at(v, jnp.array([1, 1, 9]), jnp.array([5., 7., 1.]), inplace=False)
    jnp.maximum.at(f, jnp.array([1, 0]), f[::-1], inplace=False)
    jnp.negative.at(v, jnp.array([0, 2]), inplace=False)
    jnp.negative.at(v, 1, inplace=False)
    jnp.add.at(v, 1, 2)
    # reduceat
    jnp.add.reduceat(v, jnp.array([0, 2, 3]))
    jnp.maximum.reduceat(t, jnp.array([0, 2]), axis=-1)
    jnp.add.reduceat(i, jnp.array([1, 0]))
    jnp.add.reduceat(v, si)
    jnp.add.reduceat(s, j)
    jnp.add.reduceat(v, j, axis=None)
    jnp.negative.reduceat(v, j)
    # outer
    jnp.multiply.outer(v, i)
    jnp.logical_and.outer(b, i)
    jnp.add.outer(w, wi)
    jnp.negative.outer(v, v)
    # a user's functions
    jnp.frompyfunc(lambda x, y: x * 2 + y, 2, 1)(f, f[0])
    jnp.frompyfunc(lambda x, y: (x, y > 0), 2, 2)(f, 2)
    jnp.frompyfunc(lambda x, y: x * 2 + y, 2, 1, identity=1).reduce(i, axis=1)
    jnp.frompyfunc(lambda x, y: x * 2 + y, 2, 1).reduce(i, axis=1, dtype=jnp.float32)
    jnp.frompyfunc(lambda x, y: x / y, 2, 1).accumulate(i, axis=1)
    jnp.frompyfunc(lambda x, y: (x, y), 2, 2).reduce(i)
    jnp.frompyfunc(lambda x, y: x * 2 + y, 2, 1).outer(j, k)
    jnp.frompyfunc(lambda x: x, 1, 1)([1])
    """
)
def test_ufuncs(text: str) -> None:
    compare(text)
