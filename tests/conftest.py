"""Where JAX, the oracle, cannot be installed (Python 3.10), the tests that need it are left out, and the header says so."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

_HAS_JAX = importlib.util.find_spec("jax") is not None
_IMPORTS_JAX = re.compile(r"^(import|from) jax\b", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules that import JAX at their top; others skip by themselves."""
    if _HAS_JAX or collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    return True if _IMPORTS_JAX.search(collection_path.read_text()) else None


def pytest_report_header() -> str:
    return "JAX is the oracle of many tests" if _HAS_JAX else "JAX is not installed: the tests against it are left out"
