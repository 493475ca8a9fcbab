"""Windows that slide over arrays: sizes, and NumPy views of all windows (convolution, reduce_window, ...)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

Padding = Sequence[tuple[int, int]]


def dilated(size: int, dilation: int) -> int:
    """The size with `dilation - 1` holes between neighbours."""
    return 0 if size == 0 else 1 + dilation * (size - 1)


def positions(padded: int, window: int, stride: int) -> int:
    """How many places a window (its dilated size) has in a padded dimension; one that does not fit has none."""
    return 0 if padded < window else (padded - window) // stride + 1


def result_sizes(
    shape: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> tuple[int, ...]:
    """How many places the window has in each dimension."""
    return tuple(
        positions(dilated(n, base) + low + high, dilated(w, holes), stride)
        for n, w, stride, (low, high), base, holes in zip(
            shape, window, strides, padding, base_dilation, window_dilation
        )
    )


def padded(x: np.ndarray, padding: Padding, dilation: Sequence[int], fill: Any) -> np.ndarray:
    """x with holes between its elements and edges around it, negative ones cut off; `fill` is in both."""
    if all(low == high == 0 for low, high in padding) and all(d == 1 for d in dilation):
        return x
    spread = [dilated(n, d) for n, d in zip(x.shape, dilation)]
    out = np.full([max(0, n + low + high) for n, (low, high) in zip(spread, padding)], fill, x.dtype)
    target, source = [], []
    for n, m, d, (low, _) in zip(x.shape, out.shape, dilation, padding):
        first = max(0, -(low // d))  # the first element at or behind the edge
        last = min(n, -((low - m) // d))  # one behind the last element before the other edge
        target.append(slice(max(low + first * d, 0), max(low + (last - 1) * d + 1, 0), d))
        source.append(slice(first, max(first, last)))
    out[tuple(target)] = x[tuple(source)]
    return out


def windows(x: np.ndarray, window: Sequence[int], strides: Sequence[int], window_dilation: Sequence[int]) -> np.ndarray:
    """A read-only view (places..., window...) of all windows of a padded array."""
    places = [positions(n, dilated(w, d), s) for n, w, s, d in zip(x.shape, window, strides, window_dilation)]
    steps = [b * s for b, s in zip(x.strides, strides)] + [b * d for b, d in zip(x.strides, window_dilation)]
    if 0 in places or 0 in window:
        return np.empty((*places, *window), x.dtype)
    return as_strided(x, (*places, *window), steps, writeable=False)
