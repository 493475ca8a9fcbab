"""`python -m tests.api.coverage [--write docs/coverage.md]`: how many of JAX's public names are there, and which are not.

`--names` writes the list of JAX's names (python/sable/_names_of_jax.txt) from the JAX that is installed.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sable
from sable._absent import names_of_jax, reason

ROOT = Path(__file__).parents[2]
LIST = ROOT / "python/sable/_names_of_jax.txt"
#: The modules whose names are counted.
MODULES = [
    "jax",
    "jax.Array",
    "jax.custom_batching",
    "jax.custom_derivatives",
    "jax.debug",
    "jax.dlpack",
    "jax.dtypes",
    "jax.errors",
    "jax.experimental",
    "jax.experimental.checkify",
    "jax.experimental.compilation_cache.compilation_cache",
    "jax.experimental.jet",
    "jax.experimental.mesh_utils",
    "jax.experimental.multihost_utils",
    "jax.experimental.ode",
    "jax.experimental.sparse",
    "jax.experimental.sparse.linalg",
    "jax.export",
    "jax.flatten_util",
    "jax.image",
    "jax.lax",
    "jax.lax.linalg",
    "jax.nn",
    "jax.nn.initializers",
    "jax.numpy",
    "jax.numpy.fft",
    "jax.numpy.linalg",
    "jax.ops",
    "jax.profiler",
    "jax.random",
    "jax.scipy.cluster.vq",
    "jax.scipy.fft",
    "jax.scipy.integrate",
    "jax.scipy.interpolate",
    "jax.scipy.linalg",
    "jax.scipy.ndimage",
    "jax.scipy.optimize",
    "jax.scipy.signal",
    "jax.scipy.sparse.linalg",
    "jax.scipy.spatial.transform",
    "jax.scipy.special",
    "jax.scipy.stats",
    "jax.sharding",
    "jax.stages",
    "jax.tree",
    "jax.tree_util",
    "jax.typing",
]
#: The class whose public attributes are counted, on an array.
_ARRAY = "jax.Array"
#: Modules whose other names are no part of the interface: those that JAX documents.
_DOCUMENTED = {
    "jax.experimental.jet": ("jet",),
    "jax.experimental.mesh_utils": ("create_device_mesh", "create_hybrid_device_mesh"),
    "jax.experimental.multihost_utils": (
        "assert_equal",
        "broadcast_one_to_all",
        "global_array_to_host_local_array",
        "host_local_array_to_global_array",
        "live_devices",
        "process_allgather",
        "reached_preemption_sync_point",
        "sync_global_devices",
    ),
    "jax.experimental.ode": ("odeint",),
    "jax.experimental.sparse.linalg": ("lobpcg_standard", "spsolve"),
}
#: A package whose modules are there when they are imported.
_EXPERIMENTAL = "jax.experimental"
#: Modules of functions of one distribution.
_DISTRIBUTIONS = "jax.scipy.stats"


def installed(module: str) -> list[str]:
    """The public names of a module of the JAX that is installed; of statistics with the distributions' functions.

    `jax` has its modules among them.
    """
    if module == _ARRAY:
        return [name for name in dir(importlib.import_module("jax.numpy").ones((2, 2))) if not name.startswith("_")]
    found = importlib.import_module(module)
    if module in _DOCUMENTED:
        return [name for name in _DOCUMENTED[module] if hasattr(found, name)]
    if module == _EXPERIMENTAL:
        inner = [each.name for each in pkgutil.iter_modules(found.__path__) if not each.name.startswith("_")]
        return sorted({*_names(found, False), *inner})
    return sorted(_names(found, module == _DISTRIBUTIONS or module == "jax"))


def _names(module: types.ModuleType, inner: bool) -> Iterator[str]:
    for name in dir(module):
        value = getattr(module, name, None)
        is_module = isinstance(value, types.ModuleType) and f"{module.__name__}.{name}" not in MODULES
        if name.startswith("_") or (is_module and not inner):
            continue
        yield name
        if inner and isinstance(value, types.ModuleType) and module.__name__ == _DISTRIBUTIONS:
            yield from (
                f"{name}.{each}" for each in dir(value) if not each.startswith("_") and callable(getattr(value, each))
            )


def ours(module: str, name: str) -> Any:
    """What stands for a name of JAX here.

    Raises:
      AttributeError, ImportError: nothing does.
    """
    found: Any = (
        sable.numpy.ones((2, 2)) if module == _ARRAY else importlib.import_module(module.replace("jax", "sable", 1))
    )
    for part in name.split("."):
        found = getattr(found, part)
    return found


def is_module(module: str) -> bool:
    """Whether a module of JAX is one here."""
    if module == _ARRAY:
        return False
    try:
        importlib.import_module(module.replace("jax", "sable", 1))
    except ImportError:
        return False
    return True


def is_there(module: str, name: str) -> bool:
    try:
        ours(module, name)
    except (AttributeError, ImportError):
        return False
    except NotImplementedError:  # `Array.flat`, as in JAX
        return True
    return True


def table() -> str:
    """The counts, and the names that are not there by reason, as Markdown."""
    rows, absent, totals = [], {}, [0, 0]
    for module, names in names_of_jax().items():
        there = [n for n in names if is_there(module, n)]
        rows.append(f"| `{module}` | {len(names)} | {len(there)} |")
        totals[0] += len(names)
        totals[1] += len(there)
        for name in sorted({*names} - {*there}):
            absent.setdefault(reason(module, name), {}).setdefault(module, []).append(name)
    lines = ["| module | names | there |", "|---|---|---|", *rows, f"| all | {totals[0]} | {totals[1]} |"]
    for why, modules in sorted(absent.items()):
        lines += ["", f"Left out, since {why}:", ""]
        lines += [f"- `{module}`: {' '.join(f'`{n}`' for n in names)}" for module, names in modules.items()]
    return "\n".join(lines)


_BEGIN, _END = "<!-- names: written by `make coverage` -->", "<!-- end of names -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="the document whose table of names is renewed")
    parser.add_argument("--names", action="store_true", help="write the list of JAX's names")
    options = parser.parse_args()
    if options.names:
        LIST.write_text("".join(f"{module} {' '.join(installed(module))}\n" for module in MODULES))
        return 0
    text = table()
    if options.write is None:
        print(text)
    else:
        document = options.write.read_text()
        pattern = f"{re.escape(_BEGIN)}.*{re.escape(_END)}"
        options.write.write_text(re.sub(pattern, lambda _: f"{_BEGIN}\n{text}\n{_END}", document, flags=re.DOTALL))
    return 0


if __name__ == "__main__":
    sys.exit(main())
