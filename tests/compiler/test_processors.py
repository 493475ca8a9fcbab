"""How many compiles run at a time: affinity and the quotas of control groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from sable.compiler import processors

V2 = "0::/user.slice/job\n"
V1 = "12:pids:/job\n4:cpu,cpuacct:/docker/job\n1:name=systemd:/job\n"
UNBOUND_V1 = {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}

#: membership, files below the root, processors granted
GROUPS = {
    "unbound": (V2, {"user.slice/job/cpu.max": "max 100000\n", "cpu.max": "max 100000\n"}, None),
    "own group": (V2, {"user.slice/job/cpu.max": "150000 100000\n"}, 1.5),
    "the group above": (V2, {"user.slice/cpu.max": "50000 100000\n", "user.slice/job/cpu.max": "max 100000\n"}, 0.5),
    "the least of all": (
        V2,
        {"user.slice/cpu.max": "400000 100000\n", "user.slice/job/cpu.max": "300000 100000\n"},
        3.0,
    ),
    "a path of the host's": ("0::/../host/job\n", {"cpu.max": "200000 100000\n"}, 2.0),
    "version 1": (
        V1,
        {"cpu/docker/job/cpu.cfs_quota_us": "250000\n", "cpu/docker/job/cpu.cfs_period_us": "100000\n"},
        2.5,
    ),
    "version 1, unbound": (V1, UNBOUND_V1, None),
    "version 1, half of it": (V1, {"cpu/cpu.cfs_quota_us": "100000\n"}, None),
    "no controller": ("3:memory:/job\n", {"cpu/cpu.cfs_quota_us": "100000\n"}, None),
    "empty file": (V2, {"cpu.max": ""}, None),
}


def lay_out(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    path = folder / "membership"
    path.write_text(membership)
    for name, text in files.items():
        file = folder / "root" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return path, folder / "root"


@pytest.mark.parametrize("case", GROUPS)
def test_quota(tmp_path, case):
    membership, files, expected = GROUPS[case]
    assert processors.cgroup_quota(*lay_out(tmp_path, membership, files)) == expected


def test_no_control_groups(tmp_path):
    assert processors.cgroup_quota(tmp_path / "nothing", tmp_path) is None


@pytest.mark.parametrize(
    ("allowed", "quota", "expected"),
    [(8, "max 100000", 8), (8, "150000 100000", 2), (2, "400000 100000", 2), (4, "10000 100000", 1)],
)
def test_the_lesser_of_affinity_and_quota(tmp_path, monkeypatch, allowed, quota, expected):
    membership, root = lay_out(tmp_path, V2, {"cpu.max": quota})
    monkeypatch.setattr(processors, "_MEMBERSHIP", membership)
    monkeypatch.setattr(processors, "_CGROUPS", root)
    monkeypatch.setattr(processors.os, "sched_getaffinity", lambda _: set(range(allowed)), raising=False)
    assert processors.usable_processors() == expected


def test_here():
    assert processors.usable_processors() >= 1
