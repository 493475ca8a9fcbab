"""Repair of a register-allocation fault of IREE 3.13 in VM functions with branches.

A reference passed more than once in one branch is *moved* by its last occurrence, although an earlier
occurrence may stay in the register it is in (an identity, which copies nothing): that block argument is null
afterwards. A null buffer is an error at run time; a null fence gives no error, only a missing wait. Every
further occurrence of the reference therefore goes through a `vm.select.ref` whose condition is loaded from a
mutable global that is always zero and that no pass can fold: it becomes a value of its own.

To be applied between compilation and output. The compile server loads this file by its path, so it imports
nothing of Sable.
"""

from __future__ import annotations

from collections.abc import Iterator

from iree.compiler import ir

_BRANCHES = frozenset({"vm.br", "vm.cond_br", "vm.br_table"})
_CALLABLES = frozenset({"vm.func", "vm.initializer"})
_ZERO = "__sable_zero"


def repair(module: ir.Operation) -> int:
    """Make every reference occur once in each branch of the `vm.module`s in `module`.

    Args:
      module: a `builtin.module` compiled to the VM dialect; changed in place. Functions of one block, so
        programs without control flow, cost a look at their top level only.

    Returns:
      How many operands were replaced.
    """
    count = 0
    for vm_module in _operations(module):
        if vm_module.name == "vm.module":
            count += _repair_module(vm_module)
    return count


def _repair_module(vm_module: ir.Operation) -> int:
    repeated = [found for branch in _branches(vm_module) for found in _repeated_references(branch)]
    if not repeated:
        return 0
    with ir.Location.unknown(vm_module.context):
        _declare_zero(vm_module.regions[0].blocks[0])
        for branch, index in repeated:
            branch.operands[index] = _copy(branch, branch.operands[index])
    return len(repeated)


def _operations(op: ir.Operation) -> Iterator[ir.Operation]:
    for inner in op.regions[0].blocks[0].operations:
        yield inner.operation


def _branches(vm_module: ir.Operation) -> Iterator[ir.Operation]:
    for function in _operations(vm_module):
        if function.name not in _CALLABLES or len(function.regions[0].blocks) < 2:
            continue
        for block in function.regions[0].blocks:
            terminator = block.operations[len(block.operations) - 1].operation
            if terminator.name in _BRANCHES:
                yield terminator


def _repeated_references(branch: ir.Operation) -> list[tuple[ir.Operation, int]]:
    """The operands that pass a reference which an earlier operand of the branch passes already."""
    seen: set[int] = set()
    repeated = []
    for index, value in enumerate(branch.operands):
        identity = hash(value)  # equal for two Python objects of one MLIR value
        if identity in seen and str(value.type).startswith("!vm."):
            repeated.append((branch, index))
        seen.add(identity)
    return repeated


def _declare_zero(block: ir.Block) -> None:
    ir.Operation.create(
        "vm.global.i32",
        attributes={
            "sym_name": ir.StringAttr.get(_ZERO),
            "sym_visibility": ir.StringAttr.get("private"),
            "is_mutable": ir.UnitAttr.get(),
            "type": ir.TypeAttr.get(ir.IntegerType.get_signless(32)),
        },
        ip=ir.InsertionPoint.at_block_begin(block),
    )


def _copy(branch: ir.Operation, reference: ir.Value) -> ir.Value:
    """The reference in a register of its own, made just before the branch."""
    place = ir.InsertionPoint(branch)
    condition = ir.Operation.create(
        "vm.global.load.i32",
        results=[ir.IntegerType.get_signless(32)],
        attributes={"global": ir.FlatSymbolRefAttr.get(_ZERO)},
        ip=place,
    ).result
    null = ir.Operation.create("vm.const.ref.zero", results=[reference.type], ip=place).result
    operands = [condition, null, reference]
    return ir.Operation.create("vm.select.ref", operands=operands, results=[reference.type], ip=place).result
