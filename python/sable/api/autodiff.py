"""grad, value_and_grad, jvp, vjp, linearize and the Jacobians."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable import passes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.boundary import boundary
from sable.core.extended import seen_avals
from sable.core.float0 import is_float0
from sable.core.trace import Tracer
from sable.core.tracing import Traced, argument_names, function_name, trace_flat
from sable.core.values import as_value, aval_of_value, is_array_like, retype
from sable.ir.aval import Aval, aval, float0
from sable.ir.function import interpret
from sable.pytree import arrays
from sable.tree_util import Partial, tree_flatten, tree_structure

from .derivative_arguments import (
    check_argnums,
    check_callable,
    check_input,
    check_output,
    check_tangents,
    is_inexact,
    leaf_name,
    partial_of,
    tangent_values,
)
from .jaxpr import ClosedJaxpr


def _leaves(fun: Callable, args: Sequence[Any], kind: str) -> tuple[list[Value], Any]:
    """The leaves of the arguments as values.

    Raises:
      TypeError: a leaf is no array; names the argument.
    """
    leaves, tree = arrays.flatten(tuple(args))
    values = []
    for i, x in enumerate(leaves):
        if not is_array_like(x):
            name = argument_names(fun, args)[i]
            raise TypeError(
                f"Argument '{x}' of type {type(x)} is not a valid JAX type: {kind} of {function_name(fun)} got it for "
                f"the argument {name}."
            )
        values.append(as_value(x))
    return values, tree


def _trace(fun: Callable, values: Sequence[Value], tree: Any, kind: str, has_aux: bool) -> tuple[Traced, Callable, int]:
    """Trace `fun` on the values.

    With has_aux the traced leaves of the auxiliary output come last; all others stay as they are.

    Returns:
      (traced, function that makes the auxiliary output of these, their number).
    """
    aux: dict[str, Any] = {"tree": None, "leaves": []}

    def call(tracers: list) -> Any:
        result = fun(*tree.unflatten(tracers))
        if not has_aux:
            return result
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(
                f"{kind} with has_aux=True: expected function with aux output to return a two-element tuple (output, aux), "
                f"but {function_name(fun)} returned {type(result)}"
            )
        aux["leaves"], aux["tree"] = arrays.flatten(result[1])
        aux["main"] = arrays.flatten(result[0])[1]
        moving = [x for x in aux["leaves"] if isinstance(x, Tracer)]
        aux["leaves"] = [None if isinstance(x, Tracer) else x for x in aux["leaves"]]
        return (result[0], moving)

    traced = trace_flat(
        call,
        [x.aval for x in values],
        fun=fun,
        kind=kind,
        staged=False,
        names=lambda: argument_names(fun, tree.unflatten(values)),
        known=values,
        references=True,
    )
    if has_aux:
        traced = traced._replace(out_tree=aux["main"])

    def join(moving: Sequence[Value]) -> Any:
        rest = iter(moving)
        return aux["tree"].unflatten([next(rest) if x is None else x for x in aux["leaves"]])

    return traced, join, sum(x is None for x in aux["leaves"])


def _settled(traced: Traced, outs: Sequence[Value], active: Sequence[bool]) -> Sequence[Value]:
    """The results, after what the function writes to references has been written.

    Raises:
      Exception: that has a derivative, which a reference from outside does not hold.
    """
    for ref, on in zip(reversed(traced.written), reversed(active)):
        if on:
            raise Exception(
                "performing a set/swap operation with a differentiated value on a non-differentiated array reference of type "
                f"{ref.aval}. Make the reference inside of the function, or write lax.stop_gradient of the value."  # type: ignore[union-attr]
            )
    return traced.settled(outs)


def _restore_weak(values: Sequence[Value], avals: Sequence[Aval]) -> list[Value]:
    return [retype(x, a.weak_type) for x, a in zip(values, avals)]


def _zero_tangent(a: Any) -> Any:
    """What stands for the tangent of an integer or a key of that type, as users see it: an array of float0."""
    return np.zeros(a.shape, float0)


class _Linear:
    """A linearised function: pushes tangents forward, pulls cotangents back."""

    def __init__(self, traced: Traced, made: Any, tree: Any, in_avals: Sequence[Aval], active: Sequence[bool], n: int):
        self.linear, self.active, self.out_active = made.linear, list(active), made.active[:n]
        self.in_avals, self.out_avals = list(in_avals), traced.out_avals[:n]
        self.in_tree, self.out_tree = tree, traced.out_tree
        self.kept = [i for i, on in enumerate(made.active) if on and i < n]
        self.extra = sum(made.active) - len(self.kept)

    def __repr__(self) -> str:
        return repr(ClosedJaxpr(self.linear, ()))

    def push(self, residuals: Sequence[Value], tangents: Sequence[Value]) -> list[Any]:
        """Tangents of the results from those of the arguments."""
        given = [t for t, on in zip(tangents, self.active) if on]
        found = iter(interpret(self.linear, [*given, *residuals], BIND))
        return [
            next(found) if on else BIND.full(a, 0) if is_inexact(a) else _zero_tangent(seen)
            for on, a, seen in zip(self.out_active, self.out_avals, seen_avals(self.out_tree, self.out_avals))
        ]

    def pull(self, residuals: Sequence[Value], cotangents: Sequence[Value]) -> list[Any]:
        """Cotangents of the arguments from those of the results."""
        n = sum(self.active)
        marks = [True] * n + [False] * len(residuals)
        given = [c for c, on in zip(cotangents, self.out_active) if on] + [None] * self.extra
        found = iter(passes.transpose(self.linear, marks, [*[None] * n, *residuals], given, BIND)[:n])
        result = []
        for on, a, seen in zip(self.active, self.in_avals, seen_avals(self.in_tree, self.in_avals)):
            c = next(found) if on else None
            if c is not None:
                result.append(retype(c, a.weak_type))
            else:
                result.append(BIND.full(a, 0) if on or is_inexact(a) else _zero_tangent(seen))
        return result


def _linearize(
    fun: Callable, values: Sequence[Value], tree: Any, kind: str, has_aux: bool = False, active: Any = None
) -> tuple[list[Value], _Linear, list[Value], Any]:
    """-> results, the linear function, its residuals, the auxiliary output (None without)."""
    traced, join_aux, n_aux = _trace(fun, values, tree, kind, has_aux)
    active = [is_inexact(x.aval) for x in values] if active is None else active
    marks = [*active, *[False] * len(traced.captures)]
    made = passes.linearize(traced.function, [*values, *traced.captures], marks, BIND, traced.trace.known)
    outs = _settled(traced, made.outs, made.active)
    n_out = len(outs) - n_aux
    outs = _restore_weak(outs, traced.out_avals)
    aux = join_aux(outs[n_out:]) if has_aux else None
    linear = _Linear(traced, made, tree, [x.aval for x in values], active, n_out)
    return outs[:n_out], linear, made.residuals, aux


@boundary
def vjp(fun: Callable, *primals: Any, has_aux: bool = False, reduce_axes: Any = ()) -> Any:
    """Value of a function and its vector-Jacobian product.

    Args:
      fun: function of arrays and pytrees of arrays.
      *primals: where it is evaluated.
      has_aux: `fun` returns a pair of which the second is passed through.
      reduce_axes: without effect.

    Returns:
      (value, vjp_fun) or (value, vjp_fun, aux); `vjp_fun(cotangent)` gives a tuple with a cotangent for each primal.

    Raises:
      TypeError: of `vjp_fun`: a cotangent of another structure, shape or dtype than the value.

    Example:
      >>> y, pull = jax.vjp(lambda x: x * x, 3.0)
      >>> pull(1.0)
      (Array(6., dtype=float32, weak_type=True),)
    """
    check_callable(fun)
    values, tree = _leaves(fun, primals, "vjp")
    outs, linear, residuals, aux = _linearize(fun, values, tree, "vjp", has_aux)
    pull = Partial(functools.partial(_pullback, linear, function_name(fun)), residuals)
    result = linear.out_tree.unflatten(outs)
    return (result, pull, aux) if has_aux else (result, pull)


@boundary
def _pullback(linear: _Linear, name: str, residuals: list, *cotangents: Any) -> Any:
    if len(cotangents) != 1:
        raise TypeError(
            f"The function returned by `jax.vjp` applied to {name} was called with {len(cotangents)} arguments, but it "
            "takes a single one: the cotangent, of the structure of the function's result."
        )
    leaves, tree = tree_flatten(cotangents[0])
    expected = arrays.seen(linear.out_tree)
    if tree != expected:
        raise ValueError(
            f"unexpected tree structure of argument to vjp function: got {tree}, but expected to match {expected}"
        )
    cts = [_check_cotangent(c, a) for c, a in zip(arrays.kept(linear.out_tree, leaves), linear.out_avals)]
    return linear.in_tree.unflatten(linear.pull(residuals, cts))


def _check_cotangent(c: Any, a: Aval) -> Value | None:
    if not is_inexact(a):
        return None
    value = as_value(c)
    if value.aval.shape != a.shape:
        raise ValueError(
            f"unexpected JAX type (e.g. shape/dtype) for argument to vjp function: got {value.aval.short()}, but "
            f"expected {a.short()} because the corresponding output of the differentiated function had JAX type "
            f"{a.short()}"
        )
    if value.aval.dtype != a.dtype:
        if not value.aval.weak_type:
            raise ValueError(
                f"unexpected JAX type (e.g. shape/dtype) for argument to vjp function: got {value.aval.short()}, but "
                f"expected {a.short()}"
            )
        value = BIND.convert(value, dtype=a.dtype)
    return value


def value_and_grad(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Any = (),
) -> Callable:
    """A function that computes `fun` and its gradient.

    Args:
      fun: a function whose (first) result is a scalar.
      argnums: positions of the arguments to differentiate with respect to; a tuple gives a tuple of gradients.
      has_aux: `fun` returns (value, aux).
      holomorphic: complex arguments and results, `fun` being holomorphic.
      allow_int: integer arguments are allowed and get float0 gradients.
      reduce_axes: without effect.

    Returns:
      A function of the same arguments returning (value, gradient), or ((value, aux), gradient).

    Raises:
      TypeError: the result is no scalar, or arguments are not floating point; names the argument.

    Example:
      >>> jax.value_and_grad(lambda x: x**2)(3.0)
      (Array(9., dtype=float32, weak_type=True), Array(6., dtype=float32, weak_type=True))
    """
    check_callable(fun)

    @boundary
    @functools.wraps(fun)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        chosen = check_argnums(fun, argnums, args)
        inner, picked = partial_of(fun, chosen, args, kwargs)
        values, tree = _leaves(fun, picked, "grad")
        for k, a in enumerate(seen_avals(tree, [x.aval for x in values])):
            check_input("grad", a, holomorphic, allow_int, lambda k=k: leaf_name(fun, args, chosen, k))
        outs, linear, residuals, aux = _linearize(inner, values, tree, "grad", has_aux)
        _check_scalar(outs, linear, holomorphic, fun)
        one = BIND.full(linear.out_avals[0].update(weak_type=False), 1)
        grads = tree.unflatten(linear.pull(residuals, [one]))
        grads = grads[0] if isinstance(argnums, int) else grads
        value = linear.out_tree.unflatten(outs)
        return ((value, aux), grads) if has_aux else (value, grads)

    return wrapped


def grad(
    fun: Callable,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
    reduce_axes: Any = (),
) -> Callable:
    """A function that computes the gradient of `fun`.

    Args:
      fun, argnums, has_aux, holomorphic, allow_int, reduce_axes: as for `value_and_grad`.

    Returns:
      A function of the same arguments returning the gradient, or (gradient, aux).

    Raises:
      TypeError: as for `value_and_grad`.

    Example:
      >>> jax.grad(lambda x: jnp.sum(x**2))(jnp.arange(3.0))
      Array([0., 2., 4.], dtype=float32)
      >>> jax.grad(lambda x, y: x * y, argnums=(0, 1))(2., 3.)
      (Array(3., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
      >>> jax.grad(lambda x: x**2)(3)
      Traceback (most recent call last):
          ...
      TypeError: grad requires real- or complex-valued inputs (input dtype that is a sub-dtype of ...
    """
    both = value_and_grad(fun, argnums, has_aux, holomorphic, allow_int)

    @boundary
    @functools.wraps(fun)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, grads = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapped


def _check_scalar(outs: Sequence[Value], linear: _Linear, holomorphic: bool, fun: Callable) -> None:
    if linear.out_tree.num_leaves != 1 or arrays.seen(linear.out_tree).num_nodes != 1:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output of {function_name(fun)} was: "
            f"{linear.out_tree.unflatten(outs)}."
        )
    (a,) = seen_avals(linear.out_tree, linear.out_avals)
    if a.shape:
        raise TypeError(
            f"Gradient only defined for scalar-output functions. Output had shape: {a.shape} ({function_name(fun)})."
        )
    check_output("grad", a, holomorphic, fun)


@boundary
def jvp(fun: Callable, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """Value of a function and its directional derivative (forward mode).

    Args:
      fun: function of arrays and pytrees of arrays.
      primals, tangents: tuples or lists of the same structure; tangents of integers are of dtype float0.
      has_aux: `fun` returns (output, aux).

    Returns:
      (output, tangent of the output), with has_aux also aux.

    Raises:
      TypeError, ValueError: primals and tangents do not match.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.jvp(jnp.sin, (0.0,), (2.0,))
      (Array(0., dtype=float32, weak_type=True), Array(2., dtype=float32, weak_type=True))
    """
    check_callable(fun)
    check_tangents(fun, primals, tangents)
    values, tree = _leaves(fun, primals, "jvp")
    moving = tangent_values(values, tree_structure(primals), tangents)
    traced, join_aux, n_aux = _trace(fun, values, tree, "jvp", has_aux)
    captures = traced.captures
    outs, dys = passes.jvp(
        traced.function, [*values, *captures], [*moving, *[None] * len(captures)], BIND, traced.trace.known
    )
    outs = _restore_weak(_settled(traced, outs, [t is not None for t in dys]), traced.out_avals)
    n = len(outs) - n_aux
    dys = [
        retype(t, a.weak_type) if t is not None else BIND.full(a, 0) if is_inexact(a) else _zero_tangent(seen)
        for t, a, seen in zip(dys, traced.out_avals, seen_avals(traced.out_tree, traced.out_avals[:n]))
    ]
    result = traced.out_tree.unflatten(outs[:n]), traced.out_tree.unflatten(dys)
    return (*result, join_aux(outs[n:])) if has_aux else result


@boundary
def linearize(fun: Callable, *primals: Any, has_aux: bool = False) -> Any:
    """Value of a function at a point, and its derivative there as a linear function (computed once, applied often).

    Args:
      fun: a function of arrays and pytrees of arrays.
      primals: where it is evaluated.
      has_aux: `fun` returns (value, aux).

    Returns:
      (output, f_jvp) where `f_jvp(*tangents)` is the tangent of the output; with has_aux also aux.

    Raises:
      TypeError: of `f_jvp`: tangents of other shapes or dtypes than the primals.
      ValueError: of `f_jvp`: another structure.

    Example:
      >>> y, f_jvp = jax.linearize(lambda x: x**3, jnp.array([1., 2.]))
      >>> y, f_jvp(jnp.array([1., 10.]))
      (Array([1., 8.], dtype=float32), Array([  3., 120.], dtype=float32))
    """
    check_callable(fun)
    values, tree = _leaves(fun, primals, "linearize")
    outs, linear, residuals, aux = _linearize(fun, values, tree, "linearize", has_aux)
    push = Partial(functools.partial(_pushforward, linear), residuals)
    result = linear.out_tree.unflatten(outs)
    return (result, push, aux) if has_aux else (result, push)


@boundary
def _pushforward(linear: _Linear, residuals: list, *tangents: Any) -> Any:
    leaves, t_tree = tree_flatten(tuple(tangents))
    seen = arrays.seen(linear.in_tree)
    if t_tree != seen:
        raise TypeError(
            f"linearized function called on tangents of structure {t_tree}, but the primals have structure {seen}"
        )
    values = []
    for t, a in zip(arrays.kept(linear.in_tree, leaves), linear.in_avals):
        value = as_value(t) if is_inexact(a) else None
        if value is not None and (value.aval.shape != a.shape or value.aval.dtype != a.dtype):
            raise ValueError(
                "linearized function called on tangent values inconsistent with the original primal values: got "
                f"{value.aval.short()} for {a.short()}"
            )
        if value is None and not is_float0(t):
            raise ValueError(
                "linearized function called on tangent values inconsistent with the original primal values: got "
                f"{aval_of_value(t).short()} for {a.short()}, whose tangent is of float0"
            )
        values.append(value)
    found = linear.push(residuals, values)  # type: ignore[arg-type]
    return linear.out_tree.unflatten(found)


def _aval_like(p: Any) -> Aval:
    """Of an array, a Python scalar, or what has shape and dtype."""
    return aval_of_value(p) if is_array_like(p) else aval(tuple(p.shape), np.dtype(p.dtype))


@boundary
def linear_transpose(fun: Callable, *primals: Any, reduce_axes: Any = ()) -> Callable:
    """The transpose of a function that is linear; `primals` give shapes and dtypes only.

    Args:
      fun: a function that is linear in its arguments.
      primals: arrays, or objects with `shape` and `dtype`.
      reduce_axes: without effect.

    Returns:
      A function from a cotangent of the result to a tuple of those of the arguments; it is a pytree.

    Raises:
      TypeError: arguments and results are not all inexact, and not all integers; in the transpose: another structure or type.
      NotImplementedError: in the transpose: the function is not linear; names the op.

    Example:
      >>> import sable as jax
      >>> jax.linear_transpose(lambda x, y: 2 * x - y, 1.0, 1.0)(3.0)
      (Array(6., dtype=float32, weak_type=True), Array(-3., dtype=float32, weak_type=True))
    """
    check_callable(fun)
    leaves, tree = arrays.flatten(primals)
    avals = [_aval_like(p) for p in leaves]
    traced = trace_flat(lambda xs: fun(*tree.unflatten(xs)), avals, fun=fun, kind="linear_transpose", staged=True)
    every = [*avals, *traced.out_avals]
    if len({is_inexact(a) for a in every}) > 1 or any(a.dtype == np.bool_ for a in every):
        raise TypeError(
            "linear_transpose only supports [float or complex] -> [float or complex], and integer -> integer functions, but got "
            f"{[a.short() for a in avals]} -> {[a.short() for a in traced.out_avals]}."
        )
    captures, traced = traced.captures, traced._replace(trace=None, captures=[])
    return Partial(functools.partial(_transposed, traced, tree), captures)


@boundary
def _transposed(traced: Traced, tree: Any, captures: list, cotangent: Any) -> Any:
    leaves, found_tree = tree_flatten(cotangent)
    expected = arrays.seen(traced.out_tree)
    if found_tree != expected:
        raise TypeError(f"cotangent tree does not match function output, expected {expected} but got {found_tree}")
    values = [as_value(c) for c in leaves]
    for x, a in zip(values, traced.out_avals):
        if x.aval.shape != a.shape or x.aval.dtype != a.dtype:
            raise TypeError(
                f"cotangent type does not match function output, expected {a.short()} but got {x.aval.short()}"
            )
    n = len(traced.function.in_avals) - len(captures)
    marks = [True] * n + [False] * len(captures)
    found = passes.transpose(traced.function, marks, [*[None] * n, *captures], values, BIND)[:n]
    avals = traced.function.in_avals[:n]
    return tree.unflatten([BIND.full(a, 0) if c is None else retype(c, a.weak_type) for c, a in zip(found, avals)])


__all__ = ["grad", "jvp", "linear_transpose", "linearize", "value_and_grad", "vjp"]
