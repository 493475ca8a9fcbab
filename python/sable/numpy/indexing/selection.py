"""Indexing: `x[...]`, `x.at[...]`, and the functions that select elements by position or by condition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.concretization import concretization_error
from sable.core.dtypes import user_dtype
from sable.core.operands import array_argument, array_arguments
from sable.core.trace import Tracer
from sable.core.values import as_value
from sable.lax._operands import axis_in, expand_to
from sable.lax.elementwise import clamp, convert
from sable.lax.gathering import GatherDimensionNumbers, GatherScatterMode, gather
from sable.lax.shapes import broadcast_shapes, broadcasted_iota

from .read import getitem, read
from .update import _IndexUpdateHelper, _IndexUpdateRef, write

__all__ = [
    "IndexUpdateHelper",
    "argwhere",
    "at",
    "compress",
    "extract",
    "flatnonzero",
    "getitem",
    "nonzero",
    "put",
    "put_along_axis",
    "ravel_multi_index",
    "take",
    "take_along_axis",
    "unravel_index",
]

IndexUpdateHelper = _IndexUpdateHelper
IndexUpdateRef = _IndexUpdateRef
_INT32 = np.dtype(np.int32)


def at(x: Value) -> _IndexUpdateHelper:
    """`x.at`: `x.at[index].set(y)` and its like return changed copies."""
    return _IndexUpdateHelper(x)


def _known(x: Value, what: str) -> np.ndarray:
    """The values of an array on which a result's shape depends.

    Raises:
      ConcretizationTypeError: they are not known.
    """
    if isinstance(x, Tracer):
        found = x.trace.evaluate(x.value) if x.trace.live else None
        if found is None:
            raise concretization_error(x, what)
        return found.numpy()
    return x.numpy()  # type: ignore[attr-defined]


# ---- take ------------------------------------------------------------------------------------------------------


def _wrapped(indices: Value, size: int) -> Value:
    """Indices modulo a size, with the sign of the size."""
    a = indices.aval
    n, zero = BIND.full(a, size), BIND.full(a, 0)
    remainder = BIND.remainder(indices, n)
    return BIND.select(BIND.compare(remainder, zero, comparison_direction="LT"), BIND.add(remainder, n), remainder)


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Value:
    """Elements, or slices along an axis, by number.

    Args:
      a: an array.
      indices: integers; negative ones count from the end.
      axis: the axis; None flattens the array first.
      mode: what numbers outside mean: "fill" (the default: NaN, or the least integer), "clip", "wrap".
      unique_indices, indices_are_sorted: promises about the indices.
      fill_value: elements for numbers outside in mode "fill".

    Returns:
      The array with the axis replaced by the indices' dimensions.

    Raises:
      ValueError: no such axis or mode; indices that are not integers.
      IndexError: an axis without elements.
      NotImplementedError: `out`, or mode "raise".

    Example:
      >>> import sable.numpy as jnp
      >>> take(jnp.array([10., 20., 30.]), jnp.array([2, 0, 5]))
      Array([30., 10., nan], dtype=float32)
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.take is not supported.")
    x, numbers = array_arguments("take", a, indices)
    if axis is None:
        x, place = BIND.reshape(x, shape=(x.aval.size,)), 0
    else:
        place = axis_in(axis, x.aval.ndim)
    if numbers.aval.dtype == np.bool_:
        numbers = convert(numbers, _INT32)
    if numbers.aval.dtype.kind not in "iu":
        raise ValueError("indices must have an integer type")
    size = x.aval.shape[place]
    if size == 0 and numbers.aval.size:
        raise IndexError("Cannot do a non-empty jnp.take() from an empty axis.")
    if size == 0:
        shape = (*x.aval.shape[:place], *numbers.aval.shape, *x.aval.shape[place + 1 :])
        return BIND.full(x.aval.update(shape=shape), 0)
    if mode == "wrap":
        numbers, mode = _wrapped(numbers, size), "promise_in_bounds"
    elif mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.take is not supported.")
    elif not isinstance(mode, GatherScatterMode) and mode not in (None, "fill", "clip", "promise_in_bounds"):
        raise ValueError(f"Invalid mode '{mode}' for np.take")
    return read(
        x,
        (*[slice(None)] * place, numbers),
        mode="fill" if mode is None else mode,
        fill_value=fill_value,
        wrap_negative_indices=mode != "clip",
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )


def _along_axis_arguments(arr: Any, indices: Any, axis: int | None, name: str) -> tuple[Value, Value, int]:
    x, numbers = array_arguments(name, arr, indices)
    if numbers.aval.dtype.kind not in "iu":
        raise TypeError(f"{name} indices must be of integer type, got {numbers.aval.dtype.name}")
    if axis is None:
        if numbers.aval.ndim != 1:
            raise ValueError(f"{name} indices must be 1D if axis=None, got shape {numbers.aval.shape}")
        return BIND.reshape(x, shape=(x.aval.size,)), numbers, 0
    if x.aval.ndim != numbers.aval.ndim:
        raise ValueError(
            f"indices and arr must have the same number of dimensions; {numbers.aval.ndim} vs. {x.aval.ndim}"
        )
    return x, numbers, axis_in(axis, x.aval.ndim)


def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Value:
    """Along an axis, for each line of the array the elements that the line of indices numbers.

    Args:
      arr: an array.
      indices: integers, of the array's rank; other dimensions broadcast.
      axis: the axis; None flattens the array.
      mode: "fill" (the default), "clip" or "promise_in_bounds", for numbers outside.
      fill_value: elements for numbers outside in mode "fill".
      wrap_negative_indices: whether negative numbers count from the end; by default except in mode
        "promise_in_bounds".

    Raises:
      TypeError: indices that are not integers.
      ValueError: ranks or shapes disagree; no such axis or mode.
    """
    x, numbers, place = _along_axis_arguments(arr, indices, axis, "take_along_axis")
    way = GatherScatterMode.from_any(mode)
    shape, own = x.aval.shape, numbers.aval.shape
    others = [s[:place] + (1,) + s[place + 1 :] for s in (shape, own)]
    broadcast = broadcast_shapes(*others)
    result = broadcast[:place] + (own[place],) + broadcast[place + 1 :]
    if 0 in result:
        return BIND.full(x.aval.update(shape=result), 0)
    if wrap_negative_indices is None:
        wrap_negative_indices = way is not GatherScatterMode.PROMISE_IN_BOUNDS
    if wrap_negative_indices:
        numbers = _from_front(numbers, shape[place])
    elif numbers.aval.dtype != _INT32 and numbers.aval.dtype.itemsize < 8:
        numbers = convert(numbers, _INT32)
    # dimensions in which a line of indices serves a whole dimension of the array are windows
    windows = [d for d, (n, m) in enumerate(zip(shape, own)) if d != place and m == 1 and n != 1]
    batch = [d for d in range(len(shape)) if d not in windows]
    paired = [d for d in batch if d != place and shape[d] != 1]
    numbers = BIND.reshape(numbers, shape=(*[own[d] for d in batch], 1))
    dimension_numbers = GatherDimensionNumbers(
        tuple(windows),
        tuple(d for d in batch if d not in paired),
        (place,),
        tuple(paired),
        tuple(batch.index(d) for d in paired),
    )
    sizes = tuple(n if d in windows else 1 for d, n in enumerate(shape))
    return gather(x, numbers, dimension_numbers, sizes, mode=way, fill_value=fill_value)


def _from_front(indices: Value, size: int) -> Value:
    """Indices as int32 (or 64 bits wide), negative ones counted from the front."""
    unsigned = indices.aval.dtype.kind == "u"
    if unsigned and indices.aval.dtype.itemsize == 4:
        indices = BIND.minimum(indices, BIND.full(indices.aval, 2**31 - 1))
    indices = convert(indices, np.dtype(np.int64) if indices.aval.dtype.itemsize == 8 else _INT32)
    if unsigned:
        return indices
    a = indices.aval
    negative = BIND.compare(indices, BIND.full(a, 0), comparison_direction="LT")
    return BIND.select(negative, BIND.add(indices, BIND.full(a, size)), indices)


def _no_inplace(name: str, inplace: bool) -> None:
    if inplace:
        raise ValueError(
            f"jax.numpy.{name} cannot modify arrays in-place, because JAX arrays are immutable. "
            "Pass inplace=False to instead return an updated array."
        )


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True, *, mode: Any = None
) -> Value:
    """A copy of the array with the elements that `take_along_axis` would take replaced.

    Args:
      arr, indices, axis: as for `take_along_axis`.
      values: broadcast to the indices' shape.
      inplace: must be False.
      mode: "drop" (the default), "clip" or "promise_in_bounds", for numbers outside.

    Raises:
      ValueError: `inplace` is True; ranks or shapes disagree.
      TypeError: indices that are not integers.
    """
    _no_inplace("put_along_axis", inplace)
    original = array_argument("put_along_axis", arr)
    x, numbers, place = _along_axis_arguments(arr, indices, axis, "put_along_axis")
    shape = x.aval.shape
    index: list[Any] = []
    for d, n in enumerate(shape):
        line = [1] * len(shape)
        line[d] = n
        index.append(numbers if d == place else np.arange(n, dtype=np.int32).reshape(line))
    found = write("scatter", x, tuple(index), values, mode=mode)
    return found if axis is not None else BIND.reshape(found, shape=original.aval.shape)


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Value:
    """A copy of the array with elements of the flattened array replaced.

    Args:
      a: an array.
      ind: integers.
      v: values, repeated or cut off to as many as there are indices.
      mode: "clip" (the default) or "wrap", for numbers outside.
      inplace: must be False.

    Raises:
      ValueError: `inplace` is True; an unknown mode.
      NotImplementedError: mode "raise".
    """
    _no_inplace("put", inplace)
    x, numbers, values = array_arguments("put", a, ind, v)
    if mode == "raise":
        raise NotImplementedError("The 'raise' mode to jnp.put is not supported.")
    if mode not in (None, "clip", "wrap"):
        raise ValueError(f"mode should be one of 'wrap' or 'clip'; got mode={mode}")
    count = numbers.aval.size
    if not (count and values.aval.size and x.aval.size):
        return x
    numbers = BIND.reshape(numbers, shape=(count,))
    line = BIND.reshape(values, shape=(values.aval.size,))
    repeats = -(-count // values.aval.size)
    line = line if repeats == 1 else BIND.concatenate(*[line] * repeats, dimension=0)
    line = BIND.slice(line, start_indices=(0,), limit_indices=(count,), strides=(1,))
    if mode == "wrap":
        numbers = _wrapped(numbers, x.aval.size)
    flat = BIND.reshape(x, shape=(x.aval.size,))
    return BIND.reshape(write("scatter", flat, numbers, line, mode="clip"), shape=x.aval.shape)


# ---- positions that fulfil a condition -------------------------------------------------------------------------


def _truth(x: Value) -> Value:
    if x.aval.dtype == np.bool_:
        return x
    return BIND.compare(x, BIND.full(x.aval, 0), comparison_direction="NE")


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
    """
    x = array_argument("nonzero", a)
    shape = x.aval.shape
    if not shape:
        raise ValueError("Calling nonzero on 0d arrays is not allowed. Use jnp.atleast_1d(scalar).nonzero() instead.")
    if size is None:
        values = _known(
            x,
            "The size argument of jnp.nonzero must be statically specified "
            "to use jnp.nonzero within JAX transformations.",
        )
        return tuple(_indices(found) for found in np.nonzero(values))
    flat, missing = _numbers(_truth(x), int(size))
    if fill_value is None:
        fill_value = 0
    fills = fill_value if isinstance(fill_value, tuple) else (fill_value,) * len(shape)
    if len(fills) != len(shape):
        raise ValueError(f"fill_value must have one entry for each dimension, got {len(fills)} for shape {shape}")
    return tuple(_filled(p, missing, f) for p, f in zip(_split(flat, shape), fills))


def _indices(found: np.ndarray) -> Array:
    made = constant(found.astype(np.int32))
    made.constant = False
    return made


def _numbers(mask: Value, size: int) -> tuple[Value, Value]:
    """Numbers of the first `size` true elements in row-major order, and where there are too few."""
    if size < 0:
        raise TypeError(f"broadcast_in_dim shape must have every element be nonnegative, got ({size},).")
    n = mask.aval.size
    line = broadcasted_iota(_INT32, (size,), 0)
    if n == 0:
        return BIND.full(line.aval, 0), BIND.full(line.aval.update(dtype=np.dtype(np.bool_)), True)
    ones = BIND.convert(BIND.reshape(mask, shape=(n,)), dtype=_INT32)
    count = BIND.reduce_sum(ones, dimensions=(0,))
    # the k-th true element goes to place k, the others beyond the end, where they are dropped
    place = BIND.subtract(BIND.cumsum(ones, axis=0, reverse=False), ones)
    outside = BIND.full(ones.aval, size)
    place = BIND.select(BIND.compare(ones, BIND.full(ones.aval, 0), comparison_direction="NE"), place, outside)
    own = broadcasted_iota(_INT32, (n,), 0)
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
    from sable.numpy import where

    return where(missing, fill, positions)


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The positions of elements other than zero in the flattened array; see `nonzero`."""
    x = array_argument("flatnonzero", a)
    return nonzero(BIND.reshape(x, shape=(x.aval.size,)), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Value:
    """The positions of elements other than zero as rows of a matrix; see `nonzero`."""
    x = array_argument("argwhere", a)
    if not x.aval.ndim:
        count = int(bool(_known(x, "jnp.argwhere of a scalar"))) if size is None else int(size)
        return BIND.full(x.aval.update(shape=(count, 0), dtype=_INT32, weak_type=False), 0)
    columns = nonzero(x, size=size, fill_value=fill_value)
    rows = [BIND.reshape(c, shape=(c.aval.size, 1)) for c in columns]
    return BIND.concatenate(*rows, dimension=1)


def compress(
    condition: Any, a: Any, axis: int | None = None, *, size: int | None = None, fill_value: Any = 0, out: None = None
) -> Value:
    """The slices along an axis for which a condition holds.

    Args:
      condition: a vector, not longer than the axis.
      a: an array.
      axis: the axis; None flattens the array.
      size: the number of slices, which traced conditions need.
      fill_value: what missing slices consist of.

    Raises:
      ValueError: the condition is no vector or too long; a size beyond the axis.
      NotImplementedError: `out`.
    """
    which, x = array_arguments("compress", condition, a)
    if which.aval.ndim != 1:
        raise ValueError("condition must be a 1D array")
    if out is not None:
        raise NotImplementedError("The 'out' argument is not supported.")
    if axis is None:
        x, place = BIND.reshape(x, shape=(x.aval.size,)), 0
    else:
        place = axis_in(axis, x.aval.ndim)
    length = x.aval.shape[place]
    if size is not None and not 0 < size <= length:
        raise ValueError(
            "size must be positive and not greater than the size of the array axis; "
            f"got size={size} for a.shape[axis]={length}"
        )
    if size is None:
        mask = _known(which, "The size argument of jnp.compress must be statically specified.").astype(bool)
        if mask[length:].any():
            raise ValueError("condition contains entries that are out of bounds")
        return getitem(x, (*[slice(None)] * place, np.flatnonzero(mask)))
    short = min(which.aval.size, length)
    which = BIND.slice(which, start_indices=(0,), limit_indices=(short,), strides=(1,))
    flat, missing = _numbers(_truth(which), size)
    numbers = BIND.select(missing, BIND.full(flat.aval, length), flat)
    return take(x, numbers, axis=place, fill_value=fill_value)


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Value:
    """The elements of the flattened array for which a condition holds; see `compress`."""
    which, x = array_arguments("extract", condition, arr)
    return compress(BIND.reshape(which, shape=(which.aval.size,)), x, size=size, fill_value=fill_value)


# ---- numbers of elements and positions -------------------------------------------------------------------------


def unravel_index(indices: Any, shape: Any) -> tuple[Value, ...]:
    """The positions of elements that are given by their number in row-major order.

    Args:
      indices: integers; negative ones count from the end, and those outside are moved inside.
      shape: an array's shape.
    """
    x = array_argument("unravel_index", indices)
    sizes = tuple(int(n) for n in shape) if hasattr(shape, "__iter__") else (int(shape),)
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


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], mode: str = "raise", order: str = "C", *, dtype: Any = None
) -> Value:
    """The numbers, in row-major ("C") or column-major ("F") order, of elements given by their positions.

    Args:
      multi_index: integers for each dimension; they broadcast.
      dims: an array's shape.
      mode: for positions outside: "raise" (known arrays only), "wrap" or "clip".
      dtype: of the result; int32 (or int64 with x64) by default.

    Raises:
      ValueError: a position outside in mode "raise"; an unknown mode or order; not integers.
      ConcretizationTypeError: a traced array in mode "raise".
    """
    if len(multi_index) != len(dims):
        raise AssertionError(f"len(multi_index)={len(multi_index)} != len(dims)={len(dims)}")
    sizes = tuple(int(n) for n in dims)
    parts = array_arguments("ravel_multi_index", *multi_index)
    for p in parts:
        if p.aval.dtype.kind not in "iu":
            raise ValueError(f"dtype={p.aval.dtype!r} is not an integer type.")
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"invalid mode={mode!r}. Expected 'raise', 'wrap', or 'clip'.")
    if order not in ("C", "F"):
        raise ValueError(f"invalid order={order!r}. Expected 'C' or 'F'.")
    kind = user_dtype(int if dtype is None else dtype, "ravel_multi_index")
    shape = broadcast_shapes(*[p.aval.shape for p in parts])
    total = BIND.full(as_value(0).aval.update(shape=shape, dtype=kind, weak_type=False), 0)
    weights = [math.prod(sizes[d + 1 :]) if order == "C" else math.prod(sizes[:d]) for d in range(len(sizes))]
    for p, n, weight in zip(parts, sizes, weights):
        p = _checked(p, n, mode)
        dims_of = tuple(range(len(shape) - p.aval.ndim, len(shape)))
        p = BIND.broadcast_in_dim(convert(p, kind), shape=shape, broadcast_dimensions=dims_of)
        total = BIND.add(total, BIND.multiply(p, BIND.full(total.aval, weight)))
    return total


def _checked(p: Value, n: int, mode: str) -> Value:
    if mode == "wrap":
        return _wrapped(p, n)
    if mode == "clip":
        return clamp(np.zeros((), p.aval.dtype), p, np.asarray(n - 1, p.aval.dtype))
    values = _known(p, "The error occurred because ravel_multi_index was jit-compiled with mode='raise'.")
    if values.size and (values.min() < 0 or values.max() >= n):
        raise ValueError("invalid entry in coordinates array")
    return p
