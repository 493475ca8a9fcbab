"""`donate_argnums`, `donate_argnames`: arguments that the caller gives up, so that their memory is free for results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from sable.core.array import Array
from sable.core.tracing import function_name, signature_of
from sable.errors import JaxRuntimeError
from sable.ir.aval import Aval
from sable.ir.function import Function
from sable.ir.location import user_line
from sable.tree_util import tree_flatten

from .static_arguments import StaticArguments, as_tuple, check_names, check_signature


class Donation:
    """The arguments of one jitted function that are donated.

    Raises:
      ValueError: an argument that the function does not have, or a static one.
    """

    def __init__(self, fun: Callable, argnums: Any, argnames: Any, static: StaticArguments):
        self._static = static
        self._nums = as_tuple(argnums, int, "donate_argnums")
        self._names = as_tuple(argnames, str, "donate_argnames")
        self.any = bool(self._nums or self._names)
        if self.any:
            self._complete(fun)

    def _complete(self, fun: Callable) -> None:
        """Arguments that can be given by position and by name are known by both."""
        signature = signature_of(fun)
        check_signature(signature, self._names, "donate", fun)
        parameters = list(signature.parameters.values()) if signature else []
        positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        open_ended = not parameters or any(p.kind is p.VAR_POSITIONAL for p in parameters)
        if not open_ended and any(not -len(positional) <= i < len(positional) for i in self._nums):
            raise ValueError(
                f"Jitted function has donate_argnums={self._nums}, but only accepts {len(positional)} positional arguments."
            )
        if parameters:
            check_names(parameters, self._names, "donate_argnames", fun)
        named = {positional[i] for i in self._nums if -len(positional) <= i < len(positional)} | set(self._names)
        static = {positional[i] for i in self._static.argnums if -len(positional) <= i < len(positional)}
        both = named & (static | set(self._static.argnames))
        if both:
            raise ValueError(
                f"static_argnames and donate_argnames cannot intersect. Argument names {both} of {function_name(fun)} appear "
                "in both static_argnames and donate_argnames"
            )
        self._names = tuple(sorted(named))
        self._nums = tuple({*self._nums, *[positional.index(n) for n in named if n in positional]})

    @property
    def key(self) -> tuple:
        """What tells it from another donation of the same function."""
        return self._nums, self._names

    def leaves(self, args: tuple, kwargs: dict) -> list[int]:
        """Numbers of the donated leaves among those of the dynamic arguments of a call."""
        n = len(args)
        fixed = {i % n for i in self._static.argnums if -n <= i < n}
        given = {i % n for i in self._nums if -n <= i < n}
        marks = [(x, i in given) for i, x in enumerate(args) if i not in fixed]
        marks += [(kwargs[k], k in self._names) for k in sorted(kwargs) if k not in self._static.argnames]
        found: list[int] = []
        count = 0
        for x, donated in marks:
            size = len(tree_flatten(x)[0])
            found += range(count, count + size) if donated else ()
            count += size
        return found

    def usable(self, function: Function, donated: Sequence[int]) -> list[int]:
        """Those of the donated leaves whose memory a result can have: one of as many bytes. Warns of the others."""
        used = {v for node in function.nodes() for v in node.operands} | set(function.outputs)
        sizes = [_bytes(a) for a in function.out_avals]
        kept, useless = [], []
        for i in donated:
            a = function.in_avals[i]
            if function.arguments[i] not in used:
                continue
            if _bytes(a) in sizes:
                sizes.remove(_bytes(a))
                kept.append(i)
            else:
                useless.append(a.short())
        if useless:
            warnings.warn(
                f"Some donated buffers were not usable: {', '.join(useless)}.\nA donated argument is of use where a result "
                "has as many bytes.",
                UserWarning,
                stacklevel=4,
            )
        return kept


def _bytes(a: Aval) -> int:
    return a.size * a.dtype.itemsize


def check_once(leaves: Sequence[Any], donated: Sequence[int], name: str) -> None:
    """Raise JaxRuntimeError where an array that is donated is an argument twice.

    Args:
      name: of the function, for the message.
    """
    given = {id(leaves[i]): i for i in donated if type(leaves[i]) is Array}
    for k, x in enumerate(leaves):
        first = given.get(id(x), k) if type(x) is Array else k
        if first == k:
            continue
        what = (
            "Attempt to donate the same buffer twice in Execute()"
            if k in donated
            else "Attempt to use a buffer that was previously donated in the same call to Execute()"
        )
        raise JaxRuntimeError(
            f"INVALID_ARGUMENT: {what} (flattened arguments {k} and {first}): the call of {name} at {user_line()}.\n"
            "Pass a copy, x.copy(), or do not donate it (donate_argnums, donate_argnames)."
        )


def delete_donated(leaves: Sequence[Any], donated: Sequence[int]) -> None:
    """Delete the arrays among donated arguments, after the call."""
    for i in donated:
        if type(leaves[i]) is Array:
            leaves[i].delete()


__all__ = ["Donation", "check_once", "delete_donated"]
