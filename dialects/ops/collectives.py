"""Collectives over axes that `vmap(axis_name=)` has named: `batch` turns them into reductions along the batch axis.

A program with an axis that nobody batches has no meaning on one device: such an op has no lowering, and the library
refuses it when it is traced.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INT, STRINGS
from sable.ir.op import LINEAR, OPS, defop

from .rules import elementwise, sample


def _unbound(b: Any, *operands: Any, axes: tuple[str, ...], **params: Any) -> Any:
    raise NameError(f"unbound axis name: {', '.join(axes)}. No vmap(axis_name=) around the program names it")


def _without(axes: tuple[str, ...], name: str) -> tuple[str, ...]:
    return tuple(a for a in axes if a != name)


def _reduce(combine: str, repeat: Any) -> Any:
    """Batch over a named axis: reduce the mapped operand; `repeat(b, x, size)` for one that is equal for all."""

    def rule(b: Any, op: Any, name: str, size: int, operands: Any, mapped: Any, axes: tuple[str, ...]) -> Any:
        (x,), (on,) = operands, mapped
        y = b.bind(OPS[combine], x, dimensions=(0,)) if on else repeat(b, x, size)
        rest = _without(axes, name)
        return (b.bind(op, y, axes=rest) if rest else y), False

    return rule


def _over(axes: tuple[str, ...], result: Aval) -> Aval:
    """Result type of every collective, once its axes are checked."""
    if not axes:
        raise ValueError("axes must name at least one axis")
    return result


def _same(x: Aval, axes: tuple[str, ...]) -> Aval:
    return _over(axes, x)


def _alone(x: Any, axes: tuple[str, ...]) -> Any:
    """The meaning on an axis of size one: what remains when nothing is batched."""
    return x


def _times(b: Any, x: Any, size: int) -> Any:
    return b.multiply(x, b.full(b.aval(x), size))


_SAMPLE = [sample(np.float32([1.0, -2.0, 3.0]), axes=("i",))]

psum = defop(
    "psum",
    dialect="sable",
    operands=("x",),
    params={"axes": STRINGS},
    type=_same,
    ref=_alone,
    jvp={"x": LINEAR},
    # every example's result has every example's operand in it once, so cotangents are summed likewise
    transpose={"x": lambda b, ct, avals, x, axes: b.psum(ct, axes=axes)},
    batch=elementwise,
    collective=_reduce("reduce_sum", _times),
    samples=lambda: _SAMPLE,
    lower=_unbound,
)


def _extremum_jvp(b: Any, t: Any, y: Any, x: Any, axes: tuple[str, ...]) -> Any:
    """Equal shares among the examples that attain the extremum."""
    here = b.convert(b.compare(x, y, comparison_direction="EQ"), dtype=b.aval(x).dtype)
    return b.divide(b.psum(b.multiply(t, here), axes=axes), b.psum(here, axes=axes))


for _name, _combine in (("pmax", "reduce_max"), ("pmin", "reduce_min")):
    defop(
        _name,
        dialect="sable",
        operands=("x",),
        params={"axes": STRINGS},
        type=_same,
        ref=_alone,
        jvp={"x": _extremum_jvp},
        transpose={},
        batch=elementwise,
        collective=_reduce(_combine, lambda b, x, size: x),
        samples=lambda: _SAMPLE,
        lower=_unbound,
    )

_INDEX = aval((), np.dtype(np.int32))


def _axis_index_collective(b: Any, op: Any, name: str, size: int, operands: Any, mapped: Any, axes: Any) -> Any:
    return b.iota(shape=(size,), dtype=_INDEX.dtype, iota_dimension=0), True


axis_index = defop(
    "axis_index",
    dialect="sable",
    operands=(),
    params={"axes": STRINGS},
    type=lambda axes: _over(axes, _INDEX),
    ref=lambda axes: np.int32(0),
    jvp=None,
    transpose={},
    batch=elementwise,
    collective=_axis_index_collective,
    samples=lambda: [sample(axes=("i",))],
    lower=_unbound,
)


def _all_gather_collective(b: Any, op: Any, name: str, size: int, operands: Any, mapped: Any, axes: Any) -> Any:
    (x,), (on,) = operands, mapped
    if on:
        return x, False
    shape = b.aval(x).shape
    dims = tuple(range(1, len(shape) + 1))
    return b.broadcast_in_dim(x, shape=(size, *shape), broadcast_dimensions=dims), False


all_gather = defop(
    "all_gather",
    dialect="sable",
    operands=("x",),
    params={"axes": STRINGS, "axis_size": INT},
    type=lambda x, axes, axis_size: _over(axes, x.update(shape=(axis_size, *x.shape))),
    ref=lambda x, axes, axis_size: np.broadcast_to(x, (axis_size, *np.shape(x))),
    jvp={"x": LINEAR},
    # an example's operand is in every example's result, at its own place
    transpose={"x": lambda b, ct, avals, x, axes, axis_size: _own_row(b, b.psum(ct, axes=axes), axes)},
    batch=lambda b, op, size, operands, mapped, axes, axis_size: _move_first(
        b, b.bind(op, operands[0], axes=axes, axis_size=axis_size)
    ),
    collective=lambda b, op, name, size, operands, mapped, axes, axis_size: _all_gather_collective(
        b, op, name, size, operands, mapped, axes
    ),
    samples=lambda: [sample(np.float32([1.0, -2.0]), axes=("i",), axis_size=1)],
    lower=_unbound,
)


def _move_first(b: Any, x: Any) -> Any:
    """(axis_size, batch, ...) to (batch, axis_size, ...)."""
    rank = len(b.aval(x).shape)
    return b.transpose(x, permutation=(1, 0, *range(2, rank)))


def _own_row(b: Any, x: Any, axes: tuple[str, ...]) -> Any:
    shape = b.aval(x).shape
    zero = b.full(_INDEX, 0)
    start = [b.axis_index(axes=axes), *[zero for _ in shape[1:]]]
    row = b.dynamic_slice(x, *start, slice_sizes=(1, *shape[1:]))
    return b.reshape(row, shape=shape[1:])
