"""Devices and where arrays are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from sable import runtime
from sable.core import destinations, placement
from sable.core.array import Array, fetch
from sable.core.values import as_value
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes
from sable.tree_util import tree_leaves

from .donation import delete_donated


def devices(backend: str | None = None) -> list:
    """Devices of a platform ('cpu', 'vulkan', 'cuda', 'gpu'), by default of that which `jax_platforms` names, or the CPU.

    Args:
      backend: a platform.

    Raises:
      RuntimeError: there is no such platform, or it has no device; says why.

    Example:
      >>> [device.platform for device in jax.devices("cpu")]
      ['cpu']
    """
    return runtime.devices(backend or default_backend())


def local_devices(process_index: int | None = None, backend: str | None = None) -> list:
    """The same as `devices`: there is one process.

    Args:
      process_index: without effect.
      backend: a platform.

    Raises:
      RuntimeError: as of `devices`.

    Example:
      >>> jax.local_devices("cpu") == jax.devices("cpu")
      True
    """
    return devices(backend)


def device_count(backend: str | None = None) -> int:
    """The number of devices.

    Args:
      backend: a platform; by default that of `devices`.

    Raises:
      RuntimeError: as of `devices`.

    Example:
      >>> jax.device_count("cpu")
      1
    """
    return len(devices(backend))


def local_device_count(backend: str | None = None) -> int:
    """The number of devices of this process.

    Args:
      backend: a platform; by default that of `devices`.

    Raises:
      RuntimeError: as of `devices`.

    Example:
      >>> jax.local_device_count("cpu")
      1
    """
    return len(local_devices(backend=backend))


def process_index(backend: str | None = None) -> int:
    """The number of this process: 0, there is one.

    Args:
      backend: without effect.

    Example:
      >>> jax.process_index()
      0
    """
    return 0


def process_count(backend: str | None = None) -> int:
    """The number of processes: one.

    Args:
      backend: without effect.

    Example:
      >>> jax.process_count()
      1
    """
    return 1


def process_indices(backend: str | None = None) -> list[int]:
    """The numbers of the processes.

    Args:
      backend: without effect.

    Example:
      >>> jax.process_indices()
      [0]
    """
    return [0]


#: where a line begins in an example as it stands in a table
_LINE = "\n    "


def _renamed(old: str, function: Callable, example: str) -> Callable:
    def alias(backend: str | None = None) -> Any:
        warnings.warn(
            f"jax.{old} has been renamed to jax.{function.__name__}. This alias will eventually be removed.",
            stacklevel=2,
        )
        return function(backend)

    alias.__name__ = alias.__qualname__ = old
    alias.__doc__ = f"""The former name of `{function.__name__}`, with a warning.

    Args:
      backend: without effect.

    Example:{example.rstrip().replace(_LINE, _LINE + "  ")}
    """
    return alias


host_id = _renamed(
    "host_id",
    process_index,
    """
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     jax.host_id()
    0
    """,
)
host_count = _renamed(
    "host_count",
    process_count,
    """
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     jax.host_count()
    1
    """,
)
host_ids = _renamed(
    "host_ids",
    process_indices,
    """
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     jax.host_ids()
    [0]
    """,
)


def default_backend() -> str:
    """Platform of `devices()`: the first of `jax_platforms`; `jax_default_device` has no part in it, as in JAX.

    Example:
      >>> jax.default_backend() == jax.devices()[0].platform
      True
    """
    return placement.named_platforms()[0]


def device_put(x: Any, device: Any = None, *, donate: bool = False, may_alias: bool | None = None) -> Any:
    """Bring an array (or every leaf of a pytree) to a device, to which it is then committed.

    Args:
      x: pytree of arrays, NumPy arrays and scalars.
      device: a device of `devices()`; None leaves arrays where they are; or a pytree of these, a prefix of x.
      donate: whether the arrays of x are given up.
      may_alias: whether results may be the arrays of x themselves; None leaves it open.

    Returns:
      The pytree of arrays on the device.

    Raises:
      ValueError: no device; `device` is no prefix of x; both donate and may_alias.
      RuntimeError: an array was deleted.

    Example:
      >>> x = jax.device_put({"a": np.ones(2)}, jax.devices("cpu")[0])["a"]
      >>> x, x.committed
      (Array([1., 1.], dtype=float32), True)
    """
    if donate and may_alias:
        raise ValueError("may_alias and donate cannot be True at the same time.")
    leaves, tree = arrays.flatten(x)
    targets = flatten_axes("device_put device", tree, device)
    fresh = donate or may_alias is False
    found = [destinations.to_device(as_value(leaf, explicit=True), d, fresh) for leaf, d in zip(leaves, targets)]
    if donate:
        delete_donated(leaves, range(len(leaves)))
    return tree.unflatten(found)


def device_get(x: Any) -> Any:
    """NumPy arrays of a pytree of arrays.

    Args:
      x: a pytree; what is no array stays as it is.

    Returns:
      The pytree with NumPy arrays.

    Example:
      >>> jax.device_get({"a": jnp.arange(2), "b": "text"})
      {'a': array([0, 1], dtype=int32), 'b': 'text'}
    """

    def one(leaf: Any) -> Any:
        if not isinstance(leaf, Array):
            return leaf
        if leaf._value is None and not leaf.deleted:
            leaf._value = fetch(leaf, explicit=True)
        return np.asarray(leaf)

    return arrays.map(one, x)


def block_until_ready(x: Any) -> Any:
    """Wait until all arrays of a pytree are there; returns the pytree.

    Args:
      x: a pytree; what is no array is let alone.

    Example:
      >>> jax.block_until_ready((jnp.arange(2), "text"))
      (Array([0, 1], dtype=int32), 'text')
    """
    for leaf in tree_leaves(x):
        if hasattr(leaf, "block_until_ready"):
            leaf.block_until_ready()
    return x
