"""Printing and callbacks from inside of programs."""

import sable.numpy  # noqa: F401  (gives arrays their operators)
from sable import _absent
from sable.api.callback import debug_callback as callback
from sable.api.callback import debug_log as log
from sable.api.callback import debug_print as print
from sable.api.debugger import breakpoint
from sable.api.layouts import inspect_array_sharding, visualize_array_sharding, visualize_sharding

_absent.explain(__name__)

__all__ = [
    "breakpoint",
    "callback",
    "inspect_array_sharding",
    "log",
    "print",
    "visualize_array_sharding",
    "visualize_sharding",
]
