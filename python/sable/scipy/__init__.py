"""Parts of SciPy in terms of ops."""

from . import linalg, special, stats

__all__ = ["linalg", "special", "stats"]
