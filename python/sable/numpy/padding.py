"""`pad`: constants, edges, reflections, ramps and statistics around an array."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.batching import batched_call
from sable.core.bind import BIND
from sable.core.operands import array_argument, convert, known_values, promote_dtypes, reshape_to
from sable.core.trace import Tracer
from sable.library.declare import library
from sable.tree_util import tree_leaves, tree_map, tree_structure

from . import ordering, reductions
from .arrays import asarray
from .creation import linspace
from .joining import joined
from .manipulation import moveaxis
from .rearrangement import slice_axis


def _elements(x: Any) -> np.ndarray:
    """What is in an array, traced or not, or in nested sequences."""
    if not any(isinstance(leaf, Tracer) for leaf in tree_leaves(x)):
        return np.asarray(x) if isinstance(x, Value) else np.asarray(x, dtype=object)
    traced = asarray(x)
    table = np.empty(traced.aval.shape, object)
    for place in np.ndindex(table.shape):
        table[place] = traced[place]
    return table


def _pad_pairs(width: Any, ndim: int, name: str) -> list[tuple[Any, Any]]:
    """A pair for each axis, of an int, a pair, or a sequence of pairs."""
    if isinstance(width, dict):
        raise TypeError(f"jnp.pad: {name} must be of integral type, got a dictionary")
    table = _elements(width)
    if table.ndim == 0:
        return [(table.item(), table.item())] * ndim
    if table.shape == (1,):
        return [(table[0],) * 2] * ndim
    if table.shape == (2,) or table.shape == (1, 2):
        return [tuple(table.reshape(-1))] * ndim
    if table.shape == (ndim, 2):
        return [tuple(row) for row in table]
    raise ValueError(
        f"jnp.pad: {name} has the shape {table.shape}, which does not fit an array of {ndim} dimensions: valid are "
        f"({ndim}, 2), (1, 2), (2,), (1,) and ()"
    )


def _pad_constant(x: Value, widths: Sequence[tuple], values: Sequence[tuple]) -> Value:
    """At once where there is one value, else side by side: the later one fills the corner."""
    n = x.aval.ndim
    lows, highs = (tuple(side) for side in zip(*widths))
    first = values[0][0]
    if all(v is first for pair in values for v in pair):
        return _pad_by(x, lows, highs, first) if any(lows + highs) else x
    for axis in range(n):
        for side, value in zip((0, 1), values[axis]):
            one = tuple(widths[axis][side] if i == axis else 0 for i in range(n))
            if any(one):
                x = _pad_by(x, *((one, (0,) * n) if side == 0 else ((0,) * n, one)), value)
    return x


def _pad_by(x: Value, lows: tuple[int, ...], highs: tuple[int, ...], value: Any) -> Value:
    fill = convert(array_argument("pad", value), x.aval.dtype, x.aval.weak_type)
    interior = (0,) * len(lows)
    return BIND.pad(x, fill, edge_padding_low=lows, edge_padding_high=highs, interior_padding=interior)


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
    return joined(parts, axis)


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
        x, low, high = joined(promote_dtypes(parts), axis), low - a, high - b
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
    return joined(promote_dtypes(parts), axis)


def _pad_ramp(x: Value, axis: int, low: int, high: int, ends: tuple) -> Value:
    n = x.aval.shape[axis]
    dtype = x.aval.dtype
    first, last = (convert(array_argument("pad", end), dtype) for end in ends)
    left = linspace(first, slice_axis(x, axis, 0, 1), low, endpoint=False, axis=axis)
    right = linspace(last, slice_axis(x, axis, n - 1, n), high, endpoint=False, axis=axis)
    squeezed = [
        convert(reshape_to(p, tuple(w if i == axis else m for i, m in enumerate(x.aval.shape))), dtype)
        for p, w in ((left, low), (right, high))
    ]
    return joined(promote_dtypes([squeezed[0], x, BIND.reverse(squeezed[1], dimensions=(axis,))]), axis)


def _pad_with(x: Value, widths: list, function: Callable, kwargs: dict) -> Value:
    x = _pad_constant(x, widths, [(0, 0)] * len(widths)) if widths else x
    for axis, width in enumerate(widths):
        rows = moveaxis(x, axis, -1)
        flat = reshape_to(rows, (rows.aval.size // max(1, rows.aval.shape[-1]), rows.aval.shape[-1]))
        call = functools.partial(_call_with, function, width, axis, kwargs)
        made = batched_call(call, [flat], tree_structure(((flat,), {})), [0], flat.aval.shape[0])
        x = moveaxis(reshape_to(made, rows.aval.shape), -1, axis)
    return x


def _call_with(function: Callable, width: tuple, axis: int, kwargs: dict, vector: Value) -> Any:
    return function(vector, width, axis, kwargs)


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


@library
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> Value:
    """The array with more elements before and behind it along each axis.

    Args:
      array: array.
      pad_width: an int, a pair (before, behind), or one such pair for each axis.
      mode: "constant" (constant_values), "edge", "reflect" and "symmetric" (reflect_type "even" or "odd"), "wrap",
        "linear_ramp" (end_values), "maximum", "mean", "median", "minimum" (stat_length), "empty"; or a function
        `(vector, (before, behind), axis, kwargs) -> vector` of each vector along each axis, zeros around it.

    Raises:
      NotImplementedError: another mode. ValueError: arguments that the mode does not take; negative widths.

    Example:
      >>> x = jnp.array([1, 2, 3])
      >>> jnp.pad(x, (1, 2))
      Array([0, 1, 2, 3, 0, 0], dtype=int32)
      >>> jnp.pad(x, 2, mode="reflect"), jnp.pad(x, 2, mode="symmetric")
      (Array([3, 2, 1, 2, 3, 2, 1], dtype=int32), Array([2, 1, 1, 2, 3, 3, 2], dtype=int32))
      >>> jnp.pad(jnp.ones((1, 1)), ((0, 1), (1, 0)), constant_values=7)
      Array([[7., 1.],
             [7., 7.]], dtype=float32)
    """
    x = array_argument("pad", array)
    pad_width = tree_map(
        lambda w: known_values(w, "pad_width argument of jnp.pad") if isinstance(w, Tracer) else w, pad_width
    )
    if callable(mode):
        return _pad_with(x, _pad_pairs(pad_width, x.aval.ndim, "pad_width"), mode, kwargs)
    if not isinstance(mode, str) or mode not in _MODES:
        raise NotImplementedError(f"Unimplemented padding mode '{mode}' for np.pad. There are {', '.join(_MODES)}")
    unknown = set(kwargs) - set(_MODES[mode])
    if unknown:
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {sorted(unknown)}")
    n = x.aval.ndim
    widths = [(operator.index(a), operator.index(b)) for a, b in _pad_pairs(pad_width, n, "pad_width")]
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError("index can't contain negative values")
    extra = _pad_pairs(next(iter(kwargs.values()), 0), n, "argument") if mode != "reflect" else []
    if n and mode in ("constant", "empty"):
        return _pad_constant(x, widths, extra)
    for axis, (low, high) in enumerate(widths):
        if low or high:
            x = _pad_axis(x, axis, low, high, mode, extra, kwargs)
    return x


def _pad_axis(x: Value, axis: int, low: int, high: int, mode: str, extra: list, kwargs: dict) -> Value:
    n = x.aval.shape[axis]
    if n == 0:
        raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
    if mode in ("reflect", "symmetric") and kwargs.get("reflect_type", "even") == "odd":
        return _pad_odd(x, axis, low, high, mode)
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return _pad_rows(x, axis, _source_rows(mode, n, low, high, False))
    if mode == "linear_ramp":
        return _pad_ramp(x, axis, low, high, extra[axis])
    reduce = {
        "maximum": reductions.max,
        "minimum": reductions.min,
        "mean": reductions.mean,
        "median": ordering.median,
    }
    length = extra[axis] if kwargs.get("stat_length") is not None else (None, None)
    return _pad_statistic(x, axis, low, high, length, reduce[mode])
