"""`jax.scipy.cluster.vq`: vectors by the nearest one of a code book."""

from __future__ import annotations

from typing import Any

import sable.numpy as jnp
from sable import _absent
from sable.core.array import Value
from sable.library.declare import library

_absent.explain(__name__)

__all__ = ["vq"]


@library(operands=("obs", "code_book"), promotion="inexact")
def vq(obs: Any, code_book: Any, check_finite: bool = True) -> tuple[Value, Value]:
    """The nearest code of each observation, by Euclidean distance (vector quantisation).

    Args:
      obs: (m, n), a row an observation; or (m,), numbers.
      code_book: (k, n), a row a code; or (k,) with numbers.
      check_finite: without effect, as in JAX.

    Returns:
      The codes' positions, (m,) of the default integer dtype, the first one of several that are as near; and the distances, (m,).

    Raises:
      ValueError: other ranks. TypeError: observations and codes of different length.

    Example:
      >>> codes, distances = vq(jnp.array([[0.0, 0.5], [4.0, 1.0]]), jnp.array([[0.0, 0.0], [4.0, 4.0]]))
      >>> codes, distances
      (Array([0, 1], dtype=int32), Array([0.5, 3. ], dtype=float32))
    """
    del check_finite
    if obs.ndim != code_book.ndim:
        raise ValueError("Observation and code_book should have the same rank")
    if obs.ndim not in (1, 2):
        raise ValueError("ndim different than 1 or 2 are not supported")
    if obs.ndim == 1:
        obs, code_book = obs[:, None], code_book[:, None]
    if obs.shape[1] != code_book.shape[1]:
        raise TypeError(f"vq: observations of length {obs.shape[1]}, but codes of length {code_book.shape[1]}")
    distances = jnp.linalg.norm(obs[:, None] - code_book[None], axis=-1)
    codes = jnp.argmin(distances, axis=-1)
    return codes, jnp.take_along_axis(distances, codes[:, None], axis=-1)[:, 0]
