"""The table of ops in the documentation is the one in the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from sable.ir.op import OPS
from sable.tools import op_table

DOCUMENT = Path(__file__).parents[2] / "docs" / "ops.md"


def test_the_document_is_up_to_date():
    assert DOCUMENT.read_text() == op_table.table(), "run `make docs`"


def test_main(tmp_path, capsys):
    assert op_table.main([]) == 0
    printed = capsys.readouterr().out
    assert printed.count("\n| `") == len(OPS)
    assert op_table.main(["--write", str(tmp_path / "ops.md")]) == 0
    assert (tmp_path / "ops.md").read_text() == printed
    with pytest.raises(SystemExit):
        op_table.main(["--unknown"])
