"""What all functions of `sable.lax` do with their operands: make values of them, broadcast those of equal rank."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Array, Value
from sable.core.bind import BIND
from sable.core.trace import Tracer
from sable.core.values import as_value


def value_of(x: Any, name: str, position: int = 0) -> Value:
    """x as a value.

    Raises:
      TypeError: x is no array; names the function and the position.
    """
    kind = type(x)
    if kind is Array or kind is Tracer:
        return x
    try:
        return as_value(x)
    except TypeError:
        if isinstance(x, (np.ndarray, np.generic)):
            raise
        raise TypeError(
            f"Error interpreting argument to {name} as a JAX value. The problematic value is of type {kind} "
            f"and was passed to {name} at position {position}."
        ) from None


def values_of(name: str, *xs: Any) -> list[Value]:
    """Several operands as values."""
    return [value_of(x, name, i) for i, x in enumerate(xs)]


def broadcast_operands(values: Sequence[Value]) -> Sequence[Value]:
    """Values of one shape: scalars and dimensions of size 1 are repeated.

    Operands that do not fit are returned as they are: the op's type rule says what is wrong with them.
    """
    shape = values[0].aval.shape
    if all(x.aval.shape == shape for x in values):
        return values
    shapes = [x.aval.shape for x in values if x.aval.shape]
    rank = len(shapes[0])
    if any(len(s) != rank for s in shapes):
        return values
    target = tuple(next((n for n in sizes if n != 1), 1) for sizes in zip(*shapes))
    if any(n not in (1, m) for s in shapes for n, m in zip(s, target)):
        return values
    return [expand_to(x, target) for x in values]


def expand_to(x: Value, shape: tuple[int, ...]) -> Value:
    """A scalar, or an array of the same rank, repeated to a shape."""
    own = x.aval.shape
    if own == shape:
        return x
    dims = tuple(range(len(own)))
    return BIND.broadcast_in_dim(x, shape=shape, broadcast_dimensions=dims)


def integers(values: Any) -> tuple[int, ...]:
    """A tuple of Python ints of a sequence of integers (sizes, axes, starts).

    Raises:
      TypeError: not iterable, or an element is no integer.
    """
    return tuple([n if type(n) is int else operator.index(n) for n in values])


def shape_of(shape: Any) -> tuple[int, ...]:
    """A shape given as a sequence or as one integer.

    Raises:
      TypeError: sizes that are not concrete integers, or negative.
    """
    try:
        sizes = (shape,) if hasattr(shape, "__index__") and not np.ndim(shape) else tuple(shape)
        found = integers(sizes)
    except TypeError as error:
        if isinstance(shape, Tracer) or type(error) is not TypeError:
            raise
        raise TypeError(f"Shapes must be 1D sequences of concrete values of integer type, got {shape}.") from None
    if any(n < 0 for n in found):
        raise TypeError(f"broadcast_in_dim shape must have every element be nonnegative, got {found}.")
    return found


def axis_in(axis: Any, ndim: int) -> int:
    """An axis counted from the front.

    Raises:
      ValueError: there is no such axis.
    """
    axis = operator.index(axis)
    if not -ndim <= axis < ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {ndim}")
    return axis % ndim if ndim else axis
