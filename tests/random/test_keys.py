"""Typed keys against JAX: leaves of pytrees, arguments of all transformations, elements of functions that move elements."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import sable
from sable import tree_util
from sable.pytree import arrays

from ..numpy.oracle import check


def plain(j: Any, x: Any) -> Any:
    """Structure and leaves, of keys dtype, shape and words."""
    leaves, tree = j.tree.flatten(x)
    return [str(tree), *[_plain_leaf(j, leaf) for leaf in leaves]]


def _plain_leaf(j: Any, x: Any) -> Any:
    if isinstance(x, (j.ShapeDtypeStruct, j.tree_util.PyTreeDef)) or "Jaxpr" in type(x).__name__:
        return str(x)
    dtype = getattr(x, "dtype", None)
    if dtype is None or isinstance(x, type):
        return x
    if str(dtype).startswith("key<"):
        return [str(dtype), list(x.shape), j.random.key_data(x)]
    return str(x) if dtype == j.dtypes.float0 else x


def evaluate(j: Any, text: str) -> Any:
    r = j.random
    k, g = r.key(7), r.key(7, impl="rbg")
    space = {"j": j, "jnp": j.numpy, "lax": j.lax, "np": np, "r": r, "tu": j.tree_util, "k": k, "g": g}
    space |= {
        "k3": r.split(k, 3),
        "k23": r.split(k, (2, 3)),
        "g3": r.split(g, 3),
        "m": j.numpy.array([True, False, True]),
    }
    space |= {"S": j.ShapeDtypeStruct, "F0": np.zeros((3,), j.dtypes.float0), "A": j.numpy.asarray}
    return plain(j, eval(text, space))


def texts(lines: str) -> list[str]:
    return [c.strip() for line in lines.strip().splitlines() for c in line.split(" | ")]


TREES = """
j.tree.leaves(k3) | j.tree.leaves({'a': k3, 'b': [k]}) | j.tree.structure((k3, k))
j.tree.map(lambda x: x.shape, {'a': k3, 'b': [k]}) | tu.all_leaves([k3, k]) | tu.treedef_is_leaf(j.tree.structure(k))
tu.tree_map_with_path(lambda p, x: (tu.keystr(p), x.shape), {'a': k3}) | j.tree.unflatten(j.tree.structure(k), [3])
tu.tree_transpose(tu.tree_structure([0, 0]), tu.tree_structure((0, 0)), [(k, k3), (k, k3)]) | j.tree.reduce(lambda n, x: n + x.size, (k3, k), 0)
"""

TRANSFORMATIONS = """
j.jit(lambda a: a)(k3) | j.jit(lambda a, b: jnp.where(a, b, k))(m, k3) | j.jit(lambda a: a.T)(k23) | j.jit(lambda d: d['a'][1])({'a': k3})
j.vmap(lambda a: a, in_axes=-1, out_axes=-1)(k23) | j.vmap(lambda a: a, in_axes=-1)(k23) | j.vmap(lambda a: a, out_axes=1)(k23)
j.vmap(lambda a: a, in_axes=1, out_axes=-2)(k23) | j.vmap(lambda a: a, out_axes=-3)(k23) | j.vmap(lambda a: a, in_axes=2)(k23)
j.vmap(lambda a: a)(k) | j.vmap(lambda a, b: a)(k23, k3) | j.vmap(lambda a: k)(jnp.arange(3)) | j.vmap(lambda a: a == k)(k3)
j.vmap(lambda d: d['a'][0], in_axes=({'a': 1},))({'a': (k23, k23)}) | j.vmap(lambda a: k, out_axes=None)(k3)
j.vmap(lambda d: d['a'][0], in_axes=({'a': (-1, None)},))({'a': (k23, k3)}) | j.vmap(lambda a: a, out_axes=None)(k3)
j.vmap(lambda i, a: a[i], in_axes=(0, None))(A([0, 2]), k3) | j.vmap(lambda a: jnp.stack([a, k]))(k3)
j.vmap(lambda a: lax.cond(a, lambda: k, lambda: k3[0]))(m) | j.vmap(lambda a: lax.dynamic_slice_in_dim(a, 1, 1))(k23)
j.grad(lambda a: r.uniform(a))(k) | j.grad(lambda a: r.uniform(a), allow_int=True)(k) | j.grad(lambda x: k)(1.0)
j.grad(lambda x, a: x * r.uniform(a))(1.0, k) | j.vjp(lambda a: a, k3)[0] | j.jacfwd(lambda x, a: x * r.uniform(a))(1.0, k)
j.vjp(lambda a, x: (a, x * 1), k3, 2.0)[1]((F0, 1.0)) | j.jvp(lambda a, x: (a, x * 1), (k3, 2.0), (F0, 1.0))
j.jvp(lambda a, x: (a, x), (k3, 2.0), (k3, 1.0)) | j.jvp(lambda a: a, (k3,), (np.zeros((3,), 'uint32'),))
j.linearize(lambda a, x: (a, x * 1), k3, 2.0)[1](F0, 1.0) | j.hessian(lambda x, a: x * x * r.uniform(a))(1.0, k)
j.vjp(lambda a, x: (a, x), k3, 2.0)[1](F0) | j.checkpoint(lambda a: a)(k3) | j.jacfwd(lambda a: r.uniform(a))(k)
j.grad(j.checkpoint(lambda x, a: jnp.sin(x) * r.uniform(a)))(1.0, k) | j.jacrev(lambda a: r.uniform(a))(k)
j.value_and_grad(lambda x, a: (x * 2, a), has_aux=True)(1.0, k) | lax.stop_gradient(k3) | lax.optimization_barrier(k3)
lax.scan(lambda c, x: (x, c), k, k3) | lax.scan(lambda c, x: (x, c), k, k3, reverse=True) | lax.map(r.uniform, k3)
lax.scan(lambda c, x: (r.key_data(x), c), k, k3) | lax.scan(lambda c, x: (g, x), k, k3) | lax.map(lambda x: x, k23, batch_size=2)
lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, r.split(c[1])[0]), (0, k)) | lax.while_loop(lambda c: c, lambda c: c, k)
lax.while_loop(lambda c: c == k, lambda c: r.split(c)[0], k) | lax.fori_loop(0, 3, lambda i, c: r.fold_in(c, i), k)
lax.cond(True, lambda x: x, lambda x: r.split(x)[0], k) | lax.cond(True, lambda x: x, lambda x: r.key_data(x), k)
lax.cond(True, lambda: k, lambda: g) | lax.switch(1, [lambda x: x, lambda x: x[::-1]], k3)
j.eval_shape(lambda a: a, k3) | j.eval_shape(lambda a: (a, r.key_data(a)), S((3,), k.dtype)) | S((3,), k.dtype) | S.like(k3)
S((3,), k.dtype) == S((3,), k.dtype) | S((3,), k.dtype) == S((3,), g.dtype) | j.jit(lambda a: a).lower(k3).in_tree
j.jit(lambda a: a).lower(k3).out_tree | j.jit(lambda a: a).lower(S((3,), k.dtype)).compile()(k3)
j.jit(lambda a: a).lower(k3).compile()(r.key_data(k3)) | j.jit(lambda a: a).lower(S((3,), k.dtype)).out_info
j.make_jaxpr(lambda a: a)(k3) | j.make_jaxpr(lambda a: r.key_data(a))(k3) | str(j.make_jaxpr(lambda a: a)(k3).in_avals)
j.make_jaxpr(lambda a: r.wrap_key_data(r.key_data(a) + 1))(k) | j.make_jaxpr(lambda a, x: (a, x + 1, a))(k, 1.0)
j.device_put(k3) | j.device_get(k3) | j.block_until_ready(k3)
j.pure_callback(lambda a: r.key_data(a), S((3, 2), 'uint32'), k3)
"""

MOVED = """
jnp.where(m, k3, k3[::-1]) | jnp.where(m, k3, k) | jnp.where(m, k, k3) | jnp.where(m, k3, 0) | jnp.where(m, k3, g3)
jnp.stack([k3, k3], axis=-1) | jnp.hstack([k3, k3]) | jnp.vstack([k3, k3]) | jnp.dstack([k3, k3]) | jnp.column_stack([k3, k3])
jnp.concatenate([k23, k23], axis=-1) | jnp.concatenate([k23, k23], axis=None) | jnp.append(k3, k) | jnp.block([k3, k3])
jnp.reshape(k23, (3, 2)) | jnp.reshape(k23, -1) | k23.reshape(3, -1) | k23.ravel() | jnp.ravel(k23) | k23.flatten()
jnp.moveaxis(k23, -1, 0) | jnp.swapaxes(k23, 0, -1) | jnp.rollaxis(k23, 1) | jnp.transpose(k23, (1, 0)) | k23.T
jnp.matrix_transpose(k23) | k23.transpose(1, 0) | k23.transpose(-1, 0) | k23.swapaxes(0, 1) | jnp.squeeze(k23[None])
k23[None].squeeze(0) | jnp.expand_dims(k23, (0, -1)) | jnp.atleast_1d(k) | jnp.atleast_2d(k) | jnp.atleast_3d(k3)
jnp.broadcast_to(k3, (2, 3)) | jnp.broadcast_arrays(k, k3) | jnp.take(k3, A([0, 2])) | jnp.take(k23, A([0, 5]))
jnp.take(k23, A([-1, 0]), axis=-1, mode='clip') | k3.take(A([0, 2])) | jnp.take_along_axis(k23, A([[0], [1]]), axis=1)
jnp.put(k3, 0, k, inplace=False) | jnp.compress(np.array([True, False, True]), k3) | jnp.roll(k23, 1, axis=1)
jnp.extract(np.array([True, False, True]), k3) | jnp.flip(k23, 1) | jnp.rot90(k23) | jnp.tile(k3, (2, 1)) | jnp.repeat(k23, 2, axis=1)
jnp.split(k3, 3) | jnp.array_split(k3, 2) | jnp.hsplit(k23, 3) | jnp.vsplit(k23, 2) | jnp.unstack(k23, axis=1)
jnp.resize(k3, (2, 2)) | jnp.diagonal(k23) | jnp.tril(k23) | jnp.meshgrid(k3, k3) | r.choice(k, k3, (2,))
jnp.array(k3) | jnp.array([k, k]) | jnp.asarray([[k], [k]]) | jnp.array(k3, dtype=k3.dtype) | jnp.array(k3, ndmin=2)
jnp.array(k3, dtype='int32') | jnp.copy(k3) | k3.copy() | jnp.array([k, 1]) | jnp.shape(k23) | jnp.ndim(k23) | jnp.size(k23, 1)
jnp.isscalar(k) | jnp.iscomplexobj(k3) | jnp.astype(k3, 'int32') | jnp.result_type(k3) == k.dtype
k3[0] | k3[-1] | k3[::-1] | k3[A([0, 2])] | k3[np.array([True, False, True])] | k23[..., 0] | k23[1, 2] | k23[:, A([0, 1])]
k23[A([0, 1]), A([0, 1])] | k3[5] | k[0] | k23[0, 1, 2] | k3[1.5] | k23[None, :, None] | k[None] | k[...]
k3.at[0].set(k) | k3.at[1:].set(k) | k23.at[0].set(k3) | k3.at[0].get() | k3.at[9].get(mode='fill') | k3.at[9].get(mode='clip')
k3.at[0].add(k) | k3.at[0].set(1) | k3.at[0].set(g) | k3.at[0].apply(lambda x: x) | k3.at[A([0, 1])].set(k3[:2])
lax.broadcast(k3, (2,)) | lax.broadcast_in_dim(k3, (2, 3), (1,)) | lax.broadcast_to_rank(k3, 2) | lax.reshape(k23, (3, 2))
lax.transpose(k23, (1, 0)) | lax.expand_dims(k23, (0,)) | lax.squeeze(k23[None], (0,)) | lax.collapse(k23, 0) | lax.rev(k23, (0,))
lax.tile(k3, (2,)) | lax.concatenate([k3, k3], 0) | lax.split(k3, (1, 2)) | lax.slice(k23, (0, 0), (2, 3), (1, 2))
lax.slice_in_dim(k3, 1, 3) | lax.index_in_dim(k3, 1, keepdims=False) | lax.dynamic_slice(k23, (0, 1), (2, 2))
lax.dynamic_slice_in_dim(k3, np.int16(1), 2) | lax.dynamic_index_in_dim(k3, -1, keepdims=False) | lax.select(True, k3, k3)
lax.dynamic_update_slice(k3, k3[:1], (2,)) | lax.dynamic_update_slice_in_dim(k3, k3[:1], 1, 0) | lax.select(m, k3, k3)
lax.dynamic_update_index_in_dim(k3, k, 1, 0) | lax.select_n(A([0, 1, 0]), k3, k3) | lax.pad(k3, 0, [(1, 1, 0)])
lax.gather(k3, A([[0], [2]]), lax.GatherDimensionNumbers((), (0,), (0,)), (1,))
"""

MADE = """
jnp.zeros(3, dtype=k.dtype) | jnp.ones(3, dtype=g.dtype) | jnp.full(3, 7, dtype=k.dtype) | jnp.full(3, k) | jnp.full((2, 3), k3)
jnp.full(3, k, dtype=k.dtype) | jnp.full(3, k, dtype='int32') | jnp.full(3, k, dtype=g.dtype) | jnp.empty(3, k.dtype).shape
jnp.zeros_like(k3) | jnp.ones_like(k3) | jnp.full_like(k3, 7) | jnp.full_like(k3, k) | jnp.full_like(jnp.ones(3), k)
lax.full((3,), k) | lax.full((3,), 1, k.dtype) | lax.full_like(k3, 1) | lax.full_like(k3, k) | jnp.arange(3, dtype=k.dtype)
jnp.equal(k3, k) | jnp.not_equal(k3, k) | k3 == k | k != k3 | k3 == k3[None].T | jnp.array_equal(k3, k3) | lax.eq(k3, k3)
jnp.isclose(k3, k) | jnp.isclose(k3, k23, equal_nan=True) | jnp.isclose(k3, 1.0) | jnp.allclose(k3, k3) | jnp.isfinite(k3)
jnp.isinf(k3) | jnp.isnan(k3) | jnp.isposinf(k3) | jnp.isneginf(k) | j.jit(jnp.isnan)(k3) | j.jit(jnp.isclose)(k3, k)
lax.ne(k3, k3) | k == g | k == 1 | k3 < k | jnp.add(k, 1) | k + 1 | 1 + k | k + k | k * 2 | k - k | -k | +k | ~k | k ** 2
k & k | abs(k) | jnp.negative(k) | jnp.sin(k) | jnp.sum(k3) | jnp.sort(k3) | jnp.clip(k3, 0, 1) | jnp.mean(k3) | lax.lt(k3, k3)
lax.add(k3, k3) | lax.convert_element_type(k, int) | lax.convert_element_type(np.int32(0), k.dtype) | k.dtype == g.dtype
lax.convert_element_type(k, k.dtype) | lax.convert_element_type(k, g.dtype) | lax.cumsum(k3) | lax.iota(k.dtype, 3)
list(k3) | len(k3) | len(k) | iter(k) | bool(k) | int(k) | float(k) | hash(k) | np.asarray(k) | k3.shape | k3.dtype.name
k3.size | k3.itemsize | k3.nbytes | k3.is_deleted() | isinstance(k3, j.Array) | k3.committed | str(k3.dtype) | k3.dtype.itemsize
k3.device == j.devices()[0] | k3.devices() == {j.devices()[0]} | jnp.issubdtype(k3.dtype, j.dtypes.prng_key) | repr(k3)
jnp.issubdtype(k3.dtype, np.uint32) | k3.copy_to_host_async() | k3.block_until_ready()
"""


@pytest.mark.parametrize("text", texts(TREES) + texts(TRANSFORMATIONS) + texts(MOVED) + texts(MADE))
def test_keys(text: str) -> None:
    check(lambda j: evaluate(j, text), rtol=2e-6)


def test_compiled() -> None:
    """Compiled as at once; what depends on values, or raises, is not drawn."""
    drawn = [t for t in texts(MOVED)[::11] if "True, False" not in t]

    def program() -> list:
        return [x for t in drawn for x in tree_util.tree_leaves(_moved(t)) if hasattr(x, "shape")]

    for x, y in zip(sable.jit(program)(), program(), strict=True):
        np.testing.assert_array_equal(x, y)


def _moved(text: str) -> Any:
    try:
        return evaluate(sable, text)
    except (TypeError, ValueError, IndexError):
        return ()


# ---- rules of custom derivatives, callbacks ------------------------------------------------------------------


def test_tangents_and_cotangents_of_keys_are_float0() -> None:
    def program(j):
        seen = []

        @j.custom_jvp
        def f(x, key):
            return x * j.random.uniform(key[0])

        @f.defjvp
        def f_jvp(primals, tangents):
            seen.append([str(t.dtype) + str(t.shape) for t in (tangents[0], *tangents[1])])
            return f(*primals), tangents[0] * 2

        @j.custom_vjp
        def g(_, state):
            return state

        def backward(_, ct):
            seen.append([str(ct[1].dtype), ct[1].shape])
            return ct[0], ct

        g.defvjp(lambda _, state: (state, None), backward)
        keys = j.random.split(j.random.key(3), 2)
        first = j.grad(f)(1.0, (keys[0], keys))
        return first, j.grad(lambda x: g(x, (8.0, keys))[0])(3.0), seen

    check(program, weak=False)


@pytest.mark.parametrize("wrong", ["lambda x, k: (x, k)", "lambda x, k: (x, j.random.key_data(k))"])
def test_rules_that_return_something_else(wrong: str) -> None:
    def program(j):
        f = j.custom_jvp(lambda x, k: (x, (k,)))
        f.defjvp(lambda ps, ts: (eval(wrong, {"j": j})(*ps), (ts[0], (ts[1],))))
        return j.grad(lambda x: f(x, j.random.key(0))[0])(1.0)

    check(program)


def test_residuals_may_be_keys() -> None:
    def program(j):
        @j.custom_vjp
        def f(x, key):
            return x * j.random.uniform(key)

        f.defvjp(lambda x, key: (f(x, key), key), lambda key, ct: (ct * j.random.uniform(key), None))
        keys = j.random.split(j.random.key(3), 3)
        return j.jit(j.grad(f))(2.0, keys[0]), j.vmap(j.grad(f), (None, 0))(2.0, keys)

    check(program, weak=False)


def test_callbacks_get_and_give_keys() -> None:
    key = sable.random.key(1)
    got = []
    sable.debug.callback(lambda k: got.append(k.dtype), key)
    assert got == [key.dtype]
    struct = sable.ShapeDtypeStruct((2,), key.dtype)
    made = sable.jit(lambda k: sable.pure_callback(lambda k: sable.random.split(k), struct, k))(key)
    assert bool((made == sable.random.split(key)).all())


# ---- copies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda k: pickle.loads(pickle.dumps(k)), lambda k: k.copy()]
)
def test_copies(again) -> None:
    keys = sable.random.split(sable.random.key(5, impl="rbg"), 2)
    made = again(keys)
    assert made.dtype == keys.dtype
    assert bool((made == keys).all())


def test_deleted_keys() -> None:
    keys = sable.random.split(sable.random.key(5), 2)
    keys.delete()
    assert keys.is_deleted()
    with pytest.raises(RuntimeError, match="deleted"):
        keys.block_until_ready()


def test_calls_with_keys_are_prepared() -> None:
    """The native call path takes and gives keys."""
    jitted = sable.jit(lambda d: {"k": sable.random.fold_in(d["k"], 1), "x": d["x"] + 1})
    given = {"k": sable.random.key(0), "x": sable.numpy.arange(3.0)}
    first, second = jitted(given), jitted(given)
    assert jitted._cache_size() == 1
    assert tree_util.tree_structure(first) == tree_util.tree_structure(second)
    assert bool(first["k"] == second["k"])
    raw = {**given, "k": sable.random.key_data(given["k"])}
    assert jitted(raw)["k"].dtype == np.uint32
    assert jitted._cache_size() == 2


def test_a_call_with_other_keys_is_another_signature() -> None:
    jitted = sable.jit(lambda k: k)
    names = [jitted(sable.random.key(0, impl=impl)).dtype.name for impl in ("threefry2x32", "rbg", "unsafe_rbg")]
    assert names == ["key<fry>", "key<rbg>", "key<urbg>"]


# ---- the structures of transformations -----------------------------------------------------------------------


def test_what_users_see_of_a_structure() -> None:
    key = sable.random.key(0)
    tree = {"a": [key, 1], "b": (None, sable.random.split(key))}
    words, inner = arrays.flatten(tree)
    assert [np.shape(x) for x in words] == [(2,), (), (2, 2)]
    assert arrays.seen(inner) == tree_util.tree_structure(tree)
    assert [kind is not None for kind in arrays.wrappers(inner)] == [True, False, True]
    assert list(map(tree_util.keystr, arrays.paths(inner))) == ["['a'][0]", "['a'][1]", "['b'][1]"]
    assert inner.unflatten(["x", "y", "z"]) == {"a": ["x", "y"], "b": (None, "z")}
