"""sort for CPUs by its digits, where IREE's takes quadratic time (77 ms for 4,000 floats; a million never ends).

Keys become unsigned 32-bit words in JAX's order (`gpu_sort.py`). From the least significant word on, byte by
byte, places are distributed to 256 buckets in the order in which they stand (D. E. Knuth, "The Art of Computer
Programming", volume 3, 5.2.5), which is stable. All of it are loops over scalars, which become one kernel. Short rows
are ranked by counting, which vectorises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import aval

from .gpu_sort import sorted_by
from .rules import legalize

_I32 = np.dtype(np.int32)
_SCALAR = aval((), _I32)
_DIGIT_BITS = 8
_DIGITS = 1 << _DIGIT_BITS
_WORD_BITS = 32

#: Rows up to this length are ranked by counting.
_COUNTED = 64


@legalize("sort", "cpu")
def sort(b: Any, *operands: Any, dimension: int, num_keys: int, is_stable: bool) -> Any:
    """Stable whether asked to or not."""
    return sorted_by(b, operands, dimension, num_keys, _COUNTED, _order_by_digits)


def _order_by_digits(b: Any, words: Sequence[Any]) -> Any:
    """For each rank of a row the place of its element."""
    rows, n = b.aval(words[0]).shape
    flat = [b.bitcast_convert(b.reshape(w, shape=(rows * n,)), dtype=_I32) for w in words]
    if rows == 1:
        return b.reshape(_order_of_row(b, flat), shape=(1, n))

    def sort_row(row: Any, carry: Sequence[Any]) -> Sequence[Any]:
        # cut out, so that what a pass hands to the next is one row
        start = b.multiply(row, b.full(_SCALAR, n))
        order = _order_of_row(b, [b.emit("dynamic_slice", w, start, slice_sizes=(n,)) for w in flat])
        return [b.emit("dynamic_update_slice", carry[0], order, start)]

    (order,) = b.repeat(rows, [b.full(aval((rows * n,), _I32), 0)], sort_row)
    return b.reshape(order, shape=(rows, n))


def _order_of_row(b: Any, words: Sequence[Any]) -> Any:
    (n,) = b.aval(words[0]).shape
    carry = [b.iota(shape=(n,), dtype=_I32, iota_dimension=0), b.full(aval((n,), _I32), 0)]
    for word in reversed(words):
        carry = b.repeat(_WORD_BITS // _DIGIT_BITS, carry, lambda k, c, w=word: _distribute(b, w, k, c))
    return carry[0]


def _distribute(b: Any, word: Any, digit: Any, carry: Sequence[Any]) -> Sequence[Any]:
    """One pass: the places in `carry[0]`, in the order of one digit, are written to `carry[1]`."""
    places, space = carry
    (n,) = b.aval(places).shape
    shift = b.multiply(digit, b.full(_SCALAR, _DIGIT_BITS))

    def bucket(i: Any) -> tuple[Any, Any]:
        place = _read(b, places, i)
        bits = b.emit("shift_right_logical", _read(b, word, place), shift)
        return place, b.emit("and", bits, b.full(_SCALAR, _DIGITS - 1))

    def count(i: Any, state: Sequence[Any]) -> Sequence[Any]:
        after = b.add(bucket(i)[1], b.full(_SCALAR, 1))
        return [_write(b, state[0], after, b.add(_read(b, state[0], after), b.full(_SCALAR, 1)))]

    def accumulate(i: Any, state: Sequence[Any]) -> Sequence[Any]:
        after = b.add(i, b.full(_SCALAR, 1))
        return [_write(b, state[0], after, b.add(_read(b, state[0], after), _read(b, state[0], i)))]

    def move(i: Any, state: Sequence[Any]) -> Sequence[Any]:
        starts, space = state
        place, digit = bucket(i)
        to = _read(b, starts, digit)
        return [_write(b, starts, digit, b.add(to, b.full(_SCALAR, 1))), _write(b, space, to, place)]

    starts = b.repeat(n, [b.full(aval((_DIGITS + 1,), _I32), 0)], count)
    starts = b.repeat(_DIGITS, starts, accumulate)
    _, space = b.repeat(n, [*starts, space], move)
    return [space, places]


def _read(b: Any, x: Any, i: Any) -> Any:
    return b.reshape(b.emit("dynamic_slice", x, i, slice_sizes=(1,)), shape=())


def _write(b: Any, x: Any, i: Any, value: Any) -> Any:
    return b.emit("dynamic_update_slice", x, b.reshape(value, shape=(1,)), i)
