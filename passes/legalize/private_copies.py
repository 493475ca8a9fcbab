"""Copies that keep IREE from updating in place what somebody else still reads (iree.md, bug C).

StableHLO's updates are pure, IREE does them in place and copies the target first if somebody else needs it. That
analysis misses much (3.13): it overwrites the caller's own arrays even in straight code
(`dynamic_update_slice %argument` without any loop), and does not see readers in other blocks, that is in, or
behind, a loop or a branch. So this pass copies a target unless the update is provably its last use.

A copy must not be folded away or hoisted out of a loop, and `util.optimization_barrier` does not hold either. What
holds is `stablehlo.select` on a predicate that is always true where it stands, which no pass can prove: a loop's own
predicate in its body, a branch's in the branch, elsewhere a comparison of an iota.
"""

from __future__ import annotations

from collections.abc import Iterator

from sable.ir.bindings import ir

from ..ir_tools import (
    BRANCHES,
    CONTROL_FLOW,
    at_start,
    before,
    comparison_direction,
    create,
    functions_with_body,
    owner,
    signless,
    terminator,
    walk,
    zeros,
)
from ..module_traits import traits_of

#: Folds windows into an array that it first fills with the initial value. In a loop IREE fills it once, before the first trip,
#: if the value is the same on all of them.
_FOLDING = "stablehlo.reduce_window"


def copy_update_targets(module: ir.Module) -> None:
    """Copies every target of an update in place which somebody else may still read, and initial values of windows in loops.

    Calls must be inlined.

    The predicate of a loop is used in its body, where it is not visible before `loops_to_blocks`: the module is valid
    again only after that.
    """
    with module.context, ir.Location.unknown():
        for function in functions_with_body(module):
            entry = function.regions[0].blocks[0]
            for op in [op for op in walk(entry) if traits_of(op.name).in_place]:
                for i in range(len(op.results)):
                    if _needs_copy(op, op.operands[i], entry):
                        op.operands[i] = _copy(op, op.operands[i])
            for op in [op for op in walk(entry) if op.name == _FOLDING and _enclosing_loop(op) is not None]:
                for i in range(len(op.results), len(op.operands)):
                    op.operands[i] = _copy(op, op.operands[i])


def _needs_copy(update: ir.Operation, target: ir.Value, entry: ir.Block) -> bool:
    if 0 in ir.RankedTensorType(target.type).shape:
        return False
    for root in _roots(target):
        if not _is_owned(update, root, entry):
            return True
        if any(_may_follow(user, update) for user in _users(root) if user != update):
            return True
    return False


def _roots(value: ir.Value) -> Iterator[ir.Value]:
    """The values whose buffers a value may share."""
    op = owner(value)
    if op is None or not traits_of(op.name).shares:
        yield value
        return
    for operand in list(op.operands)[: traits_of(op.name).shares]:
        yield from _roots(operand)


def _users(root: ir.Value) -> Iterator[ir.Operation]:
    """The ops that read a value or something that may share its buffer."""
    for use in root.uses:
        user = use.owner.operation
        yield user
        if traits_of(user.name).shares:
            for result in user.results:
                yield from _users(result)


def _is_owned(update: ir.Operation, root: ir.Value, entry: ir.Block) -> bool:
    """Whether the root's buffer is made anew whenever the update runs, for this function alone."""
    op = owner(root)
    block = root.owner if op is None else op.block
    if op is None and block == entry:
        return False  # the caller's array
    if op is not None and not len(op.operands) and op.name.startswith("stablehlo."):
        # in straight code IREE copies its constants; equal iotas become one, which is given to all updates or to none
        return update.block == entry and op.name == "stablehlo.constant"
    if op is not None and op.name in CONTROL_FLOW:
        return False  # a loop's or branch's result may be anybody's buffer
    loop = _enclosing_loop(update)
    if loop is None:
        return True
    return _is_inside(block, loop) and _varies(root, loop)


def _enclosing_loop(op: ir.Operation) -> ir.Operation | None:
    parent = op.parent
    while parent is not None and parent.name != "func.func":
        if parent.name == "stablehlo.while":
            return parent.operation
        parent = parent.parent
    return None


def _is_inside(block: ir.Block, ancestor: ir.Operation) -> bool:
    op = block.owner
    while op is not None:
        if op.operation == ancestor:
            return True
        op = op.operation.parent
    return False


def _varies(value: ir.Value, loop: ir.Operation) -> bool:
    """Whether a value made in a loop's region depends on the carries: if not, IREE may hoist it out of the loop."""
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        if value in seen:
            continue
        seen.add(value)
        op = owner(value)
        if op is None:
            if value.owner.owner.operation == loop:
                return True
        elif _is_inside(op.block, loop):
            if op.name in BRANCHES or op.name == "stablehlo.while":
                return True
            pending.extend(op.operands)
    return False


def _may_follow(user: ir.Operation, update: ir.Operation) -> bool:
    """Whether an op may run after the update, on the same trip of the innermost loop around the update.

    Uses before the update, and in the other branches of an `if` or `case` around it, do not.
    """
    ancestors = {}
    op = update
    while op is not None and op.name != "func.func":
        ancestors[op.block] = op
        op = op.parent and op.parent.operation
    op = user
    while op.block not in ancestors:
        op = op.parent.operation
    beside = ancestors[op.block]
    if op == beside:
        return op.name not in BRANCHES
    return not op.is_before_in_block(beside)


def _copy(update: ir.Operation, value: ir.Value) -> ir.Value:
    with update.location:
        predicate, holds = _predicate_at(update, value)
        place = before(update)
        nothing = zeros(value.type, place)
        # fused with what makes the value, IREE refuses the dispatch ("write affecting operations")
        value = create("stablehlo.optimization_barrier", [value], [value.type], at=place).result
        choices = [value, nothing] if holds else [nothing, value]
        return create("stablehlo.select", [predicate, *choices], [value.type], at=place).result


def _predicate_at(update: ir.Operation, value: ir.Value) -> tuple[ir.Value, bool]:
    """A boolean tensor, and the value it always has where the update stands."""
    op, branch = update, None
    while op.parent is not None and op.parent.name != "func.func":
        parent = op.parent.operation
        if parent.name == "stablehlo.while":
            condition, body = (region.blocks[0] for region in parent.regions)
            in_body = op.block == body
            return (terminator(condition).operands[0] if in_body else _always_true(condition), True)
        if parent.name in BRANCHES and branch is None and len(parent.regions) > 1:
            branch = parent, next(i for i, r in enumerate(parent.regions) if r.blocks[0] == op.block)
        op = parent
    if branch is None:
        return _straight_predicate(value, before(update)), True
    return _branch_predicate(*branch)


def _branch_predicate(op: ir.Operation, number: int) -> tuple[ir.Value, bool]:
    if op.name == "stablehlo.if":
        return op.operands[0], number == 0
    index, place, last = op.operands[0], before(op), len(op.regions) - 1
    boolean = ir.RankedTensorType.get([], signless(1))
    # out of range means the last branch, so that one is "neither first, nor second ..."
    equal = [_compare(index, _constant(index.type, k, place), "EQ", place) for k in range(last)]
    if number < last:
        return equal[number], True
    earlier = equal[0]
    for other in equal[1:]:
        earlier = create("stablehlo.or", [earlier, other], [boolean], at=place).result
    return earlier, False


def _always_true(condition: ir.Block) -> ir.Value:
    """A true scalar in a loop's condition which depends on a carry, so that it cannot be hoisted: x >= x or x != x."""
    place = at_start(condition)
    carry = next(a for a in condition.arguments if 0 not in ir.RankedTensorType(a.type).shape)
    rank = ir.RankedTensorType(carry.type).rank
    ones, zeros = ir.DenseI64ArrayAttr.get([1] * rank), ir.DenseI64ArrayAttr.get([0] * rank)
    one = ir.RankedTensorType.get([1] * rank, carry.type.element_type)
    first = create(
        "stablehlo.slice", [carry], [one], at=place, start_indices=zeros, limit_indices=ones, strides=ones
    ).result
    return _true_of(first, place)


def _true_of(x: ir.Value, place: ir.InsertionPoint) -> ir.Value:
    """A true scalar that depends on the one element of x: x >= x or x != x."""
    scalar = create("stablehlo.reshape", [x], [ir.RankedTensorType.get([], x.type.element_type)], at=place)
    real = ir.RankedTensorType.get([], ir.F32Type.get())
    number = create("stablehlo.convert", [scalar.result], [real], at=place).result
    either = [_compare(number, number, direction, place) for direction in ("GE", "NE")]
    return create("stablehlo.or", either, [either[0].type], at=place).result


def _straight_predicate(value: ir.Value, place: ir.InsertionPoint) -> ir.Value:
    """Trues of the shape of a value outside of loops and branches: `iota >= 0`, which IREE folds for a single element only."""
    shape = ir.RankedTensorType(value.type).shape
    if max(shape, default=1) == 1:
        return _true_of(value, place)
    longest = ir.IntegerAttr.get(signless(64), max(range(len(shape)), key=list(shape).__getitem__))
    numbers = ir.RankedTensorType.get(shape, signless(32))
    iota = create("stablehlo.iota", [], [numbers], at=place, iota_dimension=longest)
    return _compare(iota.result, _constant(numbers, 0, place), "GE", place)


def _constant(type: ir.Type, value: int, place: ir.InsertionPoint) -> ir.Value:
    return create(
        "stablehlo.constant", [], [type], at=place, value=ir.Attribute.parse(f"dense<{value}> : {type}")
    ).result


def _compare(left: ir.Value, right: ir.Value, direction: str, place: ir.InsertionPoint) -> ir.Value:
    type = ir.RankedTensorType.get(ir.RankedTensorType(left.type).shape, signless(1))
    return create(
        "stablehlo.compare",
        [left, right],
        [type],
        at=place,
        comparison_direction=comparison_direction(direction),
    ).result
