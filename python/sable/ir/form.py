"""Forms: how an op of the table is written as an MLIR operation, and recognised in anyone's program.

A form has `mlir_name`, `emit(values, params, results, block_ip, location) -> Operation`, `accepts(operation) -> bool`
and `decode(operation, result_avals) -> (operands, params)`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from .aval import Aval, aval
from .bindings import CONTEXT, UNKNOWN, Operation, aval_of_type, element_type, ir, mlir_type
from .codec import _FromResult
from .literal import Literal


class OperationForm:
    """An operation without regions: operands in order, every parameter an attribute.

    Args:
      mlir_name: the operation's name.
      params: parameter -> codec.
      defaults: parameter -> `value(operation)` where the attribute is left out; None without an entry.
    """

    def __init__(self, mlir_name: str, params: Mapping[str, Any], defaults: Mapping[str, Any] | None = None):
        self.mlir_name = mlir_name
        self.params = params
        self.defaults = defaults or {}
        self._written = [(p, c.name or p, c) for p, c in params.items() if not isinstance(c, _FromResult)]
        self._memo: dict = {}

    def attributes(self, params: Mapping[str, Any]) -> dict | None:
        """The attribute dictionary of these parameters."""
        if not self._written:
            return None
        return {name: c.encode(params[p]) for p, name, c in self._written if params[p] is not None}

    def emit(self, values, params, results, ip, location) -> Any:
        return Operation.create(
            self.mlir_name,
            results=results,
            operands=values,
            attributes=self.attributes(params),
            loc=location,
            ip=ip,
        )

    def accepts(self, operation) -> bool:
        return True

    def decode(self, operation, results: list[Aval]) -> tuple[list, dict]:
        params = {}
        attributes = operation.attributes
        for p, codec in self.params.items():
            if isinstance(codec, _FromResult):
                params[p] = codec.read(results[codec.result])
            else:
                name = codec.name or p
                params[p] = codec.decode(attributes[name]) if name in attributes else self._default(p, operation)
        return list(operation.operands), params

    def _default(self, parameter: str, operation: Any) -> Any:
        make = self.defaults.get(parameter)
        return make and make(operation)


class RegionsForm(OperationForm):
    """An operation that names functions, of which StableHLO has a twin with these functions as its regions.

    Functions of ours name theirs by symbol, so that passes transform them; `sable.passes.importer` outlines the regions
    of the twin, `sable.passes.lower` writes it. Attributes have the same names in both.

    Args:
      mlir_name, params, defaults: as for `OperationForm`; defaults are those of the twin's attributes.
      twin: name of the StableHLO operation.
      regions: the parameters that name functions, in the order of the regions.
    """

    def __init__(
        self,
        mlir_name: str,
        params: Mapping[str, Any],
        twin: str,
        regions: tuple[str, ...],
        defaults: Mapping[str, Any] | None = None,
    ):
        super().__init__(mlir_name, params)
        self.twin, self.regions = twin, regions
        self.plain = OperationForm(twin, {p: c for p, c in params.items() if p not in regions}, defaults)


class ConstantForm:
    """`stablehlo.constant`, whose value is a `Literal`."""

    mlir_name = "stablehlo.constant"

    def emit(self, values, params, results, ip, location) -> Any:
        literal = params["value"]
        if literal.aval.dtype.kind == "c":
            return _complex_constant(literal, results[0], ip, location)
        made = Operation.create(self.mlir_name, results=results, loc=location, ip=ip)
        made.attributes["value"] = dense(literal, results[0])  # `create` would intern a dictionary for each value
        return made

    def accepts(self, operation) -> bool:
        return True

    def decode(self, operation, results: list[Aval]) -> tuple[list, dict]:
        return [], {"value": constant_value(operation, results[0])}


def constant_value(operation: Any, a: Aval) -> Literal:
    """The literal of a `stablehlo.constant` operation."""
    if a.dtype.kind == "c":
        return Literal.of(_parse_text(str(operation), a))
    return literal_of(operation.attributes["value"], a)


def _complex_constant(literal: Literal, type: Any, ip, location) -> Any:
    # the bindings know no dense attribute of complex elements, the parser does
    text = _nested(literal.data)
    with CONTEXT, location:
        operation = Operation.parse(f"%0 = stablehlo.constant dense<{text}> : {type}").operation
        ip.insert(operation)
    return operation


def dense(literal: Literal, type: Any) -> Any:
    """The `dense<...>` attribute of a literal."""
    data, dtype = literal.data, literal.aval.dtype
    with CONTEXT, UNKNOWN:
        bits = np.ascontiguousarray(data)  # of a splat one element
        if literal.aval.narrow or (dtype.itemsize == 2 and dtype.kind not in "iu"):  # f16, bf16 and less: by their bits
            bits = bits.view(f"u{dtype.itemsize}")
        return ir.DenseElementsAttr.get(bits, type=element_type(dtype), shape=list(literal.aval.shape))


def _nested(data: np.ndarray) -> str:
    if data.ndim == 0:
        return f"({_hex(data.real)}, {_hex(data.imag)})"
    return "[" + ", ".join(_nested(row) for row in data) + "]"


def _hex(x: Any) -> str:
    """The exact bits of a float as MLIR writes them: 0x7FC00000."""
    x = np.asarray(x)
    bits = x.view(f"u{x.dtype.itemsize}")
    return f"0x{int(bits):0{2 * x.dtype.itemsize}X}"


def literal_of(attribute: Any, a: Aval) -> Literal:
    """The literal of a `dense<...>` attribute (or of a resource or hexadecimal form)."""
    elements = ir.DenseElementsAttr(attribute)
    if elements.is_splat:
        return Literal(a, np.asarray(_scalar(elements.get_splat_value(), a.dtype), a.dtype))
    if a.dtype == np.bool_:
        data = np.array(ir.DenseIntElementsAttr(attribute)).astype(np.bool_).reshape(a.shape)
    elif a.dtype.kind in "iuf" and a.dtype != np.float16 and not a.narrow:
        data = np.array(elements).astype(a.dtype).reshape(a.shape)
    else:
        data = _parse_text(str(attribute), a)
    return Literal.of(data)


def _scalar(attribute: Any, dtype: np.dtype) -> Any:
    if dtype == np.bool_:
        return bool(ir.IntegerAttr(attribute).value)
    if isinstance(attribute.type, ir.IntegerType):
        return int(ir.IntegerAttr(attribute).value) & (2 ** (8 * dtype.itemsize) - 1 if dtype.kind == "u" else -1)
    return float(ir.FloatAttr(attribute).value)


def _parse_text(text: str, a: Aval) -> np.ndarray:
    """Elements of dtypes that the bindings give no buffer for (f16, bf16, narrow and complex ones), from the printed form."""
    body = text[text.index("dense<") : text.rindex(" : ")]
    raw = re.search(r'"0x([0-9A-Fa-f]*)"', body)  # how many elements are printed
    if raw is not None:
        return np.frombuffer(bytes.fromhex(raw[1]), a.dtype).reshape(a.shape)
    found = re.findall(r"0x[0-9A-Fa-f]+|[-+]?\d[\d.]*(?:[eE][-+]?\d+)?", body)
    part = np.dtype(f"f{a.dtype.itemsize // 2}") if a.dtype.kind == "c" else a.dtype

    def number(token: str):
        if token.startswith("0x"):
            return np.asarray(int(token, 16), f"u{part.itemsize}").view(part)[()]
        return part.type(float(token))

    values = np.array([number(t) for t in found], part)
    if a.dtype.kind == "c":
        values = values.view(a.dtype)
    return values.reshape(a.shape) if values.size == a.size else np.broadcast_to(values[0], a.shape)


class RegionForm:
    """Base of the operations with a body of scalar operations (reduce, scatter, sort ...)."""

    mlir_name = ""

    def body(self, operation: Any, element_types: list, build) -> None:
        """Fill region 0 with a block of scalar tensors; `build(ip, args) -> values` makes what it returns."""
        scalars = [ir.RankedTensorType.get([], t, loc=UNKNOWN) for t in element_types]
        block = ir.Block.create_at_start(operation.regions[0], scalars, [UNKNOWN] * len(scalars))
        ip = ir.InsertionPoint(block)
        outs = build(ip, list(block.arguments))
        Operation.create("stablehlo.return", operands=outs, ip=ip, loc=UNKNOWN)

    @staticmethod
    def body_name(operation: Any) -> str | None:
        """Name of the one operation that a two-operation body applies to its arguments, else None."""
        operations = list(operation.regions[0].blocks[0].operations)
        if len(operations) != 2:
            return None
        first, last = operations[0].operation, operations[1].operation
        if list(last.operands) != list(first.results):
            return None
        arguments = list(operation.regions[0].blocks[0].arguments)
        given = list(first.operands)
        return first.name if given in (arguments, arguments[::-1]) else None


class ReduceForm(RegionForm):
    """`stablehlo.reduce` of one operand with one scalar operation and its neutral element."""

    mlir_name = "stablehlo.reduce"

    def __init__(self, combine: str, neutral):
        """combine: mnemonic of the scalar operation; neutral(dtype) -> its neutral element."""
        self.combine = f"stablehlo.{combine}"
        self.neutral = neutral

    def attributes(self, params: Mapping[str, Any]) -> dict | None:
        """The attribute dictionary of these parameters."""
        return {"dimensions": ir.DenseI64ArrayAttr.get(list(params["dimensions"]))}

    def emit(self, values, params, results, ip, location) -> Any:
        (x,) = values
        a = aval_of_type(x.type)
        scalar = aval((), a.dtype)
        with CONTEXT, UNKNOWN:
            init = ConstantForm().emit(
                [], {"value": Literal.full(scalar, self.neutral(a.dtype))}, [mlir_type(scalar)], ip, location
            )
            operation = Operation.create(
                self.mlir_name,
                results=results,
                operands=[x, init.result],
                attributes=self.attributes(params),
                regions=1,
                loc=location,
                ip=ip,
            )
            scalar_type = mlir_type(scalar)
            self.body(
                operation,
                [element_type(a.dtype)] * 2,
                lambda ip, args: [
                    Operation.create(self.combine, results=[scalar_type], operands=args, ip=ip, loc=UNKNOWN).result
                ],
            )
        return operation

    def accepts(self, operation) -> bool:
        if len(operation.operands) != 2 or self.body_name(operation) != self.combine:
            return False
        init = operation.operands[1]
        if isinstance(init, ir.BlockArgument) or init.owner.name != "stablehlo.constant":
            return False
        scalar = aval_of_type(init.type)
        value = constant_value(init.owner, scalar)
        return value == Literal.full(scalar, self.neutral(scalar.dtype))

    def decode(self, operation, results: list[Aval]) -> tuple[list, dict]:
        dims = tuple(ir.DenseI64ArrayAttr(operation.attributes["dimensions"]))
        return [operation.operands[0]], {"dimensions": dims}
