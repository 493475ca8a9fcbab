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
    "scatter",
    "dynamic",
    "reduction",
    "cumulative",
    "sort",
    "random",
    "control_flow",
    "collectives",
    "autodiff",
)
for _family in _FAMILIES:
    if _family == "dynamic" and importlib.util.find_spec(f"{__name__}.indexing") is None:
        continue
    if importlib.util.find_spec(f"{__name__}.{_family}") is not None:
        importlib.import_module(f"{__name__}.{_family}")
