"""Incomplete gamma and beta functions, modified Bessel functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from sable.ir.aval import bfloat16
from sable.ir.op import NumpyBuilder, Op, Refused, defop

from . import special_lowering
from .chlo import special, unary
from .nary import like, nary, transcendental
from .rules import elementwise, floats
from .samples import SPECIAL, SPECIAL_WHY, measured

#: a few series of some ten terms each
_COST = 1500


def _row(
    name: str, operands: tuple[str, ...], ref: Callable, jvp: dict, samples: Callable, primitive: str | None = None
) -> Op:
    return defop(
        name,
        dialect="sable",
        operands=operands,
        type=nary(name, "f"),
        ref=ref,
        jvp=jvp,
        transpose={},
        batch=elementwise,
        samples=samples,
        lower=getattr(special_lowering, name),
        traits=transcendental(_COST),
        primitive=primitive,
    )


def _by_expansion(name: str) -> Callable:
    lower, builder = getattr(special_lowering, name), NumpyBuilder()
    return lambda *operands: lower(builder, *operands)


# ---- incomplete gamma functions ----------------------------------------------------------------------------------

_gammainc, _gammaincc = special("gammainc"), special("gammaincc")


def _endless(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    # P(inf, x) by XLA's formula is inf - inf
    return (a == np.inf) & (x >= 1) & (x < np.inf)


def _igamma(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    nan, one = a.dtype.type(np.nan), a.dtype.type(1)
    found = np.where((x == np.inf) & (a >= 0), one, _gammainc(a, x))
    return np.where(_endless(a, x) | ((a == 0) & (x < 1)), nan, found)


def _igammac(a: np.ndarray, x: np.ndarray) -> np.ndarray:
    nan, zero = a.dtype.type(np.nan), a.dtype.type(0)
    found = np.where((x == np.inf) & (a >= 0), zero, _gammaincc(a, x))
    return np.where(_endless(a, x), nan, found)


def _density(b: Any, a: Any, x: Any) -> Any:
    """x^(a - 1) e^-x / gamma(a), that of the gamma distribution."""
    power = b.multiply(b.subtract(a, like(b, a, 1)), b.log(x))
    return b.exponential(b.subtract(b.subtract(power, x), b.lgamma(a)))


def _gamma_samples(edges: bool) -> Callable:
    """Both sides of x = 1 and x = a; not those where a derivative has a jump."""

    def samples() -> list:
        shapes, points = np.array([0.3, 0.8, 2.5, 4.0, 9.0, 30.0]), np.array([0.2, 2.5, 1.5, 5.5, 6.0, 35.0])
        found = [measured(shapes.astype(d), points.astype(d), loosen=100) for d in (np.float64, np.float32, np.float16)]
        some = floats((2,), 0.5, 3, bfloat16), floats((2,), 0.5, 3, bfloat16, 1)
        found.append(measured(*some, loosen=10))
        if edges:
            grid = np.meshgrid(np.float32(SPECIAL), np.float32(SPECIAL))
            found.append(measured(*[g.reshape(-1) for g in grid], grad=False, why=SPECIAL_WHY, loosen=10))
        return found

    return samples


def _no_slope(name: str, *operands: str) -> dict[str, Refused]:
    message = f"Differentiation rule for '{name}' not implemented"
    return {operand: Refused(NotImplementedError, message) for operand in operands}


_row(
    "igamma",
    ("a", "x"),
    _igamma,
    {
        "a": lambda b, t, y, a, x: b.multiply(t, b.igamma_grad_a(a, x)),
        "x": lambda b, t, y, a, x: b.multiply(t, _density(b, a, x)),
    },
    _gamma_samples(True),
)
_row(
    "igammac",
    ("a", "x"),
    _igammac,
    {
        "a": lambda b, t, y, a, x: b.negate(b.multiply(t, b.igamma_grad_a(a, x))),
        "x": lambda b, t, y, a, x: b.negate(b.multiply(t, _density(b, a, x))),
    },
    _gamma_samples(True),
)
for _name in ("igamma_grad_a", "random_gamma_grad"):
    _row(_name, ("a", "x"), _by_expansion(_name), _no_slope(_name, "a", "x"), _gamma_samples(False))

# ---- incomplete beta function ------------------------------------------------------------------------------------

_betainc = special("betainc")


def _beta_jvp_x(b: Any, t: Any, y: Any, a: Any, b_: Any, x: Any) -> Any:
    # the density of the beta distribution: x^(a - 1) (1 - x)^(b - 1) / beta(a, b)
    one = like(b, x, 1)
    log_beta = b.subtract(b.add(b.lgamma(a), b.lgamma(b_)), b.lgamma(b.add(a, b_)))
    first = b.multiply(b.subtract(b_, one), b.log_plus_one(b.negate(x)))
    second = b.multiply(b.subtract(a, one), b.log(x))
    return b.multiply(t, b.exponential(b.subtract(b.add(first, second), log_beta)))


def _beta_samples() -> list:
    a, b, x = np.array([0.3, 2.0, 5.0, 0.7]), np.array([0.8, 3.0, 1.5, 9.0]), np.array([0.2, 0.5, 0.9, 0.05])
    found = [measured(*[v.astype(d) for v in (a, b, x)], loosen=100) for d in (np.float64, np.float32, np.float16)]
    edges = np.meshgrid(*[np.float32([0, 1, 2.5, np.inf, -1, np.nan])] * 2, np.float32([0, 0.5, 1, -1, np.nan]))
    found.append(measured(*[e.reshape(-1) for e in edges], grad=False, why=SPECIAL_WHY, loosen=10))
    return found


_SHAPE = Refused(ValueError, "Betainc gradient with respect to a and b not supported.")
_row(
    "betainc",
    ("a", "b", "x"),
    lambda a, b, x: _betainc(a, b, x),
    {"a": _SHAPE, "b": _SHAPE, "x": _beta_jvp_x},
    _beta_samples,
    primitive="regularized_incomplete_beta",
)

# ---- modified Bessel functions, scaled by e^-|x| -----------------------------------------------------------------


def _bessel_samples() -> list:
    points = np.array([-20.0, -7.0, -0.5, 0.25, 3.0, 9.0])
    found = [measured(points.astype(d), loosen=10) for d in (np.float64, np.float32, np.float16, bfloat16)]
    return [*found, measured(np.float32(SPECIAL), grad=False, why=SPECIAL_WHY)]


def _i1e_slope(b: Any, y: Any, x: Any) -> Any:
    # I_0 - I_1 (sign x + 1/x), scaled; 1/2 at zero
    epsilon = like(b, x, float(ml_dtypes.finfo(b.aval(x).dtype).eps))
    apart = b.compare(b.abs(x), epsilon, comparison_direction="GT")
    safe = b.select(apart, x, epsilon)
    inner = b.add(b.sign(safe), b.divide(like(b, x, 1), safe))
    return b.select(apart, b.subtract(b.bessel_i0e(safe), b.multiply(y, inner)), like(b, x, 0.5))


_row(
    "bessel_i0e",
    ("x",),
    special("i0e"),
    {"x": lambda b, t, y, x: b.multiply(t, b.subtract(b.bessel_i1e(x), b.multiply(b.sign(x), y)))},
    _bessel_samples,
)
_i1e = special("i1e")
# SciPy has +0 at -0
unary("bessel_i1e", lambda x: np.copysign(_i1e(x), x), _i1e_slope, _bessel_samples, cost=100)
