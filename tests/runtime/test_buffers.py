"""put and get: every dtype and layout, lifetimes, sharing."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from sable.ir.aval import ELEMENT_TYPES, aval
from sable.runtime import Executable, aligned_empty, get, put
from sable.runtime.buffers import SHARE_AT_LEAST_BYTES

DTYPES = sorted(ELEMENT_TYPES, key=str)
FLOAT32 = np.dtype(np.float32)
LARGE = SHARE_AT_LEAST_BYTES // FLOAT32.itemsize


def sample(shape, dtype, seed=0):
    values = np.random.default_rng(seed).integers(0, 2 if dtype == np.bool_ else 100, shape)
    return np.asarray(values).astype(dtype)


def address(array):
    return array.__array_interface__["data"][0]


class Memory(np.ndarray):
    """Memory that can be referred to weakly; arrays in it have it as their base."""


def shareable(count):
    """An array that `put` shares, and a weak reference to its memory."""
    memory = np.empty(count * 4 + 64, np.uint8).view(Memory)
    start = -address(memory) % 64
    array = np.asarray(memory[start : start + count * 4]).view(FLOAT32)
    array[...] = np.arange(count)
    return array, weakref.ref(memory)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,), (2, 3), (4, 1, 5)], ids=str)
def test_round_trip(cpu, shape, dtype):
    array = sample(shape, dtype)
    back = get(cpu, put(cpu, array), shape, dtype)
    assert type(back) is np.ndarray
    assert back.dtype == dtype and back.shape == shape
    assert not back.flags.writeable
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("share", [False, True])
def test_large_round_trip(cpu, dtype, share):
    array = aligned_empty((SHARE_AT_LEAST_BYTES,), dtype)
    array[...] = sample(array.shape, dtype)
    back = get(cpu, put(cpu, array, share), array.shape, dtype)
    assert back.dtype == dtype
    assert (address(back) == address(array)) is share
    assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "layout",
    [
        lambda a: a.T,
        lambda a: a[::2],
        lambda a: a[:, 1:3],
        lambda a: np.broadcast_to(a[0], (4, 6)),
        np.asfortranarray,
    ],
)
@pytest.mark.parametrize("dtype", [FLOAT32, np.dtype("bfloat16")], ids=str)
def test_layouts(cpu, layout, dtype):
    array = layout(sample((4, 6), dtype))
    np.testing.assert_array_equal(get(cpu, put(cpu, array), array.shape, dtype), array)


def test_a_scalar_keeps_rank_zero(cpu):
    back = get(cpu, put(cpu, np.asfortranarray(np.float32(3))), (), FLOAT32)
    assert back.shape == () and back == 3


@pytest.mark.parametrize("dtype", [np.dtype(">f4"), np.dtype("S3"), np.dtype(object), np.dtype("M8[s]")], ids=str)
def test_other_dtypes_are_refused(cpu, dtype):
    with pytest.raises(TypeError, match="expected an array of dtype"):
        put(cpu, np.zeros(2, dtype))


@pytest.mark.parametrize("offset", [0, 4, 16, 32, 60])
def test_only_aligned_memory_is_shared(cpu, programs, offset):
    """IREE's code ends in a segmentation fault on other memory."""
    bytes_ = aligned_empty((LARGE * 4 + 64,), np.dtype(np.uint8))
    array = bytes_[offset : offset + LARGE * 4].view(FLOAT32)
    array[...] = np.arange(LARGE)
    buffer = put(cpu, array)
    back = get(cpu, buffer, (LARGE,), FLOAT32)
    assert (address(back) == address(array)) is (offset == 0)
    [result] = Executable(programs, cpu, results=[aval((LARGE,), FLOAT32)], entry="twice")([buffer])
    np.testing.assert_array_equal(get(cpu, result, (LARGE,), FLOAT32), 2 * array)


def test_read_only_memory_is_shared(cpu):
    array = aligned_empty((LARGE,), FLOAT32)
    array[...] = 1
    array.setflags(write=False)
    back = get(cpu, put(cpu, array), (LARGE,), FLOAT32)
    assert address(back) == address(array)


def test_small_arrays_and_share_false_copy(cpu):
    small = aligned_empty((4,), FLOAT32)
    small[...] = 1
    large = aligned_empty((LARGE,), FLOAT32)
    large[...] = 1
    buffers = put(cpu, small), put(cpu, large, share=False)
    small[...] = large[...] = 2
    assert (get(cpu, buffers[0], (4,), FLOAT32) == 1).all()
    assert (get(cpu, buffers[1], (LARGE,), FLOAT32) == 1).all()


def test_a_view_keeps_its_buffer(cpu):
    view = get(cpu, put(cpu, np.arange(1000, dtype=np.float32)), (1000,), FLOAT32)
    for _ in range(100):
        put(cpu, np.zeros(1000, np.float32))
    np.testing.assert_array_equal(view, np.arange(1000))


def test_shared_memory_lives_as_long_as_its_buffer(cpu):
    array, alive = shareable(LARGE)
    buffer = put(cpu, array)
    del array
    gc.collect()
    view = get(cpu, buffer, (LARGE,), FLOAT32)
    del buffer
    gc.collect()
    assert alive() is not None and view[-1] == LARGE - 1
    del view
    gc.collect()
    assert alive() is None


def test_a_returned_argument_keeps_shared_memory(cpu, programs):
    """Only IREE knows that result and argument are one buffer."""
    array, alive = shareable(65536)
    executable = Executable(programs, cpu, results=[aval((65536,), FLOAT32)], entry="identity")
    [result] = executable([put(cpu, array)])
    del array, executable
    gc.collect()
    assert alive() is not None
    view = get(cpu, result, (65536,), FLOAT32)
    del result
    gc.collect()
    assert view[65535] == 65535 and alive() is not None
    del view
    gc.collect()
    assert alive() is None
