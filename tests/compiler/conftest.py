"""A cache folder for each test, and small programs that differ."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from sable.compiler import CacheSettings, configure_cache

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def cache_directory(tmp_path: Path) -> Iterator[Path]:
    """An empty cache, the test's own."""
    directory = tmp_path / "cache"
    configure_cache(CacheSettings(directory))
    yield directory
    configure_cache(None)


@pytest.fixture
def program() -> Callable[[float], bytes]:
    """Makes the text of `main(x) = x + constant` on four floats."""

    def make(constant: float) -> bytes:
        return f"""
        func.func public @main(%x: tensor<4xf32>) -> tensor<4xf32> {{
          %c = stablehlo.constant dense<{constant:e}> : tensor<4xf32>
          %0 = stablehlo.add %x, %c : tensor<4xf32>
          return %0 : tensor<4xf32>
        }}""".encode()

    return make


@pytest.fixture
def run() -> Callable[..., list[np.ndarray]]:
    """Runs `main` of a compiled CPU module by iree.runtime alone."""
    import iree.runtime as rt

    from sable.runtime._iree import remove_leftovers

    def call(vmfb: bytes, *arguments: np.ndarray) -> list[np.ndarray]:
        configuration = rt.Config("local-sync")
        context = rt.SystemContext(config=configuration)
        context.add_vm_module(rt.VmModule.copy_buffer(context.instance, vmfb))
        remove_leftovers()
        (module,) = (module for name, module in context.modules.items() if name != "hal")
        results = module["main"](*arguments)
        return [result.to_host() for result in (results if isinstance(results, tuple) else (results,))]

    return call


@pytest.fixture
def scripts(tmp_path: Path) -> Callable[..., Path]:
    """Writes a Python script that runs in a process of its own."""

    def write(text: str) -> Path:
        path = tmp_path / f"script_{next(_numbers)}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write
