"""Collectives over axes named by `vmap(axis_name=)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.batching import axis_key, move_axis
from sable.core.bind import BIND
from sable.core.state import STATE
from sable.core.values import as_value
from sable.tree_util import tree_map


def _axes(axis_name: Any) -> tuple[str, ...]:
    names = tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)
    for name in names:
        if axis_key(name) not in STATE.axes:
            raise NameError(
                f"Found an unbound axis name: {name}. To fix this, please call the function within vmap(axis_name=)."
            )
    return tuple(axis_key(name) for name in names)


def axis_size(axis_name: Any) -> int:
    """Number of examples along a named axis (a Python int).

    Raises:
      NameError: nobody around names that axis.
    """
    total = 1
    for name in _axes(axis_name):
        total *= STATE.axes[name]
    return total


def _no_groups(groups: Any) -> None:
    if groups is not None:
        raise NotImplementedError("axis_index_groups is not supported")


def psum(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Sum over all examples along a named axis; of a pytree, leaf by leaf. A Python number is multiplied by the size.

    Raises:
      NameError: nobody around names that axis.
    """
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)

    def one(leaf: Any) -> Any:
        if type(leaf) in (int, float, complex):
            return leaf * axis_size(axis_name)
        value = as_value(leaf)
        if value.aval.dtype.kind == "b":
            value = BIND.convert(value, dtype=np.dtype(np.int32))
        return BIND.psum(value, axes=axes)

    return tree_map(one, x)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Mean over all examples along a named axis."""
    n = axis_size(axis_name)
    return tree_map(lambda leaf: as_value(psum(as_value(leaf), axis_name, axis_index_groups=axis_index_groups)) / n, x)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Largest value among all examples along a named axis."""
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)
    return tree_map(lambda leaf: BIND.pmax(as_value(leaf), axes=axes), x)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Smallest value among all examples along a named axis."""
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)
    return tree_map(lambda leaf: BIND.pmin(as_value(leaf), axes=axes), x)


def axis_index(axis_name: Any) -> Any:
    """This example's number along a named axis: int32; for several axes, counted with the last one fastest."""
    index = None
    for name in _axes(axis_name):
        here = BIND.axis_index(axes=(name,))
        index = here if index is None else index * STATE.axes[name] + here
    return index


def all_gather(x: Any, axis_name: Any, *, axis: int = 0, tiled: bool = False, axis_index_groups: Any = None) -> Any:
    """All examples' values stacked along a new axis (concatenated along it if `tiled`)."""
    _no_groups(axis_index_groups)
    (name,) = _axes(axis_name)
    size = STATE.axes[name]

    def one(leaf: Any) -> Any:
        value = as_value(leaf)
        y = BIND.all_gather(value, axes=(name,), axis_size=size)
        place = axis % (value.ndim if tiled else value.ndim + 1)
        y = move_axis(y, 0, place)
        if not tiled:
            return y
        shape = list(value.shape)
        shape[place] *= size
        return BIND.reshape(y, shape=tuple(shape))

    return tree_map(one, x)


__all__: Sequence[str] = ["all_gather", "axis_index", "axis_size", "pmax", "pmean", "pmin", "psum"]
