"""Functions that only move elements, on arrays whose elements are several words: typed random keys."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sable.core.bind import BIND
from sable.core.values import as_value

from .program import WRAPPERS


def by_words(function: Callable, moved: Sequence[str]) -> Callable:
    """A function that moves elements, on wrapped arrays too: it is applied to each word of their elements.

    Args:
      function: of arrays; it must not look at the elements of those that it moves.
      moved: names of the parameters whose elements are moved.

    Raises:
      ValueError: some of these are wrapped and others are not.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found = _wrapper(args) or (_wrapper(kwargs.values()) if kwargs else None)
        if found is None:
            return function(*args, **kwargs)
        kind, keys = found
        bound = signature.bind(*args, **kwargs)
        given = {name: bound.arguments[name] for name in moved if name in bound.arguments}
        if not all(type(x) is kind for value in given.values() for x in _parts(value)):
            raise ValueError(f"dtype={keys.dtype} is not a valid dtype for JAX type promotion.")
        words = as_value(getattr(keys, WRAPPERS[kind])).aval.shape[-1]
        results = []
        for k in range(words):
            bound.arguments.update({name: _word(value, k) for name, value in given.items()})
            results.append(function(*bound.args, **bound.kwargs))
        return kind(join_words(results))

    return wrapped


def _parts(x: Any) -> Sequence[Any]:
    return x if isinstance(x, (list, tuple)) else (x,)


def _wrapper(values: Iterable[Any]) -> tuple[type, Any] | None:
    """The first wrapped array among arguments, and its class."""
    for x in values:
        kind = type(x)
        if kind in WRAPPERS:
            return kind, x
        if kind is list or kind is tuple:
            found = _wrapper(x)
            if found is not None:
                return found
    return None


def _word(x: Any, k: int) -> Any:
    if isinstance(x, (list, tuple)):
        return [word_of(v, k) for v in x]
    return word_of(x, k)


def word_of(x: Any, k: int) -> Any:
    """Word k of every element of a wrapped array."""
    words = as_value(getattr(x, WRAPPERS[type(x)]))
    *shape, _ = words.aval.shape
    starts, limits = (*[0] * len(shape), k), (*shape, k + 1)
    part = BIND.slice(words, start_indices=starts, limit_indices=limits, strides=(1,) * len(limits))
    return BIND.reshape(part, shape=tuple(shape))


def join_words(parts: Sequence[Any]) -> Any:
    """Words of elements as a new last dimension."""
    values = [BIND.reshape(as_value(p), shape=(*p.shape, 1)) for p in parts]
    return BIND.concatenate(*values, dimension=len(parts[0].shape))


__all__ = ["by_words", "join_words", "word_of"]
