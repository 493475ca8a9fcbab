"""`stablehlo.while`, `if` and `case` -> cf blocks, in a form that IREE compiles and runs rightly.

What is left to IREE as `stablehlo.while` crashes its compiler or gives silently wrong results; iree.md,
"Loops and branches", lists the causes, which comments here name by letter. The bug of its VM code (B) is
repaired after IREE's compilation, by `sable.compiler.vm_repair`. Mixed dialects need `--iree-input-type=auto`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sable.ir.bindings import ir

from ..ir_tools import (
    CONTROL_FLOW,
    at_end,
    at_start,
    before,
    create,
    functions_with_body,
    inline_calls,
    integer,
    operations,
    owner,
    signless,
    terminator,
)
from .known_branches import fold_known_control_flow
from .private_copies import copy_update_targets
from .scalar_carries import (
    ScalarEmitter,
    find_scalar_carries,
    lift_scalar,
    narrow_scalar,
    place_outside,
    scalar_integer_type,
    widen_scalar,
)


def loops_to_blocks(module: ir.Module) -> None:
    """Rewrites all structured control flow of a module into blocks, in place."""
    with module.context, ir.Location.unknown():
        inline_calls(module)  # a callee's in-place updates must be seen where its operands are (C)
        for function in functions_with_body(module):
            fold_known_control_flow(function.regions[0].blocks[0])
        blocks_of_control_flow(module)


def blocks_of_control_flow(module: ir.Module) -> None:
    """The same for a module whose calls are inlined and whose known branches are folded."""
    with module.context, ir.Location.unknown():
        for function in functions_with_body(module):
            drop_all_invariant_carries(function.regions[0].blocks[0])
        copy_update_targets(module)
        for function in functions_with_body(module):
            _FunctionRewriter(function.regions[0]).run()
        module.operation.verify()


def drop_all_invariant_carries(block: ir.Block) -> None:
    """`drop_invariant_carries` for every loop in a block, inner ones first: they may make an outer carry invariant."""
    for op in operations(block):
        for region in op.regions:
            for inner in region.blocks:
                drop_all_invariant_carries(inner)
        if op.name == "stablehlo.while":
            drop_invariant_carries(op)


def drop_invariant_carries(loop: ir.Operation) -> ir.Operation:
    """Turns carries which the body hands on untouched into captures; returns the loop that remains."""
    condition, body = loop.regions[0].blocks[0], loop.regions[1].blocks[0]
    back = terminator(body)
    count = len(loop.results)
    kept = [i for i in range(count) if back.operands[i] != body.arguments[i]]
    if len(kept) == count:
        return loop
    dropped = [i for i in range(count) if i not in kept]
    for i in dropped:
        for value in (loop.results[i], condition.arguments[i], body.arguments[i]):
            value.replace_all_uses_with(loop.operands[i])
    with loop.location:
        smaller = create(
            "stablehlo.while",
            [loop.operands[i] for i in kept],
            [loop.results[i].type for i in kept],
            at=before(loop),
            regions=2,
        )
        create("stablehlo.return", [back.operands[i] for i in kept], at=before(back))
    back.erase()
    for i in reversed(dropped):
        condition.erase_argument(i)
        body.erase_argument(i)
    condition.append_to(smaller.regions[0])
    body.append_to(smaller.regions[1])
    for new, i in zip(smaller.results, kept):
        loop.results[i].replace_all_uses_with(new)
    loop.erase()
    return smaller


class _FunctionRewriter:
    """Takes the control flow of one function apart, outermost first."""

    def __init__(self, region: ir.Region) -> None:
        self.region = region

    def run(self) -> None:
        rewrite = {
            "stablehlo.while": self._while,
            "stablehlo.if": self._if,
            "stablehlo.case": self._case,
        }
        pending = [self.region.blocks[0]]
        while pending:
            block = pending.pop()
            found = next((op for op in operations(block) if op.name in CONTROL_FLOW), None)
            if found is not None:
                with found.location:
                    pending += rewrite[found.name](block, found)

    def _while(self, block: ir.Block, loop: ir.Operation) -> list[ir.Block]:
        return _LoopRewriter(self, block, loop).run()

    def _if(self, block: ir.Block, branch: ir.Operation) -> list[ir.Block]:
        predicate = branch.operands[0]
        (then, otherwise), join = self._branches(block, branch)
        conditional_branch(block, read_scalar(block, predicate), then, otherwise)
        branch.erase()
        return [then, otherwise, join]

    def _case(self, block: ir.Block, branch: ir.Operation) -> list[ir.Block]:
        index = branch.operands[0]
        blocks, join = self._branches(block, branch)
        if len(blocks) == 1:
            jump(block, blocks[0], [])
            branch.erase()
            return [*blocks, join]
        scalar = read_scalar(block, index)
        current = block
        for k, chosen in enumerate(blocks[:-1]):  # whatever is out of range is the last branch, as StableHLO says
            number = create("arith.constant", [], [signless(32)], at=at_end(current), value=integer(k, 32)).result
            equal = create(
                "arith.cmpi", [scalar, number], [signless(1)], at=at_end(current), predicate=integer(0)
            ).result
            last = k == len(blocks) - 2
            following = blocks[-1] if last else self.region.blocks.append()
            conditional_branch(current, equal, chosen, following)
            current = following
        branch.erase()
        return [*blocks, join]

    def _branches(self, block: ir.Block, branch: ir.Operation) -> tuple[list[ir.Block], ir.Block]:
        """Moves the branches out; each jumps to the block with what followed."""
        join = self.split_after(block, branch, [result.type for result in branch.results])
        blocks = [self.adopt(region) for region in branch.regions]
        for result, argument in zip(branch.results, join.arguments):
            result.replace_all_uses_with(argument)
        for made in blocks:
            jump(made, join, take_terminator(made))
        return blocks, join

    def split_after(self, block: ir.Block, op: ir.Operation, types: Sequence[ir.Type]) -> ir.Block:
        """A new block which takes everything behind an op."""
        rest = self.region.blocks.append(*types, arg_locs=[op.location] * len(types))
        following = operations(block)
        for moved in following[following.index(op) + 1 :]:
            rest.append(moved)
        return rest

    def adopt(self, region: ir.Region) -> ir.Block:
        region.blocks[0].append_to(self.region)
        return self.region.blocks[len(self.region.blocks) - 1]  # fetched anew: the old handle dies with its op


class _LoopRewriter:
    """One while loop as `condition`, `body` and `after` blocks. All carries are arguments of `condition`.

    Scalar integers are passed as i64: a branch that passes i32 and i64 values is wrong in IREE 3.13 whenever a 32-bit
    register overlaps half of a 64-bit one, since its parallel moves are ordered as if the two had nothing in common
    (seen as loop counters overwritten by buffer sizes: an endless loop).
    """

    def __init__(self, function: _FunctionRewriter, block: ir.Block, loop: ir.Operation) -> None:
        self.block, self.loop = block, loop
        self.scalars = find_scalar_carries(loop)
        self.read_at = place_outside(loop, self.scalars.inside)
        self.starts = self._starts()
        self.condition = function.adopt(loop.regions[0])
        self.body = function.adopt(loop.regions[1])
        self.after = function.split_after(block, loop, [])

    def run(self) -> list[ir.Block]:
        condition, body = self.condition, self.body
        predicate = terminator(condition).operands[0]
        scalar_predicate, following = self._replace_carries(predicate)
        jump(self.block, condition, self._ordered(self.starts))
        (predicate,) = take_terminator(condition)
        if scalar_predicate is None:
            scalar_predicate = read_scalar(condition, predicate)
        conditional_branch(condition, scalar_predicate, body, self.after)
        take_terminator(body)
        jump(body, condition, self._ordered(following))
        self.loop.erase()
        return [condition, body, self.after]

    def _starts(self) -> list[ir.Value]:
        place = before(self.loop)
        scalars = ScalarEmitter({}, place, lambda value: place)
        return [
            widen_scalar(scalars.emit(value), place) if i in self.scalars.carries else value
            for i, value in enumerate(self.loop.operands)
        ]

    def _ordered(self, values: list[ir.Value]) -> list[ir.Value]:
        """Integers first, as the arguments of `condition` are."""
        chosen = self.scalars.carries
        return [values[i] for i in chosen] + [v for i, v in enumerate(values) if i not in chosen]

    def _replace_carries(self, predicate: ir.Value) -> tuple[ir.Value | None, list[ir.Value]]:
        """New arguments for `condition`; returns the predicate if it is an SSA value, and the next carries."""
        condition, body, loop = self.condition, self.body, self.loop
        in_condition, in_body = list(condition.arguments), list(body.arguments)
        wide = {i: condition.add_argument(signless(64), loop.location) for i in self.scalars.carries}
        new = {
            i: narrow_scalar(value, scalar_integer_type(loop.results[i]), at_start(condition))
            for i, value in wide.items()
        }
        scalar_predicate = None
        if self.scalars.predicate:
            known = {in_condition[i]: value for i, value in new.items()}
            emitter = ScalarEmitter(known, before(terminator(condition)), self.read_at)
            scalar_predicate = emitter.emit(predicate)
        back = terminator(body)
        emitter = ScalarEmitter({in_body[i]: value for i, value in new.items()}, before(back), self.read_at)
        steps = {i: widen_scalar(emitter.emit(back.operands[i]), before(back)) for i in new}
        for i, result in enumerate(loop.results):
            if i in new:
                value = lift_scalar(new[i], result.type, after(new[i], condition))
            else:
                value = condition.add_argument(result.type, loop.location)
            for old in (in_condition[i], in_body[i], result):
                old.replace_all_uses_with(value)
        following = [steps.get(i, value) for i, value in enumerate(back.operands)]
        for i in reversed(range(len(in_condition))):
            condition.erase_argument(i)
            body.erase_argument(i)
        return scalar_predicate, following


def after(value: ir.Value, block: ir.Block) -> ir.InsertionPoint:
    """Where a value which is made near a block's start may first be used there."""
    op = owner(value)
    return at_start(block) if op is None else ir.InsertionPoint.after(op)


def take_terminator(block: ir.Block) -> list[ir.Value]:
    """Removes a block's terminator and returns what it passed on."""
    last = terminator(block)
    values = list(last.operands)
    last.erase()
    return values


def read_scalar(block: ir.Block, tensor: ir.Value) -> ir.Value:
    return create("tensor.extract", [tensor], [tensor.type.element_type], at=at_end(block)).result


def jump(block: ir.Block, destination: ir.Block, values: Sequence[ir.Value]) -> None:
    create("cf.br", values, at=at_end(block), successors=[destination])


def conditional_branch(block: ir.Block, predicate: ir.Value, then: ir.Block, otherwise: ir.Block) -> None:
    sizes = ir.DenseI32ArrayAttr.get([1, 0, 0])
    create("cf.cond_br", [predicate], at=at_end(block), successors=[then, otherwise], operandSegmentSizes=sizes)
