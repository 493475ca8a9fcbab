"""Derivatives of high order along a curve (the interface of `jax.experimental.jet`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sable import _absent
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.boundary import boundary
from sable.core.operands import convert
from sable.core.tracing import trace_flat
from sable.core.values import as_value, is_array_like, retype
from sable.dialects.ops.rules import is_inexact
from sable.passes.jet import Series, SeriesBuilder
from sable.passes.jet import jet as run_jet
from sable.scipy.special import factorial

__all__ = ["fact", "jet", "zero_series"]

_absent.explain(__name__)


class _ZeroSeries:
    def __repr__(self) -> str:
        return "zero_series"


#: In the place of an argument's terms: all of them are zero.
zero_series = _ZeroSeries()


def fact(n: Any) -> Any:
    """The factorial of a number, by the gamma function.

    >>> fact(4.0)
    Array(24., dtype=float32, weak_type=True)
    """
    return factorial(n)


@boundary
def jet(
    fun: Callable, primals: Sequence[Any], series: Sequence[Any], factorial_scaled: bool = True, **_: Any
) -> tuple[Any, Any]:
    """The derivatives of fun(h(s)) at s = 0, of orders 1 to K, from those of the curve h: Taylor-mode differentiation.

    That of order 1 is what `jvp` gives. The work grows with the square of K, not exponentially as that of nested `jvp`s; through
    `while_loop` and `cond` alone it does.

    Args:
      fun: function of arrays; it returns a pytree of arrays.
      primals: its arguments, h(0).
      series: for each of them K arrays of its shape: h'(0), h''(0), ...; or `zero_series`.
      factorial_scaled: whether these and the results are derivatives; else they are Taylor coefficients, h^(k)(0) / k!.

    Returns:
      fun(*primals), and the same pytree with a list of K arrays in the place of each array.

    Raises:
      ValueError: arguments have different numbers of terms; an argument or a term is no array; a term of another shape.

    Source: Griewank and Walther, Evaluating Derivatives (2008), chapter 13.

    Example:
      >>> value, (first, second) = jet(jnp.sin, (0.0,), ([1.0, 0.0],))
      >>> value, first, second
      (Array(0., dtype=float32, weak_type=True), Array(1., dtype=float32), Array(0., dtype=float32))
    """
    lengths = {len(terms) for terms in series if terms is not zero_series}
    if len(lengths) > 1:
        raise ValueError("jet terms have inconsistent lengths for different arguments")
    order = max(lengths, default=0)
    for i, (x, terms) in enumerate(zip(primals, series)):
        if not is_array_like(x):
            raise ValueError(f"primal value at position {i} is not an array")
        for j, t in enumerate(() if terms is zero_series else terms):
            if not is_array_like(t):
                raise ValueError(f"term {j} for argument {i} is not an array")
    values = [as_value(x) for x in primals]
    scale = [math.factorial(k) if factorial_scaled else 1 for k in range(1, order + 1)]
    curves = [_curve(x, terms, scale, i) for i, (x, terms) in enumerate(zip(values, series))]
    traced = trace_flat(lambda xs: fun(*xs), [x.aval for x in values], fun=fun, kind="jet", staged=False, known=values)
    b = SeriesBuilder(BIND, order)
    assert traced.trace is not None
    outs = run_jet(traced.function, [*curves, *[Series([x]) for x in traced.captures]], b, traced.trace.known)
    firsts = [retype(y[0], a.weak_type) for y, a in zip(outs, traced.out_avals)]
    rest = [
        [BIND.full(a.strong, 0) if y[k] is None else b.scaled(y[k], scale[k - 1]) for k in range(1, order + 1)]
        for y, a in zip(outs, traced.out_avals)
    ]
    return traced.out_tree.unflatten(firsts), traced.out_tree.unflatten(rest)


def _curve(x: Value, terms: Any, scale: Sequence[int], place: int) -> Series:
    """The Taylor series of an argument."""
    if terms is zero_series or not is_inexact(x.aval):
        return Series([x])
    found = []
    for j, (t, by) in enumerate(zip(terms, scale)):
        value = convert(as_value(t), x.aval.dtype)
        if value.aval.shape != x.aval.shape:
            raise ValueError(
                f"term {j} for argument {place} has shape {value.aval.shape}, but the primal value has {x.aval.shape}"
            )
        found.append(value if by == 1 else BIND.multiply(value, BIND.full(value.aval.strong, 1 / by)))
    return Series([x, *found])
