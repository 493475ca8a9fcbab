"""lower: a function and all it calls to one StableHLO module that IREE takes (loops and branches still with regions).

Calls are inlined, ops of the sable dialect are written by their `lower` rules, traps of the target are legalised, loops
become `stablehlo.while`, branches `stablehlo.case`, host calls imports. `sable.passes.legalize.loops` then removes the
regions.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.bindings import CONTEXT, UNKNOWN, Operation, ir, mlir_type
from sable.ir.function import Function, Node
from sable.ir.literal import Literal
from sable.ir.narrow import storage_aval, stored
from sable.ir.native import NativeKernel
from sable.ir.op import OPS, Op, interpret
from sable.ir.writing import FunctionOperation, OperationBuilder

from .assemble import declare
from .kernels import create_native_call
from .legalize import (  # noqa: F401  (they register rules)
    arctangent,
    bodies,
    bounded_loops,
    contractions,
    conversions,
    convolution,
    fourier,
    gpu_sort,
    hyperbolic,
    indexing,
    powers,
    radix_sort,
    sums,
    trigonometry,
    vulkan,
)
from .legalize.constant_folding import ConstantFolding
from .legalize.paddings import spread_paddings
from .legalize.rules import in_shape, rules_of
from .narrow import without_narrow
from .transforms import TRANSFORMS

_INDEX = aval((), np.dtype(np.int32))


class LoweringBuilder(OperationBuilder):
    """Emits only what IREE takes. Its insertion point moves into the regions of loops and branches.

    Attributes:
      passes: what legalisation may do to the functions that an op names.
    """

    passes = TRANSFORMS

    def __init__(self, ip: Any, platform: str, native: bool = False):
        super().__init__(ip)
        self.platform = platform
        self.native = native
        self.hosts: dict[str, Any] = {}
        self.native_kernels: set[str] = set()
        self._rules: dict[Op, list[Callable]] = {}
        self._constants = None if platform == "any" else ConstantFolding()

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        return self._written(op, operands, params, None)

    def again(self, node: Node, operands: Sequence[Any]) -> Any:
        if self._constants is None and self._rules.get(node.op) == []:
            return self.write(node.op, operands, node.params, [v.aval for v in node.results])
        return self._written(node.op, operands, node.params, [v.aval for v in node.results])

    def _written(self, op: Op, operands: Sequence[Any], params: dict[str, Any], outs: Sequence[Aval] | None) -> Any:
        """The op on these operands, as the target takes it; `outs`: the results' types, where they are known."""
        folded = None if self._constants is None else self._folded(op, operands, params)
        if folded is not None:
            return folded
        rules = self._rules.get(op)
        if rules is None:
            rules = self._rules[op] = self._rules_of(op)
        for rule in rules:
            made = rule(self, *operands, **params)
            if made is not NotImplemented:
                return made
        return self._plain(op, operands, params, outs)

    def _folded(self, op: Op, operands: Sequence[Any], params: dict[str, Any]) -> Any:
        """The constants that the op gives on constants; None where that is not computed now."""
        literals = self._constants.fold(op, operands, params)
        if literals is None:
            return None
        made = [self.constant(value=v) for v in literals]
        return tuple(made) if op.multiple_results else made[0]

    def _plain(self, op: Op, operands: Sequence[Any], params: dict[str, Any], outs: Sequence[Aval] | None) -> Any:
        """The op as it is."""
        made = super().bind(op, *operands, **params) if outs is None else self.write(op, operands, params, outs)
        if not operands and self._constants is not None:
            self._constants.note(made, op, params)
        return made

    def _rules_of(self, op: Op) -> list[Callable]:
        """How the op is written otherwise, in the order in which it is tried."""
        calls = self.native and op.native is not None
        rules = rules_of(op.name, self.platform, functools.partial(_native_call, op) if calls else None)
        if op.lower is not None and (op.dialect == "sable" or self.platform != "any"):
            rules.append(op.lower)
        return rules

    def emit(self, op_name: str, *operands: Any, **params: Any) -> Any:
        """An op as it is, past the legalisation."""
        op = OPS[op_name]
        folded = None if self._constants is None else self._folded(op, operands, params)
        return self._plain(op, operands, params, None) if folded is None else folded

    def inline(self, function: Function, operands: Sequence[Any]) -> list[Any]:
        """The results of a function, its body written here."""
        return interpret(function, operands, self)

    def write_body(self, function: Function, made: FunctionOperation, operands: Sequence[Any]) -> None:
        """Finish an operation with the body of a function."""
        made.finish(self.inline(function, operands))
        if self.platform != "any":
            spread_paddings(self, made.operation)

    def region(self, operation: Any, k: int, types: Sequence[Any], body: Any) -> None:
        """Fill region k with a block; `body(arguments) -> values to return`."""
        block = ir.Block.create_at_start(operation.regions[k], list(types), [self.location] * len(types))
        saved, self.ip = self.ip, ir.InsertionPoint(block)
        outs = body(list(block.arguments))
        Operation.create("stablehlo.return", operands=outs, ip=self.ip, loc=self.location)
        self.ip = saved

    def repeat(
        self,
        trips: int,
        carry: Sequence[Any],
        body: Callable[[Any, list[Any]], Sequence[Any]],
        goes_on: Callable[[list[Any]], Any] | None = None,
    ) -> list[Any]:
        """carry = body(i, carry) for i in range(trips), as long as goes_on(carry); i is an i32 scalar."""
        state = [self.full(_INDEX, 0), *carry]
        types = [mlir_type(self.aval(x).update(weak_type=False)) for x in state]
        loop = self.structured("stablehlo.while", state, types, 2)

        def predicate(xs: list[Any]) -> list[Any]:
            more = self.emit("compare", xs[0], self.full(_INDEX, trips), comparison_direction="LT")
            return [more if goes_on is None else self.bind(OPS["and"], more, goes_on(xs[1:]))]

        self.region(loop, 0, types, predicate)
        self.region(loop, 1, types, lambda xs: [self.add(xs[0], self.full(_INDEX, 1)), *body(xs[0], xs[1:])])
        return list(loop.results)[1:]

    def structured(
        self, name: str, operands: Sequence[Any], types: Sequence[Any], regions: int, attributes: Any = None
    ) -> Any:
        """An operation with regions to be filled."""
        return Operation.create(
            name,
            results=list(types),
            operands=list(operands),
            attributes=attributes,
            regions=regions,
            loc=self.location,
            ip=self.ip,
        )

    def with_regions(self, op: Op, operands: Sequence[Any], **params: Any) -> tuple[Any, ...]:
        """The StableHLO twin of an op with a `RegionsForm`, its functions written into the regions."""
        found = op.type(*[self.aval(x) for x in operands], **params)
        types = [mlir_type(a) for a in found]
        made = self.structured(op.form.twin, operands, types, len(op.form.regions), op.form.plain.attributes(params))
        for k, p in enumerate(op.form.regions):
            function = params[p]
            scalars = [mlir_type(a) for a in function.in_avals]
            self.region(made, k, scalars, lambda xs, f=function: self.inline(f, xs))
        return tuple(made.results)

    def call_native(
        self,
        kernel: NativeKernel,
        operands: Sequence[Any],
        outs: Sequence[Aval],
        params: dict,
        work: int,
        pieces: int = 1,
    ) -> tuple[Any, ...]:
        """A call of a native kernel, which there is for these operands: so many machine operations, in so many pieces."""
        avals = [self.aval(x) for x in operands]
        symbol = kernel.symbol(avals, outs, params)
        assert symbol is not None
        self.native_kernels.add(symbol)
        stacks = [in_shape(self, x, s) for x, s in zip(operands, kernel.operand_stacks(avals))]
        types = [mlir_type(aval(s, a.dtype)) for s, a in zip(kernel.result_stacks(outs), outs)]
        with CONTEXT, self.location:
            made = create_native_call(symbol, stacks, types, kernel.words(params), work, pieces, self.ip)
        return tuple(in_shape(self, y, a.shape) for y, a in zip(made, outs))

    def passed(self, x: Any) -> Any:
        """What passes for an array, or for an abstract value, at the boundary of a program."""
        return x if self.platform == "any" else storage_aval(x) if isinstance(x, Aval) else stored(x)

    def host(self, callback: Any, operands: Sequence[Any]) -> Any:
        """A call of a function of the host, which the module imports."""
        name = next((n for n, c in self.hosts.items() if c is callback), None)
        if name is None:
            name = f"host.f{len(self.hosts)}"
            self.hosts[name] = callback
        with CONTEXT:
            attributes = {"callee": ir.FlatSymbolRefAttr.get(name)}
        types = [mlir_type(self.passed(a)) for a in callback.out_avals]
        return Operation.create(
            "func.call",
            results=types,
            operands=list(operands),
            attributes=attributes,
            loc=self.location,
            ip=self.ip,
        )


def _native_call(op: Op, b: LoweringBuilder, *operands: Any, **params: Any) -> Any:
    """A call of the op's native kernel; NotImplemented where it has none for these types."""
    avals = [b.aval(x) for x in operands]
    out = op.type(*avals, **params)
    outs = out if op.multiple_results else (out,)
    if op.native.symbol(avals, outs, params) is None:
        return NotImplemented
    with CONTEXT:
        attributes = op.form.attributes(params)
    work = op.traits.work_on([a.shape for a in avals], [a.shape for a in outs], attributes)
    results = b.call_native(op.native, operands, outs, params, work, op.native.pieces(*avals, **params))
    return results if op.multiple_results else results[0]


class LoweredModule:
    """A module with one public function `main`, and what it imports: host functions by name, names of native kernels."""

    def __init__(self, module: ir.Module, hosts: dict[str, Any], native_kernels: Sequence[str]):
        self.module, self.hosts, self.native_kernels = module, hosts, tuple(native_kernels)


def on_target(function: Function, platform: str) -> Function:
    """The function with the dtypes that the platform has."""
    return function if platform == "any" else without_narrow(function)


def lower(
    function: Function,
    platform: str = "cpu",
    name: str = "main",
    captures: Sequence[Any] = (),
    native: bool = False,
) -> LoweredModule:
    """One StableHLO module of a function and all it refers to.

    Args:
      function: a finished function.
      platform: whose traps are legalised: 'cpu', 'vulkan' or 'cuda'; none of them for 'any', which is plain StableHLO.
      name: symbol of the public function.
      native: whether the target may call native kernels: not a deployed module, and none but CPUs. Without them ops that
        have one are expanded.
      captures: NumPy arrays for the last arguments: they become constants of the module (ahead-of-time compilation).
    """
    function = on_target(function, platform)
    keep = len(function.in_avals) - len(captures)
    with CONTEXT, UNKNOWN:
        module = ir.Module.create()
        made = FunctionOperation(function.in_avals[:keep], ir.InsertionPoint(module.body))
        made.operation.attributes["sym_name"] = ir.StringAttr.get(name)
        made.operation.attributes["sym_visibility"] = ir.StringAttr.get("public")
    b = LoweringBuilder(made.ip, platform, native)
    constants = [b.emit("constant", value=Literal.of(b.passed(np.asarray(c)))) for c in captures]
    b.write_body(function, made, [*made.arguments, *constants])
    with CONTEXT, UNKNOWN:
        first = ir.InsertionPoint(made.operation)
        for host, callback in b.hosts.items():
            declare(host, *([b.passed(a) for a in avals] for avals in (callback.in_avals, callback.out_avals)), first)
    return LoweredModule(module, b.hosts, sorted(b.native_kernels))
