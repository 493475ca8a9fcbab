"""sable.random: bits and samples are those of JAX."""

from __future__ import annotations

import numpy as np

from ..table import Key, add, call
from .operands import I, M, P, V

_K = Key(3)
_PLAIN = [
    "normal",
    "uniform",
    "exponential",
    "gumbel",
    "laplace",
    "logistic",
    "cauchy",
    "maxwell",
    "rademacher",
]

for _name in _PLAIN:
    add(f"random.{_name}", call(_K, (5,)), call(_K, (2, 3)), call(_K), call(_K, (0, 2)), rtol=1e-4)
for _name in ["normal", "uniform", "exponential"]:
    add(f"random.{_name}", call(_K, (5,), np.float16), call(_K, (3,), np.int32), call(7, (3,)))
add("random.uniform", call(_K, (4,), np.float32, 2.0, 3.0), call(_K, (4,), minval=-1.0, maxval=V[:4] + 5))
add("random.bits", call(_K, (4,)), call(_K, (4,), np.uint8), call(_K, (3,), np.uint16), call(_K, (3,), np.int8))
add(
    "random.randint",
    call(_K, (6,), 0, 10),
    call(_K, (6,), -5, 5),
    call(_K, (4,), 0, 100, np.int8),
    call(_K, (5,), I, I + 9),
)
add("random.bernoulli", call(_K, 0.3, (8,)), call(_K), call(_K, P / 4), call(_K, 1, (2,)))
add(
    "random.categorical",
    call(_K, V),
    call(_K, M),
    call(_K, M, axis=0),
    call(_K, M, shape=(2, 3)),
    call(_K, V, shape=(2,), replace=False),
)
add(
    "random.choice",
    call(_K, 7),
    call(_K, V, (4,)),
    call(_K, V, (3,), replace=False),
    call(_K, V, (6,), p=P / P.sum()),
    call(_K, M, (2,), axis=1),
)
add("random.permutation", call(_K, 7), call(_K, V), call(_K, M, axis=1), call(_K, M, axis=1, independent=True))
add("random.truncated_normal", call(_K, -1.0, 2.0, (5,)), call(_K, -P, P), rtol=1e-4)
add("random.geometric", call(_K, 0.4, (5,)), call(_K, P / 4), without=("grad",), why="steps")
add("random.lognormal", call(_K, 0.5, (4,)), call(_K, P), rtol=1e-4)
add("random.pareto", call(_K, 2.0, (4,)), call(_K, P), rtol=1e-4)
add("random.rayleigh", call(_K, 2.0, (4,)), call(_K, P), rtol=1e-4)
add("random.triangular", call(_K, 0.0, 0.3, 1.0, (5,)), rtol=1e-4)
add("random.wald", call(_K, 1.5, (5,)), rtol=1e-4, without=("grad",), why="a choice by comparison")
add("random.weibull_min", call(_K, 2.0, 1.5, (5,)), rtol=1e-4)
add("random.gamma", call(_K, P), call(_K, 0.5, (5,)), call(_K, P, (2,)), rtol=1e-4)
add("random.loggamma", call(_K, P), rtol=1e-4)
add("random.beta", call(_K, P, 2.0), rtol=2e-4)
add("random.dirichlet", call(_K, P), rtol=2e-4)
add("random.chisquare", call(_K, P), rtol=1e-4)
add("random.f", call(_K, P, 3.0), rtol=2e-4)
add("random.t", call(_K, P), rtol=1e-4)
add("random.generalized_normal", call(_K, 1.5, (3,)), rtol=1e-4)
add("random.ball", call(_K, 3, 1.5, (2,)), rtol=2e-4)
add("random.poisson", call(_K, 20 * P), call(_K, 3.0, (4,), np.int8), without=("grad",), why="counts")
add("random.binomial", call(_K, 30, P / 4), call(_K, 5.0, 0.3, (4,)), without=("grad",), why="counts")
add("random.multinomial", call(_K, 20.0, P / P.sum()), without=("grad",), why="counts")
add(
    "random.multivariate_normal",
    call(_K, V[:2], np.float32([[2, 0.5], [0.5, 1]])),
    call(_K, V[:2], np.float32([[2, 0.5], [0.5, 1]]), (3,)),
    call(_K, V[:2], np.float32([[2, 0.5], [0.5, 1]]), method="eigh"),
    call(_K, V[:2], np.float32([[2, 0.5], [0.5, 1]]), method="svd"),
    call(_K, V[:2], P),
    without=("grad",),
    why="of symmetric tangents",
    rtol=1e-4,
)
add(
    "random.orthogonal",
    call(_K, 3),
    call(_K, 2, (2,), m=3),
    call(_K, 3, m=2, dtype=np.complex64),
    call(_K, 1.5),
    rtol=1e-4,
)
add("random.split", call(_K), call(_K, 3), call(_K, (2, 2)))
add("random.fold_in", call(_K, 7), call(_K, I[0].reshape(())), call(_K, -1))
add("random.clone", call(_K))
add("random.key", call(3), call(2**31), call(-1))
add("random.PRNGKey", call(3), call(0))
add("random.key_data", call(_K), call(np.array([1, 2], np.uint32)))
add("random.wrap_key_data", call(np.array([1, 2], np.uint32)), call(np.array([[1, 2], [3, 4]], np.uint32)))
add("random.key_impl", call(_K))
add("random.double_sided_maxwell", call(Key(3), 0.5, 2.0, (5,)), call(Key(3), np.float32([0, 1]), np.float32(2)))
_STATE = np.arange(3, 7, dtype=np.uint32)
add(
    "lax.rng_bit_generator",
    call(_STATE, (5,)),
    call(_STATE, (2, 3), np.uint8),
    call(_STATE, (0, 2), np.uint16),
    without=("vmap",),
    why="bits of the first state for all: tests/random/test_random.py",
)
