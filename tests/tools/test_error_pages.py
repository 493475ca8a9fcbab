"""The pages of errors: current, complete, and their programs do what they say."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

import sable
from sable._pages import FOLDER, MENDED, PAGES, RAISES
from sable.tools.error_pages import main, pages, programs

ROOT = Path(__file__).parents[2]

#: Classes of JAX's that nothing raises here; their pages say why.
NEVER_RAISED = {"InconclusiveDimensionOperation", "JaxprTypeError"}


def test_the_pages_are_current(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    written = {path.name: path.read_text() for path in (ROOT / FOLDER).iterdir()}
    assert written == pages(), "run `make docs`"
    assert main(["--write", str(tmp_path)]) == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == written
    assert main([]) == 0 and "# KeyReuseError" in capsys.readouterr().out


def test_every_public_error_has_a_page() -> None:
    assert {*sable.errors.__all__, "CompilationError", "ExecutionError", "TypePromotionError"} <= set(PAGES)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_programs_of_a_page(name: str) -> None:
    cls = PAGES[name]
    found = programs(cls)
    assert set(found) == (set() if name in NEVER_RAISED else {RAISES, MENDED})
    if name in NEVER_RAISED:
        return
    with pytest.raises(cls) as caught:
        exec(compile(found[RAISES], "raises.py", "exec"), {})
    assert caught.type is cls or cls in (sable.errors.JAXTypeError, sable.errors.JAXIndexError)
    assert str(caught.value).endswith(
        f"\nSee docs/errors/{caught.type.__name__}.md, or help({_address(caught.type)!r})."
    )
    exec(compile(found[MENDED], "mended.py", "exec"), {})


def _address(cls: type) -> str:
    return f"{cls.__module__}.{cls.__name__}"


def test_a_page_is_named_once_by_pickles_and_by_users_kinds_of_errors() -> None:
    class Mine(sable.errors.KeyReuseError):
        pass

    error = pickle.loads(pickle.dumps(sable.errors.KeyReuseError("twice")))
    assert str(error) == str(sable.errors.KeyReuseError("twice")) and str(error).count("docs/errors") == 1
    assert str(Mine("twice")) == str(error)
