"""lower: a function and all it calls to one StableHLO module that IREE takes (loops and branches still with regions).

Calls are inlined, ops of the sable dialect are written by their `lower` rules, traps of the target are legalised, loops
become `stablehlo.while`, branches `stablehlo.case`, host calls imports. `sable.passes.legalize.loops` then removes the
regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.bindings import CONTEXT, UNKNOWN, Operation, ir, mlir_type
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, Op, interpret

from .legalize import (  # noqa: F401  (they register rules)
    arctangent,
    bodies,
    bounded_loops,
    complex_functions,
    convolution,
    gpu_sort,
    indexing,
    powers,
    radix_sort,
    trigonometry,
    vulkan,
)
from .legalize.rules import LEGALIZE, PLATFORM_LEGALIZE
from .transforms import TRANSFORMS


class LoweringBuilder(FunctionBuilder):
    """Emits only what IREE takes. Its insertion point moves into the regions of loops and branches.

    Attributes:
      passes: what legalisation may do to the functions that an op names.
    """

    passes = TRANSFORMS

    def __init__(self, function: Function, platform: str):
        super().__init__(function)
        self.platform = platform
        self._rules = () if platform == "any" else (PLATFORM_LEGALIZE.get(platform, {}), LEGALIZE)
        self.hosts: dict[str, Any] = {}

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        for rules in self._rules:
            rule = rules.get(op.name)
            if rule is not None:
                out = rule(self, *operands, **params)
                if out is not NotImplemented:
                    return out
        if op.lower is not None:
            return op.lower(self, *operands, **params)
        return super().bind(op, *operands, **params)

    def emit(self, op_name: str, *operands: Any, **params: Any) -> Any:
        """An op as it is, past the legalisation."""
        return super().bind(OPS[op_name], *operands, **params)

    def inline(self, function: Function, operands: Sequence[Any]) -> list[Any]:
        """The results of a function, its body written here."""
        return interpret(function, operands, self)

    def region(self, operation: Any, k: int, types: Sequence[Any], body: Any) -> None:
        """Fill region k with a block; `body(arguments) -> values to return`."""
        block = ir.Block.create_at_start(operation.regions[k], list(types), [self.location] * len(types))
        saved, self.ip = self.ip, ir.InsertionPoint(block)
        outs = body(list(block.arguments))
        Operation.create("stablehlo.return", operands=outs, ip=self.ip, loc=self.location)
        self.ip = saved

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

    def host(self, callback: Any, operands: Sequence[Any]) -> Any:
        """A call of a function of the host, which the module imports."""
        name = next((n for n, c in self.hosts.items() if c is callback), None)
        if name is None:
            name = f"host.f{len(self.hosts)}"
            self.hosts[name] = callback
        with CONTEXT:
            attributes = {"callee": ir.FlatSymbolRefAttr.get(name)}
        types = [mlir_type(a) for a in callback.out_avals]
        return Operation.create(
            "func.call",
            results=types,
            operands=list(operands),
            attributes=attributes,
            loc=self.location,
            ip=self.ip,
        )


class LoweredModule:
    """A module with one public function `main`, and the host functions that it imports (by name)."""

    def __init__(self, module: ir.Module, hosts: dict[str, Any]):
        self.module, self.hosts = module, hosts


def lower(function: Function, platform: str = "cpu", name: str = "main", captures: Sequence[Any] = ()) -> LoweredModule:
    """One StableHLO module of a function and all it refers to.

    Args:
      function: a finished function.
      platform: whose traps are legalised: 'cpu', 'vulkan' or 'cuda'; none of them for 'any', which is plain StableHLO.
      name: symbol of the public function.
      captures: NumPy arrays for the last arguments: they become constants of the module (ahead-of-time compilation).
    """
    from sable.ir.literal import Literal

    keep = len(function.in_avals) - len(captures)
    made = Function(function.in_avals[:keep], name)
    b = LoweringBuilder(made, platform)
    constants = [b.emit("constant", value=Literal.of(np.asarray(c))) for c in captures]
    outs = b.inline(function, [*made.arguments, *constants])
    made.finish(outs)
    with CONTEXT, UNKNOWN:
        module = ir.Module.create()
        ip = ir.InsertionPoint(module.body)
        for host, callback in b.hosts.items():
            _declare(host, callback, ip)
        clone = made.operation.clone(ip=ip)
        clone.attributes["sym_name"] = ir.StringAttr.get(name)
        clone.attributes["sym_visibility"] = ir.StringAttr.get("public")
    return LoweredModule(module, b.hosts)


def _declare(name: str, callback: Any, ip: Any) -> None:
    type = ir.FunctionType.get([mlir_type(a) for a in callback.in_avals], [mlir_type(a) for a in callback.out_avals])
    Operation.create(
        "func.func",
        attributes={
            "sym_name": ir.StringAttr.get(name),
            "function_type": ir.TypeAttr.get(type),
            "sym_visibility": ir.StringAttr.get("private"),
        },
        regions=1,
        ip=ip,
    )
