"""Arrays with NumPy's functions: what programs import as `jnp`."""

import numpy as _np

from sable.core.array import Value as ndarray
from sable.core.dtypes import can_cast, finfo, iinfo, isdtype, issubdtype, promote_types, result_type

from .arrays import (
    array,
    array_repr,
    array_str,
    asarray,
    astype,
    copy,
    iscomplexobj,
    isrealobj,
    isscalar,
    ndim,
    shape,
    size,
)
from .creation import *  # noqa: F403
from . import methods as _methods
