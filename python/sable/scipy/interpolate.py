"""`jax.scipy.interpolate`: functions through points on grids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

import sable.numpy as jnp
from sable import _absent
from sable.core.array import Value
from sable.core.operands import array_argument, array_arguments, promote_dtypes
from sable.tree_util import register_pytree_node_class

_absent.explain(__name__)

__all__ = ["RegularGridInterpolator"]

_METHODS = ("linear", "nearest")


def _check_method(method: Any) -> None:
    if method not in _METHODS:
        raise ValueError(f"method {method!r} is not defined")


def _points(xi: Any, n: int) -> Value:
    """Points (..., n) of a tuple of coordinates, or of an array, in which a vector is a point or (for n = 1) many."""
    if isinstance(xi, tuple) and len(xi) == 1:
        (xi,) = xi
    if isinstance(xi, tuple):
        parts = jnp.broadcast_arrays(*xi)
        return jnp.stack([jnp.asarray(part, float) for part in parts], axis=-1)
    value = array_argument("RegularGridInterpolator", xi)
    return value.reshape(-1, n) if value.ndim == 1 else value


@register_pytree_node_class
class RegularGridInterpolator:
    """A function given by its values on a grid whose lines are parallel to the axes; linear, or constant, between them.

    Args:
      points: n vectors, the grid's lines across each axis, ascending.
      values: the function's values, an array whose first n dimensions are the grid's; those behind are the values'.
      method: "linear", multilinear in each cell, or "nearest", the nearest grid point.
      bounds_error: False.
      fill_value: value outside of the grid; None: extrapolation.

    Called with points (..., n), or a tuple of n arrays of coordinates that broadcast, and possibly another method, it gives the
    values there: (...) and the dimensions of a value. It is a pytree of the grid, the values and the fill value.

    Raises:
      ValueError: another method; more vectors than dimensions; a fill value that the dtype of the values does not hold; called
        with points of another dimension.
      NotImplementedError: with `bounds_error`.

    Example:
      >>> grid = (jnp.array([0.0, 1.0, 3.0]), jnp.array([0.0, 2.0]))
      >>> f = RegularGridInterpolator(grid, jnp.array([[0.0, 2.0], [1.0, 3.0], [3.0, 5.0]]))
      >>> f(jnp.array([[2.0, 1.0], [4.0, 1.0]]))
      Array([ 3., nan], dtype=float32)
    """

    def __init__(
        self,
        points: Sequence[Any],
        values: Any,
        method: str = "linear",
        bounds_error: bool = False,
        fill_value: Any = np.nan,
    ):
        _check_method(method)
        self.method, self.bounds_error = method, bounds_error
        if bounds_error:
            raise NotImplementedError("`bounds_error` takes no effect under JIT")
        (table,) = promote_dtypes(array_arguments("RegularGridInterpolator", values), "inexact")
        if len(points) > table.ndim:
            raise ValueError(f"there are {len(points)} point arrays, but values has {table.ndim} dimensions")
        if fill_value is not None:
            fill_value = array_argument("RegularGridInterpolator", fill_value)
            if not jnp.can_cast(fill_value.dtype, table.dtype, casting="same_kind"):
                raise ValueError("fill_value must be either 'None' or of a type compatible with values")
        self.fill_value = fill_value
        self.grid = tuple(array_arguments("RegularGridInterpolator", *points))
        self.values = table

    def __call__(self, xi: Any, method: str | None = None) -> Value:
        method = self.method if method is None else method
        _check_method(method)
        n = len(self.grid)
        points = _points(xi, n)
        if points.shape[-1] != n:
            raise ValueError(
                f"the requested sample points xi have dimension {points.shape[-1]}, but this RegularGridInterpolator has "
                f"dimension {n}"
            )
        at = list(points.reshape(-1, n).T)
        cells = [self._cell(x, line) for x, line in zip(at, self.grid)]
        found = self._linear(cells) if method == "linear" else self._nearest(cells)
        if self.fill_value is not None:
            outside = jnp.zeros(points.size // n if n else 0, bool)
            for x, line in zip(at, self.grid):
                outside = outside | (x < line[0]) | (x > line[-1])
            found = jnp.where(self._beside(outside), self.fill_value, found)
        return found.reshape(points.shape[:-1] + self.values.shape[n:])

    def _beside(self, x: Value) -> Value:
        """A number for each point, to be combined with values."""
        return x.reshape(x.shape + (1,) * (self.values.ndim - len(self.grid)))

    @staticmethod
    def _cell(x: Value, line: Value) -> tuple[Value, Value]:
        """The cell in which x lies (the last one at its right edge), and how far in it, from 0 to 1."""
        i = jnp.clip(jnp.searchsorted(line, x) - 1, 0, line.size - 2)
        return i, (x - line[i]) / (line[i + 1] - line[i])

    def _linear(self, cells: Sequence[tuple[Value, Value]]) -> Value:
        total = jnp.asarray(0.0)
        for corner in itertools.product(*[((i, 1 - part), (i + 1, part)) for i, part in cells]):
            weight = jnp.asarray(1.0)
            for _, one in corner:
                weight = weight * one
            total = total + self.values[tuple(i for i, _ in corner)] * self._beside(weight)
        return total

    def _nearest(self, cells: Sequence[tuple[Value, Value]]) -> Value:
        return self.values[tuple(jnp.where(part <= 0.5, i, i + 1) for i, part in cells)]

    def tree_flatten(self) -> tuple[tuple, tuple]:
        """The arrays, and the rest."""
        return (self.grid, self.values, self.fill_value), (self.method, self.bounds_error)

    @classmethod
    def tree_unflatten(cls, static: tuple, arrays: tuple) -> RegularGridInterpolator:
        """An interpolator of arrays, or of whatever stands in their places."""
        made = object.__new__(cls)
        made.method, made.bounds_error = static
        made.grid, made.values, made.fill_value = arrays
        return made
