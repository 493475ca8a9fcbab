"""Mutable references: the same programs give the same values and the same errors as with JAX."""

import jax
import numpy as np
import pytest

import sable
from sable import lax
from sable import numpy as jnp
from sable.errors import UnexpectedTracerError


def eager(jax, jnp, lax):
    r = jax.new_ref(jnp.zeros(4))
    r[1] = 2.0
    r[2:] += 1
    r[jnp.array([0, 3])] = jnp.array([5.0, 6.0])
    jax.ref.addupdate(r, 0, 1.0)
    before = jax.ref.swap(r, slice(0, 2), jnp.ones(2))
    jax.ref.set(r, 3, 9.0)
    whole = r[...]
    r[...] = whole * 2
    return before, whole, r[1:3], jax.ref.get(r), jax.ref.get(r, 0), jax.freeze(r), repr(r), r.shape, r.ndim, r.size


def made_in_jit(jax, jnp, lax):
    @jax.jit
    def f(x):
        r = jax.new_ref(x)
        r[0] = 5.0
        r[...] *= 2
        return r[...]

    return f(jnp.ones(3)), f(jnp.zeros(3)), jax.vmap(f)(jnp.ones((2, 3)))


def argument_of_jit(jax, jnp, lax):
    r = {"state": jax.new_ref(jnp.zeros(3)), "rate": jnp.ones(2)}
    traces = []

    @jax.jit
    def f(d, x):
        traces.append(1)
        d["state"][1] += d["rate"][0] * x
        return d["state"][...].sum()

    found = [float(f(r, np.float32(x))) for x in (1, 2, 3, 4)]
    other = {**r, "state": jax.new_ref(jnp.ones(3))}
    return found, float(f(other, np.float32(1))), r["state"][...], other["state"][...], len(traces)


def closed_over_by_nested_jits(jax, jnp, lax):
    r = jax.new_ref(jnp.zeros(3))
    traces = []

    @jax.jit
    def g(x):
        r[1] += x
        return x * 2

    @jax.jit
    def f(x):
        traces.append(1)
        y = g(x)
        r[0] += y
        return g(y) + r[1]

    first = f(1.0), r[...], f(2.0), r[...]
    r[...] = jnp.full(3, 10.0)
    return first, f(1.0), g(1.0), r[...], len(traces)


def handed_on_to_jit(jax, jnp, lax):
    @jax.jit
    def g(r, x):
        r[1] += x
        return x * 2

    @jax.jit
    def f(x):
        r = jax.new_ref(jnp.zeros(3))
        g(r, x)
        return g(r, g(r, x)), r[...]

    return f(1.0), f(2.0)


def loops(jax, jnp, lax):
    r, total, rows = jax.new_ref(jnp.zeros(5)), jax.new_ref(jnp.float32(0)), jax.new_ref(jnp.zeros(4))

    def body(i, c):
        r[i] = c * 1.0
        return c + i

    def step(c, x):
        total[...] += x + r[0]
        return c, total[...]

    def each(c, row):
        row[...] = c
        return c + 1, None

    @jax.jit
    def dynamic(n):
        def body(i, c):
            r[i] += i * 1.0
            return c

        lax.fori_loop(0, n, body, None)
        return r[...]

    found = lax.fori_loop(0, 5, body, 1), r[...], lax.scan(step, None, jnp.arange(4.0)), total[...]
    found = found, dynamic(3), dynamic(5), lax.scan(each, 1.0, rows), rows[...]
    n = jax.new_ref(0)

    def count(c):
        n[...] += c
        return c + 1

    lax.map(lambda x: jax.ref.set(rows, x, x * 2.0), jnp.arange(3))
    return found, lax.while_loop(lambda c: c < 5, count, 0), n[...], rows[...]


def branches(jax, jnp, lax):
    r = jax.new_ref(jnp.zeros(3))

    def write(x):
        r[0] = x
        return x

    def read(x):
        return r[1] + x

    def write_other(x):
        r[1] += 1.0
        return r[2]

    def f(p, x):
        return lax.cond(p, write, read, x)

    found = f(True, 3.0), r[...], jax.jit(f)(False, 4.0), r[...], jax.jit(f)(True, 5.0), r[...]
    found = found, [lax.switch(k, [write, read, write_other], 2.0) for k in (0, 1, 2, 2)], r[...]

    def one(r):
        r[0] = 1.0
        return 0.0

    return found, lax.cond(False, lambda r: r[1], one, r), r[...]


def batches(jax, jnp, lax):
    def f(r, x):
        r[0] = x
        return r[...].sum()

    a, b, c = jax.new_ref(jnp.zeros((2, 3))), jax.new_ref(jnp.zeros((3, 2))), jax.new_ref(jnp.arange(3.0))
    xs = jnp.arange(2.0) + 1
    first = jax.vmap(f)(a, xs), a[...], jax.vmap(f, in_axes=(1, 0))(b, xs), b[...]
    nested = jax.jit(jax.vmap(jax.jit(f)))(a, xs + 1), a[...]
    return first, nested, jax.vmap(lambda i: c[i] * 2)(jnp.arange(3)), jax.vmap(lambda r, x: r[0] + x, (None, 0))(c, xs)


def derivatives(jax, jnp, lax):
    def f(x):
        r = jax.new_ref(x)
        r[0] = r[0] * r[1]
        return (r[...] ** 2).sum()

    def powers(x):
        r = jax.new_ref(1.0)

        def body(c, _):
            r[...] *= x
            return c, None

        lax.scan(body, None, None, length=3)
        return r[...]

    x = jnp.arange(3.0) + 1
    y = jax.grad(f)(x), jax.grad(jax.jit(f))(x), jax.jvp(f, (x,), (x,))
    y = y, jax.grad(jax.checkpoint(f))(x)
    return y, jax.jvp(powers, (2.0,), (1.0,)), jax.grad(powers)(2.0)


def plumbing(jax, jnp, lax):
    r, s, t = jax.new_ref(jnp.float32(0)), jax.new_ref(jnp.float32(0)), jax.new_ref(jnp.float32(0))

    def f(x, r):
        r[...] += lax.stop_gradient(x * 3)
        s[...] += 1.0
        return x * x * s[...]

    @jax.custom_vjp
    def stash(ref, x):
        return x

    def bwd(ref, g):
        ref[...] += g
        return None, g

    stash.defvjp(lambda ref, x: (x, ref), bwd)

    def g(x):
        return stash(t, jnp.sin(x)) ** 2

    found = jax.grad(f)(2.0, r), jax.jit(jax.grad(f))(3.0, r), jax.grad(jax.jit(f))(4.0, r), r[...], s[...]
    return found, jax.grad(g)(1.0), t[...], jax.jit(jax.grad(g))(2.0), t[...], g(3.0), t[...]


def kept_apart(jax, jnp, lax):
    x, y = jnp.zeros(3), np.zeros(3, np.float32)
    r, s = jax.new_ref(x), jax.new_ref(y)
    y[0] = 5.0
    r[0] = 1.0
    z = r[...]
    r[1] = 2.0
    return x, z, r[...], s[...], r == r, r == s, jax.tree.leaves({"a": r})[0] is r, len(r)


def windows(jax, jnp, lax):
    x, r = jnp.arange(24).reshape(4, 6), jax.new_ref(jnp.zeros((2, 3, 4)))
    at = jax.jit(lambda x, i: (x[jax.ds(i, 2)], x[..., jax.ds(i, 3)], x[1, jax.ds(i, 2)], x.at[0, jax.ds(i, 2)].add(1)))

    @jax.jit
    def write(i):
        r[0, :, jax.ds(i, 2)] = jnp.ones((3, 2))
        return r[..., jax.ds(i, 2)]

    more = (
        x[jax.ds(3, 2)],
        x[jax.ds(jnp.int32(0), 2, 2)],
        x[jax.ds(3)],
        x[jnp.array([0, 1, 2]), jax.ds(jnp.int32(1), 2)],
    )
    return at(x, 1), at(x, 3), more, write(1), r[...], repr(jax.ds(1, 2, 3)), jax.ds(None), jax.ds(2, 3) == jax.ds(2, 3)


def stages(jax, jnp, lax):
    r = jax.new_ref(jnp.zeros(3))

    def f(r, x):
        r[0] += x
        return x + 1

    compiled = jax.jit(f).lower(r, 1.0).compile()
    shape = jax.eval_shape(f, r, 1.0).shape
    with jax.disable_jit():
        jax.jit(f)(r, 2.0)
    return compiled(r, 2.0), r[...], shape, str(jax.typeof(r)), jax.jit(f, donate_argnums=1)(r, jnp.float32(3)), r[...]


PROGRAMS = [
    argument_of_jit,
    batches,
    branches,
    closed_over_by_nested_jits,
    derivatives,
    eager,
    handed_on_to_jit,
    kept_apart,
    loops,
    made_in_jit,
    plumbing,
    stages,
    windows,
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_values(program):
    found, wanted = program(sable, jnp, lax), program(jax, jax.numpy, jax.lax)
    found, tree = jax.tree.flatten(found)
    wanted, wanted_tree = jax.tree.flatten(wanted)
    assert tree == wanted_tree
    for x, y in zip(found, wanted):
        if isinstance(y, jax.Array):
            assert x.dtype == y.dtype
            np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-6, atol=1e-6)
        else:
            assert x == y


ZEROS = {
    "shape": lambda jax, jnp, lax, r: r.__setitem__(..., jnp.ones(2)),
    "nothing is broadcast": lambda jax, jnp, lax, r: r.__setitem__(..., 1.0),
    "dtype": lambda jax, jnp, lax, r: r.__setitem__(0, jnp.int32(1)),
    "outside": lambda jax, jnp, lax, r: r[3],
    "arithmetic": lambda jax, jnp, lax, r: r + 1,
    "function": lambda jax, jnp, lax, r: jnp.sin(r),
    "float": lambda jax, jnp, lax, r: float(r),
    "iteration": lambda jax, jnp, lax, r: list(r),
    "numpy": lambda jax, jnp, lax, r: np.asarray(r),
    "no array": lambda jax, jnp, lax, r: jax.new_ref("a"),
    "returned": lambda jax, jnp, lax, r: jax.jit(lambda r: r)(r),
    "returned of jit": lambda jax, jnp, lax, r: jax.jit(lambda x: jax.new_ref(x))(1.0),
    "returned of cond": lambda jax, jnp, lax, r: lax.cond(True, lambda r: r, lambda r: r, r),
    "twice": lambda jax, jnp, lax, r: jax.jit(lambda a, b: a[0] + b[0])(r, r),
    "closed over too": lambda jax, jnp, lax, r: jax.jit(lambda a: a[0] + r[0])(r),
    "carried": lambda jax, jnp, lax, r: lax.scan(lambda c, x: (c, None), r, None, length=2),
    "stacked": lambda jax, jnp, lax, r: lax.scan(lambda c, x: (c, jax.new_ref(c)), 0.0, None, length=2),
    "batched value": lambda jax, jnp, lax, r: jax.vmap(lambda x: jax.ref.set(r, 0, x))(jnp.arange(2.0)),
    "batched position": lambda jax, jnp, lax, r: jax.vmap(lambda i: jax.ref.set(r, i, 1.0))(jnp.arange(2)),
    "not mapped": lambda jax, jnp, lax, r: jax.vmap(lambda r, x: jax.ref.set(r, 0, x), (None, 0))(r, jnp.arange(2.0)),
    "differentiated": lambda jax, jnp, lax, r: jax.grad(lambda x: [jax.ref.set(r, 0, x), x][1])(1.0),
    "differentiated forwards": lambda jax, jnp, lax, r: jax.jvp(lambda x: [jax.ref.set(r, 0, x), x][1], (1.0,), (1.0,)),
    "differentiated in jit": lambda jax, jnp, lax, r: jax.grad(jax.jit(lambda x: [jax.ref.set(r, 0, x), x][1]))(1.0),
}


@pytest.mark.parametrize("name", ZEROS)
def test_errors(name):
    with pytest.raises(Exception) as wanted:
        ZEROS[name](jax, jax.numpy, jax.lax, jax.new_ref(jax.numpy.zeros(3)))
    ref = sable.new_ref(jnp.zeros(3))
    with pytest.raises(Exception) as found:
        ZEROS[name](sable, jnp, lax, ref)
    assert type(found.value).__name__ == type(wanted.value).__name__
    np.testing.assert_array_equal(ref[...], np.zeros(3))  # nothing has been written


def test_a_reference_dies_with_the_function_that_made_it():
    kept = []
    for transform in (sable.jit, sable.grad, lambda f: lambda x: sable.vmap(f)(jnp.ones(2))):
        transform(lambda x: [kept.append(sable.new_ref(x)), x][1])(1.0)
        with pytest.raises(UnexpectedTracerError, match="escaped"):
            kept[-1][...]
        with pytest.raises(UnexpectedTracerError, match="escaped"):
            kept[-1][...] = 1.0


def test_values_of_ended_traces_are_refused():
    kept, ref = [], sable.new_ref(jnp.float32(0))
    sable.jit(lambda x: kept.append(x))(jnp.float32(1))
    with pytest.raises(UnexpectedTracerError):
        ref[...] = kept[0]


def test_nothing_is_written_by_a_trace_that_fails():
    ref = sable.new_ref(jnp.zeros(2))

    def f(x):
        ref[0] = 1.0
        raise KeyError("f")

    for transform in (sable.jit, sable.grad, lambda f: lambda x: lax.cond(True, f, f, x)):
        with pytest.raises(KeyError):
            transform(f)(1.0)
    np.testing.assert_array_equal(ref[...], [0, 0])


def test_what_writes_where_nobody_writes_back_is_refused():
    ref = sable.new_ref(jnp.float32(0))

    def write(x):
        ref[...] = 1.0
        return x

    for call in (
        lambda: sable.make_jaxpr(write)(1.0),
        lambda: sable.linear_transpose(write, 1.0),
        lambda: lax.while_loop(lambda x: write(x) < 0, lambda x: x, 0.0),
        lambda: sable.aot.save(write, (1.0,), "nowhere"),
    ):
        with pytest.raises(NotImplementedError, match="reference"):
            call()


def test_a_trace_that_is_kept_reads_what_is_there_at_each_call():
    ref = sable.new_ref(jnp.float32(1))
    f = sable.jit(lambda x: x * ref[...])
    found = [f(2.0)]
    for x in (3.0, 4.0):
        ref[...] = jnp.float32(x)
        found.append(f(2.0))
    assert [float(x) for x in found] == [2.0, 6.0, 8.0]
    assert f._cache_size() == 1
