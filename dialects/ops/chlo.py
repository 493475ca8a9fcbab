"""Functions of CHLO: error and gamma functions, inverse and hyperbolic trigonometry, next_after."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.ir.eager import EagerPolicy, per_element
from sable.ir.native_form import for_float32, loops
from sable.ir.op import Op, Refused, Traits, defop

from . import complex_functions
from .nary import (
    like,
    nary,
    one_minus_square,
    root_of_one_minus_square,
    slope,
    square_of,
    through_float32,
    to_bool,
    transcendental,
)
from .rules import elementwise, sample
from .samples import float_samples, measured


def special(name: str) -> Callable:
    """A reference from `scipy.special`, which is imported (0.15 s) when first called."""
    found: list[Callable] = []

    @through_float32
    def ref(*operands: np.ndarray) -> np.ndarray:
        if not found:
            import scipy.special

            found.append(getattr(scipy.special, name))
        return found[0](*operands)

    return ref


def unary(
    name: str,
    ref: Callable,
    derivative: Callable | None,
    samples: Callable,
    kinds: str = "f",
    lax_name: str | None = None,
    dtype: Callable | None = None,
    eager: EagerPolicy | None = None,
    cost: int | None = None,
    expansion: Callable | None = None,
) -> Op:
    """A row of a CHLO function of one operand; `derivative(b, y, x)` from the result and the operand.

    `cost` counts what StableHLO's expansion writes (polynomials, logarithms at 10, divisions at 8); None: no function
    that is computed by a polynomial. `expansion`: as in `elementwise_float`.
    """
    return defop(
        name,
        dialect="chlo",
        operands=("operand",),
        type=nary(lax_name or name, kinds, dtype),
        ref=complex_functions.reference(ref, expansion) if expansion else ref,
        jvp={"operand": slope(derivative)} if derivative else None,
        transpose={},
        batch=elementwise,
        samples=samples,
        eager=eager,
        traits=Traits() if cost is None else transcendental(cost),
        lower=expansion,
    )


# ---- error functions ---------------------------------------------------------------------------------------


def _gauss(factor: float) -> Callable:
    """factor * exp(-x**2)."""
    return lambda b, y, x: b.multiply(like(b, x, factor), b.exponential(b.negate(square_of(b, x))))


#: Coefficients of erf_inv(x) / x in powers of w - 5/2 for w = -log(1 - x**2) < 5, and of sqrt(w) - 3 for larger w,
#: highest power first (M. Giles, Approximating the erfinv function, GPU Computing Gems 2, 2011, table 5).
_CENTRAL = np.float32(
    [
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    ]
)
_TAIL = np.float32(
    [
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    ]
)


def _polynomial(coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
    total = np.full(x.shape, coefficients[0])
    for c in coefficients[1:]:
        np.multiply(total, x, out=total)
        np.add(total, c, out=total)
    return total


#: w = -log(1 - x**2), then the polynomials
_ERF_INV = ((np.multiply, (0, 0)), (np.subtract, (1.0, 1)), (np.log, (2,)), (np.negative, (3,)), ("erf_inv", (4, 0)))


def _erf_inv_float32(x: np.ndarray) -> np.ndarray:
    # 1 - x**2 is exact where it is small, and where it is not its error does not matter
    flat = np.asarray(x, order="C").reshape(-1)
    w = np.negative(np.log(np.subtract(np.float32(1), np.multiply(flat, flat))))
    # (+-1) has w = inf
    found = np.where(w < 5, _polynomial(_CENTRAL, w - np.float32(2.5)), _polynomial(_TAIL, np.sqrt(w) - np.float32(3)))
    found = np.where(w == np.inf, w, found)
    return np.multiply(found, flat).reshape(x.shape)


_erfinv = special("erfinv")


@loops(for_float32(_ERF_INV))
@through_float32
def _erf_inv(x: np.ndarray) -> np.ndarray:
    if x.dtype == np.float32:
        return _erf_inv_float32(x)
    # odd, and so is the zero; SciPy has +0 at -0
    return np.copysign(_erfinv(x), x)


erf = unary(
    "erf", special("erf"), _gauss(2 / math.sqrt(math.pi)), float_samples(loosen=4), eager=per_element(25), cost=30
)
erfc = unary("erfc", special("erfc"), _gauss(-2 / math.sqrt(math.pi)), float_samples(loosen=10), cost=60)
erf_inv = unary(
    "erf_inv",
    _erf_inv,
    # sqrt(pi)/2 exp(y**2)
    lambda b, y, x: b.multiply(like(b, y, math.sqrt(math.pi) / 2), b.exponential(square_of(b, y))),
    float_samples(low=-0.9, high=0.9, loosen=10),
    eager=per_element(87),
    cost=40,
)

# ---- gamma functions ---------------------------------------------------------------------------------------

_gammaln, _psi, _scipy_zeta = special("gammaln"), special("psi"), special("zeta")


def _lgamma(x: np.ndarray) -> np.ndarray:
    # SciPy has -inf at -inf
    return np.where(x == -np.inf, x.dtype.type(np.inf), _gammaln(x))


def _digamma(x: np.ndarray) -> np.ndarray:
    # NaN at every pole; SciPy has an infinity at zero
    return np.where(x == 0, x.dtype.type(np.nan), _psi(x))


@through_float32
def _zeta(x: np.ndarray, q: np.ndarray) -> np.ndarray:
    # as the series: at the poles 0**-x of both signs, which agree where x is even; no number at infinity
    pole = (q <= 0) & (np.floor(q) == q)
    at_pole = np.where(np.fmod(x, 2) == 0, np.inf, np.nan)
    elsewhere = np.where(np.isinf(x) | np.isinf(q), np.nan, _scipy_zeta(x, q))
    return np.where(x == 1, np.inf, np.where(pole, at_pole, elsewhere)).astype(x.dtype)


@through_float32
def _polygamma(n: np.ndarray, x: np.ndarray) -> np.ndarray:
    # psi_n(x) = (-1)**(n + 1) n! zeta(n + 1, x) for whole n > 0
    one = x.dtype.type(1)
    sign = np.where(np.fmod(n, 2) == 0, -one, one)
    higher = sign * np.exp(_gammaln(n + one)) * _zeta(n + one, x)
    whole = (n >= 0) & (np.floor(n) == n)
    return np.where(n == 0, _digamma(x), np.where(whole, higher, x.dtype.type(np.nan))).astype(x.dtype)


lgamma = unary("lgamma", _lgamma, lambda b, y, x: b.digamma(x), float_samples(low=0.3, high=5, loosen=20), cost=150)
digamma = unary(
    "digamma",
    _digamma,
    lambda b, y, x: b.polygamma(like(b, x, 1), x),
    float_samples(low=0.3, high=5, loosen=20),
    cost=130,
)


def _polygamma_samples() -> list:
    orders = np.array([0, 1, 2, 3, 1])
    points = np.array([0.7, 1.0, 2.5, 3.0, 6.0])
    whole = "the order is whole: no derivative in it"
    found = [measured(orders.astype(d), points.astype(d), loosen=50) for d in (np.float64, np.float32, np.float16)]
    edges = np.float32([1, 1, 1.5, -1]), np.float32([-1.5, np.nan, 1, 1])
    return [*found, measured(*edges, grad=False, why=whole, loosen=50)]


polygamma = defop(
    "polygamma",
    dialect="chlo",
    operands=("n", "x"),
    type=nary("polygamma", "f"),
    ref=_polygamma,
    # d psi_n = psi_(n+1) dx
    jvp={
        "n": Refused(ValueError, "polygamma gradient with respect to m is not supported"),
        "x": lambda b, t, y, n, x: b.multiply(t, b.polygamma(b.add(n, like(b, n, 1)), x)),
    },
    transpose={},
    batch=elementwise,
    samples=_polygamma_samples,
    traits=transcendental(400),
)


def _zeta_jvp_q(b: Any, t: Any, y: Any, x: Any, q: Any) -> Any:
    # d zeta(s, q) = -s zeta(s + 1, q) dq
    return b.multiply(t, b.negate(b.multiply(x, b.zeta(b.add(x, like(b, x, 1)), q))))


zeta = defop(
    "zeta",
    dialect="chlo",
    operands=("x", "q"),
    type=nary("zeta", "f"),
    ref=_zeta,
    jvp={"q": _zeta_jvp_q},
    transpose={},
    batch=elementwise,
    samples=lambda: [
        *float_samples(2, 1.5, 5, loosen=20)()[:5],
        sample(np.float32([1, 0.5, 2]), np.float32([1, 1, -1.5]), grad=False, why="a pole, outside, reflected"),
    ],
    traits=transcendental(400),
)

# ---- inverse trigonometry ----------------------------------------------------------------------------------

_INSIDE = float_samples(low=-0.9, high=0.9, complex=True, loosen=4)

asin = unary(
    "asin",
    np.arcsin,
    lambda b, y, x: root_of_one_minus_square(b, x),
    _INSIDE,
    "fc",
    eager=per_element(28),
    cost=30,
    expansion=complex_functions.asin,
)
acos = unary(
    "acos",
    np.arccos,
    lambda b, y, x: b.negate(root_of_one_minus_square(b, x)),
    _INSIDE,
    "fc",
    eager=per_element(25),
    cost=30,
    expansion=complex_functions.acos,
)
atan = unary(
    "atan",
    np.arctan,
    lambda b, y, x: b.divide(like(b, x, 1), b.add(like(b, x, 1), square_of(b, x))),  # 1 / (1 + x**2)
    float_samples(complex=True, loosen=4),
    "fc",
    eager=per_element(28),
    cost=25,
    expansion=complex_functions.atan,
)

# ---- hyperbolic functions ----------------------------------------------------------------------------------


def _acosh_slope(b: Any, y: Any, x: Any) -> Any:
    # 1 / (sqrt(x - 1) sqrt(x + 1)): for Re z < 0 this is not 1 / sqrt(z**2 - 1)
    one = like(b, x, 1)
    return b.multiply(b.rsqrt(b.subtract(x, one)), b.rsqrt(b.add(x, one)))


sinh = unary(
    "sinh",
    np.sinh,
    lambda b, y, x: b.cosh(x),
    float_samples(complex=True, loosen=4),
    "fc",
    cost=30,
    expansion=complex_functions.sinh,
)
cosh = unary(
    "cosh",
    np.cosh,
    lambda b, y, x: b.sinh(x),
    float_samples(complex=True, loosen=4),
    "fc",
    eager=per_element(58),
    cost=25,
    expansion=complex_functions.cosh,
)
asinh = unary(
    "asinh",
    np.arcsinh,
    lambda b, y, x: b.rsqrt(b.add(square_of(b, x), like(b, x, 1))),  # 1 / sqrt(x**2 + 1)
    float_samples(complex=True, loosen=4),
    "fc",
    eager=per_element(125),
    cost=40,
    expansion=complex_functions.asinh,
)
acosh = unary(
    "acosh",
    np.arccosh,
    _acosh_slope,
    float_samples(low=1.1, high=4, complex=True, loosen=4),
    "fc",
    cost=40,
    expansion=complex_functions.acosh,
)
atanh = unary(
    "atanh",
    np.arctanh,
    lambda b, y, x: b.divide(like(b, x, 1), one_minus_square(b, x)),
    _INSIDE,
    "fc",
    eager=per_element(78),
    cost=30,
    expansion=complex_functions.atanh,
)

# ---- the rest ----------------------------------------------------------------------------------------------

square = unary(
    "square",
    np.square,
    lambda b, y, x: b.multiply(like(b, x, 2), x),
    float_samples(complex=True),
    "fc",
    expansion=complex_functions.square,
)
is_inf = unary("is_inf", np.isinf, None, float_samples(kinks="a test"), dtype=to_bool)


def _next_after_samples() -> list:
    steps = "steps of one unit in the last place"
    x = np.array([0.0, 1.0, np.nan, 1.0, -0.0, 1.0, np.inf], np.float32)
    towards = np.array([1.0, 2.0, 1.0, np.nan, 0.0, -1.0, 0.0], np.float32)
    return [measured(x.astype(d), towards.astype(d), grad=False, why=steps) for d in (np.float32, np.float64)]


def _next_after(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    # of zeros the second one; NumPy has the first in half precision
    return np.where(x == y, y, np.nextafter(x, y))


next_after = defop(
    "next_after",
    primitive="nextafter",
    dialect="chlo",
    operands=("x", "y"),
    type=nary("nextafter", "f"),
    ref=_next_after,
    jvp=None,
    transpose={},
    batch=elementwise,
    samples=_next_after_samples,
)
