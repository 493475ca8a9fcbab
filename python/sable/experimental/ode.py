"""Ordinary differential equations by steps of adaptive size (the interface of `jax.experimental.ode`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent, lax
from sable._config.managers import default_matmul_precision
from sable.api.autodiff import vjp
from sable.api.batching import vmap
from sable.api.closures import closure_convert
from sable.api.compilation import jit
from sable.core.array import Value
from sable.core.custom_derivatives import custom_vjp
from sable.core.values import is_array_like
from sable.flatten_util import ravel_pytree
from sable.tree_util import tree_flatten, tree_leaves, tree_map

__all__ = ["odeint"]

_absent.explain(__name__)

# The method of Dormand and Prince of order 5 with an embedded one of order 4 (Hairer, Norsett, Wanner, Solving Ordinary
# Differential Equations I, table II.5.2). The last stage is the slope at the end of the step.
_NODES = np.array([1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
_STAGES = np.array(
    [
        [1 / 5, 0, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, 0],
    ]
)
_FIFTH = _STAGES[-1]
#: Order 5 less order 4; the weights of order 4 are halves and quarters of L. F. Shampine's, as JAX has them.
_ERROR = _FIFTH - np.array([1951 / 21600, 0, 22642 / 50085, 451 / 720, -12231 / 42400, 649 / 6300, 1 / 60])
#: Half a step, by the slopes of the whole one: Shampine, Some Practical Runge-Kutta Formulas, Math. Comp. 46 (1986).
_MIDDLE = (
    np.array(
        [
            6025192743 / 30085553152,
            0,
            51252292925 / 65400821598,
            -2691868925 / 45128329728,
            187940372067 / 1594534317056,
            -1776094331 / 19743644256,
            11237099 / 235043384,
        ]
    )
    / 2
)
#: (y0, y1, ymid, h y0', h y1') -> coefficients, highest power first, of the quartic on [0, 1] with these values and slopes.
_QUARTIC = np.array(
    [
        [-8, -8, 16, -2, 2],
        [18, 14, -32, 5, -3],
        [-11, -5, 16, -4, 1],
        [0, 0, 0, 1, 0],
        [1, 0, 0, 0, 0],
    ]
)
_ORDER = 5
_SAFETY, _LARGEST_FACTOR, _SMALLEST_FACTOR = 0.9, 10.0, 0.2

Slope = Callable[[Value, Value], Value]


def _combined(weights: np.ndarray, slopes: Value) -> Value:
    """A weighted sum of the rows of slopes."""
    return jnp.dot(jnp.asarray(weights, slopes.dtype), slopes)


def _step(slope: Slope, y: Value, f: Value, t: Value, h: Value) -> tuple[Value, Value, Value]:
    """The state after a step of size h, its error and the slopes of the seven stages."""
    dtype = f.dtype
    nodes, stages = jnp.asarray(_NODES, h.dtype), jnp.asarray(_STAGES, dtype)

    def stage(i: Value, slopes: Value) -> Value:
        middle = y + h.astype(dtype) * jnp.dot(stages[i], slopes)
        return slopes.at[i + 1].set(slope(middle, t + h * nodes[i]))

    slopes = lax.fori_loop(0, len(_NODES), stage, jnp.zeros((len(_NODES) + 1, *f.shape), dtype).at[0].set(f))
    width = h.astype(dtype)
    return width * _combined(_FIFTH, slopes) + y, width * _combined(_ERROR, slopes), slopes


def _quartic(y0: Value, y1: Value, slopes: Value, h: Value) -> Value:
    """Coefficients of the polynomial that a step follows, by powers of the part of the step, highest first."""
    h = h.astype(y0.dtype)
    rows = jnp.stack([y0, y1, y0 + h * _combined(_MIDDLE, slopes), h * slopes[0], h * slopes[-1]])
    return jnp.dot(jnp.asarray(_QUARTIC, y0.dtype), rows)


def _first_step(slope: Slope, t: Value, y: Value, f: Value, rtol: float, atol: float) -> Value:
    """A size for the first step: Hairer, Norsett, Wanner, section II.4, of a method of order 4."""
    y, f = y.astype(jnp.result_type(y, f)), f.astype(jnp.result_type(y, f))
    scale = (atol + jnp.abs(y) * rtol).astype(y.dtype)
    size, speed = jnp.linalg.norm(y / scale), jnp.linalg.norm(f / scale)
    tried = jnp.where((size < 1e-5) | (speed < 1e-5), 1e-6, 0.01 * size / speed)
    after = slope(y + tried.astype(y.dtype) * f, t + tried)
    bend = jnp.linalg.norm((after - f) / scale) / tried
    still = (speed <= 1e-15) & (bend <= 1e-15)
    wanted = jnp.where(still, jnp.maximum(1e-6, tried * 1e-3), (0.01 / jnp.maximum(speed, bend)) ** (1 / _ORDER))
    return jnp.minimum(100 * tried, wanted)


def _error_ratio(error: Value, rtol: float, atol: float, y0: Value, y1: Value) -> Value:
    """The error of a step in units of what is allowed, as the root of the mean square."""
    allowed = atol + rtol * jnp.maximum(jnp.abs(y0), jnp.abs(y1))
    ratio = error / allowed.astype(error.dtype)
    return jnp.sqrt(jnp.mean(ratio.real**2 + ratio.imag**2 if jnp.iscomplexobj(ratio) else ratio**2))


def _next_size(h: Value, ratio: Value) -> Value:
    """The size that would just be allowed, with a margin; after a step that is accepted it does not fall."""
    least = jnp.where(ratio < 1, 1.0, _SMALLEST_FACTOR)
    factor = jnp.minimum(_LARGEST_FACTOR, jnp.maximum(ratio ** (-1 / _ORDER) * _SAFETY, least))
    return h * jnp.where(ratio == 0, _LARGEST_FACTOR, factor)


def odeint(
    func: Callable[..., Any],
    y0: Any,
    t: Any,
    *args: Any,
    rtol: float = 1.4e-8,
    atol: float = 1.4e-8,
    mxstep: float = np.inf,
    hmax: float = np.inf,
) -> Any:
    """The solution of y' = func(y, t, *args) at given times, by the method of Dormand and Prince of orders 5 and 4.

    Steps are as long as the tolerances allow; between them the solution is a polynomial of degree 4. The derivative by y0,
    t, args and traced values that func closes over is the adjoint equation's solution, backwards in time from each output
    to the one before, so that memory does not grow with the number of steps.

    Args:
      func: gives the slope, of the structure and shapes of y.
      y0: pytree of floating-point or complex arrays, the state at t[0].
      t: array of floating-point numbers of shape (n,), ascending.
      args: pytrees of arrays that func is given.
      rtol, atol: how large the error of a step may be, relative to y and by itself.
      mxstep: how many steps there are at most between two outputs; with too few of them the output is a value of the last
        polynomial, far outside of it.
      hmax: how large a step may be.

    Returns:
      Pytree of the structure of y0, whose arrays have n states along a new first axis.

    Raises:
      TypeError: t holds no floating-point numbers; an argument is no array.

    Sources: Dormand and Prince, A family of embedded Runge-Kutta formulae (1980); the derivative: Chen et al., Neural
    Ordinary Differential Equations (2018), appendix C.

    Example:
      >>> import sable.numpy as jnp
      >>> decay = lambda y, t, rate: -rate * y
      >>> jnp.round(odeint(decay, 1.0, jnp.array([0.0, 1.0, 2.0]), 0.5), 4)
      Array([1.    , 0.6065, 0.3679], dtype=float32)
    """
    for x in tree_leaves(args):
        if not is_array_like(x):
            raise TypeError(f"The contents of odeint *args must be arrays or scalars, but got {x}.")
    if not jnp.issubdtype(t.dtype, jnp.floating):
        raise TypeError(f"t must be an array of floats, but got {t}.")
    converted, closed = closure_convert(func, y0, t[0], *args)
    return _solve(converted, rtol, atol, mxstep, hmax, y0, t, *args, *closed)


@partial(jit, static_argnums=(0, 1, 2, 3, 4))
def _solve(func: Callable, rtol: float, atol: float, mxstep: float, hmax: float, y0: Any, t: Value, *args: Any) -> Any:
    flat, unravel = ravel_pytree(y0)

    def slope(y: Value, t: Value, *args: Any) -> Value:
        return ravel_pytree(func(unravel(y), t, *args))[0]

    with default_matmul_precision("highest"):
        return vmap(unravel)(_integrate(slope, rtol, atol, mxstep, hmax, flat, t, *args))


@partial(custom_vjp, nondiff_argnums=(0, 1, 2, 3, 4))
def _integrate(
    func: Callable, rtol: float, atol: float, mxstep: float, hmax: float, y0: Value, times: Value, *args: Any
) -> Value:
    """Rows of states, one for each time, of a vector y0."""

    def slope(y: Value, t: Value) -> Value:
        return func(y, t, *args)

    def limited(h: Value) -> Value:
        return jnp.clip(h, 0.0, hmax)

    def reach(state: Sequence, target: Value) -> tuple[Any, Value]:
        def before(state: Sequence) -> Value:
            count, _, _, t, h, _, _ = state
            return (t < target) & (count < mxstep) & (h > 0)

        def advance(state: Sequence) -> list:
            count, y, f, t, h, start, curve = state
            after, error, slopes = _step(slope, y, f, t, h)
            ratio = _error_ratio(error, rtol, atol, y, after)
            size = limited(_next_size(h, ratio))
            new = [after, slopes[-1], t + h, size, t, _quartic(y, after, slopes, h)]
            old = [y, f, t, size, start, curve]
            return [count + 1, *[jnp.where(ratio <= 1, a, b) for a, b in zip(new, old)]]

        _, *state = lax.while_loop(before, advance, [0, *state])
        _, _, t, _, start, curve = state
        part = (target - start) / (t - start)
        return state, jnp.polyval(curve, part.astype(curve.dtype))

    f = slope(y0, times[0])
    h = limited(_first_step(slope, times[0], y0, f, rtol, atol))
    curve = jnp.broadcast_to(y0, (len(_QUARTIC), *y0.shape))
    _, rows = lax.scan(reach, [y0, f, times[0], h, times[0], curve], times[1:])
    return jnp.concatenate([y0[None], rows])


def _forward(func: Callable, rtol: float, atol: float, mxstep: float, hmax: float, *operands: Any) -> tuple[Value, Any]:
    rows = _integrate(func, rtol, atol, mxstep, hmax, *operands)
    return rows, (rows, *operands[1:])


def _backward(
    func: Callable, rtol: float, atol: float, mxstep: float, hmax: float, residuals: tuple, cotangent: Value
) -> tuple:
    """The adjoint a of the state, with a' = -a df/dy, and integrals of a df/dt and a df/dargs, from the end to the start."""
    rows, times, *args = residuals
    leaves, _, cotangents = _moving(args)

    def rates(state: tuple, past: Value, *args: Any) -> tuple:
        # `past` is the time, negated, so that it ascends
        y, adjoint, *_ = state
        moving, restore, _ = _moving(args)
        speed, pull = vjp(lambda y, t, *moving: func(y, t, *restore(moving)), y, -past, *moving)
        by_y, by_t, *by_args = pull(adjoint)
        return -speed, by_y, by_t, by_args

    def back(carry: tuple, i: Value) -> tuple[tuple, Value]:
        adjoint, by_start, by_args = carry
        by_time = jnp.dot(func(rows[i], times[i], *args), cotangent[i]).real
        state = rows[i], adjoint, by_start - by_time, by_args
        span = jnp.stack([-times[i], -times[i - 1]])
        found = odeint(rates, state, span, *args, rtol=rtol, atol=atol, mxstep=mxstep, hmax=hmax)
        _, adjoint, by_start, by_args = tree_map(lambda x: x[1], found)
        return (adjoint + cotangent[i - 1], by_start, by_args), by_time

    zero = jnp.zeros((), times.dtype)
    carry = cotangent[-1], zero, [jnp.zeros_like(x) for x in leaves]
    steps = jnp.arange(len(times) - 1, 0, -1)
    (adjoint, by_start, by_args), by_times = lax.scan(back, carry, steps)
    return adjoint, jnp.concatenate([by_start[None], by_times[::-1]]), *cotangents(by_args)


def _moving(args: Sequence[Any]) -> tuple[list, Callable[[Sequence[Any]], Any], Callable[[Sequence[Any]], Any]]:
    """The leaves that have derivatives; the arguments with others in their places; cotangents of all arguments."""
    leaves, structure = tree_flatten(list(args))
    moving = [jnp.issubdtype(jnp.result_type(x), jnp.inexact) for x in leaves]

    def rebuild(values: Sequence[Any], others: Sequence[Any]) -> Any:
        rest = iter(values)
        return structure.unflatten([next(rest) if m else x for m, x in zip(moving, others)])

    chosen = [x for x, m in zip(leaves, moving) if m]
    return chosen, lambda values: rebuild(values, leaves), lambda values: rebuild(values, [None] * len(leaves))


_integrate.defvjp(_forward, _backward)
