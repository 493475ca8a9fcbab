"""pure_callback, io_callback, debug.print, debug.callback: Python called from programs."""

from __future__ import annotations

import logging
import string
from collections.abc import Callable
from typing import Any

import numpy as np

from sable.core.array import Array
from sable.core.bind import bind
from sable.core.boundary import boundary
from sable.core.tracing import function_name
from sable.core.values import as_value, is_array_like
from sable.ir.aval import aval
from sable.ir.callback import Callback, OrderedCallback
from sable.ir.location import user_line
from sable.ir.op import OPS
from sable.pytree import arrays

from .abstract import flatten_types

_LOG = logging.getLogger(__name__)


def _arrays(leaves: Any) -> list[Array]:
    """Callbacks get arrays of ours, as JAX gives its own."""
    return [Array(aval(a.shape, a.dtype), np.array(a)) for a in map(np.asarray, leaves)]


@boundary
def pure_callback(
    callback: Callable,
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    vmap_method: str | None = None,
    **kwargs: Any,
) -> Any:
    """Call a Python function without side effects from inside of a program.

    Args:
      callback: gets arrays in the structure of `args`, `kwargs`; returns NumPy arrays.
      result_shape_dtypes: pytree of objects with `shape` and `dtype`: what it returns.
      *args, **kwargs: pytrees of arrays.
      vmap_method: how it is batched: 'sequential', 'expand_dims', 'broadcast_all', or None (refused).
      sharding: without effect.

    Returns:
      A pytree of arrays like `result_shape_dtypes`.

    Raises:
      JaxRuntimeError: the callback raises an error, which is the cause, or returns something else than announced.

    Example:
      >>> result = jax.ShapeDtypeStruct((3,), jnp.float32)
      >>> jax.jit(lambda x: jax.pure_callback(np.cumsum, result, x))(jnp.arange(3.))
      Array([0., 1., 3.], dtype=float32)
    """
    return _call("host_call", callback, result_shape_dtypes, args, kwargs, vmap_method=vmap_method)


@boundary
def io_callback(
    callback: Callable,
    result_shape_dtypes: Any,
    *args: Any,
    sharding: Any = None,
    ordered: bool = False,
    **kwargs: Any,
) -> Any:
    """Call a Python function with side effects from inside of a program, whether its results are used or not.

    Calls happen in the order of the program. Under vmap there is one for each example.

    Args:
      callback: gets arrays in the structure of `args`, `kwargs`; returns NumPy arrays.
      result_shape_dtypes: pytree of objects with `shape` and `dtype`: what it returns.
      *args, **kwargs: pytrees of arrays.
      sharding: without effect.
      ordered: whether vmap is refused, under which there is no order.

    Returns:
      A pytree of arrays like `result_shape_dtypes`.

    Raises:
      JaxRuntimeError: the callback raises an error, which is the cause, or returns something else than announced.
      ValueError: derivatives by the arguments; vmap of an ordered callback.

    Example:
      >>> import numpy as np, sable as jax
      >>> seen = []
      >>> def look(x):
      ...     seen.append(float(x))
      ...     return np.float32(len(seen))
      >>> jax.jit(lambda x: io_callback(look, jax.ShapeDtypeStruct((), np.float32), x))(7.0), seen
      (Array(1., dtype=float32), [7.0])
    """
    kind = OrderedCallback if ordered else Callback
    return _call("io_call", callback, result_shape_dtypes, args, kwargs, kind)


def _call(
    op: str,
    callback: Callable,
    result_shape_dtypes: Any,
    args: tuple,
    kwargs: dict,
    kind: type[Callback] = Callback,
    vmap_method: str | None = "sequential",
) -> Any:
    leaves, tree = arrays.flatten_call(args, kwargs)
    values = [as_value(x) for x in leaves]
    shapes, out_tree = flatten_types(result_shape_dtypes)
    outs = [aval(tuple(s.shape), np.dtype(s.dtype)) for s in shapes]

    def flat(*given: np.ndarray) -> list[Any]:
        a, k = tree.unflatten(_arrays(given))
        found, found_tree = arrays.flatten(callback(*a, **k))
        if found_tree != out_tree:
            raise ValueError(
                f"callback {function_name(callback)} returned a pytree of structure {found_tree}, expected {out_tree}"
            )
        return found

    host = kind(flat, [x.aval for x in values], outs, function_name(callback), vmap_method, user_line())
    return out_tree.unflatten(bind(OPS[op], *values, callback=host))


@boundary
def debug_callback(callback: Callable, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Call a Python function for its side effect from inside of a program; under vmap once for each example.

    Args:
      callback: gets arrays in the structure of `args`, `kwargs`; what it returns is dropped.
      args, kwargs: pytrees of arrays.
      ordered: without effect: effects are in the program's order.

    Raises:
      JaxRuntimeError: the callback raises an error, which is the cause.

    Example:
      >>> seen = []
      >>> jax.jit(lambda x: jax.debug.callback(seen.append, x))(1.0)
      >>> seen
      [Array(1., dtype=float32)]
    """
    _record_effect(callback, args, kwargs)


def _record_effect(callback: Callable, args: tuple, kwargs: dict) -> None:
    if not callable(callback):
        raise TypeError(
            f"first argument to jax.debug.callback must be callable, but got an object of type {type(callback)}"
        )
    leaves, tree = arrays.flatten_call(args, kwargs)
    fixed = {i: x for i, x in enumerate(leaves) if not is_array_like(x)}
    values = [as_value(x) for i, x in enumerate(leaves) if i not in fixed]

    def flat(*given: np.ndarray) -> list[Any]:
        rest = iter(_arrays(given))
        full = [fixed[i] if i in fixed else next(rest) for i in range(len(leaves))]
        a, k = tree.unflatten(full)
        callback(*a, **k)
        return []

    host = Callback(flat, [x.aval for x in values], [], function_name(callback), line=user_line())
    bind(OPS["host_effect"], *values, callback=host)


def debug_print(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> Any:
    """Print values when the program runs, formatted by `fmt.format(*args, **kwargs)`.

    Args:
      fmt: the format. Where it is left out, a function of the format and the values is returned, which then have all
        names for themselves.
      *args, **kwargs: the values.
      ordered: whether prints come in the program's order: they always do.
      partitioned: whether each device prints its part: there is one.
      skip_format_check: whether the format is not checked before the program runs.

    Raises:
      ValueError, KeyError, IndexError: the format does not fit the arguments (at once, before anything runs).
      TypeError: values without a format.

    Example:
      >>> @jax.jit
      ... def f(x):
      ...     jax.debug.print("x is {x}", x=x)
      ...     return x + 1
      >>> f(3)
      x is 3
      Array(4, dtype=int32, weak_type=True)
      >>> jax.debug.print(ordered=True)("x is {x}", x=3)
      x is 3
    """
    return _told(print, fmt, args, kwargs, skip_format_check)


def debug_log(
    fmt: str | None = None,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> Any:
    """Log values, with level INFO, when the program runs; arguments and errors as of `debug.print`.

    Args:
      fmt, args, kwargs: the text and its values.
      ordered, partitioned, skip_format_check: as of `debug.print`.

    Example:
      >>> jax.debug.log("x = {}", 1.0)  # nothing is seen unless logging shows level INFO
    """
    return _told(_LOG.info, fmt, args, kwargs, skip_format_check)


def _told(tell: Callable, fmt: str | None, args: tuple, kwargs: dict, skip_check: bool) -> Any:
    """`debug_print` by a function of the finished text."""

    @boundary
    def show(text: str, *values: Any, **named: Any) -> None:
        if not skip_check:
            _check_format(text, values, named)
        _record_effect(lambda *a, **k: tell(text.format(*a, **k)), values, named)

    if fmt is not None:
        return show(fmt, *args, **kwargs)
    if args or kwargs:
        raise TypeError(f"debug.print got values but no format: {args}, {kwargs}")
    return show


def _check_format(fmt: str, args: tuple, kwargs: dict) -> None:
    names = [name for _, name, _, _ in string.Formatter().parse(fmt) if name is not None]
    count = sum(1 for n in names if n == "" or n.split(".")[0].split("[")[0].isdigit())
    if args and count < len(args):
        raise ValueError(f"Number of positional arguments ({len(args)}) does not match the format {fmt!r}")
    used = {n.split(".")[0].split("[")[0] for n in names}
    unused = [k for k in kwargs if k not in used]
    if unused:
        raise ValueError(f"Unused keyword arguments to debug.print with the format {fmt!r}: {unused}")
    fmt.format(*[_Blank()] * len(args), **dict.fromkeys(kwargs, _Blank()))


class _Blank:
    """Stands for any value while a format is checked."""

    def __format__(self, spec: str) -> str:
        return ""

    def __getattr__(self, name: str) -> _Blank:
        return self

    def __getitem__(self, index: Any) -> _Blank:
        return self
