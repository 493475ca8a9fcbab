"""Which arguments of a function are no arrays but part of what is traced: positions and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sable.core.tracing import function_name, signature_of


class StaticKey(tuple):
    """A key of static arguments, which says what went wrong where one of these cannot be compared."""

    __slots__ = ()
    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        try:
            return tuple.__eq__(self, other)
        except Exception as error:  # whatever a user's `__eq__` raises
            raise ValueError(
                "static arguments should be comparable using __eq__. The comparison of those of two calls, "
                f"{[kind.__name__ for kind in self[-1]]} by type, raised {type(error).__name__}: {error}"
            ) from error


class StaticArguments:
    """Which arguments are static: positions and names, each completed from the other by the signature."""

    def __init__(self, fun: Callable, argnums: Any, argnames: Any):
        signature = signature_of(fun)
        parameters = list(signature.parameters.values()) if signature else []
        self.argnums = as_tuple(argnums, int, "static_argnums")
        self.argnames = as_tuple(argnames, str, "static_argnames")
        positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        check_signature(signature, self.argnames, "static", fun)
        self._check(fun, parameters, positional, variadic)
        if argnums is None:
            self.argnums = tuple(i for i, p in enumerate(positional) if p.name in self.argnames)
        elif argnames is None:
            named = [i if i >= 0 else len(positional) + i for i in self.argnums]
            self.argnames = tuple(
                positional[i].name
                for i in named
                if 0 <= i < len(positional) and positional[i].kind is positional[i].POSITIONAL_OR_KEYWORD
            )
        self.any = bool(self.argnums or self.argnames)
        #: Positions of the dynamic and of the static arguments, by the number of positional arguments of a call.
        self._places: dict[int, tuple[list[int], list[int]]] = {}

    def _check(self, fun: Callable, parameters: list, positional: list, variadic: bool) -> None:
        if not parameters:
            return
        for i in self.argnums:
            if not variadic and not -len(positional) <= i < len(positional):
                raise ValueError(
                    f"Jitted function has static_argnums={self.argnums}, but only accepts {len(positional)} positional "
                    f"arguments: {function_name(fun)}."
                )
        check_names(parameters, self.argnames, "static_argnames", fun)

    def split(self, args: tuple, kwargs: dict) -> tuple[tuple, dict, tuple]:
        """-> the dynamic arguments, and a hashable key of the static ones.

        Raises:
          ValueError: a static argument is not hashable. The key's `__eq__` raises it where these cannot be compared.
        """
        n = len(args)
        rest, nums = self._places.get(n) or self._find_places(n)
        dynamic = tuple([args[i] for i in rest])
        fixed = tuple([(i, args[i]) for i in nums])
        left, named = kwargs, ()
        if kwargs:
            left = {k: v for k, v in kwargs.items() if k not in self.argnames}
            named = tuple(sorted((k, v) for k, v in kwargs.items() if k in self.argnames))
        # 1 == 1.0 == True: the types belong to the key
        key = StaticKey((n, fixed, named, tuple([type(v) for _, v in (*fixed, *named)])))
        try:
            hash(key)
        except TypeError as error:
            raise ValueError(self._unhashable(args, kwargs, nums, error)) from None
        return dynamic, left, key

    def _find_places(self, n: int) -> tuple[list[int], list[int]]:
        static = {i % n for i in self.argnums if -n <= i < n}
        found = self._places[n] = [i for i in range(n) if i not in static], sorted(static)
        return found

    def _unhashable(self, args: tuple, kwargs: dict, nums: list[int], error: Exception) -> str:
        for where, value in [*((i, args[i]) for i in nums), *kwargs.items()]:
            try:
                hash(value)
            except TypeError:
                place = f"position {where}" if isinstance(where, int) else f"name {where}"
                return (
                    "Non-hashable static arguments are not supported. An error occurred while trying to hash an object of "
                    f"type {type(value)} at {place}, {value}. The error was:\nTypeError: {error}\n"
                    "Give a tuple for a list; arrays are no static arguments."
                )
        return f"Non-hashable static arguments are not supported: {error}"

    def join(self, key: tuple, dynamic: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """All arguments again."""
        n, fixed, named = key[0], dict(key[1]), dict(key[2])
        rest = iter(dynamic)
        return tuple(fixed[i] if i in fixed else next(rest) for i in range(n)), {**kwargs, **named}


def check_signature(signature: Any, names: tuple[str, ...], what: str, fun: Callable) -> None:
    """Raise ValueError where arguments are known by names alone, and the function says none."""
    if signature is None and names:
        raise ValueError(
            f"Getting the signature of function {fun} failed. Pass {what}_argnums instead of {what}_argnames."
        )


def check_names(parameters: list, names: tuple[str, ...], what: str, fun: Callable) -> None:
    """Arguments that are given by name can be.

    Raises:
      ValueError: the function does not take them, or only by position.
    """
    by_name = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    rest = {p.name for p in parameters} - by_name - {p.name for p in parameters if p.kind is p.VAR_KEYWORD}
    wrong = [name for name in names if name in rest]
    if wrong:
        raise ValueError(f"Jitted function has invalid argnames {set(wrong)} in {what}. These are positional-only")
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(
            f"Jitted function has invalid argnames {set(unknown)} in {what}. Function {function_name(fun)} does not take these "
            f"args. Valid names: {sorted(by_name)}"
        )


def as_tuple(value: Any, kind: type, what: str) -> tuple:
    if value is None:
        return ()
    found = (value,) if isinstance(value, kind) else tuple(value)
    for item in found:
        if not isinstance(item, kind) and (kind is str or not hasattr(item, "__index__")):
            raise TypeError(f"{what} must be {kind.__name__} or a sequence of these, got {value!r}")
    return found
