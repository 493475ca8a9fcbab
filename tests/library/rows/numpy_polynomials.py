"""sable.numpy: polynomials."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, C2, IM, SCALAR, B, C, E, H, I, J, M, P, U, V, W

for _name in ["polyadd", "polysub"]:
    add(f"numpy.{_name}", call(V, W[:2]), call(I[:3], J), call(C[:1], V), call(H, I), call(V, 2.0), call([1.0], V))
add("numpy.polymul", call(V, W[:2]), call(I[:2], J), call(C, C2), call(V[:0], W), call(M, V), rtol=1e-4)
add("numpy.polymul", call(np.float32([0, 0, 2, 1]), W, trim_leading_zeros=True), without=("jit", "vmap", "grad"), why="values are asked for")  # fmt: skip
add("numpy.polydiv", call(V, W[:2] + 2), call(I, J[:3]), call(V[:2], P), call(C, C2[:2] + 3), rtol=1e-4)
add("numpy.polydiv", call(np.float32([1, 3, 2]), np.float32([1, 1]), trim_leading_zeros=True), without=("jit", "vmap", "grad"), why="values are asked for")  # fmt: skip
add("numpy.poly", call(V), call(I), call(C), call(SCALAR), call(V[:0]), call(M), call(3), rtol=1e-4)
add("numpy.polyval", call(V, W), call(M, V[:4]), call(I, 2), call(V, C), call(IM, 1.5), call(E[:, 0], V), call(1.0, V))
add("numpy.polyval", call(np.linspace(-1, 1, 40, dtype=np.float32), U), call(V, 0.5, unroll=2))
add("numpy.polyder", call(V), call(I, 2), call(C, 0), call(BF, m=7), call(B), call(V, -1), call(V, 1.5))
add("numpy.polyint", call(V), call(I, 2, 3), call(V, 3, W[:3]), call(C, 0), call(V, 2, W[:3]), call(V, -1))
