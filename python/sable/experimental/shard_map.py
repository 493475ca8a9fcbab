"""The old name of `jax.shard_map` (the interface of `jax.experimental.shard_map`)."""

import warnings
from collections.abc import Callable
from typing import Any

from sable import _absent
from sable.api import mapping

_absent.explain(__name__)


def shard_map(f: Callable, mesh: Any, in_specs: Any, out_specs: Any, check_rep: bool = True) -> Callable:
    """`jax.shard_map(f, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=check_rep)`, which replaces it.

    Args:
      f, mesh, in_specs, out_specs: as of `jax.shard_map`.
      check_rep: what is called `check_vma` there.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> mesh, spec = jax.make_mesh((1,), ("i",)), jax.P("i")
      >>> jax.shard_map(lambda x: 2 * x, mesh=mesh, in_specs=spec, out_specs=spec)(jnp.arange(3))
      Array([0, 2, 4], dtype=int32)
    """
    warnings.warn(
        "jax.experimental.shard_map.shard_map has been deprecated. Please use `jax.shard_map` instead.",
        DeprecationWarning,
        stacklevel=2,
    )
    return mapping.shard_map(f, mesh=mesh, in_specs=in_specs, out_specs=out_specs, check_vma=check_rep)


__all__ = ["shard_map"]
