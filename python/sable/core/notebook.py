"""Arrays in notebooks: type and device, a histogram of the values, and the text that `repr` gives."""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from sable.ir.aval import Aval

#: Histograms of larger arrays are of so many elements, at equal distances: some milliseconds.
_SAMPLE = 1 << 16
_BARS = 24
_BAR_WIDTH, _HEIGHT = 6, 32  # pixels


def as_html(value: np.ndarray, aval: Aval, device: Any, text: str) -> str:
    """A table of an array's properties, with a histogram as inline SVG.

    Args:
      value: the values.
      aval: their type.
      device: where they are.
      text: what `repr` says of the array.
    """
    properties = {
        "shape": str(aval.shape),
        "dtype": aval.dtype.name + (", weak_type=True" if aval.weak_type else ""),
        "device": str(device),
        "size": f"{aval.size:,} elements, {_bytes(aval.size * aval.dtype.itemsize)}",
    }
    numbers = _sample(value)
    finite = numbers[np.isfinite(numbers)]
    if numbers.size:
        what = "absolute values" if value.dtype.kind == "c" else "values"
        properties[what] = _summary(numbers, finite, aval.size)
    rows = "".join(f"<tr><th>{html.escape(k)}</th><td>{html.escape(v)}</td></tr>" for k, v in properties.items())
    picture = _histogram(finite) if finite.size else ""
    return f"<div><table>{rows}</table>{picture}<pre>{html.escape(text)}</pre></div>"


def _bytes(n: int) -> str:
    power = min(max(n.bit_length() - 1, 0) // 10, 4)
    return f"{n / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[power]}" if power else f"{n} B"


def _sample(value: np.ndarray) -> np.ndarray:
    """Up to 65,536 of the elements, of complex ones the absolute values, as a vector of float64."""
    if value.size > _SAMPLE:
        positions = np.linspace(0, value.size - 1, _SAMPLE).astype(np.int64)
        value = value[np.unravel_index(positions, value.shape)]
    flat = value.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(flat).astype(np.float64) if flat.dtype.kind == "c" else flat.astype(np.float64)


def _summary(numbers: np.ndarray, finite: np.ndarray, size: int) -> str:
    """Extremes, mean, and how many are not finite."""
    parts = []
    if finite.size:
        mean = np.sum(finite / finite.size)  # shares: their sum is finite
        parts.append(f"{finite.min():.4g} to {finite.max():.4g}, mean {mean:.4g}")
    if nans := np.count_nonzero(np.isnan(numbers)):
        parts.append(f"{nans:,} NaN")
    if infinite := numbers.size - finite.size - nans:
        parts.append(f"{infinite:,} infinite")
    if numbers.size < size:
        parts.append(f"of a sample of {numbers.size:,}")
    return ", ".join(parts)


def _histogram(finite: np.ndarray) -> str:
    """Bars from the least to the greatest value, the highest of full height."""
    low, high = finite.min() / 2, finite.max() / 2  # halves: their difference is finite
    span = high - low
    places = (finite / 2 - low) / span * _BARS if span > 0 else np.full(finite.shape, _BARS // 2)
    counts = np.bincount(np.minimum(places.astype(int), _BARS - 1), minlength=_BARS)
    bars = "".join(_bar(i, count / counts.max()) for i, count in enumerate(counts) if count)
    width = _BARS * _BAR_WIDTH
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{_HEIGHT}" role="img" aria-label="histogram">'
        f'<g fill="currentColor">{bars}</g></svg>'
    )


def _bar(position: int, share: float) -> str:
    height = max(1, math.ceil(share * _HEIGHT))
    return f'<rect x="{position * _BAR_WIDTH}" y="{_HEIGHT - height}" width="{_BAR_WIDTH - 1}" height="{height}"/>'
