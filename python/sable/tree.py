"""Short names for the functions of `sable.tree_util` (the interface of `jax.tree`)."""

from __future__ import annotations

import dataclasses
from typing import Any

from sable import tree_util

__all__ = [
    "all",
    "broadcast",
    "flatten",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "static",
    "structure",
    "transpose",
    "unflatten",
]

all = tree_util.tree_all
broadcast = tree_util.tree_broadcast
flatten = tree_util.tree_flatten
flatten_with_path = tree_util.tree_flatten_with_path
leaves = tree_util.tree_leaves
leaves_with_path = tree_util.tree_leaves_with_path
map = tree_util.tree_map
map_with_path = tree_util.tree_map_with_path
reduce = tree_util.tree_reduce
reduce_associative = tree_util.tree_reduce_associative
structure = tree_util.tree_structure
transpose = tree_util.tree_transpose
unflatten = tree_util.tree_unflatten


def static(**kwargs: Any) -> Any:
    """A dataclass field that `register_dataclass` takes as data of the structure instead of as a child.

    Args:
      kwargs: those of `dataclasses.field`; an explicit "static" in `metadata` wins.

    Example:
      >>> @jax.tree_util.register_dataclass
      ... @dataclasses.dataclass
      ... class Scale:
      ...     factor: float
      ...     axis: int = jax.tree.static(default=0)
      >>> jax.tree.structure(Scale(2.0))
      PyTreeDef(CustomNode(Scale[(0,)], [*]))
    """
    metadata = {"static": True, **(kwargs.pop("metadata", None) or {})}
    return dataclasses.field(metadata=metadata, **kwargs)
