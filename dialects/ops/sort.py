"""sort: several operands together by the first ones, stable, in JAX's order (-0 equals 0, NaN last)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import Aval, bfloat16
from sable.ir.codec import BOOL as FLAG
from sable.ir.codec import INT, GatherDimensions
from sable.ir.op import Traits, defop

from ..form_regions import SortForm
from .compose import BOOL, INT32
from .rules import expand, floats, generator, integers, sample

_PARAMS = {"dimension": INT, "num_keys": INT, "is_stable": FLAG}


def _type(*xs: Aval, dimension: int, num_keys: int, is_stable: bool) -> tuple[Aval, ...]:
    if not xs:
        raise TypeError("Sort requires at least one operand")
    if any(x.shape != xs[0].shape for x in xs):
        raise TypeError(f"Arguments to sort must have equal shapes, got: {' '.join(str(x.shape) for x in xs)}")
    if not 0 <= dimension < xs[0].ndim:
        raise ValueError(f"axis {dimension} is out of bounds for array of dimension {xs[0].ndim}")
    if not 1 <= num_keys <= len(xs):
        raise ValueError(f"num_keys={num_keys} must be between 1 and len(operand)={len(xs)}")
    return xs


# ---- reference meaning ---------------------------------------------------------------------------


def _comparable(x: np.ndarray) -> list[np.ndarray]:
    """Arrays that NumPy orders as JAX orders x: the parts of complex numbers one after the other."""
    if x.dtype.kind == "c":
        return [np.real(x), np.imag(x)]
    return [x.astype(np.float32)] if x.dtype == bfloat16 else [x]


#: Up to this many elements a stable sort costs next to nothing.
_SMALL = 1000


def _sort_alone(x: np.ndarray, dimension: int) -> np.ndarray:
    # equal elements are alike but for zeros: NumPy's vectorised sort is six times as fast as the stable one
    alike = x.dtype.kind in "biu" or (x.size > _SMALL and not (np.signbit(x) & (x == 0)).any())
    return np.sort(x, axis=dimension, kind=None if alike else "stable")


def _ref(*operands: np.ndarray, dimension: int, num_keys: int, is_stable: bool) -> tuple[np.ndarray, ...]:
    keys = [part for x in operands[:num_keys] for part in _comparable(x)]
    if len(operands) == len(keys) == 1 and operands[0].dtype != bfloat16:
        return (_sort_alone(operands[0], dimension),)
    if len(keys) == 1:
        order = np.argsort(keys[0], axis=dimension, kind="stable")
    else:
        order = np.lexsort(keys[::-1], axis=dimension)
    return tuple(np.take_along_axis(x, order, dimension) for x in operands)


# ---- derivative ----------------------------------------------------------------------------------


def take_along(b: Any, x: Any, order: Any, dimension: int) -> Any:
    """x[..., order[..., i, ...], ...]: a gather that takes all other dimensions as batch."""
    shape = b.aval(x).shape
    others = tuple(i for i in range(len(shape)) if i != dimension)
    dims = GatherDimensions((), (dimension,), others, others, (dimension,), len(shape))
    return b.gather(
        x,
        order,
        dimension_numbers=dims,
        slice_sizes=tuple(min(1, n) for n in shape),
        indices_are_sorted=False,
    )


def _jvp(b: Any, tangents: Any, y: Any, *operands: Any, dimension: int, num_keys: int, is_stable: bool) -> tuple:
    # tangents move as their elements do: sorting the positions along tells where these went
    keys = operands[:num_keys]
    positions = b.iota(shape=b.aval(keys[0]).shape, dtype=INT32, iota_dimension=dimension)
    *_, order = b.sort(*keys, positions, dimension=dimension, num_keys=num_keys, is_stable=True)
    return tuple(None if t is None else take_along(b, t, order, dimension) for t in tangents)


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, dimension: int, **params: Any) -> Any:
    whole = [x if m else expand(b, x, size) for x, m in zip(operands, mapped)]
    return b.bind(op, *whole, dimension=dimension + 1, **params)


# ---- samples -------------------------------------------------------------------------------------


def _sort(*operands: np.ndarray, dimension: int = 0, num_keys: int = 1, **more: Any) -> Any:
    return sample(*operands, dimension=dimension, num_keys=num_keys, is_stable=True, **more)


def _samples() -> list:
    special = np.array([3, np.nan, -np.inf, 0.0, -0.0, -np.nan, np.inf, 0.0, 1], np.float32)
    tied = np.array([2, 1, 2, 1, 2, 1], np.float32)
    places = np.arange(9, dtype=np.int32)
    z = np.array([1 + 2j, 1 - 1j, complex(math.nan, 0), 0j, complex(0, math.nan), -0.0 + 1j], np.complex64)
    odd = {"grad": False, "why": "ties or not finite"}
    return [
        _sort(floats((5,))),
        _sort(floats((3, 4)), dimension=1),
        _sort(floats((3, 4)), floats((3, 4), seed=1), dimension=0),
        _sort(special, places, **odd),
        _sort(tied, floats((6,)), num_keys=2, **odd),
        _sort(tied, np.arange(6, dtype=np.int32), **odd),
        _sort(integers((7,), 0, 3), places[:7]),
        _sort(integers((7,), 0, 3, np.uint8), integers((7,), dtype=np.int16), places[:7], num_keys=2),
        _sort(generator().random(6) < 0.5, places[:6]),
        _sort(z, places[:6], **odd),
        _sort(floats((5,), dtype=bfloat16), places[:5]),
        _sort(floats((5,), dtype=np.float16)),
        _sort(floats((5,), dtype=np.float64)),
        _sort(floats((0, 3)), dimension=0),
        _sort(floats((3, 0)), dimension=0),
        _sort(floats((1,))),
        _sort(np.zeros((2,), BOOL)),
    ]


defop(
    "sort",
    operands=("*operands",),
    params=_PARAMS,
    type=_type,
    ref=_ref,
    jvp=_jvp,
    transpose={},
    batch=_batch,
    samples=_samples,
    multiple_results=True,
    form=SortForm(_PARAMS),
    traits=Traits(in_place=True, no_kernel="sorting is written by digits, as a loop of its own"),
)
