"""How arrays are laid out over devices: so far each is on one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


class Sharding:
    """How an array is laid out over devices."""

    @property
    def device_set(self) -> set:
        """The devices."""
        raise NotImplementedError("Subclasses should implement this method.")

    @property
    def num_devices(self) -> int:
        """How many devices there are."""
        return len(self.device_set)


@dataclass(frozen=True, repr=False)
class SingleDeviceSharding(Sharding):
    """All of an array on one device.

    Attributes:
      device: the device.
      memory_kind: which of its memories: "device", the only one.
    """

    device: Any
    memory_kind: str = field(default="device", kw_only=True)

    def __post_init__(self) -> None:
        if self.memory_kind != "device":
            raise ValueError(f"devices have one kind of memory, 'device', got memory_kind={self.memory_kind!r}")

    def __repr__(self) -> str:
        return f"SingleDeviceSharding(device={self.device!r}, memory_kind={self.memory_kind})"

    def with_memory_kind(self, kind: str) -> SingleDeviceSharding:
        """The sharding with another kind of memory."""
        return SingleDeviceSharding(self.device, memory_kind=kind)

    @property
    def device_set(self) -> set:
        return {self.device}

    @property
    def addressable_devices(self) -> set:
        """The devices that this process can reach: all."""
        return self.device_set

    @property
    def has_addressable_devices(self) -> bool:
        """True: there is one process."""
        return True

    @property
    def is_fully_replicated(self) -> bool:
        """Whether each device holds all of the array."""
        return True

    @property
    def is_fully_addressable(self) -> bool:
        """Whether this process can reach all of the devices."""
        return True

    def devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        """For each device which part of an array of that shape it holds, as a tuple of slices."""
        return {self.device: (slice(None),) * len(global_shape)}

    def addressable_devices_indices_map(self, global_shape: tuple[int, ...]) -> dict:
        """`devices_indices_map` of the devices that this process can reach."""
        return self.devices_indices_map(global_shape)

    def shard_shape(self, global_shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of what a device holds of an array of that shape."""
        return tuple(global_shape)

    def is_equivalent_to(self, other: Sharding, ndim: int) -> bool:
        """Whether arrays of that rank are laid out alike."""
        return self == other


@dataclass(frozen=True)
class Shard:
    """What one device holds of an array.

    Attributes:
      device: the device.
      index: which part it is, as a tuple of slices.
      replica_id: which of the devices with that part it is.
      data: the part, an array.
    """

    device: Any
    index: tuple[slice, ...]
    replica_id: int
    data: Any
