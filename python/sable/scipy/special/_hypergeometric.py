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

from ._basic import digamma, gamma, refuse_complex

#: terms of a series at most
_TERMS = 500


def _series(ratio: Callable[[Any], Any], like: Any, weight: Callable[[Any], Any] | None = None) -> Value:
    """The sum of weight(k) t_k over k = 0, 1 ..., where t_0 = 1 and t_(k + 1) = ratio(k) t_k; the weight is 1 by default.

    It ends where a term no longer counts or grows again, as those of asymptotic series do.
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
        return i + 1, term, total, active & (jnp.abs(added) > epsilon * jnp.abs(total))

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
