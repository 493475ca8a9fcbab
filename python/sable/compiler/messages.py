"""What the compiler's console output says about a failure: the op, the line, a summary."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from .options import UNNAMED_SOURCE

#: `file:line:column: error: message`; notes of the form `called from` hold the outer frames of a call site.
_LINE = re.compile(
    r"^(?P<file>[^\n]*?):(?P<line>\d+)(?::(?P<column>\d+))?: (?P<severity>error|note|warning): (?P<text>.*)$",
    re.MULTILINE,
)
_OPS = (
    re.compile(r"'(?P<op>[a-z_]\w*(?:\.\w+)+)' op\b"),
    re.compile(r"operation '(?P<op>[a-z_]\w*(?:\.\w+)+)'"),
    re.compile(r"see current operation: (?:%[^=\n]*= )?\"?(?P<op>[a-z_]\w*(?:\.\w+)+)"),
)
_FATAL = re.compile(r"^(?:LLVM ERROR|Assertion|.*: Assertion|Fatal Python error|MemoryError).*$", re.MULTILINE)

#: Frames under this folder are Sable's, not the user's.
_LIBRARY = str(Path(__file__).resolve().parents[1]) + os.sep


def location(text: str) -> tuple[str, int] | None:
    """File and line of the user's program which the first error names, the innermost frame first.

    Lines of the module's own text are none of the user's, unless `CompileOptions.source_name` names a file.

    Args:
      text: the console diagnostics.
    """
    for block in _error_blocks(text):
        for frame in block:
            file, line = frame["file"], int(frame["line"])
            if line and _is_users(file):
                return file, line
    return None


def _error_blocks(text: str) -> list[list[re.Match[str]]]:
    """Each error with the notes that belong to it."""
    blocks: list[list[re.Match[str]]] = []
    for found in _LINE.finditer(text):
        if found["severity"] == "error":
            blocks.append([found])
        elif blocks and found["text"].startswith(("called from", "see current operation", "inlined")):
            blocks[-1].append(found)
    return blocks


def _is_users(file: str) -> bool:
    if file in (UNNAMED_SOURCE, "", "-", "<unknown>", "<stdin>"):
        return False
    return not file.startswith(_LIBRARY)


def op(text: str) -> str | None:
    """MLIR name of the first op that is named as the culprit."""
    found = [match for pattern in _OPS if (match := pattern.search(text))]
    return min(found, key=lambda match: match.start())["op"] if found else None


def summary(text: str, kind: str, stage: str, code: int) -> str:
    """The failure in one line."""
    if kind == "crash":
        fatal = _FATAL.search(text)
        return f"the compiler {_end(code)}" + (f": {fatal[0].strip()}" if fatal else "")
    for found in _LINE.finditer(text):
        if found["severity"] == "error":
            return _without_operation(found["text"])
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if stage == "internal" and lines:
        return lines[-1]  # of a Python traceback
    return " ".join(lines[:2]) if lines else f"the compiler gave up without saying why (in the stage {stage!r})"


def _without_operation(text: str) -> str:
    """The message without the op's full text, which may have the size of its constants."""
    return re.split(r": (?:%[\w:, ]+ = )?\"[a-z_]\w*\.", text, maxsplit=1)[0].strip()


def _end(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"died of {name}" + (" (killed from outside: out of memory?)" if name == "SIGKILL" else "")
