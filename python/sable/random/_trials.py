"""Trials of two outcomes: booleans, and signs."""

from __future__ import annotations

from typing import Any

from sable import lax
from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import array_argument, convert, scalar
from sable.library.declare import library

from ._bits import both, parameter, shape_argument, uniform_words
from ._keys import words_of


@library(operands=("p",))
def bernoulli(key: Any, p: Any = 0.5, shape: Any = None, mode: str = "low", *, out_sharding: Any = None) -> Value:
    """Booleans that are True with a probability.

    Args:
      key: a random key.
      p: the probability.
      shape: the result's; by default that of p.
      mode: "high" draws twice the bits, for small probabilities.
      out_sharding: without effect.

    Raises:
      TypeError: a probability that is no float.
      ValueError: another mode; p does not broadcast; an array of keys.

    Example:
      >>> jax.random.bernoulli(jax.random.key(0), 0.7, (4,))
      Array([False, False,  True,  True], dtype=bool)
    """
    if mode not in ("high", "low"):
        raise ValueError(f"got mode={mode!r}, expected 'high' or 'low'")
    words, _ = words_of("bernoulli", key)
    probability = array_argument("bernoulli", p)
    dtype = probability.aval.dtype
    if dtypes.kind_of(dtype) != "f":
        raise TypeError(f"bernoulli probability `p` must have a floating dtype, got {dtype}.")
    sizes = shape_argument("bernoulli", shape, probability.aval.shape)
    probability = parameter(probability, dtype, sizes)
    if mode == "low":
        return lax.lt(uniform_words(words, sizes, dtype), probability)
    u = uniform_words(words, (2, *sizes), dtype)
    fine = both("multiply", u[1], scalar(2.0 ** -dtypes.finfo(dtype).nmant, dtype))
    return lax.lt(fine, both("subtract", probability, u[0]))


@library
def rademacher(key: Any, shape: Any = (), dtype: Any = None, *, out_sharding: Any = None) -> Value:
    """-1 and 1 with equal probabilities.

    Args:
      key: a random key.
      shape: the result's.
      dtype: of the result; int32 by default (int64 with x64).
      out_sharding: without effect.

    Raises:
      ValueError: an array of keys.
      TypeError: not a key; no dtype.

    Example:
      >>> jax.random.rademacher(jax.random.key(0), (4,))
      Array([-1, -1,  1,  1], dtype=int32)
    """
    found = dtypes.user_dtype(int if dtype is None else dtype, "rademacher")
    sides = convert(bernoulli(key, 0.5, shape_argument("rademacher", shape)), found)
    two, one = BIND.full(sides.aval, 2), BIND.full(sides.aval, 1)
    return BIND.subtract(BIND.multiply(sides, two), one)
