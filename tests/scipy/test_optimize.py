"""Minima by quasi-Newton methods: against JAX where its line search succeeds, else against the minima themselves."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest
import scipy.optimize

import sable
import sable.numpy as jnp
from sable.scipy.optimize import OptimizeResults, minimize

jax = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")

LBFGS = "l-bfgs-experimental-do-not-rely-on-this"
#: from each of them JAX's line search finds its way
_STARTS = np.float32([[1.0, 1.0], [2.0, 3.0], [-2.5, 2.0], [4.0, -1.5]])


def himmelblau(x: Any, shift: Any = 0.0) -> Any:
    """Four minima of zero, one of them at (3, 2)."""
    return (x[0] ** 2 + x[1] - 11.0) ** 2 + (x[0] + x[1] ** 2 - 7.0 + shift) ** 2


def valley(x: Any) -> Any:
    """Rosenbrock's function; its minimum is at (1, 1, ...)."""
    return sum(100.0 * (x[k + 1] - x[k] ** 2) ** 2 + (1 - x[k]) ** 2 for k in range(x.shape[0] - 1))


def counts(result: Any) -> list[int]:
    return [int(n) for n in (result.success, result.status, result.nit, result.nfev, result.njev)]


def found_by(m: Any, x0s: Any, method: str, **options: Any) -> Any:
    """Results from several starts, one after the other."""
    run = importlib.import_module(f"{m.__name__}.scipy.optimize").minimize
    options = {"gtol": 1e-2, **options}  # beyond the rounding of f32
    call = m.jit(lambda x, a: run(himmelblau, x, (a,), method=method, options=options))
    return [call(x0, np.float32(0.25)) for x0 in x0s]


@pytest.mark.parametrize(
    ("method", "options"),
    [("BFGS", {}), (LBFGS, {}), ("bfgs", {"maxiter": 2, "norm": 2}), (LBFGS, {"maxcor": 2, "maxfun": 6})],
)
def test_as_in_jax(method: str, options: dict[str, Any]) -> None:
    ours, theirs = (found_by(m, _STARTS, method, **options) for m in (sable, jax))
    for x, y in zip(ours, theirs):
        assert x._fields == y._fields and type(x) is OptimizeResults
        for name, a, b in zip(x._fields, x, y):
            if a is None:
                assert b is None and name == "hess_inv"
                continue
            assert a.shape == b.shape and a.dtype == b.dtype and a.weak_type == b.weak_type, name
        assert counts(x) == counts(y)
        np.testing.assert_allclose(x.x, y.x, rtol=1e-3, atol=1e-4)
        if x.hess_inv is not None:
            np.testing.assert_allclose(x.hess_inv, y.hess_inv, rtol=2e-2, atol=1e-3)


def test_mapped() -> None:
    """The loops go on until the last one has ended, and leave the others as they are."""
    one_by_one = found_by(sable, _STARTS, "BFGS")
    mapped = sable.jit(sable.vmap(lambda x: minimize(himmelblau, x, (jnp.float32(0.25),), method="BFGS", tol=1e-2)))(
        _STARTS
    )
    for k, each in enumerate(one_by_one):
        assert counts(sable.tree.map(lambda leaf: leaf[k], mapped)) == counts(each)  # noqa: B023
        np.testing.assert_allclose(mapped.x[k], each.x, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(mapped.hess_inv[k], each.hess_inv, rtol=1e-2, atol=1e-3)


def test_along_a_valley() -> None:
    """Intervals are turned around there, which ends JAX's line search."""
    start = np.float64([-1.2, 1.0, 0.8])
    with sable.enable_x64(True):
        for method in ("BFGS", LBFGS):
            found = minimize(valley, start, method=method)
            assert found.success and found.x.dtype == np.float64
            np.testing.assert_allclose(found.x, 1, rtol=1e-6)
    expected = scipy.optimize.minimize(valley, start, method="BFGS", jac=sable.grad(valley))
    assert int(found.nit) <= 2 * expected.nit


def test_complex_numbers() -> None:
    goal = np.complex64([1 + 2j, -0.5j, 3])
    weights = np.float32([1, 2, 5])
    call = sable.jit(lambda z: minimize(lambda z: jnp.sum(weights * jnp.abs(z - goal) ** 2), z, method=LBFGS))
    found = call(np.zeros(3, np.complex64))
    assert found.success and found.x.dtype == np.complex64 and found.fun.dtype == np.float32
    np.testing.assert_allclose(found.x, goal, atol=1e-4)


def test_tolerance() -> None:
    """`tol` is the option `gtol`, which comes first."""
    rough = minimize(himmelblau, _STARTS[0], method="BFGS", tol=1.0)
    same = minimize(himmelblau, _STARTS[0], method="BFGS", tol=1e-9, options={"gtol": 1.0})
    assert rough.success and rough.nit == same.nit
    assert jnp.abs(rough.jac).max() < 1 and rough.nit < minimize(himmelblau, _STARTS[0], method="BFGS").nit


@pytest.mark.parametrize(
    ("error", "text", "call"),
    [
        (TypeError, "must be a tuple", lambda f: f(himmelblau, np.ones(2), 1.0, method="BFGS")),
        (ValueError, "not recognized", lambda f: f(himmelblau, np.ones(2), method="CG")),
        (TypeError, "integer|inexact", lambda f: f(himmelblau, np.ones(2, "i4"), method="BFGS")),
        (
            TypeError,
            "unexpected keyword",
            lambda f: f(himmelblau, np.ones(2, "f4"), method="BFGS", options={"maxcor": 3}),
        ),
        (TypeError, "method", lambda f: f(himmelblau, np.ones(2))),
        (TypeError, "scalar", lambda f: f(lambda x: x, np.ones(2, "f4"), method="BFGS")),
    ],
)
def test_errors(error: type, text: str, call: Any) -> None:
    for name in ("jax", "sable"):
        with pytest.raises(error, match=text):
            call(importlib.import_module(f"{name}.scipy.optimize").minimize)


def test_only_vectors() -> None:
    with pytest.raises(ValueError, match=r"must be a vector, got an array of shape \(2, 2\)"):
        minimize(jnp.sum, np.ones((2, 2)), method="BFGS")
