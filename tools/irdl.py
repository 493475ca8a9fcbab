"""Write the formal definition of the sable dialect from the op table: `python -m sable.tools.irdl --write`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.dialects.irdl import PATH, definition


def main(argv: Sequence[str] | None = None) -> int:
    """Print the definition, or with --write put it into its file."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments not in ([], ["--write"]):
        print("usage: python -m sable.tools.irdl [--write]", file=sys.stderr)
        return 1
    if arguments:
        PATH.write_text(definition())
    else:
        print(definition(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
