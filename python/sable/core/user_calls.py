"""One call of a function that brings rules of its own: its arguments by position and flat, and the call recorded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sable.ir.op import Op
from sable.pytree import arrays

from .array import Value
from .bind import BIND, bind
from .extended import seen_avals
from .references import Ref
from .trace import deepest
from .tracing import Traced, argument_names, function_name, signature_of, trace_flat
from .user_rules import closed_over
from .values import as_value, is_array_like


class UserFunction:
    """A function that brings rules of its own. Attributes that it has not are those of such a function inside of it."""

    def __init__(self, fun: Callable):
        functools.update_wrapper(self, fun)
        self.fun = fun

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __getattr__(self, name: str) -> Any:
        inner = self.__dict__.get("fun")
        if isinstance(inner, UserFunction):
            return getattr(inner, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


def resolve(fun: Callable, args: tuple, kwargs: dict, kind: str) -> tuple:
    """All arguments by position: defaults filled in, keywords put in their places."""
    signature = signature_of(fun)
    if signature is None or not (kwargs or len(args) < len(signature.parameters)):
        return args
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(
            f"The input arguments to the {kind}-decorated function {function_name(fun)} could not be resolved to positional "
            f"ones:\n{error}"
        ) from None
    bound.apply_defaults()
    named = [name for name in bound.kwargs if name in kwargs]
    if named:
        raise TypeError(
            f"The input arguments to the {kind}-decorated function {function_name(fun)} are positional only.\n"
            f"The following keyword arguments could not be resolved to positions: {', '.join(named)}"
        )
    return bound.args


class UserCall:
    """The differentiable arguments of one call, flattened, and the function of them alone.

    Arguments that are references stay as they are, without cotangents.
    """

    def __init__(self, fun: Callable, args: tuple, nondiff: Sequence[int], kind: str):
        self.nondiff = sorted(i % len(args) for i in nondiff) if args else []
        self.fixed = [args[i] for i in self.nondiff]
        self.count = len(args)
        self.refs = {i: x for i, x in enumerate(args) if type(x) is Ref and i not in self.nondiff}
        dynamic = tuple(None if i in self.refs else x for i, x in enumerate(args) if i not in self.nondiff)
        leaves, self.tree = arrays.flatten(dynamic)
        for i, x in enumerate(leaves):
            if not is_array_like(x):
                raise TypeError(
                    f"{kind} function {function_name(fun)}: {argument_names(fun, args)[i]} of type {type(x)} is not a valid "
                    "JAX type; mark it with nondiff_argnums"
                )
        self._values: list[Value] = [as_value(x) for x in leaves]
        self.avals = [x.aval for x in self._values]
        self.seen = seen_avals(self.tree, self.avals)
        self.trace = deepest(self._values)
        self._known: list[Any] = []

    def taken(self) -> tuple[list[Value], list[Any]]:
        """The arguments, and what is known of the results; only once: rules that are run later keep nothing of it alive."""
        found = self._values, self._known
        self._values, self._known, self.trace = [], [], None
        return found

    def traced(self, fun: Callable, kind: str, rules: Sequence[Any]) -> Traced:
        """The function of this call, with what the rules close over among what it captures.

        Outside of staged traces the values are known, so that Python's `if` works.
        """
        staged = self.trace is None or self.trace.staged
        traced = trace_flat(
            lambda xs: fun(*self.join(xs)),
            self.avals,
            fun=fun,
            kind=kind,
            staged=staged,
            known=None if staged else self._values,
            opaque=True,
        )
        have = {id(x) for x in traced.captures}
        for x in closed_over(rules):
            if id(x) not in have:
                traced.function.add_argument(x.aval)
                traced.captures.append(x)
        trace: Any = traced.trace
        self._known = [trace.known.get(v) for v in traced.function.outputs]
        return traced._replace(trace=None)

    def bind(self, op: Op, traced: Traced, **params: Any) -> Any:
        """Record the call, whose results may be known already."""
        values, known = self.taken()
        values, params = [*values, *traced.captures], {"callee": traced.function, **params}
        if any(y is None for y in known):
            out = bind(op, *values, **params)
        else:
            out = BIND.bind_known(op, values, params, known)
        return traced.out_tree.unflatten(out)

    def join(self, leaves: Sequence[Any]) -> tuple:
        """All arguments again, these leaves in the place of the differentiable ones."""
        rest = iter(self.tree.unflatten(leaves))
        fixed = dict(zip(self.nondiff, self.fixed))
        args = [fixed[i] if i in fixed else next(rest) for i in range(self.count)]
        return tuple(self.refs.get(i, x) for i, x in enumerate(args))


def checked(result: Any, fun: Callable) -> Any:
    """What a function called with values returned, as it is."""
    for x in arrays.leaves(result):
        if not is_array_like(x):
            raise TypeError(
                f"function {function_name(fun)} returned a value of type {type(x)}, which is not a valid JAX type"
            )
    return result


__all__ = ["UserCall", "UserFunction", "checked", "resolve"]
