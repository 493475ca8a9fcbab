"""Pytrees of arrays as one vector (the interface of `jax.flatten_util`)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sable import _absent, lax
from sable.core.array import Value
from sable.core.dtypes import dtype as dtype_of
from sable.core.dtypes import result_type
from sable.core.operands import convert, filled, reshape_to, value_of
from sable.tree_util import tree_flatten

__all__ = ["ravel_pytree"]

_absent.explain(__name__)


@dataclasses.dataclass(frozen=True)
class _Unravel:
    """Makes a pytree of a vector; two that make the same of the same are equal.

    Attributes:
      structure: of the pytree.
      shapes: of its leaves.
      dtypes: of its leaves, where the vector has another one than some of them.
      vector_dtype: what the vector must have then.
    """

    structure: Any
    shapes: tuple[tuple[int, ...], ...]
    dtypes: tuple[np.dtype, ...] | None
    vector_dtype: np.dtype | None

    def __call__(self, flat: Any) -> Any:
        if not self.shapes:
            return self.structure.unflatten([])
        vector = value_of(flat, "unravel")
        if self.dtypes is not None and vector.aval.dtype != self.vector_dtype:
            raise TypeError(
                f"unravel function given array of dtype {vector.aval.dtype}, but expected dtype {self.vector_dtype}"
            )
        parts = lax.split(vector, [math.prod(s) for s in self.shapes])
        leaves = [reshape_to(p, s) for p, s in zip(parts, self.shapes)]
        if self.dtypes is not None:
            leaves = [convert(x, d) for x, d in zip(leaves, self.dtypes)]
        return self.structure.unflatten(leaves)


def ravel_pytree(pytree: Any) -> tuple[Value, Callable[[Any], Any]]:
    """All elements of a pytree of arrays and scalars as one vector, and the function that undoes it.

    Args:
      pytree: the arrays.

    Returns:
      The vector, in the dtype in which the leaves meet (float32 where there are none), and a function of a vector of
      that length that returns a pytree of the same structure, shapes and dtypes. Where all leaves have one dtype, it
      takes vectors of any dtype.

    Raises:
      TypeError: a leaf is no array; the function: a vector of another dtype. ValueError: the function: another length.

    Example:
      >>> flat, undo = jax.flatten_util.ravel_pytree({"a": jnp.ones(2), "b": jnp.zeros((1, 2))})
      >>> flat
      Array([1., 1., 0., 0.], dtype=float32)
      >>> undo(flat)["b"].shape
      (1, 2)
    """
    leaves, structure = tree_flatten(pytree)
    if not leaves:
        return filled((0,), np.dtype(np.float32), 0), _Unravel(structure, (), None, None)
    values = [value_of(x, "ravel_pytree", i) for i, x in enumerate(leaves)]
    dtypes = tuple(dtype_of(x) for x in values)
    dtype = result_type(*dtypes)
    shapes = tuple(x.aval.shape for x in values)
    same = all(d == dtype for d in dtypes)
    flat = [reshape_to(x if same else convert(x, dtype), (x.aval.size,)) for x in values]
    unravel = _Unravel(structure, shapes, None if same else dtypes, None if same else dtype)
    return lax.concatenate(flat, 0), unravel
