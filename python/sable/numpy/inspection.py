"""What numbers are: real or complex, how far the next one is."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import finfo
from sable.core.operands import compare_to, full_like, kind, promote, select
from sable.core.values import retype
from sable.library.declare import library

from .ufuncs import nextafter
from .ufuncs_float import copysign, imag


@library
def iscomplex(x: Any) -> Value:
    """Whether each element has an imaginary part other than 0.

    Args:
      x: array or scalar.

    Example:
      >>> jnp.iscomplex(jnp.array([1 + 0j, 1j])), jnp.iscomplex(2.0)
      (Array([False,  True], dtype=bool), Array(False, dtype=bool, weak_type=True))
    """
    return compare_to(imag(x), 0, "NE")


@library
def isreal(x: Any) -> Value:
    """Whether each element has no imaginary part other than 0.

    Args:
      x: array or scalar.

    Example:
      >>> jnp.isreal(jnp.array([1 + 0j, 1j]))
      Array([ True, False], dtype=bool)
    """
    return compare_to(imag(x), 0, "EQ")


@library
def spacing(x: Any, /) -> Value:
    """The distance of each number to the next one, away from 0 and with its sign; of float16 always upwards.

    Raises:
      ValueError: complex numbers.

    Args:
      x: array or scalar; integers become floats.

    Example:
      >>> jnp.spacing(jnp.array([1.0, 1e6])), jnp.spacing(1e8)  # f32 counts no more single ones there
      (Array([1.1920929e-07, 6.2500000e-02], dtype=float32), Array(8., dtype=float32))
    """
    value = retype(promote("spacing", (x,), "inexact")[0], False)
    if kind(value) == "c":
        raise ValueError("jnp.spacing is not defined for complex inputs.")
    infinite = full_like(value, np.inf)
    if value.aval.dtype == np.float16:
        return BIND.subtract(nextafter(value, infinite), value)
    step = BIND.subtract(nextafter(value, copysign(infinite, value)), value)
    least = full_like(value, float(finfo(value.aval.dtype).smallest_subnormal))
    return select(compare_to(step, 0, "EQ"), copysign(least, value), step)
