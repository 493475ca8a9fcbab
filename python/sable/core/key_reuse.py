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
_MEMO = "key use"


class _Use(NamedTuple):
    """What a function does with keys: numbers of the arguments it uses up, and of results that are used up."""

    arguments: tuple[int, ...]
    results: tuple[int, ...]


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
        return Tracer(words.aval, words.value, words.trace)
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

    def note(function: Function, results: Sequence[Value]) -> None:
        used = tuple(i for i, x in enumerate(arguments) if is_used(x))
        function.memo[_MEMO] = _Use(used, tuple(i for i, x in enumerate(results) if is_used(x)))
        own = {id(x) for x in arguments}
        if kind in _LOOPS and any(id(x) not in own and getattr(x, "trace", None) not in inner for x in STATE.used_keys):
            raise KeyReuseError(
                f"{kind} body function {name} leads to key reuse when repeatedly executed: it uses a key from outside of the "
                f"loop.\n  at {user_line()}\nCarry the key, and split it in each turn."
            )

    inner = {getattr(x, "trace", None) for x in arguments} - {None}
    try:
        yield note
    finally:
        found, STATE.used_keys = STATE.used_keys, outer
        if outer is not None:
            outer += found


def call(function: Function, values: Sequence[Value], name: str) -> None:
    """Use up the keys that a call of a traced function uses up.

    Args:
      values: the arguments.
      name: of the function, for messages.

    Raises:
      KeyReuseError: one was used up before.
    """
    for i in function.memo.get(_MEMO, _Use((), ())).arguments:
        if i < len(values):
            use(values[i], name)


def returned(function: Function, results: Sequence[Value]) -> None:
    """Mark the results of a call that are keys which were used up."""
    for i in function.memo.get(_MEMO, _Use((), ())).results:
        _mark(results[i])


__all__ = ["call", "forward", "fresh", "is_used", "noting", "returned", "use"]
