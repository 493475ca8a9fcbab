"""The shell around a kernel's code: an `hal.executable.source` which IREE takes as it is, and its dispatch."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from sable.ir.bindings import ir
from sable.passes.ir_tools import (
    at_start,
    create,
    functions_with_body,
    operations,
    reinterpret,
    signless,
    signless_tensor,
    walk,
)

from .not_a_kernel import NotAKernel
from .packing import ALIGNMENT, Packing, byte_tensor, packings, padded_size

#: Bytes of buffers on the kernel's stack; the rest goes to a scratch binding. IREE refuses more than 32,768 in all.
STACK_LIMIT = 16384


@dataclass(frozen=True)
class Kernel:
    """A finished kernel.

    Attributes:
      module: holds the function of buffers (inputs, outputs, scratch) and its globals.
      inputs, outputs: the tensor types it was made from.
      scratch: bytes of scratch memory that it wants as one further output.
      workgroups: how often it runs, for as many pieces of its work, which may be on several cores.
    """

    module: ir.Module
    inputs: tuple[ir.Type, ...]
    outputs: tuple[ir.Type, ...]
    scratch: int
    workgroups: int = 1

    @property
    def packings(self) -> tuple[Packing, Packing]:
        """Where the inputs and the outputs lie when it is dispatched."""
        return packings(self.inputs, self.outputs)


def place_buffers(function: ir.Operation) -> int:
    """Puts the kernel's own buffers on its stack while they fit, else in scratch memory; returns the scratch's bytes.

    All of them are static, and none lives longer than a trip of its loop, so each gets one place for good.
    """
    entry = function.regions[0].blocks[0]
    buffers = [op for op in walk(entry) if op.name in ("memref.alloc", "memref.alloca")]
    used, scratch, views = 0, 0, []
    with function.location:
        for op in buffers:
            size = _padded_size(op.results[0].type)
            if used + size <= STACK_LIMIT:
                used += size
                op.results[0].replace_all_uses_with(_on_stack(entry, op.results[0].type))
            else:
                views.append((op, scratch))
                scratch += size
        if views:
            _view_scratch(entry, views, scratch)
        for op in buffers:
            op.erase()
    return scratch


def _on_stack(entry: ir.Block, type: ir.Type) -> ir.Value:
    none = ir.DenseI32ArrayAttr.get([0, 0])
    alignment = ir.IntegerAttr.get(signless(64), ALIGNMENT)
    return create("memref.alloca", [], [type], at=at_start(entry), alignment=alignment, operandSegmentSizes=none).result


def _view_scratch(entry: ir.Block, views: list[tuple[ir.Operation, int]], size: int) -> None:
    type = _bytes(size)
    argument = entry.add_argument(type, ir.Location.unknown(type.context))
    at = at_start(entry)
    for op, offset in views:
        op.results[0].replace_all_uses_with(_view(argument, offset, op.results[0].type, at))


def _bytes(size: int) -> ir.MemRefType:
    return ir.MemRefType.get([size], signless(8))


def _view(buffer: ir.Value, offset: int, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """What begins at an offset of a buffer of bytes."""
    index = ir.IndexType.get()
    place = create("arith.constant", [], [index], at=at, value=ir.IntegerAttr.get(index, offset)).result
    return create("memref.view", [buffer, place], [type], at=at).result


def _padded_size(type: ir.Type) -> int:
    type = ir.MemRefType(type)
    if not type.has_static_shape:
        raise NotAKernel(f"a buffer of dynamic size: {type}")
    return padded_size(type)


def embed(kernel: Kernel, name: str, main: ir.Module) -> None:
    """Adds the kernel to a module as the executable `name` with the entry point `name`."""
    shell = ir.Module.parse(_shell(kernel, name), main.context)
    executable = operations(shell.body)[0]
    inner = next(op for op in operations(executable.regions[0].blocks[0]) if op.name == "builtin.module")
    block = inner.regions[0].blocks[0]
    (source,) = functions_with_body(kernel.module)
    target = operations(block)[0]
    for op in operations(kernel.module.body):
        if op != source:
            op.move_before(target)
    body = source.regions[0].blocks[0]
    layout = next(op for op in walk(executable.regions[0].blocks[0]) if op.name == "hal.executable.export")
    with source.location:
        _bind_arguments(kernel, body, layout.attributes["layout"])
    for op in operations(target.regions[0].blocks[0]):
        op.erase()
    for op in operations(body):
        target.regions[0].blocks[0].append(op)
    executable.move_before(operations(main.body)[0])


def _bind_arguments(kernel: Kernel, body: ir.Block, layout: ir.Attribute) -> None:
    at, number = at_start(body), itertools.count()
    rest = list(body.arguments)
    for packing, types in zip(kernel.packings, (kernel.inputs, kernel.outputs)):
        side, rest = rest[: len(types)], rest[len(types) :]
        for i in packing.own:
            side[i].replace_all_uses_with(_binding(next(number), side[i].type, layout, at))
        if packing.size:
            common = _binding(next(number), _bytes(packing.size), layout, at)
            for i, offset in packing.offsets.items():
                side[i].replace_all_uses_with(_view(common, offset, side[i].type, at))
    for scratch in rest:
        scratch.replace_all_uses_with(_binding(next(number), scratch.type, layout, at))


def _binding(number: int, type: ir.Type, layout: ir.Attribute, at: ir.InsertionPoint) -> ir.Value:
    """A buffer that the dispatch is given."""
    index = ir.IndexType.get()
    zero = create("arith.constant", [], [index], at=at, value=ir.IntegerAttr.get(index, 0)).result
    return create(
        "hal.interface.binding.subspan",
        [zero],
        [type],
        at=at,
        layout=layout,
        binding=ir.IntegerAttr.get(index, number),
        alignment=ir.IntegerAttr.get(index, ALIGNMENT),
        operandSegmentSizes=ir.DenseI32ArrayAttr.get([1, 0]),
    ).result


def _shell(kernel: Kernel, name: str) -> str:
    read, written = (packing.buffers for packing in kernel.packings)
    bindings = ["#hal.pipeline.binding<storage_buffer, ReadOnly>"] * read
    bindings += ["#hal.pipeline.binding<storage_buffer>"] * (written + bool(kernel.scratch))
    layout = f"#hal.pipeline.layout<bindings = [{', '.join(bindings)}]>"
    return f"""
      hal.executable.source private @{name} {{
        hal.executable.export public @{name} ordinal(0) layout({layout})
            count(%device: !hal.device) -> (index, index, index) {{
          %one = arith.constant 1 : index
          %count = arith.constant {kernel.workgroups} : index
          hal.return %count, %one, %one : index, index, index
        }}
        builtin.module {{
          func.func @{name}() attributes {{translation_info =
              #iree_codegen.translation_info<pipeline = #iree_codegen.no_pipeline>}} {{
            return
          }}
        }}
      }}"""


def dispatch(kernel: Kernel, name: str, operands: list[ir.Value], at: ir.InsertionPoint) -> list[ir.Value]:
    """Emits the call of an embedded kernel; returns its results in the types it was made from."""
    ins, outs = kernel.packings
    inputs = ins.pack([reinterpret(v, signless_tensor(v.type), at) for v in operands], at)
    outputs = [signless_tensor(t) for t in kernel.outputs]
    types = outs.types(outputs)
    if kernel.scratch:
        types.append(byte_tensor(kernel.scratch))
    index = ir.IndexType.get()
    call = create(
        "flow.dispatch",
        inputs,
        types,
        at=at,
        entry_points=ir.ArrayAttr.get([ir.SymbolRefAttr.get([name, name])]),
        operandSegmentSizes=ir.DenseI32ArrayAttr.get([0, len(inputs), 0, 0]),
        tied_operands=ir.ArrayAttr.get([ir.IntegerAttr.get(index, -1)] * len(types)),
    )
    results = outs.unpack(call.results[: outs.buffers], outputs, at)
    return [reinterpret(value, type, at) for value, type in zip(results, kernel.outputs)]
