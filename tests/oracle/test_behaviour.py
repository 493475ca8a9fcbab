"""What programs do at the edges of their types and arguments, beside JAX: values with their types, or the error's class."""

import functools
import operator
import warnings
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest

import sable

VECTOR = np.arange(6, dtype=np.float32)
MATRIX = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def _callback(j: Any, method: str) -> Any:
    def f(x: Any, y: Any) -> Any:
        kind = j.ShapeDtypeStruct((), np.float32)
        return j.pure_callback(lambda a, b: np.asarray(a) + np.asarray(b), kind, x, y, vmap_method=method)

    return [
        j.vmap(lambda a: j.vmap(lambda b: f(a, b))(10 * VECTOR[:3]))(VECTOR[:2]),
        j.vmap(lambda b: j.vmap(lambda a: f(a, b))(VECTOR[:2]))(10 * VECTOR[:3]),
        j.jit(j.vmap(lambda a: j.vmap(lambda b: j.vmap(lambda c: f(a, c))(VECTOR[:2]))(VECTOR[:3])))(VECTOR[:4]),
    ]


def _axes(j: Any) -> Any:
    lax = j.lax

    def f(x: Any) -> Any:
        here = lambda: lax.axis_index("i")  # noqa: E731
        return (
            lax.while_loop(lambda c: c < 5, lambda c: c + 1 + here(), 0),
            lax.while_loop(lambda c: c < here(), lambda c: c + 1, 0),
            lax.while_loop(lambda c: c[0] < 2, lambda c: (c[0] + 1, here()), (0, 0))[1],
            lax.cond(True, here, lambda: 0),
            j.jit(here)(),
            lax.scan(lambda c, _: (c + here(), c), 0, None, length=2)[0],
        )

    return j.vmap(f, axis_name="i")(VECTOR[:3]), j.jit(j.vmap(f, axis_name="i"))(VECTOR[:3])


def _custom_arguments(j: Any) -> Any:
    f = j.custom_vjp(lambda x: x[0])
    f.defvjp(lambda x: (x[0], None), lambda _, ct: ((ct, (None, None)),))
    g = functools.partial(lambda x, y, a: x + y * a, a=0.1)
    h = j.custom_jvp(g)
    h.defjvp(lambda primals, tangents: j.jvp(g, primals, tangents))
    return j.grad(f)((1.0, (2.0, None))), j.grad(lambda args: h(*args))((1.0, 2.0))


class _Wrapped(NamedTuple):
    array: Any

    def __mul__(self, other: Any) -> Any:
        return _Wrapped(self.array * other)

    def __rmul__(self, other: Any) -> Any:
        return _Wrapped(other * self.array)


def _operators_of_named_tuples(j: Any) -> Any:
    a, b = _Wrapped(j.numpy.ones(4)), 2 * j.numpy.ones(4)
    return a * b, b * a, j.jit(operator.mul)(a, b), j.jit(operator.mul)(b, a)


def _mutable_carry(j: Any) -> Any:
    def body(carry: Any) -> Any:
        x, y = carry
        x += 1  # in place if x is NumPy's
        return x, y + x

    with j.disable_jit():
        start = np.array(1.0, np.float32)
        loop = j.lax.while_loop(lambda c: c[0] < 10, body, (start, start))
        return loop, j.vmap(lambda x: j.lax.while_loop(lambda x: x < 4, lambda x: x + 1, x))(VECTOR)


def _views(j: Any) -> Any:
    def f(z: Any, x: Any) -> Any:
        kinds = (np.float32, np.int32, np.uint8)
        return [*[z.view(k) for k in kinds], x.view(np.complex64), x.astype(np.float16).view(np.complex64)]

    z = j.numpy.array([1 + 2j, 3 - 4j])
    x = j.numpy.asarray(VECTOR[:4])
    return f(z, x), j.jit(f)(z, x)


def _weights(j: Any) -> Any:
    jnp, x, w = j.numpy, np.float32([3, 1, 2, 5]), np.float32([1, 2, 1, 3])
    how = {"weights": w, "method": "inverted_cdf"}
    return [
        *[jnp.quantile(x, q, **how) for q in (0.0, 0.3, 0.5, 1.0)],
        jnp.quantile(np.stack([x, 2 * x]), np.float32([0.2, 0.7]), axis=1, **how),
        jnp.percentile(x, 50.0, keepdims=True, **how),
        j.jit(lambda x: jnp.nanquantile(x, 0.5, **how))(np.float32([3, np.nan, 2, 5])),
    ]


def _averages(j: Any) -> Any:
    def f(x: Any, w: Any) -> Any:
        return j.numpy.average(x, axis=(2, 0), weights=w, returned=True)

    w = MATRIX[0, :2].T + 1
    return f(MATRIX, w), j.jit(f)(MATRIX, w)


def _repeats(j: Any) -> Any:
    def f(r: Any) -> Any:
        return [
            *[j.numpy.repeat(VECTOR[:3], r, total_repeat_length=n) for n in (0, 4, 6, 8)],
            j.numpy.repeat(MATRIX[0], r, axis=0, total_repeat_length=5),
        ]

    return j.jit(f)(np.int32([1, 0, 3]))


def _empty_masks(j: Any) -> Any:
    jnp = j.numpy
    none, z = np.zeros((0,), bool), jnp.zeros((0, 3))
    x = jnp.asarray(MATRIX[0])
    return [
        x[np.zeros((3, 4), bool)], x[np.zeros(3, bool)], z[np.zeros((0, 3), bool)], z[none], x[:, np.zeros(4, bool)],
        z.at[np.zeros((0, 3), bool)].set(1.0), x.at[np.zeros(3, bool)].set(5.0), jnp.argwhere(z > 0),
    ]  # fmt: skip


def _deleted(j: Any) -> Any:
    for x in (j.numpy.array(1.0), j.numpy.asarray(1.0), j.device_put(1.0), j.numpy.asarray(True)):
        x.delete()
    return j.numpy.array(1.0) + 1.0, j.numpy.asarray(True), j.jit(lambda x: x + 1.0)(1.0)


def _half(j: Any) -> Any:
    x = (np.arange(70000) % 100).astype(np.float16)
    return [j.jit(lambda x: (j.numpy.median(x), j.numpy.quantile(x, 0.7), j.numpy.nanquantile(x, 0.3)))(x)]


def _by_zero(j: Any) -> Any:
    def f(a: Any, z: Any) -> Any:
        return j.numpy.fmod(a, z), j.numpy.fmod(a, z + 3), j.numpy.fmod(a.astype(np.float32), 2.0)

    a, z = j.numpy.array([5, -5, 0]), j.numpy.zeros(3, np.int32)
    return f(a, z), j.jit(f)(a, z)


def _integers(j: Any) -> Any:
    x = j.numpy.zeros(3, np.uint32)
    set_ = lambda x: (x.at[0].set(2**32 - 1), x.at[:].max(2**31), x.at[0].add(2**31))  # noqa: E731
    return set_(x), j.jit(set_)(x)


def _donation(j: Any) -> Any:
    jnp, ones = j.numpy, j.numpy.ones
    found = []
    for options, args, kwargs in (
        ({"donate_argnums": 0}, (ones(3), ones(3)), {}),
        ({"donate_argnames": "y"}, (ones(3),), {"y": ones(3)}),
        ({"donate_argnames": "y"}, (ones(3), ones(3)), {}),
        ({"donate_argnums": 1, "static_argnums": 0}, (2.0, ones(3)), {}),
        ({"donate_argnums": 0}, (np.ones(3, np.float32), ones(3)), {}),
        ({"donate_argnums": 0}, ({"a": ones(3), "b": ones(3)}["a"], ones(3)), {}),
    ):
        add = j.jit(lambda x, y: x + y, **options)
        for _ in range(2):
            given = j.tree.map(jnp.array, (args, kwargs)) if "static_argnums" not in options else ((2.0, ones(3)), {})
            found.append(add(*given[0], **given[1]))
            found += [x.is_deleted() for x in j.tree.leaves(given) if isinstance(x, j.Array)]
    total = j.jit(lambda x, unused: (x.sum(), x.astype(np.int32)), donate_argnums=(0, 1))
    x, unused = ones(3), ones(5)
    inside = j.jit(lambda x: j.jit(lambda y: y + 1, donate_argnums=0)(x) + x)(unused)
    y = ones(3)
    ahead = j.jit(lambda x: x + 1, donate_argnums=0).lower(y).compile()(y)
    return [found, total(x, unused), x.is_deleted(), unused.is_deleted(), inside, ahead, y.is_deleted()]


def _as_it_was(j: Any) -> Any:
    aux = lambda x: (2 * x, (3, 2.5, "a", np.float64(1), None))  # noqa: E731
    found = [
        j.grad(aux, has_aux=True)(1.0)[1], j.jvp(aux, (1.0,), (1.0,), has_aux=True)[2], j.vjp(aux, 1.0, has_aux=True)[2],
        j.vmap(lambda x: (x, 3), out_axes=(0, None))(VECTOR)[1],
    ]  # fmt: skip
    names = [t(aux).__name__ for t in (j.grad, j.value_and_grad, j.vmap, j.jit, j.make_jaxpr)]
    return [str((type(x).__name__, x)) == str((type(y).__name__, y)) for x, y in zip(
        j.tree.leaves(found), j.tree.leaves([(3, 2.5, "a", np.float64(1))] * 3 + [3])
    )] + [name.replace("make_jaxpr(<lambda>)", "ok") in ("<lambda>", "ok") for name in names]  # fmt: skip


def _documented(x: Any) -> Any:
    """Does things."""
    return x


def _stays(j: Any, w: Any) -> Any:
    """Loops that hand on a part of their carry, or of what they go over, as it is."""
    (c, v), (ys, zs) = j.lax.scan(lambda c, x: ((c[0] * c[1] + x, c[1]), (x, c[0])), (1.0, w), VECTOR[:3])
    return c * v + j.numpy.sum(ys) + j.numpy.sum(zs)


def _grad_of(f: Any, j: Any, w: Any) -> Any:
    return j.jit(j.grad(lambda w: f(j, w)))(w)


def _donated_in_turn(j: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        return x + 1, y + 1

    infos = [j.jit(f, donate_argnums=i).lower(VECTOR, VECTOR).args_info[0] for i in (0, 1)]
    return [[i.donated for i in info] for info in infos]


def _keys(j: Any) -> Any:
    jnp, lax = j.numpy, j.lax
    mask = np.array([True, False, True, False])

    def moved(k: Any) -> Any:
        square = k.reshape(2, 2)
        return j.tree.map(j.random.key_data, [
            jnp.where(mask, k, k[::-1]), jnp.where(mask, k, k[0]), lax.select(mask, k, k[::-1]), lax.select_n(mask, k, k[::-1]),
            k.at[1].set(k[0]), k.at[np.array([0, 2])].set(k[1]), k.at[1:].set(k[:3]), k.at[0].get(),
            jnp.stack([k, k], axis=1), jnp.concatenate([k, k]), jnp.vstack([k, k]), jnp.append(k, k), lax.concatenate([k, k], 0),
            jnp.reshape(k, (2, 2)), jnp.broadcast_to(k, (2, 4)), jnp.expand_dims(k, 0), jnp.squeeze(k[None], 0), jnp.ravel(square),
            jnp.swapaxes(square, 0, 1), jnp.tile(k, 2), jnp.repeat(k, 2), jnp.roll(k, 1), jnp.flip(k), jnp.take(k, np.array([0, 1])),
            lax.slice(k, (1,), (3,)), lax.dynamic_slice(k, (1,), (2,)), lax.dynamic_update_slice(k, k[:1], (2,)),
            lax.rev(k, (0,)), lax.broadcast(k, (2,)), lax.transpose(square, (1, 0)),
        ], is_leaf=lambda x: not isinstance(x, list))  # fmt: skip

    k = j.random.split(j.random.key(0), 4)
    mapped = j.vmap(lambda m, a: jnp.where(m, a, k[0]))(mask, k)
    return [moved(k), moved(k), moved(k), moved(k), j.jit(moved)(k), j.random.key_data(mapped)]


VALUES = {
    "moving typed keys": _keys,
    "loops between values that derivatives are taken of": lambda j: j.grad(
        lambda x: j.lax.fori_loop(x, x + 2.0, lambda i, c: c * 2, x)
    )(1.0),
    "arguments of custom derivatives": _custom_arguments,
    "operators of named tuples": _operators_of_named_tuples,
    "mutable carries without jit": _mutable_carry,
    "an unmapped function": lambda j: j.vmap(lambda f, x: f(x), (None, 0))(lambda x: x + 1, VECTOR),
    "donation": _donation,
    "what is no array": _as_it_was,
    "nested callbacks, broadcast": lambda j: _callback(j, "broadcast_all"),
    "nested callbacks, expanded": lambda j: _callback(j, "expand_dims"),
    "nested callbacks, one by one": lambda j: _callback(j, "sequential_unrolled"),
    "axis_index in control flow": _axes,
    "views of complex numbers": _views,
    "weighted quantiles": _weights,
    "weighted averages along unordered axes": _averages,
    "traced repeats": _repeats,
    "empty masks": _empty_masks,
    "deleted scalars": _deleted,
    "quantiles of many half precision numbers": _half,
    "fmod by 0": _by_zero,
    "integers that only the array's dtype can hold": _integers,
    "running sums in booleans": lambda j: [f(np.int32([1, 0, 2]), dtype=bool) for f in (j.numpy.cumsum, j.numpy.cumprod)],
    "sums of booleans": lambda j: j.jit(lambda a: j.numpy.einsum("ij->i", a))(VECTOR.reshape(2, 3) > 3),
    "put outside": lambda j: [
        j.numpy.put(VECTOR, np.int32([-2, 7, 1]), 9.0, mode=m, inplace=False) for m in ("clip", "wrap", None)
    ],
    "geomspace of vectors": lambda j: [j.numpy.geomspace(VECTOR[1:3], VECTOR[1:3] * 8, 4, axis=a) for a in (0, 1)],
    "bounds of loops": lambda j: [
        j.lax.fori_loop(a, b, lambda i, c: c + i, 0.0) for a, b in ((0.0, 3.0), (False, True), (1, 4))
    ],
    "a traced float bound": lambda j: j.jit(lambda n: j.lax.fori_loop(0.0, n, lambda i, c: c + i, 0.0))(3.0),
    "map without batches": lambda j: [
        j.lax.map(lambda x: x + 1, VECTOR[:n], batch_size=b) for n, b in ((3, 0), (0, 2), (5, 2))
    ],
    "linear_transpose of scalars": lambda j: j.linear_transpose(lambda x, y: 2 * x + y, 1.0, np.float32(1))(3.0)[0],
    "linear_transpose of integers": lambda j: j.linear_transpose(lambda x: 2 * x, 1)(3),
    "linear_transpose through jit": lambda j: j.jit(lambda f, x: f(x))(
        j.jit(lambda x: j.linear_transpose(lambda x: 2.0 * x, x))(1.0), 3.0
    ),
    "distances of points": lambda j: [
        j.numpy.trapezoid(MATRIX, dx=MATRIX[:, :1, :1] if a == 1 else MATRIX[0, :, :3] if a in (2, -1) else MATRIX[0], axis=a)
        for a in (0, 1, -1, 2)
    ],
    "places among complex numbers": lambda j: [
        j.numpy.searchsorted(np.complex64([0, 1, 1 + 1j, 2, np.nan]), np.complex64([1 + 0.5j, 1 + 1j, 3, -1j]), side=s)
        for s in ("left", "right")
    ],
    "a traced shape's positions": lambda j: j.jit(j.numpy.unravel_index)(np.int32([5, -1, 100]), (3, 4)),
    "copies": lambda j: (lambda x: [t(j.numpy.array) is x for t in (
        lambda f: j.vmap(f)(x), lambda f: j.jvp(f, (x,), (x,))[0], lambda f: j.vjp(f, x)[1](x)[0]
    )])(j.numpy.ones(3)),
    "what branches hand on": lambda j: j.vmap(
        lambda x, y: j.lax.cond(x < 3, lambda x, y: (x * 2, y), lambda x, y: (x * 3, y), x, y),
        in_axes=(0, None), out_axes=(0, None),
    )(VECTOR, 3.0),
    "a carry that stays": lambda j: [t(_stays)(j, 2.0) for t in (lambda f: f, lambda f: functools.partial(_grad_of, f))],
    "donated in another way": _donated_in_turn,
    "inline": lambda j: [
        j.jit(lambda x, i=i: j.jit(lambda y: y * 2, inline=i)(x) + 1, static_argnums=1)(VECTOR, i) for i in (True, False)
    ],
    "a mapped function's text": lambda j: "\n\nOriginal documentation:\n\nDoes things." in j.vmap(_documented).__doc__,
    "no copy needed": lambda j: [j.numpy.asarray(x, copy=False) for x in ([1, 2], VECTOR, 1.5)],
    "carries that take the body's dtype": lambda j: j.lax.scan(lambda c, x: (c + x, c), 0, VECTOR)[0],
    "a carry that stays the same for all examples": lambda j: j.vmap(
        lambda x: j.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1]), (x, 7.0)), out_axes=(0, None)
    )(VECTOR[:3]),
    "isinstance": lambda j: [
        isinstance(x, j.Array) for x in (j.numpy.ones(2), j.random.key(0), np.ones(2), 1.0)
    ] + [j.jit(lambda x: isinstance(x, j.Array))(1.0), j.vmap(lambda x: isinstance(x, j.Array))(VECTOR)],
}  # fmt: skip


def _described(x: Any) -> Any:
    a = np.asarray(x)
    return a.shape, a.dtype if hasattr(x, "weak_type") else None


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        expected, found = (jax.tree.leaves(VALUES[name](j)) for j in (jax, sable))
    assert len(expected) == len(found)
    for e, f in zip(expected, found):
        if hasattr(e, "weak_type") and hasattr(f, "weak_type"):
            assert _described(f) == _described(e)
        expected_array = np.asarray(e)
        precision = 1e-3 if expected_array.dtype == np.float16 else 1e-6
        np.testing.assert_allclose(np.asarray(f), expected_array, rtol=precision)


def _donated(j: Any, then: Any) -> Any:
    f, x = j.jit(lambda x: x + 1, donate_argnums=0), j.numpy.ones(3)
    f(x)
    return then(f, x)


MASKED = np.ma.array([1.0, 2.0], mask=[0, 1])
REFUSED = {
    "a carry that loses its fraction": lambda j: j.lax.scan(lambda c, x: (c.astype(np.int32), c), 0.7, VECTOR),
    "the same in while_loop": lambda j: j.lax.while_loop(lambda c: c < 2, lambda c: (c + 1).astype(np.int32), 0.5),
    "the same in fori_loop": lambda j: j.lax.fori_loop(0, 2, lambda i, c: c.astype(np.int32), 0.7),
    "branches of other dtypes": lambda j: j.lax.cond(True, lambda: 1, lambda: 1.0),
    "branches of other dtypes in switch": lambda j: j.lax.switch(0, [lambda: 1, lambda: 2.0]),
    "sum of an initial array": lambda j: j.numpy.sum(VECTOR, initial=np.ones(6)),
    "a mask of integers": lambda j: j.numpy.sum(VECTOR, where=np.int32([1, 0, 1, 0, 1, 0])),
    "a mask of floats": lambda j: j.numpy.mean(VECTOR, where=VECTOR),
    "a mask of integers in any": lambda j: j.numpy.any(VECTOR, where=np.int32([1, 0, 1, 0, 1, 0])),
    "real variance of complex numbers": lambda j: j.numpy.var(VECTOR + 1j, dtype=np.float32),
    "real variance without NaN": lambda j: j.numpy.nanvar(j.numpy.asarray(VECTOR + 1j), dtype=np.float32),
    "masked arrays": lambda j: j.numpy.asarray(MASKED),
    "masked arrays in functions": lambda j: j.numpy.sin(MASKED),
    "masked arrays in jit": lambda j: j.jit(lambda x: x)(MASKED),
    "masked arrays in grad": lambda j: j.grad(lambda x: x.sum())(MASKED),
    "weights of another method": lambda j: j.numpy.quantile(VECTOR, 0.5, weights=VECTOR),
    "traced repeats of unknown sum": lambda j: j.jit(lambda r: j.numpy.repeat(VECTOR, r))(np.ones(6, np.int32)),
    "pickling": lambda j: j.jit(lambda x: x.__reduce__())(1.0),
    "an array after its donation": lambda j: _donated(j, lambda f, x: x + 1),
    "NumPy of an array after its donation": lambda j: _donated(j, lambda f, x: np.asarray(x)),
    "an array donated twice": lambda j: j.jit(lambda x, y: (x + y, x - y), donate_argnums=(0, 1))(
        *[j.numpy.ones(3)] * 2
    ),
    "an array donated and used": lambda j: j.jit(lambda x, y: x + y, donate_argnums=0)(*[j.numpy.ones(3)] * 2),
    "a static argument donated": lambda j: j.jit(lambda x, y: x, donate_argnums=0, static_argnums=0)(1, 2),
    "a donated argument that is none": lambda j: j.jit(lambda x, y: x, donate_argnums=5)(1, 2),
    "useless donation": lambda j: j.jit(lambda x: x.sum(), donate_argnums=0)(j.numpy.ones(3)),
    "keys and numbers": lambda j: j.numpy.where(True, j.random.split(j.random.key(0)), 1),
    "sums of keys": lambda j: j.random.split(j.random.key(0)).at[0].add(1),
    "make_jaxpr of no function": lambda j: j.make_jaxpr(3),
    "linear_transpose of no function": lambda j: j.linear_transpose(3, 1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(Exception) as expected:
            REFUSED[name](jax)
        with pytest.raises(Exception) as found:
            REFUSED[name](sable)
    assert type(found.value).__name__ == type(expected.value).__name__
