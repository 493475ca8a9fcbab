"""Families of samples: every dtype, empty and 0-d arrays, NaN, infinities, signed zeros, extreme integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sable.ir.aval import bfloat16
from sable.ir.op import Sample

from .rules import floats, generator, integers, sample

#: (rtol, atol) of a well-conditioned result: a few units in the last place of the dtype
TOLERANCES = {
    np.dtype(np.float16): (4e-3, 1e-3),
    bfloat16: (2e-2, 1e-2),
    np.dtype(np.float32): (1e-5, 1e-6),
    np.dtype(np.float64): (1e-10, 1e-12),
    np.dtype(np.complex64): (2e-5, 2e-6),
    np.dtype(np.complex128): (1e-10, 1e-12),
}

SPECIAL = (np.nan, np.inf, -np.inf, -0.0, 0.0, 1.0, -1.0, 0.5, -2.5)
SPECIAL_WHY = "NaN, infinities and zeros: no finite differences"
SIGNED = (np.int8, np.int16, np.int32, np.int64)
UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)


def measured(*operands: np.ndarray, grad: bool = True, why: str = "", loosen: float = 1.0, **params) -> Sample:
    """A sample with the tolerance of its last operand's dtype, times `loosen`."""
    rtol, atol = TOLERANCES.get(operands[-1].dtype, (0.0, 0.0))
    return sample(*operands, rtol=rtol * loosen, atol=atol * loosen, grad=grad, why=why, **params)


def complexes(shape: Sequence[int] = (2, 2), low: float = -2.0, high: float = 2.0, dtype=np.complex64, seed: int = 0):
    """Complex numbers with both parts uniform in [low, high)."""
    parts = floats((2, *shape), low, high, np.float64, seed)
    return (parts[0] + 1j * parts[1]).astype(dtype)


def special(count: int) -> tuple[np.ndarray, ...]:
    """All combinations of special float32 values for so many operands."""
    grids = np.meshgrid(*[np.asarray(SPECIAL, np.float32)] * count)
    return tuple(g.reshape(-1) for g in grids)


def float_samples(
    count: int = 1,
    low: float = -2.0,
    high: float = 2.0,
    complex: bool = False,
    kinks: str = "",
    loosen: float = 1.0,
) -> Callable[[], list[Sample]]:
    """Samples of an op on floats.

    Args:
      count: number of operands.
      low, high: their range.
      complex: whether the op takes complex numbers too.
      kinks: why there are no finite differences, if so.
      loosen: factor on the tolerances, for ops that amplify rounding.
    """
    grad = not kinks

    def make() -> list[Sample]:
        def some(shape, dtype):
            return [floats(shape, low, high, dtype, seed) for seed in range(count)]

        def some_complex(shape, dtype):
            return [complexes(shape, low, high, dtype, seed) for seed in range(count)]

        found = [
            measured(*some(shape, dtype), grad=grad, why=kinks, loosen=loosen)
            for shape, dtype in (
                ((2, 3), np.float32),
                ((), np.float64),
                ((5,), np.float64),
                ((4,), np.float16),
                ((4,), bfloat16),
            )
        ]
        found.append(measured(*some((0, 3), np.float32), grad=False, why="empty"))
        found.append(measured(*special(count), grad=False, why=SPECIAL_WHY, loosen=loosen))
        if complex:
            found.append(measured(*some_complex((2, 2), np.complex64), grad=grad, why=kinks, loosen=loosen))
            found.append(measured(*some_complex((), np.complex128), grad=grad, why=kinks, loosen=loosen))
        return found

    return make


def integer_samples(count: int = 1, signed: bool = True, unsigned: bool = True, low: int | None = None):
    """Samples of an op on integers: every width, with its extreme values among them."""

    def make() -> list[Sample]:
        found = []
        for dtype in (SIGNED if signed else ()) + (UNSIGNED if unsigned else ()):
            info = np.iinfo(dtype)
            lowest = info.min if low is None else low
            edges = [lowest, max(lowest, -1), max(lowest, 0), 1, 2, 7, info.max]
            grids = np.meshgrid(*[np.array(edges, dtype)] * count)
            found.append(sample(*[g.reshape(-1) for g in grids], rtol=0, atol=0, grad=False, why="integers"))
        found.append(sample(*[integers((), 1, 9, np.int32, s) for s in range(count)], grad=False, why="integers"))
        if signed:
            found.append(sample(*[integers((0, 2), 1, 9)] * count, grad=False, why="empty"))
        return found

    return make


def bool_samples(count: int = 1) -> Callable[[], list[Sample]]:
    """All combinations of booleans."""

    def make() -> list[Sample]:
        grids = np.meshgrid(*[np.array([False, True])] * count)
        whole = [g.reshape(-1) for g in grids]
        scalar = [np.asarray(generator(s).integers(0, 2) == 1) for s in range(count)]
        return [sample(*v, rtol=0, atol=0, grad=False, why="booleans") for v in (whole, scalar)]

    return make


def together(*makers: Callable[[], list[Sample]]) -> Callable[[], list[Sample]]:
    """The samples of several makers."""
    return lambda: [s for make in makers for s in make()]
