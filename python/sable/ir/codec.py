"""Codecs: how an op's parameter is written as an MLIR attribute, and read back.

`encode(value) -> Attribute` and `decode(attribute) -> value` are memoised: making an attribute from text costs 15 us.
A codec with `name` says under which attribute name MLIR knows the parameter, when that differs from ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from .bindings import CONTEXT, UNKNOWN, ir

#: Values kept by each codec's memo: many times what a program has, and little memory (attributes live in the context).
_MEMO_SIZE = 65536


class Codec:
    """A pair of functions between parameter values (hashable) and MLIR attributes.

    Attributes:
      name: of the attribute, where that is not the parameter's.
      kind: what the attribute should look like, for messages.
      irdl: the constraint of the attribute in IRDL; {0} is its name, and the last line defines it.

    Args:
      memo_size: values that are remembered, and thereby kept alive.
    """

    def __init__(
        self,
        encode: Callable[[Any], Any],
        decode: Callable[[Any], Any],
        name: str | None = None,
        kind: str = "another kind",
        memo_size: int = _MEMO_SIZE,
        irdl: tuple[str, ...] = ("%{0} = irdl.any",),
    ):
        self._encode, self._decode, self.name, self.kind = encode, decode, name, kind
        self._memo_size, self.irdl = memo_size, irdl
        self._attributes: dict = {}
        self._values: dict = {}

    def named(self, name: str) -> Codec:
        """The same codec for an attribute of another name."""
        return Codec(self._encode, self._decode, name, self.kind, self._memo_size, self.irdl)

    def encode(self, value: Any) -> Any:
        found = self._attributes.get(value)
        if found is None:
            with CONTEXT, UNKNOWN:
                found = self._encode(value)
            if len(self._attributes) < self._memo_size:
                self._attributes[value] = found
        return found

    def decode(self, attribute: Any) -> Any:
        found = self._values.get(attribute)
        if found is None:
            found = self._decode(attribute)
            if len(self._values) < self._memo_size:
                self._values[attribute] = found
        return found


def _base(name: str) -> tuple[str, ...]:
    return (f'%{{0}} = irdl.base "#builtin.{name}"',)


def _i64(value: int):
    return ir.IntegerAttr.get(ir.IntegerType.get_signless(64), value)


#: tuple of ints <-> array<i64: ...>
INTS = Codec(
    lambda v: ir.DenseI64ArrayAttr.get(list(v)),
    lambda a: tuple(ir.DenseI64ArrayAttr(a)),
    kind="array<i64: ...>",
    irdl=_base("dense_array"),
)
#: int <-> i64
INT = Codec(_i64, lambda a: int(ir.IntegerAttr(a)), kind="an i64", irdl=_base("integer"))
#: float <-> f64
FLOAT = Codec(
    lambda v: ir.FloatAttr.get(ir.F64Type.get(), v),
    lambda a: float(ir.FloatAttr(a).value),
    kind="an f64",
    irdl=_base("float"),
)
#: bool <-> true / false
BOOL = Codec(
    lambda v: ir.BoolAttr.get(bool(v)),
    lambda a: bool(ir.BoolAttr(a).value),
    kind="true or false",
    irdl=("%{0}_true = irdl.is true", "%{0}_false = irdl.is false", "%{0} = irdl.any_of(%{0}_true, %{0}_false)"),
)
#: str <-> string
STRING = Codec(lambda v: ir.StringAttr.get(v), lambda a: ir.StringAttr(a).value, kind="a string", irdl=_base("string"))
#: tuple of str <-> array of strings
STRINGS = Codec(
    lambda v: ir.ArrayAttr.get([ir.StringAttr.get(s) for s in v]),
    lambda a: tuple(ir.StringAttr(s).value for s in ir.ArrayAttr(a)),
    kind="an array of strings",
    irdl=_base("array"),
)

#: tuple of bools <-> array<i1: ...>
BOOLS = Codec(lambda v: ir.DenseBoolArrayAttr.get(list(v)), lambda a: tuple(ir.DenseBoolArrayAttr(a)))


def _pairs(value: tuple[tuple[int, int], ...]):
    array = np.array(value, np.int64).reshape(len(value), 2)
    return ir.DenseElementsAttr.get(array, type=ir.IntegerType.get_signless(64))


#: ((low, high), ...) <-> dense<[[low, high], ...]> : tensor<nx2xi64>
PAIRS = Codec(_pairs, lambda a: tuple((int(low), int(high)) for low, high in np.array(ir.DenseIntElementsAttr(a))))

#: ("HIGHEST", "HIGHEST") <-> [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]
PRECISION = Codec(
    lambda v: ir.ArrayAttr.get([ir.Attribute.parse(f"#stablehlo<precision {p}>") for p in v]),
    lambda a: tuple(str(p).rstrip(">").split()[-1] for p in ir.ArrayAttr(a)),
)


class SymbolCodec(Codec):
    """Functions, which MLIR refers to by symbol.

    Attributes:
      many: a tuple of functions.
      role: 'function'; 'rule', which passes ask for when they need it (custom derivatives); or 'host', a function
        whose body the host supplies.
    """

    def __init__(self, encode: Callable[[Any], Any], decode: Callable[[Any], Any], many: bool, role: str = "function"):
        kind = "an array of symbols" if many else "a symbol"
        super().__init__(encode, decode, kind=kind, irdl=_base("array" if many else "symbol_ref"))
        self.many, self.role = many, role

    def of(self, role: str) -> SymbolCodec:
        """The same codec for functions of another role."""
        return SymbolCodec(self._encode, self._decode, self.many, role)


#: a function
SYMBOL = SymbolCodec(lambda v: ir.FlatSymbolRefAttr.get(v), lambda a: ir.FlatSymbolRefAttr(a).value, many=False)
#: several of them
SYMBOLS = SymbolCodec(
    lambda v: ir.ArrayAttr.get([ir.FlatSymbolRefAttr.get(s) for s in v]),
    lambda a: tuple(ir.FlatSymbolRefAttr(s).value for s in ir.ArrayAttr(a)),
    many=True,
)
#: a rule of a custom derivative
RULE = SYMBOL.of("rule")
#: a function of the host
HOST = SYMBOL.of("host")


def enum(mnemonic: str) -> Codec:
    """`#stablehlo<comparison_direction LT>` <-> 'LT'."""
    return Codec(
        lambda v: ir.Attribute.parse(f"#stablehlo<{mnemonic} {v}>"),
        lambda a: str(a).rstrip(">").split()[-1],
    )


class _FromResult:
    """A parameter which the type of a result (by its number) already says: nothing is written."""

    def __init__(self, read: Callable, result: int = 0):
        self.read, self.result = read, result

    def of(self, result: int) -> _FromResult:
        """The same of another result."""
        return _FromResult(self.read, result)


#: the result's dtype (`convert`)
RESULT_DTYPE = _FromResult(lambda a: a.dtype)
#: the result's shape (`broadcast_in_dim`, `reshape`, `iota`)
RESULT_SHAPE = _FromResult(lambda a: a.shape)


def struct(cls: type, mnemonic: str) -> Codec:
    """A frozen dataclass of ints and tuples of ints <-> `#stablehlo.gather<offset_dims = [1], index_vector_dim = 1>`.

    Fields that are empty or zero are left out, as StableHLO prints them.
    """

    def encode(value: Any):
        parts = []
        for f in fields(cls):
            v = getattr(value, f.name)
            if isinstance(v, tuple):
                if v:
                    parts.append(f"{f.name} = [{', '.join(map(str, v))}]")
            elif v or f.name == "index_vector_dim":
                parts.append(f"{f.name} = {v}")
        return ir.Attribute.parse(f"#stablehlo.{mnemonic}<{', '.join(parts)}>")

    def decode(attribute: Any):
        found: dict[str, Any] = {}
        for key, many, one in re.findall(r"(\w+) = (?:\[([\d, ]*)\]|(\d+))", str(attribute)):
            found[key] = int(one) if one else tuple(int(n) for n in many.split(",") if n.strip())
        return cls(**found)

    return Codec(encode, decode)


@dataclass(frozen=True)
class GatherDimensions:
    """`#stablehlo.gather<...>`: see the StableHLO specification, gather."""

    offset_dims: tuple[int, ...] = ()
    collapsed_slice_dims: tuple[int, ...] = ()
    operand_batching_dims: tuple[int, ...] = ()
    start_indices_batching_dims: tuple[int, ...] = ()
    start_index_map: tuple[int, ...] = ()
    index_vector_dim: int = 0


@dataclass(frozen=True)
class ScatterDimensions:
    """`#stablehlo.scatter<...>`: see the StableHLO specification, scatter."""

    update_window_dims: tuple[int, ...] = ()
    inserted_window_dims: tuple[int, ...] = ()
    input_batching_dims: tuple[int, ...] = ()
    scatter_indices_batching_dims: tuple[int, ...] = ()
    scatter_dims_to_operand_dims: tuple[int, ...] = ()
    index_vector_dim: int = 0


@dataclass(frozen=True)
class DotDimensions:
    """`#stablehlo.dot<...>`: batching and contracting dimensions of both sides."""

    lhs_batching_dimensions: tuple[int, ...] = ()
    rhs_batching_dimensions: tuple[int, ...] = ()
    lhs_contracting_dimensions: tuple[int, ...] = ()
    rhs_contracting_dimensions: tuple[int, ...] = ()


GATHER = struct(GatherDimensions, "gather")
SCATTER = struct(ScatterDimensions, "scatter")
DOT = struct(DotDimensions, "dot")


class ConvDimensionNumbers(NamedTuple):
    """Which dimensions of a convolution's operands and result are what.

    Attributes:
      lhs_spec: batch, feature, then spatial dimensions of the input.
      rhs_spec: output feature, input feature, then spatial dimensions of the kernel.
      out_spec: batch, feature, then spatial dimensions of the result.

    Example:
      >>> lax.conv_dimension_numbers((1, 8, 3), (3, 3, 4), ("NHC", "HIO", "NHC"))
      ConvDimensionNumbers(lhs_spec=(0, 2, 1), rhs_spec=(2, 1, 0), out_spec=(0, 2, 1))
    """

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


def _conv_text(value: ConvDimensionNumbers) -> str:
    def side(spec: tuple[int, ...], names: str) -> str:
        letters = [*names, *map(str, range(len(spec) - 2))]
        return "[" + ", ".join(letters[spec.index(i)] for i in range(len(spec))) + "]"

    return f"{side(value.lhs_spec, 'bf')}x{side(value.rhs_spec, 'oi')}->{side(value.out_spec, 'bf')}"


def _conv_specs(attribute: Any) -> ConvDimensionNumbers:
    sides = re.findall(r"\[([^\]]*)\]", str(attribute))

    def spec(text: str, names: str) -> tuple[int, ...]:
        letters = [c.strip() for c in text.split(",")]
        return tuple(letters.index(c) for c in (*names, *map(str, range(len(letters) - 2))))

    return ConvDimensionNumbers(*(spec(text, names) for text, names in zip(sides, ("bf", "oi", "bf"))))


#: ConvDimensionNumbers <-> #stablehlo.conv<[b, f, 0, 1]x[o, i, 0, 1]->[b, f, 0, 1]>
CONV = Codec(lambda v: ir.Attribute.parse(f"#stablehlo.conv<{_conv_text(v)}>"), _conv_specs)
