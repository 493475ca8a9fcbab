"""Functions that only move elements, on arrays whose elements are several words: typed random keys."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sable.core.bind import BIND
from sable.core.dtypes import ExtendedDType, user_dtype
from sable.core.operands import logical
from sable.core.values import as_value
from sable.pytree.arrays import WRAPPERS

#: Makes a result of a function's results for each word, given the class of wrappers.
Join = Callable[[type, list], Any]


def by_words(
    function: Callable, name: str, moved: Sequence[str], filled: Sequence[str] = (), join: Join | None = None
) -> Callable:
    """A function that moves elements, on wrapped arrays too: it is applied to each word of their elements.

    Its parameter `dtype`, if it has one, may be the dtype of wrapped arrays.

    Args:
      function: of arrays; it must not look at the elements of those that it moves.
      name: of the function, for messages.
      moved: names of the parameters whose elements are moved.
      filled: names of parameters whose elements are moved too, which may be numbers: each word is that number.
      join: by default its results, arrays or sequences of these, are wrapped.

    Raises:
      ValueError: some of these are wrapped and others are not (TypeError with `join`: there elements are compared).
    """
    signature = inspect.signature(function)
    join = join or _wrapped

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not (_is_wrapped(args) or (kwargs and _is_wrapped(kwargs.values()))):
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        arguments = bound.arguments
        moving = {k: arguments[k] for k in (*moved, *filled) if arguments.get(k) is not None}
        parts = [x for k, value in moving.items() if k in moved or type(value) in WRAPPERS for x in _parts(value)]
        dtype = _dtype(parts, arguments.get("dtype"))
        if dtype is None:  # what is wrapped is not to be moved, of which the function has a message
            return function(*args, **kwargs)
        if not all(type(x) is dtype.wrapper for x in parts):
            raise _mixed(name, dtype, parts, join)
        if arguments.get("dtype") is not None:
            arguments["dtype"] = dtype.word_dtype
        results = []
        for k in range(dtype.words):
            arguments.update({parameter: _word(value, k) for parameter, value in moving.items()})
            results.append(function(*bound.args, **bound.kwargs))
        return join(dtype.wrapper, results)

    return wrapped


def _wrapped(wrapper: type, results: list) -> Any:
    """The words of the results, or of those in sequences, put together."""
    if isinstance(results[0], (list, tuple)):
        return type(results[0])([_wrapped(wrapper, list(words)) for words in zip(*results)])
    return wrapper(join_words(results))


def all_words(_: type, results: list) -> Any:
    """For functions that compare: true where it is for all words."""
    return functools.reduce(lambda x, y: logical("and", x, y), results)


def any_words(_: type, results: list) -> Any:
    """True where it is for a word."""
    return functools.reduce(lambda x, y: logical("or", x, y), results)


def _is_wrapped(values: Iterable[Any]) -> bool:
    """Whether a wrapped array is among arguments, or the dtype of one."""
    for x in values:
        kind = type(x)
        if kind in WRAPPERS or isinstance(x, ExtendedDType):
            return True
        if (kind is list or kind is tuple) and _is_wrapped(x):
            return True
    return False


def _parts(x: Any) -> list[Any]:
    """The elements of nested sequences."""
    return [y for part in x for y in _parts(part)] if isinstance(x, (list, tuple)) else [x]


def _dtype(parts: Sequence[Any], wanted: Any) -> ExtendedDType | None:
    """The dtype of the words' wrapper, of wrapped arrays or as it is asked for.

    Raises:
      ValueError: these are not the same.
    """
    found = next((x.dtype for x in parts if type(x) in WRAPPERS), None)
    if found is None:
        dtype = wanted if isinstance(wanted, ExtendedDType) else None
    elif wanted is None or wanted == found:
        dtype = found
    else:
        refuse_conversion(found, wanted)
    if dtype is not None and found is None and parts:
        refuse_conversion(as_value(parts[0]).aval.dtype, dtype)
    return dtype


def refuse_conversion(old: Any, new: Any) -> None:
    """Raise the ValueError that dtypes that are not NumPy's are converted to none and none to them."""
    raise ValueError(f"Cannot convert_element_type from {old.name} to {user_dtype(new).name}")


def _mixed(name: str, dtype: ExtendedDType, parts: Sequence[Any], join: Join) -> Exception:
    if join is _wrapped:
        return ValueError(f"dtype={dtype.name} is not a valid dtype for JAX type promotion.")
    names = [x.dtype.name if type(x) in WRAPPERS else as_value(x).aval.dtype.name for x in parts]
    return TypeError(f"{name} does not accept dtypes {', '.join(names)}.")


def _word(x: Any, k: int) -> Any:
    if isinstance(x, (list, tuple)):
        return type(x)([_word(v, k) for v in x])
    return word_of(x, k) if type(x) in WRAPPERS else x


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


__all__ = ["all_words", "any_words", "by_words", "join_words", "refuse_conversion", "word_of"]
