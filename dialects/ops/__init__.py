"""The op table: importing this package defines every op (`sable.dialects.op.OPS`)."""

import importlib
import importlib.util

_FAMILIES = (
    "elementwise",
    "elementwise_float",
    "elementwise_integer",
    "selection",
    "chlo",
    "shape",
    "contraction",
    "indexing",
    "reduction",
    "random",
    "control_flow",
    "collectives",
    "autodiff",
)
for _family in _FAMILIES:
    if importlib.util.find_spec(f"{__name__}.{_family}") is not None:
        importlib.import_module(f"{__name__}.{_family}")
