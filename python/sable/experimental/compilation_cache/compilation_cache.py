"""Where compiled programs are kept on disk."""

from __future__ import annotations

from sable import _absent
from sable._config import config
from sable.api.environment import clear_caches

__all__ = ["reset_cache", "set_cache_dir"]

_absent.explain(__name__)


def set_cache_dir(path: str) -> None:
    """Keep compiled programs in this folder: the option `jax_compilation_cache_dir`.

    Args:
      path: the folder.

    Example:
      >>> before = jax.config.jax_compilation_cache_dir
      >>> set_cache_dir("/tmp/programs")
      >>> jax.config.update("jax_compilation_cache_dir", before)
    """
    config.update("jax_compilation_cache_dir", path)


def reset_cache() -> None:
    """Forget the programs in memory, so that those on disk are looked up again.

    Example:
      >>> reset_cache()
    """
    clear_caches()
