"""Small helpers over the MLIR bindings that several passes need: creating, walking, moving operations."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from sable.ir.bindings import ir, passmanager

#: The StableHLO ops with regions that decide what runs.
BRANCHES = ("stablehlo.if", "stablehlo.case")
CONTROL_FLOW = ("stablehlo.while", *BRANCHES)
#: Keeps what is before it from being fused with what is behind it, and is gone once IREE has formed dispatches.
#: `stablehlo.optimization_barrier` would divide the program for good, into runs with buffers of their own between them.
BARRIER = "iree_tensor_ext.compute_barrier.start"


def create(
    name: str,
    operands: Sequence[ir.Value] = (),
    results: Sequence[ir.Type] = (),
    *,
    at: ir.InsertionPoint,
    regions: int = 0,
    successors: Sequence[ir.Block] | None = None,
    **attributes: ir.Attribute,
) -> ir.Operation:
    """Creates an operation at an insertion point, at the location that is current."""
    return ir.Operation.create(
        name,
        operands=list(operands),
        results=list(results),
        attributes=attributes,
        successors=None if successors is None else list(successors),
        regions=regions,
        ip=at,
    )


def before(op: ir.Operation) -> ir.InsertionPoint:
    return ir.InsertionPoint(op)


def at_end(block: ir.Block) -> ir.InsertionPoint:
    return ir.InsertionPoint(block)


def at_start(block: ir.Block) -> ir.InsertionPoint:
    return ir.InsertionPoint.at_block_begin(block)


def operations(block: ir.Block) -> list[ir.Operation]:
    """The operations of a block, safe against changes of the block."""
    return [op.operation for op in block.operations]


def terminator(block: ir.Block) -> ir.Operation:
    return block.operations[len(block.operations) - 1].operation


def walk(block: ir.Block) -> Iterator[ir.Operation]:
    """Every operation of a block and of the regions in it, outer ones first."""
    for op in operations(block):
        yield op
        for region in op.regions:
            for inner in region.blocks:
                yield from walk(inner)


def walk_module(module: ir.Module) -> list[ir.Operation]:
    return list(walk(module.body))


def values_made_in(*blocks: ir.Block) -> set[ir.Value]:
    """The blocks' arguments and all results inside of them, nested regions included."""
    made: set[ir.Value] = set()
    for block in blocks:
        made.update(block.arguments)
        for op in block.operations:
            made.update(op.operation.results)
            for region in op.operation.regions:
                made |= values_made_in(*region.blocks)
    return made


def functions_with_body(module: ir.Module) -> list[ir.Operation]:
    found = (op.operation for op in module.body.operations)
    return [op for op in found if op.name == "func.func" and len(op.regions[0].blocks)]


def public_function(module: ir.Module) -> ir.Operation:
    """The one function that the module offers to its caller.

    Raises:
      ValueError: if there is not exactly one.
    """
    found = [f for f in functions_with_body(module) if not is_private(f)]
    if len(found) != 1:
        raise ValueError(f"expected one public function in the module, got {len(found)}")
    return found[0]


def is_private(function: ir.Operation) -> bool:
    attributes = function.attributes
    return "sym_visibility" in attributes and attributes["sym_visibility"].value == "private"


def owner(value: ir.Value) -> ir.Operation | None:
    """The operation which makes a value; None for a block argument."""
    return None if isinstance(value, ir.BlockArgument) else value.owner.operation


def copy_module(module: ir.Module) -> ir.Module:
    """An independent copy with its locations (bytecode keeps them, text needs flags)."""
    stream = io.BytesIO()
    module.operation.write_bytecode(stream)
    return ir.Module.parse(stream.getvalue(), module.context)


def run_pipeline(module: ir.Module, pipeline: str) -> None:
    """Runs a comma list of passes over the module.

    Raises:
      ir.MLIRError: if a pass fails.
    """
    passmanager.PassManager.parse(f"builtin.module({pipeline})", module.context).run(module.operation)


def inline_calls(module: ir.Module) -> None:
    """Inlines every call of a function with a body, without the inliner's canonicalisation: what is there stays."""
    if any(op.name in ("func.call", "call") for op in walk_module(module)):
        run_pipeline(module, "inline{default-pipeline=},symbol-dce")


def signless_tensor(type: ir.Type) -> ir.RankedTensorType:
    """The type with signless integers: memory and arith know no others."""
    type = ir.RankedTensorType(type)
    element = type.element_type
    if isinstance(element, ir.IntegerType) and not element.is_signless:
        return ir.RankedTensorType.get(type.shape, signless(element.width))
    return type


def reinterpret(value: ir.Value, type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """Signed or unsigned to signless and back; the bits stay."""
    if value.type == type:
        return value
    return create("stablehlo.bitcast_convert", [value], [type], at=at).result


def behind_barrier(value: ir.Value, at: ir.InsertionPoint) -> ir.Value:
    """The value through a `BARRIER`, which IREE converts to its own types for signless elements only."""
    plain = signless_tensor(value.type)
    barred = create(BARRIER, [reinterpret(value, plain, at)], [plain], at=at).result
    return reinterpret(barred, value.type, at)


def tensor_like(type: ir.Type, element: ir.Type) -> ir.RankedTensorType:
    return ir.RankedTensorType.get(ir.RankedTensorType(type).shape, element)


def zeros(type: ir.Type, at: ir.InsertionPoint) -> ir.Value:
    """A constant of zeros of a tensor type."""
    element = ir.RankedTensorType(type).element_type
    if isinstance(element, ir.ComplexType):
        # the bindings know no attribute of complex elements: made of two parts
        part = zeros(tensor_like(type, element.element_type), at)
        return create("stablehlo.complex", [part, part], [type], at=at).result
    text = str(element)
    literal = "false" if text == "i1" else "0.0" if text[0] in "fb" else "0"
    value = ir.Attribute.parse(f"dense<{literal}> : {type}")
    return create("stablehlo.constant", [], [type], at=at, value=value).result


def signless(width: int) -> ir.IntegerType:
    return ir.IntegerType.get_signless(width)


def integer(value: int, width: int = 64) -> ir.IntegerAttr:
    return ir.IntegerAttr.get(signless(width), value)


def comparison_direction(name: str) -> ir.Attribute:
    return ir.Attribute.parse(f"#stablehlo<comparison_direction {name}>")
