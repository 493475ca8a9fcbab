"""`jax.ref`: mutable arrays."""

from typing import Any

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.core.array import Value
from sable.core.references import AbstractRef, Ref, new_ref
from sable.numpy.creation import empty

_absent.explain(__name__)


def get(ref: Ref, idx: Any = None) -> Value:
    """`ref[idx]`; all of it without an index.

    Example:
      >>> jax.ref.get(jax.new_ref(jnp.arange(5)), slice(1, 3))
      Array([1, 2], dtype=int32)
    """
    return ref[... if idx is None else idx]


def set(ref: Ref, idx: Any, value: Any) -> None:
    """`ref[idx] = value`.

    Raises:
      ValueError: the value has another shape than `ref[idx]`, or another dtype.

    Example:
      >>> ref = jax.new_ref(jnp.zeros(3))
      >>> jax.ref.set(ref, 1, 10.0); ref
      Ref([ 0., 10.,  0.], dtype=float32)
    """
    ref.swap(... if idx is None else idx, value)


def swap(ref: Ref, idx: Any, value: Any) -> Value:
    """`ref[idx] = value`; returns what was there.

    Example:
      >>> ref = jax.new_ref(jnp.arange(3))
      >>> jax.ref.swap(ref, 0, 7), ref
      (Array(0, dtype=int32), Ref([7, 1, 2], dtype=int32))
    """
    return ref.swap(... if idx is None else idx, value)


def addupdate(ref: Ref, idx: Any, x: Any) -> None:
    """`ref[idx] += x`.

    Example:
      >>> ref = jax.new_ref(jnp.arange(3))
      >>> jax.ref.addupdate(ref, 0, 7); ref
      Ref([7, 1, 2], dtype=int32)
    """
    ref.addupdate(x, ... if idx is None else idx)


def freeze(ref: Ref) -> Value:
    """The value of a reference that is no longer needed.

    Args:
      ref: a mutable array.

    Example:
      >>> jax.freeze(jax.new_ref(jnp.arange(3)))
      Array([0, 1, 2], dtype=int32)
    """
    return ref[...]


def free_ref(ref: Ref) -> None:
    """Says that a reference is no longer needed; without effect.

    Args:
      ref: a mutable array.

    Example:
      >>> jax.free_ref(jax.new_ref(1.0))
    """


def empty_ref(ty: Any, memory_space: Any = None) -> Ref:
    """A mutable array of a type, which holds anything.

    Args:
      ty: an object with `shape` and `dtype`.
      memory_space: without effect.

    Example:
      >>> jax.empty_ref(jax.ShapeDtypeStruct((2, 3), jnp.float32)).shape
      (2, 3)
    """
    return new_ref(empty(ty.shape, ty.dtype), memory_space=memory_space)


__all__ = ["AbstractRef", "Ref", "addupdate", "empty_ref", "free_ref", "freeze", "get", "new_ref", "set", "swap"]
