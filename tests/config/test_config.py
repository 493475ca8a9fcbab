"""The configuration object, its context managers, the environment, the public error classes and types."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import sable.errors
import sable.typing
from sable._config import config, managers
from sable.core.array import from_numpy


@pytest.fixture
def restored():
    """Undoes `config.update`."""
    before = config.values
    yield
    for name, value in before.items():
        if getattr(config, name) != value:
            config.update(name, value)


def in_thread(function):
    """What a function returns in a thread of its own."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def run_with(code, **environment):
    """The last line that a fresh interpreter prints, and its error output."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("JAX_", "SABLE_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=clean | environment, timeout=60
    )
    return done.stdout.strip(), done.stderr


def test_defaults():
    code = "from sable._config import config; print(config.values)"
    values = eval(run_with(code)[0])
    assert values["jax_enable_x64"] is False
    assert values["jax_numpy_rank_promotion"] == "allow"
    assert values["jax_numpy_dtype_promotion"] == "standard"
    assert values["jax_default_device"] is None
    assert values["jax_default_matmul_precision"] is None
    assert values["jax_threefry_partitionable"] is True
    assert values["jax_default_prng_impl"] == "threefry2x32"


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({"JAX_ENABLE_X64": "1"}, "True"),
        ({"JAX_ENABLE_X64": "true"}, "True"),
        ({"SABLE_ENABLE_X64": "True"}, "True"),
        ({"SABLE_ENABLE_X64": "0", "JAX_ENABLE_X64": "1"}, "False"),
        ({"JAX_ENABLE_X64": "false"}, "False"),
        ({"JAX_ENABLE_X64": ""}, "False"),
    ],
)
def test_environment(environment, expected):
    assert run_with("from sable._config import config; print(config.jax_enable_x64)", **environment)[0] == expected


def test_environment_errors_name_the_variable():
    assert "environment variable JAX_ENABLE_X64" in run_with("import sable._config", JAX_ENABLE_X64="maybe")[1]


def test_update_is_seen_by_all_threads(restored):
    config.update("jax_debug_nans", True)
    assert config.jax_debug_nans is True
    assert in_thread(lambda: config.jax_debug_nans) is True
    assert config.read("jax_debug_nans") is True


def test_context_managers_are_thread_local():
    with managers.enable_x64(True):
        assert config.jax_enable_x64 and config.x64_enabled
        assert not in_thread(lambda: config.jax_enable_x64)
    assert not config.jax_enable_x64


def test_context_managers_nest_and_survive_errors():
    with managers.numpy_rank_promotion("warn"):
        with pytest.raises(KeyError), managers.numpy_rank_promotion("raise"):
            assert config.jax_numpy_rank_promotion == "raise"
            raise KeyError
        assert config.jax_numpy_rank_promotion == "warn"
    assert config.jax_numpy_rank_promotion == "allow"
    manager = managers.debug_infs()
    with manager, manager:
        assert config.jax_debug_infs
    assert not config.jax_debug_infs


def test_update_does_not_break_into_a_context(restored):
    with managers.debug_nans(False):
        config.update("jax_debug_nans", True)
        assert config.jax_debug_nans is False
    assert config.jax_debug_nans is True


def test_context_managers_decorate():
    @managers.enable_x64(True)
    def read():
        """Reads."""
        return config.jax_enable_x64

    assert read() and read() and read.__name__ == "read"
    assert not config.jax_enable_x64


def test_trace_key_follows_the_values(restored):
    plain = config.trace_key
    with managers.enable_x64(True):
        wide = config.trace_key
        with managers.enable_x64(False):
            assert config.trace_key == plain
        config.update("jax_disable_jit", True)
        assert config.trace_key not in (plain, wide)
        config.update("jax_disable_jit", False)
    assert wide != plain == config.trace_key
    config.update("jax_enable_x64", True)
    assert config.trace_key == wide
    with managers.log_compiles():
        assert config.trace_key == wide
    hash(wide)


def test_unknown_names():
    with pytest.raises(AttributeError, match=r"Unrecognized config option: jax_enable_x65.*jax_enable_x64"):
        config.update("jax_enable_x65", True)
    with pytest.raises(AttributeError, match=r"Unrecognized config option: enable_x64.*jax_enable_x64"):
        config.update("enable_x64", True)
    with pytest.raises(AttributeError, match="'Config' object has no attribute 'jax_enable_x65'"):
        _ = config.jax_enable_x65
    with pytest.raises(AttributeError, match="Unrecognized config option"):
        config.read("nonsense")
    with pytest.raises(AttributeError, match=r"config\.update"):
        config.jax_enable_x64 = True
    assert "jax_enable_x64" in dir(config)


@pytest.mark.parametrize(
    "name, value",
    [
        ("jax_numpy_rank_promotion", "sometimes"),
        ("jax_numpy_rank_promotion", None),
        ("jax_default_matmul_precision", "x"),
        ("jax_default_device", 3),
        ("jax_default_prng_impl", "dice"),
        ("jax_enable_x64", "maybe"),
        ("jax_platforms", 3),
    ],
)
def test_bad_values(name, value):
    before = getattr(config, name)
    with pytest.raises(ValueError, match=f"invalid value for {name}"):
        config.update(name, value)
    assert getattr(config, name) == before


def test_good_values(restored):
    class Device:
        platform = "cpu"

    device = Device()
    for name, value, expected in [
        ("jax_enable_x64", 1, True),
        ("jax_enable_x64", "false", False),
        ("jax_default_matmul_precision", "float32", "float32"),
        ("jax_default_matmul_precision", None, None),
        ("jax_platforms", "cpu", "cpu"),
        ("jax_default_device", device, device),
        ("jax_default_device", None, None),
    ]:
        config.update(name, value)
        assert getattr(config, name) == expected


MANAGERS = [
    "enable_x64",
    "disable_jit",
    "numpy_rank_promotion",
    "numpy_dtype_promotion",
    "default_matmul_precision",
    "debug_nans",
    "debug_infs",
    "default_device",
    "check_tracer_leaks",
    "log_compiles",
    "default_prng_impl",
    "threefry_partitionable",
]
VALUES = {
    "numpy_rank_promotion": "raise",
    "numpy_dtype_promotion": "strict",
    "default_matmul_precision": "highest",
    "default_device": "cpu",
    "default_prng_impl": "rbg",
    "threefry_partitionable": False,
}


@pytest.mark.parametrize("name", MANAGERS)
def test_every_manager(name):
    before, manager = getattr(config, f"jax_{name}"), getattr(managers, name)
    value = VALUES.get(name, True)
    with manager(value):
        assert getattr(config, f"jax_{name}") == value != before
    assert getattr(config, f"jax_{name}") == before
    assert manager.__name__ == name and manager.__doc__


def test_managers_without_a_value():
    with managers.checking_leaks(), managers.disable_jit():
        assert config.jax_check_tracer_leaks and config.jax_disable_jit
    with pytest.raises(TypeError, match="numpy_rank_promotion"):
        managers.numpy_rank_promotion()
    with pytest.raises(ValueError, match="jax_numpy_rank_promotion"):
        managers.numpy_rank_promotion("sometimes")


BASES = {
    "JAXTypeError": TypeError,
    "JAXIndexError": IndexError,
    "ConcretizationTypeError": sable.errors.JAXTypeError,
    "NonConcreteBooleanIndexError": sable.errors.JAXIndexError,
    "TracerArrayConversionError": sable.errors.JAXTypeError,
    "TracerBoolConversionError": sable.errors.ConcretizationTypeError,
    "TracerIntegerConversionError": sable.errors.JAXTypeError,
    "UnexpectedTracerError": sable.errors.JAXTypeError,
    "KeyReuseError": sable.errors.JAXTypeError,
    "InconclusiveDimensionOperation": Exception,
    "JaxprTypeError": TypeError,
    "JaxRuntimeError": RuntimeError,
}


@pytest.mark.parametrize("name", BASES)
def test_error_classes(name):
    error_class = getattr(sable.errors, name)
    assert error_class.__bases__[-1] is BASES[name]
    assert str(error_class("what happened")).splitlines()[0] == "what happened"
    assert len(error_class.__doc__) > 60


def test_array_like():
    for value in (from_numpy(np.zeros(2)), np.zeros(2), np.float32(1), np.bool_(True), 1, 1.0, True, 1j):
        assert isinstance(value, sable.typing.ArrayLike)
    for value in ([1, 2], "abc", None, object()):
        assert not isinstance(value, sable.typing.ArrayLike)


def test_compilation_error_is_the_compilers():
    compiler_errors = pytest.importorskip("sable.compiler.errors")
    assert sable.errors.CompilationError is compiler_errors.CompilationError
    with pytest.raises(AttributeError):
        _ = sable.errors.Nonsense
