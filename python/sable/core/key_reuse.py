"""Which typed random keys have been used up: `jax_debug_key_reuse`.

A key is known by its words, one `Array` or `Tracer`, which keeps its identity on the way through containers. What a
traced function does with its arguments is noted on the function, so that calls of it use up the caller's keys.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sable._config import config
from sable.errors import KeyReuseError
from sable.ir.function import Function
from sable.ir.location import user_line

from .array import Array, Value
from .state import STATE
from .trace import Tracer

#: Keys used up: id of the words -> a weak reference to them, and the user's line.
_USED: dict[int, tuple[weakref.ref, str]] = {}
#: Kinds of traces whose functions run again and again.
_LOOPS = ("scan", "while_loop")
#: Kinds of traces of whose functions one is run.
_BRANCHES = ("cond", "switch")
_MEMO = "key use"


class _Use(NamedTuple):
    """What a function does with keys: numbers of the arguments it uses up, of results that are used up, keys of others."""

    arguments: tuple[int, ...]
    results: tuple[int, ...]
    outside: tuple[weakref.ref, ...]


_NO_USE = _Use((), (), ())


def is_used(words: Any) -> bool:
    """Whether the key of these words has been used up."""
    found = _USED.get(id(words))
    return found is not None and found[0]() is words


def use(words: Value, name: str) -> None:
    """Use up the key of these words.

    Args:
      name: of the function that does.

    Raises:
      KeyReuseError: it was used up before.
    """
    if not config.jax_debug_key_reuse:
        return
    if is_used(words):
        raise KeyReuseError(
            f"Previously-consumed key passed to {name} at {user_line()}.\n  It was first used at {_USED[id(words)][1]}.\n"
            "Make new keys of it, by jax.random.split, before it is used."
        )
    _mark(words)


def fresh(words: Value) -> Value:
    """The same words as those of a key that has not been used."""
    if type(words) is Tracer:
        return Tracer(words.aval, words.value, words.owner)
    assert type(words) is Array
    made = Array(words.aval, words._value, words._buffer, words._device)
    made.committed = words.committed
    return made


def forward(words: Value, made: Value) -> None:
    """Words made of others by indexing or reshaping are used up if those are."""
    if config.jax_debug_key_reuse and made is not words and is_used(words):
        _mark(made)


def _mark(words: Value) -> None:
    key = id(words)
    _USED[key] = (weakref.ref(words, lambda _: _USED.pop(key, None)), user_line())
    if STATE.used_keys is not None:
        STATE.used_keys.append(words)


@contextmanager
def noting(kind: str, name: str, arguments: Sequence[Value]) -> Iterator[Any]:
    """Note what a function does with keys while it is traced. Gives `note(function, results)`, to be called at its end.

    Raises:
      KeyReuseError: the body of a loop uses up a key from outside.
    """
    if not config.jax_debug_key_reuse:
        yield lambda function, results: None
        return
    outer, STATE.used_keys = STATE.used_keys, []
    traces = {x.owner for x in arguments if type(x) is Tracer}

    def note(function: Function, results: Sequence[Value]) -> None:
        outside = [x for x in STATE.used_keys or () if type(x) is not Tracer or x.owner not in traces]
        if kind in _LOOPS and outside:
            raise _repeated(kind, name, "a key from outside of the loop")
        if kind in _BRANCHES:  # one of several, which may use up the same keys: `branches` does it for all
            for x in outside:
                _USED.pop(id(x), None)
        function.memo[_MEMO] = _Use(
            tuple(i for i, x in enumerate(arguments) if is_used(x)),
            tuple(i for i, x in enumerate(results) if is_used(x)),
            tuple(weakref.ref(x) for x in outside),
        )

    try:
        yield note
    finally:
        found, STATE.used_keys = STATE.used_keys, outer
        if outer is not None:
            outer += found or ()


def _repeated(kind: str, name: str, what: str) -> KeyReuseError:
    return KeyReuseError(
        f"{kind} body function {name} leads to key reuse when repeatedly executed: it uses up {what}.\n  at {user_line()}\n"
        "Carry the key, and split it in each turn."
    )


def _use_of(function: Function) -> _Use:
    return function.memo.get(_MEMO, _NO_USE)


def call(function: Function, values: Sequence[Value], name: str) -> None:
    """Use up the keys that a call of a traced function uses up.

    Args:
      values: the arguments.
      name: of the function, for messages.

    Raises:
      KeyReuseError: one was used up before.
    """
    for i in _use_of(function).arguments:
        if i < len(values):
            use(values[i], name)


def branches(functions: Sequence[Function], values: Sequence[Value], name: str) -> None:
    """Use up the keys that any of several functions uses up, one of which is called; arguments as of `call`."""
    if not config.jax_debug_key_reuse:
        return
    uses = [_use_of(f) for f in functions]
    for i in sorted({i for u in uses for i in u.arguments}):
        use(values[i], name)
    outside = {id(x): x for u in uses for reference in u.outside if (x := reference()) is not None}
    for x in outside.values():
        use(x, name)


def loop(body: Function, values: Sequence[Value], carried: int, kind: str) -> None:
    """Use up the keys that a loop's body uses up of its arguments; arguments as of `call`.

    Args:
      carried: how many of the arguments are the results of the turn before.

    Raises:
      KeyReuseError: a key is carried on though it is used up.
    """
    found = _use_of(body)
    if any(i < carried and i in found.results for i in found.arguments):
        raise _repeated(kind, body.name, "a key that it carries on")
    call(body, values, kind)


def returned(function: Function, results: Sequence[Value]) -> None:
    """Mark the results of a call that are keys which were used up."""
    for i in _use_of(function).results:
        _mark(results[i])


__all__ = ["branches", "call", "forward", "fresh", "is_used", "loop", "noting", "returned", "use"]
