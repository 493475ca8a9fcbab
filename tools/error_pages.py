"""Write the pages of errors from their docstrings: `python -m sable.tools.error_pages [--write FOLDER]`."""

from __future__ import annotations

import argparse
import inspect
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import sable.compiler.errors
import sable.core.lattice
import sable.errors
import sable.passes.diagnostics
import sable.runtime.errors  # noqa: F401  (each defines errors)
from sable._pages import MENDED, PAGES, RAISES

_HEAD = """# Errors

What each error means, programs that raise it, and how they are mended; written by `make docs` from the docstrings of the
classes, which `help` shows. The message of an error ends with the name of its page.

| error | is a kind of | when |
|---|---|---|
"""

_PROGRAM = re.compile(r"^    .*\n(?:    .*\n|\n(?=    ))*", re.MULTILINE)
_ATTRIBUTE = re.compile(r"^  (\w+): ", re.MULTILINE)


def _text(cls: type) -> str:
    text = inspect.getdoc(cls)
    assert text is not None, f"{cls.__name__} has no docstring"
    return text + "\n"


def _base(cls: type) -> str:
    """The first class above that users know."""
    return next(c.__name__ for c in cls.__mro__[1:] if issubclass(c, BaseException))


def programs(cls: type) -> dict[str, str]:
    """The programs of a class's page, by the line before: `RAISES` and `MENDED`, or none."""
    found = {}
    for title in (RAISES, MENDED):
        _, _, rest = _text(cls).partition(f"\n{title}\n\n")
        if match := _PROGRAM.match(rest):
            found[title] = textwrap.dedent(match[0])
    return found


def page(cls: type) -> str:
    """The page of a class, in Markdown."""
    body = _PROGRAM.sub(lambda program: f"```python\n{textwrap.dedent(program[0])}```\n", _text(cls))
    body = _ATTRIBUTE.sub(r"- `\1`: ", body.replace("Attributes:\n", "Attributes:\n\n"))
    return f"# {cls.__name__}\n\n`{cls.__module__}.{cls.__name__}`, a kind of `{_base(cls)}`.\n\n{body}"


def pages() -> dict[str, str]:
    """Text of each file, by name."""
    rows = [
        f"| [{name}]({name}.md) | `{_base(cls)}` | {_text(cls).splitlines()[0]} |\n"
        for name, cls in sorted(PAGES.items())
    ]
    return {"README.md": _HEAD + "".join(rows)} | {f"{name}.md": page(cls) for name, cls in sorted(PAGES.items())}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the pages, or with --write put them into a folder."""
    parser = argparse.ArgumentParser(prog="python -m sable.tools.error_pages", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    folder = parser.parse_args(argv).write
    for name, text in pages().items():
        if folder is None:
            print(text)
        else:
            (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
