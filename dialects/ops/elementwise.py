"""Arithmetic: add subtract multiply divide remainder power maximum minimum atan2 negate abs sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sable.ir.codec import INT
from sable.ir.eager import per_element
from sable.ir.native_form import for_reals, loops
from sable.ir.op import LINEAR, Linear, Traits, defop

from . import complex_functions
from .nary import like, nary, negated_tangent, same_tangent, square_of, to_real, transcendental
from .rules import elementwise, sample
from .samples import SIGNED, UNSIGNED, bool_samples, complexes, float_samples, integer_samples, together

#: the kinds of dtype that have arithmetic (booleans have none)
NUMBERS = "iufc"

# ---- linear ones -------------------------------------------------------------------------------------------

add = defop(
    "add",
    operands=("lhs", "rhs"),
    type=nary("add", NUMBERS),
    ref=np.add,
    jvp={"lhs": Linear(same_tangent), "rhs": Linear(same_tangent)},
    transpose={"lhs": lambda b, ct, avals, *_: ct, "rhs": lambda b, ct, avals, *_: ct},
    batch=elementwise,
    samples=together(float_samples(2, complex=True), integer_samples(2)),
)

subtract = defop(
    "subtract",
    operands=("lhs", "rhs"),
    type=nary("sub", NUMBERS),
    ref=np.subtract,
    jvp={"lhs": Linear(same_tangent), "rhs": Linear(negated_tangent)},
    transpose={"lhs": lambda b, ct, avals, *_: ct, "rhs": lambda b, ct, avals, *_: b.negate(ct)},
    batch=elementwise,
    samples=together(float_samples(2, complex=True), integer_samples(2)),
)

multiply = defop(
    "multiply",
    operands=("lhs", "rhs"),
    type=nary("mul", NUMBERS),
    ref=np.multiply,
    jvp={"lhs": LINEAR, "rhs": LINEAR},
    transpose={
        "lhs": lambda b, ct, avals, lhs, rhs: b.multiply(ct, rhs),
        "rhs": lambda b, ct, avals, lhs, rhs: b.multiply(lhs, ct),
    },
    batch=elementwise,
    samples=together(float_samples(2, complex=True), integer_samples(2)),
)

negate = defop(
    "negate",
    operands=("operand",),
    type=nary("neg", NUMBERS),
    ref=np.negative,
    jvp={"operand": LINEAR},
    transpose={"operand": lambda b, ct, avals, operand: b.negate(ct)},
    batch=elementwise,
    samples=together(float_samples(complex=True), integer_samples()),
)

# ---- division ----------------------------------------------------------------------------------------------


def _divide_integers(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # XLA: x / 0 has all bits set, INT_MIN / -1 is INT_MIN; the quotient is truncated, NumPy's is floored
    none = y == 0
    y = np.where(none, y.dtype.type(1), y)
    quotient = np.floor_divide(np.subtract(x, np.fmod(x, y)), y)
    return np.where(none, np.invert(np.zeros_like(quotient)), quotient)


@loops(for_reals(np.divide))
def _divide(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return _divide_integers(x, y) if x.dtype.kind in "iu" else np.divide(x, y)


@loops(for_reals(np.fmod))
def _remainder(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # the sign of the dividend (C's fmod); x % 0 = x for integers
    remainder = np.fmod(x, y)
    return np.where(y == 0, x, remainder) if x.dtype.kind in "iu" else remainder


def _divide_jvp_rhs(b: Any, t: Any, y: Any, lhs: Any, rhs: Any) -> Any:
    # d(x / y) = -(x / y) / y dy, from the result: y**2 would overflow early
    return b.multiply(t, b.negate(b.divide(y, rhs)))


def _remainder_jvp_rhs(b: Any, t: Any, y: Any, lhs: Any, rhs: Any) -> Any:
    # x = q y + r with the integer q = trunc(x / y), so dr = -q dy; (x - r) / y is q but for rounding
    q = b.round_nearest_even(b.divide(b.subtract(lhs, y), rhs))
    return b.multiply(t, b.negate(q))


_quotient = complex_functions.reference(_divide, complex_functions.divide, largest=1e9)

divide = defop(
    "divide",
    operands=("lhs", "rhs"),
    type=nary("div", NUMBERS),
    ref=complex_functions.reference(_divide, complex_functions.divide, largest=1e9),
    lower=complex_functions.divide,
    jvp={"lhs": LINEAR, "rhs": _divide_jvp_rhs},
    transpose={"lhs": lambda b, ct, avals, lhs, rhs: b.divide(ct, rhs)},
    batch=elementwise,
    samples=together(float_samples(2, complex=True, loosen=4), integer_samples(2)),
    traits=Traits(cost=8),
)

remainder = defop(
    "remainder",
    operands=("lhs", "rhs"),
    type=nary("rem", "iuf"),
    ref=_remainder,
    jvp={"lhs": same_tangent, "rhs": _remainder_jvp_rhs},
    transpose={},
    batch=elementwise,
    samples=together(float_samples(2, loosen=4), integer_samples(2)),
    traits=Traits(cost=8),
)

# ---- power -------------------------------------------------------------------------------------------------


def _power_integers(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # modulo 2**width; x**-n is 0 save for x = 1 and x = -1
    if x.dtype.kind == "u":
        return np.power(x, y)
    one = x.dtype.type(1)
    inverse = np.where(x == one, one, np.where(x == -one, np.where(y & one, -one, one), x.dtype.type(0)))
    return np.where(y < 0, inverse, np.power(x, np.maximum(y, 0)))


def _power_complex(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # complex64 by complex128: the exponent's rounding errors grow with its size
    wide = x.astype(np.complex128), y.astype(np.complex128)
    return complex_functions.power(complex_functions.NUMPY, *wide).astype(x.dtype)


@loops(for_reals(np.power))
def _power(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kind = x.dtype.kind
    if kind in "iu":
        return _power_integers(x, y)
    return _power_complex(x, y) if kind == "c" else np.power(x, y)


def _power_jvp_lhs(b: Any, t: Any, y: Any, lhs: Any, rhs: Any) -> Any:
    # y x**(y - 1), with nothing special at y = 0: a choice there would lose the derivative in y of this one
    return b.multiply(t, b.multiply(rhs, b.power(lhs, b.subtract(rhs, like(b, rhs, 1)))))


def _power_jvp_rhs(b: Any, t: Any, y: Any, lhs: Any, rhs: Any) -> Any:
    # x**y log x; log 0 is replaced by log 1, so that d(0**y)/dy = 0 (as JAX has it)
    zero, one = like(b, lhs, 0), like(b, lhs, 1)
    base = b.select(b.compare(lhs, zero, comparison_direction="EQ"), one, lhs)
    return b.multiply(t, b.multiply(b.log(base), y))


def _integer_powers() -> list:
    # small exponents: XLA is wrong at 7**255 in uint8 and the like, where a result modulo 2**width is meant
    found = []
    for dtype in SIGNED + UNSIGNED:
        base = np.array([0, 1, 2, 7, np.iinfo(dtype).max], dtype)
        x, y = (g.reshape(-1) for g in np.meshgrid(base, np.arange(7).astype(dtype)))
        found.append(sample(x, y, rtol=0, atol=0, grad=False, why="integers"))
    return found


def _power_samples() -> list:
    base, exponent = np.array([0.0, 0.0, 2.0, 3.0, 0.0]), np.array([0.0, 1.0, 0.0, -2.0, 2.5])
    return [
        *float_samples(2, 0.2, 2.5, loosen=4)(),
        sample(np.float32([-2, -2, -1.5]), np.float32([2, -3, 0]), grad=False, why="x**y for x < 0 has no dy"),
        sample(base, exponent, rtol=1e-10, grad=False, why="one-sided at 0"),
        sample(complexes(seed=1), complexes(seed=2), rtol=1e-4, atol=1e-5),
        *_integer_powers(),
        sample(np.int32([1, -1, -1, 2, -3]), np.int32([-3, -3, -2, -1, 5]), grad=False, why="integers"),
    ]


power = defop(
    "power",
    operands=("lhs", "rhs"),
    type=nary("pow", NUMBERS),
    ref=_power,
    lower=complex_functions.power,
    jvp={"lhs": _power_jvp_lhs, "rhs": _power_jvp_rhs},
    transpose={},
    batch=elementwise,
    samples=_power_samples,
    traits=transcendental(20),
)

# ---- integer_pow -------------------------------------------------------------------------------------------


def powers(multiply: Callable, x: Any, n: int) -> Any:
    """x**n for n > 0 by repeated squaring."""
    found = None
    while n:
        if n & 1:
            found = x if found is None else multiply(found, x)
        n >>= 1
        if n:
            x = multiply(x, x)
    return found


def _integer_pow(operand: np.ndarray, y: int) -> np.ndarray:
    power = powers(np.multiply, operand, abs(y)) if y else np.ones_like(operand)
    return _divide(operand.dtype.type(1), power) if y < 0 else power


def _integer_pow_lower(b: Any, operand: Any, y: int) -> Any:
    one = like(b, operand, 1)
    power = powers(b.multiply, operand, abs(y)) if y else one
    return b.divide(one, power) if y < 0 else power


def _integer_pow_jvp(b: Any, t: Any, _: Any, operand: Any, y: int) -> Any:
    # y x**(y - 1) itself: the derivative of the quotient 1 / x**n has squares that leave the range early
    if y == 0:
        return None
    return b.multiply(t, b.multiply(like(b, operand, y), b.integer_pow(operand, y=y - 1)))


def _integer_pow_samples() -> list:
    smooth = float_samples(low=0.4, high=2, complex=True, loosen=8)()
    found = [replace(s, params={"y": n}) for n in (-3, -2, 4) for s in smooth]
    edges = np.float32([0, -0.0, 1e-10, 1e7, -1e7, np.inf, np.nan])
    return [*found, sample(edges, y=-3, grad=False, why="not finite"), sample(edges, y=0, grad=False, why="constant")]


#: x**y for a whole number y that is known.
integer_pow = defop(
    "integer_pow",
    dialect="sable",
    operands=("operand",),
    params={"y": INT},
    type=nary("integer_pow", "fc"),
    ref=_integer_pow,
    jvp={"operand": _integer_pow_jvp},
    transpose={},
    batch=elementwise,
    samples=_integer_pow_samples,
    lower=_integer_pow_lower,
)

# ---- order -------------------------------------------------------------------------------------------------


def _share(b: Any, y: Any, mine: Any, other: Any) -> Any:
    # 1 for the operand that won, 1/2 for both at a tie, 0 for the one that lost (and for NaN)
    zero, half, one = (like(b, y, v) for v in (0, 0.5, 1))
    tie = b.select(b.compare(other, y, comparison_direction="EQ"), half, one)
    return b.select(b.compare(mine, y, comparison_direction="EQ"), tie, zero)


_CHOICE = {
    "lhs": lambda b, t, y, lhs, rhs: b.multiply(t, _share(b, y, lhs, rhs)),
    "rhs": lambda b, t, y, lhs, rhs: b.multiply(t, _share(b, y, rhs, lhs)),
}


def _of_reals_or(ufunc: np.ufunc, expansion: Callable) -> Callable:
    # a NumPy function save for complex numbers
    @loops(lambda *dtypes: None if dtypes[0].kind == "c" else ufunc)
    def ref(*operands: np.ndarray) -> np.ndarray:
        return expansion(complex_functions.NUMPY, *operands) if operands[0].dtype.kind == "c" else ufunc(*operands)

    return ref


def _choice_samples() -> list:
    tied = np.float64([1, 2, 3])
    return [
        *float_samples(2, complex=True)(),
        *integer_samples(2)(),
        *bool_samples(2)(),
        sample(tied, tied[::-1].copy(), grad=False, why="a tie: half of the derivative to each"),
    ]


maximum = defop(
    "maximum",
    operands=("lhs", "rhs"),
    type=nary("max", "iufcb"),
    ref=_of_reals_or(np.maximum, complex_functions.maximum),
    lower=complex_functions.maximum,
    jvp=_CHOICE,
    transpose={},
    batch=elementwise,
    samples=_choice_samples,
)

minimum = defop(
    "minimum",
    operands=("lhs", "rhs"),
    type=nary("min", "iufcb"),
    ref=_of_reals_or(np.minimum, complex_functions.minimum),
    lower=complex_functions.minimum,
    jvp=_CHOICE,
    transpose={},
    batch=elementwise,
    samples=_choice_samples,
)

# ---- atan2 -------------------------------------------------------------------------------------------------


@loops(for_reals(np.arctan2))
def _atan2(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    if x.dtype.kind != "c":
        return np.arctan2(y, x)
    # atan2(y, x) = -i log((x + i y) / sqrt(x**2 + y**2))
    return np.multiply(x.dtype.type(-1j), np.log((x + x.dtype.type(1j) * y) / np.sqrt(x * x + y * y)))


def _over_norm(b: Any, numerator: Any, lhs: Any, rhs: Any) -> Any:
    return b.divide(numerator, b.add(square_of(b, lhs), square_of(b, rhs)))


atan2 = defop(
    "atan2",
    operands=("lhs", "rhs"),
    type=nary("atan2", "fc"),
    ref=_atan2,
    jvp={  # d atan2(y, x) = (x dy - y dx) / (x**2 + y**2)
        "lhs": lambda b, t, y, lhs, rhs: b.multiply(t, _over_norm(b, rhs, lhs, rhs)),
        "rhs": lambda b, t, y, lhs, rhs: b.multiply(t, _over_norm(b, b.negate(lhs), lhs, rhs)),
    },
    transpose={},
    batch=elementwise,
    eager=per_element(75),
    samples=float_samples(2, complex=True, loosen=4),
    traits=transcendental(10),
)

# ---- abs, sign ---------------------------------------------------------------------------------------------


def _abs_jvp(b: Any, t: Any, y: Any, operand: Any) -> Any:
    if b.aval(operand).dtype.kind == "c":
        # d|z| = Re(dz conj(z)) / |z|, and 0 at z = 0
        length = b.select(b.compare(y, like(b, y, 0), comparison_direction="EQ"), like(b, y, 1), y)
        product = b.add(b.multiply(b.real(t), b.real(operand)), b.multiply(b.imag(t), b.imag(operand)))
        return b.divide(product, length)
    # +1 at 0, as JAX has it
    positive = b.compare(operand, like(b, operand, 0), comparison_direction="GE")
    return b.multiply(t, b.select(positive, like(b, t, 1), like(b, t, -1)))


abs_ = defop(
    "abs",
    operands=("operand",),
    type=nary("abs", "ifc", to_real),
    ref=complex_functions.reference(np.absolute, complex_functions.modulus),
    lower=complex_functions.modulus,
    jvp={"operand": _abs_jvp},
    transpose={},
    batch=elementwise,
    samples=together(float_samples(complex=True), integer_samples(unsigned=False)),
)


def _sign(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind == "i":
        return np.sign(x)
    if x.dtype.kind == "c":
        return complex_functions.sign(complex_functions.NUMPY, x)
    return np.copysign(np.sign(x), x)  # the sign of zero stays


sign = defop(
    "sign",
    operands=("operand",),
    type=nary("sign", "ifc"),
    ref=_sign,
    lower=complex_functions.sign,
    jvp=None,
    transpose={},
    batch=elementwise,
    samples=together(float_samples(complex=True, kinks="constant pieces"), integer_samples(unsigned=False)),
)
