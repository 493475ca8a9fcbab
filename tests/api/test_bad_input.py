"""Bad input: JAX's error class, a message that names the argument and the user's line, never a dead process."""

from __future__ import annotations

import numpy as np
import pytest

import sable
from sable import errors

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")


def leak(j):
    kept = []

    def f(x):
        kept.append(x)
        return x

    j.grad(f)(1.0)
    return kept[0] + 1


def leak_from_jit(j):
    kept = []
    j.jit(lambda x: kept.append(x))(1.0)
    return kept[0] + 1


def branch(j, transform, x):
    def f(argument):
        return argument if argument > 0 else -argument

    return transform(f)(x)


#: name, program, words that Sable's message must have
CASES = [
    ("shapes", lambda j: j.numpy.ones(3) + j.numpy.ones(4), ["(3,)", "(4,)"]),
    ("matmul shapes", lambda j: j.numpy.ones((2, 3)) @ j.numpy.ones((2, 3)), ["3", "2"]),
    ("lax dtypes", lambda j: j.lax.add(np.float32([1]), np.int32([1])), ["float32", "int32"]),
    ("list argument", lambda j: j.numpy.sin([1.0, 2.0]), []),
    ("string argument", lambda j: j.numpy.sin("a"), []),
    ("None argument", lambda j: j.numpy.add(None, 1), []),
    ("setitem", lambda j: j.numpy.ones(3).__setitem__(0, 1), [".at"]),
    ("float index", lambda j: j.numpy.ones(3)[1.5], []),
    ("reshape", lambda j: j.numpy.ones(3).reshape(2, 2), ["3"]),
    ("axis", lambda j: j.numpy.sum(j.numpy.ones(3), axis=2), ["2"]),
    ("meshgrid of views", lambda j: j.numpy.meshgrid(j.numpy.ones(2), copy=False), ["copy"]),
    ("block of tuples", lambda j: j.numpy.block((1, 2)), ["tuples"]),
    ("sort order", lambda j: j.numpy.sort(j.numpy.ones(2), order="x"), ["order"]),
    ("quantile out", lambda j: j.numpy.quantile(j.numpy.ones(2), 0.5, out=1), ["out"]),
    ("median out", lambda j: j.numpy.median(j.numpy.ones(2), out=1), ["out"]),
    ("modf out", lambda j: j.numpy.modf(1.5, 1), ["out"]),
    ("isposinf out", lambda j: j.numpy.isposinf(1.5, 1), ["out"]),
    ("isneginf out", lambda j: j.numpy.isneginf(1.5, 1), ["out"]),
    ("compress out", lambda j: j.numpy.ones(2).compress(j.numpy.ones(2), out=1), ["out"]),
    ("matvec shapes", lambda j: j.numpy.matvec(j.numpy.ones((2, 2)), j.numpy.ones(3)), ["2", "(3,)"]),
    ("vecmat shapes", lambda j: j.numpy.vecmat(j.numpy.ones(3), j.numpy.ones((2, 2))), ["2", "(3,)"]),
    ("concatenate", lambda j: j.numpy.concatenate([j.numpy.ones((2, 3)), j.numpy.ones((2, 2))], 0), []),
    ("truth of many", lambda j: bool(j.numpy.ones(3)), []),
    ("float of many", lambda j: float(j.numpy.ones(3)), []),
    ("len of scalar", lambda j: len(j.numpy.float32(1)), []),
    ("iterate scalar", lambda j: list(j.numpy.float32(1)), []),
    ("hash", lambda j: hash(j.numpy.ones(3)), []),
    ("non-scalar grad", lambda j: j.grad(lambda x: x * 2)(np.ones(3, np.float32)), ["(3,)"]),
    ("grad of int", lambda j: j.grad(lambda weight: weight * 2)(3), ["int32", "weight"]),
    ("grad of int output", lambda j: j.grad(lambda x: x.astype("int32"))(3.0), ["int32"]),
    ("grad of pair", lambda j: j.grad(lambda x: (x, x))(3.0), []),
    ("grad argnums", lambda j: j.grad(lambda x: x, argnums=2)(3.0), ["2"]),
    ("grad of string", lambda j: j.grad(lambda x: 1.0)("a"), []),
    ("grad aux", lambda j: j.grad(lambda x: x, has_aux=True)(3.0), []),
    ("not callable", lambda j: j.grad(3), []),
    ("jit not callable", lambda j: j.jit(3), []),
    ("jit of string", lambda j: j.jit(lambda name: 1)("a"), ["name"]),
    ("jit of object", lambda j: j.jit(lambda thing: 1)(object()), ["thing"]),
    ("jit returns string", lambda j: j.jit(lambda x: "a")(1), []),
    ("unhashable static", lambda j: j.jit(lambda x, n: x, static_argnums=1)(1, [1]), ["list"]),
    ("static names", lambda j: j.jit(lambda x: x, static_argnames="y"), ["y"]),
    ("static nums", lambda j: j.jit(lambda x: x, static_argnums=3), ["3"]),
    ("bool in jit", lambda j: branch(j, j.jit, 1.0), ["argument", "f"]),
    ("bool in vmap", lambda j: branch(j, j.vmap, np.ones(3, np.float32)), ["argument"]),
    ("range in jit", lambda j: j.jit(lambda n: sum(range(n)))(3), ["n"]),
    ("int in jit", lambda j: j.jit(lambda n: int(n))(3), ["n"]),
    ("float in jit", lambda j: j.jit(lambda z: float(z))(3.0), ["z"]),
    ("numpy in grad", lambda j: j.grad(lambda x: np.cos(j.numpy.arccos(x)))(0.5), ["x"]),
    ("numpy in jit", lambda j: j.jit(lambda x: np.sin(x))(0.5), ["x"]),
    ("mask in jit", lambda j: j.jit(lambda x: x[x > 0])(np.ones(3, np.float32)), []),
    ("shape from value", lambda j: j.jit(lambda n: j.numpy.zeros(n))(3), []),
    ("vmap sizes", lambda j: j.vmap(lambda a, b: a)(np.ones(3), np.ones(4)), ["3", "4"]),
    ("vmap rank", lambda j: j.vmap(lambda a: a)(1.0), []),
    ("vmap axis", lambda j: j.vmap(lambda a: a, in_axes=1)(np.ones(3)), ["1"]),
    ("vmap in_axes length", lambda j: j.vmap(lambda a: a, in_axes=(0, 0))(np.ones(3)), []),
    ("vmap in_axes type", lambda j: j.vmap(lambda a: a, in_axes="0")(np.ones(3)), []),
    ("vmap no axis", lambda j: j.vmap(lambda a: a, in_axes=None)(np.ones(3)), []),
    ("vmap out_axes None", lambda j: j.vmap(lambda a: a, out_axes=None)(np.ones(3)), []),
    ("jvp trees", lambda j: j.jvp(lambda x: x, ([1.0],), (1.0,)), []),
    ("jvp dtypes", lambda j: j.jvp(lambda x: x, (1.0,), (1,)), ["int32"]),
    ("jvp shapes", lambda j: j.jvp(lambda x: x, (np.ones(3, "f"),), (np.ones(4, "f"),)), []),
    ("vjp tree", lambda j: j.vjp(lambda x: (x, x), 1.0)[1](1.0), []),
    ("vjp shape", lambda j: j.vjp(lambda x: x, np.ones(3, "f"))[1](np.ones(4, "f")), []),
    ("leaked tracer", leak, []),
    ("leaked from jit", leak_from_jit, []),
    ("scan carry", lambda j: j.lax.scan(lambda c, x: (j.numpy.ones(2), x), 0.0, np.ones(3)), []),
    ("scan pair", lambda j: j.lax.scan(lambda c, x: c, 0.0, np.ones(3)), []),
    ("scan lengths", lambda j: j.lax.scan(lambda c, x: (c, x), 0.0, (np.ones(3), np.ones(4))), ["3", "4"]),
    ("scan no length", lambda j: j.lax.scan(lambda c, x: (c, x), 0.0, None), ["length"]),
    ("while condition", lambda j: j.lax.while_loop(lambda x: x, lambda x: x, 1.0), []),
    (
        "while carry",
        lambda j: j.lax.while_loop(lambda x: x[0] < 3, lambda x: (x[0], x[0]), (1.0, np.ones(2))),
        [],
    ),
    (
        "while reverse",
        lambda j: j.grad(lambda x: j.lax.while_loop(lambda v: v < 3, lambda v: v * 2, x))(1.0),
        ["while_loop"],
    ),
    ("cond branches", lambda j: j.lax.cond(True, lambda: 1.0, lambda: np.ones(2)), []),
    ("cond structures", lambda j: j.lax.cond(True, lambda: 1.0, lambda: (1.0, 2.0)), []),
    ("cond predicate", lambda j: j.lax.cond(np.ones(2), lambda: 1.0, lambda: 2.0), []),
    ("switch index", lambda j: j.lax.switch(1.0, [lambda: 1, lambda: 2]), []),
    ("unbound axis", lambda j: j.lax.psum(1.0, "nowhere"), ["nowhere"]),
    ("custom_vjp forward mode", lambda j: forward_of_custom_vjp(j), []),
    ("callback derivative", lambda j: j.grad(lambda x: j.pure_callback(np.sin, x, x))(1.0), []),
    ("key shape", lambda j: j.random.uniform(np.zeros(3, np.uint32)), []),
    ("unknown config", lambda j: j.config.update("jax_no_such_option", 1), ["jax_no_such_option"]),
    ("unknown platform", lambda j: j.devices("nonsense"), ["nonsense"]),
    ("complex output", lambda j: j.grad(lambda x: x * 1j)(1.0), ["complex64"]),
    ("unsupported dtype", lambda j: j.numpy.asarray(np.array(["a"])), []),
]


def forward_of_custom_vjp(j):
    @j.custom_vjp
    def f(x):
        return x

    f.defvjp(lambda x: (x, None), lambda r, c: (c,))
    return j.jvp(f, (1.0,), (1.0,))


@pytest.mark.parametrize(("program", "words"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_error_class_and_message(program, words) -> None:
    with pytest.raises(Exception) as theirs:
        program(jax)
    with pytest.raises(Exception) as ours:
        program(sable)
    wanted, got = type(theirs.value).__name__, type(ours.value)
    assert wanted in {c.__name__ for c in got.__mro__}, f"JAX raises {wanted}: {theirs.value}"
    message = str(ours.value)
    assert message
    for word in words:
        assert word in message


def test_messages_have_the_users_line() -> None:
    def f(argument):
        if argument > 0:  # the line in the message
            return argument
        return -argument

    line = f.__code__.co_firstlineno + 1
    with pytest.raises(errors.TracerBoolConversionError, match=rf"test_bad_input\.py:{line}\b"):
        sable.jit(f)(1.0)


def test_after_errors_everything_works() -> None:
    for _ in range(3):
        with pytest.raises(TypeError):
            sable.grad(lambda x: x * 2)(np.ones(3, np.float32))
        with pytest.raises(errors.TracerBoolConversionError):
            sable.vmap(lambda x: x if x else -x)(np.ones(3, np.float32))
    assert sable.grad(lambda x: x * x)(3.0) == 6.0
    assert (sable.numpy.ones(2) + 1).tolist() == [2.0, 2.0]
