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
import textwrap
import types
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar, overload

import numpy as np

from sable._config import config
from sable.core.array import Array
from sable.core.operands import array_arguments, promote_dtypes
from sable.core.state import STATE
from sable.core.watch import as_whole
from sable.pytree import arrays
from sable.pytree import registry as pytree
from sable.pytree.arrays import WRAPPERS

from .native_plan import write_plan
from .program import Call, Unplannable, is_operand_scalar, program_of
from .python_plan import PythonPlan
from .words import by_words

F = TypeVar("F", bound=Callable)

_LOGGER = logging.getLogger("sable.library")

#: calls of one signature before a plan is made: tracing costs as much as some twenty calls
_CALLS = 3
#: signatures of one function under one configuration that are remembered, at most
_SIZE = 2048

#: elements of results up to which a new plan's are compared with the function's own
_COMPARED = 65536
#: parts of a signature, at most: long lists of numbers are no arguments to look anything up by
_PARTS = 256

#: the reason why a function has no plan that asks for values in a way that its trace does not notice: a fault
DIFFERENT_RESULT = "traced, it gives something else than with known values"

#: declared functions by module and name
FUNCTIONS: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()
#: why calls of a function could not be planned, by the function's full name
_REASONS: dict[str, set[str]] = {}


def reasons() -> dict[str, set[str]]:
    """Why calls could not be planned so far, by the functions' full names."""
    return {name: set(found) for name, found in _REASONS.items()}


def full_name(function: Any) -> str:
    """`sable.numpy.add`."""
    return f"{function.__module__}.{function.__qualname__}"


def wrapper_type(cls: type, attribute: str, wrap: Callable[[Any], Any]) -> None:
    """Let transformations and declared functions take apart instances of a class that holds one array, in a slot.

    Args:
      cls, attribute, wrap: see `pytree.arrays.register_wrapper`.
    """
    arrays.register_wrapper(cls, attribute, wrap)
    if pytree.native:
        pytree.implementation.library_wrapper(cls, attribute)


def explain(declared: Any, *args: Any, **kwargs: Any) -> str | None:
    """Why calls of a declared function with such arguments have no plan; None where they have one."""
    try:
        _signature(args, kwargs, declared.__operands__)
        _plan(declared, args, kwargs, declared.__wrapped__(*args, **kwargs))
    except (_NoSignature, Unplannable) as why:
        return str(why)
    return None


def _plan(declared: Any, args: Sequence[Any], kwargs: dict[str, Any], made: Any) -> Any:
    """A plan for a call whose result, by the function itself, is `made`.

    Raises:
      Unplannable: there can be none, or it would give something else.
    """
    function = declared.__wrapped__
    names = declared.__operands__
    call = Call(function, args, kwargs, lambda k: k in names)
    program = program_of(call, function.__name__)
    plan = write_plan(program) if pytree.native else PythonPlan(program)
    if not _equal(made, plan.run(call.leaves())):
        raise Unplannable(DIFFERENT_RESULT)
    return plan


def _equal(made: Any, other: Any) -> bool:
    """Whether two results have the same structure, abstract values and (large ones apart) bits."""
    (xs, tree), (ys, other_tree) = arrays.flatten(made), arrays.flatten(other)
    return tree == other_tree and all(x.aval is y.aval and _same_bits(x, y) for x, y in zip(xs, ys))


def _same_bits(x: Array, y: Array) -> bool:
    if x is y or x.size > _COMPARED:
        return True
    a, b = x.numpy(), y.numpy()
    return a.tobytes() == b.tobytes() or bool(np.all((a == b) | ((a != a) & (b != b))))


def _make_plan(declared: Any, args: Sequence[Any], kwargs: dict[str, Any], made: Any) -> Any:
    """A plan for a call that gave `made`; None where there can be none."""
    try:
        return _plan(declared, args, kwargs, made)
    except Unplannable as why:
        name = full_name(declared)
        _REASONS.setdefault(name, set()).add(str(why))
        _LOGGER.debug("%s has no plan: %s", name, why)
        return None


@overload
def library(function: F, /) -> F: ...


@overload
def library(
    *,
    operands: Sequence[str] = ...,
    promotion: str | None = ...,
    name: str | None = ...,
    text: str | None = ...,
    called: str | None = ...,
    moves: Sequence[str] = ...,
    fills: Sequence[str] = ...,
    join: Callable | None = ...,
) -> Callable[[F], F]: ...


def library(
    function: Any = None,
    /,
    *,
    operands: Sequence[str] = (),
    promotion: str | None = None,
    name: str | None = None,
    text: str | None = None,
    called: str | None = None,
    example: str | None = None,
    moves: Sequence[str] | None = None,
    fills: Sequence[str] = (),
    join: Callable | None = None,
) -> Any:
    """Declare a library function.

    Its arguments may be arrays, also in lists and tuples; all others (axes, dtypes, flags) are static: their values are
    a part of what a plan is looked up by. The docstring names NumPy's function of that name, if `sable.numpy` has it.

    Args:
      function: made of ops, without effects. Where it does something else if a value is known, it asks `concrete`.
      operands: names of parameters for which a Python scalar stands for an array: plans hold for all its values.
      promotion: the function gets its operands as values of the dtype in which they meet, changed by that rule
        (`sable.core.operands.RULES`).
      name, text, example: of a function made by another one, its name, docstring, and the docstring's example.
      called: what errors about the operands call it, by default its name.
      moves, fills, join: names of parameters whose elements the function only moves: these may be arrays of typed keys;
        see `words.by_words`. None: it takes none.

    Returns:
      A callable with the function's name, docstring and signature.
    """
    if function is None:
        whole = text if text is None or example is None else with_example(text, example)
        options = {"operands": tuple(operands), "promotion": promotion, "name": name, "text": whole, "called": called}
        words = None if moves is None else (tuple(moves), tuple(fills), join)
        return lambda f: _declare(f, words=words, **options)
    return _declare(function, (), None, None, None, None)


def _declare(
    function: Callable,
    operands: tuple[str, ...],
    promotion: str | None,
    name: str | None,
    text: str | None,
    called: str | None,
    words: tuple | None = None,
) -> Any:
    if name is not None:
        function.__name__ = function.__qualname__ = name
    function.__doc__ = _with_counterpart(function.__module__, function.__qualname__, text or function.__doc__ or "")
    positional = [parameter in operands for parameter in _positional(function)]
    if promotion is not None:
        function = _promoting(function, operands, promotion, called or function.__name__)
    if words is not None:
        function = by_words(function, function.__name__, *words)
    declared = LibraryFunction(function, (tuple(positional), operands))
    looks_like(declared, function, (*(i for i, is_one in enumerate(positional) if is_one), *operands))
    return registered(declared)


def _positional(function: Callable) -> tuple[str, ...]:
    """Names of the parameters that may be given by position. `inspect.signature` takes 40 us, a tenth of the import."""
    code = inspect.unwrap(function).__code__
    return code.co_varnames[: code.co_argcount]


def looks_like(declared: Any, function: Callable, operands: Iterable[int | str]) -> None:
    """Give a declared function the name and text of what it calls; `operands` are as of `library`, and their positions."""
    functools.update_wrapper(declared, function)
    declared.__operands__ = frozenset(operands)


def registered(declared: Any) -> Any:
    """The declared function, listed in `FUNCTIONS`."""
    FUNCTIONS[full_name(declared)] = declared
    return declared


#: where in NumPy the functions of a module of `sable.numpy` are, if not in `numpy` itself
_PARTS_OF_NUMPY = {"linalg": "linalg.", "spectral": "linalg.", "linear_systems": "linalg.", "fft": "fft."}


def with_example(text: str, example: str) -> str:
    """A docstring with an example, of which a table has the lines without their indentation."""
    return f"{inspect.cleandoc(text)}\n\nExample:\n{textwrap.indent(example, '  ')}\n"


def _with_counterpart(module: str, name: str, text: str) -> str:
    """A docstring that names NumPy's function of the same name."""
    if module.split(".")[:2] != ["sable", "numpy"]:
        return text
    inner = _PARTS_OF_NUMPY.get(module.rpartition(".")[2], "")
    if not hasattr(getattr(np, inner[:-1]) if inner else np, name):
        return text
    body = text.rstrip()
    indent = text[len(body) :].rpartition("\n")[2]  # cleaning all texts would take 3 ms of the import
    return f"{body}\n\n{indent}NumPy's counterpart: `numpy.{inner}{name}`.\n{indent}"


def _promoting(function: Callable, operands: tuple[str, ...], rule: str, called: str) -> Callable:
    count = len(operands)
    come_first = _positional(function)[:count] == operands

    def values(xs: Sequence[Any]) -> list[Any]:
        return promote_dtypes(array_arguments(called, *xs), rule)

    @functools.wraps(function)
    def promoted(*args: Any, **kwargs: Any) -> Any:
        if come_first and len(args) >= count:
            return function(*values(args[:count]), *args[count:], **kwargs)
        try:
            bound = inspect.signature(function).bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # which raises, with the function's name
        bound.apply_defaults()
        bound.arguments.update(zip(operands, values([bound.arguments[k] for k in operands])))
        return function(*bound.args, **bound.kwargs)

    return promoted


# ---- signatures, and calls without the native module ------------------------------------------------------------


class _NoSignature(Exception):
    """A call has to go the general way; the message says why."""


def _signature(args: Sequence[Any], kwargs: dict[str, Any], operands: frozenset) -> tuple:
    """What decides the plan of a call, and its leaves.

    Raises:
      _NoSignature: the call has to go the general way.
    """
    leaves: list[Any] = []
    key = [_part(x, i in operands, leaves) for i, x in enumerate(args)]
    key += [(name, _part(x, name in operands, leaves)) for name, x in kwargs.items()]
    if not any(type(x) is Array for x in leaves):
        raise _NoSignature("no array is among the arguments")
    return tuple(key), leaves


def _part(x: Any, operand: bool, leaves: list[Any]) -> Any:
    kind = type(x)
    if kind is Array:
        if x._device is not None or x.committed:
            raise _NoSignature("an array is bound to a device")
        leaves.append(x)
        return x.aval
    if operand and is_operand_scalar(x):
        leaves.append(x)
        return kind, kind is int and x < 0
    if kind in (bool, int, str, type(None), type(Ellipsis)):
        return kind, x
    if kind in (float, complex):
        return kind, repr(x)  # 0.0 is not -0.0
    if (kind is tuple or kind is list) and len(x) <= _PARTS:
        return (kind, *[_part(y, False, leaves) for y in x])
    if kind is slice and all(type(y) is int or y is None for y in (x.start, x.stop, x.step)):
        return kind, x.start, x.stop, x.step
    if kind in WRAPPERS:
        return kind, _part(getattr(x, WRAPPERS[kind]), False, leaves)
    if isinstance(x, (type, np.dtype, enum.Enum)):
        return id(x), x
    raise _NoSignature(f"an argument of type {kind.__name__} is neither an array nor static")


class _PythonFunction:
    """`LibraryFunction` of the native module, in Python."""

    def __new__(cls, function: Callable, operands: tuple) -> Any:
        self = super().__new__(cls)
        self._function, self._tables = function, {}
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        function = self._function
        if STATE.staged is not None:
            return function(*args, **kwargs)
        try:
            key, leaves = _signature(args, kwargs, self.__operands__)
        except _NoSignature:
            return function(*args, **kwargs)
        if config.eager_key is None:
            return as_whole(function, args, kwargs)
        table = self._tables.setdefault(config.eager_key, {})
        found = table.get(key, 0)
        if isinstance(found, PythonPlan):
            return found.run(leaves)
        made = function(*args, **kwargs)
        if found is not None:
            if len(table) > _SIZE:
                table.clear()
            table[key] = found + 1 if found + 1 < _CALLS else _make_plan(self, args, kwargs, made)
        return made

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<library function {full_name(self)}>"

    def __reduce__(self) -> str:
        return self.__qualname__  # type: ignore[attr-defined]

    def plan_counts(self) -> tuple[int, int]:
        """(plans, signatures that will have none)."""
        found = [x for t in self._tables.values() for x in t.values()]
        return sum(isinstance(x, PythonPlan) for x in found), sum(x is None for x in found)

    def clear_plans(self) -> None:
        """Forget all plans."""
        self._tables.clear()


#: the class of declared functions; made of a function and its operands: truth values by position, and names
LibraryFunction: Any = pytree.implementation.LibraryFunction if pytree.native else _PythonFunction

if pytree.native:
    pytree.implementation.library_set_up(Array, STATE, config, enum.Enum, _make_plan, as_whole)
