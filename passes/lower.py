"""lower: a function and all it calls to one StableHLO module that IREE takes (loops and branches still with regions).

Calls are inlined, ops of the sable dialect are written by their `lower` rules, traps of the target are legalised, loops
become `stablehlo.while`, branches `stablehlo.case`, host calls imports. `sable.passes.legalize.loops` then removes the
regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.ir.aval import aval
from sable.ir.bindings import CONTEXT, UNKNOWN, Operation, ir, mlir_type
from sable.ir.function import Function, FunctionBuilder
from sable.ir.op import OPS, Op, interpret

from .legalize import (  # noqa: F401  (they register rules)
    arctangent,
    bounded_loops,
    complex_functions,
    gpu_sort,
    indexing,
    powers,
    radix_sort,
    trigonometry,
    vulkan,
)
from .legalize.rules import LEGALIZE, PLATFORM_LEGALIZE

_INDEX = aval((), np.dtype(np.int32))


class LoweringBuilder(FunctionBuilder):
    """Emits only what IREE takes. Its insertion point moves into the regions of loops and branches."""

    def __init__(self, function: Function, platform: str):
        super().__init__(function)
        self.platform = platform
        self._rules = () if platform == "any" else (PLATFORM_LEGALIZE.get(platform, {}), LEGALIZE)
        self.hosts: dict[str, Any] = {}

    def bind(self, op: Op, *operands: Any, **params: Any) -> Any:
        control = _CONTROL.get(op.name)
        if control is not None:
            return control(self, operands, **params)
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

    def structured(self, name: str, operands: Sequence[Any], types: Sequence[Any], regions: int) -> Any:
        """An operation with regions to be filled."""
        return Operation.create(
            name, results=list(types), operands=list(operands), regions=regions, loc=self.location, ip=self.ip
        )


def _call(b: LoweringBuilder, operands: Any, callee: Function, **rules: Any) -> tuple:
    return tuple(b.inline(callee, operands))


def _while(b: LoweringBuilder, operands: Any, cond: Function, body: Function, cond_consts: int, body_consts: int):
    n = cond_consts + body_consts
    cs, bs, carry = operands[:cond_consts], operands[cond_consts:n], operands[n:]
    types = [v.type for v in carry]
    loop = b.structured("stablehlo.while", carry, types, 2)
    b.region(loop, 0, types, lambda xs: b.inline(cond, [*cs, *xs]))
    b.region(loop, 1, types, lambda xs: b.inline(body, [*bs, *xs]))
    return tuple(loop.results)


def _scan(
    b: LoweringBuilder,
    operands: Any,
    body: Function,
    num_consts: int,
    num_carry: int,
    length: int,
    reverse: bool,
):
    """A counted while: inputs read by dynamic_slice, outputs written by dynamic_update_slice."""
    fixed = num_consts + num_carry
    consts, carry, xs = operands[:num_consts], operands[num_consts:fixed], operands[fixed:]
    y_avals = body.out_avals[num_carry:]
    stacked = [aval((length, *a.shape), a.dtype) for a in y_avals]
    if length == 0:
        return (*carry, *[b.full(a, 0) for a in stacked])
    init = [b.full(_INDEX, 0), *carry, *[b.full(a, 0) for a in stacked]]
    types = [v.type for v in init]
    loop = b.structured("stablehlo.while", init, types, 2)

    def condition(state: list) -> list:
        return [b.compare(state[0], b.full(_INDEX, length), comparison_direction="LT")]

    def step(state: list) -> list:
        i = state[0]
        at = b.subtract(b.full(_INDEX, length - 1), i) if reverse else i
        rows = [_row(b, x, at) for x in xs]
        outs = b.inline(body, [*consts, *state[1 : 1 + num_carry], *rows])
        ys = [_write(b, y, at, value) for y, value in zip(state[1 + num_carry :], outs[num_carry:])]
        return [b.add(i, b.full(_INDEX, 1)), *outs[:num_carry], *ys]

    b.region(loop, 0, types, condition)
    b.region(loop, 1, types, step)
    return tuple(loop.results)[1:]


def _starts(b: LoweringBuilder, at: Any, rank: int) -> list[Any]:
    return [at, *[b.full(_INDEX, 0) for _ in range(rank - 1)]]


def _row(b: LoweringBuilder, x: Any, at: Any) -> Any:
    shape = b.aval(x).shape
    row = b.emit("dynamic_slice", x, *_starts(b, at, len(shape)), slice_sizes=(1, *shape[1:]))
    return b.reshape(row, shape=shape[1:])


def _write(b: LoweringBuilder, y: Any, at: Any, value: Any) -> Any:
    shape = b.aval(value).shape
    row = b.reshape(value, shape=(1, *shape))
    return b.emit("dynamic_update_slice", y, row, *_starts(b, at, len(shape) + 1))


def _case(b: LoweringBuilder, operands: Any, branches: Sequence[Function]) -> tuple:
    index, rest = operands[0], operands[1:]
    if len(branches) == 1:
        return tuple(b.inline(branches[0], rest))
    types = [mlir_type(a) for a in branches[0].out_avals]
    made = b.structured("stablehlo.case", [index], types, len(branches))
    for k, branch in enumerate(branches):
        b.region(made, k, [], lambda _, f=branch: b.inline(f, rest))
    return tuple(made.results)


def _host(b: LoweringBuilder, operands: Any, callback: Any) -> tuple:
    name = next((n for n, c in b.hosts.items() if c is callback), None)
    if name is None:
        name = f"host.f{len(b.hosts)}"
        b.hosts[name] = callback
    with CONTEXT:
        attributes = {"callee": ir.FlatSymbolRefAttr.get(name)}
    made = Operation.create(
        "func.call",
        results=[mlir_type(a) for a in callback.out_avals],
        operands=list(operands),
        attributes=attributes,
        loc=b.location,
        ip=b.ip,
    )
    return tuple(made.results)


_CONTROL: dict[str, Any] = {
    "call": _call,
    "custom_jvp_call": _call,
    "custom_vjp_call": _call,
    "while": _while,
    "scan": _scan,
    "case": _case,
    "host_call": _host,
    "host_effect": _host,
}


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
