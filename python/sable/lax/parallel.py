"""Collectives over axes named by `vmap(axis_name=)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable.core.array import Value
from sable.core.batching import axis_key, move_axis
from sable.core.bind import BIND
from sable.core.destinations import placed
from sable.core.operands import normal_axis
from sable.core.state import STATE
from sable.core.values import as_value
from sable.tree_util import tree_map

from .slicing import dynamic_index_in_dim, dynamic_slice_in_dim, index_in_dim


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

    Args:
      axis_name: the axis, or a tuple of axes, whose sizes are multiplied.

    Raises:
      NameError: nobody around names that axis.

    Example:
      >>> jax.vmap(lambda x: x / lax.axis_size("i"), axis_name="i")(jnp.array([1., 2.]))
      Array([0.5, 1. ], dtype=float32)
      >>> lax.axis_size("i")
      Traceback (most recent call last):
          ...
      NameError: Found an unbound axis name: i. To fix this, please call the function within vmap(axis_name=).
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

    Args:
      x: an array, or a pytree of arrays; booleans count as int32.
      axis_name: the axis, or a tuple of axes.
      axis_index_groups: must be None.

    Returns:
      What x is, without the axis: all examples get the same.

    Raises:
      NameError: nobody around names that axis.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: x / lax.psum(x, "i"), axis_name="i")(jnp.array([1., 3.]))
      Array([0.25, 0.75], dtype=float32)
      >>> jax.vmap(lambda x: lax.psum(1, "i"), axis_name="i")(jnp.array([1., 3.]))
      Array([2, 2], dtype=int32, weak_type=True)
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
    """Mean over all examples along a named axis.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: the axis, or a tuple of axes.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: x - lax.pmean(x, "i"), axis_name="i")(jnp.array([1., 3.]))
      Array([-1.,  1.], dtype=float32)
    """
    n = axis_size(axis_name)
    return tree_map(lambda leaf: as_value(psum(as_value(leaf), axis_name, axis_index_groups=axis_index_groups)) / n, x)


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Largest value among all examples along a named axis.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: the axis, or a tuple of axes.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.pmax(x, "i"), axis_name="i")(jnp.array([1., 3.]))
      Array([3., 3.], dtype=float32)
    """
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)
    return tree_map(lambda leaf: BIND.pmax(as_value(leaf), axes=axes), x)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """Smallest value among all examples along a named axis.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: the axis, or a tuple of axes.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.pmin(x, "i"), axis_name="i")(jnp.array([1., 3.]))
      Array([1., 1.], dtype=float32)
    """
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)
    return tree_map(lambda leaf: BIND.pmin(as_value(leaf), axes=axes), x)


def axis_index(axis_name: Any) -> Any:
    """This example's number along a named axis: int32; for several axes, counted with the last one fastest.

    Args:
      axis_name: the axis, or a tuple of axes.

    Raises:
      NameError: nobody around names that axis.

    Example:
      >>> jax.vmap(lambda x: x + lax.axis_index("i"), axis_name="i")(jnp.array([10, 10]))
      Array([10, 11], dtype=int32)
    """
    index = None
    for name in _axes(axis_name):
        here = BIND.axis_index(axes=(name,))
        index = here if index is None else index * STATE.axes[name] + here
    return index


def _gathered(x: Value, axes: Sequence[str]) -> Value:
    """All examples' values along a new axis 0, counted with the last of several axes fastest."""
    for name in reversed(axes):
        x = BIND.all_gather(x, axes=(name,), axis_size=STATE.axes[name])
    rest = x.aval.shape[len(axes) :]
    return x if len(axes) == 1 else BIND.reshape(x, shape=(axis_size(axes), *rest))


def _merged(x: Value, axis: int) -> Value:
    """Two neighbouring axes as one."""
    shape = x.aval.shape
    return BIND.reshape(x, shape=(*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def all_gather(x: Any, axis_name: Any, *, axis: int = 0, tiled: bool = False, axis_index_groups: Any = None) -> Any:
    """All examples' values, stacked along a new axis, for each of them.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: the axis, or a tuple of axes.
      axis: where the new axis is, or (if `tiled`) which axis is made longer.
      tiled: concatenate instead of stack.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.all_gather(x, "i"), axis_name="i")(jnp.array([1, 2]))
      Array([[1, 2],
             [1, 2]], dtype=int32)
      >>> jax.vmap(lambda x: lax.all_gather(x, "i", tiled=True), axis_name="i")(jnp.array([[1], [2]]))
      Array([[1, 2],
             [1, 2]], dtype=int32)
    """
    _no_groups(axis_index_groups)
    axes = _axes(axis_name)

    def one(leaf: Any) -> Any:
        value = as_value(leaf)
        place = axis % (value.ndim if tiled else value.ndim + 1)
        y = move_axis(_gathered(value, axes), 0, place)
        return _merged(y, place) if tiled else y

    return tree_map(one, x)


def psum_scatter(
    x: Any, axis_name: Any, *, scatter_dimension: int = 0, axis_index_groups: Any = None, tiled: bool = False
) -> Any:
    """The sum over all examples along a named axis, of which each keeps the part with its number.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: of n examples.
      scatter_dimension: the dimension that is divided; it has n elements and goes, or (if `tiled`) n equal parts.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      ValueError: the dimension has another size.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.psum_scatter(x, "i"), axis_name="i")(jnp.array([[1, 2], [10, 20]]))
      Array([11, 22], dtype=int32)
    """
    _no_groups(axis_index_groups)
    axes, n = _axes(axis_name), axis_size(axis_name)

    def one(leaf: Any) -> Any:
        value = as_value(leaf)
        place = normal_axis(scatter_dimension, value.ndim)
        part = _part_size("psum_scatter", "scatter_dimension", value.aval.shape[place], n, tiled)
        return _own_part(BIND.psum(value, axes=axes), axes, place, part)

    return tree_map(one, x)


def _part_size(name: str, what: str, size: int, n: int, tiled: bool) -> int | None:
    """Size of each of n parts; None where the dimension goes."""
    if tiled:
        if size % n:
            raise ValueError(
                f"The size of {name} {what} ({size}) has to be divisible by the size of the named axis ({n})"
            )
        return size // n
    if size != n:
        raise ValueError(
            f"{name} requires the size of the mapped axis axis_name to equal x.shape[{what}], but they are {n} and {size} "
            "respectively."
        )
    return None


def _own_part(x: Value, axes: Sequence[str], axis: int, part: int | None) -> Value:
    """The part with this example's number."""
    here = axis_index(axes)
    if part is None:
        return dynamic_index_in_dim(x, here, axis, keepdims=False)
    return dynamic_slice_in_dim(x, here * part, part, axis)


def all_to_all(
    x: Any, axis_name: Any, split_axis: int, concat_axis: int, *, axis_index_groups: Any = None, tiled: bool = False
) -> Any:
    """Every example cuts its value in n parts, sends one to each example, and joins those that it gets.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: of n examples.
      split_axis: of n elements, which goes; or (if `tiled`) of n equal parts.
      concat_axis: where the n received parts are stacked; or (if `tiled`) concatenated.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      ValueError: the axis that is split has another size.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.all_to_all(x, "i", 0, 0), axis_name="i")(jnp.array([[1, 2], [3, 4]]))
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """
    _no_groups(axis_index_groups)
    axes, n = _axes(axis_name), axis_size(axis_name)

    def one(leaf: Any) -> Any:
        value = as_value(leaf)
        cut, place = normal_axis(split_axis, value.ndim), normal_axis(concat_axis, value.ndim)
        part = _part_size("all_to_all", "split_axis", value.aval.shape[cut], n, tiled)
        y = move_axis(_own_part(_gathered(value, axes), axes, cut + 1, part), 0, place)
        return _merged(y, place) if tiled else y

    return tree_map(one, x)


def pswapaxes(x: Any, axis_name: Any, axis: int, *, axis_index_groups: Any = None) -> Any:
    """A named axis and one of the arrays', which is as long, change places: `all_to_all` with that axis twice.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: of n examples.
      axis: of n elements.
      axis_index_groups: must be None.

    Raises:
      NameError: nobody around names that axis.
      ValueError: the axis has another size.
      NotImplementedError: groups.

    Example:
      >>> jax.vmap(lambda x: lax.pswapaxes(x, "i", 0), axis_name="i")(jnp.array([[1, 2], [3, 4]]))
      Array([[1, 3],
             [2, 4]], dtype=int32)
    """
    return all_to_all(x, axis_name, axis, axis, axis_index_groups=axis_index_groups)


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Values sent from examples to others.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: of n examples.
      perm: pairs (from, to) of numbers below n, each at most once on either side. Who is sent nothing gets zeros.

    Raises:
      NameError: nobody around names that axis.
      ValueError: numbers out of range, or more than once.

    Example:
      >>> jax.vmap(lambda x: lax.ppermute(x, "i", [(0, 1), (1, 2)]), axis_name="i")(jnp.array([1, 2, 3]))
      Array([0, 1, 2], dtype=int32)
    """
    axes, n = _axes(axis_name), axis_size(axis_name)
    pairs = [(int(source), int(target)) for source, target in perm]
    for numbers in zip(*pairs):
        if len(set(numbers)) != len(numbers) or not all(0 <= i < n for i in numbers):
            raise ValueError(f"ppermute sources and destinations must be unique and below {n}, got perm={perm}")
    sources = {target: source for source, target in pairs}
    table = as_value(np.int32([sources.get(k, -1) for k in range(n)]))
    source = dynamic_index_in_dim(table, axis_index(axes), keepdims=False)

    def one(leaf: Any) -> Any:
        value = as_value(leaf)
        found = dynamic_index_in_dim(_gathered(value, axes), source, keepdims=False)
        if len(sources) == n:
            return found
        given = BIND.compare(source, BIND.full(source.aval, 0), comparison_direction="GE")
        return BIND.select(given, found, BIND.full(value.aval, 0))

    return tree_map(one, x)


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """The values in another order: example i gets that of example `perm[i]`.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: of n examples.
      perm: the numbers below n in any order.

    Raises:
      NameError: nobody around names that axis.
      ValueError: the numbers are no permutation.

    Example:
      >>> jax.vmap(lambda x: lax.pshuffle(x, "i", [2, 0, 1]), axis_name="i")(jnp.array([10, 20, 30]))
      Array([30, 10, 20], dtype=int32)
    """
    if set(perm) != set(range(len(perm))):
        raise ValueError(f"`perm` does not represent a permutation: {perm}")
    return ppermute(x, axis_name, list(zip(perm, range(len(perm)))))


def pbroadcast(x: Any, axis_name: Any, source: int) -> Any:
    """The value of one example, for all examples along a named axis.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: the axis.
      source: the example's number.

    Raises:
      IndexError: there is no such example.
      NameError: nobody around names that axis.

    Example:
      >>> jax.vmap(lambda x: lax.pbroadcast(x, "i", 1), axis_name="i")(jnp.array([10, 20, 30]))
      Array([20, 20, 20], dtype=int32)
    """
    axes = _axes(axis_name)
    return tree_map(lambda leaf: index_in_dim(_gathered(as_value(leaf), axes), source, keepdims=False), x)


def pcast(x: Any, axis_name: Any, *, to: str) -> Any:
    """Values as they are, which count as differing along named axes, or as partial sums, from here on.

    What differs is found out here where it matters, so that nothing has to be said.

    Args:
      x: an array, or a pytree of arrays.
      axis_name: a name, or several.
      to: "varying", "unreduced" or "reduced".

    Raises:
      NameError: nobody around names that axis.
      ValueError: another word.

    Example:
      >>> jax.vmap(lambda x: lax.pcast(x, "i", to="varying"), axis_name="i")(jnp.arange(2))
      Array([0, 1], dtype=int32)
    """
    if to not in ("varying", "unreduced", "reduced"):
        raise ValueError(f"pcast takes to='varying', 'unreduced' or 'reduced', got {to!r}")
    _axes(axis_name)
    return tree_map(as_value, x)


def with_sharding_constraint(x: Any, shardings: Any) -> Any:
    """Arrays laid out in a given way; inside of programs only checked, since a program runs on one device.

    Args:
      x: a pytree of arrays.
      shardings: shardings, or specs for the mesh that `jax.set_mesh` has set: a prefix of x.

    Returns:
      The pytree.

    Raises:
      ValueError: an array has fewer dimensions than its spec; the mesh has no such axis.
      RuntimeError: a spec, and there is no mesh.
      NotImplementedError: several devices.

    Example:
      >>> lax.with_sharding_constraint(jnp.arange(2), jax.sharding.SingleDeviceSharding(jax.devices()[0]))
      Array([0, 1], dtype=int32)
    """
    return placed("with_sharding_constraint", x, shardings)


__all__: Sequence[str] = [
    "all_gather",
    "all_to_all",
    "axis_index",
    "axis_size",
    "pbroadcast",
    "pcast",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "pshuffle",
    "psum",
    "psum_scatter",
    "pswapaxes",
    "with_sharding_constraint",
]
