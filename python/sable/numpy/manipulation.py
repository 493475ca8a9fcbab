"""Shapes and axes: reshape, transpose, broadcast, flip, roll, repeat, tile ..."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.bind import BIND
from sable.core.operands import (
    array_argument,
    array_arguments,
    broadcast_shape,
    expand_to,
    known_integer,
    normal_axes,
    normal_axis,
    reshape_to,
    shape_argument,
    sizes_argument,
)
from sable.library.declare import library

# ---- reshape -------------------------------------------------------------------------------------


def _new_shape(x: Value, shape: Any) -> tuple[int, ...]:
    """The shape with -1 replaced.

    Raises:
      TypeError: sizes do not match, or more than one is -1.
    """
    sizes = (shape,) if not isinstance(shape, Sequence) else tuple(shape)
    if isinstance(shape, (Value, np.ndarray)) and shape.ndim == 1:
        sizes = tuple(shape.tolist())
    sizes = sizes_argument(sizes)
    total = x.aval.size
    unknown = [i for i, n in enumerate(sizes) if n == -1]
    if len(unknown) > 1:
        raise TypeError(f"reshape: only one size may be -1, got {sizes}")
    if unknown:
        rest = math.prod(n for n in sizes if n != -1)
        if rest == 0 and total == 0:
            raise ValueError(f"reshape: cannot tell the size behind -1 of an empty array of shape {x.aval.shape}")
        if rest == 0 or total % rest:
            raise TypeError(f"cannot reshape array of shape {x.aval.shape} (size {total}) into shape {sizes}")
        sizes = tuple(total // rest if n == -1 else n for n in sizes)
    if math.prod(sizes) != total or any(n < 0 for n in sizes):
        raise TypeError(f"cannot reshape array of shape {x.aval.shape} (size {total}) into shape {sizes}")
    return sizes


@library(moves=("a",))
def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None, out_sharding: Any = None) -> Value:
    """The elements in another shape.

    Args:
      a: array.
      shape: an int or a sequence of ints, of which one may be -1: as many as there are.
      order: "C" (the last axis fastest) or "F" (the first).
      copy: accepted; arrays never change, so nobody can tell.

    Raises:
      TypeError: the sizes do not match. ValueError: another order.

    Example:
      >>> jnp.reshape(jnp.arange(4), (2, -1))
      Array([[0, 1],
             [2, 3]], dtype=int32)
      >>> jnp.reshape(jnp.arange(4), (2, 2), order="F")
      Array([[0, 2],
             [1, 3]], dtype=int32)
    """
    x = array_argument("reshape", a)
    sizes = _new_shape(x, shape)
    if order == "C":
        return reshape_to(x, sizes)
    if order == "F":
        return _reversed_axes(reshape_to(_reversed_axes(x), sizes[::-1]))
    if order == "A":
        raise NotImplementedError("np.reshape order=A is not implemented.")
    raise ValueError(f"Unexpected value for 'order' argument: {order}.")


def _reversed_axes(x: Value) -> Value:
    return permuted(x, tuple(range(x.aval.ndim))[::-1])


@library(moves=("a",))
def ravel(a: Any, order: str = "C", *, out_sharding: Any = None) -> Value:
    """The elements as a vector; `order` as of `reshape`.

    Args:
      a: array.
      order: "C" (the last axis fastest) or "F" (the first).

    Example:
      >>> jnp.ravel(jnp.array([[1, 2], [3, 4]])), jnp.ravel(jnp.array([[1, 2], [3, 4]]), order="F")
      (Array([1, 2, 3, 4], dtype=int32), Array([1, 3, 2, 4], dtype=int32))
    """
    if order == "K":
        raise NotImplementedError("Ravel not implemented for order='K'.")
    x = array_argument("ravel", a)
    return reshape(x, (x.aval.size,), order)


@library(moves=("a",))
def squeeze(a: Any, axis: Any = None) -> Value:
    """The array without axes of size 1.

    Args:
      a: array.
      axis: which to take away, one or several; None: all.

    Raises:
      ValueError: an axis of another size.

    Example:
      >>> x = jnp.ones((1, 3, 1))
      >>> jnp.squeeze(x).shape, jnp.squeeze(x, axis=0).shape
      ((3,), (3, 1))
    """
    x = array_argument("squeeze", a)
    shape = x.aval.shape
    axes = [i for i, n in enumerate(shape) if n == 1] if axis is None else normal_axes(axis_tuple(axis), len(shape))
    if any(shape[i] != 1 for i in axes):
        raise ValueError(
            f"cannot select an axis to squeeze out which has size not equal to one, got {shape=} and dimensions={axes}"
        )
    return reshape_to(x, tuple(n for i, n in enumerate(shape) if i not in axes))


@library(moves=("a",))
def expand_dims(a: Any, axis: Any) -> Value:
    """The array with new axes of size 1, at the positions that they have in the result.

    Args:
      a: array.
      axis: an axis of the result or several.

    Raises:
      ValueError: an axis out of bounds or given twice.

    Example:
      >>> jnp.expand_dims(jnp.ones((2, 3)), (0, -1)).shape
      (1, 2, 3, 1)
    """
    x = array_argument("expand_dims", a)
    places = axis if isinstance(axis, Sequence) else (axis,)
    places = tuple(known_integer(p, "expected a static index or sequence of indices.") for p in places)
    axes = normal_axes(places, x.aval.ndim + len(places), "repeated axis in expand_dims")
    rest = iter(x.aval.shape)
    return reshape_to(x, tuple(1 if i in axes else next(rest) for i in range(x.aval.ndim + len(axes))))


def _at_least(name: str, arys: Sequence[Any], grow: Any) -> Any:
    found = [reshape_to(x, grow(x.aval.shape)) for x in array_arguments(name, *arys)]
    return found[0] if len(found) == 1 else found


@library(moves=("arys",))
def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis; a list of them for several arguments.

    Args:
      *arys: arrays or scalars.

    Example:
      >>> jnp.atleast_1d(3.0, jnp.ones((1, 2)))
      [Array([3.], dtype=float32, weak_type=True), Array([[1., 1.]], dtype=float32)]
    """
    return _at_least("atleast_1d", arys, lambda s: s or (1,))


@library(moves=("arys",))
def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front; a list of them for several arguments.

    Args:
      *arys: arrays or scalars.

    Example:
      >>> jnp.atleast_2d(jnp.array([1, 2]))
      Array([[1, 2]], dtype=int32)
    """
    return _at_least("atleast_2d", arys, lambda s: (1,) * (2 - len(s)) + s)


@library(moves=("arys",))
def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes, (1, n, 1) of vectors; a list of them for several arguments.

    Args:
      *arys: arrays or scalars.

    Example:
      >>> jnp.atleast_3d(jnp.arange(2)).shape, jnp.atleast_3d(jnp.ones((2, 3))).shape
      ((1, 2, 1), (2, 3, 1))
    """

    def grow(s: tuple[int, ...]) -> tuple[int, ...]:
        return {0: (1, 1, 1), 1: (1, *s, 1), 2: (*s, 1)}.get(len(s), s)

    return _at_least("atleast_3d", arys, grow)


# ---- transpose -----------------------------------------------------------------------------------


def permuted(x: Value, order: tuple[int, ...]) -> Value:
    """x with its axes in that order."""
    return x if order == tuple(range(len(order))) else BIND.transpose(x, permutation=order)


@library(moves=("a",))
def transpose(a: Any, axes: Any = None) -> Value:
    """The array with its axes in another order.

    Args:
      a: array.
      axes: for each axis of the result that of the array; None: reversed.

    Raises:
      TypeError: a wrong number of axes, or an axis twice. ValueError: one is out of bounds.

    Example:
      >>> x = jnp.ones((2, 3, 4))
      >>> jnp.transpose(x).shape, jnp.transpose(x, (1, 0, 2)).shape
      ((4, 3, 2), (3, 2, 4))
    """
    x = array_argument("transpose", a)
    n = x.aval.ndim
    if axes is None:
        return permuted(x, tuple(range(n))[::-1])
    order = tuple([normal_axis(i, n) for i in axes])
    if sorted(order) != list(range(n)):
        raise TypeError(f"transpose permutation isn't a permutation of operand dimensions, got {axes} for {n} axes.")
    return permuted(x, order)


@library
def permute_dims(a: Any, /, axes: Any) -> Value:
    """The array with its axes in the order `axes`.

    Args:
      a: array.
      axes: for each axis of the result that of the array, counted from the front.

    Raises:
      TypeError: no permutation of the axes.

    Example:
      >>> jnp.permute_dims(jnp.ones((2, 3, 4)), (2, 0, 1)).shape
      (4, 2, 3)
    """
    x = array_argument("permute_dims", a)
    return BIND.transpose(x, permutation=tuple(map(operator.index, axes)))


@library(moves=("x",))
def matrix_transpose(x: Any, /) -> Value:
    """The last two axes exchanged.

    Args:
      x: (..., m, n).

    Raises:
      ValueError: less than two dimensions.

    Example:
      >>> jnp.matrix_transpose(jnp.ones((2, 3, 4))).shape, jnp.transpose(jnp.ones((2, 3, 4))).shape
      ((2, 4, 3), (4, 3, 2))
    """
    value = array_argument("matrix_transpose", x)
    if value.aval.ndim < 2:
        raise ValueError(f"x must be at least two-dimensional for matrix_transpose; got ndim={value.aval.ndim}")
    return swapaxes(value, -1, -2)


@library(moves=("a",))
def swapaxes(a: Any, axis1: int, axis2: int) -> Value:
    """Two axes exchanged.

    Args:
      a: array.
      axis1, axis2: the axes.

    Raises:
      ValueError: one is out of bounds.

    Example:
      >>> jnp.swapaxes(jnp.ones((2, 3, 4)), 0, -1).shape
      (4, 3, 2)
    """
    x = array_argument("swapaxes", a)
    order = list(range(x.aval.ndim))
    i, j = normal_axis(axis1, x.aval.ndim), normal_axis(axis2, x.aval.ndim)
    order[i], order[j] = order[j], order[i]
    return permuted(x, tuple(order))


@library(moves=("a",))
def moveaxis(a: Any, source: Any, destination: Any) -> Value:
    """Axes moved to other positions; the others keep their order.

    Args:
      a: array.
      source: an axis or several.
      destination: where each of them goes.

    Raises:
      ValueError: numbers of axes differ, or one is out of bounds.

    Example:
      >>> jnp.moveaxis(jnp.ones((2, 3, 4)), 0, -1).shape, jnp.swapaxes(jnp.ones((2, 3, 4)), 0, -1).shape
      ((3, 4, 2), (4, 3, 2))
    """
    x = array_argument("moveaxis", a)
    n = x.aval.ndim
    sources = normal_axes(axis_tuple(source), n)
    targets = normal_axes(axis_tuple(destination), n)
    if len(sources) != len(targets):
        raise ValueError(f"Inconsistent number of elements: {len(sources)} in source vs {len(targets)} in destination")
    order = [i for i in range(n) if i not in sources]
    for target, origin in sorted(zip(targets, sources)):
        order.insert(target, origin)
    return permuted(x, tuple(order))


def axis_tuple(axis: Any) -> tuple:
    axes = tuple(axis) if isinstance(axis, Sequence) else (axis,)
    return tuple(known_integer(i, "expected a static index or sequence of indices.") for i in axes)


@library(moves=("a",))
def rollaxis(a: Any, axis: int, start: int = 0) -> Value:
    """An axis moved in front of axis `start`.

    Args:
      a: array.
      axis: the axis.
      start: in front of which axis; the number of dimensions: behind all.

    Example:
      >>> jnp.rollaxis(jnp.ones((2, 3, 4)), 2).shape
      (4, 2, 3)
    """
    x = array_argument("rollaxis", a)
    n = x.aval.ndim
    i, place = normal_axis(axis, n), normal_axis(start, n + 1)
    return moveaxis(x, i, place - 1 if i < place else place)


# ---- broadcast -----------------------------------------------------------------------------------


@library(moves=("array",))
def broadcast_to(array: Any, shape: Any, *, out_sharding: Any = None) -> Value:
    """The array repeated to a shape.

    Args:
      array: array or scalar.
      shape: an int or a sequence of ints.

    Raises:
      ValueError: it does not broadcast to that shape.

    Example:
      >>> jnp.broadcast_to(jnp.array([1, 2]), (2, 2))
      Array([[1, 2],
             [1, 2]], dtype=int32)
    """
    x = array_argument("broadcast_to", array)
    sizes = sizes_argument(shape)
    own = x.aval.shape
    if own == sizes:
        return x
    tail = sizes[len(sizes) - len(own) :] if len(own) <= len(sizes) else ()
    if len(own) > len(sizes):
        raise ValueError(f"Cannot broadcast to shape with fewer dimensions: arr_shape={own} shape={sizes}")
    if any(n not in (1, m) for n, m in zip(own, tail)):
        raise ValueError(
            f"Incompatible types for broadcasting: input type={x.aval.short()} and requested "
            f"type={x.aval.update(shape=sizes).short()}"
        )
    return expand_to(x, sizes)


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape to which shapes broadcast.

    Args:
      *shapes: ints or sequences of ints.

    Raises:
      ValueError: they do not.

    Example:
      >>> jnp.broadcast_shapes((3, 1), (1, 4), 4)
      (3, 4)
    """
    return broadcast_shape(tuple(shape_argument(s) for s in shapes))


@library(moves=("args",))
def broadcast_arrays(*args: Any) -> list[Value]:
    """Arrays in the shape to which they broadcast, each in its own dtype.

    Args:
      *args: arrays or scalars.

    Raises:
      ValueError: shapes do not broadcast.

    Example:
      >>> jnp.broadcast_arrays(jnp.array([1, 2]), 0.5)
      [Array([1, 2], dtype=int32), Array([0.5, 0.5], dtype=float32, weak_type=True)]
    """
    values = array_arguments("broadcast_arrays", *args)
    if not values:
        return []
    shape = broadcast_shape(tuple(x.aval.shape for x in values))
    return [expand_to(x, shape) for x in values]
