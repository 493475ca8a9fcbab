"""Operations of StableHLO and CHLO that no row describes, since others say the same: what the importer makes of them.

Dynamic shapes are those that the results' types say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import expand
from sable.ir.bindings import aval_of_type, ir
from sable.ir.op import OPS

from .batch import batch

Values = Sequence[Any]


def is_tuple(value: ir.Value) -> bool:
    """Whether a value of a module is a tuple, which no program of ours has."""
    return str(value.type).startswith("tuple<")


def _operands(scope: Any, operation: Any) -> list[Any]:
    return [scope.env[v] for v in operation.operands]


def _shape(operation: Any) -> tuple[int, ...]:
    return aval_of_type(operation.results[0].type).shape


def _integer(operation: Any, name: str) -> int:
    return int(ir.IntegerAttr(operation.attributes[name]))


def _unary(write: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Values]:
    return lambda scope, operation: [write(scope.b, *_operands(scope, operation))]


def _conjugate(b: Any, x: Any) -> Any:
    return b.complex(b.real(x), b.negate(b.imag(x))) if b.aval(x).dtype.kind == "c" else x


def _equals(number: float) -> Callable[[Any, Any], Any]:
    return lambda b, x: b.compare(x, b.full(b.aval(x), number), comparison_direction="EQ")


def _composite(scope: Any, operation: Any) -> Values:
    """A call of what it is composed of."""
    callee = scope.importer.function(ir.FlatSymbolRefAttr(operation.attributes["decomposition"]).value)
    return scope.b.bind(OPS["call"], *_operands(scope, operation), callee=callee)


def _map(scope: Any, operation: Any) -> Values:
    """Its function of scalars for a batch of all elements."""
    shape, xs = _shape(operation), _operands(scope, operation)
    size = int(np.prod(shape))
    body = scope.region(operation.regions[0].blocks[0], (), "computation")
    flat = [scope.b.reshape(x, shape=(size,)) for x in xs]
    ys, mapped = batch(body, flat, [True] * len(flat), size, scope.b)
    return [scope.b.reshape(y if m else expand(scope.b, y, size), shape=shape) for y, m in zip(ys, mapped)]


def _tuple(scope: Any, operation: Any) -> Values:
    return [tuple(_operands(scope, operation))]


def _get_tuple_element(scope: Any, operation: Any) -> Values:
    return [scope.env[operation.operands[0]][_integer(operation, "index")]]


def _get_dimension_size(scope: Any, operation: Any) -> Values:
    a = aval_of_type(operation.results[0].type)
    return [scope.b.full(a, scope.b.aval(scope.env[operation.operands[0]]).shape[_integer(operation, "dimension")])]


def _dynamic_reshape(scope: Any, operation: Any) -> Values:
    return [scope.b.reshape(scope.env[operation.operands[0]], shape=_shape(operation))]


def _dynamic_iota(scope: Any, operation: Any) -> Values:
    a = aval_of_type(operation.results[0].type)
    return [scope.b.iota(shape=a.shape, dtype=a.dtype, iota_dimension=_integer(operation, "iota_dimension"))]


def _dynamic_broadcast(scope: Any, operation: Any) -> Values:
    dimensions = tuple(ir.DenseI64ArrayAttr(operation.attributes["broadcast_dimensions"]))
    x = scope.env[operation.operands[0]]
    return [scope.b.broadcast_in_dim(x, shape=_shape(operation), broadcast_dimensions=dimensions)]


#: operation -> `(scope of the importer, operation) -> values of its results`
FORMS: dict[str, Callable[[Any, Any], Values]] = {
    "chlo.conj": _unary(_conjugate),
    "chlo.is_neg_inf": _unary(_equals(-np.inf)),
    "chlo.is_pos_inf": _unary(_equals(np.inf)),
    "chlo.tan": _unary(lambda b, x: b.tan(x)),
    "stablehlo.composite": _composite,
    "stablehlo.dynamic_broadcast_in_dim": _dynamic_broadcast,
    "stablehlo.dynamic_iota": _dynamic_iota,
    "stablehlo.dynamic_reshape": _dynamic_reshape,
    "stablehlo.get_dimension_size": _get_dimension_size,
    "stablehlo.get_tuple_element": _get_tuple_element,
    "stablehlo.map": _map,
    "stablehlo.tuple": _tuple,
}
