"""The replay tool: the programs are emitted the same way twice, and a change shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from sable.tools import replay


def test_two_runs_emit_the_same_programs(tmp_path: Path) -> None:
    replay.lay_out(replay.ROOT, tmp_path / "package")
    for name in ("first", "second"):
        replay.emit(tmp_path / "package", tmp_path / name)
    files = list((tmp_path / "first").iterdir())
    assert len(files) >= 300
    failed = [p.name for p in files if "module" not in p.read_text()]
    assert len(failed) < len(files) / 20, failed
    assert replay.compare(tmp_path / "first", tmp_path / "second") == 0


def test_a_changed_program_shows(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name, text in (("before", "module {\n  a\n}\n"), ("after", "module {\n  b\n}\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "program.jit").write_text(text)
    assert replay.compare(tmp_path / "before", tmp_path / "after") == 1
    shown = capsys.readouterr().out
    assert "differs: program.jit" in shown and "+  b" in shown and "-  a" in shown
