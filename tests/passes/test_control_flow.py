"""Ops that name functions under every transformation, eager and under jit, against JAX.

All transformations of one function are compiled together: a compile costs more than everything else here.
"""

from __future__ import annotations

import numpy as np
import pytest

import sable

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
pytest.importorskip("jax.ad_checkpoint")

X = np.float32(0.7)
XS = np.float32([1.0, 2.0, 3.0, 0.5])


def scan_carry_and_outputs(j):
    return lambda x: j.lax.scan(lambda c, e: (j.numpy.sin(c) * e + c, c * e), x, j.numpy.asarray(XS))[0]


def scan_stacked(j):
    return lambda x: j.lax.scan(lambda c, e: (c + e, c * j.numpy.sin(e * x)), x, x * j.numpy.asarray(XS))[1].sum()


def scan_reverse(j):
    return lambda x: j.lax.scan(lambda c, e: (c * 0.5 + j.numpy.sin(e * x), c), x, j.numpy.asarray(XS), reverse=True)[0]


def scan_closure(j):
    return lambda x: j.lax.scan(lambda c, _: (c * x + 1.0, None), x, None, length=3)[0]


def scan_counter(j):
    return lambda x: j.lax.scan(lambda c, e: ((c[0] + 1, c[1] * x + c[0]), None), (0, x), None, length=4)[0][1]


def scan_nested(j):
    def inner(x):
        return j.lax.scan(lambda c, e: (c * e + x, None), x, j.numpy.asarray(XS[:2]))[0]

    return lambda x: j.lax.scan(lambda c, e: (inner(c) * 0.1, None), x, None, length=3)[0]


def fori(j):
    return lambda x: j.lax.fori_loop(0, 5, lambda i, v: v * v - x * 0.1 + i, x)


def conditional(j):
    return lambda x: j.lax.cond(x > 0.6, lambda v: j.numpy.sin(v) * v, lambda v: v * 3.0, x)


def switched(j):
    branches = [lambda v: v * 2.0, lambda v: j.numpy.sin(v), lambda v: v * v * v]
    return lambda x: j.lax.switch((x * 2).astype("int32"), branches, x)


def conditional_in_scan(j):
    def step(c, e):
        return j.lax.cond(e > 1.5, lambda v: v * e, lambda v: j.numpy.sin(v), c), None

    return lambda x: j.lax.scan(step, x, j.numpy.asarray(XS))[0]


def custom_jvp(j):
    @j.custom_jvp
    def f(x):
        return j.numpy.sin(x)

    @f.defjvp
    def rule(primals, tangents):
        return f(primals[0]), tangents[0] * primals[0] * 2.0

    return f


def custom_jvp_in_scan(j):
    f = custom_jvp(j)
    return lambda x: j.lax.scan(lambda c, _: (f(c) * x, None), x, None, length=3)[0]


def jitted_callee(j):
    f = j.jit(lambda x, y: j.numpy.sin(x) * y)
    return lambda x: f(x, f(x, 2.0))


def custom_vjp(j):
    @j.custom_vjp
    def f(x, y):
        return j.numpy.sin(x) * y

    f.defvjp(lambda x, y: (f(x, y), (x, y)), lambda r, ct: (ct * r[0] * 5.0, ct * r[1]))
    return lambda x: f(x, x * 2.0)


def custom_vjp_in_loop(j):
    f = custom_vjp(j)
    return lambda x: j.lax.fori_loop(0, 2, lambda i, c: f(c) * 0.3, x)


def while_loop(j):
    return lambda x: j.lax.while_loop(lambda v: v < 10, lambda v: v * v + x, x + 1.0)


def while_with_captures(j):
    return lambda x: j.lax.while_loop(lambda s: s[0] < 3, lambda s: (s[0] + 1, s[1] * x), (0, x))[1]


def _layers(j, x):
    f = j.custom_jvp(lambda v: j.numpy.sin(v))
    f.defjvp(lambda primals, tangents: (f(primals[0]), tangents[0] * j.numpy.cos(primals[0])))
    return j.jit(lambda v: f(v) * j.numpy.exp(v * 0.5))(j.ad_checkpoint.checkpoint_name(j.numpy.tanh(x), "hidden"))


def checkpoint(j):
    policies = j.checkpoint_policies
    keep = policies.save_from_both_policies(policies.save_only_these_names("hidden"), policies.dots_saveable)
    first = j.checkpoint(lambda x: _layers(j, x), policy=keep)
    return lambda x: j.checkpoint(lambda y: first(y) * y)(first(x))


def checkpoint_in_scan(j):
    step = j.checkpoint(lambda c, e: (_layers(j, c * e), c), prevent_cse=False)
    return lambda x: j.lax.scan(step, x, j.numpy.asarray(XS))[0]


def scan_in_checkpoint(j):
    def loop(x):
        return j.lax.scan(lambda c, e: (_layers(j, c * e) + x, c), x, j.numpy.asarray(XS))[1].sum()

    return j.checkpoint(loop, policy=j.checkpoint_policies.dots_with_no_batch_dims_saveable)


BOTH_MODES = [
    scan_carry_and_outputs, scan_stacked, scan_reverse, scan_closure, scan_counter, scan_nested, fori, conditional,
    switched, conditional_in_scan, custom_jvp, jitted_callee, checkpoint, checkpoint_in_scan, scan_in_checkpoint,
]  # fmt: skip
REVERSE_ONLY = [custom_vjp, custom_vjp_in_loop]
FORWARD_ONLY = [while_loop, while_with_captures]


def transformations(j, f, forward: bool, reverse: bool):
    """name -> function of (scalar, vector)."""
    found = {"value": lambda x, xs: f(x), "vmap": lambda x, xs: j.vmap(f)(xs)}
    if forward:
        found["jvp"] = lambda x, xs: j.jvp(f, (x,), (x,))
        found["linearize"] = lambda x, xs: j.linearize(f, x)[1](x)
        found["vmap of jvp"] = lambda x, xs: j.vmap(lambda v: j.jvp(f, (v,), (v,))[1])(xs)
    if reverse:
        found["grad"] = lambda x, xs: j.grad(f)(x)
        found["vmap of grad"] = lambda x, xs: j.vmap(j.grad(f))(xs)
        found["grad of vmap"] = lambda x, xs: j.grad(lambda v: j.vmap(f)(v).sum())(xs)
    if forward and reverse:
        found["forward over reverse"] = lambda x, xs: j.jvp(j.grad(f), (x,), (x,))[1]
        found["second gradient"] = lambda x, xs: j.grad(j.grad(f))(x)
    return found


def check(function, forward: bool, reverse: bool, together) -> None:
    ours, theirs = (transformations(j, function(j), forward, reverse) for j in (sable, jax))
    got = together(sable, ours)(X, XS)
    wanted = jax.jit(lambda x, xs: {k: f(x, xs) for k, f in theirs.items()})(X, XS)
    for name in theirs:
        a, b = sable.tree.leaves(got[name]), jax.tree.leaves(wanted[name])
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert x.shape == y.shape and x.dtype == y.dtype, name
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-4, err_msg=name)


CASES = (
    [(f, True, True) for f in BOTH_MODES]
    + [(f, False, True) for f in REVERSE_ONLY]
    + [(f, True, False) for f in FORWARD_ONLY]
)


@pytest.mark.parametrize(("function", "forward", "reverse"), CASES, ids=lambda v: getattr(v, "__name__", None))
def test_under_jit(function, forward, reverse) -> None:
    check(function, forward, reverse, lambda j, fs: j.jit(lambda x, xs: {k: f(x, xs) for k, f in fs.items()}))


#: One of each mechanism: eager loops are compiled one by one, which takes its time.
EAGER = [(scan_stacked, True, True), (conditional, True, True), (custom_jvp, True, True), (custom_vjp, False, True),
         (jitted_callee, True, True), (checkpoint, True, True), (while_with_captures, True, False)]  # fmt: skip


@pytest.mark.parametrize(("function", "forward", "reverse"), EAGER, ids=lambda v: getattr(v, "__name__", None))
def test_eager(function, forward, reverse) -> None:
    def run(j, fs):
        def every(x, xs):
            return {k: f(x, xs) for k, f in fs.items()}

        return every if j is sable else j.jit(every)  # JAX compiles an op at a time otherwise

    check(function, forward, reverse, run)


def test_second_derivative_of_custom_jvp_in_scan() -> None:
    """Against the unrolled loop: JAX itself differentiates the function in place of the rule the second time."""
    f = custom_jvp(sable)
    unrolled = sable.grad(sable.grad(lambda x: f(f(f(x) * x) * x) * x))(X)
    np.testing.assert_allclose(sable.grad(sable.grad(custom_jvp_in_scan(sable)))(X), unrolled, rtol=1e-5)


def host(j):
    return lambda x: j.pure_callback(lambda v: np.asarray(np.sin(v)), x, x * 2.0, vmap_method="sequential")


def test_pure_callback() -> None:
    f = host(sable)
    wanted = np.sin(2 * XS)
    np.testing.assert_allclose(f(X), np.sin(2 * X), rtol=1e-6)
    np.testing.assert_allclose(sable.jit(f)(X), np.sin(2 * X), rtol=1e-6)
    np.testing.assert_allclose(sable.vmap(f)(XS), wanted, rtol=1e-6)
    np.testing.assert_allclose(sable.jit(sable.vmap(f))(XS), wanted, rtol=1e-6)
    looped = sable.jit(lambda x: sable.lax.scan(lambda c, e: (c + f(e), None), x * 0, XS)[0])
    np.testing.assert_allclose(looped(X), wanted.sum(), rtol=1e-5)


def test_callback_exceptions_are_causes() -> None:
    class Mine(Exception):
        pass

    def fail(x):
        raise Mine("from the callback")

    f = sable.jit(lambda x: sable.pure_callback(fail, x, x))
    for _ in range(2):
        with pytest.raises(
            sable.errors.JaxRuntimeError, match=r"fail, .* at .*test_control_flow.py:\d+ .* Mine: from the callback"
        ) as caught:
            f(X)
        assert isinstance(caught.value.__cause__, Mine)


def test_debug_print(capfd) -> None:
    def f(x):
        sable.debug.print("x = {x}", x=x)
        return x * x

    f(X)
    sable.jit(f)(X)
    sable.vmap(f)(XS[:2])
    sable.grad(f)(X)
    sable.jit(sable.grad(f))(X)
    sable.jit(sable.vmap(f))(XS[:2])
    lines = capfd.readouterr().out.split("\n")[:-1]
    assert len(lines) == 8
    assert lines[0].startswith("x = 0.69999") and lines[2] == "x = 1.0"


def collective(j):
    def f(x):
        total = j.lax.psum(x * x, "i")
        return x / total + j.lax.axis_index("i") * j.lax.pmean(j.numpy.sin(x), "i")

    return f


@pytest.mark.parametrize("kind", ["eager", "jit"])
def test_collectives(kind) -> None:
    def programs(j):
        f = collective(j)
        mapped = j.vmap(f, axis_name="i")
        return lambda xs: (
            mapped(xs),
            j.grad(lambda v: mapped(v)[1])(xs),
            j.jvp(mapped, (xs,), (xs,))[1],
            j.vmap(lambda x: j.lax.all_gather(x, "i") * x, axis_name="i")(xs),
            j.vmap(j.jit(lambda x: j.lax.psum(x, "i")), axis_name="i")(xs),
            j.vmap(lambda x: j.lax.pmax(x, "i") - j.lax.pmin(x, "i"), axis_name="i")(xs),
        )

    ours = programs(sable) if kind == "eager" else sable.jit(programs(sable))
    for x, y in zip(ours(XS), programs(jax)(XS)):
        np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5)
