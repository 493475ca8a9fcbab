"""`jax.scipy.integrate`: integrals of sampled functions."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable import _absent
from sable.core.array import Value
from sable.library.declare import library

_absent.explain(__name__)

__all__ = ["trapezoid"]


@library
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Value:
    """The integral of a function by its samples, with straight lines between them: sum_i (x_i+1 - x_i) (y_i + y_i+1) / 2.

    Args:
      y: samples, an array.
      x: where they are taken: a vector as long as that axis of y, or an array that broadcasts against y.
      dx: the distance of samples, where there is no x.
      axis: of y, along which to integrate.

    Returns:
      Floats or complex numbers in the shape of y without the axis.

    Raises:
      ValueError: there is no such axis; shapes do not broadcast.

    Example:
      >>> trapezoid(jnp.array([1.0, 2.0, 4.0]), jnp.array([0.0, 1.0, 3.0]))
      Array(7.5, dtype=float32)
    """
    return jnp.trapezoid(y, x, dx, axis)
