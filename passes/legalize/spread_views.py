"""Barriers where a gather or a reversal would read an array through a view whose elements lie apart.

IREE 3.13 computes slices within the kernels that read them, as views. A vector of elements that are picked one by one
out of a view with a stride is not lowered ("unrealized_conversion_cast"), save where the view is a column of a matrix.
Behind the barrier the slice is an array of its own.
"""

from __future__ import annotations

import math

from sable.ir.bindings import ir

from ..ir_tools import before, behind_barrier, owner, walk_module

_PICKING = ("stablehlo.gather", "stablehlo.reverse")
_SAME_ELEMENTS = ("stablehlo.reshape", "stablehlo.bitcast_convert")
_SLICES = ("stablehlo.slice", "stablehlo.dynamic_slice")


def copy_spread_views(module: ir.Module, platform: str) -> None:
    """Puts the barriers into a module that is free of structured control flow; only CPUs have vectors."""
    if platform != "cpu":
        return
    with module.context:
        for op in walk_module(module):
            if op.name in _PICKING and _is_spread(op.operands[0]):
                with op.location:
                    op.operands[0] = behind_barrier(op.operands[0], before(op))


def _is_spread(value: ir.Value) -> bool:
    """Whether a value is a part of another whose neighbours along the last axis are none in the other."""
    view = _view(value)
    if view is not None and _is_column(view):
        return False
    while view is not None:
        if _step(view) > 1:
            return True
        view = _view(view.operands[0])
    return False


def _view(value: ir.Value) -> ir.Operation | None:
    """The slice that a value is, in whatever shape and type."""
    op = owner(value)
    while op is not None and op.name in _SAME_ELEMENTS:
        op = owner(op.operands[0])
    return op if op is not None and (op.name in _SLICES or _only_cuts(op)) else None


def _only_cuts(op: ir.Operation) -> bool:
    """Whether an operation is a padding that takes away and puts nothing: a slice to IREE."""
    if op.name != "stablehlo.pad" or any(op.attributes["interior_padding"]):
        return False
    return all(n <= 0 for edge in ("edge_padding_low", "edge_padding_high") for n in op.attributes[edge])


def _is_column(view: ir.Operation) -> bool:
    """Whether IREE finds the picked elements itself: in a matrix, which is no view."""
    whole, part = view.operands[0], view.results[0].type.shape
    plain = view.name == "stablehlo.slice" and all(step == 1 for step in view.attributes["strides"])
    return plain and len(part) == 2 and part[1] == 1 and _view(whole) is None


def _step(view: ir.Operation) -> int:
    """How far apart a slice's elements along its last axis are."""
    whole, part = view.operands[0].type.shape, view.results[0].type.shape
    axis = max((d for d, extent in enumerate(part) if extent > 1), default=None)
    if axis is None:
        return 0
    steps = view.attributes["strides"] if view.name == "stablehlo.slice" else [1] * len(part)
    return steps[axis] * math.prod(whole[axis + 1 :])
