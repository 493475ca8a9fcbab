"""Arrays made of nothing: of a number, or of numbers in a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND, constant
from sable.core.operands import (
    convert,
    integers,
    reshape_to,
    shape_argument,
    value_in,
    value_of,
)
from sable.core.trace import Tracer
from sable.core.values import retype
from sable.ir.aval import aval
from sable.library.declare import library

from .shapes import broadcast_in_dim


@library
def iota(dtype: Any, size: int) -> Value:
    """0, 1, 2 ... of a dtype.

    Args:
      dtype: of the result, no boolean one.
      size: how many.

    Raises:
      TypeError: booleans.

    Example:
      >>> lax.iota(jnp.float32, 3)
      Array([0., 1., 2.], dtype=float32)
    """
    return broadcasted_iota(dtype, (size,), 0)


@library
def broadcasted_iota(dtype: Any, shape: Sequence[int], dimension: int, *, out_sharding: Any = None) -> Value:
    """An array whose elements are their own position along a dimension.

    Args:
      dtype: of the result, no boolean one.
      shape: of the result.
      dimension: along which the elements count.
      out_sharding: without effect.

    Raises:
      TypeError: booleans.
      ValueError: no such dimension.

    Example:
      >>> lax.broadcasted_iota(jnp.int32, (2, 3), 1)
      Array([[0, 1, 2],
             [0, 1, 2]], dtype=int32)
    """
    found = dtypes.user_dtype(dtype, "iota")
    return BIND.iota(shape=shape_argument(shape), dtype=found, iota_dimension=int(dimension))


def refuse_complex(name: str, fill_value: Any, dtype: np.dtype) -> None:
    """A complex Python scalar fills no array of real numbers: its imaginary part would be lost.

    Raises:
      TypeError: it does.
    """
    if type(fill_value) is complex and dtypes.kind_of(dtype) in "iuf":
        raise TypeError(f"{name} got the complex fill_value {fill_value} for the dtype {dtype}; give fill_value.real")


@library(moves=(), fills=("fill_value",))
def full(shape: Any, fill_value: Any, dtype: Any = None, *, sharding: Any = None) -> Value:
    """An array of one repeated value.

    Args:
      shape: sizes.
      fill_value: a scalar.
      dtype: of the result; by default the value's, with its weak type.
      sharding: without effect.

    Raises:
      TypeError: the value is no scalar, or a complex Python scalar for a real dtype; a negative size.

    Example:
      >>> lax.full((2,), 1.)
      Array([1., 1.], dtype=float32, weak_type=True)
      >>> lax.full((2,), 1., jnp.int32)
      Array([1, 1], dtype=int32)
    """
    sizes = shape_argument(shape)
    wanted = None if dtype is None else dtypes.user_dtype(dtype, "full")
    if wanted is not None:
        refuse_complex("full", fill_value, wanted)
    value = value_of(fill_value, "full") if wanted is None else value_in(wanted, fill_value, "full")
    if value.aval.ndim:
        raise TypeError(f"full must be called with scalar fill_value, got fill_value.shape {value.aval.shape}.")
    weak = wanted is None and value.aval.weak_type
    wanted = value.aval.dtype
    if isinstance(value, Tracer):
        filled = convert(value, wanted, weak)
        return BIND.broadcast_in_dim(filled, shape=sizes, broadcast_dimensions=()) if sizes else filled
    scalar = convert(value, wanted).numpy()[()]  # type: ignore[attr-defined]
    return BIND.full(aval(sizes, wanted, weak), scalar)


@library(operands=("fill_value",), moves=("x",), fills=("fill_value",))
def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, sharding: Any = None) -> Value:
    """An array of one repeated value, with another array's shape, dtype and weak type unless they are given.

    Args:
      x: an array.
      fill_value: a scalar.
      dtype, shape: of the result; by default those of `x`.
      sharding: without effect.

    Raises:
      TypeError: the value is no scalar, or a complex Python scalar for a real dtype.

    Example:
      >>> lax.full_like(jnp.array([1, 2]), 0.5, dtype=jnp.float32)
      Array([0.5, 0.5], dtype=float32)
      >>> lax.full_like(jnp.array([1, 2]), 0.5)
      Array([0, 0], dtype=int32)
    """
    like = value_of(x, "full_like").aval
    sizes = like.shape if shape is None else shape_argument(shape)
    if dtype is not None:
        return full(sizes, fill_value, dtype)
    refuse_complex("full_like", fill_value, like.dtype)
    value = value_in(like.dtype, fill_value, "full_like")
    if value.aval.ndim:
        raise TypeError(f"full must be called with scalar fill_value, got fill_value.shape {value.aval.shape}.")
    filled = retype(value, like.weak_type)
    if isinstance(value, Tracer):
        return broadcast_in_dim(filled, sizes, ())
    return BIND.full(aval(sizes, like.dtype, like.weak_type), filled.numpy()[()])  # type: ignore[attr-defined]


@library(moves=())
def empty(shape: Any, dtype: Any, *, out_sharding: Any = None) -> Value:
    """An array of zeros: contents that one may not rely on.

    Args:
      shape: of the result.
      dtype: of the result.
      out_sharding: without effect.

    Raises:
      TypeError: a negative size, or no dtype.

    Example:
      >>> lax.empty((2,), jnp.int32)
      Array([0, 0], dtype=int32)
    """
    return full(shape, 0, dtype)


@library
def shape_as_value(shape: Sequence[int]) -> Value:
    """A shape as an array of the default integer dtype.

    Args:
      shape: integers.

    Example:
      >>> lax.shape_as_value((2, 3))
      Array([2, 3], dtype=int32)
    """
    dtype = dtypes.default_int_dtype()
    if not any(isinstance(d, Tracer) for d in shape):
        return constant(np.array(integers(shape), dtype))
    return BIND.concatenate(
        *(reshape_to(convert(value_of(d, "shape_as_value"), dtype), (1,)) for d in shape), dimension=0
    )
