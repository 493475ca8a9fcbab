"""Distributions against SciPy, whose functions are computed in double precision, and identities between their functions."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import sable as jax
import sable.numpy as jnp

_X = np.linspace(-2.5, 3.5, 25)
_K = np.arange(-1.0, 6.0)
_LOC_SCALE = {"loc": 0.25, "scale": 1.5}
_MOVED = {"loc": 1.0}

#: distribution -> where its functions are taken, shape parameters, others by name
TABLE: dict[str, tuple[np.ndarray, tuple, dict[str, float]]] = {
    "bernoulli": (_K, (0.3,), {}),
    "beta": (_X, (1.5, 2.5), _LOC_SCALE),
    "betabinom": (_K, (4, 1.5, 2.5), {}),
    "binom": (_K, (4, 0.3), _MOVED),
    "cauchy": (10 * _X, (), _LOC_SCALE),
    "chi2": (_X, (3.0,), _LOC_SCALE),
    "expon": (_X, (), _LOC_SCALE),
    "gamma": (_X, (2.5,), _LOC_SCALE),
    "gennorm": (_X, (2.5,), {}),
    "geom": (_K, (0.3,), _MOVED),
    "gumbel_l": (_X, (), _LOC_SCALE),
    "gumbel_r": (_X, (), _LOC_SCALE),
    "laplace": (_X, (), _LOC_SCALE),
    "logistic": (_X, (), _LOC_SCALE),
    "nbinom": (_K, (3, 0.3), _MOVED),
    "norm": (3 * _X, (), _LOC_SCALE),
    "pareto": (3 * _X, (2.5,), _LOC_SCALE),
    "poisson": (_K, (1.5,), _MOVED),
    "t": (_X, (2.5,), _LOC_SCALE),
    "truncnorm": (_X, (-1.0, 1.5), _LOC_SCALE),
    "uniform": (_X, (), _LOC_SCALE),
    "vonmises": (_X, (2.5,), {}),
    "wrapcauchy": (_X, (0.3,), {}),
}
_FUNCTIONS = ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf")
#: relative error by the type of the operands
_TOLERANCE = {np.float32: 2e-5, np.float64: 1e-11}


def _scipy(name: str, function: str, *args: Any, **others: Any) -> Any:
    with np.errstate(all="ignore"):
        return getattr(getattr(scipy.stats, name), function)(*args, **others)


def test_every_distribution_is_in_the_table() -> None:
    public = set(jax.scipy.stats.__all__)
    modules = {name for name in public if isinstance(getattr(jax.scipy.stats, name), ModuleType)}
    assert modules - set(TABLE) == {"dirichlet", "multinomial", "multivariate_normal"}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TABLE)
def test_functions(name: str, dtype: Any) -> None:
    x, shapes, others = TABLE[name]
    ours = getattr(jax.scipy.stats, name)
    with jax.enable_x64(dtype is np.float64):
        for function in set(_FUNCTIONS) & set(vars(ours)):
            moved = {} if (name, function) == ("bernoulli", "cdf") else others
            found = getattr(ours, function)(jnp.asarray(x, dtype), *shapes, **moved)
            assert found.dtype == dtype
            expected = _scipy(name, function, x.astype(dtype).astype(float), *shapes, **moved)
            tolerance = _TOLERANCE[dtype]
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance / 100, err_msg=function)


@pytest.mark.parametrize("name", TABLE)
def test_quantiles(name: str) -> None:
    _, shapes, others = TABLE[name]
    ours = getattr(jax.scipy.stats, name)
    q = np.linspace(0.01, 0.99, 25)
    with jax.enable_x64(True):
        for function in {"ppf", "isf"} & set(vars(ours)):
            found = getattr(ours, function)(jnp.asarray(q), *shapes, **others)
            np.testing.assert_allclose(found, _scipy(name, function, q, *shapes, **others), rtol=1e-11, atol=1e-13)


_BOTH = [name for name in TABLE if {"cdf", "sf"} <= set(vars(getattr(jax.scipy.stats, name)))]
_finite = st.floats(-20, 20, width=32)


@settings(max_examples=15, deadline=None)
@given(points=st.lists(_finite, min_size=8, max_size=8), loc=_finite, scale=st.floats(0.125, 8, width=32))
@pytest.mark.parametrize("name", _BOTH)
def test_cdf_and_sf_sum_to_one(name: str, points: list[float], loc: float, scale: float) -> None:
    functions = getattr(jax.scipy.stats, name)
    args = (np.array(points, np.float32), *TABLE[name][1], np.float32(loc), np.float32(scale))
    np.testing.assert_allclose(functions.cdf(*args) + functions.sf(*args), 1, atol=2e-6)


@pytest.mark.parametrize("name", [n for n in TABLE if n not in ("gennorm", "vonmises", "wrapcauchy", "t")])
def test_density_is_the_slope(name: str) -> None:
    """The derivative of the distribution function is the density."""
    functions = getattr(jax.scipy.stats, name)
    if not {"cdf", "pdf"} <= set(vars(functions)):
        assert hasattr(functions, "pmf")
        return
    x, shapes, others = TABLE[name]
    with jax.enable_x64(True):
        x = jnp.asarray(x + 0.01)
        _, slope = jax.jvp(lambda x: functions.cdf(x, *shapes, **others), (x,), (jnp.ones_like(x),))
        np.testing.assert_allclose(slope, functions.pdf(x, *shapes, **others), rtol=1e-10, atol=1e-13)


def test_accurate_where_logarithms_of_rounded_values_are_not() -> None:
    far = np.float32([-1e6, -1e4])
    stats = jax.scipy.stats
    expected = scipy.stats.cauchy.logcdf(far.astype(float))
    np.testing.assert_allclose(stats.cauchy.logcdf(far), expected, rtol=1e-6)
    np.testing.assert_allclose(stats.gumbel_r.sf(np.float32(20)), scipy.stats.gumbel_r.sf(20), rtol=1e-5)


def test_arguments_are_named_in_errors() -> None:
    with pytest.raises(
        TypeError, match=r"norm\.logpdf requires ndarray or scalar arguments, got .*list.* at position 0"
    ):
        jax.scipy.stats.norm.logpdf([1.0])


@pytest.mark.parametrize("name", [*TABLE, "bernoulli", "poisson"])
def test_integers_beside_python_floats_are_as_weak_as_in_jax(name: str) -> None:
    oracle = pytest.importorskip("jax")
    ours, theirs = (getattr(importlib.import_module(f"{j.__name__}.scipy.stats"), name) for j in (jax, oracle))
    shapes = TABLE[name][1] if name in TABLE else (0.3,)
    for function in ("pdf", "logpdf", "pmf", "logpmf", "cdf", "logcdf", "sf", "logsf", "ppf", "isf"):
        if hasattr(theirs, function) and (name, function) not in (("norm", "ppf"), ("norm", "isf")):  # refused by both
            argument = jax.ShapeDtypeStruct((3,), np.int32), oracle.ShapeDtypeStruct((3,), np.int32)
            got = jax.eval_shape(lambda x: getattr(ours, function)(x, *shapes), argument[0])  # noqa: B023
            want = oracle.eval_shape(lambda x: getattr(theirs, function)(x, *shapes), argument[1])  # noqa: B023
            assert (got.dtype, got.weak_type) == (want.dtype, want.weak_type), function
