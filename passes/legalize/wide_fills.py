"""Arrays of one repeated element of eight bytes or more, which are written into: made by a kernel of their own.

IREE 3.13 fills arrays by itself where an element has four bytes, or is zero. For wider ones it puts a dispatch among the
others, and where that stands beside one that may run at the same time, it forgets what this gives: the array that was
written into holds whatever was there before. Elements of sixteen bytes it refuses ("no builtin for bit width 128").
A choice by a condition that is always true, which nobody finds out, is a dispatch as any other. Each has a condition of its
own: two alike would become one, which is then written into twice.
"""

from __future__ import annotations

import itertools

from sable.ir.bindings import ir

from ..ir_tools import before, comparison_direction, create, owner, signless, tensor_like, walk_module, zeros
from ..module_traits import traits_of

#: what writes into an array that it is given, or hands one on
_TAKING = ("func.return", "stablehlo.concatenate", "cf.br", "cf.cond_br")
#: what repeats constants, or makes one of two
_REPEATING = ("stablehlo.broadcast_in_dim", "stablehlo.reshape", "stablehlo.complex")
#: how constants of zeros begin
_ZEROS = ("dense<0>", "dense<0.0", "dense<(0.0", "dense<false>")
#: bytes of an element that IREE fills an array with
WIDEST_FILL = 4


def make_wide_fills(module: ir.Module) -> None:
    """Rewrites them in a module that is free of structured control flow."""
    numbers = itertools.count()
    with module.context:
        for op in walk_module(module):
            if op.name == "stablehlo.reduce" and 0 in op.operands[0].type.shape:
                _repeat_initial_values(op)
                continue
            if op.name not in _TAKING and not traits_of(op.name).in_place:
                continue
            for i, value in enumerate(op.operands):
                if _is_wide_fill(value):
                    with op.location:
                        op.operands[i] = _made(value, next(numbers), before(op))


def _repeat_initial_values(reduction: ir.Operation) -> None:
    """Writes a reduction of no elements as its initial values, repeated; IREE makes such fills of it."""
    count = len(reduction.results)
    with reduction.location:
        for result, initial in zip(reduction.results, list(reduction.operands)[count:]):
            nowhere = ir.DenseI64ArrayAttr.get([])
            at = before(reduction)
            filled = create("stablehlo.broadcast_in_dim", [initial], [result.type], at=at, broadcast_dimensions=nowhere)
            result.replace_all_uses_with(filled.result)
    reduction.erase()


def _is_wide_fill(value: ir.Value) -> bool:
    if not isinstance(value.type, ir.RankedTensorType) or not value.type.rank or not value.type.has_static_shape:
        return False
    element = value.type.element_type
    if isinstance(element, ir.ComplexType):
        whole = ir.FloatType(element.element_type).width > 8 * WIDEST_FILL
        return _is_constant(value) and (whole or not is_zero(value))
    return _width(element) > 8 * WIDEST_FILL and _is_constant(value) and not is_zero(value)


def _width(element: ir.Type) -> int:
    if isinstance(element, (ir.IntegerType, ir.FloatType)):
        return element.width
    return 0


def _is_constant(value: ir.Value) -> bool:
    """Whether all elements are one that is written into the program."""
    op = owner(value)
    if op is None:
        return False
    if op.name == "stablehlo.constant":
        return _splat(op) is not None
    return op.name in _REPEATING and all(map(_is_constant, op.operands))


def is_zero(value: ir.Value) -> bool:
    """Whether it is an array of nothing but zeros, all of whose bits are zero, written into the program."""
    op = owner(value)
    if op is None:
        return False
    if op.name != "stablehlo.constant":
        return op.name in _REPEATING and all(map(is_zero, op.operands))
    text = _splat(op)
    return text is not None and text.startswith(_ZEROS)


def _splat(constant: ir.Operation) -> str | None:
    """How the value of a constant is written whose elements are all the same; None for others."""
    if isinstance(constant.results[0].type.element_type, ir.ComplexType):
        # the bindings know no attribute of complex elements
        text = constant.get_asm(assume_verified=True).partition("stablehlo.constant ")[2]
        return text if text.startswith("dense<(") else None
    value = ir.DenseElementsAttr(constant.attributes["value"])
    return str(value) if value.is_splat else None


def _made(value: ir.Value, number: int, at: ir.InsertionPoint) -> ir.Value:
    """The same elements, chosen where an index is larger than a negative number."""
    indices, flags = (tensor_like(value.type, signless(width)) for width in (32, 1))
    dimension = ir.IntegerAttr.get(signless(64), 0)
    index = create("stablehlo.iota", [], [indices], at=at, iota_dimension=dimension).result
    direction, kind = comparison_direction("GT"), ir.Attribute.parse("#stablehlo<comparison_type SIGNED>")
    below = ir.DenseElementsAttr.get_splat(indices, ir.IntegerAttr.get(signless(32), -1 - number))
    least = create("stablehlo.constant", [], [indices], at=at, value=below).result
    here = create(
        "stablehlo.compare", [index, least], [flags], at=at, comparison_direction=direction, compare_type=kind
    )
    return create("stablehlo.select", [here.result, value, zeros(value.type, at)], [value.type], at=at).result
