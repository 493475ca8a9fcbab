"""Types for annotations, and for `isinstance(x, ArrayLike)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, Union, runtime_checkable

import numpy as np

from sable.core.array import Value

if TYPE_CHECKING:
    from sable.core.array import Array as Array

__all__ = ["ArrayLike", "DTypeLike"]

#: What functions take for an array: arrays, tracers, NumPy arrays and scalars, Python scalars; no lists.
ArrayLike = Union[Value, np.ndarray, np.bool_, np.number, bool, int, float, complex]  # noqa: UP007


@runtime_checkable
class SupportsDType(Protocol):
    """Anything with a `dtype`, such as `jnp.float32`."""

    @property
    def dtype(self) -> np.dtype: ...


#: What `dtype` arguments take: names, scalar types, NumPy dtypes, objects with a `dtype`; not None.
DTypeLike = Union[str, type[Any], np.dtype, SupportsDType]  # noqa: UP007
