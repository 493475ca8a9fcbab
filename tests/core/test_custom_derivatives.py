"""Functions with derivatives of their own, beside JAX: what they are called with, what their rules may use."""

import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest

import sable


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


PROGRAMS = {
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


def _traced_nondiff(j: Any) -> Any:
    f = j.custom_vjp(lambda a, x: a * x, nondiff_argnums=(0,))
    f.defvjp(lambda a, x: (a * x, x), lambda a, r, ct: (ct,))
    return j.jit(lambda a: f(a, 2.0))(3.0)


REFUSED = {
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


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")  # the rule runs after the context has ended
def test_rules_of_functions_that_are_called_with_64_bits():
    f = sable.custom_vjp(lambda x: x**2.0)
    f.defvjp(lambda x: (x**2.0, x), lambda x, ct: (ct * 2 * x,))

    def g(x):
        with sable.enable_x64(True):
            return f(sable.numpy.asarray(x, sable.numpy.float64))

    assert float(sable.vjp(g, 3.0)[0]) == 9.0
