"""How large a value of a program may be, and how far apart two right computations of it are.

Exact values are multiples of a power of two, the grain, few enough to fit their dtype: every order of additions, fused
or not, in whatever wider format, gives the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

#: Units in the last place that one function, or one rounding, may be off.
ULPS = 8
#: Values whose error may be this part of their size tell nothing.
USELESS = 0.05


class Unfit(Exception):
    """The operation does not go with these operands: too large, too inexact, of a wrong kind."""


@dataclass(frozen=True)
class Bound:
    """`|value| <= size`; two right computations differ by at most `error`; multiples of `grain`, which is 0 if inexact."""

    size: float
    error: float = 0.0
    grain: float = 1.0


@dataclass(frozen=True)
class Value:
    """What is known of a value of a program before it runs."""

    shape: tuple[int, ...]
    dtype: np.dtype
    weak: bool
    bound: Bound
    extreme: bool = False  # may hold infinite elements or none that are numbers, besides those that are bounded

    @property
    def exact(self) -> bool:
        return self.bound.grain > 0

    @property
    def kind(self) -> str:
        """`b`, `i`, `u`, `f` (bfloat16 too) or `c`."""
        return "f" if jnp.issubdtype(self.dtype, jnp.floating) else self.dtype.kind

    @property
    def aval(self) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(self.shape, self.dtype, weak_type=self.weak)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


def kind_of(dtype: np.dtype) -> str:
    return Value((), np.dtype(dtype), False, Bound(0)).kind


def rounded(bound: Bound, dtype: np.dtype) -> Bound:
    """The bound of a value that has been rounded to the dtype."""
    kind = kind_of(dtype)
    if kind == "b":
        return Bound(1)
    if kind in "iu":
        top = float(-np.iinfo(dtype).min if kind == "i" else np.iinfo(dtype).max)
        return Bound(min(bound.size, top))
    info = jnp.finfo(dtype)
    if bound.size > float(info.max) / 8:
        raise Unfit("may overflow")
    if bound.grain > max(float(info.smallest_normal), 1e-30) and bound.size / bound.grain <= 1 / float(info.eps):
        return bound
    error = bound.error + ULPS * float(info.eps) * bound.size + 8 * float(info.smallest_normal)
    if error > USELESS * max(bound.size, 1e-2):
        raise Unfit("too inexact")
    return Bound(bound.size, error, 0)


def rounded_to(value: Value, dtype: np.dtype) -> Bound:
    """The bound of an operand after its promotion; wrapping around makes it as large as the dtype goes."""
    if kind_of(dtype) in "iub" and value.kind in "iub":
        return rounded(Bound(math.inf if kind_of(dtype) == "u" else value.bound.size), dtype)
    return rounded(value.bound, dtype)


Rule = Callable[[Sequence[Value], dict, Value], Bound]


def union(bounds: Sequence[Bound]) -> Bound:
    return Bound(max(b.size for b in bounds), max(b.error for b in bounds), min(b.grain for b in bounds))


def added(a: Bound, b: Bound) -> Bound:
    return Bound(a.size + b.size, a.error + b.error, min(a.grain, b.grain))


def multiplied(a: Bound, b: Bound) -> Bound:
    return Bound(a.size * b.size, a.size * b.error + b.size * a.error + a.error * b.error, a.grain * b.grain)


def repeated(bound: Bound, times: int) -> Bound:
    """A sum of so many."""
    return Bound(bound.size * times, bound.error * times, bound.grain)


def smooth(bound: Bound, lipschitz: float, size: float) -> Bound:
    """A function of a value, no steeper than `lipschitz` and no larger than `size`."""
    return Bound(size, lipschitz * bound.error, 0)


# ---- rules of operations -------------------------------------------------------------------------------------
def same(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return values[0].bound


def all_of(values: Sequence[Value], params: dict, out: Value) -> Bound:
    return union([rounded_to(v, out.dtype) for v in values])


def integer(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """Integers and booleans computed of exact values: as large as the dtype goes."""
    if not all(v.exact for v in values):
        raise Unfit("a jump of inexact values")
    return Bound(math.inf)


def counted(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """Numbers of elements or positions."""
    integer(values, params, out)
    return Bound(max([1, *(v.elements for v in values)]))


def sum_rule(values: Sequence[Value], params: dict, out: Value) -> Bound:
    a, b = (rounded_to(v, out.dtype) for v in values)
    return added(a, b)


def product_rule(values: Sequence[Value], params: dict, out: Value) -> Bound:
    a, b = (rounded_to(v, out.dtype) for v in values)
    return multiplied(a, b)


def exact_same(values: Sequence[Value], params: dict, out: Value) -> Bound:
    """Selections of elements that depend on their order."""
    if not all(v.exact for v in values):
        raise Unfit("a jump of inexact values")
    return all_of(values, params, out)
