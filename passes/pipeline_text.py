"""Pass pipelines as text: `builtin.module(canonicalize,func.func(cse),sable-batch{size=4})`, ours and MLIR's mixed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sable.ir.bindings import ir

from . import foreign
from .diagnostics import PROGRAM_ERRORS, Diagnostic, PassError, Place, from_exception, from_mlir
from .registry import OptionError, Pass, find_pass
from .verify import verify

#: The only operation that our passes and pipelines run on.
ANCHOR = "builtin.module"

_NAME = re.compile(r"[\w.\-]+")
_KEY = re.compile(r"[\w\-]+")
_CLOSING = {"{": "}", "(": ")", "[": "]"}


@dataclass(frozen=True)
class Ours:
    """A step that runs a pass of ours; `place` is where somebody wrote it."""

    entry: Pass
    options: Any
    place: Place | None = None


@dataclass(frozen=True)
class Theirs:
    """A step that runs passes of MLIR and IREE, as elements of one pipeline over a module."""

    elements: str


Step = Ours | Theirs


def run_steps(
    module: ir.Module, steps: Sequence[Step], options: foreign.RunOptions, show: Any = lambda title, module: None
) -> ir.Module:
    """Run steps over a module.

    Args:
      module: changed in place.
      steps: in their order.
      options: what is checked and printed.
      show: `show("Dump Before ...", module)`, called around our passes as options say.

    Raises:
      PassError: a pass failed, or left a module that does not verify.
    """
    for step in steps:
        if isinstance(step, Theirs):
            foreign.run(module, step.elements, options)
            title = f"pipeline {step.elements}"
        else:
            title = f"pass {step.entry.name}"
            module = _run_ours(module, step, options, show)
        if options.verify:
            _verify_after(module, title)
    return module


def _run_ours(module: ir.Module, step: Ours, options: foreign.RunOptions, show: Any) -> ir.Module:
    name = step.entry.name
    if options.print_before:
        show(f"Dump Before {name} (sable-{name})", module)
    try:
        module = step.entry.run(module, step.options)
    except OptionError as error:
        message = f"{name}: {str(error).removeprefix(name + ': ')}"
        raise PassError(Diagnostic(message, step.place)) from None
    except PROGRAM_ERRORS as error:
        raise from_exception(error, f"pass {name}") from error
    if options.print_after:
        show(f"Dump After {name} (sable-{name})", module)
    return module


def _verify_after(module: ir.Module, title: str) -> None:
    try:
        verify(module)
    except PassError as error:
        note = Diagnostic(f"{title} left this behind", None, "note")
        raise PassError(*error.diagnostics, note) from None
    except ir.MLIRError as error:
        note = Diagnostic(f"{title} left this behind", None, "note")
        raise PassError(*from_mlir(error).diagnostics, note) from None


def step_of(name: str, options: str, place: Place | None = None) -> Step:
    """The step of one pass.

    Args:
      name: with or without "sable-".
      options: its options as text, "size=4 in-axes=0,none".
      place: where that was written, for errors.

    Raises:
      PassError: there is no such pass or it takes other options.
    """
    entry = find_pass(name)
    try:
        if entry is None:
            return Theirs(foreign.nested(f"{name}{{{options}}}" if options else name))
        return Ours(entry, entry.parse(dict(split_options(options))), place)
    except OptionError as error:
        raise PassError(Diagnostic(str(error), place)) from None
    except PassError as error:
        raise PassError(*[Diagnostic(d.message, place) for d in error.diagnostics]) from None


def split_options(text: str) -> Iterator[tuple[str, str]]:
    """("size", "4"), ("in-axes", "0,none") of "size=4 in-axes=0,none"; a value may be quoted or in brackets.

    Raises:
      OptionError: something else stands where an option should.
    """
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        key = _KEY.match(text, at)
        if key is None or text[key.end() : key.end() + 1] != "=":
            raise OptionError(f"expected name=value, got '{text[at:].split()[0]}'")
        end = _value_end(text, key.end() + 1)
        yield key[0], text[key.end() + 1 : end].strip("\"'")
        at = end


def _value_end(text: str, at: int) -> int:
    """Where a value ends: at the first space outside of quotes and brackets."""
    closing: list[str] = []
    while at < len(text):
        c = text[at]
        if closing and c == closing[-1]:
            closing.pop()
        elif c in "\"'" and not (closing and closing[-1] in "\"'"):
            closing.append(c)
        elif c in _CLOSING:
            closing.append(_CLOSING[c])
        elif c.isspace() and not closing:
            break
        at += 1
    if closing:
        raise OptionError(f"'{closing[-1]}' is missing in '{text}'")
    return at


@dataclass(frozen=True)
class Element:
    """One element of a pipeline: `name{options}` or `anchor(inner,...)`, and where it starts in the text."""

    name: str
    options: str
    inner: tuple[Element, ...] | None
    start: int
    text: str


class PipelineParser:
    """Parses a pipeline text.

    Args:
      text: the pipeline.
      file: how errors call it.
    """

    def __init__(self, text: str, file: str = "<pass-pipeline>"):
        self.text, self.file, self.at = text, file, 0

    def steps(self) -> list[Step]:
        """The pipeline's steps.

        Raises:
          PassError: the text is no pipeline over `builtin.module`, or a pass or an option of it does not exist.
        """
        whole = self._element()
        if self.at < len(self.text):
            raise self._error("expected the end of the pipeline", self.at)
        if whole.name != ANCHOR or whole.inner is None:
            raise self._error(f"expected a pipeline {ANCHOR}(...), got '{self.text}'", 0)
        steps: list[Step] = []
        theirs: list[str] = []
        for element in whole.inner:
            if element.inner is not None or find_pass(element.name) is None:
                self._refuse_ours(element)
                theirs.append(element.text)
                continue
            if theirs:
                steps.append(self._theirs(theirs))
                theirs = []
            steps.append(step_of(element.name, element.options, self._place(element.start)))
        if theirs:
            steps.append(self._theirs(theirs))
        return steps

    def _theirs(self, elements: list[str]) -> Theirs:
        text = ",".join(elements)
        message = foreign.why_not(text)
        if message is None:
            return Theirs(text)
        # the culprit is the first element that is wrong by itself
        wrong = next((e for e in elements if foreign.why_not(e) is not None), elements[0])
        raise self._error(foreign.why_not(wrong) or message, self.text.index(wrong))

    def _refuse_ours(self, element: Element) -> None:
        for inner in element.inner or ():
            if inner.inner is None and find_pass(inner.name) is not None:
                raise self._error(f"pass {inner.name} runs on {ANCHOR}, not on {element.name}", inner.start)
            self._refuse_ours(inner)

    def _element(self) -> Element:
        self._space()
        start = self.at
        name = _NAME.match(self.text, start)
        if name is None:
            got = self.text[start : start + 1]
            raise self._error(f"expected the name of a pass, got {repr(got) if got else 'the end'}", start)
        self.at = name.end()
        options, inner = "", None
        if self._next("{"):
            options = self._braces()
        elif self._next("("):
            inner = tuple(self._list())
        text = self.text[start : self.at]
        self._space()
        return Element(name[0], options, inner, start, text)

    def _list(self) -> Iterator[Element]:
        self._space()
        if self._next(")"):
            return
        yield self._element()
        while self._next(","):
            yield self._element()
        if not self._next(")"):
            raise self._error("expected ',' or ')'", self.at)

    def _braces(self) -> str:
        start, depth = self.at, 1
        while depth:
            if self.at >= len(self.text):
                raise self._error("'}' is missing", start - 1)
            depth += {"{": 1, "}": -1}.get(self.text[self.at], 0)
            self.at += 1
        return self.text[start : self.at - 1]

    def _next(self, char: str) -> bool:
        if self.text[self.at : self.at + 1] != char:
            return False
        self.at += 1
        return True

    def _space(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _place(self, at: int) -> Place:
        return Place(self.file, 1, at + 1)

    def _error(self, message: str, at: int) -> PassError:
        return PassError(Diagnostic(message, self._place(at)))
