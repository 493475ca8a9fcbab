"""Functions with what they close over as arguments, and linear ones that bring their transposes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.trace import Tracer
from sable.core.tracing import trace_flat
from sable.core.values import as_value, retype
from sable.dialects.ops.rules import is_inexact
from sable.ir.function import interpret
from sable.ir.op import OPS
from sable.lax.control_bodies import captures_first, trace_body, union
from sable.pytree import arrays


@boundary
def closure_convert(fun: Callable, *example_args: Any) -> tuple[Callable, list]:
    """A function whose differentiated closed-over values are arguments.

    Args:
      fun: function of pytrees of arrays.
      example_args: of the types of its arguments.

    Returns:
      (converted, values): `converted(*args, *values)` is `fun(*args)`. The values are those traced ones of floating-point or
      complex numbers that `fun` closes over; all else stays in the function.

    Raises:
      TypeError: in calls: arguments of another structure than the examples.

    Example:
      >>> import sable as jax
      >>> def f(y):
      ...     g, values = closure_convert(lambda x: x * y, 1.0)
      ...     return g(3.0, *values) * len(values)
      >>> jax.grad(f)(2.0)
      Array(3., dtype=float32, weak_type=True)
    """
    leaves, tree = arrays.flatten(example_args)
    avals = [as_value(x).aval for x in leaves]
    traced = trace_flat(
        lambda xs: fun(*tree.unflatten(xs)), avals, fun=fun, kind="closure_convert", staged=True
    )._replace(trace=None)
    hoisted = [isinstance(x, Tracer) and is_inexact(x.aval) for x in traced.captures]
    count = sum(hoisted)

    @boundary
    def converted(*args: Any) -> Any:
        own, values = args[: len(args) - count], iter(args[len(args) - count :])
        given, structure = arrays.flatten(own)
        if structure != tree:
            raise TypeError(
                "The inputs to the closure produced by closure_convert must have the same Pytree structure as the example "
                f"arguments passed when closure_convert was called. Expected {arrays.seen(tree)}, but got "
                f"{arrays.seen(structure)}"
            )
        captures = [next(values) if h else x for x, h in zip(traced.captures, hoisted)]
        out = interpret(traced.function, [as_value(x) for x in [*given, *captures]], BIND)
        return traced.out_tree.unflatten([retype(x, a.weak_type) for x, a in zip(out, traced.out_avals)])

    return converted, [x for x, h in zip(traced.captures, hoisted) if h]


@boundary
def linear_call(fun: Callable, fun_transpose: Callable, residual_args: Any, linear_args: Any) -> Any:
    """`fun(residual_args, linear_args)`, transposed by a function of the user's.

    Args:
      fun: linear in its second argument.
      fun_transpose: `(residual_args, cotangent of the result) -> cotangent of linear_args`, linear in its second argument.
      residual_args, linear_args: pytrees of arrays; there are no derivatives by the first.

    Raises:
      NotImplementedError: in derivatives by the residual arguments.
      TypeError: the transpose returns another structure or other types than those of linear_args.

    Example:
      >>> import sable as jax
      >>> f = lambda x: linear_call(lambda r, x: x / r, lambda r, y: y / r, 3.0, x)
      >>> jax.linear_transpose(f, 1.0)(18.0)
      (Array(6., dtype=float32, weak_type=True),)
    """
    (residuals, _), (linear, linear_tree) = arrays.flatten(residual_args), arrays.flatten(linear_args)
    values = [as_value(x) for x in [*residuals, *linear]]
    avals = [x.aval for x in values]
    traced = trace_body(fun, arrays.flatten((residual_args, linear_args))[1], avals, "linear_call")
    given = [*avals[: len(residuals)], *traced.out_avals]
    result = traced.out_tree.unflatten(traced.out_avals)
    back_tree = arrays.flatten((residual_args, result))[1]
    back = trace_body(fun_transpose, back_tree, given, "linear_call transpose")
    if back.out_tree != linear_tree:
        raise TypeError(
            "transpose output pytree structure must match that of linear inputs, got output structure "
            f"{arrays.seen(back.out_tree)} and input structure {arrays.seen(linear_tree)}."
        )
    for found, wanted in zip(back.out_avals, avals[len(residuals) :]):
        if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
            raise TypeError(f"transpose output must be {wanted.short()} as the linear input, got {found.short()}")
    captures = union(traced.captures, back.captures)
    functions = captures_first(traced, captures, len(avals)), captures_first(back, captures, len(given))
    count = len(captures) + len(residuals)
    out = bind(OPS["linear_call"], *captures, *values, functions=functions, num_residuals=count)
    return traced.out_tree.unflatten(out)


__all__ = ["closure_convert", "linear_call"]
