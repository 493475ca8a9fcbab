"""sable.numpy: counts, histograms, covariance; sequences; integers; segments."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, IM, KINK, B, C, H, I, J, M, P, S, U, V, W

_IDS = np.array([1, 0, 4, 1, 9], np.int32)
_BYTES = np.array([[1, 200, 7], [0, 255, 128]], np.uint8)
_STEPS = "the edges are where values lie: any subgradient will do"

add(
    "numpy.bincount",
    call(_IDS, length=6),
    call(_IDS, V, length=6),
    call(I),
    call(B, minlength=4),
    call(_IDS, P),
    call(_IDS, W[:3]),
    call(V),
    call(IM),
)
add(
    "numpy.histogram_bin_edges",
    call(I, 3),
    call(V, bins=2, range=(-1, 1)),
    call(V, W),
    call(V, "auto"),
    call(V, 2, [1]),
)
add(
    "numpy.histogram",
    call(V, 4),
    call(IM, bins=3, weights=np.abs(M)),
    call(V, 3, range=(0, 1), density=True),
    call(I, np.array([-2, 0, 3])),
    call(V, weights=P[:3]),
    without=("grad",),
    why=_STEPS,
)
add(
    "numpy.histogram2d",
    call(V, W, 2),
    call(V, U, bins=[np.float32([-1, 0, 2]), 2], density=True),
    call(V, W, weights=P, bins=np.float32([-1, 0, 0.5, 2])),
    without=("grad",),
    why=_STEPS,
)
add(
    "numpy.histogramdd",
    call(S[:, :2], bins=3, range=[(-1, 1), None]),
    call(S[:, :2], bins=[2, 3, 4]),
    call(V, 2),
    without=("grad",),
    why=_STEPS,
)
add(
    "numpy.cov",
    call(M),
    call(V, W),
    call(M, rowvar=False, bias=True),
    call(C),
    call(M, ddof=2, fweights=np.array([1, 2, 0, 3]), aweights=P[:4]),
    call(IM, aweights=P[:4]),
    call(M, fweights=P[:4]),
    call(V[:0]),
    call(H, dtype=np.float32),
)
add("numpy.corrcoef", call(M), call(V, W), call(C, C[::-1].copy()), call(IM, dtype=np.int32))
for _name in ["convolve", "correlate"]:
    add(
        f"numpy.{_name}",
        call(V, W[:2]),
        call(V[:2], W, "full"),
        call(V, W[:4], mode="same"),
        call(I, J[:3], "valid"),
        call(C[:2], C),
        call(I, J[:3], preferred_element_type=np.int32),
        call(V, V[:0]),
        call(V, W, "other"),
        call(M, V),
    )
_XP, _FP = np.float32([-1, 0, 0.5, 2]), np.float32([3, 1, 2, -1])
add(
    "numpy.interp",
    call(V, _XP, _FP),
    call(M, _XP, _FP, left=-5, right="extrapolate"),
    call(V, _XP[::-1].copy(), _FP, period=1.7),
    call(I, np.sort(I), J),
    call(0.25, _XP, _FP),
    call(V, _XP, C[:4]),
    call(V, _XP, _FP, left="other"),
    call(V, _XP, _FP[:2]),
)
add(
    "numpy.unwrap",
    call(np.float32([0.1, 3.0, -3.0, 9.5, 1.2])),
    call(4 * M, axis=0, period=2.5),
    call(I, period=4),
    call(V, 0.5),
    call(C),
    without=("grad",),
    why=KINK,
)
for _name in ["gcd", "lcm"]:
    add(
        f"numpy.{_name}",
        call(I, J),
        call(IM, np.uint8([6, 4, 0, 9])),
        call(12, np.array([[18], [0], [-8]])),
        call(V, I),
        call(B, B),
    )
add("numpy.packbits", call(B), call(IM, axis=1), call(BF), call(IM, axis=0, bitorder="little"), call(B, bitorder="x"))
add(
    "numpy.unpackbits",
    call(_BYTES),
    call(_BYTES, axis=0, bitorder="little"),
    call(_BYTES, axis=1, count=20),
    call(_BYTES, count=-3),
    call(_BYTES, axis=-1, count=26),
    call(I),
)
for _name in ["iscomplex", "isreal"]:
    add(f"numpy.{_name}", call(C), call(I), call(2.5), call(2j), call(M))
add(
    "numpy.spacing",
    call(V),
    call(H),
    call(np.float32([0, -0.0, 1e-40, np.inf, -2])),
    call(I),
    call(2),
    call(C),
    without=("grad",),
    why="JAX has no derivative of nextafter",
)

for _name in ["segment_sum", "segment_prod", "segment_max", "segment_min"]:
    add(
        f"ops.{_name}",
        call(V, _IDS, 5),
        call(M, np.array([2, 0, -1]), 3),
        call(I, _IDS),
        call(V, _IDS, 5, bucket_size=2),
        call(V, np.sort(_IDS), 4, indices_are_sorted=True),
        call(V, _IDS, -1),
        without=("grad",) if _name == "segment_prod" else (),
        why="JAX has the derivative for different ids only",
    )
add("ops.segment_sum", call(V, _IDS, num_segments=3, mode="clip"))
add("ops.segment_max", call(B, _IDS, 3), call(H, np.array([0, 1, 0, 2, 2, 5]), 4))
