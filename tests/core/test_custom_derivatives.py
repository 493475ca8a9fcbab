"""Functions with derivatives of their own, beside JAX: what they are called with, what their rules may use."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import sable

from ..numpy.oracle import check


def _jvp(j: Any) -> Callable:
    """sine with a branch in the function and in its rule."""

    @j.custom_jvp
    def f(x: Any) -> Any:
        return j.numpy.sin(x) if x > 0 else x

    @f.defjvp
    def rule(primals: Any, tangents: Any) -> Any:
        return f(*primals), (2.0 if primals[0] > 0 else 3.0) * tangents[0]

    return f


def _vjp(j: Any) -> Callable:
    """The same in reverse, by NumPy."""

    @j.custom_vjp
    def f(x: Any) -> Any:
        return j.numpy.asarray(np.sin(np.asarray(x))) if x > 0 else x

    f.defvjp(lambda x: (f(x), (x, float(x))), lambda res, ct: ((2.0 if res[0] > 0 and ct > 0 else res[1]) * ct,))
    return f


def _closing(j: Any, y: Any) -> Any:
    """Derivatives of functions whose rules close over y."""

    @j.custom_jvp
    def f(x: Any) -> Any:
        return 2.0 * x

    f.defjvp(lambda p, t: (f(*p), t[0] * y))

    @j.custom_vjp
    def g(x: Any) -> Any:
        return 2.0 * x

    g.defvjp(lambda x: (2.0 * x + y, y), lambda r, ct: (ct * y + r,))
    return j.grad(f)(3.0), j.value_and_grad(g)(3.0)


def _nondiff(j: Any, a: Any) -> Any:
    @functools.partial(j.custom_jvp, nondiff_argnums=(0,))
    def f(a: Any, x: Any) -> Any:
        return a * x

    f.defjvp(lambda a, p, t: (f(a, *p), 7.0 * a * t[0]))
    return f(a, 2.0), j.grad(lambda x: f(a, x))(2.0)


def _product(j: Any, x: Any, scale: float = 2.0) -> Callable:
    """y -> x * y, whose rules use x: an example of a `vmap` that has ended when they run."""

    @j.custom_jvp
    def f(y: Any) -> Any:
        return x * y

    f.defjvp(lambda p, t: (f(*p), scale * x * t[0]))
    return f


def _reverse_product(j: Any, x: Any) -> Callable:
    f = j.custom_vjp(lambda y: x * y)
    f.defvjp(lambda y: (x * y, (x, x * y)), lambda r, ct: (r[0] * ct,))
    return f


def _nondiff_product(j: Any, x: Any) -> Callable:
    f = j.custom_jvp(lambda x, y: x * y, nondiff_argnums=(0,))
    f.defjvp(lambda x, p, t: (f(x, *p), 5.0 * x * t[0]))
    return functools.partial(f, x)


def _of_ended_examples(j: Any, make: Callable, z: float) -> Any:
    """Derivatives by what every example has in common."""
    xs = j.numpy.arange(3.0)

    def total(z: Any) -> Any:
        return j.vmap(lambda x: make(j, x)(z))(xs).sum()

    return total, [j.grad(total)(z), j.jit(j.grad(total))(z)]


def _recomputed(j: Any, optimize: bool) -> Any:
    """The value under `checkpoint` of a function whose forward rule gives another one."""
    f = j.custom_vjp(lambda x: 2.0 * x)
    f.defvjp(lambda x: (3.0 * x, x), lambda x, ct: (5.0 * x * ct,), optimize_remat=optimize)
    programs = [j.checkpoint(f), j.checkpoint(j.vmap(f))]
    return [j.value_and_grad(lambda x, g=g: g(x).sum())(j.numpy.ones(2)) for g in programs]


PROGRAMS = {
    "values of functions under checkpoint": lambda j: [_recomputed(j, optimize) for optimize in (False, True)],
    "variables of ended examples": lambda j: [
        _of_ended_examples(j, make, 1.5)[1] for make in (_product, _reverse_product, _nondiff_product)
    ],
    "values": lambda j: [_jvp(j)(1.0), _vjp(j)(1.0), _vjp(j)(-1.0)],
    "jvp": lambda j: [j.jvp(_jvp(j), (x,), (1.0,)) for x in (1.0, -1.0)],
    "grad": lambda j: [j.grad(f(j))(x) for f in (_jvp, _vjp) for x in (1.0, -1.0)],
    "second order": lambda j: [j.grad(j.grad(_jvp(j)))(1.0), j.grad(lambda x: j.grad(_jvp(j))(x) * x)(2.0)],
    "after a call": lambda j: j.grad(lambda x: j.grad(_jvp(j))(j.jit(lambda z: 2.0 * z)(x)) * x)(1.5),
    "closures": lambda j: [t(lambda y: _closing(j, y))(2.0) for t in (lambda f: f, j.jit)],
    "closures mapped": lambda j: j.vmap(lambda y: _closing(j, y))(j.numpy.arange(3.0)),
    "closures differentiated": lambda j: j.grad(lambda y: _closing(j, y)[0] * y)(2.0),
    "nondiff": lambda j: [j.jit(lambda a: _nondiff(j, a))(3.0), j.vmap(lambda a: _nondiff(j, a))(j.numpy.arange(3.0))],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_jax(name):
    expected, found = (jax.tree.map(np.asarray, PROGRAMS[name](j)) for j in (jax, sable))
    assert jax.tree.structure(expected) == jax.tree.structure(found)
    for e, f in zip(jax.tree.leaves(expected), jax.tree.leaves(found)):
        np.testing.assert_allclose(f, e, rtol=1e-5)


@pytest.mark.parametrize("make", [_product, _reverse_product, _nondiff_product])
def test_rules_in_programs_use_variables_of_ended_examples(make):
    total, found = _of_ended_examples(sable, make, 1.5)
    np.testing.assert_allclose(sable.grad(sable.jit(total))(1.5), found[0], rtol=1e-6)


def _traced_nondiff(j: Any) -> Any:
    f = j.custom_vjp(lambda a, x: a * x, nondiff_argnums=(0,))
    f.defvjp(lambda a, x: (a * x, x), lambda a, r, ct: (ct,))
    return j.jit(lambda a: f(a, 2.0))(3.0)


def _second(j: Any, rule: Callable) -> Any:
    """The derivative of a function whose rule returns tangents made by `rule`."""
    f = j.custom_jvp(lambda x: 2.0 * x)
    f.defjvp(lambda p, t: (f(*p), rule(t[0])))
    return j.jvp(f, (j.numpy.float32(1.0),), (j.numpy.float32(1.0),))


REFUSED = {
    "a differentiated value in a rule": lambda j: j.grad(lambda z: _product(j, 2.0 * z)(z))(1.0),
    "a differentiated value of ended examples": lambda j: j.grad(
        lambda z: j.vmap(lambda x: _product(j, x * z)(z))(j.numpy.arange(3.0)).sum()
    )(1.0),
    "a differentiated value in a reverse rule": lambda j: j.grad(
        lambda z: j.vmap(lambda x: _reverse_product(j, x * z)(z))(j.numpy.arange(3.0)).sum()
    )(1.0),
    "tangents of another width": lambda j: _second(j, lambda t: t.astype(j.numpy.float16)),
    "tangents of another kind": lambda j: _second(j, lambda t: t.astype(j.numpy.int32)),
    "tangents of another shape": lambda j: _second(j, lambda t: j.numpy.stack([t, t])),
    "branch in jit": lambda j: j.jit(_jvp(j))(1.0),
    "branch on an example": lambda j: j.vmap(_jvp(j))(j.numpy.ones(3)),
    "traced nondiff argument of a vjp": _traced_nondiff,
    "forward": lambda j: j.jvp(_vjp(j), (1.0,), (1.0,)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_as_by_jax(name):
    with pytest.raises(Exception) as expected:
        REFUSED[name](jax)
    with pytest.raises(Exception) as found:
        REFUSED[name](sable)
    assert type(found.value).__name__ == type(expected.value).__name__


def test_a_call_with_values_returns_what_the_function_returns():
    f = sable.custom_jvp(lambda x: (3, x))
    f.defjvp(lambda p, t: (f(*p), t))
    assert f(2.0) == (3, 2.0)
    assert type(f(2.0)[0]) is int


@pytest.mark.parametrize("transform", [lambda f: f, sable.jit])
def test_rules_run_with_the_options_of_the_call(transform):
    seen = []

    def noted(x):
        seen.append((str(x.dtype), str(sable.numpy.arange(2.0).dtype)))
        return x

    forward = sable.custom_jvp(lambda x: x**2.0)
    forward.defjvp(lambda p, t: (p[0] ** 2.0, noted(t[0] * 2.0 * p[0])))
    reverse = sable.custom_vjp(lambda x: x**2.0)
    reverse.defvjp(lambda x: (x**2.0, noted(x)), lambda x, ct: (noted(ct) * 2.0 * x,))
    for f in (forward, reverse):

        def g(x, f=f):
            with sable.enable_x64(True):
                return f(sable.numpy.asarray(x, sable.numpy.float64)).astype(sable.numpy.float32)

        assert float(sable.grad(transform(g))(3.0)) == 6.0
    assert seen == [("float64", "float64")] * len(seen)
    assert len(seen) > 2


def symbolic(j: Any, asked: list | None = None) -> Any:
    """x y with the tangent of x alone, which is said to be thrice as large."""

    @j.custom_jvp
    def f(x: Any, y: Any) -> Any:
        return x * y, y

    def rule(primals: Any, tangents: Any) -> Any:
        zero = [isinstance(t, j.custom_derivatives.SymbolicZero) for t in tangents]
        if asked is not None:
            asked.append((zero, [(t.shape, str(t.dtype)) for t in tangents]))
        first = tangents[0] if zero[0] else 3 * tangents[0] * primals[1]
        return f(*primals), (first, tangents[1])

    f.defjvp(rule, symbolic_zeros=True)
    return f


SYMBOLIC: dict[str, Any] = {
    "one": lambda j, x: j.jvp(lambda x: symbolic(j)(x, j.numpy.ones(2)), (x,), (x,)),
    "other": lambda j, x: j.jvp(lambda y: symbolic(j)(x, y), (x,), (x,)),
    "both": lambda j, x: j.jvp(symbolic(j), (x, x), (x, x)),
    "gradient": lambda j, x: j.grad(lambda x: symbolic(j)(x, x)[0].sum())(x),
    "compiled": lambda j, x: j.jit(j.grad(lambda x: symbolic(j)(x, 2 * x)[0].sum()))(x),
    "batch": lambda j, x: j.vmap(j.grad(lambda x: j.jit(symbolic(j))(x, 3.0)[0]))(x),
}


@pytest.mark.parametrize("name", SYMBOLIC)
def test_symbolic_zeros(name: str) -> None:
    check(SYMBOLIC[name], np.array([0.5, 2.0], np.float32))


def test_which_zeros_are_symbolic() -> None:
    asked: list = []
    f = symbolic(sable, asked)
    sable.jvp(lambda x: f(x, np.int32(3)), (1.0,), (1.0,))
    sable.grad(lambda x, y: f(x, y)[0], 1)(1.0, 2.0)
    assert [zero for zero, _ in asked] == [[False, True], [True, False]]
    assert asked[1][1] == [((), "float32"), ((), "float32")]
    zero = sable.custom_derivatives.zero_from_primal(np.ones(3, np.float32), symbolic_zeros=True)
    assert (repr(zero), zero.shape, zero.ndim) == ("SymbolicZero", (3,), 1)
    assert sable.custom_derivatives.zero_from_primal(1.0) == 0


def _asking(j: Any, log: list) -> Callable:
    """x y, sin y and n, with a pair of rules that ask for symbolic zeros and say what they were given."""
    own = j.custom_derivatives

    @j.custom_vjp
    def f(x: Any, y: Any, n: Any) -> Any:
        return x * y, j.numpy.sin(y), n

    def forward(x: Any, y: Any, n: Any) -> Any:
        log.append((x.perturbed, y.perturbed, n.perturbed))
        x_value, y_value, n_value = own.custom_vjp_primal_tree_values((x, y, n))
        return f(x_value, y_value, n_value), (x_value, y_value, None if x.perturbed else y_value)

    def backward(residuals: Any, cts: Any) -> Any:
        zeros = [isinstance(ct, own.SymbolicZero) for ct in cts]
        log.append((zeros, residuals[2] is None, [str(ct.dtype) for ct in cts], [ct.shape for ct in cts]))
        a, b, _ = (0.0 if zero else ct for ct, zero in zip(cts, zeros))
        x, y, _ = residuals
        return (a * y if not zeros[0] else own.zero_from_primal(x, symbolic_zeros=True)), a * x + 7 * b, None

    f.defvjp(forward, backward, symbolic_zeros=True)
    return f


ASKED = {
    "product by x": lambda j, f: j.grad(lambda x, y: f(x, y, 3)[0])(2.0, 5.0),
    "product by y": lambda j, f: j.grad(lambda x, y: f(x, y, 3)[0], 1)(2.0, 5.0),
    "sine by y": lambda j, f: j.grad(lambda x, y: f(x, y, 3)[1], 1)(2.0, 5.0),
    "both by both": lambda j, f: j.grad(lambda x, y: sum(f(x, y, 3)[:2]), (0, 1))(2.0, 5.0),
    "compiled": lambda j, f: j.jit(j.grad(lambda x, y: f(x, y, 3)[1], (0, 1)))(2.0, 5.0),
    "vmap of grad": lambda j, f: j.vmap(j.grad(lambda x, y: f(x, y, 3)[0]), (0, None))(
        np.arange(3.0, dtype=np.float32), 5.0
    ),
    "grad of vmap": lambda j, f: j.grad(lambda x: j.vmap(lambda x: f(x, 4.0, 3)[0])(x).sum())(
        np.arange(3.0, dtype=np.float32)
    ),
    "in a loop": lambda j, f: j.grad(lambda x: j.lax.scan(lambda c, _: (f(c, 4.0, 3)[0], None), x, None, length=3)[0])(
        2.0
    ),
    "not at all": lambda j, f: f(2.0, 5.0, 3),
}


@pytest.mark.parametrize("name", ASKED)
def test_rules_of_reverse_mode_ask_for_symbolic_zeros(name: str) -> None:
    found = []
    for j in (sable, jax):
        log: list = []
        found.append((j.tree.map(lambda x: np.asarray(x).tolist(), ASKED[name](j, _asking(j, log))), log))
    assert found[0] == found[1]


def test_values_of_arguments_that_say_whether_they_are_differentiated() -> None:
    primal = sable.custom_derivatives.CustomVJPPrimal(1, True)
    assert repr(primal) == repr(jax.custom_derivatives.CustomVJPPrimal(1, True))
    assert sable.custom_derivatives.custom_vjp_primal_tree_values({"a": primal}) == {"a": 1}
    with pytest.raises(TypeError, match="CustomVJPPrimal"):
        sable.custom_derivatives.custom_vjp_primal_tree_values((1,))
