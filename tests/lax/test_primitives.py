"""Primitives that are composed of other operations here do what JAX's do; `lax.rng_uniform`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax as jax_oracle
import numpy as np
import pytest

import sable
from sable import lax

X = np.arange(6, dtype=np.float32).reshape(2, 3)
PLACES = np.array([-np.nan, -np.inf, -1, -0.0, 0.0, 1, np.nan], np.float32)
PAIRS = tuple(np.meshgrid(PLACES, PLACES))
WHOLE = tuple(np.meshgrid(*2 * [np.array([3, 0, -7])]))
WINDOW = {"window_dimensions": (2, 2), "window_strides": (1, 1), "padding": ((0, 0), (0, 0))}


def bound(name: str, *operands: Any, **params: Any) -> tuple[str, Callable]:
    """A row: the primitive of either package on the operands."""
    return name, lambda jax: getattr(jax.lax, f"{name}_p").bind(*map(jax.numpy.asarray, operands), **params)


def mapped(name: str, x: np.ndarray, **params: Any) -> tuple[str, Callable]:
    """A row of a primitive over the axis `i`."""
    return name, lambda jax: jax.vmap(lambda v: getattr(jax.lax, f"{name}_p").bind(v, **params), axis_name="i")(x)


ROWS = [
    bound("conj", X + 1j, input_dtype=np.dtype(np.complex64)),
    bound("exp2", X, accuracy=None),
    *(bound(name, *pair) for name in ("eq_to", "le_to", "lt_to") for pair in (PAIRS, WHOLE)),
    bound("mulhi", np.int32([2**30, -5]), np.int32([77, 3])),
    bound("split", X, sizes=(1, 2), axis=1),
    bound("squeeze", X[:1], dimensions=(0,)),
    bound("stack", X, X + 1, axis=1),
    bound("tile", X, reps=(2, 1)),
    *(bound("top_k", X, k=2, axis=axis) for axis in (0, 1)),
    bound("unstack", X, axis=1),
    ("select_and_scatter_add", lambda jax: jax.lax.select_and_scatter_add_p.bind(
        jax.numpy.ones((1, 2)), jax.numpy.asarray(X), select_prim=jax.lax.ge_p, **WINDOW)),
    mapped("all_to_all", X[:, :2], axis_name="i", split_axis=0, concat_axis=0, axis_index_groups=None, tiled=False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "run"), ROWS, ids=[name for name, _ in ROWS])
def test_as_in_jax(name: str, run: Callable) -> None:
    ours, theirs = (getattr(jax.lax, f"{name}_p") for jax in (sable, jax_oracle))
    assert (ours.name, ours.multiple_results) == (theirs.name, theirs.multiple_results)
    got, want = run(sable), run(jax_oracle)
    pairs = zip(got, want, strict=True) if ours.multiple_results else [(got, want)]
    for x, y in pairs:
        assert (x.dtype, x.shape) == (y.dtype, y.shape)
        np.testing.assert_allclose(np.asarray(x), np.asarray(y), rtol=1e-6)


def test_those_that_jax_binds_otherwise() -> None:
    sent = sable.vmap(lambda v: lax.ppermute_p.bind(v, axis_name="i", perm=((0, 1), (1, 0))), axis_name="i")(X)
    np.testing.assert_array_equal(sent, X[::-1])
    numbers = lax.ScatterDimensionNumbers((1,), (0,), (0,))
    mode = lax.GatherScatterMode.CLIP
    less = lax.scatter_sub_p.bind(
        X, np.int32([[1]]), X[:1], dimension_numbers=numbers, indices_are_sorted=True, unique_indices=True, mode=mode,
        update_jaxpr=None, update_consts=(),
    )  # fmt: skip
    np.testing.assert_array_equal(less, X - [[0, 0, 0], [0, 1, 2]])
    device = sable.devices("cpu")[0]
    moved, same = lax.device_put_p.bind(X, 2.0, devices=(device, None), srcs=(None, None), copy_semantics=(None, None))
    assert moved.committed and not same.committed and same == 2
    sharding = sable.sharding.SingleDeviceSharding(device)
    held = lax.sharding_constraint_p.bind(X, sharding=sharding, layout=None, unconstrained_dims=frozenset())
    np.testing.assert_array_equal(held, X)
    assert lax.linear_solve_p.name == jax_oracle.lax.linear_solve_p.name


@pytest.mark.parametrize(
    ("low", "high"),
    [(np.float32(-2), np.float32(3)), (np.float16(0), np.float16(1)), (np.int8(-100), np.int8(100)), (np.uint16(7), np.uint16(9))],
)  # fmt: skip
def test_rng_uniform_is_between(low: Any, high: Any) -> None:
    first, second = (np.asarray(lax.rng_uniform(low, high, (30, 20))) for _ in range(2))
    assert first.dtype == low.dtype and (first >= low).all() and (first < high).all()
    assert (first != second).any()
    middle, width = (float(low) + float(high)) / 2, float(high) - float(low)
    deviation = width / np.sqrt(12 * first.size)
    offset = 0.5 if first.dtype.kind in "iu" else 0
    assert abs(first.astype(float).mean() + offset - middle) < 5 * deviation


@pytest.mark.parametrize("arguments", [(0.0, 1, (2,)), (np.zeros(2), 1.0, (2,))])
def test_rng_uniform_refuses(arguments: tuple) -> None:
    errors = []
    for jax in (sable, jax_oracle):
        with pytest.raises(ValueError, match="Arguments to rng_uniform must") as caught:
            jax.lax.rng_uniform(*arguments)
        errors.append(str(caught.value))
    assert errors[0] == errors[1]
