"""`minimize`, and the quasi-Newton methods behind it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.api.autodiff import value_and_grad
from sable.core.array import Value
from sable.core.operands import array_argument

from ._line_search import Found, Point, dot, line_search


class OptimizeResults(NamedTuple):
    """What `minimize` found.

    Attributes:
      x: the last point, (n,).
      success: whether the gradient is small enough there.
      status: 0, it is. BFGS: 1, too many iterations; 3, the line search's interval became too small; 5, it took too many steps.
        L-BFGS: 1, 2, 3, too many iterations, evaluations of the function, of the gradient; 4, the function hardly falls;
        5, the line search failed. -1: none of these.
      fun: the function's value there, a scalar.
      jac: its gradient, (n,).
      hess_inv: the estimate of the inverse Hessian, (n, n); None of L-BFGS.
      nfev, njev: how often the function and the gradient were evaluated.
      nit: how many iterations there were.

    Example:
      >>> found = minimize(lambda x: jnp.sum(x**4 - x), jnp.ones(1), method="BFGS")
      >>> type(found).__name__, found.jac.shape, found.hess_inv.shape
      ('OptimizeResults', (1,), (1, 1))
    """

    x: Any
    success: Any
    status: Any
    fun: Any
    jac: Any
    hess_inv: Any
    nfev: Any
    njev: Any
    nit: Any


class _BFGS(NamedTuple):
    """A point, and what is known of the function."""

    converged: Any
    failed: Any
    k: Any
    evaluations: Any
    x: Any
    value: Any
    gradient: Any
    inverse: Any
    last_value: Any
    line_status: Any


class _LBFGS(NamedTuple):
    """Likewise, with the last steps, the changes of the gradient, the inverses of their products, and the inverse's scale."""

    converged: Any
    failed: Any
    k: Any
    evaluations: Any
    x: Any
    value: Any
    gradient: Any
    steps: Any
    changes: Any
    weights: Any
    scale: Any
    status: Any


def _search(evaluate: Callable, state: Any, direction: Value, first: Any, maxiter: int) -> Found:
    step = jnp.zeros((), jnp.real(direction).dtype)
    start = Point(step, state.value, jnp.real(dot(state.gradient, direction)), state.gradient)
    return line_search(evaluate, state.x, direction, start, first, maxiter)


def _bfgs(
    fun: Callable,
    x0: Value,
    maxiter: int | None = None,
    norm: Any = np.inf,
    gtol: Any = 1e-5,
    line_search_maxiter: int = 10,
) -> OptimizeResults:
    """By Broyden's, Fletcher's, Goldfarb's and Shanno's update of the inverse Hessian."""
    n, evaluate = x0.shape[0], value_and_grad(fun)
    maxiter = 200 * n if maxiter is None else maxiter

    def is_flat(gradient: Value) -> Value:
        return jnp.linalg.norm(gradient, ord=norm) < gtol

    def step(state: _BFGS) -> _BFGS:
        direction = -dot(state.inverse, state.gradient)
        fall = state.value - state.last_value
        guess = 2.02 * fall / dot(state.gradient, direction)  # the next fall will be as large as the last one
        found = _search(evaluate, state, direction, jnp.where(guess > 1, 1.0, guess), line_search_maxiter)
        moved, change = found.point.step * direction, found.point.gradient - state.gradient
        weight = 1 / dot(change, moved)
        turned = jnp.eye(n, dtype=weight.dtype) - weight * jnp.outer(moved, change)
        inverse = dot(dot(turned, state.inverse), turned.T) + weight * jnp.outer(moved, moved)
        return _BFGS(
            converged=is_flat(found.point.gradient),
            failed=found.failed,
            k=state.k + 1,
            evaluations=state.evaluations + found.evaluations,
            x=state.x + moved,
            value=found.point.value,
            gradient=found.point.gradient,
            inverse=jnp.where(jnp.isfinite(weight), inverse, state.inverse),
            last_value=state.value,
            line_status=found.status,
        )

    value, gradient = evaluate(x0)
    before = value + jnp.linalg.norm(gradient) / 2
    eye = jnp.eye(n, dtype=x0.dtype)
    start = _BFGS(is_flat(gradient), False, 0, 1, x0, value, gradient, eye, before, 0)
    end = lax.while_loop(lambda s: ~s.converged & ~s.failed & (s.k < maxiter), step, start)
    status = jnp.where(end.failed, 2 + end.line_status, -1)
    status = jnp.where(end.converged, 0, jnp.where(end.k == maxiter, 1, status))
    return _results(end, status, end.inverse)


def _times_inverse(state: _LBFGS) -> Value:
    """The direction: minus the estimated inverse Hessian times the gradient, by two loops over the last steps (algorithm 7.4).

    Those that have not been taken yet have the weight zero.
    """

    def back(q: Value, each: tuple) -> tuple[Value, Value]:
        s, y, weight = each
        a = weight * jnp.real(dot(jnp.conj(s), q)).astype(q.dtype)
        return q - a * jnp.conj(y), a

    def forth(q: Value, each: tuple) -> tuple[Value, None]:
        s, y, weight, a = each
        return q + (a - weight * jnp.real(dot(y, q)).astype(q.dtype)) * s, None

    steps = (state.steps, state.changes, state.weights)
    q, parts = lax.scan(back, -jnp.conj(state.gradient), steps, reverse=True)
    return lax.scan(forth, state.scale * q, (*steps, parts))[0]


def _appended(history: Value, new: Value) -> Value:
    return jnp.concatenate([history[1:], new[None]])


def _lbfgs(
    fun: Callable,
    x0: Value,
    maxiter: float | None = None,
    norm: Any = np.inf,
    maxcor: int = 10,
    ftol: Any = 2.220446049250313e-09,
    gtol: Any = 1e-5,
    maxfun: float | None = None,
    maxgrad: float | None = None,
    maxls: int = 20,
) -> OptimizeResults:
    """BFGS with the last `maxcor` steps in the place of a matrix; of complex variables as L. Sorber et al., "Unconstrained
    optimization of real functions in complex variables", SIAM Journal on Optimization 22(3), 2012."""
    n, evaluate = x0.shape[0], value_and_grad(fun)
    if maxiter is None and maxfun is None and maxgrad is None:
        maxiter = 200 * n
    limits = [math.inf if limit is None else limit for limit in (maxgrad, maxfun, maxiter)]

    def step(state: _LBFGS) -> _LBFGS:
        direction = _times_inverse(state)
        found = _search(evaluate, state, direction, 1.0, maxls)
        moved, change = found.point.step.astype(direction.dtype) * direction, found.point.gradient - state.gradient
        product = jnp.real(dot(change, moved))
        status = jnp.where(state.value - found.point.value < ftol, 4, 0)
        for code, count, limit in zip((3, 2, 1), (state.evaluations, state.evaluations, state.k), limits):
            status = jnp.where(count >= limit, code, status)
        status = jnp.where(found.failed, 5, status)
        converged = jnp.linalg.norm(found.point.gradient, ord=norm) < gtol
        return _LBFGS(
            converged=converged,
            failed=(status > 0) & ~converged,
            k=state.k + 1,
            evaluations=state.evaluations + found.evaluations,
            x=state.x + moved,
            value=found.point.value,
            gradient=found.point.gradient,
            steps=_appended(state.steps, moved),
            changes=_appended(state.changes, change),
            weights=_appended(state.weights, (1 / product).astype(x0.dtype)),
            scale=(product / jnp.real(dot(jnp.conj(change), change))).astype(x0.dtype),
            status=jnp.where(converged, 0, status),
        )

    value, gradient = evaluate(x0)
    history = jnp.zeros((maxcor, n), x0.dtype)
    one = jnp.ones((), x0.dtype)
    start = _LBFGS(False, False, 0, 1, x0, value, gradient, history, history, jnp.zeros(maxcor, x0.dtype), one, 0)
    end = lax.while_loop(lambda s: ~s.converged & ~s.failed, step, start)
    return _results(end, end.status, None)


def _results(end: Any, status: Any, inverse: Value | None) -> OptimizeResults:
    return OptimizeResults(
        x=end.x,
        success=end.converged & ~end.failed,
        status=status,
        fun=end.value,
        jac=end.gradient,
        hess_inv=inverse,
        nfev=end.evaluations,
        njev=end.evaluations,
        nit=end.k,
    )


_METHODS = {"bfgs": _bfgs, "l-bfgs-experimental-do-not-rely-on-this": _lbfgs}


def minimize(
    fun: Callable,
    x0: Any,
    args: tuple = (),
    *,
    method: str,
    tol: float | None = None,
    options: Mapping[str, Any] | None = None,
) -> OptimizeResults:
    """A local minimum of a function, by quasi-Newton methods; gradients are those of `grad`.

    J. Nocedal, S. J. Wright, "Numerical Optimization", 1999, algorithms 6.1 and 7.5, with the line search 3.5.

    Args:
      fun: `fun(x, *args)`, differentiable, of x (n,) to a real scalar.
      x0: where the search starts, (n,); complex numbers for L-BFGS only.
      args: further arguments of the function.
      method: "BFGS", or "l-bfgs-experimental-do-not-rely-on-this", which needs no (n, n) matrix.
      tol: as the option `gtol`.
      options: `maxiter`, iterations at most, 200 n by default; `gtol`, `norm`: it ends where the norm of that order of the gradient
        is less, 1e-5 and infinity by default; BFGS: `line_search_maxiter`; L-BFGS: `maxcor`, steps that are kept, `ftol`, by how
        much the function must fall, `maxfun`, `maxgrad`, `maxls`.

    Returns:
      See `OptimizeResults`. It works under `jit` and `vmap`.

    Raises:
      TypeError: `args` is no tuple; an integer x0; an option that the method has not. ValueError: another method; x0 is no vector.

    Example:
      >>> found = minimize(lambda x, c: jnp.sum((x - c) ** 2), jnp.zeros(2), (jnp.array([1.0, 3.0]),), method="BFGS")
      >>> jnp.round(found.x, 4), found.success
      (Array([1., 3.], dtype=float32), Array(True, dtype=bool))
    """
    if not isinstance(args, tuple):
        raise TypeError(f"args argument to jax.scipy.optimize.minimize must be a tuple, got {args}")
    if method.lower() not in _METHODS:
        raise ValueError(f"Method {method} not recognized")
    start = array_argument("minimize", x0)
    if start.ndim != 1:
        raise ValueError(f"minimize: x0 must be a vector, got an array of shape {start.shape}")
    chosen = {**({} if tol is None else {"gtol": tol}), **(options or {})}
    return _METHODS[method.lower()](lambda x: fun(x, *args), start, **chosen)
