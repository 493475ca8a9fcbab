"""Parts of SciPy in terms of ops."""

from . import fft, linalg, special, stats

__all__ = ["fft", "linalg", "special", "stats"]
