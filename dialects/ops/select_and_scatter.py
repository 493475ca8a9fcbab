"""`select_and_scatter`: of each window one element is selected, and a source value combined into its place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INTS, PAIRS, SYMBOL, ScatterDimensions
from sable.ir.form import RegionsForm
from sable.ir.op import OPS, defop

from .bodies import ExpandedRules, check_body, check_predicate, on_arrays, single_op, spread_scalar
from .compose import INT32, compare, logical
from .functions import function_of, run
from .reduce_window import Window, every, window_sizes
from .rules import floats, integers, sample
from .windows import dilated, fold, pad, padded, windows

_INDEX = aval((), INT32)


def _window(window_dimensions: tuple, window_strides: tuple, padding: tuple) -> Window:
    ones = (1,) * len(window_dimensions)
    return Window(window_dimensions, window_strides, padding, ones, ones)


def _places(b: Any, shape: Sequence[int]) -> Any:
    """The place of each element in the flat array."""
    return b.reshape(b.iota(shape=(math.prod(shape),), dtype=INT32, iota_dimension=0), shape=tuple(shape))


def _unravelled(b: Any, k: Any, shape: Sequence[int]) -> list[Any]:
    """The multi-index of a scalar place in an array of that shape."""
    found = []
    for n in reversed(shape):
        found.append(b.remainder(k, b.full(_INDEX, n)))
        k = b.divide(k, b.full(_INDEX, n))
    return found[::-1]


def _added(b: Any, out: Any, chosen: Any, source: Any) -> Any:
    """The source added at the places chosen; -1 is none."""
    shape, count = b.aval(out).shape, math.prod(b.aval(chosen).shape)
    # a place behind the end is out of bounds whatever the sign of indices is taken for
    end = b.full(b.aval(chosen), math.prod(shape))
    indices = b.select(compare(b, chosen, b.full(b.aval(chosen), -1), "EQ"), end, chosen)
    found = b.scatter_add(
        b.reshape(out, shape=(math.prod(shape),)),
        b.reshape(indices, shape=(count, 1)),
        b.reshape(source, shape=(count,)),
        scatter_dimension_numbers=ScatterDimensions((), (0,), (), (), (0,), 1),
        indices_are_sorted=False,
        unique_indices=False,
    )
    return b.reshape(found, shape=shape)


def _type(operand: Aval, source: Aval, init: Aval, select: Any, scatter: Any, **params: Any) -> tuple[Aval, ...]:
    name = "select_and_scatter"
    sizes = window_sizes(name, operand.shape, _window(**params))
    if source.shape != sizes or source.dtype != operand.dtype:
        wanted = operand.update(shape=sizes)
        raise TypeError(f"{name}: expected a source {wanted.short()}, one value for each window, got {source.short()}")
    if init.shape or init.dtype != operand.dtype:
        raise TypeError(
            f"{name}: expected an initial value that is a scalar of the operand's dtype, got {init.short()}"
        )
    scalar = aval((), operand.dtype)
    check_predicate(name, "select", select, [scalar, scalar])
    check_body(name, "scatter", scatter, [scalar])
    return (aval(operand.shape, operand.dtype),)


def _ref(operand: np.ndarray, source: np.ndarray, init: Any, select: Any, scatter: Any, **params: Any) -> tuple:
    """Window by window; elements of the edges are never selected."""
    w = _window(**params)
    places = np.arange(operand.size).reshape(operand.shape)
    view = windows(padded(places, w.padding, w.base_dilations, -1), *w[:2], w.window_dilations)
    out = np.full(operand.shape, init, operand.dtype)
    flat, values = out.reshape(-1), operand.reshape(-1)
    for place in np.ndindex(source.shape):
        inside = [int(k) for k in view[place].reshape(-1) if k >= 0]
        if not inside:
            continue
        chosen = inside[0]
        for k in inside[1:]:
            chosen = chosen if run(select, [values[chosen], values[k]])[0] else k
        flat[chosen] = run(scatter, [flat[chosen], source[place]])[0]
    return (out,)


class SelectAndScatterRules(ExpandedRules):
    """The places of the elements selected are found by a fold of the windows; a sum goes there at once.

    Other functions need not be associative: they are applied in one step of a loop for each element of a window.
    """

    def expand(self, passes, b, operand, source, init, select, scatter, **params):
        w, shape = _window(**params), b.aval(operand).shape
        out = spread_scalar(b, init, shape)
        if 0 in b.aval(source).shape or 0 in shape:
            return [out]
        chosen = self._chosen(passes, b, operand, select, w)
        if single_op(scatter) == "add":
            return [_added(b, out, chosen, source)]
        return [self._stepwise(passes, b, out, chosen, source, scatter, w)]

    def _chosen(self, passes: Any, b: Any, operand: Any, select: Any, w: Window) -> Any:
        """For each window the place of the element selected in the flat operand; -1 where all of it is edge."""
        a = b.aval(operand)
        edges = (w.padding, w.base_dilations)
        values = [
            pad(b, operand, b.full(aval((), a.dtype), 0), *edges),
            pad(b, _places(b, a.shape), b.full(_INDEX, -1), *edges),
        ]

        def better(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
            keep = on_arrays(passes, b, select, [left[0], right[0]])[0]
            none = b.full(b.aval(left[1]), -1)
            keep = logical(b, "or", keep, compare(b, right[1], none, "EQ"))
            keep = logical(b, "and", keep, compare(b, left[1], none, "NE"))
            return [b.select(keep, x, y) for x, y in zip(left, right)]

        return fold(b, values, better, w.window_dimensions, w.window_strides, w.window_dilations)[1]

    def _stepwise(self, passes: Any, b: Any, out: Any, chosen: Any, source: Any, scatter: Any, w: Window) -> Any:
        """In step k each element of the operand meets the source of the window whose element k it is.

        With holes of the strides between the windows these lie as the operand's elements do, moved by the element's place.
        """
        shape, size = b.aval(out).shape, w.window_dimensions
        edges = [
            (extent - 1 - low, n + low - dilated(count, stride))
            for n, extent, (low, _), count, stride in zip(
                shape, size, w.padding, b.aval(chosen).shape, w.window_strides
            )
        ]
        values = [
            pad(b, chosen, b.full(_INDEX, -1), edges, w.window_strides),
            pad(b, source, b.full(aval((), b.aval(source).dtype), 0), edges, w.window_strides),
        ]
        trips = math.prod(size)

        def step(b: Any, chosen: Any, source: Any, out: Any, k: Any) -> list[Any]:
            starts = [b.subtract(b.full(_INDEX, n - 1), place) for n, place in zip(size, _unravelled(b, k, size))]
            there, given = (b.dynamic_slice(x, *starts, slice_sizes=shape) for x in (chosen, source))
            made = on_arrays(passes, b, scatter, [out, given])[0]
            return [b.select(compare(b, there, _places(b, shape), "EQ"), made, out)]

        body = function_of(step, *[b.aval(x).update(weak_type=False) for x in (*values, out)], _INDEX, name="step")
        numbers = b.iota(shape=(trips,), dtype=INT32, iota_dimension=0)
        loop = {"num_consts": 2, "num_carry": 1, "length": trips, "reverse": False}
        return b.bind(OPS["scan"], *values, out, numbers, body=body, **loop)[0]

    def batched(self, b, node, size, xs):
        params = dict(node.params)
        functions = {p: params.pop(p) for p in ("select", "scatter")}
        more = _window(**params).batched()
        return b.bind(node.op, *xs, **functions, **{p: more[p] for p in params})

    def scalars(self, count):
        return (2,)

    def row(self):
        return OPS["select_and_scatter"]

    def samples(self):
        f, i = aval((), np.dtype(np.float64)), aval((), np.dtype(np.int32))
        largest = function_of(lambda b, x, y: [compare(b, x, y, "GE")], f, f, name="largest")
        added = function_of(lambda b, x, y: [b.add(x, y)], f, f, name="added")
        weighed = function_of(lambda b, x, y: [b.add(x, b.multiply(y, b.sine(x)))], f, f, name="weighed")
        smallest = function_of(lambda b, x, y: [compare(b, x, y, "LE")], i, i, name="smallest")
        most = function_of(lambda b, x, y: [b.maximum(x, y)], i, i, name="most")
        plain = {"select": largest, "scatter": added}

        def one(x: Any, places: Any, init: Any, window: Any, strides: Any, padding: Any, **more: Any) -> Any:
            y = floats(places, dtype=np.float64, seed=1).astype(x.dtype)
            return sample(x, y, init, window_dimensions=window, window_strides=strides, padding=padding, **more)

        none = ((0, 0), (0, 0))
        return [
            one(floats((4, 6), dtype=np.float64), (2, 3), np.float64(0), (2, 2), (2, 2), none, **plain),
            one(floats((4, 5), dtype=np.float64), (3, 5), np.float64(0.5), (2, 3), (1, 1), ((0, 0), (1, 1)), **plain),
            one(
                floats((7,), dtype=np.float64),
                (3,),
                np.float64(1),
                (3,),
                (2,),
                ((0, 0),),
                select=largest,
                scatter=weighed,
            ),
            one(floats((5,), dtype=np.float64), (2,), np.float64(0), (2,), (4,), ((2, -1),), **plain),
            one(integers((6,)), (4,), np.int32(-9), (3,), (1,), ((0, 0),), select=smallest, scatter=most),
            one(floats((0,), dtype=np.float64), (0,), np.float64(0), (1,), (1,), ((0, 0),), **plain),
        ]


_PARAMS = {
    "select": SYMBOL,
    "scatter": SYMBOL,
    "window_dimensions": INTS,
    "window_strides": INTS,
    "padding": PAIRS,
}


defop(
    "select_and_scatter",
    dialect="sable",
    operands=("operand", "source", "init_value"),
    params=_PARAMS,
    type=_type,
    ref=_ref,
    functions=SelectAndScatterRules(),
    multiple_results=True,
    form=RegionsForm(
        "sable.select_and_scatter",
        _PARAMS,
        "stablehlo.select_and_scatter",
        ("select", "scatter"),
        defaults={"window_dimensions": every(1), "window_strides": every(1), "padding": every((0, 0))},
    ),
)
