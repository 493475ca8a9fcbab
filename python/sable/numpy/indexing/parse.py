"""What an index expression means for an array of a given shape: one entry for each of its parts."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND, constant
from sable.core.concretization import origin
from sable.core.dtypes import kind_of
from sable.core.operands import broadcast_shape, position_of
from sable.core.trace import Tracer
from sable.core.values import as_value, converted
from sable.errors import NonConcreteBooleanIndexError, TracerIntegerConversionError


class New(NamedTuple):
    """A new dimension of size 1 (`None`)."""


class Gap(NamedTuple):
    """An ellipsis that stands for no dimension. It still separates index arrays on its sides."""


class Fixed(NamedTuple):
    """One position of a dimension, known; `inside` is False where it lies outside and was moved inside.

    `given` is what the user wrote.
    """

    dim: int
    position: int
    inside: bool
    given: int


class Span(NamedTuple):
    """A slice of a dimension: `size` positions from `start` in steps of `step`, which may be negative."""

    dim: int
    start: int
    size: int
    step: int


class Computed(NamedTuple):
    """One position of a dimension, traced (a scalar integer; negative ones are counted from the front already)."""

    dim: int
    value: Value


class Listed(NamedTuple):
    """An array of positions of a dimension (a NumPy array where they are known, with `inside` telling whether all lie
    inside). A boolean scalar is one without a dimension: a list of one position or of none."""

    dim: int | None
    value: Any
    inside: bool


class Parsed(NamedTuple):
    """An index expression.

    Attributes:
      entries: one for each part, in order; those with a dimension name each dimension once, in order.
      shape: of the indexed result.
      block: shape to which the index arrays broadcast, or None where there are none.
      place: where the block's dimensions are among the result's, not counting new ones.
    """

    entries: list
    shape: tuple[int, ...]
    block: tuple[int, ...] | None
    place: int

    @property
    def known(self) -> bool:
        """True where nothing in the index is traced."""
        return all(
            not isinstance(e, Computed) and not (isinstance(e, Listed) and isinstance(e.value, Value))
            for e in self.entries
        )

    @property
    def inside(self) -> bool:
        """False where a known position lies outside of the array for the whole result."""
        return all(e.inside for e in self.entries if isinstance(e, Fixed))

    @property
    def shape_without_new(self) -> tuple[int, ...]:
        """The result's shape without new dimensions."""
        sizes = [e.size for e in self.entries if isinstance(e, Span)]
        return (*sizes[: self.place], *(self.block or ()), *sizes[self.place :])


_ONLY = (
    "only integers, slices (`:`), ellipsis (`...`), newaxis (`None`) and integer or boolean arrays are valid indices. "
    "Got {}"
)
_SEQUENCE = (
    "Using a non-tuple sequence for multidimensional indexing is not allowed; use `arr[{}(seq)]` instead of `arr[seq]`."
)


def parse(shape: tuple[int, ...], index: Any, wrap: bool = True) -> Parsed:
    """The meaning of an index expression.

    Args:
      shape: of the indexed array.
      index: what stands between the brackets.
      wrap: whether negative integers count from the end.

    Raises:
      IndexError: too many indices, two ellipses, a boolean array of another shape, traced bounds of a slice,
        something that is no index.
      TypeError: lists, strings, floats.
    """
    parts = [_part(p) for p in _parts(index)]
    dims = sum(_width(p) for p in parts)
    if dims > len(shape):
        raise IndexError(f"Too many indices: array is {len(shape)}-dimensional, but {dims} were indexed")
    if sum(p is Ellipsis for p in parts) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    entries: list = []
    d = 0
    for number, p in enumerate(parts):
        if p is Ellipsis:
            if dims == len(shape):
                entries.append(Gap())
            for _ in range(len(shape) - dims):
                entries.append(Span(d, 0, shape[d], 1))
                d += 1
            continue
        entries += _entries(p, d, shape, number, wrap)
        d += _width(p)
    entries += [Span(k, 0, shape[k], 1) for k in range(d, len(shape))]
    return _placed(entries)


def _parts(index: Any) -> tuple:
    if isinstance(index, tuple):
        return index
    if isinstance(index, str):
        raise TypeError(f"JAX does not support string indexing; got idx={index!r}")
    if isinstance(index, Sequence) and not isinstance(index, (Value, np.ndarray)):
        several = (Sequence, Value, np.ndarray, slice, type(None), type(Ellipsis))
        raise TypeError(_SEQUENCE.format("tuple" if any(isinstance(p, several) for p in index) else "array"))
    return (index,)


def _part(p: Any) -> Any:
    """A part as a bool, int, None, Ellipsis, slice, NumPy array or tracer."""
    kind = type(p)
    if kind is int or p is None or p is Ellipsis or kind is slice or kind is bool:
        return p
    if isinstance(p, str):
        raise TypeError(f"JAX does not support string indexing; got idx={p!r}")
    if kind is Array:
        p = p.numpy()
    elif isinstance(p, (list, tuple)):
        p = _array_of(p)
    elif isinstance(p, (float, complex)):
        p = np.asarray(p)
    elif not isinstance(p, (Value, np.ndarray, np.generic)):
        if hasattr(p, "__jax_array__"):
            return _part(converted(p))
        if hasattr(p, "__index__"):
            return operator.index(p)
        raise IndexError(_ONLY.format(p))
    dtype = p.dtype
    if kind_of(dtype) not in "iub":
        raise TypeError(f"Indexer must have integer or boolean type, got indexer with type {dtype.name}")
    if isinstance(p, Tracer):
        return _concrete_mask(p) if dtype == np.bool_ else p
    if p.ndim == 0:
        return bool(p) if dtype == np.bool_ else int(p)
    return np.asarray(p)


def _array_of(values: Any) -> Any:
    """A list among the parts of a tuple."""
    if len(values) == 0:
        return np.zeros(0, np.int32)
    if any(isinstance(v, Tracer) for v in values):
        rows = [BIND.reshape(as_value(v), shape=(1, *as_value(v).aval.shape)) for v in values]
        return BIND.concatenate(*rows, dimension=0)
    return np.asarray([v.numpy() if isinstance(v, Array) else v for v in values])


def _concrete_mask(p: Tracer) -> np.ndarray | bool:
    known = p.owner.evaluate(p.value) if p.owner.live else None
    if known is None:
        raise NonConcreteBooleanIndexError(
            f"Array boolean indices must be concrete; got {p.aval.short()}. The result's size would depend on its values.\n"
            f"{origin(p)}\nUse jnp.where, `where=` of reductions, or pass size= to jnp.nonzero."
        )
    mask = known.numpy()
    return bool(mask) if mask.ndim == 0 else mask


def _width(p: Any) -> int:
    """How many dimensions a part is about."""
    if p is None or p is Ellipsis or type(p) is bool:
        return 0
    if isinstance(p, np.ndarray) and p.dtype == np.bool_:
        return p.ndim
    return 1


def _entries(p: Any, d: int, shape: tuple[int, ...], number: int, wrap: bool) -> list:
    kind = type(p)
    if p is None:
        return [New()]
    if kind is bool:
        return [Listed(None, np.zeros(int(p), np.int32), True)]
    if kind is int:
        return [_fixed(p, d, shape[d], wrap)]
    if kind is slice:
        return [_span(p, d, shape[d], number)]
    if isinstance(p, Tracer):
        value = position_of(p, shape[d], wrap)
        return [Listed(d, value, False) if p.aval.shape else Computed(d, value)]
    if p.dtype == np.bool_:
        return _mask(p, d, shape, number)
    position = p.astype(np.int64) if p.dtype != np.uint64 else np.minimum(p, np.uint64(2**62)).astype(np.int64)
    size = shape[d]
    if wrap:
        position = np.where(position < 0, position + size, position)
    inside = not position.size or (int(position.min()) >= 0 and int(position.max()) < size)
    return [Listed(d, np.clip(position, -1, size).astype(np.int32), inside)]


def _fixed(p: int, d: int, size: int, wrap: bool) -> Fixed:
    position = p + size if wrap and p < 0 else p
    moved = max(0, min(position, size - 1))
    return Fixed(d, moved, moved == position and size > 0, p)


def _span(p: slice, d: int, size: int, number: int) -> Span:
    try:
        start, stop, step = p.indices(size)
    except TypeError as error:
        bounds = [b for b in (p.start, p.stop, p.step) if isinstance(b, Value)]
        if not isinstance(error, TracerIntegerConversionError) and not bounds:
            if any(isinstance(b, (float, complex, str)) for b in (p.start, p.stop, p.step)):
                bad = next(b for b in (p.start, p.stop, p.step) if isinstance(b, (float, complex, str)))
                raise TypeError(f"{type(bad).__name__!r} object cannot be interpreted as an integer") from None
            raise
        raise IndexError(
            f"Slice entries must be static integers. Got {p} at position {number}. To slice at a traced position use "
            "lax.dynamic_slice."
        ) from None
    return Span(d, start, len(range(start, stop, step)), step)


def _mask(p: np.ndarray, d: int, shape: tuple[int, ...], number: int) -> list:
    expected = shape[d : d + p.ndim]
    if len(expected) < p.ndim or any(
        n not in (0, m) for n, m in zip(p.shape, expected)
    ):  # one without elements selects none
        raise IndexError(
            f"boolean index did not match shape of indexed array in index {number}: "
            f"got {p.shape}, expected {list(expected)}"
        )
    return [Listed(d + k, found.astype(np.int32), True) for k, found in enumerate(np.nonzero(p))]


def _placed(entries: list) -> Parsed:
    """The result's shape. Dimensions of index arrays go where the first of them stands, if integers and arrays stand
    side by side, and to the front otherwise (NumPy's rule)."""
    arrays = [e for e in entries if isinstance(e, Listed)]
    if not arrays:
        shape = [1 if isinstance(e, New) else e.size for e in entries if isinstance(e, (New, Span))]
        return Parsed(entries, tuple(shape), None, 0)
    block = broadcast_shape(tuple([tuple(e.value.shape) for e in arrays]))
    advanced = [i for i, e in enumerate(entries) if isinstance(e, (Fixed, Computed, Listed))]
    together = advanced[-1] - advanced[0] + 1 == len(advanced)
    first = advanced[0] if together else 0
    before = [e for e in entries[:first] if isinstance(e, (New, Span))]
    after = [e for e in entries[first:] if isinstance(e, (New, Span))]
    sizes = [[1 if isinstance(e, New) else e.size for e in part] for part in (before, after)]
    place = sum(isinstance(e, Span) for e in before)
    return Parsed(entries, (*sizes[0], *block, *sizes[1]), block, place)


def numpy_index(parsed: Parsed, shape: tuple[int, ...]) -> tuple:
    """The same index, of an array of that shape, for NumPy, with positions outside moved inside."""
    found: list[Any] = []
    for e in parsed.entries:
        if isinstance(e, New):
            found.append(None)
        elif isinstance(e, Gap):
            found.append(Ellipsis)
        elif isinstance(e, Fixed):
            found.append(e.position)
        elif isinstance(e, Span):
            stop = e.start + e.size * e.step
            found.append(slice(e.start, None if stop < 0 else stop, e.step) if e.size else slice(0, 0))
        elif e.dim is None:
            found.append(bool(e.value.size))
        else:
            found.append(e.value if e.inside else np.clip(e.value, 0, shape[e.dim] - 1))
    return tuple(found)


def stacked(parsed: Parsed, entries: Sequence[Any]) -> Value:
    """The positions of several entries as index vectors: (block ..., entries), integers of one dtype."""
    block = parsed.block or ()
    if all(not isinstance(e.value, Value) for e in entries):
        columns = [np.broadcast_to(e.value, block) for e in entries]
        made = constant(np.stack(columns, axis=-1))
        made.constant = False
        return made
    values = [e.value if isinstance(e.value, Value) else constant(np.asarray(e.value)) for e in entries]
    wide = any(v.aval.dtype.itemsize == 8 for v in values)
    dtype = np.dtype(np.int64 if wide else np.int32)
    columns = [_column(v, dtype, block) for v in values]
    return columns[0] if len(columns) == 1 else BIND.concatenate(*columns, dimension=len(block))


def _column(v: Value, dtype: np.dtype, block: tuple[int, ...]) -> Value:
    if v.aval.dtype != dtype:
        v = BIND.convert(v, dtype=dtype)
    shape = (*block, 1)
    if v.aval.shape == block:
        return BIND.reshape(v, shape=shape)
    dims = tuple(range(len(block) - v.aval.ndim, len(block)))
    return BIND.broadcast_in_dim(v, shape=shape, broadcast_dimensions=dims)
