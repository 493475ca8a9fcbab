"""custom_vmap: functions that bring their own batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sable.dialects.ops.custom_batching import BatchRule
from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval
from sable.ir.function import Function
from sable.ir.location import user_line
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.tree_util import tree_flatten

from .array import Value
from .boundary import boundary
from .tracing import Traced, function_name
from .user_calls import UserCall, UserFunction, checked, resolve
from .user_rules import trace_rule, with_captures
from .values import as_value


class custom_vmap(UserFunction):
    """A function that is batched by a rule of its own.

    Args:
      fun: the function.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> @jax.custom_batching.custom_vmap
      ... def f(x, y):
      ...     return x + y
      >>> @f.def_vmap
      ... def f_vmap(axis_size, in_batched, xs, ys):
      ...     return xs * ys, True
      >>> jax.vmap(f)(jnp.arange(3), jnp.arange(1, 4))
      Array([0, 2, 6], dtype=int32)
    """

    def __init__(self, fun: Callable):
        super().__init__(fun)
        self.vmap_rule: Callable | None = None

    def def_vmap(self, vmap_rule: Callable) -> Callable:
        """Set the rule `(axis_size, in_batched, *args) -> (output, out_batched)`; returns it.

        `in_batched` is a list with a pytree of booleans for each argument: whether it is mapped, along axis 0;
        `out_batched` a pytree of booleans of the output's structure. Forward derivatives are those of the rule.
        """
        self.vmap_rule = vmap_rule
        return vmap_rule

    @boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's value.

        Raises:
          AttributeError: no rule has been set.
          TypeError: arguments by name that are positional only.
          ValueError: in batches: the rule returns another structure, or other types; in reverse mode.
        """
        args = resolve(self.fun, args, kwargs, "custom_vmap")
        if self.vmap_rule is None:
            raise AttributeError(
                f"No batching rule defined for custom_vmap function {function_name(self.fun)} using def_vmap."
            )
        call = UserCall(self.fun, args, (), "custom_vmap")
        if call.trace is None:
            return checked(self.fun(*args), self.fun)
        traced = call.traced(self.fun, "custom_vmap", [self.vmap_rule])
        return call.bind(OPS["custom_vmap_call"], traced, rule=_UserRule(self.vmap_rule, call, traced))


class _UserRule(BatchRule):
    """A rule in Python: run at once on values where they are at hand, else traced."""

    def __init__(self, fun: Callable, call: UserCall, traced: Traced):
        super().__init__(function_name(fun))
        self._fun, self._tree, self._avals, self._traced = fun, call.tree, call.avals, traced

    def apply(self, passes: Any, b: Any, size: int, on: tuple[bool, ...], xs: Sequence[Any]) -> tuple[Any, list[bool]]:
        if not b.runs_rules:
            return super().apply(passes, b, size, on, xs)
        self._check_captures(on)
        return self._results(size, on, xs[: len(self._avals)])

    def _make(self, passes: Any, size: int, on: tuple[bool, ...]) -> tuple[Function, list[bool]]:
        self._check_captures(on)
        avals = [a.update(shape=(size, *a.shape)) if m else a for a, m in zip(self._avals, on)]
        marks: list[bool] = []

        def call(xs: list) -> list[Value]:
            found, marks[:] = self._results(size, on, xs)
            return found

        captures = self._traced.captures
        rule, _ = trace_rule(call, avals, captures, self._fun, "custom_vmap rule")
        return with_captures(rule, captures, len(avals)), marks

    def _check_captures(self, on: Sequence[bool]) -> None:
        if any(on[len(self._avals) :]):
            raise UnexpectedTracerError(
                f"the batching rule {self.name} is of a function that closes over a batched value, at "
                f"{user_line()}; pass it as an argument"
            )

    def _results(self, size: int, on: Sequence[bool], xs: Sequence[Value]) -> tuple[list[Value], list[bool]]:
        """Leaves of the results, and which are mapped."""
        marks = arrays.seen(self._tree).unflatten(on[: len(self._avals)])
        result, batched = self._fun(size, list(marks), *self._tree.unflatten(xs))
        leaves, tree = arrays.flatten(result)
        mapped, marks_tree = tree_flatten(batched)
        seen, wanted = arrays.seen(tree), arrays.seen(self._traced.out_tree)
        if seen != marks_tree:
            raise ValueError(
                "structure of output value and output batching specification returned by custom vmap rule "
                f"({self.name}) do not match.\nOutput values: {seen}\nBatching spec: {marks_tree}"
            )
        if seen != wanted:
            raise ValueError(
                f"structure of output returned by custom vmap rule ({self.name}) does not match that of original "
                f"custom-vmapped function.\nOriginal output: {wanted}\nRule output: {seen}"
            )
        found = [as_value(x) for x in leaves]
        for x, m, a in zip(found, mapped, self._traced.out_avals):
            self._check_type(x.aval, a.update(shape=(size, *a.shape)) if m else a)
        return found, [bool(m) for m in mapped]

    def _check_type(self, found: Aval, wanted: Aval) -> None:
        if (found.shape, found.dtype) != (wanted.shape, wanted.dtype):
            raise ValueError(
                f"custom vmap rule ({self.name}) must return {wanted.short()} where the function has a result, got "
                f"{found.short()}"
            )


__all__ = ["custom_vmap"]
