"""Tangents that are zero whatever the values, as rules see them that ask for such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sable.dialects.ops.rules import is_inexact
from sable.ir.aval import Aval, aval, float0
from sable.tree_util import tree_map

from .bind import BIND
from .values import aval_of_value


class SymbolicZero:
    """A zero that nobody has to compute with.

    Attributes:
      aval: the abstract value of the tangent; its shape, dtype and rank are attributes too.

    Example:
      >>> jax.custom_derivatives.SymbolicZero(jax.typeof(1.0))
      SymbolicZero
    """

    def __init__(self, aval: Any):
        self.aval = aval

    def __repr__(self) -> str:
        return "SymbolicZero"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["aval"], name)

    @staticmethod
    def from_primal_value(val: Any) -> SymbolicZero:
        """That of the tangent of a value."""
        return SymbolicZero(tangent_aval(aval_of_value(val)))


def tangent_aval(a: Aval) -> Aval:
    """Of the tangent of a value of that type."""
    return a if is_inexact(a) else aval(a.shape, float0)


def instantiated(t: Any) -> Any:
    """A symbolic zero as an array of zeros; anything else as it is."""
    if not isinstance(t, SymbolicZero):
        return t
    return np.zeros(t.aval.shape, float0) if t.aval.dtype == float0 else BIND.full(t.aval, 0)


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent of a value: an array, or a `SymbolicZero`.

    Args:
      val: the value.
      symbolic_zeros: whether the zero is a `SymbolicZero`.

    Example:
      >>> jax.custom_derivatives.zero_from_primal(jnp.array([1., 2.]))
      Array([0., 0.], dtype=float32)
    """
    zero = SymbolicZero.from_primal_value(val)
    return zero if symbolic_zeros else instantiated(zero)


@dataclass(frozen=True)
class CustomVJPPrimal:
    """An argument of the forward rule of a `custom_vjp` function that asks for symbolic zeros.

    Attributes:
      value: the argument.
      perturbed: whether it is differentiated.

    Example:
      >>> jax.custom_derivatives.CustomVJPPrimal(2.0, True).perturbed
      True
    """

    value: Any
    perturbed: bool


def custom_vjp_primal_tree_values(tree: Any) -> Any:
    """The values in a pytree of `CustomVJPPrimal`. Raises TypeError for another leaf.

    Args:
      tree: the pytree.

    Example:
      >>> jax.custom_derivatives.custom_vjp_primal_tree_values([jax.custom_derivatives.CustomVJPPrimal(2.0, True)])
      [2.0]
    """

    def value(leaf: Any) -> Any:
        if type(leaf) is not CustomVJPPrimal:
            raise TypeError(f"expected a CustomVJPPrimal, got a leaf of type {type(leaf)}")
        return leaf.value

    return tree_map(value, tree)


__all__ = [
    "CustomVJPPrimal",
    "SymbolicZero",
    "custom_vjp_primal_tree_values",
    "instantiated",
    "tangent_aval",
    "zero_from_primal",
]
