"""Loop carries that are scalar integers, kept in SSA values instead of rank-0 tensors.

A tensor lives in a device buffer: a condition on it is a read-back, which costs 5 us an iteration on IREE's CPU
devices, against nothing for an SSA integer (iree.md, "Loops and branches").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sable.ir.bindings import ir

from ..ir_tools import (
    before,
    comparison_direction,
    create,
    integer,
    owner,
    signless,
    terminator,
    values_made_in,
)

#: arith op for signless integers, and for booleans.
_BINARY = {
    "stablehlo.add": ("arith.addi", "arith.ori"),
    "stablehlo.subtract": ("arith.subi", "arith.xori"),
    "stablehlo.multiply": ("arith.muli", "arith.andi"),
    "stablehlo.minimum": ("arith.minsi", "arith.andi"),
    "stablehlo.maximum": ("arith.maxsi", "arith.ori"),
    "stablehlo.xor": ("arith.xori", "arith.xori"),
    "stablehlo.and": ("arith.andi", "arith.andi"),
    "stablehlo.or": ("arith.ori", "arith.ori"),
}
_SAME_VALUE = ("stablehlo.reshape", "stablehlo.broadcast_in_dim")
_OTHERS = ("stablehlo.compare", "stablehlo.select", "stablehlo.convert", "stablehlo.negate", "stablehlo.not")
_SCALAR_OPS = frozenset((*_BINARY, *_SAME_VALUE, *_OTHERS))

#: arith.cmpi predicates: signed, and unsigned (booleans: StableHLO orders false before true).
_SIGNED = {"EQ": 0, "NE": 1, "LT": 2, "LE": 3, "GT": 4, "GE": 5}
_UNSIGNED = {"EQ": 0, "NE": 1, "LT": 6, "LE": 7, "GT": 8, "GE": 9}


def scalar_integer_type(value: ir.Value) -> ir.IntegerType | None:
    """The element type of a rank-0 tensor of signless integers or booleans, else None."""
    if not isinstance(value.type, ir.RankedTensorType) or value.type.rank != 0:
        return None
    element = value.type.element_type
    is_signless = isinstance(element, ir.IntegerType) and element.is_signless
    return element if is_signless and element.width in (1, 8, 16, 32, 64) else None


def direction_of(compare: ir.Operation) -> str:
    """EQ, NE, LT, LE, GT or GE."""
    return str(compare.attributes["comparison_direction"]).split()[-1].rstrip(">")


@dataclass(frozen=True)
class ScalarCarries:
    """What of a `stablehlo.while` can live in SSA integers.

    Attributes:
      carries: positions of the carries, ascending.
      predicate: whether the condition too is scalar arithmetic of them and of values from outside.
      inside: every value made in the loop's regions.
    """

    carries: tuple[int, ...]
    predicate: bool
    inside: frozenset[ir.Value]


def find_scalar_carries(loop: ir.Operation) -> ScalarCarries:
    """The largest set of carries whose next values are scalar arithmetic of the set and of outside values."""
    condition, body = loop.regions[0].blocks[0], loop.regions[1].blocks[0]
    inside = frozenset(values_made_in(condition, body))
    following = terminator(body).operands
    chosen = {i for i, result in enumerate(loop.results) if scalar_integer_type(result) is not None}
    while True:
        rule = _Promotable(chosen, body, inside)
        kept = {i for i in chosen if rule(following[i])}
        if kept == chosen:
            break
        chosen = kept
    predicate = _Promotable(chosen, condition, inside)(terminator(condition).operands[0])
    return ScalarCarries(tuple(sorted(chosen)), predicate, inside)


@dataclass
class _Promotable:
    chosen: set[int]
    block: ir.Block
    inside: frozenset[ir.Value]
    known: dict[ir.Value, bool] = field(default_factory=dict)

    def __call__(self, value: ir.Value) -> bool:
        if value not in self.known:
            self.known[value] = self._decide(value)
        return self.known[value]

    def _decide(self, value: ir.Value) -> bool:
        if scalar_integer_type(value) is None:
            return False
        if value not in self.inside:
            return True
        op = owner(value)
        if op is None:
            return value.owner == self.block and value.arg_number in self.chosen
        if op.name == "stablehlo.constant":
            return True
        return op.name in _SCALAR_OPS and all(self(operand) for operand in op.operands)


class ScalarEmitter:
    """Emits SSA integers for rank-0 integer tensors.

    Args:
      known: SSA integers of tensors that have one already; grows.
      at: where arithmetic goes.
      read_at: for a tensor that must be read from its buffer, where; None if the value is to be computed.
    """

    def __init__(
        self,
        known: Mapping[ir.Value, ir.Value],
        at: ir.InsertionPoint,
        read_at: Callable[[ir.Value], ir.InsertionPoint | None],
    ) -> None:
        self.known = dict(known)
        self.at = at
        self.read_at = read_at

    def emit(self, value: ir.Value) -> ir.Value:
        if value not in self.known:
            self.known[value] = self._make(value)
        return self.known[value]

    def _make(self, value: ir.Value) -> ir.Value:
        type, op = scalar_integer_type(value), owner(value)
        if op is not None and op.name == "stablehlo.constant":
            return self._constant(constant_integer(op), type)
        place = self.read_at(value)
        if place is not None:
            return create("tensor.extract", [value], [type], at=place).result
        operands = [self.emit(operand) for operand in op.operands]
        if op.name in _SAME_VALUE:
            return operands[0]
        if op.name in _BINARY:
            return self._op(_BINARY[op.name][type.width == 1], operands, type)
        return getattr(self, "_" + op.name.removeprefix("stablehlo."))(op, operands, type)

    def _op(self, name: str, operands: list[ir.Value], type: ir.Type, **attributes: ir.Attribute) -> ir.Value:
        return create(name, operands, [type], at=self.at, **attributes).result

    def _constant(self, value: int, type: ir.Type) -> ir.Value:
        return self._op("arith.constant", [], type, value=ir.IntegerAttr.get(type, value))

    def _not(self, op, operands, type):
        return self._op("arith.xori", [operands[0], self._constant(-1, type)], type)

    def _negate(self, op, operands, type):
        return self._op("arith.subi", [self._constant(0, type), operands[0]], type)

    def _select(self, op, operands, type):
        return self._op("arith.select", operands, type)

    def _compare(self, op, operands, type):
        predicates = _UNSIGNED if operands[0].type.width == 1 else _SIGNED
        return self._op("arith.cmpi", operands, type, predicate=integer(predicates[direction_of(op)]))

    def _convert(self, op, operands, type):
        (operand,) = operands
        if operand.type == type:
            return operand
        if type.width == 1:
            zero = self._constant(0, operand.type)
            return self._op("arith.cmpi", [operand, zero], type, predicate=integer(_SIGNED["NE"]))
        if type.width < operand.type.width:
            return self._op("arith.trunci", operands, type)
        return self._op("arith.extui" if operand.type.width == 1 else "arith.extsi", operands, type)


def lift_scalar(scalar: ir.Value, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """An SSA integer as a rank-0 tensor.

    Not by `tensor.from_elements`: IREE folds it wrongly for i1 and before a convert to unsigned (iree.md, D).
    """
    if scalar.type != signless(1):
        return create("flow.tensor.splat", [scalar], [type], at=at).result
    wide = ir.RankedTensorType.get([], signless(32))
    widened = create("arith.extui", [scalar], [signless(32)], at=at).result
    tensor = create("flow.tensor.splat", [widened], [wide], at=at).result
    zero = create("stablehlo.constant", [], [wide], at=at, value=ir.Attribute.parse(f"dense<0> : {wide}")).result
    return create(
        "stablehlo.compare", [tensor, zero], [type], at=at, comparison_direction=comparison_direction("NE")
    ).result


def widen_scalar(value: ir.Value, at: ir.InsertionPoint) -> ir.Value:
    """An SSA integer as i64."""
    if value.type.width == 64:
        return value
    extension = "arith.extui" if value.type.width == 1 else "arith.extsi"
    return create(extension, [value], [signless(64)], at=at).result


def narrow_scalar(value: ir.Value, type: ir.IntegerType, at: ir.InsertionPoint) -> ir.Value:
    """The inverse of `widen_scalar`."""
    return value if type.width == 64 else create("arith.trunci", [value], [type], at=at).result


def constant_integer(constant: ir.Operation) -> int:
    """The value of a rank-0 integer constant."""
    return int(ir.DenseIntElementsAttr(constant.attributes["value"])[0])


def place_outside(loop: ir.Operation, inside: frozenset[ir.Value]) -> Callable[[ir.Value], ir.InsertionPoint | None]:
    """`read_at` for a loop: tensors from outside are read once, before the loop."""
    place = before(loop)
    return lambda value: None if value in inside else place
