"""Narrow dtypes in compiled code: every bit pattern read, floats rounded as ml_dtypes rounds them, programs as under JAX."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import sable
from sable.ir.narrow import NARROW

FLOATS = [n.dtype for n in NARROW.values() if n.is_float]
INTEGERS = [n.dtype for n in NARROW.values() if not n.is_float]


def every(dtype: np.dtype) -> np.ndarray:
    """All elements of a dtype."""
    return np.arange(1 << NARROW[dtype].bits, dtype=np.uint8).view(dtype)


def same(x: Any, y: Any) -> bool:
    x, y = (np.asarray(z).astype(np.float32) for z in (x, y))
    return np.array_equal(x, y, equal_nan=True) and np.array_equal(
        np.signbit(x), np.signbit(y) | np.isnan(y) & np.signbit(x)
    )


def test_every_element_is_read() -> None:
    given = [every(dtype) for dtype in NARROW]
    read = sable.jit(lambda xs: [x.astype(np.float32) for x in xs])(given)
    for x, y in zip(given, read, strict=True):
        assert same(x.astype(np.float32), y), x.dtype


def test_floats_are_rounded_to_the_nearest() -> None:
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    wide = np.random.default_rng(0).integers(0, 1 << 32, 1 << 16, dtype=np.uint32).view(np.float32)
    finite = halves[np.isfinite(halves)]
    neighbours = [np.nextafter(finite[::7], np.float32(side)) for side in (-np.inf, np.inf)]
    x = np.concatenate([halves, wide, *neighbours])
    x = x[~((np.abs(x) < np.finfo(np.float32).tiny) & (x != 0))]  # which compiled code takes for 0
    rounded = sable.jit(lambda x: [x.astype(dtype) for dtype in FLOATS])(x)
    with np.errstate(all="ignore"):
        for dtype, y in zip(FLOATS, rounded, strict=True):
            kept = ~np.isnan(x) | np.isnan(np.float32(np.nan).astype(dtype))  # of NaN some formats have no other
            assert y.dtype == dtype and same(x[kept].astype(dtype), np.asarray(y)[kept]), dtype


def test_integers_wrap() -> None:
    x = np.arange(-128, 128, dtype=np.int8)
    wrapped = sable.jit(lambda x: [x.astype(dtype) for dtype in INTEGERS])(x)
    for dtype, y in zip(INTEGERS, wrapped, strict=True):
        assert np.array_equal(x.astype(dtype), np.asarray(y)), dtype


def program(jax: Any, dtype: Any) -> Any:
    jnp, lax = jax.numpy, jax.lax
    two = jnp.array(2, dtype)

    def run(x: Any, y: Any, i: Any) -> dict[str, Any]:
        m = x.reshape(3, 4)
        return {
            "arithmetic": (x + y, x * y - two, -x, jnp.abs(x), jnp.maximum(x, y), x * 3),
            "comparison": (x < y, x == y),
            "movement": (m.T, jnp.concatenate([x, y])[::-1], jnp.where(x > 0, x, y), jnp.pad(m, 1), x[i], m[1]),
            "update": (x.at[i].set(two), x.at[3].add(two), lax.dynamic_update_slice(m, m[:1, :2], (1, 1))),
            "reduction": (x.max(), m.min(0), jnp.argmax(m, 1), m.max(1, keepdims=True)),
            "order": (jnp.sort(x), jnp.argsort(y)),
            "product": (jnp.dot(m, m.T, preferred_element_type=np.float32),),
            "control": (
                lax.fori_loop(0, 3, lambda i, c: c + two, x),
                lax.cond(y[0] > 0, lambda a: a + two, lambda a: a, y),
                lax.scan(lambda c, a: (jnp.maximum(c, a), c), x[0], y),
            ),
            "batch": jax.vmap(lambda a, b: (a + b, a[::-1]))(m, m),
            "conversion": (x.astype(np.float32), x.astype(np.int32), x.astype(jnp.bfloat16), i.astype(dtype)),
            "bits": lax.bitcast_convert_type(x, np.uint8) if jnp.issubdtype(dtype, np.floating) else (),
        }

    return run


@pytest.mark.parametrize("dtype", [ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2, ml_dtypes.int4, ml_dtypes.uint4])
def test_programs_are_those_of_jax(dtype: Any) -> None:
    """JAX computes little with int4 on CPUs: integers are compared with those of 32 bits, wrapped."""
    oracle = pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    theirs_in = dtype if "float" in dtype.__name__ else np.int32
    rng = np.random.default_rng(1)
    x, y = (rng.integers(0 if "uint" in dtype.__name__ else -2, 2, 12).astype(dtype) for _ in range(2))
    i = np.array([1, 0, 7], np.int32)
    expected = oracle.jit(program(oracle, theirs_in))(x.astype(theirs_in), y.astype(theirs_in), i)
    paths = oracle.tree.flatten_with_path(expected)[0]
    for ours in (program(sable, dtype), sable.jit(program(sable, dtype))):
        found = sable.tree.leaves(ours(*map(sable.numpy.asarray, (x, y, i))))
        for (path, theirs), our in zip(paths, found, strict=True):
            assert our.shape == theirs.shape and our.dtype in (theirs.dtype, dtype), path
            assert same(our, np.asarray(theirs).astype(our.dtype)), path


def test_derivatives_are_rounded() -> None:
    x = np.array([0.5, 1.25, -2.0], ml_dtypes.float8_e4m3fn)

    def loss(x: Any) -> Any:
        return (x.astype(np.float32) ** 2).sum()

    for gradient in (sable.grad(loss), sable.jit(sable.grad(loss))):
        found = gradient(sable.numpy.asarray(x))
        assert found.dtype == x.dtype and np.array_equal(np.asarray(found).astype(np.float32), [1.0, 2.5, -4.0])


@pytest.mark.parametrize("dtype", INTEGERS, ids=lambda d: d.name)
def test_bits_of_integers(dtype: np.dtype) -> None:
    """Shifts and counts know the width, which their bytes do not show; all values by all amounts within it."""
    bits = NARROW[dtype].bits
    values = range(1 << bits)
    x, n = (np.array([a[i] for a in [(v, k) for v in values for k in range(bits)]]) for i in (0, 1))
    sign = x >> (bits - 1)
    expected = {
        "shift_left": x << n,
        "shift_right_logical": x >> n,
        "shift_right_arithmetic": (x - (sign << bits)) >> n,
        "clz": np.array([bits - int(v).bit_length() for v in x]),
        "bitwise_not": ~x,
        "bitwise_xor": x ^ n,
    }

    def program(x: Any, n: Any) -> dict[str, Any]:
        return {k: getattr(sable.lax, k)(*(x, n)[: 1 if k in ("clz", "bitwise_not") else 2]) for k in expected}

    given = [sable.numpy.asarray(v.astype(np.int8).astype(dtype)) for v in (x, n)]
    for found in (program(*given), sable.jit(program)(*given)):
        for name, y in found.items():
            assert y.dtype == dtype and np.array_equal(np.asarray(y), expected[name].astype(np.int8).astype(dtype)), (
                name
            )
