"""The command line of tools that write a document."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path


def command(name: str, description: str | None, text: Callable[[], str]) -> Callable[[Sequence[str] | None], int]:
    """`main` of the tool of that name: prints the text, or writes it to the file of `--write`."""

    def main(argv: Sequence[str] | None = None) -> int:
        parser = argparse.ArgumentParser(prog=f"python -m sable.tools.{name}", description=description)
        parser.add_argument("--write", type=Path, metavar="FILE")
        file = parser.parse_args(argv).write
        if file is None:
            print(text(), end="")
        else:
            file.write_text(text())
        return 0

    return main
