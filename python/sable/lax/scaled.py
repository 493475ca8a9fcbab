"""Products of operands that come with scales, each for a block of elements along a contracted dimension."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import convert, dtype_argument, values_of
from sable.ir.aval import bfloat16
from sable.library.declare import library

from .contraction import dot_general

__all__ = ["scaled_dot"]


@library
def scaled_dot(
    lhs: Any,
    rhs: Any,
    *,
    lhs_scale: Any = None,
    rhs_scale: Any = None,
    dimension_numbers: Any = None,
    preferred_element_type: Any = None,
) -> Value:
    """Sums of products (lhs lhs_scale) (rhs rhs_scale), each factor rounded to bfloat16.

    Args:
      lhs, rhs: arrays of any number of dimensions from 2 on, the same; often of narrow dtypes.
      lhs_scale, rhs_scale: arrays of as many dimensions, of the operand's sizes but along contracted dimensions, where each
        scale stands for a block of elements. None: no scale.
      dimension_numbers: as of `dot_general`; None: a product of stacks of matrices.
      preferred_element_type: of the result; None: bfloat16.

    Returns:
      An array of the shape that `dot_general` gives.

    Raises:
      TypeError: operands and scales of several ranks; sizes that do not fit; blocks of one element.

    Source: the decomposition of XLA's composite `xla.scaled_dot`.

    Example:
      >>> lhs, scale = jnp.ones((1, 4), jnp.float8_e4m3fn), jnp.array([[2.0, 0.5]])
      >>> lax.scaled_dot(lhs, jnp.ones((4, 1)), lhs_scale=scale, preferred_element_type=jnp.float32)
      Array([[5.]], dtype=float32)
    """
    x, y = values_of("scaled_dot", lhs, rhs)
    if dimension_numbers is None:
        n = x.ndim
        if n < 2:
            raise TypeError("scaled_dot does not support 0-rank and 1-rank operands.")
        stack = tuple(range(n - 2))
        dimension_numbers = (((n - 1,), (n - 2,)), (stack, stack))
    contracted = dimension_numbers[0]
    sides = (("lhs", x, lhs_scale, contracted[0]), ("rhs", y, rhs_scale, contracted[1]))
    scaled = [_scaled(*side) for side in sides]
    dtype = bfloat16 if preferred_element_type is None else dtype_argument(preferred_element_type, "scaled_dot")
    return dot_general(*scaled, dimension_numbers, preferred_element_type=dtype)


def _scaled(name: str, x: Value, scale: Any, contracted: Sequence[int]) -> Value:
    made = convert(x, np.dtype(bfloat16))
    if scale is None:
        return made
    (s,) = values_of("scaled_dot", scale)
    if s.ndim != x.ndim:
        raise TypeError(f"scaled_dot: {name} has rank {x.ndim} and its scale rank {s.ndim}; they must be the same.")
    factor = convert(s, np.dtype(bfloat16))
    for d, (size, count) in enumerate(zip(x.shape, s.shape)):
        if d in contracted:
            if size % count or size // count < 2:
                raise TypeError(
                    f"scaled_dot: {name} contracting dim {d} of size {size} must be divisible by its scale's dim size {count}, "
                    "at least twice that."
                )
        elif size != count:
            raise TypeError(f"scaled_dot: {name} dim {d} of size {size} does not match scale dim size {count}.")
    blocks = [n for size, count in zip(x.shape, s.shape) for n in (count, size // count)]
    spread = BIND.broadcast_in_dim(factor, shape=tuple(blocks), broadcast_dimensions=tuple(range(0, 2 * x.ndim, 2)))
    return BIND.multiply(made, BIND.reshape(spread, shape=x.shape))
