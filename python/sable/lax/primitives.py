"""Primitives of JAX's that are no op here but composed of others: `bind` calls the function that does it.

Operands and parameters are those of JAX's equations; parameters that follow from the operands, or say how XLA goes about it,
may be left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.destinations import to_device
from sable.core.operands import broadcast_operands, value_of, values_of
from sable.core.primitives import Primitive
from sable.dialects.ops.nary import check_kinds
from sable.dialects.ops.rules import kind_of
from sable.dialects.ops.top_k import descending

from . import arithmetic, elementwise, gathering, parallel, random_bits, reductions, shapes, windows

#: Parameters that change nothing here.
_IMPLIED = frozenset(
    [
        "accuracy",
        "context_mesh",
        "copy_semantics",
        "input_dtype",
        "layout",
        "out_sharding",
        "srcs",
        "update_consts",
        "update_jaxpr",
    ]
)


def _total_order(name: str, direction: str) -> Callable[..., Value]:
    """A comparison in which floats have the order -NaN, -inf, ..., -0, 0, ..., inf, NaN."""

    def run(x: Any, y: Any) -> Value:
        a, b = broadcast_operands(values_of(name, x, y))
        check_kinds(name, (a.aval, b.aval), "iufb")
        if kind_of(a.aval.dtype) != "f":
            return BIND.compare(a, b, comparison_direction=direction)
        return BIND.compare(descending(BIND, b), descending(BIND, a), comparison_direction=direction)

    return run


def _device_put(*operands: Any, devices: Sequence[Any]) -> tuple[Value, ...]:
    return tuple(to_device(value_of(x, "device_put"), device) for x, device in zip(operands, devices))


def _select_and_scatter_add(source: Any, operand: Any, *, select_prim: Any, **window: Any) -> Value:
    zero = value_of(source, "select_and_scatter_add").aval.dtype.type(0)
    return windows.select_and_scatter(
        operand, select_prim.bind, source=source, init_value=zero, scatter=arithmetic.add, **window
    )


def _sharding_constraint(operand: Any, *, sharding: Any, unconstrained_dims: Any = frozenset()) -> Value:
    return parallel.with_sharding_constraint(operand, sharding)


def _scatter_sub(operand: Any, indices: Any, updates: Any, *, dimension_numbers: Any, **params: Any) -> Value:
    return gathering.scatter_sub(operand, indices, updates, dimension_numbers, **params)


#: JAX's name in `jax.lax`, less `_p` -> the name in equations, whether there are several results, what `bind` calls.
_COMPOSED: dict[str, tuple[str, bool, Callable]] = {
    "all_to_all": ("all_to_all", False, parallel.all_to_all),
    "conj": ("conj", False, elementwise.conj),
    "device_put": ("device_put", True, _device_put),
    "eq_to": ("eq_to", False, _total_order("eq_to", "EQ")),
    "exp2": ("exp2", False, elementwise.exp2),
    "le_to": ("le_to", False, _total_order("le_to", "LE")),
    "lt_to": ("lt_to", False, _total_order("lt_to", "LT")),
    "ppermute": ("ppermute", False, parallel.ppermute),
    "rng_uniform": ("rng_uniform", False, random_bits.rng_uniform),
    "scatter_sub": ("scatter-sub", False, _scatter_sub),
    "select_and_scatter_add": ("select_and_scatter_add", False, _select_and_scatter_add),
    "sharding_constraint": ("sharding_constraint", False, _sharding_constraint),
    "split": ("split", True, shapes.split),
    "squeeze": ("squeeze", False, shapes.squeeze),
    "stack": ("stack", False, lambda *operands, axis: shapes.stack(operands, axis)),
    "tile": ("tile", False, shapes.tile),
    "top_k": ("top_k", True, reductions.top_k),
    "unstack": ("unstack", True, shapes.unstack),
}


def _bound(function: Callable, multiple_results: bool) -> Callable[..., Any]:
    def bind(*operands: Any, **params: Any) -> Any:
        found = function(*operands, **{name: value for name, value in params.items() if name not in _IMPLIED})
        return tuple(found) if multiple_results else found

    return bind


COMPOSED = {
    name: Primitive(shown, several, composed=_bound(function, several))
    for name, (shown, several, function) in _COMPOSED.items()
}
