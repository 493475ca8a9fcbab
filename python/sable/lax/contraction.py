"""Products of arrays: dot, dot_general, batch_matmul."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import integers, value_of, values_of
from sable.core.precision import DotAlgorithm, DotAlgorithmPreset, precision_config
from sable.core.values import retype
from sable.ir.codec import DotDimensions
from sable.library.declare import library

DotDimensionNumbers = tuple[tuple[Sequence[int], Sequence[int]], tuple[Sequence[int], Sequence[int]]]


PrecisionLike = Any


@functools.cache
def _rank(dtype: np.dtype) -> tuple:
    """Order of dtypes by what they hold, as XLA compares the operands of products: complex, range, digits, bits, sign."""
    kind = dtypes.kind_of(dtype)
    bits = 8 * dtype.itemsize
    if kind in "fc":
        info = dtypes.finfo(dtype)
        return kind == "c", info.maxexp, info.nmant, bits, False
    return False, -1, -1, 1 if kind == "b" else bits, kind == "i"


def check_not_narrower(dtype: np.dtype, preferred: np.dtype) -> None:
    """Only products of floats may be asked for in fewer bits.

    Raises:
      TypeError: naming both.
    """
    if dtypes.kind_of(dtype) != "f" and dtype != preferred and _bits(preferred) < _bits(dtype):
        raise TypeError(
            f"`preferred_element_type` must not be narrower than the original type, got preferred_element_type of "
            f"{preferred.name} for result type of {dtype.name}."
        )


def _bits(dtype: np.dtype) -> int:
    """Of a number; of the parts of a complex one."""
    kind = dtypes.kind_of(dtype)
    if kind == "b":
        return 1
    return (dtypes.finfo if kind in "fc" else dtypes.iinfo)(dtype).bits


@library
def dot_general(
    lhs: Any,
    rhs: Any,
    dimension_numbers: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
    *,
    out_sharding: Any = None,
) -> Value:
    """Sums of products over contracting dimensions, for each index of batch dimensions.

    Args:
      lhs, rhs: arrays.
      dimension_numbers: ((lhs contracting, rhs contracting), (lhs batch, rhs batch)).
      precision: a Precision, its name, or one for each operand.
      preferred_element_type: dtype to accumulate in and to return; by default the operands' common one.
      out_sharding: without effect.

    Returns:
      An array of the batch dimensions, the lhs's other dimensions and the rhs's other dimensions.

    Raises:
      TypeError: dimensions that do not fit.
      ValueError: an unknown precision.

    Example:
      >>> x, y = jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))
      >>> lax.dot_general(x, y, (((2,), (1,)), ((0,), (0,)))).shape
      (5, 2, 4)
      >>> lax.dot_general(jnp.int8([100, 100]), jnp.int8([2, 2]), (((0,), (0,)), ((), ())), preferred_element_type=jnp.int32)
      Array(400, dtype=int32)
    """
    x, y = values_of("dot_general", lhs, rhs)
    (lhs_contract, rhs_contract), (lhs_batch, rhs_batch) = dimension_numbers
    numbers = DotDimensions(integers(lhs_batch), integers(rhs_batch), integers(lhs_contract), integers(rhs_contract))
    if preferred_element_type is not None:
        dtype, weak = np.dtype(dtypes.user_dtype(preferred_element_type, "dot_general")), False
        if not isinstance(precision, (DotAlgorithm, DotAlgorithmPreset)):
            check_not_narrower(max((x.aval.dtype, y.aval.dtype), key=_rank), dtype)
    else:
        dtype, weak = max((x.aval.dtype, y.aval.dtype), key=_rank), x.aval.weak_type and y.aval.weak_type
    found = BIND.dot_general(
        x,
        y,
        dot_dimension_numbers=numbers,
        precision_config=precision_config(precision),
        preferred_element_type=np.dtype(dtype),
    )
    return retype(found, weak)


@library
def dot(
    lhs: Any,
    rhs: Any,
    *,
    dimension_numbers: Any = None,
    precision: Any = None,
    preferred_element_type: Any = None,
    out_sharding: Any = None,
) -> Value:
    """The product of vectors and matrices, in any combination; or `dot_general` with dimension numbers.

    Args:
      lhs, rhs: vectors or matrices; the last dimension of the lhs is the first of the rhs.
      dimension_numbers: as for `dot_general`, of arrays of any rank.
      precision, preferred_element_type: as for `dot_general`.
      out_sharding: without effect.

    Returns:
      An array of the dimensions that are left.

    Raises:
      TypeError: sizes that do not fit.
      ValueError: other ranks without dimension numbers.

    Example:
      >>> lax.dot(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 1]))
      Array([3, 7], dtype=int32)
    """
    x, y = value_of(lhs, "dot"), value_of(rhs, "dot", 1)
    if dimension_numbers is None:
        a, b = x.aval.shape, y.aval.shape
        if not (1 <= len(a) <= 2 and 1 <= len(b) <= 2 and a[-1] == b[0]):
            raise ValueError(
                "jax.lax.dot: dimension_numbers must be specified when not performing simple un-batched matrix-matrix, "
                f"matrix-vector, or vector-vector products; got lhs_shape={a} rhs_shape={b}"
            )
        dimension_numbers = (((len(a) - 1,), (0,)), ((), ()))
    return dot_general(x, y, dimension_numbers, precision, preferred_element_type)


@library
def batch_matmul(lhs: Any, rhs: Any, precision: Any = None) -> Value:
    """Products of the matrices in the last two dimensions; the others are equal.

    Args:
      lhs: (..., n, k).
      rhs: (..., k, m).
      precision: as for `dot_general`.

    Returns:
      (..., n, m).

    Raises:
      ValueError: ranks below 2, or that differ.
      TypeError: sizes that do not fit.

    Example:
      >>> lax.batch_matmul(jnp.ones((5, 2, 3)), jnp.ones((5, 3, 4))).shape
      (5, 2, 4)
    """
    x, y = values_of("batch_matmul", lhs, rhs)
    n = x.aval.ndim
    if min(n, y.aval.ndim) < 2:
        raise ValueError(f"Arguments to batch_matmul must be at least 2D, got {n}, {y.aval.ndim}")
    if n != y.aval.ndim:
        raise ValueError(f"Arguments to batch_matmul must have same ndim, got {n}, {y.aval.ndim}")
    batch = tuple(range(n - 2))
    return dot_general(x, y, (((n - 1,), (n - 2,)), (batch, batch)), precision)
