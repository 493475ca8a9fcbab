"""A context manager for each option that may differ for a while, in one thread."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from .option import boolean
from .options import OPTIONS
from .state import config, differences, parsed

_ABSENT = object()


class Override:
    """An option's value, in this thread, during a `with` block or each call of a decorated function."""

    __slots__ = ("_name", "_previous", "_value")

    def __init__(self, name: str, value: Any) -> None:
        self._name = name
        self._value = parsed(name, value, name)
        self._previous: list[list[Any]] = []

    def __enter__(self) -> None:
        names = (self._name, *OPTIONS[self._name].implies)
        self._previous.append([(name, config.override(name, self._value)) for name in names])

    def __exit__(self, *_exception: Any) -> None:
        for name, previous in reversed(self._previous.pop()):
            config.restore(name, previous)

    def __call__(self, function: Callable) -> Callable:
        """Decorates a function: each of its calls runs with the option's value."""
        name, value = self._name, self._value

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with Override(name, value):
                return function(*args, **kwargs)

        return wrapper


@contextlib.contextmanager
def options_of(key: tuple) -> Iterator[None]:
    """Context in which the options on which traces depend are those of a `trace_key`."""
    wanted = differences(key, config.trace_key) if key is not config.trace_key else []
    previous = [(name, config.override(name, value)) for name, value, _ in wanted]
    try:
        yield
    finally:
        for name, value in reversed(previous):
            config.restore(name, value)


def _manager(option_name: str) -> Callable[..., Override]:
    """The context manager of an option. A truth option may be called without a value, which means True."""
    option = OPTIONS[option_name]
    short = option_name.removeprefix("jax_")
    is_boolean = option.parse is boolean

    def manager(new_val: Any = _ABSENT) -> Override:
        if new_val is not _ABSENT:
            return Override(option_name, new_val)
        if is_boolean:
            return Override(option_name, True)
        raise TypeError(f"{short}() needs the new value of the config option {option_name}")

    manager.__name__ = manager.__qualname__ = short
    manager.__doc__ = f"""Context manager (and decorator) for the option `{option_name}`, in this thread.

    {option.help}

    Args:
      new_val: the value while the context lasts{" (True if left out)" if is_boolean else ""}.

    Raises:
      ValueError: the option does not admit the value.
    """
    return manager


allow_f16_reductions = _manager("jax_allow_f16_reductions")
array_garbage_collection_guard = _manager("jax_array_garbage_collection_guard")
auto_pcast = _manager("jax_auto_pcast")
check_static_indices = _manager("jax_check_static_indices")
check_tracer_leaks = _manager("jax_check_tracer_leaks")
debug_infs = _manager("jax_debug_infs")
debug_key_reuse = _manager("jax_debug_key_reuse")
debug_nans = _manager("jax_debug_nans")
default_device = _manager("jax_default_device")
default_matmul_precision = _manager("jax_default_matmul_precision")
default_prng_impl = _manager("jax_default_prng_impl")
enable_checks = _manager("jax_enable_checks")
enable_custom_prng = _manager("jax_enable_custom_prng")
enable_x64 = _manager("jax_enable_x64")
explain_cache_misses = _manager("jax_explain_cache_misses")
explicit_x64_dtypes = _manager("jax_explicit_x64_dtypes")
legacy_prng_key = _manager("jax_legacy_prng_key")
log_compiles = _manager("jax_log_compiles")
no_execution = _manager("jax_no_execution")
no_tracing = _manager("jax_no_tracing")
numpy_dtype_promotion = _manager("jax_numpy_dtype_promotion")
numpy_rank_promotion = _manager("jax_numpy_rank_promotion")
remove_size_one_mesh_axis_from_type = _manager("jax_remove_size_one_mesh_axis_from_type")
softmax_custom_jvp = _manager("jax_softmax_custom_jvp")
thread_guard = _manager("jax_thread_guard")
threefry_partitionable = _manager("jax_threefry_partitionable")
transfer_guard = _manager("jax_transfer_guard")
transfer_guard_device_to_device = _manager("jax_transfer_guard_device_to_device")
transfer_guard_device_to_host = _manager("jax_transfer_guard_device_to_host")
transfer_guard_host_to_device = _manager("jax_transfer_guard_host_to_device")


def disable_jit(disable: bool = True) -> Override:
    """Context manager in which jitted functions run op by op, so that prints and debuggers see values.

    Args:
      disable: False switches jit on again inside an outer `disable_jit`.

    Example:
      >>> with disable_jit():
      ...     config.jax_disable_jit
      True
    """
    return Override("jax_disable_jit", disable)


def checking_leaks() -> Override:
    """The same as `check_tracer_leaks(True)`."""
    return Override("jax_check_tracer_leaks", True)
