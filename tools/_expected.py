"""--verify-diagnostics: comments that say which diagnostics a test expects, `// expected-error@+1 {{text}}`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sable.passes.diagnostics import Diagnostic, Place

_EXPECTED = re.compile(r"expected-(error|warning|remark|note)(?:@([+-]\d+|above|below|unknown))?\s*(?:\{\{(.*?)\}\})")


@dataclass
class _Expectation:
    severity: str
    line: int | None
    text: str
    comment_line: int
    met: bool = False

    def fits(self, diagnostic: Diagnostic) -> bool:
        line = None if diagnostic.place is None else diagnostic.place.line
        return diagnostic.severity == self.severity and line == self.line and self.text in diagnostic.message


def check_expectations(text: str, file: str, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Compare diagnostics with what a text's comments expect; notes need not be expected.

    Args:
      text: the input.
      file: its name.
      diagnostics: all that came.

    Returns:
      An error for everything unexpected and for everything that did not come.
    """
    expectations = list(_expectations(text))
    wrong = []
    for diagnostic in (d for top in diagnostics for d in top.flat()):
        found = next((e for e in expectations if not e.met and e.fits(diagnostic)), None)
        if found is not None:
            found.met = True
        elif diagnostic.severity != "note":
            wrong.append(Diagnostic(f"unexpected {diagnostic.severity}: {diagnostic.message}", diagnostic.place))
    for e in expectations:
        if not e.met:
            message = f'expected {e.severity} "{e.text}" was not produced'
            wrong.append(Diagnostic(message, Place(file, e.comment_line, 1)))
    return wrong


def _expectations(text: str) -> Iterator[_Expectation]:
    lines = text.splitlines()
    for k, line in enumerate(lines, 1):
        _, _, comment = line.partition("//")
        for severity, offset, message in _EXPECTED.findall(comment):
            yield _Expectation(severity, _line(lines, k, offset), message, k)


def _line(lines: list[str], at: int, offset: str) -> int | None:
    """The line that a comment on line `at` speaks of; above and below skip lines of comments that expect too."""
    if offset == "unknown":
        return None
    if offset not in ("above", "below"):
        return at + int(offset or 0)
    step = -1 if offset == "above" else 1
    at += step
    while 0 < at <= len(lines) and lines[at - 1].strip().startswith("//") and "expected-" in lines[at - 1]:
        at += step
    return at
