"""`config`: the options' values, which all threads share and a thread may override for a while."""

from __future__ import annotations

import difflib
import os
import threading
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sable._forks import new_lock

from .option import Option
from .options import OPTIONS

#: What traces depend on: options, and the values of contexts (see `contexts.py`).
_TRACED = (*(option.name for option in OPTIONS.values() if option.traced), "contexts", "shared_contexts")
_WATCHED = tuple(option for option in OPTIONS.values() if option.watched)
_read_traced = attrgetter(*_TRACED)
_read_watched = attrgetter(*(option.name for option in _WATCHED))

_ABSENT = object()
#: Held while the shared values, and the threads' keys that depend on them, change.
_LOCK = new_lock(reentrant=True)
#: The attributes of the threads that override something at the moment, by the dictionary's id.
_OVERRIDING: dict[int, dict[str, Any]] = {}
#: Called with the new value after `update`.
_LISTENERS: dict[str, Callable[[Any], None]] = {}


def _suggestion(name: str) -> str:
    """` Did you mean ...?` for a name that is close to an option's, else nothing."""
    close = difflib.get_close_matches(name, OPTIONS, n=2, cutoff=0.75)
    if not close and not name.startswith("jax_"):
        close = difflib.get_close_matches(f"jax_{name}", OPTIONS, n=2, cutoff=0.75)
    return f". Did you mean {' or '.join(close)}?" if close else ""


def parsed(name: str, value: Any, source: str) -> Any:
    """The normal form of an option's value.

    Raises:
      AttributeError: there is no such option.
      ValueError: the option does not admit the value.
    """
    option = OPTIONS.get(name)
    if option is None:
        raise AttributeError(f"Unrecognized config option: {name}{_suggestion(name)}")
    try:
        return option.parse(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"invalid value for {source}: {error}") from None


class Config(threading.local):
    """The options' values: `config.jax_debug_nans` reads, `config.update("jax_debug_nans", True)` sets.

    Assigning to an option is an AttributeError, as in JAX: a value is set for all threads by `update` or for
    a while, in this thread, by a context manager such as `enable_x64`.

    Attributes:
      contexts: pairs of a `Context` and the value that it has in this thread.
      shared_contexts: pairs of a `Context` and the value that it has where the thread says nothing.
      trace_key: the values on which traces depend, hashable: a part of every key of traced functions. Equal keys are
        one object.
      eager_key: the same; None where an option is on that each single op and call must heed (`Option.watched`). What is
        prepared for eager calls (plans, fused programs, native calls) is kept by this key, and steps aside for None.
    """

    #: Whether each op and call tells when it began and ended (`observe`).
    observed: bool = False
    contexts: tuple = ()
    shared_contexts: tuple = ()
    trace_key: tuple = ()
    eager_key: tuple | None = ()
    #: How many overrides are in force in a thread.
    _depth: int = 0

    def __reduce__(self) -> str:
        return "config"  # by name: wrapped functions that are pickled by value refer to it

    def update(self, name: str, value: Any) -> None:
        """Sets an option for all threads. Overrides by context managers stay in force while they last.

        Args:
          name: an option's name, such as "jax_enable_x64".
          value: its new value.

        Raises:
          AttributeError: there is no such option.
          ValueError: the option does not admit the value.
        """
        value = parsed(name, value, name)
        with _LOCK:
            for each in (name, *OPTIONS[name].implies):
                setattr(Config, each, value)
            if name in _PLATFORM_OPTIONS:
                Config.jax_default_device = _chosen_platform()
            _refresh_all()
        if name in _LISTENERS:
            _LISTENERS[name](value)

    def share(self, name: str, value: Any) -> None:
        """Sets a (parsed) value for all threads."""
        with _LOCK:
            setattr(Config, name, value)
            _refresh_all()

    def read(self, name: str) -> Any:
        """The value of an option by name; AttributeError where there is none."""
        if name not in OPTIONS:
            raise AttributeError(f"Unrecognized config option: {name}{_suggestion(name)}")
        return getattr(self, name)

    _read = read

    @property
    def values(self) -> dict[str, Any]:
        """All options with their values in this thread."""
        return {name: getattr(self, name) for name in OPTIONS}

    @property
    def x64_enabled(self) -> bool:
        """The same as `jax_enable_x64`."""
        return self.jax_enable_x64

    def override(self, name: str, value: Any) -> Any:
        """Sets a thread's own (parsed) value; returns what `restore` needs to undo it."""
        own = self.__dict__
        with _LOCK:
            previous = own.get(name, _ABSENT)
            own[name] = value
            own["_depth"] = self._depth + 1
            _OVERRIDING[id(own)] = own
            _refresh(own)
        return previous

    def restore(self, name: str, previous: Any) -> None:
        """Undoes an `override`."""
        own = self.__dict__
        with _LOCK:
            if previous is _ABSENT:
                del own[name]
            else:
                own[name] = previous
            own["_depth"] -= 1
            if own["_depth"]:
                _refresh(own)
            else:
                del _OVERRIDING[id(own)], own["trace_key"], own["eager_key"]

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"'Config' object attribute {name!r} cannot be assigned: use config.update({name!r}, ...)")

    if TYPE_CHECKING:
        # Not at run time: `__getattr__` more than doubles the time of a read. Python's own error for an
        # unknown name says the same, with suggestions from `__dir__`.
        def __getattr__(self, name: str) -> Any: ...

    def __dir__(self):
        return sorted({*super().__dir__(), *OPTIONS})


#: The keys that were ever in use: equal ones are one object, which comparisons find at once.
_KEYS: dict[tuple, tuple] = {}


def _keys(traced: tuple, watched: tuple) -> tuple[tuple, tuple | None]:
    """`trace_key` and `eager_key` of the traced and the watched options' values."""
    key = _KEYS.setdefault(traced, traced)
    is_plain = not Config.observed and all(option.asks_for_nothing(value) for option, value in zip(_WATCHED, watched))
    return key, key if is_plain else None


def observe(on: bool) -> None:
    """Have each op and call, of all threads, tell the listeners of `monitoring` when it began and ended."""
    with _LOCK:
        Config.observed = on
        _refresh_all()


def _refresh_all() -> None:
    """Recomputes the keys after a shared value has changed."""
    Config.trace_key, Config.eager_key = _keys(_read_traced(Config), _read_watched(Config))
    for own in _OVERRIDING.values():
        _refresh(own)


def _refresh(own: dict[str, Any]) -> None:
    """Recomputes the keys of a thread, whose overrides are `own`."""
    traced = tuple([own.get(name, getattr(Config, name)) for name in _TRACED])
    watched = tuple([own.get(option.name, getattr(Config, option.name)) for option in _WATCHED])
    own["trace_key"], own["eager_key"] = _keys(traced, watched)


#: Options that name the platforms to use; the first of them is where computations run that name no device.
_PLATFORM_OPTIONS = ("jax_platforms", "jax_platform_name")


def _chosen_platform() -> str | None:
    """The platform that the options name, if it is not the CPU, which needs no naming."""
    named = Config.jax_platforms or Config.jax_platform_name or "cpu"
    first = named.split(",")[0].strip()
    return None if first == "cpu" else first


def _environment_value(option: Option) -> Any:
    """The value that the environment gives to an option; `_ABSENT` where it gives none."""
    for variable in (f"SABLE_{option.name.removeprefix('jax_').upper()}", option.name.upper()):
        text = os.environ.get(variable, "")
        if text:
            return parsed(option.name, text, f"environment variable {variable}")
    return _ABSENT


def _load_environment() -> None:
    """Gives every option the value of the environment or its default."""
    given = {option.name: _environment_value(option) for option in OPTIONS.values()}
    given = {name: value for name, value in given.items() if value is not _ABSENT}
    implied = {each: given[o.name] for o in OPTIONS.values() if o.name in given for each in o.implies}
    for option in OPTIONS.values():
        setattr(Config, option.name, (implied | given).get(option.name, option.default))
    if Config.jax_default_device is None:
        Config.jax_default_device = _chosen_platform()
    Config.trace_key, Config.eager_key = _keys(_read_traced(Config), _read_watched(Config))


_load_environment()

#: The configuration.
config = Config()


def when_updated(name: str, listener: Callable[[Any], None]) -> None:
    """Have an option's value told now and after each `update`."""
    _LISTENERS[name] = listener
    listener(getattr(Config, name))


def differences(key: tuple, other: tuple) -> list[tuple[str, Any, Any]]:
    """The options in which two `trace_key`s differ: name, value in `key`, value in `other`."""
    return [(name, a, b) for name, a, b in zip(_TRACED, key, other) if a != b]
