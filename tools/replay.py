"""replay: what a change does to the programs that Sable emits; a refactoring shows an empty difference.

Run by `make replay` (`BASE=<commit>` for another one than the last): the same programs are traced, transformed and
lowered once with the working tree's package and once with the commit's, each in a process of its own, and their texts
are compared. Both run without the native module, so that the commit need not be built.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Folders of the repository that make up the package, and where in it they go.
_PARTS = {"python/sable": "", "dialects": "dialects", "passes": "passes", "tools": "tools"}
#: Differences that are printed in full.
_SHOWN = 3
_DIFFERENCE_LINES = 60


def lay_out(tree: Path, into: Path) -> None:
    """The package of a checked-out tree, laid together as installing it does."""
    for part, place in _PARTS.items():
        shutil.copytree(tree / part, into / "sable" / place, dirs_exist_ok=True, ignore=_WITHOUT_NATIVE)


_WITHOUT_NATIVE = shutil.ignore_patterns("__pycache__", "*.so")


def check_out(commit: str, into: Path) -> None:
    """The files of a commit."""
    packed = subprocess.run(["git", "archive", commit, *_PARTS], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(into, filter="data")


def emit(package: Path, into: Path) -> None:
    """Write the programs of a package, a file each; the list of programs is always the working tree's.

    Raises:
      SystemExit: the package does not run at all.
    """
    into.mkdir()
    environment = {**os.environ, "SABLE_PURE_PYTHON": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "tests.replay.emit", str(package), str(into)]
    if subprocess.run(command, cwd=ROOT, env=environment).returncode != 0:
        raise SystemExit(f"replay: the programs could not be emitted with {package}")


def compare(before: Path, after: Path) -> int:
    """Print what differs between two folders of programs; the number of differing ones."""
    old, new = ({p.name: p.read_text() for p in sorted(folder.iterdir())} for folder in (before, after))
    changed = [name for name in new if old.get(name) != new[name]]
    for k, name in enumerate(changed):
        print(f"differs: {name}")
        if k < _SHOWN:
            lines = difflib.unified_diff(old.get(name, "").splitlines(), new[name].splitlines(), "before", "after", n=1)
            print("\n".join(f"    {line}" for line in list(lines)[:_DIFFERENCE_LINES]))
    digest = hashlib.sha256("".join(f"{n}\n{t}" for n, t in new.items()).encode()).hexdigest()
    print(f"replay: {len(new)} programs, {len(changed)} differ; digest {digest[:16]}")
    return len(changed)


def main(argv: list[str] | None = None) -> int:
    """The command line; exit status 1 where a program differs."""
    parser = argparse.ArgumentParser(prog="replay", description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--base", default="HEAD", help="the commit to compare with (default: the last one)")
    base = parser.parse_args(argv).base
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        check_out(base, work / "commit")
        lay_out(work / "commit", work / "before")
        lay_out(ROOT, work / "after")
        for name in ("before", "after"):
            emit(work / name, work / f"{name}_programs")
        return min(compare(work / "before_programs", work / "after_programs"), 1)


if __name__ == "__main__":
    sys.exit(main())
