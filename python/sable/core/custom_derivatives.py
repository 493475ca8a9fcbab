"""custom_jvp, custom_vjp, custom_gradient: functions that bring their own derivatives."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import is_inexact
from sable.ir.aval import Aval, float0
from sable.ir.function import Deferred, Function, FunctionBuilder, interpret
from sable.ir.op import OPS
from sable.tree_util import tree_flatten, tree_unflatten

from .array import Value
from .bind import BIND, bind
from .trace import Tracer
from .tracing import Traced, argument_names, function_name, signature_of, trace_flat
from .values import as_value, is_array_like


def _resolve(fun: Callable, args: tuple, kwargs: dict) -> tuple:
    """All arguments by position: defaults filled in, keywords put in their places."""
    signature = signature_of(fun)
    if signature is None or not (kwargs or len(args) < len(signature.parameters)):
        return args
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise TypeError(
            f"The following arguments of {function_name(fun)} are keyword-only: {sorted(bound.kwargs)}; functions with "
            "custom derivatives take positional arguments only"
        )
    return bound.args


class _Flat:
    """The differentiable arguments of one call, flattened, and the function of them alone."""

    def __init__(self, fun: Callable, args: tuple, nondiff: Sequence[int], kind: str):
        self.nondiff = sorted(i % len(args) for i in nondiff) if args else []
        self.fixed = [args[i] for i in self.nondiff]
        for x in self.fixed:
            if isinstance(x, Tracer):
                raise TypeError(
                    f"{kind} function {function_name(fun)}: nondiff_argnums are Python values, found a traced array; pass "
                    "arrays as ordinary arguments"
                )
        self.count = len(args)
        dynamic = tuple(x for i, x in enumerate(args) if i not in self.nondiff)
        leaves, self.tree = tree_flatten(dynamic)
        for i, x in enumerate(leaves):
            if not is_array_like(x):
                raise TypeError(
                    f"{kind} function {function_name(fun)}: {argument_names(fun, args)[i]} of type {type(x)} is not a valid "
                    "JAX type; mark it with nondiff_argnums"
                )
        self._values: list[Value] = [as_value(x) for x in leaves]
        self.avals = [x.aval for x in self._values]

    def taken(self) -> list[Value]:
        """The arguments; only once: rules that are traced later, if ever, are not to keep them alive."""
        values, self._values = self._values, []
        return values

    def join(self, leaves: Sequence[Any]) -> tuple:
        """All arguments again, these leaves in the place of the differentiable ones."""
        rest = iter(tree_unflatten(self.tree, leaves))
        fixed = dict(zip(self.nondiff, self.fixed))
        return tuple(fixed[i] if i in fixed else next(rest) for i in range(self.count))


def _trace(call: Callable, avals: Sequence[Aval], fun: Callable, kind: str) -> Traced:
    return trace_flat(call, avals, fun=fun, kind=kind, staged=True)


def _with_captures(traced: Traced, captures: Sequence[Value], n: int) -> Function:
    """The traced rule taking the callee's captures behind its n own arguments, its own captures as constants of these.

    Raises:
      ValueError: the rule closes over a tracer that the function itself does not.
    """
    f = traced.function
    made = Function([*f.in_avals[:n], *[x.aval for x in captures]], f.name)
    place = {id(x): v for x, v in zip(captures, made.arguments[n:])}
    b = FunctionBuilder(made)
    args = list(made.arguments[:n])
    for x in traced.captures:
        if id(x) in place:
            args.append(place[id(x)])
        elif isinstance(x, Tracer):
            raise ValueError(
                f"the derivative rule {f.name} closes over a traced value that its function does not use; pass it as an "
                "argument"
            )
        else:
            args.append(b.literal(x.numpy()))  # type: ignore[attr-defined]
    return made.finish(interpret(f, args, b), f.out_avals)


class custom_jvp:
    """A function with its own forward derivative; reverse mode follows from it.

    Args:
      fun: the function.
      nondiff_argnums: positions of arguments that are Python values, handed to the rule first.

    Example:
      >>> import sable as jax, sable.numpy as jnp
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
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = _nondiff(fun, nondiff_argnums, nondiff_argnames)
        self.jvp: Callable | None = None
        self.symbolic_zeros = False

    def defjvp(self, jvp: Callable, symbolic_zeros: bool = False) -> Callable:
        """Set the rule `(*nondiff, primals, tangents) -> (output, tangent of the output)`; returns it."""
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

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.jvp is None:
            raise AttributeError(f"No JVP defined for custom_jvp function {function_name(self.fun)} using defjvp.")
        args = _resolve(self.fun, args, kwargs)
        flat = _Flat(self.fun, args, self.nondiff_argnums, "custom_jvp")
        traced = _trace(lambda xs: self.fun(*flat.join(xs)), flat.avals, self.fun, "custom_jvp")
        captures, rule = traced.captures, Deferred(lambda: self._rule(flat, traced), "rule")
        out = bind(OPS["custom_jvp_call"], *flat.taken(), *captures, callee=traced.function, rule=rule)
        return tree_unflatten(traced.out_tree, out)

    def _rule(self, flat: _Flat, traced: Traced) -> Function:
        """primals, captures, tangents of both -> results and their tangents."""
        n, jvp = len(flat.avals), self.jvp
        assert jvp is not None
        moving = [i for i, a in enumerate(flat.avals) if is_inexact(a)]

        def call(xs: list) -> Any:
            primals, given = xs[:n], dict(zip(moving, xs[n:]))
            tangents = [given[i] if i in given else np.zeros(a.shape, float0) for i, a in enumerate(flat.avals)]
            dynamic = tree_unflatten(flat.tree, primals), tree_unflatten(flat.tree, tangents)
            result = jvp(*flat.fixed, *dynamic)
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(
                    f"Custom JVP rule {function_name(jvp)} for function {function_name(self.fun)} must produce a pair "
                    f"(list or tuple of length two) representing primal and tangent outputs, but got {result}."
                )
            return self._check(result, traced)

        made = _trace(call, [*flat.avals, *[flat.avals[i] for i in moving]], jvp, "custom_jvp rule")
        return _whole_rule(made, traced, n, moving)

    def _check(self, result: Any, traced: Traced) -> list:
        name = function_name(self.fun)
        outs, tree = tree_flatten(result[0])
        if tree != traced.out_tree:
            raise TypeError(
                f"Custom JVP rule {function_name(self.jvp)} for function {name} must produce primal outputs with the "  # type: ignore[arg-type]
                f"structure {traced.out_tree} of the function's result, but got {tree}."
            )
        dys, dtree = tree_flatten(result[1])
        if dtree != traced.out_tree:
            raise TypeError(
                f"Custom JVP rule {function_name(self.jvp)} for function {name} must produce primal and tangent outputs with "  # type: ignore[arg-type]
                f"equal container (pytree) structures, but got {tree} and {dtree} respectively."
            )
        return [outs, [_tangent_like(t, a, name) for t, a in zip(dys, traced.out_avals)]]


def _tangent_like(t: Any, a: Aval, name: str) -> Value:
    """The tangent of one result, as the result's type."""
    if not is_inexact(a):
        return BIND.full(a, 0)
    value = as_value(t)
    if value.aval.shape != a.shape:
        raise TypeError(
            f"Custom JVP rule for function {name} must produce primal and tangent outputs with corresponding shapes, but "
            f"got {a.short()} and {value.aval.short()}."
        )
    return value if value.aval.dtype == a.dtype else BIND.convert(value, dtype=a.dtype)


def _whole_rule(rule: Traced, traced: Traced, n: int, moving: Sequence[int]) -> Function:
    """The rule as passes want it: every primal and capture, then a tangent for each (those of captures unused)."""
    captures = traced.captures
    inner = _with_captures(rule, captures, n + len(moving))
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


class custom_vjp:
    """A function with its own reverse derivative.

    Args:
      fun: the function.
      nondiff_argnums: positions of arguments that are Python values, handed to `bwd` first.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> @jax.custom_vjp
      ... def f(x):
      ...     return jnp.sin(x)
      >>> f.defvjp(lambda x: (f(x), x), lambda x, ct: (3.0 * ct,))
      >>> jax.grad(f)(0.5)
      Array(3., dtype=float32, weak_type=True)
    """

    def __init__(self, fun: Callable, nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff_argnums = _nondiff(fun, nondiff_argnums, nondiff_argnames)
        self.fwd: Callable | None = None
        self.bwd: Callable | None = None

    def defvjp(self, fwd: Callable, bwd: Callable, symbolic_zeros: bool = False, optimize_remat: bool = False) -> None:
        """Set the pair: `fwd(*args) -> (output, residuals)`, `bwd(*nondiff, residuals, cotangent) -> cotangents`, one for
        each differentiable argument (None is zero)."""
        self.fwd, self.bwd = fwd, bwd

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fwd is None or self.bwd is None:
            raise AttributeError(f"No VJP defined for custom_vjp function {function_name(self.fun)} using defvjp.")
        args = _resolve(self.fun, args, kwargs)
        flat = _Flat(self.fun, args, self.nondiff_argnums, "custom_vjp")
        traced = _trace(lambda xs: self.fun(*flat.join(xs)), flat.avals, self.fun, "custom_vjp")
        saved: dict[str, Any] = {}
        forward = Deferred(lambda: self._forward(flat, traced, saved), "forward")

        def make_backward() -> Function:
            forward.get()
            return self._backward(flat, traced, saved)

        out = bind(
            OPS["custom_vjp_call"],
            *flat.taken(),
            *traced.captures,
            callee=traced.function,
            forward=forward,
            backward=Deferred(make_backward, "backward"),
        )
        return tree_unflatten(traced.out_tree, out)

    def _forward(self, flat: _Flat, traced: Traced, saved: dict) -> Function:
        fwd = self.fwd
        assert fwd is not None

        def call(xs: list) -> Any:
            result = fwd(*flat.join(xs))
            if not isinstance(result, (tuple, list)) or len(result) != 2:
                raise TypeError(
                    f"Custom VJP fwd rule {function_name(fwd)} for function {function_name(self.fun)} must produce a pair "
                    f"(list or tuple of length two) where the first element represents the primal output and the second "
                    f"the residuals, but got {result}."
                )
            outs, tree = tree_flatten(result[0])
            if tree != traced.out_tree:
                raise TypeError(
                    f"Custom VJP fwd rule {function_name(fwd)} for function {function_name(self.fun)} must produce a pair "
                    f"whose first element has the structure {traced.out_tree} of the function's result, but got {tree}."
                )
            residuals, saved["tree"] = tree_flatten(result[1])
            saved["fixed"] = [None if is_array_like(r) else r for r in residuals]
            return outs, [r for r in residuals if is_array_like(r)]

        made = _with_captures(_trace(call, flat.avals, fwd, "custom_vjp fwd"), traced.captures, len(flat.avals))
        saved["avals"] = made.out_avals[len(traced.out_avals) :]
        return made

    def _backward(self, flat: _Flat, traced: Traced, saved: dict) -> Function:
        """residuals, cotangents of the inexact results -> cotangents of the inexact arguments and captures."""
        bwd = self.bwd
        assert bwd is not None
        avals = saved["avals"]
        outs = [a for a in traced.out_avals if is_inexact(a)]

        def call(xs: list) -> Any:
            rest = iter(xs[: len(avals)])
            residuals = tree_unflatten(saved["tree"], [next(rest) if f is None else f for f in saved["fixed"]])
            given = iter(xs[len(avals) :])
            cts = [next(given) if is_inexact(a) else np.zeros(a.shape, float0) for a in traced.out_avals]
            result = bwd(*flat.fixed, residuals, tree_unflatten(traced.out_tree, cts))
            return self._cotangents(result, flat)

        made = _trace(call, [*avals, *outs], bwd, "custom_vjp bwd")
        f = _with_captures(made, [], len(avals) + len(outs))
        whole = Function(f.in_avals, f.name)
        b = FunctionBuilder(whole)
        found = interpret(f, whole.arguments, b)
        zeros = [b.full(x.aval, 0) for x in traced.captures if is_inexact(x.aval)]
        return whole.finish([*found, *zeros])

    def _cotangents(self, result: Any, flat: _Flat) -> list[Value]:
        name = function_name(self.fun)
        dynamic = flat.count - len(flat.nondiff)
        if isinstance(result, list):
            result = tuple(result)
        if not isinstance(result, tuple) or len(result) != dynamic:
            raise TypeError(
                f"Custom VJP bwd rule {function_name(self.bwd)} for function {name} must produce a tuple of length equal to "  # type: ignore[arg-type]
                f"the primal args tuple, {dynamic}, but got {result}."
            )
        found = []
        for child, ct in zip(flat.tree.children(), result):
            if ct is None:
                found += [None] * child.num_leaves
                continue
            leaves, tree = tree_flatten(ct, is_leaf=lambda x: x is None)
            if tree != child:
                raise TypeError(
                    f"Custom VJP bwd rule for function {name} must produce an output with the same container (pytree) "
                    f"structure as the args tuple of the primal function, but got {tree} instead of {child}."
                )
            found += leaves
        return [_cotangent_like(c, a, name) for c, a in zip(found, flat.avals) if is_inexact(a)]


def _cotangent_like(c: Any, a: Aval, name: str) -> Value:
    if c is None:
        return BIND.full(a, 0)
    value = as_value(c)
    if value.aval.shape != a.shape:
        raise ValueError(
            f"Custom VJP bwd rule for function {name} must produce an output of the same shape as the args tuple of the "
            f"primal function, but at an output it got {value.aval.short()} for {a.short()}."
        )
    return value if value.aval.dtype == a.dtype else BIND.convert(value, dtype=a.dtype)


def custom_gradient(fun: Callable) -> Callable:
    """A function whose body returns its value and its vjp: `x -> (y, ct -> cotangents)`."""

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
