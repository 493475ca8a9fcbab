"""Calls of native kernels in StableHLO: `stablehlo.custom_call @sable_...`, whose options are in its `backend_config`.

In a loop kernel such a call becomes a call of a C function; elsewhere it is a dispatch of an executable of its own, which
does nothing else. Both go by IREE's `ukernel.generic`, which hands over for each tensor its address, the offset of the
first element and the strides, then the further operands: the extents and the options. The function is an import of the
executable, found by name when the program is loaded (`sable.runtime.native_kernels`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sable.ir.bindings import ir

from ..ir_tools import at_start, before, create, integer, run_pipeline, signless, walk, walk_module
from .dispatch import Kernel, dispatch, embed

#: How the names of native kernels begin, in programs and in the native module.
NAME_PREFIX = "sable_"
#: The pass that makes calls of `ukernel.generic`.
LOWER_TO_CALLS = "iree-codegen-lower-ukernel-ops-to-calls"
#: `api_version` of calls whose `backend_config` is a dictionary.
_TYPED_CALL = 4


def create_native_call(
    name: str,
    operands: Sequence[ir.Value],
    results: Sequence[ir.Type],
    options: Sequence[int],
    work: int,
    pieces: int,
    at: ir.InsertionPoint,
) -> list[ir.Value]:
    """Emits a call; every tensor is a stack with one batch dimension.

    Args:
      work: machine operations that it is.
      pieces: workgroups of its dispatch, each of which does one.
    """
    words = ir.DenseI64ArrayAttr.get(list(options))
    config = ir.DictAttr.get({"options": words, "pieces": integer(pieces), "work": integer(work)})
    call = create(
        "stablehlo.custom_call",
        operands,
        results,
        at=at,
        call_target_name=ir.StringAttr.get(name),
        api_version=integer(_TYPED_CALL, 32),
        backend_config=config,
    )
    return list(call.results)


def is_native_call(op: ir.Operation) -> bool:
    return op.name == "stablehlo.custom_call" and op.attributes["call_target_name"].value.startswith(NAME_PREFIX)


def pieces_of(call: ir.Operation) -> int:
    """Into how many pieces a call is cut."""
    return ir.IntegerAttr(call.attributes["backend_config"]["pieces"]).value


def has_native_calls(module: ir.Module) -> bool:
    return any(is_native_call(op) for op in walk_module(module))


def calls_in_kernel(block: ir.Block) -> None:
    """All calls in a kernel that is not yet in buffers as code of that kernel."""
    for op in [op for op in walk(block) if is_native_call(op)]:
        _call_in_kernel(op)


def _call_in_kernel(op: ir.Operation) -> None:
    with op.location:
        at = before(op)
        types = [result.type for result in op.results]
        outputs = [create("tensor.empty", [], [type], at=at).result for type in types]
        made = _microkernel(op, list(op.operands), outputs, types, _constants([0, 1], at), at)
        for old, new in zip(op.results, made.results):
            old.replace_all_uses_with(new)
    op.erase()


def dispatch_native_calls(module: ir.Module) -> None:
    """Every call that is left as a dispatch; calls of one kernel with equal types and options share an executable."""
    made: dict[str, tuple[Kernel, str]] = {}
    for op in [op for op in walk_module(module) if is_native_call(op)]:
        with op.location:
            types = [value.type for value in (*op.operands, *op.results)]
            key = " ".join(map(str, [op.attributes["call_target_name"], op.attributes["backend_config"], *types]))
            if key not in made:
                made[key] = _executable(op), f"native_call_{len(made)}"
                embed(*made[key], module)
            results = dispatch(*made[key], list(op.operands), before(op))
        for old, new in zip(op.results, results):
            old.replace_all_uses_with(new)
        op.erase()


def _executable(op: ir.Operation) -> Kernel:
    """A kernel of buffers, inputs and then outputs, that calls the function."""
    inputs = tuple(value.type for value in op.operands)
    outputs = tuple(value.type for value in op.results)
    buffers = [ir.MemRefType.get(type.shape, type.element_type) for type in (*inputs, *outputs)]
    module = ir.Module.create()
    function = create(
        "func.func",
        at=ir.InsertionPoint(module.body),
        regions=1,
        sym_name=ir.StringAttr.get("call"),
        function_type=ir.TypeAttr.get(ir.FunctionType.get(buffers, [])),
    )
    block = function.regions[0].blocks.append(*buffers, arg_locs=[op.location] * len(buffers))
    create("func.return", at=at_start(block))
    arguments = list(block.arguments)
    at = at_start(block)
    pieces = pieces_of(op)
    number = create("hal.interface.workgroup.id", [], [ir.IndexType.get()], at=at, dimension=_index(0)).result
    piece = [number, *_constants([pieces], at)]
    _microkernel(op, arguments[: len(inputs)], arguments[len(inputs) :], [], piece, at)
    run_pipeline(module, LOWER_TO_CALLS)
    return Kernel(module, inputs, outputs, scratch=0, workgroups=pieces)


def _microkernel(
    op: ir.Operation,
    inputs: Sequence[ir.Value],
    outputs: Sequence[ir.Value],
    results: Sequence[ir.Type],
    piece: Sequence[ir.Value],
    at: ir.InsertionPoint,
) -> ir.Operation:
    """The call; `piece`: which one it does, and how many there are."""
    tensors = [*inputs, *outputs]
    words = [extent for value in tensors for extent in value.type.shape]
    words += list(ir.DenseI64ArrayAttr(op.attributes["backend_config"]["options"]))
    scalars = [*_constants(words, at), *piece]
    all_dimensions = [
        ir.ArrayAttr.get([ir.IntegerAttr.get(signless(64), d) for d in range(len(value.type.shape))])
        for value in tensors
    ]
    return create(
        "iree_codegen.ukernel.generic",
        [*tensors, *scalars],
        results,
        at=at,
        u_kernel_fn_name=op.attributes["call_target_name"],
        strided_dims=ir.ArrayAttr.get(all_dimensions),
        operandSegmentSizes=ir.DenseI32ArrayAttr.get([len(inputs), len(outputs), len(scalars)]),
    )


def _index(value: int) -> ir.Attribute:
    return ir.IntegerAttr.get(ir.IndexType.get(), value)


def _constants(values: Sequence[int], at: ir.InsertionPoint) -> list[ir.Value]:
    return [create("arith.constant", [], [ir.IndexType.get()], at=at, value=_index(v)).result for v in values]


__all__ = [
    "LOWER_TO_CALLS",
    "calls_in_kernel",
    "create_native_call",
    "dispatch_native_calls",
    "has_native_calls",
    "is_native_call",
    "pieces_of",
]
