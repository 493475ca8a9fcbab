"""Scatter inside of a kernel: one `dynamic_update_slice` for each index, in a loop over the indices.

IREE's own lowering goes to an op that a kernel of ours cannot hold. An update whose window is out of range is dropped
(StableHLO, scatter), while a dynamic_update_slice would be moved inside: such a window is written back as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sable.ir.bindings import ir

from ..ir_tools import before, comparison_direction, create, operations, signless, terminator
from .not_a_kernel import NotAKernel

_COMBINERS = (
    "stablehlo.add",
    "stablehlo.multiply",
    "stablehlo.minimum",
    "stablehlo.maximum",
    "stablehlo.and",
    "stablehlo.or",
    "stablehlo.xor",
    "stablehlo.subtract",
)


def expand_scatter(op: ir.Operation) -> None:
    """Replaces a scatter of one operand.

    Raises:
      NotAKernel: for batching dimensions, several operands, or a combiner that is not one op of both arguments.
    """
    with op.location:
        result = _ScatterExpander(op).run()
    op.results[0].replace_all_uses_with(result)
    op.erase()


@dataclass(frozen=True)
class _Dimensions:
    """`#stablehlo.scatter<...>`, by field."""

    update_window: tuple[int, ...]
    inserted: tuple[int, ...]
    scattered: tuple[int, ...]
    index_vector: int

    @staticmethod
    def of(op: ir.Operation) -> _Dimensions:
        text = str(op.attributes["scatter_dimension_numbers"])
        if "batching_dims" in text:
            raise NotAKernel("scatter with batching dimensions")

        def listed(name: str) -> tuple[int, ...]:
            found = re.search(name + r" = \[([\d, ]*)\]", text)
            return tuple(int(n) for n in found.group(1).split(",")) if found else ()

        vector = re.search(r"index_vector_dim = (\d+)", text)
        return _Dimensions(
            listed("update_window_dims"),
            listed("inserted_window_dims"),
            listed("scatter_dims_to_operand_dims"),
            int(vector.group(1)) if vector else 0,
        )


class _ScatterExpander:
    def __init__(self, op: ir.Operation) -> None:
        if len(op.operands) != 3:
            raise NotAKernel("scatter of several operands")
        self.op = op
        self.operand, self.indices, self.updates = op.operands
        self.dimensions = _Dimensions.of(op)
        self.combiner = self._combiner()
        self.index_type = ir.RankedTensorType.get([], self.indices.type.element_type)
        updates = list(self.updates.type.shape)
        windows = self.dimensions.update_window
        self.batch = [d for d in range(len(updates)) if d not in windows]
        self.count = 1
        for d in self.batch:
            self.count *= updates[d]
        self.window = self._window([updates[d] for d in windows])

    def _combiner(self) -> str | None:
        """The op that joins old and new; None where the new value replaces the old one."""
        block = self.op.regions[0].blocks[0]
        old, new = block.arguments
        returned = terminator(block).operands[0]
        if returned == new:
            return None
        inner = operations(block)
        if len(inner) == 2 and inner[0].name in _COMBINERS and list(inner[0].operands) in ([old, new], [new, old]):
            if inner[0].name == "stablehlo.subtract" and list(inner[0].operands) != [old, new]:
                raise NotAKernel("scatter which subtracts the old value")
            return inner[0].name
        raise NotAKernel("scatter with a combiner of several ops")

    def _window(self, sizes: list[int]) -> list[int]:
        """The update window's size in every dimension of the operand."""
        rest = iter(sizes)
        rank = len(self.operand.type.shape)
        return [1 if d in self.dimensions.inserted else next(rest) for d in range(rank)]

    def run(self) -> ir.Value:
        """All updates in row-major order of the batch dimensions: one in place, more by a loop."""
        rows = self._rows()
        windows = self._windows()
        if self.count == 1:
            zero = self._number(0, before(self.op), self.index_type)
            return self._update(self.operand, rows, windows, zero, before(self.op))
        return self._loop(rows, windows)

    def _rows(self) -> ir.Value:
        """The index vectors as the rows of a matrix."""
        type, vector = self.indices.type, self.dimensions.index_vector
        element = type.element_type
        rank = len(type.shape)
        if vector not in (rank, rank - 1):
            raise NotAKernel("scatter whose index vectors are not its indices' last dimension")
        length = len(self.dimensions.scattered)
        return self._reshape(self.indices, [self.count, length], element)

    def _windows(self) -> ir.Value:
        """The updates with batch dimensions first, flattened, and the window in the operand's rank."""
        type = self.updates.type
        order = [*self.batch, *self.dimensions.update_window]
        value = self.updates
        if order != list(range(len(order))):
            turned = ir.RankedTensorType.get([type.shape[d] for d in order], type.element_type)
            permutation = ir.DenseI64ArrayAttr.get(order)
            value = create("stablehlo.transpose", [value], [turned], at=before(self.op), permutation=permutation).result
        return self._reshape(value, [self.count, *self.window], type.element_type)

    def _reshape(self, value: ir.Value, shape: list[int], element: ir.Type) -> ir.Value:
        return create(
            "stablehlo.reshape", [value], [ir.RankedTensorType.get(shape, element)], at=before(self.op)
        ).result

    def _loop(self, rows: ir.Value, windows: ir.Value) -> ir.Value:
        place, op = before(self.op), self.op
        counter = ir.RankedTensorType.get([], signless(32))
        types = [counter, self.operand.type]
        loop = create("stablehlo.while", [self._number(0, place, counter), self.operand], types, at=place, regions=2)
        condition, body = (region.blocks.append(*types, arg_locs=[op.location] * 2) for region in loop.regions)
        at = ir.InsertionPoint(condition)
        more = self._compare(condition.arguments[0], self._number(self.count, at, counter), "LT", at)
        create("stablehlo.return", [more], at=at)
        at = ir.InsertionPoint(body)
        i, state = body.arguments
        following = create("stablehlo.add", [i, self._number(1, at, counter)], [counter], at=at).result
        row = i
        if self.index_type != counter:
            row = create("stablehlo.convert", [i], [self.index_type], at=at).result
        create("stablehlo.return", [following, self._update(state, rows, windows, row, at)], at=at)
        return loop.results[1]

    def _update(self, state, rows, windows, row: ir.Value, at: ir.InsertionPoint) -> ir.Value:
        """The state with the update of one row; unchanged if the window does not lie inside."""
        zero = self._number(0, at, self.index_type)
        shape = list(self.operand.type.shape)
        starts, inside = [zero] * len(shape), None
        for k, d in enumerate(self.dimensions.scattered):
            at_k = self._number(k, at, self.index_type)
            start = self._scalar(self._slice(rows, [row, at_k], [1, 1], at), at)
            last = self._number(shape[d] - self.window[d], at, self.index_type)
            for bound in (self._compare(start, zero, "GE", at), self._compare(start, last, "LE", at)):
                inside = bound if inside is None else self._and(inside, bound, at)
            starts[d] = start
        old = self._slice(state, starts, self.window, at)
        update = self._slice(windows, [row] + [zero] * len(shape), [1, *self.window], at)
        new = create("stablehlo.reshape", [update], [old.type], at=at).result
        if self.combiner is not None:
            new = create(self.combiner, [old, new], [old.type], at=at).result
        if inside is not None:
            new = create("stablehlo.select", [inside, new, old], [old.type], at=at).result
        return create("stablehlo.dynamic_update_slice", [state, new, *starts], [state.type], at=at).result

    def _number(self, value: int, at: ir.InsertionPoint, type: ir.Type) -> ir.Value:
        constant = ir.Attribute.parse(f"dense<{value}> : {type}")
        return create("stablehlo.constant", [], [type], at=at, value=constant).result

    def _slice(self, value, starts, sizes, at: ir.InsertionPoint) -> ir.Value:
        type = ir.RankedTensorType.get(sizes, value.type.element_type)
        sizes = ir.DenseI64ArrayAttr.get(sizes)
        return create("stablehlo.dynamic_slice", [value, *starts], [type], at=at, slice_sizes=sizes).result

    def _scalar(self, value, at: ir.InsertionPoint) -> ir.Value:
        return create("stablehlo.reshape", [value], [self.index_type], at=at).result

    def _compare(self, left, right, direction: str, at: ir.InsertionPoint) -> ir.Value:
        boolean = ir.RankedTensorType.get([], signless(1))
        return create(
            "stablehlo.compare",
            [left, right],
            [boolean],
            at=at,
            comparison_direction=comparison_direction(direction),
        ).result

    def _and(self, left, right, at: ir.InsertionPoint) -> ir.Value:
        return create("stablehlo.and", [left, right], [left.type], at=at).result
