"""importer: anyone's StableHLO module to `Function`s that the passes take.

Regions of `stablehlo.while`, `if` and `case` become functions by symbol (`sable.while`, `sable.case`), what they use
from outside becomes arguments; everything else must be a row of the op table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.dialects.op import OPS
from sable.ir.bindings import aval_of_type, ir
from sable.ir.function import Function, FunctionBuilder, find_row

_TERMINATORS = ("func.return", "stablehlo.return")


class ModuleImportError(ValueError):
    """A module that cannot be imported; the message names the operation and its location."""


class Importer:
    """Imports the functions of one module, each once."""

    def __init__(self, module: ir.Module):
        self.operations: dict[str, Any] = {}
        for view in module.body.operations:
            operation = view.operation
            if operation.name == "func.func":
                self.operations[ir.StringAttr(operation.attributes["sym_name"]).value] = operation
        self._made: dict[str, Function] = {}
        self._open: list[str] = []

    def function(self, name: str) -> Function:
        """The function of that symbol.

        Raises:
          ModuleImportError: there is none, it calls itself, or it contains what the passes cannot take.
        """
        if name in self._made:
            return self._made[name]
        operation = self.operations.get(name)
        if operation is None:
            raise ModuleImportError(f"the module has no function @{name}; it has {', '.join('@' + n for n in self.operations)}")
        if not len(operation.regions[0].blocks):
            raise ModuleImportError(f"@{name} is only declared: an external function cannot be transformed")
        if len(operation.regions[0].blocks) != 1:
            raise ModuleImportError(f"@{name} has several blocks: control flow must be stablehlo.while, if or case")
        if name in self._open:
            raise ModuleImportError(f"@{name} calls itself: recursion cannot be transformed")
        self._open.append(name)
        block = operation.regions[0].blocks[0]
        function = Function([aval_of_type(a.type) for a in block.arguments], name)
        outs = self._block(block, dict(zip(block.arguments, function.arguments)), FunctionBuilder(function))
        self._open.pop()
        self._made[name] = function.finish(outs)
        return function

    def _block(self, block: Any, env: dict, b: FunctionBuilder) -> list[Any]:
        """Re-emit the operations of a block; the values that its terminator returns."""
        for view in block.operations:
            operation = view.operation
            b.at(operation.location)
            if operation.name in _TERMINATORS:
                return [env[v] for v in operation.operands]
            results = self._operation(operation, env, b)
            env.update(zip(operation.results, results))
        raise ModuleImportError("a block without a return")

    def _operation(self, operation: Any, env: dict, b: FunctionBuilder) -> Sequence[Any]:
        special = _SPECIAL.get(operation.name)
        if special is not None:
            return special(self, operation, env, b)
        try:
            op = find_row(operation, operation.name)
        except NotImplementedError as error:
            raise ModuleImportError(str(error)) from None
        operands, params = op.form.decode(operation, [aval_of_type(r.type) for r in operation.results])
        for p in op.functions:
            found = params[p]
            params[p] = tuple(map(self.function, found)) if isinstance(found, tuple) else self.function(found)
        out = b.bind(op, *[env[v] for v in operands], **params)
        return out if op.multiple_results else (out,)

    def region(self, block: Any, env: dict) -> tuple[Function, list[Any]]:
        """A region's block as a function of its captures and then its arguments; and the captured outer values."""
        captured = [v for v in _free_values(block) if v in env]
        avals = [aval_of_type(v.type) for v in (*captured, *block.arguments)]
        function = Function(avals, "region")
        inner = dict(zip((*captured, *block.arguments), function.arguments))
        function.finish(self._block(block, inner, FunctionBuilder(function)))
        return function, [env[v] for v in captured]


def _free_values(block: Any) -> list[Any]:
    """Values which a block and the regions in it use from outside, each once, in order of use."""
    own: set = set()
    found: dict = {}

    def visit(inner: Any) -> None:
        own.update(inner.arguments)
        for view in inner.operations:
            operation = view.operation
            for v in operation.operands:
                if v not in own:
                    found[v] = None
            for region in operation.regions:
                for nested in region.blocks:
                    visit(nested)
            own.update(operation.results)

    visit(block)
    return [v for v in found if v not in own]


def _while(importer: Importer, operation: Any, env: dict, b: FunctionBuilder) -> Sequence[Any]:
    cond, cond_captures = importer.region(operation.regions[0].blocks[0], env)
    body, body_captures = importer.region(operation.regions[1].blocks[0], env)
    carry = [env[v] for v in operation.operands]
    return b.bind(
        OPS["while"],
        *cond_captures,
        *body_captures,
        *carry,
        cond=cond,
        body=body,
        cond_consts=len(cond_captures),
        body_consts=len(body_captures),
    )


def _branches(importer: Importer, operation: Any, env: dict, b: FunctionBuilder, index: Any, order: Sequence[int]):
    blocks = [operation.regions[k].blocks[0] for k in order]
    captured = list(dict.fromkeys(v for block in blocks for v in _free_values(block) if v in env))
    functions = []
    for block in blocks:
        function = Function([aval_of_type(v.type) for v in captured], "branch")
        inner = dict(zip(captured, function.arguments))
        functions.append(function.finish(importer._block(block, inner, FunctionBuilder(function))))
    return b.bind(OPS["case"], index, *[env[v] for v in captured], branches=tuple(functions))


def _if(importer: Importer, operation: Any, env: dict, b: FunctionBuilder) -> Sequence[Any]:
    index = b.convert(env[operation.operands[0]], dtype=np.dtype(np.int32))
    return _branches(importer, operation, env, b, index, (1, 0))


def _case(importer: Importer, operation: Any, env: dict, b: FunctionBuilder) -> Sequence[Any]:
    n = len(operation.regions)
    index = env[operation.operands[0]]
    # StableHLO takes the last branch for any index out of range, sable.case clamps
    zero, last = (b.full(b.aval(index), k) for k in (0, n - 1))
    low = b.compare(index, zero, comparison_direction="LT")
    index = b.minimum(b.select(low, last, index), last)
    return _branches(importer, operation, env, b, index, range(n))


_SPECIAL: dict[str, Any] = {"stablehlo.while": _while, "stablehlo.if": _if, "stablehlo.case": _case}
