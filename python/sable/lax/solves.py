"""Roots of functions and solutions of linear equations, by solvers of the user's; derivatives are those of the solution."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from sable import passes
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.custom_derivatives import custom_jvp
from sable.core.float0 import is_float0
from sable.core.tracing import Traced
from sable.core.values import as_value, retype
from sable.dialects.ops.functions import spread
from sable.dialects.ops.rules import is_inexact
from sable.ir.aval import Aval
from sable.ir.function import Function, interpret
from sable.ir.op import OPS
from sable.pytree import arrays

from .control_bodies import captures_first, trace_body, union


class _Derivative:
    """The derivative of a traced function of n arrays with respect to those of them that are inexact, at a point."""

    def __init__(self, traced: Traced, xs: Sequence[Value]):
        active = [is_inexact(x.aval) for x in xs]
        captures = traced.captures
        made = passes.linearize(traced.function, [*xs, *captures], [*active, *[False] * len(captures)], BIND)
        self._made, self._active, self._tree, self._avals = made, active, traced.out_tree, traced.out_avals

    def __call__(self, *tangents: Any) -> Any:
        """Tangents of the results from those of the arguments."""
        given = [as_value(t) for t, on in zip(arrays.leaves(tangents), self._active) if on]
        found = spread(interpret(self._made.linear, [*given, *self._made.residuals], BIND), self._made.active)
        return self._tree.unflatten([BIND.full(a, 0) if t is None else t for t, a in zip(found, self._avals)])

    def transposed(self, cotangents: Any) -> Any:
        """Cotangents of the arguments, in the results' structure, from those of the results."""
        linear, residuals = self._made.linear, self._made.residuals
        given = [as_value(c) for c, on in zip(arrays.leaves(cotangents), self._made.active) if on]
        n = len(linear.in_avals) - len(residuals)
        marks = [True] * n + [False] * len(residuals)
        found = spread(passes.transpose(linear, marks, [*[None] * n, *residuals], given, BIND)[:n], self._active)
        return self._tree.unflatten([BIND.full(a, 0) if c is None else c for c, a in zip(found, self._avals)])


def _check_structure(name: str, like: str, found: Any, wanted: Any, has_aux: bool = False) -> None:
    if has_aux:
        if len(found.children()) != 2:
            raise ValueError(
                f"{name}() produced a pytree with structure {arrays.seen(found)}, but a pytree tuple with auxiliary output was "
                "expected because has_aux was set to True."
            )
        found = found.children()[0]
    if found != wanted:
        raise TypeError(
            f"{name}() output pytree structure must match {like}, got {arrays.seen(found)} and {arrays.seen(wanted)}."
        )


def _check_shapes(name: str, found: Sequence[Aval], wanted: Sequence[Aval]) -> None:
    ours, theirs = [a.shape for a in found], [a.shape for a in wanted]
    if ours[: len(theirs)] != theirs:
        raise ValueError(f"{name}() output shapes must match b, got {ours[: len(theirs)]} and {theirs}")


def _closed(traced: Sequence[Traced], n: Sequence[int]) -> tuple[list[Value], list[Function]]:
    """What functions close over together, and the functions taking it before their n arguments."""
    captures = union(*[t.captures for t in traced])
    return captures, [captures_first(t, captures, k) for t, k in zip(traced, n)]


@boundary
def custom_root(
    f: Callable, initial_guess: Any, solve: Callable, tangent_solve: Callable, has_aux: bool = False
) -> Any:
    """A root of a function, found by a solver that need not be differentiable.

    Args:
      f: function of a pytree of arrays to one of the same structure and shapes; derivatives are by what it closes over.
      initial_guess: where the search starts.
      solve: `(f, initial_guess) -> root`.
      tangent_solve: `(g, y) -> x` with g(x) = y for a linear g, the derivative of f at the root.
      has_aux: `solve` returns (root, aux); aux has no derivative.

    Returns:
      The root, with has_aux also aux. By f(u, x(u)) = 0 the tangent of x is -g^-1 of that of f at a fixed x.

    Raises:
      TypeError: results of another structure than the guess.
      ValueError: with has_aux no pair.

    Example:
      >>> import sable as jax
      >>> def root(a):
      ...     f = lambda x: x**3 - a
      ...     halve = lambda f, x: jax.lax.fori_loop(0, 40, lambda _, x: x - f(x) / (3 * x**2), x)
      ...     return jax.lax.custom_root(f, 1.0, halve, lambda g, y: y / g(1.0))
      >>> jax.grad(root)(8.0)
      Array(0.08333334, dtype=float32, weak_type=True)
    """
    leaves, tree = arrays.flatten((initial_guess,))
    guess = [as_value(x) for x in leaves]
    avals, n = [x.aval for x in guess], len(guess)
    (structure,) = tree.children()
    traced = trace_body(f, tree, avals, "custom_root")
    _check_structure("f", "initial_guess", traced.out_tree, structure)
    solved = trace_body(functools.partial(solve, f), tree, avals, "custom_root solve")
    _check_structure("solve", "initial_guess", solved.out_tree, structure, has_aux)

    def by_tangent(x: Any, y: Any) -> Any:
        return tangent_solve(_Derivative(traced, arrays.leaves(x)), y)

    twice = arrays.flatten((initial_guess, initial_guess))[1]
    by_tangents = trace_body(by_tangent, twice, [*avals, *avals], "custom_root tangent_solve")
    _check_structure("tangent_solve", "x", by_tangents.out_tree, structure)
    captures, (function, solution, tangent) = _closed([traced, solved, by_tangents], (n, n, 2 * n))

    @custom_jvp
    def root(captures: list, guess: list) -> list:
        return interpret(solution, [*captures, *guess], BIND)

    @root.defjvp
    def root_jvp(primals: tuple, tangents: tuple) -> tuple:
        found = root(*primals)
        x, moving = found[:n], [None if is_float0(t) else t for t in tangents[0]]
        _, dys = passes.jvp(function, [*primals[0], *x], [*moving, *[None] * n], BIND)
        rhs = [BIND.full(a, 0) if t is None else t for t, a in zip(dys, avals)]
        dx = [BIND.negate(t) for t in interpret(tangent, [*primals[0], *x, *rhs], BIND)]
        return found, [*dx, *[BIND.full(y.aval, 0) for y in found[n:]]]

    return solved.out_tree.unflatten(root(captures, guess))


@boundary
def custom_linear_solve(
    matvec: Callable,
    b: Any,
    solve: Callable,
    transpose_solve: Callable | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The solution of matvec(x) = b, found by a solver that need not be differentiable.

    Args:
      matvec: linear function of a pytree of arrays to one of the same structure and shapes.
      b: the right-hand side, such a pytree.
      solve: `(matvec, b) -> x`.
      transpose_solve: `(vecmat, b) -> x` for the transposed function; reverse mode needs it.
      symmetric: whether matvec is its own transpose; then `solve` is the default of transpose_solve.
      has_aux: both solvers return (x, aux); aux has no derivative.

    Returns:
      The solution, with has_aux also aux; derivatives by b and by what matvec closes over are those of the solution.

    Raises:
      TypeError: results of another structure than b; reverse mode without transpose_solve.
      ValueError: results of other shapes; with has_aux no pair.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> def solve(d, b):
      ...     matvec = lambda x: d * x
      ...     return jax.lax.custom_linear_solve(matvec, b, lambda f, b: b / f(jnp.ones(2)), symmetric=True)
      >>> jax.grad(lambda d: solve(d, jnp.array([6.0, 8.0])).sum())(jnp.array([2.0, 4.0]))
      Array([-1.5, -0.5], dtype=float32)
    """
    leaves, tree = arrays.flatten((b,))
    rhs = [as_value(x) for x in leaves]
    avals = [x.aval for x in rhs]
    (structure,) = tree.children()
    transpose_solve = solve if transpose_solve is None and symmetric else transpose_solve

    def traced(name: str, fun: Callable, aux: bool) -> Traced:
        found = trace_body(fun, tree, avals, f"custom_linear_solve {name}")
        _check_structure(name, "b", found.out_tree, structure, aux)
        _check_shapes(name, found.out_avals, avals)
        return found

    product = traced("matvec", matvec, False)
    solved = traced("solve", functools.partial(solve, matvec), has_aux)
    both = [product, solved]
    if transpose_solve is not None:

        def vecmat(ct: Any) -> Any:
            return _Derivative(product, [BIND.full(a, 0) for a in avals]).transposed(ct)

        transposed = matvec if symmetric else vecmat
        both.append(product if symmetric else traced("vecmat", vecmat, False))
        both.append(traced("transpose_solve", functools.partial(transpose_solve, transposed), has_aux))
    captures, functions = _closed(both, [len(rhs)] * len(both))
    out = bind(OPS["custom_linear_solve"], *captures, *rhs, functions=tuple(functions))
    kept = [retype(x, a.weak_type) for x, a in zip(out, avals)]
    return solved.out_tree.unflatten([*kept, *out[len(kept) :]])


__all__ = ["custom_linear_solve", "custom_root"]
