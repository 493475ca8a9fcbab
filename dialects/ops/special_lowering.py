"""Incomplete gamma and beta functions, and Bessel functions, in terms of StableHLO ops.

Series and continued fractions run until the last element of an array has converged, by loops of the dialect. Their terms, bounds
and numbers of steps are those of XLA, so that what is sampled by them, or differentiated, is as there.

Sources: S. Moshier, "Methods and Programs for Mathematical Functions", 1989 (Cephes: igam.c, igamc.c, i0.c); I. J. Thompson and
A. R. Barnett, "Coulomb and Bessel functions of complex arguments and order", 1986 (modified Lentz's method); NIST Digital
Library of Mathematical Functions, 8.17.
"""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable.ir.aval import Aval, aval
from sable.ir.op import OPS

from .compose import INT32, index_constant
from .formulas import Real, where
from .functions import function_of

#: steps of the continued fraction of the upper incomplete gamma function
_GAMMA_STEPS = 2000
#: steps of that of the incomplete beta function, in f32 and in f64
_BETA_STEPS = {4: 200, 8: 600}


class Gamma(enum.Enum):
    """What is computed of an incomplete gamma function P(a, x)."""

    VALUE = "P or 1 - P"
    DERIVATIVE = "dP/da"
    #: dx/da at constant P: how a sample x of the gamma distribution moves with its parameter
    SAMPLE = "dx/da"


# ---- tools -----------------------------------------------------------------------------------------------------


def in_float32(lower: Callable) -> Callable:
    """A lowering of floats of 16 bits by way of f32; it takes and gives `Real`s."""

    @functools.wraps(lower)
    def run(b: Any, *operands: Any) -> Any:
        dtype = b.aval(operands[0]).dtype
        if dtype.itemsize != 2:
            return lower(*[Real(b, x) for x in operands]).value
        wide = [Real(b, b.convert(x, dtype=np.dtype(np.float32))) for x in operands]
        return b.convert(lower(*wide).value, dtype=dtype)

    return run


def _repeated(
    condition: Callable[..., Real], step: Callable[..., Sequence[Real]], consts: Sequence[Real], carry: Sequence[Real]
) -> list[Real]:
    """The carry for which `condition(*carry)` does not hold any more; `step(*consts, *carry)` gives the next one."""
    b = carry[0].b
    fixed, moving = ([_strong(b.aval(x.value)) for x in xs] for xs in (consts, carry))

    def written(f: Callable) -> Callable:
        def rule(inner: Any, *xs: Any) -> list[Any]:
            found = f(*[Real(inner, x) for x in xs])
            return [found.value] if isinstance(found, Real) else [y.value for y in found]

        return rule

    found = b.bind(
        OPS["while"],
        *[x.value for x in (*consts, *carry)],
        cond=function_of(written(condition), *moving, name="cond"),
        body=function_of(written(step), *fixed, *moving, name="body"),
        cond_consts=0,
        body_consts=len(consts),
    )
    return [Real(b, x) for x in found]


def _strong(a: Aval) -> Aval:
    return a.update(weak_type=False)


def _any(x: Real) -> Real:
    """Whether a boolean is True somewhere."""
    return Real(x.b, x.b.reduce_or(x.value, dimensions=tuple(range(x.b.aval(x.value).ndim))))


def _repeat(x: Real, like: Real) -> Real:
    """A scalar in the shape of another value."""
    return Real(x.b, x.b.broadcast_in_dim(x.value, shape=like.b.aval(like.value).shape, broadcast_dimensions=()))


def _scalar(like: Real, value: float) -> Real:
    return Real(like.b, like.b.full(aval((), like.dtype), value))


def _is_nan(x: Real) -> Real:
    return x != x


# ---- incomplete gamma functions ----------------------------------------------------------------------------------


def _factor(a: Real, x: Real) -> tuple[Real, Real]:
    """x^a e^-x / gamma(a), and where its logarithm is below the range of the exponential function."""
    log = a * x.of("log") - x - a.of("lgamma")
    return log.of("exponential"), log < -math.log(np.finfo(a.dtype).max)


def _series(factor: Real, x: Real, a: Real, enabled: Real, kind: Gamma) -> Real:
    """Of the lower function: P = factor / a (1 + x/(a + 1) + x^2/((a + 1)(a + 2)) + ...)."""
    epsilon = float(np.finfo(a.dtype).eps)
    one, zero = a.constant(1), a.constant(0)

    def step(x: Real, on: Real, r: Real, term: Real, total: Real, *slopes: Real) -> list[Real]:
        next_r = r + 1
        ratio = x / next_r
        next_term = term * ratio
        new = [next_r, next_term, total + next_term]
        size = new[1] / new[2]
        if slopes:
            slope = slopes[0] * ratio - (term * x) / (next_r * next_r)
            new += [slope, slopes[1] + slope]
            size = abs(new[3] / new[4])
        return [on & (size > epsilon), *[where(on, y, z) for y, z in zip(new, (r, term, total, *slopes))]]

    slopes = [] if kind is Gamma.VALUE else [zero, zero]
    found = _repeated(lambda on, *_: _any(on), step, [x], [enabled, a, one, one, *slopes])
    total = found[3]
    if kind is Gamma.VALUE:
        return total * factor / a
    slope, log_slope = found[5], x.of("log") - (a + 1).of("digamma")
    if kind is Gamma.DERIVATIVE:
        return factor * (total * log_slope + slope) / a
    return -(slope + total * log_slope) * x / a


def _fraction(factor: Real, x: Real, a: Real, enabled: Real, kind: Gamma) -> Real:
    """Of the upper function: 1 - P = factor (1/(x + 1 - a -) (1 (1 - a))/(x + 3 - a -) ...), by p_k / q_k.

    Both satisfy p_k = p_(k-1) z - p_(k-2) y k, and so do, differentiated, their slopes in a.
    """
    epsilon = float(np.finfo(a.dtype).eps)
    zero, one = a.constant(0), a.constant(1)
    slopes_too = kind is not Gamma.VALUE

    def step(on: Real, count: Real, total: Real, y: Real, z: Real, *rest: Real) -> list[Real]:
        count = count + 1
        k = _repeat(count, y)
        next_y, next_z = y + 1, z + 2
        yk = next_y * k
        p1, q1, p2, q2 = rest[:4]
        p, q = (one_ * next_z - two * yk for one_, two in ((p1, p2), (q1, q2)))
        defined = q != 0
        ratio = p / q
        change = where(defined, abs((total - ratio) / ratio), 1)
        next_total = where(defined, ratio, total)
        rescaled = abs(p) > 1 / epsilon
        older = [p, q, p1, q1]
        slopes = []
        if slopes_too:
            dp1, dq1, dp2, dq2, slope = rest[4:]
            dp = dp1 * next_z - p1 - dp2 * yk + p2 * k
            dq = dq1 * next_z - q1 - dq2 * yk + q2 * k
            next_slope = where(defined, (dp - next_total * dq) / q, slope)
            change = where(defined, abs(next_slope - slope), 1)
            older += [dp, dq, dp1, dq1]
            slopes = [next_slope]
        new = [next_total, next_y, next_z, *[where(rescaled, v * epsilon, v) for v in older], *slopes]
        kept = [where(on, v, w) for v, w in zip(new, (total, y, z, *rest))]
        return [on & (change > epsilon), count, *kept]

    y = 1 - a
    z = x + y + 1
    p1, q1 = x + 1, z * x
    total = p1 / q1
    carry = [enabled, _scalar(x, 0), total, y, z, p1, q1, one, x]
    if slopes_too:
        carry += [zero, -x, zero, zero, (zero - total * -x) / q1]
    found = _repeated(lambda on, count, *_: (count < _GAMMA_STEPS) & _any(on), step, [], carry)
    total = found[2]
    if kind is Gamma.VALUE:
        return total * factor
    slope, log_slope = found[-1], x.of("log") - a.of("digamma")
    if kind is Gamma.DERIVATIVE:
        return factor * (total * log_slope + slope)
    return -(slope + total * log_slope) * x


def _outside(a: Real, x: Real) -> Real:
    return (x < 0) | (a < 0) | ((a == 0) & (x == 0)) | _is_nan(a) | _is_nan(x)


@in_float32
def igamma(a: Real, x: Real) -> Real:
    """P(a, x), by the continued fraction where x is larger than 1 and a."""
    outside, at_zero, at_end = _outside(a, x), x == 0, x == math.inf
    upper = (x >= 1) & (x > a)
    factor, tiny = _factor(a, x)
    on = ~(at_zero | outside | tiny | at_end)
    found = where(
        upper,
        1 - _fraction(factor, x, a, on & upper, Gamma.VALUE),
        _series(factor, x, a, on & ~upper, Gamma.VALUE),
    )
    return where(outside, math.nan, where(at_end, 1, where(at_zero, 0, found)))


@in_float32
def igammac(a: Real, x: Real) -> Real:
    """Q(a, x) = 1 - P(a, x), by the series where x is smaller than 1 or a."""
    outside, ends = _outside(a, x), (x == math.inf) | (a == 0)
    lower = (x < 1) | (x < a)
    factor, tiny = _factor(a, x)
    on = ~(outside | tiny | ends)
    found = where(
        lower,
        1 - _series(factor, x, a, on & lower, Gamma.VALUE),
        _fraction(factor, x, a, on & ~lower, Gamma.VALUE),
    )
    return where(outside, math.nan, where(ends, 0, found))


def _slope(kind: Gamma) -> Callable:
    @in_float32
    def lower(a: Real, x: Real) -> Real:
        outside = (x < 0) | (a <= 0) | _is_nan(a) | _is_nan(x)
        upper = (x > 1) & (x > a)
        factor, tiny = _factor(a, x)
        on = ~((x == 0) | outside | tiny)
        found = where(
            upper,
            -_fraction(factor, x, a, on & upper, kind),
            _series(factor, x, a, on & ~upper, kind),
        )
        return where(outside, math.nan, where(x == 0, 0, found))

    return lower


igamma_grad_a = _slope(Gamma.DERIVATIVE)
random_gamma_grad = _slope(Gamma.SAMPLE)


# ---- incomplete beta function ------------------------------------------------------------------------------------


def _beta_numerator(n: Real, a: Real, b: Real, x: Real) -> Real:
    """Numerator n of the continued fraction (DLMF 8.17.22), of which the first is 1; n is a scalar int32."""
    base = n.b
    m = Real(base, base.convert(((n - 1) / 2).value, dtype=a.dtype))
    even, first, at_start = (_repeat(p, a) for p in (n.of("remainder", 2) == 0, n == 1, m == 0))
    m = _repeat(m, a)
    # at m = 0 the general term's a / a would lose a small a
    start = -(a + b) * x / (a + 1)
    general = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    odd = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    return where(first, 1, where(even, where(at_start, start, general), odd))


def _beta_fraction(a: Real, b: Real, x: Real) -> Real:
    """The continued fraction by Lentz's method: h_n = h_(n-1) c_n d_n."""
    small = float(np.finfo(a.dtype).eps) / 2
    steps, base = _BETA_STEPS[a.dtype.itemsize], a.b

    def step(a: Real, b: Real, x: Real, on: Real, n: Real, c: Real, d: Real, h: Real) -> list[Real]:
        numerator = _beta_numerator(n, a, b, x)
        c, d = 1 + numerator / c, 1 + numerator * d
        c, d = (where(abs(v) < small, small, v) for v in (c, d))
        d = 1 / d
        delta = c * d
        return [_any(abs(delta - 1) >= small), n + 1, c, d, h * delta]

    start = a.constant(small)  # of 0
    on = Real(base, base.full(aval((), np.dtype(np.bool_)), True))
    n = Real(base, index_constant(base, 1, INT32))
    found = _repeated(lambda on, n, *_: (n < steps) & on, step, [a, b, x], [on, n, start, a.constant(0), start])
    return found[-1]


@in_float32
def betainc(a: Real, b: Real, x: Real) -> Real:
    """I_x(a, b), which is 1 - I_(1-x)(b, a): the one whose continued fraction converges quickly."""
    first_zero, second_zero = (a == 0) | (b == math.inf), (b == 0) | (a == math.inf)
    is_zero = (second_zero & (x != 1)) | (first_zero & (x == 0))
    is_one = (first_zero & (x != 0)) | (second_zero & (x == 1))
    is_nan = (a < 0) | (b < 0) | (x < 0) | (x > 1) | (first_zero & second_zero)
    is_nan = is_nan | _is_nan(a) | _is_nan(b) | _is_nan(x)
    quick = x < (a + 1) / (a + b + 2)
    a, b, x = where(quick, a, b), where(quick, b, a), where(quick, x, 1 - x)
    # x^a (1 - x)^b / (a beta(a, b)), where a gamma(a) = gamma(a + 1) = 1 for small a
    rest = b.of("lgamma") - (a + b).of("lgamma")
    power = (-x).of("log_plus_one") * b
    whole = (x.of("log") * a + power - (a.of("lgamma") + rest)).of("exponential") / a
    factor = where(a < float(np.finfo(a.dtype).tiny) * 2, (power - rest).of("exponential"), whole)
    found = _beta_fraction(a, b, x) * factor
    found = where(quick, found, 1 - found)
    return where(is_nan, math.nan, where(is_one, 1, where(is_zero, 0, found)))


# ---- Bessel functions --------------------------------------------------------------------------------------------

#: Chebyshev coefficients of e^-x I_0(x) in x/2 - 2 for 0 <= x <= 8, highest order first; the f32 function has the last 18.
_I0E_NEAR = (
    -4.41534164647933937950e-18,
    3.33079451882223809783e-17,
    -2.43127984654795469359e-16,
    1.71539128555513303061e-15,
    -1.16853328779934516808e-14,
    7.67618549860493561688e-14,
    -4.85644678311192946090e-13,
    2.95505266312963983461e-12,
    -1.72682629144155570723e-11,
    9.67580903537323691224e-11,
    -5.18979560163526290666e-10,
    2.65982372468238665035e-9,
    -1.30002500998624804212e-8,
    6.04699502254191894932e-8,
    -2.67079385394061173391e-7,
    1.11738753912010371815e-6,
    -4.41673835845875056359e-6,
    1.64484480707288970893e-5,
    -5.75419501008210370398e-5,
    1.88502885095841655729e-4,
    -5.76375574538582365885e-4,
    1.63947561694133579842e-3,
    -4.32430999505057594430e-3,
    1.05464603945949983183e-2,
    -2.37374148058994688156e-2,
    4.93052842396707084878e-2,
    -9.49010970480476444210e-2,
    1.71620901522208775349e-1,
    -3.04682672343198398683e-1,
    6.76795274409476084995e-1,
)
#: Those of e^-x sqrt(x) I_0(x) in 32/x - 2 for x > 8; the f32 function has the last 7.
_I0E_FAR = (
    -7.23318048787475395456e-18,
    -4.83050448594418207126e-18,
    4.46562142029675999901e-17,
    3.46122286769746109310e-17,
    -2.82762398051658348494e-16,
    -3.42548561967721913462e-16,
    1.77256013305652638360e-15,
    3.81168066935262242075e-15,
    -9.55484669882830764870e-15,
    -4.15056934728722208663e-14,
    1.54008621752140982691e-14,
    3.85277838274214270114e-13,
    7.18012445138366623367e-13,
    -1.79417853150680611778e-12,
    -1.32158118404477131188e-11,
    -3.14991652796324136454e-11,
    1.18891471078464383424e-11,
    4.94060238822496958910e-10,
    3.39623202570838634515e-9,
    2.26666899049817806459e-8,
    2.04891858946906374183e-7,
    2.89137052083475648297e-6,
    6.88975834691682398426e-5,
    3.36911647825569408990e-3,
    8.04490411014108831608e-1,
)


def _chebyshev(x: Real, coefficients: Sequence[float]) -> Real:
    """A sum of Chebyshev polynomials in x / 2, by Clenshaw's recurrence; the constant's coefficient counts half."""
    b0 = b1 = b2 = x.constant(0)
    for c in coefficients:
        b0, b1, b2 = x * b0 - b1 + c, b0, b1
    return (b0 - b2) * 0.5


@in_float32
def bessel_i0e(x: Real) -> Real:
    """e^-|x| I_0(x)."""
    double = x.dtype.itemsize == 8
    near, far = _I0E_NEAR[0 if double else -18 :], _I0E_FAR[0 if double else -7 :]
    x = abs(x)
    return where(x <= 8, _chebyshev(x * 0.5 - 2, near), _chebyshev(x.constant(32) / x - 2, far) / x.of("sqrt"))
