"""Bits: and, or, xor, not, shifts, popcnt, count_leading_zeros."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sable.ir.native_form import loops
from sable.ir.op import Op, defop

from .nary import nary
from .rules import elementwise, sample
from .samples import SIGNED, UNSIGNED, bool_samples, integer_samples, together

_UNSIGNED = {np.dtype(s): np.dtype(u) for s, u in zip(SIGNED, UNSIGNED)}
_SIGNED = {u: s for s, u in _UNSIGNED.items()}


def _as_unsigned(x: np.ndarray) -> np.ndarray:
    return x.view(_UNSIGNED[x.dtype]) if x.dtype.kind == "i" else x


def _as_signed(x: np.ndarray) -> np.ndarray:
    return x.view(_SIGNED[x.dtype]) if x.dtype.kind == "u" else x


def bits(name: str, lax_name: str, ref: Callable, count: int, kinds: str, samples: Callable) -> Op:
    """A row of an op on the bits of `count` operands, which has no derivative."""
    return defop(
        name,
        operands=("lhs", "rhs") if count == 2 else ("operand",),
        type=nary(lax_name, kinds),
        ref=ref,
        jvp=None,
        transpose={},
        batch=elementwise,
        samples=samples,
    )


_LOGICAL = together(integer_samples(2), bool_samples(2))

and_ = bits("and", "and", np.bitwise_and, 2, "iub", _LOGICAL)
or_ = bits("or", "or", np.bitwise_or, 2, "iub", _LOGICAL)
xor = bits("xor", "xor", np.bitwise_xor, 2, "iub", _LOGICAL)
not_ = bits("not", "not", np.invert, 1, "iub", together(integer_samples(), bool_samples()))

# ---- shifts ------------------------------------------------------------------------------------------------
# A shift by the width or more (or a negative one) leaves 0, or all sign bits: so do NumPy's ufuncs.


@loops(lambda dtype, _: np.right_shift if dtype.kind == "i" else None)
def _shift_right_arithmetic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.right_shift(_as_signed(x), _as_signed(y)).view(x.dtype)


@loops("shift_right_logical")
def _shift_right_logical(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.right_shift(_as_unsigned(x), _as_unsigned(y)).view(x.dtype)


def _shift_samples() -> list:
    found = integer_samples(2)()
    for dtype in SIGNED + UNSIGNED:
        width = 8 * np.dtype(dtype).itemsize
        amounts = np.array([0, 1, width - 1, width, width + 1], dtype)
        for x in (np.array(-5).astype(dtype), np.array(93).astype(dtype)):
            found.append(sample(np.full_like(amounts, x), amounts, rtol=0, atol=0, grad=False, why="integers"))
    return found


shift_left = bits("shift_left", "shift_left", np.left_shift, 2, "iu", _shift_samples)
shift_right_arithmetic = bits(
    "shift_right_arithmetic", "shift_right_arithmetic", _shift_right_arithmetic, 2, "iu", _shift_samples
)
shift_right_logical = bits("shift_right_logical", "shift_right_logical", _shift_right_logical, 2, "iu", _shift_samples)

# ---- counting ----------------------------------------------------------------------------------------------


def _popcnt(x: np.ndarray) -> np.ndarray:
    octets = np.asarray(x, order="C").reshape(*x.shape, 1).view(np.uint8)
    return np.unpackbits(octets, axis=-1).sum(axis=-1).astype(x.dtype)


def _count_leading_zeros(x: np.ndarray) -> np.ndarray:
    # every bit below the highest one is set; the bits still clear are the leading zeros
    word, width = _as_unsigned(x), 8 * x.dtype.itemsize
    shift = 1
    while shift < width:
        word = word | (word >> word.dtype.type(shift))
        shift *= 2
    return _popcnt(np.asarray(~word)).astype(x.dtype)


popcnt = bits("popcnt", "population_count", _popcnt, 1, "iu", integer_samples())
count_leading_zeros = bits("count_leading_zeros", "clz", _count_leading_zeros, 1, "iu", integer_samples())
