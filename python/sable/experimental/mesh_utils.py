"""Arrangements of devices for meshes (the interface of `jax.experimental.mesh_utils`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from sable import _absent
from sable.api.devices import devices as all_devices

__all__ = ["create_device_mesh", "create_hybrid_device_mesh"]

_absent.explain(__name__)


def create_device_mesh(
    mesh_shape: Sequence[int],
    devices: Sequence[Any] | None = None,
    *,
    contiguous_submeshes: bool = False,
    allow_split_physical_axes: bool = False,
) -> np.ndarray:
    """Devices in an array of a shape, in their order.

    Args:
      mesh_shape: how many along each axis.
      devices: those to arrange; None: `jax.devices()`.
      contiguous_submeshes, allow_split_physical_axes: about TPUs; accepted for compatibility.

    Returns:
      NumPy array of devices.

    Raises:
      ValueError: their number is not that of the mesh.

    Example:
      >>> create_device_mesh((1, 1)).shape
      (1, 1)
    """
    chosen = list(all_devices() if devices is None else devices)
    if math.prod(mesh_shape) != len(chosen):
        raise ValueError(f"Number of devices {len(chosen)} must equal the product of mesh_shape {mesh_shape}")
    return _array(chosen).reshape(mesh_shape)


def create_hybrid_device_mesh(
    mesh_shape: Sequence[int],
    dcn_mesh_shape: Sequence[int],
    devices: Sequence[Any] | None = None,
    *,
    process_is_granule: bool = False,
    should_sort_granules_by_key: bool = True,
    allow_split_physical_axes: bool = False,
) -> np.ndarray:
    """Devices in an array whose axes go over the granules (processes) and then, within each, over its devices.

    Args:
      mesh_shape: how many devices of a granule along each axis.
      dcn_mesh_shape: how many granules along each axis.
      devices: those to arrange; None: `jax.devices()`.
      process_is_granule: whether the granules are processes; else slices of TPUs, which devices here do not have.
      should_sort_granules_by_key: whether granules are in the order of their numbers, and not of the devices.
      allow_split_physical_axes: about TPUs; accepted for compatibility.

    Returns:
      NumPy array of devices of the shape `mesh_shape * dcn_mesh_shape`.

    Raises:
      ValueError: the numbers do not fit; devices without slices.

    Example:
      >>> create_hybrid_device_mesh((1, 1), (1, 1), process_is_granule=True).shape
      (1, 1)
    """
    chosen = list(all_devices() if devices is None else devices)
    if not process_is_granule:
        raise ValueError(f"Device {chosen[0]} does not have attribute slice_index. See `process_is_granule` option.")
    granules: dict[int, list] = {}
    for device in chosen:
        granules.setdefault(device.process_index, []).append(device)
    numbers = sorted(granules) if should_sort_granules_by_key else list(granules)
    if math.prod(dcn_mesh_shape) != len(numbers):
        raise ValueError(f"Number of slices {len(numbers)} must equal the product of dcn_mesh_shape {dcn_mesh_shape}")
    blocks = [create_device_mesh(mesh_shape, granules[n]) for n in numbers]
    return np.block(_nested(blocks, dcn_mesh_shape))


def _array(devices: Sequence[Any]) -> np.ndarray:
    found = np.empty(len(devices), object)
    found[:] = devices
    return found


def _nested(items: list, shape: Sequence[int]) -> Any:
    """A list as nested lists of a shape."""
    if not shape:
        return items[0]
    step = len(items) // shape[0]
    return [_nested(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]
