"""Barriers where IREE would fuse what reads and writes more arrays than a dispatch can be given.

IREE 3.13 merges elementwise operations without counting all that they read: a sum of 40 arguments becomes one dispatch of
41 buffers, which compiles and is refused when it runs. What counts are arrays with a buffer of their own: those that come
into a block or leave it, and what the dispatch writes; whatever else was made in the block is read from one buffer, and only
where it begins is a constant of the dispatch's own, of which there may be more. So for each value the pass counts the arrays
it is *made of*, those that its operation reads or that could be read and written together with it. Where they are too many,
the operand made of most goes through a barrier, behind which it is one array.

Scalars are merged otherwise: all operations on them in a block become one dispatch, whether one uses the other or not. It
ends at a divider between all of its results that are used later and what the next operation uses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator

from sable.ir.bindings import ir

from ..ir_tools import (
    BARRIER,
    before,
    behind_barrier,
    create,
    functions_with_body,
    operations,
    owner,
    run_pipeline,
    terminator,
)
from ..kernels.packing import MOST_BINDINGS
from ..module_traits import traits_of

#: Arrays that a value may be made of. IREE merges the loops of up to four fusions at last, so that four results may be
#: written, and the program's constants are one array.
MOST_ARRAYS = MOST_BINDINGS - 5
#: The same for what lies in the block's buffer: IREE refuses programs with more than 64 constants to a dispatch.
MOST_INSIDE = 56
#: Divides the program for good, into runs with buffers of their own between them, where `BARRIER` keeps from fusing only.
_DIVIDER = "stablehlo.optimization_barrier"
#: The dialects whose operations are fused with others.
_FUSED = ("stablehlo.", "chlo.")
#: What is not fused with what uses it, besides contractions and updates in place.
_ALONE = ("stablehlo.concatenate", "stablehlo.custom_call", _DIVIDER)
_SLICE = "stablehlo.slice"


def split_wide_fusions(module: ir.Module, platform: str) -> None:
    """Puts barriers into a module that is free of structured control flow.

    Programs with few arguments, results and carried arrays stay as they are.

    Args:
      platform: on GPUs what a block makes counts as others do: of push constants Vulkan has to take 32 only.
    """
    with module.context, ir.Location.unknown():
        wide = [block for function in functions_with_body(module) for block in _wide_blocks(function)]
        if wide:
            run_pipeline(module, "cse")  # as IREE does first of all: what is repeated would be counted twice
        for block in wide:
            _Block(block, together=platform == "cpu").split()


def _wide_blocks(function: ir.Operation) -> Iterator[ir.Block]:
    """The blocks in which enough arrays have buffers of their own for one dispatch to have too many."""
    blocks = list(function.regions[0].blocks)
    for block in blocks:
        known = {*block.arguments, *terminator(block).operands}
        for op in block.operations:
            if op.name == _DIVIDER:
                known.update(op.operands)
            elif len(blocks) > 1:
                known.update(value for value in op.operands if _block(value) != block)
            if len(op.operands) > MOST_ARRAYS // 2:  # scalars, perhaps, which their dispatch writes one by one
                known.update(op.operands)
        if len(known) > MOST_ARRAYS:
            yield block


def _block(value: ir.Value) -> ir.Block:
    op = owner(value)
    return value.owner if op is None else op.block


class _Block:
    """A walk through one block.

    Attributes:
      together: whether what is made here and used here only lies in one buffer that counts as one array.
      inside: the arrays that do, so far.
      made_of: for each value made so far, the arrays that one dispatch could read and write to compute it.
      behind: the barrier's result for each value that has one.
      scalars: the dispatch of scalars that has not ended; `all_scalars` is what was made in any.
    """

    def __init__(self, block: ir.Block, together: bool) -> None:
        self.block, self.end, self.together = block, terminator(block), together
        self.inside: set[ir.Value] = set()
        self.made_of: dict[ir.Value, frozenset] = {}
        self.behind: dict[ir.Value, ir.Value] = {}
        self.scalars = _Scalars()
        self.all_scalars: set[ir.Value] = set()

    def split(self) -> None:
        for op in operations(self.block):
            self._use_barriers(op)
            if op.name == BARRIER:
                self.made_of[op.results[0]] = frozenset((self._place(op.results[0]),))
            if not op.name.startswith(_FUSED) or not op.results:
                continue
            if not op.operands:
                self.made_of[op.results[0]] = frozenset()
                continue
            if _is_scalar(op):
                self._join_scalars(op)
            else:
                # else IREE computes a part of them there and a part in their own dispatch
                self._barrier([value for value in op.operands if value in self.all_scalars], op)
            if op.name in _ALONE or traits_of(op.name).contraction or traits_of(op.name).in_place:
                arrays = frozenset(map(self._place, op.results))
            else:
                arrays = self._fuse(op)
            self.made_of.update((result, arrays) for result in op.results)

    def _use_barriers(self, op: ir.Operation) -> None:
        for i, operand in enumerate(op.operands):
            if operand in self.behind:
                op.operands[i] = self.behind[operand]

    def _fuse(self, op: ir.Operation) -> frozenset:
        """What the results are made of, after barriers before the operands that are made of most."""
        own = frozenset(filter(self._leaves, op.results))
        while self._are_many(arrays := own.union(*map(self._arrays, op.operands))):
            widest = max(op.operands, key=lambda value: len(self._arrays(value)))
            if len(self._arrays(widest)) <= 1:
                break  # more operands than a dispatch takes
            self._barrier([widest], op)
        return arrays

    def _join_scalars(self, op: ir.Operation) -> None:
        if not self.scalars.join(op, self._places, self._are_many):
            self._divide([*self.scalars.waiting, *op.operands], op)
            self.scalars = _Scalars()
            self.scalars.join(op, self._places, self._are_many)
        self.all_scalars.update(op.results)

    def _barrier(self, values: Iterable[ir.Value], op: ir.Operation) -> None:
        """Has an operation, and all that comes behind it, use the values through barriers."""
        for value in dict.fromkeys(values):
            with op.location:
                self.behind[value] = result = behind_barrier(value, before(op))
            self.made_of[result] = frozenset((self._place(value),))
        self._use_barriers(op)

    def _are_many(self, arrays: frozenset | set, written: int = 0) -> bool:
        """Whether one dispatch cannot read and write these, and write so many more."""
        inside = len(self.inside & arrays)
        return len(arrays) - inside + bool(inside) + written > MOST_ARRAYS or inside > MOST_INSIDE

    def _divide(self, values: Iterable[ir.Value], op: ir.Operation) -> None:
        """Has an operation, and all that comes behind it, use the values behind one divider, which all of them are before."""
        values = list(dict.fromkeys(values))
        with op.location:
            made = create(_DIVIDER, values, [value.type for value in values], at=before(op))
        for value, result in zip(values, made.results):
            self.behind[value] = result
            self.made_of[result] = frozenset((self._place(result),))
        self._use_barriers(op)

    def _arrays(self, value: ir.Value) -> frozenset:
        known = self.made_of.get(value)
        return frozenset((value,)) if known is None else known

    def _place(self, value: ir.Value) -> ir.Value:
        """The array in which a value lies."""
        while True:
            op = owner(value)
            if op is None or op.block != self.block or op.name == _DIVIDER or self._leaves(value):
                return value
            if traits_of(op.name).shares != 1:
                if self.together:
                    self.inside.add(value)
                return value
            value = op.operands[0]

    def _places(self, value: ir.Value) -> set[ir.Value]:
        """What a dispatch of scalars reads for one of them: a part of an array is that array, at an offset."""
        op = owner(value)
        whole = self._places(op.operands[0]) if op is not None and op.name == _SLICE else set()
        return {self._place(value), *whole}

    def _leaves(self, value: ir.Value) -> bool:
        """Whether a value made here is written to an array of which others know."""
        users = [use.owner.operation for use in value.uses]
        return any(
            user.block != self.block or user == self.end or user.name == _DIVIDER or traits_of(user.name).in_place
            for user in users
        )


class _Scalars:
    """The operations on scalars of one dispatch.

    Attributes:
      read: the arrays that they read.
      made: their results.
      waiting: how many uses are still to come, for each result that has some. Each of these is an array by itself: only
        what is read lies together.
    """

    def __init__(self) -> None:
        self.read: set = set()
        self.made: set[ir.Value] = set()
        self.waiting: dict[ir.Value, int] = {}

    def join(self, op: ir.Operation, places: Callable[[ir.Value], set], are_many: Callable[..., bool]) -> bool:
        """Adds an operation, if there are not too many arrays then; the first is always added."""
        read = self.read.union(*(places(operand) for operand in op.operands if operand not in self.made))
        waiting = dict(self.waiting)
        for operand in op.operands:
            if operand in waiting:
                waiting[operand] -= 1
        waiting |= {result: sum(1 for _ in result.uses) for result in op.results}
        waiting = {value: uses for value, uses in waiting.items() if uses}
        if self.made and are_many(read, len(waiting)):
            return False
        self.read, self.waiting = read, waiting
        self.made.update(op.results)
        return True


def _is_scalar(op: ir.Operation) -> bool:
    """Whether an operation makes scalars of scalars."""
    return bool(op.operands) and all(map(_has_one_element, (*op.results, *op.operands)))


def _has_one_element(value: ir.Value) -> bool:
    return isinstance(value.type, ir.RankedTensorType) and math.prod(value.type.shape) == 1
