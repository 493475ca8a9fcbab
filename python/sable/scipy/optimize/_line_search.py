"""How far to go along a direction: to where a function has fallen enough and its slope has, too (Wolfe's strong conditions).

J. Nocedal, S. J. Wright, "Numerical Optimization", 1999, algorithms 3.5 and 3.6.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.dtypes import finfo
from sable.tree_util import tree_map

dot = functools.partial(jnp.dot, precision="highest")

#: of the first slope: what the function falls at least, and how steep it may stay
_FALL, _STEEPNESS = 1e-4, 0.9
#: parts of the interval that an interpolated point keeps away from its ends
_CUBIC_MARGIN, _QUADRATIC_MARGIN = 0.2, 0.1
#: points that are tried in one interval, at most
_ZOOMS = 30


class Point(NamedTuple):
    """A step along the direction, the function there, its slope along the direction, its gradient."""

    step: Any
    value: Any
    slope: Any
    gradient: Any


class Found(NamedTuple):
    """What a line search found.

    Attributes:
      point: the last point; with `failed` it need not satisfy the conditions.
      failed: whether it does not.
      evaluations: of the function and its gradient.
      status: 0; 1, an interval became too small; 3, too many steps.
    """

    point: Point
    failed: Any
    evaluations: Any
    status: Any


class _Search(NamedTuple):
    """The interval grows: the last point and the one found."""

    done: Any
    failed: Any
    i: Any
    last: Point
    best: Point
    evaluations: Any


class _Zoom(NamedTuple):
    """The interval shrinks: its end with the lesser value, the other one, the one before that, and the one found."""

    done: Any
    failed: Any
    j: Any
    low: Point
    high: Point
    before: Point
    best: Point


def _choose(pred: Value, x: Any, y: Any) -> Any:
    return tree_map(functools.partial(jnp.where, pred), x, y)


def _cubic(a: Point, b: Point, c: Point) -> Any:
    """Where the cubic polynomial through three values with the slope of the first has its minimum; NaN for none."""
    u, v = b.step - a.step, c.step - a.step
    p, q = b.value - a.value - a.slope * u, c.value - a.value - a.slope * v
    divisor = (u * v) ** 2 * (u - v)
    third, second = (v**2 * p - u**2 * q) / divisor, (u**3 * q - v**3 * p) / divisor
    return a.step + (jnp.sqrt(second**2 - 3 * third * a.slope) - second) / (3 * third)


def _quadratic(a: Point, b: Point) -> Any:
    """Likewise, of the quadratic polynomial through two values."""
    width = b.step - a.step
    return a.step - a.slope * width**2 / (2 * (b.value - a.value - a.slope * width))


def _between(z: _Zoom) -> Any:
    """The next step to try in an interval: by a cubic, else by a quadratic polynomial, else the middle."""
    left, right = jnp.minimum(z.low.step, z.high.step), jnp.maximum(z.low.step, z.high.step)

    def inside(step: Any, margin: float) -> Any:
        return (step > left + margin * (right - left)) & (step < right - margin * (right - left))

    cubic, quadratic = _cubic(z.low, z.high, z.before), _quadratic(z.low, z.high)
    other = jnp.where(inside(quadratic, _QUADRATIC_MARGIN), quadratic, (z.low.step + z.high.step) / 2)
    return jnp.where((z.j > 0) & inside(cubic, _CUBIC_MARGIN), cubic, other)


def line_search(evaluate: Callable, x: Value, direction: Value, start: Point, first: Any, maxiter: int) -> Found:
    """A step that satisfies Wolfe's conditions.

    Args:
      evaluate: function of (n,) -> its value and gradient.
      x, direction: (n,).
      start: the point at x; the function falls there.
      first: the first step; then twice as far each time.
      maxiter: steps at most.
    """
    dtype = start.step.dtype
    narrow = finfo(dtype).bits < 64

    def at(step: Any) -> Point:
        value, gradient = evaluate(x + step.astype(direction.dtype) * direction)
        return Point(step, value, jnp.real(dot(gradient, direction)), gradient)

    def too_high(point: Point) -> Any:
        return point.value > start.value + _FALL * point.step * start.slope

    def flat(point: Point) -> Any:
        return jnp.abs(point.slope) <= -_STEEPNESS * start.slope

    def shrink(z: _Zoom) -> _Zoom:
        width = z.high.step - z.low.step
        failed = jnp.abs(width) <= (1e-5 if narrow else 1e-10)
        point = at(_between(z))
        is_high = too_high(point) | (point.value >= z.low.value)
        is_best = flat(point) & ~is_high
        is_low = ~is_high & ~is_best
        turned = is_low & (point.slope * width >= 0)  # the minimum is between the point and the old low end
        return _Zoom(
            done=z.done | is_best,
            failed=failed | (z.j + 1 >= _ZOOMS),
            j=z.j + 1,
            low=_choose(is_low, point, z.low),
            high=_choose(is_high, point, _choose(turned, z.low, z.high)),
            before=_choose(is_high | turned, z.high, _choose(is_low, z.low, z.before)),
            best=_choose(is_best, point, z.best),
        )

    def grow(s: _Search) -> _Search:
        step = jnp.where(s.i == 1, first, 2 * s.last.step).astype(dtype)
        point = at(step)
        behind = too_high(point) | ((point.value >= s.last.value) & (s.i > 1))
        is_best = flat(point) & ~behind
        ahead = (point.slope >= 0) & ~behind & ~is_best
        low, high = _choose(behind, s.last, point), _choose(behind, point, s.last)
        middle = tree_map(lambda p, q: (p + q) / 2, low, high)
        best = low._replace(step=jnp.ones((), dtype), gradient=start.gradient)
        inside = behind | ahead
        z = _Zoom(~inside, False, 0, low, high, middle, best)
        z = lax.while_loop(lambda z: ~z.done & ~z.failed, shrink, z)
        return _Search(
            done=s.done | inside | is_best,
            failed=s.failed | (inside & z.failed),
            i=s.i + 1,
            last=point,
            best=_choose(is_best, point, _choose(inside, z.best, s.best)),
            evaluations=s.evaluations + 1 + z.j,
        )

    search = _Search(False, False, 1, start, start, 0)
    s = lax.while_loop(lambda s: ~s.done & (s.i <= maxiter) & ~s.failed, grow, search)
    status = jnp.where(s.failed, 1, jnp.where(s.i > maxiter, 3, 0))
    step = s.best.step
    if narrow:  # steps of nothing would be taken for ever
        step = jnp.where(jnp.abs(step) < 1e-8, jnp.sign(step) * 1e-8, step)
    return Found(s.best._replace(step=step), s.failed | ~s.done, s.evaluations, status)
