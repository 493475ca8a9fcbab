"""sable.numpy: elements chosen among arrays, inserted and deleted; functions of small arrays; windows."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import BF, BM, IM, SCALAR, SPECIAL, U8, C, H, I, J, M, P, S, T, V, W

_NUMBERS = np.array([0, 2, 1, 0, 2], np.int32)
_UNIQUE = np.array([3, -5], np.int32)
_VALUES = "JAX's error is of a subclass of ConcretizationTypeError"

add(
    "numpy.select",
    call([V > 0, W > 0], [V, W * 2], 7.0),
    call([V > 0, I], [I, 1.5]),
    call((SCALAR, BM), (M, M[0])),
    call([V > 0], [V, W]),
    call([], []),
    call([[True]], [V]),
)
add(
    "numpy.choose",
    call(_NUMBERS, [V, W, 1.0], mode="clip"),
    call(_NUMBERS - 1, [I, J], mode="wrap"),
    call(U8, (M, 2.0), mode="wrap"),
    call(_NUMBERS, [1, 2, 3], mode="clip"),
    call(_NUMBERS, np.stack([V, W, V * 2]), mode="clip"),
    call(V, [V, W], mode="clip"),
    call(_NUMBERS, [V, W, V], mode="other"),
)
add("numpy.choose", call(_NUMBERS, [V, W, V]), call(_NUMBERS, [V, W]), without=("jit", "vmap"), why=_VALUES)
add(
    "numpy.piecewise",
    call(V, [V < 0, V > 0.5], [lambda x: -x, lambda x: x * x, 0.25]),
    call(M, [M > 0], [Using(lambda jax: jax.numpy.sin)]),
    call(I, [I > 0, I > 2], [1, lambda x, k: x * k], 3),
    call(SCALAR, [True, False], [lambda x: x + 1, lambda x: x]),
    call(V, [V < 0], [1, 2, 3]),
)
add(
    "numpy.place",
    call(V, V > 0, W[:2], inplace=False),
    call(M, IM, 1.5, inplace=False),
    call(I, V > 0, J[:1], inplace=False),
)
add("numpy.place", call(V, V > 0, W), call(V, BM, W, inplace=False), call(V, V > 0, V[:0], inplace=False))
add(
    "numpy.fill_diagonal",
    call(S, 2.0, inplace=False),
    call(M, V[:2], inplace=False),
    call(IM, V, inplace=False),
    call(S, 2.0),
    call(T, 0.0, inplace=False),
    call(V, 0.0, inplace=False),
)
add(
    "numpy.insert",
    call(V, 2, 9.5),
    call(V, _UNIQUE, W[:2]),
    call(M, 1, V[:3], axis=1),
    call(M, np.array([1, 1, 0], np.int32), 2, axis=0),
    call(M, slice(0, 3, 2), M[0], axis=0),
    call(I, -1, V),
    call(V, np.array([2], np.int32), W),
    call(V, W, 1.0),
    call(V, _UNIQUE, W[:3]),
)
add(
    "numpy.delete",
    call(V, 2),
    call(V, -1),
    call(M, slice(None, None, 2), axis=1),
    call(V, _UNIQUE, assume_unique_indices=True),
    call(T, np.array([0, -1], np.int32), 2, assume_unique_indices=True),
    call(V, [1]),
    call(V, 7),
)
add(
    "numpy.delete",
    call(V, _UNIQUE),
    call(M, np.array([True, False, False]), 0),
    call(V, W),
    without=("jit", "vmap"),
    why=_VALUES,
)
add("numpy.trim_zeros", call(np.float32([0, 0, 1, 0, 2, 0])), call(np.pad(IM, 1), axis=0), call(np.pad(M, 2), "b"), call(V * 0),
    call(V, "x"), without=("jit", "grad", "vmap"), why="values are asked for")  # fmt: skip

# ---- functions of small arrays
add(
    "numpy.apply_along_axis",
    call(Using(lambda jax: jax.numpy.sum), 1, T),
    call(Using(lambda jax: lambda v, k: jax.numpy.outer(v, v) * k), -1, M, 2.0),
    call(lambda v: v[0], 0, V),
    call(lambda v: v, 2, M),
)
add(
    "numpy.apply_over_axes",
    call(Using(lambda jax: jax.numpy.sum), T, [0, 2]),
    call(Using(lambda jax: lambda a, axis: jax.numpy.max(a, axis, keepdims=True)), M, (1,)),
    call(lambda a, axis: a[0, 0], M, (0,)),
)

# ---- windows
for _name in ["bartlett", "blackman", "hamming", "hanning"]:
    add(f"numpy.{_name}", call(7), call(1), call(0), call(-1))
add("numpy.kaiser", call(8, 8.6), call(1, 2.0), call(5, P), call(5, 2))
add("numpy.i0", call(V), call(M * 12), call(SPECIAL), call(BF), call(H), call(I), call(C), call(3))
