"""What the module tells array libraries about itself: the Python array API standard, version 2024.12.

Source: https://data-apis.org/array-api/2024.12/API_specification/inspection.html
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from sable import runtime
from sable.core.dtypes import canonicalize_dtype, default_dtype, isdtype
from sable.core.placement import named_platforms

#: Version of the standard that `sable.numpy` follows.
VERSION = "2024.12"

_KINDS = (
    "bool",
    "signed integer",
    "unsigned integer",
    "integral",
    "real floating",
    "complex floating",
    "numeric",
)
_DTYPES = tuple(
    np.dtype(name)
    for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    + ("float32", "float64", "complex64", "complex128")
)


class ArrayNamespaceInfo:
    """Capabilities, devices and dtypes of the namespace."""

    def capabilities(self) -> dict[str, Any]:
        """What is optional in the standard: shapes that depend on values, and masks as indices, work outside of `jit` only."""
        return {"boolean indexing": False, "data-dependent shapes": False, "max dimensions": 64}

    def default_device(self) -> None:
        """The device of new arrays: None, which stands for the default device."""
        return None

    def devices(self) -> list[Any]:
        """None, which stands for the default device, and the devices of the platforms that `jax_platforms` names."""
        return [None, *(device for platform in named_platforms() for device in runtime.devices(platform))]

    def default_dtypes(self, *, device: Any = None) -> dict[str, np.dtype]:
        """The dtypes of new arrays by kind: "real floating", "complex floating", "integral", "indexing".

        Args:
          device: of no consequence.
        """
        integral = default_dtype("i")
        return {
            "real floating": default_dtype("f"),
            "complex floating": default_dtype("c"),
            "integral": integral,
            "indexing": integral,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, np.dtype]:
        """The standard's dtypes by name; those of 64 bits (complex ones of 128) with `jax_enable_x64` only.

        Args:
          device: of no consequence.
          kind: None: all; a kind that `isdtype` knows; or a tuple of these, of which one has to fit.

        Raises:
          KeyError: an unknown kind.
        """
        wanted = () if kind is None else kind if isinstance(kind, tuple) else (kind,)
        for one in wanted:
            if one not in _KINDS:
                raise KeyError(one)
        return {
            dtype.name: dtype
            for dtype in _DTYPES
            if canonicalize_dtype(dtype) == dtype and (kind is None or isdtype(dtype, wanted))
        }


def __array_namespace_info__() -> ArrayNamespaceInfo:
    """Inspection of the namespace as in the array API standard.

    Example:
      >>> import sable.numpy as jnp
      >>> jnp.__array_namespace_info__().dtypes(kind="complex floating")
      {'complex64': dtype('complex64')}
    """
    return ArrayNamespaceInfo()


def namespace(api_version: str | None = None) -> ModuleType:
    """The module with the functions of the standard, `sable.numpy`.

    Raises:
      ValueError: another version of the standard than 2024.12.
    """
    if api_version is not None and api_version != VERSION:
        raise ValueError(f"api_version={api_version!r} is not available; available versions are: {[VERSION]}")
    return sys.modules[__package__]
