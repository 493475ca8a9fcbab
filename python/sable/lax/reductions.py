"""Reductions, cumulative reductions, positions of extremes, and reductions by any associative function."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable._config import config
from sable.core import dtypes
from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.operands import broadcast_operands, integers, normal_axis, value_of
from sable.core.values import as_value, retype
from sable.dialects.ops import cumulative
from sable.dialects.ops.bodies import single_op
from sable.ir.op import OPS
from sable.library.declare import library
from sable.tree_util import tree_flatten, tree_unflatten

from .bodies import combiner, is_neutral, operands_of

# ---- by an op ------------------------------------------------------------------------------------------------


_SUM = OPS["reduce_sum"]
_HALVES = (np.dtype(np.float16), dtypes.bfloat16)


def _reduction(name: str, text: str, takes: str, example: str) -> Callable:
    op = OPS[name]

    text = f"""{text} over dimensions, which go.

    Args:
      operand: {takes}.
      axes: dimensions, not negative.
      out_sharding: without effect.

    Raises:
      TypeError: another dtype.
      ValueError: dimensions out of bounds or there twice.
    """

    @library(name=name, text=text, example=example)
    def run(operand: Any, axes: Sequence[int], *, out_sharding: Any = None) -> Value:
        value = value_of(operand, name)
        halves = op is _SUM and value.dtype in _HALVES and not config.jax_allow_f16_reductions
        if halves and any(value.aval.shape[d : d + 1] != (1,) for d in integers(axes)):
            raise ValueError(
                f"{name} on operand {value.aval.short()} is not allowed when jax_allow_f16_reductions=False."
            )
        return bind(op, value, dimensions=integers(axes))

    return run


_NUMBERS, _BITS = "integers, floats or complex numbers", "booleans or integers"

reduce_sum = _reduction(
    "reduce_sum", "The sum", _NUMBERS, ">>> lax.reduce_sum(jnp.ones((2, 3)), (1,))\nArray([3., 3.], dtype=float32)"
)
reduce_prod = _reduction(
    "reduce_prod", "The product", _NUMBERS, ">>> lax.reduce_prod(jnp.array([2, 3, 4]), (0,))\nArray(24, dtype=int32)"
)
reduce_max = _reduction(
    "reduce_max",
    "The largest element (NaN if there is one, -inf if there is none)",
    "an array",
    ">>> lax.reduce_max(jnp.ones((0, 2)), (0,))\nArray([-inf, -inf], dtype=float32)",
)
reduce_min = _reduction(
    "reduce_min",
    "The smallest element (NaN if there is one, inf if there is none)",
    "an array",
    ">>> lax.reduce_min(jnp.array([3., jnp.nan, 1.]), (0,))\nArray(nan, dtype=float32)",
)
reduce_and = _reduction(
    "reduce_and", "Bitwise and", _BITS, ">>> lax.reduce_and(jnp.array([True, False]), (0,))\nArray(False, dtype=bool)"
)
reduce_or = _reduction(
    "reduce_or", "Bitwise or", _BITS, ">>> lax.reduce_or(jnp.array([1, 2, 4]), (0,))\nArray(7, dtype=int32)"
)
reduce_xor = _reduction(
    "reduce_xor", "Bitwise exclusive or", _BITS, ">>> lax.reduce_xor(jnp.array([7, 2]), (0,))\nArray(5, dtype=int32)"
)


def _cumulative(name: str, text: str, takes: str, example: str) -> Callable:
    op = OPS[name]

    text = f"""{text} of each element and all before it along an axis.

    Args:
      operand: {takes}.
      axis: not negative.
      reverse: of each element and all behind it.

    Returns:
      An array of the operand's shape and dtype.

    Raises:
      TypeError: another dtype.
      ValueError: no such axis.
    """

    @library(name=name, text=text, example=example)
    def run(operand: Any, axis: int = 0, reverse: bool = False) -> Value:
        x = value_of(operand, name)
        if axis < 0:
            raise ValueError("XLA operations do not allow negative axes")
        return bind(op, x, axis=int(axis), reverse=bool(reverse))

    return run


cumsum = _cumulative(
    "cumsum", "The sum", _NUMBERS, ">>> lax.cumsum(jnp.array([1, 2, 3]), reverse=True)\nArray([6, 5, 3], dtype=int32)"
)
cumprod = _cumulative(
    "cumprod", "The product", _NUMBERS, ">>> lax.cumprod(jnp.array([1, 2, 3]))\nArray([1, 2, 6], dtype=int32)"
)
cummax = _cumulative(
    "cummax", "The largest", _NUMBERS, ">>> lax.cummax(jnp.array([1, 3, 2]))\nArray([1, 3, 3], dtype=int32)"
)
cummin = _cumulative(
    "cummin", "The smallest", _NUMBERS, ">>> lax.cummin(jnp.array([2, 3, 1]))\nArray([2, 2, 1], dtype=int32)"
)
cumlogsumexp = _cumulative(
    "cumlogsumexp",
    "The logarithm of the sum of exponentials",
    "floats or complex numbers",
    ">>> lax.cumlogsumexp(jnp.array([999., 999.])).round(2)\nArray([999.  , 999.69], dtype=float32)",
)


@library
def argmax(operand: Any, axis: int, index_dtype: Any) -> Value:
    """Along an axis, which goes, the position of the first largest element (of the first NaN, if there is one).

    Args:
      operand: an array, not complex.
      axis: not negative.
      index_dtype: an integer dtype, that of the result.

    Raises:
      ValueError: no such axis, or one without elements.
      TypeError: `index_dtype` is no integer dtype, or complex elements.

    Example:
      >>> lax.argmax(jnp.array([1., 3., 3.]), 0, jnp.int32)
      Array(1, dtype=int32)
    """
    dtype = dtypes.user_dtype(index_dtype, "argmax")
    return BIND.argmax(value_of(operand, "argmax"), axis=int(axis), index_dtype=dtype)


@library
def argmin(operand: Any, axis: int, index_dtype: Any) -> Value:
    """Along an axis, which goes, the position of the first smallest element; see `argmax`.

    Args:
      operand: an array, not complex.
      axis: not negative.
      index_dtype: an integer dtype, that of the result.

    Raises:
      ValueError, TypeError: as of `argmax`.

    Example:
      >>> lax.argmin(jnp.array([3., 1., jnp.nan]), 0, jnp.int32)
      Array(2, dtype=int32)
    """
    dtype = dtypes.user_dtype(index_dtype, "argmin")
    return BIND.argmin(value_of(operand, "argmin"), axis=int(axis), index_dtype=dtype)


# ---- sorting -------------------------------------------------------------------------------------------------


@library
def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """Sorts along a dimension, ascending, NaN last.

    Args:
      operand: an array, or a sequence of arrays of one shape which are sorted together.
      dimension: along which.
      is_stable: accepted; equal elements always keep their order.
      num_keys: how many of the arrays, from the first one, decide the order.

    Returns:
      The sorted array, or a tuple of them.

    Raises:
      TypeError: no arrays, or of different shapes.
      ValueError: no such dimension or number of keys.

    Example:
      >>> lax.sort(jnp.array([3., jnp.nan, 1.]))
      Array([ 1.,  3., nan], dtype=float32)
      >>> lax.sort([jnp.array([2, 1, 2]), jnp.array([5, 6, 4])], num_keys=2)
      (Array([1, 2, 2], dtype=int32), Array([6, 4, 5], dtype=int32))
    """
    if isinstance(operand, Sequence) and not isinstance(operand, Value):
        if len(operand) == 0:
            raise TypeError("Sort requires at least one operand")
        values = [value_of(x, "sort", i) for i, x in enumerate(operand)]
        place = normal_axis(dimension, values[0].aval.ndim)
        return tuple(BIND.sort(*values, dimension=place, num_keys=int(num_keys), is_stable=bool(is_stable)))
    x = value_of(operand, "sort")
    place = normal_axis(dimension, x.aval.ndim)
    return BIND.sort(x, dimension=place, num_keys=1, is_stable=bool(is_stable))[0]


@library
def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> tuple[Value, Value]:
    """Keys sorted along a dimension, and values moved as their keys are; see `sort`.

    Args:
      keys, values: arrays of one shape.
      dimension, is_stable: as of `sort`.

    Raises:
      TypeError: different shapes.
      ValueError: no such dimension.

    Example:
      >>> lax.sort_key_val(jnp.array([3, 1, 2]), jnp.array([10, 20, 30]))
      (Array([1, 2, 3], dtype=int32), Array([20, 30, 10], dtype=int32))
    """
    return sort((keys, values), dimension, is_stable)


@library
def top_k(operand: Any, k: int, *, axis: int = -1) -> list[Value]:
    """The k largest elements along an axis, from the largest on, and their positions (int32).

    Of equal elements the first comes first. Floats are in total order: -NaN, -inf, ..., -0, 0, ..., inf, NaN.

    Args:
      operand: an array, not complex.
      k: how many.
      axis: along which.

    Raises:
      ValueError: no such axis; k negative or larger than the axis; complex elements.

    Example:
      >>> lax.top_k(jnp.array([3, 1, 4, 1, 5]), 2)
      [Array([5, 4], dtype=int32), Array([4, 2], dtype=int32)]
    """
    x = value_of(operand, "top_k")
    if dtypes.kind_of(x.aval.dtype) == "c":
        raise ValueError("top_k is not compatible with complex inputs.")
    if k < 0:  # traced ones have no truth value
        raise ValueError(f"k argument to top_k must be nonnegative, got {k}")
    k = operator.index(k)
    place = normal_axis(axis, x.aval.ndim)
    shape = x.aval.shape
    if not shape or shape[place] < k:
        raise ValueError(
            f"k argument to top_k must be no larger than size along axis; got k={k} with "
            f"shape={list(shape)} and axis={place}"
        )
    last = len(shape) - 1
    if place == last:
        return list(BIND.top_k(x, k=k))
    order = (*[i for i in range(len(shape)) if i != place], place)
    back = tuple(map(order.index, range(len(shape))))
    return [BIND.transpose(v, permutation=back) for v in BIND.top_k(BIND.transpose(x, permutation=order), k=k)]


def _check_approximate(x: Value, k: int, axis: int) -> None:
    if k <= 0:
        raise ValueError(f"k must be positive, got {k}")
    if not x.aval.shape:
        raise TypeError("approx_top_k operand must have >= 1 dimension, got ()")
    if x.aval.shape[axis] < k:
        raise ValueError(f"k must be smaller than the size of reduction_dim {x.aval.shape[axis]}, got {k}")
    if dtypes.kind_of(x.aval.dtype) != "f":
        raise ValueError("operand must be a floating type")


@library
def approx_max_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Value]:
    """The k largest elements along a dimension, from the largest on, and their positions (int32); none is missed.

    Args:
      operand: floats.
      k: how many.
      reduction_dimension: along which they are sought.
      recall_target, reduction_input_size_override: accepted; nothing is approximate.
      aggregate_to_topk: False gives all elements, in this order.

    Raises:
      IndexError: no such dimension.
      TypeError: a scalar.
      ValueError: elements that are no floats; k not positive or larger than the dimension.

    Example:
      >>> lax.approx_max_k(jnp.array([3., 1., 4.]), 2)
      [Array([4., 3.], dtype=float32), Array([2, 0], dtype=int32)]
    """
    x = value_of(operand, "approx_top_k")
    _check_approximate(x, k, reduction_dimension)
    return top_k(x, k if aggregate_to_topk else x.aval.shape[reduction_dimension], axis=reduction_dimension)


@library
def approx_min_k(
    operand: Any,
    k: int,
    reduction_dimension: int = -1,
    recall_target: float = 0.95,
    reduction_input_size_override: int = -1,
    aggregate_to_topk: bool = True,
) -> list[Value]:
    """The k smallest elements along a dimension, from the smallest on, and their positions; see `approx_max_k`.

    Args:
      operand, k, reduction_dimension, recall_target, reduction_input_size_override, aggregate_to_topk: as of `approx_max_k`.

    Raises:
      IndexError, TypeError, ValueError: as of `approx_max_k`.

    Example:
      >>> lax.approx_min_k(jnp.array([3., 1., 4.]), 1)
      [Array([1.], dtype=float32), Array([1], dtype=int32)]
    """
    x = value_of(operand, "approx_top_k")
    _check_approximate(x, k, reduction_dimension)
    size = x.aval.shape[reduction_dimension]
    found, positions = top_k(BIND.negate(x), k if aggregate_to_topk else size, axis=reduction_dimension)
    return [BIND.negate(found), positions]


# ---- by any function -----------------------------------------------------------------------------------------

#: elementwise op -> the reduction by it
_REDUCTIONS = {
    "add": "reduce_sum",
    "multiply": "reduce_prod",
    "maximum": "reduce_max",
    "minimum": "reduce_min",
    "and": "reduce_and",
    "or": "reduce_or",
    "xor": "reduce_xor",
}


@boundary
def reduce(
    operands: Any,
    init_values: Any,
    computation: Callable[[Any, Any], Any],
    dimensions: Sequence[int],
    out_sharding: Any = None,
) -> Any:
    """Reduces dimensions, which go, by an associative function.

    Args:
      operands: an array, or a pytree of arrays of one shape.
      init_values: likewise scalars: the function's neutral element.
      computation: takes two (pytrees of) scalars and combines them; it may close over concrete arrays only. A sum, a
        product, an extreme and the bitwise operations are recognised by what they do.
      dimensions: not negative.
      out_sharding: without effect.

    Returns:
      The reduced arrays, in the structure of `operands`.

    Raises:
      ValueError: structures or shapes disagree; dimensions out of bounds; initial values that are not scalars.
      TypeError: initial values of another dtype.
      NotImplementedError: the computation closes over a traced value.

    Example:
      >>> lax.reduce(jnp.array([3., 4.]), 0., lambda x, y: jnp.sqrt(x * x + y * y), (0,))
      Array(5., dtype=float32)
    """
    found = operands_of("reduce", operands, init_values)
    dims = integers(dimensions)
    body = combiner("reduce", computation, found)
    name = single_op(body)
    if name in _REDUCTIONS:
        (x,), (start,) = found.values, found.inits
        reduced = bind(OPS[_REDUCTIONS[name]], x, dimensions=dims)
        if not is_neutral(name, start):
            reduced = bind(OPS[name], *broadcast_operands([start, reduced]))
        return tree_unflatten(found.tree, [reduced])
    return tree_unflatten(found.tree, BIND.reduce(*found.values, *found.inits, body=body, dimensions=dims))


@boundary
def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Prefixes of an associative function along an axis.

    Args:
      fn: takes two pytrees of arrays (slices along the axis, of any length) and combines them elementwise.
      elems: a pytree of arrays with a common size along the axis.
      reverse: from the end.
      axis: along which.

    Returns:
      A pytree like `elems`: fn(... fn(fn(x[0], x[1]), x[2]) ..., x[i]) at place i.

    Raises:
      TypeError: `fn` is not callable.
      ValueError: sizes differ.

    Example:
      >>> import sable.numpy as jnp
      >>> associative_scan(lambda a, b: a * b, jnp.array([1, 2, 3, 4]))
      Array([ 1,  2,  6, 24], dtype=int32)
    """
    if not callable(fn):
        raise TypeError("lax.associative_scan: fn argument should be callable.")
    leaves, tree = tree_flatten(elems)
    values = [value_of(x, "associative_scan", i) for i, x in enumerate(leaves)]
    if not values:
        return elems
    place = normal_axis(axis, values[0].aval.ndim)
    if len({v.aval.shape[place] for v in values}) > 1:
        shapes = [v.aval.shape for v in values]
        raise ValueError(f"Array inputs to associative_scan must have the same first dimension. (saw: {shapes})")

    def combine(first: Sequence[Value], second: Sequence[Value]) -> list[Value]:
        made = fn(tree_unflatten(tree, list(first)), tree_unflatten(tree, list(second)))
        return [as_value(x) for x in tree_flatten(made)[0]]

    if reverse:
        values = [BIND.reverse(v, dimensions=(place,)) for v in values]
    found = cumulative.associative_scan(BIND, combine, values, place)
    if reverse:
        found = [BIND.reverse(v, dimensions=(place,)) for v in found]
    if values[0].aval.shape[place] > 1:  # as JAX, which interleaves what it has combined
        found = [retype(v, False) for v in found]
    return tree_unflatten(tree, list(found))
