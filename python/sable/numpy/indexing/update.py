"""Writing by an index: the ops that make a changed copy, and NumPy itself where everything is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Array, Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype, iinfo, promote_avals, safe_to_cast
from sable.core.operands import convert, expand_to, kind, scalar
from sable.core.state import STATE
from sable.core.values import as_value
from sable.ir.aval import aval
from sable.lax.gathering import GatherScatterMode, ScatterDimensionNumbers, scatter_with

from .parse import Computed, Fixed, Listed, Parsed, Span, numpy_index, parse, stacked
from .read import bounds, inside, static_part, turned, window_starts, with_dim, without_fixed
from .windows import window_of

#: scatter op -> (elementwise op, NumPy function); None: the new value replaces the old one
_COMBINE: dict[str, tuple[str, Callable] | None] = {
    "scatter": None,
    "scatter_add": ("add", np.add),
    "scatter_mul": ("multiply", np.multiply),
    "scatter_min": ("minimum", np.minimum),
    "scatter_max": ("maximum", np.maximum),
}


def write(
    mnemonic: str,
    x: Value,
    index: Any,
    y: Any,
    *,
    mode: Any = None,
    wrap_negative_indices: bool = True,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    out_sharding: Any = None,
) -> Value:
    """A copy of x whose elements at `index` are combined with y.

    Args:
      mnemonic: the scatter op that says how.
      x: an array; the result has its dtype and weak type.
      index: as in `getitem`.
      y: new values, which broadcast to the shape of `x[index]`.
      mode: "drop" (the default), "clip" or "promise_in_bounds", for positions outside.
      wrap_negative_indices: whether negative integers count from the end.
      indices_are_sorted, unique_indices: promises about index arrays.

    Raises:
      ValueError: y does not broadcast, if anything is indexed; an unknown mode.
      IndexError, TypeError: see `getitem`.
    """
    way = GatherScatterMode.from_any(mode)
    window = window_of(x.aval.shape, index)
    if window is not None:
        part = write(
            mnemonic,
            window.of(x),
            window.index,
            y,
            mode=mode,
            wrap_negative_indices=wrap_negative_indices,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )
        return window.put(x, part)
    parsed = parse(x.aval.shape, index, wrap_negative_indices)
    new = _new_value(y, x)
    _warn_unsafe(new, x)
    a = x.aval
    for e in parsed.entries:
        if isinstance(e, (Fixed, Computed)) and not a.shape[e.dim]:
            raise IndexError(f"index is out of bounds for axis {e.dim} with size 0")
    if 0 in parsed.shape:
        return x  # whatever y is: nobody asks whether it would have fitted
    dtype, weak = promote_avals((a, new.aval))
    x, new = convert(x, dtype, weak), convert(new, dtype, weak)
    if _COMBINE[mnemonic] is not None and mnemonic in ("scatter_add", "scatter_mul") and dtype == np.bool_:
        raise TypeError(
            f"{_COMBINE[mnemonic][0][:3]} does not accept dtype bool at position 0. "  # type: ignore[index]
            "Accepted dtypes at position 0 are subtypes of integer, floating, complexfloating."
        )
    new = _spread(new, parsed.shape)
    found = _write(mnemonic, x, parsed, new, way, (indices_are_sorted, unique_indices))
    return convert(found, a.dtype, a.weak_type)


def _new_value(y: Any, x: Value) -> Value:
    """y as a value; a Python int that only x's dtype can hold is of that dtype."""
    if type(y) is int and kind(x) in "iu" and not _fits(y, default_dtype("i")):
        return scalar(y, x.aval.dtype, weak_type=True)
    return as_value(y)


def _fits(n: int, dtype: np.dtype) -> bool:
    return iinfo(dtype).min <= n <= iinfo(dtype).max


def _warn_unsafe(new: Value, x: Value) -> None:
    if new.aval.dtype == x.aval.dtype or safe_to_cast(new, x):
        return
    warnings.warn(
        "scatter inputs have incompatible types: cannot safely cast value from "
        f"dtype={new.aval.dtype.name} to dtype={x.aval.dtype.name} with "
        f"jax_numpy_dtype_promotion={config.jax_numpy_dtype_promotion}. "
        "In future JAX releases this will result in an error.",
        FutureWarning,
        stacklevel=4,
    )


def _spread(y: Value, shape: tuple[int, ...]) -> Value:
    """y broadcast to the shape of the indexed elements."""
    own = y.aval.shape
    if own == shape:
        return y
    if len(own) > len(shape):
        raise ValueError(f"Cannot broadcast to shape with fewer dimensions: arr_shape={own} shape={shape}")
    tail = shape[len(shape) - len(own) :]
    if any(n not in (1, m) for n, m in zip(own, tail)):
        raise ValueError(
            f"Incompatible types for broadcasting: input type={y.aval.short()} and requested "
            f"type={y.aval.update(shape=shape).short()}"
        )
    return expand_to(y, shape)


def _write(mnemonic: str, x: Value, parsed: Parsed, y: Value, way: GatherScatterMode, promises: tuple) -> Value:
    dropping = way is not GatherScatterMode.CLIP
    if (dropping and not parsed.inside) or 0 in x.aval.shape:
        return x
    listed = [e for e in parsed.entries if isinstance(e, Listed)]
    shape = parsed.shape_without_new
    y = y if y.aval.shape == shape else BIND.reshape(y, shape=shape)
    if any(e.dim is not None for e in listed):
        return _scattered(mnemonic, x, parsed, y, way, promises)
    own = with_dim(parsed.entries)
    y = BIND.reshape(y, shape=tuple(e.size if isinstance(e, Span) else 1 for e in own))
    if any(isinstance(e, Computed) for e in own):
        return _windowed(mnemonic, x, own, y, way)
    if STATE.staged is None and _is_free(x) and _is_free(y):
        return _written(mnemonic, x, own, y)
    return _static(mnemonic, x, own, y)


def _combined(mnemonic: str, old: Value, y: Value) -> Value:
    way = _COMBINE[mnemonic]
    return y if way is None else getattr(BIND, way[0])(old, y)


def _is_free(x: Value) -> bool:
    """An array on the CPU that is bound to no device."""
    return type(x) is Array and x._device is None and not x.committed


def _written(mnemonic: str, x: Array, own: Sequence[Any], y: Array) -> Array:
    """Everything is known: NumPy does it."""
    out = x.numpy().copy()
    spans = [Span(e.dim, e.position, 1, 1) if isinstance(e, Fixed) else e for e in own]
    place = numpy_index(Parsed(spans, (), None, 0), out.shape)
    way = _COMBINE[mnemonic]
    if way is None:
        out[place] = y.numpy()
    else:
        out[place] = STATE.run(way[1], out[place], y.numpy())
    return Array(aval(out.shape, out.dtype, x.aval.weak_type), out)


def _static(mnemonic: str, x: Value, own: Sequence[Any], y: Value) -> Value:
    """Positions are known: a part of the array is replaced."""
    shape = x.aval.shape
    edges = [bounds(e, n) for e, n in zip(own, shape)]
    y = turned(y, own)
    forward = [
        e if not isinstance(e, Span) or e.step > 0 or not e.size else Span(e.dim, edge[0], e.size, -e.step)
        for e, edge in zip(own, edges)
    ]
    if y.aval.shape == shape:
        return _combined(mnemonic, x, y)
    if _COMBINE[mnemonic] is not None:
        y = _combined(mnemonic, static_part(x, forward), y)
    if all(stride == 1 for _, _, stride in edges):
        starts, _ = window_starts(forward)
        return BIND.dynamic_update_slice(x, y, *starts)
    # elements between which others stay: spread out by padding, and chosen by a mask that is padded alike
    padding = {
        "edge_padding_low": tuple(start for start, _, _ in edges),
        "edge_padding_high": tuple(n - limit for (_, limit, _), n in zip(edges, shape)),
        "interior_padding": tuple(stride - 1 for _, _, stride in edges),
    }
    flags = aval((), np.dtype(np.bool_))
    mask = BIND.pad(BIND.full(flags.update(shape=y.aval.shape), True), BIND.full(flags, False), **padding)
    wide = BIND.pad(y, BIND.full(y.aval.update(shape=()), 0), **padding)
    return BIND.select(mask, wide, x)


def _windowed(mnemonic: str, x: Value, own: Sequence[Any], y: Value, way: GatherScatterMode) -> Value:
    """Some positions are traced integers: one window is replaced; if it would lie outside, by what is there."""
    if any(isinstance(e, Span) and e.step != 1 for e in own):
        part = static_part(x, own)
        whole = [e if isinstance(e, Computed) else Span(d, 0, part.aval.shape[d], 1) for d, e in enumerate(own)]
        return _static("scatter", x, _outer(own, x.aval.shape), _windowed(mnemonic, part, whole, y, way))
    starts, sizes = window_starts(own)
    new = y
    dropping = way is GatherScatterMode.FILL_OR_DROP
    if dropping or _COMBINE[mnemonic] is not None:
        old = BIND.dynamic_slice(x, *starts, slice_sizes=sizes)
        new = _combined(mnemonic, old, y)
        if dropping:
            new = BIND.select(inside(own, x.aval.shape), new, old)
    return BIND.dynamic_update_slice(x, new, *starts)


def _outer(own: Sequence[Any], shape: tuple[int, ...]) -> list:
    """The known entries, with the other dimensions whole."""
    return [e if isinstance(e, (Fixed, Span)) else Span(e.dim, 0, shape[e.dim], 1) for e in own]


def _scattered(mnemonic: str, x: Value, parsed: Parsed, y: Value, way: GatherScatterMode, promises: tuple) -> Value:
    """Some positions are arrays: a scatter into what the slices and known integers select, which is put back."""
    part, own = without_fixed(x, parsed.entries)
    taken = tuple(d for d, e in enumerate(own) if not isinstance(e, Span))
    indices = stacked(parsed, [own[d] for d in taken])
    block = len(parsed.block or ())
    windows = tuple(i for i in range(y.aval.ndim) if not parsed.place <= i < parsed.place + block)
    numbers = ScatterDimensionNumbers(windows, taken, taken)
    found = scatter_with(mnemonic, part, indices, y, numbers, *promises, way)
    if part is x:
        return found
    outer = _outer(with_dim(parsed.entries), x.aval.shape)
    shape = tuple(1 if isinstance(e, Fixed) else e.size for e in outer)
    return _static("scatter", x, outer, BIND.reshape(found, shape=shape))
