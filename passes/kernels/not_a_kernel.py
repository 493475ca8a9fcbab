"""The one way in which the kernel route says no."""

from __future__ import annotations


class NotAKernel(Exception):
    """A loop cannot become a kernel of its own; the message says why. It then goes the way of blocks."""
