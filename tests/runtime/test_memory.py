"""Memory stays bounded: over many calls, changing sizes, dropped executables and host calls."""

from __future__ import annotations

import gc
import sys

import numpy as np
import pytest

from sable.ir.aval import aval
from sable.runtime import Executable, HostFunction, put
from sable.runtime.memory import CALLS_PER_CHECK, TRIM_BUDGET_BYTES, CacheWatch, call_weight

FLOAT32 = np.dtype(np.float32)
TEN = aval((10,), FLOAT32)
CALLS = 50_000
MIB = 1 << 20
#: What the C allocator and Python may keep for themselves: fragments, arenas, freed lists.
NOISE_BYTES = 32 * MIB

needs_rss = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/statm")


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def growth(work):
    """The most that resident memory grew while `work`, a generator, ran."""
    gc.collect()
    before = resident_bytes()
    most = 0
    for _ in work:
        most = max(most, resident_bytes() - before)
    return most


@needs_rss
@pytest.mark.parametrize("threaded, calls", [(False, CALLS), (True, CALLS // 5)], ids=["inline", "threaded"])
def test_many_calls(cpu, programs, threaded, calls):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one", threaded=threaded)
    array = np.ones(10, np.float32)

    def work():
        for call in range(calls):
            executable.run(array)
            if call % 1000 == 0:
                yield

    executable.run(array)
    assert growth(work()) < 4 * MIB


@needs_rss
def test_failures_do_not_leak(cpu, programs):
    executable = Executable(programs, cpu, results=[TEN], entry="add_one")
    wrong = [put(cpu, np.ones(11, np.float32))]

    def work():
        for call in range(2000):
            with pytest.raises(RuntimeError):
                executable(wrong)
            if call % 100 == 0:
                yield

    for _ in work():
        break
    assert growth(work()) < 8 * MIB


@needs_rss
def test_changing_sizes(cpu, programs):
    """50,000 calls of random sizes: the cache alone would fill with blocks that nobody asks for again."""
    cpu.trim()
    executable = Executable(programs, cpu, results=[aval((10_000,), FLOAT32)], entry="twice")
    sizes = np.random.default_rng(0).integers(1, 20_000, CALLS).tolist()
    source = np.ones(20_000, np.float32)

    def work():
        for call, size in enumerate(sizes):
            executable([put(cpu, source[:size])])
            if call % 1000 == 0:
                yield

    assert growth(work()) < TRIM_BUDGET_BYTES + NOISE_BYTES


@needs_rss
def test_large_blocks_of_changing_sizes_are_given_back(cpu, programs):
    """The cache would keep 64 blocks of each kind: some 2 GiB here."""
    cpu.trim()
    mean = 4 << 20
    executable = Executable(programs, cpu, results=[aval((mean,), FLOAT32)], entry="twice")
    source = np.ones(mean + 100, np.float32)
    live_bytes = 3 * mean * FLOAT32.itemsize  # argument, result, and the block being replaced

    def work():
        for call in range(100):
            executable([put(cpu, source[: mean + call], share=False)])
            yield

    assert growth(work()) < TRIM_BUDGET_BYTES + live_bytes + NOISE_BYTES


def test_a_full_cache_is_renewed(cpu, programs):
    """After work of changing sizes a fixed size is served from the cache again."""
    executable = Executable(programs, cpu, results=[aval((1_000_000,), FLOAT32)], entry="twice")
    source = np.ones(1_000_000, np.float32)
    for size in range(900_000, 900_100):
        executable([put(cpu, source[:size], share=False)])
    steady = [put(cpu, source)]
    for _ in range(100):
        executable(steady)
    watch = cpu.watch()
    taken, _ = watch.usage()
    for _ in range(50):
        executable(steady)
    assert watch.usage()[0] == taken


@needs_rss
def test_dropped_executables(cpu, programs):
    def work():
        for count in range(300):
            Executable(programs, cpu, results=[TEN], entry="add_one").run(np.ones(10, np.float32))
            if count % 50 == 0:
                yield

    for _ in work():
        pass
    assert growth(work()) < 4 * MIB


@needs_rss
def test_host_calls(cpu, host_program):
    two = aval((2,), FLOAT32)
    scalar = aval((), FLOAT32)
    flag = aval((), np.dtype(np.bool_))
    functions = {
        "negate": HostFunction(lambda arrays: [-arrays[0]], (two,), (two,)),
        "split": HostFunction(lambda arrays: (arrays[0].sum(), np.bool_(True)), (two,), (scalar, flag)),
        "note": HostFunction(lambda arrays: None, (two,)),
        "now": HostFunction(lambda arrays: [np.float64(0)], (), (aval((), np.dtype(np.float64)),)),
        "mixed": HostFunction(lambda arrays: arrays, (two,) * 4, (two,) * 4),
    }
    executable = Executable(host_program, cpu, results=[two], entry="negated", host_functions=functions)

    def work():
        for call in range(CALLS // 5):
            executable.run(np.ones(2, np.float32))
            if call % 1000 == 0:
                yield

    executable.run(np.ones(2, np.float32))
    assert growth(work()) < 4 * MIB


class FakeAllocator:
    """An allocator whose figures the test sets."""

    def __init__(self):
        self.taken = self.freed = self.trims = 0

    @property
    def statistics(self):
        return {
            "device_bytes_allocated": self.taken,
            "device_bytes_freed": self.freed,
            "host_bytes_allocated": 0,
            "host_bytes_freed": 0,
        }

    def trim(self):
        self.trims += 1


def test_the_budget_follows_live_memory():
    allocator = FakeAllocator()
    watch = CacheWatch(allocator)
    allocator.taken = TRIM_BUDGET_BYTES
    watch.check()
    assert allocator.trims == 0
    allocator.taken += 1
    watch.check()
    assert allocator.trims == 1
    # All of it is live; as much again may come before the next trim.
    allocator.taken = 3 * TRIM_BUDGET_BYTES
    watch.check()
    assert allocator.trims == 2
    allocator.taken += 3 * TRIM_BUDGET_BYTES
    watch.check()
    assert allocator.trims == 2
    allocator.taken += 1
    watch.check()
    assert allocator.trims == 3
    assert watch.countdown == CALLS_PER_CHECK


def test_large_results_are_checked_at_every_call():
    assert call_weight(0) == call_weight(40) == 1
    assert call_weight(4 * MIB) > CALLS_PER_CHECK
