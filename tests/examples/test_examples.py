"""The examples run as a user runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from ..vulkan import vulkan_device

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, *arguments: str, cache: Path | None = None) -> str:
    """What an example prints, with a program cache of its own if one is given."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, **({"SABLE_CACHE_DIR": str(cache)} if cache else {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found is not None, text
    return float(found[1])


def test_digits(tmp_path):
    arguments = ("--epochs", "12", "--output", str(tmp_path))
    first = run("digits.py", *arguments, cache=tmp_path / "cache")
    assert number(r"held-out accuracy: ([\d.]+)%", first) >= 97
    assert number(r"compiler: (\d+) programs compiled", first) > 0
    assert (tmp_path / "digits.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "digits.vmfb").read_bytes().startswith(b"PK")
    second = run("digits.py", *arguments, cache=tmp_path / "cache")
    assert number(r"compiler: (\d+) programs compiled", second) == 0
    for line in (r"held-out accuracy: ([\d.]+)%", r"median norm ([\d.e+-]+)"):
        assert number(line, second) == number(line, first)


def test_digits_on_vulkan(tmp_path):
    vulkan_device()  # skips where there is none
    text = run("digits.py", "--platform", "vulkan", "--epochs", "12", "--output", str(tmp_path))
    assert "device: VulkanDevice(id=0)" in text
    assert number(r"held-out accuracy: ([\d.]+)%", text) >= 97


def test_every_example_is_tested():
    tested = {"digits.py"}
    assert {p.name for p in EXAMPLES.glob("*.py")} == tested


def test_bad_arguments_end_early(tmp_path):
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "digits.py"), "--platform", "abacus", "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode and "abacus" in done.stderr and not (tmp_path / "out").exists()
