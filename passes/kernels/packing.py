"""Many arrays in few buffers: a dispatch takes so many at most, a loop may carry any number.

The largest arrays keep buffers of their own. The others lie one after another in one buffer of bytes: they are copied there
before the dispatch, and what comes out is cut from another one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sable.ir.bindings import ir

from ..ir_tools import create, signless, tensor_like

#: Arrays that a dispatch can be given: IREE 3.13 refuses more when the program is run.
MOST_BINDINGS = 32
#: Bytes: a cache line, and IREE's alignment of bindings.
ALIGNMENT = 64

_BITS = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64, "complex<f32>": 64, "complex<f64>": 128, "index": 64}


@dataclass(frozen=True)
class Packing:
    """Where arrays lie.

    Attributes:
      own: those that have a buffer of their own, in the order of the buffers.
      offsets: the bytes at which the others begin in the common buffer, which comes last.
      size: bytes of the common buffer; 0 if there is none.
    """

    own: tuple[int, ...]
    offsets: dict[int, int]
    size: int

    @property
    def buffers(self) -> int:
        return len(self.own) + bool(self.size)

    def pack(self, values: Sequence[ir.Value], at: ir.InsertionPoint) -> list[ir.Value]:
        """The buffers of some tensors of signless types."""
        buffers = [values[i] for i in self.own]
        if self.size:
            common = create("flow.tensor.empty", [], [byte_tensor(self.size)], at=at).result
            for i, offset in self.offsets.items():
                common = _update(common, offset, _as_bytes(values[i], at), at)
            buffers.append(common)
        return buffers

    def types(self, types: Sequence[ir.Type]) -> list[ir.Type]:
        """The types of the buffers, for tensors of those types."""
        return [types[i] for i in self.own] + [byte_tensor(self.size)] * bool(self.size)

    def unpack(self, buffers: Sequence[ir.Value], types: Sequence[ir.Type], at: ir.InsertionPoint) -> list[ir.Value]:
        """The tensors in some buffers."""
        found = dict(zip(self.own, buffers))
        found |= {i: _from_bytes(buffers[-1], offset, types[i], at) for i, offset in self.offsets.items()}
        return [found[i] for i in range(len(types))]


def packings(inputs: Sequence[ir.Type], outputs: Sequence[ir.Type]) -> tuple[Packing, Packing]:
    """How a dispatch can be given its inputs and outputs, and one buffer of scratch memory besides."""
    most = MOST_BINDINGS - 1
    if len(inputs) + len(outputs) <= most:
        return _packing(inputs, most), _packing(outputs, most)
    half = most // 2
    return _packing(inputs, max(half, most - len(outputs))), _packing(outputs, max(half, most - len(inputs)))


def _packing(types: Sequence[ir.Type], most: int) -> Packing:
    """At most so many buffers."""
    everything = range(len(types))
    if len(types) <= most:
        return Packing(tuple(everything), {}, 0)
    sizes = [padded_size(type) for type in types]
    own = sorted(sorted(everything, key=lambda i: -sizes[i])[: most - 1])
    offsets, end = {}, 0
    for i in everything:
        if i not in own:
            offsets[i] = end
            end += sizes[i]
    return Packing(tuple(own), offsets, end)


def padded_size(type: ir.Type) -> int:
    """Bytes from the beginning of an array to that of the next."""
    return -(-_size(type) // ALIGNMENT) * ALIGNMENT


def byte_tensor(size: int) -> ir.RankedTensorType:
    return ir.RankedTensorType.get([size], signless(8))


def _size(type: ir.Type) -> int:
    element = type.element_type
    bits = element.width if isinstance(element, ir.IntegerType) else _BITS[str(element)]
    return math.prod(type.shape) * max(1, bits // 8)


def _as_bytes(value: ir.Value, at: ir.InsertionPoint) -> ir.Value:
    if _is_boolean(value.type):
        value = create("stablehlo.convert", [value], [tensor_like(value.type, signless(8))], at=at).result
    return _bitcast(value, byte_tensor(_size(value.type)), at)


def _from_bytes(buffer: ir.Value, offset: int, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    length = _size(type)
    segments = ir.DenseI32ArrayAttr.get([1, 0, 1, 1, 0])
    places = [_index(offset, at), _index(length, at)]
    found = create(
        "flow.tensor.slice", [buffer, *places], [byte_tensor(length)], at=at, operandSegmentSizes=segments
    ).result
    if _is_boolean(type):
        return create("stablehlo.convert", [_bitcast(found, tensor_like(type, signless(8)), at)], [type], at=at).result
    return _bitcast(found, type, at)


def _update(buffer: ir.Value, offset: int, value: ir.Value, at: ir.InsertionPoint) -> ir.Value:
    segments = ir.DenseI32ArrayAttr.get([1, 0, 1, 1, 0])
    operands = [buffer, _index(offset, at), value]
    return create("flow.tensor.update", operands, [buffer.type], at=at, operandSegmentSizes=segments).result


def _bitcast(value: ir.Value, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    segments = ir.DenseI32ArrayAttr.get([1, 0, 0])
    return create("flow.tensor.bitcast", [value], [type], at=at, operandSegmentSizes=segments).result


def _index(value: int, at: ir.InsertionPoint) -> ir.Value:
    index = ir.IndexType.get()
    return create("arith.constant", [], [index], at=at, value=ir.IntegerAttr.get(index, value)).result


def _is_boolean(type: ir.Type) -> bool:
    return type.element_type == signless(1)
