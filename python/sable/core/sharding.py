"""How arrays are laid out over devices: so far each is on one."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .mesh import AbstractMesh, Mesh, check_names
from .partition_spec import PartitionSpec

_DEVICE_MEMORY = "device"


def _check_memory(kind: str | None) -> None:
    if kind not in (None, _DEVICE_MEMORY):
        raise ValueError(f"devices have one kind of memory, 'device', got memory_kind={kind!r}")


class Sharding:
    """How an array is laid out over devices.

    Example:
      >>> isinstance(jnp.arange(3).sharding, jax.sharding.Sharding)
      True
    """

    @property
    def device_set(self) -> set:
        """The devices."""
        raise NotImplementedError("Subclasses should implement this method.")

    @property
    def num_devices(self) -> int:
        """How many devices there are."""
        return len(self.device_set)

    @property
    def addressable_devices(self) -> set:
        """The devices that this process can reach: all."""
        return self.device_set

    @property
    def has_addressable_devices(self) -> bool:
        """True: there is one process."""
        return True

    @property
    def is_fully_addressable(self) -> bool:
        """Whether this process can reach all of the devices."""
        return True

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        """For each device which part of an array of that shape it holds, as a tuple of slices."""
        raise NotImplementedError("Subclasses should implement this method.")

    def addressable_devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        """`devices_indices_map` of the devices that this process can reach."""
        return self.devices_indices_map(global_shape)

    def is_equivalent_to(self, other: Sharding, ndim: int) -> bool:
        """Whether arrays of that rank are laid out alike."""
        if self.num_devices == other.num_devices == 1:
            return self.device_set == other.device_set
        return self == other


@dataclass(frozen=True, repr=False)
class SingleDeviceSharding(Sharding):
    """All of an array on one device.

    Attributes:
      device: the device.
      memory_kind: which of its memories: "device", the only one.

    Example:
      >>> sharding = jax.sharding.SingleDeviceSharding(jax.devices("cpu")[0])
      >>> jax.device_put(jnp.arange(3), sharding).sharding == sharding
      True
    """

    device: Any
    memory_kind: str = field(default=_DEVICE_MEMORY, kw_only=True)

    def __post_init__(self) -> None:
        _check_memory(self.memory_kind)

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self.device!r}, memory_kind={self.memory_kind})"

    def with_memory_kind(self, kind: str) -> SingleDeviceSharding:
        """The sharding with another kind of memory."""
        return SingleDeviceSharding(self.device, memory_kind=kind)

    @property
    def device_set(self) -> set:
        return {self.device}

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each device holds all of the array."""
        return True

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        return {self.device: (slice(None),) * len(global_shape)}

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a device holds of an array of that shape."""
        return tuple(global_shape)


@dataclass(frozen=True, repr=False)
class NamedSharding(Sharding):
    """An array cut along the axes of a mesh.

    Attributes:
      mesh: the devices, or their axes alone.
      spec: for each dimension the axes along which it is cut.
      memory_kind: which of the devices' memories: "device", the only one; None where there are no devices.

    Raises:
      ValueError: the mesh has no such axis; an axis cuts two dimensions.

    Example:
      >>> import sable as jax
      >>> jax.NamedSharding(jax.make_mesh((1,), ("i",)), jax.P("i"))
      NamedSharding(mesh=Mesh('i': 1, axis_types=(Explicit,)), spec=P('i',), memory_kind=device)
    """

    mesh: Mesh | AbstractMesh
    spec: PartitionSpec
    memory_kind: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if not isinstance(self.mesh, (Mesh, AbstractMesh)) or not isinstance(self.spec, PartitionSpec):
            raise TypeError(f"NamedSharding takes a mesh and a PartitionSpec, got {self.mesh!r} and {self.spec!r}")
        _check_memory(self.memory_kind)
        check_names(self.spec, self.mesh)
        if isinstance(self.mesh, Mesh):
            object.__setattr__(self, "memory_kind", _DEVICE_MEMORY)

    def __repr__(self) -> str:
        memory = "" if self.memory_kind is None else f", memory_kind={self.memory_kind}"
        return f"NamedSharding(mesh={self.mesh!s}, spec={self.spec}{memory})"

    def with_memory_kind(self, kind: str) -> NamedSharding:
        """The sharding with another kind of memory."""
        return NamedSharding(self.mesh, self.spec, memory_kind=kind)

    def update(self, **parts: Any) -> NamedSharding:
        """A sharding with another `mesh`, `spec` (which may be a tuple) or `memory_kind`."""
        spec = parts.get("spec", self.spec)
        return NamedSharding(
            parts.get("mesh", self.mesh),
            spec if isinstance(spec, PartitionSpec) else PartitionSpec(*spec),
            memory_kind=parts.get("memory_kind", self.memory_kind),
        )

    def _devices(self, what: str) -> Any:
        if isinstance(self.mesh, AbstractMesh):
            raise ValueError(f"{what} is not implemented for `jax.sharding.AbstractMesh`.")
        return self.mesh.devices

    @property
    def num_devices(self) -> int:
        return self.mesh.size

    @property
    def device_set(self) -> set:
        return set(self._devices("device_set").flat)

    @property
    def is_fully_addressable(self) -> bool:
        self._devices("is_fully_addressable")
        return True

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each device holds all of the array."""
        return all(self.mesh.shape[name] == 1 for name in self.spec.every_axis)

    def check_compatible_aval(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError where arrays of that shape have fewer dimensions than the spec."""
        self.spec.check_rank(shape, whose=self)

    def _parts(self, shape: Sequence[int]) -> list[int]:
        """In how many parts each dimension is cut."""
        self.check_compatible_aval(tuple(shape))
        sizes = self.mesh.shape
        counts = [math.prod(sizes[name] for name in self.spec.axes(d)) for d in range(len(shape))]
        for d, (size, count) in enumerate(zip(shape, counts)):
            if size % count:
                raise ValueError(
                    f"Sharding {self} implies that array axis {d} is partitioned {count} times, but the dimension size is "
                    f"{size} (full shape: {tuple(shape)})"
                )
        return counts

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a device holds of an array of that shape.

        Raises:
          ValueError: a dimension is no multiple of the number of its parts.
        """
        return tuple(size // count for size, count in zip(global_shape, self._parts(global_shape)))

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        devices = self._devices("devices_indices_map")
        part, names = self.shard_shape(global_shape), self.mesh.axis_names
        places = itertools.product(*map(range, devices.shape))
        return {devices[p]: self._slices(dict(zip(names, p)), part, global_shape) for p in places}

    def _slices(self, place: dict, part: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
        """The part of an array that the device at a place of the mesh holds."""
        found = []
        for d, (size, whole) in enumerate(zip(part, shape)):
            number = 0
            for name in self.spec.axes(d):
                number = number * self.mesh.shape[name] + place[name]
            found.append(slice(None) if size == whole else slice(number * size, (number + 1) * size))
        return tuple(found)


def make_single_device_sharding(device: Any, *, memory_kind: str | None = None) -> SingleDeviceSharding:
    """All of an array on one device; see `SingleDeviceSharding`.

    Args:
      device: the device.
      memory_kind: as of `SingleDeviceSharding`.

    Example:
      >>> jax.sharding.make_single_device_sharding(jax.devices()[0]).num_devices
      1
    """
    return SingleDeviceSharding(device, memory_kind=memory_kind or _DEVICE_MEMORY)


class Layout(NamedTuple):
    """In which order the elements of an array are in memory.

    Attributes:
      major_to_minor: the dimensions, that whose index changes slowest first.
      tiling: of blocks: none.
      sub_byte_element_size_in_bits: 0: each element has bytes of its own.
    """

    major_to_minor: tuple[int, ...]
    tiling: tuple = ()
    sub_byte_element_size_in_bits: int = 0


class Format(NamedTuple):
    """Where an array is, and in which order its elements are there."""

    layout: Layout
    sharding: Sharding


class ManualAxisType:
    """Along which manual axes of a mesh a value differs or is still to be summed.

    Args:
      varying, unreduced, reduced: sets of names.

    Raises:
      ValueError: a name is in `varying` and in another.

    Example:
      >>> jax.sharding.ManualAxisType(varying={"i"}).varying
      frozenset({'i'})
    """

    __slots__ = ("reduced", "unreduced", "varying")

    def __init__(
        self,
        *,
        varying: frozenset = frozenset(),
        unreduced: frozenset = frozenset(),
        reduced: frozenset = frozenset(),
    ) -> None:
        for name, given in (("unreduced", unreduced), ("reduced", reduced)):
            if varying & given:
                raise ValueError(
                    f"varying and {name} cannot have common mesh axes. Got varying={varying} and {name}={given}"
                )
        self.varying, self.unreduced, self.reduced = frozenset(varying), frozenset(unreduced), frozenset(reduced)

    def _key(self) -> tuple:
        return self.varying, self.unreduced, self.reduced

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ManualAxisType) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"ManualAxisType(varying={self.varying}, unreduced={self.unreduced}, reduced={self.reduced})"


@dataclass(frozen=True)
class Shard:
    """What one device holds of an array.

    Attributes:
      device: the device.
      index: which part it is, as a tuple of slices.
      replica_id: which of the devices with that part it is.
      data: the part, an array.

    Example:
      >>> (shard,) = jnp.arange(3).addressable_shards
      >>> shard.index, shard.data
      ((slice(None, None, None),), Array([0, 1, 2], dtype=int32))
    """

    device: Any
    index: tuple[slice, ...]
    replica_id: int
    data: Any
