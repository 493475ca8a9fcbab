"""Paddings between elements, where IREE would merge them with what puts elements somewhere before or behind them.

IREE 3.13 writes paddings and updates as insertions into another array. Of two in a row, one of which leaves gaps, it makes
one and forgets the steps: `lax.pad(lax.pad(x, 0, ((2, 1, 0),)), 0, ((0, 0, 3),))` begins with 2 zeros and not with 8. There
each element is repeated, and all but the first choose what is padded; vectors are written that way in any case, which takes
a quarter of the time where every second element of a million is written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.bindings import ir

from ..ir_tools import before, owner, walk
from .rules import in_shape

_PAD = "stablehlo.pad"
#: What puts elements somewhere in another array.
_INSERTING = (_PAD, "stablehlo.dynamic_update_slice", "stablehlo.scatter")
_I32 = np.dtype(np.int32)


def spread_paddings(b: Any, function: ir.Operation) -> None:
    """Rewrites such paddings of a lowered function by its builder."""
    outer, location = b.ip, b.location
    for op in [op for op in walk(function.regions[0].blocks[0]) if _has_gaps(op) and _is_merged(op)]:
        b.ip = before(op)
        b.at(op.location)
        op.results[0].replace_all_uses_with(_spread(b, op))
        op.erase()
    b.ip = outer
    b.at(location)


def _has_gaps(op: ir.Operation) -> bool:
    return op.name == _PAD and any(op.attributes["interior_padding"]) and 0 not in op.operands[0].type.shape


def _is_merged(op: ir.Operation) -> bool:
    if op.operands[0].type.rank == 1:
        return True
    return _inserts(owner(op.operands[0])) or any(_inserts(use.owner.operation) for use in op.results[0].uses)


def _inserts(op: ir.Operation | None) -> bool:
    while op is not None and op.name == "stablehlo.reshape":
        op = owner(op.operands[0])
    return op is not None and op.name in _INSERTING


def _spread(b: Any, op: ir.Operation) -> ir.Value:
    x, value = op.operands
    a = b.aval(x)
    edges = ("edge_padding_low", "edge_padding_high", "interior_padding")
    low, high, interior = (list(op.attributes[name]) for name in edges)
    # each axis with gaps is followed by one of an element and what is padded behind it
    shape, places, axes = [], [], []
    for n, k in zip(a.shape, interior):
        places.append(len(shape))
        shape.append(n)
        if k:
            axes.append(len(shape))
            shape.append(k + 1)
    wide = a.update(shape=tuple(shape))
    numbers = wide.update(dtype=_I32)
    iotas = [b.iota(shape=wide.shape, dtype=_I32, iota_dimension=axis) for axis in axes]
    first, *others = [b.compare(i, b.full(numbers, 0), comparison_direction="EQ") for i in iotas]
    for other in others:
        first = getattr(b, "and")(first, other)
    repeated = b.broadcast_in_dim(x, shape=wide.shape, broadcast_dimensions=tuple(places))
    padded = b.broadcast_in_dim(value, shape=wide.shape, broadcast_dimensions=())
    spread = in_shape(b, b.select(first, repeated, padded), tuple(n * (k + 1) for n, k in zip(a.shape, interior)))
    # what is behind the last element goes with the edge
    high = [edge - k for edge, k in zip(high, interior)]
    return b.pad(
        spread,
        value,
        edge_padding_low=tuple(low),
        edge_padding_high=tuple(high),
        interior_padding=(0,) * a.ndim,
    )
