"""`jax.scipy.ndimage`: arrays read between their elements."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent, lax
from sable.core.array import Value
from sable.core.operands import array_argument, array_arguments, convert, kind
from sable.library.declare import library

_absent.explain(__name__)

__all__ = ["map_coordinates"]


def _mirrored(i: Value, size: int) -> Value:
    """Positions on a triangular wave, which turns at the centres of the first and the last element."""
    last = size - 1
    return jnp.abs((i + last) % (2 * last) - last)


def _reflected(i: Value, size: int) -> Value:
    """Likewise, turning at the outer edges of these elements: on a grid of half the distance."""
    return (_mirrored(2 * i + 1, 2 * size + 1) - 1) // 2


#: mode -> positions inside of the array, of positions anywhere
_FOLDED: dict[str, Callable[[Value, int], Value]] = {
    "constant": lambda i, size: i,
    "nearest": lambda i, size: jnp.clip(i, 0, size - 1),
    "wrap": lambda i, size: i % size,
    "mirror": _mirrored,
    "reflect": _reflected,
}


def _rounded(x: Value) -> Value:
    """To the nearest integer, halves away from zero."""
    return x if kind(x) in "iub" else lax.round(x)


def _nearest(at: Value) -> list[tuple[Value, Any]]:
    return [(_rounded(at).astype(np.int32), at.dtype.type(1))]


def _linear(at: Value) -> list[tuple[Value, Any]]:
    below = jnp.floor(at)
    weight = at - below
    place = below.astype(np.int32)
    return [(place, 1 - weight), (place + 1, weight)]


#: order of the spline -> coordinates along one axis to the elements that count, and their weights
_NODES = {0: _nearest, 1: _linear}


@library(operands=("cval",))
def map_coordinates(
    input: Any, coordinates: Sequence[Any], order: int, mode: str = "constant", cval: Any = 0.0
) -> Value:
    """An array read at coordinates between its elements.

    Args:
      input: array of n dimensions.
      coordinates: n arrays of one shape, the coordinates along each axis; element i is at i.
      order: 0, the nearest element (halves away from zero), or 1, multilinear interpolation.
      mode: what is outside of the array: "constant", `cval`; "nearest", the element at the edge; "wrap", the array again;
        "mirror", the array backwards without the edge; "reflect", with it.
      cval: value outside, with "constant".

    Returns:
      An array of the coordinates' shape and the input's dtype; to integers it is rounded.

    Raises:
      ValueError: other than n arrays of coordinates. NotImplementedError: another mode or order.

    Example:
      >>> map_coordinates(jnp.arange(6.0).reshape(2, 3), [jnp.array([0.5, 1.0]), jnp.array([0.5, 1.75])], order=1)
      Array([2.  , 4.75], dtype=float32)
    """
    x, *places = array_arguments("map_coordinates", input, *coordinates)
    outside = convert(array_argument("map_coordinates", cval), x.dtype)
    if len(places) != x.ndim:
        raise ValueError(f"coordinates must be a sequence of length input.ndim, but {len(places)} != {x.ndim}")
    if mode not in _FOLDED:
        known = ", ".join(map(repr, _FOLDED))
        raise NotImplementedError(f"map_coordinates does not yet support mode {mode!r}: it has {known}")
    if order not in _NODES:
        raise NotImplementedError(f"map_coordinates currently requires order<=1, got {order}")
    nodes = [
        [(_FOLDED[mode](i, size), (i >= 0) & (i < size), weight) for i, weight in _NODES[order](place)]
        for place, size in zip(places, x.shape)
    ]
    terms = []
    for corner in itertools.product(*nodes):
        indices, inside, weights = zip(*corner) if corner else ((), (), ())
        element = x[tuple(indices)]
        if mode == "constant":
            element = jnp.where(functools.reduce(operator.and_, inside), element, outside)
        terms.append(functools.reduce(operator.mul, weights) * element)
    found = functools.reduce(operator.add, terms)
    return convert(_rounded(found) if kind(x) in "iu" else found, x.dtype)
