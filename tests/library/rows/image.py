"""sable.image."""

from __future__ import annotations

import numpy as np

from ..table import Using, add, call
from .operands import BM, IM, C, H, M, normal

_IMAGE = normal(2, 5, 4)
_CENTRE = np.float32([0.7, 1.3]), np.float32([0.4, -0.6])

for _name in ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"]:
    add("image.resize", call(_IMAGE, (2, 3, 6), _name), rtol=1e-4)
add(
    "image.resize",
    call(M, (5, 3), "cubic", antialias=False),
    call(M, (7, 2), "cubic-pytorch", False),
    call(M, (2, 6), "cubic-pytorch"),
    call(M, (3, 4), "linear"),
    call(M, (3, 0), "linear"),
    call(IM, (6, 2), Using(lambda jax: jax.image.ResizeMethod.LINEAR)),
    call(IM, (6, 2), "nearest"),
    call(BM, (2, 7), "nearest"),
    call(H, (4,), "linear"),
    call(C, (7,), "linear"),
    call(M, (3,), "linear"),
    call(M, (3, 3), "best"),
    rtol=1e-4,
)
for _name in ["linear", "cubic", "lanczos5", "area"]:
    add("image.scale_and_translate", call(_IMAGE, (2, 6, 3), (1, 2), *_CENTRE, _name), rtol=1e-3, atol=1e-4)
add(
    "image.scale_and_translate",
    call(_IMAGE, (2, 6, 3), (1, -1), *_CENTRE, "linear", antialias=False),
    call(_IMAGE, (2, 6, 3), (1, 2), *_CENTRE, "cubic-pytorch", False),
    call(IM, (3, 4), (0,), np.int32([1]), np.float32([0.25]), "linear"),
    call(M, (3, 4), (), np.zeros(0, np.float32), np.zeros(0, np.float32), "linear"),
    call(M, (3, 4), (0,), np.float32([1]), np.float32([0]), "nearest"),
    call(M, (3,), (0,), np.float32([1]), np.float32([0]), "linear"),
    rtol=1e-3,
    atol=1e-4,
)
