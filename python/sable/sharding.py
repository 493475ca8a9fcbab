"""How arrays are laid out over devices (the interface of `jax.sharding`): so far each is on one."""

from sable import _absent
from sable.core.sharding import Sharding, SingleDeviceSharding

__all__ = ["Sharding", "SingleDeviceSharding"]

_absent.explain(__name__)
