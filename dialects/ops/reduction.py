"""Reductions: sum, prod, max, min, and, or, xor, argmax, argmin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import INT, INTS, RESULT_DTYPE
from sable.ir.form import ReduceForm
from sable.ir.native_form import reduces
from sable.ir.op import LINEAR, OPS, Shape, Traits, defop

from ..form_regions import ArgReduceForm
from .compose import BOOL, compare, pad_axis, slice_axis, spread, up, zeros
from .long_sums import drifts, is_long, long_product, long_sum
from .nary import accepted
from .rules import expand, floats, generator, integers, kind_of, sample

# ---- type ----------------------------------------------------------------------------------------


def _check_dimensions(x: Aval, dimensions: tuple[int, ...]) -> None:
    if len(set(dimensions)) != len(dimensions):
        raise ValueError(f"duplicate value in 'axes' of reduction: {tuple(dimensions)}")
    if not all(0 <= d < x.ndim for d in dimensions):
        raise ValueError(f"reduction axes {tuple(dimensions)} contains out-of-bounds indices for {x.short()}.")


def _type(name: str, kinds: str) -> Callable:
    def rule(x: Aval, dimensions: tuple[int, ...]) -> Aval:
        if kind_of(x.dtype) not in kinds:
            if kinds == "biu":
                raise TypeError(f"logical reduction requires operand dtype bool or int, got {x.dtype.name}.")
            wanted = "number" if kinds == "iufc" else accepted(kinds)
            raise TypeError(f"{name} does not accept dtype {x.dtype.name}. Accepted dtypes are subtypes of {wanted}.")
        _check_dimensions(x, dimensions)
        return aval(tuple(n for i, n in enumerate(x.shape) if i not in dimensions), x.dtype, x.weak_type)

    return rule


# ---- reference meaning ---------------------------------------------------------------------------


def _accumulate(ufunc: np.ufunc, is_long: Callable, long: Callable) -> Callable:
    """Sums and products; half precision is accumulated in f32, long ones as `long` does it."""

    @reduces(ufunc, unless=is_long)
    def ref(operand: np.ndarray, dimensions: tuple[int, ...]) -> Any:
        dtype = operand.dtype
        if dtype in (bfloat16, np.float16):
            return np.asarray(ref(operand.astype(np.float32), dimensions)).astype(dtype)
        if is_long(operand, dimensions):
            return long(operand, dimensions)
        return ufunc.reduce(operand, axis=dimensions, dtype=dtype)

    return ref


def _choose(ufunc: np.ufunc, neutral: Callable[[np.dtype], Any]) -> Callable:
    @reduces(ufunc)
    def ref(operand: np.ndarray, dimensions: tuple[int, ...]) -> Any:
        if operand.size:
            return ufunc.reduce(operand, axis=dimensions)
        # without elements the neutral one; `initial` is of no use for bfloat16
        shape = [n for i, n in enumerate(operand.shape) if i not in dimensions]
        return np.full(shape, neutral(operand.dtype), operand.dtype)

    return ref


def lowest(dtype: np.dtype) -> Any:
    """The neutral element of max: -inf, or the lowest integer, or False."""
    kind = kind_of(dtype)
    return False if kind == "b" else int(ml_dtypes.iinfo(dtype).min) if kind in "iu" else -math.inf


def highest(dtype: np.dtype) -> Any:
    """The neutral element of min: inf, or the highest integer, or True."""
    kind = kind_of(dtype)
    return True if kind == "b" else int(ml_dtypes.iinfo(dtype).max) if kind in "iu" else math.inf


def _all_bits(dtype: np.dtype) -> Any:
    kind = kind_of(dtype)
    return int(ml_dtypes.iinfo(dtype).max) if kind == "u" else {"b": True, "i": -1}.get(kind)


# ---- derivative ----------------------------------------------------------------------------------


def _sum_transpose(b: Any, ct: Any, avals: Any, operand: Any, dimensions: tuple[int, ...]) -> Any:
    return spread(b, ct, avals[0].shape, dimensions)


def _prod_jvp(b: Any, t: Any, y: Any, operand: Any, dimensions: tuple[int, ...]) -> Any:
    # d prod x = sum_i dx_i prod_{j < i} x_j prod_{j > i} x_j: without division, so that zeros do no harm
    a = b.aval(operand)
    kept = tuple(i for i in range(a.ndim) if i not in dimensions)
    count = math.prod(a.shape[d] for d in dimensions)
    shape = (*(a.shape[i] for i in kept), count)

    def flat(x: Any) -> Any:
        return b.reshape(b.transpose(x, permutation=(*kept, *dimensions)), shape=shape)

    x, t, axis = flat(operand), flat(t), len(kept)
    if count == 0:
        return zeros(b, b.aval(y))
    before = b.cumprod(pad_axis(b, slice_axis(b, x, axis, 0, count - 1), axis, 1, 0, 1), axis=axis, reverse=False)
    after = b.cumprod(pad_axis(b, slice_axis(b, x, axis, 1, count), axis, 0, 1, 1), axis=axis, reverse=True)
    return b.reduce_sum(b.multiply(t, b.multiply(before, after)), dimensions=(axis,))


def _extreme_jvp(b: Any, t: Any, y: Any, operand: Any, dimensions: tuple[int, ...]) -> Any:
    # equal shares for all that attain the extreme value, as JAX has it
    a = b.aval(operand)
    attained = compare(b, operand, spread(b, y, a.shape, dimensions), "EQ")
    share = b.select(attained, b.full(a, 1), zeros(b, a))
    count = b.reduce_sum(share, dimensions=dimensions)
    # by products and not by choices: where the result is NaN nothing attains it, and 0 / 0 makes all derivatives NaN
    return b.divide(b.reduce_sum(b.multiply(t, share), dimensions=dimensions), count)


def _reduced(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """One operation for each element of the operands."""
    return max(sum(map(math.prod, results)), sum(map(math.prod, operands)))


#: All rows that are written as `stablehlo.reduce`.
_REDUCE = Traits(work=_reduced)

# ---- rows ----------------------------------------------------------------------------------------


def _batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, dimensions: tuple[int, ...]) -> Any:
    return b.bind(op, operands[0], dimensions=up(dimensions))


def _number_samples(*more: Any, smooth: bool = True) -> Callable:
    empty = {} if smooth else {"grad": False, "why": "not finite"}

    def samples() -> list:
        return [
            sample(floats((2, 3)), dimensions=(0,)),
            sample(floats((2, 3, 4)), dimensions=(0, 2)),
            sample(floats((2, 3)), dimensions=(1, 0)),
            sample(floats((2, 3)), dimensions=()),
            sample(floats(()), dimensions=()),
            sample(floats((0, 3)), dimensions=(0,), **empty),
            sample(floats((0, 3)), dimensions=(1,)),
            sample(np.array([1, np.nan, -np.inf], np.float32), dimensions=(0,), grad=False, why="not finite"),
            sample(floats((3, 4), dtype=np.float64), dimensions=(1,)),
            sample(floats((3, 4), dtype=np.float16), dimensions=(1,), rtol=1e-2, atol=1e-2, why="f16"),
            sample(floats((3, 4), dtype=bfloat16), dimensions=(1,), rtol=5e-2, atol=5e-2, why="bf16"),
            sample(integers((2, 3)), dimensions=(1,)),
            sample(integers((2, 3), dtype=np.int64), dimensions=(0, 1)),
            sample(integers((2, 3), 0, 99, np.uint8), dimensions=(1,)),
            *more,
        ]

    return samples


def _complex_samples() -> list:
    return [sample((floats((2, 3)) + 1j * floats((2, 3), seed=1)).astype(np.complex64), dimensions=(1,))]


def _bool_samples() -> list:
    return [
        sample(generator().random((3, 4)) < 0.5, dimensions=(1,)),
        sample(np.zeros((0,), BOOL), dimensions=(0,)),
    ]


_KINK = "a tie: equal shares"


def _row(
    name: str, kinds: str, combine: str, ref: Callable, neutral: Callable, samples: Callable, **rules: Any
) -> None:
    defop(
        name,
        operands=("operand",),
        params={"dimensions": INTS},
        type=_type(name, kinds),
        ref=ref,
        jvp=rules.get("jvp"),
        transpose=rules.get("transpose", {}),
        batch=_batch,
        samples=samples,
        form=ReduceForm(combine, neutral),
        traits=_REDUCE,
    )


def _zero(dtype: np.dtype) -> Any:
    return False if dtype == BOOL else 0


def _one(dtype: np.dtype) -> Any:
    return 1


_row(
    "reduce_sum",
    "iufc",
    "add",
    _accumulate(np.add, drifts, long_sum),
    _zero,
    _number_samples(*_complex_samples()),
    jvp={"operand": LINEAR},
    transpose={"operand": _sum_transpose},
)
_row(
    "reduce_prod",
    "iufc",
    "multiply",
    _accumulate(np.multiply, is_long, long_product),
    _one,
    _number_samples(
        *_complex_samples(),
        sample(np.array([[2, 0, 3], [0, 4, 0], [5, 6, 7]], np.float64), dimensions=(1,)),
    ),
    jvp={"operand": _prod_jvp},
)
for _name, _combine, _ufunc, _neutral in (
    ("reduce_max", "maximum", np.maximum, lowest),
    ("reduce_min", "minimum", np.minimum, highest),
):
    _row(
        _name,
        "iufcb",
        _combine,
        _choose(_ufunc, _neutral),
        _neutral,
        _number_samples(
            *_complex_samples(),
            *_bool_samples(),
            sample(np.array([[2, 2, 1], [1, 2, 1]], np.float32), dimensions=(1,), grad=False, why=_KINK),
            smooth=False,
        ),
        jvp={"operand": _extreme_jvp},
    )


def _bit_samples() -> list:
    return [
        *_bool_samples(),
        sample(integers((2, 3)), dimensions=(1,)),
        sample(integers((2, 3), 0, 99, np.uint8), dimensions=(0, 1)),
        sample(integers((2, 0), 0, 99, np.uint64), dimensions=(1,)),
        sample(integers(()), dimensions=()),
    ]


for _name, _combine, _ufunc, _neutral in (
    ("reduce_and", "and", np.bitwise_and, _all_bits),
    ("reduce_or", "or", np.bitwise_or, _zero),
    ("reduce_xor", "xor", np.bitwise_xor, _zero),
):
    _row(_name, "biu", _combine, _choose(_ufunc, _neutral), _neutral, _bit_samples)


# ---- reduce_argmax, reduce_argmin ----------------------------------------------------------------


def _pair_type(x: Aval, index: Aval, axis: int) -> tuple[Aval, Aval]:
    if kind_of(x.dtype) == "c":
        raise TypeError(f"reduction of (value, index) pairs does not accept dtype {x.dtype.name}.")
    if kind_of(index.dtype) not in "iu" or index.shape != x.shape:
        raise TypeError(
            f"reduction of (value, index) pairs expects integer indices of shape {x.shape}, got {index.short()}."
        )
    _check_dimensions(x, (axis,))
    shape = x.shape[:axis] + x.shape[axis + 1 :]
    return aval(shape, x.dtype), aval(shape, index.dtype)


def _pair_ref(ufunc: np.ufunc, neutral: Callable) -> Callable:
    def ref(operand: np.ndarray, index: np.ndarray, axis: int) -> tuple[Any, Any]:
        value = np.asarray(_choose(ufunc, neutral)(operand, (axis,)))
        attained = operand == np.expand_dims(value, axis)
        if kind_of(operand.dtype) == "f":
            # NaN wins, and of several the first one in order
            nan = operand != operand
            attained |= nan & (np.cumsum(nan, axis) == 1)
        if not operand.shape[axis]:
            return value, np.zeros(value.shape, index.dtype)
        last = np.iinfo(index.dtype).max
        return value, np.min(np.where(attained, index, last), axis).astype(index.dtype)

    return ref


def _pair_jvp(b: Any, tangents: Any, y: Any, operand: Any, index: Any, axis: int) -> tuple[Any, Any]:
    # the tangent of the element with the chosen index
    t, a = tangents[0], b.aval(operand)
    if t is None:
        return None, None
    chosen = compare(b, index, spread(b, y[1], a.shape, (axis,)), "EQ")
    return b.reduce_sum(b.select(chosen, t, zeros(b, a)), dimensions=(axis,)), None


def _pair_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, axis: int) -> Any:
    return b.bind(op, *[x if m else expand(b, x, size) for x, m in zip(operands, mapped)], axis=axis + 1)


def _line(x: np.ndarray, axis: int, dtype: Any = np.int32) -> np.ndarray:
    steps = np.arange(x.shape[axis], dtype=dtype).reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return np.broadcast_to(steps, x.shape).copy()


def _arg_inputs() -> list[tuple[np.ndarray, int, dict]]:
    plain: dict = {}
    kink = {"grad": False, "why": "a tie: the lowest index"}
    special = np.array([[1, np.nan, np.inf, np.nan], [-np.inf] * 4, [0, -0.0, 0, -1]], np.float32)
    return [
        (floats((2, 3)), 0, plain),
        (floats((2, 3, 4)), 1, plain),
        (floats((5,)), 0, plain),
        (special, 1, {"grad": False, "why": "NaN and ties"}),
        (np.array([[3, 1, 3], [1, 1, 2]], np.float32), 1, kink),
        (integers((4, 5)), 1, plain),
        (integers((4, 5), 0, 3, np.uint8), 0, plain),
        (generator().random((3, 4)) < 0.5, 1, plain),
        (floats((0, 3)), 1, plain),
        (floats((3, 4), dtype=bfloat16), 1, plain),
        (floats((3, 4), dtype=np.float16), 0, plain),
    ]


for _name, _direction, _ufunc, _neutral in (
    ("reduce_argmax", "GT", np.maximum, lowest),
    ("reduce_argmin", "LT", np.minimum, highest),
):
    defop(
        _name,
        operands=("operand", "index"),
        params={"axis": INT},
        type=_pair_type,
        ref=_pair_ref(_ufunc, _neutral),
        jvp=_pair_jvp,
        transpose={},
        batch=_pair_batch,
        samples=lambda: [sample(x, _line(x, axis), axis=axis, **more) for x, axis, more in _arg_inputs()],
        multiple_results=True,
        form=ArgReduceForm(_direction, _neutral),
        traits=_REDUCE,
    )


# ---- argmax, argmin ------------------------------------------------------------------------------


def _arg_type(name: str) -> Callable:
    def rule(x: Aval, axis: int, index_dtype: Any) -> Aval:
        index_dtype = np.dtype(index_dtype)
        if kind_of(x.dtype) not in "biuf":
            raise TypeError(
                f"{name} does not accept dtype {x.dtype.name}. Accepted dtypes are subtypes of integer, floating, bool."
            )
        if kind_of(index_dtype) not in "iu":
            raise TypeError(f"index_dtype must be an integer type, but got {index_dtype.name}")
        if not 0 <= axis < x.ndim:
            raise ValueError(f"Invalid axis {axis} for operand shape {x.shape}")
        if x.shape[axis] < 1:
            raise ValueError(
                f"argmin and argmax require non-empty reduced dimension. operand.shape={x.shape} axis={axis}"
            )
        return aval(x.shape[:axis] + x.shape[axis + 1 :], index_dtype)

    return rule


def _arg_ref(find: Callable) -> Callable:
    def ref(operand: np.ndarray, axis: int, index_dtype: Any) -> Any:
        if operand.dtype == bfloat16:  # whose NaN NumPy does not find
            operand = operand.astype(np.float32)
        return find(operand, axis).astype(index_dtype)

    return ref


def _arg_lower(pair: str) -> Callable:
    def lower(b: Any, operand: Any, axis: int, index_dtype: Any) -> Any:
        index = b.iota(shape=b.aval(operand).shape, dtype=np.dtype(index_dtype), iota_dimension=axis)
        return b.bind(OPS[pair], operand, index, axis=axis)[1]

    return lower


def _arg_batch(b: Any, op: Any, size: int, operands: Any, mapped: Any, axis: int, index_dtype: Any) -> Any:
    return b.bind(op, operands[0], axis=axis + 1, index_dtype=index_dtype)


def _arg_samples() -> list:
    found = [sample(x, axis=axis, index_dtype=np.dtype(np.int32)) for x, axis, _ in _arg_inputs()]
    return [*found, sample(floats((2, 3)), axis=1, index_dtype=np.dtype(np.uint8))]


for _name, _find in (("argmax", np.argmax), ("argmin", np.argmin)):
    defop(
        _name,
        dialect="sable",
        operands=("operand",),
        params={"axis": INT, "index_dtype": RESULT_DTYPE},
        type=_arg_type(_name),
        ref=_arg_ref(_find),
        jvp=None,
        transpose={},
        batch=_arg_batch,
        samples=_arg_samples,
        lower=_arg_lower(f"reduce_{_name}"),
    )
