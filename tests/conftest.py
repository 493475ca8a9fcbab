"""JAX, the oracle: where it cannot be installed (Python 3.10), the tests that need it are left out, and the header says so.

It keeps every program it has compiled, which by the end of the suite would be 4 GB a worker.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

# the oracle's programs run once each: XLA compiles them without optimisation, in less than half the time
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_cpu_parallel_codegen_split_count=1")

_HAS_JAX = importlib.util.find_spec("jax") is not None
#: Tests after which JAX forgets its programs.
_FORGET_EVERY = 150
_IMPORTS_JAX = re.compile(r"^(import|from) jax\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules that import JAX at their top; others skip by themselves."""
    if _HAS_JAX or collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    return True if _IMPORTS_JAX.search(collection_path.read_text()) else None


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--exhaustive", action="store_true", help="all samples, where a part stands for them otherwise")


@pytest.fixture
def exhaustive(request: pytest.FixtureRequest) -> bool:
    """Whether all samples are wanted."""
    return request.config.getoption("--exhaustive")


def pytest_report_header() -> str:
    return "JAX is the oracle of many tests" if _HAS_JAX else "JAX is not installed: the tests against it are left out"


def pytest_collection_finish() -> None:
    """Look for garbage less often: a seventh of the time went there.

    Nothing is frozen: `gc.get_referrers`, which names who holds a leaked tracer, does not see what is.
    """
    gc.set_threshold(20_000, 20, 20)


def pytest_runtest_teardown(item: object) -> None:
    """Let JAX forget its programs now and then."""
    global _tests_run
    _tests_run += 1
    if _tests_run % _FORGET_EVERY == 0 and "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


_tests_run = 0
