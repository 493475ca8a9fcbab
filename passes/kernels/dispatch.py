"""The shell around a kernel's code: an `hal.executable.source` which IREE takes as it is, and its dispatch."""

from __future__ import annotations

from dataclasses import dataclass

from sable.ir.bindings import ir
from sable.passes.ir_tools import at_start, create, functions_with_body, operations, signless, walk

from .loop_state import signless_tensor
from .not_a_kernel import NotAKernel

#: Bytes of buffers on the kernel's stack; the rest goes to a scratch binding. IREE refuses more than 32,768 in all.
STACK_LIMIT = 16384
#: Arrays that a dispatch can be given: IREE 3.13 refuses more when the program is run.
MOST_BINDINGS = 32
_ALIGNMENT = 64  # bytes: a cache line, and IREE's alignment of bindings

_BITS = {"f16": 16, "bf16": 16, "f32": 32, "f64": 64, "complex<f32>": 64, "complex<f64>": 128, "index": 64}


@dataclass(frozen=True)
class Kernel:
    """A finished kernel.

    Attributes:
      module: holds the function of buffers (inputs, outputs, scratch) and its globals.
      inputs, outputs: the tensor types it was made from.
      scratch: bytes of scratch memory that it wants as one further output.
    """

    module: ir.Module
    inputs: tuple[ir.Type, ...]
    outputs: tuple[ir.Type, ...]
    scratch: int


def check_bindings(arrays: int) -> None:
    """Raises NotAKernel for more inputs and outputs than a dispatch takes beside the kernel's scratch memory."""
    if arrays >= MOST_BINDINGS:
        raise NotAKernel(f"{arrays} arrays go in and out, a dispatch takes {MOST_BINDINGS - 1} and scratch memory")


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
    alignment = ir.IntegerAttr.get(signless(64), _ALIGNMENT)
    return create("memref.alloca", [], [type], at=at_start(entry), alignment=alignment, operandSegmentSizes=none).result


def _view_scratch(entry: ir.Block, views: list[tuple[ir.Operation, int]], size: int) -> None:
    type = ir.MemRefType.get([size], signless(8))
    argument = entry.add_argument(type, ir.Location.unknown(type.context))
    at = at_start(entry)
    index = ir.IndexType.get()
    for op, offset in views:
        place = create("arith.constant", [], [index], at=at, value=ir.IntegerAttr.get(index, offset)).result
        view = create("memref.view", [argument, place], [op.results[0].type], at=at).result
        op.results[0].replace_all_uses_with(view)


def _padded_size(type: ir.Type) -> int:
    type = ir.MemRefType(type)
    if not type.has_static_shape:
        raise NotAKernel(f"a buffer of dynamic size: {type}")
    size = _element_bytes(type.element_type)
    for extent in type.shape:
        size *= extent
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _element_bytes(element: ir.Type) -> int:
    bits = element.width if isinstance(element, ir.IntegerType) else _BITS[str(element)]
    return max(1, bits // 8)


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
        _bind_arguments(body, layout.attributes["layout"])
    for op in operations(target.regions[0].blocks[0]):
        op.erase()
    for op in operations(body):
        target.regions[0].blocks[0].append(op)
    executable.move_before(operations(main.body)[0])


def _bind_arguments(body: ir.Block, layout: ir.Attribute) -> None:
    at, index = at_start(body), ir.IndexType.get()
    zero = create("arith.constant", [], [index], at=at, value=ir.IntegerAttr.get(index, 0)).result
    sizes = ir.DenseI32ArrayAttr.get([1, 0])
    for i, argument in enumerate(body.arguments):
        binding = create(
            "hal.interface.binding.subspan",
            [zero],
            [argument.type],
            at=at,
            layout=layout,
            binding=ir.IntegerAttr.get(index, i),
            alignment=ir.IntegerAttr.get(index, _ALIGNMENT),
            operandSegmentSizes=sizes,
        )
        argument.replace_all_uses_with(binding.result)


def _shell(kernel: Kernel, name: str) -> str:
    outputs = len(kernel.outputs) + bool(kernel.scratch)
    read = "#hal.pipeline.binding<storage_buffer, ReadOnly>"
    write = "#hal.pipeline.binding<storage_buffer>"
    layout = f"#hal.pipeline.layout<bindings = [{', '.join([read] * len(kernel.inputs) + [write] * outputs)}]>"
    return f"""
      hal.executable.source private @{name} {{
        hal.executable.export public @{name} ordinal(0) layout({layout})
            count(%device: !hal.device) -> (index, index, index) {{
          %one = arith.constant 1 : index
          hal.return %one, %one, %one : index, index, index
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
    inputs = [_reinterpret(v, signless_tensor(v.type), at) for v in operands]
    types = [signless_tensor(t) for t in kernel.outputs]
    if kernel.scratch:
        types.append(ir.RankedTensorType.get([kernel.scratch], signless(8)))
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
    return [_reinterpret(value, type, at) for value, type in zip(call.results, kernel.outputs)]


def _reinterpret(value: ir.Value, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """Signed or unsigned to signless and back; the bits stay."""
    if value.type == type:
        return value
    return create("stablehlo.bitcast_convert", [value], [type], at=at).result
