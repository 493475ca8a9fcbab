"""Sable: `import sable as jax`.

A numerical compiler: Python functions are traced into StableHLO, differentiated and batched by passes on it, compiled
by IREE and run on a CPU, a Vulkan or a CUDA device.

The public names are loaded when the first of them is asked for: `sable.runtime` alone must run a deployed module where
the compiler is not installed.
"""

import importlib
import importlib.util
import sys
import sysconfig
from typing import TYPE_CHECKING, Any

sys.modules.setdefault("sable", sys.modules[__name__])

from sable import _absent, _names  # noqa: E402
from sable.version import __version__ as __version__  # noqa: E402

if TYPE_CHECKING:
    from sable._public import *  # noqa: F403

if sysconfig.get_config_var("Py_GIL_DISABLED"):
    raise ImportError(
        "Sable does not run on free-threaded Python: its caches and the MLIR bindings rely on the GIL. "
        "Use a build of Python with the GIL (python3.13 instead of python3.13t)."
    )

_names.adopt(__name__)


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return importlib.import_module("sable._public").__all__
    if name.startswith("_"):
        raise AttributeError(f"module 'sable' has no attribute {name!r}")
    if importlib.util.find_spec(f"sable.{name}") is not None:
        return importlib.import_module(f"sable.{name}")
    public = importlib.import_module("sable._public")
    found = {n: getattr(public, n) for n in public.__all__}
    globals().update(found)
    if name not in found:
        raise _absent.missing(__name__, name)
    return found[name]


def __dir__() -> list[str]:
    return sorted({*importlib.import_module("sable._public").__all__, "runtime", "__version__"})
