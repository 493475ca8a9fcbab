"""Reading by an index: the ops for it, and NumPy itself where everything is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.operands import convert, expand_to
from sable.core.state import STATE
from sable.core.values import as_value, concrete
from sable.dialects.ops.compose import released
from sable.ir.aval import aval
from sable.lax.gathering import GatherDimensionNumbers, GatherScatterMode, default_fill, gather
from sable.library.declare import library

from .parse import Computed, Fixed, Gap, Listed, New, Parsed, Span, numpy_index, parse, stacked
from .windows import Slice, window_of


@library(operands=("index",))
def getitem(x: Value, index: Any) -> Value:
    """`x[index]`, with the meaning it has in NumPy and JAX.

    Args:
      x: an array.
      index: integers, slices, `...`, `None`, arrays of integers, known arrays of booleans, or a tuple of them.

    Returns:
      The selected elements. Integers outside of the array are moved inside.

    Raises:
      IndexError: too many indices; a boolean array of another shape; a traced slice bound or boolean array; a
        dimension without elements.
      TypeError: lists, strings and floats.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.arange(6).reshape(2, 3)[1, ::-1]
      Array([5, 4, 3], dtype=int32)
    """
    for p in index if type(index) is tuple else (index,):
        if type(p) is Slice:
            window = window_of(x.aval.shape, index)
            return getitem(window.of(x), window.index)  # type: ignore[union-attr]
        if isinstance(p, Value) and (p.aval.shape or p is index):
            concrete(p)  # NumPy's own indexing is much quicker than the op for known positions
    if type(x) is Array and x._device is None and not x.committed and STATE.staged is None:
        kind = type(index)
        a = x.aval
        if kind is int and a.shape and a.shape[0]:
            return _row(x, index)
        parsed = parse(a.shape, index)
        _check_static(parsed, a.shape)
        if parsed.known:
            _check_not_empty(a.shape, parsed)
            return _taken(x, parsed)
        return _read(x, parsed, GatherScatterMode.PROMISE_IN_BOUNDS, None, {})
    return read(x, index)


def _row(x: Array, i: int) -> Array:
    a = x.aval
    size = a.shape[0]
    if not -size <= i < size and config.jax_check_static_indices:
        raise _out_of_bounds(i, 0, size)
    i = max(i + size, 0) if i < 0 else min(i, size - 1)
    whole = x.numpy()
    return Array(aval(a.shape[1:], a.dtype, a.weak_type), released(whole[i, ...], whole))


def _check_static(parsed: Parsed, shape: tuple[int, ...]) -> None:
    """Where `jax_check_static_indices` is on, Python integers must be inside of the array."""
    if not config.jax_check_static_indices:
        return
    for entry in parsed.entries:
        if isinstance(entry, Fixed) and not entry.inside:
            raise _out_of_bounds(entry.given, entry.dim, shape[entry.dim])


def _out_of_bounds(index: int, dim: int, size: int) -> IndexError:
    return IndexError(f"index {index} out of bounds for axis {dim} with size {size}")


def _taken(x: Array, parsed: Parsed) -> Array:
    a = x.aval
    whole = x.numpy()
    place = numpy_index(parsed, a.shape)
    part = whole[place if any(p is Ellipsis for p in place) else (*place, ...)]
    part = part if part.base is None else released(part, whole)
    return Array(aval(part.shape, a.dtype, a.weak_type), part)


def read(
    x: Value,
    index: Any,
    *,
    mode: Any = None,
    fill_value: Any = None,
    wrap_negative_indices: bool = True,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
) -> Value:
    """`x[index]` by ops, with everything that `x.at[index].get` can say.

    Args:
      mode: "promise_in_bounds" (the default; what lies outside is moved inside), "clip" or "fill".
      fill_value: elements outside in mode "fill".
      wrap_negative_indices: whether negative integers count from the end.
      indices_are_sorted, unique_indices: promises about index arrays.
    """
    way = GatherScatterMode.PROMISE_IN_BOUNDS if mode is None else GatherScatterMode.from_any(mode)
    window = window_of(x.aval.shape, index)
    if window is not None:
        x, index = window.of(x), window.index
    parsed = parse(x.aval.shape, index, wrap_negative_indices)
    if way is GatherScatterMode.PROMISE_IN_BOUNDS:
        _check_static(parsed, x.aval.shape)
    options = {"indices_are_sorted": indices_are_sorted, "unique_indices": unique_indices}
    return _read(x, parsed, way, fill_value, options)


def _read(x: Value, parsed: Parsed, way: GatherScatterMode, fill_value: Any, options: dict) -> Value:
    filling = way is GatherScatterMode.FILL_OR_DROP
    if filling and not parsed.inside:
        return _filled(x, parsed.shape, fill_value)
    _check_not_empty(x.aval.shape, parsed)
    if 0 in parsed.shape:
        return BIND.full(x.aval.update(shape=parsed.shape), 0)
    listed = [e for e in parsed.entries if isinstance(e, Listed)]
    if any(e.dim is not None for e in listed):
        found = _gathered(x, parsed, way, fill_value, options)
    elif any(isinstance(e, Computed) for e in parsed.entries):
        found = _windowed(x, parsed.entries, way, fill_value)
    else:
        found = static_part(x, parsed.entries)
    return found if found.aval.shape == parsed.shape else BIND.reshape(found, shape=parsed.shape)


def _check_not_empty(shape: tuple[int, ...], parsed: Parsed) -> None:
    for e in parsed.entries:
        if isinstance(e, (New, Gap, Span)) or e.dim is None or shape[e.dim]:
            continue
        if isinstance(e, Listed) and 0 in (parsed.block or ()):
            continue  # no position at all
        if isinstance(e, (Fixed, Computed)):
            raise IndexError(f"index is out of bounds for axis {e.dim} with size 0")
        raise TypeError(f"Slice size at index {e.dim} in gather op is out of range, must be within [0, 0 + 1), got 1.")


def fill_constant(x: Value, fill_value: Any) -> Value:
    """A scalar of x's dtype: the fill value, or the default one."""
    if fill_value is None:
        return constant(np.asarray(default_fill(x.aval.dtype), x.aval.dtype), x.aval.weak_type)
    return convert(as_value(fill_value), x.aval.dtype, x.aval.weak_type)


def _filled(x: Value, shape: tuple[int, ...], fill_value: Any) -> Value:
    return expand_to(fill_constant(x, fill_value), shape)


# ---- known positions ----


def bounds(e: Any, size: int) -> tuple[int, int, int]:
    """start, limit, stride of the slice op for an entry (a backward slice is read forwards)."""
    if isinstance(e, Fixed):
        return e.position, e.position + 1, 1
    if not isinstance(e, Span):
        return 0, size, 1
    if e.size == 0:
        return 0, 0, 1
    last = e.start + (e.size - 1) * e.step
    return (e.start, last + 1, e.step) if e.step > 0 else (last, e.start + 1, -e.step)


def with_dim(entries: Sequence[Any]) -> list:
    """The entries that are about a dimension, in the order of dimensions."""
    return [e for e in entries if not isinstance(e, (New, Gap)) and e.dim is not None]


def static_part(x: Value, entries: Sequence[Any]) -> Value:
    """What slices and known integers select, integers keeping a dimension of size 1; other dimensions are whole."""
    shape = x.aval.shape
    own = with_dim(entries)
    starts, limits, strides = zip(*(bounds(e, n) for e, n in zip(own, shape))) if own else ((), (), ())
    if starts != (0,) * len(shape) or limits != shape or strides != (1,) * len(shape):
        x = BIND.slice(x, start_indices=starts, limit_indices=limits, strides=strides)
    return turned(x, own)


def turned(x: Value, own: Sequence[Any]) -> Value:
    """The array backwards in the dimensions of backward slices."""
    dims = tuple(d for d, e in enumerate(own) if isinstance(e, Span) and e.step < 0 and e.size > 1)
    return BIND.reverse(x, dimensions=dims) if dims else x


# ---- computed positions ----


def window_starts(own: Sequence[Any]) -> tuple[list[Value], tuple[int, ...]]:
    """Start indices and sizes of the window that slices of step 1, known and traced integers select."""
    traced = [e.value for e in own if isinstance(e, Computed)]
    wide = any(v.aval.dtype.itemsize == 8 for v in traced)
    dtype = np.dtype(np.int64 if wide else np.int32)
    starts: list[Value] = []
    for e in own:
        if isinstance(e, Computed):
            starts.append(convert(e.value, dtype))
        else:
            position = e.position if isinstance(e, Fixed) else e.start if e.size else 0
            starts.append(constant(np.asarray(position, dtype)))
    return starts, tuple(e.size if isinstance(e, Span) else 1 for e in own)


def inside(entries: Sequence[Any], shape: tuple[int, ...]) -> Value:
    """A boolean scalar: all traced integers lie inside."""
    found: Value | None = None
    for e in entries:
        if not isinstance(e, Computed):
            continue
        a = e.value.aval
        low = BIND.compare(e.value, BIND.full(a, 0), comparison_direction="GE")
        high = BIND.compare(e.value, BIND.full(a, shape[e.dim]), comparison_direction="LT")
        both = getattr(BIND, "and")(low, high)
        found = both if found is None else getattr(BIND, "and")(found, both)
    assert found is not None
    return found


def _windowed(x: Value, entries: Sequence[Any], way: GatherScatterMode, fill_value: Any) -> Value:
    own = with_dim(entries)
    if any(isinstance(e, Span) and e.step != 1 for e in own):
        x = static_part(x, entries)
        own = [e if isinstance(e, Computed) else Span(d, 0, x.aval.shape[d], 1) for d, e in enumerate(own)]
    starts, sizes = window_starts(own)
    found = BIND.dynamic_slice(x, *starts, slice_sizes=sizes)
    if way is not GatherScatterMode.FILL_OR_DROP:
        return found
    filling = expand_to(fill_constant(x, fill_value), found.aval.shape)
    return BIND.select(inside(own, x.aval.shape), found, filling)


# ---- arrays of positions ----


def without_fixed(x: Value, entries: Sequence[Any]) -> tuple[Value, list]:
    """What slices and known integers select, without the integers' dimensions; and the entries for the rest, where
    slices have become whole dimensions."""
    own = with_dim(entries)
    x = static_part(x, entries)
    if any(isinstance(e, Fixed) for e in own):
        shape = tuple(n for n, e in zip(x.aval.shape, own) if not isinstance(e, Fixed))
        x = BIND.reshape(x, shape=shape)
    rest = [e for e in own if not isinstance(e, Fixed)]
    shape = x.aval.shape
    return x, [e if not isinstance(e, Span) else Span(d, 0, shape[d], 1) for d, e in enumerate(rest)]


def _gathered(x: Value, parsed: Parsed, way: GatherScatterMode, fill_value: Any, options: dict) -> Value:
    x, own = without_fixed(x, parsed.entries)
    taken = tuple(d for d, e in enumerate(own) if not isinstance(e, Span))
    indices = stacked(parsed, [own[d] for d in taken])
    block = len(parsed.block or ())
    kept = len(own) - len(taken)
    offsets = [i for i in range(kept + block) if not parsed.place <= i < parsed.place + block]
    sizes = tuple(1 if d in taken else n for d, n in enumerate(x.aval.shape))
    numbers = GatherDimensionNumbers(tuple(offsets), taken, taken)
    return gather(x, indices, numbers, sizes, mode=way, fill_value=fill_value, **options)
