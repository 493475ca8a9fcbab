"""The same calls on a Vulkan device (lavapipe will do), where memory is the device's own."""

from __future__ import annotations

import numpy as np
import pytest

from sable.ir.aval import ELEMENT_TYPES, aval
from sable.runtime import Executable, HostFunction, devices, get, put

FLOAT32 = np.dtype(np.float32)
TWO = aval((2,), FLOAT32)
HOST = {"negate": HostFunction(lambda arrays: [-arrays[0]], (TWO,), (TWO,))}


def load(program, device, entry, result):
    return Executable(program, device, results=[result], entry=entry, host_functions=HOST)


def test_names(vulkan):
    assert repr(vulkan) == "VulkanDevice(id=0)"
    assert vulkan.platform == "vulkan"
    assert vulkan.description()
    assert devices("gpu")


@pytest.mark.parametrize("dtype", sorted(ELEMENT_TYPES, key=str), ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 7)], ids=str)
def test_round_trip(vulkan, shape, dtype):
    array = np.asarray(np.random.default_rng(0).integers(0, 2, shape)).astype(dtype)
    back = get(vulkan, put(vulkan, array), shape, dtype)
    assert back.dtype == dtype and back.shape == shape and not back.flags.writeable
    assert back.tobytes() == array.tobytes()


def test_a_strided_array(vulkan):
    array = np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2]
    np.testing.assert_array_equal(get(vulkan, put(vulkan, array), (4, 3), FLOAT32), array)


def test_host_calls(vulkan, vulkan_program):
    run = load(vulkan_program, vulkan, "negated", TWO)
    for _ in range(3):
        np.testing.assert_array_equal(run.run(np.array([1, 2], np.float32))[0], [-1, -2])


def test_booleans_scalars_and_empty_arrays(vulkan, vulkan_program):
    flags = aval((5,), np.dtype(np.bool_))
    a, b = np.array([1, 0, 1, 0, 1], bool), np.array([1, 1, 0, 0, 1], bool)
    np.testing.assert_array_equal(load(vulkan_program, vulkan, "both", flags).run(a, b)[0], a & b)
    integer = aval((), np.dtype(np.int32))
    assert load(vulkan_program, vulkan, "scalar", integer).run(np.int32(21))[0] == 42
    empty = aval((0, 3), FLOAT32)
    assert load(vulkan_program, vulkan, "empty", empty).run(np.zeros((0, 3), np.float32))[0].shape == (0, 3)


def test_results_are_arguments_of_further_calls(vulkan, vulkan_program):
    run = load(vulkan_program, vulkan, "negated", TWO)
    buffers = [put(vulkan, np.array([1, 2], np.float32))]
    for _ in range(4):
        buffers = run(buffers)
    np.testing.assert_array_equal(get(vulkan, buffers[0], (2,), FLOAT32), [1, 2])
