"""Devices: the CPU, and what Vulkan and CUDA drivers report.

Nothing is opened before somebody asks for it: `import sable` starts no driver, and a driver that does not
start only takes its own platform away.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from sable._forks import in_child, new_lock
from sable.pytree.registry import implementation, native
from sable.runtime import _iree, native_kernels
from sable.runtime._iree import Buffer
from sable.runtime.buffers import DeviceMemory, HostMemory
from sable.runtime.memory import CacheWatch

PLATFORMS = ("cpu", "vulkan", "cuda")
#: What `devices('gpu')` looks for, in this order.
_GPU_PLATFORMS = ("cuda", "vulkan")
_CLASS_NAMES = {"cpu": "CpuDevice", "vulkan": "VulkanDevice", "cuda": "CudaDevice"}

#: Words in a Vulkan driver's device name -> name for `--iree-vulkan-target`. IREE's default target gave
#: silently wrong results on lavapipe, so a device that is not listed has no target and is compiled for only
#: when named.
_VULKAN_TARGETS = (
    ("llvmpipe", "llvmpipe"),
    ("rtx 20", "turing"),
    ("rtx 30", "ampere"),
    ("rtx 40", "ada"),
    ("a100", "ampere"),
    ("radeon rx 6", "rdna2"),
    ("radeon rx 7", "rdna3"),
    ("mali-g", "valhall"),
    ("adreno", "adreno"),
)

SelfTest = Callable[["Device"], None]
_SELF_TESTS: dict[str, SelfTest] = {}
_DEVICES: dict[str, list[Device]] = {}
_FAILURES: dict[str, str] = {}
_LOCK = new_lock(reentrant=True)


class Device:
    """A device that programs run on; one object per device and process, made by `devices` only.

    Attributes:
      platform: 'cpu', 'vulkan' or 'cuda'.
      id: its number within the platform.
      device_kind: 'cpu', or the name that the driver gives.
      process_index: 0 (one process).

    Args:
      driver_id, platform, index: which one; `devices` gives them.

    Example:
      >>> jax.devices()[0].platform, jax.devices()[0].id
      ('cpu', 0)
    """

    process_index = 0

    def __init__(self, platform: str, id: int, device_kind: str, driver_id: int = 0):
        self.platform = platform
        self.id = id
        self.device_kind = device_kind
        self._driver_id = driver_id
        self._lock = new_lock(reentrant=True)
        self._opened: dict[str, Any] = {}
        self._modules: dict[str, Any] = {}
        self._watches: dict[str, CacheWatch] = {}
        self._tested = False
        self._is_parents = False

    def __repr__(self) -> str:
        return f"{_CLASS_NAMES[self.platform]}(id={self.id})"

    def __str__(self) -> str:
        return f"{self.platform}:{self.id}"

    def __reduce__(self):
        return _device, (self.platform, self.id)

    def __copy__(self) -> Device:
        return self

    def __deepcopy__(self, memo: dict) -> Device:
        return self

    @cached_property
    def put(self) -> Callable[..., Buffer]:
        """`(array, share=True) -> Buffer`: see `sable.runtime.put`. Bind it where calls are many."""
        return self._memory.put

    @cached_property
    def get(self) -> Callable[[Buffer, tuple[int, ...], np.dtype], np.ndarray]:
        """`(buffer, shape, dtype) -> array`: see `sable.runtime.get`. Bind it where calls are many."""
        return self._memory.get

    @property
    def compile_target(self) -> str | None:
        """The name for `--iree-vulkan-target`; None for other platforms and for unknown devices.

        SABLE_VULKAN_TARGET names it for devices that are not known here.
        """
        if self.platform != "vulkan":
            return None
        named = os.environ.get("SABLE_VULKAN_TARGET")
        if named:
            return named
        kind = self.device_kind.lower()
        return next((target for word, target in _VULKAN_TARGETS if word in kind), None)

    @cached_property
    def native_kernels(self) -> bool:
        """Whether programs for the device may call native kernels: CPUs, where the native module is there."""
        if self.platform != "cpu" or not native_kernels.available():
            return False
        self.hal()
        return native_kernels.importable()

    def description(self) -> str:
        """The driver's own words about the device, for people: limits, features, versions."""
        return _iree.describe_device(self._driver(threaded=False), self._driver_id)

    def memory_stats(self) -> dict[str, int]:
        """Bytes held from the system now, live and cached, for each driver that is open."""
        return {driver: watch.usage()[1] for driver, watch in self._watches.items()}

    def trim(self) -> None:
        """Gives cached free memory back to the system."""
        for watch in self._watches.values():
            watch.trim()

    def hal(self, threaded: bool = False) -> Any:
        """The HAL device, opened when first asked for; the CPU has two, inline and with worker threads."""
        if self._is_parents:
            raise RuntimeError(
                f"{self!r} was opened before os.fork(): neither it nor the arrays on it can be used in the forked process. "
                "Use the device after the fork only, or start processes by multiprocessing's 'spawn' or 'forkserver'."
            )
        driver = self._driver(threaded)
        opened = self._opened.get(driver)
        if opened is None:
            opened = self._open(driver)
        self._test_once()
        return opened

    def module(self, threaded: bool = False) -> Any:
        """The VM module through which programs reach `hal(threaded)`; one serves all of them."""
        hal = self.hal(threaded)
        return self._modules.setdefault(self._driver(threaded), _iree.hal_module(hal))

    def watch(self, threaded: bool = False) -> CacheWatch | None:
        """Keeper of the allocator that programs on `hal(threaded)` use; None where memory is not cached."""
        self.hal(threaded)
        return self._watches.get(self._driver(threaded))

    @cached_property
    def _memory(self) -> HostMemory | DeviceMemory:
        return HostMemory(self.hal()) if self.platform == "cpu" else DeviceMemory(self.hal())

    def _driver(self, threaded: bool) -> str:
        if self.platform != "cpu":
            return self.platform
        return "local-task" if threaded else "local-sync"

    def _open(self, driver: str) -> Any:
        with self._lock:
            if driver not in self._opened:
                # The Vulkan driver's queue allocations ask for what its allocator refuses under a caching
                # one. Both CPU drivers cache: a process that held a plain and a caching one crashed at exit.
                caching = self.platform == "cpu"
                if self.platform == "cpu":
                    _iree.prepare_cpu_drivers(native_kernels.plugin_path() if native_kernels.available() else None)
                hal = _iree.create_device(driver, self._driver_id, caching)
                if caching:
                    watch = self._watches.setdefault(driver, CacheWatch(hal.allocator))
                    watch.watch(hal.allocator)  # programs hold it: in a forked process it is its parent's device's
                self._opened[driver] = hal
            return self._opened[driver]

    def leave_to_parent(self) -> None:
        """In a forked process: CPU devices are opened anew when asked for, others are the parent's only."""
        self._is_parents = self.platform != "cpu" and (self._is_parents or bool(self._opened))
        self._opened.clear()
        self._modules.clear()
        for bound in ("put", "get", "_memory"):
            self.__dict__.pop(bound, None)

    def _test_once(self) -> None:
        if self._tested:
            return
        with self._lock:
            test = _SELF_TESTS.get(self.platform)
            if self._tested or test is None:
                return
            self._tested = True  # before the test runs: it uses the device
            try:
                test(self)
            except BaseException:
                self._tested = False
                raise


def _enumerate(platform: str) -> list[Device]:
    """The devices of a platform, found once; a driver that does not start leaves why in `_FAILURES`."""
    with _LOCK:
        if platform in _DEVICES:
            return _DEVICES[platform]
        if platform == "cpu":
            found = [Device("cpu", 0, "cpu")]
        else:
            if platform == "vulkan" and native:
                _iree.prepare_vulkan_driver(implementation.__file__)
            try:
                reported = _iree.driver_devices(platform)
            except RuntimeError as error:
                _FAILURES[platform] = str(error)
                reported = []
            found = [Device(platform, i, info["name"], info["device_id"]) for i, info in enumerate(reported)]
        _DEVICES[platform] = found
        return found


@in_child
def _leave_devices() -> None:
    for found in _DEVICES.values():
        for device in found:
            device.leave_to_parent()


def devices(platform: str | None = None) -> list[Device]:
    """The devices of a platform.

    Args:
      platform: 'cpu' (also for None), 'vulkan', 'cuda', or 'gpu' for the first of CUDA and Vulkan that has a
        device.

    Returns:
      A new list of at least one device; the same objects at every call.

    Raises:
      RuntimeError: unknown platform, or no device there.

    >>> devices("cpu")
    [CpuDevice(id=0)]
    """
    wanted = ("cpu",) if platform is None else _GPU_PLATFORMS if platform == "gpu" else (platform,)
    for name in wanted:
        if name in PLATFORMS and _enumerate(name):
            return list(_enumerate(name))
    present = [name for name in PLATFORMS if _DEVICES.get(name)] or ["cpu"]
    if platform not in (*PLATFORMS, "gpu"):
        raise RuntimeError(f"Unknown backend {platform}. Available backends are {present}")
    reasons = "; ".join(f"{name}: {_FAILURES[name]}" for name in wanted if name in _FAILURES)
    raise RuntimeError(
        f"Unknown backend: '{platform}' requested, but no platforms that are instances of {platform} "
        f"are present. Platforms present are: {','.join(present)}" + (f" ({reasons})" if reasons else "")
    )


def default_device() -> Device:
    """The CPU."""
    return _enumerate("cpu")[0]


def register_self_test(platform: str, test: SelfTest) -> None:
    """Names a function that checks a device of the platform before its first use.

    Drivers were seen to compute wrongly in silence, and only somebody who can compile can find out. The test
    gets the device and may use it; what it raises reaches whoever uses the device, and the test runs again at
    the next use.
    """
    if platform not in PLATFORMS:
        raise ValueError(f"expected a platform of {PLATFORMS}, got {platform!r}")
    with _LOCK:
        _SELF_TESTS[platform] = test


def _device(platform: str, id: int) -> Device:
    found = devices(platform)
    if id >= len(found):
        raise RuntimeError(f"device {platform}:{id} does not exist here: {platform} has {len(found)} device(s)")
    return found[id]
