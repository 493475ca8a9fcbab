"""Comparison, choice, conversion and constants: compare, select, clamp, convert, bitcast_convert, constant,
optimization_barrier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ml_dtypes import int2, int4, uint2, uint4

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import RESULT_DTYPE, enum
from sable.ir.form import ConstantForm, OperationForm
from sable.ir.literal import Literal
from sable.ir.narrow import bits_of
from sable.ir.native_form import for_reals, loops, views
from sable.ir.op import EVERY, JOINT, Linear, Traits, defop

from .nary import KINDS, check_dtypes, check_kinds, check_shapes, elementwise_with_scalars
from .rules import elementwise, floats, integers, sample, weak
from .samples import (
    SIGNED,
    SPECIAL_WHY,
    UNSIGNED,
    bool_samples,
    complexes,
    float_samples,
    integer_samples,
    measured,
    special,
)

# ---- compare -----------------------------------------------------------------------------------------------

_COMPARE = {
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
}
_BOOL = np.dtype(np.bool_)


@loops(lambda *dtypes, comparison_direction: _COMPARE[comparison_direction])
def _compare(lhs: np.ndarray, rhs: np.ndarray, comparison_direction: str) -> np.ndarray:
    return _COMPARE[comparison_direction](lhs, rhs)


def _compare_type(lhs: Aval, rhs: Aval, *, comparison_direction: str) -> Aval:
    name = comparison_direction.lower()
    # complex numbers have no order
    check_kinds(name, (lhs, rhs), "iufcb" if comparison_direction in ("EQ", "NE") else "iufb")
    check_dtypes(name, (lhs, rhs))
    check_shapes(name, (lhs, rhs))
    return aval(lhs.shape, _BOOL, weak((lhs, rhs)))


class CompareForm(OperationForm):
    """`stablehlo.compare`; one that orders floats totally (NaN above infinity) is another op."""

    def accepts(self, operation) -> bool:
        attributes = operation.attributes
        return "compare_type" not in attributes or "TOTALORDER" not in str(attributes["compare_type"])


def _compare_samples() -> list:
    found = []
    for direction in _COMPARE:
        makers = [float_samples(2, complex=direction in ("EQ", "NE"), kinks="a test")]
        makers += [integer_samples(2), bool_samples(2)]
        found += [s for make in makers for s in make()]
        found = [s if s.params else _with(s, comparison_direction=direction) for s in found]
    return found


def _with(s: Any, **params: Any) -> Any:
    return sample(*s.operands, rtol=0, atol=0, grad=s.grad, why=s.why, **params)


_DIRECTION = {"comparison_direction": enum("comparison_direction")}

compare = defop(
    "compare",
    primitive="{comparison_direction}",
    operands=("lhs", "rhs"),
    type=_compare_type,
    ref=_compare,
    jvp=None,
    transpose={},
    batch=elementwise,
    params=_DIRECTION,
    form=CompareForm("stablehlo.compare", _DIRECTION),
    samples=_compare_samples,
)

# ---- select, clamp -----------------------------------------------------------------------------------------


def _select_type(pred: Aval, on_true: Aval, on_false: Aval) -> Aval:
    cases = (on_true, on_false)
    if on_true.shape != on_false.shape:
        raise TypeError(f"select cases must have the same shapes, got [{on_true.shape}, {on_false.shape}].")
    if pred.shape and pred.shape != on_true.shape:
        raise TypeError(
            "select `which` must be scalar or have the same shape as cases, "
            f"got `which` shape {pred.shape} but case shape {on_true.shape}."
        )
    check_kinds("select", cases, "iufcb")
    check_dtypes("select", cases)
    if pred.dtype != _BOOL:
        raise TypeError(f"select `which` must be boolean type, got {pred.dtype.name}.")
    return aval(on_true.shape, on_true.dtype, weak(cases))


@loops("select")
def _select(pred: np.ndarray, on_true: np.ndarray, on_false: np.ndarray) -> np.ndarray:
    return np.where(pred, on_true, on_false)


def _select_samples() -> list:
    found = []
    for shape, dtype in (((2, 3), np.float32), ((), np.float64), ((4,), np.float16), ((4,), bfloat16)):
        pred = integers(shape, 0, 2).astype(np.bool_)
        found.append(measured(pred, floats(shape, dtype=dtype, seed=1), floats(shape, dtype=dtype, seed=2)))
    for pred in (np.array(True), np.array(False)):  # a scalar predicate
        found.append(measured(pred, floats(seed=1), floats(seed=2)))
    pred = np.array([True, False, True])
    found.append(measured(pred, complexes((3,), seed=1), complexes((3,), seed=2)))
    for dtype in (np.int8, np.int32, np.uint64, np.bool_):
        cases = (integers((3,), 0, 5, dtype, 1), integers((3,), 0, 5, dtype, 2))
        found.append(sample(pred, *cases, rtol=0, atol=0, grad=False, why="integers"))
    nothing = np.zeros((0, 2), np.float32)
    found.append(measured(nothing.astype(np.bool_), nothing, nothing, grad=False, why="empty"))
    return found


def _zero_like(b: Any, x: Any) -> Any:
    return b.full(b.aval(x), 0)


select = defop(
    "select",
    primitive="select_n",
    operands=("pred", "on_true", "on_false"),
    type=_select_type,
    ref=_select,
    jvp={"on_true": JOINT, "on_false": JOINT},
    transpose={
        "on_true": lambda b, ct, avals, pred, *_: b.select(pred, ct, _zero_like(b, ct)),
        "on_false": lambda b, ct, avals, pred, *_: b.select(pred, _zero_like(b, ct), ct),
    },
    batch=elementwise_with_scalars((1, 2)),
    samples=_select_samples,
    moves=True,
)


@loops(for_reals(((np.maximum, (0, 1)), (np.minimum, (3, 2)))))
def _clamp(min: np.ndarray, operand: np.ndarray, max: np.ndarray) -> np.ndarray:
    return np.minimum(np.maximum(min, operand), max)


def _clamp_type(min: Aval, operand: Aval, max: Aval) -> Aval:
    for name, bound in (("min", min), ("max", max)):
        if bound.shape and bound.shape != operand.shape:
            raise TypeError(
                f"clamp requires {name}.shape == operand.shape or {name}.shape == (), "
                f"got {name}.shape={bound.shape}, operand.shape={operand.shape}."
            )
    check_kinds("clamp", (min, operand, max), "iufb")
    check_dtypes("clamp", (min, operand, max))
    return aval(operand.shape, operand.dtype, weak((min, operand, max)))


def _spread(b: Any, x: Any, operand: Any) -> Any:
    """A bound in the operand's shape."""
    shape = b.aval(operand).shape
    return x if b.aval(x).shape == shape else b.broadcast_in_dim(x, shape=shape, broadcast_dimensions=())


def _less(b: Any, x: Any, y: Any) -> Any:
    return b.compare(x, y, comparison_direction="LT")


def _clamp_jvp_min(b: Any, t: Any, y: Any, min: Any, operand: Any, max: Any) -> Any:
    low, high = _spread(b, min, operand), _spread(b, max, operand)
    wins = getattr(b, "and")(_less(b, operand, low), _less(b, low, high))
    return b.select(wins, _spread(b, t, operand), _zero_like(b, operand))


def _clamp_jvp_operand(b: Any, t: Any, y: Any, min: Any, operand: Any, max: Any) -> Any:
    low, high = _spread(b, min, operand), _spread(b, max, operand)
    # nothing at the bounds themselves, as JAX has it
    inside = getattr(b, "and")(_less(b, low, operand), _less(b, operand, high))
    return b.select(inside, t, _zero_like(b, operand))


def _clamp_jvp_max(b: Any, t: Any, y: Any, min: Any, operand: Any, max: Any) -> Any:
    wins = _less(b, _spread(b, max, operand), operand)
    return b.select(wins, _spread(b, t, operand), _zero_like(b, operand))


def _clamp_samples() -> list:
    low, high = np.float32(-0.5), np.float32(1.0)
    found = [
        measured(np.asarray(low), floats((2, 3)), np.asarray(high)),
        measured(floats((2, 3), -1, 0, seed=1), floats((2, 3)), floats((2, 3), 0, 1, seed=2)),
        measured(np.asarray(-0.5), floats((), dtype=np.float64), np.asarray(1.0)),
        measured(*special(3), grad=False, why=SPECIAL_WHY),
        measured(np.asarray(low), np.zeros((0, 2), np.float32), np.asarray(high), grad=False, why="empty"),
    ]
    for dtype in (np.float16, bfloat16):
        found.append(measured(np.array(-1, dtype), floats((4,), dtype=dtype), np.ones((4,), dtype)))
    for dtype in SIGNED + UNSIGNED:
        values = np.arange(0, 9).astype(dtype)
        bounds = np.array(2, dtype), np.array(6, dtype)
        found.append(sample(bounds[0], values, bounds[1], rtol=0, atol=0, grad=False, why="integers"))
    return found


clamp = defop(
    "clamp",
    operands=("min", "operand", "max"),
    type=_clamp_type,
    ref=_clamp,
    jvp={"min": _clamp_jvp_min, "operand": _clamp_jvp_operand, "max": _clamp_jvp_max},
    transpose={},
    batch=elementwise_with_scalars((1,)),
    samples=_clamp_samples,
)

# ---- convert, bitcast_convert ------------------------------------------------------------------------------


def _saturate(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    # floats to integers: towards zero, clamped to the range, NaN to 0; float64 holds every bound except
    # 2**63 - 1 and 2**64 - 1, which round up to values that `wide >= top` catches
    info = np.iinfo(dtype)
    wide = x.astype(np.float64)
    bottom, top = float(info.min), float(info.max)
    inside = np.where((wide > bottom) & (wide < top), wide, 0.0).astype(dtype)
    largest, smallest = dtype.type(info.max), dtype.type(info.min)
    return np.where(wide >= top, largest, np.where(wide <= bottom, smallest, inside))


@loops("convert")
def _convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    kind = KINDS[dtype]
    if x.dtype.kind == "c" and kind != "c":
        x = x.real  # what lies off the real axis is dropped
    if kind in "iu" and KINDS[x.dtype] == "f":
        return _saturate(x, dtype)
    return x.astype(dtype)


def _convert_type(operand: Aval, *, dtype: np.dtype) -> Aval:
    return aval(operand.shape, dtype)


def _convert_jvp(b: Any, t: Any, y: Any, operand: Any, *, dtype: np.dtype) -> Any:
    return b.convert(t, dtype=dtype) if KINDS[dtype] in "fc" else None


def _convert_samples() -> list:
    found = []
    real = (np.float32, np.float64, np.float16, bfloat16)
    for source in real:
        for target in (*real, np.complex64, np.complex128):
            rounded = np.dtype(source).itemsize > np.dtype(target).itemsize or source is bfloat16
            why = "rounding" if rounded else ""
            found.append(sample(floats((2, 3), dtype=source), grad=not rounded, why=why, dtype=np.dtype(target)))
    values = np.array([np.nan, np.inf, -np.inf, 6e4, -6e4, 3.7, -3.7, 300.5, -300.5, -0.5, 0.0])
    huge = np.array([1e20, -1e20, 2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 2.0**64])
    plain = np.array([0, 1, 2, 100, 255, -1, -128, 70000])
    for target in (*SIGNED, *UNSIGNED, np.bool_):
        for source in real:
            found.append(_exact(values.astype(source), dtype=np.dtype(target)))
        found += [_exact(huge.astype(source), dtype=np.dtype(target)) for source in (np.float32, np.float64)]
        for source in (np.int8, np.uint32, np.int64, np.bool_):
            found.append(_exact(plain.astype(source), dtype=np.dtype(target)))
    for target in real:
        found += [_exact(np.arange(-3, 9).astype(source), dtype=np.dtype(target)) for source in SIGNED + UNSIGNED]
    for target in (np.float32, np.int32, np.bool_):
        found.append(_exact(complexes((3,)), dtype=np.dtype(target)))
    found.append(sample(complexes(()), dtype=np.dtype(np.complex128)))
    found.append(sample(complexes((3,), dtype=np.complex128), dtype=np.dtype(np.float64)))
    found.append(_exact(np.zeros((0, 2), np.float32), dtype=np.dtype(np.int32)))
    return found


def _exact(*operands: np.ndarray, **params: Any) -> Any:
    return sample(*operands, rtol=0, atol=0, grad=False, why="integers", **params)


convert = defop(
    "convert",
    primitive="convert_element_type",
    operands=("operand",),
    type=_convert_type,
    ref=_convert,
    # linear between floats and complex numbers; to integers there is no tangent
    jvp={"operand": Linear(_convert_jvp)},
    transpose={"operand": lambda b, ct, avals, operand, *, dtype: b.convert(ct, dtype=avals[0].dtype)},
    batch=elementwise,
    params={"dtype": RESULT_DTYPE},
    samples=_convert_samples,
    traits=Traits(shares=1),
)


def bitcast_refusal(operand: Aval, dtype: np.dtype) -> TypeError:
    """What is said where the bits of one dtype are none of the other."""
    return TypeError(
        "lax.bitcast_convert_type does not support bool or complex values unless the operand and "
        f"destination types match. Got operand dtype={operand.dtype.name}, new_dtype={dtype!r}. "
        "Consider using the arr.view() method instead."
    )


def _bitcast_type(operand: Aval, *, dtype: np.dtype) -> Aval:
    old, new = bits_of(operand.dtype), bits_of(dtype)
    kinds = {KINDS[operand.dtype], KINDS[dtype]}
    if operand.dtype != dtype and kinds != {"c"} and kinds & set("bc"):
        raise bitcast_refusal(operand, dtype)
    if old % new == 0:
        return aval(operand.shape if old == new else (*operand.shape, old // new), dtype)
    last = operand.shape[-1] if operand.shape else 1
    if last * old != new:
        raise ValueError(
            f"Attempting to convert array of shape {operand.shape} from {operand.dtype.name} of size {old} bits to "
            f"{dtype.name} of size {new}, bits but {last} * {old} != {new}"
        )
    return aval(operand.shape[:-1], dtype)


_BYTE = 8


@views()
def _bitcast_convert(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if x.dtype == dtype:
        return x
    parts = np.asarray(x, order="C")
    if min(bits_of(x.dtype), bits_of(dtype)) < _BYTE:
        return _regrouped(parts, dtype)
    if x.dtype.itemsize == dtype.itemsize:
        return parts.view(dtype)
    if x.dtype.itemsize > dtype.itemsize:  # the parts make a new last axis, least significant first
        return parts.reshape(*x.shape, 1).view(dtype)
    return parts.view(dtype).reshape(x.shape[:-1])


def _regrouped(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The bits of elements that may be parts of bytes, least significant first, as elements of another dtype."""
    old, new = bits_of(x.dtype), bits_of(dtype)
    shape = (*x.shape, old // new) if old > new else x.shape if old == new else x.shape[:-1]
    count = math.prod(shape)
    stored = x.reshape(-1, 1).view(np.uint8)
    bits = np.unpackbits(stored, axis=-1, bitorder="little")[:, :old].reshape(count, new)
    if KINDS[dtype] == "i":  # the byte of a part of one has its sign
        bits = np.concatenate([bits, np.repeat(bits[:, -1:], 8 * dtype.itemsize - new, axis=1)], axis=1)
    return np.packbits(bits, axis=-1, bitorder="little").view(dtype).reshape(shape)


def _bitcast_samples() -> list:
    f32, f64 = floats(), floats((), dtype=np.float64)
    found = [_exact(x.astype(d), dtype=np.dtype(u)) for x, d, u in _same_width(f32)]
    found.append(_exact(f64, dtype=np.dtype(np.uint64)))
    found.append(_exact(f32, dtype=np.dtype(np.uint16)))
    found.append(_exact(f32, dtype=np.dtype(np.int8)))
    found.append(_exact(f64, dtype=np.dtype(np.float32)))
    found.append(_exact(integers((3, 2), dtype=np.uint16), dtype=np.dtype(np.float32)))
    found.append(_exact(integers((4,), dtype=np.uint8), dtype=np.dtype(np.uint32)))
    found.append(_exact(integers((3, 2), dtype=np.int16), dtype=np.dtype(int4)))
    found.append(_exact(integers((3,), dtype=np.int8), dtype=np.dtype(uint2)))
    found.append(_exact(integers((3, 2), dtype=np.uint8).astype(uint4), dtype=np.dtype(np.int8)))
    found.append(_exact(integers((2, 16), dtype=np.int8).astype(int2), dtype=np.dtype(np.float32)))
    found.append(_exact(integers((4,), dtype=np.int8).astype(int4), dtype=np.dtype(uint4)))
    found.append(_exact(np.array([True, False]), dtype=_BOOL))
    found.append(_exact(np.zeros((0, 2), np.float32), dtype=np.dtype(np.int32)))
    return found


def _same_width(x: np.ndarray) -> list:
    pairs = ((np.float32, np.int32), (np.float32, np.uint32), (np.int32, np.float32), (np.float16, np.int16))
    return [(x, d, u) for d, u in (*pairs, (bfloat16, np.uint16), (np.int8, np.uint8))]


bitcast_convert = defop(
    "bitcast_convert",
    primitive="bitcast_convert_type",
    operands=("operand",),
    type=_bitcast_type,
    ref=_bitcast_convert,
    jvp=None,
    transpose={},
    batch=elementwise,
    params={"dtype": RESULT_DTYPE},
    samples=_bitcast_samples,
    moves=True,
    traits=Traits(shares=1),
)

# ---- constant, optimization_barrier ------------------------------------------------------------------------


def _constant_samples() -> list:
    arrays = [np.asarray(1.5, dtype) for dtype in (np.float16, bfloat16, np.float32, np.float64, np.complex64)]
    arrays += [np.full((2, 3), v, np.float32) for v in (0.0, -0.0, np.nan, np.inf, 0.1)]
    arrays += [floats(dtype=dtype) for dtype in (np.float16, bfloat16, np.float32, np.float64)]
    arrays += [np.array([np.nan, -np.inf, -0.0], dtype) for dtype in (np.float16, bfloat16, np.float32, np.float64)]
    arrays += [np.array([-1, 0, 2**62, 77]).astype(dtype) for dtype in SIGNED + UNSIGNED]
    arrays += [np.asarray(np.iinfo(dtype).max, dtype) for dtype in SIGNED + UNSIGNED]
    arrays += [
        np.array([True, False, True]),
        np.asarray(True),
        np.zeros((0, 3), np.float32),
        np.zeros((0,), np.int32),
    ]
    arrays += [complexes(), complexes((3,), dtype=np.complex128), np.full((2,), 1 + 2j, np.complex64)]
    return [_exact(value=Literal.of(array)) for array in arrays]


constant = defop(
    "constant",
    operands=(),
    type=lambda *, value: value.aval,
    ref=lambda *, value: value.numpy(),
    jvp=None,
    transpose={},
    batch=elementwise,
    params={"value": None},  # written by the form
    form=ConstantForm(),
    samples=_constant_samples,
    moves=True,
    traits=Traits(cost=0, constant=True),
)


def _barrier_jvp(b: Any, tangents: Any, y: Any, *operands: Any) -> Any:
    moving = iter(b.optimization_barrier(*[t for t in tangents if t is not None]))
    return tuple(None if t is None else next(moving) for t in tangents)


def _barrier_transpose(b: Any, ct: Any, avals: Any, *operands: Any, index: int) -> Any:
    return None if ct[index] is None else b.optimization_barrier(ct[index])[0]


optimization_barrier = defop(
    "optimization_barrier",
    operands=("*operand",),
    type=lambda *operands: operands,
    ref=lambda *operands: operands,
    jvp=_barrier_jvp,
    transpose={"operand": _barrier_transpose},
    batch=elementwise,
    multiple_results=True,
    samples=lambda: [
        measured(floats()),
        measured(floats((), dtype=np.float64), complexes()),
        sample(floats((0,)), integers(), np.array(True), grad=False, why="integers"),
    ],
    moves=True,
    traits=Traits(cost=0, shares=EVERY),
)
