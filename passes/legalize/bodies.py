"""Ops whose bodies are functions, as IREE takes them: windows over what they cover exactly, the rest expanded.

IREE writes a reduction or a window with any body as one loop nest. It has no select_and_scatter, and its sort takes
quadratic time and is not stable: the first is expanded, the second goes through a bitonic network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sable.dialects.ops.bodies import on_arrays
from sable.dialects.ops.reduce_window import Window
from sable.dialects.ops.sort import take_along
from sable.dialects.ops.windows import covering, pad
from sable.ir.aval import aval
from sable.ir.op import OPS

from ..kernels.packing import MOST_BINDINGS
from .gpu_sort import as_rows, from_rows, order_by_network
from .rules import compare, in_f32, is_narrow, legalize

#: Arrays and initial values of one loop nest, whose results are as many as the arrays.
_OPERANDS = MOST_BINDINGS * 2 // 3


def _expanded(b: Any, name: str, operands: Sequence[Any], params: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(OPS[name].rules.expand(b.passes, b, *operands, **params))


@legalize("reduce")
def reduce(b: Any, *operands: Any, **params: Any) -> Any:
    """IREE refuses a reduction over no dimension, and of many arrays, and makes nothing of one over no element."""
    if params["dimensions"] and b.aval(operands[0]).size and len(operands) <= _OPERANDS:
        return NotImplemented
    return _expanded(b, "reduce", operands, params)


@legalize("select_and_scatter")
def select_and_scatter(b: Any, *operands: Any, **params: Any) -> Any:
    """By one step for each element of a window."""
    return _expanded(b, "select_and_scatter", operands, params)


# ---- windows -----------------------------------------------------------------------------------------------------


def _plain(b: Any, operands: Sequence[Any], fills: Sequence[Any], w: Window) -> tuple[list[Any], dict[str, Any]]:
    """Operands with their edges and holes written out, cut off behind the last window, and the window over them.

    Like a convolution's, a dimension with one window over a larger input is refused by IREE.
    """
    edges = covering(b.aval(operands[0]).shape, *w)
    found = [pad(b, x, fill, edges, w.base_dilations) for x, fill in zip(operands, fills)]
    rank = len(edges)
    return found, w._replace(padding=((0, 0),) * rank, base_dilations=(1,) * rank)._asdict()


@legalize("reduce_window")
def reduce_window(b: Any, *operands: Any, body: Any, **params: Any) -> Any:
    """Edges and holes hold the initial values. Many arrays are expanded, too."""
    op, n, w = OPS["reduce_window"], len(operands) // 2, Window(**params)
    out = op.type(*[b.aval(x) for x in operands], body=body, **params)[0]
    if out.size == 0 or not out.shape or len(operands) > _OPERANDS:
        return _expanded(b, "reduce_window", operands, {"body": body, **params})
    found, plain = _plain(b, operands[:n], operands[n:], w)
    return b.with_regions(op, [*found, *operands[n:]], body=body, **plain)


def _known_window(name: str) -> None:
    op = OPS[name]
    neutral = op.form.neutral

    @legalize(name)
    def rule(b: Any, x: Any, **params: Any) -> Any:
        a, w = b.aval(x), Window(**params)
        out = op.type(a, **params)
        if out.size == 0 or not out.shape:
            return x if not out.shape else b.full(out, neutral(a.dtype))
        if is_narrow(a.dtype) and name == "reduce_window_sum":
            return in_f32(b, name, x, **params)
        (found,), plain = _plain(b, [x], [b.full(aval((), a.dtype), neutral(a.dtype))], w)
        return b.emit(name, found, **plain)


for _name in ("reduce_window_sum", "reduce_window_max", "reduce_window_min"):
    _known_window(_name)


# ---- sorting -----------------------------------------------------------------------------------------------------


@legalize("sort_by")
def sort_by(b: Any, *operands: Any, comparator: Any, dimension: int, is_stable: bool) -> Any:
    """A bitonic network: of equal elements the one that was first stays first, whatever the comparator says of NaN."""
    shape = b.aval(operands[0]).shape
    if shape[dimension] <= 1 or 0 in shape:
        return operands
    count = shape[dimension]

    def precedes(b: Any, left: Sequence[Any], right: Sequence[Any]) -> Any:
        def before(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
            pairs = [v for pair in zip(xs[:-1], ys[:-1]) for v in pair]
            return on_arrays(b.passes, b, comparator, pairs)[0]

        first = compare(b, left[-1], right[-1], "LT")
        end = b.full(b.aval(left[-1]), count)
        added = [compare(b, side[-1], end, "GE") for side in (left, right)]
        tied = b.emit("and", b.emit("not", before(right, left)), first)
        ordered = b.emit("or", before(left, right), tied)
        # elements that fill the row up come behind all others
        return b.emit("select", b.emit("or", *added), first, ordered)

    order = order_by_network(b, [as_rows(b, x, dimension) for x in operands], precedes)
    order = from_rows(b, order, shape, dimension)
    return tuple(take_along(b, x, order, dimension) for x in operands)
