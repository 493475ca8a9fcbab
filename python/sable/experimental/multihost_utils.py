"""Values and points in time that processes share (the interface of `jax.experimental.multihost_utils`): of one process."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable import _absent
from sable.tree_util import tree_all, tree_map

__all__ = [
    "assert_equal",
    "broadcast_one_to_all",
    "process_allgather",
    "reached_preemption_sync_point",
    "sync_global_devices",
]

_absent.explain(__name__)


def broadcast_one_to_all(in_tree: Any, is_source: bool | None = None) -> Any:
    """The arrays of the first process.

    Args:
      in_tree: pytree of arrays.
      is_source: whether this process has them; None: if it is the first.

    Returns:
      The pytree, of NumPy arrays.

    Example:
      >>> broadcast_one_to_all({"a": 3})
      {'a': array(3)}
    """
    return tree_map(np.asarray, in_tree)


def process_allgather(in_tree: Any, tiled: bool = False) -> Any:
    """The arrays of all processes.

    Args:
      in_tree: pytree of arrays.
      tiled: whether those of processes follow each other along the first axis, or are stacked along a new one.

    Returns:
      The pytree, of NumPy arrays.

    Example:
      >>> process_allgather(np.arange(2)).shape
      (1, 2)
    """
    return tree_map(lambda x: np.asarray(x) if tiled else np.asarray(x)[None], in_tree)


def sync_global_devices(name: str) -> None:
    """Wait until all processes are here. There is one.

    Args:
      name: what they wait for.

    Example:
      >>> sync_global_devices("before the checkpoint")
    """


def assert_equal(in_tree: Any, fail_message: str = "") -> None:
    """Check that the arrays are the same in all processes.

    Args:
      in_tree: a pytree of arrays.
      fail_message: what the error says.

    Raises:
      AssertionError: they are not, or hold NaN.

    Example:
      >>> assert_equal(np.arange(3))
    """
    out = process_allgather(in_tree, tiled=True)
    if not tree_all(tree_map(lambda x: bool(np.all(x == x)), out)):
        raise AssertionError(f"{fail_message}. Expected: {out}; got: {in_tree}.")


def reached_preemption_sync_point(step_id: int) -> bool:
    """Whether all processes should save their state at this step, since one will be stopped: never, with one process.

    Args:
      step_id: the number of the step.

    Example:
      >>> reached_preemption_sync_point(0)
      False
    """
    return False
