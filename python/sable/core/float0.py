"""Arrays of float0, the tangents of integers, where functions are traced: no values, so they are part of the structure.

A traced function has no arguments and results for them. In the pytrees of its arguments and results stands a node
without leaves, which becomes an array of float0 when the tree is put together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import float0
from sable.pytree import arrays


class _Nothing:
    """Stands for an array of float0 of that shape."""

    __slots__ = ("shape",)

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape


arrays.register_hidden(_Nothing, lambda x: ((), x.shape), lambda shape, _: np.zeros(shape, float0))


def is_float0(x: Any) -> bool:
    """Whether x is an array of float0."""
    return isinstance(x, np.ndarray) and x.dtype == float0


def into_structure(leaves: list, tree: Any) -> tuple[list, Any]:
    """Leaves and structure without the arrays of float0 among the leaves: they become part of the structure."""
    if not any(is_float0(x) for x in leaves):
        return leaves, tree
    return arrays.flatten(tree.unflatten([_Nothing(x.shape) if is_float0(x) else x for x in leaves]))


__all__ = ["into_structure", "is_float0"]
