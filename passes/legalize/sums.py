"""In which dtype sums and products are accumulated: a wider one than their operand's, where that would drift.

IREE adds one element after the other, in vectors where the last dimension is summed. f16 and bf16 are rounded after each
element (2% off after 3,000 of bf16), so they go through f32. f32 is off by a unit in the last place for each eight
additions in a row of equal numbers (a mean over 1e6 rows by 1e-2), so long ones go through f64 on CPUs, which reads
memory as often and costs next to nothing.
"""

from __future__ import annotations

import math
from typing import Any

from sable.dialects.ops.long_sums import wider
from sable.ir.aval import Aval
from sable.ir.op import OPS

from .rules import in_f32, is_narrow, legalize

#: Numbers that IREE adds side by side along the last dimension: a vector of AVX-512.
_LANES = 16


def in_wider(b: Any, name: str, x: Any, additions: int, **params: Any) -> Any:
    """An op with so many additions in a row on a wider dtype; NotImplemented where the operand's own will do."""
    a = b.aval(x)
    if is_narrow(a.dtype):
        return in_f32(b, name, x, **params)
    wide = wider(a.dtype, additions) if b.platform == "cpu" else None
    if wide is None:
        return NotImplemented
    return b.convert(b.bind(OPS[name], b.convert(x, dtype=wide), **params), dtype=a.dtype)


def _in_a_row(a: Aval, dimensions: tuple[int, ...]) -> int:
    """How many additions of a reduction follow one another."""
    extent = math.prod(a.shape[d] for d in dimensions)
    return extent // min(a.shape[-1], _LANES) if a.ndim - 1 in dimensions and extent else extent


def _reduction(name: str) -> None:
    @legalize(name)
    def rule(b: Any, x: Any, dimensions: tuple[int, ...]) -> Any:
        return in_wider(b, name, x, _in_a_row(b.aval(x), dimensions), dimensions=dimensions)


for _name in ("reduce_sum", "reduce_prod"):
    _reduction(_name)


def _cumulative(name: str) -> None:
    @legalize(name)
    def rule(b: Any, x: Any, **params: Any) -> Any:
        """By doubling, whose chains are short: half precision alone."""
        return in_f32(b, name, x, **params) if is_narrow(b.aval(x).dtype) else NotImplemented


for _name in ("cumsum", "cumprod", "cumlogsumexp"):
    _cumulative(_name)
