"""What passes and tools have to say about a program: a message, and the place in the user's text that it is about."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sable._pages import WithPage, with_page
from sable.ir.bindings import ir

#: The bindings call memory that has no file name `-`.
UNNAMED = "-"

#: The innermost file position in any printed location: plain, named, fused or of a call site.
_FILE_POSITION = re.compile(r'"((?:[^"\\]|\\.)+)":(\d+)(?::(\d+))?')

#: The line with which rules close a message: "  at loc(...)", "  the loop is at loc(...)".
_POSITION_LINE = re.compile(r"\n[^\n]*\bat loc\(.*\)\s*$")

#: What rules and passes raise about a program. Anything else is a mistake of ours and keeps its traceback.
PROGRAM_ERRORS = (TypeError, ValueError, NotImplementedError, NameError, OverflowError)


@dataclass(frozen=True)
class Place:
    """A position in a text; lines and columns count from 1."""

    file: str
    line: int
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Diagnostic:
    """One message about a program.

    Attributes:
      message: what was expected and what came, of one or several lines.
      place: where, None if nobody knows.
      severity: "error", "warning", "remark" or "note".
      notes: further diagnostics that belong to this one.
    """

    message: str
    place: Place | None = None
    severity: str = "error"
    notes: tuple[Diagnostic, ...] = ()

    def __str__(self) -> str:
        own = f"{self.place or '<unknown>:0:0'}: {self.severity}: {self.message}"
        return "\n".join([own, *map(str, self.notes)])

    def flat(self) -> Iterable[Diagnostic]:
        """This and its notes, one by one."""
        yield self
        for note in self.notes:
            yield from note.flat()


@with_page
class PassError(WithPage, Exception):
    """A pass, a pipeline or a module is wrong.

    `sable-opt` prints it; under `jax_enable_checks` it is raised where a traced function or its lowering does not verify,
    which is a bug worth a report.

    Attributes:
      diagnostics: what is wrong, each with its place.

    A program that raises it:

        import sable.passes.pipelines
        from sable.passes.pipeline_text import PipelineParser

        PipelineParser("builtin.module(sable-lowr)").steps()

    The program mended:

        import sable.passes.pipelines
        from sable.passes.pipeline_text import PipelineParser

        PipelineParser("builtin.module(sable-lower)").steps()
    """

    def __init__(self, *diagnostics: Diagnostic):
        super().__init__("\n".join(map(str, diagnostics)))
        self.diagnostics = diagnostics

    @staticmethod
    def at(location: Any, message: str) -> PassError:
        """One error at an MLIR location, a `Place` or None."""
        place = location if isinstance(location, Place) or location is None else place_of(location)
        return PassError(Diagnostic(message, place))


def place_of(location: Any) -> Place | None:
    """The innermost file position of an MLIR location (or of its printed form)."""
    found = _FILE_POSITION.search(str(location))
    if found is None or found[2] == "0":
        return None
    return Place(found[1], int(found[2]), int(found[3] or 0))


def diagnostic_of(info: Any) -> Diagnostic:
    """A diagnostic of the bindings (`ir.Diagnostic` or `ir.DiagnosticInfo`) as one of ours."""
    severity = str(info.severity).rsplit(".", 1)[-1].lower()
    return Diagnostic(info.message, place_of(info.location), severity, tuple(map(diagnostic_of, info.notes)))


def from_mlir(error: ir.MLIRError) -> PassError:
    """The error of a parser, a verifier or a pass of MLIR."""
    infos = [diagnostic_of(d) for d in error.error_diagnostics]
    return PassError(*infos) if infos else PassError(Diagnostic(str(error)))


def from_exception(error: Exception, what: str) -> PassError:
    """What a rule raised while a pass ran, as an error at the operation that it was about.

    Args:
      error: one of `PROGRAM_ERRORS`.
      what: the pass, for the note.
    """
    text = str(error)
    place = place_of(text) if "loc(" in text else None
    if place is None:
        place = _place_in_progress(error)
    message = _POSITION_LINE.sub("", text)
    return PassError(Diagnostic(message, place, notes=(Diagnostic(f"while running {what}", place, "note"),)))


def _place_in_progress(error: Exception) -> Place | None:
    """Where the innermost walk over a function stood: rules do not know the operation they are applied to."""
    frames: Sequence[Any] = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        for name in ("node", "operation"):
            location = getattr(frame.f_locals.get(name), "location", None)
            place = None if location is None else place_of(location)
            if place is not None:
                return place
    return None
