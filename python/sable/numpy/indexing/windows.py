"""Windows of known size at positions that may be traced: `x[ds(i, 3)]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import position_of
from sable.core.values import as_value
from sable.tree_util import register_pytree_node

from .parse import _part, _parts, _width


class Slice:
    """`size` positions from `start`, in steps of `stride`; made by `ds`."""

    __slots__ = ("size", "start", "stride")

    def __init__(self, start: Any, size: int, stride: int = 1):
        if stride < 0:
            raise ValueError("`stride` must be >= 0.")
        self.start, self.size, self.stride = start, size, stride

    def __repr__(self) -> str:
        return f"Slice(start={self.start!r}, size={self.size}, stride={self.stride})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slice) and (self.start, self.size, self.stride) == (
            other.start,
            other.size,
            other.stride,
        )

    def __hash__(self) -> int:
        return hash((self.start, self.size, self.stride))


register_pytree_node(Slice, lambda s: ((s.start,), (s.size, s.stride)), lambda known, s: Slice(s[0], *known))


def ds(start: Any, size: int | None = None, stride: int | None = None) -> slice | Slice:
    """A window for `x[...]`, `x.at[...]` and references whose position may be traced; moved inside of the array.

    Args:
      start: the first position, an integer that may be traced; alone it is the size, and 0 the start.
      size: how many positions.
      stride: steps between them, by default 1.

    Raises:
      ValueError: a negative stride.

    Example:
      >>> window = jax.jit(lambda x, i: x[jax.ds(i, 3)])
      >>> window(jnp.arange(8), 2)
      Array([2, 3, 4], dtype=int32)
    """
    if start is None:
        return slice(None)
    if size is None:
        start, size = 0, start
    return Slice(start, size, 1 if stride is None else stride)


class Window(NamedTuple):
    """A part of an array and what indexes it further.

    Attributes:
      starts: positions of its corner.
      sizes: its shape.
      index: where `Slice`s have become slices of the part.
    """

    starts: list[Value]
    sizes: tuple[int, ...]
    index: tuple

    def of(self, x: Value) -> Value:
        """The part."""
        return BIND.dynamic_slice(x, *self.starts, slice_sizes=self.sizes)

    def put(self, x: Value, part: Value) -> Value:
        """x with another part."""
        return BIND.dynamic_update_slice(x, part, *self.starts)


def window_of(shape: Sequence[int], index: Any) -> Window | None:
    """The part of an array that an index with `Slice`s is about; None for others.

    Raises:
      TypeError: a window is larger than the array.
      IndexError: too many indices.
    """
    parts = _parts(index) if not isinstance(index, Slice) else (index,)
    if not any(type(p) is Slice for p in parts):
        return None
    widths = [1 if type(p) is Slice else _width(_part(p)) for p in parts]
    if sum(widths) > len(shape):
        raise IndexError(f"Too many indices: array is {len(shape)}-dimensional, but {sum(widths)} were indexed")
    starts, sizes, further = [as_value(np.int32(0))] * len(shape), list(shape), list(parts)
    for k, p in enumerate(parts):
        if type(p) is not Slice:
            continue
        behind = any(q is Ellipsis for q in parts[:k])
        d = len(shape) - sum(widths[k:]) if behind else sum(widths[:k])
        sizes[d] = max((p.size - 1) * p.stride + 1, 0) if p.size else 0
        if sizes[d] > shape[d]:
            raise TypeError(
                "slice slice_sizes must be less than or equal to operand shape, got slice_sizes "
                f"({sizes[d]},) for operand shape ({shape[d]},)."
            )
        starts[d] = position_of(as_value(p.start), shape[d])
        further[k] = slice(None, None, p.stride or 1)
    return Window(starts, tuple(sizes), tuple(further))


__all__ = ["Slice", "ds", "window_of"]
