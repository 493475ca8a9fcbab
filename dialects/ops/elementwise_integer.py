"""Bits: and, or, xor, not, shifts, popcnt, count_leading_zeros, mulhi."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.ir.aval import Aval
from sable.ir.native_form import loops
from sable.ir.op import NumpyBuilder, Op, Traits, defop

from .nary import like, nary
from .rules import elementwise, sample
from .samples import SIGNED, UNSIGNED, bool_samples, integer_samples, together

_UNSIGNED = {np.dtype(s): np.dtype(u) for s, u in zip(SIGNED, UNSIGNED)}
_SIGNED = {u: s for s, u in _UNSIGNED.items()}


def _as_unsigned(x: np.ndarray) -> np.ndarray:
    return x.view(_UNSIGNED[x.dtype]) if x.dtype.kind == "i" else x


def _as_signed(x: np.ndarray) -> np.ndarray:
    return x.view(_SIGNED[x.dtype]) if x.dtype.kind == "u" else x


def bits(name: str, lax_name: str, ref: Callable, count: int, kinds: str, samples: Callable, extended: str = "") -> Op:
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
        traits=Traits(extended=extended),
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
    "shift_right_arithmetic", "shift_right_arithmetic", _shift_right_arithmetic, 2, "iu", _shift_samples, "sign"
)
shift_right_logical = bits(
    "shift_right_logical", "shift_right_logical", _shift_right_logical, 2, "iu", _shift_samples, "zeros"
)

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
count_leading_zeros = bits("count_leading_zeros", "clz", _count_leading_zeros, 1, "iu", integer_samples(), "upper")

# ---- the upper half of a product ---------------------------------------------------------------------------

_WORD, _HALF = np.dtype(np.uint64), 32


def _mulhi_lower(b: Any, lhs: Any, rhs: Any) -> Any:
    """By a product of integers twice as wide, where there are such."""
    narrow = b.aval(lhs).dtype
    if narrow.itemsize == _WORD.itemsize:
        return _mulhi_of_words(b, lhs, rhs)
    wide = np.dtype(f"{narrow.kind}{2 * narrow.itemsize}")
    product = b.multiply(b.convert(lhs, dtype=wide), b.convert(rhs, dtype=wide))
    return b.convert(b.shift_right_logical(product, like(b, product, 8 * narrow.itemsize)), dtype=narrow)


def _mulhi_of_words(b: Any, lhs: Any, rhs: Any) -> Any:
    """By four products of 32-bit halves. A negative number is its bits as an unsigned one less 2**64, hence
    (x - 2**64 [x < 0]) (y - 2**64 [y < 0]) = x y - 2**64 (y [x < 0] + x [y < 0]) modulo 2**128."""
    dtype = b.aval(lhs).dtype
    words = [b.convert(v, dtype=_WORD) for v in (lhs, rhs)]
    half, mask = like(b, words[0], _HALF), like(b, words[0], 2**_HALF - 1)
    lower = functools.partial(getattr(b, "and"), mask)
    low, high = [lower(v) for v in words], [b.shift_right_logical(v, half) for v in words]
    first = b.add(b.multiply(high[0], low[1]), b.shift_right_logical(b.multiply(*low), half))
    second = b.add(b.multiply(low[0], high[1]), lower(first))
    upper = [b.multiply(*high), b.shift_right_logical(first, half), b.shift_right_logical(second, half)]
    found = b.convert(functools.reduce(b.add, upper), dtype=dtype)
    if dtype.kind == "u":
        return found
    zero = like(b, lhs, 0)
    for x, y in ((lhs, rhs), (rhs, lhs)):
        found = b.subtract(found, b.select(b.compare(x, zero, comparison_direction="LT"), y, zero))
    return found


_mulhi_of_equals = nary("mulhi", "iu")


def _mulhi_type(lhs: Aval, rhs: Aval) -> Aval:
    if lhs.narrow or rhs.narrow:
        raise TypeError(
            f"mulhi does not accept dtype {(lhs if lhs.narrow else rhs).dtype.name}: its bits are no byte's"
        )
    return _mulhi_of_equals(lhs, rhs)


def _mulhi(lhs: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    return _mulhi_lower(_NUMPY, lhs, rhs)


def _mulhi_samples() -> list:
    found = integer_samples(2)()
    for dtype in SIGNED + UNSIGNED:
        info = np.iinfo(dtype)
        x, y = np.meshgrid(*2 * [np.array([info.min, info.min + 1, 0, 3, info.max // 2, info.max], dtype)])
        found.append(sample(x, y, rtol=0, atol=0, grad=False, why="integers"))
    return found


_NUMPY = NumpyBuilder()
mulhi = defop(
    "mulhi",
    dialect="chlo",
    operands=("lhs", "rhs"),
    type=_mulhi_type,
    ref=_mulhi,
    jvp=None,
    transpose={},
    batch=elementwise,
    samples=_mulhi_samples,
    lower=_mulhi_lower,
    traits=Traits(cost=4),
)
