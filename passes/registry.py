"""The table of passes: name, description, options as a frozen dataclass, and what runs.

    @register("batch", "a function of many examples ...", BatchOptions)
    def _batch(module: ir.Module, options: BatchOptions) -> ir.Module: ...

Tools list, document and parse from here; nothing else about a pass is written down anywhere.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sable.ir.bindings import ir


class OptionError(ValueError):
    """An option of a pass that does not exist or has a value of another kind."""


def option(default: Any, help: str) -> Any:
    """A field of an options dataclass."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class NoOptions:
    """Options of passes that have none."""


@dataclass(frozen=True)
class Pass:
    """One of our passes.

    Attributes:
      name: its flag and, behind "sable-", its name in pipelines.
      description: one line.
      options: a frozen dataclass whose fields are made by `option`.
      run: `run(module, options) -> module`; may change the module in place. Raises PassError or an exception whose
        message ends with a location.
    """

    name: str
    description: str
    options: type
    run: Callable[[ir.Module, Any], ir.Module]

    def parse(self, given: Mapping[str, str]) -> Any:
        """The options from their texts.

        Raises:
          OptionError: an option that there is not, or a value of another kind.
        """
        fields = {f.name.replace("_", "-"): f for f in dataclasses.fields(self.options)}
        hints = typing.get_type_hints(self.options)
        values = {}
        for key, text in given.items():
            f = fields.get(key.replace("_", "-"))
            if f is None:
                raise OptionError(_unknown(f"option '{key}' of {self.name}", key, fields))
            values[f.name] = _value(hints[f.name], text, f"{self.name}: option '{key}'")
        return self.options(**values)

    def describe_options(self) -> list[tuple[str, str, str]]:
        """(name, kind, what it is for) of every option."""
        hints = typing.get_type_hints(self.options)
        return [
            (f.name.replace("_", "-"), _kind(hints[f.name]), f.metadata.get("help", ""))
            for f in dataclasses.fields(self.options)
        ]


#: every pass of ours by its name
PASSES: dict[str, Pass] = {}


def register(name: str, description: str, options: type = NoOptions) -> Callable:
    """Decorator: enter a pass into the table."""

    def enter(run: Callable[[ir.Module, Any], ir.Module]) -> Callable:
        if name in PASSES:
            raise ValueError(f"pass {name} is registered twice")
        PASSES[name] = Pass(name, description, options, run)
        return run

    return enter


def find_pass(name: str) -> Pass | None:
    """The pass of ours by its name, with or without the "sable-" of pipelines."""
    return PASSES.get(name.removeprefix("sable-"))


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, 1)
    if close:
        return f"there is no {what}; did you mean '{close[0]}'?"
    return f"there is no {what}; it has {', '.join(names) or 'no options'}"


_WORDS = {"1": True, "true": True, "0": False, "false": False}


def _integer(text: str) -> int:
    return int(text)


def _boolean(text: str) -> bool:
    return _WORDS[text.lower()]


#: element type -> (how it is called, how it is read)
_SCALARS: dict[type, tuple[str, Callable[[str], Any]]] = {
    int: ("integer", _integer),
    bool: ("0 or 1", _boolean),
    str: ("text", str),
}


def _value(hint: Any, text: str, what: str) -> Any:
    text = text.strip()
    hint, optional = _without_none(hint)
    if typing.get_origin(hint) is not tuple:
        if optional and text == "none":
            return None
        return _scalar(hint, text, what)
    element = typing.get_args(hint)[0]
    inner = text[1:-1] if text[:1] + text[-1:] in ("[]", "{}") else text
    return tuple(_value(element, part, what) for part in inner.split(",")) if inner else ()


def _scalar(hint: type, text: str, what: str) -> Any:
    kind, read = _SCALARS[hint]
    try:
        return read(text)
    except (ValueError, KeyError):
        raise OptionError(f"{what}: expected {kind}, got '{text}'") from None


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    (rest,) = (a for a in typing.get_args(hint) if a is not type(None))
    return rest, True


def _kind(hint: Any) -> str:
    hint, _ = _without_none(hint)
    if typing.get_origin(hint) is tuple:
        inner, none = _without_none(typing.get_args(hint)[0])
        name = _SCALARS[inner][0] + (" or none" if none else "")
        return f"list of {name}"
    return _SCALARS[hint][0]
