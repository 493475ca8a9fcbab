"""From a user's Python function to a `Function`: names for messages, pytrees, captures."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sable import tree_util
from sable._config import config
from sable.core import key_reuse
from sable.core.array import Array, Value
from sable.core.leaks import check_leaks
from sable.core.trace import Trace, Tracer, tracing
from sable.core.values import as_value, is_array_like
from sable.ir.aval import Aval
from sable.ir.function import Function
from sable.pytree import arrays

from .float0 import into_structure
from .references import AbstractRef, Ref, argument_ref, present


def function_name(fun: Callable) -> str:
    """The name of a function, of the function inside a partial, of a callable object's class."""
    while isinstance(fun, functools.partial):
        fun = fun.func
    return getattr(fun, "__name__", None) or type(fun).__name__


def function_place(fun: Callable) -> str:
    """`file.py:12` where the function was defined; empty if unknown."""
    inner = inspect.unwrap(fun) if hasattr(fun, "__wrapped__") else fun
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner = getattr(inner, "__func__", inner)
    code = getattr(inner, "__code__", None)
    if code is None and callable(inner):
        code = getattr(type(inner).__call__, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else ""


def signature_of(fun: Callable) -> inspect.Signature | None:
    """The signature, or None for callables without one (some builtins)."""
    try:
        return inspect.signature(fun)
    except (TypeError, ValueError):
        return None


def argument_names(fun: Callable, args: Sequence[Any], kwargs: dict | None = None) -> list[str]:
    """A name for each leaf of (args, kwargs): `x`, `params['w'][0]`, `args[2]`."""
    names = _positional_names(fun, len(args))
    found = []
    for name, tree in [*zip(names, args), *sorted((kwargs or {}).items())]:
        for path, _ in tree_util.tree_flatten_with_path(tree)[0]:
            found.append(name + tree_util.keystr(path))
    return found


def _positional_names(fun: Callable, n: int) -> list[str]:
    signature = signature_of(fun)
    names: list[str] = []
    for p in signature.parameters.values() if signature else ():
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            names.append(p.name)
        elif p.kind is p.VAR_POSITIONAL:
            names += [f"{p.name}[{i}]" for i in range(n - len(names))]
            break
    return (names + [f"args[{i}]" for i in range(len(names), n)])[:n]


class Traced(NamedTuple):
    """A traced function.

    Attributes:
      function: closed; its own arguments first, then the captured ones.
      captures: values for the captured arguments.
      out_tree: structure of the result, down to arrays (see `pytree.arrays`).
      trace: the (finished) trace, with the values that are known; None where it is not needed any more.
      written: what the function's last results are to be written to: references, or numbers of arguments that are some.
    """

    function: Function
    captures: list[Any]
    out_tree: Any
    trace: Trace | None
    written: tuple[Ref | int, ...] = ()

    @property
    def out_avals(self) -> list[Aval]:
        """Abstract values of the results' leaves."""
        return self.function.out_avals[: len(self.function.out_avals) - len(self.written)]

    @property
    def touches(self) -> bool:
        """Whether the function reads or writes references that were there before it."""
        return bool(self.written) or any(type(x) is Ref for x in self.captures)

    def settled(self, outs: Sequence[Value], leaves: Sequence[Any] = ()) -> Sequence[Value]:
        """Write to references what a call has given for them; returns the results' leaves.

        Args:
          outs: all results.
          leaves: the arguments, between which there may be references.
        """
        n = len(outs) - len(self.written)
        for place, x in zip(self.written, outs[n:]):
            (leaves[place] if isinstance(place, int) else place).write(x)
        return outs[:n]


def trace_flat(
    call: Callable[[list[Tracer]], Any],
    avals: Sequence[Aval | AbstractRef],
    *,
    fun: Callable,
    kind: str,
    staged: bool,
    names: Callable[[], list[str]] | Sequence[str] = (),
    known: Sequence[Value] | None = None,
    axis: tuple[str, int] | None = None,
    opaque: bool = False,
    references: bool = False,
) -> Traced:
    """Trace `call`, which takes one tracer an aval, a reference for the type of one, and returns a pytree.

    Args:
      references: whether the caller knows of references among captures, and writes back (`Traced.settled`). Others get
        what they hold now, and functions that write to them are refused.
      fun: the user's function behind `call`, for messages.
      kind: the transformation, for messages.
      staged: see `Trace`.
      names: names of the arguments (or a function that finds them), for messages.
      known: in an unstaged trace, the values of the arguments.
      axis: name and size of the axis along which this is one example.
      opaque: see `Trace`.

    Raises:
      TypeError: the function returns something that is no array.
      ValueError: it returns a reference.
      NotImplementedError: it writes to a reference, where the caller does not take this.
    """
    types, avals = avals, [a.inner_aval if isinstance(a, AbstractRef) else a for a in avals]
    trace = Trace(avals, staged, function_name(fun), kind, function_place(fun))
    trace.argument_names = _LazyNames(names) if callable(names) else list(names)  # type: ignore[assignment]
    trace.axis, trace.opaque = axis, opaque
    arguments = list(trace.function.arguments)
    if known is not None:
        for v, x in zip(arguments, known):
            trace._note(v, x)
    tracers = [Tracer(a, v, trace) for a, v in zip(avals, arguments)]
    refs = {i: argument_ref(tracers[i], a) for i, a in enumerate(types) if isinstance(a, AbstractRef)}
    given = [refs.get(i, t) for i, t in enumerate(tracers)] if refs else tracers
    with tracing(trace), key_reuse.noting(kind, trace.name, tracers) as note:
        result = call(given)
        leaves, tree = into_structure(*arrays.flatten(result))
        outs = [_output(x, result, fun, kind) for x in leaves]
        changed = {i: r.read() for i, r in refs.items() if r.read() is not tracers[i]}
        function = trace.finish([*outs, *changed.values(), *[trace.journal[r] for r in trace.written]])
        note(function, outs)
    written = (*changed, *trace.written)
    if not references:
        if written:
            raise NotImplementedError(
                f"{kind} of {function_name(fun)} at {function_place(fun)}: it writes to a mutable array reference that was made "
                "outside of it. Make it inside, or return what is to be written."
            )
        trace.captures = present(trace.captures)
    if config.jax_check_tracer_leaks:
        del tracers, given, refs, changed, result, leaves, outs, note
        trace.journal.clear()
        check_leaks(trace)
    if len(trace.captures) and known is not None:
        trace.knowable = {v for v in trace.knowable if v not in trace.known}
    return Traced(function, trace.captures, tree, trace, written)


class _LazyNames:
    """Argument names, looked up only when a message needs them."""

    def __init__(self, make: Callable[[], list[str]]):
        self.make = make

    def _all(self) -> list[str]:
        return self.make()

    def __len__(self) -> int:
        return len(self._all())

    def __getitem__(self, i: int) -> str:
        return self._all()[i]


def _output(x: Any, result: Any, fun: Callable, kind: str) -> Value:
    if type(x) is Tracer or type(x) is Array:
        return x
    if is_array_like(x):
        return as_value(x)
    if type(x) is Ref:
        raise ValueError(
            f"function {function_name(fun)} at {function_place(fun)} traced for {kind} returned a mutable array reference of "
            f"type {x.aval}, but mutable array references cannot be returned. Return its value, `ref[...]`."
        )
    path = next((tree_util.keystr(p) for p, leaf in tree_util.tree_flatten_with_path(result)[0] if leaf is x), "")
    where = f" at output component {path}" if path else ""
    if kind == "vmap":
        raise TypeError(f"Output from batched function {function_name(fun)}{where}, {x!r}, is not a valid JAX type")
    raise TypeError(
        f"function {function_name(fun)} at {function_place(fun)} traced for {kind} returned a value of type "
        f"{type(x)}{where}, which is not a valid JAX type"
    )
