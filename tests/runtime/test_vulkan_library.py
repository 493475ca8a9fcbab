"""The Vulkan library that IREE is given: signals of semaphores that come late say nothing, and lose no device; who waits sleeps."""

from __future__ import annotations

import ctypes
import threading
import time
from ctypes import Structure, byref, c_char_p, c_float, c_int32, c_uint32, c_uint64, c_void_p, cast, pointer

import pytest

from sable.pytree.registry import implementation, native

from ..vulkan import vulkan_device

pytestmark = pytest.mark.skipif(not native, reason="the library is a part of the native module")

VULKAN_1_2 = (1 << 22) | (2 << 12)


def structure(type_number: int, **members):
    """A structure of Vulkan's: its type's number, what is chained to it, and the members."""
    fields = [("type", c_int32), ("next", c_void_p), *((name, type(value)) for name, value in members.items())]
    made = type("Info", (Structure,), {"_fields_": fields})(type_number, None, *members.values())
    return made


def chained(first, second):
    first.next = cast(pointer(second), c_void_p)
    return first


def address(x) -> c_void_p:
    return cast(pointer(x), c_void_p)


class Vulkan:
    """A device of the first driver, through the library under test."""

    def __init__(self):
        self._find = ctypes.CDLL(implementation.__file__).vkGetInstanceProcAddr
        self._find.restype, self._find.argtypes = c_void_p, [c_void_p, c_char_p]
        application = structure(
            0, name=c_void_p(), number=c_uint32(), engine=c_void_p(), of=c_uint32(), api=c_uint32(VULKAN_1_2)
        )
        info = structure(
            1,
            flags=c_uint32(),
            application=address(application),
            layers=c_uint32(),
            a=c_void_p(),
            extensions=c_uint32(),
            b=c_void_p(),
        )
        self.instance = c_void_p()
        self.call(None, "vkCreateInstance", byref(info), None, byref(self.instance))
        count, physical = c_uint32(1), c_void_p()
        find = self.function(self.instance, "vkEnumeratePhysicalDevices")
        assert find(self.instance, byref(count), byref(physical)) in (0, 5)  # 5: there are more
        priority = c_float(1)
        queue = structure(2, flags=c_uint32(), family=c_uint32(), count=c_uint32(1), priorities=address(priority))
        timelines = structure(1000207000, enabled=c_uint32(1))
        info = structure(
            3,
            flags=c_uint32(),
            queues=c_uint32(1),
            infos=address(queue),
            layers=c_uint32(),
            a=c_void_p(),
            extensions=c_uint32(),
            b=c_void_p(),
            features=c_void_p(),
        )
        self.device = c_void_p()
        self.call(self.instance, "vkCreateDevice", physical, byref(chained(info, timelines)), None, byref(self.device))

    def function(self, instance, name: str):
        found = self._find(instance, name.encode())
        assert found, name
        return ctypes.CFUNCTYPE(c_int32)(found)

    def call(self, instance, name: str, *arguments) -> None:
        assert self.function(instance, name)(*arguments) == 0, name

    def on_device(self, name: str):
        find = self.function(self.instance, "vkGetDeviceProcAddr")
        find.restype = c_void_p
        typed = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p)(cast(find, c_void_p).value)
        return ctypes.CFUNCTYPE(c_int32)(typed(self.device, name.encode()))

    def semaphore(self) -> c_uint64:
        made = c_uint64()
        info = chained(structure(9, flags=c_uint32()), structure(1000207002, timeline=c_int32(1), value=c_uint64(0)))
        assert self.on_device("vkCreateSemaphore")(self.device, byref(info), None, byref(made)) == 0
        return made

    def signal(self, semaphore: c_uint64, value: int) -> int:
        info = structure(1000207005, semaphore=semaphore, value=c_uint64(value))
        return self.on_device("vkSignalSemaphore")(self.device, byref(info))

    def wait_any(self, awaited: dict[int, int], timeout: int) -> int:
        """Wait so many nanoseconds for any of the semaphores to reach its value."""
        many = c_uint64 * len(awaited)
        info = structure(
            1000207004,
            flags=c_uint32(1),
            count=c_uint32(len(awaited)),
            semaphores=address(many(*awaited)),
            values=address(many(*awaited.values())),
        )
        return self.on_device("vkWaitSemaphores")(self.device, byref(info), c_uint64(timeout))

    def value(self, semaphore: c_uint64) -> int:
        found = c_uint64()
        assert self.on_device("vkGetSemaphoreCounterValue")(self.device, semaphore, byref(found)) == 0
        return found.value


def test_late_signals():
    vulkan_device()
    vulkan = Vulkan()
    semaphore = vulkan.semaphore()
    for signalled, value in ((2, 2), (5, 5), (3, 5), (5, 5), (6, 6)):
        assert vulkan.signal(semaphore, signalled) == 0
        assert vulkan.value(semaphore) == value
    other = vulkan.semaphore()
    assert vulkan.signal(other, 1) == 0 and vulkan.value(other) == 1


TIMEOUT = 2
SECOND = 1_000_000_000


def test_waiting_for_any_of_several():
    vulkan_device()
    vulkan = Vulkan()
    semaphores = [vulkan.semaphore() for _ in range(3)]
    awaited = {s.value: 1 for s in semaphores}
    assert vulkan.wait_any(awaited, 0) == TIMEOUT
    for k, semaphore in enumerate(semaphores):
        timer = threading.Timer(0.05, lambda s=semaphore, k=k: vulkan.signal(s, k + 1))
        timer.start()
        assert vulkan.wait_any({s.value: k + 1 for s in semaphores}, 60 * SECOND) == 0
        timer.join()
    assert vulkan.wait_any({semaphores[0].value: 9}, 1000) == TIMEOUT
    assert vulkan.wait_any({semaphores[0].value: 9, semaphores[2].value: 3}, 1000) == 0


def test_who_waits_sleeps():
    vulkan_device()
    vulkan = Vulkan()
    awaited = {vulkan.semaphore().value: 1 for _ in range(2)}
    start, used = time.monotonic(), time.thread_time()
    assert vulkan.wait_any(awaited, SECOND // 2) == TIMEOUT
    assert time.monotonic() - start >= 0.5
    assert time.thread_time() - used < 0.25


def test_where_there_is_nothing():
    vulkan_device()
    find = ctypes.CDLL(implementation.__file__).vkGetInstanceProcAddr
    find.restype, find.argtypes = c_void_p, [c_void_p, c_char_p]
    assert find(None, b"vkNoSuchFunction") is None
    assert find(None, b"vkGetInstanceProcAddr")
