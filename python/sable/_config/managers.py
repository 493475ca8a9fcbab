"""A context manager for each option that may differ for a while, in one thread."""

from __future__ import annotations

import contextlib
import functools
import inspect
import textwrap
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


def _manager(option_name: str, example: str) -> Callable[..., Override]:
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
    text = f"""Context manager (and decorator) for the option `{option_name}`, in this thread.

    {option.help}

    Args:
      new_val: the value while the context lasts{" (True if left out)" if is_boolean else ""}.

    Raises:
      ValueError: the option does not admit the value.
      TypeError: no value is given, and the option is none of truth.
    """
    manager.__doc__ = f"{inspect.cleandoc(text)}\n\nExample:\n{textwrap.indent(inspect.cleandoc(example), '  ')}\n"
    return manager


allow_f16_reductions = _manager(
    "jax_allow_f16_reductions",
    """
    >>> with jax.allow_f16_reductions(False):
    ...     lax.reduce_sum(jnp.ones(2, jnp.float16), (0,))
    Traceback (most recent call last):
        ...
    ValueError: reduce_sum on operand float16[2] is not allowed when jax_allow_f16_reductions=False.
    """,
)
array_garbage_collection_guard = _manager(
    "jax_array_garbage_collection_guard",
    """
    >>> with jax.array_garbage_collection_guard("fatal"):
    ...     print(jnp.arange(2))
    Traceback (most recent call last):
        ...
    ValueError: invalid value for jax_array_garbage_collection_guard: only None or 'allow' is possible ...
    """,
)
auto_pcast = _manager(
    "jax_auto_pcast",
    """
    >>> with jax.auto_pcast(False):
    ...     print(jnp.arange(2))
    Traceback (most recent call last):
        ...
    ValueError: invalid value for jax_auto_pcast: only True is possible here, got False: it concerns ...
    """,
)
check_static_indices = _manager(
    "jax_check_static_indices",
    """
    >>> with check_static_indices():
    ...     jnp.arange(3)[7]
    Traceback (most recent call last):
        ...
    IndexError: index 7 out of bounds for axis 0 with size 3
    """,
)
check_tracer_leaks = _manager(
    "jax_check_tracer_leaks",
    """
    >>> saved = []
    >>> with jax.check_tracer_leaks():
    ...     jax.jit(lambda x: saved.append(x))(1.)
    Traceback (most recent call last):
        ...
    sable.errors.UnexpectedTracerError: Leaked trace: 1 traced value(s) outlived the function <lambda> ...
    """,
)
debug_infs = _manager(
    "jax_debug_infs",
    """
    >>> with jax.debug_infs(True):
    ...     1 / jnp.zeros(2)
    Traceback (most recent call last):
        ...
    FloatingPointError: invalid value (inf) encountered in divide...
    """,
)
debug_key_reuse = _manager(
    "jax_debug_key_reuse",
    """
    >>> key = jax.random.key(0)
    >>> with jax.debug_key_reuse(True):
    ...     jax.random.normal(key) + jax.random.normal(key)
    Traceback (most recent call last):
        ...
    sable.errors.KeyReuseError: Previously-consumed key passed to normal...
    """,
)
debug_nans = _manager(
    "jax_debug_nans",
    """
    >>> with jax.debug_nans(True):
    ...     jnp.log(jnp.array([-1.]))
    Traceback (most recent call last):
        ...
    FloatingPointError: invalid value (nan) encountered in log...
    """,
)
default_device = _manager(
    "jax_default_device",
    """
    >>> with jax.default_device(jax.devices("cpu")[0]):
    ...     print(jnp.ones(2).device.platform)
    cpu
    """,
)
default_matmul_precision = _manager(
    "jax_default_matmul_precision",
    """
    >>> with jax.default_matmul_precision("float32"):
    ...     "HIGHEST" in jax.jit(jnp.dot).lower(jnp.ones(2), jnp.ones(2)).as_text()
    True
    """,
)
default_prng_impl = _manager(
    "jax_default_prng_impl",
    """
    >>> with jax.default_prng_impl("rbg"):
    ...     print(jax.random.key(0).dtype)
    key<rbg>
    """,
)
enable_checks = _manager(
    "jax_enable_checks",
    """
    >>> with jax.enable_checks(True):
    ...     print(jax.jit(jnp.sin)(0.))
    0.0
    """,
)
enable_custom_prng = _manager(
    "jax_enable_custom_prng",
    """
    >>> with jax.enable_custom_prng(True):
    ...     print(jax.random.PRNGKey(0).dtype)
    key<fry>
    """,
)
enable_x64 = _manager(
    "jax_enable_x64",
    """
    >>> with jax.enable_x64(True):
    ...     print(jnp.ones(2).dtype)
    float64
    >>> jnp.ones(2).dtype
    dtype('float32')
    """,
)
explain_cache_misses = _manager(
    "jax_explain_cache_misses",
    """
    >>> with jax.explain_cache_misses():
    ...     print(jax.jit(jnp.sin)(0.))
    0.0
    """,
)
explicit_x64_dtypes = _manager(
    "jax_explicit_x64_dtypes",
    """
    >>> with explicit_x64_dtypes("error"):
    ...     jnp.zeros(2, "float64")
    Traceback (most recent call last):
        ...
    ValueError: Explicitly requested dtype float64 requested in zeros is not available. For 64-bit ...
    """,
)
legacy_prng_key = _manager(
    "jax_legacy_prng_key",
    """
    >>> with jax.legacy_prng_key("error"):
    ...     jax.random.normal(jax.random.PRNGKey(0))
    Traceback (most recent call last):
        ...
    ValueError: Legacy uint32 key array passed as key to jax.random function. Please create keys using ...
    """,
)
log_compiles = _manager(
    "jax_log_compiles",
    """
    >>> with jax.log_compiles():
    ...     print(jax.jit(jnp.sin)(0.))
    0.0
    """,
)
no_execution = _manager(
    "jax_no_execution",
    """
    >>> with jax.no_execution():
    ...     jnp.sin(1.)
    Traceback (most recent call last):
        ...
    RuntimeError: tried to execute sine, but the option jax_no_execution is set
    """,
)
no_tracing = _manager(
    "jax_no_tracing",
    """
    >>> with jax.no_tracing():
    ...     jax.jit(lambda x: x + 1)(1.)
    Traceback (most recent call last):
        ...
    RuntimeError: re-tracing function <lambda>...
    """,
)
numpy_dtype_promotion = _manager(
    "jax_numpy_dtype_promotion",
    """
    >>> with jax.numpy_dtype_promotion("strict"):
    ...     jnp.int32(1) + jnp.float32(1)
    Traceback (most recent call last):
        ...
    sable.dtypes.TypePromotionError: Input dtypes ('int32', 'float32') have no available implicit dtype ...
    """,
)
numpy_rank_promotion = _manager(
    "jax_numpy_rank_promotion",
    """
    >>> with jax.numpy_rank_promotion("raise"):
    ...     jnp.ones((2, 3)) + jnp.ones(3)
    Traceback (most recent call last):
        ...
    ValueError: Operands could not be broadcast together for add on shapes (2, 3) (3,) and with the ...
    """,
)
remove_size_one_mesh_axis_from_type = _manager(
    "jax_remove_size_one_mesh_axis_from_type",
    """
    >>> with jax.remove_size_one_mesh_axis_from_type(True):
    ...     print(jnp.arange(2))
    Traceback (most recent call last):
        ...
    ValueError: invalid value for jax_remove_size_one_mesh_axis_from_type: only False is possible here, ...
    """,
)
softmax_custom_jvp = _manager(
    "jax_softmax_custom_jvp",
    """
    >>> with jax.softmax_custom_jvp(False):
    ...     print(jax.grad(lambda x: jax.nn.softmax(x)[0])(jnp.zeros(2)))
    [ 0.25 -0.25]
    """,
)
thread_guard = _manager(
    "jax_thread_guard",
    """
    >>> with jax.thread_guard(True):
    ...     print(jnp.arange(2))
    Traceback (most recent call last):
        ...
    ValueError: invalid value for jax_thread_guard: only False is possible here, got True: it concerns ...
    """,
)
threefry_partitionable = _manager(
    "jax_threefry_partitionable",
    """
    >>> with jax.threefry_partitionable(False):
    ...     print(jax.random.bits(jax.random.key(0), (2,)))
    [ 928981903 3453687069]
    >>> jax.random.bits(jax.random.key(0), (2,))
    Array([4070199207, 4202968722], dtype=uint32)
    """,
)
transfer_guard = _manager(
    "jax_transfer_guard",
    """
    >>> with jax.transfer_guard("disallow"):
    ...     jnp.sin(1.)
    Traceback (most recent call last):
        ...
    sable.errors.JaxRuntimeError: Disallowed host-to-device transfer of an array float32[] to CpuDevice(id=0)...
    """,
)
transfer_guard_device_to_device = _manager(
    "jax_transfer_guard_device_to_device",
    """
    >>> with jax.transfer_guard_device_to_device("disallow"):
    ...     print(jnp.arange(2) + 1)
    [1 2]
    """,
)
transfer_guard_device_to_host = _manager(
    "jax_transfer_guard_device_to_host",
    """
    >>> with jax.transfer_guard_device_to_host("disallow"):
    ...     print(np.asarray(jnp.arange(2)))
    [0 1]
    """,
)
transfer_guard_host_to_device = _manager(
    "jax_transfer_guard_host_to_device",
    """
    >>> with jax.transfer_guard_host_to_device("disallow"):
    ...     jnp.sin(np.ones(2))
    Traceback (most recent call last):
        ...
    sable.errors.JaxRuntimeError: Disallowed host-to-device transfer of an array float32[2] to CpuDevice(id=0)...
    """,
)


def disable_jit(disable: bool = True) -> Override:
    """Context manager in which jitted functions run op by op, so that prints and debuggers see values.

    Args:
      disable: False switches jit on again inside an outer `disable_jit`.

    Example:
      >>> with jax.disable_jit():
      ...     jax.jit(lambda x: x if x > 0 else -x)(-2.)
      2.0
    """
    return Override("jax_disable_jit", disable)


def checking_leaks() -> Override:
    """The same as `check_tracer_leaks(True)`.

    Raises:
      UnexpectedTracerError: in the context, where a traced value outlives its trace.

    Example:
      >>> saved = []
      >>> with jax.checking_leaks():
      ...     jax.jit(lambda x: saved.append(x))(1.)
      Traceback (most recent call last):
          ...
      sable.errors.UnexpectedTracerError: Leaked trace: 1 traced value(s) outlived the function <lambda> ...
    """
    return Override("jax_check_tracer_leaks", True)
