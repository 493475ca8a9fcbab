"""Forms of the operations whose bodies say what they do: scatter, sort, reductions of (value, index) pairs.

A body is written by a function of a `Scalars` maker; the same function makes the expression tree that a body
read from somebody's program is compared with. So what is written is what is recognised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.bindings import CONTEXT, UNKNOWN, Operation, aval_of_type, element_type, ir, mlir_type
from sable.ir.codec import enum
from sable.ir.form import ConstantForm, OperationForm, RegionForm, constant_value
from sable.ir.literal import Literal

_BOOL = np.dtype(np.bool_)
_DIRECTION = enum("comparison_direction")
_TYPE = enum("comparison_type")


class Scalars:
    """Makes scalar operations in a body."""

    def __init__(self, ip: Any):
        self.ip = ip

    def constant(self, dtype: np.dtype, value: Any) -> Any:
        a = aval((), dtype)
        params = {"value": Literal.full(a, value)}
        return ConstantForm().emit([], params, [mlir_type(a)], self.ip, UNKNOWN).result

    def compare(self, x: Any, y: Any, direction: str, kind: str) -> Any:
        attributes = {
            "comparison_direction": _DIRECTION.encode(direction),
            "compare_type": _TYPE.encode(kind),
        }
        return self._make("stablehlo.compare", [x, y], _BOOL, attributes)

    def select(self, pred: Any, x: Any, y: Any) -> Any:
        return self._make("stablehlo.select", [pred, x, y], self.dtype(x))

    def both(self, x: Any, y: Any) -> Any:
        return self._make("stablehlo.and", [x, y], _BOOL)

    def either(self, x: Any, y: Any) -> Any:
        return self._make("stablehlo.or", [x, y], _BOOL)

    def real(self, x: Any) -> Any:
        return self._make("stablehlo.real", [x], real_dtype(self.dtype(x)))

    def imag(self, x: Any) -> Any:
        return self._make("stablehlo.imag", [x], real_dtype(self.dtype(x)))

    def dtype(self, x: Any) -> np.dtype:
        return aval_of_type(x.type).dtype

    def _make(self, name: str, operands: list, dtype: np.dtype, attributes: dict | None = None) -> Any:
        result = mlir_type(aval((), dtype))
        made = Operation.create(
            name, results=[result], operands=operands, attributes=attributes, ip=self.ip, loc=UNKNOWN
        )
        return made.result


class Trees:
    """Makes the same operations as expression trees: tuples with the dtype in front."""

    def constant(self, dtype: np.dtype, value: Any) -> Any:
        return dtype, "stablehlo.constant", Literal.full(aval((), dtype), value)

    def compare(self, x: Any, y: Any, direction: str, kind: str) -> Any:
        return _BOOL, "stablehlo.compare", direction, kind, x, y

    def select(self, pred: Any, x: Any, y: Any) -> Any:
        return x[0], "stablehlo.select", pred, x, y

    def both(self, x: Any, y: Any) -> Any:
        return _BOOL, "stablehlo.and", x, y

    def either(self, x: Any, y: Any) -> Any:
        return _BOOL, "stablehlo.or", x, y

    def real(self, x: Any) -> Any:
        return real_dtype(x[0]), "stablehlo.real", x

    def imag(self, x: Any) -> Any:
        return real_dtype(x[0]), "stablehlo.imag", x

    def dtype(self, x: Any) -> np.dtype:
        return x[0]

    @staticmethod
    def arguments(dtypes: Sequence[np.dtype]) -> list:
        """The arguments of a body."""
        return [(dtype, "argument", i) for i, dtype in enumerate(dtypes)]


def real_dtype(dtype: np.dtype) -> np.dtype:
    """float32 for complex64."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def comparison_type(dtype: np.dtype) -> str:
    """How elements of a dtype are compared: FLOAT, SIGNED or UNSIGNED."""
    return {"b": "UNSIGNED", "u": "UNSIGNED", "i": "SIGNED"}.get(dtype.kind, "FLOAT")


def read_body(operation: Any) -> list | None:
    """What a body returns, as expression trees; None where it has operations that no form writes."""
    if len(operation.regions[0].blocks) != 1:
        return None
    block = operation.regions[0].blocks[0]
    arguments = list(block.arguments)
    trees = dict(zip(arguments, Trees.arguments([aval_of_type(a.type).dtype for a in arguments])))
    for view in block.operations:
        inner = view.operation
        if inner.name == "stablehlo.return":
            return [trees.get(v) for v in inner.operands]
        if len(inner.results) != 1 or any(v not in trees for v in inner.operands):
            return None
        operands = [trees[v] for v in inner.operands]
        a = aval_of_type(inner.results[0].type)
        if inner.name == "stablehlo.constant":
            extra: tuple = (constant_value(inner, a),)
        elif inner.name == "stablehlo.compare":
            extra = _comparison(inner, operands[0][0])
        else:
            extra = ()
        trees[inner.results[0]] = (a.dtype, inner.name, *extra, *operands)
    return None


def _comparison(operation: Any, dtype: np.dtype) -> tuple[str, str]:
    attributes = operation.attributes
    kind = _TYPE.decode(attributes["compare_type"]) if "compare_type" in attributes else "NOTYPE"
    kind = comparison_type(dtype) if kind == "NOTYPE" else kind
    return _DIRECTION.decode(attributes["comparison_direction"]), kind


class BodyForm(RegionForm, OperationForm):
    """Base: operands and attributes as in `OperationForm`, and a body which `returns` describes.

    Parameters in `implied` are not written as attributes.
    """

    def __init__(self, mlir_name: str, params: Mapping[str, Any], implied: Sequence[str] = ()):
        OperationForm.__init__(self, mlir_name, {p: c for p, c in params.items() if p not in implied})

    def returns(self, s: Any, arguments: list, params: Mapping[str, Any]) -> list:
        """What the body returns, made by `s` (`Scalars` or `Trees`)."""
        raise NotImplementedError

    def create(self, operands: list, dtypes: list, params: Mapping[str, Any], results, ip, location) -> Any:
        """The operation with these operands and a body with arguments of these dtypes."""
        with CONTEXT, UNKNOWN:
            operation = Operation.create(
                self.mlir_name,
                results=results,
                operands=operands,
                attributes=self.attributes(params),
                regions=1,
                loc=location,
                ip=ip,
            )
            types = [element_type(dtype) for dtype in dtypes]
            self.body(operation, types, lambda ip, arguments: self.returns(Scalars(ip), arguments, params))
        return operation

    def matches(self, operation: Any, params: Mapping[str, Any]) -> bool:
        """Whether the operation's body is the one that would be written."""
        found = read_body(operation)
        if found is None:
            return False
        arguments = [aval_of_type(a.type).dtype for a in operation.regions[0].blocks[0].arguments]
        return found == self.returns(Trees(), Trees.arguments(arguments), params)


class ScatterForm(BodyForm):
    """`stablehlo.scatter` of one operand.

    combine: mnemonic of the scalar operation; None where updates replace.
    """

    def __init__(self, combine: str | None, params: Mapping[str, Any]):
        super().__init__("stablehlo.scatter", params)
        self.combine = combine and f"stablehlo.{combine}"

    def returns(self, s: Any, arguments: list, params: Mapping[str, Any]) -> list:
        if self.combine is None:
            return [arguments[1]]
        return [s._make(self.combine, arguments, s.dtype(arguments[0]))]

    def emit(self, values, params, results, ip, location) -> Any:
        dtype = aval_of_type(values[0].type).dtype
        return self.create(list(values), [dtype] * 2, params, results, ip, location)

    def accepts(self, operation) -> bool:
        if len(operation.operands) != 3:
            return False
        if self.combine is not None:
            return self.body_name(operation) == self.combine
        return self.matches(operation, {})


class SortForm(BodyForm):
    """`stablehlo.sort` by the first `num_keys` operands, in the total order of JAX: -0 equals 0, NaN last."""

    def __init__(self, params: Mapping[str, Any]):
        super().__init__("stablehlo.sort", params, implied=("num_keys",))

    def returns(self, s: Any, arguments: list, params: Mapping[str, Any]) -> list:
        return [before(s, arguments[: 2 * params["num_keys"]])]

    def emit(self, values, params, results, ip, location) -> Any:
        dtypes = [aval_of_type(v.type).dtype for v in values for _ in range(2)]
        return self.create(list(values), dtypes, params, results, ip, location)

    def accepts(self, operation) -> bool:
        return self._num_keys(operation) is not None

    def _num_keys(self, operation: Any) -> int | None:
        found = read_body(operation)
        if found is None:
            return None
        dtypes = [aval_of_type(v.type).dtype for v in operation.operands for _ in range(2)]
        arguments = Trees.arguments(dtypes)
        for n in range(1, len(operation.operands) + 1):
            if found == self.returns(Trees(), arguments, {"num_keys": n}):
                return n
        return None

    def decode(self, operation, results: list[Aval]) -> tuple[list, dict]:
        operands, params = super().decode(operation, results)
        if params["dimension"] is None:
            params["dimension"] = len(results[0].shape) - 1
        params["is_stable"] = bool(params["is_stable"])
        return operands, {
            "dimension": params["dimension"],
            "num_keys": self._num_keys(operation),
            "is_stable": params["is_stable"],
        }


def before(s: Any, arguments: list) -> Any:
    """Whether the keys in arguments 0, 2, 4 ... come before those in 1, 3, 5 ..., as in a dictionary."""
    keys = [key for i in range(0, len(arguments), 2) for key in _parts(s, arguments[i], arguments[i + 1])]
    found = None
    for x, y, kind in reversed(keys):
        less = s.compare(x, y, "LT", kind)
        if found is not None:
            less = s.either(less, s.both(s.compare(x, y, "EQ", kind), found))
        found = less
    return found


def _parts(s: Any, x: Any, y: Any) -> list:
    """Pairs to be compared for one key, and how: real and imaginary parts of a complex one."""
    dtype = s.dtype(x)
    if dtype.kind == "c":
        xs, ys = (
            [_canonical(s, p) for p in (s.real(x), s.imag(x))],
            [_canonical(s, p) for p in (s.real(y), s.imag(y))],
        )
        return [(p, q, "TOTALORDER") for p, q in zip(xs, ys)]
    kind = comparison_type(dtype)
    if kind != "FLOAT":
        return [(x, y, kind)]
    return [(_canonical(s, x), _canonical(s, y), "TOTALORDER")]


def _canonical(s: Any, x: Any) -> Any:
    # the total order of IEEE 754 has -0 before 0, and negative NaN first
    dtype = s.dtype(x)
    zero = s.constant(dtype, 0)
    x_ = s.select(s.compare(x, zero, "EQ", "FLOAT"), zero, x)
    return s.select(s.compare(x, x, "NE", "FLOAT"), s.constant(dtype, np.nan), x_)


class ArgReduceForm(BodyForm):
    """`stablehlo.reduce` of (value, index) pairs to the extreme value and its lowest index; NaN wins."""

    def __init__(self, direction: str, neutral: Callable[[np.dtype], Any]):
        """direction: GT or LT, how a better value compares; neutral(dtype) -> the worst value."""
        super().__init__("stablehlo.reduce", {})
        self.direction = direction
        self.neutral = neutral

    def returns(self, s: Any, arguments: list, params: Mapping[str, Any]) -> list:
        x, i, y, j = arguments
        kind, index_kind = comparison_type(s.dtype(x)), comparison_type(s.dtype(i))
        better = s.either(s.compare(x, y, self.direction, kind), s.compare(x, x, "NE", kind))
        first = s.both(s.compare(x, y, "EQ", kind), s.compare(i, j, "LT", index_kind))
        return [s.select(better, x, y), s.select(s.either(better, first), i, j)]

    def attributes(self, params: Mapping[str, Any]) -> dict:
        return {"dimensions": ir.DenseI64ArrayAttr.get([params["axis"]])}

    def emit(self, values, params, results, ip, location) -> Any:
        dtypes = [aval_of_type(v.type).dtype for v in values]
        with CONTEXT, UNKNOWN:
            s = Scalars(ip)
            inits = [s.constant(dtypes[0], self.neutral(dtypes[0])), s.constant(dtypes[1], 0)]
        return self.create([*values, *inits], dtypes * 2, params, results, ip, location)

    def accepts(self, operation) -> bool:
        if len(operation.operands) != 4 or len(ir.DenseI64ArrayAttr(operation.attributes["dimensions"])) != 1:
            return False
        dtypes = [aval_of_type(v.type).dtype for v in list(operation.operands)[:2]]
        wanted = [self.neutral(dtypes[0]), 0]
        for value, dtype, init in zip(wanted, dtypes, list(operation.operands)[2:]):
            if isinstance(init, ir.BlockArgument) or init.owner.name != "stablehlo.constant":
                return False
            a = aval((), dtype)
            if constant_value(init.owner, a) != Literal.full(a, value):
                return False
        return self.matches(operation, {})

    def decode(self, operation, results: list[Aval]) -> tuple[list, dict]:
        (axis,) = ir.DenseI64ArrayAttr(operation.attributes["dimensions"])
        return list(operation.operands)[:2], {"axis": int(axis)}
