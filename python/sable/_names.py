"""The package under other names: `sys.modules["jax"] = sable`, a copy of its folder, a link to it.

There is one Sable in a process, and its modules are called `sable...`, whatever the name was by which the first of them was
imported; modules of the other names are the same objects.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

NAME = "sable"


def folders(*parts: str) -> list[Path]:
    """Where the package, or the one that `parts` name inside of it, lies; several folders in an editable installation."""
    places = [Path(place, *parts) for place in sys.modules[NAME].__path__]
    return [place for place in places if (place / "__init__.py").exists()]


def adopt(name: str) -> None:
    """Make the package that is being imported as `name` the one called `sable`, or that one be meant by `name`."""
    package = sys.modules.setdefault(NAME, sys.modules[name])
    sys.modules[name] = package
    package.__name__ = package.__package__ = NAME
    if not any(isinstance(finder, _OtherNames) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OtherNames())


class _OtherNames(MetaPathFinder):
    """Finds `jax.numpy` where `jax` is Sable."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        parent, _, child = fullname.rpartition(".")
        own = getattr(sys.modules.get(parent), "__name__", parent)
        if own == parent or own.partition(".")[0] != NAME:
            return None
        name = f"{own}.{child}"
        found = importlib.util.find_spec(name)
        if found is None:
            return None
        return ModuleSpec(fullname, _SameModule(name), is_package=found.submodule_search_locations is not None)


class _SameModule(Loader):
    """Loads a module of Sable as the module of another name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._spec: Any = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import system has put the other name's there
