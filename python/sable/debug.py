"""Printing and callbacks from inside of programs."""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.callback import debug_callback as callback
from sable.api.callback import debug_print as print

_absent.explain(__name__)

__all__ = ["callback", "print"]
