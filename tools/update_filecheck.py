"""Rewrite the CHECK lines of lit tests from what the tools print now: `python -m sable.tools.update_filecheck FILE...`.

The difference is to be read by a person before it is committed: a CHECK line is a claim about a derivative. Only files
whose RUN line pipes `%sable-opt` into `filecheck %s` are touched, and only those without hand-written `CHECK:` lines.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .sable_opt import SPLIT_MARKER

_RUN = re.compile(r"^// RUN: %sable-opt (.*) \| filecheck %s$", re.MULTILINE)
#: Passes that rewrite functions where they are: then all functions are checked, else only the new ones.
_IN_PLACE = ("--raise", "--lower", "--inline-calls", "--loops-to-blocks")
_FUNCTION = re.compile(r"func\.func (?:public |private )?@([\w.]+)")


def main(argv: Sequence[str] | None = None) -> int:
    """Rewrite the files; the exit code is 1 if one has no such RUN line or its command fails."""
    failed = False
    for name in sys.argv[1:] if argv is None else argv:
        message = update(Path(name))
        if message:
            print(f"{name}: {message}", file=sys.stderr)
            failed = True
    return int(failed)


def update(path: Path) -> str:
    """Rewrite one file; what is wrong with it, or nothing."""
    text = path.read_text()
    run = _RUN.search(text)
    if run is None:
        return "no RUN line that pipes %sable-opt into filecheck"
    if "// CHECK:" in text:
        return "its CHECK lines are written by hand"
    words = [str(path) if w == "%s" else w for w in shlex.split(run[1])]
    command = [sys.executable, "-m", "sable.tools.sable_opt", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    parts = _split(text)
    outputs = _split(done.stdout)
    everything = any(word.startswith(_IN_PLACE) for word in words)
    path.write_text(f"{SPLIT_MARKER}\n".join(_checked(p, o, everything) for p, o in zip(parts, outputs)))
    return ""


def _split(text: str) -> list[str]:
    return re.split(rf"^{SPLIT_MARKER}\n", text, flags=re.MULTILINE)


def _checked(part: str, output: str, everything: bool) -> str:
    """A part of a test with CHECK lines for everything, or for the functions that the input does not have."""
    kept = [line for line in part.splitlines() if not re.match(r"// CHECK", line)]
    own = set(_FUNCTION.findall("\n".join(kept)))
    functions = _functions(output)
    if not everything:
        functions = [f for f in functions if _FUNCTION.findall(f[0])[0] not in own]
    checks: list[str] = []
    for lines in functions:
        checks.append(f"// CHECK-LABEL: {_escape(lines[0].strip())}")
        checks += [f"// CHECK-NEXT: {_escape(line.strip())}" for line in lines[1:]]
        checks.append("")
    body = "\n".join(kept).rstrip("\n")
    return f"{body}\n\n" + "\n".join(checks)


def _functions(output: str) -> list[list[str]]:
    """The lines of every function of a printed module."""
    found: list[list[str]] = []
    for line in output.splitlines():
        if line.startswith("  func.func"):
            found.append([line])
        elif line.startswith("   ") or line.startswith("  }") or line.startswith("  ^"):
            found[-1].append(line)
    return found


def _escape(line: str) -> str:
    return re.sub(r"\[\[|\{\{", lambda m: "{{" + "".join(f"\\{c}" for c in m[0]) + "}}", line)


if __name__ == "__main__":
    sys.exit(main())
