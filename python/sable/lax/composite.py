"""composite: functions that stand for operations with names."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sable.core.bind import bind
from sable.core.boundary import boundary
from sable.core.trace import Tracer
from sable.core.values import as_value
from sable.errors import UnexpectedTracerError
from sable.ir.location import user_line
from sable.ir.op import OPS
from sable.pytree import arrays

from .control_bodies import trace_body


def composite(decomposition: Callable, name: str, version: int = 0) -> Callable:
    """A function that is recorded as an operation with a name; what it means is its decomposition.

    Args:
      decomposition: function of pytrees of arrays by position, and of attributes by name. It closes over no traced value.
      name: of the operation: `my.op`.
      version: of its meaning.

    Returns:
      A function of the same arguments and results. It has no derivatives: `custom_jvp` and `custom_vjp` give it some.

    Raises:
      UnexpectedTracerError: in calls: a traced value among the attributes or closed over.
      ValueError: in derivatives.

    Example:
      >>> import sable as jax
      >>> cube = composite(lambda x: x * x * x, "my.cube")
      >>> jax.jit(cube)(2.0)
      Array(8., dtype=float32, weak_type=True)
    """

    @boundary
    @functools.wraps(decomposition)
    def composed(*args: Any, **attributes: Any) -> Any:
        leaves, tree = arrays.flatten(args)
        values = [as_value(x) for x in leaves]
        traced = trace_body(functools.partial(decomposition, **attributes), tree, [x.aval for x in values], "composite")
        if any(isinstance(x, Tracer) for x in [*traced.captures, *arrays.leaves(attributes)]):
            raise UnexpectedTracerError(
                f"Found a JAX Tracer among the attributes of the composite op '{name}', or its decomposition closes over one. "
                f"It was called at {user_line()}.\nPass it as an argument; arrays among attributes have to be NumPy's."
            )
        function = traced.function
        out = bind(OPS["composite"], *values, *traced.captures, callee=function, name=name, version=version)
        return traced.out_tree.unflatten(out)

    return composed


__all__ = ["composite"]
