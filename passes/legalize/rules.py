"""Traps of IREE 3.13 that are rewritten before it sees them; the generated tests compare every op with its reference.

`LEGALIZE[op](b, *operands, **params)` gives the op's results in terms that are safe, or NotImplemented where the op can
stay as it is. `b.emit(name, ...)` writes an op past these rules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable.dialects.literal import Literal
from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval

LEGALIZE: dict[str, Callable[..., Any]] = {}
#: Rules for one platform only, by platform and op; they are asked before those of all platforms.
PLATFORM_LEGALIZE: dict[str, dict[str, Callable[..., Any]]] = {}

_F32 = np.dtype(np.float32)


def legalize(name: str, platform: str | None = None) -> Callable:
    """Decorator: register a rule for the op, on all platforms or on one."""
    table = LEGALIZE if platform is None else PLATFORM_LEGALIZE.setdefault(platform, {})

    def register(rule: Callable) -> Callable:
        table[name] = rule
        return rule

    return register


def _compare(b: Any, x: Any, y: Any, direction: str) -> Any:
    return b.emit("compare", x, y, comparison_direction=direction)


def _narrow(dtype: np.dtype) -> bool:
    """f16 and bf16: IREE rounds in other places than XLA, so such functions go through f32."""
    return kind_of(dtype) == "f" and dtype.itemsize == 2


def _signed_bits(a: Aval) -> Aval:
    return a.update(dtype=np.dtype(f"i{a.dtype.itemsize}"), weak_type=False)


# ---- elementwise ---------------------------------------------------------------------------------------------


@legalize("convert")
def convert(b: Any, x: Any, dtype: np.dtype) -> Any:
    """Float to integer: saturating, NaN to 0, as XLA; IREE's result out of range is undefined (LLVM's fptosi)."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f" or kind_of(dtype) not in "iu":
        return NotImplemented
    if a.dtype.itemsize == 2:
        return b.convert(b.emit("convert", x, dtype=_F32), dtype=dtype)
    info = np.iinfo(dtype)
    above = float(2 ** (info.bits - (info.kind == "i")))  # the first float beyond the range: a power of two, so exact
    low, top = b.full(a, float(info.min)), b.full(a, above)
    inside = b.emit("select", _compare(b, x, x, "EQ"), x, b.full(a, 0))
    too_high = _compare(b, inside, top, "GE")
    inside = b.emit("maximum", b.emit("select", too_high, b.full(a, 0), inside), low)
    out = a.update(dtype=dtype)
    return b.emit("select", too_high, b.full(out, info.max), b.emit("convert", inside, dtype=dtype))


@legalize("cbrt")
def cbrt(b: Any, x: Any) -> Any:
    """IREE has no cbrt. sign(x) exp(log|x| / 3), then one step of Newton: y - (y - |x| / y^2) / 3."""
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if _narrow(a.dtype):
        return b.convert(b.cbrt(b.convert(x, dtype=_F32)), dtype=a.dtype)
    magnitude = b.abs(x)
    third = b.full(a, 1.0 / 3.0)
    y = b.exponential(b.multiply(b.log(magnitude), third))
    better = b.subtract(y, b.multiply(b.subtract(y, b.divide(magnitude, b.multiply(y, y))), third))
    # at 0, infinity and NaN the step is not a number, and the argument is the answer
    finite = b.emit("and", b.is_finite(better), _compare(b, magnitude, b.full(a, 0), "GT"))
    return b.emit("select", finite, b.multiply(b.sign(x), better), x)


@legalize("atan2")
def atan2(b: Any, y: Any, x: Any) -> Any:
    """IREE's atan2 is right in the first quadrant only, away from 0/0 and inf/inf: reduced to it by the signs.

    atan2(y, x) = ±a, or ±(π - a) for negative x, with a = atan2(|y|, |x|) and the sign of y.
    """
    a = b.aval(x)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if _narrow(a.dtype):
        return b.convert(b.atan2(b.convert(y, dtype=_F32), b.convert(x, dtype=_F32)), dtype=a.dtype)
    infinity, one, zero = (b.full(a, v) for v in (np.inf, 1, 0))
    up, right = b.abs(y), b.abs(x)
    both = b.emit("and", _compare(b, up, infinity, "EQ"), _compare(b, right, infinity, "EQ"))
    up, right = (b.emit("select", both, one, v) for v in (up, right))
    right = b.emit("select", _compare(b, up, zero, "EQ"), one, right)  # 0/0 and 0/x alike: angle 0
    angle = b.emit("atan2", up, right)
    angle = b.emit("select", _negative(b, x), b.subtract(b.full(a, np.pi), angle), angle)
    angle = b.emit("select", _negative(b, y), b.negate(angle), angle)
    return b.emit("select", b.emit("and", _compare(b, x, x, "EQ"), _compare(b, y, y, "EQ")), angle, b.full(a, np.nan))


def _negative(b: Any, x: Any) -> Any:
    """The sign bit: true also for -0."""
    bits = _signed_bits(b.aval(x))
    return _compare(b, b.bitcast_convert(x, dtype=bits.dtype), b.full(bits, 0), "LT")


@legalize("power")
def power(b: Any, x: Any, y: Any) -> Any:
    """IREE's power is exp(y log x): NaN for negative bases, 0**0 and 1**inf. Cases of IEEE 754-2019, 9.2.1 (pow)."""
    a = b.aval(x)
    if kind_of(a.dtype) in "iu":
        return _integer_power(b, x, y)
    if kind_of(a.dtype) != "f":
        return NotImplemented
    if _narrow(a.dtype):
        return b.convert(b.power(b.convert(x, dtype=_F32), b.convert(y, dtype=_F32)), dtype=a.dtype)
    zero, one = b.full(a, 0), b.full(a, 1)
    magnitude = b.emit("power", b.abs(x), y)
    whole = _compare(b, b.floor(y), y, "EQ")
    odd = b.emit("and", whole, _compare(b, b.remainder(b.abs(y), b.full(a, 2)), one, "EQ"))
    signed = b.emit("select", b.emit("and", _negative(b, x), odd), b.negate(magnitude), magnitude)
    # a finite negative base has no real power that is not whole
    no_root = b.emit("and", b.emit("and", _compare(b, x, zero, "LT"), b.is_finite(x)), b.emit("not", whole))
    signed = b.emit("select", no_root, b.full(a, np.nan), signed)
    to_infinity = b.emit("and", _compare(b, b.abs(x), one, "EQ"), _compare(b, b.abs(y), b.full(a, np.inf), "EQ"))
    is_one = b.emit("or", b.emit("or", _compare(b, y, zero, "EQ"), _compare(b, x, one, "EQ")), to_infinity)
    return b.emit("select", is_one, one, signed)


def _integer_power(b: Any, x: Any, y: Any) -> Any:
    """By squaring, over all bits of the exponent (IREE stops at six). Negative exponents: 1 / x**-y rounded to zero."""
    a = b.aval(x)
    zero, one = b.full(a, 0), b.full(a, 1)
    bits = 8 * a.dtype.itemsize - (a.dtype.kind == "i")
    result, square = one, x
    for k in range(bits):
        bit = b.emit("and", y, b.full(a, 1 << k))
        result = b.emit("select", _compare(b, bit, zero, "NE"), b.multiply(result, square), result)
        if k < bits - 1:
            square = b.multiply(square, square)
    if a.dtype.kind == "u":
        return result
    minus = b.full(a, -1)
    odd = _compare(b, b.emit("and", y, one), zero, "NE")
    of_minus = b.emit("select", odd, minus, one)
    unit = b.emit("select", _compare(b, x, minus, "EQ"), of_minus, zero)
    unit = b.emit("select", _compare(b, x, one, "EQ"), one, unit)
    return b.emit("select", _compare(b, y, zero, "LT"), unit, result)


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
    if _narrow(a.dtype):
        return b.convert(b.zeta(b.convert(x, dtype=_F32), b.convert(q, dtype=_F32)), dtype=a.dtype)
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
    pole = b.emit("and", _compare(b, q, zero, "LE"), _compare(b, b.floor(q), q, "EQ"))
    total = b.emit("select", b.emit("or", pole, _compare(b, x, one, "EQ")), b.full(a, np.inf), total)
    return b.emit("select", _compare(b, x, one, "LT"), b.full(a, np.nan), total)


@legalize("polygamma")
def polygamma(b: Any, n: Any, x: Any) -> Any:
    """(-1)^(n+1) n! zeta(n + 1, x), and digamma for n = 0 (Abramowitz and Stegun 6.4.10); NaN for other orders."""
    a = b.aval(x)
    if _narrow(a.dtype):
        return b.convert(b.polygamma(b.convert(n, dtype=_F32), b.convert(x, dtype=_F32)), dtype=a.dtype)
    one, two = b.full(a, 1), b.full(a, 2)
    order = b.add(n, one)
    odd = _compare(b, b.remainder(order, two), one, "EQ")
    value = b.multiply(b.exponential(b.lgamma(order)), b.zeta(order, x))
    value = b.emit("select", odd, b.negate(value), value)
    zero = b.full(a, 0)
    value = b.emit("select", _compare(b, n, zero, "EQ"), b.digamma(x), value)
    whole = b.emit("and", _compare(b, b.floor(n), n, "EQ"), _compare(b, n, zero, "GE"))
    return b.emit("select", whole, value, b.full(a, np.nan))


@legalize("digamma")
def digamma(b: Any, x: Any) -> Any:
    """NaN at the poles; IREE gives an infinity at zero."""
    a = b.aval(x)
    return b.emit("select", _compare(b, x, b.full(a, 0), "EQ"), b.full(a, np.nan), b.emit("digamma", x))


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


def _on_signless(name: str) -> None:
    """Unsigned operands of an op that only moves data: IREE fails on some, so the bits are moved as signed."""

    @legalize(name)
    def rule(b: Any, *operands: Any, **params: Any) -> Any:
        a = b.aval(operands[0])
        if a.dtype.kind != "u":
            return NotImplemented
        signed = np.dtype(f"i{a.dtype.itemsize}")
        moved = [b.bitcast_convert(x, dtype=signed) if b.aval(x).dtype == a.dtype else x for x in operands]
        return b.bitcast_convert(b.bind(_op(name), *moved, **params), dtype=a.dtype)


def _op(name: str) -> Any:
    from sable.dialects.op import OPS

    return OPS[name]


_on_signless("reverse")
_reverse_signless = LEGALIZE["reverse"]


@legalize("reverse")
def reverse(b: Any, x: Any, dimensions: tuple[int, ...]) -> Any:
    """IREE refuses a reversal of no dimension."""
    return _reverse_signless(b, x, dimensions=dimensions) if dimensions else x


# ---- contraction ---------------------------------------------------------------------------------------------


@legalize("dot_general")
def dot_general(b: Any, lhs: Any, rhs: Any, **params: Any) -> Any:
    """An empty contraction kills the compiler (SIGFPE): its sum is zero. f16 and bf16 are summed in f32, as by XLA."""
    op = _op("dot_general")
    out = op.type(b.aval(lhs), b.aval(rhs), **params)
    if b.aval(lhs).size == 0 or b.aval(rhs).size == 0:
        return b.full(out, 0)
    return NotImplemented


__all__ = ["LEGALIZE", "PLATFORM_LEGALIZE", "legalize"]
