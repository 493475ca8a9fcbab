"""The array API standard: how the namespace describes itself, and its arguments `device` and `copy`, as in JAX."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import sable
import sable.numpy as jnp

from .oracle import compare, jax, outcome


def lines(text: str) -> Any:
    """Parametrisation by the lines of a text."""
    return pytest.mark.parametrize("text", [line.strip() for line in text.splitlines() if line.strip()])


def check(text: str) -> None:
    """An expression has the same value under JAX and Sable, or raises the same; arrays are bound to devices alike."""

    def program(module: Any) -> Any:
        d = module.devices()[0]
        x = module.numpy.arange(3.0)
        space = {
            "jax": module,
            "jnp": module.numpy,
            "np": np,
            "operator": operator,
            "d": d,
            "sharding": module.sharding.SingleDeviceSharding(d),
            "x": x,
            "c": module.device_put(x, d),  # committed
            "w": module.numpy.asarray(2),  # weakly typed
            "n": np.arange(3, dtype=np.float32),
        }
        found = eval(text, space)
        leaves = module.tree_util.tree_leaves(found)
        return found, [getattr(leaf, "committed", None) for leaf in leaves]

    compare(outcome(jax, program, ()), outcome(sable, program, ()), rtol=1e-6, atol=0, weak=True)


@lines(
    """
    jnp.__array_api_version__
    x.__array_namespace__() is jnp
    x.__array_namespace__(api_version="2024.12") is jnp
    x.__array_namespace__(api_version="2022.12")
    x.__array_namespace__("2024.12")
    jax.jit(lambda x: x.__array_namespace__().negative(x))(x)
    jnp.__array_namespace_info__().capabilities()
    jnp.__array_namespace_info__().default_device()
    len(jnp.__array_namespace_info__().devices())
    jnp.__array_namespace_info__().default_dtypes()
    jnp.__array_namespace_info__().default_dtypes(device=d)
    jnp.__array_namespace_info__().dtypes()
    jnp.__array_namespace_info__().dtypes(kind="signed integer", device=d)
    jnp.__array_namespace_info__().dtypes(kind=("bool", "complex floating"))
    jnp.__array_namespace_info__().dtypes(kind=())
    jnp.__array_namespace_info__().dtypes(kind="float")
    jnp.__array_namespace_info__().dtypes(kind=("bool", "float"))
    """
)
def test_inspection(text: str) -> None:
    check(text)


def test_inspection_with_64_bits() -> None:
    def program(module: Any) -> Any:
        with module.enable_x64(True):
            info = module.numpy.__array_namespace_info__()
            return info.default_dtypes(), info.dtypes()

    compare(outcome(jax, program, ()), outcome(sable, program, ()), rtol=0, atol=0, weak=True)
    assert jnp.__array_namespace_info__().devices() == [None, *sable.devices()]


@lines(
    """
    jnp.asarray(x, copy=True) is x
    jnp.asarray(x, copy=None) is x
    jnp.asarray(x, device=d) is x
    jnp.asarray(x, copy=True, device=d)
    jnp.asarray(x, dtype="int32", device=d)
    jnp.asarray(c, device=sharding) is c
    jnp.asarray(w, device=d)
    jnp.asarray(n, device=d)
    jnp.asarray(2.0, device=d)
    jnp.asarray(x, device="cpu")
    jnp.array(c, copy=True)
    jnp.array([1.0], device=d)
    jnp.array(x, ndmin=2, device=d)
    jnp.astype(x, x.dtype) is x
    jnp.astype(x, x.dtype, copy=True) is x
    jnp.astype(x, x.dtype, device=d) is x
    jnp.astype(n, "float32", device=d)
    jnp.astype(c, "float32", copy=True)
    jnp.astype(x, "int32", device=sharding)
    jnp.astype(x, "int32", device="cpu")
    x.astype("int32", copy=True, device=d)
    jnp.from_dlpack(x, device=d)
    x.device == d, x.to_device(d)
    x.to_device(sharding)
    x.to_device(d, stream=1)
    """
)
def test_conversions_to_devices(text: str) -> None:
    check(text)


@lines(
    """
    jnp.zeros(2, device=d)
    jnp.ones(2, device=sharding)
    jnp.empty(2, jnp.int8, device=d)
    jnp.full(2, 1, device=d)
    jnp.full(2, 1.0)
    jnp.full(2, w, device=d)
    jnp.full(2, c[0])
    jnp.full(3, x, device=d)
    jnp.zeros_like(c)
    jnp.ones_like(c, shape=(2, 3), dtype="int32")
    jnp.empty_like(x, device=d)
    jnp.full_like(c, 2)
    jnp.full_like(c, x)
    jnp.full_like(x, c)
    jnp.zeros_like(w, device=d)
    jnp.zeros_like(w)
    jnp.arange(3, device=d)
    jnp.linspace(0, 1, 3, device=d)
    jnp.linspace(0, 1, 3, retstep=True, device=sharding)
    jnp.linspace(0, 1, 3, device="cpu")
    jnp.eye(2, device=d)
    """
)
def test_creation_on_devices(text: str) -> None:
    check(text)


@lines(
    """
    [operator.iadd(x, 1), operator.isub(x, c), operator.imul(x, n), operator.itruediv(x, 2), operator.ipow(x, 2)]
    [operator.ifloordiv(x, 2), operator.imod(x, 2), operator.imatmul(x, x)]
    [operator.ilshift(jnp.arange(3), 1), operator.iand(jnp.arange(3), 1), operator.ixor(jnp.arange(3), 1)]
    isinstance(operator.iadd(n.copy(), x), np.ndarray)
    [2 - x, 2 / (x + 1), 2 // (x + 1), 2 % (x + 1), 2**x, n - x, n @ x]
    [1 << jnp.arange(3), 7 >> jnp.arange(3), 6 & jnp.arange(3), 6 | jnp.arange(3), 6 ^ jnp.arange(3)]
    jnp.ones((2, 3)).mT
    x.mT
    """
)
def test_operators(text: str) -> None:
    check(text)


@lines(
    """
    [jnp.float32 == np.dtype("float32"), np.dtype("float32") == jnp.float32, jnp.float32 != np.dtype("float32")]
    [jnp.float32 == jnp.float32, jnp.float32 == np.float32, np.float32 == jnp.float32, jnp.float32 == jnp.single]
    [jnp.float32 == jnp.float16, jnp.float32 == "float32", jnp.float32 == None, jnp.float64 == float, jnp.bool == bool]
    [jnp.dtype("int8") in (jnp.int8,), jnp.int8 in {np.int8: 1}, jnp.bfloat16 == jnp.dtype("bfloat16")]
    [jnp.isdtype(jnp.float32, ("real floating", "bool")), jnp.isdtype("int8", jnp.int8), jnp.isdtype(x.dtype, "numeric")]
    jnp.isdtype(x.dtype, ("numbers", "real floating"))
    jnp.isdtype(x.dtype, ["bool"])
    """
)
def test_dtypes(text: str) -> None:
    check(text)


ATTRIBUTES = (
    "bits eps max min smallest_normal tiny resolution nmant nexp epsneg machep negep smallest_subnormal precision"
)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "bfloat16", "float8_e4m3fn"])
def test_finfo(dtype: str) -> None:
    ours, theirs = sable.numpy.finfo(dtype), jax.numpy.finfo(dtype)
    assert ours.dtype == theirs.dtype
    for name in (*ATTRIBUTES.split(), "iexp", "maxexp", "minexp"):
        mine, yours = getattr(ours, name), getattr(theirs, name)
        assert mine == yours and type(mine) is type(yours), name


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64", "int4", "uint2"])
def test_iinfo(dtype: str) -> None:
    ours, theirs = sable.numpy.iinfo(dtype), jax.numpy.iinfo(dtype)
    for name in ("bits", "max", "min", "dtype", "kind"):
        assert getattr(ours, name) == getattr(theirs, name), name
