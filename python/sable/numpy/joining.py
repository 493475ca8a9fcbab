"""Arrays put together and taken apart: concatenate, stack, split, append, pad ..."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.operands import (
    BIND,
    array_argument,
    array_arguments,
    convert,
    dtype_argument,
    normal_axis,
    promote_dtypes,
    reshape_to,
)

from ._fusion import fused
from .manipulation import atleast_1d, atleast_2d, atleast_3d, expand_dims, ravel, slice_axis

# ---- together ------------------------------------------------------------------------------------


def _rows(name: str, arrays: Any) -> list[Value]:
    """The arrays of a sequence, or those along the first axis of an array.

    Raises:
      TypeError: neither. ValueError: there are none.
    """
    if isinstance(arrays, (Value, np.ndarray)):
        x = array_argument(name, arrays)
        count = x.aval.shape[0] if x.aval.ndim else 0
        rows = [reshape_to(slice_axis(x, 0, i, i + 1), x.aval.shape[1:]) for i in range(count)]
    elif isinstance(arrays, Sequence) and not isinstance(arrays, str):
        rows = array_arguments(name, *arrays)
    else:
        raise TypeError(f"{name} requires a sequence of arrays, got {type(arrays)}")
    if not rows:
        raise ValueError("Need at least one array to concatenate.")
    return rows


def _typed(values: list[Value], dtype: Any, name: str) -> list[Value]:
    wanted = dtype_argument(dtype, name)
    return promote_dtypes(values) if wanted is None else [convert(x, wanted) for x in values]


def _joined(values: list[Value], axis: int) -> Value:
    return values[0] if len(values) == 1 else BIND.concatenate(*values, dimension=axis)


@fused
def concatenate(arrays: Any, axis: Any = 0, dtype: Any = None) -> Value:
    """Arrays put together along an axis that they have.

    Args:
      arrays: sequence of arrays with equal sizes of all other axes.
      axis: None: as vectors.
      dtype: None: that in which they meet.

    Raises:
      ValueError: there are none, or one has no dimension. TypeError: sizes differ.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.concatenate([jnp.zeros(1), jnp.ones(2)])
      Array([0., 1., 1.], dtype=float32)
    """
    values = _rows("concatenate", arrays)
    if axis is None:
        values, axis = [ravel(x) for x in values], 0
    if values[0].aval.ndim == 0:
        raise ValueError("Zero-dimensional arrays cannot be concatenated.")
    return _joined(_typed(values, dtype, "concatenate"), normal_axis(axis, values[0].aval.ndim))


def concat(arrays: Any, /, *, axis: Any = 0) -> Value:
    """`concatenate` under its newer name."""
    return concatenate(arrays, axis)


@fused
def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Value:
    """Arrays of one shape put together along a new axis.

    Raises:
      ValueError: there are none, or shapes differ.
    """
    if out is not None:
        raise NotImplementedError("The 'out' argument to jnp.stack is not supported.")
    values = _rows("stack", arrays)
    if any(x.aval.shape != values[0].aval.shape for x in values):
        raise ValueError(f"All input arrays must have the same shape, got {[x.aval.shape for x in values]}.")
    axis = normal_axis(axis, values[0].aval.ndim + 1)
    return _joined([expand_dims(x, axis) for x in _typed(values, dtype, "stack")], axis)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Value, ...]:
    """The arrays along an axis, as a tuple."""
    value = array_argument("unstack", x)
    if value.aval.ndim == 0:
        raise ValueError("Unstack requires arrays with rank > 0, however a scalar array was passed.")
    axis = normal_axis(axis, value.aval.ndim)
    shape = value.aval.shape[:axis] + value.aval.shape[axis + 1 :]
    return tuple(reshape_to(slice_axis(value, axis, i, i + 1), shape) for i in range(value.aval.shape[axis]))


def _grown(name: str, tup: Any, grow: Callable) -> list[Value]:
    rows = [grow(x) for x in _rows(name, tup)]
    return rows


@fused
def vstack(tup: Any, dtype: Any = None) -> Value:
    """Rows (or matrices) put one below the other."""
    return concatenate(_grown("vstack", tup, atleast_2d), 0, dtype)


@fused
def hstack(tup: Any, dtype: Any = None) -> Value:
    """Arrays put side by side: along the second axis, vectors along their only one."""
    rows = _grown("hstack", tup, atleast_1d)
    return concatenate(rows, 0 if rows[0].aval.ndim == 1 else 1, dtype)


def dstack(tup: Any, dtype: Any = None) -> Value:
    """Arrays put together along the third axis."""
    return concatenate(_grown("dstack", tup, atleast_3d), 2, dtype)


def column_stack(tup: Any) -> Value:
    """Vectors as the columns of a matrix; matrices side by side."""

    def grow(x: Value) -> Value:
        return x if x.aval.ndim > 1 else reshape_to(x, (x.aval.size, 1))

    return concatenate(_grown("column_stack", tup, grow), 1)


def append(arr: Any, values: Any, axis: Any = None) -> Value:
    """`values` put behind `arr`, along an axis or (None) as vectors."""
    first, second = array_arguments("append", arr, values)
    if axis is None:
        return concatenate([ravel(first), ravel(second)], 0)
    return concatenate([first, second], axis)


def block(arrays: Any) -> Value:
    """A matrix of blocks, given as nested lists: the innermost ones side by side, the outer ones below each other."""
    found, _ = _block(arrays)
    return found


def _block(x: Any) -> tuple[Value, int]:
    if not isinstance(x, list):
        return atleast_1d(array_argument("block", x)), 1
    if not x:
        raise ValueError("Arrays in jnp.block must not be empty lists")
    inner = [_block(e) for e in x]
    depth = inner[0][1]
    if any(d != depth for _, d in inner):
        raise ValueError("List depths are mismatched in jnp.block")
    rank = max(depth, *(e.aval.ndim for e, _ in inner))
    rows = [reshape_to(e, (1,) * (rank - e.aval.ndim) + e.aval.shape) for e, _ in inner]
    return concatenate(rows, -depth), depth + 1


# ---- apart ---------------------------------------------------------------------------------------


def _split(name: str, ary: Any, indices_or_sections: Any, axis: int, uneven: bool) -> list[Value]:
    x = array_argument(name, ary)
    axis = normal_axis(axis, x.aval.ndim)
    n = x.aval.shape[axis]
    if isinstance(indices_or_sections, (tuple, list)) or np.ndim(indices_or_sections) > 0:
        cuts = [0, *(operator.index(i) for i in indices_or_sections), n]
    else:
        parts = operator.index(indices_or_sections)
        size, rest = divmod(n, parts)
        if rest and not uneven:
            raise ValueError(f"array split does not result in an equal division: {n} positions in {parts} parts")
        cuts = [i * size + min(i, rest) for i in range(parts + 1)]
    if any(b < a for a, b in itertools.pairwise(cuts)):
        raise ValueError(f"{name}: positions must ascend and lie inside, got {indices_or_sections} for {n} positions")
    return [slice_axis(x, axis, a, b) for a, b in itertools.pairwise(cuts)]


@fused
def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """Parts along an axis.

    Args:
      ary: array.
      indices_or_sections: number of equal parts, or the positions to cut at.

    Raises:
      ValueError: the parts would not be equal.
    """
    return _split("split", ary, indices_or_sections, axis, False)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    """Like `split`; where parts cannot be equal, the first ones are larger by one."""
    return _split("array_split", ary, indices_or_sections, axis, True)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the second axis; of vectors, along the only one."""
    x = array_argument("hsplit", ary)
    return _split("hsplit", x, indices_or_sections, 0 if x.aval.ndim == 1 else 1, False)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the first axis."""
    return _split("vsplit", ary, indices_or_sections, 0, False)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Value]:
    """Parts along the third axis."""
    return _split("dsplit", ary, indices_or_sections, 2, False)


# ---- pad -----------------------------------------------------------------------------------------


def _pad_pairs(width: Any, ndim: int, name: str) -> list[tuple[Any, Any]]:
    """A pair for each axis, of an int, a pair, or a sequence of pairs."""
    if isinstance(width, dict):
        raise TypeError(f"jnp.pad: {name} must be of integral type, got a dictionary")
    table = np.asarray(width, dtype=object) if not isinstance(width, Value) else np.asarray(width)
    if table.ndim == 0:
        return [(table.item(), table.item())] * ndim
    if table.shape in ((1,), (1, 1)):
        return [(table.reshape(-1)[0],) * 2] * ndim
    if table.shape == (2,) or table.shape == (1, 2):
        return [tuple(table.reshape(-1))] * ndim
    if table.shape == (ndim, 1):
        return [(row[0], row[0]) for row in table]
    if table.shape == (ndim, 2):
        return [tuple(row) for row in table]
    raise ValueError(f"jnp.pad: {name} with shape {table.shape} does not fit an array of {ndim} dimensions")


def _pad_constant(x: Value, axis: int, low: int, high: int, values: tuple) -> Value:
    for width, value, first in ((low, values[0], True), (high, values[1], False)):
        if width == 0:
            continue
        fill = convert(array_argument("pad", value), x.aval.dtype, x.aval.weak_type)
        lows, highs = [0] * x.aval.ndim, [0] * x.aval.ndim
        (lows if first else highs)[axis] = width
        x = BIND.pad(
            x,
            fill,
            edge_padding_low=tuple(lows),
            edge_padding_high=tuple(highs),
            interior_padding=(0,) * x.aval.ndim,
        )
    return x


def _source_rows(mode: str, n: int, low: int, high: int, odd: bool) -> np.ndarray:
    """For each position of the padded axis the position that it is copied from."""
    at = np.arange(-low, n + high)
    if mode == "edge":
        return np.clip(at, 0, n - 1)
    if mode == "wrap":
        return at % n
    if mode == "reflect":
        if n == 1:
            return np.zeros_like(at)
        at = at % (2 * n - 2)
        return np.where(at < n, at, 2 * n - 2 - at)
    at = at % (2 * n)
    return np.where(at < n, at, 2 * n - 1 - at)


def _pad_rows(x: Value, axis: int, rows: np.ndarray) -> Value:
    """Rows by number, as runs: slices (reversed ones, repeated ones) put together."""
    parts = []
    start = 0
    while start < len(rows):
        step = int(rows[start + 1] - rows[start]) if start + 1 < len(rows) else 1
        end = start + 1
        while end < len(rows) and rows[end] - rows[end - 1] == step and step in (-1, 0, 1):
            end += 1
        first, last = int(rows[start]), int(rows[end - 1])
        if step == 0:
            part = slice_axis(x, axis, first, first + 1)
            shape = (*x.aval.shape[:axis], end - start, *x.aval.shape[axis + 1 :])
            dims = tuple(range(x.aval.ndim))
            part = BIND.broadcast_in_dim(part, shape=shape, broadcast_dimensions=dims)
        else:
            part = slice_axis(x, axis, min(first, last), max(first, last) + 1)
            if last < first:
                part = BIND.reverse(part, dimensions=(axis,))
        parts.append(part)
        start = end
    return _joined(parts, axis)


def _pad_odd(x: Value, axis: int, low: int, high: int, mode: str) -> Value:
    """Reflection through the edge's value: 2 edge - mirrored, as often as needed."""
    while low or high:
        n = x.aval.shape[axis]
        room = n - 1 if mode == "reflect" else n
        if room == 0:
            return _pad_rows(x, axis, _source_rows("edge", n, low, high, False))
        a, b = min(low, room), min(high, room)
        skip = 1 if mode == "reflect" else 0
        parts = [x]
        if a:
            mirrored = BIND.reverse(slice_axis(x, axis, skip, skip + a), dimensions=(axis,))
            edge = slice_axis(x, axis, 0, 1)
            parts.insert(0, 2 * edge - mirrored)
        if b:
            mirrored = BIND.reverse(slice_axis(x, axis, n - skip - b, n - skip), dimensions=(axis,))
            edge = slice_axis(x, axis, n - 1, n)
            parts.append(2 * edge - mirrored)
        x, low, high = _joined(promote_dtypes(parts), axis), low - a, high - b
    return x


def _pad_statistic(x: Value, axis: int, low: int, high: int, length: tuple, reduce: Callable) -> Value:
    n = x.aval.shape[axis]
    first, last = (n if k is None else min(int(k), n) for k in length)
    parts = [x]
    for width, part in ((low, slice_axis(x, axis, 0, first)), (high, slice_axis(x, axis, n - last, n))):
        value = reduce(part, axis=axis, keepdims=True)
        if x.aval.dtype.kind in "iu" and value.aval.dtype.kind == "f":
            value = BIND.round_nearest_even(value)
        value = convert(value, x.aval.dtype)
        shape = (*x.aval.shape[:axis], width, *x.aval.shape[axis + 1 :])
        spread = BIND.broadcast_in_dim(value, shape=shape, broadcast_dimensions=tuple(range(x.aval.ndim)))
        parts = [spread, *parts] if len(parts) == 1 else [*parts, spread]
    return _joined(promote_dtypes(parts), axis)


def _pad_ramp(x: Value, axis: int, low: int, high: int, ends: tuple) -> Value:
    from .creation import linspace

    n = x.aval.shape[axis]
    dtype = x.aval.dtype
    left = linspace(ends[0], slice_axis(x, axis, 0, 1), low, endpoint=False, axis=axis)
    right = linspace(ends[1], slice_axis(x, axis, n - 1, n), high, endpoint=False, axis=axis)
    squeezed = [
        convert(reshape_to(p, tuple(w if i == axis else m for i, m in enumerate(x.aval.shape))), dtype)
        for p, w in ((left, low), (right, high))
    ]
    return _joined(promote_dtypes([squeezed[0], x, BIND.reverse(squeezed[1], dimensions=(axis,))]), axis)


#: modes of `pad` and the further arguments that each takes
_MODES: dict[str, tuple[str, ...]] = {
    "constant": ("constant_values",),
    "edge": (),
    "empty": (),
    "linear_ramp": ("end_values",),
    "maximum": ("stat_length",),
    "mean": ("stat_length",),
    "median": ("stat_length",),
    "minimum": ("stat_length",),
    "reflect": ("reflect_type",),
    "symmetric": ("reflect_type",),
    "wrap": (),
}


@fused
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Value:
    """The array with more elements before and behind it along each axis.

    Args:
      array: array.
      pad_width: an int, a pair (before, behind), or one such pair for each axis.
      mode: "constant" (constant_values), "edge", "reflect" and "symmetric" (reflect_type "even" or "odd"), "wrap",
        "linear_ramp" (end_values), "maximum", "mean", "median", "minimum" (stat_length), "empty".

    Raises:
      NotImplementedError: another mode. ValueError: arguments that the mode does not take; negative widths.
    """
    x = array_argument("pad", array)
    if not isinstance(mode, str) or mode not in _MODES:
        raise NotImplementedError(f"Unimplemented padding mode {mode!r}; there are {', '.join(_MODES)}")
    unknown = set(kwargs) - set(_MODES[mode])
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {sorted(unknown)}")
    n = x.aval.ndim
    widths = [(operator.index(a), operator.index(b)) for a, b in _pad_pairs(pad_width, n, "pad_width")]
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError("index can't contain negative values")
    extra = _pad_pairs(next(iter(kwargs.values()), 0), n, "argument") if mode != "reflect" else []
    for axis, (low, high) in enumerate(widths):
        if low or high:
            x = _pad_axis(x, axis, low, high, mode, extra, kwargs)
    return x


def _pad_axis(x: Value, axis: int, low: int, high: int, mode: str, extra: list, kwargs: dict) -> Value:
    if mode in ("constant", "empty"):
        return _pad_constant(x, axis, low, high, extra[axis])
    n = x.aval.shape[axis]
    if n == 0:
        raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
    if mode in ("reflect", "symmetric") and kwargs.get("reflect_type", "even") == "odd":
        return _pad_odd(x, axis, low, high, mode)
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return _pad_rows(x, axis, _source_rows(mode, n, low, high, False))
    if mode == "linear_ramp":
        return _pad_ramp(x, axis, low, high, extra[axis])
    from . import ordering, reductions

    reduce = {
        "maximum": reductions.max,
        "minimum": reductions.min,
        "mean": reductions.mean,
        "median": ordering.median,
    }
    length = extra[axis] if kwargs.get("stat_length") is not None else (None, None)
    return _pad_statistic(x, axis, low, high, length, reduce[mode])
