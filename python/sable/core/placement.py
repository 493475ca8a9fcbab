"""Where arrays are: their devices, their buffers there, and where a program on several of them runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sable import runtime
from sable._config import config

from .array import Array, cpu_device, device_of, laid_out
from .sharding import NamedSharding
from .transfers import DEVICE_TO_DEVICE, guard


def named_platforms() -> list[str]:
    """The platforms that `jax_platforms` names, by default the CPU's."""
    named = config.jax_platforms or config.jax_platform_name or "cpu"
    return [name.strip() for name in named.split(",")]


def default_device() -> Any:
    """The device of uncommitted arrays: `config.jax_default_device`, else the first CPU device."""
    chosen = config.jax_default_device
    if chosen is None:
        return runtime.default_device()
    return runtime.devices(chosen)[0] if isinstance(chosen, str) else chosen


def buffer_of(x: Array, device: Any) -> Any:
    """The array's buffer on a device, made and kept if it is the array's own device."""
    own = x._device or cpu_device()
    if own is device:
        if x._buffer is None:
            x._buffer = device.put(x.numpy())
        return x._buffer
    return _moved(x, device, explicit=False)


def _moved(x: Array, device: Any, explicit: bool) -> Any:
    """A buffer on another device than the array's own."""
    if config.eager_key is None:
        guard(DEVICE_TO_DEVICE, x.aval, device, explicit)
    return device.put(_host_copy(x))


def _host_copy(x: Array) -> np.ndarray:
    """The values on their way from one device to another: no transfer that the user has to know of."""
    if x._value is None and not x.deleted:
        x._value = device_of(x).get(x._buffer, x.aval.shape, x.aval.dtype)
    return x.numpy()


def home() -> Any:
    """The `_device` of arrays that are made now and named no device: None for the CPU."""
    if config.jax_default_device is None:
        return None
    device = default_device()
    return None if device is cpu_device() else device


def common_device(values: Sequence[Array], name: str = "a function") -> Any:
    """The device where a program on these arrays runs: that of the committed ones, else the default device.

    Args:
      values: the arguments.
      name: of the program, for messages.

    Raises:
      ValueError: arrays are committed to different devices.
    """
    first: int | None = None
    for k, x in enumerate(values):
        if not x.committed:
            continue
        if first is None:
            first = k
        elif x._device is not values[first]._device:
            raise ValueError(
                f"Received incompatible devices for jitted computation. Got {_argument(first, values[first], name)} and "
                f"{_argument(k, x, name)}. Move one of them with device_put."
            )
    return default_device() if first is None else device_of(values[first])


def _argument(k: int, x: Array, name: str) -> str:
    device = device_of(x)
    return (
        f"argument {k} of {name} with shape {x.aval.short()} and with device ids [{device.id}] on platform "
        f"{device.platform.upper()}"
    )


def put(x: Array, device: Any, committed: bool, explicit: bool = False, named: NamedSharding | None = None) -> Array:
    """The array on a device (the same object if it is there already).

    Args:
      x: the array.
      device: where to.
      committed: whether it is bound to be there.
      explicit: whether the user asked for it.
      named: the layout over a mesh of that device.
    """
    target = None if device is cpu_device() else device
    if x._device is target and x.committed == committed and getattr(x, "_sharding", None) == named:
        return x
    if x._device is target:
        made = Array(x.aval, x._value, x._buffer, target)
    elif target is None:
        if config.eager_key is None:
            guard(DEVICE_TO_DEVICE, x.aval, device, explicit)
        made = Array(x.aval, _host_copy(x))
    else:
        made = Array(x.aval, None, _moved(x, device, explicit), target)
    made.committed = committed
    return laid_out(made, named)
