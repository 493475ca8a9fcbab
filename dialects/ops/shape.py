"""Data movement by shape: broadcasts, reshapes, transposes, slices, pads, concatenations, iota."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import INT, INTS, RESULT_DTYPE, RESULT_SHAPE
from sable.ir.native_form import places, views
from sable.ir.op import EVERY, JOINT, LINEAR, Traits, defop

from .compose import BOOL, INT32, released, spread, up, zeros
from .rules import check_same, expand, floats, integers, kind_of, sample, weak

#: Results up to this many elements are copied, not made as views of stride 0: `np.broadcast_to` costs 3 us.
_SMALL = 4096


# ---- broadcast_in_dim ----------------------------------------------------------------------------


def _broadcast_type(x: Aval, shape: tuple, broadcast_dimensions: tuple) -> Aval:
    dims = broadcast_dimensions
    if len(dims) != x.ndim:
        raise TypeError(
            "broadcast_in_dim broadcast_dimensions must have length equal to operand ndim; "
            f"got broadcast_dimensions {dims} for operand ndim {x.ndim}."
        )
    if len(shape) < x.ndim:
        raise TypeError(
            "broadcast_in_dim target broadcast shape must have equal or higher rank to the operand shape; "
            f"got operand ndim {x.ndim} and shape {shape}."
        )
    if len(set(dims)) != len(dims):
        raise TypeError(f"broadcast_in_dim broadcast_dimensions must not contain duplicates, got {dims}.")
    if not all(0 <= d < len(shape) for d in dims):
        raise TypeError(
            "broadcast_in_dim broadcast_dimensions must be a subset of output dimensions, "
            f"got {dims} for operand ndim {x.ndim} and shape {shape}."
        )
    if any(n not in (1, shape[d]) for n, d in zip(x.shape, dims)):
        raise TypeError(
            "broadcast_in_dim operand dimension sizes must either be 1, or be equal to their corresponding "
            f"dimensions in the target broadcast shape; got operand of shape {x.shape}, "
            f"target broadcast shape {shape}, broadcast_dimensions {dims}"
        )
    if any(n < 0 for n in shape):
        raise TypeError(f"broadcast_in_dim shape must have every element be nonnegative, got {shape}.")
    return aval(tuple(shape), x.dtype, x.weak_type)


def _broadcast_view(x: np.ndarray, shape: tuple, broadcast_dimensions: tuple) -> np.ndarray:
    dims = broadcast_dimensions
    order = tuple(sorted(range(len(dims)), key=dims.__getitem__))
    if order != tuple(range(len(dims))):
        x, dims = x.transpose(order), tuple(dims[i] for i in order)
    if dims != tuple(range(len(shape) - len(dims), len(shape))):
        aligned = [1] * len(shape)
        for n, d in zip(x.shape, dims):
            aligned[d] = n
        x = x.reshape(aligned)
    return np.broadcast_to(x, shape)


@views(_broadcast_view)
def _broadcast_ref(x: np.ndarray, shape: tuple, broadcast_dimensions: tuple) -> np.ndarray:
    if math.prod(shape) > _SMALL:
        return _broadcast_view(x, shape, broadcast_dimensions)
    aligned = [1] * len(shape)
    for n, d in zip(x.shape, broadcast_dimensions):
        aligned[d] = n
    order = sorted(range(x.ndim), key=broadcast_dimensions.__getitem__)
    out = np.empty(shape, x.dtype)
    out[...] = x.transpose(order).reshape(aligned)
    return out


def _broadcast_transpose(b: Any, ct: Any, avals: Any, x: Any, shape: tuple, broadcast_dimensions: tuple) -> Any:
    a, dims = avals[0], broadcast_dimensions
    kept = [d for n, d in zip(a.shape, dims) if n == shape[d]]
    summed = tuple(i for i in range(len(shape)) if i not in kept)
    if summed:
        ct = b.reduce_sum(ct, dimensions=summed)
    order = tuple(sorted(kept).index(d) for d in kept)
    if order != tuple(range(len(order))):
        ct = b.transpose(ct, permutation=order)
    return ct if b.aval(ct).shape == a.shape else b.reshape(ct, shape=a.shape)


def _broadcast_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, shape: tuple, broadcast_dimensions: tuple):
    return b.bind(op, operands[0], shape=(size, *shape), broadcast_dimensions=(0, *up(broadcast_dimensions)))


defop(
    "broadcast_in_dim",
    operands=("operand",),
    params={"shape": RESULT_SHAPE, "broadcast_dimensions": INTS},
    type=_broadcast_type,
    ref=_broadcast_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": _broadcast_transpose},
    batch=_broadcast_batch,
    samples=lambda: [
        sample(floats(()), shape=(2, 3), broadcast_dimensions=()),
        sample(floats((3,)), shape=(2, 3), broadcast_dimensions=(1,)),
        sample(floats((2, 1)), shape=(2, 4, 3), broadcast_dimensions=(0, 2)),
        sample(floats((2, 3)), shape=(3, 2), broadcast_dimensions=(1, 0)),
        sample(floats((1, 1)), shape=(1, 1), broadcast_dimensions=(0, 1)),
        sample(floats((0, 3)), shape=(2, 0, 3), broadcast_dimensions=(1, 2)),
        sample(integers((2,)), shape=(2, 0), broadcast_dimensions=(0,)),
        sample(integers((3,), 0, 2, BOOL), shape=(90, 60, 3), broadcast_dimensions=(2,)),
        sample(floats((2,), dtype=bfloat16), shape=(2, 2), broadcast_dimensions=(0,)),
    ],
    moves=True,
    traits=Traits(cost=0, shares=1, constant=True),
)


# ---- reshape -------------------------------------------------------------------------------------


def _reshape_type(x: Aval, shape: tuple) -> Aval:
    if any(n < 0 for n in shape) or math.prod(shape) != x.size:
        raise TypeError(f"reshape total size must be unchanged, got new_sizes {tuple(shape)} for shape {x.shape}.")
    return aval(tuple(shape), x.dtype, x.weak_type)


defop(
    "reshape",
    operands=("operand",),
    params={"shape": RESULT_SHAPE},
    type=_reshape_type,
    ref=views()(lambda x, shape: x.reshape(shape)),
    jvp={"operand": LINEAR},
    transpose={"operand": lambda b, ct, avals, x, shape: b.reshape(ct, shape=avals[0].shape)},
    batch=lambda b, op, size, operands, mapped, shape: b.reshape(operands[0], shape=(size, *shape)),
    samples=lambda: [
        sample(floats((2, 3)), shape=(3, 2)),
        sample(floats((2, 3)), shape=(6,)),
        sample(floats(()), shape=(1, 1)),
        sample(floats((1,)), shape=()),
        sample(floats((0, 3)), shape=(5, 0)),
        sample(integers((2, 3), dtype=np.uint8), shape=(1, 6)),
        sample(integers((4,), 0, 2, BOOL), shape=(2, 2)),
    ],
    moves=True,
    traits=Traits(cost=0, shares=1),
)


# ---- transpose, reverse --------------------------------------------------------------------------


def _transpose_type(x: Aval, permutation: tuple) -> Aval:
    if sorted(permutation) != list(range(x.ndim)):
        raise TypeError(
            "transpose permutation isn't a permutation of operand dimensions, "
            f"got permutation {tuple(permutation)} for operand shape {x.shape}."
        )
    return aval(tuple(x.shape[i] for i in permutation), x.dtype, x.weak_type)


def _inverse(permutation: tuple) -> tuple[int, ...]:
    return tuple(sorted(range(len(permutation)), key=permutation.__getitem__))


defop(
    "transpose",
    operands=("operand",),
    params={"permutation": INTS},
    type=_transpose_type,
    ref=views()(lambda x, permutation: x.transpose(permutation)),
    jvp={"operand": LINEAR},
    transpose={
        "operand": lambda b, ct, avals, x, permutation: b.transpose(ct, permutation=_inverse(permutation)),
    },
    batch=lambda b, op, size, operands, mapped, permutation: b.transpose(
        operands[0], permutation=(0, *up(permutation))
    ),
    samples=lambda: [
        sample(floats((2, 3)), permutation=(1, 0)),
        sample(floats((2, 3, 4)), permutation=(2, 0, 1)),
        sample(floats(()), permutation=()),
        sample(floats((0, 3)), permutation=(1, 0)),
        sample(integers((2, 3), dtype=np.int8), permutation=(1, 0)),
        sample(floats((2, 3), dtype=np.float16), permutation=(1, 0)),
    ],
    moves=True,
    traits=Traits(shares=1),
)


def _reverse_type(x: Aval, dimensions: tuple) -> Aval:
    if len(set(dimensions)) != len(dimensions):
        raise TypeError(f"rev dimensions must be unique, got {tuple(dimensions)}.")
    if any(d < 0 for d in dimensions):
        raise TypeError(f"rev dimensions must all be nonnegative, got {tuple(dimensions)}.")
    if any(d >= x.ndim for d in dimensions):
        raise TypeError(
            "rev dimensions must all be less than operand ndim, "
            f"got dimensions {tuple(dimensions)} for operand ndim {x.ndim}."
        )
    return x


@views()
def _reverse_ref(x: np.ndarray, dimensions: tuple) -> np.ndarray:
    backwards = slice(None, None, -1)
    return x[tuple(backwards if d in dimensions else slice(None) for d in range(x.ndim))]


defop(
    "reverse",
    primitive="rev",
    operands=("operand",),
    params={"dimensions": INTS},
    type=_reverse_type,
    ref=_reverse_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": lambda b, ct, avals, x, dimensions: b.reverse(ct, dimensions=dimensions)},
    batch=lambda b, op, size, operands, mapped, dimensions: b.reverse(operands[0], dimensions=up(dimensions)),
    samples=lambda: [
        sample(floats((2, 3)), dimensions=(1,)),
        sample(floats((2, 3)), dimensions=(0, 1)),
        sample(floats((2, 3)), dimensions=()),
        sample(floats(()), dimensions=()),
        sample(floats((0, 3)), dimensions=(0,)),
        sample(integers((2, 3), 0, 99, np.uint8), dimensions=(1,)),
    ],
    moves=True,
)


# ---- concatenate ---------------------------------------------------------------------------------


def _concatenate_type(*xs: Aval, dimension: int) -> Aval:
    if not xs:
        raise TypeError("concatenate expects at least one operand, got 0.")
    first = xs[0]
    if len({x.ndim for x in xs}) != 1:
        shapes = ", ".join(str(x.shape) for x in xs)
        raise TypeError(f"Cannot concatenate arrays with different numbers of dimensions: got {shapes}.")
    if not 0 <= dimension < first.ndim:
        raise TypeError(f"concatenate dimension out of bounds: dimension {dimension} for shapes {first.shape}.")
    if len({x.shape[:dimension] + x.shape[dimension + 1 :] for x in xs}) != 1:
        shapes = ", ".join(str(x.shape) for x in xs)
        raise TypeError(
            "Cannot concatenate arrays with shapes that differ in dimensions other than the one being "
            f"concatenated: concatenating along dimension {dimension} for shapes {shapes}."
        )
    check_same("concatenate", [x.update(shape=first.shape) for x in xs])
    shape = list(first.shape)
    shape[dimension] = sum(x.shape[dimension] for x in xs)
    return aval(tuple(shape), first.dtype, weak(xs))


def _concatenate_places(out: np.ndarray, *xs: np.ndarray, dimension: int) -> list[np.ndarray]:
    ends = np.cumsum([x.shape[dimension] for x in xs])
    return np.split(out, ends[:-1], dimension)


@places(_concatenate_places)
def _concatenate_ref(*xs: np.ndarray, dimension: int) -> np.ndarray:
    return np.concatenate(xs, dimension)


def _concatenate_transpose(b: Any, ct: Any, avals: Any, *xs: Any, index: int, dimension: int) -> Any:
    starts, limits = [0] * avals[index].ndim, list(avals[index].shape)
    starts[dimension] = sum(a.shape[dimension] for a in avals[:index])
    limits[dimension] += starts[dimension]
    return b.slice(ct, start_indices=tuple(starts), limit_indices=tuple(limits), strides=(1,) * len(starts))


def _concatenate_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, dimension: int) -> Any:
    whole = [x if m else expand(b, x, size) for x, m in zip(operands, mapped)]
    return b.bind(op, *whole, dimension=dimension + 1)


defop(
    "concatenate",
    operands=("*operands",),
    params={"dimension": INT},
    type=_concatenate_type,
    ref=_concatenate_ref,
    jvp={"operands": JOINT},
    transpose={"operands": _concatenate_transpose},
    batch=_concatenate_batch,
    samples=lambda: [
        sample(floats((2, 3)), floats((1, 3)), dimension=0),
        sample(floats((2, 3)), floats((2, 0)), floats((2, 2)), dimension=1),
        sample(floats((2,)), dimension=0),
        sample(floats((0,)), floats((0,)), dimension=0),
        sample(integers((2,)), integers((3,)), dimension=0),
        sample(integers((2,), 0, 2, BOOL), integers((1,), 0, 2, BOOL), dimension=0),
        sample(floats((2,), dtype=bfloat16), floats((1,), dtype=bfloat16), dimension=0),
    ],
    moves=True,
    traits=Traits(shares=EVERY),
)


# ---- slice ---------------------------------------------------------------------------------------


def _slice_type(x: Aval, start_indices: tuple, limit_indices: tuple, strides: tuple) -> Aval:
    if len(start_indices) != x.ndim:
        raise TypeError(
            "slice start_indices must have length equal to the number of dimensions of the operand, "
            f"got indices {start_indices} for operand shape {x.shape}."
        )
    if len(limit_indices) != len(start_indices):
        raise TypeError(
            "slice limit_indices must have the same length as start_indices, "
            f"got start_indices {start_indices} and limit_indices {limit_indices}."
        )
    if len(strides) != x.ndim:
        raise TypeError(
            "slice strides must have length equal to the number of dimensions of the operand, "
            f"got strides {strides} for operand shape {x.shape}."
        )
    if any(s < 0 for s in start_indices):
        raise TypeError(f"slice start_indices must have every element be nonnegative, got {start_indices}.")
    if any(stop > n for stop, n in zip(limit_indices, x.shape)):
        raise TypeError(
            "slice limit_indices must be less than or equal to operand shape, "
            f"got limit_indices {limit_indices} for operand shape {x.shape}."
        )
    if any(stop < start for start, stop in zip(start_indices, limit_indices)):
        raise TypeError(
            "slice limit_indices must be greater than or equal to start_indices, "
            f"got start_indices {start_indices} and limit_indices {limit_indices}."
        )
    if any(s <= 0 for s in strides):
        raise TypeError(f"slice strides must have every element be positive, got {strides}.")
    shape = tuple(-(-(stop - start) // s) for start, stop, s in zip(start_indices, limit_indices, strides))
    return aval(shape, x.dtype, x.weak_type)


def _slice_view(x: np.ndarray, start_indices: tuple, limit_indices: tuple, strides: tuple) -> np.ndarray:
    return x[tuple(map(slice, start_indices, limit_indices, strides))]


@views(_slice_view)
def _slice_ref(x: np.ndarray, start_indices: tuple, limit_indices: tuple, strides: tuple) -> np.ndarray:
    return released(_slice_view(x, start_indices, limit_indices, strides), x)


def _slice_transpose(b: Any, ct: Any, avals: Any, x: Any, start_indices: tuple, limit_indices: tuple, strides: tuple):
    a = avals[0]
    spans = [(m - 1) * s + 1 if m else 0 for m, s in zip(b.aval(ct).shape, strides)]
    return b.pad(
        ct,
        zeros(b, aval((), a.dtype)),
        edge_padding_low=tuple(start_indices),
        edge_padding_high=tuple(n - start - span for n, start, span in zip(a.shape, start_indices, spans)),
        interior_padding=tuple(s - 1 for s in strides),
    )


def _slice_batch(b, op, size, operands, mapped, start_indices: tuple, limit_indices: tuple, strides: tuple) -> Any:
    return b.bind(
        op,
        operands[0],
        start_indices=(0, *start_indices),
        limit_indices=(size, *limit_indices),
        strides=(1, *strides),
    )


def _slice_sample(x: np.ndarray, *dims: tuple[int, int, int]) -> Any:
    starts, limits, strides = zip(*dims) if dims else ((), (), ())
    return sample(x, start_indices=starts, limit_indices=limits, strides=strides)


defop(
    "slice",
    operands=("operand",),
    params={"start_indices": INTS, "limit_indices": INTS, "strides": INTS},
    type=_slice_type,
    ref=_slice_ref,
    jvp={"operand": LINEAR},
    transpose={"operand": _slice_transpose},
    batch=_slice_batch,
    samples=lambda: [
        _slice_sample(floats((4, 5)), (1, 3, 1), (0, 5, 1)),
        _slice_sample(floats((4, 5)), (0, 4, 2), (1, 5, 3)),
        _slice_sample(floats((7,)), (6, 7, 4)),
        _slice_sample(floats((4,)), (2, 2, 3)),
        _slice_sample(floats((0,)), (0, 0, 1)),
        _slice_sample(floats(())),
        _slice_sample(integers((6,), dtype=np.int16), (1, 6, 2)),
        _slice_sample(integers((6,), 0, 2, BOOL), (1, 6, 2)),
    ],
    moves=True,
    traits=Traits(shares=1),
)


# ---- pad -----------------------------------------------------------------------------------------


def _padded(n: int, low: int, high: int, interior: int) -> int:
    return low + high + n + max(n - 1, 0) * interior


def _pad_type(x: Aval, value: Aval, edge_padding_low: tuple, edge_padding_high: tuple, interior_padding: tuple):
    config = tuple(zip(edge_padding_low, edge_padding_high, interior_padding))
    check_same("pad", [x.update(shape=()), value.update(shape=())])
    if value.ndim:
        raise ValueError(f"padding_value must be a scalar; got np.shape(padding_value)={value.shape}")
    if not len(edge_padding_low) == len(edge_padding_high) == len(interior_padding) == x.ndim:
        raise ValueError(
            "length of padding_config must equal the number of axes of operand, "
            f"got padding_config {config} for operand shape {x.shape}"
        )
    if any(i < 0 for i in interior_padding):
        raise ValueError(f"interior padding in padding_config must be nonnegative, got padding_config {config}")
    shape = tuple(_padded(n, *c) for n, c in zip(x.shape, config))
    if any(n < 0 for n in shape):
        raise ValueError(
            f"Dimension size after padding is not at least 0, got result shape {shape}, "
            f"for padding_config {config} and operand shape {x.shape}"
        )
    return aval(shape, x.dtype, weak([x, value]))


def _pad_ref(x, value, edge_padding_low: tuple, edge_padding_high: tuple, interior_padding: tuple) -> np.ndarray:
    config = list(zip(x.shape, edge_padding_low, edge_padding_high, interior_padding))
    shape = tuple(_padded(*c) for c in config)
    out = np.empty(shape, x.dtype)
    out[...] = value
    taken, placed = [], []
    for m, (n, low, _, interior) in zip(shape, config):
        # element i goes to low + i * step; those that fall outside [0, m) are cut off
        step = interior + 1
        first = max(0, -(low // step))
        last = min(n - 1, (m - 1 - low) // step)
        if last < first:
            return out
        taken.append(slice(first, last + 1))
        placed.append(slice(low + first * step, low + last * step + 1, step))
    out[tuple(placed)] = x[tuple(taken)]
    return out


def _pad_transpose_operand(b, ct, avals, x, value, edge_padding_low, edge_padding_high, interior_padding) -> Any:
    cut = b.pad(
        ct,
        zeros(b, avals[1]),
        edge_padding_low=tuple(-n for n in edge_padding_low),
        edge_padding_high=tuple(-n for n in edge_padding_high),
        interior_padding=(0,) * len(interior_padding),
    )
    if not any(interior_padding):
        return cut
    shape = b.aval(cut).shape
    strides = tuple(i + 1 for i in interior_padding)
    return b.slice(cut, start_indices=(0,) * len(shape), limit_indices=shape, strides=strides)


def _pad_transpose_value(b: Any, ct: Any, avals: Any, x: Any, value: Any, **config: Any) -> Any:
    a = b.aval(ct)
    padded = b.pad(b.full(avals[0].update(dtype=BOOL), False), b.full(aval((), BOOL), True), **config)
    return b.reduce_sum(b.select(padded, ct, zeros(b, a)), dimensions=tuple(range(a.ndim)))


def _pad_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, **config: Any) -> Any:
    (x, value), deep = operands, {name: (0, *widths) for name, widths in config.items()}
    x = x if mapped[0] else expand(b, x, size)
    if not mapped[1]:
        return b.bind(op, x, value, **deep)
    a = b.aval(x)
    out = b.bind(op, x, zeros(b, aval((), a.dtype)), **deep)
    own = b.bind(op, b.full(a.update(dtype=BOOL), True), b.full(aval((), BOOL), False), **deep)
    shape = b.aval(out).shape
    return b.select(own, out, spread(b, value, shape, range(1, len(shape))))


def _pad_sample(x: np.ndarray, value: float, *config: tuple[int, int, int]) -> Any:
    low, high, interior = zip(*config) if config else ((), (), ())
    return sample(
        x, np.asarray(value, x.dtype), edge_padding_low=low, edge_padding_high=high, interior_padding=interior
    )


defop(
    "pad",
    operands=("operand", "padding_value"),
    params={"edge_padding_low": INTS, "edge_padding_high": INTS, "interior_padding": INTS},
    type=_pad_type,
    ref=_pad_ref,
    jvp={"operand": JOINT, "padding_value": JOINT},
    transpose={"operand": _pad_transpose_operand, "padding_value": _pad_transpose_value},
    batch=_pad_batch,
    samples=lambda: [
        _pad_sample(floats((2, 3)), 0.5, (1, 2, 0), (0, 1, 2)),
        _pad_sample(floats((4, 3)), -1.0, (-1, -1, 0), (2, -1, 1)),
        _pad_sample(floats((5,)), 2.0, (-3, 1, 2)),
        _pad_sample(floats((5,)), 2.0, (1, -7, 2)),
        _pad_sample(floats((3,)), 2.0, (-5, 4, 0)),
        _pad_sample(floats((0, 2)), 1.0, (1, 2, 3), (0, 0, 0)),
        _pad_sample(floats((2,)), 1.0, (-1, -1, 0)),
        _pad_sample(floats(()), 1.0),
        _pad_sample(integers((3,)), 7, (1, 0, 1)),
        _pad_sample(integers((3,), 0, 2, BOOL), 1, (1, 0, 1)),
        _pad_sample(floats((3,), dtype=np.float16), 1.0, (1, 0, 1)),
    ],
    moves=True,
    traits=Traits(shares=1),
)


# ---- iota ----------------------------------------------------------------------------------------


def _iota_type(shape: tuple, dtype: Any, iota_dimension: int) -> Aval:
    dtype = np.dtype(dtype)
    if kind_of(dtype) not in "iufc":
        raise TypeError(
            f"iota does not accept dtype {dtype.name}. "
            "Accepted dtypes are subtypes of integer, floating, complexfloating."
        )
    if not 0 <= iota_dimension < len(shape):
        raise ValueError(
            f"iota dimension must be between 0 and len(shape), got dimension={iota_dimension} for shape={tuple(shape)}"
        )
    return aval(tuple(shape), dtype)


def _iota_ref(shape: tuple, dtype: Any, iota_dimension: int) -> np.ndarray:
    # in int64 first: integers wrap around as in XLA, and bfloat16 has no arange
    line = np.arange(shape[iota_dimension]).astype(dtype)
    return line if len(shape) == 1 else _broadcast_ref(line, tuple(shape), (iota_dimension,))


def _iota_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, **params: Any) -> Any:
    raise AssertionError("iota has no operand that could be mapped")


defop(
    "iota",
    operands=(),
    params={"shape": RESULT_SHAPE, "dtype": RESULT_DTYPE, "iota_dimension": INT},
    type=_iota_type,
    ref=_iota_ref,
    jvp=None,
    transpose={},
    batch=_iota_batch,
    samples=lambda: [
        sample(shape=(4,), dtype=INT32, iota_dimension=0),
        sample(shape=(2, 3), dtype=np.dtype(np.float32), iota_dimension=1),
        sample(shape=(2, 3), dtype=np.dtype(np.uint8), iota_dimension=0),
        sample(shape=(0, 3), dtype=INT32, iota_dimension=0),
        sample(shape=(3,), dtype=bfloat16, iota_dimension=0),
        sample(shape=(3,), dtype=np.dtype(np.complex64), iota_dimension=0),
    ],
)
