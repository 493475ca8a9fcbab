"""Distributions."""

from . import norm, uniform

__all__ = ["norm", "uniform"]
