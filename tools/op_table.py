"""Write the table of all ops from the op table: `python -m sable.tools.op_table [--write FILE]`."""

from __future__ import annotations

import sys

import sable.dialects.ops  # noqa: F401  (fills the op table)
from sable.ir.op import OPS, Op
from sable.passes.legalize.rules import platforms_of
from sable.passes.lower import LoweringBuilder  # noqa: F401  (registers the rules of legalisation)

from ._document import command

_HEAD = """# Ops

{count} rows of the op table (`dialects/ops/`), written by `make docs`. *Derivative in* names the operands with a rule for
tangents, *linear in* those through which reverse mode goes back; *rewritten* says for which platforms the op is put
in other terms before IREE sees it (`passes/legalize/`, and `lower` of the row).

| op | operands | parameters | derivative in | linear in | dtypes of the samples | rewritten |
|---|---|---|---|---|---|---|
"""


def row(op: Op) -> str:
    """One line of the table."""
    derivative = "by a rule of its own" if callable(op.jvp) or op.rules else ", ".join(n for n in op.jvp or {}) or "–"
    dtypes = sorted({x.dtype.name for s in op.samples() for x in s.operands})
    platforms = sorted({*platforms_of(op.name), *(["all"] if op.lower else [])})
    cells = [
        f"`{op.mlir_name}`" + ("" if op.mlir_name.endswith(f".{op.name}") else f" ({op.name})"),
        ", ".join(op.operands) + (" …" if op.variadic else ""),
        ", ".join(op.params),
        derivative,
        ", ".join(op.transpose) or "–",
        " ".join(dtypes) or "–",
        ", ".join(platforms) or "–",
    ]
    return "| " + " | ".join(cells) + " |\n"


def table() -> str:
    """The document."""
    rows = sorted(OPS.values(), key=lambda op: op.mlir_name)
    return _HEAD.format(count=len(rows)) + "".join(map(row, rows))


main = command("op_table", __doc__, table)

if __name__ == "__main__":
    sys.exit(main())
