"""sable.numpy: shapes, joining, splitting."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..table import Using, add, call
from .operands import BF, BM, I8, IM, SCALAR, B, C, E, I, M, S, T, V, W

add(
    "numpy.reshape",
    call(M, (4, 3)),
    call(M, -1),
    call(T, (2, -1)),
    call(M, (5, 5)),
    call(M, (2, 6), order="F"),
    call(E, (3, 0)),
)
add("numpy.ravel", call(M), call(T, order="F"), call(SCALAR))
add("numpy.transpose", call(M), call(T, (2, 0, 1)), call(T, (0, 0, 1)), call(V))
add("numpy.permute_dims", call(T, (1, 0, 2)))
add("numpy.matrix_transpose", call(T), call(V))
add("numpy.swapaxes", call(T, 0, 2), call(T, -1, 5))
add("numpy.moveaxis", call(T, 0, -1), call(T, (0, 1), (1, 2)))
add("numpy.rollaxis", call(T, 2), call(T, 2, 1))
add("numpy.expand_dims", call(M, 0), call(M, (0, -1)), call(M, 5))
add("numpy.squeeze", call(T[:1]), call(T[:1], axis=0), call(T, axis=0))
for _name in ["atleast_1d", "atleast_2d", "atleast_3d"]:
    add(f"numpy.{_name}", call(SCALAR), call(V), call(M, V), call(T), call(3.0))
add("numpy.broadcast_to", call(V, (2, 5)), call(SCALAR, (2,)), call(V, (4,)))
add("numpy.broadcast_arrays", call(V, M[:, :1]), call(V, 1))
add("numpy.broadcast_shapes", call((2, 1), (3,)), call((2,), (3,)))
add(
    "numpy.concatenate",
    call((V, W)),
    call((M, M), axis=1),
    call((I, V)),
    call((M, V)),
    call((M, M), axis=None),
    call([E, M[:, :3]]),
    call(()),
)
add("numpy.concat", call((V, I)), call((M, M), axis=1))
add("numpy.append", call(V, W), call(M, M, axis=0), call(V, 2))
for _name in ["stack", "vstack", "hstack", "dstack", "column_stack"]:
    add(f"numpy.{_name}", call((V, W)), call([M, M]), call((V, I)), call((V, M)))
add("numpy.stack", call((M, M), axis=1), call((M, M), axis=-1), call([]))
add("numpy.unstack", call(M), call(M, axis=1))
add("numpy.block", call([[M, M], [M, M]]), call([V, W]))
add("numpy.split", call(V[:4], 2), call(M, [1, 2], axis=1), call(V, 2))
add("numpy.array_split", call(V, 2), call(M, 3, axis=1))
add("numpy.hsplit", call(M, 2), call(V[:4], 2))
add("numpy.vsplit", call(M[:2], 2))
add("numpy.dsplit", call(T, 2))
add("numpy.tile", call(V, 2), call(M, (2, 1)), call(M, (2, 1, 1)), call(SCALAR, 3))
add(
    "numpy.repeat",
    call(V, 2),
    call(M, 2, axis=1),
    call(V, np.array([1, 0, 2, 0, 1])),
    call(M, 2, total_repeat_length=7),
    without=("jit", "vmap"),
    why="repeats given as an array have to be known",
)
add("numpy.flip", call(M), call(M, axis=0), call(T, axis=(0, 2)), call(T, axis=range(2)))
add("numpy.fliplr", call(M), call(V))
add("numpy.flipud", call(M), call(V))
add("numpy.rot90", call(M), call(M, k=2), call(T, k=-1, axes=(1, 2)))
add("numpy.roll", call(V, 2), call(M, 1, axis=0), call(M, (1, 2), axis=(0, 1)), call(M, -3))
add(
    "numpy.pad",
    call(V, 2),
    call(M, ((1, 0), (0, 2))),
    call(V, 2, mode="edge"),
    call(V, 3, mode="reflect"),
    call(V, 2, mode="wrap"),
    call(V, 2, mode="symmetric"),
    call(V, 1, constant_values=3.5),
    call(V, 2, mode="linear_ramp"),
    call(V, 2, mode="mean"),
)


def _ends(vector: Any, width: tuple[int, int], axis: int, kwargs: dict) -> Any:
    return vector.at[: width[0]].set(kwargs["ends"] + axis).at[vector.shape[0] - width[1] :].set(-1)


add(
    "numpy.pad",
    call(I, 2, mode="linear_ramp", end_values=7),
    call(M, ((1, 2), (0, 1)), mode=Using(lambda jax: _ends), ends=5),
    call(V, 1, mode="other"),
)
add(
    "numpy.pad",
    call(M, 1, constant_values=np.float32([1, 2])),
    call(M, ((1, 2), (0, 1)), constant_values=np.float32([[1, 2], [3, 4]])),
    call(V, (2, 1), constant_values=(np.float32(5), 6)),
    without=("grad",),
    why="JAX has no derivative with respect to the values",
)
add("numpy.resize", call(M, (2, 3)), call(V, (12,)))
add("numpy.diag", call(V), call(S), call(M, 1), call(V, -1))
add("numpy.diagflat", call(V), call(M, 1))
add("numpy.diagonal", call(S), call(T), call(M, 1), call(T, axis1=1, axis2=2))
add("numpy.tril", call(S), call(M, 1), call(T, -1))
add("numpy.triu", call(S), call(M, 1), call(T, -1))
add("numpy.vander", call(I8), call(C, 3), call(B))
add("numpy.vander", call(V), call(I, 3), call(V, 3, increasing=True))
add("numpy.astype", call(V, np.int32), call(I, np.float16), call(C, np.float32), call(B, np.float32))
add("numpy.copy", call(M), call(3.0))
add("numpy.shape", call(M), call(SCALAR), call(3))
add("numpy.ndim", call(M), call(3))
add("numpy.size", call(M), call(M, 0), call(3))
add("numpy.meshgrid", call(V, W[:3]), call(V, W[:3], indexing="ij"), call(V, W[:3], sparse=True))
add("numpy.array_str", call(np.float32([1.5, 2.0])), without=("jit", "grad", "vmap"), why="text of values")
add("numpy.result_type", call(I, V), call(V, 1.0), call(BF, np.float16), call(np.int8, np.uint8))
add("numpy.promote_types", call(np.int8, np.uint8), call("float16", "bfloat16"))
add("numpy.issubdtype", call(np.float32, np.floating), call(np.int8, np.floating))
add("numpy.can_cast", call(np.int8, np.int32), call(np.float32, np.int32))
add("numpy.isdtype", call(np.dtype("float32"), "real floating"), call(np.dtype("int8"), ("bool", "unsigned integer")))
add(
    "numpy.extract",
    call(BM, M),
    call(IM > 2, IM),
)
add(
    "numpy.compress",
    call(B[:3], M, axis=0),
    call(B, V),
)
