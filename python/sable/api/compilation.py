"""jit: trace once for each signature, compile, call."""

from __future__ import annotations

import functools
import inspect
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from sable._config import config
from sable._once import Once
from sable.core import compile_log, key_reuse, loading, placement, references, watch
from sable.core.array import Array, cpu_device
from sable.core.bind import BIND, bind
from sable.core.boundary import boundary, boundary_by_itself, leave
from sable.core.entries import ENTRIES_NAME, shared_entries
from sable.core.float0 import into_structure
from sable.core.references import AbstractRef, Ref
from sable.core.state import STATE, named_axes
from sable.core.trace import Tracer
from sable.core.tracing import Traced, argument_names, function_name, function_place, trace_flat
from sable.core.values import as_value, aval_of_value, is_array_like
from sable.dialects.ops.calls import shallow
from sable.ir.aval import Aval
from sable.ir.function import interpret
from sable.ir.op import OPS
from sable.pytree import arrays
from sable.pytree import registry as pytree

from .abstract import abstract_trace, aval_of_shaped, flatten_types, structs_of
from .cache_misses import Key, explain
from .donation import Donation, check_once, delete_donated
from .jaxpr import ClosedJaxpr
from .layouts import device_layouts
from .stages import Lowered, TracedStage
from .static_arguments import StaticArguments, as_tuple

_CALL = OPS["call"]

#: What the native look-up gives where it has no prepared call.
_MISS = object()

#: The options that say where arguments and results are to be.
_PLACES = ("device", "backend", "in_shardings", "out_shardings")

#: Signatures with a native call, after which they are prepared anew: keys of configurations that are gone pile up.
_PREPARED_SIZE = 4096


_TRACING: Once[_Entry] = Once()


def _call_cache() -> Any:
    """The native cache of prepared calls; None where the native module is missing."""
    if not pytree.native:
        return None
    return pytree.implementation.CallCache(arrays.registry, Array, _MISS, _upload)


def _upload(x: Array) -> Any:
    return placement.buffer_of(x, cpu_device())


class _Entry:
    """What the cache of a jitted function holds for one signature."""

    __slots__ = ("captures", "donated", "elsewhere", "out_tree", "single", "touches", "traced")

    def __init__(self, traced: Traced):
        self.traced = traced
        self.captures = traced.captures
        self.elsewhere: dict[Any, list] = {}
        self.out_tree = traced.out_tree
        self.single = traced.out_tree.num_leaves == 1 and traced.out_tree.num_nodes == 1
        self.donated: list[int] | None = None
        self.touches = traced.touches

    def captures_on(self, device: Any) -> list:
        """The captured arrays on a device, brought there once; like constants they follow the arguments."""
        if self.touches:
            return [placement.put(x, device, False) for x in references.present(self.captures)]
        if not self.captures:
            return []
        if device is cpu_device() and all(x._device is None for x in self.captures):
            return self.captures
        found = self.elsewhere.get(device)
        if found is None:
            found = self.elsewhere[device] = [placement.put(x, device, False) for x in self.captures]
        return found


class Jitted:
    """A function that is traced and compiled for each signature it is called with; made by `jit`.

    Args:
      fun: the function.
      static_argnums, static_argnames: arguments that are Python values.
      options: what else `jit` was given.

    Example:
      >>> isinstance(jax.jit(jnp.sin), jax.stages.Wrapped)
      True
    """

    # `functools.wraps` copies the dictionary to other functions: nothing of ours is in it
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_donation",
        "_entries",
        "_fun",
        "_layouts",
        "_options",
        "_prepared",
        "_static",
    )

    def __init__(self, fun: Callable, static_argnums: Any, static_argnames: Any, options: dict):
        functools.update_wrapper(self, fun)
        self.__dict__.pop(ENTRIES_NAME, None)
        self._fun = fun
        self._static = StaticArguments(fun, static_argnums, static_argnames)
        self._options = options
        self._donation = Donation(fun, options.get("donate_argnums"), options.get("donate_argnames"), self._static)
        self._entries = shared_entries(fun, (self._static.argnums, self._static.argnames, *self._donation.key))
        self._layouts = device_layouts(fun, *(options.get(name) for name in _PLACES))
        self._prepared = None if self._donation.any or self._layouts else _call_cache()

    def __repr__(self) -> str:
        try:
            return f"<PjitFunction of {self.__wrapped__!r}>"
        except Exception:  # whatever the function's own `__repr__` raises: messages show functions
            return "<PjitFunction>"

    @boundary_by_itself
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            prepared = self._prepared
            key = config.eager_key
            if prepared is not None and key is not None and STATE.staged is None and not STATE.axes:
                if not self._static.any:
                    found = prepared.call(args, kwargs, key)
                    if found is not _MISS:
                        return found
                elif len(prepared):
                    return self._call_static(args, kwargs, key)
            return self._slow_call(args, kwargs)
        except Exception as error:
            leave(error)
            raise

    def _call_static(self, args: tuple, kwargs: dict, key: Any) -> Any:
        """The prepared call, which the static arguments belong to."""
        dynamic, left, static = self._static.split(args, kwargs)
        found = self._prepared.call(dynamic, left, (key, static))
        return self._slow_call(args, kwargs) if found is _MISS else found

    @boundary
    def _slow_call(self, args: tuple, kwargs: dict) -> Any:
        """Look the signature up in Python; trace and compile if it is new. Results are put where they are wanted."""
        if self._layouts is None or config.jax_disable_jit:
            return self._looked_up(args, kwargs)
        return self._layouts.results(self._looked_up(args, kwargs))

    def _looked_up(self, args: tuple, kwargs: dict) -> Any:
        static: tuple | None = None
        if self._static.any:
            dynamic, left, static = self._static.split(args, kwargs)
        else:
            dynamic, left = args, kwargs
        if self._layouts is not None:
            dynamic = self._layouts.arguments(dynamic, left)
        leaves, tree = arrays.flatten_call(dynamic, left)
        try:
            avals = pytree.signature(leaves, Array, _SCALAR_AVALS, _leaf_aval)
        except (TypeError, OverflowError):
            leaves, tree = into_structure(leaves, tree)
            avals = self._checked_avals(leaves, dynamic, left)
        if config.jax_disable_jit:
            return self._fun(*args, **kwargs)
        key = _key(tree, avals, static)
        entry = self._entries.get(key) or self._maker()(key, leaves, tree, avals, static)
        if self._donation.any and STATE.staged is None and not any(type(x) is Tracer for x in leaves):
            return self._call_donating(entry, leaves, args, kwargs)
        result = self._call(entry, leaves)
        if self._prepared is not None and STATE.staged is None and not STATE.axes and config.eager_key is not None:
            self._prepare(entry, dynamic, left, static)
        return result

    def _call_donating(self, entry: _Entry, leaves: list, args: tuple, kwargs: dict) -> Any:
        """A call after which the donated arrays are gone, those whose memory is of use to results."""
        donated = self._donated(entry, args, kwargs)
        check_once(leaves, donated, function_name(self._fun))
        result = self._call(entry, leaves)
        delete_donated(leaves, donated)
        return result

    def _donated(self, entry: _Entry, args: tuple, kwargs: dict) -> list[int]:
        """Numbers of the leaves that a call deletes."""
        if entry.donated is None:
            given = self._donation.leaves(args, kwargs) if self._donation.any else []
            entry.donated = self._donation.usable(entry.traced.function, given)
        return entry.donated

    def _prepare(self, entry: _Entry, args: tuple, kwargs: dict, static: tuple | None) -> None:
        """Make the next call with this signature a native one, where all arrays are on the default CPU device."""
        device = cpu_device()
        loaded = entry.traced.function.memo.get(("loaded", device))
        captures = entry.captures
        if (
            loaded is None
            or any(type(x) is not Array or x._device is not None for x in captures)
            or entry.traced.written
        ):
            return
        if len(self._prepared) >= _PREPARED_SIZE:
            self._prepared.clear()
        self._prepared.insert(
            args,
            kwargs,
            config.eager_key if static is None else (config.eager_key, static),
            loaded.executable.invoke,
            [placement.buffer_of(x, device) for x in captures],
            entry.traced.out_avals,
            None if entry.single else entry.out_tree,
        )

    def _call(self, entry: _Entry, leaves: list) -> Any:
        if config.jax_debug_key_reuse:
            key_reuse.call(entry.traced.function, leaves, function_name(self._fun))
        outs = self._results(entry, leaves)
        if config.jax_debug_key_reuse:
            key_reuse.returned(entry.traced.function, outs)
        return outs[0] if entry.single else entry.out_tree.unflatten(outs)

    def _results(self, entry: _Entry, leaves: list) -> Sequence[Any]:
        captures, given = entry.captures, leaves
        if entry.touches or Ref in map(type, leaves):
            references.check_distinct(leaves, captures, function_name(self._fun), "jit")
            captures, given = references.present(captures), references.present(leaves)
        if STATE.staged is None and not STATE.axes:  # a function of no tracer may be about an axis
            values = [x if type(x) is Array else as_value(x) for x in given]
            arguments = len(values)
            values += captures
            for x in values:
                if type(x) is Tracer:
                    break
            else:
                device = placement.common_device(values[:arguments], function_name(self._fun))
                values[arguments:] = entry.captures_on(device)
                outs = watch.call_program(entry.traced.function, device, values)
                return entry.traced.settled(outs, leaves) if entry.traced.written else outs
        else:
            values = [as_value(x) for x in given] + captures
        if self._options["inline"]:
            outs = interpret(entry.traced.function, values, BIND)
        else:
            outs = bind(_CALL, *values, callee=shallow(entry.traced.function))
        return entry.traced.settled(outs, leaves) if entry.traced.written else outs

    def _checked_avals(self, leaves: list, args: tuple, kwargs: dict) -> tuple[Aval | AbstractRef, ...]:
        for i, x in enumerate(leaves):
            if not (is_array_like(x) or type(x) is Ref):
                name = argument_names(self._fun, args, kwargs)[i]
                raise TypeError(
                    f"Error interpreting argument to {function_name(self._fun)} as an abstract array. The problematic "
                    f"value is of type {type(x)} and was passed to the function at path {name}.\n"
                    "This typically means that a jit-wrapped function was called with a non-array argument, and this "
                    "argument was not marked as static using the static_argnums or static_argnames parameters of jax.jit."
                )
        return tuple(self._checked_aval(i, x, args, kwargs) for i, x in enumerate(leaves))

    def _checked_aval(self, i: int, x: Any, args: tuple, kwargs: dict) -> Aval | AbstractRef:
        try:
            return _leaf_aval(x)
        except OverflowError:
            raise OverflowError(
                "An overflow was encountered while parsing an argument to a jitted computation, whose argument path is "
                f"{argument_names(self._fun, args, kwargs)[i]}. Got {type(x)} with value {x}: pass an array of a dtype "
                "that holds it."
            ) from None

    def _maker(self) -> Callable[..., _Entry]:
        """`_make_entry`, or `_trace` while tracing: functions that two threads are tracing may want each other."""
        return self._trace if STATE.depth else self._make_entry

    def _make_entry(self, key: Key, leaves: list, tree: Any, avals: Sequence[Aval], static: tuple | None) -> _Entry:
        """Trace, or wait for another thread that traces the same."""
        make = functools.partial(self._trace, key, leaves, tree, avals, static)
        return _TRACING.get((id(self._entries), key), lambda: self._entries.get(key), make)

    def _trace(self, key: Key, leaves: list, tree: Any, avals: Sequence[Aval], static: tuple | None) -> _Entry:
        def call(tracers: list) -> Any:
            dynamic, left = tree.unflatten(tracers)
            args, kwargs = self._static.join(static, dynamic, left) if static is not None else (dynamic, left)
            return self._fun(*args, **kwargs)

        def names() -> list[str]:
            dynamic, left = tree.unflatten(leaves)
            if static is None:
                return argument_names(self._fun, dynamic, left)
            every = argument_names(self._fun, *self._marked(static, dynamic, left))
            return every

        weakref.ref(self._fun)  # TypeError for callables that have none, whose traces could not be theirs
        name = function_name(self._fun)
        if config.jax_no_tracing:
            raise RuntimeError(
                f"re-tracing function {name} at {function_place(self._fun)} for `jit`, but 'no_tracing' is set"
            )
        explain(self._fun, key, self._entries, names)
        with compile_log.timed(f"Finished tracing {name} for jit", "jaxpr_trace_duration", name):
            traced = trace_flat(call, avals, fun=self._fun, kind="jit", staged=True, names=names, references=True)
        if traced.captures:
            compile_log.warn_of_captures(name, traced.captures, traced.function)
        entry = _Entry(traced._replace(trace=None))  # whose messages would keep the arguments of this call alive
        # a function that captures a tracer, or a reference that will be gone, is good for this call only
        if not any(type(x) is Tracer or (type(x) is Ref and x.local) for x in traced.captures):
            self._entries[key] = entry
        return entry

    def _marked(self, static: tuple, dynamic: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """All arguments with the static ones emptied, so that names belong to dynamic leaves only."""
        blank = (
            static[0],
            tuple((i, None) for i, _ in static[1]),
            tuple((k, None) for k, _ in static[2]),
            (),
        )
        return self._static.join(blank, dynamic, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> Any:
        """By name where a module has it under its name, as decorated functions; else the function and the options."""
        qualified_name = self.__dict__.get("__qualname__", "")
        found: Any = sys.modules.get(self.__module__)
        for name in qualified_name.split("."):
            found = getattr(found, name, None)
        if found is self:
            return qualified_name
        return Jitted, (self._fun, self._static.argnums, self._static.argnames, self._options)

    # -- stages
    def _entry_for(self, args: tuple, kwargs: dict) -> tuple[_Entry, Any]:
        static: tuple | None = None
        dynamic, left = args, kwargs
        if self._static.any:
            dynamic, left, static = self._static.split(args, kwargs)
        leaves, tree = flatten_types((dynamic, left))
        avals = tuple(map(aval_of_shaped, leaves))
        key = _key(tree, avals, static)
        entry = self._entries.get(key)
        return entry or self._maker()(key, leaves, tree, avals, static), tree

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these arguments (arrays or `ShapeDtypeStruct`s) and lower, without running.

        Returns:
          A `Lowered`: `.as_text()` is the StableHLO, `.compile()` gives an executable.
        """
        entry, tree = self._entry_for(args, kwargs)
        device, donated = self._device_for(args, kwargs), self._donated(entry, args, kwargs)
        return Lowered(entry.traced, tree, self._fun, device, donated)

    def trace(self, *args: Any, **kwargs: Any) -> Any:
        """Trace for these arguments without lowering."""
        entry, tree = self._entry_for(args, kwargs)
        device, donated = self._device_for(args, kwargs), self._donated(entry, args, kwargs)
        return TracedStage(entry.traced, tree, self._fun, device, donated)

    def _device_for(self, args: tuple, kwargs: dict) -> Any:
        given = [x for x in arrays.leaves((args, kwargs)) if type(x) is Array]
        return placement.common_device(given, function_name(self._fun))

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Shapes and dtypes of the results."""
        entry, _ = self._entry_for(args, kwargs)
        return structs_of(entry.traced)

    def clear_cache(self) -> None:
        """Forget all traces of this function."""
        self._entries.clear()
        if self._prepared is not None:
            self._prepared.clear()

    def _cache_size(self) -> int:
        return len(self._entries)


_SCALAR_AVALS: dict[type, Any] = {}


def _leaf_aval(x: Any) -> Aval | AbstractRef:
    return x.aval if type(x) is Tracer or type(x) is Ref else aval_of_value(x)


def _key(tree: Any, avals: tuple[Aval, ...], static: tuple | None) -> Key:
    return Key(tree, avals, static, config.trace_key, tuple(STATE.axes.items()) if STATE.axes else None)


def jit(
    fun: Callable | None = None,
    *,
    static_argnums: Any = None,
    static_argnames: Any = None,
    donate_argnums: Any = None,
    donate_argnames: Any = None,
    keep_unused: bool = False,
    device: Any = None,
    backend: Any = None,
    inline: bool = False,
    in_shardings: Any = None,
    out_shardings: Any = None,
    compiler_options: Any = None,
) -> Any:
    """Compile a function: it is traced once for each combination of shapes, dtypes, weak types and static values.

    Args:
      fun: a function of arrays and pytrees of arrays; left out for use as a decorator with options.
      static_argnums, static_argnames: arguments whose values are part of the program (hashable).
      donate_argnums, donate_argnames: arguments that the caller gives up: arrays that are deleted by the call where a
        result has as many bytes. Their memory is then free for the next results.
      inline: in other programs that call it, its operations stand among theirs, in place of a call.
      in_shardings, out_shardings: where arguments and results are to be: shardings over one device, or specs for the
        mesh that `set_mesh` has set, in pytrees that are prefixes of the tuple of positional arguments and of the results.
      device, backend: the device, or the platform of which it is the first, where all of them are to be.
      keep_unused, compiler_options: accepted for compatibility.

    Returns:
      A function of the same arguments, with `lower`, `trace`, `eval_shape` and `clear_cache`.

    Raises:
      TypeError, ValueError: `fun` is not callable; something is no sharding; static arguments that it does not have. A call
        raises TypeError where `fun` has no weak references, ValueError where static arguments cannot be hashed or compared.

    Example:
      >>> import sable as jax, sable.numpy as jnp
      >>> jax.jit(lambda x: x + 1)(jnp.arange(3))
      Array([1, 2, 3], dtype=int32)
    """
    options = {
        "donate_argnums": donate_argnums,
        "donate_argnames": donate_argnames,
        "inline": inline,
        "device": device,
        "backend": backend,
        "in_shardings": in_shardings,
        "out_shardings": out_shardings,
    }
    if fun is None:
        return lambda f: _jit(f, static_argnums, static_argnames, options)
    return _jit(fun, static_argnums, static_argnames, options)


def _jit(fun: Any, static_argnums: Any, static_argnames: Any, options: dict) -> Jitted:
    if isinstance(fun, staticmethod):
        raise TypeError(f"staticmethod arguments are not supported, got {fun}")
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    if inspect.isgeneratorfunction(fun):
        raise TypeError(f"Expected a function, got a generator function: {fun}")
    loading.expect_compiles()
    return Jitted(fun, static_argnums, static_argnames, options)


def make_jaxpr(fun: Callable, static_argnums: Any = (), axis_env: Any = None, return_shape: bool = False) -> Callable:
    """A function that traces `fun` on its arguments and returns what was traced: print it.

    Args:
      fun: a function of arrays and pytrees of arrays.
      static_argnums: arguments that are Python values.
      axis_env: pairs of an axis name and a size, for collectives in `fun`.
      return_shape: see below.

    Returns:
      A function giving a `ClosedJaxpr`, whose text is a jaxpr (`.as_mlir()` is MLIR); with return_shape a pair with the
      results' shapes.

    Raises:
      TypeError: `fun` is not callable, or takes what is no array.

    Example:
      >>> print(jax.make_jaxpr(lambda x: jnp.sin(x) * 2)(1.0))
      { lambda ; a:f32[]. let
          b:f32[] = sin a
          c:f32[] = mul b 2.0:f32[]
        in (c,) }
    """
    if not callable(fun):
        raise TypeError(f"Expected a callable value, got {fun}")
    nums = as_tuple(static_argnums, int, "static_argnums")

    @boundary
    @functools.wraps(fun)
    def traced(*args: Any, **kwargs: Any) -> Any:
        fixed = {i % len(args): args[i] for i in nums if -len(args) <= i < len(args)}

        def inner(*dynamic: Any, **kw: Any) -> Any:
            rest = iter(dynamic)
            return fun(*[fixed[i] if i in fixed else next(rest) for i in range(len(args))], **kw)

        functools.update_wrapper(inner, fun)
        dynamic = tuple(a for i, a in enumerate(args) if i not in fixed)
        with named_axes(axis_env or ()):
            found = abstract_trace(inner, dynamic, kwargs, "make_jaxpr")
        in_tree = flatten_types((dynamic, kwargs))[1]
        closed = ClosedJaxpr(found.function, found.captures, in_tree, found.out_tree)
        return (closed, structs_of(found)) if return_shape else closed

    traced.__name__ = f"make_jaxpr({function_name(fun)})"
    traced.__qualname__ = f"make_jaxpr({getattr(fun, '__qualname__', function_name(fun))})"
    return traced


__all__ = ["Jitted", "jit", "make_jaxpr"]
