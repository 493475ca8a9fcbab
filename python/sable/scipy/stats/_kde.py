"""Densities estimated from samples, with normal kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sable.numpy as jnp
from sable import random
from sable.core.array import Value
from sable.core.operands import array_argument, promote_dtypes
from sable.pytree.register import register_pytree_node_class

from .. import linalg
from ..special import logsumexp, ndtr


def _factor(bw_method: Any, kde: gaussian_kde) -> Any:
    """By how much the deviations of the kernels are smaller than those of the data."""
    d = kde.d
    if bw_method is None or (isinstance(bw_method, str) and bw_method == "scott"):
        return jnp.power(kde.neff, -1.0 / (d + 4))
    if isinstance(bw_method, str) and bw_method == "silverman":
        return jnp.power(kde.neff * (d + 2) / 4.0, -1.0 / (d + 4))
    if jnp.isscalar(bw_method) and not isinstance(bw_method, str):
        return bw_method
    if callable(bw_method):
        return bw_method(kde)
    raise ValueError("`bw_method` should be 'scott', 'silverman', a scalar, or a callable.")


@register_pytree_node_class
@dataclass(frozen=True, init=False, slots=True)
class gaussian_kde:
    """A density estimated from samples: a normal distribution around each, of the covariance of the data times a factor.

    An instance is a pytree of its attributes and may be passed to transformed functions.

    Args:
      dataset: (n,) or (d, n): n samples of d components.
      bw_method: the factor of deviations: "scott" (the default), neff^(-1/(d + 4)); "silverman",
        (neff (d + 2)/4)^(-1/(d + 4)); a scalar; or a function of the instance.
      weights: (n,) weights of the samples, by default equal.

    Attributes:
      dataset: (d, n). weights: (n,), of the sum 1. neff: 1 / sum(weights^2).
      covariance, inv_cov: (d, d), of one kernel, and its inverse.

    Raises:
      NotImplementedError: complex samples. ValueError: fewer than two numbers, weights of another shape, another bw_method.

    Sources: D. W. Scott, "Multivariate Density Estimation", 1992; B. W. Silverman, "Density Estimation for Statistics and
    Data Analysis", 1986.

    >>> kde = jax.scipy.stats.gaussian_kde(jnp.array([0.0, 1.0, 3.0]))
    >>> kde(jnp.array([0.5, 2.0]))
    Array([0.21316575, 0.18421534], dtype=float32)
    """

    neff: Any
    dataset: Any
    weights: Any
    covariance: Any
    inv_cov: Any

    def __init__(self, dataset: Any, bw_method: str | Value | Callable | None = None, weights: Any = None):
        samples = jnp.atleast_2d(array_argument("gaussian_kde", dataset))
        if samples.dtype.kind == "c":
            raise NotImplementedError("gaussian_kde does not support complex data")
        if samples.size <= 1:
            raise ValueError("`dataset` input should have multiple elements.")
        n = samples.shape[1]
        if weights is None:
            (samples,) = promote_dtypes([samples], "inexact")
            weights = jnp.full(n, 1.0 / n, dtype=samples.dtype)
        else:
            samples, weights = promote_dtypes([samples, array_argument("gaussian_kde", weights)], "inexact")
            weights = jnp.atleast_1d(weights)
            weights = weights / jnp.sum(weights)
            if weights.ndim != 1:
                raise ValueError("`weights` input should be one-dimensional.")
            if weights.shape[0] != n:
                raise ValueError("`weights` input should be of length n")
        _set(self, dataset=samples, weights=weights, neff=1 / jnp.sum(weights**2))
        factor = _factor(bw_method, self)
        covariance = jnp.atleast_2d(jnp.cov(samples, rowvar=True, bias=False, aweights=weights))
        _set(self, covariance=covariance * factor**2, inv_cov=jnp.linalg.inv(covariance) / factor**2)

    def tree_flatten(self) -> tuple[tuple, None]:
        """The five attributes, and nothing besides."""
        return (self.neff, self.dataset, self.weights, self.covariance, self.inv_cov), None

    @classmethod
    def tree_unflatten(cls, aux_data: None, children: tuple) -> gaussian_kde:
        """An instance of these attributes."""
        made = cls.__new__(cls)
        _set(made, **dict(zip(("neff", "dataset", "weights", "covariance", "inv_cov"), children)))
        return made

    @property
    def d(self) -> int:
        """The number of components."""
        return self.dataset.shape[0]

    @property
    def n(self) -> int:
        """The number of samples."""
        return self.dataset.shape[1]

    def evaluate(self, points: Any) -> Value:
        """The density at points, (m,) or (d, m), or one point, (d,): (m,)."""
        exponents, weights = self._exponents("evaluate", points)
        return jnp.sum(weights[None] * jnp.exp(exponents), axis=1)

    __call__ = evaluate
    pdf = evaluate

    def logpdf(self, x: Any) -> Value:
        """The logarithm of the density at points, accurate where that is tiny."""
        exponents, weights = self._exponents("logpdf", x)
        return logsumexp(jnp.log(weights)[None] + exponents, axis=1)

    def integrate_gaussian(self, mean: Any, cov: Any) -> Value:
        """The integral of the product with the normal density of mean (d,) and covariance (d, d)."""
        mean, cov = jnp.atleast_1d(jnp.squeeze(mean)), jnp.atleast_2d(cov)
        if mean.shape != (self.d,):
            raise ValueError(f"mean does not have dimension {self.d}")
        if cov.shape != (self.d, self.d):
            raise ValueError(f"covariance does not have dimension {self.d}")
        return _overlaps(self, mean[:, None], self.covariance + cov)[0]

    def integrate_box_1d(self, low: Any, high: Any) -> Value:
        """The probability of low <= x <= high, of one component."""
        if self.d != 1:
            raise ValueError("integrate_box_1d() only handles 1D pdfs")
        if jnp.ndim(low) != 0 or jnp.ndim(high) != 0:
            raise ValueError("the limits of integration in integrate_box_1d must be scalars")
        deviation = jnp.squeeze(jnp.sqrt(self.covariance))
        ends = [jnp.squeeze((end - self.dataset) / deviation) for end in (low, high)]
        return jnp.sum(self.weights * (ndtr(ends[1]) - ndtr(ends[0])))

    def integrate_kde(self, other: gaussian_kde) -> Value:
        """The integral of the product with another estimated density."""
        if other.d != self.d:
            raise ValueError("KDEs are not the same dimensionality")
        return jnp.sum(_overlaps(self, other.dataset, self.covariance + other.covariance) * other.weights)

    def resample(self, key: Any, shape: tuple[int, ...] = ()) -> Value:
        """Random samples of the density: (d, *shape); the key is a random key."""
        which, noise = random.split(key)
        index = random.choice(which, self.n, shape=shape, p=self.weights)
        mean = jnp.zeros(self.d, self.covariance.dtype)
        around = random.multivariate_normal(noise, mean, self.covariance, shape=shape, dtype=self.dataset.dtype)
        return self.dataset[:, index] + around.T

    def integrate_box(self, low_bounds: Any, high_bounds: Any, maxpts: Any = None) -> Value:
        """Refused, as in JAX."""
        raise NotImplementedError("only 1D box integrations are supported; use `integrate_box_1d`")

    def set_bandwidth(self, bw_method: Any = None) -> None:
        """Refused, as in JAX."""
        raise NotImplementedError("dynamically changing the bandwidth method is not supported")

    def _exponents(self, name: str, points: Any) -> tuple[Any, Any]:
        """log of the kernel of each sample (second axis) at each point (first axis), and the weights."""
        x = jnp.atleast_2d(array_argument(name, points))
        if x.dtype.kind == "c":
            raise NotImplementedError("gaussian_kde does not support complex coordinates")
        if x.shape[0] != self.d:
            if x.shape != (1, self.d):
                raise ValueError(f"points have dimension {x.shape[0]}, dataset has dimension {self.d}")
            x = x.reshape(self.d, 1)
        x, data, precision, weights = promote_dtypes([x, self.dataset, self.inv_cov, self.weights], "inexact")
        whitening = jnp.linalg.cholesky(precision)
        log_norm = jnp.sum(jnp.log(jnp.diagonal(whitening))) - 0.5 * self.d * math.log(2 * math.pi)
        apart = jnp.dot(x.T, whitening)[:, None, :] - jnp.dot(data.T, whitening)[None, :, :]
        return log_norm - 0.5 * jnp.sum(jnp.square(apart), axis=-1), weights


def _set(kde: gaussian_kde, **values: Any) -> None:
    """Set attributes of an instance, which is frozen for all others."""
    for name, value in values.items():
        object.__setattr__(kde, name, value)


def _overlaps(kde: gaussian_kde, means: Any, covariance: Any) -> Any:
    """At each of m means (d, m) the sum of normal densities of that covariance around the samples: (m,)."""
    factor = linalg.cholesky(covariance, lower=True)
    apart = means[:, :, None] - kde.dataset[:, None, :]
    whitened = linalg.solve_triangular(factor, apart.reshape(kde.d, -1), lower=True).reshape(apart.shape)
    norm = math.sqrt(2 * math.pi) ** kde.d * jnp.prod(jnp.diagonal(factor))
    return jnp.sum(jnp.exp(-0.5 * jnp.sum(jnp.square(whitened), axis=0)) * kde.weights[None], axis=-1) / norm
