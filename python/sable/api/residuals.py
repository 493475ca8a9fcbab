"""What derivatives keep of a function's run: `saved_residuals`, `print_saved_residuals`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sable.core.boundary import boundary
from sable.core.primitives import primitive_of
from sable.core.tracing import argument_names
from sable.ir.aval import Aval
from sable.ir.function import Function, Node, Variable
from sable.passes.diagnostics import place_of
from sable.pytree import arrays

from .abstract import abstract_trace
from .autodiff import vjp
from .jaxpr import type_text


@boundary
def saved_residuals(fun: Callable, *args: Any, **kwargs: Any) -> list[tuple[Aval, str]]:
    """What `jax.vjp` of a function keeps for its pullback, each value once.

    Args:
      fun: a function of arrays and pytrees of arrays.
      args, kwargs: its arguments, or types of them.

    Returns:
      Types, and where the values come from, arguments first: "from the argument x", "output of cos from file.py:12",
      "named 'a' from file.py:13", "from a constant".

    Example:
      >>> from sable.ad_checkpoint import saved_residuals
      >>> saved_residuals(lambda x, y: x * y, jnp.ones(3), jax.ShapeDtypeStruct((3,), jnp.float32))
      [(ShapedArray(float32[3]), 'from the argument x'), (ShapedArray(float32[3]), 'from the argument y')]
    """
    leaves, tree = arrays.flatten((args, kwargs))

    def residuals(*values: Any) -> list[Any]:
        def flat(*values: Any) -> Any:
            positional, named = tree.unflatten(values)
            return fun(*positional, **named)

        return arrays.leaves(vjp(flat, *values)[1])

    traced = abstract_trace(residuals, tuple(leaves), {}, "saved_residuals")
    names = argument_names(fun, args, kwargs)
    found = {v: _origin(traced.function, v, names) for v in dict.fromkeys(traced.function.outputs)}
    given = [v for v in traced.function.arguments if v in found]
    return [(v.aval, found.pop(v)) for v in given] + [(v.aval, text) for v, text in found.items()]


def _origin(function: Function, value: Variable, names: list[str]) -> str:
    """Where a value of a function comes from: through calls and out of them, to an argument or an op."""
    calls: list[tuple[Function, Node]] = []
    while True:
        node = function.producer(value)
        if node is None:
            number = function.arguments.index(value)
            if not calls:
                return f"from the argument {names[number]}" if number < len(names) else "from a constant"
            function, call = calls.pop()
            value = call.operands[number]
        elif isinstance(node.params.get("callee"), Function):
            calls.append((function, node))
            value, function = node.params["callee"].outputs[node.results.index(value)], node.params["callee"]
        else:
            return _text(node)


def _text(node: Node) -> str:
    if node.op.name == "constant":
        return "from a literal"
    place = place_of(node.location)
    line = f"{place.file}:{place.line}" if place is not None else "<unknown>"
    if node.op.name == "name":
        return f"named '{node.params['name']}' from {line}"
    return f"output of {primitive_of(node.op, node.params).name} from {line}"


def print_saved_residuals(fun: Callable, *args: Any, **kwargs: Any) -> None:
    """Print what `saved_residuals` gives, a value a line.

    Example:
      >>> from sable.ad_checkpoint import print_saved_residuals
      >>> print_saved_residuals(lambda x, y: x * y, 1.0, 2.0)
      f32[] from the argument x
      f32[] from the argument y
    """
    for a, origin in saved_residuals(fun, *args, **kwargs):
        print(f"{type_text(a)} {origin}")


__all__ = ["print_saved_residuals", "saved_residuals"]
