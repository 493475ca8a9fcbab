"""Primitives: what the equations of jaxprs compute, by JAX's names.

They are views of the rows of the op table, for programs that look at jaxprs or run them their own way.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.dialects.ops.rules import elementwise
from sable.ir.function import Function
from sable.ir.op import OPS, Op

from .array import Value
from .bind import bind
from .operands import broadcast_operands, values_of
from .precision import Precision, precision_config

#: Names of parameters that name functions, where JAX has others: by the parameter, for an op with one function.
_FUNCTIONS = {"callee": "jaxpr", "body": "jaxpr"}
#: Other parameters that JAX names otherwise.
_PARAMETERS = {
    "dot_dimension_numbers": "dimension_numbers",
    "scatter_dimension_numbers": "dimension_numbers",
    "precision_config": "precision",
    "fft_length": "fft_lengths",
}
#: What JAX's equations say besides, which follows from the operands here.
_IMPLIED = ("weak_type", "name")
_DIRECTIONS = ("EQ", "NE", "LT", "LE", "GT", "GE")


@dataclass(frozen=True)
class Primitive:
    """What an equation computes. Two of one name are equal.

    Attributes:
      name: JAX's.
      multiple_results: whether equations have a tuple of results.
      op: its row; None for what only jaxprs have (`random_wrap`).
      fixed: parameters of the op that the name stands for: `gt` is a comparison.
      composed: what `bind` does where there is no such op here but others that make it up.
    """

    name: str
    multiple_results: bool = field(compare=False)
    op: Op | None = field(default=None, compare=False)
    fixed: Mapping[str, Any] = field(default_factory=dict, compare=False)
    composed: Callable[..., Any] | None = field(default=None, compare=False)

    def bind(self, *operands: Any, **params: Any) -> Any:
        """Apply it: `eqn.primitive.bind(*operands, **eqn.params)`.

        Args:
          operands: arrays or traced values of the dtypes that the op takes; nothing is promoted. Numbers stand for arrays of
            them beside arrays.
          params: as equations have them.

        Returns:
          Arrays or traced values, a tuple of them where there are multiple results.

        Raises:
          TypeError: a parameter is missing or unknown, or the types do not fit.
          NotImplementedError: nothing computes it here.
        """
        if self.composed is not None:
            return self.composed(*operands, **params)
        if self.op is None:
            raise NotImplementedError(f"{self.name} stands for how jaxprs show random keys, and computes nothing here")
        values: Sequence[Value] = values_of(self.name, *operands)
        if self.op.batch is elementwise and values:
            values = broadcast_operands(values)  # numbers in equations stand for arrays of them
        return bind(self.op, *values, **self._own(params))

    def _own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The op's parameters by ours of those of equations."""
        op = self.op
        assert op is not None
        names = {shown_name(op, name): name for name in op.params if name not in self.fixed}
        unknown = [name for name in given if name not in names and name not in _IMPLIED]
        missing = [name for name in names if name not in given]
        if unknown or missing:
            raise TypeError(f"{self.name} takes the parameters {list(names)}; unknown: {unknown}, missing: {missing}")
        return {**self.fixed, **{names[k]: _own_value(names[k], v) for k, v in given.items() if k in names}}

    def __repr__(self) -> str:
        return self.name


def shown_name(op: Op, name: str) -> str:
    """JAX's name of a parameter."""
    if name == "dtype" and op.name in ("convert", "bitcast_convert"):
        return "new_dtype"
    if name in op.functions and not op.params[name].many:
        return _FUNCTIONS.get(name, name) if len(op.functions) == 1 else f"{name}_jaxpr"
    return _PARAMETERS.get(name, name)


def _own_value(name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_own_value(name, v) for v in value) if name != "precision_config" else precision_config(value)
    function = getattr(value, "function", None)
    return function if isinstance(function, Function) else value


def shown_value(name: str, value: Any) -> Any:
    """A parameter as equations show it."""
    if name == "precision_config":
        return None if value is None else tuple(Precision[each] for each in value)
    return value


def primitive_of(op: Op, params: Mapping[str, Any]) -> Primitive:
    """That of a node."""
    fixed = {name: value for name, value in params.items() if f"{{{name}}}" in op.primitive}
    name = op.primitive.format(**{name: value.lower() for name, value in fixed.items()})
    return Primitive(name, op.multiple_results, op, fixed)


@functools.cache
def primitives() -> dict[str, Primitive]:
    """Those of all ops, by name."""
    return {p.name: p for op in OPS.values() for p in _primitives(op)}


def _primitives(op: Op) -> Iterator[Primitive]:
    if "{comparison_direction}" not in op.primitive:
        yield primitive_of(op, {})
        return
    for direction in _DIRECTIONS:
        yield primitive_of(op, {"comparison_direction": direction})
