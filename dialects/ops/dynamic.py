"""Slices at computed positions, where windows that stick out are moved inside."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import INTS, GatherDimensions, ScatterDimensions
from sable.ir.op import JOINT, LINEAR, Traits, defop

from .compose import BOOL, INT32, index_constant, released, zeros
from .indexing import clamp_indices
from .rules import check_same, expand, floats, integers, kind_of, sample


def _at(position: int, dtype: Any = np.int32) -> np.ndarray:
    return np.asarray(position, dtype)


def _check_start_indices(name: str, x: Aval, indices: tuple[Aval, ...]) -> None:
    if len(indices) != x.ndim:
        raise TypeError(
            f"{name} start_indices must have length equal to the number of dimensions of the operand, "
            f"got {len(indices)} indices for operand shape {x.shape}."
        )
    if any(i.ndim for i in indices):
        raise TypeError(f"start_indices arguments to {name} must be scalars, got indices {indices}")
    kinds = [i.dtype for i in indices]
    if any(kind_of(d) not in "iu" for d in kinds) or len(set(kinds)) > 1:
        names = ", ".join(d.name for d in kinds)
        raise TypeError(f"index arguments to {name} must be integers of the same type, got: {names}")


def _dynamic_slice_type(x: Aval, *indices: Aval, slice_sizes: tuple) -> Aval:
    if len(slice_sizes) != x.ndim:
        raise TypeError(
            "slice slice_sizes must have length equal to the number of dimensions of the operand, "
            f"got slice_sizes {tuple(slice_sizes)} for operand shape {x.shape}."
        )
    if any(n < 0 for n in slice_sizes):
        raise TypeError(f"slice slice_sizes must be greater than or equal to zero, got slice_sizes of {slice_sizes}.")
    if any(n > whole for n, whole in zip(slice_sizes, x.shape)):
        raise TypeError(
            "slice slice_sizes must be less than or equal to operand shape, "
            f"got slice_sizes {tuple(slice_sizes)} for operand shape {x.shape}."
        )
    _check_start_indices("dynamic_slice", x, indices)
    return aval(tuple(slice_sizes), x.dtype, x.weak_type)


def _window(shape: tuple, indices: tuple, sizes: tuple) -> tuple[slice, ...]:
    """The window at the start indices, moved inside."""
    starts = [max(0, min(int(i), n - k)) for n, i, k in zip(shape, indices, sizes)]
    return tuple(slice(start, start + k) for start, k in zip(starts, sizes))


def _dynamic_slice_ref(x: np.ndarray, *indices: Any, slice_sizes: tuple) -> np.ndarray:
    return released(x[_window(x.shape, indices, slice_sizes)], x)


def _dynamic_slice_transpose(b: Any, ct: Any, avals: Any, x: Any, *indices: Any, index: int, slice_sizes: tuple):
    return b.dynamic_update_slice(zeros(b, avals[0]), ct, *indices)


def _index_rows(b: Any, size: int, indices: Any, mapped: Any) -> Any:
    """Scalar indices, some of them mapped, as one array (size, number of indices)."""
    columns = [
        b.reshape(i, shape=(size, 1)) if m else b.broadcast_in_dim(i, shape=(size, 1), broadcast_dimensions=())
        for i, m in zip(indices, mapped)
    ]
    return columns[0] if len(columns) == 1 else b.concatenate(*columns, dimension=1)


def _leading_zero(b: Any, indices: Any) -> Any:
    return index_constant(b, 0, b.aval(indices[0]).dtype if indices else INT32)


def _dynamic_slice_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, slice_sizes: tuple) -> Any:
    x, *indices = operands
    if not any(mapped[1:]):
        return b.bind(op, x, _leading_zero(b, indices), *indices, slice_sizes=(size, *slice_sizes))
    n = len(indices)
    windows = tuple(range(1, n + 1))
    if mapped[0]:
        dims = GatherDimensions(windows, (), (0,), (0,), windows, 1)
        slice_sizes = (min(1, size), *slice_sizes)
    else:
        dims = GatherDimensions(windows, (), (), (), tuple(range(n)), 1)
    # a gather's cotangents of windows outside are dropped, a slice's are not
    shape = b.aval(x).shape[1:] if mapped[0] else b.aval(x).shape
    room = tuple(k - s for k, s in zip(shape, slice_sizes[-n:]))
    rows = clamp_indices(b, _index_rows(b, size, indices, mapped[1:]), 1, room)
    return b.gather(x, rows, dimension_numbers=dims, slice_sizes=tuple(slice_sizes), indices_are_sorted=False)


defop(
    "dynamic_slice",
    operands=("operand", "*start_indices"),
    params={"slice_sizes": INTS},
    type=_dynamic_slice_type,
    ref=_dynamic_slice_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": _dynamic_slice_transpose},
    batch=_dynamic_slice_batch,
    samples=lambda: [
        sample(floats((4, 5)), _at(1), _at(2), slice_sizes=(2, 3)),
        sample(floats((4, 5)), _at(-3), _at(4), slice_sizes=(2, 3)),
        sample(floats((4,)), _at(250, np.uint8), slice_sizes=(1,)),
        sample(floats((4,)), _at(2**40, np.int64), slice_sizes=(0,)),
        sample(floats((0, 2)), _at(1), _at(1), slice_sizes=(0, 1)),
        sample(floats(()), slice_sizes=()),
        sample(integers((4,), 0, 2, BOOL), _at(1), slice_sizes=(4,)),
        sample(floats((4,), dtype=bfloat16), _at(3), slice_sizes=(2,)),
    ],
    moves=True,
    traits=Traits(shares=1),
)


def _dynamic_update_slice_type(x: Aval, update: Aval, *indices: Aval) -> Aval:
    if update.ndim != x.ndim:
        raise TypeError(
            "dynamic_update_slice update must have the same rank as operand, "
            f"got update shape {update.shape} for operand shape {x.shape}."
        )
    if any(n > whole for n, whole in zip(update.shape, x.shape)):
        raise TypeError(
            "dynamic_update_slice update shape must be smaller than operand shape, "
            f"got update shape {update.shape} for operand shape {x.shape}."
        )
    check_same("dynamic_update_slice", [x, update.update(shape=x.shape)])
    _check_start_indices("dynamic_update_slice", x, indices)
    return x


def _dynamic_update_slice_ref(x: np.ndarray, update: np.ndarray, *indices: Any) -> np.ndarray:
    out = np.array(x)
    out[_window(x.shape, indices, update.shape)] = update
    return out


def _update_transpose_operand(b: Any, ct: Any, avals: Any, x: Any, update: Any, *indices: Any, index: int) -> Any:
    return b.dynamic_update_slice(ct, zeros(b, avals[1]), *indices)


def _update_transpose_update(b: Any, ct: Any, avals: Any, x: Any, update: Any, *indices: Any, index: int) -> Any:
    return b.dynamic_slice(ct, *indices, slice_sizes=avals[1].shape)


def _dynamic_update_slice_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any) -> Any:
    x, update, *indices = operands
    x = x if mapped[0] else expand(b, x, size)
    update = update if mapped[1] else expand(b, update, size)
    if not any(mapped[2:]):
        return b.bind(op, x, update, _leading_zero(b, indices), *indices)
    # one window for each row; a scatter drops windows that stick out, so that they are moved inside before
    n = len(indices)
    windows = tuple(range(1, n + 1))
    dims = ScatterDimensions(windows, (), (0,), (0,), windows, 1)
    rows = clamp_indices(b, _index_rows(b, size, indices, mapped[2:]), 1, _room(b, x, update))
    return b.scatter(x, rows, update, scatter_dimension_numbers=dims, indices_are_sorted=False, unique_indices=True)


def _room(b: Any, x: Any, update: Any) -> tuple[int, ...]:
    return tuple(n - k for n, k in zip(b.aval(x).shape[1:], b.aval(update).shape[1:]))


defop(
    "dynamic_update_slice",
    operands=("operand", "update", "*start_indices"),
    type=_dynamic_update_slice_type,
    ref=_dynamic_update_slice_ref,
    jvp={"operand": JOINT, "update": JOINT},
    transpose={"operand": _update_transpose_operand, "update": _update_transpose_update},
    batch=_dynamic_update_slice_batch,
    samples=lambda: [
        sample(floats((4, 5)), floats((2, 3), seed=1), _at(1), _at(2)),
        sample(floats((4, 5)), floats((2, 3), seed=1), _at(-3), _at(4)),
        sample(floats((4,)), floats((1,), seed=1), _at(250, np.uint8)),
        sample(floats((4,)), floats((0,)), _at(1)),
        sample(floats((0, 2)), floats((0, 1)), _at(1), _at(1)),
        sample(floats(()), floats((), seed=1)),
        sample(integers((4,)), integers((2,), seed=1), _at(2**40, np.int64)),
        sample(floats((4,), dtype=np.float16), floats((2,), dtype=np.float16, seed=1), _at(3)),
    ],
    moves=True,
    traits=Traits(in_place=True, work=lambda operands, results, attributes: math.prod(operands[1])),
)
