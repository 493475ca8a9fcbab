"""Keeps the caching allocators bounded and fresh.

IREE's caching allocator makes programs of large results up to four times as fast, because freed memory need
not be mapped and zeroed again. But it keeps 64 free blocks whatever their size, and matches exact sizes only:
work of changing sizes fills it with blocks that nobody asks for again, which holds up to 64 times the largest
result and ends the caching of newer sizes. Both show in one number, the bytes that had to come from the
system because the cache did not have them; once these exceed a budget the free blocks are given back. In a
steady state nothing comes from the system and nothing is trimmed.
"""

from __future__ import annotations

from typing import Any

#: Bytes that may come from the system before free blocks are given back. Large enough that a program's first
#: calls and a few dozen medium arrays stay cached, small beside the memory of any machine that computes.
TRIM_BUDGET_BYTES = 256 << 20
#: A check of the statistics costs 0.45 µs; every 64 light calls that is 0.01 µs a call.
CALLS_PER_CHECK = 64
#: Results of this many bytes weigh as much as one light call: 4 MiB of results (0.3 ms to write) are worth a
#: check.
BYTES_PER_WEIGHT = (4 << 20) // CALLS_PER_CHECK


def call_weight(result_bytes: int) -> int:
    """How much a call whose results have that many bytes counts towards the next check."""
    return 1 + result_bytes // BYTES_PER_WEIGHT


class CacheWatch:
    """Trims one allocator when too much memory came from the system since it was last trimmed.

    Callers subtract `call_weight(...)` from `countdown` after a call and run `check` when it is below zero.
    Concurrent callers may lose a subtraction, which only delays a check.
    """

    __slots__ = ("_allocator", "_budget", "_seen", "countdown")

    def __init__(self, allocator: Any):
        self.watch(allocator)

    def watch(self, allocator: Any) -> None:
        """Keeps that allocator from now on."""
        self._allocator = allocator
        self._budget = TRIM_BUDGET_BYTES
        self._seen = 0
        self.countdown = CALLS_PER_CHECK

    def usage(self) -> tuple[int, int]:
        """Bytes ever taken from the system, and bytes held now (live and cached)."""
        figures = self._allocator.statistics
        taken = figures["device_bytes_allocated"] + figures["host_bytes_allocated"]
        return taken, taken - figures["device_bytes_freed"] - figures["host_bytes_freed"]

    def check(self) -> None:
        """Trims if the budget is spent; the next is at least what is live, so the cost stays amortised."""
        self.countdown = CALLS_PER_CHECK
        taken, _ = self.usage()
        if taken - self._seen <= self._budget:
            return
        self.trim()

    def trim(self) -> None:
        """Gives all free blocks back to the system."""
        self._allocator.trim()
        self._seen, live = self.usage()
        self._budget = max(TRIM_BUDGET_BYTES, live)
