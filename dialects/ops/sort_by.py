"""`sort_by`: arrays sorted together by a comparator, a function of pairs of their elements. Always stable."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.codec import BOOL as FLAG
from sable.ir.codec import INT, SYMBOL
from sable.ir.form import RegionsForm
from sable.ir.function import Function
from sable.ir.function_rules import FunctionRules
from sable.ir.op import OPS, defop, interpret

from .bodies import check_predicate
from .compose import INT32
from .functions import function_of, listed, run
from .rules import expand, floats, integers, sample
from .sort import take_along


def _type(*avals: Aval, comparator: Any, dimension: int, is_stable: bool) -> tuple[Aval, ...]:
    if not avals or any(a.shape != avals[0].shape for a in avals):
        raise TypeError(f"sort: expected arrays of one shape, got ({listed(avals)})")
    if not 0 <= dimension < avals[0].ndim:
        raise ValueError(f"sort: {avals[0].short()} has no dimension {dimension}")
    check_predicate("sort", "comparator", comparator, [aval((), a.dtype) for a in avals for _ in range(2)])
    return avals


def _ref(*operands: np.ndarray, comparator: Any, dimension: int, is_stable: bool) -> tuple[np.ndarray, ...]:
    lines = [np.moveaxis(x, dimension, -1) for x in operands]
    outs = [np.empty_like(x) for x in lines]
    for place in np.ndindex(lines[0].shape[:-1]):
        rows = [x[place] for x in lines]

        def before(i: int, j: int, rows: Sequence[np.ndarray] = rows) -> bool:
            return bool(run(comparator, [x[k] for x in rows for k in (i, j)])[0])

        def order(i: int, j: int, before: Any = before) -> int:
            return -1 if before(i, j) else 1 if before(j, i) else 0

        places = sorted(range(lines[0].shape[-1]), key=functools.cmp_to_key(order))
        for out, row in zip(outs, rows):
            out[place] = row[places]
    return tuple(np.ascontiguousarray(np.moveaxis(x, -1, dimension)) for x in outs)


class SortRules(FunctionRules):
    """Tangents move as their elements do: positions sorted along tell where these went."""

    def _sorted(self, b: Any, node: Any, xs: Sequence[Any]) -> tuple[Any, Any]:
        """The results, and the places that their elements come from."""
        positions = b.iota(shape=b.aval(xs[0]).shape, dtype=INT32, iota_dimension=node.params["dimension"])
        params = {**node.params, "comparator": _with_position(node.params["comparator"])}
        *out, order = b.bind(node.op, *xs, positions, **params)
        return tuple(out), order

    def linearize(self, passes, two, node, xs, tangents):
        out, order = self._sorted(two.inner, node, xs)
        place = two.residual(order)
        dimension = node.params["dimension"]
        return out, [None if t is None else take_along(two.linear, t, place, dimension) for t in tangents]

    def jvp(self, passes, b, node, xs, tangents):
        out, order = self._sorted(b, node, xs)
        return out, [None if t is None else take_along(b, t, order, node.params["dimension"]) for t in tangents]

    def transpose(self, passes, b, node, on, xs, cotangents):
        raise NotImplementedError(f"sort is not linear in what it sorts.\n  at {node.location}")

    def batch(self, passes, b, node, size, xs, on, axis_name):
        if not any(on):
            out = b.bind(node.op, *xs, **node.params)
            return out, [False] * len(out)
        whole = [x if m else expand(b, x, size) for x, m in zip(xs, on)]
        out = b.bind(node.op, *whole, **{**node.params, "dimension": node.params["dimension"] + 1})
        return out, [True] * len(out)

    def lower(self, b, *operands, **params):
        return b.with_regions(OPS["sort_by"], operands, **params)

    def evaluate(self, core, op, values, params):
        return core.compiled(op, values, params)

    def verify(self, operands, **params):
        """The type rule says all there is to say."""

    def samples(self):
        f, i = aval((), np.dtype(np.float64)), aval((), np.dtype(np.int32))
        descending = function_of(_descending, f, f, name="descending")
        by_remainder = function_of(_by_remainder, i, i, f, f, name="by_remainder")
        x, keys = floats((3, 5), dtype=np.float64), integers((3, 5), 0, 9)
        return [
            sample(x, comparator=descending, dimension=1, is_stable=True),
            sample(keys, x, comparator=by_remainder, dimension=0, is_stable=True),
            sample(floats((0, 3), dtype=np.float64), comparator=descending, dimension=0, is_stable=False),
        ]


def _descending(b: Any, x: Any, y: Any) -> list[Any]:
    return [b.compare(x, y, comparison_direction="GT")]


def _by_remainder(b: Any, i: Any, j: Any, x: Any, y: Any) -> list[Any]:
    three = b.full(aval((), np.dtype(np.int32)), 3)
    return [b.compare(b.remainder(i, three), b.remainder(j, three), comparison_direction="LT")]


def _with_position(comparator: Function) -> Function:
    """The comparator with one more pair of operands, which it ignores."""
    key = "with position"
    if key not in comparator.memo:
        scalar = aval((), INT32)
        comparator.memo[key] = function_of(
            lambda b, *xs: interpret(comparator, xs[:-2], b),
            *comparator.in_avals,
            scalar,
            scalar,
            name=comparator.name,
        )
    return comparator.memo[key]


_PARAMS = {"comparator": SYMBOL, "dimension": INT, "is_stable": FLAG}

defop(
    "sort_by",
    dialect="sable",
    operands=("*operands",),
    params=_PARAMS,
    type=_type,
    ref=_ref,
    functions=SortRules(),
    multiple_results=True,
    form=RegionsForm(
        "sable.sort_by",
        _PARAMS,
        "stablehlo.sort",
        ("comparator",),
        defaults={
            "dimension": lambda operation: len(operation.operands[0].type.shape) - 1,
            "is_stable": lambda operation: False,
        },
    ),
)
