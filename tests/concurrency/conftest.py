"""A cache folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sable.compiler import CacheSettings, configure_cache


@pytest.fixture(autouse=True)
def cache_directory(tmp_path: Path) -> Iterator[Path]:
    """An empty cache, the test's own."""
    directory = tmp_path / "cache"
    configure_cache(CacheSettings(directory))
    yield directory
    configure_cache(None)
