"""Where compiled programs are kept on disk."""

from __future__ import annotations

from sable import _absent
from sable._config import config
from sable.api.environment import clear_caches

__all__ = ["reset_cache", "set_cache_dir"]

_absent.explain(__name__)


def set_cache_dir(path: str) -> None:
    """Keep compiled programs in this folder: the option `jax_compilation_cache_dir`."""
    config.update("jax_compilation_cache_dir", path)


def reset_cache() -> None:
    """Forget the programs in memory, so that those on disk are looked up again."""
    clear_caches()
