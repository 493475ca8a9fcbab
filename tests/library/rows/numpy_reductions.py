"""sable.numpy: reductions, cumulative functions, order, statistics."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, BM, IM, KINK, NAN, SPECIAL, U8, B, C, E, H, I, J, M, P, S, T, U, V, W

for _name in ["sum", "mean", "prod", "max", "min", "amax", "amin", "std", "var"]:
    add(
        f"numpy.{_name}",
        call(M),
        call(M, axis=0),
        call(T, axis=(0, 2)),
        call(T, axis=-1, keepdims=True),
        call(H),
        call(BF, axis=0),
        call(IM, axis=1),
        call(B),
        call(2.5),
        call(M, axis=2),
    )
for _name in ["sum", "prod"]:
    add(f"numpy.{_name}", call(E), call(M, where=BM), call(M, initial=2.0), call(U8), call(C))
for _name in ["mean", "var", "std"]:
    add(f"numpy.{_name}", call(C), call(M, axis=1, where=BM), call(I, dtype=np.float32))
add("numpy.var", call(M, ddof=1), call(M, axis=0, ddof=1), call(M, correction=1))
add("numpy.std", call(M, ddof=1))
for _name in ["max", "min"]:
    add(f"numpy.{_name}", call(M, initial=0.1), call(M, where=BM, initial=0.0), call(E), call(M, 1))
    _why = "at NaN JAX's compiled derivative is 0, the eager one NaN as ours: tests/oracle/test_derivatives_at_edges.py"
    add(f"numpy.{_name}", call(SPECIAL), without=("grad",), why=_why)
for _name in ["any", "all"]:
    add(f"numpy.{_name}", call(BM), call(BM, axis=0), call(IM, axis=1, keepdims=True), call(M), call(E), call(True))
add("numpy.count_nonzero", call(IM), call(BM, axis=0), call(V))
for _name in ["argmax", "argmin"]:
    add(f"numpy.{_name}", call(M), call(M, axis=1), call(IM, axis=0, keepdims=True), call(SPECIAL), call(E), call(BM))
for _name in ["nansum", "nanmean", "nanmax", "nanmin", "nanprod", "nanvar", "nanstd", "nanmedian"]:
    add(f"numpy.{_name}", call(NAN), call(NAN, axis=1), call(M, axis=0, keepdims=True), without=("grad",), why=KINK)
for _name in ["nanargmax", "nanargmin"]:
    add(f"numpy.{_name}", call(NAN), call(NAN, axis=1))
for _name in ["cumsum", "cumprod", "nancumsum", "nancumprod"]:
    add(
        f"numpy.{_name}",
        call(V),
        call(M),
        call(M, axis=1),
        call(I),
        call(H),
        call(T, axis=-1),
    )
for _name in ["cumsum", "nancumsum", "prod", "sum"]:
    add(f"numpy.{_name}", call(V, dtype=np.float16), rtol=2e-2, atol=2e-3)
for _name in ["cumulative_sum", "cumulative_prod"]:
    add(f"numpy.{_name}", call(V), call(M, axis=1), call(M, axis=0, include_initial=True), call(M))
for _name in ["median"]:
    add(f"numpy.{_name}", call(M), call(M, axis=0), call(IM, axis=1), call(M, keepdims=True), call(V))
for _name in ["quantile", "nanquantile"]:
    add(f"numpy.{_name}", call(V, 0.3), call(M, np.float32([0.1, 0.5]), axis=1), call(M, 0.5, axis=0, method="lower"))
add("numpy.quantile", call(I, 0.3), call(H, 0.3), call(V, 1), call(V, 0.3, method="other"))
for _name in ["quantile", "nanquantile"]:
    add(
        f"numpy.{_name}",
        call(NAN, 0.5, axis=1, method="inverted_cdf"),
        call(V, np.float32([0.3, 0.9]), method="inverted_cdf", weights=P),
        call(V, 0.3, method="inverted_cdf", weights=V),
        call(V, 0.3, weights=C),
        without=("grad",),
        why=KINK,
    )
for _name in ["percentile", "nanpercentile"]:
    add(f"numpy.{_name}", call(V, 30.0), call(M, np.float32([10, 50]), axis=1), call(I, 50))
add(
    "numpy.average",
    call(M),
    call(M, axis=0),
    call(V, weights=P),
    call(M, axis=1, weights=P[:4]),
    call(V, weights=P, returned=True),
)
add("numpy.ptp", call(M), call(M, axis=1), call(IM, axis=0))
add("numpy.sort", call(V), call(M, axis=0), call(IM), call(SPECIAL), call(M, axis=None), call(V, descending=True))
add("numpy.argsort", call(V), call(M, axis=0), call(IM), call(SPECIAL), call(V, descending=True), call(B))
add("numpy.sort_complex", call(C), call(V))
add("numpy.lexsort", call((V, W)), call((IM[0], IM[1])))
add("numpy.partition", call(np.float32([3, 1, 2]), 1))
add("numpy.argpartition", call(np.float32([3, 1, 2]), 1))
add(
    "numpy.searchsorted",
    call(np.sort(V), W),
    call(np.sort(V), W, side="right"),
    call(np.sort(I), 2),
)
add("numpy.digitize", call(V, np.float32([-1, 0, 1])), call(V, np.float32([1, 0, -1])))
add("numpy.diff", call(V), call(M, axis=0), call(V, n=2), call(V, prepend=0.0), call(I), call(B))
add("numpy.ediff1d", call(V), call(M, to_begin=1.0))
add(
    "numpy.gradient",
    call(V),
    call(M),
    call(V, 2.0),
    call(M, axis=1),
    call(V, np.sort(W)),
    call(M, P[:3], np.sort(P[:4])),
)
add("numpy.trapezoid", call(V), call(V, np.sort(W)), call(M, dx=0.5, axis=0))
add("numpy.nonzero", call(IM), call(V), call(IM, size=12))
add("numpy.flatnonzero", call(I), call(IM, size=7, fill_value=-1))
add("numpy.argwhere", call(IM), call(BM))
add("numpy.clip", call(S, -1.0, 1.0), call(J, None, None), without=("grad",), why=KINK)
add(
    "numpy.sum",
    call([V, W]),
    call("text"),
    call(M, axis=(0, 0)),
    call(M, axis=1.5),
    call(U, axis=None),
    call(T, axis=range(1, 3)),
)
