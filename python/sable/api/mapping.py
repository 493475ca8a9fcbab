"""shard_map, smap, pmap: a function run on every device of a mesh, on its part of the arguments. Meshes have one device.

Along an axis of one device a function is mapped as `vmap` maps it over one example: what differs along the axis is batched,
so that results that are promised not to differ are checked, and collectives mean what they mean there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sable import runtime
from sable.core import destinations
from sable.core.array import Array
from sable.core.batching import DiffersAlongAxis, axis_key, batched_call
from sable.core.bind import BIND
from sable.core.boundary import boundary
from sable.core.extended import seen_avals
from sable.core.mesh import MESH, AbstractMesh, Mesh
from sable.core.partition_spec import PartitionSpec
from sable.core.sharding import NamedSharding
from sable.core.state import STATE
from sable.core.tracing import argument_names, function_name
from sable.core.values import as_value
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes
from sable.tree_util import tree_leaves, tree_map

from .batching import vmap
from .compilation import jit
from .static_arguments import as_tuple


class _Infer:
    """Of `in_specs`: as the arguments are laid out."""

    def __repr__(self) -> str:
        return "jax.sharding.Infer"


INFER = _Infer()
_NOWHERE = PartitionSpec()


def shard_map(
    f: Callable | None = None,
    /,
    *,
    out_specs: Any,
    in_specs: Any = INFER,
    mesh: Mesh | AbstractMesh | None = None,
    axis_names: Iterable = frozenset(),
    check_vma: bool = True,
) -> Any:
    """A function that runs `f` on every device of a mesh, on the device's part of the arguments.

    Args:
      f: function of parts, in which collectives know the axes of the mesh; left out for use as a decorator.
      out_specs: how the parts of the results are put together: specs, a prefix of the results. Along axes that a spec
        leaves out the results are the same.
      in_specs: how the arguments are cut, likewise; None for arguments that are Python values. By default as they are
        laid out.
      mesh: of one device; by default that of `jax.set_mesh`.
      axis_names: the axes along which `f` is run on each device by itself, by default all.
      check_vma: whether to check that results are the same where `out_specs` say so.

    Returns:
      The function of whole arrays.

    Raises:
      TypeError: `f` is not callable; something is no spec.
      ValueError: there is no mesh or no such axis; a spec has more dimensions than its array; specs are no prefix; results
        differ where they should not.
      NotImplementedError: the mesh has several devices.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> mesh = jax.make_mesh((1,), ("i",))
      >>> total = jax.shard_map(lambda x: jax.lax.psum(x, "i"), mesh=mesh, in_specs=jax.P("i"), out_specs=jax.P())
      >>> total(jnp.arange(3))
      Array([0, 1, 2], dtype=int32)
    """
    if f is None:
        options = {"in_specs": in_specs, "mesh": mesh, "axis_names": axis_names, "check_vma": check_vma}
        return functools.partial(shard_map, out_specs=out_specs, **options)
    if not callable(f):
        raise TypeError(f"shard_map requires a callable for its first argument, but got {f} of type {type(f)}.")

    @boundary
    @functools.wraps(f)
    def wrapped(*args: Any) -> Any:
        axes = _mesh("shard_map", mesh)
        names = frozenset(axis_names) or frozenset(axes.axis_names)
        if not names <= {*axes.axis_names}:
            raise ValueError(
                f"jax.shard_map requires axis_names={sorted(map(str, names))} to be a subset of mesh.axis_names="
                f"{axes.axis_names}"
            )
        _check_specs("in_specs", () if in_specs is INFER else in_specs, names)
        _check_specs("out_specs", out_specs, names)
        return _run(f, args, axes, names, in_specs, out_specs, check_vma)

    return wrapped


def _mesh(name: str, mesh: Mesh | AbstractMesh | None) -> Mesh | AbstractMesh:
    found = MESH.value if mesh is None else mesh
    if found is None:
        raise ValueError(
            f"The context mesh cannot be empty. Use `jax.set_mesh(mesh)` before {name}, or give it the mesh."
        )
    if not isinstance(found, (Mesh, AbstractMesh)):
        raise TypeError(
            f"{name} requires a `jax.sharding.Mesh` or a `jax.sharding.AbstractMesh` as mesh, got {type(found)}"
        )
    destinations.device_of_mesh(name, found)  # raises where there are several
    return found


def _check_specs(name: str, specs: Any, names: frozenset) -> None:
    for spec in tree_leaves(specs):
        if not isinstance(spec, PartitionSpec):
            raise TypeError(
                f"shard_map {name} argument must be a pytree of `jax.sharding.PartitionSpec` instances, but it has the leaf "
                f"{spec!r} of type {type(spec)}"
            )
        for axis in spec.every_axis:
            if axis not in names:
                raise ValueError(
                    f"shard_map {name} argument must refer to an axis marked as manual ({sorted(map(str, names))}), but it "
                    f"refers to {axis!r}"
                )


def _run(
    f: Callable, args: tuple, mesh: Mesh | AbstractMesh, names: frozenset, in_specs: Any, out_specs: Any, check: bool
) -> Any:
    leaves, tree = arrays.flatten(args)
    if in_specs is INFER:
        specs: list[Any] = [_spec_of(x, mesh) for x in leaves]
    else:
        specs = flatten_axes("shard_map in_specs", tree, in_specs, tupled_args=True)
    values = [x if s is None else _place(as_value(x), mesh, s) for x, s in zip(leaves, specs)]
    seen = seen_avals(tree, [getattr(x, "aval", None) for x in values])
    for i, (a, s) in enumerate(zip(seen, specs)):
        if s is not None and a.ndim < len(s):
            raise ValueError(
                f"shard_map applied to the function '{function_name(f)}' was given an in_specs entry which is too long to be "
                f"compatible with the corresponding input value from the function: {s} has length {len(s)}, but "
                f"{argument_names(f, args)[i]} has shape {a.short()}"
            )
    g = f
    for name in reversed(mesh.axis_names):
        if name in names:
            g = _along(g, f, name, specs, out_specs, check)
    found, out_tree = arrays.flatten(g(*tree.unflatten(values)))
    out = flatten_axes("shard_map out_specs", out_tree, out_specs)
    for a, s in zip(seen_avals(out_tree, [x.aval for x in found]), out):
        s.check_rank(a.shape)
    return out_tree.unflatten([_place(x, mesh, s) for x, s in zip(found, out)])


def _spec_of(x: Any, mesh: Mesh | AbstractMesh) -> PartitionSpec:
    """How an argument is laid out over the mesh."""
    sharding = getattr(x, "_sharding", None) if isinstance(x, Array) else None
    is_there = isinstance(sharding, NamedSharding) and sharding.mesh.axis_names == mesh.axis_names
    return sharding.spec if is_there else _NOWHERE


def _place(x: Any, mesh: Mesh | AbstractMesh, spec: PartitionSpec) -> Any:
    """An array on the mesh's device."""
    if not isinstance(x, Array) or isinstance(mesh, AbstractMesh) or x.ndim < len(spec):
        return x
    return destinations.to_device(x, NamedSharding(mesh, spec), name="shard_map")


def _along(g: Callable, f: Callable, name: Any, in_specs: Sequence, out_specs: Any, check: bool) -> Callable:
    """`g` for one example along an axis, of which there is one."""
    marks = [0 if s is not None and name in s.every_axis else None for s in in_specs]
    out_axes = tree_map(lambda s: 0 if not check or name in s.every_axis else None, out_specs)

    def along(*args: Any) -> Any:
        leaves, tree = arrays.flatten_call(args, {})
        values = [x if m is None else BIND.reshape(x, shape=(1, *x.aval.shape)) for x, m in zip(leaves, marks)]
        try:
            result = batched_call(g, values, tree, marks, 1, axis_key(name), out_axes)
        except DiffersAlongAxis as error:
            raise ValueError(
                f"shard_map applied to the function '{function_name(f)}' was given out_specs {out_specs} which require "
                f"replication along the mesh axis {name!r}, and a result differs along it: name the axis in out_specs, or "
                "reduce the result over it. check_vma=False turns this check off."
            ) from error
        found, out_tree = arrays.flatten(result)
        places = flatten_axes("shard_map out_specs", out_tree, out_axes)
        single = [x if m is None else BIND.reshape(x, shape=x.aval.shape[1:]) for x, m in zip(found, places)]
        return out_tree.unflatten(single)

    return along


def smap(f: Callable | None = None, /, *, in_axes: Any = INFER, out_axes: Any, axis_name: Any) -> Any:
    """`shard_map` along one axis of the mesh of `jax.set_mesh`, where arguments are cut as in `vmap`.

    Args:
      f: function of parts; left out for use as a decorator.
      in_axes: the dimension along which each argument is cut: an int, None, or a tuple of these or of pytrees of these.
      out_axes: where the cut dimension is in the results, likewise.
      axis_name: the axis of the mesh.

    Raises:
      TypeError: axes are no ints, or axis_name is several names.
      ValueError, NotImplementedError: see `shard_map`.

    Example:
      >>> with jax.set_mesh(jax.make_mesh((1,), ("i",))):
      ...     print(jax.smap(lambda x: 2 * x, in_axes=0, out_axes=0, axis_name="i")(jnp.arange(3)))
      [0 2 4]
    """
    if f is None:
        return functools.partial(smap, in_axes=in_axes, out_axes=out_axes, axis_name=axis_name)
    if isinstance(axis_name, (list, tuple)):
        raise TypeError(f"smap axis_name should be a `str` or a `Hashable`, but got {axis_name}")
    for name, axes in (("in_axes", () if in_axes is INFER else in_axes), ("out_axes", out_axes)):
        if not all(isinstance(a, int) for a in tree_leaves(axes)):
            raise TypeError(
                f"smap {name} must be an int, None, or a (nested) container with those types as leaves, but got {axes}"
            )
    specs = functools.partial(tree_map, functools.partial(_spec_with, axis_name), is_leaf=lambda x: x is None)
    return shard_map(
        f,
        in_specs=INFER if in_axes is INFER else specs(in_axes),
        out_specs=specs(out_axes),
        axis_names={axis_name},
    )


def _spec_with(name: Any, axis: int | None) -> PartitionSpec:
    if axis is None:
        return _NOWHERE
    if axis < 0:
        raise NotImplementedError(f"smap takes axes counted from the front, got {axis}")
    return PartitionSpec(*[None] * axis, name)


#: The name of an axis that the user gave none.
_UNNAMED = "<axis of pmap>"


def pmap(
    fun: Callable,
    axis_name: Any = None,
    *,
    in_axes: Any = 0,
    out_axes: Any = 0,
    static_broadcasted_argnums: Any = (),
    devices: Sequence[Any] | None = None,
    backend: str | None = None,
    axis_size: int | None = None,
    donate_argnums: Any = (),
) -> Any:
    """A compiled function that runs `fun` for every example along an axis, each on a device of its own: there is one.

    Args:
      fun: function of one example.
      axis_name, in_axes, out_axes, axis_size: as of `vmap`; out_axes may be None for any result.
      static_broadcasted_argnums: positions of arguments whose values are part of the program.
      devices: the device, in a list.
      backend: the platform of the device.
      donate_argnums: as of `jit`.

    Raises:
      TypeError: `fun` is not callable.
      ValueError: there are more examples than devices; see `vmap` too.
      NotImplementedError: several devices.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.pmap(lambda x: x / jax.lax.psum(x, "i"), "i")(jnp.array([[2.0, 4.0]]))
      Array([[1., 1.]], dtype=float32)
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    given = runtime.devices(backend)[:1] if devices is None and backend is not None else devices
    if given is not None and len(given) != 1:
        raise NotImplementedError(f"pmap runs on one device, and was given {len(given)}: {list(given)}")
    static = as_tuple(static_broadcasted_argnums, int, "static_broadcasted_argnums")
    name = _UNNAMED if axis_name is None else axis_name
    every = tree_map(lambda a: 0 if a is None else a, out_axes, is_leaf=lambda a: a is None)

    @functools.wraps(fun)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        fixed = {i % len(args): args[i % len(args)] for i in static}
        moving = [i for i in range(len(args)) if i not in fixed]

        def one(*dynamic: Any, **named: Any) -> Any:
            size = STATE.axes[axis_key(name)]
            if size != 1:
                raise ValueError(
                    f"pmap of {function_name(fun)} got {size} examples along the mapped axis: each runs on a device of its "
                    "own, and there is one. `vmap` takes any number"
                )
            rest = dict(zip(moving, dynamic))
            return fun(*[fixed[i] if i in fixed else rest[i] for i in range(len(args))], **named)

        functools.update_wrapper(one, fun)
        axes = tuple(in_axes[i] for i in moving) if isinstance(in_axes, (tuple, list)) else in_axes
        result = vmap(one, axes, every, name, axis_size)(*[args[i] for i in moving], **kwargs)
        found, tree = arrays.flatten(result)
        places = flatten_axes("pmap out_axes", tree, out_axes)
        return tree.unflatten(
            [x if p is not None else BIND.reshape(x, shape=x.aval.shape[1:]) for x, p in zip(found, places)]
        )

    return jit(mapped, static_argnums=static, donate_argnums=donate_argnums, device=given[0] if given else None)


__all__ = ["pmap", "shard_map", "smap"]
