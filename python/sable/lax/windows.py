"""Sliding windows: their padding and other arguments, reductions of windows, values scattered to what they select."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from sable.core.array import Value
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary
from sable.core.operands import integers, value_of
from sable.dialects.ops.bodies import single_op
from sable.dialects.ops.reduce_window import Window
from sable.dialects.ops.windows import Padding, dilated, result_sizes
from sable.ir.aval import aval
from sable.ir.op import OPS
from sable.tree_util import tree_unflatten

from .bodies import combiner, is_neutral, operands_of, traced_body


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: str
) -> list[tuple[int, int]]:
    """Edges (low, high) of each dimension for a kind of padding.

    Args:
      in_shape, window_shape, window_strides: one entry for each dimension.
      padding: 'VALID' (none), 'SAME' (as many windows as the input has strides; the odd element of an edge behind) or
        'SAME_LOWER' (it is in front).

    Raises:
      RuntimeError: another string.
      TypeError: no string.

    Example:
      >>> lax.padtype_to_pads((10,), (3,), (2,), "SAME")
      [(0, 1)]
      >>> lax.padtype_to_pads((10,), (3,), (2,), "SAME_LOWER")
      [(1, 0)]
    """
    if not isinstance(padding, str):
        raise TypeError(f"Unknown padding type: {padding}.")
    kind = padding.upper()
    if kind == "VALID":
        return [(0, 0)] * len(in_shape)
    if kind not in ("SAME", "SAME_LOWER"):
        raise RuntimeError(f"Unrecognized padding type: expected 'VALID', 'SAME', or 'SAME_LOWER', got {padding}.")
    found = []
    for n, window, stride in zip(integers(in_shape), integers(window_shape), integers(window_strides)):
        total = max(0, (-(-n // stride) - 1) * stride + window - n)
        few, more = total // 2, total - total // 2
        found.append((few, more) if kind == "SAME" else (more, few))
    return found


def padding_pairs(name: str, padding: Any) -> Padding:
    """Explicit padding as pairs of ints.

    Raises:
      ValueError: no sequence of pairs of integers; names the function.
    """
    try:
        return tuple((operator.index(low), operator.index(high)) for low, high in padding)
    except (TypeError, ValueError):
        raise ValueError(
            f"padding argument to {name} should be a string or a sequence of (low, high) pairs, got {padding}"
        ) from None


def entries(
    name: str, what: str, values: Sequence[int] | None, rank: int, error: type[Exception] = ValueError
) -> tuple[int, ...]:
    """One positive integer for each dimension; ones where there are none given.

    Raises:
      error: another number of them, or one below 1.
    """
    if values is None:
        return (1,) * rank
    found = integers(values)
    if any(n < 1 for n in found) and "strides" in what:
        raise error(f"{name} {what} must have every element be strictly positive, got {found}.")
    if len(found) != rank:
        side = "window" if what in ("window_strides", "window_dilation", "rhs_dilation") else "operand"
        raise error(
            f"{name} {side} and {what} must have the same number of dimensions, got {what} {found} for {rank} dimensions"
        )
    return found


def reduce_window_shape_tuple(
    operand_shape: Sequence[int],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int],
    padding: Sequence[tuple[int, int]],
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """How many places a window has in each dimension: the shape of `reduce_window`.

    Args:
      operand_shape: of the array.
      window_dimensions, window_strides, base_dilation, window_dilation: as for `reduce_window`.
      padding: pairs (low, high).

    Raises:
      ValueError: a window that nowhere fits.

    Example:
      >>> lax.reduce_window_shape_tuple((10, 10), (3, 3), (2, 2), [(0, 0), (1, 1)])
      (4, 5)
    """
    ones = (1,) * len(operand_shape)
    holes, window_holes = base_dilation or ones, window_dilation or ones
    return result_sizes(operand_shape, window_dimensions, window_strides, tuple(padding), holes, window_holes)


def _window(
    name: str,
    shape: tuple[int, ...],
    dimensions: Sequence[int],
    strides: Sequence[int] | None,
    padding: Any,
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Window:
    """The parameters of a window over an array of that shape."""
    rank = len(shape)
    window = entries(name, "window_dimensions", dimensions, rank, TypeError)
    steps = entries(name, "window_strides", strides, rank, TypeError)
    holes = entries(name, "base_dilation", base_dilation, rank, TypeError)
    window_holes = entries(name, "window_dilation", window_dilation, rank, TypeError)
    if isinstance(padding, str):
        reach = [dilated(w, d) for w, d in zip(window, window_holes)]
        padding = padtype_to_pads(shape, reach, steps, padding)
    return Window(window, steps, tuple(padding_pairs(name, padding)), holes, window_holes)


#: elementwise op -> the reduction of windows by it
_WINDOW_REDUCTIONS = {
    "add": "reduce_window_sum",
    "maximum": "reduce_window_max",
    "minimum": "reduce_window_min",
}


@boundary
def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[[Any, Any], Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: str | Sequence[tuple[int, int]] = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """Reduces every window of an array by an associative function.

    Args:
      operand: an array, or a pytree of arrays of one shape.
      init_value: likewise scalars: the function's neutral element, which is also in the edges.
      computation: takes two (pytrees of) scalars and combines them; it may close over concrete arrays only. Sums and
        extremes are recognised by what they do.
      window_dimensions: sizes of the window, one for each dimension.
      window_strides: steps between windows, 1 by default.
      padding: 'VALID', 'SAME', 'SAME_LOWER', or pairs (low, high); negative ones cut off.
      base_dilation: distances at which the elements lie, initial values between them; 1 by default.
      window_dilation: distances at which the window's elements lie; 1 by default.

    Returns:
      One value for each window, in the structure of `operand`.

    Raises:
      ValueError: structures, shapes or entries disagree; initial values that are not scalars.
      TypeError: initial values of another dtype.
      NotImplementedError: the computation closes over a traced value.

    Example:
      >>> import sable.numpy as jnp
      >>> reduce_window(jnp.arange(6.), 1., lambda x, y: x * y, (2,), (2,))
      Array([ 0.,  6., 20.], dtype=float32)
    """
    found = operands_of("reduce_window", operand, init_value)
    w = _window(
        "reduce_window",
        found.values[0].aval.shape,
        window_dimensions,
        window_strides,
        padding,
        base_dilation,
        window_dilation,
    )
    body = combiner("reduce_window", computation, found)
    name = single_op(body)
    if name in _WINDOW_REDUCTIONS and is_neutral(name, found.inits[0]):
        return tree_unflatten(found.tree, [bind(OPS[_WINDOW_REDUCTIONS[name]], found.values[0], **w._asdict())])
    return tree_unflatten(found.tree, BIND.reduce_window(*found.values, *found.inits, body=body, **w._asdict()))


def select_and_scatter(
    operand: Any,
    select: Callable[[Any, Any], Any],
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None,
    padding: str | Sequence[tuple[int, int]],
    source: Any,
    init_value: Any,
    scatter: Callable[[Any, Any], Any],
) -> Value:
    """Of each window of an array selects an element, and combines a value into the place of it.

    Args:
      operand: the array.
      select: `(x, y) -> bool` of scalars: whether x stays selected, given a later y.
      window_dimensions, window_strides, padding: as for `reduce_window`; elements of the edges are never selected.
      source: one value for each window.
      init_value: what all places have at first.
      scatter: `(x, y) -> value` of scalars: the place's value combined with the window's.

    Returns:
      An array like `operand`.

    Raises:
      ValueError: `window_*`, `padding` or the functions do not fit.
      TypeError: a source of another shape, dtypes that differ.

    Example:
      >>> import sable.numpy as jnp
      >>> x = jnp.array([1., 5., 2., 3.])
      >>> select_and_scatter(x, jnp.greater_equal, (2,), (2,), "VALID", jnp.array([7., 8.]), 0., jnp.add)
      Array([0., 7., 0., 8.], dtype=float32)
    """
    name = "select_and_scatter"
    found = operands_of(name, operand, init_value)
    ((x,), (start,), tree), scalar = found, aval((), found.values[0].aval.dtype)
    w = _window(name, x.aval.shape, window_dimensions, window_strides, padding)
    return BIND.select_and_scatter(
        x,
        value_of(source, name, 1),
        start,
        select=traced_body(name, select, tree, [scalar])[0],
        scatter=combiner(name, scatter, found),
        window_dimensions=w.window_dimensions,
        window_strides=w.window_strides,
        padding=w.padding,
    )[0]
