"""Configuration: one object, `config`, and a context manager for each option that may differ for a while.

A value comes from, first match wins: the context managers active in this thread, `config.update`, the
environment (`SABLE_ENABLE_X64`, else `JAX_ENABLE_X64`, for `jax_enable_x64`; the same pattern for every
option), the default.

`config` is a `threading.local` whose *class* attributes hold the values that all threads share and whose
instance attributes hold what a thread has overridden: a read is then one attribute look-up in C (some 35 ns),
whether or not a context manager is active, and needs no lock.
"""

from __future__ import annotations

import difflib
import functools
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any

_TRUE_WORDS = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE_WORDS = frozenset({"0", "false", "f", "no", "n", "off"})

_MATMUL_PRECISIONS = (
    "default",
    "high",
    "highest",
    "bfloat16",
    "tensorfloat32",
    "float32",
    "ANY_F8_ANY_F8_F32",
    "ANY_F8_ANY_F8_F32_FAST_ACCUM",
    "ANY_F8_ANY_F8_ANY",
    "ANY_F8_ANY_F8_ANY_FAST_ACCUM",
    "F16_F16_F16",
    "F16_F16_F32",
    "BF16_BF16_BF16",
    "BF16_BF16_F32",
    "BF16_BF16_F32_X3",
    "BF16_BF16_F32_X6",
    "BF16_BF16_F32_X9",
    "TF32_TF32_F32",
    "TF32_TF32_F32_X3",
    "F32_F32_F32",
    "F64_F64_F64",
)
_PRNG_IMPLEMENTATIONS = ("threefry2x32", "threefry4x32", "rbg", "unsafe_rbg", "philox2x32", "philox4x32")
_TRANSFER_GUARDS = ("allow", "log", "disallow", "log_explicit", "disallow_explicit")


def _boolean(value: Any) -> bool:
    """The truth of a value; a string counts by its word, so that 'false' and '0' are False."""
    if not isinstance(value, str):
        return bool(value)
    word = value.strip().lower()
    if word in _TRUE_WORDS:
        return True
    if word in _FALSE_WORDS:
        return False
    raise ValueError(f"expected a truth value (0, 1, true or false), got {value!r}")


def _choice(*allowed: str, optional: bool = False) -> Callable[[Any], str | None]:
    """A parser that admits the words `allowed`, and None where `optional`."""
    expected = ("None or one of " if optional else "one of ") + ", ".join(map(repr, allowed))

    def parse(value: Any) -> str | None:
        if value is None and optional:
            return None
        if isinstance(value, str) and value in allowed:
            return str(value)
        raise ValueError(f"expected {expected}; got {value!r} of type {type(value).__name__}")

    return parse


def _text(value: Any) -> str | None:
    """A string or None."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"expected a string or None, got {value!r} of type {type(value).__name__}")


def _integer(value: Any) -> int:
    return int(value)


def _number(value: Any) -> float:
    return float(value)


def _device(value: Any) -> Any:
    """None, the name of a platform, or a device, of which this layer knows only that it has a platform."""
    if value is None or isinstance(value, str) or hasattr(value, "platform"):
        return value
    raise ValueError(
        "expected a device (such as jax.devices('cpu')[0]), the name of a platform (such as 'cpu') or None; "
        f"got {value!r}"
    )


@dataclass(frozen=True)
class Option:
    """One configuration option.

    Attributes:
      name: as in `config.update(name, value)`.
      default: the value when nobody says otherwise.
      parse: checks a value and brings it into its normal form; raises ValueError.
      help: what the option does, for the docstring of its context manager.
      traced: True where the value decides what a trace contains, so that it belongs in the keys of traces.
    """

    name: str
    default: Any
    parse: Callable[[Any], Any]
    help: str
    traced: bool = False


_DTYPE_OPTIONS = (
    Option("jax_enable_x64", False, _boolean, "Allow 64-bit dtypes; without it they become 32-bit.", True),
    Option(
        "jax_explicit_x64_dtypes",
        "warn",
        _choice("warn", "error", "allow"),
        "What happens to a 64-bit dtype that is asked for by name while jax_enable_x64 is off.",
        True,
    ),
    Option(
        "jax_numpy_rank_promotion",
        "allow",
        _choice("allow", "warn", "raise"),
        "What happens when operands of different rank are broadcast together.",
        True,
    ),
    Option(
        "jax_numpy_dtype_promotion",
        "standard",
        _choice("standard", "strict"),
        "With 'strict', operands of different dtypes are an error, Python scalars apart.",
        True,
    ),
    Option(
        "jax_default_matmul_precision",
        None,
        _choice(*_MATMUL_PRECISIONS, optional=True),
        "The precision of contractions that name none.",
        True,
    ),
    Option("jax_allow_f16_reductions", True, _boolean, "Allow float16 accumulators in reductions.", True),
)

_RANDOM_OPTIONS = (
    Option("jax_threefry_partitionable", True, _boolean, "Threefry bits which do not depend on sharding.", True),
    Option(
        "jax_default_prng_impl",
        "threefry2x32",
        _choice(*_PRNG_IMPLEMENTATIONS),
        "The generator of keys made without naming one.",
        True,
    ),
    Option("jax_enable_custom_prng", False, _boolean, "Make PRNGKey return typed keys.", True),
    Option("jax_legacy_prng_key", "allow", _choice("allow", "warn", "error"), "What raw uint32 keys bring about."),
    Option("jax_debug_key_reuse", False, _boolean, "Report keys which are used twice.", True),
)

_DEVICE_OPTIONS = (
    Option("jax_default_device", None, _device, "Where computations run that name no device.", True),
    Option("jax_platforms", None, _text, "Comma-separated platforms to use; the first is the default."),
    Option("jax_platform_name", "", _text, "The platform to use (older form of jax_platforms)."),
    Option("jax_num_cpu_devices", -1, _integer, "How many CPU devices to show; -1: as many as there are."),
    Option("jax_transfer_guard", None, _choice(*_TRANSFER_GUARDS, optional=True), "Guard of all transfers."),
    Option(
        "jax_transfer_guard_host_to_device",
        None,
        _choice(*_TRANSFER_GUARDS, optional=True),
        "Guard of transfers from the host to a device.",
    ),
    Option(
        "jax_transfer_guard_device_to_device",
        None,
        _choice(*_TRANSFER_GUARDS, optional=True),
        "Guard of transfers between devices.",
    ),
    Option(
        "jax_transfer_guard_device_to_host",
        None,
        _choice(*_TRANSFER_GUARDS, optional=True),
        "Guard of transfers from a device to the host.",
    ),
)

_DEBUG_OPTIONS = (
    Option("jax_disable_jit", False, _boolean, "Run jitted functions op by op.", True),
    Option("jax_debug_nans", False, _boolean, "Raise FloatingPointError at the first NaN in a result.", True),
    Option("jax_debug_infs", False, _boolean, "Raise FloatingPointError at the first infinity in a result.", True),
    Option("jax_check_tracer_leaks", False, _boolean, "Report tracers that outlive their trace.", True),
    Option("jax_enable_checks", False, _boolean, "Check internal invariants.", True),
    Option("jax_log_compiles", False, _boolean, "Log each compilation at level WARNING."),
    Option("jax_explain_cache_misses", False, _boolean, "Log why a call had to be traced again."),
    Option("jax_no_tracing", False, _boolean, "Raise an error instead of tracing again."),
    Option("jax_no_execution", False, _boolean, "Raise an error instead of running a computation."),
    Option(
        "jax_traceback_filtering",
        "auto",
        _choice("off", "tracebackhide", "remove_frames", "quiet_remove_frames", "auto"),
        "How library frames are taken out of tracebacks.",
    ),
    Option("jax_softmax_custom_jvp", False, _boolean, "Use the closed form of softmax's derivative.", True),
)

_CACHE_OPTIONS = (
    Option("jax_enable_compilation_cache", True, _boolean, "Keep executables on disk."),
    Option("jax_compilation_cache_dir", None, _text, "Where executables are kept; None: the default folder."),
    Option(
        "jax_compilation_cache_max_size",
        -1,
        _integer,
        "Bound of the disk cache in bytes; -1: the default bound.",
    ),
    Option("jax_persistent_cache_min_compile_time_secs", 1.0, _number, "Shortest compilation worth keeping (s)."),
    Option("jax_persistent_cache_min_entry_size_bytes", 0, _integer, "Smallest executable worth keeping (bytes)."),
)

OPTIONS: Mapping[str, Option] = {
    option.name: option
    for option in _DTYPE_OPTIONS + _RANDOM_OPTIONS + _DEVICE_OPTIONS + _DEBUG_OPTIONS + _CACHE_OPTIONS
}
_read_traced = attrgetter(*(option.name for option in OPTIONS.values() if option.traced))

_ABSENT = object()
_UPDATE_LOCK = threading.Lock()


def _suggestion(name: str) -> str:
    """` Did you mean ...?` for a name that is close to an option's, else nothing."""
    close = difflib.get_close_matches(name, OPTIONS, n=2, cutoff=0.75)
    if not close and not name.startswith("jax_"):
        close = difflib.get_close_matches(f"jax_{name}", OPTIONS, n=2, cutoff=0.75)
    return f". Did you mean {' or '.join(close)}?" if close else ""


def _parse(name: str, value: Any, source: str) -> Any:
    """The normal form of an option's value.

    Raises:
      AttributeError: there is no such option.
      ValueError: the option does not admit the value.
    """
    option = OPTIONS.get(name)
    if option is None:
        raise AttributeError(f"Unrecognized config option: {name}{_suggestion(name)}")
    try:
        return option.parse(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"invalid value for {source}: {error}") from None


class Config(threading.local):
    """The options' values: `config.jax_debug_nans` reads, `config.update("jax_debug_nans", True)` sets.

    Assigning to an option is an AttributeError, as in JAX: a value is set for all threads by `update` or for
    a while, in this thread, by a context manager such as `enable_x64`.
    """

    # The traced options' shared values, and how many overrides this thread has active.
    _shared_key: tuple = ()
    _overrides: int = 0

    def update(self, name: str, value: Any) -> None:
        """Sets an option for all threads. Overrides by context managers stay in force while they last.

        Args:
          name: an option's name, such as "jax_enable_x64".
          value: its new value.

        Raises:
          AttributeError: there is no such option.
          ValueError: the option does not admit the value.
        """
        parsed = _parse(name, value, name)
        with _UPDATE_LOCK:
            setattr(Config, name, parsed)
            if name in _PLATFORM_OPTIONS:
                Config.jax_default_device = _chosen_platform()
            Config._shared_key = _read_traced(Config)

    def read(self, name: str) -> Any:
        """The value of an option by name; AttributeError where there is none."""
        if name not in OPTIONS:
            raise AttributeError(f"Unrecognized config option: {name}{_suggestion(name)}")
        return getattr(self, name)

    _read = read

    @property
    def values(self) -> dict[str, Any]:
        """All options with their values in this thread."""
        return {name: getattr(self, name) for name in OPTIONS}

    @property
    def x64_enabled(self) -> bool:
        """The same as `jax_enable_x64`."""
        return self.jax_enable_x64

    @property
    def trace_key(self) -> tuple:
        """The values on which traces depend, hashable: a part of every key of traced functions."""
        return _read_traced(self) if self._overrides else self._shared_key

    def _override(self, name: str, value: Any) -> Any:
        """Sets a thread's own value; returns what `_restore` needs to undo it."""
        previous = self.__dict__.get(name, _ABSENT)
        super().__setattr__(name, value)
        super().__setattr__("_overrides", self._overrides + 1)
        return previous

    def _restore(self, name: str, previous: Any) -> None:
        super().__setattr__("_overrides", self._overrides - 1)
        if previous is _ABSENT:
            super().__delattr__(name)
        else:
            super().__setattr__(name, previous)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"'Config' object attribute {name!r} cannot be assigned: use config.update({name!r}, ...)")

    if TYPE_CHECKING:
        # Not at run time: `__getattr__` more than doubles the time of a read. Python's own error for an
        # unknown name says the same, with suggestions from `__dir__`.
        def __getattr__(self, name: str) -> Any: ...

    def __dir__(self):
        return sorted({*super().__dir__(), *OPTIONS})


#: Options that name the platforms to use; the first of them is where computations run that name no device.
_PLATFORM_OPTIONS = ("jax_platforms", "jax_platform_name")


def _chosen_platform() -> str | None:
    """The platform that the options name, if it is not the CPU, which needs no naming."""
    named = Config.jax_platforms or Config.jax_platform_name or "cpu"
    first = named.split(",")[0].strip()
    return None if first == "cpu" else first


def _environment_value(option: Option) -> Any:
    """The value that the environment or, failing that, the table gives to an option."""
    stem = option.name.removeprefix("jax_").upper()
    for variable in (f"SABLE_{stem}", f"JAX_{stem}"):
        text = os.environ.get(variable, "")
        if text:
            return _parse(option.name, text, f"environment variable {variable}")
    return option.default


def _load_environment() -> None:
    """Gives every option the value of the environment or its default."""
    for option in OPTIONS.values():
        setattr(Config, option.name, _environment_value(option))
    if Config.jax_default_device is None:
        Config.jax_default_device = _chosen_platform()
    Config._shared_key = _read_traced(Config)


_load_environment()

#: The configuration.
config = Config()


class Override:
    """An option's value, in this thread, during a `with` block or each call of a decorated function."""

    __slots__ = ("_name", "_previous", "_value")

    def __init__(self, name: str, value: Any) -> None:
        self._name = name
        self._value = _parse(name, value, name)
        self._previous: list[Any] = []

    def __enter__(self) -> None:
        self._previous.append(config._override(self._name, self._value))

    def __exit__(self, *_exception: Any) -> None:
        config._restore(self._name, self._previous.pop())

    def __call__(self, function: Callable) -> Callable:
        """Decorates a function: each of its calls runs with the option's value."""
        name, value = self._name, self._value

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with Override(name, value):
                return function(*args, **kwargs)

        return wrapper


def _manager(option_name: str) -> Callable[..., Override]:
    """The context manager of an option. A truth option may be called without a value, which means True."""
    option = OPTIONS[option_name]
    short = option_name.removeprefix("jax_")
    is_boolean = option.parse is _boolean

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
softmax_custom_jvp = _manager("jax_softmax_custom_jvp")
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
