"""Conversions of dtypes: what IREE leaves undefined, rounds twice, or extends by the wrong sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval, bfloat16

from .rules import compare, legalize

_F32, _I32, _U32, _I64 = (np.dtype(t) for t in (np.float32, np.int32, np.uint32, np.int64))


@legalize("convert")
def convert(b: Any, x: Any, dtype: np.dtype) -> Any:
    """A conversion by the kinds of its two dtypes; NotImplemented where IREE's own is right."""
    a = b.aval(x)
    kind, wanted = kind_of(a.dtype), kind_of(dtype)
    if kind in "iub" and wanted == "c":
        part = a.update(dtype=np.dtype(f"f{dtype.itemsize // 2}"))
        return b.complex(b.convert(x, dtype=part.dtype), b.full(part, 0))
    if kind == "c" and wanted in "iuf":
        return b.convert(b.real(x), dtype=dtype)
    if kind in "iub" and dtype == bfloat16:
        return _integer_to_bfloat16(b, x)
    if kind == "b" and wanted in "iuf":
        out = a.update(dtype=dtype)
        return b.emit("select", x, b.full(out, 1), b.full(out, 0))
    if kind == "u" and wanted in "iu" and dtype.itemsize > a.dtype.itemsize:
        return _zero_extended(b, x, dtype)
    if kind == "u" and wanted == "f":
        return _unsigned_to_float(b, x, dtype)
    if kind == "f" and wanted in "iu":
        return _float_to_integer(b, x, dtype)
    return NotImplemented


def _float_to_integer(b: Any, x: Any, dtype: np.dtype) -> Any:
    """Saturating, NaN to 0, as XLA; IREE's result out of range is undefined (LLVM's fptosi)."""
    a = b.aval(x)
    if a.dtype.itemsize == 2:
        return b.convert(b.emit("convert", x, dtype=_F32), dtype=dtype)
    info = np.iinfo(dtype)
    above = float(2 ** (info.bits - (info.kind == "i")))  # the first float beyond the range: a power of two, so exact
    low, top = b.full(a, float(info.min)), b.full(a, above)
    inside = b.emit("select", compare(b, x, x, "EQ"), x, b.full(a, 0))
    too_high = compare(b, inside, top, "GE")
    inside = b.emit("maximum", b.emit("select", too_high, b.full(a, 0), inside), low)
    out = a.update(dtype=dtype)
    return b.emit("select", too_high, b.full(out, info.max), b.emit("convert", inside, dtype=dtype))


def _zero_extended(b: Any, x: Any, dtype: np.dtype) -> Any:
    """An unsigned integer in more bits, as a masked sign extension.

    IREE folds a zero extension into the contraction that reads it, and vectorises that as one of signed integers.
    """
    a = b.aval(x)
    wide = a.update(dtype=np.dtype(f"i{dtype.itemsize}"), weak_type=False)
    signed = b.bitcast_convert(x, dtype=np.dtype(f"i{a.dtype.itemsize}"))
    mask = b.full(wide, 2 ** (8 * a.dtype.itemsize) - 1)
    found = b.emit("and", b.emit("convert", signed, dtype=wide.dtype), mask)
    return b.bitcast_convert(found, dtype=dtype) if dtype.kind == "u" else found


def _unsigned_to_float(b: Any, x: Any, dtype: np.dtype) -> Any:
    """By way of signed integers, for the reason of `_zero_extended`; rounded once."""
    a = b.aval(x)
    if a.dtype.itemsize <= 2:
        return b.emit("convert", _zero_extended(b, x, _I32), dtype=dtype)
    if dtype.itemsize == 2:  # what f32 rounds is beyond the range of f16
        return b.emit("convert", b.convert(x, dtype=_F32), dtype=dtype)
    out = a.update(dtype=dtype)
    if a.dtype.itemsize == 4:
        halves = b.emit("shift_right_logical", x, b.full(a, 16)), b.emit("and", x, b.full(a, 0xFFFF))
        high, low = (b.emit("convert", b.bitcast_convert(half, dtype=_I32), dtype=dtype) for half in halves)
        return b.add(b.multiply(high, b.full(out, 2.0**16)), low)
    return _doubled_half(b, x, a, out)


def _doubled_half(b: Any, x: Any, a: Aval, out: Aval) -> Any:
    """A 64-bit number with its highest bit set is twice its half, whose last bit keeps what decides the rounding."""
    one = b.full(a, 1)
    half = b.emit("or", b.emit("shift_right_logical", x, one), b.emit("and", x, one))
    large = compare(b, x, b.full(a, 2**63), "GE")
    signed = b.bitcast_convert(b.emit("select", large, half, x), dtype=_I64)
    found = b.emit("convert", signed, dtype=out.dtype)
    return b.emit("select", large, b.add(found, found), found)


def _integer_to_bfloat16(b: Any, x: Any) -> Any:
    """By way of f32, rounded by hand: IREE folds two conversions into one.

    For that one LLVM calls a function that no library here has where the CPU has no instruction for it, and it does not
    verify for Vulkan. bfloat16 is the upper half of f32; adding 0x7FFF and the lowest bit that stays rounds to nearest,
    ties to even.
    """
    word = b.aval(x).update(dtype=_U32, weak_type=False)
    bits = b.bitcast_convert(b.convert(x, dtype=_F32), dtype=_U32)
    sixteen = b.full(word, 16)
    lowest = b.emit("and", b.emit("shift_right_logical", bits, sixteen), b.full(word, 1))
    rounded = b.emit("add", bits, b.emit("add", lowest, b.full(word, 0x7FFF)))
    upper = b.emit("convert", b.emit("shift_right_logical", rounded, sixteen), dtype=np.dtype(np.uint16))
    return b.bitcast_convert(upper, dtype=bfloat16)


@legalize("iota")
def iota(b: Any, **params: Any) -> Any:
    """bfloat16 as in `convert`."""
    if params["dtype"] != bfloat16:
        return NotImplemented
    return b.convert(b.emit("iota", **{**params, "dtype": _I32}), dtype=bfloat16)
