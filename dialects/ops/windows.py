"""Windows that slide over arrays: sizes, edges, NumPy views of all windows, folds (convolution, reduce_window, ...)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from .compose import slice_axis

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


def transposed_padding(
    shape: Sequence[int],
    window: Sequence[int],
    places: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """Edges for which windows over the results (dilated by the strides) meet each element of the input once."""
    found = []
    for n, w, count, stride, (low, _), holes, window_holes in zip(
        shape, window, places, strides, padding, base_dilation, window_dilation
    ):
        reach = dilated(w, window_holes) - 1
        found.append((reach - low, dilated(n, holes) + low - dilated(count, stride)))
    return tuple(found)


def covering(
    shape: Sequence[int],
    window: Sequence[int],
    strides: Sequence[int],
    padding: Padding,
    base_dilation: Sequence[int],
    window_dilation: Sequence[int],
) -> tuple[tuple[int, int], ...]:
    """The edges, cut off behind the last window."""
    found = []
    for n, w, stride, (low, high), holes, window_holes in zip(
        shape, window, strides, padding, base_dilation, window_dilation
    ):
        rest = dilated(n, holes) + low + high - dilated(w, window_holes)
        found.append((low, high - rest % stride))
    return tuple(found)


def pad(b: Any, x: Any, fill: Any, padding: Padding, dilation: Sequence[int]) -> Any:
    """x with holes between its elements and edges around it, filled with the scalar `fill`."""
    if all(low == high == 0 for low, high in padding) and all(d == 1 for d in dilation):
        return x
    return b.pad(
        x,
        fill,
        edge_padding_low=tuple(low for low, _ in padding),
        edge_padding_high=tuple(high for _, high in padding),
        interior_padding=tuple(d - 1 for d in dilation),
    )


def fold(
    b: Any,
    values: Sequence[Any],
    combine: Callable[[Sequence[Any], Sequence[Any]], Sequence[Any]],
    window: Sequence[int],
    strides: Sequence[int],
    window_dilation: Sequence[int],
) -> list[Any]:
    """What an associative function makes of every window, in the order of its elements.

    One dimension after the other, the last first, by doubling: windows of 2 m elements are two of m side by side. So
    the function is applied log2(w) to 2 log2(w) times for a window of w elements, to whole arrays.

    Args:
      values: padded arrays of one shape that are combined together.
      combine: `(earlier, later) -> combined`, lists of arrays.
      window, strides, window_dilation: one entry for each dimension; no window is empty.
    """
    found = list(values)
    for axis in reversed(range(len(window))):
        found = _fold_axis(b, found, combine, axis, window[axis], strides[axis], window_dilation[axis])
    return found


def _fold_axis(
    b: Any, values: list[Any], combine: Callable, axis: int, window: int, stride: int, dilation: int
) -> list[Any]:
    size = b.aval(values[0]).shape[axis]
    count = size - dilated(window, dilation) + 1

    def part(xs: Sequence[Any], start: int, length: int) -> list[Any]:
        """`length` neighbours from `start` on."""
        whole = start == 0 and b.aval(xs[0]).shape[axis] == length
        return list(xs) if whole else [slice_axis(b, x, axis, start, start + length) for x in xs]

    # powers[k] holds windows of 2^k elements, at all their places
    powers, found, done = values, None, 0
    for k in range(window.bit_length()):
        if window >> k & 1:
            piece = part(powers, done * dilation, count)
            found = piece if found is None else list(combine(found, piece))
            done += 1 << k
        if window >> (k + 1):
            step = dilation << k
            length = b.aval(powers[0]).shape[axis] - step
            powers = list(combine(part(powers, 0, length), part(powers, step, length)))
    assert found is not None, "an empty window"
    return found if stride == 1 else [slice_axis(b, x, axis, 0, count, stride) for x in found]
