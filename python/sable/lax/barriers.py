"""What holds the order or the place of operations: barriers, tokens, stages."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    value_of,
    values_of,
)
from sable.ir.aval import aval
from sable.library.declare import library
from sable.pytree import arrays


@library(operands=("x",))
def stage(x: Any, /) -> Value:
    """x as an array.

    Args:
      x: an array or a scalar.

    Raises:
      TypeError: it is none.

    Example:
      >>> lax.stage(1.5)
      Array(1.5, dtype=float32, weak_type=True)
    """
    return value_of(x, "stage")


def dce_sink(val: Any, *, prevent_mlir_dce: bool = False) -> None:
    """Takes a pytree of arrays, and does nothing with them.

    Args:
      val: a pytree of arrays.
      prevent_mlir_dce: without effect.

    Raises:
      TypeError: a leaf is no array.

    Example:
      >>> lax.dce_sink({"unused": jnp.ones(2)})
    """
    values_of("dce_sink", *arrays.leaves(val))


def create_token(_: Any = None) -> Value:
    """A token, which orders nothing here since programs run in their order: an array without elements.

    Args:
      _: ignored.

    Example:
      >>> token = lax.create_token()
    """
    return BIND.full(aval((0,), np.dtype(np.bool_)), False)


def after_all(*operands: Any) -> Value:
    """A token for what comes after several others.

    Args:
      operands: tokens.

    Raises:
      TypeError: an operand is no array.

    Example:
      >>> token = lax.after_all(lax.create_token(), lax.create_token())
    """
    values_of("after_all", *operands)
    return create_token()


@library
def optimization_barrier(operand: Any, /) -> Any:
    """A pytree of arrays, through which the compiler moves no operation.

    Args:
      operand: the pytree.

    Returns:
      The same pytree; in a compiled program its arrays are all there before any of them is used.

    Raises:
      TypeError: a leaf is no array.

    Example:
      >>> lax.optimization_barrier((jnp.array([1.]), 2))
      (Array([1.], dtype=float32), Array(2, dtype=int32, weak_type=True))
    """
    leaves, tree = arrays.flatten(operand)
    if not leaves:
        return operand
    return tree.unflatten(BIND.optimization_barrier(*values_of("optimization_barrier", *leaves)))
