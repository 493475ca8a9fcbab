"""sable.numpy: arrays as sets."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import IM, NAN, B, C, E, I, J, V

_TWICE = np.array([4, -1, 3, 4, 0, -1, 4], np.int32)
_ROWS = np.array([[2, 0], [1, 5], [2, 0], [1, 4]], np.int32)
_FLOATS = np.float32([2.5, np.nan, -0.5, 2.5, np.nan, 0.25])
_ALL = {"return_index": True, "return_inverse": True, "return_counts": True}

add(
    "numpy.unique",
    call(_TWICE, **_ALL),
    call(_TWICE, size=6, **_ALL),
    call(_TWICE, size=6, fill_value=9.7),
    call(IM, size=3, **_ALL),
    call(_FLOATS, **_ALL),
    call(_FLOATS, equal_nan=False, size=8, **_ALL),
    call(_ROWS, axis=0, **_ALL),
    call(_ROWS, axis=1, size=3, fill_value=7, **_ALL),
    call(NAN, axis=0),
    call(C, size=4),
    call(B),
    call(2.5),
    call(E, **_ALL),
    call(E, axis=1, size=2, **_ALL),
    call(E, size=2),
    call(E, size=2, fill_value=1),
    call(V, axis=1),
)
add("numpy.unique_all", call(_FLOATS, size=5), call(IM))
add("numpy.unique_counts", call(_FLOATS, size=7, fill_value=0), call(_FLOATS))
add("numpy.unique_inverse", call(_FLOATS, size=5), call(IM))
add("numpy.unique_values", call(_FLOATS, size=5), call(_FLOATS))
for _name in ["union1d", "setdiff1d", "setxor1d", "intersect1d"]:
    add(
        f"numpy.{_name}",
        call(_TWICE, I),
        call(_TWICE, I, size=3),
        call(_TWICE, J, size=9, fill_value=-7),
        call(_FLOATS, NAN, size=7),
        call(IM, V, size=2),
        call(I, E, size=4, fill_value=2),
        call(E, I),
    )
for _name in ["setdiff1d", "setxor1d", "intersect1d"]:
    add(f"numpy.{_name}", call(I, J[:4], True), call(I, J[:4], assume_unique=True, size=4))
add(
    "numpy.intersect1d",
    call(_TWICE, I, return_indices=True),
    call(I, J[:4], True, True),
    call(_TWICE, J, size=5, return_indices=True),
    call(J[:4], I, True, True, size=3, fill_value=0.5),
)
add(
    "numpy.isin",
    call(IM, _TWICE),
    call(IM, _TWICE, invert=True),
    call(_FLOATS, NAN, method="sort"),
    call(_FLOATS, IM, invert=True, method="binary_search"),
    call(2, I),
    call(E, I, invert=True),
    call(I, J, method="other"),
)
