"""The Vulkan device that tests use (lavapipe will do), or the reason why there is none."""

from __future__ import annotations

from typing import Any

import pytest

from sable import runtime


def vulkan_device() -> Any:
    """The first Vulkan device; skips the test where there is none that can be compiled for."""
    try:
        device = runtime.devices("vulkan")[0]
    except RuntimeError as error:
        pytest.skip(str(error))
    if device.compile_target is None:
        pytest.skip(f"no Vulkan target is known for {device.device_kind}")
    return device
