"""What all functions with sliding windows do with their arguments: padding by name, entries for each dimension."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from sable.core.operands import integers
from sable.dialects.ops.windows import Padding


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: str
) -> list[tuple[int, int]]:
    """Edges (low, high) of each dimension for a kind of padding.

    Args:
      in_shape, window_shape, window_strides: one entry for each dimension.
      padding: 'VALID' (none), 'SAME' (as many windows as the input has strides; the odd element of an edge behind) or
        'SAME_LOWER' (it is in front).

    Raises:
      RuntimeError: another string.
      TypeError: no string.
    """
    if not isinstance(padding, str):
        raise TypeError(f"Unknown padding type: {padding}.")
    kind = padding.upper()
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise RuntimeError(f"Unrecognized padding type: expected 'VALID', 'SAME', or 'SAME_LOWER', got {padding}.")
    found = []
    for n, window, stride in zip(in_shape, window_shape, window_strides):
        total = max(0, (-(-n // stride) - 1) * stride + window - n)
        few, more = total // 2, total - total // 2
        found.append((few, more) if kind == "SAME" else (more, few))
    return found


def padding_pairs(name: str, padding: Any) -> Padding:
    """Explicit padding as pairs of ints.

    Raises:
      ValueError: no sequence of pairs of integers; names the function.
    """
    try:
        return tuple((operator.index(low), operator.index(high)) for low, high in padding)
    except (TypeError, ValueError):
        raise ValueError(
            f"padding argument to {name} should be a string or a sequence of (low, high) pairs, got {padding}"
        ) from None


def entries(name: str, what: str, values: Sequence[int] | None, rank: int) -> tuple[int, ...]:
    """One integer for each dimension; ones where there are none given.

    Raises:
      ValueError: another number of them.
    """
    if values is None:
        return (1,) * rank
    found = integers(values)
    if len(found) != rank:
        raise ValueError(f"{name} {what} must have one entry for each of {rank} dimensions, got {found}")
    return found
