"""Parts of SciPy in terms of ops."""

from . import special, stats

__all__ = ["special", "stats"]
