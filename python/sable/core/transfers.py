"""Guards of transfers between the host and devices (`jax_transfer_guard` and its kin)."""

from __future__ import annotations

import logging
from typing import Any

from sable._config import config
from sable.errors import JaxRuntimeError
from sable.ir.aval import Aval
from sable.ir.location import user_line

_LOG = logging.getLogger(__name__)

HOST_TO_DEVICE, DEVICE_TO_DEVICE, DEVICE_TO_HOST = "host_to_device", "device_to_device", "device_to_host"
_MENDING = {
    HOST_TO_DEVICE: "jax.device_put",
    DEVICE_TO_DEVICE: "jax.device_put",
    DEVICE_TO_HOST: "jax.device_get",
}


def guard(direction: str, a: Aval, device: Any, explicit: bool = False) -> None:
    """Say, or forbid, that an array is transferred, as the option of that direction asks.

    Args:
      direction: HOST_TO_DEVICE, DEVICE_TO_DEVICE or DEVICE_TO_HOST.
      a: the array's type.
      device: the one that it goes to, or comes from on its way to the host.
      explicit: the user asked for it, by device_put or device_get.

    Raises:
      JaxRuntimeError: the transfer is disallowed.
    """
    level = getattr(config, f"jax_transfer_guard_{direction}")
    if level is None or level == "allow" or (explicit and not level.endswith("_explicit")):
        return
    name = direction.replace("_", "-")
    what = f"{name} transfer of an array {a.short()} {'from' if direction == DEVICE_TO_HOST else 'to'} {device!r}"
    if level.startswith("log"):
        _LOG.warning("%s at %s", what, user_line())
        return
    mending = "Allow it" if explicit else f"Make it explicit by {_MENDING[direction]}, or allow it"
    raise JaxRuntimeError(f"Disallowed {what}\n  at {user_line()}\n{mending} by jax.transfer_guard.")


__all__ = ["DEVICE_TO_DEVICE", "DEVICE_TO_HOST", "HOST_TO_DEVICE", "guard"]
