"""Straight lines taken out of data."""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.numpy as jnp
from sable.core.array import Value
from sable.core.operands import array_argument, normal_axis, promote_dtypes
from sable.library.declare import library


def _lines(n: int) -> np.ndarray:
    """An orthonormal basis, (k, n), of the straight lines at n points: the constant, and for n > 1 the slope."""
    slope = np.arange(n) - (n - 1) / 2
    basis = [np.full(n, n**-0.5), slope / np.sqrt(slope @ slope)] if n > 1 else [np.ones(n)]
    return np.stack(basis)


@library
def detrend(data: Any, axis: int = -1, type: str = "linear", bp: Any = 0, overwrite_data: None = None) -> Value:
    """Data without their trend.

    Args:
      data: array.
      axis: along which the trend is.
      type: "linear", the straight line with the least sum of squared residuals; "constant", the mean.
      bp: positions at which another straight line begins: an integer or several.
      overwrite_data: None.

    Returns:
      Floats or complex numbers in the shape of the data.

    Raises:
      ValueError: another type; positions outside of the data. NotImplementedError: with `overwrite_data`.

    Example:
      >>> jnp.round(detrend(jnp.array([1.0, 4.0, 8.0, 8.0, 9.0])), 4)
      Array([-1.,  0.,  2.,  0., -1.], dtype=float32)
    """
    if overwrite_data is not None:
        raise NotImplementedError("overwrite_data argument not implemented.")
    if type not in ("constant", "linear"):
        raise ValueError("Trend type must be 'linear' or 'constant'.")
    (x,) = promote_dtypes([array_argument("detrend", data)], "inexact")
    place = normal_axis(axis, x.ndim)
    if type == "constant":
        return x - jnp.mean(x, place, keepdims=True)
    n = x.shape[place]
    edges = np.unique(np.r_[0, bp, n])
    if edges[0] < 0 or edges[-1] > n:
        raise ValueError("Breakpoints must be non-negative and less than length of data along given axis.")
    rows = jnp.moveaxis(x, place, -1)
    pieces = []
    for start, end in zip(edges[:-1], edges[1:]):
        piece, lines = rows[..., start:end], _lines(end - start)
        parts = jnp.matmul(piece, np.ascontiguousarray(lines.T, x.dtype), precision="highest")
        pieces.append(piece - jnp.matmul(parts, lines.astype(x.dtype), precision="highest"))
    return jnp.moveaxis(jnp.concatenate(pieces, -1), -1, place) if pieces else x
