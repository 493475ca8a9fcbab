"""Contractions: dot_general."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from sable.ir.aval import Aval, aval, bfloat16
from sable.ir.codec import DOT, PRECISION, RESULT_DTYPE, DotDimensions
from sable.ir.op import LINEAR, Shape, Traits, defop

from .compose import BOOL, convert, move_to_front, up
from .long_sums import matmul
from .rules import floats, generator, integers, kind_of, sample, weak


def free_dimensions(ndim: int, *taken: tuple[int, ...]) -> tuple[int, ...]:
    """Dimensions that are neither batching nor contracting."""
    used = {d for dims in taken for d in dims}
    return tuple(i for i in range(ndim) if i not in used)


# ---- type ----------------------------------------------------------------------------------------


def _check_side(side: str, ndim: int, batch: tuple[int, ...], contract: tuple[int, ...]) -> None:
    if any(not 0 <= d < ndim for d in (*batch, *contract)):
        raise TypeError(
            f"dot_general requires {side} dimension numbers to be nonnegative and less than the number of "
            f"axes of the {side} value, got {side}_batch of {batch} and {side}_contracting of {contract} "
            f"for {side} of rank {ndim}"
        )
    if len(set(batch)) != len(batch):
        raise TypeError(f"dot_general requires {side} batch dimensions to be distinct, got {side}_batch {batch}.")
    if len(set(contract)) != len(contract):
        raise TypeError(
            f"dot_general requires {side} contracting dimensions to be distinct, got {side}_contracting {contract}."
        )
    if set(batch) & set(contract):
        raise TypeError(
            f"dot_general requires {side} batch dimensions to be disjoint from contracting dimensions, "
            f"got {side}_batch {batch} and {side}_contracting {contract}."
        )


def _dot_type(lhs: Aval, rhs: Aval, dot_dimension_numbers: DotDimensions, precision_config, preferred_element_type):
    n = dot_dimension_numbers
    lhs_batch, rhs_batch = n.lhs_batching_dimensions, n.rhs_batching_dimensions
    lhs_contract, rhs_contract = n.lhs_contracting_dimensions, n.rhs_contracting_dimensions
    _check_side("lhs", lhs.ndim, lhs_batch, lhs_contract)
    _check_side("rhs", rhs.ndim, rhs_batch, rhs_contract)
    lhs_sizes, rhs_sizes = _sizes(lhs, lhs_batch), _sizes(rhs, rhs_batch)
    if lhs_sizes != rhs_sizes:
        raise TypeError(
            "dot_general requires lhs batch dimensions and rhs batch dimensions to have the same shape, "
            f"got {lhs_sizes} and {rhs_sizes}."
        )
    contracted = _sizes(lhs, lhs_contract), _sizes(rhs, rhs_contract)
    if contracted[0] != contracted[1]:
        raise TypeError(
            "dot_general requires contracting dimensions to have the same shape, "
            f"got {contracted[0]} and {contracted[1]}."
        )
    dtype = preferred_element_type
    if dtype is None:
        if lhs.dtype != rhs.dtype:
            raise TypeError(
                "lax.dot_general requires arguments to have the same dtypes, or a preferred_element_type; "
                f"got {lhs.dtype.name}, {rhs.dtype.name}."
            )
        dtype = lhs.dtype
    if kind_of(np.dtype(dtype)) != "c" and "c" in (lhs.dtype.kind, rhs.dtype.kind):
        raise TypeError(f"dot_general of complex operands cannot have the result dtype {np.dtype(dtype).name}.")
    kept = _sizes(lhs, free_dimensions(lhs.ndim, lhs_batch, lhs_contract))
    kept += _sizes(rhs, free_dimensions(rhs.ndim, rhs_batch, rhs_contract))
    return aval(lhs_sizes + kept, np.dtype(dtype), weak([lhs, rhs]))


def _sizes(a: Aval, dims: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a.shape[d] for d in dims)


# ---- reference meaning ---------------------------------------------------------------------------


class _Plan(NamedTuple):
    """lhs (batch, free, contract) times rhs (batch, contract, free) as stacks of matrices; None: as it is."""

    lhs_order: tuple[int, ...] | None
    rhs_order: tuple[int, ...] | None
    lhs_shape: tuple[int, ...] | None
    rhs_shape: tuple[int, ...] | None
    shape: tuple[int, ...] | None


@lru_cache(maxsize=4096)
def _plan(lhs: tuple[int, ...], rhs: tuple[int, ...], n: DotDimensions) -> _Plan | None:
    """How np.matmul does it; None where it does without rearrangement."""
    lhs_batch, rhs_batch = n.lhs_batching_dimensions, n.rhs_batching_dimensions
    lhs_contract, rhs_contract = n.lhs_contracting_dimensions, n.rhs_contracting_dimensions
    lhs_free = free_dimensions(len(lhs), lhs_batch, lhs_contract)
    rhs_free = free_dimensions(len(rhs), rhs_batch, rhs_contract)
    lhs_order = (*lhs_batch, *lhs_free, *lhs_contract)
    rhs_order = (*rhs_batch, *rhs_contract, *rhs_free)
    batch = [lhs[d] for d in lhs_batch]
    rows, columns = [lhs[d] for d in lhs_free], [rhs[d] for d in rhs_free]
    inner = math.prod(lhs[d] for d in lhs_contract)
    lhs_shape = (*batch, math.prod(rows), inner)
    rhs_shape = (*batch, inner, math.prod(columns))
    plan = _Plan(
        None if lhs_order == tuple(range(len(lhs))) else lhs_order,
        None if rhs_order == tuple(range(len(rhs))) else rhs_order,
        None if lhs_shape == tuple(lhs[d] for d in lhs_order) else lhs_shape,
        None if rhs_shape == tuple(rhs[d] for d in rhs_order) else rhs_shape,
        None if len(rows) == len(columns) == 1 else (*batch, *rows, *columns),
    )
    one_by_one = not batch and len(lhs_contract) == 1 and len(rows) <= 1 and len(columns) <= 1
    plain = plan.lhs_order is None and plan.rhs_order is None
    # np.matmul takes vectors too: (k) @ (k), (k) @ (k, n), (m, k) @ (k)
    return None if plain and (one_by_one or plan[2:] == (None, None, None)) else plan


def _dot_ref(lhs, rhs, dot_dimension_numbers: DotDimensions, precision_config, preferred_element_type) -> Any:
    dtype = lhs.dtype if preferred_element_type is None else preferred_element_type
    # half precision is accumulated in f32
    wide = np.dtype(np.float32) if dtype in (bfloat16, np.float16) else dtype
    if lhs.dtype != wide:
        lhs = lhs.astype(wide)
    if rhs.dtype != wide:
        rhs = rhs.astype(wide)
    plan = _plan(lhs.shape, rhs.shape, dot_dimension_numbers)
    if plan is None:
        out = matmul(lhs, rhs)
    else:
        out = _by_plan(lhs, rhs, plan)
    return out if wide == dtype else out.astype(dtype)


def _by_plan(lhs: np.ndarray, rhs: np.ndarray, plan: _Plan) -> np.ndarray:
    if plan.lhs_order is not None:
        lhs = lhs.transpose(plan.lhs_order)
    if plan.rhs_order is not None:
        rhs = rhs.transpose(plan.rhs_order)
    if plan.lhs_shape is not None:
        lhs = lhs.reshape(plan.lhs_shape)
    if plan.rhs_shape is not None:
        rhs = rhs.reshape(plan.rhs_shape)
    out = matmul(lhs, rhs)
    return out if plan.shape is None else out.reshape(plan.shape)


# ---- derivative ----------------------------------------------------------------------------------


def _swapped(n: DotDimensions) -> DotDimensions:
    return DotDimensions(
        n.rhs_batching_dimensions,
        n.lhs_batching_dimensions,
        n.rhs_contracting_dimensions,
        n.lhs_contracting_dimensions,
    )


def _cotangent(b: Any, ct: Any, a: Aval, other: Any, n: DotDimensions, precision: Any, offsets: tuple[int, int]):
    """Cotangent of the operand of type `a` that has the left side of `n`; `other` has the right side.

    offsets: where in ct the free dimensions of the operand and of the other one start.
    """
    batch = n.lhs_batching_dimensions
    mine = free_dimensions(a.ndim, batch, n.lhs_contracting_dimensions)
    o = b.aval(other)
    others = free_dimensions(o.ndim, n.rhs_batching_dimensions, n.rhs_contracting_dimensions)
    dims = DotDimensions(
        tuple(range(len(batch))),
        n.rhs_batching_dimensions,
        tuple(range(offsets[1], offsets[1] + len(others))),
        others,
    )
    wide = b.aval(ct).dtype
    only_real_part = kind_of(wide) == "c" and kind_of(a.dtype) != "c"
    out = b.dot_general(
        ct,
        convert(b, other, wide),
        dot_dimension_numbers=dims,
        precision_config=precision,
        preferred_element_type=wide if o.dtype != wide or only_real_part else a.dtype,
    )
    # its dimensions: batch, free ones of the operand, contracted ones in the order in which `other` has them
    pairs = sorted(zip(n.rhs_contracting_dimensions, n.lhs_contracting_dimensions))
    places = (*batch, *mine, *(d for _, d in pairs))
    order = tuple(places.index(d) for d in range(a.ndim))
    if order != tuple(range(a.ndim)):
        out = b.transpose(out, permutation=order)
    return convert(b, out, a.dtype)


def _transpose_lhs(b, ct, avals, lhs, rhs, dot_dimension_numbers, precision_config, preferred_element_type) -> Any:
    n = dot_dimension_numbers
    first = len(n.lhs_batching_dimensions)
    second = avals[0].ndim - len(n.lhs_contracting_dimensions)
    return _cotangent(b, ct, avals[0], rhs, n, precision_config, (first, second))


def _transpose_rhs(b, ct, avals, lhs, rhs, dot_dimension_numbers, precision_config, preferred_element_type) -> Any:
    n = dot_dimension_numbers
    first = len(n.lhs_batching_dimensions)
    second = avals[0].ndim - len(n.lhs_contracting_dimensions)
    turned = None if precision_config is None else precision_config[::-1]
    return _cotangent(b, ct, avals[1], lhs, _swapped(n), turned, (second, first))


# ---- batching ------------------------------------------------------------------------------------


def _dot_batch(b, op, size, operands, mapped, dot_dimension_numbers: DotDimensions, **params: Any) -> Any:
    n = dot_dimension_numbers
    lhs, rhs = mapped
    both = lhs and rhs
    dims = DotDimensions(
        _moved(n.lhs_batching_dimensions, lhs, both),
        _moved(n.rhs_batching_dimensions, rhs, both),
        _moved(n.lhs_contracting_dimensions, lhs, False),
        _moved(n.rhs_contracting_dimensions, rhs, False),
    )
    out = b.bind(op, *operands, dot_dimension_numbers=dims, **params)
    if both:
        return out
    # the batch axis became the first free dimension of its side
    place = len(n.lhs_batching_dimensions)
    if rhs:
        place = b.aval(operands[0]).ndim - len(n.lhs_contracting_dimensions)
    return move_to_front(b, out, place)


def _moved(dims: tuple[int, ...], mapped: bool, batching: bool) -> tuple[int, ...]:
    return (0, *up(dims)) if batching else up(dims) if mapped else dims


# ---- samples -------------------------------------------------------------------------------------


def _dot(lhs, rhs, contract=((), ()), batch=((), ()), dtype=None, precision=None, **more: Any) -> Any:
    return sample(
        lhs,
        rhs,
        dot_dimension_numbers=DotDimensions(batch[0], batch[1], contract[0], contract[1]),
        precision_config=precision,
        preferred_element_type=lhs.dtype if dtype is None else np.dtype(dtype),
        **more,
    )


def _dot_samples() -> list:
    complex_ = (floats((2, 3)) + 1j * floats((2, 3), seed=1)).astype(np.complex64)
    matmul = ((1,), (0,))
    half = {"rtol": 1e-2, "atol": 1e-2, "why": "rounding of half precision"}
    return [
        _dot(floats((2, 3)), floats((3, 4), seed=1), matmul),
        _dot(floats((2, 3)), floats((3,), seed=1), matmul),
        _dot(floats((3,)), floats((3, 4), seed=1), ((0,), (0,))),
        _dot(floats((3,)), floats((3,), seed=1), ((0,), (0,))),
        _dot(floats(()), floats((2,), seed=1)),
        _dot(floats((2,)), floats((3,), seed=1)),
        _dot(floats((2, 3)), floats((4, 3), seed=1), ((1,), (1,)), precision=("HIGHEST", "DEFAULT")),
        _dot(floats((3, 2)), floats((4, 3), seed=1), ((0,), (1,))),
        _dot(floats((2, 3, 4)), floats((2, 4, 5), seed=1), ((2,), (1,)), ((0,), (0,))),
        _dot(floats((2, 3, 4)), floats((4, 5, 3), seed=1), ((1, 2), (2, 0))),
        _dot(floats((2, 3, 4, 5)), floats((5, 6, 3, 2), seed=1), ((3,), (0,)), ((1, 0), (2, 3))),
        _dot(floats((2, 3)), floats((2, 3), seed=1), ((), ()), ((0, 1), (0, 1))),
        _dot(floats((2, 0)), floats((0, 3)), matmul),
        _dot(floats((0, 2)), floats((2, 3)), matmul),
        _dot(integers((2, 3)), integers((3, 4), seed=1), matmul),
        _dot(integers((2, 3), dtype=np.int8), integers((3, 4), dtype=np.int8, seed=1), matmul, dtype=np.int32),
        _dot(integers((2, 3), 0, 99, np.uint8), integers((3, 4), 0, 99, np.uint8, seed=1), matmul),
        _dot(generator().random((2, 3)) < 0.5, generator(1).random((3, 4)) < 0.5, matmul, dtype=BOOL),
        _dot(
            generator().random((3, 4, 5)) < 0.7,
            generator(1).random((2, 3, 5, 1)) < 0.7,
            ((2,), (2,)),
            ((0,), (1,)),
            dtype=BOOL,
        ),
        _dot(integers((3, 4, 5)), integers((2, 3, 5, 1), seed=1), ((2,), (2,)), ((0,), (1,))),
        _dot(complex_, complex_, ((1,), (1,))),
        _dot(floats((2, 3), dtype=np.float16), floats((3, 4), dtype=np.float16, seed=1), matmul, **half),
        _dot(floats((2, 3), dtype=bfloat16), floats((3, 4), dtype=bfloat16, seed=1), matmul, **half),
        _dot(
            floats((2, 3), dtype=bfloat16),
            floats((3, 4), dtype=bfloat16, seed=1),
            matmul,
            dtype=np.float32,
            grad=False,
            why="cotangents are rounded to bfloat16",
        ),
        _dot(floats((2, 3), dtype=np.float64), floats((3, 4), dtype=np.float64, seed=1), matmul),
        _dot(floats((32, 33), dtype=np.float64), floats((33, 32), dtype=np.float64, seed=1), matmul),
    ]


def _work(operands: Sequence[Shape], results: Sequence[Shape], attributes: Any) -> int:
    """A multiplication and an addition for each product."""
    dims = DOT.decode(attributes["dot_dimension_numbers"])
    return 2 * math.prod(results[0]) * math.prod(operands[0][d] for d in dims.lhs_contracting_dimensions)


dot_general = defop(
    "dot_general",
    operands=("lhs", "rhs"),
    params={
        "dot_dimension_numbers": DOT,
        "precision_config": PRECISION,
        "preferred_element_type": RESULT_DTYPE,
    },
    type=_dot_type,
    ref=_dot_ref,
    jvp={"lhs": LINEAR, "rhs": LINEAR},
    transpose={"lhs": _transpose_lhs, "rhs": _transpose_rhs},
    batch=_dot_batch,
    samples=_dot_samples,
    traits=Traits(work=_work, contraction=True),
)
