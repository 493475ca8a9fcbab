"""The table of samplers: each in its dtypes and in shapes, generators, kinds of keys and settings, by Latin squares.

A row is drawn in four settings, in each with another dtype and another shape, so that any two of setting, dtype and shape meet in
some row. Rows whose samplers are loops compile for seconds: each is drawn in one setting. One program for each setting holds all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Setting:
    """A generator, whether its keys are typed, and `jax_threefry_partitionable`."""

    generator: str
    typed: bool
    partitionable: bool


SETTINGS = (
    Setting("threefry2x32", True, True),
    Setting("threefry2x32", False, False),
    Setting("rbg", False, True),
    Setting("unsafe_rbg", True, False),
)
SHAPES: tuple[tuple[int, ...], ...] = ((), (0, 2), (7,), (2, 3))
FLOATS = ("float16", "bfloat16", "float32", "float64")
WIDE = ("float32", "float64", "complex64", "complex128")
SIGNED = ("int8", "int16", "int32", "int64")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64")


@dataclass(frozen=True)
class Row:
    """A sampler.

    Attributes:
      text: the call, of a key `k`, a shape `s`, a dtype `d`; `p(x)` is a parameter of that dtype.
      dtypes: four dtypes.
      ulps: by how many epsilons of its dtype, relative or absolute, a float sample may differ: JAX's logarithms, powers and products
        of matrices are rounded otherwise than ours. 0 are the same bits.
    """

    text: str
    dtypes: tuple[str, ...]
    ulps: int


@dataclass(frozen=True)
class Sample:
    """A row in a setting."""

    row: Row
    dtype: str
    shape: tuple[int, ...]

    def draw(self, j: Any, key: Any) -> Any:
        """From a module."""
        d = np.dtype(j.numpy.dtype(self.dtype))
        space = {"k": key, "s": self.shape, "d": d, "r": j.random, "np": np, "jnp": j.numpy}
        return eval(self.row.text, {**space, "p": lambda x: j.numpy.asarray(x, d)})


#: 0, 1, a and a + 1 in GF(4), by a, the generator of which they are 0, 1, 2 and 3
_BY_GENERATOR = (0, 2, 3, 1)


def samples(setting: int) -> list[Sample]:
    """Those of a setting: dtype and shape are orthogonal Latin squares of order 4, u + v and u + a v in GF(4) (whose sum is xor)."""
    light = [
        Sample(row, row.dtypes[n % 4 ^ setting], SHAPES[n // 4 % 4 ^ _BY_GENERATOR[setting]])
        for n, row in enumerate(LIGHT)
    ]
    heavy = [Sample(row, row.dtypes[n // 4 % 4], (5,)) for n, row in enumerate(HEAVY) if n % 4 == setting]
    return light + heavy


def _rows(table: str, dtypes: tuple[str, ...], ulps: int = 0) -> list[Row]:
    return [Row(text.strip(), dtypes, ulps) for line in table.strip().splitlines() for text in line.split(" | ")]


_OF_INTEGERS = """
r.randint(k, s, 0, 100, d) | r.randint(k, s, 3, p(17), d) | r.rademacher(k, s, d) | r.geometric(k, 0.2, s, d)
r.permutation(k, p(np.arange(9).reshape(3, 3))) | r.choice(k, p([3, 4, 5]), s)
"""
#: Samplers without loops.
LIGHT = [
    *_rows(_OF_INTEGERS, SIGNED),
    *_rows(_OF_INTEGERS, UNSIGNED),
    *_rows("r.randint(k, s, -128, 128, d) | r.randint(k, s, -5, 7, d)", SIGNED),
    *_rows("r.bits(k, s, d) | r.randint(k, s, 0, 256, d)", UNSIGNED),
    *_rows(
        """
r.uniform(k, s, d) | r.uniform(k, s, d, -1, 3) | r.bernoulli(k, p(0.3), s) | r.bernoulli(k, p(0.3), s, mode='high')
r.categorical(k, p([0.5, 1, 2]), shape=s) | r.categorical(k, p([0.5, 1, 2]), shape=(2,), replace=False)
r.choice(k, p([1, 2, 3]), s, p=p([0.2, 0.5, 0.3])) | r.choice(k, p([1, 2, 3]), (2,), False, p([0.2, 0.5, 0.3]))
r.choice(k, p(range(9)), s, False) | r.permutation(k, p(np.arange(9)))
r.permutation(k, p(np.arange(8).reshape(2, 4)), 1, True)
""",
        FLOATS,
    ),
    *_rows(
        """
r.normal(k, s, d) | r.exponential(k, s, d) | r.gumbel(k, s, d) | r.gumbel(k, s, d, mode='high')
r.gumbel(k, s, d, mode='highest') | r.laplace(k, s, d) | r.logistic(k, s, d) | r.maxwell(k, s, d)
r.double_sided_maxwell(k, 0.5, 2.0, s, d) | r.truncated_normal(k, -2, p(1), s, d) | r.lognormal(k, p(0.5), s, d)
r.pareto(k, p(2), s, d) | r.rayleigh(k, p(2), s, d) | r.weibull_min(k, 2.0, 3.0, s, d)
r.triangular(k, p(0), p(1), p(3), s, d)
""",
        FLOATS,
        4,
    ),
    *_rows("r.cauchy(k, s, d) | r.wald(k, p(1.5), s, d)", FLOATS, 16),  # tan and differences multiply errors
    *_rows("r.normal(k, s, d)", WIDE, 4),
]
#: Loops of rejection, and decompositions of matrices.
HEAVY = [
    *_rows("r.poisson(k, 3.0, s, d)", SIGNED),
    *_rows("r.poisson(k, 40, s, d)", UNSIGNED),
    *_rows("r.binomial(k, 10, 0.3, s, d) | r.binomial(k, p(1000), p(0.4), s, d)", ("bfloat16", "float16") * 2),
    *_rows("r.gamma(k, p(0.3), s, d) | r.loggamma(k, p(0.3), s, d) | r.gamma(k, p(2.5), s, d) | r.t(k, p(5), s, d)", FLOATS[::-1], 16),
    *_rows("r.beta(k, p(0.7), p(3), s, d) | r.dirichlet(k, p([0.5, 1, 2]), s, d) | r.f(k, p(3), p(4), s, d) | r.chisquare(k, p(3), s, d)", ("float32", "float64", "float16", "float16"), 16),
    *_rows("r.generalized_normal(k, 1.5, s, d) | r.ball(k, 3, 1.5, s, d)", ("float32", "float64", "float16", "float32"), 16),
    *_rows("r.orthogonal(k, 3, s, d, m=2) | r.multivariate_normal(k, p([1, 2]), p([[2, 0.5], [0.5, 1]]), s)", WIDE[:2] * 2, 16),
    *_rows("r.multinomial(k, p(20), p([0.2, 0.5, 0.3]), shape=(*s, 3), dtype=d)", FLOATS),
]
