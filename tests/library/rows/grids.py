"""sable.scipy: integrals of samples, arrays read between their elements, nearest codes."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import IM, C, H, I, M, P, T, V, W, normal, within

_A, _B = within(-3.2, 6.1, 2, 3), within(-2.8, 5.3, 2, 3)
_RGB = normal(6, 3)

add(
    "scipy.integrate.trapezoid",
    call(V),
    call(V, W),
    call(M, dx=0.5),
    call(M, axis=0),
    call(M, V[:4].copy()),
    call(I, dx=2),
    call(H),
    call(C, V),
    call(M, axis=2),
    call(M, V),
)
add(
    "scipy.cluster.vq.vq",
    call(_RGB, _RGB[::2].copy() + 0.1),
    call(V, P),
    call(IM, M),
    call(H, H[:2].copy() + np.float16(0.3)),
    call(M, V),
    call(T, T),
    call(M, _RGB),
)
add("scipy.cluster.vq.vq", call(M, M, False), without=("grad",), why="distances of zero are kinks")
for _mode in ["constant", "nearest", "wrap", "mirror", "reflect"]:
    add("scipy.ndimage.map_coordinates", call(M, [_A, _B], 1, _mode), call(M, [_A, _B], order=1, mode=_mode, cval=2.0))
    add("scipy.ndimage.map_coordinates", call(M, [_A, _B], 0, _mode), call(IM, [_A, _B], 1, _mode))
add(
    "scipy.ndimage.map_coordinates",
    call(V, [P], 1, cval=1.5),
    call(C, [P], 1),
    call(V, [I], 0, "wrap"),
    call(IM, [_A, _B], 0, cval=-1),
    call(T, [_A, _B, 0.5], 1, "nearest"),
    call(H, [P], 1),
    call(M, [_A], 1),
    call(M, [_A, _B], 2),
    call(M, [_A, _B], 1, "around"),
)
