"""What is there: types of values, arrays that live, caches, versions; and names for parts of programs."""

from __future__ import annotations

import contextlib
import gc
import os
import platform as machine
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sable import compiler
from sable.core.array import Array, device_of
from sable.core.entries import clear_entries
from sable.core.extended import seen_avals
from sable.core.references import Ref
from sable.core.state import STATE
from sable.core.values import aval_of_value, is_array_like
from sable.library.declare import FUNCTIONS
from sable.pytree import arrays
from sable.version import __version__

from .compilation import Jitted
from .devices import default_backend, devices, local_device_count, process_count


def typeof(x: Any) -> Any:
    """The abstract value of an array, a traced value, a number or a reference: shape, dtype, weak type.

    Args:
      x: the value.

    Raises:
      TypeError: it is none.

    Example:
      >>> jax.typeof(np.ones((2, 3), np.float32)), jax.typeof(1.0)
      (ShapedArray(float32[2,3]), ShapedArray(float32[], weak_type=True))
    """
    if type(x) is Ref:
        return x.aval
    if not (is_array_like(x) or type(x) in arrays.WRAPPERS):
        raise TypeError(f"Argument {x!r} of type {type(x)} is not a valid JAX type")
    (leaf,), tree = arrays.flatten(x)
    return seen_avals(tree, [aval_of_value(leaf)])[0]


@contextlib.contextmanager
def ensure_compile_time_eval() -> Iterator[None]:
    """Context in which what is computed of known values is computed at once, even while a program is being traced.

    Example:
      >>> @jax.jit
      ... def f(x):
      ...     with jax.ensure_compile_time_eval():
      ...         n = int(jnp.sum(jnp.arange(4)))  # known, though a program is being traced
      ...     return x * n
      >>> f(2)
      Array(12, dtype=int32, weak_type=True)
    """
    staged, STATE.staged = STATE.staged, None
    try:
        yield
    finally:
        STATE.staged = staged


class named_scope(contextlib.ContextDecorator):
    """Context, or decorator, that says what a part of a program is called. Messages name the user's lines instead.

    Args:
      name: of the part.

    Raises:
      TypeError: the name is no string.

    Example:
      >>> with jax.named_scope("layer"):
      ...     print(jnp.sin(0.))
      0.0
    """

    def __init__(self, name: str):
        if not isinstance(name, str):
            raise TypeError("named_scope name argument must be a string.")
        self.name = name

    def __enter__(self) -> None:
        """Nothing to remember."""

    def __exit__(self, *error: Any) -> None:
        """Nothing to forget."""


def named_call(fun: Callable, *, name: str | None = None) -> Callable:
    """The function in a `named_scope` of that name, by default its own.

    Args:
      fun: a function.
      name: of the scope.

    Raises:
      TypeError: the name is no string.

    Example:
      >>> jax.named_call(jnp.sin, name="wave")(0.)
      Array(0., dtype=float32, weak_type=True)
    """
    return named_scope(fun.__name__ if name is None else name)(fun)


def live_arrays(platform: str | None = None) -> list[Array]:
    """All arrays that somebody refers to and that are on devices of a platform, by default that of `devices()`.

    Raises:
      RuntimeError: there is no such platform.

    Example:
      >>> x = jnp.arange(3)
      >>> any(y is x for y in jax.live_arrays())
      True
    """
    present = set(devices(platform))
    found = [x for x in gc.get_objects() if type(x) is Array]
    return [x for x in found if not x.deleted and device_of(x) in present]


def clear_caches() -> None:
    """Forget all traces and compiled programs of this process; what is cached on disk stays.

    Example:
      >>> double = jax.jit(lambda x: 2 * x)
      >>> double(1), double._cache_size()
      (Array(2, dtype=int32, weak_type=True), 1)
      >>> jax.clear_caches()
      >>> double._cache_size()
      0
    """
    for x in gc.get_objects():
        if type(x) is Jitted:
            x.clear_cache()
    clear_entries()
    for function in list(FUNCTIONS.values()):
        function.clear_plans()
    compiler.cache_clear(disk=False)


def effects_barrier() -> None:
    """Wait until the effects of all programs are done: calls of programs wait for theirs, so they are.

    Example:
      >>> jax.debug.print("{}", 3)
      3
      >>> jax.effects_barrier()
    """


def copy_to_host_async(x: Any) -> Any:
    """Start to bring the arrays of a pytree to the host; returns the pytree.

    Args:
      x: a pytree; what is no array is let alone.

    Example:
      >>> jax.copy_to_host_async([jnp.arange(2)])
      [Array([0, 1], dtype=int32)]
    """
    for leaf in arrays.leaves(x):
        if hasattr(leaf, "copy_to_host_async"):
            leaf.copy_to_host_async()
    return x


def print_environment_info(return_string: bool = False) -> str | None:
    """Print, or return, versions, devices and options of the environment: for reports of bugs.

    Args:
      return_string: return the text instead of printing it.

    Example:
      >>> jax.print_environment_info(return_string=True).startswith("sable:")
      True
    """
    lines = [
        f"sable:  {__version__}",
        f"numpy:  {np.__version__}",
        f"python: {sys.version}",
        f"device info: {default_backend()}-{len(devices())}, {local_device_count()} local devices",
        f"process_count: {process_count()}",
        f"platform: {machine.uname()}",
        *[f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith(("JAX_", "SABLE_"))],
    ]
    text = "\n".join(lines)
    if return_string:
        return text
    print(text)
    return None


__all__ = [
    "clear_caches",
    "copy_to_host_async",
    "effects_barrier",
    "ensure_compile_time_eval",
    "live_arrays",
    "named_call",
    "named_scope",
    "print_environment_info",
    "typeof",
]
