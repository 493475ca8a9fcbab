"""`library`: the decorator of every public function of numpy, lax, nn, random and scipy.

A declared function is an ordinary function of ops. Outside of traces, its third call with arguments of the same abstract
values is traced and made a *plan*: the straight line of inner loops that the call comes down to, without type
rules, promotion and arrays in between. From then on such calls look the plan up and run it, in the native module.
What cannot be planned goes on as it is, and says why (logger `sable.library`, level DEBUG; `reasons()`).
"""

from __future__ import annotations

import enum
import functools
import inspect
import logging
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from sable._config import config
from sable.core.array import Array
from sable.core.state import STATE
from sable.core.watch import as_whole
from sable.pytree import registry as pytree

from .native_plan import write_plan
from .program import WRAPPERS, Call, Unplannable, is_operand_scalar, program_of
from .python_plan import PythonPlan

F = TypeVar("F", bound=Callable)

_LOGGER = logging.getLogger("sable.library")

#: calls of one signature before a plan is made: tracing costs as much as some twenty calls
_CALLS = 3
#: signatures of one function under one configuration that are remembered, at most
_SIZE = 2048

#: declared functions by module and name
FUNCTIONS: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
#: why calls of a function could not be planned, by the function's full name
_REASONS: dict[str, set[str]] = {}
#: classes whose instances are known by their identity: enumerations, as they come up in arguments
_PLAIN_TYPES: set[type] = set()


def reasons() -> dict[str, set[str]]:
    """Why calls could not be planned so far, by the functions' full names."""
    return {name: set(found) for name, found in _REASONS.items()}


def full_name(function: Any) -> str:
    """`sable.numpy.add`."""
    return f"{function.__module__}.{function.__qualname__}"


def wrapper_type(cls: type, attribute: str) -> None:
    """Let declared functions take apart instances of a class that holds one array, in a slot."""
    WRAPPERS[cls] = attribute
    if pytree.native:
        pytree.implementation.library_wrapper(cls, attribute)


def _make_plan(declared: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A plan for a call that went well before; None where there can be none."""
    function = declared.__wrapped__
    names = declared.__operands__
    call = Call(function, args, kwargs, lambda k: k in names)
    try:
        program = program_of(call, function.__name__)
        return write_plan(program) if pytree.native else PythonPlan(program)
    except Unplannable as why:
        name = full_name(declared)
        _REASONS.setdefault(name, set()).add(str(why))
        _LOGGER.debug("%s has no plan: %s", name, why)
        return None


@overload
def library(function: F, /) -> F: ...


@overload
def library(*, operands: Sequence[str] = ...) -> Callable[[F], F]: ...


def library(function: Any = None, /, *, operands: Sequence[str] = ()) -> Any:
    """Declare a library function.

    Its arguments may be arrays, also in lists and tuples; all others (axes, dtypes, flags) are static: their values are
    a part of what a plan is looked up by.

    Args:
      function: made of ops, without effects.
      operands: names of parameters for which a Python scalar stands for an array: plans hold for all its values.

    Returns:
      A callable with the function's name, docstring and signature.
    """
    if function is None:
        return functools.partial(_declare, operands=tuple(operands))
    return _declare(function, ())


def _declare(function: Callable, operands: tuple[str, ...]) -> Any:
    parameters = list(inspect.signature(function).parameters.values())
    positional = [p.name in operands for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if pytree.native:
        declared = pytree.implementation.LibraryFunction(function, (tuple(positional), operands))
        functools.update_wrapper(declared, function)
    else:
        declared = _python_function(function, positional, frozenset(operands))
    declared.__operands__ = frozenset((*(i for i, is_one in enumerate(positional) if is_one), *operands))
    FUNCTIONS[full_name(declared)] = declared
    return declared


# ---- without the native module -------------------------------------------------------------------------------


def _signature(args: Sequence[Any], kwargs: dict[str, Any], positional: list[bool], named: frozenset) -> tuple:
    """What decides the plan of a call, and its leaves.

    Raises:
      TypeError: the call has to go the general way.
    """
    leaves: list[Any] = []
    key = [_part(x, i < len(positional) and positional[i], leaves) for i, x in enumerate(args)]
    key += [(name, _part(x, name in named, leaves)) for name, x in kwargs.items()]
    if not any(type(x) is Array for x in leaves):
        raise TypeError
    return tuple(key), leaves


def _part(x: Any, operand: bool, leaves: list[Any]) -> Any:
    kind = type(x)
    if kind is Array:
        if x._device is not None or x.committed:
            raise TypeError
        leaves.append(x)
        return x.aval
    if operand and is_operand_scalar(x):
        leaves.append(x)
        return kind
    if kind in (bool, int, str, type(None), type(Ellipsis)):
        return kind, x
    if kind in (float, complex):
        return kind, repr(x)  # 0.0 is not -0.0
    if kind is tuple or kind is list:
        return (kind, *[_part(y, False, leaves) for y in x])
    if kind in WRAPPERS:
        return kind, _part(getattr(x, WRAPPERS[kind]), False, leaves)
    if isinstance(x, (type, np.dtype, enum.Enum)):
        return id(x), x
    raise TypeError


def _python_function(function: Callable, positional: list[bool], named: frozenset) -> Any:
    tables: dict[Any, dict[Any, Any]] = {}

    @functools.wraps(function)
    def declared(*args: Any, **kwargs: Any) -> Any:
        if STATE.staged is not None:
            return function(*args, **kwargs)
        try:
            key, leaves = _signature(args, kwargs, positional, named)
        except TypeError:
            return function(*args, **kwargs)
        if config.eager_key is None:
            return as_whole(function, args, kwargs)
        table = tables.setdefault(config.eager_key, {})
        found = table.get(key, 0)
        if isinstance(found, PythonPlan):
            return found.run(leaves)
        made = function(*args, **kwargs)
        if found is not None:
            if len(table) > _SIZE:
                table.clear()
            table[key] = found + 1 if found + 1 < _CALLS else _make_plan(declared, args, kwargs)
        return made

    declared.plan_counts = lambda: (  # type: ignore[attr-defined]
        sum(isinstance(x, PythonPlan) for t in tables.values() for x in t.values()),
        sum(x is None for t in tables.values() for x in t.values()),
    )
    declared.clear_plans = tables.clear  # type: ignore[attr-defined]
    return declared


if pytree.native:
    pytree.implementation.library_set_up(Array, STATE, config, _PLAIN_TYPES, _make_plan, as_whole)
