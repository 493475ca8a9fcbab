"""Distributions."""

from sable import _absent

from . import norm, uniform

_absent.explain(__name__)

__all__ = ["norm", "uniform"]
