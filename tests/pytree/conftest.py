"""Both implementations of pytrees, each as the core module and as the public interface over it."""

import copyreg
import importlib
import os
import sys
from types import ModuleType, SimpleNamespace

import pytest

#: module -> its name in what the fixture `api` gives
_OVER_THE_CORE = {
    "sable.pytree.registry": "pytree",
    "sable.pytree.register": "register",
    "sable.tree_util": "tree_util",
    "sable.tree": "tree",
    "sable._threefry": "_threefry",
}


def _load(pure: bool) -> SimpleNamespace:
    """A copy of the interface over one implementation, beside the one that everybody else imports."""
    originals = {name: importlib.import_module(name) for name in _OVER_THE_CORE}
    for name in originals:
        del sys.modules[name]
    before = os.environ.get("SABLE_PURE_PYTHON")
    pickled = copyreg.dispatch_table.copy()
    os.environ["SABLE_PURE_PYTHON"] = "1" if pure else "0"
    try:
        loaded = SimpleNamespace(**{short: importlib.import_module(name) for name, short in _OVER_THE_CORE.items()})
    finally:
        if before is None:
            del os.environ["SABLE_PURE_PYTHON"]
        else:
            os.environ["SABLE_PURE_PYTHON"] = before
        copyreg.dispatch_table.update(pickled)
        for name, module in originals.items():
            sys.modules[name] = module
            parent, _, short = name.rpartition(".")
            setattr(sys.modules[parent], short, module)
    assert pure or loaded.pytree.native, "the native module is not built"
    return loaded


# Module-scoped names: the copies must outlive the collection of a single test.
_APIS = {"pure": _load(pure=True)}
if importlib.util.find_spec("sable._native") is not None:
    _APIS["native"] = _load(pure=False)


@pytest.fixture(params=sorted(_APIS))
def api(request: pytest.FixtureRequest) -> SimpleNamespace:
    """The interface: modules `tree_util`, `tree`, `pytree`, `_threefry`."""
    return _APIS[request.param]


@pytest.fixture
def core(api: SimpleNamespace) -> ModuleType:
    """The implementation: `sable._native` or `sable.pytree.pure`."""
    return api.pytree.implementation


@pytest.fixture
def registry(core: ModuleType):
    """A registry that a test may add classes to."""
    return core.PyTreeRegistry()
