"""`reduce` of several arrays by any associative function of scalars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INTS, SYMBOL
from sable.ir.form import RegionsForm
from sable.ir.op import OPS, defop

from .bodies import ExpandedRules, arrays_and_inits, check_body, combining, spread_scalar
from .compose import slice_axis, up
from .functions import function_of, run
from .rules import floats, integers, sample


def _type(*avals: Aval, body: Any, dimensions: tuple[int, ...]) -> tuple[Aval, ...]:
    arrays, _ = arrays_and_inits("reduce", avals)
    shape = arrays[0].shape
    if len(set(dimensions)) != len(dimensions) or not all(0 <= d < len(shape) for d in dimensions):
        raise ValueError(f"reduce: dimensions {dimensions} are not distinct dimensions of {arrays[0].short()}")
    check_body("reduce", "body", body, arrays)
    kept = tuple(n for i, n in enumerate(shape) if i not in dimensions)
    return tuple(aval(kept, a.dtype, a.weak_type) for a in arrays)


def _ref(*operands: np.ndarray, body: Any, dimensions: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Element by element, from the first to the last."""
    n = len(operands) // 2
    kept = [i for i in range(operands[0].ndim) if i not in dimensions]
    lines = [x.transpose(*kept, *dimensions) for x in operands[:n]]
    outs = [np.empty(x.shape[: len(kept)], x.dtype) for x in lines]
    for place in np.ndindex(outs[0].shape):
        state: Sequence[Any] = operands[n:]
        for element in np.ndindex(lines[0].shape[len(kept) :]):
            state = run(body, [*state, *(x[place + element] for x in lines)])
        for out, value in zip(outs, state):
            out[place] = value
    return tuple(outs)


def halved(b: Any, values: Sequence[Any], combine: Callable, most: int = 1) -> list[Any]:
    """At most so many slices along axis 0 (of which there is one), neighbours put together by an associative function."""
    found, count = list(values), b.aval(values[0]).shape[0]
    while count > most:
        half = count // 2
        made = combine(*[[slice_axis(b, x, 0, k, 2 * half, 2) for x in found] for k in (0, 1)])
        if count % 2:
            last = [slice_axis(b, x, 0, count - 1, count) for x in found]
            made = [b.concatenate(m, x, dimension=0) for m, x in zip(made, last)]
        found, count = list(made), half + count % 2
    return found


def as_lines(b: Any, arrays: Sequence[Any], dimensions: Sequence[int]) -> list[Any]:
    """The arrays with what is to be reduced in one dimension, the first."""
    shape = b.aval(arrays[0]).shape
    kept = tuple(i for i in range(len(shape)) if i not in dimensions)
    lines = (math.prod(shape[d] for d in dimensions), *(shape[i] for i in kept))
    return [b.reshape(b.transpose(x, permutation=(*dimensions, *kept)), shape=lines) for x in arrays]


class ReduceRules(ExpandedRules):
    """Neighbours are combined until one is left, then that with the initial values."""

    def expand(self, passes, b, *operands, body, dimensions):
        n = len(operands) // 2
        lines = as_lines(b, operands[:n], dimensions)
        count, *out = b.aval(lines[0]).shape
        inits = [spread_scalar(b, x, out) for x in operands[n:]]
        if count == 0 or 0 in out:
            return inits
        combine = combining(passes, b, body)
        return combine(inits, [b.reshape(x, shape=tuple(out)) for x in halved(b, lines, combine)])

    def batched(self, b, node, size, xs):
        return b.bind(node.op, *xs, body=node.params["body"], dimensions=up(node.params["dimensions"]))

    def row(self):
        return OPS["reduce"]

    def samples(self):
        f, i = aval((), np.dtype(np.float64)), aval((), np.dtype(np.int32))
        norm = function_of(lambda b, x, y: [b.sqrt(b.add(b.multiply(x, x), b.multiply(y, y)))], f, f, name="norm")
        larger = function_of(_larger, f, i, f, i, name="larger")
        x = floats((3, 4), 0.5, 2.0, np.float64)
        places = integers((3, 4), 0, 99)
        none = (np.float64(0.5), np.int32(-1))
        return [
            sample(x, np.float64(0.5), body=norm, dimensions=(0,)),
            sample(floats((2, 3, 2), 0.5, 2.0, np.float64), np.float64(0.1), body=norm, dimensions=(2, 0)),
            sample(floats((5,), 0.5, 2.0, np.float64), np.float64(0.1), body=norm, dimensions=()),
            sample(floats((0, 3), dtype=np.float64), np.float64(0.1), body=norm, dimensions=(0,)),
            sample(x, places, *none, body=larger, dimensions=(1,)),
        ]


def _larger(b: Any, x: Any, i: Any, y: Any, j: Any) -> list[Any]:
    first = b.compare(x, y, comparison_direction="GE")
    return [b.select(first, x, y), b.select(first, i, j)]


_PARAMS = {"body": SYMBOL, "dimensions": INTS}

defop(
    "reduce",
    dialect="sable",
    operands=("*operands",),
    params=_PARAMS,
    type=_type,
    ref=_ref,
    functions=ReduceRules(),
    multiple_results=True,
    form=RegionsForm("sable.reduce", _PARAMS, "stablehlo.reduce", ("body",)),
)
