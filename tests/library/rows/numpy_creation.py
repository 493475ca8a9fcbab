"""sable.numpy: arrays from nothing, from data, ranges."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, BM, I8, IM, SCALAR, U32, B, C, E, I, M, P, S, V, W

for _name in ["zeros", "ones", "empty"]:
    add(f"numpy.{_name}", call(3), call((2, 3)), call((2,), dtype=np.int32), call(()), call((2, -1)))
for _name in ["zeros_like", "ones_like", "empty_like"]:
    add(f"numpy.{_name}", call(M), call(I), call(M, dtype=np.int8), call(M, shape=(2,)), call(2.0), call(C))
add("numpy.full", call((2, 3), 1.5), call(3, 2), call((2,), V[:2]), call((2,), 1, dtype=np.float16))
add("numpy.full_like", call(M, 2), call(I, 2.5), call(M, 1, dtype=np.int8), call(M, 2.0, shape=(3,)))
for _name in ["array", "asarray"]:
    add(
        f"numpy.{_name}",
        call(V),
        call([1, 2, 3]),
        call([[1.0, 2.0], [3.0, 4.0]]),
        call(3),
        call(2.5),
        call(True),
        call(1 + 2j),
        call([1, 2.5]),
        call([V, W]),
        call(I, dtype=np.float32),
        call([1, [2, 3]]),
        call("text"),
        call(None),
    )
add("numpy.array", call(V, ndmin=3), call(V, copy=True), call(V, None, True, "K", 2), call(V, None, True, copy=False))
add(
    "numpy.arange",
    call(5),
    call(2, 7),
    call(1, 10, 3),
    call(0.0, 1.0, 0.25),
    call(5, dtype=np.float32),
    call(3, 1),
    call(2.5),
)
add(
    "numpy.linspace",
    call(0, 1, 5),
    call(0.0, 1.0, 4, endpoint=False),
    call(V, W, 3),
    call(0, 10, 5, dtype=np.int32),
    call(0, 1, 1),
    call(0, 1, 3, retstep=True),
    call(V, W, 3, axis=1),
)
add("numpy.logspace", call(0, 2, 5), call(0, 2, 3, base=2.0), rtol=1e-4)
add("numpy.geomspace", call(1, 100, 3), call(1.0, 16.0, 5), rtol=1e-4)
add("numpy.geomspace", call(1, 1j, 4), call(2 + 1j, -8, 4), call(-1, -8, 3), call(1, -8, 3), call(P, 9.0, 3, axis=1))
add("numpy.full", call(2, 2**32 - 1, np.uint32), call(2, 2**100, np.float32), call(2, 2**32, np.int32))
add("numpy.full_like", call(U32, 2**32 - 1), call(V, 2**40), call(I8, 2**100))
add("numpy.eye", call(3, k=2**100), call(3, k=-(2**100)))
add("numpy.eye", call(3), call(3, 4), call(3, k=1), call(2, dtype=np.int32), call(3, 4, -1))
add("numpy.identity", call(3), call(2, dtype=np.int8))
add("numpy.tri", call(3), call(3, 4, 1), call(3, k=-1, dtype=np.int32))
add("numpy.iinfo", call(np.int8), without=("jit",), why="no array")
add("numpy.unravel_index", call(IM, (3, 4)), call(7, (2, 4)))
add(
    "numpy.ravel_multi_index",
    call((I % 3, I % 3), (3, 3)),
    call((np.array([0, 1]), np.array([1, 2])), (2, 3), mode="wrap"),
)
add("numpy.dtype", call("float32"))
for _name in [
    "float32",
    "int32",
    "int8",
    "float16",
    "bfloat16",
    "complex64",
    "bool_",
    "uint8",
    "uint32",
    "int16",
    "uint16",
]:
    add(f"numpy.{_name}", call(3), call(V), call(SCALAR), call(1.5))
add("numpy.kron", call(M, S), call(V, W), call(I, BF[:2]))
add("numpy.copy", call(E), call(B), call(BM))
