"""Names of JAX that are left out: who asks is told, and the list of JAX's names is JAX's."""

from __future__ import annotations

import importlib
import inspect

import pytest

import sable
from sable._absent import names_of_jax

from . import coverage

LEFT_OUT = [
    (module, name) for module, names in names_of_jax().items() for name in names if not coverage.is_there(module, name)
]


@pytest.mark.parametrize("module", coverage.MODULES)
def test_the_list_is_that_of_jax(module: str) -> None:
    pytest.importorskip("jax", reason="JAX is the oracle of these tests (it needs Python 3.11)")
    listed, found = set(names_of_jax()[module]), set(coverage.installed(module))
    # of `jax` also modules that somebody has imported meanwhile
    others = {
        name for name in found - listed if not inspect.ismodule(getattr(importlib.import_module("jax"), name, None))
    }
    assert listed <= found and not others


@pytest.mark.parametrize("module", sorted({module for module, _ in LEFT_OUT if coverage.is_module(module)}))
def test_who_asks_for_what_is_left_out_is_told(module: str) -> None:
    ours = importlib.import_module(module.replace("jax", "sable", 1))
    for name in [n for m, n in LEFT_OUT if m == module and "." not in n]:
        with pytest.raises(
            AttributeError, match=rf"has no attribute '{name}': {module}.{name} is a part of JAX .* since it"
        ):
            getattr(ours, name)
        assert not hasattr(ours, name)


def test_other_names_are_unknown() -> None:
    for module in (sable, sable.numpy, sable.lax, sable.random):
        with pytest.raises(AttributeError, match=r"module 'sable[.a-z]*' has no attribute 'no_such_name'$"):
            _ = module.no_such_name


def test_the_document_holds_the_counts() -> None:
    assert coverage.table() in (coverage.ROOT / "docs/coverage.md").read_text(), "run `make coverage`"
