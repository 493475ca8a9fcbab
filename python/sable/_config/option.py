"""What an option is, and how the values that it admits are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})


@dataclass(frozen=True)
class Option:
    """One configuration option.

    Attributes:
      name: as in `config.update(name, value)`.
      default: the value when nobody says otherwise.
      parse: checks a value and brings it into its normal form; raises TypeError or ValueError.
      help: what the option does here, for the docstring of its context manager and for docs/options.md.
      traced: True where the value decides what a trace contains, so that it belongs in the keys of traces.
      watched: True where a value that is not harmless must be heeded by each single eager op and call, so that
        prepared calls and eager shortcuts step aside; see `Config.plain`.
      harmless: values under which a watched option asks for nothing, beside the default.
      implies: options that take the value too.
      refusal: why other values are refused; '' for options which do something.
      accepted: the values that are not refused, where others are.
    """

    name: str
    default: Any
    parse: Callable[[Any], Any]
    help: str
    traced: bool = False
    watched: bool = False
    harmless: tuple = ()
    implies: tuple[str, ...] = ()
    refusal: str = ""
    accepted: tuple = ()

    def asks_for_nothing(self, value: Any) -> bool:
        """Whether shortcuts may ignore a watched option that has this value."""
        return value == self.default or value in self.harmless


def boolean(value: Any) -> bool:
    """The truth of a value; a string counts by its word, so that 'false' and '0' are False."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in _TRUE_WORDS:
        return True
    if word in _FALSE_WORDS:
        return False
    raise ValueError(f"expected a truth value (0, 1, true or false), got {value!r}")


def choice(*allowed: str, optional: bool = False) -> Callable[[Any], str | None]:
    """A parser that admits the words `allowed`, and None where `optional`."""
    expected = ("None or one of " if optional else "one of ") + ", ".join(map(repr, allowed))

    def parse(value: Any) -> str | None:
        if value is None and optional:
            return None
        if isinstance(value, str) and value in allowed:
            return str(value)
        raise ValueError(f"expected {expected}; got {value!r} of type {type(value).__name__}")

    return parse


def words(*allowed: str) -> Callable[[Any], str]:
    """A parser of comma-separated words, all of them among `allowed`."""

    def parse(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"expected a string, got {value!r} of type {type(value).__name__}")
        for word in filter(None, (w.strip() for w in value.split(","))):
            if word not in allowed:
                raise ValueError(f"expected a comma-separated list of {', '.join(map(repr, allowed))}; got {value!r}")
        return value

    return parse


def text(value: Any) -> str | None:
    """A string or None."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"expected a string or None, got {value!r} of type {type(value).__name__}")


def integer(value: Any) -> int:
    """An integer."""
    return int(value)


def number(value: Any) -> float:
    """A real number."""
    return float(value)


def device(value: Any) -> Any:
    """None, the name of a platform, or a device, of which this layer knows only that it has a platform."""
    if value is None or isinstance(value, str) or hasattr(value, "platform"):
        return value
    raise ValueError(
        "expected a device (such as jax.devices('cpu')[0]), the name of a platform (such as 'cpu') or None; "
        f"got {value!r}"
    )


def fixed(name: str, default: Any, reason: str, also: tuple = ()) -> Option:
    """An option that cannot apply here: its default, and values that ask for what is so anyway (`also`), are accepted.

    Args:
      reason: why other values are refused, a clause that completes 'another value is refused: ...'.
    """
    accepted = (default, *also)

    def parse(value: Any) -> Any:
        for known in accepted:
            if _means(value, known):
                return known
        shown = " or ".join(map(repr, accepted))
        raise ValueError(f"only {shown} is possible here, got {value!r}: {reason}")

    return Option(name, default, parse, f"{reason[0].upper()}{reason[1:]}.", refusal=reason, accepted=accepted)


def _means(value: Any, known: Any) -> bool:
    """Whether a value, which may be a string from the environment, is that one."""
    if isinstance(known, bool):
        return (not isinstance(value, str) and bool(value) is known) or _is_word_of(value, known)
    if isinstance(value, str):
        return value.strip().lower() == str(known).lower()
    return value == known


def _is_word_of(value: Any, known: bool) -> bool:
    return isinstance(value, str) and value.strip().lower() in (_TRUE_WORDS if known else _FALSE_WORDS)
