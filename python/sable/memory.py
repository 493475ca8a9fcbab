"""`jax.memory`: the kinds of memory that devices have."""

import enum


class Space(enum.Enum):
    """A kind of memory: that of the device, that of the host beside it, any of them. Devices have one kind here."""

    Device = enum.auto()
    Host = enum.auto()
    Any = enum.auto()

    def __repr__(self) -> str:
        return f"MemorySpace.{self.name}"


__all__ = ["Space"]
