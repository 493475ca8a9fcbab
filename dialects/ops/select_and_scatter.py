"""`select_and_scatter`: of each window one element is selected, and a source value combined into its place."""

from __future__ import annotations

from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import INTS, PAIRS, SYMBOL
from sable.ir.form import RegionsForm
from sable.ir.op import OPS, defop

from .bodies import ExpandedRules, check_body, check_predicate, on_arrays, spread_scalar
from .compose import BOOL, INT32, compare, logical
from .functions import function_of, run
from .reduce_window import Window, every, window_sizes
from .rules import floats, integers, sample
from .windows import dilated, pad, padded, windows


def _window(window_dimensions: tuple, window_strides: tuple, padding: tuple) -> Window:
    ones = (1,) * len(window_dimensions)
    return Window(window_dimensions, window_strides, padding, ones, ones)


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
    """One step for each element of a window: first to select, then to bring the source to where it was selected."""

    def expand(self, passes, b, operand, source, init, select, scatter, **params):
        w, shape, places = _window(**params), b.aval(operand).shape, b.aval(source).shape
        out = spread_scalar(b, init, shape)
        if 0 in places or 0 in shape:
            return [out]
        chosen, inside = self._chosen(passes, b, operand, places, select, w)
        index, no, zero = aval(places, INT32), b.full(aval((), BOOL), False), b.full(aval((), b.aval(source).dtype), 0)
        for k, element in enumerate(np.ndindex(w.window_dimensions)):
            here = compare(b, chosen, b.full(index, k), "EQ")
            here = here if inside is None else logical(b, "and", here, inside)
            edges = [
                (at - low, n - dilated(count, stride) - at + low)
                for at, (low, _), n, count, stride in zip(element, w.padding, shape, places, w.window_strides)
            ]
            there = pad(b, here, no, edges, w.window_strides)
            made = on_arrays(passes, b, scatter, [out, pad(b, source, zero, edges, w.window_strides)])
            out = b.select(there, made[0], out)
        return [out]

    def _chosen(self, passes: Any, b: Any, operand: Any, places: tuple, select: Any, w: Window) -> tuple[Any, Any]:
        """For each window the number of the element selected, and whether it has one (None: all have)."""
        a = b.aval(operand)
        whole = pad(b, operand, b.full(aval((), a.dtype), 0), w.padding, w.base_dilations)
        edged = any(low > 0 or high > 0 for low, high in w.padding)
        yes, no = (b.full(aval((), BOOL), v) for v in (True, False))
        valid = pad(b, spread_scalar(b, yes, a.shape), no, w.padding, w.base_dilations) if edged else None
        best = inside = chosen = None
        for k, element in enumerate(np.ndindex(w.window_dimensions)):
            limits = tuple(at + (n - 1) * stride + 1 for at, n, stride in zip(element, places, w.window_strides))
            cut = {"start_indices": element, "limit_indices": limits, "strides": w.window_strides}
            x, number = b.slice(whole, **cut), b.full(aval(places, INT32), k)
            here = None if valid is None else b.slice(valid, **cut)
            if best is None:
                best, inside, chosen = x, here, number
                continue
            keep = on_arrays(passes, b, select, [best, x])[0]
            if here is not None:
                keep = logical(b, "and", inside, logical(b, "or", keep, logical(b, "not", here)))
                inside = logical(b, "or", inside, here)
            best, chosen = b.select(keep, best, x), b.select(keep, chosen, number)
        return chosen, inside

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
