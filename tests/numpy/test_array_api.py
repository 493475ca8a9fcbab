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
    jnp.bool_.__name__, jnp.bool_ is jnp.bool, jnp.single.__name__
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


NAMES = """
    abs acos acosh add all any arange argmax argmin argsort asarray asin asinh astype atan atan2 atanh bitwise_and
    bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor bool broadcast_arrays broadcast_to can_cast
    ceil clip complex64 complex128 concat conj copysign cos cosh count_nonzero cumulative_prod cumulative_sum diff divide e
    empty empty_like equal exp expand_dims expm1 eye finfo flip float32 float64 floor floor_divide from_dlpack full full_like
    greater greater_equal hypot iinfo imag inf int8 int16 int32 int64 isdtype isfinite isinf isnan less less_equal linspace
    log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul matrix_transpose max maximum mean
    meshgrid min minimum moveaxis multiply nan negative newaxis nextafter nonzero not_equal ones ones_like permute_dims pi
    positive pow prod real reciprocal remainder repeat reshape result_type roll round searchsorted sign signbit sin sinh sort
    sqrt square squeeze stack std subtract sum take take_along_axis tan tanh tensordot tile tril triu trunc uint8 uint16
    uint32 uint64 unique_all unique_counts unique_inverse unique_values unstack var vecdot where zeros zeros_like
    __array_api_version__ __array_namespace_info__
"""
ATTRIBUTES_OF_ARRAYS = """
    dtype device mT ndim shape size T to_device __abs__ __add__ __and__ __array_namespace__ __bool__ __complex__ __dlpack__
    __dlpack_device__ __eq__ __float__ __floordiv__ __ge__ __getitem__ __gt__ __index__ __int__ __invert__ __le__ __lshift__
    __lt__ __matmul__ __mod__ __mul__ __ne__ __neg__ __or__ __pos__ __pow__ __rshift__ __setitem__ __sub__ __truediv__ __xor__
    __radd__ __rand__ __rfloordiv__ __rlshift__ __rmatmul__ __rmod__ __rmul__ __ror__ __rpow__ __rrshift__ __rsub__
    __rtruediv__ __rxor__
"""


def test_names() -> None:
    """The standard's names, version 2024.12, without its extensions."""
    assert [name for name in NAMES.split() if not hasattr(jnp, name)] == []
    x = jnp.ones((2, 2))
    assert [name for name in ATTRIBUTES_OF_ARRAYS.split() if not hasattr(x, name)] == []


UNARY = """abs acos acosh asin asinh atan atanh ceil cos cosh exp expm1 floor isfinite isinf isnan log log1p log2 log10
    logical_not negative positive reciprocal round sign signbit sin sinh sqrt square tan tanh trunc"""
BINARY = """add atan2 copysign divide equal floor_divide greater greater_equal hypot less less_equal logaddexp maximum minimum
    multiply nextafter not_equal pow remainder subtract"""
#: Numbers that the standard's special cases are about; large ones, where formulas overflow or cancel.
SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.5, 3.0, 1e15, -1e15, 1e30, -1e30, np.inf, -np.inf, np.nan]


def same_specials(mine: np.ndarray, yours: np.ndarray, signs: bool) -> np.ndarray:
    """Where results agree: NaN, infinities, and, if `signs`, the signs of zeros."""
    with np.errstate(invalid="ignore"):
        close = np.isclose(mine, yours, rtol=1e-4, equal_nan=True)
    return (
        close
        if not signs or mine.dtype.kind != "f"
        else close & (np.isnan(mine) | (np.signbit(mine) == np.signbit(yours)))
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_special_cases(dtype: str) -> None:
    first, second = np.stack(np.meshgrid(SPECIAL, SPECIAL)).reshape(2, -1)

    def results(module: Any, compiled: bool) -> dict[str, np.ndarray]:
        def all_of(x: Any, first: Any, second: Any) -> dict[str, Any]:
            one = {name: getattr(module.numpy, name)(x) for name in UNARY.split()}
            return one | {name: getattr(module.numpy, name)(first, second) for name in BINARY.split()}

        with module.enable_x64(dtype == "float64"):
            operands = [module.numpy.asarray(x, dtype=dtype) for x in (SPECIAL, first, second)]
            found = (module.jit(all_of) if compiled else all_of)(*operands)
            return {name: np.asarray(x) for name, x in found.items()}

    theirs = results(jax, True)
    for compiled in (False, True):
        for name, mine in results(sable, compiled).items():
            # which zero is the greater one is not specified
            agree = same_specials(mine, theirs[name], name not in ("maximum", "minimum"))
            operands = (first, second) if name in BINARY.split() else (np.asarray(SPECIAL),)
            assert agree.all(), (name, compiled, [x[~agree] for x in operands], mine[~agree])
