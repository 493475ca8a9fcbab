"""Where the user wants arrays to be: devices, shardings, specs for the mesh of the thread."""

from __future__ import annotations

from typing import Any

from sable import runtime
from sable.pytree import arrays
from sable.pytree.registry import flatten_axes

from .array import Array, Value, copy_of, device_of
from .mesh import MESH, AbstractMesh, Mesh
from .partition_spec import PartitionSpec
from .placement import default_device, put
from .sharding import NamedSharding, SingleDeviceSharding
from .values import as_value


def at_device(x: Value, device: Any, given: Any = None) -> Value:
    """The array where the `device` argument of a function that makes arrays says; arguments and errors as of `to_device`.

    Args:
      given: what the user gave: if that is x itself, and there already, it stays as it is, committed or not.
    """
    if device is None:
        return x
    wanted, named = _place("jax.device_put", device)
    if x is given and named is None and isinstance(x, Array) and device_of(x) is wanted:
        return x
    return to_device(x, device)


def sharding_of(name: str, given: Any, error: type[Exception] = ValueError) -> Any:
    """A sharding of what the user gave: specs are about the mesh of this thread; anything else stays as it is.

    Args:
      name: of the function, for messages.
      given: what the user gave.
      error: raised for a spec where there is no mesh.
    """
    if not isinstance(given, PartitionSpec):
        return given
    if MESH.value is None:
        raise error(
            f"{name} requires a mesh to which the PartitionSpec {given} belongs: use `jax.set_mesh(mesh)`, or give a "
            "`NamedSharding`"
        )
    return NamedSharding(MESH.value, given)


def _place(name: str, given: Any) -> tuple[Any, NamedSharding | None]:
    """The device that the user names, and the layout over a mesh, if it is one.

    Raises:
      ValueError: no device.
      NotImplementedError: several devices.
    """
    given = sharding_of(name, given)
    if isinstance(given, NamedSharding):
        return device_of_mesh(name, given.mesh), given
    if isinstance(given, SingleDeviceSharding):
        return given.device, None
    if given is not None and not isinstance(given, runtime.Device):
        raise ValueError(
            f"`{name}` only accepts `None`, a device of `jax.devices()` or a sharding. Received invalid value: {given!r}"
        )
    return given, None


def device_of_mesh(name: str, mesh: Mesh | AbstractMesh) -> Any:
    """The device of a mesh of one; for a mesh without devices that has one place, the default device.

    Args:
      name: of the function, for messages.

    Raises:
      NotImplementedError: there are several.
    """
    if mesh.size != 1:
        raise NotImplementedError(
            f"{name}: arrays and programs are on one device each, and the mesh {mesh!s} has {mesh.size}: meshes of one "
            "device can be used"
        )
    return mesh.devices.flat[0] if isinstance(mesh, Mesh) else default_device()


def to_device(x: Value, device: Any, fresh: bool = False, name: str = "jax.device_put") -> Value:
    """An array on the device that the user names, to which it is then committed; tracers are left as they are.

    Args:
      x: array or tracer.
      device: a device of `devices()` or a sharding over one; a PartitionSpec is about the mesh of this thread; None
        leaves the array where it is.
      fresh: never the array itself.
      name: of the function, for messages.

    Raises:
      ValueError: no device; the array has fewer dimensions than the spec.
      NotImplementedError: several devices.
      RuntimeError: the array was deleted.
    """
    wanted, named = _place(name, device)
    if named is not None:
        named.check_compatible_aval(x.shape)
    if not isinstance(x, Array):
        return x
    if x.deleted:
        x.numpy()  # raises
    made = x if device is None else put(x, wanted, True, explicit=True, named=named)
    if made is x and (fresh or x.constant):  # a constant may stand for other uses of the number
        made = copy_of(x)
    made.constant = False
    return made


def placed(name: str, x: Any, shardings: Any) -> Any:
    """A pytree of arrays laid out as the user says.

    Args:
      name: of the function, for messages.
      x: the pytree.
      shardings: a prefix of it.

    Raises:
      ValueError: no prefix; an array has fewer dimensions than its spec.
      RuntimeError: a spec, and there is no mesh.
      NotImplementedError: several devices.
    """
    leaves, tree = arrays.flatten(x)
    wanted = [sharding_of(name, s, RuntimeError) for s in flatten_axes(f"{name} shardings", tree, shardings)]
    return tree.unflatten([to_device(as_value(leaf), s, name=name) for leaf, s in zip(leaves, wanted)])
