"""sable.nn."""

from __future__ import annotations

import numpy as np

from ..table import add, call
from .operands import BF, BM, IM, H, I, M, P, T, V

for _name in [
    "celu",
    "elu",
    "gelu",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "hard_sigmoid",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_sign",
    "softplus",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "swish",
    "tanh",
]:
    add(f"nn.{_name}", call(V), call(M), call(BF), call(I), call(0.5), rtol=3e-5)
add("nn.celu", call(V, 2.0))
add("nn.elu", call(V, 0.5), call(V, V))
add("nn.gelu", call(V, approximate=False), call(H))
add("nn.leaky_relu", call(V, 0.2))
add("nn.identity", call(V), call(I))
add("nn.log1mexp", call(P), rtol=1e-4)
add("nn.glu", call(M), call(M, axis=1))
for _name in ["softmax", "log_softmax"]:
    add(f"nn.{_name}", call(V), call(M), call(M, axis=0), call(T, axis=(0, 2)), call(H), call(I))
add("nn.softmax", call(M, where=BM), call(M, axis=1, where=BM))
for _name in ["logsumexp", "logmeanexp"]:
    add(f"nn.{_name}", call(V), call(M, axis=1), call(M, axis=0, keepdims=True), call(M, where=~BM))
add("nn.logsumexp", call(V, b=P), call(V, b=P, return_sign=True))
add("nn.one_hot", call(IM, 5), call(IM, 3, dtype=np.int8), call(2, 4), call(I, 4, axis=0))
add("nn.standardize", call(M), call(M, axis=0), call(M, where=~BM), rtol=1e-4)
_Q = np.round(np.random.default_rng(4).normal(size=(1, 3, 2, 4)), 2).astype("f4")
add(
    "nn.dot_product_attention",
    call(_Q, _Q + 0.1, _Q - 0.2),
    call(_Q, _Q, _Q, is_causal=True),
    call(_Q, _Q, _Q, scale=0.5),
    call(_Q, _Q + 0.1, _Q, is_causal=True, return_residual=True),
    call(_Q[0], _Q[0], _Q[0], return_residual=True),
    rtol=1e-4,
)
