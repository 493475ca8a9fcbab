"""Functions of one float or complex operand: rounding, exponentials, trigonometry, roots; complex parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable.ir.aval import Aval
from sable.ir.bindings import ir
from sable.ir.codec import Codec
from sable.ir.eager import EagerPolicy, per_element
from sable.ir.native_form import for_reals, loops
from sable.ir.op import LINEAR, Linear, Op, Traits, defop

from . import complex_functions
from .nary import (
    KINDS,
    check_kinds,
    like,
    nary,
    one_minus_square,
    slope,
    square_of,
    through_float32,
    to_bool,
    to_complex,
    to_real,
    transcendental,
)
from .rules import elementwise, floats
from .samples import complexes, float_samples, measured

_PLAIN = Traits()


def unary(
    name: str,
    lax_name: str,
    ref: Callable,
    derivative: Callable | None,
    samples: Callable,
    kinds: str = "fc",
    dtype: Callable | None = None,
    eager: EagerPolicy | None = None,
    traits: Traits = _PLAIN,
    expansion: Callable | None = None,
) -> Op:
    """A row of a function of one operand.

    Args:
      name: StableHLO mnemonic.
      lax_name: its name in `jax.lax`, for messages.
      ref: its meaning.
      derivative: `f(b, y, x)`, the derivative in terms of the result and the operand; None where it is zero.
      samples: as in `defop`.
      kinds: kinds of dtype that it takes.
      dtype: result dtype from the operand's.
      eager: as in `defop`.
      traits: as in `defop`.
      expansion: the function of complex numbers by its parts (`complex_functions.py`).
    """
    return defop(
        name,
        operands=("operand",),
        type=nary(lax_name, kinds, dtype),
        ref=complex_functions.reference(ref, expansion) if expansion else ref,
        jvp={"operand": slope(derivative)} if derivative else None,
        transpose={},
        batch=elementwise,
        samples=samples,
        eager=eager,
        traits=traits,
        lower=expansion,
    )


# ---- rounding ----------------------------------------------------------------------------------------------


@through_float32
def _round_nearest_afz(x: np.ndarray) -> np.ndarray:
    # x - trunc(x) is exact, x + 0.5 is not: 0.49999997 + 0.5 = 1
    whole = np.trunc(x)
    away = np.absolute(np.subtract(x, whole)) >= 0.5
    return np.add(whole, np.copysign(away.astype(x.dtype), x))


def _rounding_samples() -> list:
    ties = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 0.49999997, 8388609.0, -0.2], np.float32)
    steps = "piecewise constant"
    return [*float_samples(low=-4, high=4, kinks=steps)(), measured(ties, grad=False, why=steps)]


floor = unary("floor", "floor", np.floor, None, _rounding_samples, "f")
ceil = unary("ceil", "ceil", np.ceil, None, _rounding_samples, "f")
round_nearest_even = unary("round_nearest_even", "round", np.rint, None, _rounding_samples, "f")
round_nearest_afz = unary("round_nearest_afz", "round", _round_nearest_afz, None, _rounding_samples, "f")
is_finite = unary("is_finite", "is_finite", np.isfinite, None, float_samples(kinks="a test"), "f", to_bool)

# ---- exponentials and logarithms ---------------------------------------------------------------------------


_LOGISTIC = ((np.negative, (0,)), (np.exp, (1,)), (np.add, (1.0, 2)), (np.divide, (1.0, 3)))


@loops(for_reals(_LOGISTIC))
@through_float32
def _logistic(x: np.ndarray) -> np.ndarray:
    one = x.dtype.type(1)
    return np.divide(one, np.add(one, np.exp(np.negative(x))))


@loops(for_reals(np.log1p))
def _log_plus_one(x: np.ndarray) -> np.ndarray:
    if x.dtype.kind != "c":
        return np.log1p(x)
    import scipy.special  # 0.15 s: only when wanted

    return scipy.special.log1p(x)  # NumPy's complex log1p cancels near 0


exponential = unary(
    "exponential",
    "exp",
    np.exp,
    lambda b, y, x: y,
    float_samples(complex=True),
    traits=transcendental(10),
    expansion=complex_functions.exponential,
)
exponential_minus_one = unary(
    "exponential_minus_one",
    "expm1",
    np.expm1,
    lambda b, y, x: b.add(y, like(b, y, 1)),  # e**x = y + 1
    float_samples(complex=True, loosen=4),
    eager=per_element(46),
    traits=transcendental(10),
    expansion=complex_functions.exponential_minus_one,
)
log = unary(
    "log",
    "log",
    np.log,
    lambda b, y, x: b.divide(like(b, x, 1), x),
    float_samples(low=0.1, high=4, complex=True),
    traits=transcendental(10),
    expansion=complex_functions.log,
)
log_plus_one = unary(
    "log_plus_one",
    "log1p",
    _log_plus_one,
    lambda b, y, x: b.divide(like(b, x, 1), b.add(x, like(b, x, 1))),
    float_samples(low=-0.8, high=4, complex=True, loosen=4),
    eager=per_element(36),
    traits=transcendental(10),
    expansion=complex_functions.log_plus_one,
)
logistic = unary(
    "logistic",
    "logistic",
    _logistic,
    lambda b, y, x: b.multiply(y, b.subtract(like(b, y, 1), y)),  # y (1 - y)
    float_samples(complex=True, loosen=4),
    traits=transcendental(10),
    expansion=complex_functions.logistic,
)

# ---- trigonometry ------------------------------------------------------------------------------------------

sine = unary(
    "sine",
    "sin",
    np.sin,
    lambda b, y, x: b.cosine(x),
    float_samples(low=-6, high=6, complex=True),
    traits=transcendental(10),
    expansion=complex_functions.sine,
)
cosine = unary(
    "cosine",
    "cos",
    np.cos,
    lambda b, y, x: b.negate(b.sine(x)),
    float_samples(low=-6, high=6, complex=True),
    traits=transcendental(10),
    expansion=complex_functions.cosine,
)
tan = unary(
    "tan",
    "tan",
    np.tan,
    lambda b, y, x: b.add(like(b, y, 1), square_of(b, y)),  # 1 + tan**2
    float_samples(low=-1.4, high=1.4, complex=True, loosen=4),
    traits=transcendental(10),
    expansion=complex_functions.tan,
)
tanh = unary(
    "tanh",
    "tanh",
    np.tanh,
    lambda b, y, x: one_minus_square(b, y),
    float_samples(low=-3, high=3, complex=True, loosen=4),
    eager=per_element(23),
    traits=transcendental(10),
    expansion=complex_functions.tanh,
)

# ---- roots -------------------------------------------------------------------------------------------------


@loops(for_reals(((np.sqrt, (0,)), (np.reciprocal, (1,)))))
@through_float32
def _rsqrt(x: np.ndarray) -> np.ndarray:
    return np.reciprocal(np.sqrt(x))


sqrt = unary(
    "sqrt",
    "sqrt",
    np.sqrt,
    lambda b, y, x: b.divide(like(b, y, 0.5), y),
    float_samples(low=0.1, high=4, complex=True),
    traits=Traits(cost=8),
    expansion=complex_functions.sqrt,
)
rsqrt = unary(
    "rsqrt",
    "rsqrt",
    _rsqrt,
    lambda b, y, x: b.multiply(like(b, y, -0.5), b.divide(y, x)),  # d x**-1/2 = -1/2 y / x dx
    float_samples(low=0.1, high=4, complex=True),
    traits=Traits(cost=8),
    expansion=complex_functions.rsqrt,
)
cbrt = unary(
    "cbrt",
    "cbrt",
    np.cbrt,
    lambda b, y, x: b.multiply(like(b, y, 1 / 3), b.integer_pow(y, y=-2)),  # 1/3 x**(-2/3)
    float_samples(low=0.2, high=4),
    "f",
    eager=per_element(62),
    traits=transcendental(10),
)

# ---- complex numbers ---------------------------------------------------------------------------------------


def _parts_samples() -> list:
    return [
        measured(complexes()),
        measured(complexes((), dtype=np.complex128)),
        measured(complexes((0, 2)), grad=False, why="empty"),
    ]


def _zero(b: Any, x: Any) -> Any:
    return b.full(b.aval(x), 0)


real = defop(
    "real",
    operands=("operand",),
    type=nary("real", "c", to_real),
    ref=lambda x: x.real.copy(),
    jvp={"operand": LINEAR},
    transpose={"operand": lambda b, ct, avals, operand: b.complex(ct, _zero(b, ct))},
    batch=elementwise,
    samples=_parts_samples,
)

imag = defop(
    "imag",
    operands=("operand",),
    type=nary("imag", "c", to_real),
    ref=lambda x: x.imag.copy(),
    jvp={"operand": LINEAR},
    # Im z = Re(-i z): cotangents pair with tangents by Re(ct t)
    transpose={"operand": lambda b, ct, avals, operand: b.complex(_zero(b, ct), b.negate(ct))},
    batch=elementwise,
    samples=_parts_samples,
)


def _complex(lhs: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    # lhs + 1j * rhs would turn an infinite part into NaN
    out = np.empty(lhs.shape, to_complex(lhs.dtype))
    out.real, out.imag = lhs, rhs
    return out


def _complex_type(lhs: Aval, rhs: Aval) -> Aval:
    for i, a in enumerate((lhs, rhs)):
        if KINDS.get(a.dtype) != "f" or a.dtype.itemsize < 4:
            raise TypeError(
                f"complex does not accept dtype {a.dtype.name} at position {i}. "
                f"Accepted dtypes at position {i} are subtypes of float32, float64."
            )
    return _pair(lhs, rhs)


_pair = nary("complex", "f", to_complex)

complex_ = defop(
    "complex",
    operands=("lhs", "rhs"),
    type=_complex_type,
    ref=_complex,
    jvp={
        "lhs": Linear(lambda b, t, y, lhs, rhs: b.complex(t, _zero(b, t))),
        "rhs": Linear(lambda b, t, y, lhs, rhs: b.complex(_zero(b, t), t)),
    },
    transpose={
        "lhs": lambda b, ct, avals, lhs, rhs: b.real(ct),
        "rhs": lambda b, ct, avals, lhs, rhs: b.negate(b.imag(ct)),
    },
    batch=elementwise,
    samples=lambda: [
        measured(floats(seed=1), floats(seed=2)),
        measured(floats((), dtype=np.float64, seed=1), floats((), dtype=np.float64, seed=2)),
        measured(floats((0, 2)), floats((0, 2)), grad=False, why="empty"),
    ],
)

# ---- reduce_precision --------------------------------------------------------------------------------------

#: exponent and mantissa bits of the float dtypes, by itemsize; bfloat16 goes through float32
_LAYOUTS = {2: (5, 10), 4: (8, 23), 8: (11, 52)}


def _reduce_precision(x: np.ndarray, exponent_bits: int, mantissa_bits: int) -> np.ndarray:
    if x.dtype.kind == "V":
        wide = _reduce_precision(x.astype(np.float32), exponent_bits, mantissa_bits)
        return wide.astype(x.dtype)
    own_exponent, own_mantissa = _LAYOUTS[x.dtype.itemsize]
    word = np.dtype(f"u{x.dtype.itemsize}").type
    bits = np.asarray(x).view(word)
    sign, magnitude = bits & ~(~word(0) >> word(1)), bits & (~word(0) >> word(1))
    dropped = own_mantissa - mantissa_bits
    if dropped > 0:  # round to nearest even: add half a unit less one, and one if the last kept bit is odd
        odd = (magnitude >> word(dropped)) & word(1)
        magnitude = (magnitude + (word(1) << word(dropped - 1)) - word(1) + odd) >> word(dropped) << word(dropped)
    if exponent_bits < own_exponent:
        bias, reduced = (1 << (own_exponent - 1)) - 1, (1 << (exponent_bits - 1)) - 1
        largest = word(((bias + reduced) << own_mantissa) | ((1 << own_mantissa) - (1 << max(dropped, 0))))
        smallest = word((bias - reduced + 1) << own_mantissa)
        infinity = word(((1 << own_exponent) - 1) << own_mantissa)
        # results that are denormal in the small format become zero
        magnitude = np.where(magnitude > largest, infinity, np.where(magnitude < smallest, word(0), magnitude))
    return np.where(np.isnan(x), x, (sign | magnitude).view(x.dtype))


def _reduce_precision_type(operand: Aval, *, exponent_bits: int, mantissa_bits: int) -> Aval:
    check_kinds("reduce_precision", (operand,), "f")
    if exponent_bits < 1 or mantissa_bits < 0:
        raise ValueError(
            "reduce_precision: exponent_bits must be positive and mantissa_bits must not be negative, "
            f"got {exponent_bits} and {mantissa_bits}."
        )
    return operand


_I32 = Codec(lambda v: ir.IntegerAttr.get(ir.IntegerType.get_signless(32), v), lambda a: int(ir.IntegerAttr(a)))


def _reduce_precision_samples() -> list:
    steps = "piecewise constant"
    wide = np.array([1.0, -1.1, 65504.0, 65519.0, 65520.0, 1e-5, 6.1e-5, -0.0, np.inf, np.nan], np.float32)
    found = []
    for exponent_bits, mantissa_bits in ((8, 7), (5, 10), (8, 23), (4, 3), (5, 2)):
        bits = {"exponent_bits": exponent_bits, "mantissa_bits": mantissa_bits}
        found.append(measured(wide, grad=False, why=steps, **bits))
        found.append(measured(floats((), dtype=np.float64), grad=False, why=steps, **bits))
    found.append(measured(floats((3,), dtype=np.float64), exponent_bits=11, mantissa_bits=52))
    found.append(measured(floats((5,), dtype=np.float16), grad=False, why=steps, exponent_bits=5, mantissa_bits=3))
    return found


reduce_precision = defop(
    "reduce_precision",
    operands=("operand",),
    type=_reduce_precision_type,
    ref=_reduce_precision,
    # the identity, whose tangents and cotangents are rounded alike: it models a narrow format (as in JAX)
    jvp={"operand": LINEAR},
    transpose={"operand": lambda b, ct, avals, operand, **bits: b.reduce_precision(ct, **bits)},
    batch=elementwise,
    params={"exponent_bits": _I32, "mantissa_bits": _I32},
    samples=_reduce_precision_samples,
)
