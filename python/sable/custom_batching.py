"""`jax.custom_batching`: functions that bring their own batches."""

from collections.abc import Callable
from typing import Any

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent, lax
from sable.core.custom_batching import custom_vmap
from sable.tree_util import tree_map

_absent.explain(__name__)


def sequential_vmap(f: Callable) -> custom_vmap:
    """A function whose batches are loops over the examples, for what cannot be batched.

    Args:
      f: a function of arrays and pytrees of arrays.

    Example:
      >>> jax.vmap(jax.custom_batching.sequential_vmap(lambda x: x + 1))(jnp.arange(3))
      Array([1, 2, 3], dtype=int32)
    """
    made = custom_vmap(f)

    @made.def_vmap
    def rule(axis_size: int, in_batched: list, *args: Any) -> tuple[Any, Any]:
        def one(mapped: list) -> Any:
            return made(*tree_map(lambda m, x, y: x if m else y, in_batched, mapped, list(args)))

        # of arguments that are the same for all a loop takes nothing
        out = lax.map(one, tree_map(lambda m, x: x if m else None, in_batched, list(args)))
        return out, tree_map(lambda _: True, out)

    return made


__all__ = ["custom_vmap", "sequential_vmap"]
