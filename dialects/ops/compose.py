"""Small compositions of ops that several structured rows use in their rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.literal import Literal
from sable.ir.op import OPS

BOOL = np.dtype(np.bool_)
INT32 = np.dtype(np.int32)


def zeros(b: Any, a: Aval) -> Any:
    """A zero constant of that shape and dtype."""
    return b.full(a, False if a.dtype == BOOL else 0)


def compare(b: Any, x: Any, y: Any, direction: str) -> Any:
    """x == y, x < y ...: `direction` is EQ, NE, LT, LE, GT or GE."""
    return b.compare(x, y, comparison_direction=direction)


def logical(b: Any, mnemonic: str, *xs: Any) -> Any:
    """`and`, `or`, `not`, `xor`, whose mnemonics are Python keywords."""
    return b.bind(OPS[mnemonic], *xs)


def index_constant(b: Any, value: int, dtype: np.dtype) -> Any:
    """A scalar integer constant."""
    return b.full(aval((), dtype), value)


def small_constant(b: Any, array: np.ndarray) -> Any:
    """A constant written into the program, also where `b.literal` would capture it as an argument."""
    return b.bind(OPS["constant"], value=Literal.of(array))


def convert(b: Any, x: Any, dtype: np.dtype) -> Any:
    """x in another dtype; x itself where it has that dtype."""
    return x if b.aval(x).dtype == dtype else b.convert(x, dtype=dtype)


def spread(b: Any, x: Any, shape: Sequence[int], removed: Sequence[int]) -> Any:
    """A reduced array repeated over the axes `removed` of `shape`: the transpose of a sum."""
    kept = tuple(i for i in range(len(shape)) if i not in removed)
    return b.broadcast_in_dim(x, shape=tuple(shape), broadcast_dimensions=kept)


def slice_axis(b: Any, x: Any, axis: int, start: int, limit: int, stride: int = 1) -> Any:
    """x[start:limit:stride] along one axis."""
    shape = b.aval(x).shape
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis], limits[axis], strides[axis] = start, limit, stride
    return b.slice(x, start_indices=tuple(starts), limit_indices=tuple(limits), strides=tuple(strides))


def pad_axis(b: Any, x: Any, axis: int, low: int, high: int, value: Any) -> Any:
    """x with `low` and `high` copies of the Python scalar `value` along one axis."""
    a = b.aval(x)
    lows, highs = [0] * a.ndim, [0] * a.ndim
    lows[axis], highs[axis] = low, high
    return b.pad(
        x,
        b.full(aval((), a.dtype), value),
        edge_padding_low=tuple(lows),
        edge_padding_high=tuple(highs),
        interior_padding=(0,) * a.ndim,
    )


def move_to_front(b: Any, x: Any, axis: int) -> Any:
    """The axis moved to position 0."""
    if axis == 0:
        return x
    n = b.aval(x).ndim
    return b.transpose(x, permutation=(axis, *(i for i in range(n) if i != axis)))


def up(dims: Sequence[int]) -> tuple[int, ...]:
    """Axis numbers behind a new leading axis."""
    return tuple(d + 1 for d in dims)


def released(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """A view of an array, or a copy where the view is small and would keep the whole array alive."""
    return part if 2 * part.size >= whole.size else part.copy()
