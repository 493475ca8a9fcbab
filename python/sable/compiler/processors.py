"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_processors() -> int:
    """At least one; what affinity allows, and no more than the quota of the control groups (containers) rounded up."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroup_quota(_MEMBERSHIP, _CGROUPS)
    return max(1, min(allowed, math.ceil(quota)) if quota is not None else allowed)


def cgroup_quota(membership: Path, root: Path) -> float | None:
    """Processors that the process's control groups grant it, the least of all levels; None for no bound.

    Args:
      membership: `/proc/self/cgroup`: a line `hierarchy:controllers:path` for each hierarchy; version 2 has one, without
        controllers.
      root: where the hierarchies are mounted.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return None
    quotas = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            mounted, read = root, _quota
        elif "cpu" in controllers.split(","):
            mounted, read = root / "cpu", _quota_of_version_1
        else:
            continue
        quotas += [found for folder in _levels(mounted, path) if (found := read(folder)) is not None]
    return min(quotas, default=None)


def _levels(mounted: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it. In a container the path may be that of the host, and not be there."""
    folder = mounted / path.strip("/")
    while folder != mounted:
        yield folder
        folder = folder.parent
    yield mounted


def _quota(folder: Path) -> float | None:
    """`cpu.max`: microseconds in each period, or `max`."""
    found = _read(folder / "cpu.max")
    if found is None or found[0] == "max":
        return None
    return int(found[0]) / int(found[1])


def _quota_of_version_1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    if quota is None or period is None or int(quota[0]) < 0:  # -1: no bound
        return None
    return int(quota[0]) / int(period[0])


def _read(path: Path) -> list[str] | None:
    try:
        return path.read_text(encoding="utf-8").split() or None
    except OSError:
        return None
