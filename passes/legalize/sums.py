"""In which dtype sums are accumulated: a wider one than their operand's, where that would drift.

IREE adds one element after the other, in vectors where the last dimension is summed. f16 and bf16 are rounded after each
element (2% off after 3,000 of bf16), so they go through f32. f32 is off by a unit in the last place for each eight
additions in a row of equal numbers (a mean over 1e6 rows by 1e-2), so long ones go through f64 on CPUs, which reads
memory as often and costs next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sable.dialects.ops.long_sums import updates_in_a_row, wider
from sable.ir.aval import Aval
from sable.ir.op import OPS

from .rules import in_f32, is_narrow, legalize

#: Numbers that IREE adds side by side along the last dimension: a vector of AVX-512.
_LANES = 16


def _narrow(name: str) -> None:
    @legalize(name)
    def rule(b: Any, x: Any, **params: Any) -> Any:
        return in_f32(b, name, x, **params) if is_narrow(b.aval(x).dtype) else NotImplemented


for _name in ("reduce_sum", "reduce_prod", "cumsum", "cumprod", "cumlogsumexp"):
    _narrow(_name)


def _long(name: str, in_a_row: Callable[..., int]) -> None:
    """`in_a_row(*avals, **params)`: how many of the op's additions follow one another."""

    @legalize(name, "cpu")
    def rule(b: Any, *operands: Any, **params: Any) -> Any:
        avals = [b.aval(x) for x in operands]
        dtype = avals[0].dtype
        wide = wider(dtype, in_a_row(*avals, **params))
        if wide is None:
            return NotImplemented
        widened = [b.convert(x, dtype=wide) if a.dtype == dtype else x for x, a in zip(operands, avals)]
        return b.convert(b.bind(OPS[name], *widened, **params), dtype=dtype)


def _reduced(a: Aval, dimensions: tuple[int, ...]) -> int:
    extent = math.prod(a.shape[d] for d in dimensions)
    return extent // min(a.shape[-1], _LANES) if a.ndim - 1 in dimensions and extent else extent


def _windowed(a: Aval, window_dimensions: tuple[int, ...], **_: Any) -> int:
    return math.prod(window_dimensions)


def _updated(operand: Aval, indices: Aval, updates: Aval, **_: Any) -> int:
    return updates_in_a_row(operand.size, updates.size)


_long("reduce_sum", _reduced)
_long("reduce_prod", _reduced)
_long("reduce_window_sum", _windowed)
_long("scatter_add", _updated)
