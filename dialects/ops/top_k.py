"""top_k: the largest elements along the last axis and where they are, of equal ones the first.

Floats are in total order: -NaN, -inf ... -0, +0 ... inf, NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import INT
from sable.ir.op import NumpyBuilder, Traits, defop

from .compose import INT32
from .rules import floats, integers, kind_of, sample
from .sort import take_along

_NUMPY = NumpyBuilder()


def _type(operand: Aval, *, k: int) -> tuple[Aval, Aval]:
    if kind_of(operand.dtype) == "c":
        raise ValueError("top_k is not compatible with complex inputs.")
    if k < 0:
        raise ValueError(f"k argument to top_k must be nonnegative, got {k}")
    size = operand.shape[-1] if operand.shape else 0
    if not operand.shape or size < k:
        raise ValueError(
            f"k argument to top_k must be no larger than size along axis; got k={k} with shape={list(operand.shape)}"
        )
    if size > np.iinfo(INT32).max:
        raise ValueError(f"top_k returns int32 indices, which will overflow for an axis of {size} elements")
    shape = (*operand.shape[:-1], k)
    return aval(shape, operand.dtype, operand.weak_type), aval(shape, INT32)


# ---- integers that ascend as the elements descend ----------------------------------------------------------------


def descending(b: Any, x: Any) -> Any:
    """~x of integers and truth values. The bits of positive floats ascend with them, those of negative ones descend."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return getattr(b, "not")(x)
    return _turned(b, b.bitcast_convert(x, dtype=np.dtype(f"i{a.dtype.itemsize}")), negative=True)


def _elements(b: Any, keys: Any, dtype: np.dtype) -> Any:
    """The inverse of `descending`."""
    if kind_of(dtype) != "f":
        return getattr(b, "not")(keys)
    return b.bitcast_convert(_turned(b, keys, negative=False), dtype=dtype)


def _turned(b: Any, bits: Any, negative: bool) -> Any:
    """The sign turned where it is the given one, all bits elsewhere."""
    a = b.aval(bits)
    sign = b.xor(bits, b.full(a, int(np.iinfo(a.dtype).min)))
    turns = b.compare(bits, b.full(a, 0), comparison_direction="LT" if negative else "GE")
    return b.select(turns, sign, getattr(b, "not")(bits))


def _ref(operand: np.ndarray, *, k: int) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(descending(_NUMPY, operand), axis=-1, kind="stable")[..., :k]
    return np.take_along_axis(operand, order, -1), order.astype(INT32)


def _lower(b: Any, operand: Any, *, k: int) -> tuple[Any, Any]:
    a = b.aval(operand)
    positions = b.iota(shape=a.shape, dtype=INT32, iota_dimension=a.ndim - 1)
    found = b.sort(descending(b, operand), positions, dimension=a.ndim - 1, num_keys=1, is_stable=True)
    start, end, steps = (0,) * a.ndim, (*a.shape[:-1], k), (1,) * a.ndim
    keys, indices = (b.slice(x, start_indices=start, limit_indices=end, strides=steps) for x in found)
    return _elements(b, keys, a.dtype), indices


def _jvp(b: Any, t: Any, y: Any, operand: Any, *, k: int) -> tuple[Any, None]:
    # tangents go where their elements go
    return take_along(b, t, y[1], len(b.aval(t).shape) - 1), None


def _samples() -> list:
    odd = {"grad": False, "why": "ties or not finite"}
    special = np.array([3, np.nan, -np.inf, 0.0, -0.0, -np.nan, np.inf, 0.0, 1], np.float32)
    return [
        sample(floats((5,)), k=2),
        sample(floats((3, 4)), k=4),
        sample(floats((2, 3, 4), dtype=np.float64), k=1),
        sample(special, k=9, **odd),
        sample(integers((9,), 0, 3), k=5, **odd),
        sample(integers((2, 7), 0, 3, np.uint8), k=3, **odd),
        sample(integers((6,), -9, 9, np.int64), k=6, **odd),
        sample(np.array([False, True, True, False]), k=3, **odd),
        sample(floats((5,), dtype=bfloat16), k=2),
        sample(floats((5,), dtype=np.float16), k=2),
        sample(floats((3, 4)), k=0),
        sample(floats((0, 3)), k=2),
        sample(floats((1,)), k=1),
    ]


defop(
    "top_k",
    dialect="chlo",
    operands=("operand",),
    params={"k": INT},
    type=_type,
    ref=_ref,
    jvp={"operand": _jvp},
    transpose={},
    batch=lambda b, op, size, operands, mapped, **params: b.bind(op, *operands, **params),
    samples=_samples,
    multiple_results=True,
    lower=_lower,
    traits=Traits(no_kernel="a sort"),
)
