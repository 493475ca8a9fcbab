"""A StableHLO function with loops -> the same over memory: what `one-shot-bufferize` can finish rightly.

Each `stablehlo.while` becomes an `scf.while` that carries SSA integers only; every other carry lives in a buffer (its
*state*), read by `bufferization.to_tensor` and written back at the end of the body. So bufferisation never sees a
loop-carried tensor, which it refuses unless it is yielded in place.
"""

from __future__ import annotations

import math

from sable.ir.bindings import ir

from ..ir_tools import (
    BRANCHES,
    at_start,
    before,
    create,
    operations,
    owner,
    signless,
    signless_tensor,
    terminator,
    walk,
)
from ..legalize.loops_to_blocks import drop_all_invariant_carries
from ..legalize.scalar_carries import ScalarEmitter, find_scalar_carries, place_outside, scalar_integer_type

#: Ops whose result may be a view of their first operand, once it is in memory.
_VIEWS = (
    "stablehlo.reshape",
    "stablehlo.slice",
    "stablehlo.dynamic_slice",
    "stablehlo.dynamic_update_slice",
    "stablehlo.convert",
    "stablehlo.bitcast_convert",
    "stablehlo.transpose",
    "stablehlo.broadcast_in_dim",
    "builtin.unrealized_conversion_cast",
)

#: Elements from which on a dynamic slice gets memory of its own: a vector's worth.
SMALLEST_COPY = 16


def buffer_type(type: ir.Type) -> ir.MemRefType:
    type = signless_tensor(type)
    return ir.MemRefType.get(type.shape, type.element_type)


class LoopsInMemory:
    """Rewrites one function of tensors into a function of buffers: inputs, then outputs, and no result."""

    def __init__(self, function: ir.Operation) -> None:
        self.function = function
        self.entry = function.regions[0].blocks[0]
        self.outputs: set[ir.Value] = set()

    def run(self) -> None:
        with self.function.location:
            # first, since a result that turns out to be another carry must be seen as one (see _Loop._own)
            drop_all_invariant_carries(self.entry)
            for op in list(walk(self.entry)):
                if op.name == "stablehlo.dynamic_slice":
                    _copy_slice(op)
            self._bind()
            self._walk(self.entry)

    def _bind(self) -> None:
        """Gives the function its buffers as arguments."""
        function, entry = self.function, self.entry
        type = ir.FunctionType(ir.TypeAttr(function.attributes["function_type"]).value)
        count = len(type.inputs)
        inputs = [entry.add_argument(buffer_type(t), function.location) for t in type.inputs]
        outputs = [entry.add_argument(buffer_type(t), function.location) for t in type.results]
        self.outputs.update(outputs)
        back = terminator(entry)
        for i, (buffer, tensor_type) in enumerate(zip(inputs, type.inputs)):
            entry.arguments[i].replace_all_uses_with(self.read(buffer, tensor_type, at_start(entry), writable=False))
        for value, buffer in zip(list(back.operands), outputs):
            self.write(value, buffer, before(back))
        create("func.return", at=before(back))
        back.erase()
        for i in reversed(range(count)):
            entry.erase_argument(i)
        arguments = [argument.type for argument in entry.arguments]
        function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(arguments, []))
        for name in ("arg_attrs", "res_attrs"):
            if name in function.attributes:
                del function.attributes[name]

    def _walk(self, block: ir.Block) -> None:
        for op in operations(block):
            if op.name == "stablehlo.while":
                _Loop(self, op).run()
            elif op.name in BRANCHES:
                for region in op.regions:
                    self._walk(region.blocks[0])

    def walk_loop(self, loop: ir.Operation) -> None:
        for region in loop.regions:
            self._walk(region.blocks[0])

    def read(self, buffer: ir.Value, type: ir.Type, at: ir.InsertionPoint, *, writable: bool) -> ir.Value:
        """The tensor in a buffer. `writable` lets bufferisation update it in place."""
        attributes = {"restrict": ir.UnitAttr.get()}
        if writable:
            attributes["writable"] = ir.UnitAttr.get()
        tensor = create("bufferization.to_tensor", [buffer], [signless_tensor(type)], at=at, **attributes).result
        return cast(tensor, type, at)

    def write(self, value: ir.Value, buffer: ir.Value, at: ir.InsertionPoint) -> None:
        value = cast(value, signless_tensor(value.type), at)
        unit = ir.UnitAttr.get()
        create("bufferization.materialize_in_destination", [value, buffer], at=at, restrict=unit, writable=unit)

    def allocate(self, type: ir.Type) -> ir.Value:
        none = ir.DenseI32ArrayAttr.get([0, 0])
        at = at_start(self.entry)
        return create("memref.alloc", [], [buffer_type(type)], at=at, operandSegmentSizes=none).result

    def output_of(self, value: ir.Value) -> ir.Value | None:
        """The output that a top-level value is written to: its loop may work there. (An inner loop may not work in
        the outer one's state: the old value may still be read.)"""
        if owner(value).block != self.entry:
            return None
        for use in value.uses:
            user = use.owner.operation
            if user.name == "bufferization.materialize_in_destination" and user.operands[1] in self.outputs:
                return user.operands[1]
        return None


def _copy_slice(op: ir.Operation) -> None:
    """Gives a dynamic slice its own memory: vectorisation refuses views with an offset, and a row is quickly copied."""
    value = op.results[0]
    if math.prod(value.type.shape) < SMALLEST_COPY:
        return
    users = [use.owner.operation for use in value.uses]
    while len(users) == 1 and users[0].name == "stablehlo.reshape":
        value = users[0].results[0]
        users = [use.owner.operation for use in value.uses]
    with op.location:
        copied = own_copy(value, ir.InsertionPoint.after(owner(value)))
    for user in users:
        for i, operand in enumerate(user.operands):
            if operand == value:
                user.operands[i] = copied


def own_copy(value: ir.Value, at: ir.InsertionPoint) -> ir.Value:
    """The value in memory of its own."""
    plain = cast(value, signless_tensor(value.type), at)
    sizes = ir.DenseI32ArrayAttr.get([0, 1, 0])
    copied = create("bufferization.alloc_tensor", [plain], [plain.type], at=at, operandSegmentSizes=sizes).result
    return cast(copied, value.type, at)


def cast(value: ir.Value, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """Between a signed or unsigned tensor type and its signless twin; the conversion to linalg removes it."""
    if value.type == type:
        return value
    return create("builtin.unrealized_conversion_cast", [value], [type], at=at).result


class _Loop:
    """One `stablehlo.while` on its way to `scf.while`."""

    def __init__(self, memory: LoopsInMemory, loop: ir.Operation) -> None:
        self.memory, self.loop = memory, loop
        self.scalars = find_scalar_carries(loop)
        carries = range(len(loop.results))
        self.in_memory = [i for i in carries if i not in self.scalars.carries]
        self.states: dict[int, ir.Value] = {}
        self.place = before(loop)

    def run(self) -> None:
        with self.loop.location:
            self._start()
            self._condition(self.loop.regions[0].blocks[0])
            self._body(self.loop.regions[1].blocks[0])
            self._finish()
        self.memory.walk_loop(self.new)

    def _start(self) -> None:
        taken: set[ir.Value] = set()
        for i in self.in_memory:
            output = self.memory.output_of(self.loop.results[i])
            if output is None or output in taken:
                output = self.memory.allocate(self.loop.results[i].type)
            taken.add(output)
            self.states[i] = output
            self.memory.write(self.loop.operands[i], output, self.place)
        emitter = ScalarEmitter({}, self.place, lambda value: self.place)
        starts = [emitter.emit(self.loop.operands[i]) for i in self.scalars.carries]
        types = [scalar_integer_type(self.loop.results[i]) for i in self.scalars.carries]
        self.new = create("scf.while", starts, types, at=self.place, regions=2)
        self.read_at = place_outside(self.new, self.scalars.inside)

    def _add_scalars(self, block: ir.Block) -> dict[int, ir.Value]:
        results = self.loop.results
        return {
            i: block.add_argument(scalar_integer_type(results[i]), results[i].owner.location)
            for i in self.scalars.carries
        }

    def _condition(self, block: ir.Block) -> None:
        old, scalars, end = list(block.arguments), self._add_scalars(block), terminator(block)
        predicate = end.operands[0]
        if self.scalars.predicate:
            known = {old[i]: value for i, value in scalars.items()}
            flag = ScalarEmitter(known, before(end), self.read_at).emit(predicate)
        else:
            flag = create("tensor.extract", [predicate], [signless(1)], at=before(end)).result
        create("scf.condition", [flag, *scalars.values()], at=before(end))
        self._replace_arguments(block, old, scalars, end, writable=False)
        block.append_to(self.new.regions[0])

    def _body(self, block: ir.Block) -> None:
        old, scalars, end = list(block.arguments), self._add_scalars(block), terminator(block)
        known = {old[i]: value for i, value in scalars.items()}
        emitter = ScalarEmitter(known, before(end), self.read_at)
        following = [emitter.emit(end.operands[i]) for i in self.scalars.carries]
        values = [self._own(end.operands[i], old[i], end) for i in self.in_memory]
        for i, value in zip(self.in_memory, values):
            self.memory.write(value, self.states[i], before(end))
        create("scf.yield", following, at=before(end))
        self._replace_arguments(block, old, scalars, end, writable=True)
        block.append_to(self.new.regions[1])

    def _own(self, value: ir.Value, carry: ir.Value, end: ir.Operation) -> ir.Value:
        """The value, or a copy if it may be a view of anything but its carry: all are read before one is written."""
        root = value
        while (op := owner(root)) is not None and op.name in _VIEWS:
            root = op.operands[0]
        shared = root != carry if op is None else op.name in BRANCHES
        if not shared:
            return value
        return own_copy(value, before(end))

    def _replace_arguments(self, block, old, scalars, end: ir.Operation, *, writable: bool) -> None:
        end.erase()
        at = at_start(block)
        for i, argument in enumerate(old):
            argument.replace_all_uses_with(self._value(i, scalars, argument.type, at, writable))
        for i in reversed(range(len(old))):
            block.erase_argument(i)

    def _value(self, i: int, scalars, type: ir.Type, at: ir.InsertionPoint, writable: bool) -> ir.Value:
        if i in scalars:
            return create("tensor.from_elements", [scalars[i]], [type], at=at).result
        return self.memory.read(self.states[i], type, at, writable=writable)

    def _finish(self) -> None:
        scalars = dict(zip(self.scalars.carries, self.new.results))
        for i, result in enumerate(self.loop.results):
            result.replace_all_uses_with(self._value(i, scalars, result.type, self.place, writable=False))
        self.loop.erase()
