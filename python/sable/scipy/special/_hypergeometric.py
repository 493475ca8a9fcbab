"""Hypergeometric functions of real arguments: series, which run until every element of an array has converged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.custom_derivatives import custom_jvp
from sable.core.dtypes import finfo
from sable.library.declare import library

from ._basic import digamma, gammaln, refuse_complex
from ._gamma import gamma, gammasgn

#: terms of a series at most
_TERMS = 500


def _series(
    ratio: Callable[[Any], Any], like: Any, weight: Callable[[Any], Any] | None = None, least: Any = None
) -> Value:
    """The sum of weight(k) t_k over k = 0, 1 ..., where t_0 = 1 and t_(k + 1) = ratio(k) t_k; the weight is 1 by default.

    It ends where a term no longer counts, but not before term `least`, after which they do not grow again.
    """
    epsilon = float(finfo(like.dtype).eps)

    def going(state: tuple) -> Any:
        return (state[0] < _TERMS) & jnp.any(state[3])

    def step(state: tuple) -> tuple:
        i, term, total, active = state
        k = i.astype(like.dtype)
        term = term * ratio(k)
        added = term if weight is None else term * weight(k + 1)
        total = jnp.where(active, total + added, total)
        counts = jnp.abs(added) > epsilon * jnp.abs(total)
        return i + 1, term, total, active & (counts if least is None else counts | (k < least))

    ones = jnp.ones_like(like)
    start = ones if weight is None else jnp.zeros_like(like)
    return lax.while_loop(going, step, (0, ones, start, ones == 1))[2]


# ---- Kummer's function -------------------------------------------------------------------------------------------

#: |x| from which on the asymptotic expansion is taken, by the bytes of a number: e^x is in its range
_KUMMER_FAR = {2: 10.0, 4: 50.0, 8: 100.0}


@library(operands=("a", "b", "x"), promotion="inexact")
def hyp1f1(a: Any, b: Any, x: Any) -> Value:
    """Kummer's function, the sum of (a)_k x^k / ((b)_k k!), where (a)_k = a (a + 1) ... (a + k - 1).

    Args:
      a, b, x: real numbers.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 13.2.2; 13.2.39 for negative x, 13.7.2 for large x; 13.3.15 for the derivative in x.

    >>> jax.scipy.special.hyp1f1(1.5, 2.0, jnp.array([-3.0, 0.0, 1.0]))
    Array([0.14839423, 1.        , 2.1785836 ], dtype=float32)
    """
    refuse_complex("hyp1f1", x)
    return _hyp1f1(*jnp.broadcast_arrays(a, b, x))


@custom_jvp
def _hyp1f1(a: Any, b: Any, x: Any) -> Any:
    # e^x M(b - a, b, -x) has no cancellation where x < 0
    negative = x < 0
    upper, size = jnp.where(negative, b - a, a), jnp.abs(x)
    bound = _KUMMER_FAR[x.dtype.itemsize]
    far = size >= bound
    near_size, far_size = jnp.minimum(size, bound), jnp.maximum(size, bound)
    near = _series(lambda k: (upper + k) / (b + k) * near_size / (k + 1), x)
    tail = _series(lambda k: (b - upper + k) * (1 - upper + k) / (k + 1) / far_size, x)
    ratio = gamma(b) / gamma(upper) * far_size ** (upper - b) * tail
    # the exponentials of both forms cancel where x < 0
    found = jnp.where(far, ratio * jnp.where(negative, 1, jnp.exp(far_size)), near)
    found = jnp.where(negative & ~far, found * jnp.exp(-near_size), found)
    found = jnp.where((b == 0) & (a != 0), jnp.inf, jnp.where(a == b, jnp.exp(x), found))
    return jnp.where(a == 0, 1, found)


@_hyp1f1.defjvp
def _hyp1f1_jvp(primals: tuple, tangents: tuple) -> tuple:
    """By a / b M(a + 1, b + 1, x) in x; in a and b by the derivatives of the terms."""
    a, b, x = primals
    da, db, dx = tangents

    def ratio(k: Any) -> Any:
        return (a + k) / (b + k) * x / (k + 1)

    in_a = _series(ratio, x, lambda k: digamma(a + k) - digamma(a))
    in_b = _series(ratio, x, lambda k: digamma(b) - digamma(b + k))
    in_x = a / b * _hyp1f1(a + 1, b + 1, x)
    return _hyp1f1(a, b, x), da * in_a + db * in_b + dx * in_x


# ---- Gauss's function --------------------------------------------------------------------------------------------

#: up to where its own series is summed, of 0.9^k ~ epsilon; beyond, that in 1 - x
_GAUSS_NEAR = 0.9
#: from where below zero x / (x - 1) is the better variable
_GAUSS_BELOW = -0.5


@library(operands=("a", "b", "c", "x"), promotion="inexact")
def hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Value:
    """Gauss's hypergeometric function, the sum of (a)_k (b)_k x^k / ((c)_k k!), continued to x < -1.

    For x > 1 it is real only where the series ends (a or b is an integer of 0, -1 ..., or c - a or c - b is, and c - a - b an
    integer), else inf; inf likewise at poles: where c is one of these integers and the series does not end before, and at
    x = 1 unless c > a + b. Where c - a - b (a - b for x < 0) is all but an integer and x > 0.9 or x < -9, half of the digits
    are right.

    Args:
      a, b, c, x: real numbers.

    Raises:
      ValueError: complex numbers.

    Sources: DLMF 15.2.1; 15.8.1 for x < -1/2 and where the series of c - a or c - b ends; 15.4.20 at 1; 15.8.4 and 15.8.10 near 1;
    15.5.1 for the derivative in x.

    >>> jax.scipy.special.hyp2f1(1.0, 1.0, 2.0, jnp.array([-3.0, 0.5, 0.96875]))
    Array([0.46209812, 1.3862946 , 3.577534  ], dtype=float32)
    """
    refuse_complex("hyp2f1", a, b, c, x)
    return _hyp2f1(*jnp.broadcast_arrays(a, b, c, x))


def _ends(a: Any) -> Any:
    """Whether (a)_k is 0 from some k on."""
    return (a <= 0) & (a == jnp.floor(a))


def _gammas(above: tuple[Any, Any], below: tuple[Any, Any]) -> Any:
    """Gamma of two numbers over gamma of two others; 0 at the poles of these."""
    sign, size, zero = 1.0, 0.0, False
    for x in below:
        zero = zero | _ends(x)
        x = jnp.where(_ends(x), 1, x)
        sign, size = sign * gammasgn(x), size - gammaln(x)
    for x in above:
        sign, size = sign * gammasgn(x), size + gammaln(x)
    return jnp.where(zero, 0, sign * jnp.exp(size))


def _gauss_ratio(a: Any, b: Any, c: Any, x: Any) -> Callable[[Any], Any]:
    """From term to term; where c + k is zero, an earlier term was."""
    return lambda k: (a + k) * (b + k) / (jnp.where(c + k == 0, 1, c + k) * (k + 1)) * x


def _gauss_series(a: Any, b: Any, c: Any, x: Any) -> Any:
    return _series(_gauss_ratio(a, b, c, x), x, least=-jnp.minimum(jnp.minimum(a, b), c))


@custom_jvp
def _hyp2f1(a: Any, b: Any, c: Any, x: Any) -> Any:
    ends, pole = _ends(a) | _ends(b), _gauss_pole(a, b, c)
    whole = (_ends(c - a) | _ends(c - b)) & (c - a - b == jnp.round(c - a - b))
    outside = (x > 1) & ~ends & ~whole
    c = jnp.where(pole, 1, c)  # whose result is replaced
    within = jnp.where(outside, 0, x)
    # (1 - x)^-a F(a, c - b; c; x / (x - 1)), of a and b the power that leaves no pole at 1
    turned = (within < _GAUSS_BELOW) & ~ends
    power, other = jnp.minimum(a, b), jnp.maximum(a, b)
    rest = 1 - within
    safe = jnp.where(turned, rest, 1)
    first, second = jnp.where(turned, power, a), jnp.where(turned, c - other, b)
    z, s = jnp.where(turned, within / -safe, within), jnp.where(turned, 1 / safe, rest)
    found = _gauss_inside(first, second, c, z, s) * safe**-power
    # (1 - x)^-a where b = c
    equal = ((a == c) | (b == c)) & (within < 1) & ~ends
    found = jnp.where(equal, jnp.where(equal, rest, 1) ** -jnp.where(a == c, b, a), found)
    found = jnp.where(outside | pole, jnp.inf, found)
    return jnp.where((x == 0) | (a == 0) | (b == 0), 1, found)


def _gauss_pole(a: Any, b: Any, c: Any) -> Any:
    """Whether a term is divided by zero: c is 0, -1 ... and no earlier one is zero."""
    before = (_ends(a) & (a >= c)) | (_ends(b) & (b >= c))
    return _ends(c) & ~before


def _gauss_inside(a: Any, b: Any, c: Any, z: Any, s: Any) -> Any:
    """For z of -1/2 ... 1, and any where the series ends; s is 1 - z."""
    d = c - a - b
    ends = _ends(a) | _ends(b)
    # (1 - z)^d F(c - a, c - b; c; z): if that series ends, or begins with smaller terms
    euler = ~ends & (s != 0) & (_ends(c - a) | _ends(c - b) | (d < -1))
    a, b, d = jnp.where(euler, c - a, a), jnp.where(euler, c - b, b), jnp.where(euler, -d, d)
    ends = _ends(a) | _ends(b)
    factor = jnp.where(euler, jnp.where(euler, s, 1) ** -d, 1)
    far = (z > _GAUSS_NEAR) & ~ends
    found = _gauss_series(a, b, c, jnp.where(far, 0, z))
    near_one = _gauss_near_one(*(jnp.where(far, x, y) for x, y in ((a, 0.5), (b, 0.5), (c, 1.75), (d, 0.75), (s, 0))))
    return factor * jnp.where(far, near_one, found)


def _gauss_near_one(a: Any, b: Any, c: Any, d: Any, s: Any) -> Any:
    """By series in s = 1 - z, where d = c - a - b."""
    whole = jnp.round(d)
    integer = jnp.abs(d - whole) <= float(finfo(s.dtype).eps) ** 0.5 * jnp.maximum(1, jnp.abs(whole))
    fraction = jnp.where(integer, whole + 0.25, d)
    first = _gammas((c, fraction), (c - a, c - b)) * _gauss_series(a, b, 1 - fraction, s)
    power = jnp.where(s > 0, s, 1) ** fraction
    second = _gammas((c, -fraction), (a, b)) * power * _gauss_series(c - a, c - b, 1 + fraction, s)
    second = jnp.where(s > 0, second, jnp.where(fraction > 0, 0, jnp.inf))
    return jnp.where(integer, _gauss_of_integer(a, b, c, whole, s), first + second)


def _gauss_of_integer(a: Any, b: Any, c: Any, d: Any, s: Any) -> Any:
    """For c = a + b + m with m = d: a sum of m terms and a series with a logarithm."""
    negative = d < 0
    # s^d F(c - a, c - b; c; z), whose m is not negative
    factor = jnp.where(negative, jnp.where(s > 0, s, 1) ** jnp.where(negative, d, 0), 1)
    a, b, m = jnp.where(negative, c - a, a), jnp.where(negative, c - b, b), jnp.abs(d)

    def before(k: Any) -> Any:  # of k + 1 < m
        divisor = jnp.where(k + 1 < m, (1 - m + k) * (k + 1), 1)
        return jnp.where(k + 1 < m, (a + k) * (b + k) / divisor * s, 0)

    head = _gammas((c, jnp.where(m > 0, m, 1)), (a + m, b + m)) * _series(before, s, least=m - 2)
    log = jnp.log(jnp.where(s > 0, s, 1))

    def weight(k: Any) -> Any:
        return log - digamma(k + 1) - digamma(k + m + 1) + digamma(a + k + m) + digamma(b + k + m)

    def ratio(k: Any) -> Any:
        return (a + m + k) * (b + m + k) / ((k + 1) * (k + m + 1)) * s

    zero = jnp.zeros_like(s)
    tail = weight(zero) + _series(ratio, s, weight)
    tail = tail * _gammas((c, jnp.ones_like(c)), (a, b)) / gamma(m + 1) * (-s) ** m
    tail = jnp.where(s > 0, -tail, jnp.where(m > 0, 0, jnp.inf))
    found = jnp.where(m > 0, head, 0) + tail
    return jnp.where(negative & (s == 0), jnp.inf, factor * found)


def _gauss_in_parameter(index: int) -> Callable[..., Any]:
    """The derivative in a, b or c: each term's, by the product rule from term to term."""

    def rule(tangent: Any, found: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
        turned = (x < _GAUSS_BELOW) & ~(_ends(a) | _ends(b))
        rest = jnp.where(turned, 1 - x, 1)
        other = jnp.where(turned, c - b, b)
        z = jnp.where(turned, x / -rest, x)
        # F(a, b, c, x) = rest^-a F(a, other, c, z)
        moved = [_gauss_moved(i, a, other, c, z) for i in {0: (0,), 1: (1,), 2: (1, 2)}[index]]
        if index == 2:
            moved = [jnp.where(turned, moved[0], 0) + moved[1]]
        sign = jnp.where(turned, -1, 1) if index == 1 else 1
        made = sign * rest**-a * moved[0]
        if index == 0:
            made = made - jnp.log(rest) * found
        return made * tangent

    return rule


def _gauss_moved(index: int, a: Any, b: Any, c: Any, x: Any) -> Any:
    """The sum of the terms' derivatives: t'_(k+1) = t'_k r_k + t_k r'_k."""
    epsilon = float(finfo(x.dtype).eps)
    least = -jnp.minimum(jnp.minimum(a, b), c)

    def going(state: tuple) -> Any:
        return (state[0] < _TERMS) & jnp.any(state[4])

    def step(state: tuple) -> tuple:
        i, term, change, total, active = state
        k = i.astype(x.dtype)
        rest = x / (jnp.where(c + k == 0, 1, c + k) * (k + 1))
        ratio = (a + k) * (b + k) * rest
        slope = ((b + k) * rest, (a + k) * rest, -ratio / jnp.where(c + k == 0, 1, c + k))[index]
        term, change = term * ratio, change * ratio + term * slope
        total = jnp.where(active, total + change, total)
        size = jnp.maximum(jnp.abs(change), jnp.abs(term))
        return i + 1, term, change, total, active & ((size > epsilon * jnp.abs(total)) | (k < least))

    ones = jnp.ones_like(x)
    return lax.while_loop(going, step, (0, ones, 0 * ones, 0 * ones, ones == 1))[3]


def _gauss_in_x(tangent: Any, found: Any, a: Any, b: Any, c: Any, x: Any) -> Any:
    return a * b / c * _hyp2f1(a + 1, b + 1, c + 1, x) * tangent


_hyp2f1.defjvps(*[_gauss_in_parameter(i) for i in range(3)], _gauss_in_x)
