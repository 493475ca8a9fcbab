"""Dtypes narrower than a byte's integers or a half float: how they are stored, and in which dtype they are computed.

Elements are bytes, as ml_dtypes has them. No target computes with them: an op is computed in a wider dtype and each result
is rounded (floats) or wrapped (integers), as by XLA. `sable.passes.narrow` writes that for the compiler; `widened` does it in
NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from .aval import NARROW_TYPES, Aval

_F32, _I8, _U8 = np.dtype(np.float32), np.dtype(np.int8), np.dtype(np.uint8)


@dataclass(frozen=True)
class Narrow:
    """A narrow dtype.

    Attributes:
      dtype: it.
      storage: the dtype of its elements' bytes, in compiled programs.
      wide: the dtype in which it is computed.
      bits: of an element; the lower ones of its byte.
    """

    dtype: np.dtype
    storage: np.dtype
    wide: np.dtype
    bits: int

    @property
    def is_float(self) -> bool:
        return self.wide == _F32


def _narrow(dtype: np.dtype) -> Narrow:
    if dtype.name.startswith("float"):
        return Narrow(dtype, _U8, _F32, ml_dtypes.finfo(dtype).bits)
    storage = _U8 if dtype.name.startswith("uint") else _I8
    return Narrow(dtype, storage, storage, ml_dtypes.iinfo(dtype).bits)


#: dtype -> what is known of it.
NARROW: dict[np.dtype, Narrow] = {dtype: _narrow(dtype) for dtype in NARROW_TYPES}


def bits_of(dtype: np.dtype) -> int:
    """Bits of an element."""
    known = NARROW.get(dtype)
    return 8 * dtype.itemsize if known is None else known.bits


def wide_dtype(dtype: Any) -> Any:
    """The dtype in which one is computed; all others, and what is no dtype, as they are."""
    known = NARROW.get(dtype) if isinstance(dtype, np.dtype) else None
    return dtype if known is None else known.wide


def storage_aval(a: Aval) -> Aval:
    """An abstract value as compiled programs have it."""
    known = NARROW.get(a.dtype)
    return a if known is None else a.update(dtype=known.storage)


def stored(array: np.ndarray) -> np.ndarray:
    """An array as compiled programs have it; a view."""
    known = NARROW.get(array.dtype)
    return array if known is None else array.view(known.storage)


def wide_params(params: dict[str, Any]) -> dict[str, Any]:
    """Parameters of an op that is computed in wide dtypes."""
    return {name: wide_dtype(value) for name, value in params.items()}


def narrows(params: Mapping[str, Any]) -> bool:
    """Whether a parameter asks for a narrow dtype."""
    return any(isinstance(value, np.dtype) and value in NARROW for value in params.values())


def _widened(x: np.ndarray, extended: str) -> np.ndarray:
    known = NARROW.get(x.dtype)
    if known is None or known.is_float or not extended:
        return x.astype(wide_dtype(x.dtype))
    shift = np.uint8(8 - known.bits)
    high = x.view(np.uint8) << shift
    if extended == "upper":
        return high | np.uint8(1) << (shift - np.uint8(1))
    return high >> shift if extended == "zeros" else high.view(np.int8) >> shift.view(np.int8)


def widened(op: Any, outs: Sequence[Aval]) -> Callable[..., Any]:
    """The reference meaning of an op with narrow operands or results, of these types."""

    def ref(*operands: np.ndarray, **params: Any) -> Any:
        wide = [_widened(x, op.traits.extended) for x in operands]
        made = op.ref(*wide, **wide_params(params))
        results = made if op.multiple_results else (made,)
        narrow = tuple(np.asarray(y).astype(a.dtype) for y, a in zip(results, outs))
        return narrow if op.multiple_results else narrow[0]

    return ref


def reference(op: Any, avals: Sequence[Aval], outs: Sequence[Aval]) -> Callable[..., Any]:
    """The reference meaning of an op on these types: its own, or through wider dtypes."""
    for a in (*avals, *outs):
        if a.narrow:
            return op.ref if op.moves else widened(op, outs)
    return op.ref
