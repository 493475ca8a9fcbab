"""custom_jvp, custom_vjp, custom_gradient: functions that bring their own derivatives."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.custom_derivatives import CLOSED_OVER
from sable.dialects.ops.rules import is_inexact
from sable.errors import UnexpectedTracerError
from sable.ir.aval import Aval, float0
from sable.ir.function import DeferredByActivity, Function, FunctionBuilder, interpret
from sable.ir.location import user_line
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.tree_util import tree_map

from .array import Value
from .bind import BIND
from .boundary import boundary
from .extended import seen_avals
from .rule_results import Words, cotangents, outputs, tangents, words_of_fwd, words_of_jvp
from .symbolic_zeros import CustomVJPPrimal, SymbolicZero, instantiated, tangent_aval
from .trace import Tracer
from .tracing import Traced, function_name
from .user_calls import UserCall, UserFunction, checked, resolve
from .user_rules import UserRule, captured, closed_over, trace_rule, with_captures
from .values import as_value, is_array_like


class custom_jvp(UserFunction):
    """A function with its own forward derivative; reverse mode follows from it.

    Args:
      fun: the function.
      nondiff_argnums, nondiff_argnames: positions and names of arguments that are Python values, handed to the rule first.

    Example:
      >>> @jax.custom_jvp
      ... def f(x):
      ...     return jnp.sin(x)
      >>> @f.defjvp
      ... def f_jvp(primals, tangents):
      ...     return f(primals[0]), 2.0 * tangents[0]
      >>> jax.grad(f)(0.5)
      Array(2., dtype=float32, weak_type=True)
    """

    def __init__(self, fun: Callable, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()):
        super().__init__(fun)
        self.nondiff_argnums = _nondiff(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable | None = None
        self.symbolic_zeros = False

    def defjvp(self, jvp: Callable, symbolic_zeros: bool = False) -> Callable:
        """Set the rule `(*nondiff, primals, tangents) -> (output, tangent of the output)`; returns it.

        Args:
          symbolic_zeros: whether tangents that are zero whatever the values are given as `SymbolicZero`, and may be
            returned as such.
        """
        self.jvp = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable | None) -> None:
        """Set a rule for each argument: `jvp(tangent, output, *arguments) -> tangent of the output`; None is zero."""

        def rule(primals: tuple, tangents: tuple) -> tuple:
            out = self(*primals)
            parts = [j(t, out, *primals) for j, t in zip(jvps, tangents) if j is not None]
            if not parts:
                return out, BIND.full(as_value(out).aval, 0)
            return out, functools.reduce(lambda a, b: a + b, parts)

        self.defjvp(rule)

    @boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        jvp = self.jvp
        if jvp is None:
            raise AttributeError(f"No JVP defined for custom_jvp function {function_name(self.fun)} using defjvp.")
        args = resolve(self.fun, args, kwargs, "custom_jvp")
        flat = UserCall(self.fun, args, self.nondiff_argnums, "custom_jvp")
        if flat.trace is None:
            return checked(self.fun(*args), self.fun)
        traced = flat.traced(self.fun, "custom_jvp", [self.jvp, *flat.fixed])
        n, moving = len(flat.avals), [i for i, a in enumerate(flat.avals) if is_inexact(a)]
        words = words_of_jvp(self.jvp, self.fun)

        def rule(active: Sequence[bool] | None) -> UserRule:
            seen = moving if active is None else [i for i in moving if active[i]]

            def results(xs: Sequence[Value], ts: Sequence[Value]) -> list:
                given = dict(zip(moving, ts))
                return self._results(flat, traced, words, xs, {i: given[i] for i in seen})

            def make() -> Function:
                avals = [*flat.avals, *[flat.avals[i] for i in moving]]
                call = lambda xs: results(xs[:n], xs[n:])  # noqa: E731
                made, ended = trace_rule(call, avals, traced.captures, jvp, "custom_jvp rule")
                whole = _whole_rule(made, traced, n, moving)
                whole.memo[CLOSED_OVER] = [n + i for i in ended]
                return whole

            def run(xs: Sequence[Value]) -> list[Value]:
                moved = xs[len(xs) // 2 :]
                outs, dys = results(xs[:n], [moved[i] for i in moving])
                return [*map(as_value, outs), *dys]

            return UserRule(make, run, jvp)

        made = DeferredByActivity(rule, function_name(jvp)) if self.symbolic_zeros else rule(None)
        return flat.bind(OPS["custom_jvp_call"], traced, rule=made)

    def _results(
        self, flat: UserCall, traced: Traced, words: Words, primals: Sequence[Value], moving: dict[int, Value]
    ) -> list:
        """[leaves of the rule's results, their tangents]; `moving`: the tangents of the inexact arguments that it is shown."""
        assert self.jvp is not None
        zeros = [
            SymbolicZero(tangent_aval(a)) if self.symbolic_zeros else np.zeros(seen.shape, float0)
            for a, seen in zip(flat.avals, flat.seen)
        ]
        given = [moving.get(i, zero) for i, zero in enumerate(zeros)]
        result = self.jvp(*flat.fixed, flat.tree.unflatten(primals), flat.tree.unflatten(given))
        outs, second = outputs(result, traced, words)
        return [outs, tangents(tree_map(instantiated, second), traced, words)]


def _whole_rule(rule: Traced, traced: Traced, n: int, moving: Sequence[int]) -> Function:
    """The rule as passes want it: every primal and capture, then a tangent for each (those of captures unused)."""
    captures = traced.captures
    inner = with_captures(rule, captures, n + len(moving))
    avals = [*traced.function.in_avals]
    made = Function([*avals, *avals], inner.name)
    b = FunctionBuilder(made)
    primals, tangents = made.arguments[: len(avals)], made.arguments[len(avals) :]
    args = [*primals[:n], *[tangents[i] for i in moving], *primals[n:]]
    return made.finish(interpret(inner, args, b))


def _nondiff(fun: Callable, argnums: Sequence[int], argnames: Sequence[str]) -> tuple[int, ...]:
    found = [argnums] if isinstance(argnums, int) else list(argnums)
    if argnames:
        names = list(inspect.signature(fun).parameters)
        found += [names.index(n) for n in ([argnames] if isinstance(argnames, str) else argnames)]
    return tuple(sorted(set(found)))


class custom_vjp(UserFunction):
    """A function with its own reverse derivative.

    Args:
      fun: the function.
      nondiff_argnums, nondiff_argnames: positions and names of arguments that are Python values, handed to `bwd` first.

    Example:
      >>> @jax.custom_vjp
      ... def f(x):
      ...     return jnp.sin(x)
      >>> f.defvjp(lambda x: (f(x), x), lambda x, ct: (3.0 * ct,))
      >>> jax.grad(f)(0.5)
      Array(3., dtype=float32, weak_type=True)
    """

    def __init__(self, fun: Callable, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()):
        super().__init__(fun)
        self.nondiff_argnums = _nondiff(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable | None = None
        self.bwd: Callable | None = None
        self.symbolic_zeros = False
        self.optimize_remat = False

    def defvjp(self, fwd: Callable, bwd: Callable, symbolic_zeros: bool = False, optimize_remat: bool = False) -> None:
        """Set the pair: `fwd(*args) -> (output, residuals)`, `bwd(*nondiff, residuals, cotangent) -> cotangents`, one for
        each differentiable argument (None is zero).

        Args:
          symbolic_zeros: whether `fwd` gets each array as a `CustomVJPPrimal`, which says whether it is differentiated, and
            `bwd` cotangents that are zero whatever the values are as `SymbolicZero`, which it may return, too.
          optimize_remat: under `checkpoint` the value is that of the function, which computes no residuals.
        """
        self.fwd, self.bwd = fwd, bwd
        self.symbolic_zeros, self.optimize_remat = symbolic_zeros, optimize_remat

    @boundary
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fwd is None or self.bwd is None:
            raise AttributeError(f"No VJP defined for custom_vjp function {function_name(self.fun)} using defvjp.")
        args = resolve(self.fun, args, kwargs, "custom_vjp")
        flat = UserCall(self.fun, args, self.nondiff_argnums, "custom_vjp")
        if any(isinstance(x, Tracer) for x in arrays.leaves(flat.fixed)):
            raise UnexpectedTracerError(
                "Found a JAX Tracer object passed as an argument to a custom_vjp function in a position indicated by "
                f"nondiff_argnums as non-differentiable: {function_name(self.fun)}, called at {user_line()}. "
                "Tracers cannot be passed as non-differentiable arguments to custom_vjp functions; pass them as ordinary "
                "arguments, whose cotangent may be None."
            )
        if flat.trace is None:
            return checked(self.fun(*args), self.fun)
        return _VjpCall(self, flat).bind()


class _VjpCall:
    """One call of a `custom_vjp` function.

    Residuals are the arrays among the leaves that `fwd` returns, and then the tracers that the rules close over.
    """

    def __init__(self, custom: custom_vjp, flat: UserCall):
        assert custom.fwd is not None
        assert custom.bwd is not None
        self.fun, self.fwd, self.bwd, self.flat = custom.fun, custom.fwd, custom.bwd, flat
        self.symbolic_zeros, self.optimize_remat = custom.symbolic_zeros, custom.optimize_remat
        self.traced = flat.traced(custom.fun, "custom_vjp", [custom.fwd, custom.bwd])
        closed = {id(x) for x in closed_over([custom.bwd])}
        n = len(flat.avals)
        self.closed = [n + k for k, x in enumerate(self.traced.captures) if id(x) in closed]

    def bind(self) -> Any:
        """Record the call."""
        made = functools.cache(functools.partial(_VjpRules, self))
        forward, backward = made(None).forward, made(None).backward
        if self.symbolic_zeros:
            forward = DeferredByActivity(lambda active: made(active).forward, function_name(self.fwd))
            backward = DeferredByActivity(lambda active: made(active).backward, function_name(self.bwd))
        rules = {"forward": forward, "backward": backward, "optimize_remat": self.optimize_remat}
        return self.flat.bind(OPS["custom_vjp_call"], self.traced, **rules)


class _VjpRules:
    """The rules of a call as functions of lists.

    Args:
      call: the call.
      active: which of its arguments have tangents, for rules that ask for symbolic zeros; None for all.

    Attributes:
      forward: of the arguments and captures; gives results and residuals.
      backward: of residuals and the cotangents of the inexact results; gives those of the inexact arguments and captures.
    """

    def __init__(self, call: _VjpCall, active: tuple[bool, ...] | None):
        self._call, self._active = call, active
        self._tree: Any = None
        self._fixed: list = []
        self.forward = UserRule(self._forward, self._run_forward, call.fwd)
        by_cotangents = DeferredByActivity(self._backward_of, function_name(call.bwd))
        self.backward = by_cotangents if call.symbolic_zeros else self._backward_of(None)

    def _backward_of(self, given: tuple[bool, ...] | None) -> UserRule:
        """`backward` where cotangents are given for some of the inexact results only; None for all."""
        n = len(self._call.traced.out_avals)
        return UserRule(
            lambda: self._backward(self.forward.get().out_avals[n:], given),
            functools.partial(self._run_backward, given),
            self._call.bwd,
        )

    def _run_forward(self, xs: Sequence[Value]) -> list[Value]:
        outs, residuals = self._results(xs[: len(self._call.flat.avals)])
        return [*map(as_value, [*outs, *residuals]), *[xs[i] for i in self._call.closed]]

    def _forward(self) -> Function:
        flat, captures, closed = self._call.flat, self._call.traced.captures, self._call.closed
        n = len(flat.avals)
        rule, ended = trace_rule(self._results, flat.avals, captures, self._call.fwd, "custom_vjp fwd")
        made = with_captures(rule, captures, n)
        made.memo[CLOSED_OVER] = [*[n + i for i in ended], *closed]
        returned = [*made.outputs, *[made.arguments[i] for i in closed]]
        return made.finish(returned, [*made.out_avals, *[made.in_avals[i] for i in closed]])

    def _results(self, xs: Sequence[Value]) -> tuple[list, list]:
        """Leaves of the results, and the residuals that are arrays."""
        call = self._call
        given: Sequence[Any] = xs
        if call.symbolic_zeros:
            marks = map(is_inexact, call.flat.avals) if self._active is None else self._active
            given = [CustomVJPPrimal(x, moves) for x, moves in zip(xs, marks)]
        result = call.fwd(*call.flat.join(given))
        outs, second = outputs(result, call.traced, words_of_fwd(call.fwd, call.fun))
        residuals, self._tree = arrays.flatten(second)
        self._fixed = [None if is_array_like(r) else r for r in residuals]
        return outs, [r for r in residuals if is_array_like(r)]

    def _backward(self, residuals: Sequence[Aval], given: tuple[bool, ...] | None) -> Function:
        traced, bwd = self._call.traced, self._call.bwd
        outs = [a for a in traced.out_avals if is_inexact(a)]
        closed, n = len(self._call.closed), len(residuals) + len(outs)
        call = functools.partial(self._cotangents, given)
        made, _ = trace_rule(call, [*residuals, *outs], traced.captures, bwd, "custom_vjp bwd")
        f = made.function
        whole = Function(f.in_avals[:n], f.name)
        b = FunctionBuilder(whole)
        captures = [traced.captures[i - len(self._call.flat.avals)] for i in self._call.closed]
        place = {id(x): v for x, v in zip(captures, whole.arguments[len(residuals) - closed : len(residuals)])}
        args = [*whole.arguments, *captured(made, place, b)]
        found = interpret(f, args, b)
        zeros = [b.full(x.aval, 0) for x in traced.captures if is_inexact(x.aval)]
        return whole.finish([*found, *zeros])

    def _run_backward(self, given: tuple[bool, ...] | None, xs: Sequence[Value]) -> list[Value]:
        found = self._cotangents(given, xs)
        return [*found, *[BIND.full(x.aval, 0) for x in self._call.traced.captures if is_inexact(x.aval)]]

    def _cotangents(self, given: tuple[bool, ...] | None, xs: Sequence[Value]) -> list[Value]:
        """Of the inexact arguments, from residuals (of which the last are not for `bwd`) and those of inexact results."""
        call = self._call
        count = sum(f is None for f in self._fixed)
        rest = iter(xs[:count])
        residuals = self._tree.unflatten([next(rest) if f is None else f for f in self._fixed])
        shown = self._shown(given, xs[count + len(call.closed) :])
        result = call.bwd(*call.flat.fixed, residuals, call.traced.out_tree.unflatten(shown))
        return cotangents(tree_map(instantiated, result), call.flat.tree, call.flat.avals, call.bwd, call.fun)

    def _shown(self, given: tuple[bool, ...] | None, cts: Sequence[Value]) -> list[Any]:
        """The cotangents of all results as `bwd` sees them."""
        traced, symbolic = self._call.traced, self._call.symbolic_zeros
        rest = iter(zip(cts, (True,) * len(cts) if given is None else given))
        found: list[Any] = []
        for a, seen in zip(traced.out_avals, seen_avals(traced.out_tree, traced.out_avals)):
            ct, is_there = next(rest) if is_inexact(a) else (np.zeros(seen.shape, float0), False)
            found.append(SymbolicZero(tangent_aval(a)) if symbolic and not is_there else ct)
        return found


def custom_gradient(fun: Callable) -> Callable:
    """A function whose body returns its value and its vjp: `x -> (y, ct -> cotangents)`.

    Args:
      fun: the function.

    Raises:
      TypeError: its result is no such pair, or the vjp returns other types than those of the arguments.

    Example:
      >>> @jax.custom_gradient
      ... def f(x):
      ...     return x**2, lambda ct: (100. * ct,)
      >>> f(3.), jax.grad(f)(3.)
      (9.0, Array(100., dtype=float32, weak_type=True))
    """

    @functools.wraps(fun)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        @custom_vjp
        def value(*xs: Any) -> Any:
            return fun(*xs, **kwargs)[0]

        def forward(*xs: Any) -> Any:
            out, _ = fun(*xs, **kwargs)
            return out, xs

        def backward(xs: Any, ct: Any) -> Any:
            found = fun(*xs, **kwargs)[1](ct)
            return found if (isinstance(found, tuple) and len(xs) > 1) or isinstance(found, tuple) else (found,)

        value.defvjp(forward, backward)
        return value(*args)

    return wrapped


__all__ = ["custom_gradient", "custom_jvp", "custom_vjp"]
