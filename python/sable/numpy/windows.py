"""Windows: weights for the samples of a signal, of which those at its ends count little."""

from __future__ import annotations

import math
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import default_dtype
from sable.core.operands import array_argument, filled, known_values, shape_argument
from sable.core.trace import Tracer
from sable.library.declare import library

from .ufuncs import absolute
from .ufuncs_float import cos, i0, sqrt


def _size(name: str, M: Any) -> int:
    return int(known_values(M, f"M argument of jnp.{name}") if isinstance(M, Tracer) else M)


def _numbers(n: int) -> Value | None:
    """0, 1, ... n - 1 as floats; None for windows of one sample or none, whose weights are 1."""
    return BIND.iota(shape=(n,), dtype=default_dtype("f"), iota_dimension=0) if n > 1 else None


def _ones(n: int) -> Value:
    return filled(shape_argument((n,)), default_dtype("f"), 1)


@library
def bartlett(M: int) -> Value:
    """The triangular window 1 - |2 n / (M - 1) - 1| of M samples.

    Raises:
      TypeError: M is negative. ConcretizationTypeError: it is traced.

    Example:
      >>> jnp.bartlett(5)
      Array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    M = _size("bartlett", M)
    n = _numbers(M)
    return _ones(M) if n is None else 1 - absolute(2 * n + 1 - M) / (M - 1)


def _cosines(name: str, M: Any, *weights: float) -> Value:
    """Sum of the weights times cos(2 pi k n / (M - 1)), k = 0, 1 ..."""
    M = _size(name, M)
    n = _numbers(M)
    if n is None:
        return _ones(M)
    made = filled((M,), default_dtype("f"), weights[0])
    for k, weight in enumerate(weights[1:], 1):
        made = made + weight * cos(2 * math.pi * k * n / (M - 1))
    return made


@library
def blackman(M: int) -> Value:
    """The Blackman window 0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1)) of M samples; errors as of `bartlett`.

    Args:
      M: number of samples, known.

    Example:
      >>> jnp.round(jnp.blackman(5), 3)
      Array([-0.  ,  0.34,  1.  ,  0.34, -0.  ], dtype=float32)
    """
    return _cosines("blackman", M, 0.42, -0.5, 0.08)


@library
def hamming(M: int) -> Value:
    """The Hamming window 0.54 - 0.46 cos(2 pi n / (M - 1)) of M samples; errors as of `bartlett`.

    Args:
      M: number of samples, known.

    Example:
      >>> jnp.round(jnp.hamming(5), 3)
      Array([0.08, 0.54, 1.  , 0.54, 0.08], dtype=float32)
    """
    return _cosines("hamming", M, 0.54, -0.46)


@library
def hanning(M: int) -> Value:
    """The Hann window 0.5 - 0.5 cos(2 pi n / (M - 1)) of M samples; errors as of `bartlett`.

    Args:
      M: number of samples, known.

    Example:
      >>> jnp.round(jnp.hanning(5), 3)
      Array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _cosines("hanning", M, 0.5, -0.5)


@library(operands=("beta",))
def kaiser(M: int, beta: Any) -> Value:
    """The Kaiser window i0(beta sqrt(1 - (2 n / (M - 1) - 1)**2)) / i0(beta) of M samples.

    Args:
      M: number of samples, known.
      beta: a number (or an array that broadcasts against the samples): the larger, the narrower the window.

    Raises:
      TypeError: M is negative. ConcretizationTypeError: it is traced.

    Example:
      >>> jnp.round(jnp.kaiser(5, 8.6), 3)
      Array([0.001, 0.34 , 1.   , 0.34 , 0.001], dtype=float32)
    """
    M = _size("kaiser", M)
    n = _numbers(M)
    if n is None:
        return _ones(M)
    steepness = array_argument("kaiser", beta, 1)
    half = 0.5 * (M - 1)
    return i0(steepness * sqrt(1 - ((n - half) / half) ** 2)) / i0(steepness)
