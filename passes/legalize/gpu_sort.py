"""sort for GPU targets, where IREE's compiler dies of sorts with several operands and orders ties as it likes.

Keys become unsigned 32-bit words whose order is JAX's (-0 equals 0, NaN last), the place of each element is the last
word, so that the order is total and the sort stable. Short rows are ranked by counting, which is one kernel over all
pairs; long ones go through Batcher's bitonic network, one kernel run log2(n) (log2(n) + 1) / 2 times (K. E. Batcher,
"Sorting networks and their applications", 1968). The operands are gathered in the resulting order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.dialects.ops.sort import take_along
from sable.ir.aval import Aval, aval
from sable.ir.bindings import mlir_type
from sable.ir.codec import GatherDimensions

from .rules import compare, legalize

_F32, _I32, _U32 = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uint32)
_SIGN = 0x80000000
_QUIET_NAN = 0x7FC00000

#: Rows up to this length are ranked by counting: a million comparisons for one row, where the bitonic network would take
#: 55 runs of a kernel.
_COUNTED = 1024


@legalize("sort", "vulkan")
@legalize("sort", "cuda")
def sort(b: Any, *operands: Any, dimension: int, num_keys: int, is_stable: bool) -> Any:
    """Stable whether asked to or not."""
    return sorted_by(b, operands, dimension, num_keys, _COUNTED, order_by_network)


def sorted_by(
    b: Any, operands: Sequence[Any], dimension: int, num_keys: int, counted: int, order_of_long_rows: Callable
) -> Sequence[Any]:
    """The operands in the order of the first `num_keys` of them, stable.

    Args:
      counted: rows up to this length are ranked by counting.
      order_of_long_rows: from words (matrices of rows) to the places of their elements in order.
    """
    shape = b.aval(operands[0]).shape
    if not shape or shape[dimension] <= 1 or 0 in shape:
        return operands
    words = [as_rows(b, w, dimension) for key in operands[:num_keys] for w in _ordered_words(b, key)]
    find_order = _order_by_counting if shape[dimension] <= counted else order_of_long_rows
    order = from_rows(b, find_order(b, words), shape, dimension)
    return tuple(take_along(b, x, order, dimension) for x in operands)


# ---- keys to words -------------------------------------------------------------------------------------------


def _ordered_words(b: Any, x: Any) -> list[Any]:
    """Arrays of ui32, the most significant first, that are ordered as the elements of x."""
    a = b.aval(x)
    kind, size = kind_of(a.dtype), a.dtype.itemsize
    if kind == "c":
        return [*_ordered_words(b, b.real(x)), *_ordered_words(b, b.imag(x))]
    if kind == "b" or (kind == "u" and size < 4):
        return [b.convert(x, dtype=_U32)]
    if kind == "i" and size < 4:
        return _ordered_words(b, b.convert(x, dtype=_I32))
    if kind == "f" and size < 4:
        return _ordered_words(b, b.convert(x, dtype=_F32))
    return _halves(b, _ordered_bits(b, x, a, kind))


def _ordered_bits(b: Any, x: Any, a: Aval, kind: str) -> Any:
    """Unsigned integers of the width of x: the sign bit flipped; all bits of negative floats flipped."""
    unsigned = a.update(dtype=np.dtype(f"u{a.dtype.itemsize}"), weak_type=False)
    sign = _SIGN << 8 * (a.dtype.itemsize - 4)
    if kind == "u":
        return x
    if kind == "i":
        return b.emit("xor", b.bitcast_convert(x, dtype=unsigned.dtype), b.full(unsigned, sign))
    zero = b.full(a, 0)
    x = b.emit("select", compare(b, x, zero, "EQ"), zero, x)
    x = b.emit("select", compare(b, x, x, "EQ"), x, b.full(a, np.nan))
    bits = b.bitcast_convert(x, dtype=unsigned.dtype)
    negative = compare(b, b.emit("and", bits, b.full(unsigned, sign)), b.full(unsigned, 0), "NE")
    return b.emit("select", negative, b.emit("not", bits), b.emit("or", bits, b.full(unsigned, sign)))


def _halves(b: Any, bits: Any) -> list[Any]:
    a = b.aval(bits)
    if a.dtype == _U32:
        return [bits]
    high = b.emit("shift_right_logical", bits, b.full(a, 32))
    low = b.emit("and", bits, b.full(a, 0xFFFFFFFF))
    return [b.emit("convert", half, dtype=_U32) for half in (high, low)]


# ---- rows ----------------------------------------------------------------------------------------------------


def _last(rank: int, dimension: int) -> tuple[int, ...]:
    return (*[d for d in range(rank) if d != dimension], dimension)


def as_rows(b: Any, x: Any, dimension: int) -> Any:
    """A matrix whose rows run along the dimension."""
    shape = b.aval(x).shape
    moved = b.transpose(x, permutation=_last(len(shape), dimension))
    return b.reshape(moved, shape=(math.prod(shape) // shape[dimension], shape[dimension]))


def from_rows(b: Any, x: Any, shape: tuple[int, ...], dimension: int) -> Any:
    permutation = _last(len(shape), dimension)
    spread = b.reshape(x, shape=tuple(shape[d] for d in permutation))
    return b.transpose(spread, permutation=tuple(int(k) for k in np.argsort(permutation)))


def _precedes(b: Any, left: Sequence[Any], right: Sequence[Any]) -> Any:
    """Whether the left words come before the right ones, the first difference deciding."""
    *pairs, (x, y) = zip(left, right)
    result = compare(b, x, y, "LT")
    for x, y in reversed(pairs):
        result = b.emit("select", compare(b, x, y, "EQ"), result, compare(b, x, y, "LT"))
    return result


# ---- counting ------------------------------------------------------------------------------------------------


def _order_by_counting(b: Any, words: Sequence[Any]) -> Any:
    """For each rank of a row the place of its element."""
    rows, n = b.aval(words[0]).shape
    places = b.iota(shape=(rows, n), dtype=_U32, iota_dimension=1)

    def spread(x: Any, axis: int) -> Any:
        return b.broadcast_in_dim(x, shape=(rows, n, n), broadcast_dimensions=(0, axis))

    keyed = [*words, places]
    before = _precedes(b, [spread(w, 2) for w in keyed], [spread(w, 1) for w in keyed])
    ranks = b.reduce_sum(b.emit("convert", before, dtype=_I32), dimensions=(2,))
    numbers = b.iota(shape=(rows, n, n), dtype=_I32, iota_dimension=1)
    mine = compare(b, spread(ranks, 2), numbers, "EQ")
    cube = aval((rows, n, n), _I32)
    index = b.iota(shape=cube.shape, dtype=_I32, iota_dimension=2)
    return b.reduce_sum(b.emit("select", mine, index, b.full(cube, 0)), dimensions=(2,))


# ---- the bitonic network -------------------------------------------------------------------------------------


def order_by_network(b: Any, words: Sequence[Any], precedes: Callable = _precedes) -> Any:
    """As `_order_by_counting`, rows padded to a power of two by elements that come last.

    precedes: `(b, left, right) -> left comes first`, of lists of words, the last of which are the elements' places.
    """
    rows, n = b.aval(words[0]).shape
    size = 1 << (n - 1).bit_length()
    places = b.iota(shape=(rows, size), dtype=_U32, iota_dimension=1)
    state = [*[_padded(b, w, size - n) for w in words], places]
    scalar = aval((), _I32)
    carry = [b.full(scalar, 2), b.full(scalar, 1), *state]
    types = [mlir_type(b.aval(x)) for x in carry]
    loop = b.structured("stablehlo.while", carry, types, 2)
    b.region(loop, 0, types, lambda xs: [compare(b, xs[0], b.full(scalar, size), "LE")])
    b.region(loop, 1, types, lambda xs: _stage(b, *xs[:2], xs[2:], precedes))
    sorted_places = b.slice(loop.results[-1], start_indices=(0, 0), limit_indices=(rows, n), strides=(1, 1))
    return b.convert(sorted_places, dtype=_I32)


def _padded(b: Any, words: Any, count: int) -> Any:
    dtype = b.aval(words).dtype
    return b.pad(
        words,
        b.full(aval((), dtype), 0xFFFFFFFF if dtype == _U32 else False if dtype.kind == "b" else 0),
        edge_padding_low=(0, 0),
        edge_padding_high=(0, count),
        interior_padding=(0, 0),
    )


def _stage(b: Any, block: Any, distance: Any, state: Sequence[Any], precedes: Callable) -> list[Any]:
    """Every element meets the one at place xor distance; the order alternates from block to block."""
    rows, size = b.aval(state[0]).shape
    line, whole = aval((size,), _I32), (rows, size)
    places = b.iota(shape=line.shape, dtype=_I32, iota_dimension=0)
    partner = b.emit("xor", places, b.broadcast_in_dim(distance, shape=line.shape, broadcast_dimensions=()))
    other = [_columns(b, w, partner) for w in state]

    def bit_is_clear(of: Any) -> Any:
        spread = b.broadcast_in_dim(of, shape=line.shape, broadcast_dimensions=())
        return compare(b, b.emit("and", places, spread), b.full(line, 0), "EQ")

    wants_smaller = compare(b, bit_is_clear(block), bit_is_clear(distance), "EQ")
    wants_smaller = b.broadcast_in_dim(wants_smaller, shape=whole, broadcast_dimensions=(1,))
    keeps = compare(b, precedes(b, state, other), wants_smaller, "EQ")
    following = [b.emit("select", keeps, mine, theirs) for mine, theirs in zip(state, other)]
    scalar = aval((), _I32)
    one, two = b.full(scalar, 1), b.full(scalar, 2)
    ends = compare(b, distance, one, "EQ")
    next_distance = b.emit("select", ends, block, b.emit("divide", distance, two))
    return [b.emit("select", ends, b.multiply(block, two), block), next_distance, *following]


def _columns(b: Any, x: Any, indices: Any) -> Any:
    """x[:, indices]"""
    rows, size = b.aval(x).shape
    dims = GatherDimensions((0,), (1,), (), (), (1,), 1)
    column = b.reshape(indices, shape=(size, 1))
    return b.emit("gather", x, column, dimension_numbers=dims, slice_sizes=(rows, 1), indices_are_sorted=False)
