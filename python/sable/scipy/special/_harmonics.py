"""Bessel functions of the first kind and spherical harmonics, by recurrences."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import lax
from sable.core.array import Value
from sable.core.concretization import concretization_error
from sable.core.dtypes import finfo
from sable.core.operands import array_arguments, known_integer, promote_dtypes
from sable.core.trace import Tracer
from sable.library.declare import library


@library(operands=("z",))
def bessel_jn(z: Any, *, v: int, n_iter: int = 50) -> Value:
    """The Bessel functions of the first kind J_0, J_1, ... J_v.

    Args:
      z: real numbers.
      v: the highest order, a known integer.
      n_iter: where the recurrence, which goes downwards, begins; a known integer, well above v and |z|.

    Returns:
      (v + 1, *z.shape).

    Raises:
      ValueError: complex numbers. ConcretizationTypeError: v or n_iter is traced.

    Sources: J. C. P. Miller's algorithm (DLMF 3.6(iii)) for quotients of neighbours, which do not overflow; 10.6.1, 10.12.4.

    >>> jax.scipy.special.bessel_jn(jnp.array([0.5, 2.0]), v=1)
    Array([[0.93846977, 0.22389075],
           [0.24226844, 0.57672477]], dtype=float32)
    """
    (z,) = promote_dtypes([jnp.asarray(z)], "inexact")
    if z.dtype.kind == "c":
        raise ValueError("complex input not supported.")
    if isinstance(v, Tracer):
        raise concretization_error(v, "Argument v of bessel_jn.")
    order, count = operator.index(v), known_integer(n_iter, "Argument n_iter of bessel_jn.")

    def step(ratio: Any, k: Any) -> tuple:
        # J_k / J_(k - 1) = 1 / (2 k / z - J_(k + 1) / J_k)
        below = 2 * k / z - ratio
        found = 1 / jnp.where(below == 0, tiny, below)
        return found, found

    tiny = float(finfo(z.dtype).tiny) ** 0.5
    orders = jnp.arange(1, max(order, count) + 1, dtype=z.dtype)
    _, ratios = lax.scan(step, jnp.zeros_like(z), orders, reverse=True)
    products = jnp.cumprod(jnp.concatenate([jnp.ones_like(z)[None], ratios]), axis=0)
    # J_0 + 2 J_2 + 2 J_4 ... = 1
    return products[: order + 1] / (2 * jnp.sum(products[::2], axis=0, keepdims=True) - 1)


@library(operands=("n", "m", "theta", "phi"))
def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, diff_n: int | None = None, n_max: int | None = None) -> Value:
    """The spherical harmonics of degree n and order m, orthonormal on the sphere.

    Args:
      n, m: (k,) integers, |m| <= n.
      theta: (k,) polar angles, from 0 to pi.
      phi: (k,) azimuths.
      diff_n: must be None.
      n_max: the highest degree, by default that of n, which must then be known; under transformations it has to be given.

    Returns:
      (k,) complex numbers.

    Raises:
      NotImplementedError: diff_n is given. ConcretizationTypeError: the highest degree is not known.

    Sources: DLMF 14.30.1; normalized recurrences of T. Limpanuparb and J. Milthorpe, "Associated Legendre polynomials and
    spherical harmonics computation for chemistry applications", 2014.

    >>> jax.scipy.special.sph_harm_y(jnp.array([1]), jnp.array([0]), jnp.array([0.5]), jnp.array([0.0]))
    Array([0.42878905+0.j], dtype=complex64)
    """
    if diff_n is not None:
        raise NotImplementedError("The 'diff_n' argument to jax.scipy.special.sph_harm_y is not supported.")
    if n_max is None:
        if isinstance(n, Tracer):
            raise concretization_error(n, "The `n_max` argument of `jnp.scipy.special.sph_harm_y` must be given.")
        n_max = int(np.max(np.asarray(n)))
    top = known_integer(n_max, "The `n_max` argument of `jnp.scipy.special.sph_harm_y`")
    n, m, theta, phi = array_arguments("sph_harm_y", n, m, theta, phi)
    theta, phi = promote_dtypes([jnp.atleast_1d(theta), phi], "inexact")
    size = jnp.abs(m)
    legendre = _legendre(jnp.minimum(n, top), size, theta, top)
    found = lax.complex(*jnp.broadcast_arrays(legendre * jnp.cos(size * phi), legendre * jnp.sin(size * phi)))
    return jnp.where(m < 0, jnp.where(size % 2 == 0, 1, -1) * jnp.conj(found), found)


def _legendre(n: Any, m: Any, theta: Any, top: int) -> Any:
    """The associated Legendre functions of cos(theta), times their factor in spherical harmonics.

    P_m^m = -sqrt(1 + 1/(2m)) |sin(theta)| P_(m-1)^(m-1), and upwards in the degree l
    P_l = a_l (cos(theta) P_(l-1) - P_(l-2) / a_(l-1)), a_l = sqrt((4 l^2 - 1) / (l^2 - m^2)).
    """
    n, m, theta = jnp.broadcast_arrays(n, m, theta)
    x, y = jnp.cos(theta), jnp.abs(jnp.sin(theta))
    here = jnp.full_like(theta, 0.5 / math.sqrt(math.pi))
    for k in range(1, top + 1):
        here = jnp.where(k <= m, -math.sqrt(1 + 0.5 / k) * y * here, here)
    order = m.astype(theta.dtype)
    before, inverse = jnp.zeros_like(here), jnp.zeros_like(here)
    for degree in range(1, top + 1):
        scale = jnp.sqrt((4 * degree**2 - 1) / jnp.maximum(degree**2 - order * order, 1))
        now = scale * (x * here - before * inverse)
        going = (degree > m) & (degree <= n)
        before, here = jnp.where(going, here, before), jnp.where(going, now, here)
        inverse = jnp.where(going, 1 / scale, inverse)
    return jnp.where(m <= n, here, 0)
