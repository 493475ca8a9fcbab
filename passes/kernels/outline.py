"""Takes loops out of a program as kernels of their own and leaves dispatches in their places."""

from __future__ import annotations

from dataclasses import dataclass, field

from sable.ir.bindings import ir

from ..ir_tools import (
    CONTROL_FLOW,
    at_end,
    before,
    copy_module,
    create,
    operations,
    owner,
    public_function,
    values_made_in,
    walk,
)
from .dispatch import dispatch, embed
from .loop_kernel import check_block, make_kernel
from .not_a_kernel import NotAKernel
from .worth import KernelLimits, check_trip, inner_loops, straight_work

#: Ops which a kernel repeats rather than gets as an input, if their operands are such ops too.
_CHEAP = ("stablehlo.constant", "stablehlo.iota", "stablehlo.broadcast_in_dim", "stablehlo.reshape")


@dataclass
class Outcome:
    """What became of a program's loops.

    Attributes:
      kernels: how many kernels were made.
      whole: whether one of them is the whole program.
      refused: for each loop that is none, why.
    """

    kernels: int = 0
    whole: bool = False
    refused: list[str] = field(default_factory=list)


def kernels_for_loops(module: ir.Module, limits: KernelLimits) -> Outcome:
    """Turns what loops it can into kernels, in place: the whole program, or else each outermost loop that qualifies.

    Calls must be inlined and known branches folded before.
    """
    outcome = Outcome()
    with module.context, ir.Location.unknown():
        function = public_function(module)
        if not any(op.name in CONTROL_FLOW for op in walk(function.regions[0].blocks[0])):
            return Outcome(refused=["the whole program: straight code is IREE's own kernels"])
        try:
            _whole_program(module, function, limits)
        except NotAKernel as refusal:
            outcome.refused.append(f"the whole program: {refusal}")
        else:
            return Outcome(kernels=1, whole=True)
        pending = inner_loops(function.regions[0].blocks[0])
        while pending:
            loop = pending.pop(0)
            try:
                _one_loop(module, loop, f"loop_kernel_{outcome.kernels}", limits)
            except NotAKernel as refusal:
                outcome.refused.append(f"{loop.location}: {refusal}")
                for region in loop.regions:
                    pending += inner_loops(region.blocks[0])
            else:
                outcome.kernels += 1
    return outcome


def _whole_program(module: ir.Module, function: ir.Operation, limits: KernelLimits) -> None:
    entry = function.regions[0].blocks[0]
    check_block(entry)
    work = straight_work(entry, limits)
    if work > limits.around:
        raise NotAKernel(f"{work} operations outside of loops, more than {limits.around}")
    for loop in inner_loops(entry):
        check_trip(loop, limits)
    kernel = make_kernel(copy_module(module))
    name = "loop_kernel"
    for op in reversed(operations(entry)):
        op.erase()
    results = dispatch(kernel, name, list(entry.arguments), at_end(entry))
    create("func.return", results, at=at_end(entry))
    embed(kernel, name, module)


def _one_loop(module: ir.Module, loop: ir.Operation, name: str, limits: KernelLimits) -> None:
    for region in loop.regions:
        check_block(region.blocks[0])
    check_trip(loop, limits)
    outlined = _Outlined(loop)
    kernel = make_kernel(outlined.module)
    with loop.location:
        results = dispatch(kernel, name, outlined.inputs, before(loop))
    for i, value in zip(outlined.used, results):
        loop.results[i].replace_all_uses_with(value)
    loop.erase()
    embed(kernel, name, module)


class _Outlined:
    """A copy of a loop as a module with one function.

    Attributes:
      module: the function takes `inputs` and gives the loop's `used` results.
    """

    def __init__(self, loop: ir.Operation) -> None:
        results = range(len(loop.results))
        self.used = [i for i in results if any(True for _ in loop.results[i].uses)] or list(results)
        self.inputs: list[ir.Value] = []
        self.known: dict[ir.Value, ir.Value] = {}
        with loop.location:
            self.module = ir.Module.create()
            types = [loop.results[i].type for i in self.used]
            function = create("func.func", at=at_end(self.module.body), regions=1, sym_name=ir.StringAttr.get("loop"))
            self.entry = function.regions[0].blocks.append()
            copy = loop.clone(ip=at_end(self.entry)).operation
            self.copy = copy
            self._close(copy)
            create("func.return", [copy.results[i] for i in self.used], at=at_end(self.entry))
            arguments = [argument.type for argument in self.entry.arguments]
            function.attributes["function_type"] = ir.TypeAttr.get(ir.FunctionType.get(arguments, types))

    def _close(self, copy: ir.Operation) -> None:
        """Makes every value from outside an argument, or repeats what makes it."""
        inside = values_made_in(*(region.blocks[0] for region in copy.regions))
        bodies = [op for region in copy.regions for op in walk(region.blocks[0])]
        for op in (copy, *bodies):
            for i, operand in enumerate(op.operands):
                if operand not in inside:
                    op.operands[i] = self._inner(operand)

    def _inner(self, value: ir.Value) -> ir.Value:
        if value not in self.known:
            self.known[value] = self._repeat(value) if _is_cheap(value) else self._argument(value)
        return self.known[value]

    def _argument(self, value: ir.Value) -> ir.Value:
        self.inputs.append(value)
        return self.entry.add_argument(value.type, self.copy.location)

    def _repeat(self, value: ir.Value) -> ir.Value:
        operands = [self._inner(operand) for operand in owner(value).operands]
        copy = owner(value).clone(ip=before(self.copy)).operation
        for i, operand in enumerate(operands):
            copy.operands[i] = operand
        return copy.results[0]


def _is_cheap(value: ir.Value) -> bool:
    op = owner(value)
    return op is not None and op.name in _CHEAP and all(_is_cheap(operand) for operand in op.operands)
