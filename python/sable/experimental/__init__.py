"""What JAX has under `jax.experimental`. Its modules are loaded when one of them is first asked for."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from sable import _absent
from sable._config.managers import Override, enable_x64
from sable.api.callback import io_callback


def disable_x64() -> Override:
    """Context manager in which 64-bit dtypes become 32-bit: `jax.enable_x64(False)`.

    Example:
      >>> import sable.numpy as jnp
      >>> with disable_x64():
      ...     print(jnp.arange(2.0).dtype)
      float32
    """
    return enable_x64(False)


class _NotThere:
    """Says at an import why a module is not there: the import system's own error does not."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        parent, _, child = fullname.rpartition(".")
        if parent == __name__ and _absent.why(parent, child):
            raise ImportError(str(_absent.missing(parent, child)), name=fullname)
        return None


sys.meta_path.append(_NotThere())  # type: ignore[arg-type]


def _found(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(f"{__name__}.{name}")
    except ImportError:
        return None


def __getattr__(name: str) -> Any:
    if name.startswith("_") or _found(name) is None:
        raise _absent.missing(__name__, name)
    return importlib.import_module(f"{__name__}.{name}")


__all__ = ["disable_x64", "enable_x64", "io_callback"]
