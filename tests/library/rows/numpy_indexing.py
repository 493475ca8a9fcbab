"""sable.numpy: reading and writing by index."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import BF, BM, IM, I, M, T, V, W

_AT = np.array([0, 2, -1], np.int32)
_FAR = np.array([0, 7, -9], np.int32)

add(
    "numpy.take",
    call(V, _AT),
    call(M, _AT, axis=0),
    call(M, 1),
    call(V, _FAR),
    call(V, _FAR, mode="clip"),
    call(V, _FAR, mode="wrap"),
    call(V, _FAR, mode="fill", fill_value=-1.0),
    call(M, IM, axis=1),
)
add(
    "numpy.take_along_axis", call(M, np.argsort(M, axis=1).astype("i4"), 1), call(V, _AT, None), call(M, IM % 3, axis=0)
)
add(
    "numpy.put",
    call(V, _AT, W[:3], inplace=False),
    call(V, _AT, 1.0, inplace=False),
    call(V, _FAR, 2.0, mode="clip", inplace=False),
)
add("numpy.put_along_axis", call(M, IM[:, :1] % 4, 9.0, 1, inplace=False), call(V, _AT, W[:3], 0, inplace=False))
add(
    "numpy.ravel_multi_index",
    call((np.array([0, 7]), np.array([1, -1])), (2, 3), mode="ignore"),
    call((np.array([0, 7]), np.array([1, -1])), (2, 3), mode="other"),
)
add("numpy.where", call(IM), call(BM))
add(
    "numpy.extract",
    call(BM, IM),
)
add(
    "numpy.compress",
    call(np.array([True, False, True]), T, axis=1),
)
add("numpy.digitize", call(I, np.array([0, 2])), call(BF, np.float32([0, 1])))

# ---- positions of diagonals and triangles
add("numpy.ix_", call(_AT, np.array([1, 0], np.int32)), call(V[:0], _AT), call(M), call(np.array([True])), call())
add("numpy.diag_indices", call(3), call(2, 3), call(0), call(-1))
add("numpy.indices", call((2, 3)), call((2, 3), np.float32), call((2, 0), sparse=True), call(()), call((2, -1)))
add("numpy.diag_indices_from", call(np.zeros((2, 2), np.float32)), call(M), call(V))
for _name in ["tril_indices", "triu_indices"]:
    add(f"numpy.{_name}", call(3), call(3, 1, 2), call(2, -1, 4), call(-1))
    add(f"numpy.{_name}_from", call(M), call(M, -1), call(V))
add(
    "numpy.mask_indices",
    call(3, Using(lambda jax: jax.numpy.triu)),
    call(3, Using(lambda jax: jax.numpy.tril), -1, size=4),
)
