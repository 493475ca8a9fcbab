"""The buffer protocol: `memoryview(x)`, and all that reads memory of others (`bytes`, `hashlib`, files)."""

from __future__ import annotations

from sable.pytree import registry as pytree

from .array import Array


def lent(x: Array, flags: int = 0) -> memoryview:
    """The memory of an array's values, which may not be written.

    Raises:
      BufferError: the protocol has no such type: bfloat16, int4, float8_e5m2 ...
    """
    view = x.numpy().view()
    if view.dtype.isbuiltin != 1:
        raise BufferError(f"Buffers of type {view.dtype.name} are not supported by the Python buffer protocol.")
    view.flags.writeable = False
    return memoryview(view)


if pytree.native:
    pytree.implementation.lend_memory(Array, lent)
else:
    Array.__buffer__ = lent  # type: ignore[attr-defined]  # from Python 3.12 on
