"""Where the user wants arrays to be: `in_shardings` and `out_shardings` of `jit`, arrays made of shards."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sable import runtime
from sable.core import destinations, placement
from sable.core.array import Array, Value, device_of
from sable.core.partition_spec import PartitionSpec
from sable.core.sharding import Format, NamedSharding, Sharding, SingleDeviceSharding
from sable.core.tracing import argument_names, function_name
from sable.core.values import as_value
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes
from sable.tree_util import tree_flatten, tree_leaves, tree_map


class Layouts:
    """Where the arguments and the results of a jitted function are to be.

    Args:
      fun: the function, for messages.
      inside: `in_shardings`, a prefix of the tuple of the positional arguments.
      outside: `out_shardings`, a prefix of the results.

    Raises:
      TypeError: something in them is no sharding.
      RuntimeError: a PartitionSpec, and there is no mesh to which it belongs.
    """

    def __init__(self, fun: Callable, inside: Any, outside: Any):
        self._fun = fun
        self._inside = _checked("in_shardings", inside)
        self._outside = _checked("out_shardings", outside)

    def arguments(self, args: tuple, kwargs: dict) -> tuple:
        """The positional arguments where they are wanted; tracers, and what is bound to be elsewhere, are checked only.

        Raises:
          ValueError: an array has fewer dimensions than its spec, or is bound to another device.
        """
        if self._inside is None:
            return args
        leaves, tree = arrays.flatten(args)
        given = tuple(self._inside) if isinstance(self._inside, list) else self._inside
        wanted = flatten_axes("pjit in_shardings", tree, given, tupled_args=True)
        names = functools.partial(argument_names, self._fun, args, kwargs)
        return tree.unflatten([self._argument(x, s, i, names) for i, (x, s) in enumerate(zip(leaves, wanted))])

    def _argument(self, x: Any, wanted: Any, i: int, names: Callable[[], list[str]]) -> Any:
        if wanted is None:
            return x
        value = as_value(x)
        if isinstance(wanted, NamedSharding):
            _check_rank(value, wanted, "arguments", f"{names()[i]} of {function_name(self._fun)}")
        if isinstance(value, Array) and value.committed and device_of(value) not in wanted.device_set:
            raise ValueError(
                f"Received incompatible devices for jitted computation. The argument {names()[i]} of "
                f"{function_name(self._fun)} is bound to {device_of(value)!r}, and in_shardings says {wanted}. Move it with "
                "device_put."
            )
        return destinations.to_device(value, wanted, name="in_shardings of jit")

    def results(self, found: Any) -> Any:
        """The results where they are wanted.

        Raises:
          ValueError: an array has fewer dimensions than its spec.
        """
        if self._outside is None:
            return found
        leaves, tree = arrays.flatten(found)
        wanted = flatten_axes("pjit out_shardings", tree, self._outside)
        return tree.unflatten([self._result(x, s) for x, s in zip(leaves, wanted)])

    def _result(self, x: Any, wanted: Any) -> Any:
        if wanted is None:
            return x
        if isinstance(wanted, NamedSharding):
            _check_rank(x, wanted, "outputs", f"a result of {function_name(self._fun)}")
        return destinations.to_device(x, wanted, name="out_shardings of jit")


def _check_rank(x: Value, wanted: NamedSharding, what: str, name: str) -> None:
    try:
        wanted.check_compatible_aval(x.shape)
    except ValueError as error:
        raise ValueError(
            f"One of pjit {what}, {name}, is incompatible with its sharding annotation {wanted}: {error}"
        ) from None


def _checked(name: str, given: Any) -> Any:
    """A tree of shardings and None."""
    if given is None:
        return None

    def one(leaf: Any) -> Any:
        if isinstance(leaf, Format):
            return leaf.sharding
        if isinstance(leaf, PartitionSpec):
            return destinations.sharding_of(f"{name} of jit", leaf, RuntimeError)
        if leaf is not None and not isinstance(leaf, Sharding):
            raise TypeError(
                f"{name} leaf specifications are expected to be shardings, PartitionSpec instances or None, but got {leaf}"
            )
        return leaf

    return tree_map(one, given, is_leaf=lambda x: isinstance(x, Format))


def device_layouts(fun: Callable, device: Any, backend: Any, inside: Any, outside: Any) -> Layouts | None:
    """The layouts that `jit`'s arguments say, None where they say nothing.

    Raises:
      ValueError: a device and shardings.
    """
    if device is None and backend is None:
        return None if inside is None and outside is None else Layouts(fun, inside, outside)
    if inside is not None or outside is not None:
        which = "in_shardings" if inside is not None else "out_shardings"
        raise ValueError(f"If backend or device is specified on jit, then {which} should not be specified.")
    place = SingleDeviceSharding(runtime.devices(backend)[0] if device is None else device)
    return Layouts(fun, place, place)


def reshard(xs: Any, out_shardings: Any) -> Any:
    """Arrays laid out in another way; errors as of `lax.with_sharding_constraint`.

    Args:
      xs: a pytree of arrays.
      out_shardings: shardings, or specs for the mesh that `jax.set_mesh` has set: a prefix of xs.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> with jax.set_mesh(jax.make_mesh((1,), ("i",))):
      ...     print(jax.reshard(jnp.ones(3), jax.P("i")).sharding.spec)
      P('i',)
    """
    return destinations.placed("reshard", xs, out_shardings)


def auto_axes(f: Any = None, /, *, axes: Any = None, out_sharding: Any = None) -> Any:
    """A function in which axes of the mesh are laid out by the compiler, whose results are then resharded.

    Args:
      f: the function; left out for use as a decorator.
      axes: which; on one device it is all the same.
      out_sharding: of the results; else the function returned takes an argument `out_sharding`.

    Example:
      >>> mesh = jax.make_mesh((1,), ("i",))
      >>> with jax.set_mesh(mesh):
      ...     print(jax.sharding.auto_axes(jnp.sin, out_sharding=jax.P("i"))(jnp.zeros(2)))
      [0. 0.]
    """
    return _at_the_border(f, auto_axes, out_sharding, "out_sharding")


def explicit_axes(f: Any = None, /, *, axes: Any = None, in_sharding: Any = None) -> Any:
    """A function whose arguments are resharded first, in which axes of the mesh are laid out by the arrays' types.

    Args:
      f: the function; left out for use as a decorator.
      axes: which; on one device it is all the same.
      in_sharding: of the arguments; else the function returned takes an argument `in_sharding`.

    Example:
      >>> mesh = jax.make_mesh((1,), ("i",))
      >>> with jax.set_mesh(mesh):
      ...     print(jax.sharding.explicit_axes(jnp.cos, in_sharding=jax.P("i"))(jnp.zeros(2)))
      [1. 1.]
    """
    return _at_the_border(f, explicit_axes, in_sharding, "in_sharding")


def _at_the_border(f: Any, decorator: Callable, sharding: Any, name: str) -> Any:
    if f is None:
        return functools.partial(decorator, **{name: sharding})

    @functools.wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if sharding is None and name not in kwargs:
            raise TypeError(f"{function_name(f)} misses the keyword argument {name!r}")
        wanted = kwargs.pop(name) if sharding is None else sharding
        if name == "in_sharding":
            args = reshard(args, wanted)
        found = f(*args, **kwargs)
        return reshard(found, wanted) if name == "out_sharding" else found

    return wrapped


def make_array_from_callback(
    shape: Sequence[int], sharding: Any, data_callback: Callable[[Any], Any], dtype: Any = None
) -> Array:
    """An array of the parts that a function gives for each device.

    Args:
      shape: of the array.
      sharding: how it is laid out.
      data_callback: the part at an index, a tuple of slices.
      dtype: of the array, by default of the parts.

    Raises:
      ValueError: a part has another shape.
      NotImplementedError: several devices.

    Example:
      >>> import sable as jax
      >>> place = jax.NamedSharding(jax.make_mesh((1,), ("i",)), jax.P("i"))
      >>> jax.make_array_from_callback((3,), place, lambda index: np.arange(3.0)[index])
      Array([0., 1., 2.], dtype=float32)
    """
    place = sharding.sharding if isinstance(sharding, Format) else sharding
    if isinstance(place, NamedSharding):
        destinations.device_of_mesh("make_array_from_callback", place.mesh)
    index = next(iter(place.devices_indices_map(tuple(shape)).values()))
    part = data_callback(index)
    part = np.asarray(part, dtype=dtype) if dtype is not None else part
    return _whole(tuple(shape), place, as_value(part))


def _whole(shape: tuple[int, ...], sharding: Sharding, part: Any) -> Array:
    if tuple(part.shape) != tuple(shape):
        raise ValueError(
            f"Expected shard shape {tuple(shape)} doesn't match the single device array shape {tuple(part.shape)}. The array "
            f"has the sharding {sharding}"
        )
    return destinations.to_device(part, sharding, name="make_array")  # type: ignore[return-value]


def make_array_from_single_device_arrays(
    shape: Sequence[int], sharding: Sharding, arrays: Sequence[Array], *, dtype: Any = None
) -> Array:
    """An array of its parts, each on its device.

    Args:
      shape: of the array.
      sharding: how it is laid out.
      arrays: the parts: one.
      dtype: of the array, that of the parts.

    Raises:
      ValueError: a part has another shape, or there are more parts than devices.
      NotImplementedError: several devices.

    Example:
      >>> mesh = jax.make_mesh((1,), ("i",))
      >>> sharding = jax.NamedSharding(mesh, jax.P("i"))
      >>> jax.make_array_from_single_device_arrays((3,), sharding, [jnp.arange(3)])
      Array([0, 1, 2], dtype=int32)
    """
    if len(arrays) != 1:
        raise ValueError(f"make_array_from_single_device_arrays takes a part for each device, one, got {len(arrays)}")
    return _whole(tuple(shape), sharding, arrays[0])


def make_array_from_process_local_data(sharding: Any, local_data: Any, global_shape: Any = None) -> Any:
    """Arrays of the data of this process, which is all there is.

    Args:
      sharding: how the arrays are laid out, a prefix of the data.
      local_data: a pytree of arrays.
      global_shape: their shapes, likewise.

    Raises:
      ValueError: another shape.
      NotImplementedError: several devices.

    Example:
      >>> mesh = jax.make_mesh((1,), ("i",))
      >>> jax.make_array_from_process_local_data(jax.NamedSharding(mesh, jax.P("i")), np.arange(3))
      Array([0, 1, 2], dtype=int32)
    """
    leaves, tree = tree_flatten(local_data)
    places = flatten_axes("make_array_from_process_local_data sharding", tree, sharding)
    shapes = [x.shape for x in leaves]
    if global_shape is not None:
        is_shape = lambda s: isinstance(s, tuple) and all(isinstance(n, int) for n in s)  # noqa: E731
        shapes = tree_leaves(global_shape, is_leaf=is_shape)
    return tree.unflatten([_whole(tuple(n), s, as_value(x)) for n, s, x in zip(shapes, places, leaves)])


def inspect_array_sharding(value: Any, *, callback: Callable[[Sharding], Any]) -> None:
    """Call a function with the sharding of each array of a pytree; while a program is traced, with that of its device.

    Args:
      value: a pytree of arrays.
      callback: gets each sharding.

    Example:
      >>> jax.debug.inspect_array_sharding(jnp.ones(2), callback=lambda s: print(type(s).__name__))
      SingleDeviceSharding
    """
    for x in arrays.leaves(value):
        callback(x.sharding if isinstance(x, Array) else SingleDeviceSharding(placement.default_device()))


def visualize_array_sharding(arr: Any, **options: Any) -> None:
    """Print how an array is laid out; arguments and errors as of `visualize_sharding`.

    Args:
      arr: an array of one or two dimensions.
      options: as of `visualize_sharding`.

    Example:
      >>> jax.debug.visualize_array_sharding(jnp.ones(8))
      ┌─────────┐
      │  CPU 0  │
      └─────────┘
    """
    inspect_array_sharding(arr, callback=lambda sharding: visualize_sharding(arr.shape, sharding, **options))


def visualize_sharding(
    shape: Sequence[int],
    sharding: Sharding,
    *,
    use_color: bool = True,
    scale: float = 1.0,
    min_width: int = 9,
    max_width: int = 80,
    color_map: Any = None,
) -> None:
    """Print which part of an array is on which device, as a box for each part.

    Args:
      shape: of the array: one or two dimensions.
      sharding: how it is laid out.
      min_width, max_width: of a box, in characters.
      use_color, scale, color_map: accepted for compatibility.

    Raises:
      ValueError: another number of dimensions.

    Example:
      >>> import sable as jax
      >>> jax.debug.visualize_sharding((4, 4), jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0]))
      ┌─────────┐
      │  CPU 0  │
      └─────────┘
    """
    if not 1 <= len(shape) <= 2:
        raise ValueError("`visualize_sharding` only works for shapes with 1 and 2 dimensions.")
    rows: dict[int, dict[int, list[Any]]] = {}
    for device, index in sharding.devices_indices_map(tuple(shape)).items():
        *above, left = [s.start or 0 for s in index]
        rows.setdefault(above[0] if above else 0, {}).setdefault(left, []).append(device)
    texts = [
        [
            f"{d[0].platform.upper()} {','.join(str(x.id) for x in sorted(d, key=lambda x: x.id))}"
            for _, d in sorted(r.items())
        ]
        for _, r in sorted(rows.items())
    ]
    width = min(max(min_width, *(len(text) + 2 for row in texts for text in row)), max_width)
    columns = len(texts[0])
    border = "─" * width
    lines = ["│" + "│".join(text.center(width) for text in row) + "│" for row in texts]
    middle = f"├{'┼'.join([border] * columns)}┤"
    print(
        f"┌{'┬'.join([border] * columns)}┐",
        *f"\n{middle}\n".join(lines).split("\n"),
        f"└{'┴'.join([border] * columns)}┘",
        sep="\n",
    )


__all__ = [
    "Layouts",
    "auto_axes",
    "device_layouts",
    "explicit_axes",
    "inspect_array_sharding",
    "make_array_from_callback",
    "make_array_from_process_local_data",
    "make_array_from_single_device_arrays",
    "reshard",
    "visualize_array_sharding",
    "visualize_sharding",
]
