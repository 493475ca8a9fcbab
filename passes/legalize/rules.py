"""Traps of IREE 3.13 that are rewritten before it sees them; the generated tests compare every op with its reference.

A rule `(b, *operands, **params)`, registered with `legalize`, gives the op's results in terms that are safe, or
NotImplemented where the op can stay as it is. `b.emit(name, ...)` writes an op past these rules.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval, aval
from sable.ir.literal import Literal
from sable.ir.op import OPS

from .wide_fills import WIDEST_FILL, is_zero

#: Added to an f64 below 2^51 and subtracted again: rounds to a whole number, whose low bits the sum ends with.
ROUNDER = 1.5 * 2.0**52

#: The rules by op and platform; None stands for all platforms, whose rules are asked behind those of the one at hand.
_RULES: dict[tuple[str, str | None], Callable[..., Any]] = {}

_F32, _I32, _U32 = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uint32)


def legalize(name: str, platform: str | None = None) -> Callable:
    """Decorator: register the rule for the op, on all platforms or on one.

    Raises:
      ValueError: at import, where there is one already: which of two were taken would depend on the order of imports.
    """

    def register(rule: Callable) -> Callable:
        other = _RULES.setdefault((name, platform), rule)
        if other is not rule:
            where = f"on {platform}" if platform else "on all platforms"
            raise ValueError(f"two rules legalise {name} {where}: {other.__module__} and {rule.__module__}")
        return rule

    return register


def rules_of(name: str, platform: str, native: Callable[..., Any] | None = None) -> list[Callable[..., Any]]:
    """The rules for an op in the order in which they are asked; none for the platform 'any', which is plain StableHLO.

    Between those for the platform and those for all stands `native`, the one that calls the op's native kernel.
    """
    if platform == "any":
        return []
    found = _RULES.get((name, platform)), native, _RULES.get((name, None))
    return [rule for rule in found if rule is not None]


def platforms_of(name: str) -> list[str]:
    """For the documentation: the platforms that an op is rewritten for, 'all' where it is for every one."""
    return sorted("all" if platform is None else platform for op, platform in _RULES if op == name)


def compare(b: Any, x: Any, y: Any, direction: str) -> Any:
    """EQ, NE, LT, LE, GT or GE of two values, as i1."""
    return b.emit("compare", x, y, comparison_direction=direction)


def is_narrow(dtype: np.dtype) -> bool:
    """f16 and bf16: IREE rounds in other places than XLA, so such functions go through f32."""
    return kind_of(dtype) == "f" and dtype.itemsize == 2


def in_f32(b: Any, name: str, *xs: Any, **params: Any) -> Any:
    """An op on operands of half precision, by itself on f32; the result in their dtype."""
    wide = [b.convert(x, dtype=_F32) for x in xs]
    return b.convert(b.bind(_op(name), *wide, **params), dtype=b.aval(xs[0]).dtype)


def in_shape(b: Any, x: Any, shape: tuple[int, ...]) -> Any:
    """x reshaped, where it has another shape."""
    return x if b.aval(x).shape == shape else b.reshape(x, shape=shape)


def signed_bits(a: Aval) -> Aval:
    """Signed integers as wide as the elements."""
    return a.update(dtype=np.dtype(f"i{a.dtype.itemsize}"), weak_type=False)


def is_negative(b: Any, x: Any) -> Any:
    """The sign bit: true also for -0."""
    bits = signed_bits(b.aval(x))
    return compare(b, b.bitcast_convert(x, dtype=bits.dtype), b.full(bits, 0), "LT")


def negated_if(b: Any, condition: Any, x: Any) -> Any:
    """-x where the condition holds, else x."""
    return b.emit("select", condition, b.negate(x), x)


def polynomial(b: Any, x: Any, coefficients: Sequence[float], a: Aval) -> Any:
    """coefficients[0] + coefficients[1] x + ..., by Horner's rule, in the dtype of a."""
    result = b.full(a, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = b.add(b.multiply(result, x), b.full(a, c))
    return result


# ---- elementwise ---------------------------------------------------------------------------------------------


#: B_2j / (2j)! for j = 1 .. 8: the corrections of the Euler-Maclaurin sum (Abramowitz and Stegun 23.2.9 and 3.6.28)
_BERNOULLI = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
)
#: terms summed directly before the corrections: then the first neglected one is below 1e-15 for q > 0
_ZETA_TERMS = 10


@legalize("zeta")
def zeta(b: Any, x: Any, q: Any) -> Any:
    """Hurwitz zeta by Euler-Maclaurin. IREE's expansion goes through its power, NaN for negative q."""
    a = b.aval(x)
    if is_narrow(a.dtype):
        return in_f32(b, "zeta", x, q)
    one, zero = b.full(a, 1), b.full(a, 0)
    minus_x = b.negate(x)
    total, at = zero, q
    for _ in range(_ZETA_TERMS):
        total = b.add(total, b.power(at, minus_x))
        at = b.add(at, one)
    last = b.power(at, minus_x)
    total = b.add(total, b.divide(b.multiply(last, at), b.subtract(x, one)))
    total = b.add(total, b.multiply(last, b.full(a, 0.5)))
    factor, falling = x, b.divide(last, at)
    for j, coefficient in enumerate(_BERNOULLI):
        total = b.add(total, b.multiply(b.multiply(factor, falling), b.full(a, coefficient)))
        for k in (2 * j + 1, 2 * j + 2):
            factor = b.multiply(factor, b.add(x, b.full(a, k)))
        falling = b.divide(falling, b.multiply(at, at))
    infinity, nan = b.full(a, np.inf), b.full(a, np.nan)
    total = b.emit("select", compare(b, x, one, "LT"), nan, total)
    pole = b.emit("and", compare(b, q, zero, "LE"), compare(b, b.floor(q), q, "EQ"))
    even = compare(b, b.remainder(x, b.full(a, 2)), zero, "EQ")
    total = b.emit("select", pole, b.emit("select", even, infinity, nan), total)
    return b.emit("select", compare(b, x, one, "EQ"), infinity, total)


@legalize("polygamma")
def polygamma(b: Any, n: Any, x: Any) -> Any:
    """(-1)^(n+1) n! zeta(n + 1, x), and digamma for n = 0 (Abramowitz and Stegun 6.4.10); NaN for other orders."""
    a = b.aval(x)
    if is_narrow(a.dtype):
        return in_f32(b, "polygamma", n, x)
    one, two = b.full(a, 1), b.full(a, 2)
    order = b.add(n, one)
    odd = compare(b, b.remainder(n, two), b.full(a, 0), "EQ")  # n + 1 is, also where it is rounded to n
    value = b.multiply(b.exponential(b.lgamma(order)), b.zeta(order, x))
    value = b.emit("select", odd, b.negate(value), value)
    zero = b.full(a, 0)
    value = b.emit("select", compare(b, n, zero, "EQ"), b.digamma(x), value)
    whole = b.emit("and", compare(b, b.floor(n), n, "EQ"), compare(b, n, zero, "GE"))
    return b.emit("select", whole, value, b.full(a, np.nan))


@legalize("digamma")
def digamma(b: Any, x: Any) -> Any:
    """NaN at the poles; IREE gives an infinity at zero."""
    a = b.aval(x)
    return b.emit("select", compare(b, x, b.full(a, 0), "EQ"), b.full(a, np.nan), b.emit("digamma", x))


@legalize("constant")
def constant(b: Any, value: Any) -> Any:
    """A complex constant that is returned kills the compiler (SIGFPE): made of its two parts."""
    if value.aval.dtype.kind != "c":
        return NotImplemented
    parts = [
        Literal(value.aval.update(dtype=part.dtype), np.ascontiguousarray(part))
        for part in (value.data.real, value.data.imag)
    ]
    return b.complex(*[b.emit("constant", value=p) for p in parts])


# ---- data movement -------------------------------------------------------------------------------------------


@legalize("reverse")
def reverse(b: Any, x: Any, dimensions: tuple[int, ...]) -> Any:
    """IREE refuses a reversal of no dimension, and fails on some of unsigned operands: their bits are moved as signed."""
    a = b.aval(x)
    if not dimensions:
        return x
    if a.dtype.kind != "u":
        return NotImplemented
    moved = b.bitcast_convert(x, dtype=np.dtype(f"i{a.dtype.itemsize}"))
    return b.bitcast_convert(b.emit("reverse", moved, dimensions=dimensions), dtype=a.dtype)


@legalize("pad")
def pad(b: Any, x: Any, value: Any, **padding: Any) -> Any:
    """Complex numbers by their parts: IREE pads them with zeros, or dies, where the padding is fused with a slice.

    Elements of eight bytes are padded with zeros, and what is padded is chosen: see `wide_fills.py`.
    """
    a = b.aval(x)
    if a.dtype.kind == "c":
        return b.complex(*[b.pad(part(x), part(value), **padding) for part in (b.real, b.imag)])
    if a.dtype.itemsize <= WIDEST_FILL or is_zero(value):
        return NotImplemented
    padded = b.emit("pad", x, b.full(a.update(shape=()), 0), **padding)
    inside = _inside(b, a.shape, b.aval(padded).shape, **padding)
    if inside is None:
        return padded
    return b.emit(
        "select", inside, padded, b.broadcast_in_dim(value, shape=b.aval(padded).shape, broadcast_dimensions=())
    )


def _inside(
    b: Any,
    shape: Sequence[int],
    padded: tuple[int, ...],
    edge_padding_low: Sequence[int],
    edge_padding_high: Sequence[int],
    interior_padding: Sequence[int],
) -> Any:
    """Where a padding's result holds elements of its operand; None for everywhere."""
    numbers = aval(padded, _I32)
    tests = []
    for axis, (n, low, high, gap) in enumerate(zip(shape, edge_padding_low, edge_padding_high, interior_padding)):
        if max(low, high, gap) <= 0:
            continue
        place = b.iota(shape=padded, dtype=_I32, iota_dimension=axis)
        behind = low + max(0, n + (n - 1) * gap)
        tests += [compare(b, place, b.full(numbers, low), "GE"), compare(b, place, b.full(numbers, behind), "LT")]
        if gap:
            steps = b.remainder(b.subtract(place, b.full(numbers, low)), b.full(numbers, gap + 1))
            tests.append(compare(b, steps, b.full(numbers, 0), "EQ"))
    return functools.reduce(functools.partial(b.emit, "and"), tests) if tests else None


@legalize("bitcast_convert")
def bitcast_convert(b: Any, x: Any, dtype: np.dtype) -> Any:
    """Complex numbers, which kill the compiler, by their parts, as real numbers side by side."""
    a = b.aval(x)
    if a.dtype == dtype:
        return x
    if a.dtype.kind != "c":
        return NotImplemented
    part = np.dtype(f"f{dtype.itemsize // 2}")
    if dtype.itemsize < a.dtype.itemsize:  # each part is a number of the narrower dtype
        halves = [b.bitcast_convert(p, dtype=part) for p in (b.real(x), b.imag(x))]
        numbers = _side_by_side(b, halves, a.ndim)
    else:
        numbers = b.bitcast_convert(_side_by_side(b, [b.real(x), b.imag(x)], a.ndim), dtype=part)
    return b.complex(*[_last(b, numbers, k) for k in (0, 1)])


def _side_by_side(b: Any, xs: Sequence[Any], axis: int) -> Any:
    """Two values along a new axis."""
    shape = b.aval(xs[0]).shape
    return b.concatenate(*[b.reshape(x, shape=(*shape[:axis], 1, *shape[axis:])) for x in xs], dimension=axis)


def _last(b: Any, x: Any, k: int) -> Any:
    """Position k of the last axis."""
    shape = b.aval(x).shape[:-1]
    start, limit = (0,) * len(shape), shape
    piece = b.slice(x, start_indices=(*start, k), limit_indices=(*limit, k + 1), strides=(1,) * (len(shape) + 1))
    return b.reshape(piece, shape=shape)


def _op(name: str) -> Any:
    return OPS[name]


# ---- contraction ---------------------------------------------------------------------------------------------


def extended(b: Any, x: Any, dtype: np.dtype) -> Any:
    """An unsigned operand in the dtype of the sum: IREE extends it as a signed one."""
    a = b.aval(x)
    return b.convert(x, dtype=dtype) if a.dtype.kind in "ub" and a.dtype != dtype else x


@legalize("dot_general")
def dot_general(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """An empty contraction kills the compiler (SIGFPE): its sum is zero. f16 and bf16 are summed in f32, as by XLA.

    So are booleans, whose sums IREE takes modulo 2 where there are batches. On CPUs as a contraction of f32: that of bf16 is
    slower.
    """
    op = _op("dot_general")
    out = op.type(b.aval(lhs), b.aval(rhs), **params)
    wide = [extended(b, x, out.dtype) for x in (lhs, rhs)]
    if wide != [lhs, rhs]:
        return b.bind(op, *wide, **params)
    if b.aval(lhs).size == 0 or b.aval(rhs).size == 0:
        return b.full(out, 0)
    if out.dtype == np.bool_:
        counts = [b.convert(x, dtype=_F32) for x in (lhs, rhs)]
        found = b.bind(op, *counts, **{**params, "preferred_element_type": _F32})
        return b.compare(found, b.full(out.update(dtype=_F32), 0), comparison_direction="NE")
    if not is_narrow(out.dtype):
        return NotImplemented
    if b.platform == "cpu":
        lhs, rhs = (b.convert(x, dtype=_F32) for x in (lhs, rhs))
    return b.convert(b.bind(op, lhs, rhs, **{**params, "preferred_element_type": _F32}), dtype=out.dtype)


__all__ = ["legalize", "platforms_of", "rules_of"]
