"""Sable: `import sable as jax`.

A numerical compiler: Python functions are traced into StableHLO, differentiated and batched by passes on it, compiled
by IREE and run on a CPU, a Vulkan or a CUDA device.

The public names are loaded when the first of them is asked for: `sable.runtime` alone must run a deployed module where
the compiler is not installed.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sable._public import *  # noqa: F403

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'sable' has no attribute {name!r}")
    public = importlib.import_module("sable._public")
    globals().update({n: getattr(public, n) for n in public.__all__})
    try:
        return globals()[name]
    except KeyError:
        raise AttributeError(f"module 'sable' has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*importlib.import_module("sable._public").__all__, "runtime", "__version__"})
