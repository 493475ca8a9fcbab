"""Zeta and polygamma functions, binomial coefficients, Bernoulli numbers."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.concretization import concretization_error
from sable.core.custom_derivatives import custom_jvp
from sable.core.dtypes import default_dtype
from sable.core.operands import array_arguments, promote_dtypes
from sable.core.trace import Tracer
from sable.library.declare import library

from ._basic import refuse_complex
from ._gamma import betaln, gamma_of_real

#: terms that are added one by one, and of the rest's expansion, by the bytes of a number
_TERMS = {2: 8, 4: 8, 8: 16}
#: up to where the gamma function is in the range, by the bytes of a number
_LARGEST_GAMMA = {2: 8.0, 4: 34.0, 8: 170.0}


def _bernoulli_numbers(n: int) -> list[Fraction]:
    """B_0, B_1 ... B_n, from the tangent numbers.

    Source: R. P. Brent and D. Harvey, "Fast computation of Bernoulli, tangent and secant numbers", 2013, algorithm 2.
    """
    half = n // 2
    tangent = [math.factorial(k) for k in range(half)]
    for k in range(1, half):
        for j in range(k, half):
            tangent[j] = (j - k) * tangent[j - 1] + (j - k + 2) * tangent[j]
    even = [Fraction((-1) ** k * 2 * (k + 1) * t, 4 ** (k + 1) * (4 ** (k + 1) - 1)) for k, t in enumerate(tangent)]
    found = [Fraction(1), Fraction(-1, 2)]
    for b in even:
        found += [b, Fraction(0)]
    return found[: n + 1]


@library
def bernoulli(n: int) -> Value:
    """The Bernoulli numbers B_0, B_1 = -1/2, ... B_n, computed exactly and rounded once.

    Args:
      n: a known integer, not negative.

    Returns:
      (n + 1,) of the default floating dtype; inf beyond its range.

    Raises:
      ValueError: n is negative. ConcretizationTypeError: it is traced. TypeError: it is no integer.

    >>> jax.scipy.special.bernoulli(4)
    Array([ 1.        , -0.5       ,  0.16666667,  0.        , -0.03333334],      dtype=float32)
    """
    if isinstance(n, Tracer):
        raise concretization_error(n, "Argument n of bernoulli")
    n = operator.index(n)
    if n < 0:
        raise ValueError("n must be a non-negative integer.")
    return jnp.asarray(np.array([_rounded(b) for b in _bernoulli_numbers(n)]), default_dtype("f"))


def _rounded(b: Fraction) -> float:
    try:
        return float(b)
    except OverflowError:
        return math.copysign(math.inf, b)


@library(operands=("N", "k"), promotion="inexact")
def comb(N: Any, k: Any, *, repetition: bool = False) -> Any:
    """The binomial coefficient N! / (k! (N - k)!), 0 where not 0 <= k <= N.

    Args:
      N: numbers of things.
      k: numbers of those taken.
      repetition: each may be taken more than once: comb(N + k - 1, k).

    >>> jax.scipy.special.comb(5, jnp.array([-1, 0, 2]))
    Array([ 0.      ,  1.      , 10.000001], dtype=float32)
    """
    if repetition:
        return jnp.where((k == 0) & (N >= 0), 1, comb(N + k - 1, k))
    inside = (k <= N) & (N >= 0) & (k >= 0)
    N, k = jnp.where(inside, N, 0), jnp.where(inside, k, 0)
    small = _LARGEST_GAMMA[N.dtype.itemsize] >= N + 1
    first, second, third = (gamma_of_real(jnp.where(small, v, 1)) for v in (N + 1, k + 1, N + 1 - k))
    quotient = first / second / third
    # of large numbers, of which a few or all but a few are taken
    found = jnp.where(small, quotient, jnp.exp(-betaln(k + 1, N + 1 - k)) / (N + 1))
    whole = (jnp.floor(N) == N) & (jnp.floor(k) == k)
    return jnp.where(inside, jnp.where(whole, jnp.round(found), found), 0)


@library(operands=("x", "q"))
def zeta(x: Any, q: Any = None) -> Any:
    """The Hurwitz zeta function, the sum of (q + k)^-x over k = 0, 1 ...; derivatives in both.

    Args:
      x, q: real numbers, x > 1.

    Raises:
      NotImplementedError: q is not given, as in JAX.

    Sources: DLMF 25.11.1; for the derivative in x F. Johansson, "Rigorous high-precision computation of the Hurwitz zeta
    function and its derivatives", Numer. Algorithms 69, 2015, formula 5.

    >>> jax.scipy.special.zeta(jnp.array([2.0, 4.0]), 1.0)
    Array([1.644934 , 1.0823232], dtype=float32)
    """
    if q is None:
        raise NotImplementedError("Riemann zeta function not implemented; pass q for the Hurwitz zeta function.")
    return _zeta(*jnp.broadcast_arrays(*promote_dtypes(array_arguments("zeta", x, q), "inexact")))


@custom_jvp
def _zeta(x: Any, q: Any) -> Any:
    return lax.zeta(x, q)


@_zeta.defjvp
def _zeta_jvp(primals: tuple, tangents: tuple) -> tuple:
    """d zeta(x, q) = -x zeta(x + 1, q) dq + (see `_zeta_slope`) dx."""
    x, q = primals
    return _zeta(x, q), tangents[0] * _zeta_slope(x, q) - tangents[1] * x * _zeta(x + 1, q)


def _zeta_slope(s: Any, a: Any) -> Any:
    """The derivative of zeta(s, a) in s, of the formula of Euler and Maclaurin:

    sum (a + k)^-s (k < n) + m^(1 - s) / (s - 1) + m^-s (1/2 + sum B_2j / (2j)! s (s + 1) ... (s + 2j - 2) / m^(2j - 1)),
    where m = a + n.
    """
    n = _TERMS[s.dtype.itemsize]
    total = jnp.zeros_like(s)
    for k in range(n):
        total = total - jnp.log(a + k) * (a + k) ** -s
    m = a + n
    log, power = jnp.log(m), m**-s
    total = total - m * power / (s - 1) * (log + 1 / (s - 1))
    # product: s (s + 1) ... / m^(2j - 1); slope: its derivative in s
    product, slope = s / m, 1 / m
    tail, tail_slope = jnp.full_like(s, 0.5), jnp.zeros_like(s)
    for j, b in enumerate(_bernoulli_numbers(2 * n)[2::2], 1):
        coefficient = float(b / math.factorial(2 * j))
        tail, tail_slope = tail + coefficient * product, tail_slope + coefficient * slope
        for i in (2 * j - 1, 2 * j):
            product, slope = product * (s + i) / m, (slope * (s + i) + product) / m
    return total + power * (tail_slope - log * tail)


@library(operands=("n", "x"))
def polygamma(n: Any, x: Any) -> Any:
    """The polygamma function, the n-th derivative of `digamma`.

    Args:
      n: integers, not negative.
      x: real numbers.

    Raises:
      ValueError: n is of no integer dtype, or x is complex.

    Source: DLMF 5.15.

    >>> jax.scipy.special.polygamma(1, jnp.array([1.0, 2.5]))
    Array([1.644934  , 0.49035776], dtype=float32)
    """
    order, _ = array_arguments("polygamma", n, x)
    if order.dtype.kind not in "iu":
        raise ValueError(f"Argument `n` to polygamma must be of integer type. Got dtype {order.dtype}.")
    n, x = promote_dtypes(array_arguments("polygamma", n, x), "inexact")
    refuse_complex("polygamma", x)
    return lax.polygamma(*jnp.broadcast_arrays(n, x))
