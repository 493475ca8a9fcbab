"""Convolution of any number of dimensions, with groups, dilations and any layout."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import BOOLS, CONV, INT, INTS, PAIRS, PRECISION, RESULT_DTYPE, ConvDimensionNumbers
from sable.ir.eager import EagerPolicy
from sable.ir.form import OperationForm
from sable.ir.op import LINEAR, Shape, Traits, defop

from .compose import convert, move_to_front
from .rules import floats, generator, integers, kind_of, sample, weak
from .samples import complexes
from .windows import dilated, padded, result_sizes, transposed_padding, windows


class Spatial(NamedTuple):
    """The parameters that have one entry for each spatial dimension."""

    window_strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    lhs_dilation: tuple[int, ...]
    rhs_dilation: tuple[int, ...]
    window_reversal: tuple[bool, ...]


def _take(values: Sequence[Any], places: Sequence[int]) -> tuple:
    return tuple(values[i] for i in places)


# ---- type ----------------------------------------------------------------------------------------


def _check_specs(rank: int, numbers: ConvDimensionNumbers) -> None:
    for side, spec in zip(("lhs", "rhs", "out"), numbers):
        if sorted(spec) != list(range(rank)):
            raise ValueError(f"conv_general_dilated {side}_spec must be a permutation of {rank} axes, got {spec}.")


def _check_spatial(rank: int, spatial: Spatial) -> None:
    for name, values in zip(Spatial._fields, spatial):
        if len(values) != rank:
            raise (TypeError if name == "padding" else ValueError)(
                f"conv_general_dilated {name} must have one entry for each of the {rank} spatial dimensions, "
                f"got {values}."
            )
    for name in ("window_strides", "lhs_dilation", "rhs_dilation"):
        if any(n < 1 for n in getattr(spatial, name)):
            error = TypeError if name == "rhs_dilation" else ValueError
            raise error(f"conv_general_dilated {name} must be positive, got {getattr(spatial, name)}.")


def _check_groups(lhs: Aval, rhs: Aval, numbers: ConvDimensionNumbers, features: int, batches: int) -> None:
    for name, count in (("feature_group_count", features), ("batch_group_count", batches)):
        if count < 1:
            raise ValueError(f"conv_general_dilated {name} must be a positive integer, got {count}.")
    if features > 1 and batches > 1:
        raise ValueError(
            "At most one of batch_group_count and feature_group_count may be > 1, "
            f"got batch_group_count={batches} and feature_group_count={features}"
        )
    batch, channels = lhs.shape[numbers.lhs_spec[0]], lhs.shape[numbers.lhs_spec[1]]
    out, inner = rhs.shape[numbers.rhs_spec[0]], rhs.shape[numbers.rhs_spec[1]]
    if channels % features:
        raise ValueError(
            "conv_general_dilated feature_group_count must divide lhs feature dimension size, "
            f"but {features} does not divide {channels}."
        )
    if channels // features != inner:
        raise ValueError(
            "conv_general_dilated lhs feature dimension size divided by feature_group_count must equal the rhs input "
            f"feature dimension size, but {channels} // {features} != {inner}."
        )
    if batch % batches:
        raise ValueError(
            "conv_general_dilated batch_group_count must divide lhs batch dimension size, "
            f"but {batches} does not divide {batch}."
        )
    for name, count in (("feature_group_count", features), ("batch_group_count", batches)):
        if out % count:
            raise ValueError(
                "conv_general_dilated rhs output feature dimension size must be a multiple of "
                f"{name}, but {out} is not a multiple of {count}."
            )


def _type(
    lhs: Aval,
    rhs: Aval,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision_config: Any,
    preferred_element_type: Any,
    **spatial: Any,
) -> Aval:
    numbers, where = dimension_numbers, Spatial(**spatial)
    if lhs.ndim != rhs.ndim:
        raise ValueError(
            "conv_general_dilated lhs and rhs must have the same number of dimensions, "
            f"but got {lhs.shape} and {rhs.shape}."
        )
    _check_specs(lhs.ndim, numbers)
    _check_spatial(lhs.ndim - 2, where)
    _check_groups(lhs, rhs, numbers, feature_group_count, batch_group_count)
    inner, window = _take(lhs.shape, numbers.lhs_spec[2:]), _take(rhs.shape, numbers.rhs_spec[2:])
    for size, hole, (low, high) in zip(inner, where.lhs_dilation, where.padding):
        if dilated(size, hole) + low + high < 0:
            raise ValueError(
                "Negative padding is larger than the size of the corresponding dimension: "
                f"got padding={where.padding} for spatial sizes {inner}"
            )
    sizes = result_sizes(inner, window, *where[:4])
    batch = lhs.shape[numbers.lhs_spec[0]] // batch_group_count
    shape = [0] * lhs.ndim
    for place, n in zip(numbers.out_spec, (batch, rhs.shape[numbers.rhs_spec[0]], *sizes)):
        shape[place] = n
    return aval(tuple(shape), _result_dtype(lhs, rhs, preferred_element_type), weak([lhs, rhs]))


def _result_dtype(lhs: Aval, rhs: Aval, preferred: Any) -> np.dtype:
    if preferred is None:
        if lhs.dtype != rhs.dtype:
            raise TypeError(
                "lax.conv_general_dilated requires arguments to have the same dtypes, or a preferred_element_type; "
                f"got {lhs.dtype.name}, {rhs.dtype.name}."
            )
        return lhs.dtype
    dtype = np.dtype(preferred)
    if kind_of(dtype) != "c" and "c" in (lhs.dtype.kind, rhs.dtype.kind):
        raise TypeError(f"conv_general_dilated of complex operands cannot have the result dtype {dtype.name}.")
    return dtype


# ---- reference meaning ---------------------------------------------------------------------------


def _ref(
    lhs: np.ndarray,
    rhs: np.ndarray,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision_config: Any,
    preferred_element_type: Any,
    **spatial: Any,
) -> np.ndarray:
    """All windows as rows of a matrix, one for each group, times the kernels as columns."""
    numbers, where = dimension_numbers, Spatial(**spatial)
    dtype = lhs.dtype if preferred_element_type is None else np.dtype(preferred_element_type)
    # half precision is accumulated in f32
    wide = np.dtype(np.float32) if dtype in (bfloat16, np.float16) else dtype
    x = lhs.astype(wide, copy=False).transpose(numbers.lhs_spec)
    w = rhs.astype(wide, copy=False).transpose(numbers.rhs_spec)
    w = w[(slice(None), slice(None), *(slice(None, None, -1 if r else 1) for r in where.window_reversal))]
    groups = max(feature_group_count, batch_group_count)
    batch, channels, outs = x.shape[0] // batch_group_count, w.shape[1], w.shape[0]
    x = padded(x, ((0, 0), (0, 0), *where.padding), (1, 1, *where.lhs_dilation), np.zeros((), wide))
    sizes = x.shape[2:]
    grouped = (batch, groups, channels, *sizes) if batch_group_count == 1 else (groups, batch, channels, *sizes)
    x = x.reshape(grouped)
    x = x.swapaxes(0, 1) if batch_group_count == 1 else x
    ones, rank = (1, 1, 1), len(sizes)
    view = windows(x, (*ones, *w.shape[2:]), (*ones, *where.window_strides), (*ones, *where.rhs_dilation))
    view = view.reshape(*view.shape[: 3 + rank], *w.shape[2:])
    # (group, batch, places..., channel, window...) as (group, rows, columns)
    order = (0, 1, *range(3, 3 + rank), 2, *range(3 + rank, 3 + 2 * rank))
    columns = channels * math.prod(w.shape[2:])
    places = view.shape[3 : 3 + rank]
    # copies, so that the sums are the same however the operands lie in memory
    matrix = np.ascontiguousarray(view.transpose(order).reshape(groups, batch * math.prod(places), columns))
    kernel = np.ascontiguousarray(w.reshape(groups, outs // groups, columns)).swapaxes(1, 2)
    out = np.matmul(matrix, kernel).reshape(groups, batch, *places, outs // groups)
    out = out.transpose(1, 0, 2 + rank, *range(2, 2 + rank)).reshape(batch, outs, *places)
    return np.ascontiguousarray(out.transpose(np.argsort(numbers.out_spec)).astype(dtype, copy=False))


# ---- derivative ----------------------------------------------------------------------------------
#
# With m batch, j input features, k output features and g groups the convolution is a contraction
#   [m, g j] [j, g k] -> [m, g k],  and with batch groups  [g m, j] [j, g k] -> [m, g k].
# Cotangents, as contractions of ct with the other operand:
#   of lhs: [m, g k] [k, g j] -> [m, g j]: feature groups (for batch groups the result's g goes to the batch);
#   of rhs: [g j, m] [m, g k] -> [j, g k]: batch groups, and the other way round.


def split(b: Any, x: Any, axis: int, count: int) -> Any:
    """An axis as two: (count, size // count)."""
    shape = b.aval(x).shape
    return b.reshape(x, shape=(*shape[:axis], count, shape[axis] // count, *shape[axis + 1 :]))


def merge(b: Any, x: Any, source: int, axis: int) -> Any:
    """The axis `source` moved before the one that is number `axis` without it, and both as one."""
    rest = [i for i in range(b.aval(x).ndim) if i != source]
    order = (*rest[:axis], source, *rest[axis:])
    if order != tuple(range(len(order))):
        x = b.transpose(x, permutation=order)
    shape = b.aval(x).shape
    return b.reshape(x, shape=(*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def within(b: Any, x: Any, axis: int, count: int) -> Any:
    """Examples (axis 0) put into an axis of x without them, between `count` groups and what is in each group."""
    if count == 1:
        return merge(b, x, 0, axis)
    return merge(b, merge(b, split(b, x, axis + 1, count), 0, axis + 1), axis, axis)


def _swapped(spec: tuple[int, ...]) -> tuple[int, ...]:
    return (spec[1], spec[0], *spec[2:])


def _convolve(b: Any, x: Any, y: Any, out: np.dtype, precision: Any, **params: Any) -> Any:
    """A convolution in the wider dtype of the two, its result in the dtype `out`."""
    wide = b.aval(x).dtype
    found = b.convolution(
        x,
        convert(b, y, wide),
        precision_config=precision,
        preferred_element_type=out if b.aval(y).dtype == wide else wide,
        **params,
    )
    return convert(b, found, out)


def _transpose_lhs(
    b: Any,
    ct: Any,
    avals: Sequence[Aval],
    lhs: Any,
    rhs: Any,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision_config: Any,
    preferred_element_type: Any,
    **spatial: Any,
) -> Any:
    numbers, where = dimension_numbers, Spatial(**spatial)
    groups = max(feature_group_count, batch_group_count)
    if groups > 1:
        out, inner = numbers.rhs_spec[:2]
        rhs = split(b, rhs, out, groups)
        rhs = merge(b, rhs, out, inner)
    padding = transposed_padding(
        _take(avals[0].shape, numbers.lhs_spec[2:]),
        _take(avals[1].shape, numbers.rhs_spec[2:]),
        _take(b.aval(ct).shape, numbers.out_spec[2:]),
        *where[:4],
    )
    found = _convolve(
        b,
        ct,
        rhs,
        avals[0].dtype,
        precision_config,
        dimension_numbers=ConvDimensionNumbers(numbers.out_spec, _swapped(numbers.rhs_spec), numbers.lhs_spec),
        window_strides=where.lhs_dilation,
        padding=padding,
        lhs_dilation=where.window_strides,
        rhs_dilation=where.rhs_dilation,
        window_reversal=tuple(not r for r in where.window_reversal),
        feature_group_count=groups,
        batch_group_count=1,
    )
    if batch_group_count > 1:
        batch, feature = numbers.lhs_spec[:2]
        found = split(b, found, feature, batch_group_count)
        found = merge(b, found, feature, batch)
    return found


def _transpose_rhs(
    b: Any,
    ct: Any,
    avals: Sequence[Aval],
    lhs: Any,
    rhs: Any,
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    precision_config: Any,
    preferred_element_type: Any,
    **spatial: Any,
) -> Any:
    numbers, where = dimension_numbers, Spatial(**spatial)
    sizes = zip(
        _take(avals[0].shape, numbers.lhs_spec[2:]),
        _take(avals[1].shape, numbers.rhs_spec[2:]),
        _take(b.aval(ct).shape, numbers.out_spec[2:]),
        where.window_strides,
        where.padding,
        where.lhs_dilation,
        where.rhs_dilation,
    )
    padding = []
    for n, window, places, stride, (low, _), holes, window_holes in sizes:
        rest = dilated(places, stride) - dilated(n, holes)
        padding.append((low, rest + dilated(window, window_holes) - 1 - low))
    wide = b.aval(ct).dtype
    found = _convolve(
        b,
        convert(b, lhs, wide),
        ct,
        avals[1].dtype if avals[0].dtype == wide else wide,
        precision_config and precision_config[::-1],
        dimension_numbers=ConvDimensionNumbers(
            _swapped(numbers.lhs_spec), _swapped(numbers.out_spec), _swapped(numbers.rhs_spec)
        ),
        window_strides=where.rhs_dilation,
        padding=tuple(padding),
        lhs_dilation=where.lhs_dilation,
        rhs_dilation=where.window_strides,
        window_reversal=(False,) * len(padding),
        feature_group_count=batch_group_count,
        batch_group_count=feature_group_count,
    )
    turned = _take(numbers.rhs_spec[2:], [i for i, r in enumerate(where.window_reversal) if r])
    found = b.reverse(found, dimensions=turned) if turned else found
    return convert(b, found, avals[1].dtype)


# ---- batching ------------------------------------------------------------------------------------


def _batch(
    b: Any,
    op: Any,
    size: int,
    operands: Sequence[Any],
    mapped: Sequence[bool],
    dimension_numbers: ConvDimensionNumbers,
    feature_group_count: int,
    batch_group_count: int,
    **params: Any,
) -> Any:
    """Examples become groups where both operands are mapped, else batch or output features."""
    numbers, (lhs, rhs) = dimension_numbers, operands
    groups = {"feature_group_count": feature_group_count, "batch_group_count": batch_group_count}
    batch, feature = numbers.lhs_spec[:2]
    out_batch, out_feature = numbers.out_spec[:2]
    kernels = numbers.rhs_spec[0]
    if all(mapped):
        by_batch = batch_group_count > 1
        lhs = merge(b, lhs, 0, batch if by_batch else feature)
        groups["batch_group_count" if by_batch else "feature_group_count"] *= size
        out = b.bind(op, lhs, merge(b, rhs, 0, kernels), dimension_numbers=numbers, **groups, **params)
        return move_to_front(b, split(b, out, out_feature, size), out_feature)
    if mapped[0]:
        lhs = within(b, lhs, batch, batch_group_count)
        out = b.bind(op, lhs, rhs, dimension_numbers=numbers, **groups, **params)
        return move_to_front(b, split(b, out, out_batch, size), out_batch)
    count = max(feature_group_count, batch_group_count)
    out = b.bind(op, lhs, within(b, rhs, kernels, count), dimension_numbers=numbers, **groups, **params)
    if count == 1:
        return move_to_front(b, split(b, out, out_feature, size), out_feature)
    out = split(b, split(b, out, out_feature, count), out_feature + 1, size)
    # (..., groups, examples, features, ...)
    return merge(b, move_to_front(b, out, out_feature + 1), out_feature + 1, out_feature + 1)


# ---- samples -------------------------------------------------------------------------------------


def dimension_numbers(lhs: str, rhs: str, out: str) -> ConvDimensionNumbers:
    """Of letters: N batch, C feature, O and I output and input features, any others spatial, in the order of `rhs`."""
    spatial = [c for c in rhs if c not in "OI"]
    specs = [(s, (*names, *spatial)) for s, names in ((lhs, "NC"), (rhs, "OI"), (out, "NC"))]
    return ConvDimensionNumbers(*(tuple(s.index(c) for c in order) for s, order in specs))


def _conv(lhs: np.ndarray, rhs: np.ndarray, specs: str = "", **more: Any) -> Any:
    rank = lhs.ndim - 2
    letters = "HWD"[:rank]
    numbers = dimension_numbers(*(specs or f"NC{letters} OI{letters} NC{letters}").split())
    params: dict[str, Any] = {
        "dimension_numbers": numbers,
        "window_strides": (1,) * rank,
        "padding": ((0, 0),) * rank,
        "lhs_dilation": (1,) * rank,
        "rhs_dilation": (1,) * rank,
        "window_reversal": (False,) * rank,
        "feature_group_count": 1,
        "batch_group_count": 1,
        "precision_config": None,
        "preferred_element_type": lhs.dtype,
    }
    return sample(lhs, rhs, **{"rtol": 1e-5, "atol": 1e-5, **params, **more})


def _samples() -> list:
    half = {"rtol": 1e-2, "atol": 2e-2, "why": "rounding of half precision"}
    f = floats
    turned = {"window_reversal": (True, False), "padding": ((1, 0), (0, 2))}
    return [
        _conv(f((2, 3, 5, 6)), f((4, 3, 3, 2), seed=1)),
        _conv(f((2, 5, 6, 3)), f((3, 2, 3, 4), seed=1), "NHWC HWIO NHWC", padding=((1, 1), (0, 1))),
        _conv(f((5, 2, 3, 6)), f((2, 3, 4, 3), seed=1), "HNCW WIOH CWNH", window_strides=(2, 3)),
        _conv(f((2, 3, 7)), f((4, 3, 2), seed=1), rhs_dilation=(3,), window_strides=(2,)),
        _conv(f((2, 3, 4)), f((4, 3, 3), seed=1), lhs_dilation=(3,), padding=((2, -1),)),
        _conv(f((2, 3, 4, 4)), f((2, 3, 2, 3), seed=1), lhs_dilation=(2, 1), rhs_dilation=(1, 2), **turned),
        _conv(f((2, 6, 5)), f((4, 3, 2), seed=1), feature_group_count=2, window_strides=(2,), padding=((1, 1),)),
        _conv(f((1, 4, 4, 4)), f((8, 1, 2, 2), seed=1), feature_group_count=4),
        _conv(f((2, 5, 5, 3)), f((3, 3, 1, 3), seed=1), "NHWC HWIO NHWC", feature_group_count=3, padding=((1, 1),) * 2),
        _conv(f((4, 3, 5)), f((6, 3, 2), seed=1), batch_group_count=2, rhs_dilation=(2,), padding=((0, 1),)),
        _conv(
            f((3, 2, 4, 3)), f((3, 2, 2, 2), seed=1), batch_group_count=3, window_strides=(2, 1), lhs_dilation=(1, 2)
        ),
        _conv(f((2, 3, 3, 4, 3)), f((2, 3, 2, 2, 3), seed=1), padding=((0, 0), (1, 0), (-1, 1))),
        _conv(f((2, 3)), f((4, 3), seed=1)),
        _conv(f((2, 3, 6), dtype=np.float64), f((4, 3, 3), dtype=np.float64, seed=1), padding=((-2, 1),)),
        _conv(f((0, 3, 5)), f((4, 3, 2))),
        _conv(f((2, 3, 2)), f((4, 3, 3)), grad=False, why="the window does not fit"),
        _conv(f((2, 0, 5)), f((4, 0, 2))),
        _conv(f((2, 3, 0)), f((4, 3, 2)), padding=((1, 2),)),
        _conv(f((2, 3, 5), dtype=np.float16), f((4, 3, 2), dtype=np.float16, seed=1), **half),
        _conv(f((2, 3, 5), dtype=bfloat16), f((4, 3, 2), dtype=bfloat16, seed=1), feature_group_count=1, **half),
        _conv(
            f((2, 3, 5), dtype=bfloat16),
            f((4, 3, 2), dtype=bfloat16, seed=1),
            preferred_element_type=np.dtype(np.float32),
            grad=False,
            why="cotangents are rounded to bfloat16",
        ),
        _conv(
            integers((2, 3, 5)), integers((4, 3, 2), seed=1), padding=((1, 1),), precision_config=("HIGH", "DEFAULT")
        ),
        _conv(integers((2, 4, 5), 0, 99, np.uint8), integers((4, 2, 2), 0, 9, np.uint8, 1), feature_group_count=2),
        _conv(
            integers((2, 3, 5), dtype=np.int8),
            integers((4, 3, 2), dtype=np.int8, seed=1),
            preferred_element_type=np.dtype(np.int32),
        ),
        _conv(complexes((2, 4, 5)), complexes((4, 2, 2), seed=1), feature_group_count=2, lhs_dilation=(2,)),
        _conv(generator().random((2, 3, 5)) < 0.3, generator(1).random((4, 3, 2)) < 0.3),
    ]


_PARAMS = {
    "dimension_numbers": CONV,
    "window_strides": INTS,
    "padding": PAIRS,
    "lhs_dilation": INTS,
    "rhs_dilation": INTS,
    "window_reversal": BOOLS,
    "feature_group_count": INT,
    "batch_group_count": INT,
    "precision_config": PRECISION,
    "preferred_element_type": RESULT_DTYPE,
}


def _every(value: Any) -> Any:
    """A default of one value for each spatial dimension."""
    return lambda operation: (value,) * (len(operation.operands[0].type.shape) - 2)


def _grouped_products(avals: Sequence[Aval], params: Mapping[str, Any]) -> int:
    """Those of each result element with its feature's part of the kernel; none without groups, where NumPy has BLAS."""
    if params["feature_group_count"] == params["batch_group_count"] == 1:
        return 0
    kernel = avals[1]
    features = kernel.shape[params["dimension_numbers"].rhs_spec[0]]
    return _type(*avals, **params).size * kernel.size // max(1, features)


def _work(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """A multiplication and an addition for each element of the kernel that meets a result."""
    features = operands[1][CONV.decode(attributes["dimension_numbers"]).rhs_spec[0]]
    return 2 * math.prod(results[0]) * math.prod(operands[1]) // max(1, features)


convolution = defop(
    "convolution",
    primitive="conv_general_dilated",
    operands=("lhs", "rhs"),
    params=_PARAMS,
    type=_type,
    ref=_ref,
    jvp={"lhs": LINEAR, "rhs": LINEAR},
    transpose={"lhs": _transpose_lhs, "rhs": _transpose_rhs},
    batch=_batch,
    samples=_samples,
    eager=EagerPolicy(_grouped_products, "products", 5),
    traits=Traits(work=_work, contraction=True),
    form=OperationForm(
        "stablehlo.convolution",
        _PARAMS,
        defaults={
            "window_strides": _every(1),
            "padding": _every((0, 0)),
            "lhs_dilation": _every(1),
            "rhs_dilation": _every(1),
            "window_reversal": _every(False),
        },
    ),
)
