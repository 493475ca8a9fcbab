"""Promotion under JAX and under Sable: all pairs of dtypes, Python scalars and weak types, with 64 bits and without."""

import itertools
import warnings

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from jax._src import dtypes as jax_dtypes  # noqa: E402

from sable import _config  # noqa: E402
from sable.core import dtypes  # noqa: E402
from sable.ir.aval import ELEMENT_TYPES, aval  # noqa: E402

DTYPES = list(ELEMENT_TYPES)
NARROW = [np.dtype(getattr(dtypes.ml, name)) for name in ("int4", "uint4", "float8_e4m3fn", "float4_e2m1fn")] if (
    hasattr(dtypes, "ml")
) else []
SCALAR_TYPES = [bool, int, float, complex]
SCALARS = [True, 3, 2.5, 1j]
WEAK_DTYPES = [dtype for dtype in DTYPES if dtype.kind != "b"]
MODES = ["standard", "strict"]


class Boxed:
    """A value that has an aval, as arrays have in JAX, where promotion looks for nothing else."""

    def __init__(self, dtype, weak_type):
        self.aval = jax.core.ShapedArray((), dtype, weak_type=weak_type)
        self.dtype = self.aval.dtype


def outcome(function, *args, **kwargs):
    """What a call gives or raises, and the kinds of warnings it causes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*args, **kwargs)
        except Exception as error:
            known = [c.__name__ for c in type(error).__mro__ if c.__module__.partition(".")[0] not in ("jax", "sable")]
            result = (type(error).__name__, known)
    return result, [warning.category for warning in caught]
