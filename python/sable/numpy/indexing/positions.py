"""Positions that fulfil a condition, and positions as numbers of elements."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.dtypes import default_dtype, iinfo, result_type, user_dtype
from sable.core.operands import (
    INT32,
    array_argument,
    array_arguments,
    broadcast_values,
    convert,
    expand_to,
    known_values,
    promote_dtypes,
    select,
    truth,
    wrapped,
)
from sable.core.trace import Tracer
from sable.core.values import as_value
from sable.lax.creation import broadcasted_iota
from sable.lax.elementwise import clamp
from sable.lax.shapes import broadcast_shapes
from sable.library.declare import library

from .update import write


@library
def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Value, ...]:
    """The positions of elements other than zero, one array of numbers for each dimension.

    Args:
      a: an array.
      size: the length of the result, which traced arrays need: positions beyond it are left out, missing ones
        filled in.
      fill_value: what is filled in (a scalar, or one for each dimension); 0 by default.

    Raises:
      ValueError: a scalar array.
      ConcretizationTypeError: a traced array and no size.

    Example:
      >>> x = jnp.array([[0, 3], [5, 0]])
      >>> jnp.nonzero(x)
      (Array([0, 1], dtype=int32), Array([1, 0], dtype=int32))
      >>> jax.jit(lambda x: jnp.nonzero(x, size=3, fill_value=-1))(x)  # a shape that does not depend on values
      (Array([ 0,  1, -1], dtype=int32), Array([ 1,  0, -1], dtype=int32))
    """
    x = array_argument("nonzero", a)
    shape = x.aval.shape
    if not shape:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use jnp.atleast_1d(scalar).nonzero() instead.")
    if size is None:
        values = known_values(
            x,
            "The size argument of jnp.nonzero must be statically specified "
            "to use jnp.nonzero within JAX transformations.",
        )
        return tuple(_indices(found) for found in np.nonzero(values))
    flat, missing = first_numbers(truth(x), operator.index(size))
    if fill_value is None:
        fill_value = 0
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value,) * len(shape)
    if len(fills) != len(shape):
        raise ValueError(f"fill_value must have one entry for each dimension, got {len(fills)} for shape {shape}")
    return tuple(_filled(p, missing, f) for p, f in zip(_split(flat, shape), fills))


def _indices(found: np.ndarray) -> Array:
    made = constant(found.astype(default_dtype("i")))
    made.constant = False
    return made


def first_numbers(mask: Value, size: int) -> tuple[Value, Value]:
    """Numbers of the first `size` true elements in row-major order, and where there are too few."""
    if size < 0:
        raise TypeError(f"broadcast_in_dim shape must have every element be nonnegative, got ({size},).")
    n = mask.aval.size
    line = broadcasted_iota(INT32, (size,), 0)
    if n == 0:
        return BIND.full(line.aval, 0), BIND.full(line.aval.update(dtype=np.dtype(np.bool_)), True)
    ones = BIND.convert(BIND.reshape(mask, shape=(n,)), dtype=INT32)
    count = BIND.reduce_sum(ones, dimensions=(0,))
    # the k-th true element goes to place k, the others beyond the end, where they are dropped
    place = BIND.subtract(BIND.cumsum(ones, axis=0, reverse=False), ones)
    outside = BIND.full(ones.aval, size)
    place = BIND.select(BIND.compare(ones, BIND.full(ones.aval, 0), comparison_direction="NE"), place, outside)
    own = broadcasted_iota(INT32, (n,), 0)
    flat = write("scatter", BIND.full(line.aval, 0), place, own, unique_indices=False)
    missing = BIND.compare(line, expand_to(count, (size,)), comparison_direction="GE")
    return flat, missing


def _split(flat: Value, shape: Sequence[int]) -> list[Value]:
    """Numbers of elements as positions, one array for each dimension."""
    found, stride = [], math.prod(shape)
    for n in shape:
        stride = stride // n if n else 1
        part = BIND.divide(flat, BIND.full(flat.aval, max(stride, 1)))
        found.append(BIND.remainder(part, BIND.full(flat.aval, max(n, 1))))
    return found


def _filled(positions: Value, missing: Value, fill: Any) -> Value:
    positions = convert(positions, default_dtype("i"))
    cases = promote_dtypes(array_arguments("nonzero", fill, positions))
    return select(*broadcast_values("nonzero", [missing, *cases]))


@library
def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The positions of elements other than zero in the flattened array.

    Args:
      a, size, fill_value: as of `nonzero`.

    Example:
      >>> jnp.flatnonzero(jnp.array([[0, 3], [5, 0]]))
      Array([1, 2], dtype=int32)
    """
    x = array_argument("flatnonzero", a)
    return nonzero(BIND.reshape(x, shape=(x.aval.size,)), size=size, fill_value=fill_value)[0]


@library
def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The positions of elements other than zero as rows of a matrix.

    Args:
      a, size, fill_value: as of `nonzero`.

    Example:
      >>> jnp.argwhere(jnp.array([[0, 3], [5, 0]]))
      Array([[0, 1],
             [1, 0]], dtype=int32)
    """
    x = array_argument("argwhere", a)
    if not x.aval.ndim:
        count = int(bool(known_values(x, "jnp.argwhere of a scalar"))) if size is None else int(size)
        return BIND.full(x.aval.update(shape=(count, 0), dtype=INT32, weak_type=False), 0)
    columns = nonzero(x, size=size, fill_value=fill_value)
    rows = [BIND.reshape(c, shape=(c.aval.size, 1)) for c in columns]
    return BIND.concatenate(*rows, dimension=1)


# ---- numbers of elements and positions -------------------------------------------------------------------------


def _split_by_values(x: Value, shape: Sequence[Any]) -> tuple[Value, ...]:
    """`unravel_index` for an array whose shape is traced."""
    dtype, weak = x.aval.dtype, x.aval.weak_type
    sizes = [expand_to(convert(array_argument("unravel_index", n, 1), dtype), x.aval.shape) for n in shape]
    total = functools.reduce(BIND.multiply, sizes)
    zero, one = (BIND.full(total.aval, k) for k in (0, 1))
    x = convert(x, dtype)
    if dtype.kind == "i":
        x = BIND.select(BIND.compare(x, zero, comparison_direction="LT"), BIND.add(x, total), x)
    x = BIND.maximum(zero, BIND.minimum(x, BIND.subtract(total, one)))
    found = []
    for n in reversed(sizes):
        found.append(convert(BIND.remainder(x, n), dtype, weak))
        x = BIND.divide(x, n)
    return tuple(found[::-1])


@library
def unravel_index(indices: Any, shape: Any) -> tuple[Value, ...]:
    """The positions of elements that are given by their number in row-major order.

    Args:
      indices: integers; negative ones count from the end, and those outside are moved inside.
      shape: an array's shape.

    Returns:
      A tuple of integers in the shape of `indices`, one for each dimension.

    Example:
      >>> jnp.unravel_index(jnp.array([1, 5, -1]), (2, 3))
      (Array([0, 1, 1], dtype=int32), Array([1, 2, 2], dtype=int32))
    """
    x = array_argument("unravel_index", indices)
    given = list(shape) if hasattr(shape, "__iter__") else [shape]
    if any(type(n) is Tracer for n in given):
        return _split_by_values(x, given)
    sizes = tuple(int(n) for n in given)
    if not sizes:
        return ()
    total = math.prod(sizes)
    weak = x.aval.weak_type
    if x.aval.dtype.kind == "i":
        negative = BIND.compare(x, BIND.full(x.aval, 0), comparison_direction="LT")
        x = BIND.select(negative, BIND.add(x, BIND.full(x.aval, total)), x)
    bounds = [constant(np.asarray(n, x.aval.dtype)) for n in (0, max(total - 1, 0))]
    x = clamp(bounds[0], x, bounds[1])
    return tuple(convert(p, p.aval.dtype, weak) for p in _split(x, sizes))


@library
def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], mode: str = "raise", order: str = "C", *, dtype: Any = None
) -> Value:
    """The numbers, in row-major ("C") or column-major ("F") order, of elements given by their positions.

    Args:
      multi_index: integers for each dimension; they broadcast.
      dims: an array's shape.
      mode: for positions outside: "raise" (known arrays only), "wrap", "clip" or "ignore" (they are taken as they are).
      dtype: of the result; by default that of the positions, promoted.

    Raises:
      ValueError: a position outside in mode "raise"; an unknown mode or order; not integers; too small a dtype.
      ConcretizationTypeError: a traced array in mode "raise".

    Example:
      >>> jnp.ravel_multi_index((jnp.array([0, 1]), jnp.array([2, 0])), (2, 3))
      Array([2, 3], dtype=int32)
    """
    if len(multi_index) != len(dims):
        raise AssertionError(f"len(multi_index)={len(multi_index)} != len(dims)={len(dims)}")
    sizes = tuple(int(n) for n in dims)
    parts = array_arguments("ravel_multi_index", *multi_index)
    for p in parts:
        if p.aval.dtype.kind not in "iu":
            raise ValueError(f"dtype={p.aval.dtype!r} is not an integer type.")
    if mode not in ("raise", "wrap", "clip", "ignore"):
        raise ValueError(f"invalid mode={mode!r}. Expected 'raise', 'wrap', 'clip', or 'ignore'.")
    if order not in ("C", "F"):
        raise ValueError(f"invalid order={order!r}. Expected 'C' or 'F'.")
    kind = result_type(int, *parts) if dtype is None else user_dtype(dtype, "ravel_multi_index")
    if math.prod(sizes) - 1 > iinfo(kind).max:
        raise ValueError(
            f"jnp.ravel_multi_index: dtype={kind!r} is too small for elements of an array of shape {sizes}."
        )
    shape = broadcast_shapes(*[p.aval.shape for p in parts])
    total = BIND.full(as_value(0).aval.update(shape=shape, dtype=kind, weak_type=False), 0)
    weights = [math.prod(sizes[d + 1 :]) if order == "C" else math.prod(sizes[:d]) for d in range(len(sizes))]
    for p, n, weight in zip(parts, sizes, weights):
        p = _checked(p, n, mode)
        p = expand_to(convert(p, kind), shape)
        total = BIND.add(total, BIND.multiply(p, BIND.full(total.aval, weight)))
    return total


def _checked(p: Value, n: int, mode: str) -> Value:
    if mode == "ignore":
        return p
    if mode == "wrap":
        return wrapped(p, n)
    if mode == "clip":
        return clamp(np.zeros((), p.aval.dtype), p, np.asarray(n - 1, p.aval.dtype))
    values = known_values(
        p,
        "The error occurred because ravel_multi_index was jit-compiled with mode='raise'. "
        "Use mode='wrap' or mode='clip' instead.",
    )
    if values.size and (values.min() < 0 or values.max() >= n):
        raise ValueError("invalid entry in coordinates array")
    return p
