"""What operations draw their operands and parameters from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import jax.numpy as jnp
import numpy as np

from tests.differential.bounds import Unfit, Value, kind_of
from tests.differential.program import LAYOUTS, OPS, Input, Node, Step, evaluated

SIZES = (0, 1, 2, 3, 5, 7, 16, 17, 33, 64, 129, 1000)
LONG = (2000, 4097, 10_000, 65_536, 70_000)
#: Elements of an array, most of the time and at most.
USUAL, MOST = 3000, 70_000
DTYPES = ("bool", "int8", "int16", "int32", "uint8", "uint16", "uint32", "float16", "bfloat16", "float32", "complex64")
DTYPES_X64 = ("float64", "int64", "uint64", "complex128", "float32", "int32", "float16", "bool")
DIFFERENTIABLE = ("float32", "float32", "float32", "bfloat16", "float16")

#: Inputs are such integers, floats an eighth of them.
LOW, HIGH = -32, 32

Fits = Callable[[Value], bool]


class Draft:
    """A program that is being drawn: operations ask it for operands and random numbers."""

    def __init__(self, seed: int, x64: bool = False, smooth: bool = False, extreme: bool = False):
        self.rng = np.random.default_rng(seed)
        self.seed = seed
        self.dtypes = DIFFERENTIABLE if smooth else DTYPES_X64 if x64 else DTYPES
        self.extreme = extreme
        self.usual = 300 if smooth else USUAL
        self.nodes: list[Node] = []
        self.values: list[Value] = []

    def integer(self, low: int, high: int) -> int:
        """One of `low` to `high`."""
        return int(self.rng.integers(low, high + 1))

    def choice(self, items: Sequence) -> object:
        return items[self.integer(0, len(items) - 1)]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def shape(self, rank: int | None = None) -> tuple[int, ...]:
        """A shape of the sizes that are worth a test."""
        if rank is None and self.chance(0.03) and self.usual == USUAL:
            return (self.choice(LONG),)
        rank = self.choice((0, 1, 1, 2, 2, 2, 3, 3, 4)) if rank is None else rank
        while True:
            shape = tuple(self.choice(SIZES) for _ in range(rank))
            if math.prod(shape) <= self.usual and (math.prod(shape) or self.chance(0.1)):
                return shape

    def input(self, shape: tuple[int, ...], dtype: str, low: int = LOW, high: int = HIGH) -> int:
        """The number of a new input."""
        least, most = usual_range(dtype)
        low, high = (least, most) if dtype == "bool" else (max(low, least) if least == 0 else low, high)
        layout = self.choice(tuple(LAYOUTS)) if shape and self.chance(0.4) else "plain"
        extreme = self.extreme and (low, high) == usual_range(dtype)
        self.nodes.append(Input(shape, dtype, low, high, self.integer(0, 999), layout, self.chance(0.5), extreme))
        self.values.append(self.nodes[-1].value())
        return len(self.nodes) - 1

    def dtype(self, fits: Callable[[np.dtype], bool] = lambda _: True) -> str:
        """A dtype of those in use; without one that fits the operation doesn't."""
        fitting = [d for d in self.dtypes if fits(jnp.dtype(d))]
        if not fitting:
            raise Unfit("no such dtype here")
        return self.choice(fitting)

    def pick(self, fits: Fits = lambda _: True) -> int:
        """A value that fits, late ones first; seldom a new input."""
        fitting = [i for i, v in enumerate(self.values) if fits(v)]
        if fitting and not self.chance(0.1):
            weights = np.arange(1, len(fitting) + 1) ** 2.0
            return int(self.rng.choice(fitting, p=weights / weights.sum()))
        for _ in range(10):
            candidate = Input(self.shape(), self.dtype(), LOW, HIGH, 0)
            if fits(candidate.value()):
                return self.input(candidate.shape, candidate.dtype)
        raise Unfit("no operand")

    def beside(self, number: int, fits: Fits = lambda _: True) -> int:
        """An operand whose shape broadcasts with that of another."""
        shape = self.values[number].shape
        if self.chance(0.6):
            fitting = [i for i, v in enumerate(self.values) if fits(v) and _broadcasts(v.shape, shape)]
            if fitting:
                return self.choice(fitting)
        keep = self.integer(0, len(shape)) if self.chance(0.3) else 0
        own = tuple(1 if self.chance(0.2) else n for n in shape[keep:])
        for _ in range(10):
            dtype = self.dtype()
            if fits(Input(own, dtype, LOW, HIGH, 0).value()):
                return self.input(own, dtype)
        raise Unfit("no operand")

    def axis(self, rank: int) -> int:
        """An axis, from the front or from the end."""
        if not rank:
            raise Unfit("no axis")
        return self.integer(-rank, rank - 1)

    def step(self, name: str) -> bool:
        """Try to add a step of this operation."""
        before = len(self.nodes)
        try:
            operands, params = OPS[name].draw(self)
            step = Step(name, tuple(operands), params)
            value = evaluated(step, [self.values[i] for i in operands])
            if value.elements > MOST:
                raise Unfit("too large")
        except Unfit:
            del self.nodes[before:], self.values[before:]
            return False
        self.nodes.append(step)
        self.values.append(value)
        return True


def usual_range(dtype: str) -> tuple[int, int]:
    """The lowest and highest number of inputs which no operation wants to be others."""
    kind = kind_of(jnp.dtype(dtype))
    return (0, 1) if kind == "b" else (0 if kind == "u" else LOW, HIGH)


def _broadcasts(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))
