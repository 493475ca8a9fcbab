"""Sums, products and extremes of segments (the interface of `jax.ops`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sable import _absent
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.dtypes import iinfo
from sable.core.operands import (
    INT32,
    array_arguments,
    convert,
    filled,
    full_like,
    known_integer,
    known_values,
    reshape_to,
)
from sable.lax.gathering import GatherScatterMode
from sable.library.declare import library
from sable.numpy.indexing.update import write

__all__ = ["segment_max", "segment_min", "segment_prod", "segment_sum"]

_absent.explain(__name__)


def _end(dtype: np.dtype, highest: bool) -> Any:
    """The highest or the lowest value of a dtype, infinities among them."""
    if dtype.kind == "b":
        return highest
    if dtype.kind in "iu":
        return iinfo(dtype).max if highest else iinfo(dtype).min
    return np.inf if highest else -np.inf


def _segment_function(
    name: str, what: str, mnemonic: str, reduction: str, neutral: Callable[[np.dtype], Any], example: str
) -> Any:
    text = f"""{what} of the rows of an array that belong to the same segment.

    Args:
      data: array; its first axis is the rows'.
      segment_ids: for each row the number of its segment, integers; rows with a number outside are left out.
      num_segments: how many segments there are, which traced ids need; None: the highest number plus 1.
      indices_are_sorted, unique_indices: promises about the ids.
      bucket_size: rows are combined in buckets of so many, and then the buckets; None: all at once.
      mode: what becomes of numbers outside: "drop" (the default), "clip" or "promise_in_bounds".

    Returns:
      Array in the dtype of `data` whose first axis has the segments; empty ones hold what changes nothing.

    Raises:
      ValueError: a negative number of segments; shapes that do not fit.
      ConcretizationTypeError: traced ids and no `num_segments`.
    """

    @library(name=name, text=text, example=example)
    def run(
        data: Any,
        segment_ids: Any,
        num_segments: int | None = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        bucket_size: int | None = None,
        mode: Any = None,
    ) -> Value:
        rows, ids = array_arguments(name, data, segment_ids)
        if num_segments is None:
            num_segments = (
                int(np.max(known_values(ids, f"{name}() needs `num_segments` where the ids are traced."))) + 1
            )
        num_segments = known_integer(num_segments, f"{name}() `num_segments` argument.")
        if num_segments < 0:
            raise ValueError("num_segments must be non-negative.")
        shape, index = (num_segments, *rows.aval.shape[1:]), (ids,)
        if bucket_size is not None:
            n = ids.aval.shape[0]
            shape = (-(-n // bucket_size), *shape)
            line = BIND.iota(shape=(n,), dtype=INT32, iota_dimension=0)
            index = (BIND.divide(line, full_like(line, bucket_size)), reshape_to(ids, (1, *ids.aval.shape)))
        made = write(
            mnemonic,
            filled(shape, rows.aval.dtype, neutral(rows.aval.dtype)),
            index,
            rows,
            mode=GatherScatterMode.FILL_OR_DROP if mode is None else mode,
            wrap_negative_indices=False,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )
        if bucket_size is None:
            return made
        return convert(getattr(BIND, reduction)(made, dimensions=(0,)), rows.aval.dtype)

    return run


segment_sum = _segment_function(
    "segment_sum",
    "The sums",
    "scatter_add",
    "reduce_sum",
    lambda dtype: 0,
    ">>> jax.ops.segment_sum(jnp.array([1., 2., 3., 4.]), jnp.array([0, 2, 0, 9]), num_segments=3)\n"
    "Array([4., 0., 2.], dtype=float32)",
)
segment_prod = _segment_function(
    "segment_prod",
    "The products",
    "scatter_mul",
    "reduce_prod",
    lambda dtype: 1,
    ">>> jax.ops.segment_prod(jnp.array([1., 2., 3., 4.]), jnp.array([0, 2, 0, 9]), num_segments=3)\n"
    "Array([3., 1., 2.], dtype=float32)",
)
segment_max = _segment_function(
    "segment_max",
    "The greatest",
    "scatter_max",
    "reduce_max",
    lambda dtype: _end(dtype, False),
    ">>> jax.ops.segment_max(jnp.array([1., 2., 3., 4.]), jnp.array([0, 2, 0, 9]), num_segments=3)\n"
    "Array([  3., -inf,   2.], dtype=float32)",
)
segment_min = _segment_function(
    "segment_min",
    "The least",
    "scatter_min",
    "reduce_min",
    lambda dtype: _end(dtype, True),
    ">>> jax.ops.segment_min(jnp.array([1., 2., 3., 4.]), jnp.array([0, 2, 0, 9]), num_segments=3)\n"
    "Array([ 1., inf,  2.], dtype=float32)",
)
