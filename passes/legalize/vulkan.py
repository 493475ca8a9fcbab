"""What Vulkan devices compute wrongly or not at all: rewritten, or refused by name before the compiler sees it.

SPIR-V's extended instructions (sin, exp, pow ...) have no 64-bit forms, `OpFRem` is as exact as a division in floating
point, `OpSRem` leaves open what a negative operand means, and IREE emits some conversions that its own verifier rejects.
The generated test `tests/dialects/ops/test_vulkan.py` compares every op with its reference on a Vulkan device.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.dialects.ops.rules import kind_of
from sable.ir.aval import Aval
from sable.ir.bindings import ir
from sable.ir.op import OPS

from .rules import compare, legalize

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_I32, _U32 = np.dtype(np.int32), np.dtype(np.uint32)
_COMPLEX64, _COMPLEX128 = np.dtype(np.complex64), np.dtype(np.complex128)

#: Ops whose expansion begins with an array of zeros that a loop fills.
_FILLING = ["cholesky", "eig", "eigh", "schur", "svd", "triangular_solve"]
_NO_F64_FUNCTIONS = "SPIR-V has no transcendental functions of 64-bit floats"

#: (op, dtype) -> why Vulkan devices cannot compute it.
REFUSED: dict[tuple[str, np.dtype], str] = {
    **{
        (name, dtype): _NO_F64_FUNCTIONS
        for name, op in OPS.items()
        if op.traits.transcendental
        for dtype in (_F64, _COMPLEX128)
    },
    **{(name, _COMPLEX128): _NO_F64_FUNCTIONS for name in ("sqrt", "rsqrt")},
    **{(name, _COMPLEX128): "IREE cannot fill a buffer with elements of 128 bits" for name in _FILLING},
    ("remainder", _F64): "SPIR-V's remainder is not exact, and no integers are wide enough to compute that of f64 with",
}


def refusal(op_name: str, avals: Any) -> str | None:
    """Why Vulkan devices cannot compute the op on such operands; None if they can."""
    for a in avals:
        why = REFUSED.get((op_name, a.dtype))
        if why is not None:
            return why
    return None


def refuse(b: Any, op_name: str, avals: Any) -> None:
    """Stop where the op cannot be computed.

    Raises:
      NotImplementedError: the dtype is refused; names op, dtype, device and the user's line.
    """
    why = refusal(op_name, avals)
    if why is None:
        return
    dtypes = ", ".join(a.dtype.name for a in avals)
    raise NotImplementedError(
        f"{op_name} of {dtypes} cannot be computed on a Vulkan device: {why}. Convert to float32 (or complex64), or move "
        f"the arrays to the CPU with device_put.\n  at {b.location}"
    )


def _refusing(name: str) -> None:
    @legalize(name, "vulkan")
    def rule(b: Any, *operands: Any, **params: Any) -> Any:
        refuse(b, name, [b.aval(x) for x in operands])
        return NotImplemented


#: Ops that check for themselves, having more to do on Vulkan.
_OWN_RULES = {"remainder", "sine", "cosine", "tan"}

for _name in sorted({name for name, _ in REFUSED} - _OWN_RULES):
    _refusing(_name)


# ---- integers ------------------------------------------------------------------------------------------------


@legalize("count_leading_zeros", "vulkan")
def count_leading_zeros(b: Any, x: Any) -> Any:
    """SPIR-V finds the highest bit of 32-bit integers only: narrower ones are widened, wider ones are halved."""
    a = b.aval(x)
    bits = 8 * a.dtype.itemsize
    if bits == 32:
        return NotImplemented
    unsigned = a.update(dtype=np.dtype(f"u{a.dtype.itemsize}"), weak_type=False)
    pattern = x if a.dtype == unsigned.dtype else b.bitcast_convert(x, dtype=unsigned.dtype)
    word = unsigned.update(dtype=_U32)

    def leading(value: Any) -> Any:
        return b.emit("count_leading_zeros", b.emit("convert", value, dtype=_U32))

    if bits < 32:
        count = b.emit("subtract", leading(pattern), b.full(word, 32 - bits))
    else:
        high = b.emit("shift_right_logical", pattern, b.full(unsigned, 32))
        low = b.emit("and", pattern, b.full(unsigned, 0xFFFFFFFF))
        below = b.emit("add", leading(low), b.full(word, 32))
        count = b.emit("select", compare(b, high, b.full(unsigned, 0), "EQ"), below, leading(high))
    return b.emit("convert", count, dtype=a.dtype)


@legalize("remainder", "vulkan")
def remainder(b: Any, x: Any, y: Any) -> Any:
    """Exact, with the sign of x. Integers: x modulo 0 is x, as on the CPU."""
    a = b.aval(x)
    refuse(b, "remainder", [a])
    if kind_of(a.dtype) != "f":
        return _integer_remainder(b, x, y, a)
    if a.dtype != _F32:  # the remainder of two f16 or bf16 numbers is one, so f32 does not round
        return b.convert(b.remainder(b.convert(x, dtype=_F32), b.convert(y, dtype=_F32)), dtype=a.dtype)
    literal = _literal_of(b, y)
    if literal is not None and _is_simple_divisor(literal.numpy()):
        return _remainder_by_floor(b, x, y, a)
    return _float_remainder(b, x, y, a)


def _integer_remainder(b: Any, x: Any, y: Any, a: Aval) -> Any:
    """By unsigned magnitudes: what SPIR-V's signed remainder gives for negative operands depends on the device."""
    unsigned = a.update(dtype=np.dtype(f"u{a.dtype.itemsize}"), weak_type=False)
    zero = b.full(unsigned, 0)
    by_zero = compare(b, y, b.full(a, 0), "EQ")
    if a.dtype.kind == "u":
        return b.emit("select", by_zero, x, b.emit("remainder", x, b.emit("select", by_zero, b.full(a, 1), y)))
    size, divisor = (b.bitcast_convert(b.abs(v), dtype=unsigned.dtype) for v in (x, y))
    divisor = b.emit("select", compare(b, divisor, zero, "EQ"), b.full(unsigned, 1), divisor)
    rest = b.bitcast_convert(b.emit("remainder", size, divisor), dtype=a.dtype)
    rest = b.emit("select", compare(b, x, b.full(a, 0), "LT"), b.negate(rest), rest)
    return b.emit("select", by_zero, x, rest)


def _literal_of(b: Any, y: Any) -> Any:
    """The literal that y is, perhaps broadcast."""
    while not isinstance(y, ir.BlockArgument) and y.owner.name == "stablehlo.broadcast_in_dim":
        y = y.owner.operands[0]
    return b.literal_of(y)


#: Powers of two between these divide any f32 below 2^100 or so without rounding; larger quotients are whole numbers.
_SIMPLE_DIVISORS = [2.0**k for k in range(-20, 21)]


def _is_simple_divisor(values: np.ndarray) -> bool:
    return values.size > 0 and bool(np.all(np.isin(np.abs(values), _SIMPLE_DIVISORS)))


def _remainder_by_floor(b: Any, x: Any, y: Any, a: Aval) -> Any:
    """|x| - |y| floor(|x| / |y|): exact for powers of two. Huge |x| are multiples of |y|, infinite ones give NaN."""
    magnitude, divisor = b.abs(x), b.abs(y)
    rest = b.subtract(magnitude, b.multiply(divisor, b.floor(b.divide(magnitude, divisor))))
    rest = b.emit("select", compare(b, magnitude, b.full(a, 2.0**60), "GE"), b.multiply(b.full(a, 0), magnitude), rest)
    return b.emit("select", _is_negative(b, x, a), b.negate(rest), rest)


def _is_negative(b: Any, x: Any, a: Aval) -> Any:
    return compare(b, b.bitcast_convert(x, dtype=_I32), b.full(a.update(dtype=_I32), 0), "LT")


#: f32: bits of the significand without the leading one, and the exponent of the last place of subnormal numbers.
_FRACTION_BITS, _LEAST_EXPONENT = 23, -149
#: Exponents of last places differ by at most 254 - 1; a 24-bit rest times 2^8 fits in 32 bits.
_EXPONENT_SPAN, _CHUNK_BITS = 253, 8


def _float_remainder(b: Any, x: Any, y: Any, a: Aval) -> Any:
    """(X 2^n mod Y) 2^e, for |x| = X 2^(e+n) and |y| = Y 2^e with integers X, Y < 2^24, computed 8 bits at a time.

    For n < 0 the answer is x mod y with |x| < |y| ulps apart: then X is shifted down instead, and what falls out is kept
    by returning x itself where |x| < |y| (the only case in which n < 0, Y having its leading bit).
    """
    word, signed = a.update(dtype=_U32, weak_type=False), a.update(dtype=_I32, weak_type=False)
    magnitude, divisor = b.abs(x), b.abs(y)
    (rest, high), (modulus, low) = (_significand(b, v, word, signed) for v in (magnitude, divisor))
    left = b.emit("convert", b.emit("maximum", b.subtract(high, low), b.full(signed, 0)), dtype=_U32)
    zero, chunk = b.full(word, 0), b.full(word, _CHUNK_BITS)
    some_divisor = compare(b, modulus, zero, "NE")
    modulus = b.emit("maximum", modulus, b.full(word, 1))
    rest = b.emit("remainder", rest, modulus)
    for _ in range(-(-_EXPONENT_SPAN // _CHUNK_BITS)):
        step = b.emit("minimum", left, chunk)
        rest = b.emit("remainder", b.emit("shift_left", rest, step), modulus)
        left = b.emit("subtract", left, step)
    exact = _times_power_of_two(b, b.emit("convert", rest, dtype=_F32), low, a, signed)
    exact = b.emit("select", compare(b, rest, zero, "EQ"), b.full(a, 0), exact)
    exact = b.emit("select", compare(b, magnitude, divisor, "LT"), magnitude, exact)
    exact = b.emit("select", _is_negative(b, x, a), b.negate(exact), exact)
    numbers = b.emit("and", compare(b, magnitude, b.full(a, np.inf), "LT"), compare(b, divisor, divisor, "EQ"))
    return b.emit("select", b.emit("and", numbers, some_divisor), exact, b.full(a, np.nan))


def _significand(b: Any, magnitude: Any, word: Aval, signed: Aval) -> tuple[Any, Any]:
    """Integers X, e with X 2^e = magnitude."""
    pattern = b.bitcast_convert(magnitude, dtype=_U32)
    fraction = b.emit("and", pattern, b.full(word, (1 << _FRACTION_BITS) - 1))
    exponent = b.emit("shift_right_logical", pattern, b.full(word, _FRACTION_BITS))
    normal = compare(b, exponent, b.full(word, 0), "GT")
    leading = b.emit("or", fraction, b.full(word, 1 << _FRACTION_BITS))
    whole = b.emit("select", normal, leading, fraction)
    steps = b.emit("subtract", b.emit("convert", exponent, dtype=_I32), b.full(signed, 1))
    above = b.emit("select", normal, steps, b.full(signed, 0))
    return whole, b.add(above, b.full(signed, _LEAST_EXPONENT))


def _times_power_of_two(b: Any, x: Any, exponent: Any, a: Aval, signed: Aval) -> Any:
    """x 2^e by two factors, either of them a normal number."""
    half = b.emit("shift_right_arithmetic", exponent, b.full(signed, 1))
    for part in (half, b.subtract(exponent, half)):
        biased = b.add(part, b.full(signed, 127))
        factor = b.bitcast_convert(b.emit("shift_left", biased, b.full(signed, _FRACTION_BITS)), dtype=_F32)
        x = b.multiply(x, factor)
    return x


__all__ = ["REFUSED", "refusal", "refuse"]
